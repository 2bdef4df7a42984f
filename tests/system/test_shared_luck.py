"""Same person, same luck: what may differ between two runs, and what must be the same bytes."""

from __future__ import annotations

import dataclasses
import datetime
import json
import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulation.engine import Calendar
from simulation.scenario import load_scenario
from simulation.system import Model, RunOutput, RunRequest, run_family, run_model
from simulation.system.population import CONVICTED, unpack
from tests.system.system_helpers import (
    END,
    GEOGRAPHY,
    START,
    UNLIMITED,
    as_tuples,
    change,
    finished,
    request,
    resolved,
    run,
    same_run,
    scenario,
)

ROOT = Path(__file__).parents[2]
#: Scenarios that are compared with the baseline: those that rest on it.
POLICIES = sorted(path.stem for path in (ROOT / "scenarios").glob("*.yaml") if load_scenario(path.stem).extends)
#: One of each part of the system; ``--long`` looks at them all.
SOME = {
    "agency_fills_gaps",
    "generic_court_officers",
    "hdc_expansion",
    "losses_cut_posts",
    "more_telephone",
    "more_unpaid_work_places",
    "resettlement_real_service",
    "reunification",
    "trainee_surge",
}
EACH = [name if name in SOME else pytest.param(name, marks=pytest.mark.long) for name in POLICIES]
SHIPPED = ["baseline", *sorted(SOME)]
AREAS = ("cumbria", "gwent")

#: Ten months around the day on which shipped scenarios begin.
AROUND = {
    "start": datetime.date(2018, 3, 1),
    "count_from": datetime.date(2018, 4, 1),
    "end": datetime.date(2018, 12, 31),
}


class Family(dict[str, RunOutput]):
    """Shipped scenarios, each run by itself when it is first asked for."""

    def __missing__(self, name: str) -> RunOutput:
        self[name] = run_model(request(name=name, areas=AREAS, **AROUND))
        return self[name]


@pytest.fixture(scope="module")
def family() -> Family:
    return Family()


# --- Identical until different ------------------------------------------------------------------------

#: Decided on the day, and seen months later: trainees are asked for seven months ahead, and prisons fill up first.
SHOWS_LATER = {"release_when_prisons_are_full", "trainee_surge"}
#: Nothing happens in the two areas: the mayors' areas are others.
ELSEWHERE = {"commissioned_by_mayors"}


@pytest.mark.parametrize("name", EACH)
def test_identical_until_different(family: dict[str, RunOutput], name: str) -> None:
    before, after = (resolved(scenario(each, **AROUND), AREAS) for each in ("baseline", name))
    when = before.first_difference(after)
    assert when is not None
    if not AROUND["start"] < when <= AROUND["end"]:
        pytest.skip(f"first differs on {when}")
    day = (when - before.start).days
    baseline, policy = family["baseline"], family[name]
    assert baseline.event_digests[:day] == policy.event_digests[:day]
    assert (baseline.event_digests[day:] != policy.event_digests[day:]) == (name not in SHOWS_LATER | ELSEWHERE)
    past = [month for month in baseline.state_digests if month < when.isoformat()[:7]]
    assert past
    for month in past:
        assert baseline.state_digests[month] == policy.state_digests[month]

    def known_before(output: RunOutput) -> list[tuple[Any, ...]]:
        return [row for row in as_tuples(output) if row[-1] < when.isoformat()]

    assert known_before(baseline) == known_before(policy)
    assert len(known_before(baseline)) > 100
    assert (as_tuples(baseline) != as_tuples(policy)) == (name not in SHOWS_LATER | ELSEWHERE)


@pytest.mark.parametrize("name", POLICIES)
def test_a_shipped_scenario_first_differs_after_half_a_year(name: str) -> None:
    one, other = (resolved(load_scenario(each)) for each in ("baseline", name))
    when = one.first_difference(other)
    assert when is not None and (when - one.start).days >= 180


def test_a_change_without_effect_changes_nothing() -> None:
    """A value set to what it was is no difference."""
    share = change(datetime.date(2017, 9, 1), "multiply", "custody.hdc.take_up", 1)
    same_run(run(end=datetime.date(2017, 9, 30)), run(share, end=datetime.date(2017, 9, 30)))


