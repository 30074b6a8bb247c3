"""Compare the exact engines side by side on synthetic days.

``python -m benchmarks.engines --jobs 100 300 1000 --seconds 30`` prints a table;
every engine starts from the same greedy plan.
"""

from __future__ import annotations

import argparse
import time

from benchmarks.synthetic import synthetic_day
from solvers.errors import SolverError
from solvers.problem import Problem
from solvers.registry import load
from solvers.solution import Schedule, SolveOptions


def main() -> None:
    """Print one row for each size and engine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, nargs="+", default=[100, 300, 1000])
    parser.add_argument("--engines", nargs="+", default=["highs", "scip", "cp-sat"])
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--gap", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fill", type=float, default=0.6)
    arguments = parser.parse_args()
    options = SolveOptions(gap=arguments.gap, time_limit_s=arguments.seconds)
    print("| jobs | engine | seconds | objective | bound | gap | unplaced |")
    print("|---|---|---|---|---|---|---|")
    for n_jobs in arguments.jobs:
        problem = synthetic_day(n_jobs, seed=arguments.seed, fill=arguments.fill)
        greedy = load("greedy").solve(problem, options)
        print(f"| {n_jobs} | greedy | | {greedy.objective:.4f} | | | |", flush=True)
        for engine in arguments.engines:
            print(_row(engine, problem, options, greedy.schedule), flush=True)


def _row(
    engine: str, problem: Problem, options: SolveOptions, hint: Schedule | None
) -> str:
    began = time.perf_counter()
    try:
        answer = load(engine).solve(problem, options, hint=hint)
    except SolverError as error:
        return f"| {problem.n_jobs} | {engine} | {error} | | | | |"
    seconds = time.perf_counter() - began
    bound = "–" if answer.bound is None else f"{answer.bound:.4f}"
    gap = "–" if answer.gap is None else f"{answer.gap:.2%}"
    left_out = answer.schedule.n_unplaced if answer.schedule else problem.n_jobs
    return (
        f"| {problem.n_jobs} | {engine} | {seconds:.1f} | {answer.objective:.4f} | "
        f"{bound} | {gap} | {left_out} |"
    )


if __name__ == "__main__":
    main()
