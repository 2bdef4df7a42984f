"""Works a scenario's dated changes into the parameters."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from simulation.scenario.changes import Assignment, Scenario, check_assignment, targets
from simulation.scenario.effective import NEVER, Key, Resolved, Step
from simulation.scenario.geography import Geography, load_geography
from simulation.scenario.parameters import Labels, Parameter, Parameters
from simulation.scenario.problems import ENOUGH, Problem, ScenarioError, errors, in_order, quote

MOST_STEPS = 300
"""Changes of one value at which a scenario is refused, or fewer of each of several values: every change of a value is
worked out on the days of all the others. The history has six of one value, and 153 in all."""


def resolve(
    scenario: Scenario,
    parameters: Parameters,
    geography: Geography | None = None,
    overrides: Mapping[str, Any] | None = None,
    areas: Iterable[str] | str | None = None,
    until: datetime.date | None = None,
) -> Resolved:
    """Work a scenario's changes into the parameters.

    Parameters
    ----------
    scenario : Scenario
    parameters : Parameters
    geography : Geography, optional
    overrides : mapping of str to value, optional
        Values that hold from day one instead of the parameters' own; for draws, sensitivity and tests.
    areas : names, optional
        Areas to run instead of the scenario's.
    until : datetime.date, optional
        Last day instead of the scenario's.

    Raises
    ------
    ScenarioError
        A change names no parameter or gives an impossible value; every problem is listed.
    """
    geography = geography or load_geography()
    if overrides:
        parameters = parameters.with_values(overrides)
    if until is not None:
        if not scenario.count_from < until:
            text = f"the run would end on {until}, before counting starts on {scenario.count_from}"
            raise ScenarioError([Problem("dates_out_of_order", text, hint="choose a later date")])
        scenario = replace(scenario, end=until)
    chosen = geography.resolve(areas if areas is not None else scenario.areas)
    problems: list[Problem] = []
    steps: dict[Key, list[Step]] = {}
    pairs = 0
    # Python's sort is stable, so changes of one day keep the order of their files.
    for change in sorted(scenario.changes, key=lambda change: change.start):
        if len(problems) >= ENOUGH or pairs > MOST_STEPS**2:
            break
        cells = geography.cells(change.areas, change.providers)
        for assignment in change.assignments:
            found = check_assignment(assignment, parameters)
            problems += found
            if errors(found):
                continue
            parameter, labels = _found(parameters, assignment)
            for target, amount in targets(assignment, parameter, labels):
                pairs += 2 * len(steps.get((parameter.name, target), ())) + 1
                steps.setdefault((parameter.name, target), []).append(
                    Step(
                        first=(change.start - scenario.start).days,
                        last=NEVER if change.end is None else (change.end - scenario.start).days,
                        ramp=max(change.ramp_days, 1),
                        everyone=change.applies_to == "all",
                        action=assignment.action,
                        amount=amount,
                        cells=cells,
                        change=change,
                        assignment=assignment,
                    )
                )
    if pairs > MOST_STEPS**2:
        problems.append(_too_many(steps))
    frozen = {key: tuple(value) for key, value in sorted(steps.items())}
    resolved = Resolved(scenario, parameters, geography, chosen, frozen, overrides=overrides)
    if not errors(problems):
        problems += _results_outside_limits(resolved)
    if errors(problems):
        raise ScenarioError(in_order(problems))
    resolved.warnings += in_order(problems)
    return resolved


def _too_many(steps: Mapping[Key, list[Step]]) -> Problem:
    """Refuse what would take minutes to work out, at the last change that was looked at."""
    (name, labels), most = max(steps.items(), key=lambda item: len(item[1]))
    last = most[-1].assignment
    text = f"{'.'.join((name, *labels))} is changed {len(most):,} times or more"
    if len(most) < MOST_STEPS:
        text += f", and so are many of {len(steps) - 1:,} other values"
    hint = f"one value may be changed {MOST_STEPS} times, many values less often each"
    return Problem("too_large", text, last.file, last.line, last.column, hint)


def _found(parameters: Parameters, assignment: Assignment) -> tuple[Parameter, Labels]:
    found = parameters.find(assignment.name)
    assert found is not None
    return found


def _results_outside_limits(resolved: Resolved) -> list[Problem]:
    """Factors and amounts that carry a value beyond what is allowed, on the days where they can do so."""
    problems = []
    for key, steps in resolved.changed().items():
        parameter = resolved.parameters[key[0]]
        moves = [step for step in steps if step.action != "set"]
        if parameter.kind != "number" or not moves:
            continue
        days = {min(step.first + step.ramp - 1, step.last - 1) for step in steps} | {
            step.last for step in steps
        }
        days |= {step.first for step in steps}
        for day in sorted(day for day in days if 0 <= day <= resolved.day_number(resolved.end)):
            values = resolved.value_grid(key, day)
            worst = next(
                (float(v) for v in np.unique(values) if parameter.problem_with(float(v), key[1])), None
            )
            if worst is None:
                continue
            culprit = next((s for s in reversed(moves) if s.first <= day < s.last), moves[-1])
            shown = ".".join((key[0], *key[1]))
            place = (culprit.assignment.file, culprit.assignment.line, culprit.assignment.column)
            text = (
                f"{shown} becomes {quote(worst)} on {resolved.date(day)}, outside {parameter.limits_text()}"
            )
            problems.append(Problem("out_of_range", text, *place, hint=f"{culprit.action} by less"))
            break
    return problems
