"""Equal jobs in the order in which they were given."""

from __future__ import annotations

import numpy as np

from solvers.problem import Problem
from solvers.solution import Schedule


def tidied(problem: Problem, schedule: Schedule) -> Schedule:
    """The same plan with equal jobs exchanged: the first one starts first."""
    traits = problem.jobs.traits()
    start = np.where(schedule.start < 0, np.iinfo(np.int32).max, schedule.start)
    given = np.lexsort((np.arange(problem.n_jobs), *traits))
    placed = np.lexsort((schedule.region, start, *traits))
    region, begin = schedule.region.copy(), schedule.start.copy()
    region[given] = schedule.region[placed]
    begin[given] = schedule.start[placed]
    return Schedule(region=region, start=begin)
