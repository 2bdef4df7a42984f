"""Change one operator of a core rule at a time, and see whether a test notices.

``python tests/mutate.py --first 0 --last 100`` tries the mutations with these numbers of a fixed sample, each in a copy
of the project, and writes a line for each: file, line, what was changed, and the test that failed, or that it survived.
Not a test itself: a hundred take an hour or two.

Left out is what decides nothing: rows that are only asked for beforehand. A draw that is compared with a share is
turned round: that it equals the share happens to nobody, so ``<`` for ``<=`` would change nothing.
What else can change nothing is in ``tests/mutation_survivors.md``.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
SEED = 2018

#: Where the core rules stand: what is due when, chance, and the loops that decide about people.
CORE = (
    "engine/agenda.py",
    "engine/calendar.py",
    "engine/chance.py",
    "system/place.py",
    "system/allocation_loops.py",
    "system/choosing.py",
    "system/appointment_loops.py",
    "system/contact_rules.py",
    "system/contact_loops.py",
    "system/diary_loops.py",
    "system/officer_days.py",
    "system/court_loops.py",
    "system/enforcement_loops.py",
    "system/breach_court_loops.py",
    "system/recall_loops.py",
    "system/reception_loops.py",
    "system/custody_loops.py",
    "system/curfew_loops.py",
    "system/supervision_loops.py",
    "system/release_loops.py",
    "system/staffing.py",
    "system/recruitment_loops.py",
)

#: Tests in the order in which they are tried: the quick ones first.
TESTS = (
    "tests/engine",
    "tests/system/test_small_cases.py",
    "tests/system/test_diary_loops.py",
    "tests/system/test_edges_by_hand.py",
    "tests/twin",
    "tests/system/test_sentence_dates.py",
    "tests/system/test_conservation.py",
    "tests/system/test_orders_end.py",
    "tests/system/test_gate_rules.py",
    "tests/system/test_custody_and_recall.py",
    "tests/system/test_courts_and_breach.py",
    "tests/system/test_ways_of_contact.py",
    "tests/system/test_theory.py",
    "tests/system/test_recall_counts.py",
    "tests/system/test_gate.py",
    "tests/system/test_staffing.py",
    "tests/system/test_reach.py",
    "tests/system/test_metamorphic.py",
    "tests/system/test_levers.py",
    "tests/system/test_shared_luck.py",
)
_LONGEST = 900

_OTHER = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "+"),
    ast.FloorDiv: ("//", "*"),
    ast.And: ("and", "or"),
    ast.Or: ("or", "and"),
}
#: What a comparison of a draw becomes.
_TURNED = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}


@dataclass(frozen=True)
class Mutation:
    """One operator of one line replaced."""

    file: str
    line: int
    begin: int
    end: int
    was: str
    becomes: str

    def apply(self, root: Path) -> None:
        """Write it into a copy of the project."""
        path = root / "simulation" / self.file
        lines = path.read_bytes().splitlines(keepends=True)
        line = lines[self.line - 1]
        lines[self.line - 1] = line[: self.begin] + self.becomes.encode() + line[self.end :]
        path.write_bytes(b"".join(lines))

    def __str__(self) -> str:
        shown = (ROOT / "simulation" / self.file).read_text("utf-8").splitlines()[self.line - 1].strip()
        return f"{self.file}:{self.line}: `{self.was}` -> `{self.becomes}` in `{shown}`"


def mutations(file: str) -> Iterator[Mutation]:
    """Yield every operator inside the functions of a file that may be replaced."""
    source = (ROOT / "simulation" / file).read_text("utf-8")
    lines = source.splitlines()
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    seen: set[tuple[int, int]] = set()
    for function in functions:
        for statement in function.body:
            for node in _deciding(statement):
                for left, operator, right in _operands(node):
                    if type(operator) not in _OTHER or left.end_lineno != right.lineno:
                        continue
                    was, becomes = _OTHER[type(operator)]
                    if any("uniform" in ast.unparse(side) or "draw" in ast.unparse(side) for side in (left, right)):
                        becomes = _TURNED.get(was, becomes)
                    line = lines[right.lineno - 1].encode()
                    between = line[left.end_col_offset : right.col_offset].decode()
                    found = re.search(rf"(?<![\w<>=*/]){re.escape(was)}(?![\w<>=*/])", between)
                    if found is None or left.end_col_offset is None:
                        continue
                    begin = left.end_col_offset + found.start()
                    if (right.lineno, begin) not in seen:
                        seen.add((right.lineno, begin))
                        yield Mutation(file, right.lineno, begin, begin + len(was), was, becomes)


def _deciding(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a statement and all that is in it, but what is only fetched beforehand: it decides nothing."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "fetch_soon":
        return
    if isinstance(node, ast.Assign) and "AHEAD" in ast.unparse(node.value):
        node = ast.Module([node.value.elts[-1]], []) if isinstance(node.value, ast.Tuple) else ast.Module([], [])
    yield node
    for part in ast.iter_child_nodes(node):
        yield from _deciding(part)


def _operands(node: ast.AST) -> Iterator[tuple[ast.expr, ast.AST, ast.expr]]:
    if isinstance(node, ast.Compare):
        parts = [node.left, *node.comparators]
        yield from zip(parts, node.ops, parts[1:], strict=False)
    elif isinstance(node, ast.BinOp):
        yield node.left, node.op, node.right
    elif isinstance(node, ast.BoolOp):
        for left, right in zip(node.values, node.values[1:], strict=False):
            yield left, node.op, right


def sample(size: int = 100) -> list[Mutation]:
    """Return the sample: the same for the same files."""
    every = [mutation for file in CORE for mutation in mutations(file)]
    return random.Random(SEED).sample(every, size)


def tried(mutation: Mutation) -> str:
    """Return the first test that fails with a mutation; an empty text if it survives."""
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        copy = Path(folder) / "project"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".git", "__pycache__", "results", ".*_cache"))
        mutation.apply(copy)
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:cacheprovider", *TESTS]
        environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            done = subprocess.run(
                command, cwd=copy, env=environment, capture_output=True, text=True, timeout=_LONGEST, check=False
            )
        except subprocess.TimeoutExpired:
            return "no end"
    if done.returncode == 0:
        return ""
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, flags=re.MULTILINE)
    return failed.group(1) if failed else f"pytest ended with {done.returncode}"


def main() -> None:
    """Try a part of the sample."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--first", type=int, default=0)
    asked.add_argument("--last", type=int, default=100)
    asked.add_argument("--list", action="store_true", help="only list them")
    options = asked.parse_args()
    caught = 0
    for number, mutation in enumerate(sample()):
        if not options.first <= number < options.last:
            continue
        test = "" if options.list else tried(mutation)
        caught += bool(test)
        print(f"{number:3d} {'caught by ' + test if test else 'SURVIVED' * (not options.list)} {mutation}", flush=True)
    if not options.list:
        print(f"{caught} of {options.last - options.first} caught")


if __name__ == "__main__":
    main()
