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
from simulation.engine.compiled import AHEAD, compiled, fetch_soon
from simulation.engine.order import put_in_order
from simulation.system.codes import Kind, Location, Report, Writer
from simulation.system.diary_loops import urgency_of, work_queues
from simulation.system.hazards import group_of
from simulation.system.reception_loops import band_of
from simulation.system.service import COUNT_INDEX, Array, Rows
from simulation.system.waits import value_at

Days = NDArray[np.int32]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Counted = NDArray[np.int64]

# Rows of what is counted among the counts of the month.
_ORAL_REPORTS, _SHORT_REPORTS = COUNT_INDEX["reports_oral"], COUNT_INDEX["reports_short"]
_STANDARD_REPORTS, _REPORT_DAYS = COUNT_INDEX["reports_standard"], COUNT_INDEX["report_days"]
_LATE, _ON_REPORT = COUNT_INDEX["reports_late"], COUNT_INDEX["sentenced_on_report"]
_ORDER_ON_REPORT = COUNT_INDEX["orders_on_report"]
_PO_SECONDS, _PSO_SECONDS = COUNT_INDEX["report_seconds_po"], COUNT_INDEX["report_seconds_pso"]
_COMMUNITY_SENTENCES, _OF_RETURNERS = COUNT_INDEX["sentences_community"], COUNT_INDEX["sentences_of_returners"]

# A compiled loop takes plain numbers, not the members of a class.
_UNKNOWN, _COURT, _COMMUNITY = Location.UNKNOWN, Location.COURT, Location.COMMUNITY
_SENTENCED, _RECALLED, _COMMITTED = Location.SENTENCED, Location.RECALLED, Location.COMMITTED
_AT_LARGE = Location.AT_LARGE
_OVER, _DEAD = Location.ENDED, Location.DEAD
_NO_REPORT, _ORAL, _SHORT, _STANDARD = Report.NONE, Report.ORAL, Report.SHORT, Report.STANDARD
_SUSPENDED = Kind.SUSPENDED
_BY_PO, _BY_PSO, _ON_DUTY = Writer.PO, Writer.PSO, Writer.DUTY

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
    due_days: Days,
    key: Array,
    sentences: Array,
    location: Array,
    report: Array,
    report_asked: Array,
    report_due: Array,
    area: Array,
    services_constant: np.uint64,
    duty_constant: np.uint64,
    services_share: Floats,
    duty_share: float,
    report_time: NDArray[np.int64],
    first: int,
    queue_row: Rows,
    queue_area: Array,
    queue_seconds: Array,
    queue_due: Array,
    queue_writer: Array,
    found: NDArray[np.intp],
) -> tuple[int, int, int, int]:
    """Bring people before the court, and ask for a report on a share of them: it joins the queue of court teams.

    Parameters
    ----------
    share : float
        Share of cases that get a report.
    wanted_constant, kind_constant : uint64
        Constants of the draws of whether there is a report, and of which kind.
    edges : float array (kinds,)
        Upper edges of the shares of each kind of report.
    due_days : int array (kinds,)
        Day on which a report of each kind is due that is asked for today, by :class:`Report`.
    services_constant, duty_constant : uint64
        Constants of the draws of whether a services officer writes it, and whether an officer on court duty does.
    services_share : float array (kinds,)
        Share that services officers write, of each kind.
    duty_share : float
        Share written on court duty.
    report_time : int64 array (kinds,)
        Seconds that a report of each kind takes.
    first : int
        Row of the queue that the first of them takes; there is room for all.

    Returns how long the lists are that are written into ``found``, shape (4, rows), see
    :func:`simulation.system.custody_loops.lists_of`:

    referred : int array
        Those now before the court with this matter.
    asked, kinds : int arrays
        Those on whom a report is asked for, and of which kind.
    direct : int array
        Those sentenced without one.
    """
    referred, asked, kinds, direct = found[0], found[1], found[2], found[3]
    many, asking = 0, 0
    for at in range(rows.size):
        soon, row = rows[min(at + AHEAD, rows.size - 1)], rows[at]
        fetch_soon(location, soon)
        fetch_soon(report_due, soon)
        fetch_soon(report, soon)
        fetch_soon(area, soon)
        fetch_soon(key, soon)
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
            place = first + asking
            queue_row[place] = row
            queue_area[place] = area[row]
            queue_seconds[place] = report_time[kind]
            queue_due[place] = due_days[kind]
            queue_writer[place] = _BY_PO
            if uniform_of(key[row], duty_constant, number) < duty_share:
                queue_writer[place] = _ON_DUTY
            elif uniform_of(key[row], services_constant, number) < services_share[kind]:
                queue_writer[place] = _BY_PSO
            asking += 1
        else:
            direct[many - asking] = row
        report[row] = kind
        if location[row] == _UNKNOWN or location[row] == _OVER:
            location[row] = _COURT
        many += 1
    return many, asking, asking, many - asking


