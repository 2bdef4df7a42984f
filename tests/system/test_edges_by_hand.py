"""Rules at their edges, a few people by hand: the day that still counts, who is left out, who is counted once."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pytest

from simulation.engine import NEVER
from simulation.engine.agenda import NOBODY
from simulation.system import Model
from simulation.system.allocation_loops import cases_of_today
from simulation.system.codes import CRC, NPS, Location, Mode, Rosh, Status
from simulation.system.contact_rules import call_due
from simulation.system.custody_loops import APPROVED
from simulation.system.diary_loops import urgency_of
from simulation.system.officer_days import open_posts, post_columns
from simulation.system.recruitment_loops import days_of_stage
from simulation.system.service import COUNT_INDEX
from simulation.system.supervision_loops import begin_orders
from tests.system.system_helpers import request, total

#: Monday 11 September 2017.
MONDAY = 72
IN_PERSON = ("seen", "seen for the first time", "seen in an open booth", "seen at home", "seen in a group")


@pytest.fixture(scope="module")
def saved() -> tuple[Model, dict[str, Any]]:
    """An area on a Monday."""
    model = Model(request(seed=2, end=datetime.date(2017, 10, 31)))
    model.run(MONDAY)
    assert model.service.calendar.date(model.service.today) == datetime.date(2017, 9, 11)
    return model, model.save()


@pytest.fixture
def world(saved: tuple[Model, dict[str, Any]]) -> Model:
    """The same Monday, whatever another test did on it."""
    model, state = saved
    model.continue_with(state, model.request.resolved)
    return model


def listen(model: Model) -> dict[str, list[int]]:
    """Note of whom something is told."""
    told: dict[str, list[int]] = {}
    model.service.tell = lambda kind, rows, *_: told.setdefault(kind, []).extend(rows.tolist())  # type: ignore
    return told


def test_a_pack_is_in_time_up_to_its_last_working_day(world: Model) -> None:
    """Ten working days lie after 25 August, without the bank holiday on the 28th; eleven after the 24th."""
    service, enforcement = world.service, world.enforcement
    people, sentences = service.people, service.sentences
    orders = np.flatnonzero(sentences.status[: sentences.size] == Status.ORDER)
    packs = orders[people.side[sentences.person[orders]] == NPS][:3]
    known = [datetime.date(2017, 8, day) for day in (28, 25, 24)]
    sentences.breach_known[packs] = [(day - datetime.date(2017, 7, 1)).days for day in known]
    sentences.breach_pending[packs] = 1
    enforcement.referral_target, enforcement.dropped = 10, np.ones_like(enforcement.dropped)
    counts = [COUNT_INDEX[name] for name in ("breaches_dropped", "breaches_referred", "breaches_referred_in_time")]
    before = service.flows[counts].sum(axis=1)
    told = listen(world)
    enforcement.packs_sent(packs.astype(np.intp))
    assert (service.flows[counts].sum(axis=1) - before).tolist() == [1, 2, 2]
    assert told["breach dropped"] == [sentences.person[packs[2]]]


def test_nobody_out_of_the_model_comes_before_the_court(world: Model) -> None:
    """Nor does somebody who is before it already come a second time."""
    people, courts = world.service.people, world.courts
    rows = np.flatnonzero(
        (people.location[: people.size] == Location.COMMUNITY) & (people.report_due[: people.size] == NEVER)
    )[:5]
    people.location[rows[:2]] = Location.DEAD, Location.REMOVED
    people.report_due[rows[2]] = world.service.today + 5
    courts.report_coverage = type(courts.report_coverage)(0)
    told = listen(world)
    assert courts.refer(rows).tolist() == rows[3:].tolist() == told["convicted"]


def test_whoever_leaves_the_country_at_the_end_of_two_terms_leaves_once(world: Model) -> None:
    service, custody = world.service, world.custody
    people, sentences = service.people, service.sentences
    inside = np.flatnonzero(sentences.status[: sentences.size] == Status.CUSTODY)
    alone = inside[(people.latest[sentences.person[inside]] == inside) & (sentences.previous[inside] < 0)]
    terms = alone[np.argsort(sentences.person[alone])][:3]
    first, second = sentences.person[terms[0]], sentences.person[terms[2]]
    sentences.previous[terms[0]], sentences.person[terms[1]] = terms[1], first
    people.deportation[[first, second]] = 1
    told = listen(world)
    custody.let_go(NOBODY, terms.astype(np.intp))
    assert told["removed from the country"] == [first, second] and told.get("released", []) == []


def test_nobody_goes_on_curfew_for_less_than_the_least_days_or_against_the_law(world: Model) -> None:
    service, custody = world.service, world.custody
    people, sentences, today = service.people, service.sentences, service.today
    inside = np.flatnonzero(sentences.status[: sentences.size] == Status.CUSTODY)
    alone = inside[(people.latest[sentences.person[inside]] == inside) & (sentences.previous[inside] < 0)]
    terms = alone[np.argsort(sentences.person[alone])][:3].astype(np.intp)
    # Today and the day of release are both counted.
    sentences.custody_end[terms] = today + int(custody.least_days_on_curfew) + np.array([-1, -2, 30])
    sentences.curfew_from[terms], sentences.curfew_stage[terms] = [today, today, NEVER], APPROVED
    told = listen(world)
    custody.let_go(terms, NOBODY)
    who = sentences.person[terms].tolist()
    assert told["released on curfew"] == who[:1] and told["curfew refused: no time left"] == who[1:]


def test_cases_stay_with_a_sick_officer_who_is_back_tomorrow(world: Model) -> None:
    service, posts = world.service, world.service.posts
    rows = np.flatnonzero((posts.filled[: posts.size] == 1) & (posts.covered[: posts.size] == 0))[:4]
    posts.sick_until[rows] = service.today + np.array([0, 1, 2, 90])
    posts.filled[rows[3]] = 0
    world.staffing.cover_the_sick(rows)
    assert posts.covered[rows].tolist() == [0, 0, 1, 0]


def test_whose_case_is_given_out_today() -> None:
    """Two whose supervision goes on; nobody's, one that is over, one held by prison staff, one that has an officer."""
    side = np.array([NPS, CRC, -1, CRC, NPS, CRC], dtype=np.int8)
    location = np.full(6, Location.COMMUNITY, dtype=np.int8)
    location[1], location[3] = Location.AT_LARGE, Location.ENDED
    prison_held, officer = np.zeros(6, dtype=np.int8), np.full(6, -1, dtype=np.int32)
    prison_held[4], officer[5] = 1, 7
    waiting_since = np.full(6, NEVER, dtype=np.int32)
    nobody, everybody = np.zeros(0, dtype=np.intp), np.arange(6)

    def given(*lists: np.ndarray) -> tuple[list[int], int, int]:
        rows, first_due, first_moving = cases_of_today(*lists, side, location, officer, waiting_since, prison_held)
        return rows.tolist(), first_due, first_moving

    assert given(everybody, nobody, nobody) == ([0, 1], 2, 2)
    assert given(nobody, everybody, nobody) == ([0, 1, 5], 0, 3)
    assert given(everybody, everybody, nobody) == ([0, 1, 5], 2, 3), "each once"
    assert given(nobody, nobody, everybody) == ([5], 0, 0)


