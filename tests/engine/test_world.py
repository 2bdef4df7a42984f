"""A world saved at any midnight and continued gives the same bytes as one that never stopped."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from datetime import date
from random import Random
from typing import Any

import numpy as np
import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.engine import Chance, Column, Table, World
from simulation.engine.world import Channel

DAYS = 60
SHUFFLER = st.randoms(use_true_random=False)


class Toy(World):
    """People arrive, are seen, and pass through a channel that is still full at midnight.

    Two processes share a phase, and one of them also waits for a later one, so their order could slip.
    """

    def __init__(self) -> None:
        super().__init__(date(2018, 7, 2), ("arrivals", "diaries", "counting"))
        self.chance = Chance(11, 2)
        self.people = self.table("people", Table("people", [
            Column("seen", "int32", "times", "Contacts so far."),
            Column("owed", "float64", "minutes", "Time owed."),
            Column("turn", "int64", "number", "Trace of the order."),
        ], capacity=2))
        self.total = self.table("total", Table("total", [Column("events", "int64", "events", "All.")], 1))
        self.total.add(1)
        self.contacts = self.agenda("contacts")
        self.missed = self.channel("missed")
        for function in (self.see, self.arrive, self.remind, self.check):
            self.process(function)

    def note(self, rows: np.ndarray) -> None:
        """Depend on the order of everything."""
        self.people.turn[rows] = self.people.turn[rows] * 31 + self.total.events[0] + np.arange(rows.size)
        self.total.events[0] += rows.size + 1

    def arrive(self) -> Iterator[simpy.Event]:
        while True:
            yield self.clock.phase("arrivals")
            day = np.array([self.today], dtype=np.uint64)
            rows = self.people.add(int(self.chance.poisson(np.array([1.5]), day, "arrivals")[0]))
            self.note(rows)
            self.contacts.put(rows, self.today + rows % 5)

    def see(self) -> Iterator[simpy.Event]:
        while True:
            yield self.clock.phase("diaries")
            rows = self.contacts.due(self.today)
            self.note(rows)
            keys = rows.astype(np.uint64)
            late = self.chance.exponential(keys, "late", self.people.seen[rows])
            self.people.owed[rows] += late
            self.people.seen[rows] += 1
            self.contacts.put(rows[late < 1], self.today + 3)
            self.missed.send(rows[late >= 1][::-1])
            yield self.clock.phase("counting")
            self.note(rows)

    def remind(self) -> Iterator[simpy.Event]:
        """Drain on Mondays, and see yesterday's or today's batches depending on who acts first."""
        while True:
            yield self.clock.phase("diaries")
            if self.calendar.weekday(self.today) == 0:
                rows = self.missed.drain()
                self.note(rows)
                self.contacts.put(rows, self.today + 1 + rows % 3)

    def check(self) -> Iterator[simpy.Event]:
        while True:
            yield self.clock.phase("diaries")
            self.total.events[0] = self.total.events[0] * 3 % 1_000_003 + len(self.missed.batches)


def as_bytes(saved: dict[str, Any]) -> bytes:
    return pickle.dumps(saved)


UNINTERRUPTED = Toy()
UNINTERRUPTED.run_until(DAYS)
FINAL = as_bytes(UNINTERRUPTED.save())


def test_the_toy_uses_everything() -> None:
    saved = UNINTERRUPTED.save()
    assert saved["tables"]["people"]["size"] > 50
    assert len(UNINTERRUPTED.contacts) > 5
    assert len(saved["channels"]["missed"]) > 1


@settings(max_examples=25)
@given(st.lists(st.integers(0, DAYS - 1), min_size=1, max_size=3).map(sorted), st.booleans())
def test_saved_at_any_midnight_and_continued(midnights: list[int], elsewhere: bool) -> None:
    world = Toy()
    for midnight in midnights:
        world.run_until(midnight)
        saved = world.save()
        before = as_bytes(saved)
        if elsewhere:
            world = Toy()
        else:
            world.run_until(midnight + 2)  # a branch that is given up
        world.restore(saved)
        assert as_bytes(world.save()) == before
        world.run_until(midnight + 1)
        assert as_bytes(saved) == before, "what was saved must not change as the world goes on"
    world.run_until(DAYS)
    assert as_bytes(world.save()) == FINAL


def test_only_midnight_can_be_saved() -> None:
    world = Toy()
    world.environment.run(until=0.5)
    with pytest.raises(RuntimeError, match="midnight"):
        world.save()


@given(st.lists(st.lists(st.integers(0, 99), max_size=20), max_size=6), SHUFFLER)
def test_a_channel_gives_each_row_once_in_order_whoever_sent_first(
    batches: list[list[int]], shuffler: Random
) -> None:
    expected = sorted({row for batch in batches for row in batch})
    for _ in range(2):
        channel = Channel()
        for batch in batches:
            channel.send(np.array(batch, dtype=np.int64))
        drained = channel.drain()
        assert drained.dtype == np.intp
        assert drained.tolist() == expected
        assert channel.drain().size == 0
        shuffler.shuffle(batches)
