"""Machine code kept on disk: what one process writes is never taken for what another wrote."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numba
import pytest

from simulation.engine import compiled

pytestmark = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")

SOURCE = """
from simulation.engine.compiled import compiled

@compiled
def successor(number):
    return number + 1
"""


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """A module with one loop, loaded afresh each time as another process would."""
    (tmp_path / "kept").mkdir()
    path = tmp_path / "one_loop.py"
    path.write_text(SOURCE, "utf-8")
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "kept"))
    monkeypatch.setattr(compiled, "LOOPS", [])

    def fresh() -> ModuleType:
        spec = importlib.util.spec_from_file_location("one_loop", path)
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, "one_loop", module)
        spec.loader.exec_module(module)
        return module

    return fresh


def test_two_processes_that_save_at_once(load) -> None:  # type: ignore[no-untyped-def]
    """Both read the index before either writes it, and the code of the first is written last."""
    narrow, wide = load(), load()
    first, second = (module.successor._cache._cache_file for module in (narrow, wide))
    late: list[tuple[object, ...]] = []
    first._save_data = lambda *arguments: late.append(arguments)
    second._load_index = dict
    narrow.successor.compile((numba.types.int16,))
    wide.successor.compile((numba.types.int64,))
    del first._save_data, second._load_index
    first._save_data(*late[0])
    third = load()
    assert third.successor(4_097_000) == 4_097_001
    assert third.successor.signatures == [(numba.types.int64,)]
    assert third.successor.stats.cache_hits  # the code was kept, not made again


def test_code_is_kept_for_every_type(load) -> None:  # type: ignore[no-untyped-def]
    first = load()
    assert first.successor(1) == 2 and first.successor(1.5) == 2.5
    again = load()
    assert again.successor(1) == 2 and again.successor(1.5) == 2.5
    assert len(again.successor.stats.cache_hits) == 2 and not again.successor.stats.cache_misses
