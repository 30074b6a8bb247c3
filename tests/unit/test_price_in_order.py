"""Compiled placing in turn answers as the policies do."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.synthetic import synthetic_day
from solvers.evaluate import evaluate
from solvers.feasibility import violations
from solvers.greedy import turns
from solvers.price.in_order import place_in_order
from solvers.registry import load
from solvers.solution import SolveOptions


@pytest.mark.parametrize("seed", range(4))
def test_cheapest_place_in_turn_is_the_greedy_rule(seed: int) -> None:
    problem = synthetic_day(150, seed=seed)
    schedule = place_in_order(problem, turns(problem))
    greedy = load("greedy").solve(problem, SolveOptions())
    assert violations(problem, schedule) == []
    # Costs that tie but for rounding may go either way, and part company there.
    objective = evaluate(problem, schedule).objective
    assert objective == pytest.approx(greedy.objective, rel=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_earliest_at_home_takes_the_first_free_slots(seed: int) -> None:
    problem = synthetic_day(150, seed=seed)
    order = np.argsort(problem.jobs.first, kind="stable")
    schedule = place_in_order(problem, order, earliest_at_home=True)
    assert violations(problem, schedule) == []
    placed = schedule.region >= 0
    assert placed.any()
    assert (schedule.region == problem.jobs.home)[placed].all()
    roomy = synthetic_day(20, seed=seed, fill=0.01)
    early = place_in_order(roomy, np.arange(20), earliest_at_home=True)
    assert (early.start == roomy.jobs.first).all()
