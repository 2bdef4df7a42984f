"""The laws of people and of sentences as two compiled passes: every row against every law, at every month end.

A law is a bit. A pass marks each row with the laws that it breaks and returns all bits that it met, so that a law that
nobody breaks costs nothing more. What the laws are called and why they hold is told in
:mod:`simulation.system.invariants`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulation.engine import NEVER, Table
from simulation.engine.compiled import FAR_AHEAD, compiled, compiled_inside, fetch_soon
from simulation.system import codes

if TYPE_CHECKING:
    Array = NDArray[Any]
    Rows = NDArray[np.intp]

(
    ONE_PLACE,
    SETTING_FOLLOWS,
    OFFICER_OR_QUEUE,
    NOBODY_LOST,
    CUSTODY_CASELOAD,
    HIGH_RISK_NPS,
    HIGH_RISK_OFFICER,
    PROVIDER,
    NO_CONTACT_IN_CUSTODY,
    WORKING_DAYS,
    DEAD,
    SUPERVISION_NOT_RECALLED,
    SUPERVISION_LENGTH,
    FIXED_TERM,
    RECALL_ENDS,
    CURFEW,
    CURFEW_RECALL,
    PRISON_HELD,
) = (1 << law for law in range(18))

# Compiled code knows plain numbers only.
_UNKNOWN, _COURT, _COMMUNITY = codes.Location.UNKNOWN, codes.Location.COURT, codes.Location.COMMUNITY
_SENTENCED, _RECALLED, _COMMITTED = codes.Location.SENTENCED, codes.Location.RECALLED, codes.Location.COMMITTED
_AT_LARGE, _OVER, _DEAD = codes.Location.AT_LARGE, codes.Location.ENDED, codes.Location.DEAD
_IN_CUSTODY = codes.Setting.CUSTODY
_HIGH, _PO, _NPS = codes.Rosh.HIGH, codes.Grade.PO, codes.NPS
_ON_CURFEW, _ON_LICENCE, _SUPERVISED = codes.Status.CURFEW, codes.Status.LICENCE, codes.Status.SUPERVISION
_ON_RECALL, _ENDED = codes.Status.RECALLED, codes.Status.ENDED
_DETERMINATE = codes.Kind.DETERMINATE
_BY_FIXED_TERM, _FROM_CURFEW = codes.RecallKind.FIXED_TERM, codes.RecallKind.CURFEW


#: Bits of all statuses of a sentence that isn't over.
_LIVING = 0xFF & ~(1 << codes.Status.ENDED)


class PeopleSeen(NamedTuple):
    """Columns of people that the laws look at, and what lies beside the key as records."""

    records: Array
    location: Array
    setting: Array
    side: Array
    officer: Array
    convicted: Array
    rosh: Array
    mappa: Array
    never_curfew: Array
    waiting_since: Array
    committed_until: Array
    report_due: Array
    prison_held: Array


class SentencesSeen(NamedTuple):
    """Columns of sentences that the laws look at."""

    person: Array
    kind: Array
    status: Array
    length: Array
    custody_end: Array
    expiry: Array
    supervision_end: Array
    curfew_from: Array
    extended: Array
    recall_kind: Array
    recalls: Array
    returned: Array
    released: Array


class PostsSeen(NamedTuple):
    """Columns of posts that the laws look at."""

    employer: Array
    grade: Array
    filled: Array


class Dates(NamedTuple):
    """Agendas by row, and which days are working days."""

    contact: Array
    allocate: Array
    recall_step: Array
    working: Array
    working_from: int  # the day that the first of them says something about


class Limits(NamedTuple):
    """Days, and the widest limits that the law has had so far."""

    today: int
    next_working_day: int
    supervision_days: int
    fixed_term_under_year: float
    fixed_term_year_plus: float
    least_curfew: float


class Precedence(NamedTuple):
    """Place and setting by the set of statuses of a person's sentences."""

    place: Array
    setting: Array


def columns(kind: Any, table: Table) -> Any:
    """Return the columns of a table that a compiled pass looks at."""
    return kind(*(getattr(table, name) for name in kind._fields))


