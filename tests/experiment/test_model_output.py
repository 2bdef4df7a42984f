"""The table in the columns of scenario hubs: the same figures as the others, a row a value."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from simulation.experiment import Study, StudyResult
from simulation.experiment.model_output import ALL_AREAS, MODEL_OUTPUT_SCHEMA, QUANTILES
from simulation.scenario import Resolved

MakeScenario = Callable[..., Resolved]
MakeStudy = Callable[..., Study]


def read(result: StudyResult) -> pl.DataFrame:
    return pl.read_csv(result.folder / "model_output.csv", schema=MODEL_OUTPUT_SCHEMA)


def test_it_says_what_the_other_tables_say(finished: StudyResult) -> None:
    rows = read(finished)
    assert rows.unique(subset=rows.columns[:-1]).height == rows.height
    assert set(rows["location"]) == {ALL_AREAS}
    for headline in finished.differences.filter(pl.col("headline")).to_dicts():
        about = rows.filter(
            pl.col("target") == headline["measure"],
            pl.col("first_month") == headline["first_month"],
            pl.col("last_month") == headline["last_month"],
        )
        for scenario, compared, column in (
            ("base", None, "baseline"),
            ("more", None, "value"),
            ("more", "base", "difference"),
        ):
            here = about.filter(pl.col("scenario_id") == scenario, pl.col("compared_with").eq_missing(compared))
            by_kind = {kind: part for (kind,), part in here.group_by("output_type", maintain_order=True)}
            samples = by_kind["sample"]["value"].to_numpy()
            assert by_kind["sample"]["output_type_id"].to_list() == ["0", "1", "2"]
            assert by_kind["mean"]["value"].to_list() == pytest.approx([headline[column]])
            assert by_kind["median"]["value"][0] == pytest.approx(np.median(samples))
            assert by_kind["quantile"]["output_type_id"].to_list() == [f"{level:g}" for level in QUANTILES]
            assert by_kind["quantile"]["value"].to_list() == pytest.approx(np.quantile(samples, QUANTILES).tolist())


def test_bands_are_shares_that_add_up_to_one(finished: StudyResult) -> None:
    bands = read(finished).filter(pl.col("output_type") == "pmf")
    assert bands["value"].to_list() == finished.distributions["share"].to_list()
    assert bands["output_type_id"].to_list() == [str(band) for band in finished.distributions["band"]]
    sums = bands.group_by("scenario_id", "target").agg(pl.col("value").sum())
    assert sums["value"].to_list() == pytest.approx([1.0] * sums.height)


def test_samples_with_one_number_share_their_luck(finished: StudyResult) -> None:
    """A level of the scenario less that of the baseline is the difference of the same number."""
    rows = read(finished).filter(pl.col("output_type") == "sample").drop("unit", "location", "output_type")
    keys = ["target", "first_month", "last_month", "output_type_id"]
    levels = rows.filter(pl.col("compared_with").is_null())
    pairs = (
        levels.filter(pl.col("scenario_id") == "more")
        .join(levels.filter(pl.col("scenario_id") == "base"), on=keys, suffix="_base")
        .join(rows.filter(pl.col("compared_with") == "base"), on=keys, suffix="_difference")
    )
    assert pairs.height > 20
    # Each figure has nine significant digits of its own.
    wanted = (pairs["value"] - pairs["value_base"]).to_numpy()
    np.testing.assert_allclose(pairs["value_difference"].to_numpy(), wanted, atol=1e-6 * pairs["value"].max())


def test_one_scenario_has_levels_and_the_whole_country_is_named(
    make_study: MakeStudy, make_scenario: MakeScenario
) -> None:
    result = make_study(make_scenario("base", areas=("all",)), replications=1).run(quiet=True)
    rows = read(result)
    assert rows["compared_with"].null_count() == rows.height
    assert set(rows["location"]) == {"england_and_wales"}
    assert set(rows["output_type"]) == {"mean", "median", "quantile", "sample", "pmf"}


def test_the_order_of_rows_does_not_hang_on_how_many_scenarios_there_are(
    make_study: MakeStudy, make_scenario: MakeScenario, finished: StudyResult
) -> None:
    """Scenarios are compared one after the other; the rows of one are the same in whatever company."""
    three = make_study(make_scenario("base"), make_scenario("more", 50), make_scenario("extra", 9)).run(quiet=True)
    assert read(three).filter(pl.col("scenario_id") != "extra").equals(read(finished))
