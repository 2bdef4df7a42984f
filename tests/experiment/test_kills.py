"""kill -9 on everything at once, at any moment: what was finished survives, and the rest comes out the same."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from experiment_fake_parameters import write_parameters

from simulation.experiment import StudyResult, verify_folder
from simulation.experiment.runfiles import check_run

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills a group of processes as POSIX systems do")

HERE = Path(__file__).parent

SCRIPT = """
import sys
sys.path[:0] = [{root!r}, {here!r}]
import datetime as dt
from simulation.experiment import Study
from simulation.scenario import Assignment, Change, Scenario, load_geography, load_parameters, resolve

def made(name, shift):
    changes = (Change(dt.date(2017, 4, 1), (Assignment("set", "fake.shift", shift),)),) if shift else ()
    dates = dt.date(2016, 11, 1), dt.date(2017, 1, 1), dt.date(2017, 12, 31)
    scenario = Scenario(name, name.title(), *dates, changes=changes)
    return resolve(scenario, load_parameters({parameters!r}), load_geography(), areas="durham,cumbria")

if __name__ == "__main__":
    if {real!r}:
        study = Study(["baseline", "hdc_expansion"], areas="cumbria", until="2017-12-31", replications=2, workers=2,
                      out=sys.argv[1])
    else:
        study = Study([made("base", 0), made("more", 50)], replications=8, workers=2, out=sys.argv[1],
                      runner="experiment_fake_model")
    study.run()
"""


@dataclass
class Killing:
    """Starts one and the same study in different folders.

    Parameters
    ----------
    script : pathlib.Path
        Makes the study in the folder that it is given.
    whole : pathlib.Path
        Folder of the study made without being disturbed.
    seconds : float
        How long that took.
    """

    script: Path
    whole: Path
    seconds: float = 0.0

    def start(self, folder: Path, messages: Path) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(self.script), str(folder)]
        with messages.open("wb") as file:
            return subprocess.Popen(command, stderr=file, start_new_session=True)

    def finish(self, folder: Path, messages: Path) -> None:
        process = self.start(folder, messages)
        assert process.wait(300) == 0, messages.read_text()


def prepared(tmp_path: Path, real: bool = False) -> Killing:
    (tmp_path / "parameters").mkdir()
    write_parameters(tmp_path / "parameters")
    script = tmp_path / "script.py"
    places = {"root": str(HERE.parents[1]), "here": str(HERE), "parameters": str(tmp_path / "parameters")}
    script.write_text(SCRIPT.format(**places, real=real), encoding="utf-8")
    killing = Killing(script, tmp_path / "whole")
    if real:
        # Compiled code is kept from one process to the next; the second time tells how long the study takes.
        killing.finish(tmp_path / "first", tmp_path / "first.txt")
    began = time.monotonic()
    killing.finish(killing.whole, tmp_path / "whole.txt")
    killing.seconds = time.monotonic() - began
    return killing


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a finished study but the manifest, which tells times."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "manifest.json")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def killed_and_resumed(killing: Killing, place: Path, chance: random.Random) -> tuple[int, int]:
    """Kill a study at a random moment and make it again.

    Returns
    -------
    (int, int)
        Runs said to be done when it was killed, and run files that were there.
    """
    place.mkdir()
    folder, messages = place / "study", place / "messages.txt"
    process = killing.start(folder, messages)
    # Half of the kills at any moment at all, half from the first run on: it takes long to get that far.
    wait_for = chance.choice(["", "runs done"])
    while wait_for not in messages.read_text():
        time.sleep(0.01)
    time.sleep(chance.uniform(0, killing.seconds / (3 if wait_for else 1)))
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    said = len(re.findall(r"runs done", messages.read_text()))
    kept = {path: path.stat() for path in (folder / "runs").glob("*.parquet")}
    # Nothing that was told to be done is lost, and nothing that is there is half a file.
    assert len(kept) >= said
    for path in kept:
        check_run(path)

    killing.finish(folder, messages)
    for path, before in kept.items():
        after = path.stat()
        assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns), "made again"
    assert contents(folder) == contents(killing.whole)
    assert verify_folder(folder) == []
    assert StudyResult(folder).fingerprint == StudyResult(killing.whole).fingerprint
    assert "Traceback" not in messages.read_text()
    return said, len(kept)


def kill_often(killing: Killing, tmp_path: Path, times: int, runs: int) -> None:
    chance = random.Random(times)
    found = [killed_and_resumed(killing, tmp_path / f"kill {number}", chance) for number in range(times)]
    print(f"\n{times} kills over {killing.seconds:.1f} s: run files kept {sorted(kept for _, kept in found)}")
    # Otherwise nothing was cut short, or nothing was there to be kept.
    assert any(kept < runs for _, kept in found) or times < 20
    if times >= 20:
        assert any(0 < kept < runs for _, kept in found)
        assert any(kept == runs for _, kept in found)


def test_a_killed_study_resumes_to_the_same_bytes(tmp_path: Path) -> None:
    kill_often(prepared(tmp_path), tmp_path, 3, 16)


@pytest.mark.long
def test_ninety_random_kills(tmp_path: Path) -> None:
    kill_often(prepared(tmp_path), tmp_path, 90, 16)


@pytest.mark.long
def test_ten_random_kills_of_the_model_itself(tmp_path: Path) -> None:
    kill_often(prepared(tmp_path, real=True), tmp_path, 10, 4)


def test_a_study_killed_again_and_again_gets_there(tmp_path: Path) -> None:
    """Each time a little later: at last it is finished, with what all of them left."""
    killing = prepared(tmp_path)
    folder, messages = tmp_path / "study", tmp_path / "messages.txt"
    for part in (0.6, 0.7):
        process = killing.start(folder, messages)
        time.sleep(part * killing.seconds)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    killing.finish(folder, messages)
    assert contents(folder) == contents(killing.whole)
