"""Changes that the model can't honour are refused before anything is run, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulation.scenario import load_geography, load_parameters, load_scenario, resolve
from simulation.system.reach import BY_AREA, problems_with

HEAD = "name: {name}\ntitle: T\nquestion: Q?\nasked_by: nobody\nexpected: Nothing.\nextends: baseline\nchanges:\n"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("    areas: [durham]\n    set: {contact.notice_probability.telephone: 0.3}\n", "national_only"),
        ("    providers: [nps_london]\n    set: {contact.plan_working_days: 10}\n", "national_only"),
        ("    to: 2019-07-01\n    set: {organisation.unified: 1}\n", ""),
        ("    set: {staff.nps.officers_holding_cases: 3100}\n", "read_before_day_one"),
        ("    set: {population.ogrs_spread: 0.15}\n", "read_before_day_one"),
        ("    areas: [durham]\n    set: {custody.hdc.take_up: 0.5}\n", ""),
        ("    add: {population.returns.custody: 10}\n", ""),
        ("    set: {organisation.unified: 1}\n", ""),
    ],
)
def test_a_change_is_refused_by_name_or_honoured(tmp_path: Path, change: str, code: str) -> None:
    path = tmp_path / "changed.yaml"
    path.write_text(HEAD.format(name="changed") + "  - from: 2018-07-01\n" + change, encoding="utf-8")
    geography, parameters = load_geography(), load_parameters()
    found = problems_with(resolve(load_scenario(path, parameters, geography), parameters, geography))
    assert [problem.code for problem in found] == ([code] if code else [])
    assert all(problem.line for problem in found)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("    set: {staff.nps.officers_holding_cases: 3100}\n", ""),
        ("    to: 2019-07-01\n    set: {staff.nps.officers_holding_cases: 3100}\n", "read_before_day_one"),
        ("    set: {custody.length_index.over_10_years: 1.1}\n", "read_before_day_one"),
    ],
)
def test_what_is_read_once_may_be_given_from_the_first_day_on(tmp_path: Path, change: str, code: str) -> None:
    path = tmp_path / "changed.yaml"
    path.write_text(HEAD.format(name="changed") + "  - from: 2016-07-01\n" + change, encoding="utf-8")
    geography, parameters = load_geography(), load_parameters()
    found = problems_with(resolve(load_scenario(path, parameters, geography), parameters, geography))
    assert [problem.code for problem in found] == ([code] if code else [])


def test_every_parameter_that_may_differ_by_area_exists() -> None:
    assert set(load_parameters()) >= BY_AREA


@pytest.mark.parametrize("name", ["baseline", "reunification", "hdc_expansion", "history"])
def test_shipped_scenarios_are_honoured(name: str) -> None:
    geography, parameters = load_geography(), load_parameters()
    assert problems_with(resolve(load_scenario(name, parameters, geography), parameters, geography)) == []
