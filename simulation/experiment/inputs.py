"""From what the user asked for to a checked plan; every problem is found before anything runs."""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from simulation.experiment.deployment import cluster_problems
from simulation.experiment.draws import drawn_sets, with_values
from simulation.experiment.effects import companion, switches
from simulation.experiment.jobs import PlannedRun
from simulation.experiment.manifest import MODEL, code_digest, versions_that_decide
from simulation.experiment.precision import Precision, make_precision
from simulation.experiment.runfiles import run_key
from simulation.experiment.whole import TOGETHER
from simulation.experiment.windows import whole_months
from simulation.measures.groups import SPLITS
from simulation.measures.registry import HEADLINES
from simulation.scenario import (
    Parameters,
    Resolved,
    ScenarioError,
    load_geography,
    load_parameters,
    load_scenario,
    resolve,
)
from simulation.scenario.problems import did_you_mean
from simulation.system.reach import problems_with

DEFAULT_REPLICATIONS = 5
"""Replications of a study that doesn't say how many."""

DEFAULT_SEED = 20_180_701
"""Seed of a study that doesn't say which."""

MOST_REPLICATIONS = 10_000
MOST_DRAWS = 10_000
LARGEST_SEED = 2**63 - 1

_FOLDER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*\Z")


class StudyError(Exception):
    """The study can't be run as asked: nothing was run and nothing was written.

    Parameters
    ----------
    problems : iterable of str
        A sentence each.
    """

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(self.problems))

    def __reduce__(self) -> tuple[type[StudyError], tuple[list[str]]]:
        return (StudyError, (self.problems,))


