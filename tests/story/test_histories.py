"""Histories side by side: rows, first difference, and what made it."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from simulation.commands.histories import (
    POLICY,
    SHARED,
    cell_in_words,
    explain,
    first_difference,
    side_by_side,
    what_changed_it,
    worth_telling,
)
from simulation.system.story import Context, Told

KINDS = ["seen", "called", "warned", "allocated", "released", "missed, accepted"]
HISTORIES = st.lists(st.builds(Told, st.integers(0, 60), st.sampled_from(KINDS), st.integers(0, 2)), max_size=25).map(
    lambda events: sorted(events, key=lambda event: event.day)
)
DATES = [f"day {day}" for day in range(100)]


def seen(*days: int) -> list[Told]:
    return [Told(day, "seen") for day in days]


@given(HISTORIES, HISTORIES, st.booleans())
def test_nothing_is_lost_or_shown_twice(one: list[Told], other: list[Told], every_day: bool) -> None:
    rows = side_by_side([one, other], every_day)
    for number, history in enumerate((one, other)):
        assert [event for row in rows for event in row.cells[number]] == history
    for before, after in pairwise(rows):
        assert before.first <= before.last < after.first
    assert all(any(row.cells) for row in rows)
    assert [row.differs(1) for row in rows].count(True) == 0 or one != other


@given(HISTORIES, HISTORIES)
def test_the_first_difference(one: list[Told], other: list[Told]) -> None:
    day = first_difference(one, other)
    assert day == first_difference(other, one)
    if day is None:
        assert [e.sameness for e in one] == [e.sameness for e in other]
        return

    def before(history: list[Told], last: int) -> list[tuple[int, str, int]]:
        return [e.sameness for e in history if e.day <= last]

    assert before(one, day - 1) == before(other, day - 1)
    assert before(one, day) != before(other, day)
    assert day in {row.first for row in side_by_side([one, other])}


def test_routine_between_other_days_is_one_row() -> None:
    history = [*seen(1, 2), Told(5, "warned"), *seen(5, 8, 9)]
    rows = side_by_side([history])
    assert [(row.first, row.last) for row in rows] == [(1, 2), (5, 5), (8, 9)]
    assert cell_in_words(rows[0].cells[0]) == ["Seen twice"]
    assert cell_in_words(rows[1].cells[0]) == ["Warned", "Seen by the officer"]
    assert len(side_by_side([history], every_day=True)) == 5


def test_a_difference_that_stays_with_unlimited_time_is_policy() -> None:
    one, other = seen(1, 10, 20), [*seen(1, 10), Told(15, "released"), *seen(20)]
    rows = side_by_side([one, other])
    explain(rows, [seen(1, 10, 20), [*seen(1, 10), Told(13, "released"), *seen(20)]])
    assert {row.first: row.causes[1] for row in rows if row.causes[1]} == {15: POLICY}
    explain(rows, [seen(1, 10, 20), seen(1, 10, 20)])
    assert {row.first: row.causes[1] for row in rows if row.causes[1]} == {15: SHARED}


def test_another_officer_with_unlimited_time_is_no_policy() -> None:
    one, other = [Told(3, "allocated", 1)], [Told(3, "allocated", 2)]
    rows = side_by_side([one, other])
    explain(rows, [one, other])
    assert rows[0].causes == ["", SHARED]
    line = what_changed_it(["a", "b"], [one, other], [one, other], DATES)[0]
    assert "only because officers' time is shared" in line


def test_closing_lines() -> None:
    names, same, different = ["a", "b"], seen(1), [*seen(1), Told(7, "released")]
    assert "the same as a throughout" in what_changed_it(names, [same, same], [same, same], DATES)[0]
    assert "Policy itself" in what_changed_it(names, [same, different], [same, different], DATES)[0]
    assert "day 7" in what_changed_it(names, [same, different], None, DATES)[0]
    assert "only if officers" in what_changed_it(names, [same, same], [same, different], DATES)[0]


def test_what_goes_with_an_event_makes_no_difference() -> None:
    assert first_difference([Told(1, "seen", 0, Context("nps"))], [Told(1, "seen", 0, Context("crc"))]) is None


def test_a_move_that_moved_nobody_is_left_out() -> None:
    given, stays = Told(1, "allocated", 4), Told(5, "allocated", 4, Context(before=4))
    moved, away = Told(9, "allocated", 6, Context(before=4)), Told(3, "officer away for long")
    assert worth_telling([given, stays, moved]) == [given, moved]
    assert worth_telling([given, away, stays, stays]) == [given, away, stays]
