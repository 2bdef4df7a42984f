"""Runs kept as one sum over areas and providers.

A study under many sets of parameters compares the study's areas together and nothing smaller, so of those runs only
that is kept: in a national run one row of 46, where hundreds or thousands of runs are asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

TOGETHER = "all"
"""What stands for area and provider in rows that are sums over all of them."""


def together(rows: Mapping[str, Any] | pl.DataFrame) -> pl.DataFrame:
    """Return the rows of a run summed over areas and providers.

    Parameters
    ----------
    rows : mapping of str to sequence, or polars.DataFrame
        Counts of a run; see `simulation.experiment.runfiles.SCHEMA`.

    Returns
    -------
    polars.DataFrame
        A row for each group, month, measure and day known on, in no order; area and provider are `TOGETHER`.
    """
    every = rows if isinstance(rows, pl.DataFrame) else pl.DataFrame(rows)
    sums = every.group_by("group", "month", "measure", "known_on").agg(pl.col("value").sum())
    return sums.with_columns(pl.lit(TOGETHER).alias("area"), pl.lit(TOGETHER).alias("provider"))
