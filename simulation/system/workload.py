"""Work: points of the tool, and the time each kind of task takes.

The tariff fixes expected minutes only for a case worked to the NPS E3 pattern, by tier and setting. Contact,
recording, plan, review and enforcement are inside it; administration is the remainder, found here when parameters
are read, and an error if negative. Any other pattern is the sum of its own tasks, so a call every six weeks costs
less. Points decide what the tool shows; tasks decide what the officer's day can hold.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulation.system.codes import Mode, Setting, Task, Tier
from simulation.system.levers import Levers

#: Patterns of contact; the order is the code kept with each person.
PATTERNS = ("e3", "crc", "unified", "trust")
STAGES = ("early", "middle", "later")
MONTH_DAYS = 365.25 / 12
_TARIFF = {
    Setting.ORDER: "community",
    Setting.LICENCE: "licence",
    Setting.SUPERVISION: "community",
    Setting.CUSTODY: "custody",
}


class WorkloadError(ValueError):
    """The tariff cannot hold the tasks that it is said to include."""


class Workload:
    """Points and seconds, read from the levers of the day.

    Attributes
    ----------
    points : int64 array (setting, tier)
        Workload tool points a month.
    contact_seconds : int64 array (pattern, setting, tier, mode, rural)
        Time of one contact with everything that goes with it.
    task_seconds : int64 array (task,)
        Time of every other task.
    interval_days : int64 array (pattern, stage, tier)
        Days between routine contacts.
    custody_interval : int
        Days between contacts with people in custody.
    """

    def __init__(self, levers: Levers) -> None:
        minutes = levers.mapping("workload.minutes")
        per_hour = levers.number("workload.points_per_hour")
        truth = levers.number("workload.true_to_tool_minutes")
        tariff = levers.mapping("workload.tariff_points")
        tiers = Tier.names
        self.points = np.zeros((len(Setting), len(tiers)), dtype=np.int64)
        for setting, table in _TARIFF.items():
            self.points[setting] = [round(tariff[table][tier]) for tier in tiers]
        intervals = levers.mapping("contact.interval_days")
        self.interval_days = np.array(
            [
                [[round(intervals[pattern][f"{stage}_{tier}"]) for tier in tiers] for stage in STAGES]
                for pattern in PATTERNS
            ],
            dtype=np.int64,
        )
        self.custody_interval = levers.integer("contact.custody_interval_days")
        shape = (len(PATTERNS), len(Setting), len(tiers), len(Mode), 2)
        self.contact_seconds = np.zeros(shape, dtype=np.int64)
        inside = (
            minutes["plan"] / minutes["plan_every_months"]
            + minutes["review"] / minutes["review_every_months"]
        )
        inside += minutes["enforcement_a_month"]
        face = minutes["face_to_face"] + minutes["recording"]
        telephone = minutes["telephone"] + minutes["telephone_recording"]
        travel = np.array([minutes["travel_urban"], minutes["travel_rural"]])
        self.administration_minutes: dict[tuple[str, str], float] = {}
        for number, pattern in enumerate(PATTERNS):
            for setting in _TARIFF:
                for tier, tier_name in enumerate(tiers):
                    month = self.points[setting, tier] / per_hour * 60
                    if setting == Setting.CUSTODY:
                        custody = month * self.custody_interval / MONTH_DAYS
                        self.contact_seconds[number, setting, tier, :, :] = self._seconds(custody, truth)
                        continue
                    contacts = MONTH_DAYS / self.interval_days[number, 2, tier]
                    # The same contacts as under E3 cost the same; anything else is the sum of its tasks.
                    if (
                        not (self.interval_days[number, :, tier] == self.interval_days[0, :, tier]).all()
                        or pattern == "crc"
                    ):
                        each = face + minutes["administration_" + pattern]
                        whole = each + travel
                        call = telephone + minutes["administration_call"]
                    else:
                        each = (month - inside) / contacts
                        administration = each - face
                        if administration < 0:
                            raise WorkloadError(
                                f"tier {tier_name} {_TARIFF[setting]}: the tariff gives {month:.0f} minutes a month, "
                                f"but {contacts:.2f} contacts of {face:.0f} minutes and {inside:.0f} minutes of "
                                f"other tasks need {contacts * face + inside:.0f}; lower workload.minutes or "
                                "raise workload.tariff_points"
                            )
                        self.administration_minutes[tier_name, _TARIFF[setting]] = administration
                        # Travel is inside the tariff's average.
                        whole = np.array([each, each])
                        call = telephone + administration
                    for rural in (0, 1):
                        self.contact_seconds[number, setting, tier, Mode.FACE_TO_FACE, rural] = self._seconds(
                            whole[rural], truth
                        )
                        self.contact_seconds[number, setting, tier, Mode.TELEPHONE, rural] = self._seconds(
                            call, truth
                        )
        self.task_seconds = np.zeros(len(Task), dtype=np.int64)
        for task, name in enumerate(Task.names):
            if task != Task.CONTACT:
                self.task_seconds[task] = self._seconds(minutes[name.lower()], truth)
        # Inside the tariff of an E3 case: their time is the case's, so handover and enforcement are not charged twice.
        self.day_seconds = round(levers.number("workload.minutes_per_day_present") * 60)
        self.points_per_month = levers.integer("workload.points_per_month")

    @staticmethod
    def _seconds(minutes: float, truth: float) -> int:
        return round(minutes * 60 * truth)

    def case_points(self, setting: NDArray[np.int8], tier: NDArray[np.int8]) -> NDArray[np.int64]:
        """Return the tool's points of cases."""
        return self.points[setting, tier]
