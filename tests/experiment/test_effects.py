"""The differences there would be if supervision changed what people do, beside those of the study."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from experiment_helpers import contents, tables

from simulation.experiment import Study, StudyError, StudyResult, verify_folder
from simulation.experiment.effects import REOFFENDING, companion, switches
from simulation.experiment.jobs import plan_jobs
from simulation.measures.registry import HEADLINES
from simulation.scenario import Resolved, load_geography, load_parameters, load_scenario, resolve

MakeScenario = Callable[..., Resolved]
MakeStudy = Callable[..., Study]


@pytest.fixture(scope="module")
def with_effects(make_scenario: MakeScenario, tmp_path_factory: pytest.TempPathFactory) -> StudyResult:
    """The finished study of the other tests, with effects."""
    study = Study(
        (make_scenario("base"), make_scenario("more", 50)),
        replications=3,
        workers=1,
        seed=1,
        out=tmp_path_factory.mktemp("effects") / "study",
        runner="experiment_fake_model",
        effects=True,
    )
    return study.run(quiet=True)


def test_a_switch_is_an_effect_that_is_a_yes_or_no() -> None:
    parameters = load_parameters()
    found = switches(parameters)
    assert {"effects.contact_on_reoffending", "effects.engagement_on_attendance"} <= set(found)
    assert all(parameters[name].kind == "flag" for name in found)
    # In the headline figures all are off.
    assert not any(parameters[name].value for name in found)


def test_a_companion_has_every_switch_on_from_its_first_day_and_no_other_value() -> None:
    parameters = load_parameters()
    scenario = resolve(load_scenario("hdc_expansion", parameters), parameters, load_geography(), areas="gwent")
    other = companion(scenario)
    names = switches(parameters)
    last = other.day_number(other.end)
    assert all(other.on(day).flag(name) for name in names for day in (0, *other.change_days(), last))
    assert not any(scenario.on(last).flag(name) for name in names)
    assert (other.areas, other.start, other.count_from, other.end) == (
        scenario.areas,
        scenario.start,
        scenario.count_from,
        scenario.end,
    )
    on = {name for name, _ in other.changed()} - {name for name, _ in scenario.changed()}
    assert on == set(names)
    base = resolve(load_scenario("baseline", parameters), parameters, load_geography(), areas="gwent")
    assert companion(base).first_difference(other) == base.first_difference(scenario) == dt.date(2018, 7, 1)


def test_both_differences_stand_side_by_side(with_effects: StudyResult, finished: StudyResult) -> None:
    table = with_effects.differences_with_effects
    assert set(table["measure"]) == {*HEADLINES, *REOFFENDING}
    assert set(table["scenario"]) == {"more"} and set(table["compared_with"]) == {"base"}
    assert set(table["window"]) == set(finished.differences["window"])
    rows = {(row["measure"], row["window"]): row for row in table.to_dicts()}
    for row in finished.differences.filter(finished.differences["headline"]).to_dicts():
        mine = rows[row["measure"], row["window"]]
        for name in ("baseline", "difference", "low", "high", "replications", "impact_date", "first_month"):
            assert mine[name] == row[name]
    # The fake model's effect doubles what the scenario adds, and leaves the baseline as it is.
    recalls = rows["recalls_year", "to end"]
    assert recalls["baseline_with_effects"] == recalls["baseline"]
    assert recalls["difference_with_effects"] == pytest.approx(2 * recalls["difference"])
    assert recalls["difference"] > 0


def test_the_study_itself_is_as_without_effects(with_effects: StudyResult, finished: StudyResult) -> None:
    assert verify_folder(with_effects.folder) == []
    mine = tables(with_effects)
    assert mine.pop("differences_with_effects.csv")
    assert mine == tables(finished)
    assert finished.differences_with_effects.is_empty()
    outcomes = [result.folder / "outcomes.parquet" for result in (with_effects, finished)]
    assert outcomes[0].read_bytes() == outcomes[1].read_bytes()
    mine = contents(with_effects)
    assert {key: mine[key] for key in contents(finished)} == contents(finished)
    # Nothing of it in the manifest of a study that wasn't asked.
    assert "effects" not in (finished.folder / "manifest.json").read_text(encoding="utf-8")


def test_the_manifest_says_what_was_switched_on(with_effects: StudyResult, finished: StudyResult) -> None:
    manifest = with_effects.manifest
    assert manifest["with_effects"]["switches"] == {
        "effects.shift_twice": "Whether what is added is added twice."
    }
    companions = [each["name"] for each in manifest["with_effects"]["scenarios"]]
    assert companions == ["base_with_effects", "more_with_effects"]
    assert [each["name"] for each in manifest["scenarios"]] == ["base", "more"]
    assert "--effects" in manifest["command"] and with_effects.fingerprint != finished.fingerprint
    # As it was run, and can be loaded again.
    path = with_effects.folder / "scenarios" / "more_with_effects.yaml"
    assert "effects.shift_twice: true" in path.read_text(encoding="utf-8")


def test_companions_are_families_of_their_own(make_study: MakeStudy) -> None:
    plan = make_study(effects=True, replications=2).plan()
    jobs = plan_jobs(list(plan.runs.values()), 1, share_prefix=True)
    assert sorted([run.scenario for run in job.runs] for job in jobs) == [
        ["base", "more"],
        ["base", "more"],
        ["base_with_effects", "more_with_effects"],
        ["base_with_effects", "more_with_effects"],
    ]
    impacts = plan.impacts
    assert impacts["more_with_effects"] == impacts["more"] and impacts["base_with_effects"] is None


def test_effects_can_be_added_to_a_study_and_not_taken_away(make_study: MakeStudy) -> None:
    first = make_study(replications=1).run(quiet=True)
    made = {path.name: path.stat().st_mtime_ns for path in (first.folder / "runs").iterdir()}
    more = make_study(replications=1, effects=True).run(quiet=True)
    assert made.items() <= {path.name: path.stat().st_mtime_ns for path in (more.folder / "runs").iterdir()}.items()
    with pytest.raises(StudyError, match="scenario base_with_effects, now left out"):
        make_study(replications=1).run(quiet=True)
    make_study(replications=1, replace=True).run(quiet=True)
    assert not (more.folder / "differences_with_effects.csv").exists()


def test_a_scenario_may_not_have_the_name_of_a_companion(make_study: MakeStudy, make_scenario: MakeScenario) -> None:
    study = make_study(make_scenario("base"), make_scenario("base_with_effects", 5), effects=True)
    with pytest.raises(StudyError, match="Two scenarios are called base_with_effects"):
        study.plan()
