"""What orders require: each rule by hand, and each lever moves what it must and nothing else."""

from __future__ import annotations

import datetime
import math
from typing import Any, NamedTuple

import numpy as np
import pytest

from simulation.engine import NEVER
from simulation.engine.calendar import MONTH_DAYS
from simulation.system import Model, RunOutput
from simulation.system.codes import NPS, Delivery, Location, Progress, Requirement, Status, Task
from simulation.system.requirement_loops import RULES, columns, room, set_due
from simulation.system.requirement_weeks import POOLS, fill_places
from simulation.system.service import Service
from tests.system.system_helpers import change, finished, request, run, same_run, total, totals

YEAR = {"end": datetime.date(2018, 6, 30)}
RULE = "requirements.activity.rule"
FRICTION = "requirements.rate_card.friction"
OFFERED = "requirements.programme.offered"
PLACES = "requirements.unpaid_work.places_a_week"
NOBODY_MISSES = {
    "requirements.missed_share": {"officer": 0, "group": 0, "specialist": 0, "unpaid_work": 0},
    "requirements.unpaid_work.stood_down_share": 0,
}


@pytest.fixture(scope="module")
def world() -> tuple[Model, dict[str, Any]]:
    """Two months of an area."""
    model = Model(request(seed=2, end=datetime.date(2017, 10, 31)))
    model.run(70)
    return model, model.save()


@pytest.fixture(scope="module")
def by_rule() -> dict[str, RunOutput]:
    """A year under each rule of delivery."""
    return {rule: run(overrides={RULE: rule}, **YEAR) for rule in RULES}


def live(service: Service, kind: int) -> np.ndarray:
    """Requirements of a kind that are not over."""
    rows = service.requirements
    return np.flatnonzero((rows.kind[: rows.size] == kind) & (rows.progress[: rows.size] < Progress.FINISHED))


class Week(NamedTuple):
    """What is given out in a week of unpaid work."""

    queue: Any
    today: int
    rules: Any
    draws: Any
    rows: Any
    people: Any
    works: Any
    places: Any
    counted: Any
    done: Any


def four_wait_for_three_places(world: tuple[Model, dict[str, Any]]) -> tuple[Week, np.ndarray]:
    """Return a week in which four wait in one area; and how many days each was offered before."""
    model, saved = world
    model.continue_with(saved, model.request.resolved)
    service, requirements = model.service, model.requirements
    queue = live(service, Requirement.UNPAID_WORK)[:4]
    rows, people, _ = columns(service.requirements, service.people, service.sentences)
    places = np.zeros((service.areas, len(POOLS)), dtype=np.int64)
    places[int(people.cell[rows.person[queue[0]]]) >> 1, POOLS.index("unpaid_work")] = 3
    counted, done = np.zeros((60, service.areas * 2), dtype=np.int64), np.zeros(2, dtype=np.int64)
    works = np.zeros(service.people.size, dtype=np.bool_)
    rules, draws = requirements.rules, requirements.draws
    week = Week(queue, service.today, rules, draws, rows, people, works, places, counted, done)
    return week, rows.offered[queue].copy()


# --- Rules by hand -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "ogrs", "draw", "due"),
    [
        ("in_full", 10, 0.0, 20),
        ("up_to", 90, 0.5, 8),  # half-way draw: 0.4 of 20
        ("up_to", 90, 0.0, 0),  # no fewest
        ("up_to", 10, 0.75, 14),  # 0.4 + half of 0.6 is 0.7
        ("officers_discretion", 30, 0.9, 10),
        ("officers_discretion", 50, 0.9, 15),
        ("officers_discretion", 80, 0.9, 20),
    ],
)
def test_how_many_days_are_to_be_delivered(rule: str, ogrs: int, draw: float, due: int) -> None:
    model = Model(request(overrides={RULE: rule}))
    service, row = model.service, int(live(model.service, Requirement.REHABILITATION)[0])
    rows, people, _ = columns(service.requirements, service.people, service.sentences)
    rows.ordered[row], rows.enough_draw[row] = 20, draw
    people.ogrs[rows.person[row]] = ogrs
    set_due(row, row + 1, model.requirements.enough, rows, people)
    assert rows.due[row] == due


