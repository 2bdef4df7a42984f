"""The reporting checklist: every item answered, shortly, with links, and with figures that hold elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simulation.experiment.inputs import DEFAULT_REPLICATIONS, DEFAULT_SEED
from simulation.scenario import load_parameters, load_scenario

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "stress_des.md").read_text("utf-8")
README = (ROOT / "README.md").read_text("utf-8")
#: The items of STRESS-DES.
ITEMS = {
    "1.1": "Purpose of the model",
    "1.2": "Model outputs",
    "1.3": "Experimentation aims",
    "2.1": "Base model overview diagram",
    "2.2": "Base model logic",
    "2.3": "Scenario logic",
    "2.4": "Algorithms",
    "2.5.1": "Entities",
    "2.5.2": "Activities",
    "2.5.3": "Resources",
    "2.5.4": "Queues",
    "2.5.5": "Entry and exit points",
    "3.1": "Data sources",
    "3.2": "Pre-processing",
    "3.3": "Input parameters",
    "3.4": "Assumptions",
    "4.1": "Initialisation",
    "4.2": "Run length",
    "4.3": "Estimation approach",
    "5.1": "Software",
    "5.2": "Random sampling",
    "5.3": "Model execution",
    "5.4": "System specification",
    "6.1": "Computer model sharing statement",
}
ANSWERS = {
    number: text.partition("\n## ")[0].strip()
    for number, text in re.findall(r"^### ([\d.]+) [^\n]+\n(.*?)(?=^### |\Z)", PAGE, re.DOTALL | re.MULTILINE)
}


def sentences(text: str) -> int:
    """How many sentences a text has, lists left out."""
    prose = re.sub(r"^(- |  ).*$", "", text, flags=re.MULTILINE)
    prose = re.sub(r"\]\([^)]*\)|`[^`]*`", "]", prose)
    return len(re.findall(r"[.?!](?=\s|$)", prose))


def test_all_items_stand_in_their_order() -> None:
    found = re.findall(r"^### ([\d.]+) (.+)$", PAGE, re.MULTILINE)
    assert found == list(ITEMS.items())
    assert len(found) == 24


@pytest.mark.parametrize("number", ITEMS)
def test_an_answer_is_short_and_leads_somewhere(number: str) -> None:
    answer = ANSWERS[number]
    assert 2 <= sentences(answer) <= 6
    inside = [link for link in re.findall(r"\]\(([^)\s]+)\)", answer) if not link.startswith("http")]
    assert inside, "no link to a document, a module or a parameter file"


def test_dates_replications_and_seed_are_those_of_the_default_study() -> None:
    baseline = load_scenario("baseline")
    words = [f"{day.day} {day:%B %Y}" for day in (baseline.start, baseline.count_from, baseline.end)]
    assert all(day in ANSWERS["4.2"] for day in words)
    assert f"{DEFAULT_REPLICATIONS} by default" in ANSWERS["4.3"]
    assert f"default seed is {DEFAULT_SEED}" in ANSWERS["5.2"]
    for name in ("reunification", "hdc_expansion"):
        first = min(change.start for change in load_scenario(name).changes)
        assert f"begin on {first.day} {first:%B %Y}" in ANSWERS["4.2"]


def test_run_times_and_hardware_are_those_of_the_readme() -> None:
    answer = " ".join(ANSWERS["5.4"].split())
    times = re.findall(r"\d+ minutes? \d+ seconds", answer)
    assert times and all(time in README for time in times)
    assert times == re.findall(r"\d+ minutes? \d+ seconds", " ".join(README.split()))[: len(times)]
    hardware = re.search(r"two shared cores \([^)]+\)", answer)
    assert hardware is not None and hardware.group() in README


def test_versions_are_those_that_are_pinned() -> None:
    pinned = dict(re.findall(r"^([A-Za-z]+)==(\S+)$", (ROOT / "constraints.txt").read_text("utf-8"), re.MULTILINE))
    named = re.findall(r"\b(SimPy|NumPy|Numba|Polars) (\d[\d.]*\d)", ANSWERS["5.1"])
    assert len(named) == 4
    assert {(name.lower(), version) for name, version in named} <= set(pinned.items())


def test_most_parameters_are_judgement_as_the_page_says() -> None:
    letters = [parameter.confidence for parameter in load_parameters().values()]
    assert letters.count("assume") > len(letters) / 2
