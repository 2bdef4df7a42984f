"""Reads and checks the files of ``scenarios/parameters``; every problem of every file is reported."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from simulation.scenario.checking import check_model, is_number, number_problem
from simulation.scenario.parameters import DEEPEST_TABLE, Labels, Leaf, Parameter, Parameters, spread
from simulation.scenario.problems import Problem, ScenarioError, errors, in_order, quote, shown_path
from simulation.scenario.yaml_reader import Document, Node, read_file

FOLDER = Path(__file__).resolve().parents[2] / "scenarios" / "parameters"

_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+\Z")
_LABEL = re.compile(r"[A-Za-z0-9_+-]+\Z")
_DATE = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?\Z")


class ParameterEntry(BaseModel):
    """One entry of a parameter file, as written."""

    model_config = ConfigDict(extra="forbid", strict=True)

    description: str = Field(description="What the value is: a sentence with a full stop.")
    value: Any = Field(
        description="A number, true or false, a word from `choices`, a table by label, or a dated series."
    )
    unit: str = Field(description="Unit of the value, such as `share`, `days`, `minutes`, `gbp`.")
    low: float | dict[str, Any] | None = Field(default=None, description="Low end of the plausible range.")
    high: float | dict[str, Any] | None = Field(default=None, description="High end of the plausible range.")
    allowed: list[float] | None = Field(default=None, description="Hard limits, [lowest, highest].")
    choices: list[str] | None = Field(default=None, description="The words a text value may be.")
    confidence: Literal["S", "Q", "D", "M", "assume"] = Field(
        description="S publisher's own document, Q quoted, D derived, M memory, assume judgement."
    )
    source: str = Field(description="Where the value comes from, with a link or evidence id.")
    read_on: Literal["offence", "sentence", "reception", "release", "decision", "day"] = Field(
        default="decision", description="The date by which each person's value is read."
    )
    series: Literal["step", "linear"] | None = Field(
        default=None,
        description="For dated values: hold each value until the next, or draw a line between them.",
    )


def load_parameters(folder: Path | str | None = None) -> Parameters:
    """Read and check every ``*.yaml`` file of a folder.

    Parameters
    ----------
    folder : Path, optional
        ``scenarios/parameters`` by default.

    Raises
    ------
    ScenarioError
        With every problem of every file.
    """
    parameters, problems = read_parameters(Path(folder) if folder is not None else FOLDER)
    if errors(problems):
        raise ScenarioError(in_order(problems))
    return parameters


def read_parameters(folder: Path) -> tuple[Parameters, list[Problem]]:
    """Like `load_parameters`, but returns what could be read together with the problems."""
    if not folder.is_dir():
        return Parameters([]), [
            Problem("missing_file", "there is no such folder of parameters", shown_path(folder))
        ]
    found: list[Parameter] = []
    problems: list[Problem] = []
    seen: dict[str, Parameter] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix == ".yml":
            problems.append(
                Problem("unexpected_file", "this file is not read", shown_path(path), hint="end it in .yaml")
            )
        if path.suffix != ".yaml":
            continue
        document = read_file(path)
        for parameter in _parameters_of(document, path.stem):
            if parameter.name in seen:
                document.problem(
                    "duplicate_key",
                    f"{quote(parameter.name)} is already at {seen[parameter.name].place}",
                    parameter.line,
                )
                continue
            seen[parameter.name] = parameter
            found.append(parameter)
        problems += document.problems
    for parameter in found:
        words = parameter.name.split(".")
        for cut in range(2, len(words)):
            table = seen.get(".".join(words[:cut]))
            if table is not None and table.labels_below(tuple(words[cut:])):
                text = f"{quote(parameter.name)} is also an entry of the table {quote(table.name)}"
                problems.append(
                    Problem("duplicate_key", text, parameter.file, parameter.line, 1, "rename one")
                )
    return Parameters(found), problems


def _parameters_of(document: Document, subsystem: str) -> Iterator[Parameter]:
    root = document.root
    if root is None:
        return
    if not root.is_mapping:
        document.problem("wrong_type", "a parameter file holds named entries", root.line, root.column)
        return
    for name, node in root.value.items():
        if not _NAME.match(name):
            document.problem(
                "bad_name",
                f"{quote(name)} is no parameter name",
                node.key_line,
                node.key_column,
                "use lower-case words parted by dots, such as custody.hdc.take_up",
            )
        elif not name.startswith(subsystem + "."):
            document.problem(
                "bad_name",
                f"{quote(name)} does not belong in this file",
                node.key_line,
                node.key_column,
                f"every name here starts with '{subsystem}.'",
            )
        parameter = _parameter(document, name, node)
        if parameter is not None:
            yield parameter


def _parameter(document: Document, name: str, node: Node) -> Parameter | None:
    if not node.is_mapping:
        document.problem(
            "wrong_type",
            f"{quote(name)} needs description, value, unit, confidence and source",
            node.line,
            node.column,
        )
        return None
    before = len(document.problems)
    entry = check_model(ParameterEntry, node, document, subject=name)
    for key in ("description", "unit", "source"):
        text = node.get(key)
        if text is None or not isinstance(text.value, str):
            continue
        if not text.value.strip():
            document.problem("prose", f"{name}: {key} is empty", text.line, text.column)
        elif key == "description" and not text.value.rstrip().endswith("."):
            document.problem("prose", f"{name}: the description has no full stop", text.line, text.column)
    value = node.get("value")
    if value is not None and isinstance(value.value, str) and node.get("choices") is None:
        code, message, hint = number_problem(value.value, "a number, and a word needs choices beside it")
        document.problem(code, f"{name}: {message}", value.line, value.column, hint)
    if entry is None or len(document.problems) > before:
        return None
    assert value is not None
    leaves: dict[Labels, tuple[Leaf, Node]] = {}
    dated: dict[Labels, list[tuple[datetime.date, float]]] = {}
    if not _collect(document, name, value, (), leaves, dated, entry.series):
        return None
    parameter = Parameter(
        name=name,
        description=entry.description.strip(),
        value=value.plain(),
        unit=entry.unit,
        confidence=entry.confidence,
        source=entry.source,
        leaves={labels: leaf for labels, (leaf, _) in leaves.items()},
        points={labels: tuple(sorted(points)) for labels, points in dated.items()},
        allowed=(entry.allowed[0], entry.allowed[1]) if entry.allowed and len(entry.allowed) == 2 else None,
        choices=tuple(entry.choices or ()),
        read_on=entry.read_on,
        series=entry.series,
        file=document.file,
        line=node.key_line,
    )
    _check_parameter(document, parameter, node, entry, leaves)
    if len(document.problems) > before:
        return None
    return replace(parameter, low=_limits(parameter, entry.low), high=_limits(parameter, entry.high))


def _collect(
    document: Document,
    name: str,
    node: Node,
    labels: Labels,
    leaves: dict[Labels, tuple[Leaf, Node]],
    dated: dict[Labels, list[tuple[datetime.date, float]]],
    series: str | None,
) -> bool:
    """Flatten a value into `leaves`; false (with a problem noted) when it can't be."""
    here = f"{name}{''.join('.' + label for label in labels)}"
    if node.is_list or node.value is None:
        kind = "a list" if node.is_list else "empty"
        document.problem(
            "wrong_type", f"{here} is {kind}", node.line, node.column, "give a value or a table by label"
        )
        return False
    if not node.is_mapping:
        if series:
            document.problem("wrong_type", f"{here}: a series needs dated values", node.line, node.column)
            return False
        leaves[labels] = (node.value, node)
        return True
    if not node.value:
        document.problem("wrong_type", f"{here} is an empty table", node.line, node.column)
        return False
    if series and all(_DATE.match(key) for key in node.value):
        return _collect_dates(document, here, node, labels, leaves, dated, series == "linear")
    if len(labels) >= DEEPEST_TABLE:
        document.problem(
            "too_deep", f"{here}: a table has at most {DEEPEST_TABLE} levels", node.line, node.column
        )
        return False
    good = True
    for key, below in node.value.items():
        if not _LABEL.match(key):
            document.problem(
                "bad_name",
                f"{here}: {quote(key)} is no label",
                below.key_line,
                below.key_column,
                "use letters, digits, _ - and +",
            )
            good = False
        good = _collect(document, name, below, (*labels, key), leaves, dated, series) and good
    return good


