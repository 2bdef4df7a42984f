"""The probation service as a world: tables, agendas, levers, counts and history.

This module holds the state and the few operations every subsystem shares: counting, telling the history, asking a
parameter for each person, and finding a person's place from their live sentences (one precedence table, below).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulation.engine import Calendar, Chance, DayDigest, World
from simulation.engine.compiled import AHEAD, FAR_AHEAD, compiled, fetch_soon
from simulation.measures.registry import COUNTS
from simulation.scenario import Geography, Resolved
from simulation.system.codes import PHASES, Kind, Location
from simulation.system.columns import (
    QUEUES,
    RESETTLEMENT,
    SEEKERS,
    OpenTasks,
    People,
    Posts,
    Requirements,
    Sentences,
)
from simulation.system.groups import Groups
from simulation.system.levers import Levers
from simulation.system.place import PLACE_OF, SETTING_OF, place_again, statuses_of, statuses_of_all

Rows = NDArray[np.intp]
Array = NDArray[Any]

#: A wait that outlasts any run, in days.
FAR = 7300

COUNT_INDEX = {count.name: number for number, count in enumerate(COUNTS)}

CUSTODY_LOCATIONS = (Location.SENTENCED, Location.RECALLED)

#: Places in the table of the diary's running totals: time at work, started, unused, change in what is owed; time that
#: handing cases over took; time owed by those who went away.
AT_WORK, STARTED, UNUSED, CHANGE, CHARGED, DROPPED = range(6)

_ONE = np.ones(1, dtype=np.int64)
_NO_NUMBER = np.zeros(1, dtype=np.int32)
_NO_SENTENCE = np.full(1, -1, dtype=np.intp)
_ROWS = np.dtype(np.intp)
_SECONDS_DEMANDED = COUNT_INDEX["seconds_demanded"]


@compiled
def add_each(totals: Array, codes: Array, amounts: Array) -> None:
    """Add amounts, one for all or one for each, to the totals of their codes."""
    for at in range(codes.size):
        totals[codes[at]] += amounts[at if amounts.size > 1 else 0]


@compiled
def add_up(counted: Array, places: Rows, weights: Array, totals: Rows, flows: Array) -> None:
    """Add what was counted to the counts of the month, and to totals of several of them.

    Parameters
    ----------
    counted : int64 array (counts, cells)
        What was counted.
    places : int array (counts,)
        Row of each among the counts of the month; -1 where there is none.
    weights : int8 array (totals, counts)
        How often each goes into each total.
    totals : int array (totals,)
        Row of each total among the counts of the month.
    """
    for at in range(counted.shape[0]):
        for cell in range(counted.shape[1]):
            amount = counted[at, cell]
            if amount == 0:
                continue
            if places[at] >= 0:
                flows[places[at], cell] += amount
            for number in range(totals.size):
                flows[totals[number], cell] += weights[number, at] * amount


@compiled
def add_rows(counted: Array, places: Rows, flows: Array) -> None:
    """Add what was counted (counts, cells) to the counts of the month, in whose rows ``places`` it belongs."""
    for at in range(places.size):
        for cell in range(counted.shape[1]):
            flows[places[at], cell] += counted[at, cell]


@compiled
def _count_people(totals: Array, cells: Array, rows: Rows) -> None:
    """Count people by their cell."""
    for at in range(rows.size):
        fetch_soon(cells, rows[min(at + FAR_AHEAD, rows.size - 1)])
        totals[cells[rows[at]]] += 1


@compiled
def _count_amounts(totals: Array, cells: Array, rows: Rows, amounts: Array) -> None:
    """Add amounts, one for all or one for each, by people's cells."""
    for at in range(rows.size):
        fetch_soon(cells, rows[min(at + AHEAD, rows.size - 1)])
        totals[cells[rows[at]]] += amounts[at if amounts.size > 1 else 0]


