"""Staff: who may hold what, what hours there are, who goes and why, and how posts are filled; exact where it can be."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pytest

from simulation.engine import NEVER
from simulation.system import Model, RunOutput
from simulation.system.choosing import choose_officers
from simulation.system.codes import CRC, NPS, Asking, Grade, Location, Place, Reason, Rosh, Terms
from simulation.system.hours import HoursOf, Reductions, points_available, reduction_of, set_hours
from simulation.system.leaving import overload_of
from simulation.system.officers import hand_over_cases, who_would_move
from simulation.system.quantiles import draw, mean_of_whole
from simulation.system.service import COUNT_INDEX
from simulation.system.staffing import Staffing
from tests.system.system_helpers import UNLIMITED, change, finished, request, run, total, totals

REDUCTIONS = Reductions(0.8, 0.6, 0.4, 182, 365, 0.2, 0.2)
#: A year and a quarter of one small area, so that people come and go.
LONG: dict[str, Any] = {"end": datetime.date(2018, 9, 30)}


def last(output: RunOutput, measure: str) -> int:
    months = totals(output)[measure]
    return months[max(months)] if months else 0


def mean_stock(output: RunOutput, measure: str) -> float:
    return total(output, measure) / len(output.state_digests)


@pytest.fixture(scope="module")
def long() -> RunOutput:
    return run(**LONG)


# --- Hours ----------------------------------------------------------------------------------------------


def test_reductions_are_those_of_the_tool() -> None:
    """A trainee has 80, 60 and 40% less by half-years; the newly qualified and new services officers 20%."""
    of_trainee = [reduction_of(Grade.TRAINEE, days, False, REDUCTIONS) for days in (0, 181, 182, 364, 365, 600)]
    assert of_trainee == [0.8, 0.8, 0.6, 0.6, 0.4, 0.4]
    assert reduction_of(Grade.PO, 10, True, REDUCTIONS) == reduction_of(Grade.PSO, 10, True, REDUCTIONS) == 0.2
    assert reduction_of(Grade.PO, 10, False, REDUCTIONS) == 0


def test_points_are_cut_as_in_the_tools_own_tests() -> None:
    """37 hours less 1.8 give 2,070 points and 30 less 1.8 give 1,658."""
    assert points_available(2176, np.array([3700, 3520, 2820, 0]), 3700).tolist() == [2176, 2070, 1658, 0]


class Team:
    """A few holders of one office."""

    def __init__(self, *grades: int) -> None:
        size = len(grades)
        self.size = size
        for name in HoursOf._fields:
            setattr(self, name, np.zeros(size, dtype=np.int32))
        self.grade, self.filled = np.array(grades, dtype=np.int8), np.ones(size, dtype=np.int8)
        self.hours = np.full(size, 3700, dtype=np.int16)
        self.since = np.full(size, -1000)
        for name in ("new_until", "sick_until", "away_until"):
            setattr(self, name, np.full(size, NEVER))

    def set(self, teaching: int = 0) -> Team:
        set_hours(self.size, 0, REDUCTIONS, teaching, HoursOf(*(getattr(self, name) for name in HoursOf._fields)))
        return self


def test_hours_left_by_hand() -> None:
    """Part time, facility time and both reductions; vacant and long absent have none."""
    team = Team(Grade.PO, Grade.PO, Grade.TRAINEE, Grade.PSO, Grade.PO, Grade.PO)
    team.hours[1], team.facility[1] = 2220, 444
    team.since[2], team.new_until[3] = -100, 50
    team.filled[4] = 0
    team.covered[5], team.away_until[5] = 1, 30
    team.set()
    assert team.hours_left.tolist() == [3700, 1776, 740, 2960, 0, 0]
    team.away_until[5] = 0
    assert team.set().hours_left[5] == 3700, "back again"
    assert team.covered[5] == 0


def test_trainees_take_time_of_qualified_colleagues() -> None:
    """Two trainees at 180 each, shared by two tutors; neither the newly qualified nor the agency's nor others teach."""
    team = Team(Grade.PO, Grade.PO, Grade.TRAINEE, Grade.TRAINEE, Grade.PSO, Grade.PO, Grade.PO)
    team.new_until[5] = 20
    team.terms[6] = Terms.AGENCY
    assert team.set(180).teaching.tolist() == [180, 180, 0, 0, 0, 0, 0]


