"""Real dates as whole day numbers: weekends, and the bank holidays of England and Wales.

Day 0 is the start date; earlier days are negative. Everything is answered from tables made once, so that
asking about thousands of days is one indexing operation.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import overload

import numpy as np
from numpy.typing import NDArray

Days = NDArray[np.int32]
Date = date  # inside Calendar, ``date`` is a method

#: Days of a year and of a month on average: for rates, and for lengths given in years or months.
YEAR_DAYS = 365.25
MONTH_DAYS = YEAR_DAYS / 12


def easter_sunday(year: int) -> date:
    """Return Easter Sunday of a year in the Gregorian calendar (anonymous Gregorian computus).

    Parameters
    ----------
    year : int
        Calendar year.
    """
    a = year % 19
    b, c = divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    weekday = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * weekday) // 451
    month, day = divmod(h + weekday - 7 * m + 114, 31)
    return date(year, month, day + 1)


#: Days moved or added by royal proclamation (Banking and Financial Dealings Act 1971, section 1).
PROCLAIMED: dict[int, tuple[date, ...]] = {
    2002: (date(2002, 6, 3), date(2002, 6, 4)),
    2011: (date(2011, 4, 29),),
    2012: (date(2012, 6, 4), date(2012, 6, 5)),
    2020: (date(2020, 5, 8),),
    2022: (date(2022, 6, 2), date(2022, 6, 3), date(2022, 9, 19)),
    2023: (date(2023, 5, 8),),
}
#: Days that the usual rule would give and a proclamation took away.
WITHDRAWN: frozenset[date] = frozenset(
    {date(2002, 5, 27), date(2012, 5, 28), date(2020, 5, 4), date(2022, 5, 30)}
)


def bank_holidays(year: int) -> frozenset[date]:
    """Return the bank holidays of England and Wales in a year, substitute days included.

    Parameters
    ----------
    year : int
        Calendar year.
    """
    easter = easter_sunday(year)

    def first_monday(month: int) -> date:
        first = date(year, month, 1)
        return first + timedelta(days=-first.weekday() % 7)

    def last_monday(month: int) -> date:
        last = date(year, month + 1, 1) - timedelta(days=1)
        return last - timedelta(days=last.weekday())

    days = {
        easter - timedelta(days=2),
        easter + timedelta(days=1),
        first_monday(5),
        last_monday(5),
        last_monday(8),
        *PROCLAIMED.get(year, ()),
    }
    for fixed in (date(year, 1, 1), date(year, 12, 25), date(year, 12, 26)):
        while fixed.weekday() >= 5 or fixed in days:
            fixed += timedelta(days=1)
        days.add(fixed)
    return frozenset(days - WITHDRAWN)


class Calendar:
    """Whole day numbers since a start date, with working days.

    Parameters
    ----------
    start : datetime.date
        Day 0.
    before_years, after_years : int
        How far the tables reach before and after day 0.

    Examples
    --------
    >>> calendar = Calendar(date(2017, 4, 13))          # the Thursday before Easter
    >>> int(calendar.add_working_days(np.array([0]), 1)[0])
    5
    """

    def __init__(self, start: Date, before_years: int = 60, after_years: int = 60) -> None:
        self.start = start
        first = date(start.year - before_years, 1, 1)
        last = date(start.year + after_years, 12, 31)
        self._origin = (start - first).days
        length = (last - first).days + 1
        weekday = (np.arange(length) + first.weekday()) % 7
        working = weekday < 5
        for year in range(first.year, last.year + 1):
            for holiday in bank_holidays(year):
                working[(holiday - first).days] = False
        #: Dates that were asked for before, by day: one is asked for many times on its day.
        self._dates: dict[int, Date] = {}
        self._weekday = weekday.astype(np.int8)
        self._working = working
        index = np.arange(length, dtype=np.int32)
        self._previous = np.maximum.accumulate(np.where(working, index, 0)) - self._origin
        reversed_next = np.minimum.accumulate(np.where(working, index, length - 1)[::-1])[::-1]
        self._next = reversed_next - self._origin
        # Number of working days up to and including each day, and the day of the n-th working day.
        self._count = np.cumsum(working).astype(np.int32)
        self._nth = np.flatnonzero(working).astype(np.int32) - self._origin
        months = np.arange(np.datetime64(first), np.datetime64(last) + 1).astype("datetime64[M]")
        self._month = (months.astype(np.int64) + 1970 * 12).astype(np.int32)

    def date(self, day: int) -> Date:
        """Return the date of a day number."""
        when = self._dates.get(day)
        if when is None:
            when = self._dates[day] = self.start + timedelta(days=int(day))
        return when

    def day(self, when: Date) -> int:
        """Return the day number of a date."""
        return (when - self.start).days

    @overload
    def is_working(self, days: int) -> bool: ...

    @overload
    def is_working(self, days: Days) -> NDArray[np.bool_]: ...

    def is_working(self, days: Days | int) -> NDArray[np.bool_] | bool:
        """Tell which days are neither weekend nor bank holiday."""
        if isinstance(days, int):
            # Asked many times a day about that day.
            return self._working.item(days + self._origin)
        return self._working[np.asarray(days) + self._origin]

    def begins_month(self, day: int) -> bool:
        """Tell whether a day is the first working day of its month."""
        before = int(self._previous[day - 1 + self._origin])
        return self.is_working(day) and int(self.month(before)) != int(self.month(day))

    def working_days(self) -> tuple[NDArray[np.bool_], int]:
        """Return for every day that the calendar knows whether it is a working day, and which is the first of them."""
        return self._working, -self._origin

    def weekday(self, days: Days | int) -> NDArray[np.int8]:
        """Return the day of the week, Monday 0 to Sunday 6."""
        return self._weekday[np.asarray(days) + self._origin]

    def month(self, days: Days | int) -> NDArray[np.int32]:
        """Return months since year 0 (year x 12 + month - 1)."""
        return self._month[np.asarray(days) + self._origin]

    def months_from(self, day: int, days: int) -> NDArray[np.int32]:
        """Return the months, as :meth:`month` counts them, of so many days from one day on."""
        return self._month[day + self._origin : day + days + self._origin]

    def working_day_before(self, days: NDArray[np.integer]) -> Days:
        """Return each day itself if it is a working day, else the working day before it."""
        return self._previous[np.asarray(days) + self._origin].astype(np.int32)

    def working_day_after(self, days: NDArray[np.integer]) -> Days:
        """Return each day itself if it is a working day, else the working day after it."""
        return self._next[np.asarray(days) + self._origin].astype(np.int32)

    def next_working_days(self) -> tuple[Days, int]:
        """Return what :meth:`working_day_after` gives for every day known, and the place of day 0; for loops."""
        return self._next, self._origin

    def previous_working_days(self) -> tuple[Days, int]:
        """Return what :meth:`working_day_before` gives for every day known, and the place of day 0; for loops."""
        return self._previous, self._origin

    def working_days_around(self, day: int, days: int) -> tuple[Days, Days]:
        """Return the working days at or before, and at or after, each of so many days from one day on."""
        place = slice(day + self._origin, day + days + self._origin)
        return self._previous[place], self._next[place]

    def nearest_working_day(self, days: Days, uniform: NDArray[np.float64]) -> Days:
        """Move weekend and holiday dates to the nearest working day.

        Parameters
        ----------
        days : int32 array
            Wanted days.
        uniform : float64 array
            A draw for each, in [0, 1); settles ties, so that Monday doesn't get every Sunday.
        """
        days = np.asarray(days)
        before, after = self.working_day_before(days), self.working_day_after(days)
        gap = (days - before) - (after - days)
        return np.where((gap < 0) | ((gap == 0) & (uniform < 0.5)), before, after).astype(np.int32)

    def add_working_days(self, days: Days, number: NDArray[np.integer] | int) -> Days:
        """Return the day that lies a number of working days after each day.

        A count of 0 gives the day itself if it is a working day, else the next one.

        Parameters
        ----------
        days : int32 array
            Starting days.
        number : int or int array
            Working days to add, at least 0.
        """
        start = np.asarray(days)
        done = self._count[start + self._origin] - self._working[start + self._origin]
        back = np.asarray(number) - (1 - self._working[start + self._origin]) * (np.asarray(number) > 0)
        return self._nth[done + back].astype(np.int32)

    def after_working_days(self, day: int, number: int) -> int:
        """Return the day that lies ``number`` working days after one day; see :meth:`add_working_days`."""
        place = day + self._origin
        working = self._working.item(place)
        return self._nth.item(self._count.item(place) - working + number - (not working and number > 0))

    def working_days_after(self, day: int) -> Days:
        """Return the days that lie 1, 2, 3 ... working days after one day, at places 1, 2, 3 ...; a view, for loops."""
        return self._nth[int(self._count[day + self._origin]) - 1 :]

    def working_days_so_far(self) -> tuple[Days, int]:
        """Return working days up to and including each day that the calendar knows, and the place of day 0."""
        return self._count, self._origin

    def working_days_back(self, day: int, number: int) -> int:
        """Return the earliest day after which there are at most ``number`` working days up to and including ``day``."""
        return self._nth.item(self._count.item(day + self._origin) - number - 1)

    def working_days_ahead(self, day: int, most: int) -> Days:
        """Return the days that lie 0, 1, 2 ... ``most`` working days after one day; see :meth:`add_working_days`."""
        place = day + self._origin
        working = bool(self._working[place])
        done = int(self._count[place]) - working
        if working:
            return self._nth[done : done + most + 1]
        # After a weekend or holiday no working day and one working day come to the same day.
        return np.concatenate([self._nth[done : done + 1], self._nth[done : done + most]])

    def working_days_between(self, first: Days | int, last: Days | int) -> NDArray[np.int32]:
        """Count working days after ``first`` up to and including ``last``."""
        return self._count[np.asarray(last) + self._origin] - self._count[np.asarray(first) + self._origin]

    def holidays_between(self, first: Date, last: Date) -> Iterable[Date]:
        """Yield the bank holidays from ``first`` to ``last``, both included, in order."""
        for year in range(first.year, last.year + 1):
            for holiday in sorted(bank_holidays(year)):
                if first <= holiday <= last:
                    yield holiday