@compiled
def team_day(
    row: Rows,
    area: Array,
    seconds: Array,
    due: Array,
    writer: Array,
    today: int,
    capacity: NDArray[np.int64],
    owed_po: Array,
    owed_pso: Array,
    key: Array,
    report_due: Array,
    flows: Counted,
    waiting: Flags,
    served: Flags,
    on_duty: Rows,
) -> int:
    """Let every area's court team work through its queue for a day.

    Probation officers write theirs first; with time left they write what services officers didn't come to.

    Parameters
    ----------
    row, area, seconds, due, writer : int arrays (reports,)
        The queue.
    capacity : int64 array (areas, 2)
        Seconds that each area's team has today, by grade.
    owed_po, owed_pso : int arrays (areas,)
        What each area's officers have worked too long, and owe tomorrow; written here.
    flows : int64 array (counts, cells)
        Counts of the month.

    waiting, served : bool arrays (reports,)
        Written: which reports are still needed, and which of them were written.
    on_duty : int array (reports,)
        Written, from its front: reports due by today that an officer on court duty is to write.

    Returns
    -------
    int
        How many these last are.
    """
    size, areas = row.size, owed_po.size
    urgency = np.empty(size, dtype=np.uint64)
    server, time = np.full(size, -1, dtype=np.intp), np.empty(size, dtype=np.int64)
    waiting[:] = False
    served[:] = False
    needed, duties = 0, 0
    for at in range(size):
        soon = row[min(at + AHEAD, size - 1)]
        fetch_soon(report_due, soon)
        fetch_soon(key, soon)
        urgency[at] = urgency_of(0, int(due[at]), _mix(key[row[at]] + np.uint64(due[at])), today)
        time[at] = seconds[at]
        # Somebody sentenced or gone meanwhile needs no report.
        if report_due[row[at]] == NEVER:
            continue
        waiting[at] = True
        needed += 1
        if writer[at] != _ON_DUTY:
            server[at] = int(area[at]) * 2 + writer[at]
        elif due[at] <= today:
            on_duty[duties] = at
            duties += 1
    if needed == 0:
        # What is owed is made up for on a day without reports, too.
        for one in range(areas):
            owed_po[one] = max(0, int(owed_po[one]) - capacity[one, 0])
            owed_pso[one] = max(0, int(owed_pso[one]) - capacity[one, 1])
        return duties
    available = np.empty(areas * 2, dtype=np.int64)
    for one in range(areas):
        available[one * 2] = capacity[one, 0] - owed_po[one]
        available[one * 2 + 1] = capacity[one, 1] - owed_pso[one]
    written, used = work_queues(server, urgency, time, available)
    for at in range(size):
        left_over = waiting[at] and writer[at] == _BY_PSO and not written[at]
        server[at] = int(area[at]) if left_over else -1
    helped, more = work_queues(server, urgency, time, available[0::2] - used[0::2])
    for at in range(size):
        served[at] = written[at] or helped[at]
    for one in range(areas):
        by_po, by_pso = used[one * 2] + more[one], used[one * 2 + 1]
        owed_po[one] = max(0, by_po - available[one * 2])
        owed_pso[one] = max(0, by_pso - available[one * 2 + 1])
        flows[_PO_SECONDS, one * 2] += by_po
        flows[_PSO_SECONDS, one * 2] += by_pso
    return duties


