"""Custody: reception, time served, home detention curfew, release on the day, and the ends of sentences.

Half the sentence is served in custody (two thirds of an extended one), less days on remand; release falls on the
working day before a weekend or holiday. Home detention curfew needs eligibility by length, no statutory exclusion, the
papers, an address enquiry by a probation officer, and 14 days left when all that is done.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import numpy as np
import simpy

from simulation.engine import NEVER
from simulation.engine.agenda import NOBODY
from simulation.engine.chance import logarithms
from simulation.system import cohorts, curfew_loops
from simulation.system.allocation import Allocation
from simulation.system.codes import Kind, Location, RecallKind, Status, Task, Why
from simulation.system.curfew_loops import move_papers_on, put_forward, stop_papers
from simulation.system.custody_loops import COUNTED, ENQUIRY, first_of_each, let_go, lists_of, quantiles_of, run_out
from simulation.system.departures import Departures
from simulation.system.life_sentences import LifeSentences
from simulation.system.population import Population
from simulation.system.reception import Terms
from simulation.system.reception_loops import curfew_days, receive_people, release_days, set_dates
from simulation.system.service import COUNT_INDEX, Array, Rows, Service
from simulation.system.workload import Workload


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
        self.counted = np.array([COUNT_INDEX[name] for name in COUNTED], dtype=np.intp)
        self.counted_papers = np.array([COUNT_INDEX[name] for name in curfew_loops.COUNTED], dtype=np.intp)
        #: Called with people whose order has run out.
        self.on_completed: list[Callable[[Rows], None]] = []
        #: Take from the sentences that would run out those that go on.
        self.held_open: list[Callable[[Rows], Rows]] = []
        #: Draws and shares for where people go at release; given by :mod:`simulation.system.release`.
        self.homes: tuple[np.uint64, float, float]
        #: What else follows a reception, when dates and papers are settled.
        self.on_reception: list[Callable[[Rows], None]] = []
        #: Called with sentences of people received into prison; and with sentences of people let out, and which of
        #: the people go nowhere and to a settled home.
        self.on_received: list[Callable[[Rows], None]] = []
        self.on_released: list[Callable[[Rows, Rows, Rows], None]] = []
        service.process(self.ends)
        service.process(self.releases)
        service.process(self.papers)

    def read(self, workload: Workload) -> None:
        """Take the levers of the day."""
        self.workload = workload
        self.terms = Terms(self.service)
        levers = self.service.levers
        self.least_days_on_curfew = float(levers.number("custody.hdc.min_days_on_curfew"))
        self.address_days = levers.integer("custody.hdc.address_check_working_days")
        self.second_address_days = levers.integer("custody.hdc.second_address_days")
        #: Share of suitable addresses by area, of people with another one to try, and how many are looked at.
        self.addresses = (
            levers.grid("custody.hdc.address_suitable_share"),
            float(levers.number("custody.hdc.second_address_share")),
            levers.integer("custody.hdc.most_enquiries"),
        )
        #: Share put forward where it is the same for everybody on every day; else None, and it is looked up for each.
        self.take_up: Array | None = None
        if self.service.resolved.never_changes("custody.hdc.take_up"):
            self.take_up = self.service.resolved.lookup("custody.hdc.take_up", np.zeros(1), 0, np.zeros(1))
        self.not_begun_share = float(levers.number("custody.hdc.not_begun_share"))
        self.opt_out_share = levers.cells("custody.hdc.opt_out_share")
        self.papers_days = quantiles_of(levers.mapping("custody.hdc.papers_days"))
        self.paper_seconds = round(levers.number("custody.hdc.papers_hours") * 3600)
        recalled = levers.number("custody.hdc.curfew_recall_share") / levers.number("custody.hdc.mean_days")
        self.breach_rate = max(recalled, 1e-9)

    # --- Reception --------------------------------------------------------------------------------------------

    def receive(self, rows: Rows, why: int = Why.SENTENCED, breached: Rows = NOBODY) -> Rows:
        """Receive people sentenced to determinate custody today; return their sentences.

        Nobody was on remand for custody that follows a breach.
        """
        if rows.size == 0:
            return rows
        service, people, sentences, terms = self.service, self.service.people, self.service.sentences, self.terms
        made = service.new_sentences(rows, Kind.DETERMINATE, Status.CUSTODY)
        laws = terms.laws
        if laws is None:
            laws = terms.laws_of(sentences.imposed[made], people.area[rows])
        revoked = np.empty((2, rows.size), dtype=np.intp)
        size = receive_people(
            rows,
            made,
            service.today,
            why,
            breached,
            self.population.demand.length_edges(service.calendar.date(service.today).year),
            terms.lengths,
            terms.breach_lengths,
            terms.remand_share,
            terms.remands,
            terms.extended_from,
            terms.extended_share,
            terms.revoked_share,
            terms.lags,
            terms.constants,
            laws,
            terms.reform,
            terms.most,
            terms.curfew_law,
            revoked,
            service.flows,
            people.cell,
            0 if service.groups is None else service.groups.next_sentence,
            people.area,
            people.key,
            people.sentences,
            people.location,
            people.reoffended_on,
            people.out_since,
            people.latest,
            sentences.previous,
            sentences.status,
            sentences.failed,
            sentences.released,
            sentences.length,
            sentences.remand,
            sentences.extended,
            sentences.offence,
            sentences.custody_end,
            sentences.expiry,
            sentences.supervision_end,
            sentences.curfew_from,
        )
        service.regroup(rows)
        if size:
            service.cancel(revoked[0, :size], "legal end", "hearing", "breach pack back")
            service.tell("order revoked", revoked[1, :size])
        service.tell("sentenced to custody", rows, sentences.length[made])
        return made

    def settle_in(self, made: Rows) -> None:
        """Plan release and curfew of people received today; those whose remand has used up the term go free."""
        if made.size == 0:
            return
        service, sentences = self.service, self.service.sentences
        at_once = service.calendar.working_day_before(sentences.custody_end[made]) <= service.today
        free, staying = made[:0], made
        if at_once.any():
            free, staying = made[at_once], made[~at_once]
        if staying.size:
            self.schedule_release(staying)
            self.stop_papers(staying)
            for listener in self.on_received:
                listener(staying)
            self.start_papers(staying, first=True)
        if free.size:
            # Released from the dock, with no resettlement work and no curfew.
            service.count("releases_at_sentence", sentences.person[free])
            # An appointment from before the hearing isn't the first one after it.
            service.tasks.forget(sentences.person[free], Task.FIRST_APPOINTMENT)
            possible = free[sentences.curfew_from[free] != NEVER]
            service.count("hdc_too_short", sentences.person[possible])
            service.refresh(self.let_go(made[:0], free))
        if staying.size:
            inside = sentences.person[staying].astype(np.intp)
            for follow in self.on_reception:
                follow(inside)

    def resentence(self, rows: Rows, why: int, breached: Rows) -> None:
        """Receive people whose order was revoked in favour of custody, or whose suspended sentence was activated.

        Parameters
        ----------
        rows : int array
            Rows of people, each once, in row order.
        why : int
            One of :class:`~simulation.system.codes.Why`.
        breached : int array
            Rows of the orders, in any order and more than one of a person: the first stands.
        """
        if rows.size == 0:
            return
        made = self.receive(rows, why, first_of_each(rows, breached, self.service.sentences.person))
        self.service.refresh(rows)
        self.allocation.assess(rows)
        self.settle_in(made)

    def set_dates(self, made: Rows) -> None:
        """Work out the dates of custodial sentences from length, remand and the law in force for each."""
        people, sentences, terms = self.service.people, self.service.sentences, self.terms
        made = np.asarray(made, dtype=np.intp)
        if made.size == 0:
            return
        laws = terms.laws
        if laws is None:
            laws = terms.laws_of(sentences.imposed[made], people.area[sentences.person[made]])
        set_dates(
            made,
            laws,
            terms.reform,
            terms.most,
            terms.curfew_law,
            people.area,
            sentences.person,
            sentences.length,
            sentences.remand,
            sentences.offence,
            sentences.imposed,
            sentences.extended,
            sentences.custody_end,
            sentences.expiry,
            sentences.supervision_end,
            sentences.curfew_from,
        )

    def curfew_date(
        self, length: Array, custody_days: Array, imposed: Array, remand: Array, area: Array
    ) -> Array:
        """Return the first day on which curfew is possible, NEVER where the sentence doesn't allow it."""
        return curfew_days(length, custody_days, imposed, remand, area, self.terms.most, self.terms.curfew_law)

    def schedule_release(self, sentences_rows: Rows) -> None:
        """Put conditional release on its working day, and resettlement work before it."""
        service, sentences = self.service, self.service.sentences
        if sentences_rows.size == 0:
            return
        days = np.empty((3, sentences_rows.size), dtype=np.intp)
        fresh = release_days(
            sentences_rows,
            service.today,
            service.levers.integer("release.window_days"),
            service.calendar.after_working_days(service.today, 1),
            *service.calendar.previous_working_days(),
            sentences.custody_end,
            sentences.prepared,
            days,
        )
        service.agendas["release"].put(sentences_rows, days[0])
        service.agendas["resettlement"].put(days[1, :fresh], days[2, :fresh])

    # --- Home detention curfew --------------------------------------------------------------------------------

    def start_papers(self, made: Rows, first: bool = False) -> None:
        """Put people forward for curfew: by length, not excluded, taken up, willing; papers begin before the date."""
        service, sentences, people = self.service, self.service.sentences, self.service.people
        if made.size == 0:
            return
        made = np.asarray(made, dtype=np.intp)
        levers, chance, take_up = service.levers, service.chance, self.take_up
        if take_up is None:
            area = people.area[sentences.person[made]]
            take_up = service.resolved.lookup("custody.hdc.take_up", sentences.imposed[made], service.today, area)
        found = np.empty((3, made.size), dtype=np.intp)
        chosen, opted = put_forward(
            made,
            found,
            service.today,
            self.least_days_on_curfew,
            levers.integer("custody.hdc.papers_lead_days"),
            first,
            take_up,
            self.not_begun_share,
            self.opt_out_share,
            *self.papers_days,
            self.paper_seconds,
            chance.constant("curfew taken up"),
            chance.constant("curfew opted out"),
            chance.constant("curfew papers"),
            self.counted_papers,
            service.flows,
            people.cell,
            people.key,
            people.never_curfew,
            people.latest,
            sentences.person,
            sentences.previous,
            sentences.number,
            sentences.status,
            sentences.custody_end,
            sentences.curfew_from,
            sentences.curfew_stage,
        )
        service.tell("curfew opted out of", found[2, :opted])
        service.agendas["curfew papers"].put(found[0, :chosen], found[1, :chosen])

    def stop_papers(self, begun: Rows) -> None:
        """Stop what is under way towards curfew of people on whom a further term begins."""
        service, sentences = self.service, self.service.sentences
        found = np.empty((2, begun.size), dtype=np.intp)
        size = stop_papers(
            begun, found, sentences.person, sentences.previous, sentences.status, sentences.curfew_stage
        )
        if size:
            service.cancel(found[0, :size], "curfew papers", "curfew release")
            service.tell("curfew refused: another sentence", found[1, :size])

    def papers(self) -> Generator[simpy.Event, Any, None]:
        """Move the curfew papers on: ask for the address check, read its answer, refuse or approve."""
        service = self.service
        while True:
            yield service.clock.phase("consequences")
            due = service.agendas["curfew papers"].due(service.today)
            answered = service.channels["done address_check"].drain()
            if due.size or answered.size:
                self.move_papers_on(due, answered)

    def move_papers_on(self, due: Rows, answered: Rows) -> None:
        """Ask the responsible officer for an address check; read the answers of those done."""
        service, people, sentences = self.service, self.service.people, self.service.sentences
        today = service.today
        found = np.empty((9, due.size + answered.size), dtype=np.intp)
        waiting = (sentences.status[answered] == Status.CUSTODY) & (sentences.curfew_stage[answered] == ENQUIRY)
        checked = np.sort(sentences.person[answered[waiting]])
        sizes = move_papers_on(
            due,
            answered,
            found,
            today,
            self.least_days_on_curfew,
            *self.addresses,
            *service.calendar.next_working_days(),
            service.chance.constant("curfew address suitable"),
            service.chance.constant("curfew second address"),
            self.counted_papers,
            service.flows,
            people.cell,
            people.key,
            people.area,
            sentences.person,
            sentences.number,
            sentences.status,
            sentences.custody_end,
            sentences.curfew_from,
            sentences.curfew_stage,
            sentences.enquiries,
        )
        asked, asked_people, late, retry, refused, too_late, approved_people, approved, first_day = lists_of(
            found, sizes
        )
        service.tell("curfew address checked", checked)
        service.tell("curfew refused: no time left", late)
        if asked.size:
            service.add_task(
                Task.ADDRESS_CHECK,
                asked_people,
                service.calendar.after_working_days(today, self.address_days),
                int(self.workload.task_seconds[Task.ADDRESS_CHECK]),
                asked,
            )
        service.agendas["curfew papers"].put(retry, today + self.second_address_days)
        service.tell("curfew refused: no address", refused)
        service.tell("curfew refused: no time left", too_late)
        service.tell("curfew approved", approved_people)
        service.agendas["curfew release"].put(approved, first_day)

    # --- Release ----------------------------------------------------------------------------------------------

    def releases(self) -> Generator[simpy.Event, Any, None]:
        """Each day: releases on curfew, then conditional releases and the ends of curfews."""
        service = self.service
        while True:
            yield service.clock.phase("releases")
            today = service.today
            if service.calendar.begins_month(today):
                self.life.follow_series()
            tagged, due = service.agendas["curfew release"].due(today), service.agendas["release"].due(today)
            moved = self.let_go(tagged, due) if tagged.size + due.size else due
            committed = service.agendas["committal"].due(today)
            if committed.size:
                service.people.committed_until[committed] = NEVER
                service.tell("committal ends", committed)
                moved = np.concatenate([moved, committed]) if moved.size else committed
            service.refresh(moved)

    def let_go(self, tagged: Rows, due: Rows) -> Rows:
        """Release people on curfew, and on their conditional release date; return everybody concerned."""
        service, people, sentences = self.service, self.service.people, self.service.sentences
        today, agendas = service.today, service.agendas
        home, homeless_share, settled_share = self.homes
        found = np.empty((18, tagged.size + due.size), dtype=np.intp)
        sizes, on_curfew, settled_on_curfew = let_go(
            tagged,
            due,
            found,
            today,
            self.least_days_on_curfew,
            self.breach_rate,
            logarithms(),
            *service.calendar.next_working_days(),
            home,
            homeless_share,
            settled_share,
            service.chance.constant("curfew breach"),
            self.counted,
            service.flows,
            people.cell,
            people.key,
            people.side,
            people.deportation,
            people.released_on,
            people.seen_since_release,
            people.latest,
            sentences.person,
            sentences.previous,
            sentences.number,
            sentences.status,
            sentences.length,
            sentences.custody_end,
            sentences.expiry,
            sentences.supervision_end,
            sentences.curfew_from,
            sentences.curfew_stage,
            sentences.home_found,
            sentences.released,
        )
        (
            later,
            again,
            refused,
            leaving_prison,
            freed,
            curfew_ends,
            bands,
            breaking,
            broken,
            nowhere,
            settled,
            untagged,
            untagged_people,
            going_on,
            ends,
            staying,
            leaving,
            moved,
        ) = lists_of(found, sizes)
        if leaving_prison.size:
            for listener in self.on_released:
                listener(leaving_prison, nowhere, settled)
        agendas["curfew release"].put(later, again)
        service.tell("curfew refused: no time left", refused)
        # Those released on curfew come first.
        out = leaving_prison[on_curfew:]
        if on_curfew:
            # HMPPS decides on broken conditions, on monitoring reports.
            agendas["release"].put(leaving_prison[:on_curfew], curfew_ends)
            service.add_to_bands("hdc_by_days", bands)
            service.tell("released to a settled home", settled[:settled_on_curfew])
            service.tell("released on curfew", freed)
            agendas["curfew breach"].put(breaking, broken)
        if out.size:
            service.cancel(out, "resettlement", "curfew papers", "curfew release")
            service.tell("released to nowhere", nowhere)
            service.tell("released to a settled home", settled[settled_on_curfew:])
            service.tell("released", staying)
        agendas["legal end"].put(going_on, ends)
        cohorts.released(service, leaving_prison)
        if leaving.size:
            service.tell("removed from the country", leaving)
            self.departures.leave(leaving, Location.REMOVED)
        if untagged.size:
            agendas["curfew breach"].cancel(untagged)
            service.tell("curfew ends", untagged_people)
        return moved

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
            due = self.let_end(due)
            found = np.empty((8, due.size), dtype=np.intp)
            sizes = run_out(
                due,
                found,
                today,
                self.counted,
                service.flows,
                service.people.cell,
                sentences.person,
                sentences.status,
                sentences.expiry,
                sentences.supervision_end,
                sentences.returned,
                sentences.breach_pending,
            )
            orders, supervised, licensed, licences, going_on, ends, undecided, unheard = lists_of(found, sizes)
            if orders.size:
                service.tell("order completed", orders)
                for listener in self.on_completed:
                    listener(orders)
            service.tell("order over, breach not heard", undecided)
            service.tell("post-sentence supervision ends", supervised)
            service.tell("supervision over, breach not heard", unheard)
            service.tell("licence ends", licensed)
            service.agendas["legal end"].put(going_on, ends)
            service.agendas["recall step"].cancel(licences)
            service.refresh(sentences.person[due])

    def let_end(self, due: Rows) -> Rows:
        """Return what ends today of what would run out: not what is held open, which is looked at again later."""
        for held_open in self.held_open:
            due = held_open(due)
        return due


__all__ = ["Custody", "Location", "RecallKind"]
