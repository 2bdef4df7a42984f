"""The tables of a study: what each scenario changes, where, and how sure that is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from simulation.experiment.counts import Counts, Floats
from simulation.experiment.findings import finding
from simulation.experiment.statistics import (
    PairedDifference,
    paired_difference,
    variance_ratio,
    worst_tenth,
)
from simulation.experiment.windows import TO_END, Window, windows_after
from simulation.measures.registry import HEADLINES, MEASURE_BY_NAME, MEASURES, Measure

DIGITS = 9
"""Significant digits of figures in result files: more than they deserve, the same on every computer."""

Schema = dict[str, type[pl.DataType]]

LABELS: Schema = {
    "scenario": pl.String,
    "compared_with": pl.String,
    "measure": pl.String,
    "title": pl.String,
    "unit": pl.String,
    "better": pl.String,
    "headline": pl.Boolean,
    "window": pl.String,
    "first_month": pl.String,
    "last_month": pl.String,
    "months": pl.Int64,
    "impact_date": pl.String,
}
"""Columns that say what is compared."""
FIGURES: Schema = {
    "replications": pl.Int64,
    "baseline": pl.Float64,
    "value": pl.Float64,
    "baseline_median": pl.Float64,
    "value_median": pl.Float64,
    "difference": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "standard_error": pl.Float64,
    "relative": pl.Float64,
    "sign_agreement": pl.Int64,
}
"""Columns of what came of it."""
_WHOLE_ONLY: Schema = {
    "variance_ratio": pl.Float64,
    "variance_ratio_low": pl.Float64,
    "variance_ratio_high": pl.Float64,
    "worst_tenth_baseline": pl.Float64,
    "worst_tenth_value": pl.Float64,
    "worst_tenth_difference": pl.Float64,
    "worst_tenth_low": pl.Float64,
    "worst_tenth_high": pl.Float64,
    "areas": pl.Int64,
    "areas_better": pl.Int64,
    "areas_worse": pl.Int64,
}
DIFFERENCES_SCHEMA: Schema = {**LABELS, **FIGURES, **_WHOLE_ONLY}
"""Columns of differences.csv."""
BY_AREA_SCHEMA: Schema = {**LABELS, "area": pl.String, **FIGURES}
"""Columns of differences_by_area.csv."""
HEADLINES_SCHEMA: Schema = {**DIFFERENCES_SCHEMA, "finding": pl.String}
"""Columns of headlines.csv."""


@dataclass(frozen=True)
class Arm:
    """One scenario of a study with its counts.

    Parameters
    ----------
    name : str
        Name of the scenario.
    impact : datetime.date or None
        Day on which it first differs from the baseline.
    counts : Counts
        Counts of all its replications.
    moves : tuple of str
        Measures that it acts on directly.
    """

    name: str
    impact: dt.date | None
    counts: Counts
    moves: tuple[str, ...] = ()


@dataclass(frozen=True)
class DifferenceTables:
    """The tables made from pairs: over all areas, by area, and the headlines."""

    differences: pl.DataFrame
    by_area: pl.DataFrame
    headlines: pl.DataFrame


def difference_tables(baseline: Arm, arms: Sequence[Arm], measures: Sequence[Measure] = MEASURES) -> DifferenceTables:
    """Compare each scenario with the baseline over every window.

    Parameters
    ----------
    baseline : Arm
        The scenario compared with.
    arms : sequence of Arm
        The others, in the order shown.
    measures : sequence of Measure
        What is compared.

    Returns
    -------
    DifferenceTables
    """
    whole_rows: list[dict[str, Any]] = []
    area_rows: list[dict[str, Any]] = []
    for arm in arms:
        for window in windows_after(arm.impact, arm.counts.months):
            for measure in measures:
                labels = labels_of(baseline, arm, measure, window)
                whole, areas = _compare(baseline.counts, arm.counts, measure, window)
                whole_rows.append({**labels, **whole})
                area_rows.extend({**labels, **row} for row in areas)
    differences = frame_of(whole_rows, DIFFERENCES_SCHEMA)
    to_end = {(row["scenario"], row["measure"]): row for row in whole_rows if row["window"] == TO_END}
    # What a scenario acts on directly, then what follows from it.
    named = [(arm.name, name) for arm in arms for name in dict.fromkeys((*arm.moves, *HEADLINES))]
    chosen = [to_end[key] for key in named if key in to_end]
    headlines = frame_of([{**row, "finding": _finding(row)} for row in chosen], HEADLINES_SCHEMA)
    return DifferenceTables(differences, frame_of(area_rows, BY_AREA_SCHEMA), headlines)


def labels_of(baseline: Arm, arm: Arm, measure: Measure, window: Window) -> dict[str, Any]:
    """Return what a row says it compares."""
    return {
        "scenario": arm.name,
        "compared_with": baseline.name,
        "measure": measure.name,
        "title": measure.title,
        "unit": measure.unit,
        "better": measure.better,
        "headline": measure.name in HEADLINES,
        "window": window.name,
        "first_month": window.months[0],
        "last_month": window.months[-1],
        "months": len(window.months),
        "impact_date": None if arm.impact is None else arm.impact.isoformat(),
    }


def _compare(
    baseline: Counts, scenario: Counts, measure: Measure, window: Window
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the figures over all areas, and a row of figures for each area."""
    before, before_by_area = baseline.levels(measure, window)
    after, after_by_area = scenario.levels(measure, window)
    whole = figures_of(before[None], after[None])[0]
    gain = variance_ratio(before[None], after[None])
    whole["variance_ratio"] = gain.ratio[0]
    whole["variance_ratio_low"] = gain.low[0]
    whole["variance_ratio_high"] = gain.high[0]
    whole.update(_worst(baseline, scenario, measure, window))

    by_area = paired_difference(before_by_area, after_by_area)
    better, worse = _clear_changes(by_area, measure)
    whole["areas"] = len(before_by_area)
    whole["areas_better"] = better
    whole["areas_worse"] = worse
    rows = figures_of(before_by_area, after_by_area)
    areas = [{"area": area, **row} for area, row in zip(baseline.areas[:-1], rows, strict=True)]
    return whole, areas


