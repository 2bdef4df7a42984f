"""Operating models as sets of parameters: each owner has its own; the levels of one set how often people are seen."""

from __future__ import annotations

import datetime
import itertools

import pytest

from simulation.system.codes import Mode, Setting, Tier
from simulation.system.levers import Levers
from simulation.system.workload import Workload
from tests.system.system_helpers import resolved, run, scenario, total

OWNERS = ("nps_e3", "sodexo", "working_links", "purple_futures", "mtcnovo", "rrp", "arcc", "seetec", "eos")
#: Parameters by operating model that have a row of evidence for each owner.
EVIDENCED = (
    "contact.phone_only_share",
    "contact.phone_interval_weeks",
    "allocation.transfers_per_year",
    "staff.qualified_share",
)
SHORT = {"areas": ("gwent",), "end": datetime.date(2018, 3, 31)}


@pytest.fixture(scope="module")
def levers() -> Levers:
    return Levers(resolved(scenario()).on(0))


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(OWNERS, 2)))
def test_every_owner_differs_from_every_other_by_evidence(levers: Levers, one: str, other: str) -> None:
    values = [levers.mapping(name) for name in EVIDENCED]
    assert [value[one] for value in values] != [value[other] for value in values]


def test_everything_that_goes_by_pattern_has_all_patterns(levers: Levers) -> None:
    intervals, minutes = levers.mapping("contact.interval_days"), levers.mapping("workload.minutes")
    patterns = set(levers.mapping("organisation.pattern_of_model").values()) | {"trust"}
    assert patterns == set(intervals) == {"e3", "crc", "brag", "unified", "trust"}
    assert {"administration_" + pattern for pattern in patterns - {"e3"}} <= set(minutes)


def test_a_level_is_never_seen_less_than_the_one_below_it(levers: Levers) -> None:
    intervals = levers.mapping("contact.interval_days")["brag"]
    for stage in ("early", "middle", "later"):
        days = [intervals[f"{stage}_{tier}"] for tier in Tier.names]
        assert days == sorted(days)
    assert max(intervals.values()) < 7 * levers.mapping("contact.phone_interval_weeks")["working_links"]


def test_contacts_of_the_companies_patterns_cost_their_tasks_alone(levers: Levers) -> None:
    """Weekly as under E3, but not paid by the tariff."""
    workload = Workload(levers)
    here, other = workload.models.index("working_links"), workload.models.index("rrp")
    assert not workload.from_tariff[[here, other]].any()
    costs = workload.contact_seconds[:, Setting.ORDER, :, Mode.FACE_TO_FACE]
    assert (costs[here] == costs[other]).all()


def test_levels_seen_less_have_fewer_visits_and_as_many_on_the_telephone() -> None:
    before = run(**SHORT)
    seldom = {f"contact.interval_days.brag.later_{tier}": 60 for tier in ("C1", "C2", "D1", "D2")}
    after = run(overrides=seldom, **SHORT)
    assert total(after, "contacts_face_to_face") < 0.95 * total(before, "contacts_face_to_face")
    on_telephone = total(before, "caseload_telephone_only")
    assert total(after, "caseload_telephone_only") == pytest.approx(on_telephone, rel=0.05)
    # The Gwent rule is about the owner's lower risks past the early weeks: about a quarter of its cases.
    assert on_telephone > 0


def test_the_pattern_of_another_owner_can_be_taken() -> None:
    crc = run(overrides={"organisation.pattern_of_model.working_links": "crc"}, **SHORT)
    assert total(crc, "contacts_due") != total(run(**SHORT), "contacts_due")
