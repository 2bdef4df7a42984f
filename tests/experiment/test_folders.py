"""What a folder says about itself, and what may be written into it."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from experiment_helpers import Notes

from simulation.experiment import Study, StudyError, StudyResult, verify_folder
from simulation.scenario import Resolved

MakeScenario = Callable[..., Resolved]
MakeStudy = Callable[..., Study]


def test_the_manifest_names_no_place_and_covers_no_time(finished: StudyResult) -> None:
    text = (finished.folder / "manifest.json").read_text(encoding="utf-8")
    assert str(finished.folder.parent) not in text
    assert str(Path(__file__).parents[2]) not in text
    assert "--out results/study" in finished.manifest["command"]
    assert set(finished.manifest["times"]) == {"started", "finished", "seconds", "workers"}
    versions = finished.manifest["versions"]
    assert versions["polars"] == pl.__version__
    assert set(finished.manifest["outputs"]) >= {"outcomes.parquet", "differences.csv", "scenarios/base.yaml"}


@pytest.mark.parametrize(
    "name", ["differences.csv", "outcomes.parquet", "scenarios/base.yaml", "manifest.json", "a run"]
)
@pytest.mark.parametrize("harm", ["changed", "missing"])
def test_harm_to_a_folder_is_named(
    make_study: MakeStudy, finished: StudyResult, tmp_path: Path, name: str, harm: str
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(finished.folder, folder)
    path = folder / name if name != "a run" else sorted((folder / "runs").iterdir())[0]
    if harm == "missing":
        path.unlink()
    elif name == "manifest.json":
        path.write_text(path.read_text(encoding="utf-8").replace('"seed": 1', '"seed": 2'), encoding="utf-8")
    else:
        path.write_bytes(path.read_bytes() + b"x")
    problems = verify_folder(folder)
    assert len(problems) == 1
    assert path.name in problems[0]


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"seed": 2}, "seed 1, now 2"),
        ({"replications": 1}, "3 replications, now 1"),
        ({"areas": "durham"}, "other areas"),
        ({"until": "2017-11-30"}, "other dates"),
    ],
)
def test_another_study_is_not_written_over(
    make_study: MakeStudy, settings: dict[str, object], message: str, finished: StudyResult
) -> None:
    before = snapshot(finished.folder)
    with pytest.raises(StudyError, match=message):
        make_study(**{"out": finished.folder, **settings}).run(quiet=True)
    assert snapshot(finished.folder) == before


def test_other_scenarios_are_another_study(
    make_study: MakeStudy, make_scenario: MakeScenario, finished: StudyResult
) -> None:
    with pytest.raises(StudyError, match="scenario more with other values"):
        make_study(make_scenario("base"), make_scenario("more", 51), out=finished.folder).run(quiet=True)
    with pytest.raises(StudyError, match="scenario more, now left out"):
        make_study(make_scenario("base"), out=finished.folder).run(quiet=True)


def test_a_study_can_be_added_to_or_replaced(
    make_study: MakeStudy, make_scenario: MakeScenario, finished: StudyResult
) -> None:
    make_study(replications=2).run(quiet=True)
    notes = Notes()
    longer = make_study(replications=3).run(notes)
    assert sorted(notes.made) == [("base", 2), ("more", 2)]
    assert longer.fingerprint == finished.fingerprint
    replaced = make_study(replications=1, seed=5, replace=True).run(quiet=True)
    assert replaced.manifest["seed"] == 5
    assert verify_folder(replaced.folder) == []


def test_a_folder_of_other_things_is_left_alone(make_study: MakeStudy, tmp_path: Path) -> None:
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "thesis.txt").write_text("years of work")
    with pytest.raises(StudyError, match="holds other files"):
        make_study(replace=True).run(quiet=True)
    (tmp_path / "file").write_text("x")
    with pytest.raises(StudyError, match="is a file"):
        make_study(out="file").run(quiet=True)
    with pytest.raises(StudyError, match="is a file"):
        make_study(out="file/below").run(quiet=True)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "manifest.json").write_text("{")
    with pytest.raises(StudyError, match="not a manifest"):
        make_study(out="broken").run(quiet=True)


def test_all_mistakes_are_told_at_once_and_nothing_is_written(make_study: MakeStudy, tmp_path: Path) -> None:
    study = make_study(replications=0, workers=0, seed=-1, until="2016-05-01", areas=["durhan"], out="results")
    with pytest.raises(StudyError) as caught:
        study.run(quiet=True)
    text = "\n".join(caught.value.problems)
    for words in ("Replications", "Workers", "seed", "2016-05-01", "did you mean 'durham'"):
        assert words in text
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("until", ["2017-13-01", "1/6/2018", "soon", "2017-01-20", "2020-01-01"])
def test_days_that_cannot_be_the_last(make_study: MakeStudy, until: str) -> None:
    with pytest.raises(StudyError, match=r"last day|whole month"):
        make_study(until=until).plan()


def test_scenarios_must_be_comparable(make_study: MakeStudy, make_scenario: MakeScenario) -> None:
    with pytest.raises(StudyError, match="Two scenarios are called base"):
        make_study(make_scenario("base"), make_scenario("base", 3)).plan()
    with pytest.raises(StudyError, match="end 2017-11-30"):
        make_study(make_scenario("base"), make_scenario("more", end=dt.date(2017, 11, 30))).plan()
    with pytest.raises(StudyError, match="other areas"):
        make_study(make_scenario("base"), make_scenario("more", areas=("durham",))).plan()
    with pytest.raises(StudyError, match="at least one scenario"):
        Study(()).plan()


def test_areas_and_last_day_can_be_limited(make_study: MakeStudy) -> None:
    plan = make_study(areas="durham,cumbria, essex", until=dt.date(2017, 6, 15)).plan()
    assert plan.areas == ("cumbria", "durham", "essex")
    assert plan.months[-1] == "2017-05"
    assert "--areas durham,cumbria,essex" in plan.command()
    assert "--until 2017-06-15" in plan.command()