def test_places_go_to_those_who_came_first(world: tuple[Model, dict[str, Any]]) -> None:
    given, before = four_wait_for_three_places(world)
    assert fill_places(*given, room(4)) == 3 and given.places.sum() == 0
    assert (given.rows.offered[given.queue] - before).tolist() == [1, 1, 1, 0]


def test_nobody_works_for_two_orders_on_one_day(world: tuple[Model, dict[str, Any]]) -> None:
    """The hours of the second order come after those of the first; the place goes to the next in the queue."""
    given, before = four_wait_for_three_places(world)
    rows, queue = given.rows, given.queue
    rows.person[queue[1]] = rows.person[queue[0]]
    assert fill_places(*given, room(4)) == 3
    assert (rows.offered[queue] - before).tolist() == [1, 0, 1, 1]
    assert np.flatnonzero(given.works).tolist() == sorted(set(rows.person[queue].tolist()))
    given.places[:] = 3
    assert fill_places(*given, room(4)) == 0, "nor when those who wait are asked after those who have begun"


def test_everybody_who_comes_each_week_does_seven_hours_a_week() -> None:
    model = finished(overrides={**NOBODY_MISSES, PLACES: 1_000_000}, **YEAR)
    rows = model.service.requirements
    size = rows.size
    completed = (rows.kind[:size] == Requirement.UNPAID_WORK) & (rows.progress[:size] == Progress.FINISHED)
    completed &= rows.imposed[:size] > 0
    assert completed.sum() > 20
    for row in np.flatnonzero(completed).tolist():
        days = math.ceil(int(rows.ordered[row]) / 7)
        assert rows.offered[row] == days
        # A day a week, by bank holidays up to three days nearer; longer for those in custody meanwhile.
        assert rows.last[row] - rows.began[row] >= (days - 1) * 7 - 3


@pytest.mark.parametrize(
    ("waiting", "groups", "joined"), [(10, 1, 10), (13, 1, 10), (14, 2, 14), (3, 0, 0), (25, 3, 25)]
)
def test_groups_begin_full_or_monthly(
    world: tuple[Model, dict[str, Any]], waiting: int, groups: int, joined: int
) -> None:
    """Ten seats, no fewer than four at the first of a month: 25 make two full groups and one of five."""
    model, saved = world
    model.continue_with(saved, model.request.resolved)
    service = model.service
    service.levers._known.clear()
    most = dict.fromkeys(("thinking_skills", "domestic_abuse", "sexual_offending"), 100_000)
    service.levers._known[("mapping", "requirements.programme.groups_at_once")] = most
    rows, candidates = service.requirements, live(service, Requirement.UNPAID_WORK)[:waiting]
    rows.kind[candidates], rows.form[candidates], rows.progress[candidates] = Requirement.PROGRAMME, 0, 0
    before = model.requirements.groups.size
    model.requirements.begin_programmes(candidates, first_of_month=True)
    assert model.requirements.groups.size - before == groups
    assert (rows.group[candidates] >= before).sum() == joined
    assert (rows.group[candidates[:joined]] >= before).all(), "first come, first served"
    full_only = waiting // 10
    model.continue_with(saved, model.request.resolved)
    rows = service.requirements
    rows.kind[candidates], rows.form[candidates], rows.progress[candidates] = Requirement.PROGRAMME, 0, 0
    service.levers._known[("mapping", "requirements.programme.groups_at_once")] = most
    model.requirements.begin_programmes(candidates, first_of_month=False)
    assert model.requirements.groups.size - before == full_only


def test_orders_of_unpaid_work_alone_require_nothing_else() -> None:
    model = finished(end=datetime.date(2017, 10, 31))
    rows, sentences = model.service.requirements, model.service.sentences
    kind, order = rows.kind[: rows.size], rows.sentence[: rows.size]
    alone = sentences.unpaid_work_only[order] == 1
    assert alone.any() and (kind[alone] == Requirement.UNPAID_WORK).all()
    orders = np.flatnonzero(sentences.imposed[: sentences.size] > 0)
    only = orders[sentences.unpaid_work_only[orders] == 1]
    assert np.isin(only, order).all()


