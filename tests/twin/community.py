"""Life in the community: changes in need, death, and reoffending."""

from __future__ import annotations

import calendar
from typing import TYPE_CHECKING

from simulation.engine.calendar import MONTH_DAYS, YEAR_DAYS
from twin import custody, places, recall
from twin.people import Person
from twin.world import NEVER, Process, at_percentile, minus_log

if TYPE_CHECKING:
    from twin.office import Area


def begin(area: Area, person: Person) -> None:
    """At the start of a spell: draw when the next change in need and death would come."""
    plan_change(area, person)
    plan_death(area, person)


def plan_change(area: Area, person: Person) -> None:
    """Draw when the next change in need begins."""
    world = area.world
    rate = world.value("community.crises_per_year")
    days = world.wait(person.key, "change in need", person.spells * 1024 + person.changes_in_need, rate)
    person.plan("crisis", world.today + days, lambda: change_begins(area, person))


def change_begins(area: Area, person: Person) -> None:
    """Something goes wrong, and will be right again."""
    world = area.world
    world.tell(person, "change in need begins")
    person.change_since, person.change_is_noticed, person.unnoticed_so_far = world.today, False, 1.0
    draw = person.draw("length of change", person.changes_in_need)
    lasts = int(at_percentile(world.table("community.crisis_days"), draw))
    person.changes_in_need += 1
    person.plan("crisis", world.today + max(1, lasts), lambda: change_ends(area, person))


def change_ends(area: Area, person: Person) -> None:
    """Things are back as they were."""
    area.world.tell(person, "change in need ends")
    person.change_since, person.change_is_noticed = None, False
    plan_change(area, person)


def plan_death(area: Area, person: Person) -> None:
    """Draw when death would come in this spell: sooner in the first weeks after release."""
    world = area.world
    rate = world.value("community.death_rate") / YEAR_DAYS
    if rate <= 0:
        return
    threshold = world.exponential(person.key, "death", person.spells)
    high_rate = rate * world.value("community.death_ratio_after_release")
    high_days = 0.0
    if person.released_on == world.today:
        high_days = world.value("community.death_weeks_after_release") * 7
    if threshold < high_days * high_rate:
        days = threshold / high_rate
    else:
        days = high_days + (threshold - high_days * high_rate) / rate
    person.plan("death", world.today + min(NEVER, 1 + int(days)), lambda: dies(area, person))


def dies(area: Area, person: Person) -> None:
    """Somebody dies."""
    area.world.tell(person, "died")
    places.leave_the_model(area, person, "dead")


# Reoffending


def hazard_of(person: Person) -> float:
    """Return the yearly hazard of reoffending as things stand."""
    world = person.world
    if person.location not in ("community", "ended", "court") or not person.sentences:
        return 0.0
    hazard = minus_log(1 - person.ogrs / 100) * world.value("community.reoffending_ratio")
    last = person.sentences[-1]
    since = last.imposed if last.is_order or last.custody_end is None else last.custody_end
    days = world.today - since
    if days >= world.value("community.reoffending_years") * YEAR_DAYS:
        return 0.0
    early = days < world.value("community.reoffending_early_months") * MONTH_DAYS
    return hazard if early else hazard * world.value("community.reoffending_later_ratio")


def months(area: Area) -> Process:
    """On the first of each month: add up hazards; who crosses the threshold reoffends on a day of the month."""
    world = area.world
    while True:
        yield from world.every_day("hazards")
        if not world.is_first_of_month():
            continue
        date = world.calendar.date(world.today)
        days = calendar.monthrange(date.year, date.month)[1]
        for person in world.people.values():
            step = hazard_of(person) * days / YEAR_DAYS
            if step <= 0 or "reoffence" in person.ahead:
                continue
            threshold = world.exponential(person.key, "reoffending", person.reoffences)
            if person.hazard + step >= threshold:
                into = (threshold - person.hazard) / step
                day = world.today + min(days - 1, max(0, int(into * days)))
                person.plan("reoffence", day, lambda person=person: reoffends(area, person))
            person.hazard += step


def reoffends(area: Area, person: Person) -> None:
    """A proven reoffence: perhaps a recall, and perhaps a sentence later."""
    world = area.world
    if person.location not in ("community", "ended", "court"):
        return
    number = person.reoffences
    person.reoffences += 1
    person.hazard = 0.0
    person.reoffended_on = world.today
    world.tell(person, "reoffended")
    sentence = person.supervising_sentence()
    if sentence is not None and recall.is_possible(sentence):
        charged = person.draw("recall for charge", number) < world.value("recall.per_further_charge")
        if charged:
            recall.ask(area, person, sentence, "charge")
    share = world.value("courts.reoffence_to_sentence_share", custody.group_of(person.latest))
    if "conviction" not in person.ahead and person.draw("comes back to court", number) < share:
        draw = person.draw("conviction lag", number)
        lag = int(at_percentile(world.table("courts.reoffence_to_conviction_days"), draw))
        band = custody.band_drawn(world, person.key, len(person.sentences) + 1, world.today)
        lag = max(lag, int(world.value("courts.least_days_to_conviction", band)))
        day = world.working_day_after(world.today + 1 + lag)
        person.plan("conviction", day, lambda: convicted_again(area, person))


def convicted_again(area: Area, person: Person) -> None:
    """The reoffence comes to court."""
    area.world.tell(person, "convicted again")
    area.court.returners.append(person)
