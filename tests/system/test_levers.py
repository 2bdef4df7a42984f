"""Move a lever, and the system moves the way it must."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pytest

from simulation.engine import NEVER
from simulation.system import Model, RunOutput, RunRequest
from simulation.system.codes import Location, Status
from tests.system.system_helpers import (
    START,
    UNLIMITED,
    change,
    finished,
    request,
    run,
    same_run,
    total,
    totals,
)

SHORT = {"end": datetime.date(2017, 10, 31)}
MODELS = ("sodexo", "working_links", "purple_futures", "mtcnovo", "rrp", "arcc", "seetec", "eos")


def last(output: RunOutput, measure: str) -> int:
    """A stock at the end of the run."""
    return totals(output)[measure].get(max(output.state_digests), 0)


def test_without_officers_nobody_is_seen() -> None:
    nobody = run(overrides={"workload.minutes_per_day_present": 0, "workload.hub_agent_minutes_a_day": 0}, **SHORT)
    for measure in ("contacts_face_to_face", "contacts_telephone", "contacts_custody", "plans_done", "warnings"):
        assert total(nobody, measure) == 0
    assert total(nobody, "seconds_worked") == total(nobody, "seconds_available") == 0
    # The law goes on: orders run out and people are released.
    assert total(nobody, "orders_completed") > 0 and total(nobody, "releases") > 0
    assert total(nobody, "hdc_releases") == 0, "no address was checked"


def test_when_everybody_attends_nobody_is_warned() -> None:
    always = run(overrides={"contact.missed_appointment_probability": 0}, **SHORT)
    for measure in ("absences_unacceptable", "absences_acceptable", "warnings", "breaches_due", "breach_hearings"):
        assert total(always, measure) == 0
    assert total(always, "contacts_face_to_face") > 0


def test_every_absence_accepted_warns_nobody() -> None:
    accepted = run(overrides={"contact.absence_accepted_share": 1}, **SHORT)
    assert total(accepted, "absences_acceptable") > 0
    assert total(accepted, "warnings") == total(accepted, "absences_unacceptable") == 0


def test_more_missed_appointments_more_warnings(baseline: RunOutput) -> None:
    more = run(overrides={"contact.missed_appointment_probability": 0.35})
    assert total(more, "warnings") > 1.2 * total(baseline, "warnings")
    assert total(more, "contacts_face_to_face") < total(baseline, "contacts_face_to_face")


def test_no_telephone_supervision(baseline: RunOutput) -> None:
    seen = run(overrides={"contact.phone_only_multiplier": 0, "contact.downgrade_backlog_days": 0}, **SHORT)
    assert set(totals(seen)["caseload_telephone_only"]) == set()
    assert total(seen, "contacts_telephone") == 0
    assert last(baseline, "caseload_telephone_only") > 0


def test_a_floor_of_face_to_face_contact_is_kept() -> None:
    """With officers without limit and nobody missing, the floor is what happens."""
    kept = finished(
        overrides={
            **UNLIMITED,
            "contact.face_to_face_floor_days": 30,
            "contact.missed_appointment_probability": 0,
            "staff.initial_vacancy_share": 0,
        },
        **SHORT,
    )
    people = kept.service.people
    rows = np.flatnonzero((people.location[: people.size] == Location.COMMUNITY) & (people.officer[: people.size] >= 0))
    rows = rows[(people.work_only[rows] == 0) & (people.first_due_from[rows] < -9999)]
    unseen = kept.service.today - people.last_seen[rows]
    assert np.quantile(unseen, 0.99) <= 45, "thirty days and a fortnight's notice"


def test_a_floor_of_a_few_days_is_one_of_a_week() -> None:
    """Of the shortest floor that is followed, unless another is set."""
    floor, least = "contact.face_to_face_floor_days", "contact.face_to_face_floor_least_days"
    short = {"end": datetime.date(2017, 8, 31), "count_from": START}
    few = run(overrides={floor: 3}, **short)
    same_run(few, run(overrides={floor: 7}, **short))
    assert total(run(overrides={floor: 3, least: 3}, **short), "contacts_due") > 1.2 * total(few, "contacts_due")


# --- Home detention curfew ------------------------------------------------------------------------------


def test_nobody_put_forward_nobody_on_curfew() -> None:
    nobody = run(overrides={"custody.hdc.take_up": 0}, **SHORT)
    assert total(nobody, "hdc_considered") == total(nobody, "hdc_releases") == total(nobody, "hdc_enquiries") == 0


def test_more_take_up_more_releases_and_the_same_people(baseline: RunOutput) -> None:
    more = run(overrides={"custody.hdc.take_up": 0.84})
    assert total(more, "hdc_considered") > 1.5 * total(baseline, "hdc_considered")
    assert total(more, "hdc_releases") > 1.5 * total(baseline, "hdc_releases")
    assert total(more, "hdc_enquiry_seconds") > total(baseline, "hdc_enquiry_seconds")


def test_more_suitable_addresses_more_releases() -> None:
    one_address = {"custody.hdc.second_address_share": 0}
    few = run(overrides={**one_address, "custody.hdc.address_suitable_share": 0.4})
    many = run(overrides={**one_address, "custody.hdc.address_suitable_share": 0.8})
    ratio = total(many, "hdc_releases") / total(few, "hdc_releases")
    assert 1.3 < ratio < 3, "twice the addresses, about twice the releases"
    assert total(many, "hdc_refused_address") < total(few, "hdc_refused_address")


# --- Organisation ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def unified() -> RunOutput:
    return run(change(datetime.date(2017, 9, 1), "set", "organisation.unified", 1))


def test_one_service_escalates_nobody_to_itself(unified: RunOutput, baseline: RunOutput) -> None:
    after = [count for month, count in totals(unified)["escalated_to_nps"].items() if month >= "2017-09"]
    assert sum(after) == 0 < total(baseline, "escalated_to_nps")
    assert not [count for month, count in totals(unified)["misallocated"].items() if month >= "2017-09"]


def test_after_unification_everybody_and_everything_is_the_nps(unified: RunOutput) -> None:
    rows = unified.rows
    late = {
        provider
        for provider, month, measure in zip(rows["provider"], rows["month"], rows["measure"], strict=True)
        if month >= "2017-10" and measure in ("caseload_total", "officers_in_post", "contacts_face_to_face")
    }
    assert late == {"nps_north_west"}


def test_one_service_from_the_first_day() -> None:
    output = run(overrides={"organisation.unified": 1}, **SHORT)
    assert set(totals(output)["escalated_to_nps"]) == set()
    assert len(set(output.rows["provider"]) - {"nps", "crc"}) == 1


def test_inflation_moves_people_to_the_nps(baseline: RunOutput) -> None:
    def share(output: RunOutput) -> float:
        rows = output.rows
        live = [
            (provider, value)
            for provider, month, measure, value in zip(
                rows["provider"], rows["month"], rows["measure"], rows["value"].tolist(), strict=True
            )
            if measure == "caseload_total" and month == max(output.state_digests)
        ]
        return sum(value for provider, value in live if provider.startswith("nps")) / sum(v for _, v in live)

    assert share(run(overrides={"allocation.inflation": 0.4})) > share(baseline) + 0.03


# --- Law ------------------------------------------------------------------------------------------------


def test_without_post_sentence_supervision_nobody_is_on_it() -> None:
    output = run(overrides={"supervision.pss.enabled": False}, **SHORT)
    totals_ = totals(output)
    # Those sentenced before the run keep what they were given; nobody new begins.
    model = finished(overrides={"supervision.pss.enabled": False}, **SHORT)
    sentences = model.service.sentences
    new = sentences.imposed[: sentences.size] >= 0
    assert not (new & (sentences.status[: sentences.size] == Status.SUPERVISION)).any()
    assert sum(totals_["pss_breach_hearings"].values()) <= sum(totals_["breach_hearings"].values())


CHANGES_OF_LAW = (
    ("custody.release_fraction", 0.4),
    ("custody.release_fraction", 0.6),
    ("custody.hdc.max_days", 90),
    ("custody.hdc.max_days", 180),
    ("custody.hdc.min_days_on_curfew", 28),
    ("recall.fixed_term_days_12m_plus", 14),
    ("supervision.pss.total_months_after_release", 6),
    ("supervision.pss.enabled", False),
    ("allocation.rsr_threshold", 3.0),
    ("contact.custody_interval_days", 28),
)


@pytest.mark.parametrize(("name", "value"), CHANGES_OF_LAW, ids=lambda value: str(value))
def test_a_change_of_law_breaks_no_law(halfway: tuple[Model, dict[str, Any]], name: str, value: Any) -> None:
    """What was decided before stands; what was approved before and isn't allowed any more doesn't happen."""
    model, saved = halfway
    after = request(change(datetime.date(2017, 9, 15), "set", name, value), seed=1, **SHORT)
    model.continue_with(saved, after.resolved)
    model.run()
    assert model.service.checks["nobody is lost"] == 4


@pytest.fixture(scope="module")
def halfway() -> tuple[Model, dict[str, Any]]:
    """The midnight before a policy begins."""
    model = Model(request(seed=1, **SHORT))
    model.run(76)
    return model, model.save()


# --- Staff and courts -----------------------------------------------------------------------------------


def test_where_nobody_leaves_nobody_leaves() -> None:
    rates = ("staff.nps.leaving_rate_po", "staff.nps.leaving_rate_pso", "staff.crc.leaving_rate_officers")
    # Vacancies of the start are filled all the same; here nobody comes from the CRC.
    nobody = {**dict.fromkeys(rates, 0), "staff.sickness_days": 0, "staff.recruitment.share_from_crc": 0}
    stay = run(overrides=nobody)
    assert total(stay, "leavers") == total(stay, "moves_crc_to_nps") == total(stay, "sickness_days") == 0
    months = totals(stay)["officers_in_post"]
    assert list(months.values()) == sorted(months.values()), "no fewer than before"


def test_more_leaving_more_changes_of_officer(baseline: RunOutput) -> None:
    many = run(overrides={"staff.leaving_multiplier": 6})
    assert total(many, "leavers") > 2 * max(total(baseline, "leavers"), 1)
    assert total(many, "officer_changes") > total(baseline, "officer_changes")
    assert last(many, "officers_in_post") < last(baseline, "officers_in_post")


def test_a_court_team_that_is_large_enough_is_never_late() -> None:
    large = run(overrides={"courts.team_staffing": 5}, **SHORT)
    small = run(overrides={"courts.team_staffing": 0.3}, **SHORT)
    assert total(large, "reports_late") == 0
    assert total(small, "reports_late") > 10
    assert last(small, "reports_waiting") > last(large, "reports_waiting")


def test_more_time_is_never_less_contact(baseline: RunOutput) -> None:
    unlimited = run(overrides=UNLIMITED)
    assert total(unlimited, "contacts_cancelled") == 0
    assert total(unlimited, "contacts_face_to_face") > total(baseline, "contacts_face_to_face")
    assert total(unlimited, "detection_days") / total(unlimited, "crises_noticed") <= 1.05 * (
        total(baseline, "detection_days") / total(baseline, "crises_noticed")
    )


def test_a_model_can_be_run_twice(baseline: RunOutput) -> None:
    """Nothing is left behind in the program by a run."""
    again = Model(RunRequest(request().resolved, seed=1))
    again.run()
    assert again.output().event_digests == baseline.event_digests


GROUPS = ("order", "under_12_months", "12_months_to_under_4_years", "4_years_and_over")


def test_deportation_cases_are_removed_at_the_end_of_custody() -> None:
    everybody = {f"population.deportation_share.{group}": 1.0 for group in GROUPS}
    model = finished(overrides=everybody, **SHORT)
    output, people, sentences = model.output(), model.service.people, model.service.sentences
    gone = np.flatnonzero(people.location[: people.size] == Location.REMOVED)
    assert gone.size == total(output, "removed_at_release") > 50
    # Two terms of one person may end on one day.
    assert 0.98 * total(output, "releases") < total(output, "removed_at_release") <= total(output, "releases")
    assert total(output, "hdc_releases") == 0, "never on curfew"
    assert (people.officer[gone] == -1).all() and (people.side[gone] == -1).all()
    theirs = np.isin(sentences.person[: sentences.size], gone)
    assert theirs.sum() >= gone.size
    assert (sentences.status[: sentences.size][theirs] == Status.ENDED).all()
    for name in ("contact", "conviction", "reoffence", "sentence", "allocate", "crisis", "death"):
        assert (model.service.agendas[name].day_of(gone) == NEVER).all(), name


def test_nobody_is_removed_where_nobody_is_a_deportation_case() -> None:
    nobody = {f"population.deportation_share.{group}": 0.0 for group in GROUPS}
    assert total(run(overrides=nobody, **SHORT), "removed_at_release") == 0


def by_provider(output: RunOutput, measure: str) -> dict[str, int]:
    """A count over the whole run, by provider."""
    found: dict[str, int] = {}
    for provider, name, value in zip(
        output.rows["provider"], output.rows["measure"], output.rows["value"].tolist(), strict=True
    ):
        if name == measure:
            found[provider] = found.get(provider, 0) + value
    return found


def test_a_companys_breach_packs_go_back_and_forth() -> None:
    """Half of them each time, within four standard errors; the NPS's never; and the court hears of it later."""
    half = run(overrides={"enforcement.pack_returned_share": 0.5})
    never = run(overrides={"enforcement.pack_returned_share": 0})
    assert total(never, "breach_packs_returned") == 0
    returned, taken = (by_provider(half, measure) for measure in ("breach_packs_returned", "breaches_referred"))
    (company,) = returned
    assert not company.startswith("nps") and set(taken) > {company}
    sent = returned[company] + taken[company]
    assert sent > 100 and abs(returned[company] - sent / 2) < 4 * np.sqrt(sent / 4)
    wait_half, wait_never = (
        by_provider(output, "breach_referral_days")[company] / by_provider(output, "breaches_referred")[company]
        for output in (half, never)
    )
    # One return on average for each pack that is taken, and a week for each.
    assert wait_half > wait_never + 4
