"""The tariff: what a case costs when it is worked to the national pattern, and when it isn't."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from simulation.engine.calendar import MONTH_DAYS
from simulation.system.codes import Mode, Setting, Tier
from simulation.system.levers import Levers
from simulation.system.workload import Workload, WorkloadError
from tests.system.system_helpers import resolved, run, scenario

MONTHS = 1680  # a whole number of plans and of reviews
LATER = 2
COMMUNITY = (Setting.ORDER, Setting.LICENCE, Setting.SUPERVISION)


def read(overrides: dict[str, Any] | None = None) -> tuple[Workload, Levers]:
    levers = Levers(resolved(scenario(), overrides=overrides).on(0))
    return Workload(levers), levers


@pytest.fixture(scope="module")
def tariff() -> tuple[Workload, Levers]:
    return read()


def hours_a_month(workload: Workload, levers: Levers, model: str, setting: int, tier: int) -> float:
    """Work a case for 140 years, appointment by appointment, and give the hours of a month."""
    minutes = levers.mapping("workload.minutes")
    number = workload.models.index(model)
    if setting == Setting.CUSTODY:
        interval, inside = workload.custody_interval, 0.0
        mode = Mode.CUSTODY
    else:
        interval = int(workload.interval_days[number, LATER, tier])
        plans, reviews = MONTHS / minutes["plan_every_months"], MONTHS / minutes["review_every_months"]
        inside = plans * minutes["plan"] + reviews * minutes["review"]
        inside += MONTHS * (minutes["enforcement_a_month"] + minutes["handover_a_month"])
        mode = Mode.FACE_TO_FACE
    contacts = int(MONTHS * MONTH_DAYS // interval)
    each = workload.contact_seconds[number, setting, tier, :, 0]
    # Some of the visits are made at home, and the tariff pays for them too.
    home = workload.home_share(model, tier) if setting != Setting.CUSTODY else 0.0
    visit = (1 - home) * int(each[mode]) + home * int(each[Mode.HOME_VISIT])
    seconds = contacts * visit + inside * 60
    return seconds / 3600 / MONTHS


@pytest.mark.parametrize("setting", [*COMMUNITY, Setting.CUSTODY])
@pytest.mark.parametrize("tier", range(len(Tier.names)))
def test_a_case_worked_to_the_pattern_costs_the_tariff(
    tariff: tuple[Workload, Levers], setting: int, tier: int
) -> None:
    workload, levers = tariff
    published = workload.points[setting, tier] / levers.number("workload.points_per_hour")
    assert hours_a_month(workload, levers, "nps_e3", setting, tier) == pytest.approx(published, rel=0.01)


@pytest.mark.parametrize("setting", COMMUNITY)
def test_a_call_every_six_weeks_costs_far_less(tariff: tuple[Workload, Levers], setting: int) -> None:
    workload, levers = tariff
    for tier in (Tier.C2, Tier.D1, Tier.D2):
        call = int(workload.contact_seconds[workload.models.index("working_links"), setting, tier, Mode.TELEPHONE, 0])
        a_month = call * MONTH_DAYS / 42 / 3600
        assert a_month < 0.35 * workload.points[setting, tier] / levers.number("workload.points_per_hour")


def test_a_call_never_costs_more_than_a_visit(tariff: tuple[Workload, Levers]) -> None:
    workload, _ = tariff
    for setting in COMMUNITY:
        seconds = workload.contact_seconds[:, setting]
        assert (seconds[:, :, Mode.TELEPHONE] < seconds[:, :, Mode.FACE_TO_FACE]).all()
        assert (seconds[:, :, Mode.FACE_TO_FACE, 1] >= seconds[:, :, Mode.FACE_TO_FACE, 0]).all()
        assert (seconds[:, :, (Mode.FACE_TO_FACE, Mode.TELEPHONE)] > 0).all()


def test_a_tool_that_is_short_needs_more_true_minutes() -> None:
    """Points say what the tool shows; true minutes grow and points don't."""
    before, _ = read()
    after, _ = read({"workload.true_to_tool_minutes": 1.5})
    assert (after.points == before.points).all()
    ratio = after.contact_seconds[before.contact_seconds > 0] / before.contact_seconds[before.contact_seconds > 0]
    assert np.allclose(ratio, 1.5, rtol=0.001)
    assert np.allclose(after.task_seconds[1:] / before.task_seconds[1:], 1.5, rtol=0.001)
    assert after.day_seconds == before.day_seconds


@pytest.mark.parametrize(("table", "tier"), [("community", "D2"), ("licence", "A")])
def test_a_tariff_too_small_for_its_tasks_is_an_error(table: str, tier: str) -> None:
    with pytest.raises(WorkloadError, match=rf"tier {tier} {table}.*raise workload.tariff_points"):
        read({f"workload.tariff_points.{table}.{tier}": 12})


def test_and_stops_a_run_before_it_begins() -> None:
    with pytest.raises(WorkloadError):
        run(overrides={"workload.tariff_points.community.B1": 20})
