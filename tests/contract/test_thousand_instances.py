"""SO-08: a thousand seeded instances, every solver against brute force."""

from __future__ import annotations

import pytest

from solvers.registry import load
from tests.instances import random_problem
from tests.oracles import brute_force
from tests.promises import EXACT, PLAIN, check_against, check_answer

BLOCK = 100


@pytest.mark.parametrize("block", range(10))
def test_exact_is_brute_force_and_no_policy_is_better(block: int) -> None:
    exact, *policies = (load(name) for name in ("exact", *PLAIN))
    for seed in range(block * BLOCK, (block + 1) * BLOCK):
        problem = random_problem(seed)
        optimum = brute_force(problem).objective
        for solver in (exact, *policies):
            solution = solver.solve(problem, EXACT)
            objective, _ = check_answer(problem, solution)
            check_against(optimum, solution, EXACT.gap)
            if solver is exact:
                near = pytest.approx(optimum, rel=1e-6, abs=1e-6)
                assert objective == near, seed
