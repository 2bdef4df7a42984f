"""Runs kept as one sum over areas: every measure of the areas together is what the full run gives."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import numpy as np
import polars as pl
from conftest import MakeScenario

from simulation.experiment import Study
from simulation.experiment.counts import load_counts
from simulation.experiment.manifest import CODE_THAT_DECIDES
from simulation.experiment.runfiles import run_path, write_run
from simulation.experiment.whole import TOGETHER, together
from simulation.experiment.windows import windows_after
from simulation.measures.registry import MEASURES
from simulation.scenario import load_geography, load_parameters, load_scenario, resolve
from simulation.system.model import RunRequest, run_model

MONTHS = ("2017-02", "2017-03", "2017-04")


def test_every_measure_is_the_same_to_the_last_digit(tmp_path: Path) -> None:
    areas = ("durham", "gwent")
    baseline = dataclasses.replace(load_scenario("baseline"), end=dt.date(2017, 4, 30))
    scenario = resolve(baseline, load_parameters(), load_geography(), areas=areas)
    rows = run_model(RunRequest(scenario, 1, 0)).rows
    files = [
        run_path(tmp_path, write_run(tmp_path, {"kept": kept}, each).key)
        for kept, each in (("areas", rows), ("sums", together(rows)))
    ]
    full, sums = (load_counts([file], areas, MONTHS) for file in files)
    assert full.values[:, :-1].any() and not sums.values[:, :-1].any()
    for window in windows_after(None, MONTHS):
        for measure in MEASURES:
            np.testing.assert_array_equal(full.levels(measure, window)[0], sums.levels(measure, window)[0])
    small, large = (pl.read_parquet(file) for file in reversed(files))
    assert set(small["area"]) == set(small["provider"]) == {TOGETHER}
    assert small["value"].sum() == large["value"].sum()
    assert len(small) < len(large) / 2


def test_a_run_is_named_after_what_writes_it_and_the_libraries(function_scenarios: MakeScenario) -> None:
    plan = Study(function_scenarios(), seed=1, runner="experiment_fake_function").plan()
    (first, *_) = plan.runs.values()
    assert set(first.determinants["libraries"]) == {"numba", "numpy", "polars", "simpy"}
    assert "not installed" not in first.determinants["libraries"].values()
    for module in ("runfiles.py", "whole.py"):
        assert f"experiment/{module}" in CODE_THAT_DECIDES


def test_only_drawn_runs_are_kept_so_and_their_names_say_it(function_scenarios: MakeScenario, tmp_path: Path) -> None:
    study = Study(
        function_scenarios(luck=1.0), draws=3, replications=2, seed=1, runner="experiment_fake_function", out=tmp_path
    )
    plan = study.plan()
    assert not any(run.whole or "kept" in run.determinants for run in plan.runs.values())
    assert all(run.whole and run.determinants["kept"] == TOGETHER for run in plan.drawn_runs.values())
    assert not {run.key for run in plan.runs.values()} & {run.key for run in plan.drawn_runs.values()}
