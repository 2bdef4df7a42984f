"""A figure with all the words around it, and the few phrases that every chart shares."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
from markupsafe import Markup

from simulation.report.study import StudyFolder, as_date
from simulation.report.tables import Table
from simulation.report.wording import counted, number, sentence_case, spelled


@dataclass(frozen=True)
class Chart:
    """A figure with all the words around it.

    Parameters
    ----------
    id, title, subtitle, description, note : str
        Identifier; the finding; measure, area and period; the words for those who cannot see it; how to
        read it.
    number : int
        Number of the figure on the page.
    json : Markup
        Plotly data and layout.
    height : int
        Height in pixels, held free before the figure is drawn.
    table : Table
        Everything drawn, in figures.
    table_open : bool
        Whether the table is shown at first.
    """

    id: str
    number: int
    title: str
    subtitle: str
    description: str
    json: Markup
    height: int
    table: Table
    note: str = ""
    table_open: bool = False


class Numbering:
    """Counts the figures of a page."""

    def __init__(self) -> None:
        self.last = 0

    def __call__(self) -> int:
        self.last += 1
        return self.last


def figure_json(figure: go.Figure) -> Markup:
    """Figure data that cannot end the script element they stand in."""
    text = json.dumps(figure.to_plotly_json(), ensure_ascii=True, separators=(",", ":"), default=_plain)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def _plain(value: Any) -> Any:
    if hasattr(value, "to_plotly_json"):
        return value.to_plotly_json()
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"cannot write {type(value).__name__} as JSON")


def period_words(first: str, last: str) -> str:
    return f"{month_words(first)} to {month_words(last)}"


def month_words(month: str) -> str:
    """A month ``YYYY-MM`` in words, for example ``July 2018``."""
    day = as_date(f"{month}-01")
    return day.strftime("%B %Y") if day else month


def area_words(study: StudyFolder) -> str:
    areas = study.manifest.get("areas")
    if study.manifest.get("whole_country") is not False or not isinstance(areas, list):
        return "England and Wales"
    if len(areas) == 1:
        return sentence_case(str(areas[0]).replace("_", " "))
    return f"{spelled(len(areas))} areas of England and Wales"


def run_words(study: StudyFolder) -> str:
    return counted(study.replications, "run" if study.replications == 1 else "paired run")


def make_chart(
    numbering: Numbering,
    figure: go.Figure,
    name: str,
    *,
    title: str,
    subtitle: str,
    description: str,
    table: Table,
    note: str = "",
    table_open: bool = False,
) -> Chart:
    return Chart(
        id=name,
        number=numbering(),
        title=title,
        subtitle=subtitle,
        description=f"{title}. {description}",
        json=figure_json(figure),
        height=int(figure.layout.height),
        table=table,
        note=note,
        table_open=table_open,
    )


def interval_words(low: float | None, high: float | None, decimals: int) -> str:
    if low is None or high is None:
        return "one run only"
    return f"{number(low, decimals, signed=True)} to {number(high, decimals, signed=True)}"
