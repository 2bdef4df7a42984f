"""The tables of a sensitivity study: effects and indices beside their evidence, and rules of thumb."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from simulation.experiment import screening
from simulation.experiment.differences import Schema, frame_of
from simulation.experiment.draws import Factor
from simulation.experiment.findings import number_words
from simulation.measures.registry import Measure
from simulation.scenario import Parameters
from simulation.scenario.parameters import Parameter

Floats = npt.NDArray[np.float64]

SENSITIVITY = "sensitivity.csv"
RULES = "rules_of_thumb.csv"

LEVEL, DIFFERENCE = "level", "difference"

_WHAT: Schema = {
    "scenario": pl.String,
    "compared_with": pl.String,
    "of": pl.String,
    "measure": pl.String,
    "title": pl.String,
    "unit": pl.String,
    "first_month": pl.String,
    "last_month": pl.String,
}
_EVIDENCE: Schema = {
    "description": pl.String,
    "value": pl.String,
    "low": pl.String,
    "high": pl.String,
    "parameter_unit": pl.String,
    "confidence": pl.String,
    "source": pl.String,
}
SENSITIVITY_SCHEMA: Schema = {
    **_WHAT,
    "central": pl.Float64,
    "rank": pl.Int64,
    "parameter": pl.String,
    "step": pl.String,
    "trajectories": pl.Int64,
    "replications": pl.Int64,
    "mu": pl.Float64,
    "mu_star": pl.Float64,
    "mu_star_low": pl.Float64,
    "mu_star_high": pl.Float64,
    "sigma": pl.Float64,
    "luck_floor": pl.Float64,
    "verdict": pl.String,
    "s1": pl.Float64,
    "s1_low": pl.Float64,
    "s1_high": pl.Float64,
    "st": pl.Float64,
    "st_low": pl.Float64,
    "st_high": pl.Float64,
    **_EVIDENCE,
}
"""Columns of sensitivity.csv."""

RULES_SCHEMA: Schema = {
    **_WHAT,
    "parameter": pl.String,
    "for_each": pl.String,
    "change": pl.Float64,
    "change_low": pl.Float64,
    "change_high": pl.Float64,
    "clear": pl.Boolean,
    "points": pl.Int64,
    "fit": pl.Float64,
    "rule": pl.String,
    **_EVIDENCE,
}
"""Columns of rules_of_thumb.csv."""

FIRST_PASS, CLOSER_LOOK = "first pass", "closer look"
ABOVE, WITHIN, STILL, UNKNOWN = "above luck", "indistinguishable from luck", "moves nothing", "luck not measured"

_STAFF_STEP = 100


@dataclass(frozen=True)
class Side:
    """A level of the baseline, or a difference of a scenario from it.

    Parameters
    ----------
    scenario, compared_with : str
        Names; the latter empty for a level.
    months : tuple of str
        Months measured.
    """

    scenario: str
    compared_with: str
    months: tuple[str, ...]


@dataclass(frozen=True)
class Closer:
    """The closer look.

    Parameters
    ----------
    factors : tuple of Factor
        Parameters looked at.
    points : ndarray of float64, shape (points, parameters)
        See `simulation.experiment.screening.morris_points`.
    outcomes : ndarray of float64, shape (points, sides, measures, replications)
    even : ndarray of float64, shape as of outcomes
        As if all steps were equally long, see `simulation.experiment.screening.as_if_even`.
    """

    factors: tuple[Factor, ...]
    points: Floats
    outcomes: Floats
    even: Floats

    @property
    def trajectories(self) -> int:
        """Number of trajectories."""
        return len(self.points) // (len(self.factors) + 1)


@dataclass(frozen=True)
class Findings:
    """All that came out of the runs.

    Parameters
    ----------
    parameters : Parameters
        Of the baseline, central values.
    sides : tuple of Side
        What was looked at, the level of the baseline first.
    measures : tuple of Measure
    chosen : tuple of Factor
        Every parameter moved.
    screening : (points, outcomes) or None
        The first pass: outcomes of shape (points, sides, measures), as if all steps were equally long.
    closer : Closer
    top : tuple of Factor
        Parameters with indices.
    sampled : ndarray of float64, shape (points, sides, measures), or None
    central : ndarray of float64, shape (sides, measures, replications)
    positions : ndarray of float64, shape (points, parameters of the closer look)
        See `position_of`, for the points of the closer look.
    seed : int
    """

    parameters: Parameters
    sides: tuple[Side, ...]
    measures: tuple[Measure, ...]
    chosen: tuple[Factor, ...]
    screening: tuple[Floats, Floats] | None
    closer: Closer
    top: tuple[Factor, ...]
    sampled: Floats | None
    central: Floats
    positions: Floats
    seed: int


def position_of(parameter: Parameter, factor: Factor, values: Mapping[str, float | int]) -> float:
    """Return where a set of values has a parameter: its value, or for a table the mean place of its entries.

    The place of an entry is 0 at the low end of its range and 1 at the high one. Of parts of a whole, which move
    against each other, it is that of the first entry.
    """
    if factor.entries == ((),):
        return float(values.get(parameter.name, parameter.leaves[()]))
    places = []
    for labels in factor.entries[:1] if factor.parts else factor.entries:
        value = float(values.get(".".join((parameter.name, *labels)), parameter.leaves[labels]))
        places.append((value - parameter.low[labels]) / (parameter.high[labels] - parameter.low[labels]))
    return math.fsum(places) / len(places)


def places_of(parameters: Parameters, chosen: Sequence[Factor], values: Sequence[Mapping[str, float | int]]) -> Floats:
    """Return where in its range each set of values has each parameter, from 0 to 1, of shape (sets, parameters)."""

    def place(factor: Factor, each: Mapping[str, float | int]) -> float:
        parameter = parameters[factor.name]
        position = position_of(parameter, factor, each)
        if factor.entries != ((),):
            return position
        return (position - parameter.low[()]) / (parameter.high[()] - parameter.low[()])

    return np.array([[place(factor, each) for factor in chosen] for each in values]).reshape(len(values), len(chosen))


def sensitivity_table(found: Findings) -> pl.DataFrame:
    """Return every parameter's effect on every level and difference, largest first, with its evidence."""
    rows: list[dict[str, Any]] = []
    for place, side in enumerate(found.sides):
        for column, measure in enumerate(found.measures):
            figures = _of_one(found, place, column)
            # A closer look outranks the first pass, which is one step of each parameter.
            order = sorted(
                figures, key=lambda row: (row["step"] != CLOSER_LOOK, -(row["mu_star"] if row["mu_star"] >= 0 else -1))
            )
            what = _what(side, measure)
            central = float(found.central[place, column].mean())
            rows += [{**what, "central": central, "rank": rank, **row} for rank, row in enumerate(order, 1)]
    return frame_of(rows, SENSITIVITY_SCHEMA)


