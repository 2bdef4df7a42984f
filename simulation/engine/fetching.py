"""Machine code fetched from disk: without what only compiling needs.

Beside the machine code of a loop Numba keeps what another loop needs that is compiled with it inside, and reads that
whenever it fetches the one. Nearly always nothing is compiled after: it is unpacked here when it is asked for. Of all
that is in it, only the names of what the machine code holds are needed at once; they are kept on their own. And the
machine code itself goes where it will run as it is, not by way of an empty module that is said to have been compiled.
"""

from __future__ import annotations

import zlib
from typing import Any

from llvmlite import binding
from numba.core.codegen import CodeLibrary, CPUCodeLibrary

#: Which way this is: machine code that was kept in another way isn't used.
WAY = "names beside machine code, the rest packed"

_Library: Any = CPUCodeLibrary
_keep, _for_linking = _Library.serialize_using_object_code, _Library._get_module_for_linking
_fetch = _Library._unserialize.__func__


def _kept(library: Any) -> tuple[str, str, tuple[Any, ...]]:
    """Return what is kept of a loop: machine code, what compiling needs, and names."""
    name, kind, (machine_code, for_compiling) = _keep(library)
    module = library._get_module_for_linking()
    parts = [part for parts in (module.functions, module.global_variables) for part in parts]
    names = tuple(part.name for part in parts if not part.is_declaration)
    return name, kind, (machine_code, zlib.compress(for_compiling), names)


def _fetched(library: Any, codegen: Any, state: tuple[str, str, tuple[Any, ...]]) -> Any:
    """Return a loop's library made of what was kept."""
    name, kind, kept = state
    if kind != "object" or len(kept) != 3:
        return _fetch(library, codegen, state)
    made = object.__new__(library)
    CodeLibrary.__init__(made, codegen, name)
    machine_code, made.for_compiling, names = kept
    made._linking_libraries, made._final_module, made._shared_module = [], None, None
    made.enable_object_caching()
    made._set_compiled_object(machine_code)
    made._finalized = True
    codegen._engine._ee.add_object_file(binding.ObjectFileRef.from_data(machine_code))
    codegen._engine._defined_symbols.update(names)
    return made


def _linked(library: Any) -> Any:
    """Return what another loop needs that is compiled with this one inside."""
    for_compiling = vars(library).pop("for_compiling", None)
    if for_compiling is not None:
        library._shared_module = binding.parse_bitcode(zlib.decompress(for_compiling))
    return _for_linking(library)


_Library.serialize_using_object_code, _Library._get_module_for_linking = _kept, _linked
_Library._unserialize = classmethod(_fetched)
