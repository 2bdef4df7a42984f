"""Words that a reader may not know, in the plainest terms that are still right."""

from __future__ import annotations

GLOSSARY: tuple[tuple[str, str], ...] = (
    (
        "95% interval",
        "The range in which the average difference would lie if the runs were repeated with other luck, "
        "19 times in 20. It covers chance alone.",
    ),
    ("Baseline", "The system without the change: the scenario that the others are compared with."),
    (
        "Capacity",
        "The workload points that an officer has in a month. Above 110% an officer holds more work than the "
        "workload tool allows for.",
    ),
    (
        "Community Rehabilitation Company (CRC)",
        "One of 21 companies that supervised people at low and medium risk from 2014 to 2021.",
    ),
    (
        "Fingerprint",
        "A short code made from everything that determines the results. The same code means the same "
        "figures.",
    ),
    ("Home detention curfew (HDC)", "Release from prison some months early, with a curfew and a tag."),
    (
        "Impact date",
        "The first day on which a scenario differs from the baseline. Before it both are identical.",
    ),
    ("Licence", "The part of a prison sentence served in the community, under conditions."),
    (
        "National Probation Service (NPS)",
        "The public body that supervised people at high risk and worked in the courts.",
    ),
    (
        "Paired runs",
        "A run of a scenario and a run of the baseline in which every person meets the same fortune, so "
        "that the change alone makes them differ.",
    ),
    (
        "Percentage point",
        "The plain difference between two percentages: from 20% to 23% is three percentage points.",
    ),
    (
        "Post-sentence supervision",
        "Supervision after a short licence, up to twelve months from release in all.",
    ),
    ("Recall", "Return to prison of a person on licence. Every revocation counts, second ones included."),
    ("Scenario", "A set of dated changes to the rules, staff or practice of the system."),
    (
        "Too close to call",
        "The 95% interval holds zero: the change may have raised the measure or lowered it. It does "
        "not mean that there is no effect.",
    ),
    ("Worst-off tenth", "The tenth of areas in which a measure stands worst (four of the 42)."),
)
"""Terms and meanings, in alphabetical order."""
