"""Counting: stocks at the end of each month, the month's flows, and distributions across people and officers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator
from typing import Any

import numpy as np
import simpy

from simulation.measures.registry import COUNTS
from simulation.system import cohorts, stocks
from simulation.system.codes import SIDES
from simulation.system.contact import Contact
from simulation.system.invariants import Invariants
from simulation.system.laws import columns
from simulation.system.months import rows_of_month
from simulation.system.other_staff import KINDS, MILLIONTHS
from simulation.system.population import Population
from simulation.system.service import COUNT_INDEX, Service
from simulation.system.staffing import Staffing
from simulation.system.supervision import Supervision


class Counting:
    """Closes each day and each month."""

    def __init__(
        self,
        service: Service,
        population: Population,
        supervision: Supervision,
        contact: Contact,
        staffing: Staffing,
        invariants: Invariants,
    ) -> None:
        self.service, self.population, self.supervision = service, population, supervision
        self.contact, self.staffing, self.invariants = contact, staffing, invariants
        #: Stocks that subsystems count themselves.
        self.at_month_end: list[Callable[[], None]] = []
        service.process(self.process)

    def process(self) -> Generator[simpy.Event, Any, None]:
        """Each evening close the day; on the last day of a month, or of the run, close the month."""
        service = self.service
        while True:
            yield service.clock.phase("counting")
            service.close_day()
            tomorrow = service.calendar.date(service.today + 1)
            if tomorrow.day == 1 or service.calendar.date(service.today) == service.resolved.end:
                self.close_month()

    def add(self, names: tuple[str, ...], counts: np.ndarray) -> None:
        """Add counts by measure and cell to the month's."""
        self.service.flows[[COUNT_INDEX[name] for name in names], : counts.shape[1]] += counts

    def band(self, name: str, counts: np.ndarray) -> None:
        """Add counts by band and side to a histogram of the month."""
        bands = self.service.bands
        for band, side in zip(*np.nonzero(counts), strict=True):
            place = (name, int(band), int(side))
            bands[place] = bands.get(place, 0) + int(counts[band, side])

    def close_month(self) -> None:
        """Take stocks and distributions, check the invariants, and store the month."""
        service, today = self.service, self.service.today
        when = service.calendar.date(today)
        statuses = service.statuses_of_all()
        found = stocks.count_people(
            service.people.size,
            service.cells,
            service.posts.size,
            columns(stocks.PeopleCounted, service.people),
            service.people.risk_hazard.view(np.uint64),
            statuses,
            service.sentences.kind,
            today,
            service.calendar.day(when.replace(day=1)),
            self.contact.telephone(),
            self.staffing.allocation.workload.points,
        )
        self.add(stocks.OF_PEOPLE, found.counts)
        self.band("people_by_days_since_seen", found.bands)
        agents = self.contact.hubs.agents
        service.flows[COUNT_INDEX["hub_agents_hundredths"], : agents.size] += agents
        for listener in service.on_month_end:
            listener(found.community, found.cells)
        self.outside_series()
        queue = service.court_queue
        service.count_codes("reports_waiting", queue.area[: queue.size].astype(np.int64) * 2)
        self.officers(found.points)
        cohorts.inspect(service, found.inspected)
        for count in self.at_month_end:
            count()
        # Nobody has moved since they were counted: counting changes no state.
        self.invariants.check(statuses)
        self.store(when, self.digest(found.state))

    def outside_series(self) -> None:
        """Count remand and other prisoners, and staff who hold no cases, shared among areas in a fixed way."""
        service = self.service
        total = service.resolved.series_value("custody.remand_population", service.today, 0)
        total += service.levers.number("custody.other_prisoners")
        edges = np.round(np.concatenate([[0.0], np.cumsum(self.population.shares)]) * total).astype(np.int64)
        counts = (edges[1:] - edges[:-1])[list(service.resolved.areas)]
        service.count_codes("prison_outside", np.array(service.resolved.areas, dtype=np.int64) * 2, counts)

        other = service.levers.mapping("staff.other_staff")
        areas = np.array(service.resolved.areas, dtype=np.int64)
        for side, kind in enumerate(SIDES):
            edges = np.round(np.concatenate([[0.0], np.cumsum(self.population.shares)]) * other[kind]).astype(np.int64)
            counts = (edges[1:] - edges[:-1])[list(service.resolved.areas)]
            service.count_codes("other_staff", self.employing(areas * 2 + side), counts)

    def employing(self, cells: np.ndarray) -> np.ndarray:
        """Return area x 2 + side of who employs the staff of cells: where the service is one, the NPS."""
        unified = self.service.levers.grid("organisation.unified")[:, 0] > 0.5
        employer: np.ndarray = np.where(unified[cells // 2], cells // 2 * 2, cells)
        return employer

    def officers(self, held: np.ndarray) -> None:
        """Count officers and their load, as the workload tool shows it: ``held`` are the points of each post."""
        service, posts, tasks = self.service, self.service.posts, self.service.tasks
        points, available = self.staffing.points(held)
        counts, by_cases, by_workload = stocks.count_posts(
            posts.size,
            service.areas * 2,
            columns(stocks.PostsCounted, posts),
            points,
            available,
            service.today,
            self.staffing.tool,
            self.staffing.allocation.workload.truth,
            self.staffing.allocation.workload.full_time,
        )
        self.add(stocks.OF_POSTS, counts)
        # The tool shows the reports of the month so far.
        posts.report_points[: posts.size] = 0
        self.band("officers_by_cases", by_cases)
        self.band("officers_by_workload", by_workload)
        other, every = service.tables["other_staff"], np.arange(service.areas * 2)
        for kind in KINDS:
            hundredths = getattr(other, f"{kind}_in_post")[: every.size] // (MILLIONTHS // 100)
            service.count_codes(f"{kind}s_in_post", self.employing(every), hundredths)
        waiting = tasks.person[: tasks.size][tasks.due[: tasks.size] < service.today]
        service.count("tasks_waiting", waiting)

    def store(self, when: Any, digest: str) -> None:
        """Keep the month's counts and the digest of its state, and begin a new month."""
        service = self.service
        service.finished.append(rows_of_month(when, service.flows, service.bands))
        service.flows[:] = 0
        service.bands.clear()
        service.state_digests[f"{when.year:04d}-{when.month:02d}"] = digest

    def digest(self, people: np.uint64) -> str:
        """Return a digest of the state of people supervised, which is given, and of every post."""
        posts = self.service.posts
        # Processors have instructions of their own for SHA-256.
        state = hashlib.sha256(int(people).to_bytes(8, "little"))
        for name in ("filled", "holder", "cases", "owed", "sick_until", "leave_until", "leaving_hazard"):
            state.update(getattr(posts, name)[: posts.size])
        return state.hexdigest()[:32]


__all__ = ["COUNTS", "Counting"]
