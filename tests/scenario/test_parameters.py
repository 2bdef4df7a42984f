"""Parameter files: what they may hold, and what is said when they hold something else."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from simulation.scenario import Parameters, ScenarioError, UnknownParameter, load_parameters

GOOD = {
    "description": "A value for tests.",
    "value": "0.3",
    "unit": "share",
    "confidence": "assume",
    "source": "Made up.",
}


def entry(**changes: str | None) -> str:
    fields = {**GOOD, **changes}
    return "custody.x:\n" + "".join(f"  {key}: {text}\n" for key, text in fields.items() if text is not None)


def problems(tmp_path: Path, text: str, name: str = "custody.yaml") -> list[str]:
    (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(ScenarioError) as error:
        load_parameters(tmp_path)
    return [str(problem).removeprefix(f"{tmp_path}/") for problem in error.value.problems]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (entry(description="No stop"), "2:16: [prose] custody.x: the description has no full stop"),
        (entry(source='" "'), "6:11: [prose] custody.x: source is empty"),
        (entry(unit=None), "1:1: [missing_key] custody.x: the key 'unit' is missing"),
        (
            entry(descripton="x"),
            "7:3: [unknown_key] custody.x: there is no key 'descripton' here (did you mean 'descri",
        ),
        (
            entry(value="30%"),
            "3:10: [wrong_type] custody.x: '30%' is not a number, and a word needs choices beside it",
        ),
        (entry(value="yes"), "3:10: [wrong_type] custody.x: 'yes' is not a number, and a word needs choices"),
        (entry(value=""), "3:9: [wrong_type] custody.x is empty"),
        (entry(value="[1, 2]"), "3:10: [wrong_type] custody.x is a list"),
        (entry(value="{}"), "3:10: [wrong_type] custody.x is an empty table"),
        (entry(value="{a: 1, b: true}"), "1:1: [wrong_type] custody.x mixes numbers, words and true/false"),
        (
            entry(value="{a: {b: {c: {d: 1}}}}"),
            "3:22: [too_deep] custody.x.a.b.c: a table has at most 3 levels",
        ),
        (entry(value="{a b: 1}"), "3:11: [bad_name] custody.x: 'a b' is no label"),
        (
            entry(confidence="Z"),
            "5:15: [not_a_choice] custody.x: confidence is 'Z', not one of S, Q, D, M, assume",
        ),
        (
            entry(read_on="sentense"),
            "[not_a_choice] custody.x: read_on is 'sentense', not one of offence, sentence",
        ),
        (entry(allowed="[0, 0.2]"), "3:10: [out_of_range] custody.x: 0.3 is outside the allowed 0 to 0.2"),
        (entry(allowed="[1, 0]"), "7:12: [bad_limits] custody.x: allowed must be [lowest, highest]"),
        (entry(allowed="0.5"), "7:12: [wrong_type] custody.x: allowed is 0.5, where a list is wanted"),
        (
            entry(low="0.4", high="0.5"),
            "7:8: [value_outside_range] custody.x: 0.3 is outside 0.4 to 0.5, its own range",
        ),
        (entry(low="0.1"), "1:1: [bad_limits] custody.x: low and high go together"),
        (entry(low="a", high="1"), "7:8: [wrong_type] custody.x: low: 'a' is not a number"),
        (
            entry(low="{z: 1}", high="1"),
            "7:8: [bad_limits] custody.x: the range for 'z' must be a number for an entry",
        ),
        (entry(value="fast", choices="[slow]"), "3:10: [not_a_choice] custody.x: 'fast' is not one of slow"),
        (entry(value="true", allowed="[0, 1]"), "7:12: [bad_limits] custody.x: allowed is for numbers only"),
        (entry(series="step"), "3:10: [wrong_type] custody.x: a series needs dated values"),
        (entry(value="{2016-13: 1}", series="step"), "3:11: [bad_date] custody.x: '2016-13' is no date"),
        (
            entry(value="{2016: many}", series="step"),
            "3:17: [wrong_type] custody.x.2016: 'many' is not a number",
        ),
        (entry() + entry(), "7:1: [duplicate_key] the key 'custody.x' is already on line 1"),
        (
            entry().replace("custody.x", "release.x"),
            "1:1: [bad_name] 'release.x' does not belong in this file",
        ),
        (entry().replace("custody.x", "custody"), "1:1: [bad_name] 'custody' is no parameter name"),
        (
            "custody.x: 3\n",
            "1:12: [wrong_type] 'custody.x' needs description, value, unit, confidence and source",
        ),
        ("- custody.x\n", "1:1: [wrong_type] a parameter file holds named entries"),
        (
            entry(value="{a: 1}") + entry().replace("custody.x", "custody.x.a"),
            "7:1: [duplicate_key] 'custody.x.a' is also an entry of the table 'custody.x'",
        ),
        ("", "1:1: [empty] the file holds nothing"),
    ],
)
def test_fault(tmp_path: Path, text: str, message: str) -> None:
    found = problems(tmp_path, text)
    assert any(line.startswith("custody.yaml:" + message) or message in line for line in found), found


def test_all_faults_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "staff.yaml").write_text(entry(unit="3").replace("custody", "staff"))
    found = problems(tmp_path, entry(confidence="Z", description="No stop"))
    assert [line.split(" ")[0] for line in found] == [
        "custody.yaml:2:16:",
        "custody.yaml:5:15:",
        "staff.yaml:4:9:",
    ]


def test_a_file_with_the_wrong_ending_is_not_passed_over_in_silence(tmp_path: Path) -> None:
    assert "[unexpected_file]" in problems(tmp_path, entry(), "custody.yml")[0]


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="there is no such folder of parameters"):
        load_parameters(tmp_path / "none")


def test_what_a_parameter_says(parameters: Parameters) -> None:
    take_up = parameters["custody.hdc.take_up"]
    assert (take_up.kind, take_up.leaves, take_up.low, take_up.high) == (
        "number",
        {(): 0.36},
        {(): 0.25},
        {(): 0.5},
    )
    assert (take_up.allowed, take_up.read_on, take_up.line) == ((0, 1), "reception", 2)
    assert parameters["custody.hdc.presumed"].kind == "flag"
    assert parameters["contact.mode"].kind == "text"
    assert parameters["contact.interval_weeks"].leaves["nps", "C1"] == 4


def test_dates_of_a_series(parameters: Parameters) -> None:
    """A bare year is its first day in steps and its middle between lines."""
    receptions = parameters["custody.receptions"]
    assert receptions.points[()][0] == (datetime.date(2016, 1, 1), 1000)
    from simulation.scenario.parameter_files import series_date

    assert series_date("2016", linear=True) == datetime.date(2016, 7, 1)
    assert series_date("2016-02", linear=True) == datetime.date(2016, 2, 15)
    assert series_date("2016-02", linear=False) == datetime.date(2016, 2, 1)
    assert series_date("2016-02-30", linear=False) is None


def test_names_may_reach_into_tables(parameters: Parameters) -> None:
    found = parameters.find("contact.interval_weeks.nps.C1")
    assert found is not None and (found[0].name, found[1]) == ("contact.interval_weeks", ("nps", "C1"))
    assert parameters.find("contact.interval_weeks.nps.Z") is None
    assert "contact.interval_weeks.crc.A" in parameters.all_names()


def test_an_unknown_name_gives_the_nearest(parameters: Parameters) -> None:
    with pytest.raises(UnknownParameter, match=r"did you mean 'custody\.hdc\.take_up'"):
        parameters["custody.hdc.takeup"]
    assert parameters.nearest("Custody.HDC.take-up") == "custody.hdc.take_up"


def test_with_values_changes_only_the_copy(parameters: Parameters) -> None:
    changed = parameters.with_values(
        {"contact.minutes": 45, "contact.interval_weeks.nps.A": 3, "custody.receptions": 7}
    )
    assert changed["contact.minutes"].leaves == {(): 45}
    assert changed["contact.interval_weeks"].value["nps"]["A"] == 3
    assert [value for _, value in changed["custody.receptions"].points[()]] == [7]
    assert parameters["contact.minutes"].leaves == {(): 30}
    assert parameters.digest != changed.digest
    assert parameters.digest == parameters.with_values({"contact.minutes": 30.0}).digest


def test_with_values_refuses_what_cannot_be(parameters: Parameters) -> None:
    with pytest.raises(ScenarioError) as error:
        parameters.with_values({"custody.hdc.take_up": 2, "contact.minuts": 3, "contact.interval_weeks": 3})
    assert [problem.code for problem in error.value.problems] == [
        "out_of_range",
        "unknown_parameter",
        "wrong_type",
    ]


def test_rows_hold_all_evidence(parameters: Parameters) -> None:
    row = next(row for row in parameters.rows() if row["name"] == "custody.hdc.take_up")
    assert row["value"] == "0.36"
    assert row["source"] == "Made up for tests."
