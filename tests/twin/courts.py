"""The courts: conviction, a report perhaps, and the sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulation.engine.calendar import MONTH_DAYS
from twin import allocation, custody, places, recall
from twin.officers import mixed
from twin.people import AT_LARGE, ORDER, Person, Sentence
from twin.world import Process, World, at_percentile, cut

if TYPE_CHECKING:
    from twin.office import Area

REPORTS = ("none", "oral", "short_written", "standard")
FIRST = 4096


def sentences_of_year(world: World, day: int) -> tuple[float, float]:
    """Return the supervised community sentences and the custodial episodes of the calendar year of a day."""
    orders = world.series("courts.community_sentences_imposed", day)
    suspended = world.series("courts.suspended_sentences_imposed", day)
    in_custody = world.series("courts.immediate_custody_imposed", day)
    return (
        (orders + suspended) * world.value("courts.supervised_start_share"),
        in_custody * world.value("courts.custody_episode_share"),
    )


@dataclass(eq=False)
class Report:
    """A pre-sentence report that was asked for."""

    person: Person
    kind: str
    writer: str
    due: int
    seconds: int


class Court:
    """The court of the area, with the team that writes its reports.

    Parameters
    ----------
    area : Area
    """

    def __init__(self, area: Area) -> None:
        self.area, self.world = area, area.world
        self.returners: list[Person] = []
        self.waiting: list[Report] = []
        self.owed = {"po": 0, "pso": 0}

    def days(self) -> Process:
        """Each working day: refer whoever was convicted, write reports, and sentence."""
        from twin import traits

        world = self.world
        while True:
            yield from world.every_day("court")
            if not world.is_working(world.today):
                continue
            newcomers = traits.arrivals(world, world.today, self.area.offices)
            for person in newcomers:
                world.people[person.key] = person
            came, self.returners = self.returners, []
            to_sentence = []
            for person in came:
                self.arrest(person)
            for person in [*newcomers, *came]:
                if person.report_is_awaited:
                    # The new matter joins the one that is before the court already.
                    continue
                world.tell(person, "convicted")
                if not self.ask_for_report(person):
                    to_sentence.append(person)
            self.write_reports()
            due = [person for person in world.people.values() if person.ahead.get("sentence") == world.today]
            for person in sorted([*to_sentence, *due], key=lambda each: each.key):
                person.forget("sentence")
                self.sentence(person)

    # Reports

    def ask_for_report(self, person: Person) -> bool:
        """Ask for a report, or not; tell which."""
        world, number = self.world, len(person.sentences) + 1
        person.report = "none"
        orders, in_custody = sentences_of_year(world, world.today)
        asked = world.series("courts.pre_sentence_reports") / (orders + in_custody)
        if person.draw("report wanted", number) >= asked * world.value("courts.report_coverage"):
            return False
        kind = cut(world.table("courts.report_mix"), person.draw("kind of report", number))
        share = world.table("courts.services_officer_share").get(kind, 0.0)
        writer = "pso" if person.draw("report by services officer", number) < share else "po"
        due = world.working_days_later(world.today, round(world.value("courts.report_working_days", kind)))
        seconds = round(3600 * world.value("courts.report_hours", kind))
        person.report, person.report_is_awaited, person.report_due = kind, True, due
        if not person.is_in_community and person.location in ("unknown", "ended"):
            person.location = person.where()
        self.waiting.append(Report(person, kind, writer, due, seconds))
        world.tell(person, "report asked for", REPORTS.index(kind))
        return True

    def seconds_today(self, grade: str) -> int:
        """Return how long a grade of the court team can write today."""
        world = self.world
        from twin import traits

        year = world.calendar.date(world.today).year
        hours = 0.0
        for kind, share in world.table("courts.report_mix").items():
            by_services = world.table("courts.services_officer_share").get(kind, 0.0)
            part = by_services if grade == "pso" else 1 - by_services
            hours += share * part * world.value("courts.report_hours", kind)
        a_year = world.series("courts.pre_sentence_reports") * world.value("courts.report_coverage") * hours
        a_day = a_year / traits.working_days_of_year(world, year) / world.value("courts.team_utilisation")
        return int(3600 * a_day * world.share() * world.value("courts.team_staffing"))

    def write_reports(self) -> None:
        """Write by due day while time is left; what is begun is finished, and the overrun comes off tomorrow."""
        self.waiting.sort(key=lambda report: (report.due, mixed(report.person.key + report.due)))
        left = {grade: self.seconds_today(grade) - self.owed[grade] for grade in ("po", "pso")}
        for writer, writes_for in (("po", "po"), ("pso", "pso"), ("po", "pso")):
            for report in list(self.waiting):
                if report.writer == writes_for and left[writer] > 0:
                    left[writer] -= report.seconds
                    self.waiting.remove(report)
                    self.deliver(report)
        self.owed = {grade: max(0, -seconds) for grade, seconds in left.items()}

    def deliver(self, report: Report) -> None:
        """Hand a report in: sentence is passed on its due day, later if it is late, and never today."""
        world, person = self.world, report.person
        world.tell(person, "report delivered")
        if world.today <= report.due:
            person.ahead["sentence"] = max(report.due, world.working_days_later(world.today, 1))
        else:
            world.tell(person, "case adjourned")
            later = round(world.value("courts.adjournment_working_days"))
            person.ahead["sentence"] = world.working_days_later(world.today, later)

    # Sentences

    def sentence(self, person: Person) -> None:
        """Pass the sentence: custody or an order, by one draw; custody if in prison, or wanted after a recall."""
        person.report_is_awaited = False
        self.arrest(person)
        first = not person.sentences
        number = len(person.sentences) + 1
        occurrence = FIRST if first else number
        world = self.world
        length = custody.length_of(world, person.key, occurrence, world.today)
        held = person.is_inside or person.location == "at_large"
        if held or person.draw("disposal", 0 if first else number) < self.custody_line(person, length):
            custody.sentence(self.area, person, length, occurrence)
        else:
            self.order(person, number)

    def arrest(self, person: Person) -> None:
        """Arrest somebody who is wanted: the breach is heard on the next working day, the recall begins tomorrow."""
        for sentence in person.sentences:
            if sentence.warrant_since is not None and "hearing" in sentence.ahead:
                day = self.world.working_days_later(self.world.today, 1)
                self.area.enforcement.list_for(person, sentence, day)
            if sentence.status == AT_LARGE:
                recall.arrest(self.area, person, sentence, self.world.today + 1)

    def custody_line(self, person: Person, length: int) -> float:
        """Return the draw below which custody is given."""
        from twin import traits

        world = self.world
        if person.sentences:
            line = world.value("courts.custody_share_of_returners", custody.group_of(person.latest))
        else:
            expected = traits.demand(world, world.today)
            line = expected.custody / (expected.community + expected.custody)
        diverted = world.value("courts.diversion_by_length", custody.band_of_length(length))
        line *= (1 - world.value("courts.diversion_from_custody")) * (1 - diverted)
        return float(line * world.value("courts.custody_ratio_by_report", person.report))

    def order(self, person: Person, number: int) -> None:
        """Pass a community order or a suspended sentence."""
        world = self.world
        allocation.assess(person, number)
        orders = world.series("courts.community_sentences_imposed")
        suspended = world.series("courts.suspended_sentences_imposed")
        kind = (
            "suspended"
            if person.draw("order: suspended", number) < suspended / (orders + suspended)
            else "community_order"
        )
        months = cut(world.table("courts.order_length_months"), person.draw("order: length", number))
        length = int(float(months.removesuffix("_months")) * MONTH_DAYS)
        if kind == "suspended":
            length = min(length, int(world.value("courts.suspended_most_months") * MONTH_DAYS))
        days_before = int(at_percentile(world.table("courts.offence_to_sentence_days"), person.draw("offence", number)))
        sentence = Sentence(
            number,
            kind,
            ORDER,
            imposed=world.today,
            offence=world.today - days_before,
            length=length,
            expiry=world.today + length,
            supervision_end=world.today + length,
            unpaid_work_only=person.draw("order: unpaid work only", number)
            < world.value("courts.unpaid_work_only_share"),
        )
        person.sentences.append(sentence)
        world.tell(person, "suspended sentence order" if kind == "suspended" else "community order", length)
        custody.plan_end(self.area, person, sentence)
        was_there = person.is_in_community
        # Whoever has an order with supervision beside it keeps contact, and has contact from then on.
        person.work_only = person.work_only and sentence.unpaid_work_only
        places.settle(self.area, person)
        if was_there:
            places.begin_order_in_spell(self.area, person)
        allocation.ask_after_sentence(self.area, person)
