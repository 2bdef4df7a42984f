"""Staffing: sickness, leave, leaving, and who comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.world import Process

if TYPE_CHECKING:
    from twin.office import Area


class Staffing:
    """Those who know who is away.

    Parameters
    ----------
    area : Area
    """

    def __init__(self, area: Area) -> None:
        self.area, self.world = area, area.world

    def evenings(self) -> Process:
        """Each evening."""
        while True:
            yield from self.world.every_day("staffing")
