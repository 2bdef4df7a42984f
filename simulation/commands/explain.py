"""The command ``explain``: one parameter, its evidence, its users and the scenarios that change it."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Annotated

import typer

from simulation.commands.wording import step_in_words, value_in_words
from simulation.scenario import (
    Parameter,
    Parameters,
    ScenarioError,
    load_geography,
    load_parameters,
    resolve,
)
from simulation.scenario.loading import load_scenario, scenario_files
from simulation.scenario.parameters import CONFIDENCE, Labels, unknown_parameter
from simulation.scenario.problems import quote, shown_path
from simulation.scenario.uses import uses

WIDTH = 100
MOST_LINES = 12
CODE = Path(__file__).resolve().parents[1]


def explain(
    name: Annotated[
        str | None,
        typer.Argument(
            help="A parameter, such as custody.hdc.take_up, or the start of several.", show_default="list all"
        ),
    ] = None,
) -> None:
    """One parameter: value, unit, range, quality, source, where it is used, which scenarios change it."""
    parameters = load_parameters()
    found = parameters.find(name) if name is not None else None
    below = [p for p in parameters.values() if name is None or p.name.startswith(name.rstrip(".") + ".")]
    if found is None and below:
        for parameter in below:
            typer.echo(f"{parameter.name}: {parameter.description}")
        return
    if found is None:
        assert name is not None
        raise ScenarioError([unknown_parameter(name, parameters)])
    parameter, labels = found
    _evidence(parameter, labels)
    _uses(parameter)
    _changes(parameter, labels, parameters)


def _evidence(parameter: Parameter, labels: Labels) -> None:
    typer.echo(parameter.name)
    typer.echo(textwrap.fill(parameter.description, WIDTH, initial_indent="    ", subsequent_indent="    "))
    leaves = parameter.labels_below(labels)
    if len(leaves) > MOST_LINES:
        _wide_table(parameter, leaves)
        leaves = []
    for leaf in leaves:
        entry = f" for {'.'.join(leaf)}" if leaf else ""
        limits = ""
        if leaf in parameter.low:
            limits = f" (plausible {quote(parameter.low[leaf])} to {quote(parameter.high[leaf])})"
        if parameter.series:
            first, last = parameter.points[leaf][0], parameter.points[leaf][-1]
            count = len(parameter.points[leaf])
            shown = f"{quote(first[1])} on {first[0]} to {quote(last[1])} on {last[0]}, {count} dated values"
            limits = f", {'held until the next' if parameter.series == 'step' else 'joined by lines'}"
        else:
            shown = value_in_words(parameter, parameter.leaves[leaf])
        typer.echo(f"  value{entry}: {shown} {parameter.unit}{limits}")
    if parameter.allowed:
        typer.echo(f"  allowed: {quote(parameter.allowed[0])} to {quote(parameter.allowed[1])}")
    if parameter.choices:
        typer.echo(f"  choices: {', '.join(parameter.choices)}")
    typer.echo(f"  confidence: {parameter.confidence}, {CONFIDENCE[parameter.confidence]}")
    typer.echo(
        textwrap.fill(f"source: {parameter.source}", WIDTH, initial_indent="  ", subsequent_indent="    ")
    )
    typer.echo(f"  read by the date of: {parameter.read_on}")
    typer.echo(f"  written in: {parameter.place}")


def _wide_table(parameter: Parameter, leaves: list[Labels]) -> None:
    """One line for each first label, without plausible ranges: a long table is read across."""
    rows: dict[str, list[str]] = {}
    for leaf in leaves:
        value = value_in_words(parameter, parameter.leaves[leaf])
        rows.setdefault(leaf[0], []).append(f"{'.'.join(leaf[1:])} {value}".strip())
    typer.echo(f"  values ({parameter.unit}):")
    for label, cells in rows.items():
        text = f"{label}: {', '.join(cells)}"
        typer.echo(textwrap.fill(text, WIDTH, initial_indent="    ", subsequent_indent="      "))


def _uses(parameter: Parameter) -> None:
    found = uses([parameter.name], sorted(CODE.rglob("*.py"))).get(parameter.name, [])
    places = [f"{shown_path(path)}:{line}" for path, line in found]
    typer.echo(f"  used in: {', '.join(places) or 'no line of code'}")


def _changes(parameter: Parameter, labels: Labels, parameters: Parameters) -> None:
    lines = []
    for scenario in scenario_files():
        try:
            resolved = resolve(load_scenario(scenario), parameters, load_geography())
        except ScenarioError:
            lines.append(f"    {scenario}: can't be read; see `python run.py check {scenario}`")
            continue
        for (name, leaf), steps in resolved.changed().items():
            if name == parameter.name and leaf[: len(labels)] == labels:
                entry = f" {'.'.join(leaf)}" if leaf else ""
                lines += [f"    {scenario}{entry}: {step_in_words(step)}" for step in steps]
    typer.echo("  changed by:" + ("" if lines else " no scenario"))
    for line in lines:
        typer.echo(line)
