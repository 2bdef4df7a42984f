"""Laws between runs: what must follow in one when something is changed in the other, whatever the numbers are.

Nobody knows what the caseload of an area should be; but twice the inflow with twice the staff must give twice as much.
"""

from __future__ import annotations

import dataclasses
import datetime
from itertools import pairwise
from typing import Any

import pytest

from simulation.scenario import resolve
from simulation.system import RunOutput, RunRequest, run_model
from tests.system.system_helpers import (
    END,
    GEOGRAPHY,
    PARAMETERS,
    START,
    UNLIMITED,
    change,
    run,
    same_run,
    scenario,
    total,
    totals,
)

AREA = ("cumbria",)
LONG_END = datetime.date(2018, 6, 30)

#: Nothing an officer notices or does not notice changes where somebody is.
NO_CONSEQUENCES = {
    "enforcement.probability_started_crc": 0,
    "enforcement.probability_started_nps": 0,
    "enforcement.early_revocation_share": 0,
    "recall.per_unacceptable_absence": 0,
    "recall.per_another_absence": 0,
    "recall.per_risk_rise_noticed": 0,
}
#: Nobody comes back: whoever is out for longer could otherwise be convicted again.
NO_RETURNS = {"recall.per_further_charge": 0, "community.reoffending_ratio": 0}
#: What officers' pressure does to themselves is off: a leaver more or less would move other waits.
NO_FEEDBACK = {
    "effects.overload_leaving_multiplier_at_100pct": 1,
    "effects.overload_leaving_multiplier_at_130pct": 1,
}
#: Far more calls, far fewer visits.
MODELS = ("nps_e3", "sodexo", "working_links", "purple_futures", "mtcnovo", "rrp", "arcc", "seetec", "eos", "unified")
CALLS = {"contact.phone_only_share": dict.fromkeys(MODELS, 1.0), "contact.phone_eligible_share": 1.0}
#: All demand: whoever is sentenced, to whatever.
DEMAND = (
    "courts.community_sentences_imposed",
    "courts.suspended_sentences_imposed",
    "courts.immediate_custody_imposed",
)
#: What else is a number of people or of places.
CAPACITIES = (
    "population.returns.community",
    "population.returns.custody",
    "custody.indeterminate_unreleased",
    "custody.indeterminate_recalled",
    "courts.pre_sentence_reports",
    "enforcement.hearings_a_year",
    "release.team_hours_a_year",
    "release.homes_a_year",
    "requirements.unpaid_work.places_a_week",
    "staff.trainee.starts_per_year",
)
STAFF = ("staff.nps.officers_holding_cases", "staff.crc.officers_holding_cases")


def times(factor: float, *names: str) -> list[Any]:
    """Changes that multiply parameters from the first day on."""
    return [change(START, "multiply", name, factor) for name in names]


def mean(output: RunOutput, over: str, under: str) -> float:
    """One count over another, over the whole run."""
    return total(output, over) / total(output, under)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("custody.hdc.take_up", 0.6),
        ("contact.face_to_face_floor_days", 30),
        ("staff.leaving_multiplier", 2.0),
        ("courts.report_working_days", None),
    ],
)
def test_a_change_cut_in_two_is_one_change(name: str, value: Any) -> None:
    day, cut = datetime.date(2017, 9, 4), datetime.date(2017, 10, 17)
    action = "set" if value is not None else "multiply"
    value = 1.5 if value is None else value
    whole = run(change(day, action, name, value, end=END))
    first = change(day, action, name, value, end=cut)  # the first day without it
    second = change(cut, action, name, value, end=END)
    same_run(whole, run(first, second))
    assert whole.event_digests != run().event_digests, "the change does nothing: the law would hold of anything"


def test_supervision_leaves_reoffending_alone_unless_a_switch_is_on() -> None:
    quiet = {**UNLIMITED, **NO_CONSEQUENCES}
    usual = run(overrides=quiet)
    calls = run(overrides={**quiet, **CALLS})
    assert total(calls, "contacts_face_to_face") < 0.9 * total(usual, "contacts_face_to_face")
    for measure in ("reoffences", "followed_a_year", "reoffended_within_year", "prison_determinate"):
        assert totals(usual)[measure] == totals(calls)[measure], measure
    assert total(usual, "reoffences") > 100
    switched = {**quiet, "effects.contact_on_reoffending": True, "effects.unseen_reoffending_ratio": 3}
    seen = run(overrides=switched)
    unseen = run(overrides={**switched, **CALLS})
    assert total(unseen, "reoffences") > total(seen, "reoffences")


