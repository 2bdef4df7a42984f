"""No parameter is kept that nothing reads, and nothing reads what isn't declared."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulation.scenario import load_parameters
from simulation.scenario.uses import names_read, uses

SYSTEM = sorted((Path(__file__).parents[2] / "simulation" / "system").rglob("*.py"))
NAMES = [parameter.name for parameter in load_parameters().values()]
SUBSYSTEMS = sorted({name.split(".")[0] for name in NAMES})


def test_every_parameter_is_read_somewhere() -> None:
    found = uses(NAMES, SYSTEM)
    assert [name for name in NAMES if name not in found] == []


def test_nothing_undeclared_is_read() -> None:
    """A text may be the beginning of names, where the code asks for all that begin so."""
    read = names_read(SYSTEM, SUBSYSTEMS)
    assert len(read) > 100
    assert {text: places for text, places in read.items() if not any(name.startswith(text) for name in NAMES)} == {}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ('read("custody.hdc.take_up")', {"custody.hdc.take_up": 1}),
        ('\nread(f"custody.hdc.{name}")', {"custody.hdc.take_up": 2, "custody.hdc.max_days": 2}),
        ('read(f"{subsystem}.take_up")', {}),
        ('read("custody.hdc.take_ups")', {}),
        ("# custody.hdc.take_up", {}),
    ],
)
def test_how_a_name_is_found(tmp_path: Path, code: str, expected: dict[str, int]) -> None:
    path = tmp_path / "code.py"
    path.write_text(code, "utf-8")
    found = uses(["custody.hdc.take_up", "custody.hdc.max_days"], [path])
    assert {name: places[0][1] for name, places in found.items()} == expected


def test_a_slip_in_a_name_is_found(tmp_path: Path) -> None:
    path = tmp_path / "code.py"
    path.write_text('levers.number("custody.hdc.take_upp")\nprint("see custody.hdc.take_up.")', "utf-8")
    assert list(names_read([path], ["custody"])) == ["custody.hdc.take_upp"]
