"""Custody: how long, until when, and home detention curfew; and the ends of every sentence."""

from __future__ import annotations

import datetime
import math
from typing import TYPE_CHECKING

from simulation.engine.calendar import MONTH_DAYS, YEAR_DAYS
from twin import allocation, places
from twin.people import AT_LARGE, CURFEW, CUSTODY, ENDED, LICENCE, ORDER, RECALLED, SUPERVISION, Person, Sentence
from twin.world import Process, World, at_percentile, cut

if TYPE_CHECKING:
    from twin.office import Area

BANDS = (
    "under_6_months", "6_to_under_12_months", "12_months_to_under_4_years", "4_to_10_years", "over_10_years",
)  # fmt: skip
SHORT = 365


# How long


def length_of(world: World, key: int, occurrence: int, day: int) -> int:
    """Return the length in days that custody would have: a band by the year, and a draw within it."""
    band = band_drawn(world, key, occurrence, day)
    within = world.table(f"custody.length_days_{band}")
    return int(at_percentile(within, world.draw(key, "custody: length within band", occurrence)))


def band_drawn(world: World, key: int, occurrence: int, day: int) -> str:
    """Return the band of length that custody on a day would have."""
    shares = {
        band: world.value("custody.length_share", band) * world.series(f"custody.length_index.{band}", day)
        for band in BANDS
    }
    return cut(shares, world.draw(key, "custody: length band", occurrence))


def band_of_length(length: int) -> str:
    """Return the name of the band in which a length lies."""
    for band, below in zip(BANDS, (183, 365, 1461, 3653), strict=False):
        if length < below:
            return band
    return BANDS[-1]


def group_of_length(length: int) -> str:
    """Return the group of a custodial sentence."""
    if length < SHORT:
        return "under_12_months"
    return "12_months_to_under_4_years" if length < 1461 else "4_years_and_over"


def group_of(sentence: Sentence) -> str:
    """Return the group of any sentence."""
    if sentence.is_order:
        return "order"
    return "indeterminate" if sentence.kind == "indeterminate" else group_of_length(sentence.length)


def dates(world: World, sentence: Sentence) -> None:
    """Work out when custody, licence and post-sentence supervision end (model.md, Custody)."""
    on, length, remand = sentence.imposed, sentence.length, sentence.remand
    fraction = world.for_sentence_of(
        "custody.extended_release_fraction" if sentence.extended else "custody.release_fraction", on
    )
    served = math.ceil(length * fraction)
    # The day of sentence is the first day served.
    sentence.custody_end = max(on, on + served - remand - 1)
    sentence.expiry = max(sentence.custody_end, on + length - remand)
    sentence.supervision_end = sentence.expiry
    law = datetime.date.fromisoformat(world.value("supervision.pss.offence_from"))
    covered = sentence.offence >= world.calendar.day(law)
    licence_after_short = bool(world.for_sentence_of("supervision.short_sentence_licence", on))
    if length < SHORT and not (covered and licence_after_short):
        sentence.expiry = sentence.supervision_end = sentence.custody_end
        return
    below = world.for_sentence_of("supervision.pss.sentence_upper_limit_months", on) * MONTH_DAYS
    enabled = bool(world.for_sentence_of("supervision.pss.enabled", on))
    if enabled and covered and 1 < length < below and not sentence.extended:
        months = world.for_sentence_of("supervision.pss.total_months_after_release", on)
        sentence.supervision_end = max(sentence.expiry, sentence.custody_end + int(months * MONTH_DAYS))


# Reception


def sentence(area: Area, person: Person, length: int, occurrence: int) -> None:
    """Send somebody to prison from the dock."""
    world, number = area.world, len(person.sentences) + 1
    remand = 0
    if person.draw("custody: remanded", occurrence) < world.value("custody.remand_share"):
        remand = int(at_percentile(world.table("custody.remand_days"), person.draw("custody: remand days", occurrence)))
        remand = min(remand, most_days_on_remand(person))
    extended = False
    if length >= world.value("custody.extended_from_years") * YEAR_DAYS:
        extended = person.draw("custody: extended", occurrence) < world.value("custody.extended_share")
    before = int(at_percentile(world.table("courts.offence_to_sentence_days"), person.draw("offence", number)))
    receive(area, person, length, remand, extended, world.today - max(before, remand))


