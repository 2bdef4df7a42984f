"""The columns of the tables: what is known of people, sentences, posts and tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulation.engine import NEVER, Column, Table
from simulation.engine.compiled import compiled

PEOPLE = (
    Column(
        "key",
        "uint64",
        "packed area, channel, day, index",
        "Whose draws these are; comes from outside the model.",
    ),
    Column("area", "int8", "index of police area", "Where convicted; after a move, the area that took the case over."),
    Column("office", "int16", "index of office", "Office nearest home."),
    Column("convicted", "int32", "day", "Day of first conviction in the model.", NEVER),
    Column("returner_pool", "int8", "0/1", "1 if the person was sentenced before the run began."),
    Column("female", "int8", "0/1", "Sex."),
    Column("age", "int8", "years", "Age at first conviction."),
    Column("rural", "int8", "0/1", "Lives in the country: travel takes longer."),
    Column("rsr", "int16", "hundredths of a percent", "True risk of serious recidivism (RSR)."),
    Column("ogrs", "int8", "percent", "Chance of proven reoffending (OGRS)."),
    Column("rosh", "int8", "Rosh", "True risk of serious harm."),
    Column("mappa", "int8", "level 0-3", "Multi-agency public protection level."),
    Column("safeguarding", "int8", "0/1", "Safeguarding or vulnerability concern."),
    Column("public_interest", "int8", "0/1", "Public-interest or deportation case: NPS."),
    Column("deportation", "int8", "0/1", "To be removed from the country at the end of custody."),
    Column("never_curfew", "int8", "0/1", "Excluded from home detention curfew: by statute, MAPPA or deportation."),
    Column("miss_factor", "float32", "ratio", "Multiplies the chance of missing an appointment."),
    Column(
        "disposal_draw", "float64", "share", "One draw cut by policy thresholds into custody and community."
    ),
    # State
    Column("location", "int8", "Location", "Where the person is."),
    Column("setting", "int8", "Setting", "How the person is supervised."),
    Column("side", "int8", "0 NPS, 1 CRC, -1 none", "Side responsible.", -1),
    Column("assessed_rosh", "int8", "Rosh", "Risk of serious harm as assessed."),
    Column("tier", "int8", "Tier", "Tier as assessed."),
    Column("officer", "int32", "row of posts", "Responsible officer; -1 if nobody.", -1),
    Column("officer_since", "int32", "day", "Since when.", NEVER),
    Column("waiting_since", "int32", "day", "Since when the case has waited for an officer.", NEVER),
    Column("stage_start", "int32", "day", "Start of the present supervision in the community.", NEVER),
    Column(
        "first_due_from",
        "int32",
        "day",
        "Day of sentence or release whose first appointment hasn't happened.",
        NEVER,
    ),
    Column("first_after_release", "int8", "0/1", "That first appointment follows release."),
    Column("allocated_on", "int32", "day", "Day of allocation to the present officer; anew with each.", NEVER),
    Column(
        "last_seen",
        "int32",
        "day",
        "Last face-to-face contact, or start of supervision in the community.",
        NEVER,
    ),
    Column("crisis_since", "int32", "day", "Start of an unresolved change in need or risk.", NEVER),
    Column("crisis_noticed", "int8", "0/1", "The service knows."),
    Column("crisis_hidden", "float32", "share", "Chance of not having been noticed at the contacts so far."),
    Column("crises", "int16", "count", "Changes so far."),
    Column("warned_on", "int32", "day", "Last warning or unacceptable failure.", NEVER),
    Column("officer_changed_on", "int32", "day", "Last change of officer.", NEVER),
    Column("sentences", "int8", "count", "Sentences so far."),
    Column("contacts", "int16", "count", "Contacts due so far under the present sentence."),
    Column("released_on", "int32", "day", "Last release from custody.", NEVER),
    Column("seen_since_release", "int8", "0/1", "Seen face to face since the last release."),
    Column("spells", "int16", "count", "Spells in the community so far."),
    Column("changes", "int16", "count", "Officers so far."),
    Column("work_only", "int8", "0/1", "Supervised for unpaid work alone: no supervision contacts."),
    Column("wanted", "int8", "0/1", "A warrant is out for breach: appointments have stopped."),
    Column("contact_due", "int32", "day", "Day the next contact was first due, however often it was put off.", NEVER),
    Column("cell", "int16", "area x 2 + side, and group", "Where the person's counts go; nobody's with the NPS."),
    Column("booked_as", "int8", "Mode", "The next contact is booked as: visit (0), officer's call, hub's call."),
    Column(
        "phone_draw", "float32", "share", "Draw of this spell that puts the person on the telephone or not."
    ),
    Column("latest", "int32", "row of sentences", "Latest sentence; -1 if none.", -1),
    Column("risk_hazard", "float64", "hazard", "Hazard of reoffending accumulated in this spell."),
    Column("risk_threshold", "float64", "hazard", "Threshold of this spell.", 1e18),
    Column("reoffences", "int16", "count", "Proven reoffences so far."),
    Column("escalated", "int8", "0/1", "Moved from a CRC to the NPS."),
    Column("escalations_refused", "int16", "count", "Times that the NPS refused to take the case over."),
    Column("committed_until", "int32", "day", "End of committal.", NEVER),
    Column("report", "int8", "Report", "Report asked for at the present hearing."),
    Column("report_asked", "int32", "day", "Day it was asked for.", NEVER),
    Column("report_due", "int32", "day", "Day it is due.", NEVER),
    Column("out_since", "int32", "day", "Last day on which the person left prison, for whatever reason.", NEVER),
    # For published measures
    Column("cohort_start", "int32", "day", "Last start of an order or release that put the person in a cohort.", NEVER),
    Column("cohort_side", "int8", "0 NPS, 1 CRC", "Side responsible then."),
    Column("cohort_failed", "int8", "0/1", "Proven reoffence since then, within the follow-up."),
    Column("short_cohort_start", "int32", "day", "Last release from a sentence under 12 months.", NEVER),
    Column("short_cohort_failed", "int8", "0/1", "Proven reoffence since that release, within the follow-up."),
    Column("absent_on", "int32", "day", "Last unacceptable absence.", NEVER),
    Column("prison_held", "int8", "0/1", "Prison staff hold the case; there is no officer in the community."),
    # Life after release, engagement, and the year for which reoffending is followed
    Column("home", "int8", "Home", "Where the person lives; known of people released from custody in the run."),
    Column("home_moves", "int16", "count", "Moves from one kind of home to another so far."),
    Column("income_from", "int32", "day", "Day on which benefits begin after release, where there is a wait.", NEVER),
    Column("mentored_until", "int32", "day", "Day until which a mentor is there.", NEVER),
    Column("engagement", "int16", "points 0-1000", "Engagement with supervision."),
    Column("change_ratio", "float32", "ratio", "Rate of changes in need that the day of the next one rests on.", 1),
    Column("followed_from", "int32", "day", "Start of the year for which reoffending is followed.", NEVER),
    Column("followed_cell", "int16", "area x 2 + side", "Who was responsible when it began."),
    Column("followed_release", "int8", "0/1", "It began with release from custody."),
    Column("reoffended_since", "int8", "0/1", "A proven reoffence since it began."),
    # Results and targets
    Column("reoffended_on", "int32", "day", "Last proven reoffence at liberty.", NEVER),
    Column("results_quarter", "int32", "quarters since year 0", "Last quarter in whose cohort the person is."),
    Column("plan_thin", "int8", "0/1", "The last plan says little."),
    # Moves to another area
    Column("area_to", "int8", "index of police area", "Where the person lives and isn't taken over yet; else -1.", -1),
    Column("area_moved_on", "int32", "day", "Last move of home to another area.", NEVER),
    Column("area_draws", "int16", "count", "Days of a move to another area drawn so far."),
    Column("area_refusals", "int8", "count", "Times that the area moved to has refused the case."),
)

#: What every contact reads of a person; kept side by side in memory.
READ_AT_CONTACT = (
    "key",
    "phone_draw",
    "miss_factor",
    "crisis_hidden",
    "stage_start",
    "last_seen",
    "first_due_from",
    "crisis_since",
    "officer_changed_on",
    "released_on",
    "contact_due",
    "contacts",
    "spells",
    "cell",
    "rural",
    "assessed_rosh",
    "crisis_noticed",
    "work_only",
    "sentences",
    "seen_since_release",
    "booked_as",
    "wanted",
    "changes",
)
#: Where somebody is, who is responsible and how heavy the case is: read for every contact and task, and beside each
#: other by much else. Eight bytes, so that a pass over everybody fetches eight people at once.
PLACE = ("officer", "location", "side", "setting", "tier")
#: The bits of a word of :attr:`People.place_words` that are the officer.
OFFICER_BITS = 0xFFFFFFFF
#: What is read and written when somebody begins or ends a spell in the community: all of it for a few people a day.
#: The end of a committal isn't among it: every month end asks it of everybody supervised, and of the rest nothing.
READ_AT_MOVES = (
    "latest",
    "report_due",
    "officer_since",
    "waiting_since",
    "warned_on",
    "allocated_on",
    "change_ratio",
    "income_from",
    "followed_from",
    "cohort_start",
    "short_cohort_start",
    "absent_on",
    "crises",
    "home_moves",
    "followed_cell",
    "first_after_release",
    "escalated",
    "home",
    "followed_release",
    "reoffended_since",
    "cohort_side",
    "cohort_failed",
    "short_cohort_failed",
)
#: What courts and the assessment of risk read of somebody, and what of them is asked before release. The area isn't
#: among it: in a byte each the areas of everybody lie near.
READ_AT_SENTENCE = (
    "report_asked",
    "rsr",
    "ogrs",
    "rosh",
    "mappa",
    "safeguarding",
    "public_interest",
    "deportation",
    "never_curfew",
    "report",
)

SENTENCES = (
    Column("person", "int32", "row of people", "Whose sentence it is."),
    Column("previous", "int32", "row of sentences", "The person's sentence before; -1 if none.", -1),
    Column("number", "int8", "count", "Number among the person's sentences, from 1."),
    Column("kind", "int8", "Kind", "Kind of sentence."),
    Column("status", "int8", "Status", "Where it stands."),
    Column("imposed", "int32", "day", "Day of sentence."),
    Column("offence", "int32", "day", "Day of the offence."),
    Column("length", "int32", "days", "Length of the order or of the whole custodial sentence."),
    Column("remand", "int16", "days", "Days on remand that count."),
    Column("custody_end", "int32", "day", "Conditional or automatic release date.", NEVER),
    Column("expiry", "int32", "day", "End of the sentence or order.", NEVER),
    Column(
        "supervision_end", "int32", "day", "End of post-sentence supervision; expiry if there is none.", NEVER
    ),
    Column("curfew_from", "int32", "day", "First day on which home detention curfew is possible.", NEVER),
    Column("extended", "int8", "0/1", "Extended sentence."),
    Column("unpaid_work_only", "int8", "0/1", "No requirement but unpaid work."),
    Column(
        "curfew_stage",
        "int8",
        "0 none, 1 papers, 2 enquiry, 3 approved, 4 refused",
        "Where the curfew papers stand.",
    ),
    Column("enquiries", "int8", "count", "Address enquiries made."),
    Column("recall_kind", "int8", "RecallKind", "Kind of the present or last recall."),
    Column("recalls", "int8", "count", "Recalls so far."),
    Column("returned", "int32", "day", "Return to prison after recall.", NEVER),
    Column("recall_pending", "int8", "0/1", "A recall report is being written."),
    Column("breach_pending", "int8", "0/1", "A breach is on its way to court."),
    Column("breach_known", "int32", "day", "Day the failure that must be referred became known.", NEVER),
    Column("breaches", "int8", "count", "Breach hearings so far."),
    Column("pack_returns", "int8", "count", "Times the present breach pack came back to be put right."),
    Column("released", "int32", "day", "First release.", NEVER),
    Column("failed", "int8", "0/1", "Ended unsuccessfully."),
    Column("activity", "int32", "row of requirements", "Rehabilitation activity required; -1 if none.", -1),
    Column("unpaid_work", "int32", "row of requirements", "Unpaid work required; -1 if none.", -1),
    Column("prepared", "int8", "0 none, 1 begun, 2 done", "Resettlement work before release."),
    Column("recall_reason", "int8", "RecallReason", "Why the present or last recall was asked for."),
    Column("recall_asked", "int32", "day", "Day on which the present or last recall was asked for.", NEVER),
    Column("parole", "int8", "Parole", "Where the review of the present recall stands."),
    Column("reviews", "int8", "count", "Reviews by the Parole Board in the present recall."),
    Column("warrant_since", "int32", "day", "Since when a warrant is out for not coming to the breach hearing.", NEVER),
    Column("applied", "int8", "0/1", "The officer has applied to end the order early for good progress."),
    Column("screened", "int8", "0 none, 1 screened, 2 plan written", "Screening at reception and resettlement plan."),
    Column("helped", "int8", "0 none, 1 begun, 2 done", "Help before release beyond the plan."),
    Column("home_found", "int8", "0/1", "A place to live was found before release."),
)

POSTS = (
    Column("key", "uint64", "packed area, employer, index", "Whose draws these are."),
    Column("area", "int8", "index of police area", "Where the post is."),
    Column("office", "int64", "index of office", "Office."),
    Column("employer", "int8", "0 NPS, 1 CRC", "Who employs the holder."),
    Column("grade", "int8", "Grade", "Grade."),
    Column("filled", "int8", "0/1", "Somebody is in post."),
    Column("holder", "int16", "count", "Number of the present holder; every new one draws anew."),
    Column("since", "int32", "day", "Start of the present holder."),
    Column("new_until", "int32", "day", "Reduced capacity until then.", NEVER),
    Column("present_days", "int32", "days", "Working days since the holder began."),
    Column("sick_until", "int32", "day", "First day back from sickness.", NEVER),
    Column("sick_spells", "int16", "count", "Sickness spells of this holder."),
    Column("leave_until", "int32", "day", "First day back from leave.", NEVER),
    Column("cases", "int32", "cases", "Cases held."),
    Column(
        "points",
        "int32",
        "points",
        "Tool points held, counted on Mondays and moved with every case given or taken.",
    ),
    Column("report_points", "int32", "points", "Tool points of reports that the holder has written this month."),
    Column("owed", "int32", "seconds", "Time overrun yesterday, taken from today."),
    Column("leaving_hazard", "float64", "hazard", "Accumulated hazard of leaving."),
    Column("leaving_threshold", "float64", "hazard", "Threshold of this holder."),
    Column(
        "pressure",
        "float64",
        "ratio",
        "Points held over points available on the last first of a month, times true over tool minutes; nobody's is 1.",
        1.0,
    ),
    Column("closed", "int8", "0/1", "Closed to save money, or with a redundancy: nobody is sought for it."),
    Column("saved", "int32", "seconds", "Unused time that a holder on reduced hours keeps for another day."),
    # Who holds the post, and on what hours
    Column("place", "int8", "Place", "Established post or training place."),
    Column("post_grade", "int8", "Grade", "Grade that the post is for."),
    Column("terms", "int8", "Terms", "Permanent or agency."),
    Column("hours", "int16", "hundredths of an hour a week", "Contracted hours of the holder."),
    Column("facility", "int16", "hundredths of an hour a week", "Trade-union facility time of the holder."),
    Column(
        "hours_left",
        "int16",
        "hundredths of an hour a week",
        "Contracted hours less the reductions that the workload tool knows; 0 while others hold the cases.",
    ),
    Column(
        "teaching",
        "int16",
        "hundredths of an hour a week",
        "Hours that trainees of the team take; the tool doesn't know of them.",
    ),
    Column("qualifies_on", "int32", "day", "Day on which a trainee qualifies.", NEVER),
    # Absence
    Column("sick_long", "int8", "0/1", "The present or last spell of sickness is a long one."),
    Column("away_until", "int32", "day", "First day back from maternity leave.", NEVER),
    Column("covered", "int8", "0/1", "Away so long that others hold the cases."),
    # The search for the next holder
    Column("stage", "int8", "Stage", "How far it has come."),
    Column("adverts", "int16", "count", "Searches begun so far."),
    Column("vacant_since", "int32", "day", "Since when the post has had no permanent holder.", NEVER),
    Column("leaving_reason", "int8", "Reason", "Why the holder leaves, once that is settled."),
)

TASKS = (
    Column("person", "int64", "row of people", "Whom it is about."),
    Column("sentence", "int64", "row of sentences", "Which sentence it belongs to; -1 if none.", -1),
    Column("kind", "int8", "Task", "What is to be done."),
    Column("seconds", "int32", "seconds", "Time it takes."),
    Column("due", "int32", "day", "When it is due."),
)

#: Pooled work of an area's court team or resettlement team.
QUEUES = (
    Column("row", "int64", "row of people or sentences", "What the work is about."),
    Column("area", "int8", "index of police area", "Whose team."),
    Column("seconds", "int32", "seconds", "Time it takes."),
    Column("due", "int32", "day", "When it is due."),
    Column("writer", "int8", "Writer", "Who writes a court report."),
)

#: Work of an area's resettlement team.
RESETTLEMENT = (
    *QUEUES,
    Column("kind", "int8", "0 plan, 1 work before release, 2 help", "What is to be done."),
)

#: People in prison whose search for a home before release has come so far that they could take a place.
SEEKERS = (
    Column("row", "int64", "row of sentences", "Whose release it is."),
    Column("area", "int8", "index of police area", "Where a place is wanted."),
    Column("due", "int32", "day", "Day of release."),
)

REQUIREMENTS = (
    Column("person", "int32", "row of people", "Whose order requires it."),
    Column("sentence", "int32", "row of sentences", "The order."),
    Column("number", "int8", "count", "Number of the order among the person's sentences, from 1."),
    Column("imposed", "int32", "day", "Day of the order."),
    Column("kind", "int8", "Requirement", "What is required."),
    Column("form", "int8", "Delivery or Programme", "By whom activity days are delivered, or which programme it is."),
    Column("progress", "int8", "Progress", "How far it has come."),
    Column("cell", "int16", "area x 2 + side", "Where it is counted: who supervised when it was last offered."),
    Column("ordered", "int16", "days, hours or sessions", "What the court ordered."),
    Column("due", "int16", "days, hours or sessions", "What is to be delivered of it by the rule in force."),
    Column("done", "int16", "days, hours or sessions", "What has been done of it."),
    Column("offered", "int16", "count", "Days or sessions offered, whether the person came or not."),
    Column("ready", "int32", "day", "First day on which it could begin."),
    Column("last", "int32", "day", "Last day offered.", NEVER),
    Column("began", "int32", "day", "First day kept, or first session of the group.", NEVER),
    Column("held", "int8", "0/1", "The NPS hasn't bought it from the company."),
    Column("booked", "int8", "0/1", "A session is in the officer's diary, as of this week."),
    Column("group", "int32", "row of programme groups", "The group the person is in; -1 if none.", -1),
    Column("bought_draw", "float32", "share", "Bought if purchase friction is at most this."),
    Column("enough_draw", "float32", "share", "Draw of how many days are thought enough where any number will do."),
)

PROGRAMME_GROUPS = (
    Column("area", "int8", "index of police area", "Where."),
    Column("programme", "int8", "Programme", "Which programme."),
    Column("began", "int32", "day", "First session."),
    Column("sessions", "int16", "count", "Sessions of the whole programme."),
    Column("held", "int16", "count", "Sessions held so far."),
    Column("members", "int16", "people", "Who is in it now."),
    Column("seats", "int16", "people", "Most it can take."),
    Column("running", "int8", "0/1", "Neither over nor withdrawn."),
)

REQUIREMENT_TOTALS = (
    Column("ordered", "int64", "days or hours", "Ordered by courts, what was ordered before the start included."),
    Column("done", "int64", "days or hours", "Done, what was done before the start included."),
    Column("lapsed", "int64", "days or hours", "Left undone when orders ended."),
)

# A word with its lowest bit set.
_ONE = np.uint64(1)

if TYPE_CHECKING:
    Array = NDArray[Any]


class People(Table):
    """People known to the model, in the order of their keys."""

    if TYPE_CHECKING:
        key: Array
        area: Array
        office: Array

    def __init__(self, capacity: int) -> None:
        super().__init__("people", PEOPLE, capacity, together=(READ_AT_CONTACT, PLACE, READ_AT_MOVES, READ_AT_SENTENCE))

    @property
    def places(self) -> Array:
        """The columns of :data:`PLACE` as records, for loops that look at a whole area or at everybody."""
        return self.groups[1]

    @property
    def place_words(self) -> Array:
        """The same as whole numbers of 64 bits, whose lower half is the officer: compared many at once."""
        return self.groups[1].view(np.int64)

    @property
    def moves(self) -> Array:
        """The columns of :data:`READ_AT_MOVES` as records."""
        return self.groups[2]


class Sentences(Table):
    """Sentences; several of one person may overlap."""

    def __init__(self, capacity: int) -> None:
        super().__init__("sentences", SENTENCES, capacity)


class Posts(Table):
    """Posts of case-holding officers and who is in them."""

    def __init__(self, capacity: int) -> None:
        super().__init__("posts", POSTS, capacity)


class Requirements(Table):
    """What orders require besides supervision; an order may have several."""

    def __init__(self, capacity: int) -> None:
        super().__init__("requirements", REQUIREMENTS, capacity)


@compiled
def _pack(values: Array, mask: NDArray[np.bool_], empty: float) -> None:
    """Move values where a mask holds to the front, in their order, and empty the rest of those it covers."""
    size = 0
    for at in range(mask.size):
        # Written whether it is kept or not, for the next overwrites it: a choice that can't be foreseen costs more.
        values[size] = values[at]
        size += mask[at]
    values[size : mask.size] = empty


@compiled
def _tasks_about(people: NDArray[np.intp], person: Array, tasks: int) -> NDArray[np.intp]:
    """Return the rows of the tasks about some people, of the first so many that there are."""
    high = people[0]
    for row in people:
        high = max(high, row)
    # A bit for each person: few enough bytes to stay at hand while all tasks are gone through.
    marks = np.zeros((high >> 6) + 1, dtype=np.uint64)
    for row in people:
        marks[row >> 6] |= _ONE << np.uint64(row & 63)
    places, many = np.empty(tasks + 1, dtype=np.intp), 0
    for task in range(tasks):
        row = person[task]
        places[many] = task
        # Written for all and kept for some: a choice that can't be foretold costs more than a number.
        word = marks[min(row, high) >> 6]
        many += np.intp((word >> np.uint64(row & 63)) & _ONE) * (row <= high)
    return places[:many]


@compiled
def _close_up(values: Array, places: NDArray[np.intp], size: int, empty: float) -> None:
    """Drop the values at some places, in order, of the first ``size``: the others close up, and the rest is empty."""
    kept = places[0]
    for number in range(places.size):
        end = places[number + 1] if number + 1 < places.size else size
        for at in range(places[number] + 1, end):
            values[kept] = values[at]
            kept += 1
    values[kept:size] = empty


class OpenTasks(Table):
    """Tasks not done yet. Rows are not identities: the table is packed every day."""

    def __init__(self, columns: tuple[Column, ...] = TASKS, name: str = "tasks") -> None:
        super().__init__(name, columns, 4096)
        #: How often it was packed, for who remembers what stands in which row; no state.
        self.packed = 0

    def append(self, rows: int, **columns: Any) -> None:
        """Add rows given as columns, or as one value for all of them."""
        new = slice(self.size, self.size + rows)
        self.extend(rows)
        mine = vars(self)
        for name, values in columns.items():
            mine[name][new] = values

    def make_room(self, rows: int) -> int:
        """Let a loop write so many rows behind those there are; return the place of the first.

        It counts as many as it wrote to :attr:`size`.
        """
        first = self.size
        self.extend(rows)
        self.size = first
        return first

    def forget(self, people: Array, kind: int | None = None) -> None:
        """Drop all tasks about people, or those of one kind."""
        if people.size:
            places = _tasks_about(np.ascontiguousarray(people, dtype=np.intp), self.person, self.size)
            if kind is not None:
                places = places[self.kind[places] == kind]
            if places.size:
                self.packed += 1
                for column in self.columns:
                    _close_up(getattr(self, column.name), places, self.size, column.empty)
                self.size -= places.size

    def keep(self, mask: Array) -> None:
        """Keep the rows where ``mask`` holds, in their order."""
        kept = int(np.count_nonzero(mask))
        if kept == self.size:
            return
        self.packed += 1
        for column in self.columns:
            _pack(getattr(self, column.name), mask, column.empty)
        self.size = kept
