"""Compiled loops, for work that numpy would do in a long chain of small calls.

A function marked :func:`compiled` is plain Python over arrays and numbers. Numba turns it into machine code when it is
first called, and keeps that on disk. With ``NUMBA_DISABLE_JIT=1`` in the environment the same lines run interpreted,
some hundred times slower, to the same bytes: only whole numbers, + − × ÷ √, comparisons and tables are used,
and nothing is reordered.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba

Function = TypeVar("Function", bound=Callable[..., Any])

_PACKAGE = Path(__file__).parents[1]
_KEPT_FOR_SECONDS = 7 * 86_400

#: Every compiled loop that has been imported.
LOOPS: list[Any] = []


def _keep_by_source() -> Path | None:
    """Keep machine code apart for every state of the sources that compiled loops are made of.

    Numba looks at the file of a loop alone: a number or a rule changed in another file would go unseen. Every file that
    speaks of compiled loops counts, so a module of constants that they use says so.
    """
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted(_PACKAGE.rglob("*.py")):
        source = path.read_bytes()
        if b"compiled" in source:
            digest.update(source)
    kept = _PACKAGE / "__pycache__" / "compiled"
    mine = kept / digest.hexdigest()
    try:
        mine.mkdir(parents=True, exist_ok=True)
        mine.touch()
        for other in kept.iterdir():
            if time.time() - other.stat().st_mtime > _KEPT_FOR_SECONDS:
                shutil.rmtree(other, ignore_errors=True)
    except OSError:
        return None  # Nothing may be written here: numba finds a place of its own, and these sources don't change.
    numba.config.CACHE_DIR = str(mine)  # type: ignore[attr-defined]
    return mine


#: Where machine code of these sources is kept; None if that is left to Numba.
KEPT_IN = None if "NUMBA_CACHE_DIR" in os.environ else _keep_by_source()


def compiled(function: Function) -> Function:
    """Compile a function when it is first called; keep the machine code for the next run."""
    machine_code: Any = numba.njit(cache=True)(function)
    LOOPS.append(machine_code)
    return machine_code
