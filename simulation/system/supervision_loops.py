"""What a change of place changes in the records of people: compiled loops that read each person once.

:mod:`simulation.system.supervision` says when they apply, keeps the agendas and tells the history.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulation.engine import NEVER
from simulation.engine.chance import uniform_of
from simulation.engine.compiled import AHEAD, compiled, fetch_soon
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
def _forget(
    row: int,
    today: int,
    month_begin: int,
    unnoticed_days: Counted,
    cell: Array,
    crisis_since: Array,
    crisis_noticed: Array,
) -> None:
    """Forget a change in need; one that nobody noticed adds the days of this month for which it went unnoticed."""
    if crisis_since[row] != NEVER and crisis_noticed[row] == 0:
        unnoticed_days[cell[row]] += today - max(int(crisis_since[row]), month_begin)
    crisis_since[row] = NEVER
    crisis_noticed[row] = 0


@compiled
def _close_case(
    row: int,
    cases: Array,
    officer: Array,
    officer_since: Array,
    side: Array,
    cell: Array,
    escalated: Array,
    waiting_since: Array,
    first_due_from: Array,
    warned_on: Array,
    work_only: Array,
) -> None:
    """Close a case: whoever held it has one case less."""
    if officer[row] >= 0:
        cases[officer[row]] -= 1
    officer[row] = -1
    officer_since[row] = NEVER
    side[row] = -1
    # Nobody's are counted with the NPS.
    cell[row] &= -2
    escalated[row] = 0
    waiting_since[row] = NEVER
    first_due_from[row] = NEVER
    warned_on[row] = NEVER
    work_only[row] = 0


@compiled
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
    key: Array,
    officer: Array,
    latest: Rows,
) -> None:
    """Ask for what :func:`change_place` will need of somebody; a column stands for all that lie beside it."""
    fetch_soon(key, row)
    fetch_soon(officer, row)
    fetch_soon(latest, row)
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
    unnoticed_days: Counted,
    cases: Array,
    contact_day: Days,
    change_day: Days,
    death_day: Days,
    review_day: Days,
    allocation_day: Days,
    move_day: Days,
    rise_day: Days,
    key: Array,
    cell: Array,
    sentences: Array,
    officer: Array,
    officer_since: Array,
    side: Array,
    prison_held: Array,
    escalated: Array,
    waiting_since: Array,
    warned_on: Array,
    spells: Array,
    contacts: Array,
    stage_start: Array,
    phone_draw: Array,
    last_seen: Array,
    first_due_from: Array,
    first_after_release: Array,
    work_only: Array,
    contact_due: Array,
    crisis_since: Array,
    crisis_noticed: Array,
    latest: Rows,
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
    unnoticed_days : int array (cells,)
        Counts the days of this month for which a change in need went unnoticed.
    cases : int array (posts,)
        Cases held.
    contact_day ... rise_day : int arrays (people,)
        Days of what is booked for people: contact, change in need, death; with the case go the next review, allocation,
        move to another officer and rise of risk.

    Returns how many came to the community, came into custody, are no longer supervised, are taken from prison staff,
    and have tasks to drop. The rows of ``found``, shape (6, people), are:

    arrived : int array
        Rows of people who came to the community.
    held, contact_days : int arrays
        Rows of people who came into custody and have an officer, and when the next custody contact would be.
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
            key,
            officer,
            latest,
        )
        row, source, target = rows[at], before[at], after[at]
        if (source == _COURT or source >= _ENDED) and target != _COURT and last_seen[row] >= since:
            dropped[dropping] = row
            dropping += 1
        # Whatever was booked belonged to the place left.
        contact_day[row] = NEVER
        contact_due[row] = NEVER
        if source == _COMMUNITY:
            change_day[row] = NEVER
            death_day[row] = NEVER
            _forget(row, today, month_begin, unnoticed_days, cell, crisis_since, crisis_noticed)
            first_due_from[row] = NEVER
        if target == _COMMUNITY:
            arrived[arriving] = row
            arriving += 1
            # A spell in the community begins: first appointment to come, clocks started.
            spells[row] += 1
            contacts[row] = 0
            stage_start[row] = today
            phone_draw[row] = uniform_of(key[row], telephone, int(sentences[row]))
            last_seen[row] = today
            first_due_from[row] = today
            first_after_release[row] = source in (_SENTENCED, _RECALLED, _COMMITTED)
            order, released = -1, False
            sentence = latest[row]
            while sentence >= 0:
                stands = status[sentence]
                if stands == _ORDER and order < 0:
                    order = sentence
                if stands in (_CURFEW, _LICENCE, _SUPERVISION):
                    released = True
                sentence = previous[sentence]
            work_only[row] = order >= 0 and not released and unpaid_work_only[order] == 1
        elif target in (_SENTENCED, _RECALLED):
            # The officer, if there is one, keeps the case and makes custody contacts.
            if officer[row] >= 0:
                draw = uniform_of(key[row], custody_contact, int(sentences[row]))
                held[holding] = row
                contact_days[holding] = today + 1 + int(draw * custody_interval)
                holding += 1
        elif target >= _ENDED or target == _COURT:
            # Somebody whose sentence runs out while a report is awaited is before the court and nobody's case.
            # From now on this is the day on which supervision ended: the years still at risk count from it. Nobody's
            # supervision ends in being put where they are at the start, or who was before the court already.
            if _COMMUNITY <= source < _ENDED:
                last_seen[row] = today
            over[ending] = row
            ending += 1
            _close_case(
                row,
                cases,
                officer,
                officer_since,
                side,
                cell,
                escalated,
                waiting_since,
                first_due_from,
                warned_on,
                work_only,
            )
            review_day[row] = NEVER
            allocation_day[row] = NEVER
            move_day[row] = NEVER
            rise_day[row] = NEVER
        if prison_held[row] == 1 and target != _SENTENCED:
            handed[handing] = row
            handing += 1
    return arriving, holding, ending, handing, dropping


@compiled
def forget_changes(
    rows: Rows,
    today: int,
    month_begin: int,
    unnoticed_days: Counted,
    cell: Array,
    crisis_since: Array,
    crisis_noticed: Array,
) -> None:
    """Forget unresolved changes in need; count the days of this month for which they went unnoticed."""
    for row in rows:
        _forget(row, today, month_begin, unnoticed_days, cell, crisis_since, crisis_noticed)


@compiled
def begin_orders(
    rows: Rows,
    today: int,
    contacts: Array,
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
