"""Equal jobs in the order in which they were given."""

from __future__ import annotations

import numpy as np

from solvers.problem import Problem
from solvers.solution import Schedule


def tidied(problem: Problem, schedule: Schedule) -> Schedule:
    """The same plan with equal jobs exchanged: the first one starts first.

    Jobs are equal if they differ in home or transfer emissions at most, neither of
    which is a limit or a cost.
    """
    jobs = problem.jobs
    columns = [
        jobs.n_slots,
        jobs.first,
        jobs.last,
        jobs.last_fraction,
        jobs.power_kw,
        jobs.delay_cost,
        jobs.unplaced_cost,
        *jobs.demand.T,
        *jobs.allowed.T,
        *np.where(jobs.allowed, jobs.place_cost, 0.0).T,
    ]
    start = np.where(schedule.start < 0, np.iinfo(np.int32).max, schedule.start)
    given = np.lexsort((np.arange(len(jobs)), *columns))
    placed = np.lexsort((schedule.region, start, *columns))
    region, begin = schedule.region.copy(), schedule.start.copy()
    region[given] = schedule.region[placed]
    begin[given] = schedule.start[placed]
    return Schedule(region=region, start=begin)
