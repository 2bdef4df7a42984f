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
from numpy.typing import NDArray

from simulation.engine import NEVER
from simulation.engine.agenda import each_once
from simulation.engine.calendar import YEAR_DAYS
from simulation.engine.chance import logarithms, minus_log_of, uniform_of
from simulation.engine.compiled import compiled
from simulation.system.codes import CRC, NPS, Location, Progress
from simulation.system.levers import AREA_MOVES, Levers, anybody_moves
from simulation.system.officers import held_elsewhere, those_of
from simulation.system.organisation import Organisation
from simulation.system.population import area_of_conviction
from simulation.system.quantiles import draw
from simulation.system.service import Array, Rows, Service
from simulation.system.splitting import of_the_nps
from simulation.system.supervision import Supervision

#: Draws are numbered by sentence, move within it, and refusal within that: so many of each at most.
_PER = 1024
_MOST_COUNTED = 127
_NOBODY = np.empty(0, dtype=np.intp)
# Compiled code knows plain numbers only.
_FINISHED = Progress.FINISHED


def destinations(area: Array, areas: Array, residents: Array, uniform: Array) -> NDArray[np.int64]:
    """Return where people move to: another of some areas, by its residents.

    Parameters
    ----------
    area : int array (people,)
        Where each lives.
    areas, residents : int arrays
        Areas there are, in order, and how many people live in each.
    uniform : float array (people,)
        A draw of each.

    Examples
    --------
    Of three areas with 10, 20 and 30 residents, somebody from the second moves to the third three times as often as to
    the first:

    >>> areas, residents = np.array([2, 7, 9]), np.array([10, 20, 30])
    >>> destinations(np.full(4, 7), areas, residents, np.array([0, 0.24, 0.25, 0.99])).tolist()
    [2, 2, 9, 9]
    """
    edges = np.cumsum(residents)
    own = np.searchsorted(areas, area)
    # A place among the residents of the other areas, and then among all.
    place = (uniform * (edges[-1] - residents[own])).astype(np.int64)
    place += np.where(place >= edges[own] - residents[own], residents[own], 0)
    found: NDArray[np.int64] = areas[np.searchsorted(edges, place, side="right")]
    return found


@compiled
def take_requirements(
    rows: Rows, latest: Rows, previous: Rows, cell_of: Array, required_by: Array, progress: Array, cell: Array
) -> None:
    """Let what sentences of some people still require be counted where these people are.

    Parameters
    ----------
    rows : int array
        Rows of people.
    latest, previous : int arrays (people,) and (sentences,)
        Everybody's latest sentence, and the one of the same person before each.
    cell_of : int array (people,)
        Where everybody's counts go.
    required_by, progress, cell : int arrays (requirements,)
        Sentence of each requirement, how far it has come and where it is counted; moved here. Requirements are written
        sentence by sentence, so that sentences are in order.
    """
    for row in rows:
        sentence = latest[row]
        while sentence >= 0:
            at = np.searchsorted(required_by, sentence)
            while at < required_by.size and required_by[at] == sentence:
                if progress[at] < _FINISHED:
                    cell[at] = cell_of[row]
                at += 1
            sentence = previous[sentence]


