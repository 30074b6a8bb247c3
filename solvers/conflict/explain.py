"""Why a job has no place: who stands in its way, which limits, what would help."""

from __future__ import annotations

from time import monotonic

from solvers.conflict.answer import Conflict
from solvers.conflict.changes import changes_that_help
from solvers.conflict.fitting import Verdict, fit
from solvers.conflict.narrowing import Clock, fewest_rivals, limits_at_fault
from solvers.conflict.neighbourhood import Scope, scopes
from solvers.errors import ScheduleMismatchError
from solvers.feasibility import violations
from solvers.problem import Problem
from solvers.solution import UNPLACED, Schedule

_SHARE = 0.5
"""Part of the time left that widening the scope once may take."""


def explain_unplaced(
    problem: Problem, schedule: Schedule, job: int, *, time_limit_s: float = 10.0
) -> Conflict:
    """Find out why a schedule leaves a job out.

    Parameters
    ----------
    problem, schedule
        A schedule that keeps every limit.
    job
        Index of an unplaced job.
    time_limit_s
        Elapsed time after which to answer with what is known. [s]

    Returns
    -------
    Conflict
        About the widest set of movable jobs that could be decided on in time.

    Raises
    ------
    ScheduleMismatchError
        If the job is placed.
    """
    if schedule.region[job] != UNPLACED:
        raise ScheduleMismatchError(f"job {job} is placed; there is nothing to explain")
    until = monotonic() + time_limit_s

    def left_s() -> float:
        return until - monotonic()

    widest: Scope | None = None
    for scope in scopes(problem, schedule, job):
        everyone = range(scope.problem.n_jobs)
        answer = fit(scope.problem, everyone, time_limit_s=_SHARE * left_s())
        if answer.schedule is not None:
            merged = scope.merged(answer.schedule)
            if not violations(problem, merged):
                return Conflict(job=job, held=scope.held, schedule=merged)
        if answer.verdict is not Verdict.IMPOSSIBLE:
            break
        widest = scope
    if widest is None:
        return Conflict(job=job, decided=False)
    return _narrowed(widest, left_s)


def _narrowed(scope: Scope, left_s: Clock) -> Conflict:
    """Who, what and how: each part leaves time for those after it."""
    third = left_s() / 3
    rivals, minimal = fewest_rivals(scope.problem, lambda: left_s() - 2 * third)
    job = scope.problem.n_jobs - 1
    limits, limits_minimal = limits_at_fault(
        scope.problem, [*rivals, job], lambda: left_s() - third
    )
    return Conflict(
        job=int(scope.jobs[job]),
        others=tuple(scope.jobs[rivals].tolist()),
        minimal=minimal,
        limits=limits,
        limits_minimal=limits_minimal,
        changes=changes_that_help(scope.problem, limits, left_s),
        held=scope.held,
    )
