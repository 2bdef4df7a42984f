"""What must hold of requirements and of groups, found from the tables alone."""

from __future__ import annotations

import numpy as np

from simulation.system.codes import Progress, Requirement
from simulation.system.service import Rows, Service


def broken_balances(service: Service) -> Rows:
    """Return the kinds of requirement whose running totals aren't those of the table.

    Days and hours are added to the totals when they are ordered, done and left undone; the table says how much of each
    requirement there was and is. Nothing may be done beyond what was ordered.
    """
    rows, totals = service.requirements, service.tables["requirement_totals"]
    size = rows.size
    kind, ordered, done = rows.kind[:size], rows.ordered[:size].astype(np.int64), rows.done[:size].astype(np.int64)
    ended = rows.progress[:size] == Progress.ENDED
    broken = []
    for number in (Requirement.REHABILITATION, Requirement.UNPAID_WORK):
        mine = kind == number
        found = (
            int(ordered[mine].sum()),
            int(done[mine].sum()),
            int((ordered - done)[mine & ended].sum()),
        )
        noted = (int(totals.ordered[number]), int(totals.done[number]), int(totals.lapsed[number]))
        finished = rows.progress[:size][mine] == Progress.FINISHED
        right = (done[mine] <= ordered[mine]) & (finished == (done[mine] == ordered[mine]))
        if found != noted or not right.all():
            broken.append(number)
    return np.array(broken, dtype=np.intp)


def broken_groups(service: Service) -> Rows:
    """Return the programme groups whose members aren't those who name them, or are more than there are seats."""
    rows, groups = service.requirements, service.tables["programme_groups"]
    size = rows.size
    member = np.flatnonzero(rows.group[:size] >= 0)
    count = np.bincount(rows.group[member], minlength=groups.size)[: groups.size]
    members, seats = groups.members[: groups.size], groups.seats[: groups.size]
    wrong = (count != members) | (members > seats)
    strangers = rows.group[member[rows.kind[member] != Requirement.PROGRAMME]]
    wrong[strangers] = True
    return np.flatnonzero(wrong)
