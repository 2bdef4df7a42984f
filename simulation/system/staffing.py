"""Staffing: officers fall sick, take leave, leave, move from a CRC to the NPS, and are replaced after months.

Leaving is a hazard stepped monthly: it rises with the tool's workload percentage, so overload, leaving and overload can
close as a loop. When somebody goes, every case changes hands. A vacancy is filled through a pipeline of months with
drop-out; some NPS vacancies are filled by officers of the area's CRC, whose post falls vacant.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import simpy

from simulation.engine.chance import logarithms
from simulation.system import officers
from simulation.system.allocation import Allocation
from simulation.system.choosing import points_held
from simulation.system.codes import NPS
from simulation.system.quantiles import mean, quantile_table
from simulation.system.service import COUNT_INDEX, Array, Rows, Service

WEEKS_A_YEAR = 52.18
OFFICER_DAYS, SICKNESS_DAYS = COUNT_INDEX["officer_days"], COUNT_INDEX["sickness_days"]


class Staffing:
    """Officers who come and go."""

    def __init__(self, service: Service, allocation: Allocation) -> None:
        self.service, self.allocation = service, allocation
        # People are in the order of their keys, and so of their areas: an area's are one slice.
        people, areas = service.people, np.arange(service.areas + 1, dtype=np.int8)
        self.first_of_area = np.searchsorted(people.area[: people.size], areas)
        service.agenda("leaves", service.posts.capacity)
        service.agenda("starts", service.posts.capacity)
        service.process(self.process)

    def read(self) -> None:
        """Take the levers of the day."""
        levers = self.service.levers
        days_a_year = levers.number("workload.working_days_a_year")
        self.sick_rate = np.array(levers.grid("staff.sickness_days") / days_a_year, dtype=np.float64)
        self.overload_sickness = float(levers.number("effects.overload_sickness_multiplier_at_130pct"))
        self.long_share = float(levers.number("staff.sickness_long_spell_share"))
        long, short = levers.mapping("staff.sickness_long_days"), levers.mapping("staff.sickness_short_days")
        self.long_days, self.short_days = quantile_table(long), quantile_table(short)
        self.long_mean, self.short_mean = mean(long), mean(short)
        self.leave_days = levers.number("staff.leave_days")
        months = levers.mapping("staff.recruitment.months_advert_to_desk")
        self.months_nps, self.months_crc = quantile_table(months["nps"]), quantile_table(months["crc"])
        self.drop_out_share = float(levers.number("staff.recruitment.drop_out_share"))
        self.delay = float(levers.number("staff.recruitment.delay_multiplier"))
        self.reduced_days = int(levers.number("staff.newly_qualified.reduction_months") * 365.25 / 12)
        multiplier = levers.grid("staff.leaving_multiplier")
        self.leaving = (
            np.stack(
                [
                    np.stack(
                        [
                            levers.grid("staff.nps.leaving_rate_po")[:, 0],
                            levers.grid("staff.nps.leaving_rate_pso")[:, 0],
                        ],
                        axis=1,
                    ),
                    np.stack([levers.grid("staff.crc.leaving_rate_officers")[:, 1]] * 2, axis=1),
                ],
                axis=1,
            )
            * multiplier[:, :, None]
        )

    def process(self) -> Generator[simpy.Event, Any, None]:
        """Each day: starts, departures, sickness and leave; on the first of a month, hazards step."""
        service = self.service
        while True:
            yield service.clock.phase("staffing")
            today = service.today
            self.start(service.agendas["starts"].due(today))
            if service.calendar.date(today).day == 1 or today == 0:
                self.step()
            self.depart(service.agendas["leaves"].due(today))
            if service.calendar.is_working(today):
                self.absences()

    # --- Sickness and leave -----------------------------------------------------------------------------------

    def absences(self) -> None:
        """Draw sickness from tomorrow, and weeks of leave; count the day."""
        service, posts, chance = self.service, self.service.posts, self.service.chance
        today = service.today
        # Leave is taken in whole weeks: on the last working day of a week the next one may be off.
        friday = service.calendar.date(today).weekday() == 4
        falling, lengths = officers.day_at_work(
            posts.size,
            today,
            posts.area,
            posts.employer,
            posts.filled,
            posts.key,
            posts.holder,
            posts.present_days,
            posts.sick_until,
            posts.sick_spells,
            posts.leave_until,
            posts.pressure,
            self.sick_rate,
            self.overload_sickness,
            self.long_share,
            self.long_mean,
            self.short_mean,
            self.leave_days / 5 / WEEKS_A_YEAR if friday else 0.0,
            chance.constant("falls sick"),
            chance.constant("week of leave"),
            chance.constant("length of sickness"),
            *self.long_days,
            *self.short_days,
            service.flows[OFFICER_DAYS],
            service.flows[SICKNESS_DAYS],
        )
        if falling.size:
            today_each = np.full(falling.size, today)
            posts.sick_until[falling] = service.calendar.add_working_days(today_each, lengths + 1)

    # --- Leaving ----------------------------------------------------------------------------------------------

    def step(self) -> None:
        """Measure pressure and step the hazard of leaving for a month."""
        service, posts, levers = self.service, self.service.posts, self.service.levers
        today, size = service.today, posts.size
        points, available = self.points()
        posts.pressure[:size] = np.where(available > 0, points / np.maximum(available, 1), 1.0)
        rows = np.flatnonzero(posts.filled[:size] == 1)
        when = service.calendar.date(today)
        following = service.calendar.day(
            when.replace(year=when.year + when.month // 12, month=when.month % 12 + 1, day=1)
        )
        days = following - today
        rate = self.leaving[posts.area[rows], posts.employer[rows], posts.grade[rows]]
        overload = np.clip((posts.pressure[rows] - 1.0) / 0.3, 0.0, 1.0)
        low, high = (
            levers.number("effects.overload_leaving_multiplier_at_100pct"),
            levers.number("effects.overload_leaving_multiplier_at_130pct"),
        )
        hazard = rate * (low + overload * (high - low)) * (days / 365.25)
        before = posts.leaving_hazard[rows]
        after = before + hazard
        posts.leaving_hazard[rows] = after
        threshold = posts.leaving_threshold[rows]
        crossing = (before < threshold) & (after >= threshold) & (hazard > 0)
        part = (threshold[crossing] - before[crossing]) / hazard[crossing]
        day = today + np.minimum((part * days).astype(np.int32), days - 1)
        service.agendas["leaves"].put(rows[crossing], day)

    def points(self) -> tuple[Array, Array]:
        """Return tool points held and available for every post."""
        service, posts, people, levers = (
            self.service,
            self.service.posts,
            self.service.people,
            self.service.levers,
        )
        size = posts.size
        workload = self.allocation.workload
        total = points_held(people.officer, people.setting, people.tier, workload.points, size)
        available = np.full(size, workload.points_per_month, dtype=np.float64)
        reduced = posts.new_until[:size] > service.today
        available = np.where(
            reduced, available * (1 - levers.number("staff.newly_qualified.capacity_reduction")), available
        )
        return total, np.where(posts.filled[:size] == 1, available, 0).astype(np.int64)

    def depart(self, rows: Rows) -> None:
        """Officers leave: their cases are given to others tomorrow, first; a replacement is sought."""
        posts = self.service.posts
        rows = rows[posts.filled[rows] == 1]
        if rows.size == 0:
            return
        codes = posts.area[rows].astype(np.int64) * 2 + posts.employer[rows]
        self.service.count_codes("leavers", codes)
        self.vacate(rows)

    def vacate(self, rows: Rows) -> None:
        """Empty posts, hand their cases over and seek replacements.

        It takes months from advertisement to desk, more if the first candidate drops out.
        """
        service, posts, people = self.service, self.service.posts, self.service.people
        held = officers.cases_of(rows, posts.size, posts.area, people.officer, self.first_of_area)
        people.officer[held] = -1
        people.waiting_since[held] = service.today
        service.agendas["transfer"].cancel(held)
        self.allocation.orphans.send(held)
        service.tell("officer left", held)
        service.agendas["leaves"].cancel(rows)
        chance = service.chance
        days = officers.empty_posts(
            rows,
            service.today,
            chance.constant("months to fill"),
            chance.constant("candidate drops out"),
            chance.constant("months to fill again"),
            self.drop_out_share,
            self.delay,
            *self.months_nps,
            *self.months_crc,
            posts.key,
            posts.holder,
            posts.employer,
            posts.filled,
            posts.cases,
            posts.points,
            posts.owed,
            posts.sick_until,
            posts.leave_until,
        )
        service.agendas["starts"].put(rows, days)

    def start(self, rows: Rows) -> None:
        """New holders begin: from the area's CRC for a share of NPS posts, else from outside."""
        service, posts, levers = self.service, self.service.posts, self.service.levers
        rows = rows[(posts.filled[rows] == 0) & (posts.closed[rows] == 0)]
        if rows.size == 0:
            return
        share = levers.grid("staff.recruitment.share_from_crc")[posts.area[rows], 0]
        poached = (posts.employer[rows] == NPS) & (
            service.chance.uniform(posts.key[rows], "comes from the CRC", posts.holder[rows]) < share
        )
        poached[poached] = [self.move_from_crc(post) for post in rows[poached].tolist()]
        outside = rows[~poached]
        service.count_codes("joiners", posts.area[outside].astype(np.int64) * 2 + posts.employer[outside])
        officers.fill_posts(
            rows,
            ~poached,
            service.today,
            self.reduced_days,
            service.chance.constant("leaving"),
            logarithms(),
            posts.key,
            posts.filled,
            posts.holder,
            posts.since,
            posts.present_days,
            posts.sick_spells,
            posts.new_until,
            posts.leaving_hazard,
            posts.leaving_threshold,
            posts.pressure,
        )

    def move_from_crc(self, post: int) -> bool:
        """Take the officer of the same grade in the area's CRC with the fewest cases; tell whether there was one."""
        service, posts = self.service, self.service.posts
        found = officers.fewest_cases(
            post, posts.size, posts.area, posts.employer, posts.filled, posts.grade, posts.cases
        )
        if found < 0:
            return False
        chosen = np.array([found], dtype=np.intp)
        service.count_codes("moves_crc_to_nps", np.array([int(posts.area[post]) * 2 + NPS]))
        self.vacate(chosen)
        return True
