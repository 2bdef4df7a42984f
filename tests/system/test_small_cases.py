"""Exact small cases, against the same rule done one by one."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.engine.chance import logarithms, minus_log, minus_log_of
from simulation.system.allocation_loops import raise_risk, tier_of
from simulation.system.caseload import serve
from simulation.system.choosing import NO_ROOM, NOBODY, RULES, choose_by_rule, choose_officers
from simulation.system.codes import CRC, NPS, Rosh, Tier
from simulation.system.quantiles import choose, draw, mean_of_whole, quantile_table
from simulation.system.waits import value_at

# --- Who gets the case ---------------------------------------------------------------------------------


@st.composite
def offices(draw_: Any) -> tuple[int, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Teams, officers in them with what they hold, and cases to give out with their points."""
    teams = draw_(st.integers(1, 4))
    officers = draw_(st.lists(st.tuples(st.integers(0, teams - 1), st.integers(0, 12)), max_size=9))
    cases = draw_(st.lists(st.tuples(st.integers(0, teams - 1), st.integers(1, 5)), min_size=1, max_size=25))
    rows = sorted(draw_(st.sets(st.integers(0, 40), min_size=len(officers), max_size=len(officers))))
    return (
        teams,
        np.array([case[0] for case in cases], dtype=np.int64),
        np.array([case[1] for case in cases], dtype=np.int64),
        np.array(rows, dtype=np.intp),
        np.array(officers, dtype=np.int64).reshape(-1, 2),
    )


