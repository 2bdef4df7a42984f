"""Enforcement of orders and post-sentence supervision: absence, warning, breach, hearing.

On an order the first unacceptable failure brings a warning and a second within twelve months must be referred; how
often it is, and how soon, depends on the provider, which may also drop packs that have missed the target it is judged
by. A company's papers may come back from the enforcement officer of the NPS, who prosecutes for both, to be put right.
Post-sentence supervision has no such rule in the statute; **assumption**: practice treats failures as for orders. Its
breach goes to court and never to recall. On licence an unacceptable absence may lead to recall at any time.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import simpy

from simulation.engine.agenda import each_once
from simulation.engine.calendar import MONTH_DAYS
from simulation.system.breach_courts import BreachCourts
from simulation.system.codes import Kind, Task, Why
from simulation.system.contact import Contact
from simulation.system.courts import Courts
from simulation.system.custody_loops import lists_of
from simulation.system.enforcement_loops import (
    OUTCOMES,
    answer_failures,
    commit_people,
    hear_breaches,
    judge_packs,
    recalled_from_licence,
    still_standing,
    wanted_or_at_large,
    without,
)
from simulation.system.population import Population
from simulation.system.quantiles import Lookup, side_by_side
from simulation.system.recall import Recall
from simulation.system.service import Array, Rows, Service
from simulation.system.workload import Workload

#: Draws about an absence from a contact are numbered as that contact is.
_AS_AT_CONTACT = np.empty(0, dtype=np.int64)


class Enforcement:
    """What follows an unacceptable absence."""

    def __init__(
        self, service: Service, population: Population, contact: Contact, recall: Recall, courts: Courts
    ) -> None:
        self.service, self.contact, self.recall, self.courts = service, contact, recall, courts
        self.breach_courts = BreachCourts(service, population)
        #: Failures of today at activity and work; dealt with before midnight, so no state.
        self.elsewhere: list[tuple[Rows, Array]] = []
        service.agenda("hearing", service.sentences.capacity)
        service.agenda("breach pack back", service.sentences.capacity)
        courts.on_appearing.append(self.appear)
        service.process(self.consequences)
        service.process(self.hearings)

    def read(self, workload: Workload) -> None:
        """Take the levers of the day."""
        self.workload = workload
        levers = self.service.levers
        self.window = float(levers.number("enforcement.failure_window_months") * 365.25 / 12)
        sides = ("enforcement.probability_started_nps", "enforcement.probability_started_crc")
        started = np.stack([levers.grid(name)[:, side] for side, name in enumerate(sides)], axis=1)
        self.started = levers.in_cells(started)
        self.dropped = levers.cells("enforcement.late_pack_dropped_share")
        self.referral_target = levers.integer("enforcement.crc_referral_target_business_days")
        self.most_returns = levers.integer("enforcement.most_pack_returns")
        self.return_days = levers.integer("enforcement.pack_return_working_days")
        self.listing = side_by_side(levers.mapping("enforcement.referral_to_hearing_working_days"))
        chance = self.service.chance
        drop, back = chance.constant("late pack dropped"), chance.constant("breach pack returned")
        self.draws_at_contact = chance.constant("recall for absence"), chance.constant("breach started")
        self.draws_elsewhere = chance.constant("recall for a missed day"), chance.constant("breach for a missed day")
        self.pack_constants = np.array([drop, back, chance.constant("breach listing")], dtype=np.uint64)
        self.pack_days = levers.cells("enforcement.breach_referral_working_days").astype(np.int64)
        self.most_pack_days = int(self.pack_days.max())
        self.breach_courts.read()
        self.recalled_for_absence = levers.cells("recall.per_unacceptable_absence")
        self.recalled_for_another = levers.cells("recall.per_another_absence")
        self.lately = float(levers.number("recall.absence_window_months") * MONTH_DAYS)
        self.recalled_for_risk = levers.cells("recall.per_risk_rise_noticed")
        #: Of community orders, and of suspended sentences, which are activated or go on.
        suspended = Lookup(levers.mapping("enforcement.suspended_breach_outcome")).edges[0]
        self.order_edges = np.array(
            [Lookup(levers.mapping("enforcement.order_breach_outcome")).edges[:2], [suspended, suspended]]
        )
        self.supervision_edges = Lookup(levers.mapping("enforcement.pss_breach_outcome")).edges
        self.longest_committal = levers.integer("enforcement.pss_breach_max_custody_days")
        self.returned = levers.cells("enforcement.pack_returned_share")
        rework = workload.task_seconds[Task.BREACH_PACK] * levers.number("enforcement.pack_rework_share")
        self.rework_seconds = max(1, int(rework))

    def consequences(self) -> Generator[simpy.Event, Any, None]:
        """Each evening: failures of the day, and breach packs that were finished."""
        service = self.service
        while True:
            yield service.clock.phase("consequences")
            absent = service.channels["unacceptable absences"].drain()
            self.failures(absent, _AS_AT_CONTACT, self.draws_at_contact)
            self.failures_elsewhere()
            self.noticed(service.channels["risk rises noticed"].drain())
            self.packs_sent(service.channels["done breach_pack"].drain())
            self.packs_back(service.agendas["breach pack back"].due(service.today))

    def note_failures(self, rows: Rows, occurrence: Array) -> None:
        """Note people who missed days of activity or work, and the number of the draws of each: dealt with tonight."""
        self.elsewhere.append((rows, occurrence))

    def failures_elsewhere(self) -> None:
        """Deal with missed days of activity and work of those who failed in nothing else today, each person once."""
        people, today = self.service.people, self.service.today
        for rows, occurrence in self.elsewhere:
            order = np.argsort(rows, kind="stable")
            rows, occurrence = rows[order], occurrence[order]
            fresh = (people.absent_on[rows] != today) & (np.diff(rows, prepend=-1) > 0)
            self.failures(rows[fresh], occurrence[fresh].astype(np.int64), self.draws_elsewhere)
        self.elsewhere.clear()

    def failures(self, rows: Rows, occurrence: Array, draws: tuple[np.uint64, np.uint64]) -> None:
        """Deal with unacceptable absences by what is being broken; ``draws`` settle recall and breach.

        The occurrence of these draws is that of the next contact where none are given.
        """
        if rows.size == 0:
            return
        service, people, sentences = self.service, self.service.people, self.service.sentences
        found = np.empty((6, rows.size), dtype=np.intp)
        recalled, warned, going, spared = answer_failures(
            rows,
            found,
            occurrence,
            service.today,
            self.window,
            draws[0],
            self.recalled_for_absence,
            self.recalled_for_another,
            self.lately,
            draws[1],
            self.started,
            self.pack_days,
            service.calendar.working_days_ahead(service.today, self.most_pack_days),
            people.key,
            people.cell,
            people.warned_on,
            people.absent_on,
            people.latest,
            people.sentences,
            people.spells,
            people.contacts,
            sentences.previous,
            sentences.status,
            sentences.expiry,
            sentences.kind,
            sentences.breach_pending,
            sentences.breach_known,
            service.flows,
        )
        if recalled:
            self.recall.ask(found[0, :recalled], "absence")
        service.tell("warned", found[1, :warned])
        if going:
            broke, breached, by = found[2:5, :going]
            service.add_task(Task.BREACH_PACK, broke, by, int(self.workload.task_seconds[Task.BREACH_PACK]), breached)
            service.tell("breach to be referred", broke)
        service.tell("no breach action", found[5, :spared])

    def appear(self, rows: Rows) -> None:
        """Arrest people whom a court convicts or sentences today and who are wanted, or at large after a recall."""
        service, people, sentences = self.service, self.service.people, self.service.sentences
        found = np.empty((2, rows.size * 4), dtype=np.intp)
        wanted, at_large = wanted_or_at_large(
            rows,
            found,
            service.today,
            service.agendas["hearing"].days(sentences.size),
            people.latest,
            sentences.previous,
            sentences.status,
            sentences.warrant_since,
        )
        if wanted:
            service.agendas["hearing"].put(found[0, :wanted], service.calendar.after_working_days(service.today, 1))
        if at_large:
            service.agendas["recall step"].put(found[1, :at_large], service.today + 1)

    def noticed(self, rows: Rows) -> None:
        """On licence, a rise in risk that is noticed may lead to recall."""
        if rows.size == 0:
            return
        service, people, sentences = self.service, self.service.people, self.service.sentences
        found = np.empty(rows.size, dtype=np.intp)
        recalled = recalled_from_licence(
            rows,
            found,
            service.chance.constant("recall for risk"),
            self.recalled_for_risk,
            people.key,
            people.cell,
            people.latest,
            people.crises,
            sentences.previous,
            sentences.status,
            sentences.expiry,
        )
        if recalled:
            self.recall.ask(found[:recalled], "risk")

    def packs_sent(self, packs: Rows) -> None:
        """Send finished breach packs to the NPS enforcement officer, who prosecutes for both sides; some come back."""
        if packs.size == 0:
            return
        service, people, sentences = self.service, self.service.people, self.service.sentences
        calendar, today = service.calendar, service.today
        found = np.empty((6, packs.size), dtype=np.intp)
        dropped, back, sent = judge_packs(
            packs,
            found,
            today,
            self.referral_target,
            self.most_returns,
            self.dropped,
            self.returned,
            self.listing,
            self.pack_constants,
            *calendar.working_days_so_far(),
            calendar.working_days_after(today),
            people.key,
            people.cell,
            people.side,
            sentences.person,
            sentences.number,
            sentences.breaches,
            sentences.breach_known,
            sentences.breach_pending,
            sentences.pack_returns,
            service.flows,
        )
        if dropped:
            service.tell("breach dropped", found[0, :dropped])
        if back:
            day = calendar.after_working_days(today, self.return_days)
            service.agendas["breach pack back"].put(found[1, :back], day)
            service.tell("breach pack returned", found[2, :back])
        service.agendas["hearing"].put(found[3, :sent], found[5, :sent])
        service.tell("breach referred", found[4, :sent])

    def packs_back(self, packs: Rows) -> None:
        """Put packs that have come back into their officers' diaries."""
        if packs.size == 0:
            return
        service, sentences = self.service, self.service.sentences
        found = np.empty((2, packs.size), dtype=np.intp)
        size = still_standing(packs, found, sentences.person, sentences.status, sentences.breach_pending)
        due = service.calendar.after_working_days(
            service.today, service.levers.integer("enforcement.pack_rework_working_days")
        )
        service.add_task(Task.BREACH_PACK, found[1, :size], due, self.rework_seconds, found[0, :size])

    def hearings(self) -> Generator[simpy.Event, Any, None]:
        """Hear breaches on their day."""
        service = self.service
        while True:
            yield service.clock.phase("hearings")
            due = service.agendas["hearing"].due(service.today)
            if due.size:
                self.hear(self.breach_courts.sit(due))

    def hear(self, due: Rows) -> None:
        """Decide breaches of orders and of post-sentence supervision."""
        service, people, sentences = self.service, self.service.people, self.service.sentences
        found, details = np.empty((OUTCOMES, due.size), dtype=np.intp), np.empty((4, due.size), dtype=np.intp)
        sizes = hear_breaches(
            due,
            found,
            details,
            service.chance.constant("breach outcome"),
            service.chance.constant("committal days"),
            self.order_edges,
            self.supervision_edges,
            self.longest_committal,
            people.key,
            people.location,
            people.warned_on,
            people.cell,
            sentences.person,
            sentences.number,
            sentences.kind,
            sentences.status,
            sentences.failed,
            sentences.breaches,
            sentences.breach_pending,
            service.flows,
        )
        on_order, on_supervision, revoked, to_custody, activated, committed = lists_of(found, sizes)
        service.tell("breach heard", on_order)
        if revoked.size:
            service.agendas["legal end"].cancel(details[0, : revoked.size])
            service.tell("order revoked", revoked)
        service.tell("supervision breach heard", on_supervision)
        if committed.size:
            self.commit(committed, details[1, : committed.size])
        service.refresh(np.concatenate([on_order, on_supervision]) if on_supervision.size else on_order)
        replaced, suspended = details[2, : to_custody.size], details[3, : activated.size]
        if activated.size:
            activated = each_once(activated)
            service.tell("suspended sentence activated", activated)
            self.courts.custody.resentence(activated, Why.ACTIVATED, suspended)
        if to_custody.size:
            # Whoever goes to prison for another order today goes once.
            to_custody = without(each_once(to_custody), activated)
            self.courts.custody.resentence(to_custody, Why.REVOKED, replaced)

    def commit(self, rows: Rows, days: Array) -> None:
        """Commit people to prison for breach of supervision, for so many days or until the working day before."""
        if rows.size == 0:
            return
        service, people, today = self.service, self.service.people, self.service.today
        found = np.empty((3, rows.size), dtype=np.intp)
        commit_people(
            rows,
            days,
            found,
            today,
            *service.calendar.previous_working_days(),
            people.cell,
            people.committed_until,
            service.flows,
        )
        until, committed, told = found
        away = until > today
        service.agendas["committal"].put(rows[away], until[away])
        service.tell("committed for breach of supervision", committed, told)


__all__ = ["Enforcement", "Kind"]
