"""Circumstances as compiled loops: what they do to attendance and to changes in need, and month-end counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulation.engine import NEVER
from simulation.engine.chance import minus_log_of, uniform_of
from simulation.engine.compiled import AHEAD, FAR_AHEAD, compiled, compiled_inside, fetch_soon
from simulation.system import codes
from simulation.system.custody_loops import DONE
from simulation.system.service import FAR

if TYPE_CHECKING:
    Array = NDArray[Any]
    Days = NDArray[np.int32]
    Floats = NDArray[np.float64]
    Rows = NDArray[np.intp]

#: Stocks of people in the community, in the order of their counts.
OF_LIFE = (
    "living_nowhere",
    "living_temporarily",
    "living_settled",
    "without_income",
    "engaged_people",
    "engagement_points",
)
_NOWHERE, _TEMPORARILY, _AT_HOME, _PENNILESS, _ENGAGED, _POINTS = range(len(OF_LIFE))

#: What is counted of people released.
OF_RELEASES = (
    "released_temporary",
    "released_housed_by_help",
    "income_gap_days",
    "released_without_income",
    "mentors_met",
    "released_helped",
)
_TEMPORARY_AT_FIRST, _HOUSED, _GAP_DAYS, _GAPS, _MET, _HELPED = range(len(OF_RELEASES))

# Compiled code knows plain numbers only.
_SETTLED, _TEMPORARY, _NONE = codes.Home.SETTLED, codes.Home.TEMPORARY, codes.Home.NONE
_CURFEW = codes.Status.CURFEW
_NOT_KNOWN = codes.Home.NOT_KNOWN

#: No circumstances make the odds less than this part of what they would be.
_LEAST = 0.05


class Ratios(NamedTuple):
    """By how much circumstances multiply something; 1, or a slope of 0, where they don't."""

    no_home: float
    temporary: float
    no_income: float
    mentor: float
    slope: float  # for each point of engagement below the start
    start: int


@compiled
def ratio_of(
    home: int, income_from: int, mentored_until: int, engagement: int, today: int, ratios: Ratios
) -> float:
    """Return by how much one person's circumstances multiply what ``ratios`` are about."""
    ratio = 1.0
    if home == _NONE:
        ratio *= ratios.no_home
    elif home == _TEMPORARY:
        ratio *= ratios.temporary
    if income_from > today:
        ratio *= ratios.no_income
    if mentored_until > today:
        ratio *= ratios.mentor
    if ratios.slope != 0:
        ratio *= max(_LEAST, 1 + ratios.slope * (ratios.start - engagement))
    return ratio


@compiled
def move_points(
    rows: Rows, outcome: NDArray[np.int8], points: NDArray[np.int64], most: int, engagement: Array
) -> None:
    """Add the points of what came to people to their engagement, from nothing to the most there is."""
    for at in range(rows.size):
        fetch_soon(engagement, rows[min(at + FAR_AHEAD, rows.size - 1)])
        change = points[outcome[at]]
        if change != 0:
            row = rows[at]
            engagement[row] = min(max(int(engagement[row]) + change, 0), most)


@compiled
def end_of_tag(rows: Rows, latest: Rows, previous: Rows, status: Array, custody_end: Array) -> NDArray[np.int64]:
    """Return the day on which the curfew of each person ends, :data:`NEVER` for those who are on none."""
    days = np.full(rows.size, NEVER, dtype=np.int64)
    for at in range(rows.size):
        sentence = latest[rows[at]]
        while sentence >= 0:
            if status[sentence] == _CURFEW:
                days[at] = custody_end[sentence]
            sentence = previous[sentence]
    return days


