"""The runs of a study on a Dask cluster: the same jobs as `pool` makes, the same files, other computers.

Dask decides which worker does what, notices workers that die, and gives their jobs to others. This module asks before
anything is run whether every worker has the same code and libraries, sends jobs with their parameters, and writes the
files that come back, so nothing has to be shared between the computers but the connection to the scheduler.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import pickle
import queue
import socket
import time
import uuid
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulation.experiment.deployment import Deployment, host_and_port, is_address, read_deployment, start_deployment
from simulation.experiment.inputs import StudyError
from simulation.experiment.jobs import Job
from simulation.experiment.pool import (
    DayReached,
    FamilyFailed,
    Message,
    RunFailed,
    RunSaved,
    WorkersCannotStart,
    one_line,
)
from simulation.experiment.runfiles import (
    NO_ROOM,
    DamagedRunFile,
    read_record,
    run_key,
    run_path,
    write_atomically,
)
from simulation.experiment.sharing import CannotSave, why_not_saved

if TYPE_CHECKING:
    from distributed import Client, Future

    from simulation.experiment.cluster_worker import Reply

SECONDS_TO_CONNECT = 10.0
"""Longest wait for a scheduler's answer."""

SECONDS_BETWEEN_LOOKS = 5.0
"""After so long without news it is looked whether there are any workers."""

MOST_TRIES = 3
"""How often a job is sent that neither failed nor killed its worker but could not be made where it was sent."""

_MOST_REFUSALS = 20

_ALONE = -1
"""In place of the number of tries: a run suspected of killing its worker, made when nothing else is."""

INSTALL = 'python -m pip install -c constraints.txt -e ".[cluster]"'
"""How Dask comes to a copy of this project."""


class ClusterLost(WorkersCannotStart):
    """The cluster is gone or has no worker that can be used; finished runs are kept."""


@dataclass
class _Sent:
    """A job on its way."""

    job: Job
    future: Future
    tries: int


