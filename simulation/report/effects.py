"""The part of a page that puts beside each difference what it would be if supervision changed what people do."""

from __future__ import annotations

import polars as pl

from simulation.measures.registry import MEASURE_BY_NAME
from simulation.report.charts import interval_words
from simulation.report.study import EFFECT_COLUMNS, TO_END, StudyFolder
from simulation.report.tables import Table
from simulation.report.wording import difference_unit, number, places

_SIDES = ("", "_with_effects")


def effects_section(study: StudyFolder) -> tuple[list[tuple[str, str]], list[tuple[str, Table]]]:
    """Return the switches with what each says, and a title and table for each scenario; nothing where not asked for."""
    asked = study.manifest.get("with_effects")
    switches = asked.get("switches") if isinstance(asked, dict) else None
    if not isinstance(switches, dict) or study.with_effects.is_empty():
        return [], []
    tables = []
    for scenario in study.changed:
        rows = study.with_effects.filter((pl.col("scenario") == scenario.name) & (pl.col("window") == TO_END))
        if not rows.is_empty():
            tables.append((scenario.title, _table(scenario.title, rows)))
    return [(str(name), str(words)) for name, words in switches.items()], tables


def _table(title: str, rows: pl.DataFrame) -> Table:
    shown = []
    for row in rows.iter_rows(named=True):
        measure = MEASURE_BY_NAME.get(row["measure"])
        if measure is None:
            continue
        decimals = places(*(row[f"{name}{side}"] or 0 for name in ("difference", "low", "high") for side in _SIDES))
        cells = [f"{measure.title} ({difference_unit(measure.unit)})"]
        for side in _SIDES:
            low, difference, high = (row[f"{name}{side}"] for name in ("low", "difference", "high"))
            if difference is None:
                cells += ["–", "–"]
            else:
                cells += [number(difference, decimals, signed=True), interval_words(low, high, decimals)]
        shown.append(tuple(cells))
    return Table(
        caption=f"{title}: difference from the baseline, without and with the effects, from the change to the end",
        columns=("Measure", "Effects off (as above)", "95% interval", "Effects on", "95% interval, effects on"),
        rows=tuple(shown),
        raw=tuple(rows.rows()),
        raw_columns=tuple(EFFECT_COLUMNS),
    )
