"""Dates of custodial sentences, worked out by hand from the law."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import numpy as np
import pytest

from simulation.engine import NEVER
from simulation.system import Model
from simulation.system.codes import Kind, Location, Status
from simulation.system.custody_loops import status_released
from tests.system.system_helpers import START, finished, request


@pytest.fixture(scope="module")
def model() -> Model:
    """A world at its first midnight."""
    return Model(request(end=datetime.date(2017, 9, 30)))


@pytest.fixture(scope="module")
def half_year() -> Model:
    """A world after half a year with many short sentences."""
    return finished(seed=5)


@dataclass
class Case:
    """Days of a sentence imposed on day 0, and its dates; None where there is no such date."""

    name: str
    length: int
    custody_end: int
    expiry: int
    supervision_end: int
    curfew_from: int | None
    remand: int = 0
    extended: int = 0
    offence: datetime.date = datetime.date(2017, 2, 1)


OLD = datetime.date(2015, 1, 31)
CASES = (
    # The day of sentence is the first day served: of 61 days 31 are, the last of them 30 days later.
    Case("one day", 1, 0, 1, 1, None),
    Case("two months", 61, 30, 61, 30 + 365, None),
    Case("just under twelve weeks", 83, 41, 83, 41 + 365, None),
    # 28 days is longer than half of 42.
    Case("twelve weeks", 84, 41, 84, 41 + 365, 28),
    # Half of the 152 days in custody.
    Case("ten months", 304, 151, 304, 151 + 365, 76),
    # From 270 days in custody on, 135 days are taken off the end.
    Case("eighteen months", 548, 273, 548, 273 + 365, 274 - 135),
    # A year after release is the first day without a licence, too.
    Case("just under two years", 729, 364, 729, 729, 365 - 135),
    Case("two years and a day: no supervision afterwards", 731, 365, 731, 731, 366 - 135),
    Case("three years", 1096, 547, 1096, 1096, 548 - 135),
    Case("five years: too long for curfew", 1826, 912, 1826, 1826, None),
    Case("extended, two thirds", 2190, 1460, 2190, 2190, None, extended=1),
    Case("ten months, twenty days on remand", 304, 131, 284, 131 + 365, 56, remand=20),
    Case("ten months, remand past the curfew date", 304, 51, 204, 51 + 365, 0, remand=100),
    # Remand has used up the time in custody: out at once, on licence.
    Case("ten months, two hundred days on remand", 304, 0, 104, 365, 0, remand=200),
    # Remand has used up the whole sentence: out at once, under supervision only.
    Case("two months, a hundred days on remand", 61, 0, 0, 365, None, remand=100),
    # Before the Offender Rehabilitation Act nobody was supervised after less than twelve months.
    Case("ten months, old offence", 304, 151, 151, 151, 76, offence=OLD),
    Case("eighteen months, old offence", 548, 273, 548, 548, 139, offence=OLD),
    Case(
        "ten months, offence on the first day of the Act",
        304,
        151,
        304,
        151 + 365,
        76,
        offence=datetime.date(2015, 2, 1),
    ),
)


def impose(model: Model, case: Case, imposed: int = 0) -> int:
    """Put a sentence into the world and work out its dates."""
    sentences = model.service.sentences
    row = model.service.new_sentences(
        np.array([0], dtype=np.int32), np.array([Kind.DETERMINATE]), np.array([Status.CUSTODY])
    )
    sentences.imposed[row], sentences.length[row], sentences.remand[row] = imposed, case.length, case.remand
    sentences.extended[row] = case.extended
    sentences.offence[row] = (case.offence - START).days
    model.custody.set_dates(row)
    return int(row[0])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_dates(model: Model, case: Case) -> None:
    row, sentences = impose(model, case), model.service.sentences
    found = [int(getattr(sentences, name)[row]) for name in ("custody_end", "expiry", "supervision_end")]
    assert found == [case.custody_end, case.expiry, case.supervision_end]
    assert int(sentences.curfew_from[row]) == (NEVER if case.curfew_from is None else case.curfew_from)


@pytest.mark.parametrize(
    ("conditional", "day_out"),
    [
        (datetime.date(2017, 8, 23), datetime.date(2017, 8, 23)),  # a Wednesday
        (datetime.date(2017, 8, 26), datetime.date(2017, 8, 25)),  # Saturday
        (datetime.date(2017, 8, 27), datetime.date(2017, 8, 25)),  # Sunday
        (datetime.date(2017, 8, 28), datetime.date(2017, 8, 25)),  # bank holiday Monday
        (datetime.date(2017, 12, 26), datetime.date(2017, 12, 22)),  # Boxing Day after Christmas on a Monday
    ],
)
def test_release_is_on_the_working_day_before(model: Model, conditional: datetime.date, day_out: datetime.date) -> None:
    days = (conditional - START).days
    row = impose(model, Case("", days * 2 + 2, days, days * 2 + 2, 0, None))
    model.custody.schedule_release(np.array([row], dtype=np.int32))
    assert int(model.service.sentences.custody_end[row]) == days
    agendas = model.service.agendas
    assert int(agendas["release"].day_of(np.array([row]))[0]) == (day_out - START).days
    agendas["release"].cancel(np.array([row]))
    agendas["resettlement"].cancel(np.array([row]))


def test_the_length_of_curfew_moves_the_date(model: Model) -> None:
    """A longer maximum lets people out earlier, down to half the time in custody and never below 28 days."""
    custody = model.custody
    length = np.array([84, 304, 548, 1096])
    nobody = np.zeros(4, dtype=np.int64)
    days = np.ceil(length / 2).astype(np.int64)
    first = custody.curfew_date(length, days, nobody, nobody, nobody)
    assert first.tolist() == [28, 76, 139, 413]
    assert (days - first <= 135).all() and (first >= 28).all()


# --- What the run makes of the dates -------------------------------------------------------------------


def test_everybody_in_the_run_is_released_on_their_day(half_year: Model) -> None:
    service = half_year.service
    sentences = service.sentences
    rows = np.arange(sentences.size)
    new = rows[(sentences.kind[rows] == Kind.DETERMINATE) & (sentences.released[rows] > 0)]
    due = service.calendar.working_day_before(sentences.custody_end[new])
    at_sentence = due <= sentences.imposed[new]
    # On curfew: on a working day from the first possible one on, for fourteen days at least, the last one counted.
    early = (sentences.released[new] < due) & ~at_sentence
    assert at_sentence.any() and early.any()
    curfew = new[early]
    assert service.calendar.is_working(sentences.released[curfew]).all()
    assert (sentences.released[curfew] >= sentences.curfew_from[curfew]).all()
    assert (sentences.custody_end[curfew] + 1 - sentences.released[curfew] >= 14).all()
    assert (sentences.curfew_stage[curfew] == 3).all()
    ordinary = ~early & ~at_sentence
    assert (sentences.released[new] == due)[ordinary].all()
    assert (sentences.released[new] == sentences.imposed[new])[at_sentence].all()


def test_nobody_released_at_sentence_had_resettlement_work(half_year: Model) -> None:
    sentences = half_year.service.sentences
    rows = np.flatnonzero(sentences.kind[: sentences.size] == Kind.DETERMINATE)
    rows = rows[sentences.imposed[rows] > 0]
    out = half_year.service.calendar.working_day_before(sentences.custody_end[rows])
    at_sentence = out <= sentences.imposed[rows]
    assert at_sentence.any()
    assert (sentences.prepared[rows[at_sentence]] == 0).all()
    assert (sentences.status[rows[at_sentence]] != Status.CUSTODY).all()


def test_nobody_stays_beyond_the_end(half_year: Model) -> None:
    """Every sentence whose last day has passed is over, and nobody is inside after it."""
    service = half_year.service
    sentences, today = service.sentences, service.today - 1
    rows = np.arange(sentences.size)
    live = sentences.status[rows] != Status.ENDED
    determinate = sentences.kind[rows] == Kind.DETERMINATE
    last = np.where(determinate, sentences.supervision_end[rows], sentences.expiry[rows])
    assert (last[live] > today).all()
    inside = (sentences.status[rows] == Status.CUSTODY) & determinate
    assert (sentences.custody_end[rows[inside]] > today).all()
    recalled = (sentences.status[rows] == Status.RECALLED) & determinate
    assert (sentences.expiry[rows[recalled]] > today).all()
    licence = sentences.status[rows] == Status.LICENCE
    assert (sentences.expiry[rows[licence]] > today).all()


def test_supervision_ends_a_year_after_custody_whatever_happened_since(half_year: Model) -> None:
    sentences = half_year.service.sentences
    rows = np.flatnonzero(sentences.status[: sentences.size] == Status.SUPERVISION)
    assert rows.size > 20
    assert (
        sentences.supervision_end[rows] == np.maximum(sentences.custody_end[rows] + 365, sentences.expiry[rows])
    ).all()
    recalled = rows[sentences.recalls[rows] > 0]
    assert recalled.size, "somebody recalled on licence is now under supervision"
    assert half_year.service.people.location[sentences.person[recalled]].max() != Location.UNKNOWN


def test_a_weekend_makes_no_licence() -> None:
    """Friday's release for a term that ends on Sunday: nothing follows where the law gives nothing."""
    friday, sunday, later = 100, 102, 460
    assert status_released(sunday, sunday, sunday, friday) == Status.ENDED
    assert status_released(sunday, sunday, later, friday) == Status.SUPERVISION
    assert status_released(later, sunday, later, friday) == Status.LICENCE


def test_nobody_is_on_licence_after_a_short_sentence_that_brings_none() -> None:
    off = {"supervision.short_sentence_licence": False, "supervision.pss.enabled": False}
    sentences = finished(overrides=off, end=datetime.date(2017, 12, 31)).service.sentences
    size = sentences.size
    short = (sentences.kind[:size] == Kind.DETERMINATE) & (sentences.length[:size] < 365)
    short &= sentences.imposed[:size] > 0
    assert (sentences.status[:size][short] == Status.ENDED).sum() > 100
    assert not np.isin(sentences.status[:size][short], [Status.LICENCE, Status.SUPERVISION]).any()
