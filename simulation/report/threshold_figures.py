"""Figures of a lever: the curve of a measure over it, and a map of two levers."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
import polars as pl

from simulation.report.figure_style import CHARCOAL, GRID, INK, NAVY, ORANGE, PLUM, apply_style

HEIGHT = 420


@dataclass(frozen=True)
class Mark:
    """A value of the lever that is worth a line of its own: a crossing, the knee, or the value in the files.

    Parameters
    ----------
    kind : {"crossing", "knee", "given"}
        What it is.
    at : float
        Value of the lever.
    low, high : float or None
        Its interval, shaded.
    text : str
        What stands beside it.
    """

    kind: str
    at: float
    low: float | None
    high: float | None
    text: str


_LOOKS = {"crossing": (PLUM, "solid"), "knee": (ORANGE, "dash"), "given": (CHARCOAL, "dot")}


def curve_figure(
    curve: pl.DataFrame,
    columns: tuple[str, str, str],
    unit: str,
    lever: str,
    target: float | None,
    marks: Sequence[Mark],
) -> go.Figure:
    """Draw a measure over a lever with its 95% band.

    Parameters
    ----------
    curve : polars.DataFrame
        Rows of threshold.csv.
    columns : tuple of str
        Names of the mean and of both ends of its interval.
    unit, lever : str
        Words at the axes.
    target : float or None
        Value asked for, drawn across.
    marks : sequence of Mark
        Values of the lever that are marked.
    """
    mean, low, high = columns
    x = curve["lever"].to_list()
    figure = go.Figure()
    known = curve.filter(pl.col(low).is_not_null() & pl.col(high).is_not_null())
    if len(known) > 1:
        at = known["lever"].to_list()
        figure.add_scatter(
            x=at + at[::-1],
            y=known[high].to_list() + known[low].to_list()[::-1],
            fill="toself",
            fillcolor="rgba(18,67,109,0.16)",
            line={"width": 0},
            mode="lines",
            hoverinfo="skip",
        )
    figure.add_scatter(
        x=x, y=curve[mean].to_list(), mode="lines", line={"color": NAVY, "width": 2.5}, hoverinfo="skip"
    )
    for on_grid, symbol in ((True, "circle"), (False, "circle-open")):
        rows = curve.filter(pl.col("on_grid") == on_grid)
        figure.add_scatter(
            x=rows["lever"].to_list(),
            y=rows[mean].to_list(),
            mode="markers",
            marker={"color": NAVY, "size": 8, "symbol": symbol, "line": {"color": NAVY, "width": 2}},
            hovertemplate="%{x}: %{y:,.4~g}<extra></extra>",
        )
    apply_style(figure, HEIGHT)
    _frame_of(figure, lever, unit)
    bottom, top = _room(curve, columns, target)
    figure.update_yaxes(range=[bottom, top])
    figure.update_xaxes(range=[x[0] - 0.03 * (x[-1] - x[0]), x[-1] + 0.03 * (x[-1] - x[0])])
    if target is not None:
        figure.add_hline(y=target, line={"color": PLUM, "width": 1.5})
        figure.add_annotation(
            x=0.012,
            xref="paper",
            y=target,
            yref="y",
            text=f"{target:,.6g} {unit}" if not unit.startswith("%") else f"{target:,.6g}{html.escape(unit)}",
            showarrow=False,
            xanchor="left",
            yanchor="bottom",
            font={"size": 12, "color": PLUM},
        )
    _draw_marks(figure, marks, x[0], x[-1])
    return figure


def _frame_of(figure: go.Figure, x_title: str, y_title: str) -> None:
    title = {"size": 12, "color": INK}
    figure.update_layout(margin={"l": 8, "r": 12, "t": 8, "b": 52, "pad": 0})
    figure.update_xaxes(title={"text": html.escape(x_title), "font": title, "standoff": 10}, showgrid=False)
    figure.update_yaxes(
        title={"text": html.escape(y_title), "font": title, "standoff": 10}, gridcolor=GRID, zeroline=False
    )


def _room(curve: pl.DataFrame, columns: tuple[str, str, str], target: float | None) -> tuple[float, float]:
    """Return the ends of the vertical axis: all of the band, and a free strip for words above and below."""
    values = [value for name in columns for value in curve[name].to_list() if value is not None]
    values += [] if target is None else [target]
    low, high = min(values), max(values)
    span = (high - low) or max(abs(high), 1.0)
    return low - 0.18 * span, high + 0.24 * span


def _draw_marks(figure: go.Figure, marks: Sequence[Mark], left: float, right: float) -> None:
    below = 0
    for mark in marks:
        colour, dash = _LOOKS[mark.kind]
        if mark.low is not None and mark.high is not None and mark.kind != "given":
            figure.add_vrect(
                x0=mark.low, x1=mark.high, fillcolor=colour, opacity=0.13, line={"width": 0}, layer="below"
            )
        figure.add_vline(x=mark.at, line={"color": colour, "width": 1.5, "dash": dash})
        place = (mark.at - left) / (right - left)
        y, anchor = {"knee": (0.995, "top"), "given": (0.925, "top")}.get(mark.kind, (0.01 + 0.065 * below, "bottom"))
        below += mark.kind == "crossing"
        figure.add_annotation(
            x=mark.at,
            xref="x",
            y=y,
            yref="paper",
            text=html.escape(mark.text, quote=False),
            showarrow=False,
            xanchor="left" if place < 0.5 else "right",
            yanchor=anchor,
            xshift=4 if place < 0.5 else -4,
            font={"size": 12, "color": CHARCOAL if mark.kind == "given" else INK},
            bgcolor="rgba(255,255,255,0.85)",
            borderpad=1,
        )


def contour_figure(
    grid: pl.DataFrame, column: str, levers: tuple[str, str], target: float | None, line_text: str
) -> go.Figure:
    """Draw a measure over two levers as lines of equal value, and the line of the value asked for.

    Parameters
    ----------
    grid : polars.DataFrame
        Rows of contour.csv.
    column : str
        Name of what is drawn.
    levers : tuple of str
        Words at the axes.
    target : float or None
        Value asked for.
    line_text : str
        What is written above the map about its line.
    """
    x, y = grid["lever"].unique().sort().to_list(), grid["lever2"].unique().sort().to_list()
    known = {(row["lever"], row["lever2"]): row[column] for row in grid.iter_rows(named=True)}
    z = [[known.get((first, second)) for first in x] for second in y]
    figure = go.Figure()
    figure.add_contour(
        x=x,
        y=y,
        z=z,
        colorscale=[[0, "#FFFFFF"], [1, "#7FA8CB"]],
        showscale=False,
        ncontours=9,
        contours={"coloring": "fill", "showlabels": True, "labelfont": {"size": 12, "color": INK}},
        line={"color": "#6F777B", "width": 1, "smoothing": 0},
        hovertemplate="%{x}, %{y}: %{z:,.4~g}<extra></extra>",
    )
    if target is not None:
        figure.add_contour(
            x=x,
            y=y,
            z=z,
            showscale=False,
            contours={"coloring": "none", "start": target, "end": target, "size": 1},
            line={"color": PLUM, "width": 4, "smoothing": 0},
            hoverinfo="skip",
        )
    figure.add_scatter(
        x=grid["lever"].to_list(),
        y=grid["lever2"].to_list(),
        mode="markers",
        marker={"color": CHARCOAL, "size": 4},
        hoverinfo="skip",
    )
    apply_style(figure, HEIGHT + 40)
    _frame_of(figure, *levers)
    figure.update_layout(margin={"l": 8, "r": 12, "t": 26, "b": 52, "pad": 0})
    if line_text:
        figure.add_annotation(
            x=0,
            xref="paper",
            y=1,
            yref="paper",
            yshift=4,
            text=f"<b>—</b> {html.escape(line_text, quote=False)}",
            showarrow=False,
            xanchor="left",
            yanchor="bottom",
            font={"size": 12, "color": PLUM},
        )
    return figure