def test_hours_decide_who_gets_the_next_case() -> None:
    """Three fifths of the hours, three fifths of the cases; who has no hours isn't asked."""
    posts, hours = np.arange(2), np.array([3700, 2220])
    none = np.zeros(16, dtype=np.int64)
    chosen = choose_officers(none, np.ones(16, dtype=np.int64), posts, none[:2], none[:2], hours, 1)
    assert np.bincount(chosen).tolist() == [10, 6]


def test_a_trainee_holds_no_high_risk_and_a_small_caseload() -> None:
    model = finished(**LONG)
    posts, people = model.service.posts, model.service.people
    held = np.flatnonzero(people.officer[: people.size] >= 0)
    grade = posts.grade[people.officer[held]]
    trainees = np.flatnonzero((posts.grade[: posts.size] == Grade.TRAINEE) & (posts.filled[: posts.size] == 1))
    assert trainees.size
    settled = people.waiting_since[held] == NEVER
    assert not (settled & (people.assessed_rosh[held] >= Rosh.HIGH) & (grade != Grade.PO)).any()
    assert posts.cases[trainees].mean() < 0.7 * posts.cases[: posts.size][posts.hours_left[: posts.size] >= 3700].mean()
    # By law too: one who keeps a case at high risk is found.
    high = held[settled & (people.assessed_rosh[held] >= Rosh.HIGH)][0]
    posts.grade[people.officer[high]] = Grade.TRAINEE
    model.invariants.look()
    assert high in model.invariants.high_risk_officer()


def test_part_time_officers_have_fewer_hours_and_points() -> None:
    nobody, many = (run(overrides={"staff.part_time.share": share}) for share in (0, 0.5))
    assert total(nobody, "part_time_in_post") == 0 < total(many, "part_time_in_post")
    assert total(many, "points_available") < 0.9 * total(nobody, "points_available")
    assert total(many, "seconds_available") < 0.9 * total(nobody, "seconds_available")


# --- Absence --------------------------------------------------------------------------------------------


def test_the_mean_of_lengths_is_that_of_whole_days() -> None:
    """Against draws, evenly spread: days are cut, and nobody is sick for less than one."""
    for table in ({"p0": 1, "p50": 2, "p90": 6, "p100": 15}, {"p0": 0, "p40": 0.5, "p60": 7, "p80": 7, "p100": 9.5}):
        even = (np.arange(400_000) + 0.5) / 400_000
        cut = np.maximum(draw(table, even).astype(np.int64), 1)
        assert mean_of_whole(table) == pytest.approx(cut.mean(), rel=1e-4)


def test_sickness_and_leave_take_the_days_that_the_parameters_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """40 and 32.5 working days a year, in some 830 years of officers of whom nobody leaves.

    A year's sickness of an officer in short spells has a standard deviation of about 14 days, a year's leave of 13:
    four standard errors are 5%, so that each fails by chance once in 16,000 seeds.
    """
    days, taken = [0, 0], Staffing.absences

    def count(self: Staffing) -> None:
        posts, size, today = self.service.posts, self.service.posts.size, self.service.today
        # The first month has hardly anybody sick yet.
        if today > 30:
            days[0] += size
            days[1] += int(((posts.leave_until[:size] > today) & (posts.sick_until[:size] <= today)).sum())
        taken(self)

    monkeypatch.setattr(Staffing, "absences", count)
    many = {"staff.nps.officers_holding_cases": 100_000, "staff.crc.officers_holding_cases": 100_000}
    calm = {name: 0 for name in UNLIMITED if any(word in name for word in ("leaving", "maternity", "vacancy"))}
    sick = {"staff.sickness_days": 40, "effects.overload_strength": 0, "staff.sickness_long_spell_share": 0}
    months = totals(run(overrides={**many, **calm, **sick, "staff.trainee.starts_per_year": 0}))
    at_work = sum(value for month, value in months["officer_days"].items() if month > "2017-07")
    lost = sum(value for month, value in months["sickness_days"].items() if month > "2017-07")
    assert at_work > 800 * 252.9
    assert 252.9 * lost / at_work == pytest.approx(40, rel=0.05)
    assert 252.9 * days[1] / days[0] == pytest.approx(32.5, rel=0.05)


