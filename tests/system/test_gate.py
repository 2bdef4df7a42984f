"""Through the Gate and life after release: every lever moves what it must, and nothing else."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pytest

from simulation.engine import NEVER
from simulation.system import Model, RunOutput
from simulation.system.circumstances import MOST_ENGAGED
from simulation.system.codes import Home, Location, Mode, Status
from simulation.system.contact_loops import UNEXCUSED
from tests.system.system_helpers import change, finished, request, run, total, totals

SHORT = {"end": datetime.date(2017, 10, 31)}
SERVICE = {
    "release.help_share": 1,
    "release.team_hours_a_year": 2_000_000,
    "release.home_search_days": dict.fromkeys(("p0", "p25", "p50", "p75", "p100"), 1),
}
GATE = (
    "resettlement_plans_done", "ttg_done", "ttg_help_done", "homes_sought", "homes_taken", "mentors_met",
    "released_housed_by_help",
)  # fmt: skip
#: What must not move where resettlement is only counted.
REST = ("releases", "recalls", "contacts_face_to_face", "absences_unacceptable", "crises", "reoffences", "hdc_releases")


def everything_else(output: RunOutput) -> dict[str, int]:
    return {name: total(output, name) for name in REST}


# --- Through the Gate ---------------------------------------------------------------------------------------


def test_without_teams_nothing_is_done_but_screening(baseline: RunOutput) -> None:
    """The scenario that ends the service ends it, and changes nothing else in a world where help only houses."""
    nothing = run(overrides={"release.team_capacity": 0})
    assert {name: total(nothing, name) for name in GATE} == dict.fromkeys(GATE, 0)
    assert total(nothing, "screenings_done") == total(baseline, "screenings_done") > 100
    assert total(nothing, "ttg_help_started") > 0, "asked for, and never reached"
    assert total(baseline, "resettlement_plans_done") > 100 and total(baseline, "ttg_help_done") > 10
    assert everything_else(nothing) == everything_else(baseline)


def test_screening_in_time_is_what_the_prison_does() -> None:
    at_once = run(overrides={"release.screening_part1_days": dict.fromkeys(("p0", "p90", "p100"), 3)}, **SHORT)
    late = run(overrides={"release.screening_part1_days": dict.fromkeys(("p0", "p90", "p100"), 4)}, **SHORT)
    assert total(at_once, "screenings_in_time") == total(at_once, "screenings_done") > 0
    assert total(late, "screenings_in_time") == 0 < total(late, "screenings_done")


def test_only_sentences_below_four_years_have_a_plan_by_the_company() -> None:
    model = finished(**SHORT)
    sentences = model.service.sentences
    size = sentences.size
    written = sentences.screened[:size] == 2
    assert written.any() and (sentences.length[:size][written] < 4 * 365.25).all()
    assert (sentences.imposed[:size][written] >= 0).all()


def test_a_team_paid_for_plans_writes_plans_first() -> None:
    """With a third of the hours, plans come in time and help doesn't; where help counts alike, plans are late."""
    scarce = {"release.team_capacity": 0.33, "release.help_share": 0.5}
    paid = run(overrides=scarce)
    alike = run(overrides={**scarce, "release.plans_before_help": False})
    assert total(paid, "resettlement_plans_in_time") > 1.2 * total(alike, "resettlement_plans_in_time")
    assert total(paid, "resettlement_plans_in_time") > 0.85 * total(paid, "resettlement_plans_due")
    before_release = [total(output, "ttg_done") + total(output, "ttg_help_done") for output in (alike, paid)]
    assert before_release[0] > before_release[1]


@pytest.fixture(scope="module")
def with_hours() -> RunOutput:
    return run(overrides=SERVICE)


def test_no_more_are_helped_of_those_released_than_are_released() -> None:
    """Help for everybody from August on: a month finishes more help than it releases people, most helped before."""
    first = datetime.date(2017, 8, 1)
    everybody = [change(first, "set", name, value) for name, value in SERVICE.items()]
    counts = totals(run(*everybody))
    done, helped, released = (counts[name] for name in ("ttg_help_done", "released_helped", "releases"))
    assert any(done[month] > released[month] for month in done)
    assert all(0 <= helped[month] <= released[month] for month in released)
    assert helped["2017-12"] > 0.5 * released["2017-12"]
    assert 0 < sum(helped.values()) < sum(done.values())


def test_plan_only_or_real_service(baseline: RunOutput, with_hours: RunOutput) -> None:
    plan_only = run(overrides={"release.help_share": 0})
    for name in GATE[2:]:
        assert total(plan_only, name) == 0, name
    assert total(with_hours, "ttg_help_done") > 3 * total(baseline, "ttg_help_done")
    assert total(with_hours, "homes_sought") > 2 * total(baseline, "homes_sought")
    assert total(with_hours, "income_gap_days") < total(plan_only, "income_gap_days")


