"""Cohorts of published reoffending: who started an order or was released in a quarter, and who reoffended in a year.

A person is in the cohort of a quarter once, on the side that was responsible at the start; people released from a
sentence under 12 months are in a second cohort of their own. The first proven reoffence within 365 days is counted by
whole calendar months since the month of the start, so that it can be put to the month in which the cohort began. A
start in a later quarter ends the follow-up of the earlier one: most follow a reoffence that was counted already.
"""

from __future__ import annotations

import numpy as np

from simulation.engine import NEVER
from simulation.engine.agenda import each_once
from simulation.system.codes import Location
from simulation.system.service import Array, Rows, Service

#: The publishers' year of follow-up, in days.
FOLLOW_UP_DAYS = 365
#: Days since supervision in the community began, of people whose cases an inspection looks at: five to nine months.
INSPECTED_FROM, INSPECTED_TO = 150, 270


def orders_started(service: Service, rows: Rows) -> None:
    """Put people who start an order into the cohort of the quarter; their side is known."""
    _begin(service, rows)


def released(service: Service, sentences_rows: Rows) -> None:
    """Put people released from these sentences today into the cohorts of the quarter."""
    people, sentences = service.people, service.sentences
    person = sentences.person[sentences_rows]
    out = (people.released_on[person] == service.today) & (people.location[person] < Location.DEAD)
    short = out & (sentences.length[sentences_rows] < 365)
    _begin(service, each_once(person[out]))
    rows = _newly(service, each_once(person[short]), people.short_cohort_start)
    people.short_cohort_start[rows] = service.today
    people.short_cohort_failed[rows] = 0
    service.count("short_cohort_starts", rows)


def _begin(service: Service, rows: Rows) -> None:
    people = service.people
    rows = _newly(service, rows, people.cohort_start)
    people.cohort_start[rows] = service.today
    people.cohort_side[rows] = np.maximum(people.side[rows], 0)
    people.cohort_failed[rows] = 0
    service.count("cohort_starts", rows)


def _newly(service: Service, rows: Rows, start: Array) -> Rows:
    """Return those who are not yet in this quarter's cohort."""
    if rows.size == 0:
        return rows
    calendar, before = service.calendar, start[rows]
    known = before != NEVER
    same = calendar.month(np.where(known, before, service.today)) // 3 == int(calendar.month(service.today)) // 3
    return rows[~(known & same)]


def reoffended(service: Service, rows: Rows) -> None:
    """Count the first proven reoffence of each cohort's people within the follow-up."""
    people = service.people
    first = _first(service, rows, people.cohort_start, people.cohort_failed)
    service.band("cohort_reoffences", _months_since(service, people.cohort_start[first]), people.cohort_side[first])
    first = _first(service, rows, people.short_cohort_start, people.short_cohort_failed)
    months = _months_since(service, people.short_cohort_start[first])
    service.band("short_cohort_reoffences", months, np.zeros(first.size, dtype=np.int64))


def _first(service: Service, rows: Rows, start: Array, failed: Array) -> Rows:
    """Return whose first reoffence of the follow-up this is, and remember it."""
    begun = start[rows]
    within = (begun != NEVER) & (service.today - begun <= FOLLOW_UP_DAYS) & (failed[rows] == 0)
    first = rows[within]
    failed[first] = 1
    return first


def _months_since(service: Service, days: Array) -> Array:
    return (int(service.calendar.month(service.today)) - service.calendar.month(days)).astype(np.int64)


def inspect(service: Service, rows: Rows) -> None:
    """Count the people whom an inspection would look at, and what became of them so far."""
    people = service.people
    begun = people.stage_start[rows]
    service.count("inspection_sample", rows)
    again = (people.cohort_failed[rows] == 1) & (people.cohort_start[rows] >= begun)
    service.count("inspection_sample_reoffended", rows[again])
    absent = people.absent_on[rows]
    service.count("inspection_sample_not_complying", rows[(absent != NEVER) & (absent >= begun)])
