"""The simple policies choose the same places in Python and as machine code."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.synthetic import synthetic_day
from solvers.asap import Asap
from solvers.feasibility import violations
from solvers.greedy import Greedy
from solvers.in_turn import COMPILED_FROM
from solvers.problem import Problem
from solvers.solution import SolveOptions, Status
from solvers.threshold import Threshold
from tests.factories_solvers import AJob, a_problem
from tests.instances import HAND_MADE, Sizes, random_problem
from tests.oracles import places_of

NOW = SolveOptions()
Policy = Asap | Threshold | Greedy
POLICIES: tuple[Callable[[int], Policy], ...] = (
    lambda size: Asap(compiled_from=size),
    lambda size: Threshold(compiled_from=size),
    lambda size: Greedy(compiled_from=size),
)
policies = pytest.mark.parametrize(
    "policy", POLICIES, ids=("asap", "threshold", "greedy")
)
NEVER = 1 << 40
ROOT = Path(__file__).parents[2]


def same_both_ways(policy: Callable[[int], Policy], problem: Problem) -> None:
    plain, compiled = (policy(n).solve(problem, NOW) for n in (NEVER, 0))
    assert places_of(compiled.schedule) == places_of(plain.schedule)
    assert compiled.objective == plain.objective
    assert compiled.status is plain.status


@policies
@pytest.mark.parametrize("hundred", range(5))
def test_random_problems_are_planned_alike(
    policy: Callable[[int], Policy], hundred: int
) -> None:
    for seed in range(100 * hundred, 100 * hundred + 100):
        same_both_ways(policy, random_problem(seed))


@policies
@pytest.mark.parametrize("seed", range(5))
def test_crowded_problems_are_planned_alike(
    policy: Callable[[int], Policy], seed: int
) -> None:
    same_both_ways(policy, random_problem(seed, Sizes(jobs=150, slots=60)))


@policies
@pytest.mark.parametrize("name", HAND_MADE)
def test_hand_made_problems_are_planned_alike(
    policy: Callable[[int], Policy], name: str
) -> None:
    same_both_ways(policy, HAND_MADE[name]())


@policies
@pytest.mark.parametrize("negative_hours", [0, 3])
@pytest.mark.parametrize("budget_share", [None, 0.2, 0.7])
@pytest.mark.parametrize("fill", [0.4, 0.8])
def test_synthetic_days_are_planned_alike(
    policy: Callable[[int], Policy],
    negative_hours: int,
    budget_share: float | None,
    fill: float,
) -> None:
    problem = synthetic_day(
        300, fill=fill, negative_hours=negative_hours, budget_share=budget_share
    )
    same_both_ways(policy, with_costs(problem))


@policies
def test_two_days_under_budgets_are_planned_alike(
    policy: Callable[[int], Policy],
) -> None:
    problem = synthetic_day(
        300, n_slots=48, slot_minutes=60, max_hours=12.0, budget_share=0.3
    )
    same_both_ways(policy, problem)


@policies
def test_jobs_with_one_place_are_planned_around_when_compiled(
    policy: Callable[[int], Policy],
) -> None:
    movable = AJob(slots=2, demand={"cpu": 1}, power_kw=100.0)
    pinned = AJob(first=1, last=1, demand={"cpu": 1})
    problem = a_problem([movable, pinned], capacity={"cpu": 1})
    assert places_of(policy(0).solve(problem, NOW).schedule) == [(0, 2), (0, 1)]


@policies
def test_out_of_time_is_told_when_compiled(policy: Callable[[int], Policy]) -> None:
    problem = a_problem([AJob()] * 3)
    solution = policy(0).solve(problem, SolveOptions(time_limit_s=-1.0))
    assert solution.schedule is not None
    assert solution.schedule.n_unplaced == 3
    assert solution.status is Status.PARTIAL
    assert solution.stats.messages == ("out of time after 0 of 3 jobs",)


def test_few_jobs_do_without_the_compiler() -> None:
    code = """
import sys
from solvers.registry import load
from solvers.solution import SolveOptions
from tests.instances import HAND_MADE
for name in ("asap", "threshold", "greedy"):
    load(name).solve(HAND_MADE["one_job"](), SolveOptions())
print("numba" in sys.modules)
"""
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    assert run.stdout == "False\n", run.stderr


@policies
def test_large_day_keeps_every_limit(policy: Callable[[int], Policy]) -> None:
    problem = synthetic_day(COMPILED_FROM, budget_share=0.3)
    solution = policy(COMPILED_FROM).solve(problem, NOW)
    assert solution.schedule is not None
    assert solution.schedule.n_unplaced < 0.2 * problem.n_jobs
    assert violations(problem, solution.schedule) == []


def with_costs(problem: Problem) -> Problem:
    """The day with a price on waiting, and some jobs that are not worth a place."""
    rng = np.random.default_rng(0)
    jobs = problem.jobs
    waiting = rng.uniform(0.0, 0.01, len(jobs))
    worth = np.where(rng.random(len(jobs)) < 0.1, 0.05, jobs.unplaced_cost)
    costly = replace(jobs, delay_cost=waiting, unplaced_cost=worth)
    return replace(problem, jobs=costly)
