"""Rules of contact for one person: who may be called, who misses, when and how the next one is.

They take numbers, never arrays: handing arrays from one compiled function to another costs more than the rule.
:mod:`simulation.system.contact_loops` asks them for person after person.
"""

from __future__ import annotations

from simulation.engine import NEVER
from simulation.engine.compiled import compiled_inside
from simulation.system.codes import Mode, Rosh, Tier

# A compiled loop takes plain numbers, not the members of a class.
_FACE_TO_FACE, _TELEPHONE, _HUB_CALL = Mode.FACE_TO_FACE, Mode.TELEPHONE, Mode.HUB_CALL
_HIGH, _PHONE_TIER = Rosh.HIGH, Tier.C2


@compiled_inside
def occurrence_of(sentences: int, spells: int, contacts: int) -> int:
    """Return the occurrence number of a contact's draws: sentence, spell in the community, count."""
    return int(sentences) * 65536 + int(spells) * 1024 + int(contacts)


@compiled_inside
def may_be_called(
    rosh: int, tier: int, contacts: int, age: int, first_due_from: int, work_only: int, early: int
) -> bool:
    """Tell whether someone may be supervised by telephone alone: low or medium risk, past the early weeks."""
    return (
        rosh < _HIGH
        and tier >= _PHONE_TIER
        and contacts > 0
        and age >= early
        and first_due_from == NEVER
        and work_only == 0
    )


@compiled_inside
def call_due(booked_as: int, crisis_noticed: int, rosh: int, unseen: int, floor: float, ahead: int) -> bool:
    """Tell whether a contact is a call: booked as one, unless stepped up, at high risk or due to be seen."""
    due_to_be_seen = floor > 0 and unseen + ahead >= floor
    return booked_as != _FACE_TO_FACE and crisis_noticed == 0 and rosh < _HIGH and not due_to_be_seen


@compiled_inside
def miss_probability(
    chance: float,
    in_crisis: bool,
    officer_is_new: bool,
    mode_ratio: float,
    crisis_ratio: float,
    new_officer_odds: float,
    most_missed: float,
) -> float:
    """Return the chance that an appointment is missed, given where and by whom it would be."""
    chance = chance * mode_ratio
    if in_crisis:
        chance = chance * crisis_ratio
    if officer_is_new:
        chance = min(chance, most_missed)
        odds = chance / (1 - chance) * new_officer_odds
        chance = odds / (1 + odds)
    return min(chance, most_missed)


@compiled_inside
def stage(age: int, early: int, middle: int) -> int:
    """Return how far supervision has come: early, middle or late."""
    if age < early:
        return 0
    return 1 if age < middle else 2


@compiled_inside
def next_booked_as(
    phone_draw: float,
    phone_cut: float,
    hub_share: float,
    rosh: int,
    tier: int,
    contacts: int,
    age: int,
    first_due_from: int,
    work_only: int,
    early: int,
) -> int:
    """Return whether the next contact is to be a call, and who calls: the draw is cut again by the hub's share."""
    # Who isn't cut out for the telephone needn't be looked at more closely.
    if phone_draw < phone_cut and may_be_called(rosh, tier, contacts, age, first_due_from, work_only, early):
        return _HUB_CALL if phone_draw < phone_cut * hub_share else _TELEPHONE
    return _FACE_TO_FACE


@compiled_inside
def sooner(days: int, floor: int, crisis_noticed: int, step_up: int) -> int:
    """Shorten an interval to the limit on days unseen, and where a change in need is known."""
    if floor > 0:
        days = min(days, floor)
    return min(days, step_up) if crisis_noticed == 1 else days


@compiled_inside
def nearest(day: int, before: int, after: int, draw: float) -> int:
    """Return the working day nearest to a day; the draw settles ties, so that Monday doesn't get every Sunday."""
    gap = (day - before) - (after - day)
    return before if gap < 0 or (gap == 0 and draw < 0.5) else after