def test_help_runs_into_places(with_hours: RunOutput) -> None:
    none = run(overrides={**SERVICE, "release.homes_a_year": 0})
    many = run(overrides={**SERVICE, "release.homes_a_year": 1_000_000})
    assert total(none, "homes_taken") == total(none, "homes_found") == 0 < total(none, "homes_sought")
    assert 0 < total(with_hours, "homes_taken") < 0.8 * total(many, "homes_taken")
    assert total(with_hours, "homes_taken") <= total(with_hours, "homes_found")
    # With places without end, whoever's search ends in time is housed.
    assert total(many, "homes_taken") > 0.9 * total(many, "homes_sought")
    assert total(many, "released_settled") > total(none, "released_settled") + 0.5 * total(many, "homes_taken")
    assert total(many, "released_homeless") < total(none, "released_homeless")
    assert everything_else(many) == everything_else(none), "housing is counted, and off elsewhere"


@pytest.mark.parametrize(
    ("name", "none", "everybody"),
    [("release.held_away_share", 1, 0), ("release.landlord_accepts_share", 0, 1)],
)
def test_for_whom_a_home_is_sought(name: str, none: float, everybody: float) -> None:
    few, many = (run(overrides={**SERVICE, name: value}, **SHORT) for value in (none, everybody))
    assert total(few, "homes_sought") == 0 < total(many, "homes_sought")


def test_a_window_from_reception_gives_the_search_time() -> None:
    """Everybody looks for two months; those whose window opens late have no such time."""
    two_months = dict.fromkeys(("p0", "p25", "p50", "p75", "p100"), 60)
    slow = {**SERVICE, "release.homes_a_year": 1_000_000, "release.home_search_days": two_months}
    late = run(overrides={**slow, "release.window_days": 28})
    early = run(overrides={**slow, "release.window_days": 1000})
    assert total(late, "homes_taken") == 0 < total(early, "homes_taken")


def test_an_earlier_window_for_all_opens_at_once() -> None:
    when = datetime.date(2017, 9, 4)
    sooner = change(when, "set", "release.window_days", 1000, applies_to="all")
    new_only = change(when, "set", "release.window_days", 1000, applies_to="new")
    september = [totals(run(one, **SHORT))["ttg_started"]["2017-09"] for one in (sooner, new_only)]
    assert september[0] > 2 * september[1]


def test_more_places_in_one_area_are_no_other_areas() -> None:
    """A lever of one area leaves its neighbour as it was."""
    more = change(datetime.date(2017, 9, 1), "multiply", "release.homes_a_year", 20, areas=("gwent",))
    areas = ("cumbria", "gwent")
    before, after = run(areas=areas, **SHORT), run(more, areas=areas, **SHORT)

    def found(output: RunOutput, area: str) -> int:
        rows = output.rows
        both = zip(rows["area"], rows["measure"], rows["value"].tolist(), strict=True)
        return sum(value for where, measure, value in both if where == area and measure == "homes_found")

    assert found(after, "gwent") > 2 * found(before, "gwent")
    assert found(after, "cumbria") == found(before, "cumbria")


def test_mentors_take_hours_from_the_team() -> None:
    everybody = {**SERVICE, "release.mentor_of_helped_share": 1, "release.team_hours_a_year": 600_000}
    met = run(overrides={**everybody, "release.mentor_hours": 0.0})
    busy = run(overrides={**everybody, "release.mentor_hours": 100})
    assert total(met, "mentors_met") > 50
    assert total(busy, "ttg_help_done") < total(met, "ttg_help_done")


# --- After release --------------------------------------------------------------------------------------------


def test_the_wait_for_benefits_is_as_long_as_it_is_said_to_be() -> None:
    six = {"release.income_gap_weeks": 6, "release.income_gap_helped_weeks": 6}
    waits = run(overrides=six, **SHORT)
    assert total(waits, "income_gap_days") == 42 * total(waits, "released_without_income") > 0
    nobody = run(overrides=dict.fromkeys(six, 0), **SHORT)
    assert total(nobody, "income_gap_days") == total(nobody, "released_without_income") == 0
    assert max(totals(nobody)["without_income"].values(), default=0) == 0


