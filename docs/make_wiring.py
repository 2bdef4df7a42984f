"""Write docs/wiring.md, who wakes when and who hands what to whom, from the sources: ``python docs/make_wiring.py``."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

FILE = Path(__file__).with_name("wiring.md")
ROOT = FILE.parents[1]
sys.path.insert(0, str(FILE.parent))

from wiring_reader import Function  # noqa: E402
from wiring_sources import Wiring  # noqa: E402

SYSTEM = ROOT / "simulation" / "system"
BEGIN = "model.Model.__init__"

#: What may have an end that leads nowhere, and why.
LOOSE = {
    "task contact": "contacts are taken straight from their agenda; the name stands for them in the order of priority",
}

#: Head of a column, and what is listed in it.
COLUMNS = (
    ("takes what is due", "takes"),
    ("drains", "drains"),
    ("puts on agendas", "puts"),
    ("sends into channels", "sends"),
    ("puts in diaries", "tasks"),
    ("cancels", "cancels"),
    ("tells", "tells"),
)
OF_AGENDAS = (("put on by", "puts"), ("taken by", "takes"), ("cancelled by", "cancels"), ("looked at by", "looks"))
OF_CHANNELS = (("sent into by", "sends"), ("drained by", "drains"), ("looked at by", "looks"))


def phases(wiring: Wiring) -> list[str]:
    """Return the phases of a day in their order."""
    listed = next(iter(wiring.names["codes"]["PHASES"]))
    return [next(iter(part)).name for part in listed.parts]


def waking(wiring: Wiring, process: str) -> list[str]:
    """Return the phases in which a process wakes, in their order."""
    mine = wiring.of("phase", wiring.reach(process))
    return [phase for phase in phases(wiring) if phase in mine]


def acting(wiring: Wiring) -> set[str]:
    """Return every function that some process comes to."""
    return set().union(*(wiring.reach(process, listeners=True) for process in wiring.processes))


def loose_ends(wiring: Wiring) -> list[str]:
    """Return what is put on and never taken, sent and never drained, started and never reached, and so on."""
    found = []
    # What no process comes to might as well not be there; something may be put on before day 0.
    running = acting(wiring)
    with_start = running | wiring.reach(BEGIN, listeners=True)
    known = {name for _, name in wiring.made}
    for kind, into, out_of in (("agenda", "puts", "takes"), ("channel", "sends", "drains")):
        given, taken = wiring.of(into, with_start), wiring.of(out_of, running)
        for name in sorted(name for what, name in wiring.made if what == kind):
            if name not in given:
                found.append(f"{kind} {name}: nothing that runs {into} anything there")
            if name not in taken:
                found.append(f"{kind} {name}: nothing that runs {out_of} what is there")
        others = set().union(*(wiring.of(what) for _, what in (OF_AGENDAS if kind == "agenda" else OF_CHANNELS)))
        found += [f"{kind} {name}: never made" for name in sorted(others - known)]
    tasks = {word.lower() for owner, word in wiring.attributes if owner == "codes.Task"}
    found += [f"task {name}: nobody puts it in a diary" for name in sorted(tasks - wiring.of("tasks", running).keys())]
    found += [f"process {name}: the model never starts it" for name in sorted(wiring.started() - {*wiring.processes})]
    found += [f"process {name}: wakes in no phase" for name in wiring.processes if not waking(wiring, name)]
    found += [f"phase {name}: not a phase of a day" for name in sorted(wiring.of("phase").keys() - {*phases(wiring)})]
    stale = [f"{name}: stands in LOOSE and is no loose end" for name in LOOSE]
    stale = [line for line in stale if not any(end.startswith(line.partition(":")[0] + ":") for end in found)]
    return [end for end in found if end.partition(":")[0] not in LOOSE] + stale


# --- The picture --------------------------------------------------------------------------------------------------


def edges(wiring: Wiring) -> dict[tuple[str, str, str], list[str]]:
    """Return what goes from module to module during a run, by the line it is drawn with."""
    running = acting(wiring)
    workers = sorted(wiring.of("works").get("diaries", ()))
    found: dict[tuple[str, str, str], list[str]] = {}
    for line, into, out_of in (("-->", "puts", "takes"), ("==>", "sends", "drains"), ("-.->", "tasks", "")):
        takers = wiring.of(out_of)
        for name, givers in wiring.of(into, running).items():
            for giver in sorted(givers):
                for taker in sorted(takers.get(name, ())) if out_of else workers:
                    if giver != taker:
                        found.setdefault((giver, taker, line), []).append(name.replace("_", " "))
    return found


def picture(wiring: Wiring) -> str:
    """Return a flowchart: modules by the phases in which they wake, and what goes from one to another."""
    lines, drawn = ["flowchart TB"], edges(wiring)
    shown = {name for giver, taker, _ in drawn for name in (giver, taker)}
    groups: dict[tuple[str, ...], list[str]] = {}
    order = phases(wiring)
    for module in dict.fromkeys(wiring.functions[name].module for name in wiring.processes):
        mine = [name for name in wiring.processes if wiring.functions[name].module == module]
        when = tuple(sorted({phase for name in mine for phase in waking(wiring, name)}, key=order.index))
        groups.setdefault(when, []).append(module)
    placed = {module for modules in groups.values() for module in modules}
    groups[()] = sorted(shown - placed)
    for number, when in enumerate(sorted(groups, key=lambda when: [order.index(phase) for phase in when] or [99])):
        if groups[when]:
            title = ", ".join(when) or "whenever others call them"
            lines.append(f'    subgraph phase{number} ["{title}"]')
            lines += [f"        {module}_[{module}]" for module in groups[when]]
            lines.append("    end")
    for (giver, taker, line), names in drawn.items():
        lines.append(f'    {giver}_ {line}|"{", ".join(names)}"| {taker}_')
    return "```mermaid\n" + "\n".join(lines) + "\n```\n"


# --- The tables ---------------------------------------------------------------------------------------------------


def cell(text: object) -> str:
    """Return text that can stand in a cell of a table."""
    return " ".join(str(text).split()).replace("|", "\\|")


def table(heads: Iterable[str], body: list[list[str]]) -> str:
    """Return a table without the columns in which nothing stands."""
    heads = list(heads)
    kept = [place for place in range(len(heads)) if any(row[place] for row in body)]
    lines = ["| " + " | ".join(heads[place] for place in kept) + " |", "| " + " | ".join("---" for _ in kept) + " |"]
    lines += ["| " + " | ".join(cell(row[place]) for place in kept) + " |" for row in body]
    return "\n".join(lines) + "\n"


def linked(function: Function) -> str:
    """Return a function's name without its class, linked to its module."""
    short = f"{function.module}.{function.name.rpartition('.')[2]}"
    return f"[{short}](../simulation/system/{function.module}.py)"


