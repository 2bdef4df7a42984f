"""One run of the model in a process of its own: ``python -m benchmarks.one_run '{"areas": "gwent"}'``.

Prints one line of JSON. Times are told apart: importing, reading parameters and scenario, setting up (drawing everybody
and every post), running, and gathering the counts. Compiled loops are kept on disk between processes but every process
loads them on first use; with ``warm`` a few weeks of one area are run first, so that no time holds this.
"""

from __future__ import annotations

import datetime
import importlib
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from benchmarks.measuring import peak_megabytes

HERE = Path(__file__).resolve().parent
#: The scenario in which nothing of the model is left idle.
EVERY_MECHANISM = "every_mechanism"
#: Contacts made, without those missed.
_CONTACTS = ("contacts_face_to_face", "contacts_telephone", "contacts_video", "contacts_custody")
_WARM_UP_DAYS = 75


@dataclass(frozen=True)
class Wanted:
    """What to run.

    Parameters
    ----------
    areas : str
        Names of areas, parted by commas.
    until : str
        Last day, year-month-day.
    scenario : str
        ``baseline`` or ``every_mechanism``.
    factor : float
        How many times as large as it is the whole country is made.
    warm : bool
        Run a few weeks of one area first.
    count : bool
        Count what happened to people. This takes time, so times of such a run are left out of tables.
    times : int
        Runs in the same process, one after the other; the times are those of the first.
    """

    areas: str = "all"
    until: str = "2021-06-30"
    scenario: str = "baseline"
    factor: float = 1.0
    warm: bool = True
    count: bool = False
    times: int = 1


def run(wanted: Wanted) -> dict[str, Any]:
    """Run once, or several times, and return what was measured, in seconds, megabytes and numbers."""
    begun = perf_counter()
    for name in ("simulation.scenario", "simulation.system.model", "simulation.experiment.inputs"):
        importlib.import_module(name)
    imported = perf_counter()
    from benchmarks.sizes import scaled, scaled_geography
    from simulation.scenario import load_geography, load_parameters, load_scenario, resolve

    parameters = scaled(load_parameters(), wanted.factor)
    geography = scaled_geography(load_geography(), wanted.factor)
    source = HERE / f"{EVERY_MECHANISM}.yaml" if wanted.scenario == EVERY_MECHANISM else wanted.scenario
    scenario = load_scenario(source, parameters)
    last = datetime.date.fromisoformat(wanted.until)
    resolved = resolve(scenario, parameters, geography, areas=wanted.areas, until=last)
    read = perf_counter()
    if wanted.warm:
        small = resolve(scenario, parameters, geography, areas="gwent", until=last)
        _model(small).run(_WARM_UP_DAYS)
    found: dict[str, Any] = {"importing": imported - begun, "reading": read - imported}
    for number in range(wanted.times):
        one = _timed(resolved, wanted.count)
        # Another run in the same process has its loops at hand.
        found |= one if number == 0 else {f"again_{name}": value for name, value in one.items()}
        del one
    return found | {"megabytes": peak_megabytes()}


def _model(resolved: Any) -> Any:
    from simulation.experiment.inputs import DEFAULT_SEED
    from simulation.system import Model, RunRequest

    return Model(RunRequest(resolved, DEFAULT_SEED), resolved.geography)


def _timed(resolved: Any, count: bool) -> dict[str, Any]:
    clock, work = perf_counter(), process_time()
    model = _model(resolved)
    set_up, set_up_work = perf_counter() - clock, process_time() - work
    told = _count_events(model) if count else None
    clock, work = perf_counter(), process_time()
    model.run()
    running, running_work = perf_counter() - clock, process_time() - work
    clock = perf_counter()
    output = model.output()
    gathering = perf_counter() - clock
    days = (resolved.end - resolved.start).days + 1
    return {
        "set_up": set_up,
        "set_up_work": set_up_work,
        "running": running,
        "running_work": running_work,
        "gathering": gathering,
        "years": days / 365.25,
        **_numbers(output),
        **({} if told is None else {"events": told[0]}),
    }


def _count_events(model: Any) -> list[int]:
    """Count from now on everything that happens to somebody and is told; return where the number stands."""
    told, tell = [0], model.service.tell

    def counted(kind: str, rows: Any, *others: Any) -> None:
        told[0] += rows.size
        tell(kind, rows, *others)

    model.service.tell = counted
    return told


def _numbers(output: Any) -> dict[str, Any]:
    """Return contacts, mean numbers of people and officers, and a digest of everything that happened."""
    import hashlib

    import polars as pl

    rows = pl.DataFrame(output.rows).select(pl.col("month", "measure").cast(pl.String), "value")
    months = rows["month"].n_unique()

    def total(*measures: str) -> int:
        return int(rows.filter(pl.col("measure").is_in(measures))["value"].sum())

    happened = json.dumps([output.event_digests, output.state_digests])
    return {
        "contacts": total(*_CONTACTS),
        "people": total("caseload_total") / months,
        "officers": total("officers_in_post") / months,
        "outcome": hashlib.sha256(happened.encode()).hexdigest()[:16],
    }


if __name__ == "__main__":
    # One core: libraries that could use more are told so before they are imported.
    os.environ |= dict.fromkeys(("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    print(json.dumps(run(Wanted(**json.loads(sys.argv[1])))))
