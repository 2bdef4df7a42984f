"""A study from scenarios to files, with a fake model in real worker processes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from experiment_helpers import Notes, contents, outcome_hash, tables

from simulation.experiment import Study, StudyError, StudyFailed, StudyResult, verify_folder
from simulation.scenario import Resolved

MakeScenario = Callable[..., Resolved]
MakeStudy = Callable[..., Study]


def test_a_study_has_everything(finished: StudyResult) -> None:
    assert verify_folder(finished.folder) == []
    assert sorted(path.name for path in finished.folder.iterdir()) == [
        "differences.csv",
        "differences_by_area.csv",
        "distributions.csv",
        "headlines.csv",
        "levels.csv",
        "manifest.json",
        "model_output.csv",
        "outcomes.parquet",
        "parameters.csv",
        "runs",
        "scenarios",
        "warm_up.csv",
    ]
    recalls = finished.headlines.filter(pl.col("measure") == "recalls_year").to_dicts()[0]
    # Two areas, 50 more a month for nine months of 275 days.
    assert recalls["difference"] == pytest.approx(2 * 50 * 9 * 365.25 / 275)
    assert recalls["sign_agreement"] == 3
    assert recalls["variance_ratio"] == float("inf")
    assert set(finished.differences_by_area["area"]) == {"durham", "cumbria"}
    outcomes = finished.outcomes.collect()
    assert outcomes.columns[:4] == ["scenario", "draw", "replication", "area"]
    assert outcomes.select("scenario", "replication").unique().height == 6
    assert finished.manifest["checks"] == {"people are conserved": 6 * 426}


def test_before_the_impact_nothing_differs(finished: StudyResult) -> None:
    before = finished.outcomes.filter(pl.col("known_on") < "2017-04-01").collect()
    base, more = (before.filter(pl.col("scenario") == name).drop("scenario") for name in ("base", "more"))
    assert base.height > 0
    assert base.equals(more)


@pytest.mark.parametrize("runner", ["experiment_fake_model", "experiment_fake_model_alone"])
def test_workers_order_and_company_change_nothing(
    finished: StudyResult, make_study: MakeStudy, make_scenario: MakeScenario, runner: str
) -> None:
    scenarios = (make_scenario("base"), make_scenario("extra", 9), make_scenario("more", 50))
    result = make_study(*scenarios, workers=2, runner=runner).run(quiet=True)
    wanted = contents(finished)
    assert {label: content for label, content in contents(result).items() if label[0] != "extra"} == wanted
    mine = result.differences.filter(pl.col("scenario") == "more")
    assert mine.equals(finished.differences)


def test_the_same_study_has_the_same_fingerprint_anywhere(finished: StudyResult, make_study: MakeStudy) -> None:
    result = make_study(out="elsewhere", workers=2).run(quiet=True)
    assert result.fingerprint == finished.fingerprint
    assert outcome_hash(result) == outcome_hash(finished)
    assert tables(result) == tables(finished)
    other = make_study(out="other", seed=2).run(quiet=True)
    assert other.fingerprint != finished.fingerprint


def copied(finished: StudyResult, study: Study) -> Path:
    """Put a finished study where another would be made."""
    folder = Path(study.out or "")
    shutil.copytree(finished.folder, folder)
    return folder


def test_resuming_makes_only_what_is_missing(finished: StudyResult, make_study: MakeStudy) -> None:
    folder = copied(finished, make_study())
    before, outcomes = tables(finished), outcome_hash(finished)
    runs = sorted((folder / "runs").iterdir())
    for path in runs[:2]:
        path.unlink()
    kept = {path: path.stat().st_mtime_ns for path in runs[2:]}
    notes = Notes()
    second = make_study(workers=2).run(notes)
    assert len(notes.made) == 2
    assert sum(notes.done.values()) == 4
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert (tables(second), outcome_hash(second)) == (before, outcomes)
    assert second.fingerprint == finished.fingerprint
    again = Notes()
    make_study().run(again)
    assert again.made == []


def test_a_damaged_file_is_named_and_made_again(finished: StudyResult, make_study: MakeStudy) -> None:
    folder = copied(finished, make_study())
    path = sorted((folder / "runs").iterdir())[0]
    path.write_bytes(path.read_bytes()[:-100])
    assert any(path.name in problem for problem in verify_folder(folder))
    notes = Notes()
    again = make_study().run(notes)
    assert len(notes.made) == 1
    assert path.name in notes.texts[0]
    assert again.fingerprint == finished.fingerprint
    assert verify_folder(again.folder) == []


def test_a_failing_run_is_named_and_the_rest_finish(make_study: MakeStudy, make_scenario: MakeScenario) -> None:
    bad = (make_scenario("fails", 50, fails_in=2), make_scenario("dies", 50, dies_in=1))
    study = make_study(make_scenario("base"), *bad, workers=2, replications=2)
    with pytest.raises(StudyFailed, match="2 of 6 runs failed") as caught:
        study.run(quiet=True)
    failures = sorted(str(failure) for failure in caught.value.failures)
    assert failures[0].startswith("dies, replication 1: its worker process died (exit code 7)")
    assert failures[1] == "fails, replication 2: ValueError: this run was told to fail"
    folder = Path(study.out or "")
    assert len(list((folder / "runs").iterdir())) == 4
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["state"] == "failed"
    assert not (folder / "differences.csv").exists()
    details = (folder / "failed_runs.txt").read_text(encoding="utf-8")
    assert "raise ValueError" in details
    assert verify_folder(folder) == ["manifest.json: the study is not finished (it is failed)."]


def test_runs_that_fail_together_are_made_one_by_one(
    make_study: MakeStudy, make_scenario: MakeScenario, finished: StudyResult
) -> None:
    notes = Notes()
    study = make_study(make_scenario("base"), make_scenario("more", 50, fails_in_company=True))
    result = study.run(notes)
    assert len(notes.made) == 6
    assert "can't be made together" in notes.texts[0]
    mine = {label: content for label, content in contents(result).items() if label[0] == "base"}
    assert mine == {label: content for label, content in contents(finished).items() if label[0] == "base"}


def test_a_model_that_cannot_be_loaded(make_study: MakeStudy, tmp_path: Path) -> None:
    with pytest.raises(StudyFailed, match="no_such_model"):
        make_study(runner="no_such_model").run(quiet=True)
    assert list(tmp_path.iterdir()) == []


LATE_MODEL = """
__all__ = ["RunRequest", "run_family", "run_model"]

