"""Contact: by whom, how often, face to face or by telephone; who comes, and what is noticed.

The interval follows tier and stage under the provider's pattern. Where the operating model holds a share of cases on
the telephone (a quarter of cases on a call every six weeks, in Gwent), the lowest-risk cases go on it after the early
weeks. Nobody at high risk, and no first appointment, is by telephone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulation.system.codes import SIDES, Task
from simulation.system.contact_loops import (
    CALLED,
    COUNTED,
    EXCUSED,
    IN_CUSTODY,
    OUTCOMES,
    SEEN,
    SEEN_FIRST,
    UNEXCUSED,
    Day,
    Draws,
    Rules,
    days_until_next,
    eligible_for_telephone,
    grouped,
    hold_contacts,
    live_sentences,
    next_contacts,
    occurrences,
    people_columns,
)
from simulation.system.service import COUNT_INDEX, Array, Rows, Service
from simulation.system.workload import PATTERNS, Workload

#: A first appointment is in time within so many working days of allocation, or of release.
_ALLOCATED_IN_TIME, _RELEASED_IN_TIME = 5, 1
#: So many working days never take longer than this.
_LOOK_BACK = 28
#: Longest wait told apart in the distribution of days to the first appointment.
_LONGEST_WAIT = 60


def operating_models(service: Service) -> list[list[str]]:
    """Return the operating model in force in each area on each side; one model where the service is one."""
    levers, geography = service.levers, service.geography
    models = levers.mapping("organisation.operating_model")
    unified = levers.grid("organisation.unified") > 0.5
    return [
        [
            "unified" if unified[area, side] else models[geography.provider_name(area, side)]
            for side in range(len(SIDES))
        ]
        for area in range(service.areas)
    ]


def by_operating_model(service: Service, names: list[list[str]], parameter: str) -> NDArray[np.float64]:
    """Return a parameter that is given by operating model for each area and side."""
    values = service.levers.mapping(parameter)
    return np.array([[values[model] for model in row] for row in names], dtype=np.float64)


class Contact:
    """Routine contact of a person with the service."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.failures = service.channel("unacceptable absences")
        self.risk_rises = service.channel("risk rises noticed")
        self._counted = np.array([COUNT_INDEX[name] for name in COUNTED], dtype=np.intp)

    def read(self, workload: Workload) -> None:
        """Take the levers of the day."""
        service, levers = self.service, self.service.levers
        self.workload = workload
        pattern_of = levers.mapping("organisation.pattern_of_model")
        names = operating_models(service)
        by_model = lambda name: by_operating_model(service, names, name).ravel()  # noqa: E731
        multiplier = levers.grid("contact.phone_only_multiplier").ravel()
        phone_share = np.clip(by_model("contact.phone_only_share") * multiplier, 0, 1)
        notice = levers.mapping("contact.notice_probability")
        self.rules = Rules(
            pattern=np.array([PATTERNS.index(pattern_of[model]) for row in names for model in row], dtype=np.int8),
            interval_days=workload.interval_days,
            early=levers.integer("contact.early_weeks") * 7,
            middle=levers.integer("contact.middle_until_week") * 7,
            # The cut is the share of all cases divided by the share of cases that are eligible.
            phone_cut=phone_share / levers.number("contact.phone_eligible_share"),
            phone_interval=(by_model("contact.phone_interval_weeks") * 7).astype(np.int64),
            floor=levers.grid("contact.face_to_face_floor_days").ravel(),
            step_up=levers.integer("contact.crisis_interval_days"),
            after_missed=levers.integer("contact.after_missed_days"),
            custody_interval=workload.custody_interval,
            miss=levers.grid("contact.missed_appointment_probability").ravel(),
            missed_call_ratio=float(levers.number("contact.missed_call_ratio")),
            missed_crisis_ratio=float(levers.number("contact.missed_crisis_ratio")),
            officer_change_days=float(levers.number("effects.officer_change_duration_weeks") * 7),
            officer_change_odds=float(levers.number("effects.officer_change_missed_odds_ratio")),
            notice_seen=float(notice["face_to_face"]),
            notice_called=float(notice["telephone"]),
            accepted_share=float(levers.number("contact.absence_accepted_share")),
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
        people = self.service.people
        return self.phone_eligible(rows) & (people.phone_draw[rows] < self.rules.phone_cut[people.cell[rows]])

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
        past = np.arange(today - _LOOK_BACK, today + 1, dtype=np.int32)
        passed = calendar.working_days_between(past, today)
        self._day = Day(
            today=today,
            month_begin=today - calendar.date(today).day + 1,
            allocated_in_time=int(past[passed <= _ALLOCATED_IN_TIME][0]),
            released_in_time=int(past[passed <= _RELEASED_IN_TIME][0]),
            before=before,
            after=after,
        )
        return self._day

    # --- What happens -----------------------------------------------------------------------------------------

    def hold(self, rows: Rows, mode: Array, first: NDArray[np.bool_]) -> None:
        """Hold the contacts that fitted into the day.

        Parameters
        ----------
        rows : int array
            Rows of people, in row order.
        mode : int array
            :class:`Mode` of each.
        first : bool array
            First appointments; never by telephone.
        """
        if rows.size == 0:
            return
        service, people, today = self.service, self.service.people, self.service.today
        counted = np.zeros((len(COUNTED), service.areas * 2), dtype=np.int64)
        columns = people_columns(people)
        outcome, noticed, outside, waited = hold_contacts(
            rows, mode.astype(np.int8), first, columns, self.rules, self.draws, self.day(), counted
        )
        service.flows[self._counted] += counted
        ordered, begins = grouped(rows, outcome, len(OUTCOMES))
        edges = begins.tolist()
        come_to = [ordered[edges[number] : edges[number + 1]] for number in OUTCOMES]
        service.tell("seen in custody", come_to[IN_CUSTODY])
        service.tell("seen", come_to[SEEN])
        service.tell("called", come_to[CALLED])
        service.tell("seen for the first time", come_to[SEEN_FIRST])
        if noticed.size:
            service.tell("change in need noticed", noticed, today - people.crisis_since[noticed])
            self.risk_rises.send(noticed)
        service.tell("missed, accepted", come_to[EXCUSED])
        service.tell("missed, not accepted", come_to[UNEXCUSED])
        # Absences that aren't accepted go to enforcement.
        self.failures.send(come_to[UNEXCUSED])
        if outside.size:
            sides = np.maximum(people.side[outside], 0)
            service.band("first_appointments_by_days", np.minimum(waited, _LONGEST_WAIT), sides)
        booked, days, again = next_contacts(rows, outcome, first, columns, self.rules, self.draws, self.day())
        service.agendas["contact"].put(booked, days)
        self.after_first_appointments(come_to[SEEN_FIRST], again)

    def after_first_appointments(self, came: Rows, missed: Rows) -> None:
        """Let the plan of those who came be written, and book a first appointment again for those who didn't."""
        service, calendar, levers = self.service, self.service.calendar, self.service.levers
        for rows, task, wait in (
            (came, Task.PLAN, "contact.plan_working_days"),
            (missed, Task.FIRST_APPOINTMENT, "contact.rebook_working_days"),
        ):
            if rows.size:
                due = calendar.after_working_days(service.today, levers.integer(wait))
                service.add_task(task, rows, due, int(self.workload.task_seconds[task]))

    def live_status(self, rows: Rows) -> tuple[Rows, NDArray[np.int8]]:
        """Return the sentence whose conditions an absence breaks, and its status (-1 where there is none)."""
        service = self.service
        sentences = service.sentences
        chosen = live_sentences(service.people.latest, sentences.previous, sentences.status, rows)
        status = np.where(chosen >= 0, sentences.status[chosen], -1).astype(np.int8)
        return chosen, status
