"""How arrays are handed to compiled loops and back: for less than Numba's own way takes.

A day of a small area is some thousand arrays handed to loops, and nearly all of its time is such steps. Numba counts
for each array that a loop is given one reference more, in a record that it makes and throws away, though the caller
holds the array while the loop runs. And for each array returned it looks up by name what class arrays have.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import boxing, cgutils, types  # noqa: F401
from numba.core.pythonapi import NativeValue, _boxers, _unboxers
from numba.np import numpy_support

#: Which way this is: machine code that was made in another way isn't used.
WAY = "arrays lent, parts of them returned as copies"

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
    builder, python, constants = context.builder, context.pyapi, context.env_manager
    numbers, whose = (
        constants.read_const(constants.add_const(constant))
        for constant in (numpy_support.as_dtype(kind.dtype), kind.box_type)
    )
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


# Numba's own are registered when `boxing` is imported.
_unboxers.functions[types.Array] = _lent
_boxers.functions[types.Array] = _returned
