"""What a company is paid for and what it costs, as rules on numbers; one compiled pass finds the month's starts.

:mod:`simulation.system.contracts` says when they apply.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulation.engine.compiled import AHEAD, compiled, fetch_soon
from simulation.system import codes

if TYPE_CHECKING:
    Array = NDArray[Any]
    Counted = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Rows = NDArray[np.intp]

#: Activities that are paid for, in the order of the columns of volumes.
ACTIVITIES = ("order", "unpaid_work", "licence", "supervision")
_ORDER, _UNPAID_WORK, _LICENCE, _SUPERVISION = range(len(ACTIVITIES))

# Compiled code knows plain numbers only.
_CRC, _DETERMINATE = codes.CRC, codes.Kind.DETERMINATE
_SENTENCED, _RECALLED = codes.Location.SENTENCED, codes.Location.RECALLED
_ON_SUPERVISION = codes.Status.SUPERVISION


@compiled
def starts_of_month(
    size: int,
    first: int,
    today: int,
    areas: int,
    area: Array,
    side: Array,
    person: Rows,
    kind: Array,
    status: Array,
    imposed: Array,
    released: Array,
    expiry: Array,
    supervision_end: Array,
    unpaid_work_only: Array,
) -> tuple[Counted, Rows, NDArray[np.int32]]:
    """Find what began from a day to today in companies' cases: orders, licences and post-sentence supervision.

    Parameters
    ----------
    first, today : int
        First and last day looked at.

    Returns
    -------
    volumes : int64 array (area, activity)
        Starts of each activity.
    sentences, days : int arrays
        Orders and licences that began, and when.
    """
    volumes = np.zeros((areas, 4), dtype=np.int64)
    # Few sentences begin anything in a month: whose they are is asked of those alone.
    # Compared many at once: with no choice in between, in numbers as wide as the columns'.
    begins_now, begin, end = np.empty(size, dtype=np.bool_), np.int32(first), np.int32(today)
    for row in range(size):
        ordered, freed, after = imposed[row], released[row], expiry[row]
        begins = ordered if kind[row] < _DETERMINATE else freed
        begun = (begins >= begin) & (begins <= end)
        begun |= (status[row] == _ON_SUPERVISION) & (after >= begin) & (after <= end)
        begins_now[row] = begun & (kind[row] <= _DETERMINATE)
    beginning, some = np.empty(size + 1, dtype=np.int32), 0
    for row in range(size):
        beginning[some] = row
        some += begins_now[row]
    found = np.empty(some, dtype=np.intp)
    days = np.empty(some, dtype=np.int32)
    many = 0
    for at in range(some):
        row = beginning[at]
        fetch_soon(side, person[beginning[min(at + AHEAD, some - 1)]])
        begins = imposed[row] if kind[row] < _DETERMINATE else released[row]
        after = expiry[row] if status[row] == _ON_SUPERVISION else today + 1
        who = person[row]
        if side[who] != _CRC:
            continue
        where = area[who]
        if kind[row] < _DETERMINATE:
            volumes[where, _UNPAID_WORK if unpaid_work_only[row] == 1 else _ORDER] += 1
            found[many], days[many] = row, begins
            many += 1
            continue
        if begins >= first and max(expiry[row], supervision_end[row]) > begins:
            volumes[where, _LICENCE] += 1
            found[many], days[many] = row, begins
            many += 1
        if first <= after <= today and after > begins:
            volumes[where, _SUPERVISION] += 1
    return volumes, found[:many].copy(), days[:many].copy()


@compiled
def prisoners_by_area(size: int, areas: int, location: Array, area: Array) -> Counted:
    """Return how many people are in prison from each area: sentenced or recalled."""
    # Written for everybody, kept for some: a choice that can't be foretold costs more than a number.
    inside, many = np.empty(size + 1, dtype=np.int32), 0
    for row in range(size):
        inside[many] = row
        many += (location[row] == _SENTENCED) | (location[row] == _RECALLED)
    found = np.zeros(areas, dtype=np.int64)
    for at in range(many):
        found[area[inside[at]]] += 1
    return found


def whole(amounts: Array) -> Counted:
    """Return amounts of money without the parts of a penny, which nobody is paid."""
    return np.floor(amounts).astype(np.int64)


def paid_share(volume: Array, expected: Array, band: float, fixed_share: float) -> Floats:
    """Return the share of expected income that a volume brings.

    Nothing moves within the band; beyond it, the part of income that isn't taken for fixed moves with volume.

    Parameters
    ----------
    volume, expected : arrays
        Weighted units, and those expected at signing.
    band : float
        Departure, either way, that changes nothing.
    fixed_share : float
        Share of cost that the terms take for fixed.

    Examples
    --------
    Thirty percent short, two of them within the band, four fifths of the rest lost:

    >>> paid_share(np.array([70.0]), np.array([100.0]), 0.02, 0.2).round(6).tolist()
    [0.776]
    """
    departure = volume / np.maximum(expected, 1) - 1
    beyond = np.where(departure < 0, np.minimum(departure + band, 0), np.maximum(departure - band, 0))
    return np.maximum(1 + (1 - fixed_share) * beyond, 0)


def cost_of(volume: Array, expected: Array, planned: Array, fixed_share: Array) -> Counted:
    """Return what a volume costs in pence, given the cost planned for the volume expected.

    Examples
    --------
    >>> cost_of(np.array([70.0]), np.array([100.0]), np.array([10_000]), np.array([0.77])).tolist()
    [9310]
    """
    return whole(planned * (fixed_share + (1 - fixed_share) * volume / np.maximum(expected, 1)))


def posts_to_cut(
    loss: Counted, cost: Counted, owner: Array, share: Array, post_cost: int, most: Counted, gone: Counted
) -> Counted:
    """Return how many more posts each area's company sets out to close.

    Parameters
    ----------
    loss, cost : int64 arrays (areas,)
        Pence of about a year; the loss before what closed posts save.
    owner : int array (areas,)
        Whose losses are added up; an area of nobody has a number of its own.
    share : float array (areas,)
        Share of the loss that is to be saved.
    post_cost : int
        Pence a post costs in a year.
    most, gone : int64 arrays (areas,)
        Posts that may be closed at most; closed, or to be closed, already.

    Examples
    --------
    Two areas of one owner that cost 1,000 and 3,000 and lose 400 and 0; half of the loss is to be saved, and a post
    costs 25. A tenth is lost over all, so the areas save 50 and 150:

    >>> posts_to_cut(np.array([400, 0]), np.array([1000, 3000]), np.array([0, 0]), np.array([0.5, 0.5]), 25,
    ...              np.array([4, 4]), np.array([0, 1])).tolist()
    [2, 3]
    """
    lost, spent = np.zeros(owner.max() + 1, dtype=np.int64), np.zeros(owner.max() + 1, dtype=np.int64)
    np.add.at(lost, owner, loss)
    np.add.at(spent, owner, cost)
    ratio = np.maximum(lost[owner], 0) / np.maximum(spent[owner], 1)
    wanted = whole(share * ratio * cost / post_cost)
    return np.maximum(np.minimum(wanted, most) - gone, 0)
