"""Each job's cheapest place at given prices: the priced subproblem, compiled.

A start costs a difference of running sums over time, so that one job takes
O(regions × window) whatever its duration.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from solvers.compiled import compiled, inlined
from solvers.job_columns import JobColumns
from solvers.problem import BoolArray, FloatArray, Int16Array, Int32Array


class RowPrices(NamedTuple):
    """Prices as the kernels read them, exact in floating point.

    Every value is a whole multiple of one power of two per row set, so that the
    running sums and their differences carry no rounding at all.

    Parameters
    ----------
    energy
        Price of metered energy, shape (n_regions, n_slots). [objective/kWh]
    energy_sum
        Its running sums, shape (n_regions, n_slots + 1).
    capacity_sum
        Running sums of the capacity prices, shape
        (n_regions, n_resources, n_slots + 1).
    room
        Units that a single job may hold, shape (n_regions, n_resources, n_slots).
    least_room
        Least of them over time, shape (n_regions, n_resources).
    metered_hours
        Metered energy in a full slot per IT kW, shape (n_regions,). [h]
    """

    energy: FloatArray
    energy_sum: FloatArray
    capacity_sum: FloatArray
    room: FloatArray
    least_room: FloatArray
    metered_hours: FloatArray


@compiled
def closed_starts(
    jobs: JobColumns,
    j: int,
    r: int,
    room: FloatArray,
    least_room: FloatArray,
    closed: BoolArray,
) -> bool:
    """Mark starts at which job ``j`` alone is too large for region ``r``.

    Returns False when every start is open, and then leaves ``closed`` untouched.
    """
    n_resources = least_room.shape[1]
    tight = False
    for k in range(n_resources):
        if jobs.demand[j, k] > least_room[r, k]:
            tight = True
    if not tight:
        return False
    first, length = jobs.first[j], jobs.n_slots[j]
    bad = first - 1
    for t in range(first, jobs.last[j] + length):
        for k in range(n_resources):
            if jobs.demand[j, k] > 0.0 and jobs.demand[j, k] > room[r, k, t]:
                bad = t
        start = t - length + 1
        if start >= first:
            closed[start] = bad >= start
    return True


@inlined
def running_costs(
    jobs: JobColumns, j: int, r: int, prices: RowPrices, costs: FloatArray
) -> None:
    """Running sums over time of what full slots of job ``j`` cost in region ``r``."""
    first, end = jobs.first[j], jobs.last[j] + jobs.n_slots[j]
    energy = jobs.power_kw[j] * prices.metered_hours[r]
    for t in range(first, end + 1):
        costs[t] = energy * prices.energy_sum[r, t]
    for k in range(prices.least_room.shape[1]):
        units = jobs.demand[j, k]
        if units > 0.0:
            for t in range(first, end + 1):
                costs[t] += units * prices.capacity_sum[r, k, t]


@inlined
def cheapest_start(
    jobs: JobColumns,
    j: int,
    r: int,
    prices: RowPrices,
    costs: FloatArray,
    some_closed: bool,
    closed: BoolArray,
    best: float,
) -> tuple[float, int]:
    """Cost and start of the first place in region ``r`` below ``best``, -1 if none."""
    first, length, found = jobs.first[j], jobs.n_slots[j], -1
    at_place, delay = jobs.place_cost[j, r], jobs.delay_cost[j]
    unused = jobs.power_kw[j] * prices.metered_hours[r]
    unused *= 1.0 - jobs.last_fraction[j]
    for s in range(first, jobs.last[j] + 1):
        cost = costs[s + length] - costs[s] - unused * prices.energy[r, s + length - 1]
        cost += at_place + delay * (s - first)
        if cost < best and not (some_closed and closed[s]):
            best, found = cost, s
    return best, found


@inlined
def add_steps(
    jobs: JobColumns,
    j: int,
    r: int,
    s: int,
    times: float,
    metered_hours: FloatArray,
    usage: FloatArray,
    load: FloatArray,
) -> None:
    """Add a placed job to the steps of usage and load, ``times`` over."""
    end, energy = s + jobs.n_slots[j], times * jobs.power_kw[j] * metered_hours[r]
    load[r, s] += energy
    load[r, end - 1] -= energy * (1.0 - jobs.last_fraction[j])
    load[r, end] -= energy * jobs.last_fraction[j]
    for k in range(usage.shape[1]):
        units = times * jobs.demand[j, k]
        usage[r, k, s] += units
        usage[r, k, end] -= units


@inlined
def compensated(total: float, lost: float, value: float) -> tuple[float, float]:
    """Add a value to a sum, and what rounding takes to a second (Neumaier 1974)."""
    after = total + value
    if abs(total) >= abs(value):
        return after, lost + ((total - after) + value)
    return after, lost + ((value - after) + total)


@compiled
def choose(
    jobs: JobColumns,
    prices: RowPrices,
    weight: FloatArray,
    lo: int,
    hi: int,
    region_out: Int16Array,
    start_out: Int32Array,
    usage: FloatArray,
    load: FloatArray,
) -> tuple[float, float, float]:
    """Cheapest place of jobs ``lo ≤ j < hi``, and the sums that follow from it.

    Parameters
    ----------
    jobs, prices
        ``JobColumns`` and ``RowPrices``.
    weight
        How often each job counts, shape (n_jobs,), or empty for once.
    lo, hi
        The part of the jobs to look at.
    region_out, start_out
        Receive the choices, unless empty.
    usage, load
        Receive steps of usage (n_regions, n_resources, n_slots + 1) and of metered
        energy (n_regions, n_slots + 1): running sums over time give the levels.

    Returns
    -------
    tuple of float
        Sum of the costs, what rounding took from it, and sum of their magnitudes.
    """
    n_regions, n_slots = prices.energy.shape
    costs = np.empty(n_slots + 1)
    closed = np.zeros(n_slots, dtype=np.bool_)
    total, lost, magnitude = 0.0, 0.0, 0.0
    for j in range(lo, hi):
        best, region, start = jobs.unplaced_cost[j], -1, -1
        for r in range(n_regions):
            if jobs.allowed[j, r]:
                some_closed = closed_starts(
                    jobs, j, r, prices.room, prices.least_room, closed
                )
                running_costs(jobs, j, r, prices, costs)
                best, found = cheapest_start(
                    jobs, j, r, prices, costs, some_closed, closed, best
                )
                if found >= 0:
                    region, start = r, found
        times = weight[j] if weight.size else 1.0
        if region_out.size:
            region_out[j], start_out[j] = region, start
        if region >= 0:
            add_steps(jobs, j, region, start, times, prices.metered_hours, usage, load)
        total, lost = compensated(total, lost, best * times)
        magnitude += abs(best * times)
    return total, lost, magnitude
