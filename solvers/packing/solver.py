"""``packing``: a place for every job, where the other solvers leave some out."""

from __future__ import annotations

import time

from solvers.exact.earliest import settle_earliest
from solvers.exact.verdict import settle
from solvers.improvement import Found, first_plan, improved
from solvers.packing.rounds import pack
from solvers.problem import Problem
from solvers.progress import Report
from solvers.solution import Schedule, Solution, SolveOptions, Stats


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
        start = first_plan(problem, hint, options)
        stats = Stats(
            solver=self.name,
            engine="CP-SAT over intervals",
            seconds=time.perf_counter() - began,
            seed=options.seed,
        )
        if not start.n_unplaced:
            return settle(
                problem, start, bound=None, asked_gap=options.gap, stats=stats
            )
        return improved(_packed, problem, start, options, stats=stats, began=began)


def _packed(problem: Problem, start: Schedule, options: SolveOptions) -> Found:
    until = time.perf_counter() + options.time_limit_s
    packed = pack(problem, start, options.seed, options.time_limit_s, options.threads)
    left_s = until - time.perf_counter()
    settled = settle_earliest(problem, packed, time_limit_s=max(left_s, 0.1))
    note = f"{start.n_unplaced} left out before, {packed.n_unplaced} after"
    return Found(schedule=settled, note=note)
