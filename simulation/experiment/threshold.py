"""Where a measure crosses a value along a lever, how a measure answers to a lever, and two levers together.

A lever is set to many values, the same runs with the same luck at each; every value is a scenario of a study in the
folder asked for, so runs are made, kept and used again as those of any other study. Then values close to each crossing
are added. How crossings, knees and their intervals are found is said in `simulation.experiment.crossing` and
`simulation.experiment.knee`.

Examples
--------
>>> from simulation.experiment.threshold import ThresholdSearch  # doctest: +SKIP
>>> search = ThresholdSearch("staff.leaving_multiplier", "officers_over_110_share", crosses=25)  # doctest: +SKIP
>>> print(search.run().finding)  # doctest: +SKIP
"""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from rich.console import Console

from simulation.experiment.counts import Floats, load_counts
from simulation.experiment.crossing import crossings, refine, tolerance_for
from simulation.experiment.differences import frame_of
from simulation.experiment.inputs import DEFAULT_REPLICATIONS, DEFAULT_SEED, StudyError, portable
from simulation.experiment.knee import shape
from simulation.experiment.levers import DOSE, Lever, at_values, make_lever, value_name
from simulation.experiment.making import StudyFailed, told_if_not_saved
from simulation.experiment.manifest import (
    MODEL,
    differences_of,
    output_hashes,
    read_manifest,
    write_manifest,
)
from simulation.experiment.progress import OnlyNews, Reporter, SilentReporter, reporter_for
from simulation.experiment.runfiles import run_path, write_atomically
from simulation.experiment.sharing import one_at_a_time
from simulation.experiment.study import Study
from simulation.experiment.threshold_tables import (
    CONTOUR,
    CONTOUR_SCHEMA,
    CROSSINGS,
    CROSSINGS_SCHEMA,
    CURVE,
    CURVE_SCHEMA,
    SHAPE,
    Target,
    crossing_rows,
    grid_sentence,
    row_of,
    sentence_of,
    shape_frame,
    shape_words,
)
from simulation.experiment.windows import TO_END, Window, whole_months, windows_after
from simulation.measures.registry import MEASURE_BY_NAME, Measure
from simulation.scenario import (
    Resolved,
    ScenarioError,
    load_geography,
    load_parameters,
    load_scenario,
    resolve,
)
from simulation.scenario.problems import did_you_mean, quote
from simulation.system.reach import problems_with

POINTS, POINTS_EACH = 8, 5
"""Values of one lever, and of each of two, that a search runs unless told otherwise."""

MOST_POINTS = 200
REFINEMENTS = 3
"""Most values added near one crossing."""

MOST_REFINED = 3
"""Most crossings near which values are added; more would be luck, not a threshold."""


@dataclass(frozen=True)
class ThresholdResult:
    """What a search found.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the study.
    finding : str
        Where the value asked for is crossed, in words; empty if none was asked for.
    shape : str
        Whether the curve has a knee, in words; empty for two levers.
    """

    folder: Path
    finding: str
    shape: str


@dataclass(frozen=True)
class ThresholdSearch:
    """A lever, a measure, and perhaps a value that the measure should cross.

    Parameters
    ----------
    lever : str
        A parameter, one entry of a table, or ``"dose"`` for a part of a scenario's own changes.
    measure : str
        What is looked at.
    scenario : str, pathlib.Path or Resolved
        In which the lever is moved, from the day it first differs from the baseline; in the baseline itself from the
        start of counting.
    crosses, difference : float, optional
        The value that the measure, or its difference from the baseline, should cross; one of the two, or neither to see
        only the curve.
    low, high : float, optional
        Range of the lever; by default that of its evidence.
    lever2 : str, optional
        A second lever, with ``low2`` and ``high2``: a grid of both instead of a curve.
    baseline : str, pathlib.Path or Resolved
        What is compared with.
    points : int, optional
        Values of each lever at equal distances; 8 for one, 5 each for two.
    areas, replications, seed, workers, out, until, replace, runner
        See `simulation.experiment.study.Study`.
    """

    lever: str
    measure: str
    scenario: str | Path | Resolved = "baseline"
    crosses: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    lever2: str | None = None
    low2: float | None = None
    high2: float | None = None
    baseline: str | Path | Resolved = "baseline"
    points: int | None = None
    areas: str | Iterable[str] | None = None
    replications: int = DEFAULT_REPLICATIONS
    seed: int = DEFAULT_SEED
    workers: int | None = None
    out: str | Path | None = None
    until: str | dt.date | None = None
    replace: bool = field(default=False, kw_only=True)
    runner: str = field(default=MODEL, kw_only=True)

    def run(self, reporter: Reporter | None = None, *, quiet: bool = False) -> ThresholdResult:
        """Make the runs that aren't there yet, then the tables.

        Raises
        ------
        StudyError
            The search can't be made as asked; nothing was run or written.
        StudyFailed
            A run failed, or the measure has no value in one; the others are kept.
        """
        return _Search(self, reporter, quiet).run()


