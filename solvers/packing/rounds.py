"""Rounds of packing: all jobs at once, or those around one that was left out."""

from __future__ import annotations

import time

import numpy as np

from solvers.evaluate import evaluate
from solvers.feasibility import violations
from solvers.neighbourhood.subproblem import freed, placed_at
from solvers.problem import Int64Array, Problem
from solvers.solution import UNPLACED, Schedule

AT_ONCE = 400
"""Jobs that are packed in one question; of more, those around one left out."""

LONGEST_ROUND_S = 5.0
"""Most time for one question where others may follow. [s]"""

FEW_OUT = 2
"""Jobs left out up to which it is first asked whether all fit."""

ALL_IN_SHARE = 0.5
"""Part of a question's time for that. On a day of 200 jobs with one left out it took
2 s; asking for the fewest left out found nothing better in 20 s."""


def pack(
    problem: Problem, start: Schedule, seed: int, time_limit_s: float, workers: int
) -> Schedule:
    """Schedule that leaves out as little as could be found.

    Parameters
    ----------
    problem, start
        A schedule that keeps every limit.
    seed, workers
        See ``fit``.
    time_limit_s
        Elapsed time. [s]
    """
    until = time.perf_counter() + time_limit_s
    rng = np.random.default_rng(seed)
    best, cost = start, evaluate(problem, start).objective
    while best.n_unplaced and (left_s := until - time.perf_counter()) > 0:
        jobs = around_one_left_out(problem, best, rng)
        whole = len(jobs) == problem.n_jobs
        round_s = left_s if whole else min(left_s, LONGEST_ROUND_S)
        part = freed(problem, best, jobs)
        now = Schedule(region=best.region[jobs], start=best.start[jobs])
        found = _fitted(part, now, int(rng.integers(2**31)), round_s, workers)
        if found is not None:
            candidate = placed_at(best, jobs, found)
            value = evaluate(problem, candidate).objective
            if value < cost and not violations(problem, candidate):
                best, cost = candidate, value
        if whole:
            break
    return best


def _fitted(
    part: Problem, now: Schedule, seed: int, time_limit_s: float, workers: int
) -> Schedule | None:
    """All of the part's jobs, if that is found soon, else as many as may be."""
    from solvers.packing.intervals import fit  # only the child needs CP-SAT

    until = time.perf_counter() + time_limit_s
    if now.n_unplaced <= FEW_OUT:
        soon_s = ALL_IN_SHARE * time_limit_s
        found = fit(
            part, now, seed=seed, time_limit_s=soon_s, workers=workers, all_in=True
        )
        if found is not None:
            return found
    left_s = until - time.perf_counter()
    return fit(part, now, seed=seed, time_limit_s=left_s, workers=workers)


def around_one_left_out(
    problem: Problem, schedule: Schedule, rng: np.random.Generator
) -> Int64Array:
    """A job that is left out, with those that may stand in its way.

    Those are the jobs that run, or could run, in its window and its regions; the
    more of the window they can cover, the sooner they are chosen.
    """
    jobs, n_jobs = problem.jobs, problem.n_jobs
    if n_jobs <= AT_ONCE:
        return np.arange(n_jobs)
    seed = int(rng.choice(np.flatnonzero(schedule.region == UNPLACED)))
    low, high = jobs.first[seed], jobs.last[seed] + jobs.n_slots[seed]
    overlap = np.minimum(high, jobs.last + jobs.n_slots) - np.maximum(low, jobs.first)
    window = np.clip(overlap / max(1, int(high - low)), 0.0, 1.0)
    shared = (jobs.allowed & jobs.allowed[seed]).any(axis=1)
    wanted = jobs.demand[:, jobs.demand[seed] > 0].sum(axis=1) > 0
    near = window * shared * (1.0 + wanted) + rng.gumbel(scale=0.25, size=n_jobs)
    near[seed] = np.inf
    chosen: Int64Array = np.sort(np.argpartition(-near, AT_ONCE)[:AT_ONCE])
    return chosen
