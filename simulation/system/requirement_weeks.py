"""A week of what orders require, row by row: who is there, who gets a place, who comes; compiled loops.

The rules are written here as plain conditions on one requirement; :mod:`simulation.system.requirements` says when they
apply, tells the history and makes groups.
"""

from __future__ import annotations

import numpy as np

from simulation.engine import NEVER
from simulation.engine.chance import uniform_of
from simulation.engine.compiled import AHEAD, FAR_AHEAD, compiled, compiled_inside, fetch_soon
from simulation.system.codes import NPS, Delivery, Location, Progress, Requirement, Status
from simulation.system.requirement_loops import (
    AT_WORK,
    COUNTED,
    DAY_MISSED,
    DAYS_LAPSED,
    DROPPED_OUT,
    GROUP_DAY,
    HOURS_LAPSED,
    NOT_BOUGHT,
    OFFICER_DAY,
    OFFICER_INSTEAD,
    PROGRAMME_COMPLETED,
    SENT_HOME,
    SPECIALIST_DAY,
    WITHDRAWN,
    WORK_COMPLETED,
    WORK_DAY,
    WORK_MISSED,
    Counted,
    Draws,
    Groups,
    Orders,
    Persons,
    RequirementColumns,
    Rules,
    Told,
)
from simulation.system.requirement_sessions import keep_day
from simulation.system.service import Array, Rows

(
    _DAYS_ORDERED,
    _DAYS_TOO_MANY,
    _DAYS_TOO_FEW,
    _DAYS_DONE,
    _DAYS_UNDONE,
    _DAYS_WITH_OFFICER,
    _DAYS_MISSED,
    _ORDERED,
    _BEGUN,
    _BEGIN_DAYS,
    _ENDED_ALL,
    _ENDED_UNBEGUN,
    _NOT_BOUGHT,
    _HOURS_ORDERED,
    _HOURS_DONE,
    _HOURS_UNDONE,
    _WORK_ORDERED,
    _WORK_BEGUN,
    _WORK_BEGIN_DAYS,
    _WORK_COMPLETED,
    _WORK_IN_TIME,
    _WORK_UNDONE,
    _WORK_MISSED,
    _STOOD_DOWN,
    _PROGRAMME_ORDERED,
    _PROGRAMME_BEGUN,
    _PROGRAMME_BEGIN_DAYS,
    _PROGRAMME_COMPLETED,
    _PROGRAMME_DROPPED,
    _PROGRAMME_WITHDRAWN,
    _PROGRAMME_UNDONE,
) = range(len(COUNTED))

#: Pools of places that last a week, by area.
POOLS = ("group", "specialist", "unpaid_work")
GROUP_POOL, SPECIALIST_POOL, WORK_POOL = range(len(POOLS))

#: Somebody is offered a day a week by weekly steps that bank holidays move by a few days.
_SLACK = 3

# A compiled loop takes plain numbers, not the members of a class.
_COMMUNITY, _ORDER = Location.COMMUNITY, Status.ORDER
#: Instead of a place: a warrant is out.
_WANTED = -1
_ACTIVITY, _WORK, _PROGRAMME = Requirement.REHABILITATION, Requirement.UNPAID_WORK, Requirement.PROGRAMME
_OFFICER, _GROUP = Delivery.OFFICER, Delivery.GROUP
_WAITING, _RUNNING, _FINISHED, _ENDED = Progress.WAITING, Progress.RUNNING, Progress.FINISHED, Progress.ENDED
_NPS = NPS


@compiled_inside
def _fetch_amounts(rows: RequirementColumns, row: int) -> None:
    """Ask for what is read of a requirement when a day of it is kept, or when it ends."""
    fetch_soon(rows.kind, row)
    fetch_soon(rows.progress, row)
    fetch_soon(rows.cell, row)
    fetch_soon(rows.ordered, row)
    fetch_soon(rows.done, row)
    fetch_soon(rows.began, row)


@compiled_inside
def _lapse(
    row: int,
    rows: RequirementColumns,
    people: Persons,
    groups: Groups,
    counted: Counted,
    totals_lapsed: Counted,
    told: Told,
    events: int,
) -> int:
    """End a requirement whose order is over; return how many events are noted now."""
    group = rows.group[row]
    if group >= 0:
        groups.members[group] -= 1
        rows.group[row] = -1
    kind, cell, left = rows.kind[row], rows.cell[row], int(rows.ordered[row]) - int(rows.done[row])
    rows.progress[row] = _ENDED
    rows.held[row] = 0
    if kind == _PROGRAMME:
        counted[_PROGRAMME_UNDONE, cell] += 1
        return events
    totals_lapsed[kind] += left
    if kind == _WORK:
        counted[_HOURS_UNDONE, cell] += left
        counted[_WORK_UNDONE, cell] += 1
    else:
        counted[_DAYS_UNDONE, cell] += left
        counted[_ENDED_ALL, cell] += 1
        counted[_ENDED_UNBEGUN, cell] += rows.began[row] == NEVER
    person = rows.person[row]
    told.person[events], told.key[events] = person, people.key[person]
    told.event[events] = HOURS_LAPSED if kind == _WORK else DAYS_LAPSED
    told.detail[events] = left
    return events + 1


