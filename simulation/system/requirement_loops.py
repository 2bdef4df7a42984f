"""What orders require, row by row: compiled loops that read each requirement once.

The rules are written here as plain conditions on one requirement; :mod:`simulation.system.requirements` says when they
apply, tells the history and makes groups.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulation.engine.chance import uniform_of
from simulation.engine.compiled import AHEAD, compiled, compiled_inside, fetch_soon
from simulation.system.codes import Location, Programme, Progress, Requirement, Status
from simulation.system.service import Array, Rows
from simulation.system.waits import value_at

Counted = NDArray[np.int64]
Days = NDArray[np.int32]
Floats = NDArray[np.float64]

#: What is counted; rows of the array of counts that the loops fill.
COUNTED = (
    "activity_days_ordered",
    "activity_days_too_many",
    "activity_days_too_few",
    "activity_days_done",
    "activity_days_undone",
    "activity_days_with_officer",
    "activity_days_missed",
    "activity_ordered",
    "activity_begun",
    "activity_begin_days",
    "activity_ended",
    "activity_ended_unbegun",
    "activity_not_bought",
    "work_hours_ordered",
    "work_hours_done",
    "work_hours_undone",
    "work_ordered",
    "work_begun",
    "work_begin_days",
    "work_completed",
    "work_completed_in_time",
    "work_ended_undone",
    "work_days_missed",
    "work_days_stood_down",
    "programme_ordered",
    "programme_begun",
    "programme_begin_days",
    "programme_completed",
    "programme_dropped_out",
    "programme_withdrawn",
    "programme_ended_undone",
)
_DAYS_ORDERED, _TOO_MANY, _TOO_FEW, _HOURS_ORDERED, _ORDERED, _WORK_ORDERED, _PROGRAMME_ORDERED = (
    COUNTED.index(name)
    for name in (
        "activity_days_ordered",
        "activity_days_too_many",
        "activity_days_too_few",
        "work_hours_ordered",
        "activity_ordered",
        "work_ordered",
        "programme_ordered",
    )
)

#: What can happen to somebody in a week, in the order in which the history tells it.
EVENTS = range(15)
(
    GROUP_DAY,
    SPECIALIST_DAY,
    OFFICER_DAY,
    DAY_MISSED,
    NOT_BOUGHT,
    OFFICER_INSTEAD,
    WORK_DAY,
    WORK_MISSED,
    SENT_HOME,
    WORK_COMPLETED,
    PROGRAMME_COMPLETED,
    DROPPED_OUT,
    WITHDRAWN,
    DAYS_LAPSED,
    HOURS_LAPSED,
) = EVENTS

#: What the history calls each, and of which it tells a number, too.
CALLED = (
    "activity day in a group",
    "activity day with a specialist",
    "activity day with the officer",
    "activity day missed",
    "activity not bought",
    "activity by the officer instead",
    "unpaid work done",
    "unpaid work missed",
    "unpaid work stood down",
    "unpaid work completed",
    "programme completed",
    "programme dropped",
    "programme withdrawn",
    "activity days lapse",
    "unpaid work lapses",
)
WITH_NUMBER = (WORK_COMPLETED, DAYS_LAPSED, HOURS_LAPSED)

#: Rules of delivery, as the parameter names them.
RULES = ("in_full", "up_to", "officers_discretion")
_IN_FULL, _UP_TO, _DISCRETION = range(len(RULES))

#: Place of unpaid work among the shares of days missed.
AT_WORK = 3
_WEEK = 7

# A compiled loop takes plain numbers, not the members of a class.
_ACTIVITY, _WORK, _PROGRAMME = Requirement.REHABILITATION, Requirement.UNPAID_WORK, Requirement.PROGRAMME
_WAITING, _RUNNING, _FINISHED = Progress.WAITING, Progress.RUNNING, Progress.FINISHED
_COMMUNITY, _ORDER = Location.COMMUNITY, Status.ORDER
_THINKING, _DOMESTIC, _SEXUAL = Programme.THINKING_SKILLS, Programme.DOMESTIC_ABUSE, Programme.SEXUAL_OFFENDING


class RequirementColumns(NamedTuple):
    """The columns of requirements."""

    person: Array
    sentence: Array
    number: Array
    imposed: Array
    kind: Array
    form: Array
    progress: Array
    cell: Array
    ordered: Array
    due: Array
    done: Array
    offered: Array
    ready: Array
    last: Array
    began: Array
    held: Array
    booked: Array
    group: Array
    bought_draw: Array
    enough_draw: Array


class Persons(NamedTuple):
    """The columns of people that requirements read."""

    key: Array
    cell: Array
    location: Array
    side: Array
    tier: Array
    ogrs: Array
    miss_factor: Array
    stage_start: Array
    last_seen: Array
    wanted: Array


class Orders(NamedTuple):
    """The columns of sentences that requirements read."""

    status: Array
    number: Array
    imposed: Array
    unpaid_work_only: Array
    activity: Array  # written
    unpaid_work: Array  # written


class Groups(NamedTuple):
    """The columns of groups of accredited programmes."""

    sessions: Array
    held: Array
    members: Array
    running: Array


class Enough(NamedTuple):
    """How many days are to be delivered of those ordered."""

    rule: int
    probabilities: Floats  # of the share that is thought enough where any number will do
    shares: Floats
    edges: Floats  # chance of reoffending, in percent, from which the next share holds
    by_need: Floats


class Rules(NamedTuple):
    """The levers of a day."""

    inside: NDArray[np.bool_]  # by cell and tier: a session with the officer is inside the tariff
    split: NDArray[np.bool_]  # by area: the NPS must buy from the company
    friction: Floats  # by area
    generic_days: int
    interval: Counted  # days between offers, by Delivery
    missed: Floats  # by Delivery, then unpaid work
    stood_down: float
    hours_a_day: int
    in_time_days: int
    drop_out: float  # at each session
    offered: NDArray[np.bool_]  # by Programme


class Draws(NamedTuple):
    """The constants of the draws."""

    activity_missed: np.uint64
    work_missed: np.uint64
    stood_down: np.uint64
    drop_out: np.uint64


class Told(NamedTuple):
    """What happened, to be told: arrays filled from the front."""

    person: Rows
    key: NDArray[np.uint64]
    event: NDArray[np.int8]
    detail: NDArray[np.int32]


_columns = attrgetter(*RequirementColumns._fields)
_persons, _orders, _groups = attrgetter(*Persons._fields), attrgetter(*Orders._fields), attrgetter(*Groups._fields)


def columns(requirements: Any, people: Any, sentences: Any) -> tuple[RequirementColumns, Persons, Orders]:
    """Return the columns as they are now: a table that has grown has new ones."""
    return (
        RequirementColumns._make(_columns(requirements)),
        Persons._make(_persons(people)),
        Orders._make(_orders(sentences)),
    )


def group_columns(groups: Any) -> Groups:
    """Return the columns of programme groups as they are now."""
    return Groups._make(_groups(groups))


def room(size: int) -> Told:
    """Return room to note so many events."""
    person, key = np.empty(size, dtype=np.intp), np.empty(size, dtype=np.uint64)
    return Told(person, key, np.empty(size, dtype=np.int8), np.empty(size, dtype=np.int32))


@compiled
def by_event(told: Told, events: int, kinds: int) -> tuple[Told, Rows]:
    """Sort what happened by which of so many kinds it is, else in its order; return it and where each kind begins."""
    whom, whose, what, details = told.person, told.key, told.event, told.detail
    edges = np.zeros(kinds + 1, dtype=np.intp)
    for at in range(events):
        edges[what[at] + 1] += 1
    for number in range(kinds):
        edges[number + 1] += edges[number]
    place = edges.copy()
    person, key = np.empty(events, dtype=np.intp), np.empty(events, dtype=np.uint64)
    event, detail = np.empty(events, dtype=np.int8), np.empty(events, dtype=np.int32)
    for at in range(events):
        to = place[what[at]]
        person[to], key[to], event[to], detail[to] = whom[at], whose[at], what[at], details[at]
        place[what[at]] += 1
    return Told(person, key, event, detail), edges


@compiled_inside
def _days_due(ordered: int, draw: float, ogrs: int, enough: Enough) -> int:
    """Return how many days are to be delivered of those ordered."""
    if enough.rule == _UP_TO:
        return int(ordered * value_at(draw, enough.probabilities, enough.shares))
    if enough.rule == _DISCRETION:
        band = 0
        while band < enough.edges.size and ogrs >= enough.edges[band]:
            band += 1
        return int(ordered * enough.by_need[band])
    return ordered


@compiled
def set_due(first: int, size: int, enough: Enough, rows: RequirementColumns, people: Persons) -> None:
    """Settle how much is to be delivered, by the rule in force, of requirements that aren't over."""
    for row in range(first, size):
        if rows.progress[row] >= _FINISHED:
            continue
        rows.due[row] = rows.ordered[row]
        if rows.kind[row] == _ACTIVITY:
            ogrs = int(people.ogrs[rows.person[row]])
            rows.due[row] = _days_due(int(rows.ordered[row]), float(rows.enough_draw[row]), ogrs, enough)
            if rows.done[row] >= rows.due[row]:
                rows.held[row] = 0


