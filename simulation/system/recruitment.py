"""Recruitment: how a vacant post gets its next holder, by advertisement, from the CRC, from an agency or by training.

Every established post without a permanent holder is on a search of three stages: advertisement to offer, vetting, and
notice to the first day. A candidate may drop out at the end of each; the search then begins again. Meanwhile an agency
officer may sit in the post. Trainees begin in cohorts, outside the establishment, and take a vacancy once qualified.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable

import numpy as np

from simulation.engine import NEVER, Column, Table
from simulation.engine.calendar import MONTH_DAYS
from simulation.engine.chance import logarithms
from simulation.system import officers
from simulation.system.bodies import Bodies
from simulation.system.codes import NPS, SIDES, Grade, Place, Stage, Terms
from simulation.system.quantiles import quantile_tables
from simulation.system.recruitment_loops import draw_holders, go_a_stage_further, seat_holders, stage_days
from simulation.system.service import Array, Rows, Service

#: Trainees of an area are in no post of the establishment: their rows have keys of their own.
_TRAINING_CHANNEL = 10
_STAGES = ("advert", "vetting", "start")
_MILLIONTHS = 1_000_000


def training_table(areas: int) -> Table:
    """Return the table of training: what is carried over between cohorts, and training places made."""
    columns = [
        Column("owed", "int64", "millionths of a trainee", "Carried over from cohorts before."),
        Column("places", "int64", "count", "Training places made so far."),
    ]
    table = Table("training", columns, areas)
    table.add(areas)
    return table


def cohorts_table(areas: int) -> Table:
    """Return the table of trainees asked for: a row for each area and month of the year in which a cohort begins."""
    table = Table("training_cohorts", [Column("asked", "int64", "millionths of a trainee", "Asked for.")], areas * 12)
    table.add(areas * 12)
    return table


class Recruitment:
    """The searches for the next holder of every post.

    Parameters
    ----------
    service : Service
        All state.
    release : callable
        Hands over the cases of posts' holders and empties the posts.
    bodies : Bodies
        Which areas recruit together.
    """

    def __init__(self, service: Service, release: Callable[[Rows], None], bodies: Bodies) -> None:
        self.service, self.release, self.bodies = service, release, bodies
        service.agenda("recruitment", service.posts.capacity)
        service.agenda("agency", service.posts.capacity)
        service.agenda("qualifies", service.posts.capacity)
        service.table("training", training_table(service.areas))
        service.table("training_cohorts", cohorts_table(service.areas))

    def read(self) -> None:
        """Take the levers of the day."""
        levers = self.service.levers
        self.bodies.read()
        months = levers.mapping("staff.recruitment.stage_months")
        # A local employer hires as companies did, without the vetting of the civil service.
        employers = ("crc", "crc") if levers.number("organisation.local_hiring") > 0.5 else SIDES
        tables = quantile_tables([months[side][name] for side in employers for name in _STAGES])
        #: Quantiles of the months of each stage, as probabilities and values (side, stage, quantile).
        self.shares, self.months = (table.reshape(len(SIDES), len(_STAGES), -1) for table in tables)
        drop_out = levers.mapping("staff.recruitment.drop_out")
        self.drop_out = np.array([drop_out[name] for name in _STAGES], dtype=np.float64)
        self.delay = float(levers.number("staff.recruitment.delay_multiplier"))
        self.reduced_days = int(levers.number("staff.newly_qualified.reduction_months") * MONTH_DAYS)
        self.services_days = int(levers.number("staff.pso.training_months") * MONTH_DAYS)
        self.agency_share = levers.grid("staff.agency.share_of_vacancies")
        self.agency_days = levers.integer("staff.agency.days_to_desk")
        self.full_time = round(levers.number("workload.full_time_hours") * 100)
        self.part_time_share = levers.grid("staff.part_time.share")
        self.part_time_hours = round(levers.number("staff.part_time.hours") * 100)
        facility = levers.mapping("staff.facility_time")
        self.facility_share, self.facility_of_hours = float(facility["share_of_officers"]), float(facility["of_hours"])

    # --- Searches ---------------------------------------------------------------------------------------------

    def days_of(self, rows: Rows, stage: int) -> Array:
        """Return how long a stage of each search takes, in days."""
        posts, length = self.service.posts, self.service.chance.constant("months of recruitment")
        return stage_days(
            rows, stage, self.shares, self.months, self.delay, length, posts.key, posts.employer, posts.adverts
        )

    def advertise(self, rows: Rows) -> None:
        """Begin a search for each post; an agency officer may come meanwhile."""
        if rows.size == 0:
            return
        service, posts = self.service, self.service.posts
        self.search(rows)
        posts.vacant_since[rows] = service.today
        share = self.agency_share[posts.area[rows], posts.employer[rows]]
        covered = rows[service.chance.uniform(posts.key[rows], "agency cover", posts.adverts[rows]) < share]
        service.agendas["agency"].put(covered, service.today + 1 + self.agency_days)

    def search(self, rows: Rows) -> None:
        """Advertise, for the first time or again."""
        posts = self.service.posts
        posts.adverts[rows] += 1
        posts.stage[rows] = Stage.ADVERT
        self.service.agendas["recruitment"].put(rows, self.service.today + 1 + self.days_of(rows, Stage.ADVERT))

    def advance(self, rows: Rows) -> None:
        """Take each search a stage further, back to its beginning if the candidate drops out, or to its end."""
        if rows.size == 0:
            return
        service, posts = self.service, self.service.posts
        lost, searching, days, starting = go_a_stage_further(
            rows,
            service.today,
            self.shares,
            self.months,
            self.drop_out,
            self.delay,
            service.chance.constant("months of recruitment"),
            service.chance.constant("candidate drops out"),
            posts.key,
            posts.employer,
            posts.stage,
            posts.adverts,
        )
        if lost.size:
            service.count_codes("candidates_lost", self.codes(lost))
        service.agendas["recruitment"].put(searching, days)
        self.start(starting)

    def start(self, rows: Rows) -> None:
        """New holders begin: from the area's CRC for a share of NPS posts, else from outside."""
        if rows.size == 0:
            return
        service, posts, levers = self.service, self.service.posts, self.service.levers
        rows = self.bodies.where_needed(rows)
        self.release(rows[posts.filled[rows] == 1])
        share = levers.grid("staff.recruitment.share_from_crc")[posts.area[rows], 0]
        poached = (posts.employer[rows] == NPS) & (
            service.chance.uniform(posts.key[rows], "comes from the CRC", posts.adverts[rows]) < share
        )
        poached[poached] = [self.move_from_crc(post) for post in rows[poached].tolist()]
        service.count_codes("joiners", self.codes(rows[~poached]))
        service.count_codes("posts_filled", self.codes(rows))
        service.count_codes("fill_days", self.codes(rows), service.today - posts.vacant_since[rows])
        self.seat(rows, Terms.PERMANENT)
        posts.grade[rows] = posts.post_grade[rows]
        # Probation officers come qualified and experienced; services officers have training to do.
        new = rows[(posts.grade[rows] == Grade.PSO) & ~poached]
        posts.new_until[new] = service.today + self.services_days
        self.stop(rows)

    def stop(self, rows: Rows) -> None:
        """End the search for holders."""
        posts, agendas = self.service.posts, self.service.agendas
        posts.stage[rows] = Stage.NONE
        posts.vacant_since[rows] = NEVER
        agendas["recruitment"].cancel(rows)
        agendas["agency"].cancel(rows)

    def codes(self, rows: Rows) -> Array:
        """Return area x 2 + side of posts."""
        posts = self.service.posts
        return posts.area[rows].astype(np.int64) * 2 + posts.employer[rows]

    def move_from_crc(self, post: int) -> bool:
        """Take an officer of the same grade who is at work in the area's CRC; tell whether there was one."""
        service, posts = self.service, self.service.posts
        found = officers.who_would_move(
            post,
            posts.size,
            service.today,
            service.levers.integer("staff.recruitment.from_crc_after_days"),
            posts.area,
            posts.employer,
            posts.filled,
            posts.terms,
            posts.post_grade,
            posts.covered,
            posts.away_until,
            posts.sick_until,
            posts.since,
            posts.hours_left,
            posts.cases,
        )
        if found < 0:
            return False
        chosen = np.array([found], dtype=np.intp)
        service.count_codes("moves_crc_to_nps", np.array([int(posts.area[post]) * 2 + NPS]))
        self.release(chosen)
        self.advertise(chosen)
        return True

    # --- Holders ----------------------------------------------------------------------------------------------

    def seat(self, rows: Rows, terms: int) -> None:
        """Seat a new holder in each post, with draws of their own."""
        service, posts = self.service, self.service.posts
        seat_holders(
            rows,
            service.today,
            terms,
            posts.holder,
            posts.filled,
            posts.terms,
            posts.since,
            posts.present_days,
            posts.sick_spells,
            posts.new_until,
            posts.qualifies_on,
            posts.leaving_hazard,
            posts.pressure,
        )
        self.draw_holder(rows)

    def draw_holder(self, rows: Rows) -> None:
        """Draw what goes with a holder: when they leave at the earliest, contracted hours, facility time."""
        chance, posts = self.service.chance, self.service.posts
        draw_holders(
            rows,
            chance.constant("leaving"),
            chance.constant("part time"),
            chance.constant("facility time"),
            self.part_time_share,
            self.part_time_hours,
            self.full_time,
            self.facility_share,
            self.facility_of_hours,
            logarithms(),
            posts.key,
            posts.area,
            posts.employer,
            posts.holder,
            posts.terms,
            posts.leaving_threshold,
            posts.hours,
            posts.facility,
        )

    # --- Agency -----------------------------------------------------------------------------------------------

    def cover(self, rows: Rows) -> None:
        """Agency officers sit down in posts that are still vacant."""
        if rows.size == 0:
            return
        posts = self.service.posts
        rows = rows[(posts.filled[rows] == 0) & (posts.place[rows] == Place.ESTABLISHED) & (posts.closed[rows] == 0)]
        if rows.size == 0:
            return
        self.service.count_codes("agency_starts", self.codes(rows))
        self.seat(rows, Terms.AGENCY)
        posts.grade[rows] = posts.post_grade[rows]

    # --- Trainees ---------------------------------------------------------------------------------------------

    def cohorts(self, shares: Array) -> None:
        """On the first of a month: begin the cohort that is due, and ask for the one that begins months ahead.

        Parameters
        ----------
        shares : float array (areas,)
            Share of the country's trainees that each area gets.
        """
        service = self.service
        when, process = service.calendar.date(service.today), service.levers.integer("staff.trainee.process_months")
        if when.day != 1:
            return
        training, asked = service.tables["training"], self.asked(when.month)
        training.owed[: service.areas] += asked
        asked[:] = 0
        if self.is_cohort(when.month):
            self.begin_training(service.today)
        begins = when.year * 12 + when.month - 1 + process
        if self.is_cohort(when.month + process) and begins >= self.first_cohort():
            self.asked(when.month + process)[:] = self.wanted(shares)

    def first_cohort(self) -> int:
        """Return the month in which the programme's first cohort begins, in months since year 0; none before it."""
        first = datetime.date.fromisoformat(self.service.levers.text("staff.trainee.first_cohort"))
        # A cohort begins on the first of a month.
        return first.year * 12 + first.month - (1 if first.day == 1 else 0)

    def asked(self, month: int) -> Array:
        """Return the trainees asked for in each area for the cohort of a month, counted from January of some year."""
        return self.service.tables["training_cohorts"].asked[(month - 1) % 12 : self.service.areas * 12 : 12]

    def is_cohort(self, month: int) -> bool:
        """Tell whether a cohort begins in a month, counted from January of some year."""
        levers = self.service.levers
        apart = max(1, 12 // max(1, levers.integer("staff.trainee.cohorts_per_year")))
        return (month - levers.integer("staff.trainee.cohort_month")) % apart == 0

    def wanted(self, shares: Array) -> Array:
        """Return the trainees of a cohort who will hold cases, by area, in millionths."""
        levers = self.service.levers
        a_year = levers.number("staff.trainee.starts_per_year") * levers.number("staff.trainee.case_holding_share")
        each = a_year / max(1, levers.integer("staff.trainee.cohorts_per_year"))
        return np.round(shares * each * _MILLIONTHS).astype(np.int64)

    def begin_training(self, since: int) -> Rows:
        """Seat the trainees whom areas are owed, in training places that are free or new."""
        service, posts = self.service, self.service.posts
        training, made = service.tables["training"], [np.empty(0, dtype=np.intp)]
        for area in service.resolved.areas:
            number = int(training.owed[area]) // _MILLIONTHS
            training.owed[area] -= number * _MILLIONTHS
            free = np.flatnonzero(
                (posts.area[: posts.size] == area)
                & (posts.place[: posts.size] == Place.TRAINING)
                & (posts.filled[: posts.size] == 0)
            )[:number]
            made += [free, self.new_places(area, number - free.size)]
        rows = np.sort(np.concatenate(made))
        self.seat(rows, Terms.PERMANENT)
        posts.since[rows] = since
        posts.grade[rows] = Grade.TRAINEE
        months = service.levers.mapping("staff.trainee.programme_months")
        uniform = service.chance.uniform(posts.key[rows], "length of training", posts.holder[rows])
        short = uniform < months["share_short"]
        length = np.where(short, months["short"], months["long"]) * MONTH_DAYS
        posts.qualifies_on[rows] = since + length.astype(np.int32)
        service.agendas["qualifies"].put(rows, np.maximum(posts.qualifies_on[rows], service.today))
        service.count_codes("trainees_started", self.codes(rows) if since >= 0 else np.empty(0, dtype=np.int64))
        return rows

    def new_places(self, area: int, number: int) -> Rows:
        """Make training places, one in each of the area's offices in turn."""
        posts, training = self.service.posts, self.service.tables["training"]
        rows = posts.add(max(number, 0))
        if rows.size == 0:
            return rows
        index = int(training.places[area]) + np.arange(rows.size)
        training.places[area] += rows.size
        mine = posts.office[: rows[0]][posts.area[: rows[0]] == area]
        first, last = int(mine.min()), int(mine.max())
        posts.key[rows] = (
            (np.uint64(area) << np.uint64(44))
            | (np.uint64(_TRAINING_CHANNEL) << np.uint64(40))
            | index.astype(np.uint64)
        )
        posts.area[rows], posts.employer[rows], posts.holder[rows] = area, NPS, -1
        posts.office[rows] = first + index % (last - first + 1)
        posts.place[rows], posts.post_grade[rows] = Place.TRAINING, Grade.PO
        return rows

    def qualify(self, rows: Rows) -> None:
        """Trainees become probation officers, with reduced work at first."""
        if rows.size == 0:
            return
        service, posts = self.service, self.service.posts
        rows = rows[(posts.filled[rows] == 1) & (posts.grade[rows] == Grade.TRAINEE)]
        if rows.size == 0:
            return
        posts.grade[rows] = Grade.PO
        posts.qualifies_on[rows] = NEVER
        posts.new_until[rows] = service.today + self.reduced_days
        service.count_codes("trainees_qualified", self.codes(rows))

    def qualified(self) -> Array:
        """Return which posts are training places of officers who have qualified."""
        posts, size = self.service.posts, self.service.posts.size
        return (posts.place[:size] == Place.TRAINING) & (posts.filled[:size] == 1) & (posts.grade[:size] == Grade.PO)

    def place_qualified(self) -> None:
        """Those who have qualified take vacant posts of their area, longest vacant first, whose search ends.

        The officer's row becomes the established one and the vacant row a training place, so that no case moves.
        """
        service, posts = self.service, self.service.posts
        size, ready = posts.size, self.qualified()
        for area in np.unique(posts.area[:size][ready]).tolist():
            waiting = np.flatnonzero(ready & (posts.area[:size] == area))
            open_ = np.flatnonzero(
                (posts.area[:size] == area)
                & (posts.place[:size] == Place.ESTABLISHED)
                & (posts.employer[:size] == NPS)
                & (posts.post_grade[:size] == Grade.PO)
                & (posts.vacant_since[:size] != NEVER)
            )
            # Posts with nobody in them before those that an agency officer holds.
            order = np.lexsort([open_, posts.vacant_since[open_], posts.filled[open_]])
            taken = open_[order][: waiting.size]
            officers_ = waiting[: taken.size]
            if taken.size == 0:
                continue
            service.count_codes("posts_filled", self.codes(taken))
            service.count_codes("fill_days", self.codes(taken), service.today - posts.vacant_since[taken])
            self.release(taken[posts.filled[taken] == 1])
            self.stop(taken)
            posts.place[taken], posts.place[officers_] = Place.TRAINING, Place.ESTABLISHED
            # They go where the vacancy was and keep their cases.
            posts.office[taken], posts.office[officers_] = posts.office[officers_], posts.office[taken]
        self.bodies.place_qualified(self)

    # --- The first day ----------------------------------------------------------------------------------------

    def begin(self, shares: Array) -> None:
        """Put vacancies of the start part of the way through their search, and seat trainees of earlier cohorts."""
        service, posts, chance = self.service, self.service.posts, self.service.chance
        rows = np.flatnonzero(posts.filled[: posts.size] == 0)
        posts.adverts[rows] = 1
        lengths = np.stack([self.days_of(rows, stage) + 1 for stage in (Stage.ADVERT, Stage.VETTING, Stage.START)])
        left = chance.uniform(posts.key[rows], "part of the search left at the start")
        gone = (lengths.sum(axis=0) * (1 - left)).astype(np.int32)
        ends = np.cumsum(lengths, axis=0)
        stage = np.minimum((gone >= ends).sum(axis=0), 2)
        posts.stage[rows] = stage + 1
        posts.vacant_since[rows] = -gone
        service.agendas["recruitment"].put(rows, np.maximum(ends[stage, np.arange(rows.size)] - gone, 0))
        training = service.tables["training"]
        every = np.arange(service.areas, dtype=np.uint64)
        key = (every << np.uint64(44)) | (np.uint64(_TRAINING_CHANNEL) << np.uint64(40)) | np.uint64(65535)
        training.owed[: service.areas] = chance.uniform(key, "part of a trainee at the start") * _MILLIONTHS
        self.earlier_cohorts(shares)

    def earlier_cohorts(self, shares: Array) -> None:
        """Seat trainees who began before the first day, and ask for the cohort that is being recruited on it."""
        service, levers = self.service, self.service.levers
        training, start = service.tables["training"], service.resolved.start
        first = self.first_cohort()
        longest = int(levers.mapping("staff.trainee.programme_months")["long"])
        process = levers.integer("staff.trainee.process_months")
        now = start.year * 12 + start.month - 1
        for number in range(now - longest, now + process):
            when = datetime.date(number // 12, number % 12 + 1, 1)
            if number < first or not self.is_cohort(when.month):
                continue
            if when < start:
                training.owed[: service.areas] += self.wanted(shares)
                self.begin_training((when - start).days)
            else:
                self.asked(when.month)[:] = self.wanted(shares)


__all__ = ["Recruitment"]
