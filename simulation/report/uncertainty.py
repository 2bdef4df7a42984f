"""The part of a page that keeps luck and ignorance apart: what is left of each difference under other parameters."""

from __future__ import annotations

from typing import Any

import polars as pl

from simulation.measures.registry import MEASURE_BY_NAME
from simulation.report.charts import interval_words
from simulation.report.study import TO_END, UNCERTAINTY_COLUMNS, StudyFolder
from simulation.report.tables import Table
from simulation.report.wording import counted, difference_unit, number, places, sentence_case

_VERDICTS = (
    "clear whatever the parameters",
    "clear at the central values only",
    "indistinguishable",
)


def uncertainty_section(study: StudyFolder) -> list[tuple[str, str, Table]]:
    """Return a title, a sentence and a table for each scenario; nothing where no parameters were drawn."""
    found = []
    for scenario in study.changed:
        # The table holds every measure; the page shows those declared in advance and what the scenario acts on.
        names = [measure.name for measure in (*study.headlines, *study.moved_by(scenario))]
        chosen = study.uncertainty.filter(
            (pl.col("scenario") == scenario.name) & (pl.col("window") == TO_END) & pl.col("measure").is_in(names)
        )
        rows = sorted(chosen.to_dicts(), key=lambda row: names.index(row["measure"]))
        if rows:
            found.append((scenario.title, _sentence(rows), _table(scenario.title, rows)))
    return found


def _sentence(rows: list[dict[str, Any]]) -> str:
    said = []
    for verdict in _VERDICTS:
        count = sum(row["verdict"] == verdict for row in rows)
        if count:
            said.append(f"{counted(count, 'difference')} {'is' if count == 1 else 'are'} {verdict}")
    text = f"Of {len(rows)}: {'; '.join(said)}." if said else "Too few draws or runs to tell luck and ignorance apart."
    return sentence_case(text)


def _table(title: str, rows: list[dict[str, Any]]) -> Table:
    shown = []
    for row in rows:
        measure = MEASURE_BY_NAME[row["measure"]]
        ends = ("difference", "low", "high", "drawn_low", "drawn_high")
        decimals = places(*(row[name] or 0 for name in ends))
        same, share = row["same_sign"], row["ignorance_share"]
        shown.append(
            (
                f"{measure.title} ({difference_unit(measure.unit)})",
                "–" if row["difference"] is None else number(row["difference"], decimals, signed=True),
                "–" if row["difference"] is None else interval_words(row["low"], row["high"], decimals),
                "–" if row["drawn_low"] is None else interval_words(row["drawn_low"], row["drawn_high"], decimals),
                "–" if same is None else f"{100 * same:.0f}%",
                "–" if share is None else f"{100 * share:.0f}%",
                sentence_case(row["verdict"] or ""),
            )
        )
    return Table(
        caption=f"{title}: difference from the baseline, by luck and by draws of the parameters, to the end",
        columns=(
            "Measure",
            "Difference, central values",
            "Luck: 95% interval",
            "Ignorance: 5% to 95% of draws",
            "Draws of the same sign",
            "Ignorance, share of variance",
            "Verdict",
        ),
        rows=tuple(shown),
        raw=tuple(tuple(row[name] for name in UNCERTAINTY_COLUMNS) for row in rows),
        raw_columns=tuple(UNCERTAINTY_COLUMNS),
        text_columns=(6,),
    )
