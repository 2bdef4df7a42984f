"""Breach courts: the list of a day, those who don't come, warrants and arrests.

So many breaches a working day can be heard in each area; what the list can't hold is put off to the next working day,
the oldest failure first. Somebody in the community who doesn't come to the hearing gets a warrant: appointments stop
until the arrest, and the breach is then heard at once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulation.engine import NEVER
from simulation.engine.compiled import compiled
from simulation.system.breach_court_loops import call_day, places_of_day, take_up_again
from simulation.system.codes import Status
from simulation.system.custody_loops import lists_of
from simulation.system.population import Population
from simulation.system.quantiles import side_by_side
from simulation.system.service import Array, Rows, Service

# Compiled code knows plain numbers only.
_ORDER, _SUPERVISION = Status.ORDER, Status.SUPERVISION


class BreachCourts:
    """Who of those listed is heard today."""

    def __init__(self, service: Service, population: Population) -> None:
        self.service, self.population = service, population

    def read(self) -> None:
        """Take the levers of the day."""
        levers = self.service.levers
        days = levers.number("workload.working_days_a_year")
        #: Hearings of each area in a working day.
        self.rate = self.population.shares * (levers.number("enforcement.hearings_a_year") / days)
        self._counted_on = NEVER  # Under these levers no day's places are counted yet.
        self.no_show = levers.cells("enforcement.no_show_share")
        self.waits = side_by_side(levers.mapping("enforcement.warrant_working_days"))
        chance = self.service.chance
        come, wait = chance.constant("comes to the breach hearing"), chance.constant("days to arrest on warrant")
        self.constants = np.array([come, wait], dtype=np.uint64)

    def places(self) -> NDArray[np.int64]:
        """Return how many breaches each area's courts can hear today: whole ones, the same number every year."""
        calendar, today = self.service.calendar, self.service.today
        counted, origin = calendar.working_days_so_far()
        day = int(counted[today + origin]) - int(counted[origin])
        if day != self._counted_on:
            self._counted_on = day
            self._places = places_of_day(self.rate, day)
        return self._places

    def sit(self, due: Rows) -> Rows:
        """Return the sentences whose breach is heard today; put off the others, and issue warrants for who stays away.

        Parameters
        ----------
        due : int array
            Sentences listed for today, and those of people arrested on a warrant.
        """
        service, people, sentences = self.service, self.service.people, self.service.sentences
        calendar, today = service.calendar, service.today
        found = np.empty((6, due.size), dtype=np.intp)
        sizes = call_day(
            due,
            found,
            today,
            self.places(),
            self.no_show,
            self.constants,
            self.waits,
            calendar.working_days_after(today),
            people.area,
            people.key,
            people.cell,
            people.location,
            sentences.person,
            sentences.number,
            sentences.status,
            sentences.breaches,
            sentences.breach_known,
            sentences.warrant_since,
            service.flows,
        )
        heard, put_off, arrested, away, wanted, arrests = lists_of(found, sizes)
        if arrested.size:
            self.released(arrested)
        if put_off.size:
            service.agendas["hearing"].put(put_off, calendar.after_working_days(today, 1))
        if away.size:
            # Appointments stop until the arrest.
            people.wanted[wanted] = 1
            service.agendas["hearing"].put(away, arrests)
            service.agendas["contact"].cancel(wanted)
            service.tell("warrant issued", wanted)
        return heard

    def released(self, person: Rows) -> None:
        """Begin appointments of people arrested on their warrants again on the next working day."""
        service, people = self.service, self.service.people
        tomorrow = service.calendar.after_working_days(service.today, 1)
        people.wanted[person] = 0
        found = np.empty((2, person.size), dtype=np.intp)
        size = take_up_again(
            person,
            found,
            tomorrow,
            service.agendas["contact"].days(),
            people.location,
            people.work_only,
            people.first_due_from,
            people.contact_due,
        )
        service.tell("warrant executed", found[0])
        service.agendas["contact"].put(found[1, :size], tomorrow)

    # --- At the end of a month --------------------------------------------------------------------------------

    def count_waiting(self) -> None:
        """Count breaches that wait for their hearing, and warrants outstanding."""
        service, sentences = self.service, self.service.sentences
        hearing = service.agendas["hearing"].days(sentences.size)
        out, listed = who_waits(sentences.size, sentences.status, sentences.warrant_since, hearing)
        service.count("warrants_outstanding", sentences.person[out])
        service.count("hearings_waiting", sentences.person[listed])


@compiled
def who_waits(size: int, status: Array, warrant_since: Array, hearing: Array) -> tuple[Rows, Rows]:
    """Return the orders and supervision for which a warrant is out, and the others that a hearing waits for."""
    out, listed = np.empty(size, dtype=np.intp), np.empty(size, dtype=np.intp)
    many_out, many_listed = 0, 0
    # What may wait, written for all and kept for some: a choice that can't be foretold costs more than a number.
    running, many = np.empty(size + 1, dtype=np.int32), 0
    for row in range(size):
        running[many] = row
        many += (status[row] == _ORDER) | (status[row] == _SUPERVISION)
    for row in running[:many]:
        if warrant_since[row] != NEVER:
            out[many_out] = row
            many_out += 1
        elif row < hearing.size and hearing[row] != NEVER:
            listed[many_listed] = row
            many_listed += 1
    return out[:many_out].copy(), listed[:many_listed].copy()
