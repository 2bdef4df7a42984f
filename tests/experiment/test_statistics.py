"""Intervals and ratios, against figures worked by hand and against their promised error rate."""

from __future__ import annotations

import numpy as np
import pytest

from simulation.experiment.differences import _worst
from simulation.experiment.statistics import paired_difference, variance_ratio, worst_tenth
from simulation.measures.registry import HEADLINES, MEASURE_BY_NAME


def test_a_paired_difference_worked_by_hand() -> None:
    # Differences 1, 2, 3, 4, 5: mean 3, standard deviation 1.5811, error 0.70711, t(4) 2.776445.
    baseline = np.array([[10.0, 10.0, 10.0, 10.0, 10.0]])
    result = paired_difference(baseline, baseline + np.array([1.0, 2.0, 3.0, 4.0, 5.0]))
    assert result.mean[0] == 3.0
    assert result.standard_error[0] == pytest.approx(0.7071068)
    assert result.low[0] == pytest.approx(3 - 2.776445 * 0.7071068, abs=1e-6)
    assert result.high[0] == pytest.approx(3 + 2.776445 * 0.7071068, abs=1e-6)
    assert result.agree[0] == 5


def test_agreement_counts_pairs_with_the_sign_of_the_mean() -> None:
    baseline = np.zeros((3, 4))
    scenario = np.array([[5.0, 5.0, -1.0, 0.0], [-5.0, -5.0, 1.0, -2.0], [0.0, 0.0, 0.0, 0.0]])
    assert paired_difference(baseline, scenario).agree.tolist() == [2, 3, 4]


def test_equal_differences_have_an_interval_of_no_width() -> None:
    # 0.1 has no exact binary form: an ordinary standard deviation of five of them is not quite zero.
    result = paired_difference(np.zeros((1, 5)), np.full((1, 5), 0.1))
    assert result.standard_error[0] == 0
    assert result.low[0] == result.high[0] == pytest.approx(0.1)


def test_rounding_errors_are_no_variation() -> None:
    baseline = np.array([[754_095.1, 754_812.3, 753_001.7]]) * 365.25 / 275
    scenario = (np.array([[754_095.1, 754_812.3, 753_001.7]]) + 0.3) * 365.25 / 275
    assert paired_difference(baseline, scenario).standard_error[0] == 0
    assert np.isinf(variance_ratio(baseline, scenario).ratio[0])


def test_one_pair_has_no_interval() -> None:
    result = paired_difference(np.array([[1.0]]), np.array([[3.0]]))
    assert result.mean[0] == 2
    assert np.isnan([result.low[0], result.high[0], result.standard_error[0]]).all()


def test_a_missing_value_leaves_the_difference_unknown() -> None:
    result = paired_difference(np.array([[1.0, np.nan, 1.0]]), np.array([[2.0, 2.0, 2.0]]))
    assert np.isnan(result.mean[0])
    assert result.agree[0] == 0


def test_a_variance_ratio_worked_by_hand() -> None:
    # var b = var s = 2.5 and differences 0, 1, 0, 1, 0 with variance 0.3: (2.5 + 3.3) / 0.3.
    baseline = np.array([[1.0, 2.0, 3.0, 4.0, 5.0]])
    scenario = baseline + np.array([0.0, 1.0, 0.0, 1.0, 0.0])
    expected = (baseline.var(ddof=1) + scenario.var(ddof=1)) / 0.3
    result = variance_ratio(baseline, scenario)
    assert result.ratio[0] == pytest.approx(expected)
    assert 0.5 < result.low[0] < expected < result.high[0]
    # Five pairs say little, and the interval shows it.
    assert result.high[0] / result.low[0] > 50


def test_ratios_that_do_not_exist() -> None:
    baseline = np.array([[1.0, 2.0, 4.0], [3.0, 3.0, 3.0]])
    result = variance_ratio(baseline, baseline + 1)
    # Every pair gives the same difference: pairing gains without limit.
    assert np.isinf(result.ratio[0])
    assert np.isnan([result.low[0], result.high[0]]).all()
    # Nothing varies at all.
    assert np.isnan(result.ratio[1])
    two = variance_ratio(np.array([[1.0, 2.0]]), np.array([[1.0, 3.0]]))
    assert np.isfinite(two.ratio[0])
    assert np.isnan([two.low[0], two.high[0]]).all()
    one = variance_ratio(np.array([[1.0]]), np.array([[1.0]]))
    assert np.isnan(one.ratio[0])


