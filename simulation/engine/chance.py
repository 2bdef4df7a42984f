"""Chance that belongs to a person and a purpose, not to an order of calls.

A draw is a pure function of (seed, replication, key, purpose, occurrence): no state, so the order in which
people are processed, how many workers share the work and which areas take part can't change a single draw.
The same person meets the same fortune in every scenario.

The mixing function is the finaliser of SplitMix64 (Steele, Lea and Flood, 2014; constants of Stafford's
mix 13), applied once to the key under a constant for seed and purpose, and once more with the occurrence.

Logarithms of the processor differ in the last bit from one machine to another. Exponential and normal values
are therefore made with additions, multiplications, divisions, square roots and tables only, and are the same
bytes on any machine with IEEE arithmetic.
"""

from __future__ import annotations

import hashlib
import math
from decimal import Decimal, localcontext
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from simulation.engine.compiled import compiled

Floats = NDArray[np.float64]
Keys = NDArray[np.uint64]

_GOLDEN = 0x9E3779B97F4A7C15
_OCCURRENCE = np.uint64(0xD1342543DE82EF95)
_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)
_30, _27, _31, _11 = (np.uint64(shift) for shift in (30, 27, 31, 11))
_MASK = (1 << 64) - 1
_TO_UNIT = 1.0 / (1 << 53)

#: Cells of the logarithm table over one octave.
_CELLS = 4096
#: Poisson counts are made one step at a time, and exp(-mean) must stay far from the smallest float.
_LARGEST_MEAN = 500


def mix(values: Keys) -> Keys:
    """Scramble 64-bit numbers: the finaliser of SplitMix64. Zero maps to zero, no two numbers to one."""
    values = values ^ (values >> _30)
    values *= _M1
    values ^= values >> _27
    values *= _M2
    values ^= values >> _31
    return values


@compiled
def uniform_of(key: np.uint64, constant: np.uint64, occurrence: int) -> float:
    """Return one draw in [0, 1), for compiled loops; ``constant`` is :meth:`Chance.constant` of the purpose."""
    value = key * np.uint64(_GOLDEN) + constant
    value = (value ^ (value >> _30)) * _M1
    value = (value ^ (value >> _27)) * _M2
    value = (value ^ (value >> _31)) + np.uint64(occurrence) * _OCCURRENCE
    value = (value ^ (value >> _30)) * _M1
    value = (value ^ (value >> _27)) * _M2
    return np.float64((value ^ (value >> _31)) >> _11) * _TO_UNIT


@compiled
def _uniforms(keys: Keys, constant: np.uint64, occurrence: NDArray[np.integer]) -> Floats:
    """Draw for each key and its occurrence."""
    draws = np.empty(keys.size, dtype=np.float64)
    for at in range(keys.size):
        draws[at] = uniform_of(keys[at], constant, occurrence[at])
    return draws


@compiled
def _uniforms_once(keys: Keys, constant: np.uint64, occurrence: int) -> Floats:
    """Draw for each key, the same occurrence for all."""
    draws = np.empty(keys.size, dtype=np.float64)
    for at in range(keys.size):
        draws[at] = uniform_of(keys[at], constant, occurrence)
    return draws


def _mix_one(value: int) -> int:
    value &= _MASK
    value = ((value ^ (value >> 30)) * int(_M1)) & _MASK
    value = ((value ^ (value >> 27)) * int(_M2)) & _MASK
    return value ^ (value >> 31)


@lru_cache(maxsize=4096)
def purpose_number(purpose: str) -> int:
    """Return the fixed number of a purpose: the first 8 bytes of BLAKE2b of its name.

    Numbered by name, so that adding a purpose moves no other.
    """
    return int.from_bytes(hashlib.blake2b(purpose.encode("utf-8"), digest_size=8).digest(), "little")


