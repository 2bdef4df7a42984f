"""Custody: reception, time served, home detention curfew, release on the day, and the ends of sentences.

Half the sentence is served in custody (two thirds of an extended one), less days on remand; release falls on the
working day before a weekend or holiday. Home detention curfew needs eligibility by length, no statutory exclusion, the
papers, an address enquiry by a probation officer, and 14 days left when all that is done.
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import date
from typing import Any

import numpy as np
import simpy

from simulation.engine import NEVER
from simulation.engine.agenda import each_once
from simulation.system.allocation import Allocation
from simulation.system.codes import Kind, Location, RecallKind, Status, Task
from simulation.system.departures import Departures
from simulation.system.life_sentences import LifeSentences
from simulation.system.population import Population
from simulation.system.quantiles import draw
from simulation.system.service import FAR, Array, Rows, Service
from simulation.system.workload import Workload

#: Stages of the curfew papers.
NOT_STARTED, PAPERS, ENQUIRY, APPROVED, REFUSED = range(5)


class Custody:
    """Sentenced prisoners from reception to the end of sentence."""

    def __init__(
        self, service: Service, population: Population, allocation: Allocation, departures: Departures
    ) -> None:
        self.service, self.population, self.allocation = service, population, allocation
        self.departures, self.life = departures, LifeSentences(service, population)
        capacity = service.sentences.capacity
        for name in (
            "legal end",
            "release",
            "curfew papers",
            "curfew release",
            "curfew breach",
            "resettlement",
        ):
            service.agenda(name, capacity)
        service.process(self.ends)
        service.process(self.releases)
        service.process(self.papers)

    def read(self, workload: Workload) -> None:
        """Take the levers of the day."""
        self.workload = workload

    # --- Reception --------------------------------------------------------------------------------------------

    def receive(self, rows: Rows, revoked: bool = False) -> Rows:
        """Receive people sentenced to determinate custody today; return their sentences.

        Custody for a revoked order is short, and nobody was on remand for it.
        """
        if rows.size == 0:
            return rows
        service, people, chance, sentences = (
            self.service,
            self.service.people,
            self.service.chance,
            self.service.sentences,
        )
        levers, today, keys = service.levers, service.today, people.key[rows]
        number = people.sentences[rows].astype(np.int64) + 1
        years = np.full(rows.size, service.calendar.date(today).year)
        occurrence = np.where(number == 1, 4096, number)
        band = self.population.length_band(keys, years, occurrence)
        length = self.population.length_days(keys, band, occurrence)
        remand = self.population.remand_days(keys, occurrence)
        if revoked:
            uniform = chance.uniform(keys, "custody: length on revocation", occurrence)
            length = draw(levers.mapping("enforcement.revoked_custody_days"), uniform).astype(np.int32)
            remand = np.zeros_like(remand)
            band = np.zeros_like(band)
        extended = (band >= 3) & (
            chance.uniform(keys, "custody: extended", occurrence) < levers.number("custody.extended_share")
        )
        lag = draw(levers.mapping("courts.offence_to_sentence_days"), chance.uniform(keys, "offence", number))
        made = service.new_sentences(
            rows, np.full(rows.size, Kind.DETERMINATE), np.full(rows.size, Status.CUSTODY)
        )
        sentences.length[made] = length
        sentences.remand[made] = remand
        sentences.extended[made] = extended
        sentences.offence[made] = today - np.maximum(lag.astype(np.int64), remand)
        self.set_dates(made)
        at_once = sentences.custody_end[made] <= today
        self.revoke_orders(rows, keys, number)
        if revoked:
            # Not a new sentence in the published series: counted apart.
            service.count("sentences_custody_on_breach", rows)
        else:
            service.count("sentences_custody", rows)
            service.count("sentences_custody_of_returners", rows[number > 1])
            service.count("sentences_of_returners", rows[number > 1])
        service.count("releases_at_sentence", rows[at_once])
        service.tell("sentenced to custody", rows, length)
        eligible = sentences.curfew_from[made] != NEVER
        service.count("hdc_eligible_on_length", rows[eligible])
        return made

    def settle_in(self, made: Rows) -> None:
        """Plan release and curfew of people received today; those whose remand has used up the term go free."""
        at_once = self.service.sentences.custody_end[made] <= self.service.today
        staying = made[~at_once]
        self.schedule_release(staying)
        self.start_papers(staying)
        if at_once.any():
            # Released from the dock, with no resettlement work.
            self.service.refresh(self.set_free(made[at_once]))

    def resentence(self, rows: Rows) -> None:
        """Receive people whose order was revoked in favour of custody."""
        made = self.receive(rows, revoked=True)
        self.service.refresh(rows)
        self.allocation.assess(rows)
        self.settle_in(made)

    def revoke_orders(self, rows: Rows, keys: Array, number: Array) -> None:
        """Revoke, for a share of people sent to custody, the order they were on: it ends unsuccessfully."""
        service, sentences = self.service, self.service.sentences
        order = service.live_sentence(rows, (Status.ORDER,))
        share = service.levers.number("enforcement.order_revoked_on_custody_share")
        revoked = (order >= 0) & (service.chance.uniform(keys, "order revoked on custody", number) < share)
        ended = order[revoked]
        sentences.status[ended] = Status.ENDED
        sentences.failed[ended] = 1
        service.agendas["legal end"].cancel(ended)
        service.agendas["hearing"].cancel(ended)
        service.count("orders_ended_unsuccessfully", rows[revoked])
        service.tell("order revoked", rows[revoked])

    def set_dates(self, made: Rows) -> None:
        """Work out the dates of custodial sentences from length, remand and the law in force for each."""
        service, sentences = self.service, self.service.sentences
        levers = service.levers
        area = service.people.area[sentences.person[made]]
        imposed = sentences.imposed[made]
        lookup = service.resolved.lookup
        fraction = np.where(
            sentences.extended[made] == 1,
            lookup("custody.extended_release_fraction", imposed, service.today, area),
            lookup("custody.release_fraction", imposed, service.today, area),
        )
        length, remand = sentences.length[made].astype(np.int64), sentences.remand[made].astype(np.int64)
        custody_days = np.ceil(length * fraction).astype(np.int64)
        custody_end = np.maximum(imposed, imposed + custody_days - remand)
        expiry = np.maximum(custody_end, imposed + length - remand)
        reform = service.calendar.day(date.fromisoformat(levers.text("supervision.pss.offence_from")))
        limit = levers.number("supervision.pss.sentence_upper_limit_months") * 365.25 / 12
        covered = (
            (sentences.offence[made] >= reform)
            & (length > 1)
            & (length < limit)
            & (sentences.extended[made] == 0)
        )
        licence_for_short = (sentences.offence[made] >= reform) & (
            levers.flag("supervision.short_sentence_licence")
        )
        unsupervised = (length < 365) & ~licence_for_short
        total = int(levers.number("supervision.pss.total_months_after_release") * 365.25 / 12)
        with_supervision = covered & levers.flag("supervision.pss.enabled") & ~unsupervised
        expiry = np.where(unsupervised, custody_end, expiry)
        sentences.custody_end[made] = custody_end
        sentences.expiry[made] = expiry
        sentences.supervision_end[made] = np.where(
            with_supervision, np.maximum(expiry, custody_end + total), expiry
        )
        sentences.curfew_from[made] = self.curfew_date(length, custody_days, imposed, remand, area)

    def curfew_date(
        self, length: Array, custody_days: Array, imposed: Array, remand: Array, area: Array
    ) -> Array:
        """Return the first day on which curfew is possible, NEVER where the sentence doesn't allow it.

        Below the midpoint threshold (twice the maximum) the longer of 28 days and half the custodial period is
        served; above it the maximum is taken off.
        """
        levers = self.service.levers
        most = levers.grid("custody.hdc.max_days")[area, 0]
        shortest = levers.number("custody.hdc.min_sentence_weeks") * 7
        longest = levers.number("custody.hdc.max_sentence_years") * 365.25
        eligible = (
            (length >= shortest)
            & (length < longest)
            & (custody_days >= levers.number("custody.hdc.min_custodial_period_days"))
        )
        half = np.ceil(custody_days * levers.number("custody.hdc.min_share_of_custodial_period_served"))
        served = np.where(
            custody_days < 2 * most,
            np.maximum(levers.number("custody.hdc.min_days_served"), half),
            custody_days - most,
        )
        return np.where(eligible, np.maximum(imposed, imposed + served - remand), NEVER).astype(np.int32)

    def schedule_release(self, sentences_rows: Rows) -> None:
        """Put conditional release on its working day, and resettlement work before it."""
        service, sentences = self.service, self.service.sentences
        if sentences_rows.size == 0:
            return
        day = service.calendar.working_day_before(sentences.custody_end[sentences_rows])
        day = np.maximum(day, service.today + 1)
        service.agendas["release"].put(sentences_rows, day)
        window = service.levers.integer("release.window_days")
        begin = np.maximum(day - window, service.today + 1)
        fresh = sentences.prepared[sentences_rows] == 0
        service.agendas["resettlement"].put(sentences_rows[fresh], begin[fresh])

    # --- Home detention curfew --------------------------------------------------------------------------------

    def start_papers(self, made: Rows) -> None:
        """Put people forward for curfew: by length, not excluded, and taken up; the papers begin before the date."""
        service, sentences, people = self.service, self.service.sentences, self.service.people
        if made.size == 0:
            return
        made = made[sentences.curfew_from[made] != NEVER]
        person = sentences.person[made]
        # One custodial sentence at a time: nobody on recall or serving another term is put forward.
        alone = self.only_term(made)
        # Settled once: a change of policy later doesn't find somebody alone who wasn't when it was decided.
        sentences.curfew_stage[made[~alone & (sentences.curfew_stage[made] == NOT_STARTED)]] = REFUSED
        keys, area = people.key[person], people.area[person]
        take_up = service.resolved.lookup("custody.hdc.take_up", sentences.imposed[made], service.today, area)
        draw_ = service.chance.uniform(keys, "curfew taken up", sentences.number[made])
        chosen = alone & (people.never_curfew[person] == 0) & (draw_ < take_up)
        chosen &= (sentences.custody_end[made] - service.today) > service.levers.number(
            "custody.hdc.min_days_on_curfew"
        )
        made = made[chosen & (sentences.curfew_stage[made] == NOT_STARTED)]
        if made.size == 0:
            return
        sentences.curfew_stage[made] = PAPERS
        service.count("hdc_considered", sentences.person[made])
        lead = service.levers.integer("custody.hdc.papers_lead_days")
        uniform = service.chance.uniform(service.sentence_key(made), "curfew papers", sentences.number[made])
        paper_days = draw(service.levers.mapping("custody.hdc.papers_days"), uniform).astype(np.int64)
        begin = np.maximum(sentences.curfew_from[made] - lead, service.today + 1)
        service.agendas["curfew papers"].put(made, begin + paper_days)

    def only_term(self, made: Rows) -> Array:
        """Tell which custodial sentences are the only one holding the person."""
        service = self.service
        person = service.sentences.person[made]
        mask = service.statuses(person)
        other = mask & ((1 << Status.RECALLED) | (1 << Status.AT_LARGE))
        latest = service.live_sentence(person, (Status.CUSTODY,)) == made
        previous = service.sentences.previous[made]
        earlier = np.zeros(made.size, dtype=bool)
        at = previous >= 0
        while at.any():
            earlier[at] |= service.sentences.status[previous[at]] == Status.CUSTODY
            previous = np.where(at, service.sentences.previous[previous], -1)
            at = previous >= 0
        return (other == 0) & latest & ~earlier

    def papers(self) -> Generator[simpy.Event, Any, None]:
        """Move the curfew papers on: ask for the address check, read its answer, refuse or approve."""
        service = self.service
        answered = service.channels.get("done address_check")
        while True:
            yield service.clock.phase("consequences")
            sentences, today = service.sentences, service.today
            due = service.agendas["curfew papers"].due(today)
            due = due[(sentences.status[due] == Status.CUSTODY) & (sentences.curfew_stage[due] == PAPERS)]
            self.ask_for_check(due)
            answered = service.channels["done address_check"]
            self.answer(answered.drain())

    def too_late(self, rows: Rows, day: Array | int) -> Array:
        """Tell who would have fewer days on curfew than the law asks if released on ``day``."""
        least = self.service.levers.number("custody.hdc.min_days_on_curfew")
        return self.service.sentences.custody_end[rows] - day < least

    def refuse(self, rows: Rows, reason: str) -> None:
        """Refuse curfew."""
        service, sentences = self.service, self.service.sentences
        sentences.curfew_stage[rows] = REFUSED
        service.count(reason, sentences.person[rows])
        service.tell(
            "curfew refused: " + ("no time left" if reason.endswith("time") else "no address"),
            np.sort(sentences.person[rows]),
        )

    def ask_for_check(self, rows: Rows) -> None:
        """Ask the responsible officer for an address check."""
        service, sentences = self.service, self.service.sentences
        late = self.too_late(rows, service.today)
        self.refuse(rows[late], "hdc_refused_time")
        rows = rows[~late]
        sentences.curfew_stage[rows] = ENQUIRY
        sentences.enquiries[rows] += 1
        working_days = service.levers.integer("custody.hdc.address_check_working_days")
        due = service.calendar.after_working_days(service.today, working_days)
        service.add_task(
            Task.ADDRESS_CHECK,
            sentences.person[rows],
            due,
            int(self.workload.task_seconds[Task.ADDRESS_CHECK]),
            rows,
        )

    def answer(self, rows: Rows) -> None:
        """Read the answers of address checks: suitable, another address to try, or none."""
        if rows.size == 0:
            return
        service, sentences, chance = self.service, self.service.sentences, self.service.chance
        people, today = self.service.people, self.service.today
        rows = rows[(sentences.status[rows] == Status.CUSTODY) & (sentences.curfew_stage[rows] == ENQUIRY)]
        service.count("hdc_enquiries", sentences.person[rows])
        keys = service.sentence_key(rows)
        count = service.occurrence(rows, sentences.enquiries[rows])
        area = people.area[sentences.person[rows]]
        suitable = (
            chance.uniform(keys, "curfew address suitable", count)
            < service.levers.grid("custody.hdc.address_suitable_share")[area, 0]
        )
        another = (
            ~suitable
            & (sentences.enquiries[rows] < 4)
            & (
                chance.uniform(keys, "curfew second address", count)
                < service.levers.number("custody.hdc.second_address_share")
            )
        )
        retry = rows[another]
        sentences.curfew_stage[retry] = PAPERS
        wait = service.levers.integer("custody.hdc.second_address_days")
        service.agendas["curfew papers"].put(retry, today + wait)
        self.refuse(rows[~suitable & ~another], "hdc_refused_address")
        approved = rows[suitable]
        day = service.calendar.working_day_after(np.maximum(sentences.curfew_from[approved], today + 1))
        late = self.too_late(approved, day)
        self.refuse(approved[late], "hdc_refused_time")
        approved, day = approved[~late], day[~late]
        sentences.curfew_stage[approved] = APPROVED
        service.tell("curfew approved", np.sort(sentences.person[approved]))
        service.agendas["curfew release"].put(approved, day)

    # --- Release ----------------------------------------------------------------------------------------------

    def releases(self) -> Generator[simpy.Event, Any, None]:
        """Each day: releases on curfew, then conditional releases and the ends of curfews."""
        service = self.service
        while True:
            yield service.clock.phase("releases")
            sentences, today = service.sentences, service.today
            if service.calendar.date(today).day == 1:
                self.life.follow_series()
            tagged = service.agendas["curfew release"].due(today)
            free = (sentences.status[tagged] == Status.CUSTODY) & (sentences.curfew_stage[tagged] == APPROVED)
            tagged = tagged[free]
            tagged = self.still_allowed(tagged[self.only_term(tagged)]) if tagged.size else tagged
            moved = [self.release_on_curfew(tagged)]
            due = service.agendas["release"].due(today)
            inside = due[sentences.status[due] == Status.CUSTODY]
            ending = due[sentences.status[due] == Status.CURFEW]
            moved += [self.set_free(inside), self.end_curfew(ending)]
            committed = service.agendas["committal"].due(today)
            if committed.size:
                service.people.committed_until[committed] = NEVER
                service.tell("committal ends", committed)
            service.refresh(np.concatenate([*moved, committed]))

    def still_allowed(self, rows: Rows) -> Rows:
        """Return those approved who may still go today: the law may have changed since they were approved."""
        service, sentences, today = self.service, self.service.sentences, self.service.today
        later = sentences.curfew_from[rows] > today
        waiting = rows[later]
        day = service.calendar.working_day_after(sentences.curfew_from[waiting])
        service.agendas["curfew release"].put(waiting, day)
        rows = rows[~later]
        late = self.too_late(rows, today) | (sentences.curfew_from[rows] == NEVER)
        self.refuse(rows[late], "hdc_refused_time")
        return rows[~late]

    def release_on_curfew(self, rows: Rows) -> Rows:
        """Release people on home detention curfew; return them."""
        if rows.size == 0:
            return rows
        service, sentences, today = self.service, self.service.sentences, self.service.today
        person = sentences.person[rows]
        days = sentences.custody_end[rows] - today
        sentences.status[rows] = Status.CURFEW
        sentences.released[rows] = today
        service.agendas["release"].put(rows, np.maximum(sentences.custody_end[rows], today + 1))
        service.count("hdc_releases", person)
        service.count("hdc_days_served", person, days)
        service.band("hdc_by_days", days // 15, np.maximum(service.people.side[person], 0))
        self.count_release(rows)
        service.tell("released on curfew", np.sort(person))
        # Breach of the curfew condition, decided by HMPPS on monitoring reports.
        rate = service.levers.number("custody.hdc.curfew_recall_share") / service.levers.number(
            "custody.hdc.mean_days"
        )
        wait = service.chance.exponential(
            service.sentence_key(rows), "curfew breach", sentences.number[rows]
        ) / max(rate, 1e-9)
        day = today + 1 + np.minimum(wait, FAR).astype(np.int32)
        breaking = day < sentences.custody_end[rows]
        service.agendas["curfew breach"].put(rows[breaking], day[breaking])
        return person

    def end_curfew(self, rows: Rows) -> Rows:
        """Take off the tag on the conditional release date; return whose it was."""
        if rows.size == 0:
            return rows
        service, sentences = self.service, self.service.sentences
        service.agendas["curfew breach"].cancel(rows)
        self.to_licence(rows)
        service.tell("curfew ends", np.sort(sentences.person[rows]))
        return sentences.person[rows]

    def set_free(self, rows: Rows) -> Rows:
        """Release people on their conditional release date; return them."""
        if rows.size == 0:
            return rows
        service, sentences = self.service, self.service.sentences
        service.agendas["resettlement"].cancel(rows)
        service.agendas["curfew papers"].cancel(rows)
        service.agendas["curfew release"].cancel(rows)
        sentences.released[rows] = service.today
        self.to_licence(rows)
        # Somebody held under another term isn't released yet.
        person = sentences.person[rows]
        free = service.statuses(person) & ((1 << Status.CUSTODY) | (1 << Status.RECALLED)) == 0
        leaving = free & (service.people.deportation[person] == 1)
        self.count_release(rows[free & ~leaving])
        service.tell("released", np.sort(person[~leaving]))
        self.remove(rows[leaving])
        return person

    def count_release(self, rows: Rows) -> None:
        """Count first releases; where they go to live is settled by :mod:`simulation.system.release`."""
        service, sentences = self.service, self.service.sentences
        person = sentences.person[rows]
        # The week that counts is the one after a first release: not after recall or committal.
        service.people.released_on[person] = service.today
        service.people.seen_since_release[person] = 0
        self.count_flow(rows)
        self.resettle(rows)

    def count_flow(self, rows: Rows) -> None:
        """Count releases as they are published: of everybody, wherever they go."""
        service, sentences = self.service, self.service.sentences
        person = sentences.person[rows]
        service.count("releases", person)
        service.count("releases_short_sentence", person[sentences.length[rows] < 365])

    def remove(self, rows: Rows) -> None:
        """Remove people from the country on the day their custody ends."""
        service, sentences = self.service, self.service.sentences
        self.count_flow(rows)
        # Two terms may end on one day.
        person = each_once(sentences.person[rows])
        service.count("removed_at_release", person)
        service.tell("removed from the country", person)
        self.departures.leave(person, Location.REMOVED)

    def resettle(self, rows: Rows) -> None:
        """Find somewhere to live at release; replaced when the release subsystem is wired in."""

    def to_licence(self, rows: Rows) -> None:
        """Begin licence, or what follows it, and set the date on which it ends."""
        service, sentences, today = self.service, self.service.sentences, self.service.today
        on_licence = sentences.expiry[rows] > today
        supervised = ~on_licence & (sentences.supervision_end[rows] > today)
        sentences.status[rows] = np.where(
            on_licence, Status.LICENCE, np.where(supervised, Status.SUPERVISION, Status.ENDED)
        )
        end = np.where(on_licence, sentences.expiry[rows], sentences.supervision_end[rows])
        going_on = on_licence | supervised
        service.agendas["legal end"].put(rows[going_on], end[going_on])

    # --- Ends -------------------------------------------------------------------------------------------------

    def ends(self) -> Generator[simpy.Event, Any, None]:
        """Each day: orders and licences that run out."""
        service = self.service
        while True:
            yield service.clock.phase("ends")
            sentences, today = service.sentences, service.today
            due = service.agendas["legal end"].due(today)
            if due.size == 0:
                continue
            status = sentences.status[due].copy()
            orders = due[status == Status.ORDER]
            service.count("orders_completed", sentences.person[orders])
            service.tell("order completed", np.sort(sentences.person[orders]))
            sentences.status[orders] = Status.ENDED
            over = due[status == Status.SUPERVISION]
            service.tell("post-sentence supervision ends", np.sort(sentences.person[over]))
            sentences.status[over] = Status.ENDED
            licences = due[
                (status == Status.LICENCE) | (status == Status.RECALLED) | (status == Status.AT_LARGE)
            ]
            back = licences[sentences.status[licences] == Status.RECALLED]
            service.count("re_releases", sentences.person[back])
            service.count("recall_days_served", sentences.person[back], today - sentences.returned[back])
            service.tell("licence ends", np.sort(sentences.person[licences]))
            # Recall doesn't extend post-sentence supervision; its end was fixed at the first release.
            self.to_licence(licences)
            service.agendas["recall step"].cancel(licences)
            service.refresh(sentences.person[due])


__all__ = ["Custody", "Location", "RecallKind"]
