"""What a count, a measure and a published figure are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["stock", "flow", "histogram"]


@dataclass(frozen=True)
class Count:
    """One thing the model counts.

    Parameters
    ----------
    name : str
        Identifier used in result files.
    kind : {"stock", "flow", "histogram"}
        Taken at month ends, added up over a month, or by band.
    unit : str
        Unit of one count.
    description : str
        What is counted and what is left out.
    """

    name: str
    kind: Kind
    unit: str
    description: str


@dataclass(frozen=True)
class Measure:
    """A figure shown to readers: a ratio of sums of counts, times a scale.

    Stocks are averaged over the months of a window, flows are added up and scaled to a year when there is no
    denominator.

    Parameters
    ----------
    name, title : str
        Identifier, and the words used in tables.
    unit : str
        Unit of the figure.
    numerator : tuple of str
        Names of counts added together.
    denominator : tuple of str
        Names of counts added together; empty for a level.
    scale : float
        Multiplies the ratio (100 for percent, 365.25 for days in a year, and so on).
    better : {"lower", "higher", "neither"}
        Direction that most readers would call an improvement.
    sentence : str
        Subject used when a finding is put into words, for example "Licence recalls".
    description : str
        What the figure says and does not say.
    worst_per : tuple of str
        Names of counts by which a level is divided to find its worst-off areas: else they would only be the biggest.
    worst_scale : float
        Multiplies that ratio.
    worst_unit : str
        What it is then, for example "per 100 people on licence".
    """

    name: str
    title: str
    unit: str
    numerator: tuple[str, ...]
    denominator: tuple[str, ...] = ()
    scale: float = 1.0
    better: Literal["lower", "higher", "neither"] = "neither"
    sentence: str = ""
    description: str = ""
    worst_per: tuple[str, ...] = ()
    worst_scale: float = 1.0
    worst_unit: str = ""


@dataclass(frozen=True)
class Published:
    """A published figure to stand beside a simulated level.

    Parameters
    ----------
    evidence_id : str
        Row or group of the evidence tables.
    title : str
        What was published.
    counts : tuple of str
        Counts whose sum is compared.
    how : {"stock", "year", "share"}
        Stock at ``when``, total of the twelve months of ``when``, or share of ``of``.
    when : str
        Month ``YYYY-MM`` for a stock or share, ``YYYY`` for a year.
    value, low, high : float
        Published central value and range.
    role : {"input", "initial condition", "produced"}
        Whether the figure is fed in, starts the run, or comes out of the mechanisms.
    of : tuple of str
        Counts of the denominator of a share.
    provider_kind : {"", "nps", "crc"}
        Limits the sum to one side.
    note : str
        What the reader must know.
    """

    evidence_id: str
    title: str
    counts: tuple[str, ...]
    how: Literal["stock", "year", "share"]
    when: str
    value: float
    low: float
    high: float
    role: Literal["input", "initial condition", "produced"]
    of: tuple[str, ...] = ()
    provider_kind: Literal["", "nps", "crc"] = ""
    note: str = ""


def stock(name: str, unit: str, description: str) -> Count:
    """Return a count taken at month ends."""
    return Count(name, "stock", unit, description)


def flow(name: str, unit: str, description: str) -> Count:
    """Return a count added up over a month."""
    return Count(name, "flow", unit, description)


def histogram(name: str, unit: str, description: str) -> Count:
    """Return a count by band."""
    return Count(name, "histogram", unit, description)
