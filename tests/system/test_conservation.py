"""Nobody is lost: what the counts say must add up."""

from __future__ import annotations

import datetime
from collections import defaultdict
from typing import Any

import numpy as np
import pytest

from simulation.engine import NEVER
from simulation.measures.registry import COUNTS
from simulation.system import Model, RunOutput
from simulation.system.codes import Location, Task
from simulation.system.service import CHANGE, CHARGED, DROPPED
from tests.system.system_helpers import GEOGRAPHY, totals
from tests.system.system_helpers import request as run_request

INSIDE = (Location.SENTENCED, Location.RECALLED)


class Watched:
    """A run in which every move from place to place is written down, and evenings are looked at.

    Parameters
    ----------
    every : int
        Look at every evening (1), or at so few.
    options
        What to run.
    """

    def __init__(self, every: int, **options: Any) -> None:
        self.every, self.areas = every, set(options["areas"])
        self.model = Model(run_request(seed=11, **options))
        self.service = self.model.service
        self.moves: dict[str, dict[tuple[int, int], int]] = defaultdict(lambda: defaultdict(int))
        self.evenings: list[str] = []
        #: Who came out of prison at large, and when: a court sentenced them to what they had served already.
        self.slipped: dict[int, int] = {}
        self.looked = 0
        self.start = self.prisoners()
        self.service.on_place_change.insert(0, self.moved)
        close_day = self.service.close_day

        def evening() -> None:
            close_day()
            if self.service.today % every == 0:
                self.look()

        self.service.close_day = evening  # type: ignore[method-assign]
        self.model.run()
        self.output = self.model.output()

    def prisoners(self) -> int:
        people = self.service.people
        return int(np.isin(people.location[: people.size], INSIDE).sum())

    def month(self) -> str:
        return self.service.calendar.date(self.service.today).isoformat()[:7]

    def moved(self, rows: np.ndarray, before: np.ndarray, after: np.ndarray) -> None:
        for row, *pair in zip(rows.tolist(), before.tolist(), after.tolist(), strict=True):
            self.moves[self.month()][pair[0], pair[1]] += 1
            if row in self.slipped:
                # Back to prison, or where other sentences put them if the recalled one ends in that night.
                nights = self.service.today - self.slipped.pop(row)
                if nights > 1:
                    self.evenings.append(f"{row} was at large for {nights} nights")
            if pair[0] in INSIDE and pair[1] == Location.AT_LARGE:
                self.slipped[row] = self.service.today

    def look(self) -> None:
        """Laws are checked at the end of a month; here every evening, and a few more things with them."""
        self.looked += 1
        service, people, tasks = self.service, self.service.people, self.service.tasks
        today = service.calendar.date(service.today)
        checks = dict(service.checks)
        self.model.invariants.check()
        service.checks = checks
        size = people.size
        place, side = people.location[:size], people.side[:size]
        if (people.cell[:size] != people.area[:size].astype(int) * 2 + np.maximum(side, 0)).any():
            self.evenings.append(f"{today}: somebody is counted in another cell")
        if ((place == Location.COURT) & (side >= 0)).any():
            self.evenings.append(f"{today}: somebody before the court without a sentence is still supervised")
        first = tasks.person[: tasks.size][tasks.kind[: tasks.size] == Task.FIRST_APPOINTMENT]
        if np.unique(first).size != first.size:
            self.evenings.append(f"{today}: two first appointments for one person")
        held = np.flatnonzero((people.officer[:size] >= 0) & (people.work_only[:size] == 0))
        # Somebody who waits to be moved is booked by the next officer.
        held = held[people.waiting_since[held] == NEVER]
        held = held[(place[held] == Location.COMMUNITY) | np.isin(place[held], INSIDE)]
        # Nobody is booked while a warrant is out for them.
        sentences = service.sentences
        wanted = sentences.person[: sentences.size][sentences.warrant_since[: sentences.size] != NEVER]
        held = held[~np.isin(held, wanted)]
        idle = held[(service.agendas["contact"].day_of(held) == NEVER) & ~np.isin(held, first)]
        if idle.size:
            self.evenings.append(f"{today}: nothing is booked for {idle.size} people who have an officer")
        waiting = np.flatnonzero((side >= 0) & (people.officer[:size] < 0) & (people.waiting_since[:size] == NEVER))
        if waiting.size:
            self.evenings.append(f"{today}: {waiting.size} people wait for an officer since never")


