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
from simulation.system.codes import Location, Status
from simulation.system.population import Population
from simulation.system.quantiles import draw
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
        self.no_show = levers.grid("enforcement.no_show_share").ravel()

    def places(self) -> NDArray[np.int64]:
        """Return how many breaches each area's courts can hear today: whole ones, the same number every year."""
        day = int(self.service.calendar.working_days_between(0, self.service.today))
        return np.floor(self.rate * (day + 1)).astype(np.int64) - np.floor(self.rate * day).astype(np.int64)

    def sit(self, due: Rows) -> Rows:
        """Return the sentences whose breach is heard today; put off the others, and issue warrants for who stays away.

        Parameters
        ----------
        due : int array
            Sentences listed for today, and those of people arrested on a warrant.
        """
        service, people, sentences = self.service, self.service.people, self.service.sentences
        brought = sentences.warrant_since[due] != NEVER
        self.execute(due[brought])
        status = sentences.status[due]
        stands = (status == Status.ORDER) | (status == Status.SUPERVISION)
        # Those arrested are heard at once; what has ended meanwhile takes no time.
        at_once, listed = due[brought | ~stands], due[stands & ~brought]
        heard, put_off = self.within(listed)
        person = sentences.person[heard]
        occurrence = service.occurrence(heard, sentences.breaches[heard])
        uniform = service.chance.uniform(people.key[person], "comes to the breach hearing", occurrence)
        away = (people.location[person] == Location.COMMUNITY) & (uniform < self.no_show[people.cell[person]])
        self.issue(heard[away])
        if put_off.size:
            service.count("hearings_put_off", sentences.person[put_off])
            service.agendas["hearing"].put(put_off, service.calendar.after_working_days(service.today, 1))
        now = heard[~away]
        waited = service.today - sentences.breach_known[np.concatenate([now, due[brought & stands]])].astype(np.int64)
        of_whom = sentences.person[np.concatenate([now, due[brought & stands]])]
        service.count("breach_hearing_days", of_whom, waited)
        return np.sort(np.concatenate([at_once, now]))

    def within(self, listed: Rows) -> tuple[Rows, Rows]:
        """Return those whom the day's list holds and those whom it doesn't: oldest failure first, then by key."""
        service, sentences = self.service, self.service.sentences
        person = sentences.person[listed]
        area = service.people.area[person].astype(np.int64)
        order = np.lexsort((service.people.key[person], sentences.breach_known[listed], area))
        starts = np.searchsorted(area[order], np.arange(service.areas))
        rank = np.empty(listed.size, dtype=np.int64)
        rank[order] = np.arange(listed.size) - starts[area[order]]
        held = rank < self.places()[area]
        return listed[held], listed[~held]

    def issue(self, rows: Rows) -> None:
        """Issue warrants for people who didn't come: appointments stop until the arrest."""
        if rows.size == 0:
            return
        service, sentences = self.service, self.service.sentences
        person = sentences.person[rows]
        sentences.warrant_since[rows] = service.today
        occurrence = service.occurrence(rows, sentences.breaches[rows])
        uniform = service.chance.uniform(service.people.key[person], "days to arrest on warrant", occurrence)
        wait = draw(service.levers.mapping("enforcement.warrant_working_days"), uniform).astype(np.int64)
        day = service.calendar.add_working_days(np.array([service.today]), np.maximum(wait, 1))
        service.agendas["hearing"].put(rows, day)
        service.agendas["contact"].cancel(person)
        service.count("warrants_issued", person)
        service.tell("warrant issued", np.sort(person))

    def execute(self, rows: Rows) -> None:
        """Arrest people on their warrants; appointments begin again on the next working day."""
        if rows.size == 0:
            return
        service, people, sentences = self.service, self.service.people, self.service.sentences
        person = sentences.person[rows]
        service.count("warrants_executed", person)
        service.count("warrant_days", person, service.today - sentences.warrant_since[rows].astype(np.int64))
        sentences.warrant_since[rows] = NEVER
        service.tell("warrant executed", np.sort(person))
        waiting = (people.location[person] == Location.COMMUNITY) & (people.work_only[person] == 0)
        waiting &= (people.first_due_from[person] == NEVER) & (service.agendas["contact"].day_of(person) == NEVER)
        service.agendas["contact"].put(person[waiting], service.calendar.after_working_days(service.today, 1))

    # --- At the end of a month --------------------------------------------------------------------------------

    def count_waiting(self) -> None:
        """Count breaches that wait for their hearing, and warrants outstanding."""
        service, sentences = self.service, self.service.sentences
        hearing = service.agendas["hearing"].days()
        out, listed = who_waits(sentences.size, sentences.status, sentences.warrant_since, hearing)
        service.count("warrants_outstanding", sentences.person[out])
        service.count("hearings_waiting", sentences.person[listed])


@compiled
def who_waits(size: int, status: Array, warrant_since: Array, hearing: Array) -> tuple[Rows, Rows]:
    """Return the orders and supervision for which a warrant is out, and the others that a hearing waits for."""
    out, listed = np.empty(size, dtype=np.intp), np.empty(size, dtype=np.intp)
    many_out, many_listed = 0, 0
    for row in range(size):
        if status[row] != _ORDER and status[row] != _SUPERVISION:
            continue
        if warrant_since[row] != NEVER:
            out[many_out] = row
            many_out += 1
        elif row < hearing.size and hearing[row] != NEVER:
            listed[many_listed] = row
            many_listed += 1
    return out[:many_out].copy(), listed[:many_listed].copy()
