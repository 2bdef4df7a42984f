"""Thousands of files that nobody should write: messages with a place, soon, in little room."""

from __future__ import annotations

import os
import random
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulation.scenario.loading import read_scenario
from tests.scenario.fuzz_inputs import HOSTILE, VALUES, pick
from tests.scenario.fuzz_reading import MOST_MEGABYTES, Reader, peak_megabytes

FEW, MANY = 2_500, 100_000


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    return Reader(tmp_path)


def read_many(reader: Reader, numbers: range) -> None:
    kinds: Counter[str] = Counter()
    before = peak_megabytes()
    for number in numbers:
        kind, what, data = pick(number)
        kinds[kind] += 1
        reader.read(f"input {number} ({kind}, {what})", what, data, by_command=number % 500 == 0)
    print(f"\n{dict(kinds.most_common(5))}, {len(kinds)} kinds\n{dict(reader.outcomes)}")
    print(f"slowest {reader.slowest[0]:.2f} s: {reader.slowest[1]}")
    print(f"at most {peak_megabytes() - before:.0f} MB more than before the first")
    assert not reader.faults, "\n".join(reader.faults[:20])
    assert peak_megabytes() - before < MOST_MEGABYTES
    # Damage of one kind, or none that is let through, would test little.
    for outcome in ("scenario refused", "scenario accepted", "parameters refused", "parameters accepted"):
        assert reader.outcomes[outcome] > len(numbers) / 100, reader.outcomes
    assert reader.outcomes["command refused"] > 0


def test_thousands_of_damaged_files(reader: Reader) -> None:
    read_many(reader, range(FEW))


@pytest.mark.long
def test_a_hundred_thousand_damaged_files(reader: Reader) -> None:
    read_many(reader, range(FEW, FEW + MANY))


class _JustBelowTheLimits(random.Random):
    """Chance that makes every hostile file as large as can be without being refused for that alone."""

    def random(self) -> float:
        return 0.4

    def uniform(self, a: float, b: float) -> float:
        return 0.97


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_every_hostile_file_at_its_largest(name: str, reader: Reader) -> None:
    data = HOSTILE[name](_JustBelowTheLimits(1))
    for what in ("scenario", "custody"):
        reader.read(f"{name} as {what}", what, data)
    assert not reader.faults


def test_a_fault_would_be_seen(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test of thousands that can't fail would be worth nothing."""

    def broken(*_: object) -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr("tests.scenario.fuzz_reading.read_scenario", broken)
    reader.read("one", "scenario", b"name: x\n")
    monkeypatch.setattr("tests.scenario.fuzz_reading.LONGEST_SECONDS", 0.0)
    reader.read("two", "custody", b"custody.x: 1\n")
    monkeypatch.setattr("tests.scenario.fuzz_reading.LONGEST_SECONDS", 60.0)
    monkeypatch.setattr("tests.scenario.fuzz_reading._PLACE", re.compile("no such place"))
    reader.read("three", "custody", b"custody.x: 1\n")
    assert [fault.split(": ")[:2] for fault in reader.faults[::2]] == [
        ["one", "RecursionError"],
        ["three", "AssertionError"],
    ]
    assert reader.faults[1].startswith("two: took")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_scenario_that_extends_a_pipe_is_refused_at_once(reader: Reader, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    path = tmp_path / "hostile.yaml"
    path.write_text(f"name: hostile\ntitle: A test\nextends: {tmp_path / 'pipe.yaml'}\n")
    _, problems = read_scenario(path, reader.parameters)
    found = [each for each in problems if each.code == "missing_parent"]
    assert [(each.line, each.column) for each in found] == [(3, 10)]
    assert "no ordinary file" in found[0].message


_WRITTEN = st.one_of(st.sampled_from(VALUES), st.text(max_size=40), st.integers().map(str), st.floats().map(str))
_KEYS = st.one_of(
    st.sampled_from(
        [
            *("name", "title", "extends", "start", "count_from", "end", "areas", "changes", "expects", "moves"),
            *("question", "from", "to", "set", "multiply", "add", "ramp_days", "applies_to", "providers", "why"),
            *("source", "description", "value", "unit", "low", "high", "allowed", "choices", "confidence"),
            *("read_on", "series", "custody.hdc.take_up", "custody.p", "contact.interval_days"),
        ]
    ),
    st.text(max_size=20),
)


def _flow(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(below)}" for key, below in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(below) for below in value) + "]"
    return str(value)


_TREES = st.recursive(
    _WRITTEN, lambda below: st.lists(below, max_size=4) | st.dictionaries(_KEYS, below, max_size=6), max_leaves=25
)
_FILES = st.one_of(
    st.binary(max_size=400),
    st.text(max_size=400).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.dictionaries(_KEYS, _TREES, max_size=8).map(
        lambda tree: "".join(f"{key}: {_flow(below)}\n" for key, below in tree.items()).encode("utf-8", "replace")
    ),
)


@settings(max_examples=400, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=_FILES, what=st.sampled_from(["scenario", "custody"]))
def test_files_that_hypothesis_makes(data: bytes, what: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    _read_one(data, what, tmp_path_factory)


@pytest.mark.long
@settings(max_examples=20_000, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=_FILES, what=st.sampled_from(["scenario", "custody"]))
def test_more_files_that_hypothesis_makes(data: bytes, what: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    _read_one(data, what, tmp_path_factory)


_READERS: list[Reader] = []


def _read_one(data: bytes, what: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    if not _READERS:
        _READERS.append(Reader(tmp_path_factory.mktemp("hypothesis")))
    reader = _READERS[0]
    reader.faults.clear()
    reader.read("a file", what, data)
    assert not reader.faults
