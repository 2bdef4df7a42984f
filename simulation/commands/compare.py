"""The command ``compare``: run scenarios in pairs that share their luck, and say what differs.

Without scenarios it runs the default study: the whole country as it was, reunified, and with more home
detention curfew.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from simulation.experiment import Study, StudyResult

DEFAULT_SCENARIOS = ("baseline", "reunification", "hdc_expansion")
"""Scenarios of the default study; the first is the baseline."""

DEFAULT_FOLDER = Path("results") / "default"
"""Where the default study goes."""


def compare(
    scenarios: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SCENARIO...]",
            help="Names or files; the first is the baseline. Without any, the default study.",
            show_default=False,
        ),
    ] = None,
    areas: Annotated[
        list[str] | None,
        typer.Option(
            help="Areas, regions, trusts or providers, parted by commas; the whole country by default.",
            show_default=False,
        ),
    ] = None,
    replications: Annotated[
        int | None, typer.Option(help="Runs of each scenario, each with other luck.", show_default="5")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Chooses the luck.", show_default="20180701")] = None,
    workers: Annotated[
        int | None,
        typer.Option(help="Processes at work; never changes a result.", show_default="one each processor"),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS|FILE",
            help="Run on a Dask cluster: tcp://host:8786 or a deployment file (docs/cluster.md).",
            show_default=False,
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Last day, year-month-day, to stop early.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder for the results.", show_default="results/ and the names"),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            metavar="GROUPS",
            help="Also show who gains and who loses by sex, age, sentence, tier, area_kind or officer.",
            show_default=False,
        ),
    ] = None,
    effects: Annotated[
        bool,
        typer.Option(
            "--effects",
            help="Also show the differences if supervision changed what people do; takes twice as long.",
        ),
    ] = False,
    precision: Annotated[
        str | None,
        typer.Option(
            metavar="AMOUNT",
            help="Add runs until half of each headline's interval is at most this: a share of the difference (0.05), "
            "or amounts by name (recalls_year=50,unseen_share=5%).",
            show_default=False,
        ),
    ] = None,
    most_replications: Annotated[
        int | None,
        typer.Option(help="With --precision, stop at so many runs of each scenario.", show_default="100"),
    ] = None,
    draws: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="Sets of parameters: the central values, and N less one drawn from the ranges. Takes N times as long.",
            show_default="1, the central values",
        ),
    ] = 1,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Make every run anew; take none from studies in folders beside this one.")
    ] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Write over another study in that folder.")] = False,
) -> None:
    """Run scenarios and compare them with the first; without any, run the default study."""
    from simulation.experiment import DEFAULT_REPLICATIONS, DEFAULT_SEED, Study

    chosen = tuple(scenarios or DEFAULT_SCENARIOS)
    study = Study(
        chosen,
        areas=areas,
        replications=DEFAULT_REPLICATIONS if replications is None else replications,
        seed=DEFAULT_SEED if seed is None else seed,
        workers=workers,
        out=DEFAULT_FOLDER if out is None and not scenarios else out,
        until=until,
        replace=replace,
        split=split,
        effects=effects,
        precision=precision,
        most_replications=most_replications,
        cluster=cluster,
        draws=draws,
        reuse=not fresh,
    )
    code = run_and_tell(study)
    if code:
        raise typer.Exit(code)


def default_study() -> None:
    """Run the default study, as a bare ``python run.py`` does."""
    compare()


def run_and_tell(study: Study) -> int:
    """Run a study and print what came of it.

    Parameters
    ----------
    study : Study
        The study.

    Returns
    -------
    int
        Exit code: 0 done, 1 a run or the report failed, 2 it can't be run as asked, 130 interrupted.
    """
    from rich.console import Console

    from simulation.experiment import StudyError, StudyFailed

    try:
        result = study.run()
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
            "\nInterrupted. Finished runs are kept: give the same command again to go on from there.",
            err=True,
        )
        return 130
    print_headlines(result, Console())
    if asked := result.manifest.get("precision"):
        typer.echo("\n  ".join([asked["finding"], *asked["not_reached"]]))
    return _write_report(result)


def _write_report(result: StudyResult) -> int:
    """Write the page of a study and say where it and everything else is."""
    from simulation.report import build_report

    try:
        page = build_report(result.folder)
    except Exception as error:
        # The results are safe, so the reader is told of them too.
        typer.echo(f"The report could not be written: {type(error).__name__}: {error}", err=True)
        typer.echo(f"Results: {result.folder.as_posix()} (fingerprint {result.fingerprint})")
        return 1
    typer.echo(f"Report: {page.as_posix()} (fingerprint {result.fingerprint})")
    return 0


def print_headlines(result: StudyResult, console: Console) -> None:
    """Print the headline differences of a study, then a sentence for each.

    Parameters
    ----------
    result : StudyResult
        A finished study.
    console : rich.console.Console
        A terminal gets a table with rules, anything else columns of plain text.
    """
    headlines = result.headlines
    for scenario in result.manifest["scenarios"][1:]:
        rows = headlines.filter(headlines["scenario"] == scenario["name"]).to_dicts()
        if not rows:
            continue
        baseline = result.manifest["baseline"]
        months = f"{rows[0]['first_month']} to {rows[0]['last_month']}"
        title = f"{scenario['title'] or scenario['name']}: difference from {baseline}, {months}"
        if scenario["impact_date"] is None:
            title += " (the two never differ in this time)"
        header = ("Measure", "Unit", baseline, scenario["name"], "Difference", "95% interval", "Pairs agree")
        body = [_cells(row) for row in rows]
        if console.is_terminal:
            _print_table(console, title, header, body)
        else:
            _print_columns(console, title, header, body)
        for row in rows:
            # What a scenario acts on directly comes first, and isn't a finding.
            said = row["finding"] if row["headline"] else f"What the change itself does: {row['finding']}"
            console.print(f"  {said}", markup=False, highlight=False, soft_wrap=not console.is_terminal)
        console.print()
    if len(result.manifest["scenarios"]) == 1:
        console.print("Only one scenario was run, so there is nothing to compare.", highlight=False)


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    from simulation.experiment.findings import interval_words, number_words

    def words(value: float | None, like: float | None = None) -> str:
        return "-" if value is None else number_words(value, like)

    interval, like = "-", None
    if row["low"] is not None:
        like = max(abs(row["low"]), abs(row["high"]))
        interval = interval_words(row["low"], row["high"])
    return (
        row["title"],
        row["unit"],
        words(row["baseline"]),
        words(row["value"]),
        words(row["difference"], like),
        interval,
        f"{row['sign_agreement']} of {row['replications']}",
    )


def _print_table(console: Console, title: str, header: Sequence[str], body: Sequence[Sequence[str]]) -> None:
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for position, name in enumerate(header):
        table.add_column(name, justify="left" if position < 2 else "right")
    for row in body:
        table.add_row(*row)
    console.print(table)


def _print_columns(console: Console, title: str, header: Sequence[str], body: Sequence[Sequence[str]]) -> None:
    lines = [tuple(header), *(tuple(row) for row in body)]
    widths = [max(len(line[position]) for line in lines) for position in range(len(header))]
    console.print(title, markup=False, highlight=False, soft_wrap=True)
    for line in lines:
        cells = [
            cell.ljust(width) if position < 2 else cell.rjust(width)
            for position, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        console.print("  ".join(cells).rstrip(), markup=False, highlight=False, soft_wrap=True)
    console.print()