def most_days_on_remand(person: Person) -> int:
    """Nobody was on remand who was held or wanted already, or before the offence; nor does a day served count twice."""
    if person.is_inside or person.location == "at_large":
        return 0
    days = [each.released for each in person.sentences] + [person.released_on, person.reoffended_on]
    return min((person.world.today - day for day in days if day is not None), default=10**9)


def receive(area: Area, person: Person, length: int, remand: int, extended: bool, offence: int) -> None:
    """Write down a term of custody, and what comes of it today."""
    world, number = area.world, len(person.sentences) + 1
    allocation.assess(person, number)
    orders = [each for each in person.sentences if each.status == ORDER]
    revoked = world.value("enforcement.order_revoked_on_custody_share")
    if orders and person.draw("order revoked on custody", number) < revoked:
        world.tell(person, "order revoked")
        end(area, person, orders[-1])
    term = Sentence(number, "determinate", CUSTODY, world.today, offence, length, remand, extended=extended)
    dates(world, term)
    inside = (CUSTODY, RECALLED, AT_LARGE)
    term.held_otherwise = any(each.status in inside for each in person.sentences)
    person.sentences.append(term)
    world.tell(person, "sentenced to custody", length)
    assert term.custody_end is not None
    allocation.ask_after_sentence(area, person)
    places.settle(area, person)
    if release_day(world, term) <= world.today:
        release(area, person, term)
    else:
        person.plan("release", release_day(world, term), lambda: release(area, person, term), term)
        stop_papers(area, person, term)
        put_forward(area, person, term)


def release_day(world: World, term: Sentence) -> int:
    """Return the working day at or before the conditional release date."""
    assert term.custody_end is not None
    return world.working_day_before(term.custody_end)


# Home detention curfew


def first_day_of_curfew(world: World, term: Sentence) -> int | None:
    """Return the first day on which curfew is possible, None if not on length."""
    on = term.imposed

    def law(name: str) -> float:
        return world.for_sentence_of(f"custody.hdc.{name}", on)

    fraction = world.for_sentence_of("custody.release_fraction", on)
    if term.extended:
        fraction = world.for_sentence_of("custody.extended_release_fraction", on)
    served = math.ceil(term.length * fraction)
    if not (
        term.length >= law("min_sentence_weeks") * 7
        and term.length < law("max_sentence_years") * YEAR_DAYS
        and served >= law("min_custodial_period_days")
    ):
        return None
    if served < 2 * law("max_days"):
        days = max(law("min_days_served"), math.ceil(served * law("min_share_of_custodial_period_served")))
    else:
        days = served - law("max_days")
    return max(on, int(on - term.remand + days))


def days_possible(term: Sentence, soonest: int) -> int:
    """Return how many days on curfew are possible, the release date one of them."""
    assert term.curfew_from is not None and term.custody_end is not None
    return term.custody_end + 1 - max(term.curfew_from, soonest)


def put_forward(area: Area, person: Person, term: Sentence) -> None:
    """Put somebody forward for curfew, at reception or when the rules change, if the law and the draw allow."""
    world = area.world
    term.curfew_from = first_day_of_curfew(world, term)
    if term.curfew_from is None or person.never_curfew or person.deportation or term.held_otherwise:
        return
    assert term.custody_end is not None
    least = world.for_sentence_of("custody.hdc.min_days_on_curfew", term.imposed)
    if days_possible(term, world.today + 1) < least:
        return
    take_up = world.for_sentence_of("custody.hdc.take_up", term.imposed)
    if person.draw("curfew taken up", term.number) >= take_up:
        return
    opted_out = world.for_sentence_of("custody.hdc.opt_out_share", term.imposed)
    if person.draw("curfew opted out", term.number) < opted_out:
        term.curfew_stage = "refused"
        world.tell(person, "curfew opted out of")
        return
    term.curfew_stage = "papers"
    begins = max(world.today + 1, term.curfew_from - int(world.value("custody.hdc.papers_lead_days")))
    lasts = int(at_percentile(world.table("custody.hdc.papers_days"), person.draw("curfew papers", term.number)))
    person.plan("curfew papers", begins + lasts, lambda: send_enquiry(area, person, term), term)


