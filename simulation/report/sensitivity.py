"""Writes sensitivity.html: which parameters drive a level and a difference, with the evidence beside each."""

from __future__ import annotations

import html
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import polars as pl
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from simulation.measures.registry import HEADLINES, MEASURE_BY_NAME
from simulation.report.charts import Chart, Numbering, make_chart, period_words
from simulation.report.figure_style import BAND_EDGE, CHARCOAL, INK, NAVY, ORANGE, apply_style, end_labels, row_label
from simulation.report.study import LARGEST_TEXT_FILE, StudyError
from simulation.report.tables import Table
from simulation.report.template import environment, hash_for_policy, own_file
from simulation.report.wording import (
    counted,
    difference_unit,
    listed,
    lower_first,
    number,
    places,
    sentence_case,
    shorter,
    with_unit,
)

PAGE_NAME = "sensitivity.html"
TITLE = "Probation in England and Wales: what drives the results"
MOST_BARS = 12
MOST_ROWS = 40
WITHIN = "#BFBFBF"

CONFIDENCE = {
    "S": "S: read in the publisher's document",
    "Q": "Q: quoted second-hand",
    "D": "D: derived",
    "M": "M: from memory",
    "assume": "Assumption",
}
_FLOATS = (
    "central",
    "mu",
    "mu_star",
    "mu_star_low",
    "mu_star_high",
    "sigma",
    "luck_floor",
    *(f"{index}{end}" for index in ("s1", "st") for end in ("", "_low", "_high")),
)
_WORDS = (
    *("scenario", "compared_with", "of", "measure", "title", "unit", "first_month", "last_month"),
    *("parameter", "step", "verdict"),
    *("description", "value", "low", "high", "parameter_unit", "confidence", "source"),
)
_COLUMNS: dict[str, Any] = {
    **dict.fromkeys(_WORDS, pl.String),
    **dict.fromkeys(_FLOATS, pl.Float64),
    **dict.fromkeys(("rank", "trajectories", "replications"), pl.Int64),
}
_RULE_COLUMNS: dict[str, Any] = {
    **dict.fromkeys(
        ("scenario", "of", "measure", "parameter", "for_each", "rule", "confidence", "source", "value"), pl.String
    ),
    **dict.fromkeys(("low", "high"), pl.String),
    **dict.fromkeys(("change", "fit"), pl.Float64),
    "points": pl.Int64,
    "clear": pl.Boolean,
}


@dataclass(frozen=True)
class Part:
    """One level or difference of one measure.

    Parameters
    ----------
    title : str
        What is looked at.
    rows : tuple of dict
        Rows of sensitivity.csv, the strongest first.
    rules : tuple of str
        Clear rules of thumb.
    points, fit : int and float
        Points that the rules rest on, and how much of the movement they explain.
    """

    title: str
    rows: tuple[dict[str, Any], ...]
    rules: tuple[str, ...] = ()
    points: int = 0
    fit: float | None = None

    @property
    def of_difference(self) -> bool:
        """Whether it is a difference between scenarios."""
        return bool(self.rows[0]["of"] == "difference")

    @property
    def unit(self) -> str:
        """Unit of an effect: percentage points for a percentage."""
        return difference_unit(str(self.rows[0]["unit"]))

    @property
    def close(self) -> tuple[dict[str, Any], ...]:
        """Rows of the closer look."""
        return tuple(row for row in self.rows if row["step"] == "closer look")

    @property
    def clear(self) -> tuple[dict[str, Any], ...]:
        """Rows of the closer look that stand out from luck."""
        return tuple(row for row in self.close if row["verdict"] == "above luck")

    @property
    def passed_over(self) -> tuple[dict[str, Any], ...]:
        """Rows that stand out from luck in the first pass, of parameters that weren't looked at closely."""
        return tuple(row for row in self.rows if row["step"] != "closer look" and row["verdict"] == "above luck")

    @property
    def lines(self) -> list[str]:
        """The closer look as lines of text, for a terminal."""
        return [
            f"{row['rank']:>2}. {row['parameter']}: {_signed(row)} {self.unit} over its range; {row['verdict']}"
            for row in self.close
        ]