@compiled_inside
def _keep_day(row: int, today: int, cell: int, rows: RequirementColumns, counted: Counted, done: Counted) -> None:
    """Count a rehabilitation activity day that was kept."""
    keep_day(
        row, today, cell, rows.imposed, rows.progress, rows.ordered, rows.done, rows.began, counted, done
    )


@compiled
def end_with_orders(
    size: int,
    rows: RequirementColumns,
    people: Persons,
    sentences: Orders,
    groups: Groups,
    counted: Counted,
    totals_lapsed: Counted,
    told: Told,
) -> int:
    """End every requirement whose order is over; return how many events were noted."""
    events, many = 0, 0
    # What hasn't ended, without asking for a choice: the processor would guess it wrong.
    live = np.empty(size + 1, dtype=np.int32)
    for row in range(size):
        live[many] = row
        many += rows.progress[row] < _FINISHED
    over = 0
    for at in range(many):
        fetch_soon(sentences.status, rows.sentence[live[min(at + AHEAD, many - 1)]])
        row = live[at]
        live[over] = row
        over += sentences.status[rows.sentence[row]] != _ORDER
    for at in range(over):
        soon = live[min(at + AHEAD, over - 1)]
        _fetch_amounts(rows, soon)
        fetch_soon(rows.group, soon)
        fetch_soon(people.key, rows.person[soon])
        events = _lapse(live[at], rows, people, groups, counted, totals_lapsed, told, events)
    return events


