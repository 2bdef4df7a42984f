"""Officers' days: who is at work, for how long, and what is left over for tomorrow; compiled loops over posts.

:mod:`simulation.system.caseload` says when a day begins and ends; what is done in it is in
:mod:`simulation.system.diary_loops`.
"""

from __future__ import annotations

from operator import attrgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulation.engine.chance import uniform_of
from simulation.engine.compiled import compiled, compiled_inside
from simulation.system.columns import Posts
from simulation.system.contact_loops import Counted
from simulation.system.service import Array, Rows

Flags = NDArray[np.bool_]
Seconds = NDArray[np.int64]

#: What is counted of posts at the end of the day.
COUNTED_POSTS = ("seconds_available", "seconds_worked", "seconds_unused", "seconds_meetings")
_AVAILABLE, _WORKED, _UNUSED, _MEETINGS = range(len(COUNTED_POSTS))


class PostColumns(NamedTuple):
    """The columns of posts that diaries read and write."""

    key: Array
    holder: Array
    present_days: Array
    area: Array
    employer: Array
    office: Array
    filled: Array
    hours_left: Array
    teaching: Array
    sick_until: Array
    leave_until: Array
    away_until: Array
    owed: Array
    saved: Array


_post_columns = attrgetter(*PostColumns._fields)


def post_columns(posts: Posts) -> PostColumns:
    """Return the columns as they are now: a table that has grown has new ones."""
    return PostColumns._make(column[: posts.size] for column in _post_columns(posts))


@compiled_inside
def _time_of(post: int, posts: PostColumns, rate: float, full_time: int) -> tuple[int, int]:
    """Return the time of a holder in a day at work, and what of it trainees take."""
    whole = int(rate * posts.hours_left[post] / full_time)
    return whole, min(whole, int(rate * posts.teaching[post] / full_time))


class AtWork(NamedTuple):
    """Who is at work today, by post, and whoever is on duty for colleagues."""

    here: Flags
    day: Seconds  # their time,
    available: Seconds  # what is left of it after yesterday's overrun,
    lost: Seconds  # and what a meeting takes
    roster: Rows  # posts at work, sorted by office and employer,
    begins: Rows  # and where each office and employer begins


@compiled
def open_posts(
    posts: PostColumns,
    today: int,
    productive: NDArray[np.float64],
    undisturbed: NDArray[np.float64],
    full_time: int,
    meetings: NDArray[np.float64],
    meeting_seconds: int,
    meeting: np.uint64,
    teaching: Seconds,
    to_transition: Seconds,
) -> AtWork:
    """Return who is at work today and what time they have.

    What somebody on reduced hours didn't use comes on top: days off and study move round appointments.

    Parameters
    ----------
    productive, undisturbed : float arrays (area, employer)
        Time of a full-time holder in a day at work, today and but for any transition.
    full_time : int
        Hours of a full-time holder, in hundredths of an hour a week.
    meetings : float array (area, employer)
        Chance of a meeting that takes time away from the diary.
    meeting_seconds : int
        How long one takes.
    meeting : uint64
        Constant of the draw.
    teaching, to_transition : int64 arrays (cells,)
        Counts of time that trainees took from those who are at work, and that they lost to a transition.
    """
    size = posts.filled.size
    at_work = np.zeros(size, dtype=np.bool_)
    day, available = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
    lost = np.zeros(size, dtype=np.int64)
    for post in range(size):
        away = posts.sick_until[post] > today or posts.leave_until[post] > today or posts.away_until[post] > today
        if posts.filled[post] == 1 and not away:
            at_work[post] = True
            area, side = int(posts.area[post]), int(posts.employer[post])
            whole, taught = _time_of(post, posts, productive[area, side], full_time)
            teaching[area * 2 + side] += taught
            chance, longest = meetings[area, side], 0
            if chance > 0:
                occurrence = int(posts.holder[post]) * 65536 + int(posts.present_days[post])
                if uniform_of(posts.key[post], meeting, occurrence) < chance:
                    longest = meeting_seconds
            lost[post] = min(whole - taught, longest)
            day[post] = whole - taught - lost[post]
            if productive[area, side] != undisturbed[area, side]:
                whole, taught = _time_of(post, posts, undisturbed[area, side], full_time)
                to_transition[area * 2 + side] += max(0, whole - taught - longest) - day[post]
            available[post] = day[post] + int(posts.saved[post]) - int(posts.owed[post])
    roster, begins = _duty_roster(posts, at_work)
    return AtWork(at_work, day, available, lost, roster, begins)


@compiled
def close_posts(
    posts: PostColumns,
    now: AtWork,
    used: Seconds,
    productive: NDArray[np.float64],
    counted: Counted,
    balance: Seconds,
) -> None:
    """Note what is owed to tomorrow, and what somebody on reduced hours saves for it, up to a full-time day in all.

    Time at work, started, unused, and the change in what is owed less what is saved are added to the balance.
    """
    at_work, day, available, lost = now.here, now.day, now.available, now.lost
    change = 0
    for post in range(at_work.size):
        if not at_work[post]:
            continue
        cell = int(posts.area[post]) * 2 + int(posts.employer[post])
        owed, left = max(0, used[post] - available[post]), max(0, available[post] - used[post])
        saved = min(left, max(0, int(productive[posts.area[post], posts.employer[post]]) - day[post] - lost[post]))
        change += (owed - int(posts.owed[post])) - (saved - int(posts.saved[post]))
        posts.owed[post] = owed
        posts.saved[post] = saved
        counted[_AVAILABLE, cell] += day[post]
        counted[_WORKED, cell] += used[post]
        counted[_UNUSED, cell] += left - saved
        counted[_MEETINGS, cell] += lost[post]
    balance[0] += day.sum()
    balance[1] += used.sum()
    balance[2] += counted[_UNUSED].sum()
    balance[3] += change


@compiled_inside
def _duty_roster(posts: PostColumns, at_work: Flags) -> tuple[Rows, Rows]:
    """Return posts at work sorted by office and employer, and where each office and employer begins."""
    last = 0
    for post in range(posts.office.size):
        last = max(last, int(posts.office[post]))
    begins = np.zeros(last * 2 + 3, dtype=np.intp)
    for post in range(at_work.size):
        if at_work[post]:
            begins[posts.office[post] * 2 + posts.employer[post] + 1] += 1
    for at in range(begins.size - 1):
        begins[at + 1] += begins[at]
    place = begins.copy()
    roster = np.empty(begins[-1], dtype=np.intp)
    for post in range(at_work.size):
        if at_work[post]:
            here = posts.office[post] * 2 + posts.employer[post]
            roster[place[here]] = post
            place[here] += 1
    return roster, begins
