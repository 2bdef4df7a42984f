"""A study folder with invented counts, written by the experiment's own table makers; no model is run."""

from __future__ import annotations

import datetime as dt
import functools
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from simulation.experiment.counts import WHOLE, load_counts
from simulation.experiment.differences import Arm, difference_tables
from simulation.experiment.levels import distribution_table, level_table
from simulation.experiment.runfiles import write_run
from simulation.experiment.windows import TO_END, whole_months, windows_after

AREAS = tuple(f"area_{number:02d}" for number in range(1, 13))
START, END = dt.date(2017, 1, 1), dt.date(2021, 6, 30)
IMPACT = dt.date(2018, 7, 1)
MONTHS = whole_months(START, END)

#: Typical monthly size of each count in all areas together.
SIZES = {
    "officers_in_post": 6000,
    "officers_over_110": 1350,
    "officers_with_tool": 6000,
    "first_appointments_community": 9200,
    "first_appointment_days_community": 62_000,
    "caseload_total": 262_000,
    "caseload_community": 190_000,
    "caseload_licence_pss": 61_000,
    "unseen_over_60_days": 21_500,
    "officer_changes": 9800,
    "case_days": 7_600_000,
    "crisis_unnoticed_days": 640_000,
    "community_days": 5_700_000,
    "recalls": 1830,
    "prison_determinate": 58_000,
    "prison_recalled": 6400,
    "prison_indeterminate": 10_600,
    "on_hdc": 2100,
    "hdc_releases": 790,
}

#: Change of each count, as a share, once a scenario is in force; and its own chance on top of the shared one.
EFFECTS = {
    "reunification": {
        "officers_over_110": -0.11,
        "first_appointment_days_community": 0.065,
        "unseen_over_60_days": -0.17,
        "officer_changes": 0.21,
        "crisis_unnoticed_days": -0.035,
        "recalls": 0.004,
        "prison_recalled": 0.003,
    },
    "hdc_expansion": {
        "officers_over_110": 0.006,
        "on_hdc": 0.58,
        "hdc_releases": 0.6,
        "prison_determinate": -0.021,
        "recalls": 0.023,
        "prison_recalled": 0.01,
        "officer_changes": 0.001,
    },
}

#: What a scenario acts on directly.
MOVES = {"hdc_expansion": ("hdc_population",)}

TEXTS = {
    "baseline": ("Baseline", "What happens if nothing is changed?", "", ""),
    "reunification": (
        "Reunification",
        "What if the companies and the National Probation Service had become one service in July 2018?",
        "Justice Committee",
        "Fewer overloaded officers in the end, more changes of officer in the first year.",
    ),
    "hdc_expansion": (
        "Expand home detention curfew",
        "What would releasing more people on home detention curfew ask of probation, and free in prison?",
        "Ministry of Justice",
        "Fewer people in prison, more on curfew, more address enquiries for officers.",
    ),
}

HISTOGRAMS = {
    "officers_by_cases": (43, 13, 5, 120),
    "officers_by_workload": (98, 22, 10, 200),
    "first_appointments_by_days": (6.7, 3.5, 1, 40),
    "people_by_days_since_seen": (26, 24, 10, 180),
}


