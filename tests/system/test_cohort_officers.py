"""Officers by cohort: how an office is shared among cohorts, who gets a case, who moves, and what it does to loads."""

from __future__ import annotations

import datetime

import numpy as np
import pytest

from simulation.system import Model, RunOutput
from simulation.system.choosing import NO_ROOM, RULES, Rules, give_cases
from simulation.system.codes import CRC, Grade
from simulation.system.cohort_officers import COHORTS, TURNS_A_TEAM, cohort_of, groups_of_officers
from tests.system.system_helpers import UNLIMITED, change, finished, run, total

AREA = ("thames_valley",)
SWITCH = "allocation.cohorts.mtcnovo"
YOUNG, WORKING, OLDER, WOMEN = range(len(COHORTS))
ENDS = np.array([0.23, 0.70, 0.87, 1.0])
AGES = np.array([26.0, 50.0])
FEWEST_CASES = Rules(
    rule=np.zeros((1, 2), dtype=np.int64),
    by_points=np.zeros((1, 2), dtype=np.bool_),
    cap=np.zeros((1, 2)),
    cap_by_points=np.zeros((1, 2), dtype=np.bool_),
    services_full=100.0,
    points_per_month=1000,
    full_time=3700,
    last=np.full(2 * TURNS_A_TEAM, -1, dtype=np.int32),
    turns_a_team=TURNS_A_TEAM,
    plain=True,
)
SHORT = {"areas": AREA, "end": datetime.date(2018, 3, 31)}


@pytest.fixture(scope="module")
def parted() -> Model:
    return finished(**SHORT)


@pytest.fixture(scope="module")
def unparted() -> Model:
    return finished(overrides={SWITCH: 0}, **SHORT)


def shared(posts: int, **changes: np.ndarray) -> tuple[list[int], list[int]]:
    """The groups of the officers of one office, and the group that holds each cohort."""
    columns = {
        "post_area": np.zeros(posts, dtype=np.int8),
        "post_office": np.zeros(posts, dtype=np.int64),
        "employer": np.full(posts, CRC, dtype=np.int8),
        "filled": np.ones(posts, dtype=np.int8),
        "closed": np.zeros(posts, dtype=np.int8),
        **changes,
    }
    group, of = groups_of_officers(np.array([[False, True]]), np.zeros(1, dtype=np.bool_), ENDS, *columns.values())
    return (group - 1).tolist(), (of[CRC] - 1).tolist()


def unevenness(model: Model) -> float:
    """Standard deviation of the company's officers' cases over their mean."""
    posts, size = model.service.posts, model.service.posts.size
    able = (posts.filled[:size] == 1) & (posts.employer[:size] == CRC) & (posts.hours_left[:size] > 0)
    cases = posts.cases[:size][able]
    return float(cases.std() / cases.mean())


# --- Rules, by hand ---------------------------------------------------------------------------------------------


def test_officers_are_shared_in_the_order_of_their_posts() -> None:
    assert shared(10) == ([YOUNG] * 2 + [WORKING] * 5 + [OLDER] * 2 + [WOMEN], [YOUNG, WORKING, OLDER, WOMEN])


def test_the_two_officers_of_a_small_office_hold_two_cohorts_each() -> None:
    assert shared(2) == ([WORKING, OLDER], [WORKING, WORKING, OLDER, OLDER])
    assert shared(1) == ([WORKING], [WORKING] * 4)


def test_a_vacant_post_keeps_its_cohort_and_a_closed_one_has_none() -> None:
    filled, closed = np.ones(10, dtype=np.int8), np.zeros(10, dtype=np.int8)
    filled[9] = 0
    assert shared(10, filled=filled)[0][9] == WOMEN
    closed[9] = 1
    groups, of = shared(10, filled=filled, closed=closed)
    assert groups[9] == -1
    assert groups[8] == WOMEN
    assert of == [YOUNG, WORKING, OLDER, WOMEN]


