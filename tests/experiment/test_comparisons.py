"""Many scenarios at once: simultaneous intervals, ranks and the probability of being best, against known answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from scipy import stats

from simulation.experiment import Study
from simulation.experiment.comparisons import (
    COMPARISONS_SCHEMA,
    _among_all,
    holm,
    probability_best,
    ranks,
    simultaneous,
)
from simulation.measures.registry import HEADLINES, MEASURE_BY_NAME
from simulation.scenario import Resolved

MakeScenario = Callable[..., Resolved]
MakeStudy = Callable[..., Study]

STUDIES = 4_000
"""Studies simulated: a share near 95% has a standard error of 0.0034."""

LEVELS = np.array([10.0, 10.3, 10.6, 9.7, 12.0])
"""True levels of a baseline and four scenarios; shared luck has a standard deviation of 2, their own 0.3 to 1."""


def simulated(levels: np.ndarray, pairs: int, skewed: bool = False, seed: int = 3) -> np.ndarray:
    """Runs of many studies with luck partly shared: shape (studies, scenarios, replications)."""
    random = np.random.default_rng(seed)
    shared = 2 * random.standard_normal((STUDIES, 1, pairs))
    shape = (STUDIES, len(levels), pairs)
    own = (random.gamma(9, 1, shape) - 9) / 3 if skewed else random.standard_normal(shape)
    return levels[:, None] + shared + np.linspace(0.3, 1.0, len(levels))[:, None] * own


@pytest.mark.parametrize("skewed", [False, True])
@pytest.mark.parametrize("pairs", [5, 20])
def test_simultaneous_intervals_hold_the_truth_together(pairs: int, skewed: bool) -> None:
    """In 95% of studies (less four standard errors, and half a point where luck is skewed) all four are right."""
    runs = simulated(LEVELS, pairs, skewed)
    found = simultaneous(np.broadcast_to(runs[:, :1], runs[:, 1:].shape), runs[:, 1:])
    truth = LEVELS[1:] - LEVELS[0]
    right = (found["simultaneous_low"] <= truth) & (truth <= found["simultaneous_high"])
    together = right.all(axis=-1).mean()
    assert together >= 0.95 - 4 * 0.0034 - 0.005 * skewed
    # Bonferroni's are too wide, but not by much.
    assert together < 0.985
    single = (found["low"] <= truth) & (truth <= found["high"])
    assert single.all(axis=-1).mean() < 0.9
    assert 0.93 <= single.mean() <= 0.97


def test_adjusted_tests_are_wrong_at_most_once_in_twenty_studies() -> None:
    """Three of four scenarios change nothing: in at most 5% of studies (and four standard errors) one seems to."""
    runs = simulated(np.array([10.0, 10.0, 10.0, 10.0, 12.0]), 10)
    found = simultaneous(np.broadcast_to(runs[:, :1], runs[:, 1:].shape), runs[:, 1:])
    wrong = (found["adjusted_p"][:, :3] <= 0.05).any(axis=-1).mean()
    assert wrong <= 0.05 + 4 * 0.0034
    assert (found["p"][:, :3] <= 0.05).any(axis=-1).mean() > 0.08
    assert (found["adjusted_p"][:, 3] <= 0.05).mean() > 0.9
    # The same P values as SciPy's paired t test.
    expected = stats.ttest_rel(runs[7, 1:], np.broadcast_to(runs[7, :1], runs[7, 1:].shape), axis=-1).pvalue
    assert found["p"][7] == pytest.approx(expected)


def test_holm_worked_by_hand() -> None:
    # 0.01 x 4, then 0.02 x 3, then 0.03 x 2 which may not be below the one before, then 0.9 x 1.
    assert holm(np.array([0.03, 0.9, 0.01, 0.02])) == pytest.approx([0.06, 0.9, 0.04, 0.06])
    assert holm(np.array([[0.4, 0.5, 0.6]])) == pytest.approx(np.array([[1.0, 1.0, 1.0]]))


def test_no_difference_and_a_constant_one() -> None:
    base = np.array([[1.0, 2.0, 3.0]] * 2)
    found = simultaneous(base, np.array([[1.0, 2.0, 3.0], [2.0, 3.0, 4.0]]))
    assert found["p"].tolist() == [1.0, 0.0]
    assert found["simultaneous_low"].tolist() == found["simultaneous_high"].tolist() == [0.0, 1.0]


@pytest.mark.parametrize("pairs", [5, 20])
def test_ranks_and_distances_to_the_best_hold_the_truth_together(pairs: int) -> None:
    runs = simulated(LEVELS, pairs)
    found = ranks(runs)
    true_rank = np.array([2, 3, 4, 1, 5])
    right = ((found["rank_low"] <= true_rank) & (true_rank <= found["rank_high"])).all(axis=-1)
    assert right.mean() >= 0.95 - 4 * 0.0034
    true_gap = np.array([LEVELS[i] - np.delete(LEVELS, i).min() for i in range(len(LEVELS))])
    inside = ((found["gap_low"] <= true_gap) & (true_gap <= found["gap_high"])).all(axis=-1)
    assert inside.mean() >= 0.95 - 4 * 0.0034
    # They say something too: with twenty pairs the worst is known in most studies, with five in few.
    known = (found["rank_low"][:, 4] == 5).mean()
    assert known > 0.8 if pairs == 20 else known < 0.3


def test_equal_scenarios_are_rarely_told_apart() -> None:
    found = ranks(simulated(np.full(5, 10.0), 10))
    assert ((found["rank_low"] == 1) & (found["rank_high"] == 5)).all(axis=-1).mean() >= 0.95 - 4 * 0.0034


def test_ranks_worked_by_hand() -> None:
    found = ranks(np.array([[3.0, 3.0, 3.0], [1.0, 1.0, 1.0], [2.0, 2.0, 2.0], [1.0, 1.0, 1.0]]))
    assert found["rank"].tolist() == [4, 1, 3, 1]
    assert found["rank_low"].tolist() == [4, 1, 3, 1]
    assert found["rank_high"].tolist() == [4, 2, 3, 2]
    assert found["gap"].tolist() == [2, 0, 1, 0]


def chances(runs: np.ndarray) -> np.ndarray:
    """Probabilities of many studies, a few at a time for the sake of memory."""
    return np.concatenate([probability_best(part) for part in np.array_split(runs, max(1, len(runs) // 50))])


@pytest.mark.parametrize("pairs", [5, 10])
def test_the_probability_of_being_best_means_what_it_says(pairs: int) -> None:
    """Of scenarios with a probability of about p of being best, a share p is.

    1,200 studies of four scenarios whose true levels are spread three times as wide as what the pairs leave open. In
    each band of probabilities the share may miss the mean probability by four standard errors of a share and two
    points, because nothing beforehand is known to the method and a little is to this test.
    """
    random = np.random.default_rng(12)
    studies = 1_200
    truth = random.normal(10, 1.0, (studies, 4))
    runs = truth[..., None] + 2 * random.standard_normal((studies, 1, pairs))
    runs = runs + random.standard_normal((studies, 4, pairs)) * np.sqrt(pairs) / 3
    stated = chances(runs)
    assert stated.sum(axis=-1) == pytest.approx(np.ones(studies))
    best = truth == truth.min(axis=-1, keepdims=True)
    counted = 0
    for low, high in ((0.0, 0.05), (0.05, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 0.8), (0.8, 0.95), (0.95, 1.01)):
        band = (low <= stated) & (stated < high)
        said, was = stated[band].mean(), best[band].mean()
        error = np.sqrt(max(said * (1 - said), 0.001) / band.sum())
        assert abs(was - said) <= 4 * error + 0.02, (low, said, was, band.sum())
        counted += band.sum() > 50
    assert counted == 7


def test_of_two_it_is_the_one_sided_paired_test() -> None:
    runs = simulated(np.array([10.0, 10.2]), 6)[:40]
    expected = stats.ttest_rel(runs[:, 0], runs[:, 1], axis=-1, alternative="less").pvalue
    assert chances(runs)[:, 0] == pytest.approx(1 - expected, abs=4 * 0.005)


def test_the_wrong_one_is_rarely_said_to_be_best() -> None:
    """A probability above 95% for the worse of two: in one study of twenty, where they are as good as alike."""
    runs = simulated(np.array([10.0, 10.001]), 6)[:2_000]
    wrong = (chances(runs)[:, 1] > 0.95).mean()
    assert wrong == pytest.approx(0.05, abs=4 * 0.005)


def test_probabilities_are_shared_by_equals_and_empty_where_nothing_was_counted() -> None:
    same = np.array([4.1, 5.7, 6.3, 4.4])
    runs = np.array([[same, same + 50, same, same * (1 + 1e-16)], [same, same, same, [1, np.nan, 1, 1]]])
    found = probability_best(runs)
    assert found[0] == pytest.approx([1 / 3, 0, 1 / 3, 1 / 3])
    assert np.isnan(found[1]).all()
    assert (probability_best(runs)[0] == found[0]).all()


def test_more_is_better_for_some_measures() -> None:
    measure = next(each for each in MEASURE_BY_NAME.values() if each.better == "higher")
    levels = np.array([[1.0, 2.0, 3.0, 2.0], [31.0, 33.0, 33.0, 32.0], [21.0, 22.0, 24.0, 22.0]])
    rows = _among_all(measure, levels, np.array([0.0, 1.0, 0.0]))
    assert [row["rank"] for row in rows] == [3, 1, 2]
    assert rows[1]["from_best"] == pytest.approx(10.0)
    assert rows[0]["from_best"] == pytest.approx(-30.25)
    assert all(row["from_best_low"] <= row["from_best"] <= row["from_best_high"] for row in rows)


def test_a_study_of_several_scenarios_compares_them_all(make_study: MakeStudy, make_scenario: MakeScenario) -> None:
    late = make_scenario("late", 80, impact=dt.date(2017, 7, 1))
    result = make_study(make_scenario("base"), make_scenario("more", 50), late, replications=4).run(quiet=True)
    table = result.comparisons
    assert dict(table.schema) == COMPARISONS_SCHEMA
    assert table.height == 3 * len(HEADLINES)
    assert "comparisons.csv" in result.manifest["outputs"]
    # All over the months in which every scenario is under way.
    assert set(table["first_month"]) == {"2017-07"} and set(table["window"]) == {"to end"}
    recalls = {row["scenario"]: row for row in table.filter(pl.col("measure") == "recalls_year").to_dicts()}
    assert recalls["late"]["difference"] == pytest.approx(2 * 80 * 6 * 365.25 / 184)
    assert [recalls[name]["rank"] for name in ("base", "more", "late")] == [1, 2, 3]
    assert [recalls[name]["probability_best"] for name in ("base", "more", "late")] == [1, 0, 0]
    assert recalls["base"]["difference"] is None and recalls["base"]["p"] is None
    prisoners = table.filter(pl.col("measure") == "prison_sentenced")
    assert prisoners["rank"].is_null().all() and prisoners["difference"].null_count() == 1
    # A scenario with its own window is compared there in differences.csv, and here over the months of all.
    alone = make_study(make_scenario("base"), late, replications=4, out="alone").run(quiet=True)
    unseen = alone.headlines.filter(pl.col("measure") == "unseen_share").to_dicts()[0]
    here = table.filter((pl.col("measure") == "unseen_share") & (pl.col("scenario") == "late")).to_dicts()[0]
    for name in ("difference", "low", "high"):
        assert here[name] == unseen[name]
    assert here["simultaneous_low"] < here["low"] and here["high"] < here["simultaneous_high"]


def test_nothing_is_compared_at_once_without_several_scenarios_or_pairs(
    make_study: MakeStudy, make_scenario: MakeScenario
) -> None:
    scenarios = (make_scenario("base"), make_scenario("more", 50), make_scenario("less", -50))
    first = make_study(*scenarios, replications=2).run(quiet=True)
    assert (first.folder / "comparisons.csv").is_file()
    second = make_study(*scenarios, replications=1, replace=True).run(quiet=True)
    assert not (second.folder / "comparisons.csv").exists() and second.comparisons.is_empty()
    pair = make_study(*scenarios[:2], out="pair").run(quiet=True)
    assert not (pair.folder / "comparisons.csv").exists()
