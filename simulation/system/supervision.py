"""Beginning and ending supervision: what follows when a person's place changes.

Every change of place goes through here, so that nobody keeps an appointment, an officer or a change in need that
belongs to a place they have left.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from simulation.system.custody_loops import lists_of
from simulation.system.service import COUNT_INDEX, Array, Rows, Service
from simulation.system.supervision_loops import begin_orders, change_place, close_cases, forget_changes

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
        self.on_begin: list[Callable[[Rows], None]] = []
        #: Told of people in the community on whom a further order is imposed.
        self.on_begin_again: list[Callable[[Rows], None]] = []
        service.on_place_change.append(self.moved)

    def moved(self, rows: Rows, before: Array, after: Array) -> None:
        """Tidy up after people who changed place, and begin what the new one brings."""
        service, people, sentences = self.service, self.service.people, self.service.sentences
        agendas = service.agendas
        # Whatever was booked belonged to the place left.
        agendas["contact"].cancel(rows)
        found = np.empty((5, rows.size), dtype=np.intp)
        sizes = change_place(
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
            people.key,
            people.cell,
            people.sentences,
            people.officer,
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
        gone, arrived, held, contact_days, over = lists_of(found, sizes)
        service.cancel(gone, "crisis", "death")
        if arrived.size:
            for listener in self.on_begin:
                listener(arrived)
        if held.size:
            agendas["contact"].put(held, service.calendar.working_day_after(contact_days))
        if over.size:
            self.close(over)

    def month_begin(self) -> int:
        """Return the first day of this month."""
        today = self.service.today
        return today - self.service.calendar.date(today).day + 1

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

    def close(self, rows: Rows) -> None:
        """End supervision of people who changed place: the case is closed."""
        service, people = self.service, self.service.people
        close_cases(
            rows,
            service.posts.cases,
            people.officer,
            people.officer_since,
            people.side,
            people.cell,
            people.escalated,
            people.waiting_since,
            people.first_due_from,
            people.warned_on,
            people.work_only,
        )
        service.regroup(rows)
        # Contacts, changes in need and death have gone with the place that was left.
        service.cancel(rows, "review", "allocate", "transfer", "escalate")
        service.tell("supervision ends", rows)
