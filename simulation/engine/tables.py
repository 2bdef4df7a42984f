"""Tables of people and things: one array a column, and a row number is the identity.

A table may grow, which replaces its arrays: never keep a column in a variable across a growth.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

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
    together : sequence of str
        Columns that are nearly always read for the same rows. They lie side by side in memory, so that a few
        scattered rows cost one visit each and not one for every column. Nothing else changes.

    Examples
    --------
    >>> table = Table("people", [Column("age", "int8", "years", "Age at sentence.")], capacity=2)
    >>> rows = table.add(3)
    >>> table.age[rows] = 30
    >>> table.size, int(table.age[2])
    (3, 30)
    """

    def __init__(
        self, name: str, columns: Sequence[Column], capacity: int = 1024, together: Sequence[str] = ()
    ) -> None:
        self.name = name
        self.columns = tuple(columns)
        self.size = 0
        self.capacity = max(1, capacity)
        unknown = set(together) - {column.name for column in columns}
        if unknown:
            raise ValueError(f"table {name}: no column is called {', '.join(sorted(unknown))}")
        self._together = frozenset(together)
        #: The columns kept together, one record a row: a compiled loop reaches them all through one array, with
        #: ``records[row]["name"]``, for less than through an array each. Empty where there are none.
        self.records: NDArray[Any] = np.empty(0, dtype=np.uint8)
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
        near = [column for column in self.columns if column.name in self._together]
        near.sort(key=lambda column: -np.dtype(column.dtype).itemsize)
        if near:
            used = sum(np.dtype(column.dtype).itemsize for column in near)
            width = -(-used // LINE) * LINE
            record = np.dtype(
                {
                    "names": [column.name for column in near],
                    "formats": [column.dtype for column in near],
                    "offsets": np.cumsum([0] + [np.dtype(c.dtype).itemsize for c in near])[:-1].tolist(),
                    "itemsize": width,
                }
            )
            raw = np.zeros(capacity * width + LINE, dtype=np.uint8)
            start = -raw.ctypes.data % LINE
            self.records = raw[start : start + capacity * width].view(record)
            arrays = {column.name: self.records[column.name] for column in near}
            for column in near:
                arrays[column.name][:] = column.empty
        for column in self.columns:
            if column.name not in self._together:
                arrays[column.name] = np.full(capacity, column.empty, dtype=column.dtype)
        return arrays

    def __getattr__(self, name: str) -> NDArray[Any]:
        # Reached only for a column that does not exist; tells type checkers that columns are arrays.
        raise AttributeError(f"table has no column {name!r}")

    def add(self, count: int) -> NDArray[np.intp]:
        """Append empty rows, growing the arrays when needed, and return their numbers.

        Keep the numbers in a variable: in ``table.age[table.add(3)] = 30`` Python looks up the column before
        it grows.
        """
        first = self.size
        self.size += count
        if self.size > self.capacity:
            self._grow(max(self.size, self.capacity + self.capacity // 2))
        return np.arange(first, self.size, dtype=np.intp)

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
