"""How many replications are enough: runs are added until every headline difference is as narrow as asked.

The rule is sequential. A headline difference is narrow enough when half of its 95% interval (Student's t over pairs)
is at most the amount asked, or, where a share g of the difference is asked, at most g / (1 + g) of the difference seen:
then it is at most about g of the true one (Law, *Simulation Modeling and Analysis*, on output analysis for a single
system; after Chow & Robbins 1965). To look again and again and stop as soon as an interval is narrow prefers the
intervals that are narrow by luck, which hold the truth less often than they say. Three things keep that small:

- no look before `LEAST` replications (Law advises at least ten);
- few looks: each comes after a fifth more replications, and at least `STEP` more;
- every difference has to be narrow enough at two looks running, so that replications are added after the first time.
  Hoad, Robinson & Davies (2010, *Journal of the Operational Research Society* 61:1632) look ahead in the same spirit.

How often the intervals then hold the truth was tried: tests/experiment/test_precision.py, docs/result_files.md.

When to look follows from the first number and the most allowed, whether to go on from the outcomes: never from the time
taken or the number of workers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import stdtrit

from simulation.experiment.counts import Counts, Floats
from simulation.experiment.differences import Schema, frame_of
from simulation.experiment.findings import number_words, unit_words
from simulation.experiment.statistics import CONFIDENCE, paired_difference
from simulation.experiment.windows import Window
from simulation.measures.registry import HEADLINES, MEASURE_BY_NAME
from simulation.scenario.problems import did_you_mean

Booleans = npt.NDArray[np.bool_]

LEAST = 10
"""Fewest replications before the rule first looks."""

STEP = 5
"""Fewest replications between two looks."""

GROWTH = 1.2
"""Least number of replications at a look, over that of the look before."""

MOST_BY_DEFAULT = 100
"""Most replications of a study that doesn't say how many."""

PRECISION = "precision.csv"
"""File of how narrow each headline difference came out; there only where a study asks for a precision."""

PRECISION_SCHEMA: Schema = {
    "scenario": pl.String,
    "compared_with": pl.String,
    "measure": pl.String,
    "title": pl.String,
    "unit": pl.String,
    "window": pl.String,
    "first_month": pl.String,
    "last_month": pl.String,
    "replications": pl.Int64,
    "difference": pl.Float64,
    "half_width": pl.Float64,
    "asked": pl.Float64,
    "asked_of": pl.String,
    "allowed_half_width": pl.Float64,
    "reached": pl.Boolean,
    "replications_needed": pl.Int64,
}
"""Columns of precision.csv."""

OF_DIFFERENCE, IN_UNIT = "difference", "unit"
"""What an amount asked is: a share of the difference, or a number in the unit of the measure."""

_MOST_NEEDED = 1_000_000
"""Estimates of replications needed beyond this say only that it can't be done."""


@dataclass(frozen=True)
class Target:
    """The precision asked of one headline measure.

    Parameters
    ----------
    measure : str
        Name of the measure.
    amount : float
        Half of the interval, as a share of the difference or in the unit of the measure.
    of : {"difference", "unit"}
        Which of the two.
    """

    measure: str
    amount: float
    of: str

    def allowed(self, differences: Floats) -> Floats:
        """Return the widest half of an interval that is narrow enough for each difference, in its unit."""
        if self.of == IN_UNIT:
            return np.full(differences.shape, self.amount)
        share: Floats = self.amount / (1 + self.amount) * np.abs(differences)
        return share


@dataclass(frozen=True)
class Precision:
    """What a study asks for, checked.

    Parameters
    ----------
    text : str
        As the user wrote it, without spaces.
    targets : tuple of Target
        One for each headline measure that has to be narrow, in the order of the headlines.
    first, most : int
        Replications at the first look, and the most allowed.
    """

    text: str
    targets: tuple[Target, ...]
    first: int
    most: int

    @property
    def looks(self) -> tuple[int, ...]:
        """Numbers of replications at which the rule looks.

        Examples
        --------
        >>> Precision("0.1", (), 10, 40).looks
        (10, 15, 20, 25, 30, 36, 40)
        """
        found = [self.first]
        while found[-1] < self.most:
            found.append(min(self.most, max(found[-1] + STEP, math.ceil(found[-1] * GROWTH))))
        return tuple(found)

    def options(self) -> str:
        """Return the words of the command line that ask for it."""
        return f"--precision {self.text} --most-replications {self.most}"

    def asked(self) -> dict[str, Any]:
        """Return what the manifest says before anything runs."""
        return {"asked": self.text, "first": self.first, "most": self.most}


