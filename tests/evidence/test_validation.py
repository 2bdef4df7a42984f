"""The judging of published values, and the arithmetic of the curve of returns, by hand."""

from __future__ import annotations

import datetime as dt
import itertools

import numpy as np
import pytest

from simulation.evidence.record_periods import Period, all_periods, periods_of, produced, published_table
from simulation.evidence.returns import FILE, half_years, moved, read_curve, with_curve
from simulation.evidence.validation import guesses, judge, summary, table
from simulation.measures.published import BY_NAME, MEASURES, Record, Target


def target(number: int, value: float, measure: str = "hdc_caseload", months: int = 0) -> Target:
    start = dt.date(2014 + number, 1, 1)
    end = start if months == 0 else dt.date(2014 + number, months, 28)
    return Target(f"T{number}", measure, start, end, value, value - 10, value + 10)


def simulated(targets: list[Target], values: list[float]) -> dict[tuple[str, dt.date, dt.date], float | None]:
    return {(each.measure, each.start, each.end): value for each, value in zip(targets, values, strict=True)}


def test_failures_come_first_then_what_has_no_value_then_matches() -> None:
    targets = [target(0, 100), target(1, 100), target(2, 100, "first_receptions"), target(3, 100)]
    runs = [simulated(targets, [105 + n, 150 + n, 1, 95 + n]) for n in (-1, 0, 1)]
    judged = judge(targets, runs)
    assert [each.target.id for each in judged] == ["T1", "T2", "T0", "T3"]
    miss, unknown, match, _ = judged
    assert (miss.median, miss.error, miss.inside) == (150, 50, False)
    assert unknown.median is None and unknown.inside is None and "remand" in unknown.reason
    assert (match.inside, match.tolerance) == (True, 10)
    assert (match.low_95, match.high_95) == pytest.approx((104.05, 105.95))
    assert table(judged)["inside"].to_list() == [False, None, True, True]
    assert summary(judged).startswith("2 of 3 published values are inside their range")


def test_guesses_look_back_at_periods_of_their_own_length_only() -> None:
    past = [target(0, 100, months=12), target(1, 110, months=12), target(1, 30, months=3)]
    now = target(2, 0, months=12)
    no_change, line = guesses(now, past)
    assert no_change == 110
    assert line == pytest.approx(120, abs=0.1)
    assert guesses(target(2, 0, months=3), past) == (30, None)
    assert guesses(past[0], past) == (None, None)


def test_the_end_of_a_one_sided_range_is_not_the_tolerance() -> None:
    one = Target("T", "hdc_caseload", dt.date(2017, 1, 1), dt.date(2017, 1, 1), 0.333, 0.333, 1)
    assert judge([one], [])[0].tolerance == pytest.approx(0.667)


def test_points_move_part_of_the_way_from_the_old_line() -> None:
    first, last = dt.date(2014, 1, 1), dt.date(2014, 1, 11)
    middle = dt.date(2014, 1, 6)
    assert moved({first: 0.0, last: 10.0}, {middle: 15.0}, 0.8) == {middle: pytest.approx(0.2 * 5 + 0.8 * 15)}


def test_half_years_are_means_dated_in_their_middle() -> None:
    counts = {f"2014-{month:02d}": {"custody": float(month)} for month in range(1, 9)}
    # Two months are too few for a point.
    assert half_years(counts, "custody") == {dt.date(2014, 4, 1): 3.5}


def test_a_curve_is_read_and_written_and_nothing_else_of_the_file_moves() -> None:
    text = FILE.read_text("utf-8")
    for kind in ("community", "custody"):
        assert with_curve(text, kind, read_curve(text, kind)) == text
    other = with_curve(text, "custody", {dt.date(2014, 1, 1): 5.0})
    assert read_curve(other, "custody") == {dt.date(2014, 1, 1): 5.0}
    assert read_curve(other, "community") == read_curve(text, "community")


def test_the_shipped_curve_has_no_jumps() -> None:
    """Half-years differ by less than a fifth: a slip of the hand would show."""
    text = FILE.read_text("utf-8")
    for kind in ("community", "custody"):
        values = [value for _, value in sorted(read_curve(text, kind).items())]
        assert all(np.abs(after / before - 1) < 0.2 for before, after in itertools.pairwise(values))


def test_periods_lie_within_the_run_and_hold_those_of_published_values() -> None:
    day = dt.date
    start, end = day(2016, 2, 15), day(2017, 12, 31)
    own = Target("T", "licence_recalls", day(2016, 10, 1), day(2017, 9, 30), 1, 0, 2)
    same = Target("U", "licence_recalls", day(2017, 1, 1), day(2017, 12, 31), 1, 0, 2)
    found = periods_of(BY_NAME["licence_recalls"], start, end, [own, same])
    assert [each.kind for each in found] == ["quarter"] * 7 + ["year", "financial_year", "published"]
    assert found[0][2:] == (day(2016, 4, 1), day(2016, 6, 30)) and found[6][2:] == (day(2017, 10, 1), end)
    assert found[-1][2:] == (own.start, own.end)
    stocks = periods_of(BY_NAME["hdc_caseload"], start, end, [Target("V", "hdc_caseload", end, end, 1, 0, 2)])
    assert [each.kind for each in stocks] == ["month"] * 22 and stocks[0].start == day(2016, 3, 1)


def test_every_published_measure_has_a_row_for_what_runs_cover() -> None:
    start, end = dt.date(2014, 1, 1), dt.date(2022, 3, 31)
    names = {each.measure for each in all_periods(start, end, [])}
    # These two are figures of their own published periods only.
    assert {each.name for each in MEASURES} - names == {
        "recall_population_monthly_rmse", "crc_people_supervised_change",
    }


def test_medians_and_bands_of_periods_by_hand() -> None:
    names = ("area", "provider", "group", "month", "measure", "value")
    periods = [
        Period("licence_recalls", "quarter", dt.date(2016, 1, 1), dt.date(2016, 3, 31)),
        Period("licence_recalls", "quarter", dt.date(2016, 4, 1), dt.date(2016, 6, 30)),
        Period("hdc_caseload", "month", dt.date(2016, 3, 1), dt.date(2016, 3, 31)),
    ]
    runs = []
    for many in (10, 20, 30):
        rows = [("kent", "crc", "all", f"2016-{month:02d}", "recalls", many) for month in (1, 2, 3)]
        rows += [("kent", "nps", "all", "2016-03", "on_hdc", 7)]
        columns = dict(zip(names, zip(*rows, strict=True), strict=True))
        runs.append(produced(Record(columns, part=0.5), periods, []))
    found = published_table(periods, runs)
    # The second quarter isn't covered.
    assert found["measure"].to_list() == ["licence_recalls", "hdc_caseload"]
    assert found["simulated"].to_list() == [120, 14]
    assert found["low_80"].to_list() == pytest.approx([72, 14])
    assert found["high_95"].to_list() == pytest.approx([177, 14])
    assert found["replications"].to_list() == [3, 3]
