"""Every number of the model, with its evidence: the files of ``scenarios/parameters``.

A file is named after a subsystem and each of its keys starts with that name. A parameter has one value, or a
table of values by label (and by a second label), or a dated series; `Parameter.leaves` gives them all in one
form.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

from simulation.scenario.checking import is_number, number_problem
from simulation.scenario.problems import (
    Problem,
    ScenarioError,
    did_you_mean,
    nearest,
    quote,
)

Leaf = float | int | bool | str
Labels = tuple[str, ...]

CONFIDENCE = {
    "S": "read in the publisher's own document",
    "Q": "quoted second-hand",
    "D": "derived by the arithmetic shown",
    "M": "from memory",
    "assume": "judgement",
}

_SWITCH_UNITS = ("0 or 1", "yes or no")

DEEPEST_TABLE = 3


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
    def is_switch(self) -> bool:
        """True when it only says whether: a flag, or a number that is 0 or 1 with nothing between."""
        return self.kind == "flag" or self.unit in _SWITCH_UNITS

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
                return number_problem(value, self.wanted())
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

    def wanted(self) -> str:
        """What a value must be, in words."""
        if self.allowed is None:
            return "a number"
        return f"a number from {quote(self.allowed[0])} to {quote(self.allowed[1])}"

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
        for cut in range(len(words), max(1, len(words) - DEEPEST_TABLE) - 1, -1):
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
        text = f"{quote(parameter.name)} is a table, so name an entry of it or give values by label"
        return ("wrong_type", text, _entries(parameter))
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
