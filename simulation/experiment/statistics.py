"""How sure a difference is: paired differences, intervals and what pairing gained.

Replication r of every scenario meets the same people with the same luck, so the differences of the pairs are
what is analysed: Student's t over replications. These intervals say how much the answer would move with other
luck. They shrink with more replications and say nothing about whether the parameters are right.

Everything here works on arrays whose last axis is the replication.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

Floats = npt.NDArray[np.float64]

CONFIDENCE = 0.95
"""Share of intervals that should hold the true value."""


@dataclass(frozen=True)
class PairedDifference:
    """Differences of pairs, summed up; each field has the shape of the input without its last axis.

    Parameters
    ----------
    mean : ndarray of float64
        Mean of scenario minus baseline.
    low, high : ndarray of float64
        Ends of the 95% interval of the mean; NaN with fewer than two pairs.
    standard_error : ndarray of float64
        Standard error of the mean; NaN with fewer than two pairs.
    agree : ndarray of int64
        Pairs whose difference has the sign of the mean (or is zero as the mean is).
    """

    mean: Floats
    low: Floats
    high: Floats
    standard_error: Floats
    agree: npt.NDArray[np.int64]


@dataclass(frozen=True)
class VarianceRatio:
    """Variance of a difference of independent runs over that of paired runs, with an interval.

    Parameters
    ----------
    ratio : ndarray of float64
        How many times fewer pairs are needed than independent runs; infinite when pairs all give the same
        difference; NaN when nothing varies at all, or with fewer than two pairs.
    low, high : ndarray of float64
        Ends of the 95% interval; NaN when it can't be made (fewer than three pairs, or an infinite ratio).
    """

    ratio: Floats
    low: Floats
    high: Floats


def paired_difference(baseline: Floats, scenario: Floats) -> PairedDifference:
    """Sum up the differences of pairs with Student's t.

    Parameters
    ----------
    baseline, scenario : ndarray of float64, shape (..., replications)
        A measure under each scenario; position r of both shares its luck. NaN where a measure has no value.

    Returns
    -------
    PairedDifference
        NaN (and no agreement) wherever a pair has no value: a mean over those that happen to have one would
        be another measure.

    Examples
    --------
    >>> import numpy as np
    >>> result = paired_difference(np.array([10.0, 12.0, 11.0]), np.array([11.0, 14.0, 14.0]))
    >>> float(result.mean), round(float(result.low), 3), round(float(result.high), 3), int(result.agree)
    (2.0, -0.484, 4.484, 3)
    """
    differences = scenario - baseline
    pairs = differences.shape[-1]
    mean = differences.mean(axis=-1)
    if pairs < 2:
        unknown = np.full(mean.shape, np.nan)
        low = high = error = unknown
    else:
        error = _deviation(differences, _size(baseline, scenario)) / np.sqrt(pairs)
        half_width = stdtrit(pairs - 1, 0.5 + CONFIDENCE / 2) * error
        low, high = mean - half_width, mean + half_width
    agree = (np.sign(differences) == np.sign(mean)[..., None]).sum(axis=-1)
    return PairedDifference(mean, low, high, error, agree.astype(np.int64))


def variance_ratio(baseline: Floats, scenario: Floats) -> VarianceRatio:
    """Say how much pairing gained: variance if runs were independent, over variance of the paired difference.

    With b and s the baseline and the scenario, the ratio is (var b + var s) / var(s - b). Because the
    variances of s + b and of s - b add up to 2 (var b + var s), it equals (1 + var(s + b) / var(s - b)) / 2,
    so an interval for the ratio of the variances of the sums and of the differences gives one for the gain.
    Sums and differences are correlated unless both scenarios vary equally, which the interval of Pitman and
    Morgan allows for. It is exact for normally distributed pairs, and with five pairs it is wide: a factor of
    15 or so each way before the one is added. That width is the truth about five pairs.

    Parameters
    ----------
    baseline, scenario : ndarray of float64, shape (..., replications)
        A measure under each scenario, paired.

    Returns
    -------
    VarianceRatio
    """
    pairs = baseline.shape[-1]
    shape = baseline.shape[:-1]
    unknown = np.full(shape, np.nan)
    if pairs < 2:
        return VarianceRatio(unknown, unknown, unknown)
    sums = scenario + baseline
    differences = scenario - baseline
    size = _size(baseline, scenario)
    of_sums = _deviation(sums, size) ** 2
    of_differences = _deviation(differences, size) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        quotient = of_sums / of_differences
    ratio = (1 + quotient) / 2
    if pairs < 3:
        return VarianceRatio(ratio, unknown, unknown)
    centred_sums = sums - sums.mean(axis=-1, keepdims=True)
    centred_differences = differences - differences.mean(axis=-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = (centred_sums * centred_differences).sum(axis=-1) / np.sqrt(
            (centred_sums**2).sum(axis=-1) * (centred_differences**2).sum(axis=-1)
        )
    quantile = stdtrit(pairs - 2, 0.5 + CONFIDENCE / 2)
    spread = 1 + 2 * (1 - np.clip(correlation, -1, 1) ** 2) * quantile**2 / (pairs - 2)
    factor = spread + np.sqrt(spread**2 - 1)
    known = np.isfinite(quotient) & np.isfinite(factor)
    with np.errstate(invalid="ignore"):
        low = np.where(known, (1 + quotient / factor) / 2, np.nan)
        high = np.where(known, (1 + quotient * factor) / 2, np.nan)
    return VarianceRatio(ratio, low, high)


def _size(baseline: Floats, scenario: Floats) -> Floats:
    """Return the largest number in sight, which sets how big a rounding error can be."""
    size: Floats = np.maximum(np.abs(baseline), np.abs(scenario)).max(axis=-1)
    return size


def _deviation(values: Floats, size: Floats) -> Floats:
    """Return the standard deviation over the last axis, exactly zero where only rounding errors differ.

    Five differences of 0.1 have a mean that is not quite 0.1. Without this a difference that is the same in
    every pair would seem to vary, and pairing to gain a huge number of times instead of without limit.
    """
    deviation: Floats = values.std(axis=-1, ddof=1)
    return np.where(deviation <= 64 * np.finfo(np.float64).eps * size, 0.0, deviation)


def worst_tenth(numerator: Floats, denominator: Floats, scale: float, better: str) -> Floats:
    """Return a measure over the worst-off tenth of areas, chosen anew in each replication.

    Parameters
    ----------
    numerator, denominator : ndarray of float64, shape (areas, replications)
        Sums of counts by area.
    scale : float
        Multiplies the ratio.
    better : {"lower", "higher"}
        Which direction is an improvement; the other end is the worst.

    Returns
    -------
    ndarray of float64, shape (replications,)
        Ratio of sums over the worst areas (42 areas: the worst four). NaN with fewer than ten areas.
        The areas can be others in each scenario: it is the size of the worst that is compared, not one place.
    """
    areas, replications = numerator.shape
    if areas < 10:
        return np.full(replications, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        level = numerator / denominator
    badness = level if better == "lower" else -level
    # An area where nobody was counted has no level and can't be the worst.
    badness = np.where(np.isfinite(badness), badness, -np.inf)
    chosen = np.argsort(-badness, axis=0, kind="stable")[: max(1, round(areas / 10))]
    top = np.take_along_axis(numerator, chosen, axis=0).sum(axis=0)
    bottom = np.take_along_axis(denominator, chosen, axis=0).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(bottom > 0, scale * top / np.where(bottom > 0, bottom, 1), np.nan)
