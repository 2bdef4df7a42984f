"""How many replications are enough: the rule against known answers, and what is asked for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import stdtrit

from simulation.experiment.precision import (
    IN_UNIT,
    LEAST,
    OF_DIFFERENCE,
    Precision,
    SequentialRule,
    Target,
    held,
    make_precision,
    replications_needed,
)
from simulation.experiment.statistics import paired_difference
from simulation.experiment.windows import Window
from simulation.measures.registry import HEADLINES

STUDIES = 8_000
"""Studies simulated in each case: the share of intervals that hold the truth has a standard error of 0.0024."""

MOST = 200

Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]

#: Differences of mean nought and standard deviation one, by what they are like.
DRAWS: dict[str, Draw] = {
    "normal": lambda random, shape: random.standard_normal(shape),
    "skewness 0.67": lambda random, shape: (random.gamma(9, 1, shape) - 9) / 3,
    "skewness 1": lambda random, shape: (random.gamma(4, 1, shape) - 4) / 2,
    "skewness 2": lambda random, shape: random.exponential(1, shape) - 1,
    "heavy tails": lambda random, shape: random.standard_t(5, shape) / np.sqrt(5 / 3),
}


def stopped(differences: np.ndarray, target: Target, most: int = MOST) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Let the rule stop each of many studies of one difference, shape (studies, most).

    Returns
    -------
    low, high, replications : ndarray
        The interval of each study as it is published, and how many replications it took.
    """
    looks = Precision("", (target,), LEAST, most).looks
    going = np.ones(len(differences), dtype=bool)
    low, high = np.empty(len(differences)), np.empty(len(differences))
    number = np.empty(len(differences), dtype=int)
    reached = []
    for look in looks:
        seen = differences[:, :look]
        found = paired_difference(np.zeros_like(seen), seen)
        reached.append((found.high - found.low) / 2 <= target.allowed(found.mean))
        ends = going & (held(reached) | (look == looks[-1]))
        low[ends], high[ends], number[ends] = found.low[ends], found.high[ends], look
        going &= ~ends
    return low, high, number


def coverage(kind: str, truth: float, target: Target, most: int = MOST) -> tuple[float, float]:
    """Share of published intervals that hold the truth, and the mean number of replications."""
    differences = truth + DRAWS[kind](np.random.default_rng(5), (STUDIES, most))
    low, high, number = stopped(differences, target, most)
    return float(np.mean((low <= truth) & (truth <= high))), float(number.mean())


ABSOLUTE = [Target("recalls_year", amount, IN_UNIT) for amount in (0.9, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2)]
"""From what the first look always meets to some hundred replications, where the standard deviation is one."""

RELATIVE = [
    (truth, Target("recalls_year", share, OF_DIFFERENCE))
    for truth, share in ((10, 0.1), (5, 0.1), (5, 0.05), (3, 0.2), (2, 0.2), (1, 0.3), (-3, 0.2), (-2, 0.1))
]


@pytest.mark.parametrize("kind", ["normal", "skewness 0.67", "heavy tails"])
def test_intervals_of_the_sequential_rule_hold_the_truth_93_to_97_times_in_100(kind: str) -> None:
    """In the worst case of each kind too; the standard error of a share is 0.0024."""
    found = [coverage(kind, 7.0, target) for target in ABSOLUTE]
    found += [coverage(kind, truth, target) for truth, target in RELATIVE]
    shares, numbers = zip(*found, strict=True)
    assert min(shares) >= 0.93, found
    assert max(shares) <= 0.97, found
    # The cases reach from the fewest possible to most of those allowed.
    assert min(numbers) < 16 and max(numbers) > 100


@pytest.mark.parametrize(("kind", "least"), [("skewness 1", 0.925), ("skewness 2", 0.88)])
def test_skewness_costs_what_it_costs_with_a_fixed_number(kind: str, least: float) -> None:
    """Student's interval of ten very skewed values is too short, whatever decided on ten; the rule adds little."""
    shares = [coverage(kind, 7.0, target)[0] for target in ABSOLUTE]
    shares += [coverage(kind, truth, target)[0] for truth, target in RELATIVE]
    ten = DRAWS[kind](np.random.default_rng(6), (STUDIES, LEAST))
    fixed = paired_difference(np.zeros_like(ten), ten)
    assert least <= min(shares)
    assert min(shares) >= np.mean((fixed.low <= 0) & (fixed.high >= 0)) - 0.012


