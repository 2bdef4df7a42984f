"""Money: what a company is paid and spends by hand, every penny accounted for, and posts that losses close."""

from __future__ import annotations

import datetime

import numpy as np
import pytest

from simulation.system import Model, RunOutput
from simulation.system.codes import CRC, Status
from simulation.system.contract_loops import ACTIVITIES, cost_of, paid_share, posts_to_cut, starts_of_month
from simulation.system.ledger import ACCOUNTS, INCOME
from simulation.system.service import COUNT_INDEX
from tests.system.system_helpers import (
    PARAMETERS,
    as_tuples,
    change,
    finished,
    request,
    run,
    total,
    totals,
)

SHORT = {"end": datetime.date(2017, 9, 30)}
PENCE = 100


# --- Rules by hand --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("volume", "band", "fixed", "share"),
    [
        (100, 0.02, 0.2, 1.0),
        (98.5, 0.02, 0.2, 1.0),  # within the band
        (101.5, 0.02, 0.2, 1.0),
        (70, 0.02, 0.2, 0.776),  # 28% beyond it, four fifths of which are lost
        (70, 0.02, 0.77, 0.9356),
        (130, 0.02, 0.2, 1.224),  # it works both ways
        (70, 0.0, 1.0, 1.0),  # all of it is fixed
        (0, 0.0, 0.0, 0.0),
    ],
)
def test_income_follows_volume_beyond_the_band(volume: float, band: float, fixed: float, share: float) -> None:
    assert paid_share(np.array([volume]), np.array([100.0]), band, fixed) == pytest.approx([share])


@pytest.mark.parametrize(("fixed", "cost"), [(0.2, 760), (0.77, 931), (1.0, 1000), (0.0, 700)])
def test_cost_follows_volume_but_for_what_is_fixed(fixed: float, cost: int) -> None:
    found = cost_of(np.array([70.0]), np.array([100.0]), np.array([1000]), np.array([fixed]))
    assert found.tolist() == [cost]


def test_posts_are_cut_by_the_owners_loss_and_no_further_than_allowed() -> None:
    loss, cost = np.array([400, 0, 900, -50]), np.array([1000, 3000, 1000, 1000])
    owner, share = np.array([0, 0, 1, 2]), np.full(4, 0.5)
    most, gone = np.array([9, 9, 9, 9]), np.array([0, 1, 0, 0])
    # The first owner loses a tenth: 50 and 150 to save at 25 a post; the second would cut 18; the third gains.
    assert posts_to_cut(loss, cost, owner, share, 25, most, gone).tolist() == [2, 5, 9, 0]
    alone = posts_to_cut(loss, cost, np.arange(4), share, 25, most, gone)
    assert alone.tolist() == [8, 0, 9, 0]


# --- The books ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model() -> Model:
    """Three months of an area, by the baseline."""
    return finished(**SHORT)


def test_volumes_are_those_of_the_sentences_one_by_one(model: Model) -> None:
    service, people, sentences = model.service, model.service.people, model.service.sentences
    first, today = service.calendar.day(datetime.date(2017, 9, 1)), service.calendar.day(datetime.date(2017, 9, 30))
    names = ["kind", "status", "imposed", "released", "expiry", "supervision_end", "unpaid_work_only"]
    volumes, begun, _ = starts_of_month(
        sentences.size, first, today, service.areas, people.area, people.side, sentences.person,
        *(getattr(sentences, name) for name in names),
    )  # fmt: skip
    expected = dict.fromkeys(ACTIVITIES, 0)
    for row in range(sentences.size):
        who = sentences.person[row]
        if people.side[who] != CRC:
            continue
        if sentences.kind[row] <= 1:
            if first <= sentences.imposed[row] <= today:
                expected["unpaid_work" if sentences.unpaid_work_only[row] else "order"] += 1
        elif sentences.kind[row] == 2:
            out, end = sentences.released[row], max(sentences.expiry[row], sentences.supervision_end[row])
            expected["licence"] += first <= out <= today and end > out
            on = sentences.status[row] == Status.SUPERVISION and sentences.expiry[row] > out
            expected["supervision"] += on and first <= sentences.expiry[row] <= today
    assert volumes.sum(axis=0).tolist() == list(expected.values())
    assert min(expected.values()) > 0
    assert begun.size == expected["order"] + expected["unpaid_work"] + expected["licence"]


