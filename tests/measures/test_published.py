"""Published measures: every one has its counts, and each kind of figure comes out as worked by hand."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from simulation.measures.published import BY_NAME, MEASURES, NOT_PRODUCED, Record, Target, read_targets, values
from simulation.measures.registry import COUNT_BY_NAME, HISTOGRAMS
from simulation.scenario import load_geography

EVIDENCE = Path(__file__).resolve().parents[2] / "scenarios" / "data" / "evidence"
TARGETS = EVIDENCE / "calibration_targets.csv"

#: Measures that are published for later years, and so have no row among the targets.
LATER = [
    "hdc_curfew_recalls",
    "releases_from_sentence",
    "released_homeless",
    "released_homeless_nps_managed",
    "short_sentence_leavers_recalled",
    "short_sentence_share_of_recalls",
    "nps_cases_total",
    "crc_share_of_cases",
    "nps_caseload_annual_change",
    "crc_caseload_annual_change",
    "nps_po_fte",
    "nps_pso_fte",
    "nps_po_vacancies",
    "nps_staff_over_40_cases",
    "nps_staff_over_100pct_capacity",
    "nps_staff_over_120pct_capacity",
    "crc_staff_over_40_cases",
    "crc_staff_over_50_cases",
    "crc_staff_over_60_cases",
    "crc_staff_transferred",
    "court_orders_successful_share",
    "community_orders_ended_for_noncompliance",
]


def named() -> set[str]:
    with TARGETS.open(encoding="utf-8", newline="") as file:
        return {row["measure"] for row in csv.DictReader(file)}


@pytest.mark.parametrize("name", sorted(named() | set(LATER)))
def test_every_published_measure_is_produced_or_named_with_the_reason(name: str) -> None:
    assert name in BY_NAME or NOT_PRODUCED.get(name), name
    assert not (name in BY_NAME and name in NOT_PRODUCED)


def test_every_published_measure_is_defined() -> None:
    """The publisher's definition of each stands in the evidence."""
    text = (EVIDENCE / "measure_definitions.md").read_text("utf-8")
    assert [name for name in {*BY_NAME, *NOT_PRODUCED} if f"`{name}`" not in text] == []


def test_every_count_exists() -> None:
    areas, crcs = load_geography().areas, load_geography().crc
    for measure in MEASURES:
        names = () if measure.how == "error" else (*measure.counts, *measure.of)
        assert set(names) <= set(COUNT_BY_NAME), measure.name
        assert (measure.how == "cohort") == any(name in HISTOGRAMS for name in names), measure.name
        assert measure.area in ("", *areas) and measure.without in ("", *crcs)


def test_counts_are_of_the_right_kind() -> None:
    """A stock is read on a day, a flow added up over months."""
    for measure in MEASURES:
        if measure.how == "error":
            continue
        stock = measure.how in ("stock", "stock_share", "annual_change", "change_since_first_quarter")
        kinds = {COUNT_BY_NAME[name].kind for name in measure.counts}
        assert kinds == ({"stock"} if stock else {"histogram"} if measure.how == "cohort" else {"flow"}), measure.name


# --- Worked by hand -----------------------------------------------------------------------------------


def record(*rows: tuple[str, str, str, str, str, int], part: float = 1.0) -> Record:
    """Rows of (area, provider, group, month, measure, value)."""
    names = ("area", "provider", "group", "month", "measure", "value")
    return Record({name: [row[number] for row in rows] for number, name in enumerate(names)}, part)


def monthly(measure: str, numbers: dict[str, int], provider: str = "nps_wales", area: str = "gwent") -> list[Any]:
    return [(area, provider, "all", month, measure, number) for month, number in numbers.items()]


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def test_a_stock_lies_on_the_line_between_month_ends() -> None:
    found = record(*monthly("on_hdc", {"2017-05": 100, "2017-06": 130}))
    assert found.value("hdc_caseload", day("2017-06-30"), day("2017-06-30")) == 130
    assert found.value("hdc_caseload", day("2017-06-10"), day("2017-06-10")) == pytest.approx(110)
    assert found.value("hdc_caseload", day("2017-05-31"), day("2017-05-31")) == 100
    assert found.value("hdc_caseload", day("2017-07-31"), day("2017-07-31")) is None


def test_a_flow_is_added_up_over_whole_months_of_the_period() -> None:
    found = record(*monthly("recalls", {"2017-01": 1, "2017-02": 2, "2017-03": 4, "2017-04": 8}))
    assert found.value("licence_recalls", day("2017-01-01"), day("2017-03-31")) == 7
    assert found.value("licence_recalls", day("2016-10-01"), day("2017-03-31")) is None


def test_levels_of_some_areas_are_scaled_to_the_country_and_shares_are_not() -> None:
    rows = [*monthly("recalls", {"2017-01": 10}), *monthly("recalls_short_sentence", {"2017-01": 4})]
    found = record(*rows, part=0.1)
    period = (day("2017-01-01"), day("2017-01-31"))
    assert found.value("licence_recalls", *period) == 100
    assert found.value("short_sentence_share_of_recalls", *period) == 0.4


def test_a_side_of_the_whole() -> None:
    rows = [*monthly("caseload_total", {"2017-06": 40}), *monthly("caseload_total", {"2017-06": 60}, "wales_crc")]
    found = record(*rows)
    end = day("2017-06-30")
    assert found.value("crc_share_of_cases", end, end) == 0.6
    assert found.value("nps_cases_total", end, end) == 40
    assert found.value("probation_caseload_total", end, end) == 100


