"""Risk, side and officer, case by case: compiled loops that read each person once.

The rules are written here as plain conditions on one person; :mod:`simulation.system.allocation` says when they apply,
counts, tells the history and books what follows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulation.engine import NEVER
from simulation.engine.chance import minus_log_of, uniform_of
from simulation.engine.compiled import compiled
from simulation.system.choosing import choose_officers
from simulation.system.codes import CRC, NPS, Asking, Grade, Location, Rosh, Tier
from simulation.system.service import CUSTODY_LOCATIONS, Array, Rows
from simulation.system.waits import day_of_wait, value_at

Counted = NDArray[np.int64]
Days = NDArray[np.int32]
Mask = NDArray[np.bool_]

# A compiled loop takes plain numbers, not the members of a class.
_MEDIUM, _HIGH, _VERY_HIGH = Rosh.MEDIUM, Rosh.HIGH, Rosh.VERY_HIGH
_A, _B1, _B2, _C1, _C2, _D1, _D2 = Tier.A, Tier.B1, Tier.B2, Tier.C1, Tier.C2, Tier.D1, Tier.D2
_PO, _WAYS_OF_ASKING = Grade.PO, len(Asking)
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
    needier = safeguarding == 1 or mappa >= 2
    if rosh == _VERY_HIGH or mappa == 3:
        return _A
    if rsr_percent >= rsr_b or ogrs >= ogrs_b or rosh >= _HIGH:
        return _B1 if needier else _B2
    if rsr_percent >= rsr_c or ogrs >= ogrs_c or rosh >= _MEDIUM:
        return _C1 if needier else _C2
    return _D1 if needier else _D2


@compiled
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
    assessed_rosh: Array,
) -> None:
    """Assess risk of serious harm, at times one step too low or too high, and now and then inflated."""
    for row in rows:
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
        # Risk once known to be high stays so while supervision lasts.
        if side[row] >= 0:
            assessed = max(assessed, int(assessed_rosh[row]))
        assessed_rosh[row] = assessed


@compiled
def place_people(
    rows: Rows,
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
) -> tuple[Rows, NDArray[np.int64]]:
    """Set tier and side from assessed risk; find who needs another officer.

    Parameters
    ----------
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
    asking, days : int arrays
        Rows of those who need another officer, and the day of their allocation.
    """
    asking = np.empty(rows.size, dtype=np.intp)
    days = np.empty(rows.size, dtype=np.int64)
    size = 0
    for row in rows:
        place, rosh, level, public = int(area[row]), int(assessed_rosh[row]), int(mappa[row]), int(public_interest[row])
        tier[row] = tier_of(rosh, rsr[row] / 100, int(ogrs[row]), level, int(safeguarding[row]), limits)
        must = must_be_nps(threshold[place], int(rsr[row]), rosh, level, public)
        before, holder = int(side[row]), officer[row]
        now = NPS if must or unified[place] or before == NPS else CRC
        side[row] = now
        cell[row] = (cell[row] & -2) | now
        # Only a probation officer can keep a case whose risk is now high.
        if now != before or holder < 0 or (rosh >= _HIGH and grade[holder] != _PO):
            # Who waits already goes on waiting, but for whom the other side now has to take over from an officer.
            if waiting_since[row] == NEVER or (now != before and holder >= 0):
                waiting_since[row] = today
            spell = int(sentences[row]) * 1024 + int(spells[row])
            uniform = uniform_of(key[row], delay, spell * _WAYS_OF_ASKING + asked_at)
            asking[size] = row
            days[size] = max(ahead[int(value_at(uniform, delay_shares, delay_days))], earliest)
            size += 1
    return asking[:size], days[:size]


@compiled
def cases_of_today(
    orphans: Rows, due: Rows, moving: Rows, side: Array, location: Array, officer: Array, waiting_since: Array
) -> tuple[Rows, int, int]:
    """Return the cases of today in the order in which they are given out.

    Parameters
    ----------
    orphans, due, moving : int arrays
        Rows, each array sorted: cases of leavers; cases due for allocation; cases that are to change hands.

    Returns
    -------
    rows : int array
        Leavers' cases that have nobody yet, other cases due whose supervision goes on, and cases that change hands.
    first_due, first_moving : int
        Where the second and the third of these begin.
    """
    rows = np.empty(orphans.size + due.size + moving.size, dtype=np.intp)
    size = 0
    for row in orphans:
        if side[row] >= 0 and location[row] <= _AT_LARGE and officer[row] < 0:
            rows[size] = row
            size += 1
    first_due, at = size, 0
    for row in due:
        while at < first_due and rows[at] < row:
            at += 1
        if side[row] >= 0 and location[row] <= _AT_LARGE and not (at < first_due and rows[at] == row):
            rows[size] = row
            size += 1
    first_moving = size
    for row in moving:
        if officer[row] >= 0 and waiting_since[row] == NEVER:
            rows[size] = row
            size += 1
    return rows[:size], first_due, first_moving


@compiled
def what_counts(officers: Rows, by_points: Mask, cases: Array, points: Array) -> NDArray[np.int64]:
    """Return what decides who gets the next case: cases held, or the tool's points where the team goes by those."""
    held = np.empty(officers.size, dtype=np.int64)
    for at in range(officers.size):
        post = officers[at]
        held[at] = points[post] if by_points[at] else cases[post]
    return held


