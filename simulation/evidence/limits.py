"""What theory says of the model where its parameters leave it no choice: degenerate limits, a queue, a coin.

Short runs of one area under parameters at the end of their range, or with the one chance that a law is about. Laws of
nobody and nothing are exact. Where chance decides, the tolerance is four standard errors of the binomial, stated beside
the answer: one honest run in 16,000 would be outside.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulation.evidence.laws import ERRORS, Law
from simulation.evidence.model_laws import each, read_inputs, rows_of, shortened
from simulation.scenario import Assignment, Change, Scenario, load_geography, resolve
from simulation.system import Model, RunRequest
from simulation.system.codes import Kind, Location, Status
from simulation.system.demand import area_shares
from simulation.system.population import GROUPS
from simulation.system.tracing import UNLIMITED

#: Short runs are of a quarter; the one in which everything ends is of a year.
START, END = date(2018, 1, 1), date(2018, 3, 31)
YEAR_END = date(2018, 12, 31)

#: No officer, court team or resettlement team can make one person wait for another.
ALL_THE_TIME: dict[str, Any] = {
    **UNLIMITED,
    "workload.hub_agent_minutes_a_day": 100_000,
    "staff.maternity.rate": 0,
    "staff.trainee.leaving_rate": 0,
}
#: Nobody who holds cases, and no agent of a hub, has a minute.
NO_TIME: dict[str, Any] = {"workload.minutes_per_day_present": 0, "workload.hub_agent_minutes_a_day": 0}
EVERYBODY_ATTENDS: dict[str, Any] = {"contact.missed_appointment_probability": 0}
#: Every chance to miss is at least 1, whoever it is; the rule below caps it.
EVERYBODY_MISSES: dict[str, Any] = {
    "contact.missed_appointment_probability": 1,
    "contact.miss_factor": {"p0": 20, "p25": 20, "p50": 20, "p75": 20, "p100": 20},
}
#: Reports all of one length, which nobody but the court team writes, and a team that has hardly more hours than they
#: take: a queue with deterministic service.
ONE_LENGTH: dict[str, Any] = {
    "courts.report_mix": {"oral": 0, "short_written": 0, "standard": 1},
    "courts.services_officer_share": {"oral": 0, "short_written": 0},
    "courts.duty_share": 0,
    "courts.team_utilisation": 0.95,
}
#: Whoever is sentenced, to whatever.
DEMAND = (
    "courts.community_sentences_imposed",
    "courts.suspended_sentences_imposed",
    "courts.immediate_custody_imposed",
)
#: Nobody comes back, is recalled or brought to court for breach, dies or is removed: sentences run as they were set.
NOTHING_HAPPENS: dict[str, Any] = {
    **EVERYBODY_ATTENDS,
    "community.reoffending_ratio": 0,
    "community.death_rate": 0,
    "custody.hdc.curfew_recall_share": 0,
    "enforcement.early_revocation_share": 0,
    "enforcement.probability_started_crc": 0,
    "enforcement.probability_started_nps": 0,
    "population.deportation_share": dict.fromkeys(GROUPS, 0),
    "population.pending_convictions_ratio": 0,
    "recall.per_further_charge": 0,
    "recall.per_risk_rise_noticed": 0,
    "recall.per_unacceptable_absence": 0,
    "recall.per_another_absence": 0,
}


def model(area: str, seed: int, overrides: dict[str, Any], scenario: Scenario | None = None) -> Model:
    """Return a model of one area, not run yet, with parameters that hold from the first day and before it."""
    scenario = scenario or shortened("baseline", START, END)
    parameters = read_inputs()[0]
    return Model(RunRequest(resolve(scenario, parameters, load_geography(), overrides=overrides, areas=area), seed))


def totals(run: Model) -> dict[str, int]:
    """Return each count of a run, added up over months, sides and areas."""
    found: dict[str, int] = defaultdict(int)
    for _, _, group, _, measure, value, _ in rows_of(run.output()):
        if group == "all":
            found[measure] += int(value)
    return found


def counts(area: str, seed: int, overrides: dict[str, Any]) -> dict[str, int]:
    """Run a quarter of one area and return its counts, see :func:`totals`."""
    run = model(area, seed, overrides)
    run.run()
    return totals(run)


def none_of(name: str, found: dict[str, int], none: Iterable[str], some: str) -> Law:
    """Return the law that some counts are all nothing, though another that could have led to them isn't."""
    none = tuple(none)
    seen = [f"{found[one]:,} {one}" for one in none if found[one]]
    expected, told = f"none of {', '.join(none)}", f"{', '.join(seen) or 'none'}; {found[some]:,} {some}"
    return Law(name, expected.replace("_", " "), told.replace("_", " "), not seen and found[some] > 0)


