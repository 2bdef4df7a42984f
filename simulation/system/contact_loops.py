"""What happens at a contact, person by person: compiled loops that read each record once.

The rules are written here as plain conditions on one person; :mod:`simulation.system.contact` says when they apply,
tells the history and books what follows.
"""

from __future__ import annotations

from operator import attrgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulation.engine import NEVER
from simulation.engine.chance import uniform_of
from simulation.engine.compiled import compiled
from simulation.system.codes import Mode, Rosh, Status, Tier
from simulation.system.columns import People
from simulation.system.service import Array, Rows

Counted = NDArray[np.int64]

#: What can come of a contact, in the order in which the history tells it.
OUTCOMES = range(6)
IN_CUSTODY, SEEN, CALLED, SEEN_FIRST, EXCUSED, UNEXCUSED = OUTCOMES

#: What is counted at a contact; rows of the array of counts that the loop fills.
COUNTED = (
    "contacts_custody",
    "contacts_face_to_face",
    "contacts_telephone",
    "released_seen_first_week",
    "absences_acceptable",
    "absences_unacceptable",
    "crises_noticed",
    "detection_days",
    "crisis_unnoticed_days",
    "first_appointments_community",
    "first_appointment_days_community",
    "first_appointments_community_in_time",
    "first_appointments_release",
    "first_appointment_days_release",
    "first_appointments_release_in_time",
)
(
    _CUSTODY_CONTACTS,
    _VISITS,
    _CALLS,
    _FIRST_WEEK,
    _ACCEPTABLE,
    _UNACCEPTABLE,
    _NOTICED,
    _DETECTION,
    _UNNOTICED,
    _FIRST_COMMUNITY,
    _FIRST_COMMUNITY_DAYS,
    _FIRST_COMMUNITY_IN_TIME,
    _FIRST_RELEASE,
    _FIRST_RELEASE_DAYS,
    _FIRST_RELEASE_IN_TIME,
) = range(len(COUNTED))

# A compiled loop takes plain numbers, not the members of a class.
_TELEPHONE, _CUSTODY = Mode.TELEPHONE, Mode.CUSTODY
_HIGH, _PHONE_TIER = Rosh.HIGH, Tier.C2
_ORDER, _CURFEW, _LICENCE, _SUPERVISION = Status.ORDER, Status.CURFEW, Status.LICENCE, Status.SUPERVISION

#: Nobody is less likely to come than once in twenty.
_WORST = 0.95
#: A limit on days unseen shorter than this is not followed.
_SHORTEST_FLOOR = 7
#: The contact before the limit on days unseen would be broken is a visit: this many days ahead.
_FLOOR_AHEAD = 14
#: "Seen in the first week after release" means within so many days.
_WEEK = 7


class PeopleColumns(NamedTuple):
    """The columns of the people table that diaries and contacts read and write."""

    key: Array
    cell: Array
    sentences: Array
    spells: Array
    contacts: Array
    pattern: Array
    setting: Array
    tier: Array
    rural: Array
    assessed_rosh: Array
    stage_start: Array
    phone_draw: Array
    on_telephone: Array
    work_only: Array
    first_due_from: Array
    first_after_release: Array
    allocated_on: Array
    last_seen: Array
    contact_due: Array
    crisis_since: Array
    crisis_noticed: Array
    miss_factor: Array
    officer_changed_on: Array
    released_on: Array
    seen_since_release: Array
    side: Array
    officer: Array
    location: Array


_columns = attrgetter(*PeopleColumns._fields)


def people_columns(people: People) -> PeopleColumns:
    """Return the columns as they are now: a table that is restored has new ones."""
    return PeopleColumns._make(_columns(people))


class Rules(NamedTuple):
    """The levers of contact; arrays without a unit of their own go by cell (area x 2 + side)."""

    pattern: NDArray[np.int8]
    interval_days: NDArray[np.int64]  # by pattern, stage and tier
    early: int
    middle: int
    phone_cut: NDArray[np.float64]
    phone_interval: NDArray[np.int64]
    floor: NDArray[np.float64]
    step_up: int
    after_missed: int
    custody_interval: int
    miss: NDArray[np.float64]
    missed_call_ratio: float
    missed_crisis_ratio: float
    officer_change_days: float
    officer_change_odds: float
    notice_seen: float
    notice_called: float
    accepted_share: float


