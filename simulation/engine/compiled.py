"""Compiled loops, for work that numpy would do in a long chain of small calls.

A function marked :func:`compiled` is plain Python over arrays and numbers. Numba turns it into machine code when it is
first called, and keeps that on disk. With ``NUMBA_DISABLE_JIT=1`` in the environment the same lines run interpreted,
some hundred times slower, to the same bytes: only whole numbers, + − × ÷ √, comparisons and tables are used,
and nothing is reordered.

Here Numba is also made quicker at compiling; :mod:`~simulation.engine.keeping` has what is kept on disk, and how.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np
from llvmlite import ir
from llvmlite.binding import ffi
from numba.core import cgutils
from numba.core.registry import CPUDispatcher
from numba.core.targetconfig import TargetConfig
from numba.core.types.functions import BaseFunction

from simulation.engine import keeping

Function = TypeVar("Function", bound=Callable[..., Any])

def _without_timing() -> None:
    """Let Numba not note when each of its calls into LLVM begins and ends: nobody asks for it.

    Fetching the machine code of all loops makes tens of thousands of these calls, and a third of its time went there.
    """
    for begins, ends in list(getattr(ffi.lib._lock, "_cblist", ())):
        ffi.unregister_lock_callback(begins, ends)


_without_timing()


def _with_quick_comparing() -> None:
    """Let Numba compare the options of two compilations without looking up each of some twenty, again and again.

    A tenth of the time of compiling went there. The hash is what it would be anyway: only names are in it.
    """
    hashes: dict[type, int] = {}
    compare = TargetConfig.__eq__

    def hashed(options: Any) -> int:
        kind = type(options)
        if kind not in hashes:
            hashes[kind] = hash(tuple(sorted(kind.options)))
        return hashes[kind]

    def equal(options: Any, others: Any) -> bool:
        if options is others or (type(options) is type(others) and options._values == others._values):
            return True
        return compare(options, others)

    TargetConfig.__hash__, TargetConfig.__eq__ = hashed, equal  # type: ignore[method-assign]


_with_quick_comparing()

_SIGNS = frozenset(getattr(operator, name) for name in operator.__all__) | {bool, int, float, min, max}

_find_sign = BaseFunction.get_call_type


def _with_known_signs() -> None:
    """Let Numba find out once what ``+`` or ``[]`` does with two types of argument, not at each place it stands.

    It asks one definition after another, and 96 of 100 times has asked the same before: a tenth of the time of
    compiling. A sign that is given another definition is another object, so nothing known goes out of date; what
    is known holds for the options of the loop that asked first, and all loops here have the same.
    """
    # With the sign itself, so that no other takes its place in memory.
    answers: dict[int, tuple[Any, dict[Any, Any]]] = {}

    def found(sign: Any, context: Any, arguments: Any, names: Any) -> Any:
        if names or sign.typing_key not in _SIGNS or not all(kind.is_precise() for kind in arguments):
            return _find_sign(sign, context, arguments, names)
        _, known = answers.setdefault(id(sign), (sign, {}))
        if arguments not in known:
            known[arguments] = _find_sign(sign, context, arguments, names)
        return known[arguments]

    BaseFunction.get_call_type = found  # type: ignore[method-assign,assignment]


_with_known_signs()

#: Every compiled loop that has been imported.
LOOPS: list[Any] = []


def meaning_of_all() -> str:
    """Return a digest of what all loops that have been imported mean."""
    return keeping.meaning_of(LOOPS)


def compiled(function: Function) -> Function:
    """Compile a function when it is first called; keep the machine code for the next run."""
    return _compiled(function, {})


def compiled_inside(function: Function) -> Function:
    """Compile a function that only compiled loops call: there is no way into its machine code from Python.

    To build one takes a tenth of the time of compiling.
    """
    loop: Any = _compiled(function, {"no_cpython_wrapper": True})
    if isinstance(loop, CPUDispatcher):
        loop.__class__ = Inside
        keeping.keep(loop, ".inside")
    return loop


class Inside(CPUDispatcher):
    """A function that only compiled loops call."""

    def __call__(self, *arguments: Any) -> Any:
        """Run its lines interpreted, as for a loop that is; Numba itself would jump to where no machine code is."""
        return self.py_func(*arguments)


def _compiled(function: Function, options: dict[str, Any]) -> Function:
    # Nobody calls a loop from C: the door for it isn't built.
    options = {"cache": True, "no_cfunc_wrapper": True, **options}
    machine_code: Any = numba.njit(**options)(function)
    if isinstance(machine_code, CPUDispatcher):
        keeping.keep(machine_code)
    LOOPS.append(machine_code)
    return machine_code


#: How many rows ahead a loop asks for what it will read: about as long as the processor takes to fetch it.
AHEAD = 16
#: The same where a loop goes through thousands of rows and does little with each; in short lists most would come late.
FAR_AHEAD = 32


def fetch_soon(array: Any, row: int) -> None:
    """Ask the processor, in a compiled loop, for a row of a column or of records that is read a few rows later.

    Rows that lie scattered are waited for otherwise, one after the other. It decides nothing, and does nothing where a
    loop runs interpreted. The row must lie inside the array, or nothing is fetched.
    """


@numba.extending.type_callable(fetch_soon)
def _type_of_fetching(_: Any) -> Any:
    return lambda array, row: numba.types.void


@numba.extending.lower_builtin(fetch_soon, numba.types.Array, numba.types.Integer)
def _fetching(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """Write the machine code of :func:`fetch_soon`: one instruction for which nothing has to wait."""
    kind, number = signature.args
    found = context.make_array(kind)(context, builder, arguments[0])
    at = context.cast(builder, arguments[1], number, numba.types.intp)
    width = cgutils.unpack_tuple(builder, found.strides, 1)[0]
    octets, whole = ir.IntType(8).as_pointer(), ir.IntType(32)
    place = builder.gep(builder.bitcast(found.data, octets), [builder.mul(at, width)])
    instruction = ir.FunctionType(ir.VoidType(), [octets, whole, whole, whole])
    fetch = builder.module.declare_intrinsic("llvm.prefetch", [octets], instruction)
    # To be read (0), kept as near as can be (3), data (1).
    builder.call(fetch, [place, whole(0), whole(3), whole(1)])
    return context.get_dummy_value()


def lowest_bit(word: Any) -> int:
    """Return the place of the lowest bit that is set in a number of 64 bits, which isn't 0."""
    return int(word & (~word + np.uint64(1))).bit_length() - 1


@numba.extending.type_callable(lowest_bit)
def _type_of_lowest_bit(_: Any) -> Any:
    return lambda word: numba.types.int64


@numba.extending.lower_builtin(lowest_bit, numba.types.uint64)
def _lowest_bit(_: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """Write the machine code of :func:`lowest_bit`: one instruction."""
    return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))
