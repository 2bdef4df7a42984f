"""Compare two histories and say in plain words where they first differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from simulation.scenario import Resolved
from twin.engine import Event
from twin.slices import NOT_COMPARED


def core(events: Iterable[Event]) -> Counter[Event]:
    """Return the events that both sides must tell, with how often."""
    return Counter(event for event in events if event[2] not in NOT_COMPARED)


def differences(resolved: Resolved, engine: Iterable[Event], twin: Iterable[Event]) -> list[str]:
    """Return every difference in order of days, in plain words; nothing if the histories are equal."""
    told, retold = core(engine), core(twin)
    only = [(event, "only the engine tells") for event in (told - retold).elements()]
    only += [(event, "only the twin tells") for event in (retold - told).elements()]
    return [
        f"day {day} ({resolved.date(day)}), person {key}: {who} '{kind}' ({detail})"
        for (day, key, kind, detail), who in sorted(only)
    ]