def _collect_dates(
    document: Document,
    here: str,
    node: Node,
    labels: Labels,
    leaves: dict[Labels, tuple[Leaf, Node]],
    dated: dict[Labels, list[tuple[datetime.date, float]]],
    linear: bool,
) -> bool:
    points = []
    for key, below in node.value.items():
        day = series_date(key, linear)
        if day is None:
            document.problem("bad_date", f"{here}: {quote(key)} is no date", below.key_line, below.key_column)
            return False
        if not is_number(below.value):
            code, text, hint = number_problem(below.value, "a number")
            document.problem(code, f"{here}.{key}: {text}", below.line, below.column, hint)
            return False
        points.append((day, float(below.value)))
    dated[labels] = sorted(points)
    leaves[labels] = (dated[labels][0][1], node)
    return True


def series_date(text: str, linear: bool) -> datetime.date | None:
    """The date a key of a series stands for.

    A bare year or month is its first day in a step series (the value holds through it) and its middle in a
    linear one (a yearly figure is best placed half way through the year).
    """
    parts = [int(part) for part in text.split("-")]
    middle = (7, 1) if len(parts) == 1 else (0, 15)
    try:
        if len(parts) == 3:
            return datetime.date(*parts)
        if len(parts) == 2:
            return datetime.date(parts[0], parts[1], middle[1] if linear else 1)
        return datetime.date(parts[0], *middle) if linear else datetime.date(parts[0], 1, 1)
    except ValueError:
        return None


