"""The shape of the project: which way imports point, where chance comes from, what a clone may rely on."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "simulation"
MODULES = sorted(PACKAGE.rglob("*.py"))

#: What each part of the package may import from the rest of it. A part not named here may import anything.
MAY_IMPORT = {
    "engine": {"engine"},
    "measures": {"measures"},
    "scenario": {"scenario", "measures", "engine"},
    "system": {"system", "engine", "scenario", "measures"},
    "experiment": {"experiment", "system", "engine", "scenario", "measures"},
    "evidence": {"evidence", "experiment", "system", "engine", "scenario", "measures"},
    "report": {"report", "measures"},
}

#: About 500 is what can be read in one sitting; nobody should have to cut a line to get under a limit.
LONGEST_MODULE_LINES = 550


def imports(tree: ast.AST, module: str, is_package: bool) -> Iterator[tuple[str, int]]:
    """Every dotted name that a module imports, at its top or inside a function, with the line.

    ``from a import b`` gives ``a.b``, because ``b`` may be a module.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = module.split(".")
                drop = node.level - (1 if is_package else 0)
                parents = parents[: len(parents) - drop]
                base = ".".join([*parents, *([base] if base else [])])
            for alias in node.names:
                yield f"{base}.{alias.name}", node.lineno


def wrong_imports(source: str, module: str, is_package: bool = False) -> list[str]:
    """Imports of a module that point the wrong way, as messages."""
    part = module.split(".")[1] if module.count(".") else ""
    allowed = MAY_IMPORT.get(part)
    if allowed is None:
        return []
    wrong = set()
    for name, line in imports(ast.parse(source), module, is_package):
        head, _, rest = name.partition(".")
        target = rest.split(".")[0]
        if head == "simulation" and target not in allowed:
            wrong.add(f"{module}:{line}: {part} must not import {name}")
    return sorted(wrong)


def hidden_randomness(source: str, module: str) -> list[str]:
    """Uses of Python's or NumPy's random numbers, as messages."""
    tree = ast.parse(source)
    found = {
        f"{module}:{line}: {name}"
        for name, line in imports(tree, module, False)
        if name.partition(".")[0] in {"random", "secrets"}
        or (name + ".").startswith(("numpy.random.", "scipy.random."))
    }
    numpy_names = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name == "numpy"
    }
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Attribute)
            and node.attr == "random"
            and isinstance(node.value, ast.Name)
            and node.value.id in numpy_names
        ):
            found.add(f"{module}:{node.lineno}: numpy.random")
    return sorted(found)


def dotted(path: Path) -> tuple[str, bool]:
    """Module name of a file, and whether it is a package's ``__init__``."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    is_package = parts[-1] == "__init__"
    return ".".join(parts[:-1] if is_package else parts), is_package


def tracked_files() -> list[Path]:
    """Files that a clone would hold; skips the test outside a clone."""
    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False
    )
    if listing.returncode:
        pytest.skip("not a clone: there is no list of tracked files")
    paths = [ROOT / name for name in listing.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path: Path) -> None:
    module, is_package = dotted(path)
    assert wrong_imports(path.read_text("utf-8"), module, is_package) == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_chance_comes_from_the_engine_alone(path: Path) -> None:
    module, _ = dotted(path)
    assert hidden_randomness(path.read_text("utf-8"), module) == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_can_be_read_in_one_sitting(path: Path) -> None:
    lines = path.read_text("utf-8").count("\n")
    assert lines <= LONGEST_MODULE_LINES


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("simulation.engine.clock", "from simulation.scenario import load_scenario"),
        ("simulation.engine.clock", "from simulation import system"),
        ("simulation.engine.clock", "from ..measures import registry"),
        ("simulation.engine.clock", "import simulation"),
        ("simulation.measures.registry", "import simulation.engine.clock"),
        ("simulation.scenario.load", "from simulation.system import run_model"),
        ("simulation.system.courts", "def f():\n    from simulation.experiment import Study"),
        ("simulation.experiment.study", "def f():\n    from simulation.report import write_report"),
        ("simulation.report.pages", "from simulation.scenario import load_parameters"),
    ],
)
def test_an_import_the_wrong_way_is_found(module: str, source: str) -> None:
    assert len(wrong_imports(source, module)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("simulation.system.courts", "from simulation.engine.clock import Clock"),
        ("simulation.system.courts", "from simulation import engine"),
        ("simulation.system.courts", "from . import caseload"),
        ("simulation.commands.compare", "def f():\n    from simulation.report import write_report"),
        ("simulation.report.pages", "from simulation.measures.registry import MEASURES"),
    ],
)
def test_an_import_the_right_way_is_let_through(module: str, source: str) -> None:
    assert wrong_imports(source, module) == []


@pytest.mark.parametrize(
    "source",
    [
        "import random",
        "from random import choice",
        "import numpy.random",
        "from numpy import random",
        "from numpy.random import default_rng",
        "import numpy as np\nx = np.random.default_rng(1)",
        "import numpy\nx = numpy.random.rand()",
    ],
)
def test_hidden_randomness_is_found(source: str) -> None:
    assert hidden_randomness(source, "simulation.system.courts")


def test_no_tracked_file_depends_on_one_machine() -> None:
    # Written in pieces so that this file does not name what it forbids. A folder counts only where a path
    # starts, not in the middle of a web address.
    index_hosts = "|".join(["py" + r"pi\.org", "python" + "hosted", "find" + "-links", "index" + "-url"])
    folders = "|".join(["work", "tmp/" + "build", "opt/" + "wheels", "root", "home", "Users"])
    pattern = re.compile(rf"{index_hosts}|(?<![\w.~*-])/(?:{folders})/")
    found = []
    for path in tracked_files():
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:  # pictures
            continue
        found += [
            f"{path.relative_to(ROOT)}:{number}: {match.group()}"
            for number, line in enumerate(text.splitlines(), 1)
            if (match := pattern.search(line))
        ]
    assert found == []


def test_the_readme_begins_with_the_two_commands() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    block = re.search(r"^```[^\n]*\n(.*?)^```", readme, re.DOTALL | re.MULTILINE)
    assert block is not None
    assert block.group(1).splitlines() == [
        "python -m pip install -q -c constraints.txt -e . && python run.py",
        'python -m pip install -q -c constraints.txt -e ".[test]" && python -m pytest',
    ]


def test_constraints_pin_every_requirement_exactly() -> None:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert [pin for pin in pins if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", pin)] == []
    pinned = {re.sub(r"[-_.]+", "-", pin.partition("==")[0]).lower() for pin in pins}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    wanted = [*project["dependencies"], *(item for extra in extras for item in extra)]
    names = {re.sub(r"[-_.]+", "-", re.split(r"[<>=!~;\[ ]", item, maxsplit=1)[0]).lower() for item in wanted}
    assert names - pinned == set()
