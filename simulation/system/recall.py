"""Recall: decision, report, revocation, return to prison, fixed-term or standard, release again.

Only a licence or a curfew can be recalled. The 24-hour report is the officer's most urgent task. Between revocation
and arrest a person is unlawfully at large; the clock of a fixed-term recall starts on return to prison. Nobody at high
risk of serious harm, and nobody on an extended sentence, gets a fixed-term recall, and no recall runs past the end of
the sentence. A person recalled from curfew stays until the conditional release date. A standard recall lasts until the
Parole Board directs release or the sentence ends: reviews come round, wait for the officer's report where one is asked
for, and end in release with a chance.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import simpy

from simulation.system.codes import Parole, RecallKind, RecallReason, Status, Task
from simulation.system.custody_loops import lists_of, quantiles_of
from simulation.system.recall_loops import COUNTED, ask_for, take_steps
from simulation.system.service import COUNT_INDEX, Rows, Service
from simulation.system.workload import Workload

REASONS = {
    "absence": int(RecallReason.ABSENCE),
    "risk": int(RecallReason.RISK),
    "further charge": int(RecallReason.CHARGE),
}


class Recall:
    """Recall of licences and curfews."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.counted = np.array([COUNT_INDEX[name] for name in COUNTED], dtype=np.intp)
        service.agenda("recall step", service.sentences.capacity)
        service.process(self.evening)
        service.process(self.steps)

    def read(self, workload: Workload) -> None:
        """Take the levers of the day."""
        self.workload = workload
        levers = self.service.levers
        self.revocation_days = levers.integer("recall.days_decision_to_revocation")
        self.report_days = levers.integer("recall.parole_report_working_days")
        self.next_review_days = levers.integer("recall.parole_next_review_days")
        self.deferral_days = levers.integer("recall.parole_deferral_days")
        #: Share of fixed-term recalls and their days; when people return and are reviewed; share released on review.
        self.rules = (
            float(levers.number("recall.fixed_term_share_of_allowed")),
            levers.integer("recall.fixed_term_days_under_12m"),
            levers.integer("recall.fixed_term_days_12m_plus"),
            *quantiles_of(levers.mapping("recall.days_to_return")),
            *quantiles_of(levers.mapping("recall.parole_review_days")),
            float(levers.number("recall.parole_release_share")),
        )

    def ask(self, sentences_rows: Rows, reason: str) -> None:
        """Decide to recall: the report is due tomorrow."""
        service, sentences = self.service, self.service.sentences
        found = np.empty((3, sentences_rows.size), dtype=np.intp)
        size = ask_for(
            sentences_rows,
            found,
            REASONS[reason],
            sentences.person,
            sentences.kind,
            sentences.status,
            sentences.recall_pending,
            sentences.recall_reason,
        )
        if size == 0:
            return
        rows, owners, people = found[:, :size]
        due = service.calendar.after_working_days(service.today, 1)
        service.add_task(
            Task.RECALL_REPORT, owners, due, int(self.workload.task_seconds[Task.RECALL_REPORT]), rows
        )
        service.tell(f"recall decided: {reason}", people)

    def evening(self) -> Generator[simpy.Event, Any, None]:
        """Reports finished today lead to revocation; curfew breaches are decided by HMPPS without one."""
        service = self.service
        while True:
            yield service.clock.phase("consequences")
            sentences, today = service.sentences, service.today
            written = service.channels["done recall_report"].drain()
            service.agendas["recall step"].put(written, today + self.revocation_days)
            broken = service.agendas["curfew breach"].due(today)
            if broken.size:
                broken = broken[sentences.status[broken] == Status.CURFEW]
                sentences.recall_kind[broken] = RecallKind.CURFEW
                sentences.recall_reason[broken] = RecallReason.CURFEW
                sentences.recall_pending[broken] = 1
                service.agendas["recall step"].put(broken, today + self.revocation_days)
                service.tell("curfew broken", np.sort(sentences.person[broken]))
            reports = service.channels["done parole_report"].drain()
            if reports.size:
                sentences.parole[reports] = Parole.REPORT_WRITTEN
                service.count("parole_reports", sentences.person[reports])
                service.tell("parole report written", np.sort(sentences.person[reports]))

    def steps(self) -> Generator[simpy.Event, Any, None]:
        """Each day: revocations, arrests and releases after recall."""
        service = self.service
        while True:
            yield service.clock.phase("hearings")
            sentences = service.sentences
            due = service.agendas["recall step"].due(service.today)
            if due.size == 0:
                continue
            self.take_steps(due)
            service.refresh(sentences.person[due])

    def take_steps(self, due: Rows) -> None:
        """Take the step that is due: revoke the licence, return the person to prison, or release them again."""
        service, people, sentences = self.service, self.service.people, self.service.sentences
        today, agendas = service.today, service.agendas
        found = np.empty((11, due.size), dtype=np.intp)
        sizes, at_once = take_steps(
            due,
            found,
            today,
            *self.rules,
            service.chance.constant("fixed-term recall"),
            service.chance.constant("days at large"),
            service.chance.constant("parole review days"),
            service.chance.constant("parole decision"),
            self.counted,
            service.flows,
            people.cell,
            people.key,
            people.assessed_rosh,
            people.rosh,
            people.released_on,
            people.location,
            people.side,
            people.officer,
            service.posts.grade,
            sentences.person,
            sentences.number,
            sentences.status,
            sentences.length,
            sentences.custody_end,
            sentences.expiry,
            sentences.supervision_end,
            sentences.extended,
            sentences.recall_kind,
            sentences.recalls,
            sentences.recall_pending,
            sentences.returned,
            sentences.recall_reason,
            sentences.parole,
            sentences.reviews,
        )
        (
            revoked,
            later,
            arrests,
            inside,
            until,
            reported,
            refused,
            put_off,
            again,
            going_on,
            ends,
        ) = lists_of(found, sizes)
        if revoked.size:
            service.cancel(revoked, "release", "curfew breach")
            service.tell("licence revoked", np.sort(sentences.person[revoked]))
        agendas["legal end"].put(going_on, ends)
        agendas["recall step"].put(later, arrests)
        if inside.size:
            # Released on the working day before a weekend or holiday.
            agendas["recall step"].put(inside, np.maximum(service.calendar.working_day_before(until), today + 1))
            person = sentences.person[inside]
            for returned in (person[:at_once], person[at_once:]):
                returned.sort()
                service.tell("returned to prison", returned)
        if reported.size:
            due_on = service.calendar.after_working_days(today, self.report_days)
            seconds = int(self.workload.task_seconds[Task.PAROLE_REPORT])
            service.add_task(Task.PAROLE_REPORT, sentences.person[reported], due_on, seconds, reported)
        if refused.size:
            self.review_again(refused, self.next_review_days)
            service.tell("parole refused", np.sort(sentences.person[refused]))
        if put_off.size:
            self.review_again(put_off, self.deferral_days)
            service.tell("parole review put off", np.sort(sentences.person[put_off]))
        if again.size:
            service.tell("released after recall", np.sort(sentences.person[again]))

    def review_again(self, rows: Rows, wait: int) -> None:
        """Put the next review so many days ahead, or on the end of the sentence, which comes first."""
        service, sentences, today = self.service, self.service.sentences, self.service.today
        day = service.calendar.working_day_before(np.minimum(today + wait, sentences.expiry[rows]))
        service.agendas["recall step"].put(rows, np.maximum(day, today + 1))
