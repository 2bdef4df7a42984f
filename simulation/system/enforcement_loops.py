"""What follows failures and breaches, case by case: compiled loops that read each person once.

The rules are written here as plain conditions on one person; :mod:`simulation.system.enforcement` says when they apply,
tells the history and plans what follows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulation.engine import NEVER
from simulation.engine.chance import uniform_of
from simulation.engine.compiled import AHEAD, compiled, compiled_inside, fetch_soon
from simulation.engine.order import put_in_order, put_in_order_of
from simulation.system.codes import CRC, Kind, Location, Status
from simulation.system.contact_loops import occurrences
from simulation.system.place import live_sentences
from simulation.system.service import COUNT_INDEX, Array, Rows
from simulation.system.waits import value_at

Days = NDArray[np.int32]
Floats = NDArray[np.float64]
Counted = NDArray[np.int64]

#: What can follow a hearing; rows of the lists that :func:`hear_breaches` writes.
OUTCOMES = 6
ORDER_HEARD, SUPERVISION_HEARD, REVOKED, TO_CUSTODY, ACTIVATED, COMMITTED = range(OUTCOMES)

# A compiled loop takes plain numbers, not the members of a class.
_COMMUNITY = Location.COMMUNITY
_ORDER, _CURFEW, _LICENCE, _SUPERVISION = Status.ORDER, Status.CURFEW, Status.LICENCE, Status.SUPERVISION
_ENDED, _COMMUNITY_ORDER, _LIFE = Status.ENDED, Kind.COMMUNITY_ORDER, Kind.INDETERMINATE
_AT_LARGE = Status.AT_LARGE

# Rows of what is counted among the counts of the month.
_WARNINGS, _BREACHES_DUE = COUNT_INDEX["warnings"], COUNT_INDEX["breaches_due"]
_PACKS_DROPPED, _PACKS_RETURNED = COUNT_INDEX["breaches_dropped"], COUNT_INDEX["breach_packs_returned"]
_REFERRED, _REFERRAL_DAYS = COUNT_INDEX["breaches_referred"], COUNT_INDEX["breach_referral_days"]
_REFERRED_IN_TIME = COUNT_INDEX["breaches_referred_in_time"]
_ORDERS_HEARD, _SUPERVISION_HEARD = COUNT_INDEX["breach_hearings"], COUNT_INDEX["pss_breach_hearings"]
_ORDERS_REVOKED, _UNSUCCESSFUL = COUNT_INDEX["orders_revoked"], COUNT_INDEX["orders_ended_unsuccessfully"]
_ACTIVATED = COUNT_INDEX["suspended_sentences_activated"]
_COMMUNITY_REVOKED, _COMMITTALS = COUNT_INDEX["community_orders_revoked"], COUNT_INDEX["pss_committals"]

#: A hearing ends the rounds of one breach; its papers never come back as often.
_ROUNDS = 16


@compiled_inside
def occurrence_of(number: int, count: int) -> int:
    """Return the occurrence of a draw: the number of the person's sentence, and a count within it."""
    return number * 4096 + count


@compiled
def recalled_from_licence(
    rows: Rows,
    recalled: Rows,
    constant: np.uint64,
    share: Floats,
    key: Array,
    cell: Array,
    latest: Rows,
    crises: Array,
    previous: Rows,
    status: Array,
    expiry: Array,
) -> int:
    """Find the sentences of those on licence whom a change in risk that was noticed leads back to prison.

    One draw for each change, whichever contact it was noticed at: two scenarios whose contacts fall on other days share
    their luck.

    Parameters
    ----------
    constant : uint64
        Constant of the draw.
    share : float array (cells,)
        Share recalled, by where people live and who supervises them.

    Returns how many, written into ``recalled``.
    """
    sentence = live_sentences(latest, previous, status, expiry, rows)
    many = 0
    for at in range(rows.size):
        row = rows[at]
        if sentence[at] < 0:
            continue
        stands = status[sentence[at]]
        if stands != _LICENCE and stands != _CURFEW:
            continue
        if uniform_of(key[row], constant, int(crises[row])) < share[cell[row]]:
            recalled[many] = sentence[at]
            many += 1
    return many


