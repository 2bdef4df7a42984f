"""What is wrong with an input file, said so that the reader can mend it."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

_LONGEST_QUOTE = 60

ENOUGH = 200
"""Problems of one file after which no more names are looked up: to find the nearest of each takes milliseconds."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong, and where.

    Parameters
    ----------
    code : str
        Stable short name such as ``unknown_key``; tests and scripts may rely on it.
    message : str
        What is wrong, in plain words, with what is allowed.
    file : str
        File as the reader would name it; empty when the input was no file.
    line, column : int
        Counted from 1; 0 when the problem belongs to the whole file.
    hint : str
        What to do about it, often the nearest valid name; may be empty.
    severity : {"error", "warning"}
        A warning never stops a run.
    """

    code: str
    message: str
    file: str = ""
    line: int = 0
    column: int = 0
    hint: str = ""
    severity: Literal["error", "warning"] = "error"

    @property
    def place(self) -> str:
        """``file:line:column``, as editors and terminals recognise it."""
        parts = [self.file] if self.file else []
        if self.line:
            parts += [str(self.line), str(self.column)]
        return ":".join(parts)

    def __str__(self) -> str:
        start = f"{self.place}: " if self.place else ""
        warning = "warning: " if self.severity == "warning" else ""
        end = f" ({self.hint})" if self.hint else ""
        return _printable(f"{start}{warning}[{self.code}] {self.message}{end}")


class ScenarioError(Exception):
    """Raised when input files can't be used; carries every problem found, not only the first.

    Parameters
    ----------
    problems : iterable of Problem
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[type[ScenarioError], tuple[list[Problem]]]:
        return (ScenarioError, (self.problems,))


def errors(problems: Iterable[Problem]) -> list[Problem]:
    """The problems that stop a run, each once, in order of file, line and column."""
    return in_order(problem for problem in problems if problem.severity == "error")


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Problems without repeats, sorted as a reader meets them in the files."""
    return sorted(dict.fromkeys(problems), key=lambda p: (p.file, p.line, p.column, p.code, p.message))


def quote(value: object) -> str:
    """A value as it may be shown in a message: one line, printable, never long."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"'{_shorten(_printable(value[: _LONGEST_QUOTE + 1]))}'"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, float):
        return f"{value:.12g}"
    if isinstance(value, int) and abs(value) > 10**_LONGEST_QUOTE:
        return "a very long number"
    return _shorten(str(value))


def _printable(text: str) -> str:
    # What a file holds may not move the cursor of the terminal that shows a message about it.
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


def _shorten(text: str) -> str:
    return text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 1] + "…"


def nearest(name: str, valid: Iterable[str]) -> str:
    """The valid name most like ``name``, or an empty string when none is close."""
    options = list(valid)
    wanted = name[:200].strip()
    by_lower = {option.lower(): option for option in reversed(options)}
    tidy = wanted.lower().replace(" ", "_").replace("-", "_").replace("&", "and")
    if tidy in by_lower:
        return by_lower[tidy]
    found = difflib.get_close_matches(tidy, list(by_lower), n=1, cutoff=0.6)
    if found:
        return by_lower[found[0]]
    # The last word of a dotted name is often right when the subsystem before it is wrong.
    tail = tidy.rsplit(".", 1)[-1]
    tails: dict[str, str] = {}
    for option in options:
        tails.setdefault(option.rsplit(".", 1)[-1].lower(), option)
    found = difflib.get_close_matches(tail, list(tails), n=1, cutoff=0.75)
    return tails[found[0]] if found else ""


def did_you_mean(name: str, valid: Iterable[str]) -> str:
    """A hint naming the nearest valid name, or an empty string."""
    close = nearest(name, valid)
    return f"did you mean '{close}'?" if close else ""


def shown_path(path: Path) -> str:
    """A path as the reader would type it: relative to where they stand, when it lies below."""
    text = str(path)
    if path.is_absolute():
        relative = os.path.relpath(path)
        text = text if relative.startswith("..") else relative
    return _printable(text)
