"""Laws of the model on a small area: the same bytes wherever and however it is run, and shared luck.

Runs are short: an area of a hundredth of the country, a quarter of a year, with a policy that begins half-way.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from simulation.evidence.laws import Law, law
from simulation.scenario import (
    Parameters,
    Resolved,
    Scenario,
    load_geography,
    load_parameters,
    load_scenario,
    resolve,
)
from simulation.system import Model, RunOutput, RunRequest, run_family, run_model

#: A run of a quarter of a year, and when its policy begins.
START, POLICY, END = date(2018, 5, 1), date(2018, 6, 15), date(2018, 7, 31)
#: What the policy changes: take-up of curfew, and one service.
POLICY_SCENARIOS = ("reunification", "hdc_expansion")

Rows = list[tuple[Any, ...]]


Inputs = tuple[Parameters, dict[str, Scenario]]

#: What this process runs on; the files may be edited while laws are tried, so they are read once.
_INPUTS: list[Inputs] = []


def use_inputs(inputs: Inputs) -> None:
    """Run on inputs that another process has read."""
    _INPUTS[:] = [inputs]


def read_inputs() -> Inputs:
    """Return parameters and scenarios as they were when first read."""
    if not _INPUTS:
        parameters = load_parameters()
        names = ("baseline", *POLICY_SCENARIOS)
        _INPUTS.append((parameters, {name: load_scenario(name, parameters) for name in names}))
    return _INPUTS[0]


def shortened(name: str, start: date | None = None, end: date | None = None) -> Scenario:
    """Return a scenario between other dates; its changes begin on :data:`POLICY`, the rest later by as much."""
    start, end, scenario = start or START, end or END, read_inputs()[1][name]
    if not scenario.changes:
        return replace(scenario, start=start, count_from=start + timedelta(days=1), end=end)
    shift = POLICY - min(change.start for change in scenario.changes)
    changes = tuple(
        replace(change, start=change.start + shift, end=None if change.end is None else change.end + shift)
        for change in scenario.changes
    )
    inside = tuple(change for change in changes if change.start <= end)
    return replace(scenario, start=start, count_from=start + timedelta(days=1), end=end, changes=inside)


def request(scenario: Scenario, areas: str, seed: int, extra: tuple[tuple[int, int], ...] = ()) -> RunRequest:
    """Return a request to run areas under a scenario."""
    resolved: Resolved = resolve(scenario, read_inputs()[0], load_geography(), areas=areas)
    return RunRequest(resolved, seed, extra=extra)


@dataclass(frozen=True)
class Fingerprint:
    """What a run returned, made short.

    Parameters
    ----------
    rows, events, states : str
        Digests of the rows, of the event stream and of the states.
    """

    rows: str
    events: str
    states: str

    @property
    def short(self) -> str:
        """A few characters to show."""
        return hashlib.blake2b(f"{self.rows}{self.events}{self.states}".encode(), digest_size=5).hexdigest()


def rows_of(output: RunOutput, where: Callable[[str], bool] = lambda area: True) -> Rows:
    """Return the rows of a run in areas, as tuples."""
    columns = [output.rows[name] for name in ("area", "provider", "group", "month", "measure", "value", "known_on")]
    return [row for row in zip(*columns, strict=True) if where(row[0])]


def fingerprint(output: RunOutput) -> Fingerprint:
    """Return the digests of a run."""

    def digest(value: object) -> str:
        return hashlib.blake2b(repr(value).encode(), digest_size=16).hexdigest()

    rows = [(*row[:5], int(row[5]), row[6]) for row in rows_of(output)]
    return Fingerprint(digest(rows), digest(output.event_digests), digest(sorted(output.state_digests.items())))


def _same(name: str, one: Fingerprint, other: Fingerprint) -> Law:
    return Law(name, one.short, other.short, one == other)


# --- The same bytes ---------------------------------------------------------------------------------------------


def run_shortened(areas: str, seed: int, scenario: str = "baseline") -> Fingerprint:
    """Run areas for a short time and return the digests; made to be called in another process."""
    return fingerprint(run_model(request(shortened(scenario), areas, seed)))


def area_alone(area: str, other: str, seed: int) -> Law:
    """An area alone gives what it gives beside another."""
    alone = run_model(request(shortened("baseline"), area, seed))
    beside = run_model(request(shortened("baseline"), f"{area},{other}", seed))
    mine, theirs = rows_of(alone, lambda a: a == area), rows_of(beside, lambda a: a == area)
    same = sum(one == another for one, another in zip(mine, theirs, strict=False))
    return Law(
        f"{area} alone is its slice of a run with {other}",
        f"{len(mine):,} rows alike",
        f"{same:,} rows alike",
        bool(mine) and mine == theirs,
    )


def one_more_person(area: str, other: str, seed: int) -> Law:
    """One more person convicted in one area changes that area, and no other."""
    number = load_geography().areas.index(other)
    before = run_model(request(shortened("baseline"), f"{area},{other}", seed))
    after = run_model(request(shortened("baseline"), f"{area},{other}", seed, extra=((number, 8),)))
    untouched = rows_of(before, lambda a: a == area) == rows_of(after, lambda a: a == area)
    touched = rows_of(before, lambda a: a == other) != rows_of(after, lambda a: a == other)
    seen = f"{area} {'the same' if untouched else 'changed'}, {other} {'changed' if touched else 'the same'}"
    return Law(f"one more person in {other}", f"{area} the same, {other} changed", seen, untouched and touched)


def save_and_continue(area: str, seed: int) -> Law:
    """A run saved at midnight, taken further, put back and continued gives the same bytes."""
    asked = request(shortened("baseline"), area, seed)
    model = Model(asked)
    model.run(30)
    saved = model.save()
    model.run()
    straight = fingerprint(model.output())
    model.continue_with(saved, asked.resolved)
    model.run()
    return _same("a run saved and continued is a run that never stopped", straight, fingerprint(model.output()))


def family(area: str, seed: int) -> list[Law]:
    """Scenarios that share their beginning give what each gives alone, and nothing moves before the policy does."""
    base = request(shortened("baseline"), area, seed)
    others = [request(shortened(name), area, seed) for name in POLICY_SCENARIOS]
    outputs = dict(run_family([base, *others]))
    together = [outputs[position] for position in sorted(outputs)]
    alone = [run_model(each) for each in (base, *others)]
    alike = sum(fingerprint(one) == fingerprint(other) for one, other in zip(together, alone, strict=True))
    laws = [
        Law(
            "scenarios run together equal scenarios run alone",
            f"{len(alone)} alike",
            f"{alike} alike",
            alike == len(alone),
        )
    ]
    policy = (POLICY - START).days
    for name, output in zip(POLICY_SCENARIOS, alone[1:], strict=True):
        pairs = zip(alone[0].event_digests, output.event_digests, strict=True)
        parted = next((day for day, (one, other) in enumerate(pairs) if one != other), None)
        early = [row for row in rows_of(alone[0]) if row[6] < POLICY.isoformat()]
        same = early == [row for row in rows_of(output) if row[6] < POLICY.isoformat()]
        seen = "never different" if parted is None else f"different on {START + timedelta(days=parted)}"
        seen += "" if same else ", and a row known before differs"
        laws.append(
            Law(
                f"identical until different: {name}",
                f"different on {POLICY} or later",
                seen,
                same and parted is not None and parted >= policy and bool(early),
            )
        )
    return laws


def here_and_there(area: str, there: Fingerprint, seed: int) -> Law:
    """The same run in this process and in a spawned one."""
    return _same("the same bytes in another process", run_shortened(area, seed), there)


def each(name: str, test: Callable[[], Law | list[Law]]) -> Iterable[Law]:
    """Try laws that come together; a failure breaks them all, told once."""
    found: list[Law] = []

    def one() -> Law:
        result = test()
        found.extend([result] if isinstance(result, Law) else result)
        return found[0]

    first = law(name, one)
    return found or [first]
