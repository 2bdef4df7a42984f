"""Draws of parameters: which, how, and that the central values are untouched by them."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from conftest import MakeScenario, MakeStudy
from experiment_helpers import contents, tables
from scipy.stats import kstest

from simulation.experiment import Study, StudyError, StudyFailed
from simulation.experiment.draws import (
    Ranges,
    drawn_sets,
    factors,
    hypercube,
    quantile,
    values_at,
    with_values,
)
from simulation.experiment.manifest import verify_folder
from simulation.experiment.uncertainty import split_variance, verdict
from simulation.scenario import Change, Parameters, Resolved, load_parameters, load_scenario, resolve
from simulation.scenario.changes import Assignment

RUNNER = "experiment_fake_function"


def study_of(scenarios: tuple[Resolved, ...], folder: Path, **settings: object) -> Study:
    given = {"replications": 3, "workers": 1, "seed": 1, "runner": RUNNER, **settings}
    return Study(scenarios, out=folder, **given)  # type: ignore[arg-type]


# What is drawn


def test_only_what_is_not_known_is_drawn(function_parameters: Parameters) -> None:
    names = [factor.name for factor in factors(function_parameters)]
    ranged = {"first", "second", "third", "idle", "shares", "days"}
    assert sorted(names) == sorted(f"function.{name}" for name in ranged), "a lever, or something off, was drawn"
    assert "function.idle" not in [f.name for f in factors(function_parameters, {"function.idle"})]


def test_the_models_switches_and_levers_are_left_alone() -> None:
    parameters = load_parameters()
    chosen = {factor.name: factor for factor in factors(parameters)}
    assert len(chosen) > 200
    for name in ("contracts.provider_failed", "organisation.unified", "staff.leaving_multiplier", "allocation.cap"):
        assert name not in chosen
    assert chosen["courts.report_mix"].parts
    assert chosen["staff.crc.officers_holding_cases"].whole
    assert not chosen["community.death_ratio_after_release"].whole


def test_a_draw_is_triangular_between_the_ends() -> None:
    grid = (np.arange(20_000) + 0.5) / 20_000
    found = np.array([quantile(2.0, 3.0, 7.0, at) for at in grid])
    assert (found >= 2).all() and (found <= 7).all() and (np.diff(found) > 0).all()
    # Mean and variance of a triangular distribution, worked by hand: (2+3+7)/3 and (4+9+49-6-14-21)/18.
    assert math.isclose(found.mean(), 4, rel_tol=1e-4)
    assert math.isclose(found.var(), 21 / 18, rel_tol=1e-3)


def test_shares_still_add_up_and_days_stay_whole(function_parameters: Parameters) -> None:
    chosen = {factor.name: factor for factor in factors(function_parameters)}
    seen = set()
    for at in (0, 0.1, 0.5, 0.9, 1):
        shares = values_at(function_parameters["function.shares"], chosen["function.shares"], at)
        assert math.isclose(math.fsum(shares.values()), 1, rel_tol=0, abs_tol=1e-9)
        days = values_at(function_parameters["function.days"], chosen["function.days"], at)["function.days"]
        assert isinstance(days, int) and 5 <= days <= 30
        seen.add(days)
    assert {5, 30} <= seen


def test_the_hypercube_uses_every_stratum_once_and_knows_each_parameter_by_name() -> None:
    names = ["a", "b", "c"]
    cube = hypercube(names, 16, seed=5)
    for size in (1, 2, 4, 8, 16):
        assert (np.sort(np.floor(cube[:size] * size), axis=0) == np.arange(size)[:, None]).all()
    assert not np.array_equal(cube[:, 0], cube[:, 1])
    # Another parameter moves none of the others; another seed moves all.
    assert np.array_equal(hypercube(["a", "new", "c"], 16, seed=5)[:, [0, 2]], cube[:, [0, 2]])
    assert not np.isclose(hypercube(names, 16, seed=6), cube).any()


def test_more_draws_move_none_there_are_and_no_place_is_likelier() -> None:
    many = hypercube(["a", "b"], 100, seed=5)
    for fewer in (1, 5, 19, 64):
        assert np.array_equal(hypercube(["a", "b"], fewer, seed=5), many[:fewer])
    # Of 3,000 seeds, where the eleventh draw lies: uniform, at an error rate of one in a thousand.
    places = np.array([hypercube(["a"], 11, seed)[10, 0] for seed in range(3_000)])
    assert kstest(places, "uniform").pvalue > 0.001


def test_a_mean_over_draws_is_nearly_as_exact_as_over_a_hypercube_made_for_their_number() -> None:
    """For a sum of parameters, whose mean is known: the variance over seeds, beside draws at random."""
    names = [f"parameter {number}" for number in range(8)]
    means = np.array([hypercube(names, 19, seed).sum(axis=1).mean() for seed in range(400)])
    at_random = len(names) / 12 / 19
    assert means.var() < 0.2 * at_random
    assert abs(means.mean() - 4) < 4 * means.std() / np.sqrt(len(means))


def test_draw_nought_is_the_central_values(function_scenarios: MakeScenario) -> None:
    base, _ = function_scenarios()
    sets = drawn_sets(base, 4, 1)
    assert sets[0] == {} and len(sets) == 4 and all(len(each) == 8 for each in sets[1:])
    assert drawn_sets(base, 1, 1) == [{}]
    held, _ = function_scenarios(first=1.0)
    assert all("function.first" not in each for each in drawn_sets(held, 3, 1)), "a value that somebody set was drawn"


def test_a_draw_resolves_like_a_file_with_its_values(
    function_parameters: Parameters, function_scenarios: MakeScenario, tmp_path: Path
) -> None:
    base, lifted = function_scenarios()
    values = drawn_sets(base, 3, 1)[2]
    (tmp_path / "function.yaml").write_text(written(function_parameters, values), encoding="utf-8")
    from_file = load_parameters(tmp_path)
    for scenario in (base, lifted):
        drawn = with_values(scenario, values)
        assert drawn.digest() == resolve(scenario.scenario, from_file, scenario.geography).digest()
        assert drawn.digest() != scenario.digest()


def written(parameters: Parameters, values: dict[str, float | int]) -> str:
    """The parameters as a file with some values changed."""
    import yaml

    changed = parameters.with_values(values)
    keys = ("description", "unit", "confidence", "source")
    entries = {}
    for name, parameter in changed.items():
        entries[name] = {"value": parameter.value, **{key: getattr(parameter, key) for key in keys}}
        if parameter.choices:
            entries[name]["choices"] = list(parameter.choices)
    return yaml.safe_dump(entries)


def test_a_scenarios_factors_act_on_what_was_drawn_and_its_values_stay(function_scenarios: MakeScenario) -> None:
    base, _ = function_scenarios()
    acts = (Assignment("multiply", "function.idle", 2.0), Assignment("set", "function.first", 1.0))
    change = Change(base.start, acts)
    scenario = resolve(
        type(base.scenario)(**{**vars(base.scenario), "name": "changed", "changes": (change,)}),
        base.parameters,
        base.geography,
    )
    drawn = with_values(scenario, {"function.idle": 0.7, "function.first": -2.0}).on(0)
    assert math.isclose(drawn.number("function.idle"), 1.4)
    assert drawn.number("function.first") == 1.0


def test_the_tasks_of_every_draw_fit_into_the_tariff() -> None:
    from simulation.system.levers import Levers
    from simulation.system.workload import Workload, WorkloadError

    parameters = load_parameters()
    base = resolve(load_scenario("baseline", parameters), parameters, areas=["gwent"])
    chosen = factors(parameters)
    names = [factor.name for factor in chosen]
    points = hypercube(names, 12, 3)
    points[:, names.index("workload.minutes")] = 1.0
    ranges = Ranges(base, chosen)
    impossible = 0
    for point in points:
        values = ranges.values(point)
        Workload(Levers(with_values(base, values).on(0)))
        top = values_at(parameters["workload.minutes"], chosen[names.index("workload.minutes")], 1.0)
        try:
            Workload(Levers(with_values(base, {**values, **top}).on(0)))
        except WorkloadError:
            impossible += 1
    assert impossible, "the high ends fit as well, so nothing was tested"


# What a study does with them


def test_one_draw_changes_no_byte(make_study: MakeStudy) -> None:
    plain = make_study(out="plain").run(quiet=True)
    one = make_study(out="one", draws=1).run(quiet=True)
    assert tables(plain) == tables(one)
    assert "uncertainty.csv" not in tables(one)
    assert plain.fingerprint == one.fingerprint
    assert plain.manifest["runs"] == one.manifest["runs"]


def test_draws_add_a_table_and_leave_the_others_alone(function_scenarios: MakeScenario, tmp_path: Path) -> None:
    scenarios = function_scenarios(luck=1.0)
    plain = study_of(scenarios, tmp_path / "plain").run(quiet=True)
    drawn = study_of(scenarios, tmp_path / "drawn", draws=12).run(quiet=True)
    assert {**tables(drawn), "uncertainty.csv": b""} == {**tables(plain), "uncertainty.csv": b""}
    assert drawn.manifest["draws"] == 12 and drawn.fingerprint != plain.fingerprint
    assert verify_folder(drawn.folder) == []
    runs = drawn.outcomes.select("scenario", "draw", "replication").unique().collect()
    assert len(runs) == 2 * 12 * 3 and runs["draw"].max() == 11
    central = drawn.outcomes.filter(pl.col("draw") == 0).collect()
    assert central.equals(plain.outcomes.collect())


def test_workers_and_growing_change_nothing(function_scenarios: MakeScenario, tmp_path: Path) -> None:
    scenarios = function_scenarios(luck=1.0)
    one = study_of(scenarios, tmp_path / "one", draws=4).run(quiet=True)
    grown = study_of(scenarios, tmp_path / "grown").run(quiet=True)
    assert contents(grown)
    few = study_of(scenarios, tmp_path / "grown", draws=3).run(quiet=True)
    kept = {run["key"] for run in few.manifest["runs"]}
    grown = study_of(scenarios, tmp_path / "grown", draws=4, workers=2).run(quiet=True)
    assert kept < {run["key"] for run in grown.manifest["runs"]}
    made = {path.stem for path in (grown.folder / "runs").glob("*.parquet")}
    assert made == {run["key"] for run in grown.manifest["runs"]}
    assert tables(one) == tables(grown) and one.fingerprint == grown.fingerprint
    with pytest.raises(StudyError, match="4 draws, now 1"):
        study_of(scenarios, tmp_path / "grown").run(quiet=True)


def test_pairs_share_their_luck_and_their_draw(function_scenarios: MakeScenario, tmp_path: Path) -> None:
    """The scenario adds exactly three times the first argument, so every drawn difference is known."""
    scenarios = function_scenarios(lift=3.0, luck=5.0)
    result = study_of(scenarios, tmp_path / "study", draws=12).run(quiet=True)
    of_it = (pl.col("measure") == "prison_sentenced") & (pl.col("window") == "to end")
    row = result.uncertainty.filter(of_it).to_dicts()[0]
    lifts = [3000 * values["function.first"] for values in drawn_sets(scenarios[0], 12, 1)[1:]]
    assert math.isclose(row["drawn_mean"], np.mean(lifts), abs_tol=1)
    assert math.isclose(row["drawn_low"], np.quantile(lifts, 0.05), abs_tol=1)
    assert math.isclose(row["variance_ignorance"], np.var(lifts, ddof=1), rel_tol=1e-3)
    assert row["variance_luck"] < 1, "luck did not cancel between the two of a pair"
    assert row["draws"] == 12 and row["difference"] == 0


def test_a_failed_draw_is_named_and_the_rest_is_kept(function_scenarios: MakeScenario, tmp_path: Path) -> None:
    scenarios = function_scenarios(fails=True)
    with pytest.raises(StudyFailed) as caught:
        study_of(scenarios, tmp_path / "study", draws=2, replications=1).run(quiet=True)
    named = [str(failure) for failure in caught.value.failures]
    assert "base, draw 1, replication 1: ValueError: this run was told to fail" in named


@pytest.mark.parametrize("draws", [0, -3, 10_001])
def test_an_impossible_number_of_draws_is_refused(function_scenarios: MakeScenario, tmp_path: Path, draws: int) -> None:
    with pytest.raises(StudyError, match="Draws must be from 1 to 10,000"):
        study_of(function_scenarios(), tmp_path / "study", draws=draws).run(quiet=True)
    assert not (tmp_path / "study").exists()


def test_parameters_without_ranges_cannot_be_drawn(make_study: MakeStudy) -> None:
    with pytest.raises(StudyError, match="No parameter has a range"):
        make_study(draws=3).run(quiet=True)


# Luck and ignorance apart


def test_variances_are_found_again() -> None:
    """1,000 tables of 30 draws and 6 replications; standard deviations: draws 3, luck shared by draws 2, own luck 1."""
    chance = np.random.default_rng(11)
    found = []
    for _ in range(1000):
        table = chance.normal(0, 3, (30, 1)) + chance.normal(0, 2, (1, 6)) + chance.normal(0, 1, (30, 6))
        parts = split_variance(table)
        found.append((parts.luck, parts.ignorance))
    luck, ignorance = np.mean(found, axis=0)
    # Standard errors of the two means are about 0.08 and 0.08; the bounds are four of them.
    assert abs(ignorance - 9) < 0.33
    assert abs(luck - 5) < 0.33


def test_no_ignorance_is_called_none() -> None:
    """Draws that move nothing: the variance of ignorance is nought in half the tables and small in all."""
    chance = np.random.default_rng(12)
    found = [
        split_variance(chance.normal(0, 2, (1, 6)) + chance.normal(0, 1, (30, 6))).ignorance for _ in range(400)
    ]
    assert np.mean(np.array(found) == 0) > 0.4
    assert np.mean(found) < 0.05


def test_one_replication_cannot_tell() -> None:
    parts = split_variance(np.ones((5, 1)))
    assert math.isnan(parts.luck) and math.isnan(parts.ignorance)


@pytest.mark.parametrize(
    ("figures", "drawn", "said"),
    [
        ((2, 1, 3), np.linspace(1, 4, 20), "clear whatever the parameters"),
        ((-2, -3, -1), -np.linspace(1, 4, 20), "clear whatever the parameters"),
        ((2, 1, 3), -np.linspace(1, 4, 20), "clear at the central values only"),
        ((2, 1, 3), np.linspace(-1, 4, 20), "clear at the central values only"),
        ((2, -1, 5), np.linspace(1, 4, 20), "indistinguishable"),
        ((2, -1, 5), np.linspace(-1, 4, 20), "indistinguishable"),
        ((0, 0, 0), np.zeros(20), "no difference"),
        ((2, 1, 3), np.linspace(1, 4, 5), "cannot be told"),
        ((2, math.nan, math.nan), np.linspace(1, 4, 20), "cannot be told"),
    ],
)
def test_verdicts(figures: tuple[float, float, float], drawn: np.ndarray, said: str) -> None:
    assert verdict(*figures, drawn) == said


def test_the_command_refuses_an_impossible_number(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    from simulation.commands.app import main

    asked = ["compare", "baseline", "--areas", "gwent", "--draws", "0", "--out", str(tmp_path / "out")]
    assert main(asked) == 2
    assert "Draws must be from 1 to 10,000, not 0" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("areas", [None, "gwent"])
def test_what_code_holds_is_not_drawn(areas: str | None, tmp_path: Path) -> None:
    parameters = load_parameters()
    held = resolve(load_scenario("baseline"), parameters, overrides={"custody.hdc.take_up": 0.4}, areas="gwent")
    plan = Study([held], areas=areas, draws=4, replications=1, out=tmp_path).plan()
    found = [drawn[0].parameters["custody.hdc.take_up"].leaves[()] for drawn in plan.drawn]
    assert found == [0.4] * 3
    others = {drawn[0].parameters["custody.hdc.opt_out_share"].leaves[()] for drawn in plan.drawn}
    assert len(others) == 3
