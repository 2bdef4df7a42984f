"""Invariants: law, practice and conservation that may never be broken, checked at the end of every month.

A run stops with the name of the law that was broken: a wrong model is worse than none.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from simulation.engine import NEVER
from simulation.system import laws
from simulation.system.codes import Delivery, Grade, Kind, Place, Requirement, Stage, Status, Task, Terms
from simulation.system.hubs import unbalanced
from simulation.system.ledger import Ledger
from simulation.system.place import PLACE_OF, SETTING_OF
from simulation.system.requirement_laws import broken_balances, broken_groups
from simulation.system.service import CHANGE, CHARGED, COUNT_INDEX, DROPPED, Service

NOBODY = np.empty(0, dtype=np.intp)

RECALLS_COUNTED = (
    "recalls",
    "recalls_fixed_term",
    "recalls_standard",
    "recalls_hdc_curfew",
    "recalls_for_absence",
    "recalls_for_risk",
    "recalls_for_charge",
    "recalls_for_curfew",
)


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
            "the hub's day balances": self.hub,
            "the dead are out of the model": self.dead,
            "what officers owe is accounted for": self.debts,
            "no post is lost": self.posts_kept,
            "a vacant post is being filled": self.vacancies,
            "nobody away for long holds cases": self.away,
            "agency officers have no other terms": self.agency,
            "breach packs only for orders and supervision": self.breaches,
            "prisons hold the cases of prisoners alone": self.prison_held,
            "a warrant ends with a hearing": self.warrants,
            "recalls have one reason and one kind": self.recalls_counted,
            "places to live are neither made nor lost": self.places_balance,
            "every penny is in an account": self.money,
            "a closed post is vacant": self.closed_posts,
            "what is ordered is done, lapsed or still open": self.requirements_balance,
            "programme groups hold those who are in them, up to their size": self.programme_groups,
            "friction touches rehabilitation activity alone": self.friction,
        }

    def check(self, statuses: np.ndarray | None = None) -> None:
        """Check every law.

        Parameters
        ----------
        statuses : uint8 array (people,), optional
            The set of statuses of everybody's sentences as bits, where they have just been found.

        Raises
        ------
        InvariantBroken
            With the law's name and one example.
        """
        self.look(statuses)
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

    # --- Two passes over all rows -----------------------------------------------------------------------------

    def look(self, statuses: np.ndarray | None = None) -> None:
        """Look at everybody and at every sentence once, for all laws."""
        service = self.service
        people, sentences, posts = service.people, service.sentences, service.posts
        dates = laws.Dates(
            self._days("contact", people.size),
            self._days("allocate", people.size),
            self._days("recall step", sentences.size),
            *service.calendar.working_days(),
        )
        limits = laws.Limits(
            service.today,
            service.calendar.after_working_days(service.today, 1),
            int(max(self.so_far("supervision.pss.total_months_after_release")) * 365.25 / 12),
            float(np.ceil(max(self.so_far("recall.fixed_term_days_under_12m")))),
            float(np.ceil(max(self.so_far("recall.fixed_term_days_12m_plus")))),
            float(min(self.so_far("custody.hdc.min_days_on_curfew"))),
        )
        precedence = laws.Precedence(PLACE_OF, SETTING_OF)
        seen = laws.columns(laws.PeopleSeen, people)
        orphan = np.zeros(people.size, dtype=np.bool_)
        for waiting in service.channels["orphans"].batches:
            orphan[waiting] = True
        #: The laws that each person and each sentence breaks, as bits; and the cases that each post should have.
        self.by_person = np.zeros(people.size, dtype=np.int32)
        self.by_sentence = np.zeros(sentences.size, dtype=np.int32)
        self.held = np.zeros(posts.size, dtype=np.int64)
        #: People whom nobody may have on the telephone alone.
        found, self.must_be_seen = laws.check_people(
            people.size,
            seen,
            service.statuses_of_all() if statuses is None else statuses,
            laws.columns(laws.PostsSeen, posts),
            dates,
            orphan,
            precedence,
            limits.today,
            self.by_person,
            self.held,
        )
        found |= laws.check_sentences(
            sentences.size, seen, laws.columns(laws.SentencesSeen, sentences), dates, limits, self.by_sentence
        )
        self.found = found

    def _days(self, agenda: str, rows: int) -> np.ndarray:
        return self.service.agendas[agenda].days(rows)

    def _people(self, law: int) -> np.ndarray:
        return np.flatnonzero(self.by_person & law) if self.found & law else NOBODY

    def _sentences(self, law: int) -> np.ndarray:
        return np.flatnonzero(self.by_sentence & law) if self.found & law else NOBODY

    # --- Conservation -----------------------------------------------------------------------------------------

    def one_place(self) -> np.ndarray:
        """Place is the one that the precedence table gives."""
        return self._people(laws.ONE_PLACE)

    def setting_follows(self) -> np.ndarray:
        """Setting is the one that the precedence table gives."""
        return self._people(laws.SETTING_FOLLOWS)

    def officer_or_queue(self) -> np.ndarray:
        """Everybody supervised has an officer in post, or is on the visible queue."""
        return self._people(laws.OFFICER_OR_QUEUE)

    def cases_counted(self) -> np.ndarray:
        """Cases of a post are the people who name its holder."""
        posts = self.service.posts
        return np.flatnonzero(self.held != posts.cases[: posts.size])

    def nobody_lost(self) -> np.ndarray:
        """Everybody convicted is somewhere; nobody not yet convicted is anywhere."""
        return self._people(laws.NOBODY_LOST)

    def custody_caseload(self) -> np.ndarray:
        """People supervised in custody are never more than sentenced and recalled prisoners."""
        return self._people(laws.CUSTODY_CASELOAD)

    def diary(self) -> np.ndarray:
        """Time at work = time started + unused - new debt, less savings."""
        worked, used, unused, debt = self.service.tables["balance"].value[: CHANGE + 1].tolist()
        owed = self.service.posts.owed[: self.service.posts.size]
        return np.array([0] if worked + debt != used + unused or (owed < 0).any() else [])

    def hub(self) -> np.ndarray:
        """Time of hubs + owed = time worked + unused."""
        return unbalanced(self.service.tables["hubs"])

    def dead(self) -> np.ndarray:
        """The dead have no officer, no appointment and no live sentence."""
        return self._people(laws.DEAD)

    # --- Staff ------------------------------------------------------------------------------------------------

    def debts(self) -> np.ndarray:
        """What officers owe less what they save = overruns + hand-overs charged - what those who went away left."""
        totals, posts = self.service.tables["balance"].value, self.service.posts
        owed = int(posts.owed[: posts.size].sum(dtype=np.int64) - posts.saved[: posts.size].sum(dtype=np.int64))
        return np.array([0] if owed != totals[CHANGE] + totals[CHARGED] - totals[DROPPED] else [])

    def posts_kept(self) -> np.ndarray:
        """Posts of the first day are there, if closed; a trainee who takes one gives up the training place."""
        posts, size, areas = self.service.posts, self.service.posts.size, self.service.areas
        now = np.bincount(posts.area[:size][posts.place[:size] == Place.ESTABLISHED], minlength=areas)
        return np.flatnonzero(now != self.service.tables["establishment"].posts[:areas])

    def vacancies(self) -> np.ndarray:
        """Somebody is sought for every established post without a permanent holder, and for no other row."""
        posts = self.service.posts
        size = posts.size
        open_ = (posts.place[:size] == Place.ESTABLISHED) & (posts.closed[:size] == 0)
        open_ &= (
            (posts.filled[:size] == 0) | (posts.terms[:size] == Terms.AGENCY)
        )
        sought = self._days("recruitment", size)[:size] != NEVER
        return np.flatnonzero((open_ != sought) | (open_ != (posts.stage[:size] != Stage.NONE)))

    def away(self) -> np.ndarray:
        """Officers whose cases are with others hold none and have no hours."""
        posts = self.service.posts
        size = posts.size
        return np.flatnonzero((posts.covered[:size] == 1) & ((posts.cases[:size] > 0) | (posts.hours_left[:size] > 0)))

    def agency(self) -> np.ndarray:
        """Nobody from an agency trains, is in a training place or holds a post that isn't sought for."""
        posts = self.service.posts
        size = posts.size
        odd = (posts.grade[:size] == Grade.TRAINEE) | (posts.place[:size] != Place.ESTABLISHED)
        return np.flatnonzero((posts.terms[:size] == Terms.AGENCY) & odd)

    # --- Law ---------------------------------------------------------------------------------------------------

    def supervision_not_recalled(self) -> np.ndarray:
        """Nobody is on recall, or being recalled, after the licence has run out; no order is recalled."""
        return self._sentences(laws.SUPERVISION_NOT_RECALLED)

    def supervision_length(self) -> np.ndarray:
        """Supervision ends at most twelve months after the custodial part."""
        return self._sentences(laws.SUPERVISION_LENGTH)

    def fixed_term(self) -> np.ndarray:
        """No fixed-term recall of somebody at high risk or on an extended sentence, none longer than the law says."""
        return self._sentences(laws.FIXED_TERM)

    def recall_ends(self) -> np.ndarray:
        """No recall runs beyond the end of the sentence."""
        return self._sentences(laws.RECALL_ENDS)

    def curfew(self) -> np.ndarray:
        """Nobody is on curfew who is excluded, or who began it early or with under fourteen days left."""
        return self._sentences(laws.CURFEW)

    def curfew_recall(self) -> np.ndarray:
        """Nobody recalled from curfew is out again before the release date, or the working day before it."""
        return self._sentences(laws.CURFEW_RECALL)

    def high_risk_nps(self) -> np.ndarray:
        """People at high assessed risk, or under MAPPA, are supervised by the NPS."""
        return self._people(laws.HIGH_RISK_NPS)

    def high_risk_officer(self) -> np.ndarray:
        """No probation services officer holds somebody at high risk who isn't waiting to be moved."""
        return self._people(laws.HIGH_RISK_OFFICER)

    def provider(self) -> np.ndarray:
        """An officer's employer is the provider responsible, unless the case waits to be moved."""
        return self._people(laws.PROVIDER)

    def no_contact_in_custody(self) -> np.ndarray:
        """Nobody is booked who is neither in the community nor in prison; no first appointment is due inside."""
        return self._people(laws.NO_CONTACT_IN_CUSTODY)

    def working_days(self) -> np.ndarray:
        """Appointments fall on working days."""
        return self._people(laws.WORKING_DAYS)

    def telephone(self) -> np.ndarray:
        """Nobody at high risk is on the telephone as a rule, and no first appointment is a call."""
        if self.telephone_only is None:
            return NOBODY
        return self.must_be_seen[self.telephone_only(self.must_be_seen)]

    telephone_only: Callable[[np.ndarray], np.ndarray] | None = None

    def prison_held(self) -> np.ndarray:
        """Whoever is the prison's case is a sentenced prisoner without an officer or appointment outside."""
        return self._people(laws.PRISON_HELD)

    def warrants(self) -> np.ndarray:
        """Behind every warrant on a live sentence there is a breach, and a day on which it will be heard."""
        sentences = self.service.sentences
        out = np.flatnonzero(sentences.warrant_since[: sentences.size] != NEVER)
        out = out[sentences.status[out] != Status.ENDED]
        return out[(sentences.breach_pending[out] == 0) | (self._days("hearing", sentences.size)[out] == NEVER)]

    def recalls_counted(self) -> np.ndarray:
        """The recalls of a month add up by reason and by kind."""
        flow = {name: self.service.flows[COUNT_INDEX[name]] for name in RECALLS_COUNTED}
        by_reason = sum(flow[name] for name in RECALLS_COUNTED if name.startswith("recalls_for"))
        by_kind = flow["recalls_fixed_term"] + flow["recalls_standard"] + flow["recalls_hdc_curfew"]
        return np.flatnonzero((by_reason != flow["recalls"]) | (by_kind != flow["recalls"]))

    def breaches(self) -> np.ndarray:
        """Breach packs belong to orders and supervision; recall reports to licences."""
        tasks, sentences = self.service.tasks, self.service.sentences
        size = tasks.size
        kind, sentence = tasks.kind[:size], tasks.sentence[:size]
        packs = (kind == Task.BREACH_PACK) & (sentences.kind[sentence] == Kind.INDETERMINATE)
        reports = (kind == Task.RECALL_REPORT) & (sentences.kind[sentence] < Kind.DETERMINATE)
        return np.flatnonzero(packs | reports)

    def places_balance(self) -> np.ndarray:
        """Every place found was taken, went to others, or is free; every one taken is the home of somebody released."""
        teams = self.service.tables["teams"]
        balance = teams.homes_found - teams.homes_taken - teams.homes_lost - teams.homes_free
        sentences = self.service.sentences
        housed = sentences.home_found[: sentences.size].sum()
        return np.flatnonzero((balance != 0) | (teams.homes_free < 0) | (teams.homes_taken.sum() != housed))

    ledger: Ledger | None = None

    def money(self) -> np.ndarray:
        """What was paid in = what was paid out + what is held, and nothing is made or lost."""
        return NOBODY if self.ledger is None else self.ledger.broken()

    def closed_posts(self) -> np.ndarray:
        """Nobody is in a post that was closed, and as many are closed as companies were counted to have closed."""
        posts, size = self.service.posts, self.service.posts.size
        closed = posts.closed[:size] == 1
        counted = self.service.tables["contracts"].posts_closed + self.service.tables["establishment"].closed
        wrong = np.bincount(posts.area[:size][closed], minlength=counted.size) != counted
        return np.concatenate([np.flatnonzero(closed & (posts.filled[:size] == 1)), np.flatnonzero(wrong)])

    # --- Requirements -----------------------------------------------------------------------------------------

    def requirements_balance(self) -> np.ndarray:
        """Days and hours ordered by courts are done, left undone when the order ended, or still open."""
        return broken_balances(self.service)

    def programme_groups(self) -> np.ndarray:
        """Members of a group are the people who name it, no more than its seats, none outside the community."""
        return broken_groups(self.service)

    def friction(self) -> np.ndarray:
        """What waits to be bought is rehabilitation activity with a group or specialist, never ordered work."""
        rows = self.service.requirements
        size = rows.size
        bought = (rows.kind[:size] == Requirement.REHABILITATION) & (rows.form[:size] != Delivery.OFFICER)
        return np.flatnonzero((rows.held[:size] == 1) & ~bought)


__all__ = ["InvariantBroken", "Invariants"]
