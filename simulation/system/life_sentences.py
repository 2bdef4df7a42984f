"""Life and other indeterminate sentences: no dates of their own, so they follow their published series."""

from __future__ import annotations

import numpy as np

from simulation.system.codes import Kind, RecallKind, Status
from simulation.system.population import Population
from simulation.system.service import Service


class LifeSentences:
    """Indeterminate prisoners, their releases to life licence and recalls from it."""

    def __init__(self, service: Service, population: Population) -> None:
        self.service, self.population = service, population

    def follow_series(self) -> None:
        """Hold indeterminate prisoners to their published series: releases to life licence, and recalls from it.

        Who goes is settled by a draw that belongs to the person; each area follows its share of the series.
        """
        service, people, sentences = self.service, self.service.people, self.service.sentences
        for_life = np.flatnonzero(sentences.kind[: sentences.size] == Kind.INDETERMINATE)
        for status, name, into in (
            (Status.CUSTODY, "unreleased", Status.LICENCE),
            (Status.LICENCE, "recalled", Status.RECALLED),
        ):
            total = service.resolved.series_value(f"custody.indeterminate_{name}", service.today, 0)
            edges = np.round(np.concatenate([[0.0], np.cumsum(self.population.shares)]) * total).astype(
                np.int64
            )
            wanted = edges[1:] - edges[:-1]
            pool = for_life[sentences.status[for_life] == status]
            held = for_life[
                sentences.status[for_life] == (Status.CUSTODY if name == "unreleased" else Status.RECALLED)
            ]
            now = np.bincount(people.area[sentences.person[held]], minlength=service.areas)
            number = np.maximum(now - wanted if name == "unreleased" else wanted - now, 0)
            area = people.area[sentences.person[pool]]
            draws = service.chance.uniform(service.sentence_key(pool), "life sentence: " + name)
            order = np.lexsort((draws, area))
            starts = np.searchsorted(area[order], np.arange(service.areas))
            rank = np.arange(order.size) - starts[area[order]]
            moving = np.sort(pool[order[rank < number[area[order]]]])
            sentences.status[moving] = into
            person = np.sort(sentences.person[moving])
            if into == Status.LICENCE:
                sentences.released[moving] = service.today
                service.count("life_releases", person)
                service.tell("released on life licence", person)
            else:
                sentences.recall_kind[moving] = RecallKind.STANDARD
                sentences.returned[moving] = service.today
                service.tell("life licence recalled", person)
            service.refresh(person)