class Cluster:
    """A cluster whose workers were found to be like this computer.

    Parameters
    ----------
    client : distributed.Client
    shown : str
        How the user named the cluster.
    runner : str
        Module that runs the model.
    wanted : mapping of str to str
        What `cluster_worker.about` says here.
    workers : int
        Number of workers among which jobs are divided; more may join.
    """

    def __init__(self, client: Client, shown: str, runner: str, wanted: Mapping[str, str], workers: int) -> None:
        self.workers = workers
        self._client = client
        self._shown = shown
        self._runner = runner
        self._wanted = dict(wanted)
        self._refused: set[str] = set()

    def run_jobs(
        self,
        jobs: Sequence[Job],
        folder: Path,
        seed: int,
        listen: Callable[[Message], None],
        note: Callable[[str], None],
    ) -> None:
        """Make all runs of all jobs and save them.

        Parameters
        ----------
        jobs : sequence of Job
            The first has the highest priority.
        folder : pathlib.Path
            Folder of the study, on this computer.
        seed : int
            Seed of the study.
        listen : callable
            Called with each message, in this thread. A run that fails is reported and the others go on.
        note : callable
            Called with what else the reader should know.

        Raises
        ------
        ClusterLost
            If the scheduler goes away, or no worker is left that can make the runs.
        """
        from simulation.experiment.cluster_worker import as_bytes, make_runs, pack

        study = f"study-{uuid.uuid4().hex[:12]}"
        news: queue.SimpleQueue[str | DayReached] = queue.SimpleQueue()
        waiting = deque((job, 1) for job in jobs)
        suspects: deque[Job] = deque()
        sent: dict[str, _Sent] = {}
        number = 0

        def send(job: Job, tries: int) -> None:
            nonlocal number
            number += 1
            key = f"{study}-{number}"
            # Workers that were refused still ask for work: others come first, whatever they are doing.
            preferred: dict[str, Any] = {}
            if self._refused:
                preferred = {"workers": self._accepted(), "allow_other_workers": True}
            future = self._client.submit(
                pickle.loads,
                as_bytes(make_runs, pack(job), seed, self._runner, self._wanted, study),
                key=key,
                pure=False,
                priority=-number,
                **preferred,
            )
            sent[key] = _Sent(job, future, tries)
            future.add_done_callback(lambda _: news.put(key))

        def heard(event: tuple[float, tuple[str, int, int]]) -> None:
            news.put(DayReached(*event[1]))

        self._client.subscribe_topic(study, heard)
        quiet_since, told = time.monotonic(), False
        try:
            while waiting or sent or suspects:
                # The scheduler needn't hold more than keeps its workers busy.
                while waiting and len(sent) < max(100, 4 * self.workers):
                    send(*waiting.popleft())
                if not sent:
                    send(suspects.popleft(), _ALONE)
                try:
                    # Without an end to the wait, Ctrl-C would not be heard on Windows.
                    item = news.get(timeout=1.0)
                except queue.Empty:
                    if self._client.status == "closed":
                        raise self._lost() from None
                    if time.monotonic() - quiet_since > SECONDS_BETWEEN_LOOKS:
                        quiet_since = time.monotonic()
                        if self._client.status == "running" and not self._addresses() and not told:
                            told = True
                            note(f"{self._shown} has no workers now: waiting for some to join. Ctrl-C gives up.")
                    continue
                quiet_since = time.monotonic()
                if isinstance(item, DayReached):
                    listen(item)
                else:
                    for job, tries in self._settle(sent.pop(item), folder, listen, note):
                        if tries == _ALONE:
                            suspects.append(job)
                        else:
                            waiting.append((job, tries))
        finally:
            left = [each.future for each in sent.values()]
            if self._client.status == "running":
                # What workers are making is stopped as well: they look whether anybody still waits for it.
                with contextlib.suppress(Exception):
                    self._client.unsubscribe_topic(study)
                    if left:
                        self._client.cancel(left, force=True)

    def _settle(
        self, sent: _Sent, folder: Path, listen: Callable[[Message], None], note: Callable[[str], None]
    ) -> list[tuple[Job, int]]:
        """Deal with a job that is over; return what has to be sent again."""
        from distributed import KilledWorker

        from simulation.experiment.cluster_worker import NobodyWaits, WorkerRefused

        job, future = sent.job, sent.future
        if future.status in ("cancelled", "lost"):
            raise self._lost()
        try:
            replies = future.result()
        except WorkerRefused as refused:
            self._refuse({refused.worker: refused.reasons}, note)
            return [(job, sent.tries)]
        except KilledWorker as killed:
            # One of several runs is to blame and nobody knows which: each is tried alone.
            if len(job.runs) > 1:
                listen(FamilyFailed(job.replication, "the worker that had them died"))
                return [(Job(job.replication, (run,)), 1) for run in job.runs]
            # Dask blames whatever waited at a worker that died: a run is at fault if it dies with nothing beside it.
            if sent.tries != _ALONE:
                return [(job, _ALONE)]
            times = f"{killed.allowed_failures + 1} workers" if killed.allowed_failures else "the worker"
            listen(RunFailed(job.runs[0].key, f"{times} that had it died; a worker may be out of memory"))
            return []
        except (Exception, asyncio.CancelledError, NobodyWaits) as error:
            if future.cancelled() or self._client.status != "running":
                raise self._lost() from None
            # A worker that joined without a copy of this project can't say so itself: it is found by asking all again.
            if self._refuse(_ask_workers(self._client, self._runner, self._wanted), note):
                return [(job, sent.tries)]
            # An idle worker takes over what waits at another, so one that is refused meets a job more than once.
            if self._refused and isinstance(error, ImportError | AttributeError) and sent.tries < _MOST_REFUSALS:
                return [(job, max(sent.tries, 0) + 1)]
            if 0 <= sent.tries < MOST_TRIES:
                return [(job, sent.tries + 1)]
            for run in job.runs:
                listen(RunFailed(run.key, f"the cluster could not make it: {one_line(error)}"))
            return []
        for reply in replies:
            listen(_kept(reply, folder))
        return []

    def _refuse(self, found: Mapping[str, list[str]], note: Callable[[str], None]) -> bool:
        """Remember workers that differ; tell whether there are new ones among them.

        Raises
        ------
        ClusterLost
            If no other worker is left.
        """
        new = {worker: reasons for worker, reasons in found.items() if reasons and worker not in self._refused}
        for worker, reasons in new.items():
            self._refused.add(worker)
            note(f"Not used: worker {worker}: {'; '.join(reasons)}.")
        if any(found.values()) and not self._accepted():
            raise ClusterLost(
                f"No worker of {self._shown} is left that can make these runs; the others differ. "
                "Finished runs are kept: give the same command again to go on from there."
            )
        return bool(new)

    def _addresses(self) -> list[str]:
        return list(self._client.scheduler_info()["workers"])

    def _accepted(self) -> list[str]:
        return [address for address in self._addresses() if address not in self._refused]

    def _lost(self) -> ClusterLost:
        return ClusterLost(
            f"The connection to the scheduler of {self._shown} was lost. "
            "Finished runs are kept: give the same command again to go on from there."
        )


