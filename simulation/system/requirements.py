"""What orders require besides supervision: rehabilitation activity days, unpaid work, accredited programmes.

A requirement belongs to an order. Activity days are delivered by the responsible officer, in groups or by specialists;
groups and specialists belong to the company of the area, and the NPS must buy them from its rate card while the service
is split. Unpaid work and accredited programmes are ordered by the court and never bought: places are given first come
first served. In custody everything stands still, and with the order it ends, done or not.

Once a week, on its first working day, the places of the week are given out and sessions go into officers' diaries.
**Assumption**: in the baseline missing any of this leads to no warning, for the chance of a missed appointment covers
all appointments; a lever hands missed days on, to be dealt with as missed appointments are.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import numpy as np
import simpy
from numpy.typing import NDArray

from simulation.engine import Table
from simulation.engine.calendar import MONTH_DAYS
from simulation.system.codes import CRC, NPS, SIDES, Delivery, Programme, Status, Task
from simulation.system.columns import PROGRAMME_GROUPS, REQUIREMENT_TOTALS
from simulation.system.contact import Contact, by_operating_model, operating_models
from simulation.system.levers import Levers
from simulation.system.population import Population
from simulation.system.quantiles import Lookup, quantile_table, side_by_side
from simulation.system.requirement_loops import (
    CALLED,
    COUNTED,
    DAY_MISSED,
    EVENTS,
    OFFICER_DAY,
    RULES,
    WITH_NUMBER,
    WORK_MISSED,
    Draws,
    Enough,
    Rules,
    Told,
    by_event,
    columns,
    columns_to_write,
    count_waiting,
    group_columns,
    look_back,
    room,
    set_due,
    write_requirements,
)
from simulation.system.requirement_sessions import hold_sessions
from simulation.system.requirement_weeks import (
    GROUP_POOL,
    SPECIALIST_POOL,
    WORK_POOL,
    end_with_orders,
    fill_places,
    go_through,
    join_groups,
)
from simulation.system.service import COUNT_INDEX, Array, Rows, Service, add_rows
from simulation.system.workload import REPORTS, Workload

_WAITING = ("activity_waiting", "work_waiting", "programme_waiting", "activity_waiting_unbought")
_DELIVERIES = [name.lower() for name in Delivery.names]
_PROGRAMMES = [name.lower() for name in Programme.names]


class Requirements:
    """Orders requirements, gives out the places of each week, and ends what is left with the order."""

    def __init__(self, service: Service, population: Population, contact: Contact) -> None:
        self.service, self.contact = service, contact
        self.shares = population.shares
        self.groups = service.table("programme_groups", Table("programme_groups", PROGRAMME_GROUPS, 256))
        #: What was ordered, done and left undone, of days and of hours: must balance.
        self.totals = service.table("requirement_totals", totals_table())
        self._columns_of: tuple[Array, ...] | None = None
        self._counted = np.array([COUNT_INDEX[name] for name in COUNTED], dtype=np.intp)
        #: Told who missed days in a way that is to be dealt with, and the number of the draws that belong to it.
        self.on_failures: list[Callable[[Rows, Array], None]] = []
        service.process(self.weeks)
        service.process(self.evenings)

    def read(self, workload: Workload) -> None:
        """Take the levers of the day."""
        service, levers = self.service, self.service.levers
        models = operating_models(service)
        unified = levers.grid("organisation.unified")[:, NPS] > 0.5
        missed = levers.mapping("requirements.missed_share")
        weeks = levers.mapping("requirements.activity.weeks_between")
        inside = workload.from_tariff[self.contact.rules.model]
        self.rules = Rules(
            inside,
            np.tile(~unified, service.blocks),
            np.tile(levers.grid("requirements.rate_card.friction")[:, NPS], service.blocks),
            levers.integer("requirements.rate_card.officer_instead_weeks") * 7,
            np.array([round(weeks[name] * 7) for name in _DELIVERIES], dtype=np.int64),
            np.array([missed[name] for name in (*_DELIVERIES, "unpaid_work")], dtype=np.float64),
            float(levers.number("requirements.unpaid_work.stood_down_share")),
            levers.integer("requirements.unpaid_work.hours_a_day"),
            int(levers.number("requirements.unpaid_work.months_to_complete") * 365.25 / 12),
            float(levers.number("requirements.programme.drop_out_per_session")),
            np.array([levers.mapping("requirements.programme.offered")[name] > 0.5 for name in _PROGRAMMES]),
        )
        chance = service.chance
        self.draws = Draws(
            chance.constant("activity day missed"),
            chance.constant("unpaid work missed"),
            chance.constant("unpaid work stood down"),
            chance.constant("programme dropped"),
        )
        self.split = self.rules.split
        enforced = levers.mapping("requirements.missed_enforced_share")
        excused = levers.number("contact.absence_accepted_share")
        self.enforced = {name: float(share * (1 - excused)) for name, share in enforced.items()}
        self.session_seconds = int(workload.task_seconds[Task.SESSION])
        size = by_operating_model(service, models, "requirements.activity.group_size")
        self.group_size = np.maximum(1, np.rint(np.where(unified, size[:, NPS], size[:, CRC]))).astype(np.int64)
        self.places = self.places_of_a_week(levers)
        hours = levers.mapping("requirements.activity.session_hours")
        self.pool_seconds = [round(hours[name] * 3600) for name in ("group", "specialist")]
        self.read_orders(levers)
        # What is to be delivered follows the rule in force, for orders of before it too.
        rows, people, _ = self._columns()
        set_due(0, service.requirements.size, self.enough, rows, people)

    def read_orders(self, levers: Levers) -> None:
        """Take the levers that decide what orders require."""
        chance = self.service.chance
        probabilities, shares = quantile_table(levers.mapping("requirements.activity.up_to_share"))
        need = levers.mapping("requirements.activity.discretion_share")
        edges = levers.mapping("requirements.activity.need_from_ogrs")
        self.enough = Enough(
            RULES.index(levers.text("requirements.activity.rule")),
            probabilities,
            shares,
            np.array([edges["medium"], edges["high"]], dtype=np.float64),
            np.array([need["low"], need["medium"], need["high"]], dtype=np.float64),
        )
        # Shares of orders that have more than unpaid work alone.
        alone = float(levers.number("courts.unpaid_work_only_share"))
        others = max(1.0 - alone, 1e-9)
        work = float(levers.number("requirements.unpaid_work.share_of_orders"))
        activity = float(levers.number("requirements.activity.share_of_orders"))
        routes = levers.mapping("requirements.activity.delivery_share")
        share = levers.mapping("requirements.programme.share_of_orders")
        sessions = levers.mapping("requirements.programme.sessions")
        misjudged = levers.mapping("requirements.activity.misjudged_by_report")
        self.what_orders_say = (
            (activity / others, max(0.0, work - alone) / others),
            np.array([share[name] for name in _PROGRAMMES], dtype=np.float64),
            np.array([round(sessions[name]) for name in _PROGRAMMES], dtype=np.int64),
            float(levers.number("requirements.programme.thinking_skills_from_ogrs")),
            int(levers.number("requirements.programme.least_order_months") * MONTH_DAYS),
            side_by_side(levers.mapping("requirements.activity.days_ordered")),
            side_by_side(levers.mapping("requirements.unpaid_work.hours_ordered")),
            side_by_side(levers.mapping("requirements.activity.start_days")),
            side_by_side(levers.mapping("requirements.unpaid_work.start_days")),
            side_by_side(levers.mapping("requirements.programme.start_days")),
            np.array([Lookup({name: routes[side][name] for name in _DELIVERIES}).edges for side in SIDES]),
            np.array([misjudged[name] for name in ("none", *REPORTS)], dtype=np.float64),
            np.array(
                [
                    chance.constant("order: activity"),
                    chance.constant("order: activity days"),
                    chance.constant("order: activity by whom"),
                    chance.constant("activity could begin"),
                    chance.constant("order: unpaid work"),
                    chance.constant("order: unpaid work hours"),
                    chance.constant("unpaid work could begin"),
                    chance.constant("order: programme"),
                    chance.constant("programme could begin"),
                    chance.constant("activity bought"),
                    chance.constant("activity days enough"),
                    chance.constant("order: activity days misjudged"),
                ],
                dtype=np.uint64,
            ),
            self.enough.rule,
            np.stack([probabilities, shares]),
            self.enough.edges,
            self.enough.by_need,
        )

    def places_of_a_week(self, levers: Levers) -> NDArray[np.int64]:
        """Return places by area and pool: each area's share of the national number, to the nearest whole one."""
        sessions = "requirements.activity.sessions_a_week"
        national = (
            levers.grid(sessions, "group")[:, CRC],
            levers.grid(sessions, "specialist")[:, CRC],
            levers.grid("requirements.unpaid_work.places_a_week")[:, CRC],
        )
        places = np.stack([np.rint(self.shares * number) for number in national], axis=1).astype(np.int64)
        places[:, GROUP_POOL] *= self.group_size
        return places

    # --- Orders -----------------------------------------------------------------------------------------------

    def order(self, orders: Rows) -> None:
        """Write what new orders require."""
        if orders.size == 0:
            return
        told, details, activities, works, programmes = self._write(orders)
        service = self.service
        service.tell("activity days ordered", told[0, :activities], details[0, :activities])
        service.tell("unpaid work ordered", told[1, :works], details[1, :works])
        service.tell("programme ordered", told[2, :programmes], details[2, :programmes])

    def at_start(self, sentences: Rows) -> None:
        """Write what orders of before the run require, and how far it has come."""
        service = self.service
        orders = sentences[service.sentences.status[sentences] == Status.ORDER]
        first = service.requirements.size
        self._write(orders)
        size = service.requirements.size
        rows, _, _ = self._columns()
        look_back(first, size, self.rules, rows, self.totals.done)

    def _columns(self) -> Any:
        service = self.service
        requirements, people, sentences = service.requirements, service.people, service.sentences
        # The columns stay the same until a table grows or is restored, and gets new ones.
        now = (requirements.person, people.key, sentences.status)
        if self._columns_of is None or any(a is not b for a, b in zip(self._columns_of, now, strict=True)):
            self._columns_of, self._columns_now = now, columns(requirements, people, sentences)
        return self._columns_now

    def _write(self, orders: Rows) -> tuple[NDArray[np.intp], NDArray[np.int32], int, int, int]:
        """Write what orders require; return by kind whom it is told of, with what detail, and how many of each."""
        service, requirements = self.service, self.service.requirements
        first = requirements.size
        # Room for one of each kind; what isn't needed is given back.
        requirements.extend(orders.size * 3)
        told, details = np.empty((3, orders.size), dtype=np.intp), np.empty((3, orders.size), dtype=np.int32)
        requirements.size, activities, works, programmes = write_requirements(
            np.asarray(orders, dtype=np.intp),
            first,
            *self.what_orders_say,
            service.today,
            self._counted,
            service.flows,
            self.totals.ordered,
            told,
            details,
            *columns_to_write(requirements, service.people, service.sentences),
        )
        return told, details, activities, works, programmes

    def _new_counts(self) -> NDArray[np.int64]:
        return np.zeros((len(COUNTED), self.service.cells), dtype=np.int64)

    # --- Weeks ------------------------------------------------------------------------------------------------

    def weeks(self) -> Generator[simpy.Event, Any, None]:
        """On the first working day of each week, before the diaries: give out the places of the week."""
        service = self.service
        while True:
            yield service.clock.phase("diaries")
            calendar, today = service.calendar, service.today
            monday = today - int(calendar.weekday(today))
            # Of a week's working days, today is the first.
            if calendar.is_working(today) and calendar.working_days_between(monday - 1, today) == 1:
                self.week(first_of_month=calendar.date(monday).day <= 7)

    def week(self, first_of_month: bool) -> None:
        """Go through all requirements: programmes, sessions to book, places in groups, with specialists, at work."""
        service, requirements, today = self.service, self.service.requirements, self.service.today
        self.hold_programmes()
        self.note_bookings()
        rows, people, sentences = self._columns()
        counted, size = self._new_counts(), requirements.size
        told = room(size)
        held_back = np.zeros((service.blocks, service.areas, len(Delivery)), dtype=np.int64)
        events, going, waiting, sessions, for_programme = go_through(
            size,
            today,
            self.rules,
            self.draws,
            rows,
            people,
            sentences,
            group_columns(self.groups),
            counted,
            self.totals.done,
            self.totals.lapsed,
            held_back.reshape(-1, len(Delivery)),
            told,
        )
        self._tell(told, events)
        self.book(sessions)
        places, works = self.places.copy(), np.zeros(service.people.size, dtype=np.bool_)
        for queue in (going, waiting):
            told = room(queue.size)
            events = fill_places(
                queue,
                today,
                self.rules,
                self.draws,
                rows,
                people,
                works,
                places,
                counted,
                self.totals.done,
                told,
            )
            self._tell(told, events)
        add_rows(counted, self._counted, service.flows)
        self.count_places(places, held_back.sum(axis=0))
        self.begin_programmes(for_programme, first_of_month)

    def count_places(self, left: NDArray[np.int64], held_back: NDArray[np.int64]) -> None:
        """Count the time of groups and specialists and what of it was idle, and places at unpaid work."""
        service = self.service
        areas = np.array(service.resolved.areas, dtype=np.int64)
        codes = areas * 2 + self.split[areas]
        used = self.places - left
        of_group, of_specialist = self.pool_seconds
        sessions = -(-used[:, GROUP_POOL] // self.group_size)
        idle = left[:, SPECIALIST_POOL]
        # Time that somebody could have had for whom it wasn't bought.
        wanted = np.minimum(idle, held_back[:, Delivery.SPECIALIST])
        for name, amount in (
            ("group_places", self.places[:, GROUP_POOL]),
            ("group_places_used", used[:, GROUP_POOL]),
            ("group_seconds", sessions * of_group),
            ("specialist_seconds", self.places[:, SPECIALIST_POOL] * of_specialist),
            ("specialist_seconds_idle", idle * of_specialist),
            ("specialist_seconds_idle_beside_queue", wanted * of_specialist),
            ("work_places", self.places[:, WORK_POOL]),
            ("work_places_used", used[:, WORK_POOL]),
        ):
            service.count_codes(name, codes, amount[areas])

    # --- Sessions with the officer ----------------------------------------------------------------------------

    def note_bookings(self) -> None:
        """Note whose session is still in the diary: one that lost its reason has gone from it."""
        service, tasks = self.service, self.service.tasks
        booked = service.requirements.booked
        booked[: service.requirements.size] = 0
        open_ones = np.flatnonzero(tasks.kind[: tasks.size] == Task.SESSION)
        activity = service.sentences.activity[tasks.sentence[open_ones]]
        booked[activity[activity >= 0]] = 1

    def book(self, rows: Rows) -> None:
        """Put sessions into officers' diaries, each person's on their own day of the week."""
        if rows.size == 0:
            return
        service, requirements = self.service, self.service.requirements
        person = requirements.person[rows]
        day = service.today + (service.people.key[person] % np.uint64(5)).astype(np.int64)
        service.add_task(
            Task.SESSION,
            person,
            service.calendar.working_day_after(day),
            self.session_seconds,
            requirements.sentence[rows],
        )
        service.count("session_seconds_booked", person, np.atleast_1d(self.session_seconds))

    def evenings(self) -> Generator[simpy.Event, Any, None]:
        """Each evening: sessions of the day that were worked; at the end of a month, what ended with its order."""
        service = self.service
        while True:
            yield service.clock.phase("consequences")
            held = service.channels["done session"].drain()
            if held.size:
                self.credit(held)
            if service.calendar.date(service.today + 1).day == 1:
                self.end_with_orders()

    def credit(self, orders: Rows) -> None:
        """Let sessions that were worked be activity days of those who come to them."""
        service, rows, people = self.service, self.service.requirements, self.service.people
        counted, found = self._new_counts(), np.empty((3, orders.size), dtype=np.intp)
        came, absent = hold_sessions(
            orders,
            found,
            service.today,
            float(self.rules.missed[Delivery.OFFICER]),
            self.draws.activity_missed,
            counted,
            self.totals.done,
            service.sentences.activity,
            people.key,
            people.cell,
            people.miss_factor,
            rows.person,
            rows.number,
            rows.imposed,
            rows.progress,
            rows.cell,
            rows.ordered,
            rows.done,
            rows.offered,
            rows.last,
            rows.began,
        )
        add_rows(counted, self._counted, service.flows)
        service.tell(CALLED[OFFICER_DAY], found[0, :came])
        if absent:
            service.tell(CALLED[DAY_MISSED], found[1, :absent])
            self.hand_on(found[1, :absent], found[2, :absent], "activity")

    def end_with_orders(self) -> None:
        """End requirements whose order is over. Weeks find most; those of whom nothing more was wanted are left."""
        size = self.service.requirements.size
        rows, people, sentences = self._columns()
        counted, told = self._new_counts(), room(size)
        groups = group_columns(self.groups)
        events = end_with_orders(size, rows, people, sentences, groups, counted, self.totals.lapsed, told)
        add_rows(counted, self._counted, self.service.flows)
        self._tell(told, events)

    # --- Accredited programmes --------------------------------------------------------------------------------

    def hold_programmes(self) -> None:
        """Hold this week's session of every group; a programme that is withdrawn, or a group left empty, is over."""
        groups = self.groups
        running = np.flatnonzero(groups.running[: groups.size] == 1)
        going_on = (groups.held[running] < groups.sessions[running]) & (groups.members[running] > 0)
        going_on &= self.rules.offered[groups.programme[running]]
        groups.running[running[~going_on]] = 0
        groups.held[running[going_on]] += 1

    def begin_programmes(self, candidates: Rows, first_of_month: bool) -> None:
        """Begin groups: when enough wait for a full one, or in the first week of a month with fewer.

        Parameters
        ----------
        candidates : int array
            Rows of requirements of those who wait, in the order in which they were ordered.
        first_of_month : bool
            Groups may begin that aren't full.
        """
        if candidates.size == 0:
            return
        service, levers, groups, today = self.service, self.service.levers, self.groups, self.service.today
        cell = service.requirements.cell[candidates].astype(np.int64)
        place = (cell >> 1) % service.areas * len(Programme) + service.requirements.form[candidates]
        waiting = np.bincount(place, minlength=service.areas * len(Programme)).reshape(-1, len(Programme))
        full = levers.mapping("requirements.programme.group_size")
        seats = np.array([max(1, round(full[name])) for name in _PROGRAMMES], dtype=np.int64)
        begin = waiting // seats
        if first_of_month:
            begin += waiting % seats >= levers.integer("requirements.programme.smallest_group")
        if not begin.any():
            return
        most = levers.mapping("requirements.programme.groups_at_once")
        # At least one group can run anywhere.
        free = np.maximum(1, np.rint(np.outer(self.shares, [most[name] for name in _PROGRAMMES])).astype(np.int64))
        running = np.flatnonzero(groups.running[: groups.size] == 1)
        np.subtract.at(free, (groups.area[running], groups.programme[running]), 1)
        begin = np.minimum(begin, np.maximum(free, 0))
        sessions = levers.mapping("requirements.programme.sessions")
        opening, last = np.full_like(waiting, -1), np.full_like(waiting, -1)
        for number, name in enumerate(_PROGRAMMES):
            for here in np.flatnonzero(begin[:, number]).tolist():
                made = groups.add(int(begin[here, number]))
                groups.area[made], groups.programme[made], groups.began[made] = here, number, today
                groups.sessions[made], groups.running[made] = round(sessions[name]), 1
                groups.seats[made] = seats[number]
                opening[here, number], last[here, number] = made[0], made[-1]
        rows, _, _ = self._columns()
        counted, persons = self._new_counts(), np.empty(candidates.size, dtype=np.intp)
        many = join_groups(
            candidates, today, opening, rows, groups.members, groups.seats, last, counted, persons
        )
        add_rows(counted, self._counted, service.flows)
        begun = np.sort(persons[:many])
        service.count("programme_starts", begun)
        service.tell("programme begins", begun)

    # --- Counting and telling ---------------------------------------------------------------------------------

    def count_stocks(self) -> None:
        """Count who waits, and groups that run, at the end of a month."""
        service, groups = self.service, self.groups
        rows, people, sentences = self._columns()
        counted = np.zeros((len(_WAITING), service.cells), dtype=np.int64)
        count_waiting(service.requirements.size, service.today, rows, people, sentences, counted)
        service.flows[[COUNT_INDEX[name] for name in _WAITING]] += counted
        running = np.flatnonzero(groups.running[: groups.size] == 1)
        area = groups.area[running].astype(np.int64)
        service.count_codes("programme_groups", area * 2 + self.split[area])

    def hand_on(self, rows: Rows, offered: Array, kind: str) -> None:
        """Hand on those whose missed day has no accepted reason and is passed to the responsible officer.

        ``offered`` numbers the days of each requirement, and ``kind`` is "activity" or "unpaid_work": an order may have
        both, and no draw may be that of another day.
        """
        share = self.enforced[kind]
        if share == 0 or rows.size == 0:
            return
        occurrence = offered.astype(np.int64) * 2 + (kind == "unpaid_work")
        uniform = self.service.chance.uniform(self.service.people.key[rows], "missed day dealt with", occurrence)
        failed = uniform < share
        self.service.count("requirement_failures", rows[failed])
        for listener in self.on_failures:
            listener(rows[failed], occurrence[failed])

    def _tell(self, told: Told, events: int) -> None:
        """Tell what happened, kind by kind."""
        if events == 0:
            return
        service = self.service
        told, begins = by_event(told, events, len(EVENTS))
        edges = begins.tolist()
        for event in EVENTS:
            first, last = edges[event], edges[event + 1]
            if first == last:
                continue
            who, number = told.person[first:last], told.detail[first:last]
            service.tell(CALLED[event], who, number if event in WITH_NUMBER else 0, told.key[first:last])
            if event == DAY_MISSED:
                self.hand_on(who, number, "activity")
            elif event == WORK_MISSED:
                self.hand_on(who, number, "unpaid_work")


def totals_table() -> Table:
    """Return a table of what was ordered, done and left undone: days of activity, then hours of unpaid work."""
    table = Table("requirement_totals", REQUIREMENT_TOTALS, 2)
    table.add(2)
    return table
