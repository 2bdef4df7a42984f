"""Arguments of compiled loops, and of what they call for each row: lent, so that nobody counts who holds them.

Whoever calls a function holds what it is given for as long as it runs. Numba counts one holder more of every array
when a function begins and one less wherever it ends. Rules that read a dozen columns of a row count two dozen times,
which takes three times as long as the rules.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from numba.core import ir, types
from numba.core.lowering import Lower

#: Which way this is: machine code that was made in another way isn't used.
WAY = "arguments lent"

_Lower: Any = Lower
_assign, _delete = _Lower.lower_assign, _Lower.delvar


def _lent(lowering: Any) -> frozenset[str]:
    """Return the names of a function that stand for one argument each, and never for anything else."""
    found: frozenset[str] | None = vars(lowering).get("lent")
    if found is None:
        given = [each for block in lowering.func_ir.blocks.values() for each in block.find_insts(ir.Assign)]
        times = Counter(each.target.name for each in given)
        once = (each.target.name for each in given if isinstance(each.value, ir.Arg) and times[each.target.name] == 1)
        found = lowering.lent = frozenset(once)
    return found


def _assigned(lowering: Any, kind: Any, step: Any) -> Any:
    """Write the machine code that gives a name its value."""
    value = step.value
    if not isinstance(value, ir.Arg) or step.target.name not in _lent(lowering):
        return _assign(lowering, kind, step)
    given = lowering.typeof("arg." + value.name)
    if isinstance(given, types.Omitted):
        return _assign(lowering, kind, step)
    return lowering.context.cast(lowering.builder, lowering.fnargs[value.index], given, kind)


def _deleted(lowering: Any, name: str) -> None:
    """Write the machine code for a name that isn't needed any more."""
    if name not in _lent(lowering):
        _delete(lowering, name)


_Lower.lower_assign, _Lower.delvar = _assigned, _deleted
