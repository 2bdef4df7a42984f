"""A study on a real Dask cluster of this computer: the same bytes, whoever dies on the way."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import dask
import psutil
import pytest
from distributed import Client, LocalCluster
from experiment_fake_model_slow import SEED_OF_A_MINUTE
from experiment_fake_parameters import write_parameters
from experiment_helpers import Notes, contents, tables

from simulation.commands.compare import run_and_tell
from simulation.experiment import Study, StudyError, StudyFailed, StudyResult, cluster, cluster_worker
from simulation.experiment.cluster_worker import Reply, about, differences
from simulation.experiment.manifest import experiment_digest, verify_folder
from simulation.experiment.pool import RunFailed, RunSaved
from simulation.experiment.progress import SilentReporter
from simulation.experiment.runfiles import RunSummary, run_path, write_run
from simulation.experiment.sharing import CannotSave

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SLOW = "experiment_fake_model_slow"
FAKE = "experiment_fake_model"


@pytest.fixture(scope="module")
def two_workers() -> Iterator[LocalCluster]:
    """Two workers, each a process."""
    with (
        # Dask asks a worker that is gone for as long as this before it believes it.
        dask.config.set({"distributed.comm.timeouts.connect": "3s"}),
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address=None,
            silence_logs=50,
        ) as started,
    ):
        yield started


@pytest.fixture
def asker(two_workers: LocalCluster) -> Iterator[Client]:
    """Looks at the cluster from outside the study."""
    with Client(two_workers, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=30)
        yield client


@pytest.fixture
def running(two_workers: LocalCluster, asker: Client) -> LocalCluster:
    """The cluster, when those that an earlier test killed are back."""
    return two_workers


@contextlib.contextmanager
def program(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """One of Dask's programs, killed afterwards."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(HERE)])}
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments, "--no-dashboard"], stderr=subprocess.DEVNULL, env=environment
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def scheduler_at(port: int) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
    return program("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(port))


def worker_of(address: str, *arguments: str) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
    return program("distributed.cli.dask_worker", address, "--host", "127.0.0.1", "--no-nanny", *arguments)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.05)


class AfterTheFirst(Notes):
    """Does something when the first run was saved."""

    def __init__(self, act: Callable[[], None]) -> None:
        super().__init__()
        self.act = act
        self.days = 0

    def day(self, scenario: str, replication: int, share: float) -> None:
        self.days += 1

    def saved(self, scenario: str, replication: int) -> None:
        super().saved(scenario, replication)
        if len(self.made) == 1:
            self.act()


def nothing_written(study: Study) -> bool:
    assert study.out is not None
    return not Path(study.out).exists()


@pytest.fixture(scope="module")
def alone(make_scenario, tmp_path_factory: pytest.TempPathFactory) -> StudyResult:
    """What a worker of this computer makes of six replications; a fingerprint says nothing of the model's speed."""
    return Study(
        (make_scenario("base"), make_scenario("more", 50)),
        replications=6,
        workers=1,
        seed=1,
        out=tmp_path_factory.mktemp("alone") / "study",
        runner="experiment_fake_model",
    ).run(quiet=True)


def test_a_cluster_gives_the_bytes_of_the_pool(make_study, alone: StudyResult, running: LocalCluster) -> None:
    spread = make_study(replications=6, workers=None, cluster=running.scheduler_address).run(quiet=True)
    assert contents(spread) == contents(alone)
    assert tables(spread) == tables(alone)
    assert spread.fingerprint == alone.fingerprint
    files = {path.name: path.read_bytes() for path in (alone.folder / "runs").iterdir()}
    assert {path.name: path.read_bytes() for path in (spread.folder / "runs").iterdir()} == files
    assert verify_folder(spread.folder) == []
    assert spread.manifest["times"]["workers"] == 2


def test_a_worker_killed_in_the_middle_changes_nothing(
    make_study, alone: StudyResult, running: LocalCluster, asker: Client
) -> None:
    processes = asker.run(os.getpid)
    killed = []

    def kill() -> None:
        busy = [address for address, keys in asker.processing().items() if keys]
        killed.append(processes[busy[0]])
        os.kill(killed[0], signal.SIGKILL)

    news = AfterTheFirst(kill)
    study = make_study(replications=6, workers=None, runner=SLOW, cluster=running.scheduler_address)
    spread = study.run(news)
    assert killed and killed[0] not in asker.run(os.getpid).values()
    assert spread.fingerprint == alone.fingerprint
    assert contents(spread) == contents(alone)
    assert len(news.made) == 12
    assert news.days > 0


