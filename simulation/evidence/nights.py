"""A year of one area looked at every midnight: who is where, who waits for what, and how long each stay was.

Little's law needs no assumption when both sides are counted over the same nights: what was there at midnight, added up
over nights, is the nights that each stayed, added up over people. So whoever is counted twice, never leaves, or moves
without anybody being told breaks it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulation.engine import NEVER
from simulation.system import Model, RunOutput, RunRequest
from simulation.system.codes import Kind, Location, Progress, Requirement, Status
from simulation.system.service import Service

Days = NDArray[np.int64]
Rows = NDArray[np.intp]

#: Where people stay; the rest are before a court, or not the service's.
PLACES = {
    "in the community": Location.COMMUNITY,
    "in prison, sentenced": Location.SENTENCED,
    "in prison, recalled": Location.RECALLED,
    "in prison, committed": Location.COMMITTED,
    "at large": Location.AT_LARGE,
}


#: What is told when an officer decides to ask for recall.
DECIDED = ("recall decided: absence", "recall decided: risk", "recall decided: further charge")


@dataclass
class Stays:
    """Nights in one place, counted twice.

    Parameters
    ----------
    by_night : int
        People there at midnight, added up over nights.
    by_spell : int
        Nights that each spell lasted within the run, added up.
    spells : int
        How many these are.
    """

    by_night: int = 0
    by_spell: int = 0
    spells: int = 0


@dataclass
class Queue:
    """One queue, watched at every midnight.

    Parameters
    ----------
    counted : str
        The count in the run's results to which each wait is added when it is over; empty if there is none.
    waits : callable
        Returns since when each row has waited, :data:`NEVER` for rows that don't.
    served : callable
        Says which of these rows, gone since last midnight, got what they waited for; the others left in another way.
    until : callable, optional
        Returns the day on which these rows got it, where it may be put down on a later one.
    since : int array
        What ``waits`` returned last midnight.
    nights : int
        Rows in the queue at midnight, added up over nights.
    before : int
        Days that those who waited at the start had waited already.
    otherwise, left, exits : int
        Days waited by rows that left in another way, how many these are, and the days on which, added up.
    many : int
        How many rows got what they waited for.
    """

    counted: str
    waits: Callable[[], Days]
    served: Callable[[Rows], NDArray[np.bool_]]
    until: Callable[[Rows], Days] | None = None
    since: Days = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    nights: int = 0
    before: int = 0
    otherwise: int = 0
    left: int = 0
    exits: int = 0
    many: int = 0

    def begin(self) -> None:
        """Note who waits before the first day."""
        self.since = self.waits()
        self.before = int(-self.since[self.since != NEVER].sum())

    def midnight(self, today: int) -> None:
        """Count who waits at the midnight that ends a day, and what became of those who no longer do."""
        now = self.waits()
        then = np.full(now.size, NEVER, dtype=np.int64)
        then[: self.since.size] = self.since
        gone = np.flatnonzero((then != NEVER) & (now != then))
        served = self.served(gone)
        self.many += int(np.count_nonzero(served))
        if self.until is not None:
            # Nights between the day itself and the day on which it was put down were no wait.
            self.nights -= int((today - self.until(gone[served])).sum())
        self.otherwise += int((today - then[gone[~served]]).sum())
        self.exits += today * int(np.count_nonzero(~served))
        self.left += int(np.count_nonzero(~served))
        self.nights += int(np.count_nonzero(now != NEVER))
        self.since = now

    def still(self, days: int) -> int:
        """Return the days that those have waited who still wait when so many days are over."""
        return int((days - self.since[self.since != NEVER]).sum())

    def waiting(self) -> int:
        """Return how many still wait."""
        return int(np.count_nonzero(self.since != NEVER))


class Nights:
    """One run, day by day, with what was seen at every midnight.

    Parameters
    ----------
    request : RunRequest
        What to run.
    """

    def __init__(self, request: RunRequest) -> None:
        self.model = Model(request)
        self.service: Service = self.model.service
        self.days = (request.resolved.end - request.resolved.start).days + 1
        self.stays = {name: Stays() for name in PLACES}
        #: Moves from a place where the person was not.
        self.surprises = 0
        self._told: dict[str, list[int]] = defaultdict(list)
        self._listen()
        size = self.service.people.size
        self._place = self.service.people.location[:size].astype(np.int64)
        self._since = np.zeros(size, dtype=np.int64)
        self._heard_before = self._breaches()
        self._decided = np.empty(0, dtype=np.int64)
        #: Days on which licences were revoked, added up, less those on which it was decided to ask for it.
        self.papers = 0
        self.queues = self._queues()
        for queue in self.queues.values():
            queue.begin()
        self.curfew_ahead_at_start = self._curfew_ahead(0)
        #: Days of curfew that were ahead of people when it ended early.
        self.curfew_lost = 0
        self._on_curfew = self._curfews()
        self.curfew_nights = 0
        for day in range(self.days):
            self._told.clear()
            self.model.run(day + 1)
            self._midnight(day)
        for place, since in zip(self._place.tolist(), self._since.tolist(), strict=True):
            self._spell(place, since, self.days)
        self.output: RunOutput = self.model.output()
        self._totals: dict[str, dict[str, int]] | None = None

    # --- Counts -----------------------------------------------------------------------------------------------

    def by_month(self, measure: str) -> dict[str, int]:
        """Return a count by month, areas and sides together."""
        if self._totals is None:
            self._totals = defaultdict(lambda: defaultdict(int))
            rows = self.output.rows
            columns = (rows[name] for name in ("measure", "month", "group", "value"))
            for name, month, group, value in zip(*columns, strict=True):
                if group == "all":
                    self._totals[name][month] += int(value)
        return self._totals[measure]

    def total(self, measure: str) -> int:
        """Return a count over the whole run."""
        return sum(self.by_month(measure).values())

    # --- What is told -----------------------------------------------------------------------------------------

    def _listen(self) -> None:
        service = self.service
        tell = service.tell

        def telling(kind: str, rows: Any, *rest: Any, **named: Any) -> None:
            self._told[kind] += rows.tolist()
            tell(kind, rows, *rest, **named)

        service.tell = telling  # type: ignore[method-assign]
        # First, before others who are told move people on.
        service.on_place_change.insert(0, self._moved)

    def _moved(self, rows: Rows, before: Days, after: Days) -> None:
        today = self.service.today
        for row, was, now in zip(rows.tolist(), before.tolist(), after.tolist(), strict=True):
            place = int(self._place[row])
            # Whoever is convicted, for the first time or again, comes before the court without a word.
            brought = was == Location.COURT and place in (Location.UNKNOWN, Location.ENDED)
            self.surprises += place != was and not brought
            self._spell(was, int(self._since[row]), today)
            self._place[row], self._since[row] = now, today

    def _spell(self, place: int, since: int, until: int) -> None:
        for name, code in PLACES.items():
            if code == place:
                self.stays[name].by_spell += until - since
                self.stays[name].spells += 1

    # --- Midnight ---------------------------------------------------------------------------------------------

    def _midnight(self, day: int) -> None:
        people = self.service.people
        many = np.bincount(people.location[: people.size], minlength=len(Location))
        for name, code in PLACES.items():
            self.stays[name].by_night += int(many[code])
        self._note_papers(day)
        for queue in self.queues.values():
            queue.midnight(day)
        self._heard_before = self._breaches()
        curfews = self._curfews()
        self.curfew_nights += int(np.count_nonzero(curfews))
        ended = np.flatnonzero(self._on_curfew & ~curfews[: self._on_curfew.size])
        self.curfew_lost += int(np.maximum(self.service.sentences.custody_end[ended] - day, 0).sum())
        self._on_curfew = curfews

    def _curfews(self) -> NDArray[np.bool_]:
        sentences = self.service.sentences
        found: NDArray[np.bool_] = sentences.status[: sentences.size] == Status.CURFEW
        return found

    def _curfew_ahead(self, day: int) -> int:
        """Return the days of curfew ahead of those who are on it, added up."""
        rows = np.flatnonzero(self._curfews())
        return int((self.service.sentences.custody_end[rows] - day).sum())

    @property
    def curfew_ahead(self) -> int:
        """Days of curfew ahead of those who are on it at the end."""
        return self._curfew_ahead(self.days)

    def _breaches(self) -> Days:
        sentences = self.service.sentences
        return sentences.breaches[: sentences.size].astype(np.int64)

    def _pending(self) -> NDArray[np.bool_]:
        """Return the sentences whose recall is decided and whose licence isn't revoked yet."""
        sentences = self.service.sentences
        status = sentences.status[: sentences.size]
        live = (status == Status.LICENCE) | (status == Status.CURFEW)
        found: NDArray[np.bool_] = live & (sentences.recall_pending[: sentences.size] == 1)
        return found

    def _note_papers(self, day: int) -> None:
        """Note since when recalls are decided that weren't last midnight, and what was told of them."""
        pending = self._pending()
        since = np.full(pending.size, NEVER, dtype=np.int64)
        since[: self._decided.size] = self._decided
        self._decided = np.where(pending, np.where(since == NEVER, day, since), NEVER)
        decided = [row for kind in DECIDED for row in self._told[kind]]
        # A curfew may be broken while the officer writes already.
        asked = {*decided, *self.service.sentences.person[np.flatnonzero(since != NEVER)].tolist()}
        broken = [row for row in self._told["curfew broken"] if row not in asked]
        self.papers += day * (len(self._told["licence revoked"]) - len(decided) - len(broken))

    # --- Queues -----------------------------------------------------------------------------------------------

    def _queues(self) -> dict[str, Queue]:
        """Return every queue of the system that keeps since when somebody has waited."""
        service = self.service
        people, sentences, requirements = service.people, service.sentences, service.requirements

        def where(mask: NDArray[np.bool_], since: Any) -> Days:
            return np.where(mask, since[: mask.size].astype(np.int64), NEVER)

        def reports() -> Days:
            asked = np.zeros(people.size, dtype=np.bool_)
            asked[service.court_queue.row[: service.court_queue.size]] = True
            return where(asked, people.report_asked)

        def for_officer() -> Days:
            return people.waiting_since[: people.size].astype(np.int64)

        def breaches() -> Days:
            status = sentences.status[: sentences.size]
            live = (status == Status.ORDER) | (status == Status.SUPERVISION)
            return where(live & (sentences.breach_pending[: sentences.size] == 1), sentences.breach_known)

        def warrants() -> Days:
            alive = people.location[sentences.person[: sentences.size]] < Location.DEAD
            return where(alive, sentences.warrant_since)

        def recalled() -> Days:
            size = sentences.size
            inside = (sentences.status[:size] == Status.RECALLED) & (sentences.kind[:size] == Kind.DETERMINATE)
            return where(inside, sentences.returned)

        def required(kind: int) -> Callable[[], Days]:
            def waiting() -> Days:
                size = requirements.size
                live = (requirements.kind[:size] == kind) & (requirements.progress[:size] <= Progress.RUNNING)
                return where(live & (requirements.began[:size] == NEVER), requirements.imposed)

            return waiting

        def told(kind: str, of: Any = None) -> Callable[[Rows], NDArray[np.bool_]]:
            """What was told of the people today, or of the people whose rows these are."""
            return lambda rows: np.isin(rows if of is None else of.person[rows], self._told[kind])

        def heard(rows: Rows) -> NDArray[np.bool_]:
            before = np.zeros(sentences.size, dtype=np.int64)
            before[: self._heard_before.size] = self._heard_before
            found: NDArray[np.bool_] = sentences.breaches[rows] > before[rows]
            return found

        def begun(rows: Rows) -> NDArray[np.bool_]:
            found: NDArray[np.bool_] = requirements.began[rows] != NEVER
            return found

        def began(rows: Rows) -> Days:
            return requirements.began[rows].astype(np.int64)

        def revoked(rows: Rows) -> NDArray[np.bool_]:
            return np.isin(sentences.status[rows], (Status.AT_LARGE, Status.RECALLED))

        def everybody(rows: Rows) -> NDArray[np.bool_]:
            # Whatever ends a stay on recall, its days are counted, but for those who die there.
            found: NDArray[np.bool_] = people.location[sentences.person[rows]] < Location.DEAD
            return found

        return {
            "court reports": Queue("report_days", reports, told("report delivered")),
            "people without an officer": Queue("allocation_days", for_officer, told("allocated")),
            "breaches on their way to court": Queue("breach_hearing_days", breaches, heard),
            "warrants": Queue("warrant_days", warrants, told("warrant executed", sentences)),
            "determinate sentences back in prison": Queue("recall_days_served", recalled, everybody),
            # Visits of a week are put down as activity on the next Monday, under their own day.
            "activity to begin": Queue("activity_begin_days", required(Requirement.REHABILITATION), begun, began),
            "unpaid work to begin": Queue("work_begin_days", required(Requirement.UNPAID_WORK), begun),
            "programmes to begin": Queue("programme_begin_days", required(Requirement.PROGRAMME), begun),
            "recalls from decision to revocation": Queue("", lambda: self._decided, revoked),
        }


__all__ = ["PLACES", "Nights", "Queue", "Stays"]