def one_by_one(
    team: np.ndarray, cost: np.ndarray, posts: np.ndarray, officers: np.ndarray, hours: np.ndarray
) -> list[tuple[int, int]]:
    """Give out cases in order, each to the officer of its team who holds least for their hours, lowest row first."""
    load = {int(post): int(held) for post, (_, held) in zip(posts, officers, strict=True)}
    hours_of = {int(post): int(each) for post, each in zip(posts, hours, strict=True)}
    given_out = []
    for case, (its_team, its_cost) in enumerate(zip(team.tolist(), cost.tolist(), strict=True)):
        mine = [int(post) for post, (where, _) in zip(posts, officers, strict=True) if where == its_team]
        if mine:
            best = min(mine, key=lambda post: (load[post] * 1_000_000 // hours_of[post], post))
            load[best] += its_cost
            given_out.append((case, best))
    return sorted(given_out)


def pairs(chosen: np.ndarray) -> list[tuple[int, int]]:
    return [(case, post) for case, post in enumerate(chosen.tolist()) if post >= 0]


@given(offices())
def test_fewest_cases_is_one_by_one(office: Any) -> None:
    teams, team, _, posts, officers = office
    one_each, hours = np.ones_like(team), np.full(posts.size, 3700)
    chosen = choose_officers(team, one_each, posts, officers[:, 0], officers[:, 1], hours, teams)
    assert pairs(chosen) == one_by_one(team, one_each, posts, officers, hours)


@given(offices(), st.booleans())
def test_lowest_points_is_one_by_one(office: Any, somebody_new: bool) -> None:
    teams, team, points, posts, officers = office
    hours = np.full(posts.size, 3700)
    if somebody_new:
        # Somebody with four fifths of the hours looks a quarter fuller.
        hours[::2] = 2960
    chosen = choose_officers(team, points, posts, officers[:, 0], officers[:, 1], hours, teams)
    assert pairs(chosen) == one_by_one(team, points, posts, officers, hours)


def test_cases_nobody_can_take_are_left() -> None:
    nobody = np.zeros(0, dtype=np.int64)
    chosen = choose_officers(np.array([0, 1]), np.array([1, 1]), nobody, nobody, nobody, nobody, 2)
    assert chosen.tolist() == [-1, -1]


NO_LIMIT = 10**9


def by_rule(
    rule: str,
    team: list[int],
    officers: list[dict[str, int]],
    points: list[int] | None = None,
    leaves: list[int] | None = None,
    lower_risk: bool = True,
    last: list[int] | None = None,
) -> tuple[list[int], list[int]]:
    """Give out cases by a rule; an officer is post, team, held, hours, po, room (cases), room_points, full."""
    cases, most_posts = len(team), 1 + max((officer["post"] for officer in officers), default=0)

    def of(name: str, otherwise: int) -> np.ndarray:
        return np.array([officer.get(name, otherwise) for officer in officers], dtype=np.int64)

    needed = np.ones((cases, 2), dtype=np.int64)
    needed[:, 1] = points or 1
    booked, most = np.zeros((most_posts, 2), dtype=np.int64), np.full((most_posts, 2), NO_LIMIT)
    booked[of("post", 0)] = of("held", 0)[:, None]
    most[of("post", 0)] = np.column_stack([of("room", NO_LIMIT), of("room_points", NO_LIMIT)])
    turns = np.array(last if last is not None else [-1] * (1 + max(team)), dtype=np.int32)
    chosen = choose_by_rule(
        np.array(team),
        np.ones(cases, dtype=np.int64) if rule == "fewest_cases" else needed[:, 1].copy(),
        needed,
        np.array(leaves or [-1] * cases, dtype=np.intp),
        lower_risk,
        of("post", 0).astype(np.intp),
        of("team", 0),
        np.full(len(officers), RULES.index(rule)),
        of("po", 0) == 1,
        of("held", 0),
        of("hours", 3700),
        of("full", NO_LIMIT),
        booked,
        most,
        np.array(team),
        turns,
        int(1 + max([*team, *of("team", 0)])),
    )
    return chosen.tolist(), turns.tolist()


@given(offices(), st.lists(st.tuples(st.integers(0, 15), st.integers(0, 30)), min_size=9, max_size=9))
def test_caps_bind_one_by_one(office: Any, caps: list[tuple[int, int]]) -> None:
    """Each case goes to the officer with the smallest load who has room for it at that moment, or to nobody."""
    teams, team, points, posts, officers = office
    able = [
        {"post": int(post), "team": int(where), "held": int(held), "room": caps[at][0], "room_points": caps[at][1]}
        for at, (post, (where, held)) in enumerate(zip(posts, officers, strict=True))
    ]
    chosen, _ = by_rule("lowest_points", team.tolist(), able, points.tolist(), last=[-1] * teams)
    cases, load = {each["post"]: each["held"] for each in able}, {each["post"]: each["held"] for each in able}
    for at, (its_team, its_points) in enumerate(zip(team.tolist(), points.tolist(), strict=True)):
        mine = [each for each in able if each["team"] == its_team]
        roomy = [
            each
            for each in mine
            if cases[each["post"]] + 1 <= each["room"] and load[each["post"]] + its_points <= each["room_points"]
        ]
        if not roomy:
            assert chosen[at] == (NO_ROOM if mine else NOBODY)
            continue
        best = min(roomy, key=lambda each: (load[each["post"]], each["post"]))["post"]
        assert chosen[at] == best
        cases[best] += 1
        load[best] += its_points


def test_a_case_keeps_its_place_with_its_officer_until_another_takes_it() -> None:
    full = [{"post": 0, "held": 2, "room": 2}, {"post": 1, "held": 2, "room": 2}]
    # The first case has nobody; the second leaves post 0, whose place it keeps: it can always stay.
    assert by_rule("fewest_cases", [0, 0], full, leaves=[-1, 0])[0] == [NO_ROOM, 0]
    # Post 1 has room for one: who comes from post 0 makes room there for the next.
    full[1]["room"] = 3
    full[0]["held"], full[1]["held"] = 2, 1
    full[0]["room"], full[1]["room"] = 2, 2
    assert by_rule("fewest_cases", [0, 0, 0], full, leaves=[0, -1, -1])[0] == [1, 0, NO_ROOM]
    # Above the cap: it stays, and nobody new comes.
    assert by_rule("fewest_cases", [0, 0], [{"post": 0, "held": 9, "room": 5}], leaves=[0, -1])[0] == [0, NO_ROOM]


def test_turns_by_hand() -> None:
    three = [{"post": 2}, {"post": 5}, {"post": 7, "hours": 100, "held": 90}]
    assert by_rule("round_robin", [0] * 5, three) == ([2, 5, 7, 2, 5], [5])
    assert by_rule("round_robin", [0, 0], three, last=[5]) == ([7, 2], [2])
    # Who isn't there any more, or has no room, is passed over; teams take their own turns.
    assert by_rule("round_robin", [0, 0], [{"post": 2}, {"post": 7}], last=[5]) == ([7, 2], [2])
    three[1]["room"] = 0
    assert by_rule("round_robin", [0] * 3, three) == ([2, 7, 2], [2])
    two_teams = [{"post": 0}, {"post": 1, "team": 1}, {"post": 2}, {"post": 3, "team": 1}]
    assert by_rule("round_robin", [0, 1, 1, 0, 0], two_teams) == ([0, 1, 3, 2, 0], [0, 3])


def test_grades_by_hand() -> None:
    team = [{"post": 0, "po": 1}, {"post": 1, "held": 6, "full": 8}, {"post": 2, "held": 7, "full": 8}]
    # Services officers first until they are full, the least loaded of them first; then whoever holds least.
    assert by_rule("grade_eligible", [0] * 5, team)[0] == [1, 1, 2, 0, 0]
    assert by_rule("grade_eligible", [0] * 5, team, [3, 2, 1, 1, 1])[0] == [0, 1, 2, 0, 0]
    # For cases of high risk grades have been seen to already; what is left is the load.
    assert by_rule("grade_eligible", [0] * 2, team[:1], lower_risk=False)[0] == [0, 0]


# --- What gets done today ------------------------------------------------------------------------------


tasks = st.lists(
    st.tuples(
        st.integers(0, 3),  # officer
        st.integers(0, 7),  # priority
        st.integers(-30, 30),  # due
        st.integers(0, 2**64 - 1),  # mixed number
        st.integers(1, 9000),  # seconds
    ),
    max_size=40,
)


@given(tasks, st.lists(st.integers(-5000, 20000), min_size=4, max_size=4))
def test_a_day_is_worked_as_by_hand(work: list[tuple[int, ...]], minutes: list[int]) -> None:
    table = np.array(work, dtype=object).reshape(-1, 5)
    server, priority, due, seconds = (table[:, at].astype(np.int64) for at in (0, 1, 2, 4))
    mixed = table[:, 3].astype(np.uint64)
    available = np.array(minutes, dtype=np.int64)
    served, used = serve(server, priority, due, mixed, seconds, available, today=0)
    # By hand: each officer takes tasks in order and starts one as long as any time is left.
    expected = set()
    spent = [0, 0, 0, 0]
    for task in sorted(range(len(work)), key=lambda at: (work[at][0], work[at][1], work[at][2], work[at][3] >> 32, at)):
        officer, seconds_ = work[task][0], work[task][4]
        if spent[officer] < minutes[officer]:
            expected.add(task)
            spent[officer] += seconds_
    assert set(np.flatnonzero(served).tolist()) == expected
    assert used.tolist() == spent
    # The time of those present balances: worked + unused = there + what is owed to tomorrow.
    unused, owed = np.maximum(0, available - used), np.maximum(0, used - available)
    assert (used + unused == available + owed).all()
    assert all(owed[officer] == 0 or spent[officer] > 0 or minutes[officer] < 0 for officer in range(4))


def test_a_long_report_is_written_although_no_day_holds_it() -> None:
    """Twelve hours of work, seven hours a day: started today, and tomorrow begins in debt."""
    one = np.zeros(1, dtype=np.int64)
    served, used = serve(one, one, one, one.astype(np.uint64), np.array([12 * 3600]), np.array([7 * 3600]), 0)
    assert served.tolist() == [True] and used.tolist() == [12 * 3600]


def test_nothing_overtakes() -> None:
    """A short task never slips in front of a long one that comes first."""
    server, priority = np.zeros(2, dtype=np.int64), np.array([0, 1])
    served, _ = serve(
        server,
        priority,
        np.zeros(2, dtype=np.int64),
        np.zeros(2, dtype=np.uint64),
        np.array([5000, 10]),
        np.array([4000]),
        0,
    )
    assert served.tolist() == [True, False]


def test_nobody_starts_anything_without_time() -> None:
    served, used = serve(
        np.zeros(1, dtype=np.int64),
        np.zeros(1, dtype=np.int64),
        np.zeros(1, dtype=np.int64),
        np.zeros(1, dtype=np.uint64),
        np.array([10]),
        np.array([0]),
        0,
    )
    assert not served.any() and used.tolist() == [0]


# --- Tiers ---------------------------------------------------------------------------------------------

LIMITS = 6.9, 3.0, 90.0, 75.0


def tier_by_hand(rosh: int, rsr: float, ogrs: int, mappa: int, safeguarding: int) -> str:
    if rosh == Rosh.VERY_HIGH or mappa == 3:
        return "A"
    needier = "1" if safeguarding or mappa == 2 else "2"
    if rsr >= 6.9 or ogrs >= 90 or rosh == Rosh.HIGH:
        return "B" + needier
    if rsr >= 3.0 or ogrs >= 75 or rosh == Rosh.MEDIUM:
        return "C" + needier
    return "D" + needier


def test_every_tier() -> None:
    cases = list(itertools.product(range(4), (0.5, 2.99, 3.0, 6.89, 6.9, 12.0), (10, 74, 75, 89, 90), range(4), (0, 1)))
    tiers = [tier_of(*case, LIMITS) for case in cases]
    assert [Tier.names[tier] for tier in tiers] == [tier_by_hand(*case) for case in cases]
    assert set(tiers) == set(range(len(Tier.names)))


# --- Distributions from a few quantiles ----------------------------------------------------------------


def test_quantiles_are_joined_by_straight_lines() -> None:
    table = {"p0": 0.0, "p50": 10.0, "p100": 50.0}
    assert draw(table, np.array([0.0, 0.25, 0.5, 0.75])).tolist() == [0, 5, 10, 30]
    # 0 to 9 in the first half, where 0 counts as 1; 10 to 49 in the second.
    assert mean_of_whole(table) == pytest.approx(0.5 * 4.6 + 0.5 * 29.5)


@given(
    st.dictionaries(st.integers(0, 100), st.floats(0, 1e4), min_size=1, max_size=9),
    st.floats(0, 1, exclude_max=True),
)
def test_one_draw_is_the_same_as_many(quantiles: dict[int, float], uniform: float) -> None:
    table = {f"p{percent}": value for percent, value in quantiles.items()}
    one = value_at(uniform, *quantile_table(table))
    assert one == draw(table, np.array([uniform]))[0]


@given(st.floats(0, 1, exclude_min=True))
def test_one_logarithm_is_the_same_as_many(value: float) -> None:
    assert minus_log_of(value, logarithms()) == minus_log(np.array([value]))[0]


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=6), st.floats(0, 1, exclude_max=True))
def test_a_choice_falls_where_its_share_lies(shares: list[float], uniform: float) -> None:
    chosen = int(choose({str(number): share for number, share in enumerate(shares)}, np.array([uniform]))[0])
    edges = np.cumsum(shares) / sum(shares)
    assert uniform <= edges[chosen] + 1e-12
    assert chosen == 0 or uniform >= edges[chosen - 1] - 1e-12


def test_risk_is_raised_once_and_a_company_hands_over() -> None:
    """Nobody's case (-1), a company's and an NPS case of medium risk, and a company's at high and at very high risk."""
    side = np.array([-1, CRC, NPS, CRC, CRC], dtype=np.int8)
    assessed = np.array([Rosh.MEDIUM, Rosh.MEDIUM, Rosh.MEDIUM, Rosh.HIGH, Rosh.VERY_HIGH], dtype=np.int8)
    none, nothing = np.zeros(5, dtype=np.int16), np.zeros(5, dtype=np.int8)
    keys = np.arange(1, 6, dtype=np.uint64)
    escalated = np.zeros(5, dtype=np.int8)
    raised, moving, refused = raise_risk(
        np.arange(5), np.uint64(1), np.zeros(2), keys, none, nothing, none, side, assessed, escalated, nothing.copy()
    )
    assert raised.tolist() == [1, 2] and moving.tolist() == [True, False] and refused.size == 0
    assert assessed.tolist() == [Rosh.MEDIUM, Rosh.HIGH, Rosh.HIGH, Rosh.HIGH, Rosh.VERY_HIGH]
    assert escalated.tolist() == [0, 1, 0, 0, 0]
