"""What happens at a contact, person by person: compiled loops that read each record once.

The rules themselves are plain conditions on one person, in :mod:`simulation.system.contact_rules`;
:mod:`simulation.system.contact` says when they apply, tells the history and books what follows.
"""

from __future__ import annotations

from operator import attrgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulation.engine import NEVER
from simulation.engine.chance import uniform_of
from simulation.engine.compiled import AHEAD, compiled, compiled_inside, fetch_soon
from simulation.system.codes import Location, Mode
from simulation.system.columns import People
from simulation.system.contact_rules import (
    may_be_called,
    miss_probability,
    nearest,
    next_booked_as,
    occurrence_of,
    sooner,
    stage,
)
from simulation.system.mode_loops import in_person
from simulation.system.service import Array, Rows

Counted = NDArray[np.int64]
Days = NDArray[np.int32]

#: What can come of a contact: it is held in one of the modes, or it is a first appointment kept, or it is missed.
OUTCOMES = range(len(Mode) + 3)
SEEN_FIRST, EXCUSED, UNEXCUSED = OUTCOMES[-3:]
_OUTCOMES = len(OUTCOMES)

#: Names of the modes in counts.
MODES = ("in_office", "called", "custody", "in_booth", "home_visit", "doorstep", "video", "group", "hub_call")
#: What is counted at a contact; rows of the array of counts that the loop fills.
COUNTED = (
    # One row for each mode, in their order: contacts made, changes noticed at them, days until that, and absences.
    *(f"contacts_{mode}" for mode in MODES),
    *(f"noticed_{mode}" for mode in MODES),
    *(f"detection_days_{mode}" for mode in MODES),
    *(f"absences_{mode}" for mode in MODES),
    "contacts_by_colleague",
    "seconds_contacts",
    "seconds_with_people",
    "seconds_on_calls",
    "seconds_missed",
    "seconds_double_entry",
    "seconds_travel_urban",
    "seconds_travel_rural",
    "released_seen_first_week",
    "absences_acceptable",
    "absences_unacceptable",
    "crises_noticed",
    "detection_days",
    "crisis_unnoticed_days",
    "first_appointments_community",
    "first_appointment_days_community",
    "first_appointments_community_in_time",
    "first_appointments_held_in_time",
    "first_appointments_release",
    "first_appointment_days_release",
    "first_appointments_release_in_time",
)
#: In custody nothing is noticed and nobody missed, so there is nothing to count.
UNCOUNTED = ("noticed_custody", "detection_days_custody", "absences_custody")
_MADE, _NOTICED_BY, _DAYS_BY, _ABSENT_BY, _REST = (len(Mode) * part for part in range(5))
(
    _COLLEAGUE,
    _CONTACT_SECONDS,
    _WITH_PEOPLE,
    _ON_CALLS,
    _MISSED_SECONDS,
    _DOUBLE_ENTRY,
    _TRAVEL_URBAN,
    _TRAVEL_RURAL,
    _FIRST_WEEK,
    _ACCEPTABLE,
    _UNACCEPTABLE,
    _NOTICED,
    _DETECTION,
    _UNNOTICED,
    _FIRST_COMMUNITY,
    _FIRST_COMMUNITY_DAYS,
    _FIRST_COMMUNITY_IN_TIME,
    _FIRST_HELD_IN_TIME,
    _FIRST_RELEASE,
    _FIRST_RELEASE_DAYS,
    _FIRST_RELEASE_IN_TIME,
) = range(_REST, len(COUNTED))

# A compiled loop takes plain numbers, not the members of a class.
_FACE_TO_FACE, _CUSTODY, _HUB_CALL = Mode.FACE_TO_FACE, Mode.CUSTODY, Mode.HUB_CALL
_COMMUNITY = Location.COMMUNITY

#: "Seen in the first week after release" means within so many days.
_WEEK = 7
#: Longest wait told apart in the distribution of days to the first appointment.
_LONGEST_WAIT = 60


