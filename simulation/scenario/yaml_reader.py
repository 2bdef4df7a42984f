"""A small, strict reader for the YAML that people edit here.

Ordinary YAML turns ``no`` into false, ``12:30`` into 750 and ``2018-07-01`` into a date, keeps the last of
two equal keys, and builds objects from tags. All of that has cost analysts days. This reader builds its own
tree straight from the parser's events, one level at a time, so that

* words stay words: only ``true``, ``false``, ``null`` and plain decimal numbers are anything else;
* equal keys, tags, aliases and second documents are errors;
* every value knows its line and column;
* size and depth have limits, so that no file can exhaust memory or the call stack.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from simulation.scenario.problems import Problem, quote, shown_path

LARGEST_FILE = 2_000_000
"""Bytes. The longest file here is a tenth of it."""

DEEPEST = 12
"""Levels of nesting. Nothing here needs more than six."""

MOST_VALUES = 30_000

Scalar = str | int | float | bool | None

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})\Z")
_DECIMAL = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)([eE][-+]?[0-9]{1,3})?\Z")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]")


@dataclass(slots=True)
class Node:
    """A value and where it stands.

    Parameters
    ----------
    value : scalar, dict of str to Node, or list of Node
    line, column : int
        Of the value, counted from 1.
    key_line, key_column : int
        Of its key when it is an entry of a mapping, else of the value.
    refused : bool
        True when the reader has refused the value already, so that nobody complains twice.
    """

    value: Any
    line: int
    column: int
    key_line: int = 0
    key_column: int = 0
    refused: bool = False

    def __post_init__(self) -> None:
        if not self.key_line:
            self.key_line, self.key_column = self.line, self.column

    @property
    def is_mapping(self) -> bool:
        """True when the value has named entries."""
        return isinstance(self.value, dict)

    @property
    def is_list(self) -> bool:
        """True when the value is a list."""
        return isinstance(self.value, list)

    def get(self, key: str) -> Node | None:
        """The entry of that name, or None."""
        return self.value.get(key) if isinstance(self.value, dict) else None

    def plain(self) -> Any:
        """The value without positions: dicts, lists and scalars."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def at(self, path: tuple[str | int, ...]) -> tuple[Node, bool]:
        """Follow keys and list positions as far as they go.

        Returns
        -------
        (Node, bool)
            The last node reached, and whether the whole path was there.
        """
        node: Node = self
        for step in path:
            value = node.value
            within = (
                step in value if isinstance(value, dict) else isinstance(value, list) and _inside(step, value)
            )
            if not within:
                return node, False
            node = value[step]
        return node, True


def _inside(step: str | int, items: list[Node]) -> bool:
    return isinstance(step, int) and step < len(items)


@dataclass
class Document:
    """What a file held.

    Parameters
    ----------
    file : str
        Name to show.
    root : Node or None
        None when nothing could be read.
    problems : list of Problem
    """

    file: str
    root: Node | None = None
    problems: list[Problem] = field(default_factory=list)

    def problem(self, code: str, message: str, line: int = 1, column: int = 1, hint: str = "") -> None:
        """Add an error at a place in this file."""
        self.problems.append(Problem(code, message, self.file, line, column, hint))


def read_file(path: Path, loader: Any = None) -> Document:
    """Read one file; whatever is wrong is in ``problems``, nothing is raised.

    Parameters
    ----------
    path : Path
    loader : PyYAML loader class, optional
        Only tests choose it; the compiled parser is used when present.
    """
    document = Document(shown_path(path))
    try:
        if path.is_dir():
            document.problems.append(
                Problem(
                    "is_a_directory", "this is a folder, not a file", document.file, hint="name a .yaml file"
                )
            )
            return document
        with path.open("rb") as stream:
            data = stream.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        document.problems.append(Problem("missing_file", "there is no such file", document.file))
        return document
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        document.problems.append(Problem("unreadable", f"the file can't be read: {reason}", document.file))
        return document
    return read_bytes(data, document.file, loader)


def read_bytes(data: bytes, file: str, loader: Any = None) -> Document:
    """Read YAML from bytes. See `read_file`."""
    document = Document(file)
    if len(data) > LARGEST_FILE:
        document.problem(
            "too_large", f"the file is over {LARGEST_FILE:,} bytes", hint="a scenario is usually under 10,000"
        )
        return document
    text = _decode(data, document)
    if text is None:
        return document
    builder = _Builder(document)
    parser = loader or getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        document.root = builder.build(yaml.parse(text, Loader=parser))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        _explain_syntax(document, text, error, line, column)
    except _Stop:
        pass
    if document.problems and document.root is None:
        return document
    if document.root is None or document.root.value is None:
        document.root = None
        document.problem(
            "empty", "the file holds nothing", hint="a scenario needs at least name, title and changes"
        )
    return document


def _decode(data: bytes, document: Document) -> str | None:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        document.problem("encoding", "the file is UTF-16", hint="save it as UTF-8")
        return None
    if b"\x00" in data:
        line, column = _place(data, data.index(b"\x00"))
        document.problem(
            "nul_byte", "the file holds a NUL byte, so it is no text file", line, column, "save it as UTF-8"
        )
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, column = _place(data, error.start)
        found = f"byte 0x{data[error.start]:02x} is not UTF-8"
        document.problem(
            "encoding", found, line, column, "save the file as UTF-8, not Latin-1 or Windows-1252"
        )
        return None
    for number, row in enumerate(text.splitlines(), start=1):
        for column, letter in enumerate(row, start=1):
            if (
                not letter.isprintable()
                and letter not in "\t\u00a0\ufeff"
                and (letter < " " or letter == "\x7f")
            ):
                document.problem(
                    "control_character", f"control character U+{ord(letter):04X}", number, column, "remove it"
                )
                return None
    return text


