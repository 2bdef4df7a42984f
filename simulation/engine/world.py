"""A world: the clock, its tables, agendas and channels, and how to save it at midnight.

All state lives in tables, agendas and channels; a process holds none across a ``yield``. So a run can be
saved at any midnight and continued to the same bytes: a new SimPy environment starts at that day and the same
process functions are started again.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from datetime import date
from typing import Any

import numpy as np
import simpy
from numpy.typing import NDArray

from simulation.engine.agenda import NOBODY, Agenda, cancel_each, each_once
from simulation.engine.calendar import Calendar
from simulation.engine.clock import Clock
from simulation.engine.tables import Table

ProcessFunction = Callable[[], Generator[simpy.Event, Any, Any]]


class Channel:
    """A store of batches of rows: an arrow between two subsystems.

    A channel is drained once a phase; its contents are sorted into one batch, so the order in which senders
    acted leaves no trace.
    """

    def __init__(self) -> None:
        # Nobody waits for a batch: a phase drains what is there. So this needs none of a simpy.Store's events.
        self.batches: list[NDArray[np.intp]] = []

    def send(self, rows: NDArray[np.integer]) -> None:
        """Hand on a batch of rows."""
        if rows.size:
            self.batches.append(np.asarray(rows, dtype=np.intp))

    def drain(self) -> NDArray[np.intp]:
        """Take everything that has been sent, each row once, in row order."""
        batches = self.batches
        if not batches:
            return NOBODY
        rows = each_once(batches[0] if len(batches) == 1 else np.concatenate(batches))
        batches.clear()
        return rows


class World:
    """Clock, tables, agendas and channels of one run.

    Parameters
    ----------
    start : datetime.date
        Day 0.
    phases : sequence of str
        Phases of a day in order.
    calendar : Calendar, optional
        Given to save making one.
    """

    def __init__(self, start: date, phases: Sequence[str], calendar: Calendar | None = None) -> None:
        self.calendar = calendar or Calendar(start)
        self._functions: list[ProcessFunction] = []
        self.tables: dict[str, Table] = {}
        self.agendas: dict[str, Agenda] = {}
        self.channels: dict[str, Channel] = {}
        self.environment = simpy.Environment()
        self.clock = Clock(self.environment, self.calendar, phases)

    @property
    def today(self) -> int:
        """Day number of the current day."""
        # What `environment.now` returns; asked for so often that a second property on the way would count.
        return int(self.environment._now)

    def table(self, name: str, table: Table) -> Table:
        """Register a table so that it is saved with the world."""
        self.tables[name] = table
        return table

    def agenda(self, name: str, rows: int = 0) -> Agenda:
        """Make and register an agenda."""
        self.agendas[name] = Agenda(rows)
        return self.agendas[name]

    def cancel(self, rows: NDArray[np.integer], *names: str) -> None:
        """Take rows off several agendas."""
        if rows.size:
            cancel_each([self.agendas[name] for name in names], rows)

    def channel(self, name: str) -> Channel:
        """Make and register a channel."""
        self.channels[name] = Channel()
        return self.channels[name]

    def process(self, function: ProcessFunction) -> None:
        """Start a process now, and again whenever the world is restored.

        Processes that wait for the same phase act in the order in which they were first given here.
        """
        self._functions.append(function)
        self._start(function)

    def _start(self, function: ProcessFunction) -> None:
        self.clock.enlist(self.environment.process(function()))

    def run_until(self, day: int) -> None:
        """Run up to the midnight at which ``day`` begins."""
        if day > self.environment.now:
            self.environment.run(until=day)

    def save(self) -> dict[str, Any]:
        """Return a copy of all state.

        Raises
        ------
        RuntimeError
            If it isn't midnight.
        """
        if self.environment.now != int(self.environment.now):
            raise RuntimeError("a world can only be saved at midnight")
        return {
            "day": int(self.environment.now),
            "tables": {name: table.save() for name, table in self.tables.items()},
            "agendas": {name: agenda.save() for name, agenda in self.agendas.items()},
            "channels": {
                name: [batch.copy() for batch in channel.batches]
                for name, channel in self.channels.items()
            },
        }

    def restore(self, saved: dict[str, Any]) -> None:
        """Put back what :meth:`save` returned and start every process again at that midnight."""
        self.environment = simpy.Environment(initial_time=saved["day"])
        self.clock.restart(self.environment)
        for name, table in self.tables.items():
            table.restore(saved["tables"][name])
        for name, agenda in self.agendas.items():
            agenda.restore(saved["agendas"][name])
        for name, channel in self.channels.items():
            channel.batches = [batch.copy() for batch in saved["channels"][name]]
        for function in self._functions:
            self._start(function)
