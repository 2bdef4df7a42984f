"""Which runs are made together, and in which order, so that all workers finish at about the same time.

Scenarios of one replication are the same up to the day they first differ. A job that holds several of them
lets the model run what they have in common once. Companions with every assumed effect on differ from the others from
the first day, so they are a family of their own, and so are the scenarios of a draw. But a job is the smallest thing
a worker can be given, so with two workers and five replications the last one is split up, or one worker would wait
while the other does all of it.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class PlannedRun:
    """One run still to be made.

    Parameters
    ----------
    key : str
        Hash of what determines it; names its file.
    scenario : str
        Name of the (first) scenario it belongs to.
    replication : int
        Number of the replication, from 0.
    resolved : object
        The resolved scenario, sent to the worker.
    determinants : dict
        What the key was made from; kept in the run's file.
    impact_day : int
        Days from the start until the scenario differs from its baseline; the whole run for the baseline.
    days : int
        Length of the run.
    split : str
        By what the counts of people are split; empty for not at all.
    with_effects : bool
        Whether it is a companion with every assumed effect on; these have a baseline of their own.
    draw : int
        Number of the set of parameters; 0 for the central values.
    whole : bool
        Whether its file keeps only sums over areas and providers; its determinants say so too.
    beside : bool
        Whether it may be taken from a study beside this one that has made it in the meantime.
    """

    key: str
    scenario: str
    replication: int
    resolved: Any
    determinants: dict[str, Any]
    impact_day: int
    days: int
    split: str = ""
    with_effects: bool = False
    draw: int = 0
    whole: bool = False
    beside: bool = False

    @property
    def title(self) -> str:
        """How the run is named in messages; replications are counted from one there, and draws as in tables."""
        draw = f"draw {self.draw}, " if self.draw else ""
        return f"{self.scenario}, {draw}replication {self.replication + 1}"


@dataclass(frozen=True)
class Job:
    """Runs of one replication that a worker makes together.

    Parameters
    ----------
    replication : int
        Number of the replication, from 0.
    runs : tuple of PlannedRun
        One a scenario, the one that differs last from the baseline first: the others part from it.
    """

    replication: int
    runs: tuple[PlannedRun, ...]

    @property
    def cost(self) -> int:
        """Days to be simulated when each run parts from the first on the day on which it differs."""
        first, *others = self.runs
        return first.days + sum(run.days - min(max(0, run.impact_day), run.days) for run in others)


def plan_jobs(runs: Sequence[PlannedRun], workers: int, share_prefix: bool) -> list[Job]:
    """Divide runs into jobs.

    Parameters
    ----------
    runs : sequence of PlannedRun
        Runs to be made.
    workers : int
        Number of workers.
    share_prefix : bool
        Whether the model can run several scenarios from a common prefix.

    Returns
    -------
    list of Job
        Longest first; a worker takes the next when it is free. The division never changes a result.
    """
    if not share_prefix:
        return longest_first([Job(run.replication, (run,)) for run in runs])
    def family(run: PlannedRun) -> tuple[int, int, bool]:
        return run.draw, run.replication, run.with_effects

    families = [
        Job(replication, tuple(sorted(group, key=lambda run: -run.impact_day)))
        for (_, replication, _), group in itertools.groupby(sorted(runs, key=family), key=family)
    ]
    families = longest_first(families)
    best = families
    best_time = finishing_time(families, workers)
    most_pieces = max((len(family.runs) for family in families), default=1)
    # Splitting repeats the common prefix, so only the last few replications are worth trying.
    for count in range(1, min(workers, len(families)) + 1):
        for pieces in range(2, most_pieces + 1):
            kept, last = families[: len(families) - count], families[len(families) - count :]
            split = longest_first([*kept, *(part for family in last for part in _split(family, pieces))])
            time = finishing_time(split, workers)
            if time < best_time:
                best, best_time = split, time
    return best


def _split(family: Job, pieces: int) -> list[Job]:
    """Divide the scenarios of a job into at most so many smaller jobs of nearly equal size."""
    count = min(pieces, len(family.runs))
    size, larger = divmod(len(family.runs), count)
    stops = list(itertools.accumulate([size + (piece < larger) for piece in range(count)]))
    starts = [0, *stops[:-1]]
    return [Job(family.replication, family.runs[start:stop]) for start, stop in zip(starts, stops, strict=True)]


def longest_first(jobs: Sequence[Job]) -> list[Job]:
    """Return jobs with the longest first, which leaves the short ones to even out the end."""
    return sorted(jobs, key=lambda job: (-job.cost, job.replication, [run.scenario for run in job.runs]))


def finishing_time(jobs: Sequence[Job], workers: int) -> int:
    """Return when the last worker finishes, in days simulated, if free workers take jobs in this order."""
    busy = [0] * max(1, workers)
    for job in jobs:
        soonest = busy.index(min(busy))
        busy[soonest] += job.cost
    return max(busy)