def _what(side: Side, measure: Measure) -> dict[str, Any]:
    return {
        "scenario": side.scenario,
        "compared_with": side.compared_with or None,
        "of": DIFFERENCE if side.compared_with else LEVEL,
        "measure": measure.name,
        "title": measure.title,
        "unit": measure.unit,
        "first_month": side.months[0],
        "last_month": side.months[-1],
    }


def _of_one(found: Findings, place: int, column: int) -> list[dict[str, Any]]:
    """Return a row for each parameter, for one level or difference."""
    closer = found.closer
    outcomes = closer.even[:, place, column]
    replications = outcomes.shape[-1]
    names = [factor.name for factor in closer.factors]
    luck = screening.luck_of_effects(closer.points, outcomes)
    floors = screening.luck_floor(luck, closer.trajectories, replications)
    rows = {
        name: {**row, **_indices_of(found, place, column, name)}
        for name, row in _rows(
            found, names, screening.screened(names, closer.points, outcomes.mean(axis=-1), found.seed), floors
        ).items()
    }
    for row in rows.values():
        row |= {"step": CLOSER_LOOK, "trajectories": closer.trajectories, "replications": replications}
    if found.screening is not None:
        points, before = found.screening
        every = [factor.name for factor in found.chosen]
        # The first pass measures no luck of its own: it has one replication.
        floor = screening.luck_floor(np.full(len(every), float(np.sqrt((luck**2).mean()))), 1, 1)
        first = _rows(found, every, screening.screened(every, points, before[:, place, column], found.seed), floor)
        for name, row in first.items():
            rows.setdefault(name, {**row, "step": FIRST_PASS, "trajectories": 1, "replications": 1})
    return list(rows.values())


def _rows(found: Findings, names: list[str], figures: screening.Screened, floors: Floats) -> dict[str, dict[str, Any]]:
    return {
        name: {
            "parameter": name,
            "mu": figures.mu[i],
            "mu_star": figures.mu_star[i],
            "mu_star_low": figures.low[i],
            "mu_star_high": figures.high[i],
            "sigma": figures.sigma[i],
            "luck_floor": floors[i],
            "verdict": _verdict(float(figures.mu_star[i]), float(floors[i])),
            **evidence_of(found.parameters[name]),
        }
        for i, name in enumerate(names)
    }


