"""Community orders that go on past their last day because unpaid work is left.

A community order with unpaid work stays in force until the hours are worked or it is revoked (Criminal Justice Act
2003, section 200). **Assumption**: a court ends what has been left for long. Suspended sentence orders end with their
term, and an order whose breach is on its way to court is left to the court.
"""

from __future__ import annotations

import numpy as np

from simulation.engine.calendar import MONTH_DAYS
from simulation.system.codes import Kind, Progress, Status
from simulation.system.custody import Custody
from simulation.system.service import Rows, Service

#: Days after which an order that was held open is looked at again.
_WEEK = 7


class HeldOpen:
    """Takes from the orders that would run out those with work left."""

    def __init__(self, service: Service, custody: Custody) -> None:
        self.service = service
        custody.held_open.append(self.hold)

    def read(self) -> None:
        """Take the levers of the day."""
        months = self.service.levers.number("requirements.unpaid_work.held_open_months")
        self.longest = int(months * MONTH_DAYS)

    def hold(self, due: Rows) -> Rows:
        """Return what runs out today; orders with work left go on for another week."""
        service, sentences, today = self.service, self.service.sentences, self.service.today
        work = sentences.unpaid_work[due].astype(np.intp)
        held = (work >= 0) & (sentences.status[due] == Status.ORDER) & (sentences.kind[due] == Kind.COMMUNITY_ORDER)
        held &= sentences.breach_pending[due] == 0
        held[held] = service.requirements.progress[work[held]] < Progress.FINISHED
        last_day = sentences.imposed[due].astype(np.int64) + sentences.length[due]
        held &= last_day + self.longest > today
        if not held.any():
            return due
        orders, last_day = due[held], last_day[held]
        until = np.minimum(last_day + self.longest, today + _WEEK)
        first = sentences.person[orders[sentences.expiry[orders] == last_day]]
        sentences.expiry[orders] = sentences.supervision_end[orders] = until
        service.agendas["legal end"].put(orders, until)
        service.count("orders_held_for_work", first)
        service.tell("order held open", np.sort(first))
        return due[~held]
