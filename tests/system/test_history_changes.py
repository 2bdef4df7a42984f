"""Each dated change of history acts, from its day on, where it should and nowhere else."""

from __future__ import annotations

import dataclasses
import datetime

import numpy as np
import pytest

from simulation.scenario import Change, Resolved, Scenario, load_scenario
from simulation.system import Model, RunOutput, RunRequest, run_model
from tests.system.system_helpers import resolved, totals

#: Days for which a run without a change is followed.
FOLLOWED = 75
#: The default tests begin here: so much of history is left that an English area can be run through it in seconds.
LATE = datetime.date(2019, 1, 1)
#: Of each owner's companies one area, and one of each nation.
AREAS = ("gwent", "wiltshire", "bedfordshire", "humberside", "warwickshire", "durham", "surrey", "thames_valley")
HISTORY = load_scenario("history")
#: Levers that decide who is drawn before day one: a run without such a change has other people in it from the start.
DEMAND = ("courts.community_", "courts.suspended_", "courts.immediate_", "population.")


def name_of(change: Change) -> str:
    return f"{change.start} {', '.join(assignment.name for assignment in change.assignments)} {change.line}"


def of_demand(change: Change) -> bool:
    return change.assignments[0].name.startswith(DEMAND)


LATER = [each for each in HISTORY.changes if each.start > HISTORY.start and not of_demand(each)]
IN_ENGLAND = [each for each in LATER if each.start > LATE]
#: Said of no company of Wiltshire's.
NOT_IN_WILTSHIRE = [each for each in IN_ENGLAND if each.areas == ("wales",)]


def part(start: datetime.date, end: datetime.date = HISTORY.end) -> Scenario:
    """History from some day on; what holds on that day holds from the start."""
    changes = tuple(
        dataclasses.replace(
            each, start=max(each.start, start), end=None if each.end is not None and each.end > end else each.end
        )
        for each in HISTORY.changes
        if each.start <= end and (each.end is None or each.end > start)
    )
    return dataclasses.replace(HISTORY, start=start, count_from=start, end=end, changes=changes)


def without(scenario: Scenario, left_out: Change) -> Scenario:
    return dataclasses.replace(
        scenario, changes=tuple(each for each in scenario.changes if each.line != left_out.line)
    )


def state_of(model: Model) -> tuple[list[str], np.ndarray]:
    """Events of each day so far, and what every officer has gathered of a reason to leave."""
    posts = model.service.posts
    return list(model.service.event_digests), posts.leaving_hazard[: posts.size].copy()


class Dropped:
    """History once, and from the eve of each change a run without it: what would have been the same is run once."""

    def __init__(self, scenario: Scenario, areas: tuple[str, ...], changes: list[Change]) -> None:
        self.whole = resolved(scenario, areas)
        self.others: dict[int, Resolved] = {each.line: resolved(without(scenario, each), areas) for each in changes}
        self.model = Model(RunRequest(self.whole, seed=1))
        start, last = scenario.start, (scenario.end - scenario.start).days + 1
        days = {each.line: (each.start - start).days for each in changes}
        self.seen: dict[int, tuple[list[str], np.ndarray]] = {}
        kept: dict[int, tuple[list[str], np.ndarray]] = {}
        for day in sorted({*days.values(), *(min(each + FOLLOWED, last) for each in days.values())}):
            self.model.run(day)
            kept[day] = state_of(self.model)
            lines = [line for line, begins in days.items() if begins == day]
            if not lines:
                continue
            saved = self.model.save()
            for line in lines:
                self.model.continue_with(saved, self.others[line])
                self.model.run(min(day + FOLLOWED, last))
                self.seen[line] = state_of(self.model)
            self.model.continue_with(saved, self.whole)
        self.model.run()
        self.kept = {line: kept[min(day + FOLLOWED, last)] for line, day in days.items()}
        self.output = self.model.output()

    def differs(self, change: Change) -> bool:
        (events, hazards), (others, without_it) = self.kept[change.line], self.seen[change.line]
        return events != others or not np.array_equal(hazards, without_it)


@pytest.fixture(scope="module")
def english() -> Dropped:
    """A company that failed, from 2019 to the end."""
    return Dropped(part(LATE), ("wiltshire",), IN_ENGLAND)


@pytest.fixture(scope="module")
def all_owners() -> Dropped:
    return Dropped(HISTORY, AREAS, LATER)


