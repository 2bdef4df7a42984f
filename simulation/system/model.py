"""The model of one run: wiring, policy days, and what a run returns."""

from __future__ import annotations

import gc
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import simpy

from simulation.engine import NEVER, Calendar, Chance
from simulation.scenario import Geography, Resolved, load_geography
from simulation.system.allocation import Allocation
from simulation.system.area_moves import AreaMoves
from simulation.system.beginnings import Beginnings
from simulation.system.caseload import Caseload
from simulation.system.circumstances import Circumstances
from simulation.system.codes import MANAGED_TOGETHER, Location, Rosh, Status
from simulation.system.community import Community
from simulation.system.contact import Contact
from simulation.system.contracts import Contracts
from simulation.system.counting import Counting
from simulation.system.courts import Courts
from simulation.system.custody import Custody
from simulation.system.departures import Departures
from simulation.system.early_revocation import EarlyRevocation
from simulation.system.enforcement import Enforcement
from simulation.system.following import Following
from simulation.system.full_prisons import FullPrisons
from simulation.system.held_open import HeldOpen
from simulation.system.invariants import Invariants
from simulation.system.levers import Levers
from simulation.system.months import named_rows
from simulation.system.organisation import Organisation
from simulation.system.places import Places
from simulation.system.population import GROUPS, Arrivals, Population
from simulation.system.prison_held import PrisonHeld
from simulation.system.recall import Recall
from simulation.system.release import Release
from simulation.system.requirements import Requirements
from simulation.system.service import Service
from simulation.system.staffing import Staffing
from simulation.system.startup import Survivors, seat
from simulation.system.supervision import Supervision
from simulation.system.takeover import Takeover
from simulation.system.targets import Targets
from simulation.system.workload import Workload


@dataclass(frozen=True)
class RunRequest:
    """What determines one run.

    Parameters
    ----------
    resolved : Resolved
        The scenario with every parameter, dates and areas.
    seed, replication : int
        Chance.
    progress : callable, optional
        Called with day and days now and then.
    extra : tuple of (area, day)
        People convicted on top of demand, for tests.
    traced : int
        Key of a person whose history is wanted; 0 for nobody.
    split : str
        By what people are split in the counts, see :mod:`simulation.measures.groups`; empty for not at all.
    """

    resolved: Resolved
    seed: int
    replication: int = 0
    progress: Callable[[int, int], None] | None = None
    extra: tuple[tuple[int, int], ...] = ()
    traced: int = 0
    split: str = ""


@dataclass
class RunOutput:
    """What one run returns: rows of counts and integer sums, sorted on their full key, and digests."""

    rows: dict[str, Any]
    event_digests: list[str]
    state_digests: dict[str, str]
    checks: dict[str, int]
    history: list[Any] = field(default_factory=list)


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Look for no garbage: a run makes no reference cycles worth looking for, and looking takes time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


