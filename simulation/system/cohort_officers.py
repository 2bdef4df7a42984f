"""Officers by cohort: where an operating model parts cases by sex and age, an officer holds those of one cohort.

An office's officers are shared among cohorts by ``allocation.cohort_officers``, in the order of their posts: of n
posts, the k-th belongs to the cohort in whose part of the line from 0 to 1 the point (k - 0.5) / n lies. A cohort too
small for an officer of its own is held by the officers of the one in whose part its own middle falls: together they
are a group. A case is given first within its group (see :func:`simulation.system.choosing.give_cases`). It moves when
its person has grown into another group's cohort, looked at on the first of each month, and over some days when a
provider begins to part cases.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulation.engine.compiled import AHEAD, compiled, compiled_inside, fetch_soon
from simulation.system.groups import band_of_age
from simulation.system.levers import anybody_moves
from simulation.system.operating_models import by_operating_model
from simulation.system.service import Array, Rows, Service

#: Cohorts, in the order in which they lie beside each other.
COHORTS = ("young_men", "working_age_men", "older_men", "women")
#: Turns that a team keeps: of everybody in it, and of the officers of each group of cohorts.
TURNS_A_TEAM = 1 + len(COHORTS)
_WOMEN, _AGES = COHORTS.index("women"), ("working_age", "older")
_NONE = np.empty(0, dtype=np.int64)


class CohortOfficers:
    """Who holds the cases of which cohort, and whose case moves.

    Attributes
    ----------
    others_too : bool
        Anybody of the office takes a case for whose cohort there is nobody.
    """

    def __init__(self, service: Service) -> None:
        self.service = service
        self.here: NDArray[np.bool_] | None = None
        self.parted = False
        people = service.people
        self.first_of_area = np.searchsorted(people.area[: people.size], np.arange(service.areas + 1, dtype=np.int8))
        self._beginning = np.zeros((service.areas, 2), dtype=np.bool_)

    def read(self, names: list[list[str]]) -> None:
        """Take the levers of the day; ``names`` are the operating models by area and side."""
        levers = self.service.levers
        here = by_operating_model(self.service, names, "allocation.cohorts") > 0.5
        if self.here is not None:
            self._beginning |= here & ~self.here
        self.here = here
        self.parted = bool(here.any())
        self.all_rows = anybody_moves(self.service.resolved)
        ages, shares = levers.mapping("allocation.cohort_ages"), levers.mapping("allocation.cohort_officers")
        self.ages = np.array([float(ages[name]) for name in _AGES])
        parts = np.cumsum([float(shares[name]) for name in COHORTS])
        # Ends of the cohorts' parts of the line; whatever is given is all officers.
        self.ends = parts / max(parts[-1], 1e-9)
        self.others_too = levers.number("allocation.cohort_others") > 0.5
        self.unified = levers.grid("organisation.unified")[:, 0] > 0.5
        self.transition_days = levers.integer("allocation.cohort_transition_days")

    def groups(self, rows: Rows) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the group of each of some cases and of each post, 0 for none; empty where nobody is parted."""
        if not self.parted:
            return _NONE, _NONE
        post_group, group_of = self._of_officers()
        case_group = groups_of_cases(rows, self.service.today, self._rules(group_of), self._columns())
        return case_group, post_group

    def _of_officers(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the group of each post, and that which holds each cohort in each team."""
        assert self.here is not None
        posts, size = self.service.posts, self.service.posts.size
        return groups_of_officers(
            self.here,
            self.unified,
            self.ends,
            posts.area[:size],
            posts.office[:size],
            posts.employer[:size],
            posts.filled[:size],
            posts.closed[:size],
        )

    def _rules(self, group_of: NDArray[np.int64]) -> Rules:
        assert self.here is not None
        return Rules(self.here, self.unified, self.ages, group_of)

    def _columns(self) -> Columns:
        people = self.service.people
        return Columns(people.area, people.office, people.side, people.female, people.age, people.convicted)

    def move(self) -> None:
        """Ask for the move of cases whose cohort another group of officers holds since this month, or from now on."""
        if not self.parted:
            return
        service, people = self.service, self.service.people
        date = service.calendar.date(service.today)
        beginning = self._beginning
        if date.day != 1 and not beginning.any():
            return
        if date.day == 1:
            yesterday = service.calendar.date(service.today - 1)
            grown = self._grown(service.today - yesterday.day)
            service.tell("cohort changes", grown)
            when = service.calendar.working_day_after(np.full(grown.size, service.today + 1))
            service.agendas["transfer"].put(grown, when)
        if beginning.any():
            _, rows = self._held_outside()
            movers = rows[beginning[people.area[rows], people.side[rows]]]
            wait = (service.chance.uniform(people.key[movers], "moved to a cohort") * self.transition_days).astype(int)
            service.agendas["transfer"].put(movers, service.calendar.working_day_after(service.today + 1 + wait))
            beginning[:] = False

    def _grown(self, before: int) -> Rows:
        """Return who of those that :meth:`_held_outside` finds has another cohort than on a day before."""
        return grown_outside(before, self._beginning, *self._asked())

    def count(self) -> None:
        """Count cases held where they are parted by cohort, and those whose officer holds another one."""
        if not self.parted:
            return
        held, outside = self._held_outside()
        self.service.count("cases_by_cohort", held)
        self.service.count("cases_outside_cohort", outside)

    def _held_outside(self) -> tuple[Rows, Rows]:
        """Return everybody with an officer where cases are parted, and those whose officer is of another group."""
        return held_outside(*self._asked())

    def _asked(self) -> tuple[int, int, int, Rules, Columns, Array, NDArray[np.int64]]:
        """Return what says whose cases may be parted, and how they are today."""
        first, end = self._rows()
        post_group, group_of = self._of_officers()
        rules, officer = self._rules(group_of), self.service.people.officer
        return first, end, self.service.today, rules, self._columns(), officer, post_group

    def _rows(self) -> tuple[int, int]:
        """Return the first row of people whose cases may be parted, and the row after the last."""
        assert self.here is not None
        # People are in the order of the areas where they were convicted: a part of them, if nobody moves.
        if self.all_rows:
            return 0, self.service.people.size
        areas = np.flatnonzero(self.here.any(axis=1))
        return int(self.first_of_area[areas[0]]), int(self.first_of_area[areas[-1] + 1])


class Rules(NamedTuple):
    """Who holds which cohort."""

    here: NDArray[np.bool_]  # (areas, sides): where cases are parted by cohort
    unified: NDArray[np.bool_]  # (areas,)
    ages: Array  # at which the cohorts of men begin
    group_of: NDArray[np.int64]  # (teams, cohorts): group that holds each


class Columns(NamedTuple):
    """What of people says to which cohort and team their cases belong."""

    area: Array
    office: Array
    side: Array
    female: Array
    age: Array
    convicted: Array


@compiled_inside
def cohort_of(female: int, age: int, convicted: int, today: int, ages: Array) -> int:
    """Return the cohort of somebody whose age at the first conviction is known."""
    return _WOMEN if female == 1 else band_of_age(age, convicted, today, ages)


@compiled
def groups_of_officers(
    here: Array,
    unified: Array,
    ends: Array,
    post_area: Array,
    post_office: Array,
    employer: Array,
    filled: Array,
    closed: Array,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Share the officers of every team among cohorts.

    Parameters
    ----------
    here : bool array (areas, sides)
        Where cases are parted by cohort.
    ends : float array (cohorts,)
        Where the part of each cohort on the line from 0 to 1 ends.

    Returns
    -------
    post_group : int array (posts,)
        Group of each post, 0 where cases aren't parted or nobody is sought for it.
    group_of : int array (teams, cohorts)
        Group that holds each cohort in each team; a group has the number of its first cohort, counted from 1.
    """
    size, teams = post_area.size, 0
    team = np.full(size, -1, dtype=np.int64)
    for post in range(size):
        side = 0 if unified[post_area[post]] else int(employer[post])
        # A post stays one of n while it is vacant.
        if here[post_area[post], side] and (closed[post] == 0 or filled[post] == 1):
            team[post] = int(post_office[post]) * 2 + side
        teams = max(teams, int(post_office[post]) * 2 + 2)
    posts, before = np.zeros(teams, dtype=np.int64), np.zeros(teams, dtype=np.int64)
    for post in range(size):
        if team[post] >= 0:
            posts[team[post]] += 1
    post_group = np.zeros(size, dtype=np.int64)
    own = np.zeros((teams, ends.size), dtype=np.bool_)
    for post in range(size):
        mine = team[post]
        if mine >= 0:
            cohort = _part_of(before[mine] + 0.5, posts[mine], ends)
            post_group[post] = cohort + 1
            own[mine, cohort] = True
            before[mine] += 1
    group_of = np.zeros((teams, ends.size), dtype=np.int64)
    for number in range(teams):
        for cohort in range(ends.size):
            holder, begin = cohort, ends[cohort - 1] if cohort > 0 else 0.0
            if posts[number] > 0 and not own[number, cohort]:
                # The officer on whom the middle of the cohort's part falls.
                officer = min(np.floor((begin + ends[cohort]) / 2 * posts[number]), posts[number] - 1.0)
                holder = _part_of(officer + 0.5, posts[number], ends)
            group_of[number, cohort] = holder + 1
    return post_group, group_of


@compiled_inside
def _part_of(place: float, posts: int, ends: Array) -> int:
    """Return the cohort in whose part a place on the line of so many posts lies."""
    cohort = 0
    while cohort < ends.size - 1 and place >= ends[cohort] * posts:
        cohort += 1
    return cohort


@compiled_inside
def _group_of_case(row: int, today: int, rules: Rules, people: Columns) -> int:
    """Return the group that holds the cohort of a case in its team; 0 where cases aren't parted."""
    area = people.area[row]
    side = 0 if rules.unified[area] else int(people.side[row])
    team = int(people.office[row]) * 2 + side
    if not rules.here[area, side] or team >= rules.group_of.shape[0]:
        return 0
    cohort = cohort_of(
        int(people.female[row]), int(people.age[row]), int(people.convicted[row]), today, rules.ages
    )
    return rules.group_of[team, cohort]


@compiled_inside
def _fetch_case(row: int, people: Columns) -> None:
    """Ask for what says where a case belongs."""
    fetch_soon(people.area, row)
    fetch_soon(people.side, row)
    fetch_soon(people.office, row)
    fetch_soon(people.convicted, row)


@compiled
def groups_of_cases(rows: Rows, today: int, rules: Rules, people: Columns) -> NDArray[np.int64]:
    """Return the group that holds the cohort of each case in its team; 0 where cases aren't parted."""
    found = np.empty(rows.size, dtype=np.int64)
    for at in range(rows.size):
        _fetch_case(rows[min(at + AHEAD, rows.size - 1)], people)
        found[at] = _group_of_case(rows[at], today, rules, people)
    return found


@compiled_inside
def _with_officer(first: int, end: int, officer: Array) -> Rows:
    """Return everybody among some rows with an officer."""
    # Written for everybody, kept for some: a choice that can't be foretold costs more than a number.
    rows, many = np.empty(max(end - first, 0) + 1, dtype=np.intp), 0
    for row in range(first, end):
        rows[many] = row
        many += officer[row] >= 0
    return rows[:many]


@compiled
def held_outside(
    first: int, end: int, today: int, rules: Rules, people: Columns, officer: Array, post_group: NDArray[np.int64]
) -> tuple[Rows, Rows]:
    """Return everybody among some rows with an officer where cases are parted, and whose officer is of another group.

    Parameters
    ----------
    post_group : int array (posts,)
        Group of each post.
    """
    rows = _with_officer(first, end, officer)
    held = 0
    for row in rows:
        rows[held] = row
        held += (people.side[row] >= 0) & rules.here[people.area[row], people.side[row]]
    outside, others = np.empty(held + 1, dtype=np.intp), 0
    for at in range(held):
        _fetch_case(rows[min(at + AHEAD, held - 1)], people)
        row = rows[at]
        outside[others] = row
        others += post_group[officer[row]] != _group_of_case(row, today, rules, people)
    return rows[:held], outside[:others]


@compiled
def grown_outside(
    before: int,
    beginning: Array,
    first: int,
    end: int,
    today: int,
    rules: Rules,
    people: Columns,
    officer: Array,
    post_group: NDArray[np.int64],
) -> Rows:
    """Return who of those whose officer is of another group than they are has another cohort than on a day before.

    Parameters
    ----------
    beginning : bool array (areas, sides)
        Where all cases are to move anyway, and who is there isn't returned.
    """
    rows = _with_officer(first, end, officer)
    grown = 0
    for row in rows:
        area, side = people.area[row], people.side[row]
        if side < 0 or not rules.here[area, side] or beginning[area, side]:
            continue
        female, age, convicted = int(people.female[row]), int(people.age[row]), int(people.convicted[row])
        now = cohort_of(female, age, convicted, today, rules.ages)
        if now != cohort_of(female, age, convicted, before, rules.ages):
            rows[grown] = row
            grown += post_group[officer[row]] != _group_of_case(row, today, rules, people)
    return rows[:grown].copy()