def _verdict(effect: float, floor: float) -> str:
    if effect == 0:
        return STILL
    if not math.isfinite(floor) or not math.isfinite(effect):
        return UNKNOWN
    return ABOVE if effect > floor else WITHIN


def _indices_of(found: Findings, place: int, column: int, name: str) -> dict[str, float]:
    names = [factor.name for factor in found.top]
    if found.sampled is None or name not in names:
        return {}
    indices = screening.sobol_indices(names, found.sampled[:, place, column], found.seed)
    i = names.index(name)
    row: dict[str, float] = {}
    for label, middle, half in (
        ("s1", indices.first[i], indices.first_half[i]),
        ("st", indices.total[i], indices.total_half[i]),
    ):
        row |= {label: float(middle), f"{label}_low": float(middle - half), f"{label}_high": float(middle + half)}
    return row


def evidence_of(parameter: Parameter) -> dict[str, Any]:
    """Return the evidence row of a parameter; tables as JSON."""
    row = next(iter(Parameters([parameter]).rows()))
    names = ("description", "value", "low", "high", "confidence", "source")
    return {**{name: row[name] for name in names}, "parameter_unit": row["unit"]}


def rules_table(found: Findings) -> pl.DataFrame:
    """Return a straight line's slope for each parameter of the closer look, in words a reader can carry away."""
    rows: list[dict[str, Any]] = []
    for place, side in enumerate(found.sides):
        for column, measure in enumerate(found.measures):
            outcomes = found.closer.outcomes[:, place, column]
            luck = screening.luck_of_slopes(found.positions, outcomes).of_mean(outcomes.shape[1])
            line = screening.straight_line(found.positions, outcomes.mean(axis=1), luck)
            for i, factor in enumerate(found.closer.factors):
                rows.append(_rule(found, side, measure, factor, float(line.slope[i]), float(line.half[i]), line.fit))
    return frame_of(rows, RULES_SCHEMA)


def _rule(
    found: Findings, side: Side, measure: Measure, factor: Factor, slope: float, half: float, fit: float
) -> dict[str, Any]:
    parameter = found.parameters[factor.name]
    step, words = _step(parameter, factor)
    change = slope * step
    low, high = sorted((change - abs(half * step), change + abs(half * step)))
    known = math.isfinite(change) and math.isfinite(half)
    clear = known and (low > 0 or high < 0)
    return {
        **_what(side, measure),
        "parameter": factor.name,
        "for_each": words,
        "change": change,
        "change_low": low,
        "change_high": high,
        "clear": clear,
        "points": len(found.positions),
        "fit": fit,
        "rule": _sentence(side, measure, words, change, low, high) if known else None,
        **evidence_of(parameter),
    }


def _step(parameter: Parameter, factor: Factor) -> tuple[float, str]:
    """Return the step of a rule, in the terms of `position_of`, and how it is said."""
    described = parameter.description.rstrip(".")
    described = described if described[:2].isupper() else described[:1].lower() + described[1:]
    if factor.entries != ((),):
        part = "the first part of " if factor.parts else ""
        return 1.0, f"The whole range of {part}“{described}”"
    value = float(parameter.leaves[()])
    if parameter.name.startswith("staff.") and parameter.unit == "people" and value > _STAFF_STEP:
        return -float(_STAFF_STEP), f"Each {_STAFF_STEP} fewer of the {value:,.0f} {described}"
    if value == 0:
        return parameter.high[()] - parameter.low[()], f"The whole range of “{described}”"
    return value / 10, f"Each 10% more of “{described}”"


def _sentence(side: Side, measure: Measure, words: str, change: float, low: float, high: float) -> str:
    unit = "percentage points" if measure.unit.startswith("%") else measure.unit
    like = max(abs(low), abs(high))
    title = measure.title if measure.title[:2].isupper() else measure.title[:1].lower() + measure.title[1:]
    what = f"what {side.scenario} does to “{title}”" if side.compared_with else f"“{title}”"
    size = number_words(change, like)
    size = f"+{size}" if change > 0 and any(digit in size for digit in "123456789") else size
    ends = f"95% interval {number_words(low, like)} to {number_words(high, like)}"
    if low <= 0 <= high:
        return f"{words}: no clear effect on {what}, {size} {unit} ({ends})."
    return f"{words}: {size} {unit} on {what} ({ends})."
