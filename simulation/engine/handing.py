"""How arrays are handed to compiled loops and back: for less than Numba's own way takes.

A day of a small area hands some thousand arrays to loops, and nearly all of its time is such steps. For each array that
a loop is given Numba counts one reference more, in a record that it makes and throws away, though the caller holds the
array while the loop runs. For each array or named tuple returned it looks up by a digest which class that is of.
Inside a loop it counts the references to arrays made there so that two threads could count at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import boxing, cgutils, types
from numba.core.dispatcher import Dispatcher
from numba.core.pythonapi import NativeValue, _boxers, _unboxers
from numba.core.runtime import nrtdynmod
from numba.core.typing.typeof import typeof
from numba.np import numpy_support

#: Which way this is: machine code that was made in another way isn't used.
WAY = "arrays lent, parts of them returned as copies, classes kept"

_WHOLE = ir.IntType(32)


def _lent(kind: Any, array: Any, context: Any) -> Any:
    """Write the machine code that reads where an argument lies, and leaves it to its owner."""
    builder, python = context.builder, context.pyapi
    found = context.context.make_array(kind)(context.context, builder)
    place = found._getpointer()
    signature = ir.FunctionType(_WHOLE, [python.pyobj, python.voidptr])
    read = python._get_function(signature, name="numba_adapt_ndarray")
    failed = builder.call(read, [array, builder.bitcast(place, python.voidptr)])
    return NativeValue(builder.load(place), is_error=cgutils.is_not_null(builder, failed))


def _returned(kind: Any, array: Any, context: Any) -> Any:
    """Write the machine code that makes a numpy array of what a loop returns.

    A part of an argument doesn't keep the argument alive, so it is returned as a copy.
    """
    builder, python = context.builder, context.pyapi
    numbers, whose = _known(context, numpy_support.as_dtype(kind.dtype)), _known(context, kind.box_type)
    signature = ir.FunctionType(python.pyobj, [python.voidptr, python.pyobj, _WHOLE, _WHOLE, python.pyobj])
    make = python._get_function(signature, name="NRT_adapt_ndarray_to_python_acqref")
    place = builder.bitcast(cgutils.alloca_once_value(builder, array), python.voidptr)
    made = builder.call(make, [place, whose, _WHOLE(kind.ndim), _WHOLE(int(kind.mutable)), numbers])
    result = cgutils.alloca_once_value(builder, made)
    fields = context.context.make_array(kind)(context.context, builder, value=array)
    lent = builder.and_(
        cgutils.is_null(builder, fields.meminfo),
        builder.and_(cgutils.is_not_null(builder, made), builder.icmp_unsigned("!=", made, fields.parent)),
    )
    with builder.if_then(lent, likely=False):
        builder.store(python.call_method(made, "copy"), result)
        python.decref(made)
    context.context.nrt.decref(builder, kind, array)
    return builder.load(result)


def _named(kind: Any, values: Any, context: Any) -> Any:
    """Write the machine code that makes a named tuple of what a loop returns."""
    plain = boxing.box_tuple(kind, values, context)
    made = context.pyapi.call(_known(context, kind.instance_class), plain)
    context.pyapi.decref(plain)
    return made


def _known(context: Any, thing: Any) -> Any:
    """Write the machine code that reads one of the things kept beside it."""
    return context.env_manager.read_const(context.env_manager.add_const(thing))


def _one_more_or_less(module: Any, operation: str, ordering: str) -> Any:
    """Write the machine code that adds one to a count of references, or takes one off; it returns the new count.

    Numba's own keeps all other threads from the count meanwhile, for the time of twenty other steps. A loop holds the
    interpreter's lock as long as it runs, so that there are no others.
    """
    word = nrtdynmod._word_type
    function = ir.Function(module, ir.FunctionType(word, [word.as_pointer()]), name=f"nrt_atomic_{operation}")
    builder = ir.IRBuilder(function.append_basic_block())
    place = function.args[0]
    count = getattr(builder, operation)(builder.load(place), word(1))
    builder.store(count, place)
    builder.ret(count)
    return function


_KINDS: dict[tuple[Any, ...], Any] = {}


def _kind_of(value: Any) -> Any:
    """Return Numba's type of an argument. It makes one anew for each column of everybody, for each loop fetched."""
    if isinstance(value, tuple):
        return types.BaseTuple.from_types([_kind_of(each) for each in value], type(value))
    if type(value) is not np.ndarray:
        return typeof(value)
    flags = value.flags
    asked = value.dtype, value.ndim, flags.c_contiguous, flags.f_contiguous, flags.writeable, flags.aligned
    kind = _KINDS.get(asked)
    if kind is None:
        kind = _KINDS[asked] = typeof(value)
    return kind


def _kind_given(dispatcher: Any, value: Any) -> Any:
    """Return the type of an argument, and remember it as Numba does; what has none, Numba refuses."""
    if not isinstance(value, (np.ndarray, tuple)):
        return _find_kind(dispatcher, value)
    kind = _kind_of(value)
    dispatcher._types_active_call.add(kind)
    return kind


_Dispatcher: Any = Dispatcher
_find_kind, _Dispatcher.typeof_pyval = _Dispatcher.typeof_pyval, _kind_given
# Numba's own are registered when `boxing` is imported.
_unboxers.functions[types.Array] = _lent
_boxers.functions[types.Array] = _returned
_boxers.functions[types.NamedTuple] = _boxers.functions[types.NamedUniTuple] = _named
# Written once in each process, when it comes to its first loop; machine code that is kept only calls it.
nrtdynmod._define_atomic_inc_dec = _one_more_or_less
