"""Levels and distributions: shown second, beside what was published, and never called a forecast."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from simulation.experiment.counts import side_total
from simulation.experiment.differences import tidy
from simulation.experiment.windows import Window
from simulation.measures.registry import COUNT_BY_NAME, HISTOGRAM_WIDTH, HISTOGRAMS, PUBLISHED, Published

NEAR = 0.10
"""Relative distance from a published value that counts as near it."""

LEVELS_SCHEMA: dict[str, type[pl.DataType]] = {
    "evidence_id": pl.String,
    "title": pl.String,
    "role": pl.String,
    "how": pl.String,
    "when": pl.String,
    "published": pl.Float64,
    "published_low": pl.Float64,
    "published_high": pl.Float64,
    "simulated": pl.Float64,
    "simulated_min": pl.Float64,
    "simulated_max": pl.Float64,
    "replications": pl.Int64,
    "ratio": pl.Float64,
    "within": pl.Boolean,
    "within_published_range": pl.Boolean,
    "note": pl.String,
}
"""Columns of levels.csv."""

DISTRIBUTIONS_SCHEMA: dict[str, type[pl.DataType]] = {
    "scenario": pl.String,
    "measure": pl.String,
    "unit": pl.String,
    "band": pl.Int64,
    "band_width": pl.Int64,
    "first_month": pl.String,
    "last_month": pl.String,
    "months": pl.Int64,
    "replications": pl.Int64,
    "share": pl.Float64,
    "share_min": pl.Float64,
    "share_max": pl.Float64,
    "count_per_month": pl.Float64,
}
"""Columns of distributions.csv."""


def level_table(
    paths: Sequence[Path],
    months: Sequence[str],
    whole_country: bool,
    published: Sequence[Published] = PUBLISHED,
) -> pl.DataFrame:
    """Hold the baseline beside published figures.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        Run files of the baseline, in the order of their replications.
    months : sequence of str
        Whole months counted; a figure about other months is left out.
    whole_country : bool
        Published figures are national: for a study of some areas the table is empty.
    published : sequence of Published
        Figures to compare with.

    Returns
    -------
    polars.DataFrame
        Columns of `LEVELS_SCHEMA`.
    """
    rows = []
    for figure in published if whole_country else ():
        wanted = [f"{figure.when}-{month:02d}" for month in range(1, 13)] if figure.how == "year" else [figure.when]
        if not set(wanted) <= set(months):
            continue
        simulated = np.array([_simulated(path, figure, wanted) for path in paths])
        mean = float(simulated.mean())
        ratio = mean / figure.value
        rows.append(
            {
                "evidence_id": figure.evidence_id,
                "title": figure.title,
                "role": figure.role,
                "how": figure.how,
                "when": figure.when,
                "published": float(figure.value),
                "published_low": float(figure.low),
                "published_high": float(figure.high),
                "simulated": mean,
                "simulated_min": float(simulated.min()),
                "simulated_max": float(simulated.max()),
                "replications": len(paths),
                "ratio": ratio,
                "within": bool(abs(ratio - 1) <= NEAR),
                "within_published_range": bool(figure.low <= mean <= figure.high),
                "note": figure.note,
            }
        )
    return tidy(pl.DataFrame(rows, schema=LEVELS_SCHEMA, orient="row"))


def _simulated(path: Path, figure: Published, months: Sequence[str]) -> float:
    total = side_total(path, figure.counts, months, figure.provider_kind)
    if figure.how != "share":
        return float(total)
    of = side_total(path, figure.of, months)
    return total / of if of else float("nan")


def distribution_table(paths: dict[str, Sequence[Path]], window: Window) -> pl.DataFrame:
    """Share of people, officers or events in each band under each scenario, over the same months.

    Parameters
    ----------
    paths : dict of str to sequence of pathlib.Path
        Run files of each scenario in the order shown, the baseline first.
    window : Window
        The months: those after the last of the impact dates, when every scenario is under way.

    Returns
    -------
    polars.DataFrame
        Columns of `DISTRIBUTIONS_SCHEMA`. A band that holds somebody in any run has a row for every scenario.
    """
    counts = {name: [_bands(path, window) for path in files] for name, files in paths.items()}
    rows: list[dict[str, Any]] = []
    for histogram in HISTOGRAMS:
        bands = sorted({band for runs in counts.values() for run in runs for band in run.get(histogram, {})})
        for name, runs in counts.items():
            rows.extend(_band_rows(name, histogram, window, bands, [run.get(histogram, {}) for run in runs]))
    return tidy(pl.DataFrame(rows, schema=DISTRIBUTIONS_SCHEMA, orient="row"))


def _bands(path: Path, window: Window) -> dict[str, dict[int, int]]:
    """Return the sums over the window by histogram and lower edge of the band."""
    sums = (
        pl.scan_parquet(path)
        .filter(pl.col("measure").is_in(list(HISTOGRAMS)) & pl.col("month").is_in(list(window.months)))
        .group_by("measure", "group")
        .agg(pl.col("value").sum())
        .collect()
    )
    found: dict[str, dict[int, int]] = {}
    for histogram, group, value in sums.iter_rows():
        bands = found.setdefault(histogram, {})
        lower = lower_edge(histogram, group)
        bands[lower] = bands.get(lower, 0) + value
    return found


def _band_rows(
    scenario: str, histogram: str, window: Window, bands: list[int], runs: list[dict[int, int]]
) -> list[dict[str, Any]]:
    values = np.array([[run.get(band, 0) for band in bands] for run in runs], dtype=np.float64)
    totals = values.sum(axis=1, keepdims=True)
    shares = np.where(totals > 0, values / np.where(totals > 0, totals, 1), np.nan)
    return [
        {
            "scenario": scenario,
            "measure": histogram,
            "unit": COUNT_BY_NAME[histogram].unit,
            "band": band,
            "band_width": HISTOGRAM_WIDTH[histogram],
            "first_month": window.months[0],
            "last_month": window.months[-1],
            "months": len(window.months),
            "replications": len(runs),
            "share": shares[:, position].mean(),
            "share_min": shares[:, position].min(),
            "share_max": shares[:, position].max(),
            "count_per_month": values[:, position].mean() / len(window.months),
        }
        for position, band in enumerate(bands)
    ]


def lower_edge(histogram: str, group: str) -> int:
    """Return the lower edge of a band from its number, as run files have it.

    Examples
    --------
    >>> lower_edge("officers_by_cases", "009")
    45
    """
    if not group.isascii() or not group.isdecimal():
        raise ValueError(f"{histogram}: '{group}' is not the number of a band")
    return int(group) * HISTOGRAM_WIDTH[histogram]
