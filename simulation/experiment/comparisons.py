"""Many scenarios at once: intervals that hold together, adjusted tests, and which scenario does best.

Of twenty intervals one misses the truth, and the scenario that came out best was in part lucky. For each headline
measure, over the same months for all scenarios:

- *Against the baseline.* Paired t intervals at the level of Bonferroni: with k scenarios each at 1 - 0.05 / k, so that
  all k hold the truth together at least 95% of the time. P values are adjusted by Holm's step-down (1979).
- *Each with the best of the others* (multiple comparisons with the best; Hsu 1984), and the ranks: from the intervals
  of all pairs, the baseline among them, again paired and at the level of Bonferroni. A rank begins after those that are
  clearly better and ends before those clearly worse, so that all ranks hold together at least 95% of the time.
- *Probability of being best*: how often it is best among draws from what the runs leave open, a multivariate t with
  the means and covariances of the replications. For two scenarios it is one less the one-sided P of the paired t test.

Scenarios share their luck, so their means are correlated in ways that nobody knows. Dunnett's and Tukey's intervals
take them to be independent, and the procedure of Nelson & Matejcik (1995) their covariances to follow a pattern;
Bonferroni's hold whatever the correlation, which is why Law (*Simulation Modeling and Analysis*, on comparing
alternative system configurations) uses them with common random numbers. They are wider than need be. All of it is about
luck alone, not about the parameters.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import gammaincinv, stdtr, stdtrit

from simulation.engine.chance import Chance
from simulation.experiment.counts import Floats
from simulation.experiment.differences import Arm, Schema, frame_of
from simulation.experiment.statistics import CONFIDENCE, paired_difference
from simulation.experiment.windows import Window
from simulation.measures.registry import HEADLINES, MEASURE_BY_NAME, Measure

COMPARISONS = "comparisons.csv"
"""File of simultaneous comparisons; only with two scenarios or more beside the baseline, and two pairs or more."""

DRAWS = 10_000
"""Draws for the probability of being best: its standard error of drawing is at most 0.005."""

COMPARISONS_SCHEMA: Schema = {
    "scenario": pl.String,
    "compared_with": pl.String,
    "measure": pl.String,
    "title": pl.String,
    "unit": pl.String,
    "better": pl.String,
    "window": pl.String,
    "first_month": pl.String,
    "last_month": pl.String,
    "replications": pl.Int64,
    "value": pl.Float64,
    "difference": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "simultaneous_low": pl.Float64,
    "simultaneous_high": pl.Float64,
    "p": pl.Float64,
    "adjusted_p": pl.Float64,
    "rank": pl.Int64,
    "rank_low": pl.Int64,
    "rank_high": pl.Int64,
    "from_best": pl.Float64,
    "from_best_low": pl.Float64,
    "from_best_high": pl.Float64,
    "probability_best": pl.Float64,
}
"""Columns of comparisons.csv."""


def comparison_table(arms: Iterable[Arm], window: Window) -> pl.DataFrame:
    """Compare all scenarios of a study with the baseline, and with one another.

    Parameters
    ----------
    arms : iterable of Arm
        The baseline first; each is let go before the next is asked for.
    window : Window
        The months compared: the same for all, so that they can be ranked.

    Returns
    -------
    polars.DataFrame
        Columns of `COMPARISONS_SCHEMA`, a row for each headline measure and scenario. The baseline has a row, with a
        rank and without a difference. Measures of which neither direction is better have no ranks. A measure that has
        no value in some run has no figures.
    """
    rows = []
    measures = [MEASURE_BY_NAME[name] for name in HEADLINES]
    read = {arm.name: [arm.counts.levels(measure, window)[0] for measure in measures] for arm in arms}
    names, levels = list(read), np.array(list(read.values())).swapaxes(0, 1)
    ranked = [number for number, measure in enumerate(measures) if measure.better != "neither"]
    badness = np.array([_badness(measures[number], levels[number]) for number in ranked])
    chances = dict(zip(ranked, probability_best(badness), strict=True))
    for number, measure in enumerate(measures):
        figures = _against_baseline(levels[number])
        if number in chances:
            for row, more in zip(figures, _among_all(measure, levels[number], chances[number]), strict=True):
                row.update(more)
        rows += [
            {
                "scenario": name,
                "compared_with": names[0],
                "measure": measure.name,
                "title": measure.title,
                "unit": measure.unit,
                "better": measure.better,
                "window": window.name,
                "first_month": window.months[0],
                "last_month": window.months[-1],
                "replications": levels.shape[-1],
                **dict.fromkeys(list(COMPARISONS_SCHEMA)[10:]),
                **row,
            }
            for name, row in zip(names, figures, strict=True)
        ]
    return frame_of(rows, COMPARISONS_SCHEMA)


def _badness(measure: Measure, levels: Floats) -> Floats:
    """Return levels with the better one lower."""
    return levels if measure.better == "lower" else -levels


def _against_baseline(levels: Floats) -> list[dict[str, Any]]:
    """Return the figures of each scenario against the first, levels of shape (scenarios, replications)."""
    differences = simultaneous(np.broadcast_to(levels[0], levels[1:].shape), levels[1:])
    found = zip(*(differences[name] for name in differences), strict=True)
    rows: list[dict[str, Any]] = [{}, *(dict(zip(differences, figures, strict=True)) for figures in found)]
    return [{"value": value, **row} for value, row in zip(levels.mean(axis=-1), rows, strict=True)]


def simultaneous(baseline: Floats, scenarios: Floats) -> dict[str, Floats]:
    """Compare several scenarios with the baseline so that all intervals hold together.

    Parameters
    ----------
    baseline, scenarios : ndarray of float64, shape (..., scenarios, replications)
        A measure; position r shares its luck.

    Returns
    -------
    dict of str to ndarray of float64
        ``difference``, ``low`` and ``high`` (95% each), ``simultaneous_low`` and ``simultaneous_high`` (95% together),
        ``p`` (two-sided) and ``adjusted_p`` (Holm), each of the shape of the input without its last axis.

    Examples
    --------
    >>> import numpy as np
    >>> found = simultaneous(np.zeros((2, 3)), np.array([[1.0, 2.0, 3.0], [1.0, -1.0, 0.5]]))
    >>> found["p"].round(3).tolist(), found["adjusted_p"].round(3).tolist()
    ([0.074, 0.808], [0.148, 0.808])
    """
    paired = paired_difference(baseline, scenarios)
    freedom = scenarios.shape[-1] - 1
    quantile = _quantile(freedom, paired.mean.shape[-1])
    p = _two_sided(paired.mean, paired.standard_error, freedom)
    return {
        "difference": paired.mean,
        "low": paired.low,
        "high": paired.high,
        "simultaneous_low": paired.mean - quantile * paired.standard_error,
        "simultaneous_high": paired.mean + quantile * paired.standard_error,
        "p": p,
        "adjusted_p": holm(p),
    }


def _quantile(freedom: int, comparisons: int) -> float:
    """Return the quantile of Student's t for two-sided intervals that hold together, after Bonferroni."""
    return float(stdtrit(freedom, 1 - (1 - CONFIDENCE) / (2 * comparisons)))


