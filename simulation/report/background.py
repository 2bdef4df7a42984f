"""The parts of a page that let a reader check it: levels, the gain from pairing, assumptions, provenance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from simulation.report import findings as words
from simulation.report.charts import Chart, Numbering, area_words, make_chart, run_words
from simulation.report.figures import level_figure
from simulation.report.study import ScenarioText, StudyFolder
from simulation.report.tables import Table
from simulation.report.wording import counted, number, percent, sentence_case

CONFIDENCE = {
    "S": "official statistic",
    "Q": "quoted",
    "D": "derived",
    "M": "memory",
    "assume": "assumption",
}
"""Words for the confidence codes of the parameter files."""


def level_section(study: StudyFolder, numbering: Numbering) -> Chart | None:
    if study.levels.is_empty():
        return None
    order = {"produced": 0, "initial condition": 1, "input": 2}
    frame = study.levels.with_columns(
        place=pl.col("role").replace_strict(order, default=3, return_dtype=pl.Int64),
        size=(pl.col("ratio") - 1).abs(),
    ).sort("within", "place", "size", descending=[False, False, True])
    rows = list(frame.iter_rows(named=True))
    table = Table(
        caption="The baseline beside published figures",
        columns=(
            "Published figure",
            "Role in the model",
            "Published (and range)",
            "Simulated",
            "Simulated less published",
            "Within 10%?",
            "Note",
        ),
        rows=tuple(
            (
                f"{row['title']} [{row['evidence_id']}]",
                sentence_case(row["role"]),
                f"{_level(row, 'published')} "
                f"({_level(row, 'published_low')} to {_level(row, 'published_high')})",
                _level(row, "simulated"),
                percent(None if row["ratio"] is None else 100 * (row["ratio"] - 1), 1, signed=True),
                "Yes" if row["within"] else "No",
                row["note"],
            )
            for row in rows
        ),
        raw=tuple(tuple(row[name] for name in study.levels.columns) for row in rows),
        raw_columns=tuple(study.levels.columns),
        text_columns=(1, 6),
        row_classes=tuple("" if row["within"] else "fails" for row in rows),
    )
    missed = [row["title"] for row in rows if not row["within"]]
    return make_chart(
        numbering,
        level_figure(frame),
        "levels-figure",
        title=words.levels_title(frame),
        subtitle=f"Baseline less published figure, in percent of the published figure; {run_words(study)}",
        description="Outside 10%: " + "; ".join(missed) + "." if missed else "All are within 10%.",
        note="Shaded: within 10% of the published figure. Grey bar: range of the published figure itself.",
        table=table,
        table_open=True,
    )


def _level(row: Mapping[str, Any], name: str) -> str:
    value = row[name]
    if value is None:
        return "not given"
    return percent(100 * value, 1) if row["how"] == "share" else number(value, 0)


def pairing_section(study: StudyFolder) -> Table | None:
    """How many times fewer pairs are needed than unpaired runs, by measure and scenario."""
    rows, raw = [], []
    by_scenario = {scenario.name: study.rows_of(scenario.name) for scenario in study.changed}
    for measure in study.shown:
        cells = []
        for name, of_scenario in by_scenario.items():
            row = of_scenario.get(measure.name)
            ratio = row["variance_ratio"] if row else None
            if row is None or ratio is None:
                cells.append("not known")
                continue
            low, high = row["variance_ratio_low"], row["variance_ratio_high"]
            known = low is not None and high is not None
            cells.append(_times(ratio) + (f" ({_times(low)} to {_times(high)})" if known else ""))
            raw.append((name, measure.name, ratio, low, high))
        if any(cell != "not known" for cell in cells):
            rows.append((measure.title, *cells))
    if not rows:
        return None
    return Table(
        caption="Times as many unpaired runs for the same certainty (95% interval)",
        columns=("Measure", *(scenario.title for scenario in study.changed)),
        rows=tuple(rows),
        raw=tuple(raw),
        raw_columns=("scenario", "measure", "variance_ratio", "variance_ratio_low", "variance_ratio_high"),
    )


def _times(value: float) -> str:
    if value == float("inf"):
        return "without limit"
    return number(value, 0 if value >= 10 else 1)


def change_section(scenario: ScenarioText) -> Table | None:
    rows = []
    for change in scenario.changes:
        since, until = str(change.get("from") or "the start"), str(change.get("to") or "the end")
        where = [_words_of(change.get(key)) for key in ("areas", "providers")]
        reach = {"new": "new cases", "all": "everyone"}.get(str(change.get("applies_to") or ""), "everyone")
        why = " ".join(str(change[key]) for key in ("why", "source") if isinstance(change.get(key), str))
        for verb, label in (("set", "becomes"), ("multiply", "times"), ("add", "plus")):
            values = change.get(verb)
            if not isinstance(values, dict):
                continue
            for name, value in values.items():
                rows.append(
                    (
                        str(name),
                        f"{label} {_words_of(value)}",
                        since,
                        until,
                        reach,
                        ", ".join(part for part in where if part) or "everywhere",
                        why,
                    )
                )
    if not rows:
        return None
    return Table(
        caption=f"{scenario.title}: values changed",
        columns=("Parameter", "New value", "From", "To", "For", "Where", "Why, and source"),
        rows=tuple(rows),
        text_columns=(1, 2, 3, 4, 5, 6),
    )


def _words_of(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_words_of(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(_words_of(item) for item in value)
    return "" if value is None else str(value).replace("_", " ")


def parameter_section(study: StudyFolder) -> Table | None:
    """Every parameter of the baseline with its evidence."""
    if study.parameters.is_empty():
        return None
    rows = list(study.parameters.iter_rows(named=True))
    return Table(
        caption="Parameters: value, range, confidence and source",
        columns=("Parameter", "Value", "Unit", "Range", "Confidence", "Source"),
        rows=tuple(
            (
                row["name"],
                row["value"],
                row["unit"],
                f"{row['low']} to {row['high']}" if row["low"] and row["high"] else "none given",
                CONFIDENCE.get(row["confidence"], row["confidence"]),
                row["source"],
            )
            for row in rows
        ),
        raw=tuple(tuple(row.values()) for row in rows),
        raw_columns=tuple(study.parameters.columns),
        text_columns=(1, 2, 3, 4, 5),
    )


def facts_of(study: StudyFolder) -> list[tuple[str, str]]:
    """What someone needs to make the same figures again, as pairs of a name and a value."""
    manifest = study.manifest
    code = manifest.get("code")
    code = code if isinstance(code, dict) else {}
    times = manifest.get("times")
    times = times if isinstance(times, dict) else {}
    dates = manifest.get("dates")
    dates = dates if isinstance(dates, dict) else {}
    facts = [
        ("Fingerprint", manifest.get("fingerprint")),
        ("Model version", manifest.get("model_version")),
        ("Commit", code.get("commit")),
        ("State of the program", _STATE.get(str(code.get("clean")))),
        ("Seed", manifest.get("seed")),
        (
            "Runs",
            f"{counted(study.replications, 'run')} of each of {counted(len(study.scenarios), 'scenario')}",
        ),
        ("Areas", area_words(study)),
        ("Dates", "; ".join(f"{str(key).replace('_', ' ')} {value}" for key, value in dates.items())),
        ("Made", str(times.get("finished") or "")[:10]),
        ("Time taken", _duration(times)),
    ]
    versions = manifest.get("versions")
    if isinstance(versions, dict):
        facts.append(("Versions", ", ".join(f"{name} {version}" for name, version in versions.items())))
    return [(name, sentence_case(str(value))) for name, value in facts if value not in (None, "")]


_STATE = {"True": "as in the commit", "False": "changed since the commit"}


def _duration(times: Mapping[str, Any]) -> str:
    seconds, workers = times.get("seconds"), times.get("workers")
    if not isinstance(seconds, int | float) or not isinstance(workers, int):
        return ""
    return f"{number(seconds, 0)} seconds with {counted(workers, 'process', 'processes')}"
