"""What holds where, when and for whom: parameters with a scenario's dated changes worked in.

Each value is the parameter's own, with the changes that touch it laid on top in order of date (then of file).
A change with ``applies_to: all`` looks at today's date; one with ``applies_to: new`` looks at the date on
which the value is read for a person (rule: a parameter is read on the day of the decision it governs). So
with cohort day ``x`` and today ``t`` a value is the fold of its changes, each seen on ``t`` or on the earlier
of ``x`` and ``t``.

A ramp moves a number in a straight line: on its first day by ``1 / ramp_days`` of the way, on the last all of
it. Only + − × ÷ and comparisons are used, so values are the same on every machine.
"""

from __future__ import annotations

import bisect
import datetime
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import yaml
from numpy.typing import ArrayLike, NDArray

from simulation.scenario.changes import (
    Action,
    Assignment,
    Change,
    Scenario,
    change_entry,
)
from simulation.scenario.geography import SIDES, Geography
from simulation.scenario.parameters import Labels, Leaf, Parameters, canonical_leaf
from simulation.scenario.problems import Problem

Key = tuple[str, Labels]
Floats = NDArray[np.float64]
Days = NDArray[np.int64]


class AreaLimited(ValueError):
    """Raised when one national value is asked for and areas differ."""


@dataclass(frozen=True, eq=False)
class Step:
    """One change to one value.

    Parameters
    ----------
    first, last : int
        Day numbers: the first on which it holds, and the first on which it no longer does.
    ramp : int
        Days of the ramp, at least 1.
    everyone : bool
        ``applies_to: all``.
    action : {"set", "multiply", "add"}
    amount : number, bool or str
    cells : numpy.ndarray of bool, shape (areas, 2), or None
        Where it holds; None for everywhere.
    change : Change
    assignment : Assignment
    """

    first: int
    last: int
    ramp: int
    everyone: bool
    action: Action
    amount: Leaf
    cells: NDArray[np.bool_] | None
    change: Change
    assignment: Assignment

    def signature(self, start: datetime.date) -> tuple[Any, ...]:
        """Everything that determines its effect, with dates instead of day numbers."""
        cells = None if self.cells is None else tuple(np.flatnonzero(self.cells).tolist())
        end = "" if self.last >= NEVER else (start + datetime.timedelta(days=self.last)).isoformat()
        first = (start + datetime.timedelta(days=self.first)).isoformat()
        return (first, end, self.ramp, self.everyone, self.action, canonical_leaf(self.amount), cells)

    def days_of_change(self) -> range:
        """Days on which the value moves while it starts; the end is apart."""
        return range(self.first, min(self.first + self.ramp, self.last))


NEVER = 1_000_000


