"""How long a series takes to settle."""

from __future__ import annotations

import numpy as np
import pytest

from simulation.experiment.warm_up import mser5


def by_the_book(values: list[float]) -> int | None:
    """White, Cobb & Spratt: the cut with the least standard error of the mean of the rest, squared."""
    batches = [sum(values[at : at + 5]) / 5 for at in range(0, len(values) - 4, 5)]
    best, least = 0, float("inf")
    for cut in range(len(batches) - 4):
        rest = batches[cut:]
        middle = sum(rest) / len(rest)
        error = sum((value - middle) ** 2 for value in rest) / len(rest) ** 2
        if error < least:
            best, least = cut, error
    return best * 5 if best <= len(batches) / 2 and best < len(batches) - 5 else None


@pytest.mark.parametrize("settles_at", [0, 5, 12, 20])
def test_what_has_not_settled_is_left_out(settles_at: int) -> None:
    noise = np.random.default_rng(3).normal(0, 1, 60)
    series = 100 + noise + np.where(np.arange(60) < settles_at, 40, 0)
    asked = mser5(series)
    assert asked is not None
    assert settles_at <= asked <= settles_at + 10


def test_it_is_the_published_rule() -> None:
    luck = np.random.default_rng(4)
    told = 0
    for _ in range(200):
        series = (luck.normal(0, 1, 47).cumsum() * luck.choice([0, 0.2]) + luck.normal(0, 1, 47)).tolist()
        assert mser5(series) == by_the_book(series)
        told += mser5(series) is not None
    assert 20 < told < 200


def test_a_run_too_short_says_so() -> None:
    assert mser5([3.0] * 29) is None
    assert mser5([3.0] * 30) == 0


def test_what_never_settles_cannot_be_told() -> None:
    for months in (30, 45, 60, 200):
        assert mser5(np.arange(float(months))) is None


def test_a_measure_without_a_value_in_some_month_cannot_be_told() -> None:
    assert mser5([*([1.0] * 40), float("nan"), *([1.0] * 9)]) is None
