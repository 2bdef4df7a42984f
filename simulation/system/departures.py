"""Leaving the model for good: by death, or by removal from the country at the end of custody."""

from __future__ import annotations

import numpy as np

from simulation.engine import NEVER
from simulation.system.codes import Location, Setting, Status
from simulation.system.hazards import sentences_of
from simulation.system.service import Rows, Service

#: What may be planned for a sentence.
OF_SENTENCES = (
    "legal end",
    "recall step",
    "hearing",
    "breach pack back",
    "release",
    "resettlement",
    "screening",
    "home search",
    "curfew papers",
    "curfew release",
    "curfew breach",
    "good progress",
)
#: What may be planned for a person, besides what goes with the place that is left.
OF_PEOPLE = ("conviction", "reoffence", "sentence", "committal")


class Departures:
    """Takes people out of every queue, diary and sentence."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def leave(self, rows: Rows, where: int) -> None:
        """End every sentence of people and everything that was planned for them.

        Parameters
        ----------
        rows : int array
            Rows of people, each once.
        where : int
            ``Location.DEAD`` or ``Location.REMOVED``.
        """
        if rows.size == 0:
            return
        service, people, sentences = self.service, self.service.people, self.service.sentences
        every = sentences_of(rows, people.latest, sentences.previous)
        service.cancel(every, *OF_SENTENCES)
        sentences.status[every] = Status.ENDED
        service.cancel(rows, *OF_PEOPLE)
        before = people.location[rows].astype(np.intp)
        people.report_due[rows] = NEVER
        people.location[rows] = where
        people.setting[rows] = Setting.NONE
        queue = service.court_queue
        queue.keep(people.location[queue.row[: queue.size]] < Location.DEAD)
        service.tell_of_moves(rows, before, np.full_like(rows, where))
