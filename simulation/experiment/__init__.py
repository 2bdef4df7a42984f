"""Replications, workers, resume and statistics: from scenario files to a study's folder of results.

`Study` is the door. The parts: `inputs` checks what was asked for, `jobs` and `pool` make the runs,
`runfiles` keeps them, `counts`, `windows`, `statistics`, `differences` and `levels` turn counts into tables,
`findings` into sentences, `manifest` records and checks what is in a folder, and `progress` says how far
things are.
"""

from __future__ import annotations

from simulation.experiment.inputs import DEFAULT_REPLICATIONS, DEFAULT_SEED, StudyError
from simulation.experiment.manifest import verify_folder
from simulation.experiment.study import Failure, Study, StudyFailed, StudyResult

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
