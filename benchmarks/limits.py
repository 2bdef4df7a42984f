"""What the project asks of its own speed, and whether a set of measurements meets it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from benchmarks.forms import COMPILED, ENGINE, NAIVE, rates
from benchmarks.measuring import Results, spread, table
from benchmarks.national import WHOLE, a_year, growth, key
from benchmarks.one_run import EVERY_MECHANISM
from benchmarks.start_up import FIVE_YEARS, HELP, ONE_YEAR, after_import

#: The toy's limits are for so many people.
TOY_PEOPLE = 260_000
DEFAULT_STUDY = "default study"


@dataclass(frozen=True)
class Limit:
    """A limit on a median.

    Parameters
    ----------
    what : str
        What is measured.
    most : float
        The limit, in ``unit``.
    unit : str
        Seconds, gigabytes ...
    values : callable
        Takes all results and returns what was measured, by turn; None if it wasn't.
    least : bool
        Whether the limit is the least allowed and not the most.
    """

    what: str
    most: float
    unit: str
    values: Callable[[Results], list[float] | None]
    least: bool = False

    def met(self, values: list[float]) -> bool:
        """Tell whether the median keeps the limit."""
        return median(values) >= self.most if self.least else median(values) <= self.most


def _gigabytes(results: Results, name: str) -> list[float]:
    return [run["megabytes"] / 1000 for run in results[name]]


def _ratio(results: Results, above: str, below: str) -> list[float] | None:
    if above not in results or below not in results:
        return None
    return [one / other for one, other in zip(rates(results, above), rates(results, below), strict=True)]


_NATIONAL = key(EVERY_MECHANISM, WHOLE)
_STUDY = f"{DEFAULT_STUDY}, 2 workers"
LIMITS = [
    Limit("a simulated year of the country, every mechanism", 4, "s", lambda r: a_year(r, _NATIONAL)),
    Limit("a simulated year of the country, baseline", 4, "s", lambda r: a_year(r, key("baseline", WHOLE))),
    Limit("peak memory of that run, every mechanism", 1.2, "GB", lambda r: _gigabytes(r, _NATIONAL)),
    Limit("growth, half to twice the country, every mechanism", 1.05, "power", lambda r: growth(r, EVERY_MECHANISM)),
    Limit("growth, half to twice the country, baseline", 1.05, "power", lambda r: growth(r, "baseline")),
    Limit("toy: this engine over naive SimPy", 150, "times as fast", lambda r: _ratio(r, ENGINE, NAIVE), least=True),
    Limit("toy: time of this engine over the compiled loop's", 4, "times", lambda r: _ratio(r, COMPILED, ENGINE)),
    Limit("one area, a year after import, loops loaded", 0.6, "s", lambda r: after_import(r, ONE_YEAR, True)),
    Limit("one area, a year after import, loading the loops too", 0.6, "s", lambda r: after_import(r, ONE_YEAR)),
    Limit("one area, five years after import, loops loaded", 3, "s", lambda r: after_import(r, FIVE_YEARS, True)),
    Limit("one area, five years after import, loading them too", 3, "s", lambda r: after_import(r, FIVE_YEARS)),
    Limit("`run.py --help`", 0.4, "s", lambda r: [run["whole"] for run in r[HELP]]),
    Limit(
        "default study on two cores, report included", 180, "s",
        lambda r: [run["seconds"] for run in r[_STUDY]] if _STUDY in r else None,
    ),
]  # fmt: skip


def limits_table(results: Results, is_full: bool) -> str:
    """Return a table of every limit, what was measured, and whether it is met if sizes are those that it is for."""
    rows = []
    for limit in LIMITS:
        values = limit.values(results)
        asked = f"at {'least' if limit.least else 'most'} {limit.most:g} {limit.unit}"
        if values is None:
            rows.append([limit.what, asked, "not measured", ""])
        else:
            verdict = ("met" if limit.met(values) else "**not met**") if is_full else ""
            rows.append([limit.what, asked, spread(values), verdict])
    return table(["what", "limit", "measured", "met or not"], rows, words=2)
