"""The tables that compare scenarios, made for one scenario after the other.

The counts of a hundred runs of the whole country take the better part of a gigabyte. Each scenario is compared with the
baseline alone, so no more than the two are ever held; the rows come out as if all were compared at once.
"""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterable

import polars as pl

from simulation.experiment.by_group import BY_GROUP, group_table
from simulation.experiment.counts import Counts
from simulation.experiment.differences import Arm, difference_tables
from simulation.experiment.effects import WITH_EFFECTS, effects_table
from simulation.experiment.model_output import MODEL_OUTPUT, model_output_table
from simulation.measures.groups import Split

Groups = dict[str, Counts]
"""Counts of one scenario by group of people."""


def tables_of_arms(
    baseline: Arm,
    arms: Iterable[Arm],
    location: str,
    split: tuple[Split, Callable[[str], Groups]] | None = None,
    companion: Callable[[Arm], Arm] | None = None,
) -> dict[str, pl.DataFrame]:
    """Compare each scenario with the baseline.

    Parameters
    ----------
    baseline : Arm
        The scenario compared with.
    arms : iterable of Arm
        The others in the order shown; each is let go before the next is asked for.
    location : str
        What figures over all areas are of.
    split : tuple of Split and callable, optional
        By what people are split, and a function that returns the counts by group of the scenario of a name.
    companion : callable, optional
        Returns the same scenario with every assumed effect on.

    Returns
    -------
    dict of str to polars.DataFrame
        By name of the file.
    """
    frames: dict[str, list[pl.DataFrame]] = collections.defaultdict(list)
    groups = split[1](baseline.name) if split else {}
    with_effects = companion(baseline) if companion else None

    def compare(others: list[Arm]) -> None:
        tables = difference_tables(baseline, others)
        frames["differences.csv"].append(tables.differences)
        frames["differences_by_area.csv"].append(tables.by_area)
        frames["headlines.csv"].append(tables.headlines)
        frames[MODEL_OUTPUT].append(model_output_table([baseline, *others], location))
        if split:
            both = {baseline.name: groups, **{arm.name: split[1](arm.name) for arm in others}}
            frames[BY_GROUP].append(group_table(split[0], baseline, others, both))
        if companion and with_effects:
            on = [with_effects, *(companion(arm) for arm in others)]
            frames[WITH_EFFECTS].append(effects_table([baseline, *others], on))

    for arm in arms:
        compare([arm])
        # Else it would be held while the next is read.
        del arm
    if not frames:
        compare([])
    # Two scenarios that change on the same day tell the same of the baseline.
    return {name: pl.concat(parts).unique(maintain_order=True) if name == MODEL_OUTPUT else pl.concat(parts)
            for name, parts in frames.items()}  # fmt: skip
