"""Dated changes: what holds on which day, where, and for whom."""

from __future__ import annotations

import dataclasses
import datetime
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.scenario import (
    AreaLimited,
    Change,
    Geography,
    Parameters,
    Resolved,
    ScenarioError,
    UnknownParameter,
    load_geography,
    load_parameters,
    load_scenario,
    resolve,
)
from tests.scenario.scenario_helpers import PARAMETERS, START, Make, change, scenario

TAKE_UP = "custody.hdc.take_up"
MINUTES = "contact.minutes"
EXAMPLES = settings(max_examples=60, deadline=None, derandomize=True, database=None)


def numbers(resolved: Resolved, name: str, *days: int) -> list[float]:
    return [resolved.on(day).number(name) for day in days]


def test_set_holds_from_its_day(make: Make) -> None:
    assert numbers(make(change(200, set={MINUTES: 40})), MINUTES, 0, 199, 200, 1000) == [30, 30, 40, 40]


def test_a_change_ends_on_its_last_date(make: Make) -> None:
    resolved = make(change(200, 300, set={MINUTES: 40}), change(250, multiply={MINUTES: 2}))
    assert numbers(resolved, MINUTES, 200, 250, 299, 300, 1000) == [40, 80, 80, 60, 60]
    assert resolved.change_days() == (200, 250, 300)


def test_multiply_and_add_work_on_what_holds_otherwise(make: Make) -> None:
    resolved = make(change(200, add={MINUTES: 10}), change(300, multiply={MINUTES: 0.5}))
    assert numbers(resolved, MINUTES, 250, 300) == [40, 20]


def test_changes_apply_in_order_of_date_then_of_file(make: Make) -> None:
    late_first = make(change(300, multiply={MINUTES: 2}), change(200, set={MINUTES: 10}))
    assert numbers(late_first, MINUTES, 250, 300) == [10, 20]
    same_day = make(change(200, set={MINUTES: 10}), change(200, add={MINUTES: 5}))
    assert numbers(same_day, MINUTES, 200) == [15]
    other_way = make(change(200, add={MINUTES: 5}), change(200, set={MINUTES: 10}))
    assert numbers(other_way, MINUTES, 200) == [10]


def test_a_ramp_is_a_straight_line_and_ends_exactly(make: Make) -> None:
    resolved = make(change(200, ramp_days=4, set={MINUTES: 50}))
    assert numbers(resolved, MINUTES, 199, 200, 201, 202, 203, 204) == [30, 35, 40, 45, 50, 50]
    assert resolved.change_days() == (200, 201, 202, 203)
    assert numbers(make(change(200, ramp_days=7, multiply={MINUTES: 1.1})), MINUTES, 206) == [30 * 1.1]


def test_a_ramp_starts_from_what_holds_otherwise(make: Make) -> None:
    resolved = make(change(200, ramp_days=2, set={MINUTES: 50}), change(200, ramp_days=2, add={MINUTES: 10}))
    assert numbers(resolved, MINUTES, 200, 201) == [45, 60]


def test_a_ramp_cut_short_goes_back(make: Make) -> None:
    resolved = make(change(200, 202, ramp_days=4, set={MINUTES: 50}))
    assert numbers(resolved, MINUTES, 201, 202) == [40, 30]
    assert resolved.change_days() == (200, 201, 202)


def test_a_change_on_the_first_day_holds_from_the_start(make: Make) -> None:
    resolved = make(change(0, set={MINUTES: 40}))
    assert numbers(resolved, MINUTES, 0) == [40]
    assert resolved.change_days() == ()


def test_one_entry_of_a_table(make: Make) -> None:
    resolved = make(
        change(200, set={"contact.interval_weeks.nps.A": 3}),
        change(300, set={"contact.mode": {"A": "group"}}),
    )
    assert resolved.on(200).mapping("contact.interval_weeks") == {
        "nps": {"A": 3, "B": 2, "C1": 4},
        "crc": {"A": 2, "B": 4, "C1": 6},
    }
    assert resolved.on(300).mapping("contact.mode") == {"A": "group", "B": "office", "C1": "telephone"}
    assert resolved.on(299).text("contact.mode", "A") == "office"


