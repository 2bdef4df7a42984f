"""The toy caseload in every form: what each is, how it is measured, and the table of how fast each runs."""

from __future__ import annotations

import importlib.util
from statistics import median
from typing import NamedTuple

from benchmarks.measuring import Measured, Results, in_turns, measure, spread, table


class Form(NamedTuple):
    """A form of the toy caseload, the library it needs beside the project's own, and days of warm-up and measured."""

    module: str
    title: str
    library: str | None
    warm_up: int
    days: int


NAIVE, ENGINE, COMPILED = "naive_simpy", "engine", "compiled"
FORMS = [
    Form(NAIVE, "SimPy, a process a person", None, 7, 3),
    Form("with_ciw", "Ciw, a closed network an officer", "ciw", 7, 3),
    Form("with_salabim", "salabim, a component a person", "salabim", 7, 3),
    Form(ENGINE, "**this engine**, a batch a day", None, 28, 182),
    Form(COMPILED, "one compiled loop", "numba", 28, 182),
]


def measure_forms(people: int, repeats: int) -> Results:
    """Measure every form whose library is there."""
    installed = [form for form in FORMS if form.library is None or importlib.util.find_spec(form.library)]

    def job(form: Form) -> Measured:
        return measure(form.module, people, form.warm_up, form.days)

    return in_turns({form.module: lambda form=form: job(form) for form in installed}, repeats)


def rates(results: Results, form: str) -> list[float]:
    """Return contacts a second of processor time, by turn."""
    return [found["contacts"] / found["seconds"] for found in results[form]]


def forms_table(results: Results) -> str:
    """Return the table of all forms as Markdown."""
    rate = {form.module: median(rates(results, form.module)) for form in FORMS if form.module in results}
    header = ["form", "contacts a second", "times the naive form", "of the compiled loop", "peak memory, MB", "days"]
    rows = []
    for form in FORMS:
        if form.module not in rate:
            rows.append([form.title, f"{form.library} is not installed", "", "", "", ""])
            continue
        memory = median(found["megabytes"] for found in results[form.module])
        share = f"{rate[form.module] / rate[COMPILED]:.2%}" if COMPILED in rate else ""
        times = f"{rate[form.module] / rate[NAIVE]:,.1f}"
        a_second = spread(rates(results, form.module), ",.0f")
        rows.append([form.title, a_second, times, share, f"{memory:,.0f}", f"{form.days}"])
    return table(header, rows)
