"""The area: its people, officers and everybody who decides about them, put together."""

from __future__ import annotations

from simulation.scenario import CRC
from twin.allocation import Allocation
from twin.courts import Court
from twin.enforcement import Enforcement
from twin.officers import Diaries
from twin.recall import Recalls
from twin.staffing import Staffing
from twin.working_day import ends_of_days, nobody_to_see, work
from twin.world import World


class Area:
    """One police force area.

    Parameters
    ----------
    world : World
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.offices: dict[str, list[int]] = {}
        self.diaries = Diaries(self)
        self.court = Court(self)
        self.allocation = Allocation(self)
        self.enforcement = Enforcement(self)
        self.recalls = Recalls(self)
        self.staffing = Staffing(self)
        #: What officers finished today and somebody reads in the evening.
        self.done: dict[str, list] = {"address_check": [], "recall_report": [], "parole_report": [], "breach_pack": []}

    def begin(self) -> None:
        """Set everybody to work."""
        from twin import community, custody

        run = self.world.environment.process
        for process in (
            custody.policy(self),
            self.court.days(),
            self.allocation.days(),
            community.months(self),
            self.enforcement.hearings(),
            self.enforcement.evenings(),
            self.recalls.evenings(),
            self.recalls.papers(),
            nobody_to_see(self),
            self.staffing.months(),
            self.staffing.evenings(),
            ends_of_days(self),
        ):
            run(process)
        for officer in self.world.officers:
            run(work(self, officer))

    def has_tool(self, side: int | None) -> bool:
        """Tell whether a provider has the workload tool."""
        world = self.world
        name = world.geography.crc[world.area] if side == CRC else "nps"
        table = world.table("workload.tool_in_use")
        return bool(table.get(name, table["crc" if side == CRC else "nps"]))
