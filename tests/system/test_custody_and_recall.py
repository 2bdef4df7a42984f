"""Custody and recall in detail: the law of the cohort, places, cases held in prison, curfew papers, parole."""

from __future__ import annotations

import datetime

import numpy as np
import pytest

from simulation.engine import NEVER
from simulation.system import Model, RunOutput
from simulation.system.codes import CRC, NPS, Kind, Location, Parole, RecallKind, Rosh, Status, Task
from simulation.system.demand import area_shares
from simulation.system.population import GROUPS
from simulation.system.prison_held import handover_day
from simulation.system.service import COUNT_INDEX
from tests.system.system_helpers import GEOGRAPHY, PARAMETERS, change, finished, request, run, same_run, total, totals

SHORT = {"end": datetime.date(2017, 10, 31)}
DAY = 30
WHEN = datetime.date(2017, 7, 31)


# --- The law of the day of sentence ---------------------------------------------------------------------


def impose(model: Model, imposed: int, length: int) -> int:
    """A sentence to custody imposed on a day for an offence of 2017."""
    service, sentences = model.service, model.service.sentences
    row = service.new_sentences(np.array([0]), np.array([Kind.DETERMINATE]), np.array([Status.ENDED]))
    sentences.imposed[row], sentences.length[row], sentences.offence[row] = imposed, length, -60
    return int(row[0])


@pytest.mark.parametrize(
    ("name", "value", "length", "before", "after"),
    [
        # Out on the 100th of 200 days, 99 days later; then a year of supervision, or nothing but the licence.
        ("supervision.pss.enabled", False, 200, 99 + 365, 200),
        ("supervision.pss.total_months_after_release", 6, 200, 99 + 365, 99 + 182),
        ("supervision.pss.sentence_upper_limit_months", 6, 200, 99 + 365, 200),
        # Neither licence nor supervision.
        ("supervision.short_sentence_licence", False, 200, 99 + 365, 99),
    ],
)
@pytest.mark.parametrize("applies_to", ["new", "all"])
def test_dates_planned_anew_keep_the_law_of_their_cohort(
    name: str, value: object, length: int, before: int, after: int, applies_to: str
) -> None:
    model = Model(request(change(WHEN, "set", name, value, applies_to=applies_to), end=datetime.date(2017, 8, 31)))
    model.run(DAY + 5)
    old, new = impose(model, DAY - 10, length), impose(model, DAY + 2, length)
    model.custody.set_dates(np.array([old, new]))
    ends = model.service.sentences.supervision_end[[old, new]].tolist()
    first = before if applies_to == "new" else after
    assert ends == [DAY - 10 + first, DAY + 2 + after]


def test_a_change_for_everybody_plans_those_inside_anew() -> None:
    """Whoever is inside when supervision is abolished for all has none; those sentenced before keep it under `new`."""
    left = {}
    for applies_to in ("new", "all"):
        off = change(datetime.date(2017, 9, 1), "set", "supervision.pss.enabled", False, applies_to=applies_to)
        sentences = finished(off, **SHORT).service.sentences
        size = sentences.size
        inside = (sentences.status[:size] == Status.CUSTODY) & (sentences.kind[:size] == Kind.DETERMINATE)
        left[applies_to] = int((inside & (sentences.supervision_end[:size] > sentences.expiry[:size])).sum())
    assert left["all"] == 0 < left["new"]


def test_from_what_length_sentences_are_extended() -> None:
    model = finished(overrides={"custody.extended_from_years": 1, "custody.extended_share": 1}, **SHORT)
    sentences = model.service.sentences
    rows = np.flatnonzero(sentences.kind[: sentences.size] == Kind.DETERMINATE)
    assert (sentences.extended[rows] == (sentences.length[rows] >= 365.25)).all()


def test_who_can_be_on_curfew_at_the_start() -> None:
    model = Model(request(overrides={"custody.hdc.min_sentence_weeks": 40, "population.thin_pass_curfew_days": 30}))
    sentences = model.service.sentences
    tagged = np.flatnonzero(sentences.status[: sentences.size] == Status.CURFEW)
    assert tagged.size and sentences.length[tagged].min() >= 280
    assert sentences.curfew_from[tagged].max() <= -30


