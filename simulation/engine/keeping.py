"""Machine code kept on disk, by what a loop means: its own lines, the numbers it reads from its module, and the same of
every loop it calls.

Numba by itself looks at the date of the loop's file alone: it would miss a constant changed elsewhere, and compile
again all that is beside a changed line.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
import types
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numba
import numpy as np
from numba.core.caching import CompileResultCacheImpl, FunctionCache, IndexDataCacheFile

from simulation.engine import fetching, handing, indexing, lending

_KEPT_FOR_SECONDS = 7 * 86_400


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
        As :func:`~simulation.engine.compiled.compiled` makes them.

    Raises
    ------
    TypeError
        If it uses something from its module that can't be compared between two runs of Python.
    """
    return _meaning([loop], _KNOWN)


def meaning_of(loops: Iterable[Any]) -> str:
    """Return a digest of what several loops mean now, whatever they meant before."""
    return _meaning(loops, {})


class _Own(NamedTuple):
    """What a function is by itself: a digest of it, and the functions it calls, in order."""

    digest: bytes
    calls: tuple[Any, ...]


#: What functions are by themselves. Many loops call the same.
_KNOWN: dict[Any, _Own] = {}


def _meaning(loops: Iterable[Any], known: dict[Any, _Own]) -> str:
    ways = handing.WAY, indexing.WAY, fetching.WAY, lending.WAY
    made_by = f"{sys.version} {numba.__version__} {np.__version__} {ways}"
    digest = hashlib.blake2b(made_by.encode(), digest_size=12)
    seen: dict[Any, int] = {}
    for loop in loops:
        _add_meaning(digest, loop.py_func, seen, known)
    return digest.hexdigest()


def _add_meaning(digest: Any, function: Any, seen: dict[Any, int], known: dict[Any, _Own]) -> None:
    """Add to a digest what a function is, and what each function it calls is: once, and then which one it was."""
    if function in seen:
        digest.update(b"seen %d" % seen[function])
        return
    seen[function] = len(seen)
    if function not in known:
        known[function] = _own(function)
    digest.update(known[function].digest)
    for called in known[function].calls:
        _add_meaning(digest, called, seen, known)


def _own(function: Any) -> _Own:
    """Find out what a function is by itself."""
    calls: list[Any] = []
    parts = list(_parts(function, calls))
    # How long each is: what ends one part can't be taken for the beginning of the next.
    digest = hashlib.blake2b(repr([len(part) for part in parts]).encode(), digest_size=16)
    digest.update(b"".join(parts))
    return _Own(digest.digest(), tuple(calls))


def _parts(function: Any, calls: list[Any]) -> Iterator[bytes]:
    """Yield what a function is made of, and note which functions it calls."""
    yield function.__qualname__.encode()
    yield repr((function.__defaults__, function.__kwdefaults__)).encode()
    for code in _codes(function.__code__):
        yield code.co_code
        yield repr((code.co_names, code.co_varnames, code.co_freevars)).encode()
        for constant in code.co_consts:
            if not isinstance(constant, types.CodeType):
                yield repr(constant).encode()
        for name in code.co_names:
            if name in function.__globals__:
                yield from _described(name, function.__globals__[name], calls)
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        yield from _described(name, cell.cell_contents, calls)


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    """Yield a function's code and that of the functions written inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)


def _described(name: str, value: Any, calls: list[Any]) -> Iterator[bytes]:
    """Yield a name and what it stands for."""
    yield name.encode()
    if hasattr(value, "py_func") or isinstance(value, types.FunctionType):
        calls.append(getattr(value, "py_func", value))
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
    """Return the class and the fields of a type of argument, and of those inside it."""
    parts = getattr(kind, "types", None)
    # Only tuples have parts. To ask whether it is one takes Numba far longer.
    if parts is None:
        return None
    made: Any = getattr(kind, "instance_class", None)
    return made and (made.__module__, made.__qualname__, getattr(kind, "fields", ())), [_fields(part) for part in parts]


class _Files(IndexDataCacheFile):
    """Files of machine code that are called by what they hold.

    Numba numbers them, and keeps an index of the numbers beside: two processes that compile a function for different
    types at the same moment both take the next number, and the index of one then points to the code of the other,
    which gives wrong numbers. With a name of its own for each no index is needed, nor the time to read it.
    """

    def _named(self, key: Any) -> str:
        return self._data_name(int.from_bytes(hashlib.blake2b(repr(key).encode(), digest_size=12).digest(), "little"))

    def save(self, key: Any, data: Any) -> None:
        self._save_data(self._named(key), data)

    def load(self, key: Any) -> Any:
        try:
            return self._load_data(self._named(key))
        except OSError:
            return None


class _Form(CompileResultCacheImpl):
    """What is kept of a loop: without the types of all its lines, which only its author would read."""

    def reduce(self, result: Any) -> Any:
        return super().reduce(result._replace(type_annotation=""))


@cache
def _make_ready(target_context: Any) -> None:
    """Let Numba look whether anybody has taught it something new; it would do so before each loop."""
    target_context.refresh()


@cache
def _machine(codegen: Any) -> tuple[str, ...]:
    """Return what machine code is for."""
    found: tuple[str, ...] = codegen.magic_tuple()
    return found


class Kept(FunctionCache):
    """Machine code of one loop, found by what the loop means."""

    _named = False
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
        fields = repr([_fields(kind) for kind in sig])
        if not self._named:
            return *super()._index_key(sig, codegen), fields
        return sig, _machine(codegen), fields

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Fetch machine code that was kept; None if there is none."""
        _make_ready(target_context)
        with self._guard_against_spurious_io_errors():
            return self._load_overload(sig, target_context)

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


def keep(loop: Any, kind: str = "") -> None:
    """Let a loop's machine code be kept by what it means.

    Parameters
    ----------
    loop : Numba's dispatcher
        Made with ``cache=True``.
    kind : str
        Ends the name under which it is kept: code without a way in from Python is never taken for code with one.
    """
    cache: Any = vars(loop)["_cache"]
    cache.__class__, cache.kind = Kept, kind
    cache._impl.__class__ = _Form
