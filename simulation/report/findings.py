"""Sentences and chart titles computed from numbers: how big, which way, how sure, who loses.

The words are plain on purpose: a difference is *clear* when its interval leaves out zero and *too close to
call* otherwise. Sizes come with their interval. No sentence says what will happen: a level is not a forecast.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal

import polars as pl

from simulation.measures.registry import Measure
from simulation.report.wording import (
    at_most_words,
    counted,
    is_share,
    listed,
    lower_first,
    number,
    percent,
    places,
    spelled,
    with_unit,
)

Status = Literal["improves", "worsens", "changes", "too close to call", "no difference", "single run"]

CLEAR: tuple[Status, ...] = ("improves", "worsens", "changes")
"""Statuses of a difference whose interval leaves out zero."""

HARDLY = 0.005
"""Share of the baseline below which both ends of an interval are called small."""

TITLE_WORDS = 15
"""Longest title of a chart, in words."""


@dataclass(frozen=True)
class Finding:
    """One measure of one scenario in words.

    Parameters
    ----------
    measure : Measure
        What is compared.
    status : str
        Whether the difference is clear, and whether most readers would call it an improvement.
    text : str
        A full sentence.
    relative, relative_low, relative_high : float or None
        Difference and interval in percent of the baseline; None without a baseline to divide by or an
        interval.
    """

    measure: Measure
    status: Status
    text: str
    relative: float | None
    relative_low: float | None
    relative_high: float | None

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.status in CLEAR

    @property
    def direction(self) -> str:
        """The change in one or two words, for labels."""
        rises = (self.relative or 0) > 0
        if self.status == "changes":
            return "higher" if rises else "lower"
        return {"single run": "one run"}.get(self.status, self.status)


def status_of(measure: Measure, row: Mapping[str, Any]) -> Status:
    """Whether a difference is clear, and which way most readers would take it."""
    difference, low, high = row["difference"], row.get("low"), row.get("high")
    if not _has_interval(low, high):
        return "no difference" if difference == 0 else "single run"
    assert low is not None and high is not None
    if low == high == 0:
        return "no difference"
    if low <= 0 <= high:
        return "too close to call"
    if measure.better == "neither":
        return "changes"
    return "improves" if (difference < 0) == (measure.better == "lower") else "worsens"


def against_expectation(measure: Measure, row: Mapping[str, Any], expected: str) -> str:
    """Say whether a difference went the way that was expected beforehand.

    Parameters
    ----------
    measure : Measure
        The measure of the row.
    row : mapping
        Columns of differences.csv: difference, low, high.
    expected : {"more", "less"}
        The direction the scenario file gives.
    """
    status, difference = status_of(measure, row), row["difference"]
    if status == "single run":
        seen = "one run, so nothing can be said"
    elif status in ("too close to call", "no difference"):
        seen = f"not seen, {status}"
    elif (difference > 0) == (expected == "more"):
        seen = "so it came out"
    else:
        seen = "it went the other way"
    return f"{measure.title}: {expected} expected; {seen}."


def finding(measure: Measure, row: Mapping[str, Any]) -> Finding:
    """Put one row of differences.csv into words.

    Parameters
    ----------
    measure : Measure
        The measure of the row.
    row : mapping
        Columns of differences.csv: baseline, value, difference, low, high, replications.

    Returns
    -------
    Finding
    """
    status = status_of(measure, row)
    baseline = row.get("baseline")
    scale = 100 / abs(baseline) if baseline else None
    relative = row["difference"] * scale if scale else None
    has_interval = _has_interval(row.get("low"), row.get("high"))
    relative_low = row["low"] * scale if scale and has_interval else None
    relative_high = row["high"] * scale if scale and has_interval else None
    return Finding(measure, status, _sentence(measure, row, status), relative, relative_low, relative_high)


def findings_of(measures: Iterable[Measure], rows: Mapping[str, Mapping[str, Any]]) -> list[Finding]:
    """Findings for the measures that have a difference, in the order given."""
    return [
        finding(measure, rows[measure.name])
        for measure in measures
        if measure.name in rows and rows[measure.name].get("difference") is not None
    ]


def _has_interval(low: float | None, high: float | None) -> bool:
    return low is not None and high is not None and isfinite(low) and isfinite(high)


@dataclass(frozen=True)
class _Size:
    """A difference in the terms a reader would use: percent of the baseline, percentage points, or days."""

    scale: float
    unit: str
    rise: str
    fall: str

    def words(self, difference: float, decimals: int, short: bool = False) -> str:
        """A difference with its unit and direction; `short` says points for percentage points."""
        amount = self.amount(difference, decimals)
        if short:
            amount = amount.replace("percentage point", "point")
        return f"{amount} {self.rise if difference > 0 else self.fall}"

    def amount(self, difference: float, decimals: int) -> str:
        """A difference with its unit and without its direction."""
        text = number(abs(difference * self.scale), decimals)
        if self.unit == "%":
            return text + "%"
        unit = self.unit[:-1] if text == "1" and self.unit.endswith("s") else self.unit
        return f"{text} {unit}"


def _size(measure: Measure, baseline: float | None) -> _Size:
    if is_share(measure.unit):
        return _Size(1, "percentage points", "higher", "lower")
    if measure.unit == "days":
        return _Size(1, "days", "longer", "shorter")
    if measure.unit.startswith("days ") or not baseline:
        unit = "days" if measure.unit.startswith("days ") else measure.unit
        return (
            _Size(1, unit, "more", "fewer")
            if not baseline
            else _Size(100 / abs(baseline), "%", "higher", "lower")
        )
    return _Size(100 / abs(baseline), "%", "higher", "lower")


def _sentence(measure: Measure, row: Mapping[str, Any], status: Status) -> str:
    subject = measure.sentence or measure.title
    difference, low, high = row["difference"], row.get("low"), row.get("high")
    baseline, value = row.get("baseline"), row.get("value")
    size = _size(measure, baseline)
    if status == "no difference":
        runs = int(row.get("replications") or 1)
        return f"{subject}: no difference in {'the single run' if runs == 1 else 'any run'}."
    if status == "single run":
        decimals = places(difference * size.scale)
        return (
            f"{subject} would be {size.words(difference, decimals)} in the single run made"
            f"{_levels(measure, baseline, value)}; one run cannot show how much of that is chance."
        )
    assert low is not None and high is not None
    decimals = places(difference * size.scale, low * size.scale, high * size.scale)
    if status == "too close to call":
        widest = max(abs(low), abs(high))
        if baseline and widest < HARDLY * abs(baseline):
            most = size.amount(widest, places(widest * size.scale))
            return f"{subject}: too close to call, and small (at most {most} either way)."
        return f"{subject}: too close to call ({_span(size, low, high, decimals)})."
    near, far = sorted((abs(low), abs(high)))
    far_end = size.words(far if difference > 0 else -far, decimals)
    near_end = number(near * size.scale, decimals) + ("%" if size.unit == "%" else "")
    span = "the same in every pair" if near == far else f"between {near_end} and {far_end}"
    return (
        f"{subject} would be {size.words(difference, decimals)} ({span}){_levels(measure, baseline, value)}."
    )


def _span(size: _Size, low: float, high: float, decimals: int) -> str:
    if low == 0:
        return f"between no change and {size.words(high, decimals)}"
    if high == 0:
        return f"between {size.words(low, decimals)} and no change"
    return f"between {size.words(low, decimals)} and {size.words(high, decimals)}"


def _levels(measure: Measure, baseline: float | None, value: float | None) -> str:
    if baseline is None or value is None or not isfinite(baseline) or not isfinite(value):
        return ""
    # Enough digits that the two levels differ in print.
    decimals = places(baseline, value)
    while decimals < 4 and number(baseline, decimals) == number(value, decimals):
        decimals += 1
    short = measure.unit if not is_share(measure.unit) else "%"
    return f": {with_unit(value, short, decimals)} instead of {number(baseline, decimals)}" + (
        "%" if is_share(measure.unit) else ""
    )


def largest(findings: Iterable[Finding]) -> Finding | None:
    """The clear finding with the largest change relative to the baseline; None if nothing is clear."""
    clear = [item for item in findings if item.clear]
    return max(clear, key=lambda item: abs(item.relative or 0), default=None)


def tally(findings: Iterable[Finding]) -> str:
    """How many measures improve, worsen and so on, as a sentence.

    Counting every declared measure, the unclear ones included, is what stops a reader from being shown
    only the one that moved.
    """
    counts = _counts(findings)
    total = sum(counts.values())
    if not total:
        return "None of the measures declared in advance could be compared."
    if counts["single run"]:
        return (
            "Only one run of each scenario was made: the sizes below mix the effect of the "
            "change with chance, "
            "and none can be called clear."
        )
    parts = [
        f"{spelled(counts[status])} {words[counts[status] > 1]}"
        for status, words in _TALLY.items()
        if counts[status]
    ]
    if len(parts) == 1 and total > 1:
        only = next(status for status in _TALLY if counts[status])
        every = "Both" if total == 2 else f"All {spelled(total)}"
        return f"{every} measures declared in advance {_TALLY[only][1]}."
    return f"Of the {counted(total, 'measure')} declared in advance, {listed(parts)}."


_TALLY: dict[Status, tuple[str, str]] = {
    "improves": ("would improve", "would improve"),
    "worsens": ("would get worse", "would get worse"),
    "changes": ("would change, neither better nor worse", "would change, neither better nor worse"),
    "too close to call": ("is too close to call", "are too close to call"),
    "no difference": ("would not change at all", "would not change at all"),
}


def _counts(findings: Iterable[Finding]) -> dict[Status, int]:
    counts: dict[Status, int] = dict.fromkeys((*_TALLY, "single run"), 0)
    for item in findings:
        counts[item.status] += 1
    return counts


def worst_tenth_reading(measure: Measure, row: Mapping[str, Any]) -> str:
    """How the worst-off tenth of areas fares beside the country, in a few words.

    Parameters
    ----------
    measure : Measure
        What is compared.
    row : mapping
        Columns of differences.csv; `worst_tenth_difference` may be missing.

    Returns
    -------
    str
        "" for measures that have no better or worse side, or without figures.
    """
    worst = row.get("worst_tenth_difference")
    if worst is None or measure.better == "neither":
        return ""
    status = status_of(
        measure, {"difference": worst, "low": row.get("worst_tenth_low"), "high": row.get("worst_tenth_high")}
    )
    country = status_of(measure, row)
    if status == "worsens":
        return "worse, though the country gains" if country == "improves" else "worse"
    if status == "improves":
        return "better, though the country loses" if country == "worsens" else "better"
    return {"single run": "one run only"}.get(status, status)


def losers(measures: Iterable[Measure], rows: Mapping[str, Mapping[str, Any]]) -> str:
    """Who loses: where the worst-off areas, or single areas, clearly get worse, as a sentence; "" without
    figures."""
    readings: dict[str, str] = {}
    most: tuple[int, int, str] = (0, 0, "")
    for measure in measures:
        row = rows.get(measure.name)
        if row is None:
            continue
        if reading := worst_tenth_reading(measure, row):
            readings[lower_first(measure.title)] = reading
        worse = row.get("areas_worse")
        if worse is not None and worse > most[0]:
            most = (int(worse), int(row.get("areas") or 0), lower_first(measure.title))
    if not readings and not most[0]:
        return ""
    if "one run only" in readings.values():
        return "Who loses: one run of each scenario cannot tell."
    against = [title for title, reading in readings.items() if reading == "worse, though the country gains"]
    lose = [title for title, reading in readings.items() if reading == "worse"]
    parts = []
    if against:
        parts.append(
            f"the worst-off tenth of areas would get worse while the country gains on {listed(against)}"
        )
    if lose:
        parts.append(f"the worst-off tenth of areas would get worse on {listed(lose)}")
    if not parts and readings:
        parts.append("the worst-off tenth of areas would not clearly get worse on any of these measures")
    if most[0]:
        parts.append(f"{spelled(most[0])} of {spelled(most[1])} areas would clearly get worse on {most[2]}")
    return "Who loses: " + "; ".join(parts) + "."


# Chart titles: the finding, in at most fifteen words


def headline_title(title: str, findings: Iterable[Finding]) -> str:
    """Title of the paired-difference chart of one scenario."""
    counts = _counts(findings)
    if not sum(counts.values()):
        rest = "no measure could be compared"
    elif counts["single run"]:
        rest = "one run cannot separate effect from chance"
    else:
        kinds: tuple[tuple[Status, str], ...] = (
            ("improves", "better"),
            ("worsens", "worse"),
            ("changes", "changed"),
            ("too close to call", "too close to call"),
            ("no difference", "unchanged"),
        )
        rest = ", ".join(f"{counts[status]} {word}" for status, word in kinds if counts[status])
    return _titled(title, rest)


def path_title(measure: Measure, row: Mapping[str, Any] | None) -> str:
    """Title of a monthly path: size and direction over the whole period."""
    if row is None or row.get("difference") is None:
        return at_most_words(f"{measure.title}: month by month", TITLE_WORDS)
    status = status_of(measure, row)
    size = _size(measure, row.get("baseline"))
    if status in CLEAR:
        rest = size.words(row["difference"], places(row["difference"] * size.scale), short=True)
    elif status == "single run":
        rest = size.words(row["difference"], places(row["difference"] * size.scale), short=True)
        rest += " in one run"
    else:
        rest = status
    return _titled(measure.title, rest)


DISTRIBUTION_THRESHOLD: dict[str, tuple[int, str]] = {
    "officers_by_cases": (50, "Officers with 50 or more cases"),
    "officers_by_workload": (110, "Officers at 110% of capacity or more"),
    "first_appointments_by_days": (10, "First appointments after ten days or more"),
    "people_by_days_since_seen": (60, "People not seen for 60 days or more"),
    "hdc_by_days": (90, "Curfews with 90 days or more ahead"),
}
"""Where each distribution is cut for its title: lower edge of a band, and the words for that band and
above."""


def share_from(distribution: pl.DataFrame, scenario: str, band: int) -> float:
    """Share of a distribution at or above a band, in percent."""
    rows = distribution.filter((pl.col("scenario") == scenario) & (pl.col("band") >= band))
    return 100 * float(rows["share"].sum() or 0)


def distribution_title(
    histogram: str, distribution: pl.DataFrame, baseline: str, titles: Mapping[str, str]
) -> str:
    """Title of a distribution: the share beyond a threshold, with and without the change that moves it most.

    Parameters
    ----------
    histogram : str
        Name of the histogram.
    distribution : polars.DataFrame
        scenario, band, share.
    baseline : str
        Name of the baseline.
    titles : mapping of str to str
        Title of each scenario by name, the baseline included.
    """
    band, words = DISTRIBUTION_THRESHOLD[histogram]
    shares = {name: share_from(distribution, name, band) for name in titles}
    before = shares[baseline]
    others = [name for name in titles if name != baseline]
    if not others:
        return _titled(words, percent(before, 1))
    most = max(others, key=lambda name: abs(shares[name] - before))
    if percent(shares[most], 1) == percent(before, 1):
        return _titled(words, f"{percent(before, 1)}, as in the baseline")
    rest = f"{percent(before, 1)}, or {percent(shares[most], 1)} with"
    room = max(TITLE_WORDS - len(words.split()) - len(rest.split()), 2)
    return _titled(words, f"{rest} {at_most_words(lower_first(titles[most]), room)}")


def levels_title(levels: pl.DataFrame) -> str:
    """Title of the chart of simulated levels beside published figures."""
    produced = levels.filter(pl.col("role") == "produced")
    frame = produced if len(produced) else levels
    passed = int(frame["within"].sum())
    words = "published figures the model must produce" if len(produced) else "published figures"
    return f"{passed} of {len(frame)} {words} come within 10%"


def _titled(head: str, rest: str) -> str:
    """A title that keeps its finding: the head is cut before the rest is."""
    room = max(TITLE_WORDS - len(rest.split()), 1)
    return f"{at_most_words(head, room)}: {rest}"


def caveats(levels: pl.DataFrame, replications: int, draws: int) -> list[str]:
    """What the study cannot say: three sentences at most, with this study's own numbers."""
    runs = counted(replications, "pair") + " of runs"
    if replications == 1:
        sure = (
            "It cannot say how sure to be. One pair of runs was made, so that chance and effect "
            "cannot be told "
            "apart; run it again with more replications."
        )
    elif draws == 1:
        sure = (
            f"The ranges cover chance alone, from {runs} with one set of parameters. Not knowing the true "
            "parameters, or how people would really respond, would widen them."
        )
    else:
        sure = (
            f"The ranges cover chance alone, from {runs} with the central parameters; how far {draws - 1:,} other "
            "sets of parameters move each difference stands in a table of its own. Neither covers a mechanism that "
            "the model has wrong or leaves out."
        )
    if len(levels):
        produced = levels.filter(pl.col("role") == "produced")
        frame = produced if len(produced) else levels
        inside = int(frame["within"].sum())
        level = (
            "It is no forecast of caseloads, waits or prison numbers. "
            f"{inside} of the {len(frame)} published figures that the model has to produce for itself come "
            "within 10%; only the difference between scenarios is an estimate."
        )
    else:
        level = (
            "It is no forecast of caseloads, waits or prison numbers: only the difference "
            "between scenarios is an "
            "estimate."
        )
    harm = (
        "It cannot say whether people would reoffend less or be safer. What supervision does to "
        "behaviour is an "
        "assumption with a switch, listed with its source below, not a result."
    )
    return [level, sure, harm]
