"""Every shipped scenario moves what it says it will, and the way it says, in two small areas."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest

from simulation import Study
from simulation.scenario import load_scenario

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "docs"))

from make_effects import ELSEWHERE  # noqa: E402

POLICIES = sorted(path.stem for path in (ROOT / "scenarios").glob("*.yaml") if load_scenario(path.stem).extends)
#: One of each part of the system; ``--long`` runs them all.
SOME = {
    "agency_fills_gaps",
    "generic_court_officers",
    "hdc_expansion",
    "monthly_visit",
    "more_telephone",
    "more_unpaid_work_places",
    "no_bail_out",
    "parole_faster",
    "private_rooms",
    "resettlement_real_service",
    "reunification",
}


@pytest.fixture(scope="module")
def differences(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> pl.DataFrame:
    """Two years of every scenario with the same luck."""
    long = request.config.getoption("--long")
    names = [name for name in (POLICIES if long else sorted(SOME)) if name not in ELSEWHERE]
    study = Study(
        ["baseline", *names],
        areas=["cumbria", "gwent"],
        replications=4 if long else 1,
        until="2020-06-30",
        workers=1,
        out=tmp_path_factory.mktemp("expectations") / "study",
    )
    found = [study.run().differences]
    for name, area in ELSEWHERE.items() if long else ():
        folder = tmp_path_factory.mktemp("expectations") / name
        there = Study(
            ["baseline", name], areas=area.split(","), replications=1, until="2020-06-30", workers=1, out=folder
        )
        found.append(there.run().differences)
    return pl.concat(found).filter(pl.col("window") == "to end")


@pytest.mark.parametrize(
    "name", [name if name in SOME else pytest.param(name, marks=pytest.mark.long) for name in POLICIES]
)
def test_what_was_expected_comes_out(differences: pl.DataFrame, name: str) -> None:
    expects: Mapping[str, str] = load_scenario(name).expects
    assert expects, "a shipped scenario says what it should raise or lower"
    seen = dict(differences.filter(pl.col("scenario") == name).select("measure", "difference").iter_rows())
    sign = {"more": 1, "less": -1}
    # No difference is as wrong as one the other way.
    wrong = {measure: seen[measure] for measure, way in expects.items() if seen[measure] * sign[way] <= 0}
    assert wrong == {}, "expected otherwise"
