"""Sets of parameters drawn from their ranges: what we do not know, kept apart from luck.

A *draw* is one set of parameters. Draw 0 holds the values in the files. The others come from the ranges beside those
values, by a Latin hypercube that can grow: for each parameter the range is cut into strata of equal probability, each
has one draw, and which draw that is is chosen at random; when all are taken, each is halved and the empty halves get
the draws that follow. Each parameter has strata and an order of its own, seeded from the study's seed and the
parameter's name, so a new parameter moves no other, and more draws move none there are.

**Assumption**: between `low` and `high` a parameter has a triangular distribution, most likely at its value. The files
give no more than three numbers, and this is the plainest shape that uses them and nothing else; ends are rarely
reached, and where a value lies at an end of its range all draws lie to the other side of it.

What is drawn and how, see `factors` and `values_at`. A draw moves the value in the parameter file. A scenario's own
changes come after: `multiply` and `add` act on what was drawn, `set` stays as the scenario says.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from simulation.scenario import Parameters, Resolved, resolve
from simulation.scenario.parameters import Labels, Parameter

if TYPE_CHECKING:
    from simulation.engine.chance import Chance

Floats = npt.NDArray[np.float64]

DIGITS = 9
"""Significant digits of a drawn value, so that a file can hold it exactly."""

INSIDE_THE_TARIFF = "workload.minutes"
"""Parameter whose values have to fit into the time that others give."""

_BESIDE_THE_TARIFF = ("workload.", "contact.", "organisation.")
_HALVINGS = 7
_BITS = 40
_LEVER = re.compile(r"(?:^|[.;] )(?:Lever|Switch)\b")
_NO_COUNT = re.compile(r"share|ratio|probability|odds|multiplier|rate|per ")


@dataclass(frozen=True)
class Factor:
    """A parameter that is drawn, with all that moves of it.

    Parameters
    ----------
    name : str
        Name of the parameter.
    entries : tuple of tuple of str
        Labels of the values that are drawn; ``((),)`` for a single value.
    whole : bool
        Whether only whole numbers are drawn.
    parts : bool
        Whether the values of each row are parts of one whole.
    """

    name: str
    entries: tuple[Labels, ...]
    whole: bool = False
    parts: bool = False


def factors(parameters: Parameters, held: Collection[str] = ()) -> tuple[Factor, ...]:
    """Return the parameters of which something is not known.

    Those are numbers with a range. Left out, because their range says what could be done and not what we don't know:
    switches (0 or 1, yes or no), parameters whose source begins a sentence with "Lever" or "Switch", and values of 0
    at the lower end of their range, which are things that the baseline does not do. A dated series has no range.

    Parameters
    ----------
    parameters : Parameters
        Every parameter.
    held : collection of str
        Names, of parameters or of entries, that somebody has set on purpose; they are not drawn.

    Returns
    -------
    tuple of Factor
        In the order of the files.
    """
    held_whole = {found[0].name for name in held if (found := parameters.find(name)) is not None}
    return tuple(
        factor
        for parameter in parameters.values()
        if parameter.name not in held_whole and (factor := _factor(parameter)) is not None
    )


def _factor(parameter: Parameter) -> Factor | None:
    if parameter.kind != "number" or parameter.series or parameter.is_switch:
        return None
    if _LEVER.search(parameter.source):
        return None
    entries = tuple(
        labels
        for labels, low in parameter.low.items()
        if low < parameter.high[labels] and not (low == 0 and parameter.leaves[labels] == 0)
    )
    parts = _are_parts(parameter, entries)
    if parts:
        # One share alone can't move while the others of its row stay.
        rows = [labels[:-1] for labels in entries]
        entries = tuple(labels for labels in entries if rows.count(labels[:-1]) > 1)
    if not entries:
        return None
    ends = [side[labels] for labels in entries for side in (parameter.low, parameter.high, parameter.leaves)]
    whole = all(float(end).is_integer() for end in ends) and not _NO_COUNT.search(parameter.unit)
    return Factor(parameter.name, entries, whole, parts)


def _are_parts(parameter: Parameter, entries: Sequence[Labels]) -> bool:
    """Tell whether the values of each row that has a drawn entry are shares that add up to one."""
    if not parameter.is_table or "share" not in parameter.unit:
        return False
    rows = {labels[:-1] for labels in entries}
    sums = [math.fsum(float(leaf) for labels, leaf in parameter.leaves.items() if labels[:-1] == row) for row in rows]
    return all(abs(total - 1) < 1e-6 for total in sums)


def quantile(low: float, value: float, high: float, at: float) -> float:
    """Return the value below which a share ``at`` of draws lies.

    Parameters
    ----------
    low, value, high : float
        Range and most likely value, ``low <= value <= high`` and ``low < high``.
    at : float
        From 0, which gives ``low``, to 1, which gives ``high``.

    Returns
    -------
    float
        Of a triangular distribution. Only + − × ÷ and √ are used, so it is the same on every computer.

    Examples
    --------
    >>> quantile(0.0, 1.0, 2.0, 0.5), quantile(0.0, 0.0, 4.0, 0.75), quantile(1.0, 2.0, 4.0, 1.0)
    (1.0, 2.0, 4.0)
    """
    if at * (high - low) < value - low:
        return low + math.sqrt(at * (high - low) * (value - low))
    return high - math.sqrt((1 - at) * (high - low) * (high - value))


def values_at(parameter: Parameter, factor: Factor, at: float) -> dict[str, float | int]:
    """Return the values of a parameter at a point of its range, by dotted name.

    The entries of a table move together, each within its own range, so that what is ordered stays in order. Shares
    that add up to one go on doing so: the first drawn entry of a row moves up as the others move down, and the last
    takes what is left. A number of days or people is rounded to a whole one.

    Parameters
    ----------
    parameter : Parameter
        The parameter.
    factor : Factor
        What is drawn of it.
    at : float
        Share of draws that lie below, from 0 to 1.

    Returns
    -------
    dict of str to number
    """
    drawn: dict[Labels, float] = {}
    for labels in factor.entries:
        first = next(other for other in factor.entries if other[:-1] == labels[:-1])
        point = at if not factor.parts or labels == first else 1 - at
        low, high = parameter.low[labels], parameter.high[labels]
        drawn[labels] = quantile(low, float(parameter.leaves[labels]), high, point)
    if factor.parts:
        drawn = _made_whole(parameter, drawn)
    found: dict[str, float | int] = {}
    for labels, number in drawn.items():
        kept = math.floor(number + 0.5) if factor.whole else float(f"{number:.{DIGITS}g}")
        found[".".join((parameter.name, *labels))] = kept
    return found


def _made_whole(parameter: Parameter, drawn: Mapping[Labels, float]) -> dict[Labels, float]:
    """Scale drawn shares so that each row adds up to one with what of it was not drawn."""
    found: dict[Labels, float] = {}
    for row in dict.fromkeys(labels[:-1] for labels in drawn):
        inside = [labels for labels in drawn if labels[:-1] == row]
        rest = math.fsum(
            float(leaf) for labels, leaf in parameter.leaves.items() if labels[:-1] == row and labels not in drawn
        )
        total = math.fsum(drawn[labels] for labels in inside)
        for labels in inside:
            part = drawn[labels] * (1 - rest) / total if total > 0 else float(parameter.leaves[labels])
            found[labels] = float(f"{part:.{DIGITS}g}")
        found[inside[-1]] = 1 - rest - math.fsum(found[labels] for labels in inside[:-1])
    return found


def hypercube(names: Iterable[str], draws: int, seed: int) -> Floats:
    """Return where in the range of each parameter each draw lies.

    Parameters
    ----------
    names : iterable of str
        Names of the parameters.
    draws : int
        Number of draws, draw 0 left out.
    seed : int
        Seed of the study.

    Returns
    -------
    ndarray of float64, shape (draws, parameters)
        From 0 to 1. Of each parameter the first 1, 2, 4, 8 ... lie one in every stratum of width 1, 1/2, 1/4, 1/8 ...,
        and the first of many draws are those of few.
    """
    # Here and not above, so that only a study with draws waits for the compiler.
    from simulation.engine.chance import Chance

    chance = Chance(seed)
    columns = [_strata_halved(draws, chance, f"draws of {name}") for name in names]
    return np.stack(columns, axis=1) if columns else np.zeros((draws, 0))


def _strata_halved(draws: int, chance: Chance, purpose: str) -> Floats:
    """Return draws of one parameter: when each stratum has one, all are halved and the empty halves filled at random.

    SciPy's Latin hypercube of another size is another one altogether, so nothing made for it could be used again.
    """

    def bits(strata: int, occurrence: int) -> npt.NDArray[np.uint64]:
        return chance.bits(np.arange(strata, dtype=np.uint64), f"{purpose}, {strata} strata", occurrence)

    # Whole numbers, so that no rounding can carry a draw into the stratum beside its own. All widths are powers of
    # two, and the last bits of a random number make a place in one.
    points = (bits(1, 0) % 2**_BITS).astype(np.int64)
    strata = 1
    while strata < draws:
        width = 2**_BITS // (2 * strata)
        empty = (points // width) ^ 1
        within = (bits(strata, 1) % width).astype(np.int64)
        points = np.concatenate([points, empty[np.argsort(bits(strata, 2), kind="stable")] * width + within])
        strata *= 2
    return np.asarray((points[:draws] + 0.5) / 2**_BITS, dtype=np.float64)


class Ranges:
    """The ranges of a baseline's parameters, and the set of values at any point of them.

    Some sets are impossible: the minutes of the tasks in `workload.minutes` are inside the time that the tariff gives a
    case, and the model refuses more. So those minutes are drawn from the lower part of their range, as far up as the
    rest of the set lets them: the same as if impossible sets were thrown away and those minutes drawn again.

    Parameters
    ----------
    scenario : Resolved
        The baseline, with the central values.
    chosen : sequence of Factor
        What is drawn.
    """

    def __init__(self, scenario: Resolved, chosen: Sequence[Factor]) -> None:
        self.scenario = scenario
        self.chosen = tuple(chosen)
        self._rooms: dict[tuple[tuple[str, float], ...], float] = {}

    def values(self, point: Sequence[float] | Floats) -> dict[str, float | int]:
        """Return the values of all drawn parameters at a point, by dotted name.

        Parameters
        ----------
        point : sequence of float
            Where in the range of each, from 0 to 1.
        """
        parameters = self.scenario.parameters
        found: dict[str, float | int] = {}
        inside: tuple[Factor, float] | None = None
        for factor, at in zip(self.chosen, point, strict=True):
            if factor.name == INSIDE_THE_TARIFF:
                inside = factor, float(at)
            else:
                found |= values_at(parameters[factor.name], factor, float(at))
        if inside is not None:
            factor, at = inside
            found |= values_at(parameters[factor.name], factor, at * self._room(factor, found))
        return found

    def _room(self, factor: Factor, others: Mapping[str, float | int]) -> float:
        """Return how far up their range the minutes can go, by halving; 0 where not even its low end fits."""
        read = tuple((name, value) for name, value in others.items() if name.startswith(_BESIDE_THE_TARIFF))
        if read not in self._rooms:
            self._rooms[read] = self._widest(factor, dict(read))
        return self._rooms[read]

    def _widest(self, factor: Factor, others: Mapping[str, float | int]) -> float:
        parameter = self.scenario.parameters[factor.name]

        def fits(top: float) -> bool:
            return _fits(self.scenario, {**others, **values_at(parameter, factor, top)})

        if fits(1.0):
            return 1.0
        low, high = 0.0, 1.0
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if fits(middle) else (low, middle)
        return low


def _fits(scenario: Resolved, values: Mapping[str, float | int]) -> bool:
    """Tell whether the tariff holds the tasks that are inside it."""
    # Only this model has a tariff, and importing it takes a second.
    from simulation.system.levers import Levers
    from simulation.system.workload import Workload, WorkloadError

    try:
        Workload(Levers(with_values(scenario, values).on(0)))
    except WorkloadError:
        return False
    return True


def drawn_sets(scenario: Resolved, draws: int, seed: int) -> list[dict[str, float | int]]:
    """Return the values of each draw, by dotted name.

    Parameters
    ----------
    scenario : Resolved
        The baseline, with the central values; what its overrides hold is not drawn.
    draws : int
        Sets of parameters, the central values included.
    seed : int
        Seed of the study.

    Returns
    -------
    list of dict
        The first is empty: the values are those of the files.
    """
    chosen = factors(scenario.parameters, scenario.overrides)
    points = hypercube([factor.name for factor in chosen], draws - 1, seed) if draws > 1 else ()
    ranges = Ranges(scenario, chosen)
    return [{}, *(ranges.values(point) for point in points)]


def with_values(
    scenario: Resolved, values: Mapping[str, float | int], known: dict[int, Parameters] | None = None
) -> Resolved:
    """Return a scenario over other parameters; it resolves as if a parameter file held these values.

    Parameters
    ----------
    scenario : Resolved
        The scenario with the central values. What its own overrides hold stays.
    values : mapping of str to number
        By dotted name.
    known : dict, optional
        Parameters already changed, by the identity of those they were made from, so that the scenarios of a draw share
        one copy. Only for calls with the same values.

    Raises
    ------
    ScenarioError
        A change of the scenario carries one of these values beyond what is allowed.
    """
    if not values:
        return scenario
    known = {} if known is None else known
    original = scenario.parameters
    changed = known.get(id(original))
    if changed is None:
        kept = {_owner(name, original) for name in scenario.overrides}
        changed = original.with_values({name: to for name, to in values.items() if _owner(name, original) not in kept})
        known[id(original)] = changed
    areas = [scenario.geography.areas[area] for area in scenario.areas]
    resolved = resolve(scenario.scenario, changed, scenario.geography, areas=areas)
    resolved.overrides = {**values, **scenario.overrides}
    return resolved


def _owner(name: str, parameters: Parameters) -> str:
    found = parameters.find(name)
    return name if found is None else found[0].name
