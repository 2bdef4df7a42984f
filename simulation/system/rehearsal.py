"""A small piece of a study that calls every compiled loop: what workers go through together on a new machine."""

from __future__ import annotations

import copy
from pathlib import Path

from simulation.engine import rehearsal
from simulation.system.model import Model, RunRequest

#: Long enough for a month end and for whatever happens in an area every few weeks.
_DAYS = 75


def rehearse(request: RunRequest, claims: Path) -> None:
    """Run the first weeks of a run in one area, sharing the compiling with processes that do the same.

    Parameters
    ----------
    request : RunRequest
        A run of the study.
    claims : pathlib.Path
        An empty folder that the processes share.
    """
    if not rehearsal.needed():
        return
    small = copy.copy(request.resolved)
    small.areas = small.areas[-1:]

    def work() -> None:
        model = Model(RunRequest(small, request.seed, split=request.split))
        model.run(min(_DAYS, (small.end - small.start).days + 1))

    rehearsal.rehearse(work, claims)
