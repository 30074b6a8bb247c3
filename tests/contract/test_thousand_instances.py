"""SO-08: a thousand seeded instances, every solver against brute force."""

from __future__ import annotations

import pytest

from solvers.registry import SOLVERS, load
from tests.instances import random_problem
from tests.oracles import brute_force
from tests.promises import EXACT, PLAIN, check_against, check_answer

BLOCK = 100


@pytest.mark.parametrize("block", range(10))
def test_policies_are_no_better_than_brute_force(block: int) -> None:
    policies = [load(name) for name in PLAIN]
    for seed in range(block * BLOCK, (block + 1) * BLOCK):
        problem = random_problem(seed)
        optimum = brute_force(problem).objective
        for policy in policies:
            solution = policy.solve(problem, EXACT)
            check_answer(problem, solution)
            check_against(optimum, solution, EXACT.gap)


@pytest.mark.skipif("exact" not in SOLVERS, reason="no exact solver is registered")
@pytest.mark.parametrize("block", range(10))
def test_exact_is_brute_force(block: int) -> None:
    exact = load("exact")
    for seed in range(block * BLOCK, (block + 1) * BLOCK):
        problem = random_problem(seed)
        optimum = brute_force(problem).objective
        solution = exact.solve(problem, EXACT)
        objective, _ = check_answer(problem, solution)
        check_against(optimum, solution, EXACT.gap)
        assert objective == pytest.approx(optimum, rel=1e-6, abs=1e-6), seed