def test_a_warning_goes_with_a_new_order_unless_one_of_before_runs() -> None:
    """The first order of the table alone, one of before that runs, one of before that is over."""
    latest, previous = np.array([0, 2, 4]), np.array([-1, -1, 1, -1, 3])
    status = np.array([Status.ORDER, Status.ORDER, Status.ORDER, Status.ENDED, Status.ORDER], dtype=np.int8)
    warned_on, work_only = np.array([5, 6, 7], dtype=np.int32), np.array([1, 1, 1], dtype=np.int8)
    of_work = np.array([1, 0, 0, 0, 1], dtype=np.int8)
    some = [np.zeros(3, dtype=np.int32) for _ in range(5)]
    begin_orders(np.arange(3), 9, *some, warned_on, work_only, latest, previous, status, of_work)
    assert warned_on.tolist() == [NEVER, 6, NEVER] and work_only.tolist() == [1, 0, 1]


def test_cases_that_nobody_takes_count_where_they_were(world: Model) -> None:
    """With the first officer of the table as with any other."""
    people, posts = world.service.people, world.service.posts
    rows = np.array([np.flatnonzero(people.officer[: people.size] == post)[0] for post in (0, 1, 1)])
    held = posts.cases[: posts.size].copy(), posts.points[: posts.size].copy()
    posts.filled[:] = 0
    world.allocation.give(rows)
    assert [posts.cases[: posts.size].tolist(), posts.points[: posts.size].tolist()] == [each.tolist() for each in held]


def test_only_those_who_waited_and_are_new_count_as_on_the_wrong_side(world: Model) -> None:
    """Four whose true risk is very high, with the company: two waited, one didn't, one had another officer."""
    service, people = world.service, world.service.people
    held = people.officer[: people.size]
    rows = np.flatnonzero((people.side[: people.size] == CRC) & (held >= 0))
    rows = rows[people.officer_since[rows] != NEVER][:4]
    people.rosh[rows] = Rosh.VERY_HIGH
    people.waiting_since[rows] = [service.today - 3, service.today, NEVER, service.today - 1]
    people.changes[rows] = [0, 0, 0, 1]
    counts = [COUNT_INDEX[name] for name in ("misallocated", "officer_changes")]
    before = service.flows[counts].sum(axis=1)
    other = next(post for post in held[held >= 0].tolist() if post not in held[rows])
    world.allocation.settle(rows, np.full(4, other, dtype=np.int32))
    assert (service.flows[counts].sum(axis=1) - before).tolist() == [2, 1]


