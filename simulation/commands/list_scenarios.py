"""The command ``list``: every scenario with its question."""

from __future__ import annotations

import textwrap

import typer

from simulation.commands.app import tell
from simulation.scenario.loading import read_scenario, scenario_files
from simulation.scenario.problems import errors

WIDTH = 100


def list_scenarios() -> None:
    """Every scenario in scenarios/, with its question and who asked it."""
    problems = []
    for name in scenario_files():
        scenario, found = read_scenario(name)
        problems += errors(found)
        if scenario is None:
            continue
        typer.echo(f"{name}: {scenario.title}")
        for label, text in (("", scenario.question), ("Asked by: ", scenario.asked_by)):
            if text:
                typer.echo(
                    textwrap.fill(label + text, WIDTH, initial_indent="    ", subsequent_indent="    ")
                )
    if problems:
        tell(problems)
        raise typer.Exit(2)
