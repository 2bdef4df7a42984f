"""Resettlement teams at work, and places to live: compiled loops over those before release.

:mod:`simulation.system.release` says when they apply and tells the history.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulation.engine.chance import mix
from simulation.engine.compiled import compiled
from simulation.system.codes import Status
from simulation.system.custody_loops import Array, Counted, Rows

#: What a resettlement team does.
PLAN, WORK, HELP = range(3)
#: How far screening and plan have come.
NOT_SCREENED, SCREENED, WRITTEN = range(3)

_CUSTODY = Status.CUSTODY
#: How far back and ahead days are told apart.
_HORIZON = 2048
_FAR = 1 << 30

_mixed = compiled(mix)


@compiled
def prepare(
    row: Rows,
    area: Array,
    seconds: Array,
    due: Array,
    kind: Array,
    capacity: Counted,
    owed: Counted,
    today: int,
    plans_first: bool,
    key: Array,
    person: Rows,
    status: Array,
) -> tuple[NDArray[np.bool_], Rows]:
    """Work through each area's queue, nearest date first, as long as the team has any time left.

    Parameters
    ----------
    row, area, seconds, due, kind : int arrays (queue,)
        The queue: sentence, whose team, time it takes, day by which a plan is due or day of release, and what is to
        be done. A mixed number settles who comes first among those of one day.
    capacity, owed : int arrays (areas,)
        Time of each team in a day, and its overrun of the day before: today's is written.
    plans_first : bool
        Whether plans come before anything else.

    Returns
    -------
    kept : bool array (queue,)
        What stays in the queue: those who are still inside and weren't reached.
    done : int array
        Places in the queue of the work that is done, in the order in which it was.
    """
    kept = np.zeros(row.size, dtype=np.bool_)
    done = np.empty(row.size, dtype=np.intp)
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
            # How near a date is, is told apart for so many days back and ahead only.
            days[at] = min(max(int(due[task]) - today, -_HORIZON), _HORIZON - 1)
            if plans_first and kind[task] == PLAN:
                days[at] -= 2 * _HORIZON
            place[area[task]] += 1
    order, mixed = np.empty_like(tasks), np.empty(tasks.size, dtype=np.uint64)
    reached = 0
    for team in range(capacity.size):
        available = capacity[team] - owed[team]
        used = 0
        before = -_FAR
        while used < available:
            # The next date, and everybody who has it.
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
                done[reached] = task
                reached += 1
            before = nearest
        owed[team] = max(0, used - available)
    return kept, done[:reached]


@compiled
def give_places(
    row: Rows,
    area: Array,
    due: Array,
    today: int,
    free: Counted,
    taken: Counted,
    key: Array,
    person: Rows,
    status: Array,
) -> tuple[NDArray[np.bool_], Rows]:
    """Give each area's free places to those who look for one, nearest release first.

    Parameters
    ----------
    row, area, due : int arrays (seekers,)
        Sentence, where a home is wanted, and day of release; a mixed number settles who comes first among releases of
        one day.
    free, taken : int arrays (areas,)
        Places nobody has taken yet, and those taken so far: both are written.

    Returns
    -------
    kept : bool array (seekers,)
        Who goes on looking: those still inside without a place.
    housed : int array
        Sentences of those who got one.
    """
    kept = np.zeros(row.size, dtype=np.bool_)
    housed = np.empty(row.size, dtype=np.intp)
    many = 0
    for seeker in range(row.size):
        kept[seeker] = status[row[seeker]] == _CUSTODY and due[seeker] > today
    for place in range(free.size):
        while free[place] > 0:
            best, best_number = -1, np.int64(0)
            for seeker in range(row.size):
                if kept[seeker] and area[seeker] == place:
                    number = np.int64(_mixed(key[person[row[seeker]]] + np.uint64(due[seeker])) >> np.uint64(32))
                    if best < 0 or due[seeker] < due[best] or (due[seeker] == due[best] and number < best_number):
                        best, best_number = seeker, number
            if best < 0:
                break
            kept[best] = False
            housed[many] = row[best]
            many += 1
            free[place] -= 1
            taken[place] += 1
    return kept, housed[:many]
