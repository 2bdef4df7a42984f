"""The toy caseload in salabim: a component for each person, a resource for each officer.

Written with generators and without monitors or trace, salabim's fastest way. Time and the one inexact rule
are as in ``naive_simpy``. Making the components takes longer than a month of the toy; it isn't measured.
"""

from __future__ import annotations

from collections.abc import Iterator

import salabim

from benchmarks.toy import MINUTES_A_DAY, Toy, main, weekdays_before


class Person(salabim.Component):
    """One person on an officer's caseload."""

    def setup(self, number, officer, weeks, minutes, due, comes, total):
        self.number, self.officer, self.weeks, self.minutes = number, officer, weeks, minutes
        self.due, self.comes, self.total = due, comes, total

    def process(self):
        for came in self.comes:
            yield self.hold(till=self.due * MINUTES_A_DAY)
            # One number is the priority: due day first, then the person's number.
            yield self.request((self.officer, 1, self.due * 2**32 + self.number))
            self.total[0] += came
            self.due = self.env.now() // MINUTES_A_DAY + 5 * (self.weeks if came else 1)
            yield self.hold(self.minutes)
            self.release(self.officer)


def run(toy: Toy, stops: list[int]) -> Iterator[int]:
    """Yield the contacts made by each midnight."""
    environment = salabim.Environment(trace=False, yieldless=False)
    officers = [salabim.Resource(monitor=False) for _ in range(toy.officers)]
    comes = toy.comes(stops[-1] // 7 + 2).tolist()
    total = [0]
    columns = (column.tolist() for column in (toy.officer, toy.weeks, toy.minutes, toy.due))
    for number, (officer, weeks, minutes, due) in enumerate(zip(*columns, strict=True)):
        Person(
            number=number, officer=officers[officer], weeks=weeks, minutes=minutes, due=weekdays_before(due),
            comes=comes[number], total=total, mode=None, suppress_trace=True, skip_standby=True,
        )
    for stop in stops:
        # Salabim would also run what happens at the midnight itself.
        environment.run(till=weekdays_before(stop) * MINUTES_A_DAY - 0.5)
        yield total[0]


if __name__ == "__main__":
    main(run)
