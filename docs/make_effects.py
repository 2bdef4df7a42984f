"""Write docs/effects.md: what each shipped scenario changes, in one small area, with its uncertainty.

Not part of the tests: it runs every scenario, a quarter of an hour on two cores. ``python docs/make_effects.py``. With
``--out DIR`` the studies are kept, and begun again from what is there.
"""

from __future__ import annotations

import argparse
import functools
import re
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import polars as pl

FILE = Path(__file__).with_name("effects.md")
ROOT = FILE.parents[1]
sys.path.insert(0, str(ROOT))

from simulation import Study  # noqa: E402
from simulation.measures.registry import MEASURE_BY_NAME  # noqa: E402
from simulation.scenario import Scenario, load_parameters, load_scenario  # noqa: E402

AREAS, REPLICATIONS, UNTIL = "cumbria,gwent", 6, "2020-06-30"

#: Scenarios that change nothing in the two areas, or something so rare that they have none of it: where they do.
ELSEWHERE = {
    "commissioned_by_mayors": "cleveland",
    "nps_poaches": "west_yorkshire",
    "officers_by_any_cohort": "thames_valley",
    "pooled_teams_end": "staffordshire",
    "twelve_regions": "dorset,wiltshire",
}

#: Parts of the system, by the first word of the levers that a scenario pulls.
PARTS = {
    "courts": "Courts",
    "allocation": "Allocation",
    "workload": "Workload",
    "contact": "Contact",
    "requirements": "Requirements",
    "enforcement": "Enforcement",
    "recall": "Recall",
    "custody": "Custody",
    "release": "Through the Gate",
    "supervision": "Short sentences",
    "community": "Community life",
    "effects": "Community life",
    "staff": "Staffing",
    "contracts": "Contracts",
    "organisation": "Organisation",
    "targets": "Targets",
    "population": "Demand",
}

HEADING = """# What each scenario changes

Made by `python docs/make_effects.py`: every shipped scenario against the baseline, {pairs} pairs of runs in
{areas} ({elsewhere}), until {until}. For an analyst: the measures are those that a scenario acts on directly
(its key `moves`) and those for which it states a direction (its key `expects`). The interval covers chance alone, at
95%, each measure for itself: of some hundred intervals a few miss. Levels of so few people say
nothing about the country; run the comparison for that.
"""


def main() -> None:
    """Run every scenario and write the page."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--areas", default=AREAS)
    asked.add_argument("--replications", type=int, default=REPLICATIONS)
    asked.add_argument("--out", type=Path)
    options = asked.parse_args()
    scenarios = {file.stem: load_scenario(file.stem) for file in sorted((ROOT / "scenarios").glob("*.yaml"))}
    pulled = {name: scenario for name, scenario in scenarios.items() if scenario.extends}
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.out or Path(temporary)
        here = _differences(folder / "effects", options.areas, list(pulled), options)
        there = [_differences(folder / name, area, [name], options) for name, area in ELSEWHERE.items()]
        differences = pl.concat([here.filter(~pl.col("scenario").is_in(list(ELSEWHERE))), *there])
    heading = HEADING.format(
        pairs=options.replications,
        areas=_in_words(options.areas),
        elsewhere="; ".join(f"`{name}` in {_in_words(areas)}" for name, areas in ELSEWHERE.items()),
        until=UNTIL,
    )
    FILE.write_text(heading + "".join(_parts(pulled, differences)), encoding="utf-8")


def _differences(folder: Path, areas: str, names: list[str], options: argparse.Namespace) -> pl.DataFrame:
    """Return what scenarios change, each against the baseline with the same luck."""
    study = Study(["baseline", *names], areas=areas, replications=options.replications, until=UNTIL, out=folder)
    return study.run().differences.filter(pl.col("window") == "to end")


def _parts(pulled: dict[str, Scenario], differences: pl.DataFrame) -> Iterable[str]:
    """Return the page's sections, one a part of the system."""
    by_part: dict[str, list[str]] = {}
    for name, scenario in pulled.items():
        by_part.setdefault(_part(scenario), []).append(name)
    rows = {(row["scenario"], row["measure"]): row for row in differences.iter_rows(named=True)}
    for part in dict.fromkeys(PARTS.values()):
        if part not in by_part:
            continue
        yield f"\n## {part}\n\n| scenario | levers | measure | expected | baseline | difference (95% interval) |"
        yield " tests |\n"
        yield "|---|---|---|---|---|---|---|\n"
        for name in by_part[part]:
            yield from _lines(name, pulled[name], rows)


def _part(scenario: Scenario) -> str:
    return PARTS.get(_levers(scenario)[0].partition(".")[0], "Demand")


def _levers(scenario: Scenario) -> list[str]:
    names = [assignment.name for change in scenario.changes for assignment in change.assignments]
    return list(dict.fromkeys(names)) or ["population"]


def _lines(name: str, scenario: Scenario, rows: dict[tuple[str, str], dict[str, object]]) -> Iterable[str]:
    levers = "<br>".join(f"`{lever}`" for lever in _levers(scenario)[:4])
    # A lever stands in tests with or without the label of the value that it moves.
    words = {name, *_levers(scenario), *(_declared(lever) for lever in _levers(scenario))}
    asked = re.compile(rf"\b({'|'.join(re.escape(word) for word in sorted(words))})\b")
    tests = sorted(stem for stem, text in _tests().items() if asked.search(text))
    first = [f"[`{name}`](../scenarios/{name}.yaml)", levers]
    for measure in dict.fromkeys([*scenario.moves, *scenario.expects]):
        row = rows[name, measure]
        unit = MEASURE_BY_NAME[measure].unit
        seen = " | ".join(
            [
                f"{MEASURE_BY_NAME[measure].title} ({unit})",
                scenario.expects.get(measure, ""),
                _figure(row["baseline"]),
                f"{_figure(row['difference'], '+')} ({_figure(row['low'])} to {_figure(row['high'])})",
            ]
        )
        yield f"| {first[0]} | {first[1]} | {seen} | {', '.join(tests)} |\n"
        first, tests = ["", ""], []


@functools.cache
def _parameters() -> frozenset[str]:
    return frozenset(load_parameters())


def _declared(lever: str) -> str:
    """Return the name of the parameter of which a lever moves one value."""
    while lever not in _parameters() and "." in lever:
        lever = lever.rpartition(".")[0]
    return lever


@functools.cache
def _tests() -> dict[str, str]:
    """Return the text of each file of tests of the system."""
    return {file.stem: file.read_text(encoding="utf-8") for file in (ROOT / "tests" / "system").glob("test_*.py")}


def _in_words(areas: str) -> str:
    return areas.replace("_", " ").replace(",", " and ")


def _figure(value: object, sign: str = "") -> str:
    """Return a figure with three digits; a dash for none."""
    if not isinstance(value, float) or value != value:
        return "-"
    if abs(value) >= 100:
        return f"{value:{sign},.0f}"
    return f"{value:{sign}.3g}"


if __name__ == "__main__":
    main()
