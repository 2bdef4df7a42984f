"""The toy caseload as one compiled loop: about the fastest these rules can run on one core.

Each officer has a heap of due contacts. It keeps the rules exactly, but a new rule means a new loop: nothing
here can be paused, saved, wired to another process or read by someone who doesn't program.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numba import njit

from benchmarks.toy import MINUTES_A_DAY, MISSED, Toy, main, make

GOLDEN, PER_OCCURRENCE = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD1342543DE82EF95)
M1, M2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
S30, S27, S31, S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)


@njit
def mix(value):
    value = (value ^ (value >> S30)) * M1
    value = (value ^ (value >> S27)) * M2
    return value ^ (value >> S31)


@njit
def replace_smallest(heap, first, last, entry):
    """Put an entry in the place of the smallest of heap[first:last] and restore the order."""
    at, size = 0, last - first
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        if child + 1 < size and heap[first + child + 1] < heap[first + child]:
            child += 1
        if heap[first + child] >= entry:
            break
        heap[first + at] = heap[first + child]
        at = child
    heap[first + at] = entry


@njit
def simulate(first_day, last_day, heap, begins, owed, weeks, minutes, visits, constant):
    """Run from one midnight to another and return the contacts made."""
    made = 0
    for today in range(first_day, last_day):
        if today % 7 > 4:
            continue
        for officer in range(owed.size):
            first, last = begins[officer], begins[officer + 1]
            left = MINUTES_A_DAY - owed[officer]
            while left > 0 and heap[first] >> 32 <= today:
                person = heap[first] & 0xFFFFFFFF
                left -= minutes[person]
                bits = mix(np.uint64(person) * GOLDEN + constant)
                bits = mix(bits + np.uint64(visits[person]) * PER_OCCURRENCE)
                visits[person] += 1
                came = (bits >> S11) * (1.0 / (1 << 53)) >= MISSED
                made += came
                due = today + 7 * (weeks[person] if came else 1)
                replace_smallest(heap, first, last, (due << 32) + person)
            owed[officer] = max(-left, 0)
    return made


def run(toy: Toy, stops: list[int]) -> Iterator[int]:
    """Yield the contacts made by each midnight."""
    entries = (toy.due << 32) + np.arange(toy.people)
    heap = entries[np.lexsort((entries, toy.officer))]  # sorted, so already a heap
    begins = np.searchsorted(toy.officer, np.arange(toy.officers + 1))
    owed, visits = np.zeros(toy.officers, np.int64), np.zeros(toy.people, np.int64)
    made, day = 0, 0
    for stop in stops:
        made += simulate(
            day, stop, heap, begins, owed, toy.weeks, toy.minutes, visits, toy.chance.constant("comes")
        )
        day = stop
        yield made


if __name__ == "__main__":
    list(run(make(450), [14]))  # compile before the clock starts
    main(run)
