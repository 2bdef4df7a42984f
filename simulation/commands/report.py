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
    """Write report.html again from the files of a study; nothing is run."""
    # Late, so that --help need not wait for the drawing library.
    from simulation.report import StudyError, build_report
    from simulation.report.threshold import build_threshold_page

    try:
        # A folder in which a threshold was looked for has a page of its own.
        page = (build_threshold_page if (folder / "crossings.csv").is_file() else build_report)(folder)
    except StudyError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    typer.echo(f"Report written: {page}")
