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
from numpy.typing import NDArray

from simulation.engine import NEVER
from simulation.system.codes import Kind, Location, Rosh, Status, Task
from simulation.system.service import Rows, Service
from simulation.system.workload import Workload


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
        self.share = levers.grid("enforcement.early_revocation_share").ravel()
        self.served = levers.number("enforcement.early_revocation_served")
        self.listing = levers.integer("enforcement.early_revocation_working_days")

    def plan(self, made: Rows) -> None:
        """Set the day on which progress on new orders is looked at."""
        service, sentences = self.service, self.service.sentences
        made = made[(sentences.kind[made] == Kind.COMMUNITY_ORDER) & (sentences.status[made] == Status.ORDER)]
        day = sentences.imposed[made] + (sentences.length[made] * self.served).astype(np.int64)
        ahead = day > service.today
        day = service.calendar.working_day_after(day[ahead])
        service.agendas["good progress"].put(made[ahead], day)

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
        service, people, sentences = self.service, self.service.people, self.service.sentences
        due = due[self.going_well(due)]
        asked = sentences.applied[due] == 1
        granted, looked_at = due[asked], due[~asked]
        person = sentences.person[granted]
        sentences.status[granted] = Status.ENDED
        service.agendas["legal end"].cancel(granted)
        service.count("orders_ended_early", person)
        service.tell("order revoked early", np.sort(person))
        person = sentences.person[looked_at]
        uniform = service.chance.uniform(
            people.key[person], "early revocation", service.occurrence(looked_at, sentences.breaches[looked_at])
        )
        wanted = looked_at[uniform < self.share[people.cell[person]]]
        sentences.applied[wanted] = 1
        person = sentences.person[wanted]
        service.count("early_revocations_asked", person)
        service.add_task(
            Task.COURT_APPLICATION, person, service.calendar.after_working_days(service.today, 5), self.seconds, wanted
        )
        service.tell("early revocation asked for", np.sort(person))
        day = service.calendar.after_working_days(service.today, self.listing)
        service.agendas["good progress"].put(written, day)
        service.refresh(sentences.person[granted])

    def going_well(self, rows: Rows) -> NDArray[np.bool_]:
        """Tell which orders go well: no warning in force, no breach, no high risk, nothing wrong that is known."""
        people, sentences = self.service.people, self.service.sentences
        person = sentences.person[rows]
        return (
            (sentences.status[rows] == Status.ORDER)
            & (sentences.breach_pending[rows] == 0)
            & (people.location[person] == Location.COMMUNITY)
            & (people.warned_on[person] == NEVER)
            & (people.assessed_rosh[person] < Rosh.HIGH)
            & (people.crisis_noticed[person] == 0)
        )
