"""Resettlement teams at work: a compiled loop over the queue before release.

:mod:`simulation.system.release` says when it applies and tells the history.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulation.engine.chance import mix
from simulation.engine.compiled import compiled
from simulation.system.codes import Status
from simulation.system.custody_loops import DONE, Array, Counted, Rows

_CUSTODY = Status.CUSTODY
#: How far back and ahead days of release are told apart.
_HORIZON = 2048
_FAR = 1 << 30

_mixed = compiled(mix)


@compiled
def prepare(
    row: Rows,
    area: Array,
    seconds: Array,
    due: Array,
    capacity: Counted,
    owed: Counted,
    today: int,
    key: Array,
    person: Rows,
    status: Array,
    prepared: Array,
) -> tuple[NDArray[np.bool_], Rows]:
    """Work through each area's queue, nearest release first, as long as the team has any time left.

    Parameters
    ----------
    row, area, seconds, due : int arrays (queue,)
        The queue: sentence, whose team, time it takes, and day of release. A mixed number settles who comes first
        among releases of one day.
    capacity, owed : int arrays (areas,)
        Time of each team in a day, and its overrun of the day before: today's is written.

    Returns
    -------
    kept : bool array (queue,)
        What stays in the queue: those who are still inside and weren't reached.
    done : int array
        People whose work is done.
    """
    kept = np.zeros(row.size, dtype=np.bool_)
    done = np.empty_like(row)
    begins = np.zeros(capacity.size + 1, dtype=np.intp)
    for task in range(row.size):
        if status[row[task]] == _CUSTODY:
            kept[task] = True
            begins[area[task] + 1] += 1
    for team in range(capacity.size):
        begins[team + 1] += begins[team]
    place = begins.copy()
    tasks, days = np.empty(begins[-1], dtype=np.intp), np.empty(begins[-1], dtype=np.int64)
    for task in range(row.size):
        if kept[task]:
            at = place[area[task]]
            tasks[at] = task
            # How near a release is, is told apart for so many days back and ahead only.
            days[at] = min(max(int(due[task]) - today, -_HORIZON), _HORIZON - 1)
            place[area[task]] += 1
    order, mixed = np.empty_like(tasks), np.empty(tasks.size, dtype=np.uint64)
    reached = 0
    for team in range(capacity.size):
        available = capacity[team] - owed[team]
        used = 0
        before = -_FAR
        while used < available:
            # The next day of release, and everybody who leaves on it.
            nearest = _FAR
            for at in range(begins[team], begins[team + 1]):
                if before < days[at] < nearest:
                    nearest = days[at]
            if nearest == _FAR:
                break
            size = 0
            for at in range(begins[team], begins[team + 1]):
                if days[at] == nearest:
                    task = tasks[at]
                    number = _mixed(key[person[row[task]]] + np.uint64(due[task])) >> np.uint64(32)
                    put = size
                    while put > 0 and mixed[put - 1] > number:
                        order[put], mixed[put] = order[put - 1], mixed[put - 1]
                        put -= 1
                    order[put], mixed[put] = task, number
                    size += 1
            for task in order[:size]:
                if used >= available:
                    break
                used += seconds[task]
                kept[task] = False
                prepared[row[task]] = DONE
                done[reached] = person[row[task]]
                reached += 1
            before = nearest
        owed[team] = max(0, used - available)
    return kept, done[:reached]