@compiled
def give_cases(
    rows: Rows,
    unified: Array,
    by_points: Array,
    tariff: Array,
    area: Array,
    office: Array,
    side: Array,
    assessed_rosh: Array,
    setting: Array,
    tier: Array,
    officer: Array,
    posts: int,
    post_area: Array,
    post_office: Array,
    employer: Array,
    grade: Array,
    filled: Array,
    hours_left: Array,
    cases_held: Array,
    points_held: Array,
) -> Rows:
    """Give cases to officers by their team's rule and move what officers hold.

    Parameters
    ----------
    rows : int array
        Rows of people, in the order in which cases are given out within a pass.
    unified : bool array (areas,)
        Where the service is one, and so is the team of an office.
    by_points : bool array (areas, sides)
        Where points decide, not cases.
    tariff : int array (setting, tier)
        Points of a case.
    hours_left : int array (posts,)
        Hours that each officer has for cases; who has none gets none.

    Returns
    -------
    chosen : int array
        The new officer of each; -1 where the team has nobody.
    """
    teams = 0
    team = np.empty(rows.size, dtype=np.int64)
    points = np.empty(rows.size, dtype=np.int64)
    cost = np.empty(rows.size, dtype=np.int64)
    leaves = np.empty(rows.size, dtype=np.intp)
    high = np.empty(rows.size, dtype=np.bool_)
    # Records are read before anything is decided: without a choice in between, the processor fetches many at once.
    for at in range(rows.size):
        row = rows[at]
        place = area[row]
        team[at] = int(office[row]) * 2 + int(side[row]) * (1 - int(unified[place]))
        points[at] = tariff[setting[row], tier[row]]
        cost[at] = by_points[place, team[at] & 1]
        high[at] = assessed_rosh[row] >= _HIGH
        leaves[at] = officer[row]
    for at in range(rows.size):
        teams = max(teams, team[at] + 1)
        cost[at] = points[at] if cost[at] else 1
        # The officer they leave doesn't count them when they move.
        if leaves[at] >= 0:
            cases_held[leaves[at]] -= 1
            points_held[leaves[at]] -= points[at]
    team_of_post = np.empty(posts, dtype=np.int64)
    for post in range(posts):
        team_of_post[post] = int(post_office[post]) * 2 + (0 if unified[post_area[post]] else int(employer[post]))
        teams = max(teams, team_of_post[post] + 1)

    chosen = np.full(rows.size, -1, dtype=np.intp)
    mine = np.empty(rows.size, dtype=np.intp)
    officers = np.empty(posts, dtype=np.intp)
    go_by_points = np.empty(posts, dtype=np.bool_)
    # First the cases that need a probation officer, then the others.
    for needs_po in (True, False):
        size = 0
        for at in range(rows.size):
            if high[at] == needs_po:
                mine[size] = at
                size += 1
        if size == 0:
            continue
        able = 0
        for post in range(posts):
            if filled[post] != 1 or hours_left[post] <= 0 or (needs_po and grade[post] != _PO):
                continue
            officers[able] = post
            go_by_points[able] = by_points[post_area[post], team_of_post[post] & 1]
            able += 1
        now, eligible = mine[:size], officers[:able]
        held = what_counts(eligible, go_by_points[:able], cases_held, points_held)
        team_of = team_of_post[eligible]
        found = choose_officers(team[now], cost[now], eligible, team_of, held, hours_left[eligible], teams)
        for number in range(size):
            chosen[now[number]] = found[number]
            if found[number] >= 0:
                cases_held[found[number]] += 1
                points_held[found[number]] += points[now[number]]
    for at in range(rows.size):
        before = leaves[at]
        if chosen[at] < 0 and before >= 0:
            cases_held[before] += 1
            points_held[before] += points[at]
    return chosen


