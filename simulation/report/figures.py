"""Plotly figures. Each takes a frame and returns a figure, so that a notebook can use them too.

Labels stand inside the plotting area, above what they name, so that nothing is cut on a narrow screen. Colour
never carries meaning alone: shape, fill and words repeat it. Titles are left to the page (or to `titled` in a
notebook).
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
import polars as pl

from simulation.measures.registry import Measure
from simulation.report.figure_style import (
    BAND_EDGE,
    CHARCOAL,
    GRID,
    INK,
    MOST_SERIES,
    NAVY,
    ORANGE,
    PALETTE,
    PLUM,
    TEAL,
    apply_style,
    end_labels,
    name_curves,
    row_label,
)
from simulation.report.findings import Finding
from simulation.report.study import band_text
from simulation.report.wording import (
    difference_unit,
    is_share,
    number,
    percent,
    places,
    shorter,
)

OFF_SCALE = 2.0
"""How many times the next smaller difference one may be before it is an arrow at the edge of the scale."""

_KIND_MARKS: dict[str, tuple[str, str, str]] = {
    "improves": (NAVY, "circle", "better"),
    "worsens": (ORANGE, "diamond", "worse"),
    "changes": (CHARCOAL, "square", "neither better nor worse"),
    "too close to call": (CHARCOAL, "circle-open", "too close to call"),
}


def difference_limit(findings: Sequence[Finding]) -> float:
    """Half the width of the scale that suits a group of differences, in percent.

    Parameters
    ----------
    findings : sequence of Finding
        Everything that will share the scale.

    Returns
    -------
    float
        Enough for all but the few that are so large that they would squash the rest.
    """
    reach = sorted(
        (end for end in (_furthest(item) for item in findings) if end is not None and end > 0), reverse=True
    )
    if not reach:
        return 1.0
    # From the top, give up what towers over all that is below it, but never more than a quarter of the rows.
    kept = 0
    while kept < len(reach) // 4 and reach[kept] > OFF_SCALE * reach[kept + 1]:
        kept += 1
    return 1.12 * reach[kept]


def difference_figure(findings: Sequence[Finding], limit: float | None = None) -> go.Figure:
    """Paired differences of one scenario: a dot and its interval a measure, in percent of the baseline.

    Parameters
    ----------
    findings : sequence of Finding
        One row each, drawn from the top.
    limit : float, optional
        Half the width of the scale, in percent, to share it between figures.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    drawn = [item for item in findings if item.relative is not None]
    limit = limit or difference_limit(drawn)
    figure = go.Figure()
    figure.add_vline(x=0, line={"color": INK, "width": 1.5})
    series: dict[str, list[tuple[int, Finding]]] = {kind: [] for kind in _KIND_MARKS}
    for row, item in enumerate(drawn):
        kind: str = item.status if item.clear else "too close to call"
        series[kind].append((len(drawn) - 1 - row, item))
    for kind, members in series.items():
        colour, symbol, _ = _KIND_MARKS[kind]
        for y, item in members:
            low, high = _clip(item.relative_low, limit), _clip(item.relative_high, limit)
            # An interval wholly beyond the scale is left to the arrow.
            if low is not None and high is not None and (low != high or abs(low) < limit):
                figure.add_scatter(
                    x=[low, high],
                    y=[y, y],
                    mode="lines+markers",
                    line={"color": colour, "width": 3},
                    marker={"symbol": "line-ns", "size": 13, "line": {"color": colour, "width": 2}},
                    hoverinfo="skip",
                )
        inside = [(y, item) for y, item in members if abs(item.relative or 0) <= limit]
        if inside:
            figure.add_scatter(
                x=[item.relative for _, item in inside],
                y=[y for y, _ in inside],
                mode="markers",
                marker={
                    "color": "#FFFFFF" if symbol.endswith("open") else colour,
                    "symbol": symbol.removesuffix("-open"),
                    "size": 11,
                    "line": {"color": colour, "width": 2},
                },
                customdata=[_hover(item) for _, item in inside],
                hovertemplate="%{customdata}<extra></extra>",
                name=kind,
            )
        outside = [(y, item) for y, item in members if abs(item.relative or 0) > limit]
        if outside:
            figure.add_scatter(
                x=[limit if (item.relative or 0) > 0 else -limit for _, item in outside],
                y=[y for y, _ in outside],
                mode="markers",
                marker={
                    "color": colour,
                    "symbol": [
                        "triangle-right" if (i.relative or 0) > 0 else "triangle-left" for _, i in outside
                    ],
                    "size": 15,
                },
                customdata=[_hover(item) for _, item in outside],
                hovertemplate="%{customdata}<extra></extra>",
                name=f"{kind}, off the scale",
            )
    for row, item in enumerate(drawn):
        y = len(drawn) - 1 - row
        row_label(figure, 0, y, html.escape(item.measure.title, quote=False), "left")
        off = " →" if (item.relative or 0) > limit else ""
        on = "← " if (item.relative or 0) < -limit else ""
        shown = percent(item.relative, places(item.relative or 0), signed=True)
        if item.status == "no difference":
            shown = "no change"
        row_label(figure, 1, y, f"<b>{on}{shown}{off}</b>", "right")
    apply_style(figure, height=46 * max(len(drawn), 1) + 62)
    figure.update_xaxes(
        range=[-1.06 * limit, 1.06 * limit],
        ticksuffix="%",
        nticks=6,
        showgrid=True,
        gridcolor=GRID,
        zeroline=False,
    )
    figure.update_yaxes(range=[-0.55, len(drawn) - 0.15], visible=False)
    end_labels(figure, "lower", "higher")
    return figure


