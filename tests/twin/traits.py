"""Who arrives, and with which traits: drawn once, whatever any policy decides afterwards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twin import courts, custody
from twin.people import HIGH, LOW, MEDIUM, VERY_HIGH, Person
from twin.world import World, at_percentile

CONVICTED = 0
"""Channel of people convicted in the run."""
NUMBER_OF_THE_DAY = 65535
"""Index, in the place of a person's, of the draw of how many come."""
FIRST = 4096
"""Occurrence of draws about a first sentence."""


def key_of(area: int, channel: int, day: int, index: int) -> int:
    """Return a person's key."""
    return (area << 44) | (channel << 40) | ((day + 32768) << 16) | index


@dataclass(frozen=True)
class Demand:
    """New people of a working day in the whole country, by what the baseline would give them."""

    community: float
    custody: float


def demand(world: World, day: int) -> Demand:
    """Return the new people expected on a working day: sentences imposed, less people known to the model."""
    year = world.calendar.date(day).year
    working = working_days_of_year(world, year)
    community, in_custody = courts.sentences_of_year(world, day)
    returns = [world.series(f"population.returns.{kind}", day) / (working / 12) for kind in ("community", "custody")]
    return Demand(max(0.0, community / working - returns[0]), max(0.0, in_custody / working - returns[1]))


def working_days_of_year(world: World, year: int) -> int:
    """Count the working days of a calendar year."""
    start = world.calendar.start
    before = world.calendar.day(start.replace(year=year - 1, month=12, day=31))
    return world.working_days_between(before, world.calendar.day(start.replace(year=year, month=12, day=31)))


def arrivals(world: World, day: int, offices: dict[str, list[int]]) -> list[Person]:
    """Return the people newly convicted on a working day, in order of their keys."""
    expected = demand(world, day)
    both = expected.community + expected.custody
    crowd = key_of(world.area, CONVICTED, day, NUMBER_OF_THE_DAY)
    number = world.poisson(world.share() * both, crowd, "arrivals on the day")
    line = expected.custody / both if both else 0.0
    return [newcomer(world, key_of(world.area, CONVICTED, day, index), day, line, offices) for index in range(number)]


def group_of(world: World, key: int, day: int, line: float) -> str:
    """Return the group by which traits are drawn: what the baseline's courts would give."""
    if world.draw(key, "disposal") >= line:
        return "order"
    return custody.group_of_length(custody.length_of(world, key, FIRST, day))


def newcomer(world: World, key: int, day: int, line: float, offices: dict[str, list[int]]) -> Person:
    """Draw somebody's traits."""
    group = group_of(world, key, day, line)

    def under(purpose: str, parameter: str, *labels: str) -> bool:
        return world.draw(key, purpose) < world.value(parameter, *labels)

    mappa = mappa_level(world, key, group)
    settlement = world.geography.settlement[world.area]
    mine = offices["both"]
    return Person(
        world,
        key,
        day,
        ogrs=chance_of_reoffending(world, key, group),
        rsr=serious_recidivism(world, key, group),
        rosh=harm(world, key, group),
        mappa=mappa,
        safeguarding=under("safeguarding", "population.safeguarding_share"),
        public_interest=under("public interest", "allocation.public_interest_share"),
        deportation=under("deportation", "population.deportation_share", group),
        never_curfew=mappa > 0 or world.draw(key, "excluded from curfew") < excluded_of_others(world, group),
        rural=under("rural", "population.rural_share", settlement),
        office=mine[int(world.draw(key, "office") * len(mine))],
        reliability=reliability(world, key),
    )


def excluded_of_others(world: World, group: str) -> float:
    """Return the share excluded from curfew among the rest: with MAPPA cases, who all are, it is the whole share."""
    in_mappa = world.value("population.mappa_share", group)
    left = world.value("custody.hdc.excluded_share") - in_mappa
    return left / (1 - in_mappa) if left > 0 else 0.0


def reliability(world: World, key: int) -> float:
    """Return what multiplies the chance of missing; kept, like the draw about the telephone, to 32 bits."""
    return float(np.float32(at_percentile(world.table("contact.miss_factor"), world.draw(key, "reliability"))))


def chance_of_reoffending(world: World, key: int, group: str) -> int:
    """Return OGRS in whole percent."""
    spread = world.value("population.ogrs_spread") * world.normal(key, "ogrs")
    return min(97, max(2, round(100 * (world.value("population.ogrs_mean", group) + spread))))


def serious_recidivism(world: World, key: int, group: str) -> int:
    """Return RSR in hundredths of a percent."""
    over = world.value("population.rsr_over_threshold_share", group)
    threshold = world.value("allocation.rsr_threshold")
    draw = world.draw(key, "rsr")
    if draw < 1 - over:
        percent = min(at_percentile(world.table("population.rsr_below_threshold"), draw / (1 - over)), threshold - 0.01)
    else:
        percent = threshold + (draw - (1 - over)) / over * world.value("population.rsr_above_range")
    return round(100 * percent)


def harm(world: World, key: int, group: str) -> int:
    """Return the true risk of serious harm."""
    draw = world.draw(key, "rosh")
    line = 0.0
    for level, name in ((VERY_HIGH, "very_high"), (HIGH, "high"), (MEDIUM, "medium")):
        line += world.value(f"population.rosh_{name}_share", group)
        if draw < line:
            return level
    return LOW


def mappa_level(world: World, key: int, group: str) -> int:
    """Return the level of multi-agency public protection: 0 for none, 1 or 2."""
    draw, share = world.draw(key, "mappa"), world.value("population.mappa_share", group)
    if draw >= share:
        return 0
    return 2 if draw < share * world.value("population.mappa_level_2_3_share") else 1
