"""A company fails: what changes that day, what it costs, and what can't happen."""

from __future__ import annotations

import datetime

import numpy as np
import pytest

from simulation.system import Model
from simulation.system.codes import CRC
from simulation.system.contact import operating_models
from simulation.system.service import COUNT_INDEX
from simulation.system.transition import time_lost
from tests.system.system_helpers import as_tuples, change, request, run, total, totals

DAY = datetime.date(2017, 9, 1)
FAILS = change(DAY, "set", "contracts.provider_failed", 1)
END = {"end": datetime.date(2017, 11, 30)}


@pytest.fixture(scope="module")
def failed() -> Model:
    model = Model(request(FAILS, overrides={"contracts.successor_model": "arcc"}, **END))
    model.run()
    return model


def test_the_day_another_owner_takes_over() -> None:
    model = Model(request(FAILS, overrides={"contracts.successor_model": "arcc"}, **END))
    service, state = model.service, model.contracts.state
    area, day = service.resolved.areas[0], service.calendar.day(DAY)
    model.run(day)
    before = int(model.contracts.ledger.balance("company")[area])
    assert operating_models(service)[area] == ["nps_e3", "sodexo"] and before != 0
    served = int((service.people.side[: service.people.size] == CRC).sum())
    model.run(day + 1)
    assert operating_models(service)[area] == ["nps_e3", "arcc"]
    assert state.failed_on[area] == day
    # The old owner bears the loss or takes what is left; the successor starts at nothing.
    assert model.contracts.ledger.balance("company")[area] == 0
    assert model.contracts.ledger.balance("owner")[area] == before
    # Some cases of the midnight before ended with the day.
    assert served - 20 <= service.flows[COUNT_INDEX["taken_over"]].sum() <= served + 20


def test_the_ministry_pays_the_successors_cost(failed: Model) -> None:
    counts = totals(failed.output())
    for month in ("2017-09", "2017-10", "2017-11"):
        assert counts["crc_step_in"][month] == int(counts["crc_costs"][month] * 1.1)
        assert not counts["crc_income_volume"].get(month) and not counts["crc_income_tasks"].get(month)
    assert counts["crc_income_volume"]["2017-08"] > 0 and not counts["crc_step_in"].get("2017-08")
    assert counts["companies_failed"] == {"2017-09": 1} and counts["taken_over"]["2017-09"] > 100


def test_officers_leave_and_cases_change_hands(failed: Model) -> None:
    quiet = {"contracts.takeover_posts_lost_share": 0, "contracts.takeover_reallocated_share": 0}
    less = run(FAILS, overrides={"contracts.successor_model": "arcc", **quiet}, **END)
    more = failed.output()
    assert totals(more)["leavers"]["2017-09"] > totals(less)["leavers"].get("2017-09", 0)
    assert total(more, "officer_changes") > total(less, "officer_changes")


def test_time_is_lost_at_the_company_alone_and_comes_back() -> None:
    model = Model(
        request(FAILS, overrides={"contracts.takeover_dip": 0.4, "contracts.takeover_dip_days": 40}, **END)
    )
    service = model.service
    area, began = service.resolved.areas[0], service.calendar.day(DAY)
    model.run(began)
    assert time_lost(service) is None
    model.run(began + 11)
    service.environment._now = began + 10
    lost = time_lost(service)
    assert lost is not None and lost[area].tolist() == pytest.approx([0, 0.4 * 0.75])
    assert np.count_nonzero(lost) == 1
    service.environment._now = began + 11
    model.run(began + 41)
    assert time_lost(service) is None
    hours = totals(model.output())["seconds_lost_to_transition"]
    assert hours["2017-09"] > 0 and not hours.get("2017-08")


def test_switched_off_nothing_happens() -> None:
    never = change(DAY, "set", "contracts.provider_failed", 0)
    assert as_tuples(run(never, **END)) == as_tuples(run(**END))


def test_the_nps_takes_over_what_the_company_cost_besides_its_officers() -> None:
    one = run(change(DAY, "set", "organisation.unified", 1), **END)
    counts = totals(one)
    assert not counts["crc_costs"].get("2017-10") and not counts["crc_income_volume"].get("2017-10")
    jump = counts["nps_costs"]["2017-10"] - counts["nps_costs"]["2017-08"]
    assert jump == pytest.approx(counts["crc_costs"]["2017-08"], rel=0.05)