def __getattr__(name):
    if name not in __all__:
        raise AttributeError(name)
    raise ImportError("a part of it is missing")
"""


def test_a_model_that_is_loaded_late_and_cannot_be(
    make_study: MakeStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the real one is: only when something of it is asked for. No run is to blame."""
    (tmp_path / "late_model.py").write_text(LATE_MODEL, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(StudyFailed, match="can't be loaded: ImportError: a part of it is missing") as raised:
        make_study(runner="late_model").run(quiet=True)
    assert raised.value.failures == []


def test_an_interrupted_study_goes_on(make_study: MakeStudy, finished: StudyResult) -> None:
    class Impatient(Notes):
        def saved(self, scenario: str, replication: int) -> None:
            raise KeyboardInterrupt

    study = make_study()
    with pytest.raises(KeyboardInterrupt):
        study.run(Impatient())
    folder = Path(study.out or "")
    assert json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["state"] == "interrupted"
    assert list((folder / "runs").glob(".*")) == [] or len(list((folder / "runs").glob("*.parquet"))) >= 1
    notes = Notes()
    result = study.run(notes)
    assert 1 <= len(notes.made) < 6
    assert result.fingerprint == finished.fingerprint


def test_equal_scenarios_share_their_runs(make_study: MakeStudy, make_scenario: MakeScenario) -> None:
    notes = Notes()
    result = make_study(make_scenario("base"), make_scenario("same"), replications=2).run(notes)
    assert len(list((result.folder / "runs").iterdir())) == 2
    assert len(notes.made) == 4  # both scenarios are told
    assert result.manifest["impact_dates"]["same"] is None
    assert set(result.differences["difference"]) == {0.0}
    assert all("would not change at all" in text for text in result.headlines["finding"])


def test_one_replication_gives_differences_without_intervals(make_study: MakeStudy) -> None:
    result = make_study(replications=1).run(quiet=True)
    row = result.headlines.filter(pl.col("measure") == "recalls_year").to_dicts()[0]
    assert row["difference"] > 0
    assert (row["low"], row["high"], row["standard_error"], row["variance_ratio"]) == (None,) * 4
    assert "how sure is unknown" in row["finding"]
    assert verify_folder(result.folder) == []


def test_one_scenario_has_no_differences(make_study: MakeStudy, make_scenario: MakeScenario) -> None:
    result = make_study(make_scenario("base"), replications=1).run(quiet=True)
    assert result.differences.height == result.headlines.height == 0
    assert result.distributions.height > 0
    assert verify_folder(result.folder) == []


def test_the_whole_country_is_held_beside_published_figures(make_study: MakeStudy, make_scenario: MakeScenario) -> None:
    result = make_study(make_scenario("base", areas=("all",)), replications=1).run(quiet=True)
    assert result.levels["evidence_id"].to_list()[:2] == ["B01", "B05"]
    assert result.manifest["whole_country"] is True


def test_a_split_study_adds_a_table_by_group_and_changes_no_other(finished: StudyResult, make_study: MakeStudy) -> None:
    split = make_study(out="split", split="sex").run(quiet=True)
    assert verify_folder(split.folder) == []
    assert split.manifest["split"] == "sex" and "--split sex" in split.manifest["command"]
    assert "split" not in finished.manifest and finished.differences_by_group.is_empty()
    assert split.fingerprint != finished.fingerprint
    mine = tables(split)
    assert mine.pop("differences_by_group.csv")
    assert mine == tables(finished)

    groups = split.differences_by_group
    recalls = groups.filter((pl.col("measure") == "recalls_year") & (pl.col("window") == "to end"))
    assert recalls["group"].to_list() == ["all", "women", "men"]
    both = finished.differences.filter((pl.col("measure") == "recalls_year") & (pl.col("window") == "to end"))
    everybody, women, men = recalls.to_dicts()
    for name in ("baseline", "value", "difference"):
        assert everybody[name] == both[name][0] == pytest.approx(women[name] + men[name])
    assert women["difference"] == 0 < men["difference"]

    # What counts officers has the row of everybody only, and says why.
    over = groups.filter((pl.col("measure") == "officers_over_110_share") & (pl.col("window") == "to end"))
    assert over["group"].to_list() == ["all"]
    assert over["note"][0].startswith("Not split: counts officers")
    assert set(groups.filter(pl.col("note").is_null())["group"]) == {"all", "women", "men"}


def test_a_split_study_is_another_study(finished: StudyResult, make_study: MakeStudy) -> None:
    folder = copied(finished, make_study())
    with pytest.raises(StudyError, match="split by nothing, now by tier"):
        make_study(split="tier").run(quiet=True)
    again = make_study(split="tier", replace=True).run(quiet=True)
    assert set(again.differences_by_group["split"]) == {"tier"}
    # The table goes when a study that isn't split takes its place.
    make_study(replace=True).run(quiet=True)
    assert not (folder / "differences_by_group.csv").exists()
