"""Risk, side and officer, case by case: compiled loops that read each person once.

The rules are written here as plain conditions on one person; :mod:`simulation.system.allocation` says when they apply,
counts, tells the history and books what follows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulation.engine import NEVER
from simulation.engine.chance import uniform_of
from simulation.engine.compiled import compiled
from simulation.system.choosing import choose_officers
from simulation.system.codes import CRC, NPS, Grade, Location, Rosh, Tier
from simulation.system.service import CUSTODY_LOCATIONS, Array, Rows

Mask = NDArray[np.bool_]

# A compiled loop takes plain numbers, not the members of a class.
_MEDIUM, _HIGH, _VERY_HIGH = Rosh.MEDIUM, Rosh.HIGH, Rosh.VERY_HIGH
_A, _B1, _B2, _C1, _C2, _D1, _D2 = Tier.A, Tier.B1, Tier.B2, Tier.C1, Tier.C2, Tier.D1, Tier.D2
_PO, _PSO = Grade.PO, Grade.PSO
_COMMUNITY, _AT_LARGE = Location.COMMUNITY, Location.AT_LARGE
_SENTENCED, _RECALLED = CUSTODY_LOCATIONS

#: What is noticed of a case that gets an officer; rows of the array that :func:`record_officers` returns.
NOTICED = 6
WAITED, HANDED, WRONG, NOT_SEEN, UNBOOKED, MAY_RISE = range(NOTICED)


@compiled
def tiers(
    rosh: Array,
    rsr_percent: Array,
    ogrs: Array,
    mappa: Array,
    safeguarding: Array,
    rsr_b: float,
    rsr_c: float,
    ogrs_b: float,
    ogrs_c: float,
) -> NDArray[np.int8]:
    """Return the E3 tier of each; see :func:`simulation.system.allocation.tier_of`."""
    found = np.empty(rosh.size, dtype=np.int8)
    for at in range(rosh.size):
        needier = safeguarding[at] == 1 or mappa[at] >= 2
        if rosh[at] == _VERY_HIGH or mappa[at] == 3:
            found[at] = _A
        elif rsr_percent[at] >= rsr_b or ogrs[at] >= ogrs_b or rosh[at] >= _HIGH:
            found[at] = _B1 if needier else _B2
        elif rsr_percent[at] >= rsr_c or ogrs[at] >= ogrs_c or rosh[at] >= _MEDIUM:
            found[at] = _C1 if needier else _C2
        else:
            found[at] = _D1 if needier else _D2
    return found


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
            assessed = min(assessed + 1, _HIGH)
        if assessed == _MEDIUM and uniform_of(key[row], inflation_constant, number) < inflation[cell[row]]:
            assessed = _HIGH
        # Risk once known to be high stays so while supervision lasts.
        if side[row] >= 0:
            assessed = max(assessed, int(assessed_rosh[row]))
        assessed_rosh[row] = assessed


@compiled
def must_be_nps(
    rows: Rows, threshold: Array, area: Array, rsr: Array, rosh: Array, mappa: Array, public_interest: Array
) -> Mask:
    """Tell who must be supervised by the NPS; the threshold of each area is in hundredths of a percent."""
    must = np.empty(rows.size, dtype=np.bool_)
    for at in range(rows.size):
        row = rows[at]
        must[at] = (
            rsr[row] >= threshold[area[row]] or rosh[row] >= _HIGH or mappa[row] > 0 or public_interest[row] == 1
        )
    return must


@compiled
def choose_sides(
    rows: Rows,
    must: Mask,
    unified: Array,
    grade: Array,
    area: Array,
    side: Array,
    officer: Array,
    assessed_rosh: Array,
) -> tuple[NDArray[np.int8], Rows]:
    """Return the side of each, and the rows of those who need another officer."""
    sides = np.empty(rows.size, dtype=np.int8)
    asking = np.empty(rows.size, dtype=np.intp)
    size = 0
    for at in range(rows.size):
        row = rows[at]
        sides[at] = NPS if must[at] or unified[area[row]] or side[row] == NPS else CRC
        holder = officer[row]
        # A probation services officer can't keep a case whose risk is now high.
        if sides[at] != side[row] or holder < 0 or (assessed_rosh[row] >= _HIGH and grade[holder] == _PSO):
            asking[size] = row
            size += 1
    return sides, asking[:size]


@compiled
def open_cases(rows: Rows, side: Array, location: Array) -> Rows:
    """Return those whose supervision goes on."""
    kept = np.empty(rows.size, dtype=np.intp)
    size = 0
    for row in rows:
        if side[row] >= 0 and location[row] <= _AT_LARGE:
            kept[size] = row
            size += 1
    return kept[:size]


@compiled
def loads_of(
    officers: Rows, by_points: Mask, today: int, capacity_left: float, cases: Array, points: Array, new_until: Array
) -> NDArray[np.int64]:
    """Return what officers hold: cases, or the tool's points where those decide.

    Parameters
    ----------
    officers : int array
        Rows of posts.
    by_points : bool array
        Whose team goes by points. Officers on reduced hours take proportionately less.
    capacity_left : float
        What officers on reduced hours can take, relative to others.
    """
    load = np.empty(officers.size, dtype=np.int64)
    for at in range(officers.size):
        post = officers[at]
        if not by_points[at]:
            load[at] = cases[post]
        elif new_until[post] > today:
            load[at] = int(points[post] / capacity_left)
        else:
            load[at] = points[post]
    return load


@compiled
def give_cases(
    rows: Rows,
    today: int,
    unified: Array,
    by_points: Array,
    tariff: Array,
    capacity_left: float,
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
    new_until: Array,
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
    capacity_left : float
        What officers on reduced hours can take, relative to others.

    Returns
    -------
    chosen : int array
        The new officer of each; -1 where the team has nobody.
    """
    teams = 0
    team = np.empty(rows.size, dtype=np.int64)
    points = np.empty(rows.size, dtype=np.int64)
    cost = np.empty(rows.size, dtype=np.int64)
    for at in range(rows.size):
        row = rows[at]
        place = int(area[row])
        team[at] = int(office[row]) * 2 + (0 if unified[place] else int(side[row]))
        teams = max(teams, team[at] + 1)
        points[at] = tariff[setting[row], tier[row]]
        cost[at] = points[at] if by_points[place, team[at] & 1] else 1
        # The officer they leave doesn't count them when they move.
        if officer[row] >= 0:
            cases_held[officer[row]] -= 1
            points_held[officer[row]] -= points[at]
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
            if (assessed_rosh[rows[at]] >= _HIGH) == needs_po:
                mine[size] = at
                size += 1
        if size == 0:
            continue
        able = 0
        for post in range(posts):
            if filled[post] != 1 or (needs_po and grade[post] != _PO):
                continue
            officers[able] = post
            go_by_points[able] = by_points[post_area[post], team_of_post[post] & 1]
            able += 1
        now, eligible = mine[:size], officers[:able]
        load = loads_of(eligible, go_by_points[:able], today, capacity_left, cases_held, points_held, new_until)
        found = choose_officers(team[now], cost[now], eligible, team_of_post[eligible], load, teams)
        for number in range(size):
            chosen[now[number]] = found[number]
            if found[number] >= 0:
                cases_held[found[number]] += 1
                points_held[found[number]] += points[now[number]]
    for at in range(rows.size):
        before = officer[rows[at]]
        if chosen[at] < 0 and before >= 0:
            cases_held[before] += 1
            points_held[before] += points[at]
    return chosen