@compiled
def go_through(
    size: int,
    today: int,
    rules: Rules,
    draws: Draws,
    rows: RequirementColumns,
    people: Persons,
    sentences: Orders,
    groups: Groups,
    counted: Counted,
    totals_done: Counted,
    totals_lapsed: Counted,
    held_back: Counted,
    told: Told,
) -> tuple[int, Rows, Rows, Rows, Rows]:
    """Go through all requirements once a week: who is there, who waits for what, whose order is over.

    Parameters
    ----------
    held_back : int64 array (cells / 2, delivery)
        People for whom the NPS hasn't bought what they wait for; filled here.

    Returns
    -------
    events : int
        How many events were noted.
    going, waiting : int arrays
        Those who have begun and those who wait for a place in a group, with a specialist or at unpaid work.
    sessions : int array
        Those whose officer should see them for an activity day of its own.
    for_programme : int array
        Those who wait for a programme that is offered.
    """
    going, waiting = np.empty(size + 1, dtype=np.intp), np.empty(size + 1, dtype=np.intp)
    sessions, for_programme = np.empty(size, dtype=np.intp), np.empty(size, dtype=np.intp)
    many_going, many_waiting, many_sessions, many_programmes, events = 0, 0, 0, 0, 0
    # Days from which somebody isn't due again yet. With the officer, days have no interval of their own.
    recent = today - rules.interval + _SLACK
    recent[_OFFICER] = today + 1
    # What there is to look at, without asking for a choice: the processor would guess it wrong.
    live, some = np.empty(size + 1, dtype=np.int32), 0
    for row in range(size):
        live[some] = row
        some += (rows.progress[row] < _FINISHED) & (rows.ready[row] <= today) & (rows.booked[row] == 0)
    many = 0
    for at in range(some):
        row = live[at]
        activity = rows.kind[row] == _ACTIVITY
        form = rows.form[row] if activity else _OFFICER
        live[many] = row
        many += ((rows.done[row] < rows.due[row]) & (rows.last[row] <= recent[form])) | (not activity)
    # Most ask for a place, or go to the one they have: they are put into their queue without a choice in between. Where
    # they are and who is responsible says enough of them; the others are looked at more closely.
    others = 0
    for at in range(many):
        soon = live[min(at + FAR_AHEAD, many - 1)]
        fetch_soon(people.location, rows.person[soon])
        fetch_soon(sentences.status, rows.sentence[soon])
        fetch_soon(people.wanted, rows.person[soon])
        row = live[at]
        person, order = rows.person[row], rows.sentence[row]
        # Somebody for whom a warrant is out doesn't come.
        comes = (people.location[person] == _COMMUNITY) & (people.wanted[person] == 0)
        here = comes & (sentences.status[order] == _ORDER)
        kind, running = rows.kind[row], rows.progress[row] == _RUNNING
        elsewhere = (kind == _ACTIVITY) & (rows.form[row] != _OFFICER)
        # The area that has the case: written anew when another takes it over.
        area = rows.cell[row] >> 1
        unbought = rows.bought_draw[row] < rules.friction[area]
        held_up = elsewhere & rules.split[area] & (people.side[person] <= _NPS) & unbought
        queues = here & ((kind == _WORK) | elsewhere)
        waits = queues & (not running) & (not held_up)
        rows.held[row] = 0 if waits else rows.held[row]
        going[many_going], waiting[many_waiting], live[others] = row, row, row
        many_going += queues & running
        many_waiting += waits
        others += not (queues & (running | (not held_up)))
    for at in range(others):
        soon = live[min(at + FAR_AHEAD, others - 1)]
        fetch_soon(people.cell, rows.person[soon])
        fetch_soon(people.location, rows.person[soon])
        fetch_soon(sentences.status, rows.sentence[soon])
        fetch_soon(people.wanted, rows.person[soon])
        row = live[at]
        person, order = rows.person[row], rows.sentence[row]
        stand, cell, kind = sentences.status[order], int(people.cell[person]), rows.kind[row]
        place = _WANTED if people.wanted[person] != 0 else people.location[person]
        form, group = rows.form[row], rows.group[row]
        if stand != _ORDER:
            events = _lapse(row, rows, people, groups, counted, totals_lapsed, told, events)
            continue
        if place != _COMMUNITY:
            # Days and hours stand still; a group goes on without those who are in custody or wanted.
            if group >= 0:
                groups.members[group] -= 1
                rows.group[row], rows.done[row], rows.progress[row] = -1, 0, _WAITING
            continue
        if kind == _PROGRAMME:
            if group < 0:
                if rules.offered[form]:
                    rows.cell[row] = cell
                    for_programme[many_programmes] = row
                    many_programmes += 1
                continue
            rows.cell[row] = cell
            event = -1
            if groups.running[group] == 0:
                # Withdrawn in mid-course: back to the list, and what was done is lost.
                rows.group[row], rows.done[row], rows.progress[row] = -1, 0, _WAITING
                groups.members[group] -= 1
                counted[_PROGRAMME_WITHDRAWN, cell] += 1
                event = WITHDRAWN
            else:
                occurrence = int(rows.number[row]) * 4096 + int(rows.offered[row])
                rows.offered[row] += 1
                rows.done[row] += 1
                rows.last[row] = today
                if uniform_of(people.key[person], draws.drop_out, occurrence) < rules.drop_out:
                    rows.group[row], rows.progress[row] = -1, _ENDED
                    groups.members[group] -= 1
                    counted[_PROGRAMME_DROPPED, cell] += 1
                    event = DROPPED_OUT
                elif groups.held[group] >= groups.sessions[group]:
                    rows.group[row], rows.progress[row] = -1, _FINISHED
                    groups.members[group] -= 1
                    counted[_PROGRAMME_COMPLETED, cell] += 1
                    event = PROGRAMME_COMPLETED
            if event >= 0:
                told.key[events] = people.key[person]
                told.person[events], told.event[events], told.detail[events] = person, event, form
                events += 1
            continue
        if form == _OFFICER:
            last, rows.cell[row] = rows.last[row], cell
            if rules.inside[cell, people.tier[person]]:
                # A visit that the tariff pays for is a day of it: one for each week in which there was a visit.
                visit = int(people.last_seen[person])
                if visit > max(int(people.stage_start[person]), int(last)) and visit >= rows.ready[row]:
                    rows.offered[row] += 1
                    rows.last[row] = visit
                    _keep_day(row, visit, cell, rows, counted, totals_done)
                    counted[_DAYS_WITH_OFFICER, cell] += 1
                    told.key[events] = people.key[person]
                    told.person[events], told.event[events], told.detail[events] = person, OFFICER_DAY, 0
                    events += 1
            elif last == NEVER or today - last >= rules.interval[_OFFICER] - _SLACK:
                sessions[many_sessions] = row
                many_sessions += 1
        else:
            # Waits until the NPS has bought it.
            event = -1
            if today - rows.ready[row] >= rules.generic_days:
                rows.form[row], rows.held[row] = _OFFICER, 0
                event = OFFICER_INSTEAD
            else:
                held_back[cell >> 1, form] += 1
                if rows.held[row] == 0:
                    rows.held[row] = 1
                    counted[_NOT_BOUGHT, cell] += 1
                    event = NOT_BOUGHT
            if event >= 0:
                told.key[events] = people.key[person]
                told.person[events], told.event[events], told.detail[events] = person, event, form
                events += 1
    return (
        events,
        going[:many_going],
        waiting[:many_waiting],
        sessions[:many_sessions],
        for_programme[:many_programmes],
    )