def test_the_cohort_is_that_of_the_day() -> None:
    """Somebody of 25 on the day of the first conviction is 26 a year later; a woman of any age is one."""
    female = np.array([0, 0, 1], dtype=np.int8)
    age, convicted = np.array([25, 49, 25], dtype=np.int8), np.zeros(3, dtype=np.int32)
    for day, cohorts in ((0, [YOUNG, WORKING, WOMEN]), (366, [WORKING, OLDER, WOMEN])):
        assert [cohort_of(*each, day, AGES) for each in zip(female, age, convicted, strict=True)] == cohorts


@pytest.mark.parametrize(
    ("filled", "others_too", "expected"),
    [((1, 1), True, [0, 0, 0]), ((0, 1), True, [1, 1, 1]), ((0, 1), False, [-1, -1, -1])],
)
def test_the_cohorts_own_officers_come_first(filled: tuple[int, int], others_too: bool, expected: list[int]) -> None:
    """Three cases of the first officer's group, who holds more than the other from the beginning."""
    rows, posts = np.arange(3), 2
    chosen = np.empty(3, dtype=np.int32)
    zeros = np.zeros(3, dtype=np.int8)
    held = np.array([50, 1], dtype=np.int32)
    given = give_cases(
        rows,
        chosen,
        np.zeros(1, dtype=np.bool_),
        np.ones((4, 7), dtype=np.int64),
        zeros,
        np.zeros(3, dtype=np.int16),
        np.ones(3, dtype=np.int8),
        zeros,
        zeros,
        zeros,
        np.full(3, -1, dtype=np.int32),
        posts,
        np.zeros(posts, dtype=np.int8),
        np.zeros(posts, dtype=np.int64),
        np.full(posts, CRC, dtype=np.int8),
        np.full(posts, Grade.PO, dtype=np.int8),
        np.array(filled, dtype=np.int8),
        np.full(posts, 3700, dtype=np.int64),
        held,
        np.zeros(posts, dtype=np.int64),
        FEWEST_CASES,
        np.ones(3, dtype=np.int64),
        np.array([1, 2], dtype=np.int64),
        others_too,
    )
    assert chosen.tolist() == expected
    assert given == 3 * (expected[0] >= 0)


TURNS = {"rule": np.full((1, 2), RULES.index("round_robin")), "plain": False}


def given_out(
    groups: list[int], hold: list[int], rules: Rules, others_too: bool = True
) -> tuple[list[int], list[int]]:
    """Who gets each case of some groups, in a team of two officers for each of two groups; and what all then hold."""
    posts, zeros = len(hold), np.zeros(len(groups), dtype=np.int8)
    held, chosen = np.array(hold, dtype=np.int32), np.empty(len(groups), dtype=np.int32)
    give_cases(
        np.arange(len(groups)),
        chosen,
        np.zeros(1, dtype=np.bool_),
        np.ones((4, 7), dtype=np.int64),
        zeros,
        np.zeros(len(groups), dtype=np.int16),
        np.ones(len(groups), dtype=np.int8),
        zeros,
        zeros,
        zeros,
        np.full(len(groups), -1, dtype=np.int32),
        posts,
        np.zeros(posts, dtype=np.int8),
        np.zeros(posts, dtype=np.int64),
        np.full(posts, CRC, dtype=np.int8),
        np.full(posts, Grade.PO, dtype=np.int8),
        np.ones(posts, dtype=np.int8),
        np.full(posts, 3700, dtype=np.int64),
        held,
        np.zeros(posts, dtype=np.int64),
        rules,
        np.array(groups, dtype=np.int64),
        np.array([1, 1, 2, 2], dtype=np.int64),
        others_too,
    )
    return chosen.tolist(), held.tolist()


def test_each_group_takes_turns_of_its_own() -> None:
    """Cases of two groups come by turns: in neither does the first officer get them all. Tomorrow goes on."""
    rules = FEWEST_CASES._replace(**TURNS, last=FEWEST_CASES.last.copy())
    assert given_out([1, 2, 1, 2, 1, 2], [0] * 4, rules)[0] == [0, 2, 1, 3, 0, 2]
    assert given_out([1, 2], [0] * 4, rules)[0] == [1, 3]


