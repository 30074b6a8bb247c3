"""What one more unit of each limit is worth, read off the prices of the bound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

import numpy as np

from solvers.job_columns import job_columns
from solvers.price.crew import crew
from solvers.price.duals import Ground, Point, budget_price
from solvers.price.prices import Level, Pricer, levels
from solvers.problem import FloatArray, Places, Problem, within_reach
from solvers.solution import Prices, SolveOptions

_FEW = 3_000
"""Jobs up to which hundreds of passes are cheap."""

_STEPS = (0.05, 0.005, 0.0005)
_WORTHWHILE = 1e-5
"""Relative rise for which the same steps are taken once more."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Worth:
    """What one more unit of a limit saves at the margin, never negative.

    It is that of the relaxed problem, in which a job may be split: raising a limit by
    ``δ`` lowers the least relaxed cost by at most ``δ`` times this, lowering it
    raises that cost by at least as much.

    Parameters
    ----------
    capacity
        Objective per unit of a resource in a slot, shape
        (n_resources, n_regions, n_slots).
    solar
        Objective per kWh of sun in a slot, budgets unchanged, shape
        (n_regions, n_slots).
    solar_budget
        Objective per kWh of a day's solar budget, shape (n_regions, n_days).
    """

    capacity: FloatArray
    solar: FloatArray
    solar_budget: FloatArray


def shadow_prices(problem: Problem, options: SolveOptions) -> Prices:
    """Prices of a problem without a plan; for where a solver left none.

    Parameters
    ----------
    problem
        Complete and checked.
    options
        Time limit, seed and threads; a second is plenty up to some 10,000 jobs. The
        limit begins after the first, coarse climb, which is always made, and in which
        compiled code is loaded: prices that nobody looked for would say that nothing
        is scarce.
    """
    problem = within_reach(problem)
    ground, jobs = Ground.of(problem), job_columns(problem.jobs)
    with crew(options.threads) as team:
        pricer = Pricer(problem, ground, jobs, crew=team, seed=options.seed)
        if problem.n_jobs:
            _climb(pricer, problem.n_jobs, options.time_limit_s)
    return prices_at(ground, pricer.point)


def _climb(pricer: Pricer, n_jobs: int, time_limit_s: float) -> None:
    coarse, *finer = levels(n_jobs)
    pricer.climb(coarse, lambda: False)
    until = monotonic() + time_limit_s

    def late() -> bool:
        return monotonic() > until

    if n_jobs <= _FEW:
        _climb_to_the_top(pricer, n_jobs, late)
        return
    for level in finer:
        pricer.climb(level, late)


def _climb_to_the_top(pricer: Pricer, n_jobs: int, stop: Callable[[], bool]) -> None:
    """Climb with ever finer steps, each for as long as they lead on."""
    for step in _STEPS:
        level, before = Level(jobs=n_jobs, rounds=400, step=step), -np.inf
        while not stop():
            reached = pricer.climb(level, stop)
            if reached <= before + _WORTHWHILE * abs(before):
                break
            before = reached


def prices_at(ground: Ground, point: Point) -> Prices:
    """Prices of the bound at a point, in the order of axes of a ``Problem``."""
    return Prices(
        capacity=np.ascontiguousarray(point.capacity.transpose(1, 0, 2)),
        solar=np.maximum(ground.weight - point.energy, 0.0),
    )


def worth(places: Places, prices: Prices) -> Worth:
    """What one more unit of each limit saves, at the prices of a bound.

    With ``D(λ, π)`` of ``docs/price-engine.md``: a unit of capacity is worth ``λ``; a
    kWh of sun what a kWh costs the jobs, ``e = w - π``, less the worth of what it
    takes from the day's budget. Sun beyond the load is worth nothing: ``π = w``.
    """
    energy = np.maximum(places.weight_per_kwh - prices.solar, 0.0)
    budget = budget_price(places, energy)
    return Worth(
        capacity=prices.capacity,
        solar=np.maximum(energy - budget[:, places.day], 0.0),
        solar_budget=budget,
    )