def test_one_factor_for_a_whole_table(make: Make) -> None:
    resolved = make(change(200, multiply={"contact.interval_weeks": 2}))
    assert resolved.on(200).number("contact.interval_weeks", "crc", "C1") == 12
    half = make(change(200, add={"contact.interval_weeks.nps": 1}))
    assert half.on(200).mapping("contact.interval_weeks")["nps"] == {"A": 2, "B": 3, "C1": 5}
    assert half.on(200).mapping("contact.interval_weeks")["crc"] == {"A": 2, "B": 4, "C1": 6}


def test_words_and_flags(make: Make) -> None:
    resolved = make(change(200, 300, set={"custody.releases.day": "monday", "custody.hdc.presumed": False}))
    assert [resolved.on(day).text("custody.releases.day") for day in (0, 200, 300)] == [
        "friday",
        "monday",
        "friday",
    ]
    assert [resolved.on(day).flag("custody.hdc.presumed") for day in (0, 200, 300)] == [True, False, True]
    assert resolved.on(0).grid("custody.hdc.presumed").tolist() == [[1.0, 1.0]] * 42
    assert set(resolved.on(200).text_grid("custody.releases.day").ravel()) == {"monday"}


def test_a_change_limited_to_some_areas(make: Make, geography: Geography) -> None:
    resolved = make(change(200, areas=("wales",), set={MINUTES: 40}))
    grid = resolved.on(200).grid(MINUTES)
    wales = list(geography.resolve("wales"))
    assert grid.shape == (42, 2)
    assert (grid[wales] == 40).all()
    assert (np.delete(grid, wales, axis=0) == 30).all()
    with pytest.raises(AreaLimited, match="differs by area or provider on day 200"):
        resolved.on(200).number(MINUTES)
    assert resolved.on(199).number(MINUTES) == 30


def test_a_change_limited_to_a_provider(make: Make, geography: Geography) -> None:
    grid = make(change(200, providers=("nps_london",), set={MINUTES: 40})).on(200).grid(MINUTES)
    assert np.argwhere(grid == 40).tolist() == [[geography.areas.index("london"), 0]]
    companies = make(change(200, providers=("crc",), set={MINUTES: 40})).on(200).grid(MINUTES)
    assert (companies == [30, 40]).all()


def test_grids_are_shared_and_cannot_be_written_to(make: Make) -> None:
    resolved = make(change(200, set={MINUTES: 40}))
    assert resolved.on(0) is resolved.on(199)
    assert resolved.on(0).grid(TAKE_UP) is resolved.on(200).grid(TAKE_UP)
    with pytest.raises(ValueError, match="read-only"):
        resolved.on(0).grid(TAKE_UP)[0, 0] = 1


def test_whole_numbers_round_halves_up(make: Make) -> None:
    resolved = make(change(200, ramp_days=4, set={MINUTES: 32}))
    assert [resolved.on(day).integer(MINUTES) for day in (199, 200, 201, 202)] == [30, 31, 31, 32]


def test_reading_a_value_as_something_else_is_refused(make: Make) -> None:
    effective = make().on(0)
    for read, name in (
        (effective.number, "custody.releases.day"),
        (effective.flag, MINUTES),
        (effective.text, MINUTES),
        (effective.grid, "custody.releases.day"),
        (effective.grid, "custody.receptions"),
        (effective.mapping, MINUTES),
    ):
        with pytest.raises(TypeError):
            read(name)
    with pytest.raises(UnknownParameter, match="did you mean"):
        effective.number("contact.minuts")
    with pytest.raises(KeyError, match="is a table"):
        effective.number("contact.interval_weeks", "nps")
    with pytest.raises(KeyError, match="no entry"):
        effective.number(MINUTES, "nps")


def test_new_people_only(make: Make) -> None:
    """Those whose own date lies before the change keep the old value, whatever today is."""
    resolved = make(change(200, applies_to="new", set={MINUTES: 40}))
    days = np.array([-50, 100, 199, 200, 500])
    assert resolved.lookup(MINUTES, days, today=600).tolist() == [30, 30, 30, 40, 40]
    assert resolved.lookup(MINUTES, days, today=150).tolist() == [30] * 5
    assert resolved.on(600).number(MINUTES) == 40
    assert resolved.replan(200) == frozenset()


def test_everyone(make: Make) -> None:
    resolved = make(change(200, 300, applies_to="all", set={MINUTES: 40}))
    for today, value in ((199, 30), (200, 40), (299, 40), (300, 30)):
        assert resolved.lookup(MINUTES, [-50, 100, 250, 900], today).tolist() == [value] * 4
    assert resolved.replan(200) == resolved.replan(300) == {MINUTES}
    assert resolved.replan(201) == frozenset()


