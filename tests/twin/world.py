"""The world: the clock, the values in force, the luck of everybody, and the record of what happens.

Time is SimPy's. One unit is a day, and a day is cut into *moments* in one written order (`MOMENTS`): whoever has
something to do then waits for the moment by its name. Everything that may be ahead of a person (the next contact, the
end of a sentence, a hearing) is one small process that sleeps until its moment; see `twin.people.Person.plan`.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import simpy

from simulation.engine.calendar import YEAR_DAYS, Calendar
from simulation.engine.chance import Chance, inverse_normal, inverse_poisson, logarithms, minus_log_of, uniform_of
from simulation.scenario import CRC, NPS, Resolved

if TYPE_CHECKING:
    from twin.officers import Officer
    from twin.people import Person

__all__ = ["CRC", "MOMENTS", "NPS", "Process", "World", "at_percentile", "cut"]

Process = Generator[simpy.Event, Any, None]

#: The moments of a day, in the order in which they come. Two people at the same moment never look at one another;
#: where they would (an officer's day, a court's list), there is one process that sorts them.
MOMENTS = (
    "policy",
    # ends
    "legal end",
    # releases
    "curfew release", "release", "committal",
    # hearings
    "recall step", "hearing", "hearings of the day", "conviction",
    # arrivals
    "returns", "court",
    # allocation
    "allocation",
    # crises
    "death", "crisis", "escalate", "hazards", "reoffence",
    # diaries
    "appointments moved", "diaries",
    # consequences
    "curfew papers", "papers", "curfew breach", "recall evening", "pack returns", "enforcement evening",
    # staffing
    "search", "hazards of leaving", "leaves", "cases move", "absences", "end of the day",
)  # fmt: skip
#: More days than any run has.
NEVER = 100_000
PLACE = {name: (place + 1) / 64 for place, name in enumerate(MOMENTS)}


def at_percentile(table: Mapping[str, float], draw: float) -> float:
    """Return the value of a distribution such as ``{p0: 3, p50: 21, p100: 120}`` at a draw: straight lines between."""
    points = [(float(name[1:]) / 100, value) for name, value in table.items()]
    for (low, first), (high, last) in pairwise(points):
        if draw < high:
            return first + (draw - low) / (high - low) * (last - first)
    return points[-1][1]


def cut(shares: Mapping[str, float], draw: float) -> str:
    """Return the name into whose part of a table of shares, in order and relative to their sum, a draw falls."""
    whole = sum(shares.values())
    line = 0.0
    for name, share in shares.items():
        line += share / whole
        if draw < line:
            return name
    return name


class World:
    """One area for one run.

    Parameters
    ----------
    resolved : Resolved
        The scenario, of one area.
    seed : int
        Chance; the first replication.
    """

    def __init__(self, resolved: Resolved, seed: int) -> None:
        (self.area,) = resolved.areas
        self.resolved = resolved
        self.geography = resolved.geography
        self.calendar = Calendar(resolved.start)
        self.chance = Chance(seed, 0)
        self.environment = simpy.Environment()
        self.last_day = (resolved.end - resolved.start).days
        self.people: dict[int, Person] = {}
        self.officers: list[Officer] = []
        self.told: list[tuple[int, int, str, int]] = []
        self._known: dict[tuple[Any, ...], Any] = {}
        self._constants: dict[str, np.uint64] = {}

    # Time

    @property
    def today(self) -> int:
        """Number of the day: 0 is the first."""
        return int(self.environment.now)

    def until(self, day: int, moment: str) -> simpy.Event:
        """Return what to wait for: a moment of a day that is not over."""
        return self.environment.timeout(max(0.0, day + PLACE[moment] - self.environment.now))

    def every_day(self, moment: str) -> Generator[simpy.Event, Any, None]:
        """Wait for the next time this moment comes."""
        today = self.environment.now
        day = int(today) if today < int(today) + PLACE[moment] else int(today) + 1
        yield self.until(day, moment)

    def is_over(self, moment: str) -> bool:
        """Tell whether a moment of today has passed, or is now."""
        return self.environment.now >= self.today + PLACE[moment]

    def is_working(self, day: int) -> bool:
        """Tell whether a day is neither weekend nor bank holiday."""
        return bool(self.calendar.is_working(day))

    def working_day_before(self, day: int) -> int:
        """Return the day itself if it is a working day, else the one before."""
        return int(self.calendar.working_day_before(np.array([day]))[0])

    def working_day_after(self, day: int) -> int:
        """Return the day itself if it is a working day, else the next one."""
        return int(self.calendar.working_day_after(np.array([day]))[0])

    def working_days_later(self, day: int, number: int) -> int:
        """Return the working day so many working days after a day."""
        return self.calendar.after_working_days(day, number)

    def working_days_between(self, first: int, last: int) -> int:
        """Count working days after one day up to another."""
        return int(self.calendar.working_days_between(first, last))

    def nearest_working_day(self, day: int, draw: float) -> int:
        """Return the nearest working day; a draw settles ties."""
        return int(self.calendar.nearest_working_day(np.array([day]), np.array([draw]))[0])

    def is_first_of_month(self) -> bool:
        """Tell whether today is the first of a month."""
        return self.calendar.date(self.today).day == 1

    # Values in force

    def value(self, name: str, *labels: str, side: int = NPS) -> Any:
        """Return the value of a parameter in this area today: a number, or a word."""
        effective = self.resolved.on(self.today)
        asked = (effective.day, name, labels, side)
        if asked not in self._known:
            text = self.resolved.parameters[name].kind == "text"
            grid = effective.text_grid(name, *labels) if text else effective.grid(name, *labels)
            self._known[asked] = grid[self.area, side] if text else float(grid[self.area, side])
        return self._known[asked]

    def table(self, name: str, *labels: str, side: int = NPS) -> dict[str, float]:
        """Return a table of numbers in force today, below some labels."""
        asked = (self.resolved.on(self.today).day, "table", name, labels, side)
        if asked not in self._known:
            leaves = [leaf for leaf in self.resolved.parameters[name].leaves if leaf[: len(labels)] == labels]
            self._known[asked] = {leaf[-1]: self.value(name, *leaf, side=side) for leaf in leaves}
        return self._known[asked]

    def series(self, name: str, day: int | None = None) -> float:
        """Return the value of a dated series on a day, today if none is given."""
        return self.resolved.series_value(name, self.today if day is None else day, self.area)

    def for_sentence_of(self, name: str, day: int) -> float:
        """Return the value for somebody sentenced (or received) on a day, as the law stands today."""
        return float(self.resolved.lookup(name, [day], self.today, self.area, NPS)[0])

    def share(self) -> float:
        """Return the area's part of the demand of the whole country."""
        asked = ("share",)
        if asked not in self._known:
            companies = [provider for provider in self.geography.providers if provider.side == CRC]
            mine = self.geography.provider(self.geography.crc[self.area])
            residents = self.geography.population_thousands
            size = mine.caseload / sum(company.caseload for company in companies)
            part = residents[self.area] / sum(int(residents[area]) for area in mine.areas)
            self._known[asked] = float(size * part)
        return self._known[asked]

    # Luck

    def draw(self, key: int, purpose: str, occurrence: int = 0) -> float:
        """Return somebody's even draw from 0 to below 1 for one purpose and one of several times."""
        if purpose not in self._constants:
            self._constants[purpose] = self.chance.constant(purpose)
        return float(uniform_of(np.uint64(key), self._constants[purpose], occurrence))

    def exponential(self, key: int, purpose: str, occurrence: int = 0) -> float:
        """Return somebody's exponential draw with mean 1."""
        return minus_log(1.0 - self.draw(key, purpose, occurrence))

    def wait(self, key: int, purpose: str, occurrence: int, rate: float) -> int:
        """Return after how many days something comes that comes at a yearly rate: the day that is begun counts."""
        if rate <= 0:
            return NEVER
        return min(NEVER, 1 + int(self.exponential(key, purpose, occurrence) / rate * YEAR_DAYS))

    def normal(self, key: int, purpose: str, occurrence: int = 0) -> float:
        """Return somebody's draw from the standard normal distribution."""
        return float(inverse_normal(np.array([self.draw(key, purpose, occurrence)]))[0])

    def poisson(self, mean: float, key: int, purpose: str) -> int:
        """Return a draw of how many."""
        return int(inverse_poisson(np.array([mean]), np.array([self.draw(key, purpose)]))[0])

    # The record

    def tell(self, person: Person | Officer, kind: str, detail: int = 0) -> None:
        """Write down what happened to somebody, or to a post, today."""
        self.told.append((self.today, person.key, kind, int(detail)))

    def run(self) -> list[tuple[int, int, str, int]]:
        """Let every day pass and return all that was told, sorted."""
        self.environment.run(until=self.last_day + 1)
        return sorted(self.told)


@lru_cache(maxsize=1)
def _logarithms() -> Any:
    return logarithms()


def minus_log(value: float) -> float:
    """Return the natural logarithm of a share, less its sign."""
    return float(minus_log_of(value, _logarithms()))