@compiled
def _write_tasks(
    people: Rows,
    kind: int,
    of: Rows,
    seconds: Rows,
    days: Rows,
    first: int,
    person: Rows,
    sentence: Rows,
    kinds: Array,
    time: Array,
    due: Array,
    totals: Array,
    cells: Array,
) -> None:
    """Write a task for each person into rows of the tasks from ``first`` on, and count its time by the person's cell.

    The sentences that they are ``of``, their time and their days are one for all or one for each.
    """
    many = people.size
    for at in range(many):
        fetch_soon(cells, people[min(at + AHEAD, many - 1)])
        row, amount = people[at], seconds[at if seconds.size > 1 else 0]
        person[first + at] = row
        sentence[first + at] = of[at if of.size > 1 else 0]
        kinds[first + at] = kind
        time[first + at] = amount
        due[first + at] = days[at if days.size > 1 else 0]
        totals[cells[row]] += amount


@compiled
def _link_sentences(
    rows: Rows,
    people: Array,
    today: int,
    latest: Rows,
    sentences: Array,
    person: Rows,
    previous: Rows,
    number: Array,
    imposed: Array,
) -> None:
    """Make each new sentence, imposed today, its person's latest, the others behind it, and number it."""
    for at in range(rows.size):
        row, who = rows[at], people[at]
        person[row] = who
        imposed[row] = today
        previous[row] = latest[who]
        latest[who] = row
        sentences[who] += 1
        number[row] = sentences[who]


def _wide(numbers: Array) -> Rows:
    """Return numbers in the type of row numbers, which nearly all have: to ask costs less than to convert them."""
    return numbers if numbers.dtype is _ROWS else numbers.astype(_ROWS)


@dataclass
class Event:
    """One line of a traced person's history."""

    day: int
    kind: str
    detail: int


