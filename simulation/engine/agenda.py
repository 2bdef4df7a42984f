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

from simulation.engine.compiled import AHEAD, FAR_AHEAD, compiled, compiled_inside, fetch_soon, lowest_bit

#: Due day of a row that is on no date.
NEVER = int(np.iinfo(np.int32).min)

#: Row numbers have the processor's own width: numpy looks up with them several times as fast as with narrower ones.
Rows = NDArray[np.intp]
Days = NDArray[np.int32]

#: A link of a chain is 64 numbers: where the link before it begins, and rows. The processor has to wait for each link
#: before it knows the next, so a link is a few times as long as the 16 numbers that it fetches at once.
Links = NDArray[np.int32]
_LINK = 64
#: Where a chain ends: the first link is never used.
_END = 0
#: Numbers before the days of an agenda's chains: the first link that was used and is free again, the first that was
#: never used, and the day of the first chain. The rest is, for each day, the place where its next row will be written;
#: the chain has rows if that isn't 0, and its last link is full where that is the beginning of a link.
_FREE, _UNUSED, _ORIGIN, _CHAINS = 0, 1, 2, 3

#: Whom a day without anybody wakes; one array for all, for nothing can be written to it.
NOBODY: Rows = np.empty(0, dtype=np.intp)

_ONE, _LOW_SIX = np.uint64(1), 63
#: Words of 64 bits.
Words = NDArray[np.uint64]
#: Type of row numbers. Nearly all rows have this very one: to ask costs less than to convert what needs no converting.
_ROWS = np.dtype(np.intp)


class _Board:
    """A board on which row numbers are marked, to be read off in order; all agendas share one.

    It has a bit for each row, in words of 64, and a bit for each word in which there is a mark. Between two uses
    nothing is marked, so that sorting costs no more than the rows themselves and a look at a few words.
    """

    def __init__(self) -> None:
        self.rows = 0
        self.reserve(1 << 16)

    def reserve(self, rows: int) -> None:
        """Make room for row numbers below ``rows``."""
        if rows <= self.rows:
            return
        self.rows = rows
        self.marks = np.zeros((rows >> 6) + 1, dtype=np.uint64)
        self.words = np.zeros((rows >> 12) + 1, dtype=np.uint64)
        #: Where what is read off is written.
        self.found: Rows = np.empty(rows + 1, dtype=np.intp)


_BOARD = _Board()


@compiled_inside
def _mark(row: int, marks: Words, words: Words) -> None:
    """Mark a row number on the board."""
    marks[row >> 6] |= _ONE << np.uint64(row & _LOW_SIX)
    words[row >> 12] |= _ONE << np.uint64((row >> 6) & _LOW_SIX)


@compiled_inside
def _read_off(low: int, high: int, marks: Words, words: Words, found: Rows) -> int:
    """Write the rows marked, which lie from ``low`` to ``high``, to ``found`` in order; return how many, and unmark."""
    size = 0
    for at in range(low >> 12, (high >> 12) + 1):
        word = words[at]
        words[at] = 0
        while word != 0:
            place = at * 64 + lowest_bit(word)
            word &= word - _ONE
            rest = marks[place]
            marks[place] = 0
            while rest != 0:
                found[size] = place * 64 + lowest_bit(rest)
                rest &= rest - _ONE
                size += 1
    return size


@compiled
def _each_once(rows: Rows, marks: Words, words: Words, found: Rows) -> int:
    """Write rows to ``found`` in order, each once; return how many, or -1 if a row isn't on the board."""
    low, high = rows[0], rows[0]
    for row in rows:
        low, high = min(low, row), max(high, row)
    if low < 0 or high >> 6 >= marks.size:
        return -1
    for row in rows:
        _mark(row, marks, words)
    return _read_off(low, high, marks, words, found)


