"""The list of a day in the breach courts, case by case: compiled loops that read each sentence once.

:mod:`simulation.system.breach_courts` says when they apply and tells the history.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulation.engine import NEVER
from simulation.engine.chance import uniform_of
from simulation.engine.compiled import AHEAD, compiled, compiled_inside, fetch_soon
from simulation.engine.order import put_in_order, put_in_order_of, put_into
from simulation.system.codes import Location, Status
from simulation.system.enforcement_loops import occurrence_of
from simulation.system.service import COUNT_INDEX, Array, Rows
from simulation.system.waits import value_at

Days = NDArray[np.int32]
Floats = NDArray[np.float64]
Counted = NDArray[np.int64]

# A compiled loop takes plain numbers, not the members of a class.
_COMMUNITY, _ORDER, _SUPERVISION = Location.COMMUNITY, Status.ORDER, Status.SUPERVISION

# Rows of what is counted among the counts of the month.
_EXECUTED, _WARRANT_DAYS = COUNT_INDEX["warrants_executed"], COUNT_INDEX["warrant_days"]
_ISSUED, _HEARING_DAYS = COUNT_INDEX["warrants_issued"], COUNT_INDEX["breach_hearing_days"]
_PUT_OFF = COUNT_INDEX["hearings_put_off"]


@compiled
def places_of_day(rate: Floats, day: int) -> NDArray[np.int64]:
    """Return how many breaches each area's courts hear on the working day of this number, at a rate for each day."""
    places = np.empty(rate.size, dtype=np.int64)
    for area in range(rate.size):
        places[area] = int(np.floor(rate[area] * (day + 1))) - int(np.floor(rate[area] * day))
    return places


@compiled
def hold_list(
    listed: Rows, found: NDArray[np.intp], places: NDArray[np.int64], area: Array, person: Rows, breach_known: Array
) -> tuple[int, int]:
    """Part those whom the day's list holds from the others: the oldest failure comes first, then by people's keys.

    People are in the order of their keys, and of somebody's two the sentence that is listed first comes first. Returns
    how many are held and put off, written into the rows of ``found``, shape (2, listed), in the order of the list.
    """
    order = np.arange(listed.size)
    put_in_order_of(order, person[listed])
    oldest = np.empty_like(order)
    for at in range(order.size):
        oldest[at] = breach_known[listed[order[at]]]
    # By the day of the failure, and among those of one day by the order that is there.
    place = np.arange(listed.size)
    put_in_order_of(place, oldest)
    left, held = places.copy(), np.zeros(listed.size, dtype=np.bool_)
    for at in range(listed.size):
        one = order[place[at]]
        where = area[person[listed[one]]]
        held[one] = left[where] > 0
        left[where] -= 1
    holding, putting_off = 0, 0
    for at in range(listed.size):
        if held[at]:
            found[0, holding] = listed[at]
            holding += 1
        else:
            found[1, putting_off] = listed[at]
            putting_off += 1
    return holding, putting_off


@compiled_inside
def call_list(
    due: Rows,
    today: int,
    places: NDArray[np.int64],
    area: Array,
    cell: Array,
    person: Rows,
    status: Array,
    breach_known: Array,
    warrant_since: Array,
    flows: Counted,
) -> tuple[Rows, Rows, Rows, bool]:
    """Part the breaches of a day: those on the list, and those heard in any case, who were arrested on a warrant.

    Parameters
    ----------
    places : int64 array (areas,)
        How many of the list can be heard today.
    flows : int64 array (counts, cells)
        Counts of the month.

    Returns
    -------
    listed : int array
        Sentences on the list.
    at_once : int array
        Those heard at once; and those that have ended meanwhile, which take no time.
    arrested : int array
        People arrested on a warrant, which is executed here.
    too_long : bool
        Whether some area's list holds more than can be heard.
    """
    listed, at_once, arrested = np.empty_like(due), np.empty_like(due), np.empty_like(due)
    left = places.copy()
    listing, going, brought = 0, 0, 0
    too_long = False
    for at in range(due.size):
        soon = due[min(at + 2 * AHEAD, due.size - 1)]
        fetch_soon(person, soon)
        fetch_soon(status, soon)
        fetch_soon(warrant_since, soon)
        fetch_soon(area, person[due[min(at + AHEAD, due.size - 1)]])
        sentence = due[at]
        who, stands, since = person[sentence], status[sentence], int(warrant_since[sentence])
        live = stands in (_ORDER, _SUPERVISION)
        if live and since == NEVER:
            listed[listing] = sentence
            listing += 1
            left[area[who]] -= 1
            too_long = too_long or left[area[who]] < 0
            continue
        at_once[going] = sentence
        going += 1
        if since != NEVER:
            warrant_since[sentence] = NEVER
            arrested[brought] = who
            brought += 1
            flows[_EXECUTED, cell[who]] += 1
            flows[_WARRANT_DAYS, cell[who]] += today - since
            if live:
                flows[_HEARING_DAYS, cell[who]] += today - int(breach_known[sentence])
    return listed[:listing], at_once[:going], arrested[:brought], too_long


