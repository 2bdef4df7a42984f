"""Writes report.html: one page, made from the files of a study, that needs no network."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from markupsafe import Markup
from plotly.offline import get_plotlyjs

from simulation.measures.registry import MEASURE_BY_NAME
from simulation.report import findings as words
from simulation.report.background import (
    change_section,
    facts_of,
    level_section,
    pairing_section,
    parameter_section,
)
from simulation.report.by_group import group_section
from simulation.report.charts import Numbering
from simulation.report.effects import effects_section
from simulation.report.findings import Finding
from simulation.report.glossary import GLOSSARY
from simulation.report.sections import (
    difference_section,
    distribution_section,
    path_section,
    worst_off_section,
)
from simulation.report.study import ScenarioText, StudyFolder
from simulation.report.template import environment, hash_for_policy, own_file
from simulation.report.warm_up import warm_up_section
from simulation.report.wording import counted, listed, sentence_case, spelled

REPORT_NAME = "report.html"
TITLE = "Probation in England and Wales: what would change"


def build_report(folder: Path) -> Path:
    """Write the report of a study.

    Parameters
    ----------
    folder : Path
        Folder of the study; only its files are read.

    Returns
    -------
    Path
        The page, ``report.html`` in that folder. It replaces an older one in a single step.

    Raises
    ------
    StudyError
        Where the folder is no study or a file of it cannot be read.
    """
    study = StudyFolder.read(Path(folder))
    page = _render(study)
    target = study.path / REPORT_NAME
    # A reader never meets half a page, even if this is stopped.
    part = target.with_suffix(".html.part")
    part.write_text(page, encoding="utf-8", newline="\n")
    os.replace(part, target)
    return target


def _render(study: StudyFolder) -> str:
    numbering = Numbering()
    by_scenario = {
        scenario.name: words.findings_of(study.headlines, study.rows_of(scenario.name))
        for scenario in study.changed
    }
    difference_charts = difference_section(study, by_scenario, numbering)
    distribution_groups = distribution_section(study, numbering)
    path_groups, paths_note = path_section(study, numbering)
    level_chart = level_section(study, numbering)
    worst_tables = worst_off_section(study)
    groups_note, group_parts = group_section(study)
    switches, effects_tables = effects_section(study)
    pairing_table = pairing_section(study)
    warm_up_note, warm_up_table = warm_up_section(study)
    contents = [
        ("findings", "Findings"),
        *([("differences", "How big, and how sure")] if difference_charts else []),
        ("cannot", "What this cannot say"),
        *([("worst", "Who loses")] if worst_tables else []),
        *([("groups", "Who gains and loses: people")] if group_parts else []),
        *([("effects", "If supervision changes people")] if effects_tables else []),
        *([("distributions", "Behind the averages")] if distribution_groups else []),
        *([("paths", "Month by month")] if path_groups else []),
        *([("levels", "Check against published figures")] if level_chart else []),
        *([("warm-up", "Had the model settled")] if warm_up_table else []),
        *([("pairing", "What pairing gained")] if pairing_table else []),
        ("assumptions", "Assumptions"),
        ("reproduce", "Reproduce"),
        ("glossary", "Words used"),
        ("licence", "Licence"),
    ]
    plotly, script = get_plotlyjs(), own_file("page.js")
    compared = _compared(study)
    return environment().get_template("page.jinja").render(
        title=TITLE,
        compared=compared,
        description=f"{compared}. A difference, not a forecast.",
        css=Markup(own_file("page.css")),
        plotly=Markup(plotly),
        script=Markup(script),
        script_hashes=" ".join(hash_for_policy(text) for text in (plotly, script)),
        status=_status(study),
        warnings=_warnings(study),
        contents=contents,
        findings_note=_findings_note(study, sum(len(found) for found in by_scenario.values())),
        answers=[_answer(study, scenario, by_scenario[scenario.name]) for scenario in study.changed],
        difference_charts=difference_charts,
        caveats=words.caveats(study.levels, study.replications, study.draws),
        worst_tables=worst_tables,
        groups_note=groups_note,
        group_parts=group_parts,
        switches=switches,
        effects_tables=effects_tables,
        distribution_groups=distribution_groups,
        path_groups=path_groups,
        paths_note=paths_note,
        level_chart=level_chart,
        warm_up_note=warm_up_note,
        warm_up_table=warm_up_table,
        pairing_table=pairing_table,
        change_tables=[
            (scenario.title, table)
            for scenario in study.changed
            if (table := change_section(scenario)) is not None
        ],
        parameter_table=parameter_section(study),
        parameter_note="Confidence says how good the evidence is. An assumption is a judgement: change it "
        "and run again.",
        command=str(study.manifest.get("command") or ""),
        facts=facts_of(study),
        glossary=GLOSSARY,
    )


# The head of the page


def _compared(study: StudyFolder) -> str:
    titles = [scenario.title for scenario in study.changed]
    if not titles:
        return f"{study.baseline.title}, with nothing to compare"
    return f"{listed(titles)}, compared with the baseline"


def _status(study: StudyFolder) -> list[str]:
    manifest = study.manifest
    code = manifest.get("code")
    commit = str(code.get("commit") or "") if isinstance(code, dict) else ""
    items = []
    if version := manifest.get("model_version"):
        items.append(f"Model version {version}")
    elif commit:
        items.append(f"Model at commit {commit[:10]}")
    if fingerprint := manifest.get("fingerprint"):
        items.append(f"Fingerprint {fingerprint}")
    items.append(f"{sentence_case(counted(study.replications, 'run'))} of each scenario")
    return items


def _warnings(study: StudyFolder) -> list[str]:
    warnings = []
    code = study.manifest.get("code")
    if isinstance(code, dict) and code.get("clean") is False:
        warnings.append(
            "Made with a program that was changed and not committed, so nobody else can make it again: "
            "do not quote it."
        )
    state = study.manifest.get("state")
    if state not in (None, "finished"):
        warnings.append(f"The study is not finished (it is {state}): figures may be missing or old.")
    return warnings


def _findings_note(study: StudyFolder, compared: int) -> str:
    """How to read the sentences; `compared` is how many of them have an interval."""
    runs = study.replications
    if runs == 1:
        return "From one run of each scenario, so there are no intervals."
    note = (
        f"Average over the time from the change to the end of the run, from {counted(runs, 'pair')} of runs. "
        "In brackets: 95% interval, which covers chance alone."
    )
    by_luck = round(compared / 20)
    if by_luck:
        note += f" Of {compared} comparisons, about {spelled(by_luck)} would look clear by luck alone."
    return note


def _answer(study: StudyFolder, scenario: ScenarioText, found: list[Finding]) -> dict[str, Any]:
    """What one scenario's box says."""
    rows = study.rows_of(scenario.name)
    largest = words.largest(found)
    if largest is not None:
        lead = largest.text
    elif study.replications == 1:
        lead = "Too few runs to say: one run of each scenario cannot separate the change from chance."
    else:
        lead = "Nothing clear: every difference is too close to call, or there is none."
    rest = [item for item in found if item is not largest]
    groups = [
        (
            "Clear changes" if largest is None else "Other clear changes",
            [item for item in rest if item.clear],
        ),
        ("Too close to call", [item for item in rest if item.status == "too close to call"]),
        ("No difference", [item for item in rest if item.status == "no difference"]),
        ("From one run", [item for item in rest if item.status == "single run"]),
    ]
    return {
        "title": scenario.title,
        "question": scenario.question,
        "asked_by": scenario.asked_by,
        "expected": scenario.expected,
        "expectations": [
            words.against_expectation(MEASURE_BY_NAME[name], rows[name], way)
            for name, way in scenario.expects.items()
            if name in MEASURE_BY_NAME and name in rows
        ],
        "lead": lead,
        "moved": [item.text for item in words.findings_of(study.moved_by(scenario), rows)],
        "tally": words.tally(found),
        "losers": words.losers(study.headlines, rows),
        "groups": [(heading, items) for heading, items in groups if items],
    }
