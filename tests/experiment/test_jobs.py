"""How runs are divided among workers."""

from __future__ import annotations

import pytest

from simulation.experiment.jobs import Job, PlannedRun, finishing_time, plan_jobs


def runs(scenarios: int, replications: int, days: int = 1826, impact: int = 730) -> list[PlannedRun]:
    return [
        PlannedRun(f"{s}-{r}", f"scenario{s}", r, None, {}, days if s == 0 else impact, days)
        for r in range(replications)
        for s in range(scenarios)
    ]


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
@pytest.mark.parametrize("share", [True, False])
@pytest.mark.parametrize(("scenarios", "replications"), [(1, 1), (3, 5), (2, 1), (7, 4)])
def test_every_run_is_in_one_job_of_its_replication(
    workers: int, share: bool, scenarios: int, replications: int
) -> None:
    wanted = runs(scenarios, replications)
    jobs = plan_jobs(wanted, workers, share)
    assert sorted(run.key for job in jobs for run in job.runs) == sorted(run.key for run in wanted)
    assert all(run.replication == job.replication for job in jobs for run in job.runs)


def test_a_common_prefix_is_counted_once() -> None:
    family = Job(0, tuple(runs(3, 1)))
    assert family.cost == 730 + 3 * (1826 - 730)
    assert Job(0, family.runs[:1]).cost == 1826
    # Each shares what it has in common with the first, which differs last; not what all have in common.
    baseline, late, early = runs(2, 1)[0], runs(2, 1, impact=1000)[1], runs(2, 1, impact=100)[1]
    assert Job(0, (baseline, late, early)).cost == 1826 + (1826 - 1000) + (1826 - 100)
    # A scenario that differs from the first day shares nothing.
    assert Job(0, tuple(runs(2, 1, impact=0))).cost == 2 * 1826


def test_the_last_odd_replication_is_split_between_two_workers() -> None:
    jobs = plan_jobs(runs(3, 5), 2, True)
    assert sorted(len(job.runs) for job in jobs) == [1, 2, 3, 3, 3, 3]
    family = Job(0, tuple(runs(3, 1))).cost
    assert finishing_time(jobs, 2) < 3 * family
    # With one worker nothing is gained by splitting.
    assert sorted(len(job.runs) for job in plan_jobs(runs(3, 5), 1, True)) == [3] * 5


def test_without_common_prefixes_every_run_is_a_job() -> None:
    assert {len(job.runs) for job in plan_jobs(runs(3, 5), 2, False)} == {1}


def test_long_jobs_come_first() -> None:
    mixed = [*runs(3, 2), *runs(1, 5)[2:]]
    costs = [job.cost for job in plan_jobs(mixed, 2, True)]
    assert costs == sorted(costs, reverse=True)


def test_no_runs_no_jobs() -> None:
    assert plan_jobs([], 0, True) == []
