"""Compiled passes see every row: what they find is what plain numpy finds over the whole table."""

from __future__ import annotations

import datetime

import numpy as np
import pytest

from simulation.engine import NEVER
from simulation.system import Model
from simulation.system.codes import CRC, Kind, Location, Status, Terms
from simulation.system.cohorts import INSPECTED_FROM, INSPECTED_TO
from simulation.system.contact_loops import eligible_for_telephone, people_columns
from simulation.system.invariants import InvariantBroken
from simulation.system.laws import columns
from simulation.system.officers import cases_of, who_would_move
from simulation.system.stocks import OF_PEOPLE, Evening, PeopleCounted, count_people
from tests.system.system_helpers import finished

END = datetime.date(2017, 8, 31)


@pytest.fixture(scope="module")
def model() -> Model:
    """Two areas at the end of a month."""
    return finished(areas=("cumbria", "durham"), end=END)


def test_people_lie_in_the_order_of_their_areas(model: Model) -> None:
    people = model.service.people
    assert (np.diff(people.area[: people.size]) >= 0).all()
    assert (np.diff(people.key[: people.size]) > 0).all()


def test_cases_of_leavers_are_all_their_cases(model: Model) -> None:
    people, posts = model.service.people, model.service.posts
    officer = people.officer[: people.size]
    filled = np.flatnonzero(posts.filled[: posts.size] == 1)
    areas = posts.area[filled]
    one_each = np.array([filled[areas == area][0] for area in np.unique(areas)])
    assert one_each.size == 2
    nobody = np.empty(0, dtype=np.intp)
    for leavers in (filled[-1:], one_each, filled):
        found = cases_of(leavers, posts.area, posts.cases, people.place_words, model.staffing.first_of_area, nobody)
        assert found.tolist() == np.flatnonzero(np.isin(officer, leavers)).tolist()


def test_the_officer_who_moves_has_the_fewest_cases_for_the_hours(model: Model) -> None:
    posts, today = model.service.posts, model.service.today
    size = posts.size
    names = ("terms", "post_grade", "covered", "away_until", "sick_until", "since", "hours_left", "cases")
    columns_ = [getattr(posts, name) for name in names]
    for post in range(size):
        found = who_would_move(post, size, today, 365, posts.area, posts.employer, posts.filled, *columns_)
        there = np.flatnonzero(
            (posts.area[:size] == posts.area[post])
            & (posts.employer[:size] == CRC)
            & (posts.filled[:size] == 1)
            & (posts.terms[:size] == Terms.PERMANENT)
            & (posts.post_grade[:size] == posts.post_grade[post])
            & (posts.away_until[:size] <= today)
            & (posts.sick_until[:size] <= today)
            & (posts.hours_left[:size] > 0)
        )
        long_in_post = there[today - posts.since[there] >= 365]
        there = long_in_post if long_in_post.size else there
        assert found == there[np.argmin(posts.cases[there] / posts.hours_left[there])]
    nobody = np.zeros_like(posts.filled)
    assert who_would_move(0, size, today, 365, posts.area, posts.employer, nobody, *columns_) == -1


def counted(model: Model) -> Evening:
    """What is found on the last evening of the run."""
    service, people = model.service, model.service.people
    today = service.calendar.day(END)
    return count_people(
        people.size,
        service.areas * 2,
        service.posts.size,
        columns(PeopleCounted, people),
        people.risk_hazard.view(np.uint64),
        service.statuses_of_all(),
        service.sentences.kind,
        today,
        today - 30,
        model.contact.telephone(),
        model.allocation.workload.points,
    )