def test_every_day_of_a_ramp_for_everyone_is_planned_again(make: Make) -> None:
    resolved = make(change(200, ramp_days=3, set={MINUTES: 40}))
    assert [day for day in range(190, 210) if resolved.replan(day)] == [200, 201, 202]


def test_lookup_by_area_and_side(make: Make, geography: Geography) -> None:
    wales = geography.resolve("wales")[0]
    resolved = make(change(200, areas=("wales",), applies_to="new", set={MINUTES: 40}))
    assert resolved.lookup(MINUTES, [250, 250, 100], 400, area=np.array([wales, 0, wales])).tolist() == [
        40,
        30,
        30,
    ]
    with pytest.raises(AreaLimited, match="give area"):
        resolved.lookup(MINUTES, [250], 400)
    sides = make(change(200, providers=("crc",), set={MINUTES: 40}))
    assert sides.lookup(MINUTES, [0, 0], 400, side=np.array([0, 1])).tolist() == [30, 40]
    with pytest.raises(AreaLimited, match="give side"):
        sides.lookup(MINUTES, [250], 400, area=np.array([0]))


def test_lookup_in_a_table(make: Make) -> None:
    resolved = make(change(200, applies_to="new", set={"contact.interval_weeks.nps.A": 3}))
    assert resolved.lookup("contact.interval_weeks", [0, 300], 400, labels=("nps", "A")).tolist() == [1, 3]
    assert resolved.lookup("custody.hdc.presumed", [0], 400).tolist() == [1.0]


def test_steps_of_a_series(make: Make) -> None:
    resolved = make(change(400, areas=("wales",), multiply={"custody.receptions": 2}))
    first = resolved.geography.resolve("wales")[0]
    values = [
        resolved.series_value("custody.receptions", day, first) for day in (-1, -900, 0, 364, 365, 400, 999)
    ]
    assert values == [1000, 1000, 1200, 1200, 1100, 2200, 2200]
    assert resolved.series_value("custody.receptions", 999, 0) == 1100
    assert resolved.series("custody.receptions")[0] == (datetime.date(2016, 1, 1), 1000)


def test_lines_of_a_series(make: Make) -> None:
    resolved = make()
    men = [
        resolved.series_value("custody.remand", day, labels=("men",))
        for day in (-5, 0, 1, 180, 360, 400, 999)
    ]
    assert men == [100, 100, 101, 280, 460, 460, 460]
    with pytest.raises(TypeError, match="no series"):
        resolved.series_value(MINUTES, 0)


def test_overrides_hold_from_day_one(parameters: Parameters, geography: Geography) -> None:
    resolved = resolve(
        scenario(change(200, add={MINUTES: 5})), parameters, geography, overrides={MINUTES: 10}
    )
    assert numbers(resolved, MINUTES, 0, 200) == [10, 15]
    assert "# Held from day one: contact.minutes = 10" in resolved.to_yaml()


def test_a_run_may_end_sooner_and_in_fewer_areas(parameters: Parameters, geography: Geography) -> None:
    until = START + datetime.timedelta(days=250)
    plan = scenario(change(200, set={MINUTES: 5}), change(300, set={MINUTES: 6}))
    resolved = resolve(plan, parameters, geography, areas="wales", until=until)
    assert (resolved.end, resolved.change_days(), len(resolved.areas)) == (until, (200,), 4)
    with pytest.raises(ScenarioError, match="before counting starts"):
        resolve(plan, parameters, geography, until=START)


def test_every_problem_with_changes_is_told(make: Make) -> None:
    with pytest.raises(ScenarioError) as error:
        make(
            change(200, set={"contact.minuts": 3, TAKE_UP: 2}),
            change(300, multiply={"custody.releases.day": 2}),
        )
    assert {problem.code for problem in error.value.problems} == {
        "unknown_parameter",
        "out_of_range",
        "wrong_type",
    }


def test_factors_that_meet_may_not_leave_the_limits(make: Make) -> None:
    make(change(200, multiply={TAKE_UP: 2}))
    with pytest.raises(ScenarioError, match=r"becomes 1\.44 on 2017-10-28"):
        make(change(200, multiply={TAKE_UP: 2}), change(300, multiply={TAKE_UP: 2}))
    make(change(200, 300, multiply={TAKE_UP: 2}), change(300, multiply={TAKE_UP: 2}))


