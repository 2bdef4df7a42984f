"""Invariants: law, practice and conservation that may never be broken, checked at the end of every month.

A run stops with the name of the law that was broken: a wrong model is worse than none.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from simulation.engine import NEVER
from simulation.system.codes import NPS, Grade, Kind, Location, Mode, RecallKind, Rosh, Setting, Status, Task
from simulation.system.columns import SENTENCES
from simulation.system.service import PLACE_OF, SETTING_OF, Service


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
        for name, law in self.laws.items():
            broken = law()
            if broken.size:
                raise InvariantBroken(name, f"{broken.size} rows on {self.service.calendar.date(self.service.today)}, "
                                            f"for example row {int(broken.flat[0])}")
            self.service.checks[name] = self.service.checks.get(name, 0) + 1

    # --- Conservation -----------------------------------------------------------------------------------------

    def _known(self) -> np.ndarray:
        # Everybody somewhere, and everybody with a live sentence: the rest have neither and can't be in two places.
        service, people, sentences = self.service, self.service.people, self.service.sentences
        place = people.location[: people.size]
        rows = np.flatnonzero((place != Location.UNKNOWN) & (place != Location.DEAD) & (place != Location.ENDED))
        live = sentences.person[np.flatnonzero(sentences.status[: sentences.size] != Status.ENDED)]
        live = live[(place[live] == Location.ENDED) | (place[live] == Location.UNKNOWN)]
        del service
        return np.concatenate([rows, live]).astype(np.int32)

    def one_place(self) -> np.ndarray:
        """Place is the one that the precedence table gives."""
        service, people = self.service, self.service.people
        rows = self._known()
        mask = service.statuses(rows)
        place = PLACE_OF[mask].copy()
        place[(place == Location.ENDED) & (people.report_due[rows] != NEVER)] = Location.COURT
        held = (people.committed_until[rows] > service.today) & ((place == Location.COMMUNITY) | (place == Location.ENDED))
        place[held] = Location.COMMITTED
        return rows[place != people.location[rows]]

    def setting_follows(self) -> np.ndarray:
        """Setting is the one that the precedence table gives."""
        rows = self._known()
        return rows[SETTING_OF[self.service.statuses(rows)] != self.service.people.setting[rows]]

    def officer_or_queue(self) -> np.ndarray:
        """Everybody supervised has an officer in post, or is on the visible queue."""
        service, people, posts = self.service, self.service.people, self.service.posts
        rows = np.flatnonzero(people.side[: people.size] >= 0).astype(np.int32)
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
        arrived = (people.returner_pool[:size] == 1) | (people.convicted[:size] <= service.today)
        late = people.convicted[:size] > service.today
        lost = arrived & (place == Location.UNKNOWN) & (people.convicted[:size] < service.today)
        early = late & (place != Location.UNKNOWN) & (people.sentences[:size] == 0)
        ended = (place == Location.ENDED) & (people.side[:size] >= 0)
        supervised = ((place >= Location.COMMUNITY) & (place <= Location.AT_LARGE)) & (people.side[:size] < 0)
        return np.flatnonzero(lost | early | ended | (supervised & (place != Location.COMMITTED)))

    def custody_caseload(self) -> np.ndarray:
        """People supervised in custody are never more than sentenced and recalled prisoners."""
        service, people = self.service, self.service.people
        size = people.size
        place = people.location[:size]
        prisoners = (place == Location.SENTENCED) | (place == Location.RECALLED)
        supervised = (people.side[:size] >= 0) & (people.setting[:size] == Setting.CUSTODY)
        del service
        return np.flatnonzero(supervised & ~prisoners)

    def diary(self) -> np.ndarray:
        """Time at work = time started + unused - new debt."""
        worked, used, unused, debt = self.service.tables["balance"].value[:4].tolist()
        owed = self.service.posts.owed[: self.service.posts.size]
        return np.array([0] if worked + debt != used + unused or (owed < 0).any() else [])

    def dead(self) -> np.ndarray:
        """The dead have no officer, no appointment and no live sentence."""
        service, people = self.service, self.service.people
        rows = np.flatnonzero(people.location[: people.size] == Location.DEAD).astype(np.int32)
        live = service.statuses(rows) & ~np.uint8(1 << Status.ENDED)
        return rows[(live != 0) | (people.officer[rows] >= 0) | (service.agendas["contact"].day_of(rows) != NEVER)]

    # --- Law ---------------------------------------------------------------------------------------------------

    def supervision_not_recalled(self) -> np.ndarray:
        """Nobody is on recall, or being recalled, after the licence has run out."""
        service, sentences = self.service, self.service.sentences
        size = sentences.size
        status = sentences.status[:size]
        recalled = (status == Status.RECALLED) | (status == Status.AT_LARGE)
        recalled &= sentences.kind[:size] == Kind.DETERMINATE
        pending = (status == Status.SUPERVISION) & (service.agendas["recall step"].day_of(np.arange(size)) != NEVER)
        orders = (sentences.kind[:size] < Kind.DETERMINATE) & (sentences.recalls[:size] > 0)
        return np.flatnonzero((recalled & (sentences.expiry[:size] < service.today)) | pending | orders)

    def supervision_length(self) -> np.ndarray:
        """Supervision ends at most twelve months after the custodial part."""
        service, sentences = self.service, self.service.sentences
        size = sentences.size
        months = service.levers.number("supervision.pss.total_months_after_release")
        longest = sentences.custody_end[:size] + int(months * 365.25 / 12)
        supervised = (sentences.kind[:size] == Kind.DETERMINATE) & (sentences.supervision_end[:size] > sentences.expiry[:size])
        return np.flatnonzero(supervised & (sentences.supervision_end[:size] > longest))

    def fixed_term(self) -> np.ndarray:
        """No fixed-term recall of somebody at high risk or on an extended sentence, none longer than the law says."""
        service, sentences, people = self.service, self.service.sentences, self.service.people
        size = sentences.size
        person = sentences.person[:size]
        fixed = (sentences.recall_kind[:size] == RecallKind.FIXED_TERM) & (sentences.status[:size] == Status.RECALLED)
        high = people.rosh[person] >= Rosh.HIGH
        longest = np.where(sentences.length[:size] < 365, service.levers.integer("recall.fixed_term_days_under_12m"),
                           service.levers.integer("recall.fixed_term_days_12m_plus"))
        too_long = service.today - sentences.returned[:size] > np.maximum(longest, 1)
        return np.flatnonzero(fixed & (high | (sentences.extended[:size] == 1) | too_long))

    def recall_ends(self) -> np.ndarray:
        """No recall runs beyond the end of the sentence."""
        service, sentences = self.service, self.service.sentences
        rows = np.arange(sentences.size)
        recalled = (sentences.status[rows] == Status.RECALLED) & (sentences.kind[rows] == Kind.DETERMINATE)
        until = service.agendas["recall step"].day_of(rows)
        return np.flatnonzero(recalled & (until > sentences.expiry[rows]))

    def curfew(self) -> np.ndarray:
        """Nobody is on curfew who is excluded, or who began it with under fourteen days left."""
        service, sentences, people = self.service, self.service.sentences, self.service.people
        size = sentences.size
        person = sentences.person[:size]
        on = sentences.status[:size] == Status.CURFEW
        least = service.levers.number("custody.hdc.min_days_on_curfew")
        short = (sentences.custody_end[:size] - sentences.released[:size] < least) & (sentences.released[:size] >= 0)
        outside = sentences.curfew_from[:size] == NEVER
        early = (sentences.released[:size] >= 0) & (sentences.released[:size] < sentences.curfew_from[:size])
        inside = (people.location[person] == Location.SENTENCED) & (sentences.released[:size] == service.today)
        return np.flatnonzero(on & ((people.never_curfew[person] == 1) | short | outside | early | inside))

    def curfew_recall(self) -> np.ndarray:
        """Nobody recalled from curfew is out again before the conditional release date."""
        service, sentences = self.service, self.service.sentences
        size = sentences.size
        status = sentences.status[:size]
        return np.flatnonzero((sentences.recall_kind[:size] == RecallKind.CURFEW) & (status == Status.LICENCE)
                              & (sentences.custody_end[:size] > service.today))

    def high_risk_nps(self) -> np.ndarray:
        """People at high assessed risk, or under MAPPA, are supervised by the NPS."""
        people = self.service.people
        size = people.size
        nps_only = (people.assessed_rosh[:size] >= Rosh.HIGH) | (people.mappa[:size] > 0)
        return np.flatnonzero((people.side[:size] > NPS) & nps_only)

    def high_risk_officer(self) -> np.ndarray:
        """No probation services officer holds somebody at high risk who isn't waiting to be moved."""
        people, posts = self.service.people, self.service.posts
        size = people.size
        officer = people.officer[:size]
        lower = (officer >= 0) & (posts.grade[np.maximum(officer, 0)] == Grade.PSO)
        return np.flatnonzero(lower & (people.assessed_rosh[:size] >= Rosh.HIGH) & (people.waiting_since[:size] == NEVER))

    def provider(self) -> np.ndarray:
        """An officer's employer is the provider responsible, unless the case waits to be moved."""
        people, posts = self.service.people, self.service.posts
        size = people.size
        officer = people.officer[:size]
        other = (officer >= 0) & (posts.employer[np.maximum(officer, 0)] != people.side[:size])
        return np.flatnonzero(other & (people.waiting_since[:size] == NEVER))

    def no_contact_in_custody(self) -> np.ndarray:
        """Nobody in custody has a first appointment, plan or review to come from before."""
        service, people, tasks = self.service, self.service.people, self.service.tasks
        size = people.size
        booked = service.agendas["contact"].day_of(np.arange(size)) != NEVER
        place = people.location[:size]
        out = (place != Location.COMMUNITY) & (place != Location.SENTENCED) & (place != Location.RECALLED)
        due = (people.first_due_from[:size] != NEVER) & (place != Location.COMMUNITY)
        del tasks
        return np.flatnonzero((booked & out) | due)

    def working_days(self) -> np.ndarray:
        """Appointments fall on working days."""
        service, people = self.service, self.service.people
        days = service.agendas["contact"].day_of(np.arange(people.size))
        booked = days != NEVER
        return np.flatnonzero(booked & ~service.calendar.is_working(np.where(booked, days, 0)))

    def telephone(self) -> np.ndarray:
        """Nobody at high risk is on the telephone as a rule, and no first appointment is a call."""
        people = self.service.people
        rows = np.flatnonzero(people.location[: people.size] == Location.COMMUNITY).astype(np.int32)
        if self.telephone_only is None:
            return np.empty(0)
        calls = self.telephone_only(rows)
        return rows[calls & ((people.assessed_rosh[rows] >= Rosh.HIGH) | (people.first_due_from[rows] != NEVER))]

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
    return np.concatenate(batches) if batches else np.empty(0, dtype=np.int32)


__all__ = ["SENTENCES", "InvariantBroken", "Invariants", "Mode"]
