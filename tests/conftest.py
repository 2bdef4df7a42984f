"""What every test may use: the choice to run long tests, and a browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

#: Names under which systems install Chromium or its closest relative, in order of preference.
BROWSER_COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# A slow or busy machine is no failure.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="also run tests that take more than half a minute")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--long"):
        return
    skip = pytest.mark.skip(reason="takes more than half a minute: give --long to run it")
    for item in items:
        if "long" in item.keywords:
            item.add_marker(skip)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium without a window, driven by Playwright.

    Where there is none the test is skipped, unless ``REQUIRE_BROWSER=1`` says that one was expected: a check
    that quietly stops checking is worse than one that fails.
    """
    path = next(filter(None, map(shutil.which, BROWSER_COMMANDS)), None)
    if path is None:
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail("REQUIRE_BROWSER=1, and no Chromium was found on this system")
        pytest.skip("no Chromium on this system")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Containers have neither the rights for Chromium's sandbox nor much shared memory.
        chromium = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield chromium
        chromium.close()
