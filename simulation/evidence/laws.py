"""Laws of the engine: chance, agenda, diaries and queues with a known answer.

Each function returns one :class:`Law`: what is expected, what was seen, and whether that is right. Draws are fixed, so
a law holds for ever or never; where chance decides, the tolerance is four standard errors, stated beside the answer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np
import simpy

from simulation.engine import NEVER, Agenda, Chance, Column, Table, World
from simulation.engine.chance import mix
from simulation.system.caseload import serve

#: How far a mean may lie from its known value, in standard errors.
ERRORS = 4.0

#: First outputs of SplitMix64 with seed 1234567, as published with many implementations.
SPLITMIX = (6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821)

VECTORS: tuple[tuple[int, int, int, str, int, str, str, str], ...] = (
    (1, 0, 0, "attendance", 0, "5a02fc72873440d2", "0x1.bba87d8307cfdp-2", "-0x1.8620503f000a3p-2"),
    (1, 0, 0, "attendance", 5000000000, "b169ca0cffbc5d13", "0x1.2e5453368a732p+0", "0x1.0244ae691a2c1p-1"),
    (1, 0, 0, "term length", 0, "9aa46b6e8a7ed3ad", "0x1.da60fe33d2c38p-1", "0x1.0e3bb00b20e4ap-2"),
    (1, 1, 1099511627793, "attendance", 0, "6c03854da37ddd19", "0x1.189b1239e5cb4p-1", "-0x1.9360b328a8e4bp-3"),
    (
        20180701,
        3,
        18446744073709551615,
        "term length",
        5000000000,
        "9e8f68f496f03169",
        "0x1.ee9008c5ab078p-1",
        "0x1.372249268e4a4p-2",
    ),
)
"""Seed, replication, key, purpose, occurrence; then bits, exponential and normal value in hexadecimal."""


@dataclass(frozen=True)
class Law:
    """One law and what became of it.

    Parameters
    ----------
    name : str
        What must hold.
    expected, seen : str
        In words or figures.
    ok : bool
        Whether it holds.
    """

    name: str
    expected: str
    seen: str
    ok: bool


def law(name: str, test: Callable[[], Law]) -> Law:
    """Try a law; an exception is a broken law, told in one line."""
    try:
        return test()
    except Exception as error:
        told = " ".join(str(error).split())
        return Law(name, "no failure", f"{type(error).__name__}: {told}"[:200], False)


# --- Chance ----------------------------------------------------------------------------------------------------


def published_vectors() -> Law:
    """Draws are the published ones, bit by bit."""
    golden = 0x9E3779B97F4A7C15
    states = np.array([(1234567 + i * golden) % 2**64 for i in range(1, 6)], dtype=np.uint64)
    right = int(np.count_nonzero(mix(states) == np.array(SPLITMIX, dtype=np.uint64)))
    for seed, replication, key, purpose, occurrence, bits, exponential, normal in VECTORS:
        chance, keys = Chance(seed, replication), np.array([key], dtype=np.uint64)
        right += int(chance.bits(keys, purpose, occurrence)[0]) == int(bits, 16)
        right += float(chance.exponential(keys, purpose, occurrence)[0]) == float.fromhex(exponential)
        right += float(chance.normal(keys, purpose, occurrence)[0]) == float.fromhex(normal)
    expected = len(SPLITMIX) + 3 * len(VECTORS)
    return Law("draws are the published test vectors", f"{expected} alike", f"{right} alike", right == expected)


def even_draws() -> Law:
    """Uniform draws fill a thousand cells evenly."""
    cells, count = 1000, 400_000
    draws = Chance(20180701).uniform(np.arange(count, dtype=np.uint64), "evenness")
    found = np.bincount((draws * cells).astype(np.int64), minlength=cells)
    square = float(((found - count / cells) ** 2).sum() / (count / cells))
    error = float(np.sqrt(2 * (cells - 1)))
    return _within("draws are even: chi-square of 1,000 cells", cells - 1, square, error)


def independent_draws() -> Law:
    """Draws for two purposes, and for neighbouring occurrences, are uncorrelated."""
    count = 400_000
    chance, keys = Chance(20180701), np.arange(count, dtype=np.uint64)
    first = chance.uniform(keys, "one purpose") - 0.5
    other = chance.uniform(keys, "another") - 0.5
    following = chance.uniform(keys, "one purpose", 1) - 0.5
    worst = max(abs(float((first * second).mean() * 12)) for second in (other, following, np.roll(first, 1)))
    return _within("draws are independent: worst correlation", 0.0, worst, 1 / np.sqrt(count), digits=5)


def _within(name: str, expected: float, seen: float, error: float, digits: int = 2) -> Law:
    ok = abs(seen - expected) <= ERRORS * error
    return Law(name, f"{expected:,.{digits}f} ± {ERRORS * error:,.{digits}f}", f"{seen:,.{digits}f}", bool(ok))


# --- Agenda ----------------------------------------------------------------------------------------------------


def agenda_is_a_dict() -> Law:
    """An agenda does what a dict from row to day does, over thousands of changes of plan."""
    rows, days = 80, 600
    chance, agenda = Chance(7), Agenda(rows)
    truth: dict[int, int] = {}
    woken = right = 0
    everyone = np.arange(rows, dtype=np.uint64)
    for day in range(days):
        act = chance.uniform(everyone, "act", day)
        ahead = 1 + (chance.uniform(everyone, "ahead", day) ** 2 * 130).astype(np.int64)
        moved = np.flatnonzero(act < 0.05)
        agenda.put(moved, day + ahead[moved])
        truth.update((int(row), day + int(ahead[row])) for row in moved)
        dropped = np.flatnonzero(act > 0.98)
        agenda.cancel(dropped)
        for row in dropped.tolist():
            truth.pop(row, None)
        if day == 0:
            continue
        due = agenda.due(day).tolist()
        expected = sorted(row for row, when in truth.items() if when == day)
        for row in expected:
            del truth[row]
        woken += len(expected)
        right += len(expected) if due == expected else 0
    left = {row: int(when) for row, when in enumerate(agenda.day_of(np.arange(rows, dtype=np.int32))) if when != NEVER}
    ok = right == woken and left == truth
    return Law("the agenda wakes whom a dict would", f"{woken:,} rows", f"{right:,} rows", ok)


# --- Diaries ---------------------------------------------------------------------------------------------------


def diary_by_hand() -> Law:
    """One day of three officers, worked out by hand.

    Officer 0 has 100 minutes: tasks of 60 and 60 are done, the second overruns by 20, the third waits. Officer 1
    has 100 minutes: the urgent task of 415 goes first though it is due last, and nothing else starts. Officer 2 is
    away and starts nothing.
    """
    server = np.array([0, 0, 0, 1, 1, 2])
    priority = np.array([1, 1, 1, 1, 0, 0])
    due = np.array([3, 1, 2, 1, 9, 1])
    minutes = np.array([60, 60, 60, 10, 415, 5])
    mixed = np.arange(6, dtype=np.uint64) << np.uint64(32)
    served, used = serve(server, priority, due, mixed, minutes, np.array([100, 100, 0]), 5)
    seen = f"done {np.flatnonzero(served).tolist()}, minutes {used.tolist()}"
    expected = "done [1, 2, 4], minutes [120, 415, 0]"
    return Law("a diary day is what it is by hand", expected, seen, seen == expected)


def diary_one_by_one() -> Law:
    """All diaries at once give what one officer after the other, one task after the other gives."""
    officers, tasks = 200, 6000
    chance, keys = Chance(11), np.arange(tasks, dtype=np.uint64)
    server = chance.spread(0, officers - 1, keys, "server")
    priority = chance.spread(0, 4, keys, "priority")
    due = chance.spread(-40, 20, keys, "due")
    seconds = chance.spread(60, 9000, keys, "seconds")
    mixed = chance.bits(keys, "mixed")
    available = chance.spread(-3000, 25_800, np.arange(officers, dtype=np.uint64), "available")
    served, used = serve(server, priority, due, mixed, seconds, available, 0)
    slow = np.zeros(tasks, dtype=bool)
    spent = np.zeros(officers, dtype=np.int64)
    order = sorted(range(tasks), key=lambda i: (server[i], priority[i], due[i], int(mixed[i]) >> 32, i))
    for task in order:
        if spent[server[task]] < available[server[task]]:
            slow[task] = True
            spent[server[task]] += seconds[task]
    alike = int(np.count_nonzero(served == slow)) + int(np.count_nonzero(used == spent))
    return Law(
        "all diaries at once equal one task at a time",
        f"{tasks + officers:,} alike",
        f"{alike:,} alike",
        alike == tasks + officers,
    )


# --- Queues with a known answer --------------------------------------------------------------------------------

_TASKS = (
    Column("server", "int32", "number", "Whose task."),
    Column("due", "int32", "day", "Day it came."),
)


class _Desks(World):
    """Desks that can do one task a day, and tasks that come at random: M/D/1 in whole days."""

    servers, rate, warm_up, days = 1000, 0.8, 300, 1200

    def __init__(self) -> None:
        super().__init__(date(2018, 1, 1), ("arrivals", "diaries", "counting"))
        self.chance = Chance(3)
        self.waiting = self.table("waiting", Table("waiting", _TASKS, 8192))
        self.stock = np.zeros((self.days, self.servers), dtype=np.int64)
        self.waited, self.finished = 0, 0
        for function in (self.arrivals, self.diaries, self.counting):
            self.process(function)

    def arrivals(self) -> Generator[simpy.Event, Any, None]:
        """Let tasks come to every desk."""
        desks = np.arange(self.servers, dtype=np.uint64)
        while True:
            yield self.clock.phase("arrivals")
            count = self.chance.poisson(np.full(self.servers, self.rate), desks, "tasks", self.today)
            rows = self.waiting.add(int(count.sum()))
            self.waiting.server[rows] = np.repeat(np.arange(self.servers), count)
            self.waiting.due[rows] = self.today

    def diaries(self) -> Generator[simpy.Event, Any, None]:
        """Do one task at every desk that has any."""
        while True:
            yield self.clock.phase("diaries")
            size = self.waiting.size
            server, due = self.waiting.server[:size], self.waiting.due[:size]
            one = np.ones(size, dtype=np.int64)
            served, _ = serve(
                server,
                one * 0,
                due,
                mix(np.arange(size, dtype=np.uint64)),
                one,
                np.ones(self.servers, dtype=np.int64),
                self.today,
            )
            self.waited += int((self.today - due[served]).sum())
            self.finished += int(served.sum())
            left = int(size - served.sum())
            for name in ("server", "due"):
                column = getattr(self.waiting, name)
                column[:left] = column[:size][~served]
            self.waiting.size = left

    def counting(self) -> Generator[simpy.Event, Any, None]:
        """Count what is left at midnight."""
        while True:
            yield self.clock.phase("counting")
            self.stock[self.today] = np.bincount(self.waiting.server[: self.waiting.size], minlength=self.servers)


@lru_cache(maxsize=1)
def _desks() -> _Desks:
    desks = _Desks()
    desks.run_until(_Desks.days)
    return desks


def queue_length() -> Law:
    """Tasks left at night: load squared over twice what is free (Pollaczek and Khinchine)."""
    desks = _desks()
    load = desks.rate
    mean = load * load / (2 * (1 - load))
    by_desk = desks.stock[desks.warm_up :].mean(axis=0)
    error = float(by_desk.std(ddof=1) / np.sqrt(desks.servers))
    return _within(
        f"queue at {load:.0%} load (M/D/1): tasks left at night", mean, float(by_desk.mean()), error, digits=3
    )


def littles_law() -> Law:
    """Tasks waiting at midnight, added up over nights, are nights waited, added up over tasks."""
    desks = _desks()
    nights = int(desks.stock.sum())
    still = desks.waiting.due[: desks.waiting.size]
    waited = desks.waited + int((desks.days - still).sum())
    return Law("Little's law: nights by night and by task", f"{nights:,}", f"{waited:,}", nights == waited)


class _Balance:
    """Caseloads without limits (M/G/∞) in a world of nothing else: people come at random and stay for their length.

    Who comes is given to one of many caseloads at random, so that each of these is such a caseload itself.
    """

    rate, first, days, caseloads = 200.0, 300, 1500, 1000
    lengths, shares = np.array([30, 100, 300]), np.array([0.5, 0.3, 0.2])

    def __init__(self) -> None:
        chance, agenda = Chance(5), Agenda(1024)
        people = 0
        live = np.zeros(self.caseloads, dtype=np.int64)
        #: People at midnight, all together; by caseload, on nights so far apart that nobody is there on two of them.
        self.stock = np.zeros(self.days)
        self.apart: list[np.ndarray] = []
        days = np.arange(self.days, dtype=np.uint64)
        starts = chance.poisson(np.full(self.days, self.rate), days, "starts")
        whose = chance.spread(0, self.caseloads - 1, np.arange(starts.sum(), dtype=np.uint64), "caseload")
        for day, count in enumerate(starts.tolist()):
            live -= np.bincount(whose[agenda.due(day)], minlength=self.caseloads)
            rows = np.arange(people, people + count)
            draws = chance.uniform(rows.astype(np.uint64), "length")
            agenda.put(rows, day + self.lengths[np.searchsorted(np.cumsum(self.shares)[:-1], draws, side="right")])
            live += np.bincount(whose[rows], minlength=self.caseloads)
            people += count
            self.stock[day] = live.sum()
            if day and day % int(self.lengths.max()) == 0:
                self.apart.append(live.copy())


@lru_cache(maxsize=1)
def _balance() -> _Balance:
    return _Balance()


def caseload_in_balance() -> Law:
    """A caseload without limits (M/G/infinity): its mean is starts a day times mean length, whatever the lengths."""
    balance = _balance()
    measured = balance.stock[balance.first :]
    # Exact variance of the mean over days: two days h apart share those whose length exceeds h.
    apart = np.arange(measured.size)
    beyond = np.maximum(balance.lengths[:, None] - apart, 0) * balance.shares[:, None]
    shared = balance.rate * beyond.sum(axis=0)
    weight = np.where(apart == 0, measured.size, 2 * (measured.size - apart))
    error = float(np.sqrt((weight * shared).sum()) / measured.size)
    mean = balance.rate * float((balance.lengths * balance.shares).sum())
    return _within("caseload in balance (M/G/∞): people", mean, float(measured.mean()), error, digits=0)


def spread_of_caseloads() -> Law:
    """The variance of caseloads without limits (M/G/infinity) is their mean, whatever the lengths: they are Poisson."""
    balance = _balance()
    seen = np.concatenate(balance.apart)
    mean = balance.rate * float((balance.lengths * balance.shares).sum()) / balance.caseloads
    # Variance of the sample variance of so many independent Poisson numbers: their fourth moment is m + 3 m².
    error = math.sqrt((mean + 2 * mean * mean * seen.size / (seen.size - 1)) / seen.size)
    return _within("caseloads in balance (M/G/∞): variance", mean, float(seen.var(ddof=1)), error)


ENGINE_LAWS: tuple[tuple[str, Callable[[], Law]], ...] = (
    ("draws are the published test vectors", published_vectors),
    ("draws are even", even_draws),
    ("draws are independent", independent_draws),
    ("the agenda wakes whom a dict would", agenda_is_a_dict),
    ("a diary day is what it is by hand", diary_by_hand),
    ("all diaries at once equal one task at a time", diary_one_by_one),
    ("queue length", queue_length),
    ("Little's law", littles_law),
    ("caseload in balance", caseload_in_balance),
    ("spread of caseloads", spread_of_caseloads),
)


def engine_laws() -> Iterable[Law]:
    """Yield every law of the engine, tried."""
    for name, test in ENGINE_LAWS:
        yield law(name, test)


__all__ = ["ENGINE_LAWS", "ERRORS", "Law", "engine_laws", "law"]
