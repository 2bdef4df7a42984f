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
from simulation.system.codes import CRC
from simulation.system.other_staff import seniors_missing
from simulation.system.service import Service


def share_lost(service: Service) -> NDArray[np.float64] | None:
    """Return the share of officers' time that is lost today in each area; None where no area is in transition."""
    began = service.tables["teams"].unified_on[: service.areas]
    # No day lies before this one.
    if began.max() == NEVER:
        return None
    dip = service.levers.number("organisation.transition_dip")
    left = _left(began, service.levers.integer("organisation.transition_dip_days"), service.today)
    return left * dip if left.any() else None


def time_lost(service: Service) -> NDArray[np.float64] | None:
    """Return the share of officers' time lost today by area and side; None where nobody loses any."""
    both, failed = share_lost(service), service.tables["contracts"].failed_on[: service.areas]
    without_senior = service.levers.number("effects.time_lost_without_senior")
    if both is None and without_senior == 0 and failed.max() == NEVER:
        return None
    lost = np.zeros((service.areas, 2), dtype=np.float64)
    dip = service.levers.number("contracts.takeover_dip")
    lost[:, CRC] = dip * _left(failed, service.levers.integer("contracts.takeover_dip_days"), service.today)
    if both is not None:
        lost = np.maximum(lost, both[:, np.newaxis])
    if without_senior:
        lost = 1 - (1 - lost) * (1 - without_senior * seniors_missing(service))
    return lost if lost.any() else None


def _left(began: NDArray[np.int32], days: int, today: int) -> NDArray[np.float64]:
    """Return what is left of a dip that falls evenly, 1 on its first day; 0 where none began."""
    passed = np.where(began == NEVER, days, today - began.astype(np.int64))
    left: NDArray[np.float64] = np.clip(days - passed, 0, days) / days
    return left
