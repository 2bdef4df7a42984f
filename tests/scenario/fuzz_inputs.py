"""Files that nobody should write: damaged real ones, hostile ones, and values of the wrong kind in every place.

Each is made from its number alone, so that a failure can be made again from the number it names.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from simulation.scenario.yaml_reader import DEEPEST, LARGEST_FILE, MOST_VALUES, read_bytes

ROOT = Path(__file__).parents[2]
SCENARIOS = sorted((ROOT / "scenarios").glob("*.yaml"))
PARAMETERS = sorted((ROOT / "scenarios" / "parameters").glob("*.yaml"))
MALFORMED = sorted((Path(__file__).parent / "malformed").glob("*.yaml"))

#: Text that means something to the reader, to YAML, or to something behind them.
PIECES = (
    *(b"\n", b"\t", b"  ", b"\n  ", b"\r", b"\x00", b"\xff", "é".encode(), b"\xe2\x80\xa8", b"- ", b": ", b":", b"#"),
    *(b"[", b"]", b"{", b"}", b'"', b"'", b"&a ", b"*a ", b"!!set ", b"!!python/object:os.system ", b"---\n", b"? "),
    *(b"| ", b"> ", b"%YAML 9.9\n", b"@", b"`", b"null", b"true", b"~", b"<<: ", b"\xef\xbb\xbf", b"\xed\xa0\x80"),
    *(b"\xf4\x90\x80\x80", b"\xc0\xaf", b"\xff\xfe", b"\x85", b"\xc2\x85", b"\xe2\x80\xae", b"\x1b[31m", b"\x7f"),
    *(b"1e400", b"-1", b"9" * 400, b"0x10", b"0o7", b"1_000", b".nan", b".inf", b"-.inf", b"nan", b"1:30", b"007"),
    *(b"2018-02-30", b"9999-12-31", b"0000-00-00", b"0001-01-01", b"10000-01-01", b"2018-07-01T00:00:00Z"),
    *(b"extends: baseline\n", b"areas: ", b"set: ", b"multiply: ", b"add: ", b"value: ", b"series: linear", b"from: "),
    *(b"name: ", b"changes:\n", b"low: ", b"allowed: [", b"choices: ", b"ramp_days: 99999999999999999"),
)

#: What may stand in the place of any value, as it is written in YAML.
VALUES = (
    *("", "~", "null", "true", "false", "yes", "0", "-1", "1", "3.5", "1e308", "-1e308", "1e309", "5e-324", "9" * 17),
    *("9" * 19, "9" * 5000, "-0", "-0.0", ".nan", ".inf", "-.inf", "nan", "inf", "007", "0x1F", "1_000", "12:30"),
    *("2018-02-30", "9999-12-31", "0001-01-01", "0000-01-01", "10000-01-01", "31/12/2018", "2018-07-01", "1899-12-31"),
    *("[]", "{}", "[[]]", "[{}]", "{a: 1}", "{'': ''}", "[1, two, 3.0, null]", "[true]", "{2018: 1, 2019: 2}"),
    *("{2018-01: 1, 0000-13: 2}", "{a: {b: {c: {d: {e: 1}}}}}", "[[[[[[[[1]]]]]]]]", "all", "nps", "crc", "baseline"),
    *("'36%'", "'£1,000'", "'1,000'", "' '", "'\\t'", '"\\0"', '"\\ud800"', '"\\U0010ffff"', '"\\x1b[2J"', "''"),
    *("'é🦊'", "../../etc/passwd", "/dev/zero", "con", "'a\nb'", "*a", "&a 1", "!!int '3'", "!!binary aGk="),
)


def pick(number: int) -> tuple[str, str, bytes]:
    """Make one input.

    Returns
    -------
    (str, str, bytes)
        What was done, ``scenario`` or the name of a parameter file without its ending, and what the file holds.
    """
    chance = random.Random(number)
    if chance.random() < 0.6:
        whole, what = chance.choice([*SCENARIOS, *SCENARIOS, *MALFORMED]), "scenario"
    else:
        whole = chance.choice(PARAMETERS)
        what = whole.stem
    kinds: dict[str, Callable[[bytes, random.Random], bytes]] = {
        "damaged": damaged,
        "truncated": truncated,
        "bytes flipped": flipped,
        "another value": another_value,
        "lines": lines_moved,
    }
    kind = chance.choices([*kinds, "hostile"], [6, 2, 3, 6, 2, 0.2])[0]
    if kind == "hostile":
        name = chance.choice(sorted(HOSTILE))
        return name, what, HOSTILE[name](chance)
    return kind, what, kinds[kind](whole.read_bytes(), chance)


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Insert, replace, delete, swap and repeat pieces, up to five times."""
    for _ in range(chance.choice([1, 1, 2, 5])):
        start, end = sorted(chance.randint(0, len(data)) for _ in range(2))
        piece = chance.choice(PIECES) if chance.random() < 0.8 else chance.randbytes(chance.randint(1, 4))
        kind = chance.choice(["insert", "insert", "replace", "delete", "swap", "repeat"])
        if kind == "insert":
            data = data[:start] + piece + data[start:]
        elif kind == "replace":
            data = data[:start] + piece + data[start + len(piece) :]
        elif kind == "delete":
            data = data[:start] + data[min(end, start + 30) :]
        elif kind == "swap":
            data = data[end:] + data[start:end] + data[:start]
        else:
            data = data[:end] + data[start:end][:200] + data[end:]
    return data


