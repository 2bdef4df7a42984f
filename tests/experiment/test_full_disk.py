"""A disk that is full or not to be written to: one clear message, an exit code, and nothing lost."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from experiment_fake_parameters import write_parameters

from simulation.experiment import Study, StudyError, StudyResult, verify_folder
from simulation.experiment.runfiles import check_run

pytestmark = pytest.mark.skipif(os.name != "posix", reason="limits and mounts as POSIX systems have them")

MakeStudy = Callable[..., Study]
HERE = Path(__file__).parent
RUNS = 8

SCRIPT = """
import sys
sys.path[:0] = [{root!r}, {here!r}]
import datetime as dt
import resource
from simulation.commands.compare import run_and_tell
from simulation.experiment import Study
from simulation.scenario import Assignment, Change, Scenario, load_geography, load_parameters, resolve

def made(name, shift):
    changes = (Change(dt.date(2017, 4, 1), (Assignment("set", "fake.shift", shift),)),) if shift else ()
    dates = dt.date(2016, 11, 1), dt.date(2017, 1, 1), dt.date(2017, 12, 31)
    return resolve(Scenario(name, name.title(), *dates, changes=changes), load_parameters({parameters!r}),
                   load_geography(), areas="durham,cumbria")

if __name__ == "__main__":
    if len(sys.argv) > 2:
        # Workers have the limit of their parent.
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
    study = Study([made("base", 0), made("more", 50)], replications=4, workers=1, out=sys.argv[1],
                  runner="experiment_fake_model")
    sys.exit(run_and_tell(study))
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    (tmp_path / "parameters").mkdir()
    write_parameters(tmp_path / "parameters")
    path = tmp_path / "script.py"
    places = {"root": str(HERE.parents[1]), "here": str(HERE), "parameters": str(tmp_path / "parameters")}
    path.write_text(SCRIPT.format(**places), encoding="utf-8")
    return path


def run(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=300)


def told(done: subprocess.CompletedProcess[str]) -> str:
    """What was said at the end; there is one message and no traceback."""
    assert "Traceback" not in done.stderr + done.stdout, done.stderr
    lines = [line for line in done.stderr.splitlines() if not line.startswith(("base: ", "more: "))]
    lines = [line for line in lines if line != "Nothing was run."]
    assert len(lines) == 1, done.stderr
    return lines[0]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> StudyResult:
    """The study on a disk with room enough."""
    place = tmp_path_factory.mktemp("whole")
    (place / "parameters").mkdir()
    write_parameters(place / "parameters")
    path = place / "script.py"
    places = {"root": str(HERE.parents[1]), "here": str(HERE), "parameters": str(place / "parameters")}
    path.write_text(SCRIPT.format(**places), encoding="utf-8")
    done = run(sys.executable, path, place / "study")
    assert done.returncode == 0, done.stderr
    return StudyResult(place / "study")


def size(result: StudyResult, name: str) -> int:
    return (result.folder / name).stat().st_size


def same(folder: Path, whole: StudyResult) -> None:
    """The study came out as it does on a disk with room enough."""
    assert verify_folder(folder) == []
    assert StudyResult(folder).fingerprint == whole.fingerprint
    for name in whole.manifest["outputs"]:
        assert (folder / name).read_bytes() == (whole.folder / name).read_bytes()


@pytest.mark.parametrize("what", ["a run", "outcomes.parquet"])
def test_a_file_that_cannot_be_written_whole(script: Path, tmp_path: Path, whole: StudyResult, what: str) -> None:
    """The system's limit on the size of a file stands for a full disk: a write ends before all is written."""
    largest = max(path.stat().st_size for path in (whole.folder / "runs").iterdir())
    limit = largest - 1000 if what == "a run" else size(whole, "outcomes.parquet") - 1000
    assert limit > size(whole, "manifest.json")
    folder = tmp_path / "study"
    done = run(sys.executable, script, folder, limit)
    assert done.returncode == 1
    message = told(done)
    assert message.startswith(f"{folder.as_posix()} can't be written to: File too large. Finished runs are kept:")
    assert list(folder.rglob("*.part")) == []
    kept = list((folder / "runs").glob("*.parquet"))
    assert len(kept) == RUNS if what == "outcomes.parquet" else len(kept) < RUNS
    for path in kept:
        check_run(path)
    assert verify_folder(folder) == ["manifest.json: the study is not finished (it is failed)."]

    assert run(sys.executable, script, folder).returncode == 0
    same(folder, whole)


def can_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    return run("unshare", "-rm", "sh", "-c", "mount -t tmpfs -o size=64k tmpfs /mnt").returncode == 0


@pytest.fixture(scope="module")
def mounting() -> None:
    if not can_mount():
        pytest.skip("no file system may be mounted here: the same without one is tested above")


