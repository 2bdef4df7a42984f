"""Draws turned into waits one by one, within compiled loops: the same bytes as for whole arrays.

:func:`minus_log_of` is :func:`simulation.engine.chance.minus_log` of one number, :func:`value_at` is
:func:`simulation.system.quantiles.draw` of one draw.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulation.engine.chance import minus_log
from simulation.engine.compiled import compiled
from simulation.system.service import FAR

Array = NDArray[Any]

#: Cells of the table of logarithms over one octave.
_CELLS = 4096
_LN2 = float.fromhex("0x1.62e42fefa39efp-1")
#: -ln(m) for m = 0.5 ... 1 in equal steps, from the engine's own logarithm.
LOGARITHMS = minus_log(np.arange(_CELLS, 2 * _CELLS + 1) / (2 * _CELLS))


@compiled
def minus_log_of(value: float, logarithms: Array) -> float:
    """Return -ln(x) for one x in (0, 1]; ``logarithms`` is :data:`LOGARITHMS`."""
    mantissa, exponent = math.frexp(value)
    at = (mantissa - 0.5) * (2 * _CELLS)
    cell = int(at + 0.5)
    ratio = (at - cell) / (cell + _CELLS)
    series = ratio * (1.0 - ratio * (0.5 - ratio * (1.0 / 3.0)))
    return logarithms[cell] - series - exponent * _LN2


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


@compiled
def day_of_wait(today: int, wait: float) -> int:
    """Return the day on which a wait that begins tomorrow ends; at most so far ahead that no run lasts as long."""
    return today + 1 + int(min(wait, float(FAR)))
