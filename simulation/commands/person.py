"""The command ``person``: one person's history under each scenario, side by side, in plain words."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from multiprocessing import get_context
from typing import TYPE_CHECKING, Annotated

import typer

from simulation.commands.app import tell
from simulation.commands.histories import (
    Row,
    cell_in_words,
    explain,
    first_difference,
    side_by_side,
    what_changed_it,
    worth_telling,
)
from simulation.scenario import (
    Problem,
    Resolved,
    Scenario,
    ScenarioError,
    load_geography,
    load_parameters,
    load_scenario,
    resolve,
)
from simulation.scenario.problems import did_you_mean, quote
from simulation.system.tracing import (
    EXAMPLES,
    UNLIMITED,
    PersonId,
    describe,
    find_example,
    follow,
    read_id,
    row_of,
)

if TYPE_CHECKING:
    from rich.console import Console

    from simulation.system.story import Told

EXAMPLE_AREA = "gloucestershire"
"""Where examples come from: the smallest area, so that they are found soon."""

SEARCH_DAYS = 365
"""How long after the scenarios part an example may still be found, in days."""


def person(
    who: Annotated[
        str | None,
        typer.Argument(
            metavar="[ID]",
            help="Whom to follow: area-date-number, such as durham-2017-03-14-2, the second of those first convicted "
            "in Durham that day; durham-life-1 for somebody serving a life sentence at the start.",
            show_default=False,
        ),
    ] = None,
    scenarios: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SCENARIO...]",
            help="Names or files; the first is compared with. Without any, those of the default study.",
            show_default=False,
        ),
    ] = None,
    example: Annotated[
        str | None,
        typer.Option(
            metavar="KIND", help=f"Find somebody to follow instead: {', '.join(EXAMPLES)}.", show_default="recall"
        ),
    ] = None,
    area: Annotated[str | None, typer.Option(help="Where to find the example.", show_default=EXAMPLE_AREA)] = None,
    seed: Annotated[int | None, typer.Option(help="Chooses the luck.", show_default="20180701")] = None,
    replication: Annotated[int, typer.Option(help="Which of the runs with that seed, from 0.", min=0)] = 0,
    until: Annotated[
        str | None, typer.Option(metavar="DATE", help="Last day, year-month-day.", show_default=False)
    ] = None,
    every_day: Annotated[bool, typer.Option("--every-day", help="Every appointment on a line of its own.")] = False,
    why: Annotated[
        bool, typer.Option(help="Also run with unlimited officers' time, to tell policy from shared officers.")
    ] = True,
) -> None:
    """One person's history under each scenario, side by side.

    Only the person's own area is run: alone it gives what it gives within the whole country.
    """
    from rich.console import Console

    from simulation.commands.compare import DEFAULT_SCENARIOS
    from simulation.experiment import DEFAULT_SEED

    names = list(scenarios or [])
    if example is not None and who is not None:
        # With --example there is no id: what was taken for one is a scenario.
        names, who = [who, *names], None
    chosen = [load_scenario(name) for name in names or DEFAULT_SCENARIOS]
    luck = DEFAULT_SEED if seed is None else seed
    asked = Asked(chosen, luck, replication, _last_day(until))
    errors = Console(stderr=True, highlight=False)
    if who is None:
        found = _find(asked, example or "recall", area or EXAMPLE_AREA, errors)
    else:
        if area is not None:
            raise ScenarioError([Problem("wrong_usage", "--area goes with --example; an id names its own area")])
        found = read_id(who, load_geography(), chosen[0].start)
    _show(asked, found, Console(highlight=False), errors, every_day, why and len(chosen) > 1)


@dataclass(frozen=True)
class Asked:
    """What is to be run.

    Parameters
    ----------
    scenarios : list of Scenario
        The first is compared with.
    seed, replication : int
        Chance.
    until : datetime.date or None
        Last day.
    """

    scenarios: list[Scenario]
    seed: int
    replication: int
    until: date | None

    def resolve(self, area: str, unlimited: bool = False) -> list[Resolved]:
        """Return the scenarios of one area, officers' time unlimited or not."""
        parameters, geography = load_parameters(), load_geography()
        overrides = {name: value for name, value in UNLIMITED.items() if name in parameters} if unlimited else None
        return [
            resolve(scenario, parameters, geography, overrides=overrides, areas=area, until=self.until)
            for scenario in self.scenarios
        ]


def _last_day(until: str | None) -> date | None:
    if until is None:
        return None
    try:
        return date.fromisoformat(until)
    except ValueError:
        hint = "write year-month-day, such as 2019-06-30"
        raise ScenarioError([Problem("bad_date", f"--until: {quote(until)} is not a date", hint=hint)]) from None


def _find(asked: Asked, example: str, area: str, errors: Console) -> PersonId:
    """Find somebody to follow."""
    if example not in EXAMPLES:
        hint = did_you_mean(example, EXAMPLES) or f"the kinds are {', '.join(EXAMPLES)}"
        raise ScenarioError([Problem("unknown_example", f"--example: no kind is called {quote(example)}", hint=hint)])
    geography = load_geography()
    if area not in geography.areas:
        hint = did_you_mean(area, geography.areas) or "use a police force area such as 'durham'"
        text = f"--area: no police force area is called {quote(area)}"
        raise ScenarioError([Problem("unknown_area", text, hint=hint)])
    resolved = asked.resolve(area)
    parts = [when for other in resolved[1:] if (when := resolved[0].first_difference(other)) is not None]
    first = resolved[0]
    middle = min(parts) if parts else first.count_from
    until = min(first.end, date.fromordinal(middle.toordinal() + SEARCH_DAYS))
    errors.print(f"Looking in {area} for an example of: {example} ...")
    found = find_example(first, example, asked.seed, asked.replication, until)
    if found is None:
        text = f"nobody in {area} is an example of {quote(example)} by {until}"
        raise ScenarioError([Problem("no_example", text, hint="try --area with a larger area, or another --seed")])
    return found