def test_a_month_is_paid_and_spent_as_by_hand(model: Model) -> None:
    counts = totals(model.output())
    value = lambda name: float(PARAMETERS[name].value)  # noqa: E731
    area = model.service.resolved.areas[0]
    share, year = model.population.shares[area], 30 / 365.25
    expected = int(share * value("contracts.volume_2016_17") * 1000 / 0.7)
    income = int(share * value("contracts.income_expected") * 1e8)
    volume = counts["crc_volume"]["2017-09"]
    departure = volume / (expected * year) - 1
    beyond = min(departure + 0.02, 0) if departure < 0 else max(departure - 0.02, 0)
    assert counts["crc_volume_expected"]["2017-09"] == int(expected * year)
    assert counts["crc_income_volume"]["2017-09"] == pytest.approx(income * year * (1 + 0.8 * beyond), abs=1)
    adjustment = min(income * year * (0.8 - 0.23) * -beyond, share * 56e8 * year)
    assert counts["crc_income_adjustment"]["2017-09"] == pytest.approx(max(adjustment, 0), abs=2)
    tasks = model_tasks(model.output(), "2017-09")
    assert counts["crc_income_tasks"]["2017-09"] == tasks
    cost = int(income * 0.95) * year * (0.77 + 0.23 * (volume / (expected * year)))
    assert counts["crc_costs"]["2017-09"] == pytest.approx(cost, abs=2)
    paid = sum(counts[name].get("2017-09", 0) for name in INCOME)
    assert counts["crc_result"]["2017-09"] == paid - counts["crc_costs"]["2017-09"]


def model_tasks(output: RunOutput, month: str) -> int:
    """Fees of a month, from what was counted on each side."""
    done = {
        (measure, provider.startswith("nps")): value
        for provider, when, measure, value in zip(
            output.rows["provider"], output.rows["month"], output.rows["measure"], output.rows["value"], strict=True
        )
        if when == month and measure in ("plans_done", "resettlement_plans_done")
    }
    name = "resettlement_plans_done"
    resettled = done.get((name, True), 0) + done[name, False]
    return int(done["plans_done", False] * 50 * PENCE + resettled * 200 * PENCE)


def test_plans_are_paid_for_and_help_is_not() -> None:
    """Plans come first: with help for all, or ten times the work, as many are written and paid; no plans, no fee."""
    done, paid = [], []
    for lever, value in (
        ("release.help_share", 0.2),
        ("release.help_share", 1),
        ("release.hours_per_person", 20),
        ("release.plan_max_sentence_years", 0),
    ):
        output = finished(overrides={"contracts.fee_plan": 0, lever: value}, **SHORT).output()
        assert total(output, "crc_income_tasks") == 200 * PENCE * total(output, "resettlement_plans_done")
        done.append(total(output, "ttg_done"))
        paid.append(total(output, "crc_income_tasks"))
    usual, helping, unfinished, no_plans = paid
    assert min(helping, unfinished) > 0.95 * usual > 0 == no_plans
    assert max(done[1], done[2]) < 0.5 * done[0]


def test_contracts_that_end_in_mid_month_are_paid_until_then(model: Model) -> None:
    """Unified on 16 September: fifteen days of the companies, and fifteen of the NPS as it was and as it became."""
    middle, later = (
        finished(change(datetime.date(2017, when, day), "set", "organisation.unified", 1), **SHORT)
        for when, day in ((9, 16), (9, 30))
    )
    half, most, whole = (totals(each.output()) for each in (middle, later, model))
    for days, counts in ((15, half), (29, most)):
        expected = whole["crc_volume_expected"]["2017-09"] * days / 30
        assert counts["crc_volume_expected"]["2017-09"] == pytest.approx(expected, abs=1)
        assert 0 < counts["crc_volume"]["2017-09"] <= whole["crc_volume"]["2017-09"]
        # Cost moves with volume by less than a quarter, and income within what volume may do in half a month.
        assert counts["crc_costs"]["2017-09"] == pytest.approx(whole["crc_costs"]["2017-09"] * days / 30, rel=0.1)
        assert counts["crc_income_volume"]["2017-09"] > 0 < counts["crc_income_tasks"]["2017-09"]
        # What the company cost, or the NPS in its place, is spent once a day, whoever spends it.
        spent = counts["crc_costs"]["2017-09"] + counts["nps_costs"]["2017-09"]
        assert spent == pytest.approx(whole["crc_costs"]["2017-09"] + whole["nps_costs"]["2017-09"], rel=0.03)
        assert counts["prison_costs"]["2017-09"] == pytest.approx(whole["prison_costs"]["2017-09"], rel=0.02)
    assert middle.contracts.ledger.broken().size == later.contracts.ledger.broken().size == 0
    assert total(middle.output(), "results_people") < total(model.output(), "results_people")


