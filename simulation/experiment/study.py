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
import datetime as dt
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from simulation.experiment.inputs import (
    DEFAULT_REPLICATIONS,
    DEFAULT_SEED,
    Plan,
    StudyError,
    make_plan,
)
from simulation.experiment.jobs import PlannedRun
from simulation.experiment.making import FAILURES, Failure, Runs, StudyFailed, told_if_not_saved
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
from simulation.experiment.outputs import write_outputs
from simulation.experiment.pool import WorkersCannotStart
from simulation.experiment.progress import Reporter, SilentReporter, reporter_for
from simulation.experiment.runfiles import remove_leftovers
from simulation.experiment.sharing import CannotSave, one_at_a_time
from simulation.experiment.study_result import StudyResult
from simulation.scenario import Resolved


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
    reuse : bool
        Take runs that studies in folders beside this one have made already, as the command ``compare`` does.
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
            return self._run_alone(plan, Runs(plan, reporter, self.reuse))
        # Dask is loaded only by who uses it.
        from simulation.experiment.cluster import open_cluster

        with open_cluster(plan.cluster, plan.runner) as cluster:
            return self._run_alone(plan, Runs(plan, reporter, self.reuse, cluster))

    def _run_alone(self, plan: Plan, runs: Runs) -> StudyResult:
        """Run the plan while no other process is at work in its folder."""
        running = _Running(runs)
        with told_if_not_saved(plan.folder, lambda: running.begun):
            plan.folder.mkdir(parents=True, exist_ok=True)
            with one_at_a_time(plan.folder, runs.reporter.note):
                # Another process may have put a study there while this one waited.
                _check_folder(plan, self.replace)
                running.begin()
                return running.run()


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
    most = plan.replications
    if plan.precision:
        # How many there will be isn't known yet: with what was asked before at least as many, else perhaps the fewest.
        asked_before = old.get("precision", {}).get("asked") == plan.precision.asked()["asked"]
        most = plan.precision.most if asked_before else plan.precision.first
    found = differences_of(old, {**plan.manifest(), "code": {"digest": plan.code}, "replications": most})
    if found:
        raise StudyError(
            [
                f"{shown} holds a different study ({'; '.join(found)}). "
                "Choose another folder with --out, or give --replace to write over it."
            ]
        )


class _Running:
    """One go at making a study's runs and tables, and what the manifest says of it."""

    def __init__(self, runs: Runs) -> None:
        self.runs, self.folder = runs, runs.folder
        self.manifest: dict[str, Any] = {}
        self.begun = False

    def begin(self) -> None:
        """Say in the folder which study is made there; nothing is run before that could be written."""
        self.manifest = {**self.runs.plan.manifest(), "runs": [], "outputs": {}}
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
        runs, manifest = self.runs, self.manifest
        try:
            try:
                runs.make()
            finally:
                runs.reporter.stop()
            outputs = write_outputs(runs)
        except KeyboardInterrupt:
            self._write_state("interrupted")
            raise
        except (StudyFailed, WorkersCannotStart, CannotSave, OSError) as error:
            self._write_state("failed", failures=[str(failure) for failure in runs.failures])
            if isinstance(error, WorkersCannotStart):
                raise StudyFailed([], str(error)) from error
            raise
        finally:
            runs.beside.shutdown(cancel_futures=True)
        plan = runs.plan
        if runs.rule is not None:
            manifest |= {"replications": plan.replications, "precision": runs.rule.record()}
        named: list[tuple[PlannedRun, dict[str, Any]]] = [
            (run, {"scenario": name}) for (name, _), run in sorted(plan.runs.items())
        ]
        named += [(run, {"scenario": name, "draw": draw}) for (draw, name, _), run in sorted(plan.drawn_runs.items())]
        manifest["runs"] = [
            {
                **labels,
                "replication": run.replication,
                "key": run.key,
                "content": runs.records[run.key].content,
                "rows": runs.records[run.key].rows,
            }
            for run, labels in named
        ]
        checks: collections.Counter[str] = collections.Counter()
        for record in runs.summaries():
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
            "workers": runs.workers,
        }
        write_manifest(self.folder, manifest)
        return StudyResult(self.folder)

    def _write_state(self, state: str, **more: Any) -> None:
        """Say in the manifest how the study ended, if the disk lets us: that it didn't finish is said already."""
        with contextlib.suppress(OSError):
            write_manifest(self.folder, {**self.manifest, "state": state, **more})


__all__ = ["FAILURES", "Failure", "Study", "StudyError", "StudyFailed", "StudyResult"]