def path_figure(
    path: pl.DataFrame, measure: Measure, impact: str | None = None, impact_label: str = "change starts"
) -> go.Figure:
    """One measure by month: scenario less baseline, with the spread over runs and the error of the mean.

    Parameters
    ----------
    path : polars.DataFrame
        month (``YYYY-MM``), mean, low, high, error, as made by `simulation.report.paths.monthly_differences`.
    measure : Measure
        What is drawn.
    impact : str, optional
        Day on which the scenario first differs, ``YYYY-MM-DD``.
    impact_label : str
        Words beside the line at that day.

    Returns
    -------
    plotly.graph_objects.Figure
        Band: spread over runs. Thin bars: 95% interval of the mean.
    """
    path = path.sort("month")
    # At the month's end, when its value is known: so nothing seems to move before the change.
    months = path.select((pl.col("month") + "-01").str.to_date().dt.month_end().dt.to_string())[
        "month"
    ].to_list()
    mean, low, high = (path[name].to_list() for name in ("mean", "low", "high"))
    error = path["error"].to_list()
    figure = go.Figure()
    figure.add_hline(y=0, line={"color": INK, "width": 1.5})
    if low != high:
        figure.add_scatter(
            x=months,
            y=high,
            mode="lines",
            line={"color": BAND_EDGE, "width": 1},
            hoverinfo="skip",
            name="highest",
        )
        figure.add_scatter(
            x=months,
            y=low,
            mode="lines",
            line={"color": BAND_EDGE, "width": 1},
            fill="tonexty",
            fillcolor="rgba(191,191,191,0.55)",
            hoverinfo="skip",
            name="lowest",
        )
    decimals = places(*(value for value in mean + low + high if value is not None))
    unit = html.escape(difference_unit(measure.unit), quote=False)
    figure.add_scatter(
        x=months,
        y=mean,
        mode="lines",
        line={"color": NAVY, "width": 2.5},
        customdata=[
            f"{month}: {number(m, decimals, signed=True)} {unit}<br>runs from "
            f"{number(a, decimals, signed=True)} to "
            f"{number(b, decimals, signed=True)}"
            for month, m, a, b in zip(path["month"].to_list(), mean, low, high, strict=True)
        ],
        hovertemplate="%{customdata}<extra></extra>",
        name="mean of the pairs",
    )
    # A bar every third month: enough to judge by, and the band stays visible.
    every = [i for i in range(len(months)) if i % 3 == 1 and error[i] is not None and (error[i] or mean[i])]
    if every:
        figure.add_scatter(
            x=[months[i] for i in every],
            y=[mean[i] for i in every],
            mode="markers",
            marker={"color": NAVY, "size": 5},
            error_y={
                "type": "data",
                "array": [error[i] for i in every],
                "color": NAVY,
                "thickness": 1.3,
                "width": 3,
            },
            hoverinfo="skip",
            name="95% interval of the mean",
        )
    reach = [value for value in mean + low + high if value is not None]
    reach += [mean[i] + s * error[i] for i in every for s in (-1, 1)]
    top, bottom = max([*reach, 0.0]), min([*reach, 0.0])
    room = (top - bottom) or 1.0
    if impact:
        figure.add_vline(x=impact, line={"color": PLUM, "width": 1.5, "dash": "dash"})
        figure.add_annotation(
            x=impact,
            y=1,
            yref="paper",
            text=html.escape(impact_label, quote=False),
            showarrow=False,
            xanchor="left",
            yanchor="top",
            xshift=4,
            font={"color": PLUM, "size": 12},
            bgcolor="rgba(255,255,255,0.8)",
        )
    apply_style(figure, height=230)
    figure.update_yaxes(
        range=[bottom - 0.08 * room, top + 0.22 * room],
        gridcolor=GRID,
        zeroline=False,
        nticks=5,
        ticksuffix=" pts" if is_share(measure.unit) else "",
        separatethousands=True,
    )
    figure.update_xaxes(tickformat="%b<br>%Y", nticks=6, showgrid=False, hoverformat="%b %Y")
    return figure