def test_long_sickness_moves_cases_and_short_sickness_does_not() -> None:
    short = run(overrides={"staff.sickness_long_spell_share": 0, "staff.maternity.rate": 0}, **LONG)
    long_ = run(overrides={"staff.sickness_long_spell_share": 1, "staff.maternity.rate": 0}, **LONG)
    kept = run(
        overrides={
            "staff.sickness_long_spell_share": 1,
            "staff.maternity.rate": 0,
            "staff.sickness_cases_move_days": 250,
        },
        **LONG,
    )
    assert total(short, "sickness_days_long") == 0
    assert total(long_, "sickness_days_long") == total(long_, "sickness_days") > 0
    assert total(long_, "officer_changes") > total(kept, "officer_changes")


def test_maternity_leave_takes_months_and_cases_change_hands(long: RunOutput) -> None:
    none, much = (run(overrides={"staff.maternity.rate": rate}, **LONG) for rate in (0, 0.3))
    assert total(none, "maternity_days") == total(none, "maternity_leaves") == 0
    leaves, days = total(much, "maternity_leaves"), total(much, "maternity_days")
    assert leaves > 5
    assert 30 < days / leaves < 280, "months, cut off by the end of the run"
    assert total(much, "officer_changes") > total(none, "officer_changes")


def test_a_second_leave_has_luck_of_its_own() -> None:
    """Forty holders go on leave twice, a hundred days in post apart: other lengths, and others don't return."""
    staffing = Model(request(overrides={"staff.maternity.no_return_share": 0.5})).staffing
    posts, chance = staffing.service.posts, staffing.service.chance
    rows = np.flatnonzero(posts.filled[: posts.size] == 1)[:40]
    lengths, stay = [], []
    for day in (200, 300):
        posts.present_days[rows] = day
        occurrence = staffing.holder_and_day(rows)
        assert np.unique(occurrence).tolist() == np.unique(posts.holder[rows].astype(np.int64) * 65536 + day).tolist()
        lengths.append(chance.uniform(posts.key[rows], "length of maternity leave", occurrence))
        posts.filled[rows] = 1
        staffing.come_back(rows)
        stay.append(posts.filled[rows] == 1)
    assert not (lengths[0] == lengths[1]).any()
    assert (stay[0] != stay[1]).any()


def test_nobody_returns_where_nobody_returns() -> None:
    """Everybody who went on leave of half a month, and whose leave is over, is a leaver of that reason."""
    half_a_month = {f"staff.maternity.months.p{part}": 0.5 for part in (0, 50, 100)}
    model = finished(overrides={**half_a_month, "staff.maternity.rate": 0.5, "staff.maternity.no_return_share": 1})
    output, posts = model.output(), model.service.posts
    still = (posts.away_until[: posts.size] > model.service.today) & (posts.filled[: posts.size] == 1)
    assert total(output, "leavers_after_maternity") > 3
    assert total(output, "maternity_leaves") - still.sum() - total(output, "leavers_after_maternity") <= 1


# --- Leaving --------------------------------------------------------------------------------------------