@dataclass(frozen=True)
class SensitivityFolder:
    """The files of a sensitivity study."""

    path: Path
    manifest: dict[str, Any] = field(repr=False)
    effects: pl.DataFrame = field(repr=False)
    rules: pl.DataFrame = field(repr=False)

    @classmethod
    def read(cls, path: Path) -> SensitivityFolder:
        """Read and check a folder.

        Raises
        ------
        StudyError
            Where a file is missing, unreadable or lacks a column.
        """
        manifest = _manifest(path / "manifest.json")
        if manifest.get("kind") != "sensitivity":
            raise StudyError(f"{path}: not the folder of a sensitivity study")
        return cls(
            path,
            manifest,
            _read(path / "sensitivity.csv", _COLUMNS),
            _read(path / "rules_of_thumb.csv", _RULE_COLUMNS),
        )

    def title_of(self, name: str) -> str:
        """Title of a scenario."""
        for scenario in self.manifest.get("scenarios", []):
            if scenario.get("name") == name:
                return str(scenario.get("title") or name)
        return name

    def parts_of(self, measure: str) -> list[Part]:
        """Return the level of a measure, then the difference that each scenario makes to it."""
        found = []
        chosen = self.effects.filter(pl.col("measure") == measure)
        for (scenario, of), rows in chosen.group_by("scenario", "of", maintain_order=True):
            mine = (pl.col("scenario") == scenario) & (pl.col("of") == of) & (pl.col("measure") == measure)
            rules = self.rules.filter(mine & pl.col("clear").fill_null(False))
            first = rows.row(0, named=True)
            said = self.title_of(str(scenario))
            level = f"{first['title']}, baseline"
            whole = level if of == "level" else f"{first['title']}: what “{said}” changes"
            found.append(
                Part(
                    whole,
                    tuple(rows.sort("rank").iter_rows(named=True)),
                    tuple(rules["rule"].drop_nulls().to_list()),
                    int(rules["points"].max() or 0),  # type: ignore[arg-type]
                    rules["fit"].max(),  # type: ignore[arg-type]
                )
            )
        return found


def build_sensitivity_page(folder: Path, measure: str = HEADLINES[0]) -> Path:
    """Write the page of a sensitivity study from its files.

    Parameters
    ----------
    folder : Path
        Folder of the study.
    measure : str
        Measure of the charts; the other headlines are tables.

    Returns
    -------
    Path
        ``sensitivity.html`` in that folder. It replaces an older one in a single step.

    Raises
    ------
    StudyError
        Where a file cannot be read.
    """
    study = SensitivityFolder.read(Path(folder))
    target = study.path / PAGE_NAME
    part = target.with_suffix(".html.part")
    part.write_text(_render(study, measure), encoding="utf-8", newline="\n")
    os.replace(part, target)
    return target


def _render(study: SensitivityFolder, measure: str) -> str:
    numbering = Numbering()
    main = study.parts_of(measure)
    others = [
        (MEASURE_BY_NAME[name].title, [(part, _table(part)) for part in study.parts_of(name)])
        for name in HEADLINES
        if name != measure and name in set(study.effects["measure"].to_list())
    ]
    plotly, script = get_plotlyjs(), own_file("page.js")
    asked = study.manifest.get("sensitivity", {})
    compared = listed([study.title_of(str(scenario["name"])) for scenario in study.manifest["scenarios"]])
    return environment().get_template("sensitivity.jinja").render(
        title=TITLE,
        compared=compared,
        css=Markup(own_file("page.css")),
        plotly=Markup(plotly),
        script=Markup(script),
        script_hashes=" ".join(hash_for_policy(text) for text in (plotly, script)),
        status=_status(study, asked),
        asked=asked,
        areas=_areas(study),
        replications=int(study.manifest.get("replications", 1)),
        main=[(part, _chart(part, study, numbering), _table(part), answer_of(part)) for part in main],
        others=others,
        dates=study.manifest.get("dates", {}),
        command=str(study.manifest.get("command", "")),
        seconds=study.manifest.get("times", {}).get("seconds"),
    )


def _status(study: SensitivityFolder, asked: dict[str, Any]) -> list[str]:
    items = [f"{asked.get('parameters', 0)} parameters moved", f"{asked.get('points', 0):,} points", _areas(study)]
    if fingerprint := study.manifest.get("fingerprint"):
        items.append(f"Fingerprint {fingerprint}")
    return items


def _areas(study: SensitivityFolder) -> str:
    names = [str(name).replace("_", " ") for name in study.manifest.get("areas", [])]
    if study.manifest.get("whole_country"):
        return "England and Wales"
    return sentence_case(listed(names)) if len(names) < 4 else f"{len(names)} areas"


