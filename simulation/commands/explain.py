"""The command ``explain``: one parameter, its evidence, its users and the scenarios that change it."""

from __future__ import annotations

import re
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

WIDTH = 100
CODE = Path(__file__).resolve().parents[1]


def explain(
    name: Annotated[
        str | None,
        typer.Argument(help="Name of a parameter, such as custody.hdc.take_up.", show_default="list all"),
    ] = None,
) -> None:
    """One parameter: value, unit, range, quality, source, where it is used, which scenarios change it."""
    parameters = load_parameters()
    if name is None:
        for parameter in parameters.values():
            typer.echo(f"{parameter.name}: {parameter.description}")
        return
    found = parameters.find(name)
    if found is None:
        raise ScenarioError([unknown_parameter(name, parameters)])
    parameter, labels = found
    _evidence(parameter, labels)
    _uses(parameter)
    _changes(parameter, labels, parameters)


def _evidence(parameter: Parameter, labels: Labels) -> None:
    typer.echo(parameter.name)
    typer.echo(textwrap.fill(parameter.description, WIDTH, initial_indent="    ", subsequent_indent="    "))
    for leaf in parameter.labels_below(labels):
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


def _uses(parameter: Parameter) -> None:
    pattern = re.compile(rf"""["']{re.escape(parameter.name)}["']""")
    places = [
        f"{shown_path(path)}:{number}"
        for path in sorted(CODE.rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if pattern.search(line)
    ]
    typer.echo(f"  used in: {', '.join(places) or 'no line of code names it in full'}")


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
