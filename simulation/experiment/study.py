"""A study: some scenarios, each run several times with the same luck, and the tables made of them.

Examples
--------
>>> from simulation import Study  # doctest: +SKIP
>>> study = Study(["baseline", "reunification"], areas=["durham"], replications=3)  # doctest: +SKIP
>>> study.run().headlines  # doctest: +SKIP
"""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import importlib
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from rich.console import Console

from simulation.experiment.by_group import BY_GROUP, group_table, load_groups
from simulation.experiment.comparisons import COMPARISONS, comparison_table
from simulation.experiment.counts import Counts, Integers, load_counts, read_counts
from simulation.experiment.differences import Arm, difference_tables
from simulation.experiment.effects import WITH_EFFECTS, effects_table
from simulation.experiment.inputs import (
    DEFAULT_REPLICATIONS,
    DEFAULT_SEED,
    Plan,
    StudyError,
    make_plan,
)
from simulation.experiment.jobs import PlannedRun, plan_jobs
from simulation.experiment.levels import distribution_table, level_table
from simulation.experiment.manifest import (
    MANIFEST,
    MODEL,
    differences_of,
    fingerprint,
    git_state,
    output_hashes,
    read_manifest,
    versions,
    write_manifest,
)
from simulation.experiment.pool import (
    DayReached,
    FamilyFailed,
    Message,
    RunSaved,
    WorkersCannotStart,
    run_jobs,
)
from simulation.experiment.precision import PRECISION, SequentialRule
from simulation.experiment.progress import Reporter, SilentReporter, reporter_for
from simulation.experiment.rounds import add_until_precise
from simulation.experiment.runfiles import (
    DamagedRunFile,
    RunSummary,
    check_run,
    remove_leftovers,
    run_path,
    write_atomically,
    write_parquet_atomically,
)
from simulation.experiment.study_result import StudyResult
from simulation.experiment.uncertainty import UNCERTAINTY, uncertainty_table
from simulation.experiment.warm_up import warm_up_table
from simulation.experiment.windows import TO_END, Window, whole_months, windows_after
from simulation.measures.groups import SPLITS
from simulation.scenario import Resolved

if TYPE_CHECKING:
    from simulation.experiment.cluster import Cluster