@compiled
def answer_failures(
    rows: Rows,
    found: NDArray[np.intp],
    occurrence: NDArray[np.int64],
    today: int,
    window: float,
    recall_constant: np.uint64,
    recall_share: Floats,
    recall_again: Floats,
    lately: float,
    constant: np.uint64,
    started: Floats,
    pack_days: NDArray[np.int64],
    ahead: Days,
    key: Array,
    cell: Array,
    warned_on: Array,
    absent_on: Array,
    latest: Rows,
    sentences: Array,
    spells: Array,
    contacts: Array,
    previous: Rows,
    status: Array,
    expiry: Array,
    kind: Array,
    breach_pending: Array,
    breach_known: Array,
    flows: Counted,
) -> tuple[int, int, int, int]:
    """Recall or warn people on licence; warn others for a first failure, and start breach for another, or don't.

    Parameters
    ----------
    occurrence : int64 array
        Occurrence of each person's draws; empty where it is that of the next contact.
    window : float
        Days within which another failure is a second one.
    recall_constant, constant : uint64
        Constants of the draws of who is recalled and whose breach is started.
    recall_share, recall_again : float arrays (cells,)
        Share recalled from licence, by where people live and who supervises them: for an absence, and for one that
        follows another within ``lately`` days.
    started : float array (cells,)
        Share of breaches due that are started.
    pack_days : int64 array (cells,)
        Working days within which the papers are due.
    ahead : int array
        The days that lie 0, 1, 2 ... working days after today.
    flows : int64 array (counts, cells)
        Counts of the month.

    Returns how many are to be recalled, are warned, have a breach started, and have none started though they failed
    again, written into the rows of ``found``, shape (6, rows):

    recalled : int array
        Sentences of those to be recalled.
    warned : int array
        People warned.
    going, breached, by : int arrays
        People whose breach is started, the sentence that they broke, and the day on which the papers are due.
    spared : int array
        People whose breach isn't started.
    """
    sentence = live_sentences(latest, previous, status, expiry, rows)
    if occurrence.size == 0:
        occurrence = occurrences(sentences, spells, contacts, rows)
    recalled, warned, going, breached, by, spared = found[0], found[1], found[2], found[3], found[4], found[5]
    recalls, warning, starting, sparing = 0, 0, 0, 0
    for at in range(rows.size):
        soon = min(at + AHEAD, rows.size - 1)
        fetch_soon(key, rows[soon])
        fetch_soon(warned_on, rows[soon])
        following = max(sentence[soon], 0)
        if status[following] in (_LICENCE, _CURFEW):
            fetch_soon(kind, following)
        else:
            fetch_soon(breach_pending, following)
        row, broken = rows[at], sentence[at]
        again = absent_on[row] != NEVER and today - int(absent_on[row]) <= lately
        absent_on[row] = today
        if broken < 0:
            continue
        stands, place = status[broken], cell[row]
        if stands in (_LICENCE, _CURFEW):
            # On licence: a warning, or recall on risk and behaviour at any time; life licences follow their series.
            share = recall_again[place] if again else recall_share[place]
            if kind[broken] != _LIFE and uniform_of(key[row], recall_constant, occurrence[at]) < share:
                recalled[recalls] = broken
                recalls += 1
                continue
        else:
            before = int(warned_on[row])
            if before != NEVER and today - before <= window:
                if breach_pending[broken] == 0:
                    flows[_BREACHES_DUE, place] += 1
                    if uniform_of(key[row], constant, occurrence[at]) < started[place]:
                        breach_pending[broken] = 1
                        breach_known[broken] = today
                        going[starting] = row
                        breached[starting] = broken
                        by[starting] = ahead[pack_days[place]]
                        starting += 1
                    else:
                        spared[sparing] = row
                        sparing += 1
                continue
            warned_on[row] = today
        warned[warning] = row
        warning += 1
        flows[_WARNINGS, place] += 1
    return recalls, warning, starting, sparing


