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
    caution : str
        What the reader must know of how far the model tells these groups apart; may be empty.
    unclear : tuple of str
        Counts of people that say nothing by these groups, because the group is what is counted or isn't known yet.
    """

    name: str
    title: str
    groups: dict[str, str]
    description: str
    caution: str = ""
    unclear: tuple[str, ...] = ()


_FOLLOWED = (
    "followed_a_year",
    "reoffended_within_year",
    "followed_a_year_release",
    "reoffended_within_year_release",
)

SPLITS: dict[str, Split] = {
    split.name: split
    for split in (
        Split(
            "sex",
            "Sex",
            {"women": "Women", "men": "Men"},
            "As recorded; it never changes.",
            "The model gives women other sentences, and other days on which prisons hand their cases over; nothing "
            "else in it depends on sex.",
        ),
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
            "Nothing in the model depends on age, so these groups differ by luck alone.",
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
            # A year begins on the day of sentence or release, most often before the case has a tier.
            unclear=_FOLLOWED,
        ),
        Split(
            "area_kind",
            "Home",
            {"rural": "In the country", "urban": "In a town"},
            "Whether the person lives in the country; it never changes.",
            "Whom it takes longer to travel to is all that the model knows of the country.",
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
            unclear=("officer_changes", "allocated", "allocation_days", *_FOLLOWED),
        ),
    )
}
"""What people can be split by, by name."""


def why_not(measure: Measure, split: Split) -> str:
    """Return why a measure can't be split, or nothing if it can.

    Examples
    --------
    >>> recalls = Measure("recalls", "Recalls", "a year", ("recalls",))
    >>> why_not(recalls, SPLITS["sex"])
    ''
    >>> why_not(Measure("load", "Load", "%", ("officers_over_110",), ("officers_with_tool",)), SPLITS["sex"])
    'Not split: counts officers, money, places or time that belong to no one person.'
    """
    counts = (*measure.numerator, *measure.denominator)
    if any(name in NOT_OF_PEOPLE for name in counts):
        return "Not split: counts officers, money, places or time that belong to no one person."
    if any(name in split.unclear for name in counts):
        return f"Not split: who is in which group by {split.title.lower()} isn't clear when it is counted."
    return ""


NOT_OF_PEOPLE: frozenset[str] = frozenset(
    (
        "administrators_in_post",
        "agency_days",
        "agency_in_post",
        "agency_left",
        "agency_pence",
        "agency_starts",
        "body_costs",
        "candidates_lost",
        "cases_held",
        "commissioned_costs",
        "commissioning_costs",
        "companies_failed",
        "crc_costs",
        "crc_income_adjustment",
        "crc_income_results",
        "crc_income_tasks",
        "crc_income_volume",
        "crc_result",
        "crc_step_in",
        "crc_volume",
        "crc_volume_expected",
        "equal_money_posts_closed",
        "equal_money_posts_opened",
        "fill_days",
        "group_places",
        "group_places_used",
        "group_seconds",
        "handover_seconds",
        "homes_found",
        "hours_contracted",
        "hours_facility",
        "hours_for_cases",
        "hub_agents_hundredths",
        "hub_seconds_available",
        "hub_seconds_worked",
        "joiners",
        "leavers",
        "leavers_after_maternity",
        "leavers_first_year",
        "leavers_pay",
        "leavers_redundancy",
        "leavers_reorganisation",
        "leavers_workload",
        "maternity_days",
        "maternity_leaves",
        "money_freed",
        "moves_crc_to_nps",
        "newly_qualified_in_post",
        "nps_costs",
        "officer_days",
        "officers_absent_sick",
        "officers_in_post",
        "officers_on_maternity_leave",
        "officers_over_100",
        "officers_over_110",
        "officers_over_120",
        "officers_over_40_cases",
        "officers_over_50_cases",
        "officers_over_60_cases",
        "officers_over_half_more",
        "officers_po",
        "officers_pso",
        "officers_transferred",
        "officers_truly_over_110",
        "officers_with_cases",
        "officers_with_tool",
        "other_staff",
        "part_time_in_post",
        "placed_elsewhere",
        "po_equivalents",
        "points_available",
        "points_held",
        "points_of_reports",
        "posts_closed",
        "posts_established",
        "posts_filled",
        "posts_vacant",
        "posts_vacant_po",
        "prison_costs",
        "prison_headroom",
        "prison_outside",
        "prison_places",
        "programme_groups",
        "pso_equivalents",
        "redundancies",
        "report_seconds_duty",
        "report_seconds_po",
        "report_seconds_pso",
        "reports_waiting",
        "results_cohorts",
        "results_expected",
        "results_followed",
        "results_losses",
        "results_people",
        "results_reoffenders",
        "results_wins",
        "seconds_available",
        "seconds_demanded",
        "seconds_lost_to_transition",
        "seconds_meetings",
        "seconds_unused",
        "seconds_worked",
        "seniors_in_post",
        "seniors_lost",
        "sickness_days",
        "sickness_days_long",
        "specialist_seconds",
        "specialist_seconds_idle",
        "specialist_seconds_idle_beside_queue",
        "teaching_seconds",
        "trainees_in_post",
        "trainees_qualified",
        "trainees_started",
        "transition_costs",
        "work_places",
        "work_places_used",
    )
)
"""Counts that belong, all or in part, to officers, teams, money or prisons and so can't be split.

The time asked of officers and the time of handing cases over are here because part of it is of no one person.
"""