def _kept(reply: Reply, folder: Path) -> Message:
    """Write the file of a run; return what to tell of it."""
    message = reply.message
    if not isinstance(message, RunSaved):
        return message
    if hashlib.sha256(reply.data).hexdigest() != reply.digest:
        return RunFailed(message.key, "its file was damaged on the way from the worker")
    path = run_path(folder, message.key)
    try:
        write_atomically(path, reply.data)
    except OSError as error:
        if error.errno not in NO_ROOM:
            return RunFailed(message.key, one_line(error))
        raise CannotSave(why_not_saved(error, folder)) from error
    try:
        record = read_record(path)
        said = record.key, run_key(record.determinants), record.summary
        wrong = "" if said == (message.key, message.key, message.summary) else "it is of another run"
    except DamagedRunFile as error:
        wrong = str(error)
    if wrong:
        path.unlink()
        return RunFailed(message.key, f"what the worker sent can't be used: {wrong}")
    return message


@contextlib.contextmanager
def open_cluster(where: str, runner: str) -> Iterator[Cluster]:
    """Connect to a cluster, or start one, and check its workers; leave or stop it afterwards.

    Parameters
    ----------
    where : str
        Address of a scheduler such as ``tcp://host:8786``, or the name of a deployment file.
    runner : str
        Module that runs the model.

    Yields
    ------
    Cluster

    Raises
    ------
    StudyError
        If it can't be used; nothing was run.
    """
    try:
        import distributed  # noqa: F401
    except ImportError:
        raise StudyError([f"A cluster needs Dask, which is not installed here: {INSTALL}"]) from None
    with contextlib.ExitStack() as stack:
        stack.enter_context(_quiet())
        deployment = None if is_address(where) else _deployment(where)
        if deployment is None:
            _check_reachable(where)
            client = stack.enter_context(_connected(where, where))
        else:
            try:
                started = stack.enter_context(start_deployment(deployment))
            except Exception as error:
                raise StudyError([f"{where}: the cluster could not be started: {one_line(error)}"]) from error
            client = stack.enter_context(_connected(started, where))
            try:
                client.wait_for_workers(1, timeout=deployment.wait_seconds)
            except TimeoutError:
                raise StudyError(
                    [f"{where}: no worker has joined within {deployment.wait_seconds} s (wait_seconds)."]
                ) from None
        wanted, found = _check_workers(client, where, runner)
        # Those asked for may join one by one; jobs are divided as if they had.
        workers = max(found, deployment.workers if deployment else 0)
        yield Cluster(client, where, runner, wanted, workers)


def _deployment(where: str) -> Deployment:
    deployment, problems = read_deployment(Path(where))
    if deployment is None:
        raise StudyError(problems)
    return deployment


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask's remarks from the terminal: what matters is told in words that name the study."""
    logger = logging.getLogger("distributed")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


def _check_reachable(address: str) -> None:
    """Find out what is wrong with an address in words more exact than Dask's."""
    host, port = host_and_port(address)
    try:
        socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        raise StudyError([f"{address}: no computer called {host} is known here."]) from None
    try:
        socket.create_connection((host, port), timeout=SECONDS_TO_CONNECT).close()
    except ConnectionRefusedError:
        raise StudyError(
            [f"{address}: nothing listens at port {port} of {host}; is the scheduler running? A Dask one has 8786."]
        ) from None
    except TimeoutError:
        raise StudyError(
            [f"{address}: no answer within {SECONDS_TO_CONNECT:.0f} s; a firewall may be in the way."]
        ) from None
    except OSError as error:
        raise StudyError([f"{address}: can't be reached: {error.strerror or error}."]) from None
    # A client waits for ever for something that takes a connection and says nothing. In a thread, because a notebook
    # has a loop of its own in this one.
    with ThreadPoolExecutor(1) as aside:
        try:
            aside.submit(asyncio.run, _greet(address)).result()
        except Exception as error:
            raise StudyError([_not_dask(address, error)]) from error