def _two_sided(mean: Floats, error: Floats, freedom: int) -> Floats:
    """Return P values of no difference: one where no pair differs, nought where all differ by the same."""
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.where((mean == 0) & (error == 0), 0.0, np.abs(mean) / error)
    p: Floats = 2 * stdtr(freedom, -distance)
    return p


def holm(p: Floats) -> Floats:
    """Adjust P values along the last axis by Holm's step-down: each is small only if all smaller ones are."""
    count = p.shape[-1]
    order = np.argsort(p, axis=-1, kind="stable")
    stepped = np.take_along_axis(p, order, axis=-1) * (count - np.arange(count))
    stepped = np.minimum(np.maximum.accumulate(stepped, axis=-1), 1.0)
    adjusted = np.empty_like(p)
    np.put_along_axis(adjusted, order, stepped, axis=-1)
    return adjusted


def _among_all(measure: Measure, levels: Floats, chances: Floats) -> list[dict[str, Any]]:
    """Return where each scenario stands among all."""
    if np.isnan(levels).any():
        return [{}] * len(levels)
    better = 1 if measure.better == "lower" else -1
    found = ranks(_badness(measure, levels))
    low, high = better * found["gap_low"], better * found["gap_high"]
    return [
        {
            "rank": int(found["rank"][row]),
            "rank_low": int(found["rank_low"][row]),
            "rank_high": int(found["rank_high"][row]),
            "from_best": better * found["gap"][row],
            "from_best_low": min(low[row], high[row]),
            "from_best_high": max(low[row], high[row]),
            "probability_best": chances[row],
        }
        for row in range(len(levels))
    ]


