"""What is counted, and what is shown: one definition each.

The model counts only whole things (people, contacts, days, seconds), so that no sum depends on the order in
which it was made. Rates and means are made from those counts when a report is written. Definitions follow each
publisher's own where one exists; where a published value is held beside a measure, its evidence id is given.

Three kinds of count:

``stock``
    taken at the end of the last day of a month;
``flow``
    added up over the days of a month;
``histogram``
    people, officers or events by band; the band is in the ``group`` column.
"""

from __future__ import annotations

from typing import Literal

from simulation.measures import justice, staff
from simulation.measures.kinds import Count, Measure, Published
from simulation.measures.kinds import flow as _flow
from simulation.measures.kinds import histogram as _histogram
from simulation.measures.kinds import stock as _stock

COUNTS: tuple[Count, ...] = (
    # Who is supervised, once each
    _stock("caseload_total", "people", "People supervised on the date, each once: court orders, in custody, licence, post-sentence supervision."),
    _stock("caseload_custody", "people", "People supervised while in custody: sentenced, recalled and indeterminate prisoners. Remand is left out."),
    _stock("caseload_community", "people", "People supervised who are not in custody."),
    _stock("caseload_court_orders", "people", "People in the community on a community order or suspended sentence order."),
    _stock("caseload_licence_pss", "people", "People out of custody on licence, home detention curfew or post-sentence supervision."),
    _stock("caseload_licence", "people", "People out of custody on licence or home detention curfew."),
    _stock("caseload_pss", "people", "People out of custody on post-sentence supervision and no longer on licence."),
    _stock("caseload_telephone_only", "people", "People in the community whose routine contact is by telephone alone."),
    _stock("unallocated", "people", "People supervised who have no responsible officer yet."),
    _stock("unseen_over_60_days", "people", "People in the community for over 60 days and not seen face to face in the last 60."),
    _stock("crisis_unnoticed", "people", "People in the community with a change in need or risk that nobody in the service has noticed."),
    # Prison
    _stock("prison_determinate", "people", "Sentenced prisoners serving a determinate sentence, not recalled."),
    _stock("prison_recalled", "people", "Prisoners on recall, recalled indeterminate prisoners included."),
    _stock("prison_indeterminate", "people", "Life and indeterminate prisoners never released."),
    _stock("prison_outside", "people", "Remand, non-criminal and fine-default prisoners: an outside series."),
    _stock("on_hdc", "people", "People out on home detention curfew with their release date ahead."),
    _stock("unlawfully_at_large", "people", "People recalled but not yet returned to custody."),
    _flow("prison_person_days", "person-days", "Days spent in prison by sentenced, recalled and indeterminate prisoners."),
    # Courts
    _flow("sentences_community", "people", "People who start a community order or suspended sentence order."),
    _flow("sentences_custody", "people", "People sentenced to immediate determinate custody."),
    _flow("sentences_custody_on_breach", "people", "People sent to custody because their order was revoked; not in the sentencing series."),
    _flow("sentences_custody_of_returners", "people", "Those of the sentences to custody that are of people the model already knew."),
    _flow("sentences_of_returners", "people", "Those of the sentences that are of people the model already knew."),
    _flow("reports_oral", "reports", "Oral pre-sentence reports delivered."),
    _flow("reports_short", "reports", "Short written pre-sentence reports delivered."),
    _flow("reports_standard", "reports", "Standard pre-sentence reports delivered."),
    _flow("reports_late", "reports", "Reports not ready on their due day, so that the case was adjourned."),
    _flow("report_days", "days", "Days from request to delivery, added up over reports delivered."),
    _stock("reports_waiting", "reports", "Reports asked for and not yet delivered."),
    # Allocation
    _flow("allocated", "people", "Cases given to an officer for the first time in a supervision."),
    _flow("allocation_days", "days", "Days from sentence or transfer to allocation to an officer, added up."),
    _flow("misallocated", "people", "Cases allocated on an assessed risk on the other side of the threshold from the true risk."),
    _flow("escalated_to_nps", "people", "Cases that moved from a CRC to the NPS because risk rose."),
    _flow("officer_changes", "changes", "Changes of responsible officer in the middle of a supervision."),
    _flow("case_days", "person-days", "Days on which people supervised had a responsible officer."),
    # Timeliness
    _flow("first_appointments_community", "appointments", "First appointments made after a community sentence."),
    _flow("first_appointment_days_community", "days", "Days from sentence to first appointment, added up."),
    _flow("first_appointments_community_in_time", "appointments", "Those offered within five working days of allocation."),
    _flow("first_appointments_release", "appointments", "First appointments made after release."),
    _flow("first_appointment_days_release", "days", "Days from release to first appointment, added up."),
    _flow("first_appointments_release_in_time", "appointments", "Those offered within one working day of release."),
    _flow("plans_done", "plans", "Sentence plans completed."),
    _flow("plans_in_time", "plans", "Plans completed within fifteen working days of the first appointment."),
    # Contact
    _flow("contacts_due", "contacts", "Routine appointments and calls due; one that was cancelled is due again."),
    _flow("contacts_face_to_face", "contacts", "Contacts made face to face in the community."),
    _flow("contacts_telephone", "contacts", "Contacts made by telephone."),
    _flow("contacts_custody", "contacts", "Contacts with people in custody."),
    _flow("contacts_downgraded", "contacts", "Face-to-face contacts turned into calls because the diary was full."),
    _flow("contacts_cancelled", "contacts", "Appointments the service cancelled because the diary was full or the officer sick, each time counted; neither contact nor absence."),
    _flow("absences_acceptable", "absences", "Missed appointments accepted."),
    _flow("absences_unacceptable", "absences", "Missed appointments not accepted."),
    _flow("crises", "events", "Changes in need or risk that began in the community."),
    _flow("crises_noticed", "events", "Changes noticed by the service."),
    _flow("detection_days", "days", "Days from a change to its being noticed, added up over those noticed."),
    _flow("crisis_unnoticed_days", "person-days", "Days on which somebody's change in need or risk went unnoticed."),
    _flow("community_days", "person-days", "Days spent under supervision in the community."),
    # Enforcement
    _flow("warnings", "warnings", "Warnings after an unacceptable absence."),
    _flow("breaches_due", "breaches", "Second unacceptable failures within twelve months that must be referred."),
    _flow("breaches_referred", "breaches", "Breach packs that the enforcement officer took."),
    _flow("breaches_referred_in_time", "breaches", "Those taken within eight working days of the failure."),
    _flow("breach_packs_returned", "packs", "Breach packs that the enforcement officer sent back to be put right."),
    _flow("breach_referral_days", "days", "Days from a failure that must be referred to a pack that was taken, added up."),
    _flow("breach_hearings", "hearings", "Breach hearings of orders."),
    _flow("orders_revoked", "orders", "Orders revoked at a breach hearing."),
    _flow("orders_completed", "orders", "Orders that ran their course."),
    _flow("orders_ended_unsuccessfully", "orders", "Orders revoked for failure or after a further offence."),
    _flow("pss_breach_hearings", "hearings", "Hearings for breach of post-sentence supervision."),
    _flow("pss_committals", "committals", "Committals to prison of up to 14 days for breach of post-sentence supervision."),
    _flow("recalls", "recalls", "Revocations of licence, repeats and home detention curfew recalls included."),
    _flow("recalls_fixed_term", "recalls", "Fixed-term recalls."),
    _flow("recalls_standard", "recalls", "Standard recalls."),
    _flow("recalls_hdc_curfew", "recalls", "Recalls for breach of the curfew condition."),
    _flow("recalls_short_sentence", "recalls", "Recalls from sentences under 12 months."),
    _flow("returns_to_custody", "people", "Recalled people arrested and returned to prison."),
    _flow("re_releases", "people", "People released again after recall."),
    _flow("recall_days_served", "days", "Days in custody of recalls that ended, added up."),
    *justice.COUNTS,
    *staff.COUNTS,
    # Community life
    _flow("releases", "releases", "First releases from a determinate sentence, home detention curfew included."),
    _flow("releases_short_sentence", "releases", "Those from sentences under 12 months."),
    _flow("releases_at_sentence", "releases", "People released on the day of sentence because remand had used up the term."),
    _flow("hdc_eligible_on_length", "people", "People received whose sentence length allows home detention curfew."),
    _flow("hdc_considered", "people", "People put forward for home detention curfew."),
    _flow("hdc_enquiries", "enquiries", "Address enquiries completed by probation officers."),
    _flow("hdc_enquiry_seconds", "seconds", "Officer time spent on address enquiries."),
    _flow("hdc_releases", "releases", "Releases on home detention curfew."),
    _flow("hdc_refused_address", "people", "Refused: no suitable address."),
    _flow("hdc_refused_time", "people", "Refused: fewer than 14 days left when the papers were ready."),
    _flow("hdc_days_served", "person-days", "Days of curfew ahead of people released on it, added up on the day of release."),
    _flow("ttg_started", "people", "People for whom pre-release resettlement work began."),
    _flow("ttg_done", "people", "Resettlement work completed before release."),
    _flow("released_settled", "people", "People released to settled accommodation."),
    _flow("released_homeless", "people", "People released with nowhere to stay."),
    _flow("released_seen_first_week", "people", "People seen face to face within seven days of release."),
    _flow("removed_at_release", "people", "People removed from the country at the end of custody; among the releases."),
    # Community life
    _flow("reoffences", "events", "Proven reoffences by people under supervision in the community."),
    _flow("deaths", "deaths", "Deaths of people under supervision in the community."),
    # Workforce
    _stock("officers_in_post", "officers", "Case-holding officers in post."),
    _stock("posts_vacant", "posts", "Case-holding posts with nobody in them."),
    _stock("officers_absent_sick", "officers", "Officers in post who are off sick."),
    _stock("officers_over_100", "officers", "Officers in post whose tool points exceed 100% of available points."),
    _stock("officers_over_110", "officers", "Officers in post whose tool points exceed 110% of available points."),
    _stock("officers_over_50_cases", "officers", "Officers in post who hold more than 50 cases."),
    _stock("cases_held", "cases", "Cases held by officers in post."),
    _stock("points_held", "points", "Workload tool points of the cases held."),
    _stock("points_available", "points", "Workload tool points available."),
    _stock("tasks_waiting", "tasks", "Tasks due and not done at the end of the month."),
    _flow("seconds_available", "seconds", "Time of officers present."),
    _flow("seconds_worked", "seconds", "Time worked on cases."),
    _flow("seconds_unused", "seconds", "Time of officers present with no task left to do."),
    _flow("seconds_demanded", "seconds", "Time of tasks that fell due; a cancelled contact falls due again."),
    _flow("seconds_lost_to_transition", "seconds", "Time of officers present that a change of organisation took from cases."),
    _flow("sickness_days", "days", "Working days lost to sickness."),
    _flow("officer_days", "days", "Working days of officers in post."),
    _flow("leavers", "officers", "Officers who left the service."),
    _flow("moves_crc_to_nps", "officers", "Officers who moved from a CRC to the NPS."),
    _flow("joiners", "officers", "Officers who started work from outside."),
    # For published measures: see simulation/measures/published.py
    _stock("officers_po", "officers", "Case-holding officers in post who are probation officers."),
    _stock("officers_pso", "officers", "Case-holding officers in post who are probation services officers, or training to be probation officers."),
    _stock("posts_vacant_po", "posts", "Case-holding posts of probation officers with nobody in them."),
    _stock("officers_with_cases", "officers", "Officers in post who hold at least one case."),
    _stock("officers_over_40_cases", "officers", "Officers in post who hold more than 40 cases."),
    _stock("officers_over_60_cases", "officers", "Officers in post who hold more than 60 cases."),
    _stock("officers_over_120", "officers", "Officers in post whose tool points exceed 120% of available points."),
    _stock("other_staff", "full-time equivalents", "Staff who hold no cases, carried as a number: not modelled one by one."),
    _stock("inspection_sample", "people", "People in the community whose supervision there began five to nine months ago."),
    _stock("inspection_sample_reoffended", "people", "Those of them with a proven reoffence since it began."),
    _stock("inspection_sample_not_complying", "people", "Those of them with an unacceptable absence since it began."),
    _flow("officers_transferred", "officers", "Case-holding officers of a CRC who joined the NPS on the day of unification."),
    _flow("cases_parted", "people", "People whose officer went to the other side on the day of the split."),
    _flow("escalations_answered", "people", "Cases that the NPS took over from a CRC after risk rose."),
    _flow("escalations_answered_in_time", "people", "Those given to an NPS officer within the target after risk rose."),
    _flow("short_leavers_recalled", "people", "First recalls of people released from a sentence under 12 months."),
    _flow("community_orders_revoked", "orders", "Community orders revoked at a breach hearing; suspended sentence orders left out."),
    _flow("life_releases", "releases", "Releases of life and indeterminate prisoners to life licence."),
    _flow("serious_offence_reviews", "reviews", "Reviews of serious further offences of people under supervision in the community."),
    _flow("cohort_starts", "people", "People who start an order or are released, once a quarter, by the side responsible."),
    _flow("short_cohort_starts", "people", "People released from a sentence under 12 months, once a quarter."),
    _histogram("cohort_reoffences", "people", "People of those who started or were released with a first proven reoffence within 365 days, by months since."),
    _histogram("short_cohort_reoffences", "people", "The same for people released from a sentence under 12 months."),
    # Ways of contact, hubs, and where officers' time goes
    _flow("contacts_in_office", "contacts", "Those made face to face in a room of the office, first appointments included."),
    _flow("contacts_in_booth", "contacts", "Those made face to face in an open booth of an open-plan office."),
    _flow("contacts_home_visit", "contacts", "Those made face to face at home."),
    _flow("contacts_doorstep", "contacts", "Those made face to face at the doorstep."),
    _flow("contacts_group", "contacts", "Those made face to face in a group session."),
    _flow("contacts_video", "contacts", "Contacts made by video; neither face to face nor by telephone."),
    _flow("contacts_called", "contacts", "Those made by telephone by an officer."),
    _flow("contacts_hub_call", "contacts", "Those made by telephone by an agent of the hub."),
    _flow("contacts_by_colleague", "contacts", "Contacts held, kept or missed, by somebody else than the responsible officer; hub calls left out."),
    _flow("contacts_delegated_group", "contacts", "Visits turned into a place in a group because the officer's tasks were overdue."),
    _flow("contacts_delegated_hub", "contacts", "Visits handed to the hub as calls because the officer's tasks were overdue."),
    _flow("contacts_cancelled_meeting", "contacts", "Of those cancelled by the service: those that a day without the officer's meeting would have held."),
    _flow("contacts_left_out", "contacts", "Of those cancelled by the service: those not booked again before the next routine contact."),
    _flow("hub_calls_due", "contacts", "Calls due from the hub; one that was put off is due again."),
    _flow("hub_calls_put_off", "contacts", "Calls for which the hub had no time that day, each time counted; neither contact nor absence."),
    _stock("hub_cases", "people", "People in the community whose routine contact is a call from the hub; their officer holds the case."),
    _stock("hub_agents_hundredths", "hundredths", "Hub agents, in hundredths of one full time."),
    _flow("hub_seconds_available", "seconds", "Time of hub agents."),
    _flow("hub_seconds_worked", "seconds", "Time of the calls that they started."),
    _flow("seconds_contacts", "seconds", "Officers' time on contacts and first appointments held, kept or missed."),
    _flow("seconds_with_people", "seconds", "Part of it: with people in person, in custody too; of a group session, each person's share."),
    _flow("seconds_on_calls", "seconds", "Part of it: on the telephone or by video with people."),
    _flow("seconds_missed", "seconds", "Part of it: kept for people who didn't come or answer."),
    _flow("seconds_double_entry", "seconds", "Part of it: entering a contact into a second record system."),
    _flow("seconds_contact_administration", "seconds", "The rest of it: recording, administration and travel."),
    _flow("seconds_meetings", "seconds", "Time of officers present that meetings took from the diary; not in the time available."),
    *(
        count
        for mode, words in (
            ("in_office", "a visit to a room of the office"),
            ("in_booth", "a visit to an open booth"),
            ("home_visit", "a home visit"),
            ("doorstep", "a visit at the doorstep"),
            ("group", "a group session"),
            ("video", "a video appointment"),
            ("called", "an officer's call"),
            ("hub_call", "a hub agent's call"),
        )
        for count in (
            _flow(f"noticed_{mode}", "events", f"Changes in need or risk noticed at {words}."),
            _flow(f"detection_days_{mode}", "days", f"Days from a change to its being noticed at {words}, added up."),
        )
    ),
    # Distributions
    _histogram("officers_by_cases", "officers", "Officers in post by number of cases held, bands of five."),
    _histogram("officers_by_workload", "officers", "Officers in post by tool points as a percentage of those available, bands of ten."),
    _histogram("people_by_days_since_seen", "people", "People in the community by days since last seen face to face (or since they came under supervision)."),
    _histogram("first_appointments_by_days", "appointments", "First appointments after a community sentence by days since sentence."),
    _histogram("hdc_by_days", "releases", "Releases on home detention curfew by days of curfew ahead, bands of fifteen."),
)