def truncated(data: bytes, chance: random.Random) -> bytes:
    """Leave out the end, as a full disk does, or the start."""
    cut = chance.randint(0, len(data))
    return data[:cut] if chance.random() < 0.8 else data[cut:]


def flipped(data: bytes, chance: random.Random) -> bytes:
    """Turn over some bits."""
    changed = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 8])):
        if changed:
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def lines_moved(data: bytes, chance: random.Random) -> bytes:
    """Repeat, drop, swap and indent lines; now and then end them as Windows does or begin with a byte order mark."""
    rows = data.split(b"\n")
    for _ in range(chance.choice([1, 2, 4])):
        first, second = chance.randrange(len(rows)), chance.randrange(len(rows))
        kind = chance.choice(["repeat", "drop", "swap", "indent", "tab"])
        if kind == "repeat":
            rows.insert(second, rows[first])
        elif kind == "drop" and len(rows) > 1:
            del rows[first]
        elif kind == "swap":
            rows[first], rows[second] = rows[second], rows[first]
        else:
            rows[first] = (b"\t" if kind == "tab" else b" " * chance.randint(1, 5)) + rows[first]
    joined = chance.choice([b"\n", b"\n", b"\n", b"\r\n", b"\r"]).join(rows)
    return joined if chance.random() < 0.9 else b"\xef\xbb\xbf" + joined


def another_value(data: bytes, chance: random.Random) -> bytes:
    """Put something of another kind in the place of one value, wherever in the file it stands."""
    root = read_bytes(data, "whole.yaml").root
    if root is None:
        return data
    paths = list(_paths(root.plain()))
    path = chance.choice(paths)
    return _written(root.plain(), path, chance.choice(VALUES)).encode("utf-8", "replace")


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Any:
    yield path
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, below in entries:
        yield from _paths(below, (*path, step))


def _written(value: Any, path: tuple[Any, ...] | None, put: str, indent: int = 0) -> str:
    """Write a tree as YAML with a text put in at one place; ``path`` is None off the way there."""
    if path == ():
        return put
    pad = "  " * indent
    if isinstance(value, dict) and value:
        rows = [(f"{pad}{_scalar(key)}:", key, below) for key, below in value.items()]
    elif isinstance(value, list) and value:
        rows = [(f"{pad}-", position, below) for position, below in enumerate(value)]
    else:
        return _scalar(value)
    lines = []
    for start, step, below in rows:
        onward = path[1:] if path and path[0] == step else None
        text = _written(below, onward, put, indent + 1)
        nested = isinstance(below, dict | list) and below and onward != ()
        lines.append(f"{start}\n{text}" if nested else f"{start} {text}")
    return "\n".join(lines)


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''").replace("\n", " ") + "'"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


#: Numbers that a scenario may change.
MANY_VALUES = (
    *(b"custody.hdc.take_up", b"contact.most_missed", b"contact.early_weeks", b"contact.miss_factor"),
    *(b"contact.rebook_working_days", b"contact.review_months", b"contact.missed_crisis_ratio"),
)

