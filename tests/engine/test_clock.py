"""Phases happen in the written order, whoever was registered first and however seldom they wake."""

from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from itertools import permutations

import pytest
import simpy

from simulation.engine import World
from simulation.engine.clock import PARTS

PHASES = ("policy", "ends", "hearings", "counting")
START = date(2018, 7, 2)  # a Monday


def acts(order: tuple[str, ...], weekly: tuple[str, ...] = (), days: int = 15) -> list[tuple[int, str]]:
    """Return (day, phase) as they happen, for processes registered in the given order."""
    world, seen = World(START, PHASES), []

    def daily(name: str) -> Iterator[simpy.Event]:
        while True:
            yield world.clock.phase(name)
            if name not in weekly or world.calendar.weekday(world.today) == 0:
                seen.append((world.today, name))

    def sleeper(name: str) -> Iterator[simpy.Event]:
        """Sleep for a week in SimPy itself: its event is scheduled long before the daily ones."""
        while True:
            yield world.clock.phase(name)
            seen.append((world.today, name))
            yield world.environment.timeout(6.5)

    for name in order:
        function = sleeper if name in weekly and name != "counting" else daily
        world.process(lambda function=function, name=name: function(name))
    world.run_until(days)
    return seen


@pytest.mark.parametrize("order", list(permutations(PHASES)))
def test_written_order_whatever_the_registration(order: tuple[str, ...]) -> None:
    assert acts(order) == [(day, name) for day in range(15) for name in PHASES]


@pytest.mark.parametrize("weekly", [("ends",), ("hearings",), ("counting",), ("policy", "counting")])
@pytest.mark.parametrize("order", [PHASES, PHASES[::-1]])
def test_written_order_for_weekly_processes(order: tuple[str, ...], weekly: tuple[str, ...]) -> None:
    expected = [(day, name) for day in range(15) for name in PHASES if name not in weekly or day % 7 == 0]
    assert acts(order, weekly) == expected


def test_order_within_a_phase_is_that_of_registration_every_day() -> None:
    """The first process also waits for a later phase; plain SimPy would let the second overtake it."""
    world, seen = World(START, PHASES), []

    def first() -> Iterator[simpy.Event]:
        while True:
            yield world.clock.phase("ends")
            seen.append("first")
            yield world.clock.phase("hearings")

    def second() -> Iterator[simpy.Event]:
        while True:
            yield world.clock.phase("ends")
            seen.append("second")

    world.process(first)
    world.process(second)
    world.run_until(5)
    assert seen == ["first", "second"] * 5


def test_time_is_day_and_position_over_parts_exactly() -> None:
    phases = tuple(f"phase {number}" for number in range(PARTS - 1))
    world, seen = World(START, phases), []

    def process() -> Iterator[simpy.Event]:
        while True:
            for name in phases:
                yield world.clock.phase(name)
                seen.append(Fraction(world.environment.now))

    world.process(process)
    world.run_until(3000)
    assert seen == [day + Fraction(part, PARTS) for day in range(3000) for part in range(1, PARTS)]


def test_a_phase_asked_for_while_it_happens_is_tomorrow() -> None:
    world, seen = World(START, PHASES), []

    def process() -> Iterator[simpy.Event]:
        yield world.clock.phase("ends")
        yield world.clock.phase("ends")
        seen.append(world.today)
        yield world.clock.phase("policy")
        seen.append(world.today)

    world.process(process)
    world.run_until(5)
    assert seen == [1, 2]


@pytest.mark.parametrize("phases", [(), tuple(map(str, range(PARTS))), ("ends", "ends")])
def test_impossible_phases_are_refused(phases: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="phases"):
        World(START, phases)


def test_an_unknown_phase_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        World(START, PHASES).clock.phase("lunch")
