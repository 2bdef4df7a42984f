"""Compiled loops, for work that numpy would do in a long chain of small calls.

A function marked :func:`compiled` is plain Python over arrays and numbers. Numba turns it into machine code when it is
first called, and keeps that on disk. With ``NUMBA_DISABLE_JIT=1`` in the environment the same lines run interpreted,
some hundred times slower, to the same bytes: only whole numbers, + − × ÷ √, comparisons and tables are used,
and nothing is reordered.

Machine code is kept by what a loop means: its own lines, the numbers it reads from its module, and the same of every
loop it calls. Numba by itself looks at the date of the loop's file alone: it would miss a constant changed elsewhere,
and compile again all that is beside a changed line.
"""

from __future__ import annotations

import hashlib
import operator
import os
import sys
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numba
import numpy as np
from llvmlite import ir
from llvmlite.binding import ffi
from numba.core import cgutils
from numba.core.caching import FunctionCache, IndexDataCacheFile
from numba.core.registry import CPUDispatcher
from numba.core.targetconfig import TargetConfig
from numba.core.types.functions import BaseFunction

from simulation.engine import fetching, handing, indexing, lending

Function = TypeVar("Function", bound=Callable[..., Any])

_KEPT_FOR_SECONDS = 7 * 86_400


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


def _folder() -> Path | None:
    """Return the folder where machine code is kept; None where nothing may be written."""
    named = os.environ.get("NUMBA_CACHE_DIR")
    folder = Path(named) if named else Path(__file__).parents[1] / "__pycache__" / "compiled"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


#: Where machine code is kept; None if that is left to Numba.
KEPT_IN = _folder()


def meaning(loop: Any) -> str:
    """Return a digest of everything that decides what a loop does but the types of its arguments.

    Parameters
    ----------
    loop : compiled function
        One of :data:`LOOPS`.

    Raises
    ------
    TypeError
        If it uses something from its module that can't be compared between two runs of Python.
    """
    return _meaning([loop])


def meaning_of_all() -> str:
    """Return a digest of what all loops that have been imported mean."""
    return _meaning(LOOPS)


def _meaning(loops: list[Any]) -> str:
    ways = handing.WAY, indexing.WAY, fetching.WAY, lending.WAY
    made_by = f"{sys.version} {numba.__version__} {np.__version__} {ways}"
    digest = hashlib.blake2b(made_by.encode(), digest_size=12)
    seen: set[Any] = set()
    for loop in loops:
        for part in _parts(loop.py_func, seen):
            digest.update(part)
    return digest.hexdigest()


def _parts(function: Any, seen: set[Any]) -> Iterator[bytes]:
    """Yield what a function is made of, and what each function it calls is made of, once each."""
    if function in seen:
        return
    seen.add(function)
    yield function.__qualname__.encode()
    yield repr((function.__defaults__, function.__kwdefaults__)).encode()
    for code in _codes(function.__code__):
        yield repr((code.co_code, code.co_names, code.co_varnames, code.co_freevars)).encode()
        for constant in code.co_consts:
            if not isinstance(constant, types.CodeType):
                yield repr(constant).encode()
        for name in code.co_names:
            if name in function.__globals__:
                yield from _described(name, function.__globals__[name], seen)
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        yield from _described(name, cell.cell_contents, seen)


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    """Yield a function's code and that of the functions written inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)


def _described(name: str, value: Any, seen: set[Any]) -> Iterator[bytes]:
    """Yield a name and what it stands for."""
    yield name.encode()
    if hasattr(value, "py_func"):
        yield from _parts(value.py_func, seen)
    elif isinstance(value, types.FunctionType):
        yield from _parts(value, seen)
    elif isinstance(value, np.ndarray):
        yield repr((value.dtype.str, value.shape)).encode()
        yield value.tobytes()
    elif isinstance(value, (int, float, str, bytes, bool, tuple, range, np.generic, type(None))):
        yield f"{type(value).__name__} {value!r}".encode()
    elif isinstance(value, type):
        yield repr((value.__module__, value.__qualname__, getattr(value, "_fields", ()))).encode()
    elif isinstance(value, (types.ModuleType, types.BuiltinFunctionType)):
        yield value.__name__.encode()
    else:
        raise TypeError(f"A compiled loop uses '{name}', a {type(value).__name__}: give it as an argument instead.")


def _fields(kind: Any) -> Any:
    """Return the names of the fields of a type of argument, and of those inside it."""
    names = getattr(kind, "fields", None)
    inside = [_fields(part) for part in getattr(kind, "types", ())] if isinstance(kind, numba.types.BaseTuple) else None
    return (names, inside) if names or inside else None


class _Files(IndexDataCacheFile):
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


class _Kept(FunctionCache):
    """Machine code of one loop, found by what the loop means."""

    _named = False
    #: Ends the name of the loop: code without a way in from Python is never taken for code with one.
    kind = ""

    @property
    def called(self) -> str:
        """Name of the loop, and of what is kept of it."""
        return f"{self._py_func.__module__}.{self._py_func.__qualname__}{self.kind}"

    def name(self) -> None:
        """Name the files, once all that the loop uses has been defined."""
        if not self._named and KEPT_IN is not None:
            called, digest = self.called, meaning(self)
            self._cache_file = _Files(str(KEPT_IN), f"{called}-{digest}", digest)
            self._named = True

    def _index_key(self, sig: Any, codegen: Any) -> Any:
        # Called before anything is read or written.
        self.name()
        # Numba compares tuples by their class, not by the names of their fields.
        return *super()._index_key(sig, codegen), repr([_fields(kind) for kind in sig])

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep new machine code, and forget old forms of the loop."""
        super().save_overload(sig, data)
        # Only now: to look through the folder whenever one of many loops is found there takes long.
        if self._named:
            _forget_old(self.called, meaning(self))

    @property
    def py_func(self) -> Any:
        """The lines themselves."""
        return self._py_func


def _forget_old(called: str, digest: str) -> None:
    """Remove what was kept of other forms of a loop a week ago or longer."""
    if KEPT_IN is None:
        return
    for path in KEPT_IN.glob(f"{called}-*"):
        try:
            if digest not in path.name and time.time() - path.stat().st_mtime > _KEPT_FOR_SECONDS:
                path.unlink()
        except OSError:
            pass


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
        vars(loop)["_cache"].kind = ".inside"
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
        vars(machine_code)["_cache"].__class__ = _Kept
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
