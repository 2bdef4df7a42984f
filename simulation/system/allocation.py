"""Allocation: from assessed risk to provider, office and officer.

NPS if the assessed risk of serious recidivism reaches the threshold, risk of serious harm is high or very high, the
person falls under multi-agency public protection, or the case is of public interest; otherwise the area's CRC. One
provider a person; the higher wins; NPS cases don't go back when risk falls. Inflation moves medium risk to high.

Officers are chosen within the office by fewest cases or by lowest workload points, as if cases were given out one by
one in the order of people's keys: leavers' cases first, then those that need a probation officer, then the rest. Points
of an officer are counted afresh every Monday and moved by each case given or taken in between.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import simpy
from numpy.typing import NDArray

from simulation.engine import NEVER
from simulation.system.allocation_loops import (
    HANDED,
    MAY_RISE,
    NOT_SEEN,
    UNBOOKED,
    WAITED,
    WRONG,
    assess_risk,
    choose_sides,
    first_days,
    give_cases,
    must_be_nps,
    open_cases,
    record_officers,
    tiers,
)
from simulation.system.choosing import points_held, without_task
from simulation.system.codes import CRC, Rosh, Setting, Task
from simulation.system.contact import by_operating_model, operating_models
from simulation.system.quantiles import draw
from simulation.system.service import FAR, Array, Rows, Service
from simulation.system.workload import Workload


def tier_of(
    rosh: Array, rsr_percent: Array, ogrs: Array, mappa: Array, safeguarding: Array, bands: dict[str, float]
) -> NDArray[np.int8]:
    """Return the E3 tier: the highest letter whose rule is met; sub-tier 1 with safeguarding or MAPPA level 2.

    Parameters
    ----------
    rosh : int array
        Risk of serious harm, as :class:`Rosh`.
    rsr_percent, ogrs : float arrays
        Risk predictors in percent.
    mappa, safeguarding : int arrays
        Level 0-3 and 0/1.
    bands : mapping
        Limits ``rsr_b``, ``rsr_c``, ``ogrs_b``, ``ogrs_c``.
    """
    return tiers(
        rosh,
        rsr_percent,
        ogrs,
        mappa,
        safeguarding,
        float(bands["rsr_b"]),
        float(bands["rsr_c"]),
        float(bands["ogrs_b"]),
        float(bands["ogrs_c"]),
    )


def capacity_left(reduction: float) -> float:
    """Return what officers on reduced hours can take, relative to others; never quite nothing."""
    return float(max(1 - reduction, 1e-6))


class Allocation:
    """Provider, tier, office and officer."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.orphans = service.channel("orphans")
        self._mark = np.zeros(0, dtype=np.int8)  # Room for a loop to work in; no state.
        self._ahead: tuple[int, NDArray[np.int64]] = (NEVER, np.zeros(0, dtype=np.int64))
        service.process(self.process)

    def read(self, workload: Workload) -> None:
        """Take the levers of the day."""
        self.workload = workload
        names = operating_models(self.service)
        rules = self.service.levers.mapping("allocation.rule")
        self.by_points = np.array(
            [[rules[side] == "lowest_points" for side in ("nps", "crc")]] * self.service.areas
        )
        self.transfer_rate = by_operating_model(self.service, names, "allocation.transfers_per_year")
        levers = self.service.levers
        waits = levers.mapping("allocation.working_days"), levers.mapping("contact.first_appointment_working_days")
        self.longest_wait = int(max(1, *waits[0].values(), *waits[1].values()))
        accuracy = levers.mapping("allocation.rosh_error")
        self.error_by_report = np.array(
            [accuracy[name] for name in ("none", "oral", "short_written", "standard")], dtype=np.float64
        )
        self.threshold = np.round(levers.grid("allocation.rsr_threshold")[:, 0] * 100)
        self.unified = levers.grid("organisation.unified")[:, 0] > 0.5
        self.capacity_left = capacity_left(levers.number("staff.newly_qualified.capacity_reduction"))

    # --- Risk as assessed -------------------------------------------------------------------------------------

    def assess(self, rows: Rows) -> None:
        """Assess risk at sentence, with error by type of report, and choose the provider."""
        if rows.size == 0:
            return
        service, people = self.service, self.service.people
        assess_risk(
            rows,
            service.chance.constant("assessment error"),
            service.chance.constant("risk inflation"),
            self.error_by_report,
            service.levers.grid("allocation.inflation").ravel(),
            people.key,
            people.sentences,
            people.cell,
            people.side,
            people.report,
            people.rosh,
            people.assessed_rosh,
        )
        self.place(rows)

    def needs_nps(self, rows: Rows, true_risk: bool = False) -> NDArray[np.bool_]:
        """Tell who must be supervised by the NPS, on assessed or on true risk."""
        people = self.service.people
        rosh = people.rosh if true_risk else people.assessed_rosh
        return must_be_nps(
            rows, self.threshold, people.area, people.rsr, rosh, people.mappa, people.public_interest
        )

    def place(self, rows: Rows) -> None:
        """Set tier and provider from assessed risk, and ask for an officer where one is needed."""
        service, people = self.service, self.service.people
        people.tier[rows] = tier_of(
            people.assessed_rosh[rows],
            people.rsr[rows] / 100,
            people.ogrs[rows],
            people.mappa[rows],
            people.safeguarding[rows],
            service.levers.mapping("allocation.tier_limits"),
        )
        side, asking = choose_sides(
            rows,
            self.needs_nps(rows),
            self.unified,
            service.posts.grade,
            people.area,
            people.side,
            people.officer,
            people.assessed_rosh,
        )
        service.set_side(rows, side)
        self.request(asking)

    def request(self, rows: Rows) -> None:
        """Ask for an officer; allocation follows after some working days."""
        service, people = self.service, self.service.people
        if rows.size == 0:
            return
        people.waiting_since[rows] = service.today
        uniform = service.chance.uniform(
            people.key[rows],
            "allocation delay",
            people.sentences[rows].astype(np.int64) * 1024 + people.spells[rows],
        )
        wait = draw(service.levers.mapping("allocation.working_days"), uniform).astype(np.intp)
        day = self.working_days_ahead()[wait]
        service.agendas["allocate"].put(
            rows, np.maximum(day, service.today if self.before_allocation() else service.today + 1)
        )

    def working_days_ahead(self) -> NDArray[np.int64]:
        """Return the days that lie 0, 1, 2 ... working days after today, up to the longest wait."""
        today, days = self._ahead
        if today != self.service.today or days.size <= self.longest_wait:
            today, calendar = self.service.today, self.service.calendar
            waits = range(self.longest_wait + 1)
            days = np.array([calendar.after_working_days(today, wait) for wait in waits], dtype=np.int64)
            self._ahead = today, days
        return days

    def before_allocation(self) -> bool:
        """Tell whether today's allocation is still to come."""
        now = self.service.environment.now
        return now - int(now) < (PHASE_OF_ALLOCATION + 1) / 16

    # --- Officers ---------------------------------------------------------------------------------------------

    def process(self) -> Generator[simpy.Event, Any, None]:
        """Each day: leavers' cases first, then the cases due for allocation."""
        service = self.service
        while True:
            yield service.clock.phase("allocation")
            orphans = self.orphans.drain()
            due = service.agendas["allocate"].due(service.today)
            orphans = self.still_open(orphans)
            orphans = orphans[service.people.officer[orphans] < 0]
            due = self.still_open(due)
            if orphans.size:
                due = due[~np.isin(due, orphans)]
            if not service.calendar.is_working(service.today):
                waiting = np.concatenate([orphans, due])
                service.agendas["allocate"].put(waiting, service.today + 1)
                continue
            service.agendas["allocate"].cancel(orphans)
            if service.calendar.weekday(service.today) == 0:
                self.count_points()
            self.give(np.concatenate([orphans, due, self.transfers()]))

    def still_open(self, rows: Rows) -> Rows:
        """Return those whose supervision goes on."""
        if rows.size == 0:
            return rows
        return open_cases(rows, self.service.people.side, self.service.people.location)

    def transfers(self) -> Rows:
        """Return the cases that the operating model moves to another officer today."""
        people = self.service.people
        due = self.service.agendas["transfer"].due(self.service.today)
        return due[(people.officer[due] >= 0) & (people.waiting_since[due] == NEVER)]

    def give(self, rows: Rows) -> None:
        """Give cases to officers by their team's rule; those who can't be placed wait until tomorrow."""
        if rows.size == 0:
            return
        service, people, posts = self.service, self.service.people, self.service.posts
        chosen = give_cases(
            rows,
            service.today,
            self.unified,
            self.by_points,
            self.workload.points,
            self.capacity_left,
            people.area,
            people.office,
            people.side,
            people.assessed_rosh,
            people.setting,
            people.tier,
            people.officer,
            posts.size,
            posts.area,
            posts.office,
            posts.employer,
            posts.grade,
            posts.filled,
            posts.new_until,
            posts.cases,
            posts.points,
        )
        placed = chosen >= 0
        stay = rows[~placed]
        if stay.size:
            people.waiting_since[stay] = np.where(
                people.waiting_since[stay] == NEVER, service.today, people.waiting_since[stay]
            )
            service.agendas["allocate"].put(stay, service.today + 1)
        self.settle(rows[placed], chosen[placed])

    def count_points(self) -> None:
        """Count every officer's points afresh."""
        people, posts = self.service.people, self.service.posts
        posts.points[: posts.size] = points_held(
            people.officer, people.setting, people.tier, self.workload.points, posts.size
        )

    def settle(self, rows: Rows, officer: Array) -> None:
        """Record the new officer and what follows from the change."""
        if rows.size == 0:
            return
        service, people = self.service, self.service.people
        today = service.today
        noticed, days = record_officers(
            rows,
            officer,
            self.needs_nps(rows, true_risk=True),
            self.needs_nps(rows),
            service.agendas["contact"].day_of(rows),
            service.agendas["escalate"].day_of(rows),
            today,
            self.unified,
            people.area,
            people.side,
            people.location,
            people.first_due_from,
            people.officer,
            people.officer_since,
            people.waiting_since,
            people.allocated_on,
            people.changes,
            people.officer_changed_on,
        )
        waited = noticed[WAITED]
        service.count("allocated", rows[waited])
        service.count("allocation_days", rows[waited], days[waited])
        changed = rows[noticed[HANDED]]
        service.count("officer_changes", changed)
        service.add_task(Task.HANDOVER, changed, today, int(self.workload.task_seconds[Task.HANDOVER]))
        service.tell("allocated", rows, officer)
        service.count("misallocated", rows[noticed[WRONG]])
        # First appointments and custody contacts.
        self.book_first(rows[noticed[NOT_SEEN]])
        unbooked = rows[noticed[UNBOOKED]]
        if unbooked.size:
            uniform = service.chance.uniform(
                people.key[unbooked], "custody contact", people.sentences[unbooked]
            )
            day = today + 1 + (uniform * self.workload.custody_interval).astype(np.int32)
            service.agendas["contact"].put(unbooked, service.calendar.working_day_after(day))
        # Risk may rise in a case below the threshold, whoever holds it; the draw belongs to the person.
        with_crc = rows[noticed[MAY_RISE]]
        if with_crc.size:
            rising = service.share("allocation.escalation_rate", with_crc)
            gap = service.chance.exponential(
                people.key[with_crc],
                "risk rises",
                people.sentences[with_crc].astype(np.int64) * 1024 + people.spells[with_crc],
            )
            day = today + 1 + np.minimum(gap / np.maximum(rising, 1e-9) * 365.25, FAR).astype(np.int32)
            service.agendas["escalate"].put(with_crc, day)
        # A later move by the operating model.
        rate = self.transfer_rate[people.area[rows], people.side[rows]]
        moves = rate > 0
        movers = rows[moves]
        if movers.size:
            gap = (
                service.chance.exponential(
                    people.key[movers], "transfer", people.changes[movers].astype(np.int64)
                )
                / rate[moves]
                * 365.25
            )
            day = today + 1 + np.minimum(gap, FAR).astype(np.int32)
            service.agendas["transfer"].put(movers, service.calendar.working_day_after(day))

    def begin(self, rows: Rows) -> None:
        """Book the first appointment of people who come out of custody to an officer who already holds the case."""
        people = self.service.people
        held = rows[(people.officer[rows] >= 0) & (people.waiting_since[rows] == NEVER)]
        people.allocated_on[held] = self.service.today
        self.book_first(held)

    def book_first(self, rows: Rows) -> None:
        """Book the first appointment of people in the community who have an officer and none booked yet."""
        if rows.size == 0:
            return
        service, people, tasks = self.service, self.service.people, self.service.tasks
        # A new officer takes over the appointment that the one before had made.
        if self._mark.size < people.capacity:
            self._mark = np.zeros(people.capacity, dtype=np.int8)
        size = tasks.size
        rows = rows[
            without_task(rows, self._mark, tasks.person[:size], tasks.kind[:size], int(Task.FIRST_APPOINTMENT))
        ]
        if rows.size == 0:
            return
        uniform = service.chance.uniform(people.key[rows], "first appointment", people.spells[rows])
        after_sentence = draw(service.levers.mapping("contact.first_appointment_working_days"), uniform)
        day = first_days(
            rows,
            uniform,
            after_sentence,
            service.levers.grid("contact.release_day_appointment_share").ravel(),
            self.working_days_ahead(),
            people.cell,
            people.first_after_release,
        )
        service.add_task(
            Task.FIRST_APPOINTMENT, rows, day, int(self.workload.task_seconds[Task.FIRST_APPOINTMENT])
        )

    def escalate(self, rows: Rows) -> None:
        """Move CRC cases whose risk has risen to the NPS (a change of officer alone where the service is one)."""
        service, people = self.service, self.service.people
        rows = rows[(people.side[rows] >= 0) & (people.assessed_rosh[rows] < Rosh.HIGH)]
        people.assessed_rosh[rows] = Rosh.HIGH
        crc = rows[people.side[rows] == CRC]
        people.escalated[crc] = 1
        service.count("escalated_to_nps", crc)
        service.tell("risk escalated", rows)
        self.place(rows)


PHASE_OF_ALLOCATION = 5
__all__ = ["Allocation", "Setting", "tier_of"]
