"""Replications, workers, resume and statistics: from scenario files to a study's folder of results.

`Study` is the door. The parts: `inputs` checks what was asked for, `jobs` and `pool` make the runs,
`runfiles` keeps them, `counts`, `windows`, `statistics`, `differences`, `effects` and `levels` turn counts
into tables, `findings` into sentences, `manifest` records and checks what is in a folder, and `progress` says
how far things are.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulation.experiment.inputs import DEFAULT_REPLICATIONS, DEFAULT_SEED, StudyError
    from simulation.experiment.manifest import verify_folder
    from simulation.experiment.study import Failure, Study, StudyFailed
    from simulation.experiment.study_result import StudyResult

__all__ = [
    "DEFAULT_REPLICATIONS",
    "DEFAULT_SEED",
    "Failure",
    "Study",
    "StudyError",
    "StudyFailed",
    "StudyResult",
    "verify_folder",
]

_MODULES = {
    "DEFAULT_REPLICATIONS": "inputs",
    "DEFAULT_SEED": "inputs",
    "StudyError": "inputs",
    "StudyResult": "study_result",
    "verify_folder": "manifest",
}


def __getattr__(name: str) -> Any:
    """Import a part when it is asked for: worker processes need few of them and start the quicker."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES.get(name, 'study')}"), name)
