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
from simulation.engine.chance import uniform_of
from simulation.engine.compiled import compiled, compiled_inside
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
_CUSTODY, _INDETERMINATE, _SENTENCED = Status.CUSTODY, Kind.INDETERMINATE, Location.SENTENCED


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
        closed = self.service.chance.constant("closed prison")
        return groups_of(rows, self.wales, self.closed_share, closed, people.key, people.area, people.female)

    # --- Into the prison's hands ------------------------------------------------------------------------------

    def take(self, rows: Rows) -> None:
        """Give the prisons the cases of people in custody whose handover lies ahead."""
        service, people, sentences = self.service, self.service.people, self.service.sentences
        force = self.in_force(service.today)
        if rows.size == 0 or not force.any():
            return
        rows = each_once(rows)
        found = np.empty((4, rows.size), dtype=np.intp)
        staying, taking, leaving = take_cases(
            rows,
            found,
            service.today,
            force,
            self.wales,
            self.closed_share,
            service.chance.constant("closed prison"),
            self.company_days,
            self.nps_days,
            self.high_days,
            people.key,
            people.area,
            people.female,
            people.location,
            people.side,
            people.mappa,
            people.never_curfew,
            people.latest,
            sentences.previous,
            sentences.status,
            sentences.kind,
            sentences.custody_end,
            sentences.curfew_from,
            people.officer,
            people.officer_since,
            people.waiting_since,
            people.contact_due,
            people.prison_held,
            service.posts.cases,
        )
        if staying:
            service.agendas["handover"].put(found[0, :staying], found[1, :staying])
        if taking:
            taken = found[2, :taking]
            service.regroup(taken)
            # Nothing is booked for these people any more.
            service.cancel(taken, "allocate", "contact", "transfer")
            service.count("cases_taken_by_prisons", taken)
            service.tell("case held in prison", taken)
        if leaving:
            self.hand_over(found[3, :leaving])

    def replan(self, rows: Rows) -> None:
        """Find the handover of cases in prisons' hands anew after dates of release, or sides, changed."""
        self.take(rows[self.service.people.prison_held[rows] == 1])

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


@compiled_inside
def _group_of(
    row: int, wales: Array, closed_share: float, closed: np.uint64, key: Array, area: Array, female: Array
) -> int:
    """Return the group of prisons where somebody is: closed ones in England, in Wales, or women's and open ones."""
    if female[row] == 1 or uniform_of(key[row], closed, 0) >= closed_share:
        return 2
    return 1 if wales[area[row]] else 0


@compiled
def groups_of(
    rows: Rows, wales: Array, closed_share: float, closed: np.uint64, key: Array, area: Array, female: Array
) -> NDArray[np.int64]:
    """Return :meth:`PrisonHeld.group`, by the areas of Wales and the share of men who are in closed prisons."""
    groups = np.empty(rows.size, dtype=np.int64)
    for at in range(rows.size):
        groups[at] = _group_of(rows[at], wales, closed_share, closed, key, area, female)
    return groups


@compiled
def handover_day(
    sentence: int,
    company_days: int,
    nps_days: int,
    never_curfew: bool,
    previous: Array,
    status: Array,
    kind: Array,
    custody_end: Array,
    curfew_from: Array,
) -> int:
    """Return the day of handover of somebody in custody, from the latest sentence: that of the longest term.

    A CRC's case is handed over some weeks before the first day of curfew, or else release; the NPS's some months before
    release, or on the first day of curfew if that is earlier. A life sentence stays with the prison.

    Parameters
    ----------
    company_days : int
        Days before release of a CRC's case; -1 for a case of the NPS.
    nps_days : int
        Days before release of a case of the NPS, by its risk.
    never_curfew : bool
        Curfew is excluded.
    """
    handover = NEVER
    while sentence >= 0:
        if status[sentence] == _CUSTODY:
            end, curfew = int(custody_end[sentence]), int(curfew_from[sentence])
            first = end if curfew == NEVER or never_curfew else min(curfew, end)
            if kind[sentence] == _INDETERMINATE:
                day = FAR
            else:
                day = first - company_days if company_days >= 0 else min(end - nps_days, first)
            handover = max(handover, day)
        sentence = int(previous[sentence])
    return handover


@compiled
def take_cases(
    rows: Rows,
    found: NDArray[np.intp],
    today: int,
    force: NDArray[np.bool_],
    wales: Array,
    closed_share: float,
    closed: np.uint64,
    company_days: int,
    nps_days: int,
    high_days: int,
    key: Array,
    area: Array,
    female: Array,
    location: Array,
    side: Array,
    mappa: Array,
    never_curfew: Array,
    latest: Array,
    previous: Array,
    status: Array,
    kind: Array,
    custody_end: Array,
    curfew_from: Array,
    officer: Array,
    officer_since: Array,
    waiting_since: Array,
    contact_due: Array,
    prison_held: Array,
    cases: Array,
) -> tuple[int, int, int]:
    """Find out whose cases are the prisons', and leave those that officers held until now without one.

    Parameters
    ----------
    found : int array (4, rows)
        Written here: whose handover lies ahead, as many as are returned first, and on which day; whose case becomes the
        prison's; whose case the prison has, though the day of handover isn't ahead.
    force : bool array (groups,)
        In which groups of prisons staff hold the cases.
    company_days, nps_days, high_days : int
        Days before release of a CRC's, an NPS and a high-risk NPS case.
    cases : int array (posts,)
        Cases held.
    """
    ahead, days, taken, over = found[0], found[1], found[2], found[3]
    staying, taking, leaving = 0, 0, 0
    for row in rows:
        if location[row] != _SENTENCED or side[row] < 0:
            continue
        if not force[_group_of(row, wales, closed_share, closed, key, area, female)]:
            continue
        handover = handover_day(
            int(latest[row]),
            company_days if side[row] == CRC else -1,
            high_days if mappa[row] >= MANAGED_TOGETHER else nps_days,
            never_curfew[row] == 1,
            previous,
            status,
            kind,
            custody_end,
            curfew_from,
        )
        if handover <= today:
            over[leaving] = row
            leaving += prison_held[row] == 1
            continue
        ahead[staying], days[staying] = row, handover
        staying += 1
        if prison_held[row] == 0:
            taken[taking] = row
            taking += 1
            prison_held[row] = 1
            if officer[row] >= 0:
                cases[officer[row]] -= 1
            officer[row] = -1
            officer_since[row] = NEVER
            waiting_since[row] = NEVER
            contact_due[row] = NEVER
    return staying, taking, leaving
