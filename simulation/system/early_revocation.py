"""Early revocation: a community order ended by the court because the person has done well.

Half-way through, the officer may apply for somebody with no warning in force, no breach under way and no high risk.
The application takes officer time; the court grants it on its day if nothing has happened meanwhile. **Assumption**:
the court refuses nobody.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import simpy

from simulation.engine import NEVER
from simulation.engine.chance import uniform_of
from simulation.engine.compiled import AHEAD, compiled, fetch_soon
from simulation.system.codes import Kind, Location, Progress, Rosh, Status, Task
from simulation.system.service import Array, Rows, Service
from simulation.system.workload import Workload

# A compiled loop takes plain numbers, not the members of a class.
_ORDER, _ENDED, _COMMUNITY, _HIGH = Status.ORDER, Status.ENDED, Location.COMMUNITY, Rosh.HIGH
_FINISHED, _COMMUNITY_ORDER = Progress.FINISHED, Kind.COMMUNITY_ORDER


class EarlyRevocation:
    """Community orders revoked early for good progress."""

    def __init__(self, service: Service) -> None:
        self.service = service
        service.agenda("good progress", service.sentences.capacity)
        service.process(self.process)

    def read(self, workload: Workload) -> None:
        """Take the levers of the day."""
        levers = self.service.levers
        self.seconds = int(workload.task_seconds[Task.COURT_APPLICATION])
        self.share = levers.cells("enforcement.early_revocation_share")
        self.served = float(levers.number("enforcement.early_revocation_served"))
        self.writing = levers.integer("enforcement.early_revocation_application_working_days")
        self.listing = levers.integer("enforcement.early_revocation_working_days")

    def plan(self, made: Rows) -> None:
        """Set the day on which progress on new orders is looked at."""
        service, sentences = self.service, self.service.sentences
        orders, days = np.empty_like(made), np.empty(made.size, dtype=np.int32)
        size = days_of_progress(
            made,
            service.today,
            self.served,
            *service.calendar.next_working_days(),
            sentences.kind,
            sentences.status,
            sentences.imposed,
            sentences.length,
            orders,
            days,
        )
        service.agendas["good progress"].put(orders[:size], days[:size])

    def process(self) -> Generator[simpy.Event, Any, None]:
        """Each day: hear applications, look at progress, and list applications that are written."""
        service = self.service
        while True:
            yield service.clock.phase("hearings")
            due = service.agendas["good progress"].due(service.today)
            written = service.channels["done court_application"].drain()
            if due.size + written.size:
                self.decide(due, written)

    def decide(self, due: Rows, written: Rows) -> None:
        """Grant applications that are heard today, ask for others, and list those written since yesterday."""
        service, sentences = self.service, self.service.sentences
        granted, wanted = self.look_at(due)
        if granted.size:
            person = sentences.person[granted]
            service.agendas["legal end"].cancel(granted)
            service.count("orders_ended_early", person)
            service.tell("order revoked early", np.sort(person))
        if wanted.size:
            person, day = sentences.person[wanted], service.calendar.after_working_days(service.today, self.writing)
            service.count("early_revocations_asked", person)
            service.add_task(Task.COURT_APPLICATION, person, day, self.seconds, wanted)
            service.tell("early revocation asked for", np.sort(person))
        if written.size:
            day = service.calendar.after_working_days(service.today, self.listing)
            service.agendas["good progress"].put(written, day)
        if granted.size:
            service.refresh(sentences.person[granted])

    def look_at(self, due: Rows) -> tuple[Rows, Rows]:
        """Look at the progress of orders: end those that go well and were applied for, apply for some of the others."""
        service, people, sentences = self.service, self.service.people, self.service.sentences
        return look_at_progress(
            due,
            self.share,
            service.chance.constant("early revocation"),
            sentences.person,
            sentences.status,
            sentences.breach_pending,
            sentences.applied,
            sentences.number,
            sentences.breaches,
            people.location,
            people.warned_on,
            people.assessed_rosh,
            people.crisis_noticed,
            people.key,
            people.cell,
            people.reoffended_on,
            sentences.imposed,
            sentences.unpaid_work,
            service.requirements.progress,
        )


@compiled
def days_of_progress(
    made: Rows,
    today: int,
    served: float,
    next_working: Array,
    origin: int,
    kind: Array,
    status: Array,
    imposed: Array,
    length: Array,
    orders: Rows,
    days: Array,
) -> int:
    """Find the community orders whose progress is looked at once a share is served, and the working day for it.

    Returns how many there are; the orders and the days are written into ``orders`` and ``days``. ``next_working`` and
    ``origin`` are what :meth:`~simulation.engine.calendar.Calendar.next_working_days` returns.
    """
    size = 0
    for row in made:
        if kind[row] != _COMMUNITY_ORDER or status[row] != _ORDER:
            continue
        day = int(imposed[row]) + int(length[row] * served)
        if day > today:
            orders[size] = row
            days[size] = next_working[day + origin]
            size += 1
    return size


@compiled
def look_at_progress(
    rows: Rows,
    share: Array,
    constant: np.uint64,
    person: Array,
    status: Array,
    breach_pending: Array,
    applied: Array,
    number: Array,
    breaches: Array,
    location: Array,
    warned_on: Array,
    assessed_rosh: Array,
    crisis_noticed: Array,
    key: Array,
    cell: Array,
    reoffended_on: Array,
    imposed: Array,
    unpaid_work: Array,
    progress: Array,
) -> tuple[Rows, Rows]:
    """End the orders that go well and were applied for; return them, and those for which somebody applies now.

    An order goes well with its unpaid work done, no warning in force, no breach, no high risk, no further offence that
    the courts know of or soon will, and nothing wrong that is known.
    """
    granted, wanted = np.empty_like(rows), np.empty_like(rows)
    many_granted, many_wanted = 0, 0
    for at in range(rows.size):
        soon = rows[min(at + 2 * AHEAD, rows.size - 1)]
        fetch_soon(person, soon)
        fetch_soon(status, soon)
        fetch_soon(breach_pending, soon)
        fetch_soon(imposed, soon)
        fetch_soon(unpaid_work, soon)
        soon = rows[min(at + AHEAD, rows.size - 1)]
        fetch_soon(location, person[soon])
        fetch_soon(warned_on, person[soon])
        fetch_soon(key, person[soon])
        fetch_soon(reoffended_on, person[soon])
        fetch_soon(progress, max(unpaid_work[soon], 0))
        row = rows[at]
        who = person[row]
        if status[row] != _ORDER or breach_pending[row] != 0 or location[who] != _COMMUNITY:
            continue
        if warned_on[who] != NEVER or assessed_rosh[who] >= _HIGH or crisis_noticed[who] != 0:
            continue
        if reoffended_on[who] != NEVER and reoffended_on[who] >= imposed[row]:
            continue
        if unpaid_work[row] >= 0 and progress[unpaid_work[row]] < _FINISHED:
            continue
        if applied[row] == 1:
            status[row] = _ENDED
            granted[many_granted] = row
            many_granted += 1
        elif uniform_of(key[who], constant, int(number[row]) * 4096 + int(breaches[row])) < share[cell[who]]:
            applied[row] = 1
            wanted[many_wanted] = row
            many_wanted += 1
    return granted[:many_granted], wanted[:many_wanted]
