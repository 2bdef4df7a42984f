"""A study folder as a report sees it: files in, checked frames out. Nothing is run and nothing is written."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from simulation.measures.registry import (
    HEADLINES,
    MEASURE_BY_NAME,
    Measure,
)
from simulation.report.wording import sentence_case

LARGEST_TEXT_FILE = 20_000_000
"""Bytes; a manifest or scenario file beyond this is not one of ours."""

TO_END = "to end"
"""The window that runs from the date on which scenarios first differ to the end of the run."""


class StudyError(ValueError):
    """A study folder that cannot be reported on, with the file and the reason."""


@dataclass(frozen=True)
class ScenarioText:
    """What a scenario says about itself.

    Parameters
    ----------
    name, title, question, asked_by, expected : str
        Words of the scenario file; empty where the file says nothing.
    expects : dict
        By measure, ``more`` or ``less`` than in the baseline, as said beforehand.
    moves : tuple of str
        Measures that the changes act on directly.
    changes : tuple of dict
        Dated changes in the order written.
    """

    name: str
    title: str
    question: str = ""
    asked_by: str = ""
    expected: str = ""
    expects: dict[str, str] = field(default_factory=dict)
    moves: tuple[str, ...] = ()
    changes: tuple[dict[str, Any], ...] = ()

    @property
    def starts(self) -> date | None:
        """First day on which the scenario changes anything, as written in its file."""
        return min(
            (day for day in (as_date(change.get("from")) for change in self.changes) if day), default=None
        )


@dataclass(frozen=True)
class StudyFolder:
    """The files of one study.

    Parameters
    ----------
    path : Path
        Folder written by a study: differences.csv and manifest.json at least.
    """

    path: Path
    manifest: dict[str, Any] = field(repr=False)
    differences: pl.DataFrame = field(repr=False)
    levels: pl.DataFrame = field(repr=False)
    distributions: pl.DataFrame = field(repr=False)
    parameters: pl.DataFrame = field(repr=False)
    by_group: pl.DataFrame = field(repr=False)
    warm_up: pl.DataFrame = field(repr=False)
    with_effects: pl.DataFrame = field(repr=False)
    comparisons: pl.DataFrame = field(repr=False)
    precision: pl.DataFrame = field(repr=False)
    uncertainty: pl.DataFrame = field(repr=False)
    scenarios: tuple[ScenarioText, ...] = ()

    @classmethod
    def read(cls, path: Path) -> StudyFolder:
        """Read and check a study folder.

        Raises
        ------
        StudyError
            Where a file that is needed is missing, unreadable or lacks a column.
        """
        path = Path(path)
        if not path.is_dir():
            raise StudyError(f"{path}: no such study folder")
        manifest = _manifest(path / "manifest.json")
        differences = _frame(path / "differences.csv", DIFFERENCE_COLUMNS, needed=True)
        return cls(
            path=path,
            manifest=manifest,
            differences=differences,
            levels=_frame(path / "levels.csv", LEVEL_COLUMNS),
            distributions=_frame(path / "distributions.csv", DISTRIBUTION_COLUMNS),
            parameters=_frame(path / "parameters.csv", PARAMETER_COLUMNS),
            by_group=_frame(path / "differences_by_group.csv", BY_GROUP_COLUMNS),
            warm_up=_frame(path / "warm_up.csv", WARM_UP_COLUMNS),
            with_effects=_frame(path / "differences_with_effects.csv", EFFECT_COLUMNS),
            comparisons=_frame(path / "comparisons.csv", COMPARISON_COLUMNS),
            precision=_frame(path / "precision.csv", PRECISION_COLUMNS),
            uncertainty=_frame(path / "uncertainty.csv", UNCERTAINTY_COLUMNS),
            scenarios=_scenarios(path, manifest, differences),
        )

    @property
    def baseline(self) -> ScenarioText:
        """The scenario that the others are compared with."""
        return self.scenarios[0]

    @property
    def changed(self) -> tuple[ScenarioText, ...]:
        """Scenarios other than the baseline, in the order of the study."""
        return self.scenarios[1:]

    @property
    def headlines(self) -> tuple[Measure, ...]:
        """Measures declared in advance, in the order shown; those of the registry if the study names none."""
        declared = self.manifest.get("headlines") or HEADLINES
        return tuple(MEASURE_BY_NAME[name] for name in declared if name in MEASURE_BY_NAME)

    def moved_by(self, scenario: ScenarioText) -> tuple[Measure, ...]:
        """Measures that a scenario acts on directly and that no headline shows."""
        headlines = self.headlines
        moved = (MEASURE_BY_NAME[name] for name in scenario.moves if name in MEASURE_BY_NAME)
        return tuple(measure for measure in moved if measure not in headlines)

    @cached_property
    def shown(self) -> tuple[Measure, ...]:
        """The headlines, then what any of the scenarios acts on directly."""
        moved = (measure for scenario in self.changed for measure in self.moved_by(scenario))
        return tuple(dict.fromkeys((*self.headlines, *moved)))

    @cached_property
    def replications(self) -> int:
        """Runs of each scenario."""
        given = self.manifest.get("replications")
        if isinstance(given, int) and given > 0:
            return given
        return max((count for count in self.differences["replications"].to_list() if count), default=1)

    @property
    def draws(self) -> int:
        """Sets of uncertain parameters; one when only chance was varied."""
        given = self.manifest.get("draws", 1)
        return len(given) if isinstance(given, list) else max(int(given or 1), 1)

    def title_of(self, scenario: str) -> str:
        """Title of a scenario by its name."""
        return next((text.title for text in self.scenarios if text.name == scenario), scenario)

    def rows_of(self, scenario: str, window: str = TO_END) -> dict[str, dict[str, Any]]:
        """Differences of one scenario and window by measure."""
        rows = self.differences.filter((pl.col("scenario") == scenario) & (pl.col("window") == window))
        return {row["measure"]: row for row in rows.iter_rows(named=True)}

    def impact_date(self, scenario: ScenarioText) -> date | None:
        """Day on which a scenario first differs from the baseline."""
        dates = self.differences.filter(pl.col("scenario") == scenario.name)["impact_date"]
        return (as_date(dates[0]) if len(dates) else None) or scenario.starts

    def window_of(self, scenario: ScenarioText, window: str = TO_END) -> tuple[str, str] | None:
        """First and last month of a comparison, ``YYYY-MM``."""
        rows = self.differences.filter((pl.col("scenario") == scenario.name) & (pl.col("window") == window))
        return (rows["first_month"][0], rows["last_month"][0]) if len(rows) else None

    @property
    def has_outcomes(self) -> bool:
        """Whether monthly counts were kept with the study."""
        return (self.path / "outcomes.parquet").is_file()

    def outcomes(self) -> pl.LazyFrame:
        """Monthly counts, not yet read into memory."""
        frame = pl.scan_parquet(self.path / "outcomes.parquet")
        missing = sorted(set(OUTCOME_COLUMNS) - set(frame.collect_schema().names()))
        if missing:
            raise StudyError(f"{self.path / 'outcomes.parquet'}: no column {', '.join(missing)}")
        return frame


DIFFERENCE_COLUMNS: dict[str, Any] = {
    "scenario": pl.String,
    "compared_with": pl.String,
    "measure": pl.String,
    "window": pl.String,
    "first_month": pl.String,
    "last_month": pl.String,
    "impact_date": pl.String,
    "replications": pl.Int64,
    "baseline": pl.Float64,
    "value": pl.Float64,
    "difference": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "sign_agreement": pl.Int64,
    "variance_ratio": pl.Float64,
    "variance_ratio_low": pl.Float64,
    "variance_ratio_high": pl.Float64,
    "worst_tenth_baseline": pl.Float64,
    "worst_tenth_value": pl.Float64,
    "worst_tenth_difference": pl.Float64,
    "worst_tenth_low": pl.Float64,
    "worst_tenth_high": pl.Float64,
    "areas": pl.Int64,
    "areas_better": pl.Int64,
    "areas_worse": pl.Int64,
}
"""Columns of differences.csv that a report uses."""

BY_GROUP_COLUMNS: dict[str, Any] = {
    "scenario": pl.String,
    "measure": pl.String,
    "window": pl.String,
    "group": pl.String,
    "replications": pl.Int64,
    "baseline": pl.Float64,
    "value": pl.Float64,
    "difference": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "relative": pl.Float64,
    "sign_agreement": pl.Int64,
    "note": pl.String,
}
"""Columns of differences_by_group.csv that a report uses."""

EFFECT_COLUMNS: dict[str, Any] = {
    **dict.fromkeys(("scenario", "measure", "unit", "window", "first_month", "last_month"), pl.String),
    "replications": pl.Int64,
    **dict.fromkeys(("baseline", "difference", "low", "high"), pl.Float64),
    **dict.fromkeys((f"{name}_with_effects" for name in ("baseline", "difference", "low", "high")), pl.Float64),
}
"""Columns of differences_with_effects.csv that a report uses."""

COMPARISON_COLUMNS: dict[str, Any] = {
    **dict.fromkeys(("scenario", "measure", "unit", "window", "first_month", "last_month"), pl.String),
    "replications": pl.Int64,
    **dict.fromkeys(("value", "difference", "simultaneous_low", "simultaneous_high", "adjusted_p"), pl.Float64),
    **dict.fromkeys(("rank", "rank_low", "rank_high"), pl.Int64),
    **dict.fromkeys(("from_best", "from_best_low", "from_best_high", "probability_best"), pl.Float64),
}
"""Columns of comparisons.csv that a report uses."""

PRECISION_COLUMNS: dict[str, Any] = {
    **dict.fromkeys(("scenario", "measure", "unit", "window"), pl.String),
    "replications": pl.Int64,
    **dict.fromkeys(("difference", "half_width", "asked"), pl.Float64),
    "asked_of": pl.String,
    "allowed_half_width": pl.Float64,
    "reached": pl.String,
    "replications_needed": pl.Int64,
}
"""Columns of precision.csv that a report uses."""

UNCERTAINTY_COLUMNS: dict[str, Any] = {
    **dict.fromkeys(("scenario", "measure", "unit", "window", "first_month", "last_month"), pl.String),
    **dict.fromkeys(("draws", "replications"), pl.Int64),
    **dict.fromkeys(("difference", "low", "high", "drawn_mean", "drawn_median", "drawn_low", "drawn_high"), pl.Float64),
    **dict.fromkeys(("same_sign", "variance_luck", "variance_ignorance", "ignorance_share"), pl.Float64),
    "verdict": pl.String,
}
"""Columns of uncertainty.csv that a report uses."""

WARM_UP_COLUMNS: dict[str, Any] = {
    "measure": pl.String,
    "title": pl.String,
    "unit": pl.String,
    "months": pl.Int64,
    "burn_in_months": pl.Int64,
    "asks_months": pl.Int64,
    "verdict": pl.String,
    "mean_before": pl.Float64,
    "mean_counted": pl.Float64,
}
"""Columns of warm_up.csv that a report uses."""

LEVEL_COLUMNS: dict[str, Any] = {
    "evidence_id": pl.String,
    "title": pl.String,
    "role": pl.String,
    "how": pl.String,
    "when": pl.String,
    "published": pl.Float64,
    "published_low": pl.Float64,
    "published_high": pl.Float64,
    "simulated": pl.Float64,
    "ratio": pl.Float64,
    "within": pl.Boolean,
    "note": pl.String,
}
"""Columns of levels.csv that a report uses."""

DISTRIBUTION_COLUMNS: dict[str, Any] = {
    "scenario": pl.String,
    "measure": pl.String,
    "band": pl.Int64,
    "band_width": pl.Int64,
    "first_month": pl.String,
    "last_month": pl.String,
    "share": pl.Float64,
    "share_min": pl.Float64,
    "share_max": pl.Float64,
}
"""Columns of distributions.csv that a report uses: `band` is a lower edge, shares are of one."""

PARAMETER_COLUMNS: dict[str, Any] = dict.fromkeys(
    ("name", "value", "unit", "low", "high", "confidence", "source"), pl.String
)
"""Columns of parameters.csv, all kept as written."""

OUTCOME_COLUMNS = ("scenario", "draw", "replication", "month", "measure", "value")
"""Columns of outcomes.parquet that a report uses."""


def as_date(value: object) -> date | None:
    """A date from ISO text, or nothing."""
    if isinstance(value, date):
        return value
    match = re.match(r"\d{4}-\d{2}-\d{2}", str(value or ""))
    try:
        return date.fromisoformat(match.group()) if match else None
    except ValueError:
        return None


def band_text(band: int, width: int, last: bool = False) -> str:
    """A band in words; the last one has no upper end, because it may hold everything beyond.

    Examples
    --------
    >>> band_text(50, 5), band_text(7, 1), band_text(100, 5, last=True)
    ('50 to 54', '7', '100 and over')
    """
    if last:
        return f"{band} and over"
    return f"{band} to {band + width - 1}" if width > 1 else f"{band}"


def _read_text(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST_TEXT_FILE:
            raise StudyError(f"{path}: too large for a file of a study")
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise StudyError(f"{path}: missing; is this a study folder?") from None
    except UnicodeDecodeError:
        raise StudyError(f"{path}: not UTF-8 text") from None


def _manifest(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(_read_text(path))
    except json.JSONDecodeError as error:
        raise StudyError(f"{path}:{error.lineno}:{error.colno}: not valid JSON: {error.msg}") from None
    if not isinstance(manifest, dict):
        raise StudyError(f"{path}: not a mapping")
    return manifest


def _frame(path: Path, columns: dict[str, Any], needed: bool = False) -> pl.DataFrame:
    """A CSV file with the columns asked for; an empty frame where an optional file is missing."""
    if not path.is_file():
        if needed:
            raise StudyError(f"{path}: missing; is this a study folder?")
        return pl.DataFrame(schema=columns)
    try:
        frame = pl.read_csv(path, infer_schema=False)
    except pl.exceptions.PolarsError as error:
        raise StudyError(f"{path}: not a table: {error}") from None
    missing = sorted(set(columns) - set(frame.columns))
    if missing:
        raise StudyError(f"{path}: no column {', '.join(missing)}")
    try:
        return frame.select(_typed(name, kind) for name, kind in columns.items())
    except pl.exceptions.PolarsError as error:
        raise StudyError(f"{path}: a cell is not of the kind expected: {error}") from None


def _typed(name: str, kind: Any) -> pl.Expr:
    text = pl.col(name)
    if kind == pl.String:
        return text.fill_null("")
    if kind == pl.Boolean:
        return text.str.to_lowercase().is_in(["true", "1", "yes", "pass"]).fill_null(False)
    empty_as_null = pl.when(text.is_in(["", "nan", "NaN"])).then(None).otherwise(text)
    if kind == pl.Int64:
        return empty_as_null.cast(pl.Float64).cast(pl.Int64).alias(name)
    return empty_as_null.cast(kind).alias(name)


class _PlainLoader(yaml.BaseLoader):
    """Reads YAML as text, lists and mappings only: no dates, no yes and no, no objects, no aliases."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.YAMLError("aliases are not used in scenario files")
        return super().compose_node(parent, index)


