"""Courts and enforcement in detail: reports, diversion, breach lists, warrants, packs, early endings."""

from __future__ import annotations

import datetime

import numpy as np
import pytest

from simulation.engine import NEVER
from simulation.engine.chance import uniform_of
from simulation.system import Model, RunOutput
from simulation.system.breach_court_loops import hold_list
from simulation.system.codes import Grade, Kind, Location, Report, Status
from simulation.system.court_loops import decide_custody
from simulation.system.custody_loops import first_of_each, lists_of
from simulation.system.enforcement_loops import wanted_or_at_large, without
from simulation.system.reception_loops import occurrence_of_term
from simulation.system.service import COUNT_INDEX
from tests.system.system_helpers import change, finished, request, run, total

SHORT = {"end": datetime.date(2017, 10, 31)}
REPORTS = ("reports_oral", "reports_short", "reports_standard")


# --- Reports --------------------------------------------------------------------------------------------


def test_hours_by_grade_are_the_hours_of_the_reports(baseline: RunOutput) -> None:
    """Each report takes its time once, and services officers write about the share that is theirs."""
    hours = {"reports_oral": 1.0, "reports_short": 3.75, "reports_standard": 8.0}
    whole = sum(total(baseline, name) * time for name, time in hours.items())
    by_grade = {grade: total(baseline, f"report_seconds_{grade}") / 3600 for grade in ("po", "pso", "duty")}
    assert by_grade["po"] + by_grade["pso"] == pytest.approx(whole, abs=0.01) and by_grade["duty"] == 0
    theirs = 0.7 * total(baseline, "reports_oral") + 0.5 * 3.75 * total(baseline, "reports_short")
    assert 0.8 * theirs < by_grade["pso"] < 1.1 * theirs, "less what probation officers with time left took over"


def test_where_probation_officers_write_all_reports_others_write_none() -> None:
    nobody = run(
        overrides={"courts.services_officer_share.oral": 0, "courts.services_officer_share.short_written": 0}, **SHORT
    )
    assert total(nobody, "report_seconds_pso") == 0 < total(nobody, "report_seconds_po")


def test_court_duty_comes_off_the_officers_own_day() -> None:
    specialist, generic = run(**SHORT), run(overrides={"courts.duty_share": 1}, **SHORT)
    assert total(specialist, "report_seconds_duty") == 0 < total(generic, "report_seconds_duty")
    assert total(generic, "report_seconds_po") == total(generic, "report_seconds_pso") == 0
    assert total(generic, "reports_late") == 0
    assert total(generic, "contacts_cancelled") > total(specialist, "contacts_cancelled")


def test_standard_reports_on_duty_are_a_probation_officers() -> None:
    model = Model(request(overrides={"courts.duty_share": 1}, **SHORT))
    posts, queue = model.service.posts, model.service.court_queue
    area = int(posts.area[0])
    model.run(3)
    queue.keep(np.zeros(queue.size, dtype=bool))
    owed = posts.owed[: posts.size].copy()
    person = np.flatnonzero(model.service.people.area[: model.service.people.size] == area)[:30]
    for kind in (3, 1):
        model.service.people.report[person] = kind
        queue.append(person.size, row=person, area=area, seconds=60, due=model.service.today, writer=2)
        assert model.courts.court_duty(np.arange(person.size)).size == person.size
        added = posts.owed[: posts.size] - owed
        assert added.sum() == 30 * 60
        on_duty = np.flatnonzero(added)
        assert (posts.employer[on_duty] == 0).all()
        assert (posts.grade[on_duty] == Grade.PO).all() == (kind == 3)
        posts.owed[: posts.size] = owed
        queue.keep(np.zeros(queue.size, dtype=bool))


def test_what_courts_make_of_reports() -> None:
    """At ratio 0 nobody sentenced on a report goes to custody but who is in prison already; others are as before."""
    kinds = ("oral", "short_written", "standard")
    followed = run(overrides={f"courts.custody_ratio_by_report.{kind}": 0 for kind in kinds}, **SHORT)
    less = run(overrides={f"courts.custody_ratio_by_report.{kind}": 1.3 for kind in kinds}, **SHORT)
    as_was = run(**SHORT)
    assert 0.98 * total(followed, "sentenced_on_report") < total(followed, "orders_on_report")
    assert total(less, "orders_on_report") < total(as_was, "orders_on_report") < total(followed, "orders_on_report")


