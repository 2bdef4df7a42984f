"""Studies that ask for a precision: rounds of real worker processes with a fake model."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from experiment_helpers import Notes, contents, outcome_hash, tables
from rich.console import Console

from simulation.commands import compare as command
from simulation.experiment import Study, StudyError, StudyFailed, StudyResult, verify_folder
from simulation.experiment.pool import run_jobs
from simulation.experiment.precision import PRECISION_SCHEMA
from simulation.experiment.progress import LiveReporter, PlainReporter
from simulation.scenario import Resolved

MakeScenario = Callable[..., Resolved]
MakeStudy = Callable[..., Study]

SMALL: dict[str, Any] = {"areas": ("durham",), "end": dt.date(2017, 6, 30)}
ASKED: dict[str, Any] = {"precision": "unseen_share=0.4,recalls_year=1", "most_replications": 40}
"""Reached after several looks of the fake model, whose recalls differ by the same in every pair."""


@pytest.fixture(scope="module")
def precise(make_scenario: MakeScenario, tmp_path_factory: pytest.TempPathFactory) -> StudyResult:
    """A finished study that asked for a precision; only looked at."""
    scenarios = (make_scenario("base", **SMALL), make_scenario("more", 50, **SMALL))
    place: dict[str, Any] = {"out": tmp_path_factory.mktemp("precise") / "study", "runner": "experiment_fake_model"}
    return Study(scenarios, workers=1, seed=1, **place, **ASKED).run(quiet=True)


@pytest.fixture
def small_study(make_study: MakeStudy, make_scenario: MakeScenario) -> MakeStudy:
    """Build a study like that one."""

    def make(**settings: Any) -> Study:
        values = {name: settings.pop(name) for name in ("fails_in",) if name in settings}
        return make_study(make_scenario("base", **SMALL), make_scenario("more", 50, **SMALL, **values), **settings)

    return make


def test_runs_are_added_until_the_intervals_are_narrow(precise: StudyResult) -> None:
    assert verify_folder(precise.folder) == []
    record = precise.manifest["precision"]
    rounds = [(each["replications"], each["reached"]) for each in record["rounds"]]
    # Reached at the second look, and again at the third.
    assert rounds == [(10, 1), (15, 2), (20, 2)]
    assert precise.manifest["replications"] == rounds[-1][0] < 40
    assert record["finding"].endswith(f"2 of 2 headline differences with {rounds[-1][0]} replications.")
    table = precise.precision
    assert dict(table.schema) == PRECISION_SCHEMA
    assert table["reached"].to_list() == [True, True]
    # The same figures as in the table of headlines.
    unseen = precise.headlines.filter(pl.col("measure") == "unseen_share").to_dicts()[0]
    row = table.filter(pl.col("measure") == "unseen_share").to_dicts()[0]
    assert row["difference"] == pytest.approx(unseen["difference"], rel=1e-7)
    assert row["half_width"] == pytest.approx((unseen["high"] - unseen["low"]) / 2, rel=1e-7)
    assert row["half_width"] <= 0.4


def test_the_results_are_those_of_a_study_of_that_many(precise: StudyResult, small_study: MakeStudy) -> None:
    fixed = small_study(replications=precise.manifest["replications"]).run(quiet=True)
    assert fixed.fingerprint == precise.fingerprint
    ours = tables(precise)
    del ours["precision.csv"]
    assert tables(fixed) == ours
    assert outcome_hash(fixed) == outcome_hash(precise)
    assert "precision" not in fixed.manifest


class Totals(Notes):
    """Keeps the totals as they grow."""

    def __init__(self) -> None:
        super().__init__()
        self.totals: list[Mapping[str, int]] = []

    def start(self, runs: Mapping[str, int], done: Mapping[str, int]) -> None:  # type: ignore[override]
        self.totals.append(dict(runs))

    def grow(self, runs: Mapping[str, int], done: Mapping[str, int]) -> None:
        assert all(0 < done[name] < runs[name] for name in runs)
        self.totals.append(dict(runs))


@pytest.mark.parametrize("workers", [2, 6])
def test_the_number_of_workers_decides_nothing(precise: StudyResult, small_study: MakeStudy, workers: int) -> None:
    """Six workers make more replications at once than a look needs; what is published is the same."""
    totals = Totals()
    result = small_study(workers=workers, **ASKED).run(totals)
    assert tables(result) == tables(precise)
    assert result.fingerprint == precise.fingerprint
    assert result.manifest["precision"] == precise.manifest["precision"]
    assert result.manifest["outputs"] == precise.manifest["outputs"]
    assert result.manifest["checks"] == precise.manifest["checks"]
    assert verify_folder(result.folder) == []
    # Progress counts towards what is known to be needed.
    made = [10, 15, 20] if workers == 2 else [10, 20]
    assert totals.totals == [{"base": number, "more": number} for number in made]
    assert totals.texts == [
        "10 replications: 1 of 2 headline differences as narrow as asked; going on",
        "15 replications: 2 of 2 headline differences as narrow as asked; going on",
        "20 replications: 2 of 2 headline differences as narrow as asked",
    ]


def test_a_clusters_workers_are_kept_busy(
    precise: StudyResult, small_study: MakeStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many replications at once as the cluster has workers, not as this computer has processors."""

    class Six:
        """Stands for a cluster of six workers; the runs are made on this computer."""

        workers = 6

        def run_jobs(self, jobs: Any, folder: Path, seed: int, listen: Any, note: Any) -> None:
            run_jobs(jobs, 1, folder, seed, "experiment_fake_model", listen)

    @contextmanager
    def opened(where: str, runner: str) -> Iterator[Six]:
        yield Six()

    monkeypatch.setattr("simulation.experiment.cluster.open_cluster", opened)
    totals = Totals()
    result = small_study(workers=None, cluster="tcp://127.0.0.1:8786", **ASKED).run(totals)
    assert tables(result) == tables(precise) and result.fingerprint == precise.fingerprint
    assert totals.totals == [{"base": number, "more": number} for number in (10, 20)]