FAILURES = "failed_runs.txt"
"""File with the full messages of runs that failed; there only when some did."""

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
    draw : int
        Number of the set of parameters; 0 for the central values.
    """

    scenario: str
    replication: int
    reason: str
    draw: int = 0

    def __str__(self) -> str:
        draw = f"draw {self.draw}, " if self.draw else ""
        return f"{self.scenario}, {draw}replication {self.replication + 1}: {self.reason}"


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
    precision : str or float, optional
        Add replications until half of the 95% interval of every headline difference is at most so wide: a share of the
        difference (``0.05``, ``"5%"``), or amounts for headlines by name (``"recalls_year=50,unseen_share=5%"``). The
        replications given are then made before the rule first looks; see `simulation.experiment.precision`.
    most_replications : int, optional
        Stop there even so; 100 by default.
    cluster : str or pathlib.Path, optional
        Address of a Dask scheduler, or a deployment file (docs/cluster.md), instead of ``workers``. Never changes a
        result.
    draws : int
        Sets of parameters: the central values, and this many less one drawn from the ranges, see
        `simulation.experiment.draws`. Never changes the tables of the central values.

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
    precision: str | float | None = field(default=None, kw_only=True)
    most_replications: int | None = field(default=None, kw_only=True)
    cluster: str | Path | None = field(default=None, kw_only=True)
    draws: int = field(default=1, kw_only=True)

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
            self.precision,
            self.most_replications,
            self.cluster,
            self.draws,
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
        _check_folder(plan, self.replace)
        if reporter is None:
            reporter = SilentReporter() if quiet else reporter_for(Console(stderr=True))
        if plan.cluster is None:
            return _Running(plan, reporter).run()
        # Dask is loaded only by who uses it.
        from simulation.experiment.cluster import open_cluster

        with open_cluster(plan.cluster, plan.runner) as cluster:
            return _Running(plan, reporter, cluster).run()


def _check_folder(plan: Plan, replace: bool) -> None:
    """Refuse to write over another study.

    Raises
    ------
    StudyError
        If the folder holds another study and nobody said to replace it.
    """
    if replace or not (plan.folder / MANIFEST).is_file():
        return
    shown = plan.folder.as_posix()
    try:
        old = read_manifest(plan.folder)
    except ValueError as error:
        raise StudyError([f"{error}; choose another folder with --out."]) from error
    # With a precision asked, how many there will be isn't known yet.
    most = plan.precision.most if plan.precision else plan.replications
    found = differences_of(old, {**plan.manifest(), "code": {"digest": plan.code}, "replications": most})
    if found:
        raise StudyError(
            [
                f"{shown} holds a different study ({'; '.join(found)}). "
                "Choose another folder with --out, or give --replace to write over it."
            ]
        )


class _Running:
    """One go at making a study's runs and tables."""

    def __init__(self, plan: Plan, reporter: Reporter, cluster: Cluster | None = None) -> None:
        self.plan = plan
        self.cluster = cluster
        self.workers = plan.workers if cluster is None else cluster.workers
        self.folder = plan.folder
        self.reporter = reporter
        self.records: dict[str, RunSummary] = {}
        self.failures: list[Failure] = []
        self._details: list[str] = []
        self._labels: dict[str, list[tuple[str, int, int]]] = {}
        self._planned: list[PlannedRun] = []
        self._rule: SequentialRule | None = None
        self._begun = False
        self._months = whole_months(plan.baseline.start, plan.baseline.end)
        self._beside = ThreadPoolExecutor(1)
        self._reading: dict[Path, Future[Integers]] = {}
        self._take(plan)

    def _take(self, plan: Plan) -> None:
        """Go by this plan from now on."""
        self.plan = plan
        self._planned = [*plan.runs.values(), *plan.drawn_runs.values()]
        self._labels = collections.defaultdict(list)
        for run in self._planned:
            self._labels[run.key].append((run.scenario, run.replication, run.draw))

    def run(self) -> StudyResult:
        started, clock = dt.datetime.now(dt.UTC), time.monotonic()
        manifest = {**self.plan.manifest(), "runs": [], "outputs": {}}
        manifest["code"] |= git_state()
        manifest["versions"] = versions()
        model = self._load_model()
        self.folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(self.folder)
        (self.folder / FAILURES).unlink(missing_ok=True)
        write_manifest(self.folder, manifest)
        try:
            try:
                share_prefix = "run_family" in getattr(model, "__all__", vars(model))
                if self.plan.precision is None:
                    self._make_runs(share_prefix)
                    self._stop_at_failures(self.plan.replications)
                else:
                    self._make_runs_until_precise(share_prefix)
            finally:
                self.reporter.stop()
            outputs = self._write_outputs()
        except KeyboardInterrupt:
            write_manifest(self.folder, {**manifest, "state": "interrupted"})
            raise
        except (StudyFailed, WorkersCannotStart) as error:
            failed = [str(failure) for failure in self.failures]
            write_manifest(self.folder, {**manifest, "state": "failed", "failures": failed})
            if isinstance(error, WorkersCannotStart):
                raise StudyFailed([], str(error)) from error
            raise
        finally:
            self._beside.shutdown(cancel_futures=True)
        if self._rule is not None:
            manifest |= {"replications": self.plan.replications, "precision": self._rule.record()}
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
        manifest["runs"] += [
            {
                "scenario": scenario,
                "draw": draw,
                "replication": replication,
                "key": run.key,
                "content": self.records[run.key].content,
                "rows": self.records[run.key].rows,
            }
            for (draw, scenario, replication), run in sorted(self.plan.drawn_runs.items())
        ]
        checks: collections.Counter[str] = collections.Counter()
        for key in self._labels:
            checks.update(self.records[key].checks)
        manifest["checks"] = dict(sorted(checks.items()))
        manifest["outputs"] = output_hashes(self.folder, outputs)
        manifest["fingerprint"] = fingerprint(manifest)
        manifest["state"] = "finished"
        # Neither is covered by the fingerprint: the same results may be made on another day by more workers.
        manifest["times"] = {
            "started": started.isoformat(timespec="seconds"),
            "finished": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            "seconds": round(time.monotonic() - clock, 1),
            "workers": self.workers,
        }
        write_manifest(self.folder, manifest)
        return StudyResult(self.folder)

    def _load_model(self) -> Any:
        try:
            return importlib.import_module(self.plan.runner)
        except ImportError as error:
            raise StudyFailed([], f"The model can't be loaded: {error}") from error

    def _make_runs_until_precise(self, share_prefix: bool) -> None:
        """Make runs in rounds; what remains is the plan of as many replications as were found enough."""
        plan, made = self.plan, 0

        def make(replications: int, needed: int) -> None:
            nonlocal made
            if replications > made:
                self._take(dataclasses.replace(plan, replications=replications))
                self._make_runs(share_prefix)
                made = replications
            self._stop_at_failures(needed)

        self._rule = add_until_precise(plan, make, self._counts_of, self.reporter.note)
        self._take(dataclasses.replace(plan, replications=self._rule.replications))

    def _counts_of(self, scenario: str, replication: int) -> Counts:
        """Return the counts of one run, in the months that are counted."""
        path = run_path(self.folder, self.plan.runs[scenario, replication].key)
        reading = self._reading.get(path)
        known = {path: reading.result()} if reading is not None and reading.exception() is None else None
        return load_counts([path], self.plan.areas, self._months, known).of_months(self.plan.months)

    def _make_runs(self, share_prefix: bool) -> None:
        """Make every run that has no valid file yet."""
        missing: list[PlannedRun] = []
        for run in {run.key: run for run in reversed(self._planned)}.values():
            if run.key in self.records:
                continue
            path = run_path(self.folder, run.key)
            if not path.exists():
                missing.append(run)
                continue
            try:
                self.records[run.key] = check_run(path).summary
            except DamagedRunFile as error:
                self.reporter.note(f"Damaged, made again: {run.title}: {error}")
                path.unlink()
                missing.append(run)
        totals = {scenario.name: self.plan.replications for scenario in self.plan.all_scenarios}
        totals |= {scenario.name: self.plan.replications * self.plan.draws for scenario in self.plan.scenarios}
        done = dict.fromkeys(totals, 0)
        for key in self.records:
            for scenario, _, _ in self._labels[key]:
                done[scenario] += 1
        if self._begun:
            self.reporter.grow(totals, done)
        else:
            self.reporter.start(totals, done)
            for remark in dict.fromkeys(str(found) for scenario in self.plan.scenarios for found in scenario.warnings):
                self.reporter.note(remark)
        self._begun = True
        workers = min(self.workers, len(missing))
        jobs = plan_jobs(missing, workers, share_prefix)
        if self.cluster is not None:
            self.cluster.run_jobs(jobs, self.folder, self.plan.seed, self._listen, self.reporter.note)
        else:
            run_jobs(jobs, workers, self.folder, self.plan.seed, self.plan.runner, self._listen)

    def _stop_at_failures(self, needed: int) -> None:
        """Fail if a run of one of the replications needed did."""
        if any(failure.replication < needed for failure in self.failures):
            text = "\n".join(self._details)
            write_atomically(self.folder / FAILURES, text.encode("utf-8"))
            raise StudyFailed(
                self.failures,
                f"{len(self.failures)} of {len(self._planned)} runs failed; the others are saved. "
                f"Details are in {(self.folder / FAILURES).as_posix()}.",
            )

    def _listen(self, message: Message) -> None:
        if isinstance(message, FamilyFailed):
            self.reporter.note(
                f"Replication {message.replication + 1}: the scenarios could not be run together "
                f"({message.reason}); running them one by one."
            )
            return
        for scenario, replication, draw in self._labels[message.key]:
            if isinstance(message, DayReached):
                self.reporter.day(scenario, replication, message.day / max(1, message.days))
            elif isinstance(message, RunSaved):
                self.reporter.saved(scenario, replication)
            else:
                failure = Failure(scenario, replication, message.reason, draw)
                self.failures.append(failure)
                self._details.append(f"{failure}\n{message.details}")
                self.reporter.failed(scenario, replication, message.reason)
        if isinstance(message, RunSaved):
            # Taken from the message: Polars answers Ctrl-C with two exceptions, and the second would
            # interrupt the tidying up after the first.
            self.records[message.key] = message.summary
            if any(draw == 0 for _, _, draw in self._labels[message.key]):
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
        counts = {
            scenario.name: (whole if scenario is plan.baseline else self._counts(paths[scenario.name])).of_months(
                plan.months
            )
            for scenario in plan.scenarios
        }
        arms = [
            Arm(scenario.name, plan.impacts[scenario.name], counts[scenario.name], scenario.scenario.moves)
            for scenario in plan.scenarios
        ]
        tables = difference_tables(arms[0], arms[1:])
        frames = {
            "differences.csv": tables.differences,
            "differences_by_area.csv": tables.by_area,
            "headlines.csv": tables.headlines,
            "levels.csv": level_table(paths[plan.baseline.name], plan.months, plan.whole_country),
            "distributions.csv": distribution_table(paths, self._last_window()),
            "parameters.csv": _parameter_table(plan.baseline),
            "warm_up.csv": warm_up_table(whole, len(self._months) - len(plan.months)),
        }
        if self._rule is not None:
            frames[PRECISION] = self._rule.table()
        if len(arms) > 2 and plan.replications > 1:
            frames[COMPARISONS] = comparison_table(arms, self._last_window())
        for name in {BY_GROUP, WITH_EFFECTS, PRECISION, COMPARISONS, UNCERTAINTY} - set(frames):
            (self.folder / name).unlink(missing_ok=True)
        if plan.split:
            split = SPLITS[plan.split]
            groups = {arm.name: load_groups(paths[arm.name], tuple(split.groups), plan.months) for arm in arms}
            frames[BY_GROUP] = group_table(split, arms[0], arms[1:], groups)
        if plan.companions:
            files = self._paths(plan.companions).values()
            frames[WITH_EFFECTS] = effects_table(
                arms,
                [
                    dataclasses.replace(arm, counts=self._counts(runs).of_months(plan.months))
                    for arm, runs in zip(arms, files, strict=True)
                ],
            )
        if plan.drawn:
            frames[UNCERTAINTY] = uncertainty_table(arms, self._drawn_counts())
        for name, frame in frames.items():
            write_atomically(self.folder / name, frame.write_csv(line_terminator="\n").encode("utf-8"))
        return list(frames)

    def _drawn_counts(self) -> Iterator[list[Counts]]:
        """Return the counts of every scenario under a draw, one draw at a time: only one is ever held."""
        plan = self.plan
        for draw in range(1, plan.draws):
            yield [
                load_counts(
                    [
                        run_path(self.folder, plan.drawn_runs[draw, scenario.name, replication].key)
                        for replication in range(plan.replications)
                    ],
                    plan.areas,
                    plan.months,
                )
                for scenario in plan.scenarios
            ]

    def _last_window(self) -> Window:
        """Return the months after the last of the impact dates, when every scenario is under way."""
        impacts = [impact for each in self.plan.scenarios if (impact := self.plan.impacts[each.name]) is not None]
        windows = windows_after(max(impacts, default=None), self.plan.months)
        return next(window for window in windows if window.name == TO_END)

    def _write_outcomes(self, paths: dict[str, Sequence[Path]]) -> None:
        """Put all runs into one table, a run after the other, without holding them in memory."""
        runs = [(name, 0, number, path) for name, files in paths.items() for number, path in enumerate(files)]
        runs += [
            (scenario, draw, replication, run_path(self.folder, run.key))
            for (draw, scenario, replication), run in self.plan.drawn_runs.items()
        ]
        parts = [
            pl.scan_parquet(path).select(
                pl.lit(scenario).alias("scenario"),
                pl.lit(draw, dtype=pl.Int32).alias("draw"),
                pl.lit(replication, dtype=pl.Int32).alias("replication"),
                pl.all(),
            )
            for scenario, draw, replication, path in runs
        ]
        write_parquet_atomically(self.folder / "outcomes.parquet", pl.concat(parts), {"format": "1"})


def _parameter_table(scenario: Resolved) -> pl.DataFrame:
    """Return every parameter of the baseline with its evidence."""
    columns = ("name", "description", "value", "unit", "low", "high", "confidence", "source", "read_on")
    rows = [{name: row[name] for name in columns} for row in scenario.parameters.rows()]
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")