@dataclass(frozen=True)
class Plan:
    """A study, checked and ready to run.

    Parameters
    ----------
    scenarios : tuple of Resolved
        The first is the baseline.
    areas : tuple of str
        Police force areas run.
    whole_country : bool
        Whether that is all of them.
    replications, seed, workers : int
        As asked for.
    folder : pathlib.Path
        Where results go.
    runner : str
        Module that runs the model.
    sources : tuple of str
        Scenarios as the user named them.
    area_names : tuple of str
        Areas as the user named them; empty for those of the scenario.
    until : datetime.date or None
        Last day, if the user gave one.
    split : str
        By what the counts of people are split; empty for not at all.
    companions : tuple of Resolved
        Each scenario with every assumed effect on, in the same order; empty where not asked for.
    precision : Precision or None
        What is asked of the headline differences; the replications are then those of the first look.
    cluster : str or None
        Address or deployment file of the cluster that makes the runs; None for this computer.
    drawn : tuple of tuple of Resolved
        The scenarios under each draw of the parameters after the central one; empty where not asked for.
    """

    scenarios: tuple[Resolved, ...]
    areas: tuple[str, ...]
    whole_country: bool
    replications: int
    seed: int
    workers: int
    folder: Path
    runner: str
    sources: tuple[str, ...]
    area_names: tuple[str, ...] = ()
    until: dt.date | None = None
    split: str = ""
    companions: tuple[Resolved, ...] = ()
    precision: Precision | None = None
    cluster: str | None = None
    drawn: tuple[tuple[Resolved, ...], ...] = ()

    @property
    def draws(self) -> int:
        """Sets of parameters, the central one included."""
        return 1 + len(self.drawn)

    @property
    def baseline(self) -> Resolved:
        """The scenario that the others are compared with."""
        return self.scenarios[0]

    @cached_property
    def months(self) -> tuple[str, ...]:
        """Whole months counted."""
        return whole_months(self.baseline.count_from, self.baseline.end)

    @property
    def all_scenarios(self) -> tuple[Resolved, ...]:
        """The scenarios, then their companions."""
        return (*self.scenarios, *self.companions)

    @cached_property
    def impacts(self) -> dict[str, dt.date | None]:
        """Day on which each scenario first differs from its baseline; None if never within the study."""
        return {
            scenario.name: None if scenario is family[0] else family[0].first_difference(scenario)
            for family in (self.scenarios, self.companions)
            for scenario in family
        }

    @cached_property
    def digests(self) -> dict[str, str]:
        """Digest of each resolved scenario."""
        return {scenario.name: scenario.digest() for scenario in self.all_scenarios}

    @cached_property
    def code(self) -> str:
        """Digest of the code that decides what a run does."""
        return code_digest(self.runner)

    @property
    def dates(self) -> dict[str, str]:
        """First day, first day counted and last day of every run."""
        return {
            "start": self.baseline.start.isoformat(),
            "count_from": self.baseline.count_from.isoformat(),
            "end": self.baseline.end.isoformat(),
        }

    def determinants(self, scenario: Resolved, replication: int) -> dict[str, Any]:
        """Return everything that determines one run."""
        return self._determinants(self.digests[scenario.name], replication)

    def _determinants(self, digest: str, replication: int) -> dict[str, Any]:
        return {
            "scenario": digest,
            "areas": list(self.areas),
            "dates": self.dates,
            "seed": self.seed,
            "replication": replication,
            "code": self.code,
            "libraries": versions_that_decide(),
            **({"split": self.split} if self.split else {}),
        }

    @cached_property
    def runs(self) -> dict[tuple[str, int], PlannedRun]:
        """Every run by scenario and replication. Scenarios with equal values share their runs."""
        days = (self.baseline.end - self.baseline.start).days + 1
        found = {}
        for replication in range(self.replications):
            for scenario in self.all_scenarios:
                impact = self.impacts[scenario.name]
                determinants = self.determinants(scenario, replication)
                found[scenario.name, replication] = PlannedRun(
                    key=run_key(determinants),
                    scenario=scenario.name,
                    replication=replication,
                    resolved=scenario,
                    determinants=determinants,
                    impact_day=days if impact is None else (impact - self.baseline.start).days,
                    days=days,
                    split=self.split,
                    with_effects=scenario in self.companions,
                )
        return found

    @cached_property
    def drawn_runs(self) -> dict[tuple[int, str, int], PlannedRun]:
        """Every run of a draw after the central one, by draw, scenario and replication; kept as sums over areas."""
        days = (self.baseline.end - self.baseline.start).days + 1
        found = {}
        for draw, scenarios in enumerate(self.drawn, 1):
            for scenario in scenarios:
                impact = None if scenario is scenarios[0] else scenarios[0].first_difference(scenario)
                digest = scenario.digest()
                for replication in range(self.replications):
                    # Thousands of them may be asked for, and nothing reads them by area.
                    determinants = {**self._determinants(digest, replication), "kept": TOGETHER}
                    found[draw, scenario.name, replication] = PlannedRun(
                        key=run_key(determinants),
                        scenario=scenario.name,
                        replication=replication,
                        resolved=scenario,
                        determinants=determinants,
                        impact_day=days if impact is None else (impact - self.baseline.start).days,
                        days=days,
                        split=self.split,
                        draw=draw,
                        whole=True,
                    )
        return found

    def command(self) -> str:
        """Return the command that makes this study again; it names no folder of this computer."""
        names = [portable(source, "") for source in self.sources]
        parts = ["python run.py compare", *names]
        if self.area_names:
            parts.append(f"--areas {','.join(self.area_names)}")
        first = self.precision.first if self.precision else self.replications
        parts.append(f"--replications {first} --seed {self.seed}")
        if self.precision:
            parts.append(self.precision.options())
        if self.until is not None:
            parts.append(f"--until {self.until.isoformat()}")
        if self.split:
            parts.append(f"--split {self.split}")
        if self.companions:
            parts.append("--effects")
        if self.drawn:
            parts.append(f"--draws {self.draws}")
        parts.append(f"--out {portable(str(self.folder), 'results/')}")
        return " ".join(parts)

    def manifest(self) -> dict[str, Any]:
        """Return the part of the manifest that is known before anything runs."""
        return {
            "format": 1,
            "state": "running",
            "study": self.folder.resolve().name,
            "fingerprint": None,
            "command": self.command(),
            "baseline": self.baseline.name,
            "scenarios": [
                {
                    "name": scenario.name,
                    "title": scenario.title,
                    "question": scenario.question,
                    "moves": list(scenario.scenario.moves),
                    "digest": self.digests[scenario.name],
                    "impact_date": _iso(self.impacts[scenario.name]),
                    "file": f"scenarios/{scenario.name}.yaml",
                }
                for scenario in self.scenarios
            ],
            "impact_dates": {scenario.name: _iso(self.impacts[scenario.name]) for scenario in self.scenarios},
            "headlines": list(HEADLINES),
            "replications": self.replications,
            "draws": self.draws,
            "seed": self.seed,
            **({"precision": self.precision.asked()} if self.precision else {}),
            **({"split": self.split} if self.split else {}),
            **({"with_effects": self._with_effects()} if self.companions else {}),
            "dates": self.dates,
            "months": [self.months[0], self.months[-1]],
            "areas": list(self.areas),
            "whole_country": self.whole_country,
            "code": {"digest": self.code},
        }

    def _with_effects(self) -> dict[str, Any]:
        parameters = self.baseline.parameters
        return {
            "switches": {name: parameters[name].description for name in switches(parameters)},
            "scenarios": [{"name": each.name, "digest": self.digests[each.name]} for each in self.companions],
        }


def _iso(day: dt.date | None) -> str | None:
    return None if day is None else day.isoformat()


