"""Where a noisy curve crosses a value, and whether it has a knee: problems whose answer is known."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable

import numpy as np
import pytest

from simulation.experiment.crossing import Crossing, crossings, not_rejected, refine, tolerance_for
from simulation.experiment.knee import BENT, KNEE, STRAIGHT, UNKNOWN, shape
from simulation.experiment.levers import Lever
from simulation.experiment.threshold_tables import Target, sentence_of
from simulation.measures.registry import MEASURE_BY_NAME

Floats = np.ndarray
Curve = Callable[[Floats], Floats]


class Problem:
    """A curve known only through replications, which share their luck over the lever but for a little of their own."""

    def __init__(self, curve: Curve, replications: int, seed: int, lift: float = 1.0, own: float = 0.1) -> None:
        self.curve = curve
        luck = np.random.default_rng(seed)
        self._lift = lift * luck.standard_normal(replications)
        self._tilt = 0.3 * lift * luck.standard_normal(replications)
        self._own, self._seed = own, seed
        self.known: dict[float, Floats] = {}

    def at(self, value: float) -> Floats:
        """One value a replication; asked again, the same."""
        if value not in self.known:
            luck = np.random.default_rng([self._seed, int(value * 2**40)])
            noise = self._lift + self._tilt * value + self._own * luck.standard_normal(self._lift.size)
            self.known[value] = self.curve(np.array(value)) + noise
        return self.known[value]

    def found(self, points: int, wanted: float, most: int = 3) -> list[Crossing]:
        """The whole search, as the study makes it: a grid, then values near each crossing."""

        def all_known() -> list[Crossing]:
            lever = sorted(self.known)
            return crossings(lever, np.array([self.known[value] - wanted for value in lever]))

        for value in np.linspace(0, 4, points):
            self.at(float(value))
        for each in all_known():
            refine(lambda value: float(self.at(value).mean() - wanted), each, tolerance_for(each, 4), most)
        return all_known()


def test_a_straight_line_is_crossed_where_it_is() -> None:
    lever = [0.0, 1.0, 3.0, 4.0]
    gaps = np.array([[value - 2.5, value - 2.5] for value in lever])
    (found,) = crossings(lever, gaps)
    assert found == Crossing(2.5, 2.5, 2.5, False, False, True, 1.0, 3.0)


def test_the_interval_is_that_of_student_where_curves_are_parallel() -> None:
    lifts = np.array([-0.3, 0.1, 0.4, -0.1, -0.1])
    lever = np.linspace(0, 4, 5)
    (found,) = crossings(lever, 2 * lever[:, None] - 5 + lifts)
    half = 2.776445 * lifts.std(ddof=1) / math.sqrt(5) / 2
    assert found.at == pytest.approx(2.5)
    assert (found.low, found.high) == pytest.approx((2.5 - half, 2.5 + half), abs=1e-6)
    assert not found.low_open and not found.high_open


def test_the_interval_is_where_the_band_holds_the_value() -> None:
    luck = np.random.default_rng(3)
    lever = np.linspace(0, 4, 5)
    gaps = np.sin(lever)[:, None] - 0.2 + 0.1 * luck.standard_normal((5, 4))
    parts = not_rejected(lever, gaps)
    for value in np.linspace(0, 4, 801):
        each = np.array([np.interp(value, lever, gaps[:, run]) for run in range(4)])
        ratio = abs(each.mean()) / (each.std(ddof=1) / 2)
        inside = any(low <= value <= high for low, high in parts)
        assert inside == (ratio <= 3.182446305), value


@pytest.mark.parametrize("wanted", [-1.0, 5.0])
def test_a_value_never_reached_has_no_crossing(wanted: float) -> None:
    lever = np.linspace(0, 4, 5)
    assert crossings(lever, np.repeat(lever[:, None], 3, axis=1) - wanted) == []


def test_every_crossing_of_a_curve_that_turns_is_reported() -> None:
    lever = np.linspace(0, 4, 9)
    gaps = (lever - 1) * (3 - lever)
    found = crossings(lever, gaps[:, None] + np.array([-0.01, 0.0, 0.01]))
    assert [each.at for each in found] == pytest.approx([1, 3])
    assert [each.rising for each in found] == [True, False]
    assert not any(each.shared for each in found)


def test_two_crossings_in_one_interval_are_said_to_be_so() -> None:
    lever = np.linspace(0, 4, 9)
    gaps = 0.05 - (lever - 2) ** 2
    found = crossings(lever, gaps[:, None] + np.array([-0.5, 0.0, 0.5]))
    assert len(found) == 2 and all(each.shared for each in found)
    assert found[0].low == found[1].low and found[0].high == found[1].high


def test_wiggles_within_an_interval_are_one_crossing() -> None:
    lever = [0.0, 1.9, 2.0, 2.1, 4.0]
    gaps = np.array([-2.0, -0.01, 0.01, -0.005, 2.0])
    found = crossings(lever, gaps[:, None] + np.array([-0.3, 0.0, 0.3]))
    assert len(found) == 1 and found[0].rising and not found[0].shared
    assert found[0].low < 1.9 and found[0].high > 2.1


def test_an_interval_that_leaves_the_range_says_so() -> None:
    lever = np.linspace(0, 4, 5)
    (found,) = crossings(lever, 0.5 * lever[:, None] - 1.9 + np.array([-0.4, 0.1, 0.3]))
    assert found.high_open and found.high == 4 and not found.low_open


def test_one_replication_has_no_interval() -> None:
    (found,) = crossings([0.0, 1.0], np.array([[-1.0], [3.0]]))
    assert found.at == 0.25 and math.isnan(found.low) and math.isnan(found.high)


def test_a_value_met_exactly_is_one_crossing() -> None:
    lever = [0.0, 1.0, 2.0]
    (found,) = crossings(lever, np.array([[-1.0, -1.5], [0.0, 0.0], [1.0, 1.5]]))
    assert found.at == 1.0 and found.rising


def test_values_must_rise() -> None:
    with pytest.raises(ValueError, match="must rise"):
        crossings([1.0, 0.0], np.zeros((2, 2)))


def test_refining_closes_in_on_the_root() -> None:
    problem = Problem(lambda value: np.exp(value), 1, seed=1, lift=0.0, own=0.0)
    (rough,) = [each for each in problem.found(3, 30.0, most=0)]
    (close,) = problem.found(3, 30.0, most=6)
    assert abs(close.at - math.log(30)) < 0.01 < abs(rough.at - math.log(30))
    assert len(problem.known) <= 3 + 6


@pytest.mark.parametrize(
    ("curve", "root", "replications"),
    [
        (lambda value: 2 * value - 4.6, 2.3, 5),
        (lambda value: value**2 - 7.29, 2.7, 5),
        (lambda value: 6 / (1 + np.exp(-2 * (value - 1.6))) - 3, 1.6, 3),
    ],
    ids=["line", "parabola", "s-shaped"],
)
def test_intervals_hold_the_true_root_as_often_as_they_say(curve: Curve, root: float, replications: int) -> None:
    # 2,000 problems: of intervals that cover 95% between 93.5% and 96.5% would hold the root but once in 500 tests.
    problems, held = 2000, 0
    for seed in range(problems):
        found = Problem(curve, replications, seed, lift=0.4).found(7, 0.0)
        held += any(each.low <= root <= each.high for each in found)
    assert 0.93 <= held / problems <= 0.97


def test_a_knee_is_found_where_it_is() -> None:
    lever = np.linspace(0, 4, 9)
    curve = 1 + 0.5 * lever + 3 * np.maximum(0, lever - 2.4)
    luck = np.random.default_rng(5)
    values = curve[:, None] + luck.standard_normal(5) + 0.05 * luck.standard_normal((9, 5))
    found = shape(lever, values)
    assert found.kind == KNEE
    assert found.at == pytest.approx(2.4, abs=0.1)
    assert found.low < 2.4 < found.high and found.high - found.low < 0.6
    assert (found.slope_before, found.slope_after) == pytest.approx((0.5, 3.5), abs=0.15)


def test_a_line_and_an_even_bend_have_no_knee() -> None:
    lever = np.linspace(0, 4, 9)
    luck = np.random.default_rng(6)
    noise = luck.standard_normal(5) + luck.standard_normal(5) * lever[:, None] + 0.05 * luck.standard_normal((9, 5))
    assert shape(lever, 2 * lever[:, None] + noise).kind == STRAIGHT
    assert shape(lever, lever[:, None] ** 2 + noise).kind == BENT
    assert shape(lever, np.repeat(lever[:, None], 5, axis=1)).kind == STRAIGHT


def test_too_little_is_no_shape() -> None:
    assert shape(np.arange(4.0), np.zeros((4, 3))).kind == UNKNOWN
    assert shape(np.arange(9.0), np.zeros((9, 1))).kind == UNKNOWN


SMOOTH = {
    "square root": np.sqrt,
    "exponential": lambda z: np.exp(2 * z),
    "queue": lambda z: 1 / (1.2 - z),
    "s-shaped": lambda z: 1 / (1 + np.exp(-10 * (z - 0.5))),
    "cubic": lambda z: 4 * (z - 0.5) ** 3,
}


@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize(("noise", "most"), [(0.02, 0.02), (0.1, 0.3), (0.3, 0.2)])
def test_a_smooth_curve_is_rarely_said_to_have_a_knee(name: str, noise: float, most: float) -> None:
    """Of 150 studies. With judgement by a parabola alone, most of these curves had one nearly always."""
    z = np.linspace(0, 1, 8)
    wrong = 0
    for seed in range(150):
        luck = np.random.default_rng(seed)
        values = SMOOTH[name](z)[:, None] + luck.standard_normal(5) + noise * luck.standard_normal((8, 5))
        wrong += shape(z, values).kind == KNEE
    assert wrong / 150 <= most


@pytest.mark.parametrize(("change", "noise"), [(3.0, 0.2), (3.0, 0.05), (1.5, 0.4), (10.0, 0.1)])
def test_knees_are_rarely_seen_in_lines_and_their_intervals_hold_them(change: float, noise: float) -> None:
    """Of 300 studies, with strong knees and weak ones."""
    lever = np.linspace(0, 4, 9)
    wrong = held = seen = 0
    for seed in range(300):
        luck = np.random.default_rng(seed)
        around = luck.standard_normal(5) + noise * luck.standard_normal((9, 5))
        wrong += shape(lever, 2 * lever[:, None] + around).kind == KNEE
        found = shape(lever, lever[:, None] + change * np.maximum(0, lever[:, None] - 2.2) + around)
        seen += found.kind == KNEE
        held += found.kind == KNEE and found.low <= 2.2 <= found.high
        assert found.kind != KNEE or found.high - found.low > 0
    assert wrong / 300 < 0.05
    assert seen / 300 > (0.9 if change / noise > 10 else 0.5)
    assert 0.93 <= held / seen <= 0.995


def test_what_chance_does_not_rule_out_elsewhere_is_said() -> None:
    """Two places may be where the value is passed: one where the mean passes it, one where it comes near."""
    lever = Lever("some.lever", "A lever", "number", 0.0, 4.0, False, dt.date(2018, 7, 1))
    spread = np.array([-0.3, 0.0, 0.3])
    values = {float(place): mean + spread for place, mean in enumerate((-0.05, -1.0, -2.0, -1.0, 1.0))}
    words = sentence_of(lever, MEASURE_BY_NAME["recalls_year"], Target("level", 0.0), "baseline", values, np.zeros(3))
    assert re.search(r"past .* where some.lever is 3\.5", words), words
    assert re.search(r"Chance doesn't rule it out from 0.00 to 0\.\d+ either\.", words), words

