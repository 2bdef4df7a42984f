"""Ids of people, following them, and finding an example."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.scenario import Resolved, ScenarioError, load_geography, load_parameters, load_scenario, resolve
from simulation.system import Model, RunRequest, run_model
from simulation.system.population import CONVICTED, INDETERMINATE, LONG_AGO
from simulation.system.story import Told
from simulation.system.tracing import (
    EXAMPLES,
    UNLIMITED,
    PersonId,
    Teller,
    describe,
    find_example,
    follow,
    id_of,
    read_id,
    row_of,
)

GEOGRAPHY = load_geography()
START, POLICY, END = date(2018, 5, 1), date(2018, 5, 25), date(2018, 6, 20)
AREA = "gloucestershire"


def short(name: str) -> Resolved:
    """A scenario of seven weeks whose changes begin in the fourth."""
    scenario = load_scenario(name)
    changes = tuple(replace(c, start=POLICY, end=None) for c in scenario.changes[:1])
    scenario = replace(scenario, start=START, count_from=date(2018, 5, 2), end=END, changes=changes)
    return resolve(scenario, load_parameters(), GEOGRAPHY, areas=AREA)


@pytest.fixture(scope="module")
def model() -> Model:
    return Model(RunRequest(short("baseline"), 1))


PEOPLE = st.one_of(
    st.builds(
        PersonId,
        st.sampled_from(GEOGRAPHY.areas),
        st.sampled_from([CONVICTED, LONG_AGO]),
        st.integers(-9000, 3000),
        st.integers(0, 60000),
    ),
    st.builds(
        PersonId,
        st.sampled_from(GEOGRAPHY.areas),
        st.just(INDETERMINATE),
        st.sampled_from([-1000, -1001]),
        st.integers(0, 60000),
    ),
)


@given(PEOPLE, st.dates(date(2014, 1, 1), date(2020, 1, 1)))
def test_an_id_is_read_as_it_is_written(who: PersonId, start: date) -> None:
    assert read_id(who.text(start), GEOGRAPHY, start) == who
    assert id_of(who.key(GEOGRAPHY), GEOGRAPHY) == who


def test_ids_as_people_write_them() -> None:
    assert PersonId("durham", CONVICTED, 256, 1).text(date(2016, 7, 1)) == "durham-2017-03-14-2"
    assert PersonId("london", INDETERMINATE, -1000, 11).text(START) == "london-life-12"
    assert PersonId("london", INDETERMINATE, -1001, 0).text(START) == "london-life-recalled-1"


@pytest.mark.parametrize(
    ("text", "code", "hint"),
    [
        ("durhm-2017-03-14-2", "unknown_area", "durham"),
        ("durham_tees_valley-2017-03-14-2", "unknown_area", ""),
        ("durham-2017-13-45-2", "bad_date", "year-month-day"),
        ("durham-17-3-14-2", "bad_date", "year-month-day"),
        ("durham-2017-03-14", "bad_person", "durham-2017-03-14-2"),
        ("durham", "bad_person", "durham-life-1"),
        ("durham-2017-03-14-0", "bad_person", ""),
        ("", "bad_person", ""),
    ],
)
def test_a_bad_id_is_explained(text: str, code: str, hint: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        read_id(text, GEOGRAPHY, START)
    problem = caught.value.problems[0]
    assert problem.code == code and hint in problem.hint


def asked_for(text: str, model: Model) -> str:
    with pytest.raises(ScenarioError) as caught:
        row_of(read_id(text, GEOGRAPHY, START), model)
    return str(caught.value.problems[0])


def test_nobody_of_that_id_says_who_there_is(model: Model) -> None:
    keys = model.service.people.key[: model.service.people.size]
    someone = next(id_of(int(key), GEOGRAPHY) for key in keys[::-1] if id_of(int(key), GEOGRAPHY).channel == CONVICTED)
    day = someone.text(START).rpartition("-")[0]
    same_day = [k for k in keys if replace(id_of(int(k), GEOGRAPHY), index=0) == replace(someone, index=0)]
    message = asked_for(f"{day}-999", model)
    assert f"{len(same_day)} p" in message and f"{day}-1" in message
    assert "courts don't sit" in asked_for(f"{AREA}-2018-05-12-1", model)
    assert "after the run" in asked_for(f"{AREA}-2031-05-12-1", model)
    assert f"{AREA}-life-1" in asked_for(f"{AREA}-life-9999", model)


def test_describing_people(model: Model) -> None:
    people = model.service.people
    for row in range(0, people.size, 97):
        words = describe(row, model)
        assert "{" not in words and words[0].isupper() and words.endswith(".")
        assert ("On 1 May 2018" in words) == (people.latest[row] >= 0)


def test_an_age_is_of_the_day_that_it_is_known_for(model: Model) -> None:
    people = model.service.people
    channels = [id_of(int(key), GEOGRAPHY).channel for key in people.key[: people.size]]
    lifer = describe(channels.index(INDETERMINATE), model)
    assert "when sentenced to life" in lifer and "first conviction" not in lifer
    other = channels.index(CONVICTED)
    when = id_of(int(people.key[other]), GEOGRAPHY).text(START)
    assert f"of {int(people.age[other])} when first convicted, in " in describe(other, model)
    assert when.split("-")[1] in describe(other, model)


def of_one(model: Model) -> Teller:
    """Who tells of the first person, and hears nothing else."""
    teller = Teller(model, 0)
    teller._tell = lambda *_: None  # type: ignore[method-assign,assignment]
    return teller


@pytest.fixture
def teller(monkeypatch: pytest.MonkeyPatch, model: Model) -> Teller:
    monkeypatch.setattr(model.service, "tell", model.service.tell)
    return of_one(model)


def test_an_officer_is_forgotten_while_prison_staff_hold_the_case(teller: Teller) -> None:
    row = np.array([0])
    for kind, before in (("seen", 7), ("case held in prison", -1), ("officer left", -2)):
        teller.tell("allocated", row, 7)
        teller.tell(kind, row)
        teller.tell("allocated", row, 7)
        assert teller.events[-1].context.before == before, kind


def test_the_day_on_which_an_order_ended(teller: Teller, monkeypatch: pytest.MonkeyPatch) -> None:
    row, service = np.array([0]), teller.service

    def on(day: int, kind: str) -> str:
        monkeypatch.setattr(type(service), "today", day)
        teller.tell(kind, row, 5)
        return teller.events[-1].context.ended_on

    on(3, "order completed")
    assert on(20, "activity days lapse") == "4 May 2018"
    on(22, "order revoked")
    assert on(30, "unpaid work lapses") == "", "one of two days"
    assert on(45, "unpaid work lapses") == "23 May 2018", "what was long ago isn't looked at"
    on(50, "order completed")
    assert on(80, "activity days lapse") == "20 June 2018"
    on(90, "order completed")
    assert on(90, "activity days lapse") == ""


@pytest.fixture(scope="module")
def followed(model: Model) -> tuple[PersonId, list[list[Told]]]:
    scenarios = [short("baseline"), short("reunification"), short("baseline")]
    who = find_example(scenarios[0], "handover", 1, 0, END)
    assert who is not None
    return who, follow(scenarios, who, 1, 0)


def test_following_tells_what_a_traced_run_tells(followed: tuple[PersonId, list[list[Told]]]) -> None:
    who, histories = followed
    for name, history in zip(("baseline", "reunification"), histories, strict=False):
        output = run_model(RunRequest(short(name), 1, traced=who.key(GEOGRAPHY)))
        assert [(e.day, e.kind, e.detail) for e in output.history] == [e.sameness for e in history]
        assert len(history) > 3


def test_the_same_scenario_gives_the_same_history(followed: tuple[PersonId, list[list[Told]]]) -> None:
    _, histories = followed
    assert histories[2] == histories[0]


def test_nothing_differs_before_the_policy(followed: tuple[PersonId, list[list[Told]]]) -> None:
    _, (first, second, _) = followed
    policy = (POLICY - START).days
    assert [e for e in first if e.day < policy] == [e for e in second if e.day < policy]


def test_the_example_is_one(followed: tuple[PersonId, list[list[Told]]]) -> None:
    assert EXAMPLES["handover"] in {e.kind for e in followed[1][0]}


def test_with_unlimited_time_nobody_waits_and_nobody_is_away() -> None:
    parameters = load_parameters()
    scenario = replace(load_scenario("baseline"), start=START, count_from=date(2018, 5, 2), end=END)
    unlimited = resolve(scenario, parameters, GEOGRAPHY, overrides=UNLIMITED, areas=AREA)
    model = Model(RunRequest(unlimited, 1))
    kinds: dict[str, int] = {}
    tell = model.service.tell

    def listen(kind: str, rows: np.ndarray, *rest: object) -> None:
        kinds[kind] = kinds.get(kind, 0) + rows.size
        tell(kind, rows, *rest)  # type: ignore[arg-type]

    model.service.tell = listen  # type: ignore[method-assign]
    model.run()
    assert kinds["seen"] > 100
    shared = {
        "officer left",
        "appointment cancelled, officer sick",
        "appointment moved, officer on leave",
        "appointment cancelled, diary full",
    }
    assert shared & {kind for kind, count in kinds.items() if count} == set()
