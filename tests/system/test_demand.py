"""Demand: how many new people are expected on a day."""

from __future__ import annotations

import datetime

import numpy as np

from simulation.engine import Calendar, Chance
from simulation.system.population import Population
from tests.system.system_helpers import GEOGRAPHY, resolved, scenario


def test_a_long_run_has_new_people_on_every_working_day() -> None:
    """Day 2018 of a run is not the year 2018: what is remembered of the one is never taken for the other."""
    start = datetime.date(2014, 1, 1)
    long = resolved(scenario(start=start, count_from=start, end=datetime.date(2021, 6, 30)))
    calendar = Calendar(start)
    population = Population(long, GEOGRAPHY, calendar, Chance(1, 0), ())
    days = [day for day in range(1900, 2100) if calendar.is_working(day)]
    for year in range(1990, 2022):
        # As the thin pass before the start does.
        population.demand.community_year(year), population.demand.custody_year(year)
    assert min(min(population.expected_new(day)) for day in days) > 0


def test_whether_somebody_goes_to_custody_rests_on_their_own_day() -> None:
    """The line of a day doesn't depend on who came when: an area alone equals its part of the national run."""
    start = datetime.date(2018, 5, 1)
    part = resolved(scenario(start=start, count_from=start, end=datetime.date(2019, 4, 30)))
    calendar = Calendar(start)
    population = Population(part, GEOGRAPHY, calendar, Chance(1, 0), ())
    everybody = population.future()
    lines = population.custody_cut(everybody, past=False)
    for day in (np.unique(everybody.day)[[3, 40, 90, 200]]).tolist():
        community, custody = population.expected_new(day)
        assert set(lines[everybody.day == day].tolist()) == {custody / (community + custody)}
        later = everybody.take(everybody.day >= day)
        assert np.array_equal(population.custody_cut(later, past=False), lines[everybody.day >= day])
