"""Every event that a subsystem tells has plain words."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from simulation.scenario import load_parameters, load_scenario, resolve
from simulation.system import Model, RunRequest
from simulation.system.contact import TOLD
from simulation.system.requirement_loops import CALLED
from simulation.system.story import (
    ROUTINE,
    WORDS,
    Context,
    Told,
    day_in_words,
    in_words,
    length_in_words,
    routine_in_words,
)

SYSTEM = Path(__file__).resolve().parents[2] / "simulation" / "system"


def texts(node: ast.expr) -> list[str | None]:
    """Every text an expression can be; None for a part that only a run can tell."""
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    if isinstance(node, ast.IfExp):
        return [*texts(node.body), *texts(node.orelse)]
    if isinstance(node, ast.BinOp):
        return [None if a is None or b is None else a + b for a in texts(node.left) for b in texts(node.right)]
    if isinstance(node, ast.JoinedStr):
        # Only one reason for everything: the words of f"recall decided: {reason}" are found where reasons are given.
        return [None]
    return [None]


def calls(attribute: str) -> Iterator[tuple[Path, ast.Call]]:
    """Every call of a method of that name in the system."""
    for path in sorted(SYSTEM.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == attribute:
                yield path, node


def told() -> list[tuple[str, str]]:
    found = []
    for path, call in calls("tell"):
        if ast.unparse(call.args[0]).startswith("CALLED["):
            found.extend((path.name, text) for text in CALLED)
            continue
        if path.name == "contact.py" and ast.unparse(call.args[0]) == "what":
            found.extend((path.name, text) for _, text in TOLD)
            continue
        for text in texts(call.args[0]):
            found.append((path.name, text if text is not None else ast.unparse(call.args[0])))
    for path, call in calls("ask"):
        if len(call.args) == 2 and isinstance(call.args[1], ast.Constant):
            found.append((path.name, f"recall decided: {call.args[1].value}"))
    return sorted(set(found))


#: Told with a text put together at run time; its pieces are checked where they are given.
PUT_TOGETHER = {"f'recall decided: {reason}'"}


@pytest.mark.parametrize(("module", "kind"), [one for one in told() if one[1] not in PUT_TOGETHER])
def test_what_the_source_tells_has_words(module: str, kind: str) -> None:
    assert kind in WORDS


def test_the_source_tells_everything_that_has_words() -> None:
    assert set(WORDS) - {kind for _, kind in told()} == set()


def test_what_a_run_tells_has_words() -> None:
    scenario = replace(
        load_scenario("baseline"), start=date(2018, 5, 1), count_from=date(2018, 5, 2), end=date(2018, 7, 31)
    )
    model = Model(RunRequest(resolve(scenario, load_parameters(), areas="gwent"), 1))
    kinds: set[str] = set()
    tell = model.service.tell
    model.service.tell = lambda kind, *rest: (kinds.add(kind), tell(kind, *rest))[1]  # type: ignore[method-assign,func-returns-value]
    model.run()
    assert len(kinds) > 30
    assert kinds <= set(WORDS)


@pytest.mark.parametrize("kind", sorted(WORDS))
@pytest.mark.parametrize("setting", ["", "prison", "licence", "supervision", "nothing"])
def test_words_are_complete(kind: str, setting: str) -> None:
    for detail in (0, 1, 3, 400):
        for inside in (False, True):
            context = Context("crc", 1, 4, 80, 120, setting, inside)
            words = in_words(Told(0, kind, detail, context))
            assert words and "{" not in words and "  " not in words and words[0].isupper()


def test_a_kind_without_words_is_shown_as_it_is() -> None:
    assert in_words(Told(0, "moved abroad")) == "Moved abroad"


def test_who_gets_the_case() -> None:
    first = Told(0, "allocated", 12, Context("nps", 0))
    assert in_words(first) == "Case given to NPS probation officer number 12"
    assert in_words(replace(first, context=Context("crc", 1, 7))) == "Case handed to company case manager number 12"
    assert in_words(replace(first, context=Context("nps", 0, 12))).startswith("Case stays with")
    # The post is the same, and somebody else sits at it.
    assert in_words(replace(first, context=Context("nps", 0, -2))).startswith("Case handed to")


def test_release_says_what_follows() -> None:
    assert in_words(Told(0, "released", 0, Context(setting="licence"))) == "Released from prison, on licence"
    stays = in_words(Told(0, "released", 0, Context(setting="prison")))
    assert stays == "One sentence is served; stays in prison under another"
    ends = in_words(Told(0, "licence ends", 0, Context(setting="nothing", inside=True)))
    assert ends == "The licence runs out, released from prison, with no supervision to follow"


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (1, "1 day"),
        (28, "28 days"),
        (35, "35 days"),
        (42, "6 weeks"),
        (60, "2 months"),
        (61, "2 months"),
        (69, "69 days"),
        (84, "12 weeks"),
        (182, "6 months"),
        (364, "52 weeks"),
        (365, "1 year"),
        (547, "18 months"),
        (730, "2 years"),
        (1126, "3 years 1 month"),
        (1887, "5 years 2 months"),
    ],
)
def test_lengths(days: int, words: str) -> None:
    assert length_in_words(days) == words


def test_routine_is_summed_up() -> None:
    assert set(ROUTINE) <= set(WORDS)
    events = [Told(day, kind) for day, kind in enumerate(["seen", "called", "seen", "missed, accepted", "seen"])]
    assert routine_in_words(events) == "seen 3 times, called once, missed with a reason once"


def test_the_kind_of_recall_is_said() -> None:
    said = [in_words(Told(0, "licence revoked", number)) for number in (14, 0, -1)]
    assert [words[words.index("(") : words.index(")") + 1] for words in said] == [
        "(fixed-term recall of 14 days)",
        "(standard recall)",
        "(recall from curfew)",
    ]


def test_one_order_of_several_is_said_to_be_one() -> None:
    for kind in ("order completed", "order revoked", "order over, breach not heard"):
        assert in_words(Told(0, kind)).startswith("The order ")
        assert in_words(Told(0, kind, 0, Context(another=True))).startswith("One order ")


def test_an_order_that_is_over_has_its_date_where_it_is_known() -> None:
    lapse = Told(0, "activity days lapse", 5)
    assert in_words(lapse) == "The order is over: 5 days of rehabilitation activity not delivered"
    dated = in_words(replace(lapse, context=Context(ended_on="16 March 2017")))
    assert dated == "The order ended on 16 March 2017: 5 days of rehabilitation activity not delivered"


def day(*kinds: str, detail: int = 30) -> list[str]:
    """A day of these events in words, each cut to what says which it is."""
    return [words[:22].strip() for words in day_in_words([Told(0, kind, detail) for kind in kinds])]


def test_a_case_is_not_closed_on_the_day_of_another_sentence() -> None:
    assert day("supervision ends", "order revoked", "sentenced to custody") == [
        "Sentenced to 30 days i",
        "The order is revoked",
    ]
    # Served already: the case is closed after all.
    assert day("sentenced to custody", "released", "supervision ends")[-1] == "Supervision over, case"
    assert day("order completed", "supervision ends")[-1] == "Supervision over, case"


def test_a_breach_comes_before_what_follows_it() -> None:
    told = "breach heard", "order revoked", "supervision ends", "suspended sentence activated", "sentenced to custody"
    assert day(*told) == [
        "Breach of the order he",
        "The prison term that w",
        "Sentenced to 30 days i",
    ]


def test_what_an_order_requires_comes_after_it() -> None:
    assert day("activity days ordered", "community order") == ["Community order of 30", "The order requires 30"]
    assert day_in_words([Told(0, "community order", 365)]) == [
        "Community order of 1 year; what it requires isn't followed here (curfew, treatment or other)"
    ]
    required = day_in_words([Told(0, "unpaid work ordered", 80), Told(0, "suspended sentence order", 365)])
    assert required == ["Suspended sentence order of 1 year", "The order requires 80 hours of unpaid work"]


def test_where_somebody_goes_comes_after_the_release() -> None:
    assert day("released to nowhere", "released")[1] == "Has nowhere to live on"


def test_a_hearing_has_its_outcome() -> None:
    heard = Told(0, "breach heard")
    assert day_in_words([heard]) == ["Breach of the order heard in court, and the order goes on"]
    assert day_in_words([heard, Told(0, "order revoked")])[0] == "Breach of the order heard in court"
    supervision = Told(0, "supervision breach heard")
    assert day_in_words([supervision])[0].endswith(", and supervision goes on")
    committed = Told(0, "committed for breach of supervision", 10)
    assert day_in_words([supervision, committed])[0] == "Breach of post-sentence supervision heard in court"


def test_a_suspended_term_that_is_activated_revokes_nothing() -> None:
    events = [Told(0, kind) for kind in ("breach heard", "order revoked", "suspended sentence activated")]
    assert day_in_words(events) == [
        "Breach of the order heard in court",
        "The prison term that was suspended is activated",
    ]


def test_a_committal_that_ends_tonight_says_why() -> None:
    committed = Told(0, "committed for breach of supervision", -1)
    assert in_words(committed) == (
        "Committed for 1 day for breach of post-sentence supervision; free the same day, for that was the day"
    )
    # A Friday's three days end on Sunday.
    committed = replace(committed, detail=-3)
    assert in_words(committed).endswith("; free the same day, for the term would end on days without releases")
    committed = replace(committed, detail=1)
    assert in_words(committed) == "Committed to prison for 1 day for breach of post-sentence supervision"


def test_nothing_is_said_twice_of_a_day() -> None:
    assert day_in_words([Told(0, "convicted again"), Told(0, "convicted")]) == ["Convicted of a new offence"]
    assert day_in_words([Told(0, "convicted")]) == ["Before the court"]
    told = [Told(0, "report asked for", 1), Told(0, "report delivered")]
    assert day_in_words(told) == ["Court asks for an oral report", "Report ready the same day"]
    told = [Told(0, "licence revoked", 28), Told(0, "returned to prison")]
    assert day_in_words(told) == ["Licence revoked (fixed-term recall of 28 days)", "Arrested and returned to prison"]
    told = [Told(0, "report asked for", 1), Told(0, "report delivered")]
    assert day_in_words(told[1:]) == ["Pre-sentence report delivered"]


def test_risk_that_rises_with_the_nps_moves_nobody_to_it() -> None:
    risen = Told(0, "risk escalated", 0, Context("crc", 1))
    assert in_words(risen) == "Risk assessed as high; the NPS must hold the case"
    with_nps = in_words(replace(risen, context=Context("nps", 1)))
    assert with_nps == "Risk assessed as high; a probation officer must hold the case"