@compiled_inside
def _looked_at(size: int, people: PeopleSeen, masks: Array, contact: Array, today: int) -> Rows:
    """Return who doesn't plainly break no law.

    Most people are not yet convicted, or their sentences are over. If nobody is responsible for them and nothing is
    booked, and they are where they should be, there is nothing else to look at.
    """
    rows, many = np.empty(size + 1, dtype=np.intp), 0
    for row in range(size):
        place, convicted = people.location[row], people.convicted[row]
        idle = (people.side[row] < 0) & (people.officer[row] < 0) & (contact[row] == NEVER)
        idle &= (people.prison_held[row] == 0) & (masks[row] & _LIVING == 0)
        to_come = (place == _UNKNOWN) & (convicted >= today)
        over = (place >= _OVER) & (convicted <= today)
        # Written for everybody, kept for some: a choice that can't be foretold costs more than a number.
        rows[many] = row
        many += not (idle & (to_come | over))
    return rows[:many]


@compiled
def check_people(
    size: int,
    people: PeopleSeen,
    masks: Array,
    posts: PostsSeen,
    dates: Dates,
    orphan: Array,
    precedence: Precedence,
    today: int,
    broken: Array,
    held: Array,
) -> tuple[int, Rows]:
    """Mark everybody with the laws that are broken, and count the cases of each post.

    ``masks`` is the set of statuses of everybody's sentences as bits.

    Returns
    -------
    tuple of int and row numbers
        All laws broken, and the people who must not be supervised by telephone alone.
    """
    every = 0
    rows = _looked_at(size, people, masks, dates.contact, today)
    must_be_seen = np.empty(rows.size + 1, dtype=np.intp)
    many = 0
    # Every law is worked out for everybody, with no choices in between: a choice that can't be foretold costs as
    # much as several laws.
    for at in range(rows.size):
        row, soon = rows[at], rows[min(at + FAR_AHEAD, rows.size - 1)]
        fetch_soon(people.records, soon)
        fetch_soon(people.mappa, soon)
        person = people.records[row]
        place, side, officer = people.location[row], people.side[row], people.officer[row]
        setting, high = people.setting[row], person["assessed_rosh"] >= _HIGH
        first_due = person["first_due_from"] != NEVER
        appointment, mask, convicted = dates.contact[row], int(masks[row]), people.convicted[row]
        booked, living = appointment != NEVER, (mask & _LIVING) != 0
        supervised, has_officer = side >= 0, officer >= 0
        prisoner = (place == _SENTENCED) | (place == _RECALLED)
        prison_held = people.prison_held[row] == 1
        post = officer if has_officer else 0
        held[post] += has_officer
        # Somewhere, or nowhere with a live sentence: then they should be somewhere.
        placed = (place < _DEAD) & (living | ((place != _UNKNOWN) & (place != _OVER)))
        rightly = int(precedence.place[mask])
        away = (people.committed_until[row] > today) & ((rightly == _COMMUNITY) | (rightly == _OVER))
        rightly = _COMMITTED if away else rightly
        # What few are asked lies elsewhere, and isn't fetched for the others.
        if rightly == _OVER and people.report_due[row] != NEVER:
            rightly = _COURT
        laws = ONE_PLACE * (placed & (place != rightly))
        laws |= SETTING_FOLLOWS * (placed & (setting != precedence.setting[mask]))
        # Everybody convicted is somewhere; nobody not yet convicted is anywhere.
        missing = (place == _UNKNOWN) & (convicted < today)
        early = (place != _UNKNOWN) & (convicted > today) & (person["sentences"] == 0)
        outside = (place >= _COMMUNITY) & (place <= _AT_LARGE) & (place != _COMMITTED)
        unled = (outside & (not supervised)) | ((place == _OVER) & supervised)
        laws |= NOBODY_LOST * (missing | early | unled)
        wrongly_due = first_due & supervised & (place != _COMMUNITY)
        laws |= NO_CONTACT_IN_CUSTODY * ((booked & (place != _COMMUNITY) & (not prisoner)) | wrongly_due)
        day = appointment - dates.working_from if booked else 0
        laws |= WORKING_DAYS * (booked & (not dates.working[day]))
        laws |= DEAD * ((place >= _DEAD) & (living | has_officer | booked))
        laws |= PRISON_HELD * (prison_held & ((place != _SENTENCED) | has_officer | booked))
        queued = (dates.allocate[row] != NEVER) | orphan[row] | (people.prison_held[row] != 0)
        in_post = has_officer & (posts.filled[post] != 0)
        led = (in_post | ((not has_officer) & queued)) if supervised else not has_officer
        laws |= OFFICER_OR_QUEUE * (not led)
        theirs = supervised & has_officer
        unfit = HIGH_RISK_OFFICER * (theirs & high & (posts.grade[post] != _PO))
        unfit |= PROVIDER * (theirs & (posts.employer[post] != side))
        # Who waits to be moved is with the officer of before.
        if unfit and people.waiting_since[row] == NEVER:
            laws |= unfit
        laws |= CUSTODY_CASELOAD * (supervised & (setting == _IN_CUSTODY) & (not prisoner))
        laws |= HIGH_RISK_NPS * ((side > _NPS) & (high | (people.mappa[row] > 0)))
        must_be_seen[many] = row
        many += supervised & (place == _COMMUNITY) & (high | first_due)
        if laws:
            broken[row] = laws
            every |= laws
    return every, must_be_seen[:many].copy()


