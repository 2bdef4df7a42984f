"""Targets: what is measured against what is true.

A service level counts what was arranged, written or referred, among what came to light. Beside each stands here what
the level was meant to show: whether somebody was seen, whether a plan says anything, whether the person was there when
an order was completed. Inspections read a sample of cases; how it is drawn decides what they find.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import simpy
from numpy.typing import NDArray

from simulation.engine.agenda import each_once
from simulation.system.area_moves import AreaMoves
from simulation.system.caseload import Caseload
from simulation.system.codes import CRC, NPS
from simulation.system.custody import Custody
from simulation.system.service import Array, Rows, Service
from simulation.system.target_loops import judged, thin_plans

RANDOM, ANNOUNCED, CHOSEN = "random", "announced", "chosen"
#: An order counts as completed in touch if the person was seen within so many days of its end.
IN_TOUCH = 60


def drawn(draws: Array, sufficient: NDArray[np.bool_], sample: int, chosen_share: float) -> Rows:
    """Return which cases are read: those with the lowest draws, after those that managers take from the sufficient.

    Parameters
    ----------
    draws : float array (cases,)
        A number of each case.
    sufficient : bool array (cases,)
        Whether each is in order.
    sample : int
        Cases read, if there are so many.
    chosen_share : float
        Share of the sample that managers choose.

    Examples
    --------
    Of four cases two are in order. Two are read; managers choose one:

    >>> draws = np.array([0.1, 0.2, 0.3, 0.4])
    >>> drawn(draws, np.array([False, False, True, True]), 2, 0.5).tolist()
    [0, 2]
    >>> drawn(draws, np.array([False, False, True, True]), 2, 0.0).tolist()
    [0, 1]
    """
    fit = np.flatnonzero(sufficient)
    chosen = fit[_lowest(draws[fit], int(sample * chosen_share))]
    left = np.ones(draws.size, dtype=bool)
    left[chosen] = False
    others = np.flatnonzero(left)
    rest = others[_lowest(draws[others], sample - chosen.size)]
    return np.sort(np.concatenate([chosen, rest]))


def _lowest(draws: Array, many: int) -> Rows:
    """Return which draws are the lowest; of equal ones the first."""
    if many <= 0:
        return np.empty(0, dtype=np.intp)
    if many >= draws.size:
        return np.arange(draws.size)
    # Few of many are read: only those that may be among them are sorted.
    few = np.flatnonzero(draws <= np.partition(draws, many - 1)[many - 1])
    return few[np.argsort(draws[few], kind="stable")][:many]


class Targets:
    """Plans that say something, people who came, and inspections."""

    def __init__(self, service: Service, caseload: Caseload, custody: Custody, area_moves: AreaMoves) -> None:
        self.service, self.area_moves = service, area_moves
        people, areas = service.people, np.arange(service.areas + 1, dtype=np.int8)
        self.first_of_area = np.searchsorted(people.area[: people.size], areas)
        caseload.on_plans.append(self.plans)
        custody.on_completed.append(self.completed)
        service.process(self.process)

    def read(self) -> None:
        """Take the levers of the day."""
        levers = self.service.levers
        share = levers.mapping("targets.plan_meaningful_share")
        self.meaningful = np.array([share["nps"], share["crc"]], dtype=np.float64)
        self.most_cases = levers.number("targets.quality_threshold_cases")
        self.lost_per_case = levers.number("targets.quality_lost_per_case")
        self.rule = levers.text("targets.inspection_rule")
        self.months = levers.integer("targets.inspection_every_months")
        self.sample = levers.integer("targets.inspection_sample")
        self.case_days = levers.integer("targets.inspection_case_days")
        self.seen_days = levers.integer("targets.sufficient_seen_days")
        self.put_right = levers.number("targets.put_right_share")
        self.chosen = levers.number("targets.chosen_share") if self.rule == CHOSEN else 0.0

    # --- Service levels -----------------------------------------------------------------------------------------

    def plans(self, rows: Rows) -> None:
        """Decide which of the plans completed today say something: fewer, the more cases the officer holds.

        Parameters
        ----------
        rows : int array
            People whose plans they are, in row order.
        """
        service, people = self.service, self.service.people
        good, thin = thin_plans(
            rows,
            self.meaningful,
            float(self.most_cases),
            float(self.lost_per_case),
            service.chance.constant("plan says something"),
            people.key,
            people.side,
            people.officer,
            people.sentences,
            people.spells,
            people.plan_thin,
            service.posts.cases,
        )
        service.count("plans_meaningful", good)
        service.tell("plan is thin", thin)

    def completed(self, rows: Rows) -> None:
        """Count orders that ran out with somebody who was in touch to the end, or did unpaid work alone."""
        people = self.service.people
        in_touch = self.service.today - people.last_seen[rows] <= IN_TOUCH
        self.service.count("orders_completed_in_touch", rows[in_touch | (people.work_only[rows] == 1)])

    # --- Inspection ---------------------------------------------------------------------------------------------

    def process(self) -> Generator[simpy.Event, Any, None]:
        """On the last evening of a month: the inspections of the areas whose month it is."""
        service = self.service
        while True:
            yield service.clock.phase("counting")
            when = service.calendar.date(service.today)
            if service.calendar.date(service.today + 1).day == 1:
                month = when.year * 12 + when.month - 1
                for area in service.resolved.areas:
                    if month % self.months == area % self.months:
                        self.inspect(area, month // self.months)

    def inspect(self, area: int, number: int) -> None:
        """Read a sample of each side's cases in an area.

        Parameters
        ----------
        area : int
            Index of the area.
        number : int
            Number of the inspection, for its draws.
        """
        service, people = self.service, self.service.people
        rows, good = self.cases(area)
        draws = service.chance.uniform(people.key[rows], "drawn for inspection", number)
        sides = people.side[rows]
        for side in (NPS, CRC):
            mine = np.flatnonzero(sides == side)
            read = mine[drawn(draws[mine], good[mine], self.sample, self.chosen)]
            found = good[read]
            if self.rule == ANNOUNCED:
                keys = people.key[rows[read]]
                found = found | (service.chance.uniform(keys, "put right for inspection", number) < self.put_right)
            service.count("cases_judged", rows[mine])
            service.count("cases_sufficient", rows[mine[good[mine]]])
            service.count("inspected", rows[read])
            service.count("inspected_found_sufficient", rows[read[found]])
            service.tell("case inspected: sufficient", rows[read[found]])
            service.tell("case inspected: falls short", rows[read[~found]])

    def cases(self, area: int) -> tuple[Rows, NDArray[np.bool_]]:
        """Return whose cases an inspection may read in an area, and whether each is as it should be."""
        people, tasks = self.service.people, self.service.tasks
        # People are in the order of the areas where they were convicted: one slice, and those taken over.
        rows = np.arange(int(self.first_of_area[area]), int(self.first_of_area[area + 1]))
        if self.area_moves.taken_over.size:
            rows = each_once(np.concatenate([rows, self.area_moves.taken_over_by(area)]))
            rows = rows[people.area[rows] == area]
        return judged(
            rows,
            self.service.today,
            self.case_days,
            self.seen_days,
            tasks.person[: tasks.size],
            tasks.due[: tasks.size],
            people.location,
            people.side,
            people.stage_start,
            people.officer,
            people.last_seen,
            people.work_only,
            people.first_due_from,
            people.plan_thin,
        )
