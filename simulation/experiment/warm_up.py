"""Has the model settled before counting begins? How many months each headline measure would have left out.

MSER-5 (White, Cobb & Spratt 2000): of a series in batches of five, leave out as many at its start as make the standard
error of the mean of the rest smallest. Its answer is in steps of five months, here of the mean over replications. It
takes the world to be the same throughout; a measure that follows the sentences of its years never settles, and then the
least lies so late that nothing can be told.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from simulation.experiment.counts import Counts, Floats
from simulation.experiment.differences import tidy
from simulation.experiment.windows import Window
from simulation.measures.registry import HEADLINES, MEASURE_BY_NAME, Measure

BATCH = 5
"""Months averaged together."""

_LAST = 5
"""Batches at the end at which no cut is tried: the mean of a few can be steady by luck."""

WARM_UP_SCHEMA: dict[str, type[pl.DataType]] = {
    "measure": pl.String,
    "title": pl.String,
    "unit": pl.String,
    "months": pl.Int64,
    "burn_in_months": pl.Int64,
    "asks_months": pl.Int64,
    "verdict": pl.String,
    "mean_before": pl.Float64,
    "mean_counted": pl.Float64,
}
"""Columns of warm_up.csv."""

ENOUGH, LONGER, TOO_SHORT = "enough", "asks for longer", "too short to tell"


def mser5(values: Sequence[float] | Floats) -> int | None:
    """Return how many values at the start of a series MSER-5 would leave out.

    Parameters
    ----------
    values : sequence of float
        The series in the order of time. What doesn't fill the last batch of five is left out of the reckoning.

    Returns
    -------
    int or None
        A multiple of five; None where the series is too short to tell: fewer than six batches, or the least standard
        error comes only with more than half of it left out, or with the last cut of all that are tried.

    Examples
    --------
    >>> mser5([9, 9, 9, 9, 9] + [1, 2, 3, 2, 1] * 8)
    5
    >>> mser5([1.0] * 20) is None
    True
    """
    array = np.asarray(values, dtype=np.float64)
    batches = array[: array.size // BATCH * BATCH].reshape(-1, BATCH).mean(axis=1)
    if batches.size <= _LAST or not np.isfinite(batches).all():
        return None
    kept = [batches[cut:] for cut in range(batches.size - _LAST + 1)]
    # The square of the standard error of the mean of what is kept, as if batches were independent.
    errors = [float(((rest - rest.mean()) ** 2).sum()) / rest.size**2 for rest in kept]
    cut = int(np.argmin(errors))
    # Where the last cut tried is the best, a later one may be better still.
    return cut * BATCH if cut <= batches.size / 2 and cut < len(kept) - 1 else None


def monthly(counts: Counts, measure: Measure) -> Floats:
    """Return a measure over all areas by month, shape (months,): the mean over replications."""
    found = [
        counts.levels(measure, Window(month, position, (month,)))[0].mean()
        for position, month in enumerate(counts.months)
    ]
    return np.array(found)


def warm_up_table(counts: Counts, burn_in: int) -> pl.DataFrame:
    """Say of each headline measure whether it has settled in the baseline when counting begins.

    Parameters
    ----------
    counts : Counts
        Of the baseline, by whole month from the start of the run, those before counting among them.
    burn_in : int
        How many of them come before counting begins.

    Returns
    -------
    polars.DataFrame
        Columns of :data:`WARM_UP_SCHEMA`; ``asks_months`` is empty where it is too short to tell.
    """
    rows = []
    for name in HEADLINES:
        measure = MEASURE_BY_NAME[name]
        values = monthly(counts, measure)
        asks = mser5(values)
        verdict = TOO_SHORT if asks is None else ENOUGH if asks <= burn_in else LONGER
        before, after = values[:burn_in], values[burn_in:]
        rows.append(
            {
                "measure": name,
                "title": measure.title,
                "unit": measure.unit,
                "months": len(counts.months),
                "burn_in_months": burn_in,
                "asks_months": asks,
                "verdict": verdict,
                "mean_before": float(before.mean()) if before.size else None,
                "mean_counted": float(after.mean()) if after.size else None,
            }
        )
    return tidy(pl.DataFrame(rows, schema=WARM_UP_SCHEMA, orient="row"))
