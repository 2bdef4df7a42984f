"""Payment by results: cohorts, follow-up and verdicts, exactly; and who is paid where nobody does anything."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from simulation.engine import NEVER
from simulation.system import Model
from simulation.system.codes import CRC
from simulation.system.results import FOLLOW_UP, verdicts
from tests.system.system_helpers import request, run, total, totals


def test_a_verdict_needs_more_than_luck() -> None:
    hundred, half = np.full(4, 100), np.full(4, 50_000)
    assert verdicts(hundred, np.array([40, 41, 59, 60]), half, 1.96).tolist() == [1, 0, 0, -1]
    # The same shares of four times the people are told apart better.
    assert verdicts(hundred * 4, np.array([180, 182, 218, 220]), half * 4, 1.96).tolist() == [1, 0, 0, -1]
    assert verdicts(np.array([0]), np.array([0]), np.array([0]), 1.96).tolist() == [0]


def test_with_no_effect_one_in_forty_is_paid_and_one_in_forty_called_worse() -> None:
    """Luck alone, cohorts as large as a company's: 2.5% either way."""
    luck = np.random.default_rng(1).binomial(1200, 0.45, size=20_000)
    found = verdicts(np.full(luck.size, 1200), luck, np.full(luck.size, 540_000), 1.96)
    assert np.mean(found == 1) == pytest.approx(0.025, abs=0.005)
    assert np.mean(found == -1) == pytest.approx(0.025, abs=0.005)
    # A baseline that is two points too high pays a third or so for nothing.
    easy = verdicts(np.full(luck.size, 1200), luck, np.full(luck.size, 565_200), 1.96)
    assert 0.25 < np.mean(easy == 1) < 0.4


@pytest.fixture
def model() -> Iterator[Model]:
    small = Model(request())
    small.run(3)
    yield small


def cohort(model: Model, rows: np.ndarray, started: int, quarter: int = 8071) -> Any:
    results = model.contracts.results
    results.cohorts.keep(np.zeros(results.cohorts.size, dtype=bool))
    results.cohorts.append(rows.size, person=rows, quarter=quarter, started=started, expected=500)
    return results


def test_a_proven_reoffence_within_a_year_of_the_start_counts(model: Model) -> None:
    rows = np.arange(5)
    results = cohort(model, rows, started=10)
    model.service.people.reoffended_on[rows] = [9, 10, 10 + FOLLOW_UP, 11 + FOLLOW_UP, NEVER]
    results.follow_up()
    assert results.cohorts.reoffended[:5].tolist() == [0, 1, 1, 0, 0]
    # What has been counted stays counted, whatever comes later.
    model.service.people.reoffended_on[rows] = 5000
    results.follow_up()
    assert results.cohorts.reoffended[:5].tolist() == [0, 1, 1, 0, 0]


def test_a_verdict_is_given_once_and_pays_for_each_reoffender_fewer(model: Model) -> None:
    area = model.service.resolved.areas[0]
    mine = np.flatnonzero(model.service.people.area[: model.service.people.size] == area)[:100]
    results = cohort(model, mine, started=10)
    results.cohorts.reoffended[:30] = 1
    due = 8071 * 3 + 2 + results.settled_after
    company = np.arange(model.service.areas)
    assert [part.size for part in results.settle(due - 1, company)] == [0, 0]
    # 50 expected, 30 came: 20 fewer at 1,000 pounds.
    areas, pence = results.settle(due, company)
    assert areas.tolist() == [area] and pence.tolist() == [20 * 1000 * 100]
    assert results.cohorts.size == 0
    assert [part.size for part in results.settle(due, company)] == [0, 0]


def test_somebody_enters_a_quarter_once(model: Model) -> None:
    service, results = model.service, model.contracts.results
    results.cohorts.keep(np.zeros(results.cohorts.size, dtype=bool))
    theirs = np.flatnonzero(service.people.side[service.sentences.person[: service.sentences.size]] == CRC)[:50]
    days = np.full(theirs.size, 5, dtype=np.int32)
    for quarter in (9000, 9000, 9001):
        results.enter(theirs, days, quarter)
    people = np.unique(service.sentences.person[theirs])
    assert results.cohorts.size == 2 * people.size
    expected = np.floor(service.people.ogrs[people] * (10 * results.ratio) + 1000 * results.excess)
    assert results.cohorts.expected[: people.size].tolist() == expected.astype(int).tolist()


# --- A year and a quarter -------------------------------------------------------------------------------------------

LONG_ENOUGH = {"start": datetime.date(2016, 7, 1), "end": datetime.date(2017, 10, 31)}
SOON = {"contracts.results_settled_after_months": 13}


def test_an_easy_baseline_is_paid_for_and_a_hard_one_is_not() -> None:
    easy = run(overrides={**SOON, "contracts.results_baseline_excess": 0.3}, **LONG_ENOUGH)
    hard = run(overrides={**SOON, "contracts.results_baseline_excess": -0.3}, **LONG_ENOUGH)
    assert (total(easy, "results_cohorts"), total(easy, "results_wins"), total(easy, "results_losses")) == (1, 1, 0)
    assert (total(hard, "results_cohorts"), total(hard, "results_wins"), total(hard, "results_losses")) == (1, 0, 1)
    assert total(easy, "crc_income_results") > 0 == total(hard, "crc_income_results")
    # Those followed up are those who entered in the quarter, and nothing that is paid changes what they do.
    entered = totals(easy)["results_people"]
    assert total(easy, "results_followed") == sum(entered[month] for month in ("2016-07", "2016-08", "2016-09"))
    assert total(easy, "results_reoffenders") == total(hard, "results_reoffenders") > 0
