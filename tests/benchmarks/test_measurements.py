"""What the benchmarks run is the size that they say, and their tables say what was measured. Nothing here is timed."""

from __future__ import annotations

import importlib
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks import forms, limits, measuring, national, one_run, run, sizes, start_up, toy, workers
from simulation.scenario import Parameters, load_geography, load_parameters, load_scenario, resolve

UNTIL = "2017-01-31"


@pytest.fixture(scope="module")
def parameters() -> Parameters:
    return load_parameters()


def test_four_times_the_size() -> None:
    """People, officers and contacts of an area grow with the factor: what is scaled belongs together."""
    areas = {factor: one_run.run(one_run.Wanted("gwent", UNTIL, factor=factor, warm=False)) for factor in (1, 4)}
    for what in ("people", "officers", "contacts"):
        assert areas[4][what] / areas[1][what] == pytest.approx(4, rel=0.05), what
    assert all(found["years"] == pytest.approx(215 / 365.25) for found in areas.values())


def test_scaling_changes_totals_of_the_country_and_nothing_else(parameters: Parameters) -> None:
    half = sizes.scaled(parameters, 0.5)
    assert {name for name in parameters if parameters[name] != half[name]} == {
        name for name in sizes.NATIONAL_TOTALS if any(_numbers(parameters[name]))
    }
    series, scaled = (each["courts.community_sentences_imposed"].points[()] for each in (parameters, half))
    assert [value for _, value in scaled] == [value / 2 for _, value in series]
    assert half["staff.other_staff"].leaves[("nps",)] == parameters["staff.other_staff"].leaves[("nps",)] / 2
    assert sizes.scaled(parameters, 1) is parameters


def _numbers(parameter) -> list[float]:
    dated = [value for points in parameter.points.values() for _, value in points]
    return [value for value in (*parameter.leaves.values(), *dated) if not isinstance(value, bool) and value]


def test_units_of_what_is_left_alone_are_not_of_a_whole_country(parameters: Parameters) -> None:
    """A new parameter in people, officers or places a year must be looked at: is it a total of the country?"""
    of_a_country = {
        "people a year", "people per year", "people a month", "places a year", "places a week", "reports a year",
        "hearings a year", "hours a year", "GBP million per year", "sessions a week", "weighted units per year",
    }  # fmt: skip
    of_a_body = {"organisation.body_cost"}
    found = {name for name in parameters if parameters[name].unit in of_a_country} - of_a_body
    assert found - set(sizes.NATIONAL_TOTALS) == set()


def test_parts_are_near_the_share_asked_for() -> None:
    geography = load_geography()
    for share in (0.01, 1 / 42, 0.1):
        name = sizes.part_nearest(geography, share)
        assert sizes.share_of(geography, name) == pytest.approx(share, rel=0.1)
    assert sizes.share_of(geography, "all") == pytest.approx(1)


def test_every_mechanism_switches_on_every_assumed_effect(parameters: Parameters) -> None:
    scenario = load_scenario(one_run.HERE / f"{one_run.EVERY_MECHANISM}.yaml", parameters)
    resolved = resolve(scenario, parameters)
    changed = {name for name, _ in resolved.changed()}
    effects = {name for name in parameters if name.startswith("effects.") and parameters[name].unit == "yes or no"}
    assert effects and effects <= changed
    assert all(resolved.on(0).flag(name) for name in effects)


def in_this_process(module: str, *arguments: object) -> measuring.Measured:
    """Measure for real, but without the seconds that starting each process takes."""
    if module == "one_run":
        return one_run.run(replace(one_run.Wanted(**json.loads(str(arguments[0]))), warm=False))
    if module == "a_study":
        return {"seconds": 60.0 / int(str(arguments[0])), "runs": 12, "megabytes": 500.0, "outcome": "same"}
    people, warm_up, days = map(int, map(str, arguments))
    made = list(importlib.import_module(f"benchmarks.{module}").run(toy.make(people), [warm_up, warm_up + days]))
    return {"contacts": made[1] - made[0], "seconds": 0.5, "megabytes": 100.0}


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> run.Plan:
    pytest.importorskip("numba")
    for module in (forms, national, workers):
        monkeypatch.setattr(module, "measure", in_this_process)
    short = replace(run.quick_plan(), people=450, country="gwent", until=UNTIL, parts=())
    return replace(short, area="gwent", a_year_until=UNTIL, five_years_until=UNTIL)


def test_quick_form_on_tiny_sizes(tiny: run.Plan) -> None:
    text = run.made(tiny)
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert headings == [
        "# How fast it runs", "## Limits", "## The model", "## Start", "## Two workers against one",
        "## The toy caseload",
    ]  # fmt: skip
    assert "A quick run of smaller sizes" in text
    assert "| met |" not in text and "not met" not in text
    model = [_cells(line) for line in text.splitlines() if "times 0.5" in line or "times 2" in line]
    assert len(model) == 4
    half, twice = model[:2]
    assert _number(twice[1]) / _number(half[1]) == pytest.approx(4, rel=0.05)
    assert all(_number(cell) > 0 for row in model for cell in row[1:9])
    assert "| 12 | 60.0 | 30.0 | 2.00 | 500 |" in text
    for form in forms.FORMS:
        assert f"| {form.title} |" in text


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def _number(cell: str) -> float:
    return float(cell.split()[0].replace(",", ""))