def make_precision(
    given: str | float | None, replications: int, most: int | None, scenarios: int
) -> tuple[Precision | None, list[str]]:
    """Check a precision asked for.

    Parameters
    ----------
    given : str or float or None
        A share of each headline difference (``0.05`` or ``5%``), or amounts in their units for headlines by name
        (``prison_sentenced=100,recalls_year=5%``), or both: what is named has its own, the rest the share.
    replications : int
        Replications at the first look; raised to `LEAST`.
    most : int or None
        Most replications; `MOST_BY_DEFAULT` (or those of the first look, if more) where not given.
    scenarios : int
        Number of scenarios, the baseline included.

    Returns
    -------
    precision : Precision or None
        None where none is asked for, or where there are problems.
    problems : list of str
        A sentence each.
    """
    if given is None:
        return None, [] if most is None else ["The most replications can be given only together with a precision."]
    # A small number would be written 1e-05.
    words = given if isinstance(given, str) else np.format_float_positional(given, trim="-")
    text = "".join(words.split())
    share, named, problems = _amounts(text)
    if scenarios == 1:
        problems.append("A precision is asked of differences: name a second scenario to compare with the first.")
    first = max(LEAST, replications)
    if most is None:
        most = max(MOST_BY_DEFAULT, first)
    elif most < first:
        problems.append(f"The most replications must be at least the {first} of the first look, not {most}.")
    if problems:
        return None, problems
    targets = [named.get(name, share and Target(name, share, OF_DIFFERENCE)) for name in HEADLINES]
    return Precision(text, tuple(target for target in targets if target), first, most), []


def _amounts(text: str) -> tuple[float | None, dict[str, Target], list[str]]:
    """Return the share asked of every headline, the targets of those named, and problems."""
    share: float | None = None
    named: dict[str, Target] = {}
    problems = []
    how = "write a share of each difference like 0.05 or 5%, or an amount for a headline like recalls_year=50"
    for part in text.split(","):
        name, is_named, amount = part.rpartition("=")
        value = _value(amount)
        of = IN_UNIT if is_named and not amount.endswith("%") else OF_DIFFERENCE
        if is_named and name not in HEADLINES:
            hint = did_you_mean(name, HEADLINES)
            given = f"'{name[:40]}' is no headline measure" + (f"; {hint}" if hint else ".")
            problems.append(f"Precision: {given} They are {', '.join(HEADLINES)}.")
        elif value is None or value <= 0:
            problems.append(f"Precision: '{part[:40]}' is not an amount above 0; {how}.")
        elif of == OF_DIFFERENCE and value >= 1:
            problems.append(f"Precision: a share of a difference must be below 1 (100%), not {amount[:40]}; {how}.")
        elif (share is not None) if not is_named else name in named:
            problems.append(f"Precision: {name or 'a share of every difference'} is given twice.")
        elif is_named:
            named[name] = Target(name, value, of)
        else:
            share = value
    return share, named, problems


def _value(text: str) -> float | None:
    """Return a plain number, or a percentage as a share; None where it is neither."""
    digits = text.removesuffix("%")
    # float() would also take words such as "inf", underscores and digits of other scripts.
    if not digits.isascii() or not digits.replace(".", "", 1).isdigit():
        return None
    value = float(digits) / (100 if text.endswith("%") else 1)
    return value if math.isfinite(value) else None


def held(reached: Sequence[Booleans]) -> Booleans:
    """Return whether what was asked is reached at the last two looks running.

    Parameters
    ----------
    reached : sequence of ndarray of bool
        By look, of any shape.
    """
    found: Booleans = reached[-1] & reached[-2] if len(reached) > 1 else np.zeros_like(reached[-1])
    return found


