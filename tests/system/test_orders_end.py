"""How orders end, who appears before a court, and draws that must not repeat."""

from __future__ import annotations

import datetime

import numpy as np

from simulation.engine import NEVER
from simulation.engine.chance import logarithms
from simulation.system import Model
from simulation.system.codes import Kind, Location, Progress, Status
from simulation.system.hazards import change_number, day_of_change
from tests.system.system_helpers import request, run, total

LONG = {"end": datetime.date(2018, 6, 30)}
HELD = "requirements.unpaid_work.held_open_months"


def test_a_spell_without_a_change_uses_its_draw_up() -> None:
    """Two spells of the same person have waits of their own, though no change came in the first."""
    keys = np.arange(1, 201, dtype=np.uint64)

    def days(spell: int) -> np.ndarray:
        number = change_number(spell, 0)
        return np.array([day_of_change(key, np.uint64(7), number, 0.8, logarithms(), 0) for key in keys])

    first, second = days(1), days(2)
    assert (first == days(1)).all()
    # Independent exponentials: a correlation beyond 4/sqrt(200) has a chance below one in ten thousand.
    assert abs(np.corrcoef(np.argsort(np.argsort(first)), np.argsort(np.argsort(second)))[0, 1]) < 0.28


def test_nobody_goes_on_curfew_to_nowhere() -> None:
    model = Model(request(end=datetime.date(2018, 3, 31)))
    service, tagged, nowhere = model.service, set(), set()
    tell = service.tell

    def note(kind: str, rows: np.ndarray, *rest: object) -> None:
        if kind == "released on curfew":
            tagged.update((service.today, row) for row in rows.tolist())
        if kind == "released to nowhere":
            nowhere.update((service.today, row) for row in rows.tolist())
        tell(kind, rows, *rest)  # type: ignore[arg-type]

    service.tell = note  # type: ignore[method-assign]
    model.run()
    assert len(tagged) > 20 and len(nowhere) > 20 and not tagged & nowhere


def test_an_order_whose_breach_is_open_is_no_success() -> None:
    model = Model(request(**LONG))
    service, sentences, open_ones = model.service, model.service.sentences, []
    tell = service.tell

    def note(kind: str, rows: np.ndarray, *rest: object) -> None:
        if kind in ("order completed", "order over, breach not heard"):
            for person in rows.tolist():
                mine = np.flatnonzero(sentences.person[: sentences.size] == person)
                over = mine[(sentences.expiry[mine] == service.today) & (sentences.kind[mine] <= Kind.SUSPENDED)]
                open_ones.append((kind, bool((sentences.breach_pending[over] != 0).any())))
        tell(kind, rows, *rest)  # type: ignore[arg-type]

    service.tell = note  # type: ignore[method-assign]
    model.run()
    undecided = [pending for kind, pending in open_ones if kind != "order completed"]
    assert len(undecided) > 5 and all(undecided)
    assert total(model.output(), "orders_ended_breach_open") == len(undecided)
    completed = [pending for kind, pending in open_ones if kind == "order completed"]
    # Two orders may end on one day; else none with a breach open is completed.
    assert sum(completed) <= 1 < len(completed)


def test_a_breach_of_supervision_that_is_not_heard_in_time_is_told_and_counted() -> None:
    model = Model(request(end=datetime.date(2018, 12, 31)))
    service, sentences = model.service, model.service.sentences
    told: dict[str, list[bool]] = {"post-sentence supervision ends": [], "supervision over, breach not heard": []}
    tell = service.tell

    def note(kind: str, rows: np.ndarray, *rest: object) -> None:
        for person in rows.tolist() if kind in told else ():
            mine = np.flatnonzero(sentences.person[: sentences.size] == person)
            over = mine[(sentences.supervision_end[mine] == service.today) & (sentences.kind[mine] == Kind.DETERMINATE)]
            told[kind].append(bool((sentences.breach_pending[over] != 0).any()))
        tell(kind, rows, *rest)  # type: ignore[arg-type]

    service.tell = note  # type: ignore[method-assign]
    model.run()
    heard, unheard = told.values()
    assert total(model.output(), "supervision_ended_breach_open") == len(unheard) > 2 and all(unheard)
    # Two terms may end on one day.
    assert sum(heard) <= 1 < len(heard)


