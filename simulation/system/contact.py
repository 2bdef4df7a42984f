"""Contact: by whom, how often, face to face or by telephone; who comes, and what is noticed.

The interval follows tier and stage under the provider's pattern. Where the operating model holds a share of cases on
the telephone (a quarter of cases on a call every six weeks, in Gwent), the lowest-risk cases go on it after the early
weeks. Nobody at high risk, and no first appointment, is by telephone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulation.engine import NEVER
from simulation.system.codes import SIDES, Location, Mode, Rosh, Status, Task, Tier
from simulation.system.quantiles import choose
from simulation.system.service import Array, Rows, Service
from simulation.system.workload import PATTERNS, Workload


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

    def read(self, workload: Workload) -> None:
        """Take the levers of the day."""
        service, levers = self.service, self.service.levers
        self.workload = workload
        pattern_of = levers.mapping("organisation.pattern_of_model")
        names = operating_models(service)
        by_model = lambda name: by_operating_model(service, names, name)  # noqa: E731
        multiplier = levers.grid("contact.phone_only_multiplier")
        self.phone_share = np.clip(by_model("contact.phone_only_share") * multiplier, 0, 1)
        self.phone_interval = (by_model("contact.phone_interval_weeks") * 7).astype(np.int64)
        self.pattern = np.array(
            [[PATTERNS.index(pattern_of[model]) for model in row] for row in names], dtype=np.int8
        )
        self.early = levers.integer("contact.early_weeks") * 7
        self.middle = levers.integer("contact.middle_until_week") * 7
        self.miss = levers.grid("contact.missed_appointment_probability")
        self.floor = levers.grid("contact.face_to_face_floor_days")

    # --- How and when -----------------------------------------------------------------------------------------

    def phone_eligible(self, rows: Rows) -> NDArray[np.bool_]:
        """Tell who may be supervised by telephone alone: low or medium risk, past the early weeks."""
        people = self.service.people
        return (
            (people.assessed_rosh[rows] < Rosh.HIGH)
            & (people.tier[rows] >= Tier.C2)
            & (people.contacts[rows] > 0)
            & (self.service.today - people.stage_start[rows] >= self.early)
            & (people.first_due_from[rows] == NEVER)
            & (people.work_only[rows] == 0)
        )

    def telephone_only(self, rows: Rows) -> NDArray[np.bool_]:
        """Tell who is on the telephone as a rule: the provider's share of its cases, taken from those eligible.

        The draw belongs to the person's sentence; the cut is the share of all cases divided by the share of cases
        that are eligible.
        """
        service, people = self.service, self.service.people
        cut = self.phone_share.ravel()[people.cell[rows]] / service.levers.number(
            "contact.phone_eligible_share"
        )
        chosen = np.flatnonzero(people.phone_draw[rows] < cut)
        on_telephone = np.zeros(rows.size, dtype=bool)
        on_telephone[chosen] = self.phone_eligible(rows[chosen])
        return on_telephone

    def by_telephone(self, rows: Rows) -> NDArray[np.bool_]:
        """Tell whose contact due today is a call: booked as one, unless stepped up, at high risk or due to be seen."""
        people = self.service.people
        on_telephone = (people.on_telephone[rows] == 1) & (people.crisis_noticed[rows] == 0)
        on_telephone &= people.assessed_rosh[rows] < Rosh.HIGH
        floor = self.floor.ravel()[people.cell[rows]]
        unseen = self.service.today - people.last_seen[rows]
        return on_telephone & ~((floor > 0) & (unseen + 14 >= floor))

    def interval(self, rows: Rows) -> NDArray[np.int64]:
        """Return days until the next routine contact of people in the community."""
        service, people = self.service, self.service.people
        cell = people.cell[rows]
        pattern = self.pattern.ravel()[cell]
        people.pattern[rows] = pattern
        age = service.today - people.stage_start[rows]
        stage = np.where(age < self.early, 0, np.where(age < self.middle, 1, 2))
        days = self.workload.interval_days[pattern, stage, people.tier[rows]]
        phone = self.telephone_only(rows)
        people.on_telephone[rows] = phone
        days = np.where(phone, self.phone_interval.ravel()[cell], days)
        floor = self.floor.ravel()[cell]
        days = np.where(floor > 0, np.minimum(days, np.maximum(floor, 7)), days)
        step_up = service.levers.integer("contact.crisis_interval_days")
        return np.where(people.crisis_noticed[rows] == 1, np.minimum(days, step_up), days).astype(np.int64)

    def schedule(self, rows: Rows, days: Array) -> None:
        """Book the next routine contact so many days ahead, on the nearest working day."""
        service, people = self.service, self.service.people
        wanted = rows[people.work_only[rows] == 0]
        days = days[people.work_only[rows] == 0]
        if wanted.size == 0:
            return
        day = self.nearest_working_day(wanted, service.today + days)
        soonest = service.calendar.after_working_days(service.today, 1)
        day = np.maximum(day, soonest)
        people.contact_due[wanted] = day
        service.agendas["contact"].put(wanted, day)

    def nearest_working_day(self, rows: Rows, days: Array) -> NDArray[np.int32]:
        """Move dates to the nearest working day; ties are settled by a draw, made only where a date must move."""
        service = self.service
        days = np.asarray(days, dtype=np.int32)
        move = np.flatnonzero(~service.calendar.is_working(days))
        if move.size:
            moved = rows[move]
            uniform = service.chance.uniform(
                service.people.key[moved], "side of weekend", self.occurrence(moved)
            )
            days = days.copy()
            days[move] = service.calendar.nearest_working_day(days[move], uniform)
        return days

    def occurrence(self, rows: Rows) -> NDArray[np.int64]:
        """Return the occurrence number of a contact's draws: sentence, spell in the community, count."""
        people = self.service.people
        return (
            people.sentences[rows].astype(np.int64) * 65536
            + people.spells[rows].astype(np.int64) * 1024
            + people.contacts[rows]
        )

    # --- What happens -----------------------------------------------------------------------------------------

    def hold(self, rows: Rows, mode: Array, first: NDArray[np.bool_]) -> None:
        """Hold the contacts that fitted into the day.

        Parameters
        ----------
        rows : int array
            Rows of people.
        mode : int array
            :class:`Mode` of each.
        first : bool array
            First appointments.
        """
        if rows.size == 0:
            return
        service, people = self.service, self.service.people
        in_custody = mode == Mode.CUSTODY
        inside = rows[in_custody]
        if inside.size:
            service.count("contacts_custody", inside)
            service.tell("seen in custody", inside)
            people.contacts[inside] += 1
            day = service.today + np.full(inside.size, self.workload.custody_interval)
            day = self.nearest_working_day(inside, day)
            people.contact_due[inside] = day
            service.agendas["contact"].put(inside, day)
            rows, mode, first = rows[~in_custody], mode[~in_custody], first[~in_custody]
            if rows.size == 0:
                return
        today, keys = service.today, people.key[rows]
        occurrence = self.occurrence(rows)
        first_attempt = first & (people.contacts[rows] == 0)
        people.contacts[rows] += 1
        attended = service.chance.uniform(keys, "attendance", occurrence) >= self.miss_probability(rows, mode)
        missed = ~attended
        face = mode == Mode.FACE_TO_FACE
        seen, called = rows[attended & face], rows[attended & ~face]
        service.count("contacts_face_to_face", seen)
        service.count("contacts_telephone", called)
        service.tell("seen", rows[attended & face & ~first])
        service.tell("called", called)
        service.tell("seen for the first time", rows[attended & first])
        people.last_seen[seen] = today
        fresh = seen[(people.seen_since_release[seen] == 0) & (people.released_on[seen] != NEVER)]
        people.seen_since_release[fresh] = 1
        service.count("released_seen_first_week", fresh[today - people.released_on[fresh] <= 7])
        self.first_appointments(rows[first_attempt], rows[first & attended])
        self.notice(rows[attended], mode[attended], keys[attended], occurrence[attended])
        self.absences(rows[missed], keys[missed], occurrence[missed])
        days = self.interval(rows)
        again = service.levers.integer("contact.after_missed_days")
        days = np.where(missed, np.minimum(days, again), days)
        repeat = first & missed
        routine = ~repeat
        self.schedule(rows[routine], days[routine])
        if repeat.any():
            due = service.calendar.add_working_days(
                np.full(int(repeat.sum()), today), service.levers.integer("contact.rebook_working_days")
            )
            service.add_task(
                Task.FIRST_APPOINTMENT,
                rows[repeat],
                due,
                int(self.workload.task_seconds[Task.FIRST_APPOINTMENT]),
            )

    def miss_probability(self, rows: Rows, mode: Array) -> NDArray[np.float64]:
        """Return the chance that an appointment is missed."""
        service, people, levers = self.service, self.service.people, self.service.levers
        chance = self.miss.ravel()[people.cell[rows]] * people.miss_factor[rows].astype(np.float64)
        chance = np.where(mode == Mode.TELEPHONE, chance * levers.number("contact.missed_call_ratio"), chance)
        chance = np.where(
            people.crisis_since[rows] != NEVER, chance * levers.number("contact.missed_crisis_ratio"), chance
        )
        weeks = levers.number("effects.officer_change_duration_weeks")
        recent = (people.officer_changed_on[rows] != NEVER) & (
            service.today - people.officer_changed_on[rows] < weeks * 7
        )
        odds = (
            chance
            / (1 - np.minimum(chance, 0.95))
            * levers.number("effects.officer_change_missed_odds_ratio")
        )
        chance = np.where(recent, odds / (1 + odds), chance)
        return np.minimum(chance, 0.95)

    def first_appointments(self, kept: Rows, met: Rows) -> None:
        """Count first appointments that the service kept, and start the plan of those who came."""
        service, people = self.service, self.service.people
        today = service.today
        released = people.first_after_release[kept] == 1
        working = service.calendar.working_days_between(people.allocated_on[kept], np.full(kept.size, today))
        since_release = service.calendar.working_days_between(
            people.first_due_from[kept], np.full(kept.size, today)
        )
        days = today - people.first_due_from[kept]
        for name, mine, in_time in (
            ("community", ~released, working <= 5),
            ("release", released, since_release <= 1),
        ):
            service.count(f"first_appointments_{name}", kept[mine])
            service.count(f"first_appointment_days_{name}", kept[mine], days[mine])
            service.count(f"first_appointments_{name}_in_time", kept[mine & in_time])
        service.band(
            "first_appointments_by_days",
            np.minimum(days[~released], 60),
            np.maximum(people.side[kept[~released]], 0),
        )
        people.first_due_from[met] = NEVER
        due = service.calendar.after_working_days(today, service.levers.integer("contact.plan_working_days"))
        service.add_task(Task.PLAN, met, due, int(self.workload.task_seconds[Task.PLAN]))

    def notice(self, rows: Rows, mode: Array, keys: Array, occurrence: Array) -> None:
        """Notice a change in need or risk with a probability by mode; until noticed it goes on."""
        service, people, levers = self.service, self.service.people, self.service.levers
        changed = (people.crisis_since[rows] != NEVER) & (people.crisis_noticed[rows] == 0)
        if not changed.any():
            return
        rows, mode, keys, occurrence = rows[changed], mode[changed], keys[changed], occurrence[changed]
        chance = levers.mapping("contact.notice_probability")
        by_mode = np.array([chance["face_to_face"], chance["telephone"], 0.0])[mode]
        noticed = service.chance.uniform(keys, "noticing", occurrence) < by_mode
        found = rows[noticed]
        people.crisis_noticed[found] = 1
        service.count("crises_noticed", found)
        service.count("detection_days", found, service.today - people.crisis_since[found])
        first = service.today - service.calendar.date(service.today).day + 1
        service.count(
            "crisis_unnoticed_days", found, service.today - np.maximum(people.crisis_since[found], first)
        )
        service.tell("change in need noticed", found, service.today - people.crisis_since[found])
        self.risk_rises.send(found)

    def absences(self, rows: Rows, keys: Array, occurrence: Array) -> None:
        """Accept or not accept absences; those not accepted go to enforcement."""
        service = self.service
        accepted = service.chance.uniform(keys, "absence accepted", occurrence) < service.levers.number(
            "contact.absence_accepted_share"
        )
        service.count("absences_acceptable", rows[accepted])
        service.count("absences_unacceptable", rows[~accepted])
        service.tell("missed, accepted", rows[accepted])
        service.tell("missed, not accepted", rows[~accepted])
        self.failures.send(rows[~accepted])

    def live_status(self, rows: Rows) -> tuple[Rows, NDArray[np.int8]]:
        """Return the sentence whose conditions an absence breaks, and its status (-1 where there is none)."""
        service = self.service
        sentence = service.live_sentence(rows, (Status.CURFEW, Status.LICENCE))
        order = service.live_sentence(rows, (Status.ORDER,))
        supervision = service.live_sentence(rows, (Status.SUPERVISION,))
        chosen = np.where(sentence >= 0, sentence, np.where(order >= 0, order, supervision))
        status = np.where(chosen >= 0, service.sentences.status[chosen], -1).astype(np.int8)
        return chosen, status


__all__ = ["Contact", "Location", "choose"]
