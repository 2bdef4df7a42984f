"""Activity days with the officer, session by session, and what a day kept changes; compiled loops.

:mod:`simulation.system.requirements` says which sessions were held, and tells the history.
"""

from __future__ import annotations

import numpy as np

from simulation.engine import NEVER
from simulation.engine.chance import uniform_of
from simulation.engine.compiled import AHEAD, compiled, compiled_inside, fetch_soon
from simulation.system.codes import Progress, Requirement
from simulation.system.requirement_loops import COUNTED, Counted
from simulation.system.service import Array, Rows

_DAYS_DONE, _DAYS_WITH_OFFICER, _DAYS_MISSED, _BEGUN, _BEGIN_DAYS, _ENDED_ALL = (
    COUNTED.index(name)
    for name in (
        "activity_days_done",
        "activity_days_with_officer",
        "activity_days_missed",
        "activity_begun",
        "activity_begin_days",
        "activity_ended",
    )
)
# A compiled loop takes plain numbers, not the members of a class.
_ACTIVITY, _RUNNING, _FINISHED = Requirement.REHABILITATION, Progress.RUNNING, Progress.FINISHED


@compiled_inside
def keep_day(
    row: int,
    today: int,
    cell: int,
    imposed: Array,
    progress: Array,
    ordered: Array,
    done: Array,
    began: Array,
    counted: Counted,
    totals_done: Counted,
) -> None:
    """Count a rehabilitation activity day that was kept."""
    done[row] += 1
    totals_done[_ACTIVITY] += 1
    counted[_DAYS_DONE, cell] += 1
    if began[row] == NEVER:
        began[row] = today
        counted[_BEGUN, cell] += 1
        counted[_BEGIN_DAYS, cell] += today - imposed[row]
    progress[row] = _RUNNING
    if done[row] == ordered[row]:
        progress[row] = _FINISHED
        counted[_ENDED_ALL, cell] += 1


@compiled
def hold_sessions(
    orders: Rows,
    found: Rows,
    today: int,
    missed_share: float,
    constant: np.uint64,
    counted: Counted,
    totals_done: Counted,
    activity: Rows,
    key: Array,
    cells: Array,
    miss_factor: Array,
    of_person: Array,
    of_number: Array,
    of_imposed: Array,
    of_progress: Array,
    of_cell: Array,
    of_ordered: Array,
    of_done: Array,
    of_offered: Array,
    of_last: Array,
    of_began: Array,
) -> tuple[int, int]:
    """Let the officer's sessions of today, by their orders, be activity days of those who come to them.

    Columns are handed over one by one: to hand over a tuple of them costs as much as the sessions of a small area.

    Parameters
    ----------
    found : int array (3, orders)
        Written: people who came; people who didn't; and the number of each missed session's draws.
    missed_share, constant : float and uint64
        Share of sessions that somebody of average reliability misses, and the constant of the draw.
    activity : int array
        Row of the activity that each sentence requires.

    Returns
    -------
    came, absent : int
        How many of each.
    """
    came, absent, some = 0, 0, 0
    sessions = np.empty(orders.size + 1, dtype=np.intp)
    for at in range(orders.size):
        fetch_soon(activity, orders[min(at + AHEAD, orders.size - 1)])
        row = activity[orders[at]]
        sessions[some] = row
        some += row >= 0
    many = 0
    for at in range(some):
        soon = sessions[min(at + AHEAD, some - 1)]
        fetch_soon(of_progress, soon)
        fetch_soon(of_person, soon)
        row = sessions[at]
        sessions[many] = row
        many += of_progress[row] < _FINISHED
    for at in range(many):
        soon = sessions[min(at + AHEAD, many - 1)]
        fetch_soon(key, of_person[soon])
        fetch_soon(of_cell, soon)
        fetch_soon(of_ordered, soon)
        fetch_soon(of_done, soon)
        fetch_soon(of_began, soon)
        fetch_soon(of_number, soon)
        fetch_soon(of_offered, soon)
        row = sessions[at]
        person = of_person[row]
        cell, occurrence = cells[person], int(of_number[row]) * 4096 + int(of_offered[row])
        of_offered[row] += 1
        of_last[row] = today
        of_cell[row] = cell
        if uniform_of(key[person], constant, occurrence) < missed_share * float(miss_factor[person]):
            of_progress[row] = _RUNNING
            counted[_DAYS_MISSED, cell] += 1
            found[1, absent] = person
            found[2, absent] = occurrence
            absent += 1
        else:
            keep_day(
                row, today, cell, of_imposed, of_progress, of_ordered, of_done, of_began, counted, totals_done
            )
            counted[_DAYS_WITH_OFFICER, cell] += 1
            found[0, came] = person
            came += 1
    return came, absent
