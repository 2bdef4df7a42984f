"""Which parameters drive the results: runs at points of their ranges, then tables of effects, indices and rules.

Three steps, each with the baseline and the scenarios at every point and the same luck everywhere:

1. *First pass*: one of Morris's trajectories over every parameter that is drawn, under the first replication. It
   finds candidates and no more.
2. *Closer look*: several trajectories over those that moved something most, under every replication, the other
   parameters at their values. Replications of the same step measure what luck alone gives an effect.
3. *Indices*: Sobol's indices of the few that then matter most, with values drawn as `simulation.experiment.draws` says,
   under the first replication.

Runs are named and kept as those of any study, so that a study that is stopped goes on where it was.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import fnmatch
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console

from simulation.experiment import screening
from simulation.experiment.counts import load_counts
from simulation.experiment.draws import Factor, Ranges, factors, with_values
from simulation.experiment.effects import switches
from simulation.experiment.inputs import DEFAULT_SEED, Plan, StudyError, make_plan
from simulation.experiment.jobs import PlannedRun, plan_jobs
from simulation.experiment.making import Failure, StudyFailed, told_if_not_saved
from simulation.experiment.manifest import (
    MANIFEST,
    MODEL,
    differences_of,
    fingerprint,
    git_state,
    output_hashes,
    read_manifest,
    versions,
    write_manifest,
)
from simulation.experiment.pool import DayReached, FamilyFailed, Message, RunSaved, WorkersCannotStart, run_jobs
from simulation.experiment.progress import Reporter, SilentReporter, reporter_for
from simulation.experiment.runfiles import (
    DamagedRunFile,
    RunSummary,
    check_run,
    remove_leftovers,
    run_path,
    write_atomically,
)
from simulation.experiment.sensitivity_tables import (
    RULES,
    SENSITIVITY,
    Closer,
    Findings,
    Side,
    places_of,
    position_of,
    rules_table,
    sensitivity_table,
)
from simulation.experiment.sharing import CannotSave, one_at_a_time
from simulation.experiment.windows import TO_END, windows_after
from simulation.measures.registry import HEADLINES, MEASURE_BY_NAME, Measure
from simulation.scenario import Resolved, ScenarioError
from simulation.scenario.problems import did_you_mean

Floats = npt.NDArray[np.float64]

KIND = "sensitivity"
METHODS = ("morris", "sobol")

ALWAYS_CLOSER = ("staff.nps.officers_holding_cases", "staff.crc.officers_holding_cases")
"""Looked at closely whatever the first pass says: what officers who are missing mean is always asked."""


@dataclass(frozen=True)
class SensitivityStudy:
    """What a sensitivity study is asked for.

    Parameters
    ----------
    scenarios, areas, replications, seed, workers, out, until, replace, runner
        As for `simulation.experiment.study.Study`. Replications are those of the closer look.
    method : {"morris", "sobol"}
        Whether to stop after the closer look or to go on to the indices.
    parameters : str, optional
        Names of parameters or patterns such as ``staff.*``, parted by commas; all that are drawn by default.
    trajectories : int
        Trajectories of the closer look.
    keep : int
        Parameters looked at closely.
    top : int
        Parameters of which indices are made.
    samples : int
        Base samples of the indices, a power of two: ``samples * (top + 2)`` points are run.
    """

    scenarios: Sequence[str | Path | Resolved]
    areas: str | Iterable[str] | None = None
    replications: int = 2
    seed: int = DEFAULT_SEED
    workers: int | None = None
    out: str | Path | None = None
    until: str | dt.date | None = None
    replace: bool = field(default=False, kw_only=True)
    runner: str = field(default=MODEL, kw_only=True)
    method: str = field(default="sobol", kw_only=True)
    parameters: str | None = field(default=None, kw_only=True)
    trajectories: int = field(default=3, kw_only=True)
    keep: int = field(default=10, kw_only=True)
    top: int = field(default=3, kw_only=True)
    samples: int = field(default=16, kw_only=True)

    def run(self, reporter: Reporter | None = None, *, quiet: bool = False) -> Path:
        """Make the runs that are not there yet, then the tables.

        Returns
        -------
        pathlib.Path
            The folder.

        Raises
        ------
        StudyError
            It can't be run as asked; nothing was run or written.
        StudyFailed
            A run failed; the others are kept.
        """
        plan, chosen = self._checked()
        if reporter is None:
            reporter = SilentReporter() if quiet else reporter_for(Console(stderr=True))
        running = _Running(self, plan, chosen, reporter)
        with told_if_not_saved(plan.folder, lambda: running.begun):
            plan.folder.mkdir(parents=True, exist_ok=True)
            with one_at_a_time(plan.folder, reporter.note):
                # Another process may have put a study there while this one waited.
                if problems := _folder_problems(plan, self.replace):
                    raise StudyError(problems)
                return running.run()

    def _checked(self) -> tuple[Plan, tuple[Factor, ...]]:
        problems = []
        if self.method not in METHODS:
            hint = did_you_mean(self.method, METHODS)
            asked = f"The method must be morris or sobol, not '{self.method[:40]}'"
            problems.append(f"{asked}; {hint}." if hint else f"{asked}.")
        for name, number, low, high in (
            ("Trajectories", self.trajectories, 2, 1000),
            ("The number kept for a closer look", self.keep, 1, 1000),
            ("The number of parameters with indices", self.top, 1, 100),
            ("Samples", self.samples, 2, 65_536),
        ):
            if not low <= number <= high:
                problems.append(f"{name} must be from {low} to {high:,}, not {number}.")
        if self.samples > 0 and self.samples & (self.samples - 1):
            problems.append(f"Samples must be a power of two (16, 32, 64, ...), not {self.samples}.")
        try:
            screening.salib("sample.morris")
        except screening.LibraryMissing as error:
            problems.append(str(error))
        out = self.out if self.out is not None else Path("results") / KIND
        try:
            plan = make_plan(
                self.scenarios, self.areas, self.replications, self.seed, self.workers, out, self.until, self.runner
            )
        except StudyError as error:
            raise StudyError([*problems, *error.problems]) from error
        chosen, found = _chosen(plan.scenarios, self.parameters)
        problems += found or ([] if chosen else ["No parameter has a range that can be drawn from."])
        problems += _folder_problems(plan, self.replace)
        if problems:
            raise StudyError(problems)
        return plan, chosen

    def command(self, plan: Plan) -> str:
        """Return the command that makes this study again."""
        parts = [plan.command().replace(" compare ", f" {KIND} ", 1)]
        if self.parameters:
            parts.append(f'--parameters "{self.parameters}"')
        parts.append(f"--method {self.method} --trajectories {self.trajectories} --keep {self.keep}")
        if self.method == "sobol":
            parts.append(f"--top {self.top} --samples {self.samples}")
        return " ".join(parts)


def _chosen(scenarios: Sequence[Resolved], asked: str | None) -> tuple[tuple[Factor, ...], list[str]]:
    """Return the parameters that are moved, and what is wrong with the names given."""
    parameters = scenarios[0].parameters
    known = {factor.name: factor for factor in factors(parameters, scenarios[0].overrides)}
    if asked is None:
        # An effect that is off does nothing, whatever its size.
        names = switches(parameters)
        on = any(parameters[name].value is True for name in names) or any(
            key[0] in names for scenario in scenarios for key in scenario.changed()
        )
        return tuple(factor for name, factor in known.items() if on or not name.startswith("effects.")), []
    problems, found = [], set()
    for pattern in (part.strip() for part in asked.split(",") if part.strip()):
        matching = fnmatch.filter(known, pattern)
        found.update(matching)
        if matching:
            continue
        if fnmatch.filter(parameters, pattern):
            problems.append(
                f"'{pattern}' has no range to move in: it is a lever, a switch, off in the baseline, a dated series, "
                "held by an override, or has no low and high."
            )
        else:
            hint = did_you_mean(pattern, known)
            problems.append(f"No parameter is called '{pattern}'" + (f"; {hint}." if hint else "."))
    if not problems and not found:
        problems.append("--parameters names none.")
    return tuple(factor for name, factor in known.items() if name in found), problems


def _folder_problems(plan: Plan, replace: bool) -> list[str]:
    if replace or not (plan.folder / MANIFEST).is_file():
        return []
    shown = plan.folder.as_posix()
    try:
        old = read_manifest(plan.folder)
    except ValueError as error:
        return [f"{error}; choose another folder with --out."]
    found = differences_of(old, {**plan.manifest(), "kind": KIND, "code": {"digest": plan.code}})
    if not found:
        return []
    said = f"{shown} holds a different study ({'; '.join(found)})."
    return [f"{said} Choose another folder with --out, or give --replace."]


class _Running:
    """One go at making the runs and tables."""

    def __init__(
        self, study: SensitivityStudy, plan: Plan, chosen: tuple[Factor, ...], reporter: Reporter
    ) -> None:
        self.study, self.plan, self.chosen, self.reporter = study, plan, chosen, reporter
        self.folder = plan.folder
        self.records: dict[str, RunSummary] = {}
        self.made: list[dict[str, Any]] = []
        self.points = 0
        self.begun = False
        self._labels: dict[str, tuple[str, int, int]] = {}
        self._failures: list[Failure] = []
        self._details: list[str] = []
        moves = [name for scenario in plan.scenarios for name in scenario.scenario.moves]
        self.measures: list[Measure] = [MEASURE_BY_NAME[name] for name in dict.fromkeys((*HEADLINES, *moves))]
        self.windows = [
            next(window for window in windows_after(plan.impacts[scenario.name], plan.months) if window.name == TO_END)
            for scenario in plan.scenarios
        ]
        if len(plan.scenarios) > 1:
            # The level is that of the months in which the first scenario is under way.
            self.windows[0] = self.windows[1]

    def run(self) -> Path:
        started, clock = dt.datetime.now(dt.UTC), time.monotonic()
        manifest = {**self.plan.manifest(), "kind": KIND, "command": self.study.command(self.plan)}
        manifest |= {"runs": [], "outputs": {}}
        manifest["code"] |= git_state()
        manifest["versions"] = versions()
        remove_leftovers(self.folder)
        write_manifest(self.folder, manifest)
        self.begun = True
        try:
            findings = self._find()
        except KeyboardInterrupt:
            write_manifest(self.folder, {**manifest, "state": "interrupted"})
            raise
        except (StudyFailed, WorkersCannotStart, CannotSave, OSError) as error:
            # If the disk lets us: that it didn't finish is said already.
            with contextlib.suppress(OSError):
                failures = [str(each) for each in self._failures]
                write_manifest(self.folder, {**manifest, "state": "failed", "failures": failures})
            if isinstance(error, WorkersCannotStart):
                raise StudyFailed([], str(error)) from error
            raise
        finally:
            self.reporter.stop()
        frames = {SENSITIVITY: sensitivity_table(findings), RULES: rules_table(findings)}
        for name, frame in frames.items():
            write_atomically(self.folder / name, frame.write_csv(line_terminator="\n").encode("utf-8"))
        for scenario in self.plan.scenarios:
            text = scenario.to_yaml().encode("utf-8")
            write_atomically(self.folder / "scenarios" / f"{scenario.name}.yaml", text)
        names = [*frames, *(f"scenarios/{scenario.name}.yaml" for scenario in self.plan.scenarios)]
        manifest |= {"runs": self.made, "outputs": output_hashes(self.folder, names), "state": "finished"}
        manifest["sensitivity"] = {
            "method": self.study.method,
            "parameters": len(self.chosen),
            "screened": findings.screening is not None,
            "closer": [factor.name for factor in findings.closer.factors],
            "trajectories": self.study.trajectories,
            "indices": [factor.name for factor in findings.top],
            "samples": self.study.samples if findings.top else 0,
            "points": self.points,
        }
        manifest["fingerprint"] = fingerprint(manifest)
        manifest["times"] = {
            "started": started.isoformat(timespec="seconds"),
            "finished": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            "seconds": round(time.monotonic() - clock, 1),
            "workers": self.plan.workers,
        }
        write_manifest(self.folder, manifest)
        return self.folder

    def _find(self) -> Findings:
        """Make all runs, step by step, and sum up what came out."""
        study, seed = self.study, self.plan.seed
        few = len(self.chosen) <= study.keep
        names = [factor.name for factor in self.chosen]
        self.reporter.note(f"{len(names)} parameters are moved; the central values are run first.")
        central = self._outcomes([{}], self.plan.replications)[0]
        screened, points = None, np.zeros((0, len(names)))
        closer = self.chosen
        if not few:
            points = screening.morris_points(names, 1, seed)
            self.reporter.note(f"First pass: {len(points)} points, one replication.")
            values = self._values(self.chosen, points)
            screened = self._evened(self.chosen, points, values, self._outcomes(values, 1)[..., 0])
            closer = self._most_moving(points, screened)
        near = screening.morris_points([factor.name for factor in closer], study.trajectories, seed + 1)
        each = self.plan.replications
        self.reporter.note(f"Closer look at {len(closer)} parameters: {len(near)} points, {each} replications.")
        near_values = self._values(closer, near)
        outcomes = self._outcomes(near_values, each)
        looked = Closer(tuple(closer), near, outcomes, self._evened(closer, near, near_values, outcomes))
        top: tuple[Factor, ...] = ()
        sampled = None
        if study.method == "sobol":
            top = self._strongest(looked)
            cloud = screening.sobol_points([factor.name for factor in top], study.samples, seed + 2)
            self.reporter.note(f"Indices of {len(top)} parameters: {len(cloud)} points, one replication.")
            sampled = self._outcomes(self._values(top, cloud), 1)[..., 0]
        parameters = self.plan.baseline.parameters
        positions = np.array([[position_of(parameters[f.name], f, each) for f in closer] for each in near_values])
        return Findings(
            parameters=parameters,
            sides=self._sides(),
            measures=tuple(self.measures),
            chosen=self.chosen,
            screening=None if screened is None else (points, screened),
            closer=looked,
            top=top,
            sampled=sampled,
            central=central,
            positions=positions,
            seed=seed,
        )

    def _sides(self) -> tuple[Side, ...]:
        base = self.plan.baseline.name
        return tuple(
            Side(scenario.name, "" if place == 0 else base, self.windows[place].months)
            for place, scenario in enumerate(self.plan.scenarios)
        )

    def _values(self, chosen: Sequence[Factor], points: Floats) -> list[dict[str, float | int]]:
        ranges = Ranges(self.plan.baseline, chosen)
        return [ranges.values(point) for point in points]

    def _evened(
        self, chosen: Sequence[Factor], points: Floats, values: Sequence[dict[str, float | int]], outcomes: Floats
    ) -> Floats:
        places = places_of(self.plan.baseline.parameters, chosen, values)
        return screening.as_if_even(points, places, outcomes)

    def _most_moving(self, points: Floats, outcomes: Floats) -> tuple[Factor, ...]:
        """Return those that moved a level or difference most: the first of each, then the second of each, and so on."""
        effects = np.abs(screening.elementary_effects(points, outcomes)[0])
        lists = effects.reshape(len(effects), -1)
        orders = np.argsort(-np.nan_to_num(lists), axis=0, kind="stable")
        found: dict[int, None] = {}
        for rank in range(len(self.chosen)):
            for column in range(lists.shape[1]):
                if len(found) < self.study.keep and np.nan_to_num(lists[orders[rank, column], column]) > 0:
                    found[int(orders[rank, column])] = None
        kept = {self.chosen[place].name for place in found} | set(ALWAYS_CLOSER)
        return tuple(factor for factor in self.chosen if factor.name in kept) or self.chosen[: self.study.keep]

    def _strongest(self, looked: Closer) -> tuple[Factor, ...]:
        """Return those whose effects stand out most from luck over all levels and differences together."""
        effects = np.abs(screening.elementary_effects(looked.points, looked.even.mean(axis=-1))).mean(axis=0)
        sizes = effects.reshape(len(effects), -1)
        whole = sizes.sum(axis=0)
        # Of each level and difference the share of all movement; a parameter is as strong as its mean share.
        shares = np.where(np.isfinite(whole) & (whole > 0), sizes / np.where(whole > 0, whole, 1), np.nan)
        strength = np.nan_to_num(np.nanmean(shares, axis=1)) if np.isfinite(shares).any() else np.zeros(len(sizes))
        order = np.argsort(-strength, kind="stable")[: self.study.top]
        return tuple(looked.factors[place] for place in sorted(order.tolist()))

    def _outcomes(self, values: Sequence[dict[str, float | int]], replications: int) -> Floats:
        """Run every scenario at every point; return levels and differences, (points, sides, measures, replications)."""
        drawn = []
        for each in values:
            try:
                drawn.append(tuple(with_values(scenario, each, {}) for scenario in self.plan.scenarios))
            except ScenarioError as error:
                raise StudyFailed([], f"A scenario can't be resolved at a point: {error}") from error
        stage = dataclasses.replace(self.plan, drawn=tuple(drawn), replications=replications)
        runs = [dataclasses.replace(run, draw=run.draw + self.points - 1) for run in stage.drawn_runs.values()]
        self._make(runs)
        found = [self._levels(stage, draw) for draw in range(1, len(values) + 1)]
        self.points += len(values)
        return np.array(found)

    def _levels(self, stage: Plan, draw: int) -> Floats:
        counts = [
            load_counts(
                [
                    run_path(self.folder, stage.drawn_runs[draw, scenario.name, replication].key)
                    for replication in range(stage.replications)
                ],
                stage.areas,
                stage.months,
            )
            for scenario in stage.scenarios
        ]
        sides = []
        for place, (each, window) in enumerate(zip(counts, self.windows, strict=True)):
            levels = np.array([each.levels(measure, window)[0] for measure in self.measures])
            before = np.array([counts[0].levels(measure, window)[0] for measure in self.measures])
            sides.append(levels - before if place else levels)
        return np.array(sides)

    def _make(self, runs: Sequence[PlannedRun]) -> None:
        """Make the runs that have no valid file yet."""
        unique = {run.key: run for run in reversed(runs)}
        missing = []
        for run in unique.values():
            path = run_path(self.folder, run.key)
            if run.key in self.records:
                continue
            if path.exists():
                try:
                    self.records[run.key] = check_run(path).summary
                    continue
                except DamagedRunFile as error:
                    self.reporter.note(f"Damaged, made again: {run.title}: {error}")
                    path.unlink()
            missing.append(run)
        self._labels = {run.key: (run.scenario, run.replication, run.draw) for run in unique.values()}
        to_make = {name: sum(run.scenario == name for run in missing) for name in self.plan.impacts}
        self.reporter.start(to_make, dict.fromkeys(to_make, 0))
        if missing:
            workers = min(self.plan.workers, len(missing))
            # Many points: a job is the baseline and the scenarios of one, which share their first years.
            jobs = plan_jobs(missing, workers, share_prefix=True)
            run_jobs(jobs, workers, self.folder, self.plan.seed, self.plan.runner, self._listen)
        if self._failures:
            write_atomically(self.folder / "failed_runs.txt", "\n".join(self._details).encode("utf-8"))
            raise StudyFailed(
                self._failures,
                f"{len(self._failures)} of {len(missing)} runs failed; the others are saved. "
                f"Details are in {(self.folder / 'failed_runs.txt').as_posix()}.",
            )
        self.made += [
            {
                "scenario": run.scenario,
                "draw": run.draw,
                "replication": run.replication,
                "key": run.key,
                "content": self.records[run.key].content,
                "rows": self.records[run.key].rows,
            }
            for run in runs
        ]

    def _listen(self, message: Message) -> None:
        if isinstance(message, FamilyFailed):
            self.reporter.note(f"Scenarios could not be run together ({message.reason}); running them one by one.")
            return
        scenario, replication, draw = self._labels[message.key]
        if isinstance(message, DayReached):
            self.reporter.day(scenario, replication, message.day / max(1, message.days))
        elif isinstance(message, RunSaved):
            self.records[message.key] = message.summary
            self.reporter.saved(scenario, replication)
        else:
            failure = Failure(scenario, replication, message.reason, draw)
            self._failures.append(failure)
            self._details.append(f"{failure}\n{message.details}")
            self.reporter.failed(scenario, replication, message.reason)


def check_measure(name: str) -> None:
    """Refuse a measure that the tables of a sensitivity study can't show.

    Raises
    ------
    StudyError
        With the nearest valid name.
    """
    if name in HEADLINES:
        return
    hint = did_you_mean(name, HEADLINES)
    asked = f"The chart can't show '{name[:60]}'" + (f"; {hint}." if hint else ".")
    raise StudyError([f"{asked} It can show {', '.join(HEADLINES)}."])
