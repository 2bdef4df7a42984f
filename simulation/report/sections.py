"""The parts of a page that compare scenarios: differences, the worst-off, distributions, monthly paths."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl

from simulation.measures.registry import COUNT_BY_NAME, Measure
from simulation.report import findings as words
from simulation.report.charts import (
    Chart,
    Numbering,
    area_words,
    interval_words,
    make_chart,
    month_words,
    period_words,
    run_words,
)
from simulation.report.figure_style import MOST_SERIES
from simulation.report.figures import difference_figure, difference_limit, distribution_figure, path_figure
from simulation.report.findings import Finding
from simulation.report.paths import FEW_RUNS, monthly_differences
from simulation.report.study import TO_END, ScenarioText, StudyFolder, band_text
from simulation.report.tables import Table
from simulation.report.wording import (
    difference_unit,
    is_share,
    listed,
    number,
    percent,
    places,
    sentence_case,
    slug,
)

SHOWN_DISTRIBUTIONS: dict[str, tuple[str, str]] = {
    "officers_by_cases": ("Cases per officer", "cases held"),
    "officers_by_workload": ("Workload of officers", "% of available points held"),
    "first_appointments_by_days": ("Days to first appointment", "days from sentence"),
    "people_by_days_since_seen": ("Days since last seen face to face", "days since last seen"),
}
"""Distributions shown: what a row is called, and the words under the axis."""

MONTHS_BEFORE = 6
"""Months drawn before a scenario differs, enough to see that nothing moves."""


def difference_section(
    study: StudyFolder, by_scenario: Mapping[str, list[Finding]], numbering: Numbering
) -> list[Chart]:
    limit = difference_limit([item for found in by_scenario.values() for item in found])
    charts = []
    for scenario in study.changed:
        found = [item for item in by_scenario[scenario.name] if item.relative is not None]
        if not found:
            continue
        figure = difference_figure(found, limit)
        window = study.window_of(scenario)
        when = f", {period_words(*window)}" if window else ""
        clear = [
            f"{item.measure.title} {percent(item.relative, 1, signed=True)}" for item in found if item.clear
        ]
        unclear = [item.measure.title for item in found if not item.clear]
        description = "Dot plot of differences from the baseline with their intervals. " + "".join(
            [
                f"Clear: {'; '.join(clear)}. " if clear else "No clear difference. ",
                f"Not clear: {'; '.join(unclear)}." if unclear else "",
            ]
        )
        beyond = [item for item in found if abs(item.relative or 0) > limit]
        note = "An arrow marks a difference beyond this scale; its size is beside it." if beyond else ""
        charts.append(
            make_chart(
                numbering,
                figure,
                f"difference-{slug(scenario.name)}",
                title=words.headline_title(scenario.title, found),
                subtitle=f"Difference in percent of the baseline, {area_words(study)}{when}; "
                + run_words(study),
                description=description.strip(),
                note=note,
                table=difference_table(study, scenario),
            )
        )
    return charts


def difference_table(study: StudyFolder, scenario: ScenarioText) -> Table:
    windows = study.differences.filter(pl.col("scenario") == scenario.name)["window"].unique(
        maintain_order=True
    )
    names = [name for name in windows.to_list() if name != TO_END]
    rows, raw = [], []
    for window in (TO_END, *names):
        of_window = study.rows_of(scenario.name, window)
        for measure in (*study.moved_by(scenario), *study.headlines):
            row = of_window.get(measure.name)
            if row is None or row["difference"] is None:
                continue
            decimals = places(row["difference"], row["low"] or 0, row["high"] or 0)
            relative = 100 * row["difference"] / abs(row["baseline"]) if row["baseline"] else None
            level = max(decimals, 0) if is_share(measure.unit) else None
            rows.append(
                (
                    measure.title,
                    "from the change to the end" if window == TO_END else f"first {window}",
                    measure.unit,
                    number(row["baseline"], level),
                    number(row["value"], level),
                    number(row["difference"], decimals, signed=True),
                    interval_words(row["low"], row["high"], decimals),
                    percent(relative, places(relative or 0), signed=True),
                    f"{row['sign_agreement']} of {row['replications']}",
                )
            )
            raw.append(
                (
                    measure.name,
                    measure.title,
                    window,
                    measure.unit,
                    row["first_month"],
                    row["last_month"],
                    row["baseline"],
                    row["value"],
                    row["difference"],
                    row["low"],
                    row["high"],
                    relative,
                    row["sign_agreement"],
                    row["replications"],
                )
            )
    return Table(
        caption=f"{scenario.title}: difference from the baseline",
        columns=(
            "Measure",
            "Period",
            "Unit",
            "Baseline",
            "With the change",
            "Difference",
            "95% interval",
            "In % of baseline",
            "Pairs that agree on direction",
        ),
        rows=tuple(rows),
        raw=tuple(raw),
        raw_columns=(
            "measure",
            "title",
            "window",
            "unit",
            "first_month",
            "last_month",
            "baseline",
            "value",
            "difference",
            "low",
            "high",
            "relative",
            "sign_agreement",
            "replications",
        ),
        text_columns=(1, 2),
    )


def worst_off_section(study: StudyFolder) -> list[tuple[str, Table]]:
    """For each scenario a table of the country beside its worst-off tenth of areas."""
    tables = []
    for scenario in study.changed:
        of_scenario = study.rows_of(scenario.name)
        rows, raw, classes = [], [], []
        for measure in study.headlines:
            row = of_scenario.get(measure.name)
            if row is None or row["difference"] is None:
                continue
            worst = row["worst_tenth_difference"]
            # Where neither the worst tenth nor single areas were judged, there is nothing to show.
            if worst is None and row["areas_worse"] is None:
                continue
            reading = words.worst_tenth_reading(measure, row)
            decimals = min(places(row["difference"], worst or 0), 3)
            unit = difference_unit(measure.unit)
            if measure.worst_per:
                unit += f"; worst-off tenth {measure.worst_unit}"
            missing = "Not defined: a total" if worst is None else "Not judged: the tenth with most"
            rows.append(
                (
                    f"{measure.title} ({unit})",
                    number(row["difference"], min(places(row["difference"]), 3), signed=True),
                    *_worst_cells(row, decimals if not measure.worst_per else min(places(worst or 0), 3)),
                    sentence_case(reading) if reading else missing,
                    _of_areas(row["areas_better"], row["areas"]),
                    _of_areas(row["areas_worse"], row["areas"]),
                )
            )
            raw.append((measure.name, measure.title, measure.unit, *(row[k] for k in _WORST_RAW)))
            classes.append("fails" if reading.startswith("worse") else "")
        if rows:
            table = Table(
                caption=f"{scenario.title}: the country beside its worst-off tenth",
                columns=(
                    "Measure",
                    "Country: difference",
                    "Worst-off tenth: baseline",
                    "With the change",
                    "Difference (95% interval)",
                    "Worst-off tenth gets",
                    "Areas clearly better",
                    "Areas clearly worse",
                ),
                rows=tuple(rows),
                raw=tuple(raw),
                raw_columns=("measure", "title", "unit", *_WORST_RAW),
                text_columns=(5,),
                row_classes=tuple(classes),
            )
            tables.append((scenario.title, table))
    return tables


def _worst_cells(row: Mapping[str, Any], decimals: int) -> tuple[str, str, str]:
    worst = row["worst_tenth_difference"]
    if worst is None:
        return ("–", "–", "–")
    level = min(decimals, 2)
    span = interval_words(row["worst_tenth_low"], row["worst_tenth_high"], decimals)
    return (
        number(row["worst_tenth_baseline"], level),
        number(row["worst_tenth_value"], level),
        f"{number(worst, decimals, signed=True)} ({span})",
    )


_WORST_RAW = (
    "difference",
    "worst_tenth_baseline",
    "worst_tenth_value",
    "worst_tenth_difference",
    "worst_tenth_low",
    "worst_tenth_high",
    "areas_better",
    "areas_worse",
    "areas",
)


def _of_areas(count: int | None, total: int | None) -> str:
    return "not known" if count is None or not total else f"{count} of {total}"


def distribution_section(study: StudyFolder, numbering: Numbering) -> list[tuple[str, list[Chart]]]:
    """Distributions of every scenario over the same months, with a heading for each group of scenarios."""
    if study.distributions.is_empty():
        return []
    base = study.baseline.name
    changed = study.changed
    together = MOST_SERIES - 1
    batches = [changed[i : i + together] for i in range(0, len(changed), together)] or [()]
    groups = []
    for batch in batches:
        titles = {base: "Baseline", **{scenario.name: scenario.title for scenario in batch}}
        charts = []
        for histogram, (title, axis) in SHOWN_DISTRIBUTIONS.items():
            rows = study.distributions.filter(
                (pl.col("measure") == histogram) & pl.col("scenario").is_in(list(titles))
            )
            # A distribution that no scenario filled would be an empty box.
            if not float(rows["share"].fill_nan(None).sum() or 0):
                continue
            figure = distribution_figure(rows, titles, base, axis)
            when = period_words(rows["first_month"][0], rows["last_month"][0])
            unit = COUNT_BY_NAME[histogram].unit
            beyond = int(rows["band"].max() or 0) >= figure.layout.xaxis.range[1]  # type: ignore[arg-type]
            named = listed([scenario.title for scenario in batch])
            charts.append(
                make_chart(
                    numbering,
                    figure,
                    f"distribution-{slug(histogram)}-{slug(named)}"[:100],
                    title=words.distribution_title(histogram, rows, base, titles),
                    subtitle=f"{title}: share of {unit} by {axis}, {area_words(study)}, {when}",
                    description=f"Filled: the baseline. Lines: {named or 'none'}.",
                    note="The last half per cent, beyond the right edge, is in the table." if beyond else "",
                    table=_distribution_table(rows, title, titles),
                )
            )
        if charts:
            groups.append((f"Baseline, {named}" if len(batches) > 1 else "", charts))
    return groups


def _distribution_table(rows: pl.DataFrame, title: str, titles: Mapping[str, str]) -> Table:
    bands = sorted(rows["band"].unique().to_list())
    cells = {(row["scenario"], row["band"]): row for row in rows.iter_rows(named=True)}
    shown, raw = [], []
    for band in bands:
        width = next(row["band_width"] for row in cells.values() if row["band"] == band)
        line = [band_text(band, width, band == bands[-1])]
        for name in titles:
            row = cells.get((name, band))
            if row is None or row["share"] is None:
                line += ["0.00%", "none"]
                continue
            line += [
                percent(100 * row["share"], 2),
                f"{number(100 * row['share_min'], 2)} to {number(100 * row['share_max'], 2)}",
            ]
            raw.append((band, width, name, row["share"], row["share_min"], row["share_max"]))
        shown.append(tuple(line))
    columns = ["Band"]
    for scenario_title in titles.values():
        columns += [scenario_title, f"{scenario_title}: lowest to highest run"]
    return Table(
        caption=f"{title}: share in each band",
        columns=tuple(columns),
        rows=tuple(shown),
        raw=tuple(raw),
        raw_columns=("band", "band_width", "scenario", "share", "share_min", "share_max"),
    )


def path_section(study: StudyFolder, numbering: Numbering) -> tuple[list[tuple[str, list[Chart]]], str]:
    if not study.has_outcomes or not study.changed:
        return [], ""
    paths = monthly_differences(study.outcomes(), study.shown, study.baseline.name)
    runs = study.replications
    if runs == 1:
        note = "With one run there is no band and no error to show."
    else:
        band = (
            "from the lowest to the highest run"
            if runs < FEW_RUNS
            else "from the tenth to the ninetieth percentile of the runs"
        )
        note = (
            f"The grey band is the spread over runs, {band}: more runs would describe it better "
            "but not make it "
            "narrower. The thin bars are the 95% interval of the average, drawn for every third "
            "month: more runs "
            "would shrink them."
        )
    groups = []
    for scenario in study.changed:
        of_scenario = paths.filter(pl.col("scenario") == scenario.name)
        impact = study.impact_date(scenario)
        rows = study.rows_of(scenario.name)
        window = study.window_of(scenario)
        first = _months_earlier(impact, MONTHS_BEFORE) if impact else ""
        charts = []
        for measure in (*study.moved_by(scenario), *study.headlines):
            path = of_scenario.filter((pl.col("measure") == measure.name) & (pl.col("month") >= first))
            if window:
                path = path.filter(pl.col("month") <= window[1])
            if path.is_empty():
                continue
            months = path["month"].to_list()
            row = rows.get(measure.name)
            charts.append(
                make_chart(
                    numbering,
                    path_figure(path, measure, impact.isoformat() if impact else None),
                    f"path-{slug(scenario.name)}-{slug(measure.name)}",
                    title=words.path_title(measure, row),
                    subtitle=f"{_difference_in(measure)}, {area_words(study)}, "
                    + period_words(months[0], months[-1]),
                    description=_path_description(path, measure),
                    table=_path_table(path, measure, scenario),
                )
            )
        if charts:
            heading = scenario.title
            if impact:
                heading += f" (from {impact.day} {impact.strftime('%B %Y')})"
            groups.append((heading, charts))
    return groups, note


def _unit_of_path(measure: Measure) -> str:
    return "percentage points" if is_share(measure.unit) else measure.unit


def _difference_in(measure: Measure) -> str:
    unit = _unit_of_path(measure)
    return f"Difference {unit}" if unit.startswith("per ") else f"Difference in {unit}"


def _path_description(path: pl.DataFrame, measure: Measure) -> str:
    last = path.sort("month").tail(1).to_dicts()[0]
    decimals = places(last["mean"], last["low"], last["high"])
    return (
        f"Line chart. In {month_words(last['month'])}, the last month, the average difference is "
        f"{number(last['mean'], decimals, signed=True)} {_unit_of_path(measure)}, and the runs reach from "
        f"{number(last['low'], decimals, signed=True)} to {number(last['high'], decimals, signed=True)}."
    )


def _path_table(path: pl.DataFrame, measure: Measure, scenario: ScenarioText) -> Table:
    decimals = places(*path["mean"].to_list(), *path["low"].to_list(), *path["high"].to_list())
    rows, raw = [], []
    for row in path.sort("month").iter_rows(named=True):
        error = row["error"]
        rows.append(
            (
                row["month"],
                number(row["mean"], decimals, signed=True),
                number(row["low"], decimals, signed=True),
                number(row["high"], decimals, signed=True),
                "one run only" if error is None else f"± {number(error, decimals)}",
            )
        )
        raw.append(
            (
                row["month"],
                measure.name,
                measure.unit,
                row["mean"],
                row["low"],
                row["high"],
                error,
                row["runs"],
            )
        )
    return Table(
        caption=f"{measure.title}, {scenario.title}: monthly difference, {_unit_of_path(measure)}",
        columns=(
            "Month",
            "Average of pairs",
            "Low end of runs",
            "High end of runs",
            "95% interval of the average",
        ),
        rows=tuple(rows),
        raw=tuple(raw),
        raw_columns=("month", "measure", "unit", "mean", "low", "high", "half_interval_of_mean", "runs"),
    )


def _months_earlier(day: date, months: int) -> str:
    count = day.year * 12 + day.month - 1 - months
    return f"{count // 12:04d}-{count % 12 + 1:02d}"
