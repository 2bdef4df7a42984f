"""Rules of resettlement and of life after release, each against the same rule done by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.engine import NEVER
from simulation.engine.chance import mix
from simulation.system.circumstances_loops import Ratios, odds_of_missing, rebook
from simulation.system.codes import Home, Location, Status, Tier
from simulation.system.following_loops import Effects, reoffending_ratios
from simulation.system.release_loops import COUNTED, HELP, PLAN, WORK, give_places, prepare

TODAY = 100
KEYS = np.array([11, 22, 33, 44, 55, 66, 77, 88], dtype=np.uint64)

work = st.lists(
    st.tuples(
        st.integers(0, 7),  # sentence, and whose it is
        st.integers(0, 1),  # team
        st.integers(1, 9000),  # seconds
        st.integers(95, 110),  # due
        st.sampled_from([PLAN, WORK, HELP]),
    ),
    max_size=20,
)


def mixed(key: int, due: int) -> int:
    return int(mix(np.array([key], dtype=np.uint64) + np.uint64(due))[0]) >> 32


@given(work, st.lists(st.integers(0, 20000), min_size=2, max_size=2), st.booleans(), st.sets(st.integers(0, 7)))
def test_a_team_works_as_by_hand(tasks: Any, minutes: list[int], plans_first: bool, gone: set[int]) -> None:
    table = np.array(tasks, dtype=np.int64).reshape(-1, 5)
    row, area, seconds, due, kind = table.T.copy()
    status = np.full(8, Status.CUSTODY, dtype=np.int8)
    status[list(gone)] = Status.LICENCE
    capacity, owed = np.array(minutes), np.array([0, 500])
    before = owed.copy()
    kept, done = prepare(
        row.astype(np.intp), area, seconds, due, kind, capacity, owed, TODAY, plans_first, KEYS,
        np.arange(8), status,
    )  # fmt: skip
    expected, spent = [], [0, 0]

    def place(at: int) -> tuple[Any, ...]:
        first = not (plans_first and kind[at] == PLAN)
        return area[at], first, due[at], mixed(int(KEYS[row[at]]), int(due[at])), at

    for at in sorted(range(len(tasks)), key=place):
        team = int(area[at])
        if int(row[at]) not in gone and spent[team] < minutes[team] - before[team]:
            spent[team] += int(seconds[at])
            expected.append(at)
    assert done.tolist() == expected
    waiting = [int(row[at]) not in gone and at not in expected for at in range(len(tasks))]
    assert kept.tolist() == waiting
    # Hours: there + owed to tomorrow = worked + unused + owed from yesterday.
    assert owed.tolist() == [max(0, spent[team] + int(before[team]) - minutes[team]) for team in (0, 1)]


@pytest.mark.parametrize("due", [95, 100, 107])
def test_of_those_with_one_date_luck_of_that_day_decides_who_is_first(due: int) -> None:
    rows, eights = np.arange(8, dtype=np.intp), np.full(8, due)
    some = np.full(8, 60), eights, np.full(8, WORK), np.array([480]), np.zeros(1, dtype=np.int64)
    inside = np.full(8, Status.CUSTODY, dtype=np.int8)
    _, done = prepare(rows, np.zeros(8, dtype=np.int64), *some, TODAY, False, KEYS, np.arange(8), inside)
    assert done.tolist() == sorted(range(8), key=lambda at: mixed(int(KEYS[at]), due))


@given(
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 1), st.integers(98, 106)), unique_by=lambda one: one[0]),
    st.lists(st.integers(0, 4), min_size=2, max_size=2),
)
def test_places_go_to_the_nearest_release(seekers: list[tuple[int, ...]], places: list[int]) -> None:
    table = np.array(seekers, dtype=np.int64).reshape(-1, 3)
    row, area, due = table.T.copy()
    free, taken = np.array(places), np.zeros(2, dtype=np.int64)
    status, home_found = np.full(8, Status.CUSTODY, dtype=np.int8), np.zeros(8, dtype=np.int8)
    # Sentence and person are the reverse of each other; everybody is counted on their own.
    person, keys, cell = np.arange(8)[::-1].copy(), KEYS[::-1].copy(), np.arange(8)
    numbers, flows = np.arange(len(COUNTED)), np.zeros((len(COUNTED), 8), dtype=np.int64)
    kept, housed = give_places(
        row.astype(np.intp), area, due, TODAY, free, taken, numbers, flows, cell, keys, person, status, home_found
    )
    expected = []
    for where in (0, 1):
        waiting = [one for one in seekers if one[1] == where and one[2] > TODAY]
        waiting.sort(key=lambda one: (one[2], mixed(int(KEYS[one[0]]), one[2])))
        expected += [one[0] for one in waiting[: places[where]]]
    assert housed.tolist() == person[expected].tolist()
    assert np.flatnonzero(home_found).tolist() == sorted(expected)
    assert np.flatnonzero(flows[COUNTED.index("homes_taken")]).tolist() == sorted(housed.tolist())
    assert flows.sum() == housed.size, "nothing else is counted"
    assert (free + taken).tolist() == places, "no place is made or lost"
    still = [one[0] for one in seekers if one[2] > TODAY and one[0] not in expected]
    assert row[kept].tolist() == still
    # The order in which they came doesn't matter.
    turned = table[::-1]
    again = give_places(
        turned[:, 0].astype(np.intp), turned[:, 1].copy(), turned[:, 2].copy(), TODAY, np.array(places),
        np.zeros(2, dtype=np.int64), numbers, flows, cell, keys, person, status, home_found,
    )  # fmt: skip
    assert again[1].tolist() == housed.tolist()


RATIOS = Ratios(no_home=2.0, temporary=1.5, no_income=1.25, mentor=0.8, slope=0.001, start=500)


@pytest.mark.parametrize(
    ("home", "income_from", "mentored_until", "engagement", "expected"),
    [
        (Home.SETTLED, NEVER, NEVER, 500, 1.0),
        (Home.NOT_KNOWN, TODAY, TODAY, 500, 1.0),
        (Home.NONE, TODAY + 1, NEVER, 500, 2.5),
        (Home.TEMPORARY, NEVER, TODAY + 1, 500, 1.2),
        (Home.SETTLED, NEVER, NEVER, 300, 1.2),
        (Home.SETTLED, NEVER, NEVER, 900, 0.6),
    ],
)
def test_circumstances_multiply_the_odds(
    home: int, income_from: int, mentored_until: int, engagement: int, expected: float
) -> None:
    one = (np.array([value]) for value in (home, income_from, mentored_until, engagement))
    assert odds_of_missing(np.array([0]), TODAY, RATIOS, *one)[0] == pytest.approx(expected)


def test_a_change_in_need_comes_nearer_when_the_home_is_lost_and_goes_back_when_one_is_found() -> None:
    """A hundred days at the usual rate are fifty at twice the rate; ten of those lived, forty are eighty again."""
    home, ratio = np.array([Home.NONE]), np.ones(1, dtype=np.float32)
    others = (np.array([NEVER]), np.array([NEVER]), np.array([500]), np.array([NEVER]))
    row, booked = np.array([0]), np.array([TODAY + 100], dtype=np.int32)
    rates = RATIOS._replace(slope=0.0)
    moved, days = rebook(row, booked, TODAY, rates, home, *others, ratio)
    assert moved.tolist() == [0] and days.tolist() == [TODAY + 50]
    assert rebook(row, days, TODAY, rates, home, *others, ratio)[0].size == 0, "nothing changed"
    home[0] = Home.SETTLED
    moved, days = rebook(row, days, TODAY + 10, rates, home, *others, ratio)
    assert days.tolist() == [TODAY + 10 + 80]
    # The end of a change stays where it is.
    home[0] = Home.NONE
    in_it = (*others[:3], np.array([TODAY]))
    assert rebook(row, days, TODAY, rates, home, *in_it, ratio)[0].size == 0


def test_effects_on_reoffending_by_hand() -> None:
    """At a predicted half, an odds ratio of 1.5 is a chance of 0.6: a hazard of ln 2.5 and not ln 2."""
    unsettled = np.full(98, math.log(2.5) / math.log(2))
    effects = Effects(60, 1.075, 1.0, 56.0, 1.05, unsettled, 1.1)
    people = {
        "location": [Location.COMMUNITY] * 7 + [Location.SENTENCED],
        "tier": [Tier.C2, Tier.D1, Tier.C2, Tier.C2, Tier.B1, Tier.D2, Tier.C2, Tier.B1],
        "ogrs": [50] * 8,
        "work_only": [0, 0, 1, 0, 0, 0, 0, 0],
        "last_seen": [TODAY - 61, TODAY - 61, TODAY - 61, TODAY - 60, TODAY, TODAY, TODAY, TODAY - 90],
        "officer": [-1, -1, -1, -1, 0, 0, 1, 0],
        "officer_changed_on": [NEVER, NEVER, NEVER, TODAY - 10, TODAY - 56, NEVER, NEVER, NEVER],
        "home": [0, 0, 0, 0, Home.SETTLED, Home.NONE, 0, Home.NONE],
    }
    found = reoffending_ratios(
        8, TODAY, effects, *(np.array(column) for column in people.values()), np.array([1.15, 0.9])
    )
    expected = [1.075, 1.0, 1.0, 1.05, 1.05, math.log(2.5) / math.log(2), 1.0, 1.0]
    assert found.tolist() == pytest.approx(expected)
