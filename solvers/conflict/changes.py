"""Single changes after which an unplaced job has room; each is tried out."""

from __future__ import annotations

from collections.abc import Iterable

from solvers.conflict.answer import Blocked, Change, ChangeKind
from solvers.conflict.fitting import (
    Fit,
    Verdict,
    fit,
    least_capacity,
    least_shift,
    with_capacity,
    with_window,
)
from solvers.conflict.narrowing import Clock
from solvers.problem import Problem

_SHARE = 0.3
"""Part of the time left that one question may take."""


def changes_that_help(
    problem: Problem, limits: Iterable[Blocked], left_s: Clock
) -> tuple[Change, ...]:
    """Least change of every kind that makes room for all jobs of a problem.

    Parameters
    ----------
    problem
        Its last job is the unplaced one, whose window may grow.
    limits
        Those at fault: no other limit can end the conflict alone.
    left_s
        Time left.

    Returns
    -------
    tuple
        The smallest first: units relative to the capacity, slots relative to the
        window.
    """
    found = [_more(problem, limit, left_s) for limit in limits]
    found += [_wider(problem, later, left_s) for later in (True, False)]
    helping = [change for change in found if change is not None]
    return tuple(sorted(helping, key=lambda change: _relative(problem, change)))


def _more(problem: Problem, limit: Blocked, left_s: Clock) -> Change | None:
    resource, region = limit.resource, limit.region
    answer = least_capacity(problem, resource, region, time_limit_s=_SHARE * left_s())
    changed = with_capacity(problem, resource, region, answer.least)
    if not _helps(answer, changed, left_s):
        return None
    return Change(
        kind=ChangeKind.CAPACITY,
        amount=answer.least,
        resource=resource,
        region=region,
        smallest=answer.proven,
    )


def _wider(problem: Problem, later: bool, left_s: Clock) -> Change | None:
    job = problem.n_jobs - 1
    answer = least_shift(problem, job, later=later, time_limit_s=_SHARE * left_s())
    slots = round(answer.least)
    changed = with_window(problem, job, slots=slots, later=later)
    if not _helps(answer, changed, left_s):
        return None
    return Change(
        kind=ChangeKind.DEADLINE if later else ChangeKind.EARLIEST,
        amount=float(slots),
        smallest=answer.proven,
    )


def _helps(answer: Fit, changed: Problem, left_s: Clock) -> bool:
    """Whether the changed problem, solved anew, has room for all."""
    if answer.verdict is not Verdict.FITS:
        return False
    again = fit(changed, range(changed.n_jobs), time_limit_s=_SHARE * left_s())
    return again.verdict is Verdict.FITS


def _relative(problem: Problem, change: Change) -> float:
    if change.kind is ChangeKind.CAPACITY:
        most = problem.places.capacity[change.resource, change.region].max()
        return change.amount / max(float(most), 1e-9)
    jobs, job = problem.jobs, problem.n_jobs - 1
    window = jobs.last[job] + jobs.n_slots[job] - jobs.first[job]
    return change.amount / float(window)
