"""Following one person through the system, under one scenario or several.

An id names a person as one would speak of them: ``durham-2017-03-14-2`` is the second of those first convicted in
Durham on that day; ``durham-longago-1995-05-02-1`` was sentenced to long custody before the years the model looks
back on day by day; ``durham-life-3`` and ``durham-life-recalled-1`` were serving an indeterminate
sentence at the start.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from simulation.engine import Calendar
from simulation.scenario import Geography, Problem, Resolved, ScenarioError
from simulation.scenario.problems import did_you_mean, quote
from simulation.system.codes import Kind, Location, Rosh, Status
from simulation.system.model import Model, RunRequest, _demand
from simulation.system.population import CONVICTED, INDETERMINATE, LONG_AGO, pack, unpack
from simulation.system.story import ABOUT_AN_AREA, ONE_OF_SEVERAL, ORDER_ENDS, Context, Told, length_in_words

_LIFE_DAYS = {"life": -1000, "life-recalled": -1001}
_ID = re.compile(
    r"(?P<area>.+?)-(?:(?P<life>life(?:-recalled)?)|(?P<far>longago-)?(?P<date>\d+-\d+-\d+))-(?P<index>\d+)"
)

#: Time enough for everything: nobody waits for anybody else, and no officer is ever away or replaced.
UNLIMITED = {
    "workload.minutes_per_day_present": 100_000,
    "staff.sickness_days": 0,
    "staff.leave_days": 0,
    "staff.nps.leaving_rate_po": 0,
    "staff.nps.leaving_rate_pso": 0,
    "staff.crc.leaving_rate_officers": 0,
    "staff.initial_vacancy_share": 0,
    "courts.team_staffing": 10,
    "release.team_capacity": 100,
    "release.homes_a_year": 1_000_000,
}


#: Stands for an officer who is no longer there, among numbers of officers.
_GONE = -2
#: Requirements of orders that are over are looked for at least so often, in days.
_LOOKED_THROUGH = 31


# --- Names of people -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PersonId:
    """Who is meant.

    Parameters
    ----------
    area : str
        Police force area.
    channel : int
        Channel of arrival.
    day : int
        Day of first conviction, relative to the start of the run.
    index : int
        Place among those of that area, channel and day, from 0.
    """

    area: str
    channel: int
    day: int
    index: int

    def key(self, geography: Geography) -> int:
        """Return the key that the person's draws belong to."""
        where = np.array([geography.areas.index(self.area)])
        return int(pack(where, self.channel, np.array([self.day]), np.array([self.index]))[0])

    def text(self, start: date) -> str:
        """Return the id as people write it, for a run that starts on ``start``."""
        if self.channel == INDETERMINATE:
            name = next(name for name, day in _LIFE_DAYS.items() if day == self.day)
            return f"{self.area}-{name}-{self.index + 1}"
        when = Calendar(start).date(self.day).isoformat()
        far = "longago-" if self.channel == LONG_AGO else ""
        return f"{self.area}-{far}{when}-{self.index + 1}"


def read_id(text: str, geography: Geography, start: date) -> PersonId:
    """Read an id.

    Parameters
    ----------
    text : str
        Such as ``durham-2017-03-14-2``.
    geography : Geography
        Areas.
    start : datetime.date
        First day of the run.

    Raises
    ------
    ScenarioError
        The text is no id, or names no area or no date.
    """
    found = _ID.fullmatch(text.strip())
    if not found:
        hint = "write area-date-number, such as durham-2017-03-14-2, or durham-life-1"
        raise ScenarioError([Problem("bad_person", f"{quote(text)} is no id of a person", hint=hint)])
    area, index = found["area"].lower(), int(found["index"][:9])
    if area not in geography.areas:
        hint = did_you_mean(area, geography.areas) or "the areas are those of scenarios/data/areas.csv"
        raise ScenarioError([Problem("unknown_area", f"no police force area is called {quote(area)}", hint=hint)])
    if index < 1:
        raise ScenarioError([Problem("bad_person", "people of a day are numbered from 1")])
    if found["life"]:
        return PersonId(area, INDETERMINATE, _LIFE_DAYS[found["life"]], index - 1)
    try:
        when = date.fromisoformat(found["date"])
    except ValueError:
        hint = "write year-month-day, such as 2017-03-14"
        raise ScenarioError([Problem("bad_date", f"{quote(found['date'])} is not a date", hint=hint)]) from None
    channel = LONG_AGO if found["far"] else CONVICTED
    return PersonId(area, channel, Calendar(start).day(when), index - 1)


def id_of(key: int, geography: Geography) -> PersonId:
    """Return who a key belongs to."""
    area, channel, day, index = unpack(key)
    return PersonId(geography.areas[area], channel, day, index)


