"""Ways of organising: regions and trusts, local commissioners, equal money, lost managers; each by hand and off."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

import numpy as np
import pytest

from simulation.engine import NEVER
from simulation.system import Model, RunOutput
from simulation.system.bodies import bodies_of, body_costs
from simulation.system.codes import NPS, Location, Place, Stage
from simulation.system.commissioning import bought
from simulation.system.other_staff import MILLIONTHS, share_missing
from simulation.system.transition import time_lost
from tests.system.system_helpers import GEOGRAPHY, as_tuples, change, finished, request, run, total, totals

DAY = datetime.date(2017, 9, 1)
UNIFIED = change(DAY, "set", "organisation.unified", 1)
NORTH_EAST = ("northumbria", "durham", "cleveland")
TWO = ("durham", "cleveland")
#: Many leave, so that many are found in a few months.
TURNOVER = {
    "staff.nps.leaving_rate_po": 0.6,
    "staff.nps.leaving_rate_pso": 0.6,
    "staff.crc.leaving_rate_officers": 0.6,
    "staff.recruitment.delay_multiplier": 0.3,
}
MILLION = 100_000_000


def tier(name: str) -> Any:
    return change(DAY, "set", "organisation.tier", name)


# --- Regions and trusts ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def split_by_area() -> RunOutput:
    return run(UNIFIED, areas=TWO, overrides=TURNOVER)


def test_a_region_sends_new_officers_where_the_load_is_heaviest(split_by_area: RunOutput) -> None:
    model = finished(UNIFIED, tier("region"), areas=TWO, overrides={**TURNOVER, "organisation.mobile_share": 1})
    assert total(model.output(), "placed_elsewhere") > 0
    assert total(split_by_area, "placed_elsewhere") == 0
    posts = model.service.posts
    open_ = (posts.place[: posts.size] == Place.ESTABLISHED) & (posts.filled[: posts.size] == 0)
    assert (posts.stage[: posts.size][open_] != Stage.NONE).all()


def test_loads_of_a_regions_areas_come_closer(split_by_area: RunOutput) -> None:
    """An area that is short of officers gets the region's, and the others wait."""
    apart = {}
    for name in ("none", "region"):
        model = Model(
            request(UNIFIED, tier(name), areas=TWO, overrides={**TURNOVER, "organisation.mobile_share": 1})
        )
        began = model.service.calendar.day(DAY)
        model.run(began)
        # Durham loses a third of those who are there.
        posts, area = model.service.posts, GEOGRAPHY.areas.index("durham")
        held = np.flatnonzero((posts.area[: posts.size] == area) & (posts.filled[: posts.size] == 1))
        model.staffing.depart(held[::3])
        model.run()
        load = model.staffing.recruitment.bodies.load()[list(model.service.resolved.areas)]
        apart[name] = load.max() - load.min()
    assert apart["region"] < 0.8 * apart["none"]


def test_whoever_is_unwilling_stays_and_then_nothing_but_the_cost_differs(split_by_area: RunOutput) -> None:
    unwilling = {**TURNOVER, "organisation.mobile_share": 0}
    region = run(UNIFIED, tier("region"), areas=TWO, overrides=unwilling)
    rows = [row for row in as_tuples(region) if row[4] != "body_costs"]
    assert rows == as_tuples(split_by_area) and total(region, "body_costs") > 0


def test_trusts_are_the_old_ones_and_share_where_they_have_two_areas() -> None:
    model = Model(request(UNIFIED, tier("trust"), areas=NORTH_EAST))
    assert (bodies_of(model.service) == -1).all(), "nothing before the service is one"
    model.run(model.service.calendar.day(DAY) + 1)
    body = bodies_of(model.service)
    place = GEOGRAPHY.areas.index
    assert body[place("durham")] == body[place("cleveland")] != body[place("northumbria")]
    assert np.unique(body).size == 35
    cost = body_costs(model.service)
    each = 0.75 * MILLION
    assert cost[place("northumbria")] == each
    assert cost[place("durham")] + cost[place("cleveland")] == pytest.approx(each)
    model.run(model.service.calendar.day(DAY) + 31)
    booked = totals(model.output())["body_costs"]["2017-09"]
    assert booked == pytest.approx(2 * each * 30 / 365.25, abs=3)


def test_a_region_is_one_of_twelve_and_none_where_the_service_is_split() -> None:
    model = Model(request(UNIFIED, tier("region"), areas=("cumbria",)))
    model.run(model.service.calendar.day(DAY) + 1)
    assert np.unique(bodies_of(model.service)).size == 12
    alone = run(tier("region"), areas=("cumbria",))
    assert total(alone, "body_costs") == total(alone, "placed_elsewhere") == 0


def test_a_local_employer_fills_posts_sooner() -> None:
    days = {}
    for local in (0, 1):
        output = run(
            UNIFIED,
            change(DAY, "set", "organisation.local_hiring", local),
            overrides={**TURNOVER, "staff.recruitment.delay_multiplier": 0.5},
            end=datetime.date(2018, 6, 30),
        )
        days[local] = total(output, "fill_days") / total(output, "posts_filled")
    assert days[1] < 0.8 * days[0]