class Draws(NamedTuple):
    """The constants of the draws made at a contact."""

    attendance: np.uint64
    noticing: np.uint64
    absence: np.uint64
    weekend: np.uint64


class Day(NamedTuple):
    """What the loops need to know of a day."""

    today: int
    month_begin: int
    tomorrow: int  # the next working day
    before: NDArray[np.int32]  # working day on or before so many days from today
    after: NDArray[np.int32]  # working day on or after it
    allocated_in_time: int  # earliest day of allocation for which a first appointment today is in time
    released_in_time: int  # the same for the day of release


# --- Rules for one person -----------------------------------------------------------------------------------------


@compiled
def _occurrence(people: PeopleColumns, row: int) -> int:
    """Return the occurrence number of a contact's draws: sentence, spell in the community, count."""
    return int(people.sentences[row]) * 65536 + int(people.spells[row]) * 1024 + int(people.contacts[row])


@compiled
def _eligible(people: PeopleColumns, row: int, early: int, today: int) -> bool:
    """Tell whether someone may be supervised by telephone alone."""
    return (
        people.assessed_rosh[row] < _HIGH
        and people.tier[row] >= _PHONE_TIER
        and people.contacts[row] > 0
        and today - int(people.stage_start[row]) >= early
        and people.first_due_from[row] == NEVER
        and people.work_only[row] == 0
    )


@compiled
def call_due(people: PeopleColumns, row: int, floor: float, today: int) -> bool:
    """Tell whether a contact is a call: booked as one, unless stepped up, at high risk or due to be seen."""
    return (
        people.on_telephone[row] == 1
        and people.crisis_noticed[row] == 0
        and people.assessed_rosh[row] < _HIGH
        and not (floor > 0 and today - int(people.last_seen[row]) + _FLOOR_AHEAD >= floor)
    )


@compiled
def _days_ahead(people: PeopleColumns, row: int, rules: Rules, today: int) -> int:
    """Return days until someone's next routine contact, and note its pattern and whether it's a call."""
    cell = int(people.cell[row])
    pattern = rules.pattern[cell]
    people.pattern[row] = pattern
    age = today - int(people.stage_start[row])
    if age < rules.early:
        stage = 0
    elif age < rules.middle:
        stage = 1
    else:
        stage = 2
    days = int(rules.interval_days[pattern, stage, people.tier[row]])
    if people.phone_draw[row] < rules.phone_cut[cell] and _eligible(people, row, rules.early, today):
        people.on_telephone[row] = 1
        days = int(rules.phone_interval[cell])
    else:
        people.on_telephone[row] = 0
    if rules.floor[cell] > 0:
        days = min(days, max(int(rules.floor[cell]), _SHORTEST_FLOOR))
    if people.crisis_noticed[row] == 1:
        days = min(days, rules.step_up)
    return days


@compiled
def _nearest_working_day(people: PeopleColumns, row: int, ahead: int, day: Day, weekend: np.uint64) -> int:
    """Return the working day nearest to a day so far ahead; ties are settled by a draw."""
    before, after = int(day.before[ahead]), int(day.after[ahead])
    gap = (day.today + ahead - before) - (after - day.today - ahead)
    if gap != 0:
        return before if gap < 0 else after
    # Halfway between two working days, or a working day itself.
    if before == after or uniform_of(people.key[row], weekend, _occurrence(people, row)) < 0.5:
        return before
    return after


@compiled
def _miss_probability(people: PeopleColumns, row: int, mode: int, rules: Rules, today: int) -> float:
    """Return the chance that an appointment is missed."""
    chance = rules.miss[people.cell[row]] * np.float64(people.miss_factor[row])
    if mode == _TELEPHONE:
        chance = chance * rules.missed_call_ratio
    if people.crisis_since[row] != NEVER:
        chance = chance * rules.missed_crisis_ratio
    changed = int(people.officer_changed_on[row])
    if changed != NEVER and today - changed < rules.officer_change_days:
        odds = chance / (1 - min(chance, _WORST)) * rules.officer_change_odds
        chance = odds / (1 + odds)
    return min(chance, _WORST)


