"""Write docs/validation.md: the model's history beside the published record, uncalibrated, failures first.

Not part of the tests: it reads what ``python run.py validate`` wrote:
``python docs/make_validation.py results/history``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import yaml

FILE = Path(__file__).with_name("validation.md")
REASONS = Path(__file__).with_name("validation_reasons.yaml")

HEADING = """# The published record beside the model

Made by `python docs/make_validation.py` from `python run.py validate` ({runs}). For an analyst. Rules and inputs of
2014 to 2017 are fed in (scenario `history`); everything in the table is the model's own, and **nothing was tuned to
it**. The band is that of runs with other luck: 95% of them would lie inside, if only luck were unknown. *Error in
tolerances* is how far the median lies from the published value, in half-widths of the range that is accepted.

{summary}

## Misses beyond twice the tolerance, and what we suspect

"""


def main() -> None:
    """Read the results and write the page."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("folder", type=Path, help="folder that validate wrote")
    asked.add_argument("--runs", default="5 runs of the country")
    options = asked.parse_args()
    rows = with_errors(pl.read_csv(options.folder / "validation.csv", infer_schema_length=None))
    reasons = yaml.safe_load(REASONS.read_text("utf-8"))
    far = rows.filter(pl.col("tolerances") > 2)
    unexplained = set(far["measure"]) - set(reasons)
    if unexplained:
        sys.exit(f"No reason in {REASONS.name} for: {', '.join(sorted(unexplained))}")
    told = rows.filter(pl.col("simulated").is_not_null())
    summary = (
        f"{told['inside'].sum()} of {len(told)} published values lie inside their range, {len(far)} are missed by "
        f"more than twice the tolerance; {len(rows) - len(told)} have no simulated value."
    )
    text = HEADING.format(runs=options.runs, summary=summary)
    text += "".join(_suspected(far, reasons)) + "\n## Every published value\n\n" + "".join(_table(rows))
    FILE.write_text(text, encoding="utf-8")


def with_errors(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with how far each lies from what was published, in tolerances, worst first."""
    tolerance = (pl.col("accept_high") - pl.col("accept_low")) / 2
    distance = (pl.col("simulated") - pl.col("published")).abs()
    return rows.with_columns(tolerances=distance / tolerance).sort("tolerances", descending=True, nulls_last=True)


def _suspected(far: pl.DataFrame, reasons: dict[str, str]) -> Iterator[str]:
    """Yield a line for each measure that is missed by far."""
    yield "| measure | values | between | simulated over published | suspected reason |\n|---|---|---|---|---|\n"
    ratio = pl.when(pl.col("published") != 0).then(pl.col("simulated") / pl.col("published"))
    for (measure,), group in far.group_by("measure", maintain_order=True):
        low, high = group.select(low=ratio.min(), high=ratio.max()).row(0)
        between = f"{group['period_start'].min()} and {group['period_end'].max()}"
        span = "-" if low is None else f"{low:.2f} to {high:.2f}"
        yield f"| `{measure}` | {len(group)} | {between} | {span} | {reasons[str(measure)]} |\n"


def _table(rows: pl.DataFrame) -> Iterator[str]:
    """Yield the table of all values."""
    yield "| id | measure | period | published | range | simulated | 95% band | error in tolerances | inside |\n"
    yield "|---|---|---|---|---|---|---|---|---|\n"
    for row in rows.iter_rows(named=True):
        begins, period = row["period_start"], row["period_end"]
        period = period if begins == period else f"{begins} to {period}"
        seen = "-" if row["simulated"] is None else _figure(row["simulated"])
        band = "-" if row["simulated"] is None else f"{_figure(row['low_95'])} to {_figure(row['high_95'])}"
        times = "-" if row["tolerances"] is None else f"{row['tolerances']:.1f}"
        inside = {True: "yes", False: "no"}.get(row["inside"], "-")
        allowed = f"{_figure(row['accept_low'])} to {_figure(row['accept_high'])}"
        yield (
            f"| {row['id']} | `{row['measure']}` | {period} | {_figure(row['published'])} | {allowed} | {seen} | "
            f"{band} | {times} | {inside} |\n"
        )


def _figure(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


if __name__ == "__main__":
    main()
