"""The months over which two scenarios are compared.

Counts are kept by month, so a window is made of whole months. It starts with the first whole month on or
after the impact date (the day the scenario first differs from the baseline) and never before counting starts.
A window that would run past the end of the study is left out rather than shortened, so that "12 months"
always means twelve.
"""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass

TO_END = "to end"
"""Name of the window that runs from the impact date to the end of the study."""

WINDOW_MONTHS: dict[str, int | None] = {"12 months": 12, "24 months": 24, TO_END: None}
"""Length of each window, in months; None for all the months there are."""


@dataclass(frozen=True)
class Window:
    """A run of whole months.

    Parameters
    ----------
    name : str
        One of `WINDOW_MONTHS`.
    first : int
        Position of the first month among the months counted.
    months : tuple of str
        The months, ``YYYY-MM``.
    """

    name: str
    first: int
    months: tuple[str, ...]

    @property
    def slice(self) -> slice:
        """Positions of the months among the months counted."""
        return slice(self.first, self.first + len(self.months))

    @property
    def days(self) -> int:
        """Length of the window, in days."""
        return sum(days_in_month(month) for month in self.months)


def days_in_month(month: str) -> int:
    """Return the number of days of a month written ``YYYY-MM``."""
    year, number = (int(part) for part in month.split("-"))
    return calendar.monthrange(year, number)[1]


def whole_months(first_day: dt.date, last_day: dt.date) -> tuple[str, ...]:
    """Return the months that lie wholly between two days, both included.

    Examples
    --------
    >>> whole_months(dt.date(2017, 1, 1), dt.date(2017, 3, 30))
    ('2017-01', '2017-02')
    """
    year, month = first_day.year, first_day.month
    if first_day.day > 1:
        year, month = _next(year, month)
    months = []
    while dt.date(year, month, calendar.monthrange(year, month)[1]) <= last_day:
        months.append(f"{year:04d}-{month:02d}")
        year, month = _next(year, month)
    return tuple(months)


def _next(year: int, month: int) -> tuple[int, int]:
    return (year + 1, 1) if month == 12 else (year, month + 1)


def windows_after(impact: dt.date | None, months: tuple[str, ...]) -> tuple[Window, ...]:
    """Return the windows of a comparison.

    Parameters
    ----------
    impact : datetime.date or None
        Day on which the scenario first differs from the baseline; None if it never does.
    months : tuple of str
        Whole months counted in the study, in order.

    Returns
    -------
    tuple of Window
        Those that fit. If the scenario doesn't differ within the months counted, all of them count from the
        first.
    """
    first = 0
    if impact is not None:
        # A month in which the policy starts on a later day belongs to both worlds, so the window begins after
        # it.
        start = impact if impact.day == 1 else dt.date(*_next(impact.year, impact.month), 1)
        label = f"{start.year:04d}-{start.month:02d}"
        first = next((position for position, month in enumerate(months) if month >= label), 0)
    found = []
    for name, length in WINDOW_MONTHS.items():
        stop = len(months) if length is None else first + length
        if months and stop <= len(months):
            found.append(Window(name, first, months[first:stop]))
    return tuple(found)
