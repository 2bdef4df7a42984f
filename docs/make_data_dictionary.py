"""Write docs/data_dictionary.md from the declarations in the code: ``python docs/make_data_dictionary.py``."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

FILE = Path(__file__).with_name("data_dictionary.md")
sys.path.insert(0, str(FILE.parents[1]))

from simulation.engine import Column  # noqa: E402
from simulation.measures.registry import (  # noqa: E402
    COUNTS,
    HEADLINES,
    HISTOGRAM_WIDTH,
    MEASURES,
    PUBLISHED,
    Measure,
    Published,
)
from simulation.system import codes, columns  # noqa: E402
from simulation.system.caseload import balance_table  # noqa: E402
from simulation.system.contracts import contracts_table  # noqa: E402
from simulation.system.ledger import accounts_table, headings_table  # noqa: E402
from simulation.system.organisation import teams_table, turns_table  # noqa: E402
from simulation.system.other_staff import other_staff_table  # noqa: E402
from simulation.system.recruitment import cohorts_table, training_table  # noqa: E402
from simulation.system.results import COHORTS  # noqa: E402
from simulation.system.staffing import establishment_table  # noqa: E402

TABLES: tuple[tuple[str, str, tuple[Column, ...]], ...] = (
    ("people", "One row a person, in the order of their keys; made before day 0 for the whole run.", columns.PEOPLE),
    ("sentences", "One row a sentence; several of one person may run at once.", columns.SENTENCES),
    ("requirements", "One row for each thing that an order requires besides supervision.", columns.REQUIREMENTS),
    ("programme_groups", "One row a group of an accredited programme that ever began.", columns.PROGRAMME_GROUPS),
    (
        "requirement_totals",
        "Two rows: days of rehabilitation activity, and hours of unpaid work.",
        columns.REQUIREMENT_TOTALS,
    ),
    ("posts", "One row a post of a case-holding officer, with the state of its present holder.", columns.POSTS),
    ("tasks", "Work waiting in diaries. Rows are not identities: the table is packed every day.", columns.TASKS),
    ("court_queue", "Reports asked for; packed every day.", columns.QUEUES),
    ("release_queue", "Plans, resettlement work and help to be done; packed every day.", columns.RESETTLEMENT),
    ("home_seekers", "People who wait for a place to live on release; packed every day.", columns.SEEKERS),
    ("teams", "One row a police force area.", teams_table(1).columns),
    (
        "turns",
        "Two rows an office, one for each employer: whose turn it was, where cases are given out by turns.",
        turns_table(1).columns,
    ),
    ("contracts", "One row a police force area: what its company has come to.", contracts_table(1).columns),
    ("accounts", "One row an account of a police force area.", accounts_table(1).columns),
    ("headings", "One row a police force area: what its company was paid and spent.", headings_table(1).columns),
    ("cohorts", "One row a person in a cohort of payment by results; settled rows go.", COHORTS),
    (
        "balance",
        "Six rows: time at work, started, unused, change in time owed less saved, charged for handing cases over, and "
        "written off with those who went away.",
        balance_table().columns,
    ),
    ("training", "One row a police force area.", training_table(1).columns),
    ("training_cohorts", "One row a police force area and month of the year.", cohorts_table(1).columns),
    ("establishment", "One row a police force area.", establishment_table(1).columns),
    ("other_staff", "One row a police force area and side.", other_staff_table(1).columns),
)

#: Lists that the numbers in code columns point into.
LISTS = (
    *("Location", "Kind", "Status", "Setting", "Tier", "Rosh"),
    *("Grade", "Task", "RecallKind", "Report", "Mode", "Home"),
    *("Requirement", "Delivery", "Programme", "Progress"),
)


def cell(text: object) -> str:
    """Return text that can stand in a cell of a table."""
    return " ".join(str(text).split()).replace("|", "\\|")


def rows(heads: tuple[str, ...], body: Iterable[tuple[object, ...]]) -> str:
    """Return a table."""
    lines = ["| " + " | ".join(heads) + " |", "| " + " | ".join("---" for _ in heads) + " |"]
    lines += ["| " + " | ".join(cell(value) for value in row) + " |" for row in body]
    return "\n".join(lines) + "\n"


def made_of(measure: Measure) -> str:
    """Return the arithmetic of a measure in words."""
    text = " + ".join(f"`{name}`" for name in measure.numerator)
    if measure.denominator:
        text = f"({text})" if len(measure.numerator) > 1 else text
        below = " + ".join(f"`{name}`" for name in measure.denominator)
        text += f" / ({below})" if len(measure.denominator) > 1 else f" / {below}"
    return text if measure.scale == 1 else f"{text} × {measure.scale:g}"


def compared(row: Published) -> str:
    """Return what a published figure is held beside."""
    text = " + ".join(f"`{name}`" for name in row.counts)
    if row.of:
        text += " / " + " + ".join(f"`{name}`" for name in row.of)
    return f"{text} ({row.provider_kind.upper()} only)" if row.provider_kind else text


def dictionary() -> str:
    """Return the whole page."""
    parts = [
        "# Data dictionary\n",
        "Made by `python docs/make_data_dictionary.py` from the declarations in the code; do not edit it by hand. "
        "[model.md](model.md) says what the rows do, [result_files.md](result_files.md) what a study writes.\n",
        "## Tables of the model\n",
        "Days are whole numbers, 0 on the first day of the run and negative before it. "
        "A date that doesn't exist is -2,147,483,648.\n",
    ]
    for name, what, table in TABLES:
        body = [(f"`{c.name}`", c.dtype, c.unit, c.meaning) for c in table]
        parts += [f"### {name}\n", what + "\n", rows(("column", "type", "unit or list", "meaning"), body)]
    parts += ["### Lists\n", "A code column holds the number before a name.\n"]
    lists = [(name, getattr(codes, name).names) for name in LISTS]
    body = [(f"`{name}`", ", ".join(f"{n} {word.lower()}" for n, word in enumerate(names))) for name, names in lists]
    parts.append(rows(("list", "values"), body))
    parts += [
        "## Counts\n",
        "Whole numbers by police force area, side (NPS or CRC) and month; `outcomes.parquet` holds them all. A *stock* "
        "is taken at the end of the last day of a month, a *flow* is added up over the month, a *histogram* counts by "
        "band for each side in the whole country (the band is in the column `group`).\n",
    ]
    body = []
    for count in COUNTS:
        width = HISTOGRAM_WIDTH.get(count.name)
        band = f" Width of a band: {width}." if width else ""
        body.append((f"`{count.name}`", count.kind, count.unit, count.description + band))
    parts.append(rows(("count", "kind", "unit", "what is counted"), body))
    parts += [
        "## Measures\n",
        "What reports show: ratios of sums of counts, made when results are written. **Bold** measures are the "
        "headlines that a study declares in advance. Better: the direction that most readers would call an "
        "improvement.\n",
    ]
    body = []
    for measure in MEASURES:
        name = f"**`{measure.name}`**" if measure.name in HEADLINES else f"`{measure.name}`"
        body.append((name, measure.title, measure.unit, made_of(measure), measure.better, measure.description))
    parts.append(rows(("measure", "title", "unit", "made of", "better", "note"), body))
    parts += [
        "## Published figures held beside levels\n",
        "Evidence ids point into `scenarios/data/evidence/`.\n",
    ]
    body = [
        (p.evidence_id, p.title, compared(p), p.how, p.when, f"{p.value:,g}", f"{p.low:,g} to {p.high:,g}", p.note)
        for p in PUBLISHED
    ]
    parts.append(rows(("id", "figure", "made of", "how", "when", "published", "range", "note"), body))
    return "\n".join(parts)


if __name__ == "__main__":
    FILE.write_text(dictionary(), encoding="utf-8", newline="\n")
