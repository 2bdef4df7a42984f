"""Routine contacts of a day: who makes each, how, and whose queue it joins. A compiled loop reads each record once.

The rules for one person are in :mod:`simulation.system.mode_loops`; :mod:`simulation.system.caseload` hands on what
comes of it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulation.engine import NEVER
from simulation.engine.chance import uniform_of
from simulation.engine.compiled import AHEAD, FAR_AHEAD, compiled, compiled_inside, fetch_soon
from simulation.engine.order import put_into
from simulation.system.codes import Location, Mode, Rosh, Task, Tier
from simulation.system.contact_loops import Counted, PeopleColumns
from simulation.system.contact_rules import call_due, occurrence_of
from simulation.system.diary_loops import Urgency, mixed_up, urgency_of
from simulation.system.mode_loops import (
    Ways,
    way_in_exceptional_delivery,
    way_of_first,
    way_of_visit,
    way_under_pressure,
)
from simulation.system.officer_days import AtWork, Flags, PostColumns, Seconds
from simulation.system.service import Rows

#: What can become of a contact that is due. All but the first are booked again.
FATES = range(7)
HELD, DIARY_FULL, NO_OFFICER, OFFICER_SICK, OFFICER_ON_LEAVE, FOR_MEETING, HUB_FULL = FATES
_FATES = len(FATES)

#: What is counted when contacts are looked at; rows of the array of counts that the loop fills.
COUNTED_DUE = (
    "contacts_due",
    "contacts_cancelled",
    "contacts_downgraded",
    "seconds_demanded",
    "contacts_delegated_group",
    "contacts_delegated_hub",
    "hub_calls_due",
)
_DUE, _CANCELLED, _DOWNGRADED, _DEMANDED, _TO_GROUP, _TO_HUB, _HUB_DUE = range(len(COUNTED_DUE))

# A compiled loop takes plain numbers, not the members of a class.
_FACE_TO_FACE, _TELEPHONE, _CUSTODY = Mode.FACE_TO_FACE, Mode.TELEPHONE, Mode.CUSTODY
_GROUP, _HUB_CALL, _LOWEST_HIGH_TIER = Mode.GROUP, Mode.HUB_CALL, Tier.B2
_SENTENCED, _RECALLED_TO = Location.SENTENCED, Location.RECALLED
_HIGH, _CONTACT = Rosh.HIGH, Task.CONTACT


@compiled
def not_wanted(due: Rows, wanted: NDArray[np.int8]) -> Rows:
    """Return those of some people for whom no warrant is out."""
    found, many = np.empty(due.size + 1, dtype=np.intp), 0
    for at in range(due.size):
        fetch_soon(wanted, due[min(at + FAR_AHEAD, due.size - 1)])
        found[many] = due[at]
        many += wanted[due[at]] == 0
    return found[:many]


@compiled
def turned_into(
    mode: int, due: Rows, turned: NDArray[np.int8], keys: NDArray[np.uint64]
) -> tuple[Rows, NDArray[np.uint64]]:
    """Return those whose visit was turned into something, and their keys."""
    rows, theirs, many = np.empty(due.size + 1, dtype=np.intp), np.empty(due.size + 1, dtype=np.uint64), 0
    for at in range(due.size):
        rows[many], theirs[many] = due[at], keys[at]
        many += turned[at] == mode
    return rows[:many], theirs[:many]


@compiled
def full_days(
    due: Rows,
    people: PeopleColumns,
    posts: PostColumns,
    now: AtWork,
    fullest: NDArray[np.float64],
    model: NDArray[np.int8],
    contact_seconds: Seconds,
    server: Rows,
    seconds: Seconds,
    too_long: Flags,
) -> None:
    """Mark as behind the officers whose work of today, were every contact a visit, is more than the day holds.

    Parameters
    ----------
    fullest : float array (area, employer)
        Share of the day above which it counts as full; 0 where it never does.
    model : int8 array (cells,)
        Operating model of the provider that is responsible today.
    contact_seconds : int64 array (model, setting, tier, mode, rural)
        Time of a contact.
    server, seconds : int arrays (contacts and tasks,)
        Queues; the places of tasks are filled.
    too_long : bool array (posts,)
        Whose visits become something else; changed here.
    """
    at_work, available = now.here, now.available
    load = np.zeros(at_work.size, dtype=np.int64)
    for task in range(due.size, server.size):
        if server[task] >= 0:
            load[server[task]] += seconds[task]
    for at in range(due.size):
        soon = due[min(at + FAR_AHEAD, due.size - 1)]
        # Setting and tier lie beside the officer.
        fetch_soon(people.records, soon)
        fetch_soon(people.officer, soon)
        row = due[at]
        officer = people.officer[row]
        if officer >= 0:
            person = people.records[row]
            load[officer] += contact_seconds[
                model[person["cell"]], people.setting[row], people.tier[row], _FACE_TO_FACE, person["rural"]
            ]
    for post in range(at_work.size):
        most = fullest[posts.area[post], posts.employer[post]]
        if at_work[post] and most > 0 and load[post] > most * available[post]:
            too_long[post] = True


@compiled
def open_contacts(
    due: Rows,
    people: PeopleColumns,
    posts: PostColumns,
    now: AtWork,
    too_long: Flags,
    today: int,
    ways: Ways,
    priority: Seconds,
    contact_seconds: Seconds,
    server: Rows,
    urgency: Urgency,
    seconds: Seconds,
    counted: Counted,
) -> tuple[NDArray[np.int8], NDArray[np.int8], NDArray[np.int8], NDArray[np.int8], NDArray[np.uint64]]:
    """Put contacts due into the queues of officers and hubs (first in the arrays), and say how they are made.

    Parameters
    ----------
    too_long : bool array (posts,)
        Whose backlog is so long that visits become something else.
    ways : Ways
        How contacts are made. The queues of hubs, one a cell, follow those of posts.
    priority : int64 array (cells, kinds)
        Place in the queue of each kind of work.
    contact_seconds : int64 array (model, setting, tier, mode, rural)
        Time of a contact.

    Returns
    -------
    fate, mode, by_colleague : int8 arrays (contacts,)
        One of :data:`FATES` if it isn't reached today, how it is made, and whether somebody stands in.
    turned : int8 array (contacts,)
        What a visit was turned into for want of time; 0, a visit, where none was.
    keys : uint64 array (contacts,)
        Keys of people.
    """
    fate, mode = np.empty(due.size, dtype=np.int8), np.zeros(due.size, dtype=np.int8)
    by_colleague, turned = np.zeros(due.size, dtype=np.int8), np.zeros(due.size, dtype=np.int8)
    keys = np.empty(due.size, dtype=np.uint64)
    at_work, roster, begins = now.here, now.roster, now.begins
    for at in range(due.size):
        soon = due[min(at + AHEAD, due.size - 1)]
        fetch_soon(people.records, soon)
        fetch_soon(people.officer, soon)
        person = people.records[due[at]]
        cell, officer, key = person["cell"], people.officer[due[at]], person["key"]
        keys[at] = key
        server[at] = -1
        # A contact that is put off keeps the day it was first due: nothing overtakes it.
        if person["contact_due"] == NEVER:
            person["contact_due"] = today
        if officer < 0:
            fate[at] = NO_OFFICER
            continue
        unseen = today - int(person["last_seen"])
        noticed, rosh = person["crisis_noticed"], person["assessed_rosh"]
        inside = people.location[due[at]] in (_SENTENCED, _RECALLED_TO)
        booked_as = person["booked_as"]
        called = not inside and call_due(booked_as, noticed, rosh, unseen, ways.floor[cell], ways.floor_ahead)
        by_hub = called and booked_as == _HUB_CALL and ways.hub_open[cell]
        occurrence = occurrence_of(person["sentences"], person["spells"], person["contacts"])
        if not by_hub:
            # A colleague stands in, or takes a share of contacts anyway: never in prison or at high risk.
            share = ways.team[cell] if at_work[officer] else ways.cover[cell]
            if share > 0 and not inside and rosh < _HIGH and uniform_of(key, ways.whom, occurrence) < share:
                office = posts.office[officer] * 2 + posts.employer[officer]
                there = begins[office + 1] - begins[office]
                if there > 0:
                    one = int(mixed_up(key + np.uint64(today)) % np.uint64(there))
                    by_colleague[at] = roster[begins[office] + one] != officer
                    officer = roster[begins[office] + one]
            if not at_work[officer]:
                if posts.sick_until[officer] > today:
                    fate[at] = OFFICER_SICK
                    counted[_DUE, cell] += 1
                    counted[_CANCELLED, cell] += 1
                else:
                    fate[at] = OFFICER_ON_LEAVE
                continue
        tier = people.tier[due[at]]
        if inside:
            way = _CUSTODY
        elif called:
            way = _HUB_CALL if by_hub else _TELEPHONE
        elif ways.exceptional[cell]:
            risk = 1 if rosh >= _HIGH or noticed == 1 else 0
            way = way_in_exceptional_delivery(
                uniform_of(key, ways.place, occurrence),
                ways.exceptional_cuts[risk, 0],
                ways.exceptional_cuts[risk, 1],
                ways.exceptional_cuts[risk, 2],
            )
        else:
            way = _FACE_TO_FACE
            lower = rosh < _HIGH and noticed == 0
            if too_long[officer] and lower:
                # A visit turned into something shorter, for want of time; never at high risk.
                draw = uniform_of(key, ways.pressure, occurrence)
                way = way_under_pressure(
                    draw, ways.call_cut[cell], ways.group_cut[cell], ways.hub_cut[cell], ways.hub_open[cell]
                )
                turned[at] = way
                counted[_DOWNGRADED, cell] += way == _TELEPHONE
                counted[_TO_GROUP, cell] += way == _GROUP
                counted[_TO_HUB, cell] += way == _HUB_CALL
            if way == _FACE_TO_FACE:
                way = way_of_visit(
                    uniform_of(key, ways.place, occurrence),
                    ways.home[cell, 1 if tier <= _LOWEST_HIGH_TIER else 0],
                    ways.group[cell] if lower else 0.0,
                    ways.video[cell] if lower else 0.0,
                    ways.booth[cell],
                )
        mode[at] = way
        time = contact_seconds[ways.model[cell], people.setting[due[at]], tier, way, person["rural"]]
        seconds[at] = time
        counted[_DUE, cell] += 1
        if way == _HUB_CALL:
            fate[at] = HUB_FULL
            server[at] = at_work.size + ways.hub[cell]
            by_colleague[at] = 0
            counted[_HUB_DUE, cell] += 1
        else:
            fate[at] = DIARY_FULL
            server[at] = officer
            counted[_DEMANDED, cell] += time
        first_due = min(int(person["contact_due"]), today)
        mixed = mixed_up(key * np.uint64(31) + np.uint64(first_due))
        urgency[at] = urgency_of(priority[cell, _CONTACT], first_due, mixed, today)
    return fate, mode, by_colleague, turned, keys


class Outcome(NamedTuple):
    """Which contacts were reached, and which were not."""

    #: People reached, in the order of contacts, and after them those met for the first time,
    rows: Rows
    mode: NDArray[np.int8]  # how,
    first: Flags  # whether it is a first appointment,
    seconds: Seconds  # the time it takes,
    by_colleague: NDArray[np.int8]  # and whether somebody stands in
    others: Rows  # people not reached, sorted by fate,
    keys: NDArray[np.uint64]  # their keys,
    begins: Rows  # and where each fate begins


@compiled
def contacts_held(
    due: Rows,
    keys: NDArray[np.uint64],
    mode: NDArray[np.int8],
    seconds: Seconds,
    by_colleague: NDArray[np.int8],
    served: Flags,
    put_off: Flags,
    fate: NDArray[np.int8],
    first: Rows,
    first_seconds: int,
    people: PeopleColumns,
    ways: Ways,
) -> Outcome:
    """Tell contacts that were reached from those that weren't, and add first appointments.

    Parameters
    ----------
    keys, mode, by_colleague, fate : arrays (contacts,)
        From :func:`open_contacts`.
    seconds, served, put_off : arrays (contacts and tasks,)
        Times, which were done, and which weren't for a meeting alone.
    first : int array
        People met for the first time, each once, in row order.
    first_seconds : int
        Time that a first appointment takes.
    """
    begins = np.zeros(_FATES + 1, dtype=np.intp)
    for at in range(due.size):
        came_to = FOR_MEETING if put_off[at] else fate[at]
        came_to = HELD if served[at] else came_to
        fate[at] = came_to
        begins[came_to + 1] += 1
    routine = begins[HELD + 1]
    held = routine + first.size
    rows, how, times = np.empty(held, dtype=np.intp), np.empty(held, dtype=np.int8), np.empty(held, dtype=np.int64)
    stands_in, is_first = np.zeros(held, dtype=np.int8), np.zeros(held, dtype=np.bool_)
    others, their_keys = np.empty(due.size - routine, dtype=np.intp), np.empty(due.size - routine, dtype=np.uint64)
    # Nobody is put under "held": that group is empty among the others.
    begins[HELD + 1] = 0
    for number in range(_FATES):
        begins[number + 1] += begins[number]
    place, to = begins.copy(), 0
    for at in range(due.size):
        if fate[at] == HELD:
            rows[to], how[to], times[to], stands_in[to] = due[at], mode[at], seconds[at], by_colleague[at]
            to += 1
        else:
            other = place[fate[at]]
            place[fate[at]] = other + 1
            others[other], their_keys[other] = due[at], keys[at]
    is_first[routine:], times[routine:] = True, first_seconds
    put_into(rows[routine:], first)
    ways_of_first(rows, routine, how, people, ways)
    return Outcome(rows, how, is_first, times, stands_in, others, their_keys, begins)


@compiled_inside
def ways_of_first(rows: Rows, routine: int, how: NDArray[np.int8], people: PeopleColumns, ways: Ways) -> None:
    """Say how first appointments are held: in the office, never by telephone.

    Parameters
    ----------
    rows : int array
        People whose routine contacts were reached, and after them people met for the first time; both in row order.
    routine : int
        How many the routine contacts are.
    how : int8 array
        Mode of each; filled here for first appointments.
    """
    also = 0
    for at in range(routine, rows.size):
        fetch_soon(people.records, rows[min(at + AHEAD, rows.size - 1)])
        row, person = rows[at], people.records[rows[at]]
        while also < routine and rows[also] < row:
            also += 1
        # Who has both today has had a routine contact more by then.
        contacts = int(person["contacts"]) + (1 if also < routine and rows[also] == row else 0)
        cell, risk = person["cell"], 1 if person["assessed_rosh"] >= _HIGH else 0
        occurrence = occurrence_of(person["sentences"], person["spells"], contacts)
        how[at] = way_of_first(
            uniform_of(person["key"], ways.place, occurrence),
            ways.exceptional[cell],
            ways.exceptional_cuts[risk, 0],
            ways.exceptional_cuts[risk, 1],
            ways.booth[cell],
        )
