"""What ``solvers.solver.Solver`` promises, asked of every registered solver."""

from __future__ import annotations

from dataclasses import replace
from time import monotonic

import numpy as np
import pytest

from solvers.feasibility import violations
from solvers.problem import Problem
from solvers.solution import Schedule, Solution, SolveOptions, Status
from solvers.solver import Solver
from tests.factories_solvers import AJob, a_problem, a_schedule
from tests.instances import HAND_MADE, Sizes, random_problem
from tests.oracles import brute_force, places_of
from tests.promises import EXACT, PLAIN, check_against, check_answer

AT_HOME = ("asap", "threshold")
"""Baselines that stay in the home region."""

SEEDS = range(0, 2400, 100)
EVERY_OTHER = [
    pytest.param(seed, marks=[pytest.mark.slow] if seed % 200 else []) for seed in SEEDS
]
ASKED = replace(EXACT, time_limit_s=3.0)
"""Some engines never prove some instances; that costs no more than this."""


def solved(solver: Solver, problem: Problem) -> tuple[Solution, Schedule]:
    """Solution and schedule, with all that holds for any answer checked."""
    solution = solver.solve(problem, ASKED)
    _, schedule = check_answer(problem, solution)
    return solution, schedule


@pytest.mark.parametrize("seed", EVERY_OTHER)
def test_answer_keeps_limits_and_is_no_better_than_the_best(
    solver: Solver, seed: int
) -> None:
    problem = random_problem(seed)
    solution, _ = solved(solver, problem)
    check_against(brute_force(problem).objective, solution, EXACT.gap)


@pytest.mark.parametrize("name", HAND_MADE)
def test_hand_made_problems_are_answered(solver: Solver, name: str) -> None:
    problem = HAND_MADE[name]()
    solution, _ = solved(solver, problem)
    check_against(brute_force(problem).objective, solution, EXACT.gap)


def test_no_job_costs_nothing(solver: Solver) -> None:
    solution, schedule = solved(solver, HAND_MADE["empty"]())
    assert solution.objective == 0.0
    assert len(schedule.region) == 0
    assert solution.status in (Status.OPTIMAL, Status.FEASIBLE)
    assert solution.gap in (None, 0.0)


def test_one_job_is_placed(solver: Solver) -> None:
    _, schedule = solved(solver, HAND_MADE["one_job"]())
    assert schedule.n_unplaced == 0


def test_job_that_cannot_fit_is_left_out_at_its_price(solver: Solver) -> None:
    solution, schedule = solved(solver, HAND_MADE["no_room"]())
    assert schedule.n_unplaced == 1
    assert solution.objective == pytest.approx(50.0)
    assert solution.status is not Status.FEASIBLE


def test_flat_intensity_starts_every_job_as_early_as_it_can(solver: Solver) -> None:
    _, schedule = solved(solver, HAND_MADE["flat"]())
    assert places_of(schedule) == [(0, 1), (0, 2)]


def test_equal_jobs_take_the_earlier_slots_in_order_of_index(solver: Solver) -> None:
    jobs = [AJob(demand={"cpu": 1}, last=5)] * 6
    problem = a_problem(jobs, weight=((0.5,) * 6,), capacity={"cpu": 2})
    _, schedule = solved(solver, problem)
    if solver.name in PLAIN:
        assert schedule.start.tolist() == [0, 0, 1, 1, 2, 2]
    assert (np.diff(schedule.start) >= 0).all()


def test_partial_days_and_far_too_much_work_are_survived(solver: Solver) -> None:
    jobs = [AJob(slots=3, demand={"cpu": 2}, power_kw=0.0)] * 9
    problem = a_problem(jobs, capacity={"cpu": [[2, 2, 2, 2]]})
    _, schedule = solved(solver, problem)
    assert schedule.n_unplaced == 8


@pytest.mark.parametrize("seed", [7, 107, 207])
def test_same_problem_options_and_seed_give_the_same_answer(
    solver: Solver, seed: int
) -> None:
    problem = random_problem(seed)
    _, once = solved(solver, problem)
    _, again = solved(solver, problem)
    assert places_of(once) == places_of(again)


@pytest.mark.parametrize("seed", [3, 103, 203])
def test_hint_is_never_made_worse(solver: Solver, seed: int) -> None:
    problem = random_problem(seed)
    best = brute_force(problem)
    hint = a_schedule(*best.places)
    hinted = solver.solve(problem, EXACT, hint=hint)
    assert hinted.schedule is not None
    assert hinted.objective is not None
    assert violations(problem, hinted.schedule) == []
    if solver.name in PLAIN:
        plain = solver.solve(problem, EXACT)
        assert places_of(hinted.schedule) == places_of(plain.schedule)
    else:
        assert hinted.objective <= best.objective + 1e-9 * max(1, abs(best.objective))


def test_order_of_regions_does_not_matter_to_the_objective(solver: Solver) -> None:
    weight = ((0.5, 0.3, 0.2), (0.4, 0.1, 0.6))
    job = AJob(slots=2, home=0)
    moved = AJob(slots=2, home=1)
    one = a_problem([job], weight=weight)
    other = a_problem([moved], weight=weight[::-1])
    first, second = solver.solve(one, EXACT), solver.solve(other, EXACT)
    assert first.objective == pytest.approx(second.objective)


def test_jobs_at_home_stay_there(solver: Solver) -> None:
    if solver.name not in AT_HOME:
        pytest.skip(f"{solver.name} may move jobs between regions")
    for seed in SEEDS:
        problem = random_problem(seed)
        _, schedule = solved(solver, problem)
        placed = schedule.region >= 0
        assert (schedule.region == problem.jobs.home)[placed].all()


def test_time_limit_is_kept(solver: Solver) -> None:
    problem = random_problem(5, Sizes(jobs=120, slots=96))
    solver.solve(HAND_MADE["one_job"](), EXACT)  # imports and caches aside
    began = monotonic()
    solution = solver.solve(problem, SolveOptions(gap=0.0, time_limit_s=0.3))
    assert monotonic() - began < 0.3 + 3.0
    if solution.schedule is not None:
        assert violations(problem, solution.schedule) == []
