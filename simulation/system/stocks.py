"""Month-end counts as compiled passes over people and posts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulation.engine import NEVER
from simulation.engine.compiled import compiled
from simulation.system import codes

if TYPE_CHECKING:
    Array = NDArray[Any]
    Rows = NDArray[np.intp]

#: Stocks of people, in the order of their counts.
OF_PEOPLE = (
    "caseload_total",
    "caseload_custody",
    "caseload_community",
    "caseload_court_orders",
    "caseload_licence_pss",
    "caseload_licence",
    "caseload_pss",
    "unallocated",
    "unseen_over_60_days",
    "crisis_unnoticed",
    "crisis_unnoticed_days",
    "community_days",
    "case_days",
    "prison_determinate",
    "prison_recalled",
    "prison_indeterminate",
    "prison_person_days",
    "on_hdc",
    "unlawfully_at_large",
)
(
    _TOTAL,
    _CUSTODY,
    _OUTSIDE,
    _ORDERS,
    _AFTER,
    _LICENCE,
    _SUPERVISION,
    _UNALLOCATED,
    _UNSEEN,
    _UNNOTICED,
    _UNNOTICED_DAYS,
    _COMMUNITY_DAYS,
    _CASE_DAYS,
    _PRISON_DETERMINATE,
    _PRISON_RECALLED,
    _PRISON_FOR_LIFE,
    _PRISON_DAYS,
    _ON_CURFEW,
    _UNLAWFULLY_AT_LARGE,
) = range(len(OF_PEOPLE))
#: Bands of ten days since somebody was seen; the last one is open.
SEEN_BANDS = 37

#: Stocks of posts, in the order of their counts.
OF_POSTS = (
    "officers_in_post",
    "posts_vacant",
    "officers_absent_sick",
    "officers_over_100",
    "officers_over_110",
    "officers_over_50_cases",
    "cases_held",
    "points_held",
    "points_available",
    "officers_po",
    "officers_pso",
    "posts_vacant_po",
    "officers_with_cases",
    "officers_over_40_cases",
    "officers_over_60_cases",
    "officers_over_120",
    "officers_with_tool",
    "officers_truly_over_110",
    "posts_established",
    "trainees_in_post",
    "agency_in_post",
    "newly_qualified_in_post",
    "part_time_in_post",
    "officers_on_maternity_leave",
    "hours_contracted",
)
(
    _IN_POST,
    _VACANT,
    _SICK,
    _OVER_100,
    _OVER_110,
    _OVER_50_CASES,
    _CASES,
    _POINTS,
    _AVAILABLE,
    _PO,
    _PSO,
    _VACANT_PO,
    _WITH_CASES,
    _OVER_40_CASES,
    _OVER_60_CASES,
    _OVER_120,
    _WITH_TOOL,
    _TRULY_OVER_110,
    _ESTABLISHED,
    _TRAINEES,
    _BY_AGENCY,
    _NEWLY_QUALIFIED,
    _PART_TIME,
    _MATERNITY,
    _HOURS,
) = range(len(OF_POSTS))
#: Bands of five cases and of ten percent; the last ones are open.
CASE_BANDS, WORKLOAD_BANDS = 41, 31

# Compiled code knows plain numbers only.
_AT_COMMUNITY, _AT_LARGE, _COMMITTED = codes.Location.COMMUNITY, codes.Location.AT_LARGE, codes.Location.COMMITTED
_SENTENCED, _RECALLED = codes.Location.SENTENCED, codes.Location.RECALLED
_BY_LICENCE, _BY_SUPERVISION = codes.Setting.LICENCE, codes.Setting.SUPERVISION
_INDETERMINATE, _GRADE_PO = codes.Kind.INDETERMINATE, codes.Grade.PO
_IN_ESTABLISHMENT, _AGENCY = codes.Place.ESTABLISHED, codes.Terms.AGENCY
_TRAINEE = codes.Grade.TRAINEE
_HAS_ORDER, _HAS_CURFEW = 1 << codes.Status.ORDER, 1 << codes.Status.CURFEW
_HAS_AFTER = (
    _HAS_CURFEW | (1 << codes.Status.LICENCE) | (1 << codes.Status.SUPERVISION) | (1 << codes.Status.AT_LARGE)
)


class PeopleCounted(NamedTuple):
    """Columns of people that are counted."""

    side: Array
    cell: Array
    location: Array
    setting: Array
    officer: Array
    latest: Array
    last_seen: Array
    work_only: Array
    crisis_since: Array
    crisis_noticed: Array
    prison_held: Array


class PostsCounted(NamedTuple):
    """Columns of posts that are counted."""

    area: Array
    employer: Array
    grade: Array
    filled: Array
    cases: Array
    sick_until: Array
    closed: Array
    place: Array
    terms: Array
    hours: Array
    new_until: Array
    away_until: Array


class PeopleDigested(NamedTuple):
    """Columns of people that go into the month's digest, in this order."""

    key: Array
    location: Array
    setting: Array
    side: Array
    tier: Array
    officer: Array
    last_seen: Array
    crisis_since: Array
    risk_hazard: Array
    contacts: Array


