"""The price engine on awkward days: no crash, no broken limit, no lost bound."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.awkward import AWKWARD, awkward_day
from benchmarks.synthetic import synthetic_day
from solvers.evaluate import evaluate
from solvers.feasibility import violations
from solvers.price.engine import Price
from solvers.problem import Problem
from solvers.progress import Progress
from solvers.registry import load
from solvers.solution import Solution, SolveOptions, Status, relative_gap
from tests.factories_solvers import AJob, a_problem
from tests.promises import check_answer

QUICK = SolveOptions(gap=1e-3, time_limit_s=1.5)


def solved(problem: Problem, options: SolveOptions = QUICK) -> Solution:
    """Solution, with all that must hold of any answer checked."""
    solution = Price().solve(problem, options)
    assert solution.schedule is not None
    assert solution.objective is not None
    assert solution.bound is not None
    assert np.isfinite(solution.bound)
    assert violations(problem, solution.schedule) == []
    assert solution.objective == evaluate(problem, solution.schedule).objective
    assert solution.bound <= solution.objective
    return solution


@pytest.mark.parametrize("name", [*AWKWARD, "one_job"])
def test_awkward_day_keeps_its_limits_and_its_bound(name: str) -> None:
    one = name == "one_job"
    problem = synthetic_day(1, seed=9) if one else awkward_day(name, 300)
    solution = solved(problem)
    greedy = load("greedy").solve(problem, QUICK)
    assert greedy.objective is not None
    assert solution.objective is not None
    assert solution.objective <= greedy.objective * (1 + 1e-9)


def test_ordinary_day_is_within_a_percent_of_its_bound() -> None:
    options = SolveOptions(gap=1e-2, time_limit_s=60.0)
    solution = solved(synthetic_day(2_000, seed=1), options)
    assert solution.gap is not None
    assert solution.gap <= 0.01


def test_plan_of_a_larger_day_is_proven_to_a_tenth_of_a_percent() -> None:
    options = SolveOptions(gap=1e-3, time_limit_s=120.0, threads=2)
    solution = solved(synthetic_day(22_000, seed=1), options)
    assert solution.status is Status.OPTIMAL


@pytest.mark.parametrize("threads", [1, 2])
def test_same_seed_and_threads_give_the_same_plan(threads: int) -> None:
    problem = synthetic_day(500, seed=1)
    options = SolveOptions(gap=5e-2, time_limit_s=120.0, threads=threads, seed=4)
    one, two = Price().solve(problem, options), Price().solve(problem, options)
    assert one.schedule is not None
    assert two.schedule is not None
    assert (one.schedule.region == two.schedule.region).all()
    assert (one.schedule.start == two.schedule.start).all()
    assert one.bound == two.bound


def test_a_stop_ends_the_solve_with_the_best_plan_so_far() -> None:
    problem = synthetic_day(1_000, seed=1)
    asked: list[int] = []

    def stop() -> bool:
        asked.append(1)
        return len(asked) > 5

    options = SolveOptions(gap=0.0, time_limit_s=60.0)
    solution = Price().solve(problem, options, stop=stop)
    assert solution.schedule is not None
    assert violations(problem, solution.schedule) == []
    assert solution.stats.seconds < 20.0


def test_progress_tells_rising_bounds_and_falling_objectives() -> None:
    told: list[Progress] = []
    solution = Price().solve(synthetic_day(300, seed=1), QUICK, progress=told.append)
    bounds = [step.bound for step in told if step.bound is not None]
    bests = [step.best for step in told if step.best is not None]
    assert bounds == sorted(bounds)
    assert bests == sorted(bests, reverse=True)
    assert bounds[-1] == solution.bound
    assert len(told) > 3


def test_prices_are_not_negative_and_vanish_where_room_is_plenty() -> None:
    problem = synthetic_day(300, seed=1)
    capacity = problem.places.capacity.copy()
    capacity[0] *= 1000.0
    places = replace(problem.places, capacity=capacity)
    solution = solved(replace(problem, places=places))
    assert solution.prices is not None
    assert (solution.prices.capacity >= 0.0).all()
    assert (solution.prices.solar >= 0.0).all()
    assert solution.prices.capacity[0].max() <= 1e-3 * solution.prices.capacity[1].max()


def test_a_better_hint_is_returned() -> None:
    problem = synthetic_day(200, seed=1)
    good = solved(problem)
    hurried = SolveOptions(gap=1e-3, time_limit_s=0.0)
    again = Price().solve(problem, hurried, hint=good.schedule)
    assert again.objective is not None
    assert good.objective is not None
    assert again.objective <= good.objective * (1 + 1e-12)


def test_a_limit_that_is_infinite_costs_nothing_and_spoils_nothing() -> None:
    limited = synthetic_day(300, seed=4)
    capacity = limited.places.capacity
    endless = np.full((1, *capacity.shape[1:]), np.inf)
    places = replace(
        limited.places,
        capacity=np.concatenate([capacity, endless]),
        resources=(*limited.places.resources, "endless"),
    )
    demand = np.column_stack([limited.jobs.demand, limited.jobs.power_kw])
    jobs = replace(limited.jobs, demand=demand)
    options = SolveOptions(gap=0.05, time_limit_s=120.0)
    solution = Price().solve(Problem(places=places, jobs=jobs), options)
    check_answer(Problem(places=places, jobs=jobs), solution)
    assert solution.gap is not None
    assert solution.gap <= 0.05
    assert solution.prices is not None
    assert (solution.prices.capacity[-1] == 0.0).all()


def test_an_interruption_ends_the_solve_with_the_best_plan_so_far() -> None:
    problem = synthetic_day(300, seed=4)
    told = []

    def enough(progress: Progress) -> None:
        told.append(progress)
        if progress.bound is not None and progress.best is not None:
            raise KeyboardInterrupt

    options = SolveOptions(gap=0.0, time_limit_s=20.0)
    solution = Price().solve(problem, options, progress=enough)
    check_answer(problem, solution)
    assert solution.stats.interrupted
    assert solution.objective is not None
    assert told[-1].best is not None
    assert solution.objective <= told[-1].best * (1 + 1e-9)


@pytest.mark.parametrize("n_jobs", [3, 60])
def test_a_day_of_sun_alone_is_proven_to_cost_nothing(n_jobs: int) -> None:
    jobs = [AJob(slots=2, power_kw=1 / 3, delay_cost=0.1) for _ in range(n_jobs)]
    solution = solved(a_problem(jobs, solar_kwh=100.0))
    assert (solution.objective, solution.bound, solution.gap) == (0.0, 0.0, 0.0)
    assert solution.status is Status.OPTIMAL


def test_a_gap_that_no_number_can_tell_is_none() -> None:
    assert relative_gap(0.0, 0.0) == 0.0
    assert relative_gap(0.0, -1e-13) is None


@pytest.mark.parametrize("name", ["price", "exact"])
def test_a_plan_that_leaves_jobs_out_is_called_partial_by_every_engine(
    name: str,
) -> None:
    problem = a_problem(
        [AJob(demand={"cpu": 1.0}, last=0), AJob(demand={"cpu": 1.0}, last=0)],
        capacity={"cpu": 1.0},
    )
    solution = load(name).solve(problem, SolveOptions(gap=0.9, time_limit_s=5.0))
    assert solution.status is Status.PARTIAL
