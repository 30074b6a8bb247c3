"""The simple rules at any size: jobs placed one after another, never moved again."""

from __future__ import annotations

import numpy as np

from solvers.price.bands import Bands, gumbel_noise
from solvers.price.columns import job_columns, limits
from solvers.price.crew import Crew
from solvers.price.duals import Point
from solvers.price.plan import Plan
from solvers.problem import Int64Array, Problem
from solvers.solution import Schedule


def place_in_order(
    problem: Problem, order: Int64Array, *, earliest_at_home: bool = False
) -> Schedule:
    """Place jobs in turn where there is room, compiled.

    Parameters
    ----------
    problem
        Complete and checked.
    order
        Every job once, in the order in which they choose.
    earliest_at_home
        True takes the earliest start in the home region, whatever it costs; False
        the cheapest place at true marginal cost, or none where that is cheaper.

    Notes
    -----
    Daily solar budgets play no part in the choice of a place. Under a budget the
    cheapest place is therefore that of a day without one.
    """
    jobs, shared = job_columns(problem.jobs), limits(problem.places)
    if earliest_at_home:
        home = problem.jobs.home[:, None] == np.arange(problem.places.n_regions)
        jobs = jobs._replace(
            allowed=home & problem.jobs.allowed,
            place_cost=np.zeros(home.shape),
            delay_cost=np.ones(len(home)),
            unplaced_cost=np.full(len(home), np.inf),
        )
        shared = shared._replace(weight=np.zeros(shared.weight.shape))
    shape = shared.capacity.shape
    bands = Bands(
        limits=shared,
        point=Point(energy=shared.weight, capacity=np.zeros(shape)),
        solar_price=np.zeros(shared.weight.shape),
        least_penalty=np.zeros(shape[1]),
        noise=gumbel_noise(shape[2], 0),
    )
    plan = Plan(jobs, shared, Crew(None))
    terms = bands.terms(0.0, np.zeros(shape))
    plan.sweep(np.asarray(order, dtype=np.int64), terms, fit=True, heat=0.0, seed=0)
    return plan.schedule()
