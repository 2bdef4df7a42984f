"""A model of nothing, quick and exact, that behaves towards the experiment as the real one does.

Each count is made from (seed, replication, area, month, count) alone, so luck is shared between scenarios; a
parameter shifts it from the day it changes, and other parameters make a run fail in various ways.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from simulation.experiment.windows import whole_months
from simulation.measures.groups import NOT_OF_PEOPLE, SPLITS
from simulation.measures.registry import COUNTS
from simulation.scenario import Resolved


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
    event_digests: list[str] = field(default_factory=list)
    state_digests: dict[str, str] = field(default_factory=dict)
    checks: dict[str, int] = field(default_factory=dict)


def luck(*parts: object) -> int:
    """A whole number from 0 to 999 for some purpose."""
    text = "|".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") % 1000


def run_model(request: RunRequest) -> RunOutput:
    resolved, days = request.resolved, (request.resolved.end - request.resolved.start).days + 1
    effective = resolved.on(0)
    # Parameters count replications from one, so that nought means never.
    if effective.integer("fake.fails_in") == request.replication + 1:
        raise ValueError("this run was told to fail")
    if effective.integer("fake.dies_in") == request.replication + 1:
        os._exit(7)
    columns: dict[str, list[Any]] = {
        name: [] for name in ("area", "provider", "group", "month", "measure", "value", "known_on")
    }

    def add(area: str, provider: str, group: str, month: str, measure: str, value: int) -> None:
        if value:
            row = (area, provider, group, month, measure, value, f"{month}-28")
            for column, item in zip(columns.values(), row, strict=True):
                column.append(item)

    for month in whole_months(resolved.start, resolved.end):
        year, number = (int(part) for part in month.split("-"))
        day = (resolved.start.replace(year=year, month=number, day=1) - resolved.start).days
        if request.progress is not None:
            request.progress(day, days)
        shift = resolved.on(max(0, day)).integer("fake.shift")
        shift *= 1 + resolved.on(max(0, day)).flag("effects.shift_twice")
        for count in COUNTS:
            if count.kind == "histogram":
                for band in range(4):
                    group = f"{band:03d}"
                    value = 100 + luck(request.seed, request.replication, month, count.name, band) // 10
                    add("england_and_wales", "all", group, month, count.name, value + shift * band)
                continue
            for area in resolved.areas:
                name = resolved.geography.areas[area]
                value = 1000 + luck(request.seed, request.replication, name, month, count.name)
                nps = resolved.geography.provider_name(area, 0)
                crc = resolved.geography.provider_name(area, 1)
                # All that shifts is in the last group.
                groups = list(SPLITS[request.split].groups) if request.split else ["high", "low"]
                if request.split and count.name in NOT_OF_PEOPLE:
                    groups = ["all"]
                add(name, nps, groups[0], month, count.name, value // 3)
                add(name, crc, groups[-1], month, count.name, value - value // 3 + shift)
    return RunOutput(columns, ["a"] * days, {"2017-01": "b"}, {"people are conserved": days})


def run_family(requests: Sequence[RunRequest]) -> Iterator[tuple[int, RunOutput]]:
    assert len({request.replication for request in requests}) == 1
    if any(request.resolved.on(0).flag("fake.fails_in_company") for request in requests):
        raise RuntimeError("these runs can't be made together")
    # The model itself finishes what parts first before what it parts from.
    for position in reversed(range(len(requests))):
        yield position, run_model(requests[position])
