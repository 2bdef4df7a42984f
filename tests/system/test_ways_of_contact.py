"""How contacts are made, by whom, and what gives way in an overloaded day: each rule by hand, each lever in a run."""

from __future__ import annotations

import csv
import datetime
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulation.engine import Table
from simulation.system import Model, RunOutput
from simulation.system.appointment_loops import contacts_held, full_days
from simulation.system.codes import CRC, Mode, Rosh, Setting, Task, Tier
from simulation.system.contact_loops import MODES, people_columns
from simulation.system.hubs import hubs_table, unbalanced
from simulation.system.mode_loops import (
    in_person,
    way_in_exceptional_delivery,
    way_of_visit,
    way_under_pressure,
)
from simulation.system.officer_days import AtWork, open_posts, post_columns
from tests.system.system_helpers import finished, run, total, totals

ROOT = Path(__file__).resolve().parents[2]
SHORT = {"end": datetime.date(2017, 10, 31)}
#: The company of the area that runs are made in.
HERE = "sodexo"
#: A day that holds about half of its work.
OVERLOADED = {"workload.minutes_per_day_present": 230}


@pytest.fixture(scope="module")
def short() -> RunOutput:
    return run(**SHORT)


@pytest.fixture(scope="module")
def overloaded() -> RunOutput:
    return run(overrides=OVERLOADED, **SHORT)


@pytest.fixture(scope="module")
def model() -> Model:
    return finished(end=datetime.date(2017, 7, 31))


def both(parameter: str, value: float, entry: str = "") -> dict[str, float]:
    """A parameter by operating model, for the company and the NPS of the area."""
    return {f"{parameter}.{name}{entry}": value for name in (HERE, "nps_e3")}


def days(output: RunOutput) -> float:
    """Mean days until a change is noticed."""
    return total(output, "detection_days") / total(output, "crises_noticed")


def noticed(output: RunOutput) -> float:
    """Share of changes noticed."""
    return total(output, "crises_noticed") / total(output, "crises")


# --- Rules, by hand ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("draw", "mode"),
    [(0.0, Mode.HOME_VISIT), (0.09, Mode.HOME_VISIT), (0.1, Mode.GROUP), (0.29, Mode.GROUP), (0.31, Mode.VIDEO),
     (0.41, Mode.OPEN_BOOTH), (0.69, Mode.OPEN_BOOTH), (0.71, Mode.FACE_TO_FACE), (0.999, Mode.FACE_TO_FACE)],
)  # fmt: skip
def test_one_draw_is_cut_into_ways(draw: float, mode: int) -> None:
    """Home 0.1, group 0.2, video 0.1; half of the 0.6 that are left to the office are in booths."""
    assert way_of_visit(draw, 0.1, 0.2, 0.1, 0.5) == mode


def test_where_nothing_is_said_a_visit_is_to_a_room_of_the_office() -> None:
    assert {way_of_visit(draw, 0.0, 0.0, 0.0, 0.0) for draw in (0.0, 0.5, 0.99)} == {Mode.FACE_TO_FACE}


@pytest.mark.parametrize(
    ("draw", "mode"),
    [(0.05, Mode.FACE_TO_FACE), (0.1, Mode.DOORSTEP), (0.49, Mode.DOORSTEP), (0.55, Mode.VIDEO), (0.6, Mode.TELEPHONE)],
)
def test_closed_offices(draw: float, mode: int) -> None:
    assert way_in_exceptional_delivery(draw, 0.1, 0.5, 0.6) == mode


@pytest.mark.parametrize(
    ("draw", "hub_open", "mode"),
    [(0.19, True, Mode.TELEPHONE), (0.2, True, Mode.GROUP), (0.5, True, Mode.HUB_CALL), (0.5, False, Mode.TELEPHONE),
     (0.9, True, Mode.FACE_TO_FACE)],
)  # fmt: skip
def test_what_becomes_of_a_visit_under_pressure(draw: float, hub_open: bool, mode: int) -> None:
    """A fifth calls, a fifth groups, two fifths the hub, the rest stay; without a hub its share are calls."""
    assert way_under_pressure(draw, 0.2, 0.4, 0.8, hub_open) == mode


