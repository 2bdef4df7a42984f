"""What courts decide, case by case: compiled loops that read each person once.

The rules are written here as plain conditions on one person; :mod:`simulation.system.courts` says when they apply,
tells the history and plans what follows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulation.engine import NEVER
from simulation.engine.chance import mix, uniform_of
from simulation.engine.compiled import compiled
from simulation.system.codes import Kind, Location, Report
from simulation.system.diary_loops import urgency_of
from simulation.system.hazards import group_of
from simulation.system.service import Array, Rows
from simulation.system.waits import value_at

Days = NDArray[np.int32]
Floats = NDArray[np.float64]

#: What is counted when reports are delivered; rows of the array of counts that the loop fills.
COUNTED_REPORTS = ("reports_oral", "reports_short", "reports_standard", "report_days", "reports_late")
_ORAL_REPORTS, _SHORT_REPORTS, _STANDARD_REPORTS, _REPORT_DAYS, _LATE = range(len(COUNTED_REPORTS))

# A compiled loop takes plain numbers, not the members of a class.
_UNKNOWN, _COURT, _COMMUNITY = Location.UNKNOWN, Location.COURT, Location.COMMUNITY
_OVER, _DEAD = Location.ENDED, Location.DEAD
_NO_REPORT, _ORAL, _SHORT, _STANDARD = Report.NONE, Report.ORAL, Report.SHORT, Report.STANDARD
_SUSPENDED = Kind.SUSPENDED

# The same lines for one number.
_mix: Any = compiled(mix)


@compiled
def refer_people(
    rows: Rows,
    today: int,
    share: float,
    wanted_constant: np.uint64,
    kind_constant: np.uint64,
    edges: Floats,
    due_days: NDArray[np.int64],
    key: Array,
    sentences: Array,
    location: Array,
    report: Array,
    report_asked: Array,
    report_due: Array,
) -> tuple[Rows, Rows, NDArray[np.intp], Rows]:
    """Bring people before the court, and ask for a report on a share of them.

    Parameters
    ----------
    share : float
        Share of cases that get a report.
    wanted_constant, kind_constant : uint64
        Constants of the draws of whether there is a report, and of which kind.
    edges : float array (kinds,)
        Upper edges of the shares of each kind of report.
    due_days : int64 array (kinds,)
        Day on which a report of each kind is due that is asked for today, by :class:`Report`.

    Returns
    -------
    referred : int array
        Those now before the court with this matter.
    asked, kinds : int arrays
        Those on whom a report is asked for, and of which kind.
    direct : int array
        Those sentenced without one.
    """
    referred, asked = np.empty_like(rows), np.empty_like(rows)
    kinds, direct = np.empty_like(rows), np.empty_like(rows)
    many, asking = 0, 0
    for row in rows:
        # Somebody already before the court brings the new matter to the same hearing.
        if location[row] >= _DEAD or report_due[row] != NEVER:
            continue
        referred[many] = row
        number = int(sentences[row]) + 1
        kind = _NO_REPORT
        if uniform_of(key[row], wanted_constant, number) < share:
            uniform = uniform_of(key[row], kind_constant, number)
            kind = _ORAL
            while kind < edges.size and edges[kind - _ORAL] <= uniform:
                kind += 1
            report_asked[row] = today
            report_due[row] = due_days[kind]
            asked[asking] = row
            kinds[asking] = kind
            asking += 1
        else:
            direct[many - asking] = row
        report[row] = kind
        if location[row] == _UNKNOWN or location[row] == _OVER:
            location[row] = _COURT
        many += 1
    return referred[:many], asked[:asking], kinds[:asking], direct[: many - asking]


@compiled
def open_reports(
    row: Rows,
    area: Array,
    due: Array,
    today: int,
    key: Array,
    report_due: Array,
) -> tuple[Rows, NDArray[np.uint64]]:
    """Return the team that writes each report of the queue, -1 where it isn't needed any more, and its urgency."""
    team = np.empty(row.size, dtype=np.intp)
    urgency = np.empty(row.size, dtype=np.uint64)
    for at in range(row.size):
        # Somebody sentenced or gone meanwhile needs no report.
        team[at] = area[at] if report_due[row[at]] != NEVER else -1
        urgency[at] = urgency_of(0, int(due[at]), _mix(key[row[at]] + np.uint64(due[at])), today)
    return team, urgency


@compiled
def deliver_reports(
    done: Rows,
    today: int,
    tomorrow: int,
    adjourned: int,
    cell: Array,
    report: Array,
    report_asked: Array,
    report_due: Array,
    counted: NDArray[np.int64],
) -> Days:
    """Return the day on which each person is sentenced whose report was written today.

    Parameters
    ----------
    tomorrow, adjourned : int
        The next working day, and the day to which a hearing is put off whose report is late.
    counted : int64 array (counts, cells)
        Counts, filled here; see :data:`COUNTED_REPORTS`.
    """
    hearings = np.empty(done.size, dtype=np.int32)
    for at in range(done.size):
        row = done[at]
        kind, place = report[row], cell[row]
        if kind == _ORAL:
            counted[_ORAL_REPORTS, place] += 1
        elif kind == _SHORT:
            counted[_SHORT_REPORTS, place] += 1
        elif kind == _STANDARD:
            counted[_STANDARD_REPORTS, place] += 1
        counted[_REPORT_DAYS, place] += today - report_asked[row]
        if report_due[row] < today:
            counted[_LATE, place] += 1
            hearings[at] = max(adjourned, tomorrow)
        else:
            hearings[at] = max(int(report_due[row]), tomorrow)
    return hearings