@compiled_inside
def call_in(
    heard: Rows,
    today: int,
    no_show: Floats,
    constants: NDArray[np.uint64],
    waits: Floats,
    later: Days,
    key: Array,
    cell: Array,
    location: Array,
    person: Rows,
    number: Array,
    breaches: Array,
    breach_known: Array,
    warrant_since: Array,
    flows: Counted,
) -> tuple[Rows, Rows, Rows, Days]:
    """Call people in: those who don't come get a warrant.

    Parameters
    ----------
    no_show : float array (cells,)
        Share of those in the community who don't come.
    constants : uint64 array (2,)
        Constants of the draws of who comes, and of the wait for the arrest.
    waits : float array (2, quantiles)
        Probabilities and values of the working days to the arrest.
    later : int array
        The days that lie 1, 2 ... working days after today.

    Returns
    -------
    now : int array
        Sentences whose breach is heard today.
    away, wanted, arrests : int arrays
        Sentences of those who stay away, whose they are, and the day of their arrest.
    """
    now, away, wanted = np.empty_like(heard), np.empty_like(heard), np.empty_like(heard)
    arrests = np.empty(heard.size, dtype=np.int32)
    present, absent = 0, 0
    come_constant, wait_constant = constants[0], constants[1]
    for at in range(heard.size):
        soon = heard[min(at + 2 * AHEAD, heard.size - 1)]
        fetch_soon(person, soon)
        fetch_soon(number, soon)
        fetch_soon(breaches, soon)
        fetch_soon(breach_known, soon)
        owner = person[heard[min(at + AHEAD, heard.size - 1)]]
        fetch_soon(key, owner)
        fetch_soon(location, owner)
        sentence = heard[at]
        who = person[sentence]
        place, occurrence = cell[who], occurrence_of(int(number[sentence]), int(breaches[sentence]))
        if location[who] == _COMMUNITY and uniform_of(key[who], come_constant, occurrence) < no_show[place]:
            warrant_since[sentence] = today
            wait = value_at(uniform_of(key[who], wait_constant, occurrence), waits[0], waits[1])
            away[absent], wanted[absent] = sentence, who
            arrests[absent] = later[max(int(wait), 1)]
            absent += 1
            flows[_ISSUED, place] += 1
        else:
            now[present] = sentence
            present += 1
            flows[_HEARING_DAYS, place] += today - int(breach_known[sentence])
    return now[:present], away[:absent], wanted[:absent], arrests[:absent]


@compiled
def call_day(
    due: Rows,
    found: NDArray[np.intp],
    today: int,
    places: NDArray[np.int64],
    no_show: Floats,
    constants: NDArray[np.uint64],
    waits: Floats,
    later: Days,
    area: Array,
    key: Array,
    cell: Array,
    location: Array,
    person: Rows,
    number: Array,
    status: Array,
    breaches: Array,
    breach_known: Array,
    warrant_since: Array,
    flows: Counted,
) -> tuple[int, int, int, int, int, int]:
    """Go through the breaches of a day: who is heard, who is put off to another day, and who gets a warrant.

    For the parameters see :func:`call_list` and :func:`call_in`. Returns how long the lists are that are written into
    the rows of ``found``, shape (6, breaches):

    heard : int array
        Sentences whose breach is heard today, those of people arrested among them, in row order.
    put_off : int array
        Sentences that the day's list doesn't hold.
    arrested : int array
        People arrested on a warrant.
    away, wanted, arrests : int arrays
        Sentences of those who stay away; the people, in row order; and the day of arrest for each sentence.
    """
    listed, at_once, arrested, too_long = call_list(
        due, today, places, area, cell, person, status, breach_known, warrant_since, flows
    )
    putting_off = 0
    if too_long:
        parted = np.empty((2, listed.size), dtype=np.intp)
        holding, putting_off = hold_list(listed, parted, places, area, person, breach_known)
        listed = parted[0, :holding]
        put_into(found[1], parted[1, :putting_off])
        for sentence in found[1, :putting_off]:
            flows[_PUT_OFF, cell[person[sentence]]] += 1
    now, away, wanted, arrests = call_in(
        listed,
        today,
        no_show,
        constants,
        waits,
        later,
        key,
        cell,
        location,
        person,
        number,
        breaches,
        breach_known,
        warrant_since,
        flows,
    )
    heard = now.size + at_once.size
    put_into(found[0], now)
    put_into(found[0, now.size :], at_once)
    put_into(found[2], arrested)
    put_into(found[3], away)
    put_into(found[4], wanted)
    put_into(found[5], arrests)
    if at_once.size > 0:
        put_in_order(found[0, :heard])
    put_in_order(found[4, : away.size])
    return heard, putting_off, arrested.size, away.size, away.size, away.size


@compiled
def take_up_again(
    person: Rows,
    found: NDArray[np.intp],
    tomorrow: int,
    next_contact: Days,
    location: Array,
    work_only: Array,
    first_due_from: Array,
    contact_due: Array,
) -> int:
    """Find which of those arrested on a warrant wait for a contact that nobody has booked.

    What was booked before the warrant is forgotten, and with it its place in the queue.

    Parameters
    ----------
    person : int array
        People arrested.
    next_contact : int array (people,)
        Day of everybody's next contact, :data:`NEVER` where there is none.

    Returns how many, written into the second row of ``found``, shape (2, people); the first holds all in row order.
    """
    size = 0
    for at in range(person.size):
        soon, row = person[min(at + AHEAD, person.size - 1)], person[at]
        fetch_soon(next_contact, soon)
        fetch_soon(first_due_from, soon)
        fetch_soon(location, soon)
        found[0, at] = row
        seen = first_due_from[row] == NEVER and work_only[row] == 0
        if location[row] == _COMMUNITY and seen and next_contact[row] == NEVER:
            found[1, size] = row
            size += 1
    for row in found[1, :size]:
        contact_due[row] = tomorrow
    put_in_order(found[0])
    return size
