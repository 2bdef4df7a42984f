"""The page on wiring against the code, read and run: nothing is left out, and nothing leads nowhere."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from simulation.engine import Agenda
from simulation.engine.world import Channel
from simulation.system import Model
from simulation.system.codes import Task
from simulation.system.service import Service
from tests.system.system_helpers import request as run_request

ROOT = Path(__file__).resolve().parents[2]
CODES = """
PHASES = ("morning", "evening")
class Codes(type): ...
class Task(metaclass=Codes):
    PLAN = 0
    VISIT = 1
"""
MODEL = """
from simulation.system.parts import Part
class Service:
    def add_task(self, kind): ...
class Model:
    def __init__(self):
        self.service = Service()
        self.part = Part(self.service)
"""
#: A small system with an agenda, a channel and tasks, all of which lead somewhere.
PART = """
from simulation.system.codes import Task
from simulation.system.model import Service
class Part:
    def __init__(self, service: Service):
        self.service = service
        for name in ("call", "visit"):
            service.agenda(name)
        self.sent = {task: service.channel(f"done {Task.names[task].lower()}") for task in (Task.PLAN, Task.VISIT)}
        service.process(self.mornings)
        service.process(self.evenings)
    def mornings(self):
        agendas = self.service.agendas
        while True:
            yield self.service.clock.phase("morning")
            for task, channel in self.sent.items():
                channel.send(agendas["call"].due(1))
                self.service.add_task(task)
            self.later(agendas["visit"], "call")
    def later(self, agenda, other):
        agenda.put(agenda.due(1), 2)
        self.service.agendas[other].put(3, 4)
    def evenings(self):
        while True:
            yield self.service.clock.phase("evening")
            for channel in self.sent.values():
                channel.drain()
"""


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    """The script that writes the page."""
    spec = importlib.util.spec_from_file_location("make_wiring", ROOT / "docs" / "make_wiring.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def wiring(maker: ModuleType) -> Any:
    """What the sources say."""
    return maker.Wiring(maker.SYSTEM)


def test_the_page_is_up_to_date(maker: ModuleType, wiring: Any) -> None:
    assert (ROOT / "docs" / "wiring.md").read_text("utf-8") == maker.page(wiring), "run python docs/make_wiring.py"


def test_nothing_is_put_on_and_never_taken_nor_sent_and_never_drained(maker: ModuleType, wiring: Any) -> None:
    assert maker.loose_ends(wiring) == []


# --- A small system, and the same with something wrong ------------------------------------------------------------


@pytest.fixture()
def small(maker: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Read a small system, with one text replaced by another in its only part."""
    monkeypatch.setattr(maker, "LOOSE", {})

    def read(old: str = "", new: str = "") -> Any:
        assert old in PART
        for name, text in (("codes", CODES), ("model", MODEL), ("parts", PART.replace(old, new, 1) if old else PART)):
            (tmp_path / f"{name}.py").write_text(text, "utf-8")
        return maker.Wiring(tmp_path)

    return read


def test_names_are_followed_through_loops_arguments_and_attributes(maker: ModuleType, small: Any) -> None:
    found = small()
    assert found.processes == ["parts.Part.mornings", "parts.Part.evenings"]
    assert [maker.waking(found, name) for name in found.processes] == [["morning"], ["evening"]]
    both = {"call": {"parts"}, "visit": {"parts"}}
    assert found.of("puts") == found.of("takes") == both
    done = {"done plan": {"parts"}, "done visit": {"parts"}}
    assert found.of("sends") == found.of("drains") == done
    assert found.of("tasks") == {"plan": {"parts"}, "visit": {"parts"}}
    assert maker.loose_ends(found) == []


@pytest.mark.parametrize("names", ['other, "visit"', '*("call", "visit")'])
def test_several_agendas_are_cancelled_by_name(small: Any, names: str) -> None:
    found = small("agenda.put(agenda.due(1), 2)", f"self.service.cancel(3, {names})")
    assert found.of("cancels") == {"call": {"parts"}, "visit": {"parts"}}


