"""The levers of a day, remembered: each parameter is looked up once between changes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulation.scenario import Effective, Resolved
from simulation.system.quantiles import Lookup

#: How many of the people supervised move to another area in a year.
AREA_MOVES = "allocation.area_moves_per_year"


def anybody_moves(resolved: Resolved) -> bool:
    """Tell whether somebody may move to another area on any day of the run: there is one, and a rate above 0."""
    if len(resolved.areas) < 2:
        return False
    return any(bool(resolved.on(day).grid(AREA_MOVES).any()) for day in [0, *resolved.change_days()])


class Levers:
    """Remembers what an :class:`~simulation.scenario.Effective` answers; same questions, same answers.

    Parameters
    ----------
    effective : Effective
        Values in force on a day.
    blocks : int
        How many times the cells (area x 2 + side) are there: see :mod:`simulation.system.groups`.
    """

    def __init__(self, effective: Effective, blocks: int = 1) -> None:
        self._effective = effective
        self._blocks = blocks
        self._known: dict[tuple[str, ...], Any] = {}

    def _ask(self, method: str, name: str, *labels: str) -> Any:
        key = (method, name, *labels)
        try:
            return self._known[key]
        except KeyError:
            answer = getattr(self._effective, method)(name, *labels)
        self._known[key] = _remembering(answer) if method == "mapping" else answer
        return self._known[key]

    def number(self, name: str) -> float:
        """Return the national value of a number."""
        return self._ask("number", name)

    def integer(self, name: str) -> int:
        """Return the national value of a whole number."""
        return self._ask("integer", name)

    def flag(self, name: str) -> bool:
        """Return the national value of a yes or no."""
        return self._ask("flag", name)

    def text(self, name: str) -> str:
        """Return the national value of a text."""
        return self._ask("text", name)

    def mapping(self, name: str) -> dict[str, Any]:
        """Return a table of values; not to be changed."""
        return self._ask("mapping", name)

    def grid(self, name: str, *labels: str) -> NDArray[np.float64]:
        """Return the value for each area and side; not to be changed."""
        return self._ask("grid", name, *labels)

    def cells(self, name: str, *labels: str) -> NDArray[np.float64]:
        """Return the value for each cell, for what goes by people's cells; not to be changed."""
        return self.in_cells(self.grid(name, *labels))

    def in_cells(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return values by area and side for each cell: the same for every group of people there."""
        return values.ravel() if self._blocks == 1 else np.tile(values.ravel(), self._blocks)


def _remembering(table: dict[str, Any]) -> Lookup:
    return Lookup({name: _remembering(value) if isinstance(value, dict) else value for name, value in table.items()})
