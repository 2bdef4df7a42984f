"""Small worlds to test the system in: one quiet area, a few months, changes made in code."""

from __future__ import annotations

import dataclasses
import datetime
from collections import defaultdict
from typing import Any

import numpy as np

from simulation.evidence.limits import ALL_THE_TIME
from simulation.scenario import (
    Assignment,
    Change,
    Resolved,
    Scenario,
    load_geography,
    load_parameters,
    load_scenario,
    resolve,
)
from simulation.system import Model, RunOutput, RunRequest, run_model

START = datetime.date(2017, 7, 1)
COUNT_FROM = datetime.date(2017, 8, 1)
END = datetime.date(2017, 12, 31)

PARAMETERS = load_parameters()
GEOGRAPHY = load_geography()

#: Nothing about officers can make one person wait for another.
UNLIMITED = ALL_THE_TIME


def scenario(name: str = "baseline", *changes: Change, **options: Any) -> Scenario:
    """A shipped scenario over a few months, with changes of the test's own."""
    loaded = load_scenario(name)
    dates = {"start": START, "count_from": COUNT_FROM, "end": END, **options}
    return dataclasses.replace(loaded, changes=loaded.changes + changes, **dates)


def change(when: datetime.date, action: Any, name: str, value: Any, **options: Any) -> Change:
    """One dated change of one value."""
    return Change(start=when, assignments=(Assignment(action, name, value),), **options)


def resolved(
    scenario_: Scenario, areas: tuple[str, ...] = ("cumbria",), overrides: dict[str, Any] | None = None
) -> Resolved:
    """A scenario resolved for some areas, with values that hold from day one."""
    return resolve(scenario_, PARAMETERS, GEOGRAPHY, overrides=overrides, areas=areas)


def request(
    *changes: Change,
    areas: tuple[str, ...] = ("cumbria",),
    overrides: dict[str, Any] | None = None,
    seed: int = 1,
    extra: tuple[tuple[int, int], ...] = (),
    name: str = "baseline",
    **options: Any,
) -> RunRequest:
    """What to run."""
    return RunRequest(resolved(scenario(name, *changes, **options), areas, overrides), seed=seed, extra=extra)


def run(*changes: Change, **options: Any) -> RunOutput:
    """Run a few months of one area."""
    return run_model(request(*changes, **options))


def finished(*changes: Change, **options: Any) -> Model:
    """Run a few months of one area and give the whole model back."""
    model = Model(request(*changes, **options))
    model.run()
    return model


def totals(output: RunOutput) -> dict[str, dict[str, int]]:
    """Counts by measure and month, added up over areas and sides; distributions left out."""
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    rows = output.rows
    for measure, month, group, value in zip(
        rows["measure"], rows["month"], rows["group"], rows["value"].tolist(), strict=True
    ):
        if group == "all":
            found[measure][month] += value
    return found


def total(output: RunOutput, measure: str) -> int:
    """A count over the whole run."""
    return sum(totals(output)[measure].values())


def as_tuples(output: RunOutput) -> list[tuple[Any, ...]]:
    """Rows of an output, comparable."""
    names = ("area", "provider", "group", "month", "measure", "value", "known_on")
    values = (np.asarray(output.rows[name]).tolist() for name in names)
    return list(zip(*values, strict=True))


def same_run(one: RunOutput, other: RunOutput) -> None:
    """Two runs gave the same: events of each day, state of each month, and every row."""
    different = [
        day for day, pair in enumerate(zip(one.event_digests, other.event_digests, strict=True)) if pair[0] != pair[1]
    ]
    assert not different, f"events differ from day {different[0]} on"
    assert one.state_digests == other.state_digests
    assert as_tuples(one) == as_tuples(other)
