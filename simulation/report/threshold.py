"""Writes threshold.html: how a measure answers to a lever and where it crosses a value, made from files alone."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from simulation.measures.registry import MEASURE_BY_NAME, Measure
from simulation.report.background import CONFIDENCE, facts_of
from simulation.report.charts import Chart, Numbering, area_words, make_chart, period_words
from simulation.report.study import StudyError, StudyFolder
from simulation.report.tables import Table
from simulation.report.template import environment, hash_for_policy, own_file
from simulation.report.threshold_figures import Mark, contour_figure, curve_figure
from simulation.report.wording import counted, difference_unit, listed, lower_first, number, places, sentence_case

PAGE_NAME = "threshold.html"

LEVEL, DIFFERENCE = ("value", "value_low", "value_high"), ("difference", "low", "high")
"""Columns of the measure itself and of its difference from the baseline, each with its interval."""

_METHOD = (
    "Every value of the lever was run with the same luck: replication r meets the same people with the same fortune at "
    "each, and in the baseline.",
    "The interval of a crossing holds every value of the lever at which Student's t over replications does not reject "
    "that the mean has the value asked for: where the shaded band meets the line. Between values that were run, each "
    "replication is taken as straight (Fieller's theorem).",
)
_METHOD_OF_ONE = (
    "Filled marks are values chosen beforehand, at equal distances; open marks were added "
    "near a crossing by Brent's method on the mean of the runs.",
    "A knee is marked where two straight lines that meet describe the curves better than one line and better than "
    "smooth bends (parabola, cubic, exponentials, powers, hyperbolas; Bayesian information criterion), leave no more "
    "than chance explains, and the change of slope is clear over replications. In noisy curves a smooth bend of "
    "another kind can still be taken for one.",
)


@dataclass(frozen=True)
class ThresholdFolder:
    """The files of one search.

    Parameters
    ----------
    study : StudyFolder
        The study that holds its runs.
    asked : dict
        What was asked for and found, from the manifest.
    curve, crossings, knee, contour : polars.DataFrame
        Tables; empty where not written.
    """

    study: StudyFolder
    asked: dict[str, Any]
    curve: pl.DataFrame
    crossings: pl.DataFrame
    knee: pl.DataFrame
    contour: pl.DataFrame

    @classmethod
    def read(cls, path: Path) -> ThresholdFolder:
        """Read and check a folder.

        Raises
        ------
        StudyError
            Where it holds no search, or a file is missing or unreadable.
        """
        study = StudyFolder.read(Path(path))
        asked = study.manifest.get("threshold")
        if not isinstance(asked, dict) or asked.get("measure") not in MEASURE_BY_NAME or not asked.get("levers"):
            raise StudyError(f"{path}: holds no search for a threshold; `python run.py threshold` makes one")
        two = len(asked["levers"]) > 1
        return cls(
            study,
            asked,
            pl.DataFrame() if two else _table(study.path / "threshold.csv"),
            _table(study.path / "crossings.csv"),
            pl.DataFrame() if two else _table(study.path / "knee.csv"),
            _table(study.path / "contour.csv") if two else pl.DataFrame(),
        )

    @property
    def measure(self) -> Measure:
        """What was looked at."""
        return MEASURE_BY_NAME[self.asked["measure"]]

    @property
    def levers(self) -> list[dict[str, Any]]:
        """The levers, each with name, unit and range."""
        return list(self.asked["levers"])

    @property
    def target(self) -> tuple[str, float] | None:
        """Whether a level or a difference was asked for, and its value."""
        target = self.asked.get("target")
        return (str(target["kind"]), float(target["value"])) if isinstance(target, dict) else None


def _table(path: Path) -> pl.DataFrame:
    try:
        return pl.read_csv(path, infer_schema_length=None)
    except FileNotFoundError:
        raise StudyError(f"{path}: missing; `python run.py threshold` writes it") from None
    except pl.exceptions.PolarsError as error:
        raise StudyError(f"{path}: not a table: {error}") from None


def build_threshold_page(folder: Path) -> Path:
    """Write the page of a search.

    Parameters
    ----------
    folder : pathlib.Path
        Folder written by a search; only its files are read.

    Returns
    -------
    pathlib.Path
        The page. It replaces an older one in a single step.

    Raises
    ------
    StudyError
        Where the folder holds no search or a file of it cannot be read.
    """
    search = ThresholdFolder.read(folder)
    page = _render(search)
    target = search.study.path / PAGE_NAME
    part = target.with_suffix(".html.part")
    part.write_text(page, encoding="utf-8", newline="\n")
    os.replace(part, target)
    return target


def _render(search: ThresholdFolder) -> str:
    plotly, script = get_plotlyjs(), own_file("page.js")
    two = len(search.levers) > 1
    charts = _contour_charts(search) if two else _curve_charts(search)
    finding, shape = str(search.asked.get("finding") or ""), str(search.asked.get("shape") or "")
    scenario = str(search.asked.get("scenario_title") or search.asked.get("scenario"))
    names = listed([str(lever["name"]) for lever in search.levers])
    code = search.study.manifest.get("code")
    unclean = isinstance(code, dict) and code.get("clean") is False
    return environment().get_template("threshold.jinja").render(
        title=f"{search.measure.title} over {names}",
        subtitle=f"{scenario}, {area_words(search.study)}, {period_words(*search.asked['window'])}",
        lead=finding or charts[0].title,
        more=[shape] if shape else [],
        css=Markup(own_file("page.css")),
        plotly=Markup(plotly),
        script=Markup(script),
        script_hashes=" ".join(hash_for_policy(text) for text in (plotly, script)),
        status=[
            f"Fingerprint {search.study.manifest.get('fingerprint')}",
            f"{sentence_case(counted(search.study.replications, 'run'))} at each of "
            f"{counted(len(search.contour), 'pair') + ' of values' if two else counted(len(search.curve), 'value')}",
        ],
        warnings=[
            "Made with a program that was changed and not committed, so nobody else can make it again: do not quote it."
        ]
        if unclean
        else [],
        charts_heading="Two levers together" if two else "How the measure answers to the lever",
        charts=charts,
        crossings_table=_crossings_table(search),
        caveats=_caveats(search),
        lever_texts=[_lever_text(search, lever) for lever in search.levers],
        evidence=_evidence(search),
        method=[*_METHOD, *(() if two else _METHOD_OF_ONE)],
        command=str(search.study.manifest.get("command") or ""),
        facts=facts_of(search.study),
    )


# Figures


def _curve_charts(search: ThresholdFolder) -> list[Chart]:
    numbering = Numbering()
    order = [LEVEL, DIFFERENCE] if search.target and search.target[0] == "level" else [DIFFERENCE, LEVEL]
    return [_curve_chart(search, columns, numbering, first=columns is order[0]) for columns in order]


def _curve_chart(search: ThresholdFolder, columns: tuple[str, str, str], numbering: Numbering, first: bool) -> Chart:
    measure, lever, curve = search.measure, search.levers[0], search.curve
    is_level = columns is LEVEL
    unit = measure.unit if is_level else difference_unit(measure.unit)
    target = search.target
    asked = target is not None and (target[0] == "level") == is_level
    marks = [*(_crossing_marks(search) if asked else []), *_knee_mark(search)]
    if lever.get("given") is not None and lever["low"] <= lever["given"] <= lever["high"]:
        words = f"In the files: {_lever_number(lever['given'])}"
        marks.append(Mark("given", lever["given"], None, None, words))
    what = measure.title if is_level else f"{measure.title}: difference from {search.asked['baseline']}"
    runs = counted(search.study.replications, "run" if search.study.replications == 1 else "paired run")
    lowest, highest = curve.row(0, named=True), curve.row(-1, named=True)
    decimals = places(*(value for name in columns for value in (lowest[name], highest[name]) if value is not None))
    ends = [
        f"{number(row[columns[0]], decimals, signed=not is_level)} at {lever['name']} {_lever_number(row['lever'])}"
        for row in (lowest, highest)
    ]
    title = f"{what}: {ends[0]}, {ends[1]}"
    if first and asked:
        title = str(search.asked["finding"])
    figure = curve_figure(
        curve, columns, unit, f"{lever['name']} ({lever['unit']})", target[1] if asked and target else None, marks
    )
    said = {"crossing": "Crossed at ", "knee": "", "given": ""}
    words = "; ".join(said[mark.kind] + mark.text for mark in marks)
    return make_chart(
        numbering,
        figure,
        "curve-level" if is_level else "curve-difference",
        title=title,
        subtitle=f"{what}, {unit}, mean of {runs} at each value with 95% interval; {area_words(search.study)}, "
        f"{period_words(*search.asked['window'])}",
        description=f"A curve over {len(curve)} values of {lever['name']}: {ends[0]}, {ends[1]}. {words}.",
        table=_curve_table(search, columns, what, unit),
        note=_note(marks),
        table_open=first,
    )


def _note(marks: list[Mark]) -> str:
    kinds = {mark.kind for mark in marks}
    parts = ["Shaded band: 95% interval of the mean at each value, which covers chance alone."]
    if "crossing" in kinds:
        parts.append("Upright line and strip: where the value asked for is crossed, with its 95% interval.")
    if "knee" in kinds:
        parts.append("Broken line and strip: the knee and its 95% interval.")
    return " ".join(parts)


def _lever_number(value: float) -> str:
    return f"{value:,.4g}" if abs(value) < 10_000 else f"{value:,.0f}"


def _at(row: dict[str, Any], name: str = "lever") -> str:
    """A value of a lever with the digits that its interval deserves, as in the finding."""
    if row["low"] is None or not row["high"] > row["low"]:
        return f"{row[name]:,.3g}" if abs(row[name]) < 1000 else f"{row[name]:,.0f}"
    return f"{row[name]:,.{min(6, max(0, 1 - math.floor(math.log10(row['high'] - row['low']))))}f}"


def _between(row: dict[str, Any]) -> str:
    if row["low"] is None:
        return "one run only"
    below = " or less" if row.get("low_open") else ""
    above = " or more" if row.get("high_open") else ""
    return f"{_at(row, 'low')}{below} to {_at(row, 'high')}{above}"


def _crossing_marks(search: ThresholdFolder) -> list[Mark]:
    return [
        Mark(
            "crossing",
            row["lever"],
            row["low"],
            row["high"],
            f"{_at(row)} ({_between(row)})",
        )
        for row in search.crossings.iter_rows(named=True)
    ]


def _knee_mark(search: ThresholdFolder) -> list[Mark]:
    row: dict[str, Any] = search.knee.row(0, named=True) if len(search.knee) else {"kind": ""}
    if row["kind"] != "knee":
        return []
    return [
        Mark(
            "knee",
            row["knee"],
            row["low"],
            row["high"],
            f"Knee {_at(row, 'knee')} ({_between(row)})",
        )
    ]


def _curve_table(search: ThresholdFolder, columns: tuple[str, str, str], what: str, unit: str) -> Table:
    rows = search.curve.to_dicts()
    decimals = places(*(row[name] for row in rows for name in columns if row[name] is not None)) + 1
    mean, low, high = columns
    signed = columns is DIFFERENCE
    return Table(
        caption=f"{what} ({unit}) by value of {search.levers[0]['name']}",
        columns=(str(search.levers[0]["name"]), "Mean", "95% interval", "Chosen"),
        rows=tuple(
            (
                _lever_number(row["lever"]),
                number(row[mean], decimals, signed=signed),
                "one run only"
                if row[low] is None
                else f"{number(row[low], decimals, signed=signed)} to {number(row[high], decimals, signed=signed)}",
                "beforehand" if row["on_grid"] else "near the crossing",
            )
            for row in rows
        ),
        raw=tuple(search.curve.rows()),
        raw_columns=tuple(search.curve.columns),
        text_columns=(3,),
    )


def _contour_charts(search: ThresholdFolder) -> list[Chart]:
    measure, (first, second), grid = search.measure, search.levers, search.contour
    target = search.target
    is_level = target is not None and target[0] == "level"
    columns = LEVEL if is_level else DIFFERENCE
    unit = measure.unit if is_level else difference_unit(measure.unit)
    what = measure.title if is_level else f"{measure.title}: difference from {search.asked['baseline']}"
    lowest, highest = grid.row(int(grid[columns[0]].arg_min() or 0), named=True), grid.row(
        int(grid[columns[0]].arg_max() or 0), named=True
    )
    decimals = places(lowest[columns[0]], highest[columns[0]])
    ends = [
        f"{number(row[columns[0]], decimals, signed=not is_level)} where {first['name']} is "
        f"{_lever_number(row['lever'])} and {second['name']} {_lever_number(row['lever2'])}"
        for row in (lowest, highest)
    ]
    line = f"{what} {number(target[1], decimals, signed=not is_level)}" if target else ""
    figure = contour_figure(
        grid,
        columns[0],
        (f"{first['name']} ({first['unit']})", f"{second['name']} ({second['unit']})"),
        target[1] if target else None,
        f"{_lever_number(target[1])} {unit}, the value asked for".replace(" %", "%") if target else "",
    )
    mean, low, high = columns
    runs = counted(search.study.replications, "run" if search.study.replications == 1 else "paired run")
    table = Table(
        caption=f"{what} ({unit}) by value of both levers",
        columns=(str(first["name"]), str(second["name"]), "Mean", "95% interval"),
        rows=tuple(
            (
                _lever_number(row["lever"]),
                _lever_number(row["lever2"]),
                number(row[mean], decimals + 1, signed=not is_level),
                "one run only"
                if row[low] is None
                else f"{number(row[low], decimals + 1, signed=not is_level)} to "
                f"{number(row[high], decimals + 1, signed=not is_level)}",
            )
            for row in grid.iter_rows(named=True)
        ),
        raw=tuple(grid.rows()),
        raw_columns=tuple(grid.columns),
    )
    return [
        make_chart(
            Numbering(),
            figure,
            "contour",
            title=str(search.asked.get("finding") or f"{what}: from {ends[0]} to {ends[1]}"),
            subtitle=f"{what}, {unit}, mean of {runs} at each of {len(grid)} pairs of values (dots); "
            f"{area_words(search.study)}, {period_words(*search.asked['window'])}",
            description=f"A map of lines of equal value. Lowest: {ends[0]}. Highest: {ends[1]}. {line}",
            table=table,
            note="Lines join equal values. The intervals, in the table, cover chance alone.",
            table_open=True,
        )
    ]


# Words and tables


def _crossings_table(search: ThresholdFolder) -> Table | None:
    if search.target is None or search.crossings.is_empty():
        return None
    two = len(search.levers) > 1
    first = str(search.levers[0]["name"])
    rows = search.crossings.to_dicts()
    shown = [
        (
            *([_lever_number(row["lever2"])] if two else []),
            _at(row),
            _between(row),
            "rises" if row["rising"] else "falls",
            f"{_lever_number(row['run_below'])} and {_lever_number(row['run_above'])}",
        )
        for row in rows
    ]
    of_second = [str(search.levers[1]["name"])] if two else []
    heads = (*of_second, first, "95% interval", "There the curve", "Run on both sides")
    return Table(
        caption=f"Values of {first} at which the value asked for is crossed",
        columns=heads,
        rows=tuple(shown),
        raw=tuple(search.crossings.rows()),
        raw_columns=tuple(search.crossings.columns),
    )


def _lever_text(search: ThresholdFolder, lever: dict[str, Any]) -> str:
    what = lower_first(str(lever["description"]).rstrip("."))
    given = "" if lever.get("given") is None else f"; the files give {_lever_number(lever['given'])}"
    return (
        f"{lever['name']}: {what}. It was moved from {_lever_number(lever['low'])} to {_lever_number(lever['high'])} "
        f"{lever['unit']}{given}. Its first day is {lever['from']}."
    )


def _evidence(search: ThresholdFolder) -> Table | None:
    """Evidence of every parameter that the levers, or the scenario they are moved in, change."""
    wanted = [str(name) for name in search.asked.get("parameters") or []]
    rows = [row for row in search.study.parameters.iter_rows(named=True) if row["name"] in wanted]
    if not rows:
        return None
    return Table(
        caption="Parameters that are changed: value, range, confidence and source",
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
        raw_columns=tuple(search.study.parameters.columns),
        text_columns=(1, 2, 3, 4, 5),
    )


def _caveats(search: ThresholdFolder) -> list[str]:
    runs = search.study.replications
    chance = (
        "How sure this is: one run at each value cannot tell chance from effect."
        if runs == 1
        else f"The intervals cover chance alone, from {counted(runs, 'run')} at each value with one set of parameters. "
        "Not knowing the true parameters would widen them."
    )
    found = [
        chance,
        "Whether the lever could be moved so far, or what moving it would cost. Beyond the range in the evidence the "
        "model only carries on with the rules it has.",
    ]
    if search.study.manifest.get("whole_country") is False:
        found.append(
            f"What the whole country would show: this is {area_words(search.study)}. Numbers of people are those of "
            "these areas, and shares may differ elsewhere."
        )
    return found