@pytest.mark.parametrize(("months", "shortest"), [(6, 6), (12, 12)])
def test_no_programme_is_longer_than_the_order(months: int, shortest: int) -> None:
    model = finished(overrides={"requirements.programme.least_order_months": months})
    rows, lengths = model.service.requirements, model.service.sentences.length
    ordered = rows.kind[: rows.size] == Requirement.PROGRAMME
    found = lengths[rows.sentence[: rows.size][ordered]]
    assert ordered.sum() > 50 and round(found.min() / MONTH_DAYS) == shortest


def test_shares_of_orders_are_those_of_the_parameters() -> None:
    model = finished(areas=("gwent",), **YEAR)
    rows, sentences = model.service.requirements, model.service.sentences
    made = np.flatnonzero((sentences.kind[: sentences.size] < 2) & (sentences.imposed[: sentences.size] >= 0))
    new = rows.imposed[: rows.size] >= 0
    for kind, share in ((Requirement.REHABILITATION, 0.65), (Requirement.UNPAID_WORK, 0.35)):
        number = int((new & (rows.kind[: rows.size] == kind)).sum())
        assert abs(number / made.size - share) < 4 * math.sqrt(share * (1 - share) / made.size)


# --- Delivery ----------------------------------------------------------------------------------------


def test_three_rules_of_delivery(by_rule: dict[str, RunOutput]) -> None:
    done = {rule: total(output, "activity_days_done") for rule, output in by_rule.items()}
    assert done["in_full"] > 1.2 * done["officers_discretion"] > 1.2 * done["up_to"] > 0
    ordered = {total(output, "activity_days_ordered") for output in by_rule.values()}
    assert max(ordered) < 1.05 * min(ordered), "the orders are the same but for who comes back"
    hours = {rule: total(output, "session_seconds_booked") for rule, output in by_rule.items()}
    assert hours["in_full"] > hours["officers_discretion"] > hours["up_to"]


def test_sessions_cost_time_only_outside_the_tariff(by_rule: dict[str, RunOutput]) -> None:
    rows = by_rule["officers_discretion"].rows
    by_side = {"nps": 0, "crc": 0}
    for name, provider, value in zip(rows["measure"], rows["provider"], rows["value"].tolist(), strict=True):
        if name == "session_seconds_booked":
            by_side["nps" if provider.startswith("nps") else "crc"] += value
    assert by_side["nps"] == 0 < by_side["crc"]
    assert by_side["crc"] % (45 * 60) == 0


def test_a_session_waits_for_its_day_and_goes_with_the_order(world: tuple[Model, dict[str, Any]]) -> None:
    model, saved = world
    model.continue_with(saved, model.request.resolved)
    tasks, sentences = model.service.tasks, model.service.sentences
    mine = np.flatnonzero(tasks.kind[: tasks.size] == Task.SESSION)
    assert mine.size
    ended = tasks.sentence[mine]
    sentences.status[ended] = Status.LICENCE
    model.service.refresh(sentences.person[ended])
    before = model.service.requirements.offered.copy()
    model.run(74)
    kept = tasks.sentence[: tasks.size][tasks.kind[: tasks.size] == Task.SESSION]
    assert not np.isin(ended, kept).any()
    activity = sentences.activity[ended]
    assert (model.service.requirements.offered[activity] == before[activity]).all()


def test_nothing_is_offered_outside_the_community(monkeypatch: pytest.MonkeyPatch) -> None:
    model = Model(request(**YEAR))
    service, week, still = model.service, model.requirements.week, [0]

    def watched(first_of_month: bool) -> None:
        rows = service.requirements
        person = rows.person[: rows.size]
        away = np.flatnonzero(
            (service.people.location[person] != Location.COMMUNITY) & (rows.progress[: rows.size] < Progress.FINISHED)
        )
        before = rows.offered[away].copy()
        week(first_of_month)
        assert (rows.offered[away] == before).all()
        still[0] += away.size

    monkeypatch.setattr(model.requirements, "week", watched)
    model.run()
    assert still[0] > 100


# --- The rate card -----------------------------------------------------------------------------------


