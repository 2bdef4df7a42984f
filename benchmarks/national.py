"""The model itself: parts of the country, the country, and countries of other sizes, with what a run of each costs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import log
from statistics import median

from benchmarks.measuring import Measured, Results, in_turns, measure, spread, table
from benchmarks.one_run import EVERY_MECHANISM, Wanted
from benchmarks.sizes import part_nearest, share_of
from simulation.scenario import load_geography

HALF, WHOLE, TWICE = 0.5, 1.0, 2.0
#: Parts of the country that are run, besides an area of average size.
PARTS = (0.01, 0.1)


@dataclass(frozen=True)
class Size:
    """One line of the table: what it is, and what is run for it."""

    title: str
    wanted: Wanted


def sizes(country: str, until: str, parts: tuple[float, ...] = PARTS) -> dict[str, Size]:
    """Return everything to be run, from small to large, first as it was and then with every mechanism at work."""
    geography = load_geography()
    found = {}
    for share in sorted({*parts, 1 / len(geography.areas)} if parts else ()):
        name = part_nearest(geography, share)
        number = len(geography.resolve(name))
        count = "1 area" if number == 1 else f"{number} areas"
        title = f"{share_of(geography, name):.1%}: {name.replace('_', ' ')}, {count}, nothing scaled"
        found[f"part {share:.4f}"] = Size(title, Wanted(name, until))
    for scenario in ("baseline", EVERY_MECHANISM):
        for factor in (HALF, WHOLE, TWICE):
            how = "nothing scaled" if factor == WHOLE else f"every national total times {factor:g}"
            title = f"{factor * share_of(geography, country):.0%}: {how}"
            title = title if scenario == "baseline" else f"{title}; every mechanism"
            found[key(scenario, factor)] = Size(title, Wanted(country, until, scenario, factor))
    return found


def key(scenario: str, factor: float) -> str:
    """Return the name under which a country of some size is measured."""
    return f"{scenario} x {factor:g}"


def run_as(wanted: Wanted, **changes: object) -> Measured:
    """Run in a process of its own."""
    return measure("one_run", json.dumps(asdict(wanted) | changes))


def measure_sizes(all_sizes: Mapping[str, Size], repeats: int) -> tuple[Results, dict[str, int]]:
    """Measure every size; return the results and what happened to people in each, counted in a run that isn't timed."""
    counted = in_turns(
        {f"{name}, counting": lambda size=size: run_as(size.wanted, count=True) for name, size in all_sizes.items()}, 1
    )
    results = in_turns({name: lambda size=size: run_as(size.wanted) for name, size in all_sizes.items()}, repeats)
    events = {}
    for name, runs in results.items():
        once = counted[f"{name}, counting"][0]
        if {run["outcome"] for run in runs} != {once["outcome"]}:
            raise SystemExit(f"{name}: runs of the same scenario with the same luck differ")
        events[name] = once["events"]
    return results, events


def a_year(results: Results, name: str, what: str = "running") -> list[float]:
    """Return seconds for each simulated year, by turn; ``what`` may also be ``running_work``, of the processor."""
    return [run[what] / run["years"] for run in results[name]]


def growth(results: Results, scenario: str) -> list[float]:
    """Return the power of the number of people with which processor time grows from half to twice the country."""
    pairs = zip(results[key(scenario, HALF)], results[key(scenario, TWICE)], strict=True)
    return [
        log(large["running_work"] / small["running_work"]) / log(large["people"] / small["people"])
        for small, large in pairs
    ]


def sizes_table(all_sizes: Mapping[str, Size], results: Results, events: Mapping[str, int]) -> str:
    """Return the table of all sizes as Markdown."""
    header = [
        "size", "people", "officers", "seconds a simulated year", "of the processor", "set-up, seconds",
        "contacts a second", "events a second", "peak memory, MB", "outcome",
    ]  # fmt: skip
    rows = []
    for name, size in all_sizes.items():
        runs = results[name]
        rows.append([
            size.title,
            f"{runs[0]['people']:,.0f}",
            f"{runs[0]['officers']:,.0f}",
            spread(a_year(results, name)),
            spread(a_year(results, name, "running_work")),
            spread([run["set_up"] for run in runs]),
            f"{median(run['contacts'] / run['running'] for run in runs):,.0f}",
            f"{median(events[name] / run['running'] for run in runs):,.0f}",
            spread([run["megabytes"] for run in runs], ",.0f"),
            f"`{runs[0]['outcome']}`",
        ])
    return table(header, rows)