class Model:
    """One run of one scenario.

    Parameters
    ----------
    request : RunRequest
        What determines the run.
    geography : Geography, optional
        Areas and providers.
    """

    @_without_collecting()
    def __init__(self, request: RunRequest, geography: Geography | None = None) -> None:
        self.request = request
        resolved = request.resolved
        self.geography = geography or load_geography()
        calendar = Calendar(resolved.start)
        chance = Chance(request.seed, request.replication)
        self.population = Population(resolved, self.geography, calendar, chance, request.extra)
        survivors, arrivals, on_recall = self._draw_people(calendar)
        self.service = Service(resolved, self.geography, chance, arrivals.key.size, calendar, request.split)
        self._seat(survivors, arrivals, on_recall)
        if request.traced:
            found = np.flatnonzero(self.service.people.key == np.uint64(request.traced))
            self.service.traced = int(found[0]) if found.size else -1

    # --- Beginning --------------------------------------------------------------------------------------------

    def _draw_people(self, calendar: Calendar) -> tuple[Survivors, Arrivals, Any]:
        population = self.population
        reform = calendar.day(_reform(population))
        survivors = Survivors.among(population, population.past(), reform)
        for_life, on_recall = population.indeterminate()
        future = population.future()
        self._parts = (survivors.arrivals.key.size, for_life.key.size, future.key.size)
        return survivors, Arrivals.join([survivors.arrivals, for_life, future]), on_recall

    def _seat(self, survivors: Survivors, arrivals: Arrivals, on_recall: Any) -> None:
        service, population = self.service, self.population
        people = service.people
        order = np.argsort(arrivals.key, kind="stable")
        rows = people.add(order.size)
        place = np.empty(order.size, dtype=np.intp)
        place[order] = rows
        people.key[rows] = arrivals.key[order]
        people.area[rows] = arrivals.area[order]
        people.cell[rows] = people.area[rows].astype(np.int16) * 2
        people.convicted[rows] = arrivals.day[order]
        past, life, _ = self._parts
        past_rows, life_rows, future_rows = np.split(place, [past, past + life])
        people.returner_pool[past_rows] = 1
        people.returner_pool[life_rows] = 1
        # Traits: the baseline's group for each person, whatever the scenario decides later.
        group = np.empty(order.size, dtype=np.int64)
        group[past_rows] = survivors.group
        group[life_rows] = GROUPS.index("indeterminate")
        newcomers = Arrivals(people.key[future_rows], people.area[future_rows], people.convicted[future_rows])
        cut = population.custody_cut(newcomers, past=False)
        custody = service.chance.uniform(newcomers.key, "disposal") < cut
        years = service.calendar.month(newcomers.day) // 12
        band = population.length_band(newcomers.key, years, 4096)
        group[future_rows] = population.group_of(custody, band)
        shift = np.zeros(order.size)
        at_start = service.levers.mapping("population.ogrs_shift_at_start")
        live = survivors.status != Status.ENDED
        shift[past_rows] = np.where(live, at_start["supervised"], at_start["at_liberty"])
        population.traits(people, rows, group, shift)
        service.regroup(rows)
        self._wire()
        self.organisation.establish()
        self.staffing.begin(self.organisation.training_shares)
        self.organisation.assign_offices(rows)
        made = seat(service, survivors, past_rows, life_rows, on_recall)
        self._begin(made)

    def _wire(self) -> None:
        """Make every subsystem. The order is the order in which they act within a shared phase."""
        service, population = self.service, self.population
        service.process(self.policy)
        self.supervision = Supervision(service)
        self.allocation = Allocation(service)
        self.departures = Departures(service)
        self.custody = Custody(service, population, self.allocation, self.departures)
        self.courts = Courts(service, population, self.allocation, self.custody, self.supervision)
        self.contact = Contact(service)
        self.requirements = Requirements(service, population, self.contact)
        self.courts.on_settled.append(self.requirements.order)
        self.held_open = HeldOpen(service, self.custody)
        self.caseload = Caseload(service, self.contact)
        self.recall = Recall(service)
        self.enforcement = Enforcement(service, population, self.contact, self.recall, self.courts)
        self.requirements.on_failures.append(self.enforcement.note_failures)
        self.early_revocation = EarlyRevocation(service)
        self.prison_held = PrisonHeld(service, self.supervision, self.allocation, self.custody)
        places = Places(service, population)
        self.full_prisons = FullPrisons(service, population)
        self.courts.on_orders.append(self.early_revocation.plan)
        self.community = Community(
            service, self.supervision, self.allocation, self.recall, self.departures, population.demand
        )
        self.release = Release(service, population, self.custody)
        self.circumstances = Circumstances(service, self.custody, self.contact)
        self.allocation.on_handed.append(self.circumstances.handed)
        self.community.on_changed.append(self.circumstances.changed)
        self.following = Following(service, self.supervision, self.community)
        Beginnings(service, self.supervision, self.allocation, self.community, self.circumstances)
        self.organisation = Organisation(service, population, self.allocation)
        self.area_moves = AreaMoves(service, self.supervision, self.organisation)
        self.staffing = Staffing(service, self.allocation, self.area_moves)
        self.contracts = Contracts(service, population, self.staffing)
        self.takeover = Takeover(service, self.contracts, self.staffing)
        self.targets = Targets(service, self.caseload, self.custody, self.area_moves)
        self.invariants = Invariants(service)
        self.invariants.telephone_only = self.contact.telephone_only
        self.invariants.ledger = self.contracts.ledger
        self.counting = Counting(
            service, population, self.supervision, self.contact, self.staffing, self.invariants
        )
        self.counting.at_month_end += [
            self.enforcement.breach_courts.count_waiting,
            self.prison_held.count_held,
            places.count,
            self.allocation.cohorts.count,
            self.requirements.count_stocks,
            self.area_moves.count,
        ]
        self.read(0)

    def _begin(self, made: Any) -> None:
        """Start the clocks of the starting population."""
        service, people, sentences = self.service, self.service.people, self.service.sentences
        person = sentences.person[made]
        service.refresh(person)
        self.community.convictions_to_come(person)
        made = made[sentences.status[made] != Status.ENDED]
        person = sentences.person[made]
        people.released_on[person] = NEVER
        # Assessed without error: the service has known them for some time.
        people.assessed_rosh[person] = np.maximum(
            people.rosh[person], np.where(people.mappa[person] >= MANAGED_TOGETHER, Rosh.HIGH, Rosh.LOW)
        )
        self.allocation.place(person)
        self.requirements.at_start(made)
        status = sentences.status[made]
        running = made[(status == Status.ORDER) | (status == Status.LICENCE) | (status == Status.SUPERVISION)]
        end = np.where(
            sentences.status[running] == Status.SUPERVISION,
            sentences.supervision_end[running],
            sentences.expiry[running],
        )
        service.agendas["legal end"].put(running, np.maximum(end, 0))
        self.early_revocation.plan(running)
        inside = made[(status == Status.CUSTODY) & (sentences.kind[made] == 2)]
        day = np.maximum(service.calendar.working_day_before(sentences.custody_end[inside]), 0)
        service.agendas["release"].put(inside, day)
        window = service.levers.integer("release.window_days")
        service.agendas["resettlement"].put(inside, np.maximum(day - window, 0))
        self.custody.start_papers(inside)
        tagged = made[status == Status.CURFEW]
        service.agendas["release"].put(tagged, np.maximum(sentences.custody_end[tagged], 0))
        back = made[(status == Status.RECALLED) & (sentences.kind[made] == 2)]
        from simulation.system.quantiles import draw

        keys = service.sentence_key(back)
        stay = draw(
            service.levers.mapping("recall.standard_days"),
            service.chance.uniform(keys, "thin pass: recall left"),
        )
        until = np.minimum(np.maximum((stay / 2).astype(np.int64), 1), sentences.expiry[back] - 1)
        service.agendas["recall step"].put(back, np.maximum(service.calendar.working_day_before(until), 0))
        service.agendas["legal end"].put(back, np.maximum(sentences.expiry[back], 0))
        # Everybody has been supervised for as long as the sentence has run.
        community = person[people.location[person] == Location.COMMUNITY]
        latest = people.latest[community]
        started = np.where(
            sentences.released[latest] != NEVER, sentences.released[latest], sentences.imposed[latest]
        )
        people.stage_start[community] = np.minimum(started, -1)
        people.first_due_from[community] = NEVER
        people.contacts[community] = 1
        people.engagement[community] = self.circumstances.start_points
        people.allocated_on[community] = people.stage_start[community]
        days = np.maximum(self.contact.interval(community), 1)
        uniform = service.chance.uniform(people.key[community], "first contact of the run")
        people.last_seen[community] = -(uniform * days).astype(np.int32)
        routine = people.work_only[community] == 0
        when = service.calendar.working_day_after(1 + (uniform * days).astype(np.int32))
        service.agendas["contact"].put(community[routine], when[routine])

    # --- Policy -----------------------------------------------------------------------------------------------

    def read(self, day: int) -> None:
        """Give every subsystem the levers of a day."""
        service = self.service
        service.levers = Levers(service.resolved.on(day), service.blocks)
        self.population.levers = service.levers
        workload = Workload(service.levers)
        self.allocation.read(workload)
        self.custody.read(workload)
        self.courts.read()
        self.contact.read(workload)
        self.requirements.read(workload)
        self.held_open.read()
        self.caseload.read(workload)
        self.recall.read(workload)
        self.enforcement.read(workload)
        self.early_revocation.read(workload)
        self.prison_held.read(workload)
        self.full_prisons.read()
        self.community.read()
        self.release.read()
        self.circumstances.read()
        self.following.read()
        self.staffing.read()
        self.contracts.read()
        self.targets.read()
        self.area_moves.read()

    def policy(self) -> Generator[simpy.Event, Any, None]:
        """On days on which a lever moves, read the levers and re-plan what the change applies to."""
        service = self.service
        while True:
            yield service.clock.phase("policy")
            if service.today in self._change_days:
                self.takeover.before_change()
                self.read(service.today)
                self.organisation.read()
                self.takeover.read()
                self.area_moves.replan()
                self.replan(service.resolved.replan(service.today))

    @property
    def _change_days(self) -> frozenset[int]:
        if not hasattr(self, "_change_day_set"):
            self._change_day_set = frozenset(self.service.resolved.change_days())
        return self._change_day_set

    def replan(self, names: frozenset[str]) -> None:
        """Work out again the dates of people already in custody when a change applies to all."""
        service, sentences = self.service, self.service.sentences
        rows = np.arange(sentences.size)
        inside = rows[(sentences.status[rows] == Status.CUSTODY) & (sentences.kind[rows] == 2)]
        if any("release_fraction" in name or name.startswith("supervision.") for name in names):
            self.custody.set_dates(inside)
            service.agendas["release"].cancel(inside)
            self.custody.schedule_release(inside)
        if any(name.startswith("custody.hdc.") for name in names):
            area = service.people.area[sentences.person[inside]]
            custody_days = (
                sentences.custody_end[inside] - sentences.imposed[inside] + sentences.remand[inside] + 1
            )
            sentences.curfew_from[inside] = self.custody.curfew_date(
                sentences.length[inside],
                custody_days,
                sentences.imposed[inside],
                sentences.remand[inside],
                area,
            )
            self.custody.start_papers(inside[sentences.curfew_stage[inside] == 0])
        # Dates of handover rest on dates of release, on the side and on their own levers: nothing else moves them.
        if any(name.startswith(_MOVES_HANDOVER) for name in service.resolved.moving(service.today)):
            self.prison_held.replan(sentences.person[inside].astype(np.intp))
        if "release.window_days" in names:
            self.release.replan(inside)

    # --- Running ----------------------------------------------------------------------------------------------

    @_without_collecting()
    def run(self, until: int | None = None) -> None:
        """Run to the midnight at which ``until`` begins, by default to the end."""
        resolved = self.service.resolved
        days = (resolved.end - resolved.start).days + 1
        last = days if until is None else until
        step = 30
        day = self.service.environment.now
        while day < last:
            day = min(int(day) + step, last)
            self.service.run_until(day)
            if self.request.progress:
                self.request.progress(int(day), days)

    def save(self) -> dict[str, Any]:
        """Return a copy of all state at midnight."""
        return self.service.save()

    def continue_with(self, saved: dict[str, Any], resolved: Resolved) -> None:
        """Go on from a saved state under another scenario that was identical until then.

        Parameters
        ----------
        saved : dict
            What :meth:`save` returned.
        resolved : Resolved
            The scenario to go on with.
        """
        service = self.service
        service.resolved = resolved
        for part in (self.population, self.population.demand):
            part.resolved = resolved
        self.population.demand.forget()
        self.__dict__.pop("_change_day_set", None)
        service.restore(saved)
        self.read(saved["day"] - 1 if saved["day"] else 0)

    def output(self) -> RunOutput:
        """Return the counts of the run so far."""
        service, geography = self.service, self.geography
        cells = range(service.areas * 2)
        rows = named_rows(
            service.finished,
            [geography.areas[cell // 2] for cell in cells],
            [geography.provider_name(cell // 2, cell % 2) for cell in cells],
            service.resolved.end,
            () if service.groups is None else service.groups.names,
        )
        return RunOutput(rows, service.event_digests, service.state_digests, service.checks, service.history)


#: Levers that may move the handover of cases that prisons hold: of custody, of supervision, and who is responsible.
_MOVES_HANDOVER = ("custody.", "supervision.", "organisation.unified")


def _demand(resolved: Resolved) -> tuple[tuple[str, ...], ...]:
    """Return the changes of a scenario that decide who is drawn before day one."""
    drawn = (
        "courts.community_sentences_imposed",
        "courts.suspended_sentences_imposed",
        "courts.immediate_custody_imposed",
        "courts.supervised_start_share",
        "courts.custody_episode_share",
        "population.",
        "custody.length",
    )
    return tuple(
        sorted(
            (str(key), repr(steps))
            for key, steps in resolved.changed().items()
            if str(key[0]).startswith(drawn)
        )
    )


def _reform(population: Population) -> Any:
    from datetime import date

    return date.fromisoformat(population.levers.text("supervision.pss.offence_from"))


def run_model(request: RunRequest) -> RunOutput:
    """Run one scenario once.

    Parameters
    ----------
    request : RunRequest
        What determines the run.

    Returns
    -------
    RunOutput
        Counts, digests and checks.
    """
    model = Model(request)
    model.run()
    return model.output()


def run_family(requests: Sequence[RunRequest]) -> Iterator[tuple[int, RunOutput]]:
    """Run several scenarios of one replication; what they have in common is run once.

    The first request is run; at the midnight before each day on which others begin to differ from it, they are
    continued from where it is, and it goes on. So only one saved state is held at a time, however many scenarios
    there are. The bytes are those of separate runs.

    Parameters
    ----------
    requests : sequence of RunRequest
        Same seed, replication and split. The more the first has in common with the others the better.

    Yields
    ------
    tuple of (int, RunOutput)
        Position of a request and its output, in the order in which they are finished.
    """
    first = requests[0]
    if len({(request.seed, request.replication, request.split) for request in requests}) > 1:
        raise ValueError("runs of different luck, or split differently, can't be made together")
    last = (first.resolved.end - first.resolved.start).days + 1
    branches: dict[int, list[int]] = {}
    for position, request in enumerate(requests[1:], 1):
        branches.setdefault(_common_days(first.resolved, request.resolved, last), []).append(position)
    for position in branches.pop(0, []):
        yield position, run_model(requests[position])
    model = Model(first)
    for day, positions in sorted(branches.items()):
        model.run(day)
        saved = model.save()
        if day == max(branches):
            model.run()
            yield 0, model.output()
        for position in positions:
            model.request = requests[position]
            model.continue_with(saved, model.request.resolved)
            model.run()
            yield position, model.output()
        if day < max(branches):
            model.request = first
            model.continue_with(saved, first.resolved)
        # Let go before the next is made.
        del saved
    if not branches:
        model.run()
        yield 0, model.output()


def _common_days(first: Resolved, other: Resolved, last: int) -> int:
    """Return the days for which a run of one scenario is a run of the other; 0 if they can't share any."""
    if (other.start, other.end, other.areas) != (first.start, first.end, first.areas):
        return 0
    # Demand is drawn before day one: scenarios that change it have other people in them.
    if _demand(other) != _demand(first):
        return 0
    when = first.first_difference(other)
    return last if when is None else min(last, max(0, (when - first.start).days))
