"""Sensitivity: known answers, what stops it, and the page."""

from __future__ import annotations

import dataclasses
import importlib
import math
import os
import re
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from conftest import MakeScenario
from experiment_fake_function import SCALE, value_of

pytest.importorskip("SALib")

from simulation.experiment import Study, StudyError, StudyFailed, screening
from simulation.experiment.draws import Factor, quantile
from simulation.experiment.manifest import read_manifest, verify_folder
from simulation.experiment.progress import SilentReporter
from simulation.experiment.sensitivity import SensitivityStudy, check_measure
from simulation.measures.registry import HEADLINES
from simulation.report.sensitivity import SensitivityFolder, build_sensitivity_page

MEASURE = "prison_sentenced"
NAMES = ["a", "b", "c", "d"]
PI = 3.141592654


def study_of(scenarios: object, folder: Path, **settings: object) -> SensitivityStudy:
    given = {"workers": 1, "seed": 1, "runner": "experiment_fake_function", "method": "morris", **settings}
    return SensitivityStudy(scenarios, out=folder, **given)  # type: ignore[arg-type]


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.csv"))}


def effects(folder: Path, of: str) -> dict[str, dict[str, object]]:
    frame = pl.read_csv(folder / "sensitivity.csv").filter((pl.col("measure") == MEASURE) & (pl.col("of") == of))
    return {row["parameter"].removeprefix("function."): row for row in frame.iter_rows(named=True)}


# The statistics


def test_each_step_moves_one_parameter_by_two_thirds() -> None:
    points = screening.morris_points(NAMES, 5, seed=3)
    steps = np.diff(points.reshape(5, 5, 4), axis=1)
    assert np.allclose(np.abs(steps).sum(axis=2), 2 / 3)
    assert (np.sort(np.abs(steps).argmax(axis=2), axis=1) == np.arange(4)).all()
    assert np.array_equal(points, screening.morris_points(NAMES, 5, seed=3))
    assert not np.array_equal(points, screening.morris_points(NAMES, 5, seed=4))


def test_effects_of_a_line_are_its_slopes_and_agree_with_the_library() -> None:
    points = screening.morris_points(NAMES, 6, seed=3)
    slopes = np.array([3.0, -2.0, 0.0, 0.5])
    assert np.allclose(screening.elementary_effects(points, points @ slopes), slopes)
    curved = np.sin(4 * points[:, 0]) + points[:, 1] * points[:, 2] ** 2 + points[:, 3]
    own = screening.elementary_effects(points, curved)
    found = screening.screened(NAMES, points, curved, seed=1)
    assert np.allclose(found.mu, own.mean(axis=0)) and np.allclose(found.mu_star, np.abs(own).mean(axis=0))
    assert np.allclose(found.sigma, own.std(axis=0, ddof=1))
    assert (found.low <= found.mu_star).all() and (found.mu_star <= found.high).all()


@pytest.mark.parametrize("trajectories", [1, 3, 10])
def test_luck_alone_stays_below_its_floor_19_times_in_20(trajectories: int) -> None:
    """100,000 draws: the share above is within half a point of 5% for one, and of a normal shape for a few."""
    sizes = np.abs(np.random.default_rng(5).normal(0, 2.0, (100_000, trajectories))).mean(axis=1)
    floor = screening.luck_floor(np.array([4.0]), trajectories, replications=4)[0]
    assert 0.04 < (sizes > floor).mean() < 0.065


def test_the_luck_of_effects_is_found_again() -> None:
    """Own luck of deviation 1 at every point gives each effect one of √2 / (2/3); 400 trajectories."""
    points = screening.morris_points(NAMES, 400, seed=3)
    outcomes = (points @ np.array([3.0, -2.0, 0.0, 0.5]))[:, None] + np.random.default_rng(8).normal(0, 1, (2000, 3))
    assert np.allclose(screening.luck_of_effects(points, outcomes), math.sqrt(2) * 1.5, rtol=0.1)
    # Luck that all points share is no luck of an effect.
    shared = (points @ np.ones(4))[:, None] + np.array([[0.0, 5.0, -9.0]])
    assert np.allclose(screening.luck_of_effects(points, shared), 0, atol=1e-9)
    assert np.isnan(screening.luck_of_effects(points, outcomes[:, :1])).all()


