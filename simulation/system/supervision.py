"""Beginning and ending supervision: what follows when a person's place changes.

Every change of place goes through here, so that nobody keeps an appointment, an officer or a change in need that
belongs to a place they have left.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from simulation.engine import NEVER
from simulation.system.codes import Location
from simulation.system.service import COUNT_INDEX, Array, Rows, Service
from simulation.system.supervision_loops import begin_orders, change_place, forget_changes

_UNNOTICED_DAYS = COUNT_INDEX["crisis_unnoticed_days"]


class Supervision:
    """Listens to changes of place."""

    def __init__(self, service: Service) -> None:
        self.service = service
        service.agenda("contact", service.people.capacity)
        service.agenda("review", service.people.capacity)
        service.agenda("allocate", service.people.capacity)
        service.agenda("transfer", service.people.capacity)
        service.agenda("crisis", service.people.capacity)
        service.agenda("death", service.people.capacity)
        service.agenda("committal", service.people.capacity)
        service.agenda("escalate", service.people.capacity)
        #: Told of people who came to the community.
        self.on_begin: list[Callable[[Rows], None]] = []
        #: Told of people in the community on whom a further order is imposed.
        self.on_begin_again: list[Callable[[Rows], None]] = []
        #: Told of people whose cases prison staff hold, and who aren't in custody now.
        self.on_left_prison_staff: list[Callable[[Rows], None]] = []
        self._month = NEVER, NEVER  # Today and the first of its month, remembered; no state.
        service.on_place_change.append(self.moved)

    def moved(self, rows: Rows, before: Array, after: Array) -> None:
        """Tidy up after people who changed place, and begin what the new one brings."""
        service, people, sentences = self.service, self.service.people, self.service.sentences
        agendas = service.agendas
        self.drop_tasks(rows[((before == Location.COURT) | (before >= Location.ENDED)) & (after != Location.COURT)])
        found = np.empty((5, rows.size), dtype=np.intp)
        arriving, holding, ending, handing = change_place(
            rows,
            before,
            after,
            found,
            service.today,
            self.month_begin(),
            service.chance.constant("telephone supervision"),
            service.chance.constant("custody contact"),
            service.levers.integer("contact.custody_interval_days"),
            service.flows[_UNNOTICED_DAYS],
            service.posts.cases,
            agendas["contact"].days_to_clear(),
            agendas["crisis"].days_to_clear(),
            agendas["death"].days_to_clear(),
            agendas["review"].days_to_clear(),
            agendas["allocate"].days_to_clear(),
            agendas["transfer"].days_to_clear(),
            agendas["escalate"].days_to_clear(),
            people.key,
            people.cell,
            people.sentences,
            people.officer,
            people.officer_since,
            people.side,
            people.prison_held,
            people.escalated,
            people.waiting_since,
            people.warned_on,
            people.spells,
            people.contacts,
            people.stage_start,
            people.phone_draw,
            people.last_seen,
            people.first_due_from,
            people.first_after_release,
            people.work_only,
            people.contact_due,
            people.crisis_since,
            people.crisis_noticed,
            people.latest,
            sentences.previous,
            sentences.status,
            sentences.unpaid_work_only,
        )
        if arriving:
            for listener in self.on_begin:
                listener(found[0, :arriving])
        if holding:
            days = service.calendar.working_day_after(found[2, :holding])
            agendas["contact"].put(found[1, :holding], days)
        if ending:
            over = found[3, :ending]
            service.regroup(over)
            service.tell("supervision ends", over)
        if handing:
            for listener in self.on_left_prison_staff:
                listener(found[4, :handing])

    def drop_tasks(self, rows: Rows) -> None:
        """Drop the tasks of closed cases that begin anew before anybody looked at a diary.

        Diaries drop those of all other closed cases: their people are nobody's case on the next working day.
        """
        since = self.service.calendar.working_days_back(self.service.today, 1)
        self.service.tasks.forget(rows[self.service.people.last_seen[rows] >= since])

    def month_begin(self) -> int:
        """Return the first day of this month."""
        today = self.service.today
        if self._month[0] != today:
            self._month = today, today - self.service.calendar.date(today).day + 1
        return self._month[1]

    def clear_crisis(self, rows: Rows) -> None:
        """Forget an unresolved change in need; this month's days for which it went unnoticed are counted."""
        people = self.service.people
        forget_changes(
            rows,
            self.service.today,
            self.month_begin(),
            self.service.flows[_UNNOTICED_DAYS],
            people.cell,
            people.crisis_since,
            people.crisis_noticed,
        )

    def begin_again(self, rows: Rows) -> None:
        """Begin a new order of people already supervised in the community: a first appointment and plan of its own."""
        if rows.size == 0:
            return
        people, sentences = self.service.people, self.service.sentences
        begin_orders(
            rows,
            self.service.today,
            people.contacts,
            people.stage_start,
            people.first_due_from,
            people.first_after_release,
            people.warned_on,
            people.work_only,
            people.latest,
            sentences.previous,
            sentences.status,
            sentences.unpaid_work_only,
        )
        for listener in self.on_begin_again:
            listener(rows)
