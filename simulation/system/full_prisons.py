"""Prisons that are nearly full let people go early: the coupling of headroom to releases, off in the baseline.

Once a week, where the switch is on, prisoners are set against usable places. If headroom is below its least, as many
people go on the next working day as it takes, nearest release date first. The rule of who may go is that of April
2020 (end of custody temporary release): at low or medium risk of serious harm, within two months of the release date,
serving less than four years, on no other term. The release date itself stays where it was, and so do the ends of
licence and supervision: those days are spent on licence instead of in prison.
**Assumption**: everybody eligible is let out; in 2020 checks and addresses held back most.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import simpy
from numpy.typing import NDArray

from simulation.engine.calendar import YEAR_DAYS
from simulation.engine.compiled import AHEAD, compiled, fetch_soon
from simulation.system.codes import Kind, Rosh, Status
from simulation.system.contract_loops import prisoners_by_area
from simulation.system.population import Population
from simulation.system.service import Array, Rows, Service

_SUNDAY = 6
# Compiled code knows plain numbers only.
_CUSTODY, _RECALLED, _AT_LARGE = Status.CUSTODY, Status.RECALLED, Status.AT_LARGE
_DETERMINATE, _MEDIUM = Kind.DETERMINATE, Rosh.MEDIUM


@compiled
def may_go(
    sentences: int,
    next_day: int,
    last: int,
    below: float,
    person: Array,
    status: Array,
    custody_end: Array,
    kind: Array,
    extended: Array,
    length: Array,
    release: Array,
    assessed_rosh: Array,
    deportation: Array,
    latest: Rows,
    previous: Rows,
) -> Rows:
    """Return sentences that may end in prison after the next working day, in row order.

    Parameters
    ----------
    sentences : int
        How many there are.
    next_day, last : int
        Whoever is let out by the one goes anyway; whoever would be after the other stays.
    below : float
        Days that a sentence is shorter than.
    release : int array (sentences,)
        Day on which each is to be released.
    """
    # Written for everybody, kept for some: a choice that can't be foretold costs more than a number.
    terms, many = np.empty(sentences + 1, dtype=np.int32), 0
    for row in range(sentences):
        terms[many] = row
        many += status[row] == _CUSTODY
    near = 0
    for at in range(many):
        row = terms[at]
        fetch_soon(custody_end, terms[min(at + AHEAD, many - 1)])
        terms[near] = row
        near += (custody_end[row] > next_day) & (custody_end[row] <= last)
    rows, found = np.empty(near, dtype=np.intp), 0
    for at in range(near):
        soon, row = terms[min(at + AHEAD, near - 1)], terms[at]
        fetch_soon(person, soon)
        fetch_soon(kind, soon)
        fetch_soon(length, soon)
        fetch_soon(extended, soon)
        if kind[row] != _DETERMINATE or extended[row] != 0 or length[row] >= below:
            continue
        whose = person[row]
        if release[row] <= next_day or assessed_rosh[whose] > _MEDIUM or deportation[whose] != 0:
            continue
        # On no other term.
        serving, elsewhere, sentence = 0, False, latest[whose]
        while sentence >= 0:
            serving += status[sentence] == _CUSTODY
            elsewhere |= status[sentence] == _RECALLED or status[sentence] == _AT_LARGE
            sentence = previous[sentence]
        if serving == 1 and not elsewhere:
            rows[found] = row
            found += 1
    return rows[:found]


class FullPrisons:
    """Releases people early while headroom is too little."""

    def __init__(self, service: Service, population: Population) -> None:
        self.service, self.population = service, population
        service.process(self.process)

    def read(self) -> None:
        """Take the levers of the day."""
        levers = self.service.levers
        self.enabled = levers.number("custody.release_when_full.enabled") > 0.5
        self.least = levers.number("custody.release_when_full.headroom_share")
        self.most_days = levers.integer("custody.release_when_full.most_days")
        self.below = levers.number("custody.release_when_full.most_sentence_years") * YEAR_DAYS
        self.as_one = levers.number("custody.release_when_full.as_one") > 0.5

    def process(self) -> Generator[simpy.Event, Any, None]:
        """Every Sunday evening: see what room there is."""
        service = self.service
        while True:
            yield service.clock.phase("consequences")
            if self.enabled and service.calendar.date(service.today).weekday() == _SUNDAY:
                self.make_room()

    def missing(self) -> NDArray[np.int64]:
        """Return by how many places each area run is short of the least headroom; below 0 where it isn't."""
        service = self.service
        today, areas = service.today, np.array(service.resolved.areas, dtype=np.int64)
        people = service.people
        held = prisoners_by_area(people.size, service.areas, people.location, people.area)
        outside = service.resolved.series_value("custody.remand_population", today, 0)
        outside += service.levers.number("custody.other_prisoners")
        places = service.resolved.series_value("custody.usable_places", today, 0) * (1 - self.least)
        # Whole people and places: edges rounded, as they are counted.
        edges = np.round(np.concatenate([[0.0], np.cumsum(self.population.shares)])[:, None] * [outside, places])
        shared = (edges[1:] - edges[:-1]).astype(np.int64)
        short: NDArray[np.int64] = (held + shared[:, 0] - shared[:, 1])[areas]
        return short

    def make_room(self) -> None:
        """Let out as many as are too many, nearest release date first."""
        service, sentences = self.service, self.service.sentences
        areas, short = np.array(service.resolved.areas, dtype=np.int64), self.missing()
        wanted = np.zeros(service.areas, dtype=np.int64)
        wanted[areas] = np.maximum(short, 0)
        if self.as_one:
            wanted[:] = max(int(short.sum()), 0)
        if not wanted.any():
            return
        rows = self.eligible()
        keys, number = service.sentence_key(rows), sentences.number[rows]
        draws = service.chance.uniform(keys, "released when prisons are full", number)
        # One order for the country, and so for each area.
        rows = rows[np.lexsort([rows, draws, sentences.custody_end[rows]])]
        area = np.zeros(rows.size, dtype=np.int64)
        if not self.as_one:
            area[:] = service.people.area[sentences.person[rows]]
        ordered = np.argsort(area, kind="stable")
        place = np.empty(rows.size, dtype=np.int64)
        place[ordered] = np.arange(rows.size) - np.searchsorted(area[ordered], area[ordered])
        going = np.sort(rows[place < wanted[area]])
        day = service.calendar.working_day_after(np.full(going.size, service.today + 1))
        service.agendas["release"].put(going, day)
        person = sentences.person[going]
        service.count("released_when_full", person)
        service.count("released_when_full_days", person, (sentences.custody_end[going] - day).astype(np.int64))
        service.tell("released early, prisons full", np.sort(person))

    def eligible(self) -> Rows:
        """Return sentences that may end in prison from tomorrow on."""
        service, people, sentences = self.service, self.service.people, self.service.sentences
        today = service.today
        next_day = int(service.calendar.working_day_after(np.array([today + 1]))[0])
        # Whoever is let out on the working day before a weekend goes then anyway.
        return may_go(
            sentences.size,
            next_day,
            today + self.most_days,
            float(self.below),
            sentences.person,
            sentences.status,
            sentences.custody_end,
            sentences.kind,
            sentences.extended,
            sentences.length,
            service.agendas["release"].days(sentences.size),
            people.assessed_rosh,
            people.deportation,
            people.latest,
            sentences.previous,
        )
