"""The page of a search for a threshold: what it says, and how it looks in a browser."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fake_study import write_study

from simulation.report import StudyError
from simulation.report.threshold import build_threshold_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_COLUMNS = "replications,baseline,value,value_low,value_high,difference,low,high,scenario"


def _lever(name: str = "custody.hdc.take_up") -> dict[str, object]:
    return {
        "name": name,
        "description": "Share of people put forward.",
        "unit": "share",
        "low": 0.2,
        "high": 0.9,
        "given": 0.42,
        "from": "2018-07-01",
    }


def write_search(folder: Path, two: bool = False, finding: str = "Recalls would rise past 12,000.") -> Path:
    """A study's folder with a search in it: one lever with a crossing and a knee, or two."""
    study = write_study(folder / "study", ("baseline", "reunification"), 3)
    grid = [0.2, 0.35, 0.5, 0.65, 0.8, 0.9]
    lines = []
    for row, value in enumerate(grid):
        level = 11000 + 2000 * max(0.0, value - 0.35)
        gap = level - 11000
        figures = f"3,11000,{level},{level - 60},{level + 60},{gap},{gap - 40},{gap + 40},at_{value}"
        lines.append((value, row != 3, figures))
    if two:
        text = [f"{value},{second},{figures}" for second in (0.1, 0.2, 0.3) for value, _, figures in lines]
        (study / "contour.csv").write_text("\n".join([f"lever,lever2,{_COLUMNS}", *text]) + "\n")
    else:
        text = [f"{value},{str(on_grid).lower()},{figures}" for value, on_grid, figures in lines]
        (study / "threshold.csv").write_text("\n".join([f"lever,on_grid,{_COLUMNS}", *text]) + "\n")
        (study / "knee.csv").write_text(
            "kind,knee,low,high,slope_before,slope_after,bic_line,bic_bend,bic_knee\nknee,0.35,0.32,0.38,0,2000,9,8,1\n"
        )
    seconds = ("0.1", "0.2", "0.3") if two else ("",)
    (study / "crossings.csv").write_text(
        "lever2,lever,low,high,low_open,high_open,rising,run_below,run_above,shared\n"
        + "".join(f"{second},0.6,0.55,0.66,false,false,true,0.5,0.65,false\n" for second in seconds)
    )
    manifest = json.loads((study / "manifest.json").read_text())
    manifest["threshold"] = {
        "baseline": "baseline",
        "scenario": "reunification",
        "scenario_title": "One service",
        "levers": [_lever(), *([_lever("staff.leaving_multiplier")] if two else [])],
        "parameters": ["custody.hdc.take_up"],
        "measure": "recalls_year",
        "target": {"kind": "difference", "value": 500},
        "window": ["2018-07", "2020-06"],
        "points": 6,
        "finding": finding,
        "shape": "" if two else "The curve has a knee where custody.hdc.take_up is 0.35.",
    }
    (study / "manifest.json").write_text(json.dumps(manifest))
    return study


def test_the_page_says_what_was_found_from_files_alone(tmp_path: Path) -> None:
    page = build_threshold_page(write_search(tmp_path)).read_text("utf-8")
    assert page.count("Recalls would rise past 12,000.") >= 2
    assert "Crossed at 0.60 (0.55 to 0.66)" in page and "Knee 0.350 (0.320 to 0.380)" in page
    assert "The curve has a knee" in page and "In the files: 0.42" in page
    assert re.findall(r'role="img" aria-label="([^"]{40,})', page)
    assert page.count("Download as CSV") >= 3


def test_words_from_files_are_escaped(tmp_path: Path) -> None:
    page = build_threshold_page(write_search(tmp_path, finding="<b id=taken>&")).read_text("utf-8")
    assert "<b id=taken>" not in page and "&lt;b id=taken&gt;" in page


def test_a_folder_without_a_search_is_refused(tmp_path: Path) -> None:
    study = write_study(tmp_path / "study", ("baseline", "reunification"), 2)
    with pytest.raises(StudyError, match="holds no search for a threshold"):
        build_threshold_page(study)
    search = write_search(tmp_path / "other")
    (search / "crossings.csv").unlink()
    with pytest.raises(StudyError, match=r"crossings\.csv: missing"):
        build_threshold_page(search)


@pytest.mark.browser
@pytest.mark.parametrize("two", [False, True], ids=["one lever", "two levers"])
@pytest.mark.parametrize("width", [1440, 390])
def test_the_page_in_a_browser(browser: Browser, tmp_path: Path, two: bool, width: int) -> None:
    page = build_threshold_page(write_search(tmp_path, two))
    view = browser.new_page(viewport={"width": width, "height": 844})
    trouble: list[str] = []
    view.on("console", lambda said: trouble.append(said.text) if said.type in ("error", "warning") else None)
    view.on("pageerror", lambda error: trouble.append(str(error)))
    view.on(
        "request",
        lambda asked: None if asked.url.startswith(("file:", "data:", "blob:")) else trouble.append(asked.url),
    )
    view.goto(page.as_uri())
    view.evaluate("drawAllFigures()")
    view.wait_for_function("document.querySelectorAll('.plot .main-svg').length > 0")
    view.wait_for_timeout(300)
    assert trouble == []
    assert view.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    drawn = view.evaluate(
        "Array.from(document.querySelectorAll('.plot')).map(plot => plot.querySelectorAll('text').length)"
    )
    assert len(drawn) == (1 if two else 2) and min(drawn) > 4
    outside = view.evaluate(
        """() => Array.from(document.querySelectorAll('.plot')).flatMap(plot => {
            const box = plot.getBoundingClientRect();
            return Array.from(plot.querySelectorAll('text')).filter(text => text.textContent.trim()).filter(text => {
                const place = text.getBoundingClientRect();
                return place.width && (place.left < box.left - 1 || place.right > box.right + 1
                    || place.top < box.top - 1 || place.bottom > box.bottom + 1);
            }).map(text => text.textContent);
        })"""
    )
    assert outside == []
    overlaps = view.evaluate(
        """() => Array.from(document.querySelectorAll('.plot')).flatMap(plot => {
            const labels = '.annotation-text, .xtick text, .ytick text, .xtitle, .ytitle';
            const places = Array.from(plot.querySelectorAll(labels))
                .filter(text => text.textContent.trim()).map(text => [text.textContent, text.getBoundingClientRect()]);
            const found = [];
            places.forEach(([one, a], i) => places.slice(i + 1).forEach(([other, b]) => {
                const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
                const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
                if (wide > 1 && high > 3) { found.push(one + ' / ' + other); }
            }));
            return found;
        })"""
    )
    assert overlaps == []
    view.close()
