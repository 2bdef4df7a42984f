"""Contact: by whom, how often, face to face or by telephone; who comes, and what is noticed.

The interval follows tier and stage under the provider's pattern. Where the operating model holds a share of cases on
the telephone (a quarter of cases on a call every six weeks, in Gwent), the lowest-risk cases go on it after the early
weeks. Nobody at high risk, and no first appointment, is by telephone.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from simulation.system.codes import Mode, Task
from simulation.system.contact_loops import (
    COUNTED,
    EXCUSED,
    MODES,
    SEEN_FIRST,
    UNCOUNTED,
    UNEXCUSED,
    Day,
    Draws,
    Rules,
    days_until_next,
    eligible_for_telephone,
    hold_contacts,
    occurrences,
    people_columns,
)
from simulation.system.hubs import Hubs
from simulation.system.mode_loops import in_person
from simulation.system.operating_models import by_operating_model, operating_models, read_ways
from simulation.system.service import COUNT_INDEX, Array, Rows, Service, add_up
from simulation.system.stocks import Telephone
from simulation.system.workload import Workload

_NO_ODDS = np.empty(0, dtype=np.float64)

#: Names of the modes in parameters, in the order of their codes.
_NAMES = ("face_to_face", "telephone", "custody", "open_booth", "home_visit", "doorstep", "video", "group", "hub_call")
#: What is told of each mode in which a contact was held.
TOLD = (
    (Mode.CUSTODY, "seen in custody"),
    (Mode.FACE_TO_FACE, "seen"),
    (Mode.OPEN_BOOTH, "seen in an open booth"),
    (Mode.HOME_VISIT, "seen at home"),
    (Mode.DOORSTEP, "seen at the doorstep"),
    (Mode.GROUP, "seen in a group"),
    (Mode.VIDEO, "seen by video"),
    (Mode.TELEPHONE, "called"),
    (Mode.HUB_CALL, "called by the hub"),
)
_CALLS = [Mode.TELEPHONE, Mode.HUB_CALL]
#: Counts that others add up to: over modes, and the rest of the time of contacts, which is administration.
TOTALS = {
    "contacts_face_to_face": {f"contacts_{name}": 1 for code, name in enumerate(MODES) if in_person(code)},
    "contacts_telephone": {"contacts_called": 1, "contacts_hub_call": 1},
    "seconds_contact_administration": {
        "seconds_contacts": 1,
        "seconds_with_people": -1,
        "seconds_on_calls": -1,
        "seconds_missed": -1,
        "seconds_double_entry": -1,
    },
}


class Contact:
    """Routine contact of a person with the service."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.failures = service.channel("unacceptable absences")
        self.risk_rises = service.channel("risk rises noticed")
        places = [-1 if name in UNCOUNTED else COUNT_INDEX[name] for name in COUNTED]
        self._places = np.array(places, dtype=np.intp)
        self._totals = np.array([COUNT_INDEX[name] for name in TOTALS], dtype=np.intp)
        self._weights = np.array([[parts.get(name, 0) for name in COUNTED] for parts in TOTALS.values()], dtype=np.int8)
        self.hubs = Hubs(service)
        #: By how much circumstances multiply people's odds of missing an appointment; None where they don't.
        self.odds_of: Callable[[Rows], NDArray[np.float64]] | None = None
        #: Called with people, each once, and what came of their contacts.
        self.on_held: list[Callable[[Rows, NDArray[np.int8]], None]] = []

    def read(self, workload: Workload) -> None:
        """Take the levers of the day."""
        service, levers = self.service, self.service.levers
        self.workload = workload
        names = operating_models(service)
        self.hubs.read(names)
        models = np.array([[workload.models.index(model) for model in row] for row in names], dtype=np.int8)
        self.models = levers.in_cells(models)
        self.ways = read_ways(service, names, self.models, self.hubs.open)
        by_model = lambda name: levers.in_cells(by_operating_model(service, names, name))  # noqa: E731
        multiplier = levers.cells("contact.phone_only_multiplier")
        phone_share = np.clip(by_model("contact.phone_only_share") * multiplier, 0, 1)
        missed = levers.mapping("contact.missed_ratio")
        #: Working days of allocation, and of release, within which a first appointment is in time.
        in_time = levers.mapping("targets.first_appointment_working_days")
        self.in_time = (int(in_time["allocated"]), int(in_time["released"]))
        #: Working days until a plan is due after the first appointment, and a first appointment after one missed.
        self.plan_days = levers.integer("contact.plan_working_days")
        self.rebook_days = levers.integer("contact.rebook_working_days")
        self.rules = Rules(
            model=self.models,
            interval_days=workload.interval_days,
            early=levers.integer("contact.early_weeks") * 7,
            middle=levers.integer("contact.middle_until_week") * 7,
            # The cut is the share of all cases divided by the share of cases that are eligible.
            phone_cut=phone_share / levers.number("contact.phone_eligible_share"),
            phone_interval=(by_model("contact.phone_interval_weeks") * 7).astype(np.int64),
            hub_share=by_model("contact.hub_share_of_calls"),
            floor=self.ways.floor,
            step_up=levers.integer("contact.crisis_interval_days"),
            after_missed=levers.integer("contact.after_missed_days"),
            custody_interval=workload.custody_interval,
            miss=levers.cells("contact.missed_appointment_probability"),
            missed_ratio=np.array([float(missed.get(name, 1.0)) for name in _NAMES]),
            missed_crisis_ratio=float(levers.number("contact.missed_crisis_ratio")),
            officer_change_days=float(levers.number("effects.officer_change_duration_weeks") * 7),
            officer_change_odds=float(levers.number("effects.officer_change_missed_odds_ratio")),
            most_missed=float(levers.number("contact.most_missed")),
            notice=self.notice(by_model("contact.also_seen_share")),
            colleague_notice=float(levers.number("contact.colleague_notice_ratio")),
            accepted_share=float(levers.number("contact.absence_accepted_share")),
            with_person=workload.with_person,
            double_entry=workload.double_entry,
            travel=workload.travel_seconds,
            odds=_NO_ODDS,
        )
        self.longest_interval = max(
            1, self.rules.custody_interval, int(self.rules.interval_days.max()), int(self.rules.phone_interval.max())
        )
        self._day: Day | None = None
        chance = service.chance
        self.draws = Draws(
            attendance=chance.constant("attendance"),
            noticing=chance.constant("noticing"),
            absence=chance.constant("absence accepted"),
            side_of_weekend=chance.constant("side of weekend"),
        )

    def notice(self, also_seen: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the chance that a contact notices a change, by cell and mode.

        Some of those on the telephone are also seen by unpaid work or interventions staff; between two calls that is
        one more chance to notice, shared out evenly here among all of them.

        Parameters
        ----------
        also_seen : float array (cells,)
            Share of those on the telephone.
        """
        levers = self.service.levers
        chances = levers.mapping("contact.notice_probability")
        booth = float(chances["face_to_face"]) * float(levers.number("contact.open_booth_disclosure"))
        by_mode = [booth if name == "open_booth" else float(chances.get(name, 0.0)) for name in _NAMES]
        found = np.tile(np.array(by_mode), (also_seen.size, 1))
        elsewhere = also_seen * float(chances["other_staff"])
        found[:, _CALLS] = 1 - (1 - found[:, _CALLS]) * (1 - elsewhere[:, np.newaxis])
        return found

    # --- How and when -----------------------------------------------------------------------------------------

    def phone_eligible(self, rows: Rows) -> NDArray[np.bool_]:
        """Tell who may be supervised by telephone alone: low or medium risk, past the early weeks."""
        people = people_columns(self.service.people)
        return eligible_for_telephone(people, rows, self.rules.early, self.service.today)

    def telephone_only(self, rows: Rows) -> NDArray[np.bool_]:
        """Tell who is on the telephone as a rule: the provider's share of its cases, taken from those eligible.

        The draw belongs to the person's sentence; the cut is the share of all cases divided by the share of cases
        that are eligible.
        """
        people, eligible = self.service.people, self.phone_eligible(rows)
        if not eligible.any():
            return eligible
        return eligible & (people.phone_draw[rows] < self.rules.phone_cut[people.cell[rows]])

    def telephone(self) -> Telephone:
        """Return by what to tell who is on the telephone as a rule, and whom of them the hub calls."""
        rules = self.rules
        hub_cut = np.where(self.hubs.open, rules.phone_cut * rules.hub_share, -np.inf)
        return Telephone(rules.early, rules.phone_cut, hub_cut)

    def interval(self, rows: Rows) -> NDArray[np.int64]:
        """Return days until the next routine contact of people in the community."""
        return days_until_next(people_columns(self.service.people), rows, self.rules, self.service.today)

    def occurrence(self, rows: Rows) -> NDArray[np.int64]:
        """Return the occurrence number of a contact's draws: sentence, spell in the community, count."""
        people = self.service.people
        return occurrences(people.sentences, people.spells, people.contacts, rows)

    def day(self) -> Day:
        """Return what the loops need to know of today."""
        calendar, today = self.service.calendar, self.service.today
        if self._day is not None and self._day.today == today:
            return self._day
        before, after = calendar.working_days_around(today, self.longest_interval + 1)
        self._day = Day(
            today=today,
            month_begin=today - calendar.date(today).day + 1,
            allocated_in_time=calendar.working_days_back(today, self.in_time[0]),
            released_in_time=calendar.working_days_back(today, self.in_time[1]),
            before=before,
            after=after,
        )
        return self._day

    # --- What happens -----------------------------------------------------------------------------------------

    def hold(
        self,
        rows: Rows,
        mode: Array,
        first: NDArray[np.bool_],
        seconds: NDArray[np.int64],
        by_colleague: NDArray[np.int8],
    ) -> None:
        """Hold the contacts that fitted into the day.

        Parameters
        ----------
        rows : int array
            Rows of people: routine contacts in row order, then first appointments.
        mode : int array
            :class:`Mode` of each.
        first : bool array
            First appointments; never by telephone.
        seconds : int array
            Time that each takes.
        by_colleague : int array
            1 where somebody stands in for the responsible officer.
        """
        if rows.size == 0:
            return
        service, people = self.service, self.service.people
        counted = np.zeros((service.cells, len(COUNTED)), dtype=np.int64)
        mode = mode.astype(np.int8, copy=False)
        rules = self.rules if self.odds_of is None else self.rules._replace(odds=self.odds_of(rows))
        held = hold_contacts(
            rows, mode, first, seconds, by_colleague, people_columns(people), rules, self.draws, self.day(), counted
        )
        add_up(counted.T, self._places, self._weights, self._totals, service.flows)
        edges, ordered, keys = held.begins.tolist(), held.ordered, held.keys

        def of(outcome: int) -> tuple[Rows, int, NDArray[np.uint64]]:
            begin, end = edges[outcome], edges[outcome + 1]
            return ordered[begin:end], 0, keys[begin:end]

        for outcome, what in TOLD:
            if edges[outcome] < edges[outcome + 1]:
                service.tell(what, *of(outcome))
        service.tell("seen or called by a colleague", held.stood_in)
        came, absent = of(SEEN_FIRST), of(UNEXCUSED)
        service.tell("seen for the first time", *came)
        if held.noticed.size:
            days_since = service.today - people.crisis_since[held.noticed]
            service.tell("change in need noticed", held.noticed, days_since)
            self.risk_rises.send(held.noticed)
        service.tell("missed, accepted", *of(EXCUSED))
        service.tell("missed, not accepted", *absent)
        for told in self.on_held:
            told(rows, held.outcome)
        # Absences that aren't accepted go to enforcement.
        self.failures.send(absent[0])
        if held.waits.size:
            service.band_counts("first_appointments_by_days", np.bincount(held.waits))
        service.agendas["contact"].put(held.booked, held.days)
        self.after_first_appointments(came[0], held.again)

    def after_first_appointments(self, came: Rows, missed: Rows) -> None:
        """Let the plan of those who came be written, and book a first appointment again for those who didn't."""
        service, calendar = self.service, self.service.calendar
        for rows, task, wait in (
            (came, Task.PLAN, self.plan_days),
            (missed, Task.FIRST_APPOINTMENT, self.rebook_days),
        ):
            if rows.size:
                due = calendar.after_working_days(service.today, wait)
                seconds = int(self.workload.task_seconds[task])
                service.add_task(task, rows, due, self.with_checks(rows, seconds) if task == Task.PLAN else seconds)

    def with_checks(self, rows: Rows, seconds: int) -> Array | int:
        """Return the time of plans: with a safeguarding check for those of concern if the tariff has none inside."""
        service, people, checks = self.service, self.service.people, self.workload.check_seconds
        if not checks.any():
            return seconds
        each = checks[self.models[people.cell[rows]], people.tier[rows]] * (people.safeguarding[rows] == 1)
        service.count("safeguarding_checks", rows[each > 0])
        service.count("safeguarding_seconds", rows, each)
        return each + seconds