# --- Diversion ------------------------------------------------------------------------------------------


#: Upper edges of the shares of five bands of length, as even as can be; occurrence of the draw of a first sentence.
FIFTHS, FIRST = np.array([0.2, 0.4, 0.6, 0.8, 1.0]), occurrence_of_term(1)


def keys_in(bands: list[int], constant: np.uint64) -> np.ndarray:
    """Different keys, each of which draws a length in its band for a first sentence."""
    keys: list[int] = []
    for band in bands:
        others = (key for key in range(1, 1000) if key not in keys)
        keys.append(next(key for key in others if int(uniform_of(np.uint64(key), constant, FIRST) * 5) == band))
    return np.array(keys, dtype=np.uint64)


def decided(
    draws: list[float], bands: list[int], general: float, by_band: list[float], where: int = Location.COURT
) -> list[int]:
    """Rows of people newly convicted who go to custody, of whom a share of a half would.

    Half of them had a report; they are counted as sentenced, and as orders if they are kept out.
    """
    many = len(draws)
    ones, nothing = np.ones(4), np.zeros(many, dtype=np.int8)
    report = np.where(np.arange(many) % 2, Report.ORAL, Report.NONE).astype(np.int8)
    flows = np.zeros((len(COUNT_INDEX), 1), dtype=np.int64)
    constant = np.uint64(7)
    found = np.empty((4, many), dtype=np.intp)
    sizes = decide_custody(
        np.arange(many),
        np.uint64(0),
        0.5,
        ones,
        np.array([general, general]),
        np.array(by_band, dtype=np.float64),
        constant,
        FIFTHS,
        ones,
        report,
        keys_in(bands, constant),
        nothing,
        nothing,
        np.full(many, where, dtype=np.int8),
        np.array(draws),
        np.full(many, NEVER, dtype=np.int32),
        np.full(many, NEVER, dtype=np.int32),
        np.full(many, -1),
        np.zeros(1, dtype=np.int8),
        np.zeros(1, dtype=np.int32),
        flows,
        found,
    )
    sentenced, inside, outside, already = lists_of(found, sizes)
    assert sentenced.tolist() == list(range(many)) == sorted([*inside, *outside]) and already.size == 0
    assert flows[COUNT_INDEX["sentenced_on_report"], 0] == np.count_nonzero(report)
    assert flows[COUNT_INDEX["orders_on_report"], 0] == np.count_nonzero(report[outside])
    assert flows.sum() == np.count_nonzero(report) + np.count_nonzero(report[outside]), "nothing else is counted"
    return inside.tolist()


def test_diversion_by_hand() -> None:
    """A half of everybody goes to custody; within a band as over all, those nearest the line are kept out."""
    draws, bands = [0.1, 0.19, 0.3, 0.45, 0.6, 0.1, 0.45], [0, 0, 0, 0, 0, 2, 2]
    none, half_of_short = [0.0] * 5, [0.5, 0.0, 0.0, 0.0, 0.0]
    assert decided(draws, bands, 0.0, none) == [0, 1, 2, 3, 5, 6]
    assert decided(draws, bands, 0.0, half_of_short) == [0, 1, 5, 6], "below 0.25 in the shortest band"
    assert decided(draws, bands, 0.2, none) == [0, 1, 2, 5], "below 0.4 in all"
    assert decided(draws, bands, 0.2, half_of_short) == [0, 1, 5], "below 0.2 and 0.4"


@pytest.mark.parametrize("where", [Location.SENTENCED, Location.RECALLED, Location.COMMITTED, Location.AT_LARGE])
def test_whoever_is_in_prison_or_wanted_after_recall_gets_custody(where: int) -> None:
    assert decided([0.1, 0.6, 0.99], [0, 0, 2], 0.2, [1.0, 0, 0, 0, 0], where) == [0, 1, 2]
    assert decided([0.1, 0.6, 0.99], [0, 0, 2], 0.0, [0.0] * 5, Location.ENDED) == [0]


