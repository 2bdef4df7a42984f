"""Caseloads: each officer's day, worked in order of priority until the time is gone.

A task starts if any time is left; the overrun is taken from the officer's next day. Nothing overtakes: priority, then
due day, then a mixed number that belongs to person and day. What doesn't fit waits; routine contacts that don't fit
are cancelled by the service and booked again, and where policy allows are turned into calls beforehand when the
officer's backlog is long.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import numpy as np
import simpy
from numpy.typing import NDArray

from simulation.engine import Column, Table
from simulation.engine.agenda import each_once
from simulation.system.appointment_loops import (
    COUNTED_DUE,
    DIARY_FULL,
    FOR_MEETING,
    HUB_FULL,
    NO_OFFICER,
    OFFICER_ON_LEAVE,
    OFFICER_SICK,
    Outcome,
    contacts_held,
    full_days,
    not_wanted,
    open_contacts,
    turned_into,
)
from simulation.system.codes import Location, Mode, Task
from simulation.system.contact import Contact
from simulation.system.contact_loops import leave_out, people_columns
from simulation.system.diary_loops import (
    Done,
    open_tasks,
    sentence_columns,
    task_columns,
    tasks_done,
    urgencies,
    work_diaries,
    work_queues,
)
from simulation.system.officer_days import COUNTED_POSTS, close_posts, open_posts, post_columns
from simulation.system.operating_models import by_operating_model, operating_models
from simulation.system.service import COUNT_INDEX, DROPPED, Array, Rows, Service, add_each, add_rows
from simulation.system.transition import time_lost
from simulation.system.workload import Workload

#: Tasks with a service level of their own, which companies are also paid by.
MEASURED = (Task.FIRST_APPOINTMENT, Task.PLAN, Task.BREACH_PACK)
#: Reports whose time is counted when they are written.
REPORTS = (
    (Task.BREACH_PACK, "breach_pack_seconds"),
    (Task.RECALL_REPORT, "recall_report_seconds"),
    (Task.PAROLE_REPORT, "parole_report_seconds"),
)
_TEACHING, _TO_TRANSITION = COUNT_INDEX["teaching_seconds"], COUNT_INDEX["seconds_lost_to_transition"]


def serve(
    server: Array,
    priority: Array,
    due: Array,
    mixed: Array,
    seconds: Array,
    available: NDArray[np.int64],
    today: int,
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Work through everybody's queue for one day.

    Parameters
    ----------
    server : int array (tasks,)
        Officer or team of each task.
    priority, due : int arrays (tasks,)
        Lowest first.
    mixed : uint64 array (tasks,)
        Settles what is left; only its top 32 bits are used.
    seconds : int array (tasks,)
        Time of each task.
    available : int64 array (servers,)
        Time left to start tasks in; nothing starts at 0 or below.
    today : int
        Day number.

    Returns
    -------
    served : bool array (tasks,)
        Which tasks were done.
    used : int64 array (servers,)
        Time of the tasks started; may exceed what was available by part of one task.

    Examples
    --------
    One officer with 100 seconds and tasks of 60, 60 and 60: the second starts at 60 and overruns by 20.

    >>> served, used = serve(np.zeros(3, int), np.zeros(3, int), np.array([0, 0, 0]),
    ...                      np.arange(3, dtype=np.uint64) << np.uint64(32), np.full(3, 60), np.array([100]), 0)
    >>> served.tolist(), used.tolist()
    ([True, True, False], [120])
    """
    # One type each, so that the loops are compiled once.
    whole = lambda numbers: np.ascontiguousarray(numbers, dtype=np.int64)  # noqa: E731
    urgency = urgencies(whole(priority), whole(due), np.ascontiguousarray(mixed, dtype=np.uint64), today)
    return work_queues(whole(server), urgency, whole(seconds), whole(available))


