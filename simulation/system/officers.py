"""A day of officers as compiled loops: who falls sick, who goes on leave, whose cases somebody leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulation.engine.chance import uniform_of
from simulation.engine.compiled import AHEAD, compiled, compiled_inside, fetch_soon
from simulation.engine.order import put_in_order
from simulation.system import codes
from simulation.system.columns import OFFICER_BITS
from simulation.system.waits import value_at

if TYPE_CHECKING:
    Array = NDArray[Any]
    Counted = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Rows = NDArray[np.intp]

# Compiled code knows plain numbers only.
_CRC, _AGENCY, _PERMANENT = codes.CRC, codes.Terms.AGENCY, codes.Terms.PERMANENT
#: A holder's draws are numbered by days in post, never by date.
PER_HOLDER = 65536
#: What is counted of a working day, in the order in which the loop below takes it.
DAYS_COUNTED = (
    "officer_days",
    "sickness_days",
    "sickness_days_long",
    "maternity_days",
    "agency_days",
    "agency_pence",
)
#: Bits of a number that are a row, where others above them are an area.
_ROW_BITS = 32
_ROW = (1 << _ROW_BITS) - 1
#: People who are looked at together.
_STRETCH = 64


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
    terms: Array,
    sick_long: Array,
    away_until: Array,
    sick_rate: Array,
    overload: tuple[float, float, float, float],
    long_share: float,
    long_mean: float,
    short_mean: float,
    leave_chance: Array,
    next_day: int,
    leave_ends: int,
    after_working_days: Array,
    cases_move_after: int,
    agency_pence: int,
    maternity_chance: float,
    falls_sick: np.uint64,
    week_of_leave: np.uint64,
    for_how_long: np.uint64,
    goes_on_maternity_leave: np.uint64,
    long_shares: Floats,
    long_days: Floats,
    short_shares: Floats,
    short_days: Floats,
    numbers: Rows,
    flows: Counted,
    sick_for_weeks: Rows,
    beginning: Rows,
) -> tuple[int, int]:
    """Count a working day of everybody in post, and draw who falls sick from tomorrow and who is off for a week.

    Parameters
    ----------
    sick_rate : float array (areas, sides)
        Working days that a day at risk loses to sickness.
    overload : tuple of float
        Pressure at which overload begins, pressure at which it is full, the most that counts, and what full overload
        adds to sickness, relative.
    leave_chance : float array (areas, sides)
        Share of officers who are off next week, of those who will be well on its first day.
    next_day, leave_ends : int
        The next working day, and the day after a week of leave that begins now; 0 on days that end no week.
    after_working_days : int array
        The days that lie 1, 2, 3 ... working days after today, at places 1, 2, 3 ...
    cases_move_after : int
        Working days of sickness after which others take over the cases of somebody sick for long.
    agency_pence : int
        What a day of an agency officer costs.
    maternity_chance : float
        Chance of an officer to begin maternity leave tomorrow.
    falls_sick, week_of_leave, for_how_long, goes_on_maternity_leave : uint64
        Constants of the draws that they name; a holder's draws are numbered by days in post, never by date.
    long_shares, long_days, short_shares, short_days : float arrays
        Quantiles of the length of long and of short spells.
    numbers : int array
        Rows in ``flows``, the counts of this month, of :data:`DAYS_COUNTED`, in that order.
    sick_for_weeks, beginning : int arrays (posts,)
        Written here: rows of those who fall sick for so long that their cases move, and of those who go on maternity
        leave.

    Returns
    -------
    many, leaving : int
        How many of each there are.
    """
    worked, sick, sick_for_long = flows[numbers[0]], flows[numbers[1]], flows[numbers[2]]
    on_maternity_leave, by_agency, agency_cost = flows[numbers[3]], flows[numbers[4]], flows[numbers[5]]
    begins, full, most, added = overload
    many, leaving = 0, 0
    for row in range(size):
        if filled[row] != 1:
            continue
        where, side = int(area[row]), int(employer[row])
        worked[where * 2 + side] += 1
        if terms[row] == _AGENCY:
            by_agency[where * 2 + side] += 1
            agency_cost[where * 2 + side] += agency_pence
        present_days[row] += 1
        occurrence = int(holder[row]) * PER_HOLDER + int(present_days[row])
        if away_until[row] > today:
            on_maternity_leave[where * 2 + side] += 1
            continue
        if terms[row] != _AGENCY and uniform_of(key[row], goes_on_maternity_leave, occurrence) < maternity_chance:
            beginning[leaving] = row
            leaving += 1
        if sick_until[row] > today:
            sick[where * 2 + side] += 1
            sick_for_long[where * 2 + side] += sick_long[row]
        elif leave_until[row] <= today + 1:
            overloaded = max(min(pressure[row], most) - begins, 0.0) / (full - begins)
            rate = sick_rate[where, side] * (1 + overloaded * added)
            long_rate = rate * long_share / long_mean
            short_rate = rate * (1 - long_share) / short_mean
            uniform = uniform_of(key[row], falls_sick, occurrence)
            if uniform < long_rate + short_rate:
                length = uniform_of(key[row], for_how_long, occurrence)
                if uniform < long_rate:
                    days = value_at(length, long_shares, long_days)
                else:
                    days = value_at(length, short_shares, short_days)
                sick_long[row] = uniform < long_rate
                sick_spells[row] += 1
                length_of_spell = int(max(1.0, days))
                sick_until[row] = after_working_days[length_of_spell + 1]
                # Short sickness doesn't move cases; long sickness does, once it has lasted.
                sick_for_weeks[many] = row
                many += uniform < long_rate and length_of_spell > cases_move_after
                continue
        if leave_ends == 0:
            continue
        chance = leave_chance[where, side]
        # Who is sick takes no leave: those days would have to be made good.
        if chance > 0 and sick_until[row] <= next_day and uniform_of(key[row], week_of_leave, occurrence) < chance:
            leave_until[row] = leave_ends
    return many, leaving


def held_elsewhere(area: Array, rows: Rows) -> Rows:
    """Return an area and a person in one number each, so that in order those of an area lie beside each other."""
    return (area.astype(np.int64) << _ROW_BITS) + rows


@compiled_inside
def held_elsewhere_at(area: int, row: int) -> int:
    """Return one number of :func:`held_elsewhere`, for compiled loops."""
    return (area << _ROW_BITS) + row


def those_of(area: int, found: Rows) -> Rows:
    """Return the people of an area from :func:`held_elsewhere`, in order."""
    first, end = np.searchsorted(found, [area << _ROW_BITS, (area + 1) << _ROW_BITS])
    rows: Rows = found[first:end] & _ROW
    return rows


@compiled
def cases_of(leavers: Rows, area: Array, cases: Array, words: Array, first_of_area: Rows, moved: Rows) -> Rows:
    """Return everybody whose officer is one of the leavers, in row order.

    An officer's cases are in the rows of the same area, but for people whom another area has taken over: only where
    some are missing there are these gone through.

    Parameters
    ----------
    leavers : int array
        Rows of posts, each once.
    area, cases : int arrays (posts,)
        Where each post is, and how many cases its holder has.
    words : int64 array (people,)
        Everybody's officer and what lies beside it, see :attr:`simulation.system.columns.People.place_words`.
    first_of_area : int array (areas + 1,)
        Row of the first person of each area, and the number of people.
    moved : int64 array
        Everybody who may have an officer elsewhere than in the area in whose rows they are, see :func:`held_elsewhere`.
    """
    size = 0
    for post in leavers:
        size += int(cases[post])
    found = np.empty(size, dtype=np.intp)
    many, in_order = 0, leavers.size < 2
    for post in leavers:
        first, last = first_of_area[area[post]], first_of_area[area[post] + 1]
        # As many as they hold, and no further.
        until = many + int(cases[post])
        many = _cases_among(first, last, post, until, many, words, found)
        if many < until:
            many = _cases_of_moved(moved, int(area[post]), first, last, post, until, many, words, found)
            in_order = False
    if not in_order:
        put_in_order(found[:many])
    return found[:many]


@compiled_inside
def _cases_among(start: int, end: int, post: int, until: int, many: int, words: Array, found: Rows) -> int:
    """Add the rows from ``start`` up to ``end`` whose officer it is to those found; return how many there are now."""
    while many < until and start < end:
        # Most stretches of people hold nobody's case of theirs; the processor compares a whole one in few steps.
        theirs = 0
        for row in range(start, min(start + _STRETCH, end)):
            theirs += (words[row] & OFFICER_BITS) == post
        row = start
        while theirs > 0:
            if (words[row] & OFFICER_BITS) == post:
                found[many] = row
                many += 1
                theirs -= 1
            row += 1
        start += _STRETCH
    return many


@compiled_inside
def _cases_of_moved(
    moved: Rows, area: int, first: int, last: int, post: int, until: int, many: int, words: Array, found: Rows
) -> int:
    """Add those who moved to an area, but for its own rows, whose officer it is; return how many there are now."""
    at = int(np.searchsorted(moved, area << _ROW_BITS))
    while many < until and at < moved.size and moved[at] >> _ROW_BITS == area:
        row = moved[at] & _ROW
        fetch_soon(words, moved[min(at + AHEAD, moved.size - 1)] & _ROW)
        if (words[row] & OFFICER_BITS) == post and not first <= row < last:
            found[many] = row
            many += 1
        at += 1
    return many


@compiled
def hand_over_cases(rows: Rows, cases: Array, points: Array, owed: Array, saved: Array) -> int:
    """Leave posts without cases and debts; return the time that was owed less saved, which nobody makes good."""
    dropped = 0
    for row in rows:
        dropped += int(owed[row]) - int(saved[row])
        cases[row] = 0
        points[row] = 0
        owed[row] = 0
        saved[row] = 0
    return dropped


@compiled
def take_cases(
    rows: Rows,
    today: int,
    area: Array,
    cases: Array,
    points: Array,
    owed: Array,
    saved: Array,
    places: Array,
    words: Array,
    waiting_since: Array,
    first_of_area: Rows,
    moved: Rows,
) -> tuple[Rows, int]:
    """Take their cases from officers; return :func:`cases_of`, who wait from today, and :func:`hand_over_cases`."""
    held = cases_of(rows, area, cases, words, first_of_area, moved)
    for at in range(held.size):
        fetch_soon(waiting_since, held[min(at + AHEAD, held.size - 1)])
        places[held[at]]["officer"] = -1
        waiting_since[held[at]] = today
    return held, hand_over_cases(rows, cases, points, owed, saved)


@compiled
def who_would_move(
    post: int,
    posts: int,
    today: int,
    settled_after: int,
    area: Array,
    employer: Array,
    filled: Array,
    terms: Array,
    grade: Array,
    covered: Array,
    away_until: Array,
    sick_until: Array,
    since: Array,
    hours_left: Array,
    cases: Array,
) -> int:
    """Return the officer of the same area and grade in a CRC who moves to an NPS post; -1 if there is none.

    Whoever is at work has the fewest cases for the hours left, lowest row first. Officers on long leave or sick hold
    few cases because others cover them, and aren't asked; those in post for less than ``settled_after`` days only if
    there is nobody else.
    """
    found, found_new = -1, False
    for row in range(posts):
        if area[row] != area[post] or grade[row] != grade[post] or employer[row] != _CRC:
            continue
        if filled[row] != 1 or terms[row] != _PERMANENT or hours_left[row] <= 0:
            continue
        if covered[row] == 1 or away_until[row] > today or sick_until[row] > today:
            continue
        new = today - since[row] < settled_after
        if found >= 0 and new and not found_new:
            continue
        # Cases for an hour, as whole numbers.
        lighter = found >= 0 and int(cases[row]) * int(hours_left[found]) < int(cases[found]) * int(hours_left[row])
        if found < 0 or (found_new and not new) or lighter:
            found, found_new = row, new
    return found
