"""Studies beside each other and at the same time, and studies that grow."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from experiment_fake_parameters import write_parameters
from experiment_helpers import Notes, contents, tables

from simulation.experiment import Study, StudyError, StudyResult, verify_folder
from simulation.experiment.runfiles import run_path
from simulation.experiment.sharing import one_at_a_time, studies_beside, take_over
from simulation.scenario import Resolved

MakeScenario = Callable[..., Resolved]
MakeStudy = Callable[..., Study]
HERE = Path(__file__).parent

SCRIPT = """
import sys
sys.path[:0] = [{root!r}, {here!r}]
import datetime as dt
from simulation.commands.compare import run_and_tell
from simulation.experiment import Study
from simulation.scenario import Assignment, Change, Scenario, load_geography, load_parameters, resolve

def made(name, shift):
    changes = (Change(dt.date(2017, 4, 1), (Assignment("set", "fake.shift", shift),)),) if shift else ()
    dates = dt.date(2016, 11, 1), dt.date(2017, 1, 1), dt.date(2017, 12, 31)
    return resolve(Scenario(name, name.title(), *dates, changes=changes), load_parameters({parameters!r}),
                   load_geography(), areas="durham,cumbria")

if __name__ == "__main__":
    chosen = [made("base", 0), *(made("by_" + shift, int(shift)) for shift in sys.argv[3:])]
    study = Study(chosen, replications=int(sys.argv[2]), workers=1, out=sys.argv[1], runner="experiment_fake_model",
                  reuse=True)
    sys.exit(run_and_tell(study))
