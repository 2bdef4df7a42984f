"""Rules of custody, one sentence at a time: compiled loops that read each sentence once.

:mod:`simulation.system.custody` says when they apply, keeps the agendas and tells the history. Sentences are given in
the order of their people wherever a loop returns people to tell of: history is told in that order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulation.engine import NEVER
from simulation.engine.agenda import NOBODY
from simulation.engine.chance import minus_log_of, uniform_of
from simulation.engine.compiled import AHEAD, compiled, compiled_inside, fetch_soon
from simulation.engine.order import put_in_order, put_in_order_of
from simulation.system.codes import Status
from simulation.system.quantiles import Lookup, quantile_table
from simulation.system.service import FAR

Rows = NDArray[np.intp]
Array = NDArray[Any]
Days = NDArray[np.int64]
Shares = NDArray[np.float64]
Counted = NDArray[np.int64]

#: Stages of the curfew papers.
NOT_STARTED, PAPERS, ENQUIRY, APPROVED, REFUSED = range(5)

#: Stages of the work before release.
NOT_BEGUN, BEGUN, DONE = range(3)

#: What the loops count; they are given where each stands among the counts of the month.
COUNTED = (
    "releases",
    "releases_short_sentence",
    "orders_completed",
    "re_releases",
    "recall_days_served",
    "orders_ended_breach_open",
    "supervision_ended_breach_open",
    "hdc_releases",
    "hdc_days_served",
    "hdc_refused_time",
    "released_settled",
    "released_homeless",
    "removed_at_release",
    # By length of sentence, in order
    "releases_under_6_months",
    "releases_6_to_under_12_months",
    "releases_1_to_under_4_years",
    "releases_4_years_and_over",
)
(
    _RELEASES,
    _RELEASES_SHORT,
    _COMPLETED,
    _OUT_AGAIN,
    _RECALL_DAYS,
    _BREACH_OPEN,
    _SUPERVISION_OPEN,
    _ON_CURFEW,
    _CURFEW_DAYS,
    _NO_TIME,
    _TO_SETTLED,
    _HOMELESS,
    _REMOVED,
    _RELEASES_BY_LENGTH,
) = range(len(COUNTED) - 3)

#: Where people go at release, as bits: neither is a home that isn't settled.
_NOWHERE, _SETTLED = 1, 2

_HALF_YEAR, _YEAR, _FOUR_YEARS = 183, 365, 1461
#: Days of curfew are counted in bands so wide.
_HALF_MONTH = 15

# A compiled loop takes plain numbers, not the members of a class.
_ORDER, _CUSTODY, _CURFEW, _LICENCE = Status.ORDER, Status.CUSTODY, Status.CURFEW, Status.LICENCE
_SUPERVISION, _RECALLED, _AT_LARGE, _ENDED = Status.SUPERVISION, Status.RECALLED, Status.AT_LARGE, Status.ENDED


@compiled_inside
def status_outside(expiry: int, supervision_end: int, today: int) -> int:
    """Return what follows time in prison: licence, or post-sentence supervision, or nothing."""
    if expiry > today:
        return _LICENCE
    return _SUPERVISION if supervision_end > today else _ENDED


@compiled_inside
def status_released(expiry: int, custody_end: int, supervision_end: int, today: int) -> int:
    """Return what follows a term: nothing that the law doesn't give, though the release be some days early.

    Who is let out before a weekend, with neither licence nor supervision to follow, is free from that day.
    """
    if expiry > custody_end:
        return status_outside(expiry, supervision_end, today)
    return _SUPERVISION if supervision_end > max(custody_end, today) else _ENDED


@compiled_inside
def home_at_release(
    key: np.uint64,
    number: int,
    found: int,
    home: np.uint64,
    homeless_share: float,
    settled_share: float,
) -> int:
    """Return whether somebody goes to a settled home or nowhere; a place found before release is a settled home."""
    draw = uniform_of(key, home, number)
    if draw >= 1 - settled_share:
        return _SETTLED | (_NOWHERE if draw < homeless_share else 0)
    if found == 1:
        return _SETTLED
    return _NOWHERE if draw < homeless_share else 0


def quantiles_of(table: Mapping[str, float]) -> tuple[Shares, Shares]:
    """Return the probabilities and values of a distribution, as :func:`value_at` takes them."""
    return table.quantiles if isinstance(table, Lookup) else quantile_table(table)


def lists_of(found: NDArray[np.intp], sizes: tuple[int, ...]) -> list[Rows]:
    """Return the lists that a loop has written into the rows of an array, each as long as the loop says.

    It costs many times as much to be given as many arrays by a compiled loop.
    """
    return [found[row, :size] if size else NOBODY for row, size in enumerate(sizes)]


@compiled
def first_of_each(rows: Rows, sentences: Rows, person: Rows) -> Rows:
    """Return the first of some sentences of each of some people, who are in order; each of them has at least one."""
    found = np.empty(rows.size, dtype=np.intp)
    # The first is written last.
    for sentence in sentences[::-1]:
        at = np.searchsorted(rows, person[sentence])
        if at < rows.size and rows[at] == person[sentence]:
            found[at] = sentence
    return found


# --- Release ------------------------------------------------------------------------------------------------------


@compiled
def let_go(
    tagged: Rows,
    due: Rows,
    found: NDArray[np.intp],
    today: int,
    least_days: float,
    breach_rate: float,
    logarithms: Shares,
    working_after: NDArray[np.int32],
    origin: int,
    home: np.uint64,
    homeless_share: float,
    settled_share: float,
    breach: np.uint64,
    numbers: Rows,
    flows: Counted,
    cell: Array,
    key: Array,
    side: Array,
    deportation: Array,
    released_on: Array,
    seen_since_release: Array,
    latest: Rows,
    person: Rows,
    previous: Rows,
    number: Array,
    status: Array,
    length: Array,
    custody_end: Array,
    expiry: Array,
    supervision_end: Array,
    curfew_from: Array,
    curfew_stage: Array,
    home_found: Array,
    released: Array,
) -> tuple[tuple[int, int, int, int, int, int, int, int, int, int, int, int, int, int, int, int, int, int], int, int]:
    """Release people whose day it is: on curfew, those ``tagged``; on their conditional release date, those ``due``.

    Whose curfew ends is among those due. ``home`` and ``breach`` are the constants of the draws for where people
    go and when the curfew condition is broken, as it is at ``breach_rate`` a day; ``working_after``, ``origin`` are the
    working day at or after each day, and the place of day 0. Both lists are put in the order of people.

    Returns how long the lists are that are written into ``found``, shape (18, tagged + due), see :func:`lists_of`, and
    how many of those released and of those released to a settled home go on curfew: they come first. Nobody goes on
    curfew without an address.

    later, again : int arrays
        Sentences approved for curfew that may not go yet, and the day on which they may.
    refused : int array
        People approved who may not go at all.
    leaving_prison : int array
        Sentences released on curfew, and those that come to their conditional release date.
    freed, curfew_ends, bands : int arrays
        People on curfew; the day on which the curfew ends; half months that it lasts x 2 + side, in order.
    breaking, broken : int arrays
        Sentences whose curfew condition will be broken, and the day.
    nowhere, settled : int arrays
        People released without a home, and to a settled one.
    untagged, untagged_people : int arrays
        Sentences whose curfew ends, and whose they are.
    going_on, ends : int arrays
        Sentences with supervision to come, and the day on which it ends.
    staying : int array
        People whose date it is, without those who leave the country.
    leaving : int array
        Those who do, each once.
    moved : int array
        Everybody released or off the tag.
    """
    later, again, refused, out, on_tag, curfew_ends = found[0], found[1], found[2], found[3], found[4], found[5]
    bands, breaking, broken, nowhere, settled = found[6], found[7], found[8], found[9], found[10]
    untagged, untagged_people, going_on, ends = found[11], found[12], found[13], found[14]
    staying, leaving, moved = found[15], found[16], found[17]
    put_in_order_of(tagged, person)
    put_in_order_of(due, person)
    waiting, stopped, freed, to_break = 0, 0, 0, 0
    for at in range(tagged.size):
        soon = tagged[min(at + AHEAD, tagged.size - 1)]
        fetch_soon(status, soon)
        fetch_soon(curfew_stage, soon)
        fetch_soon(custody_end, soon)
        fetch_soon(curfew_from, soon)
        fetch_soon(released, soon)
        fetch_soon(key, person[soon])
        fetch_soon(latest, person[soon])
        row = tagged[at]
        who = person[row]
        alone = status[row] == _CUSTODY and curfew_stage[row] == APPROVED
        sentence = latest[who]
        while sentence >= 0:
            stands = status[sentence]
            if stands in (_RECALLED, _AT_LARGE) or (stands == _CUSTODY and sentence != row):
                alone = False
            sentence = previous[sentence]
        if not alone:
            continue
        left = int(custody_end[row]) - today
        # The law may have changed since they were approved.
        if curfew_from[row] > today:
            later[waiting], again[waiting] = row, working_after[curfew_from[row] + origin]
            waiting += 1
        elif left + 1 < least_days or curfew_from[row] == NEVER:
            curfew_stage[row] = REFUSED
            refused[stopped] = who
            stopped += 1
            flows[numbers[_NO_TIME], cell[who]] += 1
        else:
            status[row] = _CURFEW
            released[row] = today
            flows[numbers[_ON_CURFEW], cell[who]] += 1
            flows[numbers[_CURFEW_DAYS], cell[who]] += left
            out[freed], on_tag[freed], curfew_ends[freed] = row, who, today + max(left, 1)
            bands[freed] = left // _HALF_MONTH * 2 + max(int(side[who]), 0)
            freed += 1
            wait = minus_log_of(1.0 - uniform_of(key[who], breach, int(number[row])), logarithms) / breach_rate
            day = today + 1 + int(min(wait, float(FAR)))
            if day < custody_end[row]:
                breaking[to_break], broken[to_break] = row, day
                to_break += 1

    going, over, following = freed, 0, 0
    for at in range(due.size):
        soon, row = due[min(at + AHEAD, due.size - 1)], due[at]
        who = person[soon]
        fetch_soon(status, soon)
        fetch_soon(expiry, soon)
        fetch_soon(supervision_end, soon)
        fetch_soon(released, soon)
        # And what is read of those released, below.
        fetch_soon(length, soon)
        fetch_soon(number, soon)
        fetch_soon(home_found, soon)
        fetch_soon(latest, who)
        fetch_soon(key, who)
        fetch_soon(deportation, who)
        if status[row] == _CUSTODY:
            released[row] = today
            out[going] = row
            going += 1
        elif status[row] == _CURFEW and released[row] != today:
            untagged[over], untagged_people[over] = row, person[row]
            over += 1
        else:
            continue
        status[row] = status_released(expiry[row], custody_end[row], supervision_end[row], today)
        if status[row] != _ENDED:
            going_on[following] = row
            ends[following] = expiry[row] if status[row] == _LICENCE else supervision_end[row]
            following += 1

    without, with_home, stay, leave = 0, 0, 0, 0
    with_home_on_curfew = 0
    for at in range(going):
        soon = out[min(at + AHEAD, going - 1)]
        fetch_soon(length, soon)
        fetch_soon(home_found, soon)
        fetch_soon(previous, soon)
        fetch_soon(key, person[soon])
        fetch_soon(latest, person[soon])
        fetch_soon(deportation, person[soon])
        row = out[at]
        who = person[row]
        moved[at] = who
        leaves = False
        if at >= freed:
            # Somebody held under another term isn't released yet.
            held = False
            sentence = latest[who]
            while sentence >= 0:
                held = held or status[sentence] in (_CUSTODY, _RECALLED)
                sentence = previous[sentence]
            leaves = not held and deportation[who] == 1
            if not leaves:
                staying[stay] = who
                stay += 1
            elif leave == 0 or leaving[leave - 1] != who:
                # Two terms may end on one day.
                leaving[leave] = who
                leave += 1
                flows[numbers[_REMOVED], cell[who]] += 1
            if held:
                continue
        flows[numbers[_RELEASES], cell[who]] += 1
        days = int(length[row])
        if days < _YEAR:
            flows[numbers[_RELEASES_SHORT], cell[who]] += 1
        band = (days >= _HALF_YEAR) + (days >= _YEAR) + (days >= _FOUR_YEARS)
        flows[numbers[_RELEASES_BY_LENGTH + band], cell[who]] += 1
        if leaves:
            continue
        # The week that counts is the one after a first release: not after recall or committal.
        released_on[who] = today
        seen_since_release[who] = 0
        place = home_at_release(
            key[who], int(number[row]), int(home_found[row]), home, homeless_share, settled_share
        )
        # Whoever is on the tag has an address that was found suitable.
        if place & _NOWHERE and at >= freed:
            nowhere[without] = who
            without += 1
            flows[numbers[_HOMELESS], cell[who]] += 1
        if place & _SETTLED:
            settled[with_home] = who
            with_home += 1
            flows[numbers[_TO_SETTLED], cell[who]] += 1
            with_home_on_curfew += at < freed
    for at in range(over):
        moved[going + at] = untagged_people[at]
    put_in_order(bands[:freed])
    sizes = (
        waiting,
        waiting,
        stopped,
        going,
        freed,
        freed,
        freed,
        to_break,
        to_break,
        without,
        with_home,
        over,
        over,
        following,
        following,
        stay,
        leave,
        going + over,
    )
    return sizes, freed, with_home_on_curfew


# --- Ends ---------------------------------------------------------------------------------------------------------


@compiled
def run_out(
    due: Rows,
    found: NDArray[np.intp],
    today: int,
    numbers: Rows,
    flows: Counted,
    cell: Array,
    person: Rows,
    status: Array,
    expiry: Array,
    supervision_end: Array,
    returned: Array,
    breach_pending: Array,
) -> tuple[int, int, int, int, int, int, int, int]:
    """End what has run out: orders, post-sentence supervision, and licences, recalled or not.

    ``due`` is put in the order of people. Returns how long the lists are that are written into ``found``, shape
    (8, due), see :func:`lists_of`:

    orders, supervised, licensed : int arrays
        People whose order, supervision or licence it was.
    licences : int array
        Sentences whose licence ends.
    going_on, ends : int arrays
        Those followed by post-sentence supervision, and the day on which that ends.
    undecided, unheard : int arrays
        People whose order, or supervision, ran out while a breach of it was on its way to court. Such an order is
        neither completed nor revoked; such supervision isn't among those above.
    """
    orders, supervised, licensed = found[0], found[1], found[2]
    licences, going_on, ends, undecided, unheard = found[3], found[4], found[5], found[6], found[7]
    completed, over, ending, following, breached, open_still = 0, 0, 0, 0, 0, 0
    put_in_order_of(due, person)
    for at in range(due.size):
        soon, row = due[min(at + AHEAD, due.size - 1)], due[at]
        fetch_soon(status, soon)
        fetch_soon(expiry, soon)
        fetch_soon(supervision_end, soon)
        fetch_soon(breach_pending, soon)
        fetch_soon(cell, person[soon])
        who = person[row]
        stands = status[row]
        if stands == _ORDER:
            status[row] = _ENDED
            if breach_pending[row] != 0:
                undecided[breached] = who
                breached += 1
                flows[numbers[_BREACH_OPEN], cell[who]] += 1
                continue
            orders[completed] = who
            completed += 1
            flows[numbers[_COMPLETED], cell[who]] += 1
        elif stands == _SUPERVISION:
            status[row] = _ENDED
            if breach_pending[row] != 0:
                unheard[open_still] = who
                open_still += 1
                flows[numbers[_SUPERVISION_OPEN], cell[who]] += 1
                continue
            supervised[over] = who
            over += 1
        elif stands in (_LICENCE, _RECALLED):
            licences[ending] = row
            licensed[ending] = who
            ending += 1
            if stands == _RECALLED:
                flows[numbers[_OUT_AGAIN], cell[who]] += 1
                flows[numbers[_RECALL_DAYS], cell[who]] += today - int(returned[row])
            # Recall doesn't extend post-sentence supervision; its end was fixed at the first release.
            status[row] = status_outside(expiry[row], supervision_end[row], today)
            if status[row] != _ENDED:
                going_on[following] = row
                ends[following] = expiry[row] if status[row] == _LICENCE else supervision_end[row]
                following += 1
    return completed, over, ending, ending, following, following, breached, open_still
