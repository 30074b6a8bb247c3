"""What may be said of a schedule and a bound."""

from __future__ import annotations

import numpy as np

from solvers.evaluate import Evaluation, evaluate
from solvers.feasibility import violations
from solvers.problem import Problem
from solvers.solution import Schedule, Solution, Stats, Status, relative_gap

ROUNDING = 1e-14
"""Part of its turnover by which a sum in float64 may be off."""

SMALLEST_GAP = 1e-8
"""Gaps below this are float64's noise and count as reached."""


def status_of(
    problem: Problem, schedule: Schedule, *, gap: float | None, asked: float
) -> Status:
    """Status of a valid schedule.

    ``OPTIMAL``, where every job is placed and the asked gap is proven; ``FEASIBLE``
    where it is not proven; ``PARTIAL`` where some jobs are left out, proven or not
    (the gap says which); ``INFEASIBLE`` where all are left out and the asked gap is
    proven, so that none can be placed at a cost below that of leaving it out.
    """
    proven = gap is not None and gap <= max(asked, SMALLEST_GAP)
    if schedule.n_unplaced == 0:
        return Status.OPTIMAL if proven else Status.FEASIBLE
    if schedule.n_unplaced == problem.n_jobs and proven:
        return Status.INFEASIBLE
    return Status.PARTIAL


def settle(
    problem: Problem,
    schedule: Schedule | None,
    *,
    bound: float | None,
    asked_gap: float,
    stats: Stats,
) -> Solution:
    """Solution of a schedule that has been checked, and a bound.

    A bound that the rounding of the objective's own sum cannot tell from it, or that
    lies above it, becomes equal to it. Where nothing costs less than zero, no bound is
    below it: a day of sun alone costs nothing, and what is taken off a bound for
    rounding would leave its gap without a number.
    """
    if schedule is None:
        return Solution(
            status=Status.NO_SOLUTION,
            schedule=None,
            objective=None,
            bound=bound,
            stats=stats,
        )
    evaluation = evaluate(problem, schedule)
    objective = evaluation.objective
    if bound is not None:
        bound = max(bound, 0.0) if problem.costs_nothing_at_least else bound
        rounding = ROUNDING * turnover(problem, schedule, evaluation)
        bound = objective if bound >= objective - rounding else bound
    gap = relative_gap(objective, bound)
    return Solution(
        status=status_of(problem, schedule, gap=gap, asked=asked_gap),
        schedule=schedule,
        objective=objective,
        bound=bound,
        stats=stats,
    )


def contradicts(problem: Problem, schedule: Schedule, bound: float) -> bool:
    """Whether a bound lies so far above a valid plan that it cannot be a proof."""
    evaluation = evaluate(problem, schedule)
    noise = SMALLEST_GAP * turnover(problem, schedule, evaluation)
    return bound > evaluation.objective + noise


def turnover(problem: Problem, schedule: Schedule, evaluation: Evaluation) -> float:
    """Sum of the absolute values of all that an objective adds up."""
    places, jobs = problem.places, problem.jobs
    placed = np.flatnonzero(schedule.region >= 0)
    energy = np.abs(places.weight_per_kwh * evaluation.load_kwh).sum()
    own = np.abs(jobs.place_cost[placed, schedule.region[placed]]).sum()
    waited = np.abs(jobs.delay_cost[placed]) * (
        schedule.start[placed] - jobs.first[placed]
    )
    left_out = np.abs(jobs.unplaced_cost[schedule.region < 0]).sum()
    return float(energy + own + waited.sum() + left_out)


def broken_limits(problem: Problem, schedule: Schedule) -> str | None:
    """Sentence about the limits that a schedule breaks, None if it keeps all."""
    found = violations(problem, schedule)
    if not found:
        return None
    names = ", ".join(sorted({violation.limit for violation in found}))
    return f"{len(found)} limits broken ({names})"
