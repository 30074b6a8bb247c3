"""Each job's cheapest place at given prices: the priced subproblem, compiled.

A start costs a difference of running sums over time, so that one job takes
O(regions × window) whatever its duration.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from solvers.compiled import compiled
from solvers.price.columns import JobColumns
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
        Sum of the costs and of their magnitudes, compensated (Neumaier 1974).
    """
    n_regions, n_slots = prices.energy.shape
    n_resources = prices.least_room.shape[1]
    price = np.empty(n_slots + 1)
    closed = np.zeros(n_slots, dtype=np.bool_)
    total, lost, magnitude = 0.0, 0.0, 0.0
    for j in range(lo, hi):
        length = jobs.n_slots[j]
        first, last = jobs.first[j], jobs.last[j]
        delay = jobs.delay_cost[j]
        best = jobs.unplaced_cost[j]
        best_region, best_start = -1, -1
        for r in range(n_regions):
            if not jobs.allowed[j, r]:
                continue
            some_closed = closed_starts(
                jobs, j, r, prices.room, prices.least_room, closed
            )
            energy = jobs.power_kw[j] * prices.metered_hours[r]
            unused = energy * (1.0 - jobs.last_fraction[j])
            for t in range(first, last + length + 1):
                price[t] = energy * prices.energy_sum[r, t]
            for k in range(n_resources):
                units = jobs.demand[j, k]
                if units > 0.0:
                    for t in range(first, last + length + 1):
                        price[t] += units * prices.capacity_sum[r, k, t]
            at_place = jobs.place_cost[j, r]
            for s in range(first, last + 1):
                cost = (
                    price[s + length]
                    - price[s]
                    - unused * prices.energy[r, s + length - 1]
                )
                cost += at_place + delay * (s - first)
                if cost < best and not (some_closed and closed[s]):
                    best, best_region, best_start = cost, r, s
        times = weight[j] if weight.size else 1.0
        if region_out.size:
            region_out[j] = best_region
            start_out[j] = best_start
        if best_region >= 0:
            energy = times * jobs.power_kw[j] * prices.metered_hours[best_region]
            end = best_start + length
            load[best_region, best_start] += energy
            load[best_region, end - 1] -= energy * (1.0 - jobs.last_fraction[j])
            load[best_region, end] -= energy * jobs.last_fraction[j]
            for k in range(n_resources):
                units = times * jobs.demand[j, k]
                usage[best_region, k, best_start] += units
                usage[best_region, k, end] -= units
        best *= times
        after = total + best
        if abs(total) >= abs(best):
            lost += (total - after) + best
        else:
            lost += (best - after) + total
        total = after
        magnitude += abs(best)
    return total, lost, magnitude
