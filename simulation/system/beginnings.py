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
from simulation.engine.compiled import compiled
from simulation.system.allocation import Allocation
from simulation.system.circumstances import Circumstances
from simulation.system.circumstances_loops import day_of_move
from simulation.system.community import Community
from simulation.system.custody_loops import lists_of
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
        sizes = begin_spells(
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
            people.records,
            people.places,
            people.moves,
            people.engagement,
            service.sentences.imposed,
        )
        change_days, death_days, with_officer, moving, move_days, followed = lists_of(found, sizes)
        if with_officer.size:
            self.allocation.begin(with_officer)
        agendas["crisis"].put(rows, change_days)
        agendas["death"].put(rows, death_days)
        if moving.size:
            agendas["home move"].put(moving, move_days)
        if circumstances.changes_matter:
            circumstances.rebook(rows)
        if followed.size:
            agendas["followed for a year"].put(followed, today + FOLLOWED_DAYS)


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
    people: Array,
    places: Array,
    moves: Array,
    engagement: Array,
    imposed: Array,
) -> tuple[int, int, int, int, int, int]:
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
    people, places, moves : arrays of records by row of people
        See :mod:`simulation.system.supervision_loops`.

    Returns how long the lists are that are written into ``found``, shape (6, people), see
    :func:`simulation.system.custody_loops.lists_of`:

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
        sentenced[at] = imposed[moves[rows[at]]["latest"]]
    for at in range(rows.size):
        row = rows[at]
        person, move = people[row], moves[row]
        key, spells = person["key"], int(person["spells"])
        number = change_number(spells, int(move["crises"]))
        found[0, at] = day_of_change(key, changes, number, yearly[person["cell"]], logarithms, today)
        after_release = int(move["first_after_release"])
        found[1, at] = day_of_death(
            key, dies, spells, after_release, death_rate, death_ratio, early_days, logarithms, today
        )
        if places[row]["officer"] >= 0:
            with_officer[officers] = row
            officers += 1
        # The next change in need rests on no circumstances yet.
        move["change_ratio"] = 1
        if person["released_on"] == today or sentenced[at] == today:
            engagement[row] = start_points
        home, number = int(move["home"]), int(move["home_moves"])
        day = day_of_move(key, home, spells, number, moves_a_year, moves_home, logarithms, today)
        if day != NEVER:
            moving[movers], move_days[movers] = row, day
            movers += 1
        if begin_year(row, today, int(sentenced[at]), people, moves):
            followed[follows] = row
            follows += 1
    return rows.size, rows.size, officers, movers, movers, follows