# --- Commissioners --------------------------------------------------------------------------------------------------


def commissioned(who: str, **money: Any) -> tuple[Any, Any]:
    return (
        change(DAY, "set", "organisation.commissioner", who),
        change(DAY, "set", "organisation.commissioned_money", 40, **money),
    )


def test_what_a_commissioner_buys_by_hand() -> None:
    model = Model(request(*commissioned("pcc")))
    service, area = model.service, GEOGRAPHY.areas.index("cumbria")
    assert not bought(service).pence.any()
    model.run(service.calendar.day(DAY) + 1)
    found = bought(service)
    money = 40 * MILLION * model.population.shares[area]
    administration = 0.72 * 0.498 * 60_000 * 100
    assert found.pence[area] == pytest.approx(money)
    assert found.administration[area] == pytest.approx(administration)
    assert found.homes[area] == pytest.approx((money - administration) * 0.6 / 400_000)
    assert found.mentors[area] == pytest.approx((money - administration) * 0.4 / 60_000)


def test_councils_are_many_and_buy_less_for_the_same_money() -> None:
    many = {}
    for who in ("mayor", "pcc", "council"):
        model = Model(request(*commissioned(who)))
        model.run(model.service.calendar.day(DAY) + 1)
        many[who] = float(bought(model.service).mentors.sum())
    assert many["mayor"] > many["pcc"] > 1.1 * many["council"] > 0


def test_money_finds_places_and_mentors_where_it_is_and_nowhere_else() -> None:
    two = ("cumbria", "gwent")
    both = run(areas=two)
    here = run(*commissioned("mayor", areas=("cumbria",)), areas=two)
    mentored = {row[0] for row in as_tuples(here) if row[4] == "mentors_commissioned"}
    assert mentored == {"cumbria"} and total(both, "mentors_commissioned") == 0
    assert total(here, "homes_found") > total(both, "homes_found")
    assert total(here, "mentors_met") == total(both, "mentors_met"), "not the team's mentors"
    other = [[row for row in as_tuples(output) if row[0] == "gwent"] for output in (here, both)]
    assert other[0] == other[1]
    released = total(here, "mentors_commissioned")
    a_year = 40 * MILLION * 0.4 / 60_000
    assert 0 < released < a_year, "no more than money is for"


def test_who_ends_two_terms_on_one_day_takes_one_mentors_place() -> None:
    model = Model(request(*commissioned("pcc")))
    service, people, mentors = model.service, model.service.people, model.circumstances.mentors
    model.run(service.calendar.day(DAY) + 1)
    inside = np.flatnonzero(people.location[: people.size] == Location.SENTENCED)[:3]
    people.released_on[inside], people.mentored_until[inside] = service.today, NEVER
    one, two, three = people.latest[inside].tolist()
    mentors.accrue()
    owed = mentors.places.owed
    owed[people.area[inside[0]]] = 3 * MILLIONTHS
    assert mentors.meet(np.array([three, two, one, two])).tolist() == inside.tolist()
    assert owed[people.area[inside[0]]] == 0


def test_a_person_met_by_a_commissioned_mentor_is_told_so() -> None:
    wanted = request(*commissioned("pcc"))
    model = Model(wanted)
    model.run()
    people = model.service.people
    met = np.flatnonzero(people.mentored_until[: people.size] != NEVER)
    seen = set()
    for row in met[:3].tolist():
        traced = Model(dataclasses.replace(wanted, traced=int(people.key[row])))
        traced.run()
        seen |= {event.kind for event in traced.service.history}
    assert "met by a commissioned mentor" in seen


# --- Equal money ----------------------------------------------------------------------------------------------------


EQUAL = change(DAY, "set", "organisation.equal_money", 1)


def test_what_is_freed_by_hand() -> None:
    values = {
        "organisation.overhead_saved_share": 0.1,
        "organisation.transition_cost": 10_000,
        "organisation.body_cost": {"region": 1.0, "trust": 0.5},
    }
    model = Model(request(UNIFIED, EQUAL, tier("region"), overrides=values))
    service, area, state = model.service, GEOGRAPHY.areas.index("cumbria"), model.contracts.equal_money.state
    day = service.calendar.day(DAY)
    model.run(day)
    posts, size = service.posts, service.posts.size
    officers = int(((posts.employer[:size] == 1) & (posts.filled[:size] == 1)).sum())
    vacant = int(((posts.employer[:size] == 1) & (posts.filled[:size] == 0)).sum())
    cost_a_day = int(model.contracts.state.cost_a_day[area])
    earned = int(model.contracts.ledger.balance("company")[area])
    model.run(day + 1)
    other = cost_a_day - officers * 4_500_000 / 365.25
    assert state.result_a_day[area] == pytest.approx(earned / day, abs=1)
    assert state.saved_a_day[area] == pytest.approx(0.1 * other, abs=2)
    assert model.contracts.state.taken_over[area] == pytest.approx(0.9 * other, abs=2)
    assert state.one_off[area] == officers * 1_000_000
    body = MILLION * 498 / (498 + 1491 + 1416 + 1055)
    freed = earned / day * 365.25 + 0.1 * other * 365.25 - officers * 1_000_000 / 5 - body
    assert model.contracts.equal_money.freed()[area] == pytest.approx(freed, rel=0.001)
    model.run(day + 31)
    assert totals(model.output())["transition_costs"]["2017-09"] == officers * 1_000_000
    assert totals(model.output())["officers_transferred"]["2017-09"] == officers and vacant > 0