def row_of(person: PersonId, model: Model) -> int:
    """Return the person's row, or say who else there is.

    Raises
    ------
    ScenarioError
        Nobody has that id; the message says how many people were convicted in that area on that day.
    """
    keys = model.service.people.key[: model.service.people.size]
    found = np.flatnonzero(keys == np.uint64(person.key(model.geography)))
    if found.size:
        return int(found[0])
    raise ScenarioError([_nobody(person, model, keys)])


def _nobody(person: PersonId, model: Model, keys: Any) -> Problem:
    resolved = model.request.resolved
    calendar = Calendar(resolved.start)
    first = np.uint64(replace(person, index=0).key(model.geography))
    group = keys[(keys >> np.uint64(16)) == (first >> np.uint64(16))]
    there = [replace(person, index=int(key) & 0xFFFF).text(resolved.start) for key in group]
    if person.channel == INDETERMINATE:
        text = f"{person.area} has {len(there)} people like {person.text(resolved.start)} at the start"
    else:
        when = calendar.date(person.day)
        text = f"{_people(len(there))} first convicted in {person.area} on {when:%A} {when}"
        if person.day < 0:
            text += " can still come before a court or an officer"
        if person.day > calendar.day(resolved.end):
            text = f"{when} is after the run, which ends on {resolved.end}"
        elif not calendar.is_working(np.array([person.day]))[0]:
            text += "; courts don't sit that day"
    shown = ", ".join(there[:10]) + (", ..." if len(there) > 10 else "")
    hint = f"there is {shown}" if there else _nearest(person, model, keys)
    return Problem("unknown_person", text, hint=hint)


def _people(number: int) -> str:
    return {0: "nobody was", 1: "1 person was"}.get(number, f"{number} people were")


def _nearest(person: PersonId, model: Model, keys: Any) -> str:
    """Name somebody of the same area and channel convicted at about that time."""
    shift = np.uint64(40)
    alike = keys[(keys >> shift) == (np.uint64(person.key(model.geography)) >> shift)]
    if alike.size == 0:
        return ""
    at = min(int(np.searchsorted(alike, np.uint64(person.key(model.geography)))), alike.size - 1)
    other = id_of(int(alike[at]), model.geography)
    return f"the nearest after that is {other.text(model.request.resolved.start)}"


# --- Who somebody is -------------------------------------------------------------------------------------------


def describe(row: int, model: Model) -> str:
    """Return a person's traits, and what they were serving on the first day, in plain words."""
    people = model.service.people
    start = model.request.resolved.start
    area = _area_name(model.geography.areas[int(people.area[row])])
    sex = "woman" if people.female[row] else "man"
    rosh = {Rosh.LOW: "low", Rosh.MEDIUM: "medium", Rosh.HIGH: "high", Rosh.VERY_HIGH: "very high"}[
        int(people.rosh[row])
    ]
    parts = [
        f"{sex[0].upper()}{sex[1:]} of {int(people.age[row])} {_aged_when(row, model)}, {area}"
        + (", living in the country" if people.rural[row] else ""),
        f"{rosh} risk of serious harm, {int(people.ogrs[row])}% risk of proven reoffending in a year or so",
    ]
    if people.mappa[row]:
        parts.append("under multi-agency public protection (MAPPA)")
    if people.safeguarding[row]:
        parts.append("safeguarding concerns")
    traits = "; ".join(parts) + "."
    sentence = int(people.latest[row])
    if sentence < 0:
        return traits
    return f"{traits} On {start:%-d %B %Y}: {_standing(sentence, model)}."


def _area_name(area: str) -> str:
    return area.replace("_", " ").title()


def _aged_when(row: int, model: Model) -> str:
    """Say when somebody was as old as is known: at the first conviction followed here, whenever that was."""
    found = id_of(int(model.service.people.key[row]), model.geography)
    if found.channel == INDETERMINATE:
        return "when sentenced to life (the year isn't known)"
    return f"when first convicted, in {model.service.calendar.date(found.day):%B %Y}"