def distribution_figure(
    distribution: pl.DataFrame, titles: Mapping[str, str], baseline: str, axis: str
) -> go.Figure:
    """A distribution in the baseline (filled) and in up to three scenarios (lines).

    Parameters
    ----------
    distribution : polars.DataFrame
        scenario, band, band_width, share (of one), for one histogram.
    titles : mapping of str to str
        Title of each scenario by name, the ones to draw.
    baseline : str
        Name of the baseline.
    axis : str
        Words under the horizontal axis.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    ValueError
        For more than four series: draw small multiples.
    """
    if len(titles) > MOST_SERIES:
        raise ValueError(f"at most {MOST_SERIES} series in one chart: draw small multiples")
    distribution = distribution.filter(pl.col("scenario").is_in(list(titles)) & pl.col("band").is_not_null())
    bands = shown_bands(distribution)
    looks = iter(((NAVY, "solid"), (ORANGE, "dash"), (PLUM, "dot")))
    figure = go.Figure()
    curves: dict[str, list[float]] = {}
    looks_of: dict[str, tuple[str, str]] = {}
    order = sorted(titles, key=lambda name: name != baseline)
    width = int(distribution["band_width"].max() or 1)  # type: ignore[arg-type]
    last = distribution["band"].max()
    for name in order:
        shares_by_band = dict(
            distribution.filter(pl.col("scenario") == name).select("band", "share").iter_rows()
        )
        shares = [100 * (shares_by_band.get(band) or 0.0) for band in bands]
        curves[name] = shares
        words = html.escape(shorter(titles[name], 40), quote=False)
        hover = [
            f"{words}<br>{band_text(band, width, band == last)}: {percent(share, places(share))}"
            for band, share in zip(bands, shares, strict=True)
        ]
        fill: dict[str, str] = {}
        if name == baseline:
            looks_of[name] = (BAND_EDGE, "filled")
            line = {"color": BAND_EDGE, "width": 1.5, "shape": "hv"}
            fill = {"fill": "tozeroy", "fillcolor": "rgba(191,191,191,0.6)"}
        else:
            colour, dash = next(looks)
            looks_of[name] = (colour, dash)
            line = {"color": colour, "width": 2.5, "dash": dash, "shape": "hv"}
        figure.add_scatter(
            x=[*bands, bands[-1] + width] if bands else [],
            y=[*shares, *shares[-1:]],
            mode="lines",
            line=line,
            customdata=[*hover, *hover[-1:]],
            hovertemplate="%{customdata}<extra></extra>",
            name=titles[name],
            **fill,
        )
    top = max((max(shares, default=0.0) for shares in curves.values()), default=0.0) or 1.0
    room = 0.12 * len(order) + 0.1
    apply_style(figure, height=270)
    figure.update_yaxes(
        range=[0, top * (1 + room)],
        ticksuffix="%",
        nticks=5,
        gridcolor=GRID,
        zeroline=False,
        rangemode="tozero",
    )
    span = [bands[0], bands[-1] + width] if bands else [0, 1]
    figure.update_xaxes(
        range=span,
        title={"text": axis, "standoff": 8, "font": {"size": 12}},
        nticks=8,
        showgrid=False,
        zeroline=False,
    )
    name_curves(figure, {titles[name]: looks_of[name] for name in order})
    return figure


def shown_bands(distribution: pl.DataFrame, keep: float = 0.995) -> list[int]:
    """Lower edges of the bands to draw: those that hold nearly all of the share of every scenario."""
    last, first = None, None
    for _, rows in distribution.sort("band").group_by("scenario", maintain_order=True):
        held = rows.filter(pl.col("share") > 0)
        if held.is_empty():
            continue
        total = float(held["share"].sum())
        reached = held.filter(pl.col("share").cum_sum() >= keep * total)["band"]
        last = max(last or 0, int(reached[0] if len(reached) else held["band"][-1]))
        lowest = int(held["band"][0])
        first = lowest if first is None else min(first, lowest)
    if first is None or last is None:
        return []
    bands = sorted(set(distribution["band"].to_list()))
    return [band for band in bands if first <= band <= last]