def _limits(parameter: Parameter, given: float | dict[str, Any] | None) -> dict[Labels, float]:
    if given is None:
        return {}
    if isinstance(given, dict):
        return {labels: float(leaf) for labels, leaf in spread(parameter, (), given)}
    return dict.fromkeys(parameter.leaves, float(given))


def _check_parameter(
    document: Document,
    parameter: Parameter,
    node: Node,
    entry: ParameterEntry,
    leaves: dict[Labels, tuple[Leaf, Node]],
) -> None:
    name = parameter.name
    kinds = {
        bool if isinstance(leaf, bool) else str if isinstance(leaf, str) else float
        for leaf, _ in leaves.values()
    }
    if len(kinds) > 1:
        document.problem(
            "wrong_type", f"{name} mixes numbers, words and true/false", node.key_line, node.key_column
        )
        return

    allowed = node.get("allowed")
    limits = entry.allowed
    if allowed is not None and limits is not None and (len(limits) != 2 or limits[0] > limits[1]):
        document.problem(
            "bad_limits", f"{name}: allowed must be [lowest, highest]", allowed.line, allowed.column
        )
        return
    if parameter.kind == "text" and not parameter.choices:
        document.problem("missing_key", f"{name}: words need choices", node.key_line, node.key_column)
    if parameter.kind != "number":
        for key in ("low", "high", "allowed", "series"):
            extra = node.get(key)
            if extra is not None:
                document.problem("bad_limits", f"{name}: {key} is for numbers only", extra.line, extra.column)
    if parameter.kind != "text" and parameter.choices:
        document.problem("bad_limits", f"{name}: choices are for words only", node.key_line, node.key_column)
    for labels, (leaf, place) in leaves.items():
        for number in [value for _, value in parameter.points[labels]] if parameter.series else [leaf]:
            fault = parameter.problem_with(number, labels)
            if fault:
                shown = ".".join((name, *labels))
                document.problem(fault[0], f"{shown}: {fault[1]}", place.line, place.column, fault[2])
    _check_range(document, parameter, node, entry)


def _check_range(document: Document, parameter: Parameter, node: Node, entry: ParameterEntry) -> None:
    if parameter.kind != "number" or parameter.series:
        return
    name, low_node, high_node = parameter.name, node.get("low"), node.get("high")
    if (entry.low is None) != (entry.high is None):
        document.problem("bad_limits", f"{name}: low and high go together", node.key_line, node.key_column)
        return
    if low_node is None or high_node is None or entry.low is None or entry.high is None:
        return
    for side, place in ((entry.low, low_node), (entry.high, high_node)):
        for labels, limit in spread(parameter, (), side) if isinstance(side, dict) else ():
            if labels not in parameter.leaves or not is_number(limit):
                shown = ".".join(labels)
                text = f"{name}: the range for {quote(shown)} must be a number for an entry of the table"
                document.problem("bad_limits", text, place.line, place.column)
                return
    lows, highs = _limits(parameter, entry.low), _limits(parameter, entry.high)
    for labels, leaf in parameter.leaves.items():
        low, high = lows.get(labels), highs.get(labels)
        if low is not None and high is not None and not low <= float(leaf) <= high:
            shown = ".".join((name, *labels))
            document.problem(
                "value_outside_range",
                f"{shown}: {quote(leaf)} is outside {quote(low)} to {quote(high)}, its own range",
                low_node.line,
                low_node.column,
                "low and high must lie either side of the value",
            )
