"""Where a job fits on the compiled board, and at what marginal cost.

This spells out slot by slot what ``solvers.board`` and ``solvers.budgets`` do with
whole rows. Costs are added up in the order in which numpy does it, so that both
choose the same places; only sums behind a solar budget may differ, in their last
digits.
"""

from __future__ import annotations

import numpy as np

from solvers.compiled import compiled
from solvers.compiled_board import Ground, Sums
from solvers.job_columns import JobColumns
from solvers.problem import BoolArray, FloatArray


@compiled
def mark_open(
    jobs: JobColumns, j: int, r: int, sums: Sums, fits: BoolArray, waits: int
) -> None:
    """Mark the starts in a region from which job ``j`` has room all through.

    ``fits`` is told of waits from none to ``waits`` slots after the first start.
    """
    first, length = jobs.first[j], jobs.n_slots[j]
    blocked = first - 1
    for t in range(first, first + waits + length):
        for k in range(sums.room.shape[0]):
            if sums.room[k, r, t] < jobs.demand[j, k]:
                blocked = t
                break
        s = t - length + 1
        if s >= first:
            fits[s - first] = blocked < s


@compiled
def price_starts(
    jobs: JobColumns,
    j: int,
    r: int,
    ground: Ground,
    sums: Sums,
    before: FloatArray,
    costs: FloatArray,
) -> float:
    """Grid cost that job ``j`` adds from each start; the size of the sums behind."""
    first, length = jobs.first[j], jobs.n_slots[j]
    n_starts = jobs.last[j] - first + 1
    full = jobs.power_kw[j] * ground.per_kw[r]
    tail = full * jobs.last_fraction[j]
    before[0] = 0.0
    size = 0.0
    for i in range(n_starts + length - 1):
        t = first + i
        grid = max(full - sums.sun[r, t], 0.0)
        before[i + 1] = before[i] + ground.weight[r, t] * grid
        size = max(size, abs(before[i + 1]))
    for i in range(n_starts):
        t = first + i + length - 1
        end = ground.weight[r, t] * max(tail - sums.sun[r, t], 0.0)
        costs[i] = end + (before[i + length - 1] - before[i])
    return size


@compiled
def budget_may_run_out(
    jobs: JobColumns, j: int, r: int, ground: Ground, sums: Sums
) -> bool:
    """Whether job ``j`` might not find budget for its sun on a day of its window."""
    length = jobs.n_slots[j]
    full = jobs.power_kw[j] * ground.per_kw[r]
    energy = full * (length - 1 + jobs.last_fraction[j])
    last_day = ground.day[jobs.last[j] + length - 1]
    for d in range(ground.day[jobs.first[j]], last_day + 1):
        if sums.asked[r, d] + energy > ground.budget[r, d]:
            return True
    return False


@compiled
def grid_of_days(
    r: int,
    first_day: int,
    last_day: int,
    ground: Ground,
    load: FloatArray,
    grid: FloatArray,
) -> None:
    """Grid energy of a region's load in some days, under their budgets."""
    for d in range(first_day, last_day + 1):
        spent = 0.0
        for i in range(ground.day_start[d], ground.day_start[d + 1]):
            t = ground.dearest[r, i]
            wanted = min(load[t], ground.solar[r, t])
            used = min(max(ground.budget[r, d] - spent, 0.0), wanted)
            spent += wanted
            grid[t] = load[t] - used


@compiled
def price_starts_under_budget(
    jobs: JobColumns,
    j: int,
    r: int,
    ground: Ground,
    sums: Sums,
    costs: FloatArray,
) -> float:
    """As ``price_starts``, with the sun that moves between slots of a day."""
    first, length = jobs.first[j], jobs.n_slots[j]
    full = jobs.power_kw[j] * ground.per_kw[r]
    first_day = ground.day[first]
    last_day = ground.day[jobs.last[j] + length - 1]
    load = np.empty(ground.weight.shape[1])
    was = np.empty(len(load))
    now = np.empty(len(load))
    size, dearest = 0.0, 0.0
    for t in range(ground.day_start[first_day], ground.day_start[last_day + 1]):
        load[t] = sums.load[r, t]
        size += abs(ground.weight[r, t]) * load[t]
        dearest = max(dearest, abs(ground.weight[r, t]))
    grid_of_days(r, first_day, last_day, ground, load, was)
    for s in range(first, jobs.last[j] + 1):
        end = s + length
        for t in range(s, end - 1):
            load[t] += full
        load[end - 1] += full * jobs.last_fraction[j]
        one, other = ground.day[s], ground.day[end - 1]
        grid_of_days(r, one, other, ground, load, now)
        costs[s - first] = 0.0
        for t in range(ground.day_start[one], ground.day_start[other + 1]):
            costs[s - first] += (now[t] - was[t]) * ground.weight[r, t]
        for t in range(s, end):
            load[t] = sums.load[r, t]
    return float(size + dearest * full * (length - 1 + jobs.last_fraction[j]))
