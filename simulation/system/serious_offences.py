"""Serious further offences: the few reoffences of people under supervision that bring a review.

How likely a reoffence is to be a serious one follows from the person's own two predictors: the rate of serious
recidivism over the rate of proven reoffending. Only some serious reoffences are on the list of charges and at the stage
that bring a review; a parameter says what share.
"""

from __future__ import annotations

import numpy as np

from simulation.engine.chance import minus_log
from simulation.system.service import Array, Rows, Service

#: RSR is the chance within two years, OGRS within one.
_YEARS_OF_RSR = 2


def serious_share(rsr: Array, ogrs: Array) -> Array:
    """Return the share of somebody's reoffences that are serious: rate of serious recidivism over that of reoffending.

    Parameters
    ----------
    rsr : int array
        Chance of serious recidivism within two years, hundredths of a percent.
    ogrs : int array
        Chance of proven reoffending within a year, percent.
    """
    serious = minus_log(1.0 - np.minimum(rsr / 10_000, 0.99)) / _YEARS_OF_RSR
    every = minus_log(1.0 - np.clip(ogrs, 1, 97) / 100)
    return np.minimum(serious / every, 1.0)


def review(service: Service, rows: Rows) -> None:
    """Begin reviews of those reoffences of today, by people under supervision, that are serious further offences."""
    if rows.size == 0:
        return
    people = service.people
    chance = serious_share(people.rsr[rows], people.ogrs[rows])
    chance = chance * service.levers.number("community.serious_offence_review_share")
    # The reoffence is counted already.
    uniform = service.chance.uniform(people.key[rows], "serious further offence", people.reoffences[rows])
    reviewed = rows[uniform < chance]
    service.count("serious_offence_reviews", reviewed)
    service.tell("serious further offence reviewed", reviewed)