def test_stocks_are_what_a_plain_count_gives(model: Model) -> None:
    service, people, sentences = model.service, model.service.people, model.service.sentences
    today = service.calendar.day(END)
    counts, bands, seen, cells, inspected, points, _ = counted(model)
    live = np.flatnonzero(people.side[: people.size] >= 0)
    place, cell, mask = people.location[live], people.cell[live], service.statuses(live)
    inside = (place == Location.SENTENCED) | (place == Location.RECALLED)
    outside = (place == Location.COMMUNITY) | (place == Location.AT_LARGE) | (place == Location.COMMITTED)
    for_life = sentences.kind[people.latest[live]] == Kind.INDETERMINATE
    # By the day of the count: the model itself stands at the midnight after it.
    rules = model.contact.telephone()
    called = eligible_for_telephone(people_columns(people), live, rules.early, today)
    called &= people.phone_draw[live] < rules.cut[cell]
    plain = {
        "caseload_total": np.ones(live.size, dtype=bool),
        "caseload_custody": inside,
        "caseload_court_orders": outside & ((mask & (1 << Status.ORDER)) > 0),
        "unallocated": people.officer[live] < 0,
        "prison_determinate": (place == Location.SENTENCED) & ~for_life,
        "prison_indeterminate": (place == Location.SENTENCED) & for_life,
        "on_hdc": (place == Location.COMMUNITY) & ((mask & (1 << Status.CURFEW)) > 0),
        "caseload_telephone_only": (place == Location.COMMUNITY) & called,
    }
    for name, those in plain.items():
        expected = np.bincount(cell[those], minlength=service.areas * 2)
        assert counts[OF_PEOPLE.index(name)].tolist() == expected.tolist(), name
        assert expected.sum() > 0, name
    assert seen.tolist() == live[place == Location.COMMUNITY].tolist()
    assert bands.sum() == (people.work_only[seen] == 0).sum()
    assert cells.tolist() == people.cell[seen].tolist()
    begun = people.stage_start[seen]
    lasted = today - begun
    chosen = (begun != NEVER) & (lasted >= INSPECTED_FROM) & (lasted <= INSPECTED_TO)
    assert inspected.tolist() == seen[chosen].tolist() != []
    assert points.tolist() == model.staffing.points()[0].tolist()


def test_the_state_of_a_month_tells_everything_about_everybody_supervised(model: Model) -> None:
    people = model.service.people
    there = people.location[: people.size] == Location.COMMUNITY
    supervised = np.flatnonzero((people.side[: people.size] >= 0) & there)
    before, states = counted(model).state, []
    names = ("key", "setting", "tier", "officer", "last_seen", "crisis_since", "risk_hazard", "contacts")
    for row in supervised[[0, -1]]:
        for name in names:
            values = getattr(people, name)
            kept = values[row].copy()
            # One less: nobody's setting, tier or officer is one that there isn't.
            values[row] = kept - 1 if kept > 0 else kept + 1
            states.append(int(counted(model).state))
            values[row] = kept
    assert counted(model).state == before
    assert len({int(before), *states}) == 1 + 2 * len(names)
    nobodys = np.flatnonzero(people.side[: people.size] < 0)[0]
    people.last_seen[nobodys] += 1
    assert counted(model).state == before
    people.last_seen[nobodys] -= 1


FIRST_AND_LAST = pytest.mark.parametrize("which", [0, -1], ids=["first", "last"])


def stops(model: Model, law: str, row: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The law is broken by this row and no other."""
    monkeypatch.setattr(model.invariants, "laws", {law: model.invariants.laws[law]})
    with pytest.raises(InvariantBroken) as stopped:
        model.invariants.check()
    assert stopped.value.name == law
    assert stopped.value.message.startswith("1 rows on ")
    assert stopped.value.message.endswith(f"for example row {row}")


@FIRST_AND_LAST
def test_no_person_is_left_out(model: Model, which: int, monkeypatch: pytest.MonkeyPatch) -> None:
    people = model.service.people
    ended = int(np.flatnonzero(people.location[: people.size] == Location.ENDED)[which])
    people.location[ended] = Location.UNKNOWN
    stops(model, "nobody is lost", ended, monkeypatch)
    people.location[ended] = Location.ENDED


@FIRST_AND_LAST
def test_no_sentence_is_left_out(model: Model, which: int, monkeypatch: pytest.MonkeyPatch) -> None:
    sentences = model.service.sentences
    order = int(np.flatnonzero(sentences.status[: sentences.size] == Status.ORDER)[which])
    sentences.recalls[order] = 1
    stops(model, "post-sentence supervision is never recalled", order, monkeypatch)
    sentences.recalls[order] = 0
