"""What it costs to spread runs: workers of this computer and of a local Dask cluster beside independent processes.

``python -m benchmarks.cluster`` makes the same national runs three ways, in turn, several times over:

- *independent*: processes that know nothing of each other, each making its share one after the other;
- *pool*: the worker processes of a study (``simulation.experiment.pool``);
- *cluster*: a Dask cluster on this computer (``simulation.experiment.cluster``), started beforehand; its start is timed
  apart, because a cluster usually stands already.

Then it makes many runs of a model of nothing, two numbers of them, so that what each run costs beside the model is the
difference in time over the difference in number. The machine should have nothing else to do; ratios within a round
suffer least if it has. Needs the extra ``cluster``. On POSIX systems only: it reads the processor time of children.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulation.experiment.cluster import open_cluster
from simulation.experiment.inputs import Plan, make_plan
from simulation.experiment.jobs import plan_jobs
from simulation.experiment.manifest import MODEL
from simulation.experiment.pool import WORKER_ENVIRONMENT, Message, RunFailed, run_jobs
from simulation.experiment.runfiles import check_run, run_path, write_run
from simulation.scenario import Resolved

ROOT = Path(__file__).resolve().parents[1]

# A model of nothing, so that this module can be a study's runner.


@dataclass
class RunRequest:
    """As `simulation.system` has it."""

    resolved: Resolved
    seed: int
    replication: int
    progress: Callable[[int, int], None] | None = None
    split: str = ""


@dataclass
class RunOutput:
    """As `simulation.system` has it."""

    rows: dict[str, list[Any]]
    event_digests: list[str]
    state_digests: dict[str, str]
    checks: dict[str, int]


def run_model(request: RunRequest) -> RunOutput:
    """Return one row."""
    words = {name: ["nothing"] for name in ("area", "provider", "group", "month", "measure", "known_on")}
    return RunOutput({**words, "value": [request.replication]}, [], {}, {})


def plan(replications: int, until: str, folder: Path, runner: str = MODEL) -> Plan:
    """Runs of the whole country as it was."""
    return make_plan(["baseline"], None, replications, 1, None, folder, until, runner)


def alone(share: int, of: int, replications: int, until: str, folder: Path) -> None:
    """Make a share of the runs, one after the other, as a program without workers would."""
    from simulation import system

    made = plan(replications, until, folder)
    for run in list(made.runs.values())[share::of]:
        output = system.run_model(system.RunRequest(resolved=run.resolved, seed=made.seed, replication=run.replication))
        write_run(
            folder, run.determinants, output.rows, output.event_digests, output.state_digests, output.checks
        )


def independent(made: Plan, workers: int, until: str) -> None:
    """Start processes for all shares at once and wait for them."""
    arguments = ["--replications", str(made.replications), "--until", until, "--out", str(made.folder)]
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.cluster", "--alone", f"{share}/{workers}", *arguments],
            cwd=ROOT,
            env={**os.environ, **WORKER_ENVIRONMENT},
        )
        for share in range(workers)
    ]
    if any([process.wait() for process in processes]):
        raise SystemExit("an independent process failed")


def _listen(message: Message) -> None:
    if isinstance(message, RunFailed):
        raise SystemExit(f"a run failed: {message.reason}")


def pool(made: Plan, workers: int) -> None:
    """Make the runs as a study does with ``--workers``."""
    jobs = plan_jobs(list(made.runs.values()), workers, made.runner == MODEL)
    run_jobs(jobs, workers, made.folder, made.seed, made.runner, _listen)


def _processor_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _timed(work: Callable[[], None]) -> tuple[float, float]:
    wall, processor = time.perf_counter(), _processor_seconds()
    work()
    return time.perf_counter() - wall, _processor_seconds() - processor


def _deployment(workers: int, folder: Path) -> str:
    path = folder / "local.yaml"
    path.write_text(f"cluster: LocalCluster\nworkers: {workers}\n", encoding="utf-8")
    return str(path)


def cluster(made: Plan, workers: int, scratch: Path) -> tuple[float, float]:
    """Make the runs on a local cluster; return the seconds to start it and those of the runs."""
    began = time.perf_counter()
    with open_cluster(_deployment(workers, scratch), made.runner) as opened:
        jobs = plan_jobs(list(made.runs.values()), workers, made.runner == MODEL)
        started = time.perf_counter()
        opened.run_jobs(jobs, made.folder, made.seed, _listen, print)
        return started - began, time.perf_counter() - started


def national(workers: int, replications: int, until: str, rounds: int) -> None:
    """Compare the three ways on runs of the whole country."""
    walls: dict[str, list[float]] = {"independent": [], "pool": [], "cluster": []}
    starts: list[float] = []
    print(f"\n{replications} national runs until {until}, {workers} workers; seconds (processor seconds)")
    # The first round compiles and fills caches, and isn't counted.
    for number in range(rounds + 1):
        ways = list(walls)
        contents = set()
        # Each way comes first in turn, so that no one always has the quieter machine.
        for way in ways[number % 3 :] + ways[: number % 3]:
            with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
                scratch = Path(name)
                made = plan(replications if number else workers, until, scratch / "study")
                made.folder.mkdir()
                took: list[float] = []
                if way == "independent":
                    wall, processor = _timed(lambda made=made: independent(made, workers, until))
                elif way == "pool":
                    wall, processor = _timed(lambda made=made: pool(made, workers))
                else:
                    wall, processor = _timed(
                        lambda made=made, scratch=scratch, took=took: took.extend(cluster(made, workers, scratch))
                    )
                    wall = took[1]
                runs = sorted({run.key for run in made.runs.values()})
                contents.add(tuple(check_run(run_path(made.folder, key)).content for key in runs))
            if number:
                walls[way].append(wall)
                starts += took[:1]
                print(f"  round {number}  {way:12s} {wall:7.2f} ({processor:6.2f})", flush=True)
        if len(contents) != 1:
            raise SystemExit("the three ways gave different results")

    def ratio(way: str, to: str) -> str:
        found = [b / a for a, b in zip(walls[way], walls[to], strict=True)]
        return f"{statistics.median(found):.1%} (rounds: {', '.join(f'{each:.1%}' for each in found)})"

    print(f"  throughput of the pool, of that of independent processes: {ratio('pool', 'independent')}")
    print(f"  throughput of the cluster, of that of the pool:           {ratio('cluster', 'pool')}")
    print(f"  to start the local cluster and ask its workers: {statistics.median(starts):.1f} s (not in the above)")


def overhead(workers: int, few: int, many: int) -> None:
    """Time runs of nothing: what a run costs beside the model."""
    print(f"\nRuns of nothing, {few} and {many}, {workers} workers: milliseconds a run, times workers in brackets")
    runner = "benchmarks.cluster"
    for way in ("pool", "cluster"):
        seconds = {}
        for runs in (few, many):
            with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
                made = plan(runs, "2017-12-31", Path(name) / "study", runner)
                made.folder.mkdir()
                if way == "pool":
                    seconds[runs], _ = _timed(lambda made=made: pool(made, workers))
                else:
                    seconds[runs] = cluster(made, workers, Path(name))[1]
        each = 1000 * (seconds[many] - seconds[few]) / (many - few)
        print(f"  {way:8s} {each:6.1f} ({each * workers:.1f})")


def main() -> None:
    """Read what was asked for and measure."""
    parser = argparse.ArgumentParser(description="Workers and a local Dask cluster beside independent processes.")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--replications", type=int, default=6)
    parser.add_argument("--until", default="2017-12-31")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--runs-of-nothing", type=int, default=220)
    parser.add_argument("--alone", help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.alone:
        share, of = given.alone.split("/")
        alone(int(share), int(of), given.replications, given.until, given.out)
        return
    overhead(given.workers, 20, given.runs_of_nothing)
    if given.rounds:
        national(given.workers, given.replications, given.until, given.rounds)


if __name__ == "__main__":
    # Workers import the module by this name; what they are sent must not come from "__main__".
    from benchmarks.cluster import main as named_main

    named_main()
