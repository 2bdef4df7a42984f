"""What theory says of a whole run: stocks are inflows times stays, in every place and queue, to the last night.

Little's law needs no assumption when both sides are counted over the same nights: what was there at midnight, added up
over nights, is the nights that each stayed, added up over people. So a person who is counted twice, never leaves, or
moves without anybody being told breaks it.
"""

from __future__ import annotations

import datetime
from collections import defaultdict

import numpy as np
import pytest

from simulation.engine import NEVER
from simulation.system import Model
from simulation.system.codes import Location, Status
from tests.system.system_helpers import UNLIMITED, request, run, total, totals

PLACES = {
    "community": Location.COMMUNITY,
    "sentenced": Location.SENTENCED,
    "recalled": Location.RECALLED,
    "committed": Location.COMMITTED,
    "at large": Location.AT_LARGE,
}


class Nights:
    """Half a year of one area, looked at every midnight: how many are where, and how long each spell lasted."""

    def __init__(self) -> None:
        self.model = Model(request(seed=3, end=datetime.date(2018, 6, 30)))
        self.service = service = self.model.service
        self.stock: dict[str, int] = defaultdict(int)
        self.stays: dict[str, int] = defaultdict(int)
        self.since: dict[int, tuple[int, int]] = {}
        size = service.people.size
        for row in np.flatnonzero(service.people.location[:size]).tolist():
            self.since[row] = (int(service.people.location[row]), 0)
        self.first_curfews = int(np.count_nonzero(service.sentences.status[: service.sentences.size] == Status.CURFEW))
        service.on_place_change.insert(0, self.moved)
        days = (service.resolved.end - service.resolved.start).days + 1
        for day in range(days):
            self.model.run(day + 1)
            self.midnight()
        for place, since in self.since.values():
            self.stays[self.name(place)] += days - since
        self.days = days
        self.output = self.model.output()

    def name(self, place: int) -> str:
        return next((name for name, code in PLACES.items() if code == place), "elsewhere")

    def moved(self, rows: np.ndarray, before: np.ndarray, after: np.ndarray) -> None:
        today = self.service.today
        for row, was, now in zip(rows.tolist(), before.tolist(), after.tolist(), strict=True):
            place, since = self.since.get(row, (was, today))
            # Whoever is convicted again after the end comes before the court without a word.
            assert place == was or (place, was) == (Location.ENDED, Location.COURT), "moved from where the person was"
            self.stays[self.name(was)] += today - since
            self.since[row] = (now, today)

    def midnight(self) -> None:
        service = self.service
        people, sentences, posts = service.people, service.sentences, service.posts
        place = people.location[: people.size]
        for name, code in PLACES.items():
            self.stock[name] += int(np.count_nonzero(place == code))
        status = sentences.status[: sentences.size]
        self.stock["curfew"] += int(np.count_nonzero(status == Status.CURFEW))
        self.stock["unallocated"] += int(np.count_nonzero(people.waiting_since[: people.size] != NEVER))
        self.stock["reports"] += service.court_queue.size
        self.stock["cases"] += int(posts.cases[: posts.size].sum())


@pytest.fixture(scope="module")
def nights() -> Nights:
    return Nights()


@pytest.mark.parametrize("place", PLACES)
def test_stock_is_inflow_times_stay(nights: Nights, place: str) -> None:
    assert nights.stock[place] > 0
    assert nights.stock[place] == nights.stays[place]


def test_the_queue_for_an_officer(nights: Nights) -> None:
    """Nights waited: those of people allocated, those of people still waiting, and of those who went before."""
    service = nights.service
    people = service.people
    waited = sum(totals(nights.output)["allocation_days"].values())
    since = people.waiting_since[: people.size]
    still = int((nights.days - since[since != NEVER]).sum())
    # Some leave the queue otherwise: the sentence ends, prison staff take the case. They are few.
    assert 0 <= nights.stock["unallocated"] - waited - still <= 0.1 * nights.stock["unallocated"]


def test_everybody_supervised_is_a_case_or_waits(nights: Nights) -> None:
    found = totals(nights.output)
    for month in nights.output.state_digests:
        assert found["cases_held"][month] + found["unallocated"].get(month, 0) == found["caseload_total"][month]


def test_days_on_curfew(nights: Nights) -> None:
    """Nights on curfew are at most the days ahead on release, and a tenth or so fewer: some are recalled."""
    released, ahead = total(nights.output, "hdc_releases"), total(nights.output, "hdc_days_served")
    on_curfew = nights.service.sentences.status[: nights.service.sentences.size] == Status.CURFEW
    end = nights.service.sentences.custody_end[: nights.service.sentences.size][on_curfew]
    left = int((end - nights.days).sum())
    assert released > 30
    # Those on curfew at the start had at most the longest curfew ahead.
    at_most = ahead - left + nights.first_curfews * nights.service.levers.integer("custody.hdc.max_days")
    assert 0.75 * (ahead - left) <= nights.stock["curfew"] <= at_most


def test_the_board_lets_people_out_with_its_own_chance() -> None:
    """Reviews are tried until one lets the person out: geometric, so releases over reviews is the chance of one."""
    for chance in (0.25, 0.75):
        output = run(
            overrides={**UNLIMITED, "recall.parole_release_share": chance}, areas=("durham", "gwent"), seed=5
        )
        reviews, out = total(output, "parole_reviews"), total(output, "parole_releases")
        error = np.sqrt(chance * (1 - chance) / reviews)
        assert reviews > 60
        # Three standard errors: one honest run in 370 would fail.
        assert abs(out / reviews - chance) <= 3 * error


def test_with_all_the_time_in_the_world_nothing_waits() -> None:
    output = run(overrides=UNLIMITED)
    assert total(output, "tasks_waiting") == 0
    assert total(output, "contacts_cancelled") == 0
    assert total(output, "plans_in_time") >= 0.97 * total(output, "plans_done")


def test_with_hardly_any_time_hardly_anybody_is_seen() -> None:
    none = run(overrides={"workload.minutes_per_day_present": 1})
    usual = run()
    for seen in ("contacts_face_to_face", "plans_done", "reports_standard"):
        assert total(none, seen) <= total(usual, seen)
    assert total(none, "contacts_face_to_face") < 0.15 * total(usual, "contacts_face_to_face")
    assert total(none, "contacts_cancelled") > 10 * total(usual, "contacts_cancelled")


def test_everybody_misses_everything() -> None:
    factor = {"p0": 20, "p25": 20, "p50": 20, "p75": 20, "p100": 20}
    never = run(overrides={"contact.missed_appointment_probability": 1.0, "contact.miss_factor": factor})
    usual = run()
    assert total(never, "absences_unacceptable") > 3 * total(usual, "absences_unacceptable")
    assert total(never, "breaches_referred") > 3 * total(usual, "breaches_referred")
    assert total(never, "recalls") > total(usual, "recalls")
