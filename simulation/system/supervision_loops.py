"""What a change of place changes in the records of people: compiled loops that read each person once.

:mod:`simulation.system.supervision` says when they apply, keeps the agendas and tells the history.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulation.engine import NEVER
from simulation.engine.chance import uniform_of
from simulation.engine.compiled import AHEAD, compiled, compiled_inside, fetch_soon
from simulation.system.codes import Location, Status

Rows = NDArray[np.intp]
Array = NDArray[Any]
Counted = NDArray[np.int64]
Days = NDArray[np.int32]

# A compiled loop takes plain numbers, not the members of a class.
_COURT, _COMMUNITY, _SENTENCED, _RECALLED = Location.COURT, Location.COMMUNITY, Location.SENTENCED, Location.RECALLED
_COMMITTED, _ENDED = Location.COMMITTED, Location.ENDED
_ORDER, _CURFEW, _LICENCE, _SUPERVISION = Status.ORDER, Status.CURFEW, Status.LICENCE, Status.SUPERVISION


@compiled_inside
def _forget(person: Any, today: int, month_begin: int, unnoticed_days: Counted) -> None:
    """Forget a change in need; one that nobody noticed adds the days of this month for which it went unnoticed."""
    if person["crisis_since"] != NEVER and person["crisis_noticed"] == 0:
        unnoticed_days[person["cell"]] += today - max(int(person["crisis_since"]), month_begin)
    person["crisis_since"] = NEVER
    person["crisis_noticed"] = 0


@compiled_inside
def _close_case(person: Any, move: Any, place: Any, cases: Array) -> None:
    """Close a case, given what lies in each of somebody's records: whoever held it has one case less."""
    if place["officer"] >= 0:
        cases[place["officer"]] -= 1
    place["officer"] = -1
    place["side"] = -1
    move["officer_since"] = NEVER
    move["escalated"] = 0
    move["waiting_since"] = NEVER
    move["warned_on"] = NEVER
    # Nobody's are counted with the NPS.
    person["cell"] &= -2
    person["first_due_from"] = NEVER
    person["officer_changed_on"] = NEVER
    person["work_only"] = 0


@compiled_inside
def _fetch_soon(
    row: int,
    target: int,
    contact_day: Days,
    change_day: Days,
    death_day: Days,
    review_day: Days,
    allocation_day: Days,
    move_day: Days,
    rise_day: Days,
    people: Array,
    moves: Array,
    places: Array,
) -> None:
    """Ask for what :func:`change_place` will need of somebody."""
    fetch_soon(people, row)
    fetch_soon(places, row)
    fetch_soon(moves, row)
    fetch_soon(contact_day, row)
    fetch_soon(change_day, row)
    fetch_soon(death_day, row)
    if target >= _ENDED:
        fetch_soon(review_day, row)
        fetch_soon(allocation_day, row)
        fetch_soon(move_day, row)
        fetch_soon(rise_day, row)


