"""The headline measures and the distributions of a study in the columns in which modellers exchange scenarios.

Hubs that collect the scenarios of several teams ask for one row a value: what it is about, then ``output_type`` (mean,
median, quantile, sample or pmf), ``output_type_id`` (which quantile, sample or band) and ``value`` (hubverse, "Model
output", https://docs.hubverse.io).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl

from simulation.experiment.counts import Floats
from simulation.experiment.differences import Arm, tidy
from simulation.experiment.windows import windows_after
from simulation.measures.registry import HEADLINES, MEASURE_BY_NAME

MODEL_OUTPUT = "model_output.csv"
"""File in the columns that hubs of scenario modellers ask for."""

MODEL_OUTPUT_SCHEMA: dict[str, type[pl.DataType]] = {
    "scenario_id": pl.String,
    "compared_with": pl.String,
    "target": pl.String,
    "unit": pl.String,
    "location": pl.String,
    "first_month": pl.String,
    "last_month": pl.String,
    "output_type": pl.String,
    "output_type_id": pl.String,
    "value": pl.Float64,
}
"""Columns of model_output.csv."""

QUANTILES = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
"""Quantiles over replications, by linear interpolation between those observed (Hyndman and Fan's seventh)."""

ALL_AREAS = "all_areas_of_the_study"
"""Location of figures over every area that was run, where that is not the whole country."""


def model_output_table(arms: Sequence[Arm], location: str) -> pl.DataFrame:
    """Write headline measures and differences in the columns of scenario hubs.

    Parameters
    ----------
    arms : sequence of Arm
        The baseline first.
    location : str
        What the figures are of.

    Returns
    -------
    polars.DataFrame
        Columns of `MODEL_OUTPUT_SCHEMA`: levels of the baseline and each scenario and their differences, over every
        window. A value that doesn't exist in a run is left out.
    """
    baseline, others = arms[0], arms[1:]
    rows: dict[tuple[Any, ...], float] = {}
    # Without other scenarios the baseline alone is told of, over all its months.
    for arm in others or arms:
        for window in windows_after(arm.impact, arm.counts.months):
            months = (window.months[0], window.months[-1])
            for name in dict.fromkeys((*arm.moves, *HEADLINES)):
                measure = MEASURE_BY_NAME[name]
                before, after = (side.counts.levels(measure, window)[0] for side in (baseline, arm))
                told: list[tuple[str, str | None, Floats]] = [
                    (baseline.name, None, before),
                    (arm.name, None, after),
                    (arm.name, baseline.name, after - before),
                ]
                for scenario, compared_with, values in told if others else told[:1]:
                    label = (scenario, compared_with, name, measure.unit, location, *months)
                    rows |= {(*label, *kind): value for kind, value in _summaries(values)}
    return _frame(rows)


def bands_table(distributions: pl.DataFrame, location: str) -> pl.DataFrame:
    """Write the share in each band, the mean over replications, in the same columns.

    Parameters
    ----------
    distributions : polars.DataFrame
        Columns of `simulation.experiment.levels.DISTRIBUTIONS_SCHEMA`.
    location : str
        What the figures are of.
    """
    rows: dict[tuple[Any, ...], float] = {}
    for row in distributions.iter_rows(named=True):
        label = (row["scenario"], None, row["measure"], row["unit"], location, row["first_month"], row["last_month"])
        if row["share"] is not None:
            rows[(*label, "pmf", str(row["band"]))] = row["share"]
    return _frame(rows)


def _frame(rows: dict[tuple[Any, ...], float]) -> pl.DataFrame:
    found = [(*label, value) for label, value in rows.items()]
    return tidy(pl.DataFrame(found, schema=MODEL_OUTPUT_SCHEMA, orient="row"))


def _summaries(values: Floats) -> Iterator[tuple[tuple[str, str | None], float]]:
    """Summaries over replications, then each replication: its number names the same luck in every row."""
    known = values[np.isfinite(values)]
    if known.size:
        yield ("mean", None), float(known.mean())
        yield ("median", None), float(np.median(known))
        for level, value in zip(QUANTILES, np.quantile(known, QUANTILES), strict=True):
            yield ("quantile", f"{level:g}"), float(value)
    for replication, value in enumerate(values):
        if np.isfinite(value):
            yield ("sample", str(replication)), float(value)