class Stopping(Notes):
    """Presses Ctrl-C after so many runs."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.after = after

    def saved(self, scenario: str, replication: int) -> None:
        super().saved(scenario, replication)
        if len(self.made) == self.after:
            raise KeyboardInterrupt


def test_a_study_that_was_stopped_goes_on_to_the_same_bytes(precise: StudyResult, small_study: MakeStudy) -> None:
    study = small_study(**ASKED)
    for after in (7, 16):
        with pytest.raises(KeyboardInterrupt):
            study.run(Stopping(after))
    notes = Notes()
    result = study.run(notes)
    assert tables(result) == tables(precise)
    assert result.manifest["precision"] == precise.manifest["precision"]
    assert result.fingerprint == precise.fingerprint
    # Nothing was made twice: 7 and 16 runs were kept, the one saved when it stopped too.
    assert len(notes.made) == 2 * result.manifest["replications"] - 7 - 16


def test_a_finished_study_of_fixed_size_grows(precise: StudyResult, small_study: MakeStudy) -> None:
    before = contents(small_study(replications=3).run(quiet=True))
    study = small_study(**ASKED)
    notes = Notes()
    result = study.run(notes)
    assert not {(scenario, number) for scenario, number in notes.made if number < 3}
    assert tables(result) == tables(precise)
    kept = {label: content for label, content in contents(result).items() if label[1] < 3}
    assert kept == before
    # Finished again at once; and a fixed study of fewer would throw results away.
    again = Notes()
    assert tables(study.run(again)) == tables(precise) and again.made == []
    with pytest.raises(StudyError, match=f"{result.manifest['replications']} replications, now 3"):
        small_study(replications=3).run(quiet=True)
    more = small_study(replications=21).run(quiet=True)
    assert not (more.folder / "precision.csv").exists() and more.precision.is_empty()


def test_a_study_of_more_than_the_most_is_not_made_smaller(small_study: MakeStudy) -> None:
    before = small_study(replications=12).run(quiet=True)
    # Nor one that could do with fewer: the rule would stop where it is precise enough.
    for most in (11, 40):
        with pytest.raises(StudyError, match="12 replications, now 10"):
            small_study(precision="0.1", most_replications=most).run(quiet=True)
    assert verify_folder(before.folder) == []


def test_the_most_is_the_most_and_says_what_was_missed(
    small_study: MakeStudy, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    study = small_study(precision="0.001,unseen_share=0.01", most_replications=12, replications=3)
    monkeypatch.setattr("simulation.report.build_report", lambda folder: folder / "report.html")
    assert command.run_and_tell(study) == 0
    out, err = capsys.readouterr()
    result = StudyResult(Path(study.out or ""))
    assert result.manifest["replications"] == 12
    assert [each["replications"] for each in result.manifest["precision"]["rounds"]] == [10, 12]
    assert "headline differences with 12 replications, the most allowed. Not reached: " in out
    assert "\n  more: Not seen face to face for over 60 days, " in out
    assert "12 replications: " in err
    missed = result.precision.filter(~pl.col("reached"))
    assert 0 < missed.height < result.precision.height
    assert missed.filter(pl.col("measure") == "unseen_share")["replications_needed"].item() > 12
    options = f"--replications 10 --seed 1 --precision {study.precision} --most-replications 12 "
    assert options in result.manifest["command"]


def test_a_run_that_fails_matters_only_where_it_is_needed(small_study: MakeStudy) -> None:
    """Recalls differ by the same in every pair, so that 15 replications are enough. Six workers make twenty."""
    needed = {"precision": "recalls_year=1", "most_replications": 40, "workers": 6}
    result = small_study(fails_in=18, out="late", **needed).run(quiet=True)
    assert result.manifest["replications"] == 15
    assert verify_folder(result.folder) == []
    assert len(list((result.folder / "runs").iterdir())) == 2 * 20 - 1
    study = small_study(fails_in=2, out="early", **{**needed, "workers": 1})
    with pytest.raises(StudyFailed, match="1 of 20 runs failed") as caught:
        study.run(quiet=True)
    named = [str(each) for each in caught.value.failures]
    assert named == ["more, replication 2: ValueError: this run was told to fail"]
    assert json.loads((Path(study.out or "") / "manifest.json").read_text())["state"] == "failed"


def test_both_reporters_grow() -> None:
    clock = iter(range(0, 10_000, 10))
    lines: list[str] = []
    plain = PlainReporter(lines.append, lambda: float(next(clock)))
    plain.start({"base": 2}, {"base": 0})
    plain.saved("base", 0)
    plain.grow({"base": 5}, {"base": 2})
    plain.saved("base", 2)
    assert lines[-1].startswith("base: 3 of 5 runs done")
    console = Console(force_terminal=True, width=120, color_system=None)
    live = LiveReporter(console)
    with console.capture() as captured:
        live.start({"base": 2}, {"base": 0})
        live.saved("base", 0)
        live.saved("base", 1)
        live.grow({"base": 5}, {"base": 3})
        live.saved("base", 3)
        live.stop()
    assert "4 of 5 runs" in captured.get()
