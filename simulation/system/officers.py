"""A day of officers as compiled loops: who falls sick, who takes leave, whose cases a leaver leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulation.engine import NEVER
from simulation.engine.chance import minus_log_of, uniform_of
from simulation.engine.compiled import compiled
from simulation.system import codes
from simulation.system.waits import value_at

if TYPE_CHECKING:
    Array = NDArray[Any]
    Counted = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Rows = NDArray[np.intp]

# Compiled code knows plain numbers only.
_NPS, _CRC = codes.NPS, codes.CRC
#: A holder's draws are numbered by days in post, never by date.
_PER_HOLDER = 65536


@compiled
def day_at_work(
    size: int,
    today: int,
    area: Array,
    employer: Array,
    filled: Array,
    key: Array,
    holder: Array,
    present_days: Array,
    sick_until: Array,
    sick_spells: Array,
    leave_until: Array,
    pressure: Array,
    sick_rate: Array,
    overload_multiplier: float,
    long_share: float,
    long_mean: float,
    short_mean: float,
    leave_chance: float,
    falls_sick: np.uint64,
    week_of_leave: np.uint64,
    for_how_long: np.uint64,
    long_shares: Floats,
    long_days: Floats,
    short_shares: Floats,
    short_days: Floats,
    worked: Counted,
    sick: Counted,
) -> tuple[Rows, Counted]:
    """Count a working day of everybody in post, and draw who falls sick and who is off for a week.

    Parameters
    ----------
    leave_chance : float
        Share of officers who are off next week; 0 on days that end no week.
    falls_sick, week_of_leave, for_how_long : uint64
        Constants of the draws that they name; a holder's draws are numbered by days in post, never by date.
    long_shares, long_days, short_shares, short_days : float arrays
        Quantiles of the length of long and of short spells.
    worked, sick : int arrays (cells,)
        Counts of days of officers in post, and of those who were sick.

    Returns
    -------
    falling, lengths : int arrays
        Rows of those who fall sick, and for how many working days.
    """
    falling = np.empty(size, dtype=np.intp)
    lengths = np.empty(size, dtype=np.int64)
    many = 0
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
            rate = sick_rate[where, side] * (1 + overload * (overload_multiplier - 1))
            long_rate = rate * long_share / long_mean
            short_rate = rate * (1 - long_share) / short_mean
            uniform = uniform_of(key[row], falls_sick, occurrence)
            if uniform < long_rate + short_rate:
                length = uniform_of(key[row], for_how_long, occurrence)
                if uniform < long_rate:
                    days = value_at(length, long_shares, long_days)
                else:
                    days = value_at(length, short_shares, short_days)
                sick_spells[row] += 1
                falling[many] = row
                lengths[many] = int(max(1.0, days))
                many += 1
        if leave_chance > 0 and uniform_of(key[row], week_of_leave, occurrence) < leave_chance:
            leave_until[row] = today + 10
    return falling[:many], lengths[:many]


@compiled
def cases_of(leavers: Rows, posts: int, area: Array, officer: Rows, first_of_area: Rows) -> Rows:
    """Return everybody whose officer is one of the leavers, in row order; an officer's cases live in the same area."""
    # The first place stands for nobody, so that no row asks for a choice: the processor would guess it wrong.
    leaves = np.zeros(posts + 1, dtype=np.bool_)
    looked_in = np.zeros(first_of_area.size - 1, dtype=np.bool_)
    size = 0
    for post in leavers:
        leaves[post + 1] = True
        where = int(area[post])
        if not looked_in[where]:
            looked_in[where] = True
            size += first_of_area[where + 1] - first_of_area[where]
    found = np.empty(size + 1, dtype=np.intp)
    many = 0
    for where in range(looked_in.size):
        if looked_in[where]:
            for row in range(first_of_area[where], first_of_area[where + 1]):
                found[many] = row
                many += leaves[officer[row] + 1]
    return found[:many].copy()


@compiled
def empty_posts(
    rows: Rows,
    today: int,
    months: np.uint64,
    drops_out: np.uint64,
    months_again: np.uint64,
    drop_out_share: float,
    delay: float,
    nps_shares: Floats,
    nps_months: Floats,
    crc_shares: Floats,
    crc_months: Floats,
    key: Array,
    holder: Array,
    employer: Array,
    filled: Array,
    cases: Array,
    points: Array,
    owed: Array,
    sick_until: Array,
    leave_until: Array,
) -> NDArray[np.int32]:
    """Empty posts; return the day on which each next holder begins.

    Parameters
    ----------
    months, drops_out, months_again : uint64
        Constants of the draws of months from advertisement to desk, of whether the first candidate drops out, and of
        months for the second.
    drop_out_share, delay : float
        Share of first candidates who drop out, and what all months are multiplied by.
    nps_shares, nps_months, crc_shares, crc_months : float arrays
        Quantiles of those months for each employer.
    """
    days = np.empty(rows.size, dtype=np.int32)
    for at in range(rows.size):
        row = rows[at]
        own, number, nps = key[row], int(holder[row]), employer[row] == _NPS
        shares, table = (nps_shares, nps_months) if nps else (crc_shares, crc_months)
        wait = value_at(uniform_of(own, months, number), shares, table)
        if uniform_of(own, drops_out, number) < drop_out_share:
            wait = wait + value_at(uniform_of(own, months_again, number), shares, table)
        days[at] = today + 1 + int(wait * 365.25 / 12 * delay)
        filled[row] = 0
        cases[row] = 0
        points[row] = 0
        owed[row] = 0
        sick_until[row] = NEVER
        leave_until[row] = NEVER
    return days


@compiled
def fill_posts(
    rows: Rows,
    newly_qualified: NDArray[np.bool_],
    today: int,
    reduced_days: int,
    leaves: np.uint64,
    logarithms: Array,
    key: Array,
    filled: Array,
    holder: Array,
    since: Array,
    present_days: Array,
    sick_spells: Array,
    new_until: Array,
    leaving_hazard: Array,
    leaving_threshold: Array,
    pressure: Array,
) -> None:
    """Seat a new holder in each post, with draws of their own; the newly qualified have reduced hours at first."""
    for at in range(rows.size):
        row = rows[at]
        number = int(holder[row]) + 1
        filled[row] = 1
        holder[row] = number
        since[row] = today
        present_days[row] = 0
        sick_spells[row] = 0
        new_until[row] = today + (reduced_days if newly_qualified[at] else 0)
        leaving_hazard[row] = 0.0
        leaving_threshold[row] = minus_log_of(1.0 - uniform_of(key[row], leaves, number), logarithms)
        pressure[row] = 1.0


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
