"""Counts split by group of people: they add up to the run that isn't split, and splitting changes nothing."""

from __future__ import annotations

import datetime
from collections import Counter
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from simulation.measures.groups import ALL, NOT_OF_PEOPLE, SPLITS
from simulation.measures.registry import COUNT_BY_NAME
from simulation.system import Model, RunOutput, RunRequest, run_family, run_model
from tests.system.system_helpers import resolved, same_run, scenario

#: A year of one area, in which its two services become one: people change side, tier, officer and sentence.
YEAR = {
    "start": datetime.date(2018, 1, 1),
    "count_from": datetime.date(2018, 1, 1),
    "end": datetime.date(2018, 12, 31),
}
AREAS = ("gwent",)


def asked(split: str, name: str = "reunification") -> RunRequest:
    return RunRequest(resolved(scenario(name, **YEAR), AREAS), seed=1, split=split)


@pytest.fixture(scope="module")
def whole() -> RunOutput:
    return run_model(asked(""))


@pytest.fixture(scope="module", params=list(SPLITS))
def split(request: pytest.FixtureRequest) -> tuple[str, Model]:
    model = Model(asked(request.param))
    model.run()
    return request.param, model


def added_up(output: RunOutput) -> Counter[tuple[str, ...]]:
    """Counts by area, provider, month and measure; bands stay apart, groups don't."""
    found: Counter[tuple[str, ...]] = Counter()
    names = ("area", "provider", "month", "measure", "group", "value")
    for *place, measure, group, value in zip(*(list(output.rows[name]) for name in names), strict=True):
        band = group if COUNT_BY_NAME[measure].kind == "histogram" else ""
        found[(*place, measure, band)] += int(value)
    return found


def test_groups_add_up_and_the_run_is_the_same(split: tuple[str, Model], whole: RunOutput) -> None:
    output = split[1].output()
    assert output.event_digests == whole.event_digests
    assert output.state_digests == whole.state_digests
    # A count of nothing has no row; here counts can cancel out to nothing.
    wanted = {place: value for place, value in added_up(whole).items() if value}
    assert {place: value for place, value in added_up(output).items() if value} == wanted


def test_what_belongs_to_nobody_is_in_no_group(split: tuple[str, Model]) -> None:
    rows = split[1].output().rows
    groups = set(SPLITS[split[0]].groups)
    # Part of the time of tasks, and of handing cases over, is of no one person.
    of_both = {"seconds_demanded", "handover_seconds"}
    for measure, group in zip(rows["measure"], rows["group"], strict=True):
        if COUNT_BY_NAME[measure].kind == "histogram":
            assert group.isdigit()
        elif measure not in of_both:
            assert (group == ALL) == (measure in NOT_OF_PEOPLE), (measure, group)
            assert group == ALL or group in groups


def places(split: str, model: Model) -> NDArray[np.int64]:
    """Everybody's group at the end of a run, by its number, worked out apart from the model's own loops."""
    service = model.service
    people, sentences = service.people, service.sentences
    size = people.size
    if split == "sex":
        return np.where(people.female[:size] == 1, 0, 1)
    if split == "area_kind":
        return np.where(people.rural[:size] == 1, 0, 1)
    if split == "age":
        # Ages are those of the first of December.
        first = service.calendar.day(datetime.date(2018, 12, 1))
        age = people.age[:size] + np.maximum(first - people.convicted[:size].astype(np.int64), 0) / 365.25
        return np.searchsorted([21, 25, 30, 40, 50, 60], age, side="right")
    if split == "tier":
        return np.where(people.side[:size] >= 0, people.tier[:size], 7)
    if split == "officer":
        weeks = service.levers.number("effects.officer_change_duration_weeks")
        last = service.calendar.day(YEAR["end"])
        new = last - people.officer_since[:size].astype(np.int64) < weeks * 7
        return np.where(people.officer[:size] < 0, 2, np.where(new, 0, 1))
    latest = people.latest[:size]
    kind, long = sentences.kind[latest].astype(np.int64), sentences.length[latest] >= 365
    found = np.where(kind == 3, 4, np.where(kind == 2, 2 + long, kind))
    return np.where(latest < 0, 5, found)


def test_the_last_evening_finds_everybody_in_their_group(split: tuple[str, Model]) -> None:
    """The caseload by group is what a look at everybody gives, and somebody is in every group of the supervised."""
    name, model = split
    people = model.service.people
    supervised = people.side[: people.size] >= 0
    groups = list(SPLITS[name].groups)
    wanted = np.bincount(places(name, model)[supervised], minlength=len(groups))
    rows: Any = model.output().rows
    found: Counter[str] = Counter()
    for measure, month, group, value in zip(
        rows["measure"], rows["month"], rows["group"], list(rows["value"]), strict=True
    ):
        if measure == "caseload_total" and month == "2018-12":
            found[group] += int(value)
    assert [found[group] for group in groups] == wanted.tolist()
    empty = {group for group, count in zip(groups, wanted, strict=True) if count == 0}
    assert empty <= {"not_supervised", "no_sentence_yet", "no_officer"}


@pytest.mark.parametrize(
    ("measure", "groups"),
    [
        ("sentences_community", {"community_order", "suspended_sentence_order"}),
        ("sentences_custody", {"custody_under_12_months", "custody_12_months_or_more"}),
        ("sentences_custody_on_breach", {"custody_under_12_months", "custody_12_months_or_more"}),
    ],
)
def test_a_sentence_is_counted_with_its_own_group(measure: str, groups: set[str]) -> None:
    """Though it is counted while it is written, before the person is in the group of it."""
    rows = run_model(asked("sentence", "baseline")).rows
    found = {group for name, group in zip(rows["measure"], rows["group"], strict=True) if name == measure}
    assert found == groups


def test_scenarios_run_together_are_split_as_alone() -> None:
    both = [asked("officer", name) for name in ("baseline", "reunification")]
    together = dict(run_family(both))
    assert len(together) == len(both)
    for position, request in enumerate(both):
        same_run(together[position], run_model(request))
