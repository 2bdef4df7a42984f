"""Targets as compiled loops: which plans say something, and what an inspection would find of everybody's case.

:mod:`simulation.system.targets` says when they apply and tells the history.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulation.engine import NEVER
from simulation.engine.chance import uniform_of
from simulation.engine.compiled import AHEAD, compiled, fetch_soon
from simulation.system import codes

if TYPE_CHECKING:
    Array = NDArray[Any]
    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Rows = NDArray[np.intp]

# Compiled code knows plain numbers only.
_COMMUNITY = codes.Location.COMMUNITY


@compiled
def thin_plans(
    rows: Rows,
    meaningful: Floats,
    most_cases: float,
    lost_per_case: float,
    constant: np.uint64,
    key: Array,
    side: Array,
    officer: Array,
    sentences: Array,
    spells: Array,
    plan_thin: Array,
    cases: Array,
) -> tuple[Rows, Rows]:
    """Decide which plans say something; return whose do, and whose are thin.

    Parameters
    ----------
    meaningful : float array (sides,)
        Share of plans that say something, of officers who don't hold too many cases.
    most_cases, lost_per_case : float
        Cases from which on the share is lower, and by how much for each.
    """
    good, thin = np.empty_like(rows), np.empty_like(rows)
    many_good, many_thin = 0, 0
    for at in range(rows.size):
        soon = rows[min(at + AHEAD, rows.size - 1)]
        fetch_soon(key, soon)
        fetch_soon(officer, soon)
        fetch_soon(plan_thin, soon)
        row = rows[at]
        held = cases[officer[row]] if officer[row] >= 0 else 0
        share = meaningful[max(side[row], 0)] - lost_per_case * max(held - most_cases, 0.0)
        says_little = uniform_of(key[row], constant, int(sentences[row]) * 1024 + int(spells[row])) >= share
        plan_thin[row] = says_little
        if says_little:
            thin[many_thin] = row
            many_thin += 1
        else:
            good[many_good] = row
            many_good += 1
    return good[:many_good], thin[:many_thin]


@compiled
def judged(
    among: Rows,
    today: int,
    case_days: int,
    seen_days: int,
    person: Array,
    due: Array,
    location: Array,
    side: Array,
    stage_start: Array,
    officer: Array,
    last_seen: Array,
    work_only: Array,
    first_due_from: Array,
    plan_thin: Array,
) -> tuple[Rows, Flags]:
    """Return whose case an inspection of an area may read, and whether each is as it should be.

    It should have an officer, somebody seen lately, a plan that says something, and nothing overdue.

    Parameters
    ----------
    among : int array
        Rows of the area's people, in order.
    case_days : int
        Days after which a case can be read.
    person, due : int arrays (tasks,)
        Whom open tasks are about, and when they are due.
    """
    if among.size == 0:
        return among, np.empty(0, dtype=np.bool_)
    first, last = among[0], among[-1]
    late = np.zeros(last - first + 1, dtype=np.bool_)
    for task in range(person.size):
        # Few are about the area's people.
        if first <= person[task] <= last and due[task] < today:
            late[person[task] - first] = True
    # Written for everybody, kept for some: a choice that can't be foretold costs more than a number.
    community, some = np.empty(among.size + 1, dtype=np.int32), 0
    for row in among:
        community[some] = row
        some += (location[row] == _COMMUNITY) & (side[row] >= 0)
    rows, good = np.empty(some, dtype=np.intp), np.empty(some, dtype=np.bool_)
    many = 0
    for at in range(some):
        soon, row = community[min(at + AHEAD, some - 1)], community[at]
        # The rest lies beside it.
        fetch_soon(stage_start, soon)
        fetch_soon(plan_thin, soon)
        if today - stage_start[row] < case_days:
            continue
        seen = today - int(last_seen[row]) <= seen_days or work_only[row] == 1
        begun = first_due_from[row] == NEVER
        rows[many] = row
        good[many] = officer[row] >= 0 and seen and begun and plan_thin[row] == 0 and not late[row - first]
        many += 1
    return rows[:many], good[:many]
