"""Places in arrays, as compiled loops count them: from the front.

In Python ``array[-1]`` is the last. For each place that is read from a column, Numba would write the comparison, the
sum and the choice that this takes, and remember how long each array is: a tenth of the time of a run. No loop here
counts from the end, but with a number that stands in its lines: that is decided when it is compiled, and costs nothing.

With ``NUMBA_BOUNDSCHECK=1`` in the environment a place before the first or after the last is an ``IndexError``; a test
runs the whole model so.
"""

from __future__ import annotations

import os
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.cpython import slicing
from numba.np import arrayobj

#: Which way this is: machine code that was made in another way isn't used.
WAY = "places from the front" + (", looked at" if os.environ.get("NUMBA_BOUNDSCHECK", "0") != "0" else "")


def _place(context: Any, builder: Any, kind: Any, place: Any, size: Any) -> Any:
    """Write the machine code of a place in an array, in the processor's own width."""
    if not kind.signed:
        return context.cast(builder, place, kind, types.uintp)
    place = context.cast(builder, place, kind, types.intp)
    return slicing.fix_index(builder, place, size) if isinstance(place, ir.Constant) else place


arrayobj.fix_integer_index = _place
