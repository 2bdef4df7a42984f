"""Community orders that go on past their last day because unpaid work is left.

A community order with unpaid work stays in force until the hours are worked or it is revoked (Criminal Justice Act
2003, section 200). **Assumption**: a court ends what has been left for long. Suspended sentence orders end with their
term, and an order whose breach is on its way to court is left to the court.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulation.engine.calendar import MONTH_DAYS
from simulation.engine.compiled import compiled
from simulation.engine.order import put_in_order
from simulation.system.codes import Kind, Progress, Status
from simulation.system.custody import Custody
from simulation.system.service import Array, Rows, Service

#: Days after which an order that was held open is looked at again.
_WEEK = 7

# A compiled loop takes plain numbers, not the members of a class.
_ORDER, _COMMUNITY_ORDER, _FINISHED = Status.ORDER, Kind.COMMUNITY_ORDER, Progress.FINISHED


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
        found = np.empty((4, due.size), dtype=np.intp)
        over, held, first = part_those_with_work(
            due,
            found,
            today,
            self.longest,
            sentences.person,
            sentences.kind,
            sentences.status,
            sentences.imposed,
            sentences.length,
            sentences.breach_pending,
            sentences.unpaid_work,
            sentences.expiry,
            sentences.supervision_end,
            service.requirements.progress,
        )
        if held:
            service.agendas["legal end"].put(found[1, :held], found[2, :held])
            service.count("orders_held_for_work", found[3, :first])
            service.tell("order held open", found[3, :first])
        return found[0, :over]


@compiled
def part_those_with_work(
    due: Rows,
    found: NDArray[np.intp],
    today: int,
    longest: int,
    person: Rows,
    kind: Array,
    status: Array,
    imposed: Array,
    length: Array,
    breach_pending: Array,
    unpaid_work: Array,
    expiry: Array,
    supervision_end: Array,
    progress: Array,
) -> tuple[int, int, int]:
    """Let community orders with unpaid work left go on for a week, at most so many days after their last day.

    Returns how many run out, are held open, and are so for the first time, written into the rows of ``found``,
    shape (4, due):

    over : int array
        Sentences that run out today.
    held, until : int arrays
        Orders that go on, and the day on which they are looked at again.
    first : int array
        People whose order is held open for the first time, in row order.
    """
    ending, holding, beginning = 0, 0, 0
    for row in due:
        work = unpaid_work[row]
        last_day = int(imposed[row]) + int(length[row])
        if (
            work < 0
            or status[row] != _ORDER
            or kind[row] != _COMMUNITY_ORDER
            or breach_pending[row] != 0
            or progress[work] >= _FINISHED
            or last_day + longest <= today
        ):
            found[0, ending] = row
            ending += 1
            continue
        if expiry[row] == last_day:
            found[3, beginning] = person[row]
            beginning += 1
        until = min(last_day + longest, today + _WEEK)
        expiry[row] = supervision_end[row] = until
        found[1, holding], found[2, holding] = row, until
        holding += 1
    put_in_order(found[3, :beginning])
    return ending, holding, beginning
