"""Tables of people and things: one array a column, and a row number is the identity.

A table may grow, which replaces its arrays: never keep a column in a variable across a growth.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


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

    Examples
    --------
    >>> table = Table("people", [Column("age", "int8", "years", "Age at sentence.")], capacity=2)
    >>> rows = table.add(3)
    >>> table.age[rows] = 30
    >>> table.size, int(table.age[2])
    (3, 30)
    """

    def __init__(self, name: str, columns: Sequence[Column], capacity: int = 1024) -> None:
        self.name = name
        self.columns = tuple(columns)
        self.size = 0
        self.capacity = max(1, capacity)
        for column in columns:
            if hasattr(type(self), column.name) or column.name in self.__dict__:
                raise ValueError(f"table {name}: no column can be called {column.name!r}, the name is taken")
            setattr(self, column.name, np.full(self.capacity, column.empty, dtype=column.dtype))

    def __getattr__(self, name: str) -> NDArray[Any]:
        # Reached only for a column that does not exist; tells type checkers that columns are arrays.
        raise AttributeError(f"table has no column {name!r}")

    def add(self, count: int) -> NDArray[np.int32]:
        """Append empty rows, growing the arrays when needed, and return their numbers.

        Keep the numbers in a variable: in ``table.age[table.add(3)] = 30`` Python looks up the column before
        it grows.
        """
        first = self.size
        self.size += count
        if self.size > self.capacity:
            self._grow(max(self.size, self.capacity + self.capacity // 2))
        return np.arange(first, self.size, dtype=np.int32)

    def _grow(self, capacity: int) -> None:
        for column in self.columns:
            grown = np.full(capacity, column.empty, dtype=column.dtype)
            grown[: self.capacity] = getattr(self, column.name)
            setattr(self, column.name, grown)
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
        for column in self.columns:
            array = np.full(self.capacity, column.empty, dtype=column.dtype)
            array[: self.size] = saved["columns"][column.name]
            setattr(self, column.name, array)

    def describe(self) -> Iterable[tuple[str, str, str, str]]:
        """Yield name, type, unit and meaning of each column, for the data dictionary."""
        for column in self.columns:
            yield column.name, column.dtype, column.unit, column.meaning
