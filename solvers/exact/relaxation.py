r"""A bound for problems of any size: every job alone, solar bought at a price.

Grid energy of a slot is at least :math:`L - S` and at least 0. So with any solar
price :math:`0 \le \pi \le w` (and :math:`\pi = w` where :math:`w < 0`)

.. math:: w\,g \ge \pi\,(L - S^+), \qquad S^+ = S \text{ if } \pi > 0 \text{ else } 0

and the sum over slots splits into one problem for each job, which ignores capacity:

.. math:: \min_{r, s} \sum_t \pi_{rt}\, p_{t-s} + f_{rs} \;-\; \sum_{rt} \pi_{rt} S_{rt}
"""

from __future__ import annotations

import numpy as np

from solvers.evaluate import evaluate
from solvers.problem import FloatArray, Int64Array, Problem
from solvers.solution import Schedule

SAFETY = 1e-9
"""Part of its turnover that is taken off the bound for rounding."""

_CHUNK = 2_000_000
"""Places looked at in one pass; keeps memory near 200 MB."""


def lonely_bound(problem: Problem, schedule: Schedule) -> float:
    """Larger of two bounds: solar at full price, and at the price a plan suggests.

    Parameters
    ----------
    problem
        Any.
    schedule
        Any schedule; where its load does not use up the solar, solar is taken to
        be free. A better schedule gives a better bound; any gives a valid one.
    """
    places = problem.places
    scarce = evaluate(problem, schedule).load_kwh >= places.solar_kwh
    full_price = places.weight_per_kwh
    suggested = np.where(scarce, full_price, np.minimum(full_price, 0.0))
    return max(bound_at(problem, full_price), bound_at(problem, suggested))


def bound_at(problem: Problem, price_per_kwh: FloatArray) -> float:
    """Bound at given prices of energy, at most the weight of grid energy.

    Parameters
    ----------
    problem
        Any.
    price_per_kwh
        Between 0 and the weight, equal to it where it is negative, shape
        (n_regions, n_slots).
    """
    paid = np.maximum(price_per_kwh, 0.0) * problem.places.solar_kwh
    cheapest = _cheapest_costs(problem, price_per_kwh)
    turnover = float(np.abs(cheapest).sum() + paid.sum())
    return float(cheapest.sum() - paid.sum()) - SAFETY * turnover


def _cheapest_costs(problem: Problem, price_per_kwh: FloatArray) -> FloatArray:
    """Least cost of every job alone, or of leaving it out, shape (n_jobs,)."""
    jobs, places = problem.jobs, problem.places
    running = np.zeros((places.n_regions, places.n_slots + 1))
    np.cumsum(price_per_kwh, axis=1, out=running[:, 1:])
    n_starts = (jobs.last - jobs.first + 1).astype(np.int64)
    best = jobs.unplaced_cost.astype(np.float64)
    ends = np.cumsum(n_starts)
    begin = 0
    while begin < problem.n_jobs:
        done = ends[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(ends, done + _CHUNK, side="right")))
        chunk = np.arange(begin, end)
        for r in range(places.n_regions):
            here = chunk[jobs.allowed[chunk, r]]
            cost = _place_costs(problem, running[r], price_per_kwh[r], r, here)
            best[here] = np.minimum(best[here], cost)
        begin = end
    return best


def _place_costs(
    problem: Problem,
    running: FloatArray,
    price_per_kwh: FloatArray,
    region: int,
    job: Int64Array,
) -> FloatArray:
    """Least cost of each job over its starts in one region, shape (n,)."""
    jobs, places = problem.jobs, problem.places
    n_starts = (jobs.last[job] - jobs.first[job] + 1).astype(np.int64)
    if not len(job):
        return np.zeros(0)
    offset = np.cumsum(n_starts) - n_starts
    of = np.repeat(job, n_starts)
    waited = np.arange(len(of)) - np.repeat(offset, n_starts)
    start = jobs.first[of] + waited
    full_end = start + jobs.n_slots[of] - 1
    metered = jobs.power_kw[of] * places.pue[region] * places.slot_hours
    energy = running[full_end] - running[start]
    energy += jobs.last_fraction[of] * price_per_kwh[full_end]
    cost = metered * energy + jobs.delay_cost[of] * waited
    least: FloatArray = np.minimum.reduceat(cost, offset)
    return np.asarray(least + jobs.place_cost[job, region])
