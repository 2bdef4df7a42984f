"""The clock: SimPy's time in days, cut into named phases in one written order.

SimPy breaks ties between events by when they were scheduled, so how often processes wake would decide who
acts first. Here a process waits only for a *named phase*; time is day + position / 16, which is exact in
binary, and two phases never tie. All who wait for a phase wait for one event, so a day is as many events as it
has phases. They act in the order in which they were enlisted, whatever else they waited for in between: otherwise
a run continued from a midnight could differ from one that never stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import simpy

from simulation.engine.calendar import Calendar

#: Positions in a day; a power of two keeps day + position / PARTS exact.
PARTS = 16

#: The place of the last who waits, where their order is found only when the phase begins.
_UNORDERED = -1


class _Phase:
    """A phase of the day, the event for the next time it begins, and the place of the last who waits for that."""

    __slots__ = ("event", "last", "offset")

    def __init__(self, offset: float) -> None:
        self.offset = offset
        self.event: simpy.Event | None = None
        self.last = 0


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
        #: By process: those that wait for one phase go on in the order of these.
        self._places: dict[simpy.Process | None, int] = {}
        # Position 0 is midnight: a run is saved and continued there, before anything has happened.
        self._coming = {name: _Phase((position + 1) / PARTS) for position, name in enumerate(phases)}

    def enlist(self, process: simpy.Process | None) -> int:
        """Give a process its place among those that wait for the same phase, after all enlisted so far; return it."""
        place = self._places[process] = len(self._places)
        return place

    def restart(self, environment: simpy.Environment) -> None:
        """Go on in a new environment, with no process enlisted and none that waits."""
        self.environment = environment
        self._places = {}
        for coming in self._coming.values():
            coming.event = None

    def phase(self, name: str) -> simpy.Event:
        """Return the event for the next time the named phase begins, to be waited for at once.

        All who wait for a phase wait for one event: a day is as many events as it has phases, not processes.

        Parameters
        ----------
        name : str
            One of :attr:`phases`.

        Raises
        ------
        KeyError
            If there is no such phase.
        """
        coming = self._coming[name]
        # What `active_process` returns: a property on the way would count.
        process = self.environment._active_proc
        place = self._places.get(process)
        if place is None:
            # A process that nobody enlisted takes its place when it first asks.
            place = self.enlist(process)
        event, last = coming.event, coming.last
        # An event without callbacks has happened, or is happening.
        if event is None or event.callbacks is None:
            event = coming.event = self._schedule(coming.offset)
            coming.last = place
        elif place < last:
            # Somebody asked before who is to act later.
            event.callbacks.insert(0, _in_order_of(self._places, event.callbacks))
            coming.last = _UNORDERED
        elif last != _UNORDERED:
            coming.last = place
        return event

    def _schedule(self, offset: float) -> simpy.Event:
        """Make an event for the next time the day comes to a moment."""
        environment = self.environment
        now = environment._now
        wait = int(now) + offset - now
        event = simpy.Event(environment)
        event._ok, event._value = True, None
        environment.schedule(event, delay=wait if wait > 0 else wait + 1)
        return event


def _in_order_of(places: dict[simpy.Process | None, int], waiting: list[Any]) -> Callable[[simpy.Event], None]:
    """Return what puts those who wait for an event in order of their places; it is itself the first of them."""

    def put_in_order(_: simpy.Event) -> None:
        waiting[1:] = sorted(waiting[1:], key=lambda resume: places[resume.__self__])

    return put_in_order
