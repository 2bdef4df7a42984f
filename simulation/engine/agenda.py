"""The agenda: which rows are due on which day. One agenda for each kind of event.

The truth is one ``due`` day for each row; the buckets are only an index to it, kept for the next days alone.
So a row has at most one due day, ``put`` overwrites, and a date that was overwritten can never wake an old
chain of events beside the new one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulation.engine.compiled import compiled

#: Due day of a row that is on no date.
NEVER = int(np.iinfo(np.int32).min)

#: Row numbers have the processor's own width: numpy looks up with them several times as fast as with narrower ones.
Rows = NDArray[np.intp]
Days = NDArray[np.int32]

#: Days indexed at a time.
BLOCK = 64


def each_once(rows: NDArray[np.integer]) -> Rows:
    """Return row numbers sorted, each once; the same as ``numpy.unique`` and many times as fast.

    Equal numbers can't be told apart, so any way of sorting them gives the same bytes.
    """
    return _without_repeats(np.sort(np.asarray(rows, dtype=np.intp)))


@compiled
def _without_repeats(rows: Rows) -> Rows:
    """Drop repeats from sorted rows."""
    kept = np.empty_like(rows)
    size = 0
    for row in rows:
        if size == 0 or kept[size - 1] != row:
            kept[size] = row
            size += 1
    return kept[:size]


@compiled
def _write(due: Days, rows: Rows, days: Days, taken: int) -> tuple[int, int, int, int]:
    """Set the days of rows, unless a row or day is out of bounds; return lowest and highest row and day."""
    low, high = rows[0], rows[0]
    first, last = days[0], days[0]
    for at in range(rows.size):
        low, high = min(low, rows[at]), max(high, rows[at])
    for day in days:
        first, last = min(first, day), max(last, day)
    if low >= 0 and high < due.size and first > taken:
        if days.size == 1:
            for row in rows:
                due[row] = first
        else:
            for at in range(rows.size):
                due[rows[at]] = days[at]
    return low, high, first, last


@compiled
def _clear(due: Days, rows: Rows) -> int:
    """Take rows off their days; return the lowest row, for a negative one is a mistake."""
    low = 0
    for row in rows:
        low = min(low, row)
        if 0 <= row < due.size:
            due[row] = NEVER
    return low


@compiled
def _take(due: Days, rows: Rows, day: int) -> Rows:
    """Return the rows whose day it is, each once, and take them off it."""
    taken = np.empty_like(rows)
    size = 0
    for row in rows:
        if due[row] == day:
            due[row] = NEVER
            taken[size] = row
            size += 1
    return taken[:size]


@compiled
def _within(due: Days, first: int, end: int) -> tuple[Rows, int]:
    """Return the rows whose day lies from ``first`` to before ``end``, and the earliest day of all."""
    size = 0
    earliest = first
    for day in due:
        if day != NEVER:
            earliest = min(earliest, day)
            size += first <= day < end
    rows = np.empty(size, dtype=np.intp)
    size = 0
    for row in range(due.size):
        if first <= due[row] < end:
            rows[size] = row
            size += 1
    return rows, earliest


@compiled
def _by_day(rows: Rows, days: Days, first: int) -> tuple[Rows, Rows]:
    """Sort rows by day by counting; return them and where each day begins."""
    starts = np.zeros(BLOCK + 1, dtype=np.intp)
    for day in days:
        starts[day - first + 1] += 1
    for at in range(BLOCK):
        starts[at + 1] += starts[at]
    place = starts.copy()
    ordered = np.empty_like(rows)
    for at in range(rows.size):
        where = days[at] - first
        ordered[place[where]] = rows[at]
        place[where] += 1
    return ordered, starts


class Agenda:
    """A calendar queue over the rows of a table.

    Parameters
    ----------
    rows : int
        Rows of the table; grows by itself.

    Examples
    --------
    >>> agenda = Agenda(10)
    >>> agenda.put(np.array([3, 1]), np.array([5, 5]))
    >>> agenda.put(np.array([3]), np.array([7]))        # overwrites
    >>> agenda.due(5).tolist(), agenda.due(6).tolist(), agenda.due(7).tolist()
    ([1], [], [3])
    """

    def __init__(self, rows: int = 0) -> None:
        self._due = np.full(max(1, rows), NEVER, dtype=np.int32)
        # Only the open block of days has buckets: a far date costs one write, and a block is indexed when it
        # opens.
        self._buckets: dict[int, list[Rows]] = {}
        # Batches put since a day was last taken; indexed together, for sorting has a fixed cost.
        self._new: list[tuple[Rows, NDArray[np.int32]]] = []
        self._block_end: int | None = None
        self._taken: int | None = None

    def __len__(self) -> int:
        """Return how many rows are on a date."""
        return int(np.count_nonzero(self._due != NEVER))

    def _reserve(self, highest: int) -> None:
        grown = np.full(max(highest + 1, self._due.size + self._due.size // 2), NEVER, dtype=np.int32)
        grown[: self._due.size] = self._due
        self._due = grown

    def day_of(self, rows: Rows) -> NDArray[np.int32]:
        """Return the due day of each row, :data:`NEVER` where there is none."""
        rows = np.asarray(rows)
        inside = rows < self._due.size
        if inside.all():
            return self._due[rows]
        found = np.full(rows.size, NEVER, dtype=np.int32)
        found[inside] = self._due[rows[inside]]
        return found

    def put(self, rows: NDArray[np.integer], days: NDArray[np.integer] | int) -> None:
        """Set the due day of rows, replacing any they had. If a row is given twice, its last day holds.

        Parameters
        ----------
        rows : int array
            Row numbers.
        days : int or int array
            Day for each row, after the last day already taken.

        Raises
        ------
        ValueError
            If a day has already been taken: the row would never wake; or if a row number is negative.
        """
        batch: Rows = np.array(rows, dtype=np.intp)
        if batch.size == 0:
            return
        when: Days = np.asarray(days, dtype=np.int32).reshape(-1)
        if when.size != batch.size and when.size != 1:
            raise ValueError(f"{batch.size} rows were given {when.size} days")
        taken = NEVER if self._taken is None else self._taken
        low, high, first, last = _write(self._due, batch, when, taken)
        if low < 0:
            raise ValueError("a row number is negative")
        if first <= taken:
            raise ValueError(f"day {first} was already taken (up to {self._taken}): rows would not wake")
        if high >= self._due.size:
            self._reserve(high)
            _write(self._due, batch, when, taken)
        if self._block_end is None or first >= self._block_end:
            return
        if first == last:
            self._buckets.setdefault(first, []).append(batch)
            return
        if last >= self._block_end:
            near = when < self._block_end
            batch, when = batch[near], when[near]
        self._new.append((batch, when))

    def _index(self, rows: Rows, days: Days) -> None:
        """Put rows into the buckets of their days, all within the open block."""
        assert self._block_end is not None
        first = self._block_end - BLOCK
        ordered, starts = _by_day(rows, days, first)
        edges = starts.tolist()
        for number in np.flatnonzero(starts[1:] > starts[:-1]).tolist():
            chunk = ordered[edges[number] : edges[number + 1]]
            self._buckets.setdefault(first + number, []).append(chunk)

    def _open_block(self, day: int) -> None:
        """Index the dates from ``day`` on; every date before it must have been taken."""
        self._block_end = day + BLOCK
        rows, earliest = _within(self._due, day, self._block_end)
        if earliest < day:
            raise ValueError(f"day {earliest} holds rows and was left out")
        self._buckets = {}
        if rows.size:
            self._index(rows, self._due[rows])

    def cancel(self, rows: NDArray[np.integer]) -> None:
        """Take rows off the agenda; rows that are on no date stay so.

        Raises
        ------
        ValueError
            If a row number is negative.
        """
        if rows.size and _clear(self._due, np.asarray(rows, dtype=np.intp)) < 0:
            raise ValueError("a row number is negative")

    def due(self, day: int) -> Rows:
        """Take the rows due on a day, once each, in row order. Days must be taken in order, none left out.

        Raises
        ------
        ValueError
            If a day is taken twice, or one that holds rows was left out.
        """
        if self._taken is not None and day <= self._taken:
            raise ValueError(f"day {day} was already taken (up to {self._taken})")
        if self._new:
            put_rows, put_days = zip(*self._new, strict=True)
            self._index(np.concatenate(put_rows), np.concatenate(put_days))
            self._new = []
        if self._block_end is None or day >= self._block_end:
            self._open_block(day)
        elif self._taken is None or day > self._taken + 1:
            for missed in sorted(earlier for earlier in self._buckets if earlier < day):
                if any((self._due[chunk] == missed).any() for chunk in self._buckets.pop(missed)):
                    raise ValueError(f"day {missed} holds rows and was left out")
        self._taken = day
        chunks = self._buckets.pop(day, None)
        if not chunks:
            return np.empty(0, dtype=np.intp)
        rows = chunks[0] if len(chunks) == 1 else np.concatenate(chunks)
        return np.sort(_take(self._due, rows, day))

    def save(self) -> dict[str, Any]:
        """Return a copy of the dates; the index is made again from them."""
        return {"due": self._due.copy(), "taken": self._taken}

    def restore(self, saved: dict[str, Any]) -> None:
        """Put back what :meth:`save` returned."""
        self._due = saved["due"].copy()
        self._buckets = {}
        self._new = []
        self._block_end = None
        self._taken = saved["taken"]
