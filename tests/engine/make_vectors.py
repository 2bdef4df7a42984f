"""Make the published test vectors of ``simulation.engine.chance``.

    python tests/engine/make_vectors.py > tests/engine/vectors.json

Anyone who writes the draws again, in any language, can check them against ``vectors.json``. Each vector is
a seed, a replication, a key, a purpose and an occurrence, with the 64 bits in hexadecimal and the values made
of them as hexadecimal floats, exact to the last bit. ``digests`` are SHA-256 over the little-endian bytes of
100,000 values, for keys 0 to 99,999 and occurrence 2.

The vectors change only if every result of the simulation changes too, which the changelog announces.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from simulation.engine import Chance

CASES = [
    (seed, replication, key, purpose, occurrence)
    for seed, replication in ((1, 0), (1, 1), (20180701, 3))
    for key in (0, 1, 2**40 + 17, 2**64 - 1)
    for purpose in ("attendance", "term length")
    for occurrence in (0, 1, 5_000_000_000)
]
POISSON_MEANS = (0.1, 3.7, 88.0)
MANY = 100_000


def vector(seed: int, replication: int, key: int, purpose: str, occurrence: int) -> dict[str, Any]:
    """Return one vector."""
    chance, keys = Chance(seed, replication), np.array([key], dtype=np.uint64)
    return {
        "seed": seed,
        "replication": replication,
        "key": key,
        "purpose": purpose,
        "occurrence": occurrence,
        "bits": f"{int(chance.bits(keys, purpose, occurrence)[0]):016x}",
        "uniform": float(chance.uniform(keys, purpose, occurrence)[0]).hex(),
        "exponential": float(chance.exponential(keys, purpose, occurrence)[0]).hex(),
        "normal": float(chance.normal(keys, purpose, occurrence)[0]).hex(),
        "poisson": [int(chance.poisson(np.array([m]), keys, purpose, occurrence)[0]) for m in POISSON_MEANS],
    }


def digests() -> dict[str, str]:
    """Return digests of many values of each kind."""
    chance, keys = Chance(7, 2), np.arange(MANY, dtype=np.uint64)
    means = np.arange(MANY) % 400 / 8
    many = {
        "uniform": chance.uniform(keys, "digest", 2),
        "exponential": chance.exponential(keys, "digest", 2),
        "normal": chance.normal(keys, "digest", 2),
        "poisson": chance.poisson(means, keys, "digest", 2),
        "spread": chance.spread(-3, 11, keys, "digest", 2),
    }
    return {
        name: hashlib.sha256(values.astype(values.dtype.newbyteorder("<")).tobytes()).hexdigest()
        for name, values in many.items()
    }


def make() -> dict[str, Any]:
    """Return everything that ``vectors.json`` holds."""
    return {
        "poisson_means": POISSON_MEANS,
        "vectors": [vector(*case) for case in CASES],
        "digests": digests(),
    }


if __name__ == "__main__":
    print(json.dumps(make(), indent=1))
