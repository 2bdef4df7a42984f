"""What the sources of the system say about who wakes when and who hands what to whom, without running anything."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from wiring_reader import NOTHING, Function, Reader, Use, Value, one

PACKAGE = "simulation.system"


class Wiring:
    """Everything that the sources of a folder say about who acts when and on what.

    Parameters
    ----------
    folder : Path
        A folder of modules; those below it aren't read.
    """

    def __init__(self, folder: Path) -> None:
        self.functions: dict[str, Function] = {}
        self.methods: dict[str, dict[str, str]] = {}
        self.bases: dict[str, list[str]] = {}
        self.names: dict[str, dict[str, Value]] = {}
        self.attributes: dict[tuple[str, str], Value] = {}
        self.arguments: dict[tuple[str, str], Value] = {}
        self.returned: dict[str, Value] = {}
        self.uses: set[Use] = set()
        self.made: set[tuple[str, str]] = set()
        self.problems: set[str] = set()
        trees = {path.stem: ast.parse(path.read_text("utf-8")) for path in sorted(folder.glob("*.py"))}
        for module, tree in trees.items():
            self._declare(module, tree)
        for module, tree in trees.items():
            self._import(module, tree)
        while True:
            before = self._size()
            self.problems.clear()
            for module, tree in trees.items():
                reader = Reader(self, Function("", module, "", ast.parse("def top(): pass").body[0]))  # type: ignore[arg-type]
                for node in tree.body:
                    if isinstance(node, ast.Assign | ast.AnnAssign):
                        reader.statement(node)
                        self.names[module].update(reader.local)
            for function in self.functions.values():
                function.events.clear()
                Reader(self, function).read()
            if self._size() == before:
                break
        if self.problems:
            raise ValueError("can't be followed:\n" + "\n".join(sorted(self.problems)))

    def _size(self) -> int:
        tables = (self.attributes, self.arguments, self.returned)
        return sum(len(value) for table in tables for value in table.values()) + len(self.uses) + len(self.made)

    def _declare(self, module: str, tree: ast.Module) -> None:
        self.names[module] = {}
        for node in tree.body:
            if isinstance(node, ast.FunctionDef):
                self.names[module][node.name] = one("function", self._function(module, "", node))
            elif isinstance(node, ast.ClassDef):
                owner = f"{module}.{node.name}"
                self.names[module][node.name] = one("class", owner)
                self.bases[owner] = [base.id for base in node.bases if isinstance(base, ast.Name)]
                inner = [item for item in node.body if isinstance(item, ast.FunctionDef)]
                self.methods[owner] = {item.name: self._function(module, owner, item) for item in inner}
                if any(word.arg == "metaclass" for word in node.keywords):
                    for item in node.body:
                        if isinstance(item, ast.Assign) and isinstance(item.targets[0], ast.Name):
                            word = item.targets[0].id
                            self.attributes[owner, word] = one("code", f"{node.name}.{word}")

    def _function(self, module: str, owner: str, node: ast.FunctionDef) -> str:
        name = f"{owner or module}.{node.name}"
        self.functions[name] = Function(name, module, owner, node)
        return name

    def _import(self, module: str, tree: ast.Module) -> None:
        for node in ast.walk(tree):
            if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith(PACKAGE):
                continue
            source = (node.module or "")[len(PACKAGE) + 1 :]
            for alias in node.names:
                named = alias.asname or alias.name
                if not source and alias.name in self.names:
                    self.names[module][named] = one("module", alias.name)
                elif source in self.names:
                    # Constants are read later; classes and functions are known by now.
                    known = self.names[source].get(alias.name, one("constant", f"{source}.{alias.name}"))
                    self.names[module].setdefault(named, known)

    def method(self, owner: str, name: str) -> str | None:
        """Return the function that is a method of a class of the system, its own or inherited."""
        found = self.methods.get(owner, {}).get(name)
        if found:
            return found
        for base in self.bases.get(owner, ()):
            for token in self.names[owner.partition(".")[0]].get(base, NOTHING):
                found = found or self.method(token.name, name)
        return found

    # --- What follows from it ---------------------------------------------------------------------------------

    def reach(self, start: str, listeners: bool = False) -> set[str]:
        """Return the functions that a function calls, and those that they call.

        Parameters
        ----------
        start : str
            Function, included.
        listeners : bool
            Whether to go on through lists of listeners.
        """
        found, waiting = {start}, [start]
        while waiting:
            for kind, callee, told in self.functions[waiting.pop()].events:
                if kind == "call" and (listeners or not told) and callee not in found:
                    found.add(callee)
                    waiting.append(callee)
        return found

    def in_order(self, start: str) -> Iterator[tuple[str, str]]:
        """Yield what starting a function does, in order: processes started and functions called."""
        seen: set[str] = set()

        def follow(name: str) -> Iterator[tuple[str, str]]:
            seen.add(name)
            for kind, other, _ in self.functions[name].events:
                if kind == "process":
                    yield kind, other
                elif kind == "call" and other not in seen:
                    yield kind, other
                    yield from follow(other)

        yield from follow(start)

    @property
    def processes(self) -> list[str]:
        """Every process, in the order in which those that share a phase act."""
        return list(dict.fromkeys(other for kind, other in self.in_order("model.Model.__init__") if kind == "process"))

    def started(self) -> set[str]:
        """Return every process that some function starts, whether or not the model gets there."""
        return {other for f in self.functions.values() for kind, other, _ in f.events if kind == "process"}

    def listeners(self) -> dict[str, list[str]]:
        """Return the functions that stand in each list of listeners, in the order of wiring."""
        order = [other for _, other in self.in_order("model.Model.__init__")]
        found: dict[str, list[str]] = {}
        for name in ("model.Model.__init__", *dict.fromkeys(order)):
            for kind, other, told in self.functions[name].events:
                if kind == "listen" and other not in found.setdefault(told, []):
                    found[told].append(other)
        return found

    def of(self, what: str, functions: Iterable[str] | None = None) -> dict[str, set[str]]:
        """Return names with the modules in whose text something is done to them.

        Parameters
        ----------
        what : str
            What is done, such as "puts".
        functions : iterable of str, optional
            Only there.
        """
        wanted = None if functions is None else set(functions)
        found: dict[str, set[str]] = {}
        for use in sorted(self.uses):
            if use.what == what and (wanted is None or use.function in wanted):
                found.setdefault(use.name, set()).add(self.functions[use.function].module)
        return found
