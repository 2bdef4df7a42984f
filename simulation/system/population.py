"""Who there is: arrivals for the whole run and the people already under sentence at the start.

Arrivals and fixed traits are drawn before day one and the people table is allocated once. A person's key is packed
from the area, the channel and the day of conviction and an index within that day, so more demand adds people and
changes none.

The starting population is the survivors of a thin pass: past arrivals run through sentence arithmetic alone, far
enough back for the longest sentence. Indeterminate prisoners come from their published series.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from simulation.engine import NEVER, Calendar, Chance
from simulation.engine.calendar import MONTH_DAYS
from simulation.scenario import Geography, Resolved
from simulation.system.codes import Kind, Rosh
from simulation.system.columns import People
from simulation.system.demand import LENGTH_BANDS, Demand, area_shares
from simulation.system.levers import Levers
from simulation.system.quantiles import choose, draw, upper_edges

#: Channels of arrival, part of a person's key.
CONVICTED, LONG_AGO, INDETERMINATE = 0, 1, 2
_DAY_OFFSET = 1 << 15
#: People whose traits are drawn together.
_BLOCK = 16384

#: Case-mix groups: what the baseline would give this person.
GROUPS = ("order", "under_12_months", "12_months_to_under_4_years", "4_years_and_over", "indeterminate")


def pack(
    area: NDArray[np.integer], channel: int, day: NDArray[np.integer], index: NDArray[np.integer]
) -> NDArray[np.uint64]:
    """Pack area, channel, day and index of an arrival into a key that sorts in that order."""
    packed = (area.astype(np.uint64) << np.uint64(44)) + np.uint64(channel << 40)
    packed += (day + _DAY_OFFSET).astype(np.uint64) << np.uint64(16)
    packed += index.astype(np.uint64)
    return packed


def unpack(key: int) -> tuple[int, int, int, int]:
    """Return area, channel, day and index of a key."""
    return key >> 44, (key >> 40) & 15, ((key >> 16) & 0xFFFFFF) - _DAY_OFFSET, key & 0xFFFF


def area_of_conviction(key: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return the area in which people were first convicted, from their keys."""
    return (key >> np.uint64(44)).astype(np.int64)


@dataclass
class Arrivals:
    """People convicted: parallel arrays in no particular order."""

    key: NDArray[np.uint64]
    area: NDArray[np.int8]
    day: NDArray[np.int32]

    def take(self, which: NDArray[np.bool_] | slice) -> Arrivals:
        """Return those where a mask holds, or of a stretch."""
        return Arrivals(self.key[which], self.area[which], self.day[which])

    @staticmethod
    def join(parts: list[Arrivals]) -> Arrivals:
        """Return all of several in one."""
        return Arrivals(
            *(np.concatenate([getattr(part, name) for part in parts]) for name in ("key", "area", "day"))
        )

#: Parameters on which the number of sentences rests.
_SENTENCES = (
    "courts.supervised_start_share",
    "courts.community_sentences_imposed",
    "courts.suspended_sentences_imposed",
    "courts.custody_episode_share",
    "courts.immediate_custody_imposed",
)