@compiled
def plan_moves(
    rows: Rows,
    today: int,
    left: int,
    rate: Array,
    moves: np.uint64,
    logarithms: Array,
    planned: Array,
    key: Array,
    cell: Array,
    sentences: Array,
    area_to: Array,
    area_draws: Array,
) -> tuple[Rows, NDArray[np.int64]]:
    """Draw when people would move who live where their case is and have no such day yet.

    Parameters
    ----------
    left : int
        Days until the end of the run; who would stay longer has the day after.
    rate : float array (cells,)
        Moves a year.
    moves : uint64
        Constant of the draw.
    planned : int array (people,)
        Day for which the next move of each is planned.

    Returns
    -------
    rows, days : int arrays
        Who moves, and on which day.
    """
    moving, days, many = np.empty(rows.size, dtype=np.intp), np.empty(rows.size, dtype=np.int64), 0
    for row in rows:
        each = rate[cell[row]]
        if area_to[row] >= 0 or each <= 0 or planned[row] != NEVER:
            continue
        area_draws[row] = int(area_draws[row]) % (_PER - 1) + 1
        number = int(sentences[row]) * _PER + int(area_draws[row])
        wait = minus_log_of(1.0 - uniform_of(key[row], moves, number), logarithms) / each * YEAR_DAYS
        moving[many] = row
        days[many] = today + 1 + int(min(wait, float(left)))
        many += 1
    return moving[:many], days[:many]


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
        self.wait = levers.mapping("allocation.area_transfer_working_days")
        self.refused_share = levers.cells("allocation.area_refused_share")
        self.again_after = levers.integer("allocation.area_again_working_days")
        self.unified = levers.grid("organisation.unified")[:, NPS] > 0.5
        #: Areas and people whom they have taken over from the area of conviction; derived, so no state.
        self.taken_over = self.find_taken_over()

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

    def number(self, rows: Rows) -> NDArray[np.int64]:
        """Return the occurrence of a draw about the present move: sentence, and moves drawn so far."""
        people = self.service.people
        return people.sentences[rows].astype(np.int64) * _PER + people.area_draws[rows]

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
        rows = self.here(rows)
        if rows.size == 0:
            return rows
        uniform = service.chance.uniform(people.key[rows], "area moved to", self.number(rows))
        people.area_to[rows] = destinations(people.area[rows], self.areas, self.residents, uniform)
        people.area_moved_on[rows] = service.today
        people.area_refusals[rows] = 0
        service.count("area_moves", rows)
        service.tell("moves to another area", rows, people.area_to[rows])
        return rows

    def ask(self, rows: Rows) -> None:
        """Ask the new area to take cases over: it refuses for now, or will after some working days."""
        service, people = self.service, self.service.people
        rows = self.here(rows)
        if rows.size == 0:
            return
        again = service.calendar.after_working_days(service.today, self.again_after)
        # Nobody is handed over for whom a warrant is out.
        wanted = people.wanted[rows] == 1
        service.agendas["area request"].put(rows[wanted], again)
        rows = rows[~wanted]
        occurrence = self.number(rows) * _PER + people.area_refusals[rows]
        uniform = service.chance.uniform(people.key[rows], "transfer to another area refused", occurrence)
        refusing = uniform < self.refused_share[people.cell[rows]]
        refused, taken = rows[refusing], rows[~refusing]
        people.area_refusals[refused] = np.minimum(people.area_refusals[refused].astype(np.int64) + 1, _MOST_COUNTED)
        service.count("area_transfers_refused", refused)
        service.tell("transfer to another area refused", refused, people.area_to[refused])
        service.agendas["area request"].put(refused, again)
        uniform = service.chance.uniform(people.key[taken], "days to another area", self.number(taken))
        days = np.maximum(draw(self.wait, uniform).astype(np.int64), 1)
        today = np.full(taken.size, service.today)
        service.agendas["area takeover"].put(taken, service.calendar.add_working_days(today, days))

    def take_over(self, rows: Rows) -> None:
        """Make cases the new area's; an officer there is asked for today."""
        service, people = self.service, self.service.people
        rows = self.here(rows)
        if rows.size == 0:
            return
        wanted = people.wanted[rows] == 1
        again = service.calendar.after_working_days(service.today, self.again_after)
        service.agendas["area request"].put(rows[wanted], again)
        rows = rows[~wanted]
        one_before = self.unified[people.area[rows]]
        people.area[rows] = people.area_to[rows]
        people.area_to[rows] = -1
        self.organisation.assign_offices(rows, self.number(rows))
        block = people.cell[rows] // (service.areas * 2)
        people.cell[rows] = (block.astype(np.int64) * service.areas + people.area[rows]) * 2
        self.choose_side(rows, one_before)
        service.regroup(rows)
        self.take_requirements(rows)
        new = np.sort(held_elsewhere(people.area[rows], rows))
        place = np.searchsorted(self.taken_over, new)
        known = place < self.taken_over.size
        known[known] = self.taken_over[place[known]] == new[known]
        self.taken_over = np.insert(self.taken_over, place[~known], new[~known])
        service.count("area_transfers", rows)
        service.count("area_transfer_days", rows, (service.today - people.area_moved_on[rows]).astype(np.int64))
        service.tell("taken over by another area", rows, people.area[rows])
        # The officer of before keeps the case until somebody has it, as when a company's case goes to the NPS.
        waits = people.waiting_since[rows] != NEVER
        people.waiting_since[rows[~waits]] = service.today
        service.agendas["transfer"].cancel(rows)
        service.agendas["allocate"].put(rows, service.today)
        self.plan(rows)

    def choose_side(self, rows: Rows, one_before: Array) -> None:
        """Set the side by the rule of the area that people now belong to; between two split areas it stays."""
        people = self.service.people
        one = self.unified[people.area[rows]]
        nps = one | of_the_nps(self.service, rows) | ((people.side[rows] == NPS) & ~one_before)
        self.service.set_side(rows, np.where(nps, NPS, CRC))

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


__all__ = ["AreaMoves", "destinations"]
