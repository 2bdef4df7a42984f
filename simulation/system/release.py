"""Through the Gate: screening, plan, work before release, help for some, and the search for a home.

The prison screens everybody at reception; the company that hosts it writes a resettlement plan within days, for NPS
people too, and works with people in the last twelve weeks or the time left if less. Companies are paid for plans: help,
which takes hours, is given to few. Whether help finds a home depends on time to search, on landlords, and on how many
places there are in the area. What isn't done before the day isn't done. In the 2017 inspection two people of
ninety-eight were helped into housing, and one had a mentor.
**Assumption**: the work is done by the home area's company; for people held away from home nobody finds a home there.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import simpy

from simulation.engine import NEVER
from simulation.engine.calendar import YEAR_DAYS
from simulation.system.commissioning import bought
from simulation.system.custody import Custody
from simulation.system.custody_loops import NOT_BEGUN, quantiles_of
from simulation.system.population import CONVICTED, Population, pack
from simulation.system.release_loops import (
    COUNTED,
    add_places,
    give_places,
    open_windows,
    screen,
    screening_days,
    seek_homes,
    work_through,
)
from simulation.system.service import COUNT_INDEX, Rows, Service

#: Places found are drawn for so many days at once.
_DAYS_AT_ONCE = 32


class Release:
    """Resettlement teams, and places to live for people to be released."""

    def __init__(self, service: Service, population: Population, custody: Custody) -> None:
        self.service, self.population = service, population
        self.custody = custody
        service.agenda("screening", service.sentences.capacity)
        service.agenda("home search", service.sentences.capacity)
        self.counted = np.array([COUNT_INDEX[name] for name in COUNTED], dtype=np.intp)
        self.areas = np.array(service.resolved.areas, dtype=np.int8)
        custody.on_received.append(self.receive)
        service.process(self.process)

    def read(self) -> None:
        """Take the levers of the day."""
        levers = self.service.levers
        self.working_year = levers.number("workload.working_days_a_year")
        a_day = levers.number("release.team_hours_a_year") / self.working_year
        national = a_day * 3600 * levers.number("release.team_capacity")
        self.capacity = np.floor(self.population.shares * national).astype(np.int64)
        self.plan_seconds = round(levers.number("release.plan_hours") * 3600)
        self.work_seconds = round(levers.number("release.hours_per_person") * 3600)
        self.help_seconds = round(levers.number("release.help_hours") * 3600)
        self.plans_first = bool(levers.flag("release.plans_before_help"))
        self.plan_days = levers.integer("release.plan_working_days")
        self.help_share = float(levers.number("release.help_share"))
        self.away_share = float(levers.number("release.held_away_share"))
        self.accepted_share = float(levers.number("release.landlord_accepts_share"))
        self.search_days = quantiles_of(levers.mapping("release.home_search_days"))
        self.screening_waits = quantiles_of(levers.mapping("release.screening_part1_days"))
        self.in_time_days = float(levers.number("release.screening_part1_hours") / 24)
        self.planned_below = float(levers.number("release.plan_max_sentence_years") * YEAR_DAYS)
        self.settled_share = float(levers.number("release.settled_share"))
        homes_a_year = levers.grid("release.homes_a_year")[:, 0] * self.population.shares
        self.homes_a_day = (homes_a_year + bought(self.service).homes) / self.working_year
        self._found_from = NEVER  # Nothing drawn yet under these levers.
        # Where people go is settled with their release: a settled home, another, or none.
        self.custody.homes = (
            self.service.chance.constant("home at release"),
            float(levers.number("release.homeless_share")),
            self.settled_share,
        )

    # --- Reception --------------------------------------------------------------------------------------------

    def receive(self, sentences_rows: Rows) -> None:
        """Let the prison screen people received today, part 1, when it gets to it."""
        service = self.service
        if sentences_rows.size == 0:
            return
        days = np.empty(sentences_rows.size, dtype=np.int32)
        screening_days(
            sentences_rows,
            service.today,
            service.chance.constant("screening"),
            *self.screening_waits,
            service.people.key,
            service.sentences.person,
            service.sentences.number,
            days,
        )
        service.agendas["screening"].put(sentences_rows, days)

    def screen(self, due: Rows) -> None:
        """Screen those still inside; those with sentences the company plans for come into its team's queue."""
        service, sentences, today = self.service, self.service.sentences, self.service.today
        if due.size == 0:
            return
        queue = service.release_queue
        first = queue.make_room(due.size)
        people = np.empty_like(due)
        size, planning = screen(
            due,
            people,
            today,
            self.in_time_days,
            self.planned_below,
            self.plan_seconds,
            service.calendar.after_working_days(today, self.plan_days),
            first,
            queue.row,
            queue.area,
            queue.seconds,
            queue.due,
            queue.kind,
            self.counted,
            service.flows,
            service.people.cell,
            service.people.area,
            sentences.person,
            service.people.latest,
            sentences.previous,
            sentences.status,
            sentences.length,
            sentences.imposed,
            sentences.screened,
        )
        queue.size += planning
        service.tell("screened in prison", people[:size])

    # --- Each day ---------------------------------------------------------------------------------------------

    def process(self) -> Generator[simpy.Event, Any, None]:
        """Each day: screening, and people whose window opens; each working day the team's queue, and places.

        What comes into the queue today is taken up from tomorrow: nobody is screened and prepared on one day.
        """
        service = self.service
        while True:
            yield service.clock.phase("releases")
            today, agendas = service.today, service.agendas
            working = service.calendar.is_working(today)
            # What a team owes is made up for on a day without work, too.
            if working and (service.release_queue.size or service.tables["teams"].release_owed.any()):
                self.work()
            self.screen(agendas["screening"].due(today))
            self.begin(agendas["resettlement"].due(today))
            if working:
                self.find_homes(agendas["home search"].due(today))
            if service.calendar.date(today + 1).day == 1:
                teams = service.tables["teams"]
                # What nobody from prison took within the month has gone to others.
                teams.homes_lost[:] += teams.homes_free
                teams.homes_free[:] = 0

    def begin(self, due: Rows) -> None:
        """Begin with people whose window opens: everybody's papers, and help for some."""
        service, sentences = self.service, self.service.sentences
        if due.size == 0:
            return
        queue, people = service.release_queue, service.people
        first = queue.make_room(2 * due.size)
        found = np.empty((2, due.size), dtype=np.intp)
        begun, helped = open_windows(
            due,
            found,
            self.help_share,
            service.chance.constant("resettlement help"),
            self.work_seconds,
            self.help_seconds,
            first,
            queue.row,
            queue.area,
            queue.seconds,
            queue.due,
            queue.kind,
            self.counted,
            service.flows,
            people.cell,
            people.key,
            people.area,
            sentences.person,
            sentences.number,
            people.latest,
            sentences.previous,
            sentences.status,
            sentences.custody_end,
            sentences.prepared,
            sentences.helped,
        )
        queue.size += begun + helped
        service.tell("resettlement work begins", found[0, :begun])
        service.tell("help before release begins", found[1, :helped])

    def work(self) -> None:
        """Work through each area's queue: plans first where they are what is paid for, else nearest date first."""
        service, sentences, queue = self.service, self.service.sentences, self.service.release_queue
        size = queue.size
        found = np.empty((4, size), dtype=np.intp)
        queue.size, planned, worked, helped = work_through(
            queue.row[:size],
            queue.area[:size],
            queue.seconds[:size],
            queue.due[:size],
            queue.kind[:size],
            self.capacity,
            service.tables["teams"].release_owed,
            found,
            service.today,
            self.plans_first,
            self.counted,
            service.flows,
            service.people.cell,
            service.people.key,
            sentences.person,
            sentences.status,
            sentences.screened,
            sentences.prepared,
            sentences.helped,
        )
        service.tell("resettlement plan written", found[0, :planned])
        service.tell("resettlement work done", found[1, :worked])
        if helped:
            service.tell("help before release done", found[2, :helped])
            self.search(found[3, :helped])

    def replan(self, inside: Rows) -> None:
        """Open the window anew for people in prison with whom nobody has begun, when a change applies to all."""
        service, sentences = self.service, self.service.sentences
        rows = inside[sentences.prepared[inside] == NOT_BEGUN]
        day = service.agendas["release"].day_of(rows)
        rows, day = rows[day > service.today], day[day > service.today]
        begin = np.maximum(day - service.levers.integer("release.window_days"), service.today + 1)
        service.agendas["resettlement"].put(rows, begin)

    # --- Homes ------------------------------------------------------------------------------------------------

    def search(self, helped: Rows) -> None:
        """Begin the search for a home for those without a settled one, held near home, whom a landlord would take."""
        service, sentences, chance = self.service, self.service.sentences, self.service.chance
        found = np.empty((2, helped.size), dtype=np.intp)
        seeking = seek_homes(
            helped,
            found,
            service.today,
            self.settled_share,
            self.away_share,
            self.accepted_share,
            *self.search_days,
            *service.calendar.next_working_days(),
            chance.constant("home at release"),
            chance.constant("held away from home"),
            chance.constant("landlord accepts"),
            chance.constant("search for a home"),
            self.counted,
            service.flows,
            service.people.cell,
            service.people.key,
            sentences.person,
            sentences.number,
            sentences.custody_end,
        )
        service.agendas["home search"].put(found[0, :seeking], found[1, :seeking])

    def found_today(self) -> Any:
        """Return the places found today in each area of the run, None if there are none anywhere.

        They are drawn for some days at once, each day by its key.
        """
        service, today = self.service, self.service.today
        if not self._found_from <= today < self._found_from + _DAYS_AT_ONCE:
            self._found_from = today
            areas = self.areas
            area, day = np.repeat(areas, _DAYS_AT_ONCE), np.tile(np.arange(_DAYS_AT_ONCE) + today, areas.size)
            # The key of an area's day, which no person has.
            keys = pack(area, CONVICTED, day, np.full(area.size, 0xFFFF))
            found = service.chance.poisson(self.homes_a_day[area], keys, "homes found")
            self._found = found.reshape(areas.size, _DAYS_AT_ONCE).T.copy()
            self._any_found = [bool(day.any()) for day in self._found]
        place = today - self._found_from
        return self._found[place] if self._any_found[place] else None

    def find_homes(self, ready: Rows) -> None:
        """Add the places found today, and give them to those who are ready, nearest release first."""
        service, sentences, seekers = self.service, self.service.sentences, self.service.home_seekers
        if ready.size:
            person = sentences.person[ready]
            seekers.append(
                ready.size, row=ready, area=service.people.area[person], due=sentences.custody_end[ready]
            )
        teams = service.tables["teams"]
        found = self.found_today()
        if found is not None:
            add_places(self.areas, found, teams.homes_free, teams.homes_found, self.counted, service.flows)
        size = seekers.size
        if size == 0:
            return
        kept, housed = give_places(
            seekers.row[:size],
            seekers.area[:size],
            seekers.due[:size],
            service.today,
            teams.homes_free,
            teams.homes_taken,
            self.counted,
            service.flows,
            service.people.cell,
            service.people.key,
            sentences.person,
            sentences.status,
            sentences.home_found,
        )
        seekers.keep(kept)
        housed.sort()
        service.tell("home found before release", housed)
