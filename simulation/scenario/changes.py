"""Scenarios and their dated changes, once read: what they say, and whether the parameters allow it."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from simulation.scenario.checking import is_number, number_problem
from simulation.scenario.geography import SIDES
from simulation.scenario.parameters import (
    Labels,
    Parameter,
    Parameters,
    assignment_fault,
    spread,
    unknown_parameter,
)
from simulation.scenario.problems import Problem, quote

ACTIONS = ("set", "multiply", "add")
Action = Literal["set", "multiply", "add"]


@dataclass(frozen=True)
class Assignment:
    """One value, factor or amount given to one parameter or table entry by a change.

    Parameters
    ----------
    action : {"set", "multiply", "add"}
    name : str
        As written: a parameter, or the dotted name of one entry of a table.
    value : number, bool, str or mapping
    file : str
    line, column : int
        Where it was written; 0 when it was made in code.
    """

    action: Action
    name: str
    value: Any
    file: str = ""
    line: int = 0
    column: int = 0


@dataclass(frozen=True)
class Change:
    """A dated change to some parameters.

    Parameters
    ----------
    start : datetime.date
        First day on which it holds.
    assignments : tuple of Assignment
    end : datetime.date or None
        First day on which it no longer holds.
    ramp_days : int
        Days over which numbers move to their new value; 0 or 1 is at once.
    applies_to : {"new", "all"}
    areas, providers : tuple of str or None
        Limits; None for none.
    why, source : str
    scenario : str
        Name of the scenario file that holds it.
    file : str
    line, column : int
    """

    start: datetime.date
    assignments: tuple[Assignment, ...]
    end: datetime.date | None = None
    ramp_days: int = 0
    applies_to: Literal["new", "all"] = "all"
    areas: tuple[str, ...] | None = None
    providers: tuple[str, ...] | None = None
    why: str = ""
    source: str = ""
    scenario: str = ""
    file: str = ""
    line: int = 0
    column: int = 0


@dataclass(frozen=True)
class Scenario:
    """A scenario with everything it extends worked in.

    Parameters
    ----------
    name, title, question, asked_by, expected : str
    expects : mapping
        By measure, whether it is expected to be ``more`` or ``less`` than in the baseline.
    moves : tuple of str
        Measures that the changes act on directly.
    start, count_from, end : datetime.date
        First day of the run, first day counted, last day of the run.
    areas : tuple of str
        Names as written; ``("all",)`` for the whole country.
    changes : tuple of Change
        Those of the extended scenario first, each file in its own order.
    extends : tuple of str
        Names of the scenarios it rests on, nearest first.
    file : str
        The scenario's own file.
    """

    name: str
    title: str
    start: datetime.date
    count_from: datetime.date
    end: datetime.date
    question: str = ""
    asked_by: str = ""
    expected: str = ""
    expects: Mapping[str, str] = field(default_factory=dict)
    moves: tuple[str, ...] = ()
    areas: tuple[str, ...] = ("all",)
    changes: tuple[Change, ...] = ()
    extends: tuple[str, ...] = ()
    file: str = ""


def check_assignment(assignment: Assignment, parameters: Parameters) -> list[Problem]:
    """What is wrong with one assignment, given the parameters; warnings included."""
    place = (assignment.file, assignment.line, assignment.column)
    found = parameters.find(assignment.name)
    if found is None:
        return [unknown_parameter(assignment.name, parameters, *place)]
    parameter, labels = found
    problems = []
    for target, value in targets(assignment, parameter, labels):
        shown = ".".join((parameter.name, *target))
        fault = assignment_fault(parameter, target)
        warning = ""
        if fault is None and assignment.action == "set":
            fault = parameter.problem_with(value, target)
            warning = "" if fault else parameter.warning_about(value, target)
        elif fault is None:
            if parameter.kind != "number":
                kind = "true-or-false value" if parameter.kind == "flag" else "word"
                text = f"a {kind} can't be changed by {assignment.action}"
                fault = ("wrong_type", text, "use set")
            elif not is_number(value):
                fault = number_problem(value, "a factor" if assignment.action == "multiply" else "an amount")
        if fault:
            # Messages about the table name it themselves.
            text = fault[1] if quote(parameter.name) in fault[1] else f"{shown}: {fault[1]}"
            problems.append(Problem(fault[0], text, *place, hint=fault[2]))
        elif warning:
            problems.append(Problem("unusual_value", warning, *place, severity="warning"))
    return problems


def targets(assignment: Assignment, parameter: Parameter, labels: Labels) -> Iterator[tuple[Labels, Any]]:
    """Every table entry an assignment reaches, with its value.

    One factor or amount given for a table reaches all its entries; a value for a table must name the entry.
    """
    for target, value in spread(parameter, labels, assignment.value):
        below = parameter.labels_below(target)
        if assignment.action != "set" and len(below) > 0:
            yield from ((leaf, value) for leaf in below)
        else:
            yield target, value


def limits_text(change: Change) -> str:
    """Where a change holds, in words."""
    parts = []
    if change.areas is not None:
        parts.append("in " + ", ".join(change.areas))
    if change.providers is not None:
        sides = {"nps": "every NPS division", "crc": "every CRC"}
        parts.append(
            "for " + ", ".join(sides.get(name, name) if name in SIDES else name for name in change.providers)
        )
    return " ".join(parts) or "everywhere"


def change_entry(change: Change) -> Mapping[str, Any]:
    """A change as it would be written in a scenario file."""
    entry: dict[str, Any] = {"from": change.start.isoformat()}
    if change.end is not None:
        entry["to"] = change.end.isoformat()
    if change.ramp_days:
        entry["ramp_days"] = change.ramp_days
    entry["applies_to"] = change.applies_to
    if change.areas is not None:
        entry["areas"] = list(change.areas)
    if change.providers is not None:
        entry["providers"] = list(change.providers)
    for action in ACTIONS:
        block = {a.name: a.value for a in change.assignments if a.action == action}
        if block:
            entry[action] = block
    for key in ("why", "source"):
        if getattr(change, key):
            entry[key] = getattr(change, key)
    return entry