def modules(names: Iterable[str]) -> str:
    """Return modules in words."""
    return ", ".join(sorted(names))


def told(wiring: Wiring, functions: set[str]) -> list[str]:
    """Return the lists of listeners that functions tell."""
    calls = (event for name in functions for event in wiring.functions[name].events)
    return sorted({heard for kind, _, heard in calls if kind == "call" and heard})


def acts(wiring: Wiring, start: str) -> list[str]:
    """Return the cells of a row: what a function does to agendas, channels and diaries, itself or through others."""
    functions, home, cells = wiring.reach(start), wiring.functions[start].module, []
    for _, what in COLUMNS[:-1]:
        found = wiring.of(what, functions)
        own = [f"`{name}`" for name, where in found.items() if home in where]
        words = [", ".join(own)] if own else []
        for module in sorted(set().union(*found.values()) - {home}):
            others = [f"`{name}`" for name, where in found.items() if module in where and home not in where]
            words += [f"in {module}: {', '.join(others)}"] if others else []
        cells.append("; ".join(words))
    return [*cells, ", ".join(f"`{name}`" for name in told(wiring, functions))]


def rows(wiring: Wiring, starts: list[str]) -> str:
    """Return a table of functions with what each does."""
    body = []
    for name in starts:
        function = wiring.functions[name]
        body.append([linked(function), function.says, *acts(wiring, name)])
    return table(("who", "what", *(head for head, _ in COLUMNS)), body)


def by_modules(wiring: Wiring, kind: str, columns: tuple[tuple[str, str], ...]) -> str:
    """Return a table of agendas or channels with the modules that do something to each."""
    body = []
    for name in sorted(name for what, name in wiring.made if what == kind):
        body.append([f"`{name}`", *(modules(wiring.of(what).get(name, ())) for _, what in columns)])
    return table((kind, *(head for head, _ in columns)), body)


def tasks(wiring: Wiring) -> str:
    """Return a table of tasks: who puts them in diaries, and where they go when they are done."""
    drained, body = wiring.of("drains"), []
    for name, where in wiring.of("tasks").items():
        channel = f"done {name}"
        after = f"`{channel}`: {modules(drained[channel])}" if channel in drained else ""
        body.append([name.replace("_", " "), modules(where), after])
    return table(("task", "put in diaries by", "when done, sent to"), body)