def test_yearly_releases_are_spread_over_the_working_days_of_a_year() -> None:
    """Half the days, twice the time of a resettlement team in each."""
    whole, half = (
        Model(request(overrides={"workload.working_days_a_year": days})).release.capacity.astype(float)
        for days in (252.9, 200.0)
    )
    assert half[0] / whole[0] == pytest.approx(252.9 / 200, rel=1e-3)


# --- Places ---------------------------------------------------------------------------------------------


def test_headroom_is_what_prisoners_leave(baseline: RunOutput) -> None:
    counts = totals(baseline)
    for month, headroom in counts["prison_headroom"].items():
        held = sum(
            counts[name].get(month, 0)
            for name in ("prison_determinate", "prison_recalled", "prison_indeterminate", "prison_outside")
        )
        assert headroom == counts["prison_places"][month] - held
    share = area_shares(GEOGRAPHY)[GEOGRAPHY.areas.index("cumbria")]
    assert counts["prison_places"]["2017-10"] == pytest.approx(85700 * share, rel=0.01)


def test_fewer_places_less_headroom(baseline: RunOutput) -> None:
    fewer = run(change(datetime.date(2017, 9, 1), "multiply", "custody.usable_places", 0.9), **SHORT)
    at_end, was = totals(fewer)["prison_headroom"]["2017-10"], totals(baseline)["prison_headroom"]["2017-10"]
    assert at_end < was


# --- Cases held in prison -------------------------------------------------------------------------------


def test_nobody_is_held_in_prison_before_the_rule(baseline: RunOutput) -> None:
    assert total(baseline, "prison_held_cases") == total(baseline, "cases_taken_by_prisons") == 0


@pytest.fixture(scope="module")
def held() -> Model:
    """A world in which the rule comes to closed prisons for men in September."""
    return finished(change(datetime.date(2017, 9, 1), "set", "custody.prison_held.england_closed", 1.0))


def test_prisons_take_cases_and_hand_them_over(held: Model) -> None:
    output, people = held.output(), held.service.people
    taken, handed = total(output, "cases_taken_by_prisons"), total(output, "handovers_from_prison")
    rows = np.flatnonzero(people.prison_held[: people.size])
    assert taken > 200 and taken - handed == rows.size == totals(output)["prison_held_cases"]["2017-12"]
    assert handed > 30
    assert (people.female[rows] == 0).all() and (people.officer[rows] == -1).all()
    assert (people.location[rows] == Location.SENTENCED).all()
    days = held.service.agendas["handover"].day_of(rows)
    assert (days >= held.service.today).all(), "nobody's day is past"


def test_community_officers_hold_fewer_cases(held: Model, baseline: RunOutput) -> None:
    with_rule, without = (totals(output)["cases_held"]["2017-12"] for output in (held.output(), baseline))
    assert with_rule < 0.95 * without
    assert totals(held.output())["unallocated"].get("2017-12", 0) < 20, "nobody waits outside who is held inside"


def handovers(model: Model, rows: np.ndarray) -> list[int]:
    """The days of handover of people in custody."""
    people, sentences, rule = model.service.people, model.service.sentences, model.prison_held
    return [
        handover_day(
            int(people.latest[row]),
            rule.company_days if people.side[row] == CRC else -1,
            rule.high_days if people.mappa[row] >= 2 else rule.nps_days,
            bool(people.never_curfew[row]),
            sentences.previous,
            sentences.status,
            sentences.kind,
            sentences.custody_end,
            sentences.curfew_from,
        )
        for row in rows
    ]


def test_the_day_of_handover_by_hand() -> None:
    model = Model(request())
    people, sentences = model.service.people, model.service.sentences
    rows = np.flatnonzero(sentences.status[: sentences.size] == Status.CUSTODY)
    rows = rows[(sentences.kind[rows] == Kind.DETERMINATE) & (sentences.previous[rows] == -1)][:4]
    who = sentences.person[rows].astype(np.intp)
    sentences.custody_end[rows], sentences.curfew_from[rows] = 1000, [900, NEVER, NEVER, NEVER]
    people.never_curfew[who], people.mappa[who] = 0, [0, 0, 0, 2]
    model.service.set_side(who, np.array([CRC, CRC, NPS, NPS]))
    # Twelve weeks before curfew or release; four and a half months, and seven and a half, before release.
    assert handovers(model, who) == [900 - 84, 1000 - 84, 1000 - 136, 1000 - 228]
    people.never_curfew[who[0]] = 1
    assert handovers(model, who[:1]) == [1000 - 84], "curfew can't come for the excluded"