@compiled
def check_sentences(
    size: int,
    people: PeopleSeen,
    sentences: SentencesSeen,
    dates: Dates,
    limits: Limits,
    broken: Array,
) -> int:
    """Mark every sentence that still runs with the laws that are broken; return all of them."""
    every = 0
    # What still runs, written for all and kept for some: a choice that can't be foretold costs more than a number.
    running, many = np.empty(size + 1, dtype=np.int32), 0
    for row in range(size):
        running[many] = row
        many += sentences.status[row] != _ENDED
    for at in range(many):
        row = running[at]
        status, laws = sentences.status[row], 0
        person, kind = sentences.person[row], sentences.kind[row]
        today, custody_end, expiry = limits.today, int(sentences.custody_end[row]), sentences.expiry[row]
        step = dates.recall_step[row] if row < dates.recall_step.size else NEVER
        if kind < _DETERMINATE and sentences.recalls[row] > 0:
            laws |= SUPERVISION_NOT_RECALLED
        if status == _SUPERVISED and step != NEVER:
            laws |= SUPERVISION_NOT_RECALLED
        if kind == _DETERMINATE:
            if status == _ON_RECALL and expiry < today:
                laws |= SUPERVISION_NOT_RECALLED
            end = sentences.supervision_end[row]
            if end > expiry and end > custody_end + limits.supervision_days:
                laws |= SUPERVISION_LENGTH
            if status == _ON_RECALL and step > expiry:
                laws |= RECALL_ENDS
        if status == _ON_RECALL and sentences.recall_kind[row] == _BY_FIXED_TERM:
            longest = limits.fixed_term_year_plus
            if sentences.length[row] < 365:
                longest = limits.fixed_term_under_year
            returned = int(sentences.returned[row])
            if returned != NEVER and today - returned > max(longest, 1.0):
                laws |= FIXED_TERM
            if people.rosh[person] >= _HIGH or sentences.extended[row] == 1:
                laws |= FIXED_TERM
        if status == _ON_CURFEW:
            released, possible = int(sentences.released[row]), sentences.curfew_from[row]
            if people.never_curfew[person] == 1 or people.mappa[person] > 0 or possible == NEVER:
                laws |= CURFEW
            if released >= 0 and (custody_end + 1 - released < limits.least_curfew or released < possible):
                laws |= CURFEW
        # Out before the release date, or the working day before it: a working day is left until then.
        early = custody_end >= limits.next_working_day
        if status == _ON_LICENCE and sentences.recall_kind[row] == _FROM_CURFEW and early:
            laws |= CURFEW_RECALL
        if laws:
            broken[row] = laws
            every |= laws
    return every