@compiled
def change_place(
    rows: Rows,
    before: Rows,
    after: Rows,
    found: NDArray[np.intp],
    today: int,
    month_begin: int,
    since: int,
    telephone: np.uint64,
    custody_contact: np.uint64,
    custody_interval: int,
    working_after: Days,
    origin: int,
    unnoticed_days: Counted,
    cases: Array,
    contact_day: Days,
    change_day: Days,
    death_day: Days,
    review_day: Days,
    allocation_day: Days,
    move_day: Days,
    rise_day: Days,
    people: Array,
    moves: Array,
    places: Array,
    prison_held: Array,
    out_since: Array,
    previous: Rows,
    status: Array,
    unpaid_work_only: Array,
) -> tuple[int, int, int, int, int]:
    """Write what leaving a place and coming to another changes, and close the cases of those whose supervision is over.

    Parameters
    ----------
    since : int
        Diaries of before that day have dropped the tasks of those who were nobody's case.
    telephone, custody_contact : uint64
        Constants of the draws that they name.
    working_after, origin : int array, int
        The working day at or after each day, and the place of day 0.
    unnoticed_days : int array (cells,)
        Counts the days of this month for which a change in need went unnoticed.
    cases : int array (posts,)
        Cases held.
    contact_day ... rise_day : int arrays (people,)
        Days of what is booked for people: contact, change in need, death; with the case go the next review, allocation,
        move to another officer and rise of risk.
    people, moves, places : records (people,)
        Columns of people that lie together: each loop reaches them through three arrays for less than through twenty.

    Returns how many came to the community, came into custody, are no longer supervised, are taken from prison staff,
    and have tasks to drop. The rows of ``found``, shape (6, people), are:

    arrived : int array
        Rows of people who came to the community.
    held, contact_days : int arrays
        Rows of people who came into custody and have an officer, and when the next custody contact is.
    over : int array
        Rows of people whose supervision is over.
    handed : int array
        Rows of people whose cases prison staff hold and who aren't in custody now.
    dropped : int array
        Rows of people whose case was closed and begins anew before anybody looked at a diary: their tasks go. Diaries
        drop those of all other closed cases, for their people are nobody's case on the next working day.
    """
    arrived, held, contact_days, over, handed, dropped = found[0], found[1], found[2], found[3], found[4], found[5]
    arriving, holding, ending, handing, dropping = 0, 0, 0, 0, 0
    for at in range(rows.size):
        _fetch_soon(
            rows[min(at + AHEAD, rows.size - 1)],
            after[min(at + AHEAD, rows.size - 1)],
            contact_day,
            change_day,
            death_day,
            review_day,
            allocation_day,
            move_day,
            rise_day,
            people,
            moves,
            places,
        )
        row, source, target = rows[at], before[at], after[at]
        person, move, place = people[row], moves[row], places[row]
        if (source == _COURT or source >= _ENDED) and target != _COURT and person["last_seen"] >= since:
            dropped[dropping] = row
            dropping += 1
        # Whatever was booked belonged to the place left.
        contact_day[row] = NEVER
        person["contact_due"] = NEVER
        person["wanted"] = 0
        if source in (_SENTENCED, _RECALLED, _COMMITTED):
            out_since[row] = today
        if source == _COMMUNITY:
            change_day[row] = NEVER
            death_day[row] = NEVER
            _forget(person, today, month_begin, unnoticed_days)
            person["first_due_from"] = NEVER
        if target == _COMMUNITY:
            arrived[arriving] = row
            arriving += 1
            # A spell in the community begins: first appointment to come, clocks started.
            person["spells"] += 1
            person["contacts"] = 0
            person["stage_start"] = today
            person["phone_draw"] = uniform_of(person["key"], telephone, int(person["sentences"]))
            person["last_seen"] = today
            person["first_due_from"] = today
            move["first_after_release"] = source in (_SENTENCED, _RECALLED, _COMMITTED)
            # For unpaid work alone: every order that runs is, and no licence or supervision runs beside.
            sentence, alone, ordered = move["latest"], True, False
            while sentence >= 0:
                stands = status[sentence]
                if stands == _ORDER:
                    ordered = True
                    alone = alone and unpaid_work_only[sentence] == 1
                if stands in (_CURFEW, _LICENCE, _SUPERVISION):
                    alone = False
                sentence = previous[sentence]
            person["work_only"] = ordered and alone
        elif target in (_SENTENCED, _RECALLED):
            # The officer, if there is one, keeps the case and makes custody contacts.
            if place["officer"] >= 0:
                draw = uniform_of(person["key"], custody_contact, int(person["sentences"]))
                held[holding] = row
                contact_days[holding] = working_after[today + 1 + int(draw * custody_interval) + origin]
                holding += 1
        elif target >= _ENDED or target == _COURT:
            # Somebody whose sentence runs out while a report is awaited is before the court and nobody's case.
            # From now on this is the day on which supervision ended: the years still at risk count from it. Nobody's
            # supervision ends in being put where they are at the start, or who was before the court already.
            if _COMMUNITY <= source < _ENDED:
                person["last_seen"] = today
            over[ending] = row
            ending += 1
            _close_case(person, move, place, cases)
            review_day[row] = NEVER
            allocation_day[row] = NEVER
            move_day[row] = NEVER
            rise_day[row] = NEVER
        if prison_held[row] == 1 and target != _SENTENCED:
            handed[handing] = row
            handing += 1
    return arriving, holding, ending, handing, dropping


@compiled
def forget_changes(rows: Rows, today: int, month_begin: int, unnoticed_days: Counted, people: Array) -> None:
    """Forget unresolved changes in need; count the days of this month for which they went unnoticed."""
    for at in range(rows.size):
        fetch_soon(people, rows[min(at + AHEAD, rows.size - 1)])
        _forget(people[rows[at]], today, month_begin, unnoticed_days)


@compiled
def begin_orders(
    rows: Rows,
    today: int,
    contacts: Array,
    contact_due: Array,
    stage_start: Array,
    first_due_from: Array,
    first_after_release: Array,
    warned_on: Array,
    work_only: Array,
    latest: Rows,
    previous: Rows,
    status: Array,
    unpaid_work_only: Array,
) -> None:
    """Begin a new order of people already supervised in the community."""
    for row in rows:
        contacts[row] = 0
        contact_due[row] = NEVER
        stage_start[row] = today
        first_due_from[row] = today
        first_after_release[row] = 0
        order = latest[row]
        while order >= 0 and status[order] != _ORDER:
            order = previous[order]
        # A warning belongs to the order it was given on, and stays while one of before runs.
        older = order
        if older >= 0:
            older = previous[older]
            while older >= 0 and status[older] != _ORDER:
                older = previous[older]
        if older < 0:
            warned_on[row] = NEVER
        if order < 0 or unpaid_work_only[order] == 0:
            work_only[row] = 0
