"""What must hold of requirements and of groups, found from the tables alone."""

from __future__ import annotations

import numpy as np

from simulation.engine.compiled import compiled
from simulation.system.codes import Progress, Requirement
from simulation.system.service import Array, Rows, Service

# Compiled code knows plain numbers only.
_ENDED, _FINISHED = Progress.ENDED, Progress.FINISHED


def broken_balances(service: Service) -> Rows:
    """Return the kinds of requirement whose running totals aren't those of the table.

    Days and hours are added to the totals when they are ordered, done and left undone; the table says how much of each
    requirement there was and is. Nothing may be done beyond what was ordered.
    """
    rows, totals = service.requirements, service.tables["requirement_totals"]
    found, right = _sums(rows.size, len(Requirement), rows.kind, rows.ordered, rows.done, rows.progress)
    broken = []
    for number in (Requirement.REHABILITATION, Requirement.UNPAID_WORK):
        noted = [int(totals.ordered[number]), int(totals.done[number]), int(totals.lapsed[number])]
        if found[number].tolist() != noted or not right[number]:
            broken.append(number)
    return np.array(broken, dtype=np.intp)


@compiled
def _sums(size: int, kinds: int, kind: Array, ordered: Array, done: Array, progress: Array) -> tuple[Array, Array]:
    """Add up requirements by kind: what was ordered, done, and left undone when the order ended.

    Also tell of which kinds nothing was done beyond what was ordered, and all that is done, and no other, is finished.
    """
    found = np.zeros((kinds, 3), dtype=np.int64)
    wrong = np.zeros(kinds, dtype=np.int64)
    for row in range(size):
        number, most, kept, stage = kind[row], int(ordered[row]), int(done[row]), progress[row]
        found[number, 0] += most
        found[number, 1] += kept
        found[number, 2] += (most - kept) * (stage == _ENDED)
        wrong[number] += (kept > most) | ((stage == _FINISHED) != (kept == most))
    return found, wrong == 0


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
