"""Where a curve known only from a few noisy runs crosses nought, and how sure that is.

A curve is known at some values of a lever, from the same replications at each: replication r has the same luck
everywhere, so each replication has a curve of its own and their mean is one too. Between two values of the lever
every curve is taken as straight.

**The crossing** is where the mean curve crosses nought. Since the luck is the same at every value, the mean is an
ordinary function, whose root Brent's method finds; this is the sample average approximation of stochastic root
finding.

**Its interval** holds every value of the lever at which Student's t over replications doesn't reject that the mean is
nought: what one reads off a chart where the 95% band of the curve meets the value asked for. Between two values of
the lever this is Fieller's theorem, a quadratic inequality that is solved exactly. Where noise is normal and the
curve straight between neighbouring values, such intervals hold the true root in 95 of 100 studies, however flat the
curve; a flat one gives an interval that runs to the end of what was looked at, and says so.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import stdtrit

from simulation.experiment.statistics import CONFIDENCE

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Crossing:
    """One place where the mean curve crosses nought.

    Parameters
    ----------
    at : float
        Value of the lever.
    low, high : float
        Ends of the 95% interval; NaN with a single replication.
    low_open, high_open : bool
        Whether the interval runs to that end of what was looked at and perhaps beyond it.
    rising : bool
        Whether the curve rises there.
    left, right : float
        Neighbouring values of the lever that were run.
    shared : bool
        Whether another crossing lies in the same interval, so that there may be neither.
    """

    at: float
    low: float
    high: float
    low_open: bool
    high_open: bool
    rising: bool
    left: float
    right: float
    shared: bool = False


def crossings(lever: Sequence[float] | Floats, gaps: Floats) -> list[Crossing]:
    """Return every place where the mean curve crosses nought, in order.

    Parameters
    ----------
    lever : sequence of float
        Values of the lever, rising.
    gaps : ndarray of float64, shape (values, replications)
        A measure less the value asked for. None may be NaN.

    Returns
    -------
    list of Crossing
        Empty if the mean has the same sign at every value. Wiggles of the mean within one interval are one crossing
        if it has changed sign after them.

    Raises
    ------
    ValueError
        If the values of the lever do not rise, or there are not as many as rows.

    Examples
    --------
    >>> import numpy as np
    >>> found = crossings([0, 1, 2], np.array([[-1.0, -2.0], [1.0, 0.0], [3.0, 2.0]]))
    >>> [(each.at, each.rising) for each in found]
    [(0.75, True)]
    """
    values = np.asarray(lever, dtype=np.float64)
    if len(values) != len(gaps) or not (np.diff(values) > 0).all():
        raise ValueError("values of the lever must rise, one a row")
    # What differs from nought by rounding alone would seem to cross it to and fro.
    gaps = np.where(np.abs(gaps) <= 1e-12 * np.abs(gaps).max(), 0.0, gaps)
    found = _of_mean(values, gaps.mean(axis=1))
    if gaps.shape[1] < 2:
        return found
    parts = not_rejected(values, gaps)
    named = [(_part_of(each.at, parts), each) for each in found]
    result: list[Crossing] = []
    for part, members in itertools.groupby(named, key=lambda pair: pair[0]):
        together = [each for _, each in members]
        if len(together) % 2:
            kept = [together[len(together) // 2]]
            kept = [replace(kept[0], rising=together[0].rising)]
        else:
            kept = [together[0], together[-1]]
        result += [
            replace(
                each,
                low=min(part[0], each.at),
                high=max(part[1], each.at),
                low_open=part[0] <= values[0],
                high_open=part[1] >= values[-1],
                shared=len(kept) > 1,
            )
            for each in kept
        ]
    return result


def _of_mean(values: Floats, mean: Floats) -> list[Crossing]:
    """Return where straight lines between the means cross nought; without intervals."""
    found = []
    signs = np.sign(mean)
    for place in range(len(values)):
        left, right = max(place - 1, 0), min(place + 1, len(values) - 1)
        if signs[place] == 0 and (place == 0 or signs[place - 1] != 0):
            found.append(_bare(values[place], mean[right] > mean[left], values[left], values[right]))
        if place < right and signs[place] * signs[right] < 0:
            share = mean[place] / (mean[place] - mean[right])
            at = values[place] + share * (values[right] - values[place])
            found.append(_bare(at, mean[right] > mean[place], values[place], values[right]))
    return found


def _bare(at: float, rising: bool, left: float, right: float) -> Crossing:
    return Crossing(float(at), math.nan, math.nan, False, False, bool(rising), float(left), float(right))


def _part_of(at: float, parts: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return the part that a crossing lies in; where every replication agrees exactly, the crossing itself."""
    for low, high in parts:
        # The mean is nought at a crossing up to a rounding error.
        slack = 1e-9 * max(abs(low), abs(high), 1e-300)
        if low - slack <= at <= high + slack:
            return low, high
    return at, at


