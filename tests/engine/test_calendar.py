"""Dates of England and Wales, against a list written by hand and a naive loop."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.engine import Calendar
from simulation.engine.calendar import bank_holidays, easter_sunday

#: Month and day of each bank holiday in England and Wales.
PUBLISHED = {
    2014: "01-01 04-18 04-21 05-05 05-26 08-25 12-25 12-26",
    2015: "01-01 04-03 04-06 05-04 05-25 08-31 12-25 12-28",
    2016: "01-01 03-25 03-28 05-02 05-30 08-29 12-26 12-27",
    2017: "01-02 04-14 04-17 05-01 05-29 08-28 12-25 12-26",
    2018: "01-01 03-30 04-02 05-07 05-28 08-27 12-25 12-26",
    2019: "01-01 04-19 04-22 05-06 05-27 08-26 12-25 12-26",
    2020: "01-01 04-10 04-13 05-08 05-25 08-31 12-25 12-28",
    2021: "01-01 04-02 04-05 05-03 05-31 08-30 12-27 12-28",
    2022: "01-03 04-15 04-18 05-02 06-02 06-03 08-29 09-19 12-26 12-27",
    2023: "01-02 04-07 04-10 05-01 05-08 05-29 08-28 12-25 12-26",
}
START = date(2016, 7, 1)
CALENDAR = Calendar(START, before_years=5, after_years=10)
DAYS = st.integers(-1500, 3000)


def naive_is_working(day: int) -> bool:
    when = START + timedelta(days=day)
    return when.weekday() < 5 and when not in bank_holidays(when.year)


@pytest.mark.parametrize("year", PUBLISHED)
def test_bank_holidays(year: int) -> None:
    published = [date.fromisoformat(f"{year}-{day}") for day in PUBLISHED[year].split()]
    assert sorted(bank_holidays(year)) == published


#: The last three are those years in which the full moon that counts is put forward by a day.
EASTERS = (
    "1961-04-02", "2000-04-23", "2008-03-23", "2011-04-24", "2038-04-25", "1954-04-18", "1981-04-19", "2049-04-18",
)  # fmt: skip


@pytest.mark.parametrize("when", EASTERS)
def test_easter(when: str) -> None:
    assert easter_sunday(int(when[:4])) == date.fromisoformat(when)


@given(DAYS)
def test_date_weekday_and_month(day: int) -> None:
    when = START + timedelta(days=day)
    assert CALENDAR.date(day) == when
    assert CALENDAR.day(when) == day
    assert int(CALENDAR.weekday(day)) == when.weekday()
    assert int(CALENDAR.month(day)) == when.year * 12 + when.month - 1
    assert bool(CALENDAR.is_working(day)) == naive_is_working(day)


@settings(max_examples=200)
@given(DAYS, st.integers(0, 60))
def test_add_working_days_as_a_loop_does(day: int, number: int) -> None:
    expected, left = day, number
    while left:
        expected += 1
        left -= naive_is_working(expected)
    while not naive_is_working(expected):
        expected += 1
    assert CALENDAR.add_working_days(np.array([day]), number).tolist() == [expected]
    between = CALENDAR.working_days_between(np.array([day]), np.array([expected])).tolist()
    assert between == [number if number else int(expected != day)]


@given(st.lists(st.tuples(DAYS, st.integers(0, 60)), min_size=1, max_size=20))
def test_add_working_days_to_many_at_once(pairs: list[tuple[int, int]]) -> None:
    days, numbers = np.array(pairs, dtype=np.int32).T
    one_by_one = [int(CALENDAR.add_working_days(np.array([day]), number)[0]) for day, number in pairs]
    assert CALENDAR.add_working_days(days, numbers).tolist() == one_by_one


@given(DAYS)
def test_working_day_before_and_after(day: int) -> None:
    before = after = day
    while not naive_is_working(before):
        before -= 1
    while not naive_is_working(after):
        after += 1
    assert CALENDAR.working_day_before(np.array([day])).tolist() == [before]
    assert CALENDAR.working_day_after(np.array([day])).tolist() == [after]


@pytest.mark.parametrize(
    ("when", "low_draw", "high_draw"),
    [
        ("2017-06-15", "2017-06-15", "2017-06-15"),  # a Thursday stays
        ("2017-06-17", "2017-06-16", "2017-06-16"),  # Saturday: Friday is nearer
        ("2017-06-18", "2017-06-19", "2017-06-19"),  # Sunday: Monday is nearer
        ("2017-04-14", "2017-04-13", "2017-04-13"),  # Good Friday: Thursday
        ("2017-04-15", "2017-04-13", "2017-04-13"),  # Easter Saturday: Thursday, two days against three
        ("2017-04-17", "2017-04-18", "2017-04-18"),  # Easter Monday: Tuesday
        ("2017-05-28", "2017-05-26", "2017-05-30"),  # Sunday of a bank holiday weekend: two days either way
        ("2019-01-01", "2018-12-31", "2019-01-02"),  # New Year's Day on a Tuesday: one day either way
    ],
)
def test_nearest_working_day(when: str, low_draw: str, high_draw: str) -> None:
    days = np.full(3, CALENDAR.day(date.fromisoformat(when)))
    moved = CALENDAR.nearest_working_day(days, np.array([0.0, 0.499999, 0.5]))
    assert [str(CALENDAR.date(day)) for day in moved] == [low_draw, low_draw, high_draw]


def test_holidays_between_includes_both_ends() -> None:
    assert list(CALENDAR.holidays_between(date(2016, 12, 27), date(2017, 4, 14))) == [
        date(2016, 12, 27), date(2017, 1, 2), date(2017, 4, 14)
    ]


def test_the_first_working_day_of_a_month() -> None:
    """1 October 2017 was a Sunday, 1 January 2018 a holiday, 1 April 2018 Easter Sunday."""
    calendar = Calendar(date(2017, 9, 1))
    found = [calendar.date(day) for day in range(calendar.day(date(2018, 5, 1)) + 1) if calendar.begins_month(day)]
    firsts = [(9, 1), (10, 2), (11, 1), (12, 1), (1, 2), (2, 1), (3, 1), (4, 3), (5, 1)]
    assert [(each.month, each.day) for each in found] == firsts


def test_working_days_back() -> None:
    """The earliest day after which so many working days have passed, counted one by one, over a Christmas."""
    calendar = Calendar(date(2017, 12, 1))
    for day in range(10, 90):
        for number in (0, 1, 2, 5, 10):
            found = calendar.working_days_back(day, number)
            passed = [calendar.working_days_between(first, day) for first in (found - 1, found)]
            assert passed[0] > number >= passed[1], (day, number, found)
