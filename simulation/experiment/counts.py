"""Counts of a run as dense arrays, and measures made from them.

Counts are whole numbers and stay so until the last step; a ratio is made once, from sums, so no rounding and
no order of addition can reach a result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from simulation.experiment.whole import TOGETHER
from simulation.experiment.windows import Window
from simulation.measures.registry import COUNT_BY_NAME, COUNTS, Measure

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

WHOLE = "england_and_wales"
"""Area of counts that belong to no single police force area."""

DAYS_IN_YEAR = 365.25
"""Length of a year to which flows are scaled, in days."""

PLAIN_COUNTS: tuple[str, ...] = tuple(count.name for count in COUNTS if count.kind != "histogram")
"""Counts that measures are made of, in the order of the arrays."""

_HISTOGRAMS = tuple(count.name for count in COUNTS if count.kind == "histogram")


@dataclass(frozen=True)
class Counts:
    """The counts of all replications of one scenario.

    Parameters
    ----------
    areas : tuple of str
        Police force areas, then `WHOLE` for what belongs to none.
    months : tuple of str
        Whole months counted.
    values : ndarray of int64, shape (counts, areas, months, replications)
        Sums over providers and groups.
    """

    areas: tuple[str, ...]
    months: tuple[str, ...]
    values: Integers

    @property
    def replications(self) -> int:
        """Number of replications."""
        return int(self.values.shape[-1])

    def of_months(self, months: Sequence[str]) -> Counts:
        """Return the counts of some of the months, which lie one after the other."""
        first = self.months.index(months[0]) if months else 0
        return Counts(self.areas, tuple(months), self.values[:, :, first : first + len(months)])

    @cached_property
    def _position(self) -> dict[str, int]:
        return {name: position for position, name in enumerate(PLAIN_COUNTS)}

    @cached_property
    def _together(self) -> Counts:
        """All areas as one, added up while they are whole numbers."""
        return Counts((WHOLE,), self.months, self.values.sum(axis=1, keepdims=True))

    def over(self, names: Sequence[str], window: Window, scaled: bool) -> Floats:
        """Return counts added together over a window.

        Parameters
        ----------
        names : sequence of str
            Counts added together.
        window : Window
            The months.
        scaled : bool
            Scale flows to a year. Stocks are averaged over the months either way.

        Returns
        -------
        ndarray of float64, shape (areas, replications)
        """
        total = np.zeros((len(self.areas), self.replications))
        for name in names:
            sums = self.values[self._position[name], :, window.slice].sum(axis=1)
            if COUNT_BY_NAME[name].kind == "stock":
                total += sums / len(window.months)
            else:
                total += sums * (DAYS_IN_YEAR / window.days) if scaled else sums
        return total

    def parts(self, measure: Measure, window: Window) -> tuple[Floats, Floats | None]:
        """Return what a measure is divided from, by area; the denominator is None for a level."""
        top = self.over(measure.numerator, window, scaled=not measure.denominator)
        bottom = self.over(measure.denominator, window, scaled=False) if measure.denominator else None
        return top, bottom

    def levels(self, measure: Measure, window: Window) -> tuple[Floats, Floats]:
        """Return a measure over all areas together and for each area.

        Parameters
        ----------
        measure : Measure
            The measure.
        window : Window
            The months.

        Returns
        -------
        whole : ndarray of float64, shape (replications,)
        by_area : ndarray of float64, shape (areas, replications)
            Police force areas only. NaN where the denominator is zero.
        """
        top, bottom = self._together.parts(measure, window)
        whole = ratio(top[0], None if bottom is None else bottom[0], measure.scale)
        top, bottom = self.parts(measure, window)
        by_area = ratio(top[:-1], None if bottom is None else bottom[:-1], measure.scale)
        return whole, by_area


def ratio(top: Floats, bottom: Floats | None, scale: float) -> Floats:
    """Return ``scale * top / bottom``, NaN where the bottom is zero; ``scale * top`` without a bottom."""
    if bottom is None:
        return scale * top
    return np.where(bottom != 0, scale * top / np.where(bottom != 0, bottom, 1), np.nan)


def load_counts(
    paths: Sequence[Path],
    areas: Sequence[str],
    months: Sequence[str],
    read: Mapping[Path, Integers] | None = None,
) -> Counts:
    """Read the run files of one scenario into one array.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        Run files in the order of their replications.
    areas, months : sequence of str
        Areas of the study and whole months counted. Rows of other months are left out.
    read : mapping of pathlib.Path to ndarray, optional
        What `read_counts` returned before for some of them.

    Returns
    -------
    Counts

    Raises
    ------
    ValueError
        If a run file holds an area or a count that the study doesn't know.
    """
    places = (*areas, WHOLE)
    values = np.zeros((len(PLAIN_COUNTS), len(places), len(months), len(paths)), dtype=np.int64)
    for replication, path in enumerate(paths):
        known = None if read is None else read.get(path)
        values[..., replication] = read_counts(path, areas, months) if known is None else known
    return Counts(tuple(places), tuple(months), values)


def read_counts(path: Path, areas: Sequence[str], months: Sequence[str]) -> Integers:
    """Read one run file; see `load_counts`.

    Of a run kept as sums over its areas, everything stands under `WHOLE`: only levels of all areas together mean
    anything.

    Returns
    -------
    ndarray of int64, shape (counts, areas and `WHOLE`, months)
    """
    places = (*areas, WHOLE)
    shape = (len(PLAIN_COUNTS), len(places), len(months))
    # Words become numbers at once: to group by words takes twice as long.
    words = {"area": (*places, TOGETHER), "measure": (*PLAIN_COUNTS, *_HISTOGRAMS), "month": tuple(months)}
    known = {column: pl.Enum(each) for column, each in words.items()}
    found = pl.scan_parquet(path).filter(pl.col("month").is_in(list(months)))
    codes = [pl.col(name).cast(kind, strict=False).to_physical().alias(name) for name, kind in known.items()]
    plain_or_unknown = (pl.col("measure") < len(PLAIN_COUNTS)).fill_null(True)
    rows = found.select("value", *codes).filter(plain_or_unknown).collect()
    for column in ("area", "measure"):
        if rows[column].null_count():
            every = found.select(pl.col(column).unique()).collect()[column].to_list()
            names = ", ".join(sorted(set(every) - set(known[column].categories)))
            raise ValueError(f"{path.name} holds a {column} that the study does not know: {names}")
    measure, area, month = (rows[column].to_numpy().astype(np.intp) for column in ("measure", "area", "month"))
    # A sum over all areas belongs to none of them.
    where = np.ravel_multi_index((measure, np.minimum(area, len(places) - 1), month), shape)
    sums = np.zeros(shape, dtype=np.int64)
    np.add.at(sums.reshape(-1), where, rows["value"].to_numpy())
    return sums


def side_total(path: Path, names: Sequence[str], months: Sequence[str], side: Literal["", "nps", "crc"] = "") -> int:
    """Return the sum of some counts of one run over some months, for one side of the service or both.

    Parameters
    ----------
    path : pathlib.Path
        Run file.
    names, months : sequence of str
        Counts and months added together.
    side : {"", "nps", "crc"}
        Limits the sum to the NPS divisions, or to everyone else.

    Returns
    -------
    int
    """
    rows = pl.scan_parquet(path).filter(pl.col("measure").is_in(list(names)) & pl.col("month").is_in(list(months)))
    if side:
        is_nps = pl.col("provider").str.starts_with("nps_")
        rows = rows.filter(is_nps if side == "nps" else ~is_nps & (pl.col("provider") != "all"))
    return int(rows.select(pl.col("value").sum()).collect().item() or 0)
