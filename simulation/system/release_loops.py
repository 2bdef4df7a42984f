"""Resettlement teams at work, and places to live: compiled loops over those before release.

:mod:`simulation.system.release` says when they apply and tells the history.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulation.engine.chance import mix, uniform_of
from simulation.engine.compiled import AHEAD, compiled, fetch_soon
from simulation.engine.order import put_in_order
from simulation.system.codes import Status
from simulation.system.custody_loops import BEGUN, DONE, NOT_BEGUN, Array, Counted, Rows, Shares
from simulation.system.waits import value_at

#: What a resettlement team does.
PLAN, WORK, HELP = range(3)
#: How far screening and plan have come.
NOT_SCREENED, SCREENED, WRITTEN = range(3)

_CUSTODY = Status.CUSTODY
#: How far back and ahead days are told apart.
_HORIZON = 2048
_FAR = 1 << 30

#: What the loops count; they are given where each stands among the counts of the month.
COUNTED = (
    "screenings_done",
    "screenings_in_time",
    "resettlement_plans_due",
    "ttg_started",
    "ttg_help_started",
    "resettlement_plans_done",
    "resettlement_plans_in_time",
    "ttg_done",
    "ttg_help_done",
    "homes_sought",
    "homes_taken",
    "homes_found",
)
(
    _SCREENINGS,
    _SCREENED_IN_TIME,
    _PLANS_DUE,
    _STARTED,
    _HELP_STARTED,
    _PLANS,
    _PLANS_IN_TIME,
    _WORKED,
    _HELPED,
    _SOUGHT,
    _TAKEN,
    _HOMES_FOUND,
) = range(len(COUNTED))

_mixed = compiled(mix)


@compiled
def screening_days(
    received: Rows,
    today: int,
    constant: np.uint64,
    probabilities: Shares,
    waits: Shares,
    key: Array,
    person: Rows,
    number: Array,
    days: Array,
) -> None:
    """Write the day on which each sentence received today is screened; waits in days are drawn from quantiles."""
    for at in range(received.size):
        fetch_soon(key, person[received[min(at + AHEAD, received.size - 1)]])
        row = received[at]
        uniform = uniform_of(key[person[row]], constant, int(number[row]))
        days[at] = today + max(int(value_at(uniform, probabilities, waits)), 1)


@compiled
def screen(
    due: Rows,
    people: Rows,
    today: int,
    in_time_days: float,
    planned_below: float,
    plan_seconds: int,
    by: int,
    first: int,
    queue_row: Rows,
    queue_area: Array,
    queue_seconds: Array,
    queue_due: Array,
    queue_kind: Array,
    numbers: Rows,
    flows: Counted,
    cell: Array,
    area: Array,
    person: Rows,
    latest: Rows,
    previous: Rows,
    status: Array,
    length: Array,
    imposed: Array,
    screened: Array,
) -> tuple[int, int]:
    """Screen those still inside, and put the plans that are due into the teams' queue, from place ``first`` on.

    Whom somebody has screened already, under another term that goes on, nobody screens again.

    Parameters
    ----------
    people : int array (due,)
        Written: who is screened, in row order.
    in_time_days, planned_below : float
        Days since sentence within which a screening is in time; length in days below which the company writes a plan.
    plan_seconds, by : int
        Time that a plan takes, and the day by which it is due.

    Returns
    -------
    int, int
        How many are screened, and how many plans are due.
    """
    size, planning = 0, 0
    for at in range(due.size):
        soon = due[min(at + 2 * AHEAD, due.size - 1)]
        fetch_soon(status, soon)
        fetch_soon(person, soon)
        fetch_soon(screened, soon)
        fetch_soon(imposed, soon)
        fetch_soon(length, soon)
        owner = person[due[min(at + AHEAD, due.size - 1)]]
        fetch_soon(cell, owner)
        fetch_soon(area, owner)
        row = due[at]
        if status[row] != _CUSTODY:
            continue
        who = person[row]
        other = latest[who]
        while other >= 0 and not (status[other] == _CUSTODY and screened[other] != 0):
            other = previous[other]
        if other >= 0:
            continue
        screened[row] = SCREENED
        people[size] = who
        size += 1
        flows[numbers[_SCREENINGS], cell[who]] += 1
        flows[numbers[_SCREENED_IN_TIME], cell[who]] += today - imposed[row] <= in_time_days
        if length[row] < planned_below:
            flows[numbers[_PLANS_DUE], cell[who]] += 1
            place = first + planning
            queue_row[place], queue_area[place], queue_seconds[place] = row, area[who], plan_seconds
            queue_due[place], queue_kind[place] = by, PLAN
            planning += 1
    put_in_order(people[:size])
    return size, planning


@compiled
def open_windows(
    due: Rows,
    found: NDArray[np.intp],
    help_share: float,
    helps: np.uint64,
    work_seconds: int,
    help_seconds: int,
    first: int,
    queue_row: Rows,
    queue_area: Array,
    queue_seconds: Array,
    queue_due: Array,
    queue_kind: Array,
    numbers: Rows,
    flows: Counted,
    cell: Array,
    key: Array,
    area: Array,
    person: Rows,
    number: Array,
    latest: Rows,
    previous: Rows,
    status: Array,
    custody_end: Array,
    prepared: Array,
    helped: Array,
) -> tuple[int, int]:
    """Begin with those inside with whom nobody has begun; ``helps`` is the constant of the draw for help.

    Whom another term keeps in for longer nobody prepares: that term's window opens in its time.

    Work before release and help, by the day of release, are put into the teams' queue, from place ``first`` on.

    Returns how many people are written into the rows of ``found``, shape (2, due): those whose window opens, and those
    of them who are to be helped, both in row order.
    """
    begun, with_help = found[0], found[1]
    size, helping = 0, 0
    for at in range(due.size):
        soon = due[min(at + 2 * AHEAD, due.size - 1)]
        fetch_soon(status, soon)
        fetch_soon(prepared, soon)
        fetch_soon(person, soon)
        fetch_soon(custody_end, soon)
        fetch_soon(number, soon)
        owner = person[due[min(at + AHEAD, due.size - 1)]]
        fetch_soon(key, owner)
        fetch_soon(area, owner)
        row = due[at]
        if status[row] != _CUSTODY or prepared[row] != NOT_BEGUN:
            continue
        who = person[row]
        other = latest[who]
        end = custody_end[row]
        while other >= 0 and not (
            status[other] == _CUSTODY and (custody_end[other] > end or (custody_end[other] == end and other > row))
        ):
            other = previous[other]
        if other >= 0:
            continue
        prepared[row] = BEGUN
        place = first + size
        queue_row[place], queue_area[place], queue_seconds[place] = row, area[who], work_seconds
        queue_due[place], queue_kind[place] = custody_end[row], WORK
        begun[size] = who
        size += 1
        flows[numbers[_STARTED], cell[who]] += 1
        if uniform_of(key[who], helps, int(number[row])) < help_share:
            helped[row] = BEGUN
            with_help[helping] = row
            helping += 1
            flows[numbers[_HELP_STARTED], cell[who]] += 1
    # Behind the work with everybody.
    for one in range(helping):
        row, place = with_help[one], first + size + one
        queue_row[place], queue_area[place], queue_seconds[place] = row, area[person[row]], help_seconds
        queue_due[place], queue_kind[place] = custody_end[row], HELP
        with_help[one] = person[row]
    put_in_order(begun[:size])
    put_in_order(with_help[:helping])
    return size, helping


@compiled
def seek_homes(
    helped: Rows,
    found: NDArray[np.intp],
    today: int,
    settled_share: float,
    away_share: float,
    accepted_share: float,
    probabilities: Shares,
    values: Shares,
    working_after: NDArray[np.int32],
    origin: int,
    home: np.uint64,
    away: np.uint64,
    accepted: np.uint64,
    search: np.uint64,
    numbers: Rows,
    flows: Counted,
    cell: Array,
    key: Array,
    person: Rows,
    number: Array,
    custody_end: Array,
) -> int:
    """Write into ``found``, shape (2, helped), whose search for a home gets far enough, and when; return how many.

    Not of people with a settled home, nor of those held away from home, nor of those whom no landlord would take:
    ``home``, ``away`` and ``accepted`` are the constants of these draws, ``search`` that of the days it takes, which
    have the distribution ``probabilities``, ``values``. A search that would end after release ends with it.
    ``working_after``, ``origin`` are the working day at or after each day, and the place of day 0.
    """
    seekers, days = found[0], found[1]
    size = 0
    for row in helped:
        who, occurrence = person[row], int(number[row])
        if not uniform_of(key[who], home, occurrence) < 1 - settled_share:
            continue
        if not uniform_of(key[who], away, occurrence) >= away_share:
            continue
        if not uniform_of(key[who], accepted, occurrence) < accepted_share:
            continue
        flows[numbers[_SOUGHT], cell[who]] += 1
        wait = max(int(value_at(uniform_of(key[who], search, occurrence), probabilities, values)), 1)
        ready = working_after[today + wait + origin]
        if ready < custody_end[row]:
            seekers[size], days[size] = row, ready
            size += 1
    return size


@compiled
def prepare(
    row: Rows,
    area: Array,
    seconds: Array,
    due: Array,
    kind: Array,
    capacity: Counted,
    owed: Counted,
    today: int,
    plans_first: bool,
    key: Array,
    person: Rows,
    status: Array,
) -> tuple[NDArray[np.bool_], Rows]:
    """Work through each area's queue, nearest date first, as long as the team has any time left.

    Parameters
    ----------
    row, area, seconds, due, kind : int arrays (queue,)
        The queue: sentence, whose team, time it takes, day by which a plan is due or day of release, and what is to
        be done. A mixed number settles who comes first among those of one day.
    capacity, owed : int arrays (areas,)
        Time of each team in a day, and its overrun of the day before: today's is written.
    plans_first : bool
        Whether plans come before anything else.

    Returns
    -------
    kept : bool array (queue,)
        What stays in the queue: those who are still inside and weren't reached.
    done : int array
        Places in the queue of the work that is done, in the order in which it was.
    """
    kept = np.zeros(row.size, dtype=np.bool_)
    done = np.empty(row.size, dtype=np.intp)
    begins = np.zeros(capacity.size + 1, dtype=np.intp)
    for task in range(row.size):
        fetch_soon(status, row[min(task + AHEAD, row.size - 1)])
        if status[row[task]] == _CUSTODY:
            kept[task] = True
            begins[area[task] + 1] += 1
    for team in range(capacity.size):
        begins[team + 1] += begins[team]
    place = begins.copy()
    tasks, days = np.empty(begins[-1], dtype=np.intp), np.empty(begins[-1], dtype=np.int64)
    for task in range(row.size):
        if kept[task]:
            at = place[area[task]]
            tasks[at] = task
            # How near a date is, is told apart for so many days back and ahead only.
            days[at] = min(max(int(due[task]) - today, -_HORIZON), _HORIZON - 1)
            if plans_first and kind[task] == PLAN:
                days[at] -= 2 * _HORIZON
            place[area[task]] += 1
    order, rank = np.empty_like(tasks), np.empty(tasks.size, dtype=np.int64)
    work_of_day = np.zeros(4 * _HORIZON, dtype=np.int64)
    reached = 0
    for team in range(capacity.size):
        available = capacity[team] - owed[team]
        first, last = begins[team], begins[team + 1]
        # The last date that comes up today: with everything up to it the team has no time left.
        lowest, highest, last_plan, soonest = _FAR, -_FAR, -_FAR, _FAR
        for at in range(first, last):
            lowest, highest = min(lowest, days[at]), max(highest, days[at])
            if days[at] < -_HORIZON:
                last_plan = max(last_plan, days[at])
            else:
                soonest = min(soonest, days[at])
            work_of_day[days[at] + 3 * _HORIZON] += seconds[tasks[at]]
        latest, day, work = lowest, lowest, np.int64(0)
        while work < available and day <= highest:
            latest = day
            work += work_of_day[day + 3 * _HORIZON]
            # Between plans that come before all else and the rest there is nothing for thousands of days.
            day = soonest if day == last_plan else day + 1
        for at in range(first, last):
            work_of_day[days[at] + 3 * _HORIZON] = 0
        # Everybody up to that date, nearest first.
        size = 0
        if available > 0:
            for at in range(first, last):
                # Written for each, kept for some: a choice that can't be foretold costs more than a number.
                order[size], rank[size] = tasks[at], days[at] - lowest
                size += days[at] <= latest
            for at in range(size):
                fetch_soon(person, row[order[at]])
            for at in range(size):
                fetch_soon(key, person[row[order[at]]])
            for at in range(size):
                task = order[at]
                number = _mixed(key[person[row[task]]] + np.uint64(due[task])) >> np.uint64(32)
                place_in_order = (rank[at] << 32) + np.int64(number)
                put = at
                while put > 0 and rank[put - 1] > place_in_order:
                    order[put], rank[put] = order[put - 1], rank[put - 1]
                    put -= 1
                order[put], rank[put] = task, place_in_order
        used = 0
        for task in order[:size]:
            if used >= available:
                break
            used += seconds[task]
            kept[task] = False
            done[reached] = task
            reached += 1
        owed[team] = max(0, used - available)
    return kept, done[:reached]


@compiled
def work_through(
    row: Rows,
    area: Array,
    seconds: Array,
    due: Array,
    kind: Array,
    capacity: Counted,
    owed: Counted,
    found: NDArray[np.intp],
    today: int,
    plans_first: bool,
    numbers: Rows,
    flows: Counted,
    cell: Array,
    key: Array,
    person: Rows,
    status: Array,
    screened: Array,
    prepared: Array,
    helped: Array,
) -> tuple[int, int, int, int]:
    """Work through each area's queue, see :func:`prepare`; record what is done, and take it off the queue.

    Returns how long the queue is now, and how many are written into the rows of ``found``, shape (4, queue):

    planned, worked, supported : int arrays
        People whose plan is written, with whom work is done, and who have been helped, each in row order.
    with_help : int array
        Sentences of those who have been helped.
    """
    kept, done = prepare(row, area, seconds, due, kind, capacity, owed, today, plans_first, key, person, status)
    planned, worked, supported, with_help = found[0], found[1], found[2], found[3]
    planning, working, helping = 0, 0, 0
    for at in range(done.size):
        soon = row[done[min(at + AHEAD, done.size - 1)]]
        fetch_soon(prepared, soon)
        fetch_soon(cell, person[soon])
        task = done[at]
        sentence = row[task]
        who = person[sentence]
        if kind[task] == PLAN:
            screened[sentence] = WRITTEN
            planned[planning] = who
            planning += 1
            flows[numbers[_PLANS], cell[who]] += 1
            flows[numbers[_PLANS_IN_TIME], cell[who]] += due[task] >= today
        elif kind[task] == WORK:
            prepared[sentence] = DONE
            worked[working] = who
            working += 1
            flows[numbers[_WORKED], cell[who]] += 1
        else:
            helped[sentence] = DONE
            with_help[helping], supported[helping] = sentence, who
            helping += 1
            flows[numbers[_HELPED], cell[who]] += 1
    put_in_order(planned[:planning])
    put_in_order(worked[:working])
    put_in_order(supported[:helping])
    left = 0
    for task in range(row.size):
        if kept[task]:
            if left < task:
                row[left], area[left], seconds[left] = row[task], area[task], seconds[task]
                due[left], kind[left] = due[task], kind[task]
            left += 1
    row[left:], area[left:], seconds[left:], due[left:], kind[left:] = 0, 0, 0, 0, 0
    return left, planning, working, helping


@compiled
def add_places(areas: Array, found: Counted, free: Counted, so_far: Counted, numbers: Rows, flows: Counted) -> None:
    """Add the places found today in each area of the run to those free and those found so far: with the NPS."""
    for at in range(areas.size):
        area = int(areas[at])
        free[area] += found[at]
        so_far[area] += found[at]
        flows[numbers[_HOMES_FOUND], area * 2] += found[at]


@compiled
def give_places(
    row: Rows,
    area: Array,
    due: Array,
    today: int,
    free: Counted,
    taken: Counted,
    numbers: Rows,
    flows: Counted,
    cell: Array,
    key: Array,
    person: Rows,
    status: Array,
    home_found: Array,
) -> tuple[NDArray[np.bool_], Rows]:
    """Give each area's free places to those who look for one, nearest release first.

    Parameters
    ----------
    row, area, due : int arrays (seekers,)
        Sentence, where a home is wanted, and day of release; a mixed number settles who comes first among releases of
        one day.
    free, taken : int arrays (areas,)
        Places nobody has taken yet, and those taken so far: both are written.

    Returns
    -------
    kept : bool array (seekers,)
        Who goes on looking: those still inside without a place.
    housed : int array
        Those who got one.
    """
    kept = np.zeros(row.size, dtype=np.bool_)
    housed = np.empty(row.size, dtype=np.intp)
    many = 0
    for seeker in range(row.size):
        kept[seeker] = status[row[seeker]] == _CUSTODY and due[seeker] > today
    for place in range(free.size):
        while free[place] > 0:
            best, best_number = -1, np.int64(0)
            for seeker in range(row.size):
                if kept[seeker] and area[seeker] == place:
                    number = np.int64(_mixed(key[person[row[seeker]]] + np.uint64(due[seeker])) >> np.uint64(32))
                    if best < 0 or due[seeker] < due[best] or (due[seeker] == due[best] and number < best_number):
                        best, best_number = seeker, number
            if best < 0:
                break
            kept[best] = False
            who = person[row[best]]
            home_found[row[best]] = 1
            flows[numbers[_TAKEN], cell[who]] += 1
            housed[many] = who
            many += 1
            free[place] -= 1
            taken[place] += 1
    return kept, housed[:many]
