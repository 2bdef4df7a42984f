"""Staffing: officers fall sick, take leave, go, and are replaced; their cases go to others."""

from __future__ import annotations

import calendar
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from simulation.engine.calendar import MONTH_DAYS, YEAR_DAYS
from twin.officers import FULL_TIME, Officer
from twin.world import CRC, NPS, Process, World, at_percentile

if TYPE_CHECKING:
    from twin.office import Area

#: What a search for an officer goes through, from 1.
STAGES = ("advert", "vetting", "start")


class Staffing:
    """Whoever sees, every evening, who will be at work tomorrow.

    Parameters
    ----------
    area : Area
    """

    def __init__(self, area: Area) -> None:
        self.area, self.world = area, area.world

    def months(self) -> Process:
        """On the first of each month: feel the load, and perhaps decide to go on a day of this month."""
        world = self.world
        while True:
            yield from world.every_day("hazards of leaving")
            if world.is_first_of_month():
                for officer in world.officers:
                    officer.pressure = pressure_of(officer)
                    if officer.filled:
                        self.think_of_leaving(officer)

    def evenings(self) -> Process:
        """Each working day: who falls sick from tomorrow, and at the end of a week who has leave in the next."""
        world = self.world
        while True:
            yield from world.every_day("absences")
            if not world.is_working(world.today):
                continue
            for officer in world.officers:
                if not officer.filled:
                    continue
                officer.days_in_post += 1
                if not officer.is_sick() and not officer.is_on_leave():
                    self.maybe_sick(officer)
                if is_end_of_week(world):
                    self.maybe_leave(officer)

    # Sickness and leave

    def maybe_sick(self, officer: Officer) -> None:
        """Draw whether a spell of sickness begins tomorrow: a long one, a short one, or none."""
        world = self.world
        draw = officer.draw("falls sick", officer.day_in_post())
        chance_of_long = chance_of_spell(officer, "long")
        if draw >= chance_of_long + chance_of_spell(officer, "short"):
            return
        lengths = world.table(f"staff.sickness_{'long' if draw < chance_of_long else 'short'}_days")
        days = whole_days(at_percentile(lengths, officer.draw("length of sickness", officer.day_in_post())))
        officer.sick_until = world.working_days_later(world.today, days + 1)
        world.tell(officer, "falls sick", officer.sick_until)
        move_after = int(world.value("staff.sickness_cases_move_days"))
        if days > move_after:
            others_take_over = world.working_days_later(world.today, move_after)
            officer.plan("cases move", others_take_over, lambda: self.cover(officer))
            officer.plan("returns", officer.sick_until, lambda: self.come_back(officer))

    def maybe_leave(self, officer: Officer) -> None:
        """Draw whether the officer has leave in the week after, if well on its first day."""
        world = self.world
        monday = world.today + 7 - int(world.calendar.weekday(world.today))
        first_day = world.working_day_after(monday)
        if officer.sick_until is not None and officer.sick_until > first_day:
            return
        days = world.value("workload.working_days_a_year") - world.value("staff.sickness_days")
        if officer.draw("week of leave", officer.day_in_post()) < world.value("staff.leave_days") / days:
            officer.leave_until = monday + 7
            world.tell(officer, "leave next week")

    def cover(self, officer: Officer) -> None:
        """Away for so long that others get the cases."""
        self.world.tell(officer, "others get the cases")
        officer.is_covered = True
        officer.owes = officer.saved = 0
        self.area.allocation.orphan(officer, "officer away for long")

    def come_back(self, officer: Officer) -> None:
        """Back at work, with no cases."""
        if officer.is_covered:
            self.world.tell(officer, "back at work")
            officer.is_covered = False

    # Leaving

    def think_of_leaving(self, officer: Officer) -> None:
        """Add up the hazard of the month: who crosses the threshold goes on a day of it."""
        world = self.world
        date = world.calendar.date(world.today)
        days = calendar.monthrange(date.year, date.month)[1]
        step = rate_of_leaving(officer) * days / YEAR_DAYS
        threshold = world.exponential(officer.key, "leaving", officer.holder)
        if step > 0 and officer.hazard + step >= threshold and "leaves" not in officer.ahead:
            into = (threshold - officer.hazard) / step
            day = world.today + min(days - 1, max(0, int(into * days)))
            officer.plan("leaves", day, lambda: self.leave(officer))
        officer.hazard += step

    def leave(self, officer: Officer) -> None:
        """The officer goes: the cases wait for others, and a search begins."""
        self.world.tell(officer, "leaves")
        officer.filled = officer.is_covered = False
        officer.sick_until = officer.leave_until = officer.new_until = None
        officer.owes = officer.saved = 0
        officer.forget("leaves", "cases move", "returns")
        self.area.allocation.orphan(officer, "officer left")
        self.search(officer)

    # Replacing

    def search(self, post: Officer) -> None:
        """Advertise a post."""
        post.adverts += 1
        self.begin_stage(post, 1)

    def begin_stage(self, post: Officer, stage: int) -> None:
        """Begin a stage of the search."""
        world = self.world
        post.stage = stage
        side = "crc" if post.employer == CRC else "nps"
        months = world.table("staff.recruitment.stage_months", side, STAGES[stage - 1])
        lasts = at_percentile(months, post.draw("months of recruitment", post.adverts * 8 + stage))
        days = 1 + int(lasts * world.value("staff.recruitment.delay_multiplier") * MONTH_DAYS)
        post.plan("search", world.today + days, lambda: self.end_stage(post))

    def end_stage(self, post: Officer) -> None:
        """The candidate is lost, goes on to the next stage, or begins."""
        lost = self.world.value("staff.recruitment.drop_out", STAGES[post.stage - 1])
        if post.draw("candidate drops out", post.adverts * 8 + post.stage) < lost:
            self.search(post)
        elif post.stage < len(STAGES):
            self.begin_stage(post, post.stage + 1)
        else:
            self.fill(post)

    def fill(self, post: Officer) -> None:
        """Somebody begins: from the area's company, or from outside."""
        world = self.world
        if post.employer == NPS and post.draw("comes from the CRC", post.adverts) < world.value(
            "staff.recruitment.share_from_crc"
        ):
            mover = self.mover_to(post)
            if mover is not None:
                self.leave(mover)
                self.begin(post)
                return
        self.begin(post)
        if post.grade == "pso":
            post.new_until = world.today + int(world.value("staff.pso.training_months") * MONTH_DAYS)

    def begin(self, post: Officer) -> None:
        """A new holder."""
        world = self.world
        post.filled, post.since, post.stage = True, world.today, 0
        post.holder += 1
        post.days_in_post, post.hazard, post.pressure = 0, 0.0, 1.0
        world.tell(post, "begins", post.holder)

    def mover_to(self, post: Officer) -> Officer | None:
        """Return the officer of the company who has the fewest cases for the hours left, if possible not a new one."""
        world = self.world
        able = [
            officer
            for officer in world.officers
            if officer.employer == CRC and officer.grade == post.grade and officer.is_in_service()
        ]
        able = [officer for officer in able if not officer.is_sick()]
        days = world.value("staff.recruitment.from_crc_after_days")
        able = [officer for officer in able if world.today - officer.since >= days] or able
        return min(able, key=lambda each: (len(each.cases) / each.hours_left(), each.number), default=None)