@pytest.mark.parametrize(
    ("others_too", "expected"), [(True, [0, 1, 2, 2, NO_ROOM]), (False, [0, 1, NO_ROOM, NO_ROOM, NO_ROOM])]
)
def test_whom_the_group_has_no_room_for_goes_to_others_with_room(others_too: bool, expected: list[int]) -> None:
    """Five cases of the first group, whose two officers have room for one each; of the others one has room for two."""
    capped = FEWEST_CASES._replace(cap=np.full((1, 2), 40.0), plain=False)
    chosen, held = given_out([1] * 5, [39, 39, 38, 40], capped, others_too)
    assert chosen == expected
    assert max(held) <= 40


# --- Levers, in a run -------------------------------------------------------------------------------------------


def outside(output: RunOutput) -> float:
    return total(output, "cases_outside_cohort") / total(output, "cases_by_cohort")


def test_few_are_with_an_officer_of_another_cohort() -> None:
    output = run(**SHORT)
    assert 0 < outside(output) < 0.1
    assert total(run(overrides={SWITCH: 0}, **SHORT), "cases_by_cohort") == 0


def test_loads_are_less_even(parted: Model, unparted: Model) -> None:
    assert unevenness(parted) > 1.3 * unevenness(unparted)


def test_more_so_where_the_officers_of_a_cohort_are_too_few(parted: Model) -> None:
    shares = "allocation.cohort_officers."
    few = finished(overrides={shares + "young_men": 0.1, shares + "working_age_men": 0.6}, **SHORT)
    assert unevenness(few) > 1.1 * unevenness(parted)


def test_turns_are_as_even_within_cohorts_as_within_teams(unparted: Model) -> None:
    """A rota of the whole team would leave the first officer of a cohort with nearly all its cases."""
    by_turns = {"allocation.rule.crc": "round_robin"}
    turns = finished(overrides=by_turns, **SHORT)
    assert unevenness(turns) < 2 * unevenness(finished(overrides={**by_turns, SWITCH: 0}, **SHORT))


def test_nobody_else_takes_a_case_where_others_may_not() -> None:
    waiting = run(overrides={"allocation.cohort_others": 0}, **SHORT)
    assert outside(waiting) < outside(run(**SHORT))
    assert total(waiting, "unallocated") > total(run(**SHORT), "unallocated")


def test_cases_move_when_a_provider_begins_to_part_them() -> None:
    """Before, an officer holds cases of every cohort: most are outside theirs on the first day."""
    begin = change(datetime.date(2017, 9, 1), "set", SWITCH, 1)
    days = {"allocation.cohort_transition_days": 60, SWITCH: 0, "allocation.transfers_per_year.mtcnovo": 0}
    output = run(begin, overrides=days, **SHORT)
    rows = output.rows
    by_month: dict[str, int] = {}
    for name, month, group, value in zip(
        rows["measure"], rows["month"], rows["group"], rows["value"].tolist(), strict=True
    ):
        if name == "cases_outside_cohort" and group == "all":
            by_month[str(month)] = by_month.get(str(month), 0) + value
    counts = [by_month[month] for month in sorted(by_month) if by_month[month]]
    assert counts[0] > 2 * counts[1] > 2 * counts[-1]


def test_men_who_grow_out_of_a_cohort_move() -> None:
    """With no other moves, and officers who stay, there are hardly any other changes of officer."""
    still = {**UNLIMITED, "allocation.transfers_per_year.mtcnovo": 0, "allocation.transfers_per_year.nps_e3": 0}
    grown = total(run(overrides=still, **SHORT), "officer_changes")
    assert grown > 1.2 * total(run(overrides={**still, SWITCH: 0}, **SHORT), "officer_changes")
