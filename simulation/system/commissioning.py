"""Services bought by mayors, police and crime commissioners or councils: places to live, and mentors.

Money for what probation doesn't do itself is decided locally. Each commissioner needs people who write tenders and
manage contracts, so that the same money split among many buys less; the rest buys places to live for people about to
be released, and mentors who meet them at the gate and take no time of the resettlement team. Who holds the purse
changes nothing else here: whether a council houses more readily because it decides has no evidence, and is left to
the scenario.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulation.engine import Column, Table
from simulation.engine.calendar import YEAR_DAYS
from simulation.system.codes import NPS
from simulation.system.demand import area_shares
from simulation.system.service import Rows, Service

_MILLION = 100_000_000
_MILLIONTHS = 1_000_000

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Bought:
    """What local commissioners spend and buy in a year, by area.

    Parameters
    ----------
    pence, administration : float arrays
        All that they are given; what of it they need themselves.
    homes, mentors : float arrays
        Places to live, and people met by a mentor.
    """

    pence: Floats
    administration: Floats
    homes: Floats
    mentors: Floats


def bought(service: Service) -> Bought:
    """Return what is bought under the levers of the day."""
    levers, geography = service.levers, service.geography
    who = levers.text("organisation.commissioner")
    none = np.zeros(service.areas)
    if who == "none":
        return Bought(none, none, none, none)
    pence = levers.grid("organisation.commissioned_money")[:, NPS] * _MILLION * np.asarray(area_shares(geography))
    millions = np.asarray(geography.population_thousands, dtype=np.float64) / 1000
    bodies = levers.mapping("organisation.commissioners_per_million")[who] * millions
    needed = bodies * levers.number("organisation.commissioner_cost") * 100
    administration = np.where(pence > 0, np.minimum(needed, pence), 0.0)
    left = pence - administration
    housing = levers.number("organisation.commissioned_housing_share")
    homes = left * housing / (levers.number("organisation.place_price") * 100)
    mentors = left * (1 - housing) / (levers.number("organisation.mentor_price") * 100)
    return Bought(pence, administration, homes, mentors)


class Mentors:
    """Mentors whom commissioners pay, and who meets them."""

    def __init__(self, service: Service) -> None:
        self.service = service
        columns = [
            Column("owed", "int64", "millionths of a person", "Mentors' places paid for and not yet taken."),
            Column("since", "int32", "day", "Day up to which they are counted."),
            Column("a_day", "int64", "millionths of a person", "Places paid for each day."),
            Column("kept_days", "int64", "days", "For how long a place that nobody takes is kept."),
        ]
        self.places = service.table("mentors", Table("mentors", columns, service.areas))
        self.places.add(service.areas)

    def read(self) -> None:
        """Take the levers of the day; what was paid for until now counts at the old rate."""
        self.accrue()
        kept_days = self.service.levers.integer("organisation.commissioned_places_kept_days")
        self.places.kept_days[: self.service.areas] = kept_days
        a_day = np.round(bought(self.service).mentors / YEAR_DAYS * _MILLIONTHS).astype(np.int64)
        self.places.a_day[: self.service.areas] = a_day

    def accrue(self) -> None:
        """Add the places of the days since they were last counted."""
        size, today = self.service.areas, self.service.today
        places = self.places
        a_day = places.a_day[:size]
        places.owed[:size] += a_day * (today - places.since[:size])
        places.owed[:size] = np.minimum(places.owed[:size], a_day * places.kept_days[:size] + _MILLIONTHS)
        places.since[:size] = today

    def paid_for(self) -> bool:
        """Return whether anybody pays for mentors now."""
        return bool(np.count_nonzero(self.places.a_day))

    def meet(self, released: Rows) -> Rows:
        """Return who of those released today is met, as far as there are places; a draw settles who."""
        service, people = self.service, self.service.people
        if not self.paid_for() or released.size == 0:
            return released[:0]
        self.accrue()
        keys, number = people.key[released], people.sentences[released].astype(np.int64)
        draws = service.chance.uniform(keys, "commissioned mentor", number)
        area = people.area[released].astype(np.int64)
        order = np.lexsort([released, draws, area])
        rank = np.empty(released.size, dtype=np.int64)
        rank[order] = np.arange(released.size) - np.searchsorted(area[order], area[order])
        met = released[rank < self.places.owed[: service.areas][area] // _MILLIONTHS]
        taken = np.bincount(people.area[met], minlength=service.areas)
        self.places.owed[: service.areas] -= taken * _MILLIONTHS
        return np.sort(met)
