"""The diaries of a day, task by task: compiled loops that read each record once.

The rules are written here as plain conditions on one post, task or contact; :mod:`simulation.system.caseload` says
when they apply, tells the history and hands on what was done.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulation.engine import NEVER
from simulation.engine.chance import mix
from simulation.engine.compiled import AHEAD, compiled, compiled_inside, fetch_soon
from simulation.engine.order import put_into
from simulation.system.codes import Location, Status, Task
from simulation.system.columns import OpenTasks, Sentences
from simulation.system.contact_loops import PeopleColumns
from simulation.system.officer_days import AtWork, Flags, PostColumns, Seconds
from simulation.system.service import Array, Rows

Urgency = NDArray[np.uint64]
#: Numbers of tasks in a queue.
Tasks = NDArray[np.int32]

# A compiled loop takes plain numbers, not the members of a class.
_COMMUNITY, _ENDED = Location.COMMUNITY, Location.ENDED
_ORDER, _IN_CUSTODY, _CURFEW, _LICENCE = Status.ORDER, Status.CUSTODY, Status.CURFEW, Status.LICENCE
_SUPERVISION, _RECALLED = Status.SUPERVISION, Status.RECALLED
_FIRST, _PLAN, _REVIEW = Task.FIRST_APPOINTMENT, Task.PLAN, Task.REVIEW
_BREACH_PACK, _RECALL_REPORT, _PAROLE_REPORT = Task.BREACH_PACK, Task.RECALL_REPORT, Task.PAROLE_REPORT
_ADDRESS_CHECK, _APPLICATION = Task.ADDRESS_CHECK, Task.COURT_APPLICATION
_HANDOVER, _SESSION = Task.HANDOVER, Task.SESSION
_KINDS = len(Task)
#: Curfew papers for which the address is being checked.
_ENQUIRY = 2

#: Runs that are sorted by insertion.
_RUN = 16
#: Up to this length a queue isn't sorted: whoever works on it looks for the most urgent again and again, for a day
#: ends long before the queue does, and nothing has to be foretold.
_LONG = 64
#: Stands for the urgency of a task that was taken; no other is as high.
_TAKEN = np.uint64(np.iinfo(np.uint64).max)

# The same lines for one number.
mixed_up: Any = compiled(mix)


class TaskColumns(NamedTuple):
    """The columns of open tasks."""

    person: Array
    sentence: Array
    kind: Array
    seconds: Array
    due: Array


class SentenceColumns(NamedTuple):
    """The columns of sentences that decide whether a task still has a reason."""

    status: Array
    breach_pending: Array
    recall_pending: Array
    curfew_stage: Array


_task_columns = attrgetter(*TaskColumns._fields)
_sentence_columns = attrgetter(*SentenceColumns._fields)


def task_columns(tasks: OpenTasks) -> TaskColumns:
    """Return the columns as they are now."""
    return TaskColumns._make(column[: tasks.size] for column in _task_columns(tasks))


def sentence_columns(sentences: Sentences) -> SentenceColumns:
    """Return the columns as they are now."""
    return SentenceColumns._make(_sentence_columns(sentences))


# --- Queues -------------------------------------------------------------------------------------------------------


@compiled_inside
def urgency_of(priority: int, due: int, mixed: np.uint64, today: int) -> np.uint64:
    """Return one number to sort by: priority, then due day, then 32 bits that settle what is left."""
    late = min(max(due - today + 2048, 0), 4095)
    return (np.uint64(priority) << np.uint64(44)) | (np.uint64(late) << np.uint64(32)) | (mixed >> np.uint64(32))


@compiled
def urgencies(priority: Seconds, due: Seconds, mixed: Urgency, today: int) -> Urgency:
    """Return the urgency of each task."""
    found = np.empty(priority.size, dtype=np.uint64)
    for task in range(priority.size):
        found[task] = urgency_of(priority[task], due[task], mixed[task], today)
    return found


@compiled_inside
def _sort_runs(queue: Tasks, ranks: Urgency) -> None:
    """Sort short runs of one queue, and its urgencies, by insertion. Equals keep their order."""
    size = queue.size
    for start in range(0, size, _RUN):
        for at in range(start + 1, min(start + _RUN, size)):
            task, rank = queue[at], ranks[at]
            place = at
            while place > start and ranks[place - 1] > rank:
                queue[place], ranks[place] = queue[place - 1], ranks[place - 1]
                place -= 1
            queue[place], ranks[place] = task, rank


@compiled_inside
def _in_order(queue: Tasks, ranks: Urgency, urgency: Urgency) -> Tasks:
    """Return a queue sorted: runs of it, which are merged two by two. Equals keep their order."""
    _sort_runs(queue, ranks)
    size = queue.size
    width, merged = _RUN, np.empty_like(queue)
    while width < size:
        for start in range(0, size, 2 * width):
            middle, end = min(start + width, size), min(start + 2 * width, size)
            left, right = start, middle
            for place in range(start, end):
                if left < middle and (right >= end or urgency[queue[left]] <= urgency[queue[right]]):
                    merged[place] = queue[left]
                    left += 1
                else:
                    merged[place] = queue[right]
                    right += 1
        queue, merged = merged, queue
        width *= 2
    return queue


@compiled
def work_queues(server: Rows, urgency: Urgency, seconds: Seconds, available: Seconds) -> tuple[Flags, Seconds]:
    """Let every server take their tasks, most urgent first, and start one as long as any time is left.

    Parameters
    ----------
    server : int array (tasks,)
        Whose task; negative if nobody works on it today.
    urgency : uint64 array (tasks,)
        Lowest first; equals in the order of tasks.
    seconds, available : int64 arrays (tasks,), (servers,)
        Time of each task, and of each server.

    Returns
    -------
    served : bool array (tasks,)
        Which tasks were done.
    used : int64 array (servers,)
        Time of the tasks started.
    """
    served, _, used = work_diaries(server, urgency, seconds, available, np.zeros(0, dtype=np.int64))
    return served, used


@compiled
def work_diaries(
    server: Rows, urgency: Urgency, seconds: Seconds, available: Seconds, lost: Seconds
) -> tuple[Flags, Flags, Seconds]:
    """Work through queues as :func:`work_queues` does, and tell what only a meeting kept from being done.

    Parameters
    ----------
    lost : int64 array (posts,)
        Time that meetings take; a day without the meeting would have held more. Posts are the first servers.

    Returns
    -------
    served, put_off : bool arrays (tasks,)
        Which tasks were done, and which would have been done but for the meeting.
    used : int64 array (servers,)
        Time of the tasks started.
    """
    # One queue more is of what nobody works on, so that nothing has to be foretold of a task.
    none, size = available.size, server.size
    begins, used = np.zeros(none + 2, dtype=np.intp), np.zeros(none + 1, dtype=np.int64)
    for task in range(size):
        one = server[task] if server[task] >= 0 else none
        begins[one + 1] += 1
        used[one] += seconds[task] if server[task] >= 0 else 0
    for at in range(none + 1):
        begins[at + 1] += begins[at]
    place = begins.copy()
    queues, ranks = np.empty(size, dtype=np.int32), np.empty(size, dtype=np.uint64)
    for task in range(size):
        one = server[task] if server[task] >= 0 else none
        to = place[one]
        queues[to], ranks[to] = task, urgency[task]
        place[one] = to + 1
    served, put_off = np.zeros(size, dtype=np.bool_), np.zeros(size, dtype=np.bool_)
    for at in range(none):
        left, begin, end = available[at], begins[at], begins[at + 1]
        # Where everything fits, the order doesn't matter.
        if used[at] < left:
            for place_in_queue in range(begin, end):
                served[queues[place_in_queue]] = True
            continue
        used[at] = 0
        whole = left + lost[at] if at < lost.size else left
        if whole <= 0:
            continue
        is_long = end - begin > _LONG
        if is_long:
            put_into(queues[begin:end], _in_order(queues[begin:end], ranks[begin:end], urgency))
        taken = 0
        for number in range(begin, end):
            if taken >= whole:
                break
            task = queues[number if is_long else _next(ranks, begin, end)]
            if taken < left:
                served[task] = True
                used[at] += seconds[task]
            else:
                put_off[task] = True
            taken += seconds[task]
    return served, put_off, used[:none]


@compiled_inside
def _next(ranks: Urgency, begin: int, end: int) -> int:
    """Return the place of the lowest rank in a queue, the first of equals, and take it out."""
    lowest, found = ranks[begin], begin
    for at in range(begin + 1, end):
        is_lower = ranks[at] < lowest
        found = at if is_lower else found
        lowest = ranks[at] if is_lower else lowest
    ranks[found] = _TAKEN
    return found


# --- Tasks --------------------------------------------------------------------------------------------------------


@compiled_inside
def _paper_wanted(kind: int, status: int, breach_pending: int, recall_pending: int, curfew_stage: int) -> bool:
    """Tell whether a task that belongs to a sentence still has a reason."""
    if kind == _BREACH_PACK:
        return status in (_ORDER, _SUPERVISION) and breach_pending == 1
    if kind == _RECALL_REPORT:
        return status in (_CURFEW, _LICENCE) and recall_pending == 1
    if kind == _ADDRESS_CHECK:
        return status == _IN_CUSTODY and curfew_stage == _ENQUIRY
    if kind == _PAROLE_REPORT:
        return status == _RECALLED
    if kind == _APPLICATION:
        return status == _ORDER and breach_pending == 0
    return True


@compiled
def open_tasks(
    tasks: TaskColumns,
    people: PeopleColumns,
    sentences: SentenceColumns,
    posts: PostColumns,
    now: AtWork,
    today: int,
    longest: NDArray[np.float64],
    priority: Seconds,
    server: Rows,
    urgency: Urgency,
    seconds: Seconds,
) -> tuple[Flags, Flags]:
    """Put open tasks into their officers' queues, after those already there (the last places of the arrays).

    A first appointment whose officer is away goes to the colleague on duty, who changes every day.

    Parameters
    ----------
    longest : float array (area, employer)
        Backlog above which visits become calls; 0 where they never do.
    priority : int64 array (area x 2 + employer, task)
        Lowest first.

    Returns
    -------
    wanted : bool array (tasks,)
        Which tasks still have a reason.
    too_long : bool array (posts,)
        Whose tasks that are late take longer than that.
    """
    size, at_work, begins = tasks.kind.size, now.here, now.begins
    wanted, backlog = np.zeros(size, dtype=np.bool_), np.zeros(at_work.size, dtype=np.int64)
    before = server.size - size
    for task in range(size):
        soon = min(task + AHEAD, size - 1)
        fetch_soon(people.records, tasks.person[soon])
        fetch_soon(people.officer, tasks.person[soon])
        # Of a task without a sentence (-1) nothing is looked at there.
        fetch_soon(sentences.status, max(tasks.sentence[soon], 0))
        server[before + task] = -1
        who, sentence = tasks.person[task], tasks.sentence[task]
        person, place = people.records[who], people.location[who]
        # Of somebody with no side nothing is wanted, wherever they are.
        if place >= _ENDED or people.side[who] < 0:
            continue
        kind, due = tasks.kind[task], int(tasks.due[task])
        if kind in (_PLAN, _REVIEW):
            wanted[task] = place == _COMMUNITY
        elif kind == _FIRST:
            wanted[task] = place == _COMMUNITY and person["first_due_from"] != NEVER
        elif kind == _SESSION:
            wanted[task] = place == _COMMUNITY and sentences.status[sentence] == _ORDER
        elif kind == _HANDOVER:
            # Belongs to no sentence.
            wanted[task] = True
        else:
            wanted[task] = _paper_wanted(
                kind,
                sentences.status[sentence],
                sentences.breach_pending[sentence],
                sentences.recall_pending[sentence],
                sentences.curfew_stage[sentence],
            )
        if not wanted[task]:
            continue
        officer = people.officer[who]
        if officer < 0:
            continue
        # A session that hasn't been held is a meeting put off, not paper that piles up.
        if due < today and kind != _SESSION:
            backlog[officer] += tasks.seconds[task]
        # What can't wait for an officer who is away is done by whoever is on duty.
        if kind in (_FIRST, _RECALL_REPORT) and due <= today and not at_work[officer]:
            office = posts.office[officer] * 2 + posts.employer[officer]
            on_duty = begins[office + 1] - begins[office]
            if on_duty > 0:
                officer = now.roster[begins[office] + today % on_duty]
        # Who is wanted under a warrant is met by nobody.
        meeting = kind in (_FIRST, _SESSION)
        if at_work[officer] and (not meeting or (due <= today and person["wanted"] == 0)):
            server[before + task] = officer
            seconds[before + task] = tasks.seconds[task]
            mixed = mixed_up(person["key"] * np.uint64(31) + np.uint64(due))
            place_in_queue = priority[person["cell"], kind]
            urgency[before + task] = urgency_of(place_in_queue, due, mixed, today)
    too_long = np.zeros(at_work.size, dtype=np.bool_)
    for post in range(at_work.size):
        most = longest[posts.area[post], posts.employer[post]]
        too_long[post] = most > 0 and backlog[post] > most
    return wanted, too_long


class Done(NamedTuple):
    """Tasks done today, sorted by kind, those of one kind in the order of tasks."""

    rows: Rows  # rows of tasks
    person: Rows
    sentence: Rows
    begins: Rows  # where each kind begins


@compiled
def tasks_done(tasks: TaskColumns, served: Flags, wanted: Flags) -> Done:
    """Return the tasks that were done, and mark them as not wanted any more.

    Parameters
    ----------
    served : bool array (contacts and tasks,)
        What was done; tasks have the last places.
    wanted : bool array (tasks,)
        Changed here.
    """
    size, before = wanted.size, served.size - wanted.size
    begins = np.zeros(_KINDS + 1, dtype=np.intp)
    done, many = np.empty(size + 1, dtype=np.int32), 0
    for task in range(size):
        done[many] = task
        many += served[before + task]
    for at in range(many):
        begins[tasks.kind[done[at]] + 1] += 1
    for kind in range(_KINDS):
        begins[kind + 1] += begins[kind]
    place = begins.copy()
    rows, person = np.empty(many, dtype=np.intp), np.empty(many, dtype=np.intp)
    sentence = np.empty(many, dtype=np.intp)
    for at in range(many):
        task = done[at]
        to = place[tasks.kind[task]]
        place[tasks.kind[task]] = to + 1
        rows[to], person[to], sentence[to] = task, tasks.person[task], tasks.sentence[task]
        wanted[task] = False
    return Done(rows, person, sentence, begins)
