"""Levers of enforcement, recall, custody and contact: each moves its own count, and only that way."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pytest

from simulation.system import Model
from simulation.system.codes import Kind, Status, Task, Why
from tests.system.system_helpers import request, run, total

SHORT = {"end": datetime.date(2017, 12, 31)}


def told_by(model: Model) -> dict[str, list[tuple[int, int]]]:
    """Collect what is told while a model runs: by kind, the day and the row of each."""
    told: dict[str, list[tuple[int, int]]] = {}
    tell = model.service.tell

    def listening(kind: str, rows: Any, *rest: Any) -> None:
        whose = [(model.service.today, row) for row in np.asarray(rows).tolist()]
        told.setdefault(kind, []).extend(whose)
        tell(kind, rows, *rest)

    model.service.tell = listening  # type: ignore[method-assign]
    return told


# --- Recall -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("days", [1, 5])
def test_recall_reports_are_due_after_so_many_working_days(days: int) -> None:
    model = Model(request(overrides={"recall.report_working_days": days}, **SHORT))
    told = told_by(model)
    due: set[int] = set()
    add = model.service.add_task

    def listening(kind: int, people: Any, day: Any, *rest: Any) -> None:
        if kind == Task.RECALL_REPORT:
            due.add(int(day) - model.service.today)
            assert day == model.service.calendar.after_working_days(model.service.today, days)
        add(kind, people, day, *rest)

    model.service.add_task = listening  # type: ignore[method-assign]
    model.run()
    output = model.output()
    assert min(due) >= days
    assert len(told["recall report written"]) == total(output, "recall_reports") > 20
    # Each is followed by revocation the next day, but for those of the last day.
    revoked = set(told["licence revoked"])
    last = max(day for day, _ in told["recall report written"])
    later = {(day + 1, row) for day, row in told["recall report written"] if day < last}
    assert len(later - revoked) <= 1
    assert total(output, "recall_report_days") >= total(output, "recall_reports")


def test_with_time_for_it_every_recall_report_is_in_time_and_with_little_time_some_are_late() -> None:
    in_time = lambda output: total(output, "recall_reports_in_time") / total(output, "recall_reports")  # noqa: E731
    short = {"workload.minutes_per_day_present": 12}
    one_day = run(overrides={**short, "recall.report_working_days": 1}, **SHORT)
    a_month = run(overrides={**short, "recall.report_working_days": 20}, **SHORT)
    assert in_time(one_day) < in_time(a_month)
    assert in_time(run(**SHORT)) > 0.95


# --- Enforcement ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_absences_are_accepted_at_their_share(share: float) -> None:
    output = run(overrides={"contact.absence_accepted_share": share}, **SHORT)
    accepted, not_accepted = (total(output, f"absences_{kind}") for kind in ("acceptable", "unacceptable"))
    absences = accepted + not_accepted
    assert absences > 1000
    assert abs(accepted - share * absences) <= 4 * np.sqrt(share * (1 - share) * absences)
    assert (total(output, "warnings") > 0) == (share < 1)


def suspended_hearings(outcome: dict[str, float]) -> tuple[Model, list[tuple[int, Any]], list[int]]:
    """Run with this outcome: hearings of suspended sentences with what became of each, and terms activated."""
    shares = {f"enforcement.suspended_breach_outcome.{name}": share for name, share in outcome.items()}
    model = Model(request(areas=("gwent", "durham"), overrides=shares, end=datetime.date(2018, 3, 31)))
    sentences, custody = model.service.sentences, model.custody
    heard: list[tuple[int, Any]] = []
    terms: list[int] = []
    hear, receive = model.enforcement.hear, custody.receive

    def hearing(due: Any) -> None:
        orders = due[(sentences.kind[due] == Kind.SUSPENDED) & (sentences.status[due] == Status.ORDER)]
        hear(due)
        heard.extend((int(row), int(sentences.status[row])) for row in orders)

    def receiving(rows: Any, why: int = Why.SENTENCED, *breached: Any) -> Any:
        made = receive(rows, why, *breached)
        if why == Why.ACTIVATED:
            terms.extend(sentences.length[made].tolist())
        return made

    model.enforcement.hear = hearing  # type: ignore[method-assign]
    custody.receive = receiving  # type: ignore[method-assign]
    model.run()
    return model, heard, terms


def test_where_all_are_activated_no_suspended_sentence_goes_on_after_a_hearing() -> None:
    model, heard, terms = suspended_hearings({"continues": 0, "activated": 1})
    assert len(heard) > 20 and {status for _, status in heard} == {Status.ENDED}
    waits = model.service.levers.mapping("enforcement.suspended_term_days")
    assert 0.9 * len(heard) < len(terms) <= len(heard), "but of those in prison already"
    assert waits["p0"] <= min(terms) and max(terms) <= waits["p100"]
    assert np.median(terms) == pytest.approx(waits["p50"], rel=0.5)


def test_where_none_is_activated_every_suspended_sentence_goes_on_after_a_hearing() -> None:
    model, heard, terms = suspended_hearings({"continues": 1, "activated": 0})
    assert len(heard) > 20 and {status for _, status in heard} == {Status.ORDER} and terms == []
    assert total(model.output(), "suspended_sentences_activated") == 0


def outcome_of_orders(**shares: float) -> dict[str, float]:
    return {f"enforcement.order_breach_outcome.{name}": share for name, share in shares.items()}


def test_courts_that_revoke_all_none_or_some_community_orders() -> None:
    """Each at its share, within four standard errors; of suspended sentences none goes."""
    kept = {"enforcement.suspended_breach_outcome.continues": 1, "enforcement.suspended_breach_outcome.activated": 0}
    none = run(overrides={**kept, **outcome_of_orders(continues=1, revoked_other=0, revoked_custody=0)})
    every = run(overrides={**kept, **outcome_of_orders(continues=0, revoked_other=1, revoked_custody=0)})
    inside = run(overrides={**kept, **outcome_of_orders(continues=0, revoked_other=0, revoked_custody=1)})
    assert total(none, "orders_revoked") == 0 < total(none, "breach_hearings")
    revoked, heard = total(every, "orders_revoked"), total(every, "breach_hearings")
    assert 0 < revoked == total(every, "community_orders_revoked") < heard
    # Only the outcome differs, so who had an order revoked is nearly the same.
    assert total(inside, "orders_revoked") == pytest.approx(revoked, rel=0.2)
    assert total(every, "sentences_custody_on_breach") == 0 < total(inside, "sentences_custody_on_breach")


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_committals_follow_their_share_of_hearings(share: float) -> None:
    name = "enforcement.pss_breach_outcome"
    outcome = {f"{name}.committal": share, f"{name}.fine_or_order": 1 - share}
    output = run(areas=("gwent", "durham"), overrides=outcome, end=datetime.date(2018, 3, 31))
    hearings, committed = total(output, "pss_breach_hearings"), total(output, "pss_committals")
    assert hearings > 20 and committed <= hearings
    # Whoever is in prison already isn't committed.
    assert abs(committed - share * hearings) <= 4 * np.sqrt(share * (1 - share) * hearings) + 0.15 * hearings * share