@compiled
def record_officers(
    rows: Rows,
    chosen: Rows,
    next_contact: Array,
    next_rise: Array,
    today: int,
    custody_contact: np.uint64,
    risk_rises: np.uint64,
    moves: np.uint64,
    custody_interval: int,
    rise_rate: Array,
    move_rate: Array,
    logarithms: Array,
    threshold: Array,
    unified: Array,
    allocated: Counted,
    allocation_days: Counted,
    officer_changes: Counted,
    misallocated: Counted,
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
    sentences: Array,
    spells: Array,
    first_due_from: Array,
    officer: Array,
    officer_since: Array,
    waiting_since: Array,
    allocated_on: Array,
    changes: Array,
    officer_changed_on: Array,
) -> tuple[Rows, Rows, Rows, Days, Rows, Days, Rows, Days]:
    """Record the new officer of each, count it by cell, and find what follows from the change.

    Parameters
    ----------
    rows, chosen : int arrays
        Rows of people and of their new officers' posts.
    next_contact, next_rise : int arrays
        Days of each one's next contact and of the day on which risk rises, :data:`NEVER` where there is none.
    custody_contact, risk_rises, moves : uint64
        Constants of the draws that they name; ``moves`` is of the next move to another officer.
    rise_rate, move_rate : float arrays (cells,)
        How often a year risk rises, and the operating model moves a case.
    allocated, allocation_days, officer_changes, misallocated : int arrays (cells,)
        Counts of this month.

    Returns
    -------
    handed, unseen : int arrays
        Rows of those whom another officer held before, and of those whose first appointment is to come.
    held, contact_days : int arrays
        Rows of those in custody with no contact booked, and when it would be.
    rising, rise_days : int arrays
        Rows of those whose risk may rise, and when.
    moving, move_days : int arrays
        Rows of those whom the operating model moves again, and when it would.
    """
    handed, unseen, held = np.empty_like(rows), np.empty_like(rows), np.empty_like(rows)
    rising, moving = np.empty_like(rows), np.empty_like(rows)
    contact_days = np.empty(rows.size, dtype=np.int32)
    rise_days = np.empty(rows.size, dtype=np.int32)
    move_days = np.empty(rows.size, dtype=np.int32)
    handing, seeing, holding, risers, movers = 0, 0, 0, 0, 0
    # Records are read before anything is decided: without a choice in between, the processor fetches many at once.
    waiting = np.empty(rows.size, dtype=np.int32)
    places = np.empty(rows.size, dtype=np.int8)
    numbers = np.empty(rows.size, dtype=np.int64)
    truly = np.empty(rows.size, dtype=np.bool_)
    assessed = np.empty(rows.size, dtype=np.bool_)
    for at in range(rows.size):
        row = rows[at]
        waiting[at] = waiting_since[row]
        places[at] = location[row]
        numbers[at] = changes[row]
        limit, risk, level, public = threshold[area[row]], int(rsr[row]), int(mappa[row]), int(public_interest[row])
        truly[at] = must_be_nps(limit, risk, int(rosh[row]), level, public)
        assessed[at] = must_be_nps(limit, risk, int(assessed_rosh[row]), level, public)
    for at in range(rows.size):
        row, post = rows[at], chosen[at]
        where, code, number = int(area[row]), int(cell[row]), numbers[at]
        since, place, before = waiting[at], places[at], officer[row]
        if since != NEVER:
            allocated[code] += 1
            allocation_days[code] += today - since
        if number > 0 and before != post and officer_since[row] != NEVER:
            officer_changes[code] += 1
            officer_changed_on[row] = today
            handed[handing] = row
            handing += 1
        elif since != NEVER and not unified[where] and truly[at] != (side[row] == NPS):
            # Where the service is one, nobody can be on the wrong side.
            misallocated[code] += 1
        officer[row] = post
        officer_since[row] = today
        waiting_since[row] = NEVER
        allocated_on[row] = today
        changes[row] = number + 1
        if place == _COMMUNITY and first_due_from[row] != NEVER:
            unseen[seeing] = row
            seeing += 1
        elif place in (_SENTENCED, _RECALLED) and next_contact[at] == NEVER:
            uniform = uniform_of(key[row], custody_contact, int(sentences[row]))
            held[holding] = row
            contact_days[holding] = today + 1 + int(uniform * custody_interval)
            holding += 1
        # Risk may rise in a case below the threshold, whoever holds it; the draw belongs to the person.
        if not assessed[at] and next_rise[at] == NEVER:
            uniform = uniform_of(key[row], risk_rises, int(sentences[row]) * 1024 + int(spells[row]))
            wait = minus_log_of(1.0 - uniform, logarithms) / max(rise_rate[code], 1e-9) * 365.25
            rising[risers] = row
            rise_days[risers] = day_of_wait(today, wait)
            risers += 1
        # A later move by the operating model.
        if move_rate[code] > 0:
            uniform = uniform_of(key[row], moves, number + 1)
            wait = minus_log_of(1.0 - uniform, logarithms) / move_rate[code] * 365.25
            moving[movers] = row
            move_days[movers] = day_of_wait(today, wait)
            movers += 1
    return (
        handed[:handing],
        unseen[:seeing],
        held[:holding],
        contact_days[:holding],
        rising[:risers],
        rise_days[:risers],
        moving[:movers],
        move_days[:movers],
    )


