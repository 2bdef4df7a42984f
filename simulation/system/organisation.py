"""Organisation: offices, posts and who employs whom, split or unified.

Offices and posts belong to a police force area; a provider is only their employer. Under the split each office has an
NPS team and a CRC team side by side. On unification every officer of an office is one team and the NPS employs all; on
the split of a service that was one, each officer goes to the side that the post was made for.
"""

from __future__ import annotations

import numpy as np

from simulation.engine import NEVER, Column, Table
from simulation.system.allocation import Allocation
from simulation.system.codes import CRC, NPS, Grade, Location
from simulation.system.cohort_officers import TURNS_A_TEAM
from simulation.system.equal_money import pay_for_transition
from simulation.system.other_staff import lose_seniors
from simulation.system.population import Population
from simulation.system.service import Service
from simulation.system.splitting import split

_POSTS_CHANNEL = 8


def teams_table(areas: int) -> Table:
    """Return what is kept for each area: when it was unified, and what its court and resettlement teams owe."""
    table = Table(
        "teams",
        [
            Column("unified_on", "int32", "day", "Day on which the area's two sides became one service.", NEVER),
            Column("court_owed", "int64", "seconds", "Overrun of the court team's POs, taken from tomorrow."),
            Column("court_owed_pso", "int64", "seconds", "Overrun of the court team's PSOs, taken from tomorrow."),
            Column(
                "release_owed", "int64", "seconds", "Overrun of the resettlement team, taken from tomorrow."
            ),
            Column("homes_free", "int64", "places", "Places to live found this month and not yet taken or lost."),
            Column("homes_found", "int64", "places", "Places found so far for people to be released."),
            Column("homes_taken", "int64", "places", "Those taken by somebody to be released."),
            Column("homes_lost", "int64", "places", "Those that went to others."),
        ],
        areas,
    )
    table.add(areas)
    return table


def turns_table(teams: int) -> Table:
    """Return what is kept for each team (office x 2 + employer) where cases are given out by turns.

    A team has a row for everybody in it and, after that, one for the officers of each group of cohorts.
    """
    last = Column("last", "int32", "row of posts", "Officer who got the last case given out by turns.", -1)
    return Table("turns", [last], teams * TURNS_A_TEAM)


