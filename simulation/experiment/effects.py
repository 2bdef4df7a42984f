"""What a study would have shown had supervision changed what people do: the same scenarios with every switch on.

The headline figures assume no such effect. Each effect that is only assumed has a switch among the parameters, off by
default. A companion of a scenario is that scenario with all of them on from its first day, each effect as strong as
its parameter says. Companions have the same luck and are compared with the companion of the baseline.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import polars as pl

from simulation.experiment.differences import LABELS, Arm, Schema, difference_tables
from simulation.measures.registry import HEADLINES, MEASURE_BY_NAME
from simulation.scenario import Assignment, Change, Parameters, Resolved, resolve

WITH_EFFECTS = "differences_with_effects.csv"
"""File of the differences with and without effects; there only where a study is asked for it."""

REOFFENDING = ("reoffended_within_year_share", "reoffended_after_release_share")
"""Measures shown beside the headlines: no headline is of what most of the effects are on."""

_BOTH = ("baseline", "difference", "low", "high")

WITH_EFFECTS_SCHEMA: Schema = {
    **LABELS,
    "replications": pl.Int64,
    **dict.fromkeys(_BOTH, pl.Float64),
    **{f"{name}_with_effects": pl.Float64 for name in _BOTH},
}
"""Columns of differences_with_effects.csv."""


def switches(parameters: Parameters) -> tuple[str, ...]:
    """Return the names of the switches: every effect that is a yes or no."""
    return tuple(
        name for name in parameters if name.startswith("effects.") and parameters[name].unit == "yes or no"
    )


def companion(scenario: Resolved) -> Resolved:
    """Return a scenario with every switch on from its first day; its own changes come after."""
    turned_on = Change(
        scenario.start,
        tuple(Assignment("set", name, True) for name in switches(scenario.parameters)),
        why="Shows what the same change would do if supervision changed what people do.",
    )
    renamed = dataclasses.replace(
        scenario.scenario,
        name=f"{scenario.name}_with_effects",
        title=f"{scenario.title}, if supervision changes what people do",
        changes=(turned_on, *scenario.scenario.changes),
    )
    areas = [scenario.geography.areas[area] for area in scenario.areas]
    return resolve(renamed, scenario.parameters, scenario.geography, scenario.overrides, areas)


def effects_table(arms: Sequence[Arm], companions: Sequence[Arm]) -> pl.DataFrame:
    """Put the differences of a study beside those of its companions.

    Parameters
    ----------
    arms, companions : sequence of Arm
        The baseline first in each. Companions bear the names and impact dates of the scenarios they belong to, so
        that the same months are compared.

    Returns
    -------
    polars.DataFrame
        Columns of `WITH_EFFECTS_SCHEMA`: the headlines and reoffending, over every window.
    """
    measures = [MEASURE_BY_NAME[name] for name in dict.fromkeys((*HEADLINES, *REOFFENDING))]
    off, on = (difference_tables(side[0], side[1:], measures).differences for side in (arms, companions))
    found = off.with_columns(on[name].alias(f"{name}_with_effects") for name in _BOTH)
    return found.select(list(WITH_EFFECTS_SCHEMA))
