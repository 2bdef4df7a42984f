"""Worker processes that make runs and save them.

Workers are always spawned, never forked, so that Windows, macOS and Linux do the same. Each has a pipe to the
parent, so it is known which run a worker had when it died. A worker saves each run itself; only short
messages go through the pipe.
"""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import signal
import tempfile
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from simulation.experiment.jobs import Job, PlannedRun
from simulation.experiment.runfiles import NO_ROOM, RunSummary, write_run
from simulation.experiment.sharing import CannotSave, take_over, why_not_saved
from simulation.experiment.whole import together

WORKER_ENVIRONMENT = {
    "POLARS_MAX_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
}
"""One thread a worker: more would fight over the same processors. Read by the libraries when they load."""

SECONDS_BETWEEN_MESSAGES = 0.4
"""Shortest time between two messages about the day a run has reached."""


class WorkersCannotStart(Exception):
    """No run was tried, because the worker processes don't get as far as loading the model."""


@dataclass(frozen=True)
class DayReached:
    """A run, named by its key, has reached a day."""

    key: str
    day: int
    days: int


@dataclass(frozen=True)
class RunSaved:
    """A run was saved.

    Parameters
    ----------
    key : str
        Key of the run.
    summary : RunSummary
        What was saved, so that the parent need not read the file.
    """

    key: str
    summary: RunSummary


@dataclass(frozen=True)
class RunFailed:
    """A run could not be made.

    Parameters
    ----------
    key : str
        Key of the run.
    reason : str
        One line.
    details : str
        Traceback, or empty.
    """

    key: str
    reason: str
    details: str = ""


@dataclass(frozen=True)
class FamilyFailed:
    """Runs could not be made together and are now made one by one.

    Parameters
    ----------
    replication : int
        Number of the replication, from 0.
    reason : str
        One line.
    """

    replication: int
    reason: str


Message = DayReached | RunSaved | RunFailed | FamilyFailed


@dataclass
class _Worker:
    process: SpawnProcess
    connection: Connection
    ready: bool = False
    job: Job | None = None


def run_jobs(
    jobs: Sequence[Job],
    workers: int,
    folder: Path,
    seed: int,
    runner: str,
    listen: Callable[[Message], None],
) -> None:
    """Make all runs of all jobs and save them.

    Parameters
    ----------
    jobs : sequence of Job
        In the order in which they are handed out.
    workers : int
        Number of processes.
    folder : pathlib.Path
        Folder of the study.
    seed : int
        Seed of the study.
    runner : str
        Module that offers ``RunRequest``, ``run_model`` and perhaps ``run_family`` and ``rehearse``.
    listen : callable
        Called with each message, in this process. A run that fails is reported and the others go on.

    Raises
    ------
    WorkersCannotStart
        If a worker process can't load the model.
    CannotSave
        If a run can't be saved: nor could any other be.
    """
    waiting = deque(jobs)
    context = multiprocessing.get_context("spawn")
    pool: list[_Worker] = []
    claims = tempfile.TemporaryDirectory(prefix="rehearsal-", ignore_cleanup_errors=True)

    def start() -> None:
        ours, theirs = context.Pipe()
        process = context.Process(
            target=worker_main, args=(theirs, str(folder), seed, runner, claims.name), name="run worker", daemon=True
        )
        with _environment(WORKER_ENVIRONMENT), _ctrl_c_held_back():
            process.start()
        theirs.close()
        pool.append(_Worker(process, ours))

    try:
        for _ in range(min(workers, len(waiting))):
            start()
        while pool:
            ready = set(wait([worker.connection for worker in pool]))
            for worker in [worker for worker in pool if worker.connection in ready]:
                try:
                    message = worker.connection.recv()
                except (EOFError, OSError):
                    message = _Gone()
                if isinstance(message, _Gone):
                    pool.remove(worker)
                    _bury(worker, waiting, listen)
                    while len(pool) < min(workers, len(waiting)):
                        start()
                elif isinstance(message, _Broken):
                    raise WorkersCannotStart(message.reason)
                elif isinstance(message, _NotSaved):
                    raise CannotSave(message.reason)
                elif isinstance(message, _Idle):
                    worker.ready = True
                    worker.job = waiting.popleft() if waiting else None
                    worker.connection.send(worker.job)
                    if worker.job is None:
                        pool.remove(worker)
                        worker.process.join()
                        worker.connection.close()
                else:
                    if isinstance(message, RunSaved | RunFailed) and worker.job is not None:
                        left = tuple(run for run in worker.job.runs if run.key != message.key)
                        worker.job = Job(worker.job.replication, left)
                    listen(message)
    finally:
        for worker in pool:
            worker.process.terminate()
        for worker in pool:
            worker.process.join(5)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.connection.close()
        claims.cleanup()


