"""The command line: which commands there are, and how every failure is told.

Exit codes: 0 done, 1 failure, 2 bad input (nothing was run), 130 interrupted.

A command is a function with typer annotations in its own module, named in `COMMANDS`. Modules are imported
when their command is called, so that ``--help`` answers at once.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

if TYPE_CHECKING:
    from simulation.scenario.problems import Problem

TRACEBACK = "PROBATION_TRACEBACK"
"""Environment variable that shows where in the code an unexpected failure happened."""

MOST_LINES = 60
"""Problems shown at once. A file with more is broken in some way that the first ones tell."""

DEFAULT = "compare"
"""The command meant by a bare ``python run.py``."""


@dataclass(frozen=True)
class CommandEntry:
    """Where a command lives: module, function, and the line shown by ``--help``."""

    module: str
    function: str
    summary: str


COMMANDS = {
    "compare": CommandEntry(
        "compare", "compare", "Run scenarios and compare them with the first. The default."
    ),
    "sensitivity": CommandEntry(
        "sensitivity", "sensitivity", "Which parameters drive a result and a difference, with the evidence for each."
    ),
    "threshold": CommandEntry(
        "threshold", "threshold", "Where a measure crosses a value along a lever, and how it answers to it."
    ),
    "check": CommandEntry(
        "check", "check", "Check scenario files, or a results folder, without running anything."
    ),
    "list": CommandEntry(
        "list_scenarios", "list_scenarios", "Every scenario, with its question and who asked it."
    ),
    "show": CommandEntry(
        "show", "show", "The values a scenario puts in force, and which file and line set each."
    ),
    "explain": CommandEntry(
        "explain", "explain", "One parameter: value, range, source, where it is used and changed."
    ),
    "person": CommandEntry("person", "person", "One person's history, side by side under each scenario."),
    "verify": CommandEntry(
        "verify", "verify", "Is this installation right? Theory and invariance, in half a minute."
    ),
    "validate": CommandEntry(
        "validate", "validate", "Judge the model against the record: history beside published values."
    ),
    "report": CommandEntry("report", "report", "Make the report of a study again from its saved results."),
    "schema": CommandEntry("schema", "schema", "JSON Schema of scenario and parameter files, for editors."),
}


class CommandGroup(TyperGroup):
    """Finds commands by name and turns every failure into one clear message and an exit code."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """Names in the order of `COMMANDS`, without those whose module isn't there."""
        return [name for name, entry in COMMANDS.items() if importlib.util.find_spec(_module(entry))]

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]
        """Import the module of one command."""
        entry = COMMANDS.get(cmd_name)
        if entry is None or not importlib.util.find_spec(_module(entry)):
            return None
        function = getattr(importlib.import_module(_module(entry)), entry.function)
        single = typer.Typer(add_completion=False, rich_markup_mode=None)
        single.command(cmd_name)(function)
        return get_command(single)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the list of commands from their summaries, importing none of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name].summary) for name in self.list_commands(ctx)])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command meant; an unknown one is answered with the nearest."""
        if self.get_command(ctx, args[0]) is None:
            from simulation.scenario.loading import scenario_files
            from simulation.scenario.problems import Problem, ScenarioError, did_you_mean, quote

            names = self.list_commands(ctx)
            if args[0] in scenario_files() or args[0].endswith(".yaml"):
                hint = f"write `compare {args[0]}`"
                raise ScenarioError(
                    [Problem("unknown_command", f"{quote(args[0])} is a scenario", hint=hint)]
                )
            hint = did_you_mean(args[0], names) or f"the commands are {', '.join(names)}"
            raise ScenarioError(
                [Problem("unknown_command", f"there is no command {quote(args[0])}", hint=hint)]
            )
        return super().resolve_command(ctx, args)

    def main(  # type: ignore[override]
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> Any:
        """Run a command line and leave with an exit code."""
        arguments = list(sys.argv[1:] if args is None else args)
        extra["standalone_mode"] = False
        sys.exit(self._outcome(arguments or [DEFAULT], prog_name or "run.py", extra))

    def _outcome(self, arguments: list[str], name: str, extra: dict[str, Any]) -> int:
        try:
            code = super().main(args=arguments, prog_name=name, **extra)
            return code if isinstance(code, int) else 0
        except (typer.Abort, KeyboardInterrupt):
            typer.echo("Interrupted.", err=True)
            return 130
        except Exception as error:
            return _explain(error, name)


def _explain(error: Exception, name: str) -> int:
    """Say what went wrong; returns the exit code."""
    # Late, because the reader of files takes longer to import than --help to answer.
    from simulation.scenario.problems import Problem, ScenarioError

    if isinstance(error, ScenarioError):
        tell(error.problems)
        return 2
    if isinstance(error, typer.TyperException):
        # What typer found wrong with the words on the command line.
        context = getattr(error, "ctx", None)
        command = context.command_path if context is not None else name
        tell([Problem("wrong_usage", error.format_message(), hint=f"see `{command} --help`")])
        return 2
    if os.environ.get(TRACEBACK):
        traceback.print_exception(error)
    tell([Problem("failure", f"{type(error).__name__}: {error}", hint=f"set {TRACEBACK}=1 to see where")])
    return 1


def _module(entry: CommandEntry) -> str:
    return f"simulation.commands.{entry.module}"


app = typer.Typer(cls=CommandGroup, add_completion=False, rich_markup_mode=None, no_args_is_help=False)


@app.callback(epilog="Without a command, the default study is run: whole country, report at the end.")
def probation() -> None:
    """Compare what-if scenarios for the probation system of England and Wales, person by person."""


def tell(problems: Sequence[Problem]) -> None:
    """Write problems to standard error, one line each, in the order in which a reader meets them."""
    from simulation.scenario.problems import in_order

    ordered = in_order(problems)
    for problem in ordered[:MOST_LINES]:
        typer.echo(str(problem), err=True)
    if len(ordered) > MOST_LINES:
        typer.echo(f"... and {len(ordered) - MOST_LINES} more", err=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Words after ``run.py``; those of this process by default.

    Returns
    -------
    int
        Exit code: 0 done, 1 failure, 2 bad input, 130 interrupted.
    """
    for stream in (sys.stdout, sys.stderr):
        # A terminal that can't show a character gets a question mark, not a failure.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        get_command(app).main(args=None if arguments is None else list(arguments))
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else 0
    return 0