def each_once(rows: NDArray[np.integer]) -> Rows:
    """Return row numbers sorted, each once; the same as ``numpy.unique`` and many times as fast."""
    if rows.size < 2:
        return np.array(rows, dtype=np.intp)
    batch: Rows = np.ascontiguousarray(rows, dtype=np.intp)
    found = _each_once(batch, _BOARD.marks, _BOARD.words, _BOARD.found)
    if found < 0:
        return np.unique(batch)
    return _BOARD.found[:found].copy()


@compiled
def _link(
    rows: NDArray[np.integer], days: NDArray[np.integer], taken: int, due: Days, links: Links, chains: Days
) -> bool:
    """Set the day of each row (one day for all, or one each) and add the row to that day's chain.

    Returns False, and does nothing, if a row or day is out of bounds or links may run out.
    """
    low, high = rows[0], rows[0]
    first, last = days[0], days[0]
    for row in rows:
        low, high = min(low, row), max(high, row)
    for day in days:
        first, last = min(first, day), max(last, day)
    # At worst one link more for each day, and the full ones.
    more = min(rows.size, rows.size // (_LINK - 1) + last - first + 1)
    before = _CHAINS - chains[_ORIGIN]
    if low < 0 or high >= due.size or first <= taken or first + before < _CHAINS or last + before >= chains.size:
        return False
    if (chains[_UNUSED] + more) * _LINK > links.size:
        return False
    each = 1 if days.size > 1 else 0
    for at in range(rows.size):
        fetch_soon(due, rows[min(at + FAR_AHEAD, rows.size - 1)])
        row, day = rows[at], days[at * each]
        due[row] = day
        place = chains[day + before]
        if place & _LOW_SIX == 0:
            place = _new_link(place, links, chains)
        links[place] = row
        chains[day + before] = place + 1
    return True


@compiled_inside
def _new_link(place: int, links: Links, chains: Days) -> int:
    """Begin another link of a chain that is empty or full up to a place; return where its first row goes."""
    new = chains[_FREE]
    if new != _END:
        chains[_FREE] = links[new]
    else:
        new = chains[_UNUSED] * _LINK
        chains[_UNUSED] += 1
    links[new] = place - _LINK if place != _END else _END
    return new + 1


@compiled
def _take(
    day: int,
    due: Days,
    links: Links,
    chains: Days,
    marks: Words,
    words: Words,
    found: Rows,
) -> int:
    """Empty a day's chain: write the rows that are still due that day to ``found`` in order, and take them off it.

    Returns how many they are, each once.
    """
    number = day - chains[_ORIGIN] + _CHAINS
    end = chains[number]
    chains[number] = _END
    low, high = due.size, 0
    while end != _END:
        link = (end - 1) & ~_LOW_SIX
        before = links[link]
        # Asked for while this link is gone through. The first link is never used, and may hold anything.
        if before != _END:
            for place in range(before + 1, before + _LINK):
                fetch_soon(due, links[place])
        for place in range(link + 1, end):
            row = links[place]
            if due[row] == day:
                due[row] = NEVER
                _mark(row, marks, words)
                low, high = min(low, row), max(high, row)
        links[link] = chains[_FREE]
        chains[_FREE] = link
        # The links before the last one are full.
        end = before + _LINK if before != _END else _END
    return _read_off(low, high, marks, words, found)


@compiled
def _clear(rows: NDArray[np.integer], due: Days) -> int:
    """Take rows off their days; return the lowest row, for a negative one is a mistake."""
    low = 0
    for at in range(rows.size):
        fetch_soon(due, rows[min(at + AHEAD, rows.size - 1)])
        row = rows[at]
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
        _BOARD.reserve(self._due.size)

    def _no_chains(self) -> None:
        self._origin = 0
        self._chains = np.full(_CHAINS + 512, _END, dtype=np.int32)
        self._chains[_UNUSED] = 1
        self._links = np.empty(64 * _LINK, dtype=np.int32)

    def __len__(self) -> int:
        """Return how many rows are on a date."""
        return int(np.count_nonzero(self._due != NEVER))

    def _make_room(self, rows: int) -> None:
        """Let there be days for at least so many rows."""
        if rows > self._due.size:
            self._due = _grown(self._due, max(rows, self._due.size + self._due.size // 2), NEVER)
            _BOARD.reserve(self._due.size)

    def _reserve(self, high: int, first: int, last: int, more: int) -> None:
        """Make room for rows up to ``high``, days from ``first`` to ``last`` and so many rows more."""
        self._make_room(high + 1)
        chains = self._chains
        if first < self._origin:
            before = np.full(self._origin - first, _END, dtype=np.int32)
            chains = np.concatenate([chains[:_CHAINS], before, chains[_CHAINS:]])
            chains[_ORIGIN] = self._origin = first
        needed = last - self._origin + _CHAINS + 1
        self._chains = chains if needed <= chains.size else _grown(chains, max(needed, 2 * chains.size), _END)
        # At worst one link more for each day, and the full ones.
        needed = (int(chains[_UNUSED]) + min(more, more // (_LINK - 1) + last - first + 1)) * _LINK
        if needed > self._links.size:
            links = np.empty(max(needed, 2 * self._links.size), dtype=np.int32)
            links[: self._links.size] = self._links
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

    def days(self, rows: int = 0) -> Days:
        """Return the due day of every row there may be, to look at: a later :meth:`put` may change it or replace it.

        There are at least ``rows`` of them, for tables that have grown since anything was put.
        """
        self._make_room(rows)
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
        if rows.dtype is not _ROWS:
            rows = rows.astype(np.intp)
        if isinstance(days, np.ndarray) and days.ndim == 1:
            when: NDArray[np.integer] = days
            if when.size != rows.size and when.size != 1:
                raise ValueError(f"{rows.size} rows were given {when.size} days")
        else:
            # One day for all.
            when = self._day
            when[0] = days
        taken = NEVER if self._taken is None else self._taken
        if not _link(rows, when, taken, self._due, self._links, self._chains):
            first, last = int(when.min()), int(when.max())
            if int(rows.min()) < 0:
                raise ValueError("a row number is negative")
            if first <= taken:
                raise ValueError(f"day {first} was already taken (up to {self._taken}): rows would not wake")
            self._reserve(int(rows.max()), first, last, rows.size)
            if not _link(rows, when, taken, self._due, self._links, self._chains):
                raise ValueError(f"days {first} to {last} can't be kept")

    def cancel(self, rows: NDArray[np.integer]) -> None:
        """Take rows off the agenda; rows that are on no date stay so.

        Raises
        ------
        ValueError
            If a row number is negative.
        """
        if rows.size == 0:
            return
        if rows.dtype is not _ROWS:
            rows = rows.astype(np.intp)
        if _clear(rows, self._due) < 0:
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
        number = day - self._origin + _CHAINS
        if not _CHAINS <= number < self._chains.size or self._chains.item(number) == _END:
            return NOBODY
        return self._rows_of(day)

    def _check_left_out(self, day: int, before: int) -> None:
        """Refuse a day already taken, and one after days that hold rows: ``before`` is the last taken."""
        if day <= before and self._taken is not None:
            raise ValueError(f"day {day} was already taken (up to {self._taken})")
        for missed in range(before + 1, min(day, self._origin + self._chains.size - _CHAINS)):
            if self._rows_of(missed).size:
                raise ValueError(f"day {missed} holds rows and was left out")

    def _rows_of(self, day: int) -> Rows:
        board = _BOARD
        size = _take(day, self._due, self._links, self._chains, board.marks, board.words, board.found)
        return board.found[:size].copy()

    def save(self) -> dict[str, Any]:
        """Return a copy of the dates; the chains are made again from them."""
        return {"due": self._due.copy(), "taken": self._taken}

    def restore(self, saved: dict[str, Any]) -> None:
        """Put back what :meth:`save` returned."""
        due = saved["due"].copy()
        self._no_chains()
        self._due, self._taken = np.full(due.size, NEVER, dtype=np.int32), None
        _BOARD.reserve(due.size)
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
