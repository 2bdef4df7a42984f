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
from simulation.system.choosing import choose_officers, points_held, without_task
from simulation.system.codes import CRC, NPS, Grade, Location, Report, Rosh, Setting, Task, Tier
from simulation.system.contact import by_operating_model, operating_models
from simulation.system.quantiles import draw
from simulation.system.service import CUSTODY_LOCATIONS, FAR, Array, Rows, Service, add_each
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
    a = (rosh == Rosh.VERY_HIGH) | (mappa == 3)
    b = (rsr_percent >= bands["rsr_b"]) | (ogrs >= bands["ogrs_b"]) | (rosh >= Rosh.HIGH)
    c = (rsr_percent >= bands["rsr_c"]) | (ogrs >= bands["ogrs_c"]) | (rosh >= Rosh.MEDIUM)
    needier = (safeguarding == 1) | (mappa >= 2)
    return np.where(
        a,
        Tier.A,
        np.where(
            b,
            np.where(needier, Tier.B1, Tier.B2),
            np.where(c, np.where(needier, Tier.C1, Tier.C2), np.where(needier, Tier.D1, Tier.D2)),
        ),
    ).astype(np.int8)


class Allocation:
    """Provider, tier, office and officer."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.orphans = service.channel("orphans")
        self._mark = np.zeros(0, dtype=np.int8)  # Room for a loop to work in; no state.
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

    # --- Risk as assessed -------------------------------------------------------------------------------------

    def assess(self, rows: Rows) -> None:
        """Assess risk at sentence, with error by type of report, and choose the provider."""
        if rows.size == 0:
            return
        service, people = self.service, self.service.people
        keys, number = people.key[rows], people.sentences[rows]
        accuracy = service.levers.mapping("allocation.rosh_error")
        by_report = np.array([accuracy[name] for name in ("none", "oral", "short_written", "standard")])
        error = by_report[np.clip(people.report[rows], 0, Report.STANDARD)]
        uniform = service.chance.uniform(keys, "assessment error", number)
        assessed = people.rosh[rows].astype(np.int64)
        assessed = np.where(uniform < error / 2, np.maximum(assessed - 1, 0), assessed)
        assessed = np.where(uniform > 1 - error / 2, np.minimum(assessed + 1, Rosh.HIGH), assessed)
        inflate = service.share("allocation.inflation", rows)
        raised = (assessed == Rosh.MEDIUM) & (
            service.chance.uniform(keys, "risk inflation", number) < inflate
        )
        assessed[raised] = Rosh.HIGH
        # Risk once known to be high stays so while supervision lasts.
        live = people.side[rows] >= 0
        people.assessed_rosh[rows] = np.where(
            live, np.maximum(assessed, people.assessed_rosh[rows]), assessed
        )
        self.place(rows)

    def needs_nps(self, rows: Rows, true_risk: bool = False) -> NDArray[np.bool_]:
        """Tell who must be supervised by the NPS, on assessed or on true risk."""
        people = self.service.people
        rosh = people.rosh[rows] if true_risk else people.assessed_rosh[rows]
        threshold = self.service.levers.grid("allocation.rsr_threshold")[people.area[rows], 0]
        return (
            (people.rsr[rows] >= np.round(threshold * 100))
            | (rosh >= Rosh.HIGH)
            | (people.mappa[rows] > 0)
            | (people.public_interest[rows] == 1)
        )

    def place(self, rows: Rows) -> None:
        """Set tier and provider from assessed risk, and ask for an officer where one is needed."""
        service, people = self.service, self.service.people
        levers = service.levers
        people.tier[rows] = tier_of(
            people.assessed_rosh[rows],
            people.rsr[rows] / 100,
            people.ogrs[rows],
            people.mappa[rows],
            people.safeguarding[rows],
            levers.mapping("allocation.tier_limits"),
        )
        unified = levers.grid("organisation.unified")[people.area[rows], 0] > 0.5
        side = np.where(self.needs_nps(rows) | unified | (people.side[rows] == NPS), NPS, CRC).astype(np.int8)
        changed = (side != people.side[rows]) | (people.officer[rows] < 0)
        # A probation services officer can't keep a case whose risk is now high.
        officer = people.officer[rows]
        unfit = (
            (officer >= 0)
            & (people.assessed_rosh[rows] >= Rosh.HIGH)
            & (service.posts.grade[officer] == Grade.PSO)
        )
        service.set_side(rows, side)
        self.request(rows[changed | unfit])

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
        wait = draw(service.levers.mapping("allocation.working_days"), uniform).astype(np.int64)
        day = service.calendar.add_working_days(np.full(rows.size, service.today), wait)
        service.agendas["allocate"].put(
            rows, np.maximum(day, service.today if self.before_allocation() else service.today + 1)
        )

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
        people = self.service.people
        return rows[(people.side[rows] >= 0) & (people.location[rows] <= Location.AT_LARGE)]

    def transfers(self) -> Rows:
        """Return the cases that the operating model moves to another officer today."""
        people = self.service.people
        due = self.service.agendas["transfer"].due(self.service.today)
        return due[(people.officer[due] >= 0) & (people.waiting_since[due] == NEVER)]

    def team_of_posts(self) -> NDArray[np.int64]:
        """Return the team of every post: office and employer, or office alone where the service is one."""
        posts = self.service.posts
        size = posts.size
        unified = self.service.levers.grid("organisation.unified")[posts.area[:size], 0] > 0.5
        return posts.office[:size].astype(np.int64) * 2 + np.where(unified, 0, posts.employer[:size])

    def give(self, rows: Rows) -> None:
        """Give cases to officers by their team's rule; those who can't be placed wait until tomorrow."""
        if rows.size == 0:
            return
        service, people, posts = self.service, self.service.people, self.service.posts
        team_of_post = self.team_of_posts()
        teams = (int(posts.office[: posts.size].max()) + 1) * 2
        unified = service.levers.grid("organisation.unified")[people.area[rows], 0] > 0.5
        team = people.office[rows].astype(np.int64) * 2 + np.where(unified, 0, people.side[rows])
        high = people.assessed_rosh[rows] >= Rosh.HIGH
        # The officer they leave doesn't count them when they move.
        before = people.officer[rows]
        moving = before >= 0
        points = self.workload.points[people.setting[rows], people.tier[rows]]
        self.hand(before[moving], -points[moving], -1)
        by_points = self.by_points[people.area[rows], team & 1]
        cost = np.where(by_points, points, 1)
        chosen = np.full(rows.size, -1, dtype=np.intp)
        for needs_po in (True, False):
            mine = np.flatnonzero(high == needs_po)
            if mine.size == 0:
                continue
            eligible = posts.filled[: posts.size] == 1
            if needs_po:
                eligible &= posts.grade[: posts.size] == Grade.PO
            officers = np.flatnonzero(eligible)
            officer_team = team_of_post[officers]
            load = self.loads(officers, self.by_points[posts.area[officers], officer_team & 1])
            found = choose_officers(team[mine], cost[mine], officers, officer_team, load, teams)
            chosen[mine] = found
            given = found >= 0
            self.hand(found[given], points[mine[given]], 1)
        placed = chosen >= 0
        stay = rows[~placed]
        if stay.size:
            back = moving & ~placed
            self.hand(before[back], points[back], 1)
            people.waiting_since[stay] = np.where(
                people.waiting_since[stay] == NEVER, service.today, people.waiting_since[stay]
            )
            service.agendas["allocate"].put(stay, service.today + 1)
        self.settle(rows[placed], chosen[placed])

    def hand(self, officers: Rows, points: Array, cases: int) -> None:
        """Add cases, or with a minus take them away, and their points."""
        if officers.size:
            posts = self.service.posts
            add_each(posts.cases, officers, np.array([cases]))
            add_each(posts.points, officers, points)

    def loads(self, officers: Rows, by_points: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return what officers hold: cases, or the tool's points where those decide.

        Parameters
        ----------
        officers : int array
            Rows of posts.
        by_points : bool array
            Whose team goes by points. Officers on reduced hours take proportionately less.
        """
        posts = self.service.posts
        points = posts.points[officers].astype(np.int64)
        reduced = posts.new_until[officers] > self.service.today
        cut = self.service.levers.number("staff.newly_qualified.capacity_reduction")
        points[reduced] = (points[reduced] / max(1 - cut, 1e-6)).astype(np.int64)
        return np.where(by_points, points, posts.cases[officers])

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
        before = people.officer[rows].copy()
        waited = people.waiting_since[rows] != NEVER
        service.count("allocated", rows[waited])
        service.count("allocation_days", rows[waited], today - people.waiting_since[rows[waited]])
        handed = (people.changes[rows] > 0) & (before != officer)
        handed &= people.officer_since[rows] != NEVER
        people.officer[rows] = officer
        people.officer_since[rows] = today
        people.waiting_since[rows] = NEVER
        people.allocated_on[rows] = today
        people.changes[rows] += 1
        changed = rows[handed]
        people.officer_changed_on[changed] = today
        service.count("officer_changes", changed)
        service.add_task(Task.HANDOVER, changed, today, int(self.workload.task_seconds[Task.HANDOVER]))
        service.tell("allocated", rows, officer)
        # Where the service is one, nobody can be on the wrong side.
        split = service.levers.grid("organisation.unified")[people.area[rows], 0] <= 0.5
        wrong = split & (self.needs_nps(rows, true_risk=True) != (people.side[rows] == NPS))
        service.count("misallocated", rows[wrong & waited & ~handed])
        # First appointments and custody contacts.
        place = people.location[rows]
        community = rows[(place == Location.COMMUNITY) & (people.first_due_from[rows] != NEVER)]
        self.book_first(community)
        inside = rows[(place == CUSTODY_LOCATIONS[0]) | (place == CUSTODY_LOCATIONS[1])]
        unbooked = inside[service.agendas["contact"].day_of(inside) == NEVER]
        if unbooked.size:
            uniform = service.chance.uniform(
                people.key[unbooked], "custody contact", people.sentences[unbooked]
            )
            day = today + 1 + (uniform * self.workload.custody_interval).astype(np.int32)
            service.agendas["contact"].put(unbooked, service.calendar.working_day_after(day))
        # Risk may rise in a case below the threshold, whoever holds it; the draw belongs to the person.
        with_crc = rows[~self.needs_nps(rows) & (service.agendas["escalate"].day_of(rows) == NEVER)]
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
        released = people.first_after_release[rows] == 1
        keys = people.key[rows]
        uniform = service.chance.uniform(keys, "first appointment", people.spells[rows])
        after_sentence = draw(
            service.levers.mapping("contact.first_appointment_working_days"), uniform
        ).astype(np.int64)
        after_release = (uniform >= service.share("contact.release_day_appointment_share", rows)).astype(
            np.int64
        )
        start = np.full(rows.size, service.today)
        day = service.calendar.add_working_days(start, np.where(released, after_release, after_sentence))
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
