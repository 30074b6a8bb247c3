"""The bound never passes the optimum, whatever the prices."""

from __future__ import annotations

import numpy as np
import pytest

from solvers.price.bound import lower_bound
from solvers.price.engine import Price
from solvers.problem import Problem
from solvers.solution import Prices, SolveOptions
from tests.factories_solvers import AJob, a_problem
from tests.instances import HAND_MADE, random_problem
from tests.oracles import brute_force


def random_prices(problem: Problem, rng: np.random.Generator) -> Prices:
    """Prices of a random size, many of them zero, some absurd."""
    size = 10.0 ** rng.uniform(-3, 2)

    def some(shape: tuple[int, ...]) -> np.ndarray:
        return rng.exponential(size, shape) * (rng.random(shape) < rng.random())

    return Prices(
        capacity=some(problem.places.capacity.shape),
        solar=some(problem.places.solar_kwh.shape),
    )


BLOCKS = [*range(5), *(pytest.param(n, marks=pytest.mark.slow) for n in range(5, 20))]


@pytest.mark.parametrize("block", BLOCKS)
def test_no_prices_at_all_lift_the_bound_above_the_optimum(block: int) -> None:
    for seed in range(100 * block, 100 * block + 100):
        problem = random_problem(seed)
        optimum = brute_force(problem).objective
        rng = np.random.default_rng(seed)
        for _ in range(4):
            bound = lower_bound(problem, random_prices(problem, rng))
            assert bound is not None
            assert bound <= optimum, seed


def test_bound_of_good_prices_meets_the_optimum_where_nothing_is_scarce() -> None:
    jobs = [AJob(slots=2, power_kw=3.0), AJob(slots=1, power_kw=1.0, last=2)]
    problem = a_problem(jobs, weight=((0.5, 0.2, 0.3, 0.4),), capacity={"cpu": 100})
    places = problem.places
    free = Prices(
        capacity=np.zeros(places.capacity.shape), solar=np.zeros(places.solar_kwh.shape)
    )
    bound = lower_bound(problem, free)
    assert bound == pytest.approx(brute_force(problem).objective, rel=1e-9)


def test_bound_found_by_the_engine_follows_from_its_prices_alone() -> None:
    for seed in range(15):
        problem = random_problem(seed)
        solution = Price().solve(problem, SolveOptions(gap=1e-3, time_limit_s=0.3))
        assert solution.prices is not None
        assert solution.bound is not None
        again = lower_bound(problem, solution.prices)
        assert again is not None
        if problem.costs_nothing_at_least:
            again = max(again, 0.0)
        assert again == pytest.approx(solution.bound, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 1e300, -5.0])
def test_absurd_prices_give_a_weak_bound_or_none_but_never_a_false_one(
    wrong: float,
) -> None:
    problem = HAND_MADE["no_room"]()
    places = problem.places
    prices = Prices(
        capacity=np.full(places.capacity.shape, wrong),
        solar=np.full(places.solar_kwh.shape, wrong),
    )
    bound = lower_bound(problem, prices)
    assert bound is None or bound <= brute_force(problem).objective
