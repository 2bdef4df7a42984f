"""A person-by-person simulation of the probation system of England and Wales.

Imports point one way, so that each part can be read, tested and replaced without those above it:

=============== ==========================================================================
part            may import
=============== ==========================================================================
``engine``      nothing else here: clock, tables, agenda and chance know nothing of probation
``measures``    nothing else here: what is counted, one definition each
``scenario``    measures, engine
``system``      scenario, measures, engine
``experiment``  system, scenario, measures, engine
``evidence``    experiment, system, scenario, measures, engine
``report``      measures, and the files that an experiment wrote
``commands``    anything, inside the function that needs it, so that ``--help`` stays quick
=============== ==========================================================================

``tests/test_architecture.py`` holds the code to this table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulation.experiment import Study, StudyResult

__all__ = ["Study", "StudyResult"]


def __getattr__(name: str) -> Any:
    """Import the experiment only when it is asked for, so that its parts stay quick to load on their own."""
    if name in __all__:
        from simulation import experiment

        return getattr(experiment, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
