"""Choosing officers: one case after another, each to the officer of its team who holds least."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulation.engine.compiled import compiled

Array = NDArray[Any]

_GATHERED = 1024


@compiled
def load_of(held: int, hours_left: int) -> int:
    """Return what an officer holds for each hour that they have, in millionths."""
    return int(held) * 1_000_000 // int(hours_left)


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
    members = np.empty(posts.size, dtype=np.intp)
    filled = starts.copy()
    for at in range(posts.size):
        members[filled[post_team[at]]] = at
        filled[post_team[at]] += 1
    holds = held.copy()
    now = np.empty(posts.size, dtype=np.int64)
    for at in range(posts.size):
        now[at] = load_of(holds[at], hours_left[at])
    chosen = np.full(team.size, -1, dtype=np.intp)
    for case in range(team.size):
        best = -1
        for place in range(starts[team[case]], starts[team[case] + 1]):
            at = members[place]
            if best < 0 or now[at] < now[best]:
                best = at
        if best >= 0:
            holds[best] += cost[case]
            now[best] = load_of(holds[best], hours_left[best])
            chosen[case] = posts[best]
    return chosen


@compiled
def points_held(officer: Array, setting: Array, tier: Array, points: Array, posts: int) -> NDArray[np.int64]:
    """Return the tool's points that each post's holder holds.

    Parameters
    ----------
    officer, setting, tier : int arrays (people,)
        Responsible officer (-1 for nobody), setting and tier of everybody.
    points : int64 array (setting, tier)
        Points of a case.
    posts : int
        How many posts there are.
    """
    held = np.zeros(posts, dtype=np.int64)
    tiers, worth_of = points.shape[1], points.ravel()
    # Who has an officer is gathered before it is looked at: a choice in between, which can't be foretold, costs more
    # than all else. For the same reason a look-up does as little as it can, and numbers that can't be negative are
    # said to be so.
    rows = np.empty(_GATHERED, dtype=np.uint32)
    for start in range(0, officer.size, _GATHERED):
        size, row = 0, start
        for post in officer[start : start + _GATHERED]:
            rows[size] = row
            size += post >= 0
            row += 1
        for at in range(size):
            row = rows[at]
            kind = np.uint32(setting[row]) * np.uint32(tiers) + np.uint32(tier[row])
            held[np.uint32(officer[row])] += worth_of[np.uint32(kind)]
    return held
