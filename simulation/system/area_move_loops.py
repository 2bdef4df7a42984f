"""Moves to another area, one person at a time: compiled loops over the people whose day has come.

:mod:`simulation.system.area_moves` says when they apply, keeps the agendas and tells the history.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulation.engine import NEVER
from simulation.engine.calendar import YEAR_DAYS
from simulation.engine.chance import minus_log_of, uniform_of
from simulation.engine.compiled import compiled, compiled_inside
from simulation.engine.order import put_in_order
from simulation.system.allocation_loops import must_be_nps
from simulation.system.codes import CRC, NPS, Location, Progress
from simulation.system.officers import held_elsewhere_at
from simulation.system.service import Array, Rows
from simulation.system.waits import value_at

#: Draws are numbered by sentence, move within it, and refusal within that: so many of each at most.
_PER = 1024
_MOST_COUNTED = 127
# Compiled code knows plain numbers only.
_FINISHED, _COMMUNITY = Progress.FINISHED, Location.COMMUNITY


@compiled
def other_area(area: int, areas: Array, residents: Array, everybody: int, uniform: float) -> int:
    """Return where somebody from an area moves to: another of some areas, by its residents, ``everybody`` in all."""
    before = own = 0
    while areas[own] != area:
        before += residents[own]
        own += 1
    # A place among the residents of the other areas, and then among all.
    place = int(uniform * (everybody - residents[own]))
    if place >= before:
        place += residents[own]
    found, end = 0, residents[0]
    while end <= place:
        found += 1
        end += residents[found]
    return areas[found]


@compiled_inside
def _number_of(row: int, sentences: Array, area_draws: Array) -> int:
    """Return the occurrence of a draw about somebody's present move: sentence, and moves drawn so far."""
    return int(sentences[row]) * _PER + int(area_draws[row])


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
        number = _number_of(row, sentences, area_draws)
        wait = minus_log_of(1.0 - uniform_of(key[row], moves, number), logarithms) / each * YEAR_DAYS
        moving[many] = row
        days[many] = today + 1 + int(min(wait, float(left)))
        many += 1
    return moving[:many], days[:many]


@compiled
def move_home(
    rows: Rows,
    today: int,
    areas: Array,
    residents: Array,
    moved_to: np.uint64,
    key: Array,
    location: Array,
    side: Array,
    sentences: Array,
    area_draws: Array,
    area: Array,
    area_to: Array,
    area_moved_on: Array,
    area_refusals: Array,
) -> Rows:
    """Let people who are supervised in the community move home to another area; return who did.

    Parameters
    ----------
    areas, residents : int arrays
        Areas there are, in order, and how many people live in each.
    moved_to : uint64
        Constant of the draw.
    """
    everybody = 0
    for many_there in residents:
        everybody += many_there
    moved, many = np.empty(rows.size, dtype=np.intp), 0
    for row in rows:
        if location[row] != _COMMUNITY or side[row] < 0:
            continue
        uniform = uniform_of(key[row], moved_to, _number_of(row, sentences, area_draws))
        area_to[row] = other_area(area[row], areas, residents, everybody, uniform)
        area_moved_on[row] = today
        area_refusals[row] = 0
        moved[many] = row
        many += 1
    return moved[:many]


