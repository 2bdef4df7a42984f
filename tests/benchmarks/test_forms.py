"""Every form of the toy caseload must simulate the same caseload, or comparing their speed means nothing."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks import engine, toy

MIDNIGHTS = [1, 8, 30, 31, 100, 182]


@pytest.mark.parametrize("people", [45, 1000, 4500])
def test_engine_and_compiled_loop_make_the_same_contacts(people: int) -> None:
    pytest.importorskip("numba")
    from benchmarks import compiled

    caseload = toy.make(people)
    assert list(engine.run(caseload, MIDNIGHTS)) == list(compiled.run(caseload, MIDNIGHTS))


@pytest.mark.parametrize("form", ["naive_simpy", "with_ciw", "with_salabim"])
def test_other_forms_nearly_so(form: str) -> None:
    """They settle the order within a day a little differently, and say so."""
    if form != "naive_simpy":
        pytest.importorskip(form.removeprefix("with_"))
    run = importlib.import_module(f"benchmarks.{form}").run
    caseload, midnights = toy.make(900), [28, 91]
    assert list(run(caseload, midnights)) == pytest.approx(list(engine.run(caseload, midnights)), rel=0.003)


def test_officers_are_about_four_fifths_busy() -> None:
    """Work asked for a weekday, with one visit in five missed and made again a week later."""
    caseload = toy.make(45_000)
    weeks_a_made_contact = caseload.weeks + toy.MISSED / (1 - toy.MISSED)
    minutes_a_week = (caseload.minutes / (1 - toy.MISSED) / weeks_a_made_contact).sum()
    assert minutes_a_week / (caseload.officers * 5 * toy.MINUTES_A_DAY) == pytest.approx(0.8, abs=0.05)


def test_weekdays() -> None:
    days = np.arange(70)
    assert [toy.weekdays_before(int(day)) for day in toy.calendar_day(days)] == days.tolist()
    assert all(toy.calendar_day(days) % 7 < 5)
