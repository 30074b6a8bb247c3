"""Chains of ejections until all is placed, none helps or the time is up."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from solvers.job_columns import job_columns
from solvers.price.bands import without_prices
from solvers.price.chains import STEPS, first_weight, make_room
from solvers.price.columns import limits
from solvers.price.crew import Crew
from solvers.price.plan import Plan
from solvers.problem import Problem, within_reach
from solvers.solution import Schedule

LONGEST = 16 * STEPS
"""Steps of a chain beyond which CP-SAT is the better bet."""


def drive_all_in(
    problem: Problem, start: Schedule, stop: Callable[[], bool]
) -> Schedule:
    """Schedule in which chains of ejections found room for jobs left out.

    Chains grow twice as long each time that none of a pass helps.

    Parameters
    ----------
    problem, start
        A schedule that keeps every limit.
    stop
        Asked all the time; true ends with what there is.
    """
    problem = within_reach(problem)
    plan = Plan(job_columns(problem.jobs), limits(problem.places), Crew(None))
    plan.adopt(start)
    terms = without_prices(plan.limits, seed=0).terms(
        0.0, np.zeros(plan.limits.capacity.shape)
    )
    weight, steps = first_weight(plan.jobs), STEPS
    while (plan.board.region < 0).any() and steps <= LONGEST and not stop():
        if not make_room(plan, terms, stop=stop, steps=steps, weight=weight):
            steps *= 2
    # At true cost: whoever had better stay out leaves again.
    plan.sweep(np.arange(problem.n_jobs), terms, fit=True, heat=0.0, seed=0)
    plan.recount()
    return plan.schedule()