@compiled
def deliver_reports(
    size: int,
    waiting: Flags,
    served: Flags,
    queue_row: Rows,
    queue_area: Array,
    queue_seconds: Array,
    queue_due: Array,
    queue_writer: Array,
    today: int,
    tomorrow: int,
    adjourned: int,
    cell: Array,
    report: Array,
    report_asked: Array,
    report_due: Array,
    flows: Counted,
    delivered: NDArray[np.intp],
) -> tuple[int, int]:
    """Take the reports written today, and those no longer needed, from the queue; find the days of the hearings.

    Parameters
    ----------
    size : int
        How many reports are in the queue: its columns, ``queue_row`` and so on, have room for more.
    waiting, served : bool arrays (reports,)
        Which are still needed, and which of these were written today.
    tomorrow, adjourned : int
        The next working day, and the day to which a hearing is put off whose report is late.
    flows : int64 array (counts, cells)
        Counts of the month.
    delivered : int array (2, reports)
        Written: people whose report was written today, in row order, and the day on which each is sentenced.

    Returns
    -------
    many, left : int
        How many people these are, and how many reports are left in the queue.
    """
    many, left = 0, 0
    for at in range(size):
        if served[at]:
            delivered[0, many] = queue_row[at]
            many += 1
        elif waiting[at]:
            queue_row[left] = queue_row[at]
            queue_area[left] = queue_area[at]
            queue_seconds[left] = queue_seconds[at]
            queue_due[left] = queue_due[at]
            queue_writer[left] = queue_writer[at]
            left += 1
    for at in range(left, size):
        queue_row[at], queue_area[at], queue_seconds[at], queue_due[at], queue_writer[at] = 0, 0, 0, 0, 0
    done, hearings = delivered[0, :many], delivered[1, :many]
    put_in_order(done)
    for at in range(many):
        soon, row = done[min(at + AHEAD, many - 1)], done[at]
        fetch_soon(report, soon)
        fetch_soon(report_due, soon)
        fetch_soon(cell, soon)
        kind, place = report[row], cell[row]
        if kind == _ORAL:
            flows[_ORAL_REPORTS, place] += 1
        elif kind == _SHORT:
            flows[_SHORT_REPORTS, place] += 1
        elif kind == _STANDARD:
            flows[_STANDARD_REPORTS, place] += 1
        flows[_REPORT_DAYS, place] += today - report_asked[row]
        if report_due[row] < today:
            flows[_LATE, place] += 1
            hearings[at] = max(adjourned, tomorrow)
        else:
            hearings[at] = max(int(report_due[row]), tomorrow)
    return many, left


