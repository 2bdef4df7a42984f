"""The command ``sensitivity``: which parameters drive a level and a difference, with the evidence beside each.

Without scenarios it takes the default study's baseline and its first scenario at a reduced scale, so that it is done in
some minutes on two processors.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DEFAULT_AREAS = ["gwent"]
"""One small area: a run of it takes about a second."""

DEFAULT_UNTIL = "2018-12-31"
"""Half a year after the day on which the scenarios of the default study differ."""


def sensitivity(
    scenarios: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SCENARIO...]",
            help="Names or files; the first is the baseline. Without any, the default study's first two, for one "
            f"area ({DEFAULT_AREAS[0]}) until {DEFAULT_UNTIL}.",
            show_default=False,
        ),
    ] = None,
    areas: Annotated[
        list[str] | None,
        typer.Option(
            help="Areas, regions, trusts or providers, parted by commas.",
            show_default="those of the scenarios, or gwent without any",
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="DATE",
            help="Last day, year-month-day.",
            show_default=f"the scenarios' own, or {DEFAULT_UNTIL} without any",
        ),
    ] = None,
    method: Annotated[
        str, typer.Option(help="morris: screening alone; sobol: screening, then indices of those that matter.")
    ] = "sobol",
    parameters: Annotated[
        str | None,
        typer.Option(
            metavar="NAMES",
            help="Names or patterns such as 'staff.*', parted by commas.",
            show_default="all with a range that aren't levers",
        ),
    ] = None,
    trajectories: Annotated[int, typer.Option(metavar="N", help="Trajectories of the closer look.")] = 3,
    keep: Annotated[int, typer.Option(metavar="K", help="Parameters looked at closely after the first pass.")] = 10,
    top: Annotated[int, typer.Option(metavar="K", help="Parameters of which indices are made.")] = 3,
    samples: Annotated[
        int, typer.Option(metavar="N", help="Base samples of the indices, a power of two; N x (K + 2) points are run.")
    ] = 16,
    measure: Annotated[
        str, typer.Option(help="Measure of the chart; the tables hold every headline.")
    ] = "officers_over_110_share",
    replications: Annotated[
        int, typer.Option(help="Runs at each point of the closer look; two or more, or luck is not measured.")
    ] = 2,
    seed: Annotated[int | None, typer.Option(help="Chooses the luck and the points.", show_default="20180701")] = None,
    workers: Annotated[
        int | None,
        typer.Option(help="Processes at work; never changes a result.", show_default="one each processor"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for the results.", show_default="results/sensitivity")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Write over another study in that folder.")] = False,
) -> None:
    """Say which parameters drive a result and a difference, and by how much."""
    from simulation.commands.compare import DEFAULT_SCENARIOS
    from simulation.experiment import DEFAULT_SEED, StudyError, StudyFailed
    from simulation.experiment.sensitivity import SensitivityStudy, check_measure

    study = SensitivityStudy(
        tuple(scenarios or DEFAULT_SCENARIOS[:2]),
        areas=areas if areas or scenarios else DEFAULT_AREAS,
        replications=replications,
        seed=DEFAULT_SEED if seed is None else seed,
        workers=workers,
        out=out,
        until=until if until or scenarios else DEFAULT_UNTIL,
        replace=replace,
        method=method,
        parameters=parameters,
        trajectories=trajectories,
        keep=keep,
        top=top,
        samples=samples,
    )
    try:
        check_measure(measure)
        folder = study.run()
    except StudyError as error:
        for problem in error.problems:
            typer.echo(f"error: {problem}", err=True)
        typer.echo("Nothing was run.", err=True)
        raise typer.Exit(2) from None
    except StudyFailed as error:
        for failure in error.failures:
            typer.echo(f"failed: {failure}", err=True)
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        typer.echo(
            "\nInterrupted. Finished runs are kept: give the same command again to go on from there.", err=True
        )
        raise typer.Exit(130) from None
    _tell(folder, measure)


def _tell(folder: Path, measure: str) -> None:
    """Print the strongest parameters, write the page and say where everything is."""
    from simulation.report.sensitivity import SensitivityFolder, build_sensitivity_page

    for part in SensitivityFolder.read(folder).parts_of(measure):
        typer.echo(part.title)
        for line in part.lines[:8]:
            typer.echo(f"  {line}")
        typer.echo("")
    page = build_sensitivity_page(folder, measure)
    typer.echo(f"Page: {page.as_posix()}")
