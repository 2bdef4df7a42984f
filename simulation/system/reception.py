"""What new custodial terms are drawn from, and the laws that their dates follow: read when levers change."""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import NDArray

from simulation.engine.calendar import MONTH_DAYS, YEAR_DAYS
from simulation.system.demand import LENGTH_BANDS
from simulation.system.levers import Levers
from simulation.system.quantiles import side_by_side
from simulation.system.service import Array, Service

#: Parameters that say what each of the laws on dates is, for each day of sentence.
_OF_COHORTS = (
    "custody.release_fraction",
    "custody.extended_release_fraction",
    "supervision.pss.sentence_upper_limit_months",
    "supervision.pss.total_months_after_release",
    "supervision.pss.enabled",
    "supervision.short_sentence_licence",
)


def _stacked(levers: Levers, *names: str) -> NDArray[np.float64]:
    """Return the quantiles of distributions, shape (distributions, 2, quantiles).

    All are as wide as the widest: the last quantile of the others is repeated, which no draw can tell.
    """
    tables = [side_by_side(levers.mapping(name)) for name in names]
    most = max(table.shape[1] for table in tables)
    return np.stack([np.pad(table, ((0, 0), (0, most - table.shape[1])), "edge") for table in tables])


class Terms:
    """Distributions and laws of custodial terms under the levers of a day.

    Parameters
    ----------
    service : Service
        State of the run.
    """

    def __init__(self, service: Service) -> None:
        self.service, levers = service, service.levers
        self.lengths = _stacked(levers, *(f"custody.length_days_{band}" for band in LENGTH_BANDS))
        self.breach_lengths = _stacked(
            levers, "enforcement.revoked_custody_days", "enforcement.suspended_term_days"
        )
        self.remand_share = float(levers.number("custody.remand_share"))
        self.remands = side_by_side(levers.mapping("custody.remand_days"))
        self.extended_from = float(levers.number("custody.extended_from_years") * YEAR_DAYS)
        self.extended_share = float(levers.number("custody.extended_share"))
        self.revoked_share = float(levers.number("enforcement.order_revoked_on_custody_share"))
        self.lags = side_by_side(levers.mapping("courts.offence_to_sentence_days"))
        #: In the order that :data:`~simulation.system.reception_loops.DRAWS` states.
        self.constants = np.array(
            [
                service.chance.constant("custody: length band"),
                service.chance.constant("custody: length within band"),
                service.chance.constant("custody: length on revocation"),
                service.chance.constant("custody: remanded"),
                service.chance.constant("custody: remand days"),
                service.chance.constant("custody: extended"),
                service.chance.constant("offence"),
                service.chance.constant("order revoked on custody"),
            ],
            dtype=np.uint64,
        )
        self.reform = service.calendar.day(date.fromisoformat(levers.text("supervision.pss.offence_from")))
        #: Longest curfew of each area.
        self.most = np.ascontiguousarray(levers.grid("custody.hdc.max_days")[:, 0])
        self.curfew_law = np.array(
            [
                levers.number("custody.hdc.min_sentence_weeks") * 7,
                levers.number("custody.hdc.max_sentence_years") * YEAR_DAYS,
                levers.number("custody.hdc.min_custodial_period_days"),
                levers.number("custody.hdc.min_share_of_custodial_period_served"),
                levers.number("custody.hdc.min_days_served"),
            ],
            dtype=np.float64,
        )
        #: The laws where they are the same for everybody on every day; else None, and they are looked up for each.
        self.laws: NDArray[np.float64] | None = None
        if all(service.resolved.never_changes(name) for name in _OF_COHORTS):
            self.laws = self.laws_of(np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64))

    def laws_of(self, imposed: Array, area: Array) -> NDArray[np.float64]:
        """Return the laws of the day of sentence, whatever holds when dates are planned anew; see ``LAWS``.

        Parameters
        ----------
        imposed, area : int arrays (sentences,)
            Day of sentence, and where the person lives.
        """
        service = self.service
        fraction, extended, limit, together, enabled, licence = (
            service.resolved.lookup(name, imposed, service.today, area) for name in _OF_COHORTS
        )
        days = np.where(enabled > 0, np.trunc(together * MONTH_DAYS), 0)
        return np.stack([fraction, extended, limit * MONTH_DAYS, days, licence])
