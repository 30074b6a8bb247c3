"""The steps of the search: which jobs to free, how many, and what to keep."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from solvers.errors import SolverError
from solvers.evaluate import evaluate
from solvers.exact.solver import Exact
from solvers.neighbourhood.choice import related_jobs
from solvers.neighbourhood.subproblem import freed, placed_at
from solvers.problem import Int64Array, Problem
from solvers.solution import Schedule, SolveOptions

FIRST_SIZE, SMALLEST_SIZE, LARGEST_SIZE = 48.0, 8.0, 400.0
"""Jobs freed at once. On a tight day of 100 jobs, 20 s ended at 3.434 from 24 jobs and
steps of 2 s, and at 3.382 from 50 jobs and steps of 6 s."""

LONGEST_STEP_S = 5.0
"""Most time for one step. [s]"""

STEP_SHARE = 0.2
"""Part of the whole time that one step may take."""

_QUICK = 0.3
"""Part of a step's time limit below which the next part may be larger."""

_GROW, _SHRINK = 1.25, 0.7
_GAP = 1e-3
_NEWS = 1e-9
"""Relative gain below which a step changes nothing worth keeping."""


@dataclass(slots=True)
class Course:
    """Where a search stands: its best schedule, steps taken and steps kept."""

    schedule: Schedule
    steps: int = 0
    kept: int = 0


def improve(
    problem: Problem, start: Schedule, seed: int, time_limit_s: float
) -> Course:
    """Free and place again until the time is up or all jobs were free at once.

    Parameters
    ----------
    problem, start
        A schedule that keeps every limit.
    seed
        Of the choice of parts.
    time_limit_s
        Elapsed time. [s]
    """
    until = time.perf_counter() + time_limit_s
    longest_s = min(LONGEST_STEP_S, STEP_SHARE * time_limit_s)
    rng = np.random.default_rng(seed)
    course, size = Course(schedule=start), FIRST_SIZE
    objective = evaluate(problem, start).objective
    while problem.n_jobs and (left_s := until - time.perf_counter()) > 0:
        jobs = related_jobs(problem, course.schedule, int(size), rng)
        began = time.perf_counter()
        found = _placed_again(problem, course.schedule, jobs, min(left_s, longest_s))
        quick = time.perf_counter() - began < _QUICK * longest_s
        course.steps += 1
        value = evaluate(problem, found).objective
        if value < objective - _NEWS * abs(objective):
            course.schedule, objective = found, value
            course.kept += 1
        if quick and len(jobs) == problem.n_jobs:
            break
        size = (
            min(size * _GROW, LARGEST_SIZE)
            if quick
            else max(size * _SHRINK, SMALLEST_SIZE)
        )
    return course


def _placed_again(
    problem: Problem, schedule: Schedule, jobs: Int64Array, time_limit_s: float
) -> Schedule:
    options = SolveOptions(
        gap=_GAP, time_limit_s=time_limit_s, extra={"isolate": False}
    )
    part = freed(problem, schedule, jobs)
    now = Schedule(region=schedule.region[jobs], start=schedule.start[jobs])
    try:
        placed = Exact().solve(part, options, hint=now).schedule
    except SolverError:
        return schedule
    return schedule if placed is None else placed_at(schedule, jobs, placed)
