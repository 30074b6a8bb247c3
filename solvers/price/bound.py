r"""A proven lower bound from prices alone, safe in floating point.

``docs/price-engine.md`` derives the allowance. In short: prices are rounded to a
grid on which running sums are exact, so that a job's cost at a place is a dozen
rounded operations away from the truth; the checker's and the evaluator's own
rounding is covered by the same term.
"""

from __future__ import annotations

import math

import numpy as np

from solvers.job_columns import JobColumns, job_columns
from solvers.price.crew import Crew
from solvers.price.duals import Ground, Point, dual_value
from solvers.problem import Problem
from solvers.solution import Prices

_UNIT_ROUNDOFF = 2.0**-53


def lower_bound(
    problem: Problem, prices: Prices, *, crew: Crew | None = None
) -> float | None:
    """Bound on the objective of every schedule that the checker accepts.

    Parameters
    ----------
    problem
        Complete and checked.
    prices
        Any prices: bad ones give a weak bound, never a false one.
    crew
        Threads to share the work; the result does not depend on them.

    Returns
    -------
    float or None
        None if the arithmetic overflowed.
    """
    ground = Ground.of(problem)
    point = Point(
        energy=ground.weight - np.maximum(prices.solar, 0.0),
        capacity=np.ascontiguousarray(prices.capacity.transpose(1, 0, 2)),
    )
    return bound_at(ground, job_columns(problem.jobs), point, crew or Crew(None))


def bound_at(
    ground: Ground, jobs: JobColumns, point: Point, crew: Crew
) -> float | None:
    """Bound at a point: the dual value less the allowance for rounding."""
    dual = dual_value(ground, jobs, point, crew)
    spread = _largest_costs(ground, jobs, point)
    n_regions, n_resources, n_slots = ground.room.shape
    operations = 2 * len(jobs.n_slots) + 4 * n_slots * n_regions + n_resources + 64
    gamma = operations * _UNIT_ROUNDOFF / (1.0 - operations * _UNIT_ROUNDOFF)
    allowance = 4.0 * gamma * (spread + dual.magnitude) + 1e-300
    bound = dual.value - allowance
    return bound if math.isfinite(bound) else None


def _largest_costs(ground: Ground, jobs: JobColumns, point: Point) -> float:
    """Sum over jobs of the largest magnitude that any of their costs can have."""
    prices = ground.row_prices(point)
    energy = np.abs(prices.energy).sum(axis=1).max(initial=0.0)
    energy = max(energy, np.abs(ground.places.weight_per_kwh).sum(axis=1).max())
    per_kw = energy * ground.metered_hours.max(initial=0.0)
    per_unit = prices.capacity_sum[:, :, -1].max(axis=0, initial=0.0)
    spread = 2.0 * per_kw * float(jobs.power_kw.sum())
    spread += 2.0 * float(per_unit @ jobs.demand.sum(axis=0))
    spread += float(np.abs(jobs.place_cost).max(axis=1, initial=0.0).sum())
    waits = jobs.last.astype(np.float64) - jobs.first
    spread += float((np.abs(jobs.delay_cost) * waits).sum())
    return float(spread)
