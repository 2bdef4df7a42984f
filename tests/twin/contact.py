"""Contact: when people are seen, how, whether they come, and what is noticed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from twin import allocation
from twin.people import HIGH, Person

if TYPE_CHECKING:
    from twin.office import Area
    from twin.officers import Officer

#: Tiers that may be held on the telephone.
TELEPHONE_TIERS = ("C2", "D1", "D2")
#: What is told of an appointment kept, by mode.
KEPT = {"face_to_face": "seen", "telephone": "called", "home_visit": "seen at home"}


def pattern_of(person: Person) -> str:
    """Return the pattern of contact of the provider."""
    return str(person.world.value("organisation.pattern_of_model", allocation.operating_model(person)))


# When


def stage_of(person: Person, day: int) -> str:
    """Return how far the spell has come: early, middle or later."""
    assert person.stage_start is not None
    weeks = (day - person.stage_start) / 7
    if weeks < person.world.value("contact.early_weeks"):
        return "early"
    return "middle" if weeks < person.world.value("contact.middle_until_week") else "later"


def interval(person: Person, by_telephone: bool) -> int:
    """Return the days to the next routine contact."""
    world = person.world
    model = allocation.operating_model(person)
    if by_telephone:
        days = world.value("contact.phone_interval_weeks", model) * 7
    else:
        stage = stage_of(person, world.today)
        days = world.value("contact.interval_days", pattern_of(person), f"{stage}_{person.tier}")
    if person.change_is_noticed:
        days = min(days, world.value("contact.crisis_interval_days"))
    return int(days)


def book(person: Person, days: int) -> None:
    """Book the next contact so many days from now, on the nearest working day, tomorrow at the earliest."""
    world = person.world
    draw = person.draw("side of weekend", person.contact_number())
    day = world.nearest_working_day(world.today + days, draw)
    person.contact_due = person.ahead["contact"] = max(day, world.working_day_after(world.today + 1))


def begin_in_custody(area: Area, person: Person) -> None:
    """Book the first contact in custody, spread over an interval."""
    if person.officer is None:
        return
    world = area.world
    days = 1 + int(person.draw("custody contact", person.latest.number) * world.value("contact.custody_interval_days"))
    person.ahead["contact"] = world.working_day_after(world.today + days)


# How


def telephone_draw(person: Person) -> float:
    """Return the draw of a spell that puts people on the telephone or not."""
    return float(np.float32(person.draw("telephone supervision", len(person.sentences))))


def is_on_telephone(person: Person) -> bool:
    """Tell whether the next routine contact is a call."""
    world = person.world
    model = allocation.operating_model(person)
    share = world.value("contact.phone_only_share", model) * world.value("contact.phone_only_multiplier")
    return (
        person.telephone_draw < share / world.value("contact.phone_eligible_share")
        and person.assessed_rosh < HIGH
        and person.tier in TELEPHONE_TIERS
        and stage_of(person, world.today) != "early"
        and person.first_due_from is None
    )


def mode_of_visit(person: Person) -> str:
    """Say where a visit takes place."""
    model = allocation.operating_model(person)
    level = "high" if person.tier[0] in "AB" else "other"
    share = person.world.value("contact.home_visit_share", model, level)
    return "home_visit" if person.draw("way of contact", person.contact_number()) < share else "face_to_face"


# Coming


def chance_of_missing(person: Person, mode: str) -> float:
    """Return the chance that somebody doesn't come."""
    world = person.world
    chance = world.value("contact.missed_appointment_probability") * person.reliability
    if mode != "face_to_face":
        chance *= world.value("contact.missed_ratio", mode)
    if person.change_since is not None:
        chance *= world.value("contact.missed_crisis_ratio")
    weeks = world.value("effects.officer_change_duration_weeks")
    changed = person.officer_changed_on
    if changed is not None and world.today - changed < weeks * 7:
        chance = min(chance, world.value("contact.most_missed"))
        odds = chance / (1 - chance) * world.value("effects.officer_change_missed_odds_ratio")
        chance = odds / (1 + odds)
    return min(chance, world.value("contact.most_missed"))


def notices(person: Person, mode: str) -> bool:
    """Tell whether a change is noticed at this contact: one draw serves the whole change."""
    world = person.world
    chance = world.value("contact.notice_probability", mode)
    if mode == "telephone":
        model = allocation.operating_model(person)
        others = world.value("contact.also_seen_share", model)
        others *= world.value("contact.notice_probability", "other_staff")
        chance = 1 - (1 - chance) * (1 - others)
    person.unnoticed_so_far = float(np.float32(person.unnoticed_so_far * (1 - chance)))
    return person.unnoticed_so_far <= person.draw("noticing", person.changes_in_need)


def hold(area: Area, person: Person, officer: Officer, mode: str, is_first: bool = False) -> None:
    """Hold an appointment: the person comes or not, a change is noticed or not, and the next one is booked."""
    world = area.world
    if person.is_inside:
        world.tell(person, "seen in custody")
        person.contacts += 1
        book(person, int(world.value("contact.custody_interval_days")))
        return
    number = person.contact_number()
    # A colleague on duty takes first appointments alone, and there everybody is new.
    missed = person.draw("attendance", number) < chance_of_missing(person, mode)
    if missed:
        accepted = person.draw("absence accepted", number) < world.value("contact.absence_accepted_share")
        world.tell(person, "missed, accepted" if accepted else "missed, not accepted")
        if not accepted:
            area.enforcement.absences.append(person)
    else:
        came(area, person, mode, is_first)
    person.contacts += 1
    person.booked_as_call = is_on_telephone(person)
    if is_first and missed:
        again = world.working_days_later(world.today, int(world.value("contact.rebook_working_days")))
        area.diaries.add(person, "first_appointment", again)
        return
    if person.work_only:
        return
    days = interval(person, person.booked_as_call)
    if missed:
        days = min(days, int(world.value("contact.after_missed_days")))
    book(person, days)


def came(area: Area, person: Person, mode: str, is_first: bool) -> None:
    """Somebody came: a plan follows a first appointment, and a change may be noticed."""
    world = area.world
    if mode != "telephone":
        person.last_seen = world.today
    if is_first:
        world.tell(person, "seen for the first time")
        person.first_due_from, person.first_is_booked = None, False
        due = world.working_days_later(world.today, int(world.value("contact.plan_working_days")))
        area.diaries.add(person, "plan", due)
    else:
        world.tell(person, KEPT[mode])
    if person.change_since is not None and not person.change_is_noticed and notices(person, mode):
        person.change_is_noticed = True
        world.tell(person, "change in need noticed", world.today - person.change_since)
        area.enforcement.rises.append(person)

