"""The starting population: survivors of the past, found by sentence arithmetic alone (the thin pass).

No diaries and no contacts are worked: past arrivals are carried to day 0 through orders, custody, home detention
curfew, licence, post-sentence supervision and recall at its mean rate. A full burn-in then fills the diaries.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulation.engine import NEVER
from simulation.engine.calendar import YEAR_DAYS
from simulation.system.codes import Kind, Parole, RecallKind, Status
from simulation.system.population import GROUPS, Arrivals, Population
from simulation.system.quantiles import draw
from simulation.system.service import Service

Array = NDArray[np.generic]


#: People looked at together: what is worked out for so many stays near the processor.
_BLOCK = 16384
_OF_SURVIVORS = (
    "over",
    "group",
    "kind",
    "status",
    "length",
    "remand",
    "offence",
    "custody_end",
    "expiry",
    "supervision_end",
    "curfew_from",
    "extended",
    "recalled",
)


class Survivors:
    """Past sentences still running on day 0: parallel arrays, one sentence a person."""

    @staticmethod
    def among(population: Population, arrivals: Arrivals, service_from: int) -> Survivors:
        """Return the survivors of past arrivals, found block by block.

        Parameters
        ----------
        population : Population
            For draws and levers.
        arrivals : Arrivals
            Everybody sentenced before the run who might still be under sentence.
        service_from : int
            Offences from this day on bring supervision after sentences under 12 months.
        """
        starts = range(0, max(arrivals.key.size, 1), _BLOCK)
        blocks = [
            Survivors(population, arrivals.take(slice(start, start + _BLOCK)), service_from) for start in starts
        ]
        joined = blocks[0]
        joined.arrivals = Arrivals.join([block.arrivals for block in blocks])
        for name in _OF_SURVIVORS:
            setattr(joined, name, np.concatenate([getattr(block, name) for block in blocks]))
        return joined

    def __init__(self, population: Population, arrivals: Arrivals, service_from: int) -> None:
        levers, chance, calendar = population.levers, population.chance, population.calendar
        keys, day = arrivals.key, arrivals.day
        cut = population.custody_cut(arrivals, past=True)
        draws = chance.uniform(keys, "disposal")
        years = (calendar.month(day) // 12).astype(np.int64)
        band = population.length_band(keys, years, 4096)
        # Those drawn from far back were all given long custody.
        far = ((keys >> np.uint64(40)) & np.uint64(15)) == 1
        uniform = chance.uniform(keys, "custody: long ago band")
        long_shares = np.zeros(keys.size)
        for year in np.unique(years[far]):
            shares = population.demand.length_shares(int(year))
            long_shares[far & (years == year)] = shares[4] / (shares[3] + shares[4])
        band = np.where(far, np.where(uniform < long_shares, 4, 3), band)
        custody = far | (draws < cut)
        found, place = np.unique(years, return_inverse=True)
        shares = np.array([population.demand.suspended_share(year) for year in found.tolist()])
        suspended = chance.uniform(keys, "order: suspended", 4096) < shares[place]
        length = np.where(
            custody, population.length_days(keys, band, 4096), population.order_days(keys, 4096, suspended)
        )
        remand = np.where(custody, population.remand_days(keys, 4096), 0)
        extended = (
            custody
            & (length >= levers.number("custody.extended_from_years") * 365.25)
            & (chance.uniform(keys, "custody: extended", 4096) < levers.number("custody.extended_share"))
        )
        fraction = np.where(
            extended,
            levers.number("custody.extended_release_fraction"),
            levers.number("custody.release_fraction"),
        )
        custody_days = np.ceil(length * fraction).astype(np.int64)
        custody_end = np.maximum(day, day + custody_days - remand - 1)
        expiry = np.maximum(custody_end, day + length - remand)
        offence = day - draw(
            levers.mapping("courts.offence_to_sentence_days"), chance.uniform(keys, "offence", 4096)
        ).astype(np.int64)
        reform = service_from
        short = length < 365
        limit = levers.number("supervision.pss.sentence_upper_limit_months") * 365.25 / 12
        reformed = (offence >= reform) & (length > 1) & (length < limit) & ~extended
        total = int(levers.number("supervision.pss.total_months_after_release") * 365.25 / 12)
        supervision_end = np.where(custody & reformed, np.maximum(expiry, custody_end + total), expiry)
        unsupervised = custody & short & (offence < reform)
        expiry = np.where(unsupervised, custody_end, expiry)
        supervision_end = np.where(unsupervised, custody_end, supervision_end)

        # Orders that failed on the way, people who came back to court meanwhile, and deaths.
        fail = chance.uniform(keys, "thin pass: order fails")
        failed_at = day + length * chance.uniform(keys, "thin pass: when it fails")
        gone = (
            ~custody & (fail < 1 - levers.number("supervision.court_order_success_share")) & (failed_at <= 0)
        )
        group = population.group_of(custody, band)
        rates = levers.mapping("population.thinning_rate")
        rate = np.array([rates.get(label, 0.0) for label in GROUPS])[group]
        free_since = np.where(custody, custody_end, day)
        superseded = (free_since < 0) & (
            chance.exponential(keys, "thin pass: superseded") < rate * (0 - free_since) / 365.25
        )
        deportation = levers.mapping("population.deportation_share")
        deported = chance.uniform(keys, "deportation") < np.array([deportation[label] for label in GROUPS])[group]
        removed = custody & deported & (custody_end <= 0)
        over = np.where(gone, failed_at.astype(np.int64), np.where(custody, supervision_end, day + length))
        live = (over > 0) & ~superseded & ~removed
        # People whose supervision is over may still come back: they are kept, at liberty.
        longest = levers.number("community.reoffending_years") * YEAR_DAYS
        at_liberty = (over <= 0) & (free_since > -longest) & ~superseded & ~removed

        # Home detention curfew at the start.
        on_tag_share = levers.number("population.thin_pass_curfew_share")
        eligible = (
            custody
            & (length >= levers.number("custody.hdc.min_sentence_weeks") * 7)
            & (length < levers.number("custody.hdc.max_sentence_years") * 365.25)
            & (custody_days >= levers.number("custody.hdc.min_custodial_period_days"))
        )
        half = np.ceil(custody_days * levers.number("custody.hdc.min_share_of_custodial_period_served"))
        most = levers.number("custody.hdc.max_days")
        least = np.maximum(levers.number("custody.hdc.min_days_served"), half)
        from_day = (day - remand + np.where(custody_days < 2 * most, least, custody_days - most)).astype(np.int64)
        curfew_from = np.where(eligible, from_day, NEVER)
        excluded = population.excluded_from_curfew(keys, group)
        tagged = (
            eligible
            & ~excluded
            & ~deported
            & (chance.uniform(keys, "thin pass: curfew") < on_tag_share)
            & (np.maximum(from_day, day) + levers.integer("population.thin_pass_curfew_days") <= 0)
            & (custody_end > 0)
        )

        status = np.where(
            ~custody,
            Status.ORDER,
            np.where(
                custody_end > 0,
                np.where(tagged, Status.CURFEW, Status.CUSTODY),
                np.where(expiry > 0, Status.LICENCE, Status.SUPERVISION),
            ),
        ).astype(np.int8)
        recalled = (status == Status.LICENCE) & (
            chance.uniform(keys, "thin pass: recalled") < levers.number("population.thin_pass_recalled_share")
        )
        status[recalled] = Status.RECALLED
        status[at_liberty] = Status.ENDED

        keep = np.flatnonzero(live | at_liberty)
        self.over = over[keep]
        self.arrivals = Arrivals(keys[keep], arrivals.area[keep], day[keep])
        self.group = group[keep]
        self.kind = np.where(
            custody, Kind.DETERMINATE, np.where(suspended, Kind.SUSPENDED, Kind.COMMUNITY_ORDER)
        ).astype(np.int8)[keep]
        self.status = status[keep]
        self.length, self.remand, self.offence = length[keep], remand[keep], offence[keep]
        self.custody_end = np.where(custody, custody_end, NEVER)[keep]
        self.expiry = np.where(custody, expiry, day + length)[keep]
        self.supervision_end = np.where(custody, supervision_end, day + length)[keep]
        self.curfew_from = curfew_from[keep]
        self.extended = extended[keep]
        self.recalled = (recalled & live)[keep]


def seat(
    service: Service,
    survivors: Survivors,
    rows: NDArray[np.intp],
    indeterminate_rows: NDArray[np.intp],
    on_recall: NDArray[np.bool_],
) -> NDArray[np.intp]:
    """Give the starting people their sentences; return the rows of sentences.

    Parameters
    ----------
    service : Service
        Tables to write to.
    survivors : Survivors
        Sentences that reach day 0.
    rows : int array
        Row of people for each survivor.
    indeterminate_rows : int array
        Rows of indeterminate prisoners.
    on_recall : bool array
        Which of those are on recall.
    """
    sentences, chance = service.sentences, service.chance
    made = service.new_sentences(rows, survivors.kind, survivors.status)
    sentences.imposed[made] = survivors.arrivals.day
    for name in (
        "length",
        "remand",
        "offence",
        "custody_end",
        "expiry",
        "supervision_end",
        "curfew_from",
        "extended",
    ):
        getattr(sentences, name)[made] = getattr(survivors, name)
    released = survivors.status >= Status.CURFEW
    ended = survivors.status == Status.ENDED
    service.people.last_seen[rows[ended]] = survivors.over[ended]
    sentences.released[made] = np.where(
        released & (survivors.custody_end != NEVER), np.minimum(survivors.custody_end, -1), NEVER
    )
    again = made[survivors.recalled]
    sentences.recalls[again] = 1
    sentences.recall_kind[again] = RecallKind.STANDARD
    sentences.parole[again] = Parole.DECIDED
    keys = service.sentence_key(again)
    sentences.returned[again] = (
        -draw(
            service.levers.mapping("recall.standard_days"), chance.uniform(keys, "thin pass: recall age")
        ).astype(np.int32)
        // 2
    )
    work_only = service.levers.number("courts.unpaid_work_only_share")
    orders = made[survivors.status == Status.ORDER]
    sentences.unpaid_work_only[orders] = (
        chance.uniform(service.sentence_key(orders), "order: unpaid work only", 4096) < work_only
    )

    for_life = service.new_sentences(
        indeterminate_rows,
        np.full(indeterminate_rows.size, Kind.INDETERMINATE, dtype=np.int8),
        np.where(on_recall, Status.RECALLED, Status.CUSTODY).astype(np.int8),
    )
    sentences.imposed[for_life] = -1000
    sentences.length[for_life] = 36525
    for name in ("custody_end", "expiry", "supervision_end"):
        getattr(sentences, name)[for_life] = 36525
    sentences.recall_kind[for_life[on_recall]] = RecallKind.STANDARD
    return np.concatenate([made, for_life])