COUNT_BY_NAME: dict[str, Count] = {count.name: count for count in COUNTS}
"""Counts by name."""

HISTOGRAMS: tuple[str, ...] = tuple(count.name for count in COUNTS if count.kind == "histogram")
"""Names of the counts kept as distributions."""

#: Width of each histogram's bands, in the unit of the thing banded.
HISTOGRAM_WIDTH: dict[str, int] = {
    "officers_by_cases": 5,
    "officers_by_workload": 10,
    "people_by_days_since_seen": 10,
    "first_appointments_by_days": 1,
    "hdc_by_days": 15,
    "cohort_reoffences": 1,
    "short_cohort_reoffences": 1,
}

_CONTACTS = ("contacts_face_to_face", "contacts_telephone", "contacts_video")
_AT_WORK = ("seconds_worked", "seconds_unused", "seconds_meetings")
_USES_OF_TIME: tuple[tuple[str, str, tuple[str, ...], Literal["lower", "higher", "neither"]], ...] = (
    ("face_to_face", "face to face with people", ("seconds_with_people",), "higher"),
    ("calls", "on calls with people", ("seconds_on_calls",), "neither"),
    ("administration", "recording, administering and travelling for contacts",
     ("seconds_contact_administration", "seconds_double_entry"), "lower"),
    ("meeting", "in meetings that take the diary's place", ("seconds_meetings",), "lower"),
)

