"""The published evidence: readable, each row with a source, and no outcome that is meant to be held back."""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path

import pytest

EVIDENCE = Path(__file__).resolve().parents[1] / "scenarios" / "data" / "evidence"
CONFIDENCE = {"S", "Q", "D", "M", "X", "assume", "withheld"}
TABLES = sorted(EVIDENCE.rglob("*.csv"))


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def test_there_are_tables() -> None:
    assert len(TABLES) > 5


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_every_row_has_a_known_confidence_and_a_source(path: Path) -> None:
    table = rows(path)
    assert table
    assert {row["confidence"] for row in table} <= CONFIDENCE
    # A row that says "looked for, not found" or "held back" has nothing to name.
    stated = [row for row in table if row["confidence"] not in {"X", "withheld"}]
    assert [row for row in stated if not row["source"].strip()] == []
    assert [row for row in table if None in row or None in row.values()] == []  # ragged rows


@pytest.mark.parametrize("path", sorted(EVIDENCE.glob("*.csv")), ids=lambda path: path.stem)
def test_ids_are_unique(path: Path) -> None:
    assert [name for name, times in Counter(row["id"] for row in rows(path)).items() if times > 1] == []


def test_withheld_rows_are_blank() -> None:
    for row in rows(EVIDENCE / "parameters.csv"):
        if row["confidence"] == "withheld":
            assert row["low"] == row["central"] == row["high"] == "", row["id"]


def test_targets_stop_before_the_years_held_back() -> None:
    assert max(row["period_end"] for row in rows(EVIDENCE / "calibration_targets.csv")) <= "2017-12-31"


CITED = re.compile(r"[a-z_]+\.(?:csv|md)|\b(?:PD|PQ|OM|P)[0-9]{2,3}\b")


def test_what_scenarios_and_parameters_cite_is_there() -> None:
    """A file of the evidence exists; an id stands in one of its files."""
    known = "\n".join(path.read_text("utf-8") for path in [*TABLES, *EVIDENCE.rglob("*.md")])
    folder = EVIDENCE.parents[1]
    missing = []
    for path in [*folder.glob("*.yaml"), *folder.glob("parameters/*.yaml")]:
        for line in path.read_text("utf-8").splitlines():
            if not line.strip().startswith("source:"):
                continue
            for cited in CITED.findall(line):
                if "." in cited:
                    there = any(EVIDENCE.rglob(cited)) or (folder / "data" / cited).exists()
                else:
                    there = re.search(rf"\b{cited}\b", known) is not None
                if not there:
                    missing.append(f"{path.name}: {cited}")
    assert missing == []
