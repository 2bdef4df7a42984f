"""What theory says of a year of one area: nothing is lost, and every stock is its inflow times its stay.

All laws share one run, see :mod:`simulation.evidence.nights`. All are exact: one night of one person too many breaks
them, and no run of a right program can.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np

from simulation.evidence.laws import Law, law
from simulation.evidence.model_laws import request, shortened
from simulation.evidence.nights import PLACES, Nights
from simulation.system.codes import Location

#: The year in which laws and conservation are checked every month.
YEAR_START, YEAR_END = date(2018, 1, 1), date(2018, 12, 31)


def watch(area: str, seed: int, start: date = YEAR_START, end: date = YEAR_END) -> Nights:
    """Run an area day by day and look at it every midnight; the model stops at the first broken law of its own."""
    return Nights(request(shortened("baseline", start, end), area, seed))


def laws_in_force(nights: Nights) -> Law:
    """The run's own laws were checked at the end of every month, and held."""
    checks, months = nights.output.checks, len(nights.output.state_digests)
    passed = sum(checks.values())
    return Law(
        f"{len(checks)} laws of conservation and legal rules, every month of a year",
        f"{months * len(checks)} checks passed",
        f"{passed} checks passed",
        bool(checks) and passed == months * len(checks),
    )


def nobody_lost(nights: Nights) -> Law:
    """Whoever was convicted, before the run or in it, is somewhere."""
    people = nights.service.people
    known = (people.returner_pool[: people.size] == 1) | (people.convicted[: people.size] < nights.days)
    convicted = int(np.count_nonzero(known))
    somewhere = int(np.count_nonzero(people.location[: people.size] != Location.UNKNOWN))
    return Law(
        "nobody is lost: people convicted are somewhere", f"{convicted:,}", f"{somewhere:,}", convicted == somewhere
    )


def moved_from_where_they_were(nights: Nights) -> Law:
    """Whoever is told to move from a place was in it."""
    moves = sum(stay.spells for stay in nights.stays.values())
    return Law(
        "whoever moves was in the place that is left", f"none of {moves:,} elsewhere",
        f"{nights.surprises:,} elsewhere", nights.surprises == 0,
    )


def stock_is_inflow_times_stay(nights: Nights, place: str) -> Law:
    """People in a place at midnight, added up over nights, are the nights that each spell there lasted, added up."""
    stay = nights.stays[place]
    each = stay.by_spell / max(stay.spells, 1)
    return Law(
        f"stock = inflow × stay, {place}",
        f"{stay.spells:,} spells of {each:.2f} nights, {stay.by_spell:,}",
        f"{stay.by_night:,}",
        stay.by_night == stay.by_spell,
    )


def days_on_curfew(nights: Nights) -> Law:
    """Nights on curfew are the days ahead on release, less what is left at the end and what was lost by recall."""
    ahead = nights.curfew_ahead_at_start + nights.total("hdc_days_served") - nights.curfew_ahead
    expected = ahead - nights.curfew_lost
    return Law(
        "stock = inflow × stay, on home detention curfew",
        f"{ahead:,} days ahead less {nights.curfew_lost:,} lost, {expected:,}",
        f"{nights.curfew_nights:,}",
        nights.curfew_nights == expected,
    )


def littles_law(nights: Nights, name: str) -> Law:
    """Nights in a queue are the waits that the results count, those of who waits still and of who left otherwise.

    Whoever left without what was waited for, because the order ended or the person died, is added from the days that
    the tables held: the results count no wait for them. How many these are is shown.
    """
    queue = nights.queues[name]
    if queue.counted:
        waited = nights.total(queue.counted) + queue.otherwise + queue.still(nights.days) - queue.before
    else:
        # Days of coming out, added up, less days of going in.
        waited = nights.papers + queue.exits + nights.days * queue.waiting()
    others = f" ({queue.many:,} served, {queue.left:,} left otherwise, {queue.waiting():,} wait)"
    return Law(
        f"Little's law, {name}", f"{waited:,} nights by wait{others}", f"{queue.nights:,} by night",
        queue.nights == waited,
    )


def case_or_waiting(nights: Nights) -> Law:
    """At the end of every month everybody supervised is an officer's case, a prison's, or waits for an officer."""
    names = ("cases_held", "unallocated", "prison_held_cases")
    supervised = nights.by_month("caseload_total")
    held = {month: sum(nights.by_month(name).get(month, 0) for name in names) for month in supervised}
    return Law(
        "everybody supervised is a case or waits, month by month",
        f"{sum(supervised.values()):,}",
        f"{sum(held.values()):,}",
        supervised == held,
    )


#: Queues that keep since when somebody has waited, see :class:`Nights`.
QUEUES = (
    "court reports",
    "people without an officer",
    "breaches on their way to court",
    "warrants",
    "recalls from decision to revocation",
    "determinate sentences back in prison",
    "activity to begin",
    "unpaid work to begin",
    "programmes to begin",
)

YEAR_LAWS: tuple[tuple[str, Callable[[Nights], Law]], ...] = (
    ("laws in force", laws_in_force),
    ("nobody is lost", nobody_lost),
    ("moved from where they were", moved_from_where_they_were),
    *((f"stock, {place}", lambda nights, place=place: stock_is_inflow_times_stay(nights, place)) for place in PLACES),
    ("stock, on curfew", days_on_curfew),
    *((f"queue, {name}", lambda nights, name=name: littles_law(nights, name)) for name in QUEUES),
    ("case or waiting", case_or_waiting),
)
"""Laws of a year by name; each takes the year that was watched."""


def year(area: str, seed: int) -> list[Law]:
    """Run an area for a year, day by day, and return every law of it, tried."""
    nights = watch(area, seed)
    return [law(name, lambda test=test: test(nights)) for name, test in YEAR_LAWS]  # type: ignore[misc]


__all__ = ["QUEUES", "YEAR_END", "YEAR_LAWS", "YEAR_START", "watch", "year"]
