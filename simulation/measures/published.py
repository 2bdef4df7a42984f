"""Published measures: how each figure that somebody publishes is made from the model's counts, and its unit.

Each is defined as its publisher defines it (scenarios/data/evidence/measure_definitions.md) as far as the model's
counts allow; where ours differs, the note says so. A published measure has a period: a date, a quarter or a year. From
the rows of a run, `values` gives the figure of each measure and period.
"""

from __future__ import annotations

import calendar
import csv
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

How = Literal[
    "stock",
    "flow",
    "flow_share",
    "stock_share",
    "annual_change",
    "change_since_first_quarter",
    "cohort",
    "transfer",
    "error",
]

_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class PublishedMeasure:
    """One published measure.

    Parameters
    ----------
    name : str
        As in the evidence.
    unit : str
        Unit of the figure.
    how : str
        ``stock``: on the last day of the period, by a straight line between month ends; ``flow``: added up over the
        months of the period; ``flow_share`` and ``stock_share``: over ``of``; ``annual_change``: stock at the end over
        that just before the period, less one; ``change_since_first_quarter``: over that at the end of the period's
        third month; ``cohort``: of people counted by ``of`` in the period, the share in the histogram ``counts`` within
        twelve months; ``transfer``: events of the period and the stock ``of`` just before it; ``error``: root mean
        square error of another measure, ``counts``, against its published values in the period.
    counts : tuple of str
        Counts added together, or the measure whose error it is.
    of : tuple of str
        Counts of the denominator.
    hundredths : tuple of str
        Those of ``counts`` that are in hundredths of the unit.
    side : {"", "nps", "crc"}
        Limits counts to one side.
    scale : float
        Multiplies a share: 100 for percent.
    area : str
        Limits counts to one police force area.
    without : str
        Provider whose rows are left out.
    note : str
        Where the model's count differs from the publisher's.
    """

    name: str
    unit: str
    how: How
    counts: tuple[str, ...]
    of: tuple[str, ...] = ()
    side: Literal["", "nps", "crc"] = ""
    scale: float = 1.0
    area: str = ""
    without: str = ""
    note: str = ""
    hundredths: tuple[str, ...] = ()

    @property
    def is_level(self) -> bool:
        """Whether the figure grows with the number of areas run: a number of people, not a share."""
        return self.how in ("stock", "flow", "transfer", "error")


_RECALLED = "First recalls of a period over releases of the same period, not a cohort followed up."
_RELEASES = "Releases, not people."
_CASE_HOLDERS = "Officers who hold cases alone: those in courts, approved premises and victim units are not modelled."
_OFFICERS = "Hub pools, managers and people without cases are left out."
_INSPECTED = "All cases five to nine months old stand for the sample."


def _stock(name: str, unit: str, *counts: str, **more: Any) -> PublishedMeasure:
    return PublishedMeasure(name, unit, "stock", counts, **more)


def _equivalents(name: str, count: str) -> PublishedMeasure:
    """Return full-time equivalents of one grade of the NPS: permanent officers who hold cases."""
    unit = "full-time equivalents"
    return _stock(name, unit, count, hundredths=(count,), side="nps", note=_CASE_HOLDERS)


def _flow(name: str, unit: str, *counts: str, **more: Any) -> PublishedMeasure:
    return PublishedMeasure(name, unit, "flow", counts, **more)


def _share(name: str, unit: str, count: str, *of: str, **more: Any) -> PublishedMeasure:
    return PublishedMeasure(name, unit, "flow_share", (count,), of, **more)


def _in_time(name: str, count: str, side: Literal["", "nps", "crc"] = "", note: str = "") -> PublishedMeasure:
    """Return a service level: percent of what was done that was done in time."""
    return PublishedMeasure(name, "percent", "flow_share", (f"{count}_in_time",), (count,), side, 100, note=note)


def _officers(name: str, count: str, of: str, side: Literal["", "nps", "crc"]) -> PublishedMeasure:
    return PublishedMeasure(name, "share of officers", "stock_share", (count,), (of,), side, note=_OFFICERS)


def _reoffending(name: str, cohort: str, side: Literal["", "nps", "crc"] = "") -> PublishedMeasure:
    """Return a share of a cohort that reoffends within a year."""
    return PublishedMeasure(
        name, "share within one year", "cohort", (f"{cohort}_reoffences",), (f"{cohort}_starts",), side
    )


def _inspected(name: str, what: str, note: str) -> PublishedMeasure:
    sample = "inspection_sample"
    return PublishedMeasure(
        name, "share of cases", "stock_share", (f"{sample}_{what}",), (sample,), "crc", area="suffolk", note=note
    )


