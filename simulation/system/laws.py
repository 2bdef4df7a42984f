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
from simulation.engine.compiled import compiled
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
_ON_RECALL, _RECALL_AT_LARGE, _ENDED = codes.Status.RECALLED, codes.Status.AT_LARGE, codes.Status.ENDED
_DETERMINATE = codes.Kind.DETERMINATE
_BY_FIXED_TERM, _FROM_CURFEW = codes.RecallKind.FIXED_TERM, codes.RecallKind.CURFEW


class PeopleSeen(NamedTuple):
    """Columns of people that the laws look at."""

    location: Array
    setting: Array
    side: Array
    officer: Array
    convicted: Array
    sentences: Array
    rosh: Array
    assessed_rosh: Array
    mappa: Array
    never_curfew: Array
    waiting_since: Array
    first_due_from: Array
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
    must_be_seen = np.empty(size, dtype=np.intp)
    many = 0
    for row in range(size):
        laws = 0
        place, side, officer = people.location[row], people.side[row], people.officer[row]
        booked = dates.contact[row] != NEVER
        prisoner = place in (_SENTENCED, _RECALLED)
        if officer >= 0:
            held[officer] += 1
        # Somewhere, or nowhere with a live sentence: then they should be somewhere.
        mask = int(masks[row])
        living = (mask & ~(1 << _ENDED)) != 0
        if place < _DEAD and (living or place not in (_UNKNOWN, _OVER)):
            rightly = int(precedence.place[mask])
            if people.committed_until[row] > today and rightly in (_COMMUNITY, _OVER):
                rightly = _COMMITTED
            if rightly == _OVER and people.report_due[row] != NEVER:
                rightly = _COURT
            if place != rightly:
                laws |= ONE_PLACE
            if people.setting[row] != precedence.setting[mask]:
                laws |= SETTING_FOLLOWS
        # Everybody convicted is somewhere; nobody not yet convicted is anywhere.
        if place == _UNKNOWN:
            if people.convicted[row] < today:
                laws |= NOBODY_LOST
        elif people.convicted[row] > today and people.sentences[row] == 0:
            laws |= NOBODY_LOST
        if place == _OVER and side >= 0:
            laws |= NOBODY_LOST
        if _COMMUNITY <= place <= _AT_LARGE and place != _COMMITTED and side < 0:
            laws |= NOBODY_LOST
        if booked:
            if place != _COMMUNITY and not prisoner:
                laws |= NO_CONTACT_IN_CUSTODY
            if not dates.working[dates.contact[row] - dates.working_from]:
                laws |= WORKING_DAYS
        if place >= _DEAD and (living or officer >= 0 or booked):
            laws |= DEAD
        if people.prison_held[row] == 1 and (place != _SENTENCED or officer >= 0 or booked):
            laws |= PRISON_HELD
        if side < 0:
            if officer >= 0:
                laws |= OFFICER_OR_QUEUE
        else:
            high = people.assessed_rosh[row] >= _HIGH
            settled = people.waiting_since[row] == NEVER
            first_due = people.first_due_from[row] != NEVER
            if officer < 0:
                if dates.allocate[row] == NEVER and not orphan[row] and people.prison_held[row] == 0:
                    laws |= OFFICER_OR_QUEUE
            else:
                if posts.filled[officer] == 0:
                    laws |= OFFICER_OR_QUEUE
                if posts.grade[officer] != _PO and high and settled:
                    laws |= HIGH_RISK_OFFICER
                if posts.employer[officer] != side and settled:
                    laws |= PROVIDER
            if people.setting[row] == _IN_CUSTODY and not prisoner:
                laws |= CUSTODY_CASELOAD
            if side > _NPS and (high or people.mappa[row] > 0):
                laws |= HIGH_RISK_NPS
            if first_due and place != _COMMUNITY:
                laws |= NO_CONTACT_IN_CUSTODY
            if place == _COMMUNITY and (high or first_due):
                must_be_seen[many] = row
                many += 1
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
    for row in range(size):
        status = sentences.status[row]
        if status == _ENDED:
            continue
        laws = 0
        person, kind = sentences.person[row], sentences.kind[row]
        today, custody_end, expiry = limits.today, int(sentences.custody_end[row]), sentences.expiry[row]
        step = dates.recall_step[row] if row < dates.recall_step.size else NEVER
        if kind < _DETERMINATE and sentences.recalls[row] > 0:
            laws |= SUPERVISION_NOT_RECALLED
        if status == _SUPERVISED and step != NEVER:
            laws |= SUPERVISION_NOT_RECALLED
        if kind == _DETERMINATE:
            if status in (_ON_RECALL, _RECALL_AT_LARGE) and expiry < today:
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
            if people.never_curfew[person] == 1 or possible == NEVER:
                laws |= CURFEW
            if released >= 0 and (custody_end - released < limits.least_curfew or released < possible):
                laws |= CURFEW
        # Out before the release date, or the working day before it: a working day is left until then.
        early = custody_end >= limits.next_working_day
        if status == _ON_LICENCE and sentences.recall_kind[row] == _FROM_CURFEW and early:
            laws |= CURFEW_RECALL
        if laws:
            broken[row] = laws
            every |= laws
    return every