@lru_cache(maxsize=1)
def logarithms() -> Floats:
    """Return the table that :func:`minus_log_of` reads: -ln(m) for m = 0.5 ... 1 in equal steps, correctly rounded."""
    factor = np.zeros(2 * _CELLS + 1, dtype=np.int64)
    for number in range(2, 2 * _CELLS + 1):
        if factor[number] == 0:
            factor[number::number] = number
    factor_of = factor.tolist()
    with localcontext() as context:
        context.prec = 32
        found = [Decimal(0), Decimal(0), Decimal(2).ln()]
        for number in range(3, 2 * _CELLS + 1):
            if factor_of[number] == number:
                # A prime lies between two products, and the middle of their logarithms close to its own.
                after = factor_of[number + 1]
                middle = (found[number - 1] + found[after] + found[(number + 1) // after]) / 2
                found.append(middle + _inverse_of_tanh(2 * number * number - 1))
            else:
                found.append(found[factor_of[number]] + found[number // factor_of[number]])
        return np.array([float(found[2 * _CELLS] - found[_CELLS + i]) for i in range(_CELLS + 1)])


def _inverse_of_tanh(number: int) -> Decimal:
    """Return artanh(1 / number), for a large number, to thirty places: the first terms of its series."""
    power, square, place, found = 1 / Decimal(number), number * number, 1, Decimal(0)
    while power > _TOO_SMALL:
        found += power / place
        power /= square
        place += 2
    return found


_LN2 = float.fromhex("0x1.62e42fefa39efp-1")
_TOO_SMALL = Decimal("1e-30")


def minus_log(values: Floats) -> Floats:
    """Return -ln(x) for x in (0, 1]; relative error below 1e-12.

    The nearest entry of a table, and a short series for the small ratio that remains.

    Parameters
    ----------
    values : float64 array
        Numbers above 0 and at most 1.
    """
    values = np.asarray(values, dtype=np.float64)
    return _minus_logs(values.reshape(-1), logarithms()).reshape(values.shape)


@compiled
def minus_log_of(value: float, table: Floats) -> float:
    """Return -ln(x) for one x in (0, 1], for compiled loops; ``table`` is :func:`logarithms`."""
    mantissa, exponent = math.frexp(value)
    at = (mantissa - 0.5) * (2 * _CELLS)
    cell = int(at + 0.5)
    ratio = (at - cell) / (cell + _CELLS)
    series = ratio * (1.0 - ratio * (0.5 - ratio * (1.0 / 3.0)))
    return table[cell] - series - exponent * _LN2


@compiled
def _minus_logs(values: Floats, table: Floats) -> Floats:
    result = np.empty(values.size, dtype=np.float64)
    for number in range(values.size):
        result[number] = minus_log_of(values[number], table)
    return result


# Coefficients of P. J. Acklam's rational approximation to the inverse normal distribution (2003).
_A = (-3.969683028665376e1, 2.209460984245205e2, -2.759285104469687e2,
      1.383577518672690e2, -3.066479806614716e1, 2.506628277459239)
_B = (-5.447609879822406e1, 1.615858368580409e2, -1.556989798598866e2,
      6.680131188771972e1, -1.328068155288572e1)
_C = (-7.784894002430293e-3, -3.223964580411365e-1, -2.400758277161838,
      -2.549732539343734, 4.374664141464968, 2.938163982698783)
_D = (7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416)
_LOW = 0.02425


def inverse_normal(uniform: Floats) -> Floats:
    """Return standard normal quantiles of draws in [0, 1); relative error below 2e-9."""
    probability = np.clip(uniform, _TO_UNIT / 2, 1 - _TO_UNIT)
    centre = probability - 0.5
    square = centre * centre
    top = ((((_A[0] * square + _A[1]) * square + _A[2]) * square + _A[3]) * square + _A[4]) * square + _A[5]
    bottom = ((((_B[0] * square + _B[1]) * square + _B[2]) * square + _B[3]) * square + _B[4]) * square + 1.0
    result = top * centre / bottom
    tail = np.flatnonzero(np.abs(centre) > 0.5 - _LOW)
    if tail.size:
        upper = centre[tail] > 0
        mass = np.where(upper, 1.0 - probability[tail], probability[tail])
        root = np.sqrt(2.0 * minus_log(mass))
        top = ((((_C[0] * root + _C[1]) * root + _C[2]) * root + _C[3]) * root + _C[4]) * root + _C[5]
        bottom = (((_D[0] * root + _D[1]) * root + _D[2]) * root + _D[3]) * root + 1.0
        result[tail] = np.where(upper, -top / bottom, top / bottom)
    return result


@lru_cache(maxsize=1)
def _exponentials() -> Floats:
    """Return exp(-n) for n = 0 ... 500, correctly rounded."""
    with localcontext() as context:
        context.prec = 32
        once, found = Decimal(-1).exp(), [Decimal(1)]
        for _ in range(_LARGEST_MEAN):
            found.append(found[-1] * once)
        return np.array([float(each) for each in found])


def inverse_poisson(mean: Floats, uniform: Floats) -> NDArray[np.int64]:
    """Return Poisson counts: the smallest n with P(N <= n) > uniform.

    A larger mean never gives a smaller count for the same draw, so that more demand adds people and changes
    none. Probabilities are right to about 1e-13.

    Parameters
    ----------
    mean : float64 array
        Expected counts, at least 0 and at most 500.
    uniform : float64 array
        Draws in [0, 1), same shape.
    """
    mean = np.asarray(mean, dtype=np.float64)
    if mean.size and (mean.min() < 0 or mean.max() > _LARGEST_MEAN):
        raise ValueError(f"Poisson means must lie between 0 and {_LARGEST_MEAN}")
    # exp(-mean) from a table for the whole part and a series for the rest: no library exponential.
    whole = mean.astype(np.int64)
    rest = mean - whole
    term = np.ones_like(mean)
    series = np.ones_like(mean)
    for order in range(1, 20):
        term = term * rest / order
        series = series + term
    probability = _exponentials()[whole] / series
    count = np.zeros(mean.shape, dtype=np.int64)
    cumulative = probability.copy()
    open_ = np.flatnonzero(cumulative <= uniform)
    number = 0
    while open_.size and number < 2000:
        number += 1
        probability[open_] = probability[open_] * mean[open_] / number
        cumulative[open_] = cumulative[open_] + probability[open_]
        count[open_] = number
        # A tail that no longer adds anything has run out of floating point: stop there.
        exhausted = (probability[open_] < 1e-18) & (number > mean[open_])
        open_ = open_[(cumulative[open_] <= uniform[open_]) & ~exhausted]
    return count


class Chance:
    """Draws for one replication of one seed.

    Parameters
    ----------
    seed : int
        Seed of the study.
    replication : int
        Number of the replication.

    Examples
    --------
    >>> chance = Chance(seed=1, replication=0)
    >>> keys = np.array([7, 8], dtype=np.uint64)
    >>> bool((chance.uniform(keys, "example")[::-1] == chance.uniform(keys[::-1], "example")).all())
    True
    """

    def __init__(self, seed: int, replication: int = 0) -> None:
        self.seed = int(seed)
        self.replication = int(replication)
        self._base = _mix_one(_mix_one(self.seed + _GOLDEN) + self.replication * _GOLDEN + 1)
        self._constants: dict[str, np.uint64] = {}

    def constant(self, purpose: str) -> np.uint64:
        """Return the number that stands for seed, replication and purpose in every draw of it."""
        constant = self._constants.get(purpose)
        if constant is None:
            constant = np.uint64(_mix_one(self._base ^ purpose_number(purpose)))
            self._constants[purpose] = constant
        return constant

    def bits(self, keys: Keys, purpose: str, occurrence: NDArray[np.integer] | int = 0) -> Keys:
        """Return 64 random bits for each key.

        Parameters
        ----------
        keys : uint64 array
            Whose draw it is.
        purpose : str
            What it is for.
        occurrence : int or int array
            Which of several for the same purpose; never a calendar date.
        """
        values = mix(np.asarray(keys, dtype=np.uint64) * np.uint64(_GOLDEN) + self.constant(purpose))
        if isinstance(occurrence, int | np.integer):
            if occurrence:
                values += np.uint64((int(occurrence) * int(_OCCURRENCE)) & _MASK)
        else:
            values = values + np.asarray(occurrence).astype(np.uint64) * _OCCURRENCE
        return mix(values)

    def uniform(self, keys: Keys, purpose: str, occurrence: NDArray[np.integer] | int = 0) -> Floats:
        """Return a number in [0, 1) for each key, with 53 random bits."""
        if keys.ndim == 1 and keys.dtype == np.uint64:
            if isinstance(occurrence, int):
                return _uniforms_once(keys, self.constant(purpose), occurrence)
            if occurrence.shape == keys.shape:
                return _uniforms(keys, self.constant(purpose), occurrence)
        return (self.bits(keys, purpose, occurrence) >> _11).astype(np.float64) * _TO_UNIT

    def exponential(self, keys: Keys, purpose: str, occurrence: NDArray[np.integer] | int = 0) -> Floats:
        """Return unit-mean exponential values."""
        return minus_log(1.0 - self.uniform(keys, purpose, occurrence))

    def normal(self, keys: Keys, purpose: str, occurrence: NDArray[np.integer] | int = 0) -> Floats:
        """Return standard normal values."""
        return inverse_normal(self.uniform(keys, purpose, occurrence))

    def poisson(
        self, mean: Floats, keys: Keys, purpose: str, occurrence: NDArray[np.integer] | int = 0
    ) -> NDArray[np.int64]:
        """Return Poisson counts by inversion of one draw for each key."""
        return inverse_poisson(mean, self.uniform(keys, purpose, occurrence))

    def spread(
        self,
        low: NDArray[np.integer] | int,
        high: NDArray[np.integer] | int,
        keys: Keys,
        purpose: str,
        occurrence: NDArray[np.integer] | int = 0,
    ) -> NDArray[np.int64]:
        """Return whole numbers from ``low`` to ``high``, both included, equally likely."""
        width = np.asarray(high) - np.asarray(low) + 1
        return np.asarray(low) + (self.uniform(keys, purpose, occurrence) * width).astype(np.int64)
