"""Which rules are compared: each slice is a set of values that leaves the rules outside it without anything to do."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Any

from simulation.scenario import Resolved, load_geography, load_parameters, load_scenario, resolve
from simulation.system.tracing import UNLIMITED

AREA = "gloucestershire"
START = datetime.date(2018, 5, 1)

#: Mechanisms outside the core rules that would touch the core: off everywhere.
OUTSIDE: dict[str, Any] = {
    "requirements.activity.share_of_orders": 0,
    "requirements.unpaid_work.share_of_orders": 0,
    "requirements.unpaid_work.held_open_months": 0,
    "requirements.programme.share_of_orders": 0,
    "enforcement.early_revocation_share": 0,
    "contact.hub_share_of_calls": 0,
    "staff.agency.share_of_vacancies": 0,
    "staff.trainee.starts_per_year": 0,
    "staff.maternity.rate": 0,
    "staff.facility_time": 0,
    "custody.indeterminate_unreleased": 0,
    "custody.indeterminate_recalled": 0,
}
NO_CUSTODY = {
    "courts.immediate_custody_imposed": 1e-6,
    "courts.custody_share_of_returners": 0,
    "enforcement.order_breach_outcome.revoked_custody": 0,
    "enforcement.suspended_breach_outcome.activated": 0,
}
NOBODY_FAILS = {
    "contact.missed_appointment_probability": 0,
    "community.crises_per_year": 0,
    "community.death_rate": 0,
    "community.reoffending_ratio": 0,
    "population.pending_convictions_ratio": 0,
}
ORDERS = {**OUTSIDE, **UNLIMITED, **NO_CUSTODY, **NOBODY_FAILS}
ABSENCES = {**OUTSIDE, **UNLIMITED, **NO_CUSTODY, **{k: v for k, v in NOBODY_FAILS.items() if "missed" not in k}}
FAILURES = {**OUTSIDE, **UNLIMITED, **NO_CUSTODY}
CUSTODY = {**OUTSIDE, **UNLIMITED}
#: Officers' time is what it is, and everybody is at work every day and stays.
STAYING = {name: value for name, value in UNLIMITED.items() if name.startswith("staff.")}
DIARIES = {**OUTSIDE, **STAYING, "workload.minutes_per_day_present": 300}
#: And they fall sick, take leave, go and are replaced.
STAFFING = OUTSIDE
#: Too few officers, who often go and are soon replaced, many of them from the company: what else is seldom.
TURNOVER = {
    **OUTSIDE,
    "staff.nps.officers_holding_cases": 2200,
    "staff.crc.officers_holding_cases": 2200,
    "staff.leaving_multiplier": 4,
    "staff.sickness_days": 25,
    "staff.recruitment.delay_multiplier": 0.3,
    "staff.recruitment.share_from_crc": 0.6,
}

#: Kinds of event that only mechanisms outside the core tell, and that change nothing inside it.
NOT_COMPARED = frozenset({
    "plan is thin",
    "case inspected: sufficient",
    "case inspected: falls short",
    "resettlement work begins",
    "resettlement work done",
    "screened in prison",
    "resettlement plan written",
    "benefits begin",
    "released to a settled home",
    "released to nowhere",
    "moves to a settled home",
    "moves somewhere temporary",
    "loses the home",
    "help before release begins",
    "help before release done",
    "home found before release",
    "met by a mentor",
    "serious further offence reviewed",
    "unpaid work ordered",
    "unpaid work done",
    "unpaid work missed",
    "unpaid work stood down",
    "unpaid work completed",
    "unpaid work lapses",
})  # fmt: skip


def scenario_of(name: str, values: dict[str, Any], days: int) -> Resolved:
    """Return a scenario of the smallest area from `START` for some days, with some values held throughout."""
    parameters, geography = load_parameters(), load_geography()
    spread = {}
    for each, value in values.items():
        found = parameters.find(each)
        assert found is not None, each
        parameter, labels = found
        for leaf in parameter.labels_below(labels):
            spread[".".join((parameter.name, *leaf))] = value
    scenario = replace(
        load_scenario(name),
        start=START,
        count_from=START + datetime.timedelta(days=1),
        end=START + datetime.timedelta(days=days - 1),
    )
    return resolve(scenario, parameters, geography, overrides=spread, areas=AREA)
