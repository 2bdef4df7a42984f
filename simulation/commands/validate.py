"""The command ``validate``: the history run beside published values. Nothing is tuned."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from simulation.evidence.validation import Judged

TARGETS = Path(__file__).resolve().parents[2] / "scenarios" / "data" / "evidence" / "calibration_targets.csv"
"""Published values up to 2017."""

FOLDER = Path("results") / "history"
"""Where the runs and the table go."""


def validate(
    targets: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Published values, a CSV file.", show_default="calibration_targets.csv"),
    ] = None,
    replications: Annotated[int, typer.Option(help="Runs, each with other luck.")] = 5,
    seed: Annotated[int | None, typer.Option(help="Chooses the luck.", show_default="20180701")] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes at work.", show_default="one each processor")
    ] = None,
    areas: Annotated[
        list[str] | None,
        typer.Option(help="Some areas, scaled to the country: quick and rough.", show_default=False),
    ] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the results.")] = FOLDER,
    replace: Annotated[bool, typer.Option("--replace", help="Write over another study in that folder.")] = False,
) -> None:
    """Run history and hold it beside published values, failures first."""
    import polars as pl

    from simulation.evidence.record_periods import all_periods, produced, published_table
    from simulation.evidence.validation import judge, record_of, summary, table
    from simulation.experiment import DEFAULT_SEED, Study, StudyError, StudyFailed
    from simulation.experiment.runfiles import run_path, write_atomically
    from simulation.measures.published import read_targets, values
    from simulation.scenario import load_geography, load_scenario
    from simulation.system.demand import area_shares

    try:
        wanted = read_targets(TARGETS if targets is None else targets)
    except (OSError, ValueError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    study = Study(
        ["history"],
        areas=areas,
        replications=replications,
        seed=DEFAULT_SEED if seed is None else seed,
        workers=workers,
        out=out,
        replace=replace,
    )
    try:
        result = study.run()
    except StudyError as error:
        for problem in error.problems:
            typer.echo(f"error: {problem}", err=True)
        typer.echo("Nothing was run.", err=True)
        raise typer.Exit(2) from None
    except StudyFailed as error:
        typer.echo("\n".join([*(f"failed: {failure}" for failure in error.failures), str(error)]), err=True)
        raise typer.Exit(1) from None
    geography = load_geography()
    part = float(area_shares(geography)[list(geography.resolve(result.manifest["areas"]))].sum())
    keys = [run["key"] for run in result.manifest["runs"]]
    history = load_scenario("history")
    periods = all_periods(history.start, history.end, wanted)
    simulated, runs = [], []
    for key in keys:
        record = record_of(pl.read_parquet(run_path(result.folder, key)), part)
        simulated.append(values(record, wanted))
        runs.append(produced(record, periods, wanted))
    judged = judge(wanted, simulated)
    write_atomically(result.folder / "published.csv", published_table(periods, runs).write_csv().encode("utf-8"))
    path = result.folder / "validation.csv"
    write_atomically(path, table(judged).write_csv().encode("utf-8"))
    _show(judged)
    if part < 1:
        typer.echo(f"Only {part:.1%} of the country was run and scaled up: read nothing into single values.")
    typer.echo(summary(judged))
    typer.echo(f"Table: {path.as_posix()} (fingerprint {result.fingerprint})")
    typer.echo(f"Every published measure by period: {(result.folder / 'published.csv').as_posix()}")


def _show(judged: list[Judged]) -> None:
    """Write one line a value."""
    words_of_header = ["", "id", "measure", "period", "published", "simulated", "80% of runs", "95% of runs", "error"]
    lines = [[*words_of_header, "allowed", "no change", "line"]]
    words = {True: "ok", False: "MISS", None: "-"}
    for each in judged:
        target = each.target
        period = target.end.isoformat() if target.start == target.end else f"{target.start} to {target.end}"
        low, high = (_number(end) for end in (target.low, target.high))
        lines.append(
            [
                words[each.inside],
                target.id,
                target.measure,
                period,
                _number(target.value),
                _number(each.median),
                _band(each.low_80, each.high_80),
                _band(each.low_95, each.high_95),
                _number(each.error),
                f"{low} to {high}",
                _number(each.no_change),
                _number(each.straight_line),
            ]
        )
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    for line in lines:
        typer.echo("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())
    for reason in dict.fromkeys(each.reason for each in judged if each.reason):
        names = dict.fromkeys(each.target.measure for each in judged if each.reason == reason)
        typer.echo(f"No value for {', '.join(names)}: {reason}")


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.3f}" if abs(value) < 2 else f"{value:,.1f}" if abs(value) < 200 else f"{value:,.0f}"


def _band(low: float | None, high: float | None) -> str:
    return "-" if low is None else f"{_number(low)} to {_number(high)}"