@compiled
def move_homes(
    rows: Rows, rates: Floats, constant: np.uint64, key: Array, home: Array, home_moves: Array
) -> tuple[Rows, Rows, Rows]:
    """Move people from one kind of home to another; return who is settled, temporary and nowhere now.

    Parameters
    ----------
    rates : float array (kinds, kinds)
        Moves a year from each kind of home to each.
    constant : uint64
        Of the draw of the kind of the next home.
    """
    settled, temporary, nowhere = np.empty_like(rows), np.empty_like(rows), np.empty_like(rows)
    many_settled, many_temporary, many_nowhere = 0, 0, 0
    for row in rows:
        total = 0.0
        for rate in rates[home[row]]:
            total += rate
        mark = uniform_of(key[row], constant, int(home_moves[row])) * total
        # The kind whose stretch of the sum of rates holds the mark.
        to, edge = 0, 0.0
        for rate in rates[home[row]]:
            edge += rate
            to += edge <= mark
        home[row] = to
        home_moves[row] += 1
        settled[many_settled], temporary[many_temporary], nowhere[many_nowhere] = row, row, row
        many_settled += to == _SETTLED
        many_temporary += to == _TEMPORARY
        many_nowhere += to == _NONE
    return settled[:many_settled], temporary[:many_temporary], nowhere[:many_nowhere]


@compiled_inside
def day_of_move(
    key: np.uint64,
    home: int,
    spells: int,
    home_moves: int,
    moves_a_year: Floats,
    constant: np.uint64,
    table: Floats,
    today: int,
) -> int:
    """Return the day on which somebody moves to another kind of home, :data:`NEVER` if their home isn't known.

    Parameters
    ----------
    moves_a_year : float array (kinds,)
        Rate by kind of home.
    constant, table : uint64 and float array
        Of the draw, and the logarithms.
    """
    total = moves_a_year[home]
    if home == _NOT_KNOWN or not total > 0:
        return NEVER
    # A spell without a move uses its draw up, too.
    drawn = minus_log_of(1.0 - uniform_of(key, constant, spells * 1024 + home_moves), table)
    return today + 1 + int(min(drawn / total * 365.25, float(FAR)))


@compiled
def days_of_moves(
    rows: Rows,
    today: int,
    moves_a_year: Floats,
    constant: np.uint64,
    table: Floats,
    key: Array,
    spells: Array,
    home: Array,
    home_moves: Array,
) -> tuple[Rows, Days]:
    """Return who will move, of people whose home is known, and on what day; see :func:`day_of_move`."""
    moving, days = np.empty_like(rows), np.empty(rows.size, dtype=np.int32)
    many = 0
    for row in rows:
        kind, number = int(home[row]), int(home_moves[row])
        day = day_of_move(key[row], kind, int(spells[row]), number, moves_a_year, constant, table, today)
        if day != NEVER:
            moving[many], days[many] = row, day
            many += 1
    return moving[:many], days[:many]


@compiled
def begin_outside(
    released: Rows,
    nowhere: Rows,
    settled: Rows,
    today: int,
    gap_helped: int,
    gap: int,
    benefits_share: float,
    mentor_share: float,
    needs_benefits: np.uint64,
    mentor: np.uint64,
    numbers: Rows,
    flows: NDArray[np.int64],
    cell: Array,
    key: Array,
    released_on: Array,
    home: Array,
    income_from: Array,
    person: Array,
    number: Array,
    helped: Array,
    home_found: Array,
    found: NDArray[np.intp],
) -> tuple[int, int]:
    """Note where people released today go, and draw who waits for benefits and who is met by a mentor.

    Not of those held under another sentence, nor of those removed from the country.

    Parameters
    ----------
    released : int array
        Sentences.
    nowhere, settled : int arrays
        People who go nowhere, and to a settled home.
    gap_helped, gap : int
        Days without income of those who had help before release, and of those who had none.
    found : int array (3, sentences)
        Written: who waits, and the day on which benefits begin; who is met by a mentor.

    Returns
    -------
    int, int
        How many wait, and how many are met.
    """
    waiting, days, met = found[0], found[1], found[2]
    many, many_met = 0, 0
    for at in range(released.size):
        soon, sentence = released[min(at + AHEAD, released.size - 1)], released[at]
        fetch_soon(home, person[soon])
        fetch_soon(released_on, person[soon])
        fetch_soon(helped, soon)
        if released_on[person[sentence]] == today:
            home[person[sentence]] = _TEMPORARY
    for row in nowhere:
        home[row] = _NONE
    for row in settled:
        home[row] = _SETTLED
    for sentence in released:
        row, occurrence = person[sentence], number[sentence]
        if released_on[row] != today:
            continue
        flows[numbers[_TEMPORARY_AT_FIRST], cell[row]] += home[row] == _TEMPORARY
        flows[numbers[_HOUSED], cell[row]] += home_found[sentence] == 1
        had_help = helped[sentence] == DONE
        flows[numbers[_HELPED], cell[row]] += had_help
        wait = gap_helped if had_help else gap
        if wait > 0 and uniform_of(key[row], needs_benefits, occurrence) < benefits_share:
            income_from[row] = today + wait
            waiting[many], days[many] = row, today + wait
            many += 1
            flows[numbers[_GAP_DAYS], cell[row]] += wait
            flows[numbers[_GAPS], cell[row]] += 1
        if had_help and uniform_of(key[row], mentor, occurrence) < mentor_share:
            met[many_met] = row
            many_met += 1
            flows[numbers[_MET], cell[row]] += 1
    return many, many_met


