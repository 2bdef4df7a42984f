"""Enforcement of orders and post-sentence supervision: absence, warning, breach, hearing.

On an order the first unacceptable failure brings a warning and a second within twelve months must be referred; how
often it is, and how soon, depends on the provider. Post-sentence supervision has no such rule in the statute;
**assumption**: practice treats failures as for orders. Its breach goes to court and never to recall. On licence an
unacceptable absence may lead to recall at any time.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import simpy

from simulation.engine import NEVER
from simulation.engine.agenda import each_once
from simulation.system.codes import Kind, Location, Status, Task
from simulation.system.contact import Contact
from simulation.system.courts import Courts
from simulation.system.quantiles import choose, draw
from simulation.system.recall import Recall
from simulation.system.service import Rows, Service
from simulation.system.workload import Workload


class Enforcement:
    """What follows an unacceptable absence."""

    def __init__(self, service: Service, contact: Contact, recall: Recall, courts: Courts) -> None:
        self.service, self.contact, self.recall, self.courts = service, contact, recall, courts
        service.agenda("hearing", service.sentences.capacity)
        service.process(self.consequences)
        service.process(self.hearings)

    def read(self, workload: Workload) -> None:
        """Take the levers of the day."""
        self.workload = workload

    def consequences(self) -> Generator[simpy.Event, Any, None]:
        """Each evening: failures of the day, and breach packs that were finished."""
        service = self.service
        while True:
            yield service.clock.phase("consequences")
            self.failures(service.channels["unacceptable absences"].drain())
            self.noticed(service.channels["risk rises noticed"].drain())
            self.packs_sent(service.channels["done breach_pack"].drain())

    def failures(self, rows: Rows) -> None:
        """Deal with unacceptable absences by what is being broken."""
        if rows.size == 0:
            return
        service, people, sentences = self.service, self.service.people, self.service.sentences
        levers, today = service.levers, service.today
        sentence, status = self.contact.live_status(rows)
        window = levers.number("enforcement.failure_window_months") * 365.25 / 12
        second = (people.warned_on[rows] != NEVER) & (today - people.warned_on[rows] <= window)
        on_licence = (status == Status.LICENCE) | (status == Status.CURFEW)
        # Licence: warning or recall on risk and behaviour at any time.
        licence, licence_rows = sentence[on_licence], rows[on_licence]
        keys = people.key[licence_rows]
        occurrence = self.contact.occurrence(licence_rows)
        chance = service.share("recall.per_unacceptable_absence", licence_rows)
        recalled = service.chance.uniform(keys, "recall for absence", occurrence) < chance
        self.recall.ask(licence[recalled], "absence")
        warned = licence_rows[~recalled]
        # Orders, and post-sentence supervision by the same practice.
        other = (status == Status.ORDER) | (status == Status.SUPERVISION)
        first = rows[other & ~second]
        people.warned_on[first] = today
        service.count("warnings", np.concatenate([warned, first]))
        service.tell("warned", np.sort(np.concatenate([warned, first])))
        due = other & second & (sentences.breach_pending[sentence] == 0)
        breach_rows, breach = rows[due], sentence[due]
        service.count("breaches_due", breach_rows)
        keys = people.key[breach_rows]
        by_side = np.array(
            [
                levers.number("enforcement.probability_started_nps"),
                levers.number("enforcement.probability_started_crc"),
            ]
        )
        start = by_side[np.maximum(people.side[breach_rows], 0)]
        started = service.chance.uniform(keys, "breach started", self.contact.occurrence(breach_rows)) < start
        go, people_go = breach[started], breach_rows[started]
        sentences.breach_pending[go] = 1
        sentences.breach_known[go] = today
        day = service.calendar.after_working_days(today, levers.integer("enforcement.breach_referral_working_days"))
        service.add_task(
            Task.BREACH_PACK, people_go, day, int(self.workload.task_seconds[Task.BREACH_PACK]), go
        )
        service.tell("breach to be referred", people_go)

    def noticed(self, rows: Rows) -> None:
        """On licence, a rise in risk that is noticed may lead to recall."""
        if rows.size == 0:
            return
        service = self.service
        sentence, status = self.contact.live_status(rows)
        on_licence = (status == Status.LICENCE) | (status == Status.CURFEW)
        rows, sentence = rows[on_licence], sentence[on_licence]
        draws = service.chance.uniform(
            service.people.key[rows], "recall for risk", self.contact.occurrence(rows)
        )
        self.recall.ask(sentence[draws < service.share("recall.per_risk_rise_noticed", rows)], "risk")

    def packs_sent(self, packs: Rows) -> None:
        """Send finished breach packs to the NPS enforcement officer, who prosecutes for both sides."""
        if packs.size == 0:
            return
        service, sentences, today = self.service, self.service.sentences, self.service.today
        packs = packs[sentences.breach_pending[packs] == 1]
        person = sentences.person[packs]
        service.count("breaches_referred", person)
        working = service.calendar.working_days_between(
            sentences.breach_known[packs], np.full(packs.size, today)
        )
        service.count(
            "breaches_referred_in_time",
            person[working <= service.levers.integer("enforcement.crc_referral_target_business_days")],
        )
        uniform = service.chance.uniform(
            service.sentence_key(packs),
            "breach listing",
            service.occurrence(packs, sentences.breaches[packs]),
        )
        wait = draw(service.levers.mapping("enforcement.referral_to_hearing_working_days"), uniform).astype(
            np.int64
        )
        service.agendas["hearing"].put(
            packs, service.calendar.add_working_days(np.full(packs.size, today), np.maximum(wait, 1))
        )
        service.tell("breach referred", np.sort(person))

    def hearings(self) -> Generator[simpy.Event, Any, None]:
        """Hear breaches on their day."""
        service = self.service
        while True:
            yield service.clock.phase("hearings")
            due = service.agendas["hearing"].due(service.today)
            if due.size:
                self.hear(due)

    def hear(self, due: Rows) -> None:
        """Decide breaches of orders and of post-sentence supervision."""
        service, people, sentences, chance = (
            self.service,
            self.service.people,
            self.service.sentences,
            self.service.chance,
        )
        levers, today = service.levers, service.today
        status = sentences.status[due]
        live = (status == Status.ORDER) | (status == Status.SUPERVISION)
        sentences.breach_pending[due] = 0
        due, status = due[live], status[live]
        person = sentences.person[due]
        uniform = chance.uniform(
            service.sentence_key(due), "breach outcome", service.occurrence(due, sentences.breaches[due])
        )
        sentences.breaches[due] += 1
        people.warned_on[person] = NEVER

        orders = status == Status.ORDER
        outcome = choose(levers.mapping("enforcement.order_breach_outcome"), uniform)
        service.count("breach_hearings", person[orders])
        service.tell("breach heard", np.sort(person[orders]))
        revoked = orders & (outcome >= 1)
        ended = due[revoked]
        sentences.status[ended] = Status.ENDED
        sentences.failed[ended] = 1
        service.agendas["legal end"].cancel(ended)
        service.count("orders_revoked", person[revoked])
        service.count("orders_ended_unsuccessfully", person[revoked])
        service.tell("order revoked", np.sort(person[revoked]))
        # Revoked and sent to custody, unless already inside.
        to_custody = revoked & (outcome == 2) & (people.location[person] == Location.COMMUNITY)

        supervision = status == Status.SUPERVISION
        outcome = choose(levers.mapping("enforcement.pss_breach_outcome"), uniform)
        service.count("pss_breach_hearings", person[supervision])
        service.tell("supervision breach heard", np.sort(person[supervision]))
        committed = supervision & (outcome == 1) & (people.location[person] == Location.COMMUNITY)
        rows = person[committed]
        most = levers.integer("enforcement.pss_breach_max_custody_days")
        days = chance.spread(
            1,
            most,
            people.key[rows],
            "committal days",
            service.occurrence(due[committed], sentences.breaches[due[committed]]),
        )
        days = np.maximum(service.calendar.working_day_before((today + days).astype(np.int32)) - today, 1)
        people.committed_until[rows] = today + days
        service.agendas["committal"].put(rows, today + days)
        service.count("pss_committals", rows)
        order = np.argsort(rows, kind="stable")
        service.tell("committed for breach of supervision", rows[order], days[order])
        service.refresh(person)
        going = each_once(person[to_custody])
        self.courts.custody.resentence(going)


__all__ = ["Enforcement", "Kind"]
