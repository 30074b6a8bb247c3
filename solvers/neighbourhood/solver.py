"""Improve a plan by freeing some of its jobs and placing them again exactly."""

from __future__ import annotations

import time

from solvers.errors import EngineError
from solvers.evaluate import evaluate
from solvers.exact.verdict import settle
from solvers.feasibility import violations
from solvers.greedy import Greedy
from solvers.isolation import Limits, run_isolated
from solvers.neighbourhood.steps import Course, improve
from solvers.problem import Problem
from solvers.progress import Progress, Report
from solvers.solution import Schedule, Solution, SolveOptions, Stats

_START_S = 0.5
"""Time that a child needs to start and to answer. [s]"""


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
        start = _valid(problem, hint) or Greedy().solve(problem, options).schedule
        start = start or Schedule.empty(problem.n_jobs)
        left_s = options.time_limit_s - (time.perf_counter() - began)
        stopped = False
        if progress is not None:  # its steps run in a process of their own
            progress(_begun(self.name, problem, start, options, left_s))
        course, messages = Course(schedule=start), list[str]()
        try:
            course = _improved(problem, start, options, left_s)
        except EngineError as error:
            messages.append(f"stopped: {error}")
        except KeyboardInterrupt:
            messages.append("stopped by the user")
            stopped = True
        best = _cheaper(problem, start, course.schedule)
        stats = Stats(
            solver=self.name,
            engine="large-neighbourhood search over HiGHS",
            seconds=time.perf_counter() - began,
            seed=options.seed,
            messages=tuple(messages),
            notes=(f"{course.steps} parts placed again, {course.kept} for the better",),
            interrupted=stopped,
        )
        return settle(problem, best, bound=None, asked_gap=options.gap, stats=stats)


def _begun(
    name: str, problem: Problem, start: Schedule, options: SolveOptions, left_s: float
) -> Progress:
    return Progress(
        solver=name,
        best=evaluate(problem, start).objective,
        seconds=options.time_limit_s - left_s,
        time_limit_s=options.time_limit_s,
    )


def _improved(
    problem: Problem, start: Schedule, options: SolveOptions, left_s: float
) -> Course:
    if not options.extra.get("isolate", True):
        return improve(problem, start, seed=options.seed, time_limit_s=left_s)
    if left_s <= 2 * _START_S:
        return Course(schedule=start)
    return run_isolated(
        improve,
        problem,
        start,
        options.seed,
        left_s - 2 * _START_S,
        limits=Limits.within(left_s + 1.0, extra=options.extra),
    )


def _valid(problem: Problem, hint: Schedule | None) -> Schedule | None:
    return None if hint is None or violations(problem, hint) else hint


def _cheaper(problem: Problem, start: Schedule, found: Schedule) -> Schedule:
    """What the child found is not believed: checked, and priced again."""
    if violations(problem, found):
        return start
    before, after = evaluate(problem, start), evaluate(problem, found)
    return found if after.objective < before.objective else start