@compiled
def record_officers(
    rows: Rows,
    chosen: Array,
    truly_nps: Mask,
    assessed_nps: Mask,
    next_contact: Array,
    next_rise: Array,
    today: int,
    unified: Array,
    area: Array,
    side: Array,
    location: Array,
    first_due_from: Array,
    officer: Array,
    officer_since: Array,
    waiting_since: Array,
    allocated_on: Array,
    changes: Array,
    officer_changed_on: Array,
) -> tuple[Mask, NDArray[np.int64]]:
    """Record the new officer of each; return what is noticed, see :data:`NOTICED`, and the days that each waited."""
    noticed = np.zeros((NOTICED, rows.size), dtype=np.bool_)
    days = np.zeros(rows.size, dtype=np.int64)
    for at in range(rows.size):
        row = rows[at]
        waited = waiting_since[row] != NEVER
        handed = changes[row] > 0 and officer[row] != chosen[at] and officer_since[row] != NEVER
        # Where the service is one, nobody can be on the wrong side.
        wrong = not unified[area[row]] and truly_nps[at] != (side[row] == NPS)
        place = location[row]
        noticed[WAITED, at] = waited
        noticed[HANDED, at] = handed
        noticed[WRONG, at] = wrong and waited and not handed
        noticed[NOT_SEEN, at] = place == _COMMUNITY and first_due_from[row] != NEVER
        noticed[UNBOOKED, at] = place in (_SENTENCED, _RECALLED) and next_contact[at] == NEVER
        noticed[MAY_RISE, at] = not assessed_nps[at] and next_rise[at] == NEVER
        days[at] = today - waiting_since[row]
        if handed:
            officer_changed_on[row] = today
        officer[row] = chosen[at]
        officer_since[row] = today
        waiting_since[row] = NEVER
        allocated_on[row] = today
        changes[row] += 1
    return noticed, days


@compiled
def first_days(
    rows: Rows,
    uniform: Array,
    after_sentence: Array,
    on_release_day: Array,
    after: Array,
    cell: Array,
    first_after_release: Array,
) -> NDArray[np.int64]:
    """Return the day of each first appointment: some working days after sentence; on release day or the next.

    Parameters
    ----------
    uniform, after_sentence : float arrays
        A draw for each, and the working days it gives after a sentence.
    on_release_day : float array (cells,)
        Share seen on the day of release.
    after : int array
        Day that lies so many working days ahead.
    """
    days = np.empty(rows.size, dtype=np.int64)
    for at in range(rows.size):
        row = rows[at]
        if first_after_release[row] == 1:
            days[at] = after[1 if uniform[at] >= on_release_day[cell[row]] else 0]
        else:
            days[at] = after[int(after_sentence[at])]
    return days
