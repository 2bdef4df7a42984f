"""Months over which scenarios are compared."""

from __future__ import annotations

import datetime as dt

import pytest

from simulation.experiment.windows import days_in_month, whole_months, windows_after

MONTHS = whole_months(dt.date(2017, 1, 1), dt.date(2019, 6, 30))


def test_only_whole_months_count() -> None:
    assert whole_months(dt.date(2017, 1, 2), dt.date(2017, 4, 29)) == ("2017-02", "2017-03")
    assert whole_months(dt.date(2016, 12, 31), dt.date(2017, 1, 31)) == ("2017-01",)
    assert whole_months(dt.date(2017, 1, 1), dt.date(2017, 1, 30)) == ()
    assert len(MONTHS) == 30


@pytest.mark.parametrize(("impact", "first"), [(dt.date(2017, 7, 1), "2017-07"), (dt.date(2017, 7, 2), "2017-08")])
def test_a_window_starts_with_the_first_whole_month(impact: dt.date, first: str) -> None:
    assert {window.months[0] for window in windows_after(impact, MONTHS)} == {first}


def test_a_window_that_does_not_fit_is_left_out() -> None:
    windows = windows_after(dt.date(2018, 6, 15), MONTHS)
    assert [(window.name, len(window.months)) for window in windows] == [("12 months", 12), ("to end", 12)]
    windows = windows_after(dt.date(2019, 6, 1), MONTHS)
    assert [(window.name, window.months) for window in windows] == [("to end", ("2019-06",))]


@pytest.mark.parametrize("impact", [None, dt.date(2016, 8, 1), dt.date(2019, 6, 2), dt.date(2025, 1, 1)])
def test_without_an_impact_in_the_months_counted_all_of_them_are_the_window(impact: dt.date | None) -> None:
    assert windows_after(impact, MONTHS)[-1].months == MONTHS


def test_no_months_no_windows() -> None:
    assert windows_after(None, ()) == ()


def test_days() -> None:
    assert days_in_month("2020-02") == 29
    assert windows_after(dt.date(2018, 1, 1), MONTHS)[0].days == 365