def test_freed_money_opens_posts_and_missing_money_closes_them() -> None:
    end = {"end": datetime.date(2018, 3, 31)}
    saves = finished(UNIFIED, EQUAL, overrides={"organisation.overhead_saved_share": 0.5}, **end)
    needs = finished(UNIFIED, EQUAL, overrides={"organisation.transition_cost": 100_000, **TURNOVER}, **end)
    area = GEOGRAPHY.areas.index("cumbria")
    opened = int(saves.contracts.equal_money.state.opened[area])
    assert opened == saves.contracts.equal_money.freed()[area] // 4_500_000 > 0
    posts = saves.service.posts
    assert int((posts.filled[: posts.size] == 1)[-opened:].sum()) > 0, "somebody was found for some of them"
    closed = int(needs.contracts.equal_money.state.closed[area])
    posts = needs.service.posts
    assert closed == int((posts.closed[: posts.size] == 1).sum()) > 0
    assert closed <= -(needs.contracts.equal_money.freed()[area] // 4_500_000)
    assert total(saves.output(), "money_freed") > 0 > total(needs.output(), "money_freed")


def test_switched_off_posts_stay_and_spending_differs() -> None:
    off = finished(UNIFIED, overrides={"organisation.overhead_saved_share": 0.5})
    assert not off.contracts.equal_money.state.opened.any() and not off.contracts.equal_money.state.closed.any()
    assert total(off.output(), "money_freed") == 0


def test_commissioners_money_comes_out_of_posts_where_it_is_equal() -> None:
    model = finished(*commissioned("pcc"), EQUAL, overrides=TURNOVER)
    area = GEOGRAPHY.areas.index("cumbria")
    missing = 40 * MILLION * model.population.shares[area]
    assert model.contracts.equal_money.freed()[area] == pytest.approx(-missing, abs=1)
    assert model.contracts.equal_money.state.closed[area] > 0
    posts = model.service.posts
    assert (posts.employer[: posts.size][posts.closed[: posts.size] == 1] == NPS).all()


def test_a_run_is_saved_and_continued_with_posts_and_mentors_of_its_own() -> None:
    wanted = request(UNIFIED, EQUAL, *commissioned("pcc"), tier("region"))
    whole, parts = Model(wanted), Model(wanted)
    whole.run()
    parts.run(100)
    saved = parts.save()
    parts.run(130)
    parts.continue_with(saved, wanted.resolved)
    parts.run()
    assert as_tuples(parts.output()) == as_tuples(whole.output())
    assert parts.output().event_digests == whole.output().event_digests


# --- Lost managers --------------------------------------------------------------------------------------------------


def test_a_third_of_seniors_go_on_the_day_and_officers_lose_time() -> None:
    lost = {"organisation.transition_seniors_lost_share": 1 / 3, "organisation.transition_dip": 0.0}
    # In the middle of a month: on the first some leave and some come, too.
    when = datetime.date(2017, 9, 15)
    unified = change(when, "set", "organisation.unified", 1)
    model = Model(request(unified, overrides={**lost, "effects.time_lost_without_senior": 0.1}))
    service, area = model.service, GEOGRAPHY.areas.index("cumbria")
    day = service.calendar.day(when)
    model.run(day)
    table, cells = service.tables["other_staff"], [area * 2, area * 2 + 1]
    before = table.senior_in_post[cells].sum() / MILLIONTHS
    model.run(day + 1)
    after = table.senior_in_post[cells].sum() / MILLIONTHS
    assert after == pytest.approx(before * 2 / 3)
    one = service.levers.grid("organisation.unified")
    missing = np.array([share_missing(area, side, table.senior_posts, table.senior_in_post, one) for side in range(2)])
    assert missing[0] == missing[1] > 0.25
    taken = time_lost(service)
    assert taken is not None and taken[area].tolist() == pytest.approx((0.1 * missing).tolist())
    model.run(day + 31)
    with_loss = totals(model.output())
    assert with_loss["seconds_lost_to_transition"]["2017-09"] > 0 and with_loss["seniors_lost"]["2017-09"] > 0
    off = run(unified, overrides={"organisation.transition_dip": 0.0}, end=datetime.date(2017, 9, 30))
    assert total(off, "seniors_lost") == total(off, "seconds_lost_to_transition") == 0
