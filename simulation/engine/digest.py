"""A day's events as one number, to find the day on which two runs first differ.

Every event becomes 64 scrambled bits of what happened, to whom, and a number that goes with it; the day's digest is
their sum. So it says which events there were and how many of each, not in which order a day's phases came to them, and
two days that differ in one event never have the same one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulation.engine.chance import Keys, purpose_number
from simulation.engine.compiled import AHEAD, compiled, compiled_inside, fetch_soon

_FIRST = np.uint64(0x9E3779B97F4A7C15)
_SECOND = np.uint64(0xBF58476D1CE4E5B9)
_THIRD = np.uint64(0x94D049BB133111EB)
_30, _27, _31 = np.uint64(30), np.uint64(27), np.uint64(31)

#: The number that goes with events that have none.
_NONE = np.zeros(1, dtype=np.int32)
#: Type of row numbers, which nearly all rows have: to ask costs less than to convert them.
_ROWS = np.dtype(np.intp)


@compiled_inside
def _bits(key: np.uint64, kind: np.uint64, number: int) -> np.uint64:
    """Scramble one event: no two numbers of the same event, and no two keys, give the same bits."""
    value = key * _FIRST + kind
    value = (value ^ (value >> _30)) * _SECOND + np.uint64(number)
    value = (value ^ (value >> _27)) * _THIRD
    return value ^ (value >> _31)


@compiled_inside
def stirred(value: np.uint64, word: np.uint64) -> np.uint64:
    """Scramble one more word into what has been scrambled: no two words give the same, nor any two values."""
    value = (value ^ (value >> _30)) * _SECOND + word
    value = (value ^ (value >> _27)) * _THIRD
    return value ^ (value >> _31)


@compiled
def _add(total: Keys, kind: np.uint64, keys: Keys, numbers: NDArray[np.int32]) -> None:
    """Add events to the total, numbers one for all or one each."""
    added = np.uint64(0)
    for at in range(keys.size):
        added += _bits(keys[at], kind, numbers[at if numbers.size > 1 else 0])
    total[0] += added


@compiled
def _add_of(
    total: Keys, kind: np.uint64, column: Keys, rows: NDArray[np.intp], numbers: NDArray[np.int32]
) -> None:
    """Add events of rows of a table, whose keys are in a column of it."""
    added = np.uint64(0)
    for at in range(rows.size):
        fetch_soon(column, rows[min(at + AHEAD, rows.size - 1)])
        added += _bits(column[rows[at]], kind, numbers[at if numbers.size > 1 else 0])
    total[0] += added


class _Kinds(dict[str, np.uint64]):
    """Numbers of kinds of event by name, each found when it is first asked for."""

    def __missing__(self, name: str) -> np.uint64:
        number = self[name] = np.uint64(purpose_number(name))
        return number


class DayDigest:
    """The digest of the present day's events.

    Examples
    --------
    >>> one, other = DayDigest(), DayDigest()
    >>> one.add("seen", np.array([7, 9], dtype=np.uint64))
    >>> other.add("seen", np.array([9], dtype=np.uint64))
    >>> other.add("seen", np.array([7], dtype=np.uint64))
    >>> one.close() == other.close()
    True
    """

    def __init__(self) -> None:
        #: The sum so far, in an array of one.
        self.total: Keys = np.zeros(1, dtype=np.uint64)
        self._kinds = _Kinds()

    def add(self, kind: str, keys: Keys, numbers: NDArray[np.int32] = _NONE) -> None:
        """Add events of one kind.

        Parameters
        ----------
        kind : str
            What happened.
        keys : uint64 array
            To whom.
        numbers : int32 array
            What goes with each event, or with all of them if it is one number.
        """
        _add(self.total, self._kinds[kind], np.ascontiguousarray(keys), numbers)

    def add_of(
        self, kind: str, column: Keys, rows: NDArray[Any], numbers: NDArray[np.int32] = _NONE
    ) -> None:
        """Add events of rows of a table; ``column`` holds the keys of all of them."""
        if rows.dtype is not _ROWS:
            rows = rows.astype(np.intp)
        _add_of(self.total, self._kinds[kind], column, rows, numbers)

    def note(self, kind: str, *values: NDArray[Any]) -> None:
        """Add whole numbers that belong to nobody, such as what accounts hold: which stands where counts as well."""
        for place, array in enumerate(values):
            numbers = np.asarray(array, dtype=np.int64).ravel()
            self.add(f"{kind} {place}", numbers.view(np.uint64), np.arange(numbers.size, dtype=np.int32))

    def close(self) -> str:
        """Return the day's digest, 16 hexadecimal digits, and begin the next day's."""
        found = f"{int(self.total[0]):016x}"
        self.total[0] = 0
        return found
