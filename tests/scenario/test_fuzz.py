"""Thousands of damaged files: each gives a scenario or messages, never anything else."""

from __future__ import annotations

import contextlib
import io
import random
from pathlib import Path

import pytest

from simulation.commands.app import main
from simulation.scenario import (
    Scenario,
    ScenarioError,
    load_geography,
    load_parameters,
    loading,
    read_scenario,
    resolve,
)
from simulation.scenario.problems import errors
from simulation.scenario.yaml_reader import read_bytes
from tests.scenario.scenario_helpers import PARAMETERS

HERE = Path(__file__).parent
SOUND = (HERE / "malformed" / "sound.yaml").read_bytes()
#: A good file with room for damage that does no harm.
ROOMY = (
    SOUND.replace(b"name: sound", b"name: damaged")
    + b"question: Would more people go home sooner, and would their officers have the time for it?\n"
    + b"# A remark at the end may say anything at all, however long it is and whoever reads it.\n"
)
CORPUS = [path.read_bytes() for path in sorted((HERE / "malformed").glob("*.yaml"))]
PARAMETER_CORPUS = [path.read_bytes() for path in sorted(PARAMETERS.glob("*.yaml"))]

#: Pieces that mean something to the reader; spaces at the end matter.
PIECES = [
    piece.encode("latin-1")
    for piece in (
        *("\n", "\t", "  ", "\n  ", "\r", "\x00", "\xff", "\xc3\xa9", "\xe2\x80\xa8", "- x", ": ", ":", "#"),
        *("[", "]", "{", "}", '"', "'", "&a ", "*a ", "!!set ", "---", "? ", "| ", "> ", "%", "@", "null"),
        *("true", "-1", "1e400", "9" * 400, "." * 20, "2018-02-30", "9999-12-31", "0001-01-01", "all"),
        *("extends: sound", "areas: ", "custody.hdc.take_up: ", "contact.interval_weeks: ", "set: "),
        *("multiply: ", "value: ", "series: step", "ramp_days: 99999999999999999"),
    )
]


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Insert, replace, delete, swap and repeat pieces of a file, up to five times."""
    for _ in range(chance.choice([1, 1, 2, 5])):
        start, end = sorted(chance.randint(0, len(data)) for _ in range(2))
        piece = chance.choice(PIECES) if chance.random() < 0.8 else chance.randbytes(chance.randint(1, 4))
        kind = chance.choice(["insert", "insert", "replace", "delete", "swap", "repeat"])
        if kind == "insert":
            data = data[:start] + piece + data[start:]
        elif kind == "replace":
            data = data[:start] + piece + data[start + len(piece) :]
        elif kind == "delete":
            data = data[:start] + data[min(end, start + 30) :]
        elif kind == "swap":
            data = data[end:] + data[start:end] + data[:start]
        else:
            data = data[:end] + data[start:end][:200] + data[end:]
    return data


def test_a_damaged_scenario_gives_a_scenario_or_messages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sound.yaml").write_bytes(SOUND)
    path = tmp_path / "damaged.yaml"
    path.touch()
    parameters, geography = load_parameters(PARAMETERS), load_geography()
    good = bad = 0
    for seed in range(3000):
        chance = random.Random(seed)
        whole = ROOMY if chance.random() < 0.4 else chance.choice(CORPUS)
        data = damaged(whole, chance)
        # Straight from memory: thousands of files would only test the disk.
        monkeypatch.setattr(
            loading,
            "read_file",
            lambda which, data=data: read_bytes(data if which == path else SOUND, which.name),
        )
        scenario, problems = read_scenario(path, parameters)
        told = f"seed {seed}: {data!r}"
        assert isinstance(scenario, Scenario) or errors(problems), told
        for problem in problems:
            assert str(problem).isprintable() and len(str(problem)) < 1000, told
            assert problem.line >= 1 and problem.column >= 1, told
        if scenario is None or errors(problems):
            bad += 1
            continue
        try:
            assert len(resolve(scenario, parameters, geography).digest()) == 64
            good += 1
        except ScenarioError as error:
            assert error.problems, told
    # Damage of one kind only would test little.
    assert good > 50 and bad > 1000, (good, bad)


def test_the_command_never_shows_a_traceback(tmp_path: Path) -> None:
    path = tmp_path / "damaged.yaml"
    for seed in range(100):
        chance = random.Random(-seed)
        path.write_bytes(damaged(chance.choice(CORPUS), chance))
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(["check", "--parameters", str(PARAMETERS), str(path)])
        assert code in (0, 2), seed
        assert err.getvalue() or code == 0, seed
        assert "Traceback" not in out.getvalue() + err.getvalue(), seed


def test_a_damaged_parameter_file_gives_parameters_or_messages(tmp_path: Path) -> None:
    for seed in range(400):
        chance = random.Random(seed)
        data = damaged(chance.choice(PARAMETER_CORPUS), chance)
        (tmp_path / "custody.yaml").write_bytes(data)
        try:
            parameters = load_parameters(tmp_path)
        except ScenarioError as error:
            assert error.problems, f"seed {seed}: {data!r}"
            assert all(str(problem).isprintable() for problem in error.problems), f"seed {seed}: {data!r}"
        else:
            assert all(parameter.leaves for parameter in parameters.values())