def test_who_is_seen_with_ones_own_eyes() -> None:
    seen = {mode for mode in range(len(Mode)) if in_person(mode)}
    assert seen == {Mode.FACE_TO_FACE, Mode.OPEN_BOOTH, Mode.HOME_VISIT, Mode.DOORSTEP, Mode.GROUP}
    assert len(MODES) == len(Mode)


@pytest.mark.parametrize("closed", [False, True])
def test_first_appointments_are_never_by_telephone(model: Model, closed: bool) -> None:
    """They follow the day's routine contacts, and whoever has both is drawn for as having had one more."""
    people = people_columns(model.service.people)
    cells = model.contact.ways.exceptional.size
    ways = model.contact.ways._replace(exceptional=np.full(cells, closed), booth=np.full(cells, 0.5))
    first, none = np.arange(1000), np.empty(0, dtype=np.intp)

    def held(routine: Any) -> Any:
        mode = np.full(routine.size, Mode.TELEPHONE, dtype=np.int8)
        seconds, alone = np.full(routine.size, 60), np.zeros(routine.size, dtype=np.int8)
        keys, reached = np.zeros(routine.size, dtype=np.uint64), np.ones(routine.size, dtype=bool)
        fate = np.zeros(routine.size, dtype=np.int8)
        return contacts_held(
            routine, keys, mode, seconds, alone, reached, ~reached, fate, first, 3600, people, ways
        )

    alone, both_today = held(none), held(first[::2])
    expected = {Mode.FACE_TO_FACE, Mode.DOORSTEP, Mode.VIDEO} if closed else {Mode.FACE_TO_FACE, Mode.OPEN_BOOTH}
    assert set(alone.mode.tolist()) == expected
    assert alone.rows.tolist() == first.tolist() and alone.first.all() and set(alone.seconds.tolist()) == {3600}
    assert both_today.rows.tolist() == [*range(0, 1000, 2), *range(1000)]
    assert both_today.first.tolist() == [False] * 500 + [True] * 1000
    assert set(both_today.mode[:500].tolist()) == {Mode.TELEPHONE} and set(both_today.seconds[:500].tolist()) == {60}
    people.records["contacts"][first[::2]] += 1
    assert held(none).mode.tolist() == both_today.mode[500:].tolist()
    people.records["contacts"][first[::2]] -= 1


def test_what_is_noticed_by_each_mode(model: Model) -> None:
    """A booth hides part of what a room shows; people on the telephone whom others see are noticed a little more."""
    levers = model.service.levers
    chance = levers.mapping("contact.notice_probability")
    notice = model.contact.notice(np.array([0.0, 0.5]))
    assert notice[0, Mode.OPEN_BOOTH] == chance["face_to_face"] * levers.number("contact.open_booth_disclosure")
    assert notice[0, Mode.HUB_CALL] == pytest.approx(chance["hub_call"])
    elsewhere = 0.5 * chance["other_staff"]
    assert notice[1, Mode.TELEPHONE] == pytest.approx(1 - (1 - chance["telephone"]) * (1 - elsewhere))
    assert notice[1, Mode.FACE_TO_FACE] == chance["face_to_face"] and notice[1, Mode.CUSTODY] == 0


