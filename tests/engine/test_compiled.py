"""Machine code kept on disk: what one process writes is never taken for what another wrote."""

from __future__ import annotations

import ast
import importlib.util
import itertools
import operator
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numba
import numpy as np
import pytest
from numba.core.runtime import _nrt_python, rtsys

from simulation.engine import compiled, keeping
from simulation.engine.compiled import AHEAD, compiled_inside, fetch_soon, lowest_bit

pytestmark = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")

SOURCE = """
from typing import NamedTuple

from simulation.engine.compiled import compiled, compiled_inside

STEP = 1

class Pair(NamedTuple):
    low: float
    high: float

@compiled
def step(number):
    return number + STEP

@compiled
def successor(number):
    return step(number)

@compiled
def higher(pair):
    return pair.high
"""


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """A module with one loop, loaded afresh each time as another process would."""
    (tmp_path / "kept").mkdir()
    path = tmp_path / "one_loop.py"
    path.write_text(SOURCE, "utf-8")
    monkeypatch.setattr(keeping, "KEPT_IN", tmp_path / "kept")
    monkeypatch.setattr(compiled, "LOOPS", [])
    # Python's own kept code of a file changed within the same second to the same length would be taken for the new.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def fresh(old: str = "", new: str = "") -> ModuleType:
        path.write_text(SOURCE.replace(old, new), "utf-8")
        spec = importlib.util.spec_from_file_location("one_loop", path)
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, "one_loop", module)
        spec.loader.exec_module(module)
        return module

    return fresh


def test_two_processes_that_save_at_once(load) -> None:  # type: ignore[no-untyped-def]
    """The code of the first is written last, over nothing of the second's."""
    narrow, wide = load(), load()
    for module in (narrow, wide):
        module.successor._cache.name()
    first = narrow.successor._cache._cache_file
    late: list[tuple[object, ...]] = []
    first._save_data = lambda *arguments: late.append(arguments)
    narrow.successor.compile((numba.types.int16,))
    wide.successor.compile((numba.types.int64,))
    del first._save_data
    first._save_data(*late[0])
    third = load()
    assert third.successor(4_097_000) == 4_097_001
    assert third.successor.signatures == [(numba.types.int64,)]
    assert third.successor(np.int16(7)) == 8
    assert len(third.successor.stats.cache_hits) == 2  # the code was kept, not made again


def test_code_is_kept_for_every_type(load) -> None:  # type: ignore[no-untyped-def]
    first = load()
    assert first.successor(1) == 2 and first.successor(1.5) == 2.5
    again = load()
    assert again.successor(1) == 2 and again.successor(1.5) == 2.5
    assert len(again.successor.stats.cache_hits) == 2 and not again.successor.stats.cache_misses


def _made_again(module: ModuleType) -> bool:
    """Tell whether calling the loop had to compile it."""
    assert module.successor(np.int64(1)) == 1 + module.STEP
    return bool(module.successor.stats.cache_misses)


@pytest.mark.parametrize(
    ("old", "new", "again"),
    [
        ("", "", False),
        ("STEP = 1", "STEP = 1\nOTHER = 2", False),  # every line moves, nothing is meant differently
        ("return pair.high", "return pair.low", False),  # another loop of the same file
        ("STEP = 1", "STEP = 2", True),  # a number that a loop it calls reads
        ("STEP = 1", "STEP = 1.0", True),
        ("number + STEP", "STEP + number", True),  # a line of a loop it calls
    ],
)
def test_code_is_made_again_when_a_loop_means_something_else(load, old, new, again) -> None:  # type: ignore[no-untyped-def]
    assert _made_again(load())
    assert _made_again(load(old, new)) == again


def test_code_without_a_way_in_is_not_taken_for_code_with_one(load) -> None:  # type: ignore[no-untyped-def]
    inside = load("@compiled\ndef successor", "@compiled_inside\ndef successor")
    inside.successor.compile((numba.types.int64,))
    assert _made_again(load())


def test_a_loop_fetched_from_disk_goes_into_one_compiled_after(load) -> None:  # type: ignore[no-untyped-def]
    assert load().step(1) == 2
    again = load()
    assert again.step(1) == 2 and sum(again.step.stats.cache_hits.values()) == 1
    assert again.successor(2) == 3 and not again.successor.stats.cache_hits
    # And what was kept of that one holds both.
    assert load().successor(3) == 4


def test_fields_in_another_order_are_another_type(load) -> None:  # type: ignore[no-untyped-def]
    module = load()
    assert module.higher(module.Pair(1.0, 2.0)) == 2.0
    module = load("    low: float\n    high: float", "    high: float\n    low: float")
    assert module.higher(module.Pair(high=5.0, low=1.0)) == 5.0


def test_what_cannot_be_compared_is_refused(load) -> None:  # type: ignore[no-untyped-def]
    module = load("STEP = 1", "STEP = [1]")
    with pytest.raises(TypeError, match="'STEP', a list: give it as an argument"):
        keeping.meaning(module.successor)


