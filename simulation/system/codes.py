"""Codes: the words behind the small numbers held in the tables, and built into the compiled loops."""

from __future__ import annotations

from typing import Any


class Codes(type):
    """A class of named whole numbers: as plain as a constant, for they are compared with whole columns all day."""

    names: tuple[str, ...]

    def __new__(mcs, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> Codes:
        """Collect the names in order of their numbers."""
        made = super().__new__(mcs, name, bases, body)
        # Python notes things of its own in the body, such as the line on which it begins.
        numbers = {key: value for key, value in body.items() if isinstance(value, int) and not key.startswith("__")}
        made.names = tuple(sorted(numbers, key=numbers.__getitem__))
        return made

    def __len__(cls) -> int:
        """Return how many there are."""
        return len(cls.names)


#: Phases of a day, in the order in which they happen.
PHASES = (
    "policy",
    "ends",
    "releases",
    "hearings",
    "arrivals",
    "allocation",
    "crises",
    "diaries",
    "consequences",
    "staffing",
    "counting",
)


class Location(metaclass=Codes):
    """Where a person is. Everyone has exactly one."""

    UNKNOWN = 0  # not yet convicted
    COURT = 1  # convicted, waiting for a report and sentence
    COMMUNITY = 2
    SENTENCED = 3
    RECALLED = 4
    COMMITTED = 5  # committed for breach of post-sentence supervision
    AT_LARGE = 6  # recalled, not yet arrested
    ENDED = 7  # no live sentence
    DEAD = 8  # this and what follows: out of the model
    REMOVED = 9  # from the country, at the end of custody


class Kind(metaclass=Codes):
    """Kind of sentence."""

    COMMUNITY_ORDER = 0
    SUSPENDED = 1
    DETERMINATE = 2
    INDETERMINATE = 3


class Why(metaclass=Codes):
    """Why somebody goes to prison for a determinate term."""

    SENTENCED = 0
    REVOKED = 1  # an order was revoked for breach
    ACTIVATED = 2  # the term that was suspended, for breach


class Status(metaclass=Codes):
    """Where a sentence stands. Every sentence has exactly one."""

    ORDER = 0
    CUSTODY = 1
    CURFEW = 2  # home detention curfew
    LICENCE = 3
    SUPERVISION = 4  # post-sentence supervision
    RECALLED = 5
    AT_LARGE = 6
    ENDED = 7


class Setting(metaclass=Codes):
    """How a person is supervised: decides tariff and pattern of contact."""

    NONE = 0
    ORDER = 1
    LICENCE = 2
    SUPERVISION = 3
    CUSTODY = 4


class Tier(metaclass=Codes):
    """E3 tiers, most to least intensive."""

    A = 0
    B1 = 1
    B2 = 2
    C1 = 3
    C2 = 4
    D1 = 5
    D2 = 6


class Rosh(metaclass=Codes):
    """Risk of serious harm."""

    LOW = 0
    MEDIUM = 1
    HIGH = 2
    VERY_HIGH = 3


#: Level of multi-agency public protection from which several agencies manage somebody together.
MANAGED_TOGETHER = 2


class Grade(metaclass=Codes):
    """Grade of a case-holding officer."""

    PO = 0  # probation officer
    PSO = 1  # probation services officer
    TRAINEE = 2  # training to be a probation officer; holds what a PSO may hold


class Terms(metaclass=Codes):
    """On what terms the holder of a post works."""

    PERMANENT = 0
    AGENCY = 1


class Place(metaclass=Codes):
    """What a row of the posts is."""

    ESTABLISHED = 0
    TRAINING = 1  # outside the establishment: a trainee, or one who has qualified and waits for a vacancy


class Stage(metaclass=Codes):
    """How far the search for a post's next holder has come."""

    NONE = 0
    ADVERT = 1  # to an offer
    VETTING = 2
    START = 3  # notice, contract and a date


class Reason(metaclass=Codes):
    """Why somebody leaves."""

    ORDINARY = 0  # retirement, another job, dismissal: all that the ordinary rate holds
    WORKLOAD = 1
    PAY = 2
    REORGANISATION = 3
    REDUNDANCY = 4
    NO_RETURN = 5  # from maternity leave


class Task(metaclass=Codes):
    """Kinds of work in an officer's diary; contacts are taken straight from their agenda."""

    CONTACT = 0
    FIRST_APPOINTMENT = 1
    PLAN = 2
    REVIEW = 3
    BREACH_PACK = 4
    RECALL_REPORT = 5
    ADDRESS_CHECK = 6
    HANDOVER = 7
    PAROLE_REPORT = 8
    COURT_APPLICATION = 9  # to end an order early for good progress
    SESSION = 10  # a rehabilitation activity day with the responsible officer


class RecallKind(metaclass=Codes):
    """Kind of recall."""

    NONE = 0
    FIXED_TERM = 1
    STANDARD = 2
    CURFEW = 3


class Writer(metaclass=Codes):
    """Who writes a court report."""

    PO = 0  # probation officer of the court team
    PSO = 1  # probation services officer of the court team
    DUTY = 2  # case-holding officer on court duty


class RecallReason(metaclass=Codes):
    """Why recall was asked for."""

    NONE = 0
    ABSENCE = 1
    RISK = 2
    CHARGE = 3
    CURFEW = 4


class Asking(metaclass=Codes):
    """At what an officer is asked for; several may happen to one person in one spell."""

    SENTENCE = 0
    ESCALATION = 1
    HANDOVER = 2  # from prison
    SPLIT = 3


class Parole(metaclass=Codes):
    """Where the review of a standard recall stands."""

    NO_REPORT = 0  # none is asked for
    REPORT_ASKED = 1
    REPORT_WRITTEN = 2
    DECIDED = 3  # released on the day of the next step


class Report(metaclass=Codes):
    """Kind of pre-sentence report."""

    NONE = 0
    ORAL = 1
    SHORT = 2
    STANDARD = 3


class Home(metaclass=Codes):
    """Where somebody lives after release from custody."""

    NOT_KNOWN = 0  # never released in the run
    SETTLED = 1
    TEMPORARY = 2
    NONE = 3


class Mode(metaclass=Codes):
    """How a contact is made."""

    FACE_TO_FACE = 0  # in an office, in a room of its own
    TELEPHONE = 1  # by an officer
    CUSTODY = 2
    OPEN_BOOTH = 3  # in an open-plan office
    HOME_VISIT = 4
    DOORSTEP = 5
    VIDEO = 6
    GROUP = 7
    HUB_CALL = 8  # by whoever answers for the hub that day


class Requirement(metaclass=Codes):
    """What an order requires besides supervision."""

    REHABILITATION = 0  # rehabilitation activity requirement, in days
    UNPAID_WORK = 1  # in hours
    PROGRAMME = 2  # accredited programme, in sessions


class Delivery(metaclass=Codes):
    """By whom rehabilitation activity days are delivered."""

    OFFICER = 0  # the responsible officer, one to one
    GROUP = 1  # a group run by the company of the area
    SPECIALIST = 2  # a worker of the company for housing, work, debt and the like, one to one


class Programme(metaclass=Codes):
    """Accredited programmes; a parameter table names them in the same words."""

    THINKING_SKILLS = 0
    DOMESTIC_ABUSE = 1
    SEXUAL_OFFENDING = 2


class Progress(metaclass=Codes):
    """How far a requirement has come."""

    WAITING = 0
    RUNNING = 1
    FINISHED = 2  # all of it done
    ENDED = 3  # the order is over, or the person dropped out, before all of it was done


NPS, CRC = 0, 1
"""Sides of the split service."""
SIDES = ("nps", "crc")
