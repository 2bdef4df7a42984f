"""Draws: evenly spread, independent of each other, and dependent on nothing but their own name.

Seeds are fixed, so a statistical test passes for ever or never. Each fails if its p-value is below
``ERROR_RATE``: over about 250 p-values, good draws would have failed somewhere with a chance of 1 in 40 when
the tests were first run.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from simulation.engine import Chance
from simulation.engine.chance import inverse_normal, inverse_poisson, minus_log, mix

ERROR_RATE = 1e-4
COUNT = 50_000
SEEDS = [(1, 0), (1, 1), (2, 0), (20180701, 4)]
HERE = Path(__file__).resolve().parent
VECTORS = json.loads((HERE / "vectors.json").read_text(encoding="utf-8"))

# How keys come about in a model: row numbers, packed fields (area, day, index), numbers unlike in high bits.
KEYS = {
    "consecutive": np.arange(COUNT, dtype=np.uint64),
    "packed": (np.arange(COUNT, dtype=np.uint64) % 42 << np.uint64(48))
    | (np.arange(COUNT, dtype=np.uint64) // 42 << np.uint64(16)),
    "high bits": np.arange(COUNT, dtype=np.uint64) << np.uint64(44),
}
SHUFFLER = st.randoms(use_true_random=False)
U64 = st.integers(0, 2**64 - 1)


# --- The numbers themselves


def test_mix_is_the_finaliser_of_splitmix64() -> None:
    """The first outputs of SplitMix64 with seed 1234567, as published with many implementations."""
    golden = 0x9E3779B97F4A7C15
    states = np.array([(1234567 + i * golden) % 2**64 for i in range(1, 6)], dtype=np.uint64)
    assert mix(states).tolist() == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


def reference_bits(seed: int, replication: int, key: int, purpose: str, occurrence: int) -> int:
    """Say again in plain whole numbers what ``Chance.bits`` is."""
    golden, whole = 0x9E3779B97F4A7C15, 2**64

    def finalise(value: int) -> int:
        value %= whole
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 % whole
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB % whole
        return value ^ (value >> 31)

    name = int.from_bytes(hashlib.blake2b(purpose.encode(), digest_size=8).digest(), "little")
    base = finalise(finalise(seed + golden) + replication * golden + 1)
    return finalise(finalise(key * golden + finalise(base ^ name)) + occurrence * 0xD1342543DE82EF95)


@pytest.mark.parametrize("case", VECTORS["vectors"], ids=lambda case: case["bits"])
def test_published_vectors(case: dict) -> None:
    name = {field: case[field] for field in ("seed", "replication", "key", "purpose", "occurrence")}
    assert f"{reference_bits(**name):016x}" == case["bits"]
    assert (int(case["bits"], 16) >> 11) / 2**53 == float.fromhex(case["uniform"])
    sys.path.insert(0, str(HERE))
    from make_vectors import vector

    assert vector(**name) == case


def test_same_bytes_without_the_special_instructions_of_this_processor() -> None:
    """What numpy does with wider registers must not show."""
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    extra = [feature for feature in __cpu_dispatch__ if __cpu_features__[feature]]
    if not extra:
        pytest.skip("numpy uses no extra instructions on this processor")
    made = subprocess.run(
        [sys.executable, HERE / "make_vectors.py"],
        env=os.environ | {"NPY_DISABLE_CPU_FEATURES": " ".join(extra)},
        capture_output=True, text=True, check=True,
    )
    assert json.loads(made.stdout) == VECTORS
    assert "NPY_DISABLE_CPU_FEATURES" not in made.stderr


# --- A draw depends on its own name and nothing else


@settings(max_examples=50)
@given(st.lists(st.tuples(U64, st.integers(0, 2**40)), min_size=1, max_size=30), SHUFFLER)
def test_order_and_batches_change_no_draw(names: list[tuple[int, int]], shuffler: Random) -> None:
    chance = Chance(3, 1)
    order = list(range(len(names)))
    shuffler.shuffle(order)
    cut = shuffler.randint(0, len(names))
    keys = np.array([key for key, _ in names], dtype=np.uint64)
    occurrences = np.array([occurrence for _, occurrence in names])
    for draw in (chance.bits, chance.uniform, chance.exponential, chance.normal):
        whole = draw(keys, "a", occurrences)
        draw(keys, "b")  # another purpose in between leaves no trace
        assert (draw(keys[order], "a", occurrences[order]) == whole[order]).all()
        parts = [draw(keys[part], "a", occurrences[part]) for part in (slice(cut), slice(cut, None))]
        assert (np.concatenate(parts) == whole).all()
        alone = [draw(keys[i : i + 1], "a", int(occurrences[i]))[0] for i in order]
        assert (np.array(alone) == whole[order]).all()
        assert (draw(keys[:1], "a", occurrences[0]) == whole[0]).all()  # a numpy number is a number


@given(st.integers(0, 2**32), st.integers(0, 99), U64, st.integers(0, 2**40))
def test_any_change_of_name_changes_the_draw(seed: int, replication: int, key: int, occurrence: int) -> None:
    keys = np.array([key], dtype=np.uint64)
    draws = [
        Chance(seed, replication).bits(keys, "a", occurrence),
        Chance(seed + 1, replication).bits(keys, "a", occurrence),
        Chance(seed, replication + 1).bits(keys, "a", occurrence),
        Chance(seed, replication).bits(keys ^ np.uint64(1), "a", occurrence),
        Chance(seed, replication).bits(keys, "b", occurrence),
        Chance(seed, replication).bits(keys, "a", occurrence + 1),
    ]
    assert len({int(draw[0]) for draw in draws}) == len(draws)


def test_keys_given_are_left_as_they_were() -> None:
    keys = np.arange(5, dtype=np.uint64)
    Chance(1).bits(keys, "a", 3)
    mix(keys)
    assert keys.tolist() == list(range(5))


# --- Evenly spread and independent


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", KEYS)
def test_uniform(kind: str, seed: tuple[int, int]) -> None:
    draws = Chance(*seed).uniform(KEYS[kind], "uniformity")
    assert 0 <= draws.min() < draws.max() < 1
    assert stats.kstest(draws, "uniform").pvalue > ERROR_RATE
    assert stats.chisquare(np.bincount((draws * 1000).astype(int), minlength=1000)).pvalue > ERROR_RATE


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", KEYS)
def test_every_bit_is_set_half_the_time(kind: str, seed: tuple[int, int]) -> None:
    bits = Chance(*seed).bits(KEYS[kind], "bits")
    ones = np.array([np.count_nonzero(bits >> np.uint64(bit) & np.uint64(1)) for bit in range(64)])
    squares = (ones - COUNT / 2) ** 2 / (COUNT / 4)
    assert stats.chi2.sf(squares.sum(), 64) > ERROR_RATE


def independent(first: np.ndarray, second: np.ndarray) -> None:
    """Check a 20 by 20 table of two series of draws, and how often their bits agree."""
    table = np.bincount((first * 20).astype(int) * 20 + (second * 20).astype(int), minlength=400)
    assert stats.chisquare(table).pvalue > ERROR_RATE
    correlation = np.corrcoef(first, second)[0, 1]
    assert 2 * stats.norm.sf(abs(correlation) * math.sqrt(first.size)) > ERROR_RATE


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", KEYS)
def test_independent_in_every_direction(kind: str, seed: tuple[int, int]) -> None:
    chance, keys = Chance(*seed), KEYS[kind]
    draws = chance.uniform(keys, "contact 1", 3)
    independent(draws, chance.uniform(keys, "contact 2", 3))
    independent(draws, chance.uniform(keys, "contact 1", 4))
    independent(draws, Chance(seed[0], seed[1] + 1).uniform(keys, "contact 1", 3))
    independent(draws, Chance(seed[0] + 1, seed[1]).uniform(keys, "contact 1", 3))
    independent(draws[:-1], draws[1:])


def test_occurrences_of_one_key_are_uniform_and_independent() -> None:
    draws = Chance(5).uniform(np.full(COUNT, 77, dtype=np.uint64), "contact", np.arange(COUNT))
    assert stats.kstest(draws, "uniform").pvalue > ERROR_RATE
    independent(draws[:-1], draws[1:])


def test_one_bit_of_a_key_or_an_occurrence_flips_half_the_bits_of_a_draw() -> None:
    chance, keys = Chance(9), KEYS["consecutive"][:2000]
    before = chance.bits(keys, "avalanche", np.arange(2000))
    for bit in range(0, 62, 3):
        for after in (
            chance.bits(keys ^ np.uint64(1 << bit), "avalanche", np.arange(2000)),
            chance.bits(keys, "avalanche", np.arange(2000) ^ (1 << bit)),
        ):
            flipped = int(np.bitwise_count(before ^ after).sum())
            assert stats.binomtest(flipped, 64 * 2000).pvalue > ERROR_RATE


@pytest.mark.parametrize("seed", SEEDS)
def test_other_distributions(seed: tuple[int, int]) -> None:
    chance, keys = Chance(*seed), KEYS["consecutive"]
    assert stats.kstest(chance.exponential(keys, "wait"), "expon").pvalue > ERROR_RATE
    assert stats.kstest(chance.normal(keys, "score"), "norm").pvalue > ERROR_RATE
    counts = np.bincount(chance.poisson(np.full(COUNT, 3.0), keys, "arrivals"), minlength=12)
    expected = stats.poisson.pmf(np.arange(11), 3.0) * COUNT
    observed = np.append(counts[:11], counts[11:].sum())
    assert stats.chisquare(observed, np.append(expected, COUNT - expected.sum())).pvalue > ERROR_RATE
    days = np.bincount(chance.spread(2, 6, keys, "day") - 2)
    assert days.size == 5
    assert stats.chisquare(days).pvalue > ERROR_RATE


# --- Functions of one draw


@given(st.floats(2**-60, 1.0))
def test_minus_log(value: float) -> None:
    made = float(minus_log(np.array([value]))[0])
    assert made >= 0
    assert made == pytest.approx(-math.log(value), rel=1e-12, abs=0)


def test_minus_log_next_to_one_and_between_cells() -> None:
    values = np.concatenate([1 - 2.0 ** -np.arange(1, 54), np.linspace(0.5, 1, 200_001)])
    np.testing.assert_allclose(minus_log(values), -np.log(values), rtol=1e-12)
    assert minus_log(np.array([1.0, 0.5])).tolist() == [0.0, math.log(2)]


@given(st.floats(2**-53, 1 - 2**-53))
def test_inverse_normal(uniform: float) -> None:
    made = float(inverse_normal(np.array([uniform]))[0])
    assert made == pytest.approx(stats.norm.ppf(uniform), rel=2e-9, abs=1e-15)


def test_inverse_normal_of_zero_is_finite() -> None:
    assert -9 < inverse_normal(np.array([0.0]))[0] < -8


@settings(max_examples=300)
@given(st.floats(0, 500), st.floats(0, 1 - 1e-11))
def test_inverse_poisson(mean: float, uniform: float) -> None:
    count = int(inverse_poisson(np.array([mean]), np.array([uniform]))[0])
    # Near a step of the distribution, scipy's answer or ours may be off by a rounding error.
    assume(min(abs(stats.poisson.cdf([count - 1, count], mean) - uniform)) > 1e-12)
    assert count == (stats.poisson.ppf(uniform, mean) if uniform else 0)


@settings(max_examples=300)
@given(st.floats(0, 500), st.floats(1e-9, 50), st.floats(0, 1 - 1e-12))
def test_a_larger_mean_never_gives_a_smaller_count(mean: float, more: float, uniform: float) -> None:
    counts = inverse_poisson(np.minimum([mean, mean + more], 500.0), np.full(2, uniform))
    assert counts[0] <= counts[1]


@pytest.mark.parametrize("mean", [-0.1, 500.1])
def test_inverse_poisson_refuses_means_it_cannot_do(mean: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 500"):
        inverse_poisson(np.array([mean]), np.array([0.5]))


@given(st.integers(-1000, 1000), st.integers(0, 1000), U64)
def test_spread_stays_within_its_bounds(low: int, width: int, key: int) -> None:
    drawn = Chance(1).spread(low, low + width, np.array([key], dtype=np.uint64), "day")
    assert low <= int(drawn[0]) <= low + width