def _scenarios(path: Path, manifest: dict[str, Any], differences: pl.DataFrame) -> tuple[ScenarioText, ...]:
    """Scenarios in the order of the study, the baseline first."""
    declared = manifest.get("scenarios")
    names: list[str] = []
    for entry in declared if isinstance(declared, list) else []:
        names.append(str(entry.get("name", "")) if isinstance(entry, dict) else str(entry))
    if isinstance(declared, dict):
        names = [str(name) for name in declared]
    compared = differences["compared_with"].unique(maintain_order=True).to_list()
    baseline = str((compared or names or ["baseline"])[0])
    found = [name for name in differences["scenario"].unique(maintain_order=True).to_list() if name]
    order = [baseline, *names, *found]
    return tuple(_scenario(path / "scenarios", name) for name in dict.fromkeys(order) if name)


def _scenario(folder: Path, name: str) -> ScenarioText:
    plain = sentence_case(name.replace("_", " "))
    file = folder / f"{name}.yaml"
    # A name comes from a file: it may not lead out of the study folder.
    if "/" in name or "\\" in name or name.startswith(".") or not file.is_file():
        return ScenarioText(name, plain)
    try:
        content = yaml.load(_read_text(file), Loader=_PlainLoader)
    except yaml.YAMLError as error:
        raise StudyError(f"{file}: {error}") from None
    if not isinstance(content, dict):
        raise StudyError(f"{file}: not a mapping")
    changes, expects, moves = content.get("changes"), content.get("expects"), content.get("moves")
    return ScenarioText(
        name=name,
        title=_line(content.get("title")) or plain,
        question=_line(content.get("question")),
        asked_by=_line(content.get("asked_by")),
        expected=_line(content.get("expected")),
        expects={str(name): _line(way) for name, way in expects.items()} if isinstance(expects, dict) else {},
        moves=tuple(_line(name) for name in moves) if isinstance(moves, list) else (),
        changes=tuple(item for item in changes if isinstance(item, dict))
        if isinstance(changes, list)
        else (),
    )


def _line(value: object) -> str:
    return " ".join(str(value).split()) if isinstance(value, str) else ""
