"""Tables made from counts worked by hand."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from simulation.experiment.counts import WHOLE, load_counts, side_total
from simulation.experiment.differences import DIFFERENCES_SCHEMA, Arm, difference_tables
from simulation.experiment.levels import distribution_table, level_table, lower_edge
from simulation.experiment.runfiles import run_path, write_run
from simulation.experiment.windows import Window, windows_after
from simulation.measures.registry import HEADLINES, MEASURE_BY_NAME, MEASURES, Published

MONTHS = ("2018-01", "2018-02", "2018-03")
AREAS = ("cumbria", "durham")
WINDOW = Window("to end", 1, MONTHS[1:])  # February and March 2018: 59 days

Row = tuple[str, str, str, str, str, int]


def save(folder: Path, number: int, *rows: Row) -> Path:
    """Write a run file with such rows: area, provider, group, month, measure, value."""
    columns = ("area", "provider", "group", "month", "measure", "value")
    data: dict[str, list[object]] = {name: [row[i] for row in rows] for i, name in enumerate(columns)}
    record = write_run(folder, {"number": number}, {**data, "known_on": ["2018-04-01"] * len(rows)})
    return run_path(folder, record.key)


@pytest.fixture
def one_run(tmp_path: Path) -> Path:
    return save(
        tmp_path,
        0,
        ("durham", "nps_north_east", "a", "2018-01", "officers_in_post", 1000),
        ("durham", "nps_north_east", "a", "2018-01", "officers_with_tool", 1000),
        ("durham", "nps_north_east", "a", "2018-02", "officers_in_post", 10),
        ("durham", "nps_north_east", "a", "2018-02", "officers_with_tool", 10),
        ("durham", "durham_tees_valley", "a", "2018-02", "officers_in_post", 20),
        ("durham", "durham_tees_valley", "a", "2018-02", "officers_with_tool", 20),
        ("durham", "durham_tees_valley", "b", "2018-02", "officers_in_post", 10),
        ("durham", "durham_tees_valley", "b", "2018-02", "officers_with_tool", 10),
        ("durham", "durham_tees_valley", "a", "2018-03", "officers_in_post", 60),
        ("durham", "durham_tees_valley", "a", "2018-03", "officers_with_tool", 60),
        ("cumbria", "nps_north_west", "a", "2018-03", "officers_in_post", 100),
        ("cumbria", "nps_north_west", "a", "2018-03", "officers_with_tool", 100),
        ("durham", "durham_tees_valley", "a", "2018-03", "officers_over_110", 20),
        ("durham", "durham_tees_valley", "a", "2018-02", "recalls", 59),
        (WHOLE, "all", "", "2018-03", "recalls", 118),
        (WHOLE, "all", "0", "2018-03", "hdc_by_days", 5),
    )


def test_counts_are_summed_over_providers_and_groups(one_run: Path) -> None:
    counts = load_counts([one_run], AREAS, MONTHS)
    assert counts.areas == (*AREAS, WHOLE)
    assert counts.over(["officers_in_post"], Window("", 0, MONTHS[:1]), False)[:, 0].tolist() == [0, 1000, 0]


def test_stocks_are_averaged_and_ratios_taken_from_sums(one_run: Path) -> None:
    counts = load_counts([one_run], AREAS, MONTHS)
    whole, by_area = counts.levels(MEASURE_BY_NAME["officers_over_110_share"], WINDOW)
    # Durham: 20 of 40 + 60. Both areas: 20 of 40 + 60 + 100. A mean of ratios would give something else.
    assert by_area[:, 0].tolist() == [0, 20]
    assert whole.tolist() == [10]
    level, _ = counts.levels(MEASURE_BY_NAME["officers_mean"], WINDOW)
    assert level.tolist() == [100]


def test_flows_are_scaled_to_a_year_by_days(one_run: Path) -> None:
    counts = load_counts([one_run], AREAS, MONTHS)
    whole, by_area = counts.levels(MEASURE_BY_NAME["recalls_year"], WINDOW)
    # 59 recalls in the 59 days of the window are 365.25 a year; those of no area count in the whole only.
    assert by_area[:, 0] == pytest.approx([0, 365.25])
    assert whole[0] == pytest.approx(3 * 365.25)


def test_a_ratio_of_nothing_is_unknown(one_run: Path) -> None:
    counts = load_counts([one_run], AREAS, MONTHS)
    whole, by_area = counts.levels(MEASURE_BY_NAME["homeless_share"], WINDOW)
    assert np.isnan(whole).all()
    assert np.isnan(by_area).all()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("atlantis", "p", "", "2018-01", "recalls", 1), "area .* atlantis"),
        (("durham", "p", "", "2018-01", "recals", 1), "measure .* recals"),
    ],
)
def test_an_unknown_area_or_count_is_refused(tmp_path: Path, row: Row, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_counts([save(tmp_path, 0, row)], AREAS, MONTHS)


def test_an_empty_run_gives_zeros(tmp_path: Path) -> None:
    counts = load_counts([save(tmp_path, 0)], AREAS, MONTHS)
    assert counts.values.sum() == 0
    assert counts.replications == 1


def recalls(folder: Path, number: int, value: int) -> Path:
    return save(folder, number, ("durham", "p", "", "2018-02", "recalls", value))


def test_differences_worked_by_hand(tmp_path: Path) -> None:
    # February has 28 days; recalls are scaled to a year over the 59 days of February and March.
    scale = 365.25 / 59
    before = [recalls(tmp_path, number, value) for number, value in enumerate((100, 110, 130))]
    after = [recalls(tmp_path, 10 + number, value) for number, value in enumerate((90, 104, 122))]
    impact = dt.date(2018, 1, 17)
    baseline = Arm("old", None, load_counts(before, AREAS, MONTHS))
    scenario = Arm("new", impact, load_counts(after, AREAS, MONTHS))
    tables = difference_tables(baseline, [scenario])
    rows = tables.differences.filter(pl.col("measure") == "recalls_year").to_dicts()
    assert len(rows) == 1  # twelve and twenty-four months don't fit
    row = rows[0]
    assert (row["scenario"], row["compared_with"], row["impact_date"]) == ("new", "old", "2018-01-17")
    assert (row["window"], row["first_month"], row["last_month"], row["months"]) == (
        "to end",
        "2018-02",
        "2018-03",
        2,
    )
    # Differences -10, -6, -8: mean -8, standard deviation 2, error 2/sqrt(3), t(2) 4.302653.
    error = 2 / np.sqrt(3)
    assert row["difference"] == pytest.approx(-8 * scale)
    assert row["standard_error"] == pytest.approx(error * scale)
    assert row["low"] == pytest.approx((-8 - 4.302653 * error) * scale, rel=1e-6)
    assert row["high"] == pytest.approx((-8 + 4.302653 * error) * scale, rel=1e-6)
    assert row["baseline"] == pytest.approx(340 / 3 * scale)
    assert row["value"] - row["baseline"] == pytest.approx(row["difference"], rel=1e-6)
    assert (row["baseline_median"], row["value_median"]) == pytest.approx((110 * scale, 104 * scale))
    assert row["relative"] == pytest.approx(-100 * 24 / 340)
    assert (row["sign_agreement"], row["replications"]) == (3, 3)
    assert row["variance_ratio"] == pytest.approx((700 / 3 + 772 / 3) / 4)
    assert row["worst_tenth_difference"] is None
    assert (row["areas"], row["areas_better"], row["areas_worse"]) == (2, 1, 0)

    areas = tables.by_area.filter(pl.col("measure") == "recalls_year")
    assert areas["area"].to_list() == list(AREAS)
    assert areas["difference"].to_list() == pytest.approx([0, -8 * scale])
    assert tables.headlines["measure"].to_list()[5] == "recalls_year"
    finding = tables.headlines["finding"].to_list()[5]
    assert finding.startswith("Licence recalls would fall by 49.5 recalls a year (7.06%); 95% interval 18.8 to")


def test_every_measure_has_a_row_for_every_window_and_scenario(tmp_path: Path) -> None:
    counts = load_counts([save(tmp_path, 0)], AREAS, MONTHS)
    arms = [Arm(name, dt.date(2018, 2, 1), counts) for name in ("new", "newer")]
    tables = difference_tables(Arm("old", None, counts), arms)
    assert tables.differences.height == 2 * len(MEASURES)
    assert tables.by_area.height == 2 * len(MEASURES) * len(AREAS)
    assert tables.differences["difference"].is_nan().sum() == 0
    empty = difference_tables(Arm("old", None, counts), [])
    assert empty.differences.schema == pl.Schema(DIFFERENCES_SCHEMA)
    assert empty.headlines.height == empty.by_area.height == 0


def test_what_a_scenario_acts_on_comes_before_the_headlines(tmp_path: Path) -> None:
    counts = load_counts([save(tmp_path, 0), save(tmp_path, 1)], AREAS, MONTHS)
    new = Arm("new", dt.date(2018, 2, 1), counts, ("hdc_population", "recalls_year"))
    tables = difference_tables(Arm("old", None, counts), [new])
    measures = tables.headlines["measure"].to_list()
    assert measures[:2] == ["hdc_population", "recalls_year"]
    # A headline isn't shown twice, and stays one.
    assert sorted(measures) == sorted({"hdc_population", *HEADLINES})
    assert tables.headlines["headline"].to_list() == [False] + [True] * len(HEADLINES)


def test_worst_off_areas_stand_beside_the_country(tmp_path: Path) -> None:
    areas = tuple(f"area_{number:02}" for number in range(20))

    def run(number: int, worst: int) -> Path:
        rows: list[Row] = []
        for position, area in enumerate(areas):
            over = worst if position < 2 else 1
            rows.append((area, "p", "", "2018-02", "officers_in_post", 100))
            rows.append((area, "p", "", "2018-02", "officers_with_tool", 100))
            rows.append((area, "p", "", "2018-02", "officers_over_110", over))
        return save(tmp_path, number, *rows)

    baseline = load_counts([run(0, 20), run(1, 22)], areas, MONTHS)
    scenario = load_counts([run(2, 30), run(3, 32)], areas, MONTHS)
    tables = difference_tables(Arm("old", None, baseline), [Arm("new", dt.date(2018, 2, 1), scenario)])
    row = tables.headlines.filter(pl.col("measure") == "officers_over_110_share").to_dicts()[0]
    assert row["difference"] == pytest.approx(1)
    assert (row["worst_tenth_baseline"], row["worst_tenth_value"]) == (21, 31)
    assert (row["worst_tenth_difference"], row["worst_tenth_low"], row["worst_tenth_high"]) == (10, 10, 10)
    assert (row["areas_worse"], row["areas_better"]) == (2, 0)


def published(**changes: object) -> Published:
    base = dict(
        evidence_id="X1",
        title="T",
        counts=("recalls",),
        how="stock",
        when="2018-02",
        value=100.0,
        low=90.0,
        high=95.0,
    )
    return Published(**{"role": "produced", **base, **changes})  # type: ignore[arg-type]


def test_levels_stand_beside_what_was_published(tmp_path: Path) -> None:
    paths = [recalls(tmp_path, number, value) for number, value in enumerate((92, 94, 102))]
    row = level_table(paths, MONTHS, True, [published()]).to_dicts()[0]
    assert (row["simulated"], row["simulated_min"], row["simulated_max"]) == (96, 92, 102)
    assert (row["ratio"], row["within"], row["within_published_range"]) == (0.96, True, False)
    assert level_table(paths, MONTHS, True, [published(value=50.0)])["within"].to_list() == [False]


def test_shares_and_years_of_published_figures(tmp_path: Path) -> None:
    months = tuple(f"2018-{number:02}" for number in range(1, 13))
    rows: list[Row] = [("durham", "nps_north_east", "", month, "recalls", 1) for month in months]
    rows += [("durham", "durham_tees_valley", "", month, "recalls", 3) for month in months]
    path = save(tmp_path, 0, *rows)
    figures = [
        published(how="year", when="2018"),
        published(how="share", of=("recalls",), provider_kind="crc"),
        published(provider_kind="nps"),
        published(how="year", when="2019"),  # not in the study
    ]
    assert level_table([path], months, True, figures)["simulated"].to_list() == [48, 0.75, 1]
    assert side_total(path, ["recalls"], months[:1], "crc") == 3


def test_national_figures_are_not_held_beside_a_few_areas(tmp_path: Path) -> None:
    assert level_table([recalls(tmp_path, 0, 1)], MONTHS, False, [published()]).height == 0


def test_distributions_are_shares_with_their_range(tmp_path: Path) -> None:
    def run(number: int, low: int, high: int) -> Path:
        return save(
            tmp_path,
            number,
            (WHOLE, "nps", "000", "2018-01", "officers_by_cases", 1000),  # before the window
            (WHOLE, "nps", "000", "2018-02", "officers_by_cases", low),
            (WHOLE, "crc", "008", "2018-03", "officers_by_cases", high),
        )

    paths = {"old": [run(0, 10, 30), run(1, 30, 30)], "new": [run(2, 0, 40), save(tmp_path, 3)]}
    frame = distribution_table(paths, WINDOW)
    old = frame.filter(pl.col("scenario") == "old").to_dicts()
    assert [(row["band"], row["band_width"], row["months"]) for row in old] == [(0, 5, 2), (40, 5, 2)]
    assert [(row["share"], row["share_min"], row["share_max"]) for row in old] == [
        (0.375, 0.25, 0.5),
        (0.625, 0.5, 0.75),
    ]
    assert old[1]["count_per_month"] == 15
    # A run in which nobody was counted has no shares.
    assert frame.filter(pl.col("scenario") == "new")["share"].to_list() == [None, None]


def test_bands_are_numbered() -> None:
    assert [lower_edge("officers_by_cases", text) for text in ("000", "009", "40")] == [0, 45, 200]
    for text in ("other", "", "-1", "4.5", "5+"):
        with pytest.raises(ValueError, match="not the number of a band"):
            lower_edge("officers_by_cases", text)


def test_a_month_split_by_the_impact_date_is_left_out() -> None:
    assert windows_after(dt.date(2018, 1, 17), MONTHS)[-1].months == MONTHS[1:]
