"""Telling people how far a study is: a live line a scenario on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.text import Text

SECONDS_BETWEEN_LINES = 60.0
"""Longest silence in a log while runs are under way."""


class Reporter(Protocol):
    """Receives news of a study."""

    def start(self, runs: Mapping[str, int], done: Mapping[str, int]) -> None:
        """A study begins: runs of each scenario, and those already there."""

    def grow(self, runs: Mapping[str, int], done: Mapping[str, int]) -> None:
        """More runs are to be made: the new number of each scenario, and those already there."""

    def day(self, scenario: str, replication: int, share: float) -> None:
        """A run has come so far, as a share of its days."""

    def saved(self, scenario: str, replication: int) -> None:
        """A run was saved."""

    def failed(self, scenario: str, replication: int, reason: str) -> None:
        """A run failed."""

    def note(self, text: str) -> None:
        """Something the reader should know."""

    def stop(self) -> None:
        """No more news."""


class _Tally:
    """How far each scenario is, and how long the rest will take.

    Parameters
    ----------
    now : callable
        Clock in seconds; replaced in tests.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._began = now()
        self.runs: dict[str, int] = {}
        self.finished: dict[str, int] = {}
        self._before: dict[str, int] = {}
        self._under_way: dict[tuple[str, int], float] = {}

    def start(self, runs: Mapping[str, int], done: Mapping[str, int]) -> None:
        self._began = self._now()
        self.runs, self.finished, self._before = dict(runs), dict(done), dict(done)

    def grow(self, runs: Mapping[str, int], done: Mapping[str, int]) -> None:
        # Runs found ready made weren't made in the time that the speed is taken from.
        for name, there in done.items():
            self._before[name] += there - self.finished[name]
        self.runs, self.finished = dict(runs), dict(done)

    def day(self, scenario: str, replication: int, share: float) -> None:
        self._under_way[scenario, replication] = share

    def saved(self, scenario: str, replication: int) -> None:
        self._under_way.pop((scenario, replication), None)
        self.finished[scenario] += 1

    def failed(self, scenario: str, replication: int) -> None:
        self._under_way.pop((scenario, replication), None)

    def complete(self, scenario: str) -> float:
        """Runs of a scenario made so far, with parts of those under way."""
        parts = (share for (name, _), share in self._under_way.items() if name == scenario)
        return self.finished[scenario] + sum(parts)

    def runs_a_minute(self, scenario: str) -> float | None:
        """Runs of a scenario made in a minute of this study so far; None before the first sign of life."""
        made = self.complete(scenario) - self._before[scenario]
        elapsed = self._now() - self._began
        return 60 * made / elapsed if made > 0 and elapsed > 0 else None

    def seconds_left(self) -> float | None:
        """Time until the whole study is done, in seconds; None before there is anything to go by."""
        made = sum(self.complete(name) - self._before[name] for name in self.runs)
        left = sum(total - self.complete(name) for name, total in self.runs.items())
        return left * (self._now() - self._began) / made if made > 0 else None


def duration(seconds: float | None) -> str:
    """Return a length of time in words.

    Examples
    --------
    >>> duration(None), duration(8.4), duration(75), duration(7300)
    ('-', '8 s', '1 min 15 s', '2 h 1 min')
    """
    if seconds is None:
        return "-"
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


class SilentReporter:
    """Says nothing."""

    def start(self, runs: Mapping[str, int], done: Mapping[str, int]) -> None:
        """Say nothing."""

    def grow(self, runs: Mapping[str, int], done: Mapping[str, int]) -> None:
        """Say nothing."""

    def day(self, scenario: str, replication: int, share: float) -> None:
        """Say nothing."""

    def saved(self, scenario: str, replication: int) -> None:
        """Say nothing."""

    def failed(self, scenario: str, replication: int, reason: str) -> None:
        """Say nothing."""

    def note(self, text: str) -> None:
        """Say nothing."""

    def stop(self) -> None:
        """Say nothing."""


