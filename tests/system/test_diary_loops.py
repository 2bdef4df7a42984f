"""The compiled loops of diaries and contacts: every path of theirs, and the same lines interpreted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from simulation.engine.order import grouped
from simulation.system import contact as contact_module
from simulation.system.codes import Mode, Status
from simulation.system.contact_loops import OUTCOMES, hold_contacts
from simulation.system.diary_loops import work_diaries, work_queues
from simulation.system.model import Model
from simulation.system.place import live_sentences
from simulation.system.service import Service
from tests.system.system_helpers import finished


@pytest.fixture(scope="module")
def model() -> Model:
    return finished()


def test_a_long_queue_is_worked_like_a_short_one() -> None:
    """Long queues are sorted another way: the end of one long queue and a queue of its own come out alike."""
    long, short = 500, 20
    mixed = (np.arange(long + short, dtype=np.uint64) * np.uint64(7919)) % np.uint64(31)
    server = np.repeat(np.array([0, 1], dtype=np.intp), [long, short])
    seconds = np.ones(long + short, dtype=np.int64)
    served, used = work_queues(server, mixed, seconds, np.array([30, 5]))
    in_order = sorted(range(long + short), key=lambda at: (mixed[at], at))
    expected = [at for at in in_order if server[at] == 0][:30] + [at for at in in_order if server[at] == 1][:5]
    assert np.flatnonzero(served).tolist() == sorted(expected)
    assert used.tolist() == [30, 5]


@pytest.mark.parametrize("size", [12, 300])
def test_what_a_meeting_takes_is_what_the_day_without_it_would_have_held(size: int) -> None:
    """Short queues and long ones; one officer has no time left at all but for the meeting."""
    mixed = (np.arange(3 * size, dtype=np.uint64) * np.uint64(7919)) % np.uint64(31)
    server, seconds = np.arange(3 * size, dtype=np.intp) % 3, np.arange(3 * size, dtype=np.int64) % 5 + 1
    available, lost = np.array([9, -2, 12]), np.array([7, 6, 0])
    served, put_off, used = work_diaries(server, mixed, seconds, available, lost)
    with_meeting, their_time = work_queues(server, mixed, seconds, available)
    without, _ = work_queues(server, mixed, seconds, available + lost)
    assert served.tolist() == with_meeting.tolist() and used.tolist() == their_time.tolist()
    assert put_off.tolist() == (without & ~with_meeting).tolist()
    assert put_off[server == 0].any() and put_off[server == 1].any() and not put_off[server == 2].any()


def test_what_nobody_works_on_waits() -> None:
    server = np.array([-1, 0, -1], dtype=np.intp)
    served, used = work_queues(server, np.zeros(3, dtype=np.uint64), np.full(3, 60), np.array([100]))
    assert served.tolist() == [False, True, False] and used.tolist() == [60]


def test_groups_keep_the_order_of_rows() -> None:
    rows = np.array([3, 5, 8, 9, 12], dtype=np.intp)
    ordered, begins = grouped(rows, np.array([2, 0, 2, 0, 0], dtype=np.int8), 4)
    assert ordered.tolist() == [5, 9, 12, 3, 8] and begins.tolist() == [0, 3, 3, 5, 5]


def latest_of(service: Service, statuses: tuple[int, ...]) -> np.ndarray:
    """Each person's latest sentence that is in one of the statuses, -1 if none."""
    sentences, found = service.sentences, np.full(service.people.size, -1, dtype=np.intp)
    rows = np.flatnonzero(np.isin(sentences.status[: sentences.size], statuses))
    for row in sorted(rows.tolist(), key=lambda row: int(sentences.number[row])):
        found[sentences.person[row]] = row
    return found


def longest_licence(service: Service) -> np.ndarray:
    """Each person's licence: on a tag, else the longest, else the latest of the longest; -1 if none."""
    sentences, found = service.sentences, np.full(service.people.size, -1, dtype=np.intp)
    rows = np.flatnonzero(np.isin(sentences.status[: sentences.size], (Status.CURFEW, Status.LICENCE)))

    def rank(row: int) -> tuple[bool, int, int]:
        return sentences.status[row] == Status.CURFEW, int(sentences.expiry[row]), int(sentences.number[row])

    for row in sorted(rows.tolist(), key=rank):
        found[sentences.person[row]] = row
    return found


def test_the_sentence_an_absence_breaks(model: Model) -> None:
    """A licence before an order, an order before supervision; of licences one on a tag, else the longest."""
    service = model.service
    rows = np.arange(service.people.size, dtype=np.intp)
    sentences = service.sentences
    found = live_sentences(service.people.latest, sentences.previous, sentences.status, sentences.expiry, rows)
    licence = longest_licence(service)
    order, supervision = (latest_of(service, (status,)) for status in (Status.ORDER, Status.SUPERVISION))
    expected = np.where(licence >= 0, licence, np.where(order >= 0, order, supervision))
    assert (found == expected).all()
    assert min((licence >= 0).sum(), (order >= 0).sum(), (supervision >= 0).sum()) > 0


