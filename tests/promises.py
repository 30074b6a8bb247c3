"""What every solver promises of an answer, as one check for all suites."""

from __future__ import annotations

import pytest

from solvers.evaluate import evaluate
from solvers.feasibility import violations
from solvers.problem import Problem
from solvers.solution import Schedule, Solution, SolveOptions, Status

PLAIN = ("asap", "threshold", "greedy")
"""Baselines: they use no hint and prove nothing."""

EXACT = SolveOptions(gap=1e-7, time_limit_s=20.0, extra={"isolate": False})
"""Asks for a proof, without the cost of a child process for each instance."""


def check_answer(problem: Problem, solution: Solution) -> tuple[float, Schedule]:
    """Limits are kept, and the numbers are those of ``evaluate``."""
    schedule, objective = solution.schedule, solution.objective
    assert schedule is not None
    assert objective is not None
    assert violations(problem, schedule) == []
    priced = evaluate(problem, schedule).objective
    assert objective == pytest.approx(priced, rel=1e-9, abs=1e-12)
    if solution.bound is not None:
        assert solution.bound <= objective
    if not schedule.n_unplaced:
        assert solution.status in (Status.OPTIMAL, Status.FEASIBLE)
    assert solution.stats.solver
    return objective, schedule


def check_against(optimum: float, solution: Solution, asked_gap: float) -> None:
    """No answer beats the optimum, no bound passes it, ``OPTIMAL`` is it."""
    near = 1e-6 * max(1.0, abs(optimum))
    assert solution.objective is not None
    assert solution.objective >= optimum - near
    if solution.bound is not None:
        assert solution.bound <= optimum + 1e-9 * max(1.0, abs(optimum))
    if solution.status is Status.OPTIMAL:
        assert solution.gap is not None
        assert solution.gap <= asked_gap
        assert solution.objective <= optimum + near
