"""One invented study and its page for all tests of this folder."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fake_sensitivity import write_sensitivity
from fake_study import write_study

from simulation.report import build_report
from simulation.report.sensitivity import build_sensitivity_page


@pytest.fixture(scope="session")
def study_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of three scenarios with five runs each; not to be changed."""
    return write_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="session")
def report_page(study_folder: Path) -> Path:
    """The page of that study."""
    return build_report(study_folder)


@pytest.fixture(scope="session")
def sensitivity_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a sensitivity study."""
    return build_sensitivity_page(write_sensitivity(tmp_path_factory.mktemp("sensitivity") / "study"))
