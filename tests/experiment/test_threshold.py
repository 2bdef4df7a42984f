"""The search for a threshold: levers, runs, tables and the command, on a model whose answer is known."""

from __future__ import annotations

import dataclasses
import datetime as dt
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from simulation.commands import threshold as command
from simulation.commands.app import main
from simulation.experiment import Study, StudyError, verify_folder
from simulation.experiment.levers import at_values, make_lever
from simulation.experiment.manifest import read_manifest
from simulation.experiment.threshold import ThresholdSearch, _Search
from simulation.experiment.threshold_tables import CONTOUR_SCHEMA, CROSSINGS_SCHEMA, CURVE_SCHEMA, SHAPE_SCHEMA
from simulation.scenario import (
    Assignment,
    Change,
    Parameters,
    Resolved,
    load_geography,
    load_parameters,
    load_scenario,
    resolve,
)

ROOT = Path(__file__).resolve().parents[2]
MakeScenario = Callable[..., Resolved]
Search = Callable[..., ThresholdSearch]

#: A lever of 1 adds one recall a month in each of two areas, from April to December 2017.
RECALLS_FOR_ONE = 2 * 9 * 365.25 / 275


@pytest.fixture
def search(make_scenario: MakeScenario, tmp_path: Path) -> Search:
    """Build a search in the fake model, where all differences are exact."""

    def make(**settings: Any) -> ThresholdSearch:
        base = make_scenario("base")
        given: dict[str, Any] = {
            "lever": "dose",
            "measure": "recalls_year",
            "scenario": make_scenario("more", 100),
            "baseline": base,
            "replications": 3,
            "workers": 1,
            "seed": 1,
            "runner": "experiment_fake_model",
            "out": tmp_path / "found",
            "points": 3,
            **settings,
        }
        return ThresholdSearch(given.pop("lever"), given.pop("measure"), **given)

    return make


def curve_of(folder: Path) -> pl.DataFrame:
    return pl.read_csv(folder / "threshold.csv", schema=CURVE_SCHEMA)


def crossings_of(folder: Path) -> pl.DataFrame:
    return pl.read_csv(folder / "crossings.csv", schema=CROSSINGS_SCHEMA)


def tables_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.csv"))}


def test_a_known_root_is_found(search: Search, make_scenario: MakeScenario) -> None:
    result = search(scenario=make_scenario("more", 70), difference=30 * RECALLS_FOR_ONE, points=8).run(quiet=True)
    row = crossings_of(result.folder).row(0, named=True)
    # Every pair differs by the same, so the interval is a point.
    assert (row["lever"], row["low"], row["high"]) == pytest.approx((3 / 7, 3 / 7, 3 / 7), abs=1e-6)
    assert row["rising"] and "dose is 0.429 (95% interval 0.429 to 0.429)" in result.finding
    curve = curve_of(result.folder)
    assert curve["difference"].to_list() == pytest.approx([10 * n * RECALLS_FOR_ONE for n in range(8)])
    assert (curve["value"] - curve["baseline"]).to_list() == pytest.approx(curve["difference"].to_list())
    assert curve.filter("on_grid").height == 8
    assert verify_folder(result.folder) == []


def test_a_level_is_crossed_where_luck_allows(search: Search) -> None:
    result = search(crosses=37000).run(quiet=True)
    curve, row = curve_of(result.folder), crossings_of(result.folder).row(0, named=True)
    assert curve["value"][0] < 37000 < curve["value"][-1]
    assert row["low"] < row["lever"] < row["high"]
    # The interval is where the band of the curve holds the value.
    for each in curve.iter_rows(named=True):
        inside = each["value_low"] <= 37000 <= each["value_high"]
        assert inside == (row["low"] <= each["lever"] <= row["high"])


def test_the_same_bytes_from_any_number_of_workers(search: Search, tmp_path: Path) -> None:
    first = search(crosses=37000, out=tmp_path / "one" / "same").run(quiet=True)
    other = search(crosses=37000, out=tmp_path / "two" / "same", workers=2).run(quiet=True)
    assert tables_of(first.folder) == tables_of(other.folder)
    assert read_manifest(first.folder)["fingerprint"] == read_manifest(other.folder)["fingerprint"]
    assert read_manifest(first.folder)["command"] == read_manifest(other.folder)["command"]


def test_a_search_goes_on_where_it_stopped(search: Search) -> None:
    folder = search(crosses=37000).run(quiet=True).folder
    before, files = tables_of(folder), sorted(folder.glob("runs/*"))
    stamps = {path: path.stat().st_mtime_ns for path in files}
    lost = files[3]
    lost.unlink()
    (folder / "threshold.csv").unlink()
    search(crosses=37000).run(quiet=True)
    assert tables_of(folder) == before and sorted(folder.glob("runs/*")) == files
    assert {path for path in files if path.stat().st_mtime_ns != stamps[path]} == {lost}


