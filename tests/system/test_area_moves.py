"""People who move to another area, and the areas that take over their cases, refuse them, or leave them waiting."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pytest

from simulation.engine import NEVER
from simulation.system import Model, RunOutput
from simulation.system.area_move_loops import add_in_order, other_area
from simulation.system.codes import CRC, NPS, Location, Progress
from simulation.system.columns import People
from simulation.system.officers import cases_of, held_elsewhere
from simulation.system.story import ABOUT_AN_AREA, in_words
from simulation.system.tracing import Teller
from tests.system.system_helpers import END, START, change, finished, request, run, same_run, total, totals

TWO = ("cumbria", "gwent")
#: Half of them a year, so that a few months show it.
OFTEN = {"allocation.area_moves_per_year": 0.5}


@pytest.fixture(scope="module")
def moved() -> Model:
    """Half a year of two areas; the laws are checked at every month end."""
    return finished(areas=TWO, overrides=OFTEN)


@pytest.fixture(scope="module")
def output(moved: Model) -> RunOutput:
    return moved.output()


def community(model: Model) -> np.ndarray:
    people = model.service.people
    found: np.ndarray = np.flatnonzero(people.location[: people.size] == Location.COMMUNITY)
    return found


def homes(model: Model) -> np.ndarray:
    """Area of conviction, from the key."""
    people = model.service.people
    found: np.ndarray = (people.key[: people.size] >> np.uint64(44)).astype(np.int64)
    return found


# --- Rules by hand ------------------------------------------------------------------------------------------------


def test_where_people_move_to() -> None:
    areas, residents = np.array([2, 7, 9]), np.array([10, 20, 30])

    def moved(area: int, *draws: float) -> list[int]:
        return [other_area(area, areas, residents, 60, draw) for draw in draws]

    assert moved(2, 0.0, 0.39, 0.4, 0.99) == [7, 7, 9, 9]
    # Somebody from the second area moves to the third three times as often as to the first.
    assert moved(7, 0.0, 0.24, 0.25, 0.99) == [2, 2, 9, 9]
    assert moved(9, 0.0, 0.33, 0.34, 0.99) == [2, 2, 7, 7]


def test_numbers_are_put_among_others_in_order_each_once() -> None:
    for there, new in (([], [3, 8]), ([5], [3, 5, 8]), ([1, 4, 7, 9], [4, 5, 6, 10]), ([2, 3], [0, 1]), ([2, 3], [])):
        numbers = np.array([*there, *[-1] * len(new)], dtype=np.int64)
        size = add_in_order(numbers, len(there), np.array(new, dtype=np.int64))
        assert numbers[:size].tolist() == sorted({*there, *new})


def test_cases_outside_the_area_are_found_too() -> None:
    people = People(300)
    people.tier[:] = 3
    people.officer[[3, 150, 299]] = 1
    people.officer[[4, 160]] = 0
    words = people.place_words
    area, cases, first = np.array([1, 1]), np.array([2, 3]), np.array([0, 100, 200, 300])
    # Row 150 has moved too, and is back; row 5 has moved to somebody else.
    moved = held_elsewhere(np.array([0, 1, 1, 1, 1, 1, 2]), np.array([3, 3, 4, 5, 150, 299, 4]))
    assert cases_of(np.array([1]), area, cases, words, first, moved).tolist() == [3, 150, 299]
    assert cases_of(np.array([0, 1]), area, cases, words, first, moved).tolist() == [3, 4, 150, 160, 299]


# --- Off ----------------------------------------------------------------------------------------------------------


def test_in_one_area_nobody_moves() -> None:
    same_run(run(overrides=OFTEN), run())


def test_a_rate_of_nought_leaves_no_trace() -> None:
    output = run(areas=TWO, end=datetime.date(2017, 9, 30))
    assert total(output, "area_moves") == total(output, "between_areas") == total(output, "area_transfers") == 0


# --- On -----------------------------------------------------------------------------------------------------------


def test_as_many_move_as_the_rate_says(output: RunOutput) -> None:
    expected = 0.5 * total(output, "community_days") / 365.25
    assert total(output, "area_moves") == pytest.approx(expected, rel=0.1)
    assert 0 < total(output, "area_transfers") < total(output, "area_moves")
    assert total(output, "area_transfers_refused") == 0


def test_the_wait_is_that_of_its_quantiles(output: RunOutput) -> None:
    # Working days 1, 15, 40 and 120 at shares 0, 0.5, 0.9 and 1 have a mean of 23, or 33 days; late ones are to come.
    assert 15 < total(output, "area_transfer_days") / total(output, "area_transfers") < 36


def test_everybody_is_who_they_were(moved: Model) -> None:
    people = moved.service.people
    rows, before = community(moved), homes(moved)
    away = people.area[: people.size] != before
    assert away[rows].sum() > 300, "somebody else's case than where they were convicted"
    assert set(people.area[rows].tolist()) == set(before[rows].tolist())
    assert (people.cell[: people.size] // 2 == people.area[: people.size]).all()
    between = people.area_to[: people.size] >= 0
    assert (people.area_to[: people.size][between] != people.area[: people.size][between]).all()


def test_officer_and_office_are_the_areas(moved: Model) -> None:
    people, posts = moved.service.people, moved.service.posts
    rows = np.flatnonzero((people.officer[: people.size] >= 0) & (people.waiting_since[: people.size] == NEVER))
    officer = people.officer[rows]
    assert (posts.area[officer] == people.area[rows]).all()
    assert (posts.office[officer] == people.office[rows]).all()
    held = np.bincount(people.officer[: people.size][people.officer[: people.size] >= 0], minlength=posts.size)
    assert (held == posts.cases[: posts.size]).all(), "cases balance"


def test_leavers_cases_are_found_wherever_they_were_convicted(moved: Model) -> None:
    people, posts, first = moved.service.people, moved.service.posts, moved.staffing.first_of_area
    officer = people.officer[: people.size]
    held = np.flatnonzero(officer >= 0)
    outside = held[posts.area[officer[held]] != homes(moved)[held]]
    assert outside.size
    for leaver in np.unique(officer[outside])[:20]:
        leavers = np.array([leaver])
        found = cases_of(leavers, posts.area, posts.cases, people.place_words, first, moved.area_moves.taken_over)
        assert found.tolist() == np.flatnonzero(officer == leaver).tolist()
    # Found afresh, as after a saved run is taken up again, nobody who may be held elsewhere is missing.
    codes = held_elsewhere(posts.area[officer[outside]], outside)
    assert np.isin(codes, moved.area_moves.find_taken_over()).all()
    assert np.isin(codes, moved.area_moves.taken_over).all()
    assert (np.diff(moved.area_moves.taken_over) > 0).all()


def test_who_lives_elsewhere_and_is_here_waits_for_an_answer(moved: Model) -> None:
    service, people = moved.service, moved.service.people
    rows = community(moved)
    rows = rows[people.area_to[rows] >= 0]
    request_, takeover = service.agendas["area request"], service.agendas["area takeover"]
    waits = (request_.day_of(rows) != NEVER).astype(int) + (takeover.day_of(rows) != NEVER)
    assert (waits == 1).all()
    assert not (service.agendas["area move"].day_of(rows) != NEVER).any()


def test_what_a_sentence_requires_lies_together_and_in_order(moved: Model) -> None:
    requirements = moved.service.requirements
    assert (np.diff(requirements.sentence[: requirements.size]) >= 0).all()


def test_places_for_what_was_ordered_follow(moved: Model) -> None:
    people, rows = moved.service.people, moved.service.requirements
    waiting = np.flatnonzero(rows.progress[: rows.size] < Progress.FINISHED)
    assert (rows.cell[waiting] // 2 == people.area[rows.person[waiting]]).all()


def test_a_change_of_officer_costs_a_handover(output: RunOutput) -> None:
    still = run(areas=TWO)
    more = total(output, "officer_changes") - total(still, "officer_changes")
    assert more > 0.7 * total(output, "area_transfers")
    assert total(output, "handover_seconds") > total(still, "handover_seconds")
    assert total(still, "area_transfers") == 0


def test_refused_cases_wait_longer(output: RunOutput) -> None:
    refusing = run(areas=TWO, overrides={**OFTEN, "allocation.area_refused_share": 0.5})
    assert total(refusing, "area_transfers_refused") == pytest.approx(total(refusing, "area_moves"), rel=0.3)
    assert total(refusing, "between_areas") > 1.1 * total(output, "between_areas")
    wait = [total(one, "area_transfer_days") / total(one, "area_transfers") for one in (output, refusing)]
    assert wait[1] > wait[0]


def test_a_rate_that_begins_later_and_ends_again() -> None:
    begins, ends = datetime.date(2017, 9, 1), datetime.date(2017, 11, 1)
    name = "allocation.area_moves_per_year"
    months = totals(run(change(begins, "set", name, 1.0), change(ends, "set", name, 0), areas=TWO))["area_moves"]
    assert {month for month, many in months.items() if many} == {"2017-09", "2017-10"}
    assert months["2017-09"] == pytest.approx(months["2017-10"], rel=0.25), "those supervised already move as well"
    assert START < begins < ends < END


def test_the_side_follows_the_area() -> None:
    """Gwent is one service from the first day, Cumbria split."""
    one = change(START, "set", "organisation.unified", 1, areas=("gwent",))
    model = finished(one, areas=TWO, overrides={"allocation.area_moves_per_year": 1})
    people, geography = model.service.people, model.geography
    rows, before = community(model), homes(model)
    split, unified = geography.areas.index("cumbria"), geography.areas.index("gwent")
    into_one = rows[(people.area[rows] == unified) & (before[rows] == split)]
    into_split = rows[(people.area[rows] == split) & (before[rows] == unified)]
    assert into_one.size > 100 < into_split.size
    assert (people.side[into_one] == NPS).all()
    assert 0.5 < (people.side[into_split] == CRC).mean() < 0.9
    posts = model.service.posts
    settled = into_split[(people.officer[into_split] >= 0) & (people.waiting_since[into_split] == NEVER)]
    assert (posts.employer[people.officer[settled]] == people.side[settled]).all()


def test_saved_and_continued_is_the_same_run() -> None:
    whole = Model(request(areas=TWO, overrides=OFTEN))
    whole.run(until=100)
    saved = whole.save()
    whole.run()
    again = Model(request(areas=TWO, overrides=OFTEN))
    again.continue_with(saved, again.service.resolved)
    again.run()
    same_run(whole.output(), again.output())


def test_what_is_told_of_somebody_comes_in_order() -> None:
    """A move, refusals, a takeover, and only then another move; always of somebody supervised in the community."""
    model = Model(request(areas=TWO, overrides={**OFTEN, "allocation.area_refused_share": 0.4}))
    service, tell = model.service, model.service.tell
    told: dict[int, list[tuple[str, int]]] = {}

    def listen(kind: str, rows: np.ndarray, detail: Any = 0, keys: Any = None) -> None:
        tell(kind, rows, detail, keys)
        if kind in ABOUT_AN_AREA:
            assert (service.people.location[rows] == Location.COMMUNITY).all()
            for row, where in zip(rows.tolist(), np.asarray(detail).tolist(), strict=True):
                told.setdefault(row, []).append((kind, where))

    service.tell = listen  # type: ignore[method-assign]
    model.run()
    allowed = {
        "": {"moves to another area"},
        "moves to another area": {"transfer to another area refused", "taken over by another area"},
        "transfer to another area refused": {"transfer to another area refused", "taken over by another area"},
        "taken over by another area": {"moves to another area"},
    }
    for events in told.values():
        last, where = "", -1
        for kind, area in events:
            assert kind in allowed[last]
            assert (area != where) if kind == "moves to another area" else (area == where), "the area that was moved to"
            last, where = kind, area
    assert max(len(events) for events in told.values()) > 3
    people, size = service.people, service.people.size
    resting = np.flatnonzero((people.area_to[:size] >= 0) & (people.location[:size] != Location.COMMUNITY))
    asked = service.agendas["area request"].day_of(resting) != NEVER
    asked |= service.agendas["area takeover"].day_of(resting) != NEVER
    assert (~asked).any(), "somebody in prison or no longer supervised, whose transfer rests"


def test_a_history_names_the_area(moved: Model) -> None:
    model = Model(request(areas=TWO, overrides=OFTEN))
    row = int(np.flatnonzero(moved.service.people.area[: moved.service.people.size] != homes(moved))[0])
    teller = Teller(model, row)
    model.run()
    words = " ".join(in_words(event) for event in teller.events if event.kind in ABOUT_AN_AREA)
    assert "Moves home to Gwent" in words
    assert "The service in Gwent takes the case over" in words


def test_inspections_read_the_cases_of_those_who_moved(moved: Model) -> None:
    people, area = moved.service.people, moved.geography.areas.index("cumbria")
    rows, _ = moved.targets.cases(area)
    assert (people.area[rows] == area).all()
    assert (homes(moved)[rows] != area).any()
    assert (np.diff(rows) > 0).all()