def level_figure(levels: pl.DataFrame) -> go.Figure:
    """Simulated levels as a percentage of the published figure, with the published range.

    Parameters
    ----------
    levels : polars.DataFrame
        title, role, published, published_low, published_high, simulated, within; drawn
        from the top.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    rows = list(levels.iter_rows(named=True))
    figure = go.Figure()
    off = [100 * (row["simulated"] / row["published"] - 1) if row["published"] else None for row in rows]
    ends = [
        100 * abs(row[end] / row["published"] - 1)
        for row in rows
        for end in ("published_low", "published_high")
        if row["published"] and row[end] is not None
    ]
    limit = 1.1 * max([12.0, *ends, *(abs(value) for value in off if value is not None and abs(value) < 60)])
    figure.add_vrect(
        x0=-10, x1=10, fillcolor="rgba(40,161,151,0.14)", line={"color": TEAL, "width": 1}, layer="below"
    )
    figure.add_vline(x=0, line={"color": INK, "width": 1.5})
    for row, value, index in zip(rows, off, range(len(rows)), strict=True):
        y = len(rows) - 1 - index
        if row["published"] and row["published_low"] is not None and row["published_high"] is not None:
            figure.add_scatter(
                x=[100 * (row[end] / row["published"] - 1) for end in ("published_low", "published_high")],
                y=[y, y],
                mode="lines",
                line={"color": BAND_EDGE, "width": 7},
                hoverinfo="skip",
            )
        row_label(figure, 0, y, html.escape(row["title"], quote=False), "left")
        verdict = "within 10%" if row["within"] else "<b>outside 10%</b>"
        row_label(
            figure, 1, y, f"{percent(value, 1, signed=True) if value is not None else ''} {verdict}", "right"
        )
    for passed, colour, symbol in ((True, NAVY, "circle"), (False, ORANGE, "diamond")):
        members = [
            (len(rows) - 1 - i, row, value)
            for i, (row, value) in enumerate(zip(rows, off, strict=True))
            if row["within"] is passed and value is not None
        ]
        if members:
            figure.add_scatter(
                x=[_clip(value, limit) for _, _, value in members],
                y=[y for y, _, _ in members],
                mode="markers",
                marker={
                    "color": colour,
                    "symbol": symbol,
                    "size": 12,
                    "line": {"color": "#FFFFFF", "width": 1},
                },
                customdata=[
                    f"{html.escape(row['title'], quote=False)}<br>simulated {number(row['simulated'])}, "
                    f"published {number(row['published'])}"
                    for _, row, _ in members
                ],
                hovertemplate="%{customdata}<extra></extra>",
            )
    apply_style(figure, height=46 * max(len(rows), 1) + 62)
    figure.update_xaxes(range=[-limit, limit], ticksuffix="%", nticks=7, gridcolor=GRID, zeroline=False)
    figure.update_yaxes(range=[-0.55, len(rows) - 0.15], visible=False)
    end_labels(figure, "below published", "above published")
    return figure


def titled(figure: go.Figure, title: str, subtitle: str = "") -> go.Figure:
    """Add a title and subtitle inside a figure, for use outside a page."""
    text = f"<b>{html.escape(title, quote=False)}</b>"
    if subtitle:
        text += f"<br><span style='font-size:13px'>{html.escape(subtitle, quote=False)}</span>"
    figure.update_layout(title={"text": text, "x": 0, "xanchor": "left"}, margin_t=70)
    figure.update_layout(height=(figure.layout.height or 300) + 62)
    return figure


def _furthest(item: Finding) -> float | None:
    ends = [abs(end) for end in (item.relative, item.relative_low, item.relative_high) if end is not None]
    return max(ends) if item.relative is not None and ends else None


def _clip(value: float | None, limit: float) -> float | None:
    return None if value is None else max(-limit, min(limit, value))


def _hover(item: Finding) -> str:
    decimals = places(item.relative or 0, item.relative_low or 0, item.relative_high or 0)
    span = ""
    if item.relative_low is not None and item.relative_high is not None:
        span = (
            f" ({percent(item.relative_low, decimals, signed=True)} to "
            f"{percent(item.relative_high, decimals, signed=True)})"
        )
    title = html.escape(item.measure.title, quote=False)
    return f"{title}<br>{percent(item.relative, decimals, signed=True)}{span}<br>{item.direction}"


__all__ = [
    "PALETTE",
    "difference_figure",
    "difference_limit",
    "distribution_figure",
    "level_figure",
    "path_figure",
    "shown_bands",
    "titled",
]
