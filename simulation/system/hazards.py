"""Life in the community as compiled loops: hazards that step, waits that end, and who comes back to court as what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulation.engine import NEVER
from simulation.engine.chance import minus_log_of, uniform_of
from simulation.engine.compiled import AHEAD, FAR_AHEAD, compiled, compiled_inside, fetch_soon
from simulation.system import codes
from simulation.system.place import licence_of
from simulation.system.waits import day_of_wait, value_at

if TYPE_CHECKING:
    Array = NDArray[Any]
    Days = NDArray[np.int32]
    Floats = NDArray[np.float64]
    Rows = NDArray[np.intp]

# Compiled code knows plain numbers only.
_COMMUNITY, _OVER, _COURT = codes.Location.COMMUNITY, codes.Location.ENDED, codes.Location.COURT
_DETERMINATE = codes.Kind.DETERMINATE
_CURFEW, _LICENCE = codes.Status.CURFEW, codes.Status.LICENCE
#: RSR is the chance within two years, OGRS within one.
_YEARS_OF_RSR = 2
#: A threshold above this hasn't been drawn yet.
_UNDRAWN = 1e17


@compiled
def group_of(kind: int, length: int) -> int:
    """Return the case-mix group of a sentence: an order, or custody by length."""
    if kind < _DETERMINATE:
        return 0
    return 1 if length < 365 else 2 if length < 1461 else 3


@compiled
def groups(rows: Rows, latest: Rows, kind: Array, length: Array) -> NDArray[np.int64]:
    """Return the case-mix group of what people had last."""
    found = np.empty(rows.size, dtype=np.int64)
    for at in range(rows.size):
        sentence = latest[rows[at]]
        found[at] = group_of(int(kind[sentence]), int(length[sentence]))
    return found


@compiled_inside
def sentences_of(rows: Rows, latest: Rows, previous: Rows) -> Rows:
    """Return every sentence that people ever had."""
    many = 0
    for row in rows:
        sentence = latest[row]
        while sentence >= 0:
            many += 1
            sentence = previous[sentence]
    found = np.empty(many, dtype=np.intp)
    many = 0
    for row in rows:
        sentence = latest[row]
        while sentence >= 0:
            found[many] = sentence
            many += 1
            sentence = previous[sentence]
    return found


@compiled
def change_number(spells: int, crises: int) -> int:
    """Return the number of a draw of the wait for a change in need: a spell without one uses its draw up, too."""
    return spells * 1024 + crises


@compiled
def day_of_change(
    key: np.uint64, changes: np.uint64, number: int, yearly: float, logarithms: Array, today: int
) -> int:
    """Return the day of somebody's next change in need, a constant hazard; ``changes`` is the constant of its draw."""
    wait = minus_log_of(1.0 - uniform_of(key, changes, number), logarithms)
    return day_of_wait(today, wait / max(yearly / 365.25, 1e-9))


@compiled_inside
def day_of_death(
    key: np.uint64,
    dies: np.uint64,
    spells: int,
    after_release: int,
    rate: float,
    ratio: float,
    early_days: float,
    logarithms: Array,
    today: int,
) -> int:
    """Return the day of death of somebody whose spell in the community begins; ``dies`` is the constant of its draw.

    Death is a constant daily hazard, ``ratio`` times as high in the first days after release; its crossing is found in
    closed form.
    """
    to_die = minus_log_of(1.0 - uniform_of(key, dies, spells), logarithms)
    early = rate * ratio if after_release == 1 else rate
    wait = to_die / early if early > 0 else np.inf
    if wait > early_days:
        wait = early_days + (to_die - early * early_days) / rate if rate > 0 else np.inf
    return day_of_wait(today, wait)