@compiled
def first_appointments(
    rows: Rows,
    today: int,
    mark: Array,
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
) -> tuple[Rows, NDArray[np.int64]]:
    """Return who gets a first appointment and when: some working days after sentence; on release day or the next.

    Only those with an officer get one, and only where the officer before hasn't made one that the new one takes over.

    Parameters
    ----------
    mark : int8 array (people,)
        All zero, and left so: room to work in.
    person, kind : int arrays (tasks,)
        Person and kind of every open task.
    wanted : int
        The kind that a first appointment is.
    draws, shares, working_days : uint64, float arrays
        Constant of the draw that decides when, and quantiles of working days after a sentence.
    on_release_day : float array (cells,)
        Share seen on the day of release.
    ahead : int array
        The days that lie 0, 1, 2 ... working days after today.
    """
    asking = np.empty_like(rows)
    days = np.empty(rows.size, dtype=np.int64)
    size = 0
    for row in rows:
        asking[size] = row
        size += (officer[row] >= 0) & (waiting_since[row] == NEVER)
    if size == 0:
        return asking[:0], days[:0]
    for row in asking[:size]:
        allocated_on[row] = today
        mark[row] = 1
    for task in range(person.size):
        if kind[task] == wanted:
            mark[person[task]] = 0
    booked = 0
    for row in asking[:size]:
        if mark[row] == 1:
            mark[row] = 0
            uniform = uniform_of(key[row], draws, int(spells[row]))
            if first_after_release[row] == 1:
                wait = 1 if uniform >= on_release_day[cell[row]] else 0
            else:
                wait = int(value_at(uniform, shares, working_days))
            asking[booked] = row
            days[booked] = ahead[wait]
            booked += 1
    return asking[:booked], days[:booked]
