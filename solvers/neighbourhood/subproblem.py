"""The problem of a few jobs while all others stay where a schedule has them."""

from __future__ import annotations

import dataclasses

import numpy as np

from solvers.evaluate import evaluate
from solvers.problem import Int64Array, Problem, RigidJobs
from solvers.solution import UNPLACED, Schedule


def freed(problem: Problem, schedule: Schedule, jobs: Int64Array) -> Problem:
    r"""Problem of some jobs, on what the others leave of capacity and sun.

    Parameters
    ----------
    problem, schedule
        A schedule that keeps every limit.
    jobs
        Indices of the jobs that may move, shape (n_freed,).

    Returns
    -------
    Problem
        Its objective differs from the whole one by a constant: with the others'
        load :math:`L`, grid energy is :math:`\max(0, L + \ell - S)`, which is
        :math:`\max(0, L - S)` more than :math:`\max(0, \ell - (S - L)^+)`. Under a
        solar budget this holds up to how the budget is shared out again, so an
        answer must be priced on the whole problem.
    """
    others = taken_out(schedule, jobs)
    held = evaluate(problem, others)
    places = problem.places
    solar = np.maximum(places.solar_kwh - held.load_kwh, 0.0)
    spent = np.zeros(places.solar_budget_kwh.shape)
    np.add.at(spent.T, places.day, held.used_solar_kwh.T)
    return Problem(
        places=dataclasses.replace(
            places,
            capacity=np.maximum(places.capacity - held.usage, 0.0),
            solar_kwh=solar,
            solar_budget_kwh=np.maximum(places.solar_budget_kwh - spent, 0.0),
        ),
        jobs=rows_of(problem.jobs, jobs),
    )


def rows_of(jobs: RigidJobs, rows: Int64Array) -> RigidJobs:
    """Some of the jobs, in the order of ``rows``."""
    columns = {
        field.name: getattr(jobs, field.name)[rows]
        for field in dataclasses.fields(jobs)
    }
    return RigidJobs(**columns)


def taken_out(schedule: Schedule, jobs: Int64Array) -> Schedule:
    """Schedule with some jobs left out."""
    region, start = schedule.region.copy(), schedule.start.copy()
    region[jobs] = start[jobs] = UNPLACED
    return Schedule(region=region, start=start)


def placed_at(schedule: Schedule, jobs: Int64Array, placed: Schedule) -> Schedule:
    """Schedule with some jobs where a schedule of theirs has them."""
    region, start = schedule.region.copy(), schedule.start.copy()
    region[jobs], start[jobs] = placed.region, placed.start
    return Schedule(region=region, start=start)
