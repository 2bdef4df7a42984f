"""Risk, side and officer, case by case: compiled loops that read each person once.

The rules are written here as plain conditions on one person; :mod:`simulation.system.allocation` says when they apply,
counts, tells the history and books what follows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulation.engine import NEVER
from simulation.engine.chance import minus_log_of, uniform_of
from simulation.engine.compiled import AHEAD, compiled, compiled_inside, fetch_soon
from simulation.system.codes import CRC, MANAGED_TOGETHER, NPS, Asking, Grade, Location, Rosh, Tier
from simulation.system.service import CUSTODY_LOCATIONS, Array, Rows
from simulation.system.waits import day_of_wait, value_at

# A compiled loop takes plain numbers, not the members of a class.
_MEDIUM, _HIGH, _VERY_HIGH = Rosh.MEDIUM, Rosh.HIGH, Rosh.VERY_HIGH
_A, _B1, _B2, _C1, _C2, _D1, _D2 = Tier.A, Tier.B1, Tier.B2, Tier.C1, Tier.C2, Tier.D1, Tier.D2
_CRC, _PO, _WAYS_OF_ASKING = CRC, Grade.PO, len(Asking)
_MOST_COUNTED = 32767
_COMMUNITY, _AT_LARGE = Location.COMMUNITY, Location.AT_LARGE
_SENTENCED, _RECALLED = CUSTODY_LOCATIONS


@compiled
def tier_of(
    rosh: int, rsr_percent: float, ogrs: int, mappa: int, safeguarding: int, limits: tuple[float, float, float, float]
) -> int:
    """Return the E3 tier: the highest letter whose rule is met; sub-tier 1 with safeguarding or MAPPA level 2.

    Parameters
    ----------
    rosh, mappa, safeguarding : int
        Risk of serious harm as :class:`Rosh`; level 0-3; 0/1.
    rsr_percent, ogrs : float
        Risk predictors in percent.
    limits : tuple of float
        RSR from which B and C begin, then OGRS from which they do.
    """
    rsr_b, rsr_c, ogrs_b, ogrs_c = limits
    needier = safeguarding == 1 or mappa >= MANAGED_TOGETHER
    if rosh == _VERY_HIGH or mappa == 3:
        return _A
    if rsr_percent >= rsr_b or ogrs >= ogrs_b or rosh >= _HIGH:
        return _B1 if needier else _B2
    if rsr_percent >= rsr_c or ogrs >= ogrs_c or rosh >= _MEDIUM:
        return _C1 if needier else _C2
    return _D1 if needier else _D2


@compiled_inside
def must_be_nps(threshold: float, rsr: int, rosh: int, mappa: int, public_interest: int) -> bool:
    """Tell who must be supervised by the NPS; the threshold of the area is in hundredths of a percent."""
    return (rsr >= threshold) | (rosh >= _HIGH) | (mappa > 0) | (public_interest == 1)


@compiled
def assess_risk(
    rows: Rows,
    error_constant: np.uint64,
    inflation_constant: np.uint64,
    error_by_report: Array,
    inflation: Array,
    key: Array,
    sentences: Array,
    cell: Array,
    side: Array,
    report: Array,
    rosh: Array,
    mappa: Array,
    assessed_rosh: Array,
) -> None:
    """Assess risk of serious harm, at times one step too low or too high, and now and then inflated.

    Whom several agencies manage together (level 2 or 3) nobody takes for less than high.
    """
    for at in range(rows.size):
        soon, row = rows[min(at + AHEAD, rows.size - 1)], rows[at]
        # One column of each group that lies together.
        fetch_soon(key, soon)
        fetch_soon(side, soon)
        fetch_soon(report, soon)
        number = int(sentences[row])
        error = error_by_report[min(max(int(report[row]), 0), error_by_report.size - 1)]
        uniform = uniform_of(key[row], error_constant, number)
        assessed = int(rosh[row])
        if uniform < error / 2:
            assessed = max(assessed - 1, 0)
        if uniform > 1 - error / 2:
            # Nobody is taken for very high who isn't, and very high isn't taken for less.
            assessed = max(assessed, min(assessed + 1, _HIGH))
        if assessed == _MEDIUM and uniform_of(key[row], inflation_constant, number) < inflation[cell[row]]:
            assessed = _HIGH
        if mappa[row] >= MANAGED_TOGETHER:
            assessed = max(assessed, _HIGH)
        # Risk once known to be high stays so while supervision lasts.
        if side[row] >= 0:
            assessed = max(assessed, int(assessed_rosh[row]))
        assessed_rosh[row] = assessed


@compiled
def place_people(
    rows: Rows,
    found: NDArray[np.intp],
    today: int,
    earliest: int,
    asked_at: int,
    delay: np.uint64,
    delay_shares: Array,
    delay_days: Array,
    ahead: NDArray[np.int64],
    threshold: Array,
    unified: Array,
    limits: tuple[float, float, float, float],
    grade: Array,
    key: Array,
    area: Array,
    cell: Array,
    side: Array,
    tier: Array,
    officer: Array,
    waiting_since: Array,
    sentences: Array,
    spells: Array,
    rsr: Array,
    ogrs: Array,
    mappa: Array,
    safeguarding: Array,
    public_interest: Array,
    assessed_rosh: Array,
    prison_held: Array,
) -> tuple[int, int]:
    """Set tier and side from assessed risk; find who needs another officer.

    A prison's case asks for no officer until it is handed over.

    Parameters
    ----------
    found : int array (3, rows)
        The lists below are written into it.
    earliest : int
        The next day whose allocation is still to come.
    asked_at : int
        At what an officer is asked for, see :class:`Asking`: each has a draw of its own.
    delay : uint64
        Constant of the draw that decides how many working days allocation takes.
    delay_shares, delay_days : float arrays
        Quantiles of those days.
    ahead : int array
        The days that lie 0, 1, 2 ... working days after today.
    threshold, unified : arrays (areas,)
        RSR in hundredths of a percent from which a case is the NPS's; where the service is one.
    limits : tuple of float
        Limits of the tiers, see :func:`tier_of`.

    Returns
    -------
    size, many : int
        How long the lists are.

    asking, days : int arrays
        Rows of those who need another officer, and the day of their allocation.
    held : int array
        Rows of those who would, if prison staff didn't hold their case.
    """
    asking, days, held = found[0], found[1], found[2]
    size, many = 0, 0
    for at in range(rows.size):
        soon, row = rows[min(at + AHEAD, rows.size - 1)], rows[at]
        fetch_soon(key, soon)
        fetch_soon(officer, soon)
        fetch_soon(waiting_since, soon)
        fetch_soon(rsr, soon)
        fetch_soon(area, soon)
        fetch_soon(prison_held, soon)
        place, rosh, level, public = int(area[row]), int(assessed_rosh[row]), int(mappa[row]), int(public_interest[row])
        tier[row] = tier_of(rosh, rsr[row] / 100, int(ogrs[row]), level, int(safeguarding[row]), limits)
        must = must_be_nps(threshold[place], int(rsr[row]), rosh, level, public)
        before, holder = int(side[row]), officer[row]
        now = NPS if must or unified[place] or before == NPS else CRC
        side[row] = now
        cell[row] = (cell[row] & -2) | now
        # Only a probation officer can keep a case whose risk is now high.
        if now != before or holder < 0 or (rosh >= _HIGH and grade[holder] != _PO):
            if prison_held[row] == 1:
                waiting_since[row] = NEVER
                held[many] = row
                many += 1
                continue
            # Who waits already goes on waiting, but for whom the other side now has to take over from an officer.
            if waiting_since[row] == NEVER or (now != before and holder >= 0):
                waiting_since[row] = today
            spell = int(sentences[row]) * 1024 + int(spells[row])
            uniform = uniform_of(key[row], delay, spell * _WAYS_OF_ASKING + asked_at)
            asking[size] = row
            days[size] = max(ahead[int(value_at(uniform, delay_shares, delay_days))], earliest)
            size += 1
    return size, many


@compiled
def cases_of_today(
    orphans: Rows,
    due: Rows,
    moving: Rows,
    side: Array,
    location: Array,
    officer: Array,
    waiting_since: Array,
    prison_held: Array,
) -> tuple[Rows, int, int]:
    """Return the cases of today in the order in which they are given out.

    Parameters
    ----------
    orphans, due, moving : int arrays
        Rows, each array sorted: cases of leavers; cases due for allocation; cases that are to change hands.

    Returns
    -------
    rows : int array
        Leavers' cases that have nobody yet, other cases due whose supervision goes on, and cases that change hands; of
        the first two not those whom prison staff took on this morning.
    first_due, first_moving : int
        Where the second and the third of these begin.
    """
    rows = np.empty(orphans.size + due.size + moving.size, dtype=np.intp)
    size = 0
    for at in range(orphans.size):
        soon = orphans[min(at + AHEAD, orphans.size - 1)]
        fetch_soon(officer, soon)
        fetch_soon(prison_held, soon)
        row = orphans[at]
        if side[row] >= 0 and location[row] <= _AT_LARGE and officer[row] < 0 and prison_held[row] == 0:
            rows[size] = row
            size += 1
    first_due, at = size, 0
    for place in range(due.size):
        soon = due[min(place + AHEAD, due.size - 1)]
        fetch_soon(officer, soon)
        fetch_soon(prison_held, soon)
        row = due[place]
        while at < first_due and rows[at] < row:
            at += 1
        goes_on = side[row] >= 0 and location[row] <= _AT_LARGE and prison_held[row] == 0
        if goes_on and not (at < first_due and rows[at] == row):
            rows[size] = row
            size += 1
    first_moving = size
    for place in range(moving.size):
        soon = moving[min(place + AHEAD, moving.size - 1)]
        fetch_soon(officer, soon)
        fetch_soon(waiting_since, soon)
        row = moving[place]
        if officer[row] >= 0 and waiting_since[row] == NEVER:
            rows[size] = row
            size += 1
    return rows[:size], first_due, first_moving


@compiled
def record_officers(
    rows: Rows,
    chosen: NDArray[np.int32],
    keys: NDArray[np.uint64],
    found: NDArray[np.intp],
    next_contact: Array,
    next_rise: Array,
    today: int,
    working_days: Array,
    first_day: int,
    working_day_after: Array,
    answered_within: float,
    giving_seconds: int,
    custody_contact: np.uint64,
    risk_rises: np.uint64,
    moves: np.uint64,
    custody_interval: int,
    rise_rate: Array,
    move_rate: Array,
    logarithms: Array,
    threshold: Array,
    unified: Array,
    numbers: Rows,
    flows: Array,
    key: Array,
    area: Array,
    cell: Array,
    side: Array,
    location: Array,
    rsr: Array,
    rosh: Array,
    assessed_rosh: Array,
    mappa: Array,
    public_interest: Array,
    escalated: Array,
    sentences: Array,
    spells: Array,
    first_due_from: Array,
    officer: Array,
    officer_since: Array,
    waiting_since: Array,
    allocated_on: Array,
    changes: Array,
    officer_changed_on: Array,
    post_area: Array,
    employer: Array,
    owed: Array,
) -> tuple[int, int, int, int, int, int]:
    """Record the new officer of each, count it by cell, and find what follows from the change.

    Whoever gives a case away pays with time of the next day.

    Parameters
    ----------
    rows, chosen : int arrays
        Rows of people and of their new officers' posts.
    keys : uint64 array
        Written here: keys of these people.
    found : int array (8, rows)
        The lists below are written into it, see :func:`simulation.system.custody_loops.lists_of`.
    next_contact, next_rise : int arrays (people,)
        Days of everybody's next contact and of the day on which risk rises, :data:`NEVER` where there is none.
    working_days, first_day : int array, int
        Working days up to and including each day of the calendar, and the place of day 0 among them.
    working_day_after : int array
        The working day at or after each day from today on.
    answered_within : float
        Working days within which the NPS should take over a case whose risk rose.
    giving_seconds : int
        Time of an officer who gives a case away.
    custody_contact, risk_rises, moves : uint64
        Constants of the draws that they name; ``moves`` is of the next move to another officer.
    rise_rate, move_rate : float arrays (cells,)
        How often a year risk rises, and the operating model moves a case.
    numbers : int array
        Rows in ``flows``, the counts of this month, of :data:`simulation.system.allocation.COUNTED`, in that order.

    Returns
    -------
    sizes : tuple of int
        How long the lists are, and how many cases an officer gave away.

    handed, unseen : int arrays
        Rows of those whom another officer held before, and of those whose first appointment is to come.
    held, contact_days : int arrays
        Rows of those in custody with no contact booked, and when it will be.
    rising, rise_days : int arrays
        Rows of those whose risk may rise, and when.
    moving, move_days : int arrays
        Rows of those whom the operating model moves again, and when.
    """
    handed, unseen, held, contact_days = found[0], found[1], found[2], found[3]
    rising, rise_days, moving, move_days = found[4], found[5], found[6], found[7]
    handing, seeing, holding, risers, movers, giving = 0, 0, 0, 0, 0, 0
    allocated, allocation_days, officer_changes = flows[numbers[0]], flows[numbers[1]], flows[numbers[2]]
    misallocated, answered, answered_in_time = flows[numbers[3]], flows[numbers[4]], flows[numbers[5]]
    handover_seconds, seconds_demanded = flows[numbers[6]], flows[numbers[7]]
    for at in range(rows.size):
        # One column of each group that lies together.
        soon = rows[min(at + AHEAD, rows.size - 1)]
        fetch_soon(key, soon)
        fetch_soon(officer, soon)
        fetch_soon(waiting_since, soon)
        fetch_soon(rsr, soon)
        fetch_soon(area, soon)
        fetch_soon(next_contact, soon)
        fetch_soon(next_rise, soon)
        row, post = rows[at], chosen[at]
        where, code, number = int(area[row]), int(cell[row]), int(changes[row])
        since, place, before = waiting_since[row], location[row], officer[row]
        limit, risk, level, public = threshold[where], int(rsr[row]), int(mappa[row]), int(public_interest[row])
        assessed = must_be_nps(limit, risk, int(assessed_rosh[row]), level, public)
        keys[at] = key[row]
        if before >= 0:
            # A case that the NPS takes over from a company because risk rose.
            if escalated[row] == 1 and since != NEVER and employer[before] == CRC:
                took = working_days[today + first_day] - working_days[since + first_day]
                answered[code] += 1
                answered_in_time[code] += took <= answered_within
            if before != post:
                giver = int(post_area[before]) * 2 + int(employer[before])
                owed[before] += giving_seconds
                handover_seconds[giver] += giving_seconds
                seconds_demanded[giver] += giving_seconds
                giving += 1
        if since != NEVER:
            allocated[code] += 1
            allocation_days[code] += today - since
        if number > 0 and before != post and officer_since[row] != NEVER:
            officer_changes[code] += 1
            officer_changed_on[row] = today
            handed[handing] = row
            handing += 1
        elif since != NEVER and not unified[where]:
            # Where the service is one, nobody can be on the wrong side.
            truly = must_be_nps(limit, risk, int(rosh[row]), level, public)
            misallocated[code] += truly != (side[row] == NPS)
        officer[row] = post
        officer_since[row] = today
        waiting_since[row] = NEVER
        allocated_on[row] = today
        changes[row] = number + 1
        if place == _COMMUNITY and first_due_from[row] != NEVER:
            unseen[seeing] = row
            seeing += 1
        elif place in (_SENTENCED, _RECALLED) and next_contact[row] == NEVER:
            uniform = uniform_of(keys[at], custody_contact, int(sentences[row]))
            held[holding] = row
            contact_days[holding] = working_day_after[1 + int(uniform * custody_interval)]
            holding += 1
        # Risk may rise in a case below the threshold, whoever holds it; the draw belongs to the person.
        if not assessed and next_rise[row] == NEVER:
            uniform = uniform_of(keys[at], risk_rises, int(sentences[row]) * 1024 + int(spells[row]))
            wait = minus_log_of(1.0 - uniform, logarithms) / max(rise_rate[code], 1e-9) * 365.25
            rising[risers] = row
            rise_days[risers] = day_of_wait(today, wait)
            risers += 1
        # A later move by the operating model.
        if move_rate[code] > 0:
            uniform = uniform_of(keys[at], moves, number + 1)
            wait = minus_log_of(1.0 - uniform, logarithms) / move_rate[code] * 365.25
            moving[movers] = row
            move_days[movers] = working_day_after[day_of_wait(today, wait) - today]
            movers += 1
    return handing, seeing, holding, risers, movers, giving


@compiled
def first_appointments(
    rows: Rows,
    found: NDArray[np.intp],
    today: int,
    booked: Array,
    mark: int,
    gone_through: int,
    tasks: int,
    person: Array,
    kind: Array,
    wanted: int,
    draws: np.uint64,
    shares: Array,
    working_days: Array,
    on_release_day: Array,
    ahead: NDArray[np.int64],
    key: Array,
    cell: Array,
    spells: Array,
    first_after_release: Array,
    officer: Array,
    waiting_since: Array,
    allocated_on: Array,
) -> int:
    """Find who gets a first appointment and when: some working days after sentence; on release day or the next.

    Only those with an officer get one, and only where the officer before hasn't made one that the new one takes over.
    Returns how many they are; ``found``, shape (2, people), holds who and when.

    Parameters
    ----------
    booked, mark : int32 array (people,), int
        Holds the mark for whoever has one in a diary, or is found here; another number for everybody else.
    gone_through, tasks : int
        How many of the open tasks were gone through before, and how many there are.
    person, kind : int arrays
        Person and kind of every open task; there may be room for more.
    wanted : int
        The kind that a first appointment is.
    draws, shares, working_days : uint64, float arrays
        Constant of the draw that decides when, and quantiles of working days after a sentence.
    on_release_day : float array (cells,)
        Share seen on the day of release.
    ahead : int array
        The days that lie 0, 1, 2 ... working days after today.
    """
    for task in range(gone_through, tasks):
        if kind[task] == wanted:
            booked[person[task]] = mark
    size = 0
    for at in range(rows.size):
        soon, row = rows[min(at + AHEAD, rows.size - 1)], rows[at]
        fetch_soon(booked, soon)
        fetch_soon(officer, soon)
        fetch_soon(waiting_since, soon)
        fetch_soon(key, soon)
        if officer[row] < 0 or waiting_since[row] != NEVER:
            continue
        allocated_on[row] = today
        if booked[row] != mark:
            booked[row] = mark
            uniform = uniform_of(key[row], draws, int(spells[row]))
            if first_after_release[row] == 1:
                wait = 1 if uniform >= on_release_day[cell[row]] else 0
            else:
                wait = int(value_at(uniform, shares, working_days))
            found[0, size] = row
            found[1, size] = ahead[wait]
            size += 1
    return size


@compiled
def raise_risk(
    rows: Rows,
    refusal: np.uint64,
    refused_share: Array,
    key: Array,
    cell: Array,
    sentences: Array,
    spells: Array,
    side: Array,
    assessed_rosh: Array,
    escalated: Array,
    refusals: Array,
) -> tuple[Rows, Array, Rows]:
    """Assess people under supervision as of high risk who weren't yet; those with a company escalate, unless refused.

    A refused case keeps its assessment, and so may stay with the company. ``refusal`` is the constant of the draw, one
    each time that a case is put forward, and ``refused_share`` the share by cell. Returns who is now assessed as of
    high risk, which of them go from a company to the NPS, and whom the NPS refused.
    """
    raised, refused = np.empty(rows.size, dtype=np.intp), np.empty(rows.size, dtype=np.intp)
    moving = np.zeros(rows.size, dtype=np.bool_)
    size, many = 0, 0
    for at in range(rows.size):
        soon, row = rows[min(at + AHEAD, rows.size - 1)], rows[at]
        fetch_soon(side, soon)
        fetch_soon(assessed_rosh, soon)
        fetch_soon(escalated, soon)
        if side[row] < 0 or assessed_rosh[row] >= _HIGH:
            continue
        company = side[row] == _CRC
        share = refused_share[cell[row]] if company else 0.0
        if share > 0:
            number = (int(sentences[row]) * 1024 + int(spells[row])) * 1024 + int(refusals[row]) % 1024
            if uniform_of(key[row], refusal, number) < share:
                refusals[row] = min(int(refusals[row]) + 1, _MOST_COUNTED)
                refused[many] = row
                many += 1
                continue
        assessed_rosh[row] = _HIGH
        raised[size], moving[size] = row, company
        size += 1
        if company:
            escalated[row] = 1
    return raised[:size], moving[:size], refused[:many]
