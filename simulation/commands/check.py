"""The command ``check``: are these files right? Nothing is run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from simulation.commands.app import tell
from simulation.scenario import Parameters, Resolved, ScenarioError, load_geography, read_parameters, resolve
from simulation.scenario.loading import read_scenario, scenario_files
from simulation.scenario.parameter_files import FOLDER as PARAMETERS
from simulation.scenario.problems import Problem, errors

EARLIEST_CHANGE_DAYS = 180
"""A change sooner than this leaves too little of the run to show that nothing moves before it."""


def check(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SCENARIO or RESULTS]...", help="Names, files or results folders; all by default."
        ),
    ] = None,
    parameters: Annotated[
        Path | None, typer.Option(help="Folder of parameter files.", show_default="scenarios/parameters")
    ] = None,
) -> None:
    """Check scenario files and parameters, or whether a results folder is as it was written."""
    values, problems = read_parameters(parameters or PARAMETERS)
    parameters_are_wrong = bool(errors(problems))
    sound = [] if parameters_are_wrong else [f"parameters: {len(values)} values, all with a source"]
    for name in names if names else scenario_files():
        if _holds_results(Path(name)):
            found, line = _check_results(name)
        else:
            found, line = _check_scenario(name, values, parameters_are_wrong)
        problems = [*problems, *found]
        if line:
            sound.append(line)
    for line in sound:
        typer.echo(line)
    tell(problems)
    if errors(problems):
        count = len(errors(problems))
        typer.echo(f"{count} {'problem' if count == 1 else 'problems'}; nothing was run.", err=True)
        raise typer.Exit(2)


def _holds_results(path: Path) -> bool:
    try:
        return (path / "manifest.json").is_file()
    except (OSError, ValueError):
        # No name of a file at all; reading it as a scenario then says so.
        return False


def _check_scenario(name: str, values: Parameters, parameters_are_wrong: bool) -> tuple[list[Problem], str]:
    # With broken parameters every name would look unknown, so only the shape of the file is judged.
    scenario, problems = read_scenario(name, None if parameters_are_wrong else values)
    if scenario is None or errors(problems) or parameters_are_wrong:
        return problems, ""
    try:
        resolved = resolve(scenario, values, load_geography())
    except ScenarioError as error:
        return [*problems, *error.problems], ""
    from simulation.system.reach import problems_with

    unreachable = problems_with(resolved)
    if unreachable:
        return [*problems, *unreachable], ""
    return [*problems, *resolved.warnings, *_too_early(resolved)], _summary(resolved)


def _too_early(resolved: Resolved) -> list[Problem]:
    return [
        Problem(
            "early_change",
            f"a change on {change.start}, less than {EARLIEST_CHANGE_DAYS} days into the run",
            change.file,
            change.line,
            change.column,
            severity="warning",
        )
        for change in resolved.scenario.changes
        if (change.start - resolved.start).days < EARLIEST_CHANGE_DAYS
    ]


def _summary(resolved: Resolved) -> str:
    count = len(resolved.scenario.changes)
    first = min((change.start for change in resolved.scenario.changes), default=None)
    changes = (
        f"{count} {'change' if count == 1 else 'changes'}, the first on {first}" if first else "no changes"
    )
    return f"{resolved.name}: {resolved.start} to {resolved.end}, {len(resolved.areas)} areas, {changes}"


def _check_results(name: str) -> tuple[list[Problem], str]:
    from simulation.experiment.manifest import verify_folder

    problems = [Problem("results_differ", text, name) for text in verify_folder(name)]
    return problems, "" if problems else f"{name}: every file is as its manifest says"
