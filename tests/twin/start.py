"""The first morning: the twin takes people, sentences and posts as the engine's thin pass left them."""

from __future__ import annotations

from typing import Any

from simulation.scenario import Resolved
from twin import community, custody, recall
from twin.engine import FirstMorning
from twin.office import Area
from twin.officers import Officer
from twin.people import KINDS, RECALLED, STATUSES, TIERS, Person, Sentence
from twin.world import World

LOCATIONS = (
    "unknown", "court", "community", "sentenced", "recalled", "committed", "at_large", "ended", "dead", "removed",
)  # fmt: skip
RECALL_KINDS = ("none", "fixed_term", "standard", "curfew")
CURFEW_STAGES = ("none", "papers", "enquiry", "approved", "refused")
GRADES = ("po", "pso", "trainee")


def twin_of(resolved: Resolved, seed: int, morning: FirstMorning) -> Area:
    """Return the area as it stands before the first day, ready to begin."""
    world = World(resolved, seed)
    area = Area(world)
    offices = sorted({post["office"] for post in morning.posts})
    area.offices["both"] = offices
    for number, post in enumerate(morning.posts):
        search_ends = morning.ahead["recruitment"].get(number)
        world.officers.append(officer_from(area, number, post, search_ends))
    rows = [row for row in morning.people if row["location"] or row["sentences"]]
    by_row = {}
    for number, row in enumerate(morning.people):
        if row in rows or row["returner_pool"]:
            by_row[number] = person_from(world, row)
            world.people[row["key"]] = by_row[number]
    for number, row in enumerate(morning.sentences):
        sentence_from(area, by_row[row["person"]], row, {k: v.get(number) for k, v in morning.ahead.items()})
    for number, person in by_row.items():
        dates_from(area, person, {k: v.get(number) for k, v in morning.ahead.items()})
    area.begin()
    return area


def officer_from(area: Area, number: int, post: dict[str, Any], search_ends: int | None) -> Officer:
    """Return a post and its holder, or the search for one."""
    officer = Officer(
        area.world,
        number,
        post["key"],
        post["office"],
        post["employer"],
        GRADES[post["grade"]],
        bool(post["filled"]),
        post["since"],
        post["hours"],
        stage=post["stage"],
        adverts=post["adverts"],
    )
    if search_ends is not None:
        officer.plan("search", search_ends, lambda: area.staffing.end_stage(officer))
    return officer


def person_from(world: World, row: dict[str, Any]) -> Person:
    """Return somebody known at the start."""
    return Person(
        world,
        row["key"],
        row["convicted"],
        ogrs=row["ogrs"],
        rsr=row["rsr"],
        rosh=row["rosh"],
        mappa=row["mappa"],
        safeguarding=bool(row["safeguarding"]),
        public_interest=bool(row["public_interest"]),
        deportation=bool(row["deportation"]),
        never_curfew=bool(row["never_curfew"]),
        rural=bool(row["rural"]),
        office=row["office"],
        reliability=row["miss_factor"],
        location=LOCATIONS[row["location"]],
        side=None if row["side"] < 0 else row["side"],
        assessed_rosh=row["assessed_rosh"],
        tier=TIERS[row["tier"]],
        waiting_since=row["waiting_since"],
        stage_start=row["stage_start"],
        last_seen=row["last_seen"],
        # Of those whose supervision was over before the start, this is the day on which it ended.
        contacts=row["contacts"],
        spells=row["spells"],
        telephone_draw=row["phone_draw"],
        booked_as_call=row["booked_as"] == 1,
        work_only=bool(row["work_only"]),
        hazard=row["risk_hazard"],
    )


def sentence_from(area: Area, person: Person, row: dict[str, Any], ahead: dict[str, int | None]) -> None:
    """Add a sentence, with what is ahead of it."""
    sentence = Sentence(
        row["number"],
        KINDS[row["kind"]],
        STATUSES[row["status"]],
        row["imposed"],
        row["offence"],
        row["length"],
        row["remand"],
        row["custody_end"],
        row["expiry"],
        row["supervision_end"],
        row["curfew_from"],
        bool(row["extended"]),
        bool(row["unpaid_work_only"]),
        curfew_stage=CURFEW_STAGES[row["curfew_stage"]],
        recall_kind=RECALL_KINDS[row["recall_kind"]],
        recalls=row["recalls"],
        returned=row["returned"],
        released=row["released"],
    )
    person.sentences.append(sentence)
    then = {
        "legal end": lambda: custody.legal_end(area, person, sentence),
        "release": lambda: (
            custody.release(area, person, sentence)
            if sentence.status == "custody"
            else custody.end_of_curfew(area, person, sentence)
        ),
        "curfew papers": lambda: custody.send_enquiry(area, person, sentence),
        "recall step": lambda: recall.review_or_release(area, person, sentence),
    }
    for what, action in then.items():
        day = ahead.get(what)
        if day is not None:
            person.plan(what, day, action, sentence)
    assert sentence.status != RECALLED or "recall step" in sentence.ahead


def dates_from(area: Area, person: Person, ahead: dict[str, int | None]) -> None:
    """Book what is ahead of a person."""
    then = {
        "crisis": lambda: community.change_begins(area, person),
        "death": lambda: community.dies(area, person),
        "conviction": lambda: community.convicted_again(area, person),
    }
    for what, action in then.items():
        day = ahead.get(what)
        if day is not None:
            person.plan(what, day, action)
    for what in ("contact", "allocate"):
        day = ahead.get(what)
        if day is not None:
            person.ahead[what] = day