def test_everybody_released_goes_somewhere(baseline: RunOutput) -> None:
    model = finished(**SHORT)
    output, people = model.output(), model.service.people
    stay = total(output, "releases") - total(output, "removed_at_release")
    homes = sum(total(output, f"released_{kind}") for kind in ("settled", "temporary", "homeless"))
    # Two terms of one person may end on one day: two releases, one home if it is neither settled nor none.
    assert 0.97 * stay < homes <= stay
    released = people.released_on[: people.size] >= 0
    assert ((people.home[: people.size] != Home.NOT_KNOWN) == released).all()
    assert total(baseline, "living_nowhere") > 0


def test_homes_change_at_their_rates() -> None:
    rates = {f"community.home_changes_per_year.{name}": 0 for name in (
        "settled_to_temporary", "settled_to_none", "temporary_to_settled", "temporary_to_none", "none_to_temporary",
        "none_to_settled",
    )}  # fmt: skip
    still = run(overrides=rates, **SHORT)
    assert total(still, "moves_to_nowhere") == total(still, "moves_to_settled") == 0
    found = run(overrides={**rates, "community.home_changes_per_year.none_to_settled": 300}, **SHORT)
    assert total(found, "moves_to_nowhere") == 0
    # Within days everybody released to nowhere has a home.
    assert total(found, "moves_to_settled") > 0.6 * total(found, "released_homeless") > 0


def test_nobody_loses_the_home_on_the_tag() -> None:
    """A move that falls due on curfew waits until it ends."""
    model = finished(overrides={"community.home_changes_per_year.settled_to_none": 300}, **SHORT)
    people, sentences = model.service.people, model.service.sentences
    tagged = sentences.person[: sentences.size][sentences.status[: sentences.size] == Status.CURFEW]
    assert tagged.size > 10 and (people.home[tagged] != Home.NONE).all()
    others = sentences.person[: sentences.size][sentences.status[: sentences.size] == Status.LICENCE]
    known = people.home[others][people.home[others] != Home.NOT_KNOWN]
    assert (known == Home.NONE).mean() > 0.5


def test_engagement_moves_as_by_hand() -> None:
    model = Model(request(**SHORT))
    model.run(3)
    people, circumstances = model.service.people, model.circumstances
    rows = np.flatnonzero(people.location[: people.size] == Location.COMMUNITY)[:4]
    people.engagement[rows] = [500, 990, 30, 500]
    outcome = np.array([Mode.FACE_TO_FACE, Mode.FACE_TO_FACE, UNEXCUSED, Mode.TELEPHONE], dtype=np.int8)
    circumstances.held(rows, outcome)
    # Fifteen for a visit, five for a call, forty off for an absence; never beyond the ends of the scale.
    assert people.engagement[rows].tolist() == [515, MOST_ENGAGED, 0, 505]
    circumstances.handed(rows[:1])
    assert people.engagement[rows[0]] == 455


def test_engagement_grows_with_contact_and_falls_with_changes_of_officer(baseline: RunOutput) -> None:
    def mean(output: RunOutput) -> float:
        return total(output, "engagement_points") / total(output, "engaged_people")

    absent = run(overrides={"contact.missed_appointment_probability": 0.5})
    changed = run(overrides={"community.engagement_loss_officer_change": 300})
    assert mean(absent) < mean(baseline) - 10
    assert mean(changed) < mean(baseline) - 5
    assert everything_else(changed) == everything_else(baseline), "what follows from it is off"


