"""Whether a curve has a knee: a value of the lever from which on it is markedly steeper or flatter than before.

Three kinds of shape are laid through the curves of all replications: a straight line, smooth bends (a parabola, a
cubic, exponentials, powers and hyperbolas), and two straight lines that meet, at a knee that is looked for. Luck lifts
or tilts the whole curve of a replication, which says nothing of its shape, so each replication keeps a straight line of
its own and the shapes are judged by what is left. The shape with the lowest Bayesian information criterion (BIC) is
taken; so "no knee" is an answer. A knee is only said where, besides, the two lines leave no more than the scatter
between replications explains (the F test of lack of fit, 5%) and the change of slope is clear over replications
(Student's t, 95%).

The interval of the knee holds every place whose two lines fit no worse than luck explains (the F test, 5%), and what
leaving out each replication in turn gives (the jackknife, with Student's t): the wider end of each.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import fdtrc, fdtri, stdtrit

from simulation.experiment.statistics import CONFIDENCE, paired_difference

Floats = npt.NDArray[np.float64]

LEAST_VALUES = 5
"""Fewest values of the lever with which a knee can be looked for."""

_RATES = tuple(np.geomspace(0.5, 16, 12).tolist())
_EDGES = tuple(np.geomspace(0.02, 2, 12).tolist())
_POWERS = (0.2, 0.35, 0.5, 0.65, 0.8, 1.5, 2.5, 3.0, 4.0)
_PLACES, _CLOSE = 241, 60

STRAIGHT, BENT, KNEE, UNKNOWN = "straight", "bent", "knee", "unknown"
"""What a curve can be: a line, a smooth bend, two lines, or known at too few values or from a single replication."""


@dataclass(frozen=True)
class Shape:
    """The shape of a curve.

    Parameters
    ----------
    kind : str
        `STRAIGHT`, `BENT`, `KNEE` or `UNKNOWN`.
    at, low, high : float
        Value of the lever at the knee, with its 95% interval, cut to what was looked at; NaN without one.
    slope_before, slope_after : float
        Units of the measure to a unit of the lever on both sides of the knee; NaN without one.
    bic_line, bic_bend, bic_knee : float
        Information criterion of the line, of the best smooth bend and of the knee; the lowest is best. NaN where
        unknown.
    """

    kind: str
    at: float = math.nan
    low: float = math.nan
    high: float = math.nan
    slope_before: float = math.nan
    slope_after: float = math.nan
    bic_line: float = math.nan
    bic_bend: float = math.nan
    bic_knee: float = math.nan


def shape(lever: Sequence[float] | Floats, values: Floats) -> Shape:
    """Say whether a curve is straight, bends smoothly, or has a knee.

    Parameters
    ----------
    lever : sequence of float
        Values of the lever, rising.
    values : ndarray of float64, shape (values, replications)
        The measure.

    Returns
    -------
    Shape

    Examples
    --------
    >>> import numpy as np
    >>> lever = np.arange(9.0)
    >>> noise = np.array([[0.01, -0.01] * 4 + [0.01], [-0.01, 0.02] * 4 + [0.0]]).T
    >>> shape(lever, 3 * lever[:, None] + noise).kind
    'straight'
    >>> found = shape(lever, 3 * np.maximum(0, lever - 5)[:, None] + noise)
    >>> found.kind, round(found.at, 1)
    ('knee', 5.0)
    """
    x = np.asarray(lever, dtype=np.float64)
    count, replications = values.shape
    if count < LEAST_VALUES or replications < 2:
        return Shape(UNKNOWN)
    fit = _Fit(x)
    bent = fit.without_line(values)
    pieces = replications * (count - 2)
    # Rounding errors of a curve that is exactly straight are no noise to be explained.
    floor = pieces * (1e-9 * max(1e-300, float(np.abs(values).max()))) ** 2
    at, left = fit.knee(bent)
    bic_line = _bic(float((bent**2).sum()), pieces, 0, floor)
    bic_bend = min(_bic(fit.left_by(bend, bent), pieces, free, floor) for bend, free in fit.bends)
    bic_knee = _bic(left, pieces, 2, floor)
    criteria = (bic_line, bic_bend, bic_knee)
    changes = fit.changes(bent, at)
    sure = paired_difference(np.zeros_like(changes), changes)
    fits = _fits(bent, max(left, floor))
    if bic_knee < min(bic_line, bic_bend) and fits and not sure.low <= 0 <= sure.high:
        before, after = fit.slopes(values.mean(axis=1), at)
        low, high = _interval(fit, bent, at, max(left, floor))
        return Shape(KNEE, at, low, high, before, after, *criteria)
    kind = BENT if bic_bend < bic_line else STRAIGHT
    return Shape(kind, bic_line=bic_line, bic_bend=bic_bend, bic_knee=bic_knee)


def _smooth(z: Floats) -> Iterator[tuple[Floats, int]]:
    """Yield smooth bends over a lever from 0 to 1, as columns, with the number of numbers that each is chosen by."""
    yield (z**2)[:, None], 1
    yield np.stack([z**2, z**3], axis=1), 2
    for rate in _RATES:
        yield np.exp(rate * z)[:, None], 2
        yield np.exp(-rate * z)[:, None], 2
    for edge in _EDGES:
        yield 1 / (z + edge)[:, None], 2
        yield 1 / (1 + edge - z)[:, None], 2
    for power in _POWERS:
        yield (z**power)[:, None], 2
        yield ((1 - z) ** power)[:, None], 2


def _bic(left: float, pieces: int, parameters: int, floor: float) -> float:
    return pieces * math.log(max(left, floor) / pieces) + parameters * math.log(pieces)


def _fits(bent: Floats, left: float) -> bool:
    """Tell whether two lines leave no more than the scatter between replications explains."""
    count, replications = bent.shape
    scatter = float(((bent - bent.mean(axis=1, keepdims=True)) ** 2).sum())
    # Of the mean curve's places the straight part takes two, and the knee's place and its change of slope two more.
    places, pieces = count - 4, (replications - 1) * (count - 2)
    if places < 1 or scatter <= 0:
        return True
    return bool(fdtrc(places, pieces, max(0.0, left - scatter) / places / (scatter / pieces)) > 1 - CONFIDENCE)


def _interval(fit: _Fit, bent: Floats, at: float, left: float) -> tuple[float, float]:
    """Return the interval of the knee, cut to the values looked at."""
    replications = bent.shape[1]
    without = np.array([fit.knee(np.delete(bent, left_out, axis=1))[0] for left_out in range(replications)])
    error = math.sqrt((replications - 1) / replications * float(((without - without.mean()) ** 2).sum()))
    half = float(stdtrit(replications - 1, 0.5 + CONFIDENCE / 2)) * error
    pieces = replications * (len(fit.x) - 2) - 2
    worst = left * (1 + float(fdtri(1, pieces, CONFIDENCE)) / pieces)
    first, last = float(fit.x[1]), float(fit.x[-2])
    near = np.geomspace(1e-5, 0.1, _CLOSE) * np.ptp(fit.x)
    places = np.clip(np.concatenate([np.linspace(first, last, _PLACES), at - near, at + near]), first, last)
    kept = [float(place) for place in places if fit.left_by_knee(float(place), bent) <= worst]
    low, high = min([at - half, *kept]), max([at + half, *kept])
    return max(float(fit.x[0]), low), min(float(fit.x[-1]), high)


class _Fit:
    """Shapes over given values of a lever, each with its straight part taken out."""

    def __init__(self, x: Floats) -> None:
        self.x = x
        line = np.stack([np.ones_like(x), (x - x.mean()) / np.ptp(x)])
        self._straight, _ = np.linalg.qr(line.T)
        #: Smooth bends, of length one and across each other, and how many numbers each is chosen by.
        self.bends = [(self._own_part(columns), free) for columns, free in _smooth((x - x[0]) / np.ptp(x))]

    def without_line(self, values: Floats) -> Floats:
        """Take each column's own straight line away."""
        rest: Floats = values - self._straight @ (self._straight.T @ values)
        return rest

    def _own_part(self, columns: Floats) -> Floats:
        """Return what columns do besides a straight line, as columns of length one and across each other."""
        rest: Floats = np.linalg.qr(self.without_line(columns))[0]
        return rest

    def left_by(self, bend: Floats, bent: Floats) -> float:
        """Return the sum of squares that a bend, the same in every replication, leaves."""
        return float((bent**2).sum() - bent.shape[1] * ((bend.T @ bent.mean(axis=1)) ** 2).sum())

    def left_by_knee(self, at: float, bent: Floats) -> float:
        """Return the sum of squares that a knee at a place leaves."""
        return self.left_by(self._hinge(at)[:, None], bent)

    def _hinge(self, at: float) -> Floats:
        """Return what a change of slope at a place does, of length one."""
        hinge = self.without_line(np.maximum(0.0, self.x - at)[:, None])[:, 0]
        return hinge / np.linalg.norm(hinge)

    def knee(self, bent: Floats) -> tuple[float, float]:
        """Return the best place of a knee and the sum of squares it leaves.

        Between two neighbouring values a knee at k adds a multiple of (x - k) to all that lies beyond, so the best k
        there is found by least squares; or else it is one of the two values.
        """
        mean = bent.mean(axis=1)
        # Two values on each side at least, or a single odd one would make a knee.
        places = list(self.x[1:-1])
        for left, right in itertools.pairwise(self.x[1:-1]):
            beyond = (self.x >= right).astype(np.float64)
            pair = self.without_line(np.stack([beyond * self.x, beyond], axis=1))
            slope, lift = np.linalg.lstsq(pair, mean, rcond=None)[0]
            if slope and left < -lift / slope < right:
                places.append(-lift / slope)
        gains = [float(self._hinge(place) @ mean) ** 2 for place in places]
        best = int(np.argmax(gains))
        return float(places[best]), float((bent**2).sum() - bent.shape[1] * gains[best])

    def changes(self, bent: Floats, at: float) -> Floats:
        """Return how much each replication's slope changes at a place, up to a factor."""
        return self._hinge(at) @ bent

    def slopes(self, mean: Floats, at: float) -> tuple[float, float]:
        """Return the slopes of the mean before and after a place."""
        design = np.stack([np.ones_like(self.x), self.x, np.maximum(0.0, self.x - at)], axis=1)
        _, before, change = np.linalg.lstsq(design, mean, rcond=None)[0]
        return float(before), float(before + change)