def test_what_a_contact_takes(model: Model) -> None:
    """45 + 15 + 15 + 5 minutes in a company's office; a group shares 2 x 120 minutes among ten; 25 for the hub."""
    work = model.contact.workload
    each = work.contact_seconds[work.models.index(HERE), Setting.ORDER, Tier.D1] / 60
    assert each[Mode.FACE_TO_FACE, 0] == each[Mode.OPEN_BOOTH, 0] == 45 + 15 + 15 + 5
    assert each[Mode.FACE_TO_FACE, 1] == each[Mode.FACE_TO_FACE, 0] + 15
    assert each[Mode.TELEPHONE, 0] == 15 + 10 + 5
    assert each[Mode.HUB_CALL].tolist() == [15 + 10 + 5] * 2
    assert each[Mode.GROUP, 0] == 24 + 10 + 15 + 5
    assert each[Mode.HOME_VISIT].tolist() == [45 + 15 + 30 + 15 + 5, 45 + 15 + 60 + 15 + 5]
    assert each[Mode.DOORSTEP, 0] == 15 + 15 + 30 + 15 + 5
    assert each[Mode.VIDEO].tolist() == [30 + 15 + 0 + 5] * 2
    assert (work.with_person[[Mode.FACE_TO_FACE, Mode.GROUP, Mode.HUB_CALL]] == [45 * 60, 24 * 60, 15 * 60]).all()


def test_a_meeting_takes_its_time_off_the_day(model: Model) -> None:
    posts = post_columns(model.service.posts)
    rows = np.flatnonzero((posts.filled == 1) & (posts.hours_left == 3700) & (posts.teaching == 0))
    today, constant = 100_000, np.uint64(7)  # nobody is sick or on leave
    for chance, taken in ((0.0, 0), (1.0, 7200)):
        meetings = np.full((model.service.areas, 2), chance)
        productive = np.full_like(meetings, 25800.0)
        taught, to_transition = np.zeros((2, model.service.areas * 2), dtype=np.int64)
        counts = taught, to_transition
        now = open_posts(posts, today, productive, productive, 3700, meetings, 7200, constant, *counts)
        assert now.here[rows].all() and (now.lost[rows] == taken).all()
        assert (now.day[rows] == 25800 - taken).all()
        assert (now.available[rows] == now.day[rows] - posts.owed[rows]).all()
        assert not to_transition.any()
        # What a transition takes is what is missing from a day without one.
        whole = open_posts(posts, today, productive * 2, productive * 2, 3700, meetings, 7200, constant, *counts)
        assert not to_transition.any()
        open_posts(posts, today, productive, productive * 2, 3700, meetings, 7200, constant, *counts)
        assert to_transition.sum() == (whole.day - now.day).sum() > 0


def test_the_hub_s_day_balances_by_hand() -> None:
    """An hour given; calls of 50 and 30 minutes start; 20 minutes are owed; tomorrow 40 are there and none is used."""
    hubs: Any = hubs_table(2)
    given, worked, unused, owed = hubs.given, hubs.worked, hubs.unused, hubs.owed
    given[0], worked[0], owed[0] = 3600, 80 * 60, 20 * 60
    assert unbalanced(hubs).size == 0
    given[0], unused[0], owed[0] = 7200, 40 * 60, 0
    assert unbalanced(hubs).size == 0
    unused[0] -= 60
    assert unbalanced(hubs).tolist() == [0]
    assert isinstance(hubs, Table)


def test_a_call_by_the_hub_is_a_cut_of_the_draw_that_puts_people_on_the_telephone(model: Model) -> None:
    contact, people = model.contact, model.service.people
    rows = np.flatnonzero(people.side[: people.size] >= 0)
    rules = contact.telephone()
    telephone, cell = contact.telephone_only(rows), people.cell[rows]
    hub = telephone & (people.phone_draw[rows] < rules.hub_cut[cell])
    assert hub.any() and (rules.hub_cut <= rules.cut).all()
    cut = contact.rules.phone_cut[people.cell[rows]] * contact.rules.hub_share[people.cell[rows]]
    assert (hub == (telephone & (people.phone_draw[rows] < cut))).all()
    assert people.assessed_rosh[rows[hub]].max() < Rosh.HIGH


def test_contacts_plans_and_reviews_are_ranked_by_model(model: Model) -> None:
    first = finished(overrides={f"workload.priority_of_model.{HERE}.plan": 2}, end=datetime.date(2017, 7, 3))
    before, after = model.caseload.workload.priority(), first.caseload.workload.priority()
    changed = np.argwhere(before != after).tolist()
    assert changed == [[first.caseload.workload.models.index(HERE), Task.PLAN]]


