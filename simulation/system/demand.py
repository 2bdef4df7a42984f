"""Demand: how many people courts sentence, where and when, and how long the sentences are.

The sentencing series is *total* demand. People who return are a part of it, so new people are the series less the
returns expected in the baseline (a stored curve); in a scenario only the returns move.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulation.engine import Calendar
from simulation.scenario import Geography, Resolved
from simulation.system.quantiles import Lookup

#: Expected returns are looked up for so many days at once.
_DAYS_AT_ONCE = 64

LENGTH_BANDS = (
    "under_6_months",
    "6_to_under_12_months",
    "12_months_to_under_4_years",
    "4_to_10_years",
    "over_10_years",
)


def area_shares(geography: Geography) -> NDArray[np.float64]:
    """Return each area's share of demand: CRC size, shared among its areas by resident population.

    **Assumption**: the same shares hold for every kind of sentence.
    """
    sizes = {provider.name: provider.caseload for provider in geography.providers if provider.side == 1}
    total = sum(sizes.values())
    population: dict[str, float] = {}
    for number, crc in enumerate(geography.crc):
        population[crc] = population.get(crc, 0.0) + float(geography.population_thousands[number])
    return np.array(
        [
            sizes[crc] / total * float(geography.population_thousands[number]) / population[crc]
            for number, crc in enumerate(geography.crc)
        ]
    )


@dataclass
class Demand:
    """Expected sentences by calendar year, and the tables that lengths are drawn from."""

    resolved: Resolved
    calendar: Calendar
    shares: NDArray[np.float64]

    def __post_init__(self) -> None:
        self._known: dict[tuple[str, str | int], Any] = {}

    def _once(self, key: tuple[str, str | int], find: Callable[[], Any]) -> Any:
        if key not in self._known:
            self._known[key] = find()
        return self._known[key]

    def forget(self) -> None:
        """Forget what was remembered, when the scenario changes."""
        self._known.clear()

    def yearly(self, name: str, year: int) -> float:
        """Return the value of a yearly series; the nearest year where the series doesn't reach."""
        return self._once((name, year), lambda: self._yearly(name, year))

    def _yearly(self, name: str, year: int) -> float:
        values = {when.year: value for when, value in self.resolved.series(name)}
        return values[min(max(year, min(values)), max(values))]

    def community_year(self, year: int) -> float:
        """Return supervised starts of community and suspended sentence orders expected in a year."""
        return self._once(("community", year), lambda: self._community_year(year))

    def _community_year(self, year: int) -> float:
        levers = self.resolved.on(0)
        imposed = self.yearly("courts.community_sentences_imposed", year) + self.yearly(
            "courts.suspended_sentences_imposed", year
        )
        return imposed * levers.number("courts.supervised_start_share")

    def suspended_share(self, year: int) -> float:
        """Return the share of supervised starts that are suspended sentence orders."""
        return self._once(("suspended", year), lambda: self._suspended_share(year))

    def _suspended_share(self, year: int) -> float:
        suspended = self.yearly("courts.suspended_sentences_imposed", year)
        imposed = suspended + self.yearly("courts.community_sentences_imposed", year)
        return suspended / imposed if imposed else 0.0

    def custody_year(self, year: int) -> float:
        """Return determinate custodial episodes that begin in a year."""
        return self._once(
            ("custody", year),
            lambda: (
                self.yearly("courts.immediate_custody_imposed", year)
                * self.resolved.on(0).number("courts.custody_episode_share")
            ),
        )

    def working_days(self, year: int) -> int:
        """Return the number of working days of a year."""
        return self._once(("working days", year), lambda: self._working_days(year))

    def _working_days(self, year: int) -> int:
        first, last = self.calendar.day(date(year, 1, 1)), self.calendar.day(date(year, 12, 31))
        return int(self.calendar.working_days_between(first - 1, last))

    def length_shares(self, year: int) -> NDArray[np.float64]:
        """Return the share of custodial episodes in each length band.

        Shares of the base year move with the published index of people sentenced in each band.
        """
        return self._once(("length shares", year), lambda: self._length_shares(year))

    def _length_shares(self, year: int) -> NDArray[np.float64]:
        base = self.resolved.on(0).mapping("custody.length_share")
        weights = np.array(
            [base[band] * self.yearly(f"custody.length_index.{band}", year) for band in LENGTH_BANDS]
        )
        return weights / weights.sum()

    def length_edges(self, year: int) -> NDArray[np.float64]:
        """Return the upper edges of those shares, as a draw is cut by them."""
        return self._once(("length edges", year), lambda: self._length_edges(year))

    def _length_edges(self, year: int) -> NDArray[np.float64]:
        return Lookup(zip(LENGTH_BANDS, self.length_shares(year).tolist(), strict=True)).edges

    def lever(self, name: str, day: int) -> float:
        """Return how far the scenario moves a demand parameter on a day: its value over the baseline's.

        Parameters
        ----------
        name : str
            A yearly series, or a single number.
        day : int
            Day of the run, at least 0.
        """
        def find() -> float:
            if self.resolved.parameters[name].series:
                base = self.yearly(name, self.calendar.date(day).year)
                value = self.resolved.series_value(name, day, 0)
            else:
                base, value = self.resolved.on(0).number(name), self.resolved.on(day).number(name)
            # Where nobody is sentenced there is nothing to move.
            return value / base if base else 1.0

        return self._once((f"lever {name}", self.stretch(day, name)), find)

    def stretch(self, day: int, *names: str) -> int:
        """Return a number that stays the same for as long as none of these parameters can move.

        Changes begin on days, and are read by the month: the first of the month decides unless it is the start.
        """
        moved = self._moved()
        for name in names:
            if name in moved:
                return day
        when = self.calendar.date(day)
        return when.year * 12 + when.month - 1

    def remembered(self, what: str, stretch: int, find: Callable[[], Any]) -> Any:
        """Return what was found before for a stretch of days, see :meth:`stretch`, or else find it."""
        return self._once((what, stretch), find)

    def _moved(self) -> frozenset[str]:
        return self._once(("moved", ""), lambda: frozenset(key[0] for key in self.resolved.changed()))

    def expected_returns(self, kind: str, day: int) -> float:
        """Return people expected to return in a month of 30.4 days, from the stored baseline curve."""
        name = f"population.returns.{kind}"
        if name in self._moved():
            return self._once((name, day), lambda: self.resolved.series_value(name, day, 0))
        # The points of the series alone decide: the values of many days are found at once.
        first = day // _DAYS_AT_ONCE * _DAYS_AT_ONCE
        return self._once((name, first), lambda: self._values_from(name, first))[day - first]

    def _values_from(self, name: str, first: int) -> list[float]:
        """Return the values of a series on the days from one day on, where nothing changes it."""
        days = np.arange(first, first + _DAYS_AT_ONCE)
        values: list[float] = self.resolved.lookup(name, days, first + _DAYS_AT_ONCE - 1, 0).tolist()
        return values
