"""Studies side by side: one at a time in a folder, and no run made twice that a study beside it has made already.

Every study's folder holds all of its own runs, so that it can be read, checked and moved alone. A run that a study in a
folder beside it has made is linked into it: one file on the disk with two names, which takes no room and lasts until
both are deleted. A run file is never written to, only put in place of another whole, so no study changes what
another has. What a failing disk or another program changes in a shared file is changed in both: each finds it, by the
hash, when it reads the file, and makes its own run again. Where the disk knows no links, it is copied.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from simulation.experiment.runfiles import (
    RUNS_FOLDER,
    DamagedRunFile,
    RunRecord,
    check_run,
    run_path,
    write_atomically,
)


class CannotSave(Exception):
    """A result can't be written: the disk is full or not to be written to. The message says where and why."""


def why_not_saved(error: OSError, folder: Path) -> str:
    """Return one line about a write that failed, naming the folder as the user did."""
    return f"{folder.as_posix()} can't be written to: {error.strerror or error}"


_held: set[tuple[Path, int]] = set()
"""Folders kept to this process, and the thread that keeps each."""


@contextlib.contextmanager
def one_at_a_time(folder: Path, tell: Callable[[str], None]) -> Iterator[None]:
    """Keep a study's folder to this process; wait while another has it. Inside, it may be asked for again.

    The system lets go when a process ends, however it ends. Windows, and disks that know no locks, keep nobody out.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the study; it exists.
    tell : callable
        Called with a sentence before waiting.
    """
    own = folder.resolve(), threading.get_ident()
    if sys.platform == "win32" or own in _held:
        yield
        return
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell(f"Another process is at work in {folder.as_posix()}; this one goes on when it has finished.")
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError:
            pass
        _held.add(own)
        yield
    finally:
        _held.discard(own)
        os.close(handle)


def studies_beside(folder: Path) -> list[Path]:
    """Return the folders beside a study's own that hold runs, by name."""
    own = folder.resolve()
    try:
        return [path for path in sorted(own.parent.iterdir()) if path != own and (path / RUNS_FOLDER).is_dir()]
    except OSError:
        return []


def take_over(folder: Path, key: str) -> RunRecord | None:
    """Take a run from a study beside this one, if any has it whole.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of this study.
    key : str
        Key of a run that it doesn't have.

    Returns
    -------
    RunRecord or None
        What was taken: checked against its name and its own hash after it was linked, so that what was checked is
        what is kept.
    """
    target = run_path(folder, key)
    for study in studies_beside(folder):
        source = run_path(study, key)
        try:
            if not source.is_file():
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            _link(source, target)
            return check_run(target)
        except DamagedRunFile:
            target.unlink(missing_ok=True)
        except OSError:
            # Gone in the meantime, or not to be read: then the run is made.
            continue
    return None


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        # Another disk, a disk without links, or a file of somebody else's.
        write_atomically(target, source.read_bytes())