@compiled
def turn_changes(
    rows: Rows,
    today: int,
    changes: np.uint64,
    lasts: np.uint64,
    shares: Array,
    lengths: Array,
    yearly: Floats,
    logarithms: Array,
    key: Array,
    cell: Array,
    location: Array,
    spells: Array,
    crises: Array,
    crisis_since: Array,
    crisis_noticed: Array,
    crisis_hidden: Array,
) -> tuple[Rows, Rows, Days, Days]:
    """Begin a change in need for those in the community without one; find those whose change ends.

    Parameters
    ----------
    changes, lasts : uint64
        Constants of the draws of the wait for a change and of how long one lasts.
    shares, lengths : float arrays
        Quantiles of that length in days.
    yearly : float array (cells,)
        Changes a year.

    Returns
    -------
    starting, ending : int arrays
        Rows of those whose change begins and whose change ends.
    until, following : int arrays
        The day on which the former's ends, and on which the latter's next begins.
    """
    starting, ending = np.empty_like(rows), np.empty_like(rows)
    until = np.empty(rows.size, dtype=np.int32)
    following = np.empty(rows.size, dtype=np.int32)
    starts, ends = 0, 0
    for at in range(rows.size):
        soon, row = rows[min(at + AHEAD, rows.size - 1)], rows[at]
        # The rest that is read lies beside the key.
        fetch_soon(location, soon)
        fetch_soon(crises, soon)
        fetch_soon(key, soon)
        number = int(crises[row])
        if location[row] != _COMMUNITY:
            continue
        if crisis_since[row] == NEVER:
            days = int(value_at(uniform_of(key[row], lasts, number), shares, lengths))
            crisis_since[row] = today
            crisis_noticed[row] = 0
            crisis_hidden[row] = 1
            crises[row] = number + 1
            starting[starts] = row
            until[starts] = today + max(days, 1)
            starts += 1
        else:
            ending[ends] = row
            wait = change_number(int(spells[row]), number)
            following[ends] = day_of_change(key[row], changes, wait, yearly[cell[row]], logarithms, today)
            ends += 1
    return starting[:starts], ending[:ends], until[:starts], following[:ends]


@compiled
def record_reoffences(
    rows: Rows,
    next_conviction: Days,
    today: int,
    charged: np.uint64,
    comes_back: np.uint64,
    conviction_lag: np.uint64,
    next_threshold: np.uint64,
    recall_share: Floats,
    return_share: Floats,
    shares: Array,
    lags: Array,
    logarithms: Array,
    key: Array,
    cell: Array,
    location: Array,
    latest: Rows,
    reoffences: Array,
    hazard: Floats,
    threshold: Floats,
    previous: Rows,
    status: Array,
    expiry: Array,
    kind: Array,
    length: Array,
    reoffended_on: Days,
    counted: NDArray[np.int64],
) -> tuple[Rows, Rows, NDArray[np.uint64], Rows, Rows, Rows, Days]:
    """Record a proven reoffence of everybody who is at liberty.

    Parameters
    ----------
    rows, next_conviction : int arrays
        Rows of those whose hazard crossed its threshold, and when each one's next conviction is due.
    charged, comes_back, conviction_lag, next_threshold : uint64
        Constants of the draws that decide whether a charge brings recall, whether the reoffence comes to court, after
        how long, and the next threshold.
    recall_share : float array (cells,)
        Share of those on licence who are recalled when charged.
    return_share : float array (groups,)
        Share of reoffences that come to court.
    shares, lags : float arrays
        Quantiles of days from reoffence to conviction.
    counted : int64 array (cells,)
        Reoffences of those under supervision; added to here.

    Returns
    -------
    held, free, own_keys, supervised : arrays
        Rows of those who aren't at liberty, of those who are with their keys, and among them of those under
        supervision.
    recalled : int array
        Sentences on which recall is asked for.
    returning, days : int arrays
        Rows of those who come back to court, and from which day.
    """
    held, free, supervised = np.empty_like(rows), np.empty_like(rows), np.empty_like(rows)
    recalled, returning = np.empty_like(rows), np.empty_like(rows)
    own_keys = np.empty(rows.size, dtype=np.uint64)
    days = np.empty(rows.size, dtype=np.int32)
    holding, freed, supervising, recalls, returns = 0, 0, 0, 0, 0
    # Records are read before anything is decided: without a choice in between, the processor fetches many at once.
    places = np.empty(rows.size, dtype=np.int8)
    keys = np.empty(rows.size, dtype=np.uint64)
    numbers = np.empty(rows.size, dtype=np.int64)
    last_ones = np.empty(rows.size, dtype=np.intp)
    groups_of_last = np.empty(rows.size, dtype=np.int64)
    for at in range(rows.size):
        row, soon = rows[at], rows[min(at + AHEAD, rows.size - 1)]
        fetch_soon(location, soon)
        fetch_soon(key, soon)
        fetch_soon(reoffences, soon)
        fetch_soon(latest, soon)
        # What is written of nearly everybody.
        fetch_soon(hazard, soon)
        fetch_soon(threshold, soon)
        fetch_soon(reoffended_on, soon)
        places[at] = location[row]
        keys[at] = key[row]
        numbers[at] = reoffences[row]
        last_ones[at] = latest[row]
    for at in range(rows.size):
        soon = last_ones[min(at + AHEAD, rows.size - 1)]
        fetch_soon(kind, soon)
        fetch_soon(length, soon)
        fetch_soon(status, soon)
        groups_of_last[at] = group_of(int(kind[last_ones[at]]), int(length[last_ones[at]]))
    for at in range(rows.size):
        row, place, number, own = rows[at], places[at], numbers[at], keys[at]
        if place != _COMMUNITY and place != _OVER and place != _COURT:
            held[holding] = row
            holding += 1
            continue
        free[freed], own_keys[freed] = row, own
        freed += 1
        reoffended_on[row] = today
        if place == _COMMUNITY:
            counted[cell[row]] += 1
            supervised[supervising] = row
            supervising += 1
            licence = licence_of(last_ones[at], previous, status, expiry)
            if licence >= 0 and uniform_of(own, charged, number) < recall_share[cell[row]]:
                recalled[recalls] = licence
                recalls += 1
        # A conviction that is on its way already comes first.
        if next_conviction[at] == NEVER and uniform_of(own, comes_back, number) < return_share[groups_of_last[at]]:
            returning[returns] = row
            days[returns] = today + 1 + int(value_at(uniform_of(own, conviction_lag, number), shares, lags))
            returns += 1
        reoffences[row] = number + 1
        hazard[row] = 0.0
        threshold[row] = minus_log_of(1.0 - uniform_of(own, next_threshold, number + 1), logarithms)
    return (
        held[:holding],
        free[:freed],
        own_keys[:freed],
        supervised[:supervising],
        recalled[:recalls],
        returning[:returns],
        days[:returns],
    )


