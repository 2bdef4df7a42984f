"""The parts of pages that tell luck from ignorance, and what drives a result."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from fake_sensitivity import write_sensitivity

from simulation.report import StudyError, build_report
from simulation.report.sensitivity import SensitivityFolder, answer_of, build_sensitivity_page
from simulation.report.study import UNCERTAINTY_COLUMNS


@pytest.fixture(scope="module")
def drawn_page(study_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("drawn") / "study"
    shutil.copytree(study_folder, folder)
    verdicts = ("clear whatever the parameters", "indistinguishable", "clear at the central values only")
    measures = ("prison_sentenced", "recalls_year", "unseen_share")
    rows = []
    for measure, verdict in zip(measures, verdicts, strict=True):
        row = dict.fromkeys(UNCERTAINTY_COLUMNS, 1.5) | {"draws": 20, "replications": 5, "verdict": verdict}
        row |= {"scenario": "reunification", "measure": measure, "unit": "people", "window": "to end"}
        row |= {"first_month": "2018-07", "last_month": "2021-06", "same_sign": 0.75, "ignorance_share": 0.4}
        rows.append(row)
    pl.DataFrame(rows).write_csv(folder / "uncertainty.csv")
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    (folder / "manifest.json").write_text(json.dumps({**manifest, "draws": 20}), encoding="utf-8")
    return build_report(folder).read_text("utf-8")


def test_luck_and_ignorance_stand_apart(drawn_page: str) -> None:
    assert 'id="parameters-drawn"' in drawn_page
    assert "under 19 other sets of parameters" in drawn_page
    said = "Of 3: one difference is clear whatever the parameters; one difference is clear at the central values only; "
    assert said + "one difference is indistinguishable." in drawn_page
    assert "Ignorance: 5% to 95% of draws" in drawn_page and "75%" in drawn_page and "40%" in drawn_page


def test_the_caveat_says_that_intervals_are_of_luck(drawn_page: str) -> None:
    assert "The ranges cover chance alone" in drawn_page and "19 other sets of parameters move each" in drawn_page


def test_a_study_without_draws_says_nothing_of_them(report_page: Path) -> None:
    assert "parameters-drawn" not in report_page.read_text("utf-8")


def test_bars_within_luck_are_said_to_be(sensitivity_page: Path) -> None:
    text = sensitivity_page.read_text("utf-8")
    assert "Two parameters of 4 looked at closely stand out from luck." in text
    assert "Share of reports of each kind, &lt;oral&gt; &amp; written: −1.1, indistinguishable from luck" in text
    # The small change that the difference makes of the second parameter is above its floor, the third's is not.
    part = SensitivityFolder.read(sensitivity_page.parent).parts_of("officers_over_110_share")[1]
    assert [row["verdict"] for row in part.close][1:3] == ["above luck", "indistinguishable from luck"]
    assert "parameters.csv P175 &lt;derived&gt;." in text and "D: derived" in text


def test_what_was_not_looked_at_closely_and_moved_it_is_named(sensitivity_page: Path) -> None:
    part = SensitivityFolder.read(sensitivity_page.parent).parts_of("officers_over_110_share")[0]
    assert "first pass" not in answer_of(part)
    early = {"step": "first pass", "verdict": "above luck", "parameter": "courts.x", "mu": -9.0, "mu_star": 9.0}
    weak, within = early | {"parameter": "courts.y", "mu_star": 2.0}, early | {"verdict": "indistinguishable from luck"}
    told = answer_of(replace(part, rows=(*part.rows, {**part.rows[0], **weak}, {**part.rows[0], **within})))
    assert "One parameter that wasn't looked at closely moved it by more than luck" in told and "courts.y" in told
    told = answer_of(replace(part, rows=(*part.rows, {**part.rows[0], **weak}, {**part.rows[0], **early})))
    assert "Two parameters that weren't looked at closely" in told and "courts.x most (−9.0 percentage points)" in told


def test_a_missing_or_broken_file_is_named(tmp_path: Path) -> None:
    folder = write_sensitivity(tmp_path / "study")
    (folder / "rules_of_thumb.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(StudyError, match=r"rules_of_thumb\.csv: .*"):
        build_sensitivity_page(folder)
    (folder / "sensitivity.csv").unlink()
    with pytest.raises(StudyError, match=r"sensitivity\.csv: can't be read"):
        build_sensitivity_page(folder)
