"""A model whose counts are a known function of its parameters: what draws and sensitivity say of it can be worked out.

The number of prisoners of each month is a hundred plus the function, times `SCALE`, plus luck of the replication; a
scenario may add `function.lift` times the first parameter.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from experiment_fake_model import RunOutput, RunRequest, luck

from simulation.experiment.windows import whole_months

SCALE = 1000
#: The headline measure that shows the function.
MEASURE = "prison_sentenced"

PARAMETERS = """\
function.first:
  description: First argument.
  value: 0.0
  unit: number
  low: -3.141592654
  high: 3.141592654
  confidence: S
  source: "Made up, <for> tests."
function.second:
  description: Second argument.
  value: 0.0
  unit: number
  low: -3.141592654
  high: 3.141592654
  confidence: D
  source: "Made up for tests."
function.third:
  description: Third argument.
  value: 0.0
  unit: number
  low: -3.141592654
  high: 3.141592654
  confidence: assume
  source: "Made up for tests."
function.idle:
  description: Moves nothing.
  value: 1.0
  unit: number
  low: 0.0
  high: 2.0
  confidence: assume
  source: "Made up for tests."
function.shares:
  description: Parts of a whole, which move nothing.
  value:
    one: 0.2
    two: 0.3
    three: 0.5
  unit: share
  low: {one: 0.1, two: 0.2, three: 0.4}
  high: {one: 0.4, two: 0.5, three: 0.6}
  confidence: assume
  source: "Made up for tests."
function.days:
  description: A whole number, which moves nothing.
  value: 10
  unit: days
  low: 5
  high: 30
  confidence: assume
  source: "Made up for tests."
function.off:
  description: Something that could be done and isn't.
  value: 0
  unit: share
  low: 0
  high: 1
  confidence: assume
  source: "Made up for tests."
function.lever:
  description: Something that could be done otherwise.
  value: 1.0
  unit: ratio
  low: 0.5
  high: 2.0
  confidence: assume
  source: "Lever; 1 leaves things as they are."
function.kind:
  description: Which function.
  value: linear
  choices: [linear, ishigami]
  unit: word
  confidence: assume
  source: "Made up for tests."
function.luck:
  description: How much luck there is.
  value: 0.0
  unit: number
  confidence: assume
  source: "Made up for tests."
function.lift:
  description: What the scenario adds of the first argument.
  value: 0.0
  unit: number
  confidence: assume
  source: "Made up for tests."
function.fails:
  description: Whether runs fail.
  value: false
  unit: flag
  confidence: assume
  source: "Made up for tests."
"""


def write_parameters(folder: Path) -> None:
    (folder / "function.yaml").write_text(PARAMETERS, encoding="utf-8")


def value_of(kind: str, first: float, second: float, third: float) -> float:
    """The Ishigami function with a = 7 and b = 0.1, or 4 times the first argument and twice the second."""
    if kind == "linear":
        return 4 * first + 2 * second
    return math.sin(first) + 7 * math.sin(second) ** 2 + 0.1 * third**4 * math.sin(first)


def run_model(request: RunRequest) -> RunOutput:
    resolved = request.resolved
    columns: dict[str, list[Any]] = {
        name: [] for name in ("area", "provider", "group", "month", "measure", "value", "known_on")
    }
    if resolved.on(0).flag("function.fails"):
        raise ValueError("this run was told to fail")
    for month in whole_months(resolved.start, resolved.end):
        year, number = (int(part) for part in month.split("-"))
        now = resolved.on(max(0, (resolved.start.replace(year=year, month=number, day=1) - resolved.start).days))
        first, second, third = (now.number(f"function.{name}") for name in ("first", "second", "third"))
        # Normal luck of the replication alone: an average of twelve uniform draws.
        draws = [luck(request.seed, request.replication, n) / 1000 - 0.4995 for n in range(12)]
        value = 100 + value_of(now.text("function.kind"), first, second, third) + now.number("function.lift") * first
        # Luck meets the parameters too, so that it does not cancel between them.
        own = int.from_bytes(hashlib.sha256(f"{request.replication}|{first}|{second}".encode()).digest()[:4], "big")
        value += now.number("function.luck") * (sum(draws) + (own / 2**32 - 0.5) * math.sqrt(12))
        row = ("durham", "all", "all", month, "prison_determinate", round(SCALE * value), f"{month}-28")
        for column, item in zip(columns.values(), row, strict=True):
            column.append(item)
    return RunOutput(columns, ["a"], {"2017-01": "b"}, {})


def run_family(requests: Sequence[RunRequest]) -> Iterator[tuple[int, RunOutput]]:
    for position, request in enumerate(requests):
        yield position, run_model(request)
