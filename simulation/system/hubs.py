"""Hubs: pools of agents who make calls for the officers of a provider.

A hub has its own hours and its own queue; its people are counted apart from officers' caseloads. A call that doesn't
fit into the day is put off. An area has its share of its provider's hub (an assumption: real hubs served several
areas), so that areas don't touch. The overrun of a call is taken from tomorrow, as in an officer's day.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulation.engine import Column, Table
from simulation.engine.compiled import compiled
from simulation.system.operating_models import by_operating_model, provider_cases
from simulation.system.service import COUNT_INDEX, Service

Seconds = NDArray[np.int64]


class Hubs:
    """The agents of each area's hub."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._cases = provider_cases(service)
        self.table = service.table("hubs", hubs_table(service.areas * 2))

    def read(self, names: list[list[str]]) -> None:
        """Take the levers of the day.

        Parameters
        ----------
        names : list of list of str
            Operating model by area and side.
        """
        service, levers = self.service, self.service.levers
        a_thousand = by_operating_model(service, names, "contact.hub_agents_per_1000_cases")
        #: Agents in hundredths of a full-time one, by area x 2 + side.
        agents = np.zeros(a_thousand.shape, dtype=np.int64)
        mine = list(service.resolved.areas)
        agents[mine] = np.round(a_thousand * self._cases / 10)[mine]
        self.agents = agents.ravel()
        minutes = levers.number("workload.hub_agent_minutes_a_day")
        self.seconds: Seconds = (self.agents * round(minutes * 60)) // 100
        #: Where there are any, by cell.
        self.open: NDArray[np.bool_] = levers.in_cells(agents > 0)

    def available(self) -> Seconds:
        """Return the time of a day in which calls can be started, by area x 2 + side."""
        left: Seconds = self.seconds - self.table.owed
        return left

    def close(self, used: Seconds) -> None:
        """Note what is owed to tomorrow, and count the day.

        Parameters
        ----------
        used : int64 array (area x 2 + side,)
            Time of the calls started.
        """
        table, flows = self.table, self.service.flows
        _close(
            self.seconds,
            used,
            table.owed,
            table.given,
            table.worked,
            table.unused,
            flows[COUNT_INDEX["hub_seconds_available"]],
            flows[COUNT_INDEX["hub_seconds_worked"]],
        )


@compiled
def _close(
    seconds: Seconds,
    used: Seconds,
    owed: Seconds,
    given: Seconds,
    worked: Seconds,
    unused: Seconds,
    counted_available: Seconds,
    counted_worked: Seconds,
) -> None:
    """Add a day to the running totals and counts of each cell's hub, and note what it owes to tomorrow."""
    for cell in range(seconds.size):
        available = seconds[cell] - owed[cell]
        given[cell] += seconds[cell]
        worked[cell] += used[cell]
        unused[cell] += max(0, available - used[cell])
        owed[cell] = max(0, used[cell] - available)
        counted_available[cell] += seconds[cell]
        counted_worked[cell] += used[cell]


def unbalanced(table: Table) -> NDArray[np.intp]:
    """Return the cells in which time given, and owed, isn't time worked or unused."""
    return np.flatnonzero((table.given + table.owed != table.worked + table.unused) | (table.owed < 0))


def hubs_table(cells: int) -> Table:
    """Return the table of hubs by cell (area x 2 + side): what is owed, and running totals that must balance."""
    table = Table(
        "hubs",
        [
            Column("owed", "int64", "seconds", "Overrun of the hub, taken from tomorrow."),
            Column("given", "int64", "seconds", "Time of its agents since the start."),
            Column("worked", "int64", "seconds", "Time of calls started since the start."),
            Column("unused", "int64", "seconds", "Time left over since the start."),
        ],
        cells,
    )
    table.add(cells)
    return table
