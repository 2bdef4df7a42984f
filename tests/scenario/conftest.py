"""A small set of parameters, the map, and a way to resolve scenarios of a few lines."""

from __future__ import annotations

from typing import Any

import pytest

from simulation.scenario import (
    Change,
    Geography,
    Parameters,
    Resolved,
    load_geography,
    load_parameters,
    resolve,
)
from tests.scenario.scenario_helpers import PARAMETERS, Make, scenario


@pytest.fixture(scope="session")
def parameters() -> Parameters:
    return load_parameters(PARAMETERS)


@pytest.fixture(scope="session")
def geography() -> Geography:
    return load_geography()


@pytest.fixture(scope="session")
def make(parameters: Parameters, geography: Geography) -> Make:
    """Resolve a scenario made of the given changes."""

    def made(*changes: Change, **options: Any) -> Resolved:
        return resolve(scenario(*changes, **options), parameters, geography)

    return made
