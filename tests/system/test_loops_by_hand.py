"""Compiled loops by hand, on a few people each: who is met, who writes, who has outgrown a cohort, whose risk grows."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from simulation.engine import NEVER
from simulation.engine.chance import logarithms, uniform_of
from simulation.system import Model
from simulation.system.codes import CRC, NPS, Grade, Kind, Location, Report
from simulation.system.cohort_officers import Columns, Rules, grown_outside, held_outside
from simulation.system.commissioning import meet_released
from simulation.system.contact_loops import leave_out, people_columns
from simulation.system.court_duty import write_in_turn
from simulation.system.hazards import Fading, step_reoffending
from tests.system.system_helpers import finished, request

ORDER = Kind.COMMUNITY_ORDER
MEETS = np.uint64(77)


# --- Commissioned mentors -----------------------------------------------------------------------------------------


KEYS = np.arange(11, 17, dtype=np.uint64)
#: The first five by their draw, lowest first.
BY_DRAW = sorted(range(5), key=lambda row: uniform_of(KEYS[row], MEETS, 1))


def meet(leaving: list[int], owed: list[int], **changes: list[int]) -> tuple[list[int], list[int]]:
    """Who of six people is met on day 100, and the places left; the last of them lives in another area."""
    columns = {
        "released_on": [100] * 6,
        "mentored_until": [NEVER] * 6,
        **changes,
    }
    released_on, mentored_until = (np.array(column, dtype=np.int32) for column in columns.values())
    places = np.array(owed, dtype=np.int64)
    met = meet_released(
        np.array(leaving, dtype=np.intp),
        100,
        MEETS,
        released_on,
        mentored_until,
        KEYS,
        np.ones(6, dtype=np.int8),
        np.array([0, 0, 0, 0, 0, 1], dtype=np.int8),
        np.array([250_000, 250_000], dtype=np.int64),
        np.array([10, 10], dtype=np.int64),
        np.array([98, 98], dtype=np.int32),
        places,
    )
    return met.tolist(), places.tolist()


def test_as_many_are_met_as_there_are_places_and_the_lowest_draws_first() -> None:
    # Two days at a quarter of a place make half a place more.
    met, left = meet([0, 1, 2, 3, 4, 5], [2_600_000, 400_000])
    assert met == sorted(BY_DRAW[:3])
    assert left == [100_000, 900_000]


def test_places_are_whole_and_each_areas_own() -> None:
    met, left = meet([0, 1, 2, 3, 4, 5], [400_000, 1_500_000])
    assert (met, left) == ([5], [900_000, 1_000_000])


def test_places_that_nobody_takes_are_kept_for_some_days_only() -> None:
    met, left = meet([0, 1, 2, 3, 4], [9_000_000, 9_000_000])
    # Ten days' places and one more: 3.5 of them.
    assert met == sorted(BY_DRAW[:3])
    assert left == [500_000, 3_500_000]


def test_nobody_is_met_who_is_held_on_or_was_met() -> None:
    held_on = meet([0, 1], [2_000_000, 0], released_on=[100, 90, 100, 100, 100, 100])
    assert held_on[0] == [0]
    mentored = meet([0, 1], [2_000_000, 0], mentored_until=[101, 100, *[NEVER] * 4])
    assert mentored[0] == [1]
    assert meet([0], [2_000_000, 0], released_on=[90] * 6) == ([], [2_000_000, 0])


# --- Court duty ---------------------------------------------------------------------------------------------------


def written(today: int, kinds: list[int], **changes: list[int]) -> tuple[list[int], list[int], int]:
    """Reports written by four officers of one area, and the seconds that each owes; the last is at work elsewhere."""
    posts = {
        "area": [0, 0, 0, 1],
        "employer": [NPS] * 4,
        "grade": [Grade.PSO, Grade.PO, Grade.PO, Grade.PO],
        "filled": [1] * 4,
        "covered": [0] * 4,
        "sick_until": [NEVER] * 4,
        "leave_until": [NEVER] * 4,
        **changes,
    }
    owed, points = np.zeros(4, dtype=np.int32), np.zeros(4, dtype=np.int32)
    on_duty, demanded = np.zeros(4, dtype=np.int64), np.zeros(4, dtype=np.int64)
    size = len(kinds)
    done, taken = write_in_turn(
        np.arange(size, dtype=np.intp),
        today,
        np.arange(size, dtype=np.intp),
        np.zeros(size, dtype=np.int8),
        np.array([2**number for number in range(size)], dtype=np.int32),
        np.array(kinds, dtype=np.int8),
        np.arange(10, 10 + len(Report), dtype=np.int64),
        *(np.array(column, dtype=np.int32) for column in posts.values()),
        owed,
        points,
        on_duty,
        demanded,
    )
    assert on_duty.tolist() == demanded.tolist() == [taken, 0, 0, 0]
    assert (points > 0).tolist() == (owed > 0).tolist()
    return done.tolist(), owed.tolist(), taken


def test_reports_go_round_from_another_officer_each_day() -> None:
    oral = [Report.ORAL] * 4
    assert written(0, oral) == ([0, 1, 2, 3], [1 + 8, 2, 4, 0], 15)
    assert written(1, oral) == ([0, 1, 2, 3], [4, 1 + 8, 2, 0], 15)
    assert written(5, oral) == ([0, 1, 2, 3], [2, 4, 1 + 8, 0], 15)


def test_standard_reports_come_first_and_go_round_probation_officers() -> None:
    assert written(1, [Report.ORAL, Report.STANDARD, Report.STANDARD]) == ([1, 2, 0], [0, 4 + 1, 2, 0], 7)


@pytest.mark.parametrize("away", [{"covered": [0, 1, 0, 0]}, {"sick_until": [NEVER, 6, NEVER, NEVER]}])
def test_whoever_is_away_writes_none(away: dict[str, list[int]]) -> None:
    assert written(5, [Report.ORAL] * 2, **away) == ([0, 1], [2, 0, 1, 0], 3)
    assert written(5, [Report.STANDARD] * 2, **away) == ([0, 1], [0, 0, 3, 0], 3)


def test_reports_wait_where_nobody_is_at_work() -> None:
    assert written(5, [Report.ORAL], employer=[CRC, CRC, CRC, NPS]) == ([], [0] * 4, 0)
    assert written(5, [Report.ORAL], leave_until=[6, 6, 6, NEVER]) == ([], [0] * 4, 0)


# --- Cohorts ------------------------------------------------------------------------------------------------------

# The youngest men turn 26 between the two days.
BEFORE, TODAY = 300, 400
YOUNG, WORKING = 1, 2
POST_GROUP = np.array([YOUNG, WORKING], dtype=np.int64)
COHORT_RULES = Rules(
    here=np.array([[False, True]]),
    unified=np.zeros(1, dtype=np.bool_),
    ages=np.array([26.0, 50.0]),
    group_of=np.array([[1, 2, 3, 4], [1, 2, 3, 4]], dtype=np.int64),
)


def grown_and_outside(begins: bool, **person: int) -> tuple[bool, bool]:
    """Whether somebody has grown out of the cohort of their officer since, and whether they are outside it."""
    of = {"area": 0, "office": 0, "side": CRC, "female": 0, "age": 25, "convicted": 0, "officer": 0, **person}
    *columns, officer = (np.array([7, value, 7], dtype=np.int32) for value in of.values())
    asked = 1, 2, TODAY, COHORT_RULES, Columns(*columns), officer, POST_GROUP
    beginning = np.array([[False, begins]])
    return bool(grown_outside(BEFORE, beginning, *asked).size), bool(held_outside(*asked)[1].size)


def test_who_has_grown_out_of_the_cohort_of_their_officer() -> None:
    assert grown_and_outside(False) == (True, True)
    assert grown_and_outside(False, officer=1) == (False, False)
    assert grown_and_outside(False, age=30) == (False, True)
    assert grown_and_outside(False, female=1) == (False, True)
    assert grown_and_outside(False, officer=-1) == (False, False)
    assert grown_and_outside(False, side=NPS) == (False, False)
    assert grown_and_outside(False, convicted=-200) == (False, True)
    # All cases of the provider are to move anyway.
    assert grown_and_outside(True) == (False, True)


# --- Reoffending --------------------------------------------------------------------------------------------------


def test_hazards_grow_by_each_persons_own_ratio() -> None:
    inside, outside, over = Location.SENTENCED, Location.COMMUNITY, Location.ENDED
    places = [over, outside, inside, over, outside, Location.COURT]
    size, today, days = len(places), 1000, 31
    # The first ended too long ago to be at risk, whatever the sentence says; the last is before a court again.
    last_seen = np.array([-3000, 999, 999, 900, 999, 990], dtype=np.int32)
    hazard, threshold = np.zeros(size), np.full(size, 5.0)
    threshold[4] = 0.0001
    rows, when = step_reoffending(
        size,
        np.uint64(5),
        np.full(98, 0.365_25),
        1.0,
        Fading(730.0, 0.5, 3650.0),
        today,
        days,
        logarithms(),
        np.arange(1, size + 1, dtype=np.uint64),
        np.array(places, dtype=np.int8),
        np.arange(size, dtype=np.int32),
        np.full(size, 40, dtype=np.int8),
        last_seen,
        np.full(size, NEVER, dtype=np.int32),
        np.zeros(size, dtype=np.int16),
        hazard,
        threshold,
        np.array([1.0, 2.0, 1.0, 1.0, 3.0, 1.0]),
        np.array([ORDER, ORDER, ORDER, Kind.DETERMINATE, ORDER, ORDER], dtype=np.int8),
        np.array([900, 900, 900, 0, 100, 900], dtype=np.int32),
        np.array([NEVER, NEVER, NEVER, 800, NEVER, NEVER], dtype=np.int32),
    )
    # 0.36525 a year is 0.001 a day; the fifth is past two years, where half is left.
    assert hazard == pytest.approx(np.array([0, 2, 0, 1, 1.5, 1]) * 0.031)
    assert rows.tolist() == [4] and when.tolist() == [today]


# --- Contacts left out --------------------------------------------------------------------------------------------


def test_only_people_outside_and_without_a_known_crisis_are_left_until_next_time() -> None:
    model = finished()
    service, people = model.service, model.service.people
    size = people.size
    full = np.flatnonzero(
        (people.side[:size] >= 0) & np.isin(people.location[:size], (Location.COMMUNITY, Location.SENTENCED))
    )
    assert full.size > 1000
    outside = people.location[full] == Location.COMMUNITY
    people.crisis_noticed[full[outside][::3]] = 1
    quiet = outside & (people.crisis_noticed[full] == 0)
    keys = people.key[full]
    shares = np.ones(service.cells)
    asked = service.chance.constant("left out"), people_columns(people), model.contact.rules, service.today
    found = leave_out(full, keys, shares, *asked, *service.calendar.next_working_days())
    assert (found.left == full[quiet]).all() and (found.left_keys == keys[quiet]).all()
    assert (found.rest == full[~quiet]).all() and (found.rest_keys == keys[~quiet]).all()
    assert (people.contact_due[found.left] == found.days).all() and (found.days > service.today).all()
    none = leave_out(full, keys, 0 * shares, *asked, *service.calendar.next_working_days())
    assert none.left.size == 0 and (none.rest == full).all()


# --- Runs ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("enabled", [True, False])
def test_garbage_is_looked_for_after_a_run_as_before_it(enabled: bool) -> None:
    was, during = gc.isenabled(), []
    try:
        (gc.enable if enabled else gc.disable)()
        model = Model(request())
        assert gc.isenabled() == enabled
        close = model.service.close_day

        def closed() -> None:
            during.append(gc.isenabled())
            close()

        model.service.close_day = closed  # type: ignore[method-assign]
        model.run(3)
        assert gc.isenabled() == enabled and during and not any(during)
    finally:
        (gc.enable if was else gc.disable)()
