"""Compiling on a new machine, shared out among processes.

To compile every loop takes the best part of a minute, and each worker of a study would do all of it. In a rehearsal
they go through the same small piece of work instead. Whoever comes to a loop first compiles it and keeps the machine
code; the others run its lines interpreted meanwhile, which gives the same bytes, and go on to the next.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba.core.registry import CPUDispatcher

from simulation.engine import compiled, keeping


def _done(kept: Path) -> Path:
    """Return the file that is written when nobody is still compiling: machine code of these loops is there."""
    return kept / f"rehearsed-{compiled.meaning_of_all()}"


def needed() -> bool:
    """Tell whether machine code is still to be made and can be shared."""
    kept = keeping.KEPT_IN
    # Where loops are told to run interpreted, they aren't Numba's.
    if kept is None or not all(isinstance(loop, CPUDispatcher) for loop in compiled.LOOPS):
        return False
    return not _done(kept).exists()


def rehearse(work: Callable[[], object], claims: Path) -> None:
    """Run a piece of work, compiling what no other process is compiling.

    Parameters
    ----------
    work : callable
        Calls the loops that will be wanted, with arguments of the types they will have, on little data.
    claims : pathlib.Path
        A folder that the processes share and that was empty when the first of them began.
    """
    kept = keeping.KEPT_IN
    if kept is None or not needed():
        return
    _Shared.claims, _Shared.interpreting = claims, False
    shared = [loop for loop in compiled.LOOPS if not isinstance(loop, compiled.Inside)]
    try:
        for loop in shared:
            loop.__class__ = _Shared
        # Whole numbers may run over in hashes: machine code says nothing of it, interpreted numbers would warn.
        with np.errstate(over="ignore"):
            work()
        if all(claim.with_suffix(".finished").exists() for claim in claims.glob("*.claimed")):
            _done(kept).touch()
    finally:
        for loop in shared:
            loop.__class__ = CPUDispatcher


class _Shared(CPUDispatcher):
    """A compiled loop during a rehearsal."""

    claims: Path
    interpreting: bool

    def __call__(self, *arguments: Any) -> Any:
        if _Shared.interpreting:
            return self.py_func(*arguments)
        if tuple(numba.typeof(argument) for argument in arguments) in self.overloads:
            return CPUDispatcher.__call__(self, *arguments)
        name = f"{self.py_func.__module__}.{self.py_func.__name__}"
        claimed, finished = self.claims / f"{name}.claimed", self.claims / f"{name}.finished"
        if not finished.exists():
            try:
                claimed.touch(exist_ok=False)
            except FileExistsError:
                _Shared.interpreting = True
                try:
                    return self.py_func(*arguments)
                finally:
                    _Shared.interpreting = False
        result = CPUDispatcher.__call__(self, *arguments)
        finished.touch()
        return result