def test_a_prisoner_whose_risk_rises_is_handed_over_as_the_nps_does(held: Model) -> None:
    """A company's case held in prison escalates: its handover is found anew that day, months before, not weeks."""
    model = held
    people, service = model.service.people, model.service
    rows = np.flatnonzero((people.prison_held[: people.size] == 1) & (people.side[: people.size] == CRC))
    rows = rows[people.assessed_rosh[rows] < Rosh.HIGH]
    was = service.agendas["handover"].day_of(rows)
    # Those who have long to serve stay with the prison; the others' day as NPS cases has come.
    later, sooner = rows[was > service.today + 300][:5], rows[was < service.today + 40][:5]
    assert later.size and sooner.size
    model.allocation.escalate(np.sort(np.concatenate([later, sooner])))
    booked = service.agendas["handover"].day_of(later)
    assert (people.side[later] == NPS).all() and (people.prison_held[later] == 1).all()
    assert booked.tolist() == handovers(model, later)
    assert (booked < was[np.isin(rows, later)]).any()
    come = np.array(handovers(model, sooner)) <= service.today
    assert come.any()
    assert people.prison_held[sooner].tolist() == (~come).tolist(), "handed over at once"
    assert (people.waiting_since[sooner[come]] == service.today).all()


def test_a_lever_that_does_nothing_moves_no_handover() -> None:
    """Whatever changes elsewhere, dates of handover stand: they were right before (rule 13)."""
    escalating = {"custody.prison_held.england_closed": 1, "allocation.escalation_rate": 1.0}
    when = {"areas": ("durham",), "end": datetime.date(2017, 10, 31), "overrides": escalating}
    nothing = change(datetime.date(2017, 9, 12), "multiply", "staff.senior.months_to_fill", 1.0)
    same_run(run(**when), run(nothing, **when))


# --- Curfew papers --------------------------------------------------------------------------------------


def test_everybody_eligible_on_length_is_put_forward_or_has_a_reason(baseline: RunOutput) -> None:
    counts = totals(baseline)
    reasons = (
        "hdc_excluded",
        "hdc_held_otherwise",
        "hdc_too_short",
        "hdc_not_begun",
        "hdc_presumed_unsuitable",
        "hdc_opted_out",
        "hdc_considered",
    )
    # In the first month people already inside are put forward too.
    for month in ("2017-08", "2017-09", "2017-10", "2017-11", "2017-12"):
        assert sum(counts[name].get(month, 0) for name in reasons) == counts["hdc_eligible_on_length"][month]
    assert total(baseline, "hdc_paper_seconds") == total(baseline, "hdc_considered") * 4 * 3600


def test_mappa_cases_are_never_on_curfew() -> None:
    """At the start as in the run; the whole share excluded is the parameter's where MAPPA cases alone aren't more."""
    share = 0.25
    staying = {f"population.deportation_share.{group}": 0 for group in GROUPS}
    values = {"custody.hdc.excluded_share": share, "population.thin_pass_curfew_share": 1, **staying}
    model = Model(request(overrides=values))
    people, sentences = model.service.people, model.service.sentences
    mappa, never = people.mappa[: people.size] > 0, people.never_curfew[: people.size] == 1
    assert never[mappa].all() and mappa.sum() > 500
    size = sentences.size
    tagged = sentences.person[:size][sentences.status[:size] == Status.CURFEW]
    assert tagged.size > 20 and not mappa[tagged].any()
    length, term = sentences.length[:size], sentences.kind[:size] == Kind.DETERMINATE
    # Shares of MAPPA cases are 0.05, 0.16 and 0.5.
    for chosen, excluded in ((length < 365, share), ((length >= 366) & (length < 1461), share), (length > 1461, 0.5)):
        whose = sentences.person[:size][term & chosen]
        assert whose.size > 100
        assert abs(never[whose].mean() - excluded) < 4 * np.sqrt(excluded * (1 - excluded) / whose.size)


def test_who_opts_out_is_not_put_forward() -> None:
    out = run(overrides={"custody.hdc.opt_out_share": 1}, **SHORT)
    none = run(overrides={"custody.hdc.opt_out_share": 0}, **SHORT)
    assert total(out, "hdc_considered") == total(out, "hdc_enquiries") == 0
    assert total(out, "hdc_opted_out") == total(none, "hdc_considered") > 0
    assert total(none, "hdc_opted_out") == 0


# --- Life sentences -------------------------------------------------------------------------------------