class PeopleColumns(NamedTuple):
    """What diaries and contacts read and write of people: records of what every contact reads, and further columns."""

    records: Array  # of the columns in READ_AT_CONTACT
    first_after_release: Array
    allocated_on: Array
    crises: Array
    officer: Array
    side: Array
    location: Array
    setting: Array
    tier: Array


_columns = attrgetter(*PeopleColumns._fields)


def people_columns(people: People) -> PeopleColumns:
    """Return the columns as they are now: a table that is restored has new ones."""
    return PeopleColumns._make(_columns(people))


class Rules(NamedTuple):
    """The levers of contact; arrays without a unit of their own go by cell (area x 2 + side)."""

    model: NDArray[np.int8]
    interval_days: NDArray[np.int64]  # by model, stage and tier
    early: int
    middle: int
    phone_cut: NDArray[np.float64]
    phone_interval: NDArray[np.int64]
    hub_share: NDArray[np.float64]  # of those on the telephone
    floor: NDArray[np.float64]
    step_up: int
    after_missed: int
    custody_interval: int
    miss: NDArray[np.float64]
    missed_ratio: NDArray[np.float64]  # by mode
    missed_crisis_ratio: float
    officer_change_days: float
    officer_change_odds: float
    most_missed: float
    notice: NDArray[np.float64]  # by cell and mode
    colleague_notice: float
    accepted_share: float
    with_person: NDArray[np.int64]  # by mode
    double_entry: NDArray[np.int64]  # by model
    travel: NDArray[np.int64]  # by model, tier, mode and urban or rural home
    #: By how much circumstances multiply the odds that each of today's contacts is missed; empty where they don't.
    odds: NDArray[np.float64]


class Draws(NamedTuple):
    """The constants of the draws made at a contact."""

    attendance: np.uint64
    noticing: np.uint64
    absence: np.uint64
    side_of_weekend: np.uint64


class Day(NamedTuple):
    """What the loops need to know of a day."""

    today: int
    month_begin: int
    allocated_in_time: int  # earliest day of allocation for which a first appointment today is in time
    released_in_time: int  # the same for the day of release
    before: Days  # the working day at or before each day from today on
    after: Days  # the working day at or after it


class Held(NamedTuple):
    """What came of contacts; row numbers are of people, in the order in which the contacts were given."""

    outcome: NDArray[np.int8]  # one of OUTCOMES for each contact
    ordered: Rows  # everybody, sorted by outcome,
    keys: NDArray[np.uint64]  # their keys,
    begins: Rows  # and where each outcome begins
    stood_in: Rows  # people seen or called by a colleague, but for first appointments
    noticed: Rows  # people whose change in need was noticed
    #: Days that people waited for a first appointment after sentence, not release, by the service's doing, x 2 + side.
    waits: NDArray[np.int64]
    booked: Rows  # people with a next routine contact,
    days: Days  # and its day
    again: Rows  # people who missed a first appointment, which goes back into the diary


@compiled
def occurrences(
    sentences: NDArray[np.int8], spells: NDArray[np.int16], contacts: NDArray[np.int16], rows: Rows
) -> NDArray[np.int64]:
    """Return the occurrence number of each person's next contact."""
    found = np.empty(rows.size, dtype=np.int64)
    for at in range(rows.size):
        fetch_soon(sentences, rows[min(at + AHEAD, rows.size - 1)])
        row = rows[at]
        found[at] = occurrence_of(sentences[row], spells[row], contacts[row])
    return found


@compiled
def eligible_for_telephone(people: PeopleColumns, rows: Rows, early: int, today: int) -> NDArray[np.bool_]:
    """Tell who may be supervised by telephone alone."""
    found = np.empty(rows.size, dtype=np.bool_)
    for at in range(rows.size):
        fetch_soon(people.records, rows[min(at + AHEAD, rows.size - 1)])
        person = people.records[rows[at]]
        found[at] = may_be_called(
            person["assessed_rosh"],
            people.tier[rows[at]],
            person["contacts"],
            today - int(person["stage_start"]),
            person["first_due_from"],
            person["work_only"],
            early,
        )
    return found


