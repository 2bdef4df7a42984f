"""The documents against the code: generated pages are fresh, names exist, links lead somewhere."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from simulation.scenario import load_parameters
from simulation.system.codes import PHASES
from simulation.system.invariants import Invariants

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "docs" / "model.md"
SYSTEM = ROOT / "simulation" / "system"
PAGES = sorted(
    path for path in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "scenarios").rglob("*.md"))
)
#: Calls that draw; a compiled loop takes the constant of a purpose and draws whichever form it needs.
DRAWS = {"uniform", "exponential", "normal", "poisson", "spread", "constant"}


@pytest.fixture(scope="module")
def model() -> str:
    """The description of the model."""
    return MODEL.read_text("utf-8")


@pytest.fixture(scope="module")
def parameter_names() -> set[str]:
    """Names of all parameters."""
    return set(load_parameters())


def maker() -> ModuleType:
    """The script that writes the data dictionary."""
    spec = importlib.util.spec_from_file_location("make_data_dictionary", ROOT / "docs" / "make_data_dictionary.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_data_dictionary_is_up_to_date() -> None:
    assert (ROOT / "docs" / "data_dictionary.md").read_text("utf-8") == maker().dictionary(), (
        "run python docs/make_data_dictionary.py"
    )


def named_parameters(text: str, subsystems: set[str]) -> set[str]:
    """What looks like the name of a parameter: words in backticks that begin with a subsystem and a dot."""
    quoted = re.findall(r"`([a-z_]+\.[a-z0-9_.*]+)`", text)
    return {name for name in quoted if name.partition(".")[0] in subsystems and not name.endswith((".yaml", ".py"))}


@pytest.mark.parametrize("page", [MODEL, ROOT / "README.md", ROOT / "CHANGELOG.md"], ids=lambda path: path.name)
def test_every_parameter_named_exists(page: Path, parameter_names: set[str]) -> None:
    subsystems = {name.partition(".")[0] for name in parameter_names}
    named = named_parameters(page.read_text("utf-8"), subsystems)
    missing = {
        name
        for name in named
        if name not in parameter_names
        and not (name.endswith("*") and any(known.startswith(name[:-1]) for known in parameter_names))
    }
    assert missing == set()


def test_every_parameter_is_described(model: str, parameter_names: set[str]) -> None:
    # A group named as "x.*" covers its members; bands of sentence length share one example.
    named = named_parameters(model, {name.partition(".")[0] for name in parameter_names})
    groups = [name[:-1] for name in named if name.endswith("*") and name != "population.*"] + ["custody.length_days_"]
    left_out = {
        name
        for name in parameter_names
        if name not in named and f"({name})" not in model and name not in model and not name.startswith(tuple(groups))
    }
    assert left_out == set()


def anchor(heading: str) -> str:
    """The anchor that a Markdown viewer gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower().replace("`", "")).replace(" ", "-")


def broken_links(page: Path) -> list[str]:
    """Links of a page to files or headings that don't exist."""
    broken = []
    text = re.sub(r"<!--.*?-->|^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, part = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        if not target.exists():
            broken.append(link)
        elif part and target.suffix == ".md":
            headings = re.findall(r"^#+ (.+)$", target.read_text("utf-8"), re.MULTILINE)
            if part not in {anchor(heading) for heading in headings}:
                broken.append(link)
    return broken


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    assert broken_links(page) == []


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One\n[a](#one) [b](#two) [c](nowhere.md) [d](https://example.org)\n", "utf-8")
    assert broken_links(page) == ["#two", "nowhere.md"]


def draws_in_code() -> dict[str, set[str]]:
    """Every purpose that the model draws for, with the forms it is drawn in."""
    found: dict[str, set[str]] = {}
    for path in sorted(SYSTEM.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in DRAWS):
                continue
            for argument in node.args:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    found.setdefault(argument.value, set()).add(node.func.attr)
                elif isinstance(argument, ast.BinOp) and isinstance(argument.left, ast.Constant):
                    # "life sentence: " + name, of two series.
                    for name in ("unreleased", "recalled"):
                        found.setdefault(f"{argument.left.value}{name}", set()).add(node.func.attr)
    return found


def test_the_table_of_draws_is_complete(model: str) -> None:
    table = model.partition("\n## Table of draws\n")[2]
    lines = re.findall(r"^\| `([^`]+)` \| (\w+) \| ", table, re.MULTILINE)
    assert len(lines) == len(dict(lines)), "a purpose stands twice"
    found = draws_in_code()
    assert dict(lines).keys() == found.keys()
    for name, form in lines:
        assert found[name] <= {form, "constant"}, name


def test_the_phases_stand_in_their_order(model: str) -> None:
    section = model.partition("\n## Time and the day\n")[2].partition("\n## ")[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == PHASES


def test_the_invariants_are_all_listed(model: str) -> None:
    section = model.partition("\n## Invariants\n")[2].partition("\n## ")[0]
    listed = re.findall(r"^\| ([^|]+?) \|", section, re.MULTILINE)[2:]
    assert listed == list(Invariants(None).laws)  # type: ignore[arg-type]


def test_the_channels_are_all_named(model: str) -> None:
    source = "".join(path.read_text("utf-8") for path in SYSTEM.glob("*.py"))
    channels = set(re.findall(r'service\.channel\("([^"]+)"\)', source))
    assert channels and {name for name in channels if f"`{name}`" not in model} == set()


def test_every_command_named_exists() -> None:
    from simulation.commands.app import COMMANDS

    commands = set(COMMANDS)
    text = "".join(page.read_text("utf-8") for page in PAGES)
    named = set(re.findall(r"python run\.py ([a-z]+)\b", text))
    assert named and named - commands == set()


def test_the_python_example_of_the_readme_is_a_program_that_exists() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", readme, re.DOTALL | re.MULTILINE)
    assert blocks
    names: set[str] = set()
    for block in blocks:
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom):
                names |= {f"{node.module}.{alias.name}" for alias in node.names}
    assert names == {"simulation.Study"}
    # Importing a study must be quick: no plotting library, no run.
    done = subprocess.run(
        [sys.executable, "-c", "from simulation import Study"], cwd=ROOT, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
