"""The command ``threshold``: where a measure crosses a value along a lever, and how it answers to the lever.

Without arguments it asks of the default study's baseline, for a few areas and years, how many times as fast officers
would have to leave until a quarter of those in post are above 110% of their capacity.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from simulation.experiment.threshold import ThresholdResult, ThresholdSearch

DEFAULT_LEVER = "staff.leaving_multiplier"
DEFAULT_RANGE = (0.5, 4.0)
"""Wider than the evidence: the question is where it tips, also where nobody has been."""

DEFAULT_MEASURE = "officers_over_110_share"
DEFAULT_CROSSES = 25.0
DEFAULT_AREAS = ("wales",)
"""Four areas: a run of them takes a tenth of the time of a national one."""

DEFAULT_UNTIL = "2019-12-31"
DEFAULT_FOLDER = Path("results") / "threshold"


def threshold(
    scenario: Annotated[
        str | None,
        typer.Argument(
            metavar="[SCENARIO]",
            help="Name or file of the scenario in which the lever is moved.",
            show_default="baseline",
        ),
    ] = None,
    lever: Annotated[
        str | None,
        typer.Option(
            help="Parameter, entry of a table, or 'dose' for a part of the scenario's own changes. Without one, "
            "the default question at a reduced scale.",
            show_default=False,
        ),
    ] = None,
    measure: Annotated[
        str | None, typer.Option(help="Measure looked at.", show_default=DEFAULT_MEASURE)
    ] = None,
    crosses: Annotated[
        float | None, typer.Option(help="Value that the measure should cross.", show_default=False)
    ] = None,
    difference: Annotated[
        float | None,
        typer.Option(help="Value that its difference from the baseline should cross instead.", show_default=False),
    ] = None,
    low: Annotated[
        float | None, typer.Option("--from", help="Low end of the lever.", show_default="that of its evidence")
    ] = None,
    high: Annotated[
        float | None, typer.Option("--to", help="High end of the lever.", show_default="that of its evidence")
    ] = None,
    lever2: Annotated[
        str | None, typer.Option(help="A second lever: a grid of both, and a contour.", show_default=False)
    ] = None,
    low2: Annotated[float | None, typer.Option("--from2", help="Low end of the second.", show_default=False)] = None,
    high2: Annotated[float | None, typer.Option("--to2", help="High end of the second.", show_default=False)] = None,
    baseline: Annotated[str, typer.Option(help="Scenario compared with.")] = "baseline",
    points: Annotated[
        int | None, typer.Option(help="Values of each lever to begin with.", show_default="8, or 5 of each of two")
    ] = None,
    areas: Annotated[
        list[str] | None,
        typer.Option(
            help="Areas, regions, trusts or providers, parted by commas; the whole country by default.",
            show_default=False,
        ),
    ] = None,
    replications: Annotated[
        int | None, typer.Option(help="Runs at each value, each with other luck.", show_default="5")
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Last day, year-month-day, to stop early.", show_default=False),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Chooses the luck.", show_default="20180701")] = None,
    workers: Annotated[
        int | None,
        typer.Option(help="Processes at work; never changes a result.", show_default="one each processor"),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder for the results.", show_default="results/ and the names"),
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Write over another study in that folder.")] = False,
) -> None:
    """Find where a measure crosses a value along a lever, with interval; or along two."""
    from simulation.experiment import DEFAULT_REPLICATIONS, DEFAULT_SEED
    from simulation.experiment.threshold import ThresholdSearch

    default = lever is None and scenario is None
    if lever is None and not default:
        typer.echo("error: Name the lever with --lever; `python run.py explain` lists every parameter.", err=True)
        typer.echo("Nothing was run.", err=True)
        raise typer.Exit(2)
    if default:
        low, high = (given if given is not None else end for given, end in zip((low, high), DEFAULT_RANGE, strict=True))
        areas, until = areas or list(DEFAULT_AREAS), until or DEFAULT_UNTIL
        out = DEFAULT_FOLDER if out is None else out
        if crosses is None and difference is None and measure is None:
            crosses = DEFAULT_CROSSES
    search = ThresholdSearch(
        lever or DEFAULT_LEVER,
        measure or DEFAULT_MEASURE,
        scenario=scenario or baseline,
        crosses=crosses,
        difference=difference,
        low=low,
        high=high,
        lever2=lever2,
        low2=low2,
        high2=high2,
        baseline=baseline,
        points=points,
        areas=areas,
        replications=DEFAULT_REPLICATIONS if replications is None else replications,
        seed=DEFAULT_SEED if seed is None else seed,
        workers=workers,
        out=out,
        until=until,
        replace=replace,
    )
    code = run_and_tell(search)
    if code:
        raise typer.Exit(code)


def run_and_tell(search: ThresholdSearch) -> int:
    """Run a search and say what came of it.

    Returns
    -------
    int
        Exit code: 0 done, 1 a run or the page failed, 2 it can't be run as asked, 130 interrupted.
    """
    from simulation.experiment import StudyError, StudyFailed

    try:
        result = search.run()
    except StudyError as error:
        for problem in error.problems:
            typer.echo(f"error: {problem}", err=True)
        typer.echo("Nothing was run.", err=True)
        return 2
    except StudyFailed as error:
        for failure in error.failures:
            typer.echo(f"failed: {failure}", err=True)
        typer.echo(str(error), err=True)
        if error.failures:
            typer.echo("Give the same command again to make the missing runs.", err=True)
        return 1
    except KeyboardInterrupt:
        typer.echo(
            "\nInterrupted. Finished runs are kept: give the same command again to go on from there.", err=True
        )
        return 130
    return _tell(result)


def _tell(result: ThresholdResult) -> int:
    """Print the finding, write the page and say where it is."""
    from simulation.report.threshold import build_threshold_page

    for sentence in filter(None, (result.finding, result.shape)):
        typer.echo(sentence)
    try:
        page = build_threshold_page(result.folder)
    except Exception as error:
        # The results are safe, so the reader is told of them too.
        typer.echo(f"The page could not be written: {type(error).__name__}: {error}", err=True)
        typer.echo(f"Results: {result.folder.as_posix()}")
        return 1
    typer.echo(f"Page: {page.as_posix()}")
    return 0
