"""Compiling shared among processes: who comes first compiles, the others go on interpreted, all get the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numba
import numpy as np
import pytest
from numba.core.registry import CPUDispatcher

from simulation.engine import compiled, keeping, rehearsal

pytestmark = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")


def twice(number: int) -> int:
    return 2 * number


def total(numbers: np.ndarray) -> int:
    found = 0
    for number in numbers:
        found += 2 * number
    return found


@pytest.fixture
def loops(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[CPUDispatcher]]:
    kept = tmp_path / "kept"
    kept.mkdir()
    monkeypatch.setattr(keeping, "KEPT_IN", kept)
    monkeypatch.setattr(compiled, "LOOPS", [numba.njit(twice), numba.njit(total)])
    yield compiled.LOOPS


def test_whoever_comes_first_compiles(loops: list[CPUDispatcher], tmp_path: Path) -> None:
    claims = tmp_path / "claims"
    claims.mkdir()
    # Another process is at the second loop.
    (claims / f"{__name__}.total.claimed").touch()
    found: list[int] = []

    def work() -> None:
        for _ in range(2):
            found.extend([loops[0](4), loops[1](np.arange(4))])
        (claims / f"{__name__}.total.finished").touch()

    assert rehearsal.needed()
    rehearsal.rehearse(work, claims)
    assert found == [8, 12, 8, 12]
    assert [len(loop.overloads) for loop in loops] == [1, 0]
    assert {path.name for path in claims.iterdir()} == {
        f"{__name__}.twice.claimed",
        f"{__name__}.twice.finished",
        f"{__name__}.total.claimed",
        f"{__name__}.total.finished",
    }
    assert [type(loop) for loop in loops] == [CPUDispatcher, CPUDispatcher]
    # Once is enough on a machine.
    assert not rehearsal.needed()
    rehearsal.rehearse(lambda: pytest.fail("rehearsed again"), claims)


def test_nothing_is_promised_while_another_is_compiling(loops: list[CPUDispatcher], tmp_path: Path) -> None:
    claims = tmp_path / "claims"
    claims.mkdir()
    (claims / f"{__name__}.total.claimed").touch()
    rehearsal.rehearse(lambda: loops[1](np.arange(4)), claims)
    assert rehearsal.needed()


def test_what_another_has_finished_is_used(loops: list[CPUDispatcher], tmp_path: Path) -> None:
    claims = tmp_path / "claims"
    claims.mkdir()
    for state in ("claimed", "finished"):
        (claims / f"{__name__}.total.{state}").touch()
    rehearsal.rehearse(lambda: loops[1](np.arange(4)), claims)
    assert len(loops[1].overloads) == 1


def test_a_loop_inside_an_interpreted_one_is_not_compiled(loops: list[CPUDispatcher], tmp_path: Path) -> None:
    claims = tmp_path / "claims"
    claims.mkdir()
    inner = loops[0]
    outer = numba.njit(lambda number: inner(number) + 1)
    loops.append(outer)
    (claims / f"{__name__}.<lambda>.claimed").touch()
    found: list[int] = []
    rehearsal.rehearse(lambda: found.append(outer(4)), claims)
    assert found == [9]
    assert not inner.overloads


def test_a_rehearsal_that_fails_leaves_the_loops_as_they_were(loops: list[CPUDispatcher], tmp_path: Path) -> None:
    def work() -> None:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        rehearsal.rehearse(work, tmp_path)
    assert [type(loop) for loop in loops] == [CPUDispatcher, CPUDispatcher]
    assert rehearsal.needed()