def test_indices_of_the_ishigami_function() -> None:
    """Known shares of the variance with uniform arguments; 4,096 samples come within 0.03 of them."""
    names = ["first", "second", "third"]
    points = (2 * screening.sobol_points(names, 4096, seed=2) - 1) * math.pi
    found = screening.sobol_indices(names, np.array([value_of("ishigami", *point) for point in points]), seed=1)
    assert np.allclose(found.first, [0.3139, 0.4424, 0.0], atol=0.03)
    assert np.allclose(found.total, [0.5576, 0.4424, 0.2437], atol=0.03)
    assert (found.first_half < 0.1).all()
    assert np.isnan(screening.sobol_indices(names, np.ones(len(points)), seed=1).first).all()


def test_a_step_counts_as_far_as_it_went() -> None:
    """Effects of a straight line are its slopes, wherever in a range of uneven density its steps were made."""
    points = screening.morris_points(NAMES, 6, seed=3)
    places = np.where(points < 0.5, np.sqrt(points / 2), 1 - np.sqrt((1 - points) / 2))
    slopes = np.array([3.0, -2.0, 0.0, 0.5])
    outcomes = np.stack([places @ slopes, 7 - places @ slopes], axis=1)
    assert not np.allclose(screening.elementary_effects(points, outcomes)[..., 0], slopes, rtol=0.05)
    even = screening.as_if_even(points, places, outcomes)
    assert np.allclose(screening.elementary_effects(points, even)[..., 0], slopes)
    found = screening.screened(NAMES, points, even[:, 1], seed=1)
    assert np.allclose(found.mu, -slopes) and np.allclose(found.sigma, 0, atol=1e-9)
    # Rounding may take a step away: then the whole step was asked for, and nothing came of it.
    assert np.isfinite(screening.as_if_even(points, np.round(places * 0), outcomes)).all()


NO_LUCK = screening.LuckOfSlopes(np.zeros(4), 1)


def test_intervals_of_slopes_cover_them() -> None:
    """1,000 lines of 4 slopes through 60 points with luck that grows: 95% intervals hold the truth 93% to 98%."""
    chance = np.random.default_rng(21)
    truth = np.array([3.0, -2.0, 0.0, 0.5])
    held = []
    for _ in range(1000):
        columns = chance.random((60, 4)) * np.array([1, 10, 100, 1000])
        noise = chance.normal(0, 1, 60) * (0.5 + columns[:, 0])
        found = screening.straight_line(columns, columns @ truth + noise, NO_LUCK)
        held.append(np.abs(found.slope - truth) <= found.half)
    assert 0.93 < np.mean(held) < 0.98


@pytest.mark.parametrize("replications", [2, 3])
def test_intervals_of_rules_hold_the_luck_that_all_points_share(replications: int) -> None:
    """The closer look of 10 parameters, 600 times: luck moves the level and every slope, alike at all points.

    95% intervals hold the truth 93% to 98% of the time; with the scatter alone they would 30% at most. Half the
    parameters have three times the luck of the others.
    """
    chance = np.random.default_rng(13)
    names = [f"p{number}" for number in range(10)]
    held, held_by_scatter = [], []
    for seed in range(600):
        points = screening.morris_points(names, 3, seed)
        truth = chance.normal(0, 2, 10)
        luck = chance.normal(0, 1, (10, replications)) * np.where(np.arange(10) < 5, 1.0, 3.0)[:, None]
        outcomes = points @ (truth[:, None] + luck) + chance.normal(0, 5, replications)
        outcomes += chance.normal(0, 0.1, outcomes.shape)
        measured = screening.luck_of_slopes(points, outcomes).of_mean(replications)
        found = screening.straight_line(points, outcomes.mean(axis=1), measured)
        held.append(np.abs(found.slope - truth) <= found.half)
        alone = screening.straight_line(points, outcomes.mean(axis=1), screening.LuckOfSlopes(np.zeros(10), 1))
        held_by_scatter.append(np.abs(alone.slope - truth) <= alone.half)
    assert 0.93 < np.mean(held) < 0.98
    assert np.mean(held_by_scatter) < 0.3


