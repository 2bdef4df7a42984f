"""The strict reader of YAML: words stay words, and every value knows its place."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.scenario.yaml_reader import Node, read_bytes


def value_of(text: str) -> Any:
    document = read_bytes(f"key: {text}\n".encode(), "f.yaml")
    assert document.problems == [] and document.root is not None
    return document.root.plain()["key"]


WORDS = """
yes no on off y n Yes NO True TRUE 12:30 1:2:3 2018-07-01 2018-07-01T12:00:00 0o17 0x1F 017 1_000 1,000
.inf -.inf .nan nan NaN 1e999 Null + = 36% £5
"""


@pytest.mark.parametrize("word", WORDS.split())
def test_words_stay_words(word: str) -> None:
    assert value_of(word) == word


PLAIN = {
    "0": 0,
    "-3": -3,
    "+3": 3,
    "2.5": 2.5,
    ".5": 0.5,
    "5.": 5.0,
    "1e3": 1000.0,
    "-1.5E-2": -0.015,
    "true": True,
    "false": False,
    "null": None,
    "~": None,
    "": None,
    '"7"': "7",
    "'true'": "true",
}


@pytest.mark.parametrize(("text", "value"), PLAIN.items())
def test_numbers_and_truth(text: str, value: object) -> None:
    found = value_of(text)
    assert found == value
    assert type(found) is type(value)


def test_keys_stay_as_written() -> None:
    document = read_bytes(b"2016: 1\ntrue: 2\nno: 3\n2018-07-01: 4\n", "f.yaml")
    assert document.root is not None
    assert document.root.plain() == {"2016": 1, "true": 2, "no": 3, "2018-07-01": 4}


def test_places() -> None:
    document = read_bytes("# é\na:\n  b: [1, {c: 2}]\n".encode(), "f.yaml")
    assert document.root is not None
    node, reached = document.root.at(("a", "b", 1, "c"))
    assert reached
    assert (node.line, node.column, node.key_line, node.key_column) == (3, 14, 3, 11)
    node, reached = document.root.at(("a", "z"))
    assert not reached
    assert node is document.root.get("a")


def test_a_missing_space_is_explained() -> None:
    for text in (b"a: 1\nb:2\nc: 3\n", b"a:1\nb: 2\n"):
        (problem,) = read_bytes(text, "f.yaml").problems
        assert problem.hint == "put a space after the colon"


def test_the_first_of_equal_keys_is_kept_and_the_rest_still_read() -> None:
    document = read_bytes(b"a: 1\na: 2\nb: !!int 3\n", "f.yaml")
    assert [(problem.code, problem.line) for problem in document.problems] == [
        ("duplicate_key", 2),
        ("tag", 3),
    ]
    assert document.root is not None and document.root.plain()["a"] == 1


# Letters that mean something to YAML, and some that need more than one byte.
words = st.text("ab1 :#-'\"\n\t{}[],&*!|>%@`~=<é漢🦊", min_size=1, max_size=8)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.floats(allow_nan=False, allow_infinity=False)
    | words
)
trees = st.recursive(
    scalars,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(words, below, max_size=4),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.dictionaries(st.text("abc_.", min_size=1, max_size=8), trees, min_size=1, max_size=4))
def test_what_json_can_hold_is_read_as_it_was(tree: dict[str, Any]) -> None:
    """JSON is YAML: what is written comes back, types and all."""
    document = read_bytes(json.dumps(tree, ensure_ascii=False).encode(), "f.yaml")
    if document.root is None:  # deeper than is allowed
        assert document.problems[0].code == "too_deep"
        return
    assert document.problems == []
    assert repr(document.root.plain()) == repr(tree)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.binary(max_size=200))
def test_any_bytes_give_a_tree_or_a_problem(data: bytes) -> None:
    for loader in (None, yaml.SafeLoader):
        document = read_bytes(data, "f.yaml", loader)
        assert (document.root is not None) or document.problems
        assert document.root is None or isinstance(document.root, Node)
        assert all(str(problem).isprintable() for problem in document.problems)
