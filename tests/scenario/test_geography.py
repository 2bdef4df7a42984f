"""The map: areas, providers and the names that stand for them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from simulation.scenario import CRC, NPS, Geography, ScenarioError, load_geography


def names(geography: Geography, *wanted: str) -> set[str]:
    return {geography.areas[area] for area in geography.resolve(wanted)}


def test_there_are_42_areas_21_companies_and_7_divisions(geography: Geography) -> None:
    assert len(geography.areas) == len(set(geography.areas)) == 42
    assert Counter(provider.side for provider in geography.providers) == {NPS: 7, CRC: 21}
    assert len({provider.name for provider in geography.providers}) == 28
    assert 57_000 < geography.population_thousands.sum() < 60_000


def test_each_side_covers_every_area_once(geography: Geography) -> None:
    for side in (NPS, CRC):
        served = [area for p in geography.providers if p.side == side for area in p.areas]
        assert sorted(served) == list(range(42))


def test_provider_of_each_side(geography: Geography) -> None:
    london = geography.areas.index("london")
    assert geography.provider_name(london, NPS) == "nps_london"
    assert geography.provider_name(london, CRC) == "london_crc"
    lancashire = geography.areas.index("lancashire")
    assert geography.provider_name(lancashire, CRC) == "cumbria_and_lancashire"


@pytest.mark.parametrize(
    ("name", "areas"),
    [
        ("durham", {"durham"}),
        ("durham_tees_valley", {"durham", "cleveland"}),
        ("durham_tees_valley_crc", {"durham", "cleveland"}),
        ("wales", {"north_wales", "dyfed_powys", "south_wales", "gwent"}),
        ("nps_wales", {"north_wales", "dyfed_powys", "south_wales", "gwent"}),
        ("bench", {"bedfordshire", "northamptonshire", "cambridgeshire", "hertfordshire"}),
        ("west_midlands", {"west_midlands"}),
        ("west_midlands_region", {"west_midlands", "staffordshire", "warwickshire", "west_mercia"}),
        ("norfolk_and_suffolk_trust", {"norfolk", "suffolk"}),
        ("gwent,london", {"gwent", "london"}),
    ],
)
def test_names_stand_for_areas(geography: Geography, name: str, areas: set[str]) -> None:
    assert {geography.areas[area] for area in geography.resolve(name)} == areas


def test_only_one_name_means_different_areas_at_two_levels(geography: Geography) -> None:
    """The police force area of the West Midlands is smaller than its region; everywhere else names agree."""
    lists = geography.lists
    differing = {
        name
        for name in lists
        for suffix in ("_region", "_trust", "_crc")
        if name + suffix in lists and lists[name + suffix] != lists[name]
    }
    assert differing == {"west_midlands"}


def test_england_and_wales_make_the_whole(geography: Geography) -> None:
    assert names(geography, "england", "wales") == set(geography.areas) == names(geography, "all")
    assert not names(geography, "england") & names(geography, "wales")


def test_all_names_resolve_to_sorted_areas(geography: Geography) -> None:
    for name in geography.lists:
        areas = geography.resolve([name])
        assert areas
        assert list(areas) == sorted(set(areas))


def test_unknown_names_are_all_told_with_the_nearest(geography: Geography) -> None:
    with pytest.raises(ScenarioError) as error:
        geography.resolve(["Devon and Cornwall", "durham", "Kentt"])
    assert [problem.hint for problem in error.value.problems] == [
        "did you mean 'devon_and_cornwall'?",
        "did you mean 'kent'?",
    ]


def test_cells(geography: Geography) -> None:
    assert geography.cells(None, None) is None
    assert geography.cells(["all"], None) is None
    wales = geography.cells(["wales"], None)
    assert wales is not None and wales.sum() == 8
    companies = geography.cells(None, ["crc"])
    assert companies is not None and companies[:, CRC].all() and not companies[:, NPS].any()
    both = geography.cells(["wales", "london"], ["nps_london"])
    assert both is not None and np.argwhere(both).tolist() == [[geography.areas.index("london"), NPS]]


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"areas.csv: \[unreadable\]"):
        load_geography(tmp_path)


def test_a_code_without_a_provider_is_told(tmp_path: Path) -> None:
    data = Path(__file__).parents[2] / "scenarios" / "data"
    (tmp_path / "providers.csv").write_text((data / "providers.csv").read_text("utf-8"), "utf-8")
    areas = (data / "areas.csv").read_text("utf-8").replace("cumbria,C02", "cumbria,C99")
    (tmp_path / "areas.csv").write_text(areas, "utf-8")
    with pytest.raises(ScenarioError, match=r"areas.csv:3:1: \[unknown_provider\] crc_code 'C99'"):
        load_geography(tmp_path)