def test_life_prisoners_are_released_and_recalled_on_the_first_working_day_of_the_month() -> None:
    """1 July and 1 October 2017 were days of a weekend; on New Year's Day nobody is let out either."""
    model = Model(request(areas=("london",), end=datetime.date(2018, 2, 1)))
    service, days = model.service, set()
    tell = service.tell

    def note(kind: str, rows: np.ndarray, *rest: object) -> None:
        if kind in ("released on life licence", "life licence recalled") and rows.size:
            days.add(service.calendar.date(service.today))
        tell(kind, rows, *rest)  # type: ignore[arg-type]

    service.tell = note  # type: ignore[method-assign]
    model.run()
    firsts = ((2017, 7, 3), (2017, 8, 1), (2017, 9, 1), (2017, 10, 2), (2017, 11, 1), (2017, 12, 1), (2018, 1, 2))
    expected = {datetime.date(*day) for day in (*firsts, (2018, 2, 1))}
    assert days <= expected and datetime.date(2018, 1, 2) in days and datetime.date(2017, 10, 2) in days, days


# --- Recall ---------------------------------------------------------------------------------------------


def test_recalls_by_reason(baseline: RunOutput) -> None:
    reasons = ("absence", "risk", "charge", "curfew")
    assert sum(total(baseline, f"recalls_for_{reason}") for reason in reasons) == total(baseline, "recalls") > 0
    levers = {
        "absence": ("per_unacceptable_absence", "per_another_absence"),
        "risk": ("per_risk_rise_noticed",),
        "charge": ("per_further_charge",),
    }
    for reason, names in levers.items():
        none = {f"recall.{name}": 0 for name in names}
        # Nobody was being recalled when the run began.
        assert total(run(overrides=none, **SHORT), f"recalls_for_{reason}") == 0


@pytest.fixture
def inside() -> tuple[Model, int]:
    """A world with somebody on a standard recall whose review is due today."""
    model = Model(request(overrides={"recall.parole_release_share": 1}, **SHORT))
    sentences = model.service.sentences
    row = impose(model, -500, 1500)
    sentences.status[row], sentences.recall_kind[row] = Status.RECALLED, RecallKind.STANDARD
    sentences.custody_end[row], sentences.expiry[row], sentences.supervision_end[row] = -50, 1000, 1000
    sentences.recalls[row], sentences.returned[row] = 1, -30
    return model, row


def test_a_review_waits_for_the_report(inside: tuple[Model, int]) -> None:
    model, row = inside
    sentences, agenda = model.service.sentences, model.service.agendas["recall step"]
    sentences.parole[row] = Parole.REPORT_ASKED
    model.recall.take_steps(np.array([row]))
    # 28 days from Saturday 1 July 2017 is a Saturday: the Friday before.
    assert sentences.status[row] == Status.RECALLED and int(agenda.day_of(np.array([row]))[0]) == 27
    sentences.parole[row] = Parole.REPORT_WRITTEN
    model.recall.take_steps(np.array([row]))
    assert sentences.status[row] == Status.LICENCE
    assert model.service.flows[COUNT_INDEX["re_releases"]].sum() == 1


def test_the_board_may_refuse_and_looks_again(inside: tuple[Model, int]) -> None:
    model, row = inside
    sentences, agenda = model.service.sentences, model.service.agendas["recall step"]
    model.service.levers._known["number", "recall.parole_release_share"] = 0.0
    model.recall.read(model.recall.workload)
    model.recall.take_steps(np.array([row]))
    assert sentences.status[row] == Status.RECALLED and sentences.reviews[row] == 1
    # 97 days on is Friday 6 October.
    assert int(agenda.day_of(np.array([row]))[0]) == 97
    sentences.expiry[row] = 40
    model.recall.take_steps(np.array([row]))
    assert sentences.reviews[row] == 2 and int(agenda.day_of(np.array([row]))[0]) <= 40, "never past the sentence"


def test_parole_adds_up_and_decides_the_stay() -> None:
    long = {"end": datetime.date(2018, 6, 30)}
    soon, never = (run(overrides={"recall.parole_release_share": share}, **long) for share in (1, 0))
    assert total(soon, "parole_reviews") == total(soon, "parole_releases") > 20
    assert total(never, "parole_releases") == 0 < total(never, "parole_reviews")
    months = max(totals(soon)["prison_recalled"])
    assert totals(soon)["prison_recalled"][months] < totals(never)["prison_recalled"][months]


