"""Month-end counts as compiled passes over people and posts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulation.engine import NEVER
from simulation.engine.compiled import FAR_AHEAD, compiled, compiled_inside, fetch_soon
from simulation.engine.digest import stirred
from simulation.system import codes
from simulation.system.cohorts import INSPECTED_FROM, INSPECTED_TO
from simulation.system.contact_rules import may_be_called

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
    "caseload_telephone_only",
    "hub_cases",
    "caseload_nps",
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
    _ON_TELEPHONE,
    _WITH_HUB,
    _WITH_NPS,
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
    "po_equivalents",
    "pso_equivalents",
    "officers_over_half_more",
    "points_of_reports",
    "hours_for_cases",
    "hours_facility",
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
    _PO_EQUIVALENTS,
    _PSO_EQUIVALENTS,
    _OVER_HALF_MORE,
    _POINTS_OF_REPORTS,
    _HOURS_FOR_CASES,
    _FACILITY,
) = range(len(OF_POSTS))
#: Bands of five cases and of ten percent; the last ones are open.
CASE_BANDS, WORKLOAD_BANDS = 41, 31

_32 = np.uint64(32)
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
    """Columns of people that are counted, or go into the month's digest; what lies beside the key is in records."""

    records: Array
    side: Array
    location: Array
    setting: Array
    tier: Array
    officer: Array
    latest: Array
    prison_held: Array


class Telephone(NamedTuple):
    """Who is on the telephone as a rule: of those who may be, the ones whose draw lies below the cut of their cell."""

    early: int  # days before which nobody is
    cut: Array
    hub_cut: Array  # of those, who are called by the hub


class Evening(NamedTuple):
    """What is found on the last evening of a month."""

    counts: Array  # by stock and cell
    bands: Array  # people by band of days since they were seen, and side
    community: Rows  # who is in the community
    cells: Array  # their area x 2 + side
    inspected: Rows  # those of them whose cases an inspection would look at
    points: Array  # the tool's points that each post's holder holds
    state: np.uint64  # digest of the state of everybody supervised


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
    post_grade: Array
    terms: Array
    hours: Array
    new_until: Array
    away_until: Array
    office: Array
    hours_left: Array
    report_points: Array
    facility: Array


@compiled
def supervised(size: int, side: Array) -> Array:
    """Return everybody for whom somebody is responsible, in row order.

    Numbers without a sign: a loop that looks up with them needn't ask each time whether they count from the end.
    """
    rows, at = np.empty(size + 1, dtype=np.uintp), 0
    for row in range(size):
        # Written for everybody, kept for some: a choice that can't be foretold costs more than a number.
        rows[at] = row
        at += side[row] >= 0
    return rows[:at]


@compiled_inside
def _state_of(
    key: np.uint64, officer: int, place: int, last_seen: int, crisis_since: int, contacts: int, hazard: np.uint64
) -> np.uint64:
    """Scramble the state of somebody supervised: the sum over everybody is the digest of the month.

    Numbers of 32 bits go in two by two, side by side; ``place`` is location, setting, side and tier, a byte each.
    """
    days = (np.uint64(np.uint32(last_seen)) << _32) + np.uint64(np.uint32(crisis_since))
    where = (np.uint64(np.uint32(officer)) << _32) + np.uint64(np.uint32(place))
    value = stirred(stirred(key, where), days)
    return stirred(stirred(value, hazard), np.uint64(np.uint16(contacts)))