def _standing(sentence: int, model: Model) -> str:
    sentences = model.service.sentences
    status, kind = int(sentences.status[sentence]), int(sentences.kind[sentence])
    length = length_in_words(int(sentences.length[sentence]))
    what = {
        Kind.COMMUNITY_ORDER: f"a community order of {length}",
        Kind.SUSPENDED: f"a suspended sentence order of {length}",
        Kind.DETERMINATE: f"a sentence of {length} in custody",
        Kind.INDETERMINATE: "a life sentence",
    }[kind]
    where = {
        Status.ORDER: "serving",
        Status.CUSTODY: "in prison under",
        Status.CURFEW: "on home detention curfew under",
        Status.LICENCE: "on licence under",
        Status.SUPERVISION: "on post-sentence supervision after",
        Status.RECALLED: "recalled to prison under",
        Status.AT_LARGE: "unlawfully at large under",
        Status.ENDED: "free after",
    }[status]
    imposed = model.service.calendar.date(int(sentences.imposed[sentence]))
    since = "" if kind == Kind.INDETERMINATE else f", imposed on {imposed:%-d %B %Y}"
    return f"{where} {what}{since}"


# --- Following -------------------------------------------------------------------------------------------------


class Teller:
    """Stands between the subsystems and the service, and keeps what is told of one person.

    Parameters
    ----------
    model : Model
        Run to listen to.
    row : int
        Row of the person.
    """

    def __init__(self, model: Model, row: int) -> None:
        self.service, self.row = model.service, row
        self.events: list[Told] = []
        #: Whose case it was last; told of a new officer when it is theirs already.
        self._officer = -1
        self._tell = model.service.tell
        model.service.tell = self.tell  # type: ignore[method-assign]

    def tell(self, kind: str, rows: Any, detail: Any = 0, keys: Any = None) -> None:
        """Pass an event on, and keep it if it is the person's."""
        self._tell(kind, rows, detail, keys)
        for at in np.flatnonzero(rows == self.row):
            number = detail if isinstance(detail, int) else int(np.asarray(detail)[at])
            self.events.append(Told(self.service.today, kind, number, self._context(kind, number)))
            if kind == "allocated":
                self._officer = number
            elif kind in ("supervision ends", "case held in prison"):
                self._officer = -1
            elif kind in ("officer left", "post cut"):
                self._officer = _GONE

    def so_far(self) -> tuple[list[Told], int]:
        """Return what must be kept to go on from here more than once."""
        return list(self.events), self._officer

    def go_back_to(self, kept: tuple[list[Told], int]) -> None:
        """Forget what was told since :meth:`so_far`."""
        self.events, self._officer = list(kept[0]), kept[1]

    def _context(self, kind: str, number: int) -> Context:
        people, sentences, posts, row = self.service.people, self.service.sentences, self.service.posts, self.row
        side, officer, latest = int(people.side[row]), int(people.officer[row]), int(people.latest[row])
        statuses = int(self.service.statuses(np.array([row], dtype=np.intp))[0])
        held = statuses & (1 << Status.CUSTODY | 1 << Status.RECALLED)
        if kind == "licence ends":
            setting = "prison" if statuses & (1 << Status.CUSTODY) else self._after_licence(statuses)
        elif held:
            setting = "prison"
        elif statuses & (1 << Status.LICENCE):
            setting = "licence"
        elif statuses & (1 << Status.ORDER | 1 << Status.CURFEW):
            setting = ""
        else:
            setting = "supervision" if statuses & (1 << Status.SUPERVISION) else "nothing"
        return Context(
            side=("nps", "crc")[side] if side >= 0 else "",
            grade=int(posts.grade[officer]) if officer >= 0 else -1,
            before=self._officer,
            remand=int(sentences.remand[latest]) if latest >= 0 else 0,
            custody_end=int(sentences.custody_end[latest]) - self.service.today if latest >= 0 else 0,
            setting=setting,
            inside=int(people.location[row]) in (Location.SENTENCED, Location.RECALLED),
            another=kind in ONE_OF_SEVERAL and bool(statuses & (1 << Status.ORDER)),
            ended_on=self._order_ended() if kind in ("activity days lapse", "unpaid work lapses") else "",
            area=_area_name(self.service.geography.areas[number]) if kind in ABOUT_AN_AREA else "",
        )

    def _order_ended(self) -> str:
        """Return the date on which an order ended lately; empty if that was today, or on one of several days."""
        today = self.service.today
        days = {e.day for e in self.events if e.kind in ORDER_ENDS and today - e.day <= _LOOKED_THROUGH}
        if len(days) != 1 or today in days:
            return ""
        return f"{self.service.calendar.date(days.pop()):%-d %B %Y}"

    def _after_licence(self, statuses: int) -> str:
        """Return what a person whose licence ended today is on: told after the sentences have moved on."""
        sentences, today = self.service.sentences, self.service.today
        mine = np.flatnonzero(sentences.person[: sentences.size] == self.row)
        supervised = (sentences.status[mine] == Status.SUPERVISION) & (sentences.supervision_end[mine] > today)
        if supervised.any():
            return "supervision"
        return "order" if statuses & (1 << Status.ORDER) else "nothing"


