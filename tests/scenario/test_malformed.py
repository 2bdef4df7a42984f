"""Files with a fault, each by name: what the command says about it, line and hint included.

``malformed/expected.txt`` holds every message as a reader meets it. Only the words of the YAML parser itself
are left out, because they differ between its compiled and its plain version.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from simulation.commands.app import main
from simulation.scenario.yaml_reader import LARGEST_FILE, read_file

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MALFORMED = HERE / "malformed"
FILES = sorted(path for path in MALFORMED.glob("*.yaml") if path.stem != "sound")
EXPECTED = (MALFORMED / "expected.txt").read_text("utf-8").splitlines()

SOUND = (MALFORMED / "sound.yaml").read_bytes()

#: Faults that a text file under version control can't hold: name, bytes, the message after the file name.
BYTES = {
    "utf_16": (SOUND.decode().encode("utf-16"), ":1:1: [encoding] the file is UTF-16 (save it as UTF-8)"),
    "latin_1": (
        SOUND.replace(b"A test", "Détention".encode("latin-1")),
        ":2:9: [encoding] byte 0xe9 is not UTF-8 (save the file as UTF-8, not Latin-1 or Windows-1252)",
    ),
    "nul_byte": (
        SOUND.replace(b"A test", b"A\x00test"),
        ":2:9: [nul_byte] the file holds a NUL byte, so it is no text file (save it as UTF-8)",
    ),
    "control_character": (
        SOUND.replace(b"A test", b"A\x1b[31mtest"),
        ":2:9: [control_character] control character U+001B (remove it)",
    ),
    "nothing_at_all": (b"", ":1:1: [empty] the file holds nothing"),
    "very_large": (
        SOUND + b"# x\n" * (LARGEST_FILE // 4),
        f":1:1: [too_large] the file is over {LARGEST_FILE:,} bytes",
    ),
    "very_many_values": (
        SOUND + b"question: [" + b"x, " * 30_001 + b"x]\n",
        "[too_large] the file holds over 30,000 values (split it)",
    ),
    "a_picture": (
        b"\x89PNG\r\n\x1a\n\x00\x00",
        "[nul_byte] the file holds a NUL byte, so it is no text file",
    ),
    "very_deep": (b"- " * 50_000, ":1:25: [too_deep] nested more than 12 levels deep"),
    "very_deep_mapping": (
        b"".join(b" " * n + b"a:\n" for n in range(100)),
        ":13:13: [too_deep] nested more than 12 levels deep",
    ),
    "very_long_key": (b"k" * 50_000 + b": 1\n", "[not_yaml]"),
    "very_long_number": (
        SOUND.replace(b"0.4", b"9" * 5_000),
        ":8:11: [wrong_type] custody.hdc.take_up: '999",
    ),
}


def check(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, list[str], str]:
    """Exit code, lines on standard error, standard output."""
    code = main(["check", "--parameters", str(HERE / "parameters"), *map(str, arguments)])
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return code, err.splitlines(), out


def without_parser_words(line: str) -> str:
    return re.sub(r"not valid YAML: .*? \((look|put)", r"not valid YAML: ... (\1", line)


def test_there_are_cases_enough_and_each_has_a_message() -> None:
    assert len(FILES) + len(BYTES) >= 45
    told = {line.partition(":")[0] for line in EXPECTED}
    # A fault in a parent is told at the parent, so one file of each such pair is named by the other.
    assert {path.name for path in FILES} - told == {"extends_broken.yaml"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_fault(path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(MALFORMED)
    code, lines, out = check(capsys, path.name)
    assert code == 2
    assert path.stem not in out
    assert lines[-1].endswith("nothing was run.")
    found = [without_parser_words(line) for line in lines[:-1]]
    elsewhere = {"extends_broken": "unknown_parameter", "extends_circle": "extends_circle_back",
                 "extends_circle_back": "extends_circle"}  # fmt: skip
    file = elsewhere.get(path.stem, path.stem) + ".yaml:"
    assert found == [line for line in EXPECTED if line.startswith(file)]
    assert found


@pytest.mark.parametrize("name", BYTES)
def test_fault_in_bytes(name: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    data, message = BYTES[name]
    (tmp_path / f"{name}.yaml").write_bytes(data.replace(b"sound", name.encode()))
    code, lines, _ = check(capsys, tmp_path / f"{name}.yaml")
    assert code == 2
    assert message in lines[0]
    assert all(len(line) < 500 and line.isprintable() for line in lines)


def test_a_folder(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, lines, _ = check(capsys, tmp_path)
    assert (code, "[is_a_directory] this is a folder, not a file" in lines[0]) == (2, True)


def test_a_missing_file_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    code, lines, _ = check(capsys, MALFORMED / "sond.yaml")
    assert code == 2
    assert lines[0].endswith("sond.yaml: [missing_file] there is no such file (did you mean 'sound'?)")


def test_a_missing_name_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    code, lines, _ = check(capsys, "base_line")
    assert code == 2
    assert lines[0] == "[unknown_scenario] no scenario is called 'base_line' (did you mean 'baseline'?)"


@pytest.mark.parametrize(
    "name", ["", " ", "a\x00b/c.yaml", "x" * 5000 + ".yaml", "/", "..", "🦊", "\x1b[31m"]
)
def test_odd_names(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, lines, _ = check(capsys, name)
    assert code == 2
    assert all(line.isprintable() for line in lines)


def test_a_circle_of_links(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "a.yaml").symlink_to(tmp_path / "b.yaml")
    (tmp_path / "b.yaml").symlink_to(tmp_path / "a.yaml")
    code, _, _ = check(capsys, tmp_path / "a.yaml")
    assert code == 2


def test_every_problem_of_every_file_is_told_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    names = ["several_at_once", "percent_sign", "sound"]
    code, lines, out = check(capsys, *(MALFORMED / f"{name}.yaml" for name in names))
    assert code == 2
    assert lines[-1] == "7 problems; nothing was run."
    assert len(lines) == 8
    assert "sound: 2017-01-01 to 2020-12-31, 42 areas, 1 change, the first on 2018-07-01" in out


def test_a_long_list_of_problems_is_cut(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "many.yaml").write_text("".join(f"k{n}: 1\n" for n in range(500)))
    code, lines, _ = check(capsys, tmp_path / "many.yaml")
    assert (code, len(lines)) == (2, 62)
    assert lines[-2] == "... and 442 more"


@pytest.mark.parametrize(
    "data",
    [
        SOUND,
        b"\xef\xbb\xbf" + SOUND,
        SOUND.replace(b"\n", b"\r\n"),
        SOUND.rstrip(),
        b"%YAML 1.1\n---\n" + SOUND + b"...\n",
    ],
    ids=["plain", "byte_order_mark", "windows_line_ends", "no_last_line_end", "with_directives"],
)
def test_the_sound_file_passes(data: bytes, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "sound.yaml").write_bytes(data)
    code, lines, out = check(capsys, tmp_path / "sound.yaml")
    assert (code, lines) == (0, [])
    assert "sound: 2017-01-01 to 2020-12-31" in out


def test_an_unusual_value_is_a_warning(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "sound.yaml").write_bytes(SOUND.replace(b"0.4", b"0.9").replace(b"2018-07-01", b"2017-03-01"))
    code, lines, _ = check(capsys, tmp_path / "sound.yaml")
    assert code == 0
    assert "warning: [early_change] a change on 2017-03-01, less than 180 days into the run" in lines[0]
    plausible = "0.9 is outside the plausible range of custody.hdc.take_up, 0.25 to 0.5 share"
    assert f":8:11: warning: [unusual_value] {plausible}" in lines[1]


@pytest.mark.parametrize("path", [*FILES, MALFORMED / "sound.yaml"], ids=lambda path: path.stem)
def test_both_parsers_find_the_same(path: Path) -> None:
    compiled = getattr(yaml, "CSafeLoader", None)
    if compiled is None:
        pytest.skip("PyYAML without its compiled parser")
    found = [
        [(problem.code, problem.line, problem.hint) for problem in read_file(path, loader).problems]
        for loader in (compiled, yaml.SafeLoader)
    ]
    assert found[0] == found[1]


def run(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "run.py"), *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_real_command(tmp_path: Path) -> None:
    """From another folder, with a file beside it."""
    shutil.copy(MALFORMED / "month_thirteen.yaml", tmp_path)
    done = run("check", "month_thirteen.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == (
        "month_thirteen.yaml:7:11: [bad_date] changes[1].from: '2018-13-01' is no day of the calendar"
        " (month must be in 1..12)"
    )
    assert "Traceback" not in done.stderr


def test_the_real_command_names_the_nearest_command() -> None:
    done = run("chekc")
    assert (done.returncode, done.stderr) == (
        2,
        "[unknown_command] there is no command 'chekc' (did you mean 'check'?)\n",
    )
