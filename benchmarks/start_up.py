"""How long it takes until something happens: the command line's help, and one area of average size."""

from __future__ import annotations

import subprocess
import sys
from time import perf_counter

from benchmarks.measuring import ROOT, Measured, Results, in_turns, spread, table
from benchmarks.national import run_as
from benchmarks.one_run import Wanted

HELP, ONE_YEAR, FIVE_YEARS = "run.py --help", "one area, a year", "one area, five years"
#: Steps of a run in a process of its own.
_STEPS = ("importing", "reading", "set_up", "running", "gathering")


def measure_start(area: str, a_year_until: str, five_years_until: str, repeats: int) -> Results:
    """Measure the help, and runs of one area of a year and of five, each twice in the same process."""
    jobs = {
        HELP: _help,
        ONE_YEAR: lambda: _twice(area, a_year_until),
        FIVE_YEARS: lambda: _twice(area, five_years_until),
    }
    # The first of each isn't kept: it would measure how fast files are read from the disk.
    return in_turns(jobs, repeats, begun=1)


def _help() -> Measured:
    begun = perf_counter()
    subprocess.run([sys.executable, "run.py", "--help"], cwd=ROOT, capture_output=True, check=True)
    return {"whole": perf_counter() - begun}


def _twice(area: str, until: str) -> Measured:
    begun = perf_counter()
    found = run_as(Wanted(area, until), warm=False, times=2)
    return found | {"whole": perf_counter() - begun}


def after_import(results: Results, name: str, again: bool = False) -> list[float]:
    """Return seconds from set-up to the counts, by turn: of the first run of a process or of the one after it."""
    first = "again_" if again else ""
    return [sum(run[f"{first}{step}"] for step in ("set_up", "running", "gathering")) for run in results[name]]


def start_table(results: Results) -> str:
    """Return the table of starts as Markdown."""
    header = [
        "what", "importing", "reading parameters and scenario", "set-up", "running", "counts",
        "set-up to counts", "the same once loops are loaded",
    ]  # fmt: skip
    rows = []
    for name in (ONE_YEAR, FIVE_YEARS):
        steps = [spread([run[step] for run in results[name]]) for step in _STEPS]
        both = [spread(after_import(results, name, again)) for again in (False, True)]
        rows.append([name, *steps, *both])
    return table(header, rows)