@compiled
def judge_packs(
    packs: Rows,
    found: NDArray[np.intp],
    today: int,
    target: int,
    most_returns: int,
    dropped_share: Floats,
    returned_share: Floats,
    waits: Floats,
    constants: NDArray[np.uint64],
    counted: Days,
    origin: int,
    later: Days,
    key: Array,
    cell: Array,
    side: Array,
    person: Rows,
    number: Array,
    breaches: Array,
    breach_known: Array,
    breach_pending: Array,
    pack_returns: Array,
    flows: Counted,
) -> tuple[int, int, int]:
    """Decide about finished breach packs: some late ones are dropped, some go back, the others are listed for hearing.

    A share of those past the target is dropped, and never shows as late. The enforcement officer sends some of a
    company's back to be put right.

    Parameters
    ----------
    target : int
        Working days within which a breach is to be referred.
    most_returns : int
        How often the papers of one breach go back at most.
    dropped_share, returned_share : float arrays (cells,)
        Share of late packs that are dropped, and of a company's that go back.
    waits : float array (2, quantiles)
        Probabilities and values of the working days from referral to hearing.
    constants : uint64 array (3,)
        Constants of the draws of who is dropped and who goes back, and of that wait.
    counted, origin : int array, int
        Working days up to each day, and the place of day 0.
    later : int array
        The days that lie 1, 2 ... working days after today.

    Returns how many are dropped, go back and are taken, written into the rows of ``found``, shape (6, packs):

    dropped : int array
        People whose breach is dropped, in row order.
    back, authors : int arrays
        Packs that go back; and the people whose breach they are about, in row order.
    sent, referred, hearings : int arrays
        Packs taken; the people whose breach they are about, in row order; the day of each pack's hearing.
    """
    dropped, back, authors, sent, referred, hearings = found[0], found[1], found[2], found[3], found[4], found[5]
    drops, returns, taken = 0, 0, 0
    drop_constant, return_constant, wait_constant = constants[0], constants[1], constants[2]
    for at in range(packs.size):
        soon = packs[min(at + 2 * AHEAD, packs.size - 1)]
        fetch_soon(person, soon)
        fetch_soon(breach_known, soon)
        fetch_soon(breach_pending, soon)
        fetch_soon(breaches, soon)
        fetch_soon(number, soon)
        fetch_soon(pack_returns, soon)
        owner = person[packs[min(at + AHEAD, packs.size - 1)]]
        fetch_soon(key, owner)
        fetch_soon(side, owner)
        pack = packs[at]
        if breach_pending[pack] != 1:
            continue
        who, known, earlier = person[pack], int(breach_known[pack]), int(breaches[pack])
        place, drawn = cell[who], key[who]
        working = counted[today + origin] - counted[known + origin]
        occurrence = occurrence_of(int(number[pack]), earlier)
        if working > target and uniform_of(drawn, drop_constant, occurrence) < dropped_share[place]:
            breach_pending[pack] = 0
            flows[_PACKS_DROPPED, place] += 1
            dropped[drops] = who
            drops += 1
            continue
        rounds = int(pack_returns[pack])
        if side[who] == CRC and rounds < most_returns:
            uniform = uniform_of(drawn, return_constant, occurrence_of(int(number[pack]), earlier * _ROUNDS + rounds))
            if uniform < returned_share[place]:
                pack_returns[pack] += 1
                flows[_PACKS_RETURNED, place] += 1
                back[returns], authors[returns] = pack, who
                returns += 1
                continue
        pack_returns[pack] = 0
        flows[_REFERRED, place] += 1
        flows[_REFERRAL_DAYS, place] += today - known
        if working <= target:
            flows[_REFERRED_IN_TIME, place] += 1
        wait = value_at(uniform_of(drawn, wait_constant, occurrence), waits[0], waits[1])
        sent[taken], referred[taken] = pack, who
        hearings[taken] = later[max(int(wait), 1)]
        taken += 1
    put_in_order(dropped[:drops])
    put_in_order(authors[:returns])
    put_in_order(referred[:taken])
    return drops, returns, taken


