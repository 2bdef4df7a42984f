"""Where the code reads which parameter, found in the code itself."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

Place = tuple[Path, int]


def uses(names: Iterable[str], paths: Iterable[Path]) -> dict[str, list[Place]]:
    """Return where each parameter is named, by file and line.

    A name counts if it stands in the code as a text of its own, or is what a text with gaps, such as
    ``f"custody.indeterminate_{name}"``, can become.

    Parameters
    ----------
    names : iterable of str
        Parameters.
    paths : iterable of pathlib.Path
        Python files.
    """
    wanted = set(names)
    found: dict[str, list[Place]] = defaultdict(list)
    for path in paths:
        for pattern, line in _texts(ast.parse(path.read_text(encoding="utf-8"))):
            for name in [pattern] if pattern in wanted else _matching(pattern, wanted):
                found[name].append((path, line))
    return dict(found)


def names_read(paths: Iterable[Path], subsystems: Iterable[str]) -> dict[str, list[Place]]:
    """Return every text in code that looks like the name of a parameter of a subsystem, and where it stands."""
    begins = "|".join(re.escape(subsystem) for subsystem in subsystems)
    looks = re.compile(rf"(?:{begins})(?:\.[a-z][a-z0-9_]*)+")
    found: dict[str, list[Place]] = defaultdict(list)
    for path in paths:
        for text, line in _texts(ast.parse(path.read_text(encoding="utf-8"))):
            if looks.fullmatch(text):
                found[text].append((path, line))
    return dict(found)


_GAP = "\0"


def _texts(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield every text with its line; gaps of an f-string as a character that no name has."""
    inside: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            inside.update(id(part) for part in node.values)
            parts = [part.value if isinstance(part, ast.Constant) else _GAP for part in node.values]
            yield "".join(str(part) for part in parts), node.lineno
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            yield node.value, node.lineno


def _matching(pattern: str, names: set[str]) -> list[str]:
    # A gap at the very start says nothing of the subsystem: it could be any name.
    if _GAP not in pattern or "." not in pattern.split(_GAP)[0]:
        return []
    regex = re.compile(r"[a-z0-9_]+".join(re.escape(part) for part in pattern.split(_GAP)))
    return sorted(name for name in names if regex.fullmatch(name))
