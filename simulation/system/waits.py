"""Draws turned into waits one by one, within compiled loops: the same bytes as for whole arrays.

:func:`value_at` is :func:`simulation.system.quantiles.draw` of one draw.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from simulation.engine.compiled import compiled, compiled_inside
from simulation.system.service import FAR

Array = NDArray[Any]


@compiled
def value_at(uniform: float, probabilities: Array, values: Array) -> float:
    """Return the value at a draw, straight lines between quantiles given as rising probabilities and their values."""
    last = probabilities.size - 1
    if uniform >= probabilities[last]:
        return values[last]
    if uniform < probabilities[0]:
        return values[0]
    at = 0
    while uniform >= probabilities[at + 1]:
        at += 1
    slope = (values[at + 1] - values[at]) / (probabilities[at + 1] - probabilities[at])
    return slope * (uniform - probabilities[at]) + values[at]


@compiled_inside
def day_of_wait(today: int, wait: float) -> int:
    """Return the day on which a wait that begins tomorrow ends; at most so far ahead that no run lasts as long."""
    return today + 1 + int(min(wait, float(FAR)))