# --- Effects, each behind its switch ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("switch", "strong", "count", "more"),
    [
        ("effects.circumstances_on_attendance", {"effects.no_home_missed_odds_ratio": 8,
         "effects.temporary_home_missed_odds_ratio": 8, "effects.no_income_missed_odds_ratio": 8},
         "absences_unacceptable", True),
        ("effects.mentor_on_attendance", {"effects.mentor_missed_odds_ratio": 0.1, "release.mentor_hours": 0,
         "release.mentor_of_helped_share": 1, **SERVICE}, "absences_unacceptable", False),
        ("effects.engagement_on_attendance", {"effects.engagement_missed_odds_slope": 5},
         "absences_unacceptable", False),
        ("effects.circumstances_on_changes_in_need", {"effects.no_home_change_ratio": 10,
         "effects.temporary_home_change_ratio": 10, "effects.no_income_change_ratio": 10}, "crises", True),
        ("effects.contact_on_reoffending", {"effects.unseen_reoffending_ratio": 3, "effects.unseen_after_days": 15},
         "reoffences", True),
        ("effects.continuity_on_reoffending", {"effects.officer_change_reoffending_ratio": 5}, "reoffences", True),
        ("effects.housing_on_reoffending", {"effects.unsettled_reoffending_odds_ratio": 10}, "reoffences", True),
        ("effects.overload_on_reoffending", {"effects.overload_reoffending_ratio_at_130pct": 5,
         "workload.points_per_month": 1500}, "reoffences", True),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_an_effect_is_there_only_when_switched_on(
    switch: str, strong: dict[str, Any], count: str, more: bool
) -> None:
    off, on = (run(overrides={**strong, switch: value}) for value in (False, True))
    weak = {name: value for name, value in strong.items() if not name.startswith("effects.")}
    plain = run(overrides=weak)
    assert plain.event_digests == off.event_digests, "off is off, whatever its size"
    if more:
        assert total(on, count) > 1.02 * total(off, count)
    else:
        assert total(on, count) < total(off, count)


def test_a_switch_thrown_in_mid_run_moves_what_is_booked_and_back() -> None:
    """Days already booked rest on the circumstances of today, and again on nothing when the switch is off."""
    name = "effects.circumstances_on_changes_in_need"
    strong = {"effects.no_home_change_ratio": 4, "effects.temporary_home_change_ratio": 4}
    on, off = (change(datetime.date(2017, when, 1), "set", name, value) for when, value in ((9, True), (10, False)))
    model = Model(request(on, off, overrides=strong, **SHORT))
    model.run((datetime.date(2017, 9, 20) - datetime.date(2017, 7, 1)).days)
    people = model.service.people
    out = people.location[: people.size] == Location.COMMUNITY
    unsettled = out & (people.home[: people.size] >= Home.TEMPORARY) & (people.crisis_since[: people.size] == NEVER)
    assert unsettled.sum() > 20
    assert (people.change_ratio[: people.size][unsettled] > 1).all()
    model.run()
    out = people.location[: people.size] == Location.COMMUNITY
    waiting = out & (people.crisis_since[: people.size] == NEVER)
    assert (people.change_ratio[: people.size][waiting] == 1).all()


def test_the_year_that_is_followed_as_by_hand() -> None:
    """The cohort against everybody's starts and reoffences, kept while the model runs."""
    model = Model(request(end=datetime.date(2018, 9, 30)))
    started: dict[int, int] = {}
    reoffended: dict[int, list[int]] = {}
    heard = model.following.reoffended
    people, sentences = model.service.people, model.service.sentences

    def beginning(rows: Any) -> None:
        for row in rows.tolist():
            new = people.released_on[row] == model.service.today
            if new or sentences.imposed[people.latest[row]] == model.service.today:
                started.setdefault(row, model.service.today)

    def hearing(free: Any) -> None:
        heard(free)
        for row in free.tolist():
            reoffended.setdefault(row, []).append(model.service.today)

    for listeners in (model.supervision.on_begin, model.supervision.on_begin_again):
        listeners.append(beginning)
    model.community.on_reoffended[:] = [hearing]
    # Only the first year of each person: whoever begins once more after a year begins a second.
    model.run()
    output = model.output()
    last = model.service.today
    first = {row: day for row, day in started.items() if day + 365 <= last and people.location[row] < Location.DEAD}
    assert len(first) > 300
    within = [row for row, day in first.items() if any(day <= when <= day + 365 for when in reoffended.get(row, []))]
    seconds = 0.02 * len(first)
    assert abs(total(output, "followed_a_year") - len(first)) <= seconds
    assert abs(total(output, "reoffended_within_year") - len(within)) <= seconds
    assert 0.25 < len(within) / len(first) < 0.6
    released = total(output, "reoffended_within_year_release") / total(output, "followed_a_year_release")
    assert released > total(output, "reoffended_within_year") / total(output, "followed_a_year")


def test_serious_further_offences_are_rare_reoffences(baseline: RunOutput) -> None:
    none = run(overrides={"community.serious_offence_review_share": 0})
    every = run(overrides={"community.serious_offence_review_share": 1})
    assert total(none, "serious_offence_reviews") == 0
    assert total(baseline, "serious_offence_reviews") < total(every, "serious_offence_reviews")
    assert 0 < total(every, "serious_offence_reviews") < 0.1 * total(every, "reoffences")


def test_deaths_are_more_likely_in_the_first_weeks_after_release() -> None:
    many = run(overrides={"community.death_ratio_after_release": 50, "community.death_weeks_after_release": 12})
    few = run(overrides={"community.death_ratio_after_release": 1})
    assert total(many, "deaths") > total(few, "deaths") + 5


def test_early_recalls_are_recalls() -> None:
    model = finished(overrides=dict.fromkeys(("recall.per_unacceptable_absence", "recall.per_another_absence"), 0.9))
    early, recalls = (total(model.output(), name) for name in ("recalls_within_28_days", "recalls"))
    assert 0 < early < recalls
    assert (model.service.sentences.status[: model.service.sentences.size] == Status.RECALLED).any()
