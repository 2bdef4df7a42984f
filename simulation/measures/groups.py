"""Groups of people by which counts can be split: one of these at a time, as a study asks.

A count of people, or of what happens to people, is split; one of officers, money, prison places or whole teams belongs
to no person and isn't. People are counted in the group they are in at the moment of the event, or on the evening of the
month for a stock, so that the groups of a count always add up to the count of a study that isn't split.
"""

from __future__ import annotations

from dataclasses import dataclass

from simulation.measures.kinds import Measure

ALL = "all"
"""Group of what isn't split."""


@dataclass(frozen=True)
class Split:
    """What people are split by.

    Parameters
    ----------
    name : str
        As it is asked for.
    title : str
        The word used in tables.
    groups : dict of str to str
        Name of each group in files, and the words for it.
    description : str
        When somebody is in which.
    """

    name: str
    title: str
    groups: dict[str, str]
    description: str


SPLITS: dict[str, Split] = {
    split.name: split
    for split in (
        Split("sex", "Sex", {"women": "Women", "men": "Men"}, "As recorded; it never changes."),
        Split(
            "age",
            "Age",
            {
                "under_21": "Under 21",
                "21_to_24": "21 to 24",
                "25_to_29": "25 to 29",
                "30_to_39": "30 to 39",
                "40_to_49": "40 to 49",
                "50_to_59": "50 to 59",
                "60_and_over": "60 and over",
            },
            "Age on the first day of the month.",
        ),
        Split(
            "sentence",
            "Sentence",
            {
                "community_order": "Community order",
                "suspended_sentence_order": "Suspended sentence order",
                "custody_under_12_months": "Custody, under 12 months",
                "custody_12_months_or_more": "Custody, 12 months or more",
                "indeterminate": "Life or indeterminate",
                "no_sentence_yet": "No sentence yet",
            },
            "The last sentence imposed, whether or not it is over; before the first sentence, none.",
        ),
        Split(
            "tier",
            "Tier",
            {
                "tier_a": "Tier A",
                "tier_b1": "Tier B1",
                "tier_b2": "Tier B2",
                "tier_c1": "Tier C1",
                "tier_c2": "Tier C2",
                "tier_d1": "Tier D1",
                "tier_d2": "Tier D2",
                "not_supervised": "Not supervised",
            },
            "Tier as last assessed in the present supervision; nobody has one before it or after it.",
        ),
        Split(
            "area_kind",
            "Home",
            {"rural": "In the country", "urban": "In a town"},
            "Whether the person lives in the country; it never changes.",
        ),
        Split(
            "officer",
            "Officer",
            {
                "new_officer": "New officer",
                "settled_officer": "Settled officer",
                "no_officer": "No officer",
            },
            "Whether the responsible officer took the case on within the weeks for which a change of officer is felt "
            "(effects.officer_change_duration_weeks), the first officer of a supervision included. A change of officer "
            "is counted with the officer that there was before it.",
        ),
    )
}
"""What people can be split by, by name."""


def cannot_split(measure: Measure) -> tuple[str, ...]:
    """Return the counts of a measure that belong to no person, so that it can't be split."""
    return tuple(name for name in (*measure.numerator, *measure.denominator) if name in NOT_OF_PEOPLE)


NOT_OF_PEOPLE: frozenset[str] = frozenset()