def test_nobody_gets_an_order_in_prison() -> None:
    """People come to court from prison for offences of before, and when a report was asked for outside."""
    model = Model(request(end=datetime.date(2018, 3, 31)))
    service, ordered, imprisoned = model.service, set(), set()
    tell = service.tell

    def note(kind: str, rows: np.ndarray, *rest: object) -> None:
        # People are put in their new place after this is told.
        if kind in ("community order", "suspended sentence order"):
            ordered.update(service.people.location[rows].tolist())
        if kind == "sentenced to custody":
            imprisoned.update(service.people.location[rows].tolist())
        tell(kind, rows, *rest)  # type: ignore[arg-type]

    service.tell = note  # type: ignore[method-assign]
    model.run()
    assert {Location.SENTENCED, Location.RECALLED} <= imprisoned
    assert not ordered & {Location.SENTENCED, Location.RECALLED, Location.COMMITTED, Location.AT_LARGE}


def lengths_of_the_new(model: Model) -> dict[int, int]:
    """Length of the first custodial sentence of everybody convicted in the run, by key."""
    sentences, people = model.service.sentences, model.service.people
    rows = np.flatnonzero(sentences.kind[: sentences.size] == Kind.DETERMINATE)
    rows = rows[(sentences.number[rows] == 1) & (sentences.imposed[rows] >= 0)]
    return dict(zip(people.key[sentences.person[rows]].tolist(), sentences.length[rows].tolist(), strict=True))


def test_diversion_of_short_terms_leaves_the_long_ones_alone() -> None:
    before = lengths_of_the_new(finished(**SHORT))
    after = lengths_of_the_new(finished(overrides={"courts.diversion_by_length.under_6_months": 1}, **SHORT))
    assert min(before.values()) < 100 and min(after.values()) >= 183
    assert after == {key: length for key, length in before.items() if length >= 183}


# --- Orders ---------------------------------------------------------------------------------------------


def test_a_suspended_sentence_lasts_two_years_at_most() -> None:
    """By section 189 of the Criminal Justice Act 2003; a community order may last three. At the start as in the run."""
    shares = {6: 0, 12: 0.5, 18: 0, 24: 0, 36: 0.5}
    lengths = {f"courts.order_length_months.{months}_months": share for months, share in shares.items()}
    model = finished(overrides=lengths, **SHORT)
    sentences = model.service.sentences
    kind, length = sentences.kind[: sentences.size], sentences.length[: sentences.size]
    for begun in (sentences.imposed[: sentences.size] < 0, sentences.imposed[: sentences.size] >= 0):
        assert set(length[begun & (kind == Kind.SUSPENDED)].tolist()) == {365, 730}
        assert set(length[begun & (kind == Kind.COMMUNITY_ORDER)].tolist()) == {365, 1095}
    orders = (kind == Kind.SUSPENDED) & (sentences.imposed[: sentences.size] >= 0)
    assert (sentences.expiry[: sentences.size] - sentences.imposed[: sentences.size])[orders].max() == 730


# --- Breach courts --------------------------------------------------------------------------------------


def test_a_list_holds_so_many_a_year() -> None:
    model = Model(request(overrides={"enforcement.hearings_a_year": 20000}))
    courts = model.enforcement.breach_courts
    calendar, places = model.service.calendar, 0
    for day in range(365):
        if calendar.is_working(day):
            model.service.environment._now = day
            places += int(courts.places()[model.request.resolved.areas[0]])
    share = model.population.shares[model.request.resolved.areas[0]]
    assert places == pytest.approx(20000 * share, rel=0.02)


def test_the_oldest_failure_is_heard_first() -> None:
    model = Model(request())
    people, sentences = model.service.people, model.service.sentences
    listed = np.flatnonzero(sentences.status[: sentences.size] == Status.ORDER)[:4]
    sentences.breach_known[listed] = [-3, -9, -1, -9]
    found, places = np.empty((2, 4), dtype=np.intp), np.full(model.service.areas, 2)
    sizes = hold_list(listed, found, places, people.area, sentences.person, sentences.breach_known)
    heard, put_off = lists_of(found, sizes)
    assert heard.tolist() == listed[[1, 3]].tolist() and put_off.tolist() == listed[[0, 2]].tolist()


def test_a_short_list_makes_a_queue(baseline: RunOutput) -> None:
    short = run(overrides={"enforcement.hearings_a_year": 10000})
    assert total(short, "hearings_put_off") > 5 * total(baseline, "hearings_put_off")
    assert total(short, "hearings_waiting") > 1.2 * total(baseline, "hearings_waiting")
    assert total(short, "breach_hearings") < total(baseline, "breach_hearings")


