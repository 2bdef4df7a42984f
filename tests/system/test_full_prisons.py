"""Prisons that are nearly full: who goes early, how many, and nobody while there is room or the switch is off."""

from __future__ import annotations

import dataclasses
import datetime

import numpy as np
import pytest

from simulation.system import Model
from simulation.system.codes import Kind, Location, Rosh, Status
from simulation.system.contract_loops import prisoners_by_area
from tests.system.system_helpers import as_tuples, change, finished, request, run, total, totals

DAY = datetime.date(2017, 9, 1)
ON = change(DAY, "set", "custody.release_when_full.enabled", 1)
EARLY = ("released_when_full", "released_when_full_days")
#: More places free than there will ever be.
ALWAYS = {"custody.release_when_full.headroom_share": 0.2}


def test_off_or_with_room_nobody_goes_early() -> None:
    quiet = run()
    roomy = run(ON, overrides={"custody.release_when_full.headroom_share": -1})
    assert as_tuples(quiet) == as_tuples(roomy) and total(quiet, "released_when_full") == 0


def test_people_go_early_and_headroom_is_what_it_takes() -> None:
    without, full = run(), run(ON, overrides=ALWAYS)
    assert total(full, "released_when_full") > 50
    held, was = (totals(output)["prison_determinate"]["2017-12"] for output in (full, without))
    assert held < was - 20
    assert totals(full)["prison_headroom"]["2017-12"] > totals(without)["prison_headroom"]["2017-12"] + 20
    assert totals(full)["caseload_licence"]["2017-10"] > totals(without)["caseload_licence"]["2017-10"]


def test_who_may_go() -> None:
    model = Model(request(ON, overrides=ALWAYS))
    service, seen = model.service, []
    tell = service.tell

    def note(kind: str, rows: np.ndarray, *rest: object) -> None:
        if kind == "released early, prisons full":
            sentences, people = service.sentences, service.people
            for person in rows.tolist():
                size = sentences.size
                inside = sentences.status[:size] == Status.CUSTODY
                mine = np.flatnonzero(inside & (sentences.person[:size] == person))
                assert mine.size == 1, "on no other term"
                row = int(mine[0])
                left = int(sentences.custody_end[row]) - service.today
                seen.append(left)
                assert 1 < left <= 61 and sentences.length[row] < 4 * 365.25 and sentences.extended[row] == 0
                assert people.assessed_rosh[person] <= Rosh.MEDIUM and people.deportation[person] == 0
        tell(kind, rows, *rest)  # type: ignore[arg-type]

    service.tell = note  # type: ignore[method-assign]
    model.run()
    assert len(seen) > 50
    days = total(model.output(), "released_when_full_days") / total(model.output(), "released_when_full")
    assert 1 <= days <= 61


def test_everybody_in_prison_is_counted_where_they_belong() -> None:
    model = finished(areas=("cumbria", "durham"))
    people, areas = model.service.people, model.service.areas
    location, area = people.location[: people.size], people.area[: people.size]
    inside = np.isin(location, (Location.SENTENCED, Location.RECALLED))
    found = prisoners_by_area(people.size, areas, people.location, people.area)
    assert found.tolist() == np.bincount(area[inside], minlength=areas).tolist()
    assert np.count_nonzero(found) == 2


def test_all_who_may_go_are_found() -> None:
    """The rule once more, a condition at a time over whole columns."""
    model = Model(request(ON, areas=("cumbria", "durham"), overrides={"custody.release_when_full.headroom_share": -1}))
    model.run(200)
    service, room = model.service, model.full_prisons
    people, sentences, size = service.people, service.sentences, service.sentences.size
    rows = np.flatnonzero(sentences.status[:size] == Status.CUSTODY)
    terms = np.bincount(sentences.person[rows], minlength=people.size)
    next_day = int(service.calendar.working_day_after(np.array([service.today + 1]))[0])
    end, person = sentences.custody_end[rows], sentences.person[rows]
    may = (end > next_day) & (end <= service.today + room.most_days)
    may &= (sentences.kind[rows] == Kind.DETERMINATE) & (sentences.extended[rows] == 0)
    may &= (sentences.length[rows] < room.below) & (service.agendas["release"].day_of(rows) > next_day)
    may &= (people.assessed_rosh[person] <= Rosh.MEDIUM) & (people.deportation[person] == 0)
    others = (1 << int(Status.RECALLED)) | (1 << int(Status.AT_LARGE))
    may &= ((service.statuses(person) & others) == 0) & (terms[person] == 1)
    assert room.eligible().tolist() == rows[may].tolist()
    assert 20 < np.count_nonzero(may) < rows.size // 2


def test_as_many_as_are_missing_and_no_more() -> None:
    model = Model(request(ON, overrides={"custody.release_when_full.headroom_share": 0.03}))
    service, room = model.service, model.full_prisons
    checked = 0
    for day in range(service.calendar.day(DAY) + 7, 180, 7):
        model.run(day)
        short = int(room.missing().sum())
        if short > 0 and room.eligible().size > short:
            before = service.agendas["release"].save()["due"].copy()
            room.make_room()
            assert int((service.agendas["release"].save()["due"] != before).sum()) == short
            checked += 1
            break
    assert checked


def test_the_estate_is_one_unless_the_coupling_is_frozen() -> None:
    """With the coupling frozen an area gives alone what it gives beside another."""
    frozen = {
        "contracts.owners_as_one": 0,
        "custody.release_when_full.as_one": 0,
        "custody.release_when_full.headroom_share": 0.02,
    }
    one = {**frozen, "custody.release_when_full.as_one": 1}
    alone, beside, joined = (
        [
            row
            for row in as_tuples(run(ON, areas=areas, overrides=values))
            if row[0] == "cumbria" and row[4] in EARLY
        ]
        for areas, values in ((("cumbria",), frozen), (("cumbria", "gwent"), frozen), (("cumbria", "gwent"), one))
    )
    assert alone == beside != joined


def test_whoever_goes_early_is_told_so() -> None:
    wanted = request(ON, overrides=ALWAYS)
    model, went = Model(wanted), []
    tell = model.service.tell
    model.service.tell = lambda kind, rows, *rest: (  # type: ignore[method-assign,assignment]
        went.extend(rows.tolist() if kind == "released early, prisons full" else []),
        tell(kind, rows, *rest),
    )[1]
    model.run()
    traced = Model(dataclasses.replace(wanted, traced=int(model.service.people.key[went[0]])))
    traced.run()
    kinds = [event.kind for event in traced.service.history]
    early = kinds.index("released early, prisons full")
    # Somebody's curfew may have been approved for the same day.
    out = next(at for at in range(early, len(kinds)) if kinds[at] in ("released", "released on curfew"))
    assert 0 < traced.service.history[out].day - traced.service.history[early].day <= 5


@pytest.mark.parametrize("days", [14, 61])
def test_no_earlier_than_allowed(days: int) -> None:
    output = run(ON, overrides={**ALWAYS, "custody.release_when_full.most_days": days})
    assert total(output, "released_when_full_days") <= days * total(output, "released_when_full")
