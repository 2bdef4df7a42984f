"""Life in the community: changes in need that come and go, rising risk, reoffending, death.

Reoffending is a hazard that accumulates monthly against one threshold for each person; what supervision does to it is
off here. A proven reoffence is followed by conviction, and a share of those convicted come back through the courts as
the same person. People go on being at risk after supervision ends, at a lower rate.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import simpy

from simulation.engine import NEVER
from simulation.system.allocation import Allocation
from simulation.system.codes import Kind, Location, Status
from simulation.system.population import GROUPS
from simulation.system.quantiles import draw
from simulation.system.recall import Recall
from simulation.system.service import FAR, Rows, Service
from simulation.system.supervision import Supervision

#: -ln(1 - p) for p = 0, 1, ..., 97 percent, from the engine's own logarithm.


class Community:
    """Changes in need, escalation, reoffending and deaths."""

    def __init__(
        self, service: Service, supervision: Supervision, allocation: Allocation, recall: Recall
    ) -> None:
        self.service, self.supervision = service, supervision
        self.allocation, self.recall = allocation, recall
        service.agenda("reoffence", service.people.capacity)
        service.agenda("conviction", service.people.capacity)
        supervision.on_begin.append(self.begin)
        service.process(self.convictions)
        service.process(self.process)

    def read(self) -> None:
        """Take the levers of the day."""
        from simulation.engine.chance import minus_log

        levers = self.service.levers
        self.yearly_hazard = minus_log(1.0 - np.arange(98) / 100.0)
        self.after = levers.number("community.reoffending_after_supervision")
        self.years_after = levers.number("community.reoffending_years_after")
        shares = levers.mapping("courts.reoffence_to_sentence_share")
        self.return_share = np.array([shares[label] for label in GROUPS])
        self.hazard_ratio = levers.number("community.reoffending_ratio")

    # --- At the beginning of a spell --------------------------------------------------------------------------

    def begin(self, rows: Rows) -> None:
        """Draw when the next change in need and death would come, at the start of a spell in the community."""
        service, people, levers = self.service, self.service.people, self.service.levers
        keys, spell, today = people.key[rows], people.spells[rows], service.today
        self.next_crisis(rows)
        # Death: a constant hazard, higher in the first weeks after release; crossing found in closed form.
        rate = levers.number("community.death_rate") / 365.25
        ratio = levers.number("community.death_ratio_after_release")
        weeks = levers.number("community.death_weeks_after_release") * 7
        threshold = service.chance.exponential(keys, "death", spell)
        released = people.first_after_release[rows] == 1
        early = np.where(released, rate * ratio, rate)
        within = threshold / early
        later = weeks + (threshold - early * weeks) / rate
        days = np.where(within <= weeks, within, later)
        day = today + 1 + np.minimum(days, FAR).astype(np.int32)
        service.agendas["death"].put(rows, day)

    def convictions_to_come(self, rows: Rows) -> None:
        """Give people at liberty at the start the convictions that past reoffences would bring them."""
        service, people = self.service, self.service.people
        free = rows[(people.location[rows] == Location.COMMUNITY) | (people.location[rows] == Location.ENDED)]
        keys = people.key[free]
        table = service.levers.mapping("courts.reoffence_to_conviction_days")
        longest = table["p100"]
        hazard = self.yearly_hazard[people.ogrs[free]] * self.hazard_ratio
        hazard = np.where(people.location[free] == Location.ENDED, hazard * self.after, hazard)
        hazard = hazard * service.levers.number("population.pending_convictions_ratio")
        group = self.group(free)
        happened = service.chance.exponential(keys, "thin pass: reoffended") < hazard * longest / 365.25
        happened &= service.chance.uniform(keys, "thin pass: comes back") < self.return_share[group]
        when = -service.chance.uniform(keys, "thin pass: reoffended when") * longest
        day = (when + draw(table, service.chance.uniform(keys, "thin pass: conviction lag"))).astype(np.int32)
        coming = happened & (day >= 0)
        service.agendas["conviction"].put(free[coming], service.calendar.working_day_after(day[coming]))

    def group(self, rows: Rows) -> np.ndarray:
        """Return the case-mix group of what people had last."""
        sentences, latest = self.service.sentences, self.service.people.latest[rows]
        length = sentences.length[latest]
        inside = np.where(length < 365, 1, np.where(length < 1461, 2, 3))
        return np.where(sentences.kind[latest] >= Kind.DETERMINATE, inside, 0)

    def next_crisis(self, rows: Rows) -> None:
        """Put the next change in need on the agenda."""
        service, people = self.service, self.service.people
        rate = service.share("community.crises_per_year", rows) / 365.25
        wait = service.chance.exponential(
            people.key[rows], "change in need", people.crises[rows]
        ) / np.maximum(rate, 1e-9)
        service.agendas["crisis"].put(rows, service.today + 1 + np.minimum(wait, FAR).astype(np.int32))

    # --- Each day ---------------------------------------------------------------------------------------------

    def convictions(self) -> Generator[simpy.Event, Any, None]:
        """People whose reoffence comes to court go back to the courts."""
        service = self.service
        while True:
            yield service.clock.phase("hearings")
            due = service.agendas["conviction"].due(service.today)
            if due.size:
                due = due[service.people.location[due] != Location.DEAD]
                service.tell("convicted again", due)
                service.channels["returners to court"].send(due)

    def process(self) -> Generator[simpy.Event, Any, None]:
        """Changes in need begin and end; deaths; risk that rises; on the first of a month, hazards step."""
        service = self.service
        while True:
            yield service.clock.phase("crises")
            self.deaths(service.agendas["death"].due(service.today))
            self.crises(service.agendas["crisis"].due(service.today))
            rising = service.agendas["escalate"].due(service.today)
            if rising.size:
                alive = rising[service.people.side[rising] >= 0]
                self.allocation.escalate(alive)
            # The month's hazard is added before its crossings are taken: one may fall on the first.
            if service.calendar.date(service.today).day == 1 or service.today == 0:
                self.step()
            self.reoffend(service.agendas["reoffence"].due(service.today))

    def deaths(self, rows: Rows) -> None:
        """People who die leave the model."""
        service, people, sentences = self.service, self.service.people, self.service.sentences
        rows = rows[people.location[rows] == Location.COMMUNITY]
        if rows.size == 0:
            return
        service.count("deaths", rows)
        service.tell("died", rows)
        sentence = people.latest[rows]
        while (sentence >= 0).any():
            found = sentence[sentence >= 0]
            for name in (
                "legal end",
                "recall step",
                "hearing",
                "release",
                "resettlement",
                "curfew papers",
                "curfew release",
                "curfew breach",
            ):
                service.agendas[name].cancel(found)
            sentences.status[found] = Status.ENDED
            sentence = np.where(sentence >= 0, sentences.previous[sentence], -1)
        for name in ("conviction", "reoffence", "sentence", "committal"):
            service.agendas[name].cancel(rows)
        queue = service.court_queue
        queue.keep(~np.isin(queue.row[: queue.size], rows))
        before = people.location[rows].copy()
        people.report_due[rows] = NEVER
        people.location[rows] = Location.DEAD
        people.setting[rows] = 0
        self.supervision.moved(rows, before, people.location[rows])

    def crises(self, rows: Rows) -> None:
        """Begin a change for those without one, end it for those with one."""
        service, people = self.service, self.service.people
        rows = rows[people.location[rows] == Location.COMMUNITY]
        if rows.size == 0:
            return
        over = people.crisis_since[rows] != NEVER
        ending, starting = rows[over], rows[~over]
        self.supervision.clear_crisis(ending)
        self.next_crisis(ending)
        people.crisis_since[starting] = service.today
        people.crisis_noticed[starting] = 0
        uniform = service.chance.uniform(people.key[starting], "length of change", people.crises[starting])
        days = draw(service.levers.mapping("community.crisis_days"), uniform).astype(np.int32)
        people.crises[starting] += 1
        service.agendas["crisis"].put(starting, service.today + np.maximum(days, 1))
        service.count("crises", starting)
        service.tell("change in need begins", starting)
        service.tell("change in need ends", ending)

    # --- Reoffending ------------------------------------------------------------------------------------------

    def step(self) -> None:
        """Add a month's hazard to everybody at liberty and place crossings on their day."""
        service, people = self.service, self.service.people
        today = service.today
        when = service.calendar.date(today)
        following = service.calendar.day(
            when.replace(year=when.year + when.month // 12, month=when.month % 12 + 1, day=1)
        )
        days = following - today
        size = people.size
        place = people.location[:size]
        rows = np.flatnonzero(
            (place == Location.COMMUNITY) | ((place == Location.ENDED) & (people.latest[:size] >= 0))
        )
        hazard = self.yearly_hazard[people.ogrs[rows]] * (days / 365.25) * self.hazard_ratio
        free = place[rows] == Location.ENDED
        recent = people.last_seen[rows] > today - self.years_after * 365.25
        hazard = np.where(free, np.where(recent, hazard * self.after, 0.0), hazard)
        before = people.risk_hazard[rows]
        after = before + hazard
        fresh = people.risk_threshold[rows] > 1e17
        new = rows[fresh]
        people.risk_threshold[new] = service.chance.exponential(
            people.key[new], "reoffending", people.reoffences[new]
        )
        people.risk_hazard[rows] = after
        threshold = people.risk_threshold[rows]
        crossing = (after >= threshold) & (before < threshold)
        part = (threshold[crossing] - before[crossing]) / hazard[crossing]
        day = today + np.minimum((part * days).astype(np.int32), days - 1)
        service.agendas["reoffence"].put(rows[crossing], day)

    def reoffend(self, rows: Rows) -> None:
        """Proven reoffences: recall may follow on licence; conviction follows with a lag."""
        if rows.size == 0:
            return
        service, people, chance = self.service, self.service.people, self.service.chance
        free = (people.location[rows] == Location.COMMUNITY) | (people.location[rows] == Location.ENDED)
        # Somebody locked up since the month began can't reoffend at liberty: the crossing waits for liberty.
        held = rows[~free]
        people.risk_hazard[held] = np.nextafter(people.risk_threshold[held], 0)
        rows = rows[free]
        keys, number = people.key[rows], people.reoffences[rows]
        supervised = rows[people.location[rows] == Location.COMMUNITY]
        service.count("reoffences", supervised)
        service.tell("reoffended", rows)
        licence = service.live_sentence(supervised, (Status.CURFEW, Status.LICENCE))
        charged = supervised[licence >= 0]
        draws = chance.uniform(people.key[charged], "recall for charge", people.reoffences[charged])
        self.recall.ask(
            licence[licence >= 0][draws < service.share("recall.per_further_charge", charged)],
            "further charge",
        )
        group = self.group(rows)
        returning = chance.uniform(keys, "comes back to court", number) < self.return_share[group]
        lag = draw(
            service.levers.mapping("courts.reoffence_to_conviction_days"),
            chance.uniform(keys, "conviction lag", number),
        )
        back = rows[returning]
        pending = service.agendas["conviction"].day_of(back) != NEVER
        day = service.today + 1 + lag[returning].astype(np.int32)
        service.agendas["conviction"].put(back[~pending], service.calendar.working_day_after(day[~pending]))
        people.reoffences[rows] += 1
        people.risk_hazard[rows] = 0.0
        people.risk_threshold[rows] = chance.exponential(keys, "reoffending", people.reoffences[rows])
