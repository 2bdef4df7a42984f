"""The probation system: subsystems as SimPy processes that hand batches of people to one another.

The whole wiring is on this page. Each subsystem is a module with one class; its processes wait for phases of the day
(:data:`simulation.system.codes.PHASES`) and act on everybody due. Where two share a phase, the one made first here
acts first.

====================  ===============================================  ==========================================
subsystem             acts in                                          hands on
====================  ===============================================  ==========================================
courts                arrivals                                         sentenced people to custody and allocation
allocation            allocation                                       cases to officers; transfers; leavers' cases
caseload              diaries                                          contacts held; packs, reports and checks done
contact               (called by caseload)                             unacceptable absences; changes noticed
enforcement           hearings, consequences                           breaches to court; absences on licence to recall
recall                hearings, consequences                           revocations, returns, releases again
custody               ends, releases, consequences                     curfew papers; releases; ends of sentence
release               releases                                         resettlement work; a home or none
community             hearings, crises                                 changes in need; reoffences; returns to court
staffing              staffing                                         leavers' cases back to allocation
contracts             counting                                         money booked; posts closed after losses
targets               counting                                         inspections; what is true beside what is measured
counting              counting                                         the month's counts, checks and digests
====================  ===============================================  ==========================================
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulation.system.model import Model, RunOutput, RunRequest, run_family, run_model
    from simulation.system.rehearsal import rehearse

__all__ = ["Model", "RunOutput", "RunRequest", "rehearse", "run_family", "run_model"]


def __getattr__(name: str) -> Any:
    """Import the model when it is asked for: who starts the runs and reads their results needs none of it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    part = "rehearsal" if name == "rehearse" else "model"
    return getattr(importlib.import_module(f"{__name__}.{part}"), name)