def test_friction_keeps_specialists_idle_beside_a_queue() -> None:
    none, half, all_of_it = (run(overrides={FRICTION: friction}, **YEAR) for friction in (0, 0.5, 1))
    beside = [total(one, "specialist_seconds_idle_beside_queue") for one in (none, half, all_of_it)]
    waiting = [total(one, "activity_waiting_unbought") for one in (none, half, all_of_it)]
    assert beside[0] == waiting[0] == 0
    assert 0 < beside[1] < beside[2] and 0 < waiting[1] < waiting[2]
    # What the court ordered is never bought: not a line of it differs, nor anything else that isn't activity.
    bought = ("activity", "group", "specialist")
    kept = [
        {name: months for name, months in totals(one).items() if not name.startswith(bought)}
        for one in (none, all_of_it)
    ]
    assert kept[0] == kept[1]
    assert sum(kept[0]["work_hours_done"].values()) > 0 and sum(kept[0]["programme_starts"].values()) > 0


def test_who_is_held_back_is_decided_by_one_draw(world: tuple[Model, dict[str, Any]]) -> None:
    model, saved = world
    model.continue_with(saved, model.request.resolved)
    rows, people = model.service.requirements, model.service.people
    mine = live(model.service, Requirement.REHABILITATION)
    held = mine[rows.held[mine] == 1]
    assert held.size
    assert (rows.bought_draw[held] < 0.4).all() and (people.side[rows.person[held]] == NPS).all()
    assert (rows.form[held] != Delivery.OFFICER).all() and (rows.last[held] == NEVER).all()


def test_one_service_has_nothing_to_buy() -> None:
    one = run(overrides={"organisation.unified": 1, FRICTION: 1}, **YEAR)
    assert total(one, "activity_not_bought") == total(one, "specialist_seconds_idle_beside_queue") == 0
    assert total(one, "activity_days_done") > 0


def test_the_officer_takes_on_what_was_not_bought() -> None:
    soon = finished(overrides={FRICTION: 1, "requirements.rate_card.officer_instead_weeks": 4}, **YEAR)
    rows = soon.service.requirements
    size = rows.size
    nps = (rows.cell[:size] & 1 == NPS) & (rows.kind[:size] == Requirement.REHABILITATION) & (rows.imposed[:size] > 0)
    late = nps & (rows.ready[:size] < soon.service.today - 60) & (rows.progress[:size] < Progress.FINISHED)
    assert late.any() and (rows.form[:size][late] == Delivery.OFFICER).mean() > 0.9


# --- Unpaid work and programmes ----------------------------------------------------------------------


def test_places_at_unpaid_work() -> None:
    none, few, many = (run(overrides={PLACES: places}, **YEAR) for places in (0, 8_000, 40_000))
    assert total(none, "work_hours_done") == total(none, "work_begun") == 0 < total(none, "work_hours_ordered")
    assert total(few, "work_hours_done") < 0.8 * total(many, "work_hours_done")
    assert total(few, "work_waiting") > 3 * total(many, "work_waiting")
    assert total(few, "work_places_used") <= total(few, "work_places")


def test_a_programme_withdrawn_sends_its_people_back() -> None:
    stop = datetime.date(2018, 1, 1)
    without = {"thinking_skills": 1, "domestic_abuse": 0, "sexual_offending": 1}
    model = finished(change(stop, "set", OFFERED, without), areas=("gwent",), **YEAR)
    output = model.output()
    assert total(output, "programme_withdrawn") > 5
    # The stop falls on the first Tuesday; until the month is over, everybody who was sent back waits.
    months = totals(output)["programme_withdrawn"]
    assert set(months) == {"2018-01"}
    rows, groups = model.service.requirements, model.requirements.groups
    stopped = (groups.programme[: groups.size] == 1) & (groups.running[: groups.size] == 1)
    assert not stopped.any()
    mine = live(model.service, Requirement.PROGRAMME)
    waiting = mine[rows.form[mine] == 1]
    assert waiting.size and (rows.group[waiting] == -1).all() and (rows.done[waiting] == 0).all()
    kept = run(areas=("gwent",), **YEAR)
    assert total(kept, "programme_withdrawn") == 0
    assert total(output, "programme_completed") < total(kept, "programme_completed")


