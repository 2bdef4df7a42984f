"""What a search for a threshold writes: its tables, and the sentence that says what was found."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl

from simulation.experiment.counts import Floats
from simulation.experiment.crossing import Crossing, crossings, not_rejected
from simulation.experiment.differences import Schema, frame_of
from simulation.experiment.findings import number_words, unit_words
from simulation.experiment.knee import BENT, KNEE, STRAIGHT, Shape
from simulation.experiment.levers import Lever, value_name
from simulation.experiment.statistics import paired_difference
from simulation.measures.registry import Measure

CURVE, CROSSINGS, CONTOUR, SHAPE = "threshold.csv", "crossings.csv", "contour.csv", "knee.csv"
"""Files of a search: the curve or, for two levers, the grid; where it crosses the value asked for; its shape."""

_VALUES: Schema = {
    "replications": pl.Int64,
    "baseline": pl.Float64,
    "value": pl.Float64,
    "value_low": pl.Float64,
    "value_high": pl.Float64,
    "difference": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "scenario": pl.String,
}
CURVE_SCHEMA: Schema = {"lever": pl.Float64, "on_grid": pl.Boolean, **_VALUES}
"""Columns of threshold.csv."""
CONTOUR_SCHEMA: Schema = {"lever": pl.Float64, "lever2": pl.Float64, **_VALUES}
"""Columns of contour.csv."""
CROSSINGS_SCHEMA: Schema = {
    "lever2": pl.Float64,
    "lever": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "low_open": pl.Boolean,
    "high_open": pl.Boolean,
    "rising": pl.Boolean,
    "run_below": pl.Float64,
    "run_above": pl.Float64,
    "shared": pl.Boolean,
}
"""Columns of crossings.csv."""
SHAPE_SCHEMA: Schema = {
    "kind": pl.String,
    "knee": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "slope_before": pl.Float64,
    "slope_after": pl.Float64,
    "bic_line": pl.Float64,
    "bic_bend": pl.Float64,
    "bic_knee": pl.Float64,
}
"""Columns of knee.csv."""


@dataclass(frozen=True)
class Target:
    """The value that is looked for.

    Parameters
    ----------
    kind : {"level", "difference"}
        Whether the measure itself or its difference from the baseline should have it.
    value : float
        In the unit of the measure.
    """

    kind: Literal["level", "difference"]
    value: float

    def gaps(self, values: Floats, baseline: Floats) -> Floats:
        """Return how far a measure lies above it; replications are the last axis."""
        return values - self.value if self.kind == "level" else values - baseline - self.value

    def words(self, measure: Measure, baseline: str) -> str:
        """Return it in words."""
        if self.kind == "level":
            return amount_words(self.value, measure.unit)
        unit = unit_words(measure)
        side = "above" if self.value > 0 else "below"
        return f"{amount_words(abs(self.value), unit)} {side} that of {baseline}"


def amount_words(value: float, unit: str, like: float | None = None) -> str:
    """Return an amount with its unit, for example ``25% of officers in post``; with few digits if it has few."""
    text = number_words(value, like) if like is not None else f"{value:,.10g}".replace("-", "−")
    return f"{text}{unit}" if unit.startswith("%") else f"{text} {unit}"


def row_of(values: Floats, baseline: Floats, scenario: str) -> dict[str, Any]:
    """Return what a table says of one scenario: the measure by replication, and that of the baseline."""
    level = paired_difference(np.zeros_like(values), values)
    gap = paired_difference(baseline, values)
    return {
        "replications": len(values),
        "baseline": baseline.mean(),
        "value": values.mean(),
        "value_low": float(level.low),
        "value_high": float(level.high),
        "difference": float(gap.mean),
        "low": float(gap.low),
        "high": float(gap.high),
        "scenario": scenario,
    }


def crossing_rows(found: Sequence[Crossing], lever2: float | None = None) -> list[dict[str, Any]]:
    """Return rows of crossings.csv."""
    return [
        {
            "lever2": lever2,
            "lever": each.at,
            "low": each.low,
            "high": each.high,
            "low_open": each.low_open,
            "high_open": each.high_open,
            "rising": each.rising,
            "run_below": each.left,
            "run_above": each.right,
            "shared": each.shared,
        }
        for each in found
    ]


def shape_frame(found: Shape) -> pl.DataFrame:
    """Return knee.csv."""
    row = {
        "kind": found.kind,
        "knee": found.at,
        "low": found.low,
        "high": found.high,
        "slope_before": found.slope_before,
        "slope_after": found.slope_after,
        "bic_line": found.bic_line,
        "bic_bend": found.bic_bend,
        "bic_knee": found.bic_knee,
    }
    return frame_of([row], SHAPE_SCHEMA)


def lever_words(value: float, width: float) -> str:
    """Return a value of a lever with the digits that an interval of this width deserves.

    Examples
    --------
    >>> lever_words(1.43217, 0.21), lever_words(14.2, 17.0), lever_words(0.5, float("nan"))
    ('1.43', '14', '0.5')
    """
    if not math.isfinite(width) or width <= 0:
        return f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,.{min(6, max(0, 1 - math.floor(math.log10(width))))}f}"


def interval_of(found: Crossing) -> str:
    """Return the interval of a crossing in words, with "or less" and "or more" where it leaves what was looked at."""
    if math.isnan(found.low):
        return "one run only, so how sure is unknown"
    width = found.high - found.low
    low = lever_words(found.low, width) + (" or less" if found.low_open else "")
    high = lever_words(found.high, width) + (" or more" if found.high_open else "")
    return f"95% interval {low} to {high}"


def sentence_of(
    lever: Lever,
    measure: Measure,
    target: Target,
    baseline_name: str,
    values: Mapping[float, Floats],
    baseline: Floats,
) -> str:
    """Say in a sentence or two where the value is crossed.

    Parameters
    ----------
    lever, measure, target, baseline_name
        What was asked for.
    values : mapping of float to ndarray
        The measure by replication, by value of the lever.
    baseline : ndarray of float64
        The same in the baseline.
    """
    subject, wanted = measure.sentence or measure.title, target.words(measure, baseline_name)
    points = sorted(values)
    gaps = target.gaps(np.array([values[point] for point in points]), baseline)
    found = crossings(points, gaps)
    if not found:
        text = f"{subject} would not pass {wanted} for {lever.name} from {value_name(points[0])} to "
        text += f"{value_name(points[-1])}: {_ends(measure, target, points, gaps)}."
        if gaps.shape[1] > 1 and (parts := not_rejected(points, gaps)):
            text += f" Chance doesn't rule it out from {_stretches(parts)}."
        return text
    parts_of = [
        f"{'rise' if each.rising else 'fall'} past {wanted} where {lever.name} is "
        f"{lever_words(each.at, each.high - each.low)} ({interval_of(each)})"
        for each in found
    ]
    text = f"{subject} would {', then '.join(parts_of)}."
    if any(each.shared for each in found):
        text += " Two of these lie in one interval, so there may be neither."
    parts = not_rejected(points, gaps) if gaps.shape[1] > 1 else []
    others = [part for part in parts if not any(part[0] <= each.at <= part[1] for each in found)]
    if others:
        text += f" Chance doesn't rule it out from {_stretches(others)} either."
    return text


def _stretches(parts: Sequence[tuple[float, float]]) -> str:
    return " and ".join(f"{lever_words(low, high - low)} to {lever_words(high, high - low)}" for low, high in parts)


def grid_sentence(
    levers: Sequence[Lever],
    measure: Measure,
    target: Target,
    baseline_name: str,
    values2: Sequence[float],
    rows: Sequence[Mapping[str, Any]],
) -> str:
    """Say where along two levers the value is crossed; rows are those of crossings.csv."""
    subject, wanted = measure.sentence or measure.title, target.words(measure, baseline_name)
    first, second = levers
    if not rows:
        return f"{subject} would not pass {wanted} anywhere in the ranges of {first.name} and {second.name}."
    crossed = len({row["lever2"] for row in rows})
    text = f"{subject} would pass {wanted} along {first.name} at {crossed} of {len(values2)} values of {second.name}"
    shown = [rows[0]] if len(rows) == 1 else [rows[0], rows[-1]]
    places = [
        f"at {lever_words(row['lever'], row['high'] - row['low'])} where the other is {value_name(row['lever2'])}"
        for row in shown
    ]
    return f"{text}: {' and '.join(places)}."


def _ends(measure: Measure, target: Target, points: Sequence[float], gaps: Floats) -> str:
    """Return what the curve is at both ends of the range, in words."""
    size = float(np.abs(gaps + target.value).max())
    unit = measure.unit if target.kind == "level" else unit_words(measure)
    words = []
    for place in (0, -1):
        value = gaps[place] + target.value
        sure = paired_difference(np.zeros_like(value), value)
        text = f"{amount_words(float(value.mean()), unit, size)} at {value_name(points[place])}"
        if not math.isnan(float(sure.low)):
            low, high = number_words(float(sure.low), size), number_words(float(sure.high), size)
            text += f" (95% interval {low} to {high})"
        words.append(text)
    what = "" if target.kind == "level" else "the difference is "
    return what + " and ".join(words)


def shape_words(found: Shape, lever: Lever, measure: Measure) -> str:
    """Say in a sentence whether the curve has a knee."""
    if found.kind == KNEE:
        width = found.high - found.low
        like = max(abs(found.slope_before), abs(found.slope_after))
        step, by = _step(lever)
        before, after = (number_words(slope * step, like * step) for slope in (found.slope_before, found.slope_after))
        return (
            f"The curve has a knee where {lever.name} is {lever_words(found.at, width)} (95% interval "
            f"{lever_words(found.low, width)} to {lever_words(found.high, width)}): {by} "
            f"changes it by {before} before it and by {after} beyond, in {unit_words(measure)}."
        )
    if found.kind == BENT:
        return "The curve bends, and no knee in it can be told from a smooth bend."
    if found.kind == STRAIGHT:
        return "The curve is straight as far as can be told: it has no knee."
    return "Whether the curve has a knee can't be told from so few values or a single run."


def _step(lever: Lever) -> tuple[float, str]:
    """Return a step of a lever that suits its range, and how it is said."""
    step = 10.0 ** math.floor(math.log10(lever.high - lever.low))
    return step, f"each {value_name(step)} of it"
