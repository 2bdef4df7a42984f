"""Reads scenario files, with what they extend, into `Scenario` objects; reports every problem at once."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulation.scenario.changes import ACTIONS, Assignment, Change, Scenario, check_assignment
from simulation.scenario.checking import check_model, is_number
from simulation.scenario.geography import Geography, load_geography
from simulation.scenario.parameters import Parameters
from simulation.scenario.problems import (
    ENOUGH,
    Problem,
    ScenarioError,
    did_you_mean,
    errors,
    in_order,
    quote,
    shown_path,
)
from simulation.scenario.schema import ChangeEntry, ScenarioEntry
from simulation.scenario.yaml_reader import Document, Node, read_file

FOLDER = Path(__file__).resolve().parents[2] / "scenarios"

_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
_LONGEST_CHAIN = 10
_LONGEST_RUN_DAYS = 366 * 60


@dataclass
class _Layer:
    """One file of a chain of ``extends``."""

    path: Path
    document: Document
    entry: ScenarioEntry | None = None
    changes: list[Change] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)


def scenario_files(folder: Path | None = None) -> dict[str, Path]:
    """Scenario files by name, sorted."""
    folder = FOLDER if folder is None else folder
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))} if folder.is_dir() else {}


def find_scenario(path_or_name: Path | str, folder: Path | None = None) -> Path:
    """The file meant by a name (``baseline``) or a path.

    Raises
    ------
    ScenarioError
        Nothing is there; the message gives the nearest name.
    """
    text = str(path_or_name)
    folder = FOLDER if folder is None else folder
    looks_like_path = (
        isinstance(path_or_name, Path) or "/" in text or "\\" in text or text.endswith((".yaml", ".yml"))
    )
    if not looks_like_path:
        files = scenario_files(folder)
        if text in files:
            return files[text]
        hint = did_you_mean(text, files) or "`run.py list` shows them all"
        raise ScenarioError([Problem("unknown_scenario", f"no scenario is called {quote(text)}", hint=hint)])
    if "\x00" in text:
        raise ScenarioError([Problem("unknown_scenario", f"{quote(text)} is no file name")])
    path = Path(text)
    try:
        if path.exists():
            return path
    except OSError as error:
        raise ScenarioError([Problem("unreadable", f"{quote(text)}: {error.strerror}")]) from error
    hint = did_you_mean(path.stem, scenario_files(path.parent)) or did_you_mean(
        path.stem, scenario_files(folder)
    )
    raise ScenarioError([Problem("missing_file", "there is no such file", shown_path(path), hint=hint)])


def load_scenario(
    path_or_name: Path | str,
    parameters: Parameters | None = None,
    geography: Geography | None = None,
    folder: Path | None = None,
) -> Scenario:
    """Read a scenario and what it extends.

    Parameters
    ----------
    path_or_name : Path or str
        ``baseline`` finds ``scenarios/baseline.yaml``; a path works too.
    parameters : Parameters, optional
        When given, names and values of the changes are checked in the same pass; otherwise `resolve` does it.
    geography : Geography, optional
    folder : Path, optional
        Where names are looked up; ``scenarios`` by default.

    Returns
    -------
    Scenario

    Raises
    ------
    ScenarioError
        With every problem found, in order of file and line.
    """
    scenario, problems = read_scenario(path_or_name, parameters, geography, folder)
    if scenario is None or errors(problems):
        raise ScenarioError(errors(problems))
    return scenario


def read_scenario(
    path_or_name: Path | str,
    parameters: Parameters | None = None,
    geography: Geography | None = None,
    folder: Path | None = None,
) -> tuple[Scenario | None, list[Problem]]:
    """Like `load_scenario`, but hands problems back (warnings too) instead of raising."""
    geography = geography or load_geography()
    try:
        path = find_scenario(path_or_name, folder)
    except ScenarioError as error:
        return None, error.problems
    layers = _read_chain(path, geography, FOLDER if folder is None else folder)
    if parameters is not None:
        for layer in layers:
            for assignment in layer.assignments:
                if len(layer.document.problems) >= ENOUGH:
                    break
                layer.document.problems += check_assignment(assignment, parameters)
    scenario = _merge(layers)
    return scenario, in_order(problem for layer in layers for problem in layer.document.problems)


def _read_chain(path: Path, geography: Geography, folder: Path) -> list[_Layer]:
    layers: list[_Layer] = []
    seen: list[Path] = []
    while True:
        layer = _read_layer(path, geography)
        layers.append(layer)
        seen.append(path.resolve())
        node = layer.document.root.get("extends") if layer.document.root else None
        if node is None or not isinstance(node.value, str):
            return layers
        try:
            # A parent beside the file comes before one of the same name in the scenarios folder.
            beside = path.parent / f"{node.value}.yaml"
            known = _NAME.match(node.value) and beside.is_file()
            parent = beside if known else find_scenario(node.value, folder)
        except ScenarioError as error:
            problem = error.problems[0]
            text = f"extends {quote(node.value)}, but {problem.message}"
            hint = did_you_mean(node.value, scenario_files(path.parent)) or problem.hint
            layer.document.problem("missing_parent", text, node.line, node.column, hint)
            return layers
        if parent.exists() and not parent.is_file() and not parent.is_dir():
            # To read from a pipe or a terminal might never end.
            text = f"extends {quote(node.value)}, which is no ordinary file"
            layer.document.problem("missing_parent", text, node.line, node.column, "name a scenario")
            return layers
        if parent.resolve() in seen:
            names = [quote(other.stem) for other in seen] + [quote(parent.stem)]
            text = f"scenarios extend each other in a circle: {' extends '.join(names)}"
            layer.document.problem("extends_cycle", text, node.line, node.column, "remove one `extends`")
            return layers
        if len(layers) >= _LONGEST_CHAIN:
            layer.document.problem(
                "too_deep", f"more than {_LONGEST_CHAIN} scenarios extend each other", node.line, node.column
            )
            return layers
        path = parent


def _read_layer(path: Path, geography: Geography) -> _Layer:
    document = read_file(path)
    layer = _Layer(path, document)
    root = document.root
    if root is None:
        return layer
    if not root.is_mapping:
        kind = "a list" if root.is_list else "plain text"
        text = f"the file holds {kind}, where keys such as name, title and changes are wanted"
        document.problem("wrong_type", text, root.line, root.column, "start with `name: ...`")
        return layer
    layer.entry = check_model(ScenarioEntry, root, document)
    name = root.get("name")
    if name is not None and isinstance(name.value, str):
        if not _NAME.match(name.value):
            hint = "use lower-case letters, digits and _"
            document.problem(
                "bad_name", f"{quote(name.value)} is no scenario name", name.line, name.column, hint
            )
        elif name.value != path.stem:
            text = f"the name {quote(name.value)} differs from the file name {quote(path.stem)}"
            document.problem("bad_name", text, name.line, name.column, "make them the same")
    _check_places(root.get("areas"), "areas", geography, document)
    changes = root.get("changes")
    if changes is not None and isinstance(changes.value, list):
        for node in changes.value:
            _read_change(node, layer, geography, path.stem)
    return layer


def _read_change(node: Node, layer: _Layer, geography: Geography, scenario: str) -> None:
    document = layer.document
    if not node.is_mapping:
        return
    places = [_check_places(node.get(key), key, geography, document) for key in ("areas", "providers")]
    assignments = tuple(_assignments(node, document))
    layer.assignments += assignments
    ramp = node.get("ramp_days")
    if ramp is not None and is_number(ramp.value) and ramp.value > 1:
        for assignment in assignments:
            if assignment.action == "set" and isinstance(assignment.value, (bool, str)):
                document.problem(
                    "ramp_needs_number",
                    f"{assignment.name} can't move gradually to {quote(assignment.value)}",
                    assignment.line,
                    assignment.column,
                    "put it in a change of its own, without ramp_days",
                )
    # Whatever is wrong has been said about the whole file; here only sound changes are kept.
    quiet = Document(document.file)
    entry = check_model(ChangeEntry, node, quiet)
    if entry is None:
        return
    if all(places) and geography.cells(entry.areas, entry.providers) is not None:
        cells = geography.cells(entry.areas, entry.providers)
        if cells is not None and not cells.any():
            text = "no area is both in `areas` and served by `providers`"
            document.problem("no_such_place", text, node.line, node.column, "widen one of the two")
    layer.changes.append(
        Change(
            start=entry.from_,
            assignments=assignments,
            end=entry.to,
            ramp_days=entry.ramp_days,
            applies_to=entry.applies_to,
            areas=tuple(entry.areas) if entry.areas is not None else None,
            providers=tuple(entry.providers) if entry.providers is not None else None,
            why=entry.why or "",
            source=entry.source or "",
            scenario=scenario,
            file=document.file,
            line=node.line,
            column=node.column,
        )
    )


def _assignments(node: Node, document: Document) -> Iterator[Assignment]:
    for action in ACTIONS:
        block = node.get(action)
        if block is None or not isinstance(block.value, dict):
            continue
        for name, below in block.value.items():
            yield Assignment(
                action=action,  # type: ignore[arg-type]
                name=name,
                value=below.plain(),
                file=document.file,
                line=below.key_line,
                column=below.key_column,
            )


def _check_places(node: Node | None, key: str, geography: Geography, document: Document) -> bool:
    """Whether every name in a list of areas or providers is known; unknown ones are noted."""
    if node is None:
        return True
    items = node.value if isinstance(node.value, list) else [node]
    good = True
    for item in items:
        name = item.value
        if not isinstance(name, str):
            continue
        known = name in geography.lists if key == "areas" else name in geography.provider_names()
        if not known and len(document.problems) >= ENOUGH:
            return False
        if not known:
            problem = geography.unknown_area(name) if key == "areas" else geography.unknown_provider(name)
            document.problem(problem.code, problem.message, item.line, item.column, problem.hint)
            good = False
    return good


def _merge(layers: list[_Layer]) -> Scenario | None:
    """Lay a scenario over what it extends; dates are checked on the result."""
    own = layers[0]
    if own.entry is None or any(layer.entry is None for layer in layers):
        return None
    entries: list[ScenarioEntry] = [layer.entry for layer in layers if layer.entry is not None]

    def first(key: str) -> tuple[Any, _Layer | None]:
        for layer, entry in zip(layers, entries, strict=True):
            value = getattr(entry, key)
            if value is not None:
                return value, layer
        return None, None

    dates: dict[str, datetime.date] = {}
    for key in ("start", "count_from", "end"):
        value, _ = first(key)
        if value is None:
            last = own.document
            text = f"the key {quote(key)} is missing"
            last.problem("missing_key", text, 1, 1, "give it here or in a scenario that this one extends")
        else:
            dates[key] = value
    if len(dates) < 3:
        return None
    start, count_from, end = dates["start"], dates["count_from"], dates["end"]
    for earlier, later in (("start", "count_from"), ("count_from", "end")):
        if not (dates[earlier] <= dates[later] if earlier == "start" else dates[earlier] < dates[later]):
            layer = first(later)[1] or own
            node = layer.document.root.get(later) if layer.document.root else None
            layer.document.problem(
                "dates_out_of_order",
                f"{later} is {dates[later]}, before {earlier}, {dates[earlier]}",
                node.line if node else 1,
                node.column if node else 1,
                "the order is start, count_from, end",
            )
            return None
    if (end - start).days > _LONGEST_RUN_DAYS or start.year < 1900:
        node = own.document.root.get("end") if own.document.root else None
        text = f"the run from {start} to {end} is too long"
        own.document.problem(
            "date_outside_run",
            text,
            node.line if node else 1,
            node.column if node else 1,
            "at most 60 years, from 1900",
        )
        return None
    for layer in layers:
        for change in layer.changes:
            _check_inside(change, layer, own, start, end)
    areas, _ = first("areas")
    entry = entries[0]
    return Scenario(
        name=entry.name,
        title=entry.title,
        start=start,
        count_from=count_from,
        end=end,
        question=entry.question,
        asked_by=entry.asked_by,
        expected=entry.expected,
        expects=dict(entry.expects),
        moves=tuple(entry.moves),
        areas=tuple(areas) if areas else ("all",),
        changes=tuple(change for layer in reversed(layers) for change in layer.changes),
        extends=tuple(layer.path.stem for layer in layers[1:]),
        file=own.document.file,
    )


def _check_inside(
    change: Change, layer: _Layer, own: _Layer, start: datetime.date, end: datetime.date
) -> None:
    root = layer.document.root
    nodes = root.get("changes") if root else None
    node = next(
        (n for n in (nodes.value if nodes else []) if (n.line, n.column) == (change.line, change.column)),
        None,
    )
    for key, day in (("from", change.start), ("to", change.end)):
        # A change may end on the day after the run: it then simply lasts to the end.
        latest = end if key == "from" else end + datetime.timedelta(days=1)
        if day is None or start <= day <= latest:
            continue
        place = node.get(key) if node else None
        because = "" if layer is own else f" of {quote(own.path.stem)}"
        layer.document.problem(
            "date_outside_run",
            f"`{key}` is {day}, outside the run{because} from {start} to {end}",
            place.line if place else change.line,
            place.column if place else change.column,
            "choose a date inside the run, or change start or end",
        )
