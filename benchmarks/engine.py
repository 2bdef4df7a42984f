"""The toy caseload in this project's engine: one process, and each day is one batch of people."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import simpy

from benchmarks.toy import MINUTES_A_DAY, MISSED, START, Toy, main
from simulation.engine import Column, Table, World

COLUMNS = [
    Column("officer", "int32", "officer", "Whose caseload."),
    Column("weeks", "int32", "weeks", "Between contacts."),
    Column("minutes", "int32", "minutes", "That a contact costs."),
    Column("due", "int32", "day", "When the next contact is due, or was if it waits."),
    Column("visits", "int32", "visits", "So far, made and missed."),
]


def run(toy: Toy, stops: list[int]) -> Iterator[int]:
    """Yield the contacts made by each midnight."""
    world = World(START, ["diaries"])
    people = world.table("people", Table("people", COLUMNS, toy.people))
    officers = world.table("officers", Table("officers", [
        Column("owed", "int64", "minutes", "Overrun to be taken from the next weekday."),
    ], toy.officers))
    total = world.table("total", Table("total", [Column("made", "int64", "contacts", "So far.")], 1))
    contacts = world.agenda("contacts", toy.people)
    people.add(toy.people)
    officers.add(toy.officers)
    total.add(1)
    for name in ("officer", "weeks", "minutes", "due"):
        getattr(people, name)[:] = getattr(toy, name)
    contacts.put(np.arange(toy.people), toy.due)

    def diaries() -> Iterator[simpy.Event]:
        while True:
            yield world.clock.phase("diaries")
            today = world.today
            weekday = int(world.calendar.weekday(today))
            if weekday < 5:
                a_day(today, today + (3 if weekday == 4 else 1))

    def a_day(today: int, next_weekday: int) -> None:
        rows = contacts.due(today).astype(np.intp)  # the type that numpy indexes with, converted once
        # Rows come in order of officer; within an officer, whoever waited longest is first.
        turn = (people.officer[rows] << np.int64(32)) + people.due[rows]
        rows = rows[np.argsort(turn, kind="stable")]
        officer = people.officer[rows]
        # Minutes asked for by the first 0, 1, 2 ... contacts of the whole batch, and the point on that scale
        # at which each officer's day is over.
        asked = np.concatenate(([0], np.cumsum(people.minutes[rows])))
        contacts_each = np.bincount(officer, minlength=toy.officers)
        begins = np.cumsum(contacts_each) - contacts_each
        day_over = (asked[begins] + MINUTES_A_DAY - officers.owed)[officer]
        starts = asked[:-1] < day_over
        contacts.put(rows[~starts], next_weekday)
        # An officer's last contact is written last, and it alone can end after the day is over.
        rows, overrun = rows[starts], asked[1:][starts] - day_over[starts]
        officers.owed[:] = np.maximum(officers.owed - MINUTES_A_DAY, 0)
        officers.owed[officer[starts]] = np.maximum(overrun, 0)

        came = toy.chance.uniform(rows.astype(np.uint64), "comes", people.visits[rows]) >= MISSED
        due = today + 7 * np.where(came, people.weeks[rows], 1)
        people.visits[rows] += 1
        people.due[rows] = due
        contacts.put(rows, due)
        total.made[0] += np.count_nonzero(came)

    world.process(diaries)
    for stop in stops:
        world.run_until(stop)
        yield int(total.made[0])


if __name__ == "__main__":
    main(run)