def is_end_of_week(world: World) -> bool:
    """Tell whether today is the last working day of its week."""
    ahead = world.working_day_after(world.today + 1) - world.today
    return bool(int(world.calendar.weekday(world.today)) + ahead > 6)


def whole_days(days: float) -> int:
    """Return days cut to whole ones, at least one."""
    return max(1, int(days))


def chance_of_spell(officer: Officer, kind: str) -> float:
    """Return the chance that a long or a short spell of sickness begins on a working day."""
    world = officer.world
    days = world.value("staff.sickness_days")
    at_work = world.value("workload.working_days_a_year") - world.value("staff.leave_days") - days
    share = world.value("staff.sickness_long_spell_share")
    if kind == "short":
        share = 1 - share
    more = world.value("effects.overload_sickness_multiplier_at_130pct") - 1
    mean = mean_days(tuple(world.table(f"staff.sickness_{kind}_days").items()))
    return float(days / at_work * share / mean * (1 + overload(officer) * more))


@lru_cache
def mean_days(distribution: tuple[tuple[str, float], ...]) -> float:
    """Return the mean of a distribution whose values are cut to whole days of at least one."""
    points = [(float(name[1:]) / 100, days) for name, days in distribution]
    longest = int(points[-1][1])
    # The mean of whole numbers from 1 is 1 and the sum of the chances to be 2 or more, 3 or more, and so on.
    return 1 + sum(1 - share_below(points, days) for days in range(2, longest + 1))


def share_below(points: list[tuple[float, float]], value: float) -> float:
    """Return the share of a distribution that lies below a value: the draw at which it is reached."""
    for (low, first), (high, last) in pairwise(points):
        if value < last:
            return low + max(0.0, value - first) / (last - first) * (high - low)
    return 1.0


def pressure_of(officer: Officer) -> float:
    """Return points held over points available, as they are felt; 1 for who has no hours."""
    world = officer.world
    hours = officer.hours_left()
    if hours == 0:
        return 1.0
    held = sum(officer.points_now())
    available = int(world.value("workload.points_per_month") * hours / FULL_TIME)
    return float(held / available * world.value("workload.true_to_tool_minutes"))


def overload(officer: Officer) -> float:
    """Return how far overload is felt: 0 up to where it begins, 1 where it is full, times its strength."""
    world = officer.world
    limits = world.table("effects.overload_range")
    felt = min(officer.pressure, limits["most"]) - limits["begins"]
    part = max(0.0, felt) / (limits["full"] - limits["begins"])
    return float(world.value("effects.overload_strength") * part)


def rate_of_leaving(officer: Officer) -> float:
    """Return the yearly hazard of leaving as things stand."""
    world = officer.world
    name = "staff.crc.leaving_rate_officers" if officer.employer == CRC else f"staff.nps.leaving_rate_{officer.grade}"
    stay = "first_year" if world.today - officer.since < YEAR_DAYS else "later"
    at_100 = world.value("effects.overload_leaving_multiplier_at_100pct")
    at_130 = world.value("effects.overload_leaving_multiplier_at_130pct")
    ordinary = world.value(name) * world.value("staff.leaving_multiplier") * at_100
    ordinary *= world.value("staff.leaving_by_tenure", stay)
    return float(ordinary * (1 + overload(officer) * (at_130 / at_100 - 1)))
