"""The agenda: which rows are due on which day. One agenda for each kind of event.

The truth is one ``due`` day for each row; the chain of rows kept for each day is only an index to it. So a row has at
most one due day, ``put`` overwrites, and a date that was overwritten can never wake an old chain of events beside the
new one: its link is passed over, and used again, when its day comes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulation.engine.compiled import compiled

#: Due day of a row that is on no date.
NEVER = int(np.iinfo(np.int32).min)

#: Row numbers have the processor's own width: numpy looks up with them several times as fast as with narrower ones.
Rows = NDArray[np.intp]
Days = NDArray[np.int32]

#: A link of a chain is 64 numbers: the next link, how many rows it holds, the rows. The processor has to wait for each
#: link before it knows the next, so a link is a few times as long as what it fetches at once.
Links = NDArray[np.int32]
_NEXT, _USED, _FIRST, _ROOM = 0, 1, 2, 62
_END = -1

#: Whom a day without anybody wakes; one array for all, for nothing can be written to it.
NOBODY: Rows = np.empty(0, dtype=np.intp)


#: From so many rows on, and unless they lie further apart than this, marking them is faster than comparing them.
_MANY, _SPARSEST = 1000, 512
#: A de Bruijn sequence: multiplied by a power of two, its six highest bits are different for each.
_SPREAD = np.uint64(0x03F79D71B4CB0A89)
_PLACE_OF_BIT = np.zeros(64, dtype=np.int64)
for _place in range(64):
    _PLACE_OF_BIT[((int(_SPREAD) << _place) & (2**64 - 1)) >> 58] = _place


def each_once(rows: NDArray[np.integer]) -> Rows:
    """Return row numbers sorted, each once; the same as ``numpy.unique`` and many times as fast.

    Equal numbers can't be told apart, so any way of sorting them gives the same bytes.
    """
    ordered = np.array(rows, dtype=np.intp)
    if ordered.size > 1:
        ordered.sort()
        ordered = _without_repeats(ordered)
    return ordered


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


def in_order(rows: Rows) -> Rows:
    """Return row numbers of which there are no two alike in order; the same as ``numpy.sort``, faster for many."""
    if rows.size < _MANY:
        return np.sort(rows)
    low, high = int(rows.min()), int(rows.max())
    return _marked(rows, low, high) if high - low < _SPARSEST * rows.size else np.sort(rows)


@compiled
def _marked(rows: Rows, low: int, high: int) -> Rows:
    """Sort row numbers by marking each with one bit, in words of 64, and reading off the marks."""
    words = np.zeros((high - low) // 64 + 1, dtype=np.uint64)
    for row in rows:
        words[(row - low) >> 6] |= np.uint64(1) << np.uint64((row - low) & 63)
    ordered = np.empty_like(rows)
    size = 0
    for at in range(words.size):
        word = words[at]
        while word != 0:
            lowest = word & (~word + np.uint64(1))
            ordered[size] = low + at * 64 + _PLACE_OF_BIT[(lowest * _SPREAD) >> np.uint64(58)]
            size += 1
            word ^= lowest
    return ordered


@compiled
def _link(
    rows: Rows, days: NDArray[np.integer], taken: int, origin: int, due: Days, heads: Days, links: Links, free: Days
) -> bool:
    """Set the day of each row (one day for all, or one each) and add the row to that day's chain.

    ``heads`` is the first link of each day's chain; ``free`` the first link that was used and is free again, and the
    first that was never used. Returns False, and does nothing, if a row or day is out of bounds or links may run out.
    """
    low, high = rows[0], rows[0]
    first, last = days[0], days[0]
    for row in rows:
        low, high = min(low, row), max(high, row)
    for day in days:
        first, last = min(first, day), max(last, day)
    # At worst one link more for each day, and the full ones.
    more = min(rows.size, rows.size // _ROOM + last - first + 1)
    if low < 0 or high >= due.size or first <= taken or first < origin or last - origin >= heads.size:
        return False
    if free[1] + more > len(links):
        return False
    for at in range(rows.size):
        row, day = rows[at], days[at if days.size > 1 else 0]
        due[row] = day
        link = heads[day - origin]
        if link == _END or links[link, _USED] == _ROOM:
            if free[0] != _END:
                new = free[0]
                free[0] = links[new, _NEXT]
            else:
                new = free[1]
                free[1] += 1
            links[new, _NEXT] = link
            links[new, _USED] = 0
            heads[day - origin] = new
            link = new
        links[link, _FIRST + links[link, _USED]] = row
        links[link, _USED] += 1
    return True


@compiled
def _take(day: int, origin: int, due: Days, heads: Days, links: Links, free: Days) -> Rows:
    """Empty a day's chain: return the rows that are still due that day, each once, and take them off it."""
    size = 0
    link = heads[day - origin]
    while link != _END:
        size += links[link, _USED]
        link = links[link, _NEXT]
    taken = np.empty(size, dtype=np.intp)
    size = 0
    link = heads[day - origin]
    while link != _END:
        for place in range(_FIRST, _FIRST + links[link, _USED]):
            row = links[link, place]
            if due[row] == day:
                due[row] = NEVER
                taken[size] = row
                size += 1
        following = links[link, _NEXT]
        links[link, _NEXT] = free[0]
        free[0] = link
        link = following
    heads[day - origin] = _END
    return taken[:size]


