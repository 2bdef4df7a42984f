"""One sentence for each finding, in words that say how big, how sure, and no more than that."""

from __future__ import annotations

import math

from simulation.measures.registry import Measure


def unit_words(measure: Measure) -> str:
    """Return the unit in which a difference of the measure is said."""
    return "percentage points" if measure.unit.startswith("%") else measure.unit


def number_words(value: float, like: float | None = None) -> str:
    """Return a number with as many decimals as its size (or that of a number beside it) deserves.

    Examples
    --------
    >>> number_words(12345.6), number_words(0.01234), number_words(-2.5)
    ('12,346', '0.0123', '−2.50')
    """
    size = abs(value if like is None else like)
    if size == 0 or not math.isfinite(size):
        decimals = 0
    else:
        decimals = max(0, 2 - math.floor(math.log10(size)))
    text = f"{value:,.{min(decimals, 6)}f}"
    if float(text.replace(",", "")) == 0:
        text = text.lstrip("-")
    return text.replace("-", "−")


def interval_words(low: float, high: float) -> str:
    """Return an interval as words, both ends with the same decimals.

    Examples
    --------
    >>> interval_words(-0.5, 12.25)
    '−0.5 to 12.2'
    """
    like = max(abs(low), abs(high))
    return f"{number_words(low, like)} to {number_words(high, like)}"


def finding(
    measure: Measure,
    difference: float,
    low: float,
    high: float,
    relative_percent: float,
    agree: int,
    pairs: int,
) -> str:
    """Put one paired difference into a sentence.

    Parameters
    ----------
    measure : Measure
        What was compared.
    difference, low, high : float
        Mean paired difference and its 95% interval, in the unit of the measure; NaN when not known.
    relative_percent : float
        Difference as a percentage of the baseline.
    agree, pairs : int
        Pairs with the sign of the mean, and all pairs.

    Returns
    -------
    str
    """
    subject = measure.sentence or measure.title
    unit = unit_words(measure)
    if math.isnan(difference):
        return f"{subject}: nothing to compare, because nothing was counted."
    if difference == 0 and agree == pairs:
        return f"{subject} would not change at all: {_all_pairs(pairs)} the same."
    direction = "rise" if difference > 0 else "fall"
    relative = ""
    if math.isfinite(relative_percent) and not measure.unit.startswith("%"):
        relative = f" ({number_words(abs(relative_percent))}%)"
    like = abs(difference) if math.isnan(low) else max(abs(low), abs(high))
    size = f"{number_words(abs(difference), like)} {unit}{relative}"
    if pairs < 2 or math.isnan(low):
        return f"{subject} would {direction} by {size} in the only pair of runs, so how sure is unknown."
    if low <= 0 <= high:
        return (
            f"{subject}: no clear change; {number_words(difference, like)} {unit}, and the 95% interval "
            f"runs from {interval_words(low, high)}."
        )
    ends = sorted((abs(low), abs(high)))
    return (
        f"{subject} would {direction} by {size}; 95% interval {interval_words(*ends)}, {agree} of {pairs} pairs agree."
    )


def _all_pairs(pairs: int) -> str:
    return "the only pair is" if pairs == 1 else f"all {pairs} pairs are"