def test_one_replication_gives_no_interval_of_a_rule() -> None:
    points = screening.morris_points(NAMES, 3, 1)
    measured = screening.luck_of_slopes(points, points @ np.ones((4, 1)))
    found = screening.straight_line(points, points @ np.ones(4), measured.of_mean(1))
    assert np.allclose(found.slope, 1) and np.isnan(found.half).all()


def test_no_line_through_too_little() -> None:
    for columns in (np.ones((50, 4)), np.random.default_rng(1).random((4, 4))):
        assert np.isnan(screening.straight_line(columns, np.arange(float(len(columns))), NO_LUCK).slope).all()


# Known answers through the whole machine


@pytest.fixture(scope="module")
def linear(function_scenarios: MakeScenario, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("linear") / "study"
    return study_of(function_scenarios(lift=3.0), folder, trajectories=3, keep=3).run(quiet=True)


def test_effects_of_a_linear_model(linear: Path) -> None:
    level, difference = effects(linear, "level"), effects(linear, "difference")
    assert math.isclose(level["first"]["mu"], 4 * SCALE * 2 * PI, rel_tol=1e-3)
    assert math.isclose(level["second"]["mu"], 2 * SCALE * 2 * PI, rel_tol=1e-3)
    assert math.isclose(difference["first"]["mu"], 3 * SCALE * 2 * PI, rel_tol=1e-3)
    assert difference["second"]["mu_star"] <= 3, "more than the rounding of counts"
    for name in ("third", "idle", "shares", "days"):
        assert difference[name]["mu_star"] == 0 and difference[name]["verdict"] == "moves nothing"
    assert level["first"]["rank"] == 1 and level["second"]["rank"] == 2
    assert level["first"]["confidence"] == "S" and level["first"]["source"] == "Made up, <for> tests."
    assert level["first"]["low"] == "-3.141592654" and level["first"]["step"] == "closer look"
    assert level["days"]["step"] == "first pass"
    assert not {"off", "lever", "luck"} & set(level), "something that is no ignorance was moved"


def test_rules_of_a_linear_model(linear: Path) -> None:
    frame = pl.read_csv(linear / "rules_of_thumb.csv").filter(pl.col("measure") == MEASURE)
    rules = {(row["of"], row["parameter"].removeprefix("function.")): row for row in frame.iter_rows(named=True)}
    first = rules["level", "first"]
    assert first["clear"] and math.isclose(first["change"], 4 * SCALE * 2 * PI, rel_tol=1e-3)
    assert first["change_low"] <= first["change"] <= first["change_high"]
    assert float(first["low"]) == -3.141592654, "the range of the parameter was overwritten"
    assert first["rule"].startswith("The whole range of “first argument”: +25,1")
    assert rules["difference", "first"]["rule"].count("on what lifted does to “sentenced and recalled prisoners”") == 1


def test_luck_is_not_called_an_effect(function_scenarios: MakeScenario, tmp_path: Path) -> None:
    """Luck far larger than the effects of what moves nothing: those stay below their floor, and the large one above."""
    scenarios = function_scenarios(lift=0.01, luck=2.0)
    study = study_of(scenarios, tmp_path / "study", trajectories=4, replications=6)
    level = effects(study.run(quiet=True), "level")
    assert level["first"]["verdict"] == "above luck"
    # The model's luck hangs on the first two arguments, so the others move exactly nothing.
    assert {level[name]["verdict"] for name in ("third", "idle", "days")} == {"moves nothing"}
    assert level["first"]["luck_floor"] > 1000


def test_one_replication_measures_no_luck(function_scenarios: MakeScenario, tmp_path: Path) -> None:
    folder = study_of(function_scenarios(), tmp_path / "study", replications=1, trajectories=2).run(quiet=True)
    assert effects(folder, "level")["first"]["verdict"] == "luck not measured"


def test_indices_through_runs_are_those_of_the_function(function_scenarios: MakeScenario, tmp_path: Path) -> None:
    study = study_of(
        function_scenarios(kind="ishigami"), tmp_path / "study", method="sobol", top=3, samples=16, trajectories=2,
        replications=1, parameters="function.first,function.second,function.third",
    )  # fmt: skip
    rows = effects(study.run(quiet=True), "level")
    names = ["function.first", "function.second", "function.third"]
    points = screening.sobol_points(names, 16, seed=3)
    values = [value_of("ishigami", *(quantile(-PI, 0, PI, at) for at in point)) for point in points]
    expected = screening.sobol_indices(names, SCALE * np.array(values), seed=1)
    for place, name in enumerate(("first", "second", "third")):
        assert math.isclose(rows[name]["s1"], expected.first[place], abs_tol=2e-3)
        assert math.isclose(rows[name]["st"], expected.total[place], abs_tol=2e-3)
        assert rows[name]["st_low"] < rows[name]["st"] < rows[name]["st_high"]


# Runs are kept


def test_a_second_go_makes_no_run_and_workers_change_nothing(
    function_scenarios: MakeScenario, tmp_path: Path, linear: Path
) -> None:
    scenarios = function_scenarios(lift=3.0)
    again = study_of(scenarios, tmp_path / "study", trajectories=3, keep=3, workers=2).run(quiet=True)
    assert files(again) == files(linear)
    runs = {path: path.stat().st_mtime_ns for path in (again / "runs").iterdir()}
    lost = sorted(runs)[0]
    lost.unlink()
    study_of(scenarios, tmp_path / "study", trajectories=3, keep=3).run(quiet=True)
    after = {path: path.stat().st_mtime_ns for path in (again / "runs").iterdir()}
    assert set(after) == set(runs) and {path for path in runs if after[path] != runs[path]} == {lost}
    assert files(again) == files(linear)
    assert verify_folder(again) == []
    assert read_manifest(again)["fingerprint"] == read_manifest(linear)["fingerprint"]


def test_a_comparison_is_not_written_over_it(
    function_scenarios: MakeScenario, linear: Path, tmp_path: Path
) -> None:
    scenarios = function_scenarios(lift=3.0)
    compare = Study(scenarios, out=linear, replications=2, workers=1, seed=1, runner="experiment_fake_function")
    with pytest.raises(StudyError, match="another kind"):
        compare.run(quiet=True)
    dataclasses.replace(compare, out=tmp_path / "plain").run(quiet=True)
    with pytest.raises(StudyError, match="another kind"):
        study_of(scenarios, tmp_path / "plain").run(quiet=True)


@pytest.mark.skipif(sys.platform == "win32", reason="nobody is kept out there")
def test_a_folder_is_kept_to_one_at_a_time(function_scenarios: MakeScenario, tmp_path: Path) -> None:
    import fcntl

    folder = tmp_path / "study"
    folder.mkdir()
    handle = os.open(folder, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    notes: list[str] = []

    class Listening(SilentReporter):
        def note(self, text: str) -> None:
            notes.append(text)
            if "Another process is at work" in text:
                assert list(folder.iterdir()) == [], "it began before its turn"
                os.close(handle)

    study_of(function_scenarios(), folder, trajectories=2).run(Listening())
    assert sum("Another process is at work" in note for note in notes) == 1
    assert verify_folder(folder) == []


def test_a_folder_that_cannot_be_made_is_told_in_a_line(function_scenarios: MakeScenario) -> None:
    with pytest.raises(StudyError, match=r"^/proc/none can.t be written to: "):
        study_of(function_scenarios(), Path("/proc/none"), trajectories=2).run(quiet=True)


def test_a_failed_run_is_named(function_scenarios: MakeScenario, tmp_path: Path) -> None:
    with pytest.raises(StudyFailed) as caught:
        study_of(function_scenarios(fails=True), tmp_path / "study").run(quiet=True)
    assert "this run was told to fail" in str(caught.value.failures[0])
    assert read_manifest(tmp_path / "study")["state"] == "failed"


# What stops it


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"parameters": "function.frist"}, "No parameter is called 'function.frist'; did you mean 'function.first'"),
        ({"parameters": "function.lever"}, "'function.lever' has no range to move in: it is a lever"),
        ({"parameters": " , "}, "--parameters names none"),
        ({"method": "soboll"}, "must be morris or sobol, not 'soboll'; did you mean 'sobol'"),
        ({"samples": 12}, "power of two"),
        ({"trajectories": 1}, "Trajectories must be from 2"),
        ({"keep": 0}, "closer look must be from 1"),
        ({"top": 0}, "indices must be from 1"),
        ({"replications": 0}, "Replications must be from 1"),
    ],
)
def test_bad_requests(
    function_scenarios: MakeScenario, tmp_path: Path, settings: dict[str, object], said: str
) -> None:
    with pytest.raises(StudyError) as caught:
        study_of(function_scenarios(), tmp_path / "study", **settings).run(quiet=True)
    assert said in str(caught.value)
    assert not (tmp_path / "study").exists()


