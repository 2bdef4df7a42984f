"""Every published measure for every period that a run covers, whether or not a value was published for it.

What is published from 2018 on is held back from this project. Whoever has it can lay it beside these figures without
running anything.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl

from simulation.measures.published import BY_NAME, MEASURES, PublishedMeasure, Record, Target

#: Quantiles of the bands: the middle, 80 and 95 percent of runs.
QUANTILES = (0.5, 0.1, 0.9, 0.025, 0.975)
#: Months of each kind of period, and the months in which one begins.
_KINDS = {
    "month": (1, tuple(range(1, 13))),
    "quarter": (3, (1, 4, 7, 10)),
    "year": (12, (1,)),
    "financial_year": (12, (4,)),
}
#: What each way of making a figure is asked for; a stock is that of the last day.
_PERIODS = {
    "stock": ("month",),
    "stock_share": ("month",),
    "annual_change": ("year", "financial_year"),
    "change_since_first_quarter": (),
    "transfer": ("quarter",),
    "error": (),
}
_OTHERS = ("quarter", "year", "financial_year")


class Period(NamedTuple):
    """A period of a published measure: ``published`` if it is one of the evidence that no other kind covers."""

    measure: str
    kind: str
    start: dt.date
    end: dt.date


def _after(first: dt.date, months: int) -> dt.date:
    number = first.year * 12 + first.month - 1 + months
    return dt.date(number // 12, number % 12 + 1, 1)


def periods_of(
    measure: PublishedMeasure, start: dt.date, end: dt.date, targets: Sequence[Target] = ()
) -> list[Period]:
    """Return the periods of a measure that lie wholly within a run, and those of its published values.

    Examples
    --------
    >>> day = dt.date
    >>> [each[1:] for each in periods_of(BY_NAME["licence_recalls"], day(2016, 2, 1), day(2016, 9, 30))][0]
    ('quarter', datetime.date(2016, 4, 1), datetime.date(2016, 6, 30))
    """
    found = []
    for kind in _PERIODS.get(measure.how, _OTHERS):
        months, begins = _KINDS[kind]
        first = dt.date(start.year, start.month, 1)
        while (last := _after(first, months) - dt.timedelta(days=1)) <= end:
            if first >= start and first.month in begins:
                found.append(Period(measure.name, kind, first, last))
            first = _after(first, 1)
    stock = measure.how in ("stock", "stock_share")
    known = {each.end if stock else (each.start, each.end) for each in found}
    for target in targets:
        key = target.end if stock else (target.start, target.end)
        if target.measure == measure.name and key not in known:
            known.add(key)
            found.append(Period(measure.name, "published", target.start, target.end))
    return found


def all_periods(start: dt.date, end: dt.date, targets: Sequence[Target]) -> list[Period]:
    """Return the periods of every published measure that the model produces, in the order of their list."""
    return [period for measure in MEASURES for period in periods_of(measure, start, end, targets)]


def produced(record: Record, periods: Sequence[Period], targets: Sequence[Target]) -> list[float | None]:
    """Return what one run gives for each period; None where it doesn't cover it or there is nobody to count."""
    return [record.value(each.measure, each.start, each.end, targets) for each in periods]


def published_table(periods: Sequence[Period], runs: Sequence[Sequence[float | None]]) -> pl.DataFrame:
    """Return one row a measure and period, as written to published.csv; those without a value in any run are left out.

    Parameters
    ----------
    periods : sequence of Period
    runs : sequence of sequence
        Values of each replication, one for each period.
    """
    rows = []
    for period, values in zip(periods, zip(*runs, strict=True), strict=True):
        drawn = [value for value in values if value is not None]
        if not drawn:
            continue
        median, low_80, high_80, low_95, high_95 = (float(value) for value in np.quantile(drawn, QUANTILES))
        measure = BY_NAME[period.measure]
        rows.append(
            {
                "measure": period.measure,
                "unit": measure.unit,
                "period": period.kind,
                "period_start": period.start.isoformat(),
                "period_end": period.end.isoformat(),
                "simulated": median,
                "low_80": low_80,
                "high_80": high_80,
                "low_95": low_95,
                "high_95": high_95,
                "replications": len(drawn),
                "note": measure.note,
            }
        )
    return pl.DataFrame(rows, infer_schema_length=None)
