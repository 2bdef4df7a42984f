"""The clock: SimPy's time in days, cut into named phases in one written order.

SimPy breaks ties between events by when they were scheduled, so the order in which processes happen to be
registered, or how often they wake, would decide who acts first. Here a process waits only for a *named phase*;
time is day + position / 16, which is exact in binary, and two phases never tie.
"""

from __future__ import annotations

from collections.abc import Sequence

import simpy

from simulation.engine.calendar import Calendar

#: Positions in a day; a power of two keeps day + position / PARTS exact.
PARTS = 16


class Clock:
    """Names the phases of a day and hands out events for them.

    Parameters
    ----------
    environment : simpy.Environment
        Its time unit is one day.
    calendar : Calendar
        Dates and working days.
    phases : sequence of str
        Phases in the order in which they happen; at most 15.
    """

    def __init__(self, environment: simpy.Environment, calendar: Calendar, phases: Sequence[str]) -> None:
        if not 0 < len(phases) < PARTS:
            raise ValueError(f"a day has 1 to {PARTS - 1} phases, not {len(phases)}")
        if len(set(phases)) != len(phases):
            raise ValueError("two phases have the same name")
        self.environment = environment
        self.calendar = calendar
        self.phases = tuple(phases)
        # Position 0 is midnight: a run is saved and continued there, before anything has happened.
        self._offset = {name: (position + 1) / PARTS for position, name in enumerate(phases)}

    @property
    def today(self) -> int:
        """Day number of the current day."""
        return int(self.environment.now)

    def phase(self, name: str) -> simpy.events.Timeout:
        """Return an event for the next time the named phase begins.

        Parameters
        ----------
        name : str
            One of :attr:`phases`.

        Raises
        ------
        KeyError
            If there is no such phase.
        """
        now = self.environment.now
        day = int(now)
        at = day + self._offset[name]
        if at <= now:
            at = day + 1 + self._offset[name]
        return self.environment.timeout(at - now)