def ranks(badness: Floats) -> dict[str, Floats]:
    """Rank scenarios, with intervals of the ranks and of the distance to the best of the others.

    Parameters
    ----------
    badness : ndarray of float64, shape (..., scenarios, replications)
        A measure of which less is better; position r shares its luck.

    Returns
    -------
    dict of str to ndarray
        ``rank`` (1 is best; equal ones share), ``rank_low``, ``rank_high``, and ``gap`` with ``gap_low`` and
        ``gap_high``: the scenario less the best of the others, below zero where it is best. Intervals of all scenarios
        hold together.

    Examples
    --------
    >>> import numpy as np
    >>> found = ranks(np.array([[1.0, 1.1, 0.9, 1.0], [5.0, 5.2, 5.0, 5.1], [1.1, 0.9, 1.0, 1.0]]))
    >>> found["rank_low"].tolist(), found["rank_high"].tolist()
    ([1, 3, 1], [2, 3, 2])
    """
    count = badness.shape[-2]
    first, second = np.broadcast_arrays(badness[..., None, :, :], badness[..., :, None, :])
    # Position [i, j] is scenario i less scenario j.
    paired = paired_difference(first, second)
    width = _quantile(badness.shape[-1] - 1, count * (count - 1) // 2) * paired.standard_error
    low, high = paired.mean - width, paired.mean + width
    itself = np.eye(count, dtype=bool)

    def worst(values: Floats) -> Floats:
        found: Floats = np.where(itself, -np.inf, values).max(axis=-1)
        return found

    return {
        "rank": 1 + (paired.mean > 0).sum(axis=-1),
        "rank_low": 1 + (low > 0).sum(axis=-1),
        "rank_high": count - (high < 0).sum(axis=-1),
        "gap": worst(paired.mean),
        "gap_low": worst(low),
        "gap_high": worst(high),
    }


def probability_best(badness: Floats) -> Floats:
    """Return how probable it is that each scenario is the best, as far as luck is concerned.

    The means are drawn from a multivariate t: the centre is what was seen, the spread the covariance of the mean of the
    replications, with one degree of freedom fewer than replications. It takes replications to be normal and nothing to
    be known beforehand; where all scenarios are expected to be nearly alike it is too sure.

    Parameters
    ----------
    badness : ndarray of float64, shape (measures, scenarios, replications)
        Measures of which less is better; position r shares its luck.

    Returns
    -------
    ndarray of float64, shape (measures, scenarios)
        Adds up to one for each measure; scenarios that can't be told apart in a draw share it. NaN where a value is
        missing. Always the same for the same values: the draws have a fixed seed.

    Examples
    --------
    >>> import numpy as np
    >>> values = np.array([[[1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [77.0, 78.0, 79.0]]])
    >>> probability_best(values).round(2).tolist()
    [[0.5, 0.5, 0.0]]
    """
    measures, scenarios, pairs = badness.shape
    mean = badness.mean(axis=-1)
    centred = (badness - mean[..., None]).reshape(measures * scenarios, pairs)
    chance, keys = Chance(0), np.arange(DRAWS, dtype=np.uint64)
    moved = np.zeros((DRAWS, measures * scenarios))
    # A replication at a time: all weights at once would fill the memory of a study with thousands.
    for replication in range(pairs):
        weight = chance.normal(keys, "comparison: weight of a replication", replication)
        moved += weight[:, None] * centred[:, replication]
    chi_square = 2 * gammaincinv((pairs - 1) / 2, chance.uniform(keys, "comparison: spread"))
    moved /= np.sqrt(pairs * chi_square)[:, None]
    drawn = mean + moved.reshape(DRAWS, measures, scenarios)
    # Scenarios with the same runs differ by rounding errors at most.
    room = 64 * np.finfo(np.float64).eps * np.abs(badness).max(axis=(-2, -1))
    best: npt.NDArray[np.bool_] = drawn <= drawn.min(axis=-1, keepdims=True) + room[:, None]
    share: Floats = (best / np.maximum(best.sum(axis=-1, keepdims=True), 1)).mean(axis=0)
    return np.where(np.isnan(mean).any(axis=-1, keepdims=True), np.nan, share)