@compiled
def without(rows: Rows, others: Rows) -> Rows:
    """Return the rows that aren't among others; both are in order, each once."""
    kept, many, at = np.empty(rows.size, dtype=np.intp), 0, 0
    for row in rows:
        while at < others.size and others[at] < row:
            at += 1
        if at == others.size or others[at] != row:
            kept[many] = row
            many += 1
    return kept[:many]


@compiled
def still_standing(packs: Rows, found: NDArray[np.intp], person: Rows, status: Array, breach_pending: Array) -> int:
    """Find the packs that came back whose order has not ended meanwhile: that needs no papers.

    Returns how many, written with whose they are into the rows of ``found``, shape (2, packs).
    """
    size = 0
    for pack in packs:
        if breach_pending[pack] == 1 and status[pack] in (_ORDER, _SUPERVISION):
            found[0, size], found[1, size] = pack, person[pack]
            size += 1
    return size


@compiled
def hear_breaches(
    due: Rows,
    people: NDArray[np.intp],
    details: NDArray[np.intp],
    outcome_constant: np.uint64,
    committal_constant: np.uint64,
    order_edges: Floats,
    supervision_edges: Floats,
    longest: int,
    key: Array,
    location: Array,
    warned_on: Array,
    cell: Array,
    person: Rows,
    number: Array,
    kind: Array,
    status: Array,
    failed: Array,
    breaches: Array,
    breach_pending: Array,
    flows: Counted,
) -> tuple[int, int, int, int, int, int]:
    """Decide breaches of orders and of post-sentence supervision.

    Parameters
    ----------
    due : int array
        Sentences whose breach is heard today.
    people : int array (outcomes, sentences)
        Written: whose they are, by what follows; see :data:`OUTCOMES`. In row order but for those committed.
    details : int array (4, sentences)
        Written: the sentences that are revoked, the days of those committed, the orders in whose place custody comes,
        and the suspended sentences that are activated.
    order_edges : float array (2, 2)
        Draws up to which an order goes on, and up to which it is revoked and no more: community orders, and suspended
        sentences.
    supervision_edges : float array
        Upper edges of the shares of each outcome.
    longest : int
        Longest committal in days.
    flows : int64 array (counts, cells)
        Counts of the month.

    Returns how many people there are of each outcome.
    """
    on_order, on_supervision, revoked, to_custody, activated, committed = 0, 0, 0, 0, 0, 0
    for at in range(due.size):
        soon = due[min(at + 2 * AHEAD, due.size - 1)]
        fetch_soon(person, soon)
        fetch_soon(status, soon)
        fetch_soon(breach_pending, soon)
        fetch_soon(breaches, soon)
        fetch_soon(number, soon)
        owner = person[due[min(at + AHEAD, due.size - 1)]]
        fetch_soon(key, owner)
        fetch_soon(warned_on, owner)
        fetch_soon(location, owner)
        sentence = due[at]
        breach_pending[sentence] = 0
        stands = status[sentence]
        if stands != _ORDER and stands != _SUPERVISION:
            continue
        row, earlier = person[sentence], int(breaches[sentence])
        place, occurrence = cell[row], occurrence_of(int(number[sentence]), earlier)
        uniform = uniform_of(key[row], outcome_constant, occurrence)
        breaches[sentence] = earlier + 1
        warned_on[row] = NEVER
        if stands == _ORDER:
            people[ORDER_HEARD, on_order] = row
            on_order += 1
            flows[_ORDERS_HEARD, place] += 1
            suspended = kind[sentence] != _COMMUNITY_ORDER
            edges = order_edges[1 if suspended else 0]
            if uniform < edges[0]:
                continue
            status[sentence] = _ENDED
            failed[sentence] = 1
            people[REVOKED, revoked] = row
            details[0, revoked] = sentence
            revoked += 1
            flows[_ORDERS_REVOKED, place] += 1
            flows[_UNSUCCESSFUL, place] += 1
            if not suspended:
                flows[_COMMUNITY_REVOKED, place] += 1
            # Sent to custody, unless already inside: for a new term, or the one that was suspended.
            if uniform < edges[1] or location[row] != _COMMUNITY:
                continue
            if suspended:
                flows[_ACTIVATED, place] += 1
                people[ACTIVATED, activated] = row
                details[3, activated] = sentence
                activated += 1
            else:
                people[TO_CUSTODY, to_custody] = row
                details[2, to_custody] = sentence
                to_custody += 1
            continue
        people[SUPERVISION_HEARD, on_supervision] = row
        on_supervision += 1
        flows[_SUPERVISION_HEARD, place] += 1
        if uniform >= supervision_edges[0] and location[row] == _COMMUNITY:
            draw = uniform_of(key[row], committal_constant, occurrence + 1)
            people[COMMITTED, committed] = row
            details[1, committed] = 1 + int(draw * longest)
            committed += 1
    put_in_order(people[ORDER_HEARD, :on_order])
    put_in_order(people[SUPERVISION_HEARD, :on_supervision])
    put_in_order(people[REVOKED, :revoked])
    put_in_order(people[TO_CUSTODY, :to_custody])
    put_in_order(people[ACTIVATED, :activated])
    return on_order, on_supervision, revoked, to_custody, activated, committed


