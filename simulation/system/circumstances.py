"""Home, income and engagement: what changes in lives after release, and how far people go along with supervision.

A home is settled, temporary or none; it is known from release on, and changes at rates by kind of home while people are
in the community. Benefits begin some weeks after release. Engagement is a number of points that good contact raises,
and absence and a change of officer lower. What all this does to attendance and to changes in need is **assumed**, and
off unless a switch is on (``effects.*``).
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import simpy
from numpy.typing import NDArray

from simulation.engine import NEVER
from simulation.engine.agenda import each_once
from simulation.engine.chance import logarithms
from simulation.system.circumstances_loops import (
    OF_LIFE,
    OF_RELEASES,
    Ratios,
    begin_outside,
    count_lives,
    days_of_moves,
    end_of_tag,
    move_homes,
    move_points,
    odds_of_missing,
    rebook,
)
from simulation.system.codes import Location, Mode
from simulation.system.commissioning import Mentors
from simulation.system.contact import Contact
from simulation.system.contact_loops import EXCUSED, OUTCOMES, SEEN_FIRST, UNEXCUSED, in_person
from simulation.system.custody import Custody
from simulation.system.service import COUNT_INDEX, Array, Rows, Service, add_each

#: Engagement runs from nothing to this many points.
MOST_ENGAGED = 1000
_KINDS = ("", "settled", "temporary", "none")


class Circumstances:
    """Home, income, mentors and engagement."""

    def __init__(self, service: Service, custody: Custody, contact: Contact) -> None:
        self.service, self.contact = service, contact
        service.agenda("home move", service.people.capacity)
        service.agenda("benefits", service.people.capacity)
        #: Mentors beside the resettlement team's, where somebody local pays for them.
        self.mentors = Mentors(service)
        custody.on_released.append(self.released)
        contact.on_held.append(self.held)
        service.on_month_end.append(self.count)
        self.counted = np.array([COUNT_INDEX[name] for name in OF_LIFE], dtype=np.intp)
        self.counted_releases = np.array([COUNT_INDEX[name] for name in OF_RELEASES], dtype=np.intp)
        service.process(self.process)

    def read(self) -> None:
        """Take the levers of the day."""
        levers = self.service.levers
        self.mentors.read()
        rates = levers.mapping("community.home_changes_per_year")
        self.rates = np.zeros((len(_KINDS), len(_KINDS)))
        for name, rate in rates.items():
            source, _, target = name.partition("_to_")
            self.rates[_KINDS.index(source), _KINDS.index(target)] = rate
        self.moves_a_year = self.rates.sum(axis=1)
        self.start_points = levers.integer("community.engagement_start")
        #: Days without income, of those who had help before release and of those who had none.
        self.income_gaps = (
            int(np.rint(levers.number("release.income_gap_helped_weeks") * 7)),
            int(np.rint(levers.number("release.income_gap_weeks") * 7)),
        )
        self.benefits_share = float(levers.number("release.benefits_share"))
        self.mentor_share = float(levers.number("release.mentor_of_helped_share"))
        seen, called = (levers.integer(f"community.engagement_gain_{how}") for how in ("seen", "called"))
        modes = [mode for mode in range(len(Mode)) if mode != Mode.CUSTODY]
        #: Points that each outcome of a contact adds; none in custody.
        self.points = np.zeros(len(OUTCOMES), dtype=np.int64)
        self.points[modes] = [seen if in_person(mode) else called for mode in modes]
        self.points[SEEN_FIRST] = seen
        self.points[EXCUSED] = -levers.integer("community.engagement_loss_excused")
        self.points[UNEXCUSED] = -levers.integer("community.engagement_loss_unexcused")
        #: Points of those whose officer changed, the same for all.
        self.handed_points = np.array([-levers.integer("community.engagement_loss_officer_change")], dtype=np.int64)
        attendance = levers.flag("effects.circumstances_on_attendance")
        mentor = levers.flag("effects.mentor_on_attendance")
        engagement = levers.flag("effects.engagement_on_attendance")
        on = lambda switch, name: float(levers.number(name)) if switch else 1.0  # noqa: E731
        self.odds = Ratios(
            on(attendance, "effects.no_home_missed_odds_ratio"),
            on(attendance, "effects.temporary_home_missed_odds_ratio"),
            on(attendance, "effects.no_income_missed_odds_ratio"),
            on(mentor, "effects.mentor_missed_odds_ratio"),
            float(levers.number("effects.engagement_missed_odds_slope")) / MOST_ENGAGED if engagement else 0.0,
            self.start_points,
        )
        self.contact.odds_of = self.odds_of if attendance or mentor or engagement else None
        changes = levers.flag("effects.circumstances_on_changes_in_need")
        self.changes = Ratios(
            on(changes, "effects.no_home_change_ratio"),
            on(changes, "effects.temporary_home_change_ratio"),
            on(changes, "effects.no_income_change_ratio"),
            1.0,
            0.0,
            0,
        )
        self.changes_matter = bool(changes)
        people = self.service.people
        booked_otherwise = people.change_ratio[: people.size] != 1
        if changes or booked_otherwise.any():
            self.rebook(np.flatnonzero(people.location[: people.size] == Location.COMMUNITY))

    # --- Release and beginning --------------------------------------------------------------------------------

    def released(self, sentences_rows: Rows, nowhere: Rows, settled: Rows) -> None:
        """Note where people released today go, how long they wait for benefits, and who is met by a mentor."""
        service, people, sentences = self.service, self.service.people, self.service.sentences
        levers, chance, today = service.levers, service.chance, service.today
        found = np.empty((3, sentences_rows.size), dtype=np.intp)
        waiting, meeting = begin_outside(
            sentences_rows,
            nowhere,
            settled,
            today,
            *self.income_gaps,
            self.benefits_share,
            self.mentor_share,
            chance.constant("needs benefits"),
            chance.constant("mentor"),
            self.counted_releases,
            service.flows,
            people.cell,
            people.key,
            people.released_on,
            people.home,
            people.income_from,
            sentences.person,
            sentences.number,
            sentences.helped,
            sentences.home_found,
            found,
        )
        if waiting:
            service.agendas["benefits"].put(found[0, :waiting], found[1, :waiting])
        if meeting:
            met = found[2, :meeting]
            people.mentored_until[met] = today + levers.integer("release.mentor_weeks") * 7
            # A mentor's time is the resettlement team's, owed from tomorrow.
            seconds = round(levers.number("release.mentor_hours") * 3600)
            add_each(service.tables["teams"].release_owed, people.area[met], np.array([seconds]))
            service.tell("met by a mentor", np.sort(met))
        if not self.mentors.paid_for():
            return
        others = self.mentors.meet(sentences_rows)
        if others.size:
            people.mentored_until[others] = today + levers.integer("release.mentor_weeks") * 7
            service.count("mentors_commissioned", others)
            service.tell("met by a commissioned mentor", others)

    def changed(self, rows: Rows) -> None:
        """Rest the day of the next change in need, booked anew, on people's circumstances."""
        if rows.size:
            self.service.people.change_ratio[rows] = 1
            if self.changes_matter:
                self.rebook(rows)

    # --- Each day ---------------------------------------------------------------------------------------------

    def process(self) -> Generator[simpy.Event, Any, None]:
        """Each day: moves from one kind of home to another, and benefits that begin."""
        service = self.service
        while True:
            yield service.clock.phase("crises")
            today, people = service.today, service.people
            paid = service.agendas["benefits"].due(today)
            if paid.size:
                paid = paid[people.location[paid] == Location.COMMUNITY]
                service.tell("benefits begin", paid)
            moving = service.agendas["home move"].due(today)
            if moving.size:
                moving = self.free_to_move(moving[people.location[moving] == Location.COMMUNITY])
                self.move(moving)
            if self.changes_matter and paid.size + moving.size:
                self.rebook(each_once(np.concatenate([paid, moving])))

    def free_to_move(self, rows: Rows) -> Rows:
        """Put off the moves of people on curfew until it ends: they live where they were released to, or are recalled.

        Returns the others.
        """
        service, people, sentences = self.service, self.service.people, self.service.sentences
        ends = end_of_tag(rows, people.latest, sentences.previous, sentences.status, sentences.custody_end)
        tagged = ends != NEVER
        service.agendas["home move"].put(rows[tagged], np.maximum(ends[tagged], service.today + 1))
        return rows[~tagged]

    def move(self, rows: Rows) -> None:
        """Move people from one kind of home to another."""
        service, people = self.service, self.service.people
        settled, temporary, nowhere = move_homes(
            rows,
            self.rates,
            service.chance.constant("kind of next home"),
            people.key,
            people.home,
            people.home_moves,
        )
        service.tell("moves to a settled home", settled)
        service.tell("moves somewhere temporary", temporary)
        service.tell("loses the home", nowhere)
        service.count("moves_to_nowhere", nowhere)
        service.count("moves_to_settled", settled)
        self.book_moves(rows)

    def book_moves(self, rows: Rows) -> None:
        """Book the next move of people by the kind of home that they have, if it is known."""
        if rows.size == 0:
            return
        service, people = self.service, self.service.people
        moving, days = days_of_moves(
            rows,
            service.today,
            self.moves_a_year,
            service.chance.constant("next move"),
            logarithms(),
            people.key,
            people.spells,
            people.home,
            people.home_moves,
        )
        service.agendas["home move"].put(moving, days)

    # --- Engagement -------------------------------------------------------------------------------------------

    def held(self, rows: Rows, outcome: NDArray[np.int8]) -> None:
        """Move engagement by what came of today's contacts."""
        move_points(rows, outcome, self.points, MOST_ENGAGED, self.service.people.engagement)

    def handed(self, rows: Rows) -> None:
        """Lower engagement of people whose officer changed."""
        if rows.size:
            alike = np.zeros(rows.size, dtype=np.int8)
            move_points(rows, alike, self.handed_points, MOST_ENGAGED, self.service.people.engagement)

    # --- Effects ----------------------------------------------------------------------------------------------

    def odds_of(self, rows: Rows) -> NDArray[np.float64]:
        """Return by how much each person's circumstances multiply the odds of missing an appointment."""
        people = self.service.people
        return odds_of_missing(
            rows,
            self.service.today,
            self.odds,
            people.home,
            people.income_from,
            people.mentored_until,
            people.engagement,
        )

    def rebook(self, rows: Array) -> None:
        """Bring the next change in need nearer, or put it off, for people whose circumstances changed."""
        if rows.size == 0:
            return
        service, people = self.service, self.service.people
        booked = service.agendas["crisis"].day_of(rows)
        moved, days = rebook(
            rows,
            booked,
            service.today,
            self.changes,
            people.home,
            people.income_from,
            people.mentored_until,
            people.engagement,
            people.crisis_since,
            people.change_ratio,
        )
        service.agendas["crisis"].put(moved, days)

    def count(self, community: Rows, cells: Array) -> None:
        """Count homes, incomes and engagement of the people in the community at the end of a month."""
        service, people = self.service, self.service.people
        service.flows[self.counted] += count_lives(
            community, cells, service.cells, people.home, people.income_from, people.engagement, service.today
        )