def test_interpreted_lines_give_the_same(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """Contacts of every kind, held once by the compiled loop and once by the same lines in Python."""
    service, contact = model.service, model.contact
    people = service.people
    rows = np.flatnonzero(people.side[: people.size] >= 0)[:300]
    mode = np.arange(rows.size) % len(Mode)
    seconds, by_colleague = np.arange(rows.size) * 60, (np.arange(rows.size) % 5 == 0).astype(np.int8)
    first = (mode == Mode.FACE_TO_FACE) & (np.arange(rows.size) % 2 == 0)
    waiting = people.first_due_from.copy()
    waiting[rows[first]] = service.today - 3
    saved = people.save()
    results: list[list[Any]] = []

    def keeping(function: Any) -> Any:
        def wrapped(*arguments: Any) -> Any:
            result = function(*arguments)
            results[-1].extend(np.array(part) for part in result)
            return result

        return wrapped

    loops = (hold_contacts,)
    for interpreted in (False, True):
        results.append([])
        for loop in loops:
            function = getattr(loop, "py_func", loop) if interpreted else loop
            monkeypatch.setattr(contact_module, loop.__name__, keeping(function))
        people.restore(saved)
        people.first_due_from[:] = waiting
        contact.hold(rows, mode, first, seconds, by_colleague)
        results[-1].extend(getattr(people, column.name).copy() for column in people.columns)
    assert len(results[0]) == len(results[1])
    assert set(results[0][0].tolist()) == set(OUTCOMES)
    for compiled_part, interpreted_part in zip(*results, strict=True):
        assert (compiled_part == interpreted_part).all()


def noticed_by_round(model: Model, modes: list[int], contacts_before: int) -> tuple[int, list[set[int]]]:
    """Hold the same people's contacts again and again; return how many they are, and who is noticed each time."""
    contact, people = model.contact, model.service.people
    saved = people.save()
    rows = np.flatnonzero(people.side[: people.size] >= 0)
    people.crisis_since[rows], people.crisis_noticed[rows], people.crisis_hidden[rows] = model.service.today - 5, 0, 1
    people.crises[rows] = 1
    people.contacts[rows] = contacts_before
    everybody_comes = np.zeros_like(contact.rules.miss)
    notice = np.zeros_like(contact.rules.notice)
    notice[:, Mode.FACE_TO_FACE], notice[:, Mode.TELEPHONE] = 0.4, 0.1
    rules = contact.rules._replace(miss=everybody_comes, notice=notice)
    counted = np.zeros((model.service.areas * 2, len(contact_module.COUNTED)), dtype=np.int64)
    found = []
    for mode in modes:
        held = np.full(rows.size, mode, dtype=np.int8), np.zeros(rows.size, dtype=bool)
        work = np.full(rows.size, 60), np.zeros(rows.size, dtype=np.int8)
        columns = contact_module.people_columns(people)
        came_of_it = hold_contacts(
            rows, *held, *work, columns, rules, contact.draws, contact.day(), counted
        )
        found.append(set(came_of_it.noticed.tolist()))
    people.restore(saved)
    return rows.size, found


def test_every_contact_has_its_own_chance_to_notice_a_change(model: Model) -> None:
    """Four in ten of those still unnoticed at each visit, one in ten at each call; z below 4, wrong 1 in 15,000."""
    left, found = noticed_by_round(model, [Mode.FACE_TO_FACE, Mode.TELEPHONE, Mode.FACE_TO_FACE, Mode.FACE_TO_FACE], 1)
    assert left > 1000
    for noticed, chance in zip(found, (0.4, 0.1, 0.4, 0.4), strict=True):
        assert abs(len(noticed) - left * chance) < 4 * np.sqrt(left * chance * (1 - chance))
        left -= len(noticed)
    assert len(set.union(*found)) == sum(len(noticed) for noticed in found)


def test_luck_in_noticing_belongs_to_the_change_not_to_the_contact(model: Model) -> None:
    """However many contacts went before, the same people are noticed at the same contact of their change."""
    visits = [Mode.FACE_TO_FACE] * 3
    assert noticed_by_round(model, visits, 1) == noticed_by_round(model, visits, 6)
    # One more contact notices more people, never others: who is noticed by two calls and a visit is by three visits.
    _, by_visits = noticed_by_round(model, visits, 1)
    _, by_calls = noticed_by_round(model, [Mode.TELEPHONE, Mode.TELEPHONE, Mode.FACE_TO_FACE], 1)
    assert set.union(*by_calls) < set.union(*by_visits)
