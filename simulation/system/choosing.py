"""Choosing officers: one case after another, each to the officer of its team who holds least."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulation.engine.compiled import AHEAD, compiled, compiled_inside, fetch_soon
from simulation.system.codes import Grade, Rosh

Array = NDArray[Any]
Rows = NDArray[np.intp]

# Compiled code knows plain numbers only.
_HIGH, _PO = Rosh.HIGH, Grade.PO
#: Rules of choosing, in the order of their numbers.
RULES = ("fewest_cases", "lowest_points", "round_robin", "grade_eligible")
_ROUND_ROBIN, _GRADE_ELIGIBLE = RULES.index("round_robin"), RULES.index("grade_eligible")
#: What stands for nobody: a team without anybody who may hold the case, and one in which nobody has room for it.
NOBODY, NO_ROOM = -1, -2
_NO_LIMIT = np.iinfo(np.int64).max

_GATHERED = 1024


class Rules(NamedTuple):
    """How cases are given out beyond smallest loads: caps, turns and grades; arrays are by area and side.

    Attributes
    ----------
    rule : int array
        Number of the rule in :data:`RULES`.
    by_points : bool array
        Where the load that decides is the tool's points, not cases.
    cap : float array
        The most that an officer with full-time hours may hold: cases, or percent of the tool's capacity; 0 for no cap.
    cap_by_points : bool array
        Where the cap is in percent of capacity.
    services_full : float
        Percent of capacity from which a services officer is no longer preferred for cases of lower risk.
    points_per_month, full_time : int
        The tool's points, and hundredths of an hour a week, of a full-time officer.
    last : int array (teams x turns_a_team,)
        Row of the officer whose turn was the last one in each team, and in each of its groups; moved here.
    turns_a_team : int
        Rows of ``last`` for each team: of all its officers, and of each group of cohorts. Groups don't share a turn:
        whoever comes first in one would get a case after each that another group took.
    plain : bool
        No side has a cap, takes turns or goes by grade.
    """

    rule: Array
    by_points: Array
    cap: Array
    cap_by_points: Array
    services_full: float
    points_per_month: int
    full_time: int
    last: Array
    turns_a_team: int
    plain: bool


@compiled_inside
def load_of(held: int, hours_left: int) -> int:
    """Return what an officer holds for each hour that they have, in whole millionths.

    Numbers this small are divided as exactly in floating point, and several times as fast.
    """
    return int(np.floor(held * 1e6 / hours_left))


@compiled_inside
def by_team(post_team: Array, number_of_teams: int) -> tuple[Rows, Rows]:
    """Return officers in the order of their teams, and where each team begins among them.

    Those of team t are ``members[starts[t]:starts[t + 1]]``, in the order in which they were.
    """
    starts = np.zeros(number_of_teams + 1, dtype=np.intp)
    for its_team in post_team:
        starts[its_team + 1] += 1
    for number in range(number_of_teams):
        starts[number + 1] += starts[number]
    members, filled = np.empty(post_team.size, dtype=np.intp), starts.copy()
    for at in range(post_team.size):
        members[filled[post_team[at]]] = at
        filled[post_team[at]] += 1
    return members, starts


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
    members, starts = by_team(post_team, number_of_teams)
    # What they hold and what that is for their hours, in the same order: the officers of a team are gone through often.
    holds, now = np.empty(posts.size, dtype=np.int64), np.empty(posts.size, dtype=np.int64)
    for place in range(posts.size):
        at = members[place]
        holds[place], now[place] = held[at], load_of(held[at], hours_left[at])
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


@compiled
def choose_by_rule(
    team: Array,
    cost: Array,
    room_needed: Array,
    leaves: Array,
    lower_risk: bool,
    posts: Array,
    post_team: Array,
    rule: Array,
    is_po: Array,
    held: Array,
    hours_left: Array,
    services_most: Array,
    booked: Array,
    most: Array,
    turn: Array,
    last: Array,
    number_of_teams: int,
) -> NDArray[np.intp]:
    """Give out cases one by one, by turns or by load, to officers with room under their cap.

    A case counts against the cap of the officer whom it leaves until another takes it, so that it can always stay.

    Parameters
    ----------
    team, cost : int arrays (cases,)
        Team of each case in the order in which cases are given out, and what it adds to its officer's load.
    room_needed : int array (cases, 2)
        What it takes of the room under a cap by cases and under one by points.
    leaves : int array (cases,)
        Row of the officer whom it leaves; -1 if nobody.
    lower_risk : bool
        Anybody may hold these cases, not probation officers alone.
    posts, post_team, rule, is_po, held, hours_left : arrays (able officers,)
        Rows of officers who may hold the cases in row order, their teams, the number of the rule there, whether they
        are probation officers, what each holds now, and their hours.
    services_most : int array (able officers,)
        What each may hold, if no probation officer, to come first for cases of lower risk.
    booked : int array (posts, 2)
        Cases and points that count against the cap of everybody; moved here.
    most : int array (posts, 2)
        The most cases and the most points that everybody may hold.
    turn : int array (cases,)
        Where in ``last`` the turns of the officers are kept among whom each case is given out.
    last : int array (turns,)
        Row of the officer whose turn was the last one; moved here.
    number_of_teams : int
        Teams in all.

    Returns
    -------
    chosen : int array (cases,)
        Row of the officer of each case; :data:`NOBODY` where the team has nobody, :data:`NO_ROOM` where nobody has
        room.
    """
    chosen = np.full(team.size, NOBODY, dtype=np.intp)
    holds, rows = held.copy(), most.shape[0]
    members, starts = by_team(post_team, number_of_teams)
    for case in range(team.size):
        best, best_after, least = -1, False, 0
        for at in members[starts[team[case]] : starts[team[case] + 1]]:
            post = posts[at]
            room = leaves[case] == post
            if not room:
                room = (
                    booked[post, 0] + room_needed[case, 0] <= most[post, 0]
                    and booked[post, 1] + room_needed[case, 1] <= most[post, 1]
                )
            if not room:
                chosen[case] = NO_ROOM
                continue
            after = False
            if rule[at] == _ROUND_ROBIN:
                # Who comes next after the last turn, from the first officer on again after the last one.
                load = (post - last[turn[case]] - 1) % rows
            else:
                load = load_of(holds[at], hours_left[at])
                if rule[at] == _GRADE_ELIGIBLE and lower_risk:
                    after = is_po[at] or holds[at] + cost[case] > services_most[at]
            if best < 0 or (best_after and not after) or (best_after == after and load < least):
                best, best_after, least = at, after, load
        if best < 0:
            continue
        post, before = posts[best], leaves[case]
        chosen[case] = post
        holds[best] += cost[case]
        if before != post:
            for kind in range(2):
                booked[post, kind] += room_needed[case, kind]
                if before >= 0:
                    booked[before, kind] -= room_needed[case, kind]
        if rule[best] == _ROUND_ROBIN:
            last[turn[case]] = post
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
    rules: Rules,
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
        Written here: the new officer of each; :data:`NOBODY` where the team has nobody, :data:`NO_ROOM` where nobody
        has room.
    unified : bool array (areas,)
        Where the service is one, and so is the team of an office.
    tariff : int array (setting, tier)
        Points of a case.
    hours_left : int array (posts,)
        Hours that each officer has for cases; who has none gets none.
    rules : Rules
        By what they are given out.
    case_group, post_group : int arrays (rows,) and (posts,)
        Group of cohorts of each case and of each officer, 0 for none; empty where nobody is parted by cohort. A case
        goes first to the officers of its group in its team.
    others_too : bool
        A case for whose group nobody is there goes to anybody of the team; otherwise it waits.
    """
    teams, given = 0, 0
    by_points = rules.by_points
    # What counts against a cap: with each officer until another has taken the case.
    booked, most = np.empty((0, 2), dtype=np.int64), np.empty((0, 2), dtype=np.int64)
    if not rules.plain:
        booked, most = np.empty((posts, 2), dtype=np.int64), np.empty((posts, 2), dtype=np.int64)
        for post in range(posts):
            where, whose = post_area[post], 0 if unified[post_area[post]] else int(employer[post])
            cap, hours = rules.cap[where, whose], int(hours_left[post])
            booked[post, 0], booked[post, 1] = cases_held[post], points_held[post]
            most[post, 0], most[post, 1] = _NO_LIMIT, _NO_LIMIT
            if cap > 0 and rules.cap_by_points[where, whose]:
                most[post, 1] = int(np.floor(cap * (hours * rules.points_per_month // rules.full_time) / 100))
            elif cap > 0:
                most[post, 0] = int(np.floor(cap * hours / rules.full_time))
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
        if rules.plain:
            found = choose_officers(number[now], cost[now], able, number_of_post[able], held, hours_left[able], numbers)
        else:
            rule, services_most = np.empty(able.size, dtype=np.int64), np.empty(able.size, dtype=np.int64)
            for at in range(able.size):
                post = able[at]
                where, whose = post_area[post], team_of_post[post] & 1
                rule[at], services_most[at] = rules.rule[where, whose], _NO_LIMIT
                if by_points[where, whose]:
                    capacity = int(hours_left[post]) * rules.points_per_month // rules.full_time
                    services_most[at] = int(np.floor(rules.services_full * capacity / 100))
            needed = np.ones((size, 2), dtype=np.int64)
            needed[:, 1] = points[now]
            turn = team[now] * rules.turns_a_team
            if in_groups:
                turn += case_group[now]
            found = choose_by_rule(
                number[now],
                cost[now],
                needed,
                leaves[now],
                not needs_po,
                able,
                number_of_post[able],
                rule,
                grade[able] == _PO,
                held,
                hours_left[able],
                services_most,
                booked,
                most,
                turn,
                rules.last,
                numbers,
            )
        for at in range(size):
            post = found[at]
            chosen[now[at]] = post
            if post >= 0:
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
