"""The twin and the engine tell the same of everybody, day by day."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from twin import slices
from twin.compare import core, differences
from twin.engine import histories
from twin.start import twin_of

YEAR = 365
SEEDS = (1, 2, 3)
SCENARIOS = ("baseline", "hdc_expansion")


def compare(scenario: str, seed: int, values: dict[str, object], days: int, at_least: int) -> None:
    """Run both and fail with the first differences, in plain words."""
    resolved = slices.scenario_of(scenario, values, days)
    morning, told = histories(resolved, seed)
    retold = twin_of(resolved, seed, morning).world.run()
    found = differences(resolved, told, retold)
    assert not found, f"{len(found)} differences; the first:\n" + "\n".join(found[:10])
    assert core(told).total() >= at_least, "hardly anything happened, so nothing was compared"


def test_orders_agree_for_six_weeks() -> None:
    compare("baseline", 1, slices.ORDERS, 42, 2_000)


def test_failures_agree_for_two_months() -> None:
    compare("baseline", 2, slices.FAILURES, 60, 4_000)


def test_custody_agrees_past_the_change_of_policy() -> None:
    """The change is on the 62nd day: curfew for most of those eligible, and papers done early."""
    compare("hdc_expansion", 2, slices.CUSTODY, 80, 10_000)


def test_diaries_agree_past_the_first_case_that_goes_to_the_nps() -> None:
    """Officers with the time that they have: what doesn't fit is put off."""
    compare("baseline", 1, slices.DIARIES, 50, 8_000)


def test_staffing_agrees_for_ten_weeks() -> None:
    """Everything of the core: a post falls vacant on day 20, and others get the cases of somebody ill on day 43."""
    compare("baseline", 1, slices.STAFFING, 70, 12_000)


@pytest.mark.long
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_year_of_staffing_agrees(scenario: str, seed: int) -> None:
    """The slice has the rules of all the others in it."""
    compare(scenario, seed, slices.STAFFING, YEAR, 60_000)


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2])
def test_a_year_of_turnover_agrees(seed: int) -> None:
    """Few officers, who are often ill and often go."""
    compare("baseline", seed, slices.TURNOVER, YEAR, 60_000)


@pytest.mark.long
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_year_of_custody_agrees(scenario: str, seed: int) -> None:
    compare(scenario, seed, slices.CUSTODY, YEAR, 50_000)


@pytest.mark.long
@pytest.mark.parametrize(
    ("scenario", "seed"), [("hdc_expansion", 8), ("hdc_expansion", 10), ("no_short_sentence_supervision", 1)]
)
def test_rare_days_of_a_year_agree(scenario: str, seed: int) -> None:
    """Warrants that outlive supervision, released from the dock on licence, two hearings on a day, no licence after."""
    compare(scenario, seed, slices.CUSTODY, YEAR, 50_000)


@pytest.mark.long
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_year_of_diaries_agrees(scenario: str) -> None:
    compare(scenario, 1, slices.DIARIES, YEAR, 50_000)


@pytest.mark.long
@pytest.mark.parametrize("name", ["ORDERS", "FAILURES"])
def test_a_year_of_a_smaller_slice_agrees(name: str) -> None:
    compare("baseline", 1, getattr(slices, name), YEAR, 15_000)


def test_a_difference_is_told_in_plain_words() -> None:
    resolved = slices.scenario_of("baseline", slices.ORDERS, 5)
    told = [(1, 7, "seen", 0), (1, 8, "seen", 0), (2, 8, "plan is thin", 0)]
    found = differences(resolved, told, [(1, 7, "seen", 0), (3, 8, "seen", 0)])
    assert found == [
        "day 1 (2018-05-02), person 8: only the engine tells 'seen' (0)",
        "day 3 (2018-05-04), person 8: only the twin tells 'seen' (0)",
    ]


def test_the_twin_reads_no_module_of_the_system_but_to_run_it() -> None:
    """Independence: only `engine.py` and `slices.py` may know the engine, and only from outside."""
    allowed = {"engine.py", "slices.py"}
    for file in Path(__file__).parent.glob("*.py"):
        if file.name not in allowed | {Path(__file__).name}:
            assert "simulation.system" not in file.read_text(encoding="utf-8"), file.name
