"""The command ``compare``, the Python door, and what is written about both."""

from __future__ import annotations

import doctest
import importlib
import importlib.util
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

import simulation
from simulation.commands import compare as command
from simulation.commands.app import main
from simulation.experiment import DEFAULT_REPLICATIONS, DEFAULT_SEED, Study, StudyFailed, StudyResult
from simulation.experiment.by_group import BY_GROUP_SCHEMA
from simulation.experiment.comparisons import COMPARISONS_SCHEMA
from simulation.experiment.differences import BY_AREA_SCHEMA, DIFFERENCES_SCHEMA, HEADLINES_SCHEMA
from simulation.experiment.effects import WITH_EFFECTS_SCHEMA
from simulation.experiment.levels import DISTRIBUTIONS_SCHEMA, LEVELS_SCHEMA
from simulation.experiment.model_output import MODEL_OUTPUT_SCHEMA
from simulation.experiment.precision import PRECISION_SCHEMA

ROOT = Path(__file__).resolve().parents[2]
MakeStudy = Callable[..., Study]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--replications", "0"], "Replications must be"),
        (["--workers", "0"], "Workers must be"),
        (["--until", "2001-01-01"], "2001-01-01"),
        (["--until", "tomorrow"], "tomorrow"),
        (["--areas", "durhan"], "did you mean 'durham'"),
        (["--replications", "many"], "valid integer"),
        (["--nonsense"], "nonsense"),
        (["--split", "sexes"], "did you mean 'sex'? They can be split by sex, age,"),
        (["--split", "shoe size"], "split by 'shoe size'. They can be split by sex, age,"),
        (["hdc_expansion", "--precision", "recals_year=50"], "did you mean 'recalls_year'? They are officers_over_110"),
        (["hdc_expansion", "--precision", "narrow"], "'narrow' is not an amount above 0; write a share"),
        (["hdc_expansion", "--precision", "0.1", "--most-replications", "5"], "at least the 10 of the first look"),
        (["hdc_expansion", "--precision", "0.1", "--most-replications", "20000"], "at most 10,000, not 20000"),
        (["hdc_expansion", "--most-replications", "20"], "only together with a precision"),
        (["--precision", "0.1"], "name a second scenario"),
        (["no_such_scenario"], "no_such_scenario"),
        (["baseline", "baseline"], "Two scenarios are called baseline"),
    ],
)
def test_bad_input_runs_nothing(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    scenario = [] if arguments[0] in ("no_such_scenario", "baseline") else ["baseline"]
    assert main(["compare", *scenario, *arguments, "--out", "results"]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "taken").write_text("x")
    assert main(["compare", "baseline", "--out", str(tmp_path / "taken")]) == 2
    assert "is a file" in capsys.readouterr().err
    assert (tmp_path / "taken").read_text() == "x"


@pytest.mark.parametrize("arguments", [[], ["compare"]])
def test_no_words_mean_the_default_study(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Study] = []
    monkeypatch.setattr(command, "run_and_tell", lambda study: seen.append(study) or 0)
    assert main(arguments) == 0
    command.default_study()
    for study in seen:
        assert tuple(study.scenarios) == ("baseline", "reunification", "hdc_expansion")
        assert (study.areas, study.replications, study.until) == (None, 5, None)
        assert Path(study.out or "") == Path("results/default")
    assert len(seen) == 2
    assert len({study.seed for study in seen}) == 1


@pytest.mark.parametrize(
    ("raised", "code", "words"),
    [
        (KeyboardInterrupt(), 130, "same command again"),
        (StudyFailed([], "1 of 6 runs failed"), 1, "1 of 6 runs failed"),
    ],
)
def test_exit_codes(
    raised: BaseException,
    code: int,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def run(_: Study) -> StudyResult:
        raise raised

    monkeypatch.setattr(Study, "run", run)
    assert main(["compare", "baseline"]) == code
    assert words in capsys.readouterr().err


def test_the_help_gives_the_true_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"[default: ({DEFAULT_REPLICATIONS})]" in shown
    assert f"[default: ({DEFAULT_SEED})]" in shown
    assert "--effects" in shown


@pytest.mark.parametrize("asked", [True, False])
def test_effects_are_asked_for(asked: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Study] = []
    monkeypatch.setattr(command, "run_and_tell", lambda study: seen.append(study) or 0)
    assert main(["compare", "baseline", "hdc_expansion", *(["--effects"] if asked else [])]) == 0
    assert seen[0].effects is asked


def test_headlines_are_printed_with_a_sentence_each(finished: StudyResult) -> None:
    for terminal in (True, False):
        console = Console(force_terminal=terminal, width=300, color_system=None)
        with console.capture() as captured:
            command.print_headlines(finished, console)
        text = captured.get()
        assert "More: difference from base, 2017-04 to 2017-12" in text
        assert all(sentence in text for sentence in finished.headlines["finding"])
        assert "3 of 3" in text
        assert ("┃" in text) is terminal


def test_a_study_ends_with_the_place_of_its_report(
    make_study: MakeStudy, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    report = importlib.import_module("simulation.report")
    monkeypatch.setattr(report, "build_report", lambda folder: folder / "report.html")
    study = make_study(replications=1)
    assert command.run_and_tell(study) == 0
    out, err = capsys.readouterr()
    assert "study/report.html (fingerprint " in out
    assert "base: 1 of 1 runs done" in err

    def no_report(_: Path) -> Path:
        raise OSError("disk full")

    monkeypatch.setattr(report, "build_report", no_report)
    assert command.run_and_tell(study) == 1
    out, err = capsys.readouterr()
    assert "disk full" in err
    assert "Results: " in out


def test_the_python_door_opens_without_loading_the_model() -> None:
    assert simulation.Study is Study
    assert simulation.StudyResult is StudyResult
    with pytest.raises(AttributeError, match="Nothing"):
        _ = simulation.Nothing  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("heading", "columns"),
    [
        ("differences.csv", DIFFERENCES_SCHEMA),
        ("levels.csv", LEVELS_SCHEMA),
        ("distributions.csv", DISTRIBUTIONS_SCHEMA),
        ("differences_with_effects.csv", WITH_EFFECTS_SCHEMA),
        ("comparisons.csv", COMPARISONS_SCHEMA),
        ("precision.csv", PRECISION_SCHEMA),
        ("model_output.csv", MODEL_OUTPUT_SCHEMA),
    ],
)
def test_every_column_is_explained(heading: str, columns: dict[str, object]) -> None:
    text = (ROOT / "docs" / "result_files.md").read_text(encoding="utf-8")
    section = text.split(f"## {heading}\n")[1].split("\n## ")[0]
    named = [
        name
        for line in section.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`(\w+)`", line.split("|")[1])
    ]
    assert sorted(named) == sorted(columns)


def test_the_other_tables_are_as_explained() -> None:
    assert set(HEADLINES_SCHEMA) - set(DIFFERENCES_SCHEMA) == {"finding"}
    shared = list(DIFFERENCES_SCHEMA)[: list(DIFFERENCES_SCHEMA).index("sign_agreement") + 1]
    assert set(BY_AREA_SCHEMA) == {"area", *shared}
    assert set(BY_GROUP_SCHEMA) == {"split", "group", "note", *shared}


@pytest.mark.parametrize("name", [path.stem for path in sorted((ROOT / "simulation/experiment").glob("[a-z]*.py"))])
def test_examples_in_the_code_are_true(name: str) -> None:
    module = importlib.import_module(f"simulation.experiment.{name}")
    assert doctest.testmod(module).failed == 0


@pytest.mark.skipif(importlib.util.find_spec("simulation.system") is None, reason="no model yet")
@pytest.mark.skipif(not (ROOT / "scenarios/hdc_expansion.yaml").is_file(), reason="no such scenario yet")
@pytest.mark.long
def test_the_notebook_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "docs")
    example = importlib.import_module("notebook_example")
    headlines = example.small_study(tmp_path / "study")
    assert headlines.height == 8
    del sys.modules["notebook_example"]
