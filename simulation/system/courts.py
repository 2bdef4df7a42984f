"""Courts: referral, pre-sentence report, sentence.

People newly convicted and people who return come to court on working days. Some cases get a report: oral, short or
standard. Reports cost the court team's hours and queue for them; a report that isn't ready on its day adjourns the
case. The disposal is one draw for each person, cut by thresholds with custody and community adjacent, so that a
policy of diversion moves the same people.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import numpy as np
import simpy
from numpy.typing import NDArray

from simulation.engine.agenda import NOBODY, each_once
from simulation.engine.calendar import MONTH_DAYS
from simulation.system import cohorts
from simulation.system.allocation import Allocation
from simulation.system.codes import Kind, Status
from simulation.system.court_duty import write_in_turn
from simulation.system.court_loops import (
    decide_custody,
    deliver_reports,
    refer_people,
    team_day,
    write_orders,
)
from simulation.system.custody import Custody
from simulation.system.custody_loops import lists_of
from simulation.system.demand import LENGTH_BANDS
from simulation.system.levers import Levers
from simulation.system.population import GROUPS, Population
from simulation.system.quantiles import Lookup, quantile_table
from simulation.system.service import CHARGED, COUNT_INDEX, Array, Rows, Service
from simulation.system.supervision import Supervision

REPORTS = ("none", "oral", "short_written", "standard")
_ON_DUTY, _DEMANDED = COUNT_INDEX["report_seconds_duty"], COUNT_INDEX["seconds_demanded"]


def both(some: Rows, others: Rows) -> Rows:
    """Return the rows of two lists, in row order and each once as they are in both of them."""
    if some.size and others.size:
        return each_once(np.concatenate([some, others]))
    return some if some.size else others


def services_shares(levers: Levers) -> NDArray[np.float64]:
    """Return the share of each kind of report that services officers write: never a standard one."""
    shares = levers.mapping("courts.services_officer_share")
    return np.array([shares.get(name, 0.0) for name in REPORTS], dtype=np.float64)


class Courts:
    """Court referrals, reports and sentences."""

    def __init__(
        self,
        service: Service,
        population: Population,
        allocation: Allocation,
        custody: Custody,
        supervision: Supervision,
    ) -> None:
        self.service, self.population = service, population
        self.allocation, self.custody, self.supervision = allocation, custody, supervision
        self.returners = service.channel("returners to court")
        #: Told which orders were made, once it is settled who supervises them.
        self.on_settled: list[Callable[[Rows], None]] = []
        #: Told of everybody whom a court convicts again or sentences.
        self.on_appearing: list[Callable[[Rows], None]] = []
        service.agenda("sentence", service.people.capacity)
        people = service.people
        # Rows by day of conviction: derived from the table, so it is no state of its own.
        size = people.size
        new = people.returner_pool[:size] == 0
        self._order = np.flatnonzero(new)[np.argsort(people.convicted[:size][new], kind="stable")]
        # Where each day's people begin among these, from the first day on.
        days = people.convicted[self._order].astype(np.int64)
        self._first_day, last = (int(days[0]), int(days[-1])) if days.size else (0, -1)
        self._last_place = last - self._first_day + 1
        self._begins: list[int] = days.searchsorted(np.arange(self._first_day, last + 2)).tolist()
        #: What else begins with new orders.
        self.on_orders: list[Callable[[Rows], None]] = []
        service.process(self.process)

    def read(self) -> None:
        """Take the levers of the day."""
        levers = self.service.levers
        hours, days = levers.mapping("courts.report_hours"), levers.mapping("courts.report_working_days")
        # By kind of report; none takes none.
        self.kind_edges = Lookup(levers.mapping("courts.report_mix")).edges
        self.report_time = np.array([0, *(round(hours[name] * 3600) for name in REPORTS[1:])])
        self.report_days = np.array([0, *(round(days[name]) for name in REPORTS[1:])], dtype=np.intp)
        self.longest_report = int(self.report_days.max())
        self.report_coverage = levers.number("courts.report_coverage")
        self.put_off = levers.integer("courts.adjournment_working_days")
        self.work_share = float(levers.number("courts.unpaid_work_only_share"))
        # Teams are staffed for each year's reports of the mix before any policy, at the stated utilisation: a policy
        # that asks for longer reports doesn't bring the staff to write them.
        before = Levers(self.service.resolved.on(0))
        mix_before, hours_before = before.mapping("courts.report_mix"), before.mapping("courts.report_hours")
        total = sum(mix_before.values())
        shares_before = services_shares(before)
        hours = {name: mix_before[name] * hours_before[name] / total for name in REPORTS[1:]}
        by_services = sum(hours[name] * shares_before[kind] for kind, name in enumerate(REPORTS) if kind)
        scale = 3600 * before.number("courts.report_coverage") / before.number("courts.team_utilisation")
        # What case-holding officers write on court duty, the team has no staff for.
        self.duty_share = float(levers.number("courts.duty_share"))
        scale *= levers.number("courts.team_staffing") * (1 - self.duty_share)
        self.report_seconds = np.array([sum(hours.values()) - by_services, by_services]) * scale
        #: What a year's teams can do under these levers, once it has been asked for; derived, so no state.
        self._capacity: dict[int, Array] = {}
        self.services_share = services_shares(levers)
        ratios = levers.mapping("courts.custody_ratio_by_report")
        self.ratio_by_report = np.array([ratios[name] for name in REPORTS], dtype=np.float64)
        shares = levers.mapping("courts.custody_share_of_returners")
        self.share_of_returners = np.array([shares[label] for label in GROUPS], dtype=np.float64)
        self.diverted = levers.cells("courts.diversion_from_custody")
        by_band = levers.mapping("courts.diversion_by_length")
        self.diverted_by_band = np.array([by_band[name] for name in LENGTH_BANDS], dtype=np.float64)
        lengths = Lookup(levers.mapping("courts.order_length_months"))
        months = np.array([int(name.split("_")[0]) for name in lengths])
        self.length_edges, self.lengths = lengths.edges, (months * MONTH_DAYS).astype(np.int32)
        self.longest_suspended = int(levers.number("courts.suspended_most_months") * MONTH_DAYS)
        self.lags = quantile_table(levers.mapping("courts.offence_to_sentence_days"))

    def capacity(self) -> Array:
        """Return the seconds of each area's court team in a working day of this year, by area and grade."""
        demand, year = self.population.demand, self.service.calendar.date(self.service.today).year
        if year not in self._capacity:
            reports = demand.yearly("courts.pre_sentence_reports", year) / demand.working_days(year)
            seconds = np.floor(self.population.shares[:, None] * reports * self.report_seconds)
            self._capacity[year] = seconds.astype(np.int64)
        return self._capacity[year]

    # --- Each day ---------------------------------------------------------------------------------------------

    def process(self) -> Generator[simpy.Event, Any, None]:
        """Refer, report and sentence, each working day."""
        service = self.service
        while True:
            yield service.clock.phase("arrivals")
            today = service.today
            returners = self.returners.drain()
            due = service.agendas["sentence"].due(today)
            if returners.size:
                service.people.convicted[returners] = today
            if not service.calendar.is_working(today):
                self.returners.send(returners)
                service.agendas["sentence"].put(due, today + 1)
                continue
            if returners.size:
                for appeared in self.on_appearing:
                    appeared(returners)
            direct = self.refer(both(self.new_people(today), returners))
            self.write_reports()
            self.sentence(both(direct, due))

    def new_people(self, today: int) -> Rows:
        """Return who is newly convicted today."""
        place = today - self._first_day
        return self._order[self._begins[place] : self._begins[place + 1]] if 0 <= place < self._last_place else NOBODY

    def refer(self, rows: Rows) -> Rows:
        """Ask for reports on the newly convicted and those who return; return those sentenced without one."""
        if rows.size == 0:
            return rows
        service, people, chance = self.service, self.service.people, self.service.chance
        today, demand = service.today, self.population.demand
        stretch = demand.stretch(today, "courts.pre_sentence_reports")
        share, lever = demand.remembered("reports", stretch, lambda: self.report_share(today))
        # Room for everybody; what isn't needed is given back.
        queue, first = service.court_queue, service.court_queue.size
        queue.extend(rows.size)
        found = np.empty((4, rows.size), dtype=np.intp)
        sizes = refer_people(
            rows,
            today,
            share * (self.report_coverage * lever),
            chance.constant("report wanted"),
            chance.constant("kind of report"),
            self.kind_edges,
            service.calendar.working_days_ahead(today, self.longest_report)[self.report_days],
            people.key,
            people.sentences,
            people.location,
            people.report,
            people.report_asked,
            people.report_due,
            people.area,
            chance.constant("report by services officer"),
            chance.constant("report on court duty"),
            self.services_share,
            self.duty_share,
            self.report_time,
            first,
            queue.row,
            queue.area,
            queue.seconds,
            queue.due,
            queue.writer,
            found,
        )
        referred, asked, kinds, direct = lists_of(found, sizes)
        queue.size = first + asked.size
        service.tell("convicted", referred)
        service.tell("report asked for", asked, kinds)
        return direct

    def report_share(self, today: int) -> tuple[float, float]:
        """Return the share of cases that would get a report before policy, and what the scenario multiplies it by."""
        demand, year = self.population.demand, self.service.calendar.date(today).year
        reports = demand.yearly("courts.pre_sentence_reports", year)
        expected = demand.community_year(year) + demand.custody_year(year)
        share = reports / expected if expected else 0.0
        return float(share), float(demand.lever("courts.pre_sentence_reports", today))

    def write_reports(self) -> None:
        """Let each area's court team work through its queue; those on court duty write what is due today."""
        service, people, queue = self.service, self.service.people, self.service.court_queue
        size, today, calendar = queue.size, service.today, service.calendar
        teams = service.tables["teams"]
        waiting, served = np.empty((2, size), dtype=np.bool_)
        on_duty = np.empty(size, dtype=np.intp)
        duties = team_day(
            queue.row[:size],
            queue.area[:size],
            queue.seconds[:size],
            queue.due[:size],
            queue.writer[:size],
            today,
            self.capacity(),
            teams.court_owed,
            teams.court_owed_pso,
            people.key,
            people.report_due,
            service.flows,
            waiting,
            served,
            on_duty,
        )
        if size == 0:
            return
        if duties:
            served[self.court_duty(on_duty[:duties])] = True
        delivered = np.empty((2, size), dtype=np.intp)
        many, queue.size = deliver_reports(
            size,
            waiting,
            served,
            queue.row,
            queue.area,
            queue.seconds,
            queue.due,
            queue.writer,
            today,
            calendar.after_working_days(today, 1),
            calendar.after_working_days(today, self.put_off),
            people.cell,
            people.report,
            people.report_asked,
            people.report_due,
            service.flows,
            delivered,
        )
        done = delivered[0, :many]
        service.agendas["sentence"].put(done, delivered[1, :many])
        service.tell("report delivered", done)
        service.tell("case adjourned", done[people.report_due[done] < today])

    def court_duty(self, reports: Rows) -> Rows:
        """Give reports to case-holding officers of the NPS on court duty, in turn; return those written.

        The time comes off the officer's day before any case: it is owed. A standard report needs a probation officer.
        Where nobody is at work, the report waits and is late.
        """
        service, queue, posts = self.service, self.service.court_queue, self.service.posts
        size = posts.size
        written, seconds = write_in_turn(
            reports,
            service.today,
            queue.row,
            queue.area,
            queue.seconds,
            service.people.report,
            self.allocation.workload.court_points,
            posts.area[:size],
            posts.employer[:size],
            posts.grade[:size],
            posts.filled[:size],
            posts.covered[:size],
            posts.sick_until[:size],
            posts.leave_until[:size],
            posts.owed,
            posts.report_points,
            service.flows[_ON_DUTY, : service.areas * 2],
            service.flows[_DEMANDED, : service.areas * 2],
        )
        service.tables["balance"].value[CHARGED] += seconds
        return written

    # --- Sentence ---------------------------------------------------------------------------------------------

    def sentence(self, rows: Rows) -> None:
        """Pass sentence on people whose case is ready."""
        if rows.size == 0:
            return
        service, people, sentences = self.service, self.service.people, self.service.sentences
        community, custody = self.population.expected_new(service.today)
        found = np.empty((4, rows.size), dtype=np.intp)
        sizes = decide_custody(
            rows,
            service.chance.constant("disposal"),
            float(custody / max(community + custody, 1e-9)),
            self.share_of_returners,
            self.diverted,
            self.diverted_by_band,
            service.chance.constant("custody: length band"),
            self.population.demand.length_edges(service.calendar.date(service.today).year),
            self.ratio_by_report,
            people.report,
            people.key,
            people.sentences,
            people.cell,
            people.location,
            people.disposal_draw,
            people.report_asked,
            people.report_due,
            people.latest,
            sentences.kind,
            sentences.length,
            service.flows,
            found,
        )
        rows, inside, outside, already = lists_of(found, sizes)
        made = self.custody.receive(inside)
        ordered = self.impose_orders(outside)
        service.refresh(rows)
        self.allocation.assess(rows)
        cohorts.orders_started(service, outside)
        self.supervision.begin_again(already)
        self.allocation.begin(already)
        self.custody.settle_in(made)
        for listener in self.on_settled:
            listener(ordered)
        for appeared in self.on_appearing:
            appeared(rows)

    def impose_orders(self, rows: Rows) -> Rows:
        """Impose community and suspended sentence orders; return their rows among sentences."""
        if rows.size == 0:
            return rows
        service, people, chance, sentences = (
            self.service,
            self.service.people,
            self.service.chance,
            self.service.sentences,
        )
        today = service.today
        made = service.new_sentences(rows, Kind.COMMUNITY_ORDER, Status.ORDER)
        found, days = np.empty((2, rows.size), dtype=np.intp), np.empty((2, rows.size), dtype=np.int32)
        community, suspended = write_orders(
            rows,
            made,
            today,
            chance.constant("order: suspended"),
            chance.constant("order: length"),
            chance.constant("offence"),
            chance.constant("order: unpaid work only"),
            float(self.population.demand.suspended_share(service.calendar.date(today).year)),
            self.work_share,
            self.length_edges,
            self.lengths,
            self.longest_suspended,
            self.lags[0],
            self.lags[1],
            people.key,
            people.sentences,
            people.cell,
            sentences.kind,
            sentences.offence,
            sentences.length,
            sentences.expiry,
            sentences.supervision_end,
            sentences.unpaid_work_only,
            0 if service.groups is None else service.groups.next_sentence,
            service.flows,
            found,
            days,
        )
        service.regroup(rows)
        service.agendas["legal end"].put(made, sentences.expiry[made])
        for begin in self.on_orders:
            begin(made)
        service.tell("community order", found[0, :community], days[0, :community])
        service.tell("suspended sentence order", found[1, :suspended], days[1, :suspended])
        return made