@compiled
def decide_custody(
    rows: Rows,
    disposal_constant: np.uint64,
    share_of_new: float,
    share_of_returners: Floats,
    diverted: Floats,
    diverted_by_band: Floats,
    band: NDArray[np.int64],
    ratio_by_report: Floats,
    report: Array,
    key: Array,
    sentences: Array,
    cell: Array,
    location: Array,
    disposal_draw: Floats,
    report_asked: Array,
    report_due: Array,
    latest: Rows,
    kind: Array,
    length: Array,
) -> tuple[Rows, Rows, Rows, Rows]:
    """Decide between custody and community; the court is done with these people.

    Parameters
    ----------
    share_of_new : float
        Share of the newly convicted who go to custody.
    share_of_returners : float array (groups,)
        The same of those who return, by what they had last.
    diverted : float array (cells,)
        Share kept out of custody, by where people live and who supervises them.
    diverted_by_band : float array (bands,)
        Share of the others kept out of custody, by length of the custody that they would have had.
    band : int64 array
        Band of that length, of each person.
    ratio_by_report : float array (kinds,)
        Multiplies the share who go to custody, by kind of report.

    Returns
    -------
    sentenced : int array
        Everybody sentenced: those still in the model.
    inside, outside : int arrays
        Those who go to custody, and those who don't.
    already : int array
        Those of the last who are under supervision in the community now.
    """
    sentenced, inside = np.empty_like(rows), np.empty_like(rows)
    outside, already = np.empty_like(rows), np.empty_like(rows)
    many, into_custody, supervised = 0, 0, 0
    for at in range(rows.size):
        row = rows[at]
        if location[row] >= _DEAD:
            continue
        sentenced[many] = row
        before = int(sentences[row])
        if before > 0:
            uniform = uniform_of(key[row], disposal_constant, before + 1)
            last = latest[row]
            share = share_of_returners[group_of(int(kind[last]), int(length[last]))]
        else:
            uniform = disposal_draw[row]
            share = share_of_new
        # One draw and one line: whoever is diverted stood next to it, within a band as over all of them.
        share *= ratio_by_report[report[row]] * (1.0 - diverted[cell[row]]) * (1.0 - diverted_by_band[band[at]])
        if uniform < share:
            inside[into_custody] = row
            into_custody += 1
        else:
            outside[many - into_custody] = row
            if location[row] == _COMMUNITY:
                already[supervised] = row
                supervised += 1
        report_asked[row] = NEVER
        report_due[row] = NEVER
        many += 1
    return sentenced[:many], inside[:into_custody], outside[: many - into_custody], already[:supervised]


@compiled
def write_orders(
    rows: Rows,
    made: Rows,
    today: int,
    suspended_constant: np.uint64,
    length_constant: np.uint64,
    offence_constant: np.uint64,
    work_constant: np.uint64,
    suspended_share: float,
    work_share: float,
    edges: Floats,
    lengths: Days,
    probabilities: Floats,
    lags: Floats,
    key: Array,
    sentences: Array,
    cell: Array,
    kind: Array,
    offence: Array,
    length: Array,
    expiry: Array,
    supervision_end: Array,
    unpaid_work_only: Array,
    imposed: NDArray[np.int64],
    on_returners: NDArray[np.int64],
) -> tuple[Rows, Days, Rows, Days]:
    """Write what orders of today say.

    Parameters
    ----------
    rows, made : int arrays
        Whose order it is, and its row among sentences; made as community orders.
    suspended_share, work_share : float
        Share of orders that are suspended sentences, and that ask for unpaid work alone.
    edges, lengths : arrays (choices,)
        Upper edges of the shares of each length, and the days that it lasts.
    probabilities, lags : float arrays
        Quantiles of the days from offence to sentence, straight lines in between.
    imposed, on_returners : int64 arrays (cells,)
        Counts of orders, and of those on people sentenced before.

    Returns
    -------
    community, community_days, suspended, suspended_days : int arrays
        People with community orders, how long these last, and the same of suspended sentences.
    """
    community, suspended = np.empty_like(rows), np.empty_like(rows)
    community_days = np.empty(rows.size, dtype=np.int32)
    suspended_days = np.empty(rows.size, dtype=np.int32)
    others = 0
    for at in range(rows.size):
        row, order = rows[at], made[at]
        person, number = key[row], int(sentences[row])
        uniform = uniform_of(person, length_constant, number)
        choice = 0
        while choice < edges.size - 1 and edges[choice] <= uniform:
            choice += 1
        days = lengths[choice]
        lag = value_at(uniform_of(person, offence_constant, number), probabilities, lags)
        offence[order] = today - int(lag)
        length[order] = days
        expiry[order] = today + days
        supervision_end[order] = today + days
        unpaid_work_only[order] = uniform_of(person, work_constant, number) < work_share
        if uniform_of(person, suspended_constant, number) < suspended_share:
            kind[order] = _SUSPENDED
            suspended[others] = row
            suspended_days[others] = days
            others += 1
        else:
            community[at - others] = row
            community_days[at - others] = days
        imposed[cell[row]] += 1
        if number > 1:
            on_returners[cell[row]] += 1
    ordered = rows.size - others
    return community[:ordered], community_days[:ordered], suspended[:others], suspended_days[:others]
