"""A company fails, and another owner takes it over from one day to the next.

The area's company keeps its posts and cases; the successor's operating model comes in, some officers leave on the day,
some cases change hands and time is lost in the months after (:mod:`simulation.system.transition`), and the Ministry
pays the successor's cost. Where the NPS steps in instead, the scenario unifies the service of those areas.
"""

from __future__ import annotations

import numpy as np

from simulation.engine import NEVER
from simulation.system.codes import CRC, NPS
from simulation.system.contracts import Contracts
from simulation.system.service import Service
from simulation.system.staffing import Staffing


class Takeover:
    """Failures of companies, and the end of contracts where the service becomes one."""

    def __init__(self, service: Service, contracts: Contracts, staffing: Staffing) -> None:
        self.service, self.contracts, self.staffing = service, contracts, staffing

    def before_change(self) -> None:
        """Before the levers of the day are read: note what ends with yesterday, where companies close for good."""
        service = self.service
        unified = service.resolved.on(service.today).grid("organisation.unified")[:, NPS] > 0.5
        areas = self.contracts.areas
        ending = areas[(unified & self.contracts.open)[areas]]
        if ending.size:
            self.contracts.close_contracts(ending)
            self.contracts.take_over(ending)
        # Where one service is split, companies bear their own cost again.
        self.contracts.state.taken_over[areas[(~unified & ~self.contracts.open)[areas]]] = 0

    def read(self) -> None:
        """Let companies fail whose day has come."""
        service, state = self.service, self.contracts.state
        areas = self.contracts.areas
        wanted = service.levers.grid("contracts.provider_failed")[:, CRC] > 0.5
        failing = areas[(wanted & self.contracts.open & (state.failed_on[: service.areas] == NEVER))[areas]]
        if failing.size == 0:
            return
        state.failed_on[failing] = service.today
        state.posts_planned[failing] = 0
        state.posts_to_close[failing] = 0
        self.contracts.ledger.write_off(failing)
        hit = np.zeros(service.areas, dtype=bool)
        hit[failing] = True
        service.count_codes("companies_failed", failing * 2 + CRC)
        self.lose_officers(hit)
        self.mix_cases(hit)

    def lose_officers(self, hit: np.ndarray) -> None:
        """Some officers leave with the old owner."""
        service, posts, size = self.service, self.service.posts, self.service.posts.size
        share = service.levers.number("contracts.takeover_posts_lost_share")
        draws = service.chance.uniform(posts.key[:size], "leaves at the takeover", posts.holder[:size])
        going = (posts.filled[:size] == 1) & (posts.employer[:size] == CRC) & hit[posts.area[:size]] & (draws < share)
        self.staffing.depart(np.flatnonzero(going))

    def mix_cases(self, hit: np.ndarray) -> None:
        """Some cases change hands in the months after, each on an even day."""
        service, people, levers = self.service, self.service.people, self.service.levers
        live = np.flatnonzero((people.side[: people.size] == CRC) & hit[people.area[: people.size]])
        service.count("taken_over", live)
        service.tell("company taken over", live)
        keys = people.key[live]
        draws = service.chance.uniform(keys, "reallocated at the takeover")
        held = (people.officer[live] >= 0) & (draws < levers.number("contracts.takeover_reallocated_share"))
        service.count("cases_mixed", live[held])
        days = max(1, levers.integer("contracts.takeover_days"))
        when = (service.chance.uniform(keys[held], "day of reallocation at the takeover") * days).astype(np.int32)
        service.agendas["transfer"].put(live[held], service.calendar.working_day_after(service.today + 1 + when))
