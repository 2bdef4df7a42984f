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

from simulation.system.codes import Parole, RecallReason, Task
from simulation.system.custody_loops import quantiles_of
from simulation.system.recall_loops import COUNTED, ask_for, break_curfews, kinds_in_order, take_steps
from simulation.system.service import COUNT_INDEX, Array, Rows, Service
from simulation.system.workload import Workload

REASONS = {
    "absence": int(RecallReason.ABSENCE),
    "risk": int(RecallReason.RISK),
    "further charge": int(RecallReason.CHARGE),
}

_REPORT_WRITTEN = int(Parole.REPORT_WRITTEN)


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
        self.report_days = levers.integer("recall.report_working_days")
        self.revocation_days = levers.integer("recall.days_decision_to_revocation")
        self.parole_report_days = levers.integer("recall.parole_report_working_days")
        #: Share of fixed-term recalls and their days; when people return and are reviewed; share released on review;
        #: days to the next review of those who aren't, and of a review put off.
        self.rules = (
            float(levers.number("recall.fixed_term_share_of_allowed")),
            levers.integer("recall.fixed_term_days_under_12m"),
            levers.integer("recall.fixed_term_days_12m_plus"),
            *quantiles_of(levers.mapping("recall.days_to_return")),
            *quantiles_of(levers.mapping("recall.parole_review_days")),
            float(levers.number("recall.parole_release_share")),
            levers.integer("recall.parole_next_review_days"),
            levers.integer("recall.parole_deferral_days"),
        )

    def ask(self, sentences_rows: Rows, reason: str) -> None:
        """Decide to recall: the report is due within so many working days, the next one as a rule."""
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
        sentences.recall_asked[rows] = service.today
        due = service.calendar.after_working_days(service.today, self.report_days)
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
            if written.size:
                whose = sentences.person[written]
                service.count("recall_report_days", whose, today - sentences.recall_asked[written])
                service.tell("recall report written", np.sort(whose))
            broken = service.agendas["curfew breach"].due(today)
            if broken.size:
                found = np.empty((2, broken.size), dtype=np.intp)
                size = break_curfews(
                    broken,
                    found,
                    sentences.person,
                    sentences.status,
                    sentences.recall_kind,
                    sentences.recall_pending,
                    sentences.recall_reason,
                )
                service.agendas["recall step"].put(found[0, :size], today + self.revocation_days)
                service.tell("curfew broken", found[1, :size])
            reports = service.channels["done parole_report"].drain()
            if reports.size:
                sentences.parole[reports] = _REPORT_WRITTEN
                theirs = np.sort(sentences.person[reports])
                service.count("parole_reports", theirs)
                service.tell("parole report written", theirs)

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
        found = np.empty((13, due.size), dtype=np.intp)
        revoked, planned, back_at_once, back, reported, refused, put_off, again, going_on = take_steps(
            due,
            found,
            today,
            *self.rules,
            service.calendar.after_working_days(today, 1),
            *service.calendar.previous_working_days(),
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
        if revoked:
            service.cancel(found[0, :revoked], "release", "curfew breach", "legal end")
            service.tell("licence revoked", *self.told_of_kind(found[0, :revoked]))
        agendas["legal end"].put(found[11, :going_on], found[12, :going_on])
        agendas["recall step"].put(found[2, :planned], found[3, :planned])
        service.tell("returned to prison", found[4, :back_at_once])
        service.tell("returned to prison", found[5, :back])
        if reported:
            due_on = service.calendar.after_working_days(today, self.parole_report_days)
            seconds = int(self.workload.task_seconds[Task.PAROLE_REPORT])
            service.add_task(Task.PAROLE_REPORT, found[7, :reported], due_on, seconds, found[6, :reported])
        service.tell("parole refused", found[8, :refused])
        service.tell("parole review put off", found[9, :put_off])
        service.tell("released after recall", found[10, :again])

    def told_of_kind(self, revoked: Rows) -> tuple[Rows, Array]:
        """Return whose licences these are, in row order, and of each the number that tells the kind of recall.

        That is the days of a fixed term, 0 for a standard recall and -1 for that of a curfew.
        """
        sentences, (_, short, long, *_) = self.service.sentences, self.rules
        found = np.empty((2, revoked.size), dtype=np.intp)
        kinds_in_order(revoked, found, short, long, sentences.person, sentences.length, sentences.recall_kind)
        return found[0], found[1]
