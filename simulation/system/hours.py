"""Hours: what each officer has for cases, as the workload tool knows it and as it is.

Contracted hours less reductions are known to the tool: a trainee's by half-years, those of the newly qualified and of
new services officers, trade-union facility time, and all hours of somebody away for so long that others hold the
cases. Hours that trainees take from the colleagues who teach them are not known to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulation.engine.compiled import compiled
from simulation.system import codes
from simulation.system.service import Service

if TYPE_CHECKING:
    Array = NDArray[Any]

# Compiled code knows plain numbers only.
_PO, _TRAINEE, _PERMANENT = codes.Grade.PO, codes.Grade.TRAINEE, codes.Terms.PERMANENT


class Reductions(NamedTuple):
    """Shares of contracted hours, and the days after which the next one of a trainee holds."""

    trainee_first: float
    trainee_second: float
    trainee_later: float
    second_from: int
    later_from: int
    newly_qualified: float
    services_officer: float


class HoursOf(NamedTuple):
    """Columns of posts that decide what hours there are, and those that hold the answer."""

    office: Array
    employer: Array
    filled: Array
    grade: Array
    terms: Array
    since: Array
    new_until: Array
    sick_until: Array
    away_until: Array
    hours: Array
    facility: Array
    covered: Array
    hours_left: Array
    teaching: Array


@compiled
def reduction_of(grade: int, days: int, is_new: bool, reductions: Reductions) -> float:
    """Return the share of hours by which the work of a holder of so many days is reduced."""
    if grade == _TRAINEE:
        if days < reductions.second_from:
            return reductions.trainee_first
        if days < reductions.later_from:
            return reductions.trainee_second
        return reductions.trainee_later
    if is_new:
        return reductions.newly_qualified if grade == _PO else reductions.services_officer
    return 0.0


@compiled
def set_hours(size: int, today: int, reductions: Reductions, teaching_each: int, posts: HoursOf) -> None:
    """Set the hours that every holder has today.

    Parameters
    ----------
    teaching_each : int
        Hundredths of an hour a week that a trainee takes from probation officers of the team, shared evenly among
        those who are neither new nor from an agency.
    """
    offices = 0
    for row in range(size):
        offices = max(offices, int(posts.office[row]) + 1)
    teams = offices * 2
    trainees, tutors = np.zeros(teams, dtype=np.int64), np.zeros(teams, dtype=np.int64)
    for row in range(size):
        posts.hours_left[row] = 0
        posts.teaching[row] = 0
        if posts.filled[row] != 1:
            continue
        if posts.covered[row] == 1:
            if posts.sick_until[row] > today or posts.away_until[row] > today:
                continue
            posts.covered[row] = 0
        grade, hours = posts.grade[row], int(posts.hours[row])
        is_new = posts.new_until[row] > today
        share = reduction_of(grade, today - int(posts.since[row]), is_new, reductions)
        # Hundredths of an hour are cut off, as the tool cuts points.
        posts.hours_left[row] = max(0, hours - int(hours * share + 0.5) - int(posts.facility[row]))
        team = int(posts.office[row]) * 2 + int(posts.employer[row])
        trainees[team] += grade == _TRAINEE
        tutors[team] += grade == _PO and not is_new and posts.terms[row] == _PERMANENT
    for row in range(size):
        team = int(posts.office[row]) * 2 + int(posts.employer[row])
        tutor = posts.grade[row] == _PO and posts.new_until[row] <= today and posts.terms[row] == _PERMANENT
        if posts.hours_left[row] > 0 and tutor and trainees[team] > 0:
            posts.teaching[row] = min(int(posts.hours_left[row]), teaching_each * trainees[team] // tutors[team])


def points_available(points_per_month: int, hours_left: Array, full_time: int) -> NDArray[np.int64]:
    """Return the tool's points for hours left: the full-time number times hours left over full-time hours.

    Examples
    --------
    Full time less 1.8 hours a week, and 30 hours less 1.8 hours, as the tool's own tests have them:

    >>> points_available(2176, np.array([3520, 2820]), 3700).tolist()
    [2070, 1658]
    """
    return hours_left.astype(np.int64) * points_per_month // full_time


def tool_in_use(service: Service) -> NDArray[np.bool_]:
    """Return where there is a workload tool, by area and side."""
    table, name_of = service.levers.mapping("workload.tool_in_use"), service.geography.provider_name
    sides = range(len(codes.SIDES))
    names = [[name_of(area, side) for side in sides] for area in range(service.areas)]
    found = [[table.get(row[side], table[codes.SIDES[side]]) for side in sides] for row in names]
    return np.array(found, dtype=np.float64) > 0.5


__all__ = ["HoursOf", "Reductions", "points_available", "reduction_of", "set_hours", "tool_in_use"]
