"""Work besides contacts: reports in the tool, safeguarding checks, points by date, reviews, travel, hours for cases."""

from __future__ import annotations

import datetime
from collections import Counter
from typing import Any

import numpy as np
import pytest

from simulation.system import Model, RunOutput
from simulation.system.codes import Mode, Setting, Tier
from simulation.system.levers import Levers
from simulation.system.service import Service
from simulation.system.workload import Workload
from tests.system.system_helpers import finished, request, resolved, run, scenario, total, totals

SHORT = {"end": datetime.date(2017, 10, 31)}
#: From before the points of the tool are raised until after it.
ACROSS = {
    "start": datetime.date(2018, 10, 1),
    "count_from": datetime.date(2018, 10, 1),
    "end": datetime.date(2019, 3, 31),
}
NO_ERROR = {f"allocation.rosh_error.{kind}": 0 for kind in ("none", "oral", "short_written", "standard")}


def by_side(output: RunOutput, measure: str) -> Counter[str]:
    """A count over the whole run, by side."""
    found: Counter[str] = Counter()
    rows = output.rows
    for provider, name, value in zip(rows["provider"], rows["measure"], rows["value"].tolist(), strict=True):
        if name == measure:
            found["nps" if provider.startswith("nps") else "crc"] += value
    return found


def workload(overrides: dict[str, Any] | None = None) -> Workload:
    return Workload(Levers(resolved(scenario(), overrides=overrides).on(0)))


# --- What the tool shows ----------------------------------------------------------------------------------


def test_the_tool_shows_the_parole_reports_of_the_month(baseline: RunOutput) -> None:
    shown, written = totals(baseline)["points_of_reports"], totals(baseline)["parole_reports"]
    assert sum(shown.values()) > 0
    for month, points in shown.items():
        # Less those whose writer went before the month was over.
        assert 120 * written[month] - 240 <= points <= 120 * written[month] and points % 120 == 0


def test_reports_are_shown_and_nothing_else_follows(baseline: RunOutput) -> None:
    """The points that officers feel are those of cases."""
    without = run(overrides={f"workload.report_points.{kind}": 0 for kind in ("parole_report", "short_written")})
    assert without.state_digests == baseline.state_digests
    assert without.event_digests == baseline.event_digests
    one, other = totals(baseline), totals(without)
    assert total(without, "points_of_reports") == 0
    for month, points in one["points_held"].items():
        assert points - other["points_held"][month] == one["points_of_reports"].get(month, 0)
    assert total(without, "officers_over_110") <= total(baseline, "officers_over_110")


def test_court_reports_on_duty_are_shown_by_kind() -> None:
    """Every report of the month in the points of those who wrote it; oral ones have none."""
    written = run(overrides={"courts.duty_share": 1, "workload.report_points.parole_report": 0}, **SHORT)
    counts = totals(written)
    for month, points in counts["points_of_reports"].items():
        reports = counts["reports_short"][month] * 65 + counts["reports_standard"][month] * 138
        assert 0.9 * reports <= points <= reports
    only_oral = {"oral": 1, "short_written": 0, "standard": 0}
    oral = {f"courts.report_mix.{kind}": share for kind, share in only_oral.items()}
    none = run(overrides={"courts.duty_share": 1, "workload.report_points.parole_report": 0, **oral}, **SHORT)
    assert total(none, "report_seconds_duty") > 0 == total(none, "points_of_reports")


def test_points_of_the_tool_change_on_a_date() -> None:
    """Fewer points until February 2019; from then on a case has the baseline's."""
    before, after = run(**ACROSS), run(name="tariff_of_2019", **ACROSS)

    def capacity(output: RunOutput, month: str) -> float:
        counts = totals(output)
        return counts["points_held"][month] / counts["points_available"][month]

    assert capacity(after, "2019-01") < 0.95 * capacity(before, "2019-01")
    assert capacity(after, "2019-02") == pytest.approx(capacity(before, "2019-02"), rel=0.01)
    assert capacity(after, "2019-02") > 1.05 * capacity(after, "2019-01")


# --- Safeguarding -----------------------------------------------------------------------------------------


def test_checks_are_work_where_the_tariff_has_none_inside() -> None:
    checked = run(overrides={"workload.minutes.safeguarding_check": 45}, **SHORT)
    checks = by_side(checked, "safeguarding_checks")
    assert checks["crc"] > 10 and checks["nps"] == 0
    assert total(checked, "safeguarding_seconds") == 45 * 60 * checks["crc"]
    assert total(checked, "seconds_demanded") > total(run(**SHORT), "seconds_demanded")


def test_nobody_of_concern_nothing_to_check() -> None:
    concerned = {"workload.minutes.safeguarding_check": 45, "population.safeguarding_share": 0}
    assert total(run(overrides=concerned, **SHORT), "safeguarding_checks") == 0


# --- Where time goes --------------------------------------------------------------------------------------


def test_reports_and_reviews_are_counted() -> None:
    output = run(start=datetime.date(2017, 1, 1), count_from=datetime.date(2017, 1, 1), end=datetime.date(2018, 6, 30))
    assert total(output, "parole_report_seconds") == 414 * 60 * total(output, "parole_reports")
    assert total(output, "recall_report_seconds") % (180 * 60) == 0 < total(output, "recall_report_seconds")
    assert total(output, "breach_pack_seconds") > 180 * 60 * total(output, "breaches_referred") * 0.9
    assert 0 < total(output, "reviews_overdue") < total(output, "reviews_done")


def test_longer_packs_and_reports_more_hours_of_them(baseline: RunOutput) -> None:
    longer = run(overrides={"workload.minutes.breach_pack": 240, "workload.minutes.recall_report": 300})
    for name in ("breach_pack_seconds", "recall_report_seconds"):
        assert total(longer, name) > 1.2 * total(baseline, name)


