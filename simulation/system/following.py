"""Reoffending followed for a year, and what supervision may do to reoffending.

Everybody who begins an order or is released is followed for 365 days: a cohort, counted when the year is over. What
contact, continuity, a home and an officer's load do to reoffending is a **declared assumption** with a range: four
switches (``effects.*_on_reoffending``), all off in the baseline.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import simpy
from numpy.typing import NDArray

from simulation.engine import NEVER
from simulation.engine.chance import minus_log
from simulation.system.codes import Location
from simulation.system.community import Community
from simulation.system.following_loops import Effects, begin_years, note_reoffences, reoffending_ratios
from simulation.system.service import Rows, Service
from simulation.system.supervision import Supervision

#: The year of publication's "reoffended within one year".
FOLLOWED_DAYS = 365


class Following:
    """Follows people for a year after they begin, and works out effects on reoffending."""

    def __init__(self, service: Service, supervision: Supervision, community: Community) -> None:
        self.service, self.community = service, community
        service.agenda("followed for a year", service.people.capacity)
        supervision.on_begin_again.append(self.begin)
        community.on_reoffended.append(self.reoffended)
        service.process(self.process)

    def read(self) -> None:
        """Take the levers of the day."""
        levers = self.service.levers
        # The odds ratio of having no settled home as a ratio of hazards, for each predicted chance p of reoffending:
        # odds p / (1 - p) become r p / (1 - p), hazard -ln(1 - p) becomes ln(1 + r p / (1 - p)).
        p = np.arange(98) / 100.0
        odds_ratio = float(levers.number("effects.unsettled_reoffending_odds_ratio"))
        hazard = minus_log(1.0 - p[1:])
        raised = minus_log(1.0 / (1.0 + odds_ratio * p[1:] / (1.0 - p[1:])))
        unsettled = np.ones(98)
        unsettled[1:] = raised / hazard
        on = lambda switch, name: float(levers.number(name)) if levers.flag(switch) else 1.0  # noqa: E731
        overload = on("effects.overload_on_reoffending", "effects.overload_reoffending_ratio_at_130pct")
        housing = levers.flag("effects.housing_on_reoffending")
        self.effects = Effects(
            levers.integer("effects.unseen_after_days"),
            on("effects.contact_on_reoffending", "effects.unseen_reoffending_ratio"),
            on("effects.contact_on_reoffending", "effects.unseen_reoffending_ratio_low_risk"),
            float(levers.number("effects.officer_change_duration_weeks") * 7),
            on("effects.continuity_on_reoffending", "effects.officer_change_reoffending_ratio"),
            unsettled if housing else np.ones(98),
            overload,
        )
        neutral = (
            self.effects.unseen == self.effects.unseen_low == self.effects.new_officer == overload == 1.0
        ) and not housing
        self.community.ratios_of = None if neutral else self.ratios_of

    def ratios_of(self) -> NDArray[np.float64]:
        """Return by how much supervision and a home multiply everybody's hazard of reoffending this month."""
        people = self.service.people
        return reoffending_ratios(
            people.size,
            self.service.today,
            self.effects,
            people.location,
            people.tier,
            people.ogrs,
            people.work_only,
            people.last_seen,
            people.officer,
            people.officer_changed_on,
            people.home,
            self.service.posts.pressure,
        )

    # --- The year --------------------------------------------------------------------------------------------

    def begin(self, rows: Rows) -> None:
        """Start the year of people who begin a further order; nobody is in two cohorts at once."""
        service, people, today = self.service, self.service.people, self.service.today
        begun = begin_years(
            rows,
            today,
            people.released_on,
            people.latest,
            service.sentences.imposed,
            people.cell,
            people.followed_from,
            people.followed_cell,
            people.followed_release,
            people.reoffended_since,
        )
        service.agendas["followed for a year"].put(begun, today + FOLLOWED_DAYS)

    def process(self) -> Generator[simpy.Event, Any, None]:
        """Each day: count those whose year is over. Those who died or left the country aren't in the cohort."""
        service = self.service
        while True:
            yield service.clock.phase("crises")
            over = service.agendas["followed for a year"].due(service.today)
            if over.size == 0:
                continue
            people = service.people
            people.followed_from[over] = NEVER
            over = over[people.location[over] < Location.DEAD]
            cells, again = people.followed_cell[over], people.reoffended_since[over] == 1
            release = people.followed_release[over] == 1
            service.count_codes("followed_a_year", cells)
            service.count_codes("reoffended_within_year", cells[again])
            service.count_codes("followed_a_year_release", cells[release])
            service.count_codes("reoffended_within_year_release", cells[release & again])

    def reoffended(self, free: Rows) -> None:
        """Mark those who are followed and reoffend, under supervision or after it."""
        people = self.service.people
        note_reoffences(free, people.followed_from, people.reoffended_since)