MEASURES: tuple[Measure, ...] = (
    Measure("officers_over_110_share", "Officers above 110% of capacity", "% of officers in post",
            ("officers_over_110",), ("officers_with_tool",), 100, "lower",
            "The share of officers above 110% of capacity",
            "As the workload tool shows it: points of cases held over points available. Absent where there is no tool."),
    Measure("first_appointment_wait", "Sentence to first appointment", "days",
            ("first_appointment_days_community",), ("first_appointments_community",), 1, "lower",
            "The wait from a community sentence to the first appointment", "Calendar days, community sentences."),
    Measure("unseen_share", "Not seen face to face for over 60 days", "% of people in the community",
            ("unseen_over_60_days",), ("caseload_community",), 100, "lower",
            "The share of people in the community not seen face to face for over 60 days"),
    Measure("officer_changes_rate", "Changes of officer", "per case-year",
            ("officer_changes",), ("case_days",), 365.25, "lower", "Changes of responsible officer"),
    Measure("detection_delay", "Days a change in need goes unnoticed", "days per person-year in the community",
            ("crisis_unnoticed_days",), ("community_days",), 365.25, "lower",
            "The time for which a change in need or risk goes unnoticed",
            "Counts unfinished spells too, so nobody still unnoticed is left out."),
    Measure("recalls_year", "Licence recalls", "recalls a year", ("recalls",), (), 1, "lower", "Licence recalls"),
    Measure("prison_sentenced", "Sentenced and recalled prisoners", "people",
            ("prison_determinate", "prison_recalled", "prison_indeterminate"), (), 1, "neither",
            "The sentenced prison population"),
    # Shown in the tables, not headlines
    Measure("hdc_population", "People on home detention curfew", "people", ("on_hdc",), (), 1, "neither",
            "The number of people on home detention curfew"),
    Measure("cases_per_officer", "Cases per officer", "cases", ("cases_held",), ("officers_in_post",), 1, "lower",
            "Cases per officer"),
    Measure("over_50_cases_share", "Officers with more than 50 cases", "% of officers in post",
            ("officers_over_50_cases",), ("officers_in_post",), 100, "lower", "The share of officers with over 50 cases"),
    Measure("tool_capacity", "Workload by the tool", "% of points available", ("points_held",), ("points_available",),
            100, "lower", "Workload by the tool"),
    Measure("true_load", "Time demanded over time available", "%", ("seconds_demanded",), ("seconds_available",), 100,
            "lower", "Time demanded over time available"),
    Measure("face_to_face_share", "Contacts made face to face", "% of contacts in the community",
            ("contacts_face_to_face",), ("contacts_face_to_face", "contacts_telephone", "contacts_video"), 100, "higher",
            "The share of contacts made face to face"),
    Measure("face_to_face_rate", "Face-to-face contacts", "per person-month in the community",
            ("contacts_face_to_face",), ("community_days",), 30.4375, "higher", "Face-to-face contacts"),
    Measure("cancelled_share", "Appointments cancelled or moved by the service", "% of contacts due",
            ("contacts_cancelled",), ("contacts_due",), 100, "lower", "Appointments cancelled by the service"),
    Measure("allocation_wait", "Sentence to allocation", "days", ("allocation_days",), ("allocated",), 1, "lower",
            "The wait for an officer"),
    Measure("unallocated_mean", "People with no officer yet", "people", ("unallocated",), (), 1, "lower",
            "People with no officer"),
    Measure("first_in_time_share", "First appointments within five working days of allocation", "%",
            ("first_appointments_community_in_time",), ("first_appointments_community",), 100, "higher",
            "First appointments in time"),
    Measure("release_first_in_time_share", "First appointments within one working day of release", "%",
            ("first_appointments_release_in_time",), ("first_appointments_release",), 100, "higher",
            "First appointments after release in time"),
    Measure("seen_first_week_share", "Seen within a week of release", "% of releases",
            ("released_seen_first_week",), ("releases",), 100, "higher", "People seen within a week of release"),
    Measure("plans_in_time_share", "Plans within fifteen working days", "%", ("plans_in_time",), ("plans_done",), 100,
            "higher", "Plans in time"),
    Measure("breaches_in_time_share", "Breach referrals within eight working days", "%",
            ("breaches_referred_in_time",), ("breaches_referred",), 100, "higher", "Breach referrals in time"),
    Measure("breach_referred_share", "Due breaches that were referred", "%", ("breaches_referred",), ("breaches_due",),
            100, "higher", "Due breaches referred"),
    Measure("breach_referral_wait", "Failure to breach papers taken", "days", ("breach_referral_days",),
            ("breaches_referred",), 1, "lower", "The wait from a failure to breach papers that are taken"),
    Measure("packs_returned_share", "Breach papers sent back", "% of those sent", ("breach_packs_returned",),
            ("breach_packs_returned", "breaches_referred"), 100, "lower", "Breach papers sent back to be put right"),
    Measure("orders_unsuccessful_year", "Orders ended unsuccessfully", "orders a year",
            ("orders_ended_unsuccessfully",), (), 1, "lower", "Orders ended unsuccessfully"),
    Measure("hdc_releases_year", "Releases on home detention curfew", "releases a year", ("hdc_releases",), (), 1,
            "neither", "Releases on home detention curfew"),
    Measure("hdc_enquiries_year", "Address enquiries by officers", "enquiries a year", ("hdc_enquiries",), (), 1,
            "neither", "Address enquiries"),
    Measure("hdc_enquiry_hours_year", "Officer time on address enquiries", "hours a year", ("hdc_enquiry_seconds",), (),
            1 / 3600, "neither", "Officer time on address enquiries"),
    Measure("transition_hours_year", "Officer time lost to the transition", "hours a year",
            ("seconds_lost_to_transition",), (), 1 / 3600, "lower", "Officer time lost to the transition"),
    Measure("hdc_curfew_recalls_year", "Curfew recalls", "recalls a year", ("recalls_hdc_curfew",), (), 1, "lower",
            "Curfew recalls"),
    Measure("prison_determinate_mean", "Determinate sentenced prisoners", "people", ("prison_determinate",), (), 1,
            "neither", "Determinate sentenced prisoners"),
    Measure("prison_recalled_mean", "Prisoners on recall", "people", ("prison_recalled",), (), 1, "neither",
            "Prisoners on recall"),
    Measure("prison_all", "Prison population", "people",
            ("prison_determinate", "prison_recalled", "prison_indeterminate", "prison_outside"), (), 1, "neither",
            "The prison population"),
    Measure("caseload", "People supervised", "people", ("caseload_total",), (), 1, "neither", "People supervised"),
    Measure("caseload_community_mean", "People supervised in the community", "people", ("caseload_community",), (), 1,
            "neither", "People supervised in the community"),
    Measure("settled_share", "Released to settled accommodation", "% of releases", ("released_settled",), ("releases",),
            100, "higher", "People released to settled accommodation"),
    Measure("homeless_share", "Released homeless", "% of releases", ("released_homeless",), ("releases",), 100, "lower",
            "People released homeless"),
    Measure("officers_mean", "Officers in post", "officers", ("officers_in_post",), (), 1, "higher", "Officers in post"),
    Measure("vacancy_share", "Vacant posts", "% of posts", ("posts_vacant",), ("posts_established",), 100,
            "lower", "Vacant posts", "Posts with nobody in them: an agency officer fills one for as long as they stay."),
    Measure("sickness_rate", "Sickness", "working days lost per officer-year", ("sickness_days",), ("officer_days",),
            252.9, "lower", "Sickness"),
    Measure("leavers_year", "Officers leaving", "officers a year", ("leavers",), (), 1, "lower", "Officers leaving"),
    Measure("report_wait", "Report asked for to report delivered", "days", ("report_days",),
            ("reports_oral", "reports_short", "reports_standard"), 1, "lower", "The wait for a court report"),
    *justice.MEASURES,
    *staff.MEASURES,
    Measure("deaths_year", "Deaths under supervision in the community", "deaths a year", ("deaths",), (), 1, "lower",
            "Deaths under supervision"),
    # Ways of contact, hubs, and where officers' time goes
    *(
        Measure(f"{name}_contact_share", f"Contacts {title}", "% of contacts in the community", (count,), _CONTACTS, 100,
                "neither", f"The share of contacts {title}")
        for name, title, count in (
            ("booth", "in open booths", "contacts_in_booth"),
            ("home", "at home", "contacts_home_visit"),
            ("doorstep", "at the doorstep", "contacts_doorstep"),
            ("group", "in groups", "contacts_group"),
            ("video", "by video", "contacts_video"),
            ("called", "by an officer's call", "contacts_called"),
            ("hub", "by a call from the hub", "contacts_hub_call"),
        )
    ),
    Measure("hub_put_off_share", "Hub calls put off", "% of hub calls due", ("hub_calls_put_off",), ("hub_calls_due",),
            100, "lower", "The share of hub calls put off"),
    Measure("cases_per_hub_agent", "People per hub agent", "people", ("hub_cases",), ("hub_agents_hundredths",), 100,
            "lower", "People per hub agent", "Reported apart from officers' caseloads."),
    Measure("hub_cases_mean", "People whose contact is a hub call", "people", ("hub_cases",), (), 1, "neither",
            "People whose contact is a hub call"),
    Measure("downgraded_share", "Visits turned into calls for want of time", "% of contacts due",
            ("contacts_downgraded",), ("contacts_due",), 100, "lower", "Visits turned into calls for want of time"),
    Measure("delegated_share", "Visits handed to a group or the hub for want of time", "% of contacts due",
            ("contacts_delegated_group", "contacts_delegated_hub"), ("contacts_due",), 100, "neither",
            "Visits handed to a group or the hub for want of time"),
    Measure("cancelled_meeting_share", "Appointments cancelled for a meeting", "% of contacts due",
            ("contacts_cancelled_meeting",), ("contacts_due",), 100, "lower", "Appointments cancelled for a meeting"),
    Measure("left_out_share", "Appointments left out", "% of contacts due", ("contacts_left_out",), ("contacts_due",), 100,
            "lower", "Appointments left out"),
    Measure("colleague_share", "Contacts with somebody else than the officer", "% of contacts due",
            ("contacts_by_colleague",), ("contacts_due",), 100, "lower",
            "Contacts with somebody else than the responsible officer"),
    *(
        Measure(f"{name}_time_share", f"Officers' time {title}", "% of time at work", counts, _AT_WORK, 100, better,
                f"The share of officers' time {title}")
        for name, title, counts, better in _USES_OF_TIME
    ),
    Measure("double_entry_hours_year", "Double entry", "officer hours a year", ("seconds_double_entry",), (), 1 / 3600,
            "lower", "Officer time on double entry"),
    *(
        Measure(f"detection_days_{name}", f"Days until a change is noticed {title}", "days", (f"detection_days_{count}",),
                (f"noticed_{count}",), 1, "lower", f"The time until a change is noticed {title}",
                "Of the changes noticed that way; those never noticed are left out.")
        for name, title, count in (
            ("office", "in the office", "in_office"),
            ("booth", "in an open booth", "in_booth"),
            ("home", "at home", "home_visit"),
            ("doorstep", "at the doorstep", "doorstep"),
            ("group", "in a group", "group"),
            ("video", "by video", "video"),
            ("called", "by an officer's call", "called"),
            ("hub", "by a call from the hub", "hub_call"),
        )
    ),
)