def stop_papers(area: Area, person: Person, further: Sentence) -> None:
    """A further term begins: nothing comes of the curfew of one before."""
    for term in person.sentences:
        if term is not further and term.status == CUSTODY and term.curfew_stage in ("papers", "enquiry", "approved"):
            refuse(area.world, person, term, "curfew refused: another sentence")
            term.ahead.pop("curfew papers", None)
            term.ahead.pop("curfew release", None)
            area.diaries.drop(person, term)


def policy(area: Area) -> Process:
    """On a day on which rules of curfew move for everybody: put those forward who weren't before."""
    world = area.world
    for day in world.resolved.change_days():
        if not any(name.startswith("custody.hdc.") for name in world.resolved.replan(day)):
            continue
        yield world.until(day, "policy")
        for person in list(world.people.values()):
            for term in person.sentences:
                if term.kind == "determinate" and term.status == CUSTODY and term.curfew_stage == "none":
                    put_forward(area, person, term)


def send_enquiry(area: Area, person: Person, term: Sentence) -> None:
    """Papers are done, or another address is offered: ask the responsible officer to check the address."""
    world = area.world
    if term.status != CUSTODY:
        return
    if not enough_time_left(world, term):
        refuse(world, person, term, "curfew refused: no time left")
        return
    term.curfew_stage = "enquiry"
    term.enquiries += 1
    due = world.working_days_later(world.today, int(world.value("custody.hdc.address_check_working_days")))
    area.diaries.add(person, "address_check", due, sentence=term)


def enough_time_left(world: World, term: Sentence) -> bool:
    """Tell whether the shortest curfew is still possible."""
    assert term.custody_end is not None and term.curfew_from is not None
    least = world.for_sentence_of("custody.hdc.min_days_on_curfew", term.imposed)
    return days_possible(term, world.today + 1) >= least


def refuse(world: World, person: Person, term: Sentence, why: str) -> None:
    """End the papers without curfew."""
    term.curfew_stage = "refused"
    world.tell(person, why)


def address_checked(area: Area, person: Person, term: Sentence) -> None:
    """Read the officer's answer."""
    world = area.world
    if term.status != CUSTODY or term.curfew_stage != "enquiry":
        return
    world.tell(person, "curfew address checked")
    occurrence = term.number * 4096 + term.enquiries
    if person.draw("curfew address suitable", occurrence) < world.value("custody.hdc.address_suitable_share"):
        approve(area, person, term)
    elif term.enquiries < world.value("custody.hdc.most_enquiries") and person.draw(
        "curfew second address", occurrence
    ) < world.value("custody.hdc.second_address_share"):
        again = world.today + int(world.value("custody.hdc.second_address_days"))
        person.plan("curfew papers", again, lambda: send_enquiry(area, person, term), term)
    else:
        refuse(world, person, term, "curfew refused: no address")


def approve(area: Area, person: Person, term: Sentence) -> None:
    """Set the day of release on curfew."""
    world = area.world
    assert term.curfew_from is not None and term.custody_end is not None
    out = world.working_day_after(max(term.curfew_from, world.today + 1))
    if days_possible(term, out) < world.for_sentence_of("custody.hdc.min_days_on_curfew", term.imposed):
        refuse(world, person, term, "curfew refused: no time left")
        return
    term.curfew_stage = "approved"
    world.tell(person, "curfew approved")
    person.plan("curfew release", out, lambda: release_on_curfew(area, person, term), term)


