"""The command ``verify``: is this installation right? Theory and invariance, in half a minute."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from simulation.scenario import ScenarioError, load_geography

if TYPE_CHECKING:
    from simulation.evidence.laws import Law

AREA, OTHER = "gwent", "gloucestershire"
"""Small areas to try the model on."""


def verify(
    area: Annotated[str, typer.Option(help="Police force area to try the model on.")] = AREA,
    seed: Annotated[int, typer.Option(help="Chooses the luck of the short runs.")] = 20180701,
) -> None:
    """Check that this installation is right: theory with known answers, and the same bytes however it is run."""
    geography = load_geography()
    if area not in geography.areas:
        raise ScenarioError([geography.unknown_area(area)])
    other = OTHER if area != OTHER else AREA
    if not _check(area, other, seed):
        raise typer.Exit(1)


def _check(area: str, other: str, seed: int) -> bool:
    """Try every law, show them, and say whether all hold."""
    from rich.console import Console

    began = time.monotonic()
    Console(stderr=True).print("Checking; this takes about half a minute ...")
    # Only now: `run.py --help` needs none of it.
    from simulation.evidence import everything

    laws = everything.all_laws(area, other, seed)
    _show(laws)
    broken = sum(not one.ok for one in laws)
    took = f"{time.monotonic() - began:.0f} s"
    if broken:
        typer.echo(f"{broken} of {len(laws)} laws broken ({took}): don't rely on these results.", err=True)
        return False
    typer.echo(f"All {len(laws)} laws hold ({took}).")
    return True


def _show(laws: list[Law]) -> None:
    """Write a table on a terminal, and one line a law elsewhere."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    if not console.is_terminal:
        for one in laws:
            typer.echo(f"{'ok    ' if one.ok else 'BROKEN'}  {one.name}: expected {one.expected}; seen {one.seen}")
        return
    table = Table("law", "expected", "seen", "")
    for one in laws:
        table.add_row(
            one.name, one.expected, one.seen, "[green]ok[/green]" if one.ok else "[bold red]BROKEN[/bold red]"
        )
    console.print(table)