# --- Many people --------------------------------------------------------------------------------------------------


@compiled
def occurrences(people: PeopleColumns, rows: Rows) -> NDArray[np.int64]:
    """Return the occurrence number of each person's next contact."""
    found = np.empty(rows.size, dtype=np.int64)
    for at in range(rows.size):
        found[at] = _occurrence(people, rows[at])
    return found


@compiled
def eligible_for_telephone(people: PeopleColumns, rows: Rows, early: int, today: int) -> NDArray[np.bool_]:
    """Tell who may be supervised by telephone alone."""
    found = np.empty(rows.size, dtype=np.bool_)
    for at in range(rows.size):
        found[at] = _eligible(people, rows[at], early, today)
    return found


@compiled
def days_until_next(people: PeopleColumns, rows: Rows, rules: Rules, today: int) -> NDArray[np.int64]:
    """Return days until each person's next routine contact."""
    days = np.empty(rows.size, dtype=np.int64)
    for at in range(rows.size):
        days[at] = _days_ahead(people, rows[at], rules, today)
    return days


@compiled
def live_sentences(latest: Rows, previous: Rows, status: NDArray[np.int8], rows: Rows) -> Rows:
    """Return each person's latest licence, else order, else supervision; -1 if there is none."""
    found = np.empty(rows.size, dtype=np.intp)
    for at in range(rows.size):
        licence, order, supervision = -1, -1, -1
        sentence = latest[rows[at]]
        while sentence >= 0 and licence < 0:
            stands = status[sentence]
            if stands in (_CURFEW, _LICENCE):
                licence = sentence
            elif stands == _ORDER and order < 0:
                order = sentence
            elif stands == _SUPERVISION and supervision < 0:
                supervision = sentence
            sentence = previous[sentence]
        if licence >= 0:
            found[at] = licence
        else:
            found[at] = order if order >= 0 else supervision
    return found


@compiled
def grouped(rows: Rows, group: NDArray[np.int8], groups: int) -> tuple[Rows, Rows]:
    """Sort rows by a small number by counting, else in their order; return them and where each group begins."""
    begins = np.zeros(groups + 1, dtype=np.intp)
    for at in range(rows.size):
        begins[group[at] + 1] += 1
    for at in range(groups):
        begins[at + 1] += begins[at]
    place = begins.copy()
    ordered = np.empty_like(rows)
    for at in range(rows.size):
        ordered[place[group[at]]] = rows[at]
        place[group[at]] += 1
    return ordered, begins


@compiled
def _count_first(people: PeopleColumns, row: int, day: Day, counted: Counted) -> None:
    """Count a first appointment that the service kept, whether or not the person came."""
    cell = people.cell[row]
    since = int(people.first_due_from[row])
    if people.first_after_release[row] == 1:
        counted[_FIRST_RELEASE, cell] += 1
        counted[_FIRST_RELEASE_DAYS, cell] += day.today - since
        if since >= day.released_in_time:
            counted[_FIRST_RELEASE_IN_TIME, cell] += 1
    else:
        counted[_FIRST_COMMUNITY, cell] += 1
        counted[_FIRST_COMMUNITY_DAYS, cell] += day.today - since
        if people.allocated_on[row] >= day.allocated_in_time:
            counted[_FIRST_COMMUNITY_IN_TIME, cell] += 1


@compiled
def _note_seen(people: PeopleColumns, row: int, day: Day, counted: Counted) -> None:
    """Note that somebody was seen face to face."""
    cell = people.cell[row]
    counted[_VISITS, cell] += 1
    people.last_seen[row] = day.today
    released = int(people.released_on[row])
    if people.seen_since_release[row] == 0 and released != NEVER:
        people.seen_since_release[row] = 1
        if day.today - released <= _WEEK:
            counted[_FIRST_WEEK, cell] += 1


