"""Beginning and ending supervision: what follows when a person's place changes.

Every change of place goes through here, so that nobody keeps an appointment, an officer or a change in need that
belongs to a place they have left.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from simulation.system.custody_loops import lists_of
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
        service.on_place_change.append(self.moved)

    def moved(self, rows: Rows, before: Array, after: Array) -> None:
        """Tidy up after people who changed place, and begin what the new one brings."""
        service, people, sentences = self.service, self.service.people, self.service.sentences
        agendas = service.agendas
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
            service.posts.cases,
            (
                agendas["contact"].days_to_clear(),
                agendas["crisis"].days_to_clear(),
                agendas["death"].days_to_clear(),
            ),
            (
                agendas["review"].days_to_clear(),
                agendas["allocate"].days_to_clear(),
                agendas["transfer"].days_to_clear(),
                agendas["escalate"].days_to_clear(),
            ),
            people.records,
            people.places,
            people.moves,
            sentences.previous,
            sentences.status,
            sentences.unpaid_work_only,
        )
        arrived, held, contact_days, over, handed = lists_of(found, sizes)
        if arrived.size:
            for listener in self.on_begin:
                listener(arrived)
        if held.size:
            agendas["contact"].put(held, service.calendar.working_day_after(contact_days))
        if over.size:
            service.regroup(over)
            service.tell("supervision ends", over)
        if handed.size:
            for listener in self.on_left_prison_staff:
                listener(handed)

    def month_begin(self) -> int:
        """Return the first day of this month."""
        today = self.service.today
        return today - self.service.calendar.date(today).day + 1

    def clear_crisis(self, rows: Rows) -> None:
        """Forget an unresolved change in need; this month's days for which it went unnoticed are counted."""
        service = self.service
        forget_changes(rows, service.today, self.month_begin(), service.flows[_UNNOTICED_DAYS], service.people.records)

    def begin_again(self, rows: Rows) -> None:
        """Begin a new order of people already supervised in the community: a first appointment and plan of its own."""
        if rows.size == 0:
            return
        people, sentences = self.service.people, self.service.sentences
        begin_orders(
            rows,
            self.service.today,
            people.records,
            people.moves,
            sentences.previous,
            sentences.status,
            sentences.unpaid_work_only,
        )
        for listener in self.on_begin_again:
            listener(rows)