def release_on_curfew(area: Area, person: Person, term: Sentence) -> None:
    """Let somebody out on curfew, if nothing else holds the person."""
    world = area.world
    others = any(each is not term and each.status in (CUSTODY, RECALLED, AT_LARGE) for each in person.sentences)
    if term.status != CUSTODY or others or person.committed_until is not None:
        term.curfew_stage = "refused"
        return
    term.status = CURFEW
    term.released = world.today
    assert term.custody_end is not None
    rate = world.value("custody.hdc.curfew_recall_share") / world.value("custody.hdc.mean_days")
    broken = world.today + 1 + int(world.exponential(person.key, "curfew breach", term.number) / rate)
    world.tell(person, "released on curfew")
    if broken < term.custody_end:
        from twin import recall

        person.plan("curfew breach", broken, lambda: recall.curfew_broken(area, person, term), term)
    person.plan("release", term.custody_end, lambda: end_of_curfew(area, person, term), term)
    places.settle(area, person)


def end_of_curfew(area: Area, person: Person, term: Sentence) -> None:
    """Curfew ends on the conditional release date: licence goes on."""
    if term.status != CURFEW:
        return
    area.world.tell(person, "curfew ends")
    term.ahead.pop("curfew breach", None)
    after_custody(area, person, term)
    places.settle(area, person)


# Release and the ends of sentences


def release(area: Area, person: Person, term: Sentence) -> None:
    """Conditional release."""
    world = area.world
    if term.status != CUSTODY:
        return
    for what in ("curfew papers", "curfew release", "curfew breach", "release"):
        term.ahead.pop(what, None)
    # An address need not be checked any more.
    area.diaries.drop(person, term)
    term.released = world.today
    still_held = any(each is not term and each.status in (CUSTODY, RECALLED) for each in person.sentences)
    if person.deportation and not still_held:
        remove(area, person)
        return
    after_custody(area, person, term)
    world.tell(person, "released")
    places.settle(area, person)


def remove(area: Area, person: Person) -> None:
    """The person is removed from the country: every sentence ends."""
    area.world.tell(person, "removed from the country")
    places.leave_the_model(area, person, "removed")


def after_custody(area: Area, person: Person, term: Sentence) -> None:
    """Say what follows custody or recall; no licence where the law gives none, though release be before a weekend."""
    today = area.world.today
    assert term.custody_end is not None
    has_licence = term.expiry > term.custody_end
    if has_licence and term.expiry > today:
        term.status = LICENCE
        plan_end(area, person, term)
    elif term.supervision_end > (today if has_licence else max(term.custody_end, today)):
        term.status = SUPERVISION
        plan_end(area, person, term)
    else:
        end(area, person, term)


def plan_end(area: Area, person: Person, sentence: Sentence) -> None:
    """Book the day on which the sentence changes or ends by itself."""
    day = sentence.supervision_end if sentence.status == SUPERVISION else sentence.expiry
    person.plan("legal end", day, lambda: legal_end(area, person, sentence), sentence)


def legal_end(area: Area, person: Person, sentence: Sentence) -> None:
    """A sentence runs out, or licence gives way to post-sentence supervision."""
    world = area.world
    warrant = sentence.ahead.get("hearing") if sentence.warrant_since is not None else None
    if sentence.status == ORDER:
        world.tell(person, "order over, breach not heard" if sentence.breach_pending else "order completed")
        end(area, person, sentence)
    elif sentence.status in (LICENCE, CURFEW, RECALLED):
        world.tell(person, "licence ends")
        sentence.ahead.pop("recall step", None)
        sentence.recall_pending = False
        area.diaries.drop(person, sentence)
        if sentence.supervision_end > world.today:
            sentence.status = SUPERVISION
            plan_end(area, person, sentence)
        else:
            end(area, person, sentence)
    elif sentence.status == SUPERVISION:
        unheard = sentence.breach_pending
        world.tell(person, "supervision over, breach not heard" if unheard else "post-sentence supervision ends")
        end(area, person, sentence)
    if warrant is not None:
        # A warrant stays out until it is executed, though nothing is left to be heard.
        sentence.ahead["hearing"] = warrant
    places.settle(area, person)


def end(area: Area, person: Person, sentence: Sentence) -> None:
    """Close a sentence, with everything that was ahead of it."""
    sentence.status = ENDED
    sentence.ahead.clear()
    sentence.breach_pending = sentence.recall_pending = False
    area.diaries.drop(person, sentence)