def test_a_run_that_kills_its_workers_is_named_and_the_others_finish(
    make_study, make_scenario, monkeypatch: pytest.MonkeyPatch, running: LocalCluster
) -> None:
    # Dask gives up a job with the first worker that dies, to save time.
    monkeypatch.setattr(running.scheduler, "allowed_failures", 0)
    study = make_study(
        make_scenario("base"),
        make_scenario("more", 50, dies_in=2),
        replications=2,
        workers=None,
        cluster=running.scheduler_address,
    )
    news = Notes()
    with pytest.raises(StudyFailed) as failed:
        study.run(news)
    assert [str(failure) for failure in failed.value.failures] == [
        "more, replication 2: the worker that had it died; a worker may be out of memory"
    ]
    assert sorted(news.made) == [("base", 0), ("base", 1), ("more", 0)]
    assert any("running them one by one" in text for text in news.texts)


def test_a_run_that_fails_is_named_and_the_others_finish(make_study, make_scenario, running: LocalCluster) -> None:
    study = make_study(
        make_scenario("base"),
        make_scenario("more", 50, fails_in=2),
        workers=None,
        cluster=running.scheduler_address,
    )
    with pytest.raises(StudyFailed) as failed:
        study.run(quiet=True)
    assert [str(failure) for failure in failed.value.failures] == [
        "more, replication 2: ValueError: this run was told to fail"
    ]
    assert len(list((study.plan().folder / "runs").iterdir())) == 5


def test_a_scheduler_that_dies_loses_no_finished_run(make_study, alone: StudyResult) -> None:
    address = f"tcp://127.0.0.1:{free_port()}"
    port = int(address.rpartition(":")[2])
    study = make_study(replications=6, workers=None, runner=SLOW, cluster=address)
    with scheduler_at(port) as scheduler:
        wait_until(lambda: answers(port))
        with pytest.raises(StudyError, match="has no workers"):
            study.run(quiet=True)
        assert nothing_written(study)
        with worker_of(address, "--nthreads", "1"):
            with Client(address, set_as_default=False) as client:
                client.wait_for_workers(1, timeout=20)
            news = AfterTheFirst(scheduler.kill)
            with pytest.raises(StudyFailed) as failed:
                study.run(news)
    assert "connection to the scheduler" in str(failed.value)
    assert "same command again" in str(failed.value)
    kept = list((study.plan().folder / "runs").iterdir())
    assert len(kept) == len(news.made) > 0
    again = Notes()
    result = make_study(replications=6, workers=2, runner=SLOW).run(again)
    assert sum(again.done.values()) == len(kept)
    assert result.fingerprint == alone.fingerprint


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


SCRIPT = """
import sys
sys.path[:0] = [{root!r}, {here!r}]
from simulation.commands.compare import run_and_tell
from simulation.experiment import Study
from simulation.scenario import Scenario, load_geography, load_parameters, resolve
import datetime as dt

if __name__ == "__main__":
    scenario = Scenario("base", "Base", dt.date(2016, 11, 1), dt.date(2017, 1, 1), dt.date(2017, 12, 31))
    base = resolve(scenario, load_parameters({parameters!r}), load_geography(), areas="durham")
    study = Study([base], replications=9, seed={seed}, cluster={cluster!r}, out={out!r}, runner={runner!r})
    sys.exit(run_and_tell(study))
"""


