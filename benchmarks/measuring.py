"""Measurements in processes of their own, taken in turns, and their medians and spread.

Forms take turns so that a busy moment of the machine meets all of them.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

Measured = dict[str, Any]
#: What was measured, by what it was measured of: one entry a turn.
Results = dict[str, list[Measured]]


def peak_megabytes(of_children: bool = False) -> float:
    """Return the most memory that this process, or the largest that it started, has held; in millions of bytes."""
    who = resource.RUSAGE_CHILDREN if of_children else resource.RUSAGE_SELF
    # Told in bytes by macOS, in blocks of 1,024 bytes by Linux.
    return resource.getrusage(who).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6


def measure(module: str, *arguments: object) -> Measured:
    """Run a module of this folder as a process and return the line of JSON that it prints.

    Raises
    ------
    SystemExit
        It failed; the message is what it wrote.
    """
    command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[2:])} failed:\n{done.stderr}")
    return json.loads(done.stdout)


def in_turns(jobs: Mapping[str, Callable[[], Measured]], repeats: int, begun: int = 0) -> Results:
    """Do every job once, then every job again, and so on; ``begun`` turns more are done and not kept."""
    results: Results = {name: [] for name in jobs}
    for turn in range(-begun, repeats):
        for name, job in jobs.items():
            print(f"{f'turn {turn + 1} of {repeats}' if turn >= 0 else 'before'}: {name}", file=sys.stderr, flush=True)
            found = job()
            if turn >= 0:
                results[name].append(found)
    return results


def spread(values: list[float], form: str = ",.2f", factor: float = 1.0) -> str:
    """Return the median and, if there are several values, the lowest and the highest."""
    middle, low, high = (f"{each * factor:{form}}" for each in (median(values), min(values), max(values)))
    return middle if len(values) == 1 else f"{middle} ({low}-{high})"


def table(header: list[str], rows: list[list[str]], words: int = 1) -> str:
    """Return a Markdown table; the first ``words`` columns are words, the others numbers."""
    lines = ["---" if number < words else "---:" for number in range(len(header))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, lines, *rows))
