"""What is measured and what is true: service levels beside what they were meant to show, and inspections."""

from __future__ import annotations

import datetime

import numpy as np
import pytest

from simulation.scenario import Assignment, Change
from simulation.system import Model, RunOutput
from simulation.system.codes import CRC, NPS, Task
from simulation.system.targets import drawn
from tests.system.system_helpers import UNLIMITED, finished, request, run, total

SHORT = {"end": datetime.date(2017, 10, 31)}
#: Every area is inspected every month.
MONTHLY = {"targets.inspection_every_months": 1}


def test_who_is_read_by_hand() -> None:
    draws = np.array([0.5, 0.1, 0.9, 0.3, 0.7])
    good = np.array([True, False, True, False, True])
    assert drawn(draws, good, 2, 0.0).tolist() == [1, 3]
    # Managers pick two of three from the sufficient, lowest draw first; one is left to chance.
    assert drawn(draws, good, 3, 0.7).tolist() == [0, 1, 4]
    assert drawn(draws, good, 9, 1.0).tolist() == [0, 1, 2, 3, 4], "no more than there are"
    assert drawn(draws[:0], good[:0], 3, 0.7).size == 0


@pytest.fixture(scope="module")
def inspected() -> dict[str, RunOutput]:
    return {
        rule: run(overrides={**MONTHLY, "targets.inspection_rule": rule}, **SHORT)
        for rule in ("random", "announced", "chosen")
    }


def found(output: RunOutput) -> float:
    return total(output, "inspected_found_sufficient") / total(output, "inspected")


def true(output: RunOutput) -> float:
    return total(output, "cases_sufficient") / total(output, "cases_judged")


def test_notice_and_choice_change_what_is_found_and_nothing_that_is_true(inspected: dict[str, RunOutput]) -> None:
    random, announced, chosen = inspected["random"], inspected["announced"], inspected["chosen"]
    assert true(random) == true(announced) == true(chosen)
    assert total(random, "inspected") == total(announced, "inspected") == total(chosen, "inspected") == 4 * 2 * 40
    # A random sample is near the truth; of what falls short notice hides half.
    assert found(random) == pytest.approx(true(random), abs=4 * np.sqrt(0.25 / 320))
    assert found(announced) == pytest.approx(found(random) + 0.5 * (1 - found(random)), abs=0.08)
    assert found(chosen) > found(random) + 0.05
    assert random.state_digests == announced.state_digests == chosen.state_digests


def test_where_nobody_is_put_right_notice_is_nothing(inspected: dict[str, RunOutput]) -> None:
    nothing = run(
        overrides={**MONTHLY, "targets.inspection_rule": "announced", "targets.put_right_share": 0}, **SHORT
    )
    assert found(nothing) == found(inspected["random"])


def test_each_area_has_its_own_month() -> None:
    model = Model(request(overrides={"targets.inspection_every_months": 3}, areas=("cumbria", "gwent"), **SHORT))
    seen: list[tuple[int, int]] = []
    model.targets.inspect = lambda area, number: seen.append((area, number))  # type: ignore[method-assign]
    model.run()
    months = [2017 * 12 + month for month in range(6, 10)]
    expected = [(area, m // 3) for m in months for area in model.service.resolved.areas if m % 3 == area % 3]
    assert seen == expected and seen


# --- Service levels ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_plans_say_something_or_nothing(share: float) -> None:
    output = run(
        overrides={
            "targets.plan_meaningful_share.nps": share,
            "targets.plan_meaningful_share.crc": share,
            "targets.quality_lost_per_case": 0,
        },
        **SHORT,
    )
    assert total(output, "plans_meaningful") == share * total(output, "plans_done")
    assert total(output, "plans_done") > 0


def test_officers_with_more_cases_write_thinner_plans() -> None:
    model = finished(end=datetime.date(2017, 8, 31))
    service, targets = model.service, model.targets
    people, posts = service.people, service.posts
    rows = np.flatnonzero((people.side[: people.size] == CRC) & (people.officer[: people.size] >= 0))
    shares = []
    for cases in (50, 60, 130):
        posts.cases[:] = cases
        targets.plans(rows)
        shares.append(1 - people.plan_thin[rows].mean())
    # 0.6, then 0.0075 less for each case over fifty.
    error = 4 * np.sqrt(0.24 / rows.size)
    assert shares == pytest.approx([0.6, 0.525, 0.0], abs=error)
    assert shares[2] == 0.0


def test_an_appointment_arranged_is_one_held_only_if_somebody_comes() -> None:
    counts = ("first_appointments_community_in_time", "first_appointments_held_in_time")
    nobody_misses = run(overrides={**UNLIMITED, "contact.missed_appointment_probability": 0}, **SHORT)
    arranged, held = (total(nobody_misses, name) for name in counts)
    assert held == arranged > 0
    often = run(overrides={"contact.missed_appointment_probability": 0.5, "contact.rebook_working_days": 10}, **SHORT)
    arranged, held = (total(often, name) for name in counts)
    assert 0 < held < 0.75 * arranged, "the level counts what was arranged"


def test_who_completes_and_who_is_still_in_touch(baseline: RunOutput) -> None:
    assert 0 < total(baseline, "orders_completed_in_touch") < total(baseline, "orders_completed")
    # Without officers nobody is seen, and orders run out all the same: only unpaid work is left.
    nobody = run(overrides={"workload.minutes_per_day_present": 0})
    assert total(nobody, "orders_completed") > 0
    assert total(nobody, "orders_completed_in_touch") < 0.7 * total(baseline, "orders_completed_in_touch")


def test_measured_work_comes_forward_at_the_companies_only() -> None:
    model = Model(request(**SHORT))
    usual = model.caseload.priority.copy()
    first = Change(
        start=datetime.date(2017, 9, 1),
        assignments=(Assignment("set", "targets.rank_of_measured_tasks", 1),),
        providers=("crc",),
    )
    forward = Model(request(first, **SHORT))
    forward.run(forward.service.calendar.day(datetime.date(2017, 9, 2)))
    found_ = forward.caseload.priority
    assert (found_[NPS::2] == usual[NPS::2]).all()
    for task in (Task.FIRST_APPOINTMENT, Task.PLAN, Task.BREACH_PACK):
        assert (found_[CRC::2, task] == 1).all()
    for task in (Task.CONTACT, Task.RECALL_REPORT, Task.REVIEW):
        assert (found_[CRC::2, task] == usual[CRC::2, task]).all()


def test_measured_work_first_gets_plans_done_and_appointments_cancelled() -> None:
    busy = {"workload.minutes_per_day_present": 290}
    usual = run(overrides=busy, **SHORT)
    forward = run(overrides={**busy, "targets.rank_of_measured_tasks": 1}, **SHORT)
    in_time = [total(each, "plans_in_time") / total(each, "plans_done") for each in (usual, forward)]
    assert in_time[1] > in_time[0]
    assert total(forward, "contacts_cancelled") > total(usual, "contacts_cancelled")


def test_what_in_time_means_is_a_lever() -> None:
    name = "targets.first_appointment_working_days"
    strict, usual, lax = (
        run(overrides={name: {"allocated": days, "released": after}}, **SHORT)
        for days, after in ((0, 0), (5, 1), (60, 60))
    )
    for kind in ("community", "release"):
        made = {total(each, f"first_appointments_{kind}") for each in (strict, usual, lax)}
        assert len(made) == 1, "what counts as in time changes nothing else"
        in_time = [total(each, f"first_appointments_{kind}_in_time") for each in (strict, usual, lax)]
        assert in_time[0] < in_time[1] < in_time[2] == made.pop()
