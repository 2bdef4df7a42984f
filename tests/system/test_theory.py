"""What theory says of a whole run: the laws of ``verify``, on another area and other luck, and what each finds."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from simulation.engine import NEVER
from simulation.evidence import limits
from simulation.evidence.laws import Law
from simulation.evidence.limits import LIMIT_LAWS
from simulation.evidence.nights import Nights
from simulation.evidence.year_laws import QUEUES, YEAR_LAWS, watch
from simulation.system import Model
from simulation.system.codes import Location, Progress
from simulation.system.courts import Courts
from simulation.system.service import Service
from tests.system.system_helpers import UNLIMITED, run, total

AREA, SEED = "durham", 3
START, END = datetime.date(2018, 1, 1), datetime.date(2018, 6, 30)


def half_a_year() -> Nights:
    return watch(AREA, SEED, START, END)


@pytest.fixture(scope="module")
def nights() -> Nights:
    return half_a_year()


@pytest.mark.parametrize(("name", "test"), YEAR_LAWS, ids=[name for name, _ in YEAR_LAWS])
def test_laws_of_a_year_hold(nights: Nights, name: str, test: Callable[[Nights], Law]) -> None:
    found = test(nights)
    assert found.ok, found


def test_there_is_something_in_every_place_and_queue(nights: Nights) -> None:
    assert all(stay.by_night > 0 for stay in nights.stays.values())
    assert all(queue.many > 20 for queue in nights.queues.values())
    assert set(nights.queues) == set(QUEUES)
    # Whoever leaves a queue without what was waited for is taken from the tables alone: they are few.
    assert all(queue.left < 0.15 * queue.many for queue in nights.queues.values())
    assert nights.total("hdc_releases") > 30


@pytest.mark.parametrize(("name", "test"), LIMIT_LAWS, ids=[name for name, _ in LIMIT_LAWS])
def test_laws_of_limits_hold(name: str, test: Callable[[str, int], Law | list[Law]]) -> None:
    found = test(AREA, SEED)
    laws = found if isinstance(found, list) else [found]
    assert laws and [one for one in laws if not one.ok] == []


def test_the_board_lets_most_people_out_if_it_is_lenient() -> None:
    assert all(one.ok for one in limits.parole(AREA, SEED, 0.75))


# --- What each is there to find ---------------------------------------------------------------------------------


def broken(nights: Nights) -> set[str]:
    return {name for name, test in YEAR_LAWS if not test(nights).ok}


def backdate(table: str, column: str, where: Callable[[Any], Any]) -> Callable[[Service], int]:
    """Let everybody in a queue have waited for five more days; return how many these are."""

    def change(service: Service) -> int:
        found = getattr(service, table)
        values = getattr(found, column)[: found.size]
        rows = np.flatnonzero((values != NEVER) & where(found))
        values[rows] -= 5
        return rows.size

    return change


def anybody(table: Any) -> Any:
    return np.ones(table.size, dtype=np.bool_)


def to_begin(kind: int) -> Callable[[Any], Any]:
    return lambda table: (
        (table.kind[: table.size] == kind)
        & (table.progress[: table.size] < Progress.FINISHED)
        & (table.began[: table.size] == NEVER)
    )


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("people without an officer", backdate("people", "waiting_since", anybody)),
        ("breaches on their way to court", backdate("sentences", "breach_known", anybody)),
        ("warrants", backdate("sentences", "warrant_since", anybody)),
        ("determinate sentences back in prison", backdate("sentences", "returned", anybody)),
        ("activity to begin", backdate("requirements", "imposed", to_begin(0))),
        ("unpaid work to begin", backdate("requirements", "imposed", to_begin(1))),
        ("programmes to begin", backdate("requirements", "imposed", to_begin(2))),
    ],
)
def test_waits_that_are_too_long_are_found(
    monkeypatch: pytest.MonkeyPatch, name: str, change: Callable[[Service], int]
) -> None:
    carry_on, changed = Model.run, 0

    def disturbed(self: Model, until: int | None = None) -> None:
        nonlocal changed
        carry_on(self, until)
        # On the first evening on which anybody waits.
        if until is not None and until > 50 and not changed:
            changed = change(self.service)

    monkeypatch.setattr(Model, "run", disturbed)
    assert broken(watch(AREA, SEED, START, datetime.date(2018, 3, 31))) == {f"queue, {name}"}


@pytest.mark.parametrize(
    ("kind", "laws"),
    [
        ("report delivered", {"queue, court reports"}),
        ("allocated", {"queue, people without an officer"}),
        ("warrant executed", {"queue, warrants"}),
        ("licence revoked", {"queue, recalls from decision to revocation"}),
    ],
)
def test_what_nobody_is_told_is_found(monkeypatch: pytest.MonkeyPatch, kind: str, laws: set[str]) -> None:
    tell = Service.tell

    def init(self: Nights) -> None:
        listen(self)
        heard = self.service.tell
        self.service.tell = lambda what, *rest, **named: (  # type: ignore[method-assign]
            tell(self.service, what, *rest, **named) if what == kind and self.service.today < 88
            else heard(what, *rest, **named)
        )  # fmt: skip

    listen = Nights._listen
    monkeypatch.setattr(Nights, "_listen", init)
    assert broken(watch(AREA, SEED, START, datetime.date(2018, 3, 31))) == laws


def test_moves_that_nobody_is_told_of_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    carry_on, moved = Model.run, list[int]()

    def disturbed(self: Model, until: int | None = None) -> None:
        carry_on(self, until)
        if until in (10, 20):
            # There and back again before the end of the month, when the run's own laws would find it.
            place = self.service.people.location
            if until == 10:
                moved.append(int(np.flatnonzero(place == Location.COMMUNITY)[0]))
            place[moved[0]] = Location.SENTENCED if until == 10 else Location.COMMUNITY

    monkeypatch.setattr(Model, "run", disturbed)
    found = broken(watch(AREA, SEED, START, datetime.date(2018, 1, 30)))
    assert {"stock, in the community", "stock, in prison, sentenced"} <= found


def test_people_who_move_from_where_they_are_not_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    tell = Service.tell_of_moves

    def confused(self: Service, rows: Any, before: Any, after: Any) -> None:
        tell(self, rows, np.where(self.today > 20, Location.AT_LARGE, before), after)

    monkeypatch.setattr(Service, "tell_of_moves", confused)
    assert "moved from where they were" in broken(watch(AREA, SEED, START, datetime.date(2018, 1, 30)))


def test_people_and_cases_that_are_lost_are_found(nights: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    people = nights.service.people
    place = people.location.copy()
    place[np.flatnonzero(place[: people.size] == Location.ENDED)[0]] = Location.UNKNOWN
    monkeypatch.setattr(people, "location", place)
    assert broken(nights) == {"nobody is lost"}
    monkeypatch.undo()
    held = dict(nights.by_month("cases_held"))
    held[min(held)] -= 1
    monkeypatch.setitem(nights._totals, "cases_held", held)  # type: ignore[arg-type]
    assert broken(nights) == {"case or waiting"}


def test_days_of_curfew_that_are_not_counted_are_found(nights: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    # As the release would that counts one day too few.
    by_month = dict(nights.by_month("hdc_days_served"))
    by_month[min(by_month)] -= 1
    monkeypatch.setitem(nights._totals, "hdc_days_served", by_month)  # type: ignore[arg-type]
    assert broken(nights) == {"stock, on curfew"}


def test_a_team_with_fewer_hours_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    capacity = Courts.capacity
    monkeypatch.setattr(Courts, "capacity", lambda self: capacity(self) * 9 // 10)
    assert not limits.report_queue(AREA, SEED).ok


def other_parameters(monkeypatch: pytest.MonkeyPatch, **changed: Any) -> None:
    """Let the runs of limits have other parameters than the law thinks."""
    model = limits.model
    names = {name.replace("__", "."): value for name, value in changed.items()}
    monkeypatch.setattr(
        limits, "model", lambda area, seed, overrides, *rest: model(area, seed, {**overrides, **names}, *rest)
    )


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("all the time", {"workload__minutes_per_day_present": 430}),
        ("no time", {"workload__minutes_per_day_present": 1}),
        ("everybody attends", {"contact__missed_appointment_probability": 0.01}),
        ("everybody misses", {"contact__missed_appointment_probability": 0.045}),
        ("nobody arrives", {"community__reoffending_ratio": 1}),
        ("nobody arrives", {"community__death_rate": 0.05}),
        ("parole", {"recall__parole_release_share": 0.4}),
    ],
)
def test_a_limit_that_is_not_reached_is_found(
    monkeypatch: pytest.MonkeyPatch, name: str, changed: dict[str, Any]
) -> None:
    other_parameters(monkeypatch, **changed)
    found = dict(LIMIT_LAWS)[name](AREA, SEED)
    laws = found if isinstance(found, list) else [found]
    assert not all(one.ok for one in laws)


# --- Directions between the limits ------------------------------------------------------------------------------


def test_with_all_the_time_in_the_world_plans_are_in_time() -> None:
    output = run(overrides=UNLIMITED)
    assert total(output, "plans_in_time") >= 0.97 * total(output, "plans_done")


def test_with_hardly_any_time_hardly_anybody_is_seen() -> None:
    none = run(overrides={"workload.minutes_per_day_present": 1})
    usual = run()
    for seen in ("contacts_face_to_face", "plans_done", "reports_standard"):
        assert total(none, seen) <= total(usual, seen)
    assert total(none, "contacts_face_to_face") < 0.15 * total(usual, "contacts_face_to_face")
    assert total(none, "contacts_cancelled") > 10 * total(usual, "contacts_cancelled")


def test_everybody_misses_and_is_dealt_with() -> None:
    never = run(overrides=limits.EVERYBODY_MISSES)
    usual = run()
    assert total(never, "absences_unacceptable") > 3 * total(usual, "absences_unacceptable")
    assert total(never, "breaches_referred") > 3 * total(usual, "breaches_referred")
    assert total(never, "recalls") > total(usual, "recalls")
