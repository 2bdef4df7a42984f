"""Every law, in two processes: what the command ``verify`` shows."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from simulation.evidence.laws import Law, engine_laws, law
from simulation.evidence.limits import limit_laws
from simulation.evidence.model_laws import (
    Fingerprint,
    Inputs,
    area_alone,
    each,
    family,
    here_and_there,
    one_more_person,
    read_inputs,
    run_shortened,
    save_and_continue,
    use_inputs,
)
from simulation.evidence.year_laws import year


def all_laws(area: str, other: str, seed: int) -> list[Law]:
    """Try every law, half of them in a second process.

    Parameters
    ----------
    area, other : str
        Small areas to try the model on.
    seed : int
        Chooses the luck of the short runs.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        elsewhere = pool.submit(other_process, area, other, seed, read_inputs())
        laws: list[Law] = list(engine_laws())
        laws += limit_laws(area, seed)
        laws += each("scenarios run together", lambda: family(area, seed))
        laws += each("save and continue", lambda: save_and_continue(area, seed))
        name = "the same bytes in another process"
        try:
            theirs, there = elsewhere.result()
        except Exception as error:
            reason = str(error)
            return [*laws, law(name, lambda: _fail(reason))]
        laws += theirs
        laws.append(law(name, lambda: here_and_there(area, there, seed) if there else _fail("the run there failed")))
    return laws


def other_process(area: str, other: str, seed: int, inputs: Inputs) -> tuple[list[Law], Fingerprint | None]:
    """Do half of the work on the first process's inputs; called in a spawned process."""
    use_inputs(inputs)
    laws = [
        *each("a year of laws", lambda: year(area, seed)),
        *each("an area alone", lambda: area_alone(area, other, seed)),
        *each("one more person", lambda: one_more_person(area, other, seed)),
    ]
    try:
        return laws, run_shortened(area, seed)
    except Exception:
        # The other half of the work meets the same failure, and tells it.
        return laws, None


def _fail(reason: str) -> Law:
    raise RuntimeError(reason)


__all__ = ["all_laws"]
