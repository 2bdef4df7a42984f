"""Serious further offences: the few reoffences of people under supervision that bring a review.

How likely a reoffence is to be a serious one follows from the person's own two predictors: the rate of serious
recidivism over the rate of proven reoffending. Only some serious reoffences are on the list of charges and at the stage
that bring a review; a parameter says what share.
"""

from __future__ import annotations

from simulation.engine.chance import logarithms
from simulation.system import hazards
from simulation.system.service import Rows, Service


def review(service: Service, rows: Rows) -> None:
    """Begin reviews of those reoffences of today, by people under supervision, that are serious further offences."""
    if rows.size == 0:
        return
    people = service.people
    reviewed = hazards.serious_reoffences(
        rows,
        float(service.levers.number("community.serious_offence_review_share")),
        service.chance.constant("serious further offence"),
        logarithms(),
        people.key,
        people.rsr,
        people.ogrs,
        people.reoffences,
    )
    service.count("serious_offence_reviews", reviewed)
    service.tell("serious further offence reviewed", reviewed)