_written_of_requirements = attrgetter(
    "person",
    "sentence",
    "number",
    "imposed",
    "kind",
    "form",
    "cell",
    "ordered",
    "due",
    "ready",
    "bought_draw",
    "enough_draw",
)
_read_of_people = attrgetter("key", "cell", "ogrs", "mappa", "safeguarding", "report")
_known_of_orders = attrgetter("person", "number", "imposed", "length", "unpaid_work_only", "activity", "unpaid_work")


def columns_to_write(requirements: Any, people: Any, sentences: Any) -> Any:
    """Return the columns that :func:`write_requirements` takes, in its order."""
    return *_written_of_requirements(requirements), *_read_of_people(people), *_known_of_orders(sentences)


@compiled
def write_requirements(
    orders: Rows,
    first: int,
    shares: tuple[float, float],
    programme_share: Floats,
    programme_sessions: Counted,
    ogrs_from: float,
    programme_length: int,
    days_ordered: Floats,
    hours_ordered: Floats,
    activity_start: Floats,
    work_start: Floats,
    programme_start: Floats,
    form_edges: Floats,
    misjudged: Floats,
    constants: NDArray[np.uint64],
    rule: int,
    enough_shares: Floats,
    need_edges: Floats,
    by_need: Floats,
    today: int,
    numbers: Rows,
    flows: Counted,
    totals_ordered: Counted,
    told: Rows,
    details: Days,
    of_person: Array,
    of_sentence: Array,
    of_number: Array,
    of_imposed: Array,
    of_kind: Array,
    of_form: Array,
    of_cell: Array,
    of_ordered: Array,
    of_due: Array,
    of_ready: Array,
    of_bought_draw: Array,
    of_enough_draw: Array,
    keys: Array,
    cells: Array,
    ogrs: Array,
    mappa: Array,
    safeguarding: Array,
    report: Array,
    whose: Rows,
    order_number: Array,
    order_imposed: Array,
    order_length: Array,
    unpaid_work_only: Array,
    activity: Array,
    unpaid_work: Array,
) -> tuple[int, int, int, int]:
    """Write what orders require, from row ``first`` of requirements on.

    The columns of requirements that are written begin with ``of``. They come one by one: to hand over many columns in
    one tuple takes longer than a day's orders do.

    Parameters
    ----------
    orders : int array
        Rows of sentences, in the order in which requirements are to be kept.
    shares : tuple of float
        Share with rehabilitation activity, and with unpaid work, of orders that have more than unpaid work alone.
    programme_share : float array (programmes,)
        Share of those for whom each programme is made that are ordered to take it.
    programme_length : int
        Shortest order in days with which a programme is ordered: in a shorter one there is no time for it.
    days_ordered, hours_ordered : float arrays (2, quantiles)
        Probabilities and values of days and hours ordered.
    activity_start, work_start, programme_start : float arrays (2, quantiles)
        Probabilities and values of the days until each kind could begin.
    form_edges : float array (side, delivery)
        Upper edges of the shares of each way of delivery.
    misjudged : float array (kinds of report,)
        By how much days ordered may lie above or below those needed, as a share of these.
    constants : uint64 array
        Constants of the draws, in the order in which they stand below.
    rule, enough_shares, need_edges, by_need : int, float arrays
        How many days are to be delivered of those ordered: what :class:`Enough` holds, the quantiles side by side.
    numbers : int array
        Row of each of :data:`COUNTED` among the counts of the month, ``flows``.
    told, details : int arrays (3, orders)
        Written, by kind: on whom it is imposed, and how many days or hours, or which programme.

    Returns
    -------
    made : int
        How many requirements there are now.
    activities, works, programmes : int
        How many of each kind were written.
    """
    enough = Enough(rule, enough_shares[0], enough_shares[1], need_edges, by_need)
    at, written = first, np.zeros(3, dtype=np.intp)
    for order in orders:
        person = whose[order]
        key, number, cell = keys[person], int(order_number[order]), int(cells[person])
        only_work, imposed = unpaid_work_only[order] == 1, int(order_imposed[order])
        for kind in range(3):
            if kind == _ACTIVITY:
                if only_work or uniform_of(key, constants[0], number) >= shares[0]:
                    continue
                days = value_at(uniform_of(key, constants[1], number), days_ordered[0], days_ordered[1])
                amount, count, ordered_count = max(1, int(days)), _DAYS_ORDERED, _ORDERED
                error = misjudged[report[person]]
                if error > 0:
                    needed = amount
                    amount = max(1, int(days * (1 + error * (2 * uniform_of(key, constants[11], number) - 1))))
                    if imposed == today:
                        flows[numbers[_TOO_MANY], cell] += max(0, amount - needed)
                        flows[numbers[_TOO_FEW], cell] += max(0, needed - amount)
                form, draw = 0, uniform_of(key, constants[2], number)
                while form < form_edges.shape[1] - 1 and form_edges[cell & 1, form] <= draw:
                    form += 1
                wait = value_at(uniform_of(key, constants[3], number), activity_start[0], activity_start[1])
            elif kind == _WORK:
                if not only_work and uniform_of(key, constants[4], number) >= shares[1]:
                    continue
                hours = value_at(uniform_of(key, constants[5], number), hours_ordered[0], hours_ordered[1])
                amount, count, ordered_count = max(1, int(hours)), _HOURS_ORDERED, _WORK_ORDERED
                form = 0
                wait = value_at(uniform_of(key, constants[6], number), work_start[0], work_start[1])
            else:
                if only_work or order_length[order] < programme_length:
                    continue
                if mappa[person] > 0:
                    form = _SEXUAL
                elif safeguarding[person] == 1:
                    form = _DOMESTIC
                elif ogrs[person] >= ogrs_from:
                    form = _THINKING
                else:
                    continue
                if uniform_of(key, constants[7], number) >= programme_share[form]:
                    continue
                amount, count, ordered_count = int(programme_sessions[form]), -1, _PROGRAMME_ORDERED
                wait = value_at(uniform_of(key, constants[8], number), programme_start[0], programme_start[1])
            of_person[at], of_sentence[at], of_kind[at] = person, order, kind
            of_number[at], of_imposed[at] = number, imposed
            of_form[at], of_cell[at], of_ordered[at], of_due[at] = form, cell, amount, amount
            of_ready[at] = imposed + 1 + int(wait)
            if kind == _ACTIVITY:
                activity[order] = at
                of_bought_draw[at] = uniform_of(key, constants[9], number)
                of_enough_draw[at] = uniform_of(key, constants[10], number)
                of_due[at] = _days_due(amount, float(of_enough_draw[at]), int(ogrs[person]), enough)
            elif kind == _WORK:
                unpaid_work[order] = at
            if kind != _PROGRAMME:
                totals_ordered[kind] += amount
            if imposed == today:
                flows[numbers[ordered_count], cell] += 1
                if count >= 0:
                    flows[numbers[count], cell] += amount
            told[kind, written[kind]] = person
            details[kind, written[kind]] = form if kind == _PROGRAMME else amount
            written[kind] += 1
            at += 1
    return at, written[_ACTIVITY], written[_WORK], written[_PROGRAMME]