def test_the_digest_of_all_loops_moves_with_any(load) -> None:  # type: ignore[no-untyped-def]
    load()
    before = compiled.meaning_of_all()
    compiled.LOOPS.clear()
    load("STEP = 1", "STEP = 3")
    assert compiled.meaning_of_all() != before


@compiled.compiled
def _total(column, rows):  # type: ignore[no-untyped-def]
    total = 0
    for at in range(rows.size):
        fetch_soon(column, rows[min(at + AHEAD, rows.size - 1)])
        total += int(column[rows[at]])
    return total


def test_asking_for_rows_beforehand_changes_nothing() -> None:
    records = np.zeros(1000, dtype=[("key", np.int64), ("number", np.int16)])
    records["number"] = np.arange(1000)
    rows = np.arange(0, 1000, 7)[::-1].copy()
    assert _total(records["number"], rows) == rows.sum()
    assert _total(records["key"], rows[:1]) == 0
    assert _total.py_func(records["number"], rows) == rows.sum()
    assert keeping.meaning(_total)


@compiled.compiled
def _lowest_of_each(words):  # type: ignore[no-untyped-def]
    found = np.empty(words.size, dtype=np.int64)
    for at in range(words.size):
        found[at] = lowest_bit(words[at])
    return found


def test_the_lowest_bit_is_the_same_where_a_loop_runs_interpreted() -> None:
    words = np.array([(1 << place) | (top << 63) for place in range(64) for top in (0, 1)], dtype=np.uint64)
    assert _lowest_of_each(words).tolist() == [place for place in range(64) for _ in (0, 1)]
    assert _lowest_of_each.py_func(words).tolist() == _lowest_of_each(words).tolist()


class Found(NamedTuple):
    rows: np.ndarray
    number: int


@compiled.compiled
def _whole(rows):  # type: ignore[no-untyped-def]
    return rows


@compiled.compiled
def _part(rows, number):  # type: ignore[no-untyped-def]
    rows[0] += number
    return rows[1:], np.full(number, 7), Found(rows[:number], number)


def test_arguments_are_lent_and_parts_of_them_returned_as_copies() -> None:
    rows = np.arange(5)
    counted = sys.getrefcount(rows)
    assert _whole(rows) is rows
    rest, made, found = _part(rows, 3)
    assert (rows.tolist(), rest.tolist(), made.tolist()) == ([3, 1, 2, 3, 4], [1, 2, 3, 4], [7, 7, 7])
    assert isinstance(found, Found) and found.rows.tolist() == [3, 1, 2] and found.number == 3
    assert not np.shares_memory(rest, rows) and not np.shares_memory(found.rows, rows)
    rest[:] = made[:] = -1
    assert rows.tolist() == [3, 1, 2, 3, 4]
    # Whatever happens, nobody is left holding what was lent.
    assert sys.getrefcount(rows) == counted
    assert sys.getrefcount(rest) == sys.getrefcount(made) == 2


@compiled.compiled
def _turned(rows, rounds):  # type: ignore[no-untyped-def]
    one, other, total = rows.copy(), rows.copy(), 0
    for at in range(rounds):
        one, other = other, one
        some = one[at % rows.size :]
        some[0] += 1
        total += other[: some.size].sum()
    return some, total


def test_what_loops_make_is_given_back() -> None:
    """References are counted by this engine's own steps: nothing is kept for ever, and nothing thrown away too soon."""
    _turned(np.arange(3), 4)
    _nrt_python.memsys_enable_stats()
    try:
        before = rtsys.get_allocation_stats()
        for _ in range(3):
            some, total = _turned(np.arange(3), 4)
            assert some.tolist() == [1, 2, 2] and total == 10
        during = rtsys.get_allocation_stats()
        del some
        after = rtsys.get_allocation_stats()
    finally:
        _nrt_python.memsys_disable_stats()
    assert during.alloc - before.alloc >= 6
    assert during.alloc - during.free == before.alloc - before.free + 1
    assert after.alloc - after.free == before.alloc - before.free
    assert after.mi_alloc - after.mi_free == before.mi_alloc - before.mi_free


