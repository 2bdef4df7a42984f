"""Invariants: law, practice and conservation that may never be broken, checked at the end of every month.

A run stops with the name of the law that was broken: a wrong model is worse than none.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from simulation.engine import NEVER
from simulation.system.codes import NPS, Grade, Kind, Location, Mode, RecallKind, Rosh, Setting, Status, Task
from simulation.system.columns import SENTENCES
from simulation.system.place import PLACE_OF, SETTING_OF
from simulation.system.service import Service


class InvariantBroken(AssertionError):
    """A law of the model was broken.

    Parameters
    ----------
    name : str
        Name of the invariant.
    message : str
        What was found, with an example.
    """

    def __init__(self, name: str, message: str) -> None:
        # SimPy makes a failed process's exception again from its arguments, so they are all kept.
        super().__init__(name, message)
        self.name = name
        self.message = message

    def __str__(self) -> str:
        return f"invariant broken: {self.name}: {self.message}"


class Invariants:
    """All invariants of a run."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.laws: dict[str, Callable[[], np.ndarray]] = {
            "one place a person": self.one_place,
            "setting follows sentences": self.setting_follows,
            "one officer or one queue a supervised person": self.officer_or_queue,
            "cases held are counted once": self.cases_counted,
            "nobody is lost": self.nobody_lost,
            "supervised in custody never exceed prisoners": self.custody_caseload,
            "post-sentence supervision is never recalled": self.supervision_not_recalled,
            "supervision ends twelve months after custody": self.supervision_length,
            "fixed-term recall never at high risk or on an extended sentence": self.fixed_term,
            "no recall beyond the end of the sentence": self.recall_ends,
            "curfew never for the excluded, on recall or under fourteen days": self.curfew,
            "recalled from curfew stays until the release date": self.curfew_recall,
            "high risk is held by the NPS": self.high_risk_nps,
            "high risk is held by a probation officer": self.high_risk_officer,
            "the higher provider wins": self.provider,
            "no community appointment in custody": self.no_contact_in_custody,
            "appointments fall on working days": self.working_days,
            "never by telephone alone at high risk or at first": self.telephone,
            "the diary balances": self.diary,
            "the dead are out of the model": self.dead,
            "breach packs only for orders and supervision": self.breaches,
        }

    def check(self) -> None:
        """Check every law.

        Raises
        ------
        InvariantBroken
            With the law's name and one example.
        """
        people, sentences = self.service.people, self.service.sentences
        #: Rows of people supervised, and of sentences still running, found once for all laws.
        self.live = np.flatnonzero(people.side[: people.size] >= 0)
        self.running = np.flatnonzero(sentences.status[: sentences.size] != Status.ENDED)
        for name, law in self.laws.items():
            broken = law()
            if broken.size:
                raise InvariantBroken(
                    name,
                    f"{broken.size} rows on {self.service.calendar.date(self.service.today)}, "
                    f"for example row {int(broken.flat[0])}",
                )
            self.service.checks[name] = self.service.checks.get(name, 0) + 1

    def so_far(self, name: str) -> list[float]:
        """Return the values that a lever has had: what was decided under the law of its day stands."""
        resolved = self.service.resolved
        days = [0, *(day for day in resolved.change_days() if day <= self.service.today)]
        return [resolved.on(day).number(name) for day in days]

    # --- Conservation -----------------------------------------------------------------------------------------

    def _known(self) -> np.ndarray:
        # Everybody somewhere, and everybody with a live sentence: the rest have neither and can't be in two places.
        people, sentences = self.service.people, self.service.sentences
        place = people.location[: people.size]
        rows = np.flatnonzero(
            (place != Location.UNKNOWN) & (place != Location.DEAD) & (place != Location.ENDED)
        )
        live = sentences.person[self.running]
        live = live[(place[live] == Location.ENDED) | (place[live] == Location.UNKNOWN)]
        return np.concatenate([rows, live])

    def one_place(self) -> np.ndarray:
        """Place is the one that the precedence table gives."""
        service, people = self.service, self.service.people
        rows = self._known()
        mask = service.statuses(rows)
        place = PLACE_OF[mask].copy()
        held = (people.committed_until[rows] > service.today) & (
            (place == Location.COMMUNITY) | (place == Location.ENDED)
        )
        place[held] = Location.COMMITTED
        place[(place == Location.ENDED) & (people.report_due[rows] != NEVER)] = Location.COURT
        return rows[place != people.location[rows]]

    def setting_follows(self) -> np.ndarray:
        """Setting is the one that the precedence table gives."""
        rows = self._known()
        return rows[SETTING_OF[self.service.statuses(rows)] != self.service.people.setting[rows]]

    def officer_or_queue(self) -> np.ndarray:
        """Everybody supervised has an officer in post, or is on the visible queue."""
        service, people, posts = self.service, self.service.people, self.service.posts
        rows = self.live
        officer = people.officer[rows]
        queued = (service.agendas["allocate"].day_of(rows) != NEVER) | np.isin(rows, _waiting(service))
        empty = (officer >= 0) & (posts.filled[np.maximum(officer, 0)] == 0)
        unsupervised = np.flatnonzero((people.side[: people.size] < 0) & (people.officer[: people.size] >= 0))
        return np.concatenate([rows[((officer < 0) & ~queued) | empty], unsupervised])

    def cases_counted(self) -> np.ndarray:
        """Cases of a post are the people who name its holder."""
        people, posts = self.service.people, self.service.posts
        officer = people.officer[: people.size]
        held = np.bincount(officer[officer >= 0], minlength=posts.size)
        return np.flatnonzero(held != posts.cases[: posts.size])

    def nobody_lost(self) -> np.ndarray:
        """Everybody convicted is somewhere; nobody not yet convicted is anywhere."""
        service, people = self.service, self.service.people
        size = people.size
        place = people.location[:size]
        side = people.side[:size]
        lost = (place == Location.UNKNOWN) & (people.convicted[:size] < service.today)
        early = np.flatnonzero((people.convicted[:size] > service.today) & (place != Location.UNKNOWN))
        early = early[people.sentences[early] == 0]
        ended = (place == Location.ENDED) & (side >= 0)
        inside = (place >= Location.COMMUNITY) & (place <= Location.AT_LARGE) & (place != Location.COMMITTED)
        return np.concatenate([np.flatnonzero(lost | ended | (inside & (side < 0))), early])

    def custody_caseload(self) -> np.ndarray:
        """People supervised in custody are never more than sentenced and recalled prisoners."""
        people = self.service.people
        place = people.location[self.live]
        prisoners = (place == Location.SENTENCED) | (place == Location.RECALLED)
        return self.live[(people.setting[self.live] == Setting.CUSTODY) & ~prisoners]

    def diary(self) -> np.ndarray:
        """Time at work = time started + unused - new debt."""
        worked, used, unused, debt = self.service.tables["balance"].value[:4].tolist()
        owed = self.service.posts.owed[: self.service.posts.size]
        return np.array([0] if worked + debt != used + unused or (owed < 0).any() else [])

    def dead(self) -> np.ndarray:
        """The dead have no officer, no appointment and no live sentence."""
        service, people = self.service, self.service.people
        rows = np.flatnonzero(people.location[: people.size] == Location.DEAD)
        live = service.statuses(rows) & ~np.uint8(1 << Status.ENDED)
        return rows[
            (live != 0) | (people.officer[rows] >= 0) | (service.agendas["contact"].day_of(rows) != NEVER)
        ]

    # --- Law ---------------------------------------------------------------------------------------------------

    def supervision_not_recalled(self) -> np.ndarray:
        """Nobody is on recall, or being recalled, after the licence has run out; no order is recalled."""
        service, sentences, rows = self.service, self.service.sentences, self.running
        status, kind = sentences.status[rows], sentences.kind[rows]
        recalled = ((status == Status.RECALLED) | (status == Status.AT_LARGE)) & (kind == Kind.DETERMINATE)
        pending = (status == Status.SUPERVISION) & (service.agendas["recall step"].day_of(rows) != NEVER)
        orders = (kind < Kind.DETERMINATE) & (sentences.recalls[rows] > 0)
        return rows[(recalled & (sentences.expiry[rows] < service.today)) | pending | orders]

    def supervision_length(self) -> np.ndarray:
        """Supervision ends at most twelve months after the custodial part."""
        sentences, rows = self.service.sentences, self.running
        months = max(self.so_far("supervision.pss.total_months_after_release"))
        longest = sentences.custody_end[rows] + int(months * 365.25 / 12)
        supervised = (sentences.kind[rows] == Kind.DETERMINATE) & (
            sentences.supervision_end[rows] > sentences.expiry[rows]
        )
        return rows[supervised & (sentences.supervision_end[rows] > longest)]

    def fixed_term(self) -> np.ndarray:
        """No fixed-term recall of somebody at high risk or on an extended sentence, none longer than the law says."""
        service, sentences, people = self.service, self.service.sentences, self.service.people
        rows = self.running[sentences.status[self.running] == Status.RECALLED]
        rows = rows[sentences.recall_kind[rows] == RecallKind.FIXED_TERM]
        high = people.rosh[sentences.person[rows]] >= Rosh.HIGH
        longest = np.where(
            sentences.length[rows] < 365,
            np.ceil(max(self.so_far("recall.fixed_term_days_under_12m"))),
            np.ceil(max(self.so_far("recall.fixed_term_days_12m_plus"))),
        )
        too_long = service.today - sentences.returned[rows] > np.maximum(longest, 1)
        return rows[high | (sentences.extended[rows] == 1) | too_long]

    def recall_ends(self) -> np.ndarray:
        """No recall runs beyond the end of the sentence."""
        service, sentences = self.service, self.service.sentences
        rows = self.running[sentences.status[self.running] == Status.RECALLED]
        rows = rows[sentences.kind[rows] == Kind.DETERMINATE]
        return rows[service.agendas["recall step"].day_of(rows) > sentences.expiry[rows]]

    def curfew(self) -> np.ndarray:
        """Nobody is on curfew who is excluded, or who began it early or with under fourteen days left."""
        sentences, people = self.service.sentences, self.service.people
        rows = self.running[sentences.status[self.running] == Status.CURFEW]
        person, released = sentences.person[rows], sentences.released[rows]
        least = min(self.so_far("custody.hdc.min_days_on_curfew"))
        began = released >= 0
        short = began & (sentences.custody_end[rows] - released < least)
        outside = sentences.curfew_from[rows] == NEVER
        early = began & (released < sentences.curfew_from[rows])
        return rows[(people.never_curfew[person] == 1) | short | outside | early]

    def curfew_recall(self) -> np.ndarray:
        """Nobody recalled from curfew is out again before the release date, or the working day before it."""
        service, sentences = self.service, self.service.sentences
        rows = self.running[sentences.status[self.running] == Status.LICENCE]
        rows = rows[sentences.recall_kind[rows] == RecallKind.CURFEW]
        return rows[service.calendar.working_day_before(sentences.custody_end[rows]) > service.today]

    def high_risk_nps(self) -> np.ndarray:
        """People at high assessed risk, or under MAPPA, are supervised by the NPS."""
        people = self.service.people
        rows = self.live[people.side[self.live] > NPS]
        return rows[(people.assessed_rosh[rows] >= Rosh.HIGH) | (people.mappa[rows] > 0)]

    def high_risk_officer(self) -> np.ndarray:
        """No probation services officer holds somebody at high risk who isn't waiting to be moved."""
        people, posts = self.service.people, self.service.posts
        rows = self.live[people.officer[self.live] >= 0]
        rows = rows[posts.grade[people.officer[rows]] == Grade.PSO]
        return rows[(people.assessed_rosh[rows] >= Rosh.HIGH) & (people.waiting_since[rows] == NEVER)]

    def provider(self) -> np.ndarray:
        """An officer's employer is the provider responsible, unless the case waits to be moved."""
        people, posts = self.service.people, self.service.posts
        rows = self.live[people.officer[self.live] >= 0]
        rows = rows[posts.employer[people.officer[rows]] != people.side[rows]]
        return rows[people.waiting_since[rows] == NEVER]

    def no_contact_in_custody(self) -> np.ndarray:
        """Nobody is booked who is neither in the community nor in prison; no first appointment is due inside."""
        service, people = self.service, self.service.people
        booked = np.flatnonzero(service.agendas["contact"].day_of(np.arange(people.size, dtype=np.intp)) != NEVER)
        place = people.location[booked]
        out = (place != Location.COMMUNITY) & (place != Location.SENTENCED) & (place != Location.RECALLED)
        due = (people.first_due_from[self.live] != NEVER) & (people.location[self.live] != Location.COMMUNITY)
        return np.concatenate([booked[out], self.live[due]])

    def working_days(self) -> np.ndarray:
        """Appointments fall on working days."""
        service, people = self.service, self.service.people
        days = service.agendas["contact"].day_of(np.arange(people.size, dtype=np.intp))
        booked = np.flatnonzero(days != NEVER)
        return booked[~service.calendar.is_working(days[booked])]

    def telephone(self) -> np.ndarray:
        """Nobody at high risk is on the telephone as a rule, and no first appointment is a call."""
        people = self.service.people
        if self.telephone_only is None:
            return np.empty(0)
        rows = self.live[people.location[self.live] == Location.COMMUNITY]
        calls = self.telephone_only(rows)
        return rows[
            calls & ((people.assessed_rosh[rows] >= Rosh.HIGH) | (people.first_due_from[rows] != NEVER))
        ]

    telephone_only: Callable[[np.ndarray], np.ndarray] | None = None

    def breaches(self) -> np.ndarray:
        """Breach packs belong to orders and supervision; recall reports to licences."""
        tasks, sentences = self.service.tasks, self.service.sentences
        size = tasks.size
        kind, sentence = tasks.kind[:size], tasks.sentence[:size]
        packs = (kind == Task.BREACH_PACK) & (sentences.kind[sentence] == Kind.INDETERMINATE)
        reports = (kind == Task.RECALL_REPORT) & (sentences.kind[sentence] < Kind.DETERMINATE)
        return np.flatnonzero(packs | reports)


def _waiting(service: Service) -> np.ndarray:
    batches = service.channels["orphans"].store.items
    return np.concatenate(batches) if batches else np.empty(0, dtype=np.intp)


__all__ = ["SENTENCES", "InvariantBroken", "Invariants", "Mode"]
