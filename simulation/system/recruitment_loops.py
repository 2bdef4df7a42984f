"""The search for the next holder of a post, and what goes with a new holder, post by post as compiled loops.

The rules are told in :mod:`simulation.system.recruitment`, which counts, tells the history and books what follows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulation.engine import NEVER
from simulation.engine.calendar import MONTH_DAYS
from simulation.engine.chance import minus_log_of, uniform_of
from simulation.engine.compiled import compiled, compiled_inside
from simulation.system import codes
from simulation.system.waits import value_at

if TYPE_CHECKING:
    Array = NDArray[Any]
    Days = NDArray[np.int64]
    Rows = NDArray[np.intp]

# Compiled code knows plain numbers only.
_ADVERT, _START = codes.Stage.ADVERT, codes.Stage.START
_PERMANENT, _ORDINARY = codes.Terms.PERMANENT, codes.Reason.ORDINARY
#: Draws of a search are numbered by the search and its stage.
_PER_SEARCH = 8


@compiled_inside
def days_of_stage(
    key: np.uint64, side: int, search: int, stage: int, shares: Array, months: Array, delay: float, length: np.uint64
) -> int:
    """Return how long a stage of one search takes, in days.

    Parameters
    ----------
    shares, months : float arrays (side, stage, quantile)
        Quantiles of the months that each stage takes.
    delay : float
        What multiplies them.
    length : uint64
        Constant of the draw.
    """
    uniform = uniform_of(key, length, search * _PER_SEARCH + stage)
    return int(value_at(uniform, shares[side, stage - 1], months[side, stage - 1]) * MONTH_DAYS * delay)


@compiled
def stage_days(
    rows: Rows,
    stage: int,
    shares: Array,
    months: Array,
    delay: float,
    length: np.uint64,
    key: Array,
    employer: Array,
    adverts: Array,
) -> Days:
    """Return how long a stage of each search takes, in days."""
    days = np.empty(rows.size, dtype=np.int64)
    for at in range(rows.size):
        row, side, search = rows[at], int(employer[rows[at]]), int(adverts[rows[at]])
        days[at] = days_of_stage(key[row], side, search, stage, shares, months, delay, length)
    return days


@compiled
def go_a_stage_further(
    rows: Rows,
    today: int,
    shares: Array,
    months: Array,
    drop_out: Array,
    delay: float,
    length: np.uint64,
    loses: np.uint64,
    key: Array,
    employer: Array,
    stage: Array,
    adverts: Array,
) -> tuple[Rows, Rows, Days, Rows]:
    """Take each search a stage further, or back to its beginning if the candidate drops out.

    Parameters
    ----------
    drop_out : float array (stages,)
        Share of candidates who drop out at the end of each stage.
    loses : uint64
        Constant of the draw that decides it; for the others see :func:`days_of_stage`.

    Returns
    -------
    lost, searching, days, starting : int arrays
        Rows of the posts whose candidate drops out; of all whose search goes on, and the day on which its present
        stage ends; of those whose candidate begins.
    """
    lost, searching, starting = np.empty_like(rows), np.empty_like(rows), np.empty_like(rows)
    days = np.empty(rows.size, dtype=np.int64)
    many_lost, many, many_starting = 0, 0, 0
    for row in rows:
        now = int(stage[row])
        if uniform_of(key[row], loses, int(adverts[row]) * _PER_SEARCH + now) < drop_out[now - 1]:
            lost[many_lost] = row
            many_lost += 1
            adverts[row] += 1
            stage[row] = _ADVERT
        elif now == _START:
            starting[many_starting] = row
            many_starting += 1
            continue
        else:
            stage[row] = now + 1
        side, search = int(employer[row]), int(adverts[row])
        takes = days_of_stage(key[row], side, search, int(stage[row]), shares, months, delay, length)
        searching[many] = row
        days[many] = today + 1 + takes
        many += 1
    return lost[:many_lost], searching[:many], days[:many], starting[:many_starting]


@compiled
def draw_holders(
    rows: Rows,
    leaving: np.uint64,
    part_time: np.uint64,
    facility_time: np.uint64,
    part_time_share: Array,
    part_time_hours: int,
    full_time: int,
    facility_share: float,
    facility_of_hours: float,
    logarithms: Array,
    key: Array,
    area: Array,
    employer: Array,
    holder: Array,
    terms: Array,
    leaving_threshold: Array,
    hours: Array,
    facility: Array,
) -> None:
    """Draw what goes with each holder: when they leave at the earliest, contracted hours, facility time.

    Parameters
    ----------
    leaving, part_time, facility_time : uint64
        Constants of the draws that they name.
    part_time_share : float array (areas, sides)
        Share of permanent holders who are part-time.
    """
    for row in rows:
        number = int(holder[row])
        leaving_threshold[row] = minus_log_of(1.0 - uniform_of(key[row], leaving, number), logarithms)
        permanent = terms[row] == _PERMANENT
        part = permanent and uniform_of(key[row], part_time, number) < part_time_share[area[row], employer[row]]
        contracted = part_time_hours if part else full_time
        has = permanent and uniform_of(key[row], facility_time, number) < facility_share
        hours[row] = contracted
        facility[row] = int(contracted * facility_of_hours) if has else 0


@compiled
def seat_holders(
    rows: Rows,
    today: int,
    its_terms: int,
    holder: Array,
    filled: Array,
    terms: Array,
    since: Array,
    present_days: Array,
    sick_spells: Array,
    new_until: Array,
    qualifies_on: Array,
    leaving_hazard: Array,
    pressure: Array,
) -> None:
    """Seat a new holder in each post, about whom nothing is known yet."""
    for row in rows:
        holder[row] += 1
        filled[row] = 1
        terms[row] = its_terms
        since[row] = today
        present_days[row] = 0
        sick_spells[row] = 0
        new_until[row] = NEVER
        qualifies_on[row] = NEVER
        leaving_hazard[row] = 0.0
        pressure[row] = 1.0


@compiled
def empty_posts(
    rows: Rows,
    filled: Array,
    covered: Array,
    terms: Array,
    leaving_reason: Array,
    grade: Array,
    post_grade: Array,
    sick_until: Array,
    leave_until: Array,
    away_until: Array,
    new_until: Array,
    qualifies_on: Array,
) -> None:
    """Leave posts without a holder, and with nothing that was known of the one before."""
    for row in rows:
        filled[row] = 0
        covered[row] = 0
        terms[row] = _PERMANENT
        leaving_reason[row] = _ORDINARY
        grade[row] = post_grade[row]
        sick_until[row] = NEVER
        leave_until[row] = NEVER
        away_until[row] = NEVER
        new_until[row] = NEVER
        qualifies_on[row] = NEVER
