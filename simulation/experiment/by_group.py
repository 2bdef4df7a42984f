"""The differences of a study whose counts are split: the same figures for each group of people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from simulation.experiment.counts import PLAIN_COUNTS, WHOLE, Counts
from simulation.experiment.differences import FIGURES, LABELS, Arm, Schema, figures_of, frame_of, labels_of
from simulation.experiment.windows import windows_after
from simulation.measures.groups import ALL, Split, why_not
from simulation.measures.registry import MEASURES, Measure

BY_GROUP = "differences_by_group.csv"
"""File of differences by group of people; there only where a study splits its counts."""

BY_GROUP_SCHEMA: Schema = {**LABELS, "split": pl.String, "group": pl.String, **FIGURES, "note": pl.String}
"""Columns of differences_by_group.csv."""


def load_groups(paths: Sequence[Path], groups: Sequence[str], months: Sequence[str]) -> dict[str, Counts]:
    """Read the counts of each group from the run files of one scenario, all areas together.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        Run files in the order of their replications.
    groups, months : sequence of str
        Groups that the counts are split by, and whole months counted.

    Returns
    -------
    dict of str to Counts
        By group.
    """
    values = np.zeros((len(groups), len(PLAIN_COUNTS), 1, len(months), len(paths)), dtype=np.int64)
    places = [
        pl.DataFrame({name: pl.Series(words, dtype=pl.String), f"{name} code": np.arange(len(words))})
        for name, words in (("group", groups), ("measure", PLAIN_COUNTS), ("month", months))
    ]
    for replication, path in enumerate(paths):
        sums = pl.scan_parquet(path).group_by("group", "measure", "month").agg(pl.col("value").sum()).collect()
        for place in places:
            sums = sums.join(place, on=place.columns[0], how="inner")
        group, count, month = (sums[place.columns[1]].to_numpy() for place in places)
        values[group, count, 0, month, replication] = sums["value"].to_numpy()
    # What belongs to no single area is where the last place is looked for.
    return {group: Counts((WHOLE,), tuple(months), values[number]) for number, group in enumerate(groups)}


def group_table(
    split: Split,
    baseline: Arm,
    arms: Sequence[Arm],
    groups: dict[str, dict[str, Counts]],
    measures: Sequence[Measure] = MEASURES,
) -> pl.DataFrame:
    """Compare each scenario with the baseline in each group, over every window.

    Parameters
    ----------
    split : Split
        What people are split by.
    baseline : Arm
        The scenario compared with.
    arms : sequence of Arm
        The others, in the order shown.
    groups : dict
        Counts of each scenario by group, see `load_groups`.
    measures : sequence of Measure
        What is compared.

    Returns
    -------
    polars.DataFrame
        Columns of `BY_GROUP_SCHEMA`: everybody together first, then each group. A measure that can't be split has the
        first row only, and says why.
    """
    rows: list[dict[str, Any]] = []
    for arm in arms:
        for window in windows_after(arm.impact, arm.counts.months):
            for measure in measures:
                labels = {**labels_of(baseline, arm, measure, window), "split": split.name}
                note = why_not(measure, split)
                pairs = {ALL: (baseline.counts, arm.counts)}
                if not note:
                    pairs |= {name: (groups[baseline.name][name], groups[arm.name][name]) for name in split.groups}
                before, after = (
                    np.array([pair[side].levels(measure, window)[0] for pair in pairs.values()]) for side in (0, 1)
                )
                found = zip(pairs, figures_of(before, after), strict=True)
                rows.extend({**labels, "group": name, **figures, "note": note or None} for name, figures in found)
    return frame_of(rows, BY_GROUP_SCHEMA)

