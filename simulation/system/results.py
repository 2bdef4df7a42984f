"""Payment by results: quarterly cohorts of each company, and how many reoffend within twelve months.

**Nothing that a company does changes reoffending here**, so whoever is paid is paid by luck, or because the rate that
was expected was wrong. That is the question: how many would be.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulation.engine import NEVER, Column
from simulation.engine.compiled import FAR_AHEAD, compiled, fetch_soon
from simulation.system.columns import OpenTasks
from simulation.system.service import Array, Rows, Service

#: People who began an order or a licence with a company, followed up until the verdict on their quarter.
COHORTS = (
    Column("person", "int64", "row of people", "Who."),
    Column("quarter", "int32", "quarters since year 0", "Whose cohort."),
    Column("started", "int32", "day", "Start of the order, or day of release."),
    Column("expected", "int32", "thousandths of a reoffender", "What was expected of the person."),
    Column("reoffended", "int8", "0/1", "Proven reoffence within twelve months."),
)
#: Follow-up in days.
FOLLOW_UP = 365


def verdicts(people: Array, reoffended: Array, expected: Array, threshold: float) -> NDArray[np.int8]:
    """Return 1 for a cohort significantly below what was expected, -1 for one above, else 0.

    Parameters
    ----------
    people, reoffended : int arrays
        Size of each cohort, and how many reoffended.
    expected : int array
        Thousandths of a reoffender.
    threshold : float
        Standard errors.

    Examples
    --------
    Of 100 people 50 were expected to reoffend: the standard error is 5, and 1.96 of them are 9.8.

    >>> verdicts(np.full(4, 100), np.array([40, 41, 59, 60]), np.full(4, 50_000), 1.96).tolist()
    [1, 0, 0, -1]
    """
    many = np.maximum(people, 1)
    mean = np.clip(expected / 1000, 0, many)
    error = np.sqrt(mean * (many - mean) / many)
    below = mean - reoffended
    better, worse = below > threshold * error, -below > threshold * error
    return (better.astype(np.int8) - worse.astype(np.int8)) * (people > 0).astype(np.int8)


@compiled
def follow_up(size: int, person: Rows, started: Array, reoffended_on: Array, reoffended: Array) -> None:
    """Note who of the first ``size`` in cohorts has reoffended within twelve months of the start."""
    for at in range(size):
        fetch_soon(reoffended_on, person[min(at + FAR_AHEAD, size - 1)])
        again, since = reoffended_on[person[at]], started[at]
        reoffended[at] |= (again != NEVER) & (again >= since) & (again - since <= FOLLOW_UP)


class Results:
    """Cohorts of companies."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.cohorts = OpenTasks(COHORTS, "cohorts")
        service.table("cohorts", self.cohorts)

    def read(self) -> None:
        """Take the levers of the day."""
        levers = self.service.levers
        self.ratio = levers.number("contracts.results_expected_ratio")
        self.excess = levers.number("contracts.results_baseline_excess")
        self.threshold = levers.number("contracts.results_threshold")
        self.payment = round(levers.number("contracts.results_payment") * 100)
        self.settled_after = levers.integer("contracts.results_settled_after_months")

    def enter(self, sentences: Rows, days: Array, quarter: int) -> None:
        """Put people who began an order or a licence into the quarter's cohort, each once."""
        service, people = self.service, self.service.people
        person, place = np.unique(service.sentences.person[sentences], return_index=True)
        new = people.results_quarter[person] != quarter
        person, started = person[new], days[place[new]]
        people.results_quarter[person] = quarter
        expected = np.floor(people.ogrs[person] * (10 * self.ratio) + 1000 * self.excess).astype(np.int64)
        self.cohorts.append(person.size, person=person, quarter=quarter, started=started, expected=expected)
        service.count_codes("results_people", people.area[person].astype(np.int64) * 2 + 1)
        service.count_codes("results_expected", people.area[person].astype(np.int64) * 2 + 1, expected)

    def follow_up(self) -> None:
        """Note who has reoffended within twelve months of the start."""
        cohorts, size = self.cohorts, self.cohorts.size
        follow_up(size, cohorts.person, cohorts.started, self.service.people.reoffended_on, cohorts.reoffended)

    def settle(self, month: int, company: Array) -> tuple[Array, Array]:
        """Give the verdicts that are due on each company's cohort.

        Parameters
        ----------
        month : int
            Months since year 0.
        company : int array (areas,)
            First area, of those run, of each area's company: there its verdict is counted and paid.

        Returns
        -------
        areas, pence : int arrays
            Companies that are paid, and what.
        """
        service, cohorts = self.service, self.cohorts
        size = cohorts.size
        due = cohorts.quarter[:size] * 3 + 2 + self.settled_after <= month
        # One quarter's at a time, as the months go by.
        where = company[service.people.area[cohorts.person[:size][due]]]
        people = np.bincount(where, minlength=company.size)
        reoffended = np.bincount(where[cohorts.reoffended[:size][due] == 1], minlength=company.size)
        expected = np.zeros(company.size, dtype=np.int64)
        np.add.at(expected, where, cohorts.expected[:size][due])
        cohorts.keep(~due)
        outcome = verdicts(people, reoffended, expected, self.threshold)
        given = np.flatnonzero(people)
        service.count_codes("results_cohorts", given * 2 + 1)
        service.count_codes("results_followed", given * 2 + 1, people[given])
        service.count_codes("results_reoffenders", given * 2 + 1, reoffended[given])
        won = np.flatnonzero(outcome > 0)
        service.count_codes("results_wins", won * 2 + 1)
        service.count_codes("results_losses", np.flatnonzero(outcome < 0) * 2 + 1)
        fewer = expected[won] - reoffended[won] * 1000
        return won, fewer * self.payment // 1000
