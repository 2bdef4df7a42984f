"""Bodies between the Ministry and the police force area: the twelve regions of 2021, or the trusts of before 2014.

A body employs the officers of several areas. Its recruitment is one campaign: whoever is hired, or has just qualified,
may be asked to begin where the load is heaviest rather than where the post was advertised; some would not go. It
costs something of its own (a director, a board, finance, personnel). A trust has mostly one area, so it shares little;
what sets it apart is that it hires for itself, without the vetting of the civil service.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulation.system.codes import NPS, Grade, Place, Stage, Terms
from simulation.system.service import Array, Rows, Service

if TYPE_CHECKING:
    from simulation.system.recruitment import Recruitment

#: Pence in a million pounds.
_MILLION = 100_000_000
_NOBODY = np.empty(0, dtype=np.intp)


class Bodies:
    """Which areas are one employer's, and where it places its new officers.

    Parameters
    ----------
    service : Service
        All state.
    points : callable
        Returns points held and points available by post.
    set_hours : callable
        Sets the hours that each officer has, as they are now.
    """

    def __init__(
        self, service: Service, points: Callable[[], tuple[Array, Array]], set_hours: Callable[[], None]
    ) -> None:
        self.service, self.points, self.set_hours = service, points, set_hours

    def read(self) -> None:
        """Take the levers of the day."""
        self.tier = self.service.levers.text("organisation.tier")
        self.mobile_share = self.service.levers.number("organisation.mobile_share")
        #: The body of each area; -1 where there is none.
        self.body = bodies_of(self.service)

    # --- New officers -----------------------------------------------------------------------------------------

    def where_needed(self, rows: Rows) -> Rows:
        """Return the posts in which those begin who were found for ``rows``.

        A hire who is willing goes to the post of the same grade, of the same body, that has been vacant longest in
        the area with the heaviest load; the search for the post that was advertised goes on from where the other's
        stood.
        """
        if self.tier == "none" or rows.size == 0:
            return rows
        service, posts = self.service, self.service.posts
        self.set_hours()
        # Everybody's points are added up for it: only if there is a choice, and before anything moves.
        load = cache(self.load)
        willing = service.chance.uniform(posts.key[rows], "goes elsewhere", posts.adverts[rows]) < self.mobile_share
        begun: list[int] = []
        for post, goes in zip(rows.tolist(), willing.tolist(), strict=True):
            taken = np.array([*begun, *rows.tolist()], dtype=np.intp)
            other = self.vacancy(post, int(posts.post_grade[post]), load, taken) if goes else -1
            if other < 0:
                begun.append(post)
                continue
            posts.adverts[post] += 1
            posts.stage[post] = posts.stage[other]
            day = service.agendas["recruitment"].day_of(np.array([other]))
            service.agendas["recruitment"].put(np.array([post]), np.maximum(day, service.today + 1))
            self.count(other)
            begun.append(other)
        return np.sort(np.array(begun, dtype=np.intp))

    def place_qualified(self, recruitment: Recruitment) -> None:
        """Officers who have qualified and found no vacancy in their own area take one elsewhere, if they would go."""
        if self.tier == "none":
            return
        service, posts = self.service, self.service.posts
        rows = np.flatnonzero(recruitment.qualified())
        willing = service.chance.uniform(posts.key[rows], "moves once qualified", posts.holder[rows])
        if rows.size:
            self.set_hours()
        load = cache(self.load)
        for officer in rows[willing < self.mobile_share].tolist():
            found = self.vacancy(officer, Grade.PO, load, _NOBODY, anywhere=True)
            if found < 0:
                continue
            one, other = np.array([officer]), np.array([found])
            new_until, since, hours = (int(getattr(posts, name)[officer]) for name in ("new_until", "since", "hours"))
            service.count_codes("posts_filled", recruitment.codes(other))
            service.count_codes("fill_days", recruitment.codes(other), service.today - posts.vacant_since[other])
            self.count(found)
            recruitment.release(np.sort(np.concatenate([one, other[posts.filled[other] == 1]])))
            recruitment.seat(other, Terms.PERMANENT)
            posts.grade[found] = posts.post_grade[found]
            posts.new_until[found], posts.since[found], posts.hours[found] = new_until, since, hours
            recruitment.stop(other)

    def vacancy(self, post: int, grade: int, load: Callable[[], Array], taken: Rows, anywhere: bool = False) -> int:
        """Return the post to begin in instead: that vacant longest in the body's most loaded area; -1 if none.

        Parameters
        ----------
        load : callable
            Returns the load of each area, see :meth:`load`.
        anywhere : bool
            Whether any other area will do, not only one with a heavier load.
        """
        posts, size = self.service.posts, self.service.posts.size
        home = int(posts.area[post])
        if self.body[home] < 0:
            return -1
        area = posts.area[:size].astype(np.intp)
        open_ = (self.body[area] == self.body[home]) & (area != home) & (posts.employer[:size] == NPS)
        open_ &= (posts.place[:size] == Place.ESTABLISHED) & (posts.post_grade[:size] == grade)
        open_ &= (posts.stage[:size] != Stage.NONE) & (posts.closed[:size] == 0)
        open_[taken] = False
        rows = np.flatnonzero(open_)
        if rows.size and not anywhere:
            rows = rows[load()[area[rows]] > load()[home]]
        if rows.size == 0:
            return -1
        # Posts with nobody in them before those that an agency officer holds.
        order = np.lexsort([rows, posts.vacant_since[rows], posts.filled[rows], -load()[area[rows]]])
        return int(rows[order[0]])

    def load(self) -> NDArray[np.float64]:
        """Return the points held over the points available of each area's officers."""
        held, available = self.points()
        area = self.service.posts.area[: held.size].astype(np.intp)
        held, available = (np.bincount(area, weights=each, minlength=self.service.areas) for each in (held, available))
        found: NDArray[np.float64] = held / np.maximum(available, 1)
        return found

    def count(self, post: int) -> None:
        """Count somebody placed in another area than the one that found them."""
        self.service.count_codes("placed_elsewhere", np.array([int(self.service.posts.area[post]) * 2 + NPS]))


def bodies_of(service: Service) -> NDArray[np.int64]:
    """Return the number of each area's body, -1 where there is none: the service isn't one, or has no bodies."""
    levers, geography = service.levers, service.geography
    found = np.full(service.areas, -1, dtype=np.int64)
    tier = levers.text("organisation.tier")
    if tier == "none":
        return found
    names = geography.region if tier == "region" else geography.trust
    known = sorted(set(names))
    unified = levers.grid("organisation.unified")[:, NPS] > 0.5
    return np.where(unified, np.array([known.index(name) for name in names], dtype=np.int64), -1)


def body_costs(service: Service) -> NDArray[np.float64]:
    """Return what bodies cost in a year, in pence, by area: a body's cost is shared by resident population."""
    body = bodies_of(service)
    tier = service.levers.text("organisation.tier")
    if tier == "none":
        return np.zeros(service.areas)
    each = service.levers.mapping("organisation.body_cost")[tier] * _MILLION
    residents = np.asarray(service.geography.population_thousands, dtype=np.float64)
    names = service.geography.region if tier == "region" else service.geography.trust
    known = sorted(set(names))
    number = np.array([known.index(name) for name in names], dtype=np.int64)
    whole = np.bincount(number, weights=residents)[number]
    return np.where(body >= 0, each * residents / whole, 0.0)


__all__ = ["Bodies", "bodies_of", "body_costs"]