def test_community_orders_go_on_until_their_work_is_done() -> None:
    never, held = run(overrides={HELD: 0}, **LONG), run(overrides={HELD: 12}, **LONG)
    assert total(never, "orders_held_for_work") == 0 < 5 < total(held, "orders_held_for_work")
    assert total(held, "work_hours_undone") < total(never, "work_hours_undone")
    assert total(held, "work_completed") > total(never, "work_completed")


def test_what_is_held_open_and_for_how_long() -> None:
    model = Model(request())
    model.run(20)
    service, sentences = model.service, model.service.sentences
    live = np.flatnonzero(sentences.status[: sentences.size] == Status.ORDER)
    work = sentences.unpaid_work[live]
    kinds, progress = sentences.kind[live], service.requirements.progress[np.maximum(work, 0)]
    left = live[(work >= 0) & (progress < Progress.FINISHED) & (kinds == Kind.COMMUNITY_ORDER)][:2]
    suspended = live[(work >= 0) & (progress < Progress.FINISHED) & (kinds == Kind.SUSPENDED)][:1]
    without = live[work < 0][:1]
    due = np.concatenate([left, suspended, without])
    sentences.breach_pending[due] = 0
    today = service.today
    sentences.imposed[due] = today - sentences.length[due]
    sentences.expiry[due] = today
    # The second ran out longer ago than any order is held.
    sentences.imposed[left[1]] -= 366
    assert model.held_open.hold(due).tolist() == [left[1], suspended[0], without[0]]
    assert sentences.expiry[left[0]] == today + 7 == service.agendas["legal end"].day_of(left[:1])[0]


def test_whoever_appears_in_court_is_arrested() -> None:
    model = Model(request())
    model.run(30)
    service, sentences = model.service, model.service.sentences
    order = int(np.flatnonzero(sentences.status[: sentences.size] == Status.ORDER)[0])
    licence = int(np.flatnonzero(sentences.status[: sentences.size] == Status.LICENCE)[0])
    sentences.warrant_since[order] = service.today - 9
    sentences.status[licence] = Status.AT_LARGE
    service.agendas["hearing"].put(np.array([order]), service.today + 60)
    model.enforcement.appear(sentences.person[[order, licence]].astype(np.intp))
    tomorrow = service.calendar.after_working_days(service.today, 1)
    assert service.agendas["hearing"].day_of(np.array([order]))[0] == tomorrow
    assert service.agendas["recall step"].day_of(np.array([licence]))[0] == service.today + 1


def test_a_further_order_begins_a_year_of_its_own() -> None:
    model = Model(request())
    model.run(30)
    service, people, sentences = model.service, model.service.people, model.service.sentences
    size = people.size
    supervised = np.flatnonzero((people.location[:size] == Location.COMMUNITY) & (people.followed_from[:size] == NEVER))
    person = supervised[:1]
    model.supervision.begin_again(person)
    assert people.followed_from[person[0]] == NEVER, "no order was imposed today"
    sentences.imposed[people.latest[person]] = service.today
    model.supervision.begin_again(person)
    assert people.followed_from[person[0]] == service.today


def test_years_at_risk_count_from_the_end_of_supervision() -> None:
    """In the run from the day of closing; before it from the day the start says: being put in place moves nothing."""
    model = Model(request())
    people = model.service.people
    before = np.flatnonzero(people.location[: people.size] == Location.ENDED)
    before = before[people.last_seen[before] < 0]
    ended_on = people.last_seen[before].copy()
    assert before.size > 1000
    closed: dict[int, int] = {}
    tell = model.service.tell

    def note(kind: str, rows: np.ndarray, *rest: object) -> None:
        if kind == "supervision ends":
            closed.update(dict.fromkeys(rows.tolist(), model.service.today))
        tell(kind, rows, *rest)  # type: ignore[arg-type]

    model.service.tell = note  # type: ignore[method-assign]
    model.run(60)
    still = people.location[before] == Location.ENDED
    untouched = still & ~np.isin(before, list(closed))
    assert (people.last_seen[before[untouched]] == ended_on[untouched]).all()
    over = [row for row in closed if people.location[row] == Location.ENDED]
    assert len(over) > 20 and all(people.last_seen[row] == closed[row] for row in over)
