"""Rules of reception into custody, one sentence at a time: the term, its dates, and when curfew is possible.

:mod:`simulation.system.custody` says when they apply, keeps the agendas and tells the history.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulation.engine import NEVER
from simulation.engine.chance import uniform_of
from simulation.engine.compiled import AHEAD, compiled, compiled_inside, fetch_soon
from simulation.system.codes import Location, Status, Why
from simulation.system.custody_loops import Array, Counted, Days, Rows, Shares
from simulation.system.groups import LONG
from simulation.system.service import COUNT_INDEX
from simulation.system.waits import value_at

#: Laws that the dates of a sentence follow, each that of its day of sentence; rows of the array given to the loops.
#: Share served of a sentence and of an extended one; length in days from which there is no post-sentence supervision;
#: days that licence and that supervision last together; whether sentences of less than a year have a licence.
LAWS = 5
_FRACTION, _EXTENDED_FRACTION, _SUPERVISED_BELOW, _SUPERVISED_DAYS, _SHORT_LICENCE = range(LAWS)

#: What is drawn for a new term: places of the constants given to :func:`receive_people`. Band of length, length within
#: it, length on breach; whether on remand, and how long; extended or not; days since the offence; order revoked or not.
DRAWS = 8
_BAND, _WITHIN_BAND, _BREACH_LENGTH, _REMANDED, _REMAND_DAYS, _LONGER, _OFFENDED, _REVOKED = range(DRAWS)

#: Numbers of the law on curfew: the shortest and longest sentence in days, the shortest custodial period in days, the
#: least share of it and the fewest days that must be served.
CURFEW_LAW = 5
_SHORTEST, _LONGEST, _LEAST_CUSTODY, _LEAST_SHARE, _LEAST_SERVED = range(CURFEW_LAW)

_YEAR = 365

# A compiled loop takes plain numbers, not the members of a class.
_ORDER, _ENDED = Status.ORDER, Status.ENDED
_COMMUNITY, _OVER = Location.COMMUNITY, Location.ENDED
_SENTENCED, _REVOKED_ORDER = Why.SENTENCED, Why.REVOKED
_NEW, _ON_BREACH = COUNT_INDEX["sentences_custody"], COUNT_INDEX["sentences_custody_on_breach"]
_OF_RETURNERS, _AGAIN = COUNT_INDEX["sentences_custody_of_returners"], COUNT_INDEX["sentences_of_returners"]
_UNSUCCESSFUL = COUNT_INDEX["orders_ended_unsuccessfully"]
_ELIGIBLE = COUNT_INDEX["hdc_eligible_on_length"]


@compiled
def occurrence_of_term(number: int) -> int:
    """Return the occurrence of the draws for a person's n-th sentence: the first was drawn before the run."""
    return 4096 if number == 1 else number


@compiled_inside
def most_days_on_remand(
    row: int, today: int, place: int, offended: int, out_since: int, previous: Rows, released: Days
) -> int:
    """Return how many days before a sentence somebody can have been on remand, or on a tag that counts like it.

    None of those served under another sentence, on recall or after a committal count twice, nor any on which a recall
    stood unexecuted, nor any from before the last proven reoffence.
    """
    if _COMMUNITY < place < _OVER:
        return 0
    last, before = max(offended, out_since), previous[row]
    while before >= 0:
        last = max(last, int(released[before]))
        before = previous[before]
    return today - last


@compiled_inside
def band_of(key: np.uint64, number: int, constant: np.uint64, edges: Shares) -> int:
    """Return the band of length of the custody that a person's n-th sentence brings, or would bring."""
    uniform = uniform_of(key, constant, occurrence_of_term(number))
    band = 0
    while band < edges.size - 1 and edges[band] <= uniform:
        band += 1
    return band