#: The whole country for two years, in which both policies begin; it takes minutes.
NATIONAL = {"areas": GEOGRAPHY.areas, "start": datetime.date(2017, 7, 1), "end": datetime.date(2019, 6, 30)}


@pytest.fixture(
    scope="module",
    params=[
        "two areas",
        *(pytest.param(name, marks=pytest.mark.long) for name in ("baseline", "reunification", "hdc_expansion")),
    ],
)
def watched(request: pytest.FixtureRequest) -> Watched:
    if request.param == "two areas":
        return Watched(1, areas=("cumbria", "gwent"))
    return Watched(61, name=request.param, **NATIONAL)


def test_every_evening_is_in_order(watched: Watched) -> None:
    assert watched.evenings == []
    resolved = watched.service.resolved
    assert watched.looked == (resolved.end - resolved.start).days // watched.every + 1


def stocks(output: RunOutput) -> dict[str, dict[str, int]]:
    return totals(output)


def test_prison_balances_month_by_month(watched: Watched) -> None:
    """Prisoners at the end = prisoners before + those who came in - those who went out."""
    found = stocks(watched.output)
    before = watched.start
    for month in sorted(watched.output.state_digests):
        moves = watched.moves[month]
        came = sum(n for (was, now), n in moves.items() if was not in INSIDE and now in INSIDE)
        went = sum(n for (was, now), n in moves.items() if was in INSIDE and now not in INSIDE)
        after = sum(
            found[name].get(month, 0) for name in ("prison_determinate", "prison_recalled", "prison_indeterminate")
        )
        assert after == before + came - went, month
        assert after == found["caseload_custody"][month]
        before = after


def test_nobody_leaves_prison_but_by_a_door(watched: Watched) -> None:
    """Out of prison lies the community, or nothing at the end of a sentence; nobody vanishes.

    Who is sentenced while at large after a recall is arrested on the next day: where the new term is served already,
    a night lies between.
    """
    allowed = {Location.COMMUNITY, Location.ENDED, Location.COURT, Location.COMMITTED, Location.REMOVED, *INSIDE}
    for moves in watched.moves.values():
        for was, now in moves:
            if was in INSIDE and now != Location.AT_LARGE:
                assert now in allowed
            assert was != Location.DEAD and now != Location.UNKNOWN
    out, at_large = sum(sum(moves.values()) for moves in watched.moves.values()), len(watched.slipped)
    assert at_large <= 0.0001 * out + 1, "nobody is left at large but those of the last evening"


def test_recalls_balance(watched: Watched) -> None:
    """Recalled and not returned = at large, but for those whose sentence ran out first."""
    found = stocks(watched.output)
    months = sorted(watched.output.state_digests)
    for month in months[1:]:
        assert found["recalls"].get(month, 0) == (
            found["recalls_fixed_term"].get(month, 0)
            + found["recalls_standard"].get(month, 0)
            + found["recalls_hdc_curfew"].get(month, 0)
        )
    recalls, returns = (sum(found[name].values()) for name in ("recalls", "returns_to_custody"))
    at_large = found["unlawfully_at_large"].get(months[-1], 0)
    assert 0 <= recalls - returns - at_large <= 0.05 * recalls