@compiled
def commit_people(
    rows: Rows,
    days: Rows,
    found: NDArray[np.intp],
    today: int,
    working_before: Days,
    origin: int,
    cell: Array,
    committed_until: Array,
    flows: Counted,
) -> None:
    """Commit people to prison for so many days, today the first of them, or until the working day before.

    Whoever would be out by tonight, for the term ends today or on the weekend that begins, goes nowhere.

    Parameters
    ----------
    rows, days : int arrays
        People committed, and for how long.
    found : int array (3, rows)
        Written: the day on which each is freed; then people and the days imposed, in row order, the days of whoever
        goes nowhere below zero.
    working_before, origin : int array, int
        Each day of the calendar itself or the working day before it, and the place of day 0.
    flows : int64 array (counts, cells)
        Counts of the month.
    """
    until, people, lengths = found[0], found[1], found[2]
    order = np.arange(rows.size)
    put_in_order_of(order, rows)
    for at in range(rows.size):
        row = rows[at]
        until[at] = max(int(working_before[today + days[at] - 1 + origin]), today)
        committed_until[row] = until[at]
        flows[_COMMITTALS, cell[row]] += 1
    for at in range(rows.size):
        first = order[at]
        people[at] = rows[first]
        lengths[at] = days[first] if until[first] > today else -days[first]


@compiled
def wanted_or_at_large(
    rows: Rows,
    found: NDArray[np.intp],
    today: int,
    hearings: Array,
    latest: Rows,
    previous: Rows,
    status: Array,
    warrant_since: Array,
) -> tuple[int, int]:
    """Find people's sentences for which a warrant is out, and those recalled from which they are at large.

    A warrant is out while there is a day on which the arrest is due (``hearings``), though the sentence have run out.
    Returns how many, written into the rows of ``found``, as far as there is room.
    """
    wanted, at_large = found[0], found[1]
    warrants, recalls = 0, 0
    for at in range(rows.size):
        fetch_soon(latest, rows[min(at + 2 * AHEAD, rows.size - 1)])
        soon = max(latest[rows[min(at + AHEAD, rows.size - 1)]], 0)
        fetch_soon(status, soon)
        fetch_soon(previous, soon)
        sentence = latest[rows[at]]
        while sentence >= 0:
            stands = status[sentence]
            if stands == _AT_LARGE and recalls < at_large.size:
                at_large[recalls] = sentence
                recalls += 1
            elif warrant_since[sentence] != NEVER and hearings[sentence] > today and warrants < wanted.size:
                wanted[warrants] = sentence
                warrants += 1
            sentence = previous[sentence]
    return warrants, recalls
