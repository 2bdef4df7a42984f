"""What a spell in the community begins with: whoever arrives there gets the clocks of a life at liberty, all at once.

Each rule stands in the module whose subject it is: changes in need and death in :mod:`simulation.system.hazards`, homes
and engagement in :mod:`simulation.system.circumstances_loops`, the year for which reoffending is followed in
:mod:`simulation.system.following_loops`, first appointments in :mod:`simulation.system.allocation`. Here one loop asks
them all about one person, and goes on to the next: people arrive a few at a time, several times a day.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulation.engine import NEVER
from simulation.engine.chance import logarithms
from simulation.engine.compiled import AHEAD, compiled, fetch_soon
from simulation.system.allocation import Allocation
from simulation.system.circumstances import Circumstances
from simulation.system.circumstances_loops import day_of_move
from simulation.system.community import Community
from simulation.system.following import FOLLOWED_DAYS
from simulation.system.following_loops import begin_year
from simulation.system.hazards import change_number, day_of_change, day_of_death
from simulation.system.service import Rows, Service
from simulation.system.supervision import Supervision

Array = NDArray[Any]
Floats = NDArray[np.float64]


class Beginnings:
    """Begins spells in the community."""

    def __init__(
        self,
        service: Service,
        supervision: Supervision,
        allocation: Allocation,
        community: Community,
        circumstances: Circumstances,
    ) -> None:
        self.service, self.allocation = service, allocation
        self.community, self.circumstances = community, circumstances
        supervision.on_begin.append(self.begin)

    def begin(self, rows: Rows) -> None:
        """Draw when the next change in need, move and death would come; start engagement and the year followed."""
        service, people, chance = self.service, self.service.people, self.service.chance
        agendas, community, circumstances = service.agendas, self.community, self.circumstances
        today = service.today
        found = np.empty((6, rows.size), dtype=np.intp)
        officers, movers, follows = begin_spells(
            rows,
            found,
            today,
            chance.constant("change in need"),
            chance.constant("death"),
            chance.constant("next move"),
            community.yearly_changes,
            community.death_rate,
            community.death_ratio,
            community.death_early_days,
            circumstances.moves_a_year,
            circumstances.start_points,
            logarithms(),
            people.key,
            people.cell,
            people.officer,
            people.latest,
            people.spells,
            people.crises,
            people.first_after_release,
            people.change_ratio,
            people.engagement,
            people.released_on,
            people.home,
            people.home_moves,
            people.followed_from,
            people.followed_cell,
            people.followed_release,
            people.reoffended_since,
            service.sentences.imposed,
        )
        if officers:
            self.allocation.begin(found[2, :officers])
        agendas["crisis"].put(rows, found[0])
        agendas["death"].put(rows, found[1])
        if movers:
            agendas["home move"].put(found[3, :movers], found[4, :movers])
        if circumstances.changes_matter:
            circumstances.rebook(rows)
        if follows:
            agendas["followed for a year"].put(found[5, :follows], today + FOLLOWED_DAYS)


@compiled
def begin_spells(
    rows: Rows,
    found: NDArray[np.intp],
    today: int,
    changes: np.uint64,
    dies: np.uint64,
    moves_home: np.uint64,
    yearly: Floats,
    death_rate: float,
    death_ratio: float,
    early_days: float,
    moves_a_year: Floats,
    start_points: int,
    logarithms: Floats,
    key: Array,
    cell: Array,
    officer: Array,
    latest: Array,
    spells: Array,
    crises: Array,
    first_after_release: Array,
    change_ratio: Array,
    engagement: Array,
    released_on: Array,
    home: Array,
    home_moves: Array,
    followed_from: Array,
    followed_cell: Array,
    followed_release: Array,
    reoffended_since: Array,
    imposed: Array,
) -> tuple[int, int, int]:
    """Begin the spells of people who came to the community.

    Parameters
    ----------
    changes, dies, moves_home : uint64
        Constants of the draws of the wait for a change in need, for death and for another kind of home.
    yearly : float array (cells,)
        Changes in need a year.
    death_rate, death_ratio, early_days : float
        Deaths a day, by how much they are multiplied after release, and for how many days.
    moves_a_year : float array (kinds,)
        Moves from each kind of home to another.
    start_points : int
        Engagement of those released or sentenced today.

    Returns how many have an officer, will move to another kind of home, and begin a year for which reoffending is
    followed. The rows of ``found``, shape (6, people), are:

    change_days, death_days : int arrays
        Days of everybody's next change in need and of death.
    with_officer : int array
        Rows of people who have an officer.
    moving, move_days : int arrays
        Rows of those who will move to another kind of home, and when.
    followed : int array
        Rows of those whose year begins.
    """
    with_officer, moving, move_days, followed = found[2], found[3], found[4], found[5]
    officers, movers, follows = 0, 0, 0
    # Fetched before anything is decided: the processor fetches many at once.
    sentenced = np.empty(rows.size, dtype=np.int32)
    for at in range(rows.size):
        fetch_soon(latest, rows[min(at + 2 * AHEAD, rows.size - 1)])
        fetch_soon(imposed, latest[rows[min(at + AHEAD, rows.size - 1)]])
        sentenced[at] = imposed[latest[rows[at]]]
    for at in range(rows.size):
        soon = rows[min(at + AHEAD, rows.size - 1)]
        fetch_soon(key, soon)
        fetch_soon(officer, soon)
        fetch_soon(engagement, soon)
        row = rows[at]
        own, spell = key[row], int(spells[row])
        number = change_number(spell, int(crises[row]))
        found[0, at] = day_of_change(own, changes, number, yearly[cell[row]], logarithms, today)
        released = int(first_after_release[row])
        found[1, at] = day_of_death(own, dies, spell, released, death_rate, death_ratio, early_days, logarithms, today)
        if officer[row] >= 0:
            with_officer[officers] = row
            officers += 1
        # The next change in need rests on no circumstances yet.
        change_ratio[row] = 1
        if released_on[row] == today or sentenced[at] == today:
            engagement[row] = start_points
        kind, number = int(home[row]), int(home_moves[row])
        day = day_of_move(own, kind, spell, number, moves_a_year, moves_home, logarithms, today)
        if day != NEVER:
            moving[movers], move_days[movers] = row, day
            movers += 1
        if begin_year(
            row,
            today,
            sentenced[at],
            released_on,
            cell,
            followed_from,
            followed_cell,
            followed_release,
            reoffended_since,
        ):
            followed[follows] = row
            follows += 1
    return officers, movers, follows
