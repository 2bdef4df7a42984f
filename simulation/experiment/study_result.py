"""The results of a study, read from its folder."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from simulation.experiment.by_group import BY_GROUP, BY_GROUP_SCHEMA
from simulation.experiment.comparisons import COMPARISONS, COMPARISONS_SCHEMA
from simulation.experiment.differences import BY_AREA_SCHEMA, DIFFERENCES_SCHEMA, HEADLINES_SCHEMA
from simulation.experiment.effects import WITH_EFFECTS, WITH_EFFECTS_SCHEMA
from simulation.experiment.levels import DISTRIBUTIONS_SCHEMA, LEVELS_SCHEMA
from simulation.experiment.manifest import read_manifest
from simulation.experiment.precision import PRECISION, PRECISION_SCHEMA
from simulation.experiment.uncertainty import UNCERTAINTY, UNCERTAINTY_SCHEMA


@dataclass(frozen=True)
class StudyResult:
    """The results of a study, read from its folder.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of a finished study.
    """

    folder: Path

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """What the folder says about itself; see `simulation.experiment.manifest`."""
        return read_manifest(self.folder)

    @property
    def fingerprint(self) -> str:
        """Short text to cite: equal for equal results."""
        return str(self.manifest["fingerprint"])

    @cached_property
    def differences(self) -> pl.DataFrame:
        """Scenario minus baseline for every measure and window, over all areas of the study."""
        return _read_table(self.folder / "differences.csv", DIFFERENCES_SCHEMA)

    @cached_property
    def differences_by_area(self) -> pl.DataFrame:
        """The same for each area."""
        return _read_table(self.folder / "differences_by_area.csv", BY_AREA_SCHEMA)

    @cached_property
    def differences_by_group(self) -> pl.DataFrame:
        """The same for each group of people; empty unless the study splits its counts."""
        path = self.folder / BY_GROUP
        return _read_table(path, BY_GROUP_SCHEMA) if path.is_file() else pl.DataFrame(schema=BY_GROUP_SCHEMA)

    @cached_property
    def differences_with_effects(self) -> pl.DataFrame:
        """Differences without and with every assumed effect; empty unless the study was asked for them."""
        path = self.folder / WITH_EFFECTS
        return _read_table(path, WITH_EFFECTS_SCHEMA) if path.is_file() else pl.DataFrame(schema=WITH_EFFECTS_SCHEMA)

    @cached_property
    def comparisons(self) -> pl.DataFrame:
        """All scenarios at once, with ranks; empty with fewer than two beside the baseline, or one replication."""
        path = self.folder / COMPARISONS
        return _read_table(path, COMPARISONS_SCHEMA) if path.is_file() else pl.DataFrame(schema=COMPARISONS_SCHEMA)

    @cached_property
    def precision(self) -> pl.DataFrame:
        """How narrow each headline difference came out; empty unless the study asked for a precision."""
        path = self.folder / PRECISION
        return _read_table(path, PRECISION_SCHEMA) if path.is_file() else pl.DataFrame(schema=PRECISION_SCHEMA)

    @cached_property
    def uncertainty(self) -> pl.DataFrame:
        """Luck and ignorance apart, for every measure and window; empty unless parameters were drawn."""
        path = self.folder / UNCERTAINTY
        return _read_table(path, UNCERTAINTY_SCHEMA) if path.is_file() else pl.DataFrame(schema=UNCERTAINTY_SCHEMA)

    @cached_property
    def headlines(self) -> pl.DataFrame:
        """Differences of the measures declared in advance, to the end of the study, with a sentence each."""
        return _read_table(self.folder / "headlines.csv", HEADLINES_SCHEMA)

    @cached_property
    def levels(self) -> pl.DataFrame:
        """The baseline beside published figures; empty unless the whole country was run."""
        return _read_table(self.folder / "levels.csv", LEVELS_SCHEMA)

    @cached_property
    def distributions(self) -> pl.DataFrame:
        """Shares by band under each scenario."""
        return _read_table(self.folder / "distributions.csv", DISTRIBUTIONS_SCHEMA)

    @property
    def outcomes(self) -> pl.LazyFrame:
        """Every count of every run, by area, provider, group and month; `collect` what you filter."""
        return pl.scan_parquet(self.folder / "outcomes.parquet")


def _read_table(path: Path, schema: dict[str, Any]) -> pl.DataFrame:
    return pl.read_csv(path, schema=schema)
