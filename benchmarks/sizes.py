"""Parts of the country, and a country of another size.

A part is an area or a named list of areas as it is: nothing is scaled. A country of another size has the same 42
areas, offices of the same size, laws and rules, and every number that stands for a whole country, of people, officers,
money or places, times one factor, with its residents and the people whom each provider supervises; so caseloads, queues
and waits stay about what they are.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from simulation.scenario import Geography, Parameters
from simulation.system.demand import area_shares

#: Parameters that stand for the whole country. Every other one is a share, a rate, a time or a thing of one case.
NATIONAL_TOTALS = (
    "contracts.adjustment_most",
    "contracts.income_expected",
    "contracts.nps_other_cost",
    "contracts.volume_2016_17",
    "courts.community_sentences_imposed",
    "courts.immediate_custody_imposed",
    "courts.pre_sentence_reports",
    "courts.suspended_sentences_imposed",
    "custody.indeterminate_recalled",
    "custody.indeterminate_unreleased",
    "custody.other_prisoners",
    "custody.remand_population",
    "custody.usable_places",
    "enforcement.hearings_a_year",
    "organisation.commissioned_money",
    "population.returns.community",
    "population.returns.custody",
    "release.homes_a_year",
    "release.team_hours_a_year",
    "requirements.activity.sessions_a_week",
    "requirements.programme.groups_at_once",
    "requirements.unpaid_work.places_a_week",
    "staff.crc.officers_holding_cases",
    "staff.nps.officers_holding_cases",
    "staff.other_staff",
    "staff.trainee.starts_per_year",
)


def scaled(parameters: Parameters, factor: float) -> Parameters:
    """Return parameters of a country of another size.

    Parameters
    ----------
    parameters : Parameters
        Those of the country as it is.
    factor : float
        How many times its size.
    """
    if factor == 1:
        return parameters
    changed = dict(parameters)
    for name in NATIONAL_TOTALS:
        one = parameters[name]
        changed[name] = replace(
            one,
            value=_times(one.value, factor),
            leaves=_times(one.leaves, factor),
            points={
                labels: tuple((day, value * factor) for day, value in dated) for labels, dated in one.points.items()
            },
        )
    return Parameters(changed.values())


def _times(value: Any, factor: float) -> Any:
    """Return a number, or every number of a table, times a factor; whole numbers stay whole."""
    if isinstance(value, dict):
        return {label: _times(each, factor) for label, each in value.items()}
    return round(value * factor) if isinstance(value, int) else value * factor


def scaled_geography(geography: Geography, factor: float) -> Geography:
    """Return the same map with more or fewer residents, and people supervised by each provider, which size its hub."""
    if factor == 1:
        return geography
    providers = tuple(replace(one, caseload=round(one.caseload * factor)) for one in geography.providers)
    residents = np.rint(geography.population_thousands * factor).astype(np.int64)
    return replace(geography, providers=providers, population_thousands=residents)


def part_nearest(geography: Geography, share: float) -> str:
    """Return the area, or else the named list of areas, whose share of the country's sentences is nearest to one."""
    shares = area_shares(geography)
    # Names of areas stand first among the lists, and the first of equals is taken.
    return min(geography.lists, key=lambda name: round(abs(shares[list(geography.lists[name])].sum() - share), 9))


def share_of(geography: Geography, areas: str) -> float:
    """Return the share of the country's sentences that named areas have."""
    return float(area_shares(geography)[list(geography.resolve(areas))].sum())