def test_overload_is_a_straight_line_between_its_limits() -> None:
    found = overload_of(np.array([0.5, 1.0, 1.15, 1.3, 1.6, 9.0]), 1.0, 1.3, 1.3)
    assert found.round(9).tolist() == [0, 0, 0.5, 1, 1, 1]


def test_hazards_by_hand() -> None:
    """An NPS officer at 115%, reorganised, with pay that lags 10 points more; and their reasons add up."""
    model = Model(
        request(
            overrides={
                "staff.reorganisation_announced": 1,
                "staff.pay.gap": 0.32,
                "staff.redundancy.leaving_rate": 0.4,
            }
        )
    )
    posts = model.service.posts
    row = np.flatnonzero((posts.employer[: posts.size] == NPS) & (posts.grade[: posts.size] == Grade.PO))[:1]
    posts.pressure[row], posts.since[row], posts.terms[row] = 1.15, -2000, Terms.PERMANENT
    parts = model.staffing.leaving.hazards(posts, row, 0)[:, 0]
    ordinary = 0.06 * 0.91
    workload = ordinary * 0.5 * 0.75
    reorganisation = (ordinary + workload) * 0.2
    pay = (ordinary + workload + reorganisation) * 0.1 * 1.5
    expected = [ordinary, workload, pay, reorganisation, 0.4, 0]
    assert parts.round(12).tolist() == np.round(expected, 12).tolist()
    # In the first year, and too new for redundancy.
    posts.since[row] = -100
    new = model.staffing.leaving.hazards(posts, row, 0)[:, 0]
    assert new[Reason.ORDINARY] == pytest.approx(0.06 * 1.8)
    assert new[Reason.REDUNDANCY] == 0


def test_pay_that_catches_up_keeps_people_for_every_reason() -> None:
    model = Model(request(overrides={"staff.pay.gap": 0.12, "effects.leaving_per_pay_gap": 3}))
    posts = model.service.posts
    rows = np.flatnonzero(posts.filled[: posts.size] == 1)
    now = model.staffing.leaving.hazards(posts, rows, 0)
    before = Model(request()).staffing.leaving.hazards(posts, rows, 0)
    assert now[Reason.PAY].max() == 0
    assert np.allclose(now.sum(axis=0), before.sum(axis=0) * 0.7)


def test_reasons_add_up_and_new_starters_leave_sooner() -> None:
    often = {"staff.leaving_multiplier": 6, "staff.recruitment.delay_multiplier": 0.3}
    even, early = (
        run(overrides={**often, "staff.leaving_by_tenure.first_year": ratio}, **LONG) for ratio in (1, 4)
    )
    for output in (even, early):
        named = [f"leavers_{name}" for name in ("workload", "pay", "reorganisation", "redundancy", "after_maternity")]
        assert sum(total(output, name) for name in named) < total(output, "leavers")
        assert total(output, "leavers_workload") > 0
    assert total(early, "leavers_first_year") > 1.5 * total(even, "leavers_first_year")


def test_a_redundancy_scheme_closes_posts_while_it_lasts(long: RunOutput) -> None:
    begin, end = datetime.date(2018, 1, 1), datetime.date(2018, 6, 30)
    scheme = change(begin, "set", "staff.redundancy.leaving_rate", 0.6, end=end, providers=("crc",))
    announced = change(begin, "set", "staff.reorganisation_announced", 1, end=end)
    output = run(scheme, announced, overrides={"effects.reorganisation_leaving_multiplier": 6}, **LONG)
    gone = totals(output)["leavers_redundancy"]
    assert sum(gone.values()) > 2
    assert min(gone) >= "2018-01" and max(gone) <= "2018-07"
    assert total(output, "posts_closed") == sum(gone.values())
    assert last(output, "posts_established") == last(long, "posts_established") - sum(gone.values())
    assert total(output, "leavers_reorganisation") > 0 == total(long, "leavers_reorganisation")
    by_side = {
        provider
        for provider, measure in zip(output.rows["provider"], output.rows["measure"], strict=True)
        if measure == "leavers_redundancy"
    }
    assert not any(provider.startswith("nps") for provider in by_side), "the scheme is the companies'"


