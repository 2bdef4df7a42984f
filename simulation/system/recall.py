"""Recall: decision, report, revocation, return to prison, fixed-term or standard, release again.

Only a licence or a curfew can be recalled. The 24-hour report is the officer's most urgent task. Between revocation
and arrest a person is unlawfully at large; the clock of a fixed-term recall starts on return to prison. Nobody at high
risk of serious harm, and nobody on an extended sentence, gets a fixed-term recall, and no recall runs past the end of
the sentence. A person recalled from curfew stays until the conditional release date.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import simpy

from simulation.engine import NEVER
from simulation.engine.agenda import each_once
from simulation.system.codes import Kind, Location, RecallKind, Rosh, Status, Task
from simulation.system.custody import Custody
from simulation.system.quantiles import draw
from simulation.system.service import Rows, Service
from simulation.system.workload import Workload


class Recall:
    """Recall of licences and curfews."""

    def __init__(self, service: Service, custody: Custody) -> None:
        self.service, self.custody = service, custody
        service.agenda("recall step", service.sentences.capacity)
        service.process(self.evening)
        service.process(self.steps)

    def read(self, workload: Workload) -> None:
        """Take the levers of the day."""
        self.workload = workload

    def ask(self, sentences_rows: Rows, reason: str) -> None:
        """Decide to recall: the report is due tomorrow."""
        service, sentences = self.service, self.service.sentences
        rows = each_once(sentences_rows)
        status = sentences.status[rows]
        rows = rows[
            ((status == Status.LICENCE) | (status == Status.CURFEW)) & (sentences.recall_pending[rows] == 0)
        ]
        rows = rows[sentences.kind[rows] == Kind.DETERMINATE]
        if rows.size == 0:
            return
        sentences.recall_pending[rows] = 1
        person = sentences.person[rows]
        due = service.calendar.after_working_days(service.today, 1)
        service.add_task(
            Task.RECALL_REPORT, person, due, int(self.workload.task_seconds[Task.RECALL_REPORT]), rows
        )
        service.tell(f"recall decided: {reason}", np.sort(person))

    def evening(self) -> Generator[simpy.Event, Any, None]:
        """Reports finished today lead to revocation; curfew breaches are decided by HMPPS without one."""
        service = self.service
        while True:
            yield service.clock.phase("consequences")
            sentences, today = service.sentences, service.today
            written = service.channels["done recall_report"].drain()
            delay = service.levers.integer("recall.days_decision_to_revocation")
            service.agendas["recall step"].put(written, today + delay)
            broken = service.agendas["curfew breach"].due(today)
            broken = broken[sentences.status[broken] == Status.CURFEW]
            sentences.recall_kind[broken] = RecallKind.CURFEW
            sentences.recall_pending[broken] = 1
            service.agendas["recall step"].put(broken, today + delay)
            service.tell("curfew broken", np.sort(sentences.person[broken]))

    def steps(self) -> Generator[simpy.Event, Any, None]:
        """Each day: revocations, arrests and releases after recall."""
        service = self.service
        while True:
            yield service.clock.phase("hearings")
            sentences = service.sentences
            due = service.agendas["recall step"].due(service.today)
            if due.size == 0:
                continue
            status = sentences.status[due].copy()
            self.revoke(due[(status == Status.LICENCE) | (status == Status.CURFEW)])
            self.arrest(due[status == Status.AT_LARGE])
            self.release_again(due[status == Status.RECALLED])
            service.refresh(sentences.person[due])

    def revoke(self, rows: Rows) -> None:
        """Revoke the licence: the recall is counted, and the person is at large until arrested."""
        rows = rows[self.service.sentences.recall_pending[rows] == 1]
        if rows.size == 0:
            return
        service, people, sentences = self.service, self.service.people, self.service.sentences
        levers, today = service.levers, service.today
        person, keys = sentences.person[rows], service.sentence_key(rows)
        occurrence = service.occurrence(rows, sentences.recalls[rows])
        curfew = sentences.recall_kind[rows] == RecallKind.CURFEW
        curfew &= sentences.status[rows] == Status.CURFEW
        # Anybody recalled while on curfew stays until the conditional release date.
        on_curfew = sentences.status[rows] == Status.CURFEW
        allowed = (
            (np.maximum(people.assessed_rosh[person], people.rosh[person]) < Rosh.HIGH)
            & (sentences.extended[rows] == 0)
            & ~on_curfew
        )
        fixed = allowed & (
            service.chance.uniform(keys, "fixed-term recall", occurrence)
            < levers.number("recall.fixed_term_share_of_allowed")
        )
        sentences.recall_kind[rows] = np.where(
            curfew, RecallKind.CURFEW, np.where(fixed, RecallKind.FIXED_TERM, RecallKind.STANDARD)
        )
        sentences.recall_pending[rows] = 0
        sentences.recalls[rows] += 1
        sentences.status[rows] = Status.AT_LARGE
        service.agendas["release"].cancel(rows)
        service.agendas["curfew breach"].cancel(rows)
        # A curfew that is recalled ends its licence on the sentence's own date.
        service.agendas["legal end"].put(rows, np.maximum(sentences.expiry[rows], today + 1))
        service.count("recalls", person)
        service.count("recalls_fixed_term", person[fixed])
        service.count("recalls_standard", person[~fixed & ~curfew])
        service.count("recalls_hdc_curfew", person[curfew])
        service.count("recalls_short_sentence", person[sentences.length[rows] < 365])
        wait = draw(
            levers.mapping("recall.days_to_return"), service.chance.uniform(keys, "days at large", occurrence)
        ).astype(np.int64)
        inside = (people.location[person] == Location.SENTENCED) | (
            people.location[person] == Location.RECALLED
        )
        wait = np.where(inside, 0, wait)
        service.tell("licence revoked", np.sort(person))
        # Some are arrested at once, the others on a later day.
        later = wait > 0
        service.agendas["recall step"].put(rows[later], today + wait[later])
        self.arrest(rows[~later])

    def arrest(self, rows: Rows) -> None:
        """Return people to prison; the clock starts today."""
        if rows.size == 0:
            return
        service, sentences = self.service, self.service.sentences
        levers, today = service.levers, service.today
        person, keys = sentences.person[rows], service.sentence_key(rows)
        sentences.status[rows] = Status.RECALLED
        sentences.returned[rows] = today
        service.count("returns_to_custody", person)
        kind = sentences.recall_kind[rows]
        short = sentences.length[rows] < 365
        fixed_days = np.where(
            short,
            levers.integer("recall.fixed_term_days_under_12m"),
            levers.integer("recall.fixed_term_days_12m_plus"),
        )
        uniform = service.chance.uniform(
            keys, "standard recall days", service.occurrence(rows, sentences.recalls[rows])
        )
        standard_days = draw(levers.mapping("recall.standard_days"), uniform).astype(np.int64)
        until = today + np.where(kind == RecallKind.FIXED_TERM, fixed_days, standard_days)
        # Recalled from curfew: not before the conditional release date.
        until = np.where(kind == RecallKind.CURFEW, np.maximum(sentences.custody_end[rows], today + 1), until)
        until = np.maximum(
            until, np.where(sentences.custody_end[rows] > today, sentences.custody_end[rows], until)
        )
        until = np.minimum(until, sentences.expiry[rows])
        # Released on the working day before a weekend or holiday.
        until = np.maximum(service.calendar.working_day_before(until), today + 1)
        service.agendas["recall step"].put(rows, until)
        report = rows[kind == RecallKind.STANDARD]
        self.ask_parole_report(report)
        service.tell("returned to prison", np.sort(person))

    def ask_parole_report(self, rows: Rows) -> None:
        """Standard recalls of NPS cases held by a probation officer need a parole report."""
        service, people, sentences = self.service, self.service.people, self.service.sentences
        person = sentences.person[rows]
        officer = people.officer[person]
        fit = (people.side[person] == 0) & (officer >= 0)
        fit &= service.posts.grade[np.maximum(officer, 0)] == 0
        due = service.calendar.add_working_days(
            np.full(int(fit.sum()), service.today),
            service.levers.integer("recall.parole_report_working_days"),
        )
        service.add_task(
            Task.PAROLE_REPORT,
            person[fit],
            due,
            int(self.workload.task_seconds[Task.PAROLE_REPORT]),
            rows[fit],
        )

    def release_again(self, rows: Rows) -> None:
        """Release people again after recall."""
        if rows.size == 0:
            return
        service, sentences = self.service, self.service.sentences
        person = sentences.person[rows]
        service.count("re_releases", person)
        service.count("recall_days_served", person, service.today - sentences.returned[rows])
        self.custody.to_licence(rows)
        service.tell("released after recall", np.sort(person))


__all__ = ["NEVER", "Recall"]
