"""A wrong model stops: each law, broken on purpose by one wrong transition or one wrong value, is named."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from simulation.engine import NEVER
from simulation.system import Model
from simulation.system.codes import (
    CRC,
    NPS,
    Grade,
    Kind,
    Location,
    Place,
    Progress,
    RecallKind,
    Requirement,
    Rosh,
    Setting,
    Stage,
    Status,
    Task,
    Terms,
)
from simulation.system.invariants import InvariantBroken, Invariants
from simulation.system.service import COUNT_INDEX
from tests.system.system_helpers import request

Patch = pytest.MonkeyPatch
#: Midnight at which a month's last day begins: the laws are checked that evening.
LAST_DAY = 61


@pytest.fixture(scope="module")
def world() -> tuple[Model, dict[str, Any]]:
    """Two months of an area, stopped at the midnight before the last day of a month."""
    model = Model(request(seed=3, end=datetime.date(2017, 10, 31)))
    model.run(LAST_DAY)
    return model, model.save()


class World:
    """What a wrong transition needs to find its victim."""

    def __init__(self, model: Model) -> None:
        self.model, self.service = model, model.service
        self.people, self.sentences = model.service.people, model.service.sentences
        self.posts, self.tasks = model.service.posts, model.service.tasks
        self.agendas = model.service.agendas

    def person(self, wanted: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Return the row of somebody for whom ``wanted`` holds, with nothing due tomorrow that would move them."""
        rows = np.arange(self.people.size)
        found = rows[wanted(rows)]
        for name in ("allocate", "escalate", "death", "conviction", "sentence", "contact", "committal"):
            found = found[np.abs(self.agendas[name].day_of(found).astype(np.int64) - LAST_DAY) > 1]
        latest = self.people.latest[found]
        for name in ("legal end", "release", "recall step", "hearing", "curfew release"):
            found = found[np.abs(self.agendas[name].day_of(latest).astype(np.int64) - LAST_DAY) > 1]
            latest = self.people.latest[found]
        assert found.size, "nobody like that in this small world"
        return found[:1].astype(np.int32)

    def sentence(self, wanted: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Return the sentence of somebody whose only sentence is as ``wanted``."""
        latest = self.people.latest
        person = self.person(
            lambda rows: (
                (latest[rows] >= 0)
                & (self.sentences.previous[latest[rows]] == -1)
                & (self.people.location[rows] != Location.DEAD)
                & wanted(latest[rows])
            )
        )
        return latest[person]

    def in_community(self, rows: np.ndarray) -> np.ndarray:
        return (self.people.location[rows] == Location.COMMUNITY) & (self.people.officer[rows] >= 0)

    def determinate(self, rows: np.ndarray, status: int) -> np.ndarray:
        return (self.sentences.kind[rows] == Kind.DETERMINATE) & (self.sentences.status[rows] == status)


# --- One wrong value or transition each --------------------------------------------------------------


def moved_without_a_sentence(world: World) -> None:
    person = world.person(lambda rows: world.people.location[rows] == Location.SENTENCED)
    world.people.location[person] = Location.RECALLED


def licence_worked_as_an_order(world: World) -> None:
    person = world.person(lambda rows: world.people.setting[rows] == Setting.LICENCE)
    world.people.setting[person] = Setting.ORDER


def dropped_from_every_queue(world: World) -> None:
    person = world.person(world.in_community)
    officer = world.people.officer[person]
    world.people.officer[person] = -1
    world.posts.cases[officer] -= 1


def counted_twice(world: World) -> None:
    world.posts.cases[np.flatnonzero(world.posts.filled[: world.posts.size])[0]] += 1


def vanished(world: World) -> None:
    person = world.person(
        lambda rows: (world.people.location[rows] == Location.ENDED) & (world.people.returner_pool[rows] == 1)
    )
    world.people.location[person] = Location.UNKNOWN


def supervised_in_custody_outside_prison(world: World) -> None:
    person = world.person(world.in_community)
    world.people.setting[person] = Setting.CUSTODY


def recalled_under_supervision(world: World) -> None:
    sentence = world.sentence(lambda rows: world.determinate(rows, Status.SUPERVISION))
    world.sentences.status[sentence] = Status.RECALLED
    world.service.refresh(world.sentences.person[sentence])


def recall_of_an_order(world: World) -> None:
    sentence = world.sentence(lambda rows: world.sentences.status[rows] == Status.ORDER)
    world.sentences.recalls[sentence] += 1


def supervision_for_thirteen_months(world: World) -> None:
    sentence = world.sentence(lambda rows: world.determinate(rows, Status.SUPERVISION))
    world.sentences.supervision_end[sentence] = world.sentences.custody_end[sentence] + 396


def fixed_term_at_high_risk(world: World) -> None:
    people = world.people
    sentence = world.sentence(
        lambda rows: world.determinate(rows, Status.RECALLED) & (people.rosh[world.sentences.person[rows]] >= Rosh.HIGH)
    )
    world.sentences.recall_kind[sentence] = RecallKind.FIXED_TERM
    world.sentences.returned[sentence] = LAST_DAY - 1


def fixed_term_for_a_month_and_a_half(world: World) -> None:
    sentence = world.sentence(lambda rows: world.determinate(rows, Status.RECALLED))
    world.sentences.recall_kind[sentence] = RecallKind.FIXED_TERM
    world.people.rosh[world.sentences.person[sentence]] = Rosh.LOW
    world.sentences.returned[sentence] = LAST_DAY - 45


def recalled_beyond_the_sentence(world: World) -> None:
    sentence = world.sentence(lambda rows: world.determinate(rows, Status.RECALLED))
    world.agendas["recall step"].put(sentence, world.sentences.expiry[sentence] + 30)


def curfew_for_the_excluded(world: World) -> None:
    sentence = world.sentence(lambda rows: world.sentences.status[rows] == Status.CURFEW)
    world.people.never_curfew[world.sentences.person[sentence]] = 1


def curfew_for_a_mappa_case(world: World) -> None:
    sentence = world.sentence(lambda rows: world.sentences.status[rows] == Status.CURFEW)
    world.people.mappa[world.sentences.person[sentence]] = 1
    world.model.service.set_side(world.sentences.person[sentence], np.array([NPS]))


def curfew_for_three_days(world: World) -> None:
    sentence = world.sentence(lambda rows: world.sentences.status[rows] == Status.CURFEW)
    world.sentences.released[sentence] = world.sentences.custody_end[sentence] - 3


def out_again_before_the_release_date(world: World) -> None:
    sentence = world.sentence(lambda rows: world.sentences.status[rows] == Status.CURFEW)
    world.sentences.recall_kind[sentence] = RecallKind.CURFEW
    world.sentences.status[sentence] = Status.LICENCE
    world.service.refresh(world.sentences.person[sentence])


def high_risk_given_to_a_company(world: World) -> None:
    people = world.people
    high = world.person(
        lambda rows: (people.side[rows] == NPS) & (people.mappa[rows] > 0) & (people.officer[rows] >= 0)
    )
    world.service.set_side(high, CRC)


def high_risk_given_to_a_lower_grade(world: World) -> None:
    people, posts = world.people, world.posts
    lower = np.flatnonzero((posts.grade[: posts.size] == Grade.PSO) & (posts.filled[: posts.size] == 1))
    lower = lower[posts.employer[lower] == NPS]
    person = world.person(lambda rows: (people.assessed_rosh[rows] >= Rosh.HIGH) & (people.officer[rows] >= 0))
    posts.cases[people.officer[person]] -= 1
    people.officer[person] = lower[0]
    posts.cases[lower[0]] += 1


def held_by_the_other_provider(world: World) -> None:
    people, posts = world.people, world.posts
    person = world.person(lambda rows: (people.side[rows] == NPS) & (people.officer[rows] >= 0))
    other = np.flatnonzero((posts.employer[: posts.size] == CRC) & (posts.grade[: posts.size] == Grade.PO))
    other = other[posts.filled[other] == 1][:1]
    posts.cases[people.officer[person]] -= 1
    people.officer[person] = other
    posts.cases[other] += 1


def appointment_for_somebody_whose_supervision_ended(world: World) -> None:
    person = world.person(lambda rows: world.people.location[rows] == Location.ENDED)
    world.agendas["contact"].put(person, LAST_DAY + 5)


def first_appointment_kept_open_in_custody(world: World) -> None:
    person = world.person(lambda rows: world.people.location[rows] == Location.SENTENCED)
    world.people.first_due_from[person] = LAST_DAY - 1


def appointment_on_a_sunday(world: World) -> None:
    person = world.person(world.in_community)
    sunday = LAST_DAY + 1 + (6 - int(world.service.calendar.weekday(LAST_DAY + 1)))
    world.agendas["contact"].put(person, sunday)


def telephone_alone_at_high_risk(world: World, patch: Patch) -> None:
    people = world.people
    patch.setattr(world.model.contact, "phone_eligible", lambda rows: np.ones(rows.size, dtype=bool))
    person = world.person(lambda rows: world.in_community(rows) & (people.assessed_rosh[rows] >= Rosh.HIGH))
    people.phone_draw[person] = -1.0


def the_diary_loses_a_minute(world: World) -> None:
    world.service.tables["balance"].value[1] -= 60


def the_hub_loses_a_minute(world: World) -> None:
    world.service.tables["hubs"].worked[0] -= 60


def debt_below_nothing(world: World) -> None:
    empty = np.flatnonzero(world.posts.filled[: world.posts.size] == 0)[:1]
    world.posts.owed[empty] = -1


def a_live_sentence_for_the_dead(world: World) -> None:
    person = world.person(world.in_community)
    world.model.community.deaths(person)
    world.sentences.status[world.people.latest[person]] = Status.ORDER


def an_appointment_for_the_dead(world: World) -> None:
    person = world.person(world.in_community)
    world.model.community.deaths(person)
    world.agendas["contact"].put(person, LAST_DAY + 3)


def recall_report_on_an_order(world: World) -> None:
    sentence = world.sentence(lambda rows: world.sentences.status[rows] == Status.ORDER)
    # Work that stays open, so that it's there in the evening.
    world.service.add_task(Task.RECALL_REPORT, world.sentences.person[sentence], LAST_DAY, 60, sentence)


def held_by_a_prison_from_outside(world: World) -> None:
    world.people.prison_held[world.person(world.in_community)] = 1


def warrant_without_a_breach(world: World) -> None:
    sentence = world.sentence(lambda rows: world.sentences.status[rows] == Status.ORDER)
    world.sentences.warrant_since[sentence] = LAST_DAY - 3


def recalled_for_no_reason(world: World) -> None:
    world.service.flows[COUNT_INDEX["recalls"], 0] += 1


def a_home_from_nowhere(world: World) -> None:
    world.service.tables["teams"].homes_free[0] += 1


def one_home_for_two(world: World) -> None:
    world.sentences.home_found[np.flatnonzero(world.sentences.home_found[: world.sentences.size] == 0)[0]] = 1


def a_penny_lost_between_accounts(world: World) -> None:
    world.service.tables["accounts"].balance[0] += 1


def paid_for_nothing_that_is_booked(world: World) -> None:
    areas = np.array(world.service.resolved.areas)
    world.model.contracts.ledger.move("ministry", "company", areas, np.array([100]))


def somebody_in_a_closed_post(world: World) -> None:
    post = np.flatnonzero(world.posts.filled[: world.posts.size])[:1]
    world.posts.closed[post] = 1
    world.service.tables["contracts"].posts_closed[world.posts.area[post]] += 1


def a_day_delivered_that_nobody_noted(world: World) -> None:
    rows = world.service.requirements
    going = np.flatnonzero(rows.progress[: rows.size] == Progress.RUNNING)[0]
    rows.done[going] += 1


def a_member_whom_the_group_does_not_know(world: World) -> None:
    rows = world.service.requirements
    alone = np.flatnonzero((rows.kind[: rows.size] == Requirement.PROGRAMME) & (rows.group[: rows.size] < 0))
    rows.group[alone[rows.progress[alone] == Progress.FINISHED][:1]] = 0


def unpaid_work_that_waits_to_be_bought(world: World) -> None:
    rows = world.service.requirements
    rows.held[np.flatnonzero(rows.kind[: rows.size] == Requirement.UNPAID_WORK)[0]] = 1


def a_debt_from_nowhere(world: World) -> None:
    world.posts.owed[np.flatnonzero(world.posts.filled[: world.posts.size])[0]] += 60


def a_post_lost_to_training(world: World) -> None:
    world.posts.place[np.flatnonzero(world.posts.filled[: world.posts.size])[0]] = Place.TRAINING


def a_vacancy_that_nobody_fills(world: World) -> None:
    world.agendas["recruitment"].cancel(vacancies(world)[:1])


def a_search_that_stands_still(world: World) -> None:
    world.posts.stage[vacancies(world)[-1:]] = Stage.NONE


def vacancies(world: World) -> np.ndarray:
    """Vacant posts whose search goes on beyond the day."""
    posts, size = world.posts, world.posts.size
    vacant = (posts.filled[:size] == 0) & (posts.place[:size] == Place.ESTABLISHED)
    return np.flatnonzero(vacant & (world.agendas["recruitment"].day_of(np.arange(size)) > LAST_DAY + 1))


def cases_kept_through_long_absence(world: World) -> None:
    world.posts.covered[np.flatnonzero(world.posts.cases[: world.posts.size])[0]] = 1


def an_agency_trainee(world: World) -> None:
    posts, size = world.posts, world.posts.size
    trainee = np.flatnonzero((posts.place[:size] == Place.TRAINING) & (posts.filled[:size] == 1))[:1]
    posts.terms[trainee] = Terms.AGENCY


WRONG: tuple[tuple[str, Callable[..., None]], ...] = (
    ("one place a person", moved_without_a_sentence),
    ("setting follows sentences", licence_worked_as_an_order),
    ("one officer or one queue a supervised person", dropped_from_every_queue),
    ("cases held are counted once", counted_twice),
    ("nobody is lost", vanished),
    ("supervised in custody never exceed prisoners", supervised_in_custody_outside_prison),
    ("post-sentence supervision is never recalled", recalled_under_supervision),
    ("post-sentence supervision is never recalled", recall_of_an_order),
    ("supervision ends twelve months after custody", supervision_for_thirteen_months),
    ("fixed-term recall never at high risk or on an extended sentence", fixed_term_at_high_risk),
    ("fixed-term recall never at high risk or on an extended sentence", fixed_term_for_a_month_and_a_half),
    ("no recall beyond the end of the sentence", recalled_beyond_the_sentence),
    ("curfew never for the excluded, on recall or under fourteen days", curfew_for_the_excluded),
    ("curfew never for the excluded, on recall or under fourteen days", curfew_for_a_mappa_case),
    ("curfew never for the excluded, on recall or under fourteen days", curfew_for_three_days),
    ("recalled from curfew stays until the release date", out_again_before_the_release_date),
    ("high risk is held by the NPS", high_risk_given_to_a_company),
    ("high risk is held by a probation officer", high_risk_given_to_a_lower_grade),
    ("the higher provider wins", held_by_the_other_provider),
    ("no community appointment in custody", appointment_for_somebody_whose_supervision_ended),
    ("no community appointment in custody", first_appointment_kept_open_in_custody),
    ("appointments fall on working days", appointment_on_a_sunday),
    ("never by telephone alone at high risk or at first", telephone_alone_at_high_risk),
    ("the diary balances", the_diary_loses_a_minute),
    ("the diary balances", debt_below_nothing),
    ("the hub's day balances", the_hub_loses_a_minute),
    ("the dead are out of the model", a_live_sentence_for_the_dead),
    ("the dead are out of the model", an_appointment_for_the_dead),
    ("prisons hold the cases of prisoners alone", held_by_a_prison_from_outside),
    ("a warrant ends with a hearing", warrant_without_a_breach),
    ("recalls have one reason and one kind", recalled_for_no_reason),
    ("breach packs only for orders and supervision", recall_report_on_an_order),
    ("places to live are neither made nor lost", a_home_from_nowhere),
    ("places to live are neither made nor lost", one_home_for_two),
    ("every penny is in an account", a_penny_lost_between_accounts),
    ("every penny is in an account", paid_for_nothing_that_is_booked),
    ("a closed post is vacant", somebody_in_a_closed_post),
    ("what is ordered is done, lapsed or still open", a_day_delivered_that_nobody_noted),
    ("programme groups hold those who are in them, up to their size", a_member_whom_the_group_does_not_know),
    ("friction touches rehabilitation activity alone", unpaid_work_that_waits_to_be_bought),
    ("what officers owe is accounted for", a_debt_from_nowhere),
    ("no post is lost", a_post_lost_to_training),
    ("a vacant post is being filled", a_vacancy_that_nobody_fills),
    ("a vacant post is being filled", a_search_that_stands_still),
    ("nobody away for long holds cases", cases_kept_through_long_absence),
    ("agency officers have no other terms", an_agency_trainee),
)


def named_by(model: Model) -> set[str]:
    """Ask every law by itself, so that no other law can hide it."""
    invariants = model.invariants
    laws, broken = invariants.laws, set()
    for name, law in laws.items():
        invariants.laws = {name: law}
        try:
            invariants.check()
        except InvariantBroken as stopped:
            broken.add(stopped.name)
    invariants.laws = laws
    return broken


@pytest.mark.parametrize(("law", "wrong"), WRONG, ids=lambda value: getattr(value, "__name__", None))
def test_a_wrong_transition_is_named(
    world: tuple[Model, dict[str, Any]], monkeypatch: Patch, law: str, wrong: Callable[..., None]
) -> None:
    model, saved = world
    model.continue_with(saved, model.request.resolved)
    assert named_by(model) == set(), "the world was right before"
    arguments = (World(model), monkeypatch)[: wrong.__code__.co_argcount]
    wrong(*arguments)
    # Where several laws are broken at once, the run stops at the first: ask this one alone first.
    assert law in named_by(model)
    others = {name: check for name, check in model.invariants.laws.items() if name == law}
    monkeypatch.setattr(model.invariants, "laws", others)
    if wrong in FADES:
        with pytest.raises(InvariantBroken) as stopped:
            model.invariants.check()
    else:
        with pytest.raises(InvariantBroken) as stopped:
            model.run(LAST_DAY + 1)
    assert stopped.value.name == law
    assert law in str(stopped.value)


#: Put right by the model itself in the course of the day, as it should be.
FADES = (recall_report_on_an_order, cases_kept_through_long_absence)


def test_every_law_has_a_case(world: tuple[Model, dict[str, Any]]) -> None:
    assert {law for law, _ in WRONG} == set(world[0].invariants.laws)
    assert isinstance(world[0].invariants, Invariants)


def test_a_right_world_goes_on(world: tuple[Model, dict[str, Any]]) -> None:
    model, saved = world
    model.continue_with(saved, model.request.resolved)
    model.run(LAST_DAY + 1)
    assert model.output().checks == dict.fromkeys(model.invariants.laws, 2)
    assert NEVER < 0


# --- Transitions left broken for as long as it takes -------------------------------------------------


def curfew_papers_without_exclusions(world: World, patch: Patch) -> None:
    right = world.model.custody.start_papers

    def wrong(made: np.ndarray, first: bool = False) -> None:
        excluded = world.people.never_curfew.copy()
        world.people.never_curfew[:] = 0
        right(made, first)
        world.people.never_curfew[:] = excluded

    patch.setattr(world.model.custody, "start_papers", wrong)
    inside = np.flatnonzero(world.determinate(np.arange(world.sentences.size), Status.CUSTODY))
    world.model.custody.start_papers(inside.astype(np.int32))


def fixed_term_whatever_the_risk(world: World, patch: Patch) -> None:
    right = world.model.recall.take_steps

    def wrong(rows: np.ndarray) -> None:
        people = world.people
        kept = people.rosh.copy(), people.assessed_rosh.copy()
        people.rosh[:], people.assessed_rosh[:] = Rosh.LOW, Rosh.LOW
        right(rows)
        people.rosh[:], people.assessed_rosh[:] = kept

    patch.setattr(world.model.recall, "take_steps", wrong)


def everybody_to_the_company(world: World, patch: Patch) -> None:
    right = world.model.allocation.place

    def wrong(rows: np.ndarray) -> None:
        right(rows)
        world.service.set_side(rows, CRC)

    patch.setattr(world.model.allocation, "place", wrong)


def any_officer_will_do(world: World, patch: Patch) -> None:
    right = world.model.allocation.give

    def wrong(rows: np.ndarray) -> None:
        grades = world.posts.grade.copy()
        world.posts.grade[:] = Grade.PO
        right(rows)
        world.posts.grade[:] = grades

    patch.setattr(world.model.allocation, "give", wrong)


def appointments_any_day(world: World, patch: Patch) -> None:
    def every_day(day: int, days: int) -> tuple[np.ndarray, np.ndarray]:
        numbers = np.arange(day, day + days, dtype=np.int32)
        return numbers, numbers

    patch.setattr(world.service.calendar, "working_days_around", every_day)


def supervision_never_closed(world: World, patch: Patch) -> None:
    right, people = world.model.supervision.moved, world.people

    def wrong(rows: np.ndarray, before: np.ndarray, after: np.ndarray) -> None:
        over = rows[(after == Location.ENDED) & (people.side[rows] >= 0)]
        sides, officers = people.side[over], people.officer[over]
        right(rows, before, after)
        people.side[over], people.officer[over] = sides, officers

    patch.setattr(world.service, "on_place_change", [wrong])


def closed_cases_still_counted(world: World, patch: Patch) -> None:
    right = world.model.supervision.moved

    def wrong(rows: np.ndarray, before: np.ndarray, after: np.ndarray) -> None:
        cases = world.posts.cases.copy()
        right(rows, before, after)
        world.posts.cases[:] = cases

    patch.setattr(world.service, "on_place_change", [wrong])


def recalls_that_outlast_the_sentence(world: World, patch: Patch) -> None:
    right = world.model.recall.take_steps

    def wrong(rows: np.ndarray) -> None:
        right(rows)
        inside = rows[world.sentences.status[rows] == Status.RECALLED]
        world.agendas["recall step"].put(inside, world.sentences.expiry[inside] + 60)

    patch.setattr(world.model.recall, "take_steps", wrong)


def thirteen_months_for_everybody(world: World, patch: Patch) -> None:
    right = world.model.custody.receive

    def wrong(rows: np.ndarray, on_breach: bool = False) -> np.ndarray:
        made = right(rows, on_breach)
        world.sentences.supervision_end[made] += 30
        return made

    patch.setattr(world.model.custody, "receive", wrong)


def leavers_take_their_cases_with_them(world: World, patch: Patch) -> None:
    patch.setattr(world.model.allocation.orphans, "send", lambda rows: None)
    world.posts.leaving_threshold[:] = world.posts.leaving_hazard + 1e-6


def the_dead_keep_their_orders(world: World, patch: Patch) -> None:
    right = world.model.community.deaths

    def wrong(rows: np.ndarray) -> None:
        status = world.sentences.status.copy()
        right(rows)
        world.sentences.status[:] = status

    patch.setattr(world.model.community, "deaths", wrong)
    alive = np.flatnonzero(world.in_community(np.arange(world.people.size)))[:20]
    world.agendas["death"].put(alive, LAST_DAY + 2)


LEFT_BROKEN: tuple[tuple[str, Callable[[World, Patch], None]], ...] = (
    ("curfew never for the excluded, on recall or under fourteen days", curfew_papers_without_exclusions),
    ("fixed-term recall never at high risk or on an extended sentence", fixed_term_whatever_the_risk),
    ("high risk is held by the NPS", everybody_to_the_company),
    ("high risk is held by a probation officer", any_officer_will_do),
    ("appointments fall on working days", appointments_any_day),
    ("nobody is lost", supervision_never_closed),
    ("cases held are counted once", closed_cases_still_counted),
    ("no recall beyond the end of the sentence", recalls_that_outlast_the_sentence),
    ("supervision ends twelve months after custody", thirteen_months_for_everybody),
    ("one officer or one queue a supervised person", leavers_take_their_cases_with_them),
    ("the dead are out of the model", the_dead_keep_their_orders),
)


@pytest.mark.parametrize(("law", "wrong"), LEFT_BROKEN, ids=lambda value: getattr(value, "__name__", None))
def test_a_subsystem_gone_wrong_stops_the_run(
    world: tuple[Model, dict[str, Any]], law: str, wrong: Callable[[World, Patch], None]
) -> None:
    model, saved = world
    model.continue_with(saved, model.request.resolved)
    with pytest.MonkeyPatch.context() as patch:
        wrong(World(model), patch)
        patch.setattr(model.invariants, "laws", {law: model.invariants.laws[law]})
        with pytest.raises(InvariantBroken) as stopped:
            model.run()
    assert stopped.value.name == law