def results_that_meet(all_limits: bool) -> measuring.Results:
    """Return results that meet every limit exactly, or miss every one by a little; three turns, the last far off."""
    off = 1.0 if all_limits else 1.01
    more = {"years": 5.0, "megabytes": 1200 * off, "running": 20.0 * off, "running_work": 20.0 * off}
    results = {national.key(scenario, 1): [more] * 3 for scenario in ("baseline", one_run.EVERY_MECHANISM)}
    for scenario in ("baseline", one_run.EVERY_MECHANISM):
        results[national.key(scenario, 0.5)] = [{"people": 100.0, "running_work": 1.0}] * 3
        results[national.key(scenario, 2)] = [{"people": 400.0, "running_work": 4 ** (1.05 * off) - 1e-9}] * 3
    for form, rate in (("naive_simpy", 1.0), ("engine", 150 / off), ("compiled", 600.0)):
        results[form] = [{"contacts": rate, "seconds": 1.0}] * 3
    for name, seconds in ((start_up.ONE_YEAR, 0.6), (start_up.FIVE_YEARS, 3.0)):
        steps = {"set_up": 0.0, "running": seconds * off, "gathering": 0.0}
        results[name] = [steps | {f"again_{step}": value for step, value in steps.items()}] * 3
    results[start_up.HELP] = [{"whole": 0.4 * off}] * 2 + [{"whole": 9.0}]
    results[f"{limits.DEFAULT_STUDY}, 2 workers"] = [{"seconds": 180 * off}] * 2 + [{"seconds": 900.0}]
    return results


@pytest.mark.parametrize("met", [True, False])
def test_verdicts_are_worked_out_from_medians(met: bool) -> None:
    rows = [_cells(line) for line in limits.limits_table(results_that_meet(met), True).splitlines()[2:]]
    assert len(rows) == len(limits.LIMITS)
    verdict = "met" if met else "**not met**"
    assert [(row[0], row[3]) for row in rows] == [(limit.what, verdict) for limit in limits.LIMITS]
    assert len({limit.what for limit in limits.LIMITS}) == len(limits.LIMITS)


def test_what_was_not_measured_is_said_to_be_so() -> None:
    results = results_that_meet(True)
    del results[f"{limits.DEFAULT_STUDY}, 2 workers"], results["compiled"]
    rows = [_cells(line) for line in limits.limits_table(results, True).splitlines()[2:]]
    assert [row[0] for row in rows if row[2] == "not measured"] == [
        "toy: time of this engine over the compiled loop's", "default study on two cores, report included",
    ]  # fmt: skip


def test_runs_that_differ_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes = iter("aab")
    measured = {"years": 1.0, "running": 1.0, "events": 1}
    monkeypatch.setattr(national, "measure", lambda *_: measured | {"outcome": next(outcomes)})
    with pytest.raises(SystemExit, match="differ"):
        national.measure_sizes({"one": national.Size("one", one_run.Wanted("gwent"))}, 2)


def test_the_default_study_is_measured_with_two_workers_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "measure", in_this_process)
    titles = ["small", limits.DEFAULT_STUDY]
    results = workers.measure_studies({title: [] for title in titles}, 3, {limits.DEFAULT_STUDY})
    assert sorted(results) == ["default study, 2 workers", "small, 1 worker", "small, 2 workers"]
    small, default = (_cells(line) for line in workers.studies_table(results, titles).splitlines()[2:])
    assert small[2:5] == ["60.0 (60.0-60.0)", "30.0 (30.0-30.0)", "2.00 (2.00-2.00)"]
    assert default[2:5] == ["not measured", "30.0 (30.0-30.0)", ""]
    results["default study, 2 workers"][2] = results["default study, 2 workers"][2] | {"outcome": "another"}
    with pytest.raises(SystemExit, match="default study: results depend"):
        workers.studies_table(results, titles)


def test_a_process_of_its_own_tells_what_it_measured() -> None:
    found = measuring.measure("one_run", json.dumps({"areas": "gwent", "until": UNTIL, "warm": False, "count": True}))
    assert found["events"] > found["contacts"] > 0
    assert found["megabytes"] > 50
    assert measuring.spread([3.0, 1.0, 2.0]) == "2.00 (1.00-3.00)"
    with pytest.raises(SystemExit, match="one_run"):
        measuring.measure("one_run", '{"areas": "nowhere"}')


def test_a_study_is_run_with_its_report() -> None:
    options = ("baseline", "hdc_expansion", "--areas", "gwent", "--replications", "1", "--until", UNTIL)
    found = measuring.measure("a_study", 1, *options)
    assert found["seconds"] > 0 and found["runs"] >= 1 and found["outcome"]
