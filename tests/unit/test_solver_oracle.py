"""The oracle is itself checked against trying everything without any pruning."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from tests.factories_solvers import AJob, a_problem
from tests.instances import HAND_MADE, Sizes, random_problem
from tests.oracles import Place, brute_force, keeps_limits, price

TINY = Sizes(jobs=3, regions=2, slots=5, resources=1)


@pytest.mark.parametrize("seed", range(60))
def test_pruned_search_agrees_with_trying_every_combination(seed: int) -> None:
    problem = random_problem(seed, TINY)
    everything: list[list[Place]] = [
        [None, *product(range(problem.places.n_regions), range(first, last + 1))]
        for first, last in zip(problem.jobs.first, problem.jobs.last, strict=True)
    ]
    cheapest = min(
        price(problem, list(places))
        for places in product(*everything)
        if keeps_limits(problem, list(places))
    )
    assert brute_force(problem).objective == pytest.approx(cheapest, abs=1e-9)


@pytest.mark.parametrize(
    ("name", "objective"),
    [
        ("empty", 0.0),
        ("one_job", 0.3),
        ("no_room", 50.0),
        ("flat", 0.6 + 0.75),
        ("equal_jobs", 0.4),
        ("greedy_trap", 0.3),
        ("negative_price", -0.4),
    ],
)
def test_oracle_finds_the_known_answers(name: str, objective: float) -> None:
    assert brute_force(HAND_MADE[name]()).objective == pytest.approx(objective)


def test_oracle_prices_solar_under_a_budget_at_the_dearest_slots() -> None:
    problem = a_problem(
        [AJob(slots=3, power_kw=2.0)],
        weight=((0.2, 0.5, 0.3),),
        solar_kwh=((2.0, 1.0, 2.0),),
        solar_budget_kwh=((2.0,),),
    )
    # Load 2 a slot; the sun gives 1 of slot 1 (all there is), then 1 of slot 2.
    assert price(problem, [(0, 0)]) == pytest.approx(0.2 * 2 + 0.5 * 1 + 0.3 * 1)


def test_oracle_sees_a_broken_capacity_and_window() -> None:
    job = AJob(slots=2, demand={"cpu": 2}, last=1)
    problem = a_problem([job, job], capacity={"cpu": 3})
    assert keeps_limits(problem, [(0, 0), None])
    assert not keeps_limits(problem, [(0, 0), (0, 1)])
    assert not keeps_limits(problem, [(0, 2), None])


def test_instances_are_equal_for_equal_seeds() -> None:
    one, two = random_problem(11), random_problem(11)
    assert np.array_equal(one.places.capacity, two.places.capacity)
    assert np.array_equal(one.jobs.power_kw, two.jobs.power_kw)