def test_another_seed_and_another_replication_are_other_luck() -> None:
    dates = {"end": datetime.date(2017, 8, 31), "count_from": datetime.date(2017, 7, 15)}
    first = request(**dates)
    other = RunRequest(first.resolved, seed=first.seed, replication=1)
    digests = {tuple(run_model(each).event_digests) for each in (first, other, request(seed=2, **dates))}
    assert len(digests) == 3


# --- A common prefix, and a save at any midnight ------------------------------------------------------


def test_a_family_gives_the_same_as_separate_runs(family: dict[str, RunOutput]) -> None:
    together = dict(run_family([request(name=name, areas=AREAS, **AROUND) for name in SHIPPED]))
    assert len(together) == len(SHIPPED)
    for position, name in enumerate(SHIPPED):
        output = together[position]
        same_run(output, family[name])
        assert output.checks == family[name].checks


def test_the_order_of_scenarios_is_nothing(family: dict[str, RunOutput]) -> None:
    names = ["baseline", *sorted(SOME, reverse=True)]
    together = dict(run_family([request(name=name, areas=AREAS, **AROUND) for name in names]))
    for position, name in enumerate(names):
        same_run(together[position], family[name])


def test_scenarios_that_part_on_different_days_give_the_same_as_alone() -> None:
    """One never parts, one on its first day; and what one of them keeps of mentors' places is not another's."""
    kept, take_up = "organisation.commissioned_places_kept_days", "custody.hdc.take_up"
    paid = {"organisation.commissioner": "pcc", "organisation.commissioned_money": 100}
    requests = [
        request(*changes, areas=AREAS, overrides=paid, end=datetime.date(2017, 12, 31))
        for changes in (
            (),
            (change(datetime.date(2017, 8, 1), "multiply", take_up, 0.5),),
            (change(datetime.date(2017, 9, 1), "multiply", take_up, 2),),
            (change(datetime.date(2017, 9, 1), "set", kept, 0),),
            (change(datetime.date(2017, 8, 1), "multiply", take_up, 1),),
            (change(START, "multiply", take_up, 0.5),),
        )
    ]
    reached: dict[int, list[tuple[int, int]]] = {position: [] for position in range(len(requests))}
    listening = [
        dataclasses.replace(each, progress=lambda day, days, position=position: reached[position].append((day, days)))
        for position, each in enumerate(requests)
    ]
    together = list(run_family(listening))
    days = (requests[0].resolved.end - START).days + 1
    for told in reached.values():
        # Each run tells of its own days, of all there are, and never goes back.
        assert told == sorted(told) and {length for _, length in told} <= {days}
    assert reached[0][-1] == (days, days) and reached[0][0][0] < 40
    assert sorted(position for position, _ in together) == list(range(len(requests)))
    for position, output in together:
        same_run(output, run_model(requests[position]))


@pytest.mark.parametrize("midnight", [1, 45, 64, 100])
def test_saved_and_continued(baseline: RunOutput, midnight: int) -> None:
    """At a midnight like any other, on a Saturday, and a while in; also in a world that ran on meanwhile."""
    model = Model(request())
    model.run(midnight)
    saved = model.save()
    model.run(midnight + 30)
    model.continue_with(saved, model.request.resolved)
    model.run()
    same_run(model.output(), baseline)


def test_saved_and_continued_elsewhere(baseline: RunOutput) -> None:
    """All state is in what is saved: another world, made afresh, goes on from it to the same bytes."""
    one, other = Model(request()), Model(request())
    one.run(77)
    other.continue_with(one.save(), other.request.resolved)
    other.run()
    same_run(other.output(), baseline)


# --- One more person in the world ---------------------------------------------------------------------

#: What belongs to a person's own history. Officers are left out: who of them takes a case may differ.
OWN = (
    "location", "setting", "side", "tier", "assessed_rosh", "contacts", "last_seen", "stage_start",
    "first_due_from", "crisis_since", "crisis_noticed", "crises", "warned_on", "sentences", "released_on",
    "spells", "reoffences", "risk_hazard", "report_due", "committed_until", "work_only", "allocated_on",
)  # fmt: skip


