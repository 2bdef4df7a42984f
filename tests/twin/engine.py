"""The engine as a black box: what it told of everybody, day by day, and how its people stand on the first morning.

Nothing of the engine's rules comes this way. `histories` listens to every event of a run; `first_morning` hands over
the people, sentences and posts of day 0 as plain dictionaries, because the thin pass that makes them is no core rule.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from simulation.scenario import Resolved
from simulation.system import Model, RunRequest

#: One event: day, key of the person, what happened, and a number that belongs to it.
Event = tuple[int, int, str, int]

#: How the engine writes a date that doesn't exist.
NO_DATE = -2_147_483_648


@dataclass
class FirstMorning:
    """Everything the twin takes from the engine.

    Parameters
    ----------
    people, sentences, posts : list of dict
        One dictionary a row, by column; a date that doesn't exist is None.
    ahead : dict of str to dict of int to int
        By name of the agenda: row and the day for which something is booked.
    """

    people: list[dict[str, Any]] = field(default_factory=list)
    sentences: list[dict[str, Any]] = field(default_factory=list)
    posts: list[dict[str, Any]] = field(default_factory=list)
    ahead: dict[str, dict[int, int]] = field(default_factory=dict)


def rows_of(table: Any) -> list[dict[str, Any]]:
    """Return the rows of one of the engine's tables as dictionaries of plain numbers."""
    columns = {column.name: getattr(table, column.name)[: table.size].tolist() for column in table.columns}
    return [
        {name: None if values[row] == NO_DATE else values[row] for name, values in columns.items()}
        for row in range(table.size)
    ]


def first_morning(model: Model) -> FirstMorning:
    """Return how people, sentences and posts stand before day 0, and what is booked for them."""
    service = model.service
    sizes = {"people": service.people.size, "sentences": service.sentences.size, "posts": service.posts.size}
    most = max(sizes.values())
    ahead = {}
    for name, agenda in service.agendas.items():
        days = np.array(agenda.day_of(np.arange(most)))
        ahead[name] = {int(row): int(days[row]) for row in np.flatnonzero(days != NO_DATE)}
    return FirstMorning(rows_of(service.people), rows_of(service.sentences), rows_of(service.posts), ahead)


def of_post(day: int, before: dict[str, Any], after: dict[str, Any]) -> list[Event]:
    """Return what happened to a post on a day, by how it stood on the evening before and on this one."""
    happened: list[tuple[str, int]] = []
    if before["filled"] and not after["filled"]:
        happened.append(("leaves", 0))
    spells_before = before["sick_spells"]
    if after["holder"] != before["holder"]:
        happened.append(("begins", after["holder"]))
        spells_before = 0
    if after["sick_spells"] > spells_before:
        happened.append(("falls sick", after["sick_until"]))
    if after["leave_until"] is not None and after["leave_until"] != before["leave_until"]:
        happened.append(("leave next week", 0))
    if after["filled"] and after["covered"] > before["covered"]:
        happened.append(("others get the cases", 0))
    if after["filled"] and after["covered"] < before["covered"]:
        happened.append(("back at work", 0))
    if after["owed"]:
        happened.append(("owes time", after["owed"]))
    return [(int(day), after["key"], kind, number) for kind, number in happened]


def histories(resolved: Resolved, seed: int) -> tuple[FirstMorning, list[Event]]:
    """Run the engine and return its first morning and everything it told, sorted.

    Parameters
    ----------
    resolved : Resolved
        Scenario, of one area.
    seed : int
        Chance.
    """
    model = Model(RunRequest(resolved, seed))
    service = model.service
    start = first_morning(model)
    told: list[Event] = []
    as_it_was = service.tell

    def listen(kind: str, rows: Any, detail: Any = 0, *more: Any, **named: Any) -> None:
        keys = service.people.key[np.asarray(rows)]
        for key, number in zip(keys, np.broadcast_to(np.asarray(detail), keys.shape), strict=True):
            told.append((int(service.today), int(key), kind, int(number)))
        as_it_was(kind, rows, detail, *more, **named)

    before = rows_of(service.posts)
    close_day = service.close_day

    def look(*more: Any, **named: Any) -> Any:
        nonlocal before
        after = rows_of(service.posts)
        told.extend(event for old, new in zip(before, after, strict=True) for event in of_post(service.today, old, new))
        before = after
        return close_day(*more, **named)

    service.tell, service.close_day = listen, look
    model.run()
    return start, sorted(told)