class _Search:
    """One go at a search: everything checked when it is made."""

    def __init__(self, asked: ThresholdSearch, reporter: Reporter | None, quiet: bool) -> None:
        self.asked, self.reporter, self.quiet = asked, reporter, quiet
        problems = self._plain_problems()
        try:
            self.baseline, self.scenario = self._resolved()
        except StudyError as error:
            raise StudyError([*problems, *error.problems]) from None
        self.levers: list[Lever] = []
        wanted = [(asked.lever, asked.low, asked.high, ("--from", "--to"))]
        if asked.lever2 is not None:
            wanted.append((asked.lever2, asked.low2, asked.high2, ("--from2", "--to2")))
        for name, low, high, flags in wanted:
            try:
                self.levers.append(make_lever(name, low, high, self.baseline, self.scenario, flags))
            except StudyError as error:
                problems += error.problems
        if problems:
            raise StudyError(dict.fromkeys(problems))
        self.measure: Measure = MEASURE_BY_NAME[asked.measure]
        self.target = (
            Target("level", asked.crosses)
            if asked.crosses is not None
            else Target("difference", asked.difference)
            if asked.difference is not None
            else None
        )
        self.points = asked.points or (POINTS if len(self.levers) == 1 else POINTS_EACH)
        self.started, self.clock = dt.datetime.now(dt.UTC), time.monotonic()
        self.known: dict[tuple[float, ...], Floats] = {}
        self.base: Floats = np.empty(0)

    def _plain_problems(self) -> list[str]:
        asked = self.asked
        problems = []
        if asked.measure not in MEASURE_BY_NAME:
            hint = did_you_mean(asked.measure, MEASURE_BY_NAME)
            problems.append(
                f"No measure is called {quote(asked.measure)}"
                + (f"; {hint}" if hint else ". docs/data_dictionary.md lists them.")
            )
        if asked.crosses is not None and asked.difference is not None:
            problems.append("Give --crosses or --difference, not both.")
        if asked.difference == 0:
            problems.append("--difference must not be 0: every lever crosses that where it is as in the baseline.")
        for flag, value in (("--crosses", asked.crosses), ("--difference", asked.difference)):
            if value is not None and not np.isfinite(value):
                problems.append(f"{flag} must be a number, not {value}.")
        if asked.lever2 is not None and asked.lever2 == asked.lever:
            problems.append(f"The two levers are the same, {asked.lever}.")
        if asked.lever2 is not None and DOSE in (asked.lever, asked.lever2):
            problems.append("A dose goes with no second lever: it would move that as well.")
        if asked.lever2 is None and (asked.low2 is not None or asked.high2 is not None):
            problems.append("--from2 and --to2 are for a second lever: give --lever2.")
        if asked.points is not None and not 2 <= asked.points <= MOST_POINTS:
            problems.append(f"Points must be from 2 to {MOST_POINTS}, not {asked.points}.")
        return problems

    def _resolved(self) -> tuple[Resolved, Resolved]:
        """Return the baseline and the scenario; one object for both where they are the same."""
        parameters, geography = None, load_geography()
        found: list[Resolved] = []
        problems: list[str] = []
        for item in (self.asked.baseline, self.asked.scenario):
            if isinstance(item, Resolved):
                found.append(item)
                continue
            try:
                parameters = parameters or load_parameters()
                found.append(resolve(load_scenario(item, parameters), parameters, geography))
            except ScenarioError as error:
                problems += [str(problem) for problem in error.problems]
        if problems:
            raise StudyError(dict.fromkeys(problems))
        baseline, scenario = found
        if scenario.name != baseline.name:
            return baseline, scenario
        if scenario.digest() != baseline.digest():
            raise StudyError([f"Two scenarios are called {baseline.name}: give yours another name."])
        return baseline, baseline

    # Runs

    def run(self) -> ThresholdResult:
        """Make the runs, add values near crossings, write the tables."""
        grids = [lever.grid(self.points) for lever in self.levers]
        cells: list[tuple[float, ...]] = [(value,) for value in grids[0]]
        if len(grids) > 1:
            cells = [(first, second) for second in grids[1] for first in grids[0]]
        self._check_plan(self._study(cells))
        with told_if_not_saved(self.folder, lambda: bool(self.known)):
            self.folder.mkdir(parents=True, exist_ok=True)
            with one_at_a_time(self.folder, self._teller().note):
                # Another process may have put a search there while this one waited.
                self._check_plan(self._study(cells))
                for name in (CURVE, CROSSINGS, CONTOUR, SHAPE):
                    # A search that is stopped leaves runs, and no tables of another.
                    (self.folder / name).unlink(missing_ok=True)
                self._make(cells)
                if len(grids) > 1:
                    return self._write_grid(grids)
                if self.target is not None:
                    self._refine()
                return self._write_curve(grids[0])

    def _teller(self) -> Reporter:
        return SilentReporter() if self.quiet else self.reporter or reporter_for(Console(stderr=True))

    def _name(self, cell: Sequence[float]) -> str:
        return self._at(tuple(cell)).name

    def _at(self, cell: tuple[float, ...]) -> Resolved:
        scenario = at_values(self.baseline, self.scenario, list(zip(self.levers, cell, strict=True)))
        areas = [self.scenario.geography.areas[area] for area in self.scenario.areas]
        try:
            found = resolve(
                scenario, self.scenario.parameters, self.scenario.geography, self.scenario.overrides, areas
            )
        except ScenarioError as error:
            raise StudyError(f"{scenario.name}: {problem}" for problem in error.problems) from error
        if problems := problems_with(found):
            raise StudyError(f"{scenario.name}: {problem}" for problem in problems)
        return found

    def _study(self, cells: Iterable[tuple[float, ...]]) -> Study:
        asked = self.asked
        return Study(
            [self.baseline, *(self._at(cell) for cell in cells)],
            areas=asked.areas,
            replications=asked.replications,
            seed=asked.seed,
            workers=asked.workers,
            out=self.folder,
            until=asked.until,
            # What the folder holds was looked at: another study is refused before anything runs.
            replace=True,
            runner=asked.runner,
        )

    @cached_property
    def folder(self) -> Path:
        """Folder of the results."""
        if self.asked.out is not None:
            return Path(self.asked.out)
        words = "-".join([self.scenario.name, *(lever.name.replace(".", "_") for lever in self.levers)])
        return Path("results") / f"threshold-{words}"[:100]

    def _check_plan(self, study: Study) -> None:
        """Refuse what can't be counted, and to write over another study; a search of the same lever is added to.

        Raises
        ------
        StudyError
            If nothing is counted after the lever moves, or the folder holds another study that may not be replaced.
        """
        plan = study.plan()
        start = self.levers[0].start
        if not plan.months or start.isoformat()[:7] > plan.months[-1]:
            raise StudyError([f"The lever moves on {start}, after the last month counted; choose a later last day."])
        if self.asked.replace or not (self.folder / "manifest.json").is_file():
            return
        try:
            old = read_manifest(self.folder)
        except ValueError as error:
            raise StudyError([f"{error}; choose another folder with --out."]) from error
        ours = re.compile(rf"scenario {re.escape(self.scenario.name)}_at_\S+, now left out")
        found = [
            reason
            for reason in differences_of(old, {**plan.manifest(), "code": {"digest": plan.code}})
            if not ours.fullmatch(reason)
        ]
        before = [lever["name"] for lever in old.get("threshold", {}).get("levers", [])]
        if before and before != [lever.name for lever in self.levers]:
            found.append(f"the lever {' and '.join(before)}, now {' and '.join(lever.name for lever in self.levers)}")
        if found:
            raise StudyError(
                [
                    f"{self.folder.as_posix()} holds a different study ({'; '.join(found)}). "
                    "Choose another folder with --out, or give --replace to write over it."
                ]
            )

    def _make(self, cells: Sequence[tuple[float, ...]]) -> None:
        """Make the runs of these values and of all known before, and read the measure from them."""
        result = self._study([*self.known, *cells]).run(OnlyNews(self._teller()))
        self.manifest = result.manifest
        keys = {(run["scenario"], run["replication"]): run["key"] for run in self.manifest["runs"]}
        dates = {name: dt.date.fromisoformat(day) for name, day in self.manifest["dates"].items()}
        months = whole_months(dates["count_from"], dates["end"])
        # From the same day for every value, also one at which nothing differs.
        self.window: Window = next(
            each for each in windows_after(self.levers[0].start, months) if each.name == TO_END
        )

        def level(scenario: str) -> Floats:
            paths = [
                run_path(self.folder, keys[scenario, replication]) for replication in range(self.asked.replications)
            ]
            values, _ = load_counts(paths, self.manifest["areas"], months).levels(self.measure, self.window)
            if np.isnan(values).any():
                raise StudyFailed(
                    [],
                    f"{self.measure.title} has no value under {scenario}: nothing was counted that it is divided "
                    "by. Choose another measure, more areas or a longer time.",
                )
            return values

        self.base = level(self.baseline.name)
        for cell in cells:
            self.known[cell] = level(self._name(cell))

    def _curve(self) -> tuple[list[float], Floats]:
        points = sorted(cell[0] for cell in self.known)
        return points, np.array([self.known[point,] for point in points])

    def _refine(self) -> None:
        """Add values near each place where the mean crosses the value asked for."""
        assert self.target is not None
        target, lever = self.target, self.levers[0]

        def mean(value: float) -> float:
            # Else a value with few digits, so near that a curve known from a few runs can't tell.
            cell = (value,) if (value,) in self.known else (lever.near(value),)
            if cell not in self.known:
                self._make([cell])
            return float(target.gaps(self.known[cell], self.base).mean())

        points, values = self._curve()
        for each in crossings(points, target.gaps(values, self.base))[:MOST_REFINED]:
            least = 1.0 if lever.whole else 0.0
            tolerance = max(tolerance_for(each, lever.high - lever.low), least)
            if (each.at,) not in self.known and each.right - each.left > tolerance:
                refine(mean, each, tolerance, REFINEMENTS)

    # Tables

    def _write_curve(self, grid: Sequence[float]) -> ThresholdResult:
        points, values = self._curve()
        rows = [
            {
                "lever": point,
                "on_grid": point in grid,
                **row_of(self.known[point,], self.base, self._name((point,))),
            }
            for point in points
        ]
        found = [] if self.target is None else crossings(points, self.target.gaps(values, self.base))
        knee = shape(grid, np.array([self.known[point,] for point in grid]) - self.base)
        finding = ""
        if self.target is not None:
            known = {cell[0]: values for cell, values in self.known.items()}
            finding = sentence_of(
                self.levers[0], self.measure, self.target, self.baseline.name, known, self.base
            )
        words = shape_words(knee, self.levers[0], self.measure)
        self._save(
            {
                CURVE: frame_of(rows, CURVE_SCHEMA),
                CROSSINGS: frame_of(crossing_rows(found), CROSSINGS_SCHEMA),
                SHAPE: shape_frame(knee),
            },
            finding,
            words,
        )
        return ThresholdResult(self.folder, finding, words)

    def _write_grid(self, grids: Sequence[list[float]]) -> ThresholdResult:
        rows: list[dict[str, Any]] = []
        found: list[dict[str, Any]] = []
        for second in grids[1]:
            cells = [(first, second) for first in grids[0]]
            rows += [
                {"lever": cell[0], "lever2": second, **row_of(self.known[cell], self.base, self._name(cell))}
                for cell in cells
            ]
            if self.target is not None:
                gaps = self.target.gaps(np.array([self.known[cell] for cell in cells]), self.base)
                found += crossing_rows(crossings(grids[0], gaps), second)
        finding = ""
        if self.target is not None:
            finding = grid_sentence(self.levers, self.measure, self.target, self.baseline.name, grids[1], found)
        self._save(
            {
                CONTOUR: frame_of(rows, CONTOUR_SCHEMA),
                CROSSINGS: frame_of(found, CROSSINGS_SCHEMA),
            },
            finding,
            "",
        )
        return ThresholdResult(self.folder, finding, "")

    def _save(self, frames: dict[str, pl.DataFrame], finding: str, words: str) -> None:
        """Write the tables, and into the manifest what was asked for and found."""
        for name, frame in frames.items():
            write_atomically(self.folder / name, frame.write_csv(line_terminator="\n").encode("utf-8"))
        manifest = dict(self.manifest)
        manifest["command"] = self._command()
        manifest["threshold"] = {
            "baseline": self.baseline.name,
            "scenario": self.scenario.name,
            "scenario_title": self.scenario.title,
            "levers": [
                {
                    "name": lever.name,
                    "description": lever.description,
                    "unit": lever.unit,
                    "low": lever.low,
                    "high": lever.high,
                    "given": lever.given,
                    "from": lever.start.isoformat(),
                }
                for lever in self.levers
            ],
            "parameters": self._parameters(),
            "measure": self.measure.name,
            "target": None if self.target is None else {"kind": self.target.kind, "value": self.target.value},
            "window": [self.window.months[0], self.window.months[-1]],
            "points": self.points,
            "finding": finding,
            "shape": words,
        }
        # Of the whole search, not only of the last value added.
        manifest["times"] = {
            **manifest["times"],
            "started": self.started.isoformat(timespec="seconds"),
            "seconds": round(time.monotonic() - self.clock, 1),
        }
        manifest["outputs"] = {**manifest["outputs"], **output_hashes(self.folder, frames)}
        write_manifest(self.folder, manifest)

    def _parameters(self) -> list[str]:
        """Return the parameters that the levers move."""
        at = self._at(tuple(lever.low for lever in self.levers)), self._at(tuple(lever.high for lever in self.levers))
        return sorted(
            {
                key[0]
                for each in at
                for key in each.changed()
                if [step.signature(each.start) for step in each.steps(key)]
                != [step.signature(each.start) for step in self.baseline.steps(key)]
            }
        )

    def _command(self) -> str:
        """Return the command that makes this again; it names no folder of this computer."""
        old = str(self.manifest["command"])
        parts = ["python run.py threshold"]
        if self.scenario is not self.baseline:
            parts.append(_named(self.asked.scenario))
        if self.baseline.name != "baseline":
            parts.append(f"--baseline {_named(self.asked.baseline)}")
        for lever, number in zip(self.levers, ("", "2"), strict=False):
            parts.append(f"--lever{number} {lever.name} --from{number} {value_name(lever.low)}")
            parts.append(f"--to{number} {value_name(lever.high)}")
        parts.append(f"--measure {self.measure.name}")
        if self.target is not None:
            flag = "--crosses" if self.target.kind == "level" else "--difference"
            parts.append(f"{flag} {value_name(self.target.value)}")
        parts.append(f"--points {self.points}")
        # Areas, replications, seed, last day and folder are those of the study itself.
        rest = re.search(r"(--areas .*)?--replications .*", old)
        parts.append(rest.group() if rest else "")
        return " ".join(part for part in parts if part)


def _named(item: str | Path | Resolved) -> str:
    return item.name if isinstance(item, Resolved) else portable(str(item), "")
