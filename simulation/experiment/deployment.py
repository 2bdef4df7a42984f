"""Where a study's cluster is: an address, or a file that names one of Dask's kinds of cluster and its arguments.

Each kind is Dask's own class, and its arguments have Dask's names; those that would run two runs in one process, or
open a page to the network, are not left to the file.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from simulation.experiment.pool import WORKER_ENVIRONMENT
from simulation.scenario.checking import check_model
from simulation.scenario.problems import did_you_mean, nearest, quote
from simulation.scenario.yaml_reader import read_file

SCHEMES = ("tcp", "tls")
"""How a scheduler may be spoken to: openly, or encrypted with certificates from Dask's configuration."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


Count = Annotated[int, Field(ge=1, le=10_000)]
Text = Annotated[str, Field(min_length=1)]
Size = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)? ?([kMGT]i?)?B?$")]


class LocalArguments(_Strict):
    """Of ``distributed.LocalCluster``."""

    memory_limit: Size | None = None
    local_directory: Text | None = None


class ConnectOptions(_Strict):
    """Of ``asyncssh.connect``."""

    username: Text | None = None
    port: Annotated[int, Field(ge=1, le=65_535)] | None = None
    client_keys: list[Text] | None = None
    known_hosts: Text | None = None


class WorkerOptions(_Strict):
    """Of a worker started over SSH."""

    n_workers: Count = 1
    memory_limit: Size | None = None
    local_directory: Text | None = None


class SchedulerOptions(_Strict):
    """Of a scheduler."""

    host: Text | None = None
    port: Annotated[int, Field(ge=0, le=65_535)] | None = None
    interface: Text | None = None


class SSHArguments(_Strict):
    """Of ``distributed.SSHCluster``."""

    hosts: Annotated[list[Text], Field(min_length=2)]
    connect_options: ConnectOptions = ConnectOptions()
    worker_options: WorkerOptions = WorkerOptions()
    scheduler_options: SchedulerOptions = SchedulerOptions()
    remote_python: Text | None = None


class SLURMArguments(_Strict):
    """Of ``dask_jobqueue.SLURMCluster``."""

    memory: Size
    processes: Count = 1
    queue: Text | None = None
    account: Text | None = None
    walltime: Text | None = None
    interface: Text | None = None
    python: Text | None = None
    job_script_prologue: list[str] | None = None
    job_extra_directives: list[str] | None = None
    worker_extra_args: list[str] | None = None
    local_directory: Text | None = None
    log_directory: Text | None = None
    scheduler_options: SchedulerOptions = SchedulerOptions()


class KubeArguments(_Strict):
    """Of ``dask_kubernetes.operator.KubeCluster``."""

    image: Text
    name: Text | None = None
    namespace: Text | None = None
    resources: dict[str, dict[str, str]] | None = None
    env: dict[str, str] | None = None
    resource_timeout: Count | None = None


class _Entry(_Strict):
    """What every deployment file may hold beside the arguments."""

    cluster: Text
    wait_seconds: Count = 600


class LocalEntry(_Entry):
    """Workers on this computer."""

    workers: Count
    arguments: LocalArguments = LocalArguments()


class SSHEntry(_Entry):
    """Workers on computers that are reached over SSH; their number follows from the hosts."""

    arguments: SSHArguments

    @property
    def workers(self) -> int:
        """The first host has the scheduler."""
        return (len(self.arguments.hosts) - 1) * self.arguments.worker_options.n_workers


class SLURMEntry(_Entry):
    """Workers as jobs of the queue of a computing centre."""

    workers: Count
    arguments: SLURMArguments


class KubeEntry(_Entry):
    """Workers as pods."""

    workers: Count
    arguments: KubeArguments


Entry = LocalEntry | SSHEntry | SLURMEntry | KubeEntry


