"""Staffing: officers fall sick, go on leave, leave, move from a CRC to the NPS, and are replaced after months.

Leaving is a hazard stepped monthly: it rises with workload, so overload, leaving and overload can close as a loop; so
does sickness. When somebody goes, every case changes hands; after some weeks of sickness, and on maternity leave, too.
How posts get their next holder is told in :mod:`simulation.system.recruitment`.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import numpy as np
import simpy

from simulation.engine import Column, Table
from simulation.engine.calendar import MONTH_DAYS
from simulation.system import officers
from simulation.system.allocation import Allocation
from simulation.system.bodies import Bodies
from simulation.system.choosing import points_held
from simulation.system.codes import CRC, Place, Reason, Terms
from simulation.system.hours import HoursOf, Reductions, points_available, set_hours, tool_in_use
from simulation.system.laws import columns
from simulation.system.leaving import Leaving, step
from simulation.system.other_staff import OtherStaff
from simulation.system.quantiles import draw, mean_of_whole, quantile_table
from simulation.system.recruitment import Recruitment
from simulation.system.recruitment_loops import empty_posts
from simulation.system.service import COUNT_INDEX, DROPPED, Array, Rows, Service

if TYPE_CHECKING:
    from simulation.system.area_moves import AreaMoves

WEEKS_A_YEAR = 52.18
_COUNTED = np.array([COUNT_INDEX[name] for name in officers.DAYS_COUNTED], dtype=np.intp)
#: Leavers by reason; those with an ordinary reason are the rest.
LEAVERS = {
    Reason.WORKLOAD: "leavers_workload",
    Reason.PAY: "leavers_pay",
    Reason.REORGANISATION: "leavers_reorganisation",
    Reason.REDUNDANCY: "leavers_redundancy",
    Reason.NO_RETURN: "leavers_after_maternity",
}


def establishment_table(areas: int) -> Table:
    """Return the table of established posts by area, of which none may be lost."""
    columns_ = [
        Column("posts", "int64", "posts", "Established posts on the first day."),
        Column("closed", "int64", "posts", "Those of the NPS closed since, with a redundancy."),
    ]
    table = Table("establishment", columns_, areas)
    table.add(areas)
    return table


class Staffing:
    """Officers who come and go."""

    def __init__(self, service: Service, allocation: Allocation, area_moves: AreaMoves) -> None:
        self.service, self.allocation, self.area_moves = service, allocation, area_moves
        # People are in the order of their keys, and so of the areas where they were convicted: they are one slice.
        people, areas = service.people, np.arange(service.areas + 1, dtype=np.int8)
        self.first_of_area = np.searchsorted(people.area[: people.size], areas)
        for agenda in ("leaves", "cases move", "returns"):
            service.agenda(agenda, service.posts.capacity)
        self.recruitment = Recruitment(service, self.release, Bodies(service, self.points, self.set_hours))
        self.other = OtherStaff(service)
        service.table("establishment", establishment_table(service.areas))
        #: Share of the country's trainees that each area gets; set with the posts.
        self.training_shares = np.zeros(service.areas)
        service.process(self.mornings)
        service.process(self.process)

    def read(self) -> None:
        """Take the levers of the day."""
        service, levers = self.service, self.service.levers
        self.days_a_year = float(levers.number("workload.working_days_a_year"))
        sick_days = np.array(levers.grid("staff.sickness_days"), dtype=np.float64)
        # Nobody falls sick who is off or sick already: what is lost in a year is lost on the other days.
        at_risk = np.maximum(self.days_a_year - float(levers.number("staff.leave_days")) - sick_days, 1.0)
        self.sick_rate = sick_days / at_risk
        self.long_share = float(levers.number("staff.sickness_long_spell_share"))
        long, short = levers.mapping("staff.sickness_long_days"), levers.mapping("staff.sickness_short_days")
        self.long_days, self.short_days = quantile_table(long), quantile_table(short)
        self.long_mean, self.short_mean = mean_of_whole(long), mean_of_whole(short)
        # Nobody begins a week of leave sick: what is taken in a year is taken in the weeks begun well.
        leave_days = float(levers.number("staff.leave_days"))
        self.leave_chance = np.minimum(leave_days / np.maximum(self.days_a_year - sick_days, 1.0), 1.0)
        self.cases_move_after = levers.integer("staff.sickness_cases_move_days")
        self.maternity_rate = float(levers.number("staff.maternity.rate"))
        self.maternity_months = levers.mapping("staff.maternity.months")
        self.no_return = float(levers.number("staff.maternity.no_return_share"))
        self.leaving = Leaving(service)
        raised = float(levers.number("effects.overload_sickness_multiplier_at_130pct")) - 1
        self.overload = (*self.leaving.span, self.leaving.strength * raised)
        trainee = levers.mapping("staff.trainee.capacity_reduction")
        self.reductions = Reductions(
            float(trainee["months_0_6"]),
            float(trainee["months_7_12"]),
            float(trainee["months_13_on"]),
            int(6 * MONTH_DAYS),
            int(12 * MONTH_DAYS),
            float(levers.number("staff.newly_qualified.capacity_reduction")),
            float(levers.number("staff.pso.training_reduction")),
        )
        self.teaching_each = round(levers.number("staff.trainee.teaching_hours_a_month") * 1200 / WEEKS_A_YEAR)
        self.agency_pence = round(levers.number("staff.agency.pounds_a_day") * 100)
        self.closed_share = levers.grid("staff.redundancy.closed_share")
        self.tool = tool_in_use(service).ravel()
        self.recruitment.read()
        self.other.read()

    def begin(self, shares: Array) -> None:
        """Settle who holds the posts on the first day, and for how long they have.

        Parameters
        ----------
        shares : float array (areas,)
            Share of the country's trainees that each area gets.
        """
        service, posts = self.service, self.service.posts
        self.training_shares = shares
        size = posts.size
        posts.post_grade[:size] = posts.grade[:size]
        every = np.arange(size)
        self.recruitment.draw_holder(every)
        years = service.levers.mapping("staff.tenure_years_at_start")
        uniform = service.chance.uniform(posts.key[:size], "time in post at the start")
        posts.since[:size] = -1 - (draw(years, uniform) * 365.25).astype(np.int32)
        self.recruitment.begin(shares)
        self.set_hours()
        self.other.begin()
        established = posts.area[: posts.size][posts.place[: posts.size] == Place.ESTABLISHED]
        service.tables["establishment"].posts[: service.areas] = np.bincount(established, minlength=service.areas)

    # --- The day ----------------------------------------------------------------------------------------------

    def mornings(self) -> Generator[simpy.Event, Any, None]:
        """Each morning: what hours everybody has today."""
        while True:
            yield self.service.clock.phase("arrivals")
            self.set_hours()

    def process(self) -> Generator[simpy.Event, Any, None]:
        """Each day: starts, departures, absences; on the first of a month, hazards step and trainees begin."""
        service, agendas = self.service, self.service.agendas
        while True:
            yield service.clock.phase("staffing")
            today = service.today
            self.recruitment.cover(agendas["agency"].due(today))
            self.recruitment.advance(agendas["recruitment"].due(today))
            self.recruitment.qualify(agendas["qualifies"].due(today))
            if service.calendar.date(today).day == 1 or today == 0:
                self.measure_pressure()
                step(service, self.leaving)
                self.recruitment.cohorts(self.training_shares)
                self.recruitment.place_qualified()
                self.other.step()
            self.depart(agendas["leaves"].due(today))
            self.come_back(agendas["returns"].due(today))
            self.cover_the_sick(agendas["cases move"].due(today))
            if service.calendar.is_working(today):
                self.absences()

    def set_hours(self) -> None:
        """Set what hours everybody has today."""
        posts = self.service.posts
        set_hours(posts.size, self.service.today, self.reductions, self.teaching_each, columns(HoursOf, posts))

    # --- Sickness and leave -----------------------------------------------------------------------------------

    def absences(self) -> None:
        """Draw sickness and maternity leave from tomorrow, and weeks of leave; count the day."""
        service, posts, chance, calendar = self.service, self.service.posts, self.service.chance, self.service.calendar
        today = service.today
        # Leave is taken in whole weeks: on the last working day of a week the next one may be off.
        monday = today + 7 - int(calendar.weekday(today))
        following = calendar.working_days_after(today)
        next_day = int(following[1])
        found = np.empty((2, posts.size + 1), dtype=np.intp)
        many, leaving = officers.day_at_work(
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
            posts.terms,
            posts.sick_long,
            posts.away_until,
            self.sick_rate,
            self.overload,
            self.long_share,
            self.long_mean,
            self.short_mean,
            self.leave_chance,
            next_day,
            monday + 7 if next_day >= monday else 0,
            following,
            self.cases_move_after,
            self.agency_pence,
            self.maternity_rate / self.days_a_year,
            chance.constant("falls sick"),
            chance.constant("week of leave"),
            chance.constant("length of sickness"),
            chance.constant("maternity leave"),
            *self.long_days,
            *self.short_days,
            _COUNTED,
            service.flows,
            found[0],
            found[1],
        )
        if many:
            moves = calendar.after_working_days(today, self.cases_move_after)
            service.agendas["cases move"].put(found[0, :many], moves)
        beginning = found[1, :leaving]
        if beginning.size:
            uniform = chance.uniform(posts.key[beginning], "length of maternity leave", self.holder_and_day(beginning))
            days = (draw(self.maternity_months, uniform) * MONTH_DAYS).astype(np.int32)
            posts.away_until[beginning] = today + 1 + days
            service.agendas["returns"].put(beginning, today + days)
            service.count_codes("maternity_leaves", self.recruitment.codes(beginning))
            self.cover(beginning)

    def holder_and_day(self, rows: Rows) -> Array:
        """Return the number of holders' draws today: by days in post, so that a second leave has luck of its own."""
        posts = self.service.posts
        return posts.holder[rows].astype(np.int64) * officers.PER_HOLDER + posts.present_days[rows]

    def cover_the_sick(self, rows: Rows) -> None:
        """Hand over the cases of those who are still sick after some weeks."""
        if rows.size == 0:
            return
        posts = self.service.posts
        self.cover(rows[(posts.filled[rows] == 1) & (posts.sick_until[rows] > self.service.today + 1)])

    def cover(self, rows: Rows) -> None:
        """Give the cases of officers who are away for long to others, tomorrow."""
        if rows.size == 0:
            return
        rows = rows[self.service.posts.covered[rows] == 0]
        if rows.size == 0:
            return
        self.service.posts.covered[rows] = 1
        self.service.posts.hours_left[rows] = 0
        self.hand_over(rows, "officer away for long")

    def come_back(self, rows: Rows) -> None:
        """Maternity leave ends tomorrow; some don't return."""
        if rows.size == 0:
            return
        service, posts = self.service, self.service.posts
        rows = rows[posts.filled[rows] == 1]
        if rows.size == 0:
            return
        draws = service.chance.uniform(posts.key[rows], "returns from leave", self.holder_and_day(rows))
        stay_away = draws < self.no_return
        going = rows[stay_away]
        posts.leaving_reason[going] = Reason.NO_RETURN
        self.depart(going)

    # --- Leaving ----------------------------------------------------------------------------------------------

    def measure_pressure(self) -> None:
        """Measure what everybody feels: points held over points available, times true over tool minutes."""
        posts = self.service.posts
        points, available = self.points()
        felt = points / np.maximum(available, 1) * self.allocation.workload.truth
        posts.pressure[: posts.size] = np.where(available > 0, felt, 1.0)

    def points(self, held: Array | None = None) -> tuple[Array, Array]:
        """Return tool points held and available for every post, with the hours as they are now.

        Parameters
        ----------
        held : int64 array (posts,), optional
            The points held, where they have just been counted.
        """
        self.set_hours()
        posts, people, workload = self.service.posts, self.service.people, self.allocation.workload
        size = posts.size
        if held is None:
            held = points_held(people.places, workload.points, size)
        available = points_available(workload.points_per_month, posts.hours_left[:size], workload.full_time)
        return held, np.where(posts.filled[:size] == 1, available, 0)

    def depart(self, rows: Rows) -> None:
        """Officers leave: their cases are given to others tomorrow, first; a replacement is sought."""
        if rows.size == 0:
            return
        service, posts, recruitment = self.service, self.service.posts, self.recruitment
        rows = rows[posts.filled[rows] == 1]
        if rows.size == 0:
            return
        agency = posts.terms[rows] == Terms.AGENCY
        ended, rows = rows[agency], rows[~agency]
        if ended.size:
            self.release(ended)
            # Another comes as soon as one can be found; the search for a permanent holder goes on.
            service.agendas["agency"].put(ended, service.today + 1 + recruitment.agency_days)
        if rows.size == 0:
            return
        codes, reasons = recruitment.codes(rows), posts.leaving_reason[rows]
        service.count_codes("leavers", codes)
        for reason in sorted(set(reasons.tolist())):
            if reason in LEAVERS:
                service.count_codes(LEAVERS[reason], codes[reasons == reason])
        service.count_codes("leavers_first_year", codes[service.today - posts.since[rows] < 365])
        # A redundancy scheme closes posts; the closing belongs to the post and the one who left it.
        closed = rows[reasons == Reason.REDUNDANCY]
        if closed.size:
            share = self.closed_share[posts.area[closed], posts.employer[closed]]
            closing = service.chance.uniform(posts.key[closed], "post closed", posts.holder[closed]) < share
            closed = closed[closing & (posts.place[closed] == Place.ESTABLISHED)]
        self.vacate(rows)
        if closed.size == 0:
            return
        self.close(closed)
        # A company saves the cost of the posts that it closes.
        company = posts.employer[closed] == CRC
        many = np.bincount(posts.area[closed[company]], minlength=service.areas)
        service.tables["contracts"].posts_closed[: many.size] += many.astype(np.int32)
        public = np.bincount(posts.area[closed[~company]], minlength=service.areas)
        service.tables["establishment"].closed[: public.size] += public

    def vacate(self, rows: Rows) -> None:
        """Empty posts, hand their cases over and seek replacements."""
        posts = self.service.posts
        self.release(rows)
        self.recruitment.advertise(rows[(posts.place[rows] == Place.ESTABLISHED) & (posts.closed[rows] == 0)])

    def close(self, rows: Rows) -> None:
        """Close vacant posts: nobody is sought for them any more."""
        if rows.size == 0:
            return
        self.service.posts.closed[rows] = 1
        self.recruitment.stop(rows)
        self.service.count_codes("posts_closed", self.recruitment.codes(rows))

    def release(self, rows: Rows) -> None:
        """Empty posts and hand the cases over."""
        if rows.size == 0:
            return
        service, posts = self.service, self.service.posts
        agency = rows[posts.terms[rows] == Terms.AGENCY]
        if agency.size:
            service.count_codes("agency_left", self.recruitment.codes(agency))
        self.hand_over(rows, "officer left")
        posts.report_points[rows] = 0
        for agenda in ("leaves", "cases move", "returns", "qualifies"):
            service.agendas[agenda].cancel(rows)
        empty_posts(
            rows,
            posts.filled,
            posts.covered,
            posts.terms,
            posts.leaving_reason,
            posts.grade,
            posts.post_grade,
            posts.sick_until,
            posts.leave_until,
            posts.away_until,
            posts.new_until,
            posts.qualifies_on,
        )

    def hand_over(self, rows: Rows, why: str) -> None:
        """Take all their cases from officers; the cases are given to others tomorrow, first."""
        service, posts, people = self.service, self.service.posts, self.service.people
        held, dropped = officers.take_cases(
            rows,
            service.today,
            posts.area,
            posts.cases,
            posts.points,
            posts.owed,
            posts.saved,
            people.places,
            people.place_words,
            people.waiting_since,
            self.first_of_area,
            self.area_moves.taken_over,
        )
        self.service.regroup(held)
        service.agendas["transfer"].cancel(held)
        self.allocation.orphans.send(held)
        if why == "officer left":
            service.tell("officer left", held)
        else:
            service.tell("officer away for long", held)
        service.tables["balance"].value[DROPPED] += dropped