MEASURES: tuple[PublishedMeasure, ...] = (
    # Recall
    _flow("licence_recalls", "recalls", "recalls"),
    _flow("fixed_term_recalls", "recalls", "recalls_fixed_term"),
    _stock("recall_population", "people", "prison_recalled"),
    PublishedMeasure("recall_population_monthly_rmse", "people", "error", ("recall_population",)),
    _share(
        "short_sentence_leavers_recalled",
        "share of people",
        "short_leavers_recalled",
        "releases_short_sentence",
        note=_RECALLED,
    ),
    _share("short_sentence_share_of_recalls", "share of recalls", "recalls_short_sentence", "recalls"),
    # Home detention curfew
    _flow("hdc_releases", "releases", "hdc_releases"),
    _stock("hdc_caseload", "people", "on_hdc"),
    _flow("hdc_curfew_recalls", "recalls", "recalls_hdc_curfew"),
    # Prison and release
    _stock(
        "prison_population", "people", "prison_determinate", "prison_recalled", "prison_indeterminate", "prison_outside"
    ),
    _flow("releases_from_sentence", "releases", "releases", "life_releases"),
    _share(
        "settled_accommodation_on_release", "share of releases", "released_settled", "releases", without="london_crc"
    ),
    _flow("released_homeless", "people", "released_homeless", note=_RELEASES),
    _flow("released_homeless_nps_managed", "people", "released_homeless", side="nps", note=_RELEASES),
    # Caseload
    _stock("probation_caseload_total", "people", "caseload_total"),
    _stock("nps_cases_total", "people", "caseload_total", side="nps"),
    PublishedMeasure(
        "crc_share_of_cases", "share of people", "stock_share", ("caseload_total",), ("caseload_total",), "crc"
    ),
    PublishedMeasure(
        "crc_people_supervised_change", "share", "change_since_first_quarter", ("caseload_total",), side="crc"
    ),
    PublishedMeasure("crc_caseload_annual_change", "share", "annual_change", ("caseload_total",), side="crc"),
    PublishedMeasure("nps_caseload_annual_change", "share", "annual_change", ("caseload_total",), side="nps"),
    # Courts and orders
    _flow("psr_total", "reports", "reports_oral", "reports_short", "reports_standard"),
    _flow("court_orders_ended_unsuccessfully", "orders", "orders_ended_unsuccessfully"),
    PublishedMeasure(
        "court_orders_successful_share",
        "share of orders",
        "flow_share",
        ("orders_completed", "orders_ended_early"),
        ("orders_completed", "orders_ended_early", "orders_ended_breach_open", "orders_ended_unsuccessfully"),
        note="Orders that run out while a breach is on its way to court aren't successes.",
    ),
    _flow("community_orders_ended_for_noncompliance", "orders", "community_orders_revoked"),
    # Service levels
    _in_time("crc_SL001R_first_appointment_community", "first_appointments_community", "crc"),
    _in_time("crc_SL002R_first_appointment_licence", "first_appointments_release", "crc"),
    _in_time("nps_SL003R_first_appointment_community", "first_appointments_community", "nps"),
    _in_time("nps_SL004R_first_appointment_licence", "first_appointments_release", "nps"),
    _in_time(
        "crc_AE_breach_referral_8_days", "breaches_referred", "crc", "Supervision default orders are not modelled."
    ),
    _in_time(
        "nps_SL011_risk_escalation_response",
        "escalations_answered",
        note="Answered is taken over by an NPS officer; the time allowed is an assumption.",
    ),
    # Reoffending and harm
    _reoffending("crc_reoffending_binary", "cohort", "crc"),
    _reoffending("nps_reoffending_binary", "cohort", "nps"),
    _reoffending("short_custody_reoffending", "short_cohort"),
    _flow("sfo_reviews", "reviews", "serious_offence_reviews"),
    _flow("deaths_under_supervision", "deaths", "deaths"),
    _inspected("suffolk_crc_sample_reconvicted", "reoffended", f"{_INSPECTED} Cautions are not modelled."),
    _inspected("suffolk_crc_sample_not_complying", "not_complying", f"{_INSPECTED} An unacceptable absence."),
    # Staff
    _stock(
        "nps_staff_in_post",
        "full-time equivalents",
        "po_equivalents",
        "pso_equivalents",
        "other_staff",
        hundredths=("po_equivalents", "pso_equivalents"),
        side="nps",
        note="Case-holding officers of the model and a number, moved by nothing, for everybody else.",
    ),
    _equivalents("nps_po_fte", "po_equivalents"),
    _equivalents("nps_pso_fte", "pso_equivalents"),
    _stock("nps_po_vacancies", "posts", "posts_vacant_po", side="nps", note=_CASE_HOLDERS),
    _officers("nps_staff_over_40_cases", "officers_over_40_cases", "officers_with_cases", "nps"),
    _officers("nps_staff_over_100pct_capacity", "officers_over_100", "officers_in_post", "nps"),
    _officers("nps_staff_over_120pct_capacity", "officers_over_120", "officers_in_post", "nps"),
    _officers("crc_staff_over_40_cases", "officers_over_40_cases", "officers_with_cases", "crc"),
    _officers("crc_staff_over_50_cases", "officers_over_50_cases", "officers_with_cases", "crc"),
    _officers("crc_staff_over_60_cases", "officers_over_60_cases", "officers_with_cases", "crc"),
    PublishedMeasure(
        "crc_staff_transferred",
        "people",
        "transfer",
        ("officers_transferred",),
        ("other_staff",),
        note="Case-holding officers of the model and the number carried for other CRC staff; suppliers are left out.",
    ),
)
"""Every published measure that the model produces."""

