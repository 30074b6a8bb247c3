"""Every solver that can tell says where it stands; ``auto`` says who is at work."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from benchmarks.synthetic import synthetic_day
from solvers.auto import Auto
from solvers.greedy import Greedy
from solvers.problem import Problem
from solvers.progress import Progress, Report, joined
from solvers.registry import load
from solvers.solution import Schedule, Solution, SolveOptions
from solvers.solver import Solver

QUICK = SolveOptions(gap=0.0, time_limit_s=2.0, extra={"isolate": False})


@pytest.mark.parametrize("name", ["price", "exact", "neighbourhood"])
def test_a_solver_tells_its_best_plan_and_the_time_it_has(name):
    told: list[Progress] = []
    problem = synthetic_day(30, seed=1)
    solution = load(name).solve(problem, QUICK, progress=told.append)
    assert told
    assert told[-1].solver == name
    assert told[-1].time_limit_s == QUICK.time_limit_s
    assert told[-1].best is not None
    assert solution.objective is not None
    assert told[-1].best >= solution.objective - 1e-9 * abs(solution.objective)


@dataclass
class Teller:
    """Solver that tells one step and answers with greedy's plan and a bound."""

    name: str
    bound: float | None = None

    def solve(
        self,
        problem: Problem,
        options: SolveOptions,
        *,
        hint: Schedule | None = None,
        progress: Report | None = None,
    ) -> Solution:
        found = Greedy().solve(problem, options)
        assert progress is not None
        progress(Progress(solver=self.name, iteration=3, bound=self.bound))
        return replace(found, bound=self.bound)


def test_auto_names_the_solver_at_work_and_never_loses_what_it_has():
    told: list[Progress] = []
    exact, price = Teller("exact", bound=0.0), Teller("price")
    solvers: dict[str, Solver] = {"greedy": Greedy(), "exact": exact, "price": price}
    auto = Auto(dict.fromkeys(solvers, ""), solvers.__getitem__)
    problem = synthetic_day(60, seed=2)
    solution = auto.solve(
        problem, replace(QUICK, time_limit_s=30.0), progress=told.append
    )
    order = list(dict.fromkeys(step.solver for step in told))
    assert order == ["auto", "greedy", "exact", "price"]
    bests = [step.best for step in told if step.best is not None]
    assert bests == sorted(bests, reverse=True)
    by_price = [step for step in told if step.solver == "price"]
    assert by_price[-1].iteration == 3
    assert by_price[-1].best == pytest.approx(solution.objective)
    assert by_price[-1].bound == pytest.approx(solution.bound)
    assert all(step.time_limit_s == 30.0 for step in told)
    seconds = [step.seconds for step in told]
    assert seconds == sorted(seconds)


def test_a_part_is_seen_with_the_plan_bound_and_clock_of_the_whole():
    part = Progress(solver="price", iteration=4, best=9.0, bound=3.0, time_limit_s=5)
    whole = Progress(solver="auto", best=8.0, bound=2.0, seconds=7.0, time_limit_s=60)
    seen = joined(part, whole)
    assert (seen.solver, seen.iteration, seen.best, seen.bound) == ("price", 4, 8, 3)
    assert seen.seconds_left == 53.0
    assert seen.gap == pytest.approx(5 / 8)
