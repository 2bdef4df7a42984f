"""Levers: one number of a scenario that is set to many values, or a scenario taken in part.

A lever is the name of a parameter, or `DOSE`: how much of a scenario's own changes is made, from 0 (none: the baseline)
to 1 (the scenario) and beyond.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from simulation.experiment.inputs import StudyError
from simulation.scenario import Assignment, Change, Parameter, Parameters, Resolved, Scenario
from simulation.scenario.changes import targets
from simulation.scenario.parameters import Labels
from simulation.scenario.problems import did_you_mean, quote

DOSE = "dose"
"""Name of the lever that makes a part of all of a scenario's own changes."""

WHY = "The lever is set to this value."


@dataclass(frozen=True)
class Lever:
    """One lever and the range over which it is moved.

    Parameters
    ----------
    name : str
        A parameter, one entry of a table, or `DOSE`.
    description, unit : str
        What it is.
    low, high : float
        Ends of the range.
    whole : bool
        Whether only whole numbers make sense: the parameter is written as one.
    start : datetime.date
        First day on which it has another value.
    given : float or None
        Value in the parameters' files; None for a dose.
    """

    name: str
    description: str
    unit: str
    low: float
    high: float
    whole: bool
    start: dt.date
    given: float | None = None

    def grid(self, points: int) -> list[float]:
        """Return values at equal distances from one end of the range to the other, fewer where only whole ones are."""
        values = [float(f"{value:.8g}") for value in np.linspace(self.low, self.high, points)]
        return sorted({float(round(value)) for value in values}) if self.whole else sorted(set(values))

    def near(self, value: float) -> float:
        """Return the value to be run for one that was asked for: with few digits, so that it can be read and named."""
        return float(round(value)) if self.whole else float(f"{value:.8g}")


def make_lever(
    name: str,
    low: float | None,
    high: float | None,
    baseline: Resolved,
    scenario: Resolved,
    flags: tuple[str, str] = ("--from", "--to"),
) -> Lever:
    """Check a lever and its range.

    Parameters
    ----------
    name : str
        A parameter, one entry of a table, or `DOSE`.
    low, high : float or None
        Range; by default the plausible range of the parameter, or 0 to 1 for a dose.
    baseline, scenario : Resolved
        What is compared; the same for a lever of the baseline itself.
    flags : (str, str)
        How the ends of the range are called in messages.

    Raises
    ------
    StudyError
        With every problem found.
    """
    impact = None if scenario is baseline else baseline.first_difference(scenario)
    same = scenario is baseline
    if not same and impact is None:
        raise StudyError([f"{scenario.name} doesn't differ from {baseline.name} in this time."])
    start = baseline.count_from if impact is None else impact
    if name == DOSE:
        if same:
            raise StudyError([f"A dose needs a scenario to take in part: {baseline.name} is the baseline itself."])
        problems = [*_undosable(baseline, scenario), *_touched_again(baseline, scenario)]
        low, high = 0.0 if low is None else low, 1.0 if high is None else high
        lever = Lever(DOSE, f"How much of {scenario.name} is done: 0 none, 1 all", "share", low, high, False, start)
    else:
        parameter, labels = _scalar(name, baseline.parameters)
        problems = _clashes(name, (parameter.name, labels), baseline, scenario, start)
        if low is None and labels in parameter.low:
            low = parameter.low[labels]
        if high is None and labels in parameter.high:
            high = parameter.high[labels]
        if low is None or high is None:
            raise StudyError([*problems, f"{name} has no range in its file: give {flags[0]} and {flags[1]}."])
        for flag, value in zip(flags, (low, high), strict=True):
            fault = parameter.problem_with(value, labels)
            if fault:
                problems.append(f"{flag}: {fault[1]}.")
        given = parameter.leaves[labels]
        whole = isinstance(given, int) and float(low).is_integer() and float(high).is_integer()
        lever = Lever(name, parameter.description, parameter.unit, low, high, whole, start, float(given))
    if not lever.low < lever.high:
        problems.append(
            f"The range of {name} must rise, not go from {quote(lever.low)} to {quote(lever.high)}: "
            f"give {flags[0]} and {flags[1]}."
        )
    if problems:
        raise StudyError(problems)
    return lever


def _scalar(name: str, parameters: Parameters) -> tuple[Parameter, Labels]:
    """Return the parameter and entry that a name means, if it is one number."""
    found = parameters.find(name)
    if found is None:
        hint = did_you_mean(name, [DOSE, *parameters.all_names()])
        raise StudyError(
            [f"No lever is called {quote(name)}" + (f"; {hint}" if hint else ". `python run.py explain` lists them.")]
        )
    parameter, labels = found
    if parameter.kind != "number" or parameter.is_switch:
        words = "a switch, on or off" if parameter.is_switch else "a word"
        raise StudyError([f"{name} is {words}, not a number, so it can't be moved along a range."])
    if parameter.series:
        raise StudyError([f"{name} is a series of dated values, not one number; move a dose of a scenario instead."])
    if labels not in parameter.leaves:
        entries = [".".join((parameter.name, *below)) for below in parameter.labels_below(labels)]
        shown = ", ".join(entries[:6]) + (", ..." if len(entries) > 6 else "")
        raise StudyError([f"{name} is a table: name one of its entries, {shown}."])
    return parameter, labels


def _own_changes(baseline: Resolved, scenario: Resolved) -> tuple[Change, ...]:
    """Return the changes of a scenario that its baseline doesn't make."""
    theirs = baseline.scenario.changes
    return tuple(change for change in scenario.scenario.changes if change not in theirs)