@compiled_inside
def days_to_wait(row: int, people: PeopleColumns, rules: Rules, today: int) -> int:
    """Return days until somebody's next routine contact; note whether it's to be a call."""
    person, tier = people.records[row], people.tier[row]
    cell, age = person["cell"], today - int(person["stage_start"])
    model = rules.model[cell]
    booked_as = next_booked_as(
        person["phone_draw"],
        rules.phone_cut[cell],
        rules.hub_share[cell],
        person["assessed_rosh"],
        tier,
        person["contacts"],
        age,
        person["first_due_from"],
        person["work_only"],
        rules.early,
    )
    if booked_as == _FACE_TO_FACE:
        days = rules.interval_days[model, stage(age, rules.early, rules.middle), tier]
    else:
        days = rules.phone_interval[cell]
    person["booked_as"] = booked_as
    return sooner(days, int(rules.floor[cell]), person["crisis_noticed"], rules.step_up)


@compiled
def days_until_next(people: PeopleColumns, rows: Rows, rules: Rules, today: int) -> NDArray[np.int64]:
    """Return days until each person's next routine contact; note whether it's to be a call."""
    found = np.empty(rows.size, dtype=np.int64)
    for at in range(rows.size):
        found[at] = days_to_wait(rows[at], people, rules, today)
    return found


class LeftOut(NamedTuple):
    """Whose contact, cancelled because the diary was full, isn't booked again, and whose is."""

    left: Rows
    left_keys: NDArray[np.uint64]
    days: Days  # of the next routine contact of those left out
    rest: Rows
    rest_keys: NDArray[np.uint64]


@compiled
def leave_out(
    full: Rows,
    keys: NDArray[np.uint64],
    shares: NDArray[np.float64],
    draw: np.uint64,
    people: PeopleColumns,
    rules: Rules,
    today: int,
    working_day_after: Days,
    day_0: int,
) -> LeftOut:
    """Leave the share that isn't booked again to the next routine contact.

    Nobody in custody, and nobody whose change in need is known.

    Parameters
    ----------
    shares : float array (cells,)
        Share that isn't booked again.
    working_day_after : int array
        The working day at or after each day, of which day 0 is at place ``day_0``.
    """
    left, left_keys = np.empty_like(full), np.empty_like(keys)
    rest, rest_keys = np.empty_like(full), np.empty_like(keys)
    days, many, others = np.empty(full.size, dtype=np.int32), 0, 0
    for at in range(full.size):
        row, person = full[at], people.records[full[at]]
        outside = people.location[row] == _COMMUNITY and person["crisis_noticed"] == 0
        occurrence = occurrence_of(person["sentences"], person["spells"], person["contacts"])
        if outside and uniform_of(keys[at], draw, occurrence) < shares[person["cell"]]:
            when = working_day_after[today + days_to_wait(row, people, rules, today) + day_0]
            person["contact_due"] = when
            left[many], left_keys[many], days[many] = row, keys[at], when
            many += 1
        else:
            rest[others], rest_keys[others] = row, keys[at]
            others += 1
    return LeftOut(left[:many], left_keys[:many], days[:many], rest[:others], rest_keys[:others])


@compiled_inside
def _by_outcome(
    rows: Rows, keys: NDArray[np.uint64], outcome: NDArray[np.int8]
) -> tuple[Rows, NDArray[np.uint64], Rows]:
    """Return people and keys sorted by what came of their contacts, and where each outcome begins."""
    begins = np.zeros(_OUTCOMES + 1, dtype=np.intp)
    for at in range(rows.size):
        begins[outcome[at] + 1] += 1
    for number in range(_OUTCOMES):
        begins[number + 1] += begins[number]
    place = begins.copy()
    ordered, their_keys = np.empty_like(rows), np.empty_like(keys)
    for at in range(rows.size):
        to = place[outcome[at]]
        place[outcome[at]] = to + 1
        ordered[to], their_keys[to] = rows[at], keys[at]
    return ordered, their_keys, begins


