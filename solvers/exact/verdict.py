"""What may be said of a schedule and a bound."""

from __future__ import annotations

from solvers.evaluate import evaluate
from solvers.feasibility import violations
from solvers.problem import Problem
from solvers.solution import Schedule, Solution, Stats, Status, relative_gap

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

    A bound within ``SMALLEST_GAP`` above the objective is the same number in
    float64 and becomes it.
    """
    if schedule is None:
        return Solution(
            status=Status.NO_SOLUTION,
            schedule=None,
            objective=None,
            bound=bound,
            stats=stats,
        )
    objective = evaluate(problem, schedule).objective
    if bound is not None:
        bound = min(bound, objective)
    gap = relative_gap(objective, bound)
    return Solution(
        status=status_of(problem, schedule, gap=gap, asked=asked_gap),
        schedule=schedule,
        objective=objective,
        bound=bound,
        stats=stats,
    )


def contradicts(objective: float, bound: float) -> bool:
    """Whether a bound lies so far above a valid plan that it cannot be a proof."""
    return bound > objective + SMALLEST_GAP * max(1e-9, abs(objective))


def broken_limits(problem: Problem, schedule: Schedule) -> str | None:
    """Sentence about the limits that a schedule breaks, None if it keeps all."""
    found = violations(problem, schedule)
    if not found:
        return None
    names = ", ".join(sorted({violation.limit for violation in found}))
    return f"{len(found)} limits broken ({names})"
