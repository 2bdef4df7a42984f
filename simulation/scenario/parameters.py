"""Every number of the model, with its evidence: the files of ``scenarios/parameters``.

A file is named after a subsystem and each of its keys starts with that name. A parameter has one value, or a
table of values by label (and by a second label), or a dated series; `Parameter.leaves` gives them all in one
form.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from simulation.scenario.checking import check_model, is_number, number_problem
from simulation.scenario.problems import (
    Problem,
    ScenarioError,
    did_you_mean,
    errors,
    in_order,
    nearest,
    quote,
    shown_path,
)
from simulation.scenario.yaml_reader import Document, Node, read_file

FOLDER = Path(__file__).resolve().parents[2] / "scenarios" / "parameters"

Leaf = float | int | bool | str
Labels = tuple[str, ...]

CONFIDENCE = {
    "S": "read in the publisher's own document",
    "Q": "quoted second-hand",
    "D": "derived by the arithmetic shown",
    "M": "from memory",
    "assume": "judgement",
}

_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+\Z")
_LABEL = re.compile(r"[A-Za-z0-9_+-]+\Z")
_DATE = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?\Z")
_DEEPEST_TABLE = 3


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


@dataclass(frozen=True)
class Parameter:
    """One value of the model and the evidence for it.

    Parameters
    ----------
    name : str
        Dotted name; its first word is the subsystem.
    description, unit, confidence, source : str
        As in the file.
    value : number, bool, str or nested dict
        As in the file.
    leaves : dict of tuple of str to number, bool or str
        The same by labels; ``{(): value}`` for a single value. For a series the labels of its dates are left
        out and `points` holds the values.
    points : dict of tuple of str to tuple of (datetime.date, float)
        The dated values of a series, in order.
    low, high : dict of tuple of str to float
        Plausible range by labels; empty when none was given.
    allowed : tuple of float or None
        Hard limits.
    choices : tuple of str
        The words a text value may be.
    read_on : str
        Cohort date: offence, sentence, reception, release, decision or day.
    series : {"step", "linear"} or None
    file : str
    line : int
    """

    name: str
    description: str
    value: Any
    unit: str
    confidence: str
    source: str
    leaves: Mapping[Labels, Leaf]
    points: Mapping[Labels, tuple[tuple[datetime.date, float], ...]] = field(default_factory=dict)
    low: Mapping[Labels, float] = field(default_factory=dict)
    high: Mapping[Labels, float] = field(default_factory=dict)
    allowed: tuple[float, float] | None = None
    choices: tuple[str, ...] = ()
    read_on: str = "decision"
    series: str | None = None
    file: str = ""
    line: int = 0

    @property
    def kind(self) -> Literal["number", "flag", "text"]:
        """What each value is."""
        first = next(iter(self.leaves.values()))
        if isinstance(first, bool):
            return "flag"
        return "text" if isinstance(first, str) else "number"

    @property
    def is_table(self) -> bool:
        """True when there is a value for each label."""
        return () not in self.leaves

    @property
    def place(self) -> str:
        """``file:line`` of the entry."""
        return f"{self.file}:{self.line}" if self.file else ""

    def labels_below(self, start: Labels) -> list[Labels]:
        """The labels of every value at or below ``start``."""
        return [labels for labels in self.leaves if labels[: len(start)] == start]

    def problem_with(self, value: object, labels: Labels = ()) -> tuple[str, str, str] | None:
        """What makes a value impossible for this parameter: (code, message, hint), or None."""
        if self.kind == "number":
            if not is_number(value):
                return number_problem(value, self.limits_text())
            assert isinstance(value, (int, float))
            if self.allowed and not self.allowed[0] <= value <= self.allowed[1]:
                return ("out_of_range", f"{quote(value)} is outside {self.limits_text()}", self.unit_hint())
        elif self.kind == "flag":
            if not isinstance(value, bool):
                return (
                    "wrong_type",
                    f"{quote(value)} is not true or false",
                    "write true or false, without quotes",
                )
        elif not isinstance(value, str) or (self.choices and value not in self.choices):
            close = did_you_mean(value, self.choices) if isinstance(value, str) else ""
            return ("not_a_choice", f"{quote(value)} is not one of {', '.join(self.choices)}", close)
        return None

    def warning_about(self, value: object, labels: Labels = ()) -> str:
        """A remark when a value is possible but outside the plausible range; else an empty string."""
        if self.kind != "number" or labels not in self.low or not is_number(value):
            return ""
        assert isinstance(value, (int, float))
        low, high = self.low[labels], self.high[labels]
        if low <= value <= high:
            return ""
        plausible = f"{quote(low)} to {quote(high)} {self.unit}"
        return f"{quote(value)} is outside the plausible range of {self.name}, {plausible}"

    def limits_text(self) -> str:
        """The hard limits in words."""
        if self.allowed is None:
            return "any number"
        return f"the allowed {quote(self.allowed[0])} to {quote(self.allowed[1])}"

    def unit_hint(self) -> str:
        """The unit, as a hint."""
        return f"the unit is {self.unit}" if self.unit else ""


class Parameters(Mapping[str, Parameter]):
    """All parameters by name.

    Parameters
    ----------
    parameters : iterable of Parameter
    """

    def __init__(self, parameters: Iterable[Parameter]) -> None:
        self._by_name = {parameter.name: parameter for parameter in parameters}

    def __getitem__(self, name: str) -> Parameter:
        try:
            return self._by_name[name]
        except KeyError:
            hint = did_you_mean(name, self._by_name)
            raise UnknownParameter(
                f"no parameter is called {quote(name)}" + (f"; {hint}" if hint else "")
            ) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def nearest(self, name: str) -> str:
        """The parameter name most like ``name``, or an empty string."""
        return nearest(name, self._by_name)

    def find(self, name: str) -> tuple[Parameter, Labels] | None:
        """Parameter and labels meant by a name, which may reach into a table."""
        words = name.split(".")
        for cut in range(len(words), max(1, len(words) - _DEEPEST_TABLE) - 1, -1):
            parameter = self._by_name.get(".".join(words[:cut]))
            if parameter is not None:
                labels = tuple(words[cut:])
                return (parameter, labels) if parameter.labels_below(labels) else None
        return None

    def all_names(self) -> list[str]:
        """Every name a change may use, table entries included."""
        names = list(self._by_name)
        for parameter in self._by_name.values():
            names += [".".join((parameter.name, *labels)) for labels in parameter.leaves if labels]
        return names

    def with_values(self, values: Mapping[str, Any]) -> Parameters:
        """A copy in which some values differ from day one.

        Parameters
        ----------
        values : mapping of str to value
            By parameter name, or the dotted name of one table entry. A number for a series scales nothing: it
            holds on every day.

        Raises
        ------
        ScenarioError
            A name or value is not possible.
        """
        changed = dict(self._by_name)
        problems = []
        for name, value in values.items():
            found = self.find(name)
            if found is None:
                problems.append(unknown_parameter(name, self))
                continue
            parameter, labels = changed[found[0].name], found[1]
            leaves, points = dict(parameter.leaves), dict(parameter.points)
            for target, leaf in spread(parameter, labels, value):
                fault = (
                    parameter.problem_with(leaf, target)
                    if target in leaves
                    else _no_such_label(parameter, target)
                )
                if fault:
                    problems.append(Problem(fault[0], f"{name}: {fault[1]}", hint=fault[2]))
                    continue
                leaves[target] = leaf
                if points:
                    points[target] = ((datetime.date.min, float(leaf)),)
            changed[parameter.name] = replace(parameter, leaves=leaves, points=points, value=_nested(leaves))
        if problems:
            raise ScenarioError(problems)
        return Parameters(changed.values())

    def rows(self) -> list[dict[str, str]]:
        """One row a parameter with all its evidence, as text, for tables and result folders."""
        return [
            {
                "name": parameter.name,
                "description": parameter.description,
                "value": json.dumps(parameter.value),
                "unit": parameter.unit,
                "low": _range_text(parameter.low),
                "high": _range_text(parameter.high),
                "confidence": parameter.confidence,
                "source": parameter.source,
                "read_on": parameter.read_on,
                "file": parameter.file,
                "line": str(parameter.line),
            }
            for parameter in self.values()
        ]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of every value (not of the words about it)."""
        return hashlib.sha256(json.dumps(self.canonical(), sort_keys=True).encode()).hexdigest()

    def canonical(self) -> dict[str, Any]:
        """Every value that can change a run, in a form that doesn't depend on how it was written."""
        return {
            parameter.name: [
                parameter.read_on,
                parameter.series,
                sorted(
                    (
                        list(labels),
                        [[day.isoformat(), float(number)] for day, number in parameter.points[labels]]
                        if parameter.series
                        else canonical_leaf(leaf),
                    )
                    for labels, leaf in parameter.leaves.items()
                ),
            ]
            for parameter in self.values()
        }