class SequentialRule:
    """Whether there are enough replications, from the outcomes of those there are.

    Parameters
    ----------
    precision : Precision
        What is asked.
    baseline : str
        Name of the scenario compared with.
    windows : mapping of str to Window
        For each other scenario the months over which it is compared.
    """

    def __init__(self, precision: Precision, baseline: str, windows: Mapping[str, Window]) -> None:
        self.precision = precision
        self.rounds: list[dict[str, int]] = []
        self._baseline = baseline
        self._windows = dict(windows)
        self._rows = [(scenario, target) for scenario in windows for target in precision.targets]
        self._before: list[list[float]] = [[] for _ in self._rows]
        self._after: list[list[float]] = [[] for _ in self._rows]

    @property
    def replications(self) -> int:
        """Replications seen."""
        return len(self._before[0])

    def add(self, counts: Mapping[str, Counts]) -> None:
        """Take in the next replication.

        Parameters
        ----------
        counts : mapping of str to Counts
            The counts of that one run of each scenario, the baseline too.
        """
        for row, (scenario, target) in enumerate(self._rows):
            measure, window = MEASURE_BY_NAME[target.measure], self._windows[scenario]
            self._before[row].append(float(counts[self._baseline].levels(measure, window)[0][0]))
            self._after[row].append(float(counts[scenario].levels(measure, window)[0][0]))

    def enough(self) -> bool:
        """Look: are all differences narrow enough, at this look and at the one before?

        A difference that doesn't exist, because nothing was counted, asks for nothing: more runs would not make it.
        """
        reached = [row["reached"] for row in self._figures()]
        known = [answer for answer in reached if answer is not None]
        self.rounds.append({"replications": self.replications, "reached": sum(known), "of": len(known)})
        return bool(held([np.array(look["reached"] == look["of"]) for look in self.rounds]))

    def table(self) -> pl.DataFrame:
        """Return how narrow each difference is now: columns of `PRECISION_SCHEMA`."""
        return frame_of(self._figures(), PRECISION_SCHEMA)

    def _figures(self) -> list[dict[str, Any]]:
        paired = paired_difference(np.array(self._before), np.array(self._after))
        half_widths = (paired.high - paired.low) / 2
        rows = []
        for (scenario, target), difference, half, error in zip(
            self._rows, paired.mean, half_widths, paired.standard_error, strict=True
        ):
            measure, window = MEASURE_BY_NAME[target.measure], self._windows[scenario]
            allowed = float(target.allowed(np.asarray(difference)))
            reached = None if math.isnan(half) else bool(half <= allowed)
            needed = None
            if reached is False:
                needed = replications_needed(error * math.sqrt(self.replications), allowed, self.replications)
            rows.append(
                {
                    "scenario": scenario,
                    "compared_with": self._baseline,
                    "measure": measure.name,
                    "title": measure.title,
                    "unit": measure.unit,
                    "window": window.name,
                    "first_month": window.months[0],
                    "last_month": window.months[-1],
                    "replications": self.replications,
                    "difference": difference,
                    "half_width": half,
                    "asked": target.amount,
                    "asked_of": target.of,
                    "allowed_half_width": allowed,
                    "reached": reached,
                    "replications_needed": needed,
                }
            )
        return rows

    def record(self) -> dict[str, Any]:
        """Return what the manifest says once the runs are made."""
        found, missed = self.findings()
        return {**self.precision.asked(), "rounds": self.rounds, "finding": found, "not_reached": missed}

    def findings(self) -> tuple[str, list[str]]:
        """Say in words how far the precision asked was reached, and of each difference that misses it by how much."""
        known = [row for row in self._figures() if row["reached"] is not None]
        missed = [row for row in known if not row["reached"]]
        found = (
            f"The precision asked ({self.precision.text}) was reached for {len(known) - len(missed)} of {len(known)} "
            f"headline differences with {self.replications} replications"
        )
        if not missed:
            return f"{found}.", []
        found += f", the most allowed. Not reached: {len(missed)}."
        if any(_may_be_none(row) for row in missed):
            found += (
                " A share of a difference whose interval holds zero can't be reached: give an amount for that measure."
            )
        return found, [f"{row['scenario']}: {row['title']}, {_short_of(row)}" for row in missed]


def _may_be_none(row: Mapping[str, Any]) -> bool:
    """Return whether a share is asked of a difference whose interval holds zero."""
    return bool(row["asked_of"] == OF_DIFFERENCE and row["half_width"] >= abs(row["difference"]))


def _short_of(row: Mapping[str, Any]) -> str:
    """Say by how much one difference misses what is asked, and what would be needed."""
    unit = unit_words(MEASURE_BY_NAME[row["measure"]])
    difference, half = row["difference"], row["half_width"]
    like = max(abs(difference), half)
    words = f"{number_words(difference, like)} ± {number_words(half, like)} {unit}"
    if _may_be_none(row):
        # The number needed would be worked out from a difference that may as well be none.
        return f"{words}: its interval holds zero"
    needed = row["replications_needed"]
    return f"{words}: about {needed:,} replications needed" if needed else f"{words}: out of reach"


def replications_needed(deviation: float, allowed: float, at_least: int = 2) -> int | None:
    """Estimate how many replications make half of a 95% interval so small.

    Parameters
    ----------
    deviation : float
        Standard deviation of the paired differences.
    allowed : float
        Half of the interval, in the same unit.
    at_least : int
        Replications there are.

    Returns
    -------
    int or None
        The least number, as if the deviation were exact; None beyond a million.

    Examples
    --------
    >>> replications_needed(10.0, 4.0)
    27
    >>> replications_needed(10.0, 0.0) is None
    True
    """

    def wide(number: int) -> bool:
        return float(stdtrit(number - 1, 0.5 + CONFIDENCE / 2)) * deviation / math.sqrt(number) > allowed

    low, high = max(2, at_least), _MOST_NEEDED
    if wide(high):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if wide(middle) else (low, middle)
    return low
