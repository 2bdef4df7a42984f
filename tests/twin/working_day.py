"""An officer's working day: sort what there is to do, and do it while any time is left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twin import allocation, contact, minutes
from twin.officers import FULL_TIME, Officer, Task, mixed, rank_of
from twin.people import HIGH, Person
from twin.world import Process, World

if TYPE_CHECKING:
    from twin.office import Area


@dataclass(eq=False)
class Item:
    """A contact or a task of a day."""

    person: Person
    kind: str
    due: int
    seconds: int
    mode: str = ""
    task: Task | None = None


def work(area: Area, officer: Officer) -> Process:
    """Each working day: what there is to do, in order, until no time is left; what is begun is finished."""
    world = area.world
    while True:
        yield from world.every_day("appointments moved")
        if world.is_working(world.today) and not officer.is_present():
            move_contacts(area, officer)
        yield from world.every_day("diaries")
        if world.is_working(world.today) and officer.is_present():
            work_through(area, officer, todays_items(area, officer))


def work_through(area: Area, officer: Officer, items: list[Item]) -> None:
    """Begin things in their order while any time is left, and put off the contacts for which none is."""
    left = seconds_of_day(officer) + officer.saved - officer.owes
    begun = []
    for item in sorted(items, key=lambda item: order_of(officer, item)):
        if left > 0:
            left -= item.seconds
            begun.append(item)
        elif item.kind == "contact":
            cancel(area, item)
    officer.owes = max(0, -left)
    officer.saved = saved_for_another_day(officer, left)
    # What comes of contacts is written down before what comes of tasks: a person may have both on one day.
    for item in sorted(begun, key=lambda item: item.kind != "contact"):
        do(area, officer, item)


def nobody_to_see(area: Area) -> Process:
    """A contact that falls due while the case waits for an officer is tried again each working day."""
    world = area.world
    while True:
        yield from world.every_day("diaries")
        for person in world.people.values():
            if person.officer is None and has_contact_today(person):
                first_due(person)
                person.ahead["contact"] = world.working_days_later(world.today, 1)
            if person.side is None:
                person.tasks.clear()


def todays_items(area: Area, officer: Officer) -> list[Item]:
    """Return contacts due today and open tasks of people whose case the officer holds, and what duty brings."""
    items = []
    for person in officer.cases:
        area.diaries.tidy(person)
    behind = is_far_behind(officer)
    for person in officer.cases:
        if has_contact_today(person):
            mode = "custody" if person.is_inside else mode_today(person, behind)
            if mode == "telephone" and not person.booked_as_call:
                person.world.tell(person, "visit became a call for want of time")
            items.append(Item(person, "contact", first_due(person), minutes.of_contact(person, mode), mode))
        for task in person.tasks:
            if task.kind != "first_appointment":
                items.append(Item(person, task.kind, task.due, task.seconds, "face_to_face", task))
    for person, task in what_cannot_wait(area, officer):
        items.append(Item(person, task.kind, task.due, task.seconds, "face_to_face", task))
    return items


def has_contact_today(person: Person) -> bool:
    """Tell whether a contact is booked for today; what is booked for somebody wanted under a warrant is dropped."""
    if person.is_wanted and person.ahead.get("contact") == person.world.today:
        person.forget("contact")
    return person.ahead.get("contact") == person.world.today


def first_due(person: Person) -> int:
    """Return the day on which the contact of today was first due: it keeps it, however often it is put off."""
    if person.contact_due is None:
        person.contact_due = person.world.today
    return person.contact_due


def what_cannot_wait(area: Area, officer: Officer) -> list[tuple[Person, Task]]:
    """Return first appointments whose day has come: the officer's own, and on duty those of colleagues who are away.

    On duty colleagues' recall reports are written, too.
    """
    today = area.world.today
    team = [each for each in area.world.officers if (each.office, each.employer) == (officer.office, officer.employer)]
    present = [each for each in team if each.is_present()]
    due = [(person, task) for person in officer.cases for task in person.tasks if task.kind == "first_appointment"]
    if present and present[today % len(present)] is officer:
        away = [person for each in team if not each.is_present() for person in each.cases]
        kinds = ("first_appointment", "recall_report")
        due += [(person, task) for person in away for task in person.tasks if task.kind in kinds]
    return [
        (person, task)
        for person, task in due
        if task.due <= today and not (person.is_wanted and task.kind == "first_appointment")
    ]


def is_far_behind(officer: Officer) -> bool:
    """Tell whether overdue tasks are more than some days of a full-time officer's work."""
    world = officer.world
    overdue = sum(task.seconds for person in officer.cases for task in person.tasks if task.due < world.today)
    return overdue > world.value("contact.downgrade_backlog_days") * seconds_of_full_day(world)