@pytest.mark.parametrize("pairs", [3, 5, 10])
@pytest.mark.parametrize(("shared", "own"), [(1.0, 0.3), (0.0, 1.0), (1.0, 0.05)])
def test_intervals_hold_the_truth_as_often_as_they_say(pairs: int, shared: float, own: float) -> None:
    """95% of intervals hold the true value.

    Of 20,000 normal samples with a fixed seed, the share that does has a standard error of 0.0015; four of
    them (a false alarm once in 16,000 for a fresh seed) is the room allowed.
    """
    samples = 20_000
    random = np.random.default_rng(7)
    luck = random.normal(0, shared, (samples, pairs))
    baseline = luck + random.normal(0, own, (samples, pairs))
    # Another spread in the scenario, so that sums and differences are correlated.
    scenario = 2 + 1.5 * luck + random.normal(0, own, (samples, pairs))
    room = 4 * np.sqrt(0.95 * 0.05 / samples)

    paired = paired_difference(baseline, scenario)
    assert np.mean((paired.low <= 2) & (paired.high >= 2)) == pytest.approx(0.95, abs=room)

    independent = (1 + 1.5**2) * shared**2 + 2 * own**2
    together = 0.5**2 * shared**2 + 2 * own**2
    ratio = variance_ratio(baseline, scenario)
    truth = independent / together
    assert np.mean((ratio.low <= truth) & (ratio.high >= truth)) == pytest.approx(0.95, abs=room)


def test_the_worst_tenth_is_chosen_anew_in_each_replication() -> None:
    top = np.ones((20, 2))
    bottom = np.full((20, 2), 10.0)
    top[3, 0], top[7, 0] = 5, 4  # 50% and 40% in the first replication
    top[19, 1], top[0, 1] = 9, 6
    assert worst_tenth(top, bottom, 100, "lower").tolist() == [45, 75]


def test_the_worst_tenth_of_a_good_thing_is_its_lowest() -> None:
    top = np.arange(10.0, 20.0)[:, None]
    assert worst_tenth(top, np.full((10, 1), 100.0), 100, "higher").tolist() == [10]


def test_the_worst_tenth_needs_ten_areas() -> None:
    assert np.isnan(worst_tenth(np.ones((9, 1)), np.ones((9, 1)), 1, "lower")).all()


def test_an_area_where_nobody_was_counted_is_never_the_worst() -> None:
    top, bottom = np.ones((10, 1)), np.full((10, 1), 2.0)
    top[4], bottom[4] = 0, 0
    assert worst_tenth(top, bottom, 1, "lower").tolist() == [0.5]
    assert np.isnan(worst_tenth(np.zeros((10, 1)), np.zeros((10, 1)), 1, "lower")).all()


def test_the_worst_off_areas_of_a_level_are_found_per_head() -> None:
    """Ten areas of a hundred recalls each; in the last half as many people are on licence, so it is the worst."""

    class Counted:
        def __init__(self, last: float) -> None:
            self.top = np.full((11, 2), 100.0)
            self.top[9] = last

        def parts(self, *_: object) -> tuple[np.ndarray, None]:
            return self.top, None

        def over(self, names: tuple[str, ...], *_: object, scaled: bool) -> np.ndarray:
            assert names == ("caseload_licence",) and not scaled
            bottom = np.full((11, 2), 1000.0)
            bottom[9] = 500
            return bottom

    found = _worst(Counted(100), Counted(90), MEASURE_BY_NAME["recalls_year"], None)  # type: ignore[arg-type]
    assert found["worst_tenth_baseline"] == 20 and found["worst_tenth_value"] == 18
    assert found["worst_tenth_difference"] == -2


def test_every_headline_has_a_worst_off_tenth() -> None:
    for measure in map(MEASURE_BY_NAME.__getitem__, HEADLINES):
        assert measure.denominator or measure.worst_per, measure.name