@compiled
def look_back(
    first: int,
    size: int,
    rules: Rules,
    rows: RequirementColumns,
    totals_done: Counted,
) -> None:
    """Let requirements of before the run be as far as they would be had every week had a place."""
    for row in range(first, size):
        days = -int(rows.ready[row])
        if days <= 0:
            continue
        kind, ordered = rows.kind[row], int(rows.ordered[row])
        if kind == _ACTIVITY:
            form = rows.form[row]
            done = min(int(rows.due[row]), int(days // rules.interval[form] * (1.0 - rules.missed[form])))
        elif kind == _WORK:
            kept = (1.0 - rules.missed[AT_WORK]) * (1.0 - rules.stood_down)
            done = min(ordered, int(days // _WEEK * kept) * rules.hours_a_day)
        else:
            # The last weeks of the programme are not half done by anybody: over, or waiting.
            done = ordered if days // _WEEK >= ordered else 0
        if done > 0:
            rows.done[row] = done
            rows.offered[row] = done if kind != _WORK else done // rules.hours_a_day
            rows.began[row] = rows.ready[row]
            rows.progress[row] = _FINISHED if done == ordered else _RUNNING
            if kind != _PROGRAMME:
                totals_done[kind] += done


@compiled
def count_waiting(
    size: int, today: int, rows: RequirementColumns, people: Persons, sentences: Orders, counted: Counted
) -> None:
    """Count who waits for activity, unpaid work, a programme, and for the NPS to buy activity."""
    waiting, many = np.empty(size + 1, dtype=np.intp), 0
    for row in range(size):
        # Written for each, kept for some: a choice that can't be foretold costs more than a number.
        waiting[many] = row
        many += (rows.progress[row] == _WAITING) & (rows.ready[row] <= today) & (rows.due[row] != 0)
    for at in range(many):
        row, soon = waiting[at], waiting[min(at + AHEAD, many - 1)]
        fetch_soon(sentences.status, rows.sentence[soon])
        fetch_soon(people.location, rows.person[soon])
        fetch_soon(people.cell, rows.person[soon])
        person = rows.person[row]
        if sentences.status[rows.sentence[row]] != _ORDER or people.location[person] != _COMMUNITY:
            continue
        cell, kind = people.cell[person], rows.kind[row]
        counted[kind if kind != _ACTIVITY or rows.held[row] == 0 else 3, cell] += 1
