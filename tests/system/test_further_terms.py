"""What a further sentence changes for somebody who is in prison or supervised already: from what is told of a run."""

from __future__ import annotations

import collections
from typing import Any

import numpy as np
import pytest

from simulation.system import Model
from simulation.system.codes import CRC, MANAGED_TOGETHER, Location, Rosh, Status
from tests.system.system_helpers import request

AREAS = ("gwent", "durham", "cumbria")
#: Contacts with somebody at liberty: no more than one of these a day.
MEETINGS = frozenset({"seen", "seen for the first time", "called", "called by the hub", "seen at home"})
UNDER_WAY = frozenset({"curfew address checked", "curfew approved", "released on curfew"})


class Heard:
    """A year of some areas, and what was told of everybody.

    Many come back to court here, often while a sentence runs.
    """

    def __init__(self) -> None:
        groups = ("order", "under_12_months", "12_months_to_under_4_years", "4_years_and_over")
        often = {f"courts.reoffence_to_sentence_share.{group}": 1 for group in groups} | {"custody.hdc.take_up": 0.9}
        self.model = Model(request(areas=AREAS, overrides=often))
        self.service = self.model.service
        self.told: dict[int, list[tuple[int, str]]] = collections.defaultdict(list)
        #: Of those sentenced to custody: place on the day, days on remand, days since the last release or offence.
        self.received: list[tuple[int, int, int]] = []
        tell = self.service.tell

        def listening(kind: str, rows: Any, *rest: Any, **named: Any) -> None:
            for row in np.asarray(rows).tolist():
                self.told[row].append((self.service.today, kind))
                if kind == "sentenced to custody":
                    self._receive(row)
            tell(kind, rows, *rest, **named)

        self.service.tell = listening  # type: ignore[method-assign]
        self.model.run()

    def _receive(self, row: int) -> None:
        people, sentences = self.service.people, self.service.sentences
        made = int(people.latest[row])
        before, last = int(sentences.previous[made]), -(10**9)
        while before >= 0:
            last = max(last, int(sentences.released[before]))
            before = int(sentences.previous[before])
        last = max(last, int(people.out_since[row]), int(people.reoffended_on[row]))
        self.received.append((int(people.location[row]), int(sentences.remand[made]), self.service.today - last))


@pytest.fixture(scope="module")
def heard() -> Heard:
    return Heard()


def test_nobody_inside_or_at_large_was_on_remand_and_no_day_counts_twice(heard: Heard) -> None:
    held = [remand for place, remand, _ in heard.received if Location.COMMUNITY < place < Location.ENDED]
    assert len(held) > 20 and set(held) == {0}
    free = [(remand, since) for place, remand, since in heard.received if place == Location.COMMUNITY]
    assert any(remand == since for remand, since in free) and all(remand <= since for remand, since in free)


def test_nobody_is_screened_again_while_an_earlier_term_lasts(heard: Heard) -> None:
    twice = 0
    for events in heard.told.values():
        screened = 0
        for _, kind in events:
            if kind in ("released", "released on curfew", "released after recall", "licence ends"):
                screened = 0
            twice += kind == "sentenced to custody" and screened
            if kind == "screened in prison":
                assert not screened, events
                screened = 1
    assert twice > 5


def test_nobody_is_prepared_for_a_day_on_which_another_term_keeps_them_in(heard: Heard) -> None:
    """A term that is served while another goes on had no window, unless the other came after it had opened."""
    within = 0
    for events in heard.told.values():
        days = {day for day, kind in events if kind == "resettlement work begins"}
        assert len(days) == sum(kind == "resettlement work begins" for _, kind in events), events
        within += len(days) > 1
    assert within > 5
    sentences = heard.service.sentences
    inside = sentences.status[: sentences.size] == Status.CUSTODY
    for row in np.flatnonzero((sentences.prepared[: sentences.size] > 0) & inside):
        other = int(heard.service.people.latest[sentences.person[row]])
        while other >= 0:
            longer = inside[other] and sentences.custody_end[other] > sentences.custody_end[row]
            assert not longer or sentences.imposed[other] > sentences.imposed[row], row
            other = int(sentences.previous[other])


def test_a_further_term_stops_what_is_under_way_towards_curfew(heard: Heard) -> None:
    stopped = 0
    for events in heard.told.values():
        days = [day for day, kind in events if kind == "curfew refused: another sentence"]
        stopped += len(days)
        for day in days:
            assert (day, "sentenced to custody") in events
            # Nothing more comes of it: what follows is another sentence's.
            out = min((at for at, kind in events if at > day and kind == "released"), default=10**9)
            assert not any(day < at < out and kind in UNDER_WAY for at, kind in events), events
    assert stopped > 3


def test_a_further_order_brings_no_second_meeting_in_a_day(heard: Heard) -> None:
    further = 0
    for events in heard.told.values():
        meetings = collections.Counter(day for day, kind in events if kind in MEETINGS)
        assert not meetings or max(meetings.values()) == 1, events
        orders = [day for day, kind in events if kind == "community order"]
        further += any(kind == "seen for the first time" and orders and day > orders[-1] for day, kind in events)
    assert further > 100


def test_whom_several_agencies_manage_is_at_high_risk(heard: Heard) -> None:
    people = heard.service.people
    size = people.size
    supervised = (people.side[:size] >= 0) & (people.mappa[:size] >= MANAGED_TOGETHER)
    assert supervised.sum() > 20
    assert (people.assessed_rosh[:size][supervised] >= Rosh.HIGH).all()
    assert not (people.side[:size][supervised] == CRC).any()