@compiled
def ask_areas(
    rows: Rows,
    found: NDArray[np.intp],
    refused_share: Array,
    refuses: np.uint64,
    waits: np.uint64,
    probabilities: Array,
    values: Array,
    ahead: Array,
    key: Array,
    location: Array,
    side: Array,
    wanted: Array,
    cell: Array,
    sentences: Array,
    area_draws: Array,
    area_refusals: Array,
) -> tuple[int, int, int]:
    """Ask the areas that people moved to to take their cases over: each refuses for now, or will after some days.

    Parameters
    ----------
    found : int array (4, rows)
        Written here: who is asked for again, as many as are returned first; whom the area refuses; who is taken over,
        and on which day.
    refused_share : float array (cells,)
        Share of cases refused.
    refuses, waits : uint64
        Constants of the draws.
    probabilities, values : float arrays
        Quantiles of the working days that a takeover takes.
    ahead : int array
        Days that lie 1, 2, 3 ... working days after today, at places 1, 2, 3 ...
    """
    again, refused, taken, days = found[0], found[1], found[2], found[3]
    resting, refusing, taking = 0, 0, 0
    for row in rows:
        if location[row] != _COMMUNITY or side[row] < 0:
            continue
        again[resting] = row
        # Nobody is handed over for whom a warrant is out.
        if wanted[row] == 1:
            resting += 1
            continue
        number = _number_of(row, sentences, area_draws)
        occurrence = number * _PER + int(area_refusals[row])
        if uniform_of(key[row], refuses, occurrence) < refused_share[cell[row]]:
            area_refusals[row] = min(int(area_refusals[row]) + 1, _MOST_COUNTED)
            resting += 1
            refused[refusing] = row
            refusing += 1
        else:
            wait = int(value_at(uniform_of(key[row], waits, number), probabilities, values))
            taken[taking], days[taking] = row, ahead[max(wait, 1)]
            taking += 1
    return resting, refusing, taking


@compiled
def take_people(
    rows: Rows,
    found: NDArray[np.int64],
    today: int,
    areas: int,
    unified: Array,
    threshold: Array,
    first_office: Array,
    offices: Array,
    office_of: np.uint64,
    key: Array,
    location: Array,
    side: Array,
    wanted: Array,
    sentences: Array,
    area_draws: Array,
    area_moved_on: Array,
    rsr: Array,
    assessed_rosh: Array,
    mappa: Array,
    public_interest: Array,
    area: Array,
    area_to: Array,
    office: Array,
    cell: Array,
    waiting_since: Array,
) -> tuple[int, int]:
    """Make people the area's to which they moved, with the side by its rule; between two split areas it stays.

    Parameters
    ----------
    found : int array (4, rows)
        Written here: who can't be taken over now, as many as are returned first; who is, the days since the move, and
        area and person in one number, in order.
    areas : int
        How many areas there are.
    unified, threshold : arrays (areas,)
        Where the service is one; RSR in hundredths of a percent from which a case is the NPS's.
    first_office, offices : int arrays (areas,)
        Offices of each area.
    office_of : uint64
        Constant of the draw.
    """
    again, taken, days, where = found[0], found[1], found[2], found[3]
    resting, taking = 0, 0
    for row in rows:
        if location[row] != _COMMUNITY or side[row] < 0:
            continue
        if wanted[row] == 1:
            again[resting] = row
            resting += 1
            continue
        one_before, place = unified[area[row]], int(area_to[row])
        area[row] = place
        area_to[row] = -1
        draw = uniform_of(key[row], office_of, _number_of(row, sentences, area_draws))
        office[row] = first_office[place] + int(draw * offices[place])
        must = must_be_nps(
            threshold[place], int(rsr[row]), int(assessed_rosh[row]), int(mappa[row]), int(public_interest[row])
        )
        side[row] = NPS if unified[place] or must or (side[row] == NPS and not one_before) else CRC
        cell[row] = (int(cell[row]) // (areas * 2) * areas + place) * 2 + int(side[row])
        # The officer of before keeps the case until somebody has it, as when a company's case goes to the NPS.
        if waiting_since[row] == NEVER:
            waiting_since[row] = today
        taken[taking], days[taking] = row, today - area_moved_on[row]
        where[taking] = held_elsewhere_at(place, row)
        taking += 1
    put_in_order(where[:taking])
    return resting, taking


@compiled
def add_in_order(numbers: Array, size: int, new: Array) -> int:
    """Put further numbers in their places among the first so many, which are in order; return how many there are now.

    Each is there once; there is room for all. Those behind the last place that changes move up, the others stay.
    """
    unknown, many = np.empty(new.size, dtype=np.int64), 0
    for number in new:
        at = np.searchsorted(numbers[:size], number)
        if at == size or numbers[at] != number:
            unknown[many] = number
            many += 1
    end, place, left = size + many, size - 1, many
    while left > 0:
        number = unknown[left - 1]
        while place >= 0 and numbers[place] > number:
            numbers[place + left] = numbers[place]
            place -= 1
        numbers[place + left] = number
        left -= 1
    return end


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