@compiled
def count_people(
    size: int, cells: int, people: PeopleCounted, masks: Array, kinds: Array, today: int, first: int
) -> tuple[Array, Array, Rows]:
    """Count everybody supervised on the evening of ``today``; the month began on ``first``.

    ``masks`` is the set of statuses of everybody's sentences as bits, ``kinds`` the kind of every sentence.

    Returns
    -------
    tuple
        Counts by stock and cell, people by band of days since they were seen and side, and the people in the community.
    """
    counts = np.zeros((len(OF_PEOPLE), cells), dtype=np.int64)
    bands = np.zeros((SEEN_BANDS, 2), dtype=np.int64)
    seen = np.empty(size, dtype=np.intp)
    many = 0
    # Today's day is counted too: the month is over at midnight.
    midnight = today + 1
    days = midnight - first
    for row in range(size):
        side = people.side[row]
        if side < 0:
            continue
        cell, place = people.cell[row], people.location[row]
        counts[_TOTAL, cell] += 1
        if people.officer[row] < 0:
            counts[_UNALLOCATED, cell] += people.prison_held[row] == 0
        else:
            counts[_CASE_DAYS, cell] += days
        if place in (_SENTENCED, _RECALLED):
            counts[_CUSTODY, cell] += 1
            counts[_PRISON_DAYS, cell] += days
            if place == _RECALLED:
                counts[_PRISON_RECALLED, cell] += 1
            elif kinds[people.latest[row]] == _INDETERMINATE:
                counts[_PRISON_FOR_LIFE, cell] += 1
            else:
                counts[_PRISON_DETERMINATE, cell] += 1
        if place in (_AT_COMMUNITY, _AT_LARGE, _COMMITTED):
            statuses = masks[row]
            counts[_OUTSIDE, cell] += 1
            if statuses & _HAS_ORDER:
                counts[_ORDERS, cell] += 1
            if statuses & _HAS_AFTER:
                counts[_AFTER, cell] += 1
            if people.setting[row] == _BY_LICENCE:
                counts[_LICENCE, cell] += 1
            if people.setting[row] == _BY_SUPERVISION:
                counts[_SUPERVISION, cell] += 1
            if place == _AT_LARGE:
                counts[_UNLAWFULLY_AT_LARGE, cell] += 1
            if place == _AT_COMMUNITY:
                seen[many] = row
                many += 1
                counts[_COMMUNITY_DAYS, cell] += days
                if statuses & _HAS_CURFEW:
                    counts[_ON_CURFEW, cell] += 1
                if people.work_only[row] == 0:
                    since = today - int(people.last_seen[row])
                    bands[min(since // 10, SEEN_BANDS - 1), side] += 1
                    if since > 60:
                        counts[_UNSEEN, cell] += 1
                if people.crisis_since[row] != NEVER and people.crisis_noticed[row] == 0:
                    counts[_UNNOTICED, cell] += 1
                    counts[_UNNOTICED_DAYS, cell] += midnight - max(int(people.crisis_since[row]), first)
    return counts, bands, seen[:many].copy()


@compiled
def count_posts(
    size: int,
    cells: int,
    posts: PostsCounted,
    points: Array,
    available: Array,
    today: int,
    tool: Array,
    truth: float,
    full_time: int,
) -> tuple[Array, Array, Array]:
    """Count posts and what their holders carry; return counts, and officers by band of cases and of workload.

    ``tool`` says in which cells there is a workload tool: where there is none, nothing is counted that it would show.
    """
    counts = np.zeros((len(OF_POSTS), cells), dtype=np.int64)
    by_cases = np.zeros((CASE_BANDS, 2), dtype=np.int64)
    by_workload = np.zeros((WORKLOAD_BANDS, 2), dtype=np.int64)
    for row in range(size):
        employer = int(posts.employer[row])
        cell = int(posts.area[row]) * 2 + employer
        established = posts.place[row] == _IN_ESTABLISHMENT and posts.closed[row] == 0
        counts[_ESTABLISHED, cell] += established
        if posts.filled[row] != 1:
            counts[_VACANT, cell] += established
            counts[_VACANT_PO, cell] += established and posts.grade[row] == _GRADE_PO
            continue
        cases = posts.cases[row]
        share = points[row] * 100.0 / available[row] if available[row] > 0 else 0.0
        counts[_IN_POST, cell] += 1
        counts[_CASES, cell] += cases
        trainee = posts.grade[row] == _TRAINEE
        counts[_TRAINEES, cell] += trainee
        counts[_BY_AGENCY, cell] += posts.terms[row] == _AGENCY
        counts[_NEWLY_QUALIFIED, cell] += posts.grade[row] == _GRADE_PO and posts.new_until[row] > today
        counts[_PART_TIME, cell] += posts.hours[row] < full_time
        counts[_MATERNITY, cell] += posts.away_until[row] > today
        counts[_HOURS, cell] += posts.hours[row]
        if posts.sick_until[row] > today:
            counts[_SICK, cell] += 1
        counts[_TRULY_OVER_110, cell] += share * truth > 110
        if tool[cell]:
            counts[_WITH_TOOL, cell] += 1
            counts[_POINTS, cell] += points[row]
            counts[_AVAILABLE, cell] += available[row]
            counts[_OVER_100, cell] += share > 100
            counts[_OVER_110, cell] += share > 110
            by_workload[min(int(share) // 10, WORKLOAD_BANDS - 1), employer] += 1
        if cases > 50:
            counts[_OVER_50_CASES, cell] += 1
        counts[_PO if posts.grade[row] == _GRADE_PO else _PSO, cell] += 1
        counts[_WITH_CASES, cell] += cases > 0
        counts[_OVER_40_CASES, cell] += cases > 40
        counts[_OVER_60_CASES, cell] += cases > 60
        counts[_OVER_120, cell] += tool[cell] and share > 120
        by_cases[min(cases // 5, CASE_BANDS - 1), employer] += 1
    return counts, by_cases, by_workload


@compiled
def state_of_people(size: int, people: PeopleDigested) -> tuple[Array, ...]:
    """Return the state of everybody supervised, a packed array for each column."""
    known = 0
    for row in range(size):
        known += people.side[row] >= 0
    key = np.empty(known, dtype=np.uint64)
    location = np.empty(known, dtype=np.int8)
    setting = np.empty(known, dtype=np.int8)
    side = np.empty(known, dtype=np.int8)
    tier = np.empty(known, dtype=np.int8)
    officer = np.empty(known, dtype=np.int32)
    last_seen = np.empty(known, dtype=np.int32)
    crisis_since = np.empty(known, dtype=np.int32)
    risk_hazard = np.empty(known, dtype=np.float64)
    contacts = np.empty(known, dtype=np.int16)
    at = 0
    for row in range(size):
        if people.side[row] >= 0:
            key[at] = people.key[row]
            location[at] = people.location[row]
            setting[at] = people.setting[row]
            side[at] = people.side[row]
            tier[at] = people.tier[row]
            officer[at] = people.officer[row]
            last_seen[at] = people.last_seen[row]
            crisis_since[at] = people.crisis_since[row]
            risk_hazard[at] = people.risk_hazard[row]
            contacts[at] = people.contacts[row]
            at += 1
    return key, location, setting, side, tier, officer, last_seen, crisis_since, risk_hazard, contacts
