"""A day of officers as compiled loops: who falls sick, who takes leave, whose cases a leaver leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulation.engine.chance import uniform_of
from simulation.engine.compiled import compiled
from simulation.system import codes

if TYPE_CHECKING:
    Array = NDArray[Any]
    Rows = NDArray[np.intp]

# Compiled code knows plain numbers only.
_CRC = codes.CRC
#: Days that a full-time officer could work in a year.
_DAYS_A_YEAR = 252.9
#: A holder's draws are numbered by days in post, never by date.
_PER_HOLDER = 65536


def day_of_holder(holder: Array, present_days: Array) -> NDArray[np.int64]:
    """Return the occurrence number of a draw of the day."""
    return holder.astype(np.int64) * _PER_HOLDER + present_days


@compiled
def day_at_work(
    size: int,
    cells: int,
    today: int,
    area: Array,
    employer: Array,
    filled: Array,
    key: Array,
    holder: Array,
    present_days: Array,
    sick_until: Array,
    leave_until: Array,
    pressure: Array,
    sick_days: Array,
    overload_multiplier: float,
    long_share: float,
    long_mean: float,
    short_mean: float,
    leave_chance: float,
    falls_sick: np.uint64,
    week_of_leave: np.uint64,
) -> tuple[Rows, Rows, NDArray[np.int64], NDArray[np.int64]]:
    """Count a working day of everybody in post, and draw who falls sick and who is off for a week.

    Returns
    -------
    long, short : row numbers
        Who falls sick for a long and for a short spell.
    worked, sick : int arrays (cells,)
        Days of officers in post, and of those who were sick.
    """
    worked = np.zeros(cells, dtype=np.int64)
    sick = np.zeros(cells, dtype=np.int64)
    long = np.empty(size, dtype=np.intp)
    short = np.empty(size, dtype=np.intp)
    many_long, many_short = 0, 0
    for row in range(size):
        if filled[row] != 1:
            continue
        where, side = int(area[row]), int(employer[row])
        worked[where * 2 + side] += 1
        present_days[row] += 1
        occurrence = int(holder[row]) * _PER_HOLDER + int(present_days[row])
        if sick_until[row] > today:
            sick[where * 2 + side] += 1
        elif leave_until[row] <= today + 1:
            overload = min(max((pressure[row] - 1.0) / 0.3, 0.0), 1.0)
            rate = sick_days[where, side] / _DAYS_A_YEAR * (1 + overload * (overload_multiplier - 1))
            long_rate = rate * long_share / long_mean
            short_rate = rate * (1 - long_share) / short_mean
            uniform = uniform_of(key[row], falls_sick, occurrence)
            if uniform < long_rate:
                long[many_long] = row
                many_long += 1
            elif uniform < long_rate + short_rate:
                short[many_short] = row
                many_short += 1
        if leave_chance > 0 and uniform_of(key[row], week_of_leave, occurrence) < leave_chance:
            leave_until[row] = today + 10
    return long[:many_long].copy(), short[:many_short].copy(), worked, sick


@compiled
def cases_of(leavers: Rows, posts: int, area: Array, officer: Rows, first_of_area: Rows) -> Rows:
    """Return everybody whose officer is one of the leavers, in row order; an officer's cases live in the same area."""
    leaves = np.zeros(posts, dtype=np.bool_)
    looked_in = np.zeros(first_of_area.size - 1, dtype=np.bool_)
    size = 0
    for post in leavers:
        leaves[post] = True
        where = int(area[post])
        if not looked_in[where]:
            looked_in[where] = True
            size += first_of_area[where + 1] - first_of_area[where]
    found = np.empty(size, dtype=np.intp)
    many = 0
    for where in range(looked_in.size):
        if looked_in[where]:
            for row in range(first_of_area[where], first_of_area[where + 1]):
                if officer[row] >= 0 and leaves[officer[row]]:
                    found[many] = row
                    many += 1
    return found[:many].copy()


@compiled
def fewest_cases(
    post: int, posts: int, area: Array, employer: Array, filled: Array, grade: Array, cases: Array
) -> int:
    """Return the officer of the same area and grade in a CRC who has the fewest cases, lowest row first; -1 if none."""
    found = -1
    for row in range(posts):
        same = area[row] == area[post] and grade[row] == grade[post]
        if same and employer[row] == _CRC and filled[row] == 1 and (found < 0 or cases[row] < cases[found]):
            found = row
    return found