def test_a_search_can_grow_but_replaces_no_other_study(search: Search, make_scenario: MakeScenario) -> None:
    folder = search(points=3).run(quiet=True).folder
    runs = set(folder.glob("runs/*"))
    assert (read_manifest(folder)["threshold"]["finding"], crossings_of(folder).height) == ("", 0)
    search(points=5, difference=200).run(quiet=True)
    assert runs < set(folder.glob("runs/*")) and verify_folder(folder) == []
    with pytest.raises(StudyError, match="seed 1, now 2"):
        search(seed=2).run(quiet=True)
    shutil.rmtree(folder)
    both = (make_scenario("base"), make_scenario("more", 100))
    study = {"replications": 3, "workers": 1, "seed": 1, "runner": "experiment_fake_model", "out": folder}
    Study(both, **study).run(quiet=True)  # type: ignore[arg-type]
    with pytest.raises(StudyError, match="scenario more, now left out"):
        search().run(quiet=True)
    search(replace=True).run(quiet=True)


def test_a_search_of_another_lever_is_not_written_over(search: Search, fake_parameters: Parameters) -> None:
    folder = search(lever="fake.shift", low=0, high=50).run(quiet=True).folder
    before = tables_of(folder)
    with pytest.raises(StudyError, match=r"the lever fake\.shift, now dose"):
        search().run(quiet=True)
    assert tables_of(folder) == before and verify_folder(folder) == []


