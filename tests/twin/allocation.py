"""Allocation: how risk is assessed, whose case it is, and which officer gets it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.people import HIGH, LOW, MEDIUM, VERY_HIGH, Person
from twin.world import CRC, NPS, Process, at_percentile

if TYPE_CHECKING:
    from twin.office import Area
    from twin.officers import Officer

#: What an officer is asked for: each has draws of its own about how long it takes.
WHY_ASKED = ("sentence", "escalation", "handover", "split")


# Assessment


def assess(person: Person, number: int) -> None:
    """Assess the risk of serious harm at a sentence, on the report that was made; it never falls meanwhile."""
    world = person.world
    error = world.value("allocation.rosh_error", person.report)
    draw = person.draw("assessment error", number)
    level = person.rosh
    if draw < error / 2:
        level = max(LOW, level - 1)
    elif draw >= 1 - error / 2:
        level = max(level, min(HIGH, level + 1))
    if level == MEDIUM and person.draw("risk inflation", number) < world.value("allocation.inflation"):
        level = HIGH
    if person.mappa >= 2:
        level = max(level, HIGH)
    under_supervision = person.setting != "none"
    person.assessed_rosh = max(level, person.assessed_rosh) if under_supervision else level
    place(person)


def place(person: Person) -> None:
    """Set side and tier by what is known now; who is with the NPS stays there."""
    if person.side != NPS:
        person.side = NPS if is_for_the_nps(person) else CRC
    person.tier = tier_of(person)


def is_for_the_nps(person: Person) -> bool:
    """Tell whether the case is the NPS's by its risk."""
    return (
        person.rsr >= round(100 * person.world.value("allocation.rsr_threshold"))
        or person.assessed_rosh >= HIGH
        or person.mappa > 0
        or person.public_interest
        or person.deportation
    )


def tier_of(person: Person) -> str:
    """Return the tier, which sets contact and minutes."""
    limits = person.world.table("allocation.tier_limits")
    rsr = person.rsr / 100
    if person.assessed_rosh == VERY_HIGH or person.mappa == 3:
        return "A"
    if rsr >= limits["rsr_b"] or person.ogrs >= limits["ogrs_b"] or person.assessed_rosh == HIGH:
        letter = "B"
    elif rsr >= limits["rsr_c"] or person.ogrs >= limits["ogrs_c"] or person.assessed_rosh == MEDIUM:
        letter = "C"
    else:
        letter = "D"
    return letter + ("1" if person.safeguarding or person.mappa == 2 else "2")


def operating_model(person: Person) -> str:
    """Return the operating model of the provider that is responsible."""
    world = person.world
    assert person.side is not None
    return str(world.value("organisation.operating_model", world.geography.provider_name(world.area, person.side)))


# Asking for an officer


def ask_after_sentence(area: Area, person: Person) -> None:
    """After a sentence: an officer is asked for, unless the one there is may keep the case."""
    if person.setting == "none":
        return
    if person.officer is None or not may_hold(person.officer, person):
        ask(area, person)


def ask(area: Area, person: Person, why: str = "sentence", delay: str = "working_days") -> None:
    """Ask for an officer: the case is given some working days from now."""
    world = area.world
    occurrence = (len(person.sentences) * 1024 + person.spells) * 4 + WHY_ASKED.index(why)
    days = int(at_percentile(world.table("allocation." + delay), person.draw("allocation delay", occurrence)))
    if person.waiting_since is None:
        person.waiting_since = world.today
    person.ahead["allocate"] = world.working_days_later(world.today, days)


def may_hold(officer: Officer, person: Person) -> bool:
    """Tell whether an officer may hold a case: of the side responsible, and a probation officer at high risk."""
    return officer.employer == person.side and (person.assessed_rosh < HIGH or officer.grade == "po")


def leave_officer(person: Person) -> None:
    """Take the case from its officer."""
    if person.officer is not None:
        person.officer.give_up(person)
        person.officer = None


def book_first_appointment(area: Area, person: Person) -> None:
    """Put the first appointment into the officer's diary, if there is one who stays and it isn't there yet."""
    world = area.world
    if person.officer is None or person.first_due_from is None or person.first_is_booked:
        return
    if "allocate" in person.ahead or not may_hold(person.officer, person):
        return
    draw = person.draw("first appointment", person.spells)
    if person.first_after_release:
        today = draw < world.value("contact.release_day_appointment_share")
        due = world.working_day_after(world.today) if today else world.working_days_later(world.today, 1)
    else:
        days = int(at_percentile(world.table("contact.first_appointment_working_days"), draw))
        due = world.working_days_later(world.today, days)
    person.first_is_booked = True
    area.diaries.add(person, "first_appointment", due)


