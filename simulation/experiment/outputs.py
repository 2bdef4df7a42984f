"""The files of a study that are made of its runs: tables, all outcomes in one, and the scenarios as they were."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from simulation.experiment.arms import tables_of_arms
from simulation.experiment.by_group import BY_GROUP, load_groups
from simulation.experiment.comparisons import COMPARISONS, comparison_table
from simulation.experiment.counts import WHOLE, Counts
from simulation.experiment.differences import Arm
from simulation.experiment.effects import WITH_EFFECTS
from simulation.experiment.levels import distribution_table, level_table
from simulation.experiment.making import Runs
from simulation.experiment.model_output import ALL_AREAS, MODEL_OUTPUT, bands_table
from simulation.experiment.precision import PRECISION
from simulation.experiment.runfiles import run_path, write_atomically, write_parquet_atomically
from simulation.experiment.uncertainty import UNCERTAINTY, uncertainty_table
from simulation.experiment.warm_up import warm_up_table
from simulation.experiment.windows import TO_END, Window, windows_after
from simulation.measures.groups import SPLITS
from simulation.scenario import Resolved

OUTCOMES = "outcomes.parquet"
"""File of the counts of all runs."""

_ONLY_WHERE_ASKED = (BY_GROUP, WITH_EFFECTS, PRECISION, COMPARISONS, UNCERTAINTY)


class Arms:
    """The scenarios of a study with their counts, one at a time; few are kept, more are read again when asked for.

    Parameters
    ----------
    runs : Runs
        The runs, all made.
    """

    _FEW = 40

    def __init__(self, runs: Runs) -> None:
        self.runs, self.plan = runs, runs.plan
        self._keeps = len(self.plan.scenarios) * self.plan.replications <= self._FEW
        self._kept: dict[str, Arm] = {}
        #: Counts of the baseline from the start of the runs.
        self.whole = runs.counts(self.plan.baseline)
        self.baseline = self._arm(self.plan.baseline, self.whole)

    def others(self) -> Iterator[Arm]:
        """Return every scenario but the baseline, in order."""
        for scenario in self.plan.scenarios[1:]:
            # In no variable here, or it would be held while the next is read.
            yield self._other(scenario)

    def _other(self, scenario: Resolved) -> Arm:
        if scenario.name in self._kept:
            return self._kept[scenario.name]
        arm = self._arm(scenario, self.runs.counts(scenario))
        if self._keeps:
            self._kept[scenario.name] = arm
        return arm

    def all(self) -> Iterator[Arm]:
        """Return every scenario, the baseline first."""
        yield self.baseline
        yield from self.others()

    def companion(self, arm: Arm) -> Arm:
        """Return what a scenario gave with every assumed effect on, under the scenario's own name."""
        names = [scenario.name for scenario in self.plan.scenarios]
        counts = self.runs.counts(self.plan.companions[names.index(arm.name)])
        return dataclasses.replace(arm, counts=counts.of_months(self.plan.months))

    def _arm(self, scenario: Resolved, counts: Counts) -> Arm:
        impact = self.plan.impacts[scenario.name]
        return Arm(scenario.name, impact, counts.of_months(self.plan.months), scenario.scenario.moves)


def write_outputs(runs: Runs) -> list[str]:
    """Write every file that is made of runs into the study's folder; return their names.

    Parameters
    ----------
    runs : Runs
        The runs, all made.
    """
    plan, folder = runs.plan, runs.folder
    # One core would idle while the other puts all runs into one table.
    outcomes = runs.beside.submit(_write_outcomes, runs)
    frames = _tables(runs)
    for name in set(_ONLY_WHERE_ASKED) - set(frames):
        (folder / name).unlink(missing_ok=True)
    for name, frame in frames.items():
        write_atomically(folder / name, frame.write_csv(line_terminator="\n").encode("utf-8"))
    outcomes.result()
    texts = folder / "scenarios"
    if texts.is_dir():
        shutil.rmtree(texts)
    for scenario in plan.all_scenarios:
        write_atomically(texts / f"{scenario.name}.yaml", scenario.to_yaml().encode("utf-8"))
    return [OUTCOMES, *frames, *(f"scenarios/{scenario.name}.yaml" for scenario in plan.all_scenarios)]


def _tables(runs: Runs) -> dict[str, pl.DataFrame]:
    """Return the tables that are made of the counts of all runs, by name of the file."""
    plan, arms, window = runs.plan, Arms(runs), _last_window(runs)
    paths = runs.paths(plan.scenarios)
    split = None
    if plan.split:
        groups = tuple(SPLITS[plan.split].groups)
        split = SPLITS[plan.split], lambda name: load_groups(paths[name], groups, plan.months)
    location = WHOLE if plan.whole_country else ALL_AREAS
    distributions = distribution_table(paths, window)
    frames = tables_of_arms(
        arms.baseline, arms.others(), location, split, arms.companion if plan.companions else None
    )
    frames[MODEL_OUTPUT] = pl.concat([frames[MODEL_OUTPUT], bands_table(distributions, location)])
    frames |= {
        "levels.csv": level_table(paths[plan.baseline.name], plan.months, plan.whole_country),
        "distributions.csv": distributions,
        "parameters.csv": _parameter_table(plan.baseline),
        "warm_up.csv": warm_up_table(arms.whole, len(runs.months) - len(plan.months)),
    }
    if runs.rule is not None:
        frames[PRECISION] = runs.rule.table()
    if len(plan.scenarios) > 2 and plan.replications > 1:
        frames[COMPARISONS] = comparison_table(arms.all(), window)
    if plan.drawn:
        # One draw at a time: only one is ever held.
        drawn = (runs.drawn_counts(draw) for draw in range(1, plan.draws))
        frames[UNCERTAINTY] = uncertainty_table(list(arms.all()), drawn)
    return frames


def _last_window(runs: Runs) -> Window:
    """Return the months after the last of the impact dates, when every scenario is under way."""
    plan = runs.plan
    impacts = [impact for each in plan.scenarios if (impact := plan.impacts[each.name]) is not None]
    windows = windows_after(max(impacts, default=None), plan.months)
    return next(window for window in windows if window.name == TO_END)


def _write_outcomes(runs: Runs) -> None:
    """Put all runs into one table, a run after the other, without holding them in memory."""
    plan, folder = runs.plan, runs.folder
    files: list[tuple[str, int, int, Path]] = [
        (name, 0, number, path)
        for name, paths in runs.paths(plan.scenarios).items()
        for number, path in enumerate(paths)
    ]
    files += [
        (scenario, draw, replication, run_path(folder, run.key))
        for (draw, scenario, replication), run in plan.drawn_runs.items()
    ]
    parts = [
        pl.scan_parquet(path).select(
            pl.lit(scenario).alias("scenario"),
            pl.lit(draw, dtype=pl.Int32).alias("draw"),
            pl.lit(replication, dtype=pl.Int32).alias("replication"),
            pl.all(),
        )
        for scenario, draw, replication, path in files
    ]
    write_parquet_atomically(folder / OUTCOMES, pl.concat(parts), {"format": "1"})


def _parameter_table(scenario: Resolved) -> pl.DataFrame:
    """Return every parameter of the baseline with its evidence."""
    columns = ("name", "description", "value", "unit", "low", "high", "confidence", "source", "read_on")
    rows = [{name: row[name] for name in columns} for row in scenario.parameters.rows()]
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")
