"""Other staff, carried as a stock: senior probation officers and administrators beside the officers who hold cases.

They are no posts and hold no cases: there are so many full-time equivalents in an area and side, some leave each month
and some are replaced. The span of control is reported; what officers lose where seniors are missing is a declared
assumption, off in the baseline (``effects.time_lost_without_senior``). At a transition a share of seniors may go at
once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulation.engine import Column, Table
from simulation.engine.compiled import compiled
from simulation.system.codes import Place
from simulation.system.service import Array, Service

KINDS = ("senior", "administrator")
MILLIONTHS = 1_000_000


def other_staff_table(areas: int) -> Table:
    """Return the stocks: a row for each area and side."""
    columns = [
        Column(f"{kind}_{what}", "int64", "millionths of a post", meaning)
        for kind in KINDS
        for what, meaning in (("posts", "Posts."), ("in_post", "In post."))
    ]
    table = Table("other_staff", columns, areas * 2)
    table.add(areas * 2)
    return table


class OtherStaff:
    """Senior officers and administrators of each area and side."""

    def __init__(self, service: Service) -> None:
        self.service = service
        service.table("other_staff", other_staff_table(service.areas))

    def read(self) -> None:
        """Take the levers of the day."""
        levers = self.service.levers
        self.span = {
            "senior": float(levers.number("staff.senior.span")),
            "administrator": float(levers.number("staff.administrator.span")),
        }
        self.leaving = {
            "senior": levers.grid("staff.senior.leaving_rate").ravel(),
            "administrator": levers.grid("staff.administrator.leaving_rate").ravel(),
        }
        self.months = {
            "senior": float(levers.number("staff.senior.months_to_fill")),
            "administrator": float(levers.number("staff.administrator.months_to_fill")),
        }

    def begin(self) -> None:
        """Give every area and side one for each span of officers' posts, with the vacancies of a steady state."""
        service, posts = self.service, self.service.posts
        table, size = service.tables["other_staff"], posts.size
        cells = posts.area[:size].astype(np.int64) * 2 + posts.employer[:size]
        officers = np.bincount(cells[posts.place[:size] == Place.ESTABLISHED], minlength=service.areas * 2)
        for kind in KINDS:
            whole = np.round(officers / self.span[kind] * MILLIONTHS)
            getattr(table, f"{kind}_posts")[: whole.size] = whole.astype(np.int64)
            filled = 1 / (1 + self.leaving[kind] / 12 * self.months[kind])
            getattr(table, f"{kind}_in_post")[: whole.size] = np.round(whole * filled).astype(np.int64)

    def step(self) -> None:
        """Let a month's share leave, and a month's share of vacancies be filled."""
        table = self.service.tables["other_staff"]
        for kind in KINDS:
            posts = getattr(table, f"{kind}_posts")[: self.service.areas * 2]
            in_post = getattr(table, f"{kind}_in_post")[: self.service.areas * 2]
            left = np.round(in_post * np.minimum(self.leaving[kind] / 12, 1.0)).astype(np.int64)
            come = np.round((posts - in_post) / max(self.months[kind], 1.0)).astype(np.int64)
            in_post += come - left


def lose_seniors(service: Service, areas: NDArray[np.integer]) -> None:
    """Let a share of senior officers go on the day on which areas are unified; they are replaced as others are."""
    share = service.levers.number("organisation.transition_seniors_lost_share")
    if share == 0:
        return
    in_post = service.tables["other_staff"].senior_in_post
    cells = np.concatenate([areas.astype(np.int64) * 2, areas.astype(np.int64) * 2 + 1])
    gone = np.round(in_post[cells] * share).astype(np.int64)
    in_post[cells] -= gone
    # All are the NPS's from today.
    service.count_codes("seniors_lost", cells // 2 * 2, gone // (MILLIONTHS // 100))


@compiled
def share_missing(area: int, side: int, posts: Array, in_post: Array, unified: Array) -> float:
    """Return the share of senior officers' posts that is vacant on a side of an area; the area's where service is one.

    Parameters
    ----------
    posts, in_post : int arrays (area x 2 + side,)
        Millionths of posts, and of those with somebody in them.
    unified : float array (areas, sides)
        1 where service is one.
    """
    all_posts, all_in_post = posts[area * 2 + side], in_post[area * 2 + side]
    if unified[area, side] > 0.5:
        all_posts, all_in_post = posts[area * 2] + posts[area * 2 + 1], in_post[area * 2] + in_post[area * 2 + 1]
    if all_posts <= 0:
        return 0.0
    return max(1 - all_in_post / max(all_posts, 1), 0.0)