def not_rejected(lever: Sequence[float] | Floats, gaps: Floats) -> list[tuple[float, float]]:
    """Return where Student's t over replications doesn't reject that the mean is nought.

    Parameters
    ----------
    lever, gaps
        See `crossings`; at least two replications.

    Returns
    -------
    list of (float, float)
        Parts of the range of the lever, in order, which don't touch.
    """
    values = np.asarray(lever, dtype=np.float64)
    replications = gaps.shape[1]
    quantile = float(stdtrit(replications - 1, 0.5 + CONFIDENCE / 2))
    factor = quantile**2 / replications
    parts: list[tuple[float, float]] = []
    for place in range(len(values) - 1):
        start, step = gaps[place], gaps[place + 1] - gaps[place]
        together = np.cov(np.stack([start, step]))
        # At a share w of the way: (mean of start + w mean of step)^2 <= t^2 / R x variance of (start + w step).
        curve = np.array(
            [
                step.mean() ** 2 - factor * together[1, 1],
                2 * (start.mean() * step.mean() - factor * together[0, 1]),
                start.mean() ** 2 - factor * together[0, 0],
            ]
        )
        for low, high in _at_most_nought(curve):
            width = values[place + 1] - values[place]
            # The ends of a stretch are values that were run, to the last digit.
            first = values[place + 1] if low == 1 else values[place] + low * width
            last = values[place + 1] if high == 1 else values[place] + high * width
            if parts and parts[-1][1] == first:
                parts[-1] = (parts[-1][0], float(last))
            else:
                parts.append((float(first), float(last)))
    return parts


def _at_most_nought(curve: Floats) -> list[tuple[float, float]]:
    """Return the parts of nought to one where a quadratic is at most nought."""
    roots = np.roots(np.trim_zeros(curve, "f")) if curve.any() else np.empty(0)
    within = sorted({float(root.real) for root in roots if abs(root.imag) < 1e-12 and 0 < root.real < 1})
    bounds = [0.0, *within, 1.0]
    parts: list[tuple[float, float]] = []
    for low, high in itertools.pairwise(bounds):
        if np.polyval(curve, (low + high) / 2) > 0:
            continue
        if parts and parts[-1][1] == low:
            parts[-1] = (parts[-1][0], high)
        else:
            parts.append((low, high))
    return parts


def refine(mean: Callable[[float], float], crossing: Crossing, tolerance: float, most: int) -> None:
    """Ask for the mean at values near a crossing until they lie close enough together.

    Parameters
    ----------
    mean : callable
        The mean curve; it remembers what it was asked for, and `crossings` then sees those values too.
    crossing : Crossing
        Found between two values that were run.
    tolerance : float
        Width within which the crossing should be known, in units of the lever.
    most : int
        Most values asked for.
    """
    if most < 1 or mean(crossing.left) * mean(crossing.right) >= 0:
        return
    brentq(mean, crossing.left, crossing.right, xtol=tolerance, rtol=1e-12, maxiter=most, disp=False)


def tolerance_for(crossing: Crossing, span: float) -> float:
    """Return how closely it is worth knowing a crossing: a quarter of half its interval, or a 500th of the range."""
    width = crossing.high - crossing.low
    return max(width / 8 if math.isfinite(width) else 0.0, span / 500)
