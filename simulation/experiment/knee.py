"""Whether a curve has a knee: a value of the lever from which on it is markedly steeper or flatter than before.

Three shapes are laid through the curves of all replications: a straight line, an even bend (a parabola), and two
straight lines that meet, at a knee that is looked for. Luck lifts or tilts the whole curve of a replication, which says
nothing of its shape, so each replication keeps a straight line of its own and the shapes are judged by what is left.
The shape with the lowest Bayesian information criterion (BIC) is taken; so "no knee" is an answer. A knee is only said
where the change of slope at it is also clear over replications (Student's t, 95%).

The interval of the knee is by leaving out each replication in turn (jackknife), with Student's t.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from simulation.experiment.statistics import CONFIDENCE, paired_difference

Floats = npt.NDArray[np.float64]

LEAST_VALUES = 5
"""Fewest values of the lever with which a knee can be looked for."""

STRAIGHT, BENT, KNEE, UNKNOWN = "straight", "bent", "knee", "unknown"
"""What a curve can be: a line, an even bend, two lines, or known at too few values or from a single replication."""


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
        Information criterion of each shape; the lowest is best. NaN where unknown.
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
    """Say whether a curve is straight, bends evenly, or has a knee.

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
    bic_bend = _bic(fit.left_by_bend(bent), pieces, 1, floor)
    bic_knee = _bic(left, pieces, 2, floor)
    criteria = (bic_line, bic_bend, bic_knee)
    changes = fit.changes(bent, at)
    sure = paired_difference(np.zeros_like(changes), changes)
    if bic_knee < min(bic_line, bic_bend) and not sure.low <= 0 <= sure.high:
        before, after = fit.slopes(values.mean(axis=1), at)
        low, high = _interval(fit, bent, at)
        return Shape(KNEE, at, low, high, before, after, *criteria)
    kind = BENT if bic_bend < bic_line else STRAIGHT
    return Shape(kind, bic_line=bic_line, bic_bend=bic_bend, bic_knee=bic_knee)


def _bic(left: float, pieces: int, parameters: int, floor: float) -> float:
    return pieces * math.log(max(left, floor) / pieces) + parameters * math.log(pieces)


def _interval(fit: _Fit, bent: Floats, at: float) -> tuple[float, float]:
    """Return the jackknife interval of the knee, cut to the values looked at."""
    replications = bent.shape[1]
    without = np.array([fit.knee(np.delete(bent, left_out, axis=1))[0] for left_out in range(replications)])
    error = math.sqrt((replications - 1) / replications * float(((without - without.mean()) ** 2).sum()))
    half = float(stdtrit(replications - 1, 0.5 + CONFIDENCE / 2)) * error
    return max(float(fit.x[0]), at - half), min(float(fit.x[-1]), at + half)


class _Fit:
    """Shapes over given values of a lever, each with its straight part taken out."""

    def __init__(self, x: Floats) -> None:
        self.x = x
        line = np.stack([np.ones_like(x), (x - x.mean()) / np.ptp(x)])
        self._straight, _ = np.linalg.qr(line.T)
        bend = self.without_line(((x - x.mean()) ** 2)[:, None])
        self._bend = bend / np.linalg.norm(bend)

    def without_line(self, values: Floats) -> Floats:
        """Take each column's own straight line away."""
        rest: Floats = values - self._straight @ (self._straight.T @ values)
        return rest

    def left_by_bend(self, bent: Floats) -> float:
        """Return the sum of squares that an even bend, the same in every replication, leaves."""
        mean = bent.mean(axis=1)
        return float((bent**2).sum() - bent.shape[1] * (self._bend[:, 0] @ mean) ** 2)

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