def test_a_loop_for_other_loops_runs_interpreted_when_called_from_python(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Numba itself would jump to address 0 and take Python with it."""
    monkeypatch.setattr(compiled, "LOOPS", [])
    # Fetched from where it was kept by an earlier test, the outer loop wouldn't compile the inner one.
    monkeypatch.setattr(keeping, "KEPT_IN", tmp_path)

    @compiled_inside
    def halved(number: int) -> int:
        return number // 2

    @compiled.compiled
    def quartered(number: int) -> int:
        return halved(halved(number))

    assert quartered(41) == 10
    assert halved.signatures == [(numba.types.int64,)]  # type: ignore[attr-defined]
    assert [halved(41), halved(41), halved(41.0)] == [20, 20, 20.0]
    assert len(halved.signatures) == 1  # type: ignore[attr-defined]


def test_loops_for_other_loops_are_called_by_nothing_else() -> None:
    """In no lever's way through the model either, which no short run takes."""
    inside: set[str] = set()
    elsewhere: dict[str, str] = {}
    for path in sorted((Path(__file__).parents[2] / "simulation").rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        within: set[int] = set()
        own: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                marks = {mark.id for mark in node.decorator_list if isinstance(mark, ast.Name)}
                if marks & {"compiled", "compiled_inside"}:
                    within.update(id(part) for part in ast.walk(node))
                if "compiled_inside" in marks:
                    own.add(node.name)
        inside |= {f"{path.stem}.{name}" for name in own}
        known = {name: f"{path.stem}.{name}" for name in own}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                known |= {
                    alias.asname or alias.name: f"{node.module.rsplit('.', 1)[-1]}.{alias.name}" for alias in node.names
                }
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and id(node) not in within and node.id in known:
                elsewhere.setdefault(known[node.id], f"{path.name}:{node.lineno}")
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and id(node) not in within:
                elsewhere.setdefault(f"{node.value.id}.{node.attr}", f"{path.name}:{node.lineno}")
    assert len(inside) > 40
    assert not {name: place for name, place in elsewhere.items() if name in inside}


def test_what_is_known_of_a_sign_is_what_numba_finds() -> None:
    context = numba.core.registry.cpu_target.typing_context
    context.refresh()
    numbers = [numba.types.int8, numba.types.int32, numba.types.int64, numba.types.uint64]
    kinds = [*numbers, numba.types.float64, numba.types.boolean, numba.types.IntegerLiteral(0)]
    signs = (operator.add, operator.floordiv, operator.rshift, operator.and_, operator.lt, operator.iadd, max)

    def found(way: Callable[..., object], sign: object, pair: tuple[object, ...]) -> object:
        try:
            return way(context.resolve_value_type(sign), context, pair, {})
        except numba.core.errors.NumbaError as error:
            return type(error)

    for sign, pair in itertools.product(signs, itertools.product(kinds, kinds)):
        kept = numba.core.types.functions.BaseFunction.get_call_type
        assert kept is not compiled._find_sign
        once, again = found(kept, sign, pair), found(kept, sign, pair)
        assert once == again == found(compiled._find_sign, sign, pair), (sign, pair)


LOOKING = """
import numpy as np
from simulation.engine.compiled import compiled

@compiled
def look(array, places):
    found = array[-1]
    for place in places:
        found += array[place]
    return found

array = np.array([1, 10, 100])
print(look(array, np.array([0, 1], dtype=np.int32)))
for place in (-1, 3):
    try:
        look(array, np.array([place], dtype=np.int32))
    except IndexError as error:
        print(error)
"""


def test_only_a_number_in_the_lines_counts_from_the_end(tmp_path: Path) -> None:
    """With looking on, any other place outside an array is an error; a loop's own -1 is the last."""
    (tmp_path / "looking.py").write_text(LOOKING, "utf-8")
    done = subprocess.run(
        [sys.executable, str(tmp_path / "looking.py")],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "NUMBA_BOUNDSCHECK": "1"}
        | {"NUMBA_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split("\n") == ["111", "index is out of bounds", "index is out of bounds", ""]


HOLDING = """
import numpy as np
from typing import NamedTuple
from simulation.engine.compiled import compiled
from simulation.system.cohort_officers import Columns, Rules, groups_of_cases

@compiled
def kept(columns, swap):
    # A name that stands for something else later isn't lent.
    if swap.size > 1:
        swap = swap[1:]
    return swap.copy(), columns.side

here, unified = np.ones((1, 2), dtype=np.bool_), np.zeros(1, dtype=np.bool_)
rules = Rules(here, unified, np.array([25.0, 50.0]), np.array([[1, 1, 1, 1], [1, 2, 2, 4]]))
zeros = np.zeros(2, dtype=np.int8)
columns = Columns(zeros, zeros.astype(np.int16), zeros + 1, zeros, zeros + 40, zeros.astype(np.int32))
assert groups_of_cases(np.array([0, 1]), 0, rules, columns).tolist() == [2, 2]
copied, other = kept(columns, np.array([7, 8]))
assert copied.tolist() == [8] and other is columns.side
code = next(iter(groups_of_cases.inspect_asm().values()))
print("NRT_incref" in code.split("_ZN7cpython")[0])
"""


def test_nobody_counts_who_holds_an_argument(tmp_path: Path) -> None:
    """Not even in a rule that is asked for each row, which ends in two places."""
    (tmp_path / "holding.py").write_text(HOLDING, "utf-8")
    done = subprocess.run(
        [sys.executable, str(tmp_path / "holding.py")],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "NUMBA_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["False"], done.stdout
