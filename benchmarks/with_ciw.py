"""The toy caseload in Ciw: for each officer a closed network of two nodes, at home and at the office.

Ciw searches every node, and every person at a node without a queue, at each event. Officers of the toy never
meet, so each gets a small network of their own and these run one after another: far faster than one network
for all, but a model whose officers share work couldn't do it.

Time is as in ``naive_simpy``. People queue in order of arrival, which is that of due days; Ciw settles events
of the same moment at random, so among people of one due day the order isn't by number.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import ciw

from benchmarks.toy import MINUTES_A_DAY, Toy, main, weekdays_before


class Home(ciw.dists.Distribution):
    """Time until the next contact is due."""

    def __init__(self, first: int, due: list[int]) -> None:
        self.first, self.due = first, due

    def __deepcopy__(self, memo):
        return self  # Ciw copies distributions, and this one must go on sharing its lists

    def sample(self, t=None, ind=None):
        return self.due[self.first + ind.id_number - 1] * MINUTES_A_DAY - t


class Office(Home):
    """Minutes of a contact; its start settles whether the person comes and when they are due again."""

    def __init__(self, first, due, weeks, minutes, comes, visits, total):
        super().__init__(first, due)
        self.weeks, self.minutes, self.comes, self.visits, self.total = weeks, minutes, comes, visits, total

    def sample(self, t=None, ind=None):
        person = self.first + ind.id_number - 1
        came = self.comes[person][self.visits[person]]
        self.visits[person] += 1
        self.total[0] += came
        self.due[person] = t // MINUTES_A_DAY + 5 * (self.weeks[person] if came else 1)
        return self.minutes[person]


def run(toy: Toy, stops: list[int]) -> Iterator[int]:
    """Yield the contacts made by each midnight."""
    ciw.seed(1)
    due = [weekdays_before(day) for day in toy.due.tolist()]
    weeks, minutes, visits, total = toy.weeks.tolist(), toy.minutes.tolist(), [0] * toy.people, [0]
    comes = toy.comes(stops[-1] // 7 + 2).tolist()
    begins = [*toy.officer.searchsorted(range(toy.officers)).tolist(), toy.people]
    networks = []
    for first, last in pairwise(begins):
        network = ciw.create_network(
            arrival_distributions=[ciw.dists.Sequential([0.0, float("inf")]), None],
            batching_distributions=[ciw.dists.Deterministic(last - first), ciw.dists.Deterministic(1)],
            service_distributions=[
                Home(first, due), Office(first, due, weeks, minutes, comes, visits, total)
            ],
            number_of_servers=[float("inf"), 1],
            routing=[[0.0, 1.0], [1.0, 0.0]],
        )
        networks.append(ciw.Simulation(network))
    for stop in stops:
        for network in networks:
            network.simulate_until_max_time(weekdays_before(stop) * MINUTES_A_DAY)
        yield total[0]


if __name__ == "__main__":
    main(run)
