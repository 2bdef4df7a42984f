"""What a change of place brings: the community, prison, at large, or nothing left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.people import CURFEW, ENDED, IN_COMMUNITY, LICENCE, ORDER, PRISON, SUPERVISION, Person

if TYPE_CHECKING:
    from twin.office import Area


def settle(area: Area, person: Person) -> None:
    """Put a person where the sentences say, and do what a change of place brings."""
    from twin import allocation, community, contact

    world = area.world
    before, person.location = person.location, person.where()
    if person.location == before:
        return
    person.forget("contact")
    person.contact_due = None
    person.is_wanted = False
    released = before in PRISON
    if released:
        person.released_on = world.today
    if before == IN_COMMUNITY:
        person.change_since, person.change_is_noticed = None, False
        person.first_due_from, person.first_is_booked = None, False
        person.forget("crisis", "death")
        area.diaries.drop_first_appointments(person)
    if person.location == IN_COMMUNITY:
        person.spells += 1
        person.contacts = 0
        person.stage_start = person.last_seen = world.today
        person.first_due_from, person.first_after_release = world.today, released
        person.work_only = is_for_unpaid_work_alone(person)
        person.telephone_draw = contact.telephone_draw(person)
        community.begin(area, person)
        allocation.book_first_appointment(area, person)
    elif person.location in ("sentenced", "recalled"):
        contact.begin_in_custody(area, person)
    if person.location in ("ended", "court"):
        close(area, person, told=before not in ("court", "ended", "unknown"))


def is_for_unpaid_work_alone(person: Person) -> bool:
    """Tell whether every order that runs is for unpaid work alone, and nothing that follows prison runs beside."""
    running = [each for each in person.sentences if each.status in (ORDER, CURFEW, LICENCE, SUPERVISION)]
    return bool(running) and all(each.status == ORDER and each.unpaid_work_only for each in running)


def begin_order_in_spell(area: Area, person: Person) -> None:
    """Start stages and contacts anew for a further order, with a first appointment and a plan of its own."""
    from twin import allocation

    person.contacts = 0
    # What was booked gives way to the first appointment.
    person.forget("contact")
    person.contact_due = None
    person.stage_start = area.world.today
    if sum(sentence.status == ORDER for sentence in person.sentences) == 1:
        # A warning given on an order that still runs stays; any other is forgotten.
        person.warned_on = None
    person.first_due_from, person.first_after_release = area.world.today, False
    allocation.book_first_appointment(area, person)


def close(area: Area, person: Person, told: bool) -> None:
    """Close the case: officer, side and warnings are forgotten."""
    from twin import allocation

    allocation.leave_officer(person)
    person.last_officer = person.officer_changed_on = None
    person.side = person.waiting_since = person.warned_on = None
    person.forget("allocate", "transfer", "review", "escalate")
    area.diaries.close(person)
    if told:
        area.world.tell(person, "supervision ends")


def leave_the_model(area: Area, person: Person, where: str) -> None:
    """End everything for somebody who died or was removed from the country."""
    for sentence in person.sentences:
        sentence.status = ENDED
        sentence.ahead.clear()
    person.ahead.clear()
    close(area, person, told=True)
    person.location = where
    person.committed_until = None
