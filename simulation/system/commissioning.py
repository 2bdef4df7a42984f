"""Services bought by mayors, police and crime commissioners or councils: places to live, and mentors.

Money for what probation doesn't do itself is decided locally. Each commissioner needs people who write tenders and
manage contracts, so that the same money split among many buys less; the rest buys places to live for people about to
be released, and mentors who meet them at the gate and take no time of the resettlement team. Who holds the purse
changes nothing else here: whether a council houses more readily because it decides has no evidence, and is left to
the scenario.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulation.engine import Column, Table
from simulation.engine.agenda import each_once
from simulation.engine.calendar import YEAR_DAYS
from simulation.engine.chance import uniform_of
from simulation.engine.compiled import compiled
from simulation.system.codes import NPS
from simulation.system.demand import area_shares
from simulation.system.service import Rows, Service

_MILLION = 100_000_000
_MILLIONTHS = 1_000_000

Array = NDArray[Any]
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
        places = self.places
        _accrue(self.service.today, places.a_day, places.kept_days, places.since, places.owed)

    def paid_for(self) -> bool:
        """Return whether anybody pays for mentors now."""
        return bool(np.count_nonzero(self.places.a_day))

    def meet(self, terms: Rows) -> Rows:
        """Return who of those whose terms in prison end today is met, in row order."""
        if not self.paid_for() or terms.size == 0:
            return terms[:0]
        service, people, places = self.service, self.service.people, self.places
        return meet_released(
            # Whoever ends two terms on one day is one person, and has one place.
            each_once(service.sentences.person[terms]),
            service.today,
            service.chance.constant("commissioned mentor"),
            people.released_on,
            people.mentored_until,
            people.key,
            people.sentences,
            people.area,
            places.a_day,
            places.kept_days,
            places.since,
            places.owed,
        )


@compiled
def _accrue(today: int, a_day: Array, kept_days: Array, since: Array, owed: Array) -> None:
    """Add the places of the days since they were last counted, by area; what is too old goes."""
    for area in range(a_day.size):
        after = owed[area] + a_day[area] * (today - since[area])
        owed[area] = min(after, a_day[area] * kept_days[area] + _MILLIONTHS)
        since[area] = today


@compiled
def meet_released(
    leaving: Rows,
    today: int,
    meets: np.uint64,
    released_on: Array,
    mentored_until: Array,
    key: Array,
    sentences: Array,
    area: Array,
    a_day: Array,
    kept_days: Array,
    since: Array,
    owed: Array,
) -> Rows:
    """Return who of those released is met, in row order, as far as there are places in their area; a draw settles who.

    Parameters
    ----------
    leaving : int array
        People with a term whose part in prison ends today, each once, in row order.
    meets : uint64
        Constant of the draw.
    """
    rows, draws, many = np.empty(leaving.size, dtype=np.intp), np.empty(leaving.size, dtype=np.float64), 0
    for row in leaving:
        # Not those held under another sentence, nor those removed from the country, nor those met already.
        if released_on[row] == today and mentored_until[row] <= today:
            rows[many] = row
            many += 1
    if many == 0:
        return rows[:0]
    _accrue(today, a_day, kept_days, since, owed)
    # Everybody points to the one before of the same area.
    last, before = np.full(owed.size, -1, dtype=np.intp), np.empty(many, dtype=np.intp)
    for at in range(many):
        row = rows[at]
        draws[at] = uniform_of(key[row], meets, int(sentences[row]))
        before[at] = last[area[row]]
        last[area[row]] = at
    met, size, taken = np.empty(many, dtype=np.intp), 0, np.zeros(owed.size, dtype=np.int64)
    for at in range(many):
        row, rank = rows[at], 0
        other = last[area[row]]
        while other >= 0:
            rank += draws[other] < draws[at] or (draws[other] == draws[at] and other < at)
            other = before[other]
        if rank < owed[area[row]] // _MILLIONTHS:
            met[size] = row
            size += 1
            taken[area[row]] += 1
    for where in range(owed.size):
        owed[where] -= taken[where] * _MILLIONTHS
    return met[:size]
