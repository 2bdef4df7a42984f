"""Columns that grow without losing a value."""

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.engine import Column, Table

COLUMNS = (
    Column("age", "int8", "years", "Age at sentence.", empty=-1),
    Column("hazard", "float64", "per day", "Accumulated hazard."),
)


@given(
    st.integers(1, 5),
    st.lists(st.integers(0, 40), max_size=8),
    st.lists(st.sampled_from(["age", "hazard"]), unique=True),
)
def test_growth_keeps_values_and_gives_new_rows_the_empty_value(
    capacity: int, additions: list[int], together: list[str]
) -> None:
    table, expected = Table("people", COLUMNS, capacity, together=(together,) if together else ()), []
    for value, count in enumerate(additions):
        rows = table.add(count)
        assert rows.tolist() == list(range(len(expected), len(expected) + count))
        assert (table.age[rows] == -1).all()
        assert not table.hazard[rows].any()
        table.age[rows] = value
        table.hazard[rows] = value / 7
        expected += [value] * count
    assert table.size == len(expected)
    assert table.age[: table.size].tolist() == expected
    assert table.hazard[: table.size].tolist() == [value / 7 for value in expected]
    assert table.age.dtype == np.int8
    assert table.age.size == table.hazard.size == table.capacity >= table.size


def saved_apart() -> dict[str, Any]:
    table = Table("people", COLUMNS)
    rows = table.add(10)
    table.age[rows] = np.arange(10)
    return table.save()


@pytest.mark.parametrize("together", [(), ("hazard", "age")])
@pytest.mark.parametrize("capacity", [1, 100])
def test_restored_into_a_table_of_any_capacity(capacity: int, together: tuple[str, ...]) -> None:
    """Where columns lie in memory shows neither in what is saved nor in what is restored."""
    table = Table("people", COLUMNS, together=(together,) if together else ())
    rows = table.add(10)
    table.age[rows] = np.arange(10)
    saved = table.save()
    table.age[:] = 0
    assert pickle.dumps(saved) == pickle.dumps(saved_apart())
    other = Table("people", COLUMNS, capacity, together=(together[:1],) if together else ())
    other.add(1)
    other.age[0] = 99
    other.restore(saved)
    assert other.size == 10
    assert other.age[:10].tolist() == list(range(10))
    new = other.add(200)
    assert (other.age[new] == -1).all()


def test_a_misspelt_column_is_an_error() -> None:
    with pytest.raises(AttributeError, match="agee"):
        _ = Table("people", COLUMNS).agee


@pytest.mark.parametrize("name", ["size", "add", "age"])
def test_a_name_already_taken_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="taken"):
        Table("people", [*COLUMNS, Column(name, "int8", "", "")])


def test_only_columns_can_be_kept_together() -> None:
    with pytest.raises(ValueError, match="no column is called agee"):
        Table("people", COLUMNS, together=[["agee"]])


def test_describe() -> None:
    assert next(iter(Table("people", COLUMNS).describe())) == ("age", "int8", "years", "Age at sentence.")