def test_the_rule_does_what_it_is_for() -> None:
    """A rule that looks after each replication from five on and stops at once would cover less than 93 in 100."""
    differences = DRAWS["normal"](np.random.default_rng(5), (STUDIES, MOST))
    count = np.arange(1, MOST + 1)
    mean = differences.cumsum(axis=1) / count
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = ((differences**2).cumsum(axis=1) - count * mean**2) / (count - 1)
        half = stdtrit(count - 1, 0.975) * np.sqrt(np.maximum(variance, 0) / count)
    narrow = half <= 0.5
    narrow[:, :4] = False
    first = narrow.argmax(axis=1)
    chosen = np.arange(STUDIES), first
    assert np.mean(np.abs(mean[chosen]) <= half[chosen]) < 0.93


def test_a_difference_of_nearly_nothing_goes_to_the_most_and_keeps_its_coverage() -> None:
    """With a tenth of a standard deviation a share of a twentieth is out of reach in forty replications."""
    share, number = coverage("normal", 0.1, Target("recalls_year", 0.05, OF_DIFFERENCE), most=40)
    assert number > 39.9
    assert share == pytest.approx(0.95, abs=4 * 0.0024)


@pytest.mark.parametrize("amount", [0.2, 0.1])
def test_a_share_asked_is_a_share_of_the_true_difference(amount: float) -> None:
    """The point of g / (1 + g): the mean misses the truth by more than g of it in about one study of twenty at most."""
    truth = 2.0
    differences = truth + DRAWS["normal"](np.random.default_rng(8), (STUDIES, MOST))
    low, high, number = stopped(differences, Target("recalls_year", amount, OF_DIFFERENCE))
    assert np.mean(number == MOST) < 0.01
    missed = np.abs((low + high) / 2 - truth) > amount * truth
    assert missed.mean() < 0.06


class OneRun:
    """Stands for the counts of a run: a level for each measure."""

    def __init__(self, levels: dict[str, float]) -> None:
        self._levels = levels

    def levels(self, measure: object, window: object) -> tuple[np.ndarray, None]:
        return np.array([self._levels[measure.name]]), None  # type: ignore[attr-defined]


WINDOW = Window("to end", 0, ("2018-07", "2018-08"))


def rule_of(precision: Precision, scenarios: tuple[str, ...] = ("more",)) -> SequentialRule:
    return SequentialRule(precision, "base", dict.fromkeys(scenarios, WINDOW))


def test_the_rule_of_a_study_is_the_rule_that_was_tried() -> None:
    target = Target("recalls_year", 0.25, OF_DIFFERENCE)
    precision = Precision("0.25", (target,), LEAST, 60)
    random = np.random.default_rng(9)
    differences = 1.5 + random.standard_normal((40, 60))
    low, high, number = stopped(differences, target, 60)
    assert len(set(number)) > 3
    for study in range(40):
        rule = rule_of(precision)
        for look in precision.looks:
            for replication in range(rule.replications, look):
                base = random.normal(100, 5)
                after = base + differences[study, replication]
                rule.add({"base": OneRun({"recalls_year": base}), "more": OneRun({"recalls_year": after})})  # type: ignore[dict-item]
            if rule.enough():
                break
        assert rule.replications == number[study]
        row = rule.table().to_dicts()[0]
        assert row["half_width"] == pytest.approx((high[study] - low[study]) / 2)


def test_all_differences_have_to_be_narrow_enough() -> None:
    targets = (Target("recalls_year", 10.0, IN_UNIT), Target("unseen_share", 10.0, IN_UNIT))
    rule = rule_of(Precision("10", targets, LEAST, 40), ("more", "less"))
    for number in range(15):
        # One of four differences swings by a hundred.
        swing = 100.0 * (-1) ** number
        rule.add(
            {
                "base": OneRun({"recalls_year": 50.0, "unseen_share": 5.0}),
                "more": OneRun({"recalls_year": 51.0 + number % 3, "unseen_share": 6.0}),
                "less": OneRun({"recalls_year": 49.0, "unseen_share": 5.0 + swing}),
            }  # type: ignore[dict-item]
        )
        if rule.replications in (10, 15):
            assert not rule.enough()
    assert rule.rounds == [{"replications": 10, "reached": 3, "of": 4}, {"replications": 15, "reached": 3, "of": 4}]
    table = {(row["scenario"], row["measure"]): row for row in rule.table().to_dicts()}
    assert table["more", "unseen_share"]["half_width"] == 0
    missed = table["less", "unseen_share"]
    assert missed["reached"] is False and missed["replications_needed"] > 300
    found, each = rule.findings()
    assert "reached for 3 of 4 headline differences with 15 replications, the most allowed" in found
    assert len(each) == 1 and each[0].startswith("less: Not seen face to face for over 60 days, ")


