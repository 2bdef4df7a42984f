"""Place: where a person is and how they are supervised, found from their live sentences.

One precedence table for the whole model. Prison comes before the community; a new sentence before a recall (a recalled
person serving a new sentence is counted under that sentence); licence before an order, an order before post-sentence
supervision, for it is the more demanding setting that decides contact and tariff.

The loops below follow each person's sentences from the latest back, and are compiled.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulation.engine import NEVER
from simulation.engine.compiled import AHEAD, compiled, compiled_inside, fetch_soon
from simulation.system.codes import Location, Setting, Status

Rows = NDArray[np.intp]
Array = NDArray[Any]


def _bit(status: int) -> int:
    return 1 << status


def _place(mask: int) -> int:
    if mask & _bit(Status.CUSTODY):
        return Location.SENTENCED
    if mask & _bit(Status.RECALLED):
        return Location.RECALLED
    if mask & _bit(Status.AT_LARGE):
        return Location.AT_LARGE
    if mask & ~_bit(Status.ENDED):
        return Location.COMMUNITY
    return Location.ENDED


def _setting(mask: int) -> int:
    if mask & (_bit(Status.CUSTODY) | _bit(Status.RECALLED)):
        return Setting.CUSTODY
    if mask & (_bit(Status.CURFEW) | _bit(Status.LICENCE) | _bit(Status.AT_LARGE)):
        return Setting.LICENCE
    if mask & _bit(Status.ORDER):
        return Setting.ORDER
    if mask & _bit(Status.SUPERVISION):
        return Setting.SUPERVISION
    return Setting.NONE


PLACE_OF = np.array([_place(mask) for mask in range(256)], dtype=np.int8)
SETTING_OF = np.array([_setting(mask) for mask in range(256)], dtype=np.int8)

_COURT, _COMMITTED, _DEAD = int(Location.COURT), int(Location.COMMITTED), int(Location.DEAD)
_COMMUNITY, _ENDED = int(Location.COMMUNITY), int(Location.ENDED)
# A compiled loop takes plain numbers, not the members of a class.
_ORDER, _CURFEW, _LICENCE, _SUPERVISION = Status.ORDER, Status.CURFEW, Status.LICENCE, Status.SUPERVISION


@compiled
def statuses_of(rows: Rows, latest: Rows, previous: Rows, status: Array) -> NDArray[np.uint8]:
    """Return the set of statuses of each person's sentences as bits."""
    found = np.empty(rows.size, dtype=np.uint8)
    for at in range(rows.size):
        mask = 0
        sentence = latest[rows[at]]
        while sentence >= 0:
            mask |= 1 << int(status[sentence])
            sentence = previous[sentence]
        found[at] = mask
    return found


@compiled
def statuses_of_all(people: int, person: Rows, status: Array) -> NDArray[np.uint8]:
    """Return the same for everybody, in one pass over the sentences given.

    Parameters
    ----------
    people : int
        How many people there are.
    person, status : int arrays (sentences,)
        Whose each sentence is, and where it stands.
    """
    found = np.zeros(people, dtype=np.uint8)
    for sentence in range(person.size):
        found[person[sentence]] |= 1 << int(status[sentence])
    return found


@compiled
def place_again(
    rows: Rows,
    today: int,
    location: Array,
    setting: Array,
    committed_until: Array,
    report_due: Array,
    latest: Rows,
    previous: Rows,
    status: Array,
    place_of: Array,
    setting_of: Array,
    found: NDArray[np.intp],
) -> int:
    """Write the place and setting of people still in the model; write who moved, from where and to where.

    People are given in row order, with repeats; the rows of ``found``, shape (3, people), are who moved, from where and
    to where. Returns how many moved.
    """
    size, end = 0, rows.size - 1
    for at in range(rows.size):
        # People first, and their latest sentences once these are known.
        soon, later = rows[min(at + AHEAD, end)], rows[min(at + 2 * AHEAD, end)]
        fetch_soon(latest, later)
        fetch_soon(location, later)
        fetch_soon(committed_until, later)
        sentence = max(latest[soon], 0)
        fetch_soon(status, sentence)
        fetch_soon(previous, sentence)
        row = rows[at]
        source = location[row]
        if source >= _DEAD or (at > 0 and row == rows[at - 1]):
            continue
        mask, sentence = 0, latest[row]
        while sentence >= 0:
            mask |= 1 << int(status[sentence])
            sentence = previous[sentence]
        place = place_of[mask]
        if committed_until[row] > today and place in (_COMMUNITY, _ENDED):
            place = _COMMITTED
        if place == _ENDED and report_due[row] != NEVER:
            place = _COURT
        setting[row] = setting_of[mask]
        if place != source:
            found[0, size] = row
            found[1, size] = source
            found[2, size] = place
            location[row] = place
            size += 1
    return size


@compiled_inside
def licence_of(sentence: int, previous: Rows, status: Array, expiry: Array) -> int:
    """Return the licence from which somebody is recalled, of their latest sentence and those before; -1 if none.

    That is the one on a tag, else the one that runs longest: recall ends liberty under all of them.
    """
    found = -1
    while sentence >= 0:
        stands = status[sentence]
        if stands in (_CURFEW, _LICENCE):
            tagged = found >= 0 and status[found] == _CURFEW
            if found < 0 or (not tagged and (stands == _CURFEW or expiry[sentence] > expiry[found])):
                found = sentence
        sentence = previous[sentence]
    return found


@compiled
def live_sentences(latest: Rows, previous: Rows, status: NDArray[np.int8], expiry: Array, rows: Rows) -> Rows:
    """Return the sentence that a failure touches: licence, else the latest order, else supervision; -1 if none.

    Of licences see :func:`licence_of`.
    """
    found = np.empty(rows.size, dtype=np.intp)
    for at in range(rows.size):
        fetch_soon(latest, rows[min(at + 2 * AHEAD, rows.size - 1)])
        soon = max(latest[rows[min(at + AHEAD, rows.size - 1)]], 0)
        fetch_soon(status, soon)
        fetch_soon(previous, soon)
        order, supervision = -1, -1
        sentence = latest[rows[at]]
        licence = licence_of(sentence, previous, status, expiry)
        while sentence >= 0 and licence < 0:
            stands = status[sentence]
            if stands == _ORDER and order < 0:
                order = sentence
            elif stands == _SUPERVISION and supervision < 0:
                supervision = sentence
            sentence = previous[sentence]
        if licence >= 0:
            found[at] = licence
        else:
            found[at] = order if order >= 0 else supervision
    return found
