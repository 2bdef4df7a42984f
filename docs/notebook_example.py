"""A small study from Python: two scenarios, one area, a few lines.

Run it as it stands (``python docs/notebook_example.py``) or copy the lines into a notebook.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import polars as pl

from simulation import Study


def small_study(folder: Path) -> pl.DataFrame:
    """Compare more home detention curfew with the baseline in Durham, and return what it changes."""
    study = Study(
        ["baseline", "hdc_expansion"],
        areas=["durham"],
        replications=2,
        until="2018-12-31",
        out=folder,
    )
    result = study.run()

    # The declared headlines, with an interval and a sentence each.
    for sentence in result.headlines["finding"]:
        print(sentence)

    # Any other measure and window.
    releases = result.differences.filter((pl.col("measure") == "hdc_releases_year") & (pl.col("window") == "to end"))
    print(releases.select("baseline", "value", "difference", "low", "high"))

    # Every count of every run, month by month.
    on_curfew = (
        result.outcomes.filter(pl.col("measure") == "on_hdc")
        .group_by("scenario", "month")
        .agg(pl.col("value").sum() / study.replications)
        .sort("scenario", "month")
        .collect()
    )
    print(on_curfew)
    return result.headlines


# Worker processes import this file again; only the first process may start a study.
if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        small_study(Path(place))
