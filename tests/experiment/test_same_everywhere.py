"""The same run files whatever order Python's own hashes have, and under another version of Python."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from experiment_fake_parameters import write_parameters

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

SCRIPT = """
import sys
sys.path[:0] = [{root!r}, {here!r}]
import datetime as dt
from simulation.experiment import Study
from simulation.scenario import Scenario, load_geography, load_parameters, resolve

if __name__ == "__main__":
    dates = dt.date(2016, 11, 1), dt.date(2017, 1, 1), dt.date(2017, 12, 31)
    base = resolve(Scenario("base", "Base", *dates), load_parameters({parameters!r}), load_geography(), areas="gwent")
    Study([base], replications=2, workers=1, out=sys.argv[1], runner="experiment_fake_model").run(quiet=True)
"""


def files(folder: Path) -> dict[str, bytes]:
    """Every file of a study but its manifest, which tells times."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.name != "manifest.json")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_hashes_of_another_order_give_the_same_files(tmp_path: Path) -> None:
    (tmp_path / "parameters").mkdir()
    write_parameters(tmp_path / "parameters")
    script = tmp_path / "script.py"
    places = {"root": str(ROOT), "here": str(HERE), "parameters": str(tmp_path / "parameters")}
    script.write_text(SCRIPT.format(**places), encoding="utf-8")
    for seed in ("0", "4242"):
        command = [sys.executable, str(script), str(tmp_path / seed)]
        subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": seed}, check=True, timeout=120)
    assert len(list((tmp_path / "0" / "runs").iterdir())) == 2
    assert files(tmp_path / "0") == files(tmp_path / "4242")


def test_another_python_gives_the_same_run_files(tmp_path: Path) -> None:
    """The model itself, in one area; the automatic check names the newest Python there is."""
    other = os.environ.get("OTHER_PYTHON")
    if not other:
        pytest.skip("OTHER_PYTHON names no other Python that has the packages of this project")
    contents = []
    for number, python in enumerate((sys.executable, other)):
        folder = tmp_path / str(number)
        command = [python, str(ROOT / "run.py"), "compare", "baseline", "hdc_expansion", "--areas", "gwent", "--fresh"]
        command += ["--until", "2017-12-31", "--replications", "1", "--workers", "1", "--out", str(folder)]
        subprocess.run(command, check=True, timeout=1200, stdout=subprocess.DEVNULL)
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        contents.append([(run["key"], run["content"]) for run in manifest["runs"]])
    assert contents[0] == contents[1]