async def _greet(address: str) -> None:
    """Exchange the first words with a scheduler."""
    from distributed import Security
    from distributed.comm import connect

    arguments = Security().get_connection_args("client")
    connecting = connect(address, timeout=SECONDS_TO_CONNECT, **arguments)
    (await asyncio.wait_for(connecting, SECONDS_TO_CONNECT)).abort()


def _not_dask(address: str, error: Exception) -> str:
    if address.startswith("tls://"):
        return (
            f"{address}: no encrypted connection to a Dask scheduler ({one_line(error)[:200]}). "
            "Certificates are named in Dask's configuration, under distributed.comm.tls."
        )
    return (
        f"{address}: something answers there, but not as a Dask scheduler that this version of Dask can talk to "
        f"({one_line(error)[:200]})."
    )


@contextlib.contextmanager
def _connected(target: Any, shown: str) -> Iterator[Client]:
    """Connect to a scheduler."""
    from distributed import Client

    try:
        with warnings.catch_warnings():
            # Versions are compared below, and a difference stops the study.
            warnings.simplefilter("ignore")
            client = Client(target, timeout=SECONDS_TO_CONNECT, set_as_default=False, name="probation-study")
    except Exception as error:
        raise StudyError([_not_dask(shown, error)]) from error
    try:
        yield client
    finally:
        with contextlib.suppress(Exception):
            client.close(timeout=5)


def _check_workers(client: Client, shown: str, runner: str) -> tuple[dict[str, str], int]:
    """Return what is wanted of workers, and how many there are; refuse if one differs.

    Raises
    ------
    StudyError
        Naming the workers and in what they differ.
    """
    from simulation.experiment.cluster_worker import about, differences

    wanted = about(runner)
    # It passes on what it can't read, so all that matters of the scheduler is how it speaks.
    versions: Any = client.get_versions()
    unlike = differences(versions["scheduler"]["packages"], {"distributed": wanted["distributed"]})
    if unlike:
        raise StudyError([f"{shown}: its scheduler differs: {'; '.join(unlike)}. {_mend()}"])
    found = _ask_workers(client, runner, wanted)
    groups: dict[str, list[str]] = {}
    for address, reasons in found.items():
        if reasons:
            groups.setdefault("; ".join(reasons), []).append(address)
    if groups:
        raise StudyError(
            [
                f"{shown}: {_several(addresses)} of {len(found)} can't be used: {reason}. {_mend()}"
                for reason, addresses in sorted(groups.items())
            ]
        )
    if not found:
        raise StudyError([f"{shown}: the scheduler is there but has no workers."])
    return wanted, len(found)


def _ask_workers(client: Client, runner: str, wanted: Mapping[str, str]) -> dict[str, list[str]]:
    """Return by the address of each worker why it can't be used; no reasons for one that can."""
    from simulation.experiment.cluster_worker import as_bytes, differences, examine, thread_problem

    threads = {address: info["nthreads"] for address, info in client.scheduler_info()["workers"].items()}
    found = {}
    for address, answer in client.run(pickle.loads, as_bytes(examine, runner), on_error="return").items():
        # One that has left since it was listed can't be reached.
        if not isinstance(answer, OSError):
            reasons = [_no_copy(answer)] if isinstance(answer, Exception) else differences(answer, wanted)
            found[address] = reasons + thread_problem(threads.get(address, 1))
    return found


def _several(addresses: Sequence[str]) -> str:
    """Name the first of some workers."""
    if len(addresses) == 1:
        return f"worker {addresses[0]}"
    return f"{len(addresses)} workers (the first is {min(addresses)})"


def _no_copy(error: BaseException) -> str:
    """Return why a process can't even say what it has."""
    if isinstance(error, ImportError | AttributeError):
        return f"it has no copy of this project, or another one ({one_line(error)[:200]})"
    return f"it can't be asked ({one_line(error)[:200]})"


def _mend() -> str:
    return f"Put the same copy of this project there and run {INSTALL}"