def share(name: str, chance: float, tries: int, hits: int, what: str) -> Law:
    """Return the law that a chance is what it should be, to four standard errors of so many tries."""
    error = ERRORS * math.sqrt(chance * (1 - chance) / tries) if tries else 0.0
    seen = hits / tries if tries else math.nan
    ok = tries > 0 and abs(seen - chance) <= error
    return Law(name, f"{chance:.1%} ± {error:.1%}", f"{seen:.1%} of {tries:,} {what}", ok)


# --- All, nothing, everybody, nobody ----------------------------------------------------------------------------


def all_the_time(area: str, seed: int) -> Law:
    """With all the time in the world nothing waits for an officer or a team."""
    none = ("contacts_cancelled", "contacts_downgraded", "hub_calls_put_off", "reports_late", "tasks_waiting")
    # Somebody wanted under a warrant is waited for, whatever time there is.
    found = counts(area, seed, {**ALL_THE_TIME, "enforcement.no_show_share": 0})
    return none_of("with all the time in the world nothing waits", found, none, "contacts_due")


def no_time(area: str, seed: int) -> Law:
    """With no time at all nobody is seen or called, and nothing follows that somebody has to write."""
    none = (
        "contacts_face_to_face", "contacts_telephone", "contacts_video", "contacts_custody",
        "absences_acceptable", "absences_unacceptable", "warnings", "breaches_referred",
        "plans_done", "crises_noticed", "recalls_for_absence", "recalls_for_risk", "recalls_for_charge",
        "seconds_worked", "hub_seconds_worked",
    )  # fmt: skip
    return none_of("with no time at all nothing is done", counts(area, seed, NO_TIME), none, "contacts_cancelled")


def everybody_attends(area: str, seed: int) -> Law:
    """Where nobody misses an appointment nobody is warned, breached or recalled for it."""
    none = ("absences_acceptable", "absences_unacceptable", "warnings", "breaches_due", "recalls_for_absence")
    found = counts(area, seed, EVERYBODY_ATTENDS)
    return none_of("everybody attends: nobody is warned", found, none, "contacts_face_to_face")


def everybody_misses(area: str, seed: int) -> Law:
    """Where everybody misses all they can, the share missed is the most that the rules of contact allow."""
    found = counts(area, seed, EVERYBODY_MISSES)
    missed = found["absences_acceptable"] + found["absences_unacceptable"]
    made = sum(found[f"contacts_{way}"] for way in ("face_to_face", "telephone", "video"))
    most = float(read_inputs()[0]["contact.most_missed"].value)
    return share("everybody misses: share of contacts missed", most, missed + made, missed, "contacts")


