"""Move jobs to cheaper places, or to earlier ones that cost the same.

An engine stops at any plan within its gap and knows no order among equal ones.
Taking out one job at a time and putting it back at its cheapest place keeps the
promise of every solver, that ties go to the earliest start, then the first region,
then the first job, and often mends a plan that the time limit cut short.
"""

from __future__ import annotations

import time

import numpy as np

from solvers.board import Board
from solvers.evaluate import evaluate
from solvers.exact.groups import group_jobs, ungroup
from solvers.problem import Problem
from solvers.solution import Schedule

MOST_SWEEPS = 10
"""Each sweep costs one look at every place of every job."""


def settle_earliest(
    problem: Problem, schedule: Schedule, *, time_limit_s: float
) -> Schedule:
    """Schedule that is no worse, with every job as early as its cost allows.

    Parameters
    ----------
    problem
        The problem that the schedule belongs to.
    schedule
        One that keeps all limits.
    time_limit_s
        After which the rest stays where it is. [s]
    """
    until = time.perf_counter() + time_limit_s
    settled = schedule
    for _ in range(MOST_SWEEPS):
        before = settled
        settled = _in_order(problem, _sweep(problem, before, until))
        if _same(settled, before) or time.perf_counter() > until:
            break
    worse = evaluate(problem, settled).objective > evaluate(problem, schedule).objective
    return _in_order(problem, schedule) if worse else settled


def _sweep(problem: Problem, schedule: Schedule, until: float) -> Schedule:
    """Every job once, in the order of starts, the unplaced ones last."""
    board = Board(problem)
    region, start = schedule.region.tolist(), schedule.start.tolist()
    placed = np.flatnonzero(schedule.region >= 0)
    for job in placed.tolist():
        board.place(job, region[job], start[job])
    unplaced = np.flatnonzero(schedule.region < 0)
    order = placed[np.argsort(schedule.start[placed], kind="stable")]
    left_out: list[float] = problem.jobs.unplaced_cost.tolist()
    for job in [*order.tolist(), *unplaced.tolist()]:
        if time.perf_counter() > until:
            break
        if region[job] >= 0:
            board.remove(job)
        found = board.cheapest(job)
        if found is not None and (region[job] >= 0 or found[0] <= left_out[job]):
            board.place(job, *found[1])
    return board.schedule()


def _in_order(problem: Problem, schedule: Schedule) -> Schedule:
    """Same places, those of equal jobs given to the lowest job first."""
    groups = group_jobs(problem.jobs)
    placed = np.flatnonzero(schedule.region >= 0)
    return ungroup(
        groups,
        group=groups.of_job[placed],
        region=schedule.region[placed].astype(np.int64),
        start=schedule.start[placed].astype(np.int64),
        count=np.ones(len(placed), dtype=np.int64),
    )


def _same(one: Schedule, other: Schedule) -> bool:
    return np.array_equal(one.region, other.region) and np.array_equal(
        one.start, other.start
    )