@pytest.mark.parametrize(
    ("old", "new", "end"),
    [
        ('agendas["call"].due(1)', "3", "agenda call: nothing that runs takes what is there"),
        ("self.service.agendas[other].put(3, 4)", "", "agenda call: nothing that runs puts anything there"),
        ("channel.drain()", "pass", "channel done plan: nothing that runs drains what is there"),
        ('channel.send(agendas["call"].due(1))', "pass", "channel done plan: nothing that runs sends"),
        ("service.agenda(name)", 'service.agenda("call")', "agenda visit: never made"),
        ("self.service.add_task(task)", "self.service.add_task(Task.PLAN)", "task visit: nobody puts it in a diary"),
        ('phase("evening")', 'phase("night")', "phase night: not a phase of a day"),
        ("service.process(self.evenings)", "", "channel done plan: nothing that runs drains"),
    ],
)
def test_a_loose_end_is_found(maker: ModuleType, small: Any, old: str, new: str, end: str) -> None:
    assert any(found.startswith(end) for found in maker.loose_ends(small(old, new)))


def test_an_exception_that_is_none_is_found(maker: ModuleType, small: Any) -> None:
    maker.LOOSE["task visit"] = "no reason"
    assert maker.loose_ends(small()) == ["task visit: stands in LOOSE and is no loose end"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('agendas["visit"], "call"', 'agendas["visit"], str(7)'),
        ("channel.drain()", "self.service.anything.drain()"),
        ("self.service.add_task(task)", "self.service.add_task(7)"),
        ("service.process(self.evenings)", "service.process(other)"),
        ("agenda.put(agenda.due(1), 2)", "self.service.cancel(3, str(7))"),
    ],
)
def test_what_cannot_be_followed_is_an_error_with_its_line(small: Any, old: str, new: str) -> None:
    with pytest.raises(ValueError, match=r"parts\.py:\d+: "):
        small(old, new)


# --- The same, as it runs -----------------------------------------------------------------------------------------


def test_a_run_does_nothing_that_was_not_read(wiring: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[tuple[str, str, str]] = set()
    names: dict[int, str] = {}

    def watch(owner: type, method: str, what: str) -> None:
        plain = getattr(owner, method)

        def watched(self: Any, *given: Any, **named: Any) -> Any:
            module = sys._getframe(1).f_globals["__name__"]
            if module.startswith("simulation.system."):
                if what == "tasks":
                    done_to = [Task.names[given[0]].lower()]
                else:
                    done_to = [*given[1:]] if owner is Service else [names[id(self)]]
                seen.update((what, name, module.rpartition(".")[2]) for name in done_to)
            return plain(self, *given, **named)

        monkeypatch.setattr(owner, method, watched)

    def name_all(made: str, plain: Callable[..., Any]) -> Callable[..., Any]:
        def named(self: Any, name: str, *given: Any) -> Any:
            thing = plain(self, name, *given)
            names[id(thing)] = name
            assert (made, name) in wiring.made
            return thing

        return named

    monkeypatch.setattr(Service, "agenda", name_all("agenda", Service.agenda))
    monkeypatch.setattr(Service, "channel", name_all("channel", Service.channel))
    for method, what in (("put", "puts"), ("due", "takes"), ("cancel", "cancels")):
        watch(Agenda, method, what)
    for method in ("day_of", "days"):
        watch(Agenda, method, "looks")
    for method, what in (("send", "sends"), ("drain", "drains")):
        watch(Channel, method, what)
    watch(Service, "cancel", "cancels")
    watch(Service, "add_task", "tasks")
    model = Model(run_request())
    service = model.service
    assert {name for what, name in wiring.made if what == "agenda"} == set(service.agendas)
    assert {name for what, name in wiring.made if what == "channel"} == set(service.channels)
    started = [f"{f.__module__.rpartition('.')[2]}.{f.__qualname__}" for f in service._functions]
    # Groups have a process only in a run whose counts are split.
    assert [name for name in wiring.processes if name != "groups.Groups.mornings"] == started
    assert "groups.Groups.mornings" in wiring.processes
    model.run(60)
    read = {(use.what, use.name, wiring.functions[use.function].module) for use in wiring.uses}
    assert seen - read == set()
    # Two months of one area do most of what there is to do; nobody moves from it to another.
    doing = ("puts", "takes", "cancels", "looks", "sends", "drains", "tasks")
    wanted = {entry for entry in read if entry[0] in doing and entry[2] != "area_moves"}
    assert len(seen) > 0.8 * len(wanted), sorted(wanted - seen)