def test_a_run_saved_in_the_middle_goes_on_the_same() -> None:
    whole = finished(end=datetime.date(2017, 10, 31))
    halved = Model(request(end=datetime.date(2017, 10, 31)))
    halved.run(50)
    saved = halved.save()
    halved.run(60)
    halved.continue_with(saved, halved.request.resolved)
    halved.run()
    same_run(whole.output(), halved.output())


def test_nothing_is_offered_while_a_warrant_is_out() -> None:
    """Everybody with an order is wanted from the first day: no day, hour or session is delivered."""
    model = Model(request(end=datetime.date(2017, 8, 31)))
    sentences = model.service.sentences
    model.run(1)
    orders = np.flatnonzero(sentences.status[: sentences.size] == Status.ORDER)
    rows = model.service.requirements
    mine = np.isin(rows.sentence[: rows.size], orders) & (rows.booked[: rows.size] == 0)
    before = rows.done[: rows.size][mine].copy()
    assert mine.sum() > 100
    sentences.warrant_since[orders] = 0
    model.service.people.wanted[sentences.person[orders]] = 1
    model.invariants.check = lambda statuses=None: None  # type: ignore[method-assign]
    model.run()
    rows = model.service.requirements
    after = rows.done[: mine.size][mine]
    # Prison, and a court that was waiting for them, end it. What somebody did in a group that they leave is lost.
    wanted = model.service.people.wanted[rows.person[: mine.size][mine]] == 1
    assert wanted.sum() > 100
    assert (after[wanted] <= before[wanted]).all()


# --- Missed days as failures -------------------------------------------------------------------------


def test_missed_days_are_failures_where_a_lever_says_so() -> None:
    """Off: nobody is warned for them. On: as many as the shares say, and more packs are due."""
    share, accepted = "requirements.missed_enforced_share", 0.55
    off = run(**YEAR)
    on = run(overrides={share: {"activity": 0, "unpaid_work": 1}, "contact.absence_accepted_share": accepted}, **YEAR)
    assert total(off, "requirement_failures") == 0
    missed, failures = total(on, "work_days_missed"), total(on, "requirement_failures")
    # Four standard deviations: one in some 16,000 of such tests.
    assert abs(failures - (1 - accepted) * missed) < 4 * math.sqrt(missed * accepted * (1 - accepted))
    for count in ("warnings", "breaches_due"):
        assert total(on, count) > total(off, count) + 0.02 * failures


def test_a_day_missed_twice_over_is_one_failure() -> None:
    model = Model(request())
    model.run(40)
    enforcement, people, sentences = model.enforcement, model.service.people, model.service.sentences
    on_order = int(sentences.person[np.flatnonzero(sentences.status[: sentences.size] == Status.ORDER)[0]])
    people.warned_on[on_order], people.absent_on[on_order] = NEVER, NEVER
    told: list[tuple[str, int]] = []
    model.service.tell = lambda kind, rows, *rest: told.extend([(kind, len(rows))] * bool(len(rows)))  # type: ignore
    rows = np.array([on_order, on_order], dtype=np.intp)
    for _ in range(2):
        enforcement.note_failures(rows, np.array([1, 2]))
    enforcement.failures_elsewhere()
    assert told == [("warned", 1)] and enforcement.elsewhere == []


def test_each_missed_day_is_drawn_for_by_itself() -> None:
    """Whether a missed day is passed on is drawn once for each: never again the draw of an earlier one."""
    wanted = {"requirements.missed_enforced_share": {"activity": 1, "unpaid_work": 1}}
    model = Model(request(overrides=wanted, **YEAR))
    noted: list[np.ndarray] = []
    listener = model.enforcement.note_failures

    def watched(rows: np.ndarray, occurrence: np.ndarray) -> None:
        noted.append(np.column_stack((rows, occurrence)))
        listener(rows, occurrence)

    model.requirements.on_failures[:] = [watched]
    model.run()
    pairs = np.concatenate(noted)
    assert np.unique(pairs[:, 0]).size < len(pairs), "some failed in several"
    assert len(np.unique(pairs, axis=0)) == len(pairs)