def portable(text: str, prefix: str) -> str:
    """Return a path as another computer could use it: as typed if relative, otherwise by its last part."""
    path = Path(text)
    shown = prefix + path.name if path.is_absolute() else path.as_posix()
    return f'"{shown}"' if " " in shown else shown


def make_plan(
    scenarios: Sequence[str | Path | Resolved],
    areas: str | Iterable[str] | None,
    replications: int,
    seed: int,
    workers: int | None,
    out: str | Path | None,
    until: str | dt.date | None,
    runner: str = MODEL,
    split: str | None = None,
    effects: bool = False,
    precision: str | float | None = None,
    most_replications: int | None = None,
    cluster: str | Path | None = None,
    draws: int = 1,
) -> Plan:
    """Check what was asked for and work it into a plan.

    Parameters
    ----------
    scenarios : sequence of str, pathlib.Path or Resolved
        Names or files of scenarios, the baseline first; or scenarios already resolved, which keep their own
        areas and dates.
    areas, replications, seed, workers, out, until, runner, split, effects, precision, most_replications, cluster,
    draws
        See `simulation.experiment.study.Study`.

    Returns
    -------
    Plan

    Raises
    ------
    StudyError
        With every problem found.
    """
    problems = _number_problems(replications, seed, workers, most_replications)
    asked, found = make_precision(precision, replications, most_replications, len(scenarios))
    problems += found
    last_day, date_problems = _last_day(until)
    problems += date_problems + _split_problems(split)
    problems += cluster_problems(cluster, workers) if cluster is not None else []
    if not 1 <= draws <= MOST_DRAWS:
        problems.append(f"Draws must be from 1 to {MOST_DRAWS:,}, not {draws}; 1 is the central values alone.")
    if draws > 1 and asked is not None:
        problems.append(
            "A precision is asked of the central values: give --precision without --draws. A study with --draws uses "
            "again what it made."
        )
    names = _area_names(areas)
    resolved, found = _resolve_all(scenarios, names, last_day)
    problems += found
    if not scenarios:
        problems.append("A study needs at least one scenario.")
    companions = [companion(scenario) for scenario in resolved] if effects else []
    problems += _mismatches([*resolved, *companions])
    folder = Path(out) if out is not None else default_folder(resolved)
    problems += folder_problems(folder)
    if problems:
        raise StudyError(dict.fromkeys(problems))
    drawn = _drawn(resolved, draws, seed)
    geography = load_geography()
    chosen = resolved[0].areas
    sources = tuple(item.name if isinstance(item, Resolved) else str(item) for item in scenarios)
    return Plan(
        scenarios=tuple(resolved),
        areas=tuple(geography.areas[area] for area in chosen),
        whole_country=len(chosen) == len(geography.areas),
        replications=asked.first if asked else replications,
        seed=seed,
        workers=workers if workers is not None else usable_processors(),
        folder=folder,
        runner=runner,
        sources=sources,
        area_names=names,
        until=last_day,
        split=split or "",
        companions=tuple(companions),
        precision=asked,
        cluster=None if cluster is None else str(cluster),
        drawn=drawn,
    )


def _drawn(resolved: Sequence[Resolved], draws: int, seed: int) -> tuple[tuple[Resolved, ...], ...]:
    """Return the scenarios under each draw after the central one.

    Raises
    ------
    StudyError
        If a scenario's changes carry a drawn value beyond what is allowed.
    """
    found = []
    for draw, values in enumerate(drawn_sets(resolved[0], draws, seed)[1:], 1):
        known: dict[int, Parameters] = {}
        try:
            found.append(tuple(with_values(scenario, values, known) for scenario in resolved))
        except ScenarioError as error:
            raise StudyError(f"Draw {draw}: {problem}" for problem in error.problems) from error
    if draws > 1 and found and all(each[0].digest() == resolved[0].digest() for each in found):
        raise StudyError(["No parameter has a range that can be drawn from, so --draws would run the same again."])
    return tuple(found)


def usable_processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


def _number_problems(replications: int, seed: int, workers: int | None, most: int | None) -> list[str]:
    problems = []
    if not 1 <= replications <= MOST_REPLICATIONS:
        problems.append(f"Replications must be from 1 to {MOST_REPLICATIONS:,}, not {replications}.")
    if most is not None and most > MOST_REPLICATIONS:
        problems.append(f"The most replications must be at most {MOST_REPLICATIONS:,}, not {most}.")
    if not 0 <= seed <= LARGEST_SEED:
        problems.append(f"The seed must be a whole number from 0 to {LARGEST_SEED}, not {seed}.")
    if workers is not None and not 1 <= workers <= 1024:
        problems.append(f"Workers must be from 1 to 1,024, not {workers}.")
    return problems