@compiled
def hold_contacts(
    rows: Rows,
    mode: NDArray[np.int8],
    first: NDArray[np.bool_],
    seconds: NDArray[np.int64],
    by_colleague: NDArray[np.int8],
    people: PeopleColumns,
    rules: Rules,
    draws: Draws,
    day: Day,
    counted: Counted,
) -> Held:
    """Hold contacts: who comes, what is noticed, and when the next one is.

    Parameters
    ----------
    seconds : int64 array (contacts,)
        Time that each takes the officer, or the hub's agent.
    by_colleague : int8 array (contacts,)
        1 where somebody else than the responsible officer holds it.
    counted : int64 array (cells, counts)
        Counts by :data:`COUNTED`. Those of one cell lie together, for people of one area follow each other.
    """
    outcome, keys = np.empty(rows.size, dtype=np.int8), np.empty(rows.size, dtype=np.uint64)
    noticed, stood_in = np.empty_like(rows), np.empty_like(rows)
    waits, days = np.empty(rows.size, dtype=np.int64), np.empty(rows.size, dtype=np.int32)
    booked, again = np.empty_like(rows), np.empty_like(rows)
    notices, firsts, others, bookings, repeats = 0, 0, 0, 0, 0
    today = day.today
    for at in range(rows.size):
        soon = min(at + AHEAD, rows.size - 1)
        fetch_soon(people.records, rows[soon])
        fetch_soon(people.tier, rows[soon])
        if first[soon]:
            fetch_soon(people.allocated_on, rows[soon])
        row, person = rows[at], people.records[rows[at]]
        key, cell, contacts, rural = person["key"], person["cell"], person["contacts"], person["rural"]
        keys[at] = key
        person["contacts"] = contacts + 1
        way, talk = mode[at], min(rules.with_person[mode[at]], seconds[at])
        colleague = by_colleague[at] == 1
        occurrence = occurrence_of(person["sentences"], person["spells"], contacts)
        if way != _HUB_CALL:
            entry = rules.double_entry[rules.model[cell]] if way != _CUSTODY and not first[at] else 0
            counted[cell, _CONTACT_SECONDS] += seconds[at]
            counted[cell, _DOUBLE_ENTRY] += entry
            if way != _CUSTODY and not first[at]:
                counted[cell, _TRAVEL_URBAN + rural] += rules.travel[rules.model[cell], people.tier[row], way, rural]
        if way == _CUSTODY:
            outcome[at] = _CUSTODY
            counted[cell, _MADE + _CUSTODY] += 1
            counted[cell, _WITH_PEOPLE] += talk
            if colleague:
                stood_in[others] = row
                others += 1
            wait = rules.custody_interval
        else:
            counted[cell, _COLLEAGUE] += colleague
            in_time = False
            if first[at] and contacts == 0:
                # The service kept it, whether or not the person comes.
                since = today - int(person["first_due_from"])
                if people.first_after_release[row] == 1:
                    counted[cell, _FIRST_RELEASE] += 1
                    counted[cell, _FIRST_RELEASE_DAYS] += since
                    counted[cell, _FIRST_RELEASE_IN_TIME] += person["first_due_from"] >= day.released_in_time
                else:
                    counted[cell, _FIRST_COMMUNITY] += 1
                    counted[cell, _FIRST_COMMUNITY_DAYS] += since
                    in_time = people.allocated_on[row] >= day.allocated_in_time
                    counted[cell, _FIRST_COMMUNITY_IN_TIME] += in_time
                    waits[firsts] = min(since, _LONGEST_WAIT) * 2 + max(people.side[row], 0)
                    firsts += 1
            crisis_since, officer_changed_on = int(person["crisis_since"]), int(person["officer_changed_on"])
            chance = miss_probability(
                rules.miss[cell] * np.float64(person["miss_factor"]),
                crisis_since != NEVER,
                colleague
                or (officer_changed_on != NEVER and today - officer_changed_on < rules.officer_change_days),
                rules.missed_ratio[way],
                rules.missed_crisis_ratio,
                rules.officer_change_odds,
                rules.most_missed,
            )
            if rules.odds.size:
                odds = chance / (1 - chance) * rules.odds[at]
                chance = min(odds / (1 + odds), rules.most_missed)
            missed = uniform_of(key, draws.attendance, occurrence) < chance
            if missed:
                counted[cell, _ABSENT_BY + way] += 1
                counted[cell, _MISSED_SECONDS] += talk if way != _HUB_CALL else 0
                if uniform_of(key, draws.absence, occurrence) < rules.accepted_share:
                    outcome[at] = EXCUSED
                    counted[cell, _ACCEPTABLE] += 1
                else:
                    outcome[at] = UNEXCUSED
                    counted[cell, _UNACCEPTABLE] += 1
            else:
                outcome[at] = way
                counted[cell, _MADE + way] += 1
                if not in_person(way):
                    counted[cell, _ON_CALLS] += talk if way != _HUB_CALL else 0
                else:
                    counted[cell, _WITH_PEOPLE] += talk
                    person["last_seen"] = today
                    released_on = int(person["released_on"])
                    if person["seen_since_release"] == 0 and released_on != NEVER:
                        person["seen_since_release"] = 1
                        counted[cell, _FIRST_WEEK] += today - released_on <= _WEEK
                if first[at]:
                    outcome[at] = SEEN_FIRST
                    counted[cell, _FIRST_HELD_IN_TIME] += in_time
                    person["first_due_from"] = NEVER
                elif colleague:
                    stood_in[others] = row
                    others += 1
                if crisis_since != NEVER and person["crisis_noticed"] == 0:
                    # Until noticed it goes on. One draw for each change, however many contacts it takes: two scenarios
                    # whose contacts fall on other days still share their luck.
                    notice = rules.notice[cell, way]
                    if colleague:
                        notice = notice * rules.colleague_notice
                    hidden = np.float64(person["crisis_hidden"]) * (1 - notice)
                    person["crisis_hidden"] = hidden
                    if uniform_of(key, draws.noticing, int(people.crises[row])) >= hidden:
                        person["crisis_noticed"] = 1
                        counted[cell, _NOTICED] += 1
                        counted[cell, _NOTICED_BY + way] += 1
                        counted[cell, _DETECTION] += today - crisis_since
                        counted[cell, _DAYS_BY + way] += today - crisis_since
                        counted[cell, _UNNOTICED] += today - max(crisis_since, day.month_begin)
                        noticed[notices] = row
                        notices += 1
            wait = days_to_wait(row, people, rules, today)
            if missed:
                if first[at]:
                    again[repeats] = row
                    repeats += 1
                    continue
                wait = min(wait, rules.after_missed)
            if person["work_only"] == 1:
                continue
        # The next contact: the nearest working day, tomorrow at the earliest.
        when = today + wait
        before, after = int(day.before[wait]), int(day.after[wait])
        if before != after:
            # Numbered as the next contact.
            draw = uniform_of(key, draws.side_of_weekend, occurrence + 1)
            when = nearest(when, before, after, draw)
        when = max(when, int(day.after[1]))
        person["contact_due"] = when
        booked[bookings], days[bookings] = row, when
        bookings += 1
    ordered, keys, begins = _by_outcome(rows, keys, outcome)
    return Held(
        outcome,
        ordered,
        keys,
        begins,
        stood_in[:others],
        noticed[:notices],
        waits[:firsts],
        booked[:bookings],
        days[:bookings],
        again[:repeats],
    )
