"""Beginning and ending supervision: what follows when a person's place changes.

Every change of place goes through here, so that nobody keeps an appointment, an officer or a change in need that
belongs to a place they have left.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from simulation.engine import NEVER
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
        self._days = NEVER, NEVER, NEVER  # Remembered of today; no state.
        service.on_place_change.append(self.moved)

    def moved(self, rows: Rows, before: Array, after: Array) -> None:
        """Tidy up after people who changed place, and begin what the new one brings."""
        service, people, sentences = self.service, self.service.people, self.service.sentences
        agendas = service.agendas
        found = np.empty((6, rows.size), dtype=np.intp)
        arriving, holding, ending, handing, dropping = change_place(
            rows,
            before,
            after,
            found,
            *self.days_of_today(),
            service.chance.constant("telephone supervision"),
            service.chance.constant("custody contact"),
            service.levers.integer("contact.custody_interval_days"),
            *service.calendar.next_working_days(),
            service.flows[_UNNOTICED_DAYS],
            service.posts.cases,
            agendas["contact"].days_to_clear(),
            agendas["crisis"].days_to_clear(),
            agendas["death"].days_to_clear(),
            agendas["review"].days_to_clear(),
            agendas["allocate"].days_to_clear(),
            agendas["transfer"].days_to_clear(),
            agendas["escalate"].days_to_clear(),
            people.records,
            people.moves,
            people.places,
            people.prison_held,
            people.out_since,
            sentences.previous,
            sentences.status,
            sentences.unpaid_work_only,
        )
        if dropping:
            service.tasks.forget(found[5, :dropping])
        if arriving:
            for listener in self.on_begin:
                listener(found[0, :arriving])
        if holding:
            agendas["contact"].put(found[1, :holding], found[2, :holding])
        if ending:
            over = found[3, :ending]
            service.regroup(over)
            service.tell("supervision ends", over)
        if handing:
            for listener in self.on_left_prison_staff:
                listener(found[4, :handing])

    def days_of_today(self) -> tuple[int, int, int]:
        """Return today, the first day of this month, and the day after which at most one working day lies."""
        today, calendar = self.service.today, self.service.calendar
        if self._days[0] != today:
            self._days = today, today - calendar.date(today).day + 1, calendar.working_days_back(today, 1)
        return self._days

    def clear_crisis(self, rows: Rows) -> None:
        """Forget an unresolved change in need; this month's days for which it went unnoticed are counted."""
        people = self.service.people
        forget_changes(
            rows,
            *self.days_of_today()[:2],
            self.service.flows[_UNNOTICED_DAYS],
            people.records,
        )

    def begin_again(self, rows: Rows) -> None:
        """Begin a new order of people already supervised in the community: a first appointment and plan of its own."""
        if rows.size == 0:
            return
        people, sentences = self.service.people, self.service.sentences
        # What was booked gives way to the first appointment, or two would be kept within days of each other.
        self.service.agendas["contact"].cancel(rows)
        begin_orders(
            rows,
            self.service.today,
            people.contacts,
            people.contact_due,
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