def test_who_stays_away_is_arrested_later() -> None:
    wait = {f"enforcement.warrant_working_days.{name}": 7 for name in ("p0", "p50", "p100")}
    away = finished(overrides={"enforcement.no_show_share": 1, **wait})
    output, sentences, service = away.output(), away.service.sentences, away.service
    issued, executed = total(output, "warrants_issued"), total(output, "warrants_executed")
    assert issued > 50 and issued >= executed > 0.5 * issued
    assert 9 <= total(output, "warrant_days") / executed <= 12, "seven working days"
    out = np.flatnonzero(sentences.warrant_since[: sentences.size] != NEVER)
    out = out[sentences.status[out] != Status.ENDED]
    person = sentences.person[out]
    assert out.size and (service.agendas["contact"].day_of(person) == NEVER).all(), "no routine appointments meanwhile"
    came = run(overrides={"enforcement.no_show_share": 0})
    assert total(came, "warrants_issued") == total(came, "warrants_outstanding") == 0
    assert total(came, "breach_hearings") > total(output, "breach_hearings")


def test_appointments_begin_again_after_the_arrest() -> None:
    model = Model(request(**SHORT))
    model.run(20)
    service, sentences, people = model.service, model.service.sentences, model.service.people
    rows = np.flatnonzero(sentences.status[: sentences.size] == Status.ORDER)
    person = sentences.person[rows]
    rows = rows[(people.location[person] == Location.COMMUNITY) & (people.work_only[person] == 0)]
    rows = rows[people.first_due_from[sentences.person[rows]] == NEVER][:5]
    courts, contacts = model.enforcement.breach_courts, service.agendas["contact"]
    courts.places = lambda: np.full(service.areas, rows.size)  # type: ignore[method-assign]
    courts.no_show = np.ones_like(courts.no_show)
    assert courts.sit(rows).size == 0, "nobody comes"
    assert (sentences.warrant_since[rows] == service.today).all()
    assert (contacts.day_of(sentences.person[rows]) == NEVER).all()
    assert courts.sit(rows).tolist() == rows.tolist(), "arrested, and heard at once"
    tomorrow = service.calendar.after_working_days(service.today, 1)
    assert (contacts.day_of(sentences.person[rows]) == tomorrow).all()
    assert (sentences.warrant_since[rows] == NEVER).all()


# --- Packs ----------------------------------------------------------------------------------------------


def test_a_pack_comes_back_so_often_at_most() -> None:
    once = finished(overrides={"enforcement.pack_returned_share": 0.9, "enforcement.most_pack_returns": 1})
    sentences = once.service.sentences
    assert sentences.pack_returns[: sentences.size].max() == 1
    assert total(once.output(), "breach_packs_returned") > 10


def test_late_packs_that_are_dropped_never_show_as_late() -> None:
    """With a target of one day some packs are late: either they are referred late or, dropped, never heard of."""
    late = {"enforcement.crc_referral_target_business_days": 1}
    dropped = finished(overrides={**late, "enforcement.late_pack_dropped_share": 1})
    kept = run(overrides=late)
    output = dropped.output()
    assert total(output, "breaches_dropped") > 10
    assert total(output, "breaches_referred") == total(output, "breaches_referred_in_time")
    assert total(kept, "breaches_dropped") == 0 < total(kept, "breaches_referred")
    assert total(output, "breaches_due") > 0.8 * total(kept, "breaches_due")


def test_propensity_differs_by_provider() -> None:
    changes = change(datetime.date(2017, 7, 2), "set", "enforcement.probability_started_crc", 0.0)
    output = run(changes)
    by_side = {"nps": 0, "crc": 0}
    columns = (output.rows[name] for name in ("provider", "measure", "month", "value"))
    for provider, measure, month, value in zip(*columns, strict=True):
        if measure == "breaches_referred" and month > "2017-08":
            by_side["nps" if provider.startswith("nps") else "crc"] += value
    # Packs begun by a company may be the NPS's when they are taken, not the other way round.
    assert by_side["crc"] <= 2 < by_side["nps"]


# --- Early endings --------------------------------------------------------------------------------------


