"""The commands that look at scenarios and parameters."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from simulation.commands import app
from simulation.commands.app import COMMANDS, CommandEntry, main
from simulation.scenario import loading, parameter_files
from tests.scenario.scenario_helpers import PARAMETERS

ROOT = Path(__file__).parents[2]

BASELINE = """\
name: baseline
title: As it was
question: What if nothing changes?
asked_by: every comparison
start: 2017-01-01
count_from: 2017-07-01
end: 2020-12-31
"""
EXPAND = """\
name: expand
title: More curfew
question: What if more people go home on a curfew?
asked_by: a committee
extends: baseline
changes:
  - from: 2018-07-01
    ramp_days: 90
    areas: [wales]
    applies_to: new
    set:
      custody.hdc.take_up: 0.4
  - from: 2019-01-01
    to: 2020-01-01
    providers: crc
    multiply: {contact.minutes: 1.5}
    add: {contact.interval_weeks.crc: 1}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of two scenarios, with the parameters for tests."""
    (tmp_path / "baseline.yaml").write_text(BASELINE)
    (tmp_path / "expand.yaml").write_text(EXPAND)
    monkeypatch.setattr(loading, "FOLDER", tmp_path)
    monkeypatch.setattr(parameter_files, "FOLDER", PARAMETERS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    """What a command writes to where its outcome belongs."""
    assert main(arguments) == code
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return err if code else out


def test_list(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "list").splitlines() == [
        "baseline: As it was",
        "    What if nothing changes?",
        "    Asked by: every comparison",
        "expand: More curfew",
        "    What if more people go home on a curfew?",
        "    Asked by: a committee",
    ]


def test_list_tells_of_a_broken_file_and_still_lists_the_rest(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "broken.yaml").write_text("name: broken\n")
    assert main(["list"]) == 2
    out, err = capsys.readouterr()
    assert "expand: More curfew" in out
    assert err.startswith("broken.yaml:1:1: [missing_key] the key ")


def test_check_takes_all_scenarios_by_default(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys, "check", "--parameters", str(PARAMETERS)).splitlines()
    assert lines == [
        "parameters: 9 values, all with a source",
        "baseline: 2017-01-01 to 2020-12-31, 42 areas, no changes",
        "expand: 2017-01-01 to 2020-12-31, 42 areas, 2 changes, the first on 2018-07-01",
    ]


def test_check_of_parameters(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = project / "values"
    folder.mkdir()
    (folder / "custody.yaml").write_text("custody.x: {value: 1}\n")
    lines = said(capsys, "check", "--parameters", str(folder), code=2).splitlines()
    assert "values/custody.yaml:1:1: [missing_key] custody.x: the key 'description' is missing" in lines


def test_show(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys, "show", "expand").splitlines()
    assert lines[:3] == [
        "More curfew (expand)",
        "2017-01-01 to 2020-12-31, counted from 2017-07-01, all areas",
        "Values on 2020-12-31:",
    ]
    at = next(n for n, line in enumerate(lines) if line.startswith("custody.hdc.take_up"))
    assert lines[at].startswith("custody.hdc.take_up = 0.36 in 76, 0.4 in 8 of 84 area sides; share  [")
    assert lines[at].endswith("custody.yaml:2]")
    assert lines[at + 1] == (
        "    from 2018-07-01 over 90 days set to 0.4 in wales for new people only  [expand.yaml:12]"
    )
    assert "    from 2019-01-01 to 2020-01-01 times 1.5 for every CRC  [expand.yaml:16]" in lines


def test_show_a_date_and_a_part(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys, "show", "expand", "contact", "--changed", "--on", "2018-12-31").splitlines()
    assert lines[3].startswith("contact.interval_weeks.crc.A = 2 weeks  [")
    assert len(lines) == 3 + 2 * 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "expnd"], "[unknown_scenario] no scenario is called 'expnd' (did you mean 'expand'?)"),
        (["show", "expand", "custdy"], "[unknown_parameter] no name begins with 'custdy' (did you mean"),
        (["show", "expand", "--on", "1/7/2018"], "[bad_date] --on: '1/7/2018' is not a date (write"),
        (["show", "expand", "--on", "2030-01-01"], "[date_outside_run] --on: 2030-01-01 is outside the run"),
        (["show"], "[wrong_usage] Missing argument 'scenario'. (see `run.py show --help`)"),
        (["show", "expand", "--chnged"], "[wrong_usage] No such option: --chnged"),
        (["explain", "contact.minuts"], "[unknown_parameter] no parameter is called 'contact.minuts' (did"),
        (["explain", "contact.mode.Z"], "[unknown_label] the table 'contact.mode' has no entry 'Z'"),
        (["schema", "scenarios"], "[wrong_usage] Invalid value for 'kind'"),
        (["chekc"], "[unknown_command] there is no command 'chekc' (did you mean 'check'?)"),
        (["expand"], "[unknown_command] 'expand' is a scenario (write `compare expand`)"),
        (["--areas", "all"], "[wrong_usage] No such option: --areas (see `run.py --help`)"),
    ],
)  # fmt: skip
def test_bad_input(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert said(capsys, *arguments, code=2).startswith(message)


def test_explain(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "explain", "custody.hdc.take_up")
    for part in (
        "    Share of people eligible for home detention curfew who are put forward.\n",
        "  value: 0.36 share (plausible 0.25 to 0.5)\n",
        "  allowed: 0 to 1\n",
        "  confidence: assume, judgement\n",
        "  source: Made up for tests.\n",
        "  read by the date of: reception\n",
        "  changed by:\n    expand: from 2018-07-01 over 90 days set to 0.4 in wales for new people only  [",
    ):
        assert part in text


def test_explain_a_series_and_an_entry(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    series = said(capsys, "explain", "custody.receptions")
    assert (
        "value: 1000 on 2016-01-01 to 1100 on 2018-01-01, 3 dated values people a year, held until" in series
    )
    assert "  changed by: no scenario" in series
    entry = said(capsys, "explain", "contact.interval_weeks.crc.A")
    assert "  value for crc.A: 2 weeks (plausible 1 to 8)" in entry
    assert "nps" not in entry
    assert "    expand crc.A: from 2019-01-01 to 2020-01-01 plus 1 for every CRC  [" in entry


def test_explain_lists_all_without_a_name(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(said(capsys, "explain").splitlines()) == 9
    assert len(said(capsys, "explain", "custody.hdc").splitlines()) == 3


def test_explain_reads_a_long_table_across(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulation.commands.explain.MOST_LINES", 5)
    lines = said(capsys, "explain", "contact.interval_weeks").splitlines()
    assert lines[2:5] == ["  values (weeks):", "    nps: A 1, B 2, C1 4", "    crc: A 2, B 4, C1 6"]


def test_explain_says_which_scenario_cannot_be_read(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "broken.yaml").write_text("name: broken\n")
    assert "    broken: can't be read; see `python run.py check broken`" in said(
        capsys, "explain", "contact.minutes"
    )


def test_schema_knows_every_key_and_every_parameter(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    schema = json.loads(said(capsys, "schema"))
    assert set(schema["properties"]) >= {"name", "title", "extends", "start", "changes"}
    change = schema["$defs"]["ChangeEntry"]["properties"]
    assert set(change) >= {"from", "to", "ramp_days", "applies_to", "set", "multiply", "add"}
    assert "contact.interval_weeks.crc.A" in change["set"]["propertyNames"]["enum"]
    entry = json.loads(said(capsys, "schema", "parameters"))["additionalProperties"]
    assert set(entry["required"]) == {"description", "value", "unit", "confidence", "source"}


def add_command(monkeypatch: pytest.MonkeyPatch, name: str, function: object) -> None:
    """Put a command made of a plain function beside the others."""
    monkeypatch.setitem(COMMANDS, name, CommandEntry("check", name, "A test."))
    monkeypatch.setattr("simulation.commands.check." + name, function, raising=False)


def test_an_unexpected_failure_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails() -> None:
        raise RuntimeError("the roof fell in")

    add_command(monkeypatch, "fails", fails)
    monkeypatch.delenv(app.TRACEBACK, raising=False)
    message = "[failure] RuntimeError: the roof fell in (set PROBATION_TRACEBACK=1 to see where)\n"
    assert said(capsys, "fails", code=1) == message
    monkeypatch.setenv(app.TRACEBACK, "1")
    assert main(["fails"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_an_interruption_has_its_own_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stops() -> None:
        raise KeyboardInterrupt

    add_command(monkeypatch, "stops", stops)
    assert main(["stops"]) == 130


def test_no_command_means_the_default_study(monkeypatch: pytest.MonkeyPatch) -> None:
    called = []
    add_command(monkeypatch, "compare", lambda: called.append("compare"))
    assert main([]) == 0
    assert called == ["compare"]


def test_help_imports_none_of_the_heavy_parts() -> None:
    """So that it answers at once: no numbers, no tables, no checks, no drawing."""
    code = (
        "import sys; from simulation.commands.app import main; main(['--help']);"
        "print(sorted({'numpy', 'pydantic', 'polars', 'plotly', 'yaml', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "Check scenario files" in done.stdout