def _place(data: bytes, offset: int) -> tuple[int, int]:
    start = data.rfind(b"\n", 0, offset) + 1
    return data.count(b"\n", 0, offset) + 1, len(data[start:offset].decode("utf-8", "replace")) + 1


def _explain_syntax(document: Document, text: str, error: yaml.YAMLError, line: int, column: int) -> None:
    rows = text.splitlines()
    row = rows[line - 1] if 0 < line <= len(rows) else ""
    indent = row[: len(row) - len(row.lstrip())]
    if "\t" in indent:
        document.problem(
            "tab", "a tab in the indentation", line, indent.index("\t") + 1, "indent with spaces"
        )
        return
    reason = str(getattr(error, "problem", "") or "the text can't be read")
    if "undefined alias" in reason:
        document.problem("alias", "aliases (*name) are not used here", line, column, "write the value out")
        return
    hint = "look for a missing colon, a missing quote or uneven indentation here or on the line before"
    above = rows[line - 2] if 1 < line <= len(rows) + 1 else ""
    if any(re.match(r"\s*(- )?[\w.]+:[^\s:/]", candidate) for candidate in (row, above)):
        hint = "put a space after the colon"
    elif row.count(": ") > 1:
        hint = "put the text in quotes when it holds a colon"
    document.problem("not_yaml", f"not valid YAML: {reason}", line, column, hint)


class _Stop(Exception):
    """The rest of the file is not worth reading."""


class _Builder:
    """Builds the tree with a list of open nodes instead of recursion."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.values = 0
        self.aliases = 0

    def build(self, events: Iterator[Any]) -> Node | None:
        root: Node | None = None
        open_nodes: list[Node] = []
        keys: list[tuple[str, int, int] | None] = []
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._problem(
                        "multiple_documents", "a second document starts here", event, "one file, one document"
                    )
                    raise _Stop
                continue
            if isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                open_nodes.pop()
                keys.pop()
                continue
            if isinstance(event, yaml.AliasEvent):
                self.aliases += 1
                if self.aliases == 1:
                    hint = "write the value out, here and wherever else"
                    self._problem("alias", "aliases (*name) are not used here", event, hint)
                node = self._node(None, event)
                node.refused = True
            elif isinstance(event, yaml.ScalarEvent):
                node = self._node(_scalar(event), event)
                node.refused = self._refuse_tag(event)
            elif isinstance(event, yaml.MappingStartEvent):
                node = self._node({}, event)
                node.refused = self._refuse_tag(event)
            elif isinstance(event, yaml.SequenceStartEvent):
                node = self._node([], event)
                node.refused = self._refuse_tag(event)
            else:
                continue

            self.values += 1
            if self.values > MOST_VALUES:
                self._problem("too_large", f"the file holds over {MOST_VALUES:,} values", event, "split it")
                raise _Stop
            if not open_nodes:
                root = root or node
            elif open_nodes[-1].is_list:
                open_nodes[-1].value.append(node)
            elif keys[-1] is None:
                keys[-1] = self._key(open_nodes[-1], node, event)
                if not isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
                    continue
                raise _Stop
            else:
                name, node.key_line, node.key_column = keys[-1]
                keys[-1] = None
                # The first of two equal keys is kept, so that the rest is still checked.
                open_nodes[-1].value.setdefault(name, node)
            if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
                open_nodes.append(node)
                keys.append(None)
                if len(open_nodes) > DEEPEST:
                    self._problem(
                        "too_deep",
                        f"nested more than {DEEPEST} levels deep",
                        event,
                        "look for a stray indent",
                    )
                    raise _Stop
        return root

    def _key(self, mapping: Node, node: Node, event: Any) -> tuple[str, int, int]:
        if not isinstance(event, yaml.ScalarEvent):
            self._problem(
                "bad_key",
                "a key must be a word, not a list or mapping",
                event,
                "use a name followed by a colon",
            )
            return ("", node.line, node.column)
        name = event.value
        first = mapping.value.get(name)
        if first is not None:
            self._problem(
                "duplicate_key",
                f"the key {quote(name)} is already on line {first.key_line}",
                event,
                "keep one of the two",
            )
        return (name, node.line, node.column)

    def _refuse_tag(self, event: Any) -> bool:
        if event.tag is None:
            return False
        shown = event.tag.replace("tag:yaml.org,2002:", "!!")
        self._problem("tag", f"the tag {quote(shown)} is not allowed", event, "write the plain value")
        return True

    def _problem(self, code: str, message: str, event: Any, hint: str) -> None:
        self.document.problem(code, message, event.start_mark.line + 1, event.start_mark.column + 1, hint)

    @staticmethod
    def _node(value: Any, event: Any) -> Node:
        return Node(value, event.start_mark.line + 1, event.start_mark.column + 1)


def _scalar(event: Any) -> Scalar:
    text: str = event.value
    if event.style:
        return text
    if text in ("", "null", "~"):
        return None
    if text in ("true", "false"):
        return text == "true"
    if _INTEGER.match(text):
        return int(text)
    # 007 and 1e999 are more likely slips than numbers: left as text, the schema then says what it expected.
    if _DECIMAL.match(text) and not _LEADING_ZERO.match(text):
        number = float(text)
        return number if math.isfinite(number) else text
    return text
