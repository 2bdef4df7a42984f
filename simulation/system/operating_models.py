"""Operating models: which provider works how, and what each model says about contact.

Every value that differs from owner to owner is a table by operating model. Here it is turned into one number for each
area and side, through the provider responsible there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulation.system.codes import CRC, SIDES
from simulation.system.mode_loops import Ways
from simulation.system.service import Service

_EXCEPTIONAL = ("face_to_face", "doorstep", "video")


def operating_models(service: Service) -> list[list[str]]:
    """Return the operating model in force in each area on each side.

    One model where the service is one; the successor's where a company has failed.
    """
    levers, geography = service.levers, service.geography
    models = levers.mapping("organisation.operating_model")
    unified = levers.grid("organisation.unified") > 0.5
    failed = levers.grid("contracts.provider_failed") > 0.5
    successor = levers.text("contracts.successor_model")

    def model_of(area: int, side: int) -> str:
        if unified[area, side]:
            return "unified"
        return successor if side == CRC and failed[area, side] else models[geography.provider_name(area, side)]

    return [[model_of(area, side) for side in range(len(SIDES))] for area in range(service.areas)]


def by_operating_model(service: Service, names: list[list[str]], parameter: str) -> NDArray[np.float64]:
    """Return a parameter that is given by operating model for each area and side."""
    values = service.levers.mapping(parameter)
    return np.array([[values[model] for model in row] for row in names], dtype=np.float64)


def entry_by_model(service: Service, names: list[list[str]], parameter: str, entry: str) -> NDArray[np.float64]:
    """Return one entry of a parameter that is a table for each operating model, by cell."""
    values = service.levers.mapping(parameter)
    found = np.array([[values[model][entry] for model in row] for row in names], dtype=np.float64)
    return service.levers.in_cells(found)


def provider_cases(service: Service) -> NDArray[np.float64]:
    """Return the cases of the provider in each area and side in mid-2017: its size, by resident population."""
    geography = service.geography
    size = {provider.name: float(provider.caseload) for provider in geography.providers}
    names = [[geography.provider_name(area, side) for side in range(len(SIDES))] for area in range(service.areas)]
    residents = np.asarray(geography.population_thousands, dtype=np.float64)
    total: dict[str, float] = {}
    for area, row in enumerate(names):
        for name in row:
            total[name] = total.get(name, 0.0) + float(residents[area])
    return np.array([[size[name] * residents[area] / total[name] for name in row] for area, row in enumerate(names)])


def read_ways(
    service: Service, names: list[list[str]], models: NDArray[np.int8], hub_open: NDArray[np.bool_]
) -> Ways:
    """Return how contacts are made today.

    Parameters
    ----------
    service : Service
        With the levers of the day.
    names : list of list of str
        Operating model by area and side.
    models : int8 array (cells,)
        The same as the workload tool numbers them.
    hub_open : bool array (cells,)
        Where the hub has agents.
    """
    levers, chance = service.levers, service.chance
    by_model = lambda name: levers.in_cells(by_operating_model(service, names, name))  # noqa: E731
    pressed = lambda entry: entry_by_model(service, names, "contact.under_pressure", entry)  # noqa: E731
    call = pressed("to_call")
    group = call + pressed("to_group")
    exceptional = levers.mapping("contact.exceptional_mode_share")
    floor = levers.cells("contact.face_to_face_floor_days")
    shortest = levers.integer("contact.face_to_face_floor_least_days")
    return Ways(
        model=models,
        floor=np.where(floor >= 1, np.maximum(floor, shortest), 0.0),
        floor_ahead=levers.integer("contact.face_to_face_floor_ahead_days"),
        home=np.column_stack(
            [entry_by_model(service, names, "contact.home_visit_share", risk) for risk in ("other", "high")]
        ),
        group=by_model("contact.group_share"),
        video=by_model("contact.video_share"),
        booth=by_model("contact.open_booth_share"),
        exceptional=levers.cells("contact.exceptional_delivery") > 0.5,
        exceptional_cuts=np.cumsum(
            [[float(exceptional[risk][mode]) for mode in _EXCEPTIONAL] for risk in ("other", "high")], axis=1
        ),
        call_cut=call,
        group_cut=group,
        hub_cut=group + pressed("to_hub"),
        hub_open=hub_open,
        hub=levers.in_cells(np.arange(service.areas * len(SIDES)).reshape(-1, len(SIDES))),
        cover=by_model("contact.cover_share"),
        team=by_model("contact.team_share"),
        place=chance.constant("way of contact"),
        pressure=chance.constant("visit under pressure"),
        whom=chance.constant("who makes the contact"),
    )