def test_the_loop_of_overload_has_a_knee() -> None:
    """With the loop open, fewer posts mean a little less staff; with it closed at full strength they mean far less."""

    def left(strength: float, vacancy: float) -> float:
        """Officers in post at the end over posts filled at the start, in per cent of the fullest service."""
        output = run(
            overrides={
                "effects.overload_strength": strength,
                "effects.overload_range.most": 3.0,
                "staff.initial_vacancy_share": vacancy,
                "staff.recruitment.delay_multiplier": 3,
                "staff.trainee.starts_per_year": 0,
                "staff.agency.share_of_vacancies": 0,
                "staff.leaving_multiplier": 2,
            },
            **LONG,
        )
        first = min(totals(output)["officers_in_post"])
        return last(output, "officers_in_post") / totals(output)["officers_in_post"][first]

    fell = {strength: [1 - left(strength, vacancy) for vacancy in (0.05, 0.25, 0.5)] for strength in (0, 6)}
    opened, closed = fell[0], fell[6]
    assert closed[2] > opened[2] + 0.15, "overloaded people go, and that overloads the others"
    assert closed[2] - closed[0] > 2 * (opened[2] - opened[0]), "steeper with every post that is missing"


def test_overload_is_felt_in_true_hours() -> None:
    """A tool that misses a third of the work hides the load from itself and not from officers."""
    short, true = (
        run(overrides={"workload.true_to_tool_minutes": ratio, "effects.overload_strength": 4}, **LONG)
        for ratio in (1, 1.5)
    )
    assert total(true, "leavers_workload") > total(short, "leavers_workload")
    assert total(true, "sickness_days") > total(short, "sickness_days")
    shown = [mean_stock(output, "officers_over_110") for output in (short, true)]
    truly = [mean_stock(output, "officers_truly_over_110") for output in (short, true)]
    assert truly[0] == shown[0]
    assert truly[1] > 1.5 * shown[1]


# --- Recruitment ----------------------------------------------------------------------------------------


def test_stages_take_their_months_one_after_another() -> None:
    """With stages of 1, 2 and 3 months and nobody lost, a post is filled 3 x 1 day and 6 months after the vacancy."""
    stages = {
        f"staff.recruitment.stage_months.{side}.{stage}.p{p}": months
        for side in ("nps", "crc")
        for stage, months in (("advert", 1), ("vetting", 2), ("start", 3))
        for p in (0, 50, 100)
    }
    nobody_lost = {f"staff.recruitment.drop_out.{stage}": 0 for stage in ("advert", "vetting", "start")}
    overrides = {
        **stages,
        **nobody_lost,
        "staff.initial_vacancy_share": 0,
        "staff.leaving_multiplier": 5,
        "staff.trainee.starts_per_year": 0,
        "staff.recruitment.share_from_crc": 0,
    }
    output = run(overrides=overrides, **LONG)
    filled, days = total(output, "posts_filled"), total(output, "fill_days")
    assert filled > 5
    assert days == filled * (31 + 61 + 92)
    assert total(output, "candidates_lost") == 0
    slower = run(overrides={**overrides, "staff.recruitment.drop_out.vetting": 0.7}, **LONG)
    assert total(slower, "candidates_lost") > 0
    assert total(slower, "fill_days") / total(slower, "posts_filled") > days / filled