def test_digest_covers_what_decides_and_nothing_else(make: Make, parameters: Parameters) -> None:
    plain = make(change(200, set={MINUTES: 40}))
    same = make(
        change(200, set={MINUTES: 40.0}, why="Because."), name="other", title="Other", areas=("wales",)
    )
    assert plain.digest() == same.digest()
    others = [
        make(),
        make(change(201, set={MINUTES: 40})),
        make(change(200, set={MINUTES: 41})),
        make(change(200, add={MINUTES: 40})),
        make(change(200, set={TAKE_UP: 0.4})),
        make(change(200, 500, set={MINUTES: 40})),
        make(change(200, ramp_days=9, set={MINUTES: 40})),
        make(change(200, applies_to="new", set={MINUTES: 40})),
        make(change(200, areas=("wales",), set={MINUTES: 40})),
        make(change(200, set={MINUTES: 40}), days=999),
        resolve(scenario(change(200, set={MINUTES: 40})), parameters, overrides={TAKE_UP: 0.3}),
    ]
    assert len({resolved.digest() for resolved in (plain, *others)}) == len(others) + 1


def test_it_survives_a_trip_to_another_process(make: Make) -> None:
    resolved = make(change(200, areas=("wales",), ramp_days=20, set={MINUTES: 40}))
    resolved.on(210).grid(MINUTES)
    copy = pickle.loads(pickle.dumps(resolved))
    assert copy.digest() == resolved.digest()
    assert (copy.on(210).grid(MINUTES) == resolved.on(210).grid(MINUTES)).all()


EARLY = change(100, 200, applies_to="new", set={MINUTES: 40})


@pytest.mark.parametrize(
    ("one", "other", "day"),
    [
        ([], [], None),
        ([change(200, set={MINUTES: 40})], [], 200),
        ([change(200, set={MINUTES: 30})], [], None),
        ([change(200, set={MINUTES: 40})], [change(200, add={MINUTES: 10})], None),
        ([], [change(300, set={TAKE_UP: 1}), change(200, set={MINUTES: 30})], 300),
        ([change(200, set={MINUTES: 40})], [change(200, 400, set={MINUTES: 40})], 400),
        ([change(200, ramp_days=90, set={MINUTES: 40})], [change(200, ramp_days=91, set={MINUTES: 40})], 200),
        ([change(200, set={MINUTES: 40})], [change(200, applies_to="new", set={MINUTES: 40})], 200),
        ([change(0, set={MINUTES: 40})], [change(0, applies_to="new", set={MINUTES: 40})], 0),
        ([change(200, areas=("kent",), add={MINUTES: 9})], [change(200, add={MINUTES: 9})], 200),
        ([change(100, multiply={"custody.receptions": 1})], [], None),
        ([change(100, set={"custody.receptions": 1200})], [], 365),
        ([change(200, set={"custody.releases.day": "monday"})], [], 200),
        # Only those sentenced between days 100 and 200 see the second change.
        ([EARLY], [EARLY, change(300, set={MINUTES: 30})], 300),
    ],
)  # fmt: skip
def test_first_difference(make: Make, one: list[Any], other: list[Any], day: int | None) -> None:
    date = None if day is None else START + datetime.timedelta(days=day)
    a, b = make(*one), make(*other)
    assert a.first_difference(b) == b.first_difference(a) == date


def test_first_difference_of_parameters_is_the_first_common_day(make: Make, parameters: Parameters) -> None:
    other = resolve(scenario(), parameters, overrides={"custody.remand.women": 7})
    assert make().first_difference(other) == START
    later = dataclasses.replace(scenario(), start=START + datetime.timedelta(days=50))
    assert resolve(later, parameters, overrides={MINUTES: 31}).first_difference(make()) == later.start
    assert resolve(later, parameters).first_difference(make()) is None


# --- Against the plainest possible reading, one value at a time ---


def reaches_somewhere(c: Change) -> bool:
    cells = load_geography().cells(c.areas, c.providers)
    return cells is None or bool(cells.any())


PLACES = [None, ("wales",), ("london", "kent")]
PROVIDERS = [None, ("crc",), ("nps_london", "wales_crc")]


