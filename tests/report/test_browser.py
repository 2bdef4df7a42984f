"""The page in a browser: nothing cut, nothing fetched, no errors, no barriers."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
WIDTHS = (1440, 390, 320)
PAGES = ("report_page", "sensitivity_page")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    required = os.environ.get("REQUIRE_BROWSER") == "1"
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        if required:
            raise
        pytest.skip("playwright is not installed")
    if CHROMIUM is None:
        if required:
            pytest.fail("REQUIRE_BROWSER=1, and there is no Chromium")
        pytest.skip("there is no Chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield opened
        opened.close()


@pytest.fixture(scope="module", params=[(page, width) for page in PAGES for width in WIDTHS], ids=str)
def opened(browser: Any, request: pytest.FixtureRequest) -> Iterator[tuple[Any, list[str]]]:
    """A page at one width with every figure drawn, and whatever went wrong or was fetched."""
    page, width = request.param
    view = browser.new_page(viewport={"width": width, "height": 844})
    trouble: list[str] = []
    view.on(
        "console",
        lambda message: trouble.append(message.text) if message.type in ("error", "warning") else None,
    )
    view.on("pageerror", lambda error: trouble.append(str(error)))
    view.on(
        "request",
        lambda asked: (
            None if asked.url.startswith(("file:", "data:", "blob:")) else trouble.append(asked.url)
        ),
    )
    view.goto(request.getfixturevalue(page).as_uri())
    view.evaluate("drawAllFigures()")
    view.wait_for_function("document.querySelectorAll('.plot .main-svg').length > 0")
    view.wait_for_timeout(300)
    yield view, trouble
    view.close()


def test_nothing_goes_wrong_and_nothing_is_fetched(opened: tuple[Any, list[str]]) -> None:
    assert opened[1] == []


def test_the_page_never_scrolls_sideways(opened: tuple[Any, list[str]]) -> None:
    view, _ = opened
    assert view.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_every_figure_is_drawn_within_its_box(opened: tuple[Any, list[str]]) -> None:
    view, _ = opened
    cut = view.evaluate(
        """() => Array.from(document.querySelectorAll('.plot')).flatMap(plot => {
            const box = plot.getBoundingClientRect();
            const texts = Array.from(plot.querySelectorAll('text'));
            if (!texts.length) { return [plot.id + ': empty']; }
            return texts.filter(text => text.textContent.trim()).filter(text => {
                const place = text.getBoundingClientRect();
                return place.width && (place.left < box.left - 1 || place.right > box.right + 1
                    || place.top < box.top - 1 || place.bottom > box.bottom + 1);
            }).map(text => plot.id + ': ' + text.textContent);
        })"""
    )
    assert cut == []


def test_labels_do_not_lie_on_each_other(opened: tuple[Any, list[str]]) -> None:
    view, _ = opened
    overlaps = view.evaluate(
        """() => Array.from(document.querySelectorAll('.plot')).flatMap(plot => {
            const labels = '.annotation-text, .xtick text, .ytick text, .xtitle';
            const places = Array.from(plot.querySelectorAll(labels))
                .filter(text => text.textContent.trim())
                .map(text => [text.textContent, text.getBoundingClientRect()])
                .filter(([, box]) => box.width);
            const found = [];
            places.forEach(([one, a], i) => places.slice(i + 1).forEach(([other, b]) => {
                const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
                const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
                if (wide > 1 && high > 3) { found.push(plot.id + ': ' + one + ' / ' + other); }
            }));
            return found;
        })"""
    )
    assert overlaps == []


def test_figures_have_names_and_the_keyboard_reaches_everything(opened: tuple[Any, list[str]]) -> None:
    view, _ = opened
    assert view.evaluate(
        """() => Array.from(document.querySelectorAll('figure')).every(figure =>
            document.getElementById(figure.getAttribute('aria-labelledby')).textContent.trim().length > 10)"""
    )
    view.keyboard.press("Tab")
    assert view.evaluate("document.activeElement.className") == "skip"
    shown = view.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert shown == "solid"


@pytest.mark.parametrize("page", PAGES)
def test_no_serious_barrier_is_found(browser: Any, page: str, request: pytest.FixtureRequest) -> None:
    from axe_playwright_python.sync_playwright import Axe

    view = browser.new_page(viewport={"width": 390, "height": 844})
    view.goto(request.getfixturevalue(page).as_uri())
    view.evaluate("drawAllFigures()")
    view.evaluate("document.querySelectorAll('details').forEach(item => { item.open = true; })")
    result = Axe().run(view)
    serious = [
        f"{found['id']}: {found['nodes'][0]['html'][:200]}"
        for found in result.response["violations"]
        if found["impact"] in ("serious", "critical")
    ]
    view.close()
    assert serious == []


def test_words_from_files_do_not_run(browser: Any, tmp_path: Path) -> None:
    from fake_study import write_study

    from simulation.report import build_report

    nasty = "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"
    folder = write_study(
        tmp_path / "study", ("baseline", "reunification"), 2, titles={"reunification": nasty}
    )
    view = browser.new_page()
    asked: list[str] = []
    view.on("request", lambda request: asked.append(request.url))
    view.goto(build_report(folder).as_uri())
    view.evaluate("drawAllFigures()")
    view.wait_for_timeout(300)
    assert view.title() != "taken"
    assert view.evaluate("document.querySelectorAll('img, .plot image').length") == 0
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    view.close()


def test_all_figures_fit_on_paper(browser: Any, report_page: Path) -> None:
    view = browser.new_page(viewport={"width": 1440, "height": 900})
    view.goto(report_page.as_uri())
    assert view.evaluate("document.querySelectorAll('.plot .main-svg').length") < 80
    view.emulate_media(media="print")
    view.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    view.wait_for_timeout(500)
    drawn = view.evaluate(
        "Array.from(document.querySelectorAll('.plot')).every(plot => plot.querySelector('.main-svg'))"
    )
    assert drawn
    widest = view.evaluate(
        "Math.max(...Array.from(document.querySelectorAll('.plot .main-svg')).map(svg => svg.clientWidth))"
    )
    assert widest <= 680
    view.close()