class Caseload:
    """The diaries of a day."""

    def __init__(self, service: Service, contact: Contact) -> None:
        self.service, self.contact = service, contact
        self.done = {
            task: service.channel(f"done {Task.names[task].lower()}")
            for task in (
                Task.BREACH_PACK,
                Task.RECALL_REPORT,
                Task.ADDRESS_CHECK,
                Task.PAROLE_REPORT,
                Task.COURT_APPLICATION,
                Task.SESSION,
            )
        }
        #: Called with people whose plan was completed, in row order.
        self.on_plans: list[Callable[[Rows], None]] = []
        #: Time at work, started, unused and owed since the start: must balance.
        self.balance = service.table("balance", balance_table())
        self._counted = np.array([COUNT_INDEX[name] for name in COUNTED_DUE + COUNTED_POSTS], dtype=np.intp)
        service.process(self.process)

    def read(self, workload: Workload) -> None:
        """Take the levers of the day."""
        levers = self.service.levers
        self.workload = workload
        #: By cell: the order of its operating model.
        self.priority = workload.priority()[self.contact.models].copy()
        # Tasks that are measured may be drawn forward.
        most = levers.cells("targets.rank_of_measured_tasks").astype(np.int64)
        for task in MEASURED:
            self.priority[:, task] = np.minimum(self.priority[:, task], most)
        names = operating_models(self.service)
        #: Chance of a meeting on a working day, by area and side.
        self.meetings = by_operating_model(self.service, names, "workload.meetings_a_month") * 12
        self.meetings = self.meetings / levers.number("workload.working_days_a_year")
        self.meeting_seconds = round(levers.number("workload.meeting_minutes") * 60)
        self.meeting = self.service.chance.constant("meeting")
        self.not_rebooked = levers.in_cells(by_operating_model(self.service, names, "contact.not_rebooked_share"))
        self.any_left_out = bool(self.not_rebooked.any())
        self.left_out = self.service.chance.constant("left out")
        self.next_working_days = self.service.calendar.next_working_days()
        self.productive = self.workload.day_seconds * levers.grid("workload.productivity")
        self.longest_backlog = levers.grid("contact.downgrade_backlog_days") * self.workload.day_seconds
        self.fullest_day = levers.grid("contact.downgrade_full_day_ratio")
        self.any_full_days = bool(self.fullest_day.any())
        self.away_days = levers.integer("contact.rebook_officer_away_days")
        self.rebook_days = levers.integer("contact.rebook_working_days")
        self.review_days = int(levers.number("contact.review_months") * 365.25 / 12)

    # --- The day ----------------------------------------------------------------------------------------------

    def process(self) -> Generator[simpy.Event, Any, None]:
        """Work every diary once a working day."""
        service = self.service
        while True:
            yield service.clock.phase("diaries")
            today = service.today
            due, reviews = service.agendas["contact"].due(today), service.agendas["review"].due(today)
            # Nothing is booked for people for whom a warrant is out until they are arrested.
            due = not_wanted(due, service.people.wanted)
            if service.calendar.is_working(today):
                self.work(due, reviews)
            else:
                service.agendas["review"].put(reviews, today + 1)
                service.agendas["contact"].put(due, service.calendar.after_working_days(today, 0))

    def work(self, due: Rows, reviews: Rows) -> None:
        """Work one day: contacts due, reviews due and open tasks."""
        service, people, tasks = self.service, self.service.people, self.service.tasks
        today = service.today
        reviews = reviews[people.location[reviews] == Location.COMMUNITY]
        service.add_task(Task.REVIEW, reviews, today, int(self.workload.task_seconds[Task.REVIEW]))

        posts, persons = post_columns(service.posts), people_columns(people)
        productive, taken = self.productive, time_lost(service)
        if taken is not None:
            productive = productive * (1 - taken)
        now = open_posts(
            posts,
            today,
            productive,
            self.productive,
            self.workload.full_time,
            self.meetings,
            self.meeting_seconds,
            self.meeting,
            service.flows[_TEACHING],
            service.flows[_TO_TRANSITION],
        )
        # One queue for each officer, then one for each hub: contacts first, then tasks, of all people; -1 for what
        # isn't worked on today.
        size = due.size + tasks.size
        server, seconds = np.empty(size, dtype=np.intp), np.empty(size, dtype=np.int64)
        urgency = np.empty(size, dtype=np.uint64)
        columns = task_columns(tasks)
        wanted, too_long = open_tasks(
            columns,
            persons,
            sentence_columns(service.sentences),
            posts,
            now,
            today,
            self.longest_backlog,
            self.priority,
            server,
            urgency,
            seconds,
        )
        # What is counted of contacts, then of posts.
        counted = np.zeros((self._counted.size, service.cells), dtype=np.int64)
        if self.any_full_days:
            by_model = self.contact.models, self.workload.contact_seconds
            full_days(due, persons, posts, now, self.fullest_day, *by_model, server, seconds, too_long)
        fate, mode, by_colleague, turned, keys = open_contacts(
            due,
            persons,
            posts,
            now,
            too_long,
            today,
            self.contact.ways,
            self.priority,
            self.workload.contact_seconds,
            server,
            urgency,
            seconds,
            counted[: len(COUNTED_DUE)],
        )
        if too_long.any():
            self.tell_of_turned(due, turned, keys)
        everybody = np.concatenate([now.available, self.contact.hubs.available()])
        served, put_off, used = work_diaries(server, urgency, seconds, everybody, now.lost)
        officers = now.here.size
        self.contact.hubs.close(used[officers:])
        close_posts(posts, now, used[:officers], productive, counted[len(COUNTED_DUE) :], self.balance.value)
        add_rows(counted, self._counted, service.flows)
        done = tasks_done(columns, served, wanted)
        edges = done.begins.tolist()
        first = each_once(done.person[edges[Task.FIRST_APPOINTMENT] : edges[Task.FIRST_APPOINTMENT + 1]])
        met = int(self.workload.task_seconds[Task.FIRST_APPOINTMENT])
        reached = seconds, by_colleague, served, put_off, fate
        held = contacts_held(due, keys, mode, *reached, first, met, persons, self.contact.ways)
        self.book_again(held)
        self.finish_tasks(done, edges)
        tasks.keep(wanted)
        self.contact.hold(held.rows, held.mode, held.first, held.seconds, held.by_colleague)

    def tell_of_turned(self, due: Rows, turned: NDArray[np.int8], keys: Array) -> None:
        """Tell people whose visit of today became something shorter because their officer has too little time."""
        service = self.service
        rows, theirs = turned_into(int(Mode.TELEPHONE), due, turned, keys)
        service.tell("visit became a call for want of time", rows, 0, theirs)
        rows, theirs = turned_into(int(Mode.GROUP), due, turned, keys)
        service.tell("visit became a group for want of time", rows, 0, theirs)
        rows, theirs = turned_into(int(Mode.HUB_CALL), due, turned, keys)
        service.tell("visit became a hub call for want of time", rows, 0, theirs)

    def book_again(self, held: Outcome) -> None:
        """Book again the contacts that weren't reached: neither a contact nor an absence."""
        service, calendar = self.service, self.service.calendar
        edges = held.begins.tolist()

        def of(fate: int) -> tuple[Rows, int, Array]:
            begin, end = edges[fate], edges[fate + 1]
            return held.others[begin:end], 0, held.keys[begin:end]

        contacts, today = service.agendas["contact"], service.today
        if edges[NO_OFFICER] < edges[NO_OFFICER + 1]:
            contacts.put(of(NO_OFFICER)[0], calendar.after_working_days(today, 1))
        # Leave is planned, and appointments are booked around it; sickness cancels them. Either way they keep
        # their place in the officer's week: all of them on the first day back would be more than a day holds.
        # The two lie beside each other.
        away = held.others[edges[OFFICER_SICK] : edges[OFFICER_ON_LEAVE + 1]]
        if away.size:
            contacts.put(away, calendar.after_working_days(today + self.away_days, 0))
            service.tell("appointment cancelled, officer sick", *of(OFFICER_SICK))
            service.tell("appointment moved, officer on leave", *of(OFFICER_ON_LEAVE))
        again = calendar.after_working_days(today, self.rebook_days)
        full, _, keys = of(DIARY_FULL)
        if full.size:
            if self.any_left_out:
                full, keys = self.leave_out(full, keys)
            contacts.put(full, again)
            service.count("contacts_cancelled", full)
            service.tell("appointment cancelled, diary full", full, 0, keys)
        if edges[FOR_MEETING] < edges[FOR_MEETING + 1]:
            meeting = of(FOR_MEETING)
            contacts.put(meeting[0], again)
            service.count("contacts_cancelled", meeting[0])
            service.count("contacts_cancelled_meeting", meeting[0])
            service.tell("appointment cancelled, officer in a meeting", *meeting)
        if edges[HUB_FULL] < edges[HUB_FULL + 1]:
            hub_full = of(HUB_FULL)
            contacts.put(hub_full[0], again)
            service.count("hub_calls_put_off", hub_full[0])
            service.tell("call put off, hub full", *hub_full)

    def leave_out(self, full: Rows, keys: Array) -> tuple[Rows, Array]:
        """Leave the share that isn't booked again to the next routine contact; return the others and their keys."""
        service = self.service
        persons, rules = people_columns(service.people), self.contact.rules
        left, left_keys, days, rest, rest_keys = leave_out(
            full, keys, self.not_rebooked, self.left_out, persons, rules, service.today, *self.next_working_days
        )
        service.agendas["contact"].put(left, days)
        service.count("contacts_cancelled", left)
        service.count("contacts_left_out", left)
        service.tell("appointment cancelled, not booked again", left, 0, left_keys)
        return rest, rest_keys

    def finish_tasks(self, done: Done, edges: list[int]) -> None:
        """Hand finished tasks to the subsystem they belong to; ``edges`` say where each kind begins."""
        service, tasks = self.service, self.service.tasks
        begins, ends = edges, edges[1:]
        for task, channel in self.done.items():
            channel.send(done.sentence[begins[task] : ends[task]])
        checks = done.rows[begins[Task.ADDRESS_CHECK] : ends[Task.ADDRESS_CHECK]]
        if checks.size:
            service.count("hdc_enquiry_seconds", tasks.person[checks], tasks.seconds[checks])
        reports = done.rows[begins[Task.RECALL_REPORT] : ends[Task.RECALL_REPORT]]
        if reports.size:
            service.count("recall_reports", tasks.person[reports])
            service.count("recall_reports_in_time", tasks.person[reports[tasks.due[reports] >= service.today]])
        for task, name in REPORTS:
            written = done.rows[begins[task] : ends[task]]
            if written.size:
                service.count(name, tasks.person[written], tasks.seconds[written])
        about = done.person[begins[Task.PAROLE_REPORT] : ends[Task.PAROLE_REPORT]]
        if about.size:
            # The workload tool shows these besides cases.
            points = np.array([self.workload.parole_points])
            add_each(service.posts.report_points, service.people.officer[about], points)
        plans = done.rows[begins[Task.PLAN] : ends[Task.PLAN]]
        reviewed = done.person[begins[Task.REVIEW] : ends[Task.REVIEW]]
        # The first formal review follows the plan by the review interval, and each review the one before.
        next_review = service.calendar.after_working_days(service.today + self.review_days, 0)
        if plans.size:
            planned = done.person[begins[Task.PLAN] : ends[Task.PLAN]]
            in_order = np.sort(planned)
            service.count("plans_done", in_order)
            for listener in self.on_plans:
                listener(in_order)
            service.count("plans_in_time", planned[tasks.due[plans] >= service.today])
            service.tell("plan completed", in_order)
            service.agendas["review"].put(planned, next_review)
        if reviewed.size:
            due = tasks.due[done.rows[begins[Task.REVIEW] : ends[Task.REVIEW]]]
            service.count("reviews_done", reviewed)
            service.count("reviews_overdue", reviewed[due < service.today])
            service.tell("plan reviewed", np.sort(reviewed))
        service.agendas["review"].put(reviewed, next_review)


def balance_table() -> Table:
    """Return a small table of running totals in seconds: see :data:`simulation.system.service.AT_WORK` and the rest."""
    table = Table("balance", [Column("value", "int64", "seconds", "Running totals that must balance.")], DROPPED + 1)
    table.add(DROPPED + 1)
    return table