def nobody_arrives(area: str, seed: int) -> list[Law]:
    """Where nobody is sentenced and nothing happens, stocks only fall, and sentences end on their own last day.

    The last day is the end of supervision after prison or of the sentence, whichever is later. Only life sentences have
    none.
    """
    stopped = tuple(Change(start=START, assignments=(Assignment("multiply", name, 0),)) for name in DEMAND)
    run = model(area, seed, NOTHING_HAPPENS, replace(shortened("baseline", START, YEAR_END), changes=stopped))
    sentences = run.service.sentences
    at_start, days = _live(run), (YEAR_END - START).days + 1
    first, live, people = sentences.size, [at_start.size], [_supervised(run)]
    for day in range(7, days + 7, 7):
        run.run(min(day, days))
        live.append(_live(run).size)
        people.append(_supervised(run))
    rises = sum(now > before for stock in (live, people) for before, now in itertools.pairwise(stock))
    new = sentences.size - first
    last = np.maximum(sentences.expiry[at_start], sentences.supervision_end[at_start])
    expected = at_start[(sentences.kind[at_start] != Kind.INDETERMINATE) & (last >= days)]
    left = _live(run)
    left = left[sentences.kind[left] != Kind.INDETERMINATE]
    return [
        Law(
            "nobody arrives: stocks only fall",
            "0 rises, 0 new sentences",
            f"{rises} rises, {new} new sentences; from {people[0]:,} people to {people[-1]:,}",
            rises == 0 and new == 0 and people[-1] < people[0],
        ),
        Law(
            "nobody arrives: each sentence ends on its last day",
            f"{expected.size:,} of {live[0]:,} left after a year, the same ones",
            f"{left.size:,} left, {np.intersect1d(expected, left).size:,} of them expected",
            bool(np.array_equal(expected, left)) and left.size < live[0],
        ),
    ]


def _live(run: Model) -> NDArray[np.intp]:
    """Return the rows of sentences that aren't over."""
    sentences = run.service.sentences
    return np.flatnonzero(sentences.status[: sentences.size] != Status.ENDED)


def _supervised(run: Model) -> int:
    """Return how many people are before a court, in the community, in prison or at large."""
    people = run.service.people
    place = people.location[: people.size]
    return int(np.count_nonzero((place != Location.UNKNOWN) & (place < Location.ENDED)))


# --- The court team's queue -------------------------------------------------------------------------------------


def report_queue(area: str, seed: int) -> Law:
    """Reports of one length: what waits every night is the exact discrete-time queue of the reports asked for.

    A working day gives the team its hours less what it worked too long before. A report is begun while any time is
    left, so that so many are written as it takes to use that up; the rest is owed on the next working day. Who is
    written first makes no difference to how many wait.
    """
    run = model(area, seed, ONE_LENGTH)
    service, days = run.service, (END - START).days + 1
    asked, removed, died = ([0] * days for _ in range(3))
    about: set[int] = set()
    tell = service.tell

    def telling(kind: str, rows: NDArray[np.intp], *rest: Any, **named: Any) -> None:
        people, today = set(rows.tolist()), service.today
        if kind == "report asked for":
            asked[today] += len(people)
            about.update(people)
        elif kind in ("died", "removed from the country"):
            # What was asked for about them isn't needed; people are removed in the morning, and die after court.
            (died if kind == "died" else removed)[today] += len(people & about)
        if kind in ("report delivered", "died", "removed from the country"):
            about.difference_update(people)
        tell(kind, rows, *rest, **named)

    service.tell = telling  # type: ignore[method-assign]
    seen = []
    for day in range(days):
        run.run(day + 1)
        seen.append(service.court_queue.size)
    one = round(run.service.levers.mapping("courts.report_hours")["standard"] * 3600)
    capacity = _team_seconds(run, area)
    expected = []
    queue, owed = 0, 0
    for day in range(days):
        queue -= removed[day]
        if service.calendar.is_working(day):
            queue += asked[day]
            left = capacity - owed
            written = min(queue, max(0, math.ceil(left / one)))
            queue -= written
            owed = max(0, written * one - left)
        queue -= died[day]
        expected.append(queue)
    alike = sum(mine == theirs for mine, theirs in zip(expected, seen, strict=True))
    return Law(
        "court reports of one length: the exact queue",
        f"{sum(expected):,} nights of waiting for {sum(asked):,} reports, the same on {days} nights",
        f"{sum(seen):,} nights, the same on {alike} nights",
        expected == seen,
    )


