"""Beginning and ending supervision: what follows when a person's place changes.

Every change of place goes through here, so that nobody keeps an appointment, an officer or a change in need that
belongs to a place they have left.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from simulation.engine import NEVER
from simulation.system.codes import Location, Status
from simulation.system.service import Array, Rows, Service


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
        service.on_place_change.append(self.moved)

    def moved(self, rows: Rows, before: Array, after: Array) -> None:
        """Tidy up after people who changed place."""
        agendas = self.service.agendas
        # Whatever was booked belonged to the place left.
        agendas["contact"].cancel(rows)
        self.service.people.contact_due[rows] = NEVER
        leaving = before == Location.COMMUNITY
        if leaving.any():
            gone = rows[leaving]
            agendas["crisis"].cancel(gone)
            agendas["death"].cancel(gone)
            self.clear_crisis(gone)
            self.service.people.first_due_from[gone] = NEVER
        arriving = after == Location.COMMUNITY
        if arriving.any():
            from_custody = (
                (before == Location.SENTENCED)
                | (before == Location.RECALLED)
                | (before == Location.COMMITTED)
            )
            self.begin(rows[arriving], from_custody[arriving])
        inside = (after == Location.SENTENCED) | (after == Location.RECALLED)
        if inside.any():
            self.enter_custody(rows[inside])
        # Somebody whose sentence runs out while a report is awaited is before the court and nobody's case.
        over = (after >= Location.ENDED) | (after == Location.COURT)
        if over.any():
            self.close(rows[over])

    def clear_crisis(self, rows: Rows) -> None:
        """Forget an unresolved change in need; days it went unnoticed are counted."""
        people = self.service.people
        unnoticed = rows[(people.crisis_since[rows] != NEVER) & (people.crisis_noticed[rows] == 0)]
        self.count_unnoticed(unnoticed)
        people.crisis_since[rows] = NEVER
        people.crisis_noticed[rows] = 0

    def count_unnoticed(self, rows: Rows) -> None:
        """Count this month's days for which changes went unnoticed, up to today."""
        if rows.size == 0:
            return
        service = self.service
        today = service.today
        first = today - service.calendar.date(today).day + 1
        days = today - np.maximum(service.people.crisis_since[rows], first)
        service.count("crisis_unnoticed_days", rows, days)

    def begin(self, rows: Rows, from_custody: Array) -> None:
        """Begin a spell in the community: first appointment to come, clocks started."""
        service, people = self.service, self.service.people
        today = service.today
        people.spells[rows] += 1
        people.contacts[rows] = 0
        people.stage_start[rows] = today
        people.phone_draw[rows] = service.chance.uniform(
            people.key[rows], "telephone supervision", people.sentences[rows]
        )
        people.last_seen[rows] = today
        people.first_due_from[rows] = today
        people.first_after_release[rows] = from_custody
        order = service.live_sentence(rows, (Status.ORDER,))
        other = service.live_sentence(rows, (Status.CURFEW, Status.LICENCE, Status.SUPERVISION))
        people.work_only[rows] = (other < 0) & (order >= 0) & (service.sentences.unpaid_work_only[order] == 1)
        for listener in self.on_begin:
            listener(rows)

    def begin_again(self, rows: Rows) -> None:
        """Begin a new order of people already supervised in the community: a first appointment and plan of its own."""
        people = self.service.people
        people.contacts[rows] = 0
        people.stage_start[rows] = self.service.today
        people.first_due_from[rows] = self.service.today
        people.first_after_release[rows] = 0
        # A warning belongs to the order it was given on.
        people.warned_on[rows] = NEVER
        order = self.service.live_sentence(rows, (Status.ORDER,))
        people.work_only[rows] &= self.service.sentences.unpaid_work_only[order]

    def enter_custody(self, rows: Rows) -> None:
        """Begin custody: the officer, if there is one, keeps the case and makes custody contacts."""
        service = self.service
        held = rows[service.people.officer[rows] >= 0]
        if held.size:
            interval = service.levers.integer("contact.custody_interval_days")
            draw = service.chance.uniform(
                service.people.key[held], "custody contact", service.people.sentences[held]
            )
            days = service.today + 1 + (draw * interval).astype(np.int32)
            service.agendas["contact"].put(held, service.calendar.working_day_after(days))

    def close(self, rows: Rows) -> None:
        """End supervision: the case is closed."""
        service, people = self.service, self.service.people
        held = rows[people.officer[rows] >= 0]
        if held.size:
            posts = service.posts
            posts.cases[: posts.size] -= np.bincount(people.officer[held], minlength=posts.size).astype(np.int32)
        for name in ("contact", "review", "allocate", "transfer", "crisis", "death", "escalate"):
            service.agendas[name].cancel(rows)
        people.officer[rows] = -1
        people.officer_since[rows] = NEVER
        service.set_side(rows, -1)
        people.escalated[rows] = 0
        people.waiting_since[rows] = NEVER
        people.first_due_from[rows] = NEVER
        people.warned_on[rows] = NEVER
        people.work_only[rows] = 0
        service.tell("supervision ends", rows)
