"""``auto`` on awkward days: it ends, keeps every limit and never loses the bound."""

from __future__ import annotations

import time

import pytest

from benchmarks.awkward import AWKWARD, awkward_day
from solvers.registry import load
from solvers.solution import SolveOptions
from tests.promises import check_answer

JOBS, LIMIT_S, PATIENCE_S = 40, 1.0, 30.0
OPTIONS = SolveOptions(gap=1e-3, time_limit_s=LIMIT_S, extra={"isolate": False})


@pytest.mark.parametrize("name", AWKWARD)
def test_auto_ends_in_time_with_a_plan_and_a_bound(name: str) -> None:
    problem = awkward_day(name, JOBS)
    began = time.monotonic()
    solution = load("auto").solve(problem, OPTIONS)
    assert time.monotonic() - began < PATIENCE_S
    objective, _ = check_answer(problem, solution)
    assert solution.bound is not None
    greedy = load("greedy").solve(problem, OPTIONS)
    assert greedy.objective is not None
    assert objective <= greedy.objective + 1e-9 * abs(greedy.objective)


def test_a_day_that_is_too_full_leaves_jobs_out_and_proves_something() -> None:
    problem = awkward_day("overfull", 5 * JOBS)
    solution = load("auto").solve(problem, OPTIONS)
    assert solution.schedule is not None
    assert solution.schedule.n_unplaced > 0
    assert solution.bound is not None
    assert solution.bound > 0.0


def test_equal_jobs_are_proven_although_every_exchange_costs_the_same() -> None:
    solution = load("auto").solve(awkward_day("all_equal", JOBS), OPTIONS)
    assert solution.gap is not None
    assert solution.gap <= OPTIONS.gap


@pytest.mark.slow
@pytest.mark.parametrize("name", AWKWARD)
def test_auto_keeps_its_promises_on_larger_awkward_days(name: str) -> None:
    problem = awkward_day(name, 3_000)
    options = SolveOptions(gap=1e-3, time_limit_s=20.0, threads=2)
    solution = load("auto").solve(problem, options)
    check_answer(problem, solution)
    assert solution.bound is not None