def histories(model: Model, columns: tuple[str, ...] = OWN) -> dict[int, tuple[Any, ...]]:
    """Each person's columns, and their sentences, by key."""
    people, sentences = model.service.people, model.service.sentences
    rows = np.arange(people.size)
    values = [getattr(people, name)[rows].tolist() for name in columns]
    found = dict(zip(people.key[rows].tolist(), zip(*values, strict=True), strict=True))
    served: dict[int, list[Any]] = {}
    names = ("number", "kind", "status", "imposed", "length", "custody_end", "expiry", "recalls", "released")
    table = [getattr(sentences, name)[: sentences.size].tolist() for name in names]
    for person, *rest in zip(sentences.person[: sentences.size].tolist(), *table, strict=True):
        served.setdefault(int(people.key[person]), []).append(tuple(rest))
    return {key: (*columns_, tuple(sorted(served.get(key, [])))) for key, columns_ in found.items()}


def a_working_day() -> int:
    day = int(Calendar(START).working_day_after(np.array([20]))[0])
    return day


def test_one_more_person_changes_nobody_when_officers_are_unlimited() -> None:
    """Even in the same office, on the same day."""
    # All officers of one grade: who may keep a case depends on nobody's choice.
    models = (
        "nps_e3",
        "sodexo",
        "working_links",
        "purple_futures",
        "mtcnovo",
        "rrp",
        "arcc",
        "seetec",
        "eos",
        "unified",
    )
    always = {
        **UNLIMITED,
        **{f"staff.qualified_share.{model}": 1 for model in models},
        "staff.trainee.starts_per_year": 0,
        **{f"allocation.transfers_per_year.{model}": 0 for model in models},
    }
    area = GEOGRAPHY.areas.index("cumbria")
    without = finished(overrides=always)
    extra = finished(overrides=always, extra=((area, a_working_day()),))
    one, other = histories(without), histories(extra)
    (newcomer,) = set(other) - set(one)
    assert unpack(newcomer)[:3] == (area, CONVICTED, a_working_day())
    del other[newcomer]
    changed = [unpack(key) for key in one if one[key] != other[key]]
    assert not changed


def test_one_more_person_changes_nobody_outside_their_area() -> None:
    """With queues, somebody in the same office may wait; nobody elsewhere."""
    area = GEOGRAPHY.areas.index("gwent")
    without = finished(areas=AREAS)
    extra = finished(areas=AREAS, extra=((area, a_working_day()),))
    one, other = histories(without), histories(extra)
    (newcomer,) = set(other) - set(one)
    del other[newcomer]
    assert {unpack(key)[0] for key in one if one[key] != other[key]} <= {area}

    def elsewhere(model: Model) -> list[tuple[Any, ...]]:
        return [row for row in as_tuples(model.output()) if row[0] not in ("gwent", "england_and_wales")]

    assert elsewhere(without) == elsewhere(extra)


def test_more_demand_adds_people_and_changes_none() -> None:
    """The count of a day grows with its mean; who was there before is still there, with the same traits."""
    dates = {"end": datetime.date(2017, 8, 31), "count_from": datetime.date(2017, 7, 15)}
    few = Model(request(overrides={"courts.supervised_start_share": 0.74}, **dates)).service.people
    more = Model(request(overrides={"courts.supervised_start_share": 0.80}, **dates)).service.people
    here, there = (set(people.key[: people.size].tolist()) for people in (few, more))
    new = {key for key in here if unpack(key)[1] == CONVICTED and unpack(key)[2] >= 0}
    assert new and new <= there and len(there) > len(here)
    for name in ("age", "ogrs", "miss_factor", "disposal_draw"):
        traits = [
            dict(zip(p.key[: p.size].tolist(), getattr(p, name)[: p.size].tolist(), strict=True)) for p in (few, more)
        ]
        same = sum(traits[0][key] == traits[1][key] for key in new)
        # OGRS follows the group the baseline gives, whose threshold moves with the mix.
        assert same == len(new) if name != "ogrs" else same > 0.9 * len(new)


