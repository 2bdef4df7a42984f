"""The record: the history run held beside published values, one row a value. Nothing here moves a parameter.

Each published value is judged by its own range of acceptance. Beside the model's error stand those of two guesses that
need no model: no change since the value published before it, and the straight line through the two before. Values of
one measure are only compared with values of periods as long as their own.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from simulation.evidence.record_periods import QUANTILES
from simulation.measures.published import BY_NAME, NOT_PRODUCED, Record, Target

Key = tuple[str, dt.date, dt.date]
Simulated = Mapping[Key, float | None]


@dataclass(frozen=True)
class Judged:
    """One published value beside the model.

    Parameters
    ----------
    target : Target
        What was published.
    median, low_80, high_80, low_95, high_95 : float or None
        Of the replications; None where the run doesn't cover the period or the model doesn't produce the measure.
    no_change, straight_line : float or None
        What the two guesses say; None where too little was published before.
    reason : str
        Why there is no value; empty if there is one.
    """

    target: Target
    median: float | None = None
    low_80: float | None = None
    high_80: float | None = None
    low_95: float | None = None
    high_95: float | None = None
    no_change: float | None = None
    straight_line: float | None = None
    reason: str = ""

    @property
    def inside(self) -> bool | None:
        """Whether the median is within the range that counts as a match."""
        return None if self.median is None else self.target.low <= self.median <= self.target.high

    @property
    def error(self) -> float | None:
        """Median less published."""
        return None if self.median is None else self.median - self.target.value

    @property
    def tolerance(self) -> float:
        """Distance from the published value to the nearer end of its range that isn't the value itself."""
        ends = [abs(end - self.target.value) for end in (self.target.low, self.target.high)]
        return min((end for end in ends if end > 0), default=0.0)


def judge(targets: Sequence[Target], simulated: Sequence[Simulated]) -> list[Judged]:
    """Judge every published value; failures first, then what has no value, then matches, each in the file's order.

    Parameters
    ----------
    targets : sequence of Target
        Published values.
    simulated : sequence of mapping
        Values of each replication by measure, first and last day.
    """
    found = [_judge(target, targets, simulated) for target in targets]
    order = {False: 0, None: 1, True: 2}
    return sorted(found, key=lambda each: order[each.inside])


def _judge(target: Target, targets: Sequence[Target], simulated: Sequence[Simulated]) -> Judged:
    no_change, straight_line = guesses(target, targets)
    if target.measure not in BY_NAME:
        reason = NOT_PRODUCED.get(target.measure, "No measure of this name.")
        return Judged(target, no_change=no_change, straight_line=straight_line, reason=reason)
    key = (target.measure, target.start, target.end)
    drawn = [value for each in simulated if (value := each.get(key)) is not None]
    if not drawn:
        reason = "The run doesn't cover the period, or there is nobody to count."
        return Judged(target, no_change=no_change, straight_line=straight_line, reason=reason)
    median, low_80, high_80, low_95, high_95 = (float(value) for value in np.quantile(drawn, QUANTILES))
    return Judged(target, median, low_80, high_80, low_95, high_95, no_change, straight_line)


def guesses(target: Target, targets: Sequence[Target]) -> tuple[float | None, float | None]:
    """Return the value published before, and where the line through the two before would be.

    Examples
    --------
    >>> day = dt.date
    >>> past = [Target("a", "m", day(y, 1, 1), day(y, 1, 1), v, 0, 0) for y, v in ((2014, 10.0), (2015, 13.65))]
    >>> guesses(Target("b", "m", day(2016, 1, 1), day(2016, 1, 1), 0, 0, 0), past)
    (13.65, 17.3)
    """
    length = round((target.end - target.start).days / 30)
    before = sorted(
        (
            each
            for each in targets
            if each.measure == target.measure
            and each.end < target.start
            and round((each.end - each.start).days / 30) == length
        ),
        key=lambda each: each.end,
    )
    if not before:
        return None, None
    last = before[-1]
    if len(before) == 1:
        return last.value, None
    earlier = before[-2]
    slope = (last.value - earlier.value) / (last.end - earlier.end).days
    return last.value, round(last.value + slope * (target.end - last.end).days, 9)


def record_of(frame: pl.DataFrame, part: float = 1.0) -> Record:
    """Return the rows of a run file, ready to be asked for published measures; ``part`` of the country was run."""
    columns = {name: frame[name].to_list() for name in ("area", "provider", "group", "month", "measure", "value")}
    return Record(columns, part)


def table(judged: Sequence[Judged]) -> pl.DataFrame:
    """Return one row a published value, as written to validation.csv."""
    return pl.DataFrame(
        [
            {
                "id": each.target.id,
                "measure": each.target.measure,
                "period_start": each.target.start.isoformat(),
                "period_end": each.target.end.isoformat(),
                "unit": each.target.unit,
                "published": each.target.value,
                "accept_low": each.target.low,
                "accept_high": each.target.high,
                "simulated": each.median,
                "low_80": each.low_80,
                "high_80": each.high_80,
                "low_95": each.low_95,
                "high_95": each.high_95,
                "error": each.error,
                "inside": each.inside,
                "no_change": each.no_change,
                "straight_line": each.straight_line,
                "note": each.reason or (BY_NAME[each.target.measure].note if each.target.measure in BY_NAME else ""),
            }
            for each in judged
        ],
        infer_schema_length=None,
    )


def summary(judged: Sequence[Judged]) -> str:
    """Return in a sentence how many values match, and how the guesses do where all three have a value."""
    known = [each for each in judged if each.inside is not None]
    matched = sum(bool(each.inside) for each in known)
    text = f"{matched} of {len(known)} published values are inside their range"
    compared = [each for each in known if each.no_change is not None and each.straight_line is not None]
    if compared:
        inside = [
            sum(each.target.low <= guess <= each.target.high for each in compared if (guess := of(each)) is not None)
            for of in (lambda each: each.median, lambda each: each.no_change, lambda each: each.straight_line)
        ]
        text += (
            f"; of the {len(compared)} with two earlier values, the model has {inside[0]} inside, "
            f"no change {inside[1]}, a straight line {inside[2]}"
        )
    missing = len(judged) - len(known)
    return text + (f"; {missing} have no simulated value." if missing else ".")
