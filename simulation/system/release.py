"""Through the Gate: resettlement work before release, a home or none, and the day of release.

The company that hosts the prison does the resettlement work, for NPS people too, in the last twelve weeks or the time
left if less. Teams have hours and queues; what isn't done before the day isn't done. Whether anybody finds a home is
mostly decided outside the gate: in the 2017 inspection two people of ninety-eight were helped into housing.
**Assumption**: prisons hold people from their own area, so the host is the home area's company.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import simpy

from simulation.system.codes import Status
from simulation.system.custody import Custody
from simulation.system.custody_loops import BEGUN, NOT_BEGUN
from simulation.system.population import Population
from simulation.system.release_loops import prepare
from simulation.system.service import Service


class Release:
    """Resettlement teams and accommodation at release."""

    def __init__(self, service: Service, population: Population, custody: Custody) -> None:
        self.service, self.population = service, population
        self.custody = custody
        service.process(self.process)

    def read(self) -> None:
        """Take the levers of the day."""
        levers = self.service.levers
        hours = levers.number("release.hours_per_person")
        expected = levers.number("release.releases_per_year") / levers.number("workload.working_days_a_year")
        national = expected * hours * 3600 * levers.number("release.team_capacity")
        self.capacity = np.floor(self.population.shares * national).astype(np.int64)
        self.seconds = round(hours * 3600)
        # Where people go is settled with their release: a settled home, another, or none; help moves a few.
        self.custody.homes = (
            self.service.chance.constant("home at release"),
            self.service.chance.constant("helped into housing"),
            float(levers.number("release.homeless_share")),
            float(levers.number("release.settled_share")),
            float(levers.number("release.housed_by_help_share")),
        )

    def process(self) -> Generator[simpy.Event, Any, None]:
        """Each working day: begin with people whose window opens, and work through the queue."""
        service = self.service
        while True:
            yield service.clock.phase("releases")
            sentences, queue, today = service.sentences, service.release_queue, service.today
            due = service.agendas["resettlement"].due(today)
            due = due[(sentences.status[due] == Status.CUSTODY) & (sentences.prepared[due] == NOT_BEGUN)]
            if due.size:
                sentences.prepared[due] = BEGUN
                person = sentences.person[due]
                queue.append(
                    due.size,
                    row=due,
                    area=service.people.area[person],
                    seconds=self.seconds,
                    due=sentences.custody_end[due],
                )
                service.count("ttg_started", person)
                service.tell("resettlement work begins", np.sort(person))
            if service.calendar.is_working(today) and queue.size:
                self.work()

    def work(self) -> None:
        """Work through each area's queue, nearest release first."""
        service, sentences, queue = self.service, self.service.sentences, self.service.release_queue
        size = queue.size
        owed = service.tables["teams"].release_owed
        kept, person = prepare(
            queue.row[:size],
            queue.area[:size],
            queue.seconds[:size],
            queue.due[:size],
            self.capacity,
            owed,
            service.today,
            service.people.key,
            sentences.person,
            sentences.status,
            sentences.prepared,
        )
        queue.keep(kept)
        if person.size:
            service.count("ttg_done", person)
            service.tell("resettlement work done", np.sort(person))