def figures_of(before: Floats, after: Floats) -> list[dict[str, Any]]:
    """Return the figures of each row of two arrays of shape (rows, replications)."""
    paired = paired_difference(before, after)
    before_mean, after_mean = before.mean(axis=-1), after.mean(axis=-1)
    known = np.isfinite(before_mean) & (before_mean != 0)
    relative = np.where(known, 100 * paired.mean / np.where(known, before_mean, 1), np.nan)
    before_median, after_median = np.median(before, axis=-1), np.median(after, axis=-1)
    return [
        {
            "replications": before.shape[-1],
            "baseline": before_mean[row],
            "value": after_mean[row],
            "baseline_median": before_median[row],
            "value_median": after_median[row],
            "difference": paired.mean[row],
            "low": paired.low[row],
            "high": paired.high[row],
            "standard_error": paired.standard_error[row],
            "relative": relative[row],
            "sign_agreement": int(paired.agree[row]),
        }
        for row in range(len(before))
    ]


def _worst(baseline: Counts, scenario: Counts, measure: Measure, window: Window) -> dict[str, Any]:
    """Return how the worst-off tenth of areas fares, where a measure has a worst end and a denominator."""
    names = [name for name in _WHOLE_ONLY if name.startswith("worst_tenth")]
    before_top, before_bottom = baseline.parts(measure, window)
    after_top, after_bottom = scenario.parts(measure, window)
    scale, better = measure.scale, measure.better
    if measure.worst_per:
        # Where neither end is worse, the tenth with most is shown, and nothing is said of it.
        scale, better = measure.worst_scale, "lower" if better == "neither" else better
        before_bottom = baseline.over(measure.worst_per, window, scaled=False)
        after_bottom = scenario.over(measure.worst_per, window, scaled=False)
    # Without a denominator the "worst" areas would only be the biggest.
    if before_bottom is None or after_bottom is None or better == "neither":
        return dict.fromkeys(names)
    before = worst_tenth(before_top[:-1], before_bottom[:-1], scale, better)
    after = worst_tenth(after_top[:-1], after_bottom[:-1], scale, better)
    paired = paired_difference(before[None], after[None])
    return {
        "worst_tenth_baseline": before.mean(),
        "worst_tenth_value": after.mean(),
        "worst_tenth_difference": paired.mean[0],
        "worst_tenth_low": paired.low[0],
        "worst_tenth_high": paired.high[0],
    }


def _clear_changes(by_area: PairedDifference, measure: Measure) -> tuple[int | None, int | None]:
    """Count the areas whose interval lies wholly on the better and on the worse side of none.

    By chance alone one area in forty lands on each side.
    """
    if measure.better == "neither" or np.isnan(by_area.low).all():
        return None, None
    falls, rises = int((by_area.high < 0).sum()), int((by_area.low > 0).sum())
    return (falls, rises) if measure.better == "lower" else (rises, falls)


def _finding(row: dict[str, Any]) -> str:
    return finding(
        MEASURE_BY_NAME[row["measure"]],
        row["difference"],
        row["low"],
        row["high"],
        row["relative"],
        row["sign_agreement"],
        row["replications"],
    )


def frame_of(rows: list[dict[str, Any]], schema: Schema) -> pl.DataFrame:
    """Return rows as a tidy table."""
    return tidy(pl.DataFrame(rows, schema=schema, orient="row"))


def tidy(frame: pl.DataFrame) -> pl.DataFrame:
    """Round figures to `DIGITS` significant digits and turn values that do not exist (NaN) into empty cells.

    Infinite values stay: an infinite variance ratio is a finding.
    """
    floats = [name for name, kind in frame.schema.items() if kind == pl.Float64]
    return frame.with_columns(pl.col(name).fill_nan(None).round_sig_figs(DIGITS) for name in floats)