def _split_problems(split: str | None) -> list[str]:
    if split is None or split in SPLITS:
        return []
    hint = did_you_mean(split, SPLITS)
    given = f"Counts can't be split by '{split[:40]}'" + (f"; {hint}" if hint else ".")
    return [f"{given} They can be split by {', '.join(SPLITS)}."]


def _last_day(until: str | dt.date | None) -> tuple[dt.date | None, list[str]]:
    if isinstance(until, dt.datetime):
        return until.date(), []
    if until is None or isinstance(until, dt.date):
        return until, []
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", until):
            raise ValueError("not year-month-day")
        return dt.date.fromisoformat(until), []
    except ValueError:
        return None, [f"The last day must be written like 2019-06-30 and exist, not '{until}'."]


def _area_names(areas: str | Iterable[str] | None) -> tuple[str, ...]:
    if areas is None:
        return ()
    given = [areas] if isinstance(areas, str) else list(areas)
    return tuple(name.strip() for text in given for name in text.split(",") if name.strip())


def _resolve_all(
    scenarios: Sequence[str | Path | Resolved], areas: tuple[str, ...], until: dt.date | None
) -> tuple[list[Resolved], list[str]]:
    """Return the scenarios that can be resolved, and the problems of the others."""
    resolved: list[Resolved] = []
    problems: list[str] = []
    geography = load_geography()
    parameters = None
    if not all(isinstance(item, Resolved) for item in scenarios):
        try:
            parameters = load_parameters()
        except ScenarioError as error:
            return [], [str(problem) for problem in error.problems]
    if areas:
        try:
            geography.resolve(areas)
        except ScenarioError as error:
            problems += [str(problem) for problem in error.problems]
            areas = ()
    for item in scenarios:
        try:
            scenario = item.scenario if isinstance(item, Resolved) else load_scenario(item, parameters)
            if isinstance(item, Resolved) and not areas and until is None:
                resolved.append(item)
                continue
            if until is not None and until <= scenario.count_from:
                problems.append(
                    f"{scenario.name}: the last day, {until}, must be after counting starts on "
                    f"{scenario.count_from} (the run starts on {scenario.start})."
                )
                continue
            if until is not None and until > scenario.end:
                problems.append(f"{scenario.name} ends on {scenario.end}, before the last day asked for, {until}.")
                continue
            own = item.parameters if isinstance(item, Resolved) else parameters
            assert own is not None
            found = resolve(scenario, own, geography, areas=areas or None, until=until)
            if isinstance(item, Resolved):
                # They are in its parameters already; that they were held is what a draw asks.
                found.overrides = item.overrides
            problems += [str(problem) for problem in problems_with(found)]
            resolved.append(found)
        except ScenarioError as error:
            problems += [str(problem) for problem in error.problems]
    return resolved, problems


def _mismatches(resolved: Sequence[Resolved]) -> list[str]:
    """Return why scenarios can't be compared with the first."""
    problems = []
    names = [scenario.name for scenario in resolved]
    problems += [f"Two scenarios are called {name}." for name in sorted(set(names)) if names.count(name) > 1]
    for scenario in resolved:
        if not _FOLDER_NAME.match(scenario.name):
            problems.append(f"'{scenario.name}' can't be used as the name of a file.")
    for scenario in resolved[1:]:
        first = resolved[0]
        for label in ("start", "count_from", "end"):
            ours, theirs = getattr(scenario, label), getattr(first, label)
            if ours != theirs:
                problems.append(f"{scenario.name} has {label} {ours}, but {first.name} has {theirs}.")
        if scenario.areas != first.areas:
            problems.append(f"{scenario.name} has other areas than {first.name}.")
    if resolved and not whole_months(resolved[0].count_from, resolved[0].end):
        problems.append(
            f"No whole month lies between {resolved[0].count_from} and {resolved[0].end}: nothing is counted."
        )
    return problems


def default_folder(resolved: Sequence[Resolved]) -> Path:
    """Return the folder of a study that was given none: named after the scenarios compared."""
    names = [scenario.name for scenario in resolved]
    return Path("results") / ("-".join(names[1:] or names) or "study")[:80]


def folder_problems(folder: Path) -> list[str]:
    """Return why results can't go into a folder: a file in the way, or a folder of something else."""
    shown = folder.as_posix()
    for part in (folder, *folder.parents):
        if part.exists() and not part.is_dir():
            return [f"{shown} can't be used as a folder for results: {part.as_posix()} is a file."]
    try:
        if folder.is_dir() and not (folder / "manifest.json").is_file() and any(folder.iterdir()):
            return [f"{shown} holds other files and no study; choose an empty or a new folder."]
    except OSError as error:
        return [f"{shown} can't be read: {error.strerror}."]
    return []
