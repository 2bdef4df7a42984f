"""How long contacts take."""

from __future__ import annotations

from twin.people import Person


def of_contact(person: Person, mode: str) -> int:
    """Return the seconds of a contact."""
    return 2700