def test_agency_officers_cost_what_they_are_paid() -> None:
    """Twice the price: what more the NPS and the companies spend is what more agency officers are paid."""
    many = {"staff.agency.share_of_vacancies": 1, "staff.leaving_multiplier": 4}
    outputs = [run(overrides={**many, "staff.agency.pounds_a_day": pounds}, **SHORT) for pounds in (200, 400)]
    costs = {name: [total(output, name) for output in outputs] for name in ("nps_costs", "crc_costs", "agency_pence")}
    paid = np.diff(costs["agency_pence"])[0]
    assert paid == costs["agency_pence"][0] > 0
    assert np.diff(costs["nps_costs"])[0] > 0 < np.diff(costs["crc_costs"])[0]
    assert np.diff(costs["nps_costs"])[0] + np.diff(costs["crc_costs"])[0] == paid


def test_an_agency_officer_costs_a_company_what_is_beyond_the_post() -> None:
    """Ten days at 220 pounds, in posts of 45,000 a year: 2,200 less 10/252.9 of 45,000."""
    model = Model(request())
    area, flows = model.service.resolved.areas[0], model.service.flows
    flows[COUNT_INDEX["agency_days"], area * 2 + CRC] = 10
    flows[COUNT_INDEX["agency_pence"], area * 2 + CRC] = 220_000
    assert model.contracts.agency_extra()[area] == 220_000 - 4_500_000 * 10 // 252.9


def test_every_penny_is_somewhere(model: Model) -> None:
    ledger, counts = model.contracts.ledger, totals(model.output())
    assert ledger.broken().size == 0
    assert ledger.accounts.balance[: ledger.accounts.size].sum() == 0
    paid = sum(sum(counts[name].values()) for name in (*INCOME, "nps_costs", "prison_costs"))
    assert -ledger.balance("ministry").sum() == paid > 0
    assert ledger.balance("company").sum() == sum(counts["crc_result"].values())
    spent = sum(sum(counts[name].values()) for name in ("crc_costs", "nps_costs", "prison_costs"))
    assert ledger.balance("spent").sum() == spent
    assert model.service.checks["every penny is in an account"] == 3


@pytest.mark.parametrize("column", ["balance", "paid_in", "paid_out"])
def test_a_lost_penny_is_found(model: Model, column: str) -> None:
    ledger, area = model.contracts.ledger, model.service.resolved.areas[0]
    values = getattr(ledger.accounts, column)
    row = area * len(ACCOUNTS) + ACCOUNTS.index("company")
    values[row] += 1
    assert ledger.broken().tolist() == [area]
    values[row] -= 1
    ledger.headings.crc_costs[area] += 1
    assert ledger.broken().tolist() == [area]
    ledger.headings.crc_costs[area] -= 1


def test_weights_decide_what_volume_is(model: Model) -> None:
    light = run(overrides={"contracts.activity_weights.order": 0, "contracts.activity_weights.unpaid_work": 0}, **SHORT)
    full = model.output()
    assert 0 < total(light, "crc_volume") < 0.6 * total(full, "crc_volume")
    assert total(light, "crc_income_volume") < total(full, "crc_income_volume")
    assert total(light, "results_people") == total(full, "results_people"), "nobody is supervised otherwise"


def test_what_was_fixed_in_the_terms_and_in_truth(model: Model) -> None:
    """Two by two: the loss is where income moves with volume and cost doesn't."""
    result = {
        (paid, cost): total(
            run(
                overrides={
                    "contracts.signed_fixed_share": paid,
                    "contracts.fixed_cost_share": cost,
                    "contracts.amended_fixed_share": paid,
                },
                **SHORT,
            ),
            "crc_result",
        )
        for paid in (0.2, 0.77)
        for cost in (0.2, 0.77)
    }
    assert result[0.2, 0.77] < 0 < result[0.77, 0.2]
    assert result[0.2, 0.77] < result[0.2, 0.2] < result[0.77, 0.2]


