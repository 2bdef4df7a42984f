"""Enforcement: warnings, breach, hearings and what the court makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulation.engine.calendar import MONTH_DAYS
from twin import custody, places, recall
from twin.people import CURFEW, LICENCE, ORDER, SUPERVISION, Person, Sentence
from twin.world import CRC, Process, at_percentile, cut

if TYPE_CHECKING:
    from twin.office import Area


class Enforcement:
    """Those who read, every evening, who failed to come, and list breaches for court.

    Parameters
    ----------
    area : Area
    """

    def __init__(self, area: Area) -> None:
        self.area, self.world = area, area.world
        self.absences: list[Person] = []
        self.rises: list[Person] = []
        self.listed: list[tuple[Person, Sentence]] = []
        # What the hearings of a day decide, carried out when all are over.
        self.heard: list[Person] = []
        self.committals: list[tuple[Person, Sentence]] = []
        self.sent_to_custody: list[tuple[Person, Sentence]] = []
        self.working_days = 0

    # Evenings

    def evenings(self) -> Process:
        """Each evening: failures of the day, rises in risk that were noticed, and packs that were finished."""
        while True:
            yield from self.world.every_day("enforcement evening")
            failures, self.absences = self.absences, []
            rises, self.rises = self.rises, []
            for person in dict.fromkeys(failures):
                # Somebody who missed two appointments of a day failed once.
                self.failure(person)
            for person in rises:
                self.rise(person)
            packs, self.area.done["breach_pack"] = self.area.done["breach_pack"], []
            for task in packs:
                if task.sentence is not None and task.sentence.breach_pending:
                    self.pack_sent(task.person, task.sentence)

    def failure(self, person: Person) -> None:
        """An absence that wasn't accepted: a warning, or recall, or breach."""
        world = self.world
        sentence = person.supervising_sentence()
        before, person.absent_on = person.absent_on, world.today
        if sentence is None:
            return
        if sentence.status in (LICENCE, CURFEW):
            chance = world.value("recall.per_unacceptable_absence")
            if before is not None and world.today - before <= world.value("recall.absence_window_months") * MONTH_DAYS:
                chance = world.value("recall.per_another_absence")
            if person.draw("recall for absence", person.contact_number()) < chance:
                # Nobody is warned for whom recall is asked for, today or already.
                if recall.is_possible(sentence):
                    recall.ask(self.area, person, sentence, "absence")
                return
            # A warning on licence is told, and doesn't count for what the court asks of orders.
            world.tell(person, "warned")
            return
        window = world.value("enforcement.failure_window_months") * MONTH_DAYS
        if person.warned_on is None or world.today - person.warned_on > window:
            self.warn(person)
        elif not sentence.breach_pending:
            side = "crc" if person.side == CRC else "nps"
            started = world.value(f"enforcement.probability_started_{side}")
            if person.draw("breach started", person.contact_number()) < started:
                self.begin_breach(person, sentence)
            else:
                world.tell(person, "no breach action")

    def warn(self, person: Person) -> None:
        """Warn somebody."""
        person.warned_on = self.world.today
        self.world.tell(person, "warned")

    def begin_breach(self, person: Person, sentence: Sentence) -> None:
        """The failure must be referred: a pack is due from the responsible officer."""
        world = self.world
        sentence.breach_pending, sentence.breach_known, sentence.pack_returns = True, world.today, 0
        world.tell(person, "breach to be referred")
        due = world.working_days_later(world.today, int(world.value("enforcement.breach_referral_working_days")))
        self.area.diaries.add(person, "breach_pack", due, sentence=sentence)

    def rise(self, person: Person) -> None:
        """A change was noticed: on licence it may bring recall."""
        sentence = person.supervising_sentence()
        if sentence is None or sentence.status not in (LICENCE, CURFEW) or not recall.is_possible(sentence):
            return
        if person.draw("recall for risk", person.changes_in_need) < self.world.value("recall.per_risk_rise_noticed"):
            recall.ask(self.area, person, sentence, "risk")

    def pack_sent(self, person: Person, sentence: Sentence) -> None:
        """A finished pack is taken by the enforcement officer, or comes back to be put right."""
        world = self.world
        occurrence = sentence.number * 4096 + sentence.breaches * 16 + sentence.pack_returns
        returned = (
            person.side == CRC
            and sentence.pack_returns < world.value("enforcement.most_pack_returns")
            and person.draw("breach pack returned", occurrence) < world.value("enforcement.pack_returned_share")
        )
        if returned:
            world.tell(person, "breach pack returned")
            sentence.pack_returns += 1
            back = world.working_days_later(world.today, int(world.value("enforcement.pack_return_working_days")))
            person.plan("pack returns", back, lambda: self.pack_back(person, sentence), sentence)
            return
        world.tell(person, "breach referred")
        draw = person.draw("breach listing", sentence.number * 4096 + sentence.breaches)
        days = int(at_percentile(world.table("enforcement.referral_to_hearing_working_days"), draw))
        self.list_for(person, sentence, world.working_days_later(world.today, max(1, days)))

    def pack_back(self, person: Person, sentence: Sentence) -> None:
        """The pack is with the responsible officer again."""
        world = self.world
        due = world.working_days_later(world.today, int(world.value("enforcement.pack_rework_working_days")))
        part = world.value("enforcement.pack_rework_share")
        self.area.diaries.add(person, "breach_pack", due, sentence=sentence, part=part)

    def list_for(self, person: Person, sentence: Sentence, day: int) -> None:
        """List a breach for a day."""
        person.plan("hearing", day, lambda: self.listed.append((person, sentence)), sentence)

    # The breach court

    def hearings(self) -> Process:
        """Each day: hear those arrested on warrants, then as many of the list as there is room for."""
        world = self.world
        while True:
            yield from world.every_day("hearings of the day")
            listed, self.listed = self.listed, []
            arrested = [each for each in listed if each[1].warrant_since is not None]
            others = [each for each in listed if each[1].warrant_since is None]
            for person, sentence in sorted(arrested, key=lambda each: each[0].key):
                self.arrested(person, sentence)
            if not world.is_working(world.today):
                self.carry_out()
                continue
            others.sort(key=lambda each: (each[1].breach_known, each[0].key))
            room = self.room_today()
            for person, sentence in others[room:]:
                self.list_for(person, sentence, world.working_days_later(world.today, 1))
            for person, sentence in others[:room]:
                self.called(person, sentence)
            self.carry_out()

    def carry_out(self) -> None:
        """Take people to prison once everything is heard: each once, for a term that was suspended if there is one."""
        committals, self.committals = self.committals, []
        heard, self.heard = self.heard, []
        for person in heard:
            # A case whose last order is revoked is closed before it begins anew in prison.
            places.settle(self.area, person)
        for person, sentence in committals:
            self.commit(person, sentence)
        sent, self.sent_to_custody = self.sent_to_custody, []
        gone = set()
        for person, sentence in sorted(sent, key=lambda each: each[1].kind != "suspended"):
            if person not in gone:
                gone.add(person)
                self.imprison(person, sentence)

    def room_today(self) -> int:
        """Return how many breaches can be heard today."""
        world = self.world
        a_day = world.share() * world.value("enforcement.hearings_a_year") / world.value("workload.working_days_a_year")
        number = self.working_days
        self.working_days += 1
        return int(a_day * (number + 1)) - int(a_day * number)

    def called(self, person: Person, sentence: Sentence) -> None:
        """The case is called: somebody at liberty may not have come."""
        world = self.world
        occurrence = sentence.number * 4096 + sentence.breaches
        stays_away = person.draw("comes to the breach hearing", occurrence) < world.value("enforcement.no_show_share")
        if person.is_in_community and stays_away:
            world.tell(person, "warrant issued")
            sentence.warrant_since = world.today
            person.is_wanted = True
            person.forget("contact")
            draw = person.draw("days to arrest on warrant", occurrence)
            days = int(at_percentile(world.table("enforcement.warrant_working_days"), draw))
            self.list_for(person, sentence, world.working_days_later(world.today, days))
            return
        self.hear(person, sentence)

    def arrested(self, person: Person, sentence: Sentence) -> None:
        """The warrant is executed: a breach of what still runs is heard at once, and appointments begin again."""
        world = self.world
        world.tell(person, "warrant executed")
        sentence.warrant_since = None
        person.is_wanted = False
        if sentence.is_live:
            self.hear(person, sentence)
        is_booked = "contact" in person.ahead or person.first_due_from is not None
        if person.is_in_community and not is_booked and not person.work_only:
            person.contact_due = person.ahead["contact"] = world.working_days_later(world.today, 1)

    def hear(self, person: Person, sentence: Sentence) -> None:
        """Hear a breach and carry out what the court decides."""
        world = self.world
        occurrence = sentence.number * 4096 + sentence.breaches
        self.heard.append(person)
        sentence.breaches += 1
        sentence.breach_pending = False
        person.warned_on = None
        if sentence.status == ORDER:
            world.tell(person, "breach heard")
            kind = "suspended" if sentence.kind == "suspended" else "order"
            table = world.table(f"enforcement.{kind}_breach_outcome")
            outcome = cut(table, person.draw("breach outcome", occurrence))
            if outcome != "continues":
                self.revoke(person, sentence, to_custody=outcome in ("revoked_custody", "activated"))
        elif sentence.status == SUPERVISION:
            world.tell(person, "supervision breach heard")
            outcome = cut(world.table("enforcement.pss_breach_outcome"), person.draw("breach outcome", occurrence))
            if outcome == "committal" and not person.is_inside:
                self.committals.append((person, sentence))

    def revoke(self, person: Person, sentence: Sentence, to_custody: bool) -> None:
        """The order ends; the person may go to prison instead."""
        self.world.tell(person, "order revoked")
        if to_custody and not person.is_inside:
            self.sent_to_custody.append((person, sentence))
        custody.end(self.area, person, sentence)

    def imprison(self, person: Person, sentence: Sentence) -> None:
        """Prison instead of the order, or the term that was suspended."""
        world = self.world
        terms = "revoked_custody_days"
        if sentence.kind == "suspended":
            world.tell(person, "suspended sentence activated")
            terms = "suspended_term_days"
        draw = person.draw("custody: length on revocation", len(person.sentences) + 1)
        length = int(at_percentile(world.table(f"enforcement.{terms}"), draw))
        custody.receive(self.area, person, length, 0, False, sentence.offence)

    def commit(self, person: Person, sentence: Sentence) -> None:
        """Commit somebody to prison for some days."""
        world = self.world
        most = int(world.value("enforcement.pss_breach_max_custody_days"))
        draw = person.draw("committal days", sentence.number * 4096 + sentence.breaches)
        days = 1 + int(draw * most)
        # Today is the first day; whoever would be out by tonight goes nowhere.
        until = max(world.working_day_before(world.today + days - 1), world.today)
        world.tell(person, "committed for breach of supervision", days if until > world.today else -days)
        if until == world.today:
            return
        person.committed_until = until
        person.plan("committal", until, lambda: self.committal_ends(person))
        places.settle(self.area, person)

    def committal_ends(self, person: Person) -> None:
        """The days are over."""
        person.committed_until = None
        self.world.tell(person, "committal ends")
        places.settle(self.area, person)
