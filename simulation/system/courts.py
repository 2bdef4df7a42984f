"""Courts: referral, pre-sentence report, sentence.

People newly convicted and people who return come to court on working days. Some cases get a report: oral, short or
standard. Reports cost the court team's hours and queue for them; a report that isn't ready on its day adjourns the
case. The disposal is one draw for each person, cut by thresholds with custody and community adjacent, so that a
policy of diversion moves the same people.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import simpy

from simulation.engine import NEVER
from simulation.engine.agenda import each_once
from simulation.engine.chance import mix
from simulation.system.allocation import Allocation
from simulation.system.caseload import serve
from simulation.system.codes import Kind, Location, Report, Status
from simulation.system.custody import Custody
from simulation.system.levers import Levers
from simulation.system.population import GROUPS, Arrivals, Population
from simulation.system.quantiles import choose, draw
from simulation.system.service import Array, Rows, Service
from simulation.system.supervision import Supervision

REPORTS = ("none", "oral", "short_written", "standard")


class Courts:
    """Court referrals, reports and sentences."""

    def __init__(
        self,
        service: Service,
        population: Population,
        allocation: Allocation,
        custody: Custody,
        supervision: Supervision,
    ) -> None:
        self.service, self.population = service, population
        self.allocation, self.custody, self.supervision = allocation, custody, supervision
        self.returners = service.channel("returners to court")
        service.agenda("sentence", service.people.capacity)
        people = service.people
        # Rows by day of conviction: derived from the table, so it is no state of its own.
        size = people.size
        new = people.returner_pool[:size] == 0
        self._order = np.flatnonzero(new)[np.argsort(people.convicted[:size][new], kind="stable")]
        self._days = people.convicted[self._order]
        service.process(self.process)

    def read(self) -> None:
        """Take the levers of the day."""
        levers = self.service.levers
        self.mix = levers.mapping("courts.report_mix")
        self.hours = levers.mapping("courts.report_hours")
        self.days = levers.mapping("courts.report_working_days")
        # Teams are staffed for each year's reports of the mix before any policy, at the stated utilisation: a policy
        # that asks for longer reports doesn't bring the staff to write them.
        before = Levers(self.service.resolved.on(0))
        mix_before, hours_before = before.mapping("courts.report_mix"), before.mapping("courts.report_hours")
        each = sum(mix_before[name] * hours_before[name] for name in REPORTS[1:]) / sum(mix_before.values())
        each *= 3600 * before.number("courts.report_coverage") / before.number("courts.team_utilisation")
        self.report_seconds = each * levers.number("courts.team_staffing")

    def capacity(self) -> Array:
        """Return the seconds of each area's court team in a working day of this year."""
        demand, year = self.population.demand, self.service.calendar.date(self.service.today).year
        reports = demand.yearly("courts.pre_sentence_reports", year) / demand.working_days(year)
        return np.floor(self.population.shares * reports * self.report_seconds).astype(np.int64)

    # --- Each day ---------------------------------------------------------------------------------------------

    def process(self) -> Generator[simpy.Event, Any, None]:
        """Refer, report and sentence, each working day."""
        service = self.service
        while True:
            yield service.clock.phase("arrivals")
            today = service.today
            returners = self.returners.drain()
            service.people.convicted[returners] = today
            first, last = np.searchsorted(self._days, [today, today + 1])
            new = self._order[first:last]
            due = service.agendas["sentence"].due(today)
            if not service.calendar.is_working(today):
                if returners.size:
                    self.returners.send(returners)
                service.agendas["sentence"].put(due, today + 1)
                continue
            referred = each_once(np.concatenate([new, returners]))
            referred = referred[service.people.location[referred] < Location.DEAD]
            # Somebody already before the court brings the new matter to the same hearing.
            referred = referred[service.people.report_due[referred] == NEVER]
            direct = self.refer(referred)
            self.write_reports()
            ready = each_once(np.concatenate([direct, due]))
            self.sentence(ready)

    def refer(self, rows: Rows) -> Rows:
        """Ask for reports; return those sentenced without one."""
        if rows.size == 0:
            return rows
        service, people, chance = self.service, self.service.people, self.service.chance
        today, keys = service.today, people.key[rows]
        number = people.sentences[rows].astype(np.int64) + 1
        year = service.calendar.date(today).year
        demand = self.population.demand
        share = demand.yearly("courts.pre_sentence_reports", year) / (
            demand.community_year(year) + demand.custody_year(year)
        )
        share *= service.levers.number("courts.report_coverage") * demand.lever("courts.pre_sentence_reports", today)
        wanted = chance.uniform(keys, "report wanted", number) < share
        kind = 1 + choose(self.mix, chance.uniform(keys, "kind of report", number))
        people.report[rows] = np.where(wanted, kind, Report.NONE)
        asked = rows[wanted]
        kinds = people.report[asked]
        wait = np.array([0, *(round(self.days[name]) for name in REPORTS[1:])])[kinds]
        due = service.calendar.add_working_days(np.full(asked.size, today), wait)
        people.report_asked[asked] = today
        people.report_due[asked] = due
        seconds = np.array([0, *(round(self.hours[name] * 3600) for name in REPORTS[1:])])[kinds]
        service.court_queue.append(asked.size, row=asked, area=people.area[asked], seconds=seconds, due=due)
        unknown = rows[
            (people.location[rows] == Location.UNKNOWN) | (people.location[rows] == Location.ENDED)
        ]
        people.location[unknown] = Location.COURT
        service.tell("convicted", rows)
        service.tell("report asked for", asked, kinds)
        return rows[~wanted]

    def write_reports(self) -> None:
        """Let each area's court team work through its queue."""
        service, people, queue = self.service, self.service.people, self.service.court_queue
        size = queue.size
        today = service.today
        queue.keep(people.report_due[queue.row[:size]] != NEVER)
        size = queue.size
        if size == 0:
            return
        rows = queue.row[:size]
        mixed = mix(people.key[rows] + queue.due[:size].astype(np.uint64))
        owed = service.tables["teams"].court_owed
        available = self.capacity() - owed
        served, used = serve(
            queue.area[:size],
            np.zeros(size, dtype=np.int64),
            queue.due[:size],
            mixed,
            queue.seconds[:size],
            available,
            today,
        )
        owed[:] = np.maximum(0, used - available)
        done = np.sort(rows[served])
        for kind, name in (
            (Report.ORAL, "reports_oral"),
            (Report.SHORT, "reports_short"),
            (Report.STANDARD, "reports_standard"),
        ):
            service.count(name, done[people.report[done] == kind])
        service.count("report_days", done, today - people.report_asked[done])
        late = people.report_due[done] < today
        service.count("reports_late", done[late])
        put_off = service.levers.integer("courts.adjournment_working_days")
        adjourned = service.calendar.after_working_days(today, put_off)
        hearing = np.where(late, adjourned, np.maximum(people.report_due[done], today))
        tomorrow = service.calendar.after_working_days(today, 1)
        service.agendas["sentence"].put(done, np.maximum(hearing, tomorrow))
        service.tell("report delivered", done)
        queue.keep(~served)

    # --- Sentence ---------------------------------------------------------------------------------------------

    def custody_chance(self, rows: Rows) -> Array:
        """Return each person's chance of custody: the new by demand, those who return by what they had before."""
        service, people = self.service, self.service.people
        before = people.sentences[rows] > 0
        new = Arrivals(people.key[rows], people.area[rows], np.full(rows.size, service.today, dtype=np.int32))
        cut = self.population.custody_cut(new, past=False) if rows.size else np.zeros(0)
        shares = service.levers.mapping("courts.custody_share_of_returners")
        by_group = np.array([shares[label] for label in GROUPS])
        last = people.latest[rows]
        sentences = service.sentences
        had_custody = sentences.kind[last] >= Kind.DETERMINATE
        group = np.where(
            had_custody,
            np.where(sentences.length[last] < 365, 1, np.where(sentences.length[last] < 1461, 2, 3)),
            0,
        )
        cut = np.where(before, by_group[group], cut)
        diverted = service.share("courts.diversion_from_custody", rows)
        return cut * (1 - diverted)

    def sentence(self, rows: Rows) -> None:
        """Pass sentence on people whose case is ready."""
        if rows.size == 0:
            return
        service, people, chance = self.service, self.service.people, self.service.chance
        rows = rows[people.location[rows] < Location.DEAD]
        keys = people.key[rows]
        number = people.sentences[rows].astype(np.int64) + 1
        again = people.sentences[rows] > 0
        uniform = np.where(again, chance.uniform(keys, "disposal", number), people.disposal_draw[rows])
        custody = uniform < self.custody_chance(rows)
        people.report_due[rows] = NEVER
        people.report_asked[rows] = NEVER
        inside, outside = rows[custody], rows[~custody]
        already = outside[people.location[outside] == Location.COMMUNITY]
        made = self.custody.receive(inside)
        self.impose_orders(outside)
        service.refresh(rows)
        self.allocation.assess(rows)
        self.supervision.begin_again(already)
        self.allocation.begin(already)
        self.custody.settle_in(made)

    def impose_orders(self, rows: Rows) -> None:
        """Impose community and suspended sentence orders."""
        if rows.size == 0:
            return
        service, people, chance, sentences = (
            self.service,
            self.service.people,
            self.service.chance,
            self.service.sentences,
        )
        today, keys = service.today, people.key[rows]
        number = people.sentences[rows].astype(np.int64) + 1
        year = service.calendar.date(today).year
        suspended = chance.uniform(keys, "order: suspended", number) < self.population.demand.suspended_share(
            year
        )
        made = service.new_sentences(
            rows,
            np.where(suspended, Kind.SUSPENDED, Kind.COMMUNITY_ORDER),
            np.full(rows.size, Status.ORDER, dtype=np.int8),
        )
        length = self.population.order_days(keys, number)
        sentences.length[made] = length
        sentences.expiry[made] = today + length
        sentences.supervision_end[made] = today + length
        lag = draw(
            service.levers.mapping("courts.offence_to_sentence_days"), chance.uniform(keys, "offence", number)
        )
        sentences.offence[made] = today - lag.astype(np.int64)
        work = service.levers.number("courts.unpaid_work_only_share")
        sentences.unpaid_work_only[made] = chance.uniform(keys, "order: unpaid work only", number) < work
        service.agendas["legal end"].put(made, sentences.expiry[made])
        service.count("sentences_community", rows)
        service.count("sentences_of_returners", rows[number > 1])
        service.tell("community order", rows[~suspended], length[~suspended])
        service.tell("suspended sentence order", rows[suspended], length[suspended])
