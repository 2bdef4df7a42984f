"""The command ``person``."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulation.commands.app import main

AREA = "gloucestershire"
BEFORE = """\
name: before
title: As it was
question: What if nothing changes?
asked_by: every comparison
start: 2018-05-01
count_from: 2018-05-02
end: 2018-06-20
"""
AFTER = """\
name: after
title: One service
question: What if the service is one?
asked_by: a committee
extends: ./before.yaml
changes:
  - from: 2018-05-25
    set: {organisation.unified: 1}
"""


@pytest.fixture
def scenarios(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two scenarios of seven weeks."""
    (tmp_path / "before.yaml").write_text(BEFORE)
    (tmp_path / "after.yaml").write_text(AFTER.replace("extends: ./before.yaml\n", BEFORE.split("\n", 4)[4]))
    monkeypatch.chdir(tmp_path)
    return ["before.yaml", "after.yaml"]


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    """What a command writes; standard output, or standard error if it is meant to fail."""
    assert main(list(arguments)) == code
    captured = capsys.readouterr()
    return captured.err if code else captured.out


def test_two_scenarios_side_by_side(scenarios: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, "person", "--example", "handover", *scenarios, "--area", AREA, "--seed", "1")
    lines = told.splitlines()
    assert lines[0].startswith(f"{AREA}-")
    assert "risk of serious harm" in lines[1]
    assert "The officer leaves" in told
    assert lines[-1].startswith("after: ")
    again = said(capsys, "person", lines[0], *scenarios, "--seed", "1", "--no-why")
    assert again.splitlines()[:3] == lines[:3]
    every = said(capsys, "person", lines[0], scenarios[0], "--seed", "1", "--every-day")
    assert len(every.splitlines()) > 3 and " to " not in every.splitlines()[2].split(":")[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["durhm-2018-05-14-1"], "did you mean 'durham'"),
        ([f"{AREA}-2018-05-99-1"], "bad_date"),
        ([f"{AREA}-2018-05-12-1"], "courts don't sit"),
        ([f"{AREA}-2018-05-14-500"], f"{AREA}-2018-05-14-1"),
        (["--example", "recal"], "did you mean 'recall'"),
        (["--example", "recall", "--area", "gloucester"], "did you mean 'gloucestershire'"),
        ([f"{AREA}-2018-05-14-1", "nosuch.yaml"], "nosuch"),
        ([f"{AREA}-2018-05-14-1", "--until", "tomorrow"], "not a date"),
        ([f"{AREA}-2018-05-14-1", "--area", "durham"], "--area goes with --example"),
    ],
)
def test_bad_input_is_explained(
    arguments: list[str], message: str, scenarios: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    known = [a for a in arguments if a.startswith(AREA) or a.startswith("durhm")]
    extra = [] if "nosuch.yaml" in arguments or not known else scenarios[:1]
    told = said(capsys, "person", *known, *extra, *[a for a in arguments if a not in known], code=2)
    assert message in told and "Traceback" not in told
