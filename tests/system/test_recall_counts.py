"""Whose recall is asked for, and which recalls count as soon after release: by hand, and from what is told."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulation.system import Model
from simulation.system.codes import Kind, Status
from simulation.system.recall_loops import ask_for
from tests.system.system_helpers import request, total

SOON = 28


def test_recalls_soon_after_release_are_those_within_28_days() -> None:
    model = Model(request(areas=("gwent", "durham"), overrides={"recall.per_unacceptable_absence": 0.9}))
    service = model.service
    released: dict[int, int] = {}
    waits: list[int] = []
    tell = service.tell

    def listening(kind: str, rows: Any, *rest: Any) -> None:
        who = np.asarray(rows).tolist()
        if kind in ("released", "released on curfew"):
            released.update(dict.fromkeys(who, service.today))
        elif kind == "licence revoked":
            # Nobody knows when those were released who had been before the run began.
            waits.extend(service.today - released[row] for row in who if row in released)
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
