"""The rules that a plan is compared with, run on the same problem."""

from __future__ import annotations

from dataclasses import dataclass

from planner.day import Day
from planner.stopwatch import Stopwatch
from solvers.evaluate import Evaluation, evaluate
from solvers.registry import load
from solvers.solution import Schedule, Solution, SolveOptions
from solvers.solver import Solver

BASELINES = ("asap", "threshold", "greedy")
"""Always compared with; ``asap`` is the baseline of a plan's rows."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PolicyRun:
    """What one policy does with the day.

    Parameters
    ----------
    name
        The policy.
    solution
        Its answer.
    schedule
        The schedule of the answer; all jobs left out if there was none.
    evaluation
        That schedule, priced.
    seconds
        Elapsed time. [s]
    """

    name: str
    solution: Solution
    schedule: Schedule
    evaluation: Evaluation
    seconds: float


def run_policy(
    name: str,
    day: Day,
    options: SolveOptions,
    *,
    watch: Stopwatch,
    hint: Schedule | None = None,
) -> PolicyRun:
    """Solve a day with one solver and price the answer."""
    problem = day.formulation.problem
    stage = f"solve {name}"
    with watch.stage(stage, _what(name, day)):
        solver = _solver(name, day)
        solution = solver.solve(problem, options, hint=hint, progress=watch.tell)
        schedule = solution.schedule or Schedule.empty(problem.n_jobs)
    return PolicyRun(
        name=name,
        solution=solution,
        schedule=schedule,
        evaluation=evaluate(problem, schedule),
        seconds=watch.seconds[stage],
    )


def run_baselines(
    day: Day, options: SolveOptions, *, watch: Stopwatch
) -> dict[str, PolicyRun]:
    """Run every policy of ``BASELINES``."""
    return {name: run_policy(name, day, options, watch=watch) for name in BASELINES}


def _solver(name: str, day: Day) -> Solver:
    threshold = day.workspace.settings.policies.threshold_g_per_kwh
    if name == "threshold" and threshold is not None:
        from solvers.threshold import Threshold

        return Threshold(g_per_kwh=threshold)
    return load(name)


def _what(name: str, day: Day) -> str:
    n_jobs, n_regions, n_slots, _ = day.formulation.problem.shape
    return f"{name}: {n_jobs:,} jobs, {n_regions} regions, {n_slots} slots"
