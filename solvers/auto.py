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

PACKING_SHARE = 0.25
"""Part of the time left for finding room for jobs that greedy left out."""

PRICE_SHARE = 0.5
"""Part of the time left that the price engine may take where a search follows."""

PRICE_ALONE_SHARE = 0.8
"""Part of the time left that it may take where at most packing follows."""

EXACT_SHARE = 0.6
"""Part of the time left for the exact engine; what follows starts from its plan.
Side by side, a core each, both ended worse (docs/decisions/0002)."""

ANNEALING_JOBS = 600
"""Jobs up to which annealing the plan of the prices finds more in the time than freeing
parts of it; docs/decisions/0003 has the figures."""

SEARCH_JOBS = 3_000
"""Jobs up to which freeing parts of a plan finds what prices do not; at 10,000 it found
nothing in the time in which prices went from 0.22 % to 0.05 %."""

PACKING_JOBS = 20_000
"""Jobs up to which finding room for those left out is worth its time."""


class Auto:
    """What suits the size: greedy, packing, prices, exact model, annealing, search.

    Small days begin with greedy, and where it leaves jobs out, they are packed. Then
    they go to the exact model, for a proof, and only if it has none, to the prices for
    a better plan, and to annealing. Middling days are priced first, and the last word
    has a search that frees parts of the plan and places them again. Large ones trust
    prices alone. Each starts from the best plan so far.
    The run ends with the best valid plan and the best proven bound, whatever fails on
    the way; ``Stats.messages`` says what happened.

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
        n_jobs, entries = search.problem.n_jobs, count_entries(search.problem.jobs)
        small = entries <= SMALL_ENTRIES
        exact = small or self._exact_fits(search, entries)
        if not small:
            self._ask(search, "price", share=_price_share(n_jobs, exact=exact))
        if search.bound is None:  # prices have greedy's plan and a better bound
            self._begin(search)
        packed = self._needs_packing(search)
        if packed:
            self._ask(search, "packing", share=PACKING_SHARE)
        if exact:
            self._ask(search, "exact", share=EXACT_SHARE)
        if small or packed:
            follows = n_jobs <= SEARCH_JOBS
            self._ask(search, "price", share=PRICE_SHARE if follows else 1.0)
        if n_jobs <= ANNEALING_JOBS:
            self._ask(search, "annealing")
        elif n_jobs <= SEARCH_JOBS:
            self._ask(search, "neighbourhood")

    @staticmethod
    def _needs_packing(search: Search) -> bool:
        """Whether the best plan leaves out jobs that packing may find room for."""
        found, n_jobs = search.best, search.problem.n_jobs
        return found is not None and found.n_unplaced > 0 and n_jobs <= PACKING_JOBS

    def _begin(self, search: Search) -> None:
        """Greedy's plan, and a bound that needs no prices."""
        self._ask(search, "greedy", share=GREEDY_SHARE)
        if search.best is not None:
            bound = lonely_bound(search.problem, search.best)
            search.take_bound(bound, source="the bound of each job alone")

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

    def _ask(self, search: Search, name: str, *, share: float = 1.0) -> None:
        """Let a solver improve plan and bound, if there is need and it exists."""
        if search.is_done or name not in self._names:
            return
        search.at_work = name
        search.hear(Progress(solver=name))
        options = dataclasses.replace(
            search.options, time_limit_s=max(search.remaining() * share, 0.05)
        )
        try:
            answer = self._load(name).solve(
                search.problem, options, hint=search.start, progress=search.hear
            )
        except SolverError as error:
            search.say(f"{name} failed: {error}")
        else:
            _take(search, name, answer)


def _price_share(n_jobs: int, *, exact: bool) -> float:
    """Part of the time for prices that come first, by what may follow them."""
    if exact or n_jobs <= SEARCH_JOBS:
        return PRICE_SHARE
    return PRICE_ALONE_SHARE if n_jobs <= PACKING_JOBS else 1.0


def _take(search: Search, name: str, answer: Solution) -> None:
    """Take what is better of an answer, and remember whose it is."""
    before, known = search.objective, search.bound
    search.interrupted |= answer.stats.interrupted
    for message in answer.stats.messages:
        search.say(f"{name}: {message}")
    for note in answer.stats.notes:
        logger.info("%s: %s", name, note)
    if answer.schedule is not None:
        search.consider(answer.schedule, source=name)
    try:
        search.take_bound(answer.bound, source=name)
    except SolverCheckError as error:
        search.say(f"{error}")
    search.prices = answer.prices or search.prices
    if search.bound != known:
        search.found_by["bound"] = name
    if search.objective < before:
        search.engine = answer.stats.engine or name
        search.found_by["plan"] = name
