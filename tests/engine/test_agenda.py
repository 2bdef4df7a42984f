"""The agenda must agree with a plain dictionary of row to day, whatever is asked of it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from simulation.engine import NEVER, Agenda
from simulation.engine.agenda import each_once

ROWS = st.lists(st.integers(0, 60), max_size=30)
#: Days ahead: mostly few.
WAITS = st.integers(1, 6) | st.integers(1, 200)


class AgainstDictionary(RuleBasedStateMachine):
    """Puts, puts again, cancels, takes and restarts at random."""

    def __init__(self) -> None:
        super().__init__()
        self.agenda = Agenda(4)
        self.dates: dict[int, int] = {}
        self.today = -1

    @rule(rows=ROWS, data=st.data())
    def put(self, rows: list[int], data: st.DataObject) -> None:
        ahead = data.draw(st.lists(WAITS, min_size=len(rows), max_size=len(rows)))
        days = [self.today + wait for wait in ahead]
        self.agenda.put(np.array(rows, dtype=np.int64), np.array(days, dtype=np.int64))
        self.dates.update(zip(rows, days, strict=True))

    @rule(rows=ROWS, ahead=WAITS)
    def put_all_on_one_day(self, rows: list[int], ahead: int) -> None:
        self.agenda.put(np.array(rows, dtype=np.int32), self.today + ahead)
        self.dates.update(dict.fromkeys(rows, self.today + ahead))

    @rule(rows=ROWS)
    def put_far_ahead(self, rows: list[int]) -> None:
        """A century ahead."""
        days = [self.today + 1 + 40_000 * (row % 3) for row in rows]
        self.agenda.put(np.array(rows, dtype=np.int32), np.array(days, dtype=np.int32))
        self.dates.update(zip(rows, days, strict=True))

    @rule(rows=ROWS)
    def cancel(self, rows: list[int]) -> None:
        self.agenda.cancel(np.array(rows, dtype=np.int32))
        for row in rows:
            self.dates.pop(row, None)

    @rule(days=st.just(1) | st.integers(2, 70))
    def due(self, days: int) -> None:
        for _ in range(days):
            self.today += 1
            expected = sorted(row for row, day in self.dates.items() if day == self.today)
            assert self.agenda.due(self.today).tolist() == expected
            for row in expected:
                del self.dates[row]

    @rule()
    def save_and_restore(self) -> None:
        other = Agenda()
        other.restore(self.agenda.save())
        self.agenda = other

    @invariant()
    def same_dates(self) -> None:
        assert len(self.agenda) == len(self.dates)
        every = np.arange(70)
        assert self.agenda.day_of(every).tolist() == [self.dates.get(int(row), NEVER) for row in every]


AgainstDictionary.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestAgainstDictionary = AgainstDictionary.TestCase


@settings(max_examples=50)
@given(
    puts=st.lists(st.tuples(st.integers(0, 100), st.integers(0, 30), WAITS), max_size=60),
    stop=st.integers(0, 150),
)
def test_restored_at_any_day_equals_uninterrupted(puts: list[tuple[int, int, int]], stop: int) -> None:
    """Each put is (day on which it is made, row, days ahead)."""

    def days_taken(pause: int | None) -> list[list[int]]:
        agenda, taken = Agenda(), []
        for today in range(301):
            if today == pause:
                saved = agenda.save()
                agenda = Agenda()
                agenda.restore(saved)
            taken.append(agenda.due(today).tolist())
            for made, row, ahead in puts:
                if made == today:
                    agenda.put(np.array([row]), today + ahead)
        return taken

    assert days_taken(stop) == days_taken(None)


def test_a_restored_agenda_shares_nothing_with_what_was_saved() -> None:
    agenda = Agenda()
    agenda.put(np.array([1]), 5)
    saved = agenda.save()
    agenda.put(np.array([1]), 6)
    other = Agenda()
    other.restore(saved)
    other.put(np.array([1]), 7)
    assert saved["due"][1] == 5


def test_the_given_rows_may_be_changed_afterwards() -> None:
    agenda, rows = Agenda(), np.array([3, 4], dtype=np.int32)
    agenda.put(rows, 2)
    rows[:] = 0
    assert agenda.due(2).tolist() == [3, 4]


def test_a_day_already_taken_is_refused() -> None:
    agenda = Agenda()
    agenda.due(5)
    for day in (5, 4):
        with pytest.raises(ValueError, match="already taken"):
            agenda.put(np.array([0]), day)
        with pytest.raises(ValueError, match="already taken"):
            agenda.due(day)


@pytest.mark.parametrize("first_taken", [None, 1])
def test_a_day_with_rows_cannot_be_left_out(first_taken: int | None) -> None:
    agenda = Agenda()
    if first_taken is not None:
        agenda.due(first_taken)
    agenda.put(np.array([0]), 3)
    with pytest.raises(ValueError, match="day 3 holds rows"):
        agenda.due(4)


def test_an_empty_day_or_one_overwritten_can_be_left_out() -> None:
    agenda = Agenda()
    agenda.put(np.array([0]), 3)
    agenda.put(np.array([0]), 9)
    assert agenda.due(9).tolist() == [0]


def test_days_before_the_first_are_days_like_others() -> None:
    agenda = Agenda()
    agenda.put(np.array([1, 0, 2]), np.array([2, -3, -3]))
    assert [agenda.due(day).tolist() for day in range(-3, 3)] == [[0, 2], [], [], [], [], [1]]


def test_negative_rows_are_refused() -> None:
    """Row -1 would otherwise be the last row of the table."""
    with pytest.raises(ValueError, match="negative"):
        Agenda(3).put(np.array([-1]), 1)
    with pytest.raises(ValueError, match="negative"):
        Agenda(3).cancel(np.array([-1]))


@settings(max_examples=100)
@given(rows=st.lists(st.integers(0, 200) | st.integers(0, 300_000) | st.integers(-3, 3), max_size=80))
def test_each_once_in_order(rows: list[int]) -> None:
    """Whatever was sorted before leaves nothing behind, and rows beyond those of any agenda are sorted too."""
    given_rows = np.array(rows, dtype=np.int64)
    assert each_once(given_rows).tolist() == np.unique(given_rows).tolist()
    assert given_rows.tolist() == rows


def test_a_row_put_many_times_on_one_day_is_taken_once() -> None:
    """More often than an agenda has rows, and than a link has room for."""
    agenda = Agenda(2)
    for _ in range(100):
        agenda.put(np.array([1, 0, 1]), 4)
    assert [agenda.due(day).tolist() for day in range(6)] == [[], [], [], [], [0, 1], []]


def test_a_table_that_has_grown_has_days_for_its_new_rows() -> None:
    """Rows appended since anything was put have no date, and a look at all days tells so instead of stopping short."""
    agenda = Agenda(4)
    agenda.put(np.array([1]), 7)
    assert agenda.days(2).size == 4, "it has room for them as it is"
    days = agenda.days(9)
    assert days.size >= 9 and days[1] == 7 and np.count_nonzero(days != NEVER) == 1
    agenda.put(np.array([8]), 3)
    assert agenda.due(0).size == 0 and agenda.due(3).tolist() == [8]
