"""``packing``: a place for every job, where the other solvers leave some out."""

from __future__ import annotations

import time

from solvers.errors import EngineError
from solvers.evaluate import evaluate
from solvers.exact.earliest import settle_earliest
from solvers.exact.verdict import settle
from solvers.feasibility import violations
from solvers.greedy import Greedy
from solvers.isolation import Limits, run_isolated
from solvers.packing.rounds import pack
from solvers.problem import Problem
from solvers.progress import Report
from solvers.solution import Schedule, Solution, SolveOptions, Stats

_START_S = 1.0
"""Time that a child needs to start and to answer. [s]"""


class Packing:
    """Finds room for the jobs that a plan leaves out, whatever they emit there.

    Starts from the hint, or from greedy's plan; where that places every job there is
    nothing to do. A job put in only counts if the whole objective falls. At the end
    every job moves to its cheapest place, so that the plan is a fair start for the
    solvers that know carbon. No bound is proven: CP-SAT's is not passed on.
    """

    name = "packing"

    def solve(
        self,
        problem: Problem,
        options: SolveOptions,
        *,
        hint: Schedule | None = None,
        progress: Report | None = None,
    ) -> Solution:
        """Schedule the jobs; progress is not told, the search has none to tell."""
        began = time.perf_counter()
        start = hint if hint is not None and not violations(problem, hint) else None
        start = start or Greedy().solve(problem, options).schedule
        start = start or Schedule.empty(problem.n_jobs)
        messages, notes = list[str](), list[str]()
        best, stopped = start, False
        if start.n_unplaced:
            try:
                left_s = options.time_limit_s - (time.perf_counter() - began)
                best = _packed(problem, start, options, left_s)
                notes.append(
                    f"{start.n_unplaced} left out before, {best.n_unplaced} after"
                )
            except EngineError as error:
                messages.append(f"stopped: {error}")
            except KeyboardInterrupt:
                messages.append("stopped by the user")
                stopped = True
        stats = Stats(
            solver=self.name,
            engine="CP-SAT over intervals",
            seconds=time.perf_counter() - began,
            seed=options.seed,
            messages=tuple(messages),
            notes=tuple(notes),
            interrupted=stopped,
        )
        return settle(problem, best, bound=None, asked_gap=options.gap, stats=stats)


def _packed(
    problem: Problem, start: Schedule, options: SolveOptions, left_s: float
) -> Schedule:
    """What the child found is not believed: checked, priced again and settled."""
    began = time.perf_counter()
    if not options.extra.get("isolate", True):
        found = pack(problem, start, options.seed, left_s, options.threads)
    elif left_s <= 2 * _START_S:
        return start
    else:
        found = run_isolated(
            pack,
            problem,
            start,
            options.seed,
            left_s - 2 * _START_S,
            options.threads,
            limits=Limits.within(left_s + 1.0, extra=options.extra),
        )
    if violations(problem, found):
        return start
    if evaluate(problem, found).objective >= evaluate(problem, start).objective:
        return start
    rest_s = left_s - (time.perf_counter() - began)
    return settle_earliest(problem, found, time_limit_s=max(rest_s, 0.1))
