"""Officers: each is a process that sorts the day's work every morning and does it while time is left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from simulation.engine.chance import mix
from twin.people import Person, Sentence
from twin.world import Process, World

if TYPE_CHECKING:
    from twin.office import Area

#: Hundredths of an hour a week.
FULL_TIME = 3700


@dataclass(eq=False)
class Task:
    """One piece of work about one person."""

    person: Person
    kind: str
    due: int
    seconds: int
    sentence: Sentence | None = None


@dataclass(eq=False)
class Officer:
    """A post and whoever holds it.

    Parameters
    ----------
    number : int
        Lowest first where two have equally little.
    hours : int
        Contracted, in hundredths of an hour a week.
    holder : int
        Number of the present holder: every new one has luck of their own.
    owes, saved : int
        Seconds that come off the next day at work, or on top.
    is_covered : bool
        Away for so long that others have the cases.
    """

    world: World
    number: int
    key: int
    office: int
    employer: int
    grade: str
    filled: bool
    since: int
    hours: int
    holder: int = 0
    # At work.
    cases: set[Person] = field(default_factory=set)
    points: int = 0
    owes: int = 0
    saved: int = 0
    # Away.
    days_in_post: int = 0
    new_until: int | None = None
    sick_until: int | None = None
    leave_until: int | None = None
    is_covered: bool = False
    # Leaving and replacing.
    hazard: float = 0.0
    pressure: float = 1.0
    stage: int = 0
    adverts: int = 0
    ahead: dict[str, int] = field(default_factory=dict)

    # What lies ahead

    def plan(self, what: str, day: int, then: Callable[[], None]) -> None:
        """Book something for a day, in place of whatever of the kind was booked."""
        self.ahead[what] = day
        self.world.environment.process(self._wait(what, day, then))

    def _wait(self, what: str, day: int, then: Callable[[], None]) -> Process:
        yield self.world.until(day, what)
        if self.ahead.get(what) == day:
            del self.ahead[what]
            then()

    def forget(self, *names: str) -> None:
        """Take back dates."""
        for name in names:
            self.ahead.pop(name, None)

    # Luck

    def draw(self, purpose: str, occurrence: int) -> float:
        """Return a draw of the post."""
        return self.world.draw(self.key, purpose, occurrence)

    def day_in_post(self) -> int:
        """Return the number of today among the working days of this holder, for draws."""
        return self.holder * 65536 + self.days_in_post

    # Cases

    def take(self, person: Person) -> None:
        """Take a case."""
        self.cases.add(person)
        self.points += points_of(person)

    def give_up(self, person: Person) -> None:
        """Give a case up; the points of one that is over stay until they are counted anew."""
        self.cases.remove(person)
        self.points -= points_of(person)

    def points_now(self) -> list[int]:
        """Return the tool's points of each case as they are now."""
        return [points_of(person) for person in self.cases]

    def count_points(self) -> None:
        """Count the tool's points anew."""
        self.points = sum(self.points_now())

    # At work or away

    def hours_left(self) -> int:
        """Return the weekly hours for cases, in hundredths: contracted, less what the workload tool takes off."""
        if not self.is_in_service():
            return 0
        if self.new_until is not None and self.world.today < self.new_until:
            return self.hours - round(self.hours * self.world.value("staff.pso.training_reduction"))
        return self.hours

    def is_in_service(self) -> bool:
        """Tell whether somebody is in post who isn't away for long."""
        return self.filled and not self.is_covered

    def is_sick(self) -> bool:
        """Off sick today."""
        return self.sick_until is not None and self.world.today < self.sick_until

    def is_on_leave(self) -> bool:
        """On leave today."""
        return self.leave_until is not None and self.world.today < self.leave_until

    def is_present(self) -> bool:
        """At work today."""
        return self.is_in_service() and not self.is_sick() and not self.is_on_leave()


def points_of(person: Person) -> int:
    """Return the tool's points a month of a case: none where no sentence is left, though the person is committed."""
    if person.setting == "none":
        return 0
    setting = {"custody": "custody", "licence": "licence"}.get(person.setting, "community")
    return int(person.world.value("workload.tariff_points", setting, person.tier))


class Diaries:
    """Puts tasks into diaries. A task goes with its person, to whoever holds the case.

    Parameters
    ----------
    area : Area
    """

    def __init__(self, area: Area) -> None:
        self.area, self.world = area, area.world

    def add(self, person: Person, kind: str, due: int, sentence: Sentence | None = None, part: float = 1.0) -> None:
        """Put a task into the diary of whoever holds the case."""
        minutes = self.world.value("workload.minutes", kind) * self.world.value("workload.true_to_tool_minutes")
        person.tasks.append(Task(person, kind, due, round(60 * minutes * part), sentence))

    def drop(self, person: Person, sentence: Sentence) -> None:
        """Drop tasks about a sentence."""
        person.tasks = [task for task in person.tasks if task.sentence is not sentence]

    def close(self, person: Person) -> None:
        """Drop the tasks of a case that is over."""
        person.tasks.clear()

    def drop_first_appointments(self, person: Person) -> None:
        """Drop the first appointment of somebody who has left the community."""
        person.tasks = [task for task in person.tasks if task.kind != "first_appointment"]

    def drop_parole_reports(self, person: Person, sentence: Sentence) -> None:
        """Drop the report for the Parole Board of somebody who is out again without it."""
        kept = [task for task in person.tasks if task.kind != "parole_report" or task.sentence is not sentence]
        person.tasks = kept

    def tidy(self, person: Person) -> None:
        """Drop plans and reviews of somebody who is no longer in the community, before the day's work."""
        if not person.is_in_community:
            person.tasks = [task for task in person.tasks if task.kind not in ("plan", "review")]


def mixed(number: int) -> int:
    """Return the mixed number that settles who comes first among equals, and favours nobody."""
    return int(mix(np.array([number % 2**64], dtype=np.uint64))[0])


def rank_of(world: World, kind: str, model: str) -> int:
    """Return the rank of a kind of work, lowest first."""
    if kind in ("contact", "plan", "review"):
        return int(world.value("workload.priority_of_model", model, kind))
    return int(world.value("workload.priority", kind))