# --- Areas ----------------------------------------------------------------------------------------------


def slice_of(output: RunOutput, areas: tuple[str, ...]) -> list[tuple[Any, ...]]:
    return [row for row in as_tuples(output) if row[0] in areas]


def test_areas_alone_are_their_slice_of_a_larger_run() -> None:
    three = ("suffolk", "durham", "cumbria")
    six = (*three, "gwent", "dyfed_powys", "warwickshire")
    dates = {"end": datetime.date(2017, 10, 31)}
    together = run(areas=six, **dates)
    alone = run(areas=three, **dates)
    assert slice_of(together, three) == slice_of(alone, three)
    assert {row[0] for row in as_tuples(together)} == {*six, "england_and_wales"}


def test_an_area_with_days_on_which_nothing_waits_is_its_slice_too() -> None:
    """What a team owes is made up for on days without work, too, whatever waits in another area."""
    dates = {"end": datetime.date(2018, 6, 30)}
    together, alone = run(areas=("cumbria", "gwent"), **dates), run(areas=("cumbria",), **dates)
    assert slice_of(together, ("cumbria",)) == slice_of(alone, ("cumbria",))


# --- Machines and processes -----------------------------------------------------------------------------

SCRIPT = """
import datetime, json, sys
sys.path[:0] = [".", "tests/system"]
from system_helpers import run
output = run(end=datetime.date.fromisoformat(sys.argv[1]))
print(json.dumps([output.event_digests, output.state_digests]))
"""


def digests_elsewhere(end: str = "2017-09-15", script: str = SCRIPT, **environment: str) -> list[Any]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, end],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def short() -> list[Any]:
    output = run(end=datetime.date(2017, 9, 15))
    return json.loads(json.dumps([output.event_digests, output.state_digests]))


def test_the_same_on_a_processor_without_wide_instructions(short: list[Any]) -> None:
    """Vectorised log, exp and sorting differ between processors; nothing that decides anything may."""
    found = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    plain = {"NPY_DISABLE_CPU_FEATURES": " ".join(found), "NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}
    assert digests_elsewhere(**plain) == short


def test_compiled_loops_do_what_their_lines_say() -> None:
    """Interpreted, the same lines give the same bytes: nothing is reordered, wrapped or rounded on the way."""
    output = run(end=datetime.date(2017, 7, 8))
    said = json.loads(json.dumps([output.event_digests, output.state_digests]))
    assert digests_elsewhere("2017-07-08", NUMBA_DISABLE_JIT="1") == said


EVERYTHING = """
import datetime, json, pathlib, sys
sys.path[:0] = [".", "tests/system"]
from system_helpers import GEOGRAPHY, PARAMETERS
from simulation.scenario import load_scenario, resolve
from simulation.system import RunRequest, run_model
scenario = load_scenario(pathlib.Path("benchmarks/every_mechanism.yaml"), PARAMETERS)
until = datetime.date.fromisoformat(sys.argv[1])
output = run_model(RunRequest(resolve(scenario, PARAMETERS, GEOGRAPHY, areas="cumbria,gwent", until=until), seed=1))
print(json.dumps([output.event_digests, output.state_digests]))
"""


@pytest.mark.long
def test_no_loop_reads_or_writes_outside_an_array() -> None:
    """Nothing looks in a run whether a place read from a column is one of the array's: it would cost a tenth."""
    looked_at = digests_elsewhere("2020-06-30", EVERYTHING, NUMBA_BOUNDSCHECK="1")
    assert looked_at == digests_elsewhere("2020-06-30", EVERYTHING)


def test_the_same_whatever_the_order_of_sets(short: list[Any]) -> None:
    assert digests_elsewhere(PYTHONHASHSEED="0") == short
    assert digests_elsewhere(PYTHONHASHSEED="4242") == short


def test_the_same_in_a_spawned_process(baseline: RunOutput) -> None:
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        output = pool.submit(run_model, request()).result(timeout=300)
    events, states = output.event_digests, output.state_digests
    assert (events, states) == (baseline.event_digests, baseline.state_digests)
    assert len(events) == (END - START).days + 1