# --- Conservation -----------------------------------------------------------------------------------------------


def check_sums(output: RunOutput) -> None:
    """Contacts by mode add up to the totals, and parts of officers' time to the whole."""
    count = {name: total(output, name) for name in set(output.rows["measure"])}
    get = lambda *names: sum(count.get(name, 0) for name in names)  # noqa: E731
    assert get("contacts_face_to_face") == get(*(f"contacts_{m}" for c, m in enumerate(MODES) if in_person(c)))
    assert get("contacts_telephone") == get("contacts_called", "contacts_hub_call")
    outside = [mode for mode in MODES if mode != "custody"]
    assert get("crises_noticed") == get(*(f"noticed_{mode}" for mode in outside))
    assert get("detection_days") == get(*(f"detection_days_{mode}" for mode in outside))
    parts = ("with_people", "on_calls", "missed", "double_entry", "contact_administration")
    assert get("seconds_contacts") == get(*(f"seconds_{part}" for part in parts)) <= get("seconds_worked")
    assert min(get(f"seconds_{part}") for part in parts) >= 0
    assert get("contacts_cancelled_meeting", "contacts_left_out") <= get("contacts_cancelled")
    assert get("hub_calls_put_off") <= get("hub_calls_due") <= get("contacts_due")


def test_sums(short: RunOutput, overloaded: RunOutput) -> None:
    for output in (short, overloaded):
        check_sums(output)
    assert short.checks["the hub's day balances"] == 4


# --- Levers -----------------------------------------------------------------------------------------------------


def test_without_a_hub_officers_call(short: RunOutput) -> None:
    officers = run(overrides={f"contact.hub_share_of_calls.{HERE}": 0}, **SHORT)
    assert total(short, "contacts_hub_call") > 0 == total(officers, "contacts_hub_call")
    assert total(officers, "hub_cases") == total(officers, "hub_calls_put_off") == 0
    assert total(officers, "contacts_called") > total(short, "contacts_called")
    assert total(officers, "seconds_on_calls") > total(short, "seconds_on_calls")
    check_sums(officers)


def test_a_hub_with_few_agents_puts_calls_off_and_one_with_many_doesn_t() -> None:
    few, many = (run(overrides={f"contact.hub_agents_per_1000_cases.{HERE}": n}, **SHORT) for n in (0.3, 20))
    assert total(few, "hub_calls_put_off") > 0.2 * total(few, "hub_calls_due")
    assert total(many, "hub_calls_put_off") == 0 < total(many, "contacts_hub_call")
    assert total(few, "contacts_hub_call") < total(many, "contacts_hub_call")
    # Nobody works longer than there is time, but for the last call of a day.
    assert total(few, "hub_seconds_worked") <= total(few, "hub_seconds_available") + 84 * 1800


def test_rooms_of_their_own_show_more(short: RunOutput) -> None:
    rooms = run(overrides={f"contact.open_booth_share.{HERE}": 0}, **SHORT)
    hidden = run(overrides={f"contact.open_booth_share.{HERE}": 1, "contact.open_booth_disclosure": 0.1}, **SHORT)
    booths = [total(output, "contacts_in_booth") for output in (rooms, short, hidden)]
    assert 0 == booths[0] < booths[1] < booths[2]
    assert noticed(hidden) < noticed(rooms)


def test_closed_offices_send_nearly_everybody_to_the_telephone(short: RunOutput) -> None:
    closed = run(overrides={"contact.exceptional_delivery": 1}, **SHORT)
    assert total(closed, "contacts_face_to_face") < 0.4 * total(short, "contacts_face_to_face")
    assert total(closed, "contacts_doorstep") > 0 == total(short, "contacts_doorstep")
    assert total(closed, "contacts_in_booth") == total(closed, "contacts_home_visit") == 0
    assert total(closed, "contacts_video") > 0
    last = max(closed.state_digests)
    assert totals(closed)["unseen_over_60_days"][last] > 1.5 * totals(short)["unseen_over_60_days"][last]
    check_sums(closed)