@compiled
def count_people(
    size: int,
    cells: int,
    posts: int,
    people: PeopleCounted,
    hazards: Array,
    masks: Array,
    kinds: Array,
    today: int,
    first: int,
    telephone: Telephone,
    points: Array,
) -> Evening:
    """Count everybody supervised on the evening of ``today``; the month began on ``first``.

    Parameters
    ----------
    size, cells, posts : int
        How many people, cells (area x 2 + side) and posts there are.
    hazards : uint64 array (people,)
        The accumulated hazard of reoffending, as the bits that it is kept as.
    masks : uint8 array (people,)
        The set of statuses of everybody's sentences as bits.
    kinds : int8 array (sentences,)
        Kind of every sentence.
    points : int64 array (setting, tier)
        The tool's points of a case.
    """
    rows = supervised(size, people.side)
    known = rows.size
    worth, tiers = points.ravel(), points.shape[1]
    state = np.uint64(0)
    # The counts of a cell lie side by side: neighbours live in the same area.
    counts = np.zeros((cells, len(OF_PEOPLE)), dtype=np.int64)
    bands = np.zeros((SEEN_BANDS, 2), dtype=np.int64)
    held = np.zeros(posts, dtype=np.int64)
    community, inspected = np.empty(known + 1, dtype=np.intp), np.empty(known + 1, dtype=np.intp)
    cells_of_community = np.empty(known + 1, dtype=np.int16)
    prisoners, cells_of_prisoners = np.empty(known + 1, dtype=np.uintp), np.empty(known + 1, dtype=np.int16)
    many, looked_at, imprisoned = 0, 0, 0
    # Today's day is counted too: the month is over at midnight.
    midnight = today + 1
    days = midnight - first
    for at in range(known):
        row = rows[at]
        fetch_soon(people.records, rows[min(at + FAR_AHEAD, known - 1)])
        person = people.records[row]
        where, side, officer = people.location[row], people.side[row], people.officer[row]
        setting, tier = people.setting[row], people.tier[row]
        cell, contacts, last_seen, crisis_since = (
            person["cell"],
            person["contacts"],
            person["last_seen"],
            person["crisis_since"],
        )
        state += _state_of(
            person["key"],
            officer,
            (int(where) << 24) + ((int(setting) & 0xFF) << 16) + ((int(side) & 0xFF) << 8) + (int(tier) & 0xFF),
            last_seen,
            crisis_since,
            contacts,
            hazards[row],
        )
        counts[cell, _TOTAL] += 1
        if officer < 0:
            counts[cell, _UNALLOCATED] += people.prison_held[row] == 0
        else:
            counts[cell, _CASE_DAYS] += days
            held[officer] += worth[setting * tiers + tier]
        if where in (_SENTENCED, _RECALLED):
            counts[cell, _CUSTODY] += 1
            counts[cell, _PRISON_RECALLED] += where == _RECALLED
            # Which sentence prisoners serve lies elsewhere: it is asked of them together.
            prisoners[imprisoned], cells_of_prisoners[imprisoned] = row, cell
            imprisoned += where != _RECALLED
        elif where in (_AT_COMMUNITY, _AT_LARGE, _COMMITTED):
            statuses = masks[row]
            counts[cell, _OUTSIDE] += 1
            counts[cell, _ORDERS] += statuses & _HAS_ORDER != 0
            counts[cell, _AFTER] += statuses & _HAS_AFTER != 0
            counts[cell, _LICENCE] += setting == _BY_LICENCE
            counts[cell, _SUPERVISION] += setting == _BY_SUPERVISION
            counts[cell, _UNLAWFULLY_AT_LARGE] += where == _AT_LARGE
            if where == _AT_COMMUNITY:
                community[many], cells_of_community[many] = row, cell
                many += 1
                since, only, draw = person["stage_start"], person["work_only"], person["phone_draw"]
                age = today - int(since) if since != NEVER else -1
                inspected[looked_at] = row
                looked_at += (age >= INSPECTED_FROM) & (age <= INSPECTED_TO)
                counts[cell, _COMMUNITY_DAYS] += days
                counts[cell, _ON_CURFEW] += statuses & _HAS_CURFEW != 0
                if draw < telephone.cut[cell]:
                    on_telephone = may_be_called(
                        person["assessed_rosh"],
                        tier,
                        contacts,
                        today - int(since),
                        person["first_due_from"],
                        only,
                        telephone.early,
                    )
                    counts[cell, _ON_TELEPHONE] += on_telephone
                    counts[cell, _WITH_HUB] += on_telephone & (draw < telephone.hub_cut[cell])
                if only == 0:
                    unseen = today - int(last_seen)
                    bands[min(unseen // 10, SEEN_BANDS - 1), side] += 1
                    counts[cell, _UNSEEN] += unseen > 60
                if (crisis_since != NEVER) & (person["crisis_noticed"] == 0):
                    counts[cell, _UNNOTICED] += 1
                    counts[cell, _UNNOTICED_DAYS] += midnight - max(int(crisis_since), first)
    for at in range(imprisoned):
        fetch_soon(people.latest, prisoners[min(at + 2 * FAR_AHEAD, imprisoned - 1)])
        fetch_soon(kinds, people.latest[prisoners[min(at + FAR_AHEAD, imprisoned - 1)]])
        for_life = kinds[people.latest[prisoners[at]]] == _INDETERMINATE
        counts[cells_of_prisoners[at], _PRISON_FOR_LIFE if for_life else _PRISON_DETERMINATE] += 1
    for cell in range(cells):
        counts[cell, _PRISON_DAYS] = counts[cell, _CUSTODY] * days
        counts[cell, _WITH_NPS] = counts[cell, _TOTAL] * (1 - cell % 2)
    return Evening(
        counts.T.copy(),
        bands,
        community[:many].copy(),
        cells_of_community[:many].copy(),
        inspected[:looked_at].copy(),
        held,
        state,
    )


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
    It shows ``points`` of cases, and those of the reports that the holder has written this month.
    """
    counts = np.zeros((len(OF_POSTS), cells), dtype=np.int64)
    by_cases = np.zeros((CASE_BANDS, 2), dtype=np.int64)
    by_workload = np.zeros((WORKLOAD_BANDS, 2), dtype=np.int64)
    teams = 0
    for row in range(size):
        teams = max(teams, int(posts.office[row]) * 2 + 2)
    # Cases and hours of each team.
    team_cases, team_hours = np.zeros(teams, dtype=np.int64), np.zeros(teams, dtype=np.int64)
    for row in range(size):
        team = int(posts.office[row]) * 2 + int(posts.employer[row])
        if posts.filled[row] == 1 and posts.hours_left[row] > 0:
            team_cases[team] += posts.cases[row]
            team_hours[team] += posts.hours_left[row]
    for row in range(size):
        employer = int(posts.employer[row])
        cell = int(posts.area[row]) * 2 + employer
        established = posts.place[row] == _IN_ESTABLISHMENT and posts.closed[row] == 0
        counts[_ESTABLISHED, cell] += established
        by_agency = posts.terms[row] == _AGENCY
        if posts.filled[row] != 1 or by_agency:
            # A post that an agency officer covers is vacant for those who count vacancies of probation officers.
            counts[_VACANT_PO, cell] += established and posts.post_grade[row] == _GRADE_PO
        if posts.filled[row] != 1:
            counts[_VACANT, cell] += established
            continue
        cases = posts.cases[row]
        held = points[row] + int(posts.report_points[row])
        share = held * 100.0 / available[row] if available[row] > 0 else 0.0
        counts[_IN_POST, cell] += 1
        counts[_CASES, cell] += cases
        trainee = posts.grade[row] == _TRAINEE
        counts[_TRAINEES, cell] += trainee
        counts[_BY_AGENCY, cell] += by_agency
        if not by_agency:
            equivalents = _PO_EQUIVALENTS if posts.grade[row] == _GRADE_PO else _PSO_EQUIVALENTS
            counts[equivalents, cell] += 100 * int(posts.hours[row]) // full_time
        counts[_NEWLY_QUALIFIED, cell] += posts.grade[row] == _GRADE_PO and posts.new_until[row] > today
        counts[_PART_TIME, cell] += posts.hours[row] < full_time
        counts[_MATERNITY, cell] += posts.away_until[row] > today
        counts[_HOURS, cell] += posts.hours[row]
        counts[_HOURS_FOR_CASES, cell] += posts.hours_left[row]
        counts[_FACILITY, cell] += posts.facility[row]
        if posts.sick_until[row] > today:
            counts[_SICK, cell] += 1
        counts[_TRULY_OVER_110, cell] += share * truth > 110
        if tool[cell]:
            counts[_WITH_TOOL, cell] += 1
            counts[_POINTS, cell] += held
            counts[_POINTS_OF_REPORTS, cell] += posts.report_points[row]
            counts[_AVAILABLE, cell] += available[row]
            counts[_OVER_100, cell] += share > 100
            counts[_OVER_110, cell] += share > 110
            by_workload[min(int(share) // 10, WORKLOAD_BANDS - 1), employer] += 1
        if cases > 50:
            counts[_OVER_50_CASES, cell] += 1
        counts[_PO if posts.grade[row] == _GRADE_PO else _PSO, cell] += 1
        team, hours_left = int(posts.office[row]) * 2 + employer, int(posts.hours_left[row])
        counts[_OVER_HALF_MORE, cell] += (
            hours_left > 0 and 2 * int(cases) * team_hours[team] > 3 * team_cases[team] * hours_left
        )
        counts[_WITH_CASES, cell] += cases > 0
        counts[_OVER_40_CASES, cell] += cases > 40
        counts[_OVER_60_CASES, cell] += cases > 60
        counts[_OVER_120, cell] += tool[cell] and share > 120
        by_cases[min(cases // 5, CASE_BANDS - 1), employer] += 1
    return counts, by_cases, by_workload
