"""Compiled loops, for work that numpy would do in a long chain of small calls.

A function marked :func:`compiled` is plain Python over arrays and numbers. Numba turns it into machine code when it is
first called, and keeps that on disk beside the source. With ``NUMBA_DISABLE_JIT=1`` in the environment the same lines
run interpreted, some hundred times slower, to the same bytes: only whole numbers, + − × ÷ √, comparisons and tables are
used, and nothing is reordered.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile a function when it is first called; keep the machine code for the next run."""
    machine_code: Any = numba.njit(cache=True)(function)
    return machine_code