class PlainReporter:
    """Writes a line when a run is done, and once a minute in between: for log files and pipes.

    Parameters
    ----------
    write : callable
        Takes a line.
    now : callable
        Clock in seconds; replaced in tests.
    """

    def __init__(self, write: Callable[[str], None], now: Callable[[], float] = time.monotonic) -> None:
        self._write = write
        self._now = now
        self._tally = _Tally(now)
        self._last_line = now()

    def start(self, runs: Mapping[str, int], done: Mapping[str, int]) -> None:
        """Say what is to be done."""
        self._tally.start(runs, done)
        for name, total in runs.items():
            there = f", {done[name]} already there" if done[name] else ""
            self._write(f"{name}: {total} run{'s' if total != 1 else ''}{there}")

    def grow(self, runs: Mapping[str, int], done: Mapping[str, int]) -> None:
        """Count towards the new numbers."""
        self._tally.grow(runs, done)

    def day(self, scenario: str, replication: int, share: float) -> None:
        """Write how far things are if nothing was written for a minute; more would fill a log."""
        self._tally.day(scenario, replication, share)
        if self._now() - self._last_line >= SECONDS_BETWEEN_LINES:
            self._last_line = self._now()
            shares = (f"{name} {self._tally.complete(name) / total:.0%}" for name, total in self._tally.runs.items())
            self._write(f"{', '.join(shares)}; {duration(self._tally.seconds_left())} left")

    def saved(self, scenario: str, replication: int) -> None:
        """Write how many runs are done and how long the rest will take."""
        tally = self._tally
        self._last_line = self._now()
        tally.saved(scenario, replication)
        rate = tally.runs_a_minute(scenario)
        speed = f", {rate:.2g} a minute" if rate else ""
        self._write(
            f"{scenario}: {tally.finished[scenario]} of {tally.runs[scenario]} runs done{speed}, "
            f"{duration(tally.seconds_left())} left"
        )

    def failed(self, scenario: str, replication: int, reason: str) -> None:
        """Write which run failed and why."""
        self._tally.failed(scenario, replication)
        self._write(f"FAILED {scenario}, replication {replication + 1}: {reason}")

    def note(self, text: str) -> None:
        """Write it."""
        self._write(text)

    def stop(self) -> None:
        """Nothing to put away."""


class _RateColumn(ProgressColumn):
    """Runs a minute and time left, from the tally rather than from rich's own clock."""

    def __init__(self, tally: _Tally) -> None:
        super().__init__()
        self._tally = tally

    def render(self, task: Task) -> Text:
        """Return the text for one scenario."""
        rate = self._tally.runs_a_minute(task.description)
        if self._tally.finished[task.description] >= self._tally.runs[task.description]:
            return Text("done", style="green")
        left = duration(self._tally.seconds_left())
        return Text(f"{rate:.2g} runs a minute, {left} left" if rate else "waiting")


class LiveReporter:
    """Keeps one line a scenario up to date on a terminal.

    Parameters
    ----------
    console : rich.console.Console
        The terminal.
    """

    def __init__(self, console: Console) -> None:
        self._tally = _Tally()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[finished]} of {task.fields[runs]} runs"),
            _RateColumn(self._tally),
            console=console,
            refresh_per_second=4,
        )
        self._tasks: dict[str, TaskID] = {}

    def start(self, runs: Mapping[str, int], done: Mapping[str, int]) -> None:
        """Show a line for each scenario."""
        self._tally.start(runs, done)
        for name, total in runs.items():
            self._tasks[name] = self._progress.add_task(
                name, total=total, completed=done[name], finished=done[name], runs=total
            )
        self._progress.start()

    def grow(self, runs: Mapping[str, int], done: Mapping[str, int]) -> None:
        """Make the lines longer."""
        self._tally.grow(runs, done)
        for name, total in runs.items():
            self._progress.update(self._tasks[name], total=total, runs=total)
            self._show(name)

    def _show(self, scenario: str) -> None:
        self._progress.update(
            self._tasks[scenario],
            completed=self._tally.complete(scenario),
            finished=self._tally.finished[scenario],
        )

    def day(self, scenario: str, replication: int, share: float) -> None:
        """Move the bar."""
        self._tally.day(scenario, replication, share)
        self._show(scenario)

    def saved(self, scenario: str, replication: int) -> None:
        """Count the run."""
        self._tally.saved(scenario, replication)
        self._show(scenario)

    def failed(self, scenario: str, replication: int, reason: str) -> None:
        """Write which run failed and why above the lines."""
        self._tally.failed(scenario, replication)
        self._show(scenario)
        self.note(f"FAILED {scenario}, replication {replication + 1}: {reason}")

    def note(self, text: str) -> None:
        """Write it above the lines."""
        self._progress.console.print(text, markup=False, highlight=False)

    def stop(self) -> None:
        """Leave the last state of the lines."""
        self._progress.stop()


def reporter_for(console: Console) -> Reporter:
    """Return live lines for a terminal and plain lines for anything else."""
    if console.is_terminal:
        return LiveReporter(console)
    return PlainReporter(lambda line: console.print(line, markup=False, highlight=False, soft_wrap=True))


class OnlyNews:
    """Passes news on, but for what is known already: values that are done, and that a lever leaves its usual range."""

    def __init__(self, teller: Reporter) -> None:
        self.day, self.saved, self.failed, self.stop = teller.day, teller.saved, teller.failed, teller.stop
        self._teller = teller

    def start(self, runs: Mapping[str, int], done: Mapping[str, int]) -> None:
        """Name only the values that still need runs."""
        left = [name for name in runs if done[name] < runs[name]]
        self._teller.start({name: runs[name] for name in left}, {name: done[name] for name in left})

    def grow(self, runs: Mapping[str, int], done: Mapping[str, int]) -> None:
        """The same of runs that are added."""
        left = [name for name in runs if done[name] < runs[name]]
        self._teller.grow({name: runs[name] for name in left}, {name: done[name] for name in left})

    def note(self, text: str) -> None:
        """Leave out that a value is unusual: how far a lever is moved was asked for, and its range is on the page."""
        if "[unusual_value]" not in text:
            self._teller.note(text)