def answer_of(part: Part) -> str:
    """The first sentence: what drives it, and how much of what was looked at is not luck."""
    central = part.rows[0]["central"]
    unit = str(part.rows[0]["unit"])
    if part.of_difference:
        size = f"{number(central, signed=True)} {difference_unit(unit)}" if central is not None else "not available"
    else:
        size = with_unit(central, unit)
    head = f"At the central values: {size}."
    if not part.clear:
        none = "No parameter looked at closely moves it by more than luck alone does at this scale."
        return f"{head} {none}{_once(part)}"
    first = part.clear[0]
    text = (
        f"{head} Moved most by {_name(first)}: {_signed(first)} {part.unit} from the low to the high end of its range. "
        f"{sentence_case(counted(len(part.clear), 'parameter'))} of {len(part.close)} looked at closely "
        f"{'stands' if len(part.clear) == 1 else 'stand'} out from luck.{_once(part)}"
    )
    return text


def _once(part: Part) -> str:
    """A sentence on the strongest of those that moved it in the first pass and weren't looked at closely."""
    if not part.passed_over:
        return ""
    most = max(part.passed_over, key=lambda row: row["mu_star"])
    many = len(part.passed_over)
    who = "One parameter that wasn't" if many == 1 else f"{sentence_case(counted(many, 'parameter'))} that weren't"
    return (
        f" {who} looked at closely moved it by more than luck in the first pass, {most['parameter']} most "
        f"({_signed(most)} {part.unit}): to see how surely, choose it with --parameters, or keep more with --keep."
    )


def _name(row: dict[str, Any]) -> str:
    return f"“{lower_first(str(row['description']).rstrip('.'))}”"


def _signed(row: dict[str, Any]) -> str:
    return number(row["mu"], places(row["mu_star"] or 0), signed=True)


def _chart(part: Part, study: SensitivityFolder, numbering: Numbering) -> Chart:
    rows = part.close[:MOST_BARS]
    first = rows[0]
    clear = part.clear
    if clear:
        title = f"{part.title}: moved most by {_name(clear[0])}"
    else:
        title = f"{part.title}: nothing stands out from luck"
    shown = [f"{shorter(str(row['description']).rstrip('.'), 90)}: {_signed(row)}, {row['verdict']}" for row in rows]
    return make_chart(
        numbering,
        _tornado(rows, part),
        f"tornado-{numbering.last + 1}",
        title=title,
        subtitle=(
            f"Mean size of the change from the low to the high end of each parameter's range, {part.unit}; "
            f"{counted(first['trajectories'], 'trajectory', 'trajectories')}, lines are 95% intervals by resampling "
            f"them; {_areas(study)}, {period_words(first['first_month'], first['last_month'])}"
        ),
        table_open=True,
        description=f"A bar for each of {len(rows)} parameters, in {part.unit}. " + "; ".join(shown) + ".",
        table=_table(part),
        note="Bars to the right: a higher value raises it; to the left: lowers it. Grey: no more than luck alone does. "
        "The small upright marks are what luck alone stays below 19 times in 20.",
    )


def _tornado(rows: tuple[dict[str, Any], ...], part: Part) -> go.Figure:
    """Bars of the size of each effect, on the side of its direction; grey where luck does as much."""
    figure = go.Figure()
    figure.add_vline(x=0, line={"color": INK, "width": 1.5})
    ends = (row[name] for row in rows for name in ("mu_star_high", "mu_star", "luck_floor"))
    reach = max((abs(end) for end in ends if end is not None), default=1.0)
    for place, row in enumerate(rows):
        y = len(rows) - 1 - place
        size, side = row["mu_star"] or 0.0, -1 if (row["mu"] or 0) < 0 else 1
        within = row["verdict"] != "above luck"
        colour = WITHIN if within else NAVY if side > 0 else ORANGE
        figure.add_bar(
            x=[side * size],
            y=[y],
            orientation="h",
            width=0.34,
            marker={"color": colour, "line": {"color": BAND_EDGE if within else colour, "width": 1}},
            customdata=[f"{row['parameter']}<br>{_signed(row)} {html.escape(part.unit)}; {row['verdict']}"],
            hovertemplate="%{customdata}<extra></extra>",
        )
        if row["mu_star_low"] is not None:
            figure.add_scatter(
                x=[side * row["mu_star_low"], side * row["mu_star_high"]],
                y=[y, y],
                mode="lines+markers",
                line={"color": INK, "width": 1.5},
                marker={"symbol": "line-ns", "size": 8, "line": {"color": INK, "width": 1.5}},
                hoverinfo="skip",
            )
        if row["luck_floor"] is not None:
            figure.add_scatter(
                x=[side * row["luck_floor"]],
                y=[y],
                mode="markers",
                marker={"symbol": "line-ns", "size": 20, "line": {"color": CHARCOAL, "width": 2.5}},
                hoverinfo="skip",
            )
        row_label(figure, 0, y, html.escape(shorter(str(row["description"]).rstrip("."), 80), quote=False), "left")
        row_label(figure, 1, y, f"<b>{_signed(row)}</b>" if not within else _signed(row), "right")
    apply_style(figure, 60 + 46 * len(rows))
    figure.update_xaxes(range=[-1.08 * reach, 1.08 * reach], zeroline=False, showgrid=True, gridcolor="#E6E8EA")
    figure.update_yaxes(visible=False, range=[-0.5, len(rows) - 0.3])
    end_labels(figure, "more lowers it", "more raises it")
    return figure