MEASURE_BY_NAME: dict[str, Measure] = {measure.name: measure for measure in MEASURES}
"""Measures by name."""

HEADLINES: tuple[str, ...] = (
    "officers_over_110_share",
    "first_appointment_wait",
    "unseen_share",
    "officer_changes_rate",
    "detection_delay",
    "recalls_year",
    "prison_sentenced",
)
"""The measures a study declares in advance, in the order shown: what may follow from a change, whatever it is."""

PUBLISHED: tuple[Published, ...] = (
    Published("B01", "People supervised, mid-2017", ("caseload_total",), "stock", "2017-06", 265_500, 262_000, 268_000,
              "produced", note="Court orders come from the sentencing series; custody, licence and supervision from sentence arithmetic."),
    Published("B05", "On licence or post-sentence supervision", ("caseload_licence_pss",), "stock", "2017-06", 72_500,
              66_000, 78_000, "produced"),
    Published("B06", "CRC share of cases", ("caseload_total",), "share", "2017-06", 0.60, 0.575, 0.62, "produced",
              of=("caseload_total",), provider_kind="crc", note="Follows the assumed case mix by disposal (B14-B16)."),
    Published("B07", "People supervised by the NPS", ("caseload_total",), "stock", "2017-06", 105_000, 102_000, 109_000,
              "produced", provider_kind="nps"),
    Published("B08", "People supervised by CRCs", ("caseload_total",), "stock", "2017-06", 160_000, 154_000, 164_000,
              "produced", provider_kind="crc"),
    Published("B32", "Licence recalls in 2017", ("recalls",), "year", "2017", 21_915, 21_500, 22_400, "produced"),
    Published("B38", "Prisoners on recall, 30 June 2017", ("prison_recalled",), "stock", "2017-06", 6_390, 6_150, 6_560,
              "produced", note="Recalled indeterminate prisoners (1,134) are an outside series."),
    Published("B39", "Releases on home detention curfew in 2017", ("hdc_releases",), "year", "2017", 9_312, 9_000, 9_500,
              "produced"),
    Published("B44", "Sentenced and recalled prisoners, 30 June 2017",
              ("prison_determinate", "prison_recalled", "prison_indeterminate"), "stock", "2017-06", 74_390, 73_790, 75_160,
              "produced", note="B44 less remand (9,638) and about 1,000 others; the indeterminate part (10,600) is an outside series."),
)
"""Published figures that simulated levels are held beside. Outcomes after 2017 are left out on purpose."""