def test_the_country_costs_what_the_parameter_says() -> None:
    found = workload({"workload.minutes.travel_rural": 37, "workload.minutes.travel_urban": 4})
    own = found.models.index("sodexo")
    seconds = found.contact_seconds[own, Setting.ORDER, Tier.C1, Mode.FACE_TO_FACE]
    assert seconds[1] - seconds[0] == 33 * 60
    travel = found.travel_seconds[own, Tier.C1, Mode.FACE_TO_FACE]
    assert travel.tolist() == [4 * 60, 37 * 60]
    assert not found.travel_seconds[found.models.index("nps_e3"), :, Mode.FACE_TO_FACE].any(), "inside the tariff"


def test_travel_is_that_of_people_in_the_country() -> None:
    """Where nobody is visited at home and everybody is sent to the office, only those in the country cost travel."""
    model = request().resolved.parameters.find("contact.home_visit_share")
    assert model is not None
    nobody = {f"contact.home_visit_share.{'.'.join(leaf)}": 0 for leaf in model[0].labels_below(())}
    output = run(overrides=nobody, **SHORT)
    assert total(output, "seconds_travel_urban") == 0 < total(output, "seconds_travel_rural")
    assert total(output, "seconds_travel_rural") < total(output, "seconds_contact_administration")
    near = run(overrides={**nobody, "workload.minutes.travel_rural": 0}, **SHORT)
    assert total(near, "seconds_travel_rural") == 0


def test_less_administration_leaves_less_of_it() -> None:
    less, usual = run(overrides={"workload.minutes.administration_crc": 5}, **SHORT), run(**SHORT)
    for name in ("seconds_contact_administration", "seconds_demanded"):
        assert by_side(less, name)["crc"] < by_side(usual, name)["crc"]
    one, other = workload({"workload.minutes.administration_crc": 5}), workload()
    own = one.models.index("sodexo")
    change = other.contact_seconds[own, Setting.ORDER, Tier.C1] - one.contact_seconds[own, Setting.ORDER, Tier.C1]
    assert change[Mode.FACE_TO_FACE].tolist() == [600, 600] and change[Mode.TELEPHONE].tolist() == [0, 0]


def test_facility_time_comes_off_hours_for_cases() -> None:
    everybody = {"staff.facility_time.share_of_officers": 1, "staff.facility_time.of_hours": 0.5}
    half, usual = run(overrides=everybody, **SHORT), run(**SHORT)
    assert total(half, "hours_facility") == pytest.approx(0.5 * total(half, "hours_contracted"), rel=0.1)
    assert total(half, "hours_for_cases") < 0.6 * total(usual, "hours_for_cases")


def test_without_reductions_beginners_have_all_their_hours() -> None:
    names = ("staff.newly_qualified.capacity_reduction", "staff.pso.training_reduction")
    others = {"staff.leaving_multiplier": 5, "staff.recruitment.delay_multiplier": 0.1}
    reduced, full = run(overrides=others), run(overrides={**others, **dict.fromkeys(names, 0)})
    share = [total(each, "hours_for_cases") / total(each, "hours_contracted") for each in (reduced, full)]
    assert share[0] < share[1]


# --- Courts -----------------------------------------------------------------------------------------------


def test_who_waits_for_a_late_report_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told: Counter[str] = Counter()
    tell = Service.tell

    def record(self: Service, kind: str, rows: Any, detail: Any = 0, keys: Any = None) -> None:
        told[kind] += np.asarray(rows).size
        tell(self, kind, rows, detail, keys)

    monkeypatch.setattr(Service, "tell", record)
    short = run(overrides={"courts.team_staffing": 0.7}, **SHORT)
    assert told["case adjourned"] == total(short, "reports_late") > 10
    assert told["plan reviewed"] == total(short, "reviews_done")


def test_who_is_assessed_without_error_is_hardly_ever_misallocated(baseline: RunOutput) -> None:
    """What is left is inflation: medium harm that is called high."""
    right = run(overrides=NO_ERROR)
    assert total(right, "misallocated") < 0.35 * total(baseline, "misallocated")
    without = run(overrides={**NO_ERROR, "allocation.inflation": 0})
    assert total(without, "misallocated") == 0


def test_what_is_misjudged_follows_the_report() -> None:
    """Where every case has a standard report and these err, days are too many for some and too few for others."""
    everybody = {
        "courts.report_coverage": 3,
        "courts.team_staffing": 10,
        **{f"courts.report_mix.{kind}": int(kind == "standard") for kind in ("oral", "short_written", "standard")},
    }
    name = "requirements.activity.misjudged_by_report."
    right = run(overrides={**everybody, f"{name}oral": 1, f"{name}short_written": 1}, **SHORT)
    wrong = run(overrides={**everybody, f"{name}standard": 0.5}, **SHORT)
    many, few, ordered = ("activity_days_too_many", "activity_days_too_few", "activity_days_ordered")
    # A few were before the court when the run began, on other reports or none.
    assert total(right, many) + total(right, few) < 0.1 * total(right, ordered)
    assert total(wrong, many) > 0.08 * total(wrong, ordered) < total(wrong, few) * 1.5
    assert total(wrong, ordered) == pytest.approx(total(right, ordered), rel=0.1)
    assert total(run(**SHORT), many) == total(run(**SHORT), few) == 0


def test_points_of_reports_are_the_holders_own() -> None:
    model: Model = finished(**SHORT)
    posts = model.service.posts
    assert not posts.report_points[: posts.size].any(), "a new month has begun"
