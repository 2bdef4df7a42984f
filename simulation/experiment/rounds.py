"""Replications in rounds: make some, look whether they are enough, make more."""

from __future__ import annotations

from collections.abc import Callable

from simulation.experiment.counts import Counts
from simulation.experiment.inputs import Plan
from simulation.experiment.precision import SequentialRule
from simulation.experiment.windows import TO_END, windows_after


def add_until_precise(
    plan: Plan,
    make: Callable[[int, int], None],
    counts_of: Callable[[str, int], Counts],
    note: Callable[[str], None],
    workers: int,
) -> SequentialRule:
    """Add replications until the rule says that there are enough, or the most allowed.

    Parameters
    ----------
    plan : Plan
        A study that asks for a precision.
    make : callable
        Takes a number of replications and how many of them are needed now; makes those not made yet, and raises if one
        of those needed can't be made.
    counts_of : callable
        Takes a scenario's name and a replication made; returns the counts of that run in the months counted.
    note : callable
        Takes a line for the reader.
    workers : int
        Among how many runs are divided, of this computer or of a cluster.

    Returns
    -------
    SequentialRule
        The rule, with as many replications as it found enough.
    """
    assert plan.precision is not None
    looks = plan.precision.looks
    windows = {
        scenario.name: next(
            window for window in windows_after(plan.impacts[scenario.name], plan.months) if window.name == TO_END
        )
        for scenario in plan.scenarios[1:]
    }
    rule = SequentialRule(plan.precision, plan.baseline.name, windows)
    made = 0
    for look in looks:
        if made < look:
            # As many at once as there are workers. What a look doesn't count stays for a later one, so that the number
            # of workers never decides how many replications there are.
            wanted = max(look, made + workers)
            made = next((number for number in looks if number >= wanted), looks[-1])
        make(made, look)
        for replication in range(rule.replications, look):
            rule.add({scenario.name: counts_of(scenario.name, replication) for scenario in plan.scenarios})
        done = rule.enough()
        found = rule.rounds[-1]
        note(
            f"{look} replications: {found['reached']} of {found['of']} headline differences as narrow as asked"
            + ("" if done or look == looks[-1] else "; going on")
        )
        if done:
            break
    return rule