@dataclass(frozen=True)
class Kind:
    """A kind of cluster.

    Parameters
    ----------
    entry : type
        What its file may hold.
    module : str
        Where Dask keeps the class.
    package : str
        What has to be installed beside this project's extra ``cluster``; empty for nothing.
    needs : str
        A module that shows that it is installed.
    """

    entry: type[LocalEntry] | type[SSHEntry] | type[SLURMEntry] | type[KubeEntry]
    module: str
    package: str = ""
    needs: str = ""


KINDS = {
    "LocalCluster": Kind(LocalEntry, "distributed"),
    "SSHCluster": Kind(SSHEntry, "distributed", "asyncssh", "asyncssh"),
    "SLURMCluster": Kind(SLURMEntry, "dask_jobqueue", "dask-jobqueue", "dask_jobqueue"),
    "KubeCluster": Kind(KubeEntry, "dask_kubernetes.operator", "dask-kubernetes", "dask_kubernetes.operator"),
}
"""What a deployment file may name: nothing else is ever loaded on its behalf."""


@dataclass(frozen=True)
class Deployment:
    """A cluster to be started.

    Parameters
    ----------
    kind : str
        Name in `KINDS`.
    workers : int
        Number of workers.
    wait_seconds : int
        Longest wait for the first of them.
    arguments : dict
        For the class.
    """

    kind: str
    workers: int
    wait_seconds: int
    arguments: dict[str, Any]


def is_address(where: str) -> bool:
    """Tell whether a text is meant as an address of a scheduler rather than as the name of a file."""
    return "://" in where


def host_and_port(address: str) -> tuple[str, int]:
    """Return the host and the port of an address that `cluster_problems` has nothing against."""
    parts = urlsplit(address)
    assert parts.hostname is not None and parts.port is not None
    return parts.hostname, parts.port


def cluster_problems(where: str | Path, workers: int | None) -> list[str]:
    """Return why a cluster can't be meant, without asking anybody outside this computer.

    Parameters
    ----------
    where : str or pathlib.Path
        Address of a scheduler or name of a deployment file.
    workers : int or None
        Number of processes asked for on this computer.

    Returns
    -------
    list of str
        A sentence each; empty if there is nothing against it.
    """
    problems = []
    where = str(where)
    if workers is not None:
        problems.append("Give --workers for processes on this computer or --cluster, not both.")
    if is_address(where):
        return problems + _address_problems(where)
    if not where.strip() or (not os.path.exists(where) and not where.lower().endswith((".yaml", ".yml"))):
        hint = f"; did you mean 'tcp://{where}'?" if re.fullmatch(r"[\w.-]+:\d+", where) else ""
        problems.append(
            f"{quote(where)} is neither an address such as tcp://host:8786 nor a deployment file{hint or '.'}"
        )
        return problems
    return problems + read_deployment(Path(where))[1]


def _address_problems(address: str) -> list[str]:
    like = "write it like tcp://host:8786"
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        return [f"{quote(address)} is not an address ({error}); {like}."]
    if parts.scheme not in SCHEMES:
        hint = nearest(parts.scheme, SCHEMES)
        meant = f"; did you mean '{hint}://'?" if hint else "."
        return [f"{quote(address)} begins with {quote(parts.scheme)}, not with tcp:// or tls://{meant}"]
    if parts.path not in ("", "/") or parts.query or parts.fragment or parts.username or parts.password:
        return [f"{quote(address)} holds more than a host and a port; {like}."]
    if not host or not re.fullmatch(r"[\w.:%-]+", host):
        return [f"{quote(address)} names no host; {like}."]
    if not port:
        return [f"{quote(address)} names no port; {like}, which is the port Dask uses unless told otherwise."]
    return []


