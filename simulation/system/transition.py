"""What a change of organisation costs in its first months: time that officers lose to it.

New systems, meetings, new managers and new colleagues take time from cases, most in the first days and less and less
until the transition is over. The time is lost in an area from the day on which its two sides become one service, so
that a service unified area by area pays in each when its turn comes; and at a company from the day on which another
owner takes it over.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulation.engine import NEVER
from simulation.engine.compiled import compiled, compiled_inside
from simulation.system.codes import CRC
from simulation.system.other_staff import share_missing
from simulation.system.service import Array, Service

_CRC = int(CRC)  # Compiled code knows plain numbers only.


def time_lost(service: Service) -> NDArray[np.float64] | None:
    """Return the share of officers' time lost today by area and side; None where nobody loses any."""
    tables, levers, size = service.tables, service.levers, service.areas
    without_senior = float(levers.number("effects.time_lost_without_senior"))
    unified_on, failed_on = tables["teams"].unified_on[:size], tables["contracts"].failed_on[:size]
    if without_senior == 0 and unified_on.max() == NEVER and failed_on.max() == NEVER:
        return None
    lost = np.zeros((size, 2), dtype=np.float64)
    other = tables["other_staff"]
    any_lost = _time_lost(
        service.today,
        unified_on,
        failed_on,
        float(levers.number("organisation.transition_dip")),
        levers.integer("organisation.transition_dip_days"),
        float(levers.number("contracts.takeover_dip")),
        levers.integer("contracts.takeover_dip_days"),
        without_senior,
        other.senior_posts,
        other.senior_in_post,
        levers.grid("organisation.unified"),
        lost,
    )
    return lost if any_lost else None


@compiled
def _time_lost(
    today: int,
    unified_on: Array,
    failed_on: Array,
    dip: float,
    dip_days: int,
    takeover_dip: float,
    takeover_days: int,
    without_senior: float,
    senior_posts: Array,
    senior_in_post: Array,
    unified: Array,
    lost: Array,
) -> bool:
    """Write the share of time lost by area and side; tell whether any is."""
    any_lost = False
    for area in range(lost.shape[0]):
        both = _part_left(unified_on[area], dip_days, today) * dip
        of_company = _part_left(failed_on[area], takeover_days, today) * takeover_dip
        for side in range(2):
            share = max(of_company if side == _CRC else 0.0, both)
            if without_senior != 0:
                missing = share_missing(area, side, senior_posts, senior_in_post, unified)
                share = 1 - (1 - share) * (1 - without_senior * missing)
            lost[area, side] = share
            any_lost |= share != 0
    return any_lost


@compiled_inside
def _part_left(began: int, days: int, today: int) -> float:
    """Return what is left of a dip that falls evenly, 1 on its first day; 0 where none began."""
    if began == NEVER:
        return 0.0
    return min(max(days - (today - int(began)), 0), days) / days
