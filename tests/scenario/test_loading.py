"""Scenario files that rest on others."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from simulation.scenario import Parameters, Scenario, ScenarioError, load_scenario, resolve, scenario_files

ROOT = """\
name: root
title: The root
start: 2017-01-01
count_from: 2017-07-01
end: 2020-12-31
areas: [wales]
changes:
  - from: 2018-07-01
    set: {contact.minutes: 10}
"""
BRANCH = """\
name: branch
title: A branch
extends: root
end: 2019-12-31
changes:
  - from: 2018-07-01
    add: {contact.minutes: 5}
  - from: 2018-01-01
    multiply: {contact.minutes: 2}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "root.yaml").write_text(ROOT)
    (tmp_path / "branch.yaml").write_text(BRANCH)
    return tmp_path


def loaded(folder: Path, name: str, text: str) -> Scenario:
    (folder / f"{name}.yaml").write_text(f"name: {name}\ntitle: A test\n{text}")
    return load_scenario(name, folder=folder)


def test_a_branch_takes_what_it_does_not_say(folder: Path) -> None:
    branch = load_scenario("branch", folder=folder)
    assert (branch.title, branch.extends, branch.areas) == ("A branch", ("root",), ("wales",))
    assert (branch.start, branch.end) == (datetime.date(2017, 1, 1), datetime.date(2019, 12, 31))
    assert [change.scenario for change in branch.changes] == ["root", "branch", "branch"]


def test_on_one_day_the_changes_of_the_root_come_first(folder: Path, parameters: Parameters) -> None:
    resolved = resolve(load_scenario("branch", folder=folder), parameters)
    minutes = [
        resolved.on(resolved.day_number(datetime.date(2018, *day))).number("contact.minutes")
        for day in ((1, 1), (7, 1))
    ]
    assert minutes == [60, 15]


def test_a_path_finds_its_root_beside_it(folder: Path) -> None:
    assert load_scenario(folder / "branch.yaml").extends == ("root",)
    assert list(scenario_files(folder)) == ["branch", "root"]


def test_a_change_of_the_root_outside_the_run_of_a_branch_is_told_where_it_stands(folder: Path) -> None:
    with pytest.raises(ScenarioError, match=r"root.yaml:8:11: \[date_outside_run\] .* of 'short' from"):
        loaded(folder, "short", "extends: root\nend: 2018-01-01\n")


def test_a_long_chain_is_refused(folder: Path) -> None:
    (folder / "link0.yaml").write_text(ROOT.replace("root", "link0"))
    for number in range(1, 10):
        loaded(folder, f"link{number}", f"extends: link{number - 1}\n")
    with pytest.raises(ScenarioError, match="more than 10 scenarios"):
        loaded(folder, "link10", "extends: link9\n")


def test_the_shipped_baseline() -> None:
    baseline = load_scenario("baseline")
    dates = (baseline.start, baseline.count_from, baseline.end)
    assert [date.isoformat() for date in dates] == ["2016-07-01", "2017-01-01", "2021-06-30"]
    assert baseline.areas == ("all",)


@pytest.mark.parametrize("name", scenario_files())
def test_shipped_scenarios_are_sound(name: str) -> None:
    """Each resolves against the shipped parameters, and first differs from the baseline after half a year."""
    from simulation.scenario import load_parameters

    parameters = load_parameters()
    resolved = resolve(load_scenario(name, parameters), parameters)
    first = resolved.first_difference(resolve(load_scenario("baseline"), parameters))
    assert first is None or (first - resolved.start).days >= 180
    assert (first is None) == (name == "baseline")