def read_deployment(path: Path) -> tuple[Deployment | None, list[str]]:
    """Read a deployment file.

    Returns
    -------
    deployment : Deployment or None
        None if anything is wrong with it.
    problems : list of str
        Each with file, line and column.
    """
    document = read_file(path)
    root = document.root
    if root is None or document.problems:
        if root is None and not document.problems:
            document.problem("empty", "the file holds nothing", hint="a deployment needs at least cluster and workers")
        return None, [str(problem) for problem in document.problems]
    kinds = ", ".join(KINDS)
    if not root.is_mapping:
        document.problem("wrong_type", "a deployment is a mapping of names to values", root.line, root.column)
        return None, [str(problem) for problem in document.problems]
    named = root.get("cluster")
    if named is None:
        close = next((key for key in root.value if nearest(key, ["cluster"])), "")
        hint = f"write cluster: and one of {kinds}" + (f"; {quote(close)} is no key" if close else "")
        document.problem("missing_key", "the key 'cluster' is missing", root.line, root.column, hint)
    elif not isinstance(named.value, str) or named.value not in KINDS:
        hint = did_you_mean(named.value, KINDS) if isinstance(named.value, str) else ""
        text = f"cluster is {quote(named.value)}, not one of {kinds}"
        document.problem("not_a_choice", text, named.line, named.column, hint)
    if named is None or document.problems:
        return None, [str(problem) for problem in document.problems]
    kind = KINDS[named.value]
    entry: Entry | None = check_model(kind.entry, root, document)
    if entry is None or document.problems:
        return None, [str(problem) for problem in document.problems]
    if kind.needs and not _installed(kind.needs):
        document.problem(
            "not_installed",
            f"{named.value} needs a package of Dask's that is not installed here",
            named.line,
            named.column,
            f"python -m pip install {kind.package}",
        )
        return None, [str(problem) for problem in document.problems]
    return Deployment(named.value, entry.workers, entry.wait_seconds, class_arguments(entry)), []


def _installed(module: str) -> bool:
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True


_NO_PAGES: dict[str, Any] = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}
"""No page that shows the cluster. Dask serves figures for machines even so: to its own computer, at any free port."""


def class_arguments(entry: Entry) -> dict[str, Any]:
    """Return the arguments for Dask's class: those of the file and those that are not left to it.

    One thread a worker; no page that shows the cluster, but for Kubernetes, which asks such a page whether a pod is
    alive; and on this computer no listener that another computer could reach.
    """
    given = entry.arguments.model_dump(exclude_none=True)
    if isinstance(entry, LocalEntry):
        own: dict[str, Any] = {
            "n_workers": entry.workers,
            "threads_per_worker": 1,
            "processes": True,
            "host": "127.0.0.1",
            "dashboard_address": None,
            "scheduler_kwargs": _NO_PAGES,
            "env": WORKER_ENVIRONMENT,
            "silence_logs": logging.CRITICAL,
        }
    elif isinstance(entry, SSHEntry):
        own = {
            "worker_options": {**given["worker_options"], "nthreads": 1, **_NO_PAGES},
            "scheduler_options": {**given["scheduler_options"], **_NO_PAGES},
        }
    elif isinstance(entry, SLURMEntry):
        own = {
            "cores": entry.arguments.processes,
            "worker_extra_args": [
                *("--no-dashboard", "--dashboard-address", _NO_PAGES["dashboard_address"]),
                *given.get("worker_extra_args", []),
            ],
            "scheduler_options": {**given["scheduler_options"], **_NO_PAGES},
        }
    else:
        own = {
            "n_workers": entry.workers,
            "env": {**WORKER_ENVIRONMENT, **given.get("env", {})},
            "worker_command": ["dask", "worker", "--nthreads", "1"],
            "quiet": True,
        }
    return {**given, **own}


@contextlib.contextmanager
def start_deployment(deployment: Deployment) -> Iterator[Any]:
    """Start a cluster and stop it afterwards.

    Yields
    ------
    distributed.deploy.Cluster
    """
    module = importlib.import_module(KINDS[deployment.kind].module)
    cluster = getattr(module, deployment.kind)(**deployment.arguments)
    try:
        if deployment.kind == "SLURMCluster":
            cluster.scale(deployment.workers)
        yield cluster
    finally:
        with contextlib.suppress(Exception):
            cluster.close(timeout=20)
