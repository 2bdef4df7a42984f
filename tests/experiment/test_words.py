"""Sentences and progress."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from simulation.experiment.findings import finding
from simulation.experiment.progress import LiveReporter, PlainReporter, _Tally, reporter_for
from simulation.measures.registry import MEASURE_BY_NAME

RECALLS = MEASURE_BY_NAME["recalls_year"]
SHARE = MEASURE_BY_NAME["officers_over_110_share"]
NAN = float("nan")


def test_a_clear_difference() -> None:
    expected = "Licence recalls would fall by 512 recalls a year (2.34%); 95% interval 425 to 600, 5 of 5 pairs agree."
    assert finding(RECALLS, -512.4, -600, -424.8, -2.34, 5, 5) == expected


def test_shares_change_by_percentage_points() -> None:
    text = finding(SHARE, 3.25, 1.0, 5.5, 10.0, 4, 5)
    assert "would rise by 3.25 percentage points; 95% interval 1.00 to 5.50, 4 of 5 pairs agree." in text


def test_an_unclear_difference_is_not_called_a_rise() -> None:
    text = finding(RECALLS, 10.0, -5.0, 25.0, 1.0, 3, 5)
    assert "no clear change" in text
    assert "−5.0 to 25.0" in text
    assert "rise" not in text


def test_one_pair_does_not_say_how_sure() -> None:
    text = finding(RECALLS, 10.0, NAN, NAN, 1.0, 1, 1)
    assert text == (
        "Licence recalls would rise by 10.0 recalls a year (1.00%) in the only pair of runs, so how sure is unknown."
    )


def test_no_difference_and_no_counts() -> None:
    assert finding(RECALLS, 0.0, 0.0, 0.0, 0.0, 5, 5).endswith("would not change at all: all 5 pairs are the same.")
    assert "nothing was counted" in finding(RECALLS, NAN, NAN, NAN, NAN, 0, 5)


def test_time_left_follows_from_runs_made() -> None:
    now = [0.0]
    tally = _Tally(lambda: now[0])
    tally.start({"a": 4, "b": 4}, {"a": 2, "b": 0})
    assert tally.seconds_left() is None
    now[0] = 30.0
    tally.saved("a", 2)
    tally.day("b", 0, 0.5)
    # One and a half runs in half a minute; four and a half are left. Runs that were there don't count as
    # speed.
    assert tally.runs_a_minute("a") == 2
    assert tally.seconds_left() == pytest.approx(90)
    tally.failed("b", 0)
    assert tally.complete("b") == 0


def test_plain_lines() -> None:
    lines: list[str] = []
    reporter = PlainReporter(lines.append)
    reporter.start({"base": 2, "more": 1}, {"base": 1, "more": 0})
    reporter.day("base", 1, 0.5)
    reporter.saved("base", 1)
    reporter.failed("more", 0, "it broke")
    reporter.stop()
    assert lines[:2] == ["base: 2 runs, 1 already there", "more: 1 run"]
    assert lines[2].startswith("base: 2 of 2 runs done, ")
    assert lines[3] == "FAILED more, replication 1: it broke"


def test_a_log_is_not_silent_for_more_than_a_minute() -> None:
    now = [0.0]
    lines: list[str] = []
    reporter = PlainReporter(lines.append, lambda: now[0])
    reporter.start({"base": 2}, {"base": 0})
    for second in range(150):
        now[0] = float(second)
        reporter.day("base", 0, second / 200)
    assert lines[1:] == ["base 15%; 5 min 40 s left", "base 30%; 4 min 40 s left"]


def test_live_lines_on_a_terminal_alone() -> None:
    terminal = Console(file=io.StringIO(), force_terminal=True, width=100)
    reporter = reporter_for(terminal)
    assert isinstance(reporter, LiveReporter)
    reporter.start({"base": 2, "more": 2}, {"base": 0, "more": 0})
    reporter.day("base", 0, 0.5)
    reporter.saved("base", 0)
    reporter.saved("base", 1)
    reporter.failed("more", 0, "it broke")
    reporter.note("by the way")
    reporter.stop()
    shown = terminal.file.getvalue()  # type: ignore[attr-defined]
    assert "2 of 2 runs" in shown
    assert "FAILED more, replication 1: it broke" in shown
    assert isinstance(reporter_for(Console(file=io.StringIO())), PlainReporter)
