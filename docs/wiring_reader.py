"""Reads one function of the system: what it can do to agendas, channels, diaries and other functions.

It follows names through the code: a variable, an argument, an attribute or a loop over a list of words is followed to
the agendas, channels, kinds of task and subsystems it can stand for. What can't be followed is an error with its
file and line, so that nothing is left out in silence.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wiring_sources import Wiring

#: What is done to an agenda or a channel by calling which of its methods.
AGENDA_USES = {
    "put": "puts",
    "due": "takes",
    "cancel": "cancels",
    "days_to_clear": "cancels",
    "day_of": "looks",
    "days": "looks",
    "save": "looks",
}
CHANNEL_USES = {"send": "sends", "drain": "drains", "batches": "looks"}
#: Methods that only agendas and channels have: a call on something that can't be followed is an error.
MUST_BE_KNOWN = {"put", "due", "cancel", "send", "drain", "day_of", "days", "days_to_clear"}


@dataclass(frozen=True)
class Token:
    """One thing that an expression can stand for: a word, an agenda, a subsystem, a function, a list."""

    kind: str
    name: str = ""
    parts: tuple[Value, ...] = ()


Value = frozenset[Token]
NOTHING: Value = frozenset()


def one(kind: str, name: str = "", *parts: Value) -> Value:
    """Return the value that is one thing."""
    return frozenset({Token(kind, name, parts)})


def union(values: Iterable[Value]) -> Value:
    """Return what any of several values can be."""
    return NOTHING.union(*values)


def elements(value: Value) -> Value:
    """Return what an element of a list, or a key of a dictionary, can be."""
    return union(token.parts[0] if token.kind == "map" else union(token.parts) for token in value if token.parts)


@dataclass(frozen=True, order=True)
class Use:
    """That a function does something to an agenda, a channel or the diaries."""

    what: str
    name: str
    function: str


@dataclass
class Function:
    """A function or method of the system, and what reading it found."""

    name: str
    module: str
    owner: str
    node: ast.FunctionDef
    #: Calls and processes started, in the order of the text: ("call", function, list of listeners or "").
    events: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def parameters(self) -> list[str]:
        """Names of its parameters but self."""
        found = [item.arg for item in (*self.node.args.posonlyargs, *self.node.args.args, *self.node.args.kwonlyargs)]
        return found[1:] if self.owner and found and found[0] in ("self", "cls", "mcs") else found

    @property
    def says(self) -> str:
        """The first sentence of its docstring."""
        return " ".join((ast.get_docstring(self.node) or "").partition("\n\n")[0].split())


class Reader:
    """Reads one function, statement by statement."""

    def __init__(self, wiring: Wiring, function: Function) -> None:
        self.wiring, self.function = wiring, function
        self.local: dict[str, Value] = {}
        self.branches = 0

    def read(self) -> None:
        """Read the whole function."""
        node = self.function.node
        for item in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
            known = self.wiring.arguments.get((self.function.name, item.arg), NOTHING)
            self.local[item.arg] = known | self.annotated(item.annotation)
        if self.function.owner and self.function.parameters != list(self.local):
            self.local[next(iter(self.local))] = one("object", self.function.owner)
        self.block(node.body)

    def annotated(self, node: ast.expr | None) -> Value:
        """Return the objects that an annotation promises."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node = ast.parse(node.value, mode="eval").body
        if isinstance(node, ast.BinOp):
            return self.annotated(node.left) | self.annotated(node.right)
        if isinstance(node, ast.Subscript):
            inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            return one("many", "", union(self.annotated(item) for item in inner))
        if isinstance(node, ast.Name):
            return frozenset(Token("object", t.name) for t in self.named(node.id) if t.kind == "class")
        return NOTHING

    def problem(self, node: ast.AST, what: str) -> None:
        """Note something that can't be followed."""
        line = getattr(node, "lineno", 0)
        self.wiring.problems.add(f"{self.function.module}.py:{line}: {what}: {ast.unparse(node)}")

    def use(self, what: str, name: str) -> None:
        """Note what this function does to something."""
        self.wiring.uses.add(Use(what, name, self.function.name))

    def grow(self, table: dict[tuple[str, str], Value], place: tuple[str, str], value: Value) -> None:
        """Add to what something can be."""
        if value:
            table[place] = table.get(place, NOTHING) | value

    # --- Statements -------------------------------------------------------------------------------------------

    def block(self, body: list[ast.stmt]) -> None:
        """Read statements in order."""
        for node in body:
            self.statement(node)

    def statement(self, node: ast.stmt) -> None:
        """Read one statement."""
        if isinstance(node, ast.FunctionDef):
            self.block(node.body)
        elif isinstance(node, ast.Assign):
            value = self.value(node.value)
            for target in node.targets:
                self.bind(target, value)
        elif isinstance(node, ast.AnnAssign):
            value = self.value(node.value) if node.value else NOTHING
            self.bind(node.target, value | self.annotated(node.annotation))
        elif isinstance(node, ast.Return):
            if node.value:
                known = self.wiring.returned.get(self.function.name, NOTHING)
                self.wiring.returned[self.function.name] = known | self.value(node.value)
        elif isinstance(node, ast.For):
            # Within the loop the name is the element, whatever it was before.
            branches, self.branches = self.branches, 0
            self.bind(node.target, elements(self.value(node.iter)))
            self.branches = branches + 1
            self.block(node.body + node.orelse)
            self.branches = branches
        else:
            may_not_happen = isinstance(node, ast.If | ast.Try | ast.Match)
            self.branches += may_not_happen
            for name in node._fields:
                items = getattr(node, name)
                for item in items if isinstance(items, list) else [items]:
                    self.part(item)
            self.branches -= may_not_happen

    def part(self, item: object) -> None:
        """Read a part of a statement that needs no care of its own."""
        if isinstance(item, ast.stmt):
            self.statement(item)
        elif isinstance(item, ast.expr):
            self.value(item)
        elif isinstance(item, ast.withitem):
            self.value(item.context_expr)
        elif isinstance(item, ast.excepthandler | ast.match_case):
            self.block(item.body)

    def bind(self, target: ast.expr, value: Value) -> None:
        """Let a name, an attribute or several stand for a value."""
        if isinstance(target, ast.Name):
            before = self.local.get(target.id, NOTHING) if self.branches else NOTHING
            self.local[target.id] = before | value
        elif isinstance(target, ast.Attribute):
            for token in self.value(target.value):
                if token.kind == "object":
                    self.grow(self.wiring.attributes, (token.name, target.attr), value)
        elif isinstance(target, ast.Tuple | ast.List):
            for place, item in enumerate(target.elts):
                parts = [
                    token.parts[place] if place < len(token.parts) else union(token.parts)
                    for token in value
                    if token.kind == "many"
                ]
                self.bind(item, union(parts))
        else:
            for child in ast.iter_child_nodes(target):
                self.part(child)

    # --- Expressions ------------------------------------------------------------------------------------------

    def named(self, name: str) -> Value:
        """Return what a bare name stands for."""
        found = self.local.get(name, self.wiring.names[self.function.module].get(name, NOTHING))
        for token in found:
            if token.kind == "constant":
                module, _, constant = token.name.partition(".")
                found = self.wiring.names[module].get(constant, NOTHING)
        return found

    def value(self, node: ast.expr) -> Value:
        """Return what an expression can stand for, and note what it does on the way."""
        if isinstance(node, ast.Constant):
            return one("text", node.value) if isinstance(node.value, str) else NOTHING
        if isinstance(node, ast.Name):
            return self.named(node.id)
        if isinstance(node, ast.Attribute):
            return self.attribute(node)
        if isinstance(node, ast.Call):
            return self.call(node)
        if isinstance(node, ast.Subscript):
            return self.subscript(node)
        if isinstance(node, ast.Tuple | ast.List | ast.Set):
            return one("many", "", *(self.value(item) for item in node.elts))
        if isinstance(node, ast.Dict):
            keys = union(self.value(key) for key in node.keys if key)
            return one("map", "", keys, union(self.value(item) for item in node.values))
        if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
            return self.comprehension(node)
        if isinstance(node, ast.JoinedStr):
            return self.joined(node)
        if isinstance(node, ast.Lambda):
            inner = [item.arg for item in node.args.args]
            before = {name: self.local.pop(name) for name in inner if name in self.local}
            self.value(node.body)
            self.local.update(before)
            return NOTHING
        if isinstance(node, ast.IfExp):
            self.value(node.test)
            return self.value(node.body) | self.value(node.orelse)
        if isinstance(node, ast.BoolOp):
            return union([self.value(item) for item in node.values])
        if isinstance(node, ast.NamedExpr):
            self.bind(node.target, found := self.value(node.value))
            return found
        if isinstance(node, ast.Starred):
            return elements(self.value(node.value))
        for child in ast.iter_child_nodes(node):
            self.part(child)
        return NOTHING

    def comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Value:
        """Return the list or dictionary that a comprehension makes."""
        branches, self.branches = self.branches, 0
        for part in node.generators:
            self.bind(part.target, elements(self.value(part.iter)))
            for test in part.ifs:
                self.value(test)
        self.branches = branches
        if isinstance(node, ast.DictComp):
            return one("map", "", self.value(node.key), self.value(node.value))
        return one("many", "", self.value(node.elt))

    def joined(self, node: ast.JoinedStr) -> Value:
        """Return every text that an f-string can make."""
        texts = [""]
        for part in node.values:
            value = self.value(part.value) if isinstance(part, ast.FormattedValue) else self.value(part)
            words = sorted(token.name for token in value if token.kind == "text")
            texts = [text + word for text in texts for word in words]
        return frozenset(Token("text", text) for text in texts)

    def attribute(self, node: ast.Attribute) -> Value:
        """Return what an attribute can be."""
        if node.attr in ("agendas", "channels"):
            self.value(node.value)
            return one(node.attr)
        found: list[Value] = []
        for token in self.value(node.value):
            if token.kind == "module":
                found.append(self.wiring.names[token.name].get(node.attr, NOTHING))
            elif token.kind == "class":
                if node.attr == "names":
                    found.append(one("names", token.name))
                found.append(self.wiring.attributes.get((token.name, node.attr), NOTHING))
            elif token.kind == "object":
                found.append(self.of_object(token.name, node.attr))
            elif token.kind == "channel" and node.attr in CHANNEL_USES and node.attr == "batches":
                self.use(CHANNEL_USES[node.attr], token.name)
        return union(found)

    def of_object(self, owner: str, name: str) -> Value:
        """Return what an attribute of an object of a class can be."""
        if name == "tasks" and self.wiring.method(owner, "add_task"):
            return one("diaries")
        found = self.wiring.attributes.get((owner, name), NOTHING)
        method = self.wiring.method(owner, name)
        if not method:
            return found
        marks = self.wiring.functions[method].node.decorator_list
        if any(ast.unparse(mark).endswith("property") for mark in marks):
            self.event("call", method)
            return found | self.wiring.returned.get(method, NOTHING)
        return found | one("function", method)

    def subscript(self, node: ast.Subscript) -> Value:
        """Return what an element can be."""
        value, index = self.value(node.value), self.value(node.slice)
        found: list[Value] = []
        for token in value:
            if token.kind in ("agendas", "channels"):
                kind = token.kind[:-1]
                names = [one(kind, word.name) for word in index if word.kind == "text"]
                if not names:
                    self.problem(node, f"which {kind} is this")
                found += names
            elif token.kind == "names":
                found += [one("text", code.name.partition(".")[2]) for code in index if code.kind == "code"]
            elif token.kind == "map":
                found.append(token.parts[1])
            elif token.kind == "many" and isinstance(node.slice, ast.Slice):
                found.append(frozenset({token}))
            elif token.kind == "many":
                place = node.slice.value if isinstance(node.slice, ast.Constant) else None
                known = isinstance(place, int) and -len(token.parts) <= place < len(token.parts)
                found.append(token.parts[place] if known else union(token.parts))  # type: ignore[index]
        return union(found)

    # --- Calls ------------------------------------------------------------------------------------------------

    def event(self, kind: str, name: str, told: str = "") -> None:
        """Note a call, a process started, or somebody who listens."""
        self.function.events.append((kind, name, told))

    def call(self, node: ast.Call) -> Value:
        """Return what a call gives back, and note what it does."""
        given = [self.value(item) for item in node.args]
        by_name = {word.arg: self.value(word.value) for word in node.keywords}
        if isinstance(node.func, ast.Attribute):
            on = self.value(node.func.value)
            primitive = self.primitive(node, node.func.attr, on, given, by_name)
            if primitive is not None:
                return primitive
            callees = self.attribute(node.func)
        else:
            callees = self.value(node.func)
            if isinstance(node.func, ast.Name) and hasattr(builtins, node.func.id) and not callees:
                # int(Task.PLAN), sorted(names), list(channels): what goes in comes out.
                return given[0] if given and node.func.id in ("int", "list", "tuple", "sorted", "reversed") else NOTHING
        found: list[Value] = []
        for token in sorted(callees, key=lambda token: (token.kind, token.name)):
            if token.kind == "class":
                found.append(one("object", token.name))
                start = self.wiring.method(token.name, "__init__")
                if start:
                    self.enter(start, given, by_name)
            elif token.kind == "function":
                heard = token.parts and next(iter(token.parts[0])).name
                self.enter(token.name, given, by_name, heard or "")
                found.append(self.wiring.returned.get(token.name, NOTHING))
                found.append(self.annotated_return(token.name))
        return union(found)

    def annotated_return(self, name: str) -> Value:
        """Return the objects that a function promises to return."""
        function = self.wiring.functions[name]
        return Reader(self.wiring, function).annotated(function.node.returns)

    def enter(self, name: str, given: list[Value], by_name: dict[str | None, Value], told: str = "") -> None:
        """Note a call of a function of the system and what it is given."""
        self.event("call", name, told)
        function = self.wiring.functions[name]
        for parameter, value in zip(function.parameters, given, strict=False):
            self.grow(self.wiring.arguments, (name, parameter), value)
        for word, value in by_name.items():
            if word in function.parameters:
                self.grow(self.wiring.arguments, (name, word), value)

    def primitive(
        self, node: ast.Call, name: str, on: Value, given: list[Value], by_name: dict[str | None, Value]
    ) -> Value | None:
        """Return what an operation of the world gives back, None if the call isn't one."""
        texts = sorted(token.name for token in (given[0] if given else NOTHING) if token.kind == "text")
        theirs = any(token.kind == "object" and self.wiring.method(token.name, name) for token in on)
        if name in ("agenda", "channel") and not theirs:
            if not texts:
                self.problem(node, f"which {name} is made")
            for text in texts:
                self.wiring.made.add((name, text))
                self.use(f"makes {name}", text)
            return frozenset(Token(name, text) for text in texts)
        if name == "cancel" and len(given) > 1 and not theirs:
            # The world's own: rows, and the names of the agendas that they are taken off.
            for item, value in zip(node.args[1:], given[1:], strict=True):
                named = sorted(token.name for token in value if token.kind == "text")
                if not named:
                    self.problem(item, "which agenda is cancelled")
                for text in named:
                    self.use("cancels", text)
            return NOTHING
        if name == "phase":
            if not texts:
                self.problem(node, "which phase")
            for text in texts:
                self.use("phase", text)
            return NOTHING
        if name == "process" and not theirs:
            started = sorted(token.name for token in (given[0] if given else NOTHING) if token.kind == "function")
            if not started:
                self.problem(node, "which process is started")
            for function in started:
                self.event("process", function)
            return NOTHING
        if name == "add_task":
            kinds = given[0] if given else by_name.get("kind", NOTHING)
            codes = [token.name.partition(".")[2] for token in kinds if token.kind == "code"]
            if not codes:
                self.problem(node, "which task")
            for code in codes:
                self.use("tasks", code.lower())
            return NOTHING
        if name == "keep" and Token("diaries") in on:
            self.use("works", "diaries")
            return NOTHING
        if name == "append" and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Attribute):
            return self.listen(node.func.value, given[0] if given else NOTHING)
        return self.on_agenda(node, name, on, theirs)

    def on_agenda(self, node: ast.Call, name: str, on: Value, theirs: bool) -> Value | None:
        """Note what is done to agendas and channels; return None if it is nothing."""
        hit = False
        for token in on:
            uses = AGENDA_USES if token.kind == "agenda" else CHANNEL_USES if token.kind == "channel" else {}
            if uses:
                hit = True
                if name not in uses:
                    self.problem(node, f"what does {name} do to a {token.kind}")
                else:
                    self.use(uses[name], token.name)
        if hit:
            return NOTHING
        if name in ("items", "values", "keys") and any(token.kind == "map" for token in on):
            maps = [token.parts for token in on if token.kind == "map"]
            keys, values = union(part[0] for part in maps), union(part[1] for part in maps)
            return one("many", "", {"items": one("many", "", keys, values), "keys": keys, "values": values}[name])
        words = [token.name for token in on if token.kind == "text"]
        if words and name in ("lower", "upper", "strip") and not node.args:
            return frozenset(Token("text", getattr(word, name)()) for word in words)
        if name in MUST_BE_KNOWN and not theirs:
            self.problem(node, f"on what is {name} called")
        return None

    def listen(self, place: ast.Attribute, value: Value) -> Value | None:
        """Note that a function is put into a list of listeners; None if it is an ordinary list."""
        functions = [token for token in value if token.kind == "function"]
        owners = [token.name for token in self.value(place.value) if token.kind == "object"]
        for owner in owners if functions else ():
            told = f"{owner.partition('.')[0]}.{place.attr}"
            heard = frozenset(Token("function", token.name, (one("text", told),)) for token in functions)
            self.grow(self.wiring.attributes, (owner, place.attr), one("many", "", heard))
            for token in functions:
                self.event("listen", token.name, told)
        return NOTHING if functions and owners else None