@pytest.mark.parametrize("change", IN_ENGLAND, ids=name_of)
def test_a_change_of_the_later_years_acts_in_england(english: Dropped, change: Change) -> None:
    assert english.differs(change) != (change in NOT_IN_WILTSHIRE)


def test_what_dated_changes_do_in_an_english_area(english: Dropped) -> None:
    counts = totals(english.output)
    months = {measure: sorted(month for month, many in counts[measure].items() if many) for measure in counts}
    assert set(english.output.checks.values()) == {39}
    # Working Links' company is taken over, and is there until June 2021, when one service of regions begins.
    assert months["companies_failed"] == ["2019-02"] and counts["taken_over"]["2019-02"] > 100
    assert months["officers_transferred"] == ["2021-06"] and months["body_costs"][0] == "2021-06"
    assert months["crc_step_in"] == [month for month in months["caseload_total"] if "2019-02" <= month <= "2021-06"]
    sides = {
        provider
        for provider, month, measure in zip(
            *(english.output.rows[name] for name in ("provider", "month", "measure")), strict=True
        )
        if month > "2021-06" and measure == "caseload_total"
    }
    assert len(sides) == 1
    # The two lockdowns, and no others; every tier is called.
    lockdowns = ["2020-03", "2020-04", "2020-05", "2020-06", "2020-07", "2021-01", "2021-02", "2021-03"]
    ways = {name: counts[f"contacts_{name}"] for name in ("face_to_face", "telephone")}
    assert {month for month in lockdowns if counts["contacts_doorstep"][month] > 20} == set(lockdowns)
    assert max(counts["contacts_doorstep"].get(month, 0) for month in ("2020-02", "2020-10", "2021-05")) == 0
    assert ways["telephone"]["2020-05"] > 2 * ways["face_to_face"]["2020-05"]
    assert ways["telephone"]["2020-02"] < 0.2 * ways["face_to_face"]["2020-02"]
    # Groups and unpaid work stop, and begin again.
    starts = set(months["programme_starts"])
    assert not {f"2020-{month:02}" for month in range(4, 9)} & starts and {"2020-10", "2020-11", "2020-12"} & starts
    work = counts["work_places"]
    assert work.get("2020-05", 0) == counts["group_places"].get("2020-05", 0) == 0
    assert 0 < work["2020-10"] < 0.7 * work["2020-02"]
    # Enhanced Through the Gate.
    assert counts["ttg_help_started"]["2019-06"] > 2 * counts["ttg_help_started"]["2019-03"]


@pytest.mark.long
@pytest.mark.parametrize("change", LATER, ids=name_of)
def test_every_dated_change_acts_somewhere_from_its_day_on(all_owners: Dropped, change: Change) -> None:
    assert all_owners.whole.first_difference(all_owners.others[change.line]) == change.start
    assert all_owners.differs(change)


@pytest.mark.long
def test_history_runs_through_with_every_law(all_owners: Dropped) -> None:
    """From 2014 to March 2022: cuts, split, Wales in one service, Covid, regions, the end of all series."""
    output = all_owners.output
    assert len(output.state_digests) == 99
    assert set(output.checks.values()) == {99}
    counts = totals(output)
    assert counts["officers_transferred"].keys() == {"2019-12", "2021-06"}
    calls = counts["contacts_telephone"]
    assert calls["2020-05"] > 5 * calls["2020-01"]
    closed = [month for month, posts in counts["posts_closed"].items() if posts]
    assert min(closed) >= "2015-04" and max(closed) <= "2017-04"
    assert 0.15 < 1 - posts_of_companies(output, "2017-06") / posts_of_companies(output, "2015-03") < 0.35
    assert counts["caseload_total"]["2022-03"] > 1000


def posts_of_companies(output: RunOutput, month: str) -> int:
    names = ("provider", "month", "measure", "value")
    return sum(
        int(value)
        for provider, when, measure, value in zip(*(output.rows[name] for name in names), strict=True)
        if when == month and measure == "posts_established" and not provider.startswith("nps")
    )


@pytest.mark.long
@pytest.mark.parametrize("change", [each for each in HISTORY.changes if of_demand(each)], ids=name_of)
def test_a_change_of_demand_acts(change: Change) -> None:
    start, end = (change.start + datetime.timedelta(days=days) for days in (-30, 20))
    short = part(start, end)
    kept, dropped = (
        run_model(RunRequest(resolved(each, ("london",)), seed=1)) for each in (short, without(short, change))
    )
    day = (change.start - start).days
    assert kept.event_digests[day:] != dropped.event_digests[day:]