def _pieces(change: Change, parameters: Parameters) -> Iterator[tuple[Assignment, Parameter, Labels, Any]]:
    for assignment in change.assignments:
        found = parameters.find(assignment.name)
        assert found is not None
        for labels, value in targets(assignment, *found):
            yield assignment, found[0], labels, value


def _undosable(baseline: Resolved, scenario: Resolved) -> list[str]:
    """Return why a scenario can't be taken in part: some of what it sets is no number."""
    names = [
        parameter.name
        for change in _own_changes(baseline, scenario)
        for _, parameter, _, _ in _pieces(change, scenario.parameters)
        if parameter.kind != "number" or parameter.is_switch
    ]
    return [
        f"{scenario.name} can't be taken in part: {name} is not a number. Move one of its numbers instead."
        for name in dict.fromkeys(names)
    ]


def _touched_again(baseline: Resolved, scenario: Resolved) -> list[str]:
    """Return why a scenario can't be taken in part: a second change of a number would act on a part of the first."""
    touched: set[tuple[str, Labels]] = set()
    again: dict[str, None] = {}
    for change in _own_changes(baseline, scenario):
        keys = {(parameter.name, labels) for _, parameter, labels, _ in _pieces(change, scenario.parameters)}
        again |= dict.fromkeys(".".join((name, *labels)) for name, labels in sorted(keys & touched))
        touched |= keys
    return [
        f"{scenario.name} can't be taken in part: it changes {name} more than once. Move one of its numbers instead."
        for name in again
    ]


def _clashes(
    name: str, key: tuple[str, Labels], baseline: Resolved, scenario: Resolved, start: dt.date
) -> list[str]:
    """Return why a scenario's own changes leave no room for a lever."""
    touching = [step.change for step in scenario.steps(key)]
    own = [change for change in touching if change not in baseline.scenario.changes]
    if len(own) == 1 and all(step.action == "set" for step in scenario.steps(key) if step.change is own[0]):
        return []
    later = [change for change in touching if change.start > start or change in own]
    if later:
        return [f"{scenario.name} changes {name} itself, from {later[-1].start}, in a way that a value can't replace."]
    return []


def at_values(baseline: Resolved, scenario: Resolved, settings: Sequence[tuple[Lever, float]]) -> Scenario:
    """Return the scenario with levers at given values.

    A parameter that the scenario itself sets gets the value there: on the scenario's day, for whom and where it sets
    it. Any other gets it from the lever's first day on, everywhere and for everybody.

    Parameters
    ----------
    baseline, scenario : Resolved
        As given to `make_lever`.
    settings : sequence of (Lever, float)
        Levers and their values; a dose is taken last.

    Returns
    -------
    Scenario
        Named after the values.
    """
    own = _own_changes(baseline, scenario)
    for lever, value in settings:
        if lever.name != DOSE:
            own = _with_value(own, lever, value, scenario.parameters)
    for lever, value in settings:
        if lever.name == DOSE:
            own = tuple(itertools.chain(*(_dosed(change, value, scenario.parameters) for change in own)))
    words = "_and_".join(value_name(value) for _, value in settings)
    return replace(
        scenario.scenario,
        name=f"{scenario.name}_at_{words}",
        title=f"{scenario.title}, " + ", ".join(f"{lever.name} {value_name(value)}" for lever, value in settings),
        changes=(*(change for change in scenario.scenario.changes if change in baseline.scenario.changes), *own),
    )


def value_name(value: float) -> str:
    """Return a value as it stands in names and sentences: as few digits as it needs.

    Examples
    --------
    >>> value_name(0.30000000000000004), value_name(12.0), value_name(-1.5)
    ('0.3', '12', '-1.5')
    """
    return f"{value:.10g}"


def _with_value(
    changes: Sequence[Change], lever: Lever, value: float, parameters: Parameters
) -> tuple[Change, ...]:
    found = parameters.find(lever.name)
    assert found is not None
    wanted = (found[0].name, found[1])
    number: float | int = int(value) if lever.whole else value
    result, done = [], False
    for change in changes:
        assignments: list[Assignment] = []
        for assignment in change.assignments:
            pieces = list(_pieces(replace(change, assignments=(assignment,)), parameters))
            if not any((parameter.name, labels) == wanted for _, parameter, labels, _ in pieces):
                assignments.append(assignment)
                continue
            done = True
            for each, parameter, labels, old in pieces:
                new = number if (parameter.name, labels) == wanted else old
                assignments.append(replace(each, name=".".join((parameter.name, *labels)), value=new))
        result.append(replace(change, assignments=tuple(assignments)))
    if not done:
        result.append(Change(lever.start, (Assignment("set", lever.name, number),), why=WHY))
    return tuple(result)


def _dosed(change: Change, dose: float, parameters: Parameters) -> Iterator[Change]:
    """Yield what makes a part of a change: of a factor, an amount, or the way from the old value to the new one."""
    if dose == 1:
        yield change
        return
    if dose == 0:
        return
    parts: Mapping[str, list[Assignment]] = {"first": [], "then": []}
    for assignment, parameter, labels, value in _pieces(change, parameters):
        name = ".".join((parameter.name, *labels))
        if assignment.action == "multiply":
            parts["first"].append(replace(assignment, name=name, value=1 + dose * (value - 1)))
        elif assignment.action == "add":
            parts["then"].append(replace(assignment, name=name, value=dose * value))
        else:
            # (1 - d) x old + d x new, whatever the old value is on that day and in that place.
            parts["first"].append(replace(assignment, action="multiply", name=name, value=1 - dose))
            parts["then"].append(replace(assignment, action="add", name=name, value=dose * value))
    for assignments in parts.values():
        if assignments:
            yield replace(change, assignments=tuple(assignments))
