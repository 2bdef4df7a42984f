"""The map: 42 police force areas, and every named list of them.

The police force area is the atom. Community Rehabilitation Companies (CRC), divisions of the National
Probation Service (NPS), the twelve regions of 2021 and the old trusts are named lists of areas; a provider is
only the employer of the posts in an area.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from simulation.scenario.problems import Problem, ScenarioError, did_you_mean, quote, shown_path

NPS, CRC = 0, 1
"""The two sides of every area, as column numbers of a grid."""

SIDES = ("nps", "crc")

DATA = Path(__file__).resolve().parents[2] / "scenarios" / "data"


@dataclass(frozen=True)
class Provider:
    """One organisation that employed probation staff from 2014 to 2021.

    Parameters
    ----------
    name : str
        Identifier, such as ``nps_north_west`` or ``cumbria_and_lancashire``.
    code : str
        Code of the row in ``providers.csv`` (C01 to C21, N01 to N07).
    title : str
        Name as printed.
    side : int
        0 for the National Probation Service, 1 for a Community Rehabilitation Company.
    owner, operating_model : str
        Owner in 2015, and the operating model it used.
    caseload : int
        People supervised in mid-2017, approximately.
    areas : tuple of int
        Indices of its areas.
    """

    name: str
    code: str
    title: str
    side: int
    owner: str
    operating_model: str
    caseload: int
    areas: tuple[int, ...]


@dataclass(frozen=True)
class Geography:
    """Areas, providers and the named lists of areas. Everything is in the order of ``areas.csv``.

    Parameters
    ----------
    areas : tuple of str
        Names of the police force areas.
    population_thousands : numpy.ndarray of int64, shape (areas,)
        Residents in mid-2017, in thousands.
    crc, nps_division : tuple of str
        Provider of each side in each area.
    region, trust, settlement : tuple of str
        Probation region of 2021, trust of 2010, and ``urban``, ``mixed`` or ``rural``.
    providers : tuple of Provider
        The 21 CRCs, then the 7 NPS divisions.

    Examples
    --------
    >>> geography = load_geography()
    >>> [geography.areas[area] for area in geography.resolve("durham_tees_valley")]
    ['durham', 'cleveland']
    >>> geography.provider_name(0, 1)
    'northumbria_crc'
    """

    areas: tuple[str, ...]
    population_thousands: NDArray[np.int64]
    crc: tuple[str, ...]
    nps_division: tuple[str, ...]
    region: tuple[str, ...]
    trust: tuple[str, ...]
    settlement: tuple[str, ...]
    providers: tuple[Provider, ...]
    _provider_aliases: Mapping[str, str] = field(repr=False)

    def provider_name(self, area: int, side: int) -> str:
        """Name of the provider of one side (0 NPS, 1 CRC) in one area."""
        return self.nps_division[area] if side == NPS else self.crc[area]

    @cached_property
    def lists(self) -> dict[str, tuple[int, ...]]:
        """Every name that stands for areas, with their indices.

        A name used at several levels means the smallest: ``west_midlands`` is the police force area, and
        ``west_midlands_region`` the probation region of four areas.
        """
        everywhere = tuple(range(len(self.areas)))
        wales = tuple(i for i in everywhere if self.region[i] == "wales")
        lists: dict[str, tuple[int, ...]] = {name: (i,) for i, name in enumerate(self.areas)}
        for column, suffix in ((self.trust, "_trust"), (self.region, "_region")):
            for name in dict.fromkeys(column):
                rows = tuple(i for i in everywhere if column[i] == name)
                lists.setdefault(name, rows)
                lists[name + suffix] = rows
        for provider in self.providers:
            lists.setdefault(provider.name, provider.areas)
        for alias, name in self._provider_aliases.items():
            lists.setdefault(alias, self.provider(name).areas)
        lists["wales"] = wales
        lists["england"] = tuple(i for i in everywhere if i not in wales)
        lists["all"] = lists["england_and_wales"] = everywhere
        return lists

    @cached_property
    def _by_name(self) -> dict[str, Provider]:
        return {provider.name: provider for provider in self.providers}

    def provider(self, name: str) -> Provider:
        """The provider of that name; a CRC may be named without its ``_crc``."""
        return self._by_name[self._provider_aliases.get(name, name)]

    def provider_names(self) -> tuple[str, ...]:
        """Every name a list of providers may hold, ``nps`` and ``crc`` (all of a side) included."""
        return (*SIDES, *self._by_name, *self._provider_aliases)

    def resolve(self, names: str | Iterable[str]) -> tuple[int, ...]:
        """Turn any mix of names into sorted area indices.

        Parameters
        ----------
        names : str or iterable of str
            Areas, CRCs, NPS divisions, regions of 2021, trusts, ``wales``, ``england`` or ``all``. One string
            may hold several names parted by commas.

        Returns
        -------
        tuple of int
            Sorted, each once.

        Raises
        ------
        ScenarioError
            A name stands for nothing; the message gives the nearest that does.
        """
        wanted = names.split(",") if isinstance(names, str) else list(names)
        found: set[int] = set()
        problems = []
        for name in wanted:
            key = name.strip()
            if key in self.lists:
                found.update(self.lists[key])
            elif key or not isinstance(names, str) or len(wanted) == 1:
                problems.append(self.unknown_area(key))
        if problems:
            raise ScenarioError(problems)
        return tuple(sorted(found))

    def unknown_area(self, name: str) -> Problem:
        """The problem with a name that stands for no area."""
        return Problem(
            "unknown_area",
            f"no area, provider, region or trust is called {quote(name)}",
            hint=did_you_mean(name, self.lists) or "use a police force area such as 'durham', or 'all'",
        )

    def unknown_provider(self, name: str) -> Problem:
        """The problem with a name that stands for no provider."""
        names = self.provider_names()
        both = (f"nps_{name}", f"{name}_crc")
        if all(each in names for each in both):
            text = f"{quote(name)} could be either side's provider"
            return Problem("unknown_provider", text, hint=f"did you mean '{both[0]}' or '{both[1]}'?")
        return Problem(
            "unknown_provider",
            f"no provider is called {quote(name)}",
            hint=did_you_mean(name, names)
            or "use a provider such as 'nps_london', or 'nps' or 'crc' for all of them",
        )

    def cells(self, areas: Iterable[str] | None, providers: Iterable[str] | None) -> NDArray[np.bool_] | None:
        """Which areas and sides a change reaches.

        Parameters
        ----------
        areas, providers : iterable of str or None
            Names as in a scenario file; None means no limit. With both, a cell must be in both.

        Returns
        -------
        numpy.ndarray of bool, shape (areas, 2), or None
            None when there is no limit at all.
        """
        if areas is None and providers is None:
            return None
        shape = (len(self.areas), len(SIDES))
        inside = np.ones(shape, dtype=np.bool_)
        if areas is not None:
            chosen = np.zeros(len(self.areas), dtype=np.bool_)
            chosen[list(self.resolve(areas))] = True
            inside &= chosen[:, None]
        if providers is not None:
            served = np.zeros(shape, dtype=np.bool_)
            problems = []
            for name in providers:
                if name in SIDES:
                    served[:, SIDES.index(name)] = True
                elif name in self._by_name or name in self._provider_aliases:
                    provider = self.provider(name)
                    served[list(provider.areas), provider.side] = True
                else:
                    problems.append(self.unknown_provider(name))
            if problems:
                raise ScenarioError(problems)
            inside &= served
        return None if inside.all() else inside


def snake_case(title: str) -> str:
    """Turn a printed name into an identifier: ``Norfolk & Suffolk`` to ``norfolk_and_suffolk``."""
    return re.sub(r"[^a-z0-9]+", "_", title.lower().replace("&", " and ")).strip("_")


@lru_cache(maxsize=4)
def load_geography(folder: Path | None = None) -> Geography:
    """Read ``areas.csv`` and ``providers.csv``.

    Parameters
    ----------
    folder : Path, optional
        Folder holding both; ``scenarios/data`` by default.

    Raises
    ------
    ScenarioError
        A file is missing or a row names a provider that isn't there.
    """
    folder = DATA if folder is None else folder
    area_rows = _rows(folder / "areas.csv")
    provider_rows = _rows(folder / "providers.csv")
    areas = tuple(row["police_area"] for row in area_rows)
    region = tuple(row["region_2021"] for row in area_rows)
    trust = tuple(row["trust_2010"] for row in area_rows)

    taken = {*areas, *region, *trust, "wales", "england"}
    divisions = {f"nps_{snake_case(row['name'])}" for row in provider_rows if row["kind"] == "NPS"}
    names: dict[str, str] = {}
    aliases: dict[str, str] = {}
    for row in provider_rows:
        plain = snake_case(row["name"])
        if row["kind"] == "NPS":
            names[row["code"]] = f"nps_{plain}"
            continue
        # A CRC often shares its name with an area or trust; results would then mix the two up.
        names[row["code"]] = f"{plain}_crc" if plain in taken else plain
        alias = plain if plain in taken else f"{plain}_crc"
        # ``london`` and ``wales`` could be either side's provider, so neither is an alias.
        if f"nps_{alias}" not in divisions:
            aliases[alias] = names[row["code"]]

    for number, row in enumerate(area_rows, start=2):
        for code in ("crc_code", "nps_division_code"):
            if row[code] not in names:
                file = shown_path(folder / "areas.csv")
                text = f"{code} {quote(row[code])} is no code in providers.csv"
                raise ScenarioError([Problem("unknown_provider", text, file, number, 1)])

    crc = tuple(names[row["crc_code"]] for row in area_rows)
    division = tuple(names[row["nps_division_code"]] for row in area_rows)
    providers = []
    for row in provider_rows:
        side = NPS if row["kind"] == "NPS" else CRC
        column = division if side == NPS else crc
        name = names[row["code"]]
        providers.append(
            Provider(
                name=name,
                code=row["code"],
                title=row["name"],
                side=side,
                owner=row["owner_2015"],
                operating_model=row["operating_model"],
                caseload=int(row["caseload_central"]),
                areas=tuple(i for i, served in enumerate(column) if served == name),
            )
        )
    population = np.array([int(row["population_2017_thousands"]) for row in area_rows], dtype=np.int64)
    population.flags.writeable = False
    return Geography(
        areas=areas,
        population_thousands=population,
        crc=crc,
        nps_division=division,
        region=region,
        trust=trust,
        settlement=tuple(row["settlement"] for row in area_rows),
        providers=tuple(providers),
        _provider_aliases=aliases,
    )


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except OSError as error:
        text = f"the file can't be read: {error.strerror}"
        raise ScenarioError([Problem("unreadable", text, shown_path(path))]) from error
