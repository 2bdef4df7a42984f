"""One person's histories side by side: which days are shown, what each cell says, and why histories differ.

Used by the command ``person``; knows nothing of how histories came about.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from simulation.system.story import Told, day_in_words, routine_in_words

History = Sequence[Told]

#: Days apart within which an event that also differs when officers' time is unlimited is taken for the same.
NEAR = 7

POLICY, SHARED = "policy", "shared officers"


@dataclass
class Row:
    """What happened on a day, or in the days between two such days.

    Parameters
    ----------
    first, last : int
        Days, both included.
    cells : list of list of Told
        Events under each scenario.
    causes : list of str
        Under each scenario: why the cell differs from the first, empty where it doesn't or nobody asked.
    """

    first: int
    last: int
    cells: list[list[Told]]
    causes: list[str] = field(default_factory=list)

    def differs(self, number: int) -> bool:
        """Tell whether a scenario's cell differs from the first scenario's."""
        return [e.sameness for e in self.cells[number]] != [e.sameness for e in self.cells[0]]


def first_difference(one: History, other: History) -> int | None:
    """Return the first day on which two histories differ, None if they never do."""
    for mine, theirs in zip(one, other, strict=False):
        if mine.sameness != theirs.sameness:
            return min(mine.day, theirs.day)
    if len(one) == len(other):
        return None
    longer = one if len(one) > len(other) else other
    return longer[min(len(one), len(other))].day


def _differing(one: History, other: History) -> list[Told]:
    """Return events that are in one history and not in the other."""
    left, right = Counter(e.sameness for e in one), Counter(e.sameness for e in other)
    only = (left - right) + (right - left)
    found, seen = [], set()
    for event in [*one, *other]:
        if event.sameness in only and event.sameness not in seen:
            seen.add(event.sameness)
            found.append(event)
    return found


def without_officers(history: History) -> list[Told]:
    """Return a history in which officers are nameless.

    Who gets a case depends on what others hold even where everybody has time, so it is no effect of policy.
    """
    return [replace(event, detail=0) if event.kind == "allocated" else event for event in history]


#: Why a case may be given out again: where one of these came before, that it stays with its officer says something.
_PUT_IN_DOUBT = frozenset({
    "officer away for long",
    "risk escalated",
    "moved to the company",
    "moved to the unified service",
    "company taken over",
})  # fmt: skip


def worth_telling(history: History) -> list[Told]:
    """Return a history without the moves of a case that moved nobody."""
    found, doubt = [], False
    for event in history:
        doubt = doubt or event.kind in _PUT_IN_DOUBT
        if event.kind == "allocated":
            if event.detail == event.context.before and not doubt:
                continue
            doubt = False
        found.append(event)
    return found


def side_by_side(histories: Sequence[History], every_day: bool = False) -> list[Row]:
    """Align histories by day.

    Parameters
    ----------
    histories : sequence of histories
        One for each scenario.
    every_day : bool
        Give every day on which anything happened a row of its own, instead of summing up routine appointments.
    """
    days = {e.day for history in histories for e in history if every_day or not e.routine}
    days |= {day for other in histories[1:] if (day := first_difference(histories[0], other)) is not None}
    rows: list[Row] = []
    before: int | None = None
    for day in [*sorted(days), None]:
        between = [
            [e for e in history if (before is None or e.day > before) and (day is None or e.day < day)]
            for history in histories
        ]
        happened = [e.day for cell in between for e in cell]
        if happened:
            rows.append(Row(min(happened), max(happened), between))
        if day is not None:
            rows.append(Row(day, day, [[e for e in history if e.day == day] for history in histories]))
        before = day
    return rows


def explain(rows: Sequence[Row], unlimited: Sequence[History]) -> None:
    """Say of each differing cell whether policy itself or shared officers made the difference.

    A difference is put down to policy itself if, with officers' time unlimited, something of the same kind also
    differs at that time (within :data:`NEAR` days); otherwise to officers shared with others.

    Parameters
    ----------
    rows : sequence of Row
        Rows to complete.
    unlimited : sequence of histories
        The same scenarios with officers' time unlimited.
    """
    nameless = [without_officers(history) for history in unlimited]
    apart = [_differing(nameless[0], history) for history in nameless]
    for row in rows:
        row.causes = [""]
        for number in range(1, len(row.cells)):
            if not row.differs(number):
                row.causes.append("")
                continue
            kinds = {e.kind for e in _differing(row.cells[0], row.cells[number])}
            by_policy = any(e.kind in kinds and row.first - NEAR <= e.day <= row.last + NEAR for e in apart[number])
            row.causes.append(POLICY if by_policy else SHARED)


def cell_in_words(events: Sequence[Told]) -> list[str]:
    """Return the sentences of one cell: those of a day, or many routine appointments summed up."""
    if len(events) > 1 and all(event.routine for event in events):
        summed = routine_in_words(events)
        return [summed[0].upper() + summed[1:]]
    return day_in_words(events)


def what_changed_it(
    names: Sequence[str], histories: Sequence[History], unlimited: Sequence[History] | None, dates: Sequence[str]
) -> list[str]:
    """Return a closing line for each scenario after the first: since when it differs, and what made it so.

    Parameters
    ----------
    names : sequence of str
        Names of the scenarios.
    histories : sequence of histories
        Histories as run.
    unlimited : sequence of histories or None
        With officers' time unlimited; None if that was not run.
    dates : sequence of str
        Date of each day of the run, in words.
    """
    lines = []
    for number in range(1, len(names)):
        name, first = names[number], names[0]
        day = first_difference(histories[0], histories[number])
        apart = None
        if unlimited is not None:
            nameless = [without_officers(unlimited[0]), without_officers(unlimited[number])]
            apart = first_difference(*nameless)
        if day is None and (unlimited is None or apart is None):
            line = f"{name}: the same as {first} throughout."
        elif day is None:
            assert apart is not None
            line = (
                f"{name}: the same as {first} throughout; only if officers had all the time in the world would "
                f"it differ, from {dates[apart]}."
            )
        elif unlimited is None:
            line = f"{name}: the same as {first} until {dates[day]}, where the two histories part."
        elif apart is None:
            line = (
                f"{name}: parts from {first} on {dates[day]}, only because officers' time is shared with others: "
                "with unlimited time the two histories would be the same."
            )
        else:
            line = (
                f"{name}: parts from {first} on {dates[day]}. Policy itself changes this person's history: with "
                f"unlimited officers' time the two also part, on {dates[apart]}. Differences marked "
                f"({SHARED}) do not appear there."
            )
        lines.append(line)
    return lines