def test_groups_instead_of_calls_when_officers_are_behind(overloaded: RunOutput) -> None:
    swap = {**both("contact.under_pressure", 0, ".to_call"), **both("contact.under_pressure", 1, ".to_group")}
    groups = run(overrides={**OVERLOADED, **swap}, **SHORT)
    assert total(overloaded, "contacts_downgraded") > 0 == total(overloaded, "contacts_delegated_group")
    assert total(groups, "contacts_downgraded") == 0 < total(groups, "contacts_delegated_group")
    assert total(groups, "contacts_group") > 0


def test_a_day_too_full_may_be_rung_off_instead_of_cancelled(overloaded: RunOutput) -> None:
    rung = run(overrides={**OVERLOADED, "contact.downgrade_full_day_ratio": 1}, **SHORT)
    assert total(rung, "contacts_downgraded") > 2 * total(overloaded, "contacts_downgraded")
    assert total(rung, "contacts_cancelled") < 0.9 * total(overloaded, "contacts_cancelled")


def test_which_days_are_full(model: Model) -> None:
    """Two visits of 80 minutes and a task of 30 are 190: more than 180 minutes, not more than 200."""
    service, workload = model.service, model.caseload.workload
    people, posts = service.people, post_columns(service.posts)
    officer = int(np.flatnonzero((posts.filled == 1) & (posts.employer == CRC))[0])
    held = np.flatnonzero((people.officer == officer) & (people.setting == Setting.ORDER) & (people.rural == 0))
    due = held[people.tier[held] >= Tier.C1][:2]
    models = model.contact.models
    assert (workload.contact_seconds[models[people.cell[due]], Setting.ORDER, people.tier[due], 0, 0] == 80 * 60).all()
    server, seconds = np.array([-1, -1, officer]), np.array([0, 0, 30 * 60])
    at_work, nothing = np.ones(posts.filled.size, dtype=bool), np.zeros(posts.filled.size, dtype=np.int64)
    nobody = np.zeros(0, dtype=np.intp)
    for minutes, ratio, full in ((180, 1.0, True), (200, 1.0, False), (200, 0.9, True), (180, 0.0, False)):
        behind = np.zeros_like(at_work)
        available = np.full(at_work.size, minutes * 60)
        fullest = np.full((service.areas, 2), ratio)
        full_days(
            due,
            people_columns(people),
            posts,
            AtWork(at_work, nothing, available, nothing, nobody, nobody),
            fullest,
            models,
            workload.contact_seconds,
            server,
            seconds,
            behind,
        )
        assert np.flatnonzero(behind).tolist() == ([officer] if full else [])


def test_the_hub_helps_where_it_has_agents_when_officers_are_behind() -> None:
    swap = {**both("contact.under_pressure", 0, ".to_call"), **both("contact.under_pressure", 1, ".to_hub")}
    many, none = (
        run(overrides={**OVERLOADED, **swap, f"contact.hub_agents_per_1000_cases.{HERE}": agents}, **SHORT)
        for agents in (20, 0)
    )
    assert total(many, "contacts_delegated_hub") > 0 == total(many, "contacts_downgraded")
    # Where the hub has nobody its share are calls by the officer.
    assert total(none, "contacts_delegated_hub") == 0 < total(none, "contacts_downgraded")


@pytest.mark.parametrize(("name", "mode"), [("group", "contacts_group"), ("video", "contacts_video")])
def test_groups_and_video_as_a_rule(short: RunOutput, name: str, mode: str) -> None:
    with_them = run(overrides=both(f"contact.{name}_share", 0.3), **SHORT)
    assert total(with_them, mode) > 0 == total(short, mode)
    fewer = total(with_them, "contacts_face_to_face") < 0.95 * total(short, "contacts_face_to_face")
    assert fewer == (name == "video"), "a group is face to face, a video call isn't"


