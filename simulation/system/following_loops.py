"""What supervision may do to reoffending, person by person, and who is followed for a year: compiled loops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulation.engine import NEVER
from simulation.engine.compiled import AHEAD, compiled, compiled_inside, fetch_soon
from simulation.system import codes

if TYPE_CHECKING:
    Array = NDArray[Any]
    Rows = NDArray[np.intp]

# Compiled code knows plain numbers only.
_COMMUNITY, _LOW_TIER = codes.Location.COMMUNITY, codes.Tier.D1
_TEMPORARY, _NONE = codes.Home.TEMPORARY, codes.Home.NONE
#: An officer's load is felt from 100% of tool points, and in full at 130%.
_FULL, _FELT_OVER = 1.0, 0.3


class Effects(NamedTuple):
    """Ratios of hazards; 1 where a switch is off."""

    unseen_days: int
    unseen: float  # not seen face to face for longer than that, tiers A to C
    unseen_low: float  # the same, tier D
    new_officer_days: float
    new_officer: float
    unsettled: NDArray[np.float64]  # by percent of OGRS
    overload: float  # at 130% of tool points, tiers A to C


@compiled
def reoffending_ratios(
    size: int,
    today: int,
    effects: Effects,
    location: Array,
    tier: Array,
    ogrs: Array,
    work_only: Array,
    last_seen: Array,
    officer: Array,
    officer_changed_on: Array,
    home: Array,
    pressure: Array,
) -> NDArray[np.float64]:
    """Return by how much everybody's hazard of reoffending is multiplied this month; 1 outside supervision."""
    ratios = np.ones(size, dtype=np.float64)
    # Who is in the community, without a choice that the processor would guess wrong.
    community, many = np.empty(size + 1, dtype=np.intp), 0
    for row in range(size):
        community[many] = row
        many += location[row] == _COMMUNITY
    for at in range(many):
        soon = community[min(at + AHEAD, many - 1)]
        # One column of each group that lies together.
        fetch_soon(last_seen, soon)
        fetch_soon(ogrs, soon)
        fetch_soon(home, soon)
        row = community[at]
        ratio = 1.0
        low = tier[row] >= _LOW_TIER
        # People supervised for unpaid work alone have no contact to miss.
        if work_only[row] == 0 and today - int(last_seen[row]) > effects.unseen_days:
            ratio *= effects.unseen_low if low else effects.unseen
        changed = int(officer_changed_on[row])
        if changed != NEVER and today - changed < effects.new_officer_days:
            ratio *= effects.new_officer
        if home[row] == _TEMPORARY or home[row] == _NONE:
            ratio *= effects.unsettled[ogrs[row]]
        if officer[row] >= 0 and not low:
            over = (pressure[officer[row]] - _FULL) / _FELT_OVER
            ratio *= 1 + (effects.overload - 1) * min(max(over, 0.0), 1.0)
        ratios[row] = ratio
    return ratios


@compiled_inside
def begin_year(
    row: int,
    today: int,
    imposed: int,
    released_on: Array,
    cell: Array,
    followed_from: Array,
    followed_cell: Array,
    followed_release: Array,
    reoffended_since: Array,
) -> bool:
    """Start the year of somebody who was released or sentenced today and isn't followed; return whether it starts.

    ``imposed`` is the day of the person's latest sentence.
    """
    released = released_on[row] == today
    if followed_from[row] != NEVER or not (released or imposed == today):
        return False
    followed_from[row] = today
    followed_cell[row] = cell[row]
    followed_release[row] = released
    reoffended_since[row] = 0
    return True


@compiled
def begin_years(
    rows: Rows,
    today: int,
    released_on: Array,
    latest: Array,
    imposed: Array,
    cell: Array,
    followed_from: Array,
    followed_cell: Array,
    followed_release: Array,
    reoffended_since: Array,
) -> Rows:
    """Start the year of those who were released or sentenced today and aren't followed; return who they are."""
    begun = np.empty_like(rows)
    many = 0
    for row in rows:
        if begin_year(
            row,
            today,
            imposed[latest[row]],
            released_on,
            cell,
            followed_from,
            followed_cell,
            followed_release,
            reoffended_since,
        ):
            begun[many] = row
            many += 1
    return begun[:many]


@compiled
def note_reoffences(rows: Rows, followed_from: Array, reoffended_since: Array) -> None:
    """Mark those who are followed and reoffend."""
    for row in rows:
        if followed_from[row] != NEVER:
            reoffended_since[row] = 1