def test_what_does_not_exist_asks_for_nothing() -> None:
    targets = (Target("recalls_year", 1.0, IN_UNIT), Target("detection_delay", 0.1, OF_DIFFERENCE))
    rule = rule_of(Precision("0.1", targets, LEAST, 40))
    for _ in range(10):
        rule.add(
            {
                "base": OneRun({"recalls_year": 1.0, "detection_delay": np.nan}),
                "more": OneRun({"recalls_year": 1.0, "detection_delay": 3.0}),
            }  # type: ignore[dict-item]
        )
    # Never at the first look.
    assert not rule.enough()
    assert rule.enough()
    rows = {row["measure"]: row for row in rule.table().to_dicts()}
    assert rows["recalls_year"]["reached"] is True
    assert rows["detection_delay"]["reached"] is None and rows["detection_delay"]["difference"] is None
    assert rule.rounds[-1] == {"replications": 10, "reached": 1, "of": 1}


def test_looks_grow_and_end_at_the_most() -> None:
    assert Precision("1", (), 10, 10).looks == (10,)
    assert Precision("1", (), 10, 12).looks == (10, 12)
    looks = Precision("1", (), 10, 100).looks
    assert looks == (10, 15, 20, 25, 30, 36, 44, 53, 64, 77, 93, 100)
    assert Precision("1", (), 30, 100).looks == looks[4:]


def test_replications_needed_make_the_interval_just_narrow_enough() -> None:
    for deviation, allowed in ((10.0, 4.0), (1.0, 0.9), (3.0, 0.01)):
        number = replications_needed(deviation, allowed)
        assert number is not None

        def half(count: int, deviation: float = deviation) -> float:
            return float(stdtrit(count - 1, 0.975)) * deviation / count**0.5

        assert half(number) <= allowed < half(number - 1)
    assert replications_needed(1.0, 1e-9) is None


def test_a_share_is_asked_of_every_headline_and_amounts_of_those_named() -> None:
    precision, problems = make_precision("5%, recalls_year = 50,unseen_share=10%", 5, None, 2)
    assert not problems and precision is not None
    assert (precision.first, precision.most) == (LEAST, 100)
    targets = {target.measure: target for target in precision.targets}
    assert list(targets) == list(HEADLINES)
    assert targets["recalls_year"] == Target("recalls_year", 50.0, IN_UNIT)
    assert targets["unseen_share"] == Target("unseen_share", 0.1, OF_DIFFERENCE)
    assert targets["prison_sentenced"] == Target("prison_sentenced", 0.05, OF_DIFFERENCE)
    only, _ = make_precision("prison_sentenced=100", 20, 30, 3)
    assert only is not None
    assert only.targets == (Target("prison_sentenced", 100.0, IN_UNIT),)
    assert only.options() == "--precision prison_sentenced=100 --most-replications 30"
    as_number, _ = make_precision(0.00005, 5, None, 2)
    assert as_number is not None and as_number.text == "0.00005" and as_number.targets[0].amount == 0.00005


@pytest.mark.parametrize(
    ("given", "most", "message"),
    [
        ("prison_sentence=100", None, "did you mean 'prison_sentenced'? They are officers_over_110_share,"),
        ("shoes=100", None, "'shoes' is no headline measure. They are"),
        ("=5", None, "'' is no headline measure"),
        ("0", None, "'0' is not an amount above 0"),
        ("-0.05", None, "not an amount above 0"),
        ("", None, "not an amount above 0"),
        ("five", None, "not an amount above 0"),
        ("nan", None, "not an amount above 0"),
        ("1e-3", None, "not an amount above 0"),
        ("recalls_year=" + "9" * 400, None, "not an amount above 0"),
        ("1", None, "must be below 1 (100%), not 1"),
        ("recalls_year=150%", None, "must be below 1 (100%), not 150%"),
        ("0.1,0.2", None, "a share of every difference is given twice"),
        ("recalls_year=1,recalls_year=2", None, "recalls_year is given twice"),
        ("0.1", 9, "at least the 10 of the first look, not 9"),
        (None, 40, "only together with a precision"),
    ],
)
def test_bad_precision_has_one_clear_message(given: str | None, most: int | None, message: str) -> None:
    precision, problems = make_precision(given, 5, most, 2)
    assert precision is None
    assert len(problems) == 1 and message in problems[0]


def test_one_scenario_has_no_differences() -> None:
    _, problems = make_precision("0.1", 5, None, 1)
    assert problems == ["A precision is asked of differences: name a second scenario to compare with the first."]
