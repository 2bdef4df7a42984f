"""Tables of people and things: one array a column, and a row number is the identity.

A table may grow, which replaces its arrays: never keep a column in a variable across a growth.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

#: Bytes that a processor fetches at once.
LINE = 64


@dataclass(frozen=True)
class Column:
    """One declared column.

    Parameters
    ----------
    name : str
        Attribute under which the column is reached.
    dtype : str
        Numpy type, as narrow as the values allow.
    unit : str
        Unit of a value, or the list that a code points into.
    meaning : str
        What the column says.
    empty : int or float
        Value of a new row.
    """

    name: str
    dtype: str
    unit: str
    meaning: str
    empty: float = 0


class Table:
    """A struct of arrays that can grow.

    Columns are reached as attributes and are as long as the table's *capacity*; rows beyond :attr:`size` hold
    the empty value. Use row numbers, or slice with ``[:table.size]``.

    Parameters
    ----------
    name : str
        Used in messages.
    columns : sequence of Column
        Declared once.
    capacity : int
        Rows allocated at first.
    together : sequence of sequences of str
        Groups of columns that are nearly always read for the same rows. The columns of a group lie side by side in
        memory, so that a few scattered rows cost one visit each and not one for every column. Nothing else changes.

    Examples
    --------
    >>> table = Table("people", [Column("age", "int8", "years", "Age at sentence.")], capacity=2)
    >>> rows = table.add(3)
    >>> table.age[rows] = 30
    >>> table.size, int(table.age[2])
    (3, 30)
    """

    def __init__(
        self, name: str, columns: Sequence[Column], capacity: int = 1024, together: Sequence[Sequence[str]] = ()
    ) -> None:
        self.name = name
        self.columns = tuple(columns)
        self.size = 0
        self.capacity = max(1, capacity)
        self._together = tuple(frozenset(group) for group in together)
        unknown = frozenset().union(*self._together) - {column.name for column in columns}
        if unknown:
            raise ValueError(f"table {name}: no column is called {', '.join(sorted(unknown))}")
        #: The columns of the first group, one record a row: a compiled loop reaches them all through one array, with
        #: ``records[row]["name"]``, for less than through an array each. Empty where there is no group.
        self.records: NDArray[Any] = np.empty(0, dtype=np.uint8)
        #: The columns of every group in the same way.
        self.groups: list[NDArray[Any]] = []
        taken = {*dir(self)}
        for column in columns:
            if column.name in taken:
                raise ValueError(f"table {name}: no column can be called {column.name!r}, the name is taken")
            taken.add(column.name)
        for column_name, array in self._allocate(self.capacity).items():
            setattr(self, column_name, array)

    def _allocate(self, capacity: int) -> dict[str, NDArray[Any]]:
        """Return empty arrays for every column; those kept together are views into new :attr:`records`."""
        arrays: dict[str, NDArray[Any]] = {}
        self.groups = []
        for number, group in enumerate(self._together):
            near = sorted(
                (column for column in self.columns if column.name in group),
                key=lambda column: -np.dtype(column.dtype).itemsize,
            )
            records = _records(near, capacity)
            if number == 0:
                self.records = records
            self.groups.append(records)
            for column in near:
                arrays[column.name] = records[column.name]
                if column.empty != 0:
                    arrays[column.name][:] = column.empty
        for column in self.columns:
            if column.name not in arrays:
                # The system hands out memory that is zero: it is fetched only once something is written to it.
                zero = column.empty == 0
                arrays[column.name] = (
                    np.zeros(capacity, dtype=column.dtype) if zero else np.full(capacity, column.empty, column.dtype)
                )
        return arrays

    if TYPE_CHECKING:
        # Tells type checkers that columns are arrays. For them alone: in a class that has this method Python reaches
        # every attribute in a slow way, whether it is found or not, and columns are reached thousands of times a day.
        def __getattr__(self, name: str) -> NDArray[Any]: ...

    def add(self, count: int) -> NDArray[np.intp]:
        """Append empty rows, growing the arrays when needed, and return their numbers.

        Keep the numbers in a variable: in ``table.age[table.add(3)] = 30`` Python looks up the column before
        it grows.
        """
        first = self.size
        self.extend(count)
        return np.arange(first, self.size, dtype=np.intp)

    def extend(self, count: int) -> None:
        """Append empty rows, as :meth:`add` does, whose numbers nobody needs."""
        self.size += count
        if self.size > self.capacity:
            self._grow(max(self.size, self.capacity + self.capacity // 2))

    def _grow(self, capacity: int) -> None:
        for name, grown in self._allocate(capacity).items():
            grown[: self.capacity] = getattr(self, name)
            setattr(self, name, grown)
        self.capacity = capacity

    def save(self) -> dict[str, Any]:
        """Return a copy of everything in the table."""
        return {
            "size": self.size,
            "columns": {
                column.name: getattr(self, column.name)[: self.size].copy() for column in self.columns
            },
        }

    def restore(self, saved: dict[str, Any]) -> None:
        """Put back what :meth:`save` returned."""
        self.size = saved["size"]
        if self.size > self.capacity:
            self.capacity = self.size
        for name, array in self._allocate(self.capacity).items():
            array[: self.size] = saved["columns"][name]
            setattr(self, name, array)

    def describe(self) -> Iterable[tuple[str, str, str, str]]:
        """Yield name, type, unit and meaning of each column, for the data dictionary."""
        for column in self.columns:
            yield column.name, column.dtype, column.unit, column.meaning


def _records(columns: Sequence[Column], capacity: int) -> NDArray[Any]:
    """Return an array of records, widest column first, none of which lies across more lines than it must."""
    sizes = [np.dtype(column.dtype).itemsize for column in columns]
    used = sum(sizes)
    width = -(-used // LINE) * LINE if used > LINE // 2 else 1 << (used - 1).bit_length()
    record = np.dtype(
        {
            "names": [column.name for column in columns],
            "formats": [column.dtype for column in columns],
            "offsets": np.cumsum([0, *sizes])[:-1].tolist(),
            "itemsize": width,
        }
    )
    raw = np.zeros(capacity * width + LINE, dtype=np.uint8)
    start = -raw.ctypes.data % LINE
    return raw[start : start + capacity * width].view(record)