@compiled
def odds_of_missing(
    rows: Rows,
    today: int,
    ratios: Ratios,
    home: Array,
    income_from: Array,
    mentored_until: Array,
    engagement: Array,
) -> Floats:
    """Return by how much each person's circumstances multiply the odds of missing an appointment."""
    odds = np.empty(rows.size, dtype=np.float64)
    for at in range(rows.size):
        soon = rows[min(at + FAR_AHEAD, rows.size - 1)]
        # The day on which income begins lies beside the home.
        fetch_soon(home, soon)
        fetch_soon(mentored_until, soon)
        fetch_soon(engagement, soon)
        row = rows[at]
        odds[at] = ratio_of(
            int(home[row]), int(income_from[row]), int(mentored_until[row]), int(engagement[row]), today, ratios
        )
    return odds


@compiled
def rebook(
    rows: Rows,
    booked: Days,
    today: int,
    ratios: Ratios,
    home: Array,
    income_from: Array,
    mentored_until: Array,
    engagement: Array,
    crisis_since: Array,
    change_ratio: Array,
) -> tuple[Rows, Days]:
    """Stretch or shorten the wait for the next change in need by the ratio of rates, now and when it was booked.

    That is the crossing of one threshold by a hazard that goes on from today at another rate. Somebody in the middle of
    a change waits for its end, which stays where it is.

    Returns
    -------
    moved, days : int arrays
        Rows of those whose day moves, and the day.
    """
    moved, days = np.empty_like(rows), np.empty(rows.size, dtype=np.int32)
    many = 0
    for at in range(rows.size):
        row = rows[at]
        if crisis_since[row] != NEVER or booked[at] <= today:
            continue
        ratio = ratio_of(
            int(home[row]), int(income_from[row]), int(mentored_until[row]), int(engagement[row]), today, ratios
        )
        # As it is kept: what is compared tomorrow is what was written today.
        kept = np.float64(np.float32(ratio))
        before = np.float64(change_ratio[row])
        if kept != before and kept > 0:
            change_ratio[row] = kept
            moved[many] = row
            days[many] = today + max(1, int((booked[at] - today) * before / kept))
            many += 1
    return moved[:many], days[:many]


@compiled
def count_lives(
    community: Rows, cell_of: Array, cells: int, home: Array, income_from: Array, engagement: Array, today: int
) -> Array:
    """Count the people in the community, whose cells are given, by home and income, and add up their engagement."""
    counts = np.zeros((len(OF_LIFE), cells), dtype=np.int64)
    for at in range(community.size):
        row, cell = community[at], cell_of[at]
        # The day on which income begins lies beside it.
        fetch_soon(home, community[min(at + FAR_AHEAD, community.size - 1)])
        lives = home[row]
        counts[_NOWHERE, cell] += lives == _NONE
        counts[_TEMPORARILY, cell] += lives == _TEMPORARY
        counts[_AT_HOME, cell] += lives == _SETTLED
        counts[_PENNILESS, cell] += income_from[row] > today
        counts[_ENGAGED, cell] += 1
        counts[_POINTS, cell] += engagement[row]
    return counts
