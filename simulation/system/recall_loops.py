"""Rules of recall, one sentence at a time: a compiled loop over the sentences whose next step is due.

:mod:`simulation.system.recall` says when it applies, keeps the agendas and tells the history.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulation.engine import NEVER
from simulation.engine.chance import uniform_of
from simulation.engine.compiled import AHEAD, compiled, compiled_inside, fetch_soon
from simulation.engine.order import put_in_order, put_into
from simulation.system.codes import Grade, Kind, Location, Parole, RecallKind, RecallReason, Rosh, Status
from simulation.system.custody_loops import Array, Counted, Rows, Shares
from simulation.system.waits import value_at

#: What the loop counts; it is given where each stands among the counts of the month.
COUNTED = (
    "recalls",
    "recalls_fixed_term",
    "recalls_standard",
    "recalls_hdc_curfew",
    "recalls_short_sentence",
    "returns_to_custody",
    "re_releases",
    "recall_days_served",
    "short_leavers_recalled",
    "parole_reviews",
    "parole_releases",
    "parole_reviews_put_off",
    "parole_wait_days",
    "recalls_within_28_days",
    "recalls_for_absence",
    "recalls_for_risk",
    "recalls_for_charge",
    "recalls_for_curfew",
)
(
    _RECALLS,
    _FIXED,
    _STANDARD,
    _FROM_CURFEW,
    _SHORT,
    _RETURNS,
    _OUT_AGAIN,
    _DAYS,
    _SHORT_FIRST,
    _REVIEWS,
    _PAROLED,
    _PUT_OFF,
    _PAROLE_DAYS,
    _EARLY,
    _FOR_ABSENCE,
) = range(len(COUNTED) - len(RecallReason) + 2)

#: A sentence shorter than this, in days, has the shorter fixed term.
YEAR = 365
#: "Recalled within 28 days of release".
_EARLY_DAYS = 28

# A compiled loop takes plain numbers, not the members of a class.
_CURFEW, _LICENCE, _AT_LARGE, _RECALLED = Status.CURFEW, Status.LICENCE, Status.AT_LARGE, Status.RECALLED
_DETERMINATE, _ENDED = Kind.DETERMINATE, Status.ENDED
_CURFEW_KIND, _FIXED_KIND, _STANDARD_KIND = RecallKind.CURFEW, RecallKind.FIXED_TERM, RecallKind.STANDARD
_SENTENCED, _BACK_INSIDE = Location.SENTENCED, Location.RECALLED
_HIGH, _PROBATION_OFFICER = Rosh.HIGH, Grade.PO
_NO_REPORT, _REPORT_ASKED, _DECIDED = Parole.NO_REPORT, Parole.REPORT_ASKED, Parole.DECIDED
_ABSENCE, _CURFEW_BROKEN = RecallReason.ABSENCE, RecallReason.CURFEW
#: Recalls of a sentence, and reviews of a recall, are numbered together for the draw of a decision.
_REVIEWS_OF_A_RECALL = 32
#: Bits of a number that are a place in a list, where a person stands above them.
_PLACE_BITS = 20
_PLACE = (1 << _PLACE_BITS) - 1


@compiled
def ask_for(
    asked: Rows,
    found: NDArray[np.intp],
    reason: int,
    person: Rows,
    kind: Array,
    status: Array,
    recall_pending: Array,
    recall_reason: Array,
) -> int:
    """Ask for the recall of those of these sentences, given in any order, that are on licence and not asked for yet.

    Returns how many, written into the rows of ``found``, shape (3, asked): the sentences in row order, whose they are,
    and these people in row order.
    """
    rows, owners, people = found[0], found[1], found[2]
    put_into(rows, asked)
    put_in_order(rows)
    size = 0
    for at in range(rows.size):
        row = rows[at]
        # Whoever is given twice is asked for already.
        if status[row] not in (_LICENCE, _CURFEW) or recall_pending[row] != 0 or kind[row] != _DETERMINATE:
            continue
        recall_pending[row], recall_reason[row] = 1, reason
        rows[size], owners[size], people[size] = row, person[row], person[row]
        size += 1
    put_in_order(people[:size])
    return size


@compiled
def break_curfews(
    broken: Rows,
    found: NDArray[np.intp],
    person: Rows,
    status: Array,
    recall_kind: Array,
    recall_pending: Array,
    recall_reason: Array,
) -> int:
    """Recall those still on curfew whose condition is broken.

    Returns how many, written with the people, in row order, into the rows of ``found``, shape (2, broken).
    """
    size = 0
    for row in broken:
        if status[row] != _CURFEW:
            continue
        recall_kind[row], recall_reason[row], recall_pending[row] = _CURFEW_KIND, _CURFEW_BROKEN, 1
        found[0, size], found[1, size] = row, person[row]
        size += 1
    put_in_order(found[1, :size])
    return size


@compiled_inside
def _last_day(expiry: int, custody_end: int) -> int:
    """Return the last day of a sentence, on which whoever is held to the end is let out.

    A sentence without a licence has none after the release date.
    """
    return max(expiry - 1, custody_end)


@compiled_inside
def _review_day(
    today: int, wait: int, last: int, tomorrow: int, working_before: NDArray[np.int32], origin: int
) -> int:
    """Return the day of a review so many days ahead: a working day, and the last one of the sentence comes first.

    ``tomorrow`` is the next working day.
    """
    return min(max(int(working_before[today + wait + origin]), tomorrow), last)


@compiled
def take_steps(
    due: Rows,
    found: NDArray[np.intp],
    today: int,
    fixed_share: float,
    fixed_days_short: int,
    fixed_days_long: int,
    return_probabilities: Shares,
    return_values: Shares,
    review_probabilities: Shares,
    review_values: Shares,
    release_share: float,
    next_review: int,
    deferral: int,
    tomorrow: int,
    working_before: NDArray[np.int32],
    origin: int,
    fixed_term: np.uint64,
    at_large: np.uint64,
    review: np.uint64,
    decision: np.uint64,
    numbers: Rows,
    flows: Counted,
    cell: Array,
    key: Array,
    assessed_rosh: Array,
    rosh: Array,
    released_on: Array,
    location: Array,
    side: Array,
    officer: Array,
    grade: Array,
    person: Rows,
    number: Array,
    status: Array,
    length: Array,
    custody_end: Array,
    expiry: Array,
    supervision_end: Array,
    extended: Array,
    recall_kind: Array,
    recalls: Array,
    recall_pending: Array,
    returned: Array,
    recall_reason: Array,
    parole: Array,
    reviews: Array,
) -> tuple[int, int, int, int, int, int, int, int, int]:
    """Revoke licences, return people to prison and release them again, by where each sentence stands.

    ``fixed_term``, ``at_large``, ``review`` and ``decision`` are the constants of the draws for the kind of recall, the
    days until arrest, the days from return to the first review of a standard recall, and what the Parole Board decides;
    the two waits have a distribution each. A review can't be held while a report that was asked for isn't written.

    ``next_review`` and ``deferral`` are the days to the next review of whom the Board refused and of a review put off;
    ``tomorrow`` is the next working day; ``working_before`` and ``origin`` are the working day at or before each day,
    and the place of day 0.

    Returns how many are revoked, of how many the next step is planned, how many
    are back in prison revoked today and revoked earlier, and how many are asked for a report, refused, put off and
    released again; and how many have supervision to come: written into the rows of ``found``, shape (13, due).

    revoked, revoked_people : int arrays
        Sentences whose licence is revoked, and whose they are.
    planned, days : int arrays
        Sentences with a next step, and its day: the arrest of those at large, and what ends the recall of the others or
        their next review, on the working day before a weekend or holiday.
    back_at_once, back : int arrays
        People back in prison on the day of revocation, and others, in row order; so are all people but those next.
    reported, reported_people : int arrays
        Sentences for which a parole report is asked, and whose they are.
    refused, put_off, again : int arrays
        People whose review ended without release, whose review waits for the report, and who are released again.
    going_on, ends : int arrays
        Sentences of those back in prison, and the day on which they end.
    """
    revoked, revoked_people, planned, days = found[0], found[1], found[2], found[3]
    back_at_once, back, reported, reported_people = found[4], found[5], found[6], found[7]
    refused, put_off, again, going_on, ends = found[8], found[9], found[10], found[11], found[12]
    revoking, planning, reporting, releasing, following = 0, 0, 0, 0, 0
    arrested, refusing, putting_off = 0, 0, 0
    # Who is arrested: those revoked today come first, then those at large since before.
    arrested_rows, wanted = np.empty_like(due), np.empty_like(due)
    hunted = 0

    for at in range(due.size):
        soon = due[min(at + 2 * AHEAD, due.size - 1)]
        fetch_soon(person, soon)
        fetch_soon(status, soon)
        fetch_soon(recall_kind, soon)
        fetch_soon(recalls, soon)
        fetch_soon(number, soon)
        fetch_soon(expiry, soon)
        fetch_soon(length, soon)
        fetch_soon(custody_end, soon)
        fetch_soon(recall_pending, soon)
        fetch_soon(returned, soon)
        owner = person[due[min(at + AHEAD, due.size - 1)]]
        fetch_soon(key, owner)
        fetch_soon(officer, owner)
        fetch_soon(rosh, owner)
        row = due[at]
        who, stands = person[row], status[row]
        if stands == _AT_LARGE:
            wanted[hunted] = row
            hunted += 1
        elif stands == _RECALLED:
            # At the end of the sentence nobody asks the Board.
            last = int(working_before[_last_day(int(expiry[row]), int(custody_end[row])) + origin])
            held_on = today < last
            if recall_kind[row] == _STANDARD_KIND and parole[row] != _DECIDED and held_on:
                if parole[row] == _REPORT_ASKED:
                    flows[numbers[_PUT_OFF], cell[who]] += 1
                    put_off[putting_off] = who
                    putting_off += 1
                    planned[planning] = row
                    days[planning] = _review_day(today, deferral, last, tomorrow, working_before, origin)
                    planning += 1
                    continue
                flows[numbers[_REVIEWS], cell[who]] += 1
                reviews[row] = min(int(reviews[row]) + 1, _REVIEWS_OF_A_RECALL - 1)
                occurrence = int(number[row]) * 4096 + int(recalls[row]) * _REVIEWS_OF_A_RECALL + int(reviews[row])
                if not uniform_of(key[who], decision, occurrence) < release_share:
                    refused[refusing] = who
                    refusing += 1
                    planned[planning] = row
                    days[planning] = _review_day(today, next_review, last, tomorrow, working_before, origin)
                    planning += 1
                    continue
                flows[numbers[_PAROLED], cell[who]] += 1
                flows[numbers[_PAROLE_DAYS], cell[who]] += today - int(returned[row])
            flows[numbers[_OUT_AGAIN], cell[who]] += 1
            flows[numbers[_DAYS], cell[who]] += today - int(returned[row])
            again[releasing] = who
            releasing += 1
            # It ends on the day set on return: had that come, the person would be out since this morning.
            # Nothing follows the end of a curfew that was broken where the law gives no licence.
            status[row] = _LICENCE if expiry[row] > custody_end[row] else _ENDED
        elif stands in (_LICENCE, _CURFEW) and recall_pending[row] == 1:
            occurrence = int(number[row]) * 4096 + int(recalls[row])
            # Anybody recalled while on curfew stays until the conditional release date.
            allowed = max(assessed_rosh[who], rosh[who]) < _HIGH and extended[row] == 0 and stands != _CURFEW
            # Nor is a fixed term over before that date, for those let out early because prisons were full.
            allowed = allowed and custody_end[row] <= today + (
                fixed_days_short if length[row] < YEAR else fixed_days_long
            )
            flows[numbers[_RECALLS], cell[who]] += 1
            if stands == _CURFEW and recall_kind[row] == _CURFEW_KIND:
                flows[numbers[_FROM_CURFEW], cell[who]] += 1
            elif allowed and uniform_of(key[who], fixed_term, occurrence) < fixed_share:
                recall_kind[row] = _FIXED_KIND
                flows[numbers[_FIXED], cell[who]] += 1
            else:
                recall_kind[row] = _STANDARD_KIND
                flows[numbers[_STANDARD], cell[who]] += 1
            if length[row] < YEAR:
                flows[numbers[_SHORT], cell[who]] += 1
                flows[numbers[_SHORT_FIRST], cell[who]] += recalls[row] == 0
            flows[numbers[_FOR_ABSENCE + int(recall_reason[row]) - _ABSENCE], cell[who]] += 1
            if released_on[who] != NEVER and today - int(released_on[who]) <= _EARLY_DAYS:
                flows[numbers[_EARLY], cell[who]] += 1
            recall_pending[row] = 0
            recalls[row] += 1
            status[row] = _AT_LARGE
            revoked[revoking], revoked_people[revoking] = row, who
            revoking += 1
            # At large from now on.
            returned[row] = today
            wait = int(value_at(uniform_of(key[who], at_large, occurrence), return_probabilities, return_values))
            # Some are arrested at once, the others on a later day.
            if wait > 0 and location[who] not in (_SENTENCED, _BACK_INSIDE):
                planned[planning], days[planning] = row, today + wait
                planning += 1
            else:
                arrested_rows[arrested] = row
                arrested += 1

    at_once = arrested
    for row in wanted[:hunted]:
        arrested_rows[arrested] = row
        arrested += 1
    for at in range(arrested):
        row = arrested_rows[at]
        # Days at large don't count as served: the end of the sentence moves by as many, and of custody if it was ahead.
        if custody_end[row] > returned[row]:
            custody_end[row] += today - returned[row]
        who, kind, conditional = person[row], recall_kind[row], int(custody_end[row])
        expiry[row] += today - returned[row]
        supervision_end[row] = max(supervision_end[row], expiry[row])
        going_on[following], ends[following] = row, max(int(expiry[row]), today + 1)
        following += 1
        # The clock starts today, and today is its first day.
        status[row] = _RECALLED
        returned[row] = today
        flows[numbers[_RETURNS], cell[who]] += 1
        if kind == _CURFEW_KIND:
            # Not before the conditional release date.
            out = max(conditional, today + 1)
        elif kind == _FIXED_KIND:
            out = today + (fixed_days_short if length[row] < YEAR else fixed_days_long) - 1
        else:
            occurrence = int(number[row]) * 4096 + int(recalls[row])
            draw = uniform_of(key[who], review, occurrence)
            out = today + int(value_at(draw, review_probabilities, review_values))
            parole[row] = _NO_REPORT
            reviews[row] = 0
        if conditional > today:
            out = max(out, conditional)
        planned[planning] = row
        if kind == _STANDARD_KIND:
            out = max(int(working_before[out + origin]), tomorrow)
        out = min(out, _last_day(int(expiry[row]), conditional))
        days[planning] = max(int(working_before[out + origin]), today + 1)
        planning += 1
        if at < at_once:
            back_at_once[at] = who
        else:
            back[at - at_once] = who
        # Standard recalls of NPS cases held by a probation officer need a parole report.
        held = officer[who]
        if kind == _STANDARD_KIND and side[who] == 0 and held >= 0 and grade[held] == _PROBATION_OFFICER:
            parole[row] = _REPORT_ASKED
            reported[reporting], reported_people[reporting] = row, who
            reporting += 1
    put_in_order(revoked_people[:revoking])
    put_in_order(back_at_once[:at_once])
    put_in_order(back[: arrested - at_once])
    put_in_order(refused[:refusing])
    put_in_order(put_off[:putting_off])
    put_in_order(again[:releasing])
    return (
        revoking,
        planning,
        at_once,
        arrested - at_once,
        reporting,
        refusing,
        putting_off,
        releasing,
        following,
    )


@compiled
def kinds_in_order(
    revoked: Rows, found: NDArray[np.intp], short: int, long: int, person: Rows, length: Array, recall_kind: Array
) -> None:
    """Write whose licences were revoked into the first row of ``found``, in row order, and the recall into the second.

    That is the days of a fixed term, ``short`` or ``long`` by the length of the sentence, 0 for a standard recall and
    -1 for that of a curfew.
    """
    order = np.empty(revoked.size, dtype=np.int64)
    for at in range(revoked.size):
        order[at] = (int(person[revoked[at]]) << _PLACE_BITS) + at
    put_in_order(order)
    for at in range(revoked.size):
        sentence = revoked[order[at] & _PLACE]
        told = 0
        if recall_kind[sentence] == _FIXED_KIND:
            told = short if length[sentence] < YEAR else long
        elif recall_kind[sentence] == _CURFEW_KIND:
            told = -1
        found[0, at], found[1, at] = person[sentence], told
