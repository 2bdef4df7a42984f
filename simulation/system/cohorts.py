"""Cohorts of published reoffending: who started an order or was released in a quarter, and who reoffended in a year.

A person is in the cohort of a quarter once, on the side that was responsible at the start; people released from a
sentence under 12 months are in a second cohort of their own. The first proven reoffence within 365 days is counted by
whole calendar months since the month of the start, so that it can be put to the month in which the cohort began. A
start in a later quarter ends the follow-up of the earlier one: most follow a reoffence that was counted already.
"""

from __future__ import annotations

import numpy as np

from simulation.engine import NEVER
from simulation.engine.compiled import AHEAD, FAR_AHEAD, compiled, compiled_inside, fetch_soon
from simulation.system import hazards
from simulation.system.codes import Location
from simulation.system.service import COUNT_INDEX, Array, Rows, Service

#: The publishers' year of follow-up, in days.
FOLLOW_UP_DAYS = 365
#: Days since supervision in the community began, of people whose cases an inspection looks at: five to nine months.
INSPECTED_FROM, INSPECTED_TO = 150, 270
#: Length in days below which a sentence is in the cohort of short ones.
_SHORT_BELOW = 365

_STARTS, _SHORT_STARTS = COUNT_INDEX["cohort_starts"], COUNT_INDEX["short_cohort_starts"]
# A compiled loop takes plain numbers, not the members of a class.
_DEAD = Location.DEAD


def orders_started(service: Service, rows: Rows) -> None:
    """Put people who start an order into the cohort of the quarter; their side is known."""
    if rows.size == 0:
        return
    people = service.people
    _begin_each(
        rows,
        service.today,
        _quarter_begin(service),
        service.flows[_STARTS],
        people.cell,
        people.side,
        people.cohort_start,
        people.cohort_side,
        people.cohort_failed,
    )


def released(service: Service, sentences_rows: Rows) -> None:
    """Put people released from these sentences today into the cohorts of the quarter."""
    if sentences_rows.size == 0:
        return
    people, sentences = service.people, service.sentences
    _begin_released(
        sentences_rows,
        service.today,
        _quarter_begin(service),
        service.flows[_STARTS],
        service.flows[_SHORT_STARTS],
        people.cell,
        people.side,
        people.location,
        people.released_on,
        people.cohort_start,
        people.cohort_side,
        people.cohort_failed,
        people.short_cohort_start,
        people.short_cohort_failed,
        sentences.person,
        sentences.length,
    )


def _quarter_begin(service: Service) -> int:
    """Return the first day of this quarter; whoever started before it isn't in this quarter's cohort yet."""
    today = service.calendar.date(service.today)
    return service.calendar.day(today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1))


@compiled_inside
def _begin_one(
    row: int,
    today: int,
    quarter_begin: int,
    starts: Array,
    cell: Array,
    side: Array,
    cohort_start: Array,
    cohort_side: Array,
    cohort_failed: Array,
) -> None:
    """Put somebody into the cohort of the quarter that began on a day, unless they are in it."""
    if cohort_start[row] < quarter_begin:  # So is NEVER.
        cohort_start[row] = today
        cohort_side[row] = max(side[row], 0)
        cohort_failed[row] = 0
        starts[cell[row]] += 1


@compiled
def _begin_each(
    rows: Rows,
    today: int,
    quarter_begin: int,
    starts: Array,
    cell: Array,
    side: Array,
    cohort_start: Array,
    cohort_side: Array,
    cohort_failed: Array,
) -> None:
    """Put people into the cohort of the quarter."""
    for row in rows:
        _begin_one(row, today, quarter_begin, starts, cell, side, cohort_start, cohort_side, cohort_failed)


@compiled
def _begin_released(
    released: Rows,
    today: int,
    quarter_begin: int,
    starts: Array,
    short_starts: Array,
    cell: Array,
    side: Array,
    location: Array,
    released_on: Array,
    cohort_start: Array,
    cohort_side: Array,
    cohort_failed: Array,
    short_start: Array,
    short_failed: Array,
    person: Array,
    length: Array,
) -> None:
    """Put people released from these sentences into the cohorts, unless they are held under another or have left."""
    for at in range(released.size):
        soon, sentence = released[min(at + AHEAD, released.size - 1)], released[at]
        fetch_soon(cohort_start, person[soon])
        fetch_soon(location, person[soon])
        fetch_soon(cell, person[soon])
        row = person[sentence]
        if released_on[row] != today or location[row] >= _DEAD:
            continue
        _begin_one(row, today, quarter_begin, starts, cell, side, cohort_start, cohort_side, cohort_failed)
        if length[sentence] < _SHORT_BELOW and short_start[row] < quarter_begin:
            short_start[row] = today
            short_failed[row] = 0
            short_starts[cell[row]] += 1


def reoffended(service: Service, rows: Rows) -> None:
    """Count the first proven reoffence of each cohort's people within the follow-up."""
    people, today = service.people, service.today
    counts, short_counts = hazards.first_reoffences(
        rows,
        today,
        service.calendar.months_from(today - FOLLOW_UP_DAYS, FOLLOW_UP_DAYS + 1),
        people.cohort_start,
        people.cohort_failed,
        people.cohort_side,
        people.short_cohort_start,
        people.short_cohort_failed,
    )
    service.band_counts("cohort_reoffences", counts)
    service.band_counts("short_cohort_reoffences", short_counts)


def inspect(service: Service, rows: Rows) -> None:
    """Count the people whom an inspection would look at, and what became of them so far."""
    people = service.people
    again, absent = _since_begun(
        rows, people.stage_start, people.cohort_failed, people.cohort_start, people.absent_on
    )
    service.count("inspection_sample", rows)
    service.count("inspection_sample_reoffended", again)
    service.count("inspection_sample_not_complying", absent)


@compiled
def _since_begun(
    rows: Rows, stage_start: Array, cohort_failed: Array, cohort_start: Array, absent_on: Array
) -> tuple[Rows, Rows]:
    """Return who of some people has reoffended, and who was absent, since supervision in the community began."""
    again, absent = np.empty(rows.size + 1, dtype=np.intp), np.empty(rows.size + 1, dtype=np.intp)
    reoffended, not_complying = 0, 0
    for at in range(rows.size):
        row, soon = rows[at], rows[min(at + FAR_AHEAD, rows.size - 1)]
        fetch_soon(stage_start, soon)
        fetch_soon(cohort_start, soon)
        fetch_soon(absent_on, soon)
        begun = stage_start[row]
        # Written for each, kept for some: a choice that can't be foretold costs more than a number.
        again[reoffended], absent[not_complying] = row, row
        reoffended += (cohort_failed[row] == 1) & (cohort_start[row] >= begun)
        not_complying += (absent_on[row] != NEVER) & (absent_on[row] >= begun)
    return again[:reoffended], absent[:not_complying]
