"""Counts and measures of ways to organise the service: bodies, commissioners, equal money; and of full prisons."""

from __future__ import annotations

from simulation.measures.kinds import Count, Measure
from simulation.measures.kinds import flow as _flow
from simulation.measures.kinds import stock as _stock

COUNTS: tuple[Count, ...] = (
    _flow("placed_elsewhere", "officers", "New or newly qualified officers who began in another area of their region or trust than the one that found them."),
    _flow("seniors_lost", "hundredths of a post", "Senior probation officers who went on the day their area was unified."),
    _flow("body_costs", "pence", "Spent by the regions or trusts themselves."),
    _flow("transition_costs", "pence", "Spent once to take companies' officers over."),
    _flow("commissioned_costs", "pence", "Paid to local commissioners for places to live and mentors, their own administration included."),
    _flow("commissioning_costs", "pence", "That of it which commissioners need themselves."),
    _flow("mentors_commissioned", "people", "People met at the gate by a mentor whom a local commissioner pays."),
    _flow("money_freed", "pence", "What the way of organising leaves over for officers' posts; below 0 for what is missing. Counted where money is held equal."),
    _stock("equal_money_posts_opened", "posts", "Posts there are because money was freed."),
    _stock("equal_money_posts_closed", "posts", "Posts that aren't there any more because money was missing."),
    _flow("released_when_full", "people", "People let out before their release date because prisons were nearly full."),
    _flow("released_when_full_days", "days", "Days by which they were let out before it."),
)

MEASURES: tuple[Measure, ...] = (
    # Who is the NPS's, and how risk that rose reaches it
    Measure("nps_share", "People supervised by the NPS", "% of people supervised", ("caseload_nps",), ("caseload_total",),
            100, "neither", "The NPS's share of people supervised", "After unification everybody is the NPS's."),
    Measure("escalations_year", "Cases escalated from companies to the NPS", "cases a year", ("escalated_to_nps",), (), 1,
            "neither", "Cases escalated to the NPS", "Cases that the NPS took on because risk rose; refused ones don't count."),
    Measure("escalations_in_time_share", "Escalated cases given to an officer in time", "% of those given",
            ("escalations_answered_in_time",), ("escalations_answered",), 100, "higher",
            "Escalated cases given to an officer in time"),
    Measure("escalations_refused_share", "Escalations that the NPS refuses", "% of those put forward",
            ("escalations_refused",), ("escalations_refused", "escalated_to_nps"), 100, "lower",
            "Escalations that the NPS refuses", "A case refused twice counts twice."),
    Measure("probation_cost_year", "Cost of probation to the Ministry", "GBP million a year",
            ("crc_income_volume", "crc_income_adjustment", "crc_income_tasks", "crc_income_results", "crc_step_in",
             "nps_costs", "body_costs", "transition_costs", "commissioned_costs"), (), 1e-8, "lower",
            "The cost of probation to the Ministry",
            "As public_cost_year without prisoners: what is held equal, for posts filled or not, by organisation.equal_money."),
    Measure("placed_elsewhere_year", "Officers placed in another area of the region", "officers a year",
            ("placed_elsewhere",), (), 1, "neither", "Officers placed in another area of their region or trust"),
    Measure("seniors_lost_year", "Senior officers lost at the transition", "officers a year", ("seniors_lost",), (),
            0.01, "lower", "Senior officers lost at the transition"),
    Measure("body_cost_year", "Cost of regions or trusts", "GBP million a year", ("body_costs",), (), 1e-8, "lower",
            "The cost of regions or trusts themselves"),
    Measure("transition_cost_year", "Cost of taking companies' officers over", "GBP million a year",
            ("transition_costs",), (), 1e-8, "lower", "The cost of taking companies' officers over"),
    Measure("commissioned_year", "Money of local commissioners", "GBP million a year", ("commissioned_costs",), (), 1e-8,
            "neither", "The money of local commissioners"),
    Measure("commissioning_share", "Commissioners' own administration", "% of their money", ("commissioning_costs",),
            ("commissioned_costs",), 100, "lower", "Commissioners' own administration"),
    Measure("mentors_commissioned_year", "People met by a commissioned mentor", "people a year",
            ("mentors_commissioned",), (), 1, "higher", "People met by a commissioned mentor"),
    Measure("money_freed_year", "Money freed for posts", "GBP million a year", ("money_freed",), (), 1e-8, "higher",
            "Money freed for officers' posts", "Below 0 for what is missing. 0 where money isn't held equal."),
    Measure("equal_money_posts_opened_mean", "Posts opened with freed money", "posts", ("equal_money_posts_opened",), (),
            1, "higher", "Posts opened with freed money"),
    Measure("equal_money_posts_closed_mean", "Posts closed for missing money", "posts", ("equal_money_posts_closed",), (),
            1, "lower", "Posts closed for missing money"),
    Measure("released_when_full_year", "Released early because prisons are full", "people a year",
            ("released_when_full",), (), 1, "lower", "People released early because prisons are full"),
    Measure("released_when_full_days_mean", "Days released early because prisons are full", "days",
            ("released_when_full_days",), ("released_when_full",), 1, "neither",
            "The days by which people are released early because prisons are full"),
)