def mode_today(person: Person, behind: bool) -> str:
    """Return how the contact of today is made: low risk is called where that is the rule, or all is far behind."""
    by_telephone = (person.booked_as_call or behind) and is_low_risk(person)
    return "telephone" if by_telephone else contact.mode_of_visit(person)


def order_of(officer: Officer, item: Item) -> tuple[int, int, int, int]:
    """Return what items are sorted by: rank, due day, and a mixed number that favours nobody."""
    model = allocation.operating_model(item.person)
    rank = rank_of(officer.world, item.kind, model)
    return rank, item.due, mixed(item.person.key * 31 + item.due) >> 32, item.person.key


def seconds_of_day(officer: Officer) -> int:
    """Return how long an officer has today."""
    world = officer.world
    return int(seconds_of_full_day(world) * officer.hours_left() / FULL_TIME)


def seconds_of_full_day(world: World) -> float:
    """Return how long a full-time officer has in a day at work."""
    return float(60 * world.value("workload.minutes_per_day_present") * world.value("workload.productivity"))


def saved_for_another_day(officer: Officer, left: int) -> int:
    """Return unused time that is kept: with the time of a day on reduced hours it comes to a full day at most."""
    most = int(seconds_of_full_day(officer.world)) - seconds_of_day(officer)
    return min(max(0, left), most)



def ends_of_days(area: Area) -> Process:
    """Each evening: write down what every officer owes."""
    world = area.world
    while True:
        yield from world.every_day("end of the day")
        for officer in world.officers:
            if officer.owes:
                world.tell(officer, "owes time", officer.owes)


def do(area: Area, officer: Officer, item: Item) -> None:
    """Do one thing."""
    world, person = area.world, item.person
    if item.kind == "contact":
        person.forget("contact")
        contact.hold(area, person, officer, item.mode)
        return
    assert item.task is not None
    person.tasks.remove(item.task)
    if item.kind == "first_appointment":
        contact.hold(area, person, officer, "face_to_face", is_first=True)
    elif item.kind == "plan":
        world.tell(person, "plan completed")
        plan_review(area, person)
    elif item.kind == "review":
        world.tell(person, "plan reviewed")
        plan_review(area, person)
    elif item.kind in area.done:
        area.done[item.kind].append(item.task)


def plan_review(area: Area, person: Person) -> None:
    """Book the next review of the plan."""
    from simulation.engine.calendar import MONTH_DAYS

    day = area.world.today + int(area.world.value("contact.review_months") * MONTH_DAYS)
    person.plan("diaries", day, lambda: area.diaries.add(person, "review", day))


def cancel(area: Area, item: Item) -> None:
    """The day is full: the contact is booked again, and keeps the day it was first due."""
    world, person = area.world, item.person
    world.tell(person, "appointment cancelled, diary full")
    later = world.working_days_later(world.today, int(world.value("contact.rebook_working_days")))
    person.ahead["contact"] = later


def move_contacts(area: Area, officer: Officer) -> None:
    """The officer is away: contacts are tried again later."""
    world = area.world
    days = int(world.value("contact.rebook_officer_away_days"))
    why = "appointment cancelled, officer sick" if officer.is_sick() else "appointment moved, officer on leave"
    for person in officer.cases:
        area.diaries.tidy(person)
        if has_contact_today(person):
            world.tell(person, why)
            first_due(person)
            person.ahead["contact"] = world.working_day_after(world.today + days)


def is_low_risk(person: Person) -> bool:
    """Below high risk with no noticed change."""
    return person.assessed_rosh < HIGH and not person.change_is_noticed