@compiled
def receive_people(
    people: Rows,
    made: Rows,
    today: int,
    why: int,
    breached: Rows,
    band_edges: Shares,
    lengths: Shares,
    breach_lengths: Shares,
    remand_share: float,
    remands: Shares,
    extended_from: float,
    extended_share: float,
    revoked_share: float,
    lags: Shares,
    constants: NDArray[np.uint64],
    laws: Shares,
    reform: int,
    most: Shares,
    curfew_law: Shares,
    revoked: NDArray[np.intp],
    flows: Counted,
    cell: Array,
    longer_group: int,
    area: Array,
    key: Array,
    sentences: Array,
    location: Array,
    reoffended_on: Array,
    out_since: Array,
    latest: Rows,
    previous: Rows,
    status: Array,
    failed: Array,
    released: Days,
    length: Array,
    remand: Array,
    extended: Array,
    offence: Array,
    custody_end: Array,
    expiry: Array,
    supervision_end: Array,
    curfew_from: Array,
) -> int:
    """Write what is drawn for each term that begins today, and its dates; revoke, for a share of people, their order.

    Parameters
    ----------
    why : int
        One of :class:`~simulation.system.codes.Why`: for a sentence, or for the breach of an order.
    breached : int array
        On breach, the order of each that was broken: its offence is the one that they go to prison for.
    band_edges : float array (bands,)
        Upper edges of the shares of each band of length.
    lengths : float array (bands, 2, quantiles)
        Probabilities and values of the days within each band.
    breach_lengths : float array (2, 2, quantiles)
        Probabilities and values of the days of custody for an order that is revoked, and of a term that was suspended.
    remands, lags : float arrays (2, quantiles)
        The same of the days on remand, and from offence to sentence.
    longer_group : int
        How far the cells of those with long terms lie behind those with short ones; see
        :mod:`simulation.system.groups`.
    extended_from : float
        Length in days from which a sentence may be extended.
    constants : uint64 array
        Constants of the draws; see :data:`DRAWS`.
    laws, reform, most, curfew_law : arrays and int
        What dates follow; see :func:`set_dates`.
    revoked : int array (2, sentences)
        Written: the orders revoked, which end unsuccessfully, and whose they were.

    Returns
    -------
    int
        How many orders are revoked.
    """
    orders, of_people = revoked[0], revoked[1]
    size = 0
    for at in range(made.size):
        fetch_soon(status, max(previous[made[min(at + AHEAD, made.size - 1)]], 0))
        row, who = made[at], people[at]
        number, person = int(sentences[who]), key[who]
        occurrence = occurrence_of_term(number)
        remand[row] = 0
        if why != _SENTENCED:
            uniform = uniform_of(person, constants[_BREACH_LENGTH], occurrence)
            days = value_at(uniform, breach_lengths[why - _REVOKED_ORDER, 0], breach_lengths[why - _REVOKED_ORDER, 1])
        else:
            band = band_of(person, number, constants[_BAND], band_edges)
            uniform = uniform_of(person, constants[_WITHIN_BAND], occurrence)
            days = value_at(uniform, lengths[band, 0], lengths[band, 1])
            if uniform_of(person, constants[_REMANDED], occurrence) < remand_share:
                uniform = uniform_of(person, constants[_REMAND_DAYS], occurrence)
                drawn = int(value_at(uniform, remands[0], remands[1]))
                remand[row] = min(
                    drawn,
                    most_days_on_remand(
                        row,
                        today,
                        int(location[who]),
                        int(reoffended_on[who]),
                        int(out_since[who]),
                        previous,
                        released,
                    ),
                )
        # Somebody is counted where they belong with a term of this length.
        length[row] = int(days)
        place = int(cell[who]) + (longer_group if length[row] >= LONG else 0)
        if why != _SENTENCED:
            # Not a new sentence in the published series: counted apart.
            flows[_ON_BREACH, place] += 1
        else:
            flows[_NEW, place] += 1
            if number > 1:
                flows[_OF_RETURNERS, place] += 1
                flows[_AGAIN, place] += 1
        if why != _SENTENCED:
            offence[row] = offence[breached[at]]
        else:
            if length[row] >= extended_from and uniform_of(person, constants[_LONGER], occurrence) < extended_share:
                extended[row] = 1
            lag = value_at(uniform_of(person, constants[_OFFENDED], number), lags[0], lags[1])
            offence[row] = today - max(int(lag), int(remand[row]))
        order = latest[who]
        while order >= 0 and status[order] != _ORDER:
            order = previous[order]
        if order >= 0 and uniform_of(person, constants[_REVOKED], number) < revoked_share:
            status[order] = _ENDED
            failed[order] = 1
            orders[size] = order
            of_people[size] = who
            size += 1
            flows[_UNSUCCESSFUL, place] += 1
        out, end, supervised, curfew = dates_of(
            int(length[row]),
            int(remand[row]),
            int(offence[row]),
            today,
            extended[row] == 1,
            laws[:, at if laws.shape[1] > 1 else 0],
            reform,
            most[area[who]],
            curfew_law,
        )
        custody_end[row], expiry[row], supervision_end[row], curfew_from[row] = out, end, supervised, curfew
        if curfew != NEVER:
            flows[_ELIGIBLE, place] += 1
    return size


# --- Dates --------------------------------------------------------------------------------------------------------