def test_a_missing_library_is_named(
    function_scenarios: MakeScenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importlib.import_module

    def without(name: str, *rest: object) -> object:
        if name.startswith("SALib"):
            raise ImportError(name)
        return real(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(importlib, "import_module", without)
    with pytest.raises(StudyError, match=r"needs the package SALib: .*\[experiments\]"):
        study_of(function_scenarios(), tmp_path / "study").run(quiet=True)


def test_a_measure_that_is_not_shown_is_refused() -> None:
    check_measure(HEADLINES[0])
    with pytest.raises(StudyError, match="did you mean 'recalls_year'"):
        check_measure("recals_year")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--method", "mors"], "did you mean 'morris'"),
        (["--parameters", "staff.crc.oficers_holding_cases"], "did you mean 'staff.crc.officers_holding_cases'"),
        (["--measure", "recals_year"], "did you mean 'recalls_year'"),
        (["no_such_scenario"], "no_such_scenario"),
        (["--trajectories", "many"], "'--trajectories'"),
    ],
)
def test_the_command_says_what_is_wrong(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from simulation.commands.app import main

    assert main(["sensitivity", *words, "--out", str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err
    assert said in told and "Traceback" not in told
    assert not (tmp_path / "out").exists()


# The page


def test_the_page_is_made_from_files_and_escapes_them(linear: Path) -> None:
    page = build_sensitivity_page(linear, MEASURE)
    text = page.read_text("utf-8")
    assert "Made up, &lt;for&gt; tests." in text and "Made up, <for> tests." not in text
    figures = re.findall(r'role="img" aria-label="([^"]+)"', text)
    assert len(figures) == 2 and all("First argument" in figure for figure in figures)
    assert "Download as CSV" in text and "moved most by “first argument”" in text
    assert "The whole range of “first argument”" in text
    before = text
    assert build_sensitivity_page(linear, MEASURE).read_text("utf-8") == before
    lines = SensitivityFolder.read(linear).parts_of(MEASURE)[0].lines
    assert lines[0].strip().startswith("1. function.first: +")


def test_the_command_report_makes_the_page_again(linear: Path) -> None:
    from simulation.commands.app import main

    (linear / "sensitivity.html").unlink(missing_ok=True)
    assert main(["report", str(linear)]) == 0
    assert (linear / "sensitivity.html").is_file()


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    from simulation.report.study import StudyError as PageError

    with pytest.raises(PageError, match=r"manifest\.json"):
        SensitivityFolder.read(tmp_path)


def test_position_of_a_table_is_the_mean_place_of_its_entries() -> None:
    from simulation.experiment.sensitivity_tables import position_of
    from simulation.scenario.parameters import Parameter

    parameter = Parameter(
        name="x.table", description="", value={}, unit="days", confidence="", source="",
        leaves={("a",): 2, ("b",): 6}, low={("a",): 0, ("b",): 5}, high={("a",): 4, ("b",): 9},
    )  # fmt: skip
    factor = Factor("x.table", (("a",), ("b",)))
    assert position_of(parameter, factor, {}) == (0.5 + 0.25) / 2
    assert position_of(parameter, factor, {"x.table.a": 4, "x.table.b": 9}) == 1