def test_without_supervision_after_release_as_many_reoffend() -> None:
    """People are at risk by the law's dates alone, not by being supervised. Deaths are off: none is known of later."""
    quiet = {**UNLIMITED, **NO_CONSEQUENCES, "community.death_rate": 0}
    end = datetime.date(2019, 6, 30)
    usual = run(overrides=quiet, end=end)
    without = run(overrides={**quiet, "supervision.pss.enabled": False}, end=end)
    assert total(without, "caseload_pss") < 0.7 * total(usual, "caseload_pss")
    for measure in ("sentences_of_returners", "short_cohort_starts"):
        assert totals(usual)[measure] == totals(without)[measure], measure
        assert total(usual, measure) > 100

    def reoffences(output: RunOutput) -> list[Any]:
        rows = zip(*(output.rows[name] for name in ("measure", "month", "group", "value")), strict=True)
        return sorted(row for row in rows if row[0] == "short_cohort_reoffences")

    assert reoffences(usual) == reoffences(without)
    assert len(reoffences(usual)) > 100


def test_more_officers_never_make_people_wait_longer() -> None:
    # With what officers notice and what they feel both off, more of them can only shorten waits. Others are sick on
    # other days, though: 3% is three standard errors of the mean wait for some 3,000 first appointments.
    quiet = {**NO_CONSEQUENCES, **NO_FEEDBACK}
    runs = [run(*times(factor, *STAFF), overrides=quiet, end=LONG_END) for factor in (0.7, 1.0, 1.5)]
    for over, under in (
        ("first_appointment_days_community", "first_appointments_community"),
        ("contacts_cancelled", "contacts_due"),
        ("tasks_waiting", "caseload_community"),
    ):
        waits = [mean(output, over, under) for output in runs]
        assert waits[0] * 1.03 >= waits[1] and waits[1] * 1.03 >= waits[2], (over, waits)
    scarce, _, plenty = (mean(output, "contacts_cancelled", "contacts_due") for output in runs)
    assert scarce > 2 * plenty, "officers are never short of time: the law would hold of anything"


def test_a_longer_tag_never_fills_prisons() -> None:
    # Recall from a tag grows with its days in the model; held fixed (at none), a longer tag can only take people out.
    at_most = {**UNLIMITED, **NO_CONSEQUENCES, **NO_RETURNS, "custody.hdc.curfew_recall_share": 0}
    inside = []
    for days in (60, 90, 135, 180):
        output = run(overrides={**at_most, "custody.hdc.max_days": days}, end=LONG_END)
        inside.append(totals(output)["prison_determinate"])
    for shorter, longer in pairwise(inside):
        assert all(longer[month] <= shorter[month] for month in shorter)
    assert sum(inside[-1].values()) < 0.99 * sum(inside[0].values())


def doubled(*names: str) -> Any:
    """All parameters, some of them twice what they are, in the years before the run too."""

    found = {}
    for name in names:
        parameter = PARAMETERS[name]
        leaves = {label: 2 * value for label, value in parameter.leaves.items()}
        points = {label: tuple((day, 2 * value) for day, value in each) for label, each in parameter.points.items()}
        found[name] = dataclasses.replace(parameter, leaves=leaves, points=points)
    return {**PARAMETERS, **found}


def test_twice_the_inflow_with_twice_the_staff_is_twice_as_much() -> None:
    # Two areas' worth of people: what is a share or a time stays, what is a number of people or places doubles.
    ordinary = run(areas=("durham",), end=LONG_END)
    larger = resolve(scenario(end=LONG_END), doubled(*DEMAND, *STAFF, *CAPACITIES), GEOGRAPHY, areas=("durham",))
    twice = run_model(RunRequest(larger, seed=1))
    for stock in ("caseload_community", "caseload_custody", "prison_determinate", "cases_held", "points_available"):
        assert total(twice, stock) == pytest.approx(2 * total(ordinary, stock), rel=0.05), stock
    for over, under in (
        ("first_appointment_days_community", "first_appointments_community"),
        ("absences_unacceptable", "contacts_due"),
        ("detection_days", "crises_noticed"),
        ("breach_hearing_days", "breach_hearings"),
    ):
        assert mean(twice, over, under) == pytest.approx(mean(ordinary, over, under), rel=0.1), (over, under)


def test_nobody_arrives_and_supervision_runs_dry() -> None:
    output = run(*times(0, *DEMAND), end=LONG_END)
    stock = totals(output)["caseload_court_orders"]
    months = sorted(stock)
    assert total(output, "sentences_community") + total(output, "sentences_custody") == total(
        output, "sentences_of_returners"
    )
    assert stock[months[-1]] < 0.5 * stock[months[0]]


def test_a_country_in_which_nobody_was_ever_sentenced_runs() -> None:
    output = run(overrides=dict.fromkeys(DEMAND, 0))
    assert total(output, "caseload_community") < 20 < total(output, "officers_po")


def test_everybody_comes_and_nobody_is_warned() -> None:
    always = run(overrides={"contact.missed_appointment_probability": 0})
    assert total(always, "absences_unacceptable") == 0
    assert total(always, "warnings") == 0
