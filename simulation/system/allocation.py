"""Allocation: from assessed risk to provider, office and officer.

NPS if the assessed risk of serious recidivism reaches the threshold, risk of serious harm is high or very high, the
person falls under multi-agency public protection, or the case is of public interest; otherwise the area's CRC. One
provider a person; the higher wins; NPS cases don't go back when risk falls. Inflation moves medium risk to high.

Officers are chosen within the office by fewest cases, by lowest workload points, in turns or by grade, and only where
they have room under a cap, if there is one; as if cases were given out one by one in the order of people's keys:
leavers' cases first, then those that need a probation officer, then the rest. Points of an officer are counted afresh
every Monday and moved by each case given or taken in between. Where cases are parted by cohort, officers of the
person's cohort come before all others, see :mod:`simulation.system.cohort_officers`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import numpy as np
import simpy
from numpy.typing import NDArray

from simulation.engine import NEVER
from simulation.engine.chance import logarithms
from simulation.system.allocation_loops import (
    assess_risk,
    cases_of_today,
    first_appointments,
    place_people,
    raise_risk,
    record_officers,
)
from simulation.system.choosing import NO_ROOM, RULES, Rules, give_cases, points_held
from simulation.system.codes import SIDES, Asking, Setting, Task
from simulation.system.cohort_officers import TURNS_A_TEAM, CohortOfficers
from simulation.system.hours import tool_in_use
from simulation.system.operating_models import by_operating_model, operating_models
from simulation.system.quantiles import quantile_table
from simulation.system.service import CHARGED, COUNT_INDEX, FAR, Rows, Service
from simulation.system.workload import Workload

#: What is counted while officers are recorded, in the order in which the loop that does so takes it.
COUNTED = (
    "allocated",
    "allocation_days",
    "officer_changes",
    "misallocated",
    "escalations_answered",
    "escalations_answered_in_time",
    "handover_seconds",
    "seconds_demanded",
)
_NUMBERS = np.array([COUNT_INDEX[name] for name in COUNTED], dtype=np.intp)
_NOBODY = np.empty(0, dtype=np.intp)


class Allocation:
    """Provider, tier, office and officer."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.orphans = service.channel("orphans")
        #: Called with people whose officer changed in the middle of a supervision.
        self.on_handed: list[Callable[[Rows], None]] = []
        #: Called with people whose cases prisons hold when their side may have changed: the handover follows the side.
        self.on_placed_inside: list[Callable[[Rows], None]] = []
        # Who has a first appointment in a diary, as far as the open tasks were gone through; derived, so no state.
        self._booked = np.zeros(0, dtype=np.int32)
        self._booked_mark, self._gone_through = 0, 0
        self._booked_of: tuple[NDArray[Any], int] | None = None
        self._ahead: tuple[int, NDArray[np.int64]] = (NEVER, np.zeros(0, dtype=np.int64))
        self.cohorts = CohortOfficers(service)
        service.process(self.process)

    def read(self, workload: Workload) -> None:
        """Take the levers of the day."""
        self.workload = workload
        names = operating_models(self.service)
        self.cohorts.read(names)
        self._read_rules()
        rates = by_operating_model(self.service, names, "allocation.transfers_per_year")
        self.move_rate = self.service.levers.in_cells(rates)
        levers = self.service.levers
        self.escalation_target = levers.number("allocation.escalation_target_working_days")
        self.rise_rate = levers.cells("allocation.escalation_rate")
        self.inflation = levers.cells("allocation.inflation")
        self.on_release_day = levers.cells("contact.release_day_appointment_share")
        limits = levers.mapping("allocation.tier_limits")
        rsr_b, rsr_c, ogrs_b, ogrs_c = (float(limits[name]) for name in ("rsr_b", "rsr_c", "ogrs_b", "ogrs_c"))
        self.tier_limits = rsr_b, rsr_c, ogrs_b, ogrs_c
        self.delays = quantile_table(levers.mapping("allocation.working_days"))
        self.first_waits = quantile_table(levers.mapping("contact.first_appointment_working_days"))
        self.escalation_delays = quantile_table(levers.mapping("allocation.escalation_working_days"))
        self.longest_wait = int(max(1, *self.delays[1], *self.first_waits[1], *self.escalation_delays[1]))
        self.refused_share = levers.cells("allocation.escalation_refused_share")
        self.again_after = levers.integer("allocation.escalation_again_working_days")
        accuracy = levers.mapping("allocation.rosh_error")
        self.error_by_report = np.array(
            [accuracy[name] for name in ("none", "oral", "short_written", "standard")], dtype=np.float64
        )
        self.threshold = np.round(levers.grid("allocation.rsr_threshold")[:, 0] * 100)
        self.unified = levers.grid("organisation.unified")[:, 0] > 0.5

    def _read_rules(self) -> None:
        """Take the rules by which officers are chosen, by area and side."""
        service, levers = self.service, self.service.levers
        tool = tool_in_use(service)
        names, caps = levers.mapping("allocation.rule"), levers.mapping("allocation.cap")
        counted = levers.mapping("allocation.cap_by")
        rule = np.array([RULES.index(names[side]) for side in SIDES], dtype=np.int64)
        fewest, grades = RULES.index("fewest_cases"), RULES.index("grade_eligible")
        # Nobody can go by points who has no tool to count them.
        go_by_points = (rule == RULES.index("lowest_points")) | (rule == grades)
        self.by_points = go_by_points & tool
        rule_of = np.where(self.by_points | (rule >= RULES.index("round_robin")), rule, fewest)
        cap_by_points = np.array([counted[side] == "points" for side in SIDES]) & np.ones_like(tool)
        cap = np.array([float(caps[side]) for side in SIDES])
        self.rules = Rules(
            rule=rule_of,
            by_points=self.by_points,
            cap=np.where(cap_by_points & ~tool, 0.0, cap),
            cap_by_points=cap_by_points,
            services_full=float(levers.number("allocation.services_officers_full")),
            points_per_month=int(self.workload.points_per_month),
            full_time=int(self.workload.full_time),
            last=np.zeros(0, dtype=np.int32),
            turns_a_team=TURNS_A_TEAM,
            plain=not cap.any() and bool((rule < RULES.index("round_robin")).all()),
        )

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
            self.inflation,
            people.key,
            people.sentences,
            people.cell,
            people.side,
            people.report,
            people.rosh,
            people.mappa,
            people.assessed_rosh,
        )
        self.place(rows)

    def place(
        self, rows: Rows, asked_at: int = Asking.SENTENCE, delays: tuple[NDArray[Any], NDArray[Any]] | None = None
    ) -> None:
        """Set tier and provider from assessed risk, and ask for an officer where one is needed.

        Allocation follows after some working days.

        Parameters
        ----------
        asked_at : int
            At what it is asked for, see :class:`Asking`.
        delays : tuple of arrays, optional
            Quantiles of the working days until allocation; those of allocation after sentence if not given.
        """
        if rows.size == 0:
            return
        service, people = self.service, self.service.people
        found = np.empty((3, rows.size), dtype=np.intp)
        delay_shares, delay_days = self.delays if delays is None else delays
        size, many = place_people(
            rows,
            found,
            service.today,
            service.today if self.before_allocation() else service.today + 1,
            asked_at,
            service.chance.constant("allocation delay"),
            delay_shares,
            delay_days,
            self.working_days_ahead(),
            self.threshold,
            self.unified,
            self.tier_limits,
            service.posts.grade,
            people.key,
            people.area,
            people.cell,
            people.side,
            people.tier,
            people.officer,
            people.waiting_since,
            people.sentences,
            people.spells,
            people.rsr,
            people.ogrs,
            people.mappa,
            people.safeguarding,
            people.public_interest,
            people.assessed_rosh,
            people.prison_held,
        )
        service.regroup(rows)
        if size:
            service.agendas["allocate"].put(found[0, :size], found[1, :size])
        if many:
            for listener in self.on_placed_inside:
                listener(found[2, :many])

    def working_days_ahead(self) -> NDArray[np.int64]:
        """Return the days that lie 0, 1, 2 ... working days after today, up to the longest wait."""
        today, days = self._ahead
        if today != self.service.today or days.size <= self.longest_wait:
            today = self.service.today
            days = self.service.calendar.working_days_ahead(today, self.longest_wait).astype(np.int64)
            self._ahead = today, days
        return days

    def before_allocation(self) -> bool:
        """Tell whether today's allocation is still to come."""
        now = self.service.environment.now
        return now - int(now) < (PHASE_OF_ALLOCATION + 1) / 16

    # --- Officers ---------------------------------------------------------------------------------------------

    def process(self) -> Generator[simpy.Event, Any, None]:
        """Each day: leavers' cases first, then the cases due for allocation."""
        service, people = self.service, self.service.people
        allocate, transfer = service.agendas["allocate"], service.agendas["transfer"]
        while True:
            yield service.clock.phase("allocation")
            today = service.today
            working = service.calendar.is_working(today)
            self.cohorts.move()
            rows, first_due, first_moving = cases_of_today(
                # Cases of leavers keep their place until somebody gives out cases.
                self.orphans.drain() if working else _NOBODY,
                allocate.due(today),
                # Cases that the operating model moves to another officer.
                transfer.due(today) if working else _NOBODY,
                people.side,
                people.location,
                people.officer,
                people.waiting_since,
                people.prison_held,
            )
            if not working:
                allocate.put(rows[:first_moving], today + 1)
                continue
            allocate.cancel(rows[:first_due])
            if service.calendar.weekday(today) == 0:
                self.count_points()
            self.give(rows)

    def give(self, rows: Rows) -> None:
        """Give cases to officers by their team's rule; those who can't be placed wait until tomorrow."""
        if rows.size == 0:
            return
        service, people, posts = self.service, self.service.people, self.service.posts
        chosen = np.empty(rows.size, dtype=np.int32)
        given = give_cases(
            rows,
            chosen,
            self.unified,
            self.workload.points,
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
            posts.hours_left,
            posts.cases,
            posts.points,
            self.rules._replace(last=service.tables["turns"].last),
            *self.cohorts.groups(rows),
            self.cohorts.others_too,
        )
        if given < rows.size:
            service.tell("no officer has room", rows[chosen == NO_ROOM])
            placed = chosen >= 0
            stay = rows[~placed]
            people.waiting_since[stay] = np.where(
                people.waiting_since[stay] == NEVER, service.today, people.waiting_since[stay]
            )
            service.agendas["allocate"].put(stay, service.today + 1)
            rows, chosen = rows[placed], chosen[placed]
        self.settle(rows, chosen)

    def count_points(self) -> None:
        """Count every officer's points afresh."""
        people, posts = self.service.people, self.service.posts
        posts.points[: posts.size] = points_held(people.places, self.workload.points, posts.size)

    def settle(self, rows: Rows, officer: NDArray[np.int32]) -> None:
        """Record the new officer and what follows from the change; officers pay with time for cases they give away."""
        if rows.size == 0:
            return
        service, people, posts, chance = self.service, self.service.people, self.service.posts, self.service.chance
        agendas, calendar, workload, today = service.agendas, service.calendar, self.workload, service.today
        keys, found = np.empty(rows.size, dtype=np.uint64), np.empty((8, rows.size), dtype=np.intp)
        handing, seeing, holding, risers, movers, giving = record_officers(
            rows,
            officer,
            keys,
            found,
            agendas["contact"].days(),
            agendas["escalate"].days(),
            today,
            *calendar.working_days_so_far(),
            calendar.working_days_around(today, max(FAR, workload.custody_interval) + 2)[1],
            self.escalation_target,
            workload.giving_seconds,
            chance.constant("custody contact"),
            chance.constant("risk rises"),
            chance.constant("transfer"),
            workload.custody_interval,
            self.rise_rate,
            self.move_rate,
            logarithms(),
            self.threshold,
            self.unified,
            _NUMBERS,
            service.flows,
            people.key,
            people.area,
            people.cell,
            people.side,
            people.location,
            people.rsr,
            people.rosh,
            people.assessed_rosh,
            people.mappa,
            people.public_interest,
            people.escalated,
            people.sentences,
            people.spells,
            people.first_due_from,
            people.officer,
            people.officer_since,
            people.waiting_since,
            people.allocated_on,
            people.changes,
            people.officer_changed_on,
            posts.area,
            posts.employer,
            posts.owed,
        )
        service.tables["balance"].value[CHARGED] += workload.giving_seconds * giving
        service.regroup(rows)
        if handing:
            handed = found[0, :handing]
            service.add_task(Task.HANDOVER, handed, today, int(workload.task_seconds[Task.HANDOVER]))
            service.count("handover_seconds", handed, workload.task_seconds[Task.HANDOVER : Task.HANDOVER + 1])
        service.tell("allocated", rows, officer, keys)
        if handing:
            for listener in self.on_handed:
                listener(handed)
        self.begin(found[1, :seeing])
        if holding:
            agendas["contact"].put(found[2, :holding], found[3, :holding])
        if risers:
            agendas["escalate"].put(found[4, :risers], found[5, :risers])
        if movers:
            agendas["transfer"].put(found[6, :movers], found[7, :movers])

    def begin(self, rows: Rows) -> None:
        """Book the first appointment of those in the community who have an officer, unless one is booked already."""
        if rows.size == 0:
            return
        service, people, tasks = self.service, self.service.people, self.service.tasks
        known = self._booked_of
        if known is None or known[0] is not tasks.person or known[1] != tasks.packed:
            # Tasks stand in other rows than before: they are gone through from the first on, with another mark.
            self._booked_of = tasks.person, tasks.packed
            self._booked_mark, self._gone_through = self._booked_mark + 1, 0
            if self._booked.size < people.capacity:
                self._booked = np.zeros(people.capacity, dtype=np.int32)
        found = np.empty((2, rows.size), dtype=np.intp)
        size = first_appointments(
            rows,
            found,
            service.today,
            self._booked,
            self._booked_mark,
            self._gone_through,
            tasks.size,
            tasks.person,
            tasks.kind,
            int(Task.FIRST_APPOINTMENT),
            service.chance.constant("first appointment"),
            *self.first_waits,
            self.on_release_day,
            self.working_days_ahead(),
            people.key,
            people.cell,
            people.spells,
            people.first_after_release,
            people.officer,
            people.waiting_since,
            people.allocated_on,
        )
        self._gone_through = tasks.size
        if size:
            seconds = int(self.workload.task_seconds[Task.FIRST_APPOINTMENT])
            service.add_task(Task.FIRST_APPOINTMENT, found[0, :size], found[1, :size], seconds)

    def escalate(self, rows: Rows) -> None:
        """Move CRC cases whose risk has risen to the NPS (a change of officer alone where the service is one).

        The NPS may refuse: then the assessment stays as it was, and the company puts the case forward again later.
        """
        service, people = self.service, self.service.people
        raised, moving, refused = raise_risk(
            rows,
            service.chance.constant("escalation refused"),
            self.refused_share,
            people.key,
            people.cell,
            people.sentences,
            people.spells,
            people.side,
            people.assessed_rosh,
            people.escalated,
            people.escalations_refused,
        )
        if refused.size:
            service.count("escalations_refused", refused)
            service.tell("escalation refused", refused)
            again = service.calendar.after_working_days(service.today, self.again_after)
            service.agendas["escalate"].put(refused, again)
        if raised.size == 0:
            return
        service.count("escalated_to_nps", raised[moving])
        service.tell("risk escalated", raised)
        self.place(raised[~moving], Asking.ESCALATION)
        self.place(raised[moving], Asking.ESCALATION, self.escalation_delays)


PHASE_OF_ALLOCATION = 5
__all__ = ["Allocation", "Setting"]
