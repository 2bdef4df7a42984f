"""A day's digest: the same for the same events, another for any other."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulation.engine import DayDigest
from simulation.engine.chance import purpose_number

MASK = (1 << 64) - 1
EVENTS = st.lists(
    st.tuples(st.sampled_from(["seen", "called", "missed"]), st.integers(0, MASK), st.integers(-(2**31), 2**31 - 1)),
    max_size=30,
)
Event = tuple[str, int, int]


def by_hand(events: list[Event]) -> str:
    """Return the digest in whole numbers of any size."""
    total = 0
    for kind, key, number in events:
        value = (key * 0x9E3779B97F4A7C15 + purpose_number(kind)) & MASK
        value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 + number) & MASK
        value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK
        total = (total + (value ^ (value >> 31))) & MASK
    return f"{total:016x}"


def one_by_one(events: list[Event]) -> str:
    digest = DayDigest()
    for kind, key, number in events:
        digest.add(kind, np.array([key], dtype=np.uint64), np.array([number], dtype=np.int32))
    return digest.close()


def test_published_vectors() -> None:
    assert one_by_one([]) == "0" * 16
    assert one_by_one([("seen", 1, 0)]) == "a84fb268c7e5ea79"
    assert one_by_one([("seen", 1, 0), ("missed", 2, -5)]) == "82426543fad7204e"


@given(EVENTS)
def test_it_is_the_sum_of_scrambled_events_in_any_order(events: list[Event]) -> None:
    assert one_by_one(events) == by_hand(events) == one_by_one(events[::-1])


@given(EVENTS, st.data())
def test_one_event_changed_changes_it(events: list[Event], data: st.DataObject) -> None:
    kind, key, number = data.draw(EVENTS.filter(bool))[0]
    changed = data.draw(
        st.sampled_from([("seen" if kind != "seen" else "called", key, number), (kind, key ^ 1, number)])
        | st.just((kind, key, number ^ 1))
    )
    assert one_by_one([*events, (kind, key, number)]) != one_by_one([*events, changed])
    assert one_by_one([*events, (kind, key, number)]) != one_by_one(events)


@given(EVENTS)
def test_a_batch_is_its_events(events: list[Event]) -> None:
    batch, rows = DayDigest(), DayDigest()
    for kind in ("seen", "called", "missed"):
        keys = np.array([event[1] for event in events if event[0] == kind], dtype=np.uint64)
        numbers = np.array([event[2] for event in events if event[0] == kind], dtype=np.int32)
        batch.add(kind, keys, numbers)
        rows.add_of(kind, keys[::-1].copy(), np.arange(keys.size)[::-1], numbers)
    assert batch.close() == rows.close() == by_hand(events)


def test_one_number_may_go_with_all_events() -> None:
    keys = np.arange(5, dtype=np.uint64)
    one, each = DayDigest(), DayDigest()
    one.add("seen", keys, np.array([7], dtype=np.int32))
    each.add("seen", keys, np.full(5, 7, dtype=np.int32))
    assert one.close() == each.close() != DayDigest().close()


def test_a_number_noted_counts_where_it_stands() -> None:
    def noted(*values: list[int]) -> str:
        digest = DayDigest()
        digest.note("accounts", *[np.array(each) for each in values])
        return digest.close()

    assert len({noted([1, 2]), noted([2, 1]), noted([1], [2]), noted([2], [1]), noted([1, 2, 0]), noted([-1, 2])}) == 6


def test_a_day_begins_anew() -> None:
    digest = DayDigest()
    digest.add("seen", np.array([3], dtype=np.uint64))
    assert digest.close() != digest.close() == DayDigest().close()
