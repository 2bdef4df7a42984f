"""The laws of ``verify`` hold, and each is broken by what it is there to find."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest

from simulation.commands.app import main
from simulation.engine import Agenda, Chance
from simulation.evidence import everything, laws, model_laws
from simulation.evidence.laws import ENGINE_LAWS, Law, law
from simulation.system.community import Community

AREA, OTHER = "gwent", "gloucestershire"


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of five weeks."""
    monkeypatch.setattr(model_laws, "START", date(2018, 5, 15))
    monkeypatch.setattr(model_laws, "POLICY", date(2018, 6, 5))
    monkeypatch.setattr(model_laws, "END", date(2018, 6, 20))


@pytest.mark.parametrize(("name", "test"), ENGINE_LAWS, ids=[name for name, _ in ENGINE_LAWS])
def test_laws_of_the_engine_hold(name: str, test: Callable[[], Law]) -> None:
    found = law(name, test)
    assert found.ok, found


def test_a_failure_is_a_broken_law() -> None:
    def fail() -> Law:
        raise ValueError("no\nsuch thing")

    found = law("something", fail)
    assert (found.ok, found.seen) == (False, "ValueError: no such thing")
    assert model_laws.each("more", lambda: [fail()]) == [Law("more", "no failure", "ValueError: no such thing", False)]


def test_uneven_draws_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    uniform = Chance.uniform
    monkeypatch.setattr(Chance, "uniform", lambda *a: uniform(*a) ** 1.05)
    assert not laws.even_draws().ok


def test_draws_that_hang_together_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    uniform = Chance.uniform
    monkeypatch.setattr(Chance, "uniform", lambda self, keys, purpose, occurrence=0: uniform(self, keys, "one", 0))
    assert not laws.independent_draws().ok


def test_other_draws_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    bits = Chance.bits
    monkeypatch.setattr(Chance, "bits", lambda *a: bits(*a) ^ np.uint64(1))
    assert not laws.published_vectors().ok


def test_an_agenda_that_forgets_to_cancel_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Agenda, "cancel", lambda self, rows: None)
    assert not laws.agenda_is_a_dict().ok


def test_lengths_that_hang_together_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """People who come in pairs: the mean caseload is right, its spread isn't."""
    poisson = Chance.poisson
    monkeypatch.setattr(Chance, "poisson", lambda self, mean, *rest: 2 * poisson(self, mean / 2, *rest))
    spread = Chance.spread
    monkeypatch.setattr(Chance, "spread", lambda self, *a: spread(self, *a[:2], a[2] // 2, *a[3:]))
    laws._balance.cache_clear()
    try:
        assert laws.caseload_in_balance().ok and not laws.spread_of_caseloads().ok
    finally:
        laws._balance.cache_clear()


def test_a_diary_that_never_overruns_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    serve = laws.serve

    def timid(server: Any, priority: Any, due: Any, mixed: Any, seconds: Any, available: Any, today: int) -> Any:
        served, used = serve(server, priority, due, mixed, seconds, available, today)
        return served & (used[server] <= available[server]), used

    monkeypatch.setattr(laws, "serve", timid)
    assert not laws.diary_by_hand().ok
    assert not laws.diary_one_by_one().ok


def test_runs_are_the_same_however_they_are_made(short: None) -> None:
    found = [*model_laws.family(AREA, 1), model_laws.save_and_continue(AREA, 1)]
    assert [one for one in found if not one.ok] == []
    assert len(found) == 4


def test_areas_stand_alone(short: None) -> None:
    assert model_laws.area_alone(AREA, OTHER, 1).ok
    assert model_laws.one_more_person(AREA, OTHER, 1).ok


def test_state_that_is_not_saved_is_found(short: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A subsystem that keeps something from one day to the next outside the tables."""
    crises = Community.crises

    def remembering(self: Any, rows: Any) -> None:
        self.remembered = getattr(self, "remembered", 0) + rows.size
        if rows.size:
            self.service.people.last_seen[rows] -= self.remembered % 7
        crises(self, rows)

    monkeypatch.setattr(Community, "crises", remembering)
    assert not model_laws.save_and_continue(AREA, 1).ok


def test_exit_codes(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = Law("up", "1", "1", True), Law("down", "1", "2", False)
    monkeypatch.setattr(everything, "all_laws", lambda *a: [good])
    assert main(["verify"]) == 0
    assert "All 1 laws hold" in capsys.readouterr().out
    monkeypatch.setattr(everything, "all_laws", lambda *a: [good, bad])
    assert main(["verify"]) == 1
    told = capsys.readouterr()
    assert "BROKEN  down: expected 1; seen 2" in told.out and "1 of 2 laws broken" in told.err
    assert main(["verify", "--area", "gwnet"]) == 2
    assert "did you mean 'gwent'" in capsys.readouterr().err


@pytest.mark.long
def test_everything_holds() -> None:
    found = everything.all_laws(AREA, OTHER, 20180701)
    assert [one for one in found if not one.ok] == []
    assert len(found) > 45