def _table(part: Part) -> Table:
    """The ranked table with the evidence row beside each parameter."""
    rows = (*part.close, *part.passed_over)
    indexed = any(row["s1"] is not None for row in rows)
    shown = []
    for row in rows[:MOST_ROWS]:
        decimals = places(row["mu_star"] or 0)
        interval = "–"
        if row["mu_star_low"] is not None:
            interval = f"{number(row['mu_star_low'], decimals)} to {number(row['mu_star_high'], decimals)}"
        shown.append(
            (
                str(row["parameter"]),
                str(row["rank"]),
                _signed(row),
                number(row["mu_star"], decimals),
                interval,
                number(row["luck_floor"], decimals) if row["luck_floor"] is not None else "–",
                sentence_case(str(row["verdict"])),
                f"{shorter(str(row['value']), 60)} ({shorter(_range(row), 80)})",
                CONFIDENCE.get(str(row["confidence"]), str(row["confidence"])),
                # Whole in the file, and in what is downloaded.
                shorter(str(row["source"]), 120),
                *((_index(row, "s1"), _index(row, "st")) if indexed else ()),
            )
        )
    return Table(
        caption=f"{part.title}: effect of each parameter over its range ({part.unit}), indices and evidence",
        columns=(
            "Parameter",
            "Rank",
            "Effect, low to high",
            "Mean size",
            "95% interval",
            "Luck alone",
            "Verdict",
            "Value and range",
            "Confidence",
            "Source",
            *(("First-order index", "Total index") if indexed else ()),
        ),
        rows=tuple(shown),
        raw=tuple(tuple(row.values()) for row in part.rows),
        raw_columns=tuple(part.rows[0]),
        text_columns=(6, 7, 8, 9),
        row_classes=tuple("" for _ in shown),
    )


def _range(row: dict[str, Any]) -> str:
    unit = f" {row['parameter_unit']}" if row["parameter_unit"] else ""
    return f"{row['low']} to {row['high']}{unit}"


def _index(row: dict[str, Any], name: str) -> str:
    if row[name] is None:
        return "–"
    return f"{number(row[name], 2)} ({number(row[f'{name}_low'], 2)} to {number(row[f'{name}_high'], 2)})"


def is_sensitivity(folder: Path) -> bool:
    """Tell whether a folder holds a sensitivity study; false for one that can't be read."""
    try:
        return bool(_manifest(Path(folder) / "manifest.json").get("kind") == "sensitivity")
    except StudyError:
        return False


def _manifest(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > LARGEST_TEXT_FILE:
            raise StudyError(f"{path}: too large to be a manifest")
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StudyError(f"{path}: can't be read ({error})") from error
    if not isinstance(found, dict) or not isinstance(found.get("scenarios"), list):
        raise StudyError(f"{path}: not a manifest")
    return found


def _read(path: Path, columns: dict[str, Any]) -> pl.DataFrame:
    try:
        frame = pl.read_csv(path, schema_overrides=columns)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise StudyError(f"{path}: can't be read ({error})") from error
    missing = sorted(set(columns) - set(frame.columns))
    if missing:
        raise StudyError(f"{path}: lacks the column {missing[0]}")
    return frame