def test_orders_that_go_well_end_early() -> None:
    never = run(overrides={"enforcement.early_revocation_share": 0})
    model = finished(overrides={"enforcement.early_revocation_share": 1})
    often, sentences = model.output(), model.service.sentences
    assert total(never, "orders_ended_early") == total(never, "early_revocations_asked") == 0
    asked, ended = total(often, "early_revocations_asked"), total(often, "orders_ended_early")
    assert asked >= ended > 50
    assert total(often, "caseload_court_orders") < 0.97 * total(never, "caseload_court_orders")
    # Community orders alone, at half-way at the earliest; none of them failed.
    rows = np.flatnonzero(sentences.applied[: sentences.size] == 1)
    assert (sentences.kind[rows] == Kind.COMMUNITY_ORDER).all()
    over = rows[(sentences.status[rows] == Status.ENDED) & (sentences.expiry[rows] > model.service.today)]
    assert over.size and (model.service.today >= sentences.imposed[over] + sentences.length[over] // 2).all()


def test_nobody_warned_ends_early() -> None:
    model = Model(request(**SHORT))
    service, sentences, people = model.service, model.service.sentences, model.service.people
    rows = np.flatnonzero(sentences.status[: sentences.size] == Status.ORDER)
    rows = rows[sentences.kind[rows] == Kind.COMMUNITY_ORDER][:40]
    person = sentences.person[rows]
    people.warned_on[person[::2]] = service.today
    model.early_revocation.share = np.ones_like(model.early_revocation.share)
    granted, wanted = model.early_revocation.look_at(rows)
    well = np.isin(rows, wanted)
    assert not granted.size and not well[::2].any() and well[1::2].any()


# --- What prison on breach is for -------------------------------------------------------------------------------


def test_whoever_goes_to_prison_for_a_breach_goes_for_the_old_offence() -> None:
    """The term stands in the place of the order, so that an offence from before 2015 brings no supervision after it."""
    outcome = "enforcement.order_breach_outcome"
    model = finished(
        overrides={f"{outcome}.continues": 0, f"{outcome}.revoked_other": 0, f"{outcome}.revoked_custody": 1}, **SHORT
    )
    sentences, carried = model.service.sentences, 0
    for sentence in range(sentences.size):
        before = sentences.previous[sentence] if sentences.kind[sentence] == Kind.DETERMINATE else -1
        while before >= 0:
            broken = sentences.kind[before] in (Kind.COMMUNITY_ORDER, Kind.SUSPENDED) and sentences.failed[before] == 1
            if broken and sentences.offence[before] == sentences.offence[sentence]:
                carried += 1
                break
            before = sentences.previous[before]
    assert carried >= total(model.output(), "sentences_custody_on_breach") > 20


def test_a_warrant_that_outlives_the_supervision_ends_with_an_arrest_for_something_else() -> None:
    """Whoever is before a court is no longer wanted, though nothing is left of the breach to be heard."""
    found = np.empty((2, 4), dtype=np.intp)
    latest, previous = np.array([0, 1, 2]), np.array([-1, -1, -1])
    status = np.array([Status.ENDED, Status.ENDED, Status.SUPERVISION])
    since, hearings = np.array([5, 5, NEVER], dtype=np.int32), np.array([30, NEVER, 30], dtype=np.int32)
    rows = np.arange(3)
    assert wanted_or_at_large(rows, found, 10, hearings, latest, previous, status, since) == (1, 0)
    assert found[0, 0] == 0, "the second was dealt with when the order was revoked; the third has a hearing, no warrant"


# --- Lists ------------------------------------------------------------------------------------------------


def test_whoever_is_among_others_is_left_out() -> None:
    rows = np.array([2, 5, 7, 9])
    for others in ([], [1], [2, 9], [1, 5, 6, 7, 12], [2, 5, 7, 9]):
        assert without(rows, np.array(others, dtype=np.intp)).tolist() == [row for row in rows if row not in others]


def test_the_first_order_of_each_stands() -> None:
    person = np.array([8, 3, 8, 5, 3, 1], dtype=np.int32)
    sentences = np.array([2, 4, 0, 1, 3, 5])
    assert first_of_each(np.array([3, 5, 8]), sentences, person).tolist() == [4, 3, 2]
    assert first_of_each(np.array([1, 8]), sentences, person).tolist() == [5, 2]
