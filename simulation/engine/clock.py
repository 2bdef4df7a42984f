"""The clock: SimPy's time in days, cut into named phases in one written order.

SimPy breaks ties between events by when they were scheduled, so how often processes wake would decide who
acts first. Here a process waits only for a *named phase*; time is day + position / 16, which is exact in
binary, and two phases never tie. Processes that wait for the same phase act in the order in which they were
enlisted, whatever else they waited for in between: otherwise a run continued from a midnight could differ
from one that never stopped.
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
        #: By process: events of one moment are processed in the order of these.
        self._priorities: dict[simpy.Process | None, simpy.events.EventPriority] = {}
        # Position 0 is midnight: a run is saved and continued there, before anything has happened.
        self._offset = {name: (position + 1) / PARTS for position, name in enumerate(phases)}

    def enlist(self, process: simpy.Process | None) -> simpy.events.EventPriority:
        """Give a process its place among those that wait for the same phase, after all enlisted so far; return it."""
        priority = simpy.events.EventPriority(simpy.events.NORMAL + 1 + len(self._priorities))
        self._priorities[process] = priority
        return priority

    def restart(self, environment: simpy.Environment) -> None:
        """Go on in a new environment, with no process enlisted."""
        self.environment = environment
        self._priorities = {}

    def phase(self, name: str) -> simpy.Event:
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
        environment = self.environment
        # What `now` and `active_process` return: properties on the way would count.
        now = environment._now
        wait = int(now) + self._offset[name] - now
        if wait <= 0:
            wait += 1
        process = environment._active_proc
        priority = self._priorities.get(process)
        if priority is None:
            # A process that nobody enlisted takes its place when it first asks.
            priority = self.enlist(process)
        # A SimPy timeout with a priority: events of one moment are processed in order of priority.
        event = simpy.Event(environment)
        event._ok, event._value = True, None
        environment.schedule(event, priority, wait)
        return event