"""


def start(tmp_path: Path, name: str, replications: int, *shifts: int) -> subprocess.Popen[str]:
    """Begin a study with the fake model in a process of its own."""
    script = tmp_path / "script.py"
    if not script.exists():
        (tmp_path / "parameters").mkdir()
        write_parameters(tmp_path / "parameters")
        places = {"root": str(HERE.parents[1]), "here": str(HERE), "parameters": str(tmp_path / "parameters")}
        script.write_text(SCRIPT.format(**places), encoding="utf-8")
    command = [sys.executable, str(script), str(tmp_path / "results" / name), str(replications), *map(str, shifts)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)


def test_a_run_made_beside_is_taken_and_takes_no_room(
    finished: StudyResult, make_study: MakeStudy, make_scenario: MakeScenario, tmp_path: Path
) -> None:
    shutil.copytree(finished.folder, tmp_path / "first")
    notes = Notes()
    other = make_study(make_scenario("base"), make_scenario("less", -30), out="second", reuse=True).run(notes)
    assert sorted(notes.made) == [("less", 0), ("less", 1), ("less", 2)]
    assert notes.done == {"base": 3, "less": 0}
    assert "3 runs were taken from studies beside this one; --fresh makes every run anew." in notes.texts
    for label, content in contents(other).items():
        if label[0] == "base":
            assert content == contents(finished)[label]
    shared = [path for path in (other.folder / "runs").iterdir() if path.stat().st_nlink == 2]
    assert len(shared) == 3

    # Each folder stands alone: one is deleted, one moved, one harmed, and the other is as it was.
    before = {path.name: path.read_bytes() for path in shared}
    target = tmp_path / "first" / "runs" / shared[0].name
    replacement = target.with_suffix(".new")
    replacement.write_bytes(b"harm")
    os.replace(replacement, target)
    assert verify_folder(other.folder) == []
    shutil.rmtree(tmp_path / "first")
    moved = shutil.move(other.folder, tmp_path / "elsewhere")
    assert verify_folder(moved) == []
    assert {path.name: path.read_bytes() for path in (Path(moved) / "runs").iterdir() if path.name in before} == before
    harmed = Path(moved) / "runs" / shared[0].name
    harmed.write_bytes(harmed.read_bytes()[:-1] + b"x")
    assert [problem for problem in verify_folder(moved) if harmed.name in problem]


def test_nothing_is_taken_unasked(finished: StudyResult, make_study: MakeStudy, tmp_path: Path) -> None:
    """Else a study made again to see whether it comes out the same would only be compared with itself."""
    shutil.copytree(finished.folder, tmp_path / "first")
    notes = Notes()
    again = make_study(out="second").run(notes)
    assert len(notes.made) == 6
    assert all(path.stat().st_nlink == 1 for path in (again.folder / "runs").iterdir())
    assert again.fingerprint == finished.fingerprint


def test_a_damaged_run_beside_is_not_taken(finished: StudyResult, make_study: MakeStudy, tmp_path: Path) -> None:
    shutil.copytree(finished.folder, tmp_path / "first")
    shutil.copytree(finished.folder, tmp_path / "later")
    paths = sorted((tmp_path / "first" / "runs").iterdir())
    paths[0].write_bytes(paths[0].read_bytes()[:-50])
    paths[1].write_bytes(paths[2].read_bytes())
    (tmp_path / "later" / "runs" / paths[1].name).unlink()
    notes = Notes()
    result = make_study(out="second", reuse=True).run(notes)
    # One is sound in another study beside, one nowhere.
    assert len(notes.made) == 1
    assert result.fingerprint == finished.fingerprint
    assert verify_folder(result.folder) == []


def test_where_nothing_can_be_linked_runs_are_copied(
    finished: StudyResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(finished.folder, tmp_path / "first")
    key = finished.manifest["runs"][0]["key"]

    def refused(*_: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr("simulation.experiment.sharing.os.link", refused)
    record = take_over(tmp_path / "second", key)
    assert record is not None and record.key == key
    assert run_path(tmp_path / "second", key).stat().st_nlink == 1
    assert take_over(tmp_path / "second", "no such run") is None
    assert take_over(tmp_path / "nowhere" / "second", key) is None
    assert [path.name for path in studies_beside(tmp_path / "third")] == ["first", "second"]


def test_two_studies_at_once_share_what_either_has_finished(tmp_path: Path, make_scenario: MakeScenario) -> None:
    """Both with the same baseline, one begun when the other has made some of its runs."""
    first = start(tmp_path, "one", 60, 50)
    assert first.stderr is not None
    for line in first.stderr:
        if "runs done" in line:
            break
    second = start(tmp_path, "two", 60, 70)
    told = [second.communicate(timeout=120)[1], first.communicate(timeout=120)[1]]
    assert (first.returncode, second.returncode) == (0, 0), told
    alone = start(tmp_path, "../alone/two", 60, 70)
    alone.communicate(timeout=120)

    folders = [tmp_path / "results" / name for name in ("one", "two")]
    assert [verify_folder(folder) for folder in folders] == [[], []]
    assert StudyResult(folders[1]).fingerprint == StudyResult(tmp_path / "alone" / "two").fingerprint
    assert tables(StudyResult(folders[1])) == tables(StudyResult(tmp_path / "alone" / "two"))
    keys = [{path.name for path in (folder / "runs").iterdir()} for folder in folders]
    both = keys[0] & keys[1]
    assert len(both) == 60 and len(keys[0]) == len(keys[1]) == 120
    shared = [name for name in both if (folders[0] / "runs" / name).samefile(folders[1] / "runs" / name)]
    assert shared


@pytest.mark.skipif(sys.platform == "win32", reason="folders are not locked there")
def test_two_processes_in_one_folder_take_turns(tmp_path: Path) -> None:
    """The second waits, then finds everything done; a third adds to it."""
    first = start(tmp_path, "study", 40, 50)
    assert first.stderr is not None
    for line in first.stderr:
        if "runs done" in line:
            break
    second = start(tmp_path, "study", 40, 50)
    third = start(tmp_path, "study", 45, 50, 70)
    told = [process.communicate(timeout=120)[1] for process in (first, second, third)]
    codes = (first.returncode, second.returncode, third.returncode)
    # The third may come before the second, whose smaller study is then refused in plain words.
    assert codes in ((0, 0, 0), (0, 2, 0)), told
    assert "Another process is at work in" in told[1] and "Another process is at work in" in told[2]
    if codes[1]:
        assert "45 replications, now 40" in told[1]
    result = StudyResult(tmp_path / "results" / "study")
    assert verify_folder(result.folder) == []
    assert result.manifest["replications"] == 45
    assert len(result.manifest["runs"]) == 3 * 45


@pytest.mark.skipif(sys.platform == "win32", reason="folders are not locked there")
def test_a_folder_is_free_again_after_an_exception(tmp_path: Path) -> None:
    texts: list[str] = []
    with pytest.raises(ValueError, match="some failure"), one_at_a_time(tmp_path, texts.append):
        raise ValueError("some failure")
    order: list[str] = []

    def other() -> None:
        with one_at_a_time(tmp_path, texts.append):
            order.append("second")

    with one_at_a_time(tmp_path, texts.append):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(0.2)
        order.append("first")
    thread.join(5)
    assert order == ["first", "second"]
    assert len(texts) == 1 and "Another process is at work" in texts[0]


def test_a_study_grows_and_is_as_if_made_at_once(make_study: MakeStudy, make_scenario: MakeScenario) -> None:
    base, more, extra = make_scenario("base"), make_scenario("more", 50), make_scenario("extra", 9)
    make_study(base, more, replications=2).run(quiet=True)
    notes = Notes()
    make_study(base, more, extra, replications=2).run(notes)
    assert sorted(notes.made) == [("extra", 0), ("extra", 1)]
    notes = Notes()
    grown = make_study(base, more, extra, replications=4).run(notes)
    assert len(notes.made) == 6
    notes = Notes()
    grown = make_study(base, more, extra, replications=4, effects=True).run(notes)
    assert len(notes.made) == 12
    whole = make_study(base, more, extra, replications=4, effects=True, out="at_once").run(quiet=True)
    assert grown.fingerprint == whole.fingerprint
    assert tables(grown) == tables(whole)
    assert (grown.folder / "outcomes.parquet").read_bytes() == (whole.folder / "outcomes.parquet").read_bytes()
    assert verify_folder(grown.folder) == []


def test_a_study_does_not_shrink_unasked(make_study: MakeStudy, make_scenario: MakeScenario) -> None:
    base, more, extra = make_scenario("base"), make_scenario("more", 50), make_scenario("extra", 9)
    folder = make_study(base, more, extra, replications=2).run(quiet=True).folder
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for study, words in (
        (make_study(base, more, extra, replications=1), "2 replications, now 1"),
        (make_study(base, more, replications=3), "scenario extra, now left out"),
        (make_study(base, more, make_scenario("extra", 10), replications=2), "extra with other values"),
        (make_study(more, base, extra, replications=2), "baseline base, now more"),
    ):
        with pytest.raises(StudyError, match=words):
            study.run(quiet=True)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
