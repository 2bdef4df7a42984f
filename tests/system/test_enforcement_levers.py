"""Levers of enforcement, recall, custody and contact: each moves its own count, and only that way."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pytest

from simulation.system import Model, RunOutput
from simulation.system.codes import Kind, Status, Task, Why
from tests.system.system_helpers import as_tuples, request, run, total, totals

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


# --- Custody ----------------------------------------------------------------------------------------------------------

REASONS = {
    "recalls_for_absence": ("recall.per_unacceptable_absence", "recall.per_another_absence"),
    "recalls_for_risk": ("recall.per_risk_rise_noticed",),
    "recalls_for_charge": ("recall.per_further_charge",),
    "recalls_for_curfew": ("custody.hdc.curfew_recall_share",),
}


@pytest.fixture(scope="module")
def recalls() -> RunOutput:
    return run(areas=("gwent", "durham"), **SHORT)


@pytest.mark.parametrize("reason", REASONS)
def test_recalls_by_reason_end_with_their_own_chance(recalls: RunOutput, reason: str) -> None:
    """Set to 0, nobody is recalled for it, and for every other reason some are."""
    none = run(areas=("gwent", "durham"), overrides=dict.fromkeys(REASONS[reason], 0), **SHORT)
    assert total(none, reason) == 0 < total(recalls, reason)
    for other in REASONS:
        assert other == reason or total(none, other) > 0
    assert sum(total(none, each) for each in REASONS) == total(none, "recalls")


def test_releases_by_length_add_up(recalls: RunOutput) -> None:
    months = totals(recalls)
    bands = [months[f"releases_{band}"] for band in BANDS]
    for month, all_of_them in months["releases"].items():
        assert sum(band.get(month, 0) for band in bands) == all_of_them
        assert sum(band.get(month, 0) for band in bands[:2]) == months["releases_short_sentence"].get(month, 0)


BANDS = ("under_6_months", "6_to_under_12_months", "1_to_under_4_years", "4_years_and_over")
LENGTHS = ("under_6_months", "6_to_under_12_months", "12_months_to_under_4_years", "4_to_10_years", "over_10_years")


@pytest.mark.parametrize(("given", "band"), list(zip(LENGTHS[:3], BANDS[:3], strict=True)))
def test_where_all_sentences_are_of_one_band_so_are_releases(given: str, band: str) -> None:
    """But for those that were sentenced for the breach of an order, which are always short."""
    shares = {f"custody.length_share.{name}": float(name == given) for name in LENGTHS}
    kept = {"enforcement.order_breach_outcome.continues": 1, "enforcement.suspended_breach_outcome.continues": 1}
    others = dict.fromkeys(
        (
            "enforcement.order_breach_outcome.revoked_other",
            "enforcement.order_breach_outcome.revoked_custody",
            "enforcement.suspended_breach_outcome.activated",
        ),
        0,
    )
    output = run(overrides={**shares, **kept, **others}, **SHORT)
    assert total(output, f"releases_{band}") > 0.97 * total(output, "releases") > 50


def test_a_longer_tag_is_longer_and_nobody_opts_out_where_nobody_would() -> None:
    usual, longer = (run(overrides={"custody.hdc.max_days": days}, **SHORT) for days in (135, 180))
    days = lambda output: total(output, "hdc_days_served") / total(output, "hdc_releases")  # noqa: E731
    assert days(longer) > days(usual) + 2
    nobody = run(overrides={"custody.hdc.opt_out_share": 0}, **SHORT)
    assert total(nobody, "hdc_opted_out") == 0 < total(usual, "hdc_opted_out")
    assert total(nobody, "hdc_releases") >= total(usual, "hdc_releases")


# --- Contact ----------------------------------------------------------------------------------------------------------

WAYS = ("in_office", "in_booth", "home_visit", "doorstep", "group", "video", "called", "hub_call")
#: The operating models of the area that runs are made in, with some of every way.
HERE = ("sodexo", "nps_e3")
ALL_WAYS = {
    **{f"contact.{name}_share.{model}": 0.3 for name in ("group", "video") for model in HERE},
    "contact.hub_share_of_calls.sodexo": 0.5,
}


def missed(output: RunOutput, way: str) -> float:
    absences = total(output, f"absences_{way}")
    return absences / (absences + total(output, f"contacts_{way}"))


@pytest.fixture(scope="module")
def every_way() -> RunOutput:
    return run(overrides=ALL_WAYS, **SHORT)


def test_absences_by_way_add_up(every_way: RunOutput) -> None:
    months = totals(every_way)
    for month in months["contacts_due"]:
        accepted_or_not = sum(months[f"absences_{kind}"].get(month, 0) for kind in ("acceptable", "unacceptable"))
        assert accepted_or_not == sum(months[f"absences_{way}"].get(month, 0) for way in WAYS)
    assert all(total(every_way, f"absences_{way}") > 0 for way in WAYS if way != "doorstep")


@pytest.mark.parametrize(
    ("mode", "way"),
    [("telephone", "called"), ("hub_call", "hub_call"), ("home_visit", "home_visit"), ("group", "group"),
     ("video", "video")],
)  # fmt: skip
def test_each_way_is_missed_by_its_own_ratio(every_way: RunOutput, mode: str, way: str) -> None:
    """Where it is 0 nobody misses it, and other ways are missed as before, within four standard errors."""
    never = run(overrides={**ALL_WAYS, f"contact.missed_ratio.{mode}": 0}, **SHORT)
    often = run(overrides={**ALL_WAYS, f"contact.missed_ratio.{mode}": 2.5}, **SHORT)
    assert total(never, f"absences_{way}") == 0
    assert missed(often, way) > 1.3 * missed(every_way, way) > 0
    for other in WAYS:
        if other not in (way, "doorstep"):
            many = total(every_way, f"contacts_{other}")
            assert missed(never, other) == pytest.approx(missed(every_way, other), abs=max(0.02, 2 / np.sqrt(many)))


@pytest.mark.parametrize(
    ("entry", "kind", "count"),
    [("to_call", "visit became a call for want of time", "contacts_downgraded"),
     ("to_group", "visit became a group for want of time", "contacts_delegated_group"),
     ("to_hub", "visit became a hub call for want of time", "contacts_delegated_hub")],
)  # fmt: skip
def test_people_are_told_why_a_visit_became_something_shorter(entry: str, kind: str, count: str) -> None:
    shares = {
        f"contact.under_pressure.{model}.{each}": float(each == entry)
        for model in HERE
        for each in ("to_call", "to_group", "to_hub")
    }
    overloaded = {"workload.minutes_per_day_present": 230, "contact.downgrade_full_day_ratio": 1}
    dates = {"start": datetime.date(2017, 7, 1), "count_from": datetime.date(2017, 7, 1)}
    model = Model(request(overrides={**shares, **overloaded}, **dates, end=datetime.date(2017, 9, 30)))
    told = told_by(model)
    model.run()
    assert len(told[kind]) == total(model.output(), count) > 0
    others = [each for each in told if each.startswith("visit became") and each != kind and told[each]]
    # Where there is no hub its share are calls.
    assert others == ([] if entry != "to_hub" else ["visit became a call for want of time"])


# --- One owner --------------------------------------------------------------------------------------------------------


def test_where_one_owner_breaches_less_only_its_areas_move() -> None:
    """Gwent was Working Links's; Cumbria and Durham weren't."""
    dates = {"start": datetime.date(2018, 5, 1), "count_from": datetime.date(2018, 6, 1)}
    end = datetime.date(2018, 12, 31)
    areas = ("cumbria", "durham", "gwent")
    before, after = (run(name=name, areas=areas, **dates, end=end) for name in ("baseline", "one_owner_breaches_less"))
    moved = {row[0] for row in set(as_tuples(before)) ^ set(as_tuples(after))}
    assert moved - {"england_and_wales"} == {"gwent"}
    started = [
        sum(
            row[5]
            for row in as_tuples(output)
            if row[0] == "gwent" and row[4] == "breaches_referred" and not row[1].startswith("nps")
        )
        for output in (before, after)
    ]
    assert 0 < started[1] < 0.95 * started[0]
