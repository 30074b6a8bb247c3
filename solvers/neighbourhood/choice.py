"""Which jobs to free next: those that compete for the same hours of one region."""

from __future__ import annotations

import numpy as np

from solvers.problem import Int64Array, Problem
from solvers.solution import Schedule


def related_jobs(
    problem: Problem, schedule: Schedule, size: int, rng: np.random.Generator
) -> Int64Array:
    """Jobs near a random job, in time and place, with some from elsewhere.

    Parameters
    ----------
    problem, schedule
        Where jobs could run, and where they do.
    size
        How many to choose.
    rng
        Draws the job in the middle and the noise.

    Notes
    -----
    Nearness is the share of the seed's window that a job's own window and its
    present run cover. The noise keeps neighbourhoods from repeating.
    """
    jobs = problem.jobs
    n_jobs = problem.n_jobs
    if size >= n_jobs:
        return np.arange(n_jobs)
    seed = int(rng.integers(n_jobs))
    low, high = jobs.first[seed], jobs.last[seed] + jobs.n_slots[seed]
    overlap = np.minimum(high, jobs.last + jobs.n_slots) - np.maximum(low, jobs.first)
    span = max(1, int(high - low))
    window = np.clip(overlap / span, 0.0, 1.0)
    shared = (jobs.allowed & jobs.allowed[seed]).any(axis=1)
    distance = np.abs(schedule.start - schedule.start[seed]) / span
    near = window * shared - 0.5 * np.minimum(distance, 2.0)
    near += 0.25 * (schedule.region == schedule.region[seed])
    near += rng.gumbel(scale=0.25, size=n_jobs)
    near[seed] = np.inf
    return np.sort(np.argpartition(-near, size)[:size])