class Service(World):
    """All state of one run.

    Parameters
    ----------
    resolved : Resolved
        The scenario with every parameter.
    geography : Geography
        Areas and providers.
    chance : Chance
        Keyed draws.
    people : int
        Rows of the people table, allocated once.
    calendar : Calendar, optional
        Shared between runs that start on the same day.
    split : str
        By what people are split in the counts; empty for not at all.
    """

    def __init__(
        self,
        resolved: Resolved,
        geography: Geography,
        chance: Chance,
        people: int,
        calendar: Calendar | None = None,
        split: str = "",
    ) -> None:
        super().__init__(resolved.start, PHASES, calendar)
        self.resolved = resolved
        self.geography = geography
        self.chance = chance
        self.areas = len(geography.areas)
        self.people = People(people)
        # Room for what a run of some years comes to: growing copies every column.
        self.sentences = Sentences(people + people * 3 // 4 + 1024)
        self.posts = Posts(8192)
        self.requirements = Requirements(people * 3 // 4 + 1024)
        self.tasks = OpenTasks()
        self.court_queue = OpenTasks(QUEUES, "court_queue")
        self.release_queue = OpenTasks(RESETTLEMENT, "release_queue")
        self.home_seekers = OpenTasks(SEEKERS, "home_seekers")
        for table in (
            self.people,
            self.sentences,
            self.posts,
            self.requirements,
            self.tasks,
            self.court_queue,
            self.release_queue,
            self.home_seekers,
        ):
            self.table(table.name, table)
        #: Groups of people, where counts are split by them, and how many times the cells are there.
        self.groups = Groups(self, split) if split else None
        self.blocks = 1 if self.groups is None else self.groups.blocks
        #: Columns of what is counted. What belongs to nobody is in the first areas x 2 of them.
        self.cells = self.areas * 2 * self.blocks
        self.levers = Levers(resolved.on(0), self.blocks)
        # Counts of the present month, and the rows of months that are over.
        self.flows = np.zeros((len(COUNTS), self.cells), dtype=np.int64)
        self.bands: dict[tuple[str, int, int], int] = {}
        self.finished: list[NDArray[np.int64]] = []
        self.event_digests: list[str] = []
        self.state_digests: dict[str, str] = {}
        self.checks: dict[str, int] = {}
        # Where a day or a time that is the same for all people is handed to a loop.
        self._one_of_all = np.zeros(1, dtype=np.intp), np.zeros(1, dtype=np.intp)
        #: What was told today.
        self.told = DayDigest()
        self.traced = -1
        self.history: list[Event] = []
        self.on_place_change: list[Any] = []
        #: Called on the last evening of a month, before it is stored, with the people in the community and their cells.
        self.on_month_end: list[Any] = []

    # --- Parameters -------------------------------------------------------------------------------------------

    def share(self, name: str, rows: Array, *labels: str) -> NDArray[np.float64]:
        """Return a parameter for each person, by where they live and who supervises them.

        Parameters
        ----------
        name : str
            Parameter.
        rows : int array
            Rows of people.
        labels : str
            Entry of a mapping parameter.
        """
        return self.levers.cells(name, *labels)[self.people.cell[rows]]

    # --- Counting ---------------------------------------------------------------------------------------------

    def code(self, rows: Array) -> NDArray[np.int16]:
        """Return the cells of people; nobody's are counted with the NPS, which serves the courts."""
        return self.people.cell[rows]

    def set_side(self, rows: Array, side: Array | int) -> None:
        """Set the side responsible for people, and where their counts go."""
        self.people.side[rows] = side
        self.people.cell[rows] = (self.people.cell[rows] & -2) | np.maximum(side, 0)

    def by_place(self, name: str) -> NDArray[np.int64]:
        """Return a count of this month so far by area x 2 + side, all groups together."""
        found: NDArray[np.int64] = self.flows[COUNT_INDEX[name]].reshape(self.blocks, -1).sum(axis=0)
        return found

    def regroup(self, rows: Array) -> None:
        """Find the group of people again, where counts are split, after something changed by which they are."""
        if self.groups is not None:
            self.groups.place(rows)

    def count(self, name: str, rows: Array, amount: Array | None = None) -> None:
        """Add people (or an amount for each) to a count of this month."""
        if rows.size == 0:
            return
        totals = self.flows[COUNT_INDEX[name]]
        if amount is None:
            _count_people(totals, self.people.cell, rows)
        else:
            _count_amounts(totals, self.people.cell, rows, amount)

    def count_codes(self, name: str, codes: Array, amount: Array | None = None) -> None:
        """Add to a count by area x 2 + side."""
        if codes.size:
            amounts = _ONE if amount is None else np.asarray(amount, dtype=np.int64)
            add_each(self.flows[COUNT_INDEX[name]], np.asarray(codes, dtype=np.int64), amounts)

    def band(self, name: str, bands: Array, sides: Array) -> None:
        """Add to a histogram of this month: one entry for each band and side."""
        if bands.size:
            self.band_counts(name, np.bincount(bands.astype(np.int64) * 2 + sides))

    def band_counts(self, name: str, counts: NDArray[np.int64]) -> None:
        """Add to a histogram of this month what was counted by band x 2 + side."""
        for number, many in enumerate(counts.tolist()):
            if many:
                place = (name, number // 2, number % 2)
                self.bands[place] = self.bands.get(place, 0) + many

    def add_to_bands(self, name: str, codes: Array) -> None:
        """Add to a histogram of this month, by band x 2 + side of each; few, in order."""
        for code in codes.tolist():
            place = (name, code // 2, code % 2)
            self.bands[place] = self.bands.get(place, 0) + 1

    # --- History ----------------------------------------------------------------------------------------------

    def tell(self, kind: str, rows: Array, detail: Array | int = 0, keys: Array | None = None) -> None:
        """Record that something happened to people: into the day's digest, and the history of one traced.

        Parameters
        ----------
        kind : str
            What happened.
        rows : int array
            Rows of people, in row order.
        detail : int or int array
            A number that goes with it.
        keys : uint64 array, optional
            Keys of these people, where they are at hand.
        """
        if rows.size == 0:
            return
        numbers = _NO_NUMBER if isinstance(detail, int) else np.ascontiguousarray(detail, dtype=np.int32)
        if keys is None:
            self.told.add_of(kind, self.people.key, rows, numbers)
        else:
            self.told.add(kind, keys, numbers)
        if self.traced >= 0:
            for at in np.flatnonzero(rows == self.traced):
                number = detail if isinstance(detail, int) else int(np.asarray(detail)[at])
                self.history.append(Event(self.today, kind, number))

    def note(self, kind: str, *numbers: Array) -> None:
        """Put whole numbers that belong to nobody, such as what accounts hold, into the day's digest."""
        self.told.note(kind, *numbers)

    def close_day(self) -> None:
        """Finish the digest of the day's events."""
        self.event_digests.append(self.told.close())

    # --- Place ------------------------------------------------------------------------------------------------

    def statuses(self, rows: Rows) -> NDArray[np.uint8]:
        """Return the set of statuses of each person's sentences as bits."""
        sentences = self.sentences
        return statuses_of(rows, self.people.latest, sentences.previous, sentences.status)

    def statuses_of_all(self) -> NDArray[np.uint8]:
        """Return the set of statuses of everybody's sentences as bits, by row of people."""
        sentences = self.sentences
        size = sentences.size
        return statuses_of_all(self.people.size, sentences.person[:size], sentences.status[:size])

    def refresh(self, rows: Array) -> None:
        """Find the place and setting of people again after their sentences changed.

        Parameters
        ----------
        rows : int array
            Rows of people; repeats are allowed.
        """
        if rows.size == 0:
            return
        people, sentences = self.people, self.sentences
        ordered = np.array(rows, dtype=np.intp)
        ordered.sort()
        found = np.empty((3, ordered.size), dtype=np.intp)
        size = place_again(
            ordered,
            self.today,
            people.location,
            people.setting,
            people.committed_until,
            people.report_due,
            people.latest,
            sentences.previous,
            sentences.status,
            PLACE_OF,
            SETTING_OF,
            found,
        )
        self.regroup(ordered)
        if size:
            self.tell_of_moves(found[0, :size], found[1, :size], found[2, :size])

    def tell_of_moves(self, rows: Rows, before: Array, after: Array) -> None:
        """Tell every listener who changed place, from where and to where."""
        if rows.size:
            for listener in self.on_place_change:
                listener(rows, before, after)

    def add_task(
        self, kind: int, people: Array, due: Array | int, seconds: Array | int, sentences: Array | None = None
    ) -> None:
        """Put a task for each person into their officer's diary."""
        if people.size == 0:
            return
        tasks, (one_day, one_time) = self.tasks, self._one_of_all
        if not isinstance(due, np.ndarray):
            one_day[0], due = due, one_day
        if not isinstance(seconds, np.ndarray):
            one_time[0], seconds = seconds, one_time
        first = tasks.make_room(people.size)
        _write_tasks(
            _wide(people),
            int(kind),
            _NO_SENTENCE if sentences is None else _wide(sentences),
            _wide(seconds),
            _wide(due),
            first,
            tasks.person,
            tasks.sentence,
            tasks.kind,
            tasks.seconds,
            tasks.due,
            self.flows[_SECONDS_DEMANDED],
            self.people.cell,
        )
        tasks.size += people.size

    def new_sentences(self, people: Array, kind: Array | int, status: Array | int) -> Rows:
        """Add a sentence for each person (each person once) and return the rows."""
        sentences = self.sentences
        rows = sentences.add(people.size)
        new = slice(sentences.size - people.size, sentences.size)
        sentences.kind[new] = kind
        sentences.status[new] = status
        _link_sentences(
            rows,
            people,
            self.today,
            self.people.latest,
            self.people.sentences,
            sentences.person,
            sentences.previous,
            sentences.number,
            sentences.imposed,
        )
        self.regroup(people)
        return rows

    def sentence_key(self, sentences: Rows) -> NDArray[np.uint64]:
        """Return the key of the person whose sentence it is."""
        return self.people.key[self.sentences.person[sentences]]

    def occurrence(self, sentences: Rows, count: Array | int = 0) -> NDArray[np.int64]:
        """Return the occurrence number of a draw: sentence number, and a count within it."""
        return self.sentences.number[sentences].astype(np.int64) * 4096 + count

    # --- Saving -----------------------------------------------------------------------------------------------

    def save(self) -> dict[str, Any]:
        """Return a copy of all state at midnight."""
        saved = super().save()
        saved["counts"] = (
            self.flows.copy(),
            dict(self.bands),
            list(self.finished),
            list(self.event_digests),
            dict(self.state_digests),
            dict(self.checks),
            list(self.history),
            self.told.total.copy(),
        )
        return saved

    def restore(self, saved: dict[str, Any]) -> None:
        """Put back what :meth:`save` returned."""
        super().restore(saved)
        flows, bands, finished, events, states, checks, history, told = saved["counts"]
        self.history = list(history)
        self.told.total[:] = told
        self.flows = flows.copy()
        self.bands, self.finished = dict(bands), list(finished)
        self.event_digests, self.state_digests, self.checks = list(events), dict(states), dict(checks)


__all__ = ["CUSTODY_LOCATIONS", "Array", "Event", "Kind", "Rows", "Service"]