def follow(
    scenarios: Sequence[Resolved],
    person: PersonId,
    seed: int,
    replication: int,
    progress: Callable[[int, int], None] | None = None,
) -> list[list[Told]]:
    """Return one person's history under each scenario; what the scenarios share is run once.

    Parameters
    ----------
    scenarios : sequence of Resolved
        Scenarios of the person's area.
    person : PersonId
        Who.
    seed, replication : int
        Chance.
    progress : callable, optional
        Called with day and days now and then.

    Returns
    -------
    list of list of Told
        One history for each scenario; empty where the scenario's demand has no such person in it.
    """
    histories: dict[int, list[Told]] = {}
    left = list(range(len(scenarios)))
    while left:
        first = scenarios[left[0]]
        family = [number for number in left if _shares_people(first, scenarios[number])]
        left = [number for number in left if number not in family]
        histories.update(_follow_family(scenarios, family, person, seed, replication, progress))
    return [histories[number] for number in range(len(scenarios))]


def _shares_people(first: Resolved, other: Resolved) -> bool:
    """Tell whether two runs begin alike: same dates, area and people."""
    dates = (first.start, first.end, first.areas) == (other.start, other.end, other.areas)
    when = first.first_difference(other)
    return dates and _demand(first) == _demand(other) and (when is None or when > first.start)


def _follow_family(
    scenarios: Sequence[Resolved],
    family: list[int],
    person: PersonId,
    seed: int,
    replication: int,
    progress: Callable[[int, int], None] | None,
) -> dict[int, list[Told]]:
    first = scenarios[family[0]]
    model = Model(RunRequest(first, seed, replication, progress))
    try:
        teller = Teller(model, row_of(person, model))
    except ScenarioError:
        if 0 in family:
            raise
        return {number: [] for number in family}
    differences = {number: first.first_difference(scenarios[number]) for number in family[1:]}
    days = [(when - first.start).days for when in differences.values() if when is not None]
    if days:
        model.run(min(days))
        snapshot = model.save()
    before = teller.so_far()
    model.run()
    histories = {family[0]: teller.events}
    for number, when in differences.items():
        if when is None:
            histories[number] = list(histories[family[0]])
            continue
        teller.go_back_to(before)
        model.request = replace(model.request, resolved=scenarios[number])
        model.continue_with(snapshot, scenarios[number])
        model.run()
        histories[number] = teller.events
    return histories


# --- Finding somebody ------------------------------------------------------------------------------------------

#: What an example may be of, and the kind of event that makes one.
EXAMPLES = {
    "recall": "returned to prison",
    "breach": "breach heard",
    "curfew": "released on curfew",
    "returner": "convicted again",
    "committal": "committed for breach of supervision",
    "escalation": "risk escalated",
    "crisis": "change in need noticed",
    "handover": "officer left",
    "death": "died",
}
#: Events that make a history readable: more than a few, and not a book.
_FEWEST, _MOST = 12, 90


def find_example(resolved: Resolved, example: str, seed: int, replication: int, until: date) -> PersonId | None:
    """Return somebody to whom something of a kind happened, with as many other kinds of event as possible.

    Parameters
    ----------
    resolved : Resolved
        Scenario of a small area.
    example : str
        One of :data:`EXAMPLES`.
    seed, replication : int
        Chance.
    until : datetime.date
        Where the search ends; somebody convicted since the start and still supervised at about that time is wanted.
    """
    model = Model(RunRequest(resolved, seed, replication))
    size = model.service.people.size
    kinds: dict[str, Any] = {}
    tell = model.service.tell

    def listen(kind: str, rows: Any, detail: Any = 0, keys: Any = None) -> None:
        tell(kind, rows, detail, keys)
        seen = kinds.setdefault(kind, np.zeros(size, dtype=np.int64))
        np.add.at(seen, rows, 1)

    model.service.tell = listen  # type: ignore[method-assign]
    model.run(min((until - resolved.start).days, (resolved.end - resolved.start).days + 1))
    people = model.service.people
    happened = kinds.get(EXAMPLES[example], np.zeros(size, dtype=np.int64)) > 0
    told = sum(kinds.values(), np.zeros(size, dtype=np.int64))
    variety = sum((seen > 0 for seen in kinds.values()), np.zeros(size, dtype=np.int64))
    new = people.returner_pool[:size] == 0
    readable = new & (told >= _FEWEST) & (told <= _MOST)
    for wanted in (happened & readable & (people.side[:size] >= 0), happened & readable, happened & new, happened):
        rows = np.flatnonzero(wanted)
        if rows.size:
            best = rows[np.argmax(variety[rows])]
            return id_of(int(people.key[best]), model.geography)
    return None