def handed(wiring: Wiring) -> str:
    """Return a table of subsystems in the order in which they are made, and what each is handed."""
    body = []
    order = [BEGIN, *(name for kind, name in wiring.in_order(BEGIN) if kind == "call")]
    listeners: dict[str, list[str]] = {}
    for heard, functions in wiring.listeners().items():
        for name in functions:
            listeners.setdefault(wiring.functions[name].owner, []).append(heard)
    for name in dict.fromkeys(order):
        function = wiring.functions[name]
        given = [
            sorted(token.name for token in wiring.arguments.get((name, word), ()) if token.kind == "object")
            for word in function.parameters
        ]
        classes = [owner for owners in given for owner in owners]
        if not name.endswith(".__init__") or "service.Service" not in classes:
            continue
        makers = {f.module for f in wiring.functions.values() if ("call", name, "") in f.events}
        # Where somebody is handed a function of another, that is a thread between the two as well.
        threads = sorted(
            f"`{attribute}` of {token.name.partition('.')[0]}"
            for (owner, attribute), value in wiring.attributes.items()
            for token in value
            if owner == function.owner and token.kind == "function" and not token.name.startswith(f"{owner}.")
        )
        others = [f"{owner.partition('.')[0]}" for owner in classes if owner != "service.Service"]
        hears = ", ".join(f"`{heard}`" for heard in listeners.get(function.owner, ()))
        body.append([linked(function).replace(".__init__", ""), modules(makers), ", ".join(others + threads), hears])
    return table(("subsystem", "made in", "is handed, beside the service", "listens to"), body)


def page(wiring: Wiring) -> str:
    """Return the whole page."""
    count = len(wiring.processes)
    parts = [
        "# The system as wired\n",
        "Made by `python docs/make_wiring.py` from the sources in `simulation/system/`; do not edit it by hand. "
        "[model.md](model.md) says what each part does and what it assumes.\n",
        f"Time is kept by [SimPy](https://simpy.readthedocs.io). {count} processes wait for the named phases of a day "
        f"([clock.py](../simulation/engine/clock.py)); there are {len(phases(wiring))} phases, and two processes that "
        "share one act in the order of the tables below. They hand work to one another in three ways: an *agenda* "
        "holds rows of a table against the day on which each is due; a *channel* holds a batch until it is drained; a "
        "*diary* holds tasks until their officer has time.\n",
        "## The picture\n",
        "Modules, grouped by the phases in which they wake. A plain arrow goes from the module that puts rows on an "
        "agenda to the one that takes them on their day; a thick one is a channel; a dotted one is a task put in an "
        "officer's diary. What a module leaves for itself, what is put on before day 0, what is cancelled and plain "
        "calls are in the tables only.\n",
        picture(wiring),
        "## Phase by phase\n",
        "What a process does itself or through the functions it calls; after *in* comes what stands in the text of "
        "another module. *Tells* names a list of [listeners](#listeners): what they do isn't repeated.\n",
    ]
    for phase in phases(wiring):
        mine = [name for name in wiring.processes if phase in waking(wiring, name)]
        parts += [f"### {phase.capitalize()}\n", rows(wiring, mine) if mine else "Nobody wakes.\n"]
    parts += ["## Listeners\n", "Called at once, in this order, by whoever changes what they listen to.\n"]
    for heard, functions in sorted(wiring.listeners().items()):
        parts += [f"### {heard}\n", rows(wiring, functions)]
    first = [linked(wiring.functions[BEGIN]).replace(".__init__", ""), *acts(wiring, BEGIN)]
    parts += [
        "## Before day 0\n",
        table(("who", *(head for head, _ in COLUMNS)), [first]),
        "## Agendas\n",
        "By the module in whose text it stands. A row has at most one date on an agenda; a new one replaces the old.\n",
        by_modules(wiring, "agenda", OF_AGENDAS),
        "## Channels\n",
        by_modules(wiring, "channel", OF_CHANNELS),
        "## Tasks in diaries\n",
        f"Worked by {modules(wiring.of('works').get('diaries', ()))}.\n",
        tasks(wiring),
        "## Who is handed whom\n",
        "Subsystems in the order in which they are made, which is the order in which they act within a shared phase. "
        "A subsystem calls those it is handed directly.\n",
        handed(wiring),
    ]
    if LOOSE:
        parts += ["## Loose ends\n", "A test fails on any other.\n"]
        parts.append(table(("what", "why"), [[name, why] for name, why in sorted(LOOSE.items())]))
    return "\n".join(parts)


if __name__ == "__main__":
    FILE.write_text(page(Wiring(SYSTEM)), encoding="utf-8", newline="\n")
