"""Whose recall is asked for, and which recalls count as soon after release: by hand, and from what is told."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np

from simulation.engine import Chance
from simulation.system import Model
from simulation.system.codes import Kind, Status
from simulation.system.enforcement_loops import recalled_from_licence
from simulation.system.recall_loops import ask_for
from tests.system.system_helpers import request, run, total

SOON = 28


def test_recalls_soon_after_release_are_those_within_28_days() -> None:
    often = dict.fromkeys(("recall.per_unacceptable_absence", "recall.per_another_absence"), 0.9)
    model = Model(request(areas=("gwent", "durham"), overrides=often))
    service = model.service
    released: dict[int, int] = {}
    waits: list[int] = []
    tell = service.tell

    def listening(kind: str, rows: Any, *rest: Any) -> None:
        who = np.asarray(rows).tolist()
        if kind in ("released", "released on curfew"):
            released.update(dict.fromkeys(who, service.today))
        elif kind == "licence revoked":
            # Nobody knows when those were released who had been before the run began, and those whose term ran out
            # while an older recall kept them in weren't.
            known = [row for row in who if row in released and service.people.released_on[row] == released[row]]
            waits.extend(service.today - released[row] for row in known)
        tell(kind, rows, *rest)

    service.tell = listening  # type: ignore[method-assign]
    model.run()
    assert SOON in waits and SOON + 1 in waits and total(model.output(), "recalls") > len(waits)
    assert total(model.output(), "recalls_within_28_days") == sum(wait <= SOON for wait in waits)


def test_recall_is_asked_once_of_those_on_determinate_licences() -> None:
    """On licence, on a tag, in prison, asked for already, for life, and on licence but given twice."""
    status = np.array([Status.LICENCE, Status.CURFEW, Status.CUSTODY, Status.LICENCE, Status.LICENCE, Status.LICENCE])
    pending = np.array([0, 0, 0, 1, 0, 0], dtype=np.int8)
    kind = np.array([Kind.DETERMINATE] * 6, dtype=np.int8)
    kind[4] = Kind.INDETERMINATE
    person = np.arange(15, 9, -1, dtype=np.int32)
    reasons = np.zeros(6, dtype=np.int8)
    asked = np.array([5, 4, 3, 5, 2, 1, 0], dtype=np.intp)
    found = np.zeros((3, asked.size), dtype=np.intp)
    many = ask_for(asked, found, 2, person, kind, status.astype(np.int8), pending, reasons)
    assert found[:, :many].tolist() == [[0, 1, 5], [15, 14, 10], [10, 14, 15]]
    assert pending.tolist() == [1, 1, 0, 1, 0, 1] and reasons.tolist() == [2, 2, 0, 0, 0, 2]


def test_a_rise_in_risk_has_one_draw_however_many_contacts_it_took() -> None:
    """Two hundred people on licence, each at their third, fourth or fifth change in need; one in five is recalled."""
    size, share = 200, 0.2
    chance = Chance(7)
    key = np.arange(1, size + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    crises = (3 + np.arange(size) % 3).astype(np.int16)
    rows = np.arange(size, dtype=np.intp)
    recalled = np.empty(size, dtype=np.intp)
    many = recalled_from_licence(
        rows,
        recalled,
        chance.constant("recall for risk"),
        np.array([share]),
        key,
        np.zeros(size, dtype=np.int16),
        np.arange(size, dtype=np.int32),
        crises,
        np.full(size, -1, dtype=np.int32),
        np.full(size, Status.LICENCE, dtype=np.int8),
            np.full(size, 900, dtype=np.int32),
    )
    draws = chance.uniform(key, "recall for risk", crises.astype(np.int64))
    assert recalled[:many].tolist() == np.flatnonzero(draws < share).tolist()
    # Another change of theirs has other luck.
    others = chance.uniform(key, "recall for risk", crises.astype(np.int64) + 1)
    assert 20 < many < 60 and (others < share).tolist() != (draws < share).tolist()


def test_an_absence_soon_after_another_is_answered_by_its_own_chance() -> None:
    """With none for the first, whoever is recalled was absent lately; with an endless window, as many as before."""
    short = {"end": datetime.date(2017, 12, 31)}
    none, some = "recall.per_unacceptable_absence", "recall.per_another_absence"
    usual = run(overrides={none: 0.06, some: 0.06}, **short)
    only_again = run(overrides={none: 0, some: 0.5}, **short)
    never_again = run(overrides={none: 0, some: 0.5, "recall.absence_window_months": 0}, **short)
    assert total(usual, "recalls_for_absence") > 5
    assert total(only_again, "recalls_for_absence") > total(usual, "recalls_for_absence")
    # Somebody fails once on one day.
    assert total(never_again, "recalls_for_absence") == 0
