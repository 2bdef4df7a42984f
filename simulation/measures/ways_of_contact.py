"""Counts and measures of ways of contact, of hubs, and of where officers' time at work goes."""

from __future__ import annotations

from typing import Literal

from simulation.measures.kinds import Count, Measure
from simulation.measures.kinds import flow as _flow
from simulation.measures.kinds import stock as _stock

COUNTS: tuple[Count, ...] = (
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
            _flow(f"absences_{mode}", "absences", f"Absences, accepted or not, from {words}, first appointments included."),
            _flow(f"detection_days_{mode}", "days", f"Days from a change to its being noticed at {words}, added up."),
        )
    ),
)

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
    *(
        Measure(f"missed_{name}_share", f"Missed: {title}", "% of those held or missed",
                tuple(f"absences_{mode}" for mode in modes),
                tuple(f"{what}_{mode}" for what in ("absences", "contacts") for mode in modes), 100, "lower",
                f"The share missed of {title}",
                "Accepted or not. Whoever missed one is booked again sooner, so those who often miss weigh more.")
        for name, title, modes in (
            ("visits", "visits to the office", ("in_office", "in_booth")),
            ("home", "home visits", ("home_visit",)),
            ("group", "group sessions", ("group",)),
            ("video", "video appointments", ("video",)),
            ("calls", "officers' calls", ("called",)),
            ("hub_calls", "calls from the hub", ("hub_call",)),
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
