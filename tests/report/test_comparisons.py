"""The parts of a page on all scenarios at once, and on how narrow the intervals came out."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest
from test_page import Outline

from simulation.report import build_report
from simulation.report.study import COMPARISON_COLUMNS, PRECISION_COLUMNS

NAMES = ("baseline", "reunification", "hdc_expansion")


def comparison(measure: str, **columns: list[object]) -> pl.DataFrame:
    """Rows of comparisons.csv for one measure; what isn't given is empty."""
    frame = pl.DataFrame({"scenario": NAMES, **columns}, strict=False)
    frame = frame.with_columns(
        measure=pl.lit(measure),
        unit=pl.lit("unit"),
        window=pl.lit("to end"),
        first_month=pl.lit("2018-07"),
        last_month=pl.lit("2021-06"),
        replications=pl.lit(5),
    )
    missing = [pl.lit(None).alias(name) for name in COMPARISON_COLUMNS if name not in frame.columns]
    return frame.with_columns(missing).select(list(COMPARISON_COLUMNS)).cast(pl.String)


@pytest.fixture
def folder(study_folder: Path, tmp_path: Path) -> Path:
    shutil.copytree(study_folder, tmp_path / "study")
    return tmp_path / "study"


def section(page: Path, start: str, end: str) -> str:
    text = " ".join(Outline(page.read_text(encoding="utf-8")).text.split())
    return text.split(start)[-1].split(end)[0]


def test_all_scenarios_at_once(folder: Path) -> None:
    close = comparison(
        "recalls_year",
        value=[22_000.0, 22_010.0, 22_500.0],
        difference=[None, 10.0, 500.0],
        simultaneous_low=[None, -90.0, 400.0],
        simultaneous_high=[None, 110.0, 600.0],
        adjusted_p=[None, 0.61, 0.0002],
        rank=[1, 2, 3],
        rank_low=[1, 1, 3],
        rank_high=[2, 2, 3],
        probability_best=[0.69, 0.31, 0.0],
    )
    clear = comparison(
        "unseen_share",
        value=[11.0, 9.0, 11.0],
        difference=[None, -2.0, 0.001],
        simultaneous_low=[None, -2.5, -0.004],
        simultaneous_high=[None, -1.5, 0.006],
        adjusted_p=[None, 0.01, 0.7],
        rank=[2, 1, 3],
        rank_low=[2, 1, 2],
        rank_high=[3, 1, 3],
        probability_best=[0.001, 0.998, 0.001],
    )
    neither = comparison("prison_sentenced", value=[100.0, 101.0, 90.0], difference=[None, 1.0, -10.0])
    empty = comparison("detection_delay")
    pl.concat([close, clear, neither, empty]).write_csv(folder / "comparisons.csv")
    page = build_report(folder)
    found = section(page, "All scenarios at once: which does best", "What this cannot say")
    assert "hold the truth together at least 95 times in 100" in found and "about luck alone" in found
    best = "With 95% confidence the best is one of two: Baseline and Reunification; on average it is Baseline"
    assert f"{best}, with a probability of 69%." in found
    assert "Reunification is the best with 95% confidence." in found
    assert "Neither more nor less is better here, so nothing is ranked." in found
    assert "Days a change in need goes unnoticed" not in found
    html = page.read_text(encoding="utf-8")
    cells = ("22,010", "+10", "−90 to +110", "0.610", "2", "1 to 2", "31%")
    assert "Reunification</th>" + "".join(f"<td>{cell}</td>" for cell in cells) in html
    cells = ("22,500", "+500", "+400 to +600", "under 0.001", "3", "3", "under 1%")
    assert "".join(f"<td>{cell}</td>" for cell in cells) in html
    # The best comes first, and each difference has the digits it deserves.
    table = html.split("<span>Not seen face to face for over 60 days: all scenarios at once")[1].split("</table>")[0]
    assert table.index("Reunification</th>") < table.index("Baseline</th>")
    assert "+0.0010" in table and "−0.0040 to +0.0060" in table


def test_nothing_is_said_of_all_at_once_where_there_are_no_figures(report_page: Path) -> None:
    text = Outline(report_page.read_text(encoding="utf-8")).text
    assert "All scenarios at once" not in text
    assert "Were the runs enough" not in text


def test_how_narrow_the_intervals_came_out(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["precision"] = {"asked": "5%", "finding": "The precision asked <5%> was reached for 1 of 4."}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    pl.DataFrame(
        {
            "scenario": ["reunification"] * 4,
            "measure": ["recalls_year", "unseen_share", "officer_changes_rate", "detection_delay"],
            "unit": ["recalls a year", "%", "per case-year", "days"],
            "window": ["to end"] * 4,
            "replications": [100] * 4,
            "difference": [500.0, 1.0, 0.001, None],
            "half_width": [40.0, 0.2, 0.004, None],
            "asked": [50.0, 0.05, 0.05, 0.05],
            "asked_of": ["unit", "difference", "difference", "difference"],
            "allowed_half_width": [50.0, 0.048, 0.00005, None],
            "reached": [True, False, False, None],
            "replications_needed": [None, 1675, 900_000, None],
        }
    ).select(list(PRECISION_COLUMNS)).write_csv(folder / "precision.csv")
    page = build_report(folder)
    found = section(page, "Were the runs enough?", "What pairing gained")
    assert "The precision asked <5%> was reached for 1 of 4." in found
    for line in (
        "Licence recalls (recalls a year)+500± 40± 50Reached–",
        "(percentage points)+1.0± 0.25% of the differenceNot reachedabout 1,675",
        "+0.0010± 0.00405% of the differenceNot reachedcan't be said: the interval holds zero",
        "nothing counted–5% of the difference––",
    ):
        assert line in found, line
