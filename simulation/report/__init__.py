"""Reports made from the files of a study, without running anything.

`simulation.report.page.build_report` writes one page that needs no network; the functions of
`simulation.report.figures` can be used on their own, for example in a notebook.
"""

from __future__ import annotations

from simulation.report.page import build_report
from simulation.report.study import StudyError, StudyFolder

__all__ = ["StudyError", "StudyFolder", "build_report"]
