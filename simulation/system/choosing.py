"""Choosing officers: one case after another, each to the officer of its team who holds least."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulation.engine.compiled import AHEAD, compiled, compiled_inside, fetch_soon
from simulation.system.codes import Grade, Rosh

Array = NDArray[Any]
Rows = NDArray[np.intp]

# Compiled code knows plain numbers only.
_HIGH, _PO = Rosh.HIGH, Grade.PO

_GATHERED = 1024


@compiled_inside
def load_of(held: int, hours_left: int) -> int:
    """Return what an officer holds for each hour that they have, in whole millionths.

    Numbers this small are divided as exactly in floating point, and several times as fast.
    """
    return int(np.floor(held * 1e6 / hours_left))


@compiled
def choose_officers(
    team: Array, cost: Array, posts: Array, post_team: Array, held: Array, hours_left: Array, number_of_teams: int
) -> NDArray[np.intp]:
    """Give out cases one by one to the officer with the smallest load for their hours, lowest row first among equals.

    Parameters
    ----------
    team, cost : int arrays (cases,)
        Team of each case in the order in which cases are given out, and what it adds to its officer's load.
    posts, post_team, held, hours_left : int arrays (posts,)
        Rows of eligible officers in row order, their teams, what each holds now, and the hours (in any unit, the same
        for all, above 0) that each has for cases.
    number_of_teams : int
        Teams in all.

    Returns
    -------
    chosen : int array (cases,)
        Row of the officer of each case; -1 where the team has nobody.
    """
    # Officers in the order of their teams: those of team t are members[starts[t]:starts[t + 1]].
    starts = np.zeros(number_of_teams + 1, dtype=np.intp)
    for its_team in post_team:
        starts[its_team + 1] += 1
    for number in range(number_of_teams):
        starts[number + 1] += starts[number]
    members, filled = np.empty(posts.size, dtype=np.intp), starts.copy()
    # What they hold and what that is for their hours, in the same order: the officers of a team are gone through often.
    holds, now = np.empty(posts.size, dtype=np.int64), np.empty(posts.size, dtype=np.int64)
    for at in range(posts.size):
        place = filled[post_team[at]]
        members[place] = at
        holds[place], now[place] = held[at], load_of(held[at], hours_left[at])
        filled[post_team[at]] += 1
    chosen = np.full(team.size, -1, dtype=np.intp)
    for case in range(team.size):
        first, end = starts[team[case]], starts[team[case] + 1]
        if first == end:
            continue
        best, least = first, now[first]
        for place in range(first + 1, end):
            # Two choices without a jump: which of them is taken can't be foretold.
            load = now[place]
            best, least = place if load < least else best, min(load, least)
        holds[best] += cost[case]
        now[best] = load_of(holds[best], hours_left[members[best]])
        chosen[case] = posts[members[best]]
    return chosen


@compiled_inside
def _able_officers(
    teams: int,
    team: Array,
    number: Array,
    needs_po: bool,
    team_of_post: Array,
    grade: Array,
    filled: Array,
    hours_left: Array,
) -> Rows:
    """Return the officers who can take cases, in row order, of the teams to whom some of the cases (numbers) belong."""
    wanted = np.zeros(teams, dtype=np.bool_)
    for at in number:
        wanted[team[at]] = True
    able = np.empty(team_of_post.size + 1, dtype=np.intp)
    size = 0
    for post in range(team_of_post.size):
        # Written for everybody, kept for some: a choice that can't be foretold costs more than a number.
        able[size] = post
        size += (
            wanted[team_of_post[post]]
            & (filled[post] == 1)
            & (hours_left[post] > 0)
            & ((not needs_po) | (grade[post] == _PO))
        )
    return able[:size]


@compiled
def give_cases(
    rows: Rows,
    chosen: NDArray[np.int32],
    unified: Array,
    by_points: Array,
    tariff: Array,
    area: Array,
    office: Array,
    side: Array,
    assessed_rosh: Array,
    setting: Array,
    tier: Array,
    officer: Array,
    posts: int,
    post_area: Array,
    post_office: Array,
    employer: Array,
    grade: Array,
    filled: Array,
    hours_left: Array,
    cases_held: Array,
    points_held: Array,
    case_group: Array,
    post_group: Array,
    others_too: bool,
) -> int:
    """Give cases to officers by their team's rule and move what officers hold; return how many were given.

    Parameters
    ----------
    rows : int array
        Rows of people, in the order in which cases are given out within a pass.
    chosen : int array
        Written here: the new officer of each; -1 where the team has nobody.
    unified : bool array (areas,)
        Where the service is one, and so is the team of an office.
    by_points : bool array (areas, sides)
        Where points decide, not cases.
    tariff : int array (setting, tier)
        Points of a case.
    hours_left : int array (posts,)
        Hours that each officer has for cases; who has none gets none.
    case_group, post_group : int arrays (rows,) and (posts,)
        Group of cohorts of each case and of each officer, 0 for none; empty where nobody is parted by cohort. A case
        goes first to the officers of its group in its team.
    others_too : bool
        A case for whose group nobody is there goes to anybody of the team; otherwise it waits.
    """
    teams, given = 0, 0
    team = np.empty(rows.size, dtype=np.int64)
    points = np.empty(rows.size, dtype=np.int64)
    cost = np.empty(rows.size, dtype=np.int64)
    leaves = np.empty(rows.size, dtype=np.intp)
    high = np.empty(rows.size, dtype=np.bool_)
    # Records are read before anything is decided: without a choice in between, the processor fetches many at once.
    for at in range(rows.size):
        soon = rows[min(at + AHEAD, rows.size - 1)]
        # One column of each group that lies together.
        fetch_soon(area, soon)
        fetch_soon(office, soon)
        fetch_soon(officer, soon)
        fetch_soon(assessed_rosh, soon)
        row = rows[at]
        place = area[row]
        team[at] = int(office[row]) * 2 + int(side[row]) * (1 - int(unified[place]))
        points[at] = tariff[setting[row], tier[row]]
        cost[at] = by_points[place, team[at] & 1]
        high[at] = assessed_rosh[row] >= _HIGH
        leaves[at] = officer[row]
    for at in range(rows.size):
        teams = max(teams, team[at] + 1)
        cost[at] = points[at] if cost[at] else 1
        chosen[at] = -1
        # The officer they leave doesn't count them when they move.
        if leaves[at] >= 0:
            cases_held[leaves[at]] -= 1
            points_held[leaves[at]] -= points[at]
    team_of_post = np.empty(posts, dtype=np.int64)
    for post in range(posts):
        team_of_post[post] = int(post_office[post]) * 2 + (0 if unified[post_area[post]] else int(employer[post]))
        teams = max(teams, team_of_post[post] + 1)

    # Even, so that a team's side can be told when its group is part of its number.
    teams += teams & 1
    mine = np.empty(rows.size, dtype=np.intp)
    # First the cases that need a probation officer, then the others; of each, first those that have a group.
    for needs_po, in_groups in ((True, True), (True, False), (False, True), (False, False)):
        if in_groups and case_group.size == 0:
            continue
        size = 0
        for at in range(rows.size):
            if high[at] == needs_po and chosen[at] < 0:
                grouped = case_group.size > 0 and case_group[at] > 0
                mine[size] = at
                size += grouped if in_groups else (others_too or not grouped)
        if size == 0:
            continue
        now = mine[:size]
        number, number_of_post, numbers = team, team_of_post, teams
        if in_groups:
            number, number_of_post = team + teams * case_group, team_of_post + teams * post_group
            numbers = teams * (max(case_group.max(), post_group.max()) + 1)
        able = _able_officers(numbers, number, now, needs_po, number_of_post, grade, filled, hours_left)
        # What decides who gets the next case: cases held, or the tool's points where the team goes by those.
        held = np.empty(able.size, dtype=np.int64)
        for at in range(able.size):
            post = able[at]
            held[at] = points_held[post] if by_points[post_area[post], team_of_post[post] & 1] else cases_held[post]
        found = choose_officers(number[now], cost[now], able, number_of_post[able], held, hours_left[able], numbers)
        for at in range(size):
            post = found[at]
            if post >= 0:
                chosen[now[at]] = post
                cases_held[post] += 1
                points_held[post] += points[now[at]]
                given += 1
    for at in range(rows.size):
        before = leaves[at]
        if chosen[at] < 0 and before >= 0:
            cases_held[before] += 1
            points_held[before] += points[at]
    return given


@compiled
def points_held(places: Array, points: Array, posts: int) -> NDArray[np.int64]:
    """Return the tool's points that each post's holder holds.

    Parameters
    ----------
    places : record array (people,)
        Responsible officer (-1 for nobody), setting and tier of everybody, see
        :attr:`simulation.system.columns.People.places`.
    points : int64 array (setting, tier)
        Points of a case.
    posts : int
        How many posts there are.
    """
    # Narrow numbers, so that all posts stay at hand.
    held = np.zeros(posts, dtype=np.int32)
    tiers, worth_of = points.shape[1], points.ravel().astype(np.int32)
    # Who has an officer is gathered before it is looked at: a choice in between, which can't be foretold, costs more
    # than all else. For the same reason a look-up does as little as it can, and numbers that can't be negative are
    # said to be so.
    cases = np.empty(_GATHERED, dtype=places.dtype)
    for start in range(0, places.size, _GATHERED):
        size = 0
        for place in places[start : start + _GATHERED]:
            cases[size] = place
            size += place["officer"] >= 0
        for place in cases[:size]:
            kind = np.uint32(place["setting"]) * np.uint32(tiers) + np.uint32(place["tier"])
            held[np.uint32(place["officer"])] += worth_of[np.uint32(kind)]
    return held.astype(np.int64)
