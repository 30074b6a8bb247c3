"""What one solve takes and what comes out, measured in this process."""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.synthetic import synthetic_day
from solvers.exact.engine import EngineOptions
from solvers.exact.model import build_model
from solvers.exact.ortools_engine import solve_highs
from solvers.feasibility import violations
from solvers.problem import Problem
from solvers.progress import Progress
from solvers.registry import load
from solvers.solution import SolveOptions

Row = dict[str, Any]


def measure(
    solver: str, problem: Problem, options: SolveOptions, *, marks: Sequence[float] = ()
) -> Row:
    """One row: what came out and what it took; kernels are loaded before.

    Parameters
    ----------
    solver, problem, options
        Who solves what.
    marks
        Gaps of which to tell after how many seconds they were proven.
    """
    chosen = load(solver)
    load("price").solve(synthetic_day(40, seed=3), replace(options, gap=0.5))
    trace: list[tuple[float, float]] = []

    def note(step: Progress) -> None:
        if step.gap is not None:
            trace.append((round(step.seconds, 3), step.gap))

    began, cpu = time.perf_counter(), time.process_time()
    solution = chosen.solve(problem, options, progress=note)
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    schedule, gap = solution.schedule, solution.gap
    if gap is not None:
        trace.append((round(wall, 3), gap))
    broken = () if schedule is None else violations(problem, schedule)
    return {
        "jobs": problem.n_jobs,
        "solver": solver,
        "status": solution.status.value,
        "objective": solution.objective,
        "bound": solution.bound,
        "gap": gap,
        "asked_gap": options.gap,
        "seconds": wall,
        "cpu_seconds": cpu,
        "unplaced": problem.n_jobs if schedule is None else schedule.n_unplaced,
        "violations": len(broken),
        "peak_gb": peak_gb(resource.RUSAGE_SELF),
        "children_gb": peak_gb(resource.RUSAGE_CHILDREN),
        "reached": {f"{mark:g}": _first(trace, mark) for mark in marks},
        "trace": trace,
    }


def measure_relaxation(problem: Problem, limit_s: float) -> Row:
    """HiGHS on the exact model with jobs that may be split, building not counted."""
    model = build_model(problem)
    program = replace(
        model.program, integer=np.zeros(model.program.n_variables, dtype=np.bool_)
    )
    options = EngineOptions(gap=0.0, time_limit_s=limit_s, threads=1)
    began = time.perf_counter()
    answer = solve_highs(program, options, None)
    return {
        "jobs": problem.n_jobs,
        "solver": "HiGHS, LP relaxation alone",
        "engine": answer.engine,
        "outcome": answer.outcome.value,
        "bound": _objective_of(model.unit, answer.bound),
        "seconds": time.perf_counter() - began,
        "entries": len(program.values),
        "peak_gb": peak_gb(resource.RUSAGE_SELF),
    }


def peak_gb(who: int) -> float:
    """Largest memory of this process, or of its largest child."""
    return float(resource.getrusage(who).ru_maxrss) / 2**20


def _objective_of(unit: float, bound: float | None) -> float | None:
    return None if bound is None else bound * unit


def _first(trace: list[tuple[float, float]], mark: float) -> float | None:
    return next((seconds for seconds, gap in trace if gap <= mark), None)
