"""Derive the stored curve of returns: how many people of the model come back to court in a month, without a policy.

New people are the sentencing series less this curve (docs/model.md, Demand and the start), so the curve must be what
the model itself produces. It is found by going round: run, count returners by half-year, move each point part of the
way to the count, and run again, until the totals sentenced match the series. Nothing here looks at an outcome.

    python -m simulation.evidence.returns history --until 2016-01-01 --rounds 3 --write

runs `history`, moves the points before 1 January 2016 and writes them to scenarios/parameters/population.yaml; without
``--write`` it only prints. ``--areas`` does it in some areas at their share of the country, quicker and rougher.
"""

from __future__ import annotations

import argparse
import calendar
import datetime as dt
import re
import shutil
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np

from simulation.engine.calendar import MONTH_DAYS
from simulation.experiment import DEFAULT_SEED
from simulation.scenario import Resolved, load_geography, load_parameters, load_scenario, resolve
from simulation.system import Model, RunRequest
from simulation.system.demand import area_shares

KINDS = ("community", "custody")
FILE = Path(__file__).resolve().parents[2] / "scenarios" / "parameters" / "population.yaml"
#: Months to a point of the curve, and the share of the way that a point is moved in a round.
MONTHS_A_POINT, PART_OF_THE_WAY = 6, 0.8

Counts = dict[str, dict[str, float]]


def count_returns(resolved: Resolved, seed: int) -> tuple[Counts, dict[str, tuple[float, float]]]:
    """Run a scenario once; return counts by month, scaled to the country, and totals over the series by year.

    Parameters
    ----------
    resolved : Resolved
        Scenario and areas.
    seed : int
        Chance.

    Returns
    -------
    counts : dict
        By month: returners sentenced of each kind in a month of 30.4 days, and all sentences.
    ratios : dict
        By year: community and custodial sentences over what the series says.
    """
    geography = load_geography()
    model = Model(RunRequest(resolved, seed=seed), geography)
    model.run()
    rows, demand = model.output().rows, model.population.demand
    size = float(area_shares(geography)[list(resolved.areas)].sum())
    found: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for month, measure, value in zip(rows["month"], rows["measure"], rows["value"].tolist(), strict=True):
        if measure.startswith("sentences_"):
            found[month][measure] += value / size
    counts: Counts = {}
    ratios = {}
    for month, each in sorted(found.items()):
        year, number = map(int, month.split("-"))
        length = MONTH_DAYS / calendar.monthrange(year, number)[1]
        custody = each["sentences_custody_of_returners"]
        counts[month] = {
            "custody": custody * length,
            "community": (each["sentences_of_returners"] - custody) * length,
        }
    for year in sorted({int(month[:4]) for month in found}):
        months = [month for month in found if month.startswith(f"{year}-")]
        part = len(months) / 12
        ratios[str(year)] = (
            sum(found[month]["sentences_community"] for month in months) / demand.community_year(year) / part,
            sum(found[month]["sentences_custody"] for month in months) / demand.custody_year(year) / part,
        )
    return counts, ratios


def half_years(counts: Counts, kind: str) -> dict[dt.date, float]:
    """Return the mean of each half-year's months, dated in its middle."""
    months = sorted(counts)
    points = {}
    for first in range(0, len(months), MONTHS_A_POINT):
        window = months[first : first + MONTHS_A_POINT]
        if len(window) >= MONTHS_A_POINT // 2:
            middle = dt.date.fromisoformat(window[len(window) // 2] + "-01")
            points[middle] = sum(counts[month][kind] for month in window) / len(window)
    return points


def moved(old: dict[dt.date, float], seen: dict[dt.date, float], part: float) -> dict[dt.date, float]:
    """Return the curve with a point for each date seen, moved part of the way from the old line to what was seen.

    Examples
    --------
    >>> day = dt.date(2015, 1, 1)
    >>> moved({day: 100.0}, {day: 200.0}, 0.5)
    {datetime.date(2015, 1, 1): 150.0}
    """
    days = sorted(old)
    line = [old[day] for day in days]
    at = [day.toordinal() for day in days]
    return {
        day: float((1 - part) * np.interp(day.toordinal(), at, line) + part * value) for day, value in seen.items()
    }


def read_curve(text: str, kind: str) -> dict[dt.date, float]:
    """Return the points of a curve from the text of the parameter file."""
    block = text[text.index(f"population.returns.{kind}:") :]
    block = block[: block.index("  unit:")]
    return {
        dt.date.fromisoformat(day): float(value) for day, value in re.findall(r"    (\d{4}-\d\d-\d\d): ([\d.]+)", block)
    }


def with_curve(text: str, kind: str, points: dict[dt.date, float]) -> str:
    """Return the text of the parameter file with other points."""
    first = text.index("  value:\n", text.index(f"population.returns.{kind}:")) + len("  value:\n")
    last = text.index("  unit:", first)
    lines = "".join(f"    {day.isoformat()}: {value:.1f}\n" for day, value in sorted(points.items()))
    return text[:first] + lines + text[last:]


def one_round(
    scenario: str, areas: str, seed: int, first: dt.date, last: dt.date, text: str
) -> tuple[str, dict[str, tuple[float, float]]]:
    """Run once and return the parameter file with the points from ``first`` to ``last`` moved, and the ratios."""
    with tempfile.TemporaryDirectory() as folder:
        for path in FILE.parent.glob("*.yaml"):
            shutil.copy(path, folder)
        (Path(folder) / FILE.name).write_text(text, "utf-8")
        parameters = load_parameters(Path(folder))
    names = tuple(areas.split(",")) if areas else None
    resolved = resolve(load_scenario(scenario, parameters), parameters, load_geography(), areas=names)
    counts, ratios = count_returns(resolved, seed)
    curves = {kind: read_curve(text, kind) for kind in KINDS}
    for kind in KINDS:
        seen = {day: value for day, value in half_years(counts, kind).items() if first <= day < last}
        kept = {day: value for day, value in curves[kind].items() if not first <= day < last}
        text = with_curve(text, kind, {**kept, **moved(curves[kind], seen, PART_OF_THE_WAY)})
    return text, ratios


def main() -> None:
    """Go round as often as asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenario", help="a scenario without a policy of its own: baseline or history")
    parser.add_argument("--areas", default="", help="areas to run at their share of the country, parted by commas")
    parser.add_argument("--since", default="1900-01-01", help="first date whose points are moved")
    parser.add_argument("--until", default="2100-01-01", help="date from which points are kept")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    parser.add_argument("--write", action="store_true", help=f"write the points to {FILE.name}")
    asked = parser.parse_args()
    first, last = dt.date.fromisoformat(asked.since), dt.date.fromisoformat(asked.until)
    text = FILE.read_text("utf-8")
    for number in range(asked.rounds):
        text, ratios = one_round(asked.scenario, asked.areas, asked.seed, first, last, text)
        shown = {year: (round(a, 3), round(b, 3)) for year, (a, b) in ratios.items()}
        print(f"round {number + 1}: sentenced over series (community, custody): {shown}", flush=True)
        for kind in KINDS:
            curve = {day.isoformat(): round(value) for day, value in read_curve(text, kind).items()}
            print(f"  {kind}: {curve}", flush=True)
    if asked.write:
        FILE.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
