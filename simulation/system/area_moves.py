"""Moves of home to another area, and transfers of cases that follow: asked for, refused, and in the end taken over.

In the baseline nobody moves, and areas have nothing to do with each other. Where ``allocation.area_moves_per_year`` is
above 0, somebody supervised in the community may move home to another area of the run. The area is asked to take the
case over, and may refuse; until it has, the officer of before keeps the case and everything stays as it was. From the
day of the takeover the person is the new area's: its office, provider and way of working.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import simpy

from simulation.engine import NEVER
from simulation.engine.agenda import each_once
from simulation.engine.chance import logarithms
from simulation.system.area_move_loops import (
    add_in_order,
    ask_areas,
    move_home,
    plan_moves,
    take_people,
    take_requirements,
)
from simulation.system.codes import NPS, Location
from simulation.system.custody_loops import quantiles_of
from simulation.system.levers import AREA_MOVES, Levers, anybody_moves
from simulation.system.officers import held_elsewhere, those_of
from simulation.system.organisation import Organisation
from simulation.system.population import area_of_conviction
from simulation.system.service import Rows, Service
from simulation.system.supervision import Supervision

_NOBODY = np.empty(0, dtype=np.intp)


class AreaMoves:
    """People who move to another area, and the areas that take their cases over."""

    def __init__(self, service: Service, supervision: Supervision, organisation: Organisation) -> None:
        self.service, self.organisation = service, organisation
        for name in ("area move", "area request", "area takeover"):
            service.agenda(name)
        self.areas = np.array(sorted(service.resolved.areas), dtype=np.int64)
        thousands = np.asarray(service.geography.population_thousands, dtype=np.float64)[self.areas]
        self.residents = np.maximum(np.round(thousands * 1000), 1).astype(np.int64)
        supervision.on_begin.append(self.begin)
        service.process(self.process)

    def read(self) -> None:
        """Take the levers of the day."""
        levers = self.service.levers
        self.possible = anybody_moves(self.service.resolved)
        self.rate = levers.cells(AREA_MOVES)
        self.wait = quantiles_of(levers.mapping("allocation.area_transfer_working_days"))
        self.refused_share = levers.cells("allocation.area_refused_share")
        self.again_after = levers.integer("allocation.area_again_working_days")
        self.unified = levers.grid("organisation.unified")[:, NPS] > 0.5
        #: RSR in hundredths of a percent from which a case is the NPS's, by area.
        self.threshold = np.round(levers.grid("allocation.rsr_threshold")[:, NPS] * 100)
        # Derived, so no state; with room for more behind.
        self._taken_over = self.find_taken_over()
        self._taken = self._taken_over.size

    @property
    def taken_over(self) -> Rows:
        """Areas and people whom they have taken over from the area of conviction, in order."""
        return self._taken_over[: self._taken]

    def find_taken_over(self) -> Rows:
        """Find areas and those who are theirs, or whose officer still is, and were convicted in another, in order."""
        people, posts = self.service.people, self.service.posts
        if not self.possible:
            return _NOBODY
        convicted_in = area_of_conviction(people.key[: people.size])
        theirs = np.flatnonzero(people.area[: people.size] != convicted_in)
        held = np.flatnonzero(people.officer[: people.size] >= 0)
        of_officer = posts.area[people.officer[held]]
        away = of_officer != convicted_in[held]
        found = held_elsewhere(people.area[theirs], theirs), held_elsewhere(of_officer[away], held[away])
        return np.unique(np.concatenate(found))

    def taken_over_by(self, area: int) -> Rows:
        """Return everybody whom an area has ever taken over, in row order; some have moved on."""
        return those_of(area, self.taken_over)

    # --- Dates --------------------------------------------------------------------------------------------------

    def begin(self, rows: Rows) -> None:
        """Plan moves of people whose supervision in the community begins; requests that rested are made again."""
        if not self.possible:
            return
        service, people = self.service, self.service.people
        away = rows[people.area_to[rows] >= 0]
        if away.size:
            agendas = service.agendas
            asked = agendas["area request"].day_of(away) != NEVER
            asked |= agendas["area takeover"].day_of(away) != NEVER
            agendas["area request"].put(away[~asked], service.today + 1)
        self.plan(rows)

    def plan(self, rows: Rows) -> None:
        """Draw when people would move who live where their case is and have no such day yet."""
        service, people = self.service, self.service.people
        agenda = service.agendas["area move"]
        # Who would move after the end of the run has the day after it.
        left = max(0, (service.resolved.end - service.resolved.start).days - service.today)
        moving, days = plan_moves(
            rows,
            service.today,
            left,
            self.rate,
            service.chance.constant("moves to another area"),
            logarithms(),
            agenda.days(people.size),
            people.key,
            people.cell,
            people.sentences,
            people.area_to,
            people.area_draws,
        )
        agenda.put(moving, days)

    def replan(self) -> None:
        """On a day on which the rate changes, draw all days anew: a rate knows nothing of the past."""
        service, people = self.service, self.service.people
        if not self.possible:
            return
        before = Levers(service.resolved.on(service.today - 1), service.blocks).cells(AREA_MOVES)
        if (before == self.rate).all():
            return
        agenda, every = service.agendas["area move"], np.arange(people.size)
        planned = agenda.day_of(every) != NEVER
        agenda.cancel(every[planned])
        self.plan(every[planned | (people.location[: people.size] == Location.COMMUNITY)])

    # --- Each day -----------------------------------------------------------------------------------------------

    def process(self) -> Generator[simpy.Event, Any, None]:
        """Before the day's cases are given out: takeovers that are due, moves, and requests to the new area."""
        service = self.service
        agendas = service.agendas
        while True:
            yield service.clock.phase("arrivals")
            today = service.today
            self.take_over(agendas["area takeover"].due(today))
            moving, asking = agendas["area move"].due(today), agendas["area request"].due(today)
            if moving.size:
                asking = each_once(np.concatenate([asking, self.move(moving)]))
            self.ask(asking)

    def here(self, rows: Rows) -> Rows:
        """Return who is supervised in the community today."""
        people = self.service.people
        return rows[(people.location[rows] == Location.COMMUNITY) & (people.side[rows] >= 0)]

    def move(self, rows: Rows) -> Rows:
        """Let people move home to another area; return who did."""
        service, people = self.service, self.service.people
        rows = move_home(
            rows,
            service.today,
            self.areas,
            self.residents,
            service.chance.constant("area moved to"),
            people.key,
            people.location,
            people.side,
            people.sentences,
            people.area_draws,
            people.area,
            people.area_to,
            people.area_moved_on,
            people.area_refusals,
        )
        service.count("area_moves", rows)
        service.tell("moves to another area", rows, people.area_to[rows])
        return rows

    def ask(self, rows: Rows) -> None:
        """Ask the new area to take cases over: it refuses for now, or will after some working days."""
        if rows.size == 0:
            return
        service, people = self.service, self.service.people
        calendar, chance, today = service.calendar, service.chance, service.today
        found = np.empty((4, rows.size), dtype=np.intp)
        resting, refusing, taking = ask_areas(
            rows,
            found,
            self.refused_share,
            chance.constant("transfer to another area refused"),
            chance.constant("days to another area"),
            *self.wait,
            calendar.working_days_after(today),
            people.key,
            people.location,
            people.side,
            people.wanted,
            people.cell,
            people.sentences,
            people.area_draws,
            people.area_refusals,
        )
        if resting:
            again = calendar.after_working_days(today, self.again_after)
            service.agendas["area request"].put(found[0, :resting], again)
        if refusing:
            refused = found[1, :refusing]
            service.count("area_transfers_refused", refused)
            service.tell("transfer to another area refused", refused, people.area_to[refused])
        if taking:
            service.agendas["area takeover"].put(found[2, :taking], found[3, :taking])

    def take_over(self, rows: Rows) -> None:
        """Make cases the new area's; an officer there is asked for today."""
        if rows.size == 0:
            return
        service, people = self.service, self.service.people
        found = np.empty((4, rows.size), dtype=np.int64)
        resting, taking = take_people(
            rows,
            found,
            service.today,
            service.areas,
            self.unified,
            self.threshold,
            self.organisation.first_office,
            self.organisation.offices,
            service.chance.constant("office"),
            people.key,
            people.location,
            people.side,
            people.wanted,
            people.sentences,
            people.area_draws,
            people.area_moved_on,
            people.rsr,
            people.assessed_rosh,
            people.mappa,
            people.public_interest,
            people.area,
            people.area_to,
            people.office,
            people.cell,
            people.waiting_since,
        )
        if resting:
            again = service.calendar.after_working_days(service.today, self.again_after)
            service.agendas["area request"].put(found[0, :resting], again)
        if taking == 0:
            return
        rows = found[1, :taking]
        service.regroup(rows)
        self.take_requirements(rows)
        if self._taken + taking > self._taken_over.size:
            self._taken_over = np.concatenate([self.taken_over, np.empty(self._taken // 2 + taking, dtype=np.int64)])
        self._taken = add_in_order(self._taken_over, self._taken, found[3, :taking])
        service.count("area_transfers", rows)
        service.count("area_transfer_days", rows, found[2, :taking])
        service.tell("taken over by another area", rows, people.area[rows])
        service.agendas["transfer"].cancel(rows)
        service.agendas["allocate"].put(rows, service.today)
        self.plan(rows)

    def take_requirements(self, rows: Rows) -> None:
        """Let places for what is still ordered be the new area's; a programme that has begun goes on in its group."""
        people, requirements = self.service.people, self.service.requirements
        take_requirements(
            rows,
            people.latest,
            self.service.sentences.previous,
            people.cell,
            requirements.sentence[: requirements.size],
            requirements.progress,
            requirements.cell,
        )

    def count(self) -> None:
        """Count people in the community who live in another area than the one that has their case."""
        if self.possible:
            people = self.service.people
            self.service.count("between_areas", self.here(np.flatnonzero(people.area_to[: people.size] >= 0)))


__all__ = ["AreaMoves"]