def test_nobody_who_is_absent_is_taken_from_the_company() -> None:
    """Of seven, row by row: the NPS's, the loaded, three absent without cases, the new one, and whoever has time."""
    none = np.full(8, NEVER)
    employer, cases = np.array([NPS, *[CRC] * 7]), np.array([0, 40, 0, 0, 0, 1, 20, 31])
    hours = np.array([3700, 3700, 3700, 3700, 3700, 3700, 2220, 3700])
    away, sick, covered = none.copy(), none.copy(), np.zeros(8, dtype=np.int8)
    away[2], sick[3], covered[4] = 130, 101, 1
    since = np.array([0, -900, -900, -900, -900, 60, -900, -900])
    same = np.zeros(8, dtype=np.int8)

    def found(filled: list[int]) -> int:
        in_post = np.array(filled, dtype=np.int8)
        return who_would_move(
            0, 8, 100, 365, same, employer, in_post, same, same, covered, away, sick, since, hours, cases
        )

    # 31 cases for 37 hours are less than 20 for 22.2.
    assert found([1] * 8) == 7
    assert found([1, 1, 1, 1, 1, 1, 1, 0]) == 6
    assert found([1, 0, 1, 1, 1, 1, 0, 0]) == 5, "new, but nobody else is left"
    assert found([1, 0, 1, 1, 1, 0, 0, 0]) == -1


def test_leave_is_not_ended_by_a_move() -> None:
    """Where half of a company is on maternity leave and every NPS post is filled from it, all leave runs its time."""
    eager = {"staff.recruitment.share_from_crc": 1, "staff.maternity.rate": 0.5, "staff.leaving_multiplier": 3}
    model = Model(request(overrides=eager, **LONG))
    moved, release = [], model.staffing.recruitment.release
    posts = model.service.posts

    def note(rows: Any) -> None:
        moved.extend((posts.employer[rows] == CRC) & (posts.away_until[rows] > model.service.today))
        release(rows)

    model.staffing.recruitment.release = note
    model.run()
    assert total(model.output(), "moves_crc_to_nps") > 3
    assert not any(moved)


def test_agency_officers_come_fast_stay_short_and_cost(long: RunOutput) -> None:
    often = {"staff.leaving_multiplier": 3}
    none, many = (run(overrides={**often, "staff.agency.share_of_vacancies": share}, **LONG) for share in (0, 1))
    assert total(none, "agency_days") == total(none, "agency_pence") == total(none, "agency_starts") == 0
    assert total(many, "agency_pence") == 22_000 * total(many, "agency_days") > 0
    assert mean_stock(many, "posts_vacant") < 0.6 * mean_stock(none, "posts_vacant")
    assert total(many, "officer_changes") > total(none, "officer_changes")
    # Who is still there came and didn't go.
    assert total(many, "agency_starts") - total(many, "agency_left") == last(many, "agency_in_post")


def test_trainees_come_in_cohorts_and_qualify_after_their_time() -> None:
    """As many as asked for: 1,000 a year x 0.7 x Cumbria's share, within one for what is carried over."""
    model = Model(request(overrides={"staff.trainee.starts_per_year": 1000}, end=datetime.date(2019, 12, 31)))
    area = model.geography.areas.index("cumbria")
    share = model.organisation.training_shares[area]
    model.run()
    output, posts = model.output(), model.service.posts
    started = totals(output)["trainees_started"]
    assert {month[5:] for month in started} <= {"04", "10"}
    assert abs(sum(started.values()) - 5 * 500 * 0.7 * share) <= 1, "October 2017 to October 2019"
    assert total(output, "trainees_qualified") > 0
    training = np.flatnonzero((posts.grade[: posts.size] == Grade.TRAINEE) & (posts.filled[: posts.size] == 1))
    lengths = (posts.qualifies_on - posts.since)[training]
    assert set(lengths.tolist()) <= {int(15 * 365.25 / 12), int(21 * 365.25 / 12)}
    # Who has qualified waits only where no post for a probation officer was vacant on the first of the month.
    size = posts.size
    waiting = (posts.place[:size] == Place.TRAINING) & (posts.filled[:size] == 1) & (posts.grade[:size] == Grade.PO)
    vacant = (posts.place[:size] == Place.ESTABLISHED) & (posts.employer[:size] == NPS)
    vacant &= (posts.post_grade[:size] == Grade.PO) & (posts.vacant_since[:size] != NEVER)
    assert not waiting.any() or not (posts.vacant_since[:size][vacant] < model.service.today - 30).any()


