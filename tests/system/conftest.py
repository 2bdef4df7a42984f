"""A run that several tests look at is made once."""

from __future__ import annotations

import pytest

from simulation.system import RunOutput
from tests.system.system_helpers import run


@pytest.fixture(scope="session")
def baseline() -> RunOutput:
    """Half a year of one area as it was."""
    return run()
