"""Leaving: the hazard of each officer, and which part of it was the reason when somebody goes.

An ordinary rate by side and grade is raised by tenure, by overload, by an announced reorganisation and by pay that
lags; a redundancy scheme adds a rate of its own. Each factor's share of the hazard is the chance that it was the
reason.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulation.system.codes import NPS, SIDES, Grade, Reason, Terms
from simulation.system.columns import Posts
from simulation.system.service import Rows, Service

Floats = NDArray[np.float64]


def overload_of(pressure: Floats, begins: float, full: float, most: float) -> Floats:
    """Return how far somebody is overloaded: 0 up to ``begins``, 1 at ``full``, straight on up to ``most``.

    Examples
    --------
    >>> overload_of(np.array([0.9, 1.15, 1.3, 2.0]), 1.0, 1.3, 1.6).round(3).tolist()
    [0.0, 0.5, 1.0, 2.0]
    """
    return (np.clip(pressure, begins, most) - begins) / (full - begins)


class Leaving:
    """The levers of leaving, and hazards by post."""

    def __init__(self, service: Service) -> None:
        levers = service.levers
        multiplier = levers.grid("staff.leaving_multiplier")
        nps_po, nps_pso = levers.grid("staff.nps.leaving_rate_po"), levers.grid("staff.nps.leaving_rate_pso")
        crc = levers.grid("staff.crc.leaving_rate_officers")
        trainee = levers.grid("staff.trainee.leaving_rate")
        #: Ordinary rate a year by area, side and grade.
        self.rate = np.empty((service.areas, len(SIDES), len(Grade)))
        self.rate[:, NPS, Grade.PO], self.rate[:, NPS, Grade.PSO] = nps_po[:, NPS], nps_pso[:, NPS]
        self.rate[:, 1 - NPS, Grade.PO] = self.rate[:, 1 - NPS, Grade.PSO] = crc[:, 1 - NPS]
        self.rate[:, :, Grade.TRAINEE] = trainee
        self.rate *= multiplier[:, :, None]
        self.agency = levers.grid("staff.agency.leaving_rate")
        tenure = levers.mapping("staff.leaving_by_tenure")
        self.first_year, self.later = float(tenure["first_year"]), float(tenure["later"])
        self.at_100 = float(levers.number("effects.overload_leaving_multiplier_at_100pct"))
        self.at_130 = float(levers.number("effects.overload_leaving_multiplier_at_130pct"))
        self.strength = float(levers.number("effects.overload_strength"))
        span = levers.mapping("effects.overload_range")
        self.span = (float(span["begins"]), float(span["full"]), float(span["most"]))
        announced = levers.grid("staff.reorganisation_announced")
        raised = levers.number("effects.reorganisation_leaving_multiplier")
        self.reorganisation = np.where(announced > 0.5, raised, 1.0)
        lag = levers.grid("staff.pay.gap") - levers.number("staff.pay.gap_behind_rates")
        self.pay = np.maximum(1 + lag * levers.number("effects.leaving_per_pay_gap"), 0.0)
        self.redundancy = levers.grid("staff.redundancy.leaving_rate")
        self.least_days = float(levers.number("staff.redundancy.least_years")) * 365.25

    def hazards(self, posts: Posts, rows: Rows, today: int) -> Floats:
        """Return the hazard a year of each holder, split by :class:`Reason` (NO_RETURN apart).

        Parameters
        ----------
        rows : int array
            Posts that somebody holds.

        Returns
        -------
        float array (reasons, rows)
            Their sum is the hazard.
        """
        area, side = posts.area[rows], posts.employer[rows]
        agency = posts.terms[rows] == Terms.AGENCY
        days = today - posts.since[rows]
        ordinary = self.rate[area, side, posts.grade[rows]] * np.where(days < 365, self.first_year, self.later)
        ordinary = np.where(agency, self.agency[area, side], ordinary) * self.at_100
        overload = overload_of(posts.pressure[rows], *self.span) * self.strength
        workload = ordinary * overload * (self.at_130 / max(self.at_100, 1e-9) - 1)
        before = ordinary + workload
        reorganisation = before * np.where(agency, 0.0, self.reorganisation[area, side] - 1)
        before = before + reorganisation
        pay = before * np.where(agency, 0.0, self.pay[area, side] - 1)
        # Pay that lags less than it did keeps people: it is taken off every reason alike.
        kept = np.where(pay < 0, 1 + pay / np.maximum(before, 1e-12), 1.0)
        entitled = (days >= self.least_days) & ~agency & (posts.grade[rows] != Grade.TRAINEE)
        found = np.zeros((len(Reason), rows.size))
        found[Reason.ORDINARY], found[Reason.WORKLOAD] = ordinary * kept, workload * kept
        found[Reason.REORGANISATION] = reorganisation * kept
        found[Reason.PAY] = np.maximum(pay, 0.0)
        found[Reason.REDUNDANCY] = np.where(entitled, self.redundancy[area, side], 0.0)
        return found


def step(service: Service, leaving: Leaving) -> None:
    """Step the hazard of leaving for a month; put those who cross their threshold on the agenda with their reason."""
    posts = service.posts
    today = service.today
    rows = np.flatnonzero(posts.filled[: posts.size] == 1)
    when = service.calendar.date(today)
    following = service.calendar.day(when.replace(year=when.year + when.month // 12, month=when.month % 12 + 1, day=1))
    days = following - today
    parts = leaving.hazards(posts, rows, today)
    total = parts[0].copy()
    for reason in range(1, len(Reason)):
        total = total + parts[reason]
    hazard = total * (days / 365.25)
    before = posts.leaving_hazard[rows]
    after = before + hazard
    posts.leaving_hazard[rows] = after
    threshold = posts.leaving_threshold[rows]
    crossing = np.flatnonzero((before < threshold) & (after >= threshold) & (hazard > 0))
    if crossing.size == 0:
        return
    part = (threshold[crossing] - before[crossing]) / hazard[crossing]
    going = rows[crossing]
    uniform = service.chance.uniform(posts.key[going], "reason for leaving", posts.holder[going])
    edges = np.cumsum(parts[:, crossing], axis=0)
    reason = (uniform[None, :] * edges[-1][None, :] >= edges).sum(axis=0)
    posts.leaving_reason[going] = np.minimum(reason, len(Reason) - 1)
    service.agendas["leaves"].put(going, today + np.minimum((part * days).astype(np.int32), days - 1))
