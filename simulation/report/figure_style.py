"""What all figures share: colours, fonts, and labels that stand beside what they name."""

from __future__ import annotations

import html
from collections.abc import Mapping

import plotly.graph_objects as go

from simulation.report.wording import shorter

NAVY, TEAL, PLUM, ORANGE, CHARCOAL, LILAC = "#12436D", "#28A197", "#801650", "#F46A25", "#3D3D3D", "#A285D1"
PALETTE = (NAVY, TEAL, PLUM, ORANGE, CHARCOAL, LILAC)
"""Colours that people with colour-blindness can tell apart; all of them reach 3:1 on white, for marks."""

TEXT_COLOURS = (NAVY, PLUM, CHARCOAL)
"""Those of the palette that reach 4.5:1 on white and may be used for words."""

INK, GRID, BAND_EDGE = "#1A1A1A", "#D9DDE0", "#6F777B"
MOST_SERIES = 4
"""Series in one chart, at most."""

FONT = "'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', sans-serif"


def row_label(figure: go.Figure, x: float, y: float, text: str, anchor: str) -> None:
    """Words above a row, held to the left or right edge, so that they fit whatever the width."""
    figure.add_annotation(
        x=x,
        xref="paper",
        y=y,
        yref="y",
        text=text,
        showarrow=False,
        xanchor=anchor,
        yanchor="bottom",
        yshift=8,
        font={"size": 13, "color": INK},
        align=anchor,
        bgcolor="rgba(255,255,255,0.9)",
        borderpad=1,
    )


def end_labels(figure: go.Figure, left: str, right: str) -> None:
    """Say at both ends of the horizontal axis which way is which."""
    for x, text, anchor in ((0, f"← {left}", "left"), (1, f"{right} →", "right")):
        figure.add_annotation(
            x=x,
            xref="paper",
            y=0,
            yref="paper",
            yshift=-24,
            text=text,
            showarrow=False,
            xanchor=anchor,
            yanchor="top",
            font={"size": 12, "color": CHARCOAL},
        )


def name_curves(figure: go.Figure, looks: Mapping[str, tuple[str, str]]) -> None:
    """Name each curve in the space kept free above the curves, beside a sample of its line.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure
        Figure whose vertical axis leaves room at the top.
    looks : mapping of str to (str, str)
        Colour and dash of each curve by its title; a dash of ``"filled"`` draws a filled sample.
    """
    height = figure.layout.height - figure.layout.margin.t - figure.layout.margin.b
    for index, (title, (colour, dash)) in enumerate(looks.items()):
        y = 1 - (10 + 18 * index) / height
        if dash == "filled":
            half = 5 / height
            figure.add_shape(
                type="rect",
                xref="paper",
                yref="paper",
                x0=0.1,
                x1=0.17,
                y0=y - half,
                y1=y + half,
                fillcolor="rgba(191,191,191,0.6)",
                line={"color": colour, "width": 1.5},
            )
        else:
            figure.add_shape(
                type="line",
                xref="paper",
                yref="paper",
                x0=0.1,
                x1=0.17,
                y0=y,
                y1=y,
                line={"color": colour, "width": 2.5, "dash": dash},
            )
        figure.add_annotation(
            x=0.19,
            xref="paper",
            y=y,
            yref="paper",
            text=html.escape(shorter(title, 28), quote=False),
            showarrow=False,
            xanchor="left",
            yanchor="middle",
            font={"size": 12, "color": INK},
            bgcolor="rgba(255,255,255,0.9)",
            borderpad=0,
        )


def apply_style(figure: go.Figure, height: int) -> None:
    figure.update_layout(
        template=go.layout.Template(),
        height=height,
        autosize=True,
        showlegend=False,
        dragmode=False,
        hovermode="closest",
        margin={"l": 8, "r": 8, "t": 8, "b": 46, "pad": 0},
        paper_bgcolor="#FFFFFF",
        plot_bgcolor="#FFFFFF",
        font={"family": FONT, "size": 13, "color": INK},
        separators=".,",
        hoverlabel={"bgcolor": "#FFFFFF", "bordercolor": INK, "font": {"color": INK, "size": 13}},
    )
    figure.update_xaxes(
        fixedrange=True,
        tickfont={"size": 12, "color": INK},
        linecolor=BAND_EDGE,
        automargin=True,
        ticks="",
        minexponent=9,
    )
    figure.update_yaxes(
        fixedrange=True, tickfont={"size": 12, "color": INK}, automargin=True, ticks="", minexponent=9
    )
