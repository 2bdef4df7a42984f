"""The toy caseload that every form simulates.

- There are N people and N / 45 officers; a person's officer never changes.
- A contact is due every one to six weeks, always on a weekday, and costs its person's number of minutes.
- An officer has 430 minutes on each weekday. A contact starts if any minutes are left; what it takes beyond
  them is owed on the next weekday. Otherwise it waits, ordered by due day and then by the person's number.
- One person in five doesn't come. The officer's minutes are gone all the same, and they are due a week later;
  whoever came is due again one interval later. Both are counted from the day of the contact.
- Who comes is drawn for (person, visit), so every form sees the same people come.

Officers are about 80% busy. Bank holidays are left out.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from time import process_time

import numpy as np

from benchmarks.measuring import peak_megabytes
from simulation.engine import Chance

START = date(2018, 7, 2)  # a Monday, so weekday = day % 7
MINUTES_A_DAY = 430
PEOPLE_AN_OFFICER = 45
MISSED = 0.2


@dataclass(frozen=True)
class Toy:
    """Everything drawn before the first day; people are numbered officer by officer."""

    people: int
    officers: int
    officer: np.ndarray  # whose caseload each person is on
    weeks: np.ndarray  # between contacts, 1 to 6
    minutes: np.ndarray  # that a contact costs, 50 to 120
    due: np.ndarray  # day number of the first contact, a weekday
    chance: Chance

    def comes(self, visits: int) -> np.ndarray:
        """Return whether each person comes to each of their first visits, for forms that ask singly."""
        keys = np.arange(self.people, dtype=np.uint64)
        draws = [self.chance.uniform(keys, "comes", visit) for visit in range(visits)]
        return np.column_stack(draws) >= MISSED


def make(people: int) -> Toy:
    """Draw a caseload."""
    chance, keys = Chance(seed=1), np.arange(people, dtype=np.uint64)
    officers = max(1, people // PEOPLE_AN_OFFICER)
    weeks = chance.spread(1, 6, keys, "weeks")
    weekday = (chance.uniform(keys, "first contact") * weeks * 5).astype(np.int64)
    return Toy(
        people, officers, np.arange(people) * officers // people, weeks,
        chance.spread(50, 120, keys, "minutes"), calendar_day(weekday), chance,
    )


def calendar_day(weekday: np.ndarray) -> np.ndarray:
    """Return the day number of the n-th weekday."""
    return weekday // 5 * 7 + weekday % 5


def weekdays_before(day: int) -> int:
    """Return how many weekdays lie before the midnight at which ``day`` begins."""
    return day // 7 * 5 + min(day % 7, 5)


#: A form takes a caseload and the days at whose midnight to stop, and yields the contacts made by each.
Form = Callable[[Toy, list[int]], Iterator[int]]


def main(form: Form) -> None:
    """Run one form as a program: people, days of warm-up and days to measure; print one line of JSON.

    Seconds are of processor time, which other programs on the machine disturb less than time on the clock;
    every form uses one core.
    """
    people, warm_up, days = map(int, sys.argv[1:])
    stops = form(make(people), [warm_up, warm_up + days])
    before, started = next(stops), process_time()
    made, seconds = next(stops) - before, process_time() - started
    print(json.dumps({"contacts": made, "seconds": seconds, "megabytes": peak_megabytes()}))
