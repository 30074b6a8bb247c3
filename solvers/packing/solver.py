"""``packing``: a place for every job, where the other solvers leave some out."""

from __future__ import annotations

import time
from dataclasses import replace

from solvers.exact.earliest import settle_earliest
from solvers.improvement import Found, first_plan, improved
from solvers.packing.driving import drive_all_in
from solvers.packing.rounds import pack
from solvers.problem import Problem
from solvers.progress import Report
from solvers.solution import Schedule, Solution, SolveOptions, Stats
from solvers.verdict import settle
from solvers.versions import version_of

CHAINS_SHARE = 0.5
"""Part of the time for chains; what they do not find is left to CP-SAT."""


class Packing:
    """Finds room for the jobs that a plan leaves out, whatever they emit there.

    Starts from the hint, or from greedy's plan; where that places every job there is
    nothing to do. Chains of ejections come first, which find most of the room within a
    second, then CP-SAT, which may see what chains do not. A job put in only counts if
    the whole objective falls. At the end every job moves to its cheapest place, so that
    the plan is a fair start for the solvers that know carbon. No bound is proven:
    CP-SAT's is not passed on.
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
            engine=f"ejection chains (numba {version_of('numba')})",
            seconds=time.perf_counter() - began,
            seed=options.seed,
        )
        if not start.n_unplaced:
            return settle(
                problem, start, bound=None, asked_gap=options.gap, stats=stats
            )
        here = replace(options, extra={**options.extra, "isolate": False})
        driven = improved(_driven, problem, start, here, stats=stats, began=began)
        best = driven.schedule or start
        if driven.stats.interrupted or not best.n_unplaced:
            return driven
        stats = replace(driven.stats, engine="ejection chains, CP-SAT over intervals")
        return improved(_packed, problem, best, options, stats=stats, began=began)


def _driven(problem: Problem, start: Schedule, options: SolveOptions) -> Found:
    """By chains, at once; settled only where nothing is left for CP-SAT."""
    began = time.perf_counter()

    def passed_s() -> float:
        return time.perf_counter() - began

    until_s = CHAINS_SHARE * options.time_limit_s
    driven = drive_all_in(problem, start, lambda: passed_s() > until_s)
    if not driven.n_unplaced:
        left_s = max(options.time_limit_s - passed_s(), 0.1)
        driven = settle_earliest(problem, driven, time_limit_s=left_s)
    return Found(schedule=driven, note=_note("chains", start, driven))


def _packed(problem: Problem, start: Schedule, options: SolveOptions) -> Found:
    until = time.perf_counter() + options.time_limit_s
    packed = pack(problem, start, options.seed, options.time_limit_s, options.threads)
    left_s = until - time.perf_counter()
    settled = settle_earliest(problem, packed, time_limit_s=max(left_s, 0.1))
    return Found(schedule=settled, note=_note("CP-SAT", start, packed))


def _note(who: str, before: Schedule, after: Schedule) -> str:
    return f"{who}: {before.n_unplaced} left out before, {after.n_unplaced} after"
