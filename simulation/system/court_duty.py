"""Court duty: reports that case-holding officers write in turn, on time that comes off their own day."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulation.engine.compiled import compiled
from simulation.engine.order import put_in_order_of
from simulation.system.codes import NPS, Grade, Report
from simulation.system.service import Array, Rows

# Compiled code knows plain numbers only.
_NPS, _PO, _STANDARD = NPS, Grade.PO, Report.STANDARD


@compiled
def write_in_turn(
    reports: Rows,
    today: int,
    queue_row: Rows,
    queue_area: Array,
    queue_seconds: Array,
    report: Array,
    points: NDArray[np.int64],
    post_area: Array,
    employer: Array,
    grade: Array,
    filled: Array,
    covered: Array,
    sick_until: Array,
    leave_until: Array,
    owed: Array,
    report_points: Array,
    on_duty: NDArray[np.int64],
    demanded: NDArray[np.int64],
) -> tuple[Rows, int]:
    """Give reports to officers of the NPS who are at work, and return those written and the time they took.

    The n-th report of an area, in the order of people, is that of its n-th officer from today's on; standard reports
    first, among probation officers alone. Where nobody is at work, a report waits.

    Parameters
    ----------
    reports : int array
        Rows of the queue.
    report : int8 array (people,)
        Kind of report.
    points : int64 array (kinds,)
        What the workload tool shows for each kind.
    on_duty, demanded : int64 arrays (cells,)
        Counts of the time of reports written on duty, and of all work; the NPS's cells of each area.
    """
    order = reports.copy()
    put_in_order_of(order, queue_row)
    areas, done, many, taken = on_duty.size // 2, np.empty(reports.size, dtype=np.intp), 0, 0
    for only_po in (True, False):
        begins, number = np.zeros(areas + 1, dtype=np.intp), np.zeros(areas, dtype=np.intp)
        able, roster, size = np.empty(filled.size + 1, dtype=np.intp), np.empty(filled.size, dtype=np.intp), 0
        for post in range(filled.size):
            able[size] = post
            here = (filled[post] == 1) & (employer[post] == _NPS) & (covered[post] == 0)
            here &= (sick_until[post] <= today) & (leave_until[post] <= today)
            size += here & ((grade[post] == _PO) | (not only_po))
        for at in range(size):
            begins[post_area[able[at]] + 1] += 1
        for area in range(areas):
            begins[area + 1] += begins[area]
        place = begins.copy()
        for at in range(size):
            roster[place[post_area[able[at]]]] = able[at]
            place[post_area[able[at]]] += 1
        for task in order:
            area, kind = int(queue_area[task]), report[queue_row[task]]
            there = begins[area + 1] - begins[area]
            if (kind == _STANDARD) != only_po or there == 0:
                continue
            officer = roster[begins[area] + (today + number[area]) % there]
            number[area] += 1
            seconds = int(queue_seconds[task])
            owed[officer] += seconds
            report_points[officer] += points[kind]
            on_duty[area * 2] += seconds
            demanded[area * 2] += seconds
            taken += seconds
            done[many] = task
            many += 1
    return done[:many], taken
