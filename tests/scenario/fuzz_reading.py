"""Reads one made-up file as the program would, and says what was wrong with how it was told."""

from __future__ import annotations

import contextlib
import io
import re
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from simulation.commands.app import main
from simulation.scenario import Geography, Parameters, ScenarioError, load_geography, load_parameters, resolve
from simulation.scenario.loading import read_scenario
from simulation.scenario.parameter_files import read_parameters
from simulation.scenario.problems import Problem, errors
from simulation.system.reach import problems_with

LONGEST_SECONDS = 2.0
MOST_MEGABYTES = 500.0

_PLACE = re.compile(r".+:[1-9][0-9]*:[1-9][0-9]*: (warning: )?\[[a-z_]+\] ")


@dataclass
class Reader:
    """Reads files one after the other in a folder of its own.

    Parameters
    ----------
    folder : pathlib.Path
        An empty folder.
    """

    folder: Path
    parameters: Parameters = field(default_factory=load_parameters)
    geography: Geography = field(default_factory=load_geography)
    outcomes: Counter[str] = field(default_factory=Counter)
    slowest: tuple[float, str] = (0.0, "")
    faults: list[str] = field(default_factory=list)

    def read(self, label: str, what: str, data: bytes, *, by_command: bool = False) -> None:
        """Read one file; what is wrong goes to ``faults`` with the label."""
        started = time.process_time()
        before = peak_megabytes()
        try:
            if by_command:
                outcome = self._by_command(what, data)
            elif what == "scenario":
                outcome = self._scenario(data)
            else:
                outcome = self._parameters(what, data)
        except Exception as error:
            outcome = f"{type(error).__name__}"
            self.faults.append(f"{label}: {type(error).__name__}: {str(error)[:300]}")
        seconds = time.process_time() - started
        self.slowest = max(self.slowest, (seconds, label))
        if seconds > LONGEST_SECONDS:
            self.faults.append(f"{label}: took {seconds:.1f} seconds")
        if peak_megabytes() - before > MOST_MEGABYTES:
            self.faults.append(f"{label}: took {peak_megabytes() - before:.0f} MB")
        self.outcomes[outcome] += 1

    def _file(self, name: str, data: bytes) -> Path:
        path = self.folder / name / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        return path

    def _name(self, data: bytes) -> str:
        """The name that the file says it has, so that most damage is met behind the check of the name."""
        found = re.search(rb"^name: ([a-z][a-z0-9_]{0,60})\s*$", data, re.MULTILINE)
        return found[1].decode() if found else "hostile"

    def _scenario(self, data: bytes) -> str:
        path = self._file(self._name(data), data)
        try:
            scenario, problems = read_scenario(path, self.parameters, self.geography)
            self._told(problems)
            if scenario is None or errors(problems):
                assert errors(problems), "no scenario and no message"
                return "scenario refused"
            try:
                resolved = resolve(scenario, self.parameters, self.geography)
            except ScenarioError as error:
                self._told(error.problems)
                assert errors(error.problems)
                return "scenario refused when its changes were worked in"
            unreachable = problems_with(resolved)
            self._told(unreachable)
            assert len(resolved.digest()) == 64
            return "scenario refused by the model" if unreachable else "scenario accepted"
        finally:
            path.unlink()

    def _parameters(self, name: str, data: bytes) -> str:
        path = self._file(name, data)
        try:
            parameters, problems = read_parameters(path.parent)
            self._told(problems)
            if errors(problems):
                return "parameters refused"
            assert all(parameter.leaves for parameter in parameters.values())
            return "parameters accepted"
        finally:
            path.unlink()

    def _told(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            text = str(problem)
            assert _PLACE.match(text), f"no file, line and column in: {text[:300]}"
            assert text.isprintable() and len(text) < 1500, f"not fit for a terminal: {text[:300]!r}"
            text.encode("utf-8")

    def _by_command(self, what: str, data: bytes) -> str:
        """Through the command line, which reads every parameter first."""
        path = self._file(self._name(data) if what == "scenario" else what, data)
        named = [str(path)] if what == "scenario" else ["--parameters", str(path.parent), "baseline"]
        out, err = io.StringIO(), io.StringIO()
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = main(["check", *named])
        finally:
            path.unlink()
        lines = err.getvalue().splitlines()
        assert code in (0, 2), f"exit code {code}: {lines[:3]}"
        assert "Traceback" not in out.getvalue() + err.getvalue()
        if code == 0:
            return "command accepted"
        assert lines[-1].endswith("nothing was run."), lines
        assert _PLACE.match(lines[0]), f"no file, line and column in: {lines[0][:300]}"
        return "command refused"


def peak_megabytes() -> float:
    """The most memory this process has ever held."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
