"""Putting a few numbers in order within compiled loops, for less than a call from outside costs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulation.engine.compiled import AHEAD, compiled, compiled_inside, fetch_soon

#: How far apart numbers are compared, in turn (M. Ciura, 2001).
_GAPS = np.array([23, 10, 4, 1], dtype=np.int64)
#: More numbers than this are sorted by their digits: to compare them costs more, for no comparison can be foretold.
_FEW = 40
#: A digit has so many bits.
_BITS, _DIGITS = 7, 1 << 7


@compiled_inside
def put_into(there: NDArray[Any], numbers: NDArray[Any]) -> None:
    """Write numbers into another array, which has room for them, from its beginning.

    In a compiled loop ``there[:] = numbers`` does the same, but the message for arrays that don't fit takes longer to
    compile than most loops.
    """
    for at in range(numbers.size):
        there[at] = numbers[at]


@compiled
def put_in_order(numbers: NDArray[np.int64]) -> None:
    """Sort whole numbers where they are; equal ones can't be told apart."""
    if numbers.size > _FEW:
        _put_in_order_by_digits(numbers)
        return
    for gap in _GAPS:
        for at in range(gap, numbers.size):
            number, place = numbers[at], at
            while place >= gap and numbers[place - gap] > number:
                numbers[place] = numbers[place - gap]
                place -= gap
            numbers[place] = number


@compiled_inside
def _put_in_order_by_digits(numbers: NDArray[np.int64]) -> None:
    """Sort whole numbers where they are by their last digit, then the one before it, and so on."""
    low, high = numbers[0], numbers[0]
    for number in numbers:
        low, high = min(low, number), max(high, number)
    there, other = numbers, np.empty(numbers.size, dtype=np.int64)
    begins = np.empty(_DIGITS, dtype=np.int64)
    shift, aside = 0, False
    while (high - low) >> shift != 0:
        begins[:] = 0
        for number in there:
            begins[((number - low) >> shift) & (_DIGITS - 1)] += 1
        before = 0
        for digit in range(_DIGITS):
            many = begins[digit]
            begins[digit] = before
            before += many
        for number in there:
            digit = ((number - low) >> shift) & (_DIGITS - 1)
            other[begins[digit]] = number
            begins[digit] += 1
        there, other = other, there
        shift, aside = shift + _BITS, not aside
    if aside:
        put_into(numbers, there)


@compiled_inside
def put_in_order_of(rows: NDArray[np.int64], owner: NDArray[np.integer]) -> None:
    """Sort rows where they are in the order of their owners, those of one owner in row order."""
    width, high = 0, 0
    for row in rows:
        high = max(high, row)
    while high >> width != 0:
        width += 1
    for at in range(rows.size):
        fetch_soon(owner, rows[min(at + AHEAD, rows.size - 1)])
        rows[at] |= np.int64(owner[rows[at]]) << width
    put_in_order(rows)
    for at in range(rows.size):
        rows[at] &= (1 << width) - 1


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
