"""Measure everything: ``python -m benchmarks.run [--quick] [--study] [--repeats 5]``.

Each measurement is a process of its own, and forms take turns; the tables give medians, and the lowest and highest. A
full run writes ``benchmarks/results.md``. It takes half an hour or more, and ``--study`` as long again: run it when the
computer does nothing else.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.forms import measure_forms
from benchmarks.limits import DEFAULT_STUDY, TOY_PEOPLE
from benchmarks.national import PARTS, measure_sizes, sizes
from benchmarks.page import Measurements, page
from benchmarks.sizes import part_nearest, share_of
from benchmarks.start_up import measure_start
from benchmarks.workers import measure_studies
from simulation.experiment.runfiles import write_atomically
from simulation.scenario import load_geography

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Plan:
    """What is measured, and how often.

    Parameters
    ----------
    people : int
        People of the toy caseload.
    repeats : int
        Turns; the median of them counts.
    country, until : str
        Areas of the whole country, fewer only to try the program, and the last day of runs of all its sizes.
    parts : tuple of float
        Parts of the country that are run besides.
    area, a_year_until, five_years_until : str
        The one area of the runs that tell how long a start takes, and their last days.
    studies : tuple of (title, options)
        Options of the studies that are run with one worker and with two; the default study with two alone.
    """

    people: int
    repeats: int
    country: str
    until: str
    parts: tuple[float, ...]
    area: str
    a_year_until: str
    five_years_until: str
    studies: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def is_full(self) -> bool:
        """Whether sizes are those that the limits are for."""
        return (self.people, self.country, self.until) == (TOY_PEOPLE, "all", _LAST_DAY)


_LAST_DAY, _A_YEAR = "2021-06-30", "2017-06-30"


def full_plan(repeats: int) -> Plan:
    """Return what a full run measures, without the default study."""
    geography = load_geography()
    area, tenth = part_nearest(geography, 1 / len(geography.areas)), part_nearest(geography, 0.1)
    title = f"default scenarios in {tenth.replace('_', ' ')} ({share_of(geography, tenth):.1%}), 4 replications"
    study = (title, ("--areas", tenth, "--replications", "4"))
    return Plan(TOY_PEOPLE, repeats, "all", _LAST_DAY, PARTS, area, _A_YEAR, _LAST_DAY, (study,))


def quick_plan() -> Plan:
    """Return a plan that shows in some minutes that everything works: smaller, shorter, once."""
    plan = full_plan(1)
    ((title, options),) = plan.studies
    study = (f"{title}, until 2017-06-30", (*options, "--until", "2017-06-30"))
    return replace(plan, people=26_000, country=options[1], until="2017-06-30", studies=(study,))


def measure_all(plan: Plan) -> Measurements:
    """Measure everything of a plan."""
    load, all_sizes = os.getloadavg()[1], sizes(plan.country, plan.until, plan.parts)
    results = measure_start(plan.area, plan.a_year_until, plan.five_years_until, plan.repeats)
    results |= measure_forms(plan.people, plan.repeats)
    found, events = measure_sizes(all_sizes, plan.repeats)
    results |= found
    results |= measure_studies({title: list(options) for title, options in plan.studies}, plan.repeats, {DEFAULT_STUDY})
    return Measurements(all_sizes, results, events, load)


def made(plan: Plan) -> str:
    """Measure everything and return the page of results."""
    titles = [title for title, _ in plan.studies]
    return page(measure_all(plan), plan.people, plan.repeats, plan.until, plan.area, titles, plan.is_full)


def main() -> None:
    """Read the command line, measure, print and write."""
    parser = argparse.ArgumentParser(description="Measure the model, its start, its workers and the toy caseload.")
    parser.add_argument("--people", type=int, help="people of the toy caseload (260000, or 26000 if quick)")
    parser.add_argument("--repeats", type=int, help="measurements of each; the median counts (5, or 1 if quick)")
    parser.add_argument("--quick", action="store_true", help="smaller and once; nothing is written")
    parser.add_argument("--study", action="store_true", help="also the default study, with two workers")
    options = parser.parse_args()
    for name in ("people", "repeats"):
        if getattr(options, name) is not None and getattr(options, name) < 1:
            parser.error(f"--{name} must be at least 1")
    plan = quick_plan() if options.quick else full_plan(5)
    plan = replace(plan, people=options.people or plan.people, repeats=options.repeats or plan.repeats)
    if options.study:
        plan = replace(plan, studies=(*plan.studies, (DEFAULT_STUDY, ())))
    text = made(plan)
    print(text)
    if not options.quick:
        write_atomically(HERE / "results.md", text.encode("utf-8"))


if __name__ == "__main__":
    main()