BY_NAME: dict[str, PublishedMeasure] = {measure.name: measure for measure in MEASURES}
"""Published measures by name."""

NOT_PRODUCED: dict[str, str] = {
    "first_receptions": (
        "People received on remand are an outside number, not a stream of entries: half of it would be fed in."
    ),
}
"""Published measures that the model doesn't produce, with the reason."""


@dataclass(frozen=True)
class Target:
    """A published value of a period.

    Parameters
    ----------
    id, measure : str
        Row of the evidence and name of the measure.
    start, end : datetime.date
        First and last day of the period; the same for a stock.
    value, low, high : float
        What was published, and the range that counts as a match.
    unit, note : str
    """

    id: str
    measure: str
    start: dt.date
    end: dt.date
    value: float
    low: float
    high: float
    unit: str = ""
    note: str = ""


def read_targets(path: Path) -> list[Target]:
    """Read published values: a CSV file with the columns of calibration_targets.csv.

    Raises
    ------
    ValueError
        A column is missing or a value can't be read; the line is named.
    """
    targets = []
    with path.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), 2):
            try:
                targets.append(
                    Target(
                        row["id"],
                        row["measure"],
                        dt.date.fromisoformat(row["period_start"]),
                        dt.date.fromisoformat(row["period_end"]),
                        float(row["value"]),
                        float(row["accept_low"]),
                        float(row["accept_high"]),
                        row.get("unit") or "",
                        row.get("note") or "",
                    )
                )
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(f"{path.name}, line {number}: {type(error).__name__}: {error}") from error
    return targets


