"""The runs of a study: which are there, which are to be made, and their counts."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import importlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulation.experiment.counts import Counts, Integers, load_counts, read_counts
from simulation.experiment.inputs import Plan, StudyError
from simulation.experiment.jobs import PlannedRun, plan_jobs
from simulation.experiment.pool import DayReached, FamilyFailed, Message, RunSaved, run_jobs
from simulation.experiment.precision import SequentialRule
from simulation.experiment.progress import Reporter
from simulation.experiment.rounds import add_until_precise
from simulation.experiment.runfiles import NO_ROOM, DamagedRunFile, RunSummary, check_run, run_path, write_atomically
from simulation.experiment.sharing import CannotSave, take_over, why_not_saved
from simulation.experiment.windows import whole_months
from simulation.scenario import Resolved

if TYPE_CHECKING:
    from simulation.experiment.cluster import Cluster

FAILURES = "failed_runs.txt"
"""File with the full messages of runs that failed; there only when some did."""

_READ_AHEAD = 40
"""Most runs whose counts are kept from before the tables are made; one of the whole country takes some 8 MB."""


_KEPT = "Finished runs are kept: when that is mended, give the same command again to go on from there."


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


@contextlib.contextmanager
def told_if_not_saved(folder: Path, begun: Callable[[], bool]) -> Iterator[None]:
    """Say in one line that a study's folder can't be written to.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the study.
    begun : callable
        Whether anything was written there.

    Raises
    ------
    StudyError
        In place of an `OSError`, if nothing was: nothing was run either.
    StudyFailed
        In place of `CannotSave`, or of an `OSError` of a disk that is full or not to be written to.
    """
    try:
        yield
    except OSError as error:
        told = f"{why_not_saved(error, folder)}."
        if not begun():
            raise StudyError([told]) from error
        if error.errno not in NO_ROOM:
            raise
        raise StudyFailed([], f"{told} {_KEPT}") from error
    except CannotSave as error:
        raise StudyFailed([], f"{error}. {_KEPT}") from error


class Runs:
    """The runs of a plan, made where they are missing.

    Parameters
    ----------
    plan : Plan
        What is to be run. With a precision asked it grows; see ``plan`` afterwards.
    reporter : Reporter
        Hears of what is made.
    reuse : bool
        Whether runs are taken from studies in folders beside this one.
    cluster : Cluster, optional
        What makes the runs; processes on this computer without one.
    """

    def __init__(self, plan: Plan, reporter: Reporter, reuse: bool = False, cluster: Cluster | None = None) -> None:
        self.plan = plan
        self.model = _load_model(plan.runner)
        self.folder, self.reporter, self.reuse, self.cluster = plan.folder, reporter, reuse, cluster
        self.workers = plan.workers if cluster is None else cluster.workers
        self.months = whole_months(plan.baseline.start, plan.baseline.end)
        #: What each run's file says of itself, by key.
        self.records: dict[str, RunSummary] = {}
        self.failures: list[Failure] = []
        #: How precise the study has come to be, where that was asked for.
        self.rule: SequentialRule | None = None
        #: For work beside that of this process: reading files, mostly.
        self.beside = ThreadPoolExecutor(1)
        self._details: list[str] = []
        self._labels: dict[str, list[tuple[str, int, int]]] = {}
        self._planned: list[PlannedRun] = []
        self._started = False
        self._reading: dict[Path, Future[Integers]] = {}
        self._take(plan)

    def _take(self, plan: Plan) -> None:
        """Go by this plan from now on."""
        self.plan = plan
        self._planned = [*plan.runs.values(), *plan.drawn_runs.values()]
        self._labels = collections.defaultdict(list)
        for run in self._planned:
            self._labels[run.key].append((run.scenario, run.replication, run.draw))

    # --- Making them ------------------------------------------------------------------------------------------

    def make(self) -> None:
        """Make every run that has no valid file yet.

        Raises
        ------
        StudyFailed
            If a run that is needed could not be made.
        """
        if self.plan.precision is None:
            self._make_missing()
            self._stop_at_failures(self.plan.replications)
        else:
            self._make_until_precise()

    def _make_until_precise(self) -> None:
        """Make runs in rounds; what remains is the plan of as many replications as were found enough."""
        plan, made = self.plan, 0

        def make(replications: int, needed: int) -> None:
            nonlocal made
            if replications > made:
                self._take(dataclasses.replace(plan, replications=replications))
                self._make_missing()
                made = replications
            self._stop_at_failures(needed)

        self.rule = add_until_precise(plan, make, self._counts_of, self.reporter.note, self.workers)
        self._take(dataclasses.replace(plan, replications=self.rule.replications))

    def _make_missing(self) -> None:
        missing: list[PlannedRun] = []
        found = 0
        for run in {run.key: run for run in reversed(self._planned)}.values():
            if run.key in self.records:
                continue
            path = run_path(self.folder, run.key)
            if not path.exists():
                taken = take_over(self.folder, run.key) if self.reuse else None
                if taken is None:
                    # Workers of a cluster don't see the folders of this computer.
                    missing.append(dataclasses.replace(run, beside=self.reuse and self.cluster is None))
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
        if found:
            runs = "1 run was" if found == 1 else f"{found} runs were"
            self.reporter.note(f"{runs} taken from studies beside this one; --fresh makes every run anew.")
        self._tell_totals()
        workers = min(self.workers, len(missing))
        share_prefix = "run_family" in getattr(self.model, "__all__", vars(self.model))
        jobs = plan_jobs(missing, workers, share_prefix)
        if self.cluster is not None:
            self.cluster.run_jobs(jobs, self.folder, self.plan.seed, self._listen, self.reporter.note)
        else:
            run_jobs(jobs, workers, self.folder, self.plan.seed, self.plan.runner, self._listen)

    def _tell_totals(self) -> None:
        """Tell the reporter how many runs there are to be and are."""
        totals = {scenario.name: self.plan.replications for scenario in self.plan.all_scenarios}
        totals |= {scenario.name: self.plan.replications * self.plan.draws for scenario in self.plan.scenarios}
        done = dict.fromkeys(totals, 0)
        for key in self.records:
            for scenario, _, _ in self._labels[key]:
                done[scenario] += 1
        if self._started:
            self.reporter.grow(totals, done)
            return
        self._started = True
        self.reporter.start(totals, done)
        for remark in dict.fromkeys(str(each) for scenario in self.plan.scenarios for each in scenario.warnings):
            self.reporter.note(remark)

    def _stop_at_failures(self, needed: int) -> None:
        """Fail if a run of one of the replications needed did."""
        if any(failure.replication < needed for failure in self.failures):
            text = "\n".join(self._details)
            write_atomically(self.folder / FAILURES, text.encode("utf-8"))
            raise StudyFailed(
                self.failures,
                f"{len(self.failures)} of {len(self._planned)} runs failed; the others are saved, and tables are made "
                f"when all are there. Details are in {(self.folder / FAILURES).as_posix()}.",
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
            self._reading[path] = self.beside.submit(read_counts, path, self.plan.areas, self.months)

    def summaries(self) -> list[RunSummary]:
        """Return what the files of this study's runs say, each once."""
        return [self.records[key] for key in self._labels]

    # --- Reading them -----------------------------------------------------------------------------------------

    def paths(self, scenarios: Sequence[Resolved]) -> dict[str, Sequence[Path]]:
        """Return the run files of each scenario in the order of their replications."""
        return {
            scenario.name: [
                run_path(self.folder, self.plan.runs[scenario.name, replication].key)
                for replication in range(self.plan.replications)
            ]
            for scenario in scenarios
        }

    def counts(self, scenario: Resolved) -> Counts:
        """Return the counts of a scenario's runs from their start."""
        paths = self.paths([scenario])[scenario.name]
        read = {path: self._reading.pop(path) for path in paths if path in self._reading}
        # What went wrong then may go well now, and is told if it doesn't.
        known = {path: reading.result() for path, reading in read.items() if reading.exception() is None}
        return load_counts(paths, self.plan.areas, self.months, known)

    def drawn_counts(self, draw: int) -> list[Counts]:
        """Return the counts of every scenario under a draw, in the months that are counted."""
        plan = self.plan
        return [
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

    def _counts_of(self, scenario: str, replication: int) -> Counts:
        """Return the counts of one run, in the months that are counted."""
        path = run_path(self.folder, self.plan.runs[scenario, replication].key)
        reading = self._reading.get(path)
        known = {path: reading.result()} if reading is not None and reading.exception() is None else None
        return load_counts([path], self.plan.areas, self.months, known).of_months(self.plan.months)


def _load_model(runner: str) -> Any:
    try:
        return importlib.import_module(runner)
    except ImportError as error:
        raise StudyFailed([], f"The model can't be loaded: {error}") from error
