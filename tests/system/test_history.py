"""The years 2014 to 2022: one service, its split, law that changes on the way; and what published measures count."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

import numpy as np
import pytest

from simulation.engine import NEVER
from simulation.engine.chance import logarithms, minus_log
from simulation.measures.registry import HISTOGRAMS
from simulation.scenario import load_scenario
from simulation.system import Model, RunOutput, RunRequest, cohorts, run_model
from simulation.system.codes import CRC, NPS, Grade, Kind, Place, Status, Terms
from simulation.system.hazards import serious_share
from simulation.system.population import unpack
from simulation.system.splitting import of_the_nps, side_made_for
from tests.system.system_helpers import GEOGRAPHY, change, finished, resolved, run, total, totals

SPLIT = datetime.date(2014, 6, 1)


def history(end: datetime.date, **options: Any) -> RunRequest:
    """The shipped history of one area, stopped early."""
    loaded = load_scenario("history")
    changes = tuple(
        dataclasses.replace(each, end=None if each.end is not None and each.end > end else each.end)
        for each in loaded.changes
        if each.start <= end
    )
    stopped = dataclasses.replace(loaded, end=end, changes=changes, **options)
    return RunRequest(resolved(stopped, ("gwent",)), seed=1)


@pytest.fixture(scope="module")
def beginning() -> RunOutput:
    """From the trusts to the first people on post-sentence supervision."""
    return run_model(history(datetime.date(2015, 7, 31)))


# --- One service and its split ------------------------------------------------------------------------


def on_the_eve_and_after(days: int) -> tuple[Model, Model]:
    """The model at the midnight before the split, and so many days after."""
    models = []
    for until in ((SPLIT - datetime.date(2014, 1, 1)).days, (SPLIT - datetime.date(2014, 1, 1)).days + days):
        model = Model(history(datetime.date(2014, 8, 31)))
        model.run(until)
        models.append(model)
    return models[0], models[1]


def test_before_the_split_there_is_one_employer_and_one_side(beginning: RunOutput) -> None:
    rows = beginning.rows
    crc = {
        (month, measure)
        for month, provider, group, measure in zip(
            rows["month"], rows["provider"], rows["group"], rows["measure"], strict=True
        )
        if provider in ("wales_crc", "crc") and measure != "other_staff" and (group == "all" or measure in HISTOGRAMS)
    }
    assert min(month for month, _ in crc) == "2014-06"
    assert {"caseload_total", "officers_in_post", "contacts_face_to_face"} <= {measure for _, measure in crc}


def test_the_split_parts_officers_by_their_posts_and_cases_by_the_rule() -> None:
    before, after = on_the_eve_and_after(1)
    posts = after.service.posts
    size = posts.size
    made_for = [((key >> 40) & 15) - 8 for key in posts.key[:size].tolist()]
    assert (posts.employer[:size] == made_for).all() and (before.service.posts.employer[:size] == NPS).all()
    people = after.service.people
    eve = before.service.people
    known = np.flatnonzero((eve.side[: eve.size] == NPS) & (people.side[: people.size] >= 0))
    # Nobody was sentenced on the day: it was a Sunday.
    rule = of_the_nps(after.service, known)
    assert (people.side[known] == np.where(rule, NPS, CRC)).all()
    assert 0.2 < rule.mean() < 0.6
    # A case whose officer went to the other side waits, and stays with that officer meanwhile.
    held = known[people.officer[known] >= 0]
    parted = posts.employer[people.officer[held]] != people.side[held]
    assert parted.any()
    assert (people.waiting_since[held[parted]] == after.service.today - 1).all()
    assert (after.service.agendas["allocate"].day_of(held[parted]) != NEVER).all()
    # Nobody is lost, and nobody's officer was taken away.
    assert (people.officer[known] == eve.officer[known]).all()


def test_two_weeks_after_the_split_everybody_has_an_officer_of_their_own_side() -> None:
    _, after = on_the_eve_and_after(16)
    people, posts = after.service.people, after.service.posts
    live = np.flatnonzero((people.side[: people.size] >= 0) & (people.officer[: people.size] >= 0))
    settled = live[people.waiting_since[live] == NEVER]
    assert settled.size > 0.97 * live.size
    assert (posts.employer[people.officer[settled]] == people.side[settled]).all()


def test_a_service_that_stays_one_parts_nobody() -> None:
    one = change(datetime.date(2017, 7, 1), "set", "organisation.unified", 1)
    two = dataclasses.replace(one, end=datetime.date(2017, 9, 1))
    kept = run(one, end=datetime.date(2017, 9, 30))
    split = run(two, end=datetime.date(2017, 9, 30))
    assert total(kept, "cases_parted") == 0 < total(split, "cases_parted")
    assert kept.event_digests[:62] == split.event_digests[:62]
    assert kept.event_digests[62:] != split.event_digests[62:]


def test_the_side_that_a_post_was_made_for_stands_in_its_key() -> None:
    keys = np.array([(5 << 44) | (8 << 40) | 3, (41 << 44) | (9 << 40) | 0], dtype=np.uint64)
    assert side_made_for(keys).tolist() == [NPS, CRC]
    assert [unpack(int(key))[1] - 8 for key in keys] == [NPS, CRC]


# --- Law and series over the whole span ---------------------------------------------------------------


def test_post_sentence_supervision_begins_with_nobody_and_ramps(beginning: RunOutput) -> None:
    supervised = totals(beginning)["caseload_pss"]
    assert all(month >= "2015-03" for month in supervised)
    assert supervised["2015-07"] > supervised.get("2015-04", 0)


def test_nobody_is_released_to_licence_from_a_short_sentence_for_an_offence_before_the_act() -> None:
    model = Model(history(datetime.date(2014, 12, 31)))
    model.run()
    sentences = model.service.sentences
    rows = np.arange(sentences.size)
    short = rows[(sentences.kind[rows] == Kind.DETERMINATE) & (sentences.length[rows] < 365)]
    assert short.size > 200
    assert (sentences.supervision_end[short] == sentences.custody_end[short]).all()
    over = short[sentences.custody_end[short] < model.service.today]
    assert over.size > 100 and (sentences.status[over] == Status.ENDED).all()


@pytest.mark.long
def test_people_sentenced_in_history_keep_to_their_series() -> None:
    """Some areas, a fifth of the country, over four years: luck alone is well below a percent."""
    areas = ("lancashire", "merseyside", "kent", "essex", "hampshire", "wales_crc", "west_yorkshire", "gwent")
    loaded = load_scenario("history")
    end = datetime.date(2017, 12, 31)
    changes = tuple(
        each if each.end is None or each.end <= end else dataclasses.replace(each, end=None)
        for each in loaded.changes
        if each.start <= end
    )
    model = Model(RunRequest(resolved(dataclasses.replace(loaded, end=end, changes=changes), areas), seed=1))
    model.run()
    counts, demand = totals(model.output()), model.population.demand
    share = demand.shares[list(model.service.resolved.areas)].sum()
    for measure, series in (("sentences_community", demand.community_year), ("sentences_custody", demand.custody_year)):
        expected = share * sum(series(year) for year in range(2014, 2018))
        assert sum(counts[measure].values()) == pytest.approx(expected, rel=0.02)


# --- What published measures count --------------------------------------------------------------------


def test_officers_by_grade_and_by_band_of_cases_are_those_in_post(baseline: RunOutput) -> None:
    counts = totals(baseline)
    for month, officers in counts["officers_in_post"].items():
        assert counts["officers_po"][month] + counts["officers_pso"][month] == officers
        bands = ["officers_with_cases", "officers_over_40_cases", "officers_over_50_cases", "officers_over_60_cases"]
        numbers = [officers, *(counts[name].get(month, 0) for name in bands)]
        assert numbers == sorted(numbers, reverse=True)
        assert counts["officers_over_120"].get(month, 0) <= counts["officers_over_110"].get(month, 0)
        without = counts["posts_vacant"].get(month, 0) + counts["agency_in_post"].get(month, 0)
        assert counts["posts_vacant_po"].get(month, 0) <= without


def test_staff_are_counted_as_their_publisher_counts_them() -> None:
    """Full-time equivalents without agency officers; posts that these cover are vacant."""
    many = {"staff.agency.share_of_vacancies": 1, "staff.leaving_multiplier": 6, "staff.part_time.share": 0.5}
    model = finished(overrides=many)
    counts = {measure: months["2017-12"] for measure, months in totals(model.output()).items()}
    posts, size = model.service.posts, model.service.posts.size
    names = ("filled", "terms", "grade", "post_grade", "hours", "place")
    columns = {name: getattr(posts, name)[:size] for name in names}
    permanent = (columns["filled"] == 1) & (columns["terms"] == Terms.PERMANENT)
    agency = (columns["filled"] == 1) & ~permanent
    is_po = columns["grade"] == Grade.PO
    for grade, count in ((is_po, "po_equivalents"), (~is_po, "pso_equivalents")):
        heads = int((permanent & grade).sum())
        expected = sum(int(hours) * 100 // 3700 for hours in columns["hours"][permanent & grade])
        assert counts[count] == expected < 100 * heads
    required = (columns["place"] == Place.ESTABLISHED) & (posts.closed[:size] == 0)
    required &= columns["post_grade"] == Grade.PO
    assert counts["posts_vacant_po"] == (required & ~permanent).sum()
    assert (required & agency).sum() > 0


def test_other_staff_are_the_area_s_share_of_the_number() -> None:
    model = finished(end=datetime.date(2017, 7, 31), overrides={"staff.other_staff": {"nps": 10_000, "crc": 0}})
    share = model.population.shares[GEOGRAPHY.areas.index("cumbria")]
    assert totals(model.output())["other_staff"]["2017-07"] == pytest.approx(10_000 * share, abs=1)


def test_the_share_of_reoffences_that_is_serious() -> None:
    """Somebody with 10% in two years and 50% in one."""
    share = serious_share(1000, 50, logarithms())
    assert share == pytest.approx((-np.log(0.9) / 2) / -np.log(0.5))
    assert serious_share(9000, 2, logarithms()) == 1
    assert minus_log(np.array([0.5]))[0] == pytest.approx(np.log(2))


def test_serious_further_offences_follow_their_lever(baseline: RunOutput) -> None:
    short = {"end": datetime.date(2017, 10, 31)}
    nobody = run(overrides={"community.serious_offence_review_share": 0}, **short)
    everybody = run(overrides={"community.serious_offence_review_share": 1}, **short)
    assert total(nobody, "serious_offence_reviews") == 0
    assert total(everybody, "serious_offence_reviews") > 2
    # Reviews change nothing else.
    assert nobody.state_digests == everybody.state_digests


def test_a_risk_that_rose_is_answered_in_time_or_not() -> None:
    options = {"overrides": {"allocation.escalation_rate": 1}, "end": datetime.date(2017, 9, 30)}
    for days, in_time in ((1, True), (4, False)):
        options["overrides"] = {
            "allocation.escalation_rate": 1,
            "allocation.escalation_working_days": {f"p{p}": days for p in (0, 20, 50, 96, 100)},
        }
        answered = run(**options)
        assert total(answered, "escalations_answered") > 50
        share = total(answered, "escalations_answered_in_time") / total(answered, "escalations_answered")
        assert share > 0.9 if in_time else share < 0.1


def test_cohorts_by_hand() -> None:
    """One start a quarter; the first reoffence within 365 days, put to the month of the start."""
    model = finished(end=datetime.date(2017, 8, 31))
    service, people = model.service, model.service.people
    rows = np.arange(3)
    people.cohort_start[rows], people.cohort_failed[rows] = NEVER, 0
    service.flows[:] = 0
    service.bands.clear()
    cohorts.orders_started(service, rows)
    cohorts.orders_started(service, rows[:1])  # within the quarter: not again
    assert sum(service.flows[cohorts_index("cohort_starts")]) == 3
    today = service.today
    people.cohort_side[rows] = (NPS, CRC, CRC)
    people.cohort_start[rows] = (today - 365, today - 366, today - 20)
    people.short_cohort_start[rows] = NEVER
    cohorts.reoffended(service, rows)
    cohorts.reoffended(service, rows)
    # It is 1 September 2017: a year before is twelve months ago, twenty days before is in August.
    assert service.bands == {("cohort_reoffences", 12, NPS): 1, ("cohort_reoffences", 1, CRC): 1}


def cohorts_index(name: str) -> int:
    from simulation.system.service import COUNT_INDEX

    return COUNT_INDEX[name]


def test_nobody_reoffends_who_can_t(baseline: RunOutput) -> None:
    quiet = run(overrides={"community.reoffending_ratio": 0}, end=datetime.date(2017, 9, 30))
    rows = quiet.rows
    assert not {"cohort_reoffences", "short_cohort_reoffences"} & set(rows["measure"])
    assert total(quiet, "cohort_starts") > 0 and total(quiet, "short_cohort_starts") > 0
    found = {name for name in baseline.rows["measure"] if name.endswith("cohort_reoffences")}
    assert found == {"cohort_reoffences", "short_cohort_reoffences"}
    assert total(baseline, "inspection_sample_not_complying") < total(baseline, "inspection_sample")
