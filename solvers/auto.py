"""``auto``: the best plan and the best bound of whatever can work on a problem."""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Callable, Mapping

from solvers.errors import SolverCheckError, SolverError
from solvers.exact.columns import count_entries
from solvers.exact.relaxation import lonely_bound
from solvers.exact.search import Search
from solvers.exact.solver import MAX_ENTRIES
from solvers.problem import Problem
from solvers.progress import Progress, Report
from solvers.registry import SOLVERS, load
from solvers.solution import Schedule, Solution, SolveOptions
from solvers.solver import Solver

logger = logging.getLogger(__name__)

ENTRIES_PER_SECOND = 50_000
"""Entries of the exact model that are worth a second of the time limit."""

SMALL_ENTRIES = 200_000
"""A model of this size is always tried, and first."""

GREEDY_SHARE = 0.8
"""Part of the time that greedy may take; its bound needs the rest."""

EXACT_SHARE = 0.5
"""Part of the time left that the exact engine may take. Small days begin with it: one
that it proves needs no compiled kernels, and its engine makes no use of a start."""

PRICE_SHARE = 0.5
"""Part of the time left that the price engine may take where a search follows."""

SEARCH_JOBS = 20_000
"""Jobs up to which freeing parts of a plan finds what prices do not."""


class Auto:
    """Greedy first, then what suits the size: exact model, prices, neighbourhoods.

    Small days begin with the exact model; what it does not prove goes on to prices,
    and parts of the priced plan are freed and placed again. Middling days leave the
    exact model out, large ones trust prices alone. Each starts from the best
    plan so far. The run ends with the best valid plan
    and the best proven bound, whatever fails on the way; ``Stats.messages`` says
    what happened.

    Parameters
    ----------
    names
        Solvers that exist; those of the registry unless a test passes others.
    load_solver
        How to get one by name.
    """

    def __init__(
        self,
        names: Mapping[str, str] = SOLVERS,
        load_solver: Callable[[str], Solver] = load,
    ) -> None:
        self._names = names
        self._load = load_solver

    @property
    def name(self) -> str:
        """Name under which the solver is registered."""
        return "auto"

    def solve(
        self,
        problem: Problem,
        options: SolveOptions,
        *,
        hint: Schedule | None = None,
        progress: Report | None = None,
    ) -> Solution:
        """Schedule the jobs; see ``solvers.solver.Solver``.

        Never raises ``SolverError``: leaving every job out is always a plan.
        """
        began = time.perf_counter()
        search = Search(
            problem, options, began=began, report=progress, at_work=self.name
        )
        search.offer(Schedule.empty(problem.n_jobs), source="an empty day")
        if hint is not None:
            search.consider(hint, source="the hint")
        try:
            self._run(search)
        except KeyboardInterrupt:
            search.interrupt()
        return search.solution(self.name)

    def _run(self, search: Search) -> None:
        self._ask(search, "greedy", share=GREEDY_SHARE)
        if search.best is not None:
            bound = lonely_bound(search.problem, search.best)
            search.take_bound(bound, source="the bound of each job alone")
        entries = count_entries(search.problem.jobs)
        if entries <= SMALL_ENTRIES:
            shares = {"exact": EXACT_SHARE, "price": PRICE_SHARE, "neighbourhood": 1.0}
        elif self._exact_fits(search, entries):
            shares = {"price": PRICE_SHARE, "exact": EXACT_SHARE, "neighbourhood": 1.0}
        elif search.problem.n_jobs <= SEARCH_JOBS:
            shares = {"price": PRICE_SHARE, "neighbourhood": 1.0}
        else:
            shares = {"price": 1.0}
        for name, share in shares.items():
            if name in self._names and not search.is_done:
                self._ask(search, name, share=share)

    def _exact_fits(self, search: Search, entries: int) -> bool:
        """Whether the exact model is of a size that the time limit allows."""
        allowed = max(SMALL_ENTRIES, ENTRIES_PER_SECOND * search.remaining())
        if entries <= min(allowed, MAX_ENTRIES):
            return True
        search.say(
            f"exact left out: its model would have {entries:,} entries, more than "
            f"{int(min(allowed, MAX_ENTRIES)):,} for the time limit"
        )
        return False

    def _ask(self, search: Search, name: str, *, share: float) -> None:
        """Let a solver improve plan and bound; its failure becomes a message."""
        time_limit_s = max(search.remaining() * share, 0.05)
        options = dataclasses.replace(search.options, time_limit_s=time_limit_s)
        search.at_work = name
        search.hear(Progress(solver=name))
        try:
            solution = self._load(name).solve(
                search.problem, options, hint=search.start, progress=search.hear
            )
        except SolverError as error:
            search.say(f"{name} failed: {error}")
            return
        search.prices = solution.prices or search.prices
        before = search.objective
        search.interrupted |= solution.stats.interrupted
        for message in solution.stats.messages:
            search.say(f"{name}: {message}")
        if solution.schedule is not None:
            search.consider(solution.schedule, source=name)
        try:
            search.take_bound(solution.bound, source=name)
        except SolverCheckError as error:
            search.say(f"{error}")
        if search.objective < before:
            search.engine = solution.stats.engine or name
            search.say(f"{name} found the plan in use")