class Population:
    """Draws arrivals and traits.

    Parameters
    ----------
    resolved : Resolved
        The scenario.
    geography : Geography
        Areas.
    calendar : Calendar
        Day 0 is the start of the run.
    chance : Chance
        Keyed draws.
    extra : sequence of (area, day)
        People convicted on top of demand, for tests of "one more person in the world".
    """

    def __init__(
        self,
        resolved: Resolved,
        geography: Geography,
        calendar: Calendar,
        chance: Chance,
        extra: tuple[tuple[int, int], ...] = (),
    ) -> None:
        self.resolved, self.geography, self.calendar, self.chance = resolved, geography, calendar, chance
        self.levers = Levers(resolved.on(0))
        self.shares = area_shares(geography)
        self.demand = Demand(resolved, calendar, self.shares)
        self.extra = extra
        self.days = (resolved.end - resolved.start).days + 1

    # --- Arrivals ---------------------------------------------------------------------------------------------

    def _expected(self, year: int) -> tuple[float, float]:
        """Return community and custody sentences of one working day in a year, before returns are taken off."""
        working = self.demand.working_days(year)
        return self.demand.community_year(year) / working, self.demand.custody_year(year) / working

    def expected_new(self, day: int) -> tuple[float, float]:
        """Return new people expected on a working day of the run, community and custody, in the whole country."""
        stretch = self.demand.stretch(day, *_SENTENCES)
        community, custody, working = self.demand.remembered("sentences", stretch, lambda: self._sentences(day))
        returns_community = self.demand.expected_returns("community", day) / working
        returns_custody = self.demand.expected_returns("custody", day) / working
        return max(0.0, community - returns_community), max(0.0, custody - returns_custody)

    def _sentences(self, day: int) -> tuple[float, float, float]:
        """Return both before returns are taken off, and how many working days a month has in that year."""
        year, lever = self.calendar.date(day).year, self.demand.lever
        community, custody = self._expected(year)
        suspended = self.demand.suspended_share(year)
        community *= lever("courts.supervised_start_share", day) * (
            (1 - suspended) * lever("courts.community_sentences_imposed", day)
            + suspended * lever("courts.suspended_sentences_imposed", day)
        )
        custody *= lever("courts.custody_episode_share", day) * lever("courts.immediate_custody_imposed", day)
        return community, custody, self.demand.working_days(year) / 12

    def _draw_days(self, days: NDArray[np.int32], means: NDArray[np.float64], channel: int) -> Arrivals:
        """Draw arrivals in every area on each day, given the national mean of each day."""
        areas = np.array(self.resolved.areas, dtype=np.int8)
        area, day = np.repeat(areas, days.size), np.tile(days, areas.size)
        mean = self.shares[area] * np.tile(means, areas.size)
        zero = np.zeros(area.size, dtype=np.int64)
        # The count's own draw has an index no person has.
        count_key = pack(area, channel, day, zero + 0xFFFF)
        count = self.chance.poisson(mean, count_key, "arrivals on the day")
        if channel == CONVICTED:
            for extra_area, extra_day in self.extra:
                count[(area == extra_area) & (day == extra_day)] += 1
        where = np.repeat(np.arange(area.size), count)
        index = np.arange(where.size) - np.repeat(np.cumsum(count) - count, count)
        return Arrivals(
            pack(area[where], channel, day[where], index), area[where], day[where].astype(np.int32)
        )

    def future(self) -> Arrivals:
        """Return everybody newly convicted during the run."""
        days = np.arange(self.days, dtype=np.int32)
        days = days[self.calendar.is_working(days)]
        means = np.array([sum(self.expected_new(int(day))) for day in days])
        return self._draw_days(days, means, CONVICTED)

    def past(self) -> Arrivals:
        """Return everybody sentenced before the run who might still be under sentence."""
        recent = int(self.levers.number("population.thin_pass_years") * 365.25)
        far = int(self.levers.number("population.thin_pass_long_years") * 365.25)
        days = np.arange(-recent, 0, dtype=np.int32)
        days = days[self.calendar.is_working(days)]
        means = self._by_year(days, lambda year: sum(self._expected(year)))
        near = self._draw_days(days, means, CONVICTED)
        days = np.arange(-far, -recent, dtype=np.int32)
        days = days[self.calendar.is_working(days)]
        means = self._by_year(
            days, lambda year: self._expected(year)[1] * float(self.demand.length_shares(year)[3:].sum())
        )
        return Arrivals.join([near, self._draw_days(days, means, LONG_AGO)])

    def _by_year(self, days: NDArray[np.int32], value: Callable[[int], float]) -> NDArray[np.float64]:
        """Return for each day a value that belongs to its calendar year."""
        years = self.calendar.month(days) // 12
        first, last = (int(years.min()), int(years.max())) if years.size else (0, -1)
        return np.array([value(year) for year in range(first, last + 1)], dtype=np.float64)[years - first]

    def indeterminate(self) -> tuple[Arrivals, NDArray[np.bool_]]:
        """Return indeterminate prisoners at the start, and which of them are on recall.

        Each area's number is its share of the national series, rounded in a fixed way for each area.
        """
        parts, recalled = [], []
        areas = np.array(self.resolved.areas)
        for number, name in enumerate(("unreleased", "recalled")):
            total = self.resolved.series_value(f"custody.indeterminate_{name}", 0, 0)
            edges = np.round(np.concatenate([[0.0], np.cumsum(self.shares)]) * total).astype(np.int64)
            counts = (edges[1:] - edges[:-1])[areas]
            area = np.repeat(areas, counts).astype(np.int8)
            index = np.arange(area.size) - np.repeat(np.cumsum(counts) - counts, counts)
            day = np.full(area.size, -1000 - number, dtype=np.int32)
            parts.append(Arrivals(pack(area, INDETERMINATE, day, index), area, day))
            recalled.append(np.full(area.size, bool(number)))
        return Arrivals.join(parts), np.concatenate(recalled)

    # --- Disposal and length ----------------------------------------------------------------------------------

    def custody_cut(self, arrivals: Arrivals, past: bool) -> NDArray[np.float64]:
        """Return the share of people sentenced to custody on each person's day, in the baseline."""
        # Past years are cut by the year, the run by the day, as the returns expected change from day to day.
        places = self.calendar.month(arrivals.day) // 12 if past else arrivals.day
        found = np.unique(places)
        cuts = np.zeros(int(found[-1]) - int(found[0]) + 1 if found.size else 0)
        for place in found.tolist():
            community, custody = self._expected(place) if past else self.expected_new(place)
            cuts[place - int(found[0])] = custody / max(community + custody, 1e-9)
        return cuts[places - found[:1]]

    def length_band(
        self, keys: NDArray[np.uint64], years: NDArray[np.integer], occurrence: NDArray[np.integer] | int
    ) -> NDArray[np.int64]:
        """Return the length band of custodial sentences imposed in the given years."""
        uniform = self.chance.uniform(keys, "custody: length band", occurrence)
        found, place = np.unique(years, return_inverse=True)
        edges = [upper_edges(self.demand.length_shares(year).tolist()) for year in found.tolist()]
        # The number of upper edges that each draw has reached.
        passed = uniform[:, np.newaxis] >= np.array(edges).reshape(-1, len(LENGTH_BANDS))[place]
        return np.minimum(passed.sum(axis=1), len(LENGTH_BANDS) - 1)

    def length_days(
        self, keys: NDArray[np.uint64], band: NDArray[np.int64], occurrence: NDArray[np.integer] | int
    ) -> NDArray[np.int32]:
        """Return lengths of custodial sentences in days."""
        uniform = self.chance.uniform(keys, "custody: length within band", occurrence)
        days = np.zeros(keys.size)
        for number, name in enumerate(LENGTH_BANDS):
            chosen = band == number
            if chosen.any():
                days[chosen] = draw(self.levers.mapping(f"custody.length_days_{name}"), uniform[chosen])
        return days.astype(np.int32)

    def order_days(
        self, keys: NDArray[np.uint64], occurrence: NDArray[np.integer] | int, suspended: NDArray[np.bool_]
    ) -> NDArray[np.int32]:
        """Return lengths of orders in days; those that are suspended sentences have a longest by statute."""
        lengths = self.levers.mapping("courts.order_length_months")
        chosen = choose(lengths, self.chance.uniform(keys, "order: length", occurrence))
        months = np.array([int(name.split("_")[0]) for name in lengths])
        most = np.where(suspended, self.levers.number("courts.suspended_most_months"), np.inf)
        return (np.minimum(months[chosen], most) * MONTH_DAYS).astype(np.int32)

    def remand_days(
        self, keys: NDArray[np.uint64], occurrence: NDArray[np.integer] | int
    ) -> NDArray[np.int32]:
        """Return days on remand that count towards the term, 0 for those who had none."""
        share = self.levers.number("custody.remand_share")
        had = self.chance.uniform(keys, "custody: remanded", occurrence) < share
        days = draw(
            self.levers.mapping("custody.remand_days"),
            self.chance.uniform(keys, "custody: remand days", occurrence),
        )
        return np.where(had, days, 0).astype(np.int32)

    # --- Traits -----------------------------------------------------------------------------------------------

    def traits(
        self, people: People, rows: NDArray[np.intp], group: NDArray[np.int64], ogrs_shift: NDArray[np.float64]
    ) -> None:
        """Draw the fixed traits of people, block by block: what is worked out for one stays near the processor.

        Parameters
        ----------
        people : People
            Table to write to; keys and areas are set.
        rows : int array
            Rows of people.
        group : int array
            Number in :data:`GROUPS`: what the baseline would give them. A policy that diverts people from custody
            moves the same people with the same traits.
        ogrs_shift : float64 array
            Added to the chance of reoffending: people already under sentence have come back more often than the
            newly convicted, so they are not a fair sample of them.
        """
        for start in range(0, rows.size, _BLOCK):
            block = slice(start, start + _BLOCK)
            self._traits(people, rows[block], group[block], ogrs_shift[block])

    def _traits(
        self, people: People, rows: NDArray[np.intp], group: NDArray[np.int64], ogrs_shift: NDArray[np.float64]
    ) -> None:
        chance, levers = self.chance, self.levers
        keys = people.key[rows]

        def by_group(name: str) -> NDArray[np.float64]:
            values = levers.mapping(name)
            return np.array([values[label] for label in GROUPS])[group]

        people.female[rows] = chance.uniform(keys, "sex") < by_group("population.female_share")
        people.age[rows] = draw(levers.mapping("population.age_years"), chance.uniform(keys, "age")).astype(
            np.int8
        )
        rural = levers.mapping("population.rural_share")
        rural_by_area = np.array([rural[settlement] for settlement in self.geography.settlement])
        people.rural[rows] = chance.uniform(keys, "rural") < rural_by_area[people.area[rows]]
        spread = levers.number("population.ogrs_spread")
        ogrs = by_group("population.ogrs_mean") + ogrs_shift + spread * chance.normal(keys, "ogrs")
        people.ogrs[rows] = np.clip(np.round(ogrs * 100), 2, 97).astype(np.int8)
        rsr = np.zeros(keys.size)
        uniform = chance.uniform(keys, "rsr")
        high_share = by_group("population.rsr_over_threshold_share")
        threshold = levers.number("allocation.rsr_threshold")
        # The share above the threshold is a case-mix input; below it, risk is spread as the table says.
        below = draw(
            levers.mapping("population.rsr_below_threshold"),
            np.minimum(uniform / np.maximum(1 - high_share, 1e-9), 1.0),
        )
        above = threshold + (uniform - (1 - high_share)) / np.maximum(high_share, 1e-9) * levers.number(
            "population.rsr_above_range"
        )
        rsr = np.where(uniform < 1 - high_share, np.minimum(below, threshold - 0.01), above)
        people.rsr[rows] = np.round(rsr * 100).astype(np.int16)
        uniform = chance.uniform(keys, "rosh")
        very_high, high = by_group("population.rosh_very_high_share"), by_group("population.rosh_high_share")
        medium = by_group("population.rosh_medium_share")
        rosh = np.full(keys.size, int(Rosh.LOW), dtype=np.int8)
        rosh[uniform < very_high + high + medium] = Rosh.MEDIUM
        rosh[uniform < very_high + high] = Rosh.HIGH
        rosh[uniform < very_high] = Rosh.VERY_HIGH
        people.rosh[rows] = rosh
        uniform, mappa_share = chance.uniform(keys, "mappa"), self.mappa_share(group)
        people.mappa[rows] = np.where(
            uniform < mappa_share * levers.number("population.mappa_level_2_3_share"),
            2,
            np.where(uniform < mappa_share, 1, 0),
        )
        people.safeguarding[rows] = chance.uniform(keys, "safeguarding") < levers.number(
            "population.safeguarding_share"
        )
        people.public_interest[rows] = chance.uniform(keys, "public interest") < levers.number(
            "allocation.public_interest_share"
        )
        people.never_curfew[rows] = self.excluded_from_curfew(keys, group)
        deportation = chance.uniform(keys, "deportation") < by_group("population.deportation_share")
        people.deportation[rows] = deportation
        people.public_interest[rows] |= deportation
        people.never_curfew[rows] |= deportation
        people.miss_factor[rows] = draw(
            levers.mapping("contact.miss_factor"), chance.uniform(keys, "reliability")
        )
        people.disposal_draw[rows] = chance.uniform(keys, "disposal")

    def mappa_share(self, group: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the share of MAPPA cases in each person's case-mix group."""
        shares = self.levers.mapping("population.mappa_share")
        return np.array([shares[label] for label in GROUPS], dtype=np.float64)[group]

    def excluded_from_curfew(self, keys: NDArray[np.uint64], group: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell who never goes on curfew: MAPPA cases, and so many others that the whole share is what it should be."""
        in_mappa = self.mappa_share(group)
        share = self.levers.number("custody.hdc.excluded_share")
        others = np.maximum(share - in_mappa, 0) / np.maximum(1 - in_mappa, 1e-9)
        is_in = self.chance.uniform(keys, "mappa") < in_mappa
        return is_in | (self.chance.uniform(keys, "excluded from curfew") < others)

    def group_of(self, custody: NDArray[np.bool_], band: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the case-mix group from the baseline disposal and length band."""
        by_band = np.array([1, 1, 2, 3, 3])
        return np.where(custody, by_band[band], 0)


__all__ = [
    "CONVICTED",
    "GROUPS",
    "INDETERMINATE",
    "LONG_AGO",
    "NEVER",
    "Arrivals",
    "Kind",
    "Population",
    "area_of_conviction",
    "date",
    "pack",
    "unpack",
]
