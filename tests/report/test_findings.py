"""Sentences and titles: exact words for small cases."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from simulation.measures.registry import MEASURE_BY_NAME, MEASURES, Measure
from simulation.report import findings as words
from simulation.report.wording import number, places

RECALLS = MEASURE_BY_NAME["recalls_year"]
OVERLOAD = MEASURE_BY_NAME["officers_over_110_share"]
WAIT = MEASURE_BY_NAME["first_appointment_wait"]
PRISON = MEASURE_BY_NAME["prison_sentenced"]


def row(
    difference: float, low: float | None, high: float | None, baseline: float = 1000.0, **more: Any
) -> dict:
    return {
        "difference": difference,
        "low": low,
        "high": high,
        "baseline": baseline,
        "value": baseline + difference,
        "replications": 5,
        **more,
    }


def test_a_clear_fall_says_size_interval_and_both_levels() -> None:
    found = words.finding(RECALLS, row(-750, -1000, -500, 21_900))
    assert found.text == (
        "Licence recalls would be 3.4% lower (between 2.3% and 4.6% lower): "
        "21,150 recalls a year instead of 21,900."
    )
    assert found.status == "improves"
    assert found.clear


def test_a_share_changes_by_percentage_points() -> None:
    found = words.finding(OVERLOAD, row(2.3, 1.1, 3.5, 22.4))
    assert found.text == (
        "The share of officers above 110% of capacity would be 2.3 percentage points higher "
        "(between 1.1 and 3.5 percentage points higher): 24.7% instead of 22.4%."
    )
    assert found.status == "worsens"


def test_a_wait_gets_longer_not_higher() -> None:
    text = words.finding(WAIT, row(0.36, 0.2, 0.52, 6.7)).text
    assert "would be 0.36 days longer (between 0.20 and 0.52 days longer)" in text


def test_an_interval_that_spans_zero_is_too_close_to_call() -> None:
    found = words.finding(RECALLS, row(20, -300, 340, 20_000))
    assert found.text == "Licence recalls: too close to call (between 1.5% lower and 1.7% higher)."
    assert not found.clear


@pytest.mark.parametrize(("low", "high"), [(0.0, 500.0), (-500.0, 0.0)])
def test_an_interval_that_ends_at_zero_is_too_close_to_call(low: float, high: float) -> None:
    found = words.finding(RECALLS, row((low + high) / 2, low, high, 20_000))
    assert found.status == "too close to call"
    assert "no change" in found.text


def test_an_unclear_difference_that_must_be_small_says_so() -> None:
    found = words.finding(RECALLS, row(2, -30, 34, 20_000))
    assert found.text == "Licence recalls: too close to call, and small (at most 0.17% either way)."


def test_one_run_gives_a_size_and_says_that_chance_is_in_it() -> None:
    found = words.finding(RECALLS, row(-750, None, None, 21_900, replications=1))
    assert found.status == "single run"
    assert found.text == (
        "Licence recalls would be 3.4% lower in the single run made: 21,150 recalls a year instead of "
        "21,900; one run cannot show how much of that is chance."
    )
    assert "single run" not in words.tally([found])
    assert words.tally([found]).startswith("Only one run")


def test_no_difference_in_any_run() -> None:
    assert words.finding(RECALLS, row(0, 0, 0)).text == "Licence recalls: no difference in any run."
    alone = words.finding(RECALLS, row(0, None, None, replications=1))
    assert alone.text == "Licence recalls: no difference in the single run."


def test_the_same_difference_in_every_pair() -> None:
    assert "(the same in every pair)" in words.finding(RECALLS, row(50, 50, 50)).text


def test_a_baseline_of_zero_is_told_in_the_unit_of_the_measure() -> None:
    found = words.finding(MEASURE_BY_NAME["hdc_population"], row(12, 8, 16, 0.0))
    assert found.relative is None
    assert "would be 12.0 people more (between 8.0 and 16.0 people more)" in found.text


def test_a_measure_without_a_better_side_only_changes() -> None:
    assert words.status_of(PRISON, row(-50, -70, -30)) == "changes"


def test_missing_measures_are_left_out() -> None:
    rows = {
        "recalls_year": row(-750, -1000, -500, 21_900),
        "first_appointment_wait": row(1, 0, 2) | {"difference": None},
    }
    found = words.findings_of([RECALLS, WAIT, PRISON], rows)
    assert [item.measure.name for item in found] == ["recalls_year"]
    assert words.tally([]) == "None of the measures declared in advance could be compared."
    assert words.largest([]) is None


def test_the_tally_counts_every_measure() -> None:
    found = [
        words.finding(RECALLS, row(-750, -1000, -500, 21_900)),
        words.finding(OVERLOAD, row(2.3, 1.1, 3.5, 22.4)),
        words.finding(PRISON, row(-50, -70, -30)),
        words.finding(WAIT, row(0.1, -1, 1.2, 6.7)),
    ]
    assert words.tally(found) == (
        "Of the four measures declared in advance, one would improve, one would get worse, "
        "one would change, neither better nor worse and one is too close to call."
    )
    assert words.tally(found[3:] * 2) == "Both measures declared in advance are too close to call."
    largest = words.largest(found)
    assert largest is not None
    assert largest.measure is OVERLOAD


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.name)
@pytest.mark.parametrize(
    "numbers", [(-3.0, -4.0, -2.0), (3.0, 2.0, 4.0), (0.1, -2.0, 2.2), (1.0, None, None), (0.0, 0.0, 0.0)]
)
def test_every_measure_makes_a_plain_sentence(
    measure: Measure, numbers: tuple[float, float | None, float | None]
) -> None:
    text = words.finding(measure, row(*numbers, baseline=20.0)).text
    assert text.endswith(".")
    assert text[0].isupper()
    # Words that have a hyphen of their own; any other would be a minus sign badly set.
    for word in ("per-year", "person-", "case-", "officer-", "face-to-face", "Face-to-face", "post-sentence"):
        text = text.replace(word, word.replace("-", "_"))
    for unwanted in ("significant", "nan", "None", "  ", "-", "()"):
        assert unwanted not in text, unwanted


def worst(difference: float, low: float, high: float, **more: Any) -> dict:
    return {"worst_tenth_difference": difference, "worst_tenth_low": low, "worst_tenth_high": high, **more}


def test_a_loser_beside_a_winning_country_is_named() -> None:
    gains = row(-2, -3, -1, 20.0)
    assert (
        words.worst_tenth_reading(OVERLOAD, gains | worst(1, 0.5, 1.5)) == "worse, though the country gains"
    )
    assert words.worst_tenth_reading(OVERLOAD, gains | worst(-1, -1.5, -0.5)) == "better"
    assert words.worst_tenth_reading(OVERLOAD, gains | worst(0.1, -1, 1.2)) == "too close to call"
    assert words.worst_tenth_reading(PRISON, row(1, 0.5, 2) | worst(1, 0.5, 1.5)) == ""
    text = words.losers([OVERLOAD], {OVERLOAD.name: gains | worst(1, 0.5, 1.5, areas=42, areas_worse=3)})
    assert text == (
        "Who loses: the worst-off tenth of areas would get worse while the country gains on officers above "
        "110% of capacity; three of 42 areas would clearly get worse on officers above 110% of capacity."
    )
    assert words.losers([OVERLOAD], {OVERLOAD.name: gains}) == ""


def test_titles_keep_their_finding_within_fifteen_words() -> None:
    name = "A very long title of a scenario that goes on and on without ever coming to its point"
    found = [
        words.finding(RECALLS, row(-750, -1000, -500, 21_900)),
        words.finding(WAIT, row(0.1, -1, 1.2, 6.7)),
    ]
    title = words.headline_title(name, found)
    assert len(title.split()) <= words.TITLE_WORDS
    assert title.endswith(": 1 better, 1 too close to call")
    for measure in MEASURES:
        for numbers in ((-3.0, -4.0, -2.0), (0.1, -2.0, 2.2), (1.0, None, None)):
            title = words.path_title(measure, row(*numbers, baseline=20.0))
            assert len(title.split()) <= words.TITLE_WORDS


def test_a_distribution_is_titled_by_the_share_beyond_its_threshold() -> None:
    frame = pl.DataFrame(
        {
            "scenario": ["base", "base", "new", "new"],
            "band": [45, 50, 45, 50],
            "share": [0.7, 0.3, 0.8, 0.2],
        }
    )
    titles = {"base": "Baseline", "new": "One service"}
    title = words.distribution_title("officers_by_cases", frame, "base", titles)
    assert title == "Officers with 50 or more cases: 30.0%, or 20.0% with one service"


def test_at_most_three_caveats_with_the_studys_own_numbers() -> None:
    levels = pl.DataFrame({"role": ["produced", "produced", "input"], "within": [True, False, True]})
    caveats = words.caveats(levels, 5, 1)
    assert len(caveats) == 3
    assert "1 of the 2 published figures" in caveats[0]
    assert "five pairs of runs" in caveats[1]
    assert "One pair of runs" in words.caveats(levels.clear(), 1, 1)[1]


def test_numbers_have_a_true_minus_and_no_negative_zero() -> None:
    assert number(-0.04, 1) == "0.0"
    assert number(-1234.5, 0) == "−1,234"
    assert number(float("nan")) == "not available"
    assert (places(0), places(250), places(3), places(0.2), places(0.02), places(0.002)) == (0, 0, 1, 2, 3, 4)
