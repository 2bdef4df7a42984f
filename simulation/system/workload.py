"""Work: points of the tool, and the time each kind of task takes.

The tariff fixes expected minutes only for a case worked to the NPS E3 pattern, by tier and setting. Contact,
recording, plan, review, enforcement and handover are inside it; administration is the remainder, found here when
parameters are read, and an error if negative. Any other pattern is the sum of its own tasks, so a call every six
weeks costs less. Points decide what the tool shows; tasks decide what the officer's day can hold.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulation.engine.calendar import MONTH_DAYS
from simulation.system.codes import Mode, Setting, Task, Tier
from simulation.system.levers import Levers

STAGES = ("early", "middle", "later")
_TARIFF = {
    Setting.ORDER: "community",
    Setting.LICENCE: "licence",
    Setting.SUPERVISION: "community",
    Setting.CUSTODY: "custody",
}
#: Patterns of companies: their contacts cost their tasks even where they are as frequent as under E3.
_OF_COMPANIES = ("crc", "brag")
#: Tiers whose cases count as high for home visits.
HIGH_TIERS = (Tier.A, Tier.B1, Tier.B2)
#: Kinds of work whose place in the queue depends on the operating model.
RANKED_BY_MODEL = ("contact", "plan", "review")
#: Kinds of court report, from 1 on.
REPORTS = ("oral", "short_written", "standard")


class WorkloadError(ValueError):
    """The tariff cannot hold the tasks that it is said to include."""


class Workload:
    """Points and seconds, read from the levers of the day.

    Attributes
    ----------
    models : tuple of str
        Operating models; the order is the code kept with each person.
    points : int64 array (setting, tier)
        Workload tool points a month.
    contact_seconds : int64 array (model, setting, tier, mode, rural)
        Time of one contact with everything that goes with it.
    with_person : int64 array (mode,)
        The part of it that is spent with the person; of a group session, each person's share.
    double_entry : int64 array (model,)
        The part of it that goes into a second record system.
    task_seconds : int64 array (task,)
        Time of every other task.
    interval_days : int64 array (model, stage, tier)
        Days between routine contacts.
    custody_interval : int
        Days between contacts with people in custody.
    giving_seconds : int
        Time of an officer who hands a case over.
    full_time : int
        Hours of a full-time officer, in hundredths of an hour a week.
    truth : float
        True minutes over the tool's.
    """

    def __init__(self, levers: Levers) -> None:
        self.levers = levers
        minutes = levers.mapping("workload.minutes")
        self.truth = levers.number("workload.true_to_tool_minutes")
        patterns = levers.mapping("organisation.pattern_of_model")
        self.models = tuple(patterns)
        self.pattern_of = [str(patterns[model]) for model in self.models]
        tiers = Tier.names
        tariff = levers.mapping("workload.tariff_points")
        self.points = np.zeros((len(Setting), len(tiers)), dtype=np.int64)
        for setting, table in _TARIFF.items():
            self.points[setting] = [round(tariff[table][tier]) for tier in tiers]
        intervals = levers.mapping("contact.interval_days")
        self.interval_days = np.array(
            [
                [[round(intervals[pattern][f"{stage}_{tier}"]) for tier in tiers] for stage in STAGES]
                for pattern in self.pattern_of
            ],
            dtype=np.int64,
        )
        self.custody_interval = levers.integer("contact.custody_interval_days")
        by_model = levers.mapping("workload.double_entry_minutes")
        self.double_entry_minutes = [float(by_model[model]) for model in self.models]
        self.double_entry = np.array([self._seconds(value) for value in self.double_entry_minutes], dtype=np.int64)
        self._read_modes(minutes)
        self.administration_minutes: dict[tuple[str, str], float] = {}
        #: Travel inside that, where it is paid apart, by model, tier, mode and urban or rural home.
        self.travel_seconds = np.zeros((len(self.models), len(tiers), len(Mode), 2), dtype=np.int64)
        self.contact_seconds = np.zeros((len(self.models), len(Setting), len(tiers), len(Mode), 2), dtype=np.int64)
        #: By model and tier: what a case costs is the tariff, whatever is done at its contacts.
        self.from_tariff = np.zeros((len(self.models), len(tiers)), dtype=np.bool_)
        for model in range(len(self.models)):
            for setting in _TARIFF:
                for tier in range(len(tiers)):
                    self._read_case(minutes, model, setting, tier)
        self.task_seconds = np.zeros(len(Task), dtype=np.int64)
        for task, name in enumerate(Task.names):
            if task != Task.CONTACT:
                self.task_seconds[task] = self._seconds(minutes[name.lower()])
        self.day_seconds = round(levers.number("workload.minutes_per_day_present") * 60)
        self.giving_seconds = self._seconds(minutes["handover_giving"])
        self.full_time = round(levers.number("workload.full_time_hours") * 100)
        self.points_per_month = levers.integer("workload.points_per_month")
        self._read_reports(minutes)

    def _read_reports(self, minutes: dict[str, float]) -> None:
        """Find the tool's points of reports, and the time of safeguarding checks."""
        points = self.levers.mapping("workload.report_points")
        #: Points of a parole report, and of a court report by its kind.
        self.parole_points = round(points["parole_report"])
        self.court_points = np.array([0, *(round(points[name]) for name in REPORTS)], dtype=np.int64)
        #: Time of a check with a plan, by model and tier: inside the tariff where the tariff decides.
        self.check_seconds = np.where(self.from_tariff, 0, self._seconds(minutes["safeguarding_check"]))

    def _read_modes(self, minutes: dict[str, float]) -> None:
        """Find minutes with the person, minutes of recording and of travel for each mode of contact."""
        levers = self.levers
        by_mode, group = levers.mapping("workload.mode_minutes"), levers.mapping("workload.group")
        #: Minutes with the person, of recording, and of travel (urban, rural), by mode.
        self.parts = np.zeros((len(Mode), 4))
        self.parts[Mode.TELEPHONE, :2] = minutes["telephone"], minutes["telephone_recording"]
        for mode in (Mode.FACE_TO_FACE, Mode.OPEN_BOOTH, Mode.CUSTODY):
            self.parts[mode] = (
                minutes["face_to_face"],
                minutes["recording"],
                minutes["travel_urban"],
                minutes["travel_rural"],
            )
        each = group["session_minutes"] * group["leaders"] / group["people"]
        self.parts[Mode.GROUP] = each, group["recording"], minutes["travel_urban"], minutes["travel_rural"]
        for mode, name in (
            (Mode.HOME_VISIT, "home_visit"),
            (Mode.DOORSTEP, "doorstep"),
            (Mode.VIDEO, "video"),
            (Mode.HUB_CALL, "hub_call"),
        ):
            part = by_mode[name]
            self.parts[mode] = part["with_person"], part["recording"], part["travel_urban"], part["travel_rural"]
        self.with_person = np.array([self._seconds(part) for part in self.parts[:, 0]], dtype=np.int64)

    def home_share(self, model: str, tier: int) -> float:
        """Return the share of routine visits that are made at home."""
        share = self.levers.mapping("contact.home_visit_share")[model]
        return float(share["high" if tier in HIGH_TIERS else "other"])

    def _read_case(self, minutes: dict[str, float], model: int, setting: int, tier: int) -> None:
        """Find the time of a contact with a case of one model, setting and tier, by every mode."""
        month = self.points[setting, tier] / self.levers.number("workload.points_per_hour") * 60
        if setting == Setting.CUSTODY:
            self.contact_seconds[model, setting, tier] = self._seconds(month * self.custody_interval / MONTH_DAYS)
            return
        pattern = self.pattern_of[model]
        e3 = self.levers.mapping("contact.interval_days")["e3"]
        tier_name = Tier.names[tier]
        as_e3 = [round(e3[f"{stage}_{tier_name}"]) for stage in STAGES]
        # The same contacts as under E3 cost the same; anything else is the sum of its tasks.
        if self.interval_days[model, :, tier].tolist() == as_e3 and pattern not in _OF_COMPANIES:
            self.from_tariff[model, tier] = True
            administration = self._remainder(minutes, model, setting, tier, month)
            for_calls = administration
            # Travel to the office is inside the tariff's average.
            travel = np.zeros((len(Mode), 2))
            travel[[Mode.HOME_VISIT, Mode.DOORSTEP]] = self.parts[[Mode.HOME_VISIT, Mode.DOORSTEP], 2:]
        else:
            administration = minutes["administration_" + pattern]
            for_calls = minutes["administration_call"]
            travel = self.parts[:, 2:]
        for mode in range(len(Mode)):
            rest = for_calls if mode in (Mode.TELEPHONE, Mode.HUB_CALL, Mode.VIDEO) else administration
            # The hub's agent has no case to look after, only the call.
            rest = 0 if mode == Mode.HUB_CALL else rest
            each = self.parts[mode, :2].sum() + rest + self.double_entry_minutes[model]
            for rural in (0, 1):
                self.travel_seconds[model, tier, mode, rural] = self._seconds(travel[mode, rural])
                self.contact_seconds[model, setting, tier, mode, rural] = self._seconds(each + travel[mode, rural])

    def _remainder(self, minutes: dict[str, float], model: int, setting: int, tier: int, month: float) -> float:
        """Return minutes of administration a contact: what the tariff leaves when all its tasks are paid."""
        inside = minutes["plan"] / minutes["plan_every_months"] + minutes["review"] / minutes["review_every_months"]
        inside += minutes["enforcement_a_month"] + minutes["handover_a_month"]
        contacts = MONTH_DAYS / self.interval_days[model, 2, tier]
        at_home = self.home_share(self.models[model], tier)
        home, office = self.parts[Mode.HOME_VISIT, :3].sum(), self.parts[Mode.FACE_TO_FACE, :2].sum()
        visit = (1 - at_home) * office + at_home * home + self.double_entry_minutes[model]
        administration = (month - inside) / contacts - visit
        tier_name, table = Tier.names[tier], _TARIFF[setting]
        if administration < 0:
            raise WorkloadError(
                f"tier {tier_name} {table}: the tariff gives {month:.0f} minutes a month, but {contacts:.2f} contacts "
                f"of {visit:.0f} minutes and {inside:.0f} minutes of other tasks need {contacts * visit + inside:.0f}; "
                "lower workload.minutes or raise workload.tariff_points"
            )
        self.administration_minutes[tier_name, table] = administration
        return float(administration)

    def priority(self) -> NDArray[np.int64]:
        """Return the place in the queue of each kind of work under each model (model, task), lowest first."""
        general = self.levers.mapping("workload.priority")
        own = self.levers.mapping("workload.priority_of_model")
        names = [name.lower() for name in Task.names]
        return np.array(
            [
                [round((own[model] if name in RANKED_BY_MODEL else general)[name]) for name in names]
                for model in self.models
            ],
            dtype=np.int64,
        )

    def _seconds(self, minutes: float) -> int:
        return round(minutes * 60 * self.truth)
