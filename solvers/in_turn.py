"""Schedules one job after another by a rule; what the simple policies share."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

import numpy as np

from solvers.board import Board, Place
from solvers.evaluate import evaluate
from solvers.problem import Int64Array, Problem
from solvers.solution import Schedule, Solution, SolveOptions, Stats, Status

Rule = Callable[[Board, int], Place | None]
"""Where a job goes given the board, or None to leave it out."""

_JOBS_PER_LOOK = 64
"""Jobs between two looks at the clock."""


def arrivals(problem: Problem) -> Int64Array:
    """Jobs in the order in which they queue where nobody plans.

    Those whose window leaves one start, as a pinned start does, come before those
    that can move, which are so planned around them; then by the first possible
    slot, then by index.

    Returns
    -------
    ndarray, shape (n_jobs,)
        Every job once.
    """
    jobs = problem.jobs
    return np.lexsort((jobs.first, jobs.last > jobs.first)).astype(np.int64)


def schedule_in_turn(
    name: str, problem: Problem, order: Int64Array, rule: Rule, options: SolveOptions
) -> Solution:
    """Place jobs by a rule, in an order, until the time is up.

    Parameters
    ----------
    name
        Name of the solver, for its stats.
    problem
        What to schedule.
    order
        Every job once, shape (n_jobs,).
    rule
        Chooses the place of each.
    options
        Only the time limit and the seed's record matter.

    Returns
    -------
    Solution
        Without a bound; jobs that the clock cut off are unplaced, and a message
        says so.
    """
    began = monotonic()
    board = Board(problem)
    messages: tuple[str, ...] = ()
    for i, job in enumerate(order.tolist()):
        if i % _JOBS_PER_LOOK == 0 and monotonic() - began > options.time_limit_s:
            messages = (f"out of time after {i} of {len(order)} jobs",)
            break
        place = rule(board, job)
        if place is not None:
            board.place(job, *place)
    schedule = board.schedule()
    return Solution(
        status=_status(problem, schedule),
        schedule=schedule,
        objective=evaluate(problem, schedule).objective,
        bound=None,
        stats=Stats(
            solver=name,
            seconds=monotonic() - began,
            seed=options.seed,
            messages=messages,
        ),
    )


def _status(problem: Problem, schedule: Schedule) -> Status:
    if not schedule.n_unplaced:
        return Status.FEASIBLE
    if schedule.n_unplaced < problem.n_jobs:
        return Status.PARTIAL
    empty = Board(problem)
    if any(empty.open_starts(job).any() for job in range(problem.n_jobs)):
        return Status.PARTIAL
    return Status.INFEASIBLE
