"""The rules of the simple policies in machine code, for days of any size.

``asap`` is here the threshold rule of a day on which every slot is clean enough.
"""

from __future__ import annotations

import numpy as np

from solvers.board import TIE
from solvers.compiled import compiled
from solvers.compiled_board import Ground, Sums, empty_board, ground, put
from solvers.compiled_costs import (
    budget_may_run_out,
    mark_open,
    price_starts,
    price_starts_under_budget,
)
from solvers.job_columns import JobColumns, job_columns
from solvers.problem import BoolArray, FloatArray, Int64Array, Problem
from solvers.solution import Schedule


class CompiledTurns:
    """Jobs placed one after another by a rule, in machine code.

    Parameters
    ----------
    problem
        Complete and checked.
    clean
        Slots clean enough for a job to start there at home, shape
        (n_regions, n_slots); None for the cheapest place anywhere.
    """

    def __init__(self, problem: Problem, clean: BoolArray | None) -> None:
        self._jobs, self._ground = job_columns(problem.jobs), ground(problem.places)
        self._sums = empty_board(problem.n_jobs, problem.places)
        self._clean = clean

    def take(self, order: Int64Array) -> None:
        """Let the jobs of ``order`` choose in turn."""
        if self._clean is None:
            take_cheapest(self._jobs, order, self._ground, self._sums)
        else:
            take_clean(self._jobs, order, self._ground, self._sums, self._clean)

    def schedule(self) -> Schedule:
        """Where the jobs are so far."""
        return Schedule(region=self._sums.region.copy(), start=self._sums.start.copy())


@compiled
def take_clean(
    jobs: JobColumns, order: Int64Array, ground: Ground, sums: Sums, clean: BoolArray
) -> None:
    """Each at home: first start clean enough, else the latest that fits."""
    fits = np.empty(clean.shape[1], dtype=np.bool_)
    for j in order:
        home = int(jobs.home[j])  # wide, as in the other rule: one type to compile
        if not jobs.allowed[j, home]:
            continue
        first, waits = jobs.first[j], jobs.last[j] - jobs.first[j]
        mark_open(jobs, j, home, sums, fits, waits)
        full = jobs.power_kw[j] * ground.per_kw[home]
        start = -1
        for i in range(waits + 1):
            if fits[i]:
                start = t = first + i
                d = ground.day[t]
                left = max(ground.budget[home, d] - sums.asked[home, d], 0.0)
                if clean[home, t] or min(sums.sun[home, t], left) >= full:
                    break
        if start >= 0:
            put(jobs, j, home, start, ground, sums)


@compiled
def take_cheapest(
    jobs: JobColumns, order: Int64Array, ground: Ground, sums: Sums
) -> None:
    """Each at its cheapest place with room, unless leaving it out is cheaper."""
    shape = ground.weight.shape
    fits = np.empty(shape, dtype=np.bool_)
    costs = np.empty(shape)
    before = np.empty(shape[1] + 1)
    for j in order:
        rounding = price_places(jobs, j, ground, sums, fits, before, costs)
        region, start = cheapest(jobs, j, fits, costs, rounding)
        if region >= 0:
            put(jobs, j, region, start, ground, sums)


@compiled
def price_places(
    jobs: JobColumns,
    j: int,
    ground: Ground,
    sums: Sums,
    fits: BoolArray,
    before: FloatArray,
    costs: FloatArray,
) -> float:
    """Where job ``j`` fits, at what marginal cost, and the rounding of costs."""
    waits = jobs.last[j] - jobs.first[j]
    size, budget_size = 0.0, 0.0
    for r in range(costs.shape[0]):
        if not jobs.allowed[j, r]:
            continue
        mark_open(jobs, j, r, sums, fits[r], waits)
        own = price_starts(jobs, j, r, ground, sums, before, costs[r])
        size = max(size, own)
        if budget_may_run_out(jobs, j, r, ground, sums):
            own = price_starts_under_budget(jobs, j, r, ground, sums, costs[r])
            budget_size = max(budget_size, own)
        for i in range(waits + 1):
            costs[r, i] += jobs.place_cost[j, r]
            costs[r, i] += jobs.delay_cost[j] * i
    return TIE * (size + budget_size)


@compiled
def cheapest(
    jobs: JobColumns, j: int, fits: BoolArray, costs: FloatArray, rounding: float
) -> tuple[int, int]:
    """Region and start of least cost; ties to the earliest, then the first region."""
    n_starts = jobs.last[j] - jobs.first[j] + 1
    least = np.inf
    for r in range(costs.shape[0]):
        if jobs.allowed[j, r]:
            for i in range(n_starts):
                if fits[r, i]:
                    least = min(least, costs[r, i])
    if least <= jobs.unplaced_cost[j]:
        for i in range(n_starts):
            for r in range(costs.shape[0]):
                near = costs[r, i] <= least + rounding
                if jobs.allowed[j, r] and fits[r, i] and near:
                    return r, jobs.first[j] + i
    return -1, -1
