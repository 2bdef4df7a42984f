"""How a contact is made, and by whom: rules for one person, in plain numbers.

The shares belong to the operating model of the provider responsible; :mod:`simulation.system.operating_models` reads
them. :mod:`simulation.system.diary_loops` asks these rules for each contact due.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulation.engine.compiled import compiled, compiled_inside
from simulation.system.codes import Mode

Shares = NDArray[np.float64]

# A compiled loop takes plain numbers, not the members of a class.
_FACE_TO_FACE, _TELEPHONE = Mode.FACE_TO_FACE, Mode.TELEPHONE
_OPEN_BOOTH, _HOME_VISIT = Mode.OPEN_BOOTH, Mode.HOME_VISIT
_DOORSTEP, _VIDEO, _GROUP, _HUB_CALL = Mode.DOORSTEP, Mode.VIDEO, Mode.GROUP, Mode.HUB_CALL


class Ways(NamedTuple):
    """How contacts are made; arrays by cell (area x 2 + side) unless it says otherwise. Shares of visits."""

    model: NDArray[np.int8]  # index of the operating model
    floor: Shares  # limit on days unseen; 0 where there is none
    floor_ahead: int  # days before it from which a contact is a visit
    home: Shares  # by cell and risk (0 other tiers, 1 tiers A and B)
    group: Shares
    video: Shares
    booth: Shares  # of the visits that are left to the office
    exceptional: NDArray[np.bool_]  # exceptional delivery is in force
    exceptional_cuts: Shares  # by risk: face to face, doorstep, video, each added to those before
    call_cut: Shares  # under pressure: becomes a call,
    group_cut: Shares  # or goes to a group, added to the share before,
    hub_cut: Shares  # or goes to the hub, added again
    hub: NDArray[np.intp]  # whose hub calls: area x 2 + side
    hub_open: NDArray[np.bool_]  # the hub has agents
    cover: Shares  # of contacts whose officer is away: a colleague takes them
    team: Shares  # of contacts whose officer is there: whoever is on duty takes them
    place: np.uint64  # constants of the draws
    pressure: np.uint64
    whom: np.uint64


@compiled
def way_of_visit(draw: float, home: float, group: float, video: float, booth: float) -> int:
    """Return how a visit is made: one draw is cut into home, group, video, open booth, and a room of its own."""
    if draw < home:
        return _HOME_VISIT
    if draw < home + group:
        return _GROUP
    if draw < home + group + video:
        return _VIDEO
    elsewhere = home + group + video
    return _OPEN_BOOTH if draw < elsewhere + (1 - elsewhere) * booth else _FACE_TO_FACE


@compiled
def way_in_exceptional_delivery(draw: float, face_to_face: float, doorstep: float, video: float) -> int:
    """Return how a visit is made while offices are closed; what is left of the draw is a call."""
    if draw < face_to_face:
        return _FACE_TO_FACE
    if draw < doorstep:
        return _DOORSTEP
    return _VIDEO if draw < video else _TELEPHONE


@compiled
def way_under_pressure(draw: float, call_cut: float, group_cut: float, hub_cut: float, hub_open: bool) -> int:
    """Return what becomes of a visit for want of time: call, group, hub, or still a visit."""
    if draw < call_cut:
        return _TELEPHONE
    if draw < group_cut:
        return _GROUP
    if draw < hub_cut:
        return _HUB_CALL if hub_open else _TELEPHONE
    return _FACE_TO_FACE


@compiled
def in_person(mode: int) -> bool:
    """Tell whether somebody is seen with one's own eyes; a video call isn't."""
    return mode in (_FACE_TO_FACE, _OPEN_BOOTH, _HOME_VISIT, _DOORSTEP, _GROUP)


@compiled_inside
def way_of_first(draw: float, exceptional: bool, face_to_face: float, doorstep: float, booth: float) -> int:
    """Return how a first appointment is held: never by telephone, whatever else is."""
    if exceptional:
        return way_in_exceptional_delivery(draw, face_to_face, doorstep, 1.0)
    return way_of_visit(draw, 0.0, 0.0, 0.0, booth)
