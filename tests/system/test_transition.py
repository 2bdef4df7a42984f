"""What unification costs in its first months: by hand, by area, and switched off."""

from __future__ import annotations

import datetime

import numpy as np
import pytest

from simulation.system import Model, RunOutput
from simulation.system.transition import time_lost
from tests.system.system_helpers import change, request, run, total, totals

ONE_SERVICE = datetime.date(2017, 9, 1)
UNIFIED = change(ONE_SERVICE, "set", "organisation.unified", 1)
DIP = {"organisation.transition_dip": 0.2, "organisation.transition_dip_days": 40}


def test_the_share_lost_falls_evenly_from_the_day_an_area_is_unified() -> None:
    model = Model(request(UNIFIED, overrides=DIP))
    service = model.service
    area, other = service.resolved.areas[0], service.resolved.areas[0] + 1
    began = service.calendar.day(ONE_SERVICE)
    model.run(began)
    assert time_lost(service) is None
    for after, left in ((1, 1.0), (11, 0.75), (31, 0.25)):
        model.run(began + after)
        # The midnight after is the next day's.
        service.environment._now = began + after - 1
        lost = time_lost(service)
        assert lost is not None and lost[area] == pytest.approx([0.2 * left] * 2) and not lost[other].any()
        service.environment._now = began + after
    model.run(began + 41)
    assert time_lost(service) is None


def test_time_lost_is_taken_from_the_time_of_officers_present() -> None:
    free = run(UNIFIED, overrides={**DIP, "organisation.transition_dip": 0.0})
    whole = run(UNIFIED, overrides={**DIP, "organisation.transition_dip": 1.0})
    assert total(free, "seconds_lost_to_transition") == 0
    lost, available = (totals(whole)[name] for name in ("seconds_lost_to_transition", "seconds_available"))
    before = totals(free)["seconds_available"]
    # September is lost but for what comes back day by day; every second is either there or lost.
    assert lost["2017-09"] > 0.5 * before["2017-09"] > available["2017-09"] > 0
    assert lost["2017-09"] + available["2017-09"] == pytest.approx(before["2017-09"], rel=0.05)
    assert set(month for month, seconds in lost.items() if seconds) == {"2017-09", "2017-10"}


def _hours(output: RunOutput) -> dict[str, int]:
    return {month: seconds for month, seconds in totals(output)["seconds_lost_to_transition"].items() if seconds}


DATES = {"start": datetime.date(2018, 3, 1), "count_from": datetime.date(2018, 3, 1)}


def test_in_a_region_that_comes_first_phases_and_pilot_are_the_same_as_all_at_once() -> None:
    end = {**DATES, "end": datetime.date(2018, 10, 31)}
    outputs = [
        run(areas=("gwent",), name=name, **end) for name in ("reunification", "unify_in_phases", "unify_after_a_pilot")
    ]
    assert _hours(outputs[0]) and all(output.event_digests == outputs[0].event_digests for output in outputs[1:])


def test_a_later_region_has_its_dip_when_its_turn_comes() -> None:
    end = {**DATES, "end": datetime.date(2019, 2, 28)}
    at_once, later, baseline = (
        run(areas=("cheshire",), name=name, **end) for name in ("unify_in_phases", "unify_after_a_pilot", "baseline")
    )
    assert min(_hours(at_once)) == "2018-07"
    assert not _hours(later) and later.event_digests == baseline.event_digests
    midlands = run(areas=("warwickshire",), name="unify_in_phases", **end)
    assert min(_hours(midlands)) == "2019-01"
    assert np.sum(list(_hours(midlands).values())) > 0


def test_cases_change_hands_by_the_share_that_is_mixed() -> None:
    """None with a share of 0; with 0.5 half of the companies' cases, and officers change more often for it."""
    end = {"end": datetime.date(2018, 2, 28)}
    share = "organisation.transition_reallocated_share"
    runs = [run(UNIFIED, overrides={share: part}, **end) for part in (0, 0.5, 1)]
    mixed = [total(output, "cases_mixed") for output in runs]
    assert mixed[0] == 0 and totals(runs[1])["cases_mixed"].keys() == {"2017-09"}
    assert 0.4 * mixed[2] < mixed[1] < 0.6 * mixed[2]
    changes = [total(output, "officer_changes") for output in runs]
    assert changes[1] > changes[0] + 0.5 * mixed[1]
