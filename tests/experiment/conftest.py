"""Small scenarios for the fake model."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from simulation.experiment.study import Study, StudyResult
from simulation.scenario import (
    Assignment,
    Change,
    Parameters,
    Resolved,
    Scenario,
    load_geography,
    load_parameters,
    resolve,
)

# Worker processes get the same search path, so they find the fake models by name.
sys.path.insert(0, str(Path(__file__).parent))

from experiment_fake_parameters import write_parameters

MakeScenario = Callable[..., Resolved]
MakeStudy = Callable[..., Study]


@pytest.fixture(scope="session")
def fake_parameters(tmp_path_factory: pytest.TempPathFactory) -> Parameters:
    folder = tmp_path_factory.mktemp("parameters")
    write_parameters(folder)
    return load_parameters(folder)


@pytest.fixture(scope="session")
def make_scenario(fake_parameters: Parameters) -> MakeScenario:
    """Build a scenario that shifts counts from a day on."""

    def make(
        name: str,
        shift: int = 0,
        impact: dt.date = dt.date(2017, 4, 1),
        end: dt.date = dt.date(2017, 12, 31),
        areas: tuple[str, ...] = ("durham", "cumbria"),
        **values: object,
    ) -> Resolved:
        changes = (Change(impact, (Assignment("set", "fake.shift", shift),)),) if shift else ()
        scenario = Scenario(
            name=name,
            title=name.title(),
            start=dt.date(2016, 11, 1),
            count_from=dt.date(2017, 1, 1),
            end=end,
            areas=areas,
            changes=changes,
        )
        overrides = {f"fake.{key}": value for key, value in values.items()}
        return resolve(scenario, fake_parameters, load_geography(), overrides=overrides)

    return make


@pytest.fixture
def make_study(make_scenario: MakeScenario, tmp_path: Path) -> MakeStudy:
    """Build a study of a baseline and a scenario with the fake model."""

    def make(*scenarios: Resolved, out: str = "study", **settings: object) -> Study:
        chosen = scenarios or (make_scenario("base"), make_scenario("more", 50))
        given = {"replications": 3, "workers": 1, "seed": 1, "runner": "experiment_fake_model"}
        return Study(chosen, out=tmp_path / out, **{**given, **settings})  # type: ignore[arg-type]

    return make


@pytest.fixture(scope="session")
def finished(make_scenario: MakeScenario, tmp_path_factory: pytest.TempPathFactory) -> StudyResult:
    """A small finished study that tests only look at."""
    study = Study(
        (make_scenario("base"), make_scenario("more", 50)),
        replications=3,
        workers=1,
        seed=1,
        out=tmp_path_factory.mktemp("finished") / "study",
        runner="experiment_fake_model",
    )
    return study.run(quiet=True)


@pytest.fixture(scope="session")
def function_parameters(tmp_path_factory: pytest.TempPathFactory) -> Parameters:
    """Parameters of the model whose counts are a known function of them."""
    from experiment_fake_function import write_parameters as write_function_parameters

    folder = tmp_path_factory.mktemp("function_parameters")
    write_function_parameters(folder)
    return load_parameters(folder)


@pytest.fixture(scope="session")
def function_scenarios(function_parameters: Parameters) -> MakeScenario:
    """Build a baseline and a scenario that adds `function.lift` times the first argument from April 2017 on."""

    def make(lift: float = 3.0, **values: object) -> tuple[Resolved, Resolved]:
        overrides = {f"function.{name}": value for name, value in values.items()}
        made = []
        for name, added in (("base", 0.0), ("lifted", lift)):
            change = Change(dt.date(2017, 4, 1), (Assignment("set", "function.lift", added),))
            scenario = Scenario(
                name=name,
                title=name.title(),
                start=dt.date(2016, 11, 1),
                count_from=dt.date(2017, 1, 1),
                end=dt.date(2017, 6, 30),
                areas=("durham",),
                changes=(change,) if added else (),
            )
            made.append(resolve(scenario, function_parameters, load_geography(), overrides=overrides))
        return made[0], made[1]

    return make
