"""One person's history in plain words.

Everything a subsystem tells (:meth:`simulation.system.service.Service.tell`) has words here; a test reads the
source and fails if a kind of event is left without. Routine appointments are summed up between the days on which
something else happened, so that a history of several years fits on a page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

#: Words of each kind of event. What stands in braces is filled in by :func:`in_words`.
WORDS = {
    # Courts
    "convicted": "Before the court",
    "convicted again": "Convicted of a new offence",
    "report asked for": "Court asks for {report} report",
    "report delivered": "Pre-sentence report delivered",
    "community order": "Community order of {months}",
    "suspended sentence order": "Suspended sentence order of {months}",
    "sentenced to custody": "Sentenced to {months} in custody{dates}",
    # Allocation and officers
    "allocated": "{handed} {officer}",
    "officer left": "The officer leaves; the case waits for another",
    "officer away for long": "The officer is away for a long time; the case waits for another",
    "risk escalated": "Risk assessed as high; the NPS must hold the case",
    "moved to the company": "The service is split: the case goes to the company",
    "moved to the unified service": "The company's staff and cases move to the NPS",
    "supervision ends": "Supervision over, case closed",
    # Contact
    "seen for the first time": "First appointment kept",
    "seen": "Seen by the officer",
    "called": "Telephone appointment kept",
    "called by the hub": "Called by an agent of the hub",
    "seen in an open booth": "Seen by the officer, in an open-plan office",
    "seen at home": "Seen by the officer at home",
    "seen at the doorstep": "Seen by the officer at the doorstep",
    "seen in a group": "Seen in a group session",
    "seen by video": "Video appointment kept",
    "seen or called by a colleague": "That contact was with a colleague of the officer",
    "seen in custody": "Contact with the officer in prison",
    "missed, accepted": "Missed an appointment; the reason is accepted",
    "missed, not accepted": "Missed an appointment without an acceptable reason",
    "appointment cancelled, officer sick": "Appointment cancelled: the officer is sick",
    "appointment moved, officer on leave": "Appointment moved: the officer is on leave",
    "appointment cancelled, diary full": "Appointment cancelled: the officer's day is full",
    "appointment cancelled, not booked again": "Appointment left out: the officer's day is full",
    "appointment cancelled, officer in a meeting": "Appointment cancelled: the officer is in a meeting",
    "call put off, hub full": "Call put off: the hub's agents have no time",
    "plan completed": "Sentence plan completed",
    # Life in the community
    "change in need begins": "Things go wrong at home, at work or in health",
    "change in need noticed": "The officer notices what has gone wrong, after {days}; closer contact",
    "change in need ends": "Things are back as they were",
    "reoffended": "Commits another offence, for which a conviction may follow",
    "serious further offence reviewed": "It is a serious further offence, and is reviewed",
    "died": "Dies",
    "removed from the country": "Removed from the country at the end of custody",
    # Enforcement
    "warned": "Warned",
    "breach to be referred": "Second failure within a year: breach proceedings decided",
    "breach pack returned": "Breach papers sent back to be put right",
    "breach referred": "Breach papers sent to court",
    "breach dropped": "Breach papers past the target are dropped; nobody hears of them",
    "warrant issued": "Doesn't come to the breach hearing; a warrant is issued and appointments stop",
    "warrant executed": "Arrested on the warrant and brought to court",
    "early revocation asked for": "Officer applies to end the order early for good progress",
    "order revoked early": "The court ends the order early for good progress",
    "breach heard": "Breach of the order heard in court",
    "order revoked": "The order is revoked",
    "supervision breach heard": "Breach of post-sentence supervision heard in court",
    "committed for breach of supervision": "Committed to prison for {days} for breach of post-sentence supervision",
    "committal ends": "Out of prison after the committal",
    # Recall
    "recall decided: absence": "Officer asks for recall after a missed appointment",
    "recall decided: risk": "Officer asks for recall because risk has risen",
    "recall decided: further charge": "Officer asks for recall after a new charge",
    "curfew broken": "The curfew is broken; recall follows",
    "licence revoked": "Licence revoked; to be arrested and returned to prison",
    "returned to prison": "Arrested and returned to prison",
    "parole report written": "Officer's report for the Parole Board written",
    "parole refused": "The Parole Board doesn't direct release; another review will come",
    "parole review put off": "The Parole Board's review is put off: the officer's report isn't written",
    "released after recall": "Released again after recall{onto}",
    # Custody and release
    "case held in prison": "Prison staff hold the case until some time before release",
    "case handed over by prison": "The prison hands the case over; a community officer is asked for",
    "resettlement work begins": "Resettlement team begins to prepare the release",
    "resettlement work done": "Resettlement work before release done",
    "curfew opted out of": "Opts out of home detention curfew",
    "curfew approved": "Release on home detention curfew approved",
    "curfew refused: no address": "Home detention curfew refused: no suitable address",
    "curfew refused: no time left": "Home detention curfew refused: too little time left",
    "released on curfew": "Released on home detention curfew",
    "curfew ends": "The tag comes off{onto}",
    "released": "Released from prison{onto}",
    "released to a settled home": "Has a settled home to go to",
    "released to nowhere": "Has nowhere to live on release",
    "released on life licence": "Released by the Parole Board on life licence",
    "life licence recalled": "Life licence recalled; back in prison",
    # Ends
    "order completed": "The order runs out, completed",
    "post-sentence supervision ends": "Post-sentence supervision runs out",
    "licence ends": "The licence runs out{onto}",
}

#: Kinds that come again and again; summed up between other events.
ROUTINE = {
    "seen": "seen",
    "called": "called",
    "called by the hub": "called by the hub",
    "seen in an open booth": "seen in an open-plan office",
    "seen at home": "seen at home",
    "seen at the doorstep": "seen at the doorstep",
    "seen in a group": "seen in a group",
    "seen by video": "seen by video",
    "seen or called by a colleague": "of these by a colleague",
    "seen in custody": "contact in prison",
    "missed, accepted": "missed with a reason",
    "missed, not accepted": "missed without a reason",
    "appointment cancelled, officer sick": "cancelled (officer sick)",
    "appointment moved, officer on leave": "moved (officer on leave)",
    "appointment cancelled, diary full": "cancelled (diary full)",
    "appointment cancelled, not booked again": "left out (diary full)",
    "appointment cancelled, officer in a meeting": "cancelled (officer in a meeting)",
    "call put off, hub full": "put off (hub full)",
}

REPORTS = ("no", "an oral", "a short written", "a standard written")
_GRADES = {
    "nps": ("probation officer", "probation services officer", "trainee probation officer"),
    "crc": ("probation officer", "case manager", "trainee probation officer"),
}
_SERVICES = {"nps": "NPS", "crc": "company"}
_MONTH_DAYS = 365.25 / 12


@dataclass(frozen=True)
class Context:
    """What the model knew of the person when an event was told.

    Parameters
    ----------
    side : str
        ``nps`` or ``crc``, empty if nobody is responsible.
    grade : int
        Grade of the officer held, -1 if none.
    before : int
        Number of the officer who had the case before, -1 if nobody.
    remand : int
        Days on remand that count towards the latest sentence.
    custody_end : int
        Days from the event to release on the latest sentence.
    setting : str
        What the person is on now: ``prison`` (under another sentence), ``licence``, ``supervision``, ``nothing``, or
        empty where it doesn't matter.
    inside : bool
        In prison until now.
    """

    side: str = ""
    grade: int = -1
    before: int = -1
    remand: int = 0
    custody_end: int = 0
    setting: str = ""
    inside: bool = False


@dataclass(frozen=True)
class Told:
    """One event of one person's history.

    Parameters
    ----------
    day : int
        Day number, 0 is the first day of the run.
    kind : str
        As told by the subsystem.
    detail : int
        The number that goes with it.
    context : Context
        What is needed to put it in words.
    """

    day: int
    kind: str
    detail: int = 0
    context: Context = Context()

    @property
    def sameness(self) -> tuple[int, str, int]:
        """What makes two events the same in two histories."""
        return self.day, self.kind, self.detail

    @property
    def routine(self) -> bool:
        """Whether the event is one of many alike."""
        return self.kind in ROUTINE


def length_in_words(days: int) -> str:
    """Return a length as people of the courts would say it: in days, months or years.

    Parameters
    ----------
    days : int
        Length in days.
    """
    months = round(days / _MONTH_DAYS)
    if months < 2:
        return days_in_words(days)
    if months % 12 == 0:
        return f"{months // 12} year" + ("s" if months > 12 else "")
    if months < 36:
        return f"{months} months"
    years, rest = divmod(months, 12)
    return f"{years} years {rest} " + ("month" if rest == 1 else "months")


def days_in_words(days: int) -> str:
    """Return a number of days in words."""
    return "1 day" if days == 1 else f"{days} days"


def in_words(event: Told) -> str:
    """Return an event in plain words; a kind nobody has written words for is shown as it is called."""
    context = event.context
    service = _SERVICES.get(context.side, "service")
    grade = _GRADES.get(context.side, _GRADES["nps"])[context.grade] if context.grade >= 0 else "officer"
    remand = f"; {days_in_words(context.remand)} on remand count" if context.remand else ""
    left = f"release in {length_in_words(context.custody_end)}" if context.custody_end > 0 else "release at once"
    onto = (
        {
            "licence": ", on licence",
            "supervision": "; post-sentence supervision begins",
            "nothing": ", with no supervision to follow",
            "prison": "; stays in prison under another sentence",
        }[context.setting]
        if context.setting
        else ""
    )
    if event.kind == "licence ends" and context.inside and context.setting != "prison":
        onto = ", released from prison" + onto
    if event.kind == "released" and context.setting == "prison":
        return "One sentence is served; stays in prison under another"
    return WORDS.get(event.kind, event.kind.capitalize()).format(
        report=REPORTS[event.detail] if 0 <= event.detail < len(REPORTS) else "a",
        months=length_in_words(event.detail),
        days=days_in_words(event.detail),
        dates=f" ({left}{remand})",
        handed=_handed(context.before, event.detail),
        officer=f"{service} {grade} number {event.detail}",
        onto=onto,
    )


def _handed(before: int, now: int) -> str:
    if before < 0:
        return "Case given to"
    return "Case stays with" if before == now else "Case handed to"


def routine_in_words(events: Sequence[Told]) -> str:
    """Sum up routine events: how often each kind happened."""
    counts: dict[str, int] = {}
    for event in events:
        counts[event.kind] = counts.get(event.kind, 0) + 1
    return ", ".join(f"{ROUTINE[kind]} {_times(counts[kind])}" for kind in ROUTINE if kind in counts)


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")
