"""Caseloads: each officer's day, worked in order of priority until the time is gone.

A task starts if any time is left; the overrun is taken from the officer's next day. Nothing overtakes: priority, then
due day, then a mixed number that belongs to person and day. What doesn't fit waits; routine contacts that don't fit
are cancelled by the service and booked again, and where policy allows are turned into calls beforehand when the
officer's backlog is long.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import simpy
from numpy.typing import NDArray

from simulation.engine import NEVER, Column, Table
from simulation.engine.agenda import each_once
from simulation.engine.chance import mix
from simulation.system.codes import Location, Mode, Rosh, Status, Task
from simulation.system.contact import Contact
from simulation.system.service import CUSTODY_LOCATIONS, Array, Rows, Service
from simulation.system.workload import Workload


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
    if server.size == 0:
        return np.zeros(0, dtype=bool), np.zeros(available.size, dtype=np.int64)
    late = np.clip(due - today + 2048, 0, 4095).astype(np.uint64)
    order_key = (
        (server.astype(np.uint64) << np.uint64(47))
        | (priority.astype(np.uint64) << np.uint64(44))
        | (late << np.uint64(32))
        | (mixed >> np.uint64(32))
    )
    order = np.argsort(order_key, kind="stable")
    ordered_server = server[order]
    time = seconds[order].astype(np.int64)
    before = np.cumsum(time) - time
    first = np.concatenate(([True], ordered_server[1:] != ordered_server[:-1]))
    starts = np.flatnonzero(first)
    group = np.cumsum(first) - 1
    before -= before[starts][group]
    started = before < available[ordered_server]
    served = np.zeros(server.size, dtype=bool)
    served[order] = started
    used = np.bincount(ordered_server[started], weights=time[started], minlength=available.size).astype(
        np.int64
    )
    return served, used


class Caseload:
    """The diaries of a day."""

    def __init__(self, service: Service, contact: Contact) -> None:
        self.service, self.contact = service, contact
        self.done = {
            task: service.channel(f"done {Task.names[task].lower()}")
            for task in (Task.BREACH_PACK, Task.RECALL_REPORT, Task.ADDRESS_CHECK)
        }
        #: Time at work, started, unused and owed since the start: must balance.
        self.balance = service.table("balance", balance_table())
        service.process(self.process)

    def read(self, workload: Workload) -> None:
        """Take the levers of the day."""
        levers = self.service.levers
        self.workload = workload
        order = levers.mapping("workload.priority")
        self.priority = np.array([round(order[name.lower()]) for name in Task.names], dtype=np.int64)
        self.productivity = levers.grid("workload.productivity")
        self.backlog_days = levers.grid("contact.downgrade_backlog_days")
        self.away_days = levers.integer("contact.rebook_officer_away_days")
        self.rebook_days = levers.integer("contact.rebook_working_days")

    # --- Who is at work ---------------------------------------------------------------------------------------

    def present(self) -> NDArray[np.bool_]:
        """Tell which posts have somebody at work today."""
        posts, today = self.service.posts, self.service.today
        size = posts.size
        return (
            (posts.filled[:size] == 1)
            & (posts.sick_until[:size] <= today)
            & (posts.leave_until[:size] <= today)
        )

    def day_seconds(self) -> NDArray[np.int64]:
        """Return the time of each post's holder in a day at work, reductions taken off."""
        posts, levers = self.service.posts, self.service.levers
        size = posts.size
        seconds = self.workload.day_seconds * self.productivity[posts.area[:size], posts.employer[:size]]
        reduced = posts.new_until[:size] > self.service.today
        seconds = np.where(
            reduced, seconds * (1 - levers.number("staff.newly_qualified.capacity_reduction")), seconds
        )
        return seconds.astype(np.int64)

    # --- The day ----------------------------------------------------------------------------------------------

    def process(self) -> Generator[simpy.Event, Any, None]:
        """Work every diary once a working day."""
        service = self.service
        while True:
            yield service.clock.phase("diaries")
            due = service.agendas["contact"].due(service.today)
            if service.calendar.is_working(service.today):
                self.work(due)
            else:
                reviews = service.agendas["review"].due(service.today)
                service.agendas["review"].put(reviews, np.full(reviews.size, service.today + 1))
            if due.size and not service.calendar.is_working(service.today):
                service.agendas["contact"].put(
                    due, service.calendar.working_day_after(np.full(due.size, service.today))
                )

    def still_valid(self) -> NDArray[np.bool_]:
        """Tell which open tasks still have a reason."""
        _service, people, sentences, tasks = (
            self.service,
            self.service.people,
            self.service.sentences,
            self.service.tasks,
        )
        size = tasks.size
        person, sentence, kind = tasks.person[:size], tasks.sentence[:size], tasks.kind[:size]
        place, status = people.location[person], sentences.status[sentence]
        valid = (people.side[person] >= 0) & (place != Location.ENDED) & (place != Location.DEAD)
        appointment = (kind == Task.FIRST_APPOINTMENT) | (kind == Task.PLAN) | (kind == Task.REVIEW)
        valid &= ~appointment | (place == Location.COMMUNITY)
        valid &= (kind != Task.FIRST_APPOINTMENT) | (people.first_due_from[person] != NEVER)
        valid &= (kind != Task.BREACH_PACK) | (
            ((status == Status.ORDER) | (status == Status.SUPERVISION))
            & (sentences.breach_pending[sentence] == 1)
        )
        valid &= (kind != Task.RECALL_REPORT) | (
            ((status == Status.CURFEW) | (status == Status.LICENCE))
            & (sentences.recall_pending[sentence] == 1)
        )
        valid &= (kind != Task.ADDRESS_CHECK) | (
            (status == Status.CUSTODY) & (sentences.curfew_stage[sentence] == 2)
        )
        valid &= (kind != Task.PAROLE_REPORT) | (status == Status.RECALLED)
        return valid

    def work(self, due: Rows) -> None:
        """Work one day: contacts due and open tasks."""
        service, people, posts, tasks = (
            self.service,
            self.service.people,
            self.service.posts,
            self.service.tasks,
        )
        today = service.today
        reviews = service.agendas["review"].due(today)
        reviews = reviews[people.location[reviews] == Location.COMMUNITY]
        service.add_task(Task.REVIEW, reviews, today, int(self.workload.task_seconds[Task.REVIEW]))
        tasks.keep(self.still_valid())
        size = posts.size
        at_work = self.present()
        day = np.where(at_work, self.day_seconds(), 0)
        available = day - np.where(at_work, posts.owed[:size], 0)

        due, mode = self.routine_contacts(due, at_work)
        officer_of_task = self.with_duty_cover(people.officer[tasks.person[: tasks.size]], at_work)
        open_now = (officer_of_task >= 0) & at_work[officer_of_task]
        open_now &= (tasks.kind[: tasks.size] != Task.FIRST_APPOINTMENT) | (tasks.due[: tasks.size] <= today)
        mode = self.downgrade(due, mode, officer_of_task)
        open_tasks = np.flatnonzero(open_now)

        seconds = self.workload.contact_seconds[
            people.pattern[due], people.setting[due], people.tier[due], mode, people.rural[due]
        ]
        service.count("contacts_due", due)
        service.count("seconds_demanded", due, seconds)
        person = np.concatenate([due, tasks.person[open_tasks]])
        # A contact that was put off keeps the day it was first due: nothing overtakes it.
        first_due = people.contact_due[due]
        first_due = np.where((first_due == NEVER) | (first_due > today), today, first_due)
        task_due = np.concatenate([first_due, tasks.due[open_tasks]])
        kind = np.concatenate([np.zeros(due.size, dtype=np.int8), tasks.kind[open_tasks]])
        mixed = mix(people.key[person] * np.uint64(31) + task_due.astype(np.uint64))
        server = np.concatenate([people.officer[due], officer_of_task[open_tasks]])
        served, used = serve(
            server,
            self.priority[kind],
            task_due,
            mixed,
            np.concatenate([seconds, tasks.seconds[open_tasks]]),
            available,
            today,
        )
        owed_before = posts.owed[:size][at_work].sum(dtype=np.int64)
        posts.owed[:size] = np.where(at_work, np.maximum(0, used - available), posts.owed[:size])
        unused = np.where(at_work, np.maximum(0, available - used), 0)
        owed_after = posts.owed[:size][at_work].sum(dtype=np.int64)
        self.balance.value[:4] += [
            int(day.sum()),
            int(used.sum()),
            int(unused.sum()),
            int(owed_after - owed_before),
        ]
        codes = posts.area[:size].astype(np.int64) * 2 + posts.employer[:size]
        service.count_codes("seconds_available", codes, day)
        service.count_codes("seconds_worked", codes, used)
        service.count_codes("seconds_unused", codes, unused)

        held, missed_out = due[served[: due.size]], due[~served[: due.size]]
        held_mode = mode[served[: due.size]]
        self.cancel(missed_out)
        done = open_tasks[served[due.size :]]
        self.finish_tasks(done)
        first = done[tasks.kind[done] == Task.FIRST_APPOINTMENT]
        first_people = tasks.person[first].copy()
        plans = done[tasks.kind[done] == Task.PLAN]
        plan_people, plan_due = tasks.person[plans].copy(), tasks.due[plans].copy()
        service.count("plans_done", plan_people)
        service.count("plans_in_time", plan_people[plan_due >= today])
        service.tell("plan completed", np.sort(plan_people))
        # The first formal review follows the plan by the review interval, and each review the one before.
        reviewed = np.concatenate([plan_people, tasks.person[done[tasks.kind[done] == Task.REVIEW]]])
        months = service.levers.number("contact.review_months")
        day = service.calendar.working_day_after(np.full(reviewed.size, today + int(months * 365.25 / 12)))
        service.agendas["review"].put(reviewed, day)
        keep = np.ones(tasks.size, dtype=bool)
        keep[done] = False
        tasks.keep(keep)
        self.contact.hold(held, held_mode, np.zeros(held.size, dtype=bool))
        first_people = each_once(first_people)
        self.contact.hold(
            first_people, np.zeros(first_people.size, dtype=np.int64), np.ones(first_people.size, dtype=bool)
        )

    def with_duty_cover(self, officer: Array, at_work: NDArray[np.bool_]) -> Array:
        """Give first appointments whose officer is away to the colleague on duty, who changes every day."""
        service, posts, tasks = self.service, self.service.posts, self.service.tasks
        first = (
            (tasks.kind[: tasks.size] == Task.FIRST_APPOINTMENT)
            & (officer >= 0)
            & (tasks.due[: tasks.size] <= service.today)
        )
        uncovered = np.flatnonzero(first & ~at_work[officer])
        if uncovered.size == 0:
            return officer
        officer = officer.copy()
        present = np.flatnonzero(at_work)
        place = posts.office[present].astype(np.int64) * 2 + posts.employer[present]
        order = np.argsort(place, kind="stable")
        present, place = present[order], place[order]
        wanted = posts.office[officer[uncovered]].astype(np.int64) * 2 + posts.employer[officer[uncovered]]
        start, end = np.searchsorted(place, wanted), np.searchsorted(place, wanted, side="right")
        some = end > start
        on_duty = start[some] + service.today % (end[some] - start[some])
        officer[uncovered[some]] = present[on_duty]
        return officer

    def routine_contacts(self, due: Rows, at_work: NDArray[np.bool_]) -> tuple[Rows, Array]:
        """Choose how each routine contact is to be made, and book again those whose officer is away."""
        service, people, posts = self.service, self.service.people, self.service.posts
        officer = people.officer[due]
        nobody = officer < 0
        if nobody.any():
            rows = due[nobody]
            service.agendas["contact"].put(
                rows, service.calendar.after_working_days(service.today, 1)
            )
        due, officer = due[~nobody], officer[~nobody]
        absent = ~at_work[officer]
        if absent.any():
            rows = due[absent]
            sick = posts.sick_until[officer[absent]] > service.today
            # Leave is planned, and appointments are booked around it; sickness cancels them. Either way they keep
            # their place in the officer's week: all of them on the first day back would be more than a day holds.
            service.count("contacts_due", rows[sick])
            service.count("contacts_cancelled", rows[sick])
            again = np.full(rows.size, service.today + self.away_days)
            service.agendas["contact"].put(rows, service.calendar.working_day_after(again))
            service.tell("appointment cancelled, officer sick", rows[sick])
            service.tell("appointment moved, officer on leave", rows[~sick])
        due = due[~absent]
        place = people.location[due]
        custody = (place == CUSTODY_LOCATIONS[0]) | (place == CUSTODY_LOCATIONS[1])
        mode = np.where(
            custody, Mode.CUSTODY, np.where(self.contact.by_telephone(due), Mode.TELEPHONE, Mode.FACE_TO_FACE)
        )
        return due, mode

    def downgrade(self, due: Rows, mode: Array, officer_of_task: Array) -> Array:
        """Turn visits into calls for officers whose backlog is long, where policy allows; never at high risk."""
        service, people, posts, tasks = (
            self.service,
            self.service.people,
            self.service.posts,
            self.service.tasks,
        )
        size = posts.size
        late = (officer_of_task >= 0) & (tasks.due[: tasks.size] < service.today)
        backlog = np.bincount(
            officer_of_task[late], weights=tasks.seconds[: tasks.size][late], minlength=size
        )
        limit = self.backlog_days[posts.area[:size], posts.employer[:size]] * self.workload.day_seconds
        long = (limit > 0) & (backlog > limit)
        down = (
            (mode == Mode.FACE_TO_FACE) & long[people.officer[due]] & (people.assessed_rosh[due] < Rosh.HIGH)
        )
        down &= people.crisis_noticed[due] == 0
        service.count("contacts_downgraded", due[down])
        return np.where(down, Mode.TELEPHONE, mode)

    def cancel(self, rows: Rows) -> None:
        """Cancel contacts that didn't fit and book them again: neither a contact nor an absence."""
        if rows.size == 0:
            return
        service = self.service
        service.count("contacts_cancelled", rows)
        day = service.calendar.after_working_days(service.today, self.rebook_days)
        service.agendas["contact"].put(rows, day)
        service.tell("appointment cancelled, diary full", rows)

    def finish_tasks(self, done: Array) -> None:
        """Hand finished tasks to the subsystem they belong to."""
        service, tasks = self.service, self.service.tasks
        for task, channel in self.done.items():
            mine = done[tasks.kind[done] == task]
            if mine.size:
                channel.send(tasks.sentence[mine].copy())
        checks = done[tasks.kind[done] == Task.ADDRESS_CHECK]
        service.count("hdc_enquiry_seconds", tasks.person[checks], tasks.seconds[checks])


def balance_table() -> Table:
    """Return a small table of four running totals (at work, started, unused, change in owed), in seconds."""
    table = Table("balance", [Column("value", "int64", "seconds", "Running totals that must balance.")], 4)
    table.add(4)
    return table