def some_changes(latest: int) -> st.SearchStrategy[list[Change]]:
    """Up to four changes that start by a day number."""
    one = st.builds(
        lambda day, length, ramp, who, areas, providers, action, amount: change(
            day,
            None if length is None else day + length,
            ramp_days=ramp,
            applies_to=who,
            areas=areas,
            providers=providers,
            **{action: {MINUTES: amount}},
        ),
        st.integers(0, latest),
        st.none() | st.integers(1, latest // 2),
        st.sampled_from([0, 1, 2, 7]),
        st.sampled_from(["new", "all"]),
        st.sampled_from(PLACES),
        st.sampled_from(PROVIDERS),
        st.sampled_from(["set", "multiply", "add"]),
        st.sampled_from([0, 0.5, 1, 2, 10]),
    )
    return st.lists(one.filter(reaches_somewhere), max_size=4)


SAMPLE = ["wales", "london", "kent", "durham"]


def resolved_of(changes: list[Any], days: int = 120) -> Resolved:
    return resolve(scenario(*changes, days=days), VALUES, load_geography())


VALUES = load_parameters(PARAMETERS)


def by_hand(changes: list[Any], cohort: int, today: int, area: int, side: int) -> float:
    """The value for one person of one area and side."""
    geography = load_geography()
    value = 30.0
    for c in sorted(changes, key=lambda c: c.start):
        day = today if c.applies_to == "all" else min(cohort, today)
        first = (c.start - START).days
        if day < first or (c.end is not None and day >= (c.end - START).days):
            continue
        if c.areas is not None and area not in geography.resolve(c.areas):
            continue
        names = {geography.provider_name(area, side), ("nps", "crc")[side]}
        if c.providers is not None and not names & set(c.providers):
            continue
        (assignment,) = c.assignments
        new = {
            "set": assignment.value,
            "multiply": value * assignment.value,
            "add": value + assignment.value,
        }[assignment.action]
        way = min((day - first + 1) / max(c.ramp_days, 1), 1.0)
        value = float(new) if way == 1 else value + way * (new - value)
    return value


@EXAMPLES
@given(
    some_changes(60), st.lists(st.tuples(st.integers(-20, 120), st.integers(0, 120)), min_size=1, max_size=6)
)
def test_lookup_agrees_with_the_reading_by_hand(changes: list[Any], days: list[tuple[int, int]]) -> None:
    resolved = resolved_of(changes)
    areas = [resolved.geography.resolve(name)[0] for name in SAMPLE]
    for cohort, today in days:
        for side in (0, 1):
            found = resolved.lookup(MINUTES, [cohort] * 4, today, np.array(areas), np.full(4, side))
            assert found.tolist() == [by_hand(changes, cohort, today, area, side) for area in areas]


@EXAMPLES
@given(some_changes(60))
def test_values_move_on_days_of_change_only(changes: list[Any]) -> None:
    resolved = resolved_of(changes)
    days = set(resolved.change_days())
    assert all(0 < day <= 120 for day in days)
    for day in range(121):
        grid = resolved.on(day).grid(MINUTES)
        assert (grid == resolved.value_grid((MINUTES, ()), day)).all()
        assert grid[0, 0] == by_hand(changes, day, day, 0, 0)
        if resolved.on(day) is not resolved.on(max(day - 1, 0)):
            assert day in days


@EXAMPLES
@given(some_changes(20), some_changes(20))
def test_nothing_differs_before_the_first_difference(one: list[Any], other: list[Any]) -> None:
    a, b = resolved_of(one, 30), resolved_of(other, 30)
    found = a.first_difference(b)
    key = (MINUTES, ())
    differing = [
        today
        for today in range(31)
        if any(
            not np.array_equal(a.value_grid(key, today, cohort), b.value_grid(key, today, cohort))
            for cohort in range(-1, today + 1)
        )
    ]
    expected = None if not differing else START + datetime.timedelta(days=differing[0])
    assert found == expected


@EXAMPLES
@given(some_changes(60))
def test_what_is_written_out_reads_back_the_same(
    tmp_path_factory: pytest.TempPathFactory, changes: list[Any]
) -> None:
    resolved = resolved_of(changes)
    path = tmp_path_factory.mktemp("written") / "test.yaml"
    path.write_text(resolved.to_yaml(), "utf-8")
    again = resolve(load_scenario(path, VALUES), VALUES)
    assert again.digest() == resolved.digest()
    assert again.first_difference(resolved) is None
    assert again.areas == resolved.areas
