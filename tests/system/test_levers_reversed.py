"""Levers that only whole scenarios pulled so far: what each moves, one way and the other."""

from __future__ import annotations

import datetime

import numpy as np
import pytest

from simulation.system import RunOutput
from simulation.system.codes import Kind
from tests.system.system_helpers import finished, run, total

SHORT = {"end": datetime.date(2017, 10, 31)}
#: The company of the area that runs are made in, and the National Probation Service.
HERE = ("sodexo", "nps_e3")


@pytest.fixture(scope="module")
def short() -> RunOutput:
    return run(**SHORT)


@pytest.mark.parametrize(("way", "share"), [("group", 0.3), ("video", 0.2)])
def test_a_way_of_contact_takes_the_share_it_is_given(short: RunOutput, way: str, share: float) -> None:
    parameter = {"group": "contact.group_share", "video": "contact.video_share"}[way]
    none = run(overrides={f"{parameter}.{model}": 0 for model in HERE}, **SHORT)
    many = run(overrides={f"{parameter}.{model}": share for model in HERE}, **SHORT)
    assert total(none, f"contacts_{way}") == 0
    assert total(many, f"contacts_{way}") > max(50, total(short, f"contacts_{way}"))


def test_the_interval_after_a_noticed_change_is_a_lever(short: RunOutput) -> None:
    """`contact.crisis_interval_days`: shorter brings more contacts, longer fewer."""
    often, seldom = (run(overrides={"contact.crisis_interval_days": days}, **SHORT) for days in (7, 28))
    due = [total(output, "contacts_due") for output in (often, short, seldom)]
    assert due[0] > due[1] > due[2]


def test_papers_done_at_once_let_more_out_on_curfew() -> None:
    """`custody.hdc.papers_days`: with a day for everybody more go out on the tag than with two months."""
    released = [
        total(
            run(overrides={f"custody.hdc.papers_days.{name}": days for name in ("p0", "p50", "p90", "p100")}, **SHORT),
            "hdc_releases",
        )
        for days in (1, 60)
    ]
    assert released[0] > 1.3 * released[1]


def test_longer_terms_are_longer() -> None:
    """`custody.length_days_12_months_to_under_4_years`: all terms of the band at its end, none of the others moved."""
    name = "custody.length_days_12_months_to_under_4_years"
    longest = dict.fromkeys((f"{name}.{point}" for point in ("p0", "p25", "p50", "p75", "p100")), 1460)
    lengths = []
    for overrides in ({}, longest):
        sentences = finished(overrides=overrides, **SHORT).service.sentences
        made = (sentences.imposed[: sentences.size] >= 0) & (sentences.kind[: sentences.size] == Kind.DETERMINATE)
        lengths.append(np.sort(sentences.length[: sentences.size][made]))
    within = [(length >= 365) & (length < 1461) for length in lengths]
    assert set(lengths[1][within[1]].tolist()) == {1460} and len(set(lengths[0][within[0]].tolist())) > 20
    assert np.median(lengths[0][within[0]]) < 1000


def test_the_model_of_a_company_is_a_lever(short: RunOutput) -> None:
    """`organisation.operating_model.cumbria_and_lancashire`: as Seetec, no hub calls anybody."""
    other = run(overrides={"organisation.operating_model.cumbria_and_lancashire": "seetec"}, **SHORT)
    assert total(short, "contacts_hub_call") > 0 == total(other, "contacts_hub_call")
