"""Demand: how many new people are expected on a day."""

from __future__ import annotations

import datetime

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