def test_without_an_adjustment_nothing_is_paid_on_top(model: Model) -> None:
    stop = change(datetime.date(2017, 8, 1), "set", "contracts.adjustment_most", 0)
    months = totals(run(stop, **SHORT))["crc_income_adjustment"]
    before = totals(model.output())["crc_income_adjustment"]
    assert months["2017-07"] == before["2017-07"] > 0
    assert not months.get("2017-08") and before["2017-08"] > 0


# --- Posts ----------------------------------------------------------------------------------------------------------

LOSING = {
    "contracts.posts_cut_share_of_losses": 1,
    "contracts.posts_cut_after_months": 1,
    "contracts.volume_shortfall": 0.48,
    "contracts.signed_fixed_share": 0,
    "contracts.amended_fixed_share": 0,
    "contracts.post_cost": 20000,
}


def test_losses_close_posts_some_months_later(baseline: RunOutput) -> None:
    cut = finished(overrides=LOSING)
    closed = totals(cut.output())["posts_closed"]
    # July to September shows the loss; a month later posts go.
    assert closed and min(closed) == "2017-10"
    assert total(baseline, "posts_closed") == 0
    posts, size = cut.service.posts, cut.service.posts.size
    gone = posts.closed[:size] == 1
    assert gone.sum() == sum(closed.values()) == cut.contracts.state.posts_closed.sum()
    assert (posts.employer[:size][gone] == CRC).all() and not posts.filled[:size][gone].any()
    most = int(cut.contracts.state.posts_at_start.sum() * 0.4)
    assert gone.sum() <= most
    last = totals(cut.output())
    assert last["officers_in_post"]["2017-12"] < totals(baseline)["officers_in_post"]["2017-12"]
    vacant = (posts.filled[:size] == 0) & ~gone
    assert last["posts_vacant"].get("2017-12", 0) == vacant.sum(), "a closed post isn't vacant"
    assert cut.service.checks["a closed post is vacant"] == 6


def test_redundancies_are_so_many_of_those_cut() -> None:
    nobody = run(overrides={**LOSING, "contracts.redundancy_share": 0})
    everybody = run(overrides={**LOSING, "contracts.redundancy_share": 1})
    assert total(nobody, "redundancies") == 0 < total(everybody, "redundancies")
    assert total(everybody, "posts_closed") > total(nobody, "posts_closed")
    assert total(everybody, "leavers") > total(nobody, "leavers")


def test_companies_that_gain_cut_nothing() -> None:
    gaining = {**LOSING, "contracts.volume_shortfall": -0.2, "contracts.signed_fixed_share": 0.5}
    assert total(run(overrides=gaining), "posts_closed") == 0


def test_owners_are_one_unless_the_coupling_is_frozen() -> None:
    """Gwent's company is Dyfed-Powys's too; with the coupling frozen each area stands for itself."""
    two, dates = ("dyfed_powys", "gwent"), {"end": datetime.date(2017, 11, 30)}
    # Only the other area's volumes are far below.
    there = change(datetime.date(2017, 7, 2), "set", "contracts.volume_shortfall", 0.8, areas=("dyfed_powys",))
    values = {**LOSING, "contracts.volume_shortfall": 0.1}

    def gwent(areas: tuple[str, ...], as_one: int) -> list[tuple[object, ...]]:
        output = run(there, areas=areas, overrides={**values, "contracts.owners_as_one": as_one}, **dates)
        return [row for row in as_tuples(output) if row[0] == "gwent"]

    alone = gwent(("gwent",), 0)
    assert gwent(two, 0) == alone
    assert gwent(("gwent",), 1) == alone, "an area that is run alone is all there is of its owner"
    assert gwent(two, 1) != alone


def test_books_are_saved_and_continued() -> None:
    whole = finished(overrides=LOSING)
    half = Model(request(overrides=LOSING))
    half.run(100)
    saved = half.save()
    half.run(150)
    half.continue_with(saved, half.request.resolved)
    half.run()
    assert as_tuples(half.output()) == as_tuples(whole.output())
    assert half.output().event_digests == whole.output().event_digests
