"""How long contacts take: by the tariff where a case is worked to the NPS's pattern, else task by task."""

from __future__ import annotations

from simulation.engine.calendar import MONTH_DAYS
from twin import allocation
from twin.people import Person
from twin.world import World


def of_contact(person: Person, mode: str) -> int:
    """Return the seconds of a contact: ``custody``, ``face_to_face``, ``telephone`` or ``home_visit``."""
    world = person.world
    if mode == "custody":
        return seconds(world, in_custody(person))
    model = allocation.operating_model(person)
    pattern = str(world.value("organisation.pattern_of_model", model))
    double_entry = world.value("workload.double_entry_minutes", model)
    minutes = world.table("workload.minutes")
    where = "rural" if person.rural else "urban"
    if pattern == "e3":
        contact = by_the_tariff(person, mode)
        administration = administration_of_tariff(person, contact, model)
        travel = 0.0
    else:
        administration = minutes[f"administration_{pattern}"]
        travel = minutes[f"travel_{where}"]
        contact = minutes["face_to_face"] + minutes["recording"] + administration + travel + double_entry
    if mode == "face_to_face":
        if pattern == "e3":
            contact = minutes["face_to_face"] + minutes["recording"] + administration + double_entry
        return seconds(world, contact)
    if mode == "telephone":
        call = minutes["telephone"] + minutes["telephone_recording"] + double_entry
        return seconds(world, call + (administration if pattern == "e3" else minutes["administration_call"]))
    at_home = world.table("workload.mode_minutes", "home_visit")
    visit = at_home["with_person"] + at_home["recording"] + at_home[f"travel_{where}"]
    return seconds(world, visit + administration + double_entry)


def seconds(world: World, minutes: float) -> int:
    """Return true minutes as whole seconds."""
    return round(60 * minutes * world.value("workload.true_to_tool_minutes"))


def monthly_minutes(person: Person, setting: str) -> float:
    """Return the minutes a month that the tariff gives a case."""
    world = person.world
    points = world.value("workload.tariff_points", setting, person.tier)
    return float(points / world.value("workload.points_per_hour") * 60)


def in_custody(person: Person) -> float:
    """Return the minutes of a contact in custody."""
    interval = person.world.value("contact.custody_interval_days")
    return monthly_minutes(person, "custody") * interval / MONTH_DAYS


def by_the_tariff(person: Person, mode: str) -> float:
    """Return the minutes of an average contact: the tariff less what else is inside it, by contacts a month."""
    world = person.world
    minutes = world.table("workload.minutes")
    inside = (
        minutes["plan"] / minutes["plan_every_months"]
        + minutes["review"] / minutes["review_every_months"]
        + minutes["enforcement_a_month"]
        + minutes["handover_a_month"]
    )
    setting = "licence" if person.setting == "licence" else "community"
    a_month = MONTH_DAYS / world.value("contact.interval_days", "e3", f"later_{person.tier}")
    return (monthly_minutes(person, setting) - inside) / a_month


def administration_of_tariff(person: Person, contact: float, model: str) -> float:
    """Return what is left of a contact as administration, once home visits are paid for."""
    world = person.world
    minutes = world.table("workload.minutes")
    at_home = world.table("workload.mode_minutes", "home_visit")
    # The same for everybody of a tier: as for a home in a town.
    more = at_home["with_person"] + at_home["recording"] + at_home["travel_urban"]
    more -= minutes["face_to_face"] + minutes["recording"]
    share = world.value("contact.home_visit_share", model, "high" if person.tier[0] in "AB" else "other")
    return contact - minutes["face_to_face"] - minutes["recording"] - share * more
