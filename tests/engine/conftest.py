"""A slow or busy machine is no failure: no deadline for each example."""

from hypothesis import settings

settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")