class Record:
    """The counts of one run, ready to be asked for published measures.

    Parameters
    ----------
    rows : mapping of str to sequence
        Columns ``area``, ``provider``, ``group``, ``month``, ``measure`` and ``value``, as a run returns them.
    part : float
        Share of the country that was run; levels are divided by it.
    """

    def __init__(self, rows: Mapping[str, Sequence[Any]], part: float = 1.0) -> None:
        self.part = part
        self._counts: dict[tuple[str, str], list[tuple[str, str, int]]] = defaultdict(list)
        self._bands: dict[tuple[str, str, str], dict[int, int]] = defaultdict(dict)
        months = set()
        names = ("area", "provider", "group", "month", "measure", "value")
        for area, provider, group, month, measure, value in zip(*(rows[name] for name in names), strict=True):
            months.add(month)
            if group == "all":
                self._counts[measure, month].append((area, provider, int(value)))
            else:
                self._bands[measure, month, provider][int(group)] = int(value)
        self.months = sorted(months)

    def value(self, name: str, start: dt.date, end: dt.date, targets: Iterable[Target] = ()) -> float | None:
        """Return a published measure for a period; None where the run doesn't cover it.

        Parameters
        ----------
        name : str
            A measure of :data:`BY_NAME`.
        start, end : datetime.date
            First and last day of the period.
        targets : iterable of Target
            Published values; needed only for a measure that is an error against them.
        """
        measure = BY_NAME[name]
        found = self._value(measure, start, end, targets)
        return found / self.part if found is not None and measure.is_level and measure.how != "error" else found

    def _value(
        self, measure: PublishedMeasure, start: dt.date, end: dt.date, targets: Iterable[Target]
    ) -> float | None:
        if measure.how == "error":
            return self._error(measure.counts[0], start, end, targets)
        if measure.how == "stock":
            return self._stock(measure, measure.counts, measure.side, end)
        if measure.how == "stock_share":
            # Of everybody's, where the share is of one side in the whole.
            side = "" if measure.counts == measure.of else measure.side
            return _ratio(
                self._stock(measure, measure.counts, measure.side, end), self._stock(measure, measure.of, side, end)
            )
        if measure.how == "annual_change":
            before = self._stock(measure, measure.counts, measure.side, start - _DAY)
            return _change(before, self._stock(measure, measure.counts, measure.side, end))
        if measure.how == "change_since_first_quarter":
            before = self._stock(measure, measure.counts, measure.side, _quarter_end(start))
            return _change(before, self._stock(measure, measure.counts, measure.side, end))
        months = months_of(start, end)
        if not set(months) <= set(self.months):
            return None
        number = self._flow(measure, measure.counts, measure.side, months)
        if measure.how == "flow":
            return number
        if measure.how == "transfer":
            before = self._stock(measure, measure.of, "crc", start.replace(day=1) - _DAY)
            # Where nobody moves there is no transfer to speak of.
            return None if before is None or number == 0 else number + before
        of = self._flow(measure, measure.of, measure.side, months)
        if measure.how == "cohort":
            again = self._cohort(measure, months)
            return None if again is None or of == 0 else again / of
        return None if of == 0 else measure.scale * number / of

    def _sum(self, measure: PublishedMeasure, names: tuple[str, ...], side: str, month: str) -> float:
        return sum(
            value / 100 if name in measure.hundredths else value
            for name in names
            for area, provider, value in self._counts.get((name, month), ())
            if side in ("", _side(provider))
            and measure.area in ("", area)
            and (not measure.without or provider != measure.without)
        )

    def _flow(self, measure: PublishedMeasure, names: tuple[str, ...], side: str, months: Sequence[str]) -> float:
        return float(sum(self._sum(measure, names, side, month) for month in months))

    def _stock(self, measure: PublishedMeasure, names: tuple[str, ...], side: str, day: dt.date) -> float | None:
        """Return a stock on a day, by a straight line between month ends; the first month's end stands for before."""
        month = f"{day.year:04d}-{day.month:02d}"
        if month not in self.months:
            return None
        now = self._sum(measure, names, side, month)
        earlier = day.replace(day=1) - _DAY
        before = f"{earlier.year:04d}-{earlier.month:02d}"
        if before not in self.months:
            return float(now)
        then = self._sum(measure, names, side, before)
        return then + (now - then) * day.day / calendar.monthrange(day.year, day.month)[1]

    def _cohort(self, measure: PublishedMeasure, months: Sequence[str]) -> int | None:
        """Return first reoffences of people who came into the cohort in these months, by any of the next twelve."""
        found = 0
        for month in months:
            for later in range(13):
                when = _month_after(month, later)
                if when not in self.months:
                    return None
                for side in (measure.side,) if measure.side else ("nps", "crc"):
                    found += self._bands.get((measure.counts[0], when, side), {}).get(later, 0)
        return found

    def _error(self, name: str, start: dt.date, end: dt.date, targets: Iterable[Target]) -> float | None:
        squares = []
        for target in targets:
            if target.measure == name and start <= target.end <= end:
                simulated = self.value(name, target.start, target.end)
                if simulated is None:
                    return None
                squares.append((simulated - target.value) ** 2)
        return (sum(squares) / len(squares)) ** 0.5 if squares else None


def values(record: Record, targets: Sequence[Target]) -> dict[tuple[str, dt.date, dt.date], float | None]:
    """Return the simulated value of each target's measure and period.

    Parameters
    ----------
    record : Record
        Counts of a run.
    targets : sequence of Target
        Measures and periods wanted; measures not produced are left out.
    """
    return {
        (target.measure, target.start, target.end): record.value(target.measure, target.start, target.end, targets)
        for target in targets
        if target.measure in BY_NAME
    }


def months_of(start: dt.date, end: dt.date) -> list[str]:
    """Return the calendar months that a period touches.

    Examples
    --------
    >>> months_of(dt.date(2016, 12, 1), dt.date(2017, 1, 31))
    ['2016-12', '2017-01']
    """
    first, last = start.year * 12 + start.month - 1, end.year * 12 + end.month - 1
    return [f"{number // 12:04d}-{number % 12 + 1:02d}" for number in range(first, last + 1)]


def _month_after(month: str, later: int) -> str:
    number = int(month[:4]) * 12 + int(month[5:]) - 1 + later
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


def _quarter_end(start: dt.date) -> dt.date:
    following = _month_after(f"{start.year:04d}-{start.month:02d}", 3)
    return dt.date(int(following[:4]), int(following[5:]), 1) - _DAY


def _side(provider: str) -> str:
    return "nps" if provider.startswith("nps") else "crc"


def _ratio(number: float | None, of: float | None) -> float | None:
    return None if number is None or not of else number / of


def _change(before: float | None, after: float | None) -> float | None:
    return None if not before or after is None else after / before - 1
