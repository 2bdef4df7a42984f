"""Ctrl-C on a running study."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from experiment_fake_parameters import write_parameters

SCRIPT = """
import sys
sys.path[:0] = [{root!r}, {here!r}]
from pathlib import Path
from simulation.commands.compare import run_and_tell
from simulation.experiment import Study
from simulation.scenario import Scenario, load_geography, load_parameters, resolve
import datetime as dt

if __name__ == "__main__":
    scenario = Scenario("base", "Base", dt.date(2016, 11, 1), dt.date(2017, 1, 1), dt.date(2017, 12, 31))
    base = resolve(scenario, load_parameters({parameters!r}), load_geography(), areas="durham")
    study = Study([base], replications=2000, workers=2, out={out!r}, runner="experiment_fake_model")
    sys.exit(run_and_tell(study))
"""


@pytest.mark.skipif(os.name != "posix", reason="sends the signal of Ctrl-C as POSIX systems do")
def test_ctrl_c_stops_everything_and_says_how_to_go_on(tmp_path: Path) -> None:
    (tmp_path / "parameters").mkdir()
    write_parameters(tmp_path / "parameters")
    here = Path(__file__).parent
    script = tmp_path / "script.py"
    script.write_text(
        SCRIPT.format(
            root=str(here.parents[1]),
            here=str(here),
            parameters=str(tmp_path / "parameters"),
            out=str(tmp_path / "study"),
        ),
        encoding="utf-8",
    )
    process = subprocess.Popen([sys.executable, str(script)], stderr=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stderr is not None
    line = ""
    while "runs done" not in line:
        line = process.stderr.readline()
        assert line, "the study ended before it began"
    # To the whole group, as a terminal does.
    os.killpg(process.pid, signal.SIGINT)
    rest = process.stderr.read()
    assert process.wait(20) == 130, rest
    assert "same command again" in rest
    assert "Traceback" not in rest, rest
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            break
        time.sleep(0.05)
    else:
        pytest.fail("worker processes outlived the study")