@compiled
def first_reoffences(
    rows: Rows,
    today: int,
    months: Array,
    start: Days,
    failed: Array,
    side: Array,
    short_start: Days,
    short_failed: Array,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Count, by months since the start x 2 + side, whose first reoffence of the follow-up this is, and remember it.

    Parameters
    ----------
    months : int array (days of follow-up + 1,)
        Months since year 0 of each of the last days, today the last of them.
    start, failed, side : arrays by row of people
        Start of the cohort that somebody is in, whether they reoffended since, and the side responsible at the start.
    short_start, short_failed : arrays by row of people
        The same of those released from a short sentence, who are counted on side 0.
    """
    this_month, days = months[-1], months.size - 1
    counts = np.zeros((this_month - months[0] + 1) * 2, dtype=np.int64)
    short_counts = np.zeros_like(counts)
    # Records are read before anything is decided: without a choice in between, the processor fetches many at once.
    first, short_first = np.empty(rows.size, dtype=np.bool_), np.empty(rows.size, dtype=np.bool_)
    for at in range(rows.size):
        fetch_soon(start, rows[min(at + AHEAD, rows.size - 1)])
        row = rows[at]
        begun, short_begun = np.int64(start[row]), np.int64(short_start[row])
        first[at] = (begun != NEVER) & (today - begun <= days) & (failed[row] == 0)
        short_first[at] = (short_begun != NEVER) & (today - short_begun <= days) & (short_failed[row] == 0)
    for at in range(rows.size):
        row = rows[at]
        if first[at]:
            failed[row] = 1
            counts[(this_month - months[start[row] - today + days]) * 2 + side[row]] += 1
        if short_first[at]:
            short_failed[row] = 1
            short_counts[(this_month - months[short_start[row] - today + days]) * 2] += 1
    return counts, short_counts


@compiled
def serious_share(rsr: int, ogrs: int, logarithms: Floats) -> float:
    """Return the share of somebody's reoffences that are serious: rate of serious recidivism over that of reoffending.

    Parameters
    ----------
    rsr : int
        Chance of serious recidivism within two years, hundredths of a percent.
    ogrs : int
        Chance of proven reoffending within a year, percent.
    """
    serious = minus_log_of(1.0 - min(rsr / 10_000, 0.99), logarithms) / _YEARS_OF_RSR
    every = minus_log_of(1.0 - min(max(ogrs, 1), 97) / 100, logarithms)
    return min(serious / every, 1.0)


@compiled
def serious_reoffences(
    rows: Rows,
    review_share: float,
    serious: np.uint64,
    logarithms: Floats,
    key: Array,
    rsr: Array,
    ogrs: Array,
    reoffences: Array,
) -> Rows:
    """Return whose reoffence of today, counted already, brings a review; ``serious`` is the constant of the draw."""
    reviewed = np.empty_like(rows)
    many = 0
    for at in range(rows.size):
        row = rows[at]
        fetch_soon(rsr, rows[min(at + AHEAD, rows.size - 1)])
        chance = serious_share(int(rsr[row]), int(ogrs[row]), logarithms) * review_share
        reviewed[many] = row
        many += uniform_of(key[row], serious, int(reoffences[row])) < chance
    return reviewed[:many]


class Fading(NamedTuple):
    """How the hazard of reoffending fades with the time since an order or release."""

    early_days: float  # the hazard is whole for so long,
    later_ratio: float  # this much of it after that,
    days: float  # and nothing from here on


@compiled
def at_liberty_since(
    rows: Array, latest: Rows, kind: Array, imposed: Days, custody_end: Days, released_on: Days
) -> Days:
    """Return the day from which people's time at liberty counts: that of the order, or of release under the sentence.

    The day is the law's, not that on which somebody happened to get out: no recall or curfew moves it. Of a life
    sentence it is the day of release.
    """
    since = np.empty(rows.size, dtype=np.int32)
    for at in range(rows.size):
        fetch_soon(latest, rows[min(at + 2 * FAR_AHEAD, rows.size - 1)])
        soon = latest[rows[min(at + FAR_AHEAD, rows.size - 1)]]
        fetch_soon(kind, soon)
        fetch_soon(imposed, soon)
        fetch_soon(custody_end, soon)
        sentence = latest[rows[at]]
        # Both are read, for which it is can't be foretold.
        ordered, released = imposed[sentence], custody_end[sentence]
        since[at] = ordered if kind[sentence] < _DETERMINATE else released
    for at in range(rows.size):
        if since[at] == NEVER:
            since[at] = released_on[rows[at]]
    return since


@compiled_inside
def _at_risk(size: int, oldest: float, location: Array, last_seen: Days) -> NDArray[np.int32]:
    """Return who may be at risk of reoffending, of whom who isn't supervised was so after a day.

    Supervision that ended before that day began before it, too. Whoever is before a court again is at liberty, and
    whoever is for the first time has no predicted rate yet, and was never seen.
    """
    found, many = np.empty(size + 1, dtype=np.int32), 0
    for row in range(size):
        fetch_soon(last_seen, min(row + FAR_AHEAD, size - 1))
        place = location[row]
        unsupervised = (place == _OVER) | (place == _COURT)
        # Places lie mixed, and to choose by them costs more than to write a row that isn't kept.
        found[many] = row
        many += (place == _COMMUNITY) | (unsupervised & (last_seen[row] > oldest))
    return found[:many]


@compiled
def step_reoffending(
    size: int,
    reoffends: np.uint64,
    yearly: Floats,
    ratio: float,
    fading: Fading,
    today: int,
    days: int,
    logarithms: Array,
    key: Array,
    location: Array,
    latest: Rows,
    ogrs: Array,
    last_seen: Array,
    released_on: Array,
    reoffences: Array,
    hazard: Floats,
    threshold: Floats,
    ratios: Floats,
    kind: Array,
    imposed: Array,
    custody_end: Array,
) -> tuple[Rows, Days]:
    """Add a month's hazard of reoffending to everybody at liberty; draw the threshold of those who have none.

    ``ratios`` is by how much each person's hazard is multiplied; empty where supervision does nothing to it. Whether
    somebody is supervised decides nothing else.

    Returns
    -------
    rows, days : arrays
        Who crosses their threshold this month, and on which day.
    """
    part_of_year = days / 365.25
    of_month = yearly * part_of_year * ratio
    free = _at_risk(size, today - fading.days, location, last_seen)
    # In a loop of its own: what is fetched from far away isn't waited for where there is something to decide.
    since = at_liberty_since(free, latest, kind, imposed, custody_end, released_on)
    crossed = np.empty(free.size, dtype=np.intp)
    when = np.empty(free.size, dtype=np.int32)
    many = 0
    for at in range(free.size):
        row = free[at]
        limit = threshold[row]
        if limit > _UNDRAWN:
            limit = minus_log_of(1.0 - uniform_of(key[row], reoffends, int(reoffences[row])), logarithms)
            threshold[row] = limit
        age = today - int(since[at])
        part = 1.0 if age < fading.early_days else fading.later_ratio
        added = of_month[ogrs[row]] * (part if age < fading.days else 0.0)
        if ratios.size:
            added = added * ratios[row]
        before = hazard[row]
        after = before + added
        hazard[row] = after
        if before < limit <= after:
            share = (limit - before) / added
            crossed[many] = row
            when[many] = today + min(int(share * days), days - 1)
            many += 1
    return crossed[:many].copy(), when[:many].copy()