def test_a_visit_is_due_when_the_floor_would_be_reached_by_the_days_ahead() -> None:
    unseen = [call_due(Mode.TELEPHONE, 0, Rosh.MEDIUM, days, 31.0, 14) for days in (16, 17, 18)]
    assert unseen == [True, False, False]


def test_every_stage_of_every_search_has_luck_of_its_own() -> None:
    shares, months = np.tile([0.0, 1.0], (1, 5, 1)), np.tile([0.0, 1e6], (1, 5, 1))
    stages = [(search, stage) for search in range(4) for stage in range(1, 6)]
    key, length = np.uint64(5), np.uint64(7)
    days = [days_of_stage(key, 0, search, stage, shares, months, 1.0, length) for search, stage in stages]
    assert len(set(days)) == len(stages)


@pytest.mark.parametrize("today", [0, 1500, 4000])
def test_late_in_a_run_as_early_the_oldest_task_comes_first(today: int) -> None:
    order = [urgency_of(1, today + late, np.uint64(0), today) for late in (-2000, -30, -1, 0, 1, 2000)]
    assert order == sorted(set(order)) and urgency_of(0, today + 2000, np.uint64(0), today) < order[0]


def test_meetings_of_the_next_holder_are_not_those_of_the_one_before(world: Model) -> None:
    posts = post_columns(world.service.posts)
    posts.filled[:], posts.hours_left[:], posts.holder[:] = 1, 3700, 0
    places = (world.service.areas, 2)
    counts = [np.zeros(world.service.areas * 2, dtype=np.int64) for _ in range(2)]
    productive = np.full(places, 20_000.0)
    given = (productive, productive, 3700, np.full(places, 0.5), 3600, np.uint64(9), *counts)

    def meets(holder: int, day: int) -> list[bool]:
        posts.holder[:], posts.present_days[:] = holder, day
        return (open_posts(posts, world.service.today, *given).lost > 0).tolist()

    found = [meets(holder, day) for holder in range(3) for day in range(20)]
    assert 0.4 < np.mean(found) < 0.6 and len(set(map(tuple, found))) == len(found)


def test_no_colleague_stands_in_at_high_risk_or_in_prison() -> None:
    """And of the others, for the share of the team and no more."""
    share = {f"contact.team_share.{name}": 0.5 for name in ("nps_e3", "sodexo")}
    model = Model(request(overrides=share, end=datetime.date(2017, 9, 30)))
    people, tell = model.service.people, model.service.tell
    seen: list[int] = []
    colleague: list[int] = []

    def listening(kind: str, rows: Any, *rest: Any) -> None:
        who = np.asarray(rows)
        if kind == "seen or called by a colleague":
            colleague.extend(who.tolist())
            assert (people.assessed_rosh[who] < Rosh.HIGH).all() and (people.location[who] == Location.COMMUNITY).all()
        elif kind in (*IN_PERSON, "called") and kind != "seen for the first time":
            seen.extend(who[people.assessed_rosh[who] < Rosh.HIGH].tolist())
        tell(kind, rows, *rest)

    model.service.tell = listening  # type: ignore[method-assign]
    model.run()
    assert 0.4 < len(colleague) / len(seen) < 0.5, "but where the colleague drawn is the officer"


def test_seen_within_a_week_of_release_are_those_seen_by_its_seventh_day() -> None:
    model = Model(request(areas=("gwent", "durham")))
    service, tell = model.service, model.service.tell
    released: dict[int, int] = {}
    waits: list[int] = []

    def listening(kind: str, rows: Any, *rest: Any) -> None:
        who = np.asarray(rows).tolist()
        if kind in ("released", "released on curfew"):
            released.update(dict.fromkeys(who, service.today))
        elif kind in IN_PERSON:
            met = [(row, released.pop(row)) for row in who if row in released]
            # Not those whose term ran out while a recall kept them in: they came out later.
            waits.extend(service.today - day for row, day in met if service.people.released_on[row] == day)
        tell(kind, rows, *rest)

    service.tell = listening  # type: ignore[method-assign]
    model.run()
    assert {0, 7, 8} < set(waits)
    assert total(model.output(), "released_seen_first_week") == sum(wait <= 7 for wait in waits)