def _team_seconds(run: Model, area: str) -> int:
    """Return the seconds of an area's court team in a working day of the run's year, from its parameters.

    A year's reports, and those of people who come back, are shared among areas and working days; at the stated
    utilisation they take the team's time.
    """
    geography, levers, calendar = load_geography(), run.service.levers, run.service.calendar
    reports = dict(run.service.resolved.series("courts.pre_sentence_reports"))
    working = sum(calendar.is_working(day) for day in range((YEAR_END - START).days + 1))
    a_day = reports[date(START.year, 1, 1)] / working
    hours = levers.mapping("courts.report_hours")["standard"] * levers.number("courts.report_coverage")
    share_of_area = float(area_shares(geography)[geography.areas.index(area)])
    return math.floor(share_of_area * a_day * hours * 3600 / levers.number("courts.team_utilisation"))


# --- The Parole Board -------------------------------------------------------------------------------------------


def parole(area: str, seed: int, chance: float = 0.25) -> list[Law]:
    """Reviews are tried until one lets the person out: geometric, so the first has the same chance as later ones.

    Every recall is for the Board, most absences on licence lead to one, and reviews come every few days, so that a
    quarter sees some hundreds. The first law says that the results count all of them, the others what became of them.
    """
    often: dict[str, Any] = {
        **ALL_THE_TIME,
        "recall.per_unacceptable_absence": 0.9,
        "recall.per_another_absence": 0.9,
        "recall.fixed_term_share_of_allowed": 0,
        "recall.standard_days": dict.fromkeys(("p0", "p25", "p50", "p75", "p90", "p100"), 14),
        "recall.parole_release_share": chance,
        "recall.parole_review_days": dict.fromkeys(("p0", "p25", "p50", "p75", "p100"), 7),
        "recall.parole_next_review_days": 3,
        "recall.parole_deferral_days": 1,
    }
    run = model(area, seed, often)
    sentences = run.service.sentences
    #: Reviews and releases: the first review of a recall, and later ones.
    tries, out = [0, 0], [0, 0]
    before = sentences.reviews[: sentences.size].copy()
    for day in range((END - START).days + 1):
        run.run(day + 1)
        now = sentences.reviews[: sentences.size].copy()
        then = np.zeros_like(now)
        then[: before.size] = before
        for row in np.flatnonzero(now > then).tolist():
            later = int(now[row] > 1)
            tries[later] += 1
            out[later] += int(sentences.status[row] != Status.RECALLED)
        before = now
    found = totals(run)
    counted, seen = (found["parole_reviews"], found["parole_releases"]), (sum(tries), sum(out))
    name = "the Parole Board lets people out with its own chance"
    return [
        Law(
            "reviews by the Parole Board, and releases, are counted",
            " and ".join(f"{many:,}" for many in seen),
            " and ".join(f"{many:,}" for many in counted),
            counted == seen,
        ),
        share(f"{name}: first review", chance, tries[0], out[0], "reviews"),
        share(f"{name}: later reviews", chance, tries[1], out[1], "reviews"),
    ]


LIMIT_LAWS: tuple[tuple[str, Callable[[str, int], Law | list[Law]]], ...] = (
    ("all the time", all_the_time),
    ("no time", no_time),
    ("everybody attends", everybody_attends),
    ("everybody misses", everybody_misses),
    ("nobody arrives", nobody_arrives),
    ("report queue", report_queue),
    ("parole", parole),
)
"""Laws by name; each takes an area and a seed, and makes its own run."""


def limit_laws(area: str, seed: int) -> Iterable[Law]:
    """Yield every law of limits, tried."""
    for name, test in LIMIT_LAWS:
        yield from each(name, lambda test=test: test(area, seed))  # type: ignore[misc]


__all__ = ["LIMIT_LAWS", "limit_laws"]
