"""The split of a service that was one, as on 1 June 2014: officers and cases are parted between the NPS and the CRC.

Each post goes to the side that it was made for at the start. Each case goes to the NPS if the allocation rule gives it
to the NPS, and otherwise to the area's CRC. A case whose officer goes to the other side waits for a new officer, who is
found after the usual working days; until then the old one sees the person. **Assumption**: nobody swaps cases first.
"""

from __future__ import annotations

import numpy as np

from simulation.system.codes import CRC, NPS, Asking, Rosh
from simulation.system.quantiles import draw
from simulation.system.service import Array, Rows, Service

#: Keys of posts: the side that the post was made for stands above these bits, less this number.
_SIDE_FROM, _FIRST_SIDE = np.uint64(40), 8


def side_made_for(keys: Array) -> Array:
    """Return the side that each post was made for, from its key; training places are the NPS's."""
    made_for: Array = ((keys >> _SIDE_FROM) & np.uint64(15)).astype(np.int8) - _FIRST_SIDE
    return np.where(made_for <= CRC, made_for, NPS).astype(np.int8)


def split(service: Service, areas: Array) -> None:
    """Part officers and cases between the two sides.

    Parameters
    ----------
    service : Service
        State of the run; the levers of the day are read already.
    areas : bool array
        Where the service was one until yesterday and is split from today.
    """
    people, posts = service.people, service.posts
    size = posts.size
    parting = areas[posts.area[:size]]
    posts.employer[:size][parting] = side_made_for(posts.key[:size])[parting]
    live = np.flatnonzero((people.side[: people.size] == NPS) & areas[people.area[: people.size]])
    leaving = live[~of_the_nps(service, live)]
    service.set_side(leaving, CRC)
    service.tell("moved to the company", leaving)
    held = live[people.officer[live] >= 0]
    parted = held[posts.employer[people.officer[held]] != people.side[held]]
    people.waiting_since[parted] = service.today
    service.agendas["transfer"].cancel(parted)
    service.count("cases_parted", parted)
    spell = people.sentences[parted].astype(np.int64) * 1024 + people.spells[parted]
    occurrence = spell * len(Asking) + Asking.SPLIT
    uniform = service.chance.uniform(people.key[parted], "allocation delay", occurrence)
    days = draw(service.levers.mapping("allocation.working_days"), uniform).astype(np.int64)
    today = np.full(parted.size, service.today)
    service.agendas["allocate"].put(parted, service.calendar.add_working_days(today, days))


def of_the_nps(service: Service, rows: Rows) -> Array:
    """Tell whose cases the allocation rule gives to the NPS."""
    people = service.people
    threshold = np.round(service.levers.grid("allocation.rsr_threshold")[:, NPS] * 100)[people.area[rows]]
    return (
        (people.rsr[rows] >= threshold)
        | (people.assessed_rosh[rows] >= Rosh.HIGH)
        | (people.mappa[rows] > 0)
        | (people.public_interest[rows] == 1)
    )


__all__ = ["of_the_nps", "side_made_for", "split"]
