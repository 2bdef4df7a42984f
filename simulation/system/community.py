"""Life in the community: changes in need that come and go, rising risk, reoffending, death.

Reoffending is a hazard that accumulates monthly against one threshold for each person; what supervision does to it is
off here. A proven reoffence is followed by conviction, and a share of those convicted come back through the courts as
the same person. People go on being at risk, less as time passes, whether they are supervised or not.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import numpy as np
import simpy
from numpy.typing import NDArray

from simulation.engine.calendar import MONTH_DAYS, YEAR_DAYS
from simulation.engine.chance import logarithms, minus_log
from simulation.system import cohorts, hazards, serious_offences
from simulation.system.allocation import Allocation
from simulation.system.codes import Location
from simulation.system.demand import LENGTH_BANDS, Demand
from simulation.system.departures import Departures
from simulation.system.population import GROUPS
from simulation.system.quantiles import draw, quantile_table
from simulation.system.recall import Recall
from simulation.system.service import COUNT_INDEX, Rows, Service
from simulation.system.supervision import Supervision

_NO_RATIOS = np.empty(0, dtype=np.float64)


class Community:
    """Changes in need, escalation, reoffending and deaths."""

    def __init__(
        self,
        service: Service,
        supervision: Supervision,
        allocation: Allocation,
        recall: Recall,
        departures: Departures,
        demand: Demand,
    ) -> None:
        self.service, self.supervision, self.demand = service, supervision, demand
        self.allocation, self.recall, self.departures = allocation, recall, departures
        #: By how much everybody's hazard of reoffending is multiplied; None where supervision does nothing to it.
        self.ratios_of: Callable[[], NDArray[np.float64]] | None = None
        #: Called with those who reoffended, under supervision or after it.
        self.on_reoffended: list[Callable[[Rows], None]] = []
        #: Called with those whose change in need began or ended.
        self.on_changed: list[Callable[[Rows], None]] = []
        service.agenda("reoffence", service.people.capacity)
        service.agenda("conviction", service.people.capacity)
        service.process(self.convictions)
        service.process(self.process)

    def read(self) -> None:
        """Take the levers of the day."""
        levers = self.service.levers
        # -ln(1 - p) for p = 0, 1, ..., 97 percent, from the engine's own logarithm.
        self.yearly_hazard = minus_log(1.0 - np.arange(98) / 100.0)
        self.fading = hazards.Fading(
            early_days=float(levers.number("community.reoffending_early_months") * MONTH_DAYS),
            later_ratio=float(levers.number("community.reoffending_later_ratio")),
            days=float(levers.number("community.reoffending_years") * YEAR_DAYS),
        )
        shares = levers.mapping("courts.reoffence_to_sentence_share")
        self.return_share = np.array([shares[label] for label in GROUPS])
        self.hazard_ratio = float(levers.number("community.reoffending_ratio"))
        least = levers.mapping("courts.least_days_to_conviction")
        self.least_days_to_conviction = np.array([int(least[band]) for band in LENGTH_BANDS])
        self.conviction_lags = quantile_table(levers.mapping("courts.reoffence_to_conviction_days"))
        self.recall_share = levers.cells("recall.per_further_charge")
        self.yearly_changes = levers.cells("community.crises_per_year")
        self.change_lengths = quantile_table(levers.mapping("community.crisis_days"))
        self.death_rate = float(levers.number("community.death_rate") / 365.25)
        self.death_ratio = float(levers.number("community.death_ratio_after_release"))
        self.death_early_days = float(levers.number("community.death_weeks_after_release") * 7)

    # --- At the start of a run --------------------------------------------------------------------------------------

    def convictions_to_come(self, rows: Rows) -> None:
        """Give people at liberty at the start the convictions that past reoffences would bring them."""
        service, people = self.service, self.service.people
        free = rows[(people.location[rows] == Location.COMMUNITY) | (people.location[rows] == Location.ENDED)]
        keys = people.key[free]
        table = service.levers.mapping("courts.reoffence_to_conviction_days")
        longest = table["p100"]
        hazard = self.yearly_hazard[people.ogrs[free]] * self.hazard_ratio
        sentences, fading = service.sentences, self.fading
        age = service.today - hazards.at_liberty_since(
            free,
            people.latest,
            sentences.kind,
            sentences.imposed,
            sentences.custody_end,
            people.released_on,
        ).astype(np.int64)
        part = np.where(age < fading.early_days, 1.0, np.where(age < fading.days, fading.later_ratio, 0.0))
        hazard = hazard * part * service.levers.number("population.pending_convictions_ratio")
        group = hazards.groups(free, people.latest, sentences.kind, sentences.length)
        happened = service.chance.exponential(keys, "thin pass: reoffended") < hazard * longest / 365.25
        happened &= service.chance.uniform(keys, "thin pass: comes back") < self.return_share[group]
        when = -service.chance.uniform(keys, "thin pass: reoffended when") * longest
        day = (when + draw(table, service.chance.uniform(keys, "thin pass: conviction lag"))).astype(np.int32)
        coming = happened & (day >= 0)
        service.agendas["conviction"].put(free[coming], service.calendar.working_day_after(day[coming]))

    # --- Each day ---------------------------------------------------------------------------------------------

    def convictions(self) -> Generator[simpy.Event, Any, None]:
        """People whose reoffence comes to court go back to the courts."""
        service = self.service
        while True:
            yield service.clock.phase("hearings")
            due = service.agendas["conviction"].due(service.today)
            if due.size:
                due = due[service.people.location[due] < Location.DEAD]
                service.tell("convicted again", due)
                service.channels["returners to court"].send(due)

    def process(self) -> Generator[simpy.Event, Any, None]:
        """Changes in need begin and end; deaths; risk that rises; on the first of a month, hazards step."""
        service = self.service
        while True:
            yield service.clock.phase("crises")
            agendas, today = service.agendas, service.today
            self.deaths(agendas["death"].due(today))
            self.crises(agendas["crisis"].due(today))
            rising = agendas["escalate"].due(today)
            if rising.size:
                self.allocation.escalate(rising)
            # The month's hazard is added before its crossings are taken: one may fall on the first.
            if today == 0 or service.calendar.date(today).day == 1:
                self.step()
            self.reoffend(agendas["reoffence"].due(today))

    def deaths(self, rows: Rows) -> None:
        """People who die leave the model."""
        if rows.size == 0:
            return
        service, people = self.service, self.service.people
        rows = rows[people.location[rows] == Location.COMMUNITY]
        service.count("deaths", rows)
        service.tell("died", rows)
        self.departures.leave(rows, Location.DEAD)

    def crises(self, rows: Rows) -> None:
        """Begin a change for those without one, end it for those with one."""
        service, people = self.service, self.service.people
        if rows.size == 0:
            return
        starting, ending, until, following = hazards.turn_changes(
            rows,
            service.today,
            service.chance.constant("change in need"),
            service.chance.constant("length of change"),
            *self.change_lengths,
            self.yearly_changes,
            logarithms(),
            people.key,
            people.cell,
            people.location,
            people.spells,
            people.crises,
            people.crisis_since,
            people.crisis_noticed,
            people.crisis_hidden,
        )
        if ending.size:
            self.supervision.clear_crisis(ending)
        service.agendas["crisis"].put(ending, following)
        service.agendas["crisis"].put(starting, until)
        service.count("crises", starting)
        service.tell("change in need begins", starting)
        service.tell("change in need ends", ending)
        for listener in self.on_changed:
            listener(ending)

    # --- Reoffending ------------------------------------------------------------------------------------------

    def step(self) -> None:
        """Add a month's hazard to everybody at liberty and place crossings on their day."""
        service, people = self.service, self.service.people
        today = service.today
        when = service.calendar.date(today)
        following = service.calendar.day(
            when.replace(year=when.year + when.month // 12, month=when.month % 12 + 1, day=1)
        )
        rows, day = hazards.step_reoffending(
            people.size,
            service.chance.constant("reoffending"),
            self.yearly_hazard,
            self.hazard_ratio,
            self.fading,
            today,
            following - today,
            logarithms(),
            people.key,
            people.location,
            people.latest,
            people.ogrs,
            people.last_seen,
            people.released_on,
            people.reoffences,
            people.risk_hazard,
            people.risk_threshold,
            self.ratios_of() if self.ratios_of is not None else _NO_RATIOS,
            service.sentences.kind,
            service.sentences.imposed,
            service.sentences.custody_end,
        )
        service.agendas["reoffence"].put(rows, day)

    def reoffend(self, rows: Rows) -> None:
        """Proven reoffences: recall may follow on licence; conviction follows with a lag."""
        if rows.size == 0:
            return
        service, people, chance = self.service, self.service.people, self.service.chance
        sentences, convictions = service.sentences, service.agendas["conviction"]
        held, free, keys, supervised, recalled, returning, days = hazards.record_reoffences(
            rows,
            convictions.day_of(rows),
            service.today,
            chance.constant("recall for charge"),
            chance.constant("comes back to court"),
            chance.constant("conviction lag"),
            chance.constant("reoffending"),
            self.recall_share,
            self.return_share,
            *self.conviction_lags,
            logarithms(),
            people.key,
            people.cell,
            people.location,
            people.latest,
            people.reoffences,
            people.risk_hazard,
            people.risk_threshold,
            sentences.previous,
            sentences.status,
            sentences.expiry,
            sentences.kind,
            sentences.length,
            people.reoffended_on,
            service.flows[COUNT_INDEX["reoffences"]],
        )
        if held.size:
            # Somebody locked up since the month began can't reoffend at liberty: the crossing waits for liberty.
            people.risk_hazard[held] = np.nextafter(people.risk_threshold[held], 0)
        service.tell("reoffended", free, 0, keys)
        cohorts.reoffended(service, free)
        serious_offences.review(service, supervised)
        for listener in self.on_reoffended:
            listener(free)
        if recalled.size:
            self.recall.ask(recalled, "further charge")
        if returning.size:
            # What would bring years in prison doesn't come to court within weeks.
            edges = self.demand.length_edges(service.calendar.date(service.today).year)
            drawn = chance.uniform(people.key[returning], "custody: length band", people.sentences[returning] + 1)
            band = np.minimum(np.searchsorted(edges, drawn, side="right"), edges.size - 1)
            days = np.maximum(days, service.today + 1 + self.least_days_to_conviction[band])
            convictions.put(returning, service.calendar.working_day_after(days))
