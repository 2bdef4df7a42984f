"""People and their sentences: who they are, where they are, and what lies ahead of them.

A person is a handful of small processes, one for each date that lies ahead: the next contact, the end of a sentence,
a hearing. `Person.plan` begins one. It sleeps until its moment and then does what its name says, unless the date was
moved or taken back in the meantime: there is at most one date of a kind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twin.world import Process, World

if TYPE_CHECKING:
    from twin.officers import Officer, Task

# Status of a sentence.
ORDER, CUSTODY, CURFEW, LICENCE, SUPERVISION, RECALLED, AT_LARGE, ENDED = (
    "order", "custody", "curfew", "licence", "supervision", "recalled", "at_large", "ended",
)  # fmt: skip
STATUSES = (ORDER, CUSTODY, CURFEW, LICENCE, SUPERVISION, RECALLED, AT_LARGE, ENDED)
KINDS = ("community_order", "suspended", "determinate", "indeterminate")

LOW, MEDIUM, HIGH, VERY_HIGH = range(4)
TIERS = ("A", "B1", "B2", "C1", "C2", "D1", "D2")
ORDERS = ("community_order", "suspended")
IN_COMMUNITY = "community"
PRISON = ("sentenced", "recalled", "committed")


@dataclass(eq=False)
class Sentence:
    """One sentence of one person.

    Parameters
    ----------
    number : int
        1 for the person's first.
    imposed, offence : int
        Days.
    length, remand : int
        Days.
    custody_end, expiry, supervision_end : int
        Days; see `twin.custody.dates`.
    """

    number: int
    kind: str
    status: str
    imposed: int
    offence: int
    length: int
    remand: int = 0
    custody_end: int | None = None
    expiry: int = 0
    supervision_end: int = 0
    curfew_from: int | None = None
    extended: bool = False
    unpaid_work_only: bool = False
    # Home detention curfew.
    held_otherwise: bool = False
    curfew_stage: str = "none"
    enquiries: int = 0
    # Recall.
    recall_kind: str = "none"
    recall_reason: str = ""
    recalls: int = 0
    returned: int | None = None
    recall_pending: bool = False
    parole: str = "none"
    reviews: int = 0
    # Breach.
    breach_pending: bool = False
    breach_known: int | None = None
    breaches: int = 0
    pack_returns: int = 0
    warrant_since: int | None = None
    released: int | None = None
    ahead: dict[str, int] = field(default_factory=dict)
    then: dict[str, Callable[[], None]] = field(default_factory=dict)

    @property
    def is_order(self) -> bool:
        """A community order or a suspended sentence."""
        return self.kind in ORDERS

    @property
    def is_live(self) -> bool:
        """Not over."""
        return self.status != ENDED


@dataclass(eq=False)
class Person:
    """One person.

    Parameters
    ----------
    world : World
    key : int
        Whose draws these are.
    """

    world: World
    key: int
    convicted: int
    ogrs: int
    rsr: int
    rosh: int
    mappa: int
    safeguarding: bool
    public_interest: bool
    deportation: bool
    never_curfew: bool
    rural: bool
    office: int
    reliability: float
    sentences: list[Sentence] = field(default_factory=list)
    location: str = "unknown"
    # Supervision.
    side: int | None = None
    assessed_rosh: int = 0
    tier: str = "D2"
    officer: Officer | None = None
    waiting_since: int | None = None
    stage_start: int | None = None
    first_due_from: int | None = None
    first_after_release: bool = False
    first_is_booked: bool = False
    last_seen: int | None = None
    contacts: int = 0
    contact_due: int | None = None
    booked_as_call: bool = False
    spells: int = 0
    changes: int = 0
    last_officer: Officer | None = None
    officer_changed_on: int | None = None
    is_wanted: bool = False
    absent_on: int | None = None
    telephone_draw: float = 0.0
    work_only: bool = False
    warned_on: int | None = None
    escalated: bool = False
    committed_until: int | None = None
    # The court.
    report: str = "none"
    report_is_awaited: bool = False
    report_due: int | None = None
    # Life.
    change_since: int | None = None
    change_is_noticed: bool = False
    unnoticed_so_far: float = 1.0
    changes_in_need: int = 0
    released_on: int | None = None
    reoffended_on: int | None = None
    hazard: float = 0.0
    reoffences: int = 0
    ahead: dict[str, int] = field(default_factory=dict)
    then: dict[str, Callable[[], None]] = field(default_factory=dict)
    tasks: list[Task] = field(default_factory=list)

    # What lies ahead

    def plan(self, what: str, day: int, then: Callable[[], None], sentence: Sentence | None = None) -> None:
        """Book something for a day, in place of whatever of the kind was booked.

        Parameters
        ----------
        what : str
            Name of a moment (`twin.world.MOMENTS`).
        day : int
        then : callable
            What happens then.
        sentence : Sentence, optional
            Whose date it is; without one it is the person's.
        """
        owner = self if sentence is None else sentence
        owner.ahead[what], owner.then[what] = day, then
        self.world.environment.process(self._wait(owner, what, day))

    def _wait(self, owner: Person | Sentence, what: str, day: int) -> Process:
        yield self.world.until(day, what)
        if owner.ahead.get(what) == day:
            del owner.ahead[what]
            owner.then.pop(what)()

    def forget(self, *names: str) -> None:
        """Take back dates of the person's own."""
        for name in names:
            self.ahead.pop(name, None)

    # Luck

    def draw(self, purpose: str, occurrence: int = 0) -> float:
        """Return an even draw of this person's."""
        return self.world.draw(self.key, purpose, occurrence)

    def contact_number(self) -> int:
        """Return the number by which draws of the next contact are told apart."""
        return len(self.sentences) * 65536 + self.spells * 1024 + self.contacts

    # Where and how

    @property
    def latest(self) -> Sentence:
        """The latest sentence."""
        return self.sentences[-1]

    @property
    def setting(self) -> str:
        """How the person is supervised."""
        statuses = {sentence.status for sentence in self.sentences}
        if statuses & {CUSTODY, RECALLED}:
            return "custody"
        if statuses & {CURFEW, LICENCE, AT_LARGE}:
            return "licence"
        if ORDER in statuses:
            return "order"
        return "supervision" if SUPERVISION in statuses else "none"

    @property
    def is_in_community(self) -> bool:
        """Supervised at liberty."""
        return self.location == IN_COMMUNITY

    @property
    def is_inside(self) -> bool:
        """In prison."""
        return self.location in PRISON

    def where(self) -> str:
        """Return the place that follows from the sentences."""
        statuses = {sentence.status for sentence in self.sentences}
        if CUSTODY in statuses:
            return "sentenced"
        if RECALLED in statuses:
            return "recalled"
        if AT_LARGE in statuses:
            return "at_large"
        if self.committed_until is not None:
            return "committed"
        if statuses & {ORDER, CURFEW, LICENCE, SUPERVISION}:
            return IN_COMMUNITY
        return "court" if self.report_is_awaited else "ended"

    def supervising_sentence(self) -> Sentence | None:
        """Return the sentence that an absence or a rise in risk touches: licence first, order, then supervision."""
        licences = [each for each in self.sentences if each.status in (CURFEW, LICENCE)]
        if licences:
            # The one on a tag, else the one that runs longest; a life licence is recalled by nobody here.
            return max(licences, key=lambda each: (each.status == CURFEW, each.expiry or -1, each.number))
        for wanted in (ORDER, SUPERVISION):
            for sentence in reversed(self.sentences):
                if sentence.status == wanted:
                    return sentence
        return None
