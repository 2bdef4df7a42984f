"""Which parameters drive a result: Morris's elementary effects, Sobol's indices, and rules of thumb.

Everything here works on points of the unit cube, one axis a parameter from the low end of its range to the high one,
and on what came out at each point. The designs and the indices are SALib's.

All points share their luck (replication r is the same luck at every point), so most of it cancels in an effect. What
is left is measured by making each step under more than one replication, see `luck_of_effects` and `luck_of_slopes`.
"""

from __future__ import annotations

import importlib
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from simulation.experiment.statistics import CONFIDENCE

Floats = npt.NDArray[np.float64]

LEVELS = 4
"""Levels of each parameter in Morris's design: both ends and two between."""

_RESAMPLES = 1000
_ABOVE = 1.6449
"""Of a normal distribution, the point below which 95% lies."""


class LibraryMissing(ImportError):
    """SALib, which makes the designs and the indices, is not installed."""


def salib(part: str) -> Any:
    """Import a part of SALib.

    Raises
    ------
    LibraryMissing
        Says how to install it.
    """
    try:
        return importlib.import_module(f"SALib.{part}")
    except ImportError as error:
        message = "Sensitivity needs the package SALib: python -m pip install -c constraints.txt -e '.[experiments]'"
        raise LibraryMissing(message) from error


def _problem(names: Sequence[str]) -> dict[str, Any]:
    return {"num_vars": len(names), "names": list(names), "bounds": [[0.0, 1.0]] * len(names)}


def morris_points(names: Sequence[str], trajectories: int, seed: int) -> Floats:
    """Return the points of Morris's design.

    Returns
    -------
    ndarray of float64, shape (trajectories * (parameters + 1), parameters)
        In each trajectory every parameter moves once, by two thirds of its range.
    """
    points: Floats = salib("sample.morris").sample(_problem(names), trajectories, num_levels=LEVELS, seed=seed % 2**32)
    # SALib leaves rounding errors of a unit in the last place, which would be other values in a run's name.
    return np.round(points * (LEVELS - 1)) / (LEVELS - 1)


