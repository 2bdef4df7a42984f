"""What a person keeps, and what goes, when a case changes hands, is put off, or begins anew."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulation.engine import NEVER
from simulation.system import Model
from simulation.system.codes import CRC, NPS, Kind, Location, Setting, Status, Task
from simulation.system.service import CUSTODY_LOCATIONS
from tests.system.system_helpers import UNLIMITED, request

DAY = 45


def after(days: int = DAY, **overrides: Any) -> Model:
    model = Model(request(overrides={**UNLIMITED, **overrides}))
    model.run(until=days)
    return model


def on_orders(model: Model) -> np.ndarray:
    """People of the company on an order, with an officer, who were seen and have an appointment."""
    people, contact = model.service.people, model.service.agendas["contact"]
    rows = np.arange(people.size)
    fits = (people.side[rows] == CRC) & (people.location[rows] == Location.COMMUNITY) & (people.officer[rows] >= 0)
    fits &= (people.setting[rows] == Setting.ORDER) & (people.work_only[rows] == 0) & (people.crisis_noticed[rows] == 0)
    fits &= (people.first_due_from[rows] == NEVER) & (contact.day_of(rows) != NEVER)
    return np.flatnonzero(fits)


def test_a_contact_takes_the_time_of_the_provider_responsible_that_day() -> None:
    """Risk rises, and the case is the NPS's before the NPS has seen anybody."""
    model = after()
    service, people = model.service, model.service.people
    row = on_orders(model)[:1]
    day = int(service.calendar.after_working_days(service.today, 1))
    seen: dict[int, tuple[int, int]] = {}
    hold = model.contact.hold

    def note(rows: Any, mode: Any, first: Any, seconds: Any, *more: Any) -> None:
        for each, how, time in zip(rows.tolist(), mode.tolist(), seconds.tolist(), strict=True):
            seen.setdefault(each, (how, time))
        hold(rows, mode, first, seconds, *more)

    model.contact.hold = note  # type: ignore[method-assign]
    model.allocation.escalate(row)
    assert people.side[row] == NPS
    service.agendas["contact"].put(row, day)
    model.run(until=day + 1)
    how, time = seen[int(row[0])]
    nps = model.contact.models[people.cell[row[0]]]
    by_provider = model.caseload.workload.contact_seconds[
        :, people.setting[row[0]], people.tier[row[0]], how, people.rural[row[0]]
    ]
    assert time == by_provider[nps]
    assert time != by_provider[model.contact.models[people.area[row[0]] * 2 + CRC]]


def test_after_an_arrest_the_contact_has_a_place_of_its_own() -> None:
    model = after()
    service, people = model.service, model.service.people
    row = on_orders(model)[:1]
    service.agendas["contact"].cancel(row)
    people.contact_due[row] = service.today - 30
    model.enforcement.breach_courts.released(row)
    assert people.contact_due[row] == service.agendas["contact"].day_of(row) > service.today


def test_cases_of_who_leaves_on_a_friday_are_given_out_first_on_monday() -> None:
    model = after()
    service, people = model.service, model.service.people
    saturday = service.today + (5 - int(service.calendar.weekday(service.today))) % 7
    model.run(until=saturday)
    rows = on_orders(model)
    post = people.officer[rows[-1:]].astype(np.intp)
    others = rows[people.officer[rows] != post]
    held = np.flatnonzero(people.officer[: people.size] == post)
    assert others[0] < held[-1], "by row alone somebody else would come first"
    given: list[np.ndarray] = []
    give = model.allocation.give

    def note(cases: np.ndarray) -> None:
        given.append(cases.copy())
        give(cases)

    model.allocation.give = note  # type: ignore[method-assign]
    model.staffing.hand_over(post, "officer left")
    service.agendas["allocate"].put(others[:1], saturday + 2)
    assert service.calendar.is_working(saturday + 2)
    model.run(until=saturday + 3)
    (cases,) = given
    kept = held[(people.side[held] >= 0) & (people.prison_held[held] == 0)]
    assert np.isin(kept, cases[: held.size]).all()
    assert others[0] in cases[held.size - 2 :]


def test_nothing_of_a_closed_case_goes_on_in_the_next() -> None:
    """An order is revoked and another imposed on the same day: the handover of the old case isn't done any more."""
    model = after()
    service, people, sentences, tasks = (
        model.service,
        model.service.people,
        model.service.sentences,
        model.service.tasks,
    )
    row = on_orders(model)[:1]
    service.add_task(Task.HANDOVER, row, service.today, 60)
    assert row[0] in tasks.person[: tasks.size]
    others = np.count_nonzero(tasks.person[: tasks.size] != row[0])
    sentence = people.latest[row[0]]
    while sentence >= 0:
        sentences.status[sentence] = Status.ENDED
        sentence = sentences.previous[sentence]
    service.refresh(row)
    assert people.side[row] == -1
    service.new_sentences(row, Kind.COMMUNITY_ORDER, Status.ORDER)
    service.refresh(row)
    assert people.location[row] == Location.COMMUNITY
    assert row[0] not in tasks.person[: tasks.size]
    assert tasks.size == others


def test_a_first_contact_that_is_put_off_keeps_its_day() -> None:
    """Days are short: contacts of the start and first ones in custody don't fit, and wait in their order."""
    model = Model(request(overrides={**UNLIMITED, "workload.minutes_per_day_present": 120}))
    service, people = model.service, model.service.people
    put_off: dict[int, int] = {}
    inside: set[int] = set()
    again, tell, hold = 0, service.tell, model.contact.hold

    def forget(rows: np.ndarray, *more: Any) -> None:
        for row in rows.tolist():
            put_off.pop(row, None)

    def held(rows: np.ndarray, *more: Any) -> None:
        forget(rows)
        hold(rows, *more)

    def note(kind: str, rows: Any, *more: Any, **named: Any) -> None:
        nonlocal again
        if kind == "appointment cancelled, diary full":
            for row, due in zip(rows.tolist(), people.contact_due[rows].tolist(), strict=True):
                assert NEVER < due <= service.today
                again += row in put_off
                assert put_off.setdefault(row, due) == due
                if people.location[row] in CUSTODY_LOCATIONS:
                    inside.add(row)
        tell(kind, rows, *more, **named)

    service.tell, model.contact.hold = note, held  # type: ignore[method-assign]
    service.on_place_change.append(forget)
    model.run(until=DAY)
    assert again > 100
    assert inside
