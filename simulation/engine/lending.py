"""Arguments of compiled loops, and of what they call for each row: lent, so that nobody counts who holds them.

Whoever calls a function holds what it is given for as long as it runs. Numba counts one holder more of every array
when a function begins and whenever a field of a named tuple is named, and one less wherever that ends. Rules that read
a dozen columns of a row count two dozen times, which takes three times as long as the rules.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from numba.core import ir, types
from numba.core.lowering import Lower

#: Which way this is: machine code that was made in another way isn't used.
WAY = "arguments and their fields lent"

_Lower: Any = Lower
_assign, _store, _delete = _Lower.lower_assign, _Lower.storevar, _Lower.delvar


def _lent(lowering: Any) -> frozenset[str]:
    """Return the names of a function that stand for an argument or a field of it, and never for anything else."""
    found: frozenset[str] | None = vars(lowering).get("lent")
    if found is None:
        steps = [each for block in lowering.func_ir.blocks.values() for each in block.find_insts(ir.Assign)]
        times = Counter(each.target.name for each in steps)
        once = {each.target.name: each.value for each in steps if times[each.target.name] == 1}
        names: set[str] = set()
        before = -1
        while len(names) > before:
            before = len(names)
            names |= {name for name, value in once.items() if _is_lent(lowering, name, value, names)}
        found = lowering.lent = frozenset(names)
    return found


def _is_lent(lowering: Any, name: str, value: Any, names: set[str]) -> bool:
    """Tell whether what a name stands for is an argument, a field of one that is known, or another name of either."""
    if isinstance(value, ir.Arg):
        return not isinstance(lowering.typeof("arg." + value.name), types.Omitted)
    if isinstance(value, ir.Var):
        return value.name in names and lowering.typeof(value.name) == lowering.typeof(name)
    return _is_field(lowering, value) and value.value.name in names


def _is_field(lowering: Any, value: Any) -> bool:
    if not isinstance(value, ir.Expr) or value.op != "getattr":
        return False
    kind: Any = lowering.typeof(value.value.name)
    return isinstance(kind, types.BaseNamedTuple) and value.attr in getattr(kind, "fields", ())


def _assigned(lowering: Any, kind: Any, step: Any) -> Any:
    """Write the machine code that gives a name its value."""
    value, builder, context = step.value, lowering.builder, lowering.context
    if step.target.name not in _lent(lowering):
        return _assign(lowering, kind, step)
    if isinstance(value, ir.Arg):
        return context.cast(builder, lowering.fnargs[value.index], lowering.typeof("arg." + value.name), kind)
    if isinstance(value, ir.Var):
        return lowering.loadvar(value.name)
    whole = lowering.typeof(value.value.name)
    place = whole.fields.index(value.attr)
    found = builder.extract_value(lowering.loadvar(value.value.name), place)
    return context.cast(builder, found, whole.types[place], kind)


def _stored(lowering: Any, value: Any, name: str, argidx: int | None = None) -> None:
    """Write the machine code that keeps what a name stands for; what it stood for in a round before was lent, too."""
    if argidx is not None or name not in _lent(lowering) or name in lowering._singly_assigned_vars:
        _store(lowering, value, name, argidx)
    else:
        lowering._alloca_var(name, lowering.typeof(name))
        lowering.builder.store(value, lowering.getvar(name))


def _deleted(lowering: Any, name: str) -> None:
    """Write the machine code for a name that isn't needed any more."""
    if name not in _lent(lowering):
        _delete(lowering, name)


_Lower.lower_assign, _Lower.storevar, _Lower.delvar = _assigned, _stored, _deleted