class Resolved:
    """A scenario's effective values on every day, in every area, for every cohort. Build with `resolve`.

    Attributes
    ----------
    name, title, question, asked_by, expected : str
    start, count_from, end : datetime.date
        First day of the run, first day counted, last day of the run.
    areas : tuple of int
        Indices of the areas to run.
    parameters : Parameters
    geography : Geography
    scenario : Scenario
    warnings : list of Problem
        Remarks that stop nothing, such as a value outside its plausible range.
    """

    def __init__(
        self,
        scenario: Scenario,
        parameters: Parameters,
        geography: Geography,
        areas: tuple[int, ...],
        steps: Mapping[Key, tuple[Step, ...]],
        warnings: Iterable[Problem] = (),
        overrides: Mapping[str, Any] | None = None,
    ) -> None:
        self.scenario = scenario
        self.name, self.title, self.question = scenario.name, scenario.title, scenario.question
        self.asked_by, self.expected = scenario.asked_by, scenario.expected
        self.start, self.count_from, self.end = scenario.start, scenario.count_from, scenario.end
        self.areas = areas
        self.parameters = parameters
        self.geography = geography
        self.warnings = list(warnings)
        self.overrides = dict(overrides or {})
        self._steps = dict(steps)
        self._last_day = (self.end - self.start).days
        self._change_days = self._find_change_days()
        self._starts = [0, *self._change_days]
        self._effective: dict[int, Effective] = {}
        self._constant: dict[Key, Any] = {}
        self._points: dict[Key, tuple[Days, Floats]] = {}

    def __repr__(self) -> str:
        return f"Resolved({self.name!r}, {self.start} to {self.end}, {len(self._change_days)} days of change)"

    def __getstate__(self) -> dict[str, Any]:
        state = dict(self.__dict__)
        # Caches are rebuilt where they are needed; worker processes then start sooner.
        state.update(_effective={}, _constant={}, _points={})
        return state

    def day_number(self, date: datetime.date) -> int:
        """Days from the first day of the run to ``date``; negative before it."""
        return (date - self.start).days

    def date(self, day: int) -> datetime.date:
        """The calendar date of a day number."""
        return self.start + datetime.timedelta(days=day)

    def change_days(self) -> tuple[int, ...]:
        """Days (after day 0) on which some effective value changes; every day of a ramp is one."""
        return self._change_days

    def _find_change_days(self) -> tuple[int, ...]:
        days: set[int] = set()
        for steps in self._steps.values():
            for step in steps:
                days.update(step.days_of_change())
                days.add(step.last)
        return tuple(sorted(day for day in days if 0 < day <= self._last_day))

    def replan(self, day: int) -> frozenset[str]:
        """Parameters that change on this day for people already under way (``applies_to: all``).

        Every day of a ramp counts, since dates already planned move with it.
        """
        return frozenset(
            name
            for (name, _), steps in self._steps.items()
            if any(step.everyone and (day in step.days_of_change() or day == step.last) for step in steps)
        )

    def moving(self, day: int) -> frozenset[str]:
        """Parameters of which some value moves on this day, whoever it is for."""
        return frozenset(
            name
            for (name, _), steps in self._steps.items()
            if any(day in step.days_of_change() or day == step.last for step in steps)
        )

    def on(self, day: int) -> Effective:
        """Values in force for whatever is decided on a day; kept for each stretch without change."""
        first = self._starts[bisect.bisect_right(self._starts, max(day, 0)) - 1]
        found = self._effective.get(first)
        if found is None:
            found = self._effective[first] = Effective(self, first)
        return found

    def lookup(
        self,
        name: str,
        days: ArrayLike,
        today: int,
        area: ArrayLike | None = None,
        side: ArrayLike | None = None,
        labels: Labels | str = (),
    ) -> Floats:
        """The value for people whose deciding date (offence, sentence, reception, release) was on each day.

        Parameters
        ----------
        name : str
            A number or true/false parameter.
        days : array of int
            Day number of each person's own date; may be negative. A date after today is read as today.
        today : int
            Changes with ``applies_to: all`` that hold today reach every cohort.
        area, side : array of int or int, optional
            Needed only when a change is limited to some areas or providers.
        labels : tuple of str, optional
            Entry of a table.

        Returns
        -------
        numpy.ndarray of float64, shape of days
        """
        key = self._key(name, labels)
        parameter = self.parameters[name]
        if parameter.kind == "text":
            raise TypeError(f"{name} is a word; read it with on(day).text")
        cohort = np.minimum(np.asarray(days, dtype=np.int64), today)
        steps = self._steps.get(key, ())
        if parameter.series:
            values = self._series_values(key, cohort)
        else:
            values = np.full(cohort.shape, float(parameter.leaves[key[1]]))
        for step in steps:
            inside = None if step.cells is None else self._inside(step.cells, name, area, side)
            values = _apply(step, values, np.int64(today) if step.everyone else cohort, inside)
        return values

    def never_changes(self, name: str, labels: Labels | str = ()) -> bool:
        """Tell whether :meth:`lookup` gives one value for everybody, whatever their day and wherever they live."""
        key = self._key(name, labels)
        return not self.parameters[name].series and not self._steps.get(key)

    @staticmethod
    def _inside(
        cells: NDArray[np.bool_], name: str, area: ArrayLike | None, side: ArrayLike | None
    ) -> NDArray[np.bool_]:
        if side is None:
            if (cells[:, 0] != cells[:, 1]).any():
                raise AreaLimited(f"{name} differs by provider in this scenario: give side")
            column = cells[:, 0]
        elif area is None:
            if (cells != cells[0]).any():
                raise AreaLimited(f"{name} differs by area in this scenario: give area")
            return np.asarray(cells[0][np.asarray(side)])
        else:
            return np.asarray(cells[np.asarray(area), np.asarray(side)])
        if area is None:
            raise AreaLimited(f"{name} differs by area in this scenario: give area")
        return np.asarray(column[np.asarray(area)])

    def series(self, name: str, *labels: str) -> list[tuple[datetime.date, float]]:
        """The dated values of a series as its file gives them, changes left out."""
        return list(self.parameters[name].points[self._key(name, labels)[1]])

    def series_value(
        self, name: str, day: int, area: int | None = None, side: int | None = None, labels: Labels = ()
    ) -> float:
        """Value of a series on a day, changes included.

        Parameters
        ----------
        name : str
        day : int
            Day number; may be negative.
        area, side : int, optional
            Needed only when a change is limited to some areas or providers.
        labels : tuple of str, optional
        """
        if not self.parameters[name].series:
            raise TypeError(f"{name} is no series; read it with on(day)")
        return float(self.lookup(name, [day], day, area, side, labels)[0])

    def _series_values(self, key: Key, days: Days) -> Floats:
        """Values of a series on each day, changes left out."""
        if key not in self._points:
            points = self.parameters[key[0]].points[key[1]]
            self._points[key] = (
                np.array([self.day_number(date) for date, _ in points], dtype=np.int64),
                np.array([value for _, value in points], dtype=np.float64),
            )
        dates, values = self._points[key]
        before = np.clip(np.searchsorted(dates, days, side="right") - 1, 0, len(dates) - 1)
        if self.parameters[key[0]].series == "step" or len(dates) == 1:
            return values[before]
        after = np.minimum(before + 1, len(dates) - 1)
        gap = np.maximum(dates[after] - dates[before], 1)
        along = np.clip(days - dates[before], 0, gap) / gap
        return values[before] + along * (values[after] - values[before])

    def _key(self, name: str, labels: Labels | str) -> Key:
        wanted = (labels,) if isinstance(labels, str) else tuple(labels)
        parameter = self.parameters[name]
        if wanted not in parameter.leaves:
            shown = ".".join(wanted)
            if parameter.labels_below(wanted):
                raise KeyError(f"{name} is a table: name one of its entries after {shown!r}")
            raise KeyError(
                f"{name} has no entry {shown!r}; it has {['.'.join(leaf) for leaf in parameter.leaves]}"
            )
        return (name, wanted)

    def value_grid(self, key: Key, day: int, cohort: int | None = None) -> NDArray[Any]:
        """Value by area and side on a day, for the cohort of an earlier day if one is given."""
        name, labels = key
        parameter = self.parameters[name]
        shape = (len(self.geography.areas), len(SIDES))
        seen = day if cohort is None else min(cohort, day)
        values: NDArray[Any]
        if parameter.kind == "text":
            values = np.full(shape, parameter.leaves[labels], dtype=object)
        elif parameter.series:
            values = np.full(shape, self._series_values(key, np.array([seen], dtype=np.int64))[0])
        else:
            values = np.full(shape, float(parameter.leaves[labels]))
        for step in self._steps.get(key, ()):
            values = _apply(step, values, np.int64(day if step.everyone else seen), step.cells)
        return values

    def steps(self, key: Key) -> tuple[Step, ...]:
        """The changes that touch one value, in the order in which they apply."""
        return self._steps.get(key, ())

    def changed(self) -> dict[Key, tuple[Step, ...]]:
        """The values that some change touches, with the changes in the order in which they apply."""
        return dict(self._steps)

    def digest(self) -> str:
        """SHA-256 of all that determines a run: parameters, changes and dates, but not the list of areas."""
        content = {
            "parameters": self.parameters.canonical(),
            "dates": [self.start.isoformat(), self.count_from.isoformat(), self.end.isoformat()],
            "steps": [
                [name, list(labels), [step.signature(self.start) for step in steps]]
                for (name, labels), steps in sorted(self._steps.items())
            ],
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def first_difference(self, other: Resolved) -> datetime.date | None:
        """First date on which two scenarios can differ, or None. See `simulation.scenario.difference`."""
        from simulation.scenario.difference import first_difference

        return first_difference(self, other)

    def to_yaml(self) -> str:
        """The scenario as one file that can be loaded again: what it extends is worked in."""
        geography = self.geography
        everywhere = len(self.areas) == len(geography.areas)
        content: dict[str, Any] = {"name": self.name, "title": self.title}
        for key in ("question", "asked_by", "expected"):
            if getattr(self, key):
                content[key] = getattr(self, key)
        if self.scenario.expects:
            content["expects"] = dict(self.scenario.expects)
        if self.scenario.moves:
            content["moves"] = list(self.scenario.moves)
        content.update(
            start=self.start.isoformat(), count_from=self.count_from.isoformat(), end=self.end.isoformat()
        )
        content["areas"] = "all" if everywhere else [geography.areas[area] for area in self.areas]
        content["changes"] = [
            dict(change_entry(change)) for change in self.scenario.changes if change.assignments
        ]
        chain = (
            f"# Extends: {', '.join(self.scenario.extends)} (worked in below)\n"
            if self.scenario.extends
            else ""
        )
        held = "".join(
            f"# Held from day one: {name} = {json.dumps(v)}\n" for name, v in sorted(self.overrides.items())
        )
        header = f"# Resolved scenario, digest {self.digest()}\n"
        header += f"# Parameter values, digest {self.parameters.digest}\n"
        body = yaml.dump(content, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=110)
        return header + chain + held + body


class _Plain(yaml.SafeDumper):
    """Writes no aliases, which the reader would refuse."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


class Effective:
    """Values in force on one day, from `Resolved.on`. Arrays are shared, so they can't be written to."""

    def __init__(self, resolved: Resolved, day: int) -> None:
        self._resolved = resolved
        self.day = day
        self._grids: dict[Key, NDArray[Any]] = {}

    def _grid(self, name: str, labels: Labels) -> NDArray[Any]:
        key = (name, labels)
        found = self._grids.get(key)
        if found is not None:
            return found
        resolved = self._resolved
        checked = resolved._key(name, labels)
        if resolved.parameters[name].series:
            raise TypeError(f"{name} is a series; read it with Resolved.series_value")
        touched = checked in resolved._steps
        grid = None if touched else resolved._constant.get(checked)
        if grid is None:
            grid = resolved.value_grid(checked, self.day)
            grid.flags.writeable = False
            if not touched:
                resolved._constant[checked] = grid
        self._grids[key] = grid
        return grid

    def _national(self, name: str, labels: Labels) -> Any:
        grid = self._grid(name, labels)
        value = grid[0, 0]
        if (name, labels) in self._resolved._steps and not (grid == value).all():
            shown = ".".join((name, *labels))
            raise AreaLimited(f"{shown} differs by area or provider on day {self.day}; read it with grid")
        return value

    def number(self, name: str, *labels: str) -> float:
        """The one national value."""
        self._need(name, "number")
        return float(self._national(name, labels))

    def integer(self, name: str, *labels: str) -> int:
        """The one national value as a whole number; a value on the way up a ramp is rounded, halves up."""
        value = self.number(name, *labels)
        return int(np.floor(value + 0.5))

    def flag(self, name: str, *labels: str) -> bool:
        """The one national value of a true/false parameter."""
        self._need(name, "flag")
        return bool(self._national(name, labels))

    def text(self, name: str, *labels: str) -> str:
        """The one national value of a word parameter."""
        self._need(name, "text")
        return str(self._national(name, labels))

    def mapping(self, name: str) -> dict[str, Any]:
        """The national values of a table, nested as in its file."""
        parameter = self._resolved.parameters[name]
        if not parameter.is_table:
            raise TypeError(f"{name} is a single value, not a table")
        table: dict[str, Any] = {}
        for labels in parameter.leaves:
            branch = table
            for label in labels[:-1]:
                branch = branch.setdefault(label, {})
            value = self._national(name, labels)
            kind = parameter.kind
            branch[labels[-1]] = (
                bool(value) if kind == "flag" else str(value) if kind == "text" else float(value)
            )
        return table

    def grid(self, name: str, *labels: str) -> Floats:
        """Value by area and side, shape (42, 2), read-only; true and false are 1 and 0."""
        found = self._grids.get((name, labels))
        if found is not None and found.dtype != object:
            return found
        if self._resolved.parameters[name].kind == "text":
            raise TypeError(f"{name} is a word; read it with text_grid")
        return self._grid(name, labels)

    def text_grid(self, name: str, *labels: str) -> NDArray[np.object_]:
        """Word by area and side, shape (42, 2), read-only."""
        self._need(name, "text")
        return self._grid(name, labels)

    def _need(self, name: str, kind: str) -> None:
        actual = self._resolved.parameters[name].kind
        if actual != kind:
            names = {"number": "a number", "flag": "true or false", "text": "a word"}
            raise TypeError(f"{name} is {names[actual]}, not {names[kind]}")


def _apply(step: Step, values: NDArray[Any], days: Any, inside: NDArray[np.bool_] | None) -> NDArray[Any]:
    """Lay one step over values, where its day has come and its place is meant."""
    active = (days >= step.first) & (days < step.last)
    if inside is not None:
        active = active & inside
    if not np.any(active):
        return values
    if step.action == "multiply":
        new = values * step.amount
    elif step.action == "add":
        new = values + step.amount
    else:
        new = np.full(values.shape, step.amount, dtype=values.dtype)
    if step.ramp > 1:
        along = (days - step.first + 1) / step.ramp
        new = np.where(along >= 1, new, values + along * (new - values))
    return np.where(active, new, values)
