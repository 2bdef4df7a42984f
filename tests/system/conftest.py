"""A slow or busy machine is no failure; a run that several tests look at is made once."""

from __future__ import annotations

import pytest
from hypothesis import settings

from simulation.system import RunOutput
from tests.system.system_helpers import run

settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


@pytest.fixture(scope="session")
def baseline() -> RunOutput:
    """Half a year of one area as it was."""
    return run()
