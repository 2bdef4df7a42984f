"""The first day on which two scenarios can differ; until then every output must be the same bytes."""

from __future__ import annotations

import datetime

import numpy as np

from simulation.scenario.effective import NEVER, Key, Resolved
from simulation.scenario.parameters import canonical_leaf

_DAY = datetime.timedelta(days=1)


def first_difference(one: Resolved, other: Resolved) -> datetime.date | None:
    """First date on which two resolved scenarios can differ, or None if they never do.

    Values now in force and values kept for earlier cohorts are both compared, over the dates that both runs
    cover. The dates of the runs themselves are left out.

    Parameters
    ----------
    one, other : Resolved

    Returns
    -------
    datetime.date or None
    """
    first = max(one.start, other.start)
    last = min(one.end, other.end)
    found: list[datetime.date] = []
    for name in sorted({*one.parameters, *other.parameters}):
        if name not in one.parameters or name not in other.parameters:
            return first
        mine, theirs = one.parameters[name], other.parameters[name]
        if (
            set(mine.leaves) != set(theirs.leaves)
            or mine.read_on != theirs.read_on
            or mine.kind != theirs.kind
        ):
            return first
        for labels in mine.leaves:
            key = (name, labels)
            if mine is theirs and not one.steps(key) and not other.steps(key):
                continue
            day = _value_difference(one, other, key, first, min([last, *found]))
            if day is not None:
                found.append(day)
    return min(found, default=None)


def _value_difference(
    one: Resolved, other: Resolved, key: Key, first: datetime.date, last: datetime.date
) -> datetime.date | None:
    name, labels = key
    mine, theirs = one.parameters[name], other.parameters[name]
    same_base = (
        mine.series == theirs.series
        and mine.points.get(labels) == theirs.points.get(labels)
        and canonical_leaf(mine.leaves[labels]) == canonical_leaf(theirs.leaves[labels])
    )
    signatures = [[step.signature(each.start) for step in each.steps(key)] for each in (one, other)]
    if same_base and signatures[0] == signatures[1]:
        return None
    moments = {first}
    for each in (one, other):
        for step in each.steps(key):
            ends = [step.last] if step.last < NEVER else []
            moments.update(each.date(day) for day in (*step.days_of_change(), *ends))
    cohorts = sorted(moment for moment in moments if moment <= last)
    if mine.series:
        # A series moves between changes, so each day is looked at.
        moments = {first + n * _DAY for n in range((last - first).days + 1)}
    # Only a scenario with `applies_to: new` remembers earlier cohorts.
    remembers = not all(step.everyone for each in (one, other) for step in each.steps(key))
    for moment in sorted(moment for moment in moments if first <= moment <= last):
        if _differ(one, other, key, moment, moment):
            return moment
        earlier = [first - _DAY, *(cohort for cohort in cohorts if cohort < moment)] if remembers else []
        if any(_differ(one, other, key, moment, cohort) for cohort in earlier):
            return moment
    return None


def _differ(one: Resolved, other: Resolved, key: Key, today: datetime.date, cohort: datetime.date) -> bool:
    grids = [each.value_grid(key, each.day_number(today), each.day_number(cohort)) for each in (one, other)]
    return not np.array_equal(grids[0], grids[1])
