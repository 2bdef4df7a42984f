"""A study: some scenarios, each run several times with the same luck, and the tables made of them.

Examples
--------
>>> from simulation import Study  # doctest: +SKIP
>>> study = Study(["baseline", "reunification"], areas=["durham"], replications=3)  # doctest: +SKIP
>>> study.run().headlines  # doctest: +SKIP
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import datetime as dt
import importlib
import shutil
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console

from simulation.experiment.arms import tables_of_arms
from simulation.experiment.by_group import BY_GROUP, load_groups
from simulation.experiment.counts import WHOLE, Counts, Integers, load_counts, read_counts
from simulation.experiment.differences import Arm
from simulation.experiment.effects import WITH_EFFECTS
from simulation.experiment.inputs import (
    DEFAULT_REPLICATIONS,
    DEFAULT_SEED,
    Plan,
    StudyError,
    check_folder,
    make_plan,
)
from simulation.experiment.jobs import PlannedRun, plan_jobs
from simulation.experiment.levels import distribution_table, level_table
from simulation.experiment.manifest import (
    MODEL,
    fingerprint,
    git_state,
    output_hashes,
    versions,
    write_manifest,
)
from simulation.experiment.model_output import ALL_AREAS, MODEL_OUTPUT, bands_table
from simulation.experiment.pool import (
    DayReached,
    FamilyFailed,
    Message,
    RunSaved,
    WorkersCannotStart,
    run_jobs,
)
from simulation.experiment.progress import Reporter, SilentReporter, reporter_for
from simulation.experiment.runfiles import (
    NO_ROOM,
    DamagedRunFile,
    RunSummary,
    check_run,
    remove_leftovers,
    run_path,
    write_atomically,
    write_parquet_atomically,
)
from simulation.experiment.sharing import CannotSave, one_at_a_time, take_over, why_not_saved
from simulation.experiment.study_result import StudyResult
from simulation.experiment.warm_up import warm_up_table
from simulation.experiment.windows import TO_END, Window, whole_months, windows_after
from simulation.measures.groups import SPLITS
from simulation.scenario import Resolved

FAILURES = "failed_runs.txt"
"""File with the full messages of runs that failed; there only when some did."""

_KEPT = "Finished runs are kept: when that is mended, give the same command again to go on from there."

_READ_AHEAD = 40
"""Most runs whose counts are kept from before the tables are made; one of the whole country takes some 8 MB."""


@dataclass(frozen=True)
class Failure:
    """A run that could not be made.

    Parameters
    ----------
    scenario : str
        Name of the scenario.
    replication : int
        Number of the replication, from 0.
    reason : str
        One line.
    """

    scenario: str
    replication: int
    reason: str

    def __str__(self) -> str:
        return f"{self.scenario}, replication {self.replication + 1}: {self.reason}"


class StudyFailed(Exception):
    """Some runs could not be made. The others are saved and are used when the study is run again.

    Parameters
    ----------
    failures : list of Failure
        The runs that failed; empty if no run could be started at all.
    message : str
        What happened.
    """

    def __init__(self, failures: list[Failure], message: str) -> None:
        self.failures = failures
        super().__init__(message)


@dataclass(frozen=True)
class Study:
    """Scenarios compared in pairs that share their luck.

    Parameters
    ----------
    scenarios : sequence of str, pathlib.Path or Resolved
        Names or files of scenarios; the first is the baseline.
    areas : str or iterable of str, optional
        Areas, regions, trusts or providers to run; those of the scenarios by default.
    replications : int
        Runs of each scenario. Replication r has the same luck in all of them.
    seed : int
        Chooses the luck.
    workers : int, optional
        Processes at work at the same time; one a processor by default. Never changes a result.
    out : str or pathlib.Path, optional
        Folder for the results; ``results/`` and the scenarios' names by default.
    until : str or datetime.date, optional
        Last day, to stop early.
    replace : bool
        Replace the results of another study in the same folder.
    runner : str
        Module that runs the model.
    split : str, optional
        By what the counts of people are split: a name in `simulation.measures.groups.SPLITS`. Never changes what
        happens in a run.
    effects : bool
        Run the scenarios a second time, with every assumed effect of supervision on, and put those differences beside
        the others. Never changes the others.
    reuse : bool
        Take runs that studies in folders beside this one have made already, as the command ``compare`` does.

    Examples
    --------
    >>> study = Study(["baseline", "hdc_expansion"], areas="durham", replications=2)
    >>> study.replications
    2
    """

    scenarios: Sequence[str | Path | Resolved]
    areas: str | Iterable[str] | None = None
    replications: int = DEFAULT_REPLICATIONS
    seed: int = DEFAULT_SEED
    workers: int | None = None
    out: str | Path | None = None
    until: str | dt.date | None = None
    replace: bool = field(default=False, kw_only=True)
    runner: str = field(default=MODEL, kw_only=True)
    split: str | None = field(default=None, kw_only=True)
    effects: bool = field(default=False, kw_only=True)
    reuse: bool = field(default=False, kw_only=True)

    def plan(self) -> Plan:
        """Check what was asked for; nothing is run or written.

        Raises
        ------
        StudyError
            With every problem found.
        """
        return make_plan(
            self.scenarios,
            self.areas,
            self.replications,
            self.seed,
            self.workers,
            self.out,
            self.until,
            self.runner,
            self.split,
            self.effects,
        )

    def run(self, reporter: Reporter | None = None, *, quiet: bool = False) -> StudyResult:
        """Make the runs that are not there yet, then the tables.

        Parameters
        ----------
        reporter : Reporter, optional
            Receives news; by default progress is shown on standard error.
        quiet : bool
            Show nothing.

        Returns
        -------
        StudyResult

        Raises
        ------
        StudyError
            The study can't be run as asked; nothing was run or written.
        StudyFailed
            A run failed; the others are kept.
        KeyboardInterrupt
            Passed on after the finished runs were kept; run the study again to go on.
        """
        plan = self.plan()
        check_folder(plan, self.replace)
        if reporter is None:
            reporter = SilentReporter() if quiet else reporter_for(Console(stderr=True))
        return self._run_alone(plan, reporter)

    def _run_alone(self, plan: Plan, reporter: Reporter) -> StudyResult:
        """Run the plan while no other process is at work in its folder."""
        running = _Running(plan, reporter, self.reuse)
        try:
            plan.folder.mkdir(parents=True, exist_ok=True)
            with one_at_a_time(plan.folder, reporter.note):
                # Another process may have put a study there while this one waited.
                check_folder(plan, self.replace)
                running.begin()
                return running.run()
        except OSError as error:
            told = f"{why_not_saved(error, plan.folder)}."
            if not running.begun:
                raise StudyError([told]) from error
            if error.errno not in NO_ROOM:
                raise
            raise StudyFailed([], f"{told} {_KEPT}") from error
        except CannotSave as error:
            raise StudyFailed([], f"{error}. {_KEPT}") from error


class _Running:
    """One go at making a study's runs and tables."""

    def __init__(self, plan: Plan, reporter: Reporter, reuse: bool = False) -> None:
        self.plan = plan
        self.reuse = reuse
        self.model = self._load_model()
        self.manifest: dict[str, Any] = {}
        self.begun = False
        self.folder = plan.folder
        self.reporter = reporter
        self.records: dict[str, RunSummary] = {}
        self.failures: list[Failure] = []
        self._details: list[str] = []
        self._labels: dict[str, list[tuple[str, int]]] = collections.defaultdict(list)
        self._months = whole_months(plan.baseline.start, plan.baseline.end)
        self._beside = ThreadPoolExecutor(1)
        self._reading: dict[Path, Future[Integers]] = {}
        for label, run in plan.runs.items():
            self._labels[run.key].append(label)

    def begin(self) -> None:
        """Say in the folder which study is made there; nothing is run before that could be written."""
        self.manifest = {**self.plan.manifest(), "runs": [], "outputs": {}}
        self.manifest["code"] |= git_state()
        self.manifest["versions"] = versions()
        # What a killed process left may fill the disk.
        remove_leftovers(self.folder)
        write_manifest(self.folder, self.manifest)
        (self.folder / FAILURES).unlink(missing_ok=True)
        self.begun = True

    def run(self) -> StudyResult:
        """Make the runs and the tables."""
        started, clock = dt.datetime.now(dt.UTC), time.monotonic()
        manifest = self.manifest
        try:
            try:
                self._make_runs(share_prefix="run_family" in getattr(self.model, "__all__", vars(self.model)))
            finally:
                self.reporter.stop()
            outputs = self._write_outputs()
        except KeyboardInterrupt:
            self._write_state("interrupted")
            raise
        except (StudyFailed, WorkersCannotStart, CannotSave, OSError) as error:
            self._write_state("failed", failures=[str(failure) for failure in self.failures])
            if isinstance(error, WorkersCannotStart):
                raise StudyFailed([], str(error)) from error
            raise
        finally:
            self._beside.shutdown(cancel_futures=True)
        manifest["runs"] = [
            {
                "scenario": scenario,
                "replication": replication,
                "key": run.key,
                "content": self.records[run.key].content,
                "rows": self.records[run.key].rows,
            }
            for (scenario, replication), run in sorted(self.plan.runs.items())
        ]
        checks: collections.Counter[str] = collections.Counter()
        for record in self.records.values():
            checks.update(record.checks)
        manifest["checks"] = dict(sorted(checks.items()))
        manifest["outputs"] = output_hashes(self.folder, outputs)
        manifest["fingerprint"] = fingerprint(manifest)
        manifest["state"] = "finished"
        # Neither is covered by the fingerprint: the same results may be made on another day by more workers.
        manifest["times"] = {
            "started": started.isoformat(timespec="seconds"),
            "finished": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            "seconds": round(time.monotonic() - clock, 1),
            "workers": self.plan.workers,
        }
        write_manifest(self.folder, manifest)
        return StudyResult(self.folder)

    def _write_state(self, state: str, **more: Any) -> None:
        """Say in the manifest how the study ended, if the disk lets us: that it didn't finish is said already."""
        with contextlib.suppress(OSError):
            write_manifest(self.folder, {**self.manifest, "state": state, **more})

    def _load_model(self) -> Any:
        try:
            return importlib.import_module(self.plan.runner)
        except ImportError as error:
            raise StudyFailed([], f"The model can't be loaded: {error}") from error

    def _make_runs(self, share_prefix: bool) -> None:
        """Make every run that has no valid file yet."""
        missing: list[PlannedRun] = []
        found = 0
        for run in {run.key: run for run in reversed(self.plan.runs.values())}.values():
            path = run_path(self.folder, run.key)
            if not path.exists():
                taken = take_over(self.folder, run.key) if self.reuse else None
                if taken is None:
                    missing.append(dataclasses.replace(run, beside=self.reuse))
                else:
                    self.records[run.key] = taken.summary
                    found += 1
                continue
            try:
                self.records[run.key] = check_run(path).summary
            except DamagedRunFile as error:
                self.reporter.note(f"Damaged, made again: {run.title}: {error}")
                path.unlink()
                missing.append(run)
        totals = {scenario.name: self.plan.replications for scenario in self.plan.all_scenarios}
        done = dict.fromkeys(totals, 0)
        for key in self.records:
            for scenario, _ in self._labels[key]:
                done[scenario] += 1
        if found:
            runs = "1 run was" if found == 1 else f"{found} runs were"
            self.reporter.note(f"{runs} taken from studies beside this one; --fresh makes every run anew.")
        self.reporter.start(totals, done)
        for remark in dict.fromkeys(str(each) for scenario in self.plan.scenarios for each in scenario.warnings):
            self.reporter.note(remark)
        workers = min(self.plan.workers, len(missing))
        jobs = plan_jobs(missing, workers, share_prefix)
        run_jobs(jobs, workers, self.folder, self.plan.seed, self.plan.runner, self._listen)
        if self.failures:
            text = "\n".join(self._details)
            write_atomically(self.folder / FAILURES, text.encode("utf-8"))
            raise StudyFailed(
                self.failures,
                f"{len(self.failures)} of {len(self.plan.runs)} runs failed; the others are saved, "
                "and tables are made when all are there. "
                f"Details are in {(self.folder / FAILURES).as_posix()}.",
            )

    def _listen(self, message: Message) -> None:
        if isinstance(message, FamilyFailed):
            self.reporter.note(
                f"Replication {message.replication + 1}: the scenarios could not be run together "
                f"({message.reason}); running them one by one."
            )
            return
        for scenario, replication in self._labels[message.key]:
            if isinstance(message, DayReached):
                self.reporter.day(scenario, replication, message.day / max(1, message.days))
            elif isinstance(message, RunSaved):
                self.reporter.saved(scenario, replication)
            else:
                failure = Failure(scenario, replication, message.reason)
                self.failures.append(failure)
                self._details.append(f"{failure}\n{message.details}")
                self.reporter.failed(scenario, replication, message.reason)
        if isinstance(message, RunSaved):
            # Taken from the message: Polars answers Ctrl-C with two exceptions, and the second would
            # interrupt the tidying up after the first.
            self.records[message.key] = message.summary
            self._read_ahead(run_path(self.folder, message.key))

    def _read_ahead(self, path: Path) -> None:
        """Read the counts of a run while others are still made, or all would be read when every worker has stopped."""
        if len(self._reading) < _READ_AHEAD:
            self._reading[path] = self._beside.submit(read_counts, path, self.plan.areas, self._months)

    def _counts(self, paths: Sequence[Path]) -> Counts:
        """Return the counts of a scenario's runs from their start."""
        read = {path: self._reading.pop(path) for path in paths if path in self._reading}
        # What went wrong then may go well now, and is told if it doesn't.
        known = {path: reading.result() for path, reading in read.items() if reading.exception() is None}
        return load_counts(paths, self.plan.areas, self._months, known)

    def _paths(self, scenarios: Sequence[Resolved]) -> dict[str, Sequence[Path]]:
        """Return the run files of each scenario in the order of their replications."""
        return {
            scenario.name: [
                run_path(self.folder, self.plan.runs[scenario.name, replication].key)
                for replication in range(self.plan.replications)
            ]
            for scenario in scenarios
        }

    def _write_outputs(self) -> list[str]:
        """Write every table; return their names."""
        paths = self._paths(self.plan.scenarios)
        # One core would idle while the other puts all runs into one table.
        outcomes = self._beside.submit(self._write_outcomes, paths)
        tables = self._write_tables(paths)
        outcomes.result()
        folder = self.folder / "scenarios"
        if folder.is_dir():
            shutil.rmtree(folder)
        for scenario in self.plan.all_scenarios:
            write_atomically(folder / f"{scenario.name}.yaml", scenario.to_yaml().encode("utf-8"))
        scenarios = [f"scenarios/{scenario.name}.yaml" for scenario in self.plan.all_scenarios]
        return ["outcomes.parquet", *tables, *scenarios]

    def _write_tables(self, paths: dict[str, Sequence[Path]]) -> list[str]:
        """Write the tables that are made from the counts of all runs; return their names."""
        plan = self.plan
        whole = self._counts(paths[plan.baseline.name])
        split = None
        if plan.split:
            groups = tuple(SPLITS[plan.split].groups)
            split = SPLITS[plan.split], lambda name: load_groups(paths[name], groups, plan.months)
        baseline = self._arm(plan.baseline, whole.of_months(plan.months))
        location = WHOLE if plan.whole_country else ALL_AREAS
        distributions = distribution_table(paths, self._last_window())
        frames = tables_of_arms(
            baseline,
            (self._arm(scenario) for scenario in plan.scenarios[1:]),
            location,
            split,
            self._companion if plan.companions else None,
        )
        frames[MODEL_OUTPUT] = pl.concat([frames[MODEL_OUTPUT], bands_table(distributions, location)])
        frames |= {
            "levels.csv": level_table(paths[plan.baseline.name], plan.months, plan.whole_country),
            "distributions.csv": distributions,
            "parameters.csv": _parameter_table(plan.baseline),
            "warm_up.csv": warm_up_table(whole, len(self._months) - len(plan.months)),
        }
        for name in (BY_GROUP, WITH_EFFECTS):
            if name not in frames:
                (self.folder / name).unlink(missing_ok=True)
        for name, frame in frames.items():
            write_atomically(self.folder / name, frame.write_csv(line_terminator="\n").encode("utf-8"))
        return list(frames)

    def _arm(self, scenario: Resolved, counts: Counts | None = None) -> Arm:
        """Return a scenario with its counts, read now unless they are given."""
        if counts is None:
            counts = self._counts(self._paths([scenario])[scenario.name]).of_months(self.plan.months)
        return Arm(scenario.name, self.plan.impacts[scenario.name], counts, scenario.scenario.moves)

    def _companion(self, arm: Arm) -> Arm:
        """Return what a scenario gave with every assumed effect on, under the scenario's own name."""
        names = [scenario.name for scenario in self.plan.scenarios]
        runs = self._paths([self.plan.companions[names.index(arm.name)]]).popitem()[1]
        return dataclasses.replace(arm, counts=self._counts(runs).of_months(self.plan.months))

    def _last_window(self) -> Window:
        """Return the months after the last of the impact dates, when every scenario is under way."""
        impacts = [impact for each in self.plan.scenarios if (impact := self.plan.impacts[each.name]) is not None]
        windows = windows_after(max(impacts, default=None), self.plan.months)
        return next(window for window in windows if window.name == TO_END)

    def _write_outcomes(self, paths: dict[str, Sequence[Path]]) -> None:
        """Put all runs into one table, a run after the other, without holding them in memory."""
        parts = [
            pl.scan_parquet(path).select(
                pl.lit(scenario).alias("scenario"),
                pl.lit(0, dtype=pl.Int32).alias("draw"),
                pl.lit(replication, dtype=pl.Int32).alias("replication"),
                pl.all(),
            )
            for scenario, files in paths.items()
            for replication, path in enumerate(files)
        ]
        write_parquet_atomically(self.folder / "outcomes.parquet", pl.concat(parts), {"format": "1"})


def _parameter_table(scenario: Resolved) -> pl.DataFrame:
    """Return every parameter of the baseline with its evidence."""
    columns = ("name", "description", "value", "unit", "low", "high", "confidence", "source", "read_on")
    rows = [{name: row[name] for name in columns} for row in scenario.parameters.rows()]
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")