@compiled
def _clear(rows: Rows, due: Days) -> int:
    """Take rows off their days; return the lowest row, for a negative one is a mistake."""
    low = 0
    for row in rows:
        low = min(low, row)
        if 0 <= row < due.size:
            due[row] = NEVER
    return low


@compiled
def _clear_each(rows: Rows, dues: tuple[Days, ...]) -> int:
    """Take rows off their days on several agendas; return the lowest row."""
    low = 0
    for due in dues:
        low = min(low, _clear(rows, due))
    return low


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
        self._taken: int | None = None
        # Where a day that is the same for all rows is handed to a loop.
        self._day = np.zeros(1, dtype=np.int32)
        self._no_chains()

    def _no_chains(self) -> None:
        # The first link of each day's chain; day `origin` is the first.
        self._origin = 0
        self._heads = np.full(512, _END, dtype=np.int32)
        self._links = np.empty((64, _FIRST + _ROOM), dtype=np.int32)
        self._free = np.array([_END, 0], dtype=np.int32)

    def __len__(self) -> int:
        """Return how many rows are on a date."""
        return int(np.count_nonzero(self._due != NEVER))

    def _reserve(self, high: int, first: int, last: int, more: int) -> None:
        """Make room for rows up to ``high``, days from ``first`` to ``last`` and so many rows more."""
        if high >= self._due.size:
            self._due = _grown(self._due, max(high + 1, self._due.size + self._due.size // 2), NEVER)
        if first < self._origin:
            before = self._origin - first
            self._heads = np.concatenate([np.full(before, _END, dtype=np.int32), self._heads])
            self._origin = first
        if last - self._origin >= self._heads.size:
            self._heads = _grown(self._heads, max(last - self._origin + 1, 2 * self._heads.size), _END)
        # At worst one link more for each day, and the full ones.
        needed = int(self._free[1]) + min(more, more // _ROOM + last - first + 1)
        if needed > len(self._links):
            links = np.empty((max(needed, 2 * len(self._links)), _FIRST + _ROOM), dtype=np.int32)
            links[: len(self._links)] = self._links
            self._links = links

    def day_of(self, rows: Rows) -> Days:
        """Return the due day of each row, :data:`NEVER` where there is none."""
        rows = np.asarray(rows)
        try:
            return self._due[rows]
        except IndexError:
            # Nothing was ever planned for the last rows of the table.
            inside = rows < self._due.size
        found = np.full(rows.size, NEVER, dtype=np.int32)
        found[inside] = self._due[rows[inside]]
        return found

    def days(self) -> Days:
        """Return the due day of every row there may be, to look at: a later :meth:`put` may change it or replace it."""
        days = self._due.view()
        days.flags.writeable = False
        return days

    def days_to_clear(self) -> Days:
        """Return the due day of every row there may be, for a loop that takes rows off theirs by writing :data:`NEVER`.

        It may do nothing else to them; a later :meth:`put` may replace the array.
        """
        return self._due

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
        if rows.size == 0:
            return
        batch: Rows = rows.astype(np.intp, copy=False)
        if isinstance(days, np.ndarray) and days.ndim == 1:
            when = days
        else:
            # One day for all.
            when = self._day
            when[0] = days
        if when.size != batch.size and when.size != 1:
            raise ValueError(f"{batch.size} rows were given {when.size} days")
        taken = NEVER if self._taken is None else self._taken
        if not _link(batch, when, taken, self._origin, self._due, self._heads, self._links, self._free):
            first, last = int(when.min()), int(when.max())
            if int(batch.min()) < 0:
                raise ValueError("a row number is negative")
            if self._taken is not None and first <= self._taken:
                raise ValueError(f"day {first} was already taken (up to {self._taken}): rows would not wake")
            self._reserve(int(batch.max()), first, last, batch.size)
            if not _link(batch, when, taken, self._origin, self._due, self._heads, self._links, self._free):
                raise ValueError(f"days {first} to {last} can't be kept")

    def cancel(self, rows: NDArray[np.integer]) -> None:
        """Take rows off the agenda; rows that are on no date stay so.

        Raises
        ------
        ValueError
            If a row number is negative.
        """
        if rows.size and _clear(rows.astype(np.intp, copy=False), self._due) < 0:
            raise ValueError("a row number is negative")

    def due(self, day: int) -> Rows:
        """Take the rows due on a day, once each, in row order. Days must be taken in order, none left out.

        Raises
        ------
        ValueError
            If a day is taken twice, or one that holds rows was left out.
        """
        before = self._origin - 1 if self._taken is None else self._taken
        if day != before + 1:
            self._check_left_out(day, before)
        self._taken = day
        number = day - self._origin
        if not 0 <= number < self._heads.size or self._heads.item(number) == _END:
            return NOBODY
        rows = self._rows_of(day)
        if rows.size >= _MANY:
            return in_order(rows)
        rows.sort()
        return rows

    def _check_left_out(self, day: int, before: int) -> None:
        """Refuse a day already taken, and one after days that hold rows: ``before`` is the last taken."""
        if day <= before and self._taken is not None:
            raise ValueError(f"day {day} was already taken (up to {self._taken})")
        for missed in range(before + 1, min(day, self._origin + self._heads.size)):
            if self._rows_of(missed).size:
                raise ValueError(f"day {missed} holds rows and was left out")

    def _rows_of(self, day: int) -> Rows:
        return _take(day, self._origin, self._due, self._heads, self._links, self._free)

    def save(self) -> dict[str, Any]:
        """Return a copy of the dates; the chains are made again from them."""
        return {"due": self._due.copy(), "taken": self._taken}

    def restore(self, saved: dict[str, Any]) -> None:
        """Put back what :meth:`save` returned."""
        due = saved["due"].copy()
        self._no_chains()
        self._due, self._taken = np.full(due.size, NEVER, dtype=np.int32), None
        rows = np.flatnonzero(due != NEVER)
        self.put(rows, due[rows])
        self._taken = saved["taken"]


def cancel_each(agendas: Iterable[Agenda], rows: NDArray[np.integer]) -> None:
    """Take rows off several agendas over the same table at once; see :meth:`Agenda.cancel`."""
    # The list inside is quicker than handing each over as it is found.
    if rows.size and _clear_each(rows.astype(np.intp, copy=False), tuple([agenda._due for agenda in agendas])) < 0:
        raise ValueError("a row number is negative")


def _grown(array: Days, size: int, empty: int) -> Days:
    larger = np.full(size, empty, dtype=np.int32)
    larger[: array.size] = array
    return larger
