"""What a change of organisation costs in its first months: time that officers lose to it.

New systems, meetings, new managers and new colleagues take time from cases, most in the first days and less and less
until the transition is over. The time is lost in an area from the day on which its two sides become one service, so
that a service unified area by area pays in each when its turn comes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulation.engine import NEVER
from simulation.system.service import Service


def share_lost(service: Service) -> NDArray[np.float64] | None:
    """Return the share of officers' time that is lost today in each area; None where no area is in transition."""
    began = service.tables["teams"].unified_on[: service.areas]
    if not (began != NEVER).any():
        return None
    dip = service.levers.number("organisation.transition_dip")
    days = service.levers.integer("organisation.transition_dip_days")
    passed = np.where(began == NEVER, days, service.today - began.astype(np.int64))
    left = np.clip(days - passed, 0, days) / days
    return left * dip if left.any() else None
