"""What follows failures and breaches, case by case: compiled loops that read each person once.

The rules are written here as plain conditions on one person; :mod:`simulation.system.enforcement` says when they apply,
tells the history and plans what follows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulation.engine import NEVER
from simulation.engine.chance import uniform_of
from simulation.engine.compiled import compiled
from simulation.system.codes import Location, Status
from simulation.system.service import Array, Rows

Days = NDArray[np.int32]
Floats = NDArray[np.float64]

#: What can follow a hearing; rows of the arrays that :func:`hear_breaches` returns.
OUTCOMES = 5
ORDER_HEARD, REVOKED, TO_CUSTODY, SUPERVISION_HEARD, COMMITTED = range(OUTCOMES)

# A compiled loop takes plain numbers, not the members of a class.
_COMMUNITY = Location.COMMUNITY
_ORDER, _CURFEW, _LICENCE, _SUPERVISION = Status.ORDER, Status.CURFEW, Status.LICENCE, Status.SUPERVISION
_ENDED = Status.ENDED


@compiled
def recalled_from_licence(
    rows: Rows,
    sentence: Rows,
    occurrence: NDArray[np.int64],
    constant: np.uint64,
    share: Floats,
    key: Array,
    cell: Array,
    status: Array,
) -> Rows:
    """Return the sentences of those on licence whom something that happened leads back to prison.

    Parameters
    ----------
    sentence : int array
        The live sentence of each person; -1 if there is none.
    occurrence : int64 array
        Occurrence of each person's draw.
    constant : uint64
        Constant of the draw.
    share : float array (cells,)
        Share recalled, by where people live and who supervises them.
    """
    recalled = np.empty_like(rows)
    many = 0
    for at in range(rows.size):
        row = rows[at]
        if sentence[at] < 0:
            continue
        stands = status[sentence[at]]
        if stands != _LICENCE and stands != _CURFEW:
            continue
        if uniform_of(key[row], constant, occurrence[at]) < share[cell[row]]:
            recalled[many] = sentence[at]
            many += 1
    return recalled[:many]


@compiled
def answer_failures(
    rows: Rows,
    sentence: Rows,
    recalled: Rows,
    occurrence: NDArray[np.int64],
    today: int,
    window: float,
    constant: np.uint64,
    started: Floats,
    key: Array,
    cell: Array,
    warned_on: Array,
    status: Array,
    breach_pending: Array,
    breach_known: Array,
    warnings: NDArray[np.int64],
    breaches_due: NDArray[np.int64],
) -> tuple[Rows, Rows, Rows]:
    """Warn for a first failure, and start breach for a second on an order or under post-sentence supervision.

    Parameters
    ----------
    sentence : int array
        The live sentence of each person; -1 if there is none.
    recalled : int array
        Sentences of those already to be recalled, in the order of ``rows``.
    window : float
        Days within which another failure is a second one.
    started : float array (cells,)
        Share of breaches due that are started, by where people live and who supervises them.
    warnings, breaches_due : int64 arrays (cells,)
        Counts.

    Returns
    -------
    warned : int array
        People warned.
    going, breached : int arrays
        People whose breach is started, and the sentence that they broke.
    """
    warned, going, breached = np.empty_like(rows), np.empty_like(rows), np.empty_like(rows)
    warning, starting, passed = 0, 0, 0
    for at in range(rows.size):
        row, broken = rows[at], sentence[at]
        if broken < 0:
            continue
        stands = status[broken]
        if stands in (_LICENCE, _CURFEW):
            # On licence: a warning, or recall on risk and behaviour at any time.
            if passed < recalled.size and recalled[passed] == broken:
                passed += 1
                continue
        else:
            before = int(warned_on[row])
            if before != NEVER and today - before <= window:
                if breach_pending[broken] == 0:
                    breaches_due[cell[row]] += 1
                    if uniform_of(key[row], constant, occurrence[at]) < started[cell[row]]:
                        breach_pending[broken] = 1
                        breach_known[broken] = today
                        going[starting] = row
                        breached[starting] = broken
                        starting += 1
                continue
            warned_on[row] = today
        warned[warning] = row
        warning += 1
        warnings[cell[row]] += 1
    return warned[:warning], going[:starting], breached[:starting]


@compiled
def hear_breaches(
    due: Rows,
    outcome_constant: np.uint64,
    committal_constant: np.uint64,
    order_edges: Floats,
    supervision_edges: Floats,
    longest: int,
    key: Array,
    location: Array,
    warned_on: Array,
    person: Rows,
    number: Array,
    status: Array,
    failed: Array,
    breaches: Array,
    breach_pending: Array,
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Decide breaches of orders and of post-sentence supervision.

    Parameters
    ----------
    due : int array
        Sentences whose breach is heard today.
    order_edges, supervision_edges : float arrays
        Upper edges of the shares of each outcome.
    longest : int
        Longest committal in days.

    Returns
    -------
    sizes : int array (outcomes,)
        How many there are of each outcome.
    people : int array (outcomes, sentences)
        Whose they are; see :data:`OUTCOMES`.
    details : int array (outcomes, sentences)
        The sentence; for those committed, the days.
    """
    sizes = np.zeros(OUTCOMES, dtype=np.intp)
    people, details = np.empty((OUTCOMES, due.size), dtype=np.intp), np.empty((OUTCOMES, due.size), dtype=np.intp)
    for sentence in due:
        breach_pending[sentence] = 0
        stands = status[sentence]
        if stands != _ORDER and stands != _SUPERVISION:
            continue
        row, earlier = person[sentence], int(breaches[sentence])
        occurrence = int(number[sentence]) * 4096 + earlier
        uniform = uniform_of(key[row], outcome_constant, occurrence)
        breaches[sentence] = earlier + 1
        warned_on[row] = NEVER
        heard = ORDER_HEARD if stands == _ORDER else SUPERVISION_HEARD
        people[heard, sizes[heard]] = row
        details[heard, sizes[heard]] = sentence
        sizes[heard] += 1
        if stands == _ORDER:
            if uniform < order_edges[0]:
                continue
            status[sentence] = _ENDED
            failed[sentence] = 1
            people[REVOKED, sizes[REVOKED]] = row
            details[REVOKED, sizes[REVOKED]] = sentence
            sizes[REVOKED] += 1
            # Revoked and sent to custody, unless already inside.
            if uniform >= order_edges[1] and location[row] == _COMMUNITY:
                people[TO_CUSTODY, sizes[TO_CUSTODY]] = row
                details[TO_CUSTODY, sizes[TO_CUSTODY]] = sentence
                sizes[TO_CUSTODY] += 1
        elif uniform >= supervision_edges[0] and location[row] == _COMMUNITY:
            draw = uniform_of(key[row], committal_constant, occurrence + 1)
            people[COMMITTED, sizes[COMMITTED]] = row
            details[COMMITTED, sizes[COMMITTED]] = 1 + int(draw * longest)
            sizes[COMMITTED] += 1
    return sizes, people, details
