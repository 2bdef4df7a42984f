"""Levers of enforcement, recall, custody and contact: each moves its own count, and only that way."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pytest

from simulation.system import Model
from simulation.system.codes import Task
from tests.system.system_helpers import request, run, total

SHORT = {"end": datetime.date(2017, 12, 31)}


def told_by(model: Model) -> dict[str, list[tuple[int, int]]]:
    """Collect what is told while a model runs: by kind, the day and the row of each."""
    told: dict[str, list[tuple[int, int]]] = {}
    tell = model.service.tell

    def listening(kind: str, rows: Any, *rest: Any) -> None:
        whose = [(model.service.today, row) for row in np.asarray(rows).tolist()]
        told.setdefault(kind, []).extend(whose)
        tell(kind, rows, *rest)

    model.service.tell = listening  # type: ignore[method-assign]
    return told


# --- Recall -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("days", [1, 5])
def test_recall_reports_are_due_after_so_many_working_days(days: int) -> None:
    model = Model(request(overrides={"recall.report_working_days": days}, **SHORT))
    told = told_by(model)
    due: set[int] = set()
    add = model.service.add_task

    def listening(kind: int, people: Any, day: Any, *rest: Any) -> None:
        if kind == Task.RECALL_REPORT:
            due.add(int(day) - model.service.today)
            assert day == model.service.calendar.after_working_days(model.service.today, days)
        add(kind, people, day, *rest)

    model.service.add_task = listening  # type: ignore[method-assign]
    model.run()
    output = model.output()
    assert min(due) >= days
    assert len(told["recall report written"]) == total(output, "recall_reports") > 20
    # Each is followed by revocation the next day, but for those of the last day.
    revoked = set(told["licence revoked"])
    last = max(day for day, _ in told["recall report written"])
    later = {(day + 1, row) for day, row in told["recall report written"] if day < last}
    assert len(later - revoked) <= 1
    assert total(output, "recall_report_days") >= total(output, "recall_reports")


def test_with_time_for_it_every_recall_report_is_in_time_and_with_little_time_some_are_late() -> None:
    in_time = lambda output: total(output, "recall_reports_in_time") / total(output, "recall_reports")  # noqa: E731
    short = {"workload.minutes_per_day_present": 12}
    one_day = run(overrides={**short, "recall.report_working_days": 1}, **SHORT)
    a_month = run(overrides={**short, "recall.report_working_days": 20}, **SHORT)
    assert in_time(one_day) < in_time(a_month)
    assert in_time(run(**SHORT)) > 0.95
