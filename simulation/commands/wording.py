"""Values and changes in words, for the commands that print them."""

from __future__ import annotations

from simulation.scenario import Parameter
from simulation.scenario.changes import limits_text
from simulation.scenario.effective import Step
from simulation.scenario.problems import quote


def value_in_words(parameter: Parameter, value: object) -> str:
    """A value as its file would give it."""
    return quote(bool(value) if parameter.kind == "flag" else value).strip("'")


def step_in_words(step: Step) -> str:
    """A change to one value: when, how much, where, for whom, and the line it is written on."""
    change = step.change
    words = [f"from {change.start}"]
    if change.end is not None:
        words.append(f"to {change.end}")
    if change.ramp_days > 1:
        words.append(f"over {change.ramp_days} days")
    amount = quote(step.amount).strip("'")
    words.append(
        {"set": f"set to {amount}", "multiply": f"times {amount}", "add": f"plus {amount}"}[step.action]
    )
    if step.cells is not None:
        words.append(limits_text(change))
    if not step.everyone:
        words.append("for new people only")
    return f"{' '.join(words)}  [{step.assignment.file}:{step.assignment.line}]"
