"""Groups: whom the counts of a run are split by, if the run is asked to split them.

Every count has a column for each cell: area x 2 + side. Where counts are split, these columns are there once for what
belongs to no person (officers, money, places), as in any run, and once more for each group of people. The cell of a
person then lies in their group's block: ``(1 + group) x areas x 2 + area x 2 + side``. As the blocks are of even size,
the last bit is the side as ever, and what changes a person's side needs to know nothing of groups; levers by cell are
repeated for each block. Nothing that happens to a person depends on the block, so a run that is split is the same run.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import numpy as np
import simpy
from numpy.typing import NDArray

from simulation.engine import NEVER
from simulation.engine.calendar import YEAR_DAYS
from simulation.engine.compiled import compiled, compiled_inside
from simulation.measures.groups import SPLITS
from simulation.system import codes

if TYPE_CHECKING:
    from simulation.system.service import Service

    Array = NDArray[Any]

# Compiled code knows plain numbers only.
_SUSPENDED, _DETERMINATE = codes.Kind.SUSPENDED, codes.Kind.DETERMINATE
#: Places of groups, in the order of :data:`simulation.measures.groups.SPLITS`.
_COMMUNITY, _SHORT, _LONG, _FOR_LIFE, _NO_SENTENCE = 0, 2, 3, 4, 5
_NOT_SUPERVISED = 7
_NEW, _SETTLED, _NONE = range(3)
#: Upper edges of ages, in years.
_AGES = (21, 25, 30, 40, 50, 60)
#: Days from which a sentence isn't a short one.
LONG = 365


class Groups:
    """Keeps every person's cell in the block of their group.

    Parameters
    ----------
    service : Service
        State of the run.
    split : str
        One of :data:`simulation.measures.groups.SPLITS`.
    """

    def __init__(self, service: Service, split: str) -> None:
        self.service, self.split = service, split
        self.names = tuple(SPLITS[split].groups)
        self.blocks = 1 + len(self.names)
        self.size = service.areas * 2
        service.process(self.mornings)

    def mornings(self) -> Generator[simpy.Event, Any, None]:
        """Before the day begins, find everybody's group again where it changes as time goes by."""
        service = self.service
        while True:
            yield service.clock.phase("policy")
            first = service.calendar.date(service.today).day == 1
            if self.split == "officer" or (self.split == "age" and first):
                self.place(np.arange(service.people.size))

    def place(self, rows: Array) -> None:
        """Put people's cells into the block of the group they are in now."""
        people, size = self.service.people, self.size
        if self.split == "sex":
            _by_flag(rows, size, people.cell, people.female)
        elif self.split == "area_kind":
            _by_flag(rows, size, people.cell, people.rural)
        elif self.split == "age":
            # Ages of the first of the month hold all month, whatever else puts somebody in place anew.
            first = self.service.today - self.service.calendar.date(self.service.today).day + 1
            _by_age(rows, size, people.cell, people.age, people.convicted, first, np.array(_AGES))
        elif self.split == "sentence":
            sentences = self.service.sentences
            _by_sentence(rows, size, people.cell, people.latest, sentences.kind, sentences.length)
        elif self.split == "tier":
            _by_tier(rows, size, people.cell, people.side, people.tier)
        else:
            days = round(self.service.levers.number("effects.officer_change_duration_weeks") * 7)
            since = self.service.today - days
            _by_officer(rows, size, people.cell, people.officer, people.officer_since, since)

    @property
    def next_sentence(self) -> int:
        """How far the cells of a suspended sentence lie behind a community order's, and of a long term behind a short.

        What is counted of a sentence while it is written is counted before the person is in the group of it.
        """
        return self.size if self.split == "sentence" else 0


@compiled
def _put(row: int, size: int, cell: Array, group: int) -> None:
    """Put a person's cell into the block of a group."""
    cell[row] = cell[row] % size + (1 + group) * size


@compiled
def _by_flag(rows: Array, size: int, cell: Array, flag: Array) -> None:
    """Those for whom it holds come first."""
    for row in rows:
        _put(row, size, cell, 0 if flag[row] == 1 else 1)


@compiled_inside
def band_of_age(age: int, convicted: int, today: int, edges: Array) -> int:
    """Return in which band of age, between edges in years, somebody is whose age at the first conviction is known."""
    years, band = age + max(0.0, today - convicted) / YEAR_DAYS, 0
    while band < edges.size and years >= edges[band]:
        band += 1
    return band


@compiled
def _by_age(rows: Array, size: int, cell: Array, age: Array, convicted: Array, today: int, edges: Array) -> None:
    """Ages are known as they were at the first conviction."""
    for row in rows:
        _put(row, size, cell, band_of_age(int(age[row]), int(convicted[row]), today, edges))


@compiled
def _by_sentence(rows: Array, size: int, cell: Array, latest: Array, kind: Array, length: Array) -> None:
    for row in rows:
        sentence = latest[row]
        group = _NO_SENTENCE
        if sentence >= 0:
            what = int(kind[sentence])
            if what <= _SUSPENDED:
                group = _COMMUNITY + what
            elif what == _DETERMINATE:
                group = _LONG if length[sentence] >= LONG else _SHORT
            else:
                group = _FOR_LIFE
        _put(row, size, cell, group)


@compiled
def _by_tier(rows: Array, size: int, cell: Array, side: Array, tier: Array) -> None:
    for row in rows:
        _put(row, size, cell, int(tier[row]) if side[row] >= 0 else _NOT_SUPERVISED)


@compiled
def _by_officer(rows: Array, size: int, cell: Array, officer: Array, officer_since: Array, since: int) -> None:
    """An officer is new who took the case on after ``since``."""
    for row in rows:
        group = _NONE
        if officer[row] >= 0:
            group = _NEW if officer_since[row] != NEVER and officer_since[row] > since else _SETTLED
        _put(row, size, cell, group)