@functools.cache
def run_rows(scenario: str, replication: int) -> pl.DataFrame:
    """Invented counts of one run: chance is shared by all scenarios, the effect starts on the impact date."""
    shared = np.random.default_rng([17, replication])
    own = np.random.default_rng([18, replication, len(scenario)])
    effects = EFFECTS.get(scenario, {})
    shares = np.linspace(0.6, 1.4, len(AREAS)) / len(AREAS)
    since = np.array([(int(m[:4]) - IMPACT.year) * 12 + int(m[5:]) - IMPACT.month for m in MONTHS])
    in_force = (since >= 0)[:, None] & (scenario != "baseline")
    ramp = np.minimum(1.0, (since + 1) / 9)[:, None]
    # One area is hit the other way, so that somebody loses where the country gains.
    tilt = np.where(np.arange(len(AREAS)) == 0, -0.6, 1.0)
    shape = (len(MONTHS), len(AREAS))
    areas, months = np.tile(AREAS, len(MONTHS)), np.repeat(MONTHS, len(AREAS))
    crcs = np.where(np.arange(len(AREAS)) % 2, "thames_valley", "essex_crc")
    frames = []
    for measure, size in SIZES.items():
        trend = (1 + 0.02 * shared.standard_normal()) * np.linspace(0.98, 1.03, len(MONTHS))[:, None]
        values = size * shares * (1 + 0.02 * shared.standard_normal(shape)) * trend
        moved = 1 + effects.get(measure, 0.0) * ramp * tilt
        moved += 0.05 * own.standard_normal(shape) + 0.012 * own.standard_normal()
        values = np.where(in_force, values * moved, values)
        for providers, part in (("nps_midlands", 0.4), (np.tile(crcs, len(MONTHS)), 0.6)):
            frames.append(
                pl.DataFrame(
                    {"area": areas, "month": months, "value": np.rint(part * values.ravel()).astype(int)}
                )
                .with_columns(
                    provider=pl.lit(providers) if isinstance(providers, str) else pl.Series(providers)
                )
                .with_columns(group=pl.lit(""), measure=pl.lit(measure), known_on=pl.col("month") + "-28")
            )
    names = ["area", "provider", "group", "month", "measure", "value", "known_on"]
    rows: list[tuple[str, str, str, str, str, int, str]] = []
    for histogram, (mean, spread, width, last) in HISTOGRAMS.items():
        moved = mean * (1 - 0.06 * (scenario == "reunification"))
        for month in MONTHS:
            before = month < "2018-07"
            sample = np.random.default_rng([19, replication]).gamma(
                (mean / spread) ** 2, spread**2 / mean, 2000
            ) * (1.0 if before else moved / mean)
            bands = np.minimum(sample // width * width, last).astype(int)
            for band, count in zip(*np.unique(bands, return_counts=True), strict=True):
                rows.append((WHOLE, "all", f"{band}", month, histogram, int(count), f"{month}-28"))
    histograms = pl.DataFrame(rows, schema=names, orient="row")
    return pl.concat([*(frame.select(names) for frame in frames), histograms])


def write_study(
    folder: Path,
    scenarios: Sequence[str] = ("baseline", "reunification", "hdc_expansion"),
    replications: int = 5,
    titles: dict[str, str] | None = None,
    parameters: bool = True,
) -> Path:
    """Write a study folder as the experiment does.

    Parameters
    ----------
    folder : Path
        Made if missing.
    scenarios : sequence of str
        The first is the baseline.
    replications : int
        Runs of each.
    titles : dict of str to str, optional
        Titles in place of the usual ones.
    parameters : bool
        Write parameters.csv too.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files: dict[str, list[Path]] = {}
    tagged = []
    for scenario in scenarios:
        files[scenario] = []
        for replication in range(replications):
            rows = run_rows(scenario, replication)
            record = write_run(folder, {"scenario": scenario, "replication": replication}, rows)
            files[scenario].append(folder / "runs" / f"{record.key}.parquet")
            tagged.append(
                rows.select(
                    pl.lit(scenario).alias("scenario"),
                    pl.lit(0).alias("draw"),
                    pl.lit(replication).alias("replication"),
                    "area",
                    "provider",
                    "group",
                    "month",
                    "measure",
                    "value",
                    "known_on",
                )
            )
    pl.concat(tagged).write_parquet(folder / "outcomes.parquet")
    baseline = scenarios[0]
    counts = {name: load_counts(paths, AREAS, MONTHS) for name, paths in files.items()}
    arms = [Arm(name, IMPACT, counts[name], MOVES.get(name, ())) for name in scenarios[1:]]
    tables = difference_tables(Arm(baseline, None, counts[baseline]), arms)
    tables.differences.write_csv(folder / "differences.csv")
    tables.headlines.write_csv(folder / "headlines.csv")
    level_table(files[baseline], MONTHS, True).write_csv(folder / "levels.csv")
    after = next(window for window in windows_after(IMPACT, MONTHS) if window.name == TO_END)
    distribution_table(dict(files), after).write_csv(folder / "distributions.csv")
    (folder / "scenarios").mkdir(exist_ok=True)
    for scenario in scenarios:
        title, question, asked_by, expected = TEXTS[scenario]
        title = (titles or {}).get(scenario, title)
        text = {
            "name": scenario,
            "title": title,
            "question": question,
            "asked_by": asked_by,
            "expected": expected,
            "moves": list(MOVES.get(scenario, ())),  # type: ignore[dict-item]
        }
        if scenario != baseline:
            text["changes"] = [  # type: ignore[assignment]
                {
                    "from": "2018-07-01",
                    "applies_to": "all",
                    "set": {"organisation.structure": "unified", "contact.interval_weeks.nps.C1": "4"},
                    "why": "One service, one pattern of contact.",
                }
            ]
        # JSON is YAML too, and quotes whatever needs it.
        (folder / "scenarios" / f"{scenario}.yaml").write_text(json.dumps(text, indent=1), encoding="utf-8")
    if parameters:
        pl.DataFrame(
            {
                "name": ["custody.hdc.take_up", "staff.sickness.spells"],
                "value": ["0.36", "0.8"],
                "unit": ["share", "spells a year"],
                "low": ["0.25", "0.5"],
                "high": ["0.5", "1.2"],
                "confidence": ["assume", "S"],
                "source": ["Judgement; P121 gives the released share.", "Workforce statistics, <2018>"],
            }
        ).write_csv(folder / "parameters.csv")
    pl.DataFrame(
        {
            "measure": ["prison_sentenced", "recalls_year", "unseen_share"],
            "title": ["Sentenced and recalled prisoners", "Recalls", "Not seen face to face for over 60 days"],
            "unit": ["people", "recalls a year", "% of people in the community"],
            "months": [60, 60, 60],
            "burn_in_months": [6, 6, 6],
            "asks_months": [5, 15, None],
            "verdict": ["enough", "asks for longer", "too short to tell"],
            "mean_before": [75_120.5, 21_000.0, 14.25],
            "mean_counted": [75_300.25, 22_500.0, 15.5],
        }
    ).write_csv(folder / "warm_up.csv")
    manifest = {
        "model_version": "0.1.0",
        "fingerprint": "3f9a1c07be52",
        "state": "finished",
        "baseline": baseline,
        "scenarios": [{"name": name, "digest": "0" * 64} for name in scenarios],
        "areas": list(AREAS),
        "dates": {"start": "2016-07-01", "count_from": "2017-01-01", "end": "2021-06-30"},
        "seed": 7,
        "replications": replications,
        "draws": 1,
        "whole_country": True,
        "code": {"digest": "1" * 64, "commit": "0123456789abcdef0123456789abcdef01234567", "clean": True},
        "times": {"finished": "2026-11-20T10:00:00+00:00", "seconds": 143.2, "workers": 2},
        "versions": {"python": "3.11.9", "numpy": "2.4.6", "plotly": "7.1.0"},
        "command": f"python run.py compare {' '.join(scenarios)} --replications {replications} --seed 7",
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2), encoding="utf-8")
    return folder
