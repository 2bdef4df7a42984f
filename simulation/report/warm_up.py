"""The part of a page that says whether the model had settled before counting began."""

from __future__ import annotations

from simulation.report.study import StudyFolder
from simulation.report.tables import Table
from simulation.report.wording import number, sentence_case

_RAW = ("measure", "title", "unit", "months", "burn_in_months", "asks_months", "verdict", "mean_before", "mean_counted")


def warm_up_section(study: StudyFolder) -> tuple[str, Table | None]:
    """Return a sentence on how many headline measures had settled, and a table; nothing where the study has none."""
    rows = study.warm_up.to_dicts()
    if not rows:
        return "", None
    burn_in, months = rows[0]["burn_in_months"], rows[0]["months"]
    of = {verdict: sum(row["verdict"] == verdict for row in rows) for verdict in ("enough", "asks for longer")}
    rest = len(rows) - sum(of.values())
    asked = [row["asks_months"] for row in rows if row["asks_months"] is not None]
    sentence = (
        f"Counting begins {burn_in} months after the start of each run. By MSER-5 on {months} months of the baseline "
        f"that is enough for {of['enough']} of {len(rows)} headline measures, {of['asks for longer']} "
        f"{'asks' if of['asks for longer'] == 1 else 'ask'} for longer, "
        f"and for {rest} the run is too short to tell."
    )
    if of["asks for longer"]:
        sentence += f" A burn-in of {max(asked)} months would be enough for all that can be told."
    shown = [
        (
            row["title"],
            row["unit"],
            "–" if row["asks_months"] is None else number(row["asks_months"], 0),
            sentence_case(row["verdict"]),
            "–" if row["mean_before"] is None else number(row["mean_before"]),
            "–" if row["mean_counted"] is None else number(row["mean_counted"]),
        )
        for row in rows
    ]
    table = Table(
        caption=f"Burn-in that each headline measure asks for, beside the {burn_in} months of this study",
        columns=("Measure", "Unit", "Months asked for", "Verdict", "Mean before counting", "Mean counted"),
        rows=tuple(shown),
        raw=tuple(tuple(row[name] for name in _RAW) for row in rows),
        raw_columns=_RAW,
        text_columns=(1, 3),
        row_classes=tuple("fails" if row["verdict"] == "asks for longer" else "" for row in rows),
    )
    return sentence, table
