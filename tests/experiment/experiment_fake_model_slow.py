"""The fake model, slow enough to be caught in the middle of a run."""

from __future__ import annotations

import time

from experiment_fake_model import RunOutput, RunRequest
from experiment_fake_model import run_model as run_quickly

__all__ = ["RunRequest", "run_model"]

#: With this seed a run takes a minute, otherwise a fifth of a second.
SEED_OF_A_MINUTE = 60


def run_model(request: RunRequest) -> RunOutput:
    steps = 600 if request.seed == SEED_OF_A_MINUTE else 2
    for step in range(steps):
        if request.progress is not None:
            request.progress(step, steps)
        time.sleep(0.1)
    return run_quickly(request)
