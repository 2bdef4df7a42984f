"""The command ``report``: write a study's page again from its files, without running anything."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    folder: Annotated[
        Path, typer.Argument(help="Folder of a study, for example results/default.", show_default=False)
    ],
) -> None:
    """Write the page of a study again from its files; nothing is run."""
    # Late, so that --help need not wait for the drawing library.
    from simulation.report import StudyError, build_report
    from simulation.report.sensitivity import build_sensitivity_page, is_sensitivity
    from simulation.report.threshold import build_threshold_page

    try:
        # What drives a result, and where it tips, have pages of their own.
        if is_sensitivity(folder):
            page = build_sensitivity_page(folder)
        elif (folder / "crossings.csv").is_file():
            page = build_threshold_page(folder)
        else:
            page = build_report(folder)
    except StudyError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    typer.echo(f"Report written: {page}")