@pytest.mark.skipif(os.name != "posix", reason="sends the signal of Ctrl-C as POSIX systems do")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "killed"])
def test_a_study_that_is_stopped_leaves_the_cluster_idle(
    tmp_path: Path, running: LocalCluster, asker: Client, sent: signal.Signals
) -> None:
    (tmp_path / "parameters").mkdir()
    write_parameters(tmp_path / "parameters")
    script = tmp_path / "script.py"
    script.write_text(
        SCRIPT.format(
            root=str(ROOT),
            here=str(HERE),
            parameters=str(tmp_path / "parameters"),
            seed=SEED_OF_A_MINUTE,
            cluster=running.scheduler_address,
            out=str(tmp_path / "study"),
            runner=SLOW,
        ),
        encoding="utf-8",
    )
    process = subprocess.Popen([sys.executable, str(script)], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    wait_until(lambda: all(asker.processing().values()))
    process.send_signal(sent)
    rest = process.stderr.read()
    code = process.wait(20)
    if sent == signal.SIGINT:
        assert code == 130, rest
        assert "same command again" in rest
    assert "Traceback" not in rest, rest
    # Each worker is free at once: it doesn't sit out the minute that its run had left.
    wait_until(lambda: not any(asker.run(busy).values()), 10)


def busy(dask_worker) -> bool:
    """Whether a worker is making something."""
    return bool(dask_worker.state.executing_count) or bool(dask_worker.active_threads)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("tcp://", "names no host"),
        ("tcp://host", "names no port"),
        ("tcp://host:port", "is not an address"),
        ("tcp://host:99999", "is not an address"),
        ("tcp://host:8786/status", "more than a host and a port"),
        ("http://host:8786", "not with tcp:// or tls://"),
        ("tcpp://host:8786", "did you mean 'tcp://'?"),
        ("localhost:8786", "did you mean 'tcp://localhost:8786'?"),
        ("", "neither an address such as tcp://host:8786 nor a deployment file"),
        ("x" * 5000, "neither an address"),
        ("no/such/file.yaml", "there is no such file"),
        ("tcp://no-such-computer.invalid:8786", "no computer called no-such-computer.invalid"),
    ],
)
def test_an_address_that_can_not_be_meant(make_study, capsys, address: str, said: str) -> None:
    study = make_study(workers=None, cluster=address)
    assert run_and_tell(study) == 2
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 2
    assert said in told[0]
    assert told[1] == "Nothing was run."
    assert nothing_written(study)


def test_nobody_listens_at_an_address(make_study, capsys) -> None:
    address = f"tcp://127.0.0.1:{free_port()}"
    study = make_study(workers=None, cluster=address)
    assert run_and_tell(study) == 2
    assert f"{address}: nothing listens at port" in capsys.readouterr().err
    assert nothing_written(study)


