"""Counting: stocks at the end of each month, the month's flows, and distributions across people and officers."""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from typing import Any

import numpy as np
import simpy

from simulation.engine import NEVER
from simulation.measures.registry import COUNT_BY_NAME, COUNTS
from simulation.system.codes import Kind, Location, Rosh, Setting, Status
from simulation.system.contact import Contact
from simulation.system.invariants import Invariants
from simulation.system.population import Population
from simulation.system.service import COUNT_INDEX, Service
from simulation.system.staffing import Staffing
from simulation.system.supervision import Supervision

EVERYWHERE = -1


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

    def stock(self, name: str, codes: np.ndarray, amount: np.ndarray | None = None) -> None:
        """Count a stock."""
        self.service.count_codes(name, codes, amount)

    def close_month(self) -> None:
        """Take stocks and distributions, check the invariants, and store the month."""
        service, people, today = self.service, self.service.people, self.service.today
        size = people.size
        live = np.flatnonzero(people.side[:size] >= 0)
        codes = service.code(live)
        place, setting = people.location[live], people.setting[live]
        inside = (place == Location.SENTENCED) | (place == Location.RECALLED)
        outside = (place == Location.COMMUNITY) | (place == Location.AT_LARGE) | (place == Location.COMMITTED)
        community = place == Location.COMMUNITY
        first = service.calendar.day(service.calendar.date(today).replace(day=1))
        days = today + 1 - first
        self.stock("caseload_total", codes)
        self.stock("caseload_custody", codes[inside])
        self.stock("caseload_community", codes[outside])
        orders = np.zeros(live.size, dtype=bool)
        mask = service.statuses(live)
        orders = (mask & (1 << Status.ORDER)) > 0
        after = (
            mask
            & (
                (1 << Status.CURFEW)
                | (1 << Status.LICENCE)
                | (1 << Status.SUPERVISION)
                | (1 << Status.AT_LARGE)
            )
        ) > 0
        self.stock("caseload_court_orders", codes[outside & orders])
        self.stock("caseload_licence_pss", codes[outside & after])
        self.stock("caseload_licence", codes[outside & (setting == Setting.LICENCE)])
        self.stock("caseload_pss", codes[outside & (setting == Setting.SUPERVISION)])
        seen = live[community]
        telephone = self.contact.telephone_only(seen)
        self.stock("caseload_telephone_only", service.code(seen[telephone]))
        waiting = people.officer[live] < 0
        self.stock("unallocated", codes[waiting])
        since = today - people.last_seen[seen]
        routine = people.work_only[seen] == 0
        self.stock("unseen_over_60_days", service.code(seen[routine & (since > 60)]))
        sides = np.maximum(people.side[seen], 0)
        service.band("people_by_days_since_seen", np.minimum(since[routine] // 10, 36), sides[routine])
        unnoticed = seen[(people.crisis_since[seen] != NEVER) & (people.crisis_noticed[seen] == 0)]
        self.stock("crisis_unnoticed", service.code(unnoticed))
        # Today's day is counted too: the month is over at midnight.
        service.count(
            "crisis_unnoticed_days", unnoticed, today + 1 - np.maximum(people.crisis_since[unnoticed], first)
        )
        self.stock("community_days", codes[community], np.full(int(community.sum()), days))
        held = people.officer[live] >= 0
        self.stock("case_days", codes[held], np.full(int(held.sum()), days))
        latest_kind = service.sentences.kind[people.latest[live]]
        for_life = inside & (latest_kind == Kind.INDETERMINATE)
        self.stock("prison_determinate", codes[(place == Location.SENTENCED) & ~for_life])
        self.stock("prison_recalled", codes[place == Location.RECALLED])
        self.stock("prison_indeterminate", codes[(place == Location.SENTENCED) & for_life])
        self.stock("prison_person_days", codes[inside], np.full(int(inside.sum()), days))
        self.stock("on_hdc", codes[community & ((mask & (1 << Status.CURFEW)) > 0)])
        self.stock("unlawfully_at_large", codes[place == Location.AT_LARGE])
        self.outside_series()
        queue = service.court_queue
        self.stock("reports_waiting", queue.area[: queue.size].astype(np.int64) * 2)
        self.officers()
        self.invariants.check()
        self.store(service.calendar.date(today))

    def outside_series(self) -> None:
        """Count remand and other prisoners from their series, shared among areas in a fixed way."""
        service = self.service
        total = service.resolved.series_value("custody.remand_population", service.today, 0)
        total += service.levers.number("custody.other_prisoners")
        edges = np.round(np.concatenate([[0.0], np.cumsum(self.population.shares)]) * total).astype(np.int64)
        counts = (edges[1:] - edges[:-1])[list(service.resolved.areas)]
        self.stock("prison_outside", np.array(service.resolved.areas, dtype=np.int64) * 2, counts)

    def officers(self) -> None:
        """Count officers and their load, as the workload tool shows it."""
        service, posts, tasks = self.service, self.service.posts, self.service.tasks
        size = posts.size
        points, available = self.staffing.points()
        codes = posts.area[:size].astype(np.int64) * 2 + posts.employer[:size]
        filled = posts.filled[:size] == 1
        share = np.where(available > 0, points * 100.0 / np.maximum(available, 1), 0.0)
        cases = posts.cases[:size]
        self.stock("officers_in_post", codes[filled])
        self.stock("posts_vacant", codes[~filled])
        self.stock("officers_absent_sick", codes[filled & (posts.sick_until[:size] > service.today)])
        self.stock("officers_over_100", codes[filled & (share > 100)])
        self.stock("officers_over_110", codes[filled & (share > 110)])
        self.stock("officers_over_50_cases", codes[filled & (cases > 50)])
        self.stock("cases_held", codes[filled], cases[filled])
        self.stock("points_held", codes[filled], points[filled])
        self.stock("points_available", codes[filled], available[filled])
        employer = posts.employer[:size][filled]
        service.band("officers_by_cases", np.minimum(cases[filled] // 5, 40), employer)
        service.band("officers_by_workload", np.minimum(share[filled].astype(np.int64) // 10, 30), employer)
        self.stock(
            "tasks_waiting", service.code(tasks.person[: tasks.size][tasks.due[: tasks.size] < service.today])
        )

    def store(self, when: Any) -> None:
        """Write the month's counts into rows and begin a new month."""
        service = self.service
        month = f"{when.year:04d}-{when.month:02d}"
        for name, number in COUNT_INDEX.items():
            if COUNT_BY_NAME[name].kind == "histogram":
                continue
            values = service.flows[number]
            for code in np.flatnonzero(values).tolist():
                service.finished.append((month, name, code, EVERYWHERE, int(values[code])))
        for (name, band, side), value in service.bands.items():
            service.finished.append((month, name, side, band, value))
        service.flows[:] = 0
        service.bands.clear()
        service.state_digests[month] = self.digest()

    def digest(self) -> str:
        """Return a digest of the state of people supervised and of every post."""
        _service, people, posts = self.service, self.service.people, self.service.posts
        size = people.size
        known = np.flatnonzero(people.side[:size] >= 0)
        state = hashlib.blake2b(digest_size=16)
        state.update(people.key[known].tobytes())
        for name in (
            "location",
            "setting",
            "side",
            "tier",
            "officer",
            "last_seen",
            "crisis_since",
            "risk_hazard",
            "contacts",
        ):
            values = getattr(people, name)[known]
            state.update((values.astype(np.int32) if name == "officer" else values).tobytes())
        for name in ("filled", "holder", "cases", "owed", "sick_until", "leave_until", "leaving_hazard"):
            state.update(getattr(posts, name)[: posts.size].tobytes())
        return state.hexdigest()


__all__ = ["COUNTS", "Counting", "Rosh"]