def test_a_search_that_is_stopped_leaves_no_table_of_another(search: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = search().run(quiet=True).folder
    monkeypatch.setattr("simulation.experiment.threshold._Search._write_curve", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        search(points=4).run(quiet=True)
    assert not (folder / "threshold.csv").exists() and verify_folder(folder) == []


def test_two_scenarios_of_one_name_are_refused(search: Search, make_scenario: MakeScenario) -> None:
    with pytest.raises(StudyError, match="Two scenarios are called base"):
        search(lever="fake.shift", low=0, high=50, scenario=make_scenario("base", 100)).run(quiet=True)


def test_the_command_in_the_manifest_names_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    mine = tmp_path / "mine" / "other.yaml"
    mine.parent.mkdir()
    mine.write_text((ROOT / "scenarios" / "hdc_expansion.yaml").read_text().replace("hdc_expansion", "other"))
    asked = ThresholdSearch("custody.hdc.take_up", "recalls_year", scenario=str(mine), out="found")
    searching = _Search(asked, None, True)
    searching.manifest = {"command": "python run.py compare a --replications 5 --seed 1 --out results/found"}
    assert str(tmp_path) not in searching._command() and " other.yaml " in searching._command()


def test_a_dose_of_what_is_changed_twice_is_refused(
    search: Search, make_scenario: MakeScenario, fake_parameters: Parameters
) -> None:
    """A second change would act on a part of the first: halves of two doublings aren't half of a fourfold."""
    more = make_scenario("more", 100)
    (change,) = more.scenario.changes
    back = dataclasses.replace(change, start=change.start + dt.timedelta(days=60))
    twice = dataclasses.replace(more.scenario, changes=(change, back))
    scenario = resolve(twice, fake_parameters, load_geography(), areas="durham,cumbria")
    with pytest.raises(StudyError, match=r"it changes fake\.shift more than once"):
        search(scenario=scenario).run(quiet=True)


def test_a_value_that_is_never_reached_is_said_with_both_ends(search: Search) -> None:
    level = search(crosses=10).run(quiet=True)
    assert "would not pass 10 recalls a year for dose from 0 to 1: " in level.finding
    curve = curve_of(level.folder)
    for end, value in ((0, curve["value"][0]), (1, curve["value"][-1])):
        assert f"{value:,.0f} recalls a year at {end} (95% interval" in level.finding
    gap = search(difference=-5).run(quiet=True)
    assert "the difference is 0 recalls a year at 0" in gap.finding
    assert f"{100 * RECALLS_FOR_ONE:,.0f} recalls a year at 1" in gap.finding
    assert crossings_of(gap.folder).is_empty()


def test_two_levers_are_a_grid(search: Search, make_scenario: MakeScenario, fake_parameters: Parameters) -> None:
    base = make_scenario("base")
    result = search(
        lever="fake.shift",
        low=0,
        high=40,
        lever2="fake.fails_in",
        low2=7,
        high2=9,
        scenario=base,
        difference=120.0,
        points=3,
        until="2017-06-30",
    ).run(quiet=True)
    grid = pl.read_csv(result.folder / "contour.csv", schema=CONTOUR_SCHEMA)
    assert grid.height == 9 and set(grid["lever2"]) == {7, 8, 9}
    per_one = 2 * 6 * 365.25 / 181
    assert grid["difference"].to_list() == pytest.approx([20 * n * per_one for n in (0, 1, 2)] * 3)
    found = crossings_of(result.folder)
    assert found["lever2"].to_list() == [7, 8, 9]
    assert found["lever"].to_list() == pytest.approx([120 / per_one] * 3)
    assert "at 3 of 3 values of fake.fails_in" in result.finding
    assert not (result.folder / "threshold.csv").exists()


def test_the_knee_is_written(search: Search) -> None:
    folder = search(points=6).run(quiet=True).folder
    row = pl.read_csv(folder / "knee.csv", schema=SHAPE_SCHEMA).row(0, named=True)
    assert row["kind"] == "straight" and row["knee"] is None


def test_one_replication_has_values_and_no_interval(search: Search) -> None:
    result = search(replications=1, difference=1000).run(quiet=True)
    assert crossings_of(result.folder)["low"].to_list() == [None]
    assert "one run only" in result.finding


# Levers


@pytest.fixture(scope="module")
def real() -> Callable[[str], Resolved]:
    parameters, geography = load_parameters(), load_geography()

    def make(name: str, *changes: Change) -> Resolved:
        scenario = load_scenario(name, parameters)
        object.__setattr__(scenario, "changes", (*scenario.changes, *changes))
        return resolve(scenario, parameters, geography)

    return make


@pytest.mark.parametrize("dose", [0.25, 0.5, 1.5])
def test_a_dose_lies_between_the_baseline_and_the_scenario_on_every_day(
    real: Callable[..., Resolved], dose: float
) -> None:
    day = dt.date(2018, 7, 1)
    ramped = Change(
        day,
        (
            Assignment("set", "custody.hdc.excluded_share", 0.2),
            Assignment("multiply", "staff.leaving_multiplier", 1.2),
            Assignment("add", "custody.hdc.opt_out_share", 0.02),
            Assignment("set", "custody.hdc.papers_days", {"p0": 2, "p50": 7}),
        ),
        end=dt.date(2019, 7, 1),
        ramp_days=100,
        areas=("gwent",),
    )
    baseline, scenario = real("baseline"), real("baseline", ramped)
    object.__setattr__(scenario, "name", "part")
    lever = make_lever("dose", None, None, baseline, scenario)
    part = resolve(at_values(baseline, scenario, [(lever, dose)]), baseline.parameters, load_geography())
    assert set(part.changed()) == set(scenario.changed())
    for key in scenario.changed():
        for moment in (day + dt.timedelta(days) for days in (-1, 0, 30, 200, 500)):
            grids = [each.value_grid(key, each.day_number(moment)) for each in (baseline, scenario, part)]
            wanted = grids[0] + dose * (grids[1] - grids[0])
            np.testing.assert_allclose(grids[2], wanted, rtol=1e-12, err_msg=f"{key} on {moment}")


def test_no_dose_is_the_baseline_and_a_whole_one_the_scenario(real: Callable[..., Resolved]) -> None:
    baseline, scenario = real("baseline"), real("hdc_expansion")
    lever = make_lever("dose", None, None, baseline, scenario)
    none, whole = (
        resolve(at_values(baseline, scenario, [(lever, dose)]), baseline.parameters, load_geography())
        for dose in (0.0, 1.0)
    )
    assert (none.digest(), whole.digest()) == (baseline.digest(), scenario.digest())


def test_a_lever_that_the_scenario_sets_is_set_there(real: Callable[..., Resolved]) -> None:
    baseline, scenario = real("baseline"), real("hdc_expansion")
    lever = make_lever("custody.hdc.take_up", None, None, baseline, scenario)
    assert (lever.low, lever.high, lever.start) == (0.3, 0.55, dt.date(2018, 7, 1))
    at = resolve(at_values(baseline, scenario, [(lever, 0.8)]), baseline.parameters, load_geography())
    assert at.digest() == scenario.digest()
    other = make_lever("staff.leaving_multiplier", None, None, baseline, scenario)
    beside = resolve(at_values(baseline, scenario, [(other, 2.0)]), baseline.parameters, load_geography())
    for name, value in (("custody.hdc.take_up", 0.8), ("staff.leaving_multiplier", 2.0)):
        assert beside.on(beside.day_number(dt.date(2018, 7, 1))).number(name) == value
        assert beside.on(0).number(name) != value


def test_a_lever_of_the_baseline_moves_when_counting_starts(real: Callable[..., Resolved]) -> None:
    baseline = real("baseline")
    lever = make_lever("staff.sickness_days", None, None, baseline, baseline)
    assert (lever.start, lever.whole) == (dt.date(2017, 1, 1), True)
    assert lever.grid(4) == [9, 11, 12, 14] and len(lever.grid(50)) == 6


# What can't be asked


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--lever", "custody.hdc.takeup"], "did you mean 'custody.hdc.take_up'"),
        (["--lever", "custody.hdc.papers_days"], "is a table: name one of its entries, custody.hdc.papers_days.p0"),
        (["--lever", "staff.facility_time.of_minutes"], "No lever is called"),
        (["--lever", "organisation.unified"], "a switch, on or off, not a number"),
        (["--lever", "allocation.rule"], "a word, not a number"),
        (["--lever", "dose"], "A dose needs a scenario"),
        (["reunification", "--lever", "dose"], "can't be taken in part"),
        (["hdc_expansion"], "Name the lever with --lever"),
        (["--lever", "custody.hdc.max_days"], "must rise, not go from 135 to 135"),
        (["--lever", "custody.hdc.take_up", "--from", "0.5", "--to", "1.5"], "--to: 1.5 is outside the allowed 0 to 1"),
        (["--lever", "custody.hdc.take_up", "--from", "0.6", "--to", "0.4"], "must rise"),
        (["--lever", "custody.hdc.take_up", "--measure", "recall_year"], "did you mean 'recalls_year'"),
        (["--lever", "custody.hdc.take_up", "--crosses", "1", "--difference", "1"], "not both"),
        (["--lever", "custody.hdc.take_up", "--difference", "0"], "must not be 0"),
        (["--lever", "custody.hdc.take_up", "--crosses", "nan"], "must be a number"),
        (["--lever", "custody.hdc.take_up", "--points", "1"], "Points must be from 2"),
        (["--lever", "custody.hdc.take_up", "--lever2", "custody.hdc.take_up"], "the same"),
        (["--lever", "custody.hdc.take_up", "--from2", "1"], "give --lever2"),
        (["hdc_expansion", "--lever", "dose", "--lever2", "custody.hdc.opt_out_share"], "no second lever"),
        (["--lever", "custody.hdc.take_up", "--areas", "durhan"], "did you mean 'durham'"),
        (["--lever", "custody.hdc.take_up", "--replications", "0"], "Replications must be"),
        (["--lever", "custody.hdc.take_up", "--until", "tomorrow"], "tomorrow"),
        (["hdc_expansion", "--lever", "custody.hdc.take_up", "--until", "2018-05-31"], "after the last month counted"),
        (["no_such", "--lever", "custody.hdc.take_up"], "no_such"),
    ],
)
def test_what_cannot_be_asked_is_said_and_nothing_is_run(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["threshold", *arguments, "--out", "found"]) == 2
    error = capsys.readouterr().err
    assert message in error and "Nothing was run." in error and "Traceback" not in error
    assert list(tmp_path.iterdir()) == []


