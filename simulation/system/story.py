"""One person's history in plain words.

Everything a subsystem tells (:meth:`simulation.system.service.Service.tell`) has words here; a test reads the
source and fails if a kind of event is left without. Routine appointments are summed up between the days on which
something else happened, so that a history of several years fits on a page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simulation.engine.calendar import MONTH_DAYS

#: Words of each kind of event. What stands in braces is filled in by :func:`in_words`.
WORDS = {
    # Courts
    "convicted": "Before the court",
    "convicted again": "Convicted of a new offence",
    "report asked for": "Court asks for {report} report",
    "report delivered": "Pre-sentence report delivered",
    "case adjourned": "The report comes late: the case is adjourned",
    "community order": "Community order of {months}",
    "suspended sentence order": "Suspended sentence order of {months}",
    "sentenced to custody": "Sentenced to {months} in custody{dates}",
    # Allocation and officers
    "allocated": "{handed} {officer}",
    "officer left": "The officer leaves; the case waits for another",
    "officer away for long": "The officer is away for a long time; the case waits for another",
    "risk escalated": "Risk assessed as high; the NPS must hold the case",
    "escalation refused": "The company says that risk has risen; the NPS refuses the case",
    "no officer has room": "No officer has room under the cap on cases",
    "cohort changes": "Now in an age band that other officers hold; the case goes to one of them",
    "moved to the company": "The service is split: the case goes to the company",
    "post cut": "The company cuts the officer's post to save money",
    "company taken over": "The company fails; another owner takes it over",
    "moved to the unified service": "The company's staff and cases move to the NPS",
    "moves to another area": "Moves home to {area}, where the service is asked to take the case over",
    "transfer to another area refused": "The service in {area} refuses the case for now; it is asked again later",
    "taken over by another area": "The service in {area} takes the case over; an officer there is asked for",
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
    "visit became a call for want of time": "The visit becomes a call: the officer has too little time",
    "visit became a group for want of time": "The visit becomes a place in a group: the officer has too little time",
    "visit became a hub call for want of time": "The visit becomes a call by the hub: the officer has too little time",
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
    "plan reviewed": "Sentence plan reviewed",
    "plan is thin": "The plan says little about what is to be done",
    "case inspected: sufficient": "Inspectors read the case and find it in order",
    "case inspected: falls short": "Inspectors read the case and find that it falls short",
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
    "breach to be referred": "Another failure within a year of a warning: breach proceedings decided",
    "no breach action": "Another failure within a year of a warning; the officer takes no breach action",
    "breach pack returned": "Breach papers sent back to be put right",
    "breach referred": "Breach papers sent to court",
    "breach dropped": "Breach papers past the target are dropped; nobody hears of them",
    "warrant issued": "Doesn't come to the breach hearing; a warrant is issued and appointments stop",
    "warrant executed": "Arrested on the warrant and brought to court",
    "early revocation asked for": "Officer applies to end the order early for good progress",
    "order revoked early": "The court ends the order early for good progress",
    "breach heard": "Breach of the order heard in court",
    "order revoked": "The order is revoked",
    "suspended sentence activated": "The prison term that was suspended is activated",
    "supervision breach heard": "Breach of post-sentence supervision heard in court",
    "committed for breach of supervision": "Committed to prison for {days} for breach of post-sentence supervision",
    "committal ends": "Out of prison after the committal",
    # Recall
    "recall decided: absence": "Officer asks for recall after a missed appointment",
    "recall decided: risk": "Officer asks for recall because risk has risen",
    "recall decided: further charge": "Officer asks for recall after a new charge",
    "curfew broken": "The curfew is broken; recall follows",
    "recall report written": "Recall report written and sent",
    "licence revoked": "Licence revoked ({recall}); to be arrested and returned to prison",
    "returned to prison": "Arrested and returned to prison",
    "parole report written": "Officer's report for the Parole Board written",
    "parole refused": "The Parole Board doesn't direct release; another review will come",
    "parole review put off": "The Parole Board's review is put off: the officer's report isn't written",
    "released after recall": "Released again after recall{onto}",
    # Custody and release
    "case held in prison": "Prison staff hold the case until some time before release",
    "case handed over by prison": "The prison hands the case over; a community officer is asked for",
    "screened in prison": "Screened by the prison after reception",
    "resettlement plan written": "Resettlement plan written by the company",
    "help before release begins": "Resettlement team begins to help with housing and benefits",
    "help before release done": "Help before release given; claim for benefits prepared",
    "home found before release": "A place to live is found",
    "met by a mentor": "Met by a mentor at the gate",
    "met by a commissioned mentor": "Met at the gate by a mentor whom the local commissioner pays",
    "benefits begin": "Benefits begin",
    "moves to a settled home": "Moves to a settled home",
    "moves somewhere temporary": "Moves to somewhere temporary",
    "loses the home": "Has nowhere to live any more",
    "resettlement work begins": "Resettlement team begins to prepare the release",
    "resettlement work done": "Resettlement work before release done",
    "curfew opted out of": "Opts out of home detention curfew",
    "curfew address checked": "Officer checks the address for the curfew",
    "curfew approved": "Release on home detention curfew approved",
    "curfew refused: no address": "Home detention curfew refused: no suitable address",
    "curfew refused: no time left": "Home detention curfew refused: too little time left",
    "curfew refused: another sentence": "No home detention curfew any more: another prison sentence begins",
    "released on curfew": "Released on home detention curfew",
    "curfew ends": "The tag comes off{onto}",
    "released": "Released from prison{onto}",
    "released early, prisons full": "To be released early, because prisons are nearly full",
    "released to a settled home": "Has a settled home to go to",
    "released to nowhere": "Has nowhere to live on release",
    "released on life licence": "Released by the Parole Board on life licence",
    "life licence recalled": "Life licence recalled; back in prison",
    # Requirements
    "activity days ordered": "The order requires {days} of rehabilitation activity",
    "unpaid work ordered": "The order requires {hours} of unpaid work",
    "programme ordered": "The order requires an accredited programme: {programme}",
    "activity day in a group": "Rehabilitation activity in a group, one day of this week",
    "activity day with a specialist": "Rehabilitation activity with a specialist, one day of this week",
    "activity day with the officer": "Rehabilitation activity with the officer",
    "activity day missed": "Missed a day of rehabilitation activity",
    "activity not bought": "The NPS doesn't buy the activity from the company; it waits",
    "activity by the officer instead": "The officer takes on the activity that wasn't bought",
    "unpaid work done": "Unpaid work, one day of this week",
    "unpaid work missed": "Missed the unpaid work of this week",
    "unpaid work stood down": "Sent home from the unpaid work of this week",
    "unpaid work completed": "Unpaid work completed, {hours}",
    "programme begins": "The accredited programme begins",
    "programme completed": "Completes the accredited programme",
    "programme dropped": "Drops out of the accredited programme",
    "programme withdrawn": "The programme is withdrawn half way; back on the waiting list",
    "activity days lapse": "{over}: {days} of rehabilitation activity not delivered",
    "unpaid work lapses": "{over}: {hours} of unpaid work not done",
    # Ends
    "order completed": "The order runs out, completed",
    "order over, breach not heard": "The order runs out before the court has heard its breach",
    "order held open": "Unpaid work is left: the order goes on until it is done",
    "post-sentence supervision ends": "Post-sentence supervision runs out",
    "supervision over, breach not heard": "Post-sentence supervision runs out before the court has heard its breach",
    "licence ends": "The licence runs out{onto}",
}

#: Said instead where another order of the person's goes on.
ONE_OF_SEVERAL = {
    "order completed": "One order runs out, completed",
    "order over, breach not heard": "One order runs out before the court has heard its breach",
    "order revoked": "One order is revoked",
}
#: Kinds with which an order can end, and those with which somebody leaves the model.
ORDER_ENDS = frozenset({*ONE_OF_SEVERAL, "order revoked early", "died", "removed from the country"})

_ORDERS = ("community order", "suspended sentence order")
_BEGINNINGS = (*_ORDERS, "sentenced to custody")
_LET_OUT = ("released", "released on curfew")
_REQUIREMENTS = ("activity days ordered", "unpaid work ordered", "programme ordered")
#: Kinds that are read after others of the same day, whichever the model tells first.
_AFTER = {
    **dict.fromkeys(_REQUIREMENTS, _ORDERS),
    "released to a settled home": _LET_OUT,
    "released to nowhere": _LET_OUT,
    "order revoked": ("sentenced to custody",),
}

#: Kinds whose number is an area.
ABOUT_AN_AREA = frozenset(
    {"moves to another area", "transfer to another area refused", "taken over by another area"}
)

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
    "visit became a call for want of time": "visit made a call for want of time",
    "visit became a group for want of time": "visit made a place in a group for want of time",
    "visit became a hub call for want of time": "visit handed to the hub for want of time",
    "seen in custody": "contact in prison",
    "missed, accepted": "missed with a reason",
    "missed, not accepted": "missed without a reason",
    "appointment cancelled, officer sick": "cancelled (officer sick)",
    "appointment moved, officer on leave": "moved (officer on leave)",
    "appointment cancelled, diary full": "cancelled (diary full)",
    "appointment cancelled, not booked again": "left out (diary full)",
    "appointment cancelled, officer in a meeting": "cancelled (officer in a meeting)",
    "call put off, hub full": "put off (hub full)",
    "activity day in a group": "activity in a group",
    "activity day with a specialist": "activity with a specialist",
    "activity day with the officer": "activity with the officer",
    "activity day missed": "activity missed",
    "no officer has room": "no officer had room",
    "unpaid work done": "unpaid work",
    "unpaid work missed": "unpaid work missed",
    "unpaid work stood down": "sent home from unpaid work",
}

PROGRAMMES = ("thinking skills", "domestic abuse", "sexual offending")
YEAR_DAYS, FEWEST_WEEKS = 365, 6
REPORTS = ("no", "an oral", "a short written", "a standard written")
_GRADES = {
    "nps": ("probation officer", "probation services officer", "trainee probation officer"),
    "crc": ("probation officer", "case manager", "trainee probation officer"),
}
_SERVICES = {"nps": "NPS", "crc": "company"}


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
        Number of the officer who had the case before, -1 if nobody, -2 if that officer is no longer there.
    remand : int
        Days on remand or tagged bail that count towards the latest sentence.
    custody_end : int
        Days from the event to release on the latest sentence.
    setting : str
        What the person is on now: ``prison`` (under another sentence), ``licence``, ``supervision``, ``order``,
        ``nothing``, or empty where it doesn't matter.
    inside : bool
        In prison until now.
    another : bool
        Another order of the person's goes on.
    ended_on : str
        Date on which the order ended whose requirement ends now, empty if that is today or not known.
    area : str
        Name of the area that the event is about, where it is about one.
    """

    side: str = ""
    grade: int = -1
    before: int = -1
    remand: int = 0
    custody_end: int = 0
    setting: str = ""
    inside: bool = False
    another: bool = False
    ended_on: str = ""
    area: str = ""


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
    """Return a length as people of the courts would say it: in days, weeks, months or years.

    Below a year it is exact: whole months or, from six on, whole weeks are called so, and the rest are days.

    Parameters
    ----------
    days : int
        Length in days.
    """
    months = round(days / MONTH_DAYS)
    whole = days in (int(months * MONTH_DAYS), round(months * MONTH_DAYS))
    if months < 2 or (days < YEAR_DAYS and not whole):
        return f"{days // 7} weeks" if days % 7 == 0 and days >= FEWEST_WEEKS * 7 else days_in_words(days)
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
    remand = f"; {days_in_words(context.remand)} on remand or tagged bail count" if context.remand else ""
    left = f"release in {length_in_words(context.custody_end)}" if context.custody_end > 0 else "release at once"
    onto = (
        {
            "licence": ", on licence",
            "supervision": "; post-sentence supervision begins",
            "order": "; the order goes on",
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
    if event.kind == "risk escalated" and context.side == "nps":
        return "Risk assessed as high; a probation officer must hold the case"
    if event.kind == "committed for breach of supervision" and event.detail < 0:
        committed = f"Committed for {days_in_words(-event.detail)} for breach of post-sentence supervision"
        return f"{committed}; free the same day, for " + (
            "that was the day" if event.detail == -1 else "the term would end on days without releases"
        )
    if context.another and event.kind in ONE_OF_SEVERAL:
        return ONE_OF_SEVERAL[event.kind]
    return WORDS.get(event.kind, event.kind.capitalize()).format(
        report=REPORTS[event.detail] if 0 <= event.detail < len(REPORTS) else "a",
        months=length_in_words(event.detail),
        days=days_in_words(event.detail),
        hours="1 hour" if event.detail == 1 else f"{event.detail} hours",
        programme=PROGRAMMES[event.detail] if 0 <= event.detail < len(PROGRAMMES) else "one",
        dates=f" ({left}{remand})",
        handed=_handed(context.before, event.detail),
        officer=f"{service} {grade} number {event.detail}",
        onto=onto,
        recall=_recall(event.detail),
        area=context.area or "another area",
        over=f"The order ended on {context.ended_on}" if context.ended_on else "The order is over",
    )


def day_in_words(events: Sequence[Told]) -> list[str]:
    """Return the sentences of one day: in the order in which they are read, with nothing said twice.

    Parameters
    ----------
    events : sequence of Told
        Events of one day, as told.
    """
    kinds = [event.kind for event in events]
    begins = max((at for at, kind in enumerate(kinds) if kind in _BEGINNINGS), default=-1)
    places = []
    for at, event in enumerate(events):
        if event.kind == "supervision ends" and at < begins:
            # The case isn't over for somebody sentenced later that day.
            continue
        if event.kind == "convicted" and "convicted again" in kinds:
            continue
        if event.kind == "order revoked" and "suspended sentence activated" in kinds:
            # The term comes in place of the order: nothing is revoked.
            continue
        place = (at, 0)
        if not (event.kind == "order revoked" and "breach heard" in kinds):
            # What goes with an event follows the next such of the day.
            ahead = [later for later in range(at, len(kinds)) if kinds[later] in _AFTER.get(event.kind, ())]
            place = (ahead[0], 1) if ahead else place
        places.append((place, at))
    return [_with_the_day(events[at], kinds) for _, at in sorted(places)]


def _with_the_day(event: Told, kinds: Sequence[str]) -> str:
    """Return an event in words, given what else happened that day."""
    words = in_words(event)
    if event.kind == "report delivered" and "report asked for" in kinds:
        return "Report ready the same day"
    if event.kind == "licence revoked" and "returned to prison" in kinds:
        return words.partition(";")[0]
    if event.kind == "breach heard" and "order revoked" not in kinds:
        return f"{words}, and the order goes on"
    if event.kind == "supervision breach heard" and "committed for breach of supervision" not in kinds:
        return f"{words}, and supervision goes on"
    if event.kind in _ORDERS and not set(_REQUIREMENTS) & set(kinds):
        return f"{words}; what it requires isn't followed here (curfew, treatment or other)"
    return words


def _recall(number: int) -> str:
    if number > 0:
        return f"fixed-term recall of {days_in_words(number)}"
    return "standard recall" if number == 0 else "recall from curfew"


def _handed(before: int, now: int) -> str:
    if before < -1:
        return "Case handed to"
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
