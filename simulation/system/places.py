"""Prison places: what there is, and what is left."""

from __future__ import annotations

import numpy as np

from simulation.system.population import Population
from simulation.system.service import Service

#: Stocks that fill places.
PRISONERS = ("prison_determinate", "prison_recalled", "prison_indeterminate", "prison_outside")


class Places:
    """Usable places from their series, shared among areas like demand, and the headroom over prisoners."""

    def __init__(self, service: Service, population: Population) -> None:
        self.service, self.population = service, population

    def count(self) -> None:
        """Count places and headroom at the end of a month, once prisoners are counted; headroom may be negative."""
        service = self.service
        total = service.resolved.series_value("custody.usable_places", service.today, 0)
        edges = np.round(np.concatenate([[0.0], np.cumsum(self.population.shares)]) * total).astype(np.int64)
        areas = np.array(service.resolved.areas, dtype=np.int64)
        places = (edges[1:] - edges[:-1])[areas]
        held = sum(service.by_place(name).reshape(-1, 2).sum(axis=1) for name in PRISONERS)
        service.count_codes("prison_places", areas * 2, places)
        service.count_codes("prison_headroom", areas * 2, places - np.asarray(held)[areas])
