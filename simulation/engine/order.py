"""Putting a few numbers in order within compiled loops, for less than a call from outside costs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulation.engine.compiled import AHEAD, compiled, fetch_soon

#: How far apart numbers are compared, in turn (M. Ciura, 2001).
_GAPS = np.array([1750, 701, 301, 132, 57, 23, 10, 4, 1], dtype=np.int64)


@compiled
def put_in_order(numbers: NDArray[np.int64]) -> None:
    """Sort whole numbers where they are; equal ones can't be told apart."""
    for gap in _GAPS:
        for at in range(gap, numbers.size):
            number, place = numbers[at], at
            while place >= gap and numbers[place - gap] > number:
                numbers[place] = numbers[place - gap]
                place -= gap
            numbers[place] = number


@compiled
def put_in_order_of(rows: NDArray[np.int64], owner: NDArray[np.integer]) -> None:
    """Sort rows where they are in the order of their owners, those of one owner in row order."""
    for at in range(rows.size):
        fetch_soon(owner, rows[min(at + AHEAD, rows.size - 1)])
        rows[at] |= np.int64(owner[rows[at]]) << 32
    put_in_order(rows)
    for at in range(rows.size):
        rows[at] &= 0xFFFFFFFF


@compiled
def grouped(
    rows: NDArray[np.intp], group: NDArray[np.int8], groups: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Sort rows by a small number by counting, else in their order; return them and where each group begins."""
    begins = np.zeros(groups + 1, dtype=np.intp)
    for at in range(rows.size):
        begins[group[at] + 1] += 1
    for at in range(groups):
        begins[at + 1] += begins[at]
    place = begins.copy()
    ordered = np.empty_like(rows)
    for at in range(rows.size):
        ordered[place[group[at]]] = rows[at]
        place[group[at]] += 1
    return ordered, begins