@pytest.mark.parametrize("part", ["caseload", "sentences", "prison"])
def test_parts_add_up(watched: Watched, part: str) -> None:
    found = stocks(watched.output)
    for month in watched.output.state_digests:
        value = {name: found[name].get(month, 0) for name in found}
        if part == "caseload":
            assert value["caseload_total"] == value["caseload_custody"] + value["caseload_community"]
            assert value["cases_held"] + value["unallocated"] == value["caseload_total"]
            assert value["caseload_licence"] + value["caseload_pss"] <= value["caseload_community"]
            assert value["caseload_telephone_only"] <= value["caseload_community"]
        elif part == "sentences":
            assert value["sentences_custody_of_returners"] <= value["sentences_custody"]
            assert value["sentences_of_returners"] <= value["sentences_custody"] + value["sentences_community"]
            assert value["releases_short_sentence"] <= value["releases"]
            assert value["recalls_short_sentence"] <= value["recalls"]
        else:
            assert value["prison_person_days"] > 27 * value["caseload_custody"]
            assert value["released_settled"] + value["released_homeless"] <= value["releases"]
            assert value["hdc_releases"] <= value["releases"]


def test_contacts_add_up(watched: Watched) -> None:
    """A routine contact due is held, missed, cancelled or put off by the hub; first appointments come on top."""
    found = {name: sum(months.values()) for name, months in stocks(watched.output).items()}
    held = found["contacts_face_to_face"] + found["contacts_telephone"] + found["contacts_custody"]
    missed = found["absences_acceptable"] + found["absences_unacceptable"]
    put_off = found["contacts_cancelled"] + found.get("hub_calls_put_off", 0)
    first = held + missed + put_off - found["contacts_due"]
    met = found["first_appointments_community"] + found["first_appointments_release"]
    # Each first appointment, and each repeat of one that was missed.
    assert met <= first <= 2 * met
    assert found["plans_in_time"] <= found["plans_done"] <= first


def test_time_adds_up(watched: Watched) -> None:
    found = {name: sum(months.values()) for name, months in stocks(watched.output).items()}
    posts, totals = watched.service.posts, watched.service.tables["balance"].value
    # What is worked beyond the time there was is owed, what isn't used on reduced hours may be saved.
    assert found["seconds_worked"] + found["seconds_unused"] - found["seconds_available"] == totals[CHANGE]
    # Handing over is charged beside it, and leavers take their debt with them.
    assert posts.owed.sum() - posts.saved.sum() == totals[CHANGE] + totals[CHARGED] - totals[DROPPED]


def test_every_row_is_a_declared_count_of_a_place(watched: Watched) -> None:
    rows: dict[str, Any] = watched.output.rows
    names = {count.name for count in COUNTS}
    assert set(rows["measure"]) <= names
    assert set(rows["area"]) == {*watched.areas, "england_and_wales"}
    assert set(rows["area"]) - {"england_and_wales"} <= set(GEOGRAPHY.areas)
    assert rows["value"].dtype == np.int64 and (rows["value"] != 0).all()
    columns = ("area", "provider", "group", "month", "measure")
    keys = list(zip(*(rows[name] for name in columns), strict=True))
    assert keys == sorted(set(keys)), "sorted, each key once"
    for month, known_on in set(zip(rows["month"], rows["known_on"], strict=True)):
        assert known_on[:7] == month
        assert (datetime.date.fromisoformat(known_on) + datetime.timedelta(days=1)).day == 1


def test_histograms_hold_everybody(watched: Watched) -> None:
    rows = watched.output.rows
    found = stocks(watched.output)
    for histogram, stock in (
        ("officers_by_cases", "officers_in_post"),
        ("officers_by_workload", "officers_with_tool"),
        ("hdc_by_days", "hdc_releases"),
    ):
        months: dict[str, int] = defaultdict(int)
        for measure, month, value in zip(rows["measure"], rows["month"], rows["value"].tolist(), strict=True):
            if measure == histogram:
                months[month] += value
        assert dict(months) == {month: value for month, value in found[stock].items() if value}
