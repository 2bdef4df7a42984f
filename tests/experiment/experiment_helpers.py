"""What tests of studies share."""

from __future__ import annotations

import hashlib

import polars as pl

from simulation.experiment import StudyResult
from simulation.experiment.progress import SilentReporter


class Notes(SilentReporter):
    """Keeps what a study says."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.made: list[tuple[str, int]] = []
        self.done: dict[str, int] = {}

    def start(self, runs: object, done: dict[str, int]) -> None:  # type: ignore[override]
        self.done = dict(done)

    def note(self, text: str) -> None:
        self.texts.append(text)

    def saved(self, scenario: str, replication: int) -> None:
        self.made.append((scenario, replication))


def contents(result: StudyResult) -> dict[tuple[str, int], str]:
    """Hash of the rows of every run."""
    return {(run["scenario"], run["replication"]): run["content"] for run in result.manifest["runs"]}


def outcome_hash(result: StudyResult) -> str:
    frame = result.outcomes.sort(pl.all()).collect()
    return hashlib.sha256(frame.write_csv().encode("utf-8")).hexdigest()


def tables(result: StudyResult) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(result.folder.glob("*.csv"))}