def _bury(worker: _Worker, waiting: deque[Job], listen: Callable[[Message], None]) -> None:
    """Deal with what a dead worker was doing.

    When it had several runs, one of them is to blame and nobody knows which: each gets a worker to itself.
    """
    worker.process.join()
    worker.connection.close()
    code = worker.process.exitcode
    if not worker.ready:
        raise WorkersCannotStart(
            f"A worker process stopped before it began (exit code {code}). A script that starts a study must "
            'do so under: if __name__ == "__main__":'
        )
    runs = () if worker.job is None else worker.job.runs
    if len(runs) > 1:
        waiting.extend(Job(run.replication, (run,)) for run in runs)
    elif runs:
        hint = "; the computer may be out of memory, try fewer workers" if code in (-9, 137) else ""
        listen(RunFailed(runs[0].key, f"its worker process died (exit code {code}){hint}"))


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Set environment variables for processes started inside, and put the old ones back."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _ctrl_c_held_back() -> Iterator[None]:
    """Start processes inside without the signal of Ctrl-C; it reaches this process afterwards.

    A process inherits what its parent holds back. Without this, Ctrl-C while a worker is loading its
    libraries would print a traceback for each.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # Python's resource tracker starts with the first process and would let the signal through again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# What follows runs in the worker process.


@dataclass(frozen=True)
class _Idle:
    """The worker has nothing to do."""


@dataclass(frozen=True)
class _Gone:
    """The worker's end of the pipe is closed."""


@dataclass(frozen=True)
class _Broken:
    """The worker could not load the model."""

    reason: str


@dataclass(frozen=True)
class _NotSaved:
    """The worker made a run and could not save it."""

    reason: str


def worker_main(connection: Connection, folder: str, seed: int, runner: str, claims: str) -> None:
    """Make runs until told to stop. Runs in a process of its own.

    Before the first, workers share what has to be done once on a machine; ``claims`` is the folder they agree in.
    """
    # Ctrl-C reaches every process of a terminal; the parent alone decides what happens then.
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def tell(message: Message | _Idle | _Broken | _NotSaved) -> None:
        try:
            connection.send(message)
        except OSError:
            # The parent is gone: nobody wants the result.
            os._exit(1)

    try:
        model = importlib.import_module(runner)
        # The model itself may be imported only when something of it is asked for.
        model.RunRequest  # noqa: B018
    except Exception as error:
        tell(_Broken(f"the model can't be loaded: {one_line(error)}"))
        return
    rehearsed = False
    while True:
        tell(_Idle())
        try:
            job: Job | None = connection.recv()
        except (EOFError, OSError):
            return
        if job is None:
            return
        if not rehearsed and hasattr(model, "rehearse"):
            # Whatever is wrong with the run will show, with its name, when the run itself is made.
            with contextlib.suppress(Exception):
                model.rehearse(run_request(job.runs[0], model, seed, tell), Path(claims))
        rehearsed = True
        try:
            do_job(job, model, Path(folder), seed, tell)
        except CannotSave as error:
            tell(_NotSaved(str(error)))
            return


def do_job(job: Job, model: Any, folder: Path, seed: int, tell: Callable[[Message], None]) -> None:
    """Make and save the runs of a job; if they fail together, one by one."""
    job = _still_to_do(job, folder, tell)
    left = list(job.runs)
    if len(left) > 1 and hasattr(model, "run_family"):
        try:
            requests = [run_request(run, model, seed, tell) for run in job.runs]
            for position, output in model.run_family(requests):
                run = job.runs[position]
                saved = _save(run, output, folder)
                left.remove(run)
                tell(saved)
        except CannotSave:
            raise
        except Exception as error:
            # If one run is at fault it fails again below, and then it is known which.
            tell(FamilyFailed(job.replication, one_line(error)))
    for run in left:
        try:
            saved = _save(run, model.run_model(run_request(run, model, seed, tell)), folder)
        except CannotSave:
            raise
        except Exception as error:
            tell(RunFailed(run.key, one_line(error), traceback.format_exc()))
        else:
            tell(saved)


def _still_to_do(job: Job, folder: Path, tell: Callable[[Message], None]) -> Job:
    """Return the job without the runs that a study beside this one has made since it was planned."""
    left = []
    for run in job.runs:
        taken = take_over(folder, run.key) if run.beside else None
        if taken is None:
            left.append(run)
        else:
            tell(RunSaved(run.key, taken.summary))
    return Job(job.replication, tuple(left))


def run_request(run: PlannedRun, model: Any, seed: int, tell: Callable[[Message], None]) -> Any:
    """Return what a model is asked for when it is to make a run; ``tell`` hears now and then of the day reached."""
    last = 0.0

    def progress(day: int, days: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= SECONDS_BETWEEN_MESSAGES:
            last = now
            tell(DayReached(run.key, day, days))

    split = {"split": run.split} if run.split else {}
    return model.RunRequest(resolved=run.resolved, seed=seed, replication=run.replication, progress=progress, **split)


def _save(run: PlannedRun, output: Any, folder: Path) -> RunSaved:
    try:
        rows = together(output.rows) if run.whole else output.rows
        record = write_run(
            folder, run.determinants, rows, output.event_digests, output.state_digests, output.checks
        )
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        raise CannotSave(why_not_saved(error, folder)) from error
    return RunSaved(run.key, record.summary)


def one_line(error: BaseException) -> str:
    """Return the kind of an error and what it says, without line breaks."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