def test_no_cohort_begins_before_the_first() -> None:
    """The programme is of October 2016: not the cohort of April, asked for when the run was under way."""
    dates = {"start": datetime.date(2015, 8, 1), "count_from": datetime.date(2015, 8, 1)}
    output = run(overrides={"staff.trainee.starts_per_year": 1000}, end=datetime.date(2016, 10, 31), **dates)
    assert set(totals(output)["trainees_started"]) == {"2016-10"}


def test_without_trainees_nobody_teaches() -> None:
    none = run(overrides={"staff.trainee.starts_per_year": 0})
    assert total(none, "trainees_in_post") == total(none, "teaching_seconds") == 0
    some, more = (run(overrides={"staff.trainee.teaching_hours_a_month": hours}) for hours in (4, 20))
    assert total(more, "teaching_seconds") > 4 * total(some, "teaching_seconds") > 0
    assert total(more, "seconds_available") < total(some, "seconds_available")
    assert total(more, "points_available") == pytest.approx(total(some, "points_available"), rel=0.02)


# --- Asking for an officer ------------------------------------------------------------------------------


def test_whoever_waits_already_has_waited_since_the_first_time() -> None:
    """Asked for at sentence and at escalation in one spell: two draws, and one wait but for a new side's."""
    model = Model(request())
    model.run(40)
    service, people = model.service, model.service.people
    live = np.flatnonzero((people.location[: people.size] == Location.COMMUNITY) & (people.side[: people.size] == CRC))
    held = live[people.officer[live] >= 0]
    unheld, held = held[:60], held[60:90]
    np.subtract.at(service.posts.cases, people.officer[unheld], 1)
    people.officer[unheld] = -1
    booked = []
    for rows, asked_at in ((unheld, Asking.SENTENCE), (unheld, Asking.ESCALATION)):
        people.waiting_since[rows] = 30
        model.allocation.place(rows, asked_at)
        booked.append(service.agendas["allocate"].day_of(rows))
        assert (people.waiting_since[rows] == 30).all()
    assert (booked[0] != booked[1]).any(), "a draw of its own"
    people.waiting_since[held] = 30
    model.allocation.escalate(held)
    assert (people.waiting_since[held[people.escalated[held] == 1]] == service.today).all(), "the NPS's wait is new"


# --- Handing over ---------------------------------------------------------------------------------------


def test_handing_over_costs_both() -> None:
    """Time given is charged to the next day of who gives; with nothing to give, receivers alone pay 45 minutes."""
    free, dear = (run(overrides={"workload.minutes.handover_giving": minutes}) for minutes in (0, 60))
    changes = total(free, "officer_changes")
    assert total(free, "handover_seconds") == changes * 45 * 60 > 0
    # Whoever gives is still at work: each pays an hour, so fewer do than receive, and some do.
    given = total(dear, "handover_seconds") - total(dear, "officer_changes") * 45 * 60
    assert 0 < given < total(dear, "officer_changes") * 60 * 60 and given % (60 * 60) == 0


def test_a_handover_from_prison_is_time_of_handing_over() -> None:
    """45 minutes for each case: no officer gives it, one will receive it."""
    model = Model(request())
    service, people = model.service, model.service.people
    inside = np.flatnonzero((people.location[: people.size] == Location.SENTENCED) & (people.side[: people.size] >= 0))
    people.officer[inside], people.prison_held[inside] = -1, 1
    service.flows[:] = 0
    model.prison_held.hand_over(inside[:7])
    assert service.flows[COUNT_INDEX["handovers_from_prison"]].sum() == 7
    assert service.flows[COUNT_INDEX["handover_seconds"]].sum() == 7 * 45 * 60


