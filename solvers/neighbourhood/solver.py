"""Improve a plan by freeing some of its jobs and placing them again exactly."""

from __future__ import annotations

import time

from solvers.evaluate import evaluate
from solvers.improvement import Found, first_plan, improved
from solvers.neighbourhood.steps import improve
from solvers.problem import Problem
from solvers.progress import Progress, Report
from solvers.solution import Schedule, Solution, SolveOptions, Stats


class Neighbourhood:
    """Large-neighbourhood search from the hint, or from greedy's plan.

    Each step frees jobs that compete with each other and lets the exact model
    place them again while all others stay; it is kept if the whole plan gets
    cheaper. The steps run in a process of their own unless
    ``SolveOptions.extra["isolate"]`` is False; should that process fail, the plan to
    start from is the answer. No bound is proven.

    References
    ----------
    .. [1] Shaw, P. (1998). Using constraint programming and local search methods to
       solve vehicle routing problems. CP98. doi:10.1007/3-540-49481-2_30
    """

    name = "neighbourhood"

    def solve(
        self,
        problem: Problem,
        options: SolveOptions,
        *,
        hint: Schedule | None = None,
        progress: Report | None = None,
    ) -> Solution:
        """Schedule the jobs; see ``solvers.solver.Solver``."""
        began = time.perf_counter()
        start = first_plan(problem, hint, options)
        seconds = time.perf_counter() - began
        if progress is not None:  # its steps run in a process of their own
            progress(
                Progress(
                    solver=self.name,
                    best=evaluate(problem, start).objective,
                    seconds=seconds,
                    time_limit_s=options.time_limit_s,
                )
            )
        stats = Stats(
            solver=self.name,
            engine="large-neighbourhood search over HiGHS",
            seconds=seconds,
            seed=options.seed,
        )
        return improved(_searched, problem, start, options, stats=stats, began=began)


def _searched(problem: Problem, start: Schedule, options: SolveOptions) -> Found:
    course = improve(problem, start, options.seed, options.time_limit_s)
    note = f"{course.steps} parts placed again, {course.kept} for the better"
    return Found(schedule=course.schedule, note=note)
