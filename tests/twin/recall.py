"""Recall: asked for, revoked, arrested, and released again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin import custody, places
from twin.people import AT_LARGE, CURFEW, HIGH, LICENCE, RECALLED, Person, Sentence
from twin.world import NPS, Process, at_percentile

if TYPE_CHECKING:
    from twin.office import Area

REASONS = {"absence": "absence", "risk": "risk", "charge": "further charge"}


def is_possible(sentence: Sentence) -> bool:
    """Tell whether recall can be asked for: a determinate licence or curfew, one at a time."""
    return sentence.kind == "determinate" and sentence.status in (LICENCE, CURFEW) and not sentence.recall_pending


def ask(area: Area, person: Person, sentence: Sentence, reason: str) -> None:
    """Ask for recall: the officer's report is due within some working days."""
    world = area.world
    sentence.recall_pending, sentence.recall_reason = True, reason
    world.tell(person, f"recall decided: {REASONS[reason]}")
    due = world.working_days_later(world.today, int(world.value("recall.report_working_days")))
    area.diaries.add(person, "recall_report", due, sentence=sentence)


def curfew_broken(area: Area, person: Person, sentence: Sentence) -> None:
    """The curfew condition is broken: no report is needed."""
    if sentence.status != CURFEW:
        return
    area.world.tell(person, "curfew broken")
    sentence.recall_pending, sentence.recall_reason = True, "curfew"
    plan_revocation(area, person, sentence)


def plan_revocation(area: Area, person: Person, sentence: Sentence) -> None:
    """Revocation follows some days after it was decided."""
    day = area.world.today + int(area.world.value("recall.days_decision_to_revocation"))
    person.plan("recall step", day, lambda: revoke(area, person, sentence), sentence)


def revoke(area: Area, person: Person, sentence: Sentence) -> None:
    """The licence is revoked: the person is at large until arrested."""
    world = area.world
    if sentence.status not in (LICENCE, CURFEW):
        return
    occurrence = sentence.number * 4096 + sentence.recalls
    on_curfew = sentence.status == CURFEW
    allowed = person.rosh < HIGH and person.assessed_rosh < HIGH and not sentence.extended and not on_curfew
    # By section 255 of the Criminal Justice Act 2003 a curfew recall needs a curfew condition that is still in force:
    # who broke it on its last day, and is revoked when it is over, is recalled as from licence.
    if on_curfew and sentence.recall_reason == "curfew":
        sentence.recall_kind = "curfew"
    elif allowed and person.draw("fixed-term recall", occurrence) < world.value("recall.fixed_term_share_of_allowed"):
        sentence.recall_kind = "fixed_term"
    else:
        sentence.recall_kind = "standard"
    number = {"curfew": -1, "fixed_term": fixed_days(area, sentence), "standard": 0}[sentence.recall_kind]
    world.tell(person, "licence revoked", number)
    for what in ("curfew breach", "release", "legal end"):
        sentence.ahead.pop(what, None)
    days = int(at_percentile(world.table("recall.days_to_return"), person.draw("days at large", occurrence)))
    inside = person.is_inside
    sentence.recall_pending = False
    sentence.recalls += 1
    sentence.status, sentence.returned = AT_LARGE, world.today
    if inside or days == 0:
        give_back(area, person, sentence)
        return
    arrest(area, person, sentence, world.today + days)
    places.settle(area, person)


def fixed_days(area: Area, sentence: Sentence) -> int:
    """Return the days of a fixed-term recall: fewer for a short sentence."""
    which = "under_12m" if sentence.length < custody.SHORT else "12m_plus"
    return int(area.world.value(f"recall.fixed_term_days_{which}"))


def arrest(area: Area, person: Person, sentence: Sentence, day: int) -> None:
    """Set the day on which somebody at large is arrested."""
    person.plan("recall step", day, lambda: give_back(area, person, sentence), sentence)


