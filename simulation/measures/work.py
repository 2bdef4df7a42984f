"""Counts and measures of where officers' time goes besides contacts: reports, plans, reviews, checks, travel."""

from __future__ import annotations

from simulation.measures.kinds import Count, Measure
from simulation.measures.kinds import flow as _flow
from simulation.measures.kinds import stock as _stock

COUNTS: tuple[Count, ...] = (
    _flow("breach_pack_seconds", "seconds", "Officer time on breach packs written, those put right again included."),
    _flow("recall_report_seconds", "seconds", "Officer time on recall reports written."),
    _flow("parole_report_seconds", "seconds", "Officer time on parole reports written."),
    _flow("safeguarding_checks", "checks", "Safeguarding checks asked for with a plan, on top of its time; none where the tariff has them inside."),
    _flow("safeguarding_seconds", "seconds", "Officer time asked for by these checks."),
    _flow("reviews_done", "reviews", "Reviews of sentence plans done."),
    _flow("reviews_overdue", "reviews", "Those done after the day on which they were due."),
    _flow("seconds_travel_urban", "seconds", "Travel to contacts with people who live in a town, part of the rest of contacts' time with recording and administration; not that to the office where the tariff, which has it inside, decides what a case costs."),
    _flow("seconds_travel_rural", "seconds", "The same for people who live in the country."),
    _stock("hours_for_cases", "hundredths of an hour a week", "Contracted hours of officers in post less the reductions that the workload tool knows: of trainees, of the newly qualified, of new services officers, of facility time, and all of those away for long."),
    _stock("hours_facility", "hundredths of an hour a week", "Trade-union facility time of officers in post."),
    _stock("points_of_reports", "points", "Workload tool points of reports that officers in post wrote this month; among the points held."),
)

MEASURES: tuple[Measure, ...] = (
    Measure("tasks_waiting_mean", "Tasks waiting", "tasks", ("tasks_waiting",), (), 1, "lower", "Tasks waiting",
            "Plans, reviews, reports and the like past their due day at the end of the month, whoever they wait for."),
    Measure("reviews_year", "Plan reviews done", "reviews a year", ("reviews_done",), (), 1, "higher",
            "Plan reviews done"),
    Measure("reviews_overdue_share", "Plan reviews done late", "% of reviews done", ("reviews_overdue",),
            ("reviews_done",), 100, "lower", "The share of plan reviews done late"),
    Measure("breach_pack_hours_year", "Officers' time on breach packs", "hours a year", ("breach_pack_seconds",), (),
            1 / 3600, "neither", "Officers' time on breach packs"),
    Measure("recall_report_hours_year", "Officers' time on recall reports", "hours a year", ("recall_report_seconds",),
            (), 1 / 3600, "neither", "Officers' time on recall reports"),
    Measure("parole_report_hours_year", "Officers' time on parole reports", "hours a year", ("parole_report_seconds",),
            (), 1 / 3600, "neither", "Officers' time on parole reports"),
    Measure("safeguarding_hours_year", "Officers' time on safeguarding checks", "hours a year",
            ("safeguarding_seconds",), (), 1 / 3600, "neither", "Officers' time on safeguarding checks",
            "Asked for on top of plans; where the tariff decides what a case costs, the checks are inside it."),
    Measure("travel_hours_year", "Officers' travel to contacts", "hours a year",
            ("seconds_travel_urban", "seconds_travel_rural"), (), 1 / 3600,
            "lower", "Officers' travel to contacts",
            "Without travel to the office in cases whose time the tariff decides, which has it inside."),
    Measure("rural_travel_hours_year", "Officers' travel to people in the country", "hours a year",
            ("seconds_travel_rural",), (), 1 / 3600, "lower", "Officers' travel to people who live in the country"),
    Measure("hours_for_cases_share", "Contracted hours that are for cases", "% of contracted hours",
            ("hours_for_cases",), ("hours_contracted",), 100, "higher", "The share of contracted hours that are for cases"),
    Measure("facility_time_share", "Trade-union facility time", "% of contracted hours", ("hours_facility",),
            ("hours_contracted",), 100, "neither", "The share of hours that is facility time"),
    Measure("report_points_share", "Reports in the workload tool", "% of points held", ("points_of_reports",),
            ("points_held",), 100, "neither", "The share of the tool's points that are reports"),
)
