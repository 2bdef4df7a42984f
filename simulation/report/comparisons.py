"""The parts of a page about all scenarios at once, and about how narrow the intervals came out."""

from __future__ import annotations

import math
from typing import Any

import polars as pl

from simulation.measures.registry import MEASURE_BY_NAME, Measure
from simulation.report.charts import interval_words, period_words
from simulation.report.study import COMPARISON_COLUMNS, PRECISION_COLUMNS, TO_END, StudyFolder
from simulation.report.tables import Table
from simulation.report.wording import difference_unit, is_share, listed, number, percent, places, spelled

Row = dict[str, Any]


def comparison_section(study: StudyFolder) -> list[tuple[str, str, Table]]:
    """Return for each headline measure its title, a sentence on which scenario does best, and a table of all."""
    parts = []
    for measure in study.headlines:
        of = study.comparisons.filter((pl.col("measure") == measure.name) & (pl.col("window") == TO_END))
        rows = [row for row in of.iter_rows(named=True) if row["value"] is not None]
        if len(rows) > 1:
            ordered = sorted(rows, key=lambda row: row["rank"] or math.inf)
            parts.append((measure.title, _best(study, ordered), _table(study, measure, ordered)))
    return parts


def _title(study: StudyFolder, row: Row) -> str:
    return "Baseline" if row["scenario"] == study.baseline.name else study.title_of(row["scenario"])


def _best(study: StudyFolder, rows: list[Row]) -> str:
    """Say which scenarios may be the best; rows are in the order of their ranks."""
    if rows[0]["rank"] is None:
        return "Neither more nor less is better here, so nothing is ranked."
    able = [_title(study, row) for row in rows if row["rank_low"] == 1]
    first = [row for row in rows if row["rank"] == 1]
    if len(able) == 1:
        return f"{able[0]} is the best with 95% confidence."
    if len(able) == len(rows):
        found = "Any of them may be the best"
    else:
        found = f"With 95% confidence the best is one of {spelled(len(able))}: {listed(able)}"
    if len(first) > 1:
        return f"{found}; on average {listed([_title(study, row) for row in first])} come out alike."
    return f"{found}; on average it is {able[0]}, with a probability of {_chance(first[0]['probability_best'])}."


def _chance(share: float | None) -> str:
    if share is None:
        return "–"
    if share < 0.01:
        return "under 1%"
    return "over 99%" if share > 0.99 else percent(100 * share, 0)


def _probability(p: float | None) -> str:
    if p is None:
        return "–"
    return "under 0.001" if p < 0.001 else number(p, 3)


def _table(study: StudyFolder, measure: Measure, rows: list[Row]) -> Table:
    ranked = rows[0]["rank"] is not None
    figures = ("difference", "simultaneous_low", "simultaneous_high")
    level_decimals = places(*(row[name] or 0 for row in rows for name in figures))
    shown = []
    for row in rows:
        base = row["difference"] is None
        decimals = places(*(row[name] or 0 for name in figures))
        level = number(row["value"], max(level_decimals, places(row["value"])))
        cells = [
            _title(study, row),
            f"{level}%" if is_share(measure.unit) else level,
            "–" if base else number(row["difference"], decimals, signed=True),
            "–" if base else interval_words(row["simultaneous_low"], row["simultaneous_high"], decimals),
            _probability(row["adjusted_p"]),
        ]
        if ranked:
            low, high = row["rank_low"], row["rank_high"]
            span = f"{low}" if low == high else f"{low} to {high}"
            cells += [str(row["rank"]), span, _chance(row["probability_best"])]
        shown.append(tuple(cells))
    columns = ["Scenario", "Level", "Difference from the baseline", "95% interval, all together", "P, adjusted"]
    if ranked:
        columns += ["Rank by average", "Rank with 95% confidence", "Probability of being best"]
    when = period_words(rows[0]["first_month"], rows[0]["last_month"])
    unit = "percentage points" if is_share(measure.unit) else measure.unit
    return Table(
        caption=f"{measure.title}: all scenarios at once, {when} ({unit})",
        columns=tuple(columns),
        rows=tuple(shown),
        raw=tuple(tuple(row[name] for name in COMPARISON_COLUMNS) for row in rows),
        raw_columns=tuple(COMPARISON_COLUMNS),
    )


def precision_section(study: StudyFolder) -> tuple[str, Table | None]:
    """Return a sentence on how far the precision asked was reached, and a table; nothing where none was asked."""
    asked = study.manifest.get("precision")
    if not isinstance(asked, dict) or study.precision.is_empty():
        return "", None
    shown = []
    for row in study.precision.iter_rows(named=True):
        measure = MEASURE_BY_NAME.get(row["measure"])
        if measure is None:
            continue
        unit = difference_unit(measure.unit)
        known = row["half_width"] is not None
        decimals = places(row["difference"] or 0, row["half_width"] or 0)
        share = row["asked_of"] == "difference"
        may_be_none = known and share and row["half_width"] >= abs(row["difference"])
        # Neither yes nor no where nothing was counted.
        reached, needed = row["reached"] == "true", row["replications_needed"]
        shown.append(
            (
                f"{study.title_of(row['scenario'])}: {measure.title} ({unit})",
                number(row["difference"], decimals, signed=True) if known else "nothing counted",
                f"± {number(row['half_width'], decimals)}" if known else "–",
                f"{100 * row['asked']:g}% of the difference"
                if share
                else f"± {row['asked']:,.10g}",
                ("Reached" if reached else "Not reached") if known else "–",
                "–"
                if not known or reached
                else "can't be said: the interval holds zero"
                if may_be_none
                else "over a million"
                if needed is None
                else f"about {number(needed, 0)}",
            )
        )
    table = Table(
        caption="Half of the 95% interval of each headline difference, beside what was asked",
        columns=("Difference", "Size", "Half of its interval", "Asked", "Verdict", "Replications needed"),
        rows=tuple(shown),
        raw=tuple(study.precision.rows()),
        raw_columns=tuple(PRECISION_COLUMNS),
        text_columns=(3, 4, 5),
    )
    return str(asked.get("finding") or ""), table
