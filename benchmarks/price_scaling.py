"""Gap, time and memory of the price engine by number of jobs, as a table.

``python -m benchmarks.price_scaling`` runs the whole table, each row in a process
of its own; ``--jobs 1000 10000`` runs some rows, ``--awkward`` the awkward days.
Compiling is not counted: each row warms up on a tiny day first.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np

from benchmarks.synthetic import synthetic_day
from solvers.feasibility import violations
from solvers.price.engine import Price
from solvers.problem import Problem
from solvers.progress import Progress
from solvers.solution import SolveOptions

TARGETS: dict[int, tuple[float, float]] = {
    100: (1e-3, 10.0),
    1_000: (1.5e-3, 60.0),
    10_000: (1.5e-3, 20.0),
    100_000: (1e-3, 30.0),
    1_000_000: (5e-4, 120.0),
    10_000_000: (3e-4, 600.0),
}
"""Jobs to the gap asked for and the time limit in seconds."""

AWKWARD = (
    "overfull",
    "no_slack",
    "five_minutes_72_h",
    "twenty_regions",
    "all_equal",
    "flat",
    "negative",
    "budget",
)


def awkward_day(name: str, n_jobs: int) -> Problem:
    """Day of one of the awkward families."""
    if name == "overfull":
        return synthetic_day(n_jobs, seed=2, fill=1.3)
    if name == "no_slack":
        return synthetic_day(n_jobs, seed=3, slack_hours=(0.0, 0.0), fill=0.3)
    if name == "five_minutes_72_h":
        return synthetic_day(n_jobs, n_slots=864, slot_minutes=5)
    if name == "twenty_regions":
        return synthetic_day(n_jobs, seed=4, n_regions=20)
    if name == "negative":
        return synthetic_day(n_jobs, seed=7, negative_hours=3)
    if name == "budget":
        return synthetic_day(n_jobs, seed=8, budget_share=0.4)
    return _alike(name, synthetic_day(n_jobs, seed=5))


def _alike(name: str, problem: Problem) -> Problem:
    """All jobs equal, or the same intensity everywhere."""
    jobs, places = problem.jobs, problem.places
    if name == "flat":
        weight = np.full(places.weight_per_kwh.shape, 0.2)
        return replace(problem, places=replace(places, weight_per_kwh=weight))
    columns = {
        field: np.repeat(getattr(jobs, field)[:1], len(jobs), axis=0)
        for field in jobs.__dataclass_fields__
    }
    held = columns["demand"][0] * columns["n_slots"][0] * len(jobs)
    wanted = np.ceil(held / (places.n_slots * places.n_regions * 0.3)) + 1.0
    capacity = np.broadcast_to(wanted[:, None, None], places.capacity.shape).copy()
    return replace(
        problem,
        jobs=replace(jobs, **columns),
        places=replace(places, capacity=capacity),
    )


def measure(problem: Problem, options: SolveOptions) -> dict[str, object]:
    """One row: what came out and what it took."""
    Price().solve(synthetic_day(40, seed=3), replace(options, gap=0.5))
    trace: list[tuple[float, float | None]] = []

    def note(step: Progress) -> None:
        trace.append((round(step.seconds, 3), step.gap))

    began, cpu = time.perf_counter(), time.process_time()
    solution = Price().solve(problem, options, progress=note)
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    assert solution.schedule is not None
    assert solution.gap is not None
    return {
        "jobs": problem.n_jobs,
        "status": solution.status.value,
        "gap_percent": round(100 * solution.gap, 4),
        "seconds": round(wall, 2),
        "cpu_seconds": round(cpu, 2),
        "us_per_job": round(1e6 * wall / max(1, problem.n_jobs), 1),
        "unplaced": solution.schedule.n_unplaced,
        "violations": len(violations(problem, solution.schedule)),
        "peak_gb": round(
            resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2, 2
        ),
        "trace": [t for t in trace if t[1] is not None],
    }


def _row(label: str, *arguments: str, threads: int) -> dict[str, object]:
    command = [sys.executable, "-m", "benchmarks.price_scaling", "--row", *arguments]
    command += ["--threads", str(threads)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    row: dict[str, object] = json.loads(done.stdout)
    columns = ("gap_percent", "seconds", "cpu_seconds", "us_per_job", "peak_gb")
    cells = [f"{row[name]:>12}" for name in columns]
    cells += [f"{row['unplaced']:>9}", f"{row['violations']:>11}", f" {row['status']}"]
    print(f"{label:>22}", *cells, flush=True)
    return row


def main() -> None:
    """Run rows and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, nargs="*", default=list(TARGETS))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--awkward", action="store_true")
    parser.add_argument("--row", nargs="*")
    chosen = parser.parse_args()
    if chosen.row:
        name, n_jobs, gap, limit = chosen.row
        n = int(n_jobs)
        day = synthetic_day(n, seed=1) if name == "day" else awkward_day(name, n)
        options = SolveOptions(
            gap=float(gap), time_limit_s=float(limit), threads=chosen.threads
        )
        print(json.dumps(measure(day, options)))
        return
    heads = ("gap %", "seconds", "cpu s", "us/job", "peak GB")
    print(f"{'':>22}", *(f"{h:>12}" for h in heads), " unplaced  violations")
    if chosen.awkward:
        for name in AWKWARD:
            _row(name, name, "5000", "1e-3", "10", threads=chosen.threads)
        return
    for n in chosen.jobs:
        gap, limit = TARGETS[n]
        _row(f"{n:,}", "day", str(n), str(gap), str(limit), threads=chosen.threads)


if __name__ == "__main__":
    main()
