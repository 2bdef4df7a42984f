"""What a change of place changes in the records of people: compiled loops that read each person once.

:mod:`simulation.system.supervision` says when they apply, keeps the agendas and tells the history. The loops are given
records of what lies side by side, see :mod:`simulation.system.columns`: ``people`` of what every contact reads,
``places`` of where somebody is and who is responsible, ``moves`` of what beginning and ending supervision read.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulation.engine import NEVER
from simulation.engine.chance import uniform_of
from simulation.engine.compiled import compiled
from simulation.system.codes import Location, Status

Rows = NDArray[np.intp]
Array = NDArray[Any]
Counted = NDArray[np.int64]
Days = NDArray[np.int32]

# A compiled loop takes plain numbers, not the members of a class.
_COURT, _COMMUNITY, _SENTENCED, _RECALLED = Location.COURT, Location.COMMUNITY, Location.SENTENCED, Location.RECALLED
_COMMITTED, _ENDED = Location.COMMITTED, Location.ENDED
_ORDER, _CURFEW, _LICENCE, _SUPERVISION = Status.ORDER, Status.CURFEW, Status.LICENCE, Status.SUPERVISION


@compiled
def _forget(row: int, today: int, month_begin: int, unnoticed_days: Counted, people: Array) -> None:
    """Forget a change in need; one that nobody noticed adds the days of this month for which it went unnoticed."""
    person = people[row]
    since = int(person["crisis_since"])
    if since != NEVER and person["crisis_noticed"] == 0:
        unnoticed_days[person["cell"]] += today - max(since, month_begin)
    person["crisis_since"] = NEVER
    person["crisis_noticed"] = 0


@compiled
def _begin_spell(
    row: int,
    today: int,
    telephone: np.uint64,
    people: Array,
    latest: int,
    previous: Rows,
    status: Array,
    unpaid_work_only: Array,
) -> None:
    """Begin a spell in the community: first appointment to come, clocks started."""
    person = people[row]
    person["spells"] += 1
    person["contacts"] = 0
    person["stage_start"] = today
    person["phone_draw"] = uniform_of(person["key"], telephone, int(person["sentences"]))
    person["last_seen"] = today
    person["first_due_from"] = today
    order, released = -1, False
    sentence = latest
    while sentence >= 0:
        stands = status[sentence]
        if stands == _ORDER and order < 0:
            order = sentence
        if stands in (_CURFEW, _LICENCE, _SUPERVISION):
            released = True
        sentence = previous[sentence]
    person["work_only"] = 1 if order >= 0 and not released and unpaid_work_only[order] == 1 else 0


@compiled
def _close_case(row: int, cases: Array, people: Array, places: Array, moves: Array) -> None:
    """Close a case: whoever held it has one case less."""
    person, place, move = people[row], places[row], moves[row]
    if place["officer"] >= 0:
        cases[place["officer"]] -= 1
    place["officer"] = -1
    place["side"] = -1
    # Nobody's are counted with the NPS.
    person["cell"] = person["cell"] & -2
    person["first_due_from"] = NEVER
    person["work_only"] = 0
    move["officer_since"] = NEVER
    move["escalated"] = 0
    move["waiting_since"] = NEVER
    move["warned_on"] = NEVER


@compiled
def change_place(
    rows: Rows,
    before: NDArray[np.int8],
    after: NDArray[np.int8],
    found: NDArray[np.intp],
    today: int,
    month_begin: int,
    telephone: np.uint64,
    custody_contact: np.uint64,
    custody_interval: int,
    unnoticed_days: Counted,
    cases: Array,
    of_place: tuple[Days, ...],
    of_case: tuple[Days, ...],
    people: Array,
    places: Array,
    moves: Array,
    previous: Rows,
    status: Array,
    unpaid_work_only: Array,
) -> tuple[int, int, int, int, int]:
    """Write what leaving a place and coming to another changes, and close the cases of those whose supervision is over.

    Parameters
    ----------
    telephone, custody_contact : uint64
        Constants of the draws that they name.
    unnoticed_days : int array (cells,)
        Counts the days of this month for which a change in need went unnoticed.
    cases : int array (posts,)
        Cases held.
    of_place : tuple of int arrays (people,)
        Days of what is booked for people: the next contact, change in need and death.
    of_case : tuple of int arrays (people,)
        The same of what goes with the case: the next review, allocation, move to another officer and rise of risk.

    Returns how long the lists are that are written into ``found``, shape (5, people), see
    :func:`simulation.system.custody_loops.lists_of`:

    arrived : int array
        Rows of people who came to the community.
    held, contact_days : int arrays
        Rows of people who came into custody and have an officer, and when the next custody contact would be.
    over : int array
        Rows of people whose supervision is over.
    handed : int array
        Rows of people whose cases prison staff hold and who aren't in custody now.
    """
    arrived, held, contact_days, over, handed = found[0], found[1], found[2], found[3], found[4]
    arriving, holding, ending, handing = 0, 0, 0, 0
    contact_day, change_day, death_day = of_place
    review_day, allocation_day, move_day, rise_day = of_case
    for at in range(rows.size):
        row, source, target = rows[at], before[at], after[at]
        person = people[row]
        # Whatever was booked belonged to the place left.
        contact_day[row] = NEVER
        person["contact_due"] = NEVER
        if source == _COMMUNITY:
            change_day[row] = NEVER
            death_day[row] = NEVER
            _forget(row, today, month_begin, unnoticed_days, people)
            person["first_due_from"] = NEVER
        if target == _COMMUNITY:
            arrived[arriving] = row
            arriving += 1
            moves[row]["first_after_release"] = 1 if source in (_SENTENCED, _RECALLED, _COMMITTED) else 0
            latest = int(moves[row]["latest"])
            _begin_spell(row, today, telephone, people, latest, previous, status, unpaid_work_only)
        elif target in (_SENTENCED, _RECALLED):
            # The officer, if there is one, keeps the case and makes custody contacts.
            if places[row]["officer"] >= 0:
                draw = uniform_of(person["key"], custody_contact, int(person["sentences"]))
                held[holding] = row
                contact_days[holding] = today + 1 + int(draw * custody_interval)
                holding += 1
        elif target >= _ENDED or target == _COURT:
            # Somebody whose sentence runs out while a report is awaited is before the court and nobody's case.
            # From now on this is the day on which supervision ended: the years still at risk count from it. Nobody's
            # supervision ends in being put where they are at the start, or who was before the court already.
            if _COMMUNITY <= source < _ENDED:
                person["last_seen"] = today
            over[ending] = row
            ending += 1
            _close_case(row, cases, people, places, moves)
            review_day[row] = NEVER
            allocation_day[row] = NEVER
            move_day[row] = NEVER
            rise_day[row] = NEVER
        if places[row]["prison_held"] == 1 and target != _SENTENCED:
            handed[handing] = row
            handing += 1
    return arriving, holding, holding, ending, handing


@compiled
def forget_changes(rows: Rows, today: int, month_begin: int, unnoticed_days: Counted, people: Array) -> None:
    """Forget unresolved changes in need; count the days of this month for which they went unnoticed."""
    for row in rows:
        _forget(row, today, month_begin, unnoticed_days, people)


@compiled
def begin_orders(
    rows: Rows,
    today: int,
    people: Array,
    moves: Array,
    previous: Rows,
    status: Array,
    unpaid_work_only: Array,
) -> None:
    """Begin a new order of people already supervised in the community."""
    for row in rows:
        person = people[row]
        person["contacts"] = 0
        person["stage_start"] = today
        person["first_due_from"] = today
        moves[row]["first_after_release"] = 0
        order = int(moves[row]["latest"])
        while order >= 0 and status[order] != _ORDER:
            order = previous[order]
        # A warning belongs to the order it was given on, and stays while one of before runs.
        older = order
        if older >= 0:
            older = previous[older]
            while older >= 0 and status[older] != _ORDER:
                older = previous[older]
        if older < 0:
            moves[row]["warned_on"] = NEVER
        if order < 0 or unpaid_work_only[order] == 0:
            person["work_only"] = 0
