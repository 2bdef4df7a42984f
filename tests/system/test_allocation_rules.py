"""Caps on what officers hold, rules of allocation other than the smallest load, and escalations that are refused."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pytest

from simulation.system import Model, RunOutput
from simulation.system.allocation_loops import must_be_nps
from simulation.system.choosing import RULES
from simulation.system.codes import CRC, NPS, Grade, Rosh
from tests.system.system_helpers import change, finished, request, run, same_run, total, totals

FULL_TIME = 3700
SHORT = {"end": datetime.date(2017, 10, 31)}
CAPPED = {"allocation.cap.nps": 30, "allocation.cap.crc": 30}
BY_POINTS = {"allocation.cap.nps": 60, "allocation.cap_by.nps": "points"}


def nobody_rises_above(overrides: dict[str, Any], column: str, most: Any) -> tuple[Model, int]:
    """Run day by day; whoever holds more than before, or begins, holds no more than the cap; return days at the cap."""
    model = Model(request(overrides=overrides, **SHORT))
    service, posts = model.service, model.service.posts
    full = 0
    give = model.allocation.give

    def watched(rows: Any) -> None:
        nonlocal full
        held = getattr(posts, column)[: posts.size].copy()
        give(rows)
        now, limit = getattr(posts, column)[: posts.size], most(model)
        above = (now > limit) & (now > held) & (limit >= 0)
        assert not above.any(), f"day {service.today}: {now[above]} above {limit[above]}, {held[above]} before"
        full += int((now == limit).sum())

    model.allocation.give = watched  # type: ignore[method-assign]
    model.run()
    return model, full


def test_nobody_comes_above_a_cap_by_cases() -> None:
    def most(model: Model) -> np.ndarray:
        posts = model.service.posts
        return np.floor(30 * posts.hours_left[: posts.size].astype(np.int64) / FULL_TIME)

    model, full = nobody_rises_above(CAPPED, "cases", most)
    assert full > 100, "officers are full"
    assert total(model.output(), "unallocated") > 50


def test_nobody_comes_above_a_cap_by_points() -> None:
    def most(model: Model) -> np.ndarray:
        posts, workload = model.service.posts, model.allocation.workload
        hours = posts.hours_left[: posts.size].astype(np.int64)
        limit = np.floor(60 * (hours * workload.points_per_month // FULL_TIME) / 100)
        return np.where(posts.employer[: posts.size] == NPS, limit, -1)

    model, _ = nobody_rises_above(BY_POINTS, "points", most)
    assert total(model.output(), "unallocated") > 50


def test_who_finds_no_room_waits_and_is_asked_for_again(baseline: RunOutput) -> None:
    capped = run(overrides=CAPPED)
    assert total(capped, "unallocated") > 5 * total(baseline, "unallocated")
    wait = [total(each, "allocation_days") / total(each, "allocated") for each in (capped, baseline)]
    assert wait[0] > wait[1]
    # A cap that nobody reaches changes nothing.
    same_run(run(overrides={"allocation.cap.nps": 1000, "allocation.cap.crc": 1000}), baseline)


def test_a_cap_that_goes_empties_the_queue() -> None:
    capped = Model(request(overrides=CAPPED, **SHORT))
    capped.run()
    gone = run(
        change(datetime.date(2017, 10, 2), "set", "allocation.cap.nps", 0),
        change(datetime.date(2017, 10, 2), "set", "allocation.cap.crc", 0),
        overrides=CAPPED,
        **SHORT,
    )
    waiting = totals(gone)["unallocated"]
    assert waiting["2017-10"] < waiting["2017-09"] / 3
    assert waiting["2017-10"] < totals(capped.output())["unallocated"]["2017-10"] / 3


def test_no_room_is_told_each_working_day_and_never_without_a_cap() -> None:
    def turned_away(overrides: dict[str, Any]) -> list[tuple[int, int]]:
        model = Model(request(overrides=overrides, **SHORT))
        tell, told = model.service.tell, []

        def listen(kind: str, rows: Any, detail: Any = 0, keys: Any = None) -> None:
            tell(kind, rows, detail, keys)
            if kind == "no officer has room":
                told.extend((model.service.today, int(row)) for row in rows)

        model.service.tell = listen  # type: ignore[method-assign]
        model.run()
        assert all(model.service.calendar.is_working(day) for day, _ in told)
        return told

    told = turned_away(CAPPED)
    assert len(told) == len(set(told)) > 2 * len({row for _, row in told}) > 0
    assert turned_away({}) == []


def test_no_tool_no_cap_by_points() -> None:
    nobody = {"allocation.cap.nps": 1, "allocation.cap_by.nps": "points", "workload.tool_in_use.nps": 0}
    assert total(run(overrides=nobody, **SHORT), "unallocated") == total(
        run(overrides={"workload.tool_in_use.nps": 0}, **SHORT), "unallocated"
    )


# --- Rules ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES)
def test_a_run_with_each_rule(rule: str) -> None:
    model = finished(overrides={"allocation.rule.nps": rule, "allocation.rule.crc": rule}, **SHORT)
    assert model.service.checks["nobody is lost"] == 4
    assert total(model.output(), "allocated") > 200


def uneven(output: RunOutput) -> float:
    return total(output, "officers_over_half_more") / total(output, "officers_in_post")


def test_turns_leave_cases_less_even(baseline: RunOutput) -> None:
    turns = run(overrides={"allocation.rule.nps": "round_robin", "allocation.rule.crc": "round_robin"})
    assert uneven(turns) > uneven(baseline)


def test_a_run_by_turns_goes_on_from_a_save() -> None:
    asked = request(overrides={"allocation.rule.nps": "round_robin", "allocation.rule.crc": "round_robin"}, **SHORT)
    whole, cut = Model(asked), Model(asked)
    whole.run()
    cut.run(50)
    saved = cut.save()
    cut.run()
    assert (cut.service.tables["turns"].last >= 0).any()
    cut.continue_with(saved, asked.resolved)
    cut.run()
    same_run(cut.output(), whole.output())


def test_by_grade_probation_officers_hold_fewer_cases_of_lower_risk() -> None:
    def share(rule: str) -> float:
        model = finished(overrides={"allocation.rule.nps": rule, "allocation.services_officers_full": 120}, **SHORT)
        people, posts = model.service.people, model.service.posts
        held = np.flatnonzero((people.officer[: people.size] >= 0) & (people.assessed_rosh[: people.size] < Rosh.HIGH))
        officers = people.officer[held]
        officers = officers[posts.employer[officers] == NPS]
        return float((posts.grade[officers] == Grade.PO).mean())

    assert share("grade_eligible") < share("lowest_points")


# --- Escalation -----------------------------------------------------------------------------------------

RISING = {"allocation.escalation_rate": 1.0}


def test_refused_never_or_always() -> None:
    never = run(overrides=RISING, **SHORT)
    always = run(
        overrides={
            **RISING,
            "allocation.escalation_refused_share": 1,
            "allocation.escalation_again_working_days": 1,
        },
        **SHORT,
    )
    assert total(never, "escalations_refused") == 0 < total(never, "escalated_to_nps")
    assert total(always, "escalated_to_nps") == total(always, "escalations_answered") == 0
    # Put forward once each working day at most.
    assert total(never, "escalated_to_nps") < total(always, "escalations_refused") < 70 * total(
        never, "escalated_to_nps"
    )


def test_a_refused_case_stays_with_the_company_and_comes_again() -> None:
    model = finished(overrides={**RISING, "allocation.escalation_refused_share": 0.5}, **SHORT)
    people = model.service.people
    refused = np.flatnonzero(people.escalations_refused[: people.size] > 0)
    with_company = refused[people.side[refused] == CRC]
    assert with_company.size > 20
    assert (people.assessed_rosh[with_company] < Rosh.HIGH).all()
    coming = model.service.agendas["escalate"].day_of(with_company)
    assert (coming < model.service.today + 40).mean() > 0.9, "put forward again within a month"
    gone_over = refused[(people.side[refused] == NPS) & (people.escalated[refused] == 1)]
    assert gone_over.size > 10
    assert (people.assessed_rosh[gone_over] >= Rosh.HIGH).all()


def test_a_later_answer() -> None:
    slow = {**RISING, **{f"allocation.escalation_working_days.{p}": 15 for p in ("p0", "p20", "p50", "p96", "p100")}}
    late, soon = (run(overrides=each, **SHORT) for each in (slow, RISING))
    assert total(late, "escalated_to_nps") == pytest.approx(total(soon, "escalated_to_nps"), rel=0.02)
    assert total(late, "escalations_answered_in_time") == 0 < total(soon, "escalations_answered_in_time")


# --- Whose cases ----------------------------------------------------------------------------------------


def nps_share(output: RunOutput) -> float:
    return total(output, "caseload_nps") / total(output, "caseload_total")


def test_the_threshold_moves_who_is_with_the_nps(baseline: RunOutput) -> None:
    # The predictor of those there on day one is drawn about the threshold of that day.
    when = datetime.date(2017, 8, 1)
    lower, higher = (run(change(when, "set", "allocation.rsr_threshold", percent)) for percent in (5, 10))
    assert nps_share(lower) > nps_share(baseline) > nps_share(higher)
    by_provider = totals(baseline)["caseload_nps"]
    assert sum(by_provider.values()) > 0
    pairs = zip(baseline.rows["provider"], baseline.rows["measure"], strict=True)
    assert all(provider.startswith("nps") for provider, measure in pairs if measure == "caseload_nps")
    unified = run(overrides={"organisation.unified": 1}, **SHORT)
    assert nps_share(unified) == 1


def test_public_interest_moves_who_is_with_the_nps(baseline: RunOutput) -> None:
    nobody, some = (run(overrides={"allocation.public_interest_share": share}) for share in (0, 0.3))
    assert nps_share(some) > nps_share(baseline) + 0.05 > nps_share(nobody)
    everybody = finished(overrides={"allocation.public_interest_share": 1}, **SHORT)
    people = everybody.service.people
    assert (people.public_interest[: people.size] == 1).all()
    assert not (people.side[: people.size] == CRC).any()
    assert must_be_nps(689.0, 0, Rosh.LOW, 0, 1)