@compiled
def _note_crisis(people: PeopleColumns, row: int, day: Day, counted: Counted) -> None:
    """Note that a change in need was noticed."""
    cell, since = people.cell[row], int(people.crisis_since[row])
    people.crisis_noticed[row] = 1
    counted[_NOTICED, cell] += 1
    counted[_DETECTION, cell] += day.today - since
    counted[_UNNOTICED, cell] += day.today - max(since, day.month_begin)


@compiled
def hold_contacts(
    rows: Rows,
    mode: NDArray[np.int8],
    first: NDArray[np.bool_],
    people: PeopleColumns,
    rules: Rules,
    draws: Draws,
    day: Day,
    counted: Counted,
) -> tuple[NDArray[np.int8], Rows, Rows, NDArray[np.int32], Rows, Rows, NDArray[np.int64]]:
    """Hold contacts: who comes, what is noticed, and when the next one is.

    Returns
    -------
    outcome : int8 array (contacts,)
        One of :data:`OUTCOMES`.
    noticed : int array
        Rows of people whose change in need was noticed.
    booked, days : int arrays
        Rows of people with a next routine contact, and its day.
    again : int array
        Rows of people who missed a first appointment.
    outside, waited : int arrays
        Rows of people whose first appointment after sentence, not release, was kept by the service, and days since.
    """
    outcome = np.empty(rows.size, dtype=np.int8)
    noticed, booked, again, outside = (
        np.empty_like(rows), np.empty_like(rows), np.empty_like(rows), np.empty_like(rows)
    )
    days, waited = np.empty(rows.size, dtype=np.int32), np.empty(rows.size, dtype=np.int64)
    notices, bookings, repeats, kept = 0, 0, 0, 0
    for at in range(rows.size):
        row = rows[at]
        cell, key, occurrence = people.cell[row], people.key[row], _occurrence(people, row)
        begun = people.contacts[row] > 0
        people.contacts[row] += 1
        if mode[at] == _CUSTODY:
            outcome[at] = IN_CUSTODY
            counted[_CUSTODY_CONTACTS, cell] += 1
            when = _nearest_working_day(people, row, rules.custody_interval, day, draws.weekend)
        else:
            if first[at] and not begun:
                _count_first(people, row, day, counted)
                if people.first_after_release[row] != 1:
                    outside[kept], waited[kept] = row, day.today - int(people.first_due_from[row])
                    kept += 1
            by_telephone = mode[at] == _TELEPHONE
            chance = _miss_probability(people, row, mode[at], rules, day.today)
            missed = uniform_of(key, draws.attendance, occurrence) < chance
            if missed:
                if uniform_of(key, draws.absence, occurrence) < rules.accepted_share:
                    outcome[at] = EXCUSED
                    counted[_ACCEPTABLE, cell] += 1
                else:
                    outcome[at] = UNEXCUSED
                    counted[_UNACCEPTABLE, cell] += 1
            else:
                if by_telephone:
                    outcome[at] = CALLED
                    counted[_CALLS, cell] += 1
                else:
                    outcome[at] = SEEN
                    _note_seen(people, row, day, counted)
                if first[at]:
                    outcome[at] = SEEN_FIRST
                    people.first_due_from[row] = NEVER
                if people.crisis_since[row] != NEVER and people.crisis_noticed[row] == 0:
                    notice = rules.notice_called if by_telephone else rules.notice_seen
                    if uniform_of(key, draws.noticing, occurrence) < notice:
                        _note_crisis(people, row, day, counted)
                        noticed[notices] = row
                        notices += 1
            ahead = _days_ahead(people, row, rules, day.today)
            if first[at] and missed:
                # Its task goes back into the diary.
                again[repeats] = row
                repeats += 1
                continue
            if people.work_only[row] != 0:
                continue
            if missed:
                ahead = min(ahead, rules.after_missed)
            when = max(_nearest_working_day(people, row, ahead, day, draws.weekend), day.tomorrow)
        people.contact_due[row] = when
        booked[bookings], days[bookings] = row, when
        bookings += 1
    return (
        outcome,
        noticed[:notices],
        booked[:bookings],
        days[:bookings],
        again[:repeats],
        outside[:kept],
        waited[:kept],
    )
