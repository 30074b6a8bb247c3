"""Compiles the kernels once, before several workers would each do it at once."""

from __future__ import annotations

from multiprocessing import get_context

from benchmarks.synthetic import synthetic_day
from solvers.annealing.solver import Annealing
from solvers.asap import Asap
from solvers.greedy import Greedy
from solvers.price.engine import Price
from solvers.solution import SolveOptions
from solvers.threshold import Threshold
from tests.instances import random_problem

BRIEFLY = SolveOptions(time_limit_s=1.0, gap=0.5, extra={"isolate": False})


def by_prices() -> None:
    """Kernels of the price engine and of annealing."""
    for fill in (0.5, 2.0):
        problem = synthetic_day(40, seed=0, fill=fill)
        Price().solve(problem, BRIEFLY)
        Annealing().solve(problem, BRIEFLY)


def in_turn() -> None:
    """Kernels of the simple policies."""
    for policy in (Asap, Threshold, Greedy):
        for seed in range(5):
            policy(compiled_from=0).solve(random_problem(seed), BRIEFLY)


if __name__ == "__main__":
    with get_context("spawn").Pool(2) as pool:
        for done in [pool.apply_async(part) for part in (by_prices, in_turn)]:
            done.get()
