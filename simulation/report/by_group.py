"""The part of a page that says who gains and who loses: headline differences by group of people."""

from __future__ import annotations

from typing import Any

import polars as pl

from simulation.measures.groups import ALL, SPLITS, Split
from simulation.measures.registry import Measure
from simulation.report.charts import interval_words
from simulation.report.findings import status_of
from simulation.report.study import TO_END, ScenarioText, StudyFolder
from simulation.report.tables import Table
from simulation.report.wording import is_share, listed, lower_first, number, percent, places, sentence_case

READINGS = {
    "improves": "better",
    "worsens": "worse",
    "changes": "changed, neither better nor worse",
    "single run": "one run only",
}
"""What is said of a difference in a group; other statuses are words already."""

_RAW = ("baseline", "value", "difference", "low", "high", "relative", "sign_agreement", "replications")


def group_section(study: StudyFolder) -> tuple[str, list[tuple[str, list[str], Table]]]:
    """Return how people are split, and for each scenario a title, sentences on who gains and loses, and a table."""
    split = SPLITS.get(str(study.manifest.get("split") or ""))
    if split is None or study.by_group.is_empty():
        return "", []
    parts = []
    for scenario in study.changed:
        of_scenario = study.by_group.filter((pl.col("scenario") == scenario.name) & (pl.col("window") == TO_END))
        by_measure = {
            measure: of_scenario.filter(pl.col("measure") == measure.name).to_dicts()
            for measure in (*study.moved_by(scenario), *study.headlines)
        }
        by_measure = {measure: rows for measure, rows in by_measure.items() if rows}
        if by_measure:
            parts.append((scenario.title, _sentences(by_measure, split), _table(scenario, by_measure, split)))
    about = (
        f"{split.title}: {lower_first(split.description)} {split.caution} Some groups are small, so their ranges "
        f"are wide, and among {len(split.groups)} groups some differences look clear by luck alone: read a lone one "
        "with care."
    )
    return about, parts


def _words(group: str, split: Split) -> str:
    return "Everybody" if group == ALL else split.groups.get(group, sentence_case(group.replace("_", " ")))


def _sentences(by_measure: dict[Measure, list[dict[str, Any]]], split: Split) -> list[str]:
    """Say of each measure that has a better end who gains and who loses; leave out those where nobody clearly does."""
    found = []
    for measure, rows in by_measure.items():
        in_groups = [row for row in rows if row["group"] != ALL and row["difference"] is not None]
        parts = []
        for status in ("improves", "worsens"):
            who = [lower_first(_words(row["group"], split)) for row in in_groups if status_of(measure, row) == status]
            if who:
                whom = "every group" if len(who) == len(in_groups) else listed(who)
                parts.append(f"{READINGS[status]} for {whom}")
        if parts:
            found.append(f"{measure.title}: {'; '.join(parts)}.")
    return found


def _table(scenario: ScenarioText, by_measure: dict[Measure, list[dict[str, Any]]], split: Split) -> Table:
    rows, raw, classes = [], [], []
    for measure, of_measure in by_measure.items():
        spans = [row[name] or 0 for row in of_measure for name in ("difference", "low", "high")]
        decimals = min(places(*spans), 3)
        level = max(decimals, 0) if is_share(measure.unit) else None
        for row in of_measure:
            group, note = row["group"], row["note"]
            raw.append((measure.name, measure.title, measure.unit, split.name, group, *(row[k] for k in _RAW), note))
            head = (f"{measure.title} ({measure.unit})", _words(group, split))
            if row["difference"] is None:
                rows.append((*head, "–", "–", "–", "–", "–", "Nobody in this group"))
                classes.append("")
                continue
            status = status_of(measure, row)
            relative = row["relative"]
            rows.append(
                (
                    *head,
                    number(row["baseline"], level),
                    number(row["value"], level),
                    number(row["difference"], decimals, signed=True),
                    interval_words(row["low"], row["high"], decimals),
                    "–" if relative is None else percent(relative, min(places(relative), 1), signed=True),
                    note or sentence_case(READINGS.get(status, status)),
                )
            )
            classes.append("fails" if status == "worsens" else "")
    return Table(
        caption=f"{scenario.title}: difference from the baseline by {split.title.lower()}, from the change to the end",
        columns=(
            "Measure",
            split.title,
            "Baseline",
            "With the change",
            "Difference",
            "95% interval",
            "In % of baseline",
            "This group gets",
        ),
        rows=tuple(rows),
        raw=tuple(raw),
        raw_columns=("measure", "title", "unit", "split", "group", *_RAW, "note"),
        text_columns=(1, 7),
        row_classes=tuple(classes),
    )
