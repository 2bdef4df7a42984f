"""Leaving the model for good: by death, or by removal from the country at the end of custody."""

from __future__ import annotations

import numpy as np

from simulation.engine import NEVER
from simulation.engine.compiled import compiled
from simulation.system.codes import Location, Setting, Status
from simulation.system.hazards import sentences_of
from simulation.system.service import Array, Rows, Service

# A compiled loop takes plain numbers, not the members of a class.
_ENDED, _NONE = Status.ENDED, Setting.NONE

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
        queue = service.court_queue
        every, before, after, awaited = take_out(
            rows,
            where,
            queue.row[: queue.size],
            people.report_due,
            people.location,
            people.setting,
            people.latest,
            sentences.previous,
            sentences.status,
        )
        service.cancel(every, *OF_SENTENCES)
        service.cancel(rows, *OF_PEOPLE)
        if awaited:
            queue.keep(people.location[queue.row[: queue.size]] < Location.DEAD)
        service.tell_of_moves(rows, before, after)


@compiled
def take_out(
    rows: Rows,
    where: int,
    queued: Rows,
    report_due: Array,
    location: Array,
    setting: Array,
    latest: Rows,
    previous: Rows,
    status: Array,
) -> tuple[Rows, Rows, Rows, bool]:
    """End every sentence of a few people and put them where they are from now on.

    Returns their sentences, where each was before and is now, and whether any is among those ``queued`` for a report.
    """
    every = sentences_of(rows, latest, previous)
    for sentence in every:
        status[sentence] = _ENDED
    before, after = np.empty_like(rows), np.empty_like(rows)
    awaited = 0
    for at in range(rows.size):
        row = rows[at]
        before[at], after[at] = location[row], where
        report_due[row] = NEVER
        location[row] = where
        setting[row] = _NONE
        # The whole queue, without a choice for each: the processor compares several at once.
        for one in queued:
            awaited += one == row
    return every, before, after, awaited > 0