@compiled
def first_day_of_curfew(
    length: int,
    custody_days: int,
    imposed: int,
    remand: int,
    most: float,
    curfew_law: Shares,
) -> int:
    """Return the first day on which curfew is possible, NEVER where the sentence doesn't allow it.

    Below the midpoint threshold (twice the maximum, ``most``) the longer of 28 days and half the custodial period is
    served; above it the maximum is taken off. ``curfew_law`` is numbered by :data:`CURFEW_LAW`.
    """
    if not curfew_law[_SHORTEST] <= length < curfew_law[_LONGEST] or custody_days < curfew_law[_LEAST_CUSTODY]:
        return NEVER
    served = custody_days - most
    if custody_days < 2 * most:
        served = max(curfew_law[_LEAST_SERVED], np.ceil(custody_days * curfew_law[_LEAST_SHARE]))
    return int(max(float(imposed), imposed + served - remand))


@compiled_inside
def dates_of(
    days: int,
    before: int,
    offended: int,
    begin: int,
    longer: bool,
    law: Shares,
    reform: int,
    most: float,
    curfew_law: Shares,
) -> tuple[int, int, int, int]:
    """Return the ends of custody, sentence and supervision of one term, and its first day of curfew.

    ``days`` is its length, ``before`` what was served on remand, ``offended`` and ``begin`` are the days of offence and
    sentence, ``longer`` says whether it is extended; the rest is as in :func:`set_dates`, for this one sentence.
    """
    serving = int(np.ceil(days * law[_EXTENDED_FRACTION if longer else _FRACTION]))
    # The day of sentence is the first day served, so release is on the last one.
    out = max(begin, begin + serving - before - 1)
    end = max(out, begin + days - before)
    reformed = offended >= reform
    unsupervised = days < _YEAR and not (reformed and law[_SHORT_LICENCE] > 0)
    if unsupervised:
        end = out
    supervised = end
    covered = reformed and 1 < days < law[_SUPERVISED_BELOW] and not longer
    together = int(law[_SUPERVISED_DAYS])
    if covered and together > 0 and not unsupervised:
        supervised = max(end, out + together)
    return out, end, supervised, first_day_of_curfew(days, serving, begin, before, most, curfew_law)


@compiled
def set_dates(
    made: Rows,
    laws: Shares,
    reform: int,
    most: Shares,
    curfew_law: Shares,
    area: Array,
    person: Rows,
    length: Array,
    remand: Array,
    offence: Array,
    imposed: Array,
    extended: Array,
    custody_end: Array,
    expiry: Array,
    supervision_end: Array,
    curfew_from: Array,
) -> None:
    """Write the ends of custody, sentence and supervision, and the first day of curfew.

    Parameters
    ----------
    laws : float array (LAWS, sentences) or (LAWS, 1)
        The law in force for each sentence, or for all of them; see :data:`LAWS`.
    reform : int
        First day of offences with supervision after a short sentence.
    most : float array (areas,)
        Longest curfew in days.
    curfew_law : float array
        See :data:`CURFEW_LAW`.
    """
    for at in range(made.size):
        row = made[at]
        out, end, supervised, curfew = dates_of(
            int(length[row]),
            int(remand[row]),
            int(offence[row]),
            int(imposed[row]),
            extended[row] == 1,
            laws[:, at if laws.shape[1] > 1 else 0],
            reform,
            most[area[person[row]]],
            curfew_law,
        )
        custody_end[row], expiry[row], supervision_end[row], curfew_from[row] = out, end, supervised, curfew


@compiled
def curfew_days(
    length: Array,
    custody_days: Array,
    imposed: Array,
    remand: Array,
    area: Array,
    most: Shares,
    curfew_law: Shares,
) -> NDArray[np.int32]:
    """Return :func:`first_day_of_curfew` of each sentence."""
    days = np.empty(length.size, dtype=np.int32)
    for at in range(length.size):
        days[at] = first_day_of_curfew(
            int(length[at]), int(custody_days[at]), int(imposed[at]), int(remand[at]), most[area[at]], curfew_law
        )
    return days


@compiled
def release_days(
    rows: Rows,
    today: int,
    window: int,
    tomorrow: int,
    previous_working: Array,
    origin: int,
    custody_end: Array,
    prepared: Array,
    days: NDArray[np.intp],
) -> int:
    """Find the working day of each conditional release, and when resettlement work begins where it hasn't yet.

    Parameters
    ----------
    window : int
        Days before release from which resettlement work is done.
    tomorrow : int
        The next working day: who should be out already goes then.
    previous_working, origin : int array, int
        What :meth:`~simulation.engine.calendar.Calendar.previous_working_days` returns.
    days : int array (3, sentences)
        Written: the day of release of each; the sentences not yet prepared for it, and the day on which that begins.

    Returns
    -------
    int
        How many are not yet prepared.
    """
    fresh = 0
    for at in range(rows.size):
        row = rows[at]
        day = max(int(previous_working[int(custody_end[row]) + origin]), tomorrow)
        days[0, at] = day
        if prepared[row] == 0:
            days[1, fresh] = row
            days[2, fresh] = max(day - window, today + 1)
            fresh += 1
    return fresh

