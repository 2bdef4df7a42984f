"""Equal money: what a way of organising saves or needs is turned into officers' posts, or taken from them.

Structures can be compared with the same staff, which leaves the money different, or with the same money. With the
switch on, each area keeps what the Ministry paid for it before: from the day on which its companies' work becomes the
NPS's, it has what companies were paid, and bears what they spent (so a company's profit is freed, and its loss, which
an owner bore, is missing), saves what contracts took, and pays for the body above it, for local commissioners and,
over some years, for the transition. What is left over opens posts of probation officers, advertised like any vacancy;
what is missing closes posts as they fall vacant.
**Assumption**: money is for posts, filled or not, in both arms: spending differs by vacancies and their lag. What
companies were paid is their mean until that day: what would have become of their income afterwards isn't in it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulation.engine import NEVER, Column, Table
from simulation.engine.calendar import YEAR_DAYS
from simulation.system.bodies import body_costs
from simulation.system.codes import NPS, Grade, Place
from simulation.system.commissioning import bought
from simulation.system.contract_loops import whole
from simulation.system.ledger import INCOME, Ledger
from simulation.system.service import Rows, Service
from simulation.system.staffing import Staffing

Counted = NDArray[np.int64]

#: Posts that freed money opened have keys of their own.
_FREED_CHANNEL = 11


def equal_money_table(areas: int) -> Table:
    """Return the table of what each area has to spend, and what became of it."""
    columns = [
        Column("began", "int32", "day", "Day on which its companies' work became the NPS's.", NEVER),
        Column("result_a_day", "int64", "pence a day", "What companies were paid less what they spent, until then."),
        Column("saved_a_day", "int64", "pence a day", "What contracts took, and don't any more."),
        Column("one_off", "int64", "pence", "Cost of the transition so far."),
        Column("one_off_booked", "int64", "pence", "That of it which is in the accounts."),
        Column("opened", "int32", "posts", "Posts opened with freed money."),
        Column("closed", "int32", "posts", "Posts closed for missing money."),
    ]
    table = Table("equal_money", columns, areas)
    table.add(areas)
    return table


def pay_for_transition(service: Service, areas: NDArray[Any]) -> None:
    """Note what it costs to take over an officer of a company in each of some areas, given once for each officer."""
    pence = round(service.levers.number("organisation.transition_cost") * 100)
    officers = np.bincount(areas, minlength=service.areas)
    service.tables["equal_money"].one_off[: service.areas] += officers * pence


class EqualMoney:
    """Costs of bodies, commissioners and transitions; and posts opened and closed to keep money equal."""

    def __init__(self, service: Service, ledger: Ledger, staffing: Staffing) -> None:
        self.service, self.ledger, self.staffing = service, ledger, staffing
        self.state = service.table("equal_money", equal_money_table(service.areas))

    def read(self) -> None:
        """Take the levers of the day."""
        levers = self.service.levers
        self.on = levers.number("organisation.equal_money") > 0.5
        self.years = levers.number("organisation.equal_money_years")
        self.post_cost = round(levers.number("contracts.post_cost") * 100)
        #: Pence a year, by area.
        self.bodies = whole(body_costs(self.service))
        self.commissioned = bought(self.service)

    def begin(self, areas: NDArray[Any], saved: Counted) -> None:
        """Before companies' books close: note what they were paid and have spent, and what contracts took."""
        service, state, headings = self.service, self.state, self.ledger.headings
        # Booked until yesterday.
        days = max(1, service.today)
        paid = sum(getattr(headings, name)[: service.areas] for name in INCOME)
        state.began[areas] = service.today
        state.result_a_day[areas] = ((paid - headings.crc_costs[: service.areas]) // days)[areas]
        state.saved_a_day[areas] = saved[areas]

    def book(self, days: int, areas: NDArray[Any]) -> None:
        """Pay for bodies, commissioners and transitions; count what is freed."""
        state, year = self.state, days / YEAR_DAYS
        new = state.one_off[: self.service.areas] - state.one_off_booked[: self.service.areas]
        state.one_off_booked[: self.service.areas] += new
        for heading, pence in (
            ("body_costs", whole(self.bodies * year)),
            ("commissioned_costs", whole(self.commissioned.pence * year)),
            ("transition_costs", new),
        ):
            if pence[areas].any():
                self.ledger.run("nps", heading, areas, pence[areas])
        own = whole(self.commissioned.administration * year)
        self.service.count_codes("commissioning_costs", areas * 2, own[areas])
        if self.on:
            self.service.count_codes("money_freed", areas * 2, whole(self.freed() * year)[areas])

    def freed(self) -> Counted:
        """Return what each area has over in a year, in pence; below 0 for what it is short of."""
        state, size = self.state, self.service.areas
        one = (state.began[:size] != NEVER) & (self.service.levers.grid("organisation.unified")[:, NPS] > 0.5)
        a_day = np.where(one, state.result_a_day[:size] + state.saved_a_day[:size], 0)
        spread = state.one_off[:size] / self.years
        return whole(a_day * YEAR_DAYS - spread - self.bodies - self.commissioned.pence)

    # --- Posts --------------------------------------------------------------------------------------------------

    def step(self, areas: NDArray[Any]) -> None:
        """At the end of a month: open or close posts until they are as many as the money is for."""
        service, state = self.service, self.state
        if not self.on:
            return
        wanted = (self.freed() // self.post_cost).astype(np.int64)
        for area in areas.tolist():
            missing = int(wanted[area] - state.opened[area] + state.closed[area])
            if missing > 0:
                self.open(area, missing)
            elif missing < 0:
                self.close(area, -missing)
        net = (state.opened[: service.areas] - state.closed[: service.areas]).astype(np.int64)
        service.count_codes("equal_money_posts_opened", areas * 2, np.maximum(net, 0)[areas])
        service.count_codes("equal_money_posts_closed", areas * 2, np.maximum(-net, 0)[areas])

    def open(self, area: int, many: int) -> None:
        """Open posts of probation officers, in the area's offices in turn, and advertise them."""
        service, posts, recruitment = self.service, self.service.posts, self.staffing.recruitment
        mine = posts.office[: posts.size][posts.area[: posts.size] == area]
        first, last = int(mine.min()), int(mine.max())
        rows = posts.add(many)
        index = int(self.state.opened[area]) + np.arange(many)
        posts.key[rows] = (
            (np.uint64(area) << np.uint64(44)) | (np.uint64(_FREED_CHANNEL) << np.uint64(40)) | index.astype(np.uint64)
        )
        posts.area[rows], posts.employer[rows], posts.holder[rows] = area, NPS, -1
        posts.office[rows] = first + index % (last - first + 1)
        posts.post_grade[rows] = posts.grade[rows] = Grade.PO
        posts.place[rows] = Place.ESTABLISHED
        self.state.opened[area] += many
        service.tables["establishment"].posts[area] += many
        recruitment.advertise(rows)

    def close(self, area: int, many: int) -> None:
        """Close vacant posts of the NPS, those vacant longest first; the rest when they next fall vacant."""
        service, posts, size = self.service, self.service.posts, self.service.posts.size
        vacant = (posts.area[:size] == area) & (posts.employer[:size] == NPS) & (posts.closed[:size] == 0)
        vacant &= (posts.place[:size] == Place.ESTABLISHED) & (posts.filled[:size] == 0)
        rows: Rows = np.flatnonzero(vacant)
        rows = np.sort(rows[np.lexsort([rows, posts.vacant_since[rows]])][:many])
        if rows.size == 0:
            return
        self.staffing.close(rows)
        self.state.closed[area] += rows.size
        service.tables["establishment"].closed[area] += rows.size
