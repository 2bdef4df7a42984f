"""What a change can reach: which parameters may differ by area, and which are read once before day one.

A change that the model would ignore, or stumble over half-way through a run, is refused before anything is run.
"""

from __future__ import annotations

from simulation.scenario import Assignment, Problem, Resolved
from simulation.scenario.effective import NEVER

#: Parameters read for each area (and side, where the decision belongs to a provider).
BY_AREA = frozenset(
    {
        "allocation.escalation_rate",
        "allocation.escalation_refused_share",
        "allocation.inflation",
        "allocation.rsr_threshold",
        "community.crises_per_year",
        "contact.downgrade_backlog_days",
        "contact.downgrade_full_day_ratio",
        "contact.exceptional_delivery",
        "contact.face_to_face_floor_days",
        "contact.missed_appointment_probability",
        "contact.phone_only_multiplier",
        "contact.release_day_appointment_share",
        "contracts.fixed_cost_share",
        "contracts.posts_cut_share_of_losses",
        "contracts.provider_failed",
        "contracts.volume_shortfall",
        "courts.diversion_from_custody",
        "custody.extended_release_fraction",
        "custody.hdc.address_suitable_share",
        "custody.hdc.max_days",
        "custody.hdc.opt_out_share",
        "custody.hdc.take_up",
        "custody.release_fraction",
        "organisation.commissioned_money",
        "organisation.unified",
        "enforcement.breach_referral_working_days",
        "enforcement.early_revocation_share",
        "enforcement.late_pack_dropped_share",
        "enforcement.no_show_share",
        "enforcement.pack_returned_share",
        "enforcement.probability_started_crc",
        "enforcement.probability_started_nps",
        "release.homes_a_year",
        "recall.per_further_charge",
        "recall.per_risk_rise_noticed",
        "recall.per_unacceptable_absence",
        "recall.per_another_absence",
        "staff.administrator.leaving_rate",
        "staff.agency.leaving_rate",
        "staff.agency.share_of_vacancies",
        "staff.crc.leaving_rate_officers",
        "staff.part_time.share",
        "staff.pay.gap",
        "staff.redundancy.closed_share",
        "staff.redundancy.leaving_rate",
        "staff.reorganisation_announced",
        "staff.senior.leaving_rate",
        "staff.trainee.leaving_rate",
        "staff.leaving_multiplier",
        "staff.nps.leaving_rate_po",
        "staff.nps.leaving_rate_pso",
        "staff.recruitment.share_from_crc",
        "staff.sickness_days",
        "targets.rank_of_measured_tasks",
        "workload.productivity",
    }
)

#: Beginnings of the names of parameters that are read once, before day one.
BEFORE_DAY_ONE = (
    "population.",
    "contact.miss_factor",
    "custody.hdc.excluded_share",
    "custody.length_share",
    "custody.length_index",
    "allocation.public_interest_share",
    "organisation.officers_per_office",
    "staff.crc.officers_holding_cases",
    "staff.initial_vacancy_share",
    "staff.administrator.span",
    "staff.nps.officers_holding_cases",
    "staff.qualified_share",
    "staff.senior.span",
    "staff.tenure_years_at_start",
    "staff.trainee.first_cohort",
    "supervision.court_order_success_share",
)

#: Among those, beginnings of the names of what is read for each day all the same.
ON_THE_DAY = ("population.returns.",)


def problems_with(resolved: Resolved) -> list[Problem]:
    """Return what is wrong with a scenario's changes that only the model can tell.

    Parameters
    ----------
    resolved : Resolved
        Scenario with every parameter.
    """
    problems: dict[tuple[str, int, str], Problem] = {}
    if not set(resolved.parameters) >= BY_AREA:
        return []  # other parameters than this model's, as in tests of the scenario package

    some = ", ".join(sorted(BY_AREA)[:6]) + ", ..."

    def refuse(code: str, message: str, hint: str, at: Assignment) -> None:
        problem = Problem(code, message, at.file, at.line, at.column, hint)
        problems.setdefault((code, at.line, message), problem)

    for (name, _), steps in resolved.changed().items():
        for step in steps:
            if step.cells is not None and name not in BY_AREA:
                refuse(
                    "national_only",
                    f"'{name}' is one value for the whole country: "
                    "a change to it can't be limited to areas or providers",
                    f"leave out `areas` and `providers`, or change a value that may differ: {some}",
                    step.assignment,
                )
            from_day_one = step.first <= 0 and step.last == NEVER and step.ramp == 1
            unread = not from_day_one or bool(resolved.parameters[name].series)
            if name.startswith(BEFORE_DAY_ONE) and not name.startswith(ON_THE_DAY) and unread:
                refuse(
                    "read_before_day_one",
                    f"'{name}' is read once, before the first day, so a change to it on a later day would do nothing",
                    "give the value in scenarios/parameters, or from the first day of the run and without an end",
                    step.assignment,
                )
            if name == "contracts.provider_failed" and step.last < NEVER:
                refuse(
                    "cannot_end",
                    "a company that has failed doesn't come back: 'contracts.provider_failed' has no end",
                    "leave out `to`",
                    step.assignment,
                )
    return list(problems.values())
