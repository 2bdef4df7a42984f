"""The agenda: which rows are due on which day. One agenda for each kind of event.

The truth is one ``due`` day for each row; the buckets are only an index to it, kept for the next days alone.
So a row has at most one due day, ``put`` overwrites, and a date that was overwritten can never wake an old
chain of events beside the new one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Due day of a row that is on no date.
NEVER = np.iinfo(np.int32).min

#: Row numbers have the processor's own width: numpy looks up with them several times as fast as with narrower ones.
Rows = NDArray[np.intp]

#: Days indexed at a time; at most 256.
BLOCK = 64


def each_once(rows: Rows) -> Rows:
    """Return row numbers sorted, each once; the same as ``numpy.unique`` and many times as fast.

    Equal numbers can't be told apart, so any way of sorting them gives the same bytes.
    """
    rows = np.sort(rows)
    new = rows[1:] != rows[:-1]
    return rows if new.all() else rows[np.concatenate(([True], new))]


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

    def _reserve(self, rows: Rows) -> None:
        highest = int(rows.max())
        if int(rows.min()) < 0:
            raise ValueError("a row number is negative")
        if highest >= self._due.size:
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
        when: NDArray[np.int32] = np.asarray(days, dtype=np.int32)
        first_day, last_day = int(when.min()), int(when.max())
        if self._taken is not None and first_day <= self._taken:
            raise ValueError(f"day {first_day} was already taken (up to {self._taken}): rows would not wake")
        self._reserve(batch)
        self._due[batch] = when
        if self._block_end is None or first_day >= self._block_end:
            return
        if last_day >= self._block_end:
            near = when < self._block_end
            batch, when = batch[near], when[near]
        if first_day == last_day:
            self._buckets.setdefault(first_day, []).append(batch)
        else:
            self._new.append((batch, when))

    def _index(self, rows: Rows, days: NDArray[np.int32]) -> None:
        """Put rows into the buckets of their days."""
        # Small numbers are sorted by counting, several times as fast.
        order = np.argsort((days - days.min()).astype(np.uint8), kind="stable")
        sorted_days, sorted_rows = days[order], rows[order]
        cuts = np.flatnonzero(sorted_days[1:] != sorted_days[:-1]) + 1
        first = 0
        for last in [*cuts.tolist(), rows.size]:
            self._buckets.setdefault(int(sorted_days[first]), []).append(sorted_rows[first:last])
            first = last

    def _open_block(self, day: int) -> None:
        """Index the dates from ``day`` on; every date before it must have been taken."""
        late = np.flatnonzero((self._due < day) & (self._due != NEVER))
        if late.size:
            raise ValueError(f"day {int(self._due[late].min())} holds rows and was left out")
        self._block_end = day + BLOCK
        rows = np.flatnonzero((self._due >= day) & (self._due < self._block_end))
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
        rows = np.asarray(rows)
        if rows.size and int(rows.min()) < 0:
            raise ValueError("a row number is negative")
        self._due[rows[rows < self._due.size]] = NEVER

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
        rows = each_once(rows[self._due[rows] == day])
        self._due[rows] = NEVER
        return rows

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
