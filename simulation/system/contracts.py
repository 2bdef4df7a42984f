"""Contracts and money: what companies are paid and spend, what the NPS and prisons cost, and posts that losses close.

A company is paid for weighted volumes of what begins with it (orders, licences, supervision), against the volume
expected when the contract was signed; for tasks; and by results. Its costs are mostly fixed. So income can fall while
the number of people supervised rises. Once a month everything is booked; where the switch is on, a company that loses
money closes posts some months later. Areas don't wait for one another, but losses are an owner's (rule 15).
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import simpy
from numpy.typing import NDArray

from simulation.engine import NEVER, Column, Table
from simulation.engine.calendar import MONTH_DAYS, YEAR_DAYS
from simulation.system.codes import CRC, NPS, Terms
from simulation.system.contract_loops import (
    ACTIVITIES,
    cost_of,
    paid_share,
    posts_to_cut,
    prisoners_by_area,
    starts_of_month,
    whole,
)
from simulation.system.equal_money import EqualMoney
from simulation.system.ledger import Ledger
from simulation.system.population import Population
from simulation.system.results import Results
from simulation.system.service import COUNT_INDEX, Array, Rows, Service
from simulation.system.staffing import Staffing

#: Pence in a million pounds.
MILLION = 100_000_000
#: A year and a month in days.


def contracts_table(areas: int) -> Table:
    """Return the table of what each area's company has come to."""
    table = Table(
        "contracts",
        [
            Column("loss_year", "int64", "pence", "Loss of about the last year, before what closed posts save."),
            Column("cost_year", "int64", "pence", "Cost of about the last year, before what closed posts save."),
            Column("loss_quarter", "int64", "pence", "Loss of the present quarter so far, before savings."),
            Column("cost_quarter", "int64", "pence", "Cost of the present quarter so far, before savings."),
            Column("posts_at_start", "int32", "posts", "The company's posts when they were first counted."),
            Column("posts_planned", "int32", "posts", "Posts that a decision will close on its day."),
            Column("posts_to_close", "int32", "posts", "Posts to be closed when they fall vacant."),
            Column("posts_closed", "int32", "posts", "Posts closed."),
            Column("failed_on", "int32", "day", "Day on which the company failed.", NEVER),
            Column("cost_a_day", "int64", "pence a day", "What the company cost last month."),
            Column("taken_over", "int64", "pence a day", "Cost that the NPS took over with the company's work."),
            Column("booked_to", "int32", "day", "Last day booked before contracts ended in mid-month.", NEVER),
        ],
        areas,
    )
    table.add(areas)
    return table