def test_changes_over_a_year_and_since_the_first_quarter() -> None:
    numbers = {f"{2015 + n // 12}-{n % 12 + 1:02d}": 100 + n for n in range(36)}
    found = record(*monthly("caseload_total", numbers, "wales_crc"))
    # End of March 2017 over end of March 2016.
    change = found.value("crc_caseload_annual_change", day("2016-04-01"), day("2017-03-31"))
    assert change == pytest.approx(126 / 114 - 1)
    # End of June 2017 over end of June 2015.
    change = found.value("crc_people_supervised_change", day("2015-04-01"), day("2017-06-30"))
    assert change == pytest.approx(129 / 105 - 1)


def test_a_service_level_is_a_percentage_of_one_side() -> None:
    count = "first_appointments_community"
    rows = []
    for provider, done, in_time in (("wales_crc", 80, 72), ("nps_wales", 10, 1)):
        rows += monthly(count, {"2017-07": done}, provider)
        rows += monthly(f"{count}_in_time", {"2017-07": in_time}, provider)
    period = (day("2017-07-01"), day("2017-07-31"))
    assert record(*rows).value("crc_SL001R_first_appointment_community", *period) == 90
    assert record(*rows).value("nps_SL003R_first_appointment_community", *period) == 10


def test_london_is_left_out_of_accommodation() -> None:
    rows = []
    for provider, releases, settled in (("wales_crc", 10, 6), ("london_crc", 100, 10)):
        rows += monthly("releases", {"2017-12": releases}, provider)
        rows += monthly("released_settled", {"2017-12": settled}, provider)
    value = record(*rows).value("settled_accommodation_on_release", day("2017-12-01"), day("2017-12-31"))
    assert value == 0.6


def test_a_cohort_is_followed_for_a_year_wherever_its_reoffences_are_counted() -> None:
    months = [f"{2016 + n // 12}-{n % 12 + 1:02d}" for n in range(15)]
    rows: list[Any] = monthly("cohort_starts", dict.fromkeys(months, 100), "wales_crc")
    # Three in the month of the start, two in the month after, one twelve months later; other bands belong to others.
    for month, band, number in (("2016-02", 0, 3), ("2016-03", 1, 2), ("2017-02", 12, 1), ("2016-03", 0, 50)):
        rows.append(("england_and_wales", "crc", f"{band:03d}", month, "cohort_reoffences", number))
    rows.append(("england_and_wales", "nps", "000", "2016-02", "cohort_reoffences", 70))
    found = record(*rows)
    assert found.value("crc_reoffending_binary", day("2016-02-01"), day("2016-02-29")) == 0.06
    assert found.value("crc_reoffending_binary", day("2016-12-01"), day("2016-12-31")) is None, "not yet followed up"


def test_staff_in_post_are_equivalents_of_officers_and_the_others_carried() -> None:
    rows = [
        *monthly("po_equivalents", {"2017-06": 250}, provider="nps_london"),
        *monthly("pso_equivalents", {"2017-06": 160}, provider="nps_london"),
        *monthly("other_staff", {"2017-06": 7}, provider="nps_london"),
        *monthly("officers_in_post", {"2017-06": 9}, provider="nps_london"),
    ]
    found = record(*rows)
    expected = {"nps_po_fte": 2.5, "nps_pso_fte": 1.6, "nps_staff_in_post": 11.1}
    end = day("2017-06-30")
    assert {name: found.value(name, end, end) for name in expected} == pytest.approx(expected)


def test_people_transferred_are_officers_and_the_others_carried() -> None:
    rows = [
        *monthly("officers_transferred", {"2021-06": 30}),
        *monthly("other_staff", {"2021-05": 45, "2021-06": 0}, "wales_crc"),
        *monthly("other_staff", {"2021-05": 99}),
    ]
    assert record(*rows).value("crc_staff_transferred", day("2021-06-26"), day("2021-06-26")) == 75


def test_the_error_of_a_series() -> None:
    targets = [
        Target(str(n), "recall_population", day(end), day(end), value, 0, 0)
        for n, (end, value) in enumerate((("2017-01-31", 97.0), ("2017-02-28", 116.0)))
    ]
    targets.append(Target("e", "recall_population_monthly_rmse", day("2017-01-01"), day("2017-02-28"), 0, 0, 0))
    rows = monthly("prison_recalled", {"2017-01": 100, "2017-02": 112})
    names = ("area", "provider", "group", "month", "measure", "value")
    columns = {name: [row[number] for row in rows] for number, name in enumerate(names)}
    found = values(Record(columns), targets)
    assert found["recall_population_monthly_rmse", day("2017-01-01"), day("2017-02-28")] == pytest.approx(12.5**0.5)


def test_targets_are_read_and_bad_ones_named(tmp_path: Path) -> None:
    targets = read_targets(TARGETS)
    assert len(targets) > 100 and all(target.low <= target.value <= target.high for target in targets)
    path = tmp_path / "bad.csv"
    path.write_text("id,measure,period_start,period_end,value,accept_low,accept_high\nA,b,2017-01-01,2017-13-01,1,1,1\n")
    with pytest.raises(ValueError, match=r"bad.csv, line 2"):
        read_targets(path)