def test_no_words_mean_a_question_to_the_default_study(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[ThresholdSearch] = []
    monkeypatch.setattr(command, "run_and_tell", lambda search: seen.append(search) or 0)
    assert main(["threshold"]) == 0
    assert main(["threshold", "hdc_expansion", "--lever", "dose", "--difference", "-50"]) == 0
    first, second = seen
    assert (first.lever, first.measure, first.crosses) == ("staff.leaving_multiplier", "officers_over_110_share", 25)
    assert (first.low, first.high, first.areas, first.out) == (0.5, 4, ["wales"], Path("results/threshold"))
    assert (second.areas, second.until, second.low, second.difference) == (None, None, None, -50)


def test_the_command_tells_the_finding_and_writes_the_page(
    search: Search, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = search(difference=50 * RECALLS_FOR_ONE)
    assert command.run_and_tell(asked) == 0
    shown = capsys.readouterr().out
    assert "dose is 0.5" in shown and "Page: " in shown
    page = Path(shown.partition("Page: ")[2].strip())
    assert page.name == "threshold.html" and page.is_file()


def test_the_command_in_the_manifest_asks_the_same_again(search: Search) -> None:
    folder = search(difference=500, points=4, areas="durham", until="2017-10-31").run(quiet=True).folder
    assert read_manifest(folder)["command"] == (
        "python run.py threshold more --baseline base --lever dose --from 0 --to 1 --measure recalls_year "
        "--difference 500 --points 4 --areas durham --replications 3 --seed 1 --until 2017-10-31 --out results/found"
    )