@compiled
def decide_custody(
    rows: Rows,
    disposal_constant: np.uint64,
    share_of_new: float,
    share_of_returners: Floats,
    diverted: Floats,
    diverted_by_band: Floats,
    band_constant: np.uint64,
    band_edges: Floats,
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
    flows: Counted,
    found: NDArray[np.intp],
) -> tuple[int, int, int, int]:
    """Decide between custody and community; the court is done with these people.

    Whoever is in prison, or at large after a recall, goes to custody whatever was drawn.

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
    band_constant, band_edges : uint64, float array (bands,)
        Constant of the draw of that length, and upper edges of the shares of each band.
    ratio_by_report : float array (kinds,)
        Multiplies the share who go to custody, by kind of report.
    flows : int64 array (counts, cells)
        Counts of the month; sentences and orders on a report are counted here.

    Returns how long the lists are that are written into ``found``, shape (4, rows), see
    :func:`simulation.system.custody_loops.lists_of`:

    sentenced : int array
        Everybody sentenced: those still in the model.
    inside, outside : int arrays
        Those who go to custody, and those who don't.
    already : int array
        Those of the last who are under supervision in the community now.
    """
    sentenced, inside, outside, already = found[0], found[1], found[2], found[3]
    many, into_custody, supervised = 0, 0, 0
    end = rows.size - 1
    for at in range(rows.size):
        # People first, and their latest sentences once these are known.
        later, soon, row = rows[min(at + 2 * AHEAD, end)], rows[min(at + AHEAD, end)], rows[at]
        fetch_soon(latest, later)
        fetch_soon(location, later)
        fetch_soon(report, later)
        fetch_soon(key, later)
        if latest[soon] < 0:
            fetch_soon(disposal_draw, soon)
        else:
            fetch_soon(kind, latest[soon])
            fetch_soon(length, latest[soon])
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
        band = band_of(key[row], before + 1, band_constant, band_edges)
        share *= ratio_by_report[report[row]] * (1.0 - diverted[cell[row]]) * (1.0 - diverted_by_band[band])
        on_report = report[row] > _NO_REPORT
        if on_report:
            flows[_ON_REPORT, cell[row]] += 1
        place = location[row]
        held = place in (_SENTENCED, _RECALLED, _COMMITTED, _AT_LARGE)
        if held or uniform < share:
            inside[into_custody] = row
            into_custody += 1
        else:
            outside[many - into_custody] = row
            if on_report:
                flows[_ORDER_ON_REPORT, cell[row]] += 1
            if place == _COMMUNITY:
                already[supervised] = row
                supervised += 1
        report_asked[row] = NEVER
        report_due[row] = NEVER
        many += 1
    return many, into_custody, many - into_custody, supervised


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
    longest_suspended: int,
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
    suspended_group: int,
    flows: Counted,
    found: NDArray[np.intp],
    days_of: NDArray[np.int32],
) -> tuple[int, int]:
    """Write what orders of today say.

    Parameters
    ----------
    rows, made : int arrays
        Whose order it is, and its row among sentences; made as community orders.
    suspended_share, work_share : float
        Share of orders that are suspended sentences, and that ask for unpaid work alone.
    edges, lengths : arrays (choices,)
        Upper edges of the shares of each length, and the days that it lasts.
    longest_suspended : int
        Days that a suspended sentence order lasts at most.
    probabilities, lags : float arrays
        Quantiles of the days from offence to sentence, straight lines in between.
    suspended_group : int
        How far the cells of people with suspended sentences lie behind those of people with community orders; see
        :mod:`simulation.system.groups`.
    flows : int64 array (counts, cells)
        Counts of the month: of orders, and of those on people sentenced before.

    found, days_of : int arrays (2, orders)
        Written: people with community orders and people with suspended sentences, and how many days these last.

    Returns
    -------
    int, int
        How many people have community orders, and how many have suspended sentences.
    """
    community, suspended, community_days, suspended_days = found[0], found[1], days_of[0], days_of[1]
    others = 0
    for at in range(rows.size):
        row, order = rows[at], made[at]
        person, number = key[row], int(sentences[row])
        uniform = uniform_of(person, length_constant, number)
        choice = 0
        while choice < edges.size - 1 and edges[choice] <= uniform:
            choice += 1
        is_suspended = uniform_of(person, suspended_constant, number) < suspended_share
        days = min(int(lengths[choice]), longest_suspended) if is_suspended else int(lengths[choice])
        lag = value_at(uniform_of(person, offence_constant, number), probabilities, lags)
        offence[order] = today - int(lag)
        length[order] = days
        expiry[order] = today + days
        supervision_end[order] = today + days
        unpaid_work_only[order] = uniform_of(person, work_constant, number) < work_share
        place = int(cell[row])
        if is_suspended:
            kind[order] = _SUSPENDED
            place += suspended_group
            suspended[others] = row
            suspended_days[others] = days
            others += 1
        else:
            community[at - others] = row
            community_days[at - others] = days
        flows[_COMMUNITY_SENTENCES, place] += 1
        if number > 1:
            flows[_OF_RETURNERS, place] += 1
    return rows.size - others, others