def elementary_effects(points: Floats, outcomes: Floats) -> Floats:
    """Return the effect of each step, for the whole range.

    Parameters
    ----------
    points : ndarray of float64, shape (trajectories * (parameters + 1), parameters)
    outcomes : ndarray of float64, shape (points, ...)

    Returns
    -------
    ndarray of float64, shape (trajectories, parameters, ...)
        Change of the outcome over change of the parameter.
    """
    count = points.shape[1]
    shape = (len(points) // (count + 1), count + 1)
    steps = np.diff(points.reshape(*shape, count), axis=1)
    moved = np.abs(steps).argmax(axis=2)
    size = np.take_along_axis(steps, moved[..., None], axis=2)[..., 0]
    changes = np.diff(outcomes.reshape(*shape, *outcomes.shape[1:]), axis=1)
    effects = changes / size.reshape(size.shape + (1,) * (changes.ndim - 2))
    order = np.argsort(moved, axis=1).reshape(moved.shape + (1,) * (changes.ndim - 2))
    return np.take_along_axis(effects, np.broadcast_to(order, effects.shape), axis=1)


def as_if_even(points: Floats, places: Floats, outcomes: Floats) -> Floats:
    """Return outcomes as if every step had moved its parameter by two thirds of its range.

    A point says how many draws lie below a value, and most values lie near the middle of a range; so a step of the
    design moves a parameter by more or less than that. Each change is scaled by how far its step really went, and a
    parameter that drives the outcome along a straight line has the same effect at every step.

    Parameters
    ----------
    points : ndarray of float64
        See `morris_points`.
    places : ndarray of float64, shape as of points
        Where in its range each value lay, from 0 to 1.
    outcomes : ndarray of float64, shape (points, ...)

    Returns
    -------
    ndarray of float64, shape as of outcomes
        The first of each trajectory as it was. A step that rounding took away altogether counts as a whole one.
    """
    count = points.shape[1]
    shape = (len(points) // (count + 1), count + 1)
    asked = np.diff(points.reshape(*shape, count), axis=1)
    moved = np.abs(asked).argmax(axis=2)[..., None]
    asked = np.take_along_axis(asked, moved, axis=2)[..., 0]
    went = np.take_along_axis(np.diff(places.reshape(*shape, count), axis=1), moved, axis=2)[..., 0]
    factor = np.where(went != 0, asked / np.where(went != 0, went, 1), 1.0)
    along = outcomes.reshape(*shape, *outcomes.shape[1:])
    changes = np.diff(along, axis=1) * factor.reshape(factor.shape + (1,) * (along.ndim - 2))
    even = np.concatenate([along[:, :1], along[:, :1] + np.cumsum(changes, axis=1)], axis=1)
    return np.asarray(even.reshape(outcomes.shape))


@dataclass(frozen=True)
class Screened:
    """Morris's figures of each parameter; arrays of shape (parameters,).

    Parameters
    ----------
    mu : ndarray of float64
        Mean elementary effect: the change from the low end of the range to the high one.
    mu_star, low, high : ndarray of float64
        Mean of its size, with a 95% interval by resampling trajectories; NaN with one trajectory.
    sigma : ndarray of float64
        Standard deviation over trajectories: how far the effect depends on the other parameters (or on luck).
    """

    mu: Floats
    mu_star: Floats
    low: Floats
    high: Floats
    sigma: Floats


def screened(names: Sequence[str], points: Floats, outcomes: Floats, seed: int) -> Screened:
    """Sum up elementary effects.

    Parameters
    ----------
    names : sequence of str
        Parameters.
    points : ndarray of float64
        See `morris_points`.
    outcomes : ndarray of float64, shape (points,)
        Mean over replications at each point.
    seed : int
        Of the resampling.

    Returns
    -------
    Screened
    """
    if len(points) == len(names) + 1:
        # SALib's deviation and interval need two trajectories.
        effects = elementary_effects(points, outcomes)[0]
        unknown = np.full(len(names), np.nan)
        return Screened(effects, np.abs(effects), unknown, unknown, unknown)
    if not np.isfinite(outcomes).all():
        unknown = np.full(len(names), np.nan)
        return Screened(unknown, unknown, unknown, unknown, unknown)
    found = salib("analyze.morris").analyze(
        _problem(names),
        points,
        outcomes,
        num_levels=LEVELS,
        num_resamples=_RESAMPLES,
        conf_level=CONFIDENCE,
        seed=seed % 2**32,
    )
    mu_star, half = (np.asarray(found[name], dtype=np.float64) for name in ("mu_star", "mu_star_conf"))
    return Screened(
        np.asarray(found["mu"], dtype=np.float64),
        mu_star,
        np.maximum(mu_star - half, 0),
        mu_star + half,
        np.asarray(found["sigma"], dtype=np.float64),
    )


def luck_of_effects(points: Floats, outcomes: Floats) -> Floats:
    """Return the standard deviation that luck alone gives an elementary effect in one replication.

    Parameters
    ----------
    points : ndarray of float64
        See `morris_points`.
    outcomes : ndarray of float64, shape (points, replications)
        The same steps were made under each replication, so what differs between replications is luck.

    Returns
    -------
    ndarray of float64, shape (parameters,)
        Of each parameter its own, or that of all parameters together where this is larger: a few steps say little
        about one parameter. NaN with one replication.
    """
    if outcomes.shape[1] < 2:
        return np.full(points.shape[1], np.nan)
    own = elementary_effects(points, outcomes).var(axis=2, ddof=1).mean(axis=0)
    return np.sqrt(np.maximum(own, own.mean()))


def luck_floor(deviation: Floats, trajectories: int, replications: int) -> Floats:
    """Return the mean size of effects that luck alone stays below 19 times in 20.

    The mean of n sizes of a normal value of deviation s has mean s √(2/π) and deviation s √((1 − 2/π)/n); for n = 1
    the point below which 95% of sizes lie is 1.96 s.
    """
    each = deviation / math.sqrt(replications)
    if trajectories == 1:
        return 1.96 * each
    return each * (math.sqrt(2 / math.pi) + _ABOVE * math.sqrt((1 - 2 / math.pi) / trajectories))


def sobol_points(names: Sequence[str], samples: int, seed: int) -> Floats:
    """Return Saltelli's design: ``samples * (parameters + 2)`` points; samples a power of two."""
    sample = salib("sample.sobol").sample
    points: Floats = sample(_problem(names), samples, calc_second_order=False, seed=seed % 2**32)
    return points


@dataclass(frozen=True)
class Indices:
    """Sobol's indices of each parameter, with half-widths of 95% intervals; arrays of shape (parameters,).

    Parameters
    ----------
    first, first_half : ndarray of float64
        Share of the variance that the parameter gives by itself.
    total, total_half : ndarray of float64
        Share that it gives together with what it does through others.
    """

    first: Floats
    first_half: Floats
    total: Floats
    total_half: Floats


def sobol_indices(names: Sequence[str], outcomes: Floats, seed: int) -> Indices:
    """Return Sobol's indices; NaN where the outcome never moves or does not exist."""
    if not np.isfinite(outcomes).all() or outcomes.std() <= 1e-12 * max(1.0, float(np.abs(outcomes).max())):
        unknown = np.full(len(names), np.nan)
        return Indices(unknown, unknown, unknown, unknown)
    with warnings.catch_warnings():
        # A resample in which nothing varies has no indices; the interval is made of the others.
        warnings.simplefilter("ignore", RuntimeWarning)
        warnings.simplefilter("ignore", UserWarning)
        found = salib("analyze.sobol").analyze(
            _problem(names),
            outcomes,
            calc_second_order=False,
            num_resamples=_RESAMPLES,
            conf_level=CONFIDENCE,
            seed=seed % 2**32,
        )
    return Indices(*(np.asarray(found[name], dtype=np.float64) for name in ("S1", "S1_conf", "ST", "ST_conf")))


@dataclass(frozen=True)
class Slopes:
    """Straight line through outcomes; arrays of shape (columns,).

    Parameters
    ----------
    slope, half : ndarray of float64
        Change of the outcome for one more of each column, all others as they are, and half the 95% interval.
    fit : float
        Share of the variance of outcomes that lies on the line.
    """

    slope: Floats
    half: Floats
    fit: float


@dataclass(frozen=True)
class LuckOfSlopes:
    """Variance that luck gives slopes in one replication, and its degrees of freedom.

    Parameters
    ----------
    variance : ndarray of float64, shape (columns,)
    freedom : int
    """

    variance: Floats
    freedom: int

    def of_mean(self, replications: int) -> LuckOfSlopes:
        """Return that of slopes through means over replications."""
        return LuckOfSlopes(self.variance / replications, self.freedom)


def luck_of_slopes(columns: Floats, outcomes: Floats) -> LuckOfSlopes:
    """Measure what luck gives a slope: how far the slopes of one replication lie from those of another.

    Parameters
    ----------
    columns : ndarray of float64, shape (points, columns)
    outcomes : ndarray of float64, shape (points, replications)
        The same points under each replication.

    Returns
    -------
    LuckOfSlopes
        Of each column its own variance, or that of all together, for columns of the same spread, where this is larger:
        two or three replications say little about one column. NaN with one replication or where no line can be fitted.
    """
    replications, count = outcomes.shape[1], columns.shape[1]
    unknown = LuckOfSlopes(np.full(count, np.nan), 1)
    scale = columns.std(axis=0)
    if replications < 2 or (scale == 0).any() or not np.isfinite(outcomes).all():
        return unknown
    design = np.column_stack([(columns - columns.mean(axis=0)) / scale, np.ones(len(columns))])
    if np.linalg.matrix_rank(design) < design.shape[1]:
        return unknown
    slopes = np.linalg.lstsq(design, outcomes, rcond=None)[0][:count]
    own = slopes.var(axis=1, ddof=1)
    return LuckOfSlopes(np.maximum(own, own.mean()) / scale**2, (replications - 1) * count)


def straight_line(columns: Floats, outcomes: Floats, luck: LuckOfSlopes) -> Slopes:
    """Fit a straight line by least squares.

    Parameters
    ----------
    columns : ndarray of float64, shape (points, columns)
    outcomes : ndarray of float64, shape (points,)
    luck : LuckOfSlopes
        What luck gives the slopes by making a column matter more or less at all points alike. It can't be seen in the
        scatter about the line.

    Returns
    -------
    Slopes
        The interval is Student's t over the scatter of the points about the line (bends, what parameters do together,
        and luck that differs from point to point) and the luck of the slopes. It allows for scatter that is wider in
        some places than in others (the sandwich estimate with HC3 weights), and has the degrees of freedom of Welch and
        Satterthwaite. NaN where there are too few points, columns that can't be told apart, or no luck was measured.
    """
    points, count = columns.shape
    unknown = np.full(count, np.nan)
    scale = columns.std(axis=0)
    free = points - count - 1
    if free < 2 or not np.isfinite(outcomes).all() or (scale == 0).any():
        return Slopes(unknown, unknown, float("nan"))
    design = np.column_stack([(columns - columns.mean(axis=0)) / scale, np.ones(points)])
    if np.linalg.matrix_rank(design) < design.shape[1]:
        return Slopes(unknown, unknown, float("nan"))
    inverse = np.linalg.inv(design.T @ design)
    slopes = inverse @ design.T @ outcomes
    left = outcomes - design @ slopes
    leverage = np.minimum(np.einsum("ij,jk,ik->i", design, inverse, design), 1 - 1e-9)
    weighted = design * (left / (1 - leverage))[:, None]
    scatter = np.diag(inverse @ (weighted.T @ weighted) @ inverse)[:count]
    shaken = luck.variance * scale**2
    both = scatter + shaken
    freedom = both**2 / np.maximum(scatter**2 / free + shaken**2 / luck.freedom, 1e-300)
    half = stdtrit(np.maximum(freedom, 1), 0.5 + CONFIDENCE / 2) * np.sqrt(both)
    total = float(((outcomes - outcomes.mean()) ** 2).sum())
    fit = 1 - float((left**2).sum()) / total if total > 0 else float("nan")
    return Slopes(slopes[:count] / scale, half / scale, fit)
