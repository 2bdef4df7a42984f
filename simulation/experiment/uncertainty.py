"""Two kinds of uncertainty, kept apart: luck (other replications) and ignorance (other sets of parameters).

Every draw of the parameters runs the baseline and each scenario with the same replications, so a difference is paired
by luck and by draw. Draw 0 holds the central values and gives the difference; the other draws say how far it would
move if other values within the ranges were the true ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from simulation.experiment.counts import Counts
from simulation.experiment.differences import LABELS, Arm, Schema, frame_of, labels_of
from simulation.experiment.statistics import paired_difference
from simulation.experiment.windows import Window, windows_after
from simulation.measures.registry import MEASURES, Measure

Floats = npt.NDArray[np.float64]

UNCERTAINTY = "uncertainty.csv"
"""File of luck and ignorance; there only where a study draws its parameters."""

UNCERTAINTY_SCHEMA: Schema = {
    **LABELS,
    "draws": pl.Int64,
    "replications": pl.Int64,
    "baseline": pl.Float64,
    "difference": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "drawn_mean": pl.Float64,
    "drawn_median": pl.Float64,
    "drawn_low": pl.Float64,
    "drawn_high": pl.Float64,
    "same_sign": pl.Float64,
    "variance_luck": pl.Float64,
    "variance_ignorance": pl.Float64,
    "ignorance_share": pl.Float64,
    "verdict": pl.String,
}
"""Columns of uncertainty.csv."""

RANGE = (0.05, 0.95)
"""Ends of the range over draws, as shares of draws that lie below."""

INDISTINGUISHABLE = "indistinguishable"
WHATEVER = "clear whatever the parameters"
CENTRAL_ONLY = "clear at the central values only"
NONE = "no difference"
UNKNOWN = "cannot be told"

FEWEST_DRAWS = 10
"""Fewest draws, the central one left out, of which a range from 5% to 95% says anything."""


@dataclass(frozen=True)
class Variances:
    """Variance of a difference in one run of each scenario, by what it is due to.

    Parameters
    ----------
    luck : float
        Between replications under the same parameters; NaN with fewer than two.
    ignorance : float
        Between sets of parameters with luck averaged out; NaN with fewer than two draws or replications.
    """

    luck: float
    ignorance: float

    @property
    def ignorance_share(self) -> float:
        """Part of the sum that is ignorance; NaN where nothing varies."""
        total = self.luck + self.ignorance
        return self.ignorance / total if total > 0 else float("nan")


def split_variance(differences: Floats) -> Variances:
    """Split the variance of paired differences into luck and ignorance, with random effects of draw and of luck.

    Replication r has the same luck in every draw, so draws and replications are crossed. With D draws of R
    replications, mean squares M of draws, of replications and of what is left (their interaction), the variance
    between draws is (M_draws - M_left) / R, and that between replications (M_replications - M_left) / D, both at least
    0; luck is the latter plus M_left. A one-way analysis would count the luck that all draws share as error and take it
    from the variance between draws, though it moves none of them against another.

    Parameters
    ----------
    differences : ndarray of float64, shape (draws, replications)
        Scenario minus baseline; the central values left out.

    Returns
    -------
    Variances

    Examples
    --------
    >>> import numpy as np
    >>> split_variance(np.array([[1.0, 3.0], [5.0, 7.0]]))
    Variances(luck=2.0, ignorance=8.0)
    """
    draws, replications = differences.shape
    unknown = float("nan")
    if draws < 2 or replications < 2 or not np.isfinite(differences).all():
        return Variances(unknown, unknown)
    whole = differences.mean()
    by_draw, by_luck = differences.mean(axis=1), differences.mean(axis=0)
    left = differences - by_draw[:, None] - by_luck[None] + whole
    of_draws = replications * ((by_draw - whole) ** 2).sum() / (draws - 1)
    of_luck = draws * ((by_luck - whole) ** 2).sum() / (replications - 1)
    of_left = (left**2).sum() / ((draws - 1) * (replications - 1))
    ignorance = max(0.0, (of_draws - of_left) / replications)
    return Variances(float(max(0.0, (of_luck - of_left) / draws) + of_left), float(ignorance))


def verdict(difference: float, low: float, high: float, drawn: Floats) -> str:
    """Say in words what is left of a difference when luck and ignorance are both looked at.

    Parameters
    ----------
    difference, low, high : float
        Mean difference at the central values, with the interval of luck.
    drawn : ndarray of float64, shape (draws,)
        Mean difference under each draw.

    Returns
    -------
    str
        A difference is clear of luck where its interval leaves out zero, and clear whatever the parameters where
        also the middle nine tenths of the draws lie on its side of zero.

    Examples
    --------
    >>> import numpy as np
    >>> verdict(2.0, 1.0, 3.0, np.linspace(0.5, 4, 20)), verdict(2.0, 1.0, 3.0, np.linspace(-2, 6, 20))
    ('clear whatever the parameters', 'clear at the central values only')
    """
    if not np.isfinite([difference, low, high]).all() or not np.isfinite(drawn).all() or len(drawn) < FEWEST_DRAWS:
        return UNKNOWN
    if difference == 0 and low == 0 and high == 0 and not drawn.any():
        return NONE
    bottom, top = np.quantile(drawn, RANGE)
    clear = low > 0 or high < 0
    if clear and (bottom > 0 if difference > 0 else top < 0):
        return WHATEVER
    # Every draw meets the same luck: that all of them lie on one side does not make up for luck that does not.
    return CENTRAL_ONLY if clear else INDISTINGUISHABLE


def uncertainty_table(
    arms: Sequence[Arm], drawn: Iterable[Sequence[Counts]], measures: Sequence[Measure] = MEASURES
) -> pl.DataFrame:
    """Compare each scenario with the baseline under every draw, over the windows of the central values.

    Parameters
    ----------
    arms : sequence of Arm
        The scenarios with the central values, the baseline first.
    drawn : iterable of sequence of Counts
        Of each further draw the counts of every scenario, in the same order. Read one draw at a time: what is kept
        of each is a number for every measure, window and replication.
    measures : sequence of Measure
        What is compared.

    Returns
    -------
    polars.DataFrame
        Columns of `UNCERTAINTY_SCHEMA`.
    """
    baseline, others = arms[0], arms[1:]
    asked = [
        (position, arm, window, measure)
        for position, arm in enumerate(others, 1)
        for window in windows_after(arm.impact, arm.counts.months)
        for measure in measures
    ]
    central = _levels([arm.counts for arm in arms], asked)
    differences = np.stack([sides[1] - sides[0] for sides in (_levels(counts, asked) for counts in drawn)], axis=1)
    rows = []
    for row, (_, arm, window, measure) in enumerate(asked):
        figures = _figures(central[0][row], central[1][row], differences[row])
        rows.append({**labels_of(baseline, arm, measure, window), **figures})
    return frame_of(rows, UNCERTAINTY_SCHEMA)


def _levels(counts: Sequence[Counts], asked: Sequence[tuple[int, Arm, Window, Measure]]) -> tuple[Floats, Floats]:
    """Return every measure asked for under the baseline and under its scenario, each (asked, replications)."""
    before = [counts[0].levels(measure, window)[0] for _, _, window, measure in asked]
    after = [counts[position].levels(measure, window)[0] for position, _, window, measure in asked]
    shape = (len(asked), counts[0].replications)
    return np.array(before).reshape(shape), np.array(after).reshape(shape)


def _figures(before: Floats, after: Floats, drawn: Floats) -> dict[str, Any]:
    """Return the figures of one row from the levels of the central values and the differences of the draws."""
    paired = paired_difference(before[None], after[None])
    difference, low, high = (float(side[0]) for side in (paired.mean, paired.low, paired.high))
    means = drawn.mean(axis=1)
    parts = split_variance(drawn)
    known = bool(np.isfinite(means).all())
    bottom, middle, top = np.quantile(means, (RANGE[0], 0.5, RANGE[1])) if known else (np.nan,) * 3
    return {
        "draws": 1 + len(drawn),
        "replications": drawn.shape[1],
        "baseline": float(before.mean()),
        "difference": difference,
        "low": low,
        "high": high,
        "drawn_mean": float(means.mean()),
        "drawn_median": float(middle),
        "drawn_low": float(bottom),
        "drawn_high": float(top),
        "same_sign": float((np.sign(means) == np.sign(difference)).mean()) if known else np.nan,
        "variance_luck": parts.luck,
        "variance_ignorance": parts.ignorance,
        "ignorance_share": parts.ignorance_share,
        "verdict": verdict(difference, low, high, means),
    }