class Organisation:
    """Makes posts and offices at the start, and carries out the split and unification."""

    def __init__(self, service: Service, population: Population, allocation: Allocation) -> None:
        self.service, self.population, self.allocation = service, population, allocation
        service.table("teams", teams_table(service.areas))

    # --- Posts ------------------------------------------------------------------------------------------------

    def establish(self) -> None:
        """Make every post: so many for each side of each area, spread over its offices."""
        service, geography, levers = self.service, self.service.geography, self.service.levers
        nps_total, crc_total = (
            levers.number("staff.nps.officers_holding_cases"),
            levers.number("staff.crc.officers_holding_cases"),
        )
        caseload = {provider.name: provider.caseload for provider in geography.providers}
        kinds = [{p.name for p in geography.providers if p.side == side} for side in (NPS, CRC)]
        totals = [sum(caseload[name] for name in kinds[side]) for side in (NPS, CRC)]
        population: dict[str, float] = {}
        for area in range(service.areas):
            for side in (NPS, CRC):
                name = geography.provider_name(area, side)
                population[name] = population.get(name, 0.0) + float(geography.population_thousands[area])
        models = levers.mapping("organisation.operating_model")
        qualified = levers.mapping("staff.qualified_share")
        vacancy = levers.number("staff.initial_vacancy_share")
        per_office = levers.number("organisation.officers_per_office")
        self.offices = np.ones(service.areas, dtype=np.int64)
        numbers = np.zeros((service.areas, 2), dtype=np.int64)
        for area in range(service.areas):
            for side, national in ((NPS, nps_total), (CRC, crc_total)):
                name = geography.provider_name(area, side)
                share = (
                    caseload[name]
                    / totals[side]
                    * float(geography.population_thousands[area])
                    / population[name]
                )
                numbers[area, side] = max(2, round(national / (1 - vacancy) * share))
            self.offices[area] = max(1, round(numbers[area].sum() / (2 * per_office)))
        first_office = np.concatenate([[0], np.cumsum(self.offices)])
        self.first_office = first_office
        turns = service.table("turns", turns_table(2 * int(first_office[-1])))
        turns.add(turns.capacity)
        mine = np.zeros(service.areas, dtype=bool)
        mine[list(service.resolved.areas)] = True
        for area in np.flatnonzero(mine).tolist():
            for side in (NPS, CRC):
                count = int(numbers[area, side])
                index = np.arange(count)
                rows = service.posts.add(count)
                posts = service.posts
                posts.key[rows] = (
                    (np.uint64(area) << np.uint64(44))
                    | (np.uint64(_POSTS_CHANNEL + side) << np.uint64(40))
                    | index.astype(np.uint64)
                )
                posts.area[rows] = area
                posts.employer[rows] = side
                posts.office[rows] = first_office[area] + index % self.offices[area]
                model = models[geography.provider_name(int(area), side)]
                # Every team has probation officers spread through it: the share is met office by office.
                place = index // self.offices[area]
                officers = np.floor((place + 1) * qualified[model] + 0.5) > np.floor(
                    place * qualified[model] + 0.5
                )
                officers |= place == 0
                posts.grade[rows] = np.where(officers, Grade.PO, Grade.PSO)
                posts.filled[rows] = 1
                posts.new_until[rows] = NEVER
        size = service.posts.size
        posts = service.posts
        draws = service.chance.uniform(posts.key[:size], "vacant at the start")
        posts.filled[:size] = draws >= vacancy
        # A service that is one from the first day has one employer from the first day.
        posts.employer[:size][levers.grid("organisation.unified")[posts.area[:size], NPS] > 0.5] = NPS
        #: Trainees are the NPS's: an area's share of them is its share of NPS posts.
        self.training_shares = numbers[:, NPS] / numbers[:, NPS].sum()

    def assign_offices(self, rows: np.ndarray, occurrence: np.ndarray | int = 0) -> None:
        """Give people their nearest office; with another occurrence, that of another home."""
        people = self.service.people
        draws = self.service.chance.uniform(people.key[rows], "office", occurrence)
        area = people.area[rows]
        people.office[rows] = self.first_office[area] + (draws * self.offices[area]).astype(np.int64)

    # --- Split and unification --------------------------------------------------------------------------------

    def read(self) -> None:
        """Carry out the split, or unification, in the areas where it begins today."""
        service, people, posts = self.service, self.service.people, self.service.posts
        unified = service.levers.grid("organisation.unified")[:, NPS] > 0.5
        yesterday = service.resolved.on(service.today - 1).grid("organisation.unified")[:, NPS] > 0.5
        if (yesterday & ~unified).any():
            split(service, yesterday & ~unified)
        begin = unified & (posts.size > 0)
        size = posts.size
        joining = begin[posts.area[:size]] & (posts.employer[:size] == CRC)
        if not joining.any():
            return
        posts.employer[:size][joining] = NPS
        service.tables["teams"].unified_on[np.unique(posts.area[:size][joining])] = service.today
        live = np.flatnonzero((people.side[: people.size] == CRC) & begin[people.area[: people.size]])
        service.set_side(live, NPS)
        service.tell("moved to the unified service", live)
        # A vacant post goes over too, but nobody with it.
        moving = posts.area[:size][joining & (posts.filled[:size] == 1)]
        service.count_codes("officers_transferred", moving.astype(np.int64) * 2 + NPS)
        pay_for_transition(service, moving)
        lose_seniors(service, np.unique(posts.area[:size][joining]))
        # Some cases change hands when caseloads are mixed, spread over the transition.
        share = service.levers.number("organisation.transition_reallocated_share")
        days = max(1, service.levers.integer("organisation.transition_days"))
        keys = people.key[live]
        held = (people.officer[live] >= 0) & (
            service.chance.uniform(keys, "reallocated at unification") < share
        )
        movers = live[held]
        service.count("cases_mixed", movers)
        when = (service.chance.uniform(keys[held], "day of reallocation") * days).astype(np.int32)
        service.agendas["transfer"].put(movers, service.calendar.working_day_after(service.today + 1 + when))


__all__ = ["Location", "Organisation"]
