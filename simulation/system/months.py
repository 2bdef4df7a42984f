"""The counts of months that are over: kept as numbers while the run goes on, given their names at its end."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from simulation.measures.registry import COUNTS

Rows = NDArray[np.int64]

#: Numbers of a row: months since year 0, index of the measure, cell (side alone for a histogram), band of a histogram,
#: and how many.
COLUMNS = ("month", "measure", "place", "band", "value")
_MONTH, _MEASURE, _PLACE, _BAND, _VALUE = range(len(COLUMNS))
_NO_BAND = -1
#: Names in rows of counts: the area of a histogram, the group of what isn't one, and the providers of a histogram.
EVERYWHERE, ALL, SIDES = "england_and_wales", "all", ("nps", "crc")

_INDEX = {count.name: number for number, count in enumerate(COUNTS)}


def rows_of_month(when: date, flows: NDArray[np.int64], bands: dict[tuple[str, int, int], int]) -> Rows:
    """Return the counts of a month that aren't 0.

    Parameters
    ----------
    when : datetime.date
        A day of the month.
    flows : int array (measures, cells)
        Counts.
    bands : dict
        Histograms, by measure, band and side.
    """
    measures, places = np.nonzero(flows)
    counted = np.empty((measures.size + len(bands), len(COLUMNS)), dtype=np.int64)
    counted[:, _MONTH] = when.year * 12 + when.month - 1
    plain, banded = counted[: measures.size], counted[measures.size :]
    plain[:, _MEASURE], plain[:, _PLACE], plain[:, _BAND] = measures, places, _NO_BAND
    plain[:, _VALUE] = flows[measures, places]
    if bands:
        numbers = [(_INDEX[name], side, band, value) for (name, band, side), value in bands.items()]
        banded[:, [_MEASURE, _PLACE, _BAND, _VALUE]] = numbers
    return counted


def named_rows(
    finished: Sequence[Rows], areas: Sequence[str], providers: Sequence[str], end: date, groups: Sequence[str] = ()
) -> dict[str, Any]:
    """Return columns of all rows, sorted on their full key; those of names as Polars series of few different words.

    Parameters
    ----------
    finished : sequence of int arrays
        What :func:`rows_of_month` returned, month by month.
    areas, providers : sequences of str
        Names by area x 2 + side.
    end : datetime.date
        Last day of the run: the last month is known then.
    groups : sequence of str
        Groups that the counts of people are split by, each with cells of its own behind those of nobody.
    """

    def together(column: int, kind: str = "int32") -> NDArray[np.integer]:
        """Put one column of all months together; most hold small numbers, and a national run has a million rows."""
        return np.concatenate([np.empty(0, dtype=kind), *(part[:, column].astype(kind) for part in finished)])

    band, value = together(_BAND), together(_VALUE, "int64")
    block, place = np.divmod(together(_PLACE), np.int32(len(areas)))
    months, month = np.unique(together(_MONTH), return_inverse=True)
    banded = band != _NO_BAND
    bands = [f"{number:03d}" for number in range(int(band.max(initial=0)) + 1)]
    group = np.where(block > 0, len(bands) + block, band - _NO_BAND)
    # Words of each column, and which of them a row has.
    columns: dict[str, tuple[list[str], NDArray[np.integer]]] = {
        "area": ([*areas, EVERYWHERE], np.where(banded, len(areas), place)),
        "provider": ([*providers, *SIDES], np.where(banded, len(providers) + place, place)),
        "group": ([ALL, *bands, *groups], group),
        "month": ([f"{number // 12:04d}-{number % 12 + 1:02d}" for number in months.tolist()], month),
        "measure": ([count.name for count in COUNTS], together(_MEASURE)),
    }
    known_on = [_month_end(number // 12, number % 12 + 1, end) for number in months.tolist()]
    columns["known_on"] = (known_on, month)
    named: dict[str, Any] = {}
    ranks: dict[str, Rows] = {}
    for name, (words, code) in columns.items():
        # Words that stand for several codes are one, as a company of two areas.
        once, rank = np.unique(words, return_inverse=True)
        named[name], ranks[name] = once.tolist(), rank.astype(np.int32)[code] if words else code.astype(np.int32)
    order = np.lexsort([value, *(ranks[name] for name in reversed(columns) if name != "known_on")])
    for name, words in named.items():
        named[name] = pl.Series(name, ranks[name][order].astype(np.uint32)).cat.to(pl.Enum(words))
    return {**named, "value": value[order]}


def _month_end(year: int, month: int, end: date) -> str:
    return min(date(year, month, calendar.monthrange(year, month)[1]), end).isoformat()