@compiled
def fill_places(
    queue: Rows,
    today: int,
    rules: Rules,
    draws: Draws,
    rows: RequirementColumns,
    people: Persons,
    works: Array,
    places: Counted,
    counted: Counted,
    totals_done: Counted,
    told: Told,
) -> int:
    """Give this week's places to a queue, first come first served, and see who comes.

    A place is used up whether or not the person comes. Nobody is at unpaid work on two orders at once.

    Parameters
    ----------
    queue : int array
        Requirements in the order in which they ask for a place.
    works : bool array (people,)
        Who has a place at unpaid work this week; written here.
    places : int64 array (areas, pools)
        Places left, see :data:`POOLS`; taken here.
    """
    areas, pool_of = places.shape[0], np.empty(queue.size + 1, dtype=np.int8)
    served, many = np.empty(queue.size + 1, dtype=np.intp), 0
    for at in range(queue.size):
        soon, row = queue[min(at + AHEAD, queue.size - 1)], queue[at]
        fetch_soon(works, rows.person[soon])
        person, work = rows.person[row], rows.kind[row] == _WORK
        pool = WORK_POOL if work else rows.form[row] - _GROUP
        area = (rows.cell[row] >> 1) % areas
        served[many], pool_of[many] = row, pool
        given = (places[area, pool] > 0) & (not (work & works[person]))
        places[area, pool] -= given
        works[person] |= given & work
        many += given
    events = 0
    for at in range(many):
        fetch_soon(people.key, rows.person[served[min(at + AHEAD, many - 1)]])
        row, pool = served[at], pool_of[at]
        person, kind = rows.person[row], rows.kind[row]
        key, cell = people.key[person], people.cell[person]
        occurrence = int(rows.number[row]) * 4096 + int(rows.offered[row])
        rows.offered[row] += 1
        rows.last[row] = today
        rows.cell[row] = cell
        rows.progress[row] = _RUNNING
        reliability, detail = float(people.miss_factor[person]), 0
        if kind == _ACTIVITY:
            if uniform_of(key, draws.activity_missed, occurrence) < rules.missed[rows.form[row]] * reliability:
                counted[_DAYS_MISSED, cell] += 1
                event, detail = DAY_MISSED, occurrence
            else:
                _keep_day(row, today, cell, rows, counted, totals_done)
                event = GROUP_DAY if pool == GROUP_POOL else SPECIALIST_DAY
        else:
            waited = today - rows.imposed[row]
            if rows.began[row] == NEVER:
                rows.began[row] = today
                counted[_WORK_BEGUN, cell] += 1
                counted[_WORK_BEGIN_DAYS, cell] += waited
            if uniform_of(key, draws.work_missed, occurrence) < rules.missed[AT_WORK] * reliability:
                counted[_WORK_MISSED, cell] += 1
                event, detail = WORK_MISSED, occurrence
            elif uniform_of(key, draws.stood_down, occurrence) < rules.stood_down:
                counted[_STOOD_DOWN, cell] += 1
                event = SENT_HOME
            else:
                hours = min(rules.hours_a_day, int(rows.ordered[row]) - int(rows.done[row]))
                rows.done[row] += hours
                totals_done[_WORK] += hours
                counted[_HOURS_DONE, cell] += hours
                event = WORK_DAY
                if rows.done[row] == rows.ordered[row]:
                    rows.progress[row] = _FINISHED
                    counted[_WORK_COMPLETED, cell] += 1
                    counted[_WORK_IN_TIME, cell] += waited <= rules.in_time_days
                    event, detail = WORK_COMPLETED, int(rows.ordered[row])
        told.key[events] = key
        told.person[events], told.event[events], told.detail[events] = person, event, detail
        events += 1
    return events


@compiled
def join_groups(
    candidates: Rows,
    today: int,
    opening: Counted,
    rows: RequirementColumns,
    members: Array,
    seats: Array,
    last: Counted,
    counted: Counted,
    persons: Rows,
) -> int:
    """Put those who wait for a programme into groups that begin today, first come first served; return how many.

    Parameters
    ----------
    opening, last : int64 arrays (areas, programmes)
        First and last of the groups that begin, as rows of groups; -1 where none does.
    persons : int array
        Who begins; filled from the front.
    """
    many = 0
    for row in candidates:
        area, form = (rows.cell[row] >> 1) % opening.shape[0], rows.form[row]
        group = opening[area, form]
        if group < 0:
            continue
        if members[group] >= seats[group]:
            if group == last[area, form]:
                continue
            group += 1
            opening[area, form] = group
        members[group] += 1
        rows.group[row], rows.progress[row], rows.done[row] = group, _RUNNING, 0
        cell = rows.cell[row]
        if rows.began[row] == NEVER:
            rows.began[row] = today
            counted[_PROGRAMME_BEGIN_DAYS, cell] += today - rows.imposed[row]
            counted[_PROGRAMME_BEGUN, cell] += 1
        persons[many] = rows.person[row]
        many += 1
    return many
