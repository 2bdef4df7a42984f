"""The page of results: every table, what was measured how, and whether the computer was quiet."""

from __future__ import annotations

import importlib.util
import os
import platform
from dataclasses import dataclass
from importlib.metadata import version
from statistics import median

from benchmarks.forms import forms_table
from benchmarks.limits import limits_table
from benchmarks.measuring import Results, spread
from benchmarks.national import WHOLE, Size, key, sizes_table
from benchmarks.one_run import EVERY_MECHANISM
from benchmarks.sizes import NATIONAL_TOTALS
from benchmarks.start_up import HELP, start_table
from benchmarks.workers import studies_table

#: Elapsed time over the processor's above which others were at work on the computer.
_BUSY = 1.1


@dataclass(frozen=True)
class Measurements:
    """All that was measured.

    Parameters
    ----------
    all_sizes : dict of str to Size
        The sizes of country that were run.
    results : dict of str to list
        What was measured, by what it was measured of, and by turn.
    events : dict of str to int
        What happened to people in each size.
    load : float
        Programs at work on the computer before the first measurement, over the last minutes.
    """

    all_sizes: dict[str, Size]
    results: Results
    events: dict[str, int]
    load: float


def machine() -> str:
    """Describe the machine and the libraries in one sentence."""
    libraries = filter(importlib.util.find_spec, ("numpy", "simpy", "polars", "ciw", "salabim", "numba"))
    versions = ", ".join(f"{name} {version(name)}" for name in libraries)
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {versions}."


def quietness(found: Measurements) -> str:
    """Say whether other programs disturbed the measurements."""
    runs = found.results[key("baseline", WHOLE)] + found.results[key(EVERY_MECHANISM, WHOLE)]
    times = median(run["running"] / run["running_work"] for run in runs)
    text = (
        f"Before the start {found.load:.1f} programs were at work on the computer, and national runs took {times:.2f} "
        "times their processor time."
    )
    if times <= _BUSY:
        return text
    return f"{text} **The computer was busy: elapsed times, and to some degree processor times, are too long.**"


def page(
    found: Measurements, people: int, repeats: int, until: str, area: str, studies: list[str], is_full: bool
) -> str:
    """Return the page of results as Markdown.

    Parameters
    ----------
    found : Measurements
        All that was measured.
    people : int
        People of the toy caseload.
    repeats : int
        Turns of each measurement.
    until : str
        Last day of the runs of all sizes.
    area : str
        The area of average size.
    studies : list of str
        Titles of the studies.
    is_full : bool
        Whether sizes are those that the limits are for.
    """
    results = found.results
    kind = "" if is_full else "\n**A quick run of smaller sizes: its figures answer none of the limits.**\n"
    often = f"Medians of {repeats}, with the lowest and the highest in brackets." if repeats > 1 else "Measured once."
    return f"""# How fast it runs
{kind}
{often} Each measurement is a process of its own, and what is compared takes turns. Seconds are those on the
clock unless they are said to be of the processor, which other programs on the computer disturb less. Compiled loops
were compiled before and kept on disk, as after any first run.
{quietness(found)}

## Limits

What the project asks of itself, and whether the median keeps it.

{limits_table(results, is_full)}

## The model

Runs on one core until {until}, one replication each. *Seconds a simulated year* are those after set-up, which
draws everybody and every post and is shown apart. People and officers are the mean of those supervised and in post at
the month ends. Contacts are those made; events are everything that happens to somebody and is told in their history,
counted in a run that isn't timed. Equal codes under *outcome* mean that day by day the same happened to the same
people.

- Parts of the country are areas as they are: nothing is scaled.
- A country of another size has the same 42 areas and every number that stands for the whole country times one factor:
  people sentenced and expected back, prisoners and prison places, reports, hearings, officers, other staff and
  trainees, resettlement teams and homes, unpaid work, activities and programmes, and money ({len(NATIONAL_TOTALS)}
  parameters, named in [sizes.py](sizes.py)), with residents and the people whom each provider supervises, which size
  its hub. Offices keep their size, so their number changes. Not scaled are inspections, of so many cases in each area,
  and that each side of an area has at least two posts and each area a place on each programme.
- *Every mechanism* is the scenario [{EVERY_MECHANISM}.yaml]({EVERY_MECHANISM}.yaml), which puts to work what the
  baseline leaves idle; of rules that exclude one another, such as those of allocation, it has one.

{sizes_table(found.all_sizes, results, found.events)}

## Start

`python run.py --help` takes {spread([run["whole"] for run in results[HELP]])} seconds. One area of average size
({area.replace("_", " ")}), in seconds; loops are loaded on first use, and a second run in the same process has
them at hand.

{start_table(results)}

## Two workers against one

Studies as a user starts them with `python run.py compare`: starting Python and the workers, runs, tables and report.

{studies_table(results, studies)}

## The toy caseload

The same toy caseload of {people:,} people and {people // 45:,} officers in five forms;
[toy.py](toy.py) gives its rules, and each form says which it can't keep exactly. Contacts a second of
processor time on one core, after a warm-up. Slow forms are run over fewer days. Memory includes each library itself
(for the compiled loop, mostly its compiler).

{forms_table(results)}

{machine()} Made by `python -m benchmarks.run`.
"""