def _show(asked: Asked, who: PersonId, console: Console, errors: Console, every_day: bool, why: bool) -> None:
    from simulation.system import Model, RunRequest

    resolved = asked.resolve(who.area)
    first = resolved[0]
    for problem_list in (scenario.warnings for scenario in resolved[:1]):
        tell(problem_list)
    model = Model(RunRequest(first, asked.seed, asked.replication))
    row = row_of(who, model)
    opening = describe(row, model)
    del model
    errors.print(
        f"Running {who.area} from {first.start} to {first.end} under {', '.join(r.name for r in resolved)}"
        + (", and again with unlimited officers' time ..." if why else " ..."),
        soft_wrap=True,
    )
    histories, unlimited = _run(asked, who, resolved, why)
    rows = side_by_side(histories, every_day)
    if unlimited is not None:
        explain(rows, unlimited)
    names = [r.name for r in resolved]
    last = max((row.last for row in rows), default=0)
    dates = [_in_words(date.fromordinal(first.start.toordinal() + day)) for day in range(last + 1)]
    console.print(f"[bold]{who.text(first.start)}[/bold]")
    console.print(opening, soft_wrap=True)
    if not rows:
        console.print(f"Nothing happens to this person from {first.start} to {first.end}.")
    parting = [day for other in histories[1:] if (day := first_difference(histories[0], other)) is not None]
    write = _table if console.is_terminal else _lines
    write(console, names, rows, dates, min(parting, default=None))
    for line in what_changed_it(names, histories, unlimited, _all_dates(first)):
        console.print(line, markup=False, soft_wrap=True)
    if len(names) > 1 and not why:
        console.print("Whether policy itself or shared officers changed the story was not asked (--no-why).")


def _all_dates(resolved: Resolved) -> list[str]:
    return [_in_words(date.fromordinal(day)) for day in range(resolved.start.toordinal(), resolved.end.toordinal() + 1)]


def _in_words(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def _run(
    asked: Asked, who: PersonId, resolved: list[Resolved], why: bool
) -> tuple[list[list[Told]], list[list[Told]] | None]:
    """Return the histories, and those with unlimited officers' time: made side by side if there are two processors."""
    if not why:
        return _follow(asked, who, resolved), None
    unlimited = asked.resolve(who.area, unlimited=True)
    if (os.cpu_count() or 1) < 2:
        return _follow(asked, who, resolved), _follow(asked, who, unlimited)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        other: Future[list[list[Told]]] = pool.submit(_follow, asked, who, unlimited)
        return _follow(asked, who, resolved), other.result()


def _follow(asked: Asked, who: PersonId, resolved: list[Resolved]) -> list[list[Told]]:
    return [worth_telling(history) for history in follow(resolved, who, asked.seed, asked.replication)]


# --- Showing ---------------------------------------------------------------------------------------------------


def _when(row: Row, dates: Sequence[str]) -> str:
    return dates[row.first] if row.first == row.last else f"{dates[row.first]} to {dates[row.last]}"


def _table(
    console: Console, names: Sequence[str], rows: Sequence[Row], dates: Sequence[str], parting: int | None
) -> None:
    """Write a table for a terminal."""
    from rich.table import Table
    from rich.text import Text

    table = Table(show_lines=False, expand=False, row_styles=["", "on grey7"], pad_edge=False)
    table.add_column("date", no_wrap=False, min_width=11, max_width=14)
    for name in names:
        table.add_column(name, ratio=1, overflow="fold")
    for row in rows:
        if parting is not None and row.first <= parting <= row.last:
            table.add_section()
            table.add_row(Text("histories part here", style="bold"), *[Text("") for _ in names])
        cells = [Text("\n".join(cell_in_words(row.cells[0])))]
        for number in range(1, len(names)):
            if not row.differs(number):
                cells.append(Text("the same", style="dim") if row.cells[0] else Text(""))
                continue
            text = Text("\n".join(cell_in_words(row.cells[number])) or "nothing")
            cause = row.causes[number] if row.causes else ""
            if cause:
                text.append(f" ({cause})", style="italic")
            cells.append(text)
        table.add_row(_when(row, dates), *cells)
    console.print(table)


def _lines(
    console: Console, names: Sequence[str], rows: Sequence[Row], dates: Sequence[str], parting: int | None
) -> None:
    """Write plain lines, for files and pipes: one for each day, or for each scenario where they differ."""
    for row in rows:
        if parting is not None and row.first <= parting <= row.last:
            typer.echo("--- histories part here ---")
        when = _when(row, dates)
        if not any(row.differs(number) for number in range(1, len(names))):
            typer.echo(f"{when}: {'; '.join(cell_in_words(row.cells[0]))}")
            continue
        typer.echo(f"{when}:")
        for number, name in enumerate(names):
            cause = f" ({row.causes[number]})" if row.causes and row.causes[number] else ""
            same = number and not row.differs(number)
            words = "; ".join(cell_in_words(row.cells[number])) or "nothing"
            if same and row.cells[0]:
                words = "the same"
            typer.echo(f"    {name}: {words}{cause}")
