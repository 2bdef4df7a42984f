"""Files that name one of Dask's kinds of cluster and its arguments."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
from distributed import LocalCluster, SSHCluster

from simulation.commands.compare import run_and_tell
from simulation.experiment import cluster, deployment
from simulation.experiment.deployment import KINDS, class_arguments, read_deployment
from simulation.scenario.checking import check_model
from simulation.scenario.yaml_reader import read_bytes

SSH = """\
cluster: SSHCluster
arguments:
  hosts: [one, two, three]
  connect_options: {username: ada, known_hosts: hosts}
  worker_options: {n_workers: 4}
  remote_python: /opt/python
"""

SLURM = """\
cluster: SLURMCluster
workers: 40
wait_seconds: 3600
arguments:
  queue: short
  processes: 8
  memory: 32 GiB
  walltime: "02:00:00"
  worker_extra_args: [--lifetime, 100m]
"""

KUBERNETES = """\
cluster: KubeCluster
workers: 10
arguments:
  image: registry.example/probation:1
  namespace: studies
  resources:
    limits: {cpu: "1", memory: 4Gi}
  env: {TZ: UTC}
"""


def arguments(text: str) -> dict[str, Any]:
    """What Dask's class would be given; whether its package is installed doesn't matter."""
    document = read_bytes(text.encode(), "file.yaml")
    assert document.root is not None
    entry = check_model(KINDS[document.root.plain()["cluster"]].entry, document.root, document)
    assert entry is not None, document.problems
    return class_arguments(entry)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "file.yaml:1:1: [empty]"),
        ("- a\n", "file.yaml:1:1: [wrong_type] a deployment is a mapping"),
        ("workers: 2\n", "file.yaml:1:1: [missing_key] the key 'cluster' is missing"),
        ("clustr: LocalCluster\nworkers: 2\n", "'clustr' is no key"),
        ("cluster: LocalClustr\nworkers: 2\n", "file.yaml:1:10: [not_a_choice] cluster is 'LocalClustr', not one of"),
        ("cluster: LocalClustr\nworkers: 2\n", "(did you mean 'LocalCluster'?)"),
        ("cluster: os.system\nworkers: 2\n", "cluster is 'os.system', not one of LocalCluster, SSHCluster"),
        ("cluster: 7\nworkers: 2\n", "cluster is 7, not one of"),
        ("cluster: LocalCluster\n", "[missing_key] the key 'workers' is missing"),
        ("cluster: LocalCluster\nworkers: 0\n", "file.yaml:2:10: [out_of_range] workers is 0, below 1"),
        ("cluster: LocalCluster\nworkers: many\n", "2:10: [wrong_type] workers: 'many' is not a whole number"),
        ("cluster: LocalCluster\nworker: 2\n", "file.yaml:2:1: [unknown_key] there is no key 'worker' here"),
        ("cluster: LocalCluster\nworker: 2\n", "did you mean 'workers'?"),
        (
            "cluster: LocalCluster\nworkers: 2\narguments:\n  threads_per_worker: 4\n",
            "file.yaml:4:3: [unknown_key] there is no key 'threads_per_worker' here",
        ),
        (
            "cluster: LocalCluster\nworkers: 2\narguments:\n  memory_limt: 4 GiB\n",
            "did you mean 'memory_limit'?",
        ),
        ("cluster: LocalCluster\nworkers: 2\narguments:\n  memory_limit: lots\n", "file.yaml:4:17: [bad_value]"),
        ("cluster: SSHCluster\narguments:\n  hosts: [one]\n", "arguments.hosts"),
        ("cluster: SSHCluster\nworkers: 2\narguments:\n  hosts: [a, b]\n", "there is no key 'workers' here"),
        ("cluster: !!python/object:os.system x\n", "[tag]"),
    ],
)
def test_a_file_that_is_wrong_is_told_where(tmp_path, monkeypatch, make_study, capsys, text: str, said: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file.yaml").write_text(text, encoding="utf-8")
    assert run_and_tell(make_study(workers=None, cluster="file.yaml")) == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.splitlines()[-1] == "Nothing was run."
    assert not (tmp_path / "study").exists()


@pytest.mark.parametrize(
    ("text", "package"), [(SSH, "asyncssh"), (SLURM, "dask-jobqueue"), (KUBERNETES, "dask-kubernetes")]
)
def test_a_package_that_is_missing_is_named(tmp_path: Path, monkeypatch, text: str, package: str) -> None:
    monkeypatch.setattr(deployment, "_installed", lambda module: False)
    (tmp_path / "file.yaml").write_text(text, encoding="utf-8")
    found, problems = read_deployment(tmp_path / "file.yaml")
    assert found is None
    assert len(problems) == 1
    assert ":1:10: [not_installed]" in problems[0]
    assert f"python -m pip install {package})" in problems[0]


def test_a_cluster_that_does_not_start_is_told(tmp_path: Path, monkeypatch, make_study, capsys) -> None:
    def fail(**arguments: object) -> None:
        raise RuntimeError("no room")

    monkeypatch.setattr("distributed.LocalCluster", fail)
    (tmp_path / "file.yaml").write_text("cluster: LocalCluster\nworkers: 2\n", encoding="utf-8")
    assert run_and_tell(make_study(workers=None, cluster=tmp_path / "file.yaml")) == 2
    assert "the cluster could not be started: RuntimeError: no room" in capsys.readouterr().err
    assert not (tmp_path / "study").exists()


def test_no_worker_that_joins_in_time_is_told(tmp_path: Path, monkeypatch, make_study, capsys) -> None:
    (tmp_path / "file.yaml").write_text("cluster: LocalCluster\nworkers: 1\nwait_seconds: 1\n", encoding="utf-8")
    # Dask starts none: as when a queue gives none its turn.
    monkeypatch.setattr("distributed.LocalCluster", lambda **given: LocalCluster(**{**given, "n_workers": 0}))
    assert run_and_tell(make_study(workers=None, cluster=tmp_path / "file.yaml")) == 2
    assert "no worker has joined within 1 s (wait_seconds)" in capsys.readouterr().err
    assert not (tmp_path / "study").exists()


def test_every_worker_of_every_kind_has_one_thread() -> None:
    assert arguments("cluster: LocalCluster\nworkers: 3\n")["threads_per_worker"] == 1
    assert arguments(SSH)["worker_options"]["nthreads"] == 1
    slurm = arguments(SLURM)
    assert slurm["cores"] == slurm["processes"] == 8
    assert arguments(KUBERNETES)["worker_command"][-2:] == ["--nthreads", "1"]


def test_what_a_file_says_reaches_the_class() -> None:
    ssh = arguments(SSH)
    assert ssh["hosts"] == ["one", "two", "three"]
    assert ssh["connect_options"] == {"username": "ada", "known_hosts": "hosts"}
    assert ssh["worker_options"]["n_workers"] == 4
    assert ssh["scheduler_options"] == {"dashboard": False, "dashboard_address": "127.0.0.1:0"}
    slurm = arguments(SLURM)
    assert slurm["queue"] == "short"
    assert slurm["worker_extra_args"][-2:] == ["--lifetime", "100m"]
    kubernetes = arguments(KUBERNETES)
    assert kubernetes["n_workers"] == 10
    assert kubernetes["env"]["TZ"] == "UTC"
    assert kubernetes["env"]["POLARS_MAX_THREADS"] == "1"


def test_the_number_of_workers_over_ssh_follows_from_the_hosts(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(deployment, "_installed", lambda module: True)
    (tmp_path / "file.yaml").write_text(SSH, encoding="utf-8")
    found, problems = read_deployment(tmp_path / "file.yaml")
    assert problems == []
    assert found is not None and found.workers == 8


@pytest.mark.parametrize(
    ("text", "kind"), [(SSH, SSHCluster), (SLURM, "dask_jobqueue"), (KUBERNETES, "dask_kubernetes")]
)
def test_the_class_knows_every_argument(text: str, kind: Any) -> None:
    """Against the class itself where its package is installed."""
    if kind == "dask_jobqueue":
        from_package = pytest.importorskip(kind)
        known = {
            *inspect.signature(from_package.SLURMCluster.__bases__[0].__init__).parameters,
            *inspect.signature(from_package.slurm.SLURMJob.__init__).parameters,
            *inspect.signature(from_package.core.Job.__init__).parameters,
        }
    elif kind == "dask_kubernetes":
        known = set(inspect.signature(pytest.importorskip(f"{kind}.operator").KubeCluster.__init__).parameters)
    else:
        known = set(inspect.signature(kind).parameters)
    assert set(arguments(text)) - known == set()


def test_the_cluster_is_left_alone_until_the_study_can_be_run(tmp_path: Path, monkeypatch, make_study) -> None:
    def never(*given: object) -> None:
        raise AssertionError("a cluster was started for a study that can't be run")

    monkeypatch.setattr(cluster, "start_deployment", never)
    (tmp_path / "file.yaml").write_text("cluster: LocalCluster\nworkers: 2\n", encoding="utf-8")
    assert run_and_tell(make_study(workers=None, replications=0, cluster=tmp_path / "file.yaml")) == 2
