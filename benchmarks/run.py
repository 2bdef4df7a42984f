"""Measure every form of the toy caseload: ``python -m benchmarks.run [--people 260000] [--quick]``.

Each measurement is a process of its own, after a warm-up that isn't counted. Forms take turns, so that a busy
moment of the machine meets all of them; the table gives medians. A full run writes ``benchmarks/results.md``.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
#: Module, what it is, library it needs beside the project's own, days of warm-up and days measured.
FORMS = [
    ("naive_simpy", "SimPy, a process a person", None, 7, 3),
    ("with_ciw", "Ciw, a closed network an officer", "ciw", 7, 3),
    ("with_salabim", "salabim, a component a person", "salabim", 7, 3),
    ("engine", "**this engine**, a batch a day", None, 28, 182),
    ("compiled", "one compiled loop", "numba", 28, 182),
]


def measure(form: str, people: int, warm_up: int, days: int) -> dict[str, float]:
    """Run a form once in its own process."""
    command = [sys.executable, "-m", f"benchmarks.{form}", *map(str, (people, warm_up, days))]
    done = subprocess.run(command, cwd=HERE.parent, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{form} failed:\n{done.stderr}")
    return json.loads(done.stdout)


def table(people: int, repeats: int) -> str:
    """Measure everything and return the table as Markdown."""
    installed = [form for form in FORMS if form[2] is None or importlib.util.find_spec(form[2])]
    results: dict[str, list[dict[str, float]]] = {form[0]: [] for form in installed}
    for repeat in range(repeats):
        for name, _, _, warm_up, days in installed:
            print(f"run {repeat + 1} of {repeats}: {name}", file=sys.stderr)
            results[name].append(measure(name, people, warm_up, days))
    rate = {name: median(run["contacts"] / run["seconds"] for run in runs) for name, runs in results.items()}
    lines = [
        "| form | contacts a second | times the naive form | of the compiled loop | peak memory, MB | days |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, title, library, _, days in FORMS:
        if name not in rate:
            lines.append(f"| {title} | {library} is not installed | | | | |")
            continue
        share = f"{rate[name] / rate['compiled']:.2%}" if "compiled" in rate else ""
        memory = median(run["megabytes"] for run in results[name])
        times = rate[name] / rate["naive_simpy"]
        lines.append(f"| {title} | {rate[name]:,.0f} | {times:,.1f} | {share} | {memory:,.0f} | {days} |")
    return "\n".join(lines)


def machine() -> str:
    """Describe the machine and the libraries in one sentence."""
    libraries = filter(importlib.util.find_spec, ("numpy", "simpy", "ciw", "salabim", "numba"))
    versions = ", ".join(f"{name} {version(name)}" for name in libraries)
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {versions}."


def main() -> None:
    """Read the command line, measure, print and write."""
    parser = argparse.ArgumentParser(description="Measure every form of the toy caseload.")
    parser.add_argument("--people", type=int, help="people on probation (260000, or 26000 if quick)")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each form; the median counts (3)")
    parser.add_argument("--quick", action="store_true", help="one run each; nothing is written")
    options = parser.parse_args()
    people = options.people or (26_000 if options.quick else 260_000)
    made = table(people, 1 if options.quick else options.repeats)
    print(made)
    if not options.quick:
        text = f"""# How fast each form runs

The same toy caseload of {people:,} people and {people // 45:,} officers in five forms;
[toy.py](toy.py) gives its rules, and each form says which it can't keep exactly. Contacts a second of
processor time on one core, after a warm-up; medians of {options.repeats} runs. Slow forms are run over fewer
days. Memory includes each library itself (for the compiled loop, mostly its compiler).

{made}

{machine()} Made by `python -m benchmarks.run`.
"""
        (HERE / "results.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
