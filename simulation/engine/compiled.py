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
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba.core.caching import IndexDataCacheFile
from numba.core.registry import CPUDispatcher

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
    digest = hashlib.blake2b(f"{numba.__version__} {sys.version}".encode(), digest_size=8)
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


class _FilesByKey(IndexDataCacheFile):
    """Files of machine code that are called by what they hold.

    Numba numbers them: two processes that compile a function for different types at the same moment both take the next
    number, and the index of one then points to the code of the other, which gives wrong numbers. With a name of its own
    for each, the worst that can happen is that something is compiled again.
    """

    def save(self, key: Any, data: Any) -> None:
        overloads = self._load_index()
        digest = hashlib.blake2b(repr(key).encode(), digest_size=8).digest()
        name = self._data_name(int.from_bytes(digest, "little"))
        if overloads.get(key) != name:
            overloads[key] = name
            self._save_index(overloads)
        self._save_data(name, data)


def compiled(function: Function) -> Function:
    """Compile a function when it is first called; keep the machine code for the next run."""
    machine_code: Any = numba.njit(cache=True)(function)
    if isinstance(machine_code, CPUDispatcher):
        vars(machine_code)["_cache"]._cache_file.__class__ = _FilesByKey
    LOOPS.append(machine_code)
    return machine_code
