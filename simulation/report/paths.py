"""Monthly paths: each scenario less the baseline, run by run, for the whole country."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl
from scipy.special import stdtrit

from simulation.measures.registry import COUNT_BY_NAME, Measure

FEW_RUNS = 20
"""Below this number of runs a band reaches from the lowest to the highest run; from it on, from the tenth
to the ninetieth percentile."""


def monthly_values(outcomes: pl.LazyFrame, measures: Iterable[Measure]) -> pl.DataFrame:
    """Each measure by scenario, draw, replication and month, for all areas and providers together.

    Parameters
    ----------
    outcomes : polars.LazyFrame
        Counts as written by a study.
    measures : iterable of Measure
        Measures to form.

    Returns
    -------
    polars.DataFrame
        scenario, draw, replication, month (``YYYY-MM``), measure, value. Flows without a denominator are
        scaled to a year; a ratio with nothing below the line is null.
    """
    measures = tuple(measures)
    names = sorted({name for measure in measures for name in measure.numerator + measure.denominator})
    keys = ["scenario", "draw", "replication", "month"]
    long = (
        outcomes.filter(pl.col("measure").is_in(names))
        .group_by(*keys, "measure")
        .agg(pl.col("value").sum().cast(pl.Float64))
        .collect()
    )
    if long.is_empty():
        return pl.DataFrame(
            schema={**dict.fromkeys(keys, pl.String), "measure": pl.String, "value": pl.Float64}
        )
    wide = long.pivot(on="measure", index=keys, values="value")
    # Zero counts are left out of the files: every run has every month.
    grid = (
        wide.select("scenario", "draw", "replication")
        .unique()
        .join(wide.select("month").unique(), how="cross")
    )
    wide = grid.join(wide, on=keys, how="left")
    wide = wide.with_columns(
        (pl.col(name).fill_null(0.0) if name in wide.columns else pl.lit(0.0)).alias(name) for name in names
    ).with_columns(days=(pl.col("month") + "-01").str.to_date().dt.month_end().dt.day().cast(pl.Float64))
    frames = [wide.select(*keys, measure=pl.lit(m.name), value=_monthly(m)) for m in measures]
    return pl.concat(frames).sort("measure", *keys)


def _monthly(measure: Measure) -> pl.Expr:
    above = pl.sum_horizontal(measure.numerator) * measure.scale
    if measure.denominator:
        below = pl.sum_horizontal(measure.denominator)
        return pl.when(below > 0).then(above / below)
    flow = any(COUNT_BY_NAME[name].kind == "flow" for name in measure.numerator)
    return above * 365.25 / pl.col("days") if flow else above


def monthly_differences(
    outcomes: pl.LazyFrame, measures: Iterable[Measure], baseline: str, coverage: float = 0.95
) -> pl.DataFrame:
    """Scenario less baseline by month, in pairs that share their luck.

    Parameters
    ----------
    outcomes : polars.LazyFrame
        Counts as written by a study.
    measures : iterable of Measure
        Measures to form.
    baseline : str
        Name of the scenario taken away from the others.
    coverage : float
        Coverage of the interval of the mean, a share.

    Returns
    -------
    polars.DataFrame
        scenario, measure, month, runs, mean, low and high (spread over runs), error (half the interval of the
        mean, which shrinks with more runs; null for a single run).
    """
    values = monthly_values(outcomes, measures)
    pair = ["draw", "replication", "month", "measure"]
    base = values.filter(pl.col("scenario") == baseline).select(*pair, base="value")
    few = pl.len() < FEW_RUNS
    gap = pl.col("gap")
    frame = (
        values.filter(pl.col("scenario") != baseline)
        .join(base, on=pair, how="inner")
        .with_columns(gap=pl.col("value") - pl.col("base"))
        .drop_nulls("gap")
        .group_by("scenario", "measure", "month")
        .agg(
            runs=pl.len().cast(pl.Int64),
            mean=gap.mean(),
            low=pl.when(few).then(gap.min()).otherwise(gap.quantile(0.1, "linear")),
            high=pl.when(few).then(gap.max()).otherwise(gap.quantile(0.9, "linear")),
            deviation=gap.std(),
        )
        .sort("scenario", "measure", "month")
    )
    reach = {
        runs: float(stdtrit(runs - 1, 0.5 + coverage / 2)) / runs**0.5
        for runs in frame["runs"].unique().to_list()
        if runs > 1
    }
    factor = (
        pl.col("runs").replace_strict(reach, default=None, return_dtype=pl.Float64) if reach else pl.lit(None)
    )
    return frame.with_columns(error=pl.col("deviation") * factor).drop("deviation")