def with_mount(script: Path, place: Path, steps: str) -> subprocess.CompletedProcess[str]:
    """Run shell commands that see a file system of their own at ``$M``; it is gone with them."""
    (place / "disk").mkdir()
    given = {"M": place / "disk", "OUT": place / "kept", "PYTHON": sys.executable, "SCRIPT": script}
    head = "".join(f"{name}='{value}'\n" for name, value in given.items())
    return run("unshare", "-rm", "sh", "-c", f"{head}set -e\n{steps}")


@pytest.mark.usefixtures("mounting")
@pytest.mark.parametrize("when", ["at the start", "among the runs", "at the tables"])
def test_a_full_disk(script: Path, tmp_path: Path, whole: StudyResult, when: str) -> None:
    """On a small file system in memory; then with more room on it."""
    run_sizes = sum(path.stat().st_size for path in (whole.folder / "runs").iterdir())
    room = {
        "at the start": 1_000_000,
        "among the runs": run_sizes // 2,
        "at the tables": run_sizes + size(whole, "outcomes.parquet") // 2 + 60_000,
    }[when]
    done = with_mount(
        script,
        tmp_path,
        f"""
        mount -t tmpfs -o size={-(-room // 4096) * 4096} tmpfs "$M"
        {'head -c 2000000 /dev/zero >"$M/film" 2>/dev/null || true' if when == "at the start" else ":"}
        code=0; "$PYTHON" "$SCRIPT" "$M/study" || code=$?
        cp -a "$M/study" "$OUT" || true
        mount -o remount,size=50m "$M"
        "$PYTHON" "$SCRIPT" "$M/study" >/dev/null 2>"$OUT.again.txt"
        cp -a "$M/study" "$OUT.again"
        exit $code
        """,
    )
    assert done.returncode == (2 if when == "at the start" else 1), done.stderr
    assert "disk/study can't be written to: No space left on device." in told(done)
    kept = tmp_path / "kept"
    runs = list((kept / "runs").glob("*.parquet"))
    assert list(kept.rglob("*.part")) == []
    assert {"at the start": len(runs) == 0, "at the tables": len(runs) == RUNS}.get(when, 0 < len(runs) < RUNS)
    for path in runs:
        check_run(path)
    again = (tmp_path / "kept.again.txt").read_text()
    assert again.count("runs done") == RUNS - len(runs), "what was kept was made again"
    same(tmp_path / "kept.again", whole)


@pytest.mark.usefixtures("mounting")
@pytest.mark.parametrize("finished", [False, True])
def test_a_folder_that_may_not_be_written_to(
    script: Path, tmp_path: Path, whole: StudyResult, finished: bool
) -> None:
    copy = f'cp -a "{whole.folder}" "$M/study"' if finished else ":"
    done = with_mount(
        script,
        tmp_path,
        f"""
        mount -t tmpfs -o size=50m tmpfs "$M"
        {copy}
        mount -o remount,ro "$M"
        code=0; "$PYTHON" "$SCRIPT" "$M/study" || code=$?
        cp -a "$M" "$OUT"
        exit $code
        """,
    )
    assert done.returncode == 2
    assert "disk/study can't be written to: Read-only file system." in told(done)
    assert "Nothing was run." in done.stderr
    if finished:
        same(tmp_path / "kept" / "study", whole)
    else:
        assert list((tmp_path / "kept").iterdir()) == []


def test_a_folder_of_somebody_else(make_study: MakeStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can be mounted and nobody is anybody else: the system's own answer, made up."""

    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "manifest.json")

    monkeypatch.setattr("simulation.experiment.study.write_manifest", refused)
    with pytest.raises(StudyError) as caught:
        make_study().run(quiet=True)
    assert caught.value.problems == [f"{(tmp_path / 'study').as_posix()} can't be written to: Permission denied."]
    assert list((tmp_path / "study").iterdir()) == []


LARGE = """
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
import numpy as np
import polars as pl
from simulation.experiment.runfiles import write_parquet_atomically
frame = pl.DataFrame({{"value": np.arange(2_000_000) * 7919 % 1_000_003}})
frame.write_parquet({source!r})
for what in (frame, pl.scan_parquet({source!r})):
    try:
        write_parquet_atomically(Path(sys.argv[1]) / "large.parquet", what, {{}})
    except OSError as error:
        print(error.errno)
"""


@pytest.mark.usefixtures("mounting")
def test_a_full_disk_is_known_with_files_as_large_as_real_ones(tmp_path: Path) -> None:
    """Polars writes a large table in pieces, and doesn't say why one of them could not be written."""
    script = tmp_path / "large.py"
    places = {"root": str(HERE.parents[1]), "source": str(tmp_path / "source.parquet")}
    script.write_text(LARGE.format(**places), encoding="utf-8")
    done = with_mount(script, tmp_path, 'mount -t tmpfs -o size=300k tmpfs "$M"; "$PYTHON" "$SCRIPT" "$M"; ls -A "$M"')
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(errno.ENOSPC)] * 2
