"""The command ``show``: what a scenario puts in force, and which file and line set each value."""

from __future__ import annotations

import datetime
from typing import Annotated

import numpy as np
import typer

from simulation.commands.app import tell
from simulation.commands.wording import step_in_words, value_in_words
from simulation.scenario import (
    Parameter,
    Problem,
    Resolved,
    ScenarioError,
    load_geography,
    load_parameters,
    load_scenario,
    resolve,
)
from simulation.scenario.parameters import Labels
from simulation.scenario.problems import did_you_mean, quote


def show(
    scenario: Annotated[str, typer.Argument(help="Name of a scenario, or a file.", show_default=False)],
    subsystem: Annotated[
        str | None, typer.Argument(help="Only names that begin so, such as custody.hdc.", show_default="all")
    ] = None,
    on: Annotated[
        str | None, typer.Option(help="Date of the values.", show_default="last day of the run")
    ] = None,
    changed: Annotated[bool, typer.Option("--changed", help="Only what the scenario changes.")] = False,
) -> None:
    """The values in force under a scenario, and the file and line that set each."""
    parameters = load_parameters()
    resolved = resolve(load_scenario(scenario, parameters), parameters, load_geography())
    tell(resolved.warnings)
    day = _day(resolved, on)
    chosen = [parameter for parameter in parameters.values() if _begins(parameter.name, subsystem)]
    if not chosen:
        starts = {".".join(name.split(".")[:n]) for name in parameters for n in range(1, name.count(".") + 2)}
        hint = did_you_mean(subsystem or "", starts)
        raise ScenarioError(
            [Problem("unknown_parameter", f"no name begins with {quote(subsystem)}", hint=hint)]
        )
    where = (
        "all areas"
        if len(resolved.areas) == len(resolved.geography.areas)
        else f"{len(resolved.areas)} areas"
    )
    typer.echo(f"{resolved.title} ({resolved.name})")
    typer.echo(f"{resolved.start} to {resolved.end}, counted from {resolved.count_from}, {where}")
    typer.echo(f"Values on {resolved.date(day)}:")
    steps = resolved.changed()
    for parameter in chosen:
        for labels in parameter.leaves:
            own = steps.get((parameter.name, labels), ())
            if changed and not own:
                continue
            shown = ".".join((parameter.name, *labels))
            value = _value(resolved, parameter, labels, day)
            typer.echo(f"{shown} = {value} {parameter.unit}".rstrip() + f"  [{parameter.place}]")
            for step in own:
                typer.echo(f"    {step_in_words(step)}")


def _begins(name: str, start: str | None) -> bool:
    return start is None or name == start or name.startswith(start.rstrip(".") + ".")


def _day(resolved: Resolved, on: str | None) -> int:
    if on is None:
        return resolved.day_number(resolved.end)
    try:
        date = datetime.date.fromisoformat(on)
    except ValueError:
        hint = "write year-month-day, such as 2018-07-01"
        raise ScenarioError([Problem("bad_date", f"--on: {quote(on)} is not a date", hint=hint)]) from None
    if not resolved.start <= date <= resolved.end:
        text = f"--on: {date} is outside the run from {resolved.start} to {resolved.end}"
        raise ScenarioError([Problem("date_outside_run", text)])
    return resolved.day_number(date)


def _value(resolved: Resolved, parameter: Parameter, labels: Labels, day: int) -> str:
    grid = resolved.value_grid((parameter.name, labels), day)
    values = sorted(set(grid.ravel().tolist()))
    if len(values) == 1:
        return value_in_words(parameter, values[0])
    cells = [f"{value_in_words(parameter, v)} in {int(np.count_nonzero(grid == v))}" for v in values]
    return f"{', '.join(cells)} of {grid.size} area sides;"
