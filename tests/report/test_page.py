"""The page as text: structure, escaping, no network, tables and downloads."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import polars as pl
import pytest
from fake_study import write_study
from typer import Typer
from typer.testing import CliRunner

from simulation.commands.report import report
from simulation.report import StudyError, build_report
from simulation.report.figure_style import PALETTE, TEXT_COLOURS
from simulation.report.paths import monthly_differences
from simulation.report.study import StudyFolder
from simulation.report.tables import Table


class Outline(HTMLParser):
    """Collects elements with their attributes and text, without the text of scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.headings: list[tuple[int, str]] = []
        self.text = ""
        self._open = ""
        self._silent = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self._silent = tag in ("script", "style")
        if re.fullmatch(r"h[1-6]", tag):
            self._open = tag
            self.headings.append((int(tag[1]), ""))

    def handle_endtag(self, tag: str) -> None:
        self._silent = False
        if tag == self._open:
            self._open = ""

    def handle_data(self, data: str) -> None:
        if self._silent:
            return
        self.text += data
        if self._open:
            level, text = self.headings[-1]
            self.headings[-1] = (level, text + data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def page(report_page: Path) -> str:
    return report_page.read_text("utf-8")


@pytest.fixture(scope="module")
def outline(page: str) -> Outline:
    return Outline(page)


def test_headings_are_in_order_and_none_is_skipped(outline: Outline) -> None:
    levels = [level for level, _ in outline.headings]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert all(text.strip() for _, text in outline.headings)


def test_sections_come_in_the_order_promised(outline: Outline) -> None:
    sections = [text for level, text in outline.headings if level == 2]
    assert sections == [
        "Findings",
        "How big, and how sure",
        "What this cannot say",
        "Who loses: the worst-off tenth of areas",
        "Behind the averages",
        "Month by month",
        "Does the baseline look like the real service?",
        "Had the model settled before counting began?",
        "What pairing gained",
        "Assumptions and sources",
        "How to get these figures again",
        "Words used",
        "Licence and sources",
    ]


def test_language_skip_link_and_contents_lead_somewhere(outline: Outline) -> None:
    assert outline.all("html")[0]["lang"] == "en-GB"
    ids = [attributes["id"] for _, attributes in outline.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    inside = [link["href"][1:] for link in outline.all("a") if link["href"].startswith("#")]
    assert "findings" in inside
    assert set(inside) <= set(ids)


def test_status_line_says_version_fingerprint_and_kind(outline: Outline) -> None:
    for words in ("Model version 0.1.0", "Fingerprint 3f9a1c07be52", "A difference, not a forecast"):
        assert words in outline.text
    assert "significant" not in outline.text.lower()
    assert "offender" not in outline.text.lower()


def test_every_figure_has_a_name_a_finding_a_table_and_a_download(page: str, outline: Outline) -> None:
    figures = outline.all("figure")
    assert len(figures) == 2 + 4 + 15 + 1
    drawings = [attributes for attributes in outline.all("div") if attributes.get("class") == "plot"]
    assert len(drawings) == len(figures)
    for drawing in drawings:
        assert drawing["role"] == "img"
        assert len(drawing["aria-label"]) > 30
    titles = re.findall(r'<span class="title" id="[^"]+">([^<]+)</span>', page)
    assert len(titles) == len(figures)
    assert all(len(title.split()) <= 15 for title in titles)
    assert len(outline.all("details")) >= len(figures)
    for attributes in outline.all("th"):
        assert attributes["scope"] in ("col", "row")
    links = [link for link in outline.all("a") if "download" in link]
    assert len(links) >= len(figures)
    for link in links:
        assert link["download"].endswith(".csv")
        text = unquote(link["href"].removeprefix("data:text/csv;charset=utf-8,"))
        rows = list(csv.reader(io.StringIO(text)))
        assert len(rows) > 1
        assert len({len(row) for row in rows}) == 1


def test_at_most_four_series_in_a_chart(page: str) -> None:
    for text in re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', page, flags=re.S):
        figure = json.loads(text)
        named = {trace.get("name") for trace in figure["data"]} - {None, "highest", "lowest"}
        assert len(named) <= 4


def test_nothing_comes_from_a_network(page: str, outline: Outline) -> None:
    for tag, attributes in outline.elements:
        for name in ("src", "srcset", "poster", "action"):
            assert name not in attributes, tag
        if tag in ("a", "link"):
            assert attributes["href"].startswith(("#", "data:")), tag
    policy = next(
        meta["content"] for meta in outline.all("meta") if "Content-Security-Policy" in meta.values()
    )
    assert "default-src 'none'" in policy
    assert "http" not in policy
    assert "@import" not in page.split("</style>")[0]
    assert "url(" not in page.split("</style>")[0]
    assert page.count("plotly.js v") == 1


def test_failures_come_first_beside_published_figures(page: str) -> None:
    table = next(part for part in page.split("<table>")[1:] if "The baseline beside published" in part[:200])
    verdicts = re.findall(r"<td>(Yes|No)</td>", table.split("</table>")[0])
    assert verdicts == sorted(verdicts)
    assert set(verdicts) == {"No", "Yes"}


def test_words_from_files_are_only_ever_words(tmp_path: Path) -> None:
    nasty = '<script>alert("x")</script> & "quotes" \'and\' {{ 7*7 }} </title><img src=x onerror=alert(1)>'
    folder = write_study(
        tmp_path / "study",
        ("baseline", "reunification"),
        2,
        titles={"reunification": nasty, "baseline": nasty},
    )
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    manifest |= {"fingerprint": nasty, "command": nasty, "model_version": nasty}
    manifest["versions"]["</dd><script>alert(2)</script>"] = nasty
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    parameters = pl.read_csv(folder / "parameters.csv", infer_schema=False)
    parameters.with_columns(source=pl.lit(nasty)).write_csv(folder / "parameters.csv")
    page = build_report(folder).read_text("utf-8")
    outline = Outline(page)
    assert "alert" in outline.text
    assert "{{ 7*7 }}" in outline.text
    assert outline.all("img") == []
    kinds = [script.get("type", "run") for script in outline.all("script")]
    assert kinds.count("run") == 2
    # In the data of figures too, a tag can neither start nor end.
    for text in re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', page, flags=re.S):
        assert "<" not in text
        for annotation in json.loads(text)["layout"].get("annotations", ()):
            assert "<script" not in annotation["text"]
            assert "<img" not in annotation["text"]


def test_a_download_is_never_a_formula() -> None:
    table = Table("Title", ("a", "b"), (("=1+1", "-2.5"), ("@x", "+y")))
    assert table.to_csv() == "a,b\r\n'=1+1,-2.5\r\n'@x,'+y\r\n"


def test_the_page_depends_on_the_files_alone(study_folder: Path, page: str) -> None:
    assert build_report(study_folder).read_text("utf-8") == page
    assert not list(study_folder.glob("*.part"))
    assert str(study_folder) not in page


def test_one_run_has_sizes_and_no_intervals(tmp_path: Path) -> None:
    folder = write_study(tmp_path / "study", ("baseline", "hdc_expansion"), 1)
    text = Outline(build_report(folder).read_text("utf-8")).text
    assert "From one run of each scenario, so there are no intervals." in text
    assert "one run only" in text
    assert "improve" not in text.split("What this cannot say")[0]


def test_a_study_of_the_baseline_alone_has_a_page(tmp_path: Path) -> None:
    folder = write_study(tmp_path / "study", ("baseline",), 2)
    text = Outline(build_report(folder).read_text("utf-8")).text
    assert "nothing to compare" in text
    assert "published figures" in text


def test_optional_files_may_be_missing(study_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "bare"
    folder.mkdir()
    for name in ("differences.csv", "manifest.json"):
        shutil.copy(study_folder / name, folder / name)
    text = Outline(build_report(folder).read_text("utf-8")).text
    assert "Hdc expansion" in text
    assert "Month by month" not in text
    assert "Behind the averages" not in text
    assert "run.py explain NAME" in text


def test_missing_measures_leave_no_empty_chart(study_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "few"
    shutil.copytree(study_folder, folder)
    rows = pl.read_csv(folder / "differences.csv", infer_schema=False)
    rows.filter(pl.col("measure") == "recalls_year").write_csv(folder / "differences.csv")
    page = build_report(folder).read_text("utf-8")
    assert "Of the one measure declared in advance" in page
    assert "not available" not in Outline(page).text


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("differences.csv", None, "missing"),
        ("differences.csv", "scenario,measure\na,b\n", "no column"),
        ("manifest.json", "{", "not valid JSON"),
        ("manifest.json", "[1]", "not a mapping"),
        ("scenarios/reunification.yaml", "a: &x 1\nb: *x\n", "aliases"),
        ("scenarios/reunification.yaml", "- 1\n", "not a mapping"),
        ("levels.csv", "title\nx\n", "no column"),
    ],
)
def test_a_bad_file_is_named(
    study_folder: Path, tmp_path: Path, name: str, content: str | None, message: str
) -> None:
    folder = tmp_path / "bad"
    shutil.copytree(
        study_folder, folder, ignore=shutil.ignore_patterns("runs", "outcomes.parquet", "report.html")
    )
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(content, "utf-8")
    with pytest.raises(StudyError, match=re.escape(name.split("/")[-1])) as error:
        build_report(folder)
    assert message in str(error.value)
    assert not (folder / "report.html").exists()


def test_a_scenario_name_cannot_lead_out_of_the_folder(study_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text("title: secret", "utf-8")
    folder = tmp_path / "study"
    folder.mkdir()
    text = (study_folder / "differences.csv").read_text("utf-8")
    (folder / "differences.csv").write_text(text.replace("reunification", "../../secret"), "utf-8")
    (folder / "manifest.json").write_text("{}", "utf-8")
    (folder / "scenarios").mkdir()
    titles = [scenario.title for scenario in StudyFolder.read(folder).scenarios]
    assert "secret" not in titles


def test_monthly_paths_are_zero_before_the_change_and_match_by_hand(study_folder: Path) -> None:
    study = StudyFolder.read(study_folder)
    paths = monthly_differences(study.outcomes(), study.headlines, "baseline")
    before = paths.filter(pl.col("month") < "2018-07")
    assert before.height > 0
    assert before["mean"].abs().max() == 0
    assert before["error"].abs().max() == 0
    month = pl.col("month") == "2019-03"
    counts = pl.read_parquet(study_folder / "outcomes.parquet").filter(
        month & (pl.col("measure") == "recalls")
    )
    sums = counts.group_by("scenario", "replication").agg(pl.col("value").sum())
    by = {(s, r): v for s, r, v in sums.iter_rows()}
    gaps = [(by["reunification", r] - by["baseline", r]) * 365.25 / 31 for r in range(5)]
    found = paths.filter(
        month & (pl.col("measure") == "recalls_year") & (pl.col("scenario") == "reunification")
    ).to_dicts()[0]
    assert found["mean"] == pytest.approx(sum(gaps) / 5)
    assert (found["low"], found["high"]) == pytest.approx((min(gaps), max(gaps)))


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str = "#FFFFFF") -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_marks_and_words_stand_out_from_white() -> None:
    assert all(contrast(colour) >= 3 for colour in PALETTE)
    assert all(contrast(colour) >= 4.5 for colour in TEXT_COLOURS)


def test_the_command_writes_the_page_and_refuses_a_wrong_folder(study_folder: Path, tmp_path: Path) -> None:
    app = Typer()
    app.command()(report)
    done = CliRunner().invoke(app, [str(study_folder)])
    assert done.exit_code == 0
    assert "report.html" in done.output
    wrong = CliRunner().invoke(app, [str(tmp_path / "nowhere")])
    assert wrong.exit_code == 2
    assert "no such study folder" in wrong.output


def test_what_a_change_does_itself_is_said_before_what_follows(page: str) -> None:
    start = page.index('<p class="dose">')
    said = page[start : page.index("</p>", start)]
    assert "People on home detention curfew" in said or "The number of people on home detention curfew" in said
    # Said once, for the scenario that names it, and before its lead.
    assert page.count('<p class="dose">') == 1
    box = page[page.rindex("<article", 0, start) : page.index("</article>", start)]
    assert box.index('class="dose"') < box.index('class="lead"')
    assert "more home detention curfew" in box.lower() or "home detention curfew" in box.lower()


def test_groups_of_people_have_a_section(study_folder: Path, tmp_path: Path) -> None:
    """Who gains, who loses, and what can't be split, in words and in a table; nothing of it in other studies."""
    folder = tmp_path / "split"
    shutil.copytree(study_folder, folder)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    (folder / "manifest.json").write_text(json.dumps({**manifest, "split": "sex"}), encoding="utf-8")
    unseen = {"scenario": "reunification", "measure": "unseen_share", "window": "to end", "replications": 5}
    figures = {"baseline": 10.0, "value": 8.0, "difference": -2.0, "low": -3.0, "high": -1.0, "relative": -20.0}
    worse = {"value": 12.0, "difference": 2.0, "low": 1.0, "high": 3.0, "relative": 20.0}
    rows = [
        {**unseen, **figures, "group": "all", "sign_agreement": 5, "note": None},
        {**unseen, **figures, "group": "women", "sign_agreement": 5, "note": None},
        {**unseen, **figures, **worse, "group": "men", "sign_agreement": 5, "note": None},
        {**unseen, **figures, "group": "all", "sign_agreement": 5, "note": "Not split: x"}
        | {"measure": "officers_over_110_share"},
    ]
    pl.DataFrame(rows).write_csv(folder / "differences_by_group.csv")
    text = " ".join(Outline(build_report(folder).read_text(encoding="utf-8")).text.split())
    assert "Who gains and who loses: groups of people" in text
    assert "Not seen face to face for over 60 days: better for women; worse for men." in text
    assert "Not split: x" in text
    assert "groups of people" not in Outline(build_report(study_folder).read_text(encoding="utf-8")).text


def test_differences_with_effects_have_a_section(study_folder: Path, tmp_path: Path) -> None:
    """What is assumed, that it is off elsewhere, and both differences; nothing of it where it wasn't asked for."""
    folder = tmp_path / "effects"
    shutil.copytree(study_folder, folder)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    question = "Whether long gaps change <reoffending>."
    asked = {"switches": {"effects.contact_on_reoffending": question}, "scenarios": []}
    (folder / "manifest.json").write_text(json.dumps({**manifest, "with_effects": asked}), encoding="utf-8")
    row = {"scenario": "reunification", "measure": "reoffended_within_year_share", "window": "to end"}
    row |= {"unit": "%", "first_month": "2018-07", "last_month": "2021-06"}
    off = {"replications": 5, "baseline": 40.0, "difference": 0.0, "low": -0.3, "high": 0.3}
    on = {"baseline": 41.0, "difference": -1.25, "low": -1.5, "high": -1.0}
    rows = [{**row, **off, **{f"{name}_with_effects": value for name, value in on.items()}}]
    pl.DataFrame([*rows, {**rows[0], "window": "12 months"}]).write_csv(folder / "differences_with_effects.csv")
    page = build_report(folder).read_text(encoding="utf-8")
    outline = Outline(page)
    text = " ".join(outline.text.split())
    assert "If supervision changes what people do" in [words for _, words in outline.headings]
    section = text.split("If supervision changes what people do")[-1].split("Behind the averages")[0]
    assert f"{question} effects.contact_on_reoffending" in section
    assert "an assumption with a range" in section and "cover chance alone" in section
    cells = ("0.0", "−0.3 to +0.3", "−1.2", "−1.5 to −1.0")
    shown = "Reoffended within a year (percentage points)</th>" + "".join(f"<td>{cell}</td>" for cell in cells)
    assert page.count(shown) == 1
    assert "If supervision changes" not in Outline(build_report(study_folder).read_text(encoding="utf-8")).text


def test_it_says_whether_the_model_had_settled(outline: Outline, report_page: Path, tmp_path: Path) -> None:
    assert "Had the model settled before counting began?" in [text for _, text in outline.headings]
    text = " ".join(outline.text.split())
    told = "enough for 1 of 3 headline measures, 1 asks for longer, and for 1 the run is too short to tell"
    assert told in text
    assert "A burn-in of 15 months would be enough for all that can be told" in text
    without = tmp_path / "study"
    shutil.copytree(report_page.parent, without)
    (without / "warm_up.csv").unlink()
    assert "Had the model settled" not in build_report(without).read_text("utf-8")