class Allocation:
    """Whoever gives out the cases of the area, each working day.

    Parameters
    ----------
    area : Area
    """

    def __init__(self, area: Area) -> None:
        self.area, self.world = area, area.world
        self.orphans: list[Person] = []

    def days(self) -> Process:
        """Each working day: leavers' cases, cases due, transfers; those at high risk before all others."""
        world = self.world
        while True:
            yield from world.every_day("allocation")
            today = world.today
            if not world.is_working(today):
                continue
            if world.calendar.weekday(today) == 0:
                for officer in world.officers:
                    officer.count_points()
            orphans = [person for person in self.orphans if person.officer is None and person.setting != "none"]
            self.orphans = []
            due = self.due("allocate")
            moving = self.due("transfer")
            for person in [*orphans, *due, *moving]:
                person.forget("transfer")
            queue = []
            for rank, people in enumerate((orphans, due, moving)):
                queue += [(person.assessed_rosh < HIGH, rank, person) for person in people]
            # Everybody who may move is off the books before the first case is given out.
            before = {person.key: person.officer for *_, person in queue}
            for *_, person in queue:
                leave_officer(person)
            for *_, person in sorted(queue, key=lambda entry: (*entry[:2], entry[2].key)):
                if person.key in before:
                    self.allocate(person, before.pop(person.key))

    def orphan(self, officer: Officer, why: str) -> None:
        """Take all cases from an officer: others get them on the next working day."""
        for person in list(officer.cases):
            leave_officer(person)
            self.world.tell(person, why)
            self.orphans.append(person)
        officer.points = 0

    def due(self, what: str) -> list[Person]:
        """Return whose allocation or transfer has come, or was passed over on a day without work."""
        people = self.world.people.values()
        return [person for person in people if person.ahead.get(what, self.world.today + 1) <= self.world.today]

    def allocate(self, person: Person, before: Officer | None) -> None:
        """Give one case to the officer whom the rule names; it waits if there is none."""
        world = self.world
        officer = self.choose(person)
        if officer is None:
            if before is not None:
                person.officer = before
                before.take(person)
            else:
                person.ahead["allocate"] = world.today + 1
            return
        person.forget("allocate")
        person.waiting_since = None
        officer.take(person)
        person.officer = officer
        world.tell(person, "allocated", officer.number)
        self.after(person, before)

    def goes_by_points(self, person: Person) -> bool:
        """Tell whether cases of the side are given to who has the fewest points, not the fewest cases."""
        side = "nps" if person.side == NPS else "crc"
        return self.world.value("allocation.rule", side) == "lowest_points" and self.area.has_tool(person.side)

    def choose(self, person: Person) -> Officer | None:
        """Return the officer of the team with the fewest cases, or points, for the hours left."""
        world = self.world
        team = [
            officer
            for officer in world.officers
            if officer.office == person.office and may_hold(officer, person) and officer.hours_left() > 0
        ]
        if not team:
            return None
        if self.goes_by_points(person):
            return min(team, key=lambda each: (each.points / each.hours_left(), each.number))
        return min(team, key=lambda each: (len(each.cases) / each.hours_left(), each.number))

    def after(self, person: Person, before: Officer | None) -> None:
        """What follows from a new officer: a handover, the first appointment, and dates of later moves."""
        from twin import contact

        world, area = self.world, self.area
        last = person.last_officer
        if last is not None and last is not person.officer:
            person.officer_changed_on = world.today
            area.diaries.add(person, "handover", world.today)
            if last.is_in_service():
                last.owes += round(60 * world.value("workload.minutes", "handover_giving"))
        person.last_officer = person.officer
        person.changes += 1
        rate = world.value("allocation.transfers_per_year", operating_model(person))
        person.ahead["transfer"] = world.today + world.wait(person.key, "transfer", person.changes, rate)
        self.maybe_escalates(person)
        if person.is_in_community:
            book_first_appointment(area, person)
        elif person.location in ("sentenced", "recalled") and "contact" not in person.ahead:
            contact.begin_in_custody(area, person)

    def maybe_escalates(self, person: Person) -> None:
        """Draw when the risk of a case below the NPS's threshold rises."""
        world = self.world
        if is_for_the_nps(person) or "escalate" in person.ahead:
            return
        occurrence = len(person.sentences) * 1024 + person.spells
        days = world.wait(person.key, "risk rises", occurrence, world.value("allocation.escalation_rate"))
        person.plan("escalate", world.today + days, lambda: escalate(self.area, person))



def escalate(area: Area, person: Person) -> None:
    """The risk has risen: harm is assessed as high, and whoever may not hold the case now gives it up."""
    if person.setting == "none":
        return
    person.assessed_rosh = max(person.assessed_rosh, HIGH)
    person.escalated, person.booked_as_call = True, False
    delay = "escalation_working_days" if person.side == CRC else "working_days"
    place(person)
    area.world.tell(person, "risk escalated")
    if person.officer is None or not may_hold(person.officer, person):
        ask(area, person, "escalation", delay)