class Contracts:
    """Payment, cost and posts of every area's company; cost of the NPS and of prisons."""

    def __init__(self, service: Service, population: Population, staffing: Staffing) -> None:
        self.service, self.population, self.staffing = service, population, staffing
        self.state = service.table("contracts", contracts_table(service.areas))
        self.ledger = Ledger(service)
        self.results = Results(service)
        self.equal_money = EqualMoney(service, self.ledger, staffing)
        service.agenda("post cuts", service.areas)
        self.areas = np.array(service.resolved.areas, dtype=np.int64)
        self.share = np.asarray(population.shares, dtype=np.float64)
        self.nps_share = nps_shares(service)
        names = [service.geography.provider_name(area, CRC) for area in range(service.areas)]
        owner = {provider.name: provider.owner for provider in service.geography.providers}
        self.company, self.owner = _numbered(names), _numbered([owner[name] for name in names])
        service.process(self.process)

    def read(self) -> None:
        """Take the levers of the day."""
        levers = self.service.levers
        crc = lambda name: np.array(levers.grid(name)[:, CRC], dtype=np.float64)  # noqa: E731
        weights = levers.mapping("contracts.activity_weights")
        #: Thousandths of a weighted unit, so that volumes are whole numbers.
        self.weights = np.array([round(weights[name] * 1000) for name in ACTIVITIES], dtype=np.int64)
        expected = levers.number("contracts.volume_2016_17") * 1000 / (1 - crc("contracts.volume_shortfall"))
        #: A year's volume and income, as expected at signing.
        self.expected = whole(self.share * expected)
        self.income = whole(self.share * levers.number("contracts.income_expected") * MILLION)
        self.planned = whole(self.income * (1 - levers.number("contracts.margin_expected")))
        self.band = levers.number("contracts.volume_band")
        self.signed, self.amended = (levers.number(f"contracts.{name}_fixed_share") for name in ("signed", "amended"))
        self.fixed = crc("contracts.fixed_cost_share")
        self.fee_plan = round(levers.number("contracts.fee_plan") * 100)
        self.fee_resettlement = round(levers.number("contracts.fee_resettlement") * 100)
        self.post_cost = round(levers.number("contracts.post_cost") * 100)
        self.post_cost_a_day = self.post_cost / levers.number("workload.working_days_a_year")
        self.nps_other = whole(self.nps_share * levers.number("contracts.nps_other_cost") * MILLION)
        self.place_cost = round(levers.number("contracts.prison_place_cost") * 100)
        self.premium = levers.number("contracts.step_in_premium")
        self.saved_share = crc("contracts.posts_cut_share_of_losses")
        self.cut_most = levers.number("contracts.posts_cut_most")
        self.cut_after = int(levers.number("contracts.posts_cut_after_months") * MONTH_DAYS)
        self.redundant = levers.number("contracts.redundancy_share")
        self.as_one = levers.number("contracts.owners_as_one") > 0.5
        self.open = levers.grid("organisation.unified")[:, NPS] < 0.5
        self.results.read()
        self.equal_money.read()

    # --- The month ----------------------------------------------------------------------------------------------

    def process(self) -> Generator[simpy.Event, Any, None]:
        """Each evening close the posts whose day has come; on the last of a month, or of the run, book the month."""
        service = self.service
        while True:
            yield service.clock.phase("counting")
            today = service.today
            self.cut(service.agendas["post cuts"].due(today))
            when, tomorrow = service.calendar.date(today), service.calendar.date(today + 1)
            if tomorrow.day == 1 or when == service.resolved.end:
                self.close_month(when.year * 12 + when.month - 1, max(0, today - when.day + 1))
                if tomorrow.day == 1:
                    self.close_vacancies(self.areas)
                    self.equal_money.step(self.areas)
                    if tomorrow.month % 3 == 1:
                        self.decide_cuts()

    def close_month(self, month: int, first: int) -> None:
        """Book what the days since ``first`` have brought.

        Parameters
        ----------
        month : int
            Months since year 0.
        first : int
            First day of the month, or of the run.
        """
        service, areas = self.service, self.areas
        days = service.today - first + 1
        volume = self.begun(month, first, service.today, areas)
        self.results.follow_up()
        company = self.first_of(self.company)
        won, pence = self.results.settle(month, company)
        self.book(days, areas[self.open[areas]], volume, won, pence)
        # Where contracts ended in this month, the days before are booked already.
        part = self.state.booked_to[: service.areas] >= first
        each = np.where(part, service.today - self.state.booked_to[: service.areas], days)
        self.public_services(each, areas, service.flows[COUNT_INDEX["agency_pence"], NPS : service.areas * 2 : 2])
        self.equal_money.book(days, areas)
        # Money is an event too: a scenario that moves nothing else still differs from the day on which it does.
        service.note("accounts", self.ledger.accounts.balance, self.results.cohorts.expected)

    def close_contracts(self, areas: Array) -> None:
        """Where contracts end today in mid-month, book what the month's days until yesterday have brought."""
        service = self.service
        when = service.calendar.date(service.today)
        first = max(0, service.today - when.day + 1)
        days = service.today - first
        if days == 0:
            return
        volume = self.begun(when.year * 12 + when.month - 1, first, service.today - 1, areas)
        nobody = np.zeros(0, dtype=np.int64)
        last_month = self.state.cost_a_day[areas].copy()
        self.book(days, areas, volume, nobody, nobody)
        # A few days' volume says little: what the NPS takes over is what the last whole month cost, if there was one.
        self.state.cost_a_day[areas] = np.where(last_month > 0, last_month, self.state.cost_a_day[areas])
        # The NPS's agency officers are booked for the whole month at its end.
        self.public_services(np.full(service.areas, days), areas, np.zeros(service.areas, dtype=np.int64))
        self.state.booked_to[areas] = service.today - 1

    def begun(self, month: int, first: int, last: int, areas: Array) -> NDArray[np.int64]:
        """Enter who began an order or licence on some days into cohorts; return the weighted volumes of those days."""
        service, sentences, people = self.service, self.service.sentences, self.service.people
        starts, begun, began = starts_of_month(
            sentences.size,
            first,
            last,
            service.areas,
            people.area,
            people.side,
            sentences.person,
            sentences.kind,
            sentences.status,
            sentences.imposed,
            sentences.released,
            sentences.expiry,
            sentences.supervision_end,
            sentences.unpaid_work_only,
        )
        theirs = np.isin(people.area[sentences.person[begun]], areas)
        self.results.enter(begun[theirs], began[theirs], month // 3)
        return starts @ self.weights

    def first_of(self, group: Array) -> Array:
        """Return, for each area, the first area run of its group; itself where areas stand alone."""
        if not self.as_one:
            return np.arange(self.service.areas)
        first = np.full(int(group.max()) + 1, -1, dtype=np.int64)
        first[group[self.areas[::-1]]] = self.areas[::-1]
        return first[group]

    def book(self, days: int, open_: Array, volume: NDArray[np.int64], won: Array, prizes: Array) -> None:
        """Pay the companies of some areas, let them spend, and add up what they lose."""
        service, state = self.service, self.state
        failed = open_[state.failed_on[open_] != NEVER]
        own = open_[state.failed_on[open_] == NEVER]
        expected = self.expected * days / YEAR_DAYS
        year = days / YEAR_DAYS
        service.count_codes("crc_volume", own * 2 + 1, volume[own])
        service.count_codes("crc_volume_expected", own * 2 + 1, whole(expected[own]))
        # What the work costs, and what closed posts save.
        agency = self.agency_extra()
        gross = cost_of(volume, expected, self.planned * year, self.fixed) + agency
        saved = whole(state.posts_closed * self.post_cost * year)
        cost = np.maximum(gross - saved, 0)
        self.ledger.spend(open_, cost[open_])
        # Terms as signed; then an adjustment, by the amended terms, as far as there is money for it.
        signed, amended = (
            whole(self.income * year * paid_share(volume, expected, self.band, share))
            for share in (self.signed, self.amended)
        )
        most = service.resolved.series_value("contracts.adjustment_most", service.today, 0) * MILLION * year
        adjusted = np.clip(amended - signed, 0, whole(self.share * most))
        plans = service.by_place("plans_done")[CRC::2]
        # For everybody who leaves a prison of the area, the NPS's people too: plans are paid for, and help isn't.
        resettlement_plans = service.by_place("resettlement_plans_done").reshape(-1, 2).sum(axis=1)
        tasks = plans * self.fee_plan + resettlement_plans * self.fee_resettlement
        step_in = whole(cost * (1 + self.premium))
        prize = np.zeros(service.areas, dtype=np.int64)
        prize[won] = prizes
        prize[~self.open] = 0
        before = self.ledger.balance("company").copy()
        for heading, where, pence in (
            ("crc_income_volume", own, signed),
            ("crc_income_adjustment", own, adjusted),
            ("crc_income_tasks", own, tasks),
            ("crc_income_results", own, prize),
            ("crc_step_in", failed, step_in),
        ):
            self.ledger.pay(heading, where, pence[where])
        result = self.ledger.balance("company") - before - np.where(self.open, cost, 0)
        service.count_codes("crc_result", open_ * 2 + 1, result[open_])
        # Before what closed posts save: no company opens them again because it saved.
        state.loss_quarter[open_] += saved[open_] - result[open_]
        state.cost_quarter[open_] += gross[open_]
        # Officers of an agency are paid by whoever employs them, so they don't go over with what else a company costs.
        state.cost_a_day[open_] = (cost - agency)[open_] // days

    def agency_extra(self) -> NDArray[np.int64]:
        """Return what companies' agency officers cost this month beyond the posts that they sit in."""
        flows, places = self.service.flows, self.service.areas * 2
        days, pence = (flows[COUNT_INDEX[name], CRC:places:2] for name in ("agency_days", "agency_pence"))
        return pence - whole(days * self.post_cost_a_day)

    def public_services(self, days: NDArray[np.int64], areas: Array, agency: NDArray[np.int64]) -> None:
        """Pay for the NPS, with what its agency officers were paid, and for prisoners; so many days in each area."""
        service, posts = self.service, self.service.posts
        size = posts.size
        employed = (posts.filled[:size] == 1) & (posts.employer[:size] == NPS) & (posts.terms[:size] != Terms.AGENCY)
        officers = np.bincount(posts.area[:size][employed], minlength=service.areas)
        nps = whole((self.nps_other + officers * self.post_cost) * (days / YEAR_DAYS)) + self.state.taken_over * days
        nps += agency
        self.ledger.run("nps", "nps_costs", areas, nps[areas])
        people = service.people
        prisoners = prisoners_by_area(people.size, service.areas, people.location, people.area)
        prisons = whole(prisoners * self.place_cost * (days / YEAR_DAYS))
        self.ledger.run("prisons", "prison_costs", areas, prisons[areas])

    def take_over(self, areas: Array) -> None:
        """Let the NPS bear what companies cost besides their officers, whom it employs from today."""
        posts, size = self.service.posts, self.service.posts.size
        held = (posts.filled[:size] == 1) & (posts.employer[:size] == CRC)
        officers = np.bincount(posts.area[:size][held], minlength=self.service.areas)
        other = np.maximum(self.state.cost_a_day - whole(officers * self.post_cost / YEAR_DAYS), 0)
        saved = whole(other * self.service.resolved.on(self.service.today).number("organisation.overhead_saved_share"))
        self.state.taken_over[areas] = (other - saved)[areas]
        self.equal_money.begin(areas, saved)

    # --- Posts --------------------------------------------------------------------------------------------------

    def decide_cuts(self) -> None:
        """At the end of a quarter: add it to the year, and set a day for closing posts where money is lost."""
        service, state, areas = self.service, self.state, self.areas
        posts, size = service.posts, service.posts.size
        for year, quarter in ((state.loss_year, state.loss_quarter), (state.cost_year, state.cost_quarter)):
            # Older quarters fade: after some years a steady loss of each quarter makes four of it.
            year[:] = year - year // 4 + quarter
            quarter[:] = 0
        own = np.bincount(posts.area[:size][posts.employer[:size] == CRC], minlength=service.areas)
        unknown = state.posts_at_start == 0
        state.posts_at_start[unknown] = own[unknown]
        if not self.saved_share.any():
            return
        # Losses of companies that have failed, and of areas that aren't run, are nobody's.
        counts = np.zeros(service.areas, dtype=bool)
        counts[areas] = self.open[areas] & (state.failed_on[areas] == NEVER)
        alone = np.arange(service.areas) + self.owner.max() + 1
        owner = np.where(counts & self.as_one, self.owner, alone)
        more = posts_to_cut(
            np.where(counts, state.loss_year, 0),
            np.where(counts, state.cost_year, 0),
            owner,
            np.where(counts, self.saved_share, 0),
            self.post_cost,
            whole(state.posts_at_start * self.cut_most),
            (state.posts_closed + state.posts_to_close + state.posts_planned).astype(np.int64),
        )
        # One decision at a time: the next waits for the last one's day.
        cutting = np.flatnonzero((more > 0) & (state.posts_planned == 0))
        state.posts_planned[cutting] = more[cutting]
        service.agendas["post cuts"].put(cutting, service.today + self.cut_after)

    def cut(self, areas: Rows) -> None:
        """Close posts: those vacant first, some with their holders, the rest when they next fall vacant."""
        if areas.size == 0:
            return
        state = self.state
        areas = areas[self.open[areas]]
        redundant = np.floor(state.posts_planned[areas] * self.redundant).astype(np.int64)
        state.posts_to_close[areas] += state.posts_planned[areas]
        state.posts_planned[areas] = 0
        self.close_vacancies(areas)
        for area, many in zip(areas.tolist(), redundant.tolist(), strict=True):
            self.make_redundant(area, min(many, int(state.posts_to_close[area])))

    def close_vacancies(self, areas: Array) -> None:
        """Close vacant posts of companies that want fewer."""
        posts, size = self.service.posts, self.service.posts.size
        for area in areas[self.state.posts_to_close[areas] > 0].tolist():
            mine = (posts.area[:size] == area) & (posts.employer[:size] == CRC) & (posts.closed[:size] == 0)
            vacant = np.flatnonzero(mine & (posts.filled[:size] == 0))
            self.close(vacant[: self.state.posts_to_close[area]])

    def make_redundant(self, area: int, many: int) -> None:
        """Close posts with their holders, those with the lowest draws; no office loses its last officer."""
        service, posts, size = self.service, self.service.posts, self.service.posts.size
        mine = (posts.area[:size] == area) & (posts.employer[:size] == CRC) & (posts.filled[:size] == 1)
        mine &= posts.terms[:size] == Terms.PERMANENT
        held = np.flatnonzero(mine)
        draws = service.chance.uniform(posts.key[held], "made redundant", posts.holder[held])
        held = held[np.argsort(draws, kind="stable")]
        left = np.bincount(posts.office[held], minlength=int(posts.office[:size].max()) + 1)
        chosen: list[int] = []
        for post in held.tolist():
            if len(chosen) < many and left[posts.office[post]] > 1:
                left[posts.office[post]] -= 1
                chosen.append(post)
        rows = np.sort(np.array(chosen, dtype=np.intp))
        if rows.size == 0:
            return
        people = service.people
        service.tell("post cut", np.flatnonzero(np.isin(people.officer[: people.size], rows)))
        codes = posts.area[rows].astype(np.int64) * 2 + CRC
        service.count_codes("leavers", codes)
        service.count_codes("redundancies", codes)
        self.staffing.vacate(rows)
        self.close(rows)

    def close(self, rows: Rows) -> None:
        """Close vacant posts: nobody is sought for them any more."""
        if rows.size == 0:
            return
        service, posts, state = self.service, self.service.posts, self.state
        self.staffing.close(rows)
        many = np.bincount(posts.area[rows], minlength=service.areas)
        state.posts_closed[: many.size] += many
        state.posts_to_close[: many.size] -= many


def nps_shares(service: Service) -> NDArray[np.float64]:
    """Return each area's share of the NPS: its division's part of all cases, by resident population."""
    geography = service.geography
    divisions = [provider for provider in geography.providers if provider.side == NPS]
    total = sum(provider.caseload for provider in divisions)
    shares = np.zeros(service.areas, dtype=np.float64)
    for provider in divisions:
        residents = geography.population_thousands[list(provider.areas)]
        shares[list(provider.areas)] = provider.caseload / total * residents / residents.sum()
    return shares


def _numbered(names: list[str]) -> NDArray[np.int64]:
    known = sorted(set(names))
    return np.array([known.index(name) for name in names], dtype=np.int64)