@contextlib.contextmanager
def web_server(port: int) -> Iterator[None]:
    with ThreadingHTTPServer(("127.0.0.1", port), SimpleHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()


@pytest.mark.parametrize(
    ("scheme", "speaks", "said"),
    [
        ("tcp", False, "something answers there, but not as a Dask scheduler"),
        ("tcp", True, "something answers there, but not as a Dask scheduler"),
        ("tls", False, "no encrypted connection to a Dask scheduler"),
    ],
)
def test_what_listens_is_no_scheduler(
    make_study, capsys, monkeypatch: pytest.MonkeyPatch, scheme: str, speaks: bool, said: str
) -> None:
    monkeypatch.setattr(cluster, "SECONDS_TO_CONNECT", 1.0)
    with contextlib.ExitStack() as stack:
        if speaks:
            port = free_port()
            stack.enter_context(web_server(port))
        else:
            port = stack.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
        study = make_study(workers=None, cluster=f"{scheme}://127.0.0.1:{port}")
        assert run_and_tell(study) == 2
    assert said in capsys.readouterr().err
    assert nothing_written(study)


def test_processes_or_a_cluster_not_both(make_study) -> None:
    study = make_study(workers=2, cluster="tcp://127.0.0.1:8786")
    with pytest.raises(StudyError, match="--workers for processes on this computer or --cluster, not both"):
        study.run()


def test_dask_that_is_not_installed(make_study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    study = make_study(workers=None, cluster="tcp://127.0.0.1:8786")
    with pytest.raises(StudyError, match=r"pip install .*\[cluster\]"):
        study.run()
    assert nothing_written(study)


@pytest.fixture
def another_code(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process has edited the model; the workers have not."""
    cluster_worker.about.cache_clear()
    with monkeypatch.context() as changed:
        changed.setattr(cluster_worker, "code_digest", lambda runner: "f" * 64)
        yield
    cluster_worker.about.cache_clear()


@pytest.mark.usefixtures("another_code")
def test_workers_with_another_version_of_the_code_are_refused(make_study, capsys, running: LocalCluster) -> None:
    study = make_study(workers=None, cluster=running.scheduler_address)
    assert run_and_tell(study) == 2
    told = capsys.readouterr().err
    assert "2 workers (the first is tcp://127.0.0.1:" in told
    assert "of 2 can't be used: code of the model " in told
    assert f"here {'f' * 12}. Put the same copy of this project there" in told
    assert nothing_written(study)


def test_a_scheduler_of_another_dask_is_refused(make_study, running: LocalCluster, monkeypatch) -> None:
    versions = {"scheduler": {"packages": {"distributed": "2024.1.0"}}}
    monkeypatch.setattr(Client, "get_versions", lambda self: versions)
    study = make_study(workers=None, cluster=running.scheduler_address)
    with pytest.raises(StudyError, match=r"its scheduler differs: distributed 2024\.1\.0, here "):
        study.run(quiet=True)
    assert nothing_written(study)


def test_differences_are_named() -> None:
    wanted = {"Python": "3.11", "numpy": "2.4.6", "numba": "0.68.1"}
    found = {"Python": "3.12", "numpy": "2.4.6", "model": "can't be loaded, ImportError: no scipy"}
    assert cluster_worker.differences(found, wanted) == [
        "Python 3.12, here 3.11",
        "numba unknown, here 0.68.1",
        "the model can't be loaded, ImportError: no scipy",
    ]


BLOCKER = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "simulation":
            raise ModuleNotFoundError("No module named 'simulation'")

sys.meta_path.insert(0, Blocker())
"""


CAN_NOT = [
    (["--nthreads", "2"], "2 threads, where one is wanted (start workers with --nthreads 1)"),
    (["--nthreads", "1", "--preload", "blocker.py"], "it has no copy of this project, or another one"),
]


def preloaded(folder: Path, arguments: Sequence[str]) -> list[str]:
    (folder / "blocker.py").write_text(BLOCKER, encoding="utf-8")
    return [str(folder / each) if each == "blocker.py" else each for each in arguments]


@pytest.mark.parametrize(("arguments", "said"), CAN_NOT)
def test_a_worker_that_can_not_do_it_is_refused(
    make_study, tmp_path: Path, running: LocalCluster, asker: Client, arguments: Sequence[str], said: str
) -> None:
    study = make_study(workers=None, cluster=running.scheduler_address)
    with worker_of(running.scheduler_address, *preloaded(tmp_path, arguments)):
        asker.wait_for_workers(3, timeout=20)
        with pytest.raises(StudyError) as refused:
            study.run(quiet=True)
    wait_until(lambda: len(asker.scheduler_info()["workers"]) == 2)
    assert len(refused.value.problems) == 1
    assert "of 3 can't be used" in refused.value.problems[0]
    assert said in refused.value.problems[0]
    assert nothing_written(study)


@pytest.mark.parametrize(("arguments", "said"), CAN_NOT)
def test_a_worker_that_joins_later_and_can_not_do_it_is_not_used(
    make_study,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    alone: StudyResult,
    running: LocalCluster,
    asker: Client,
    arguments: Sequence[str],
    said: str,
) -> None:
    # As if it had joined between the moment when all are asked and the first job.
    monkeypatch.setattr(cluster, "_check_workers", lambda client, shown, runner: (cluster_worker.about(runner), 2))
    news = Notes()
    study = make_study(replications=6, workers=None, runner=SLOW, cluster=running.scheduler_address)
    with worker_of(running.scheduler_address, *preloaded(tmp_path, arguments)):
        asker.wait_for_workers(3, timeout=20)
        spread = study.run(news)
    wait_until(lambda: len(asker.scheduler_info()["workers"]) == 2)
    told = [text for text in news.texts if text.startswith("Not used: worker")]
    assert len(told) == 1, news.texts
    assert said in told[0]
    assert spread.fingerprint == alone.fingerprint


@pytest.mark.usefixtures("another_code")
def test_a_study_ends_when_no_worker_is_left_that_can_do_it(make_study, monkeypatch, running: LocalCluster) -> None:
    monkeypatch.setattr(cluster, "_check_workers", lambda client, shown, runner: (cluster_worker.about(runner), 2))
    study = make_study(workers=None, cluster=running.scheduler_address)
    news = Notes()
    with pytest.raises(StudyFailed, match=r"No worker of tcp://.* is left that can make these runs"):
        study.run(news)
    assert len([text for text in news.texts if "code of the model" in text]) == 2
    assert study.plan().folder.joinpath("manifest.json").exists()
    assert not study.plan().folder.joinpath("runs").exists()


def test_a_file_damaged_on_the_way_is_not_kept(tmp_path: Path) -> None:
    saved = RunSaved("abc", RunSummary("content", 1, {}))
    reply = cluster._kept(Reply(saved, b"other bytes", "0" * 64), tmp_path)
    assert reply == RunFailed("abc", "its file was damaged on the way from the worker")
    assert list(tmp_path.rglob("*")) == []


def reply_of(folder: Path, **others: object) -> Reply:
    """What a worker sends of a run."""
    rows = {"area": ["gwent"], "provider": ["all"], "group": ["all"], "month": ["2017-01"], "measure": ["recalls"]}
    record = write_run(folder, {"seed": 1}, {**rows, "value": [3], "known_on": ["2017-01-31"]})
    data = run_path(folder, record.key).read_bytes()
    message = dataclasses.replace(RunSaved(record.key, record.summary), **others)  # type: ignore[arg-type]
    return Reply(message, data, hashlib.sha256(data).hexdigest())


def test_a_run_that_can_not_be_written_here_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = reply_of(tmp_path / "worker")
    kept = cluster._kept(sent, tmp_path / "study")
    assert kept == sent.message and run_path(tmp_path / "study", kept.key).is_file()
    (tmp_path / "runs").write_text("in the way", encoding="utf-8")
    reply = cluster._kept(sent, tmp_path)
    assert isinstance(reply, RunFailed)
    assert reply.reason.startswith(("FileExistsError", "NotADirectoryError"))

    def full(path: Path, data: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(cluster, "write_atomically", full)
    with pytest.raises(CannotSave, match="No space left on device"):
        cluster._kept(sent, tmp_path / "study")


@pytest.mark.parametrize("other", [{"key": "0" * 32}, {"summary": RunSummary("other", 1, {})}])
def test_a_file_of_another_run_is_not_kept(tmp_path: Path, other: dict[str, object]) -> None:
    sent = reply_of(tmp_path / "worker", **other)
    reply = cluster._kept(sent, tmp_path / "study")
    assert isinstance(reply, RunFailed) and "it is of another run" in reply.reason
    assert list((tmp_path / "study" / "runs").iterdir()) == []


def test_workers_are_asked_for_the_code_that_saves_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "code of the experiment" in about(FAKE)
    found = {**about(FAKE), "code of the experiment": "other"}
    assert differences(found, about(FAKE)) == [f"code of the experiment other, here {experiment_digest()[:12]}"]


def test_a_deployment_file_starts_workers_that_only_this_computer_reaches(
    make_study, alone: StudyResult, tmp_path: Path
) -> None:
    file = tmp_path / "local.yaml"
    file.write_text("cluster: LocalCluster\nworkers: 1\narguments:\n  memory_limit: 4 GiB\n", encoding="utf-8")
    listening: set[str] = set()

    def look() -> None:
        this = psutil.Process()
        for process in (this, *this.children(recursive=True)):
            found = process.net_connections("inet")
            listening.update(each.laddr.ip for each in found if each.status == psutil.CONN_LISTEN)

    result = make_study(replications=6, workers=None, runner=SLOW, cluster=file).run(AfterTheFirst(look))
    assert listening == {"127.0.0.1"}
    assert result.fingerprint == alone.fingerprint
    assert result.manifest["times"]["workers"] == 1


@pytest.mark.long
def test_the_model_itself_on_a_cluster(tmp_path: Path, running: LocalCluster) -> None:
    def study(out: str, **where: object) -> Study:
        return Study(
            ["baseline", "hdc_expansion"],
            areas="gwent",
            replications=2,
            until="2018-09-30",
            out=tmp_path / out,
            **where,  # type: ignore[arg-type]
        )

    spread = study("spread", cluster=running.scheduler_address).run(SilentReporter())
    alone = study("alone", workers=1).run(SilentReporter())
    assert contents(spread) == contents(alone)
    assert spread.fingerprint == alone.fingerprint
