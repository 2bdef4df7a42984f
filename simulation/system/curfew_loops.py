"""Rules of the curfew papers, one sentence at a time: compiled loops.

:mod:`simulation.system.custody` says when they apply, keeps the agendas and tells the history.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulation.engine import NEVER
from simulation.engine.chance import uniform_of
from simulation.engine.compiled import compiled, compiled_inside
from simulation.engine.order import put_in_order
from simulation.system.codes import Status
from simulation.system.custody_loops import (
    APPROVED,
    ENQUIRY,
    NOT_STARTED,
    PAPERS,
    REFUSED,
    Array,
    Counted,
    Rows,
    Shares,
)
from simulation.system.waits import value_at

#: What the loops count; they are given where each stands among the counts of the month.
COUNTED = (
    "hdc_enquiries",
    "hdc_refused_address",
    "hdc_refused_time",
    "hdc_excluded",
    "hdc_held_otherwise",
    "hdc_too_short",
    "hdc_not_begun",
    "hdc_presumed_unsuitable",
    "hdc_opted_out",
    "hdc_considered",
    "hdc_paper_seconds",
)
(
    _ENQUIRIES,
    _NO_ADDRESS,
    _NO_TIME,
    _EXCLUDED,
    _HELD,
    _TOO_SHORT,
    _NOT_BEGUN,
    _UNSUITABLE,
    _OPTED_OUT,
    _CONSIDERED,
    _SECONDS,
) = range(len(COUNTED))

# A compiled loop takes plain numbers, not the members of a class.
_CUSTODY, _RECALLED, _AT_LARGE = Status.CUSTODY, Status.RECALLED, Status.AT_LARGE


@compiled_inside
def days_possible(custody_end: int, curfew_from: int, soonest: int) -> int:
    """Return how many days somebody could be on curfew: first possible to release date, both counted."""
    return custody_end + 1 - max(curfew_from, soonest)


@compiled
def put_forward(
    made: Rows,
    found: NDArray[np.intp],
    today: int,
    least_days: float,
    lead: int,
    first: bool,
    take_up: Shares,
    begun_share: float,
    opt_out: Shares,
    probabilities: Shares,
    values: Shares,
    seconds: int,
    taken_up: np.uint64,
    opts_out: np.uint64,
    papers: np.uint64,
    numbers: Rows,
    flows: Counted,
    cell: Array,
    key: Array,
    never_curfew: Array,
    latest: Rows,
    person: Rows,
    previous: Rows,
    number: Array,
    status: Array,
    custody_end: Array,
    curfew_from: Array,
    curfew_stage: Array,
) -> tuple[int, int]:
    """Put people forward for curfew: by length, held under no other term, not excluded, taken up, and willing.

    One draw says who is put forward and why others aren't: beyond the share taken up come those whose papers are never
    begun, and last those presumed unsuitable.

    Parameters
    ----------
    first : bool
        Whether they are looked at for the first time: then reasons are counted.
    take_up, opt_out : float arrays
        Share put forward, one for all or of each sentence; share of those who opt out, by cell.
    begun_share : float
        Share of those not put forward whose papers are never begun, though nobody presumes them unsuitable.
    probabilities, values : float arrays
        The distribution of the days that the papers take.
    seconds : int
        Time that the prison's staff take for them.
    taken_up, opts_out, papers : uint64
        Constants of the draws.

    Returns how many are put forward and opt out, written into the rows of ``found``, shape (3, made):

    chosen, ready : int arrays
        Sentences put forward, and the day on which their papers are ready.
    opted : int array
        People who opted out, in row order.
    """
    chosen, ready, opted = found[0], found[1], found[2]
    size, out = 0, 0
    for at in range(made.size):
        row = made[at]
        if curfew_from[row] == NEVER:
            continue
        who = person[row]
        alone = True
        sentence = latest[who]
        while sentence >= 0:
            stands = status[sentence]
            if stands in (_RECALLED, _AT_LARGE) or (stands == _CUSTODY and sentence != row):
                alone = False
            sentence = previous[sentence]
        if curfew_stage[row] != NOT_STARTED:
            continue
        if not alone or status[row] != _CUSTODY:
            # Settled once: a change of policy later doesn't find somebody alone who wasn't when it was decided.
            curfew_stage[row] = REFUSED
            if first:
                flows[numbers[_HELD], cell[who]] += 1
            continue
        occurrence = int(number[row])
        if never_curfew[who] != 0:
            if first:
                flows[numbers[_EXCLUDED], cell[who]] += 1
            continue
        if days_possible(int(custody_end[row]), int(curfew_from[row]), today + 1) < least_days:
            if first:
                flows[numbers[_TOO_SHORT], cell[who]] += 1
            continue
        uniform, share = uniform_of(key[who], taken_up, occurrence), take_up[at if take_up.size > 1 else 0]
        if not uniform < share:
            if first:
                begun = share + (1 - share) * begun_share
                flows[numbers[_NOT_BEGUN if uniform < begun else _UNSUITABLE], cell[who]] += 1
            continue
        if uniform_of(key[who], opts_out, occurrence) < opt_out[cell[who]]:
            curfew_stage[row] = REFUSED
            flows[numbers[_OPTED_OUT], cell[who]] += 1
            opted[out] = who
            out += 1
            continue
        flows[numbers[_CONSIDERED], cell[who]] += 1
        flows[numbers[_SECONDS], cell[who]] += seconds
        curfew_stage[row] = PAPERS
        draw = uniform_of(key[who], papers, occurrence)
        chosen[size] = row
        ready[size] = max(int(curfew_from[row]) - lead, today + 1) + int(value_at(draw, probabilities, values))
        size += 1
    put_in_order(opted[:out])
    return size, out


@compiled
def move_papers_on(
    due: Rows,
    answered: Rows,
    found: NDArray[np.intp],
    today: int,
    least_days: float,
    suitable_share: Shares,
    another_share: float,
    most_enquiries: int,
    working_after: NDArray[np.int32],
    origin: int,
    suitable: np.uint64,
    another: np.uint64,
    numbers: Rows,
    flows: Counted,
    cell: Array,
    key: Array,
    area: Array,
    person: Rows,
    number: Array,
    status: Array,
    custody_end: Array,
    curfew_from: Array,
    curfew_stage: Array,
    enquiries: Array,
) -> tuple[int, int, int, int, int, int, int, int, int]:
    """Move the curfew papers on: those that are ready, and those whose address check is done.

    ``suitable`` and ``another`` are the constants of the draws for a suitable address and for another one to try;
    the share of suitable ones is given by area and side.

    ``working_after``, ``origin`` are the working day at or after each day, and the place of day 0.

    Returns how long the lists are that are written into ``found``, shape (9, due + answered), see
    :func:`simulation.system.custody_loops.lists_of`; people are in row order:

    asked, asked_people, late : int arrays
        Sentences for which an address check is asked, whose they are, and people with no time left for it.
    retry, refused : int arrays
        Sentences with another address to try, and people with none.
    too_late, approved_people, approved, first_day : int arrays
        People with a suitable address and no time left; others with one, their sentences, and the first day on which
        they may go.
    """
    asked, asked_people, late, retry, refused = found[0], found[1], found[2], found[3], found[4]
    too_late, approved_people, approved, first_day = found[5], found[6], found[7], found[8]
    asking, stopped, stopped_late = 0, 0, 0
    for row in due:
        if status[row] != _CUSTODY or curfew_stage[row] != PAPERS:
            continue
        if days_possible(int(custody_end[row]), int(curfew_from[row]), today + 1) < least_days:
            curfew_stage[row] = REFUSED
            late[stopped] = person[row]
            stopped += 1
            flows[numbers[_NO_TIME], cell[person[row]]] += 1
        else:
            curfew_stage[row] = ENQUIRY
            enquiries[row] += 1
            asked[asking], asked_people[asking] = row, person[row]
            asking += 1
    trying, refusing, going = 0, 0, 0
    for row in answered:
        if status[row] != _CUSTODY or curfew_stage[row] != ENQUIRY:
            continue
        who = person[row]
        flows[numbers[_ENQUIRIES], cell[who]] += 1
        occurrence = int(number[row]) * 4096 + int(enquiries[row])
        if uniform_of(key[who], suitable, occurrence) < suitable_share[area[who], 0]:
            day = int(working_after[max(int(curfew_from[row]), today + 1) + origin])
            if days_possible(int(custody_end[row]), day, day) < least_days:
                curfew_stage[row] = REFUSED
                too_late[stopped_late] = who
                stopped_late += 1
                flows[numbers[_NO_TIME], cell[who]] += 1
            else:
                curfew_stage[row] = APPROVED
                approved[going], approved_people[going], first_day[going] = row, who, day
                going += 1
        elif enquiries[row] < most_enquiries and uniform_of(key[who], another, occurrence) < another_share:
            curfew_stage[row] = PAPERS
            retry[trying] = row
            trying += 1
        else:
            curfew_stage[row] = REFUSED
            refused[refusing] = who
            refusing += 1
            flows[numbers[_NO_ADDRESS], cell[who]] += 1
    put_in_order(late[:stopped])
    put_in_order(refused[:refusing])
    put_in_order(too_late[:stopped_late])
    put_in_order(approved_people[:going])
    return asking, asking, stopped, trying, refusing, stopped_late, going, going, going


@compiled
def stop_papers(
    begun: Rows,
    found: NDArray[np.intp],
    person: Rows,
    previous: Rows,
    status: Array,
    curfew_stage: Array,
) -> int:
    """Stop the curfew papers of earlier terms of people on whom a further one begins: they go nowhere on a tag.

    Returns how many are written into the rows of ``found``, shape (2, begun): the sentences, one of a person at most,
    and whose they are, in row order.
    """
    stopped, people = found[0], found[1]
    size = 0
    for row in begun:
        sentence = previous[row]
        # Papers begin for somebody on no other term, so only one term has any under way.
        while sentence >= 0 and not (
            status[sentence] == _CUSTODY and curfew_stage[sentence] in (PAPERS, ENQUIRY, APPROVED)
        ):
            sentence = previous[sentence]
        if sentence >= 0:
            curfew_stage[sentence] = REFUSED
            stopped[size], people[size] = sentence, person[sentence]
            size += 1
    put_in_order(people[:size])
    return size