class UnknownParameter(KeyError):
    """Raised when code asks for a parameter that doesn't exist."""

    def __str__(self) -> str:
        return str(self.args[0])


def canonical_leaf(leaf: Leaf) -> Leaf:
    """The same value whether written 3 or 3.0."""
    return float(leaf) if isinstance(leaf, int) and not isinstance(leaf, bool) else leaf


def spread(parameter: Parameter, labels: Labels, value: Any) -> Iterator[tuple[Labels, Any]]:
    """Pairs of labels and value that one assignment means.

    A mapping goes down the table; anything else belongs to the place it was given for.
    """
    if isinstance(value, Mapping):
        for key, below in value.items():
            yield from spread(parameter, (*labels, str(key)), below)
    else:
        yield labels, value


def unknown_parameter(
    name: str, parameters: Parameters, file: str = "", line: int = 0, column: int = 0
) -> Problem:
    """The problem with a name that is no parameter."""
    words = name.split(".")
    for cut in range(len(words) - 1, 1, -1):
        table = ".".join(words[:cut])
        if table in parameters:
            parameter = parameters[table]
            if not parameter.is_table:
                text = f"{quote(table)} is a single value, so {quote(name)} names nothing"
                return Problem("unknown_parameter", text, file, line, column, f"use '{table}'")
            hint = did_you_mean(name, [".".join((table, *labels)) for labels in parameter.leaves])
            text = f"the table {quote(table)} has no entry {quote('.'.join(words[cut:]))}"
            return Problem("unknown_label", text, file, line, column, hint or _entries(parameter))
    hint = did_you_mean(name, parameters) or "`python run.py explain` lists every parameter"
    return Problem("unknown_parameter", f"no parameter is called {quote(name)}", file, line, column, hint)