def test_home_visits_take_longer(short: RunOutput) -> None:
    often = {**both("contact.home_visit_share", 0.15, ".other"), **both("contact.home_visit_share", 0.15, ".high")}
    more = run(overrides=often, **SHORT)
    assert total(more, "contacts_home_visit") > 2 * total(short, "contacts_home_visit") > 0
    share = total(more, "seconds_contact_administration") / total(more, "seconds_contacts")
    assert share > total(short, "seconds_contact_administration") / total(short, "seconds_contacts")


def test_without_double_entry_contacts_take_less(short: RunOutput) -> None:
    once = run(overrides={f"workload.double_entry_minutes.{HERE}": 0}, **SHORT)
    assert total(once, "seconds_double_entry") == 0 < total(short, "seconds_double_entry")
    made = total(once, "contacts_face_to_face") + total(once, "contacts_telephone")
    before = total(short, "contacts_face_to_face") + total(short, "contacts_telephone")
    assert total(once, "seconds_demanded") / made < total(short, "seconds_demanded") / before


def test_meetings_cancel_appointments_which_are_neither_contacts_nor_absences(short: RunOutput) -> None:
    meetings = run(overrides=both("workload.meetings_a_month", 10), **SHORT)
    assert total(meetings, "seconds_meetings") > 0 == total(short, "seconds_meetings")
    assert total(meetings, "contacts_cancelled_meeting") > 0 == total(short, "contacts_cancelled_meeting")
    absences = [total(one, "absences_acceptable") + total(one, "absences_unacceptable") for one in (meetings, short)]
    assert absences[0] <= 1.02 * absences[1]
    assert total(meetings, "seconds_available") < total(short, "seconds_available")
    check_sums(meetings)


def test_a_colleague_who_stands_in_saves_the_appointment(short: RunOutput) -> None:
    covered = run(overrides=both("contact.cover_share", 1), **SHORT)
    assert total(covered, "contacts_by_colleague") > 0 == total(short, "contacts_by_colleague")
    assert total(covered, "contacts_cancelled") < total(short, "contacts_cancelled")


def test_a_team_notices_less_than_a_named_officer(short: RunOutput) -> None:
    strangers = {"contact.colleague_notice_ratio": 0.3, "effects.officer_change_missed_odds_ratio": 1}
    team = run(overrides={**both("contact.team_share", 1), **strangers}, **SHORT)
    assert total(team, "contacts_by_colleague") > 0.3 * total(team, "contacts_face_to_face")
    assert noticed(team) < noticed(short)


def test_plans_first_where_time_is_short(overloaded: RunOutput) -> None:
    first = run(overrides={**OVERLOADED, **both("workload.priority_of_model", 2, ".plan")}, **SHORT)
    assert total(first, "plans_in_time") > total(overloaded, "plans_in_time")
    assert total(first, "contacts_cancelled") > total(overloaded, "contacts_cancelled")


def test_cancelled_contacts_may_wait_for_the_next(overloaded: RunOutput) -> None:
    left = run(overrides={**OVERLOADED, **both("contact.not_rebooked_share", 1)}, **SHORT)
    assert total(left, "contacts_left_out") > 0 == total(overloaded, "contacts_left_out")
    assert total(left, "contacts_due") < total(overloaded, "contacts_due")


# --- Evidence ---------------------------------------------------------------------------------------------------


def test_every_row_of_the_operating_models_is_used_or_said_not_to_be() -> None:
    rows = csv.DictReader((ROOT / "scenarios/data/evidence/operating_models.csv").open(encoding="utf-8"))
    ids = {row["id"] for row in rows}
    page = (ROOT / "docs" / "operating_models.md").read_text("utf-8")
    listed = set()
    for first, last in re.findall(r"OM(\d{3})(?:-OM(\d{3}))?", page):
        listed |= {f"OM{number:03d}" for number in range(int(first), int(last or first) + 1)}
    assert listed == ids
