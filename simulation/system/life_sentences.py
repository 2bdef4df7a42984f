"""Life and other indeterminate sentences: no dates of their own, so they follow their published series."""

from __future__ import annotations

import numpy as np

from simulation.engine.chance import uniform_of
from simulation.engine.compiled import compiled
from simulation.system.codes import Kind, RecallKind, Status
from simulation.system.population import Population
from simulation.system.service import Array, Rows, Service


@compiled
def who_moves(
    for_life: Rows,
    pool: int,
    held: int,
    wanted: Rows,
    constant: np.uint64,
    key: Array,
    area: Array,
    person: Rows,
    status: Array,
) -> Rows:
    """Return who moves so that each area holds as many as are wanted: those with the lowest draws.

    Parameters
    ----------
    for_life : int array
        Indeterminate sentences.
    pool, held : int
        Status of those who may move, and of those who count as held. Where it is the same, people move out while
        there are too many; else in, while there are too few.
    wanted : int array (areas,)
        How many are to be held.
    constant : uint64
        Constant of the draw.
    """
    more = wanted.copy()
    for sentence in for_life:
        if status[sentence] == held:
            more[area[person[sentence]]] -= 1
    if pool == held:
        more = -more
    # A list of the lowest draws for each area, in order, as long as the number who move.
    begins = np.zeros(wanted.size + 1, dtype=np.intp)
    for place in range(wanted.size):
        begins[place + 1] = begins[place] + max(more[place], 0)
    used = begins[:-1].copy()
    chosen, draws = np.empty(begins[-1], dtype=np.intp), np.empty(begins[-1], dtype=np.float64)
    for sentence in for_life:
        if status[sentence] != pool:
            continue
        place = area[person[sentence]]
        first, last = begins[place], begins[place + 1]
        if first == last:
            continue
        draw = uniform_of(key[person[sentence]], constant, 0)
        if used[place] < last:
            put = used[place]
            used[place] += 1
        elif draw < draws[last - 1]:
            put = last - 1
        else:
            continue
        while put > first and draws[put - 1] > draw:
            chosen[put], draws[put] = chosen[put - 1], draws[put - 1]
            put -= 1
        chosen[put], draws[put] = sentence, draw
    size = 0
    for place in range(wanted.size):
        for at in range(begins[place], used[place]):
            chosen[size] = chosen[at]
            size += 1
    return chosen[:size]


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
            moving = who_moves(
                for_life,
                int(status),
                int(Status.CUSTODY if name == "unreleased" else Status.RECALLED),
                wanted,
                service.chance.constant("life sentence: " + name),
                people.key,
                people.area,
                sentences.person,
                sentences.status,
            )
            if moving.size == 0:
                continue
            moving.sort()
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
