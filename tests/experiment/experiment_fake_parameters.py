"""Parameters of the fake model."""

from __future__ import annotations

from pathlib import Path

FAKE_PARAMETERS = """\
fake.shift:
  description: Added to every count of a CRC.
  value: 0
  unit: count
  confidence: assume
  source: "Made up for tests."
fake.fails_in:
  description: Number of the replication that fails.
  value: 0
  unit: count
  confidence: assume
  source: "Made up for tests."
fake.dies_in:
  description: Number of the replication whose process dies.
  value: 0
  unit: count
  confidence: assume
  source: "Made up for tests."
fake.fails_in_company:
  description: Whether running together with others fails.
  value: false
  unit: flag
  confidence: assume
  source: "Made up for tests."
"""

FAKE_EFFECTS = """\
effects.shift_twice:
  description: Whether what is added is added twice.
  value: false
  unit: yes or no
  confidence: assume
  source: "Made up for tests."
effects.shift_strength:
  description: No switch.
  value: 0
  unit: ratio
  confidence: assume
  source: "Made up for tests."
"""


def write_parameters(folder: Path) -> None:
    """Write the files of the fake model's parameters."""
    (folder / "fake.yaml").write_text(FAKE_PARAMETERS, encoding="utf-8")
    (folder / "effects.yaml").write_text(FAKE_EFFECTS, encoding="utf-8")