def give_back(area: Area, person: Person, sentence: Sentence) -> None:
    """The person is back in prison: the clock of the recall starts."""
    world = area.world
    if sentence.status != AT_LARGE:
        return
    world.tell(person, "returned to prison")
    # Days at large don't count as served.
    assert sentence.returned is not None and sentence.custody_end is not None
    if sentence.custody_end > sentence.returned:
        sentence.custody_end += world.today - sentence.returned
    sentence.expiry += world.today - sentence.returned
    sentence.supervision_end = max(sentence.supervision_end, sentence.expiry)
    sentence.status, sentence.returned = RECALLED, world.today
    sentence.parole, sentence.reviews = "none", 0
    assert sentence.custody_end is not None
    if sentence.recall_kind == "standard":
        occurrence = sentence.number * 4096 + sentence.recalls
        draw = person.draw("parole review days", occurrence)
        days = int(at_percentile(world.table("recall.parole_review_days"), draw))
        needs_report = person.side == NPS and person.officer is not None and person.officer.grade == "po"
        sentence.parole = "awaited" if needs_report else "listed"
        if needs_report:
            due = world.working_days_later(world.today, int(world.value("recall.parole_report_working_days")))
            area.diaries.add(person, "parole_report", due, sentence=sentence)
    elif sentence.recall_kind == "fixed_term":
        # Today is the first day of it.
        days = fixed_days(area, sentence) - 1
    else:
        days = sentence.custody_end - world.today
    custody.plan_end(area, person, sentence)
    plan_release(area, person, sentence, world.today + days)
    places.settle(area, person)


def last_day(sentence: Sentence) -> int:
    """Return the last day of a sentence; without a licence that is the release date."""
    assert sentence.custody_end is not None
    return max(sentence.expiry - 1, sentence.custody_end)


def plan_release(area: Area, person: Person, sentence: Sentence, day: int) -> None:
    """Book the release, or the review: not before the conditional release date, not after the end of the sentence."""
    world = area.world
    assert sentence.custody_end is not None
    day = max(day, sentence.custody_end)
    if sentence.recall_kind == "standard":
        # The Parole Board sits on working days.
        day = max(world.working_day_before(day), world.working_days_later(world.today, 1))
    day = max(world.working_day_before(min(day, last_day(sentence))), world.today + 1)
    person.plan("recall step", day, lambda: review_or_release(area, person, sentence), sentence)


def review_or_release(area: Area, person: Person, sentence: Sentence) -> None:
    """The clock has run out, or the Parole Board meets."""
    world = area.world
    if sentence.status != RECALLED:
        return
    held_on = world.today < world.working_day_before(last_day(sentence))
    if sentence.recall_kind == "standard" and sentence.parole != "none" and held_on:
        if sentence.parole == "awaited":
            later = world.today + int(world.value("recall.parole_deferral_days"))
            plan_release(area, person, sentence, later)
            return
        sentence.reviews += 1
        occurrence = sentence.number * 4096 + sentence.recalls * 32 + sentence.reviews
        if person.draw("parole decision", occurrence) >= world.value("recall.parole_release_share"):
            world.tell(person, "parole refused")
            later = world.today + int(world.value("recall.parole_next_review_days"))
            plan_release(area, person, sentence, later)
            return
    world.tell(person, "released after recall")
    area.diaries.drop_parole_reports(person, sentence)
    custody.after_custody(area, person, sentence)
    places.settle(area, person)


class Recalls:
    """Those who read reports of the day in the evening.

    Parameters
    ----------
    area : Area
    """

    def __init__(self, area: Area) -> None:
        self.area, self.world = area, area.world

    def evenings(self) -> Process:
        """Each evening: recall reports that were written lead to revocation; parole reports are noted."""
        while True:
            yield from self.world.every_day("recall evening")
            done = self.area.done
            reports, done["recall_report"] = done["recall_report"], []
            for task in reports:
                if task.sentence.recall_pending:
                    self.world.tell(task.person, "recall report written")
                    plan_revocation(self.area, task.person, task.sentence)
            parole, done["parole_report"] = done["parole_report"], []
            for task in parole:
                if task.sentence.parole == "awaited":
                    self.world.tell(task.person, "parole report written")
                    task.sentence.parole = "listed"

    def papers(self) -> Process:
        """Each evening: address checks that were made are read by the prison."""
        while True:
            yield from self.world.every_day("papers")
            checks, self.area.done["address_check"] = self.area.done["address_check"], []
            for task in checks:
                custody.address_checked(self.area, task.person, task.sentence)