HEAD = b"name: hostile\ntitle: A test\nextends: baseline\n"


def _size(chance: random.Random, most: int) -> int:
    """As often close to what is refused for its size alone as far from it."""
    return int(most * chance.uniform(0.7, 1.01) if chance.random() < 0.5 else most ** chance.uniform(0.3, 1.0))


def _change(body: bytes) -> bytes:
    return b"  - from: 2018-07-01\n    set: {" + body + b"}\n"


#: Files built to take long, or much memory, or to be taken for something else.
HOSTILE: dict[str, Callable[[random.Random], bytes]] = {
    "billion laughs": lambda chance: b"a0: &a0 [x, x]\n"
    + b"".join(b"a%d: &a%d [*a%d, *a%d]\n" % (n, n, n - 1, n - 1) for n in range(1, _size(chance, 60) + 1)),
    "many aliases": lambda chance: b"a: &a 1\nb: [" + b"*a, " * _size(chance, 20_000) + b"*a]\n",
    "merge keys": lambda chance: b"a: &a {b: 1}\n"
    + b"".join(b"k%d: {<<: *a}\n" % n for n in range(_size(chance, 5000))),
    "deep lists": lambda chance: b"[" * _size(chance, 200_000),
    "deep mappings": lambda chance: b"{a: " * _size(chance, 100_000),
    "deep block": lambda chance: b"- " * _size(chance, 100_000) + b"x",
    "deep indentation": lambda chance: b"".join(b" " * n + b"a:\n" for n in range(_size(chance, 1500))),
    "as deep as allowed": lambda chance: b"a: " + b"[" * (DEEPEST - 1) + b"1" + b"]" * (DEEPEST - 1),
    "giant scalar": lambda chance: HEAD + b"question: " + b"x" * _size(chance, LARGEST_FILE),
    "giant quoted": lambda chance: HEAD + b'question: "' + b"\\u0041 " * _size(chance, LARGEST_FILE // 7) + b'"\n',
    "giant folded": lambda chance: HEAD + b"question: >\n" + b"  x\n\n" * _size(chance, LARGEST_FILE // 5),
    "giant name": lambda chance: HEAD.replace(b"hostile", b"h" * _size(chance, LARGEST_FILE)),
    "giant number": lambda chance: HEAD + b"start: " + b"9" * _size(chance, LARGEST_FILE),
    "giant comment": lambda chance: HEAD + b"#" * _size(chance, LARGEST_FILE),
    "many comments": lambda chance: HEAD + b"# x\n" * _size(chance, LARGEST_FILE // 4),
    "too large": lambda chance: HEAD + b"#" * (LARGEST_FILE + chance.randint(-60, 60)),
    "many lines": lambda chance: HEAD + b"\n" * _size(chance, LARGEST_FILE - 100),
    "long key": lambda chance: b"k" * _size(chance, LARGEST_FILE) + b": 1\n",
    "many keys": lambda chance: b"".join(b"key_%d: 1\n" % n for n in range(_size(chance, MOST_VALUES // 2 + 50))),
    "equal keys": lambda chance: b"title: A test\n" * _size(chance, MOST_VALUES // 2 + 50),
    "many values": lambda chance: HEAD + b"moves: [" + b"x, " * _size(chance, MOST_VALUES + 50) + b"x]\n",
    "many documents": lambda chance: b"--- x\n" * _size(chance, 20_000),
    "many tags": lambda chance: b"".join(b"k%d: !!python/name:os.system 1\n" % n for n in range(_size(chance, 14_000))),
    "many areas": lambda chance: HEAD
    + b"areas: ["
    + b", ".join(b"place_%d" % n for n in range(_size(chance, MOST_VALUES)))
    + b"]\n",
    "many unknown parameters": lambda chance: HEAD
    + b"changes:\n"
    + _change(b", ".join(b"custody.hdc.take_%d: 0.4" % n for n in range(_size(chance, MOST_VALUES // 2)))),
    "many entries of a table": lambda chance: HEAD
    + b"changes:\n"
    + _change(
        b"contact.interval_weeks: {" + b", ".join(b"k%d: 1" % n for n in range(_size(chance, MOST_VALUES // 2))) + b"}"
    ),
    "many changes": lambda chance: HEAD
    + b"changes:\n"
    + _change(b"custody.hdc.take_up: 0.4") * _size(chance, MOST_VALUES // 7),
    "many multiplications": lambda chance: HEAD
    + b"changes:\n"
    + b"".join(
        b"  - from: 20%02d-%02d-%02d\n    multiply: {custody.hdc.take_up: 1.0001}\n"
        % (17 + n % 4, 1 + n // 4 % 12, 1 + n // 48 % 28)
        for n in range(_size(chance, MOST_VALUES // 7))
    ),
    "many multiplications of a table": lambda chance: HEAD
    + b"changes:\n"
    + _change(b"").replace(b"set: {", b"multiply: {contact.interval_days: 1.0001") * _size(chance, MOST_VALUES // 7),
    "many steps of many values": lambda chance: HEAD
    + b"changes:\n"
    + b"".join(
        b"  - from: 20%02d-%02d-01\n    multiply: {%s}\n"
        % (17 + n % 4, 1 + n // 4 % 12, b", ".join(b"%s: 1.0001" % name for name in MANY_VALUES))
        for n in range(_size(chance, MOST_VALUES // (5 + 2 * len(MANY_VALUES))))
    ),
    "many bad changes": lambda chance: HEAD + b"changes:\n" + b"  - fro: 1\n" * _size(chance, MOST_VALUES // 3),
    "many empty changes": lambda chance: HEAD + b"changes:\n" + b"  - {}\n" * _size(chance, MOST_VALUES),
    "many wrong measures": lambda chance: HEAD
    + b"expects: {"
    + b", ".join(b"recall_%d: more" % n for n in range(_size(chance, MOST_VALUES // 2)))
    + b"}\n",
    "many parameters": lambda chance: b"".join(
        b"custody.p%d: {description: A., value: 1, unit: days, confidence: assume, source: x}\n" % n
        for n in range(_size(chance, MOST_VALUES // 11))
    ),
    "many bad parameters": lambda chance: b"".join(
        b"custody.p%d: {descripton: A}\n" % n for n in range(_size(chance, MOST_VALUES // 4))
    ),
    "a wide table": lambda chance: b"custody.p: {description: A., unit: days, confidence: assume, source: x, value: {"
    + b", ".join(b"k%d: {a: 1, b: 2}" % n for n in range(_size(chance, MOST_VALUES // 6)))
    + b"}}\n",
    "a long series": lambda chance: b"custody.p: {description: A., unit: days, confidence: assume, source: x, "
    b"series: step, value: {"
    + b", ".join(b"%04d-%02d: 1" % (1000 + n // 12, 1 + n % 12) for n in range(_size(chance, MOST_VALUES // 3)))
    + b"}}\n",
    "quotes without end": lambda chance: HEAD + b'question: "' + b"'" * _size(chance, 100_000),
    "brackets": lambda chance: bytes(chance.choice(b"[]{},:\n ") for _ in range(_size(chance, 20_000))),
    "noise": lambda chance: chance.randbytes(_size(chance, 20_000)),
    "printable noise": lambda chance: bytes(chance.choice(range(32, 127)) for _ in range(_size(chance, 20_000))),
    "surrogates": lambda chance: HEAD + b"question: \xed\xa0\x80\n",
    "escaped surrogates": lambda chance: HEAD + b'question: "\\ud83d\\ude00 \\ud800"\n',
    "two byte orders": lambda chance: b"\xef\xbb\xbf\xff\xfe" + HEAD,
    "sixteen bits": lambda chance: HEAD.decode().encode("utf-16-be" if chance.random() < 0.5 else "utf-16-le"),
    "nothing": lambda chance: b"",
    "spaces": lambda chance: chance.choice([b" ", b"\t", b"\n", b"\r"]) * _size(chance, 100_000),
    "anchors": lambda chance: b"".join(b"&a%d " % n for n in range(_size(chance, 20_000))) + b"x",
    "question marks": lambda chance: b"? " * _size(chance, 100_000),
    "directives": lambda chance: b"%TAG ! tag:x,2000:\n" * _size(chance, 20_000) + b"--- x\n",
}