def test_where_nobody_writes_reports_reviews_are_put_off() -> None:
    long = {"end": datetime.date(2018, 3, 31)}
    first = {f"recall.parole_review_days.{name}": 28 for name in ("p0", "p25", "p50", "p75", "p100")}
    # Reports come last of all, and there is little time.
    slow = {"workload.priority.parole_report": 7, "workload.minutes_per_day_present": 150}
    late, early = run(overrides={**first, **slow}, **long), run(overrides=first, **long)
    assert total(late, "parole_reviews_put_off") > total(early, "parole_reviews_put_off")
    assert total(early, "parole_reports") > 0


def test_fixed_term_recalls_of_56_days() -> None:
    law = {"recall.fixed_term_days_under_12m": 56, "recall.fixed_term_days_12m_plus": 56}
    longer, now = run(overrides=law), run()
    assert total(longer, "recall_days_served") > total(now, "recall_days_served")
    assert PARAMETERS["recall.fixed_term_days_12m_plus"].leaves[()] == 28
    assert Task.PAROLE_REPORT in range(len(Task))


def test_the_history_says_which_kind_of_recall_it_is() -> None:
    model = Model(request(overrides={"recall.fixed_term_share_of_allowed": 1}, **SHORT))
    sentences = model.service.sentences
    rows = np.array([impose(model, -500, length) for length in (1500, 300, 1500)])
    sentences.person[rows] = 4, 5, 6
    sentences.recall_kind[rows[2]], sentences.recall_kind[rows[:2]] = RecallKind.CURFEW, RecallKind.FIXED_TERM
    people, told = model.recall.told_of_kind(rows[::-1])
    assert people.tolist() == [4, 5, 6] and told.tolist() == [28, 14, -1]


# --- Days of the law --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def told() -> tuple[Model, dict[str, list[tuple[int, int]]]]:
    """A year of two areas, and the day and person of what is told."""
    model = Model(request(areas=("durham", "gwent"), end=datetime.date(2018, 6, 30)))
    service, events = model.service, {}
    tell = service.tell

    def listening(kind: str, rows: np.ndarray, *rest: object) -> None:
        events.setdefault(kind, []).extend((service.today, row) for row in np.asarray(rows).tolist())
        tell(kind, rows, *rest)

    service.tell = listening  # type: ignore[method-assign]
    model.run()
    return model, events


def test_the_parole_board_sits_on_working_days_and_not_at_the_end(told: tuple[Model, dict]) -> None:
    model, events = told
    calendar = model.service.calendar
    refused, again = events["parole refused"], events["released after recall"]
    assert len(refused) > 50 and len(again) > 100
    assert all(calendar.is_working(day) for day, _ in refused)
    # Held to the end is out on the last day, or the working day before: nobody is refused just before it.
    out = {(day, row) for day, row in again}
    assert not any((day + ahead, row) in out for day, row in refused for ahead in (0, 1, 2, 3))


def test_days_at_large_are_not_served(told: tuple[Model, dict]) -> None:
    """Somebody at large for days owes them: no licence runs out before the arrest."""
    _, events = told
    revoked = {row: day for day, row in events["licence revoked"]}
    lost = [(row, day - revoked[row]) for day, row in events["returned to prison"] if row in revoked]
    assert sum(days > 3 for _, days in lost) > 20
    returned = {}
    for day, row in events["returned to prison"]:
        returned.setdefault(row, []).append(day)
    for day, row in events["licence ends"]:
        began = [each for each, who in events["licence revoked"] if who == row and each <= day]
        assert not began or any(max(began) <= back <= day for back in returned.get(row, [])), (day, row)


def test_nobody_wanted_under_a_warrant_is_met(told: tuple[Model, dict]) -> None:
    _, events = told
    wanted: dict[int, list[tuple[int, int]]] = {}
    ends = sorted(events["warrant executed"] + events["sentenced to custody"] + events["supervision ends"])
    for day, row in events["warrant issued"]:
        until = next((each for each, who in ends if who == row and each >= day), 10_000)
        wanted.setdefault(row, []).append((day, until))
    assert len(wanted) > 50
    for kind in ("seen", "seen for the first time", "unpaid work done", "activity day in a group", "warned"):
        for day, row in events.get(kind, ()):
            assert not any(begin < day < end for begin, end in wanted.get(row, ())), (kind, day, row)
