"""What a worker of a Dask cluster does for a study: say what it is, and make the runs of a job.

Functions are sent by their names, so a worker needs a copy of this project; it is asked which copy before it is given
anything to do. Parameters come with each job, so no file needs to be where both can see it.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import hashlib
import importlib
import importlib.metadata
import os
import pickle
import shutil
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from distributed import get_worker

from simulation.experiment.jobs import Job
from simulation.experiment.manifest import code_digest, experiment_digest
from simulation.experiment.pool import (
    WORKER_ENVIRONMENT,
    DayReached,
    FamilyFailed,
    Message,
    RunFailed,
    RunSaved,
    do_job,
    one_line,
    run_request,
)
from simulation.experiment.runfiles import run_path

LIBRARIES = ("numpy", "numba", "polars", "scipy", "simpy", "distributed")
"""Libraries of which a worker must have the same versions: they decide what a run gives or how it is sent."""

SECONDS_BETWEEN_DAYS = 2.0
"""Shortest time between two messages of a run about its day: a thousand workers send to one scheduler."""

MODEL_LOADS = "yes"
"""What a worker says of a model that it can load; otherwise it says what went wrong."""


_rehearsed: set[str] = set()


class WorkerRefused(Exception):
    """A worker is not like the computer that the study was started on; it has made nothing.

    Parameters
    ----------
    worker : str
        Its address.
    reasons : list of str
        In what it differs.
    """

    def __init__(self, worker: str, reasons: list[str]) -> None:
        self.worker = worker
        self.reasons = reasons
        super().__init__(worker, reasons)


class NobodyWaits(BaseException):
    """The study no longer wants this job. No error of the model, so nothing may take it for one."""


@dataclass(frozen=True)
class Reply:
    """What came of one run, or of a try to make several together.

    Parameters
    ----------
    message : RunSaved, RunFailed or FamilyFailed
        As from a worker of this computer.
    data : bytes
        The run's file; empty if there is none.
    digest : str
        SHA-256 of ``data``.
    """

    message: RunSaved | RunFailed | FamilyFailed
    data: bytes = b""
    digest: str = ""


@functools.cache
def about(runner: str) -> dict[str, str]:
    """Return what must be the same wherever runs of one study are made, by the words for it.

    Parameters
    ----------
    runner : str
        Module that runs the model.

    Returns
    -------
    dict of str to str
        Python's version without its last part, the versions of `LIBRARIES`, and digests of the code that
        makes a run and of that which saves it.
    """
    found = {"Python": f"{sys.version_info.major}.{sys.version_info.minor}"}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    found["code of the model"] = code_digest(runner)[:12]
    found["code of the experiment"] = experiment_digest()[:12]
    return found


def examine(runner: str) -> dict[str, str]:
    """Return what `about` says, and whether the model can be loaded here. Runs in the worker."""
    try:
        # The model itself may be imported only when something of it is asked for.
        importlib.import_module(runner).RunRequest  # noqa: B018
    except Exception as error:
        return {**about(runner), "model": f"can't be loaded, {one_line(error)}"}
    return {**about(runner), "model": MODEL_LOADS}


def differences(found: Mapping[str, str], wanted: Mapping[str, str]) -> list[str]:
    """Return in what a worker differs, a few words each.

    Examples
    --------
    >>> differences({"numpy": "2.4.5", "Python": "3.11"}, {"numpy": "2.4.6", "Python": "3.11"})
    ['numpy 2.4.5, here 2.4.6']
    """
    unlike = [
        f"{name} {found.get(name, 'unknown')}, here {value}"
        for name, value in wanted.items()
        if found.get(name) != value
    ]
    if found.get("model", MODEL_LOADS) != MODEL_LOADS:
        unlike.append(f"the model {found['model']}")
    return unlike


def thread_problem(threads: int) -> list[str]:
    """Return why a worker with so many threads can't be used: none if it has one.

    A run keeps one processor busy from beginning to end and Python lets one thread go on at a time, so a second would
    only need memory; and compiling for the first time changes how loops behave in the whole process.
    """
    return [] if threads == 1 else [f"{threads} threads, where one is wanted (start workers with --nthreads 1)"]


def make_runs(packed: bytes, seed: int, runner: str, wanted: Mapping[str, str], study: str) -> list[Reply]:
    """Make the runs of a job. Runs in the worker.

    Parameters
    ----------
    packed : bytes
        The job; see `pack`.
    seed : int
        Seed of the study.
    runner : str
        Module that runs the model.
    wanted : mapping of str to str
        What `about` says where the study was started.
    study : str
        Names this go at the study: the topic under which days are told.

    Returns
    -------
    list of Reply
        One for each run, with its file.

    Raises
    ------
    WorkerRefused
        If this worker differs. It may have joined after the others were asked.
    """
    for name, value in WORKER_ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    worker = get_worker()
    unlike = differences(examine(runner), wanted) + thread_problem(worker.state.nthreads)
    if unlike:
        raise WorkerRefused(worker.address, unlike)
    job: Job = pickle.loads(zlib.decompress(packed))
    model = importlib.import_module(runner)
    task = worker.get_current_task()
    replies: list[Reply] = []
    last: dict[str, float] = {}

    with tempfile.TemporaryDirectory(prefix="runs-", dir=worker.local_directory, ignore_cleanup_errors=True) as name:
        folder = Path(name)

        def tell(message: Message) -> None:
            if isinstance(message, DayReached):
                state = worker.state.tasks.get(task)
                if state is None or state.state == "cancelled":
                    raise NobodyWaits
                if time.monotonic() - last.get(message.key, 0.0) >= SECONDS_BETWEEN_DAYS:
                    last[message.key] = time.monotonic()
                    worker.log_event(study, [message.key, message.day, message.days])
            elif isinstance(message, RunSaved):
                path = run_path(folder, message.key)
                data = path.read_bytes()
                path.unlink()
                replies.append(Reply(message, data, hashlib.sha256(data).hexdigest()))
            else:
                replies.append(Reply(message))

        if hasattr(model, "rehearse") and study not in _rehearsed:
            _rehearsed.add(study)
            # Whatever is wrong with the run will show, with its name, when the run itself is made.
            with contextlib.suppress(Exception):
                model.rehearse(run_request(job.runs[0], model, seed, lambda _: None), _claims(study))
        do_job(job, model, folder, seed, tell)
    return replies


def pack(job: Job) -> bytes:
    """Return a job as few bytes."""
    return zlib.compress(pickle.dumps(job, protocol=5), 1)


@dataclass(frozen=True)
class _Call:
    function: Callable[..., object]
    arguments: tuple[object, ...]

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.function, self.arguments


def as_bytes(function: Callable[..., object], *arguments: object) -> bytes:
    """Return a call of a function of this project as bytes: to unpickle them is to make it.

    A worker that is sent a function it has no module for loses its connection. One that is sent bytes, and told to
    unpickle them, fails like any other task and says why. The scheduler needs no copy of this project either.

    Examples
    --------
    >>> pickle.loads(as_bytes(thread_problem, 1))
    []
    """
    return pickle.dumps(_Call(function, arguments), protocol=5)


@functools.cache
def _claims(study: str) -> Path:
    """Return the folder in which the workers of one machine agree who compiles what."""
    folder = Path(tempfile.gettempdir()) / f"rehearsal-{study}"
    try:
        folder.mkdir()
    except FileExistsError:
        return folder
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