def test_reasons_for_leaving_are_those_drawn() -> None:
    """Nobody has an ordinary reason to go: everybody who goes has a named one."""
    rates = {name: 0 for name in UNLIMITED if "leaving_rate" in name}
    redundant = {**rates, "staff.redundancy.leaving_rate": 0.5, "staff.agency.share_of_vacancies": 0}
    output = run(overrides={**redundant, "staff.maternity.rate": 0.3, "staff.maternity.no_return_share": 0.5}, **LONG)
    named = [total(output, f"leavers_{name}") for name in ("redundancy", "after_maternity")]
    assert min(named) > 0
    assert sum(named) == total(output, "leavers")
    for name in ("workload", "pay", "reorganisation"):
        assert total(output, f"leavers_{name}") == 0


def test_what_a_leaver_owed_is_written_off_once() -> None:
    cases, points = np.array([4, 5, 6]), np.array([40, 50, 60])
    owed, saved = np.array([10, 20, 30]), np.array([0, 0, 7])
    assert hand_over_cases(np.array([0, 2]), cases, points, owed, saved) == 33
    assert (cases.tolist(), points.tolist()) == ([0, 5, 0], [0, 50, 0])
    assert (owed.tolist(), saved.tolist()) == ([0, 20, 0], [0, 0, 0])


# --- The tool -------------------------------------------------------------------------------------------


def test_without_a_tool_nothing_is_shown_and_cases_are_counted() -> None:
    output = run(overrides={"workload.tool_in_use.nps": 0, "workload.tool_in_use.crc": 0})
    for measure in ("officers_with_tool", "points_held", "points_available", "officers_over_110", "officers_over_100"):
        assert total(output, measure) == 0, measure
    assert "officers_by_workload" not in set(output.rows["measure"])
    assert total(output, "officers_truly_over_110") > 0
    model = finished(overrides={"workload.tool_in_use.nps": 0})
    assert not model.allocation.by_points.any()
    assert Model(request()).allocation.by_points[:, NPS].all()


def test_one_company_has_no_tool() -> None:
    model = Model(request(areas=("greater_manchester",)))
    area = model.geography.areas.index("greater_manchester")
    assert model.staffing.tool.reshape(-1, 2)[area].tolist() == [True, False]
    assert (~model.staffing.tool).sum() == 2, "Cheshire and Greater Manchester"


# --- Other staff ----------------------------------------------------------------------------------------


def test_other_staff_follow_their_span_and_their_leaving() -> None:
    calm, busy = (run(overrides={"staff.senior.leaving_rate": rate}) for rate in (0, 0.6))
    posts = last(calm, "posts_established")
    # Hundredths of a post, cut off once for each side.
    assert posts * 10 - 2 <= last(calm, "seniors_in_post") <= posts * 10
    assert last(busy, "seniors_in_post") == pytest.approx(posts * 10 / (1 + 0.6 / 2), rel=0.01)
    assert last(calm, "administrators_in_post") == last(busy, "administrators_in_post")


# --- Saving ---------------------------------------------------------------------------------------------


def test_a_saved_run_goes_on_to_the_same_bytes() -> None:
    """Searches, training and absences live in tables alone."""
    often = {"staff.leaving_multiplier": 4, "staff.maternity.rate": 0.2, "staff.agency.share_of_vacancies": 0.6}
    whole, parted = Model(request(overrides=often, **LONG)), Model(request(overrides=often, **LONG))
    whole.run()
    parted.run(250)
    saved = parted.save()
    parted.run()
    parted.continue_with(saved, parted.request.resolved)
    parted.run()
    assert parted.output().event_digests == whole.output().event_digests
    assert parted.output().state_digests == whole.output().state_digests
    columns_ = ("hours_left", "teaching", "stage", "vacant_since", "adverts", "saved", "qualifies_on", "office")
    for name in columns_:
        one, other = getattr(whole.service.posts, name), getattr(parted.service.posts, name)
        assert (one[: whole.service.posts.size] == other[: parted.service.posts.size]).all(), name


