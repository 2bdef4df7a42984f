"""The fake model without the ability to run scenarios together."""

from experiment_fake_model import RunRequest, run_model

__all__ = ["RunRequest", "run_model"]
