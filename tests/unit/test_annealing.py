"""Annealing lets jobs trade places, keeps every limit, and never ends worse."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.annealing import Annealing
from solvers.evaluate import evaluate
from solvers.feasibility import violations
from solvers.greedy import Greedy
from solvers.problem import Problem
from solvers.progress import Progress
from solvers.solution import SolveOptions
from tests.factories_solvers import AJob, a_problem, a_schedule
from tests.instances import random_problem
from tests.oracles import brute_force

OPTIONS = SolveOptions(gap=0.0, time_limit_s=20.0)


def full_day() -> Problem:
    """Two jobs fill both slots; that they stand the wrong way round costs more."""
    small = AJob(slots=1, last=1, demand={"cpu": 1}, power_kw=1.0)
    large = AJob(slots=1, last=1, demand={"cpu": 1}, power_kw=3.0)
    return a_problem([small, large], weight=((1.0, 2.0),), capacity={"cpu": 1})


def test_two_jobs_trade_places_where_neither_can_move_alone() -> None:
    problem = full_day()
    solution = Annealing().solve(problem, OPTIONS, hint=a_schedule((0, 0), (0, 1)))
    assert solution.schedule is not None
    assert solution.schedule.start.tolist() == [1, 0]
    assert solution.stats.seconds < 10.0


@given(st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_plan_of_a_small_day_is_valid_and_not_worse_than_its_start(seed: int) -> None:
    problem = random_problem(seed)
    greedy = Greedy().solve(problem, OPTIONS)
    solution = Annealing().solve(problem, OPTIONS)
    assert solution.schedule is not None
    assert solution.objective is not None
    assert violations(problem, solution.schedule) == []
    assert solution.objective == evaluate(problem, solution.schedule).objective
    assert greedy.objective is not None
    assert solution.objective <= greedy.objective
    least = brute_force(problem).objective
    assert solution.objective >= least - 1e-9 * abs(least)


def test_the_same_seed_gives_the_same_plan() -> None:
    once, again = (Annealing().solve(random_problem(7), OPTIONS) for _ in range(2))
    assert once.schedule is not None
    assert again.schedule is not None
    np.testing.assert_array_equal(once.schedule.start, again.schedule.start)
    np.testing.assert_array_equal(once.schedule.region, again.schedule.region)


@pytest.mark.parametrize("threads", [1, 2])
def test_an_interruption_leaves_the_best_plan(threads: int) -> None:
    told = list[Progress]()

    def stop(step: Progress) -> None:
        told.append(step)
        if len(told) == 2:
            raise KeyboardInterrupt

    problem = full_day()
    options = SolveOptions(gap=0.0, time_limit_s=60.0, threads=threads)
    hint = a_schedule((0, 0), (0, 1))
    solution = Annealing().solve(problem, options, hint=hint, progress=stop)
    assert solution.stats.interrupted
    assert solution.schedule is not None
    assert violations(problem, solution.schedule) == []
    assert {step.solver for step in told} == {"annealing"}


def test_a_day_on_which_nothing_costs_anything_is_left_as_it_is() -> None:
    problem = a_problem([AJob(last=2)], weight=((0.0, 0.0, 0.0),))
    solution = Annealing().solve(problem, OPTIONS, hint=a_schedule((0, 1)))
    assert solution.schedule is not None
    assert solution.schedule.start.tolist() == [1]


def test_a_limit_that_is_infinite_spoils_nothing() -> None:
    problem = full_day()
    endless = np.concatenate([problem.places.capacity, [[[np.inf, np.inf]]]])
    demand = np.column_stack([problem.jobs.demand, problem.jobs.power_kw])
    problem = replace(
        problem,
        places=replace(problem.places, capacity=endless, resources=("cpu", "power_kw")),
        jobs=replace(problem.jobs, demand=demand),
    )
    solution = Annealing().solve(problem, OPTIONS, hint=a_schedule((0, 0), (0, 1)))
    assert solution.schedule is not None
    assert solution.schedule.start.tolist() == [1, 0]
