"""Scenarios of a few lines, made in code."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

from simulation.scenario import Assignment, Change, Resolved, Scenario

PARAMETERS = Path(__file__).parent / "parameters"
START = datetime.date(2017, 1, 1)

Make = Callable[..., Resolved]


def change(day: int, ends: int | None = None, **options: Any) -> Change:
    """A change between day numbers; options are ``set``, ``multiply``, ``add`` and fields of `Change`."""
    blocks = {action: options.pop(action, {}) for action in ("set", "multiply", "add")}
    return Change(
        start=START + datetime.timedelta(days=day),
        end=None if ends is None else START + datetime.timedelta(days=ends),
        assignments=tuple(
            Assignment(action, name, value)  # type: ignore[arg-type]
            for action, block in blocks.items()
            for name, value in block.items()
        ),
        **options,
    )


def scenario(*changes: Change, days: int = 1000, **options: Any) -> Scenario:
    """A scenario of a thousand days from 1 January 2017."""
    options = {
        "name": "test",
        "title": "A test",
        "count_from": START + datetime.timedelta(days=100),
        **options,
    }
    return Scenario(start=START, end=START + datetime.timedelta(days=days), changes=changes, **options)
