"""Life in the community as compiled loops: hazards that step, waits that end, and who comes back to court as what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulation.engine.chance import uniform_of
from simulation.engine.compiled import compiled
from simulation.system import codes

if TYPE_CHECKING:
    Array = NDArray[Any]
    Floats = NDArray[np.float64]
    Rows = NDArray[np.intp]

# Compiled code knows plain numbers only.
_COMMUNITY, _OVER = codes.Location.COMMUNITY, codes.Location.ENDED
_DETERMINATE = codes.Kind.DETERMINATE
#: A threshold above this hasn't been drawn yet.
_UNDRAWN = 1e17


@compiled
def groups(rows: Rows, latest: Rows, kind: Array, length: Array) -> NDArray[np.int64]:
    """Return the case-mix group of what people had last: an order, or custody by length."""
    found = np.zeros(rows.size, dtype=np.int64)
    for at in range(rows.size):
        sentence = latest[rows[at]]
        if kind[sentence] >= _DETERMINATE:
            days = length[sentence]
            found[at] = 1 if days < 365 else 2 if days < 1461 else 3
    return found


@compiled
def sentences_of(rows: Rows, latest: Rows, previous: Rows) -> Rows:
    """Return every sentence that people ever had."""
    many = 0
    for row in rows:
        sentence = latest[row]
        while sentence >= 0:
            many += 1
            sentence = previous[sentence]
    found = np.empty(many, dtype=np.intp)
    many = 0
    for row in rows:
        sentence = latest[row]
        while sentence >= 0:
            found[many] = sentence
            many += 1
            sentence = previous[sentence]
    return found


@compiled
def change_days(rows: Rows, cell: Array, threshold: Floats, yearly: Floats, today: int, far: int) -> NDArray[np.int32]:
    """Return the day of the next change in need; ``yearly`` is the rate of each area and side."""
    days = np.empty(rows.size, dtype=np.int32)
    for at in range(rows.size):
        wait = threshold[at] / max(yearly[cell[rows[at]]] / 365.25, 1e-9)
        days[at] = today + 1 + int(min(wait, float(far)))
    return days


@compiled
def draws_of_spells(
    rows: Rows, change: np.uint64, death: np.uint64, key: Array, crises: Array, spells: Array
) -> Floats:
    """Return what is left of the draws that decide the first change in need of a spell, then of those of death."""
    left = np.empty(2 * rows.size, dtype=np.float64)
    for at in range(rows.size):
        row = rows[at]
        left[at] = 1.0 - uniform_of(key[row], change, int(crises[row]))
        left[rows.size + at] = 1.0 - uniform_of(key[row], death, int(spells[row]))
    return left


@compiled
def days_of_spells(
    rows: Rows,
    cell: Array,
    after_release: Array,
    threshold: Floats,
    yearly: Floats,
    rate: float,
    ratio: float,
    early_days: float,
    today: int,
    far: int,
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the days of the next change in need and of death; ``threshold`` is theirs one after the other.

    Changes in need have a constant rate by area and side; death has a daily hazard, higher in the first days after
    release.
    """
    change = np.empty(rows.size, dtype=np.int32)
    death = np.empty(rows.size, dtype=np.int32)
    for at in range(rows.size):
        row, to_die = rows[at], threshold[rows.size + at]
        wait = threshold[at] / max(yearly[cell[row]] / 365.25, 1e-9)
        change[at] = today + 1 + int(min(wait, float(far)))
        early = rate * ratio if after_release[row] == 1 else rate
        wait = to_die / early if early > 0 else np.inf
        if wait > early_days:
            wait = early_days + (to_die - early * early_days) / rate if rate > 0 else np.inf
        death[at] = today + 1 + int(min(wait, float(far)))
    return change, death


@compiled
def without_threshold(size: int, location: Array, latest: Rows, threshold: Floats) -> Rows:
    """Return people at liberty whose threshold of reoffending hasn't been drawn."""
    found = np.empty(size, dtype=np.intp)
    many = 0
    for row in range(size):
        free = location[row] == _COMMUNITY or (location[row] == _OVER and latest[row] >= 0)
        if free and threshold[row] > _UNDRAWN:
            found[many] = row
            many += 1
    return found[:many].copy()


@compiled
def step_reoffending(
    size: int,
    location: Array,
    latest: Rows,
    ogrs: Array,
    last_seen: Array,
    hazard: Floats,
    threshold: Floats,
    yearly: Floats,
    ratio: float,
    after_supervision: float,
    at_risk_from: float,
    today: int,
    days: int,
) -> tuple[Rows, NDArray[np.int32]]:
    """Add a month's hazard of reoffending to everybody at liberty.

    Returns
    -------
    rows, days : arrays
        Who crosses their threshold this month, and on which day.
    """
    crossed = np.empty(size, dtype=np.intp)
    when = np.empty(size, dtype=np.int32)
    many = 0
    part_of_year = days / 365.25
    for row in range(size):
        place = location[row]
        if place != _COMMUNITY and (place != _OVER or latest[row] < 0):
            continue
        added = yearly[ogrs[row]] * part_of_year * ratio
        if place == _OVER:
            # Still at risk after supervision, at a lower rate, and not for ever.
            added = added * after_supervision if last_seen[row] > at_risk_from else 0.0
        before = hazard[row]
        after = before + added
        hazard[row] = after
        if before < threshold[row] <= after:
            part = (threshold[row] - before) / added
            crossed[many] = row
            when[many] = today + min(int(part * days), days - 1)
            many += 1
    return crossed[:many].copy(), when[:many].copy()