def _entries(parameter: Parameter) -> str:
    names = [".".join(labels) for labels in parameter.leaves]
    return "its entries are " + ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")


def _no_such_label(parameter: Parameter, labels: Labels) -> tuple[str, str, str]:
    if parameter.labels_below(labels):
        return ("wrong_type", f"{quote(parameter.name)} is a table", _entries(parameter))
    text = f"the table {quote(parameter.name)} has no entry {quote('.'.join(labels))}"
    return ("unknown_label", text, _entries(parameter))


def assignment_fault(parameter: Parameter, labels: Labels) -> tuple[str, str, str] | None:
    """What is wrong with assigning a single value at ``labels``, or None when one value stands there."""
    return None if labels in parameter.leaves else _no_such_label(parameter, labels)


def _nested(leaves: Mapping[Labels, Leaf]) -> Any:
    if () in leaves:
        return leaves[()]
    table: dict[str, Any] = {}
    for labels, leaf in leaves.items():
        branch = table
        for label in labels[:-1]:
            branch = branch.setdefault(label, {})
        branch[labels[-1]] = leaf
    return table


def _range_text(limits: Mapping[Labels, float]) -> str:
    return json.dumps(_nested(limits)) if limits else ""


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
        code, message, hint = number_problem(value.value, "a word needs choices beside it")
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
    if len(labels) >= _DEEPEST_TABLE:
        document.problem(
            "too_deep", f"{here}: a table has at most {_DEEPEST_TABLE} levels", node.line, node.column
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
            code, text, hint = number_problem(below.value, "any number")
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
