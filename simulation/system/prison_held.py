"""Offender management in custody: from its start, prison staff hold the cases of people in closed prisons.

Before it the community officer holds the custody case from sentence. From its date a case in custody belongs to the
prison until handover, some weeks or months before release, when a community officer is asked for. Short terms are over
before a handover would be due, and stay with the community officer, as do people on recall (**assumption**).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Generator
from typing import Any

import numpy as np
import simpy
from numpy.typing import NDArray

from simulation.engine import NEVER
from simulation.engine.agenda import each_once
from simulation.engine.calendar import MONTH_DAYS
from simulation.engine.compiled import compiled
from simulation.system.allocation import Allocation
from simulation.system.codes import CRC, MANAGED_TOGETHER, Asking, Kind, Location, Status, Task
from simulation.system.custody import Custody
from simulation.system.service import FAR, Array, Rows, Service
from simulation.system.supervision import Supervision
from simulation.system.workload import Workload

#: Groups of prisons to which the change came on dates of their own; the order is that of :meth:`PrisonHeld.group`.
GROUPS = ("england_closed", "wales_closed", "women_and_open")
#: Dates of change are looked up for so many days at once.
_DAYS_AT_ONCE = 64
# Compiled code knows plain numbers only.
_CUSTODY, _INDETERMINATE = Status.CUSTODY, Kind.INDETERMINATE


class PrisonHeld:
    """Takes cases into the prisons and hands them over to the community."""

    def __init__(
        self, service: Service, supervision: Supervision, allocation: Allocation, custody: Custody
    ) -> None:
        self.service, self.allocation = service, allocation
        self._known: dict[int, NDArray[np.bool_]] = {}
        self.wales = np.array([region == "wales" for region in service.geography.region])
        service.agenda("handover", service.people.capacity)
        custody.on_reception.append(self.take)
        allocation.on_placed_inside.append(self.take)
        supervision.on_left_prison_staff.append(self.left)
        service.process(self.process)

    def read(self, workload: Workload) -> None:
        """Take the levers of the day."""
        levers = self.service.levers
        self._known = {}
        self.seconds = int(workload.task_seconds[Task.HANDOVER])
        self.closed_share = float(levers.number("custody.handover.closed_share"))
        self.company_days = int(levers.number("custody.handover.crc_weeks_before_release") * 7)
        self.nps_days = int(levers.number("custody.handover.nps_months_mappa1_or_none") * MONTH_DAYS)
        self.high_days = int(levers.number("custody.handover.nps_months_mappa23") * MONTH_DAYS)

    def in_force(self, day: int) -> NDArray[np.bool_]:
        """Tell in which groups of prisons staff hold the cases on a day."""
        if day not in self._known:
            # Up to the next change of levers, a day's value is the same whichever of these days it is looked up on.
            changes = self.service.resolved.change_days()
            following = bisect_right(changes, day)
            end = min([day + _DAYS_AT_ONCE, *changes[following : following + 1]])
            days, lookup = np.arange(day, end), self.service.resolved.lookup
            values = [lookup(f"custody.prison_held.{name}", days, end - 1, 0) for name in GROUPS]
            force = (np.stack(values, axis=1) > 0.5) & (days >= 0)[:, None]
            # Remembered from one day to the next; no state.
            yesterday = {at: what for at, what in self._known.items() if at == day - 1}
            self._known = yesterday | dict(zip(days.tolist(), force, strict=True))
        return self._known[day]

    def process(self) -> Generator[simpy.Event, Any, None]:
        """Each day: on dates of change go through everybody inside; hand over cases whose day has come."""
        service, people = self.service, self.service.people
        while True:
            yield service.clock.phase("hearings")
            today = service.today
            before, now = self.in_force(today - 1), self.in_force(today)
            if (before != now).any():
                inside = np.flatnonzero(people.location[: people.size] == Location.SENTENCED)
                group = self.group(inside)
                self.hand_over(inside[(people.prison_held[inside] == 1) & (before & ~now)[group]])
                self.take(inside[(~before & now)[group]])
            due = service.agendas["handover"].due(today)
            self.hand_over(due[people.prison_held[due] == 1])

    def group(self, rows: Rows) -> NDArray[np.int64]:
        """Return the group of prisons where people are, if they are in prison: one draw for a man's prison."""
        people = self.service.people
        uniform = self.service.chance.uniform(people.key[rows], "closed prison")
        closed = np.where(self.wales[people.area[rows]], 1, 0)
        return np.where((people.female[rows] == 1) | (uniform >= self.closed_share), 2, closed)

    # --- Into the prison's hands ------------------------------------------------------------------------------

    def take(self, rows: Rows) -> None:
        """Give the prisons the cases of people in custody whose handover lies ahead."""
        service, people = self.service, self.service.people
        force = self.in_force(service.today)
        if not force.any():
            return
        rows = each_once(rows)
        rows = rows[(people.location[rows] == Location.SENTENCED) & (people.side[rows] >= 0)]
        if rows.size == 0:
            return
        rows = rows[force[self.group(rows)]]
        day = self.handover_day(rows)
        ahead = day > service.today
        held = rows[~ahead & (people.prison_held[rows] == 1)]
        rows, day = rows[ahead], day[ahead]
        service.agendas["handover"].put(rows, day)
        rows = rows[people.prison_held[rows] == 0]
        if rows.size:
            self.take_from_officers(rows)
        self.hand_over(held)

    def take_from_officers(self, rows: Rows) -> None:
        """Let staff of the prisons hold cases that they don't hold yet; nothing is booked for these people any more."""
        service, people = self.service, self.service.people
        people.prison_held[rows] = 1
        with_officer = rows[people.officer[rows] >= 0]
        np.subtract.at(service.posts.cases, people.officer[with_officer], 1)
        people.officer[rows] = -1
        people.officer_since[rows] = NEVER
        people.waiting_since[rows] = NEVER
        service.regroup(rows)
        for name in ("allocate", "contact", "transfer"):
            service.agendas[name].cancel(rows)
        people.contact_due[rows] = NEVER
        service.count("cases_taken_by_prisons", rows)
        service.tell("case held in prison", rows)

    def replan(self, rows: Rows) -> None:
        """Find the handover of cases in prisons' hands anew after dates of release, or sides, changed."""
        self.take(rows[self.service.people.prison_held[rows] == 1])

    def handover_day(self, rows: Rows) -> Array:
        """Return the day of handover of people in custody: that of the term that keeps them longest.

        A CRC's case is handed over some weeks before the first day of curfew, or else release; the NPS's some months
        before release, or on the first day of curfew if that is earlier. A life sentence stays with the prison.
        """
        people, sentences = self.service.people, self.service.sentences
        return handover_days(
            rows,
            self.company_days,
            self.nps_days,
            self.high_days,
            people.side,
            people.mappa,
            people.never_curfew,
            people.latest,
            sentences.previous,
            sentences.status,
            sentences.kind,
            sentences.custody_end,
            sentences.curfew_from,
        )

    # --- Out of them ------------------------------------------------------------------------------------------

    def hand_over(self, rows: Rows) -> None:
        """Hand cases over: a community officer is asked for, who must be told what there is to know."""
        if rows.size == 0:
            return
        service, people = self.service, self.service.people
        people.prison_held[rows] = 0
        service.agendas["handover"].cancel(rows)
        service.count("handovers_from_prison", rows)
        service.tell("case handed over by prison", rows)
        service.add_task(Task.HANDOVER, rows, service.today, self.seconds)
        service.count("handover_seconds", rows, np.full(rows.size, self.seconds))
        self.allocation.place(rows, Asking.HANDOVER)

    def left(self, rows: Rows) -> None:
        """Whoever leaves custody before the handover is handed over at once; whoever is free is nobody's case."""
        people = self.service.people
        free = people.side[rows] < 0
        people.prison_held[rows[free]] = 0
        self.service.agendas["handover"].cancel(rows[free])
        self.hand_over(rows[~free])

    # --- At the end of a month --------------------------------------------------------------------------------

    def count_held(self) -> None:
        """Count cases held by prison staff."""
        people = self.service.people
        self.service.count("prison_held_cases", np.flatnonzero(people.prison_held[: people.size] == 1))


@compiled
def handover_days(
    rows: Rows,
    company_days: int,
    nps_days: int,
    high_days: int,
    side: Array,
    mappa: Array,
    never_curfew: Array,
    latest: Array,
    previous: Array,
    status: Array,
    kind: Array,
    custody_end: Array,
    curfew_from: Array,
) -> NDArray[np.int64]:
    """Return :meth:`PrisonHeld.handover_day`, with days before release of a CRC's, an NPS and a high-risk NPS case."""
    handover = np.full(rows.size, NEVER, dtype=np.int64)
    for at in range(rows.size):
        row = rows[at]
        sentence = latest[row]
        while sentence >= 0:
            if status[sentence] == _CUSTODY:
                end, curfew = int(custody_end[sentence]), int(curfew_from[sentence])
                first = end if curfew == NEVER or never_curfew[row] else min(curfew, end)
                if kind[sentence] == _INDETERMINATE:
                    day = FAR
                elif side[row] == CRC:
                    day = first - company_days
                else:
                    day = min(end - (high_days if mappa[row] >= MANAGED_TOGETHER else nps_days), first)
                handover[at] = max(handover[at], day)
            sentence = previous[sentence]
    return handover
