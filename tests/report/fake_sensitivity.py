"""An invented sensitivity study, written as the experiment does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl

PARAMETERS = (
    ("staff.crc.officers_holding_cases", "Case-holding officers in post in the CRCs.", -16.5, "D"),
    ("contact.interval_days", "Days between contacts, by pattern and tier, at each stage of a long case.", 7.2, "S"),
    ("courts.report_mix", "Share of reports of each kind, <oral> & written.", -1.1, "assume"),
    ("custody.hdc.take_up", "Share of people eligible on length who are put forward.", 0.0, "M"),
)
MEASURES = (
    ("officers_over_110_share", "Officers above 110% of capacity", "% of officers"),
    ("recalls_year", "Licence recalls", "recalls a year"),
)
FLOOR = 2.5


def write_sensitivity(folder: Path, title: str = "One probation service again") -> Path:
    """Write the folder; the title is that of the scenario."""
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    rules: list[dict[str, Any]] = []
    for name, words, unit in MEASURES:
        for scenario, of, size in (("baseline", "level", 1.0), ("reunification", "difference", -0.5)):
            what = {
                "scenario": scenario,
                "compared_with": "baseline" if of == "difference" else None,
                "of": of,
                "measure": name,
                "title": words,
                "unit": unit,
                "first_month": "2018-07",
                "last_month": "2018-12",
            }
            for rank, (parameter, description, effect, confidence) in enumerate(PARAMETERS, 1):
                evidence = {
                    "description": description,
                    "value": "2900",
                    "low": "2670",
                    "high": "3640",
                    "parameter_unit": "people",
                    "confidence": confidence,
                    "source": "parameters.csv P175 <derived>.",
                }
                mu = size * effect
                rows.append(
                    {
                        **what,
                        "central": 10.25 * size,
                        "rank": rank,
                        "parameter": parameter,
                        "step": "closer look",
                        "trajectories": 3,
                        "replications": 2,
                        "mu": mu,
                        "mu_star": abs(mu),
                        "mu_star_low": 0.8 * abs(mu),
                        "mu_star_high": 1.2 * abs(mu),
                        "sigma": 0.3,
                        "luck_floor": FLOOR,
                        "verdict": "above luck" if abs(mu) > FLOOR else "indistinguishable from luck",
                        **{
                            f"{index}{end}": 0.5 + 0.1 * place if rank < 3 else None
                            for index in ("s1", "st")
                            for place, end in ((0, ""), (-1, "_low"), (1, "_high"))
                        },
                        **evidence,
                    }
                )
                rules.append(
                    {
                        **what,
                        "parameter": parameter,
                        "for_each": "Each 10% more",
                        "change": mu / 10,
                        "change_low": mu / 10 - 0.2,
                        "change_high": mu / 10 + 0.2,
                        "clear": abs(mu) > FLOOR,
                        "points": 95,
                        "fit": 0.81,
                        "rule": f"Each 10% more of “{description}”: {mu / 10} (95% interval).",
                        **evidence,
                    }
                )
    pl.DataFrame(rows, infer_schema_length=None).write_csv(folder / "sensitivity.csv")
    pl.DataFrame(rules, infer_schema_length=None).write_csv(folder / "rules_of_thumb.csv")
    manifest = {
        "kind": "sensitivity",
        "state": "finished",
        "fingerprint": "3f9a1c07be52",
        "command": "python run.py sensitivity baseline reunification",
        "scenarios": [
            {"name": "baseline", "title": "The split system as it was"},
            {"name": "reunification", "title": title},
        ],
        "areas": ["gwent"],
        "whole_country": False,
        "dates": {"start": "2016-07-01", "count_from": "2017-01-01", "end": "2018-12-31"},
        "replications": 2,
        "sensitivity": {
            "method": "sobol",
            "parameters": 257,
            "screened": True,
            "closer": [name for name, *_ in PARAMETERS],
            "trajectories": 3,
            "indices": [name for name, *_ in PARAMETERS[:2]],
            "samples": 16,
            "points": 380,
        },
    }
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder
